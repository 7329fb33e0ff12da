//! Probes of objects: every concept at every tap of every model, and on every baseline.

use environments::life::LifeWorld;
use environments::stream;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::objects::{Collection, Example, Examples, appearance};
use super::reading::{Concept, Features, Pool, centred, positions, read, taps, windows};
use super::zoo::{Group, Subject, Zoo};
use crate::evidence::controls::control_labels;
use crate::evidence::{Arm, Confusion, Dataset, Probe, fit};

/// What one probe found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// What it read.
    pub features: String,
    /// The concept's name.
    pub concept: String,
    /// Balanced accuracy on the boards on which choices are made.
    pub chosen: f64,
    /// On the reported boards: balanced accuracy.
    pub accuracy: f64,
    /// Matthews correlation; absent where the probe always says the same.
    pub matthews: Option<f64>,
    /// Class-balanced cross-entropy in bits.
    pub bits: f64,
    /// The class said of each reported example to which the concept applies.
    pub predicted: Vec<u8>,
}

/// The three parts of a data set: to fit, to choose, to report.
pub type Parts = [Dataset; 3];

/// Features of the three parts of the examples.
pub type Triple = [Features; 3];

/// Makes data sets of a concept.
pub fn parts(examples: &Examples, features: &Triple, concept: Concept, horizon: u32) -> Parts {
    [0, 1, 2].map(|part| {
        let label = |example: &Example| concept.label(example, horizon);
        features[part].dataset(&examples.parts[part], concept.classes(), label)
    })
}

/// Fits on the first part, chooses what is free on the second, reports on the third. `None` where a class is missing.
pub fn probe(kind: Probe, name: &str, concept: Concept, parts: &Parts, address: &[&str]) -> Option<Reading> {
    let mut full = vec!["glider-chunking", "probe", name, concept.name()];
    full.extend(address);
    let fitted = fit(kind, &parts[0], &parts[1], &mut stream(&full))?;
    let chosen = fitted.score(&parts[1]);
    let said = fitted.predict(&parts[2]);
    let score = said.score(&parts[2].labels);
    Some(Reading {
        features: name.into(),
        concept: concept.name().into(),
        chosen: chosen.balanced_accuracy?,
        accuracy: score.balanced_accuracy?,
        matthews: score.matthews,
        bits: score.bits?,
        predicted: said.predicted().into_iter().map(|class| class as u8).collect(),
    })
}

/// Reads the three parts of the examples.
///
/// # Errors
/// Those of the model.
pub fn read_parts(
    zoo: &Zoo,
    subject: &Subject,
    examples: &Examples,
    horizon: u32,
    taps: &[&str],
    pools: &[Pool],
) -> anyhow::Result<Vec<Triple>> {
    let predictor = zoo.predictor(&subject.parameters)?;
    let read = |part: usize| read(&zoo.world, predictor.as_ref(), &examples.parts[part], horizon, taps, pools);
    let [fit, choose, report] = [read(0)?, read(1)?, read(2)?];
    Ok(fit.into_iter().zip(choose).zip(report).map(|((a, b), c)| [a, b, c]).collect())
}

/// The horizon at which a model is probed: the longest that it knows.
pub fn horizon_of(group: Group, longest: u32) -> u32 {
    if group == Group::NextStep { 1 } else { longest }
}

/// Logistic probes of every concept at every tap and at the output of a model, and of the best tap's tokens side by
/// side. `longest` is the horizon within which doom is asked for, whatever the model was asked.
///
/// # Errors
/// Those of the model.
pub fn of_model(zoo: &Zoo, subject: &Subject, examples: &Examples, longest: u32) -> anyhow::Result<Vec<Reading>> {
    let names = taps(subject.parameters.spec.model.depth());
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let horizon = horizon_of(subject.group, longest);
    let all = read_parts(zoo, subject, examples, horizon, &names, &[Pool::Mean, Pool::Side])?;
    // Even entries are pooled by mean, odd ones side by side; the last two are of the output.
    let jobs: Vec<(usize, Concept)> = (0..all.len())
        .filter(|slot| slot % 2 == 0 || *slot + 1 == all.len())
        .flat_map(|slot| Concept::ALL.map(|concept| (slot, concept)))
        .collect();
    let find = |&(slot, concept): &(usize, Concept)| {
        let triple = &all[slot];
        probe(Probe::Logistic, &triple[0].name, concept, &parts(examples, triple, concept, longest), &[&subject.name])
            .map(|reading| (slot, reading))
    };
    let means: Vec<(usize, Reading)> = jobs.par_iter().filter_map(find).collect();
    let best: Vec<(usize, Concept)> = Concept::ALL
        .iter()
        .filter_map(|&concept| {
            let of = means.iter().filter(|(slot, reading)| reading.concept == concept.name() && slot + 2 < all.len());
            of.fold(None, |best: Option<&(usize, Reading)>, next| match best {
                Some(best) if best.1.chosen >= next.1.chosen => Some(best),
                _ => Some(next),
            })
            .map(|(slot, _)| (slot + 1, concept))
        })
        .collect();
    let sides: Vec<(usize, Reading)> = best.par_iter().filter_map(find).collect();
    Ok(means.into_iter().chain(sides).map(|(_, reading)| reading).collect())
}

/// What a probe of raw input is given.
pub struct Raw {
    /// Features of the three parts.
    pub features: Triple,
    /// Whether the frame is one that no model is told.
    pub privileged: bool,
}

