//! How much of a reading is the probe's own doing, and what it costs to learn: selectivity, capacity, description
//! length, and whether one probe works where it was not fitted.

use environments::stream;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::objects::{Example, Examples, Thing};
use super::probing::{Parts, Raw, Reading, Triple, control_parts, parts, probe, raw, read_parts};
use super::reading::{Concept, Pool, aligned};
use super::zoo::{Subject, Zoo};
use crate::evidence::{Components, Confusion, OnlineCode, Probe, fit, online_code};

/// The tap and pooling of a reading.
pub fn place(reading: &Reading) -> (String, Pool) {
    let (tap, pool) = reading.features.rsplit_once(", ").unwrap_or((&reading.features, ""));
    (tap.into(), if pool == Pool::Side.name() { Pool::Side } else { Pool::Mean })
}

/// Where a model is read for each concept: chosen before, on other boards than those reported.
pub type Places = Vec<(Concept, String, Pool)>;

/// Reads a model at the places of its concepts: one triple each, in that order.
///
/// # Errors
/// Those of the model.
pub fn read_places(
    zoo: &Zoo,
    subject: &Subject,
    examples: &Examples,
    horizon: u32,
    places: &Places,
) -> anyhow::Result<Vec<Triple>> {
    // The output is always read.
    let mut taps: Vec<&str> = places.iter().map(|(_, tap, _)| tap.as_str()).filter(|tap| *tap != "output").collect();
    taps.sort_unstable();
    taps.dedup();
    let all = read_parts(zoo, subject, examples, horizon, &taps, &[Pool::Mean, Pool::Side])?;
    let of = |(_, tap, pool): &(Concept, String, Pool)| {
        let name = format!("{tap}, {}", pool.name());
        all.iter().find(|triple| triple[0].name == name).cloned()
    };
    places.iter().map(|place| of(place).ok_or_else(|| anyhow::anyhow!("no reading at {}", place.1))).collect()
}

/// Principal components that linear probes of less than full capacity are given.
pub const COMPONENTS: [usize; 5] = [4, 8, 16, 32, 64];

/// Scores of one probe on the truth and on the control task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Selectivity {
    /// The concept's name.
    pub concept: String,
    /// Principal components that the probe is given; all features where absent.
    pub components: Option<usize>,
    /// Hidden width of the probe; 0 is a linear one.
    pub hidden: usize,
    /// Balanced accuracy on the truth where choices are made.
    pub chosen: f64,
    /// Balanced accuracy on the truth.
    pub truth: f64,
    /// Balanced accuracy on the control task.
    pub control: f64,
}

/// Selectivity over capacity: linear on few to all principal components, then perceptrons of a quarter of `width` and
/// of `width`.
///
/// Gliders have but 64 looks in a frame of tokens, and in a hundred dimensions a linear probe can learn any labelling
/// of 64 points by heart: at full capacity it is not selective whatever the representation. Few components cannot.
pub fn selectivity(
    zoo: &Zoo,
    subject: &str,
    examples: &Examples,
    places: &Places,
    triples: &[Triple],
    longest: u32,
    width: usize,
) -> Vec<Selectivity> {
    let few = COMPONENTS.iter().map(|&count| (Some(count), 0));
    let capacities: Vec<(Option<usize>, usize)> =
        few.chain([(None, 0), (None, (width / 4).max(1)), (None, width)]).collect();
    let one = |slot: usize| {
        let (concept, triple) = (places[slot].0, &triples[slot]);
        let truth = parts(examples, triple, concept, longest);
        let control = control_parts(&zoo.world, examples, triple, concept, longest);
        let most = COMPONENTS[COMPONENTS.len() - 1];
        let components = Components::fit(&truth[0].features, truth[0].width, most);
        let score = |(count, hidden): (Option<usize>, usize), parts: &Parts, task: &str| {
            let reduced = count.map(|count| [0, 1, 2].map(|part| components.apply(&parts[part], count)));
            let kind = if hidden == 0 { Probe::Logistic } else { Probe::Mlp(hidden) };
            let capacity = format!("{count:?} {hidden}");
            let address = [subject, task, &capacity];
            probe(kind, &triple[0].name, concept, reduced.as_ref().unwrap_or(parts), &address)
        };
        let at = |&(components, hidden): &(Option<usize>, usize)| {
            let (right, random) =
                (score((components, hidden), &truth, "truth")?, score((components, hidden), &control, "control")?);
            Some(Selectivity {
                concept: concept.name().into(),
                components,
                hidden,
                chosen: right.chosen,
                truth: right.accuracy,
                control: random.accuracy,
            })
        };
        capacities
            .par_iter()
            .filter(|(count, _)| count.is_none_or(|count| count < truth[0].width))
            .filter_map(at)
            .collect()
    };
    (0..places.len()).into_par_iter().map(one).collect::<Vec<Vec<_>>>().concat()
}

/// The online code of a concept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Code {
    /// The concept's name.
    pub concept: String,
    /// What the labels are told from.
    pub features: String,
    /// The code.
    pub code: OnlineCode,
}

/// Online codes of concepts from the features at their places.
pub fn codes(examples: &Examples, concepts: &[Concept], triples: &[Triple], longest: u32, name: &str) -> Vec<Code> {
    let jobs: Vec<(Concept, &Triple)> = concepts.iter().copied().zip(triples).collect();
    let one = |(concept, triple): &(Concept, &Triple)| {
        let [fitted, chosen, _] = parts(examples, triple, *concept, longest);
        // Both parts of the validation split, boards of the second numbered after those of the first.
        let mut data = fitted.clone();
        let shift = fitted.groups.iter().max().map_or(0, |last| last + 1);
        for row in 0..chosen.rows() {
            data.push(chosen.row(row), chosen.labels[row], shift + chosen.groups[row]);
        }
        let mut chance = stream(&["glider-chunking", "code", name, concept.name()]);
        let code = online_code(Probe::Logistic, &data, 32, &mut chance)?;
        Some(Code { concept: concept.name().into(), features: triple[0].name.clone(), code })
    };
    jobs.par_iter().filter_map(one).collect()
}

/// The raw features that a concept is best told from linearly, by name.
pub fn raw_named(zoo: &Zoo, examples: &Examples, name: &str) -> Option<Triple> {
    raw(&zoo.world, examples).into_iter().map(|Raw { features, .. }| features).find(|triple| triple[0].name == name)
}

/// What a probe said of gliders of a kind that it was not fitted to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldOut {
    /// The concept's name.
    pub concept: String,
    /// What was held out: `heading`, `phase` or `alignment`, each value in turn.
    pub factor: String,
    /// Balanced accuracy on such gliders of the boards on which choices are made.
    pub chosen: Option<f64>,
    /// (cluster, class, class said) of each reported example.
    pub said: Vec<(usize, usize, usize)>,
}

/// A property of gliders of which each value is held out in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Factor {
    Heading,
    Phase,
    Alignment,
}

impl Factor {
    fn name(self) -> &'static str {
        ["heading", "phase", "alignment"][self as usize]
    }

    /// Its value for an example; other things than gliders have only an alignment.
    fn value(self, zoo: &Zoo, example: &Example) -> Option<usize> {
        match (self, example.thing) {
            (Factor::Alignment, _) => Some(aligned(&zoo.world, example)),
            (Factor::Heading, Thing::Glider { heading, .. }) => Some(heading),
            (Factor::Phase, Thing::Glider { phase, .. }) => Some(phase),
            _ => None,
        }
    }
}

/// For each concept and each factor other than the concept itself: a linear probe fitted without one value of the
/// factor is asked about that value alone, for every value in turn. Examples without the factor (look-alikes, where
/// headings are held out) stand in both.
pub fn held_out(
    zoo: &Zoo,
    examples: &Examples,
    concepts: &[Concept],
    triples: &[Triple],
    longest: u32,
) -> Vec<HeldOut> {
    let alignments = zoo.world.config().patch.pow(2) as usize;
    let mut jobs = Vec::new();
    for (&concept, triple) in concepts.iter().zip(triples) {
        for (factor, values) in [(Factor::Heading, 4), (Factor::Phase, 4), (Factor::Alignment, alignments)] {
            let same =
                matches!((concept, factor), (Concept::Heading, Factor::Heading) | (Concept::Phase, Factor::Phase));
            if !same && values > 1 {
                jobs.push((concept, triple, factor, values));
            }
        }
    }
    let one = |&(concept, triple, factor, values): &(Concept, &Triple, Factor, usize)| {
        let mut said = Vec::new();
        let mut choosing = Confusion::new(concept.classes());
        for value in 0..values {
            let part = |part: usize, unseen: bool| {
                let keep = |example: &Example| match factor.value(zoo, example) {
                    None => true,
                    Some(own) => (own == value) == unseen,
                };
                let label = |example: &Example| concept.label(example, longest).filter(|_| keep(example));
                triple[part].dataset(&examples.parts[part], concept.classes(), label)
            };
            let (fitted, chosen, reported) = (part(0, false), part(1, false), part(2, true));
            let address = ["glider-chunking", "held out", concept.name(), factor.name()];
            let Some(probe) = fit(Probe::Logistic, &fitted, &chosen, &mut stream(&address)) else { continue };
            let predicted = probe.predict(&reported).predicted();
            let rows = reported.groups.iter().zip(&reported.labels).zip(predicted);
            said.extend(rows.map(|((&cluster, &label), said)| (cluster, label, said)));
            let others = part(1, true);
            let predicted = probe.predict(&others).predicted();
            others.labels.iter().zip(predicted).for_each(|(&label, said)| choosing.add(label, said));
        }
        let chosen = choosing.balanced_accuracy();
        HeldOut { concept: concept.name().into(), factor: factor.name().into(), chosen, said }
    };
    jobs.par_iter().map(one).collect()
}

/// Share of look-alikes and of other small things among the reported examples that a presence probe takes for gliders.
pub fn false_alarms(examples: &Examples, presence: &Reading) -> (Option<f64>, Option<f64>) {
    let rate = |thing: Thing| {
        let said = examples.parts[2].examples.iter().zip(&presence.predicted);
        let of: Vec<f64> = said.filter(|(e, _)| e.thing == thing).map(|(_, said)| f64::from(*said)).collect();
        (!of.is_empty()).then(|| crate::evidence::statistics::mean(&of))
    };
    (rate(Thing::LookAlike), rate(Thing::Small))
}