/// Everything that a board offers without a model: position, windows of growing reach in the frame of tokens, and,
/// as a reference, windows centred on the object.
pub fn raw(world: &LifeWorld, examples: &Examples) -> Vec<Raw> {
    let each = |make: &dyn Fn(&Collection) -> Features| [0, 1, 2].map(|part| make(&examples.parts[part]));
    let mut all = vec![Raw { features: each(&|part| positions(world, part)), privileged: false }];
    let side = world.config().patch * super::objects::frame_side(world.config().patch);
    let shorter = world.config().width.min(world.config().height);
    for reach in [0, 2, 4, (shorter - side) / 2] {
        if side + 2 * reach <= shorter && all.len() < 5 {
            all.push(Raw { features: each(&|part| windows(world, part, reach)), privileged: false });
        }
    }
    for reach in [0, 1] {
        all.push(Raw { features: each(&|part| centred(part, reach)), privileged: true });
    }
    all
}

/// Probes of raw input: logistic, and perceptrons of a width.
pub fn of_raw(world: &LifeWorld, examples: &Examples, longest: u32, width: usize) -> RawReadings {
    let raw = raw(world, examples);
    let jobs: Vec<(usize, Concept, Probe)> = (0..raw.len())
        .flat_map(|slot| Concept::ALL.map(|concept| (slot, concept)))
        .flat_map(|(slot, concept)| [Probe::Logistic, Probe::Mlp(width)].map(|kind| (slot, concept, kind)))
        .collect();
    let found: Vec<Option<Reading>> = jobs
        .par_iter()
        .map(|&(slot, concept, kind)| {
            let triple = &raw[slot].features;
            let parts = parts(examples, triple, concept, longest);
            probe(
                kind,
                &triple[0].name,
                concept,
                &parts,
                &["raw", if kind == Probe::Logistic { "linear" } else { "mlp" }],
            )
        })
        .collect();
    let mut readings = RawReadings::default();
    for (&(slot, _, kind), reading) in jobs.iter().zip(found) {
        let list = match (raw[slot].privileged, kind) {
            (true, _) => &mut readings.privileged,
            (false, Probe::Logistic) => &mut readings.linear,
            (false, _) => &mut readings.perceptron,
        };
        // A perceptron on the object's own cells is no reference for anything linear.
        if !(raw[slot].privileged && kind != Probe::Logistic) {
            list.extend(reading);
        }
    }
    readings
}

/// Readings of raw input.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RawReadings {
    /// Linear probes in the frame of tokens, and of the position.
    pub linear: Vec<Reading>,
    /// Perceptrons on the same.
    pub perceptron: Vec<Reading>,
    /// Linear probes in the object's own frame.
    pub privileged: Vec<Reading>,
}

/// The reading of a concept that does best where choices are made; of equals the first.
pub fn best<'a>(readings: impl IntoIterator<Item = &'a Reading>, concept: Concept) -> Option<&'a Reading> {
    readings.into_iter().filter(|reading| reading.concept == concept.name()).fold(None, |best, next| match best {
        Some(best) if best.chosen >= next.chosen => Some(best),
        _ => Some(next),
    })
}

/// Whether a reading is of the inside of a model.
pub fn inside(reading: &Reading) -> bool {
    reading.features.starts_with("embed") || reading.features.starts_with("blocks")
}

/// Whether a reading is of a model's output.
pub fn is_output(reading: &Reading) -> bool {
    reading.features.starts_with("output")
}

/// Labels and clusters of the reported examples of a concept.
pub fn truth(collection: &Collection, concept: Concept, horizon: u32) -> Vec<(usize, usize)> {
    let of = |example: &Example| concept.label(example, horizon).map(|label| (label, example.cluster));
    collection.examples.iter().filter_map(of).collect()
}

/// Confusion counts by seed and board. The predictions of each seed belong to `truth` one by one.
pub fn arm(truth: &[(usize, usize)], classes: usize, boards: usize, predicted: &[&[u8]]) -> Arm {
    let seed = |predicted: &&[u8]| {
        let mut tallies = vec![vec![0.0; classes * classes]; boards];
        for (&(label, board), &said) in truth.iter().zip(*predicted) {
            tallies[board][label * classes + usize::from(said)] += 1.0;
        }
        tallies
    };
    Arm::new(&predicted.iter().map(seed).collect::<Vec<_>>())
}

/// Balanced accuracy of summed confusion counts.
pub fn balanced(counts: &[f64]) -> Option<f64> {
    Confusion::of(counts).balanced_accuracy()
}

/// Data sets of the control task: what an example looks like to the model gets a random class for good. Reported are
/// only examples whose look was met in fitting, since of others nothing can be known.
pub fn control_parts(
    world: &LifeWorld,
    examples: &Examples,
    features: &Triple,
    concept: Concept,
    horizon: u32,
) -> Parts {
    let looks = |part: usize| -> Vec<u64> {
        let part = &examples.parts[part];
        let applies = part.examples.iter().filter(|example| concept.label(example, horizon).is_some());
        applies.map(|example| appearance(world, &part.boards[example.board], example.corner)).collect()
    };
    let met: std::collections::BTreeSet<u64> = looks(0).into_iter().collect();
    let truth = parts(examples, features, concept, horizon);
    [0, 1, 2].map(|part| {
        let looks = looks(part);
        let labels = control_labels(&looks, &truth[0].labels, concept.classes(), &["control task", concept.name()]);
        let data = truth[part].relabelled(labels, concept.classes());
        if part == 0 { data } else { data.filter(|row| met.contains(&looks[row])) }
    })
}
