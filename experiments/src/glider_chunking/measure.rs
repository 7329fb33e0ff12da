//! All measurements, stage by stage: what an interrupted run has finished is not done again.

use environments::Split;
use environments::life::{Board, LifeWorld, Source};
use models::checkpoint_steps;
use serde::{Deserialize, Serialize};

use super::curves::{self, Point, Stand};
use super::leaks::Leaks;
use super::necessity::{self, Loss, Observed};
use super::objects::{Boards, Examples};
use super::pairs::{self, Pair};
use super::probing::{self, RawReadings, Reading, best, inside, is_output};
use super::reading::Concept;
use super::rigour::{self, Code, HeldOut, Places, Selectivity};
use super::settings::Settings;
use super::skill::{self, Futures, Rates, Tallies};
use super::steering::{self, Steering};
use super::transplant::{self, Outcome, Patch};
use super::window::Window;
use super::zoo::{Group, Subject, Zoo};
use super::{fate, reading};
use crate::context::RunContext;

/// Something measured of one model.
#[derive(Clone, Debug)]
pub struct Of<T> {
    /// What the model was trained for.
    pub group: Group,
    /// Its name.
    pub name: String,
    /// What was measured.
    pub value: T,
}

/// A predictor that the models are compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rival {
    /// Its name.
    pub name: String,
    /// Tallies on the boards on which the best rival is chosen.
    pub validation: Tallies,
    /// Tallies on the reported boards.
    pub test: Tallies,
}

/// Transplants into one model at one horizon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transplants {
    /// On the pairs on which the tap is chosen.
    pub validation: Vec<Outcome>,
    /// On the reported pairs.
    pub test: Vec<Outcome>,
}

/// Decodability at each horizon.
pub type OverHorizons = Vec<(u32, Vec<Point>)>;

/// Everything.
pub struct Measurements {
    /// Boards in common.
    pub leaks: Leaks,
    /// Where each board comes from on which skill is reported.
    pub sources: Vec<Source>,
    /// Step at which the first glider of each of these boards is destroyed.
    pub dooms: Vec<Option<u32>>,
    /// Tallies of each model, by the horizons that it knows.
    pub skill: Vec<Of<Tallies>>,
    /// Tallies of rivals, by horizon.
    pub rivals: Vec<Rival>,
    /// Readings of each model.
    pub probes: Vec<Of<Vec<Reading>>>,
    /// Readings of raw input.
    pub raw: RawReadings,
    /// Examples.
    pub examples: Examples,
    /// The share of them that curves use.
    pub some: Examples,
    /// Selectivity and capacity of the models of the question.
    pub selectivity: Vec<Of<Vec<Selectivity>>>,
    /// Online codes; those of raw input under the name `raw`.
    pub codes: Vec<Of<Vec<Code>>>,
    /// Probes on kinds of glider that they were not fitted to.
    pub held_out: Vec<Of<Vec<HeldOut>>>,
    /// The same for the output of the models of the question.
    pub held_out_output: Vec<Of<Vec<HeldOut>>>,
    /// The same for raw input.
    pub held_out_raw: Vec<HeldOut>,
    /// Decodability over horizons.
    pub over_horizons: Vec<Of<OverHorizons>>,
    /// Decodability over training.
    pub over_training: Vec<Of<Vec<Stand>>>,
    /// R² of where gliders will be.
    pub displacement: Vec<Of<Option<f64>>>,
    /// The same for raw windows.
    pub displacement_raw: Option<f64>,
    /// Probes of distances and headings.
    pub ruler: Vec<Reading>,
    /// The convolutional network.
    pub cone: Option<Reading>,
    /// The pairs on which transplants are reported.
    pub pairs: Vec<Pair>,
    /// Transplants at the longest horizon, of trained and untrained models.
    pub transplants: Vec<Of<Transplants>>,
    /// Transplants of the glider at shorter horizons: (horizon, outcomes).
    pub shorter: Vec<Of<(u32, Vec<Outcome>)>>,
    /// Transplants of the tokens round the glider too.
    pub wider: Vec<Of<Vec<Outcome>>>,
    /// The tap between the ends at which transplants do best where it is chosen; none in a model of one block.
    pub middle: Option<String>,
    /// Directions and subspaces there.
    pub steering: Vec<Of<Steering>>,
    /// Transplants there over training: (step, outcome).
    pub grown: Vec<Of<Vec<(u64, Outcome)>>>,
    /// Losses under erasure there.
    pub erasure: Vec<Of<Vec<Loss>>>,
}

/// Taps between the ends: the ends of all blocks but the last.
pub fn middle_taps(depth: usize) -> Vec<String> {
    reading::ends(depth).get(1..depth).map(<[String]>::to_vec).unwrap_or_default()
}

/// Where a model is read for each concept: the tap and pooling that did best where choices are made.
fn places(readings: &[Reading], among: fn(&Reading) -> bool) -> Places {
    let place = |&concept: &Concept| {
        let reading = best(readings.iter().filter(|reading| among(reading)), concept)?;
        let (tap, pool) = rigour::place(reading);
        Some((concept, tap, pool))
    };
    Concept::ALL.iter().filter_map(place).collect()
}

/// The tap whose transplanted gliders do best, summed over models, among the pairs for choosing.
fn best_middle(transplants: &[Of<Transplants>], depth: usize) -> Option<String> {
    let score = |tap: &String| -> f64 {
        let of = transplants.iter().filter(|of| of.group == Group::Jump).flat_map(|of| &of.value.validation);
        of.filter(|outcome| outcome.tap == *tap && outcome.patch == Patch::Glider.name())
            .map(|outcome| transplant::overlap(&total(&outcome.tallies)).unwrap_or(0.0))
            .sum()
    };
    middle_taps(depth)
        .into_iter()
        .map(|tap| (score(&tap), tap))
        .fold(None, |best: Option<(f64, String)>, next| match best {
            Some(best) if best.0 >= next.0 => Some(best),
            _ => Some(next),
        })
        .map(|(_, tap)| tap)
}

/// The tallies of some.
pub fn kept(tallies: &[Vec<f64>], keep: &[bool]) -> Vec<Vec<f64>> {
    tallies.iter().zip(keep).filter(|(_, keep)| **keep).map(|(tally, _)| tally.clone()).collect()
}

/// Sum of tallies.
pub fn total(tallies: &[Vec<f64>]) -> Vec<f64> {
    let mut sum = vec![0.0; tallies.first().map_or(0, Vec::len)];
    tallies.iter().for_each(|tally| sum.iter_mut().zip(tally).for_each(|(sum, value)| *sum += value));
    sum
}

/// Measures a subject of some groups, each in a stage of its own.
fn each<T: Serialize + serde::de::DeserializeOwned>(
    subjects: &[&Subject],
    stage: &str,
    context: &mut RunContext<'_>,
    bar: &crate::progress::Bar,
    mut measure: impl FnMut(&Subject, &mut RunContext<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<Vec<Of<T>>> {
    let mut all = Vec::new();
    for subject in subjects {
        let value = context.stage(&format!("{stage}-{}", subject.name), |context| measure(subject, context))?;
        bar.add(1);
        all.push(Of { group: subject.group, name: subject.name.clone(), value });
    }
    Ok(all)
}

impl Measurements {
    /// Measures everything that is not yet measured.
    ///
    /// # Errors
    /// Those of the models; when a stop was asked for.
    pub fn take(zoo: &Zoo, settings: &Settings, seed: u64, context: &mut RunContext<'_>) -> anyhow::Result<Self> {
        let measure = &settings.measure;
        let world = &zoo.world;
        let (horizons, longest) = (settings.horizons(), settings.longest());
        let all: Vec<&Subject> = zoo.subjects.iter().collect();
        let of = |groups: &[Group]| -> Vec<&Subject> {
            zoo.subjects.iter().filter(|subject| groups.contains(&subject.group)).collect()
        };
        let (jump, untrained) = (of(&[Group::Jump]), of(&[Group::Untrained]));
        let followed: Vec<&Subject> = jump.iter().take(measure.curve_seeds).copied().collect();
        let stages = 3 * all.len() + 9 * jump.len() + 3 * followed.len();
        let bar = context.bar("measuring", stages as u64);

        let futures = Futures::new(world, Split::Test, measure.skill_boards, &horizons);
        let choosing = Futures::new(world, Split::Validation, measure.skill_boards / 2, &horizons);
        let elsewhere = Futures::new(&zoo.control, Split::Test, measure.skill_boards, &horizons);
        let skill = each(&all, "skill", context, &bar, |subject, _| {
            let predictor = zoo.predictor(&subject.parameters)?;
            let (world, futures): (&LifeWorld, &Futures) =
                if subject.group == Group::Control { (&zoo.control, &elsewhere) } else { (world, &futures) };
            let knows: &[u32] = if subject.group == Group::NextStep { &[1] } else { &horizons };
            skill::of_model(world, predictor.as_ref(), futures, knows)
        })?;
        let rates = Rates::count(&choosing);
        let rival = |name: &str, tallies: &dyn Fn(&Futures) -> Tallies| Rival {
            name: name.into(),
            validation: tallies(&choosing),
            test: tallies(&futures),
        };
        let mut rivals =
            vec![rival("persistence", &|f| rates.persistence(f)), rival("majority", &|f| rates.majority(f))];
        for &reach in &measure.window_reaches {
            rivals.push(context.stage(&format!("window-{reach}"), |context| {
                let steps = context.bar(&format!("window predictor, reach {reach}"), settings.training.steps);
                let context = &*context;
                let window = Window::train(settings, world, reach, seed, &|| {
                    steps.add(1);
                    context.check_stop()
                })?;
                let side = world.config().patch + 2 * reach;
                Ok(rival(&format!("window of {side}×{side} cells"), &|futures| window.tallies(world, futures)))
            })?);
        }

        let examples = Examples::collect(world, settings, seed);
        let some = examples.first(measure.curve_share);
        let probes =
            each(&all, "probes", context, &bar, |subject, _| probing::of_model(zoo, subject, &examples, longest))?;
        let raw =
            context.stage("probes-raw", |_| Ok(probing::of_raw(world, &examples, longest, measure.probe_width)))?;
        let chosen = |subject: &Subject, among: fn(&Reading) -> bool| {
            probes.iter().find(|of| of.name == subject.name).map(|of| places(&of.value, among)).unwrap_or_default()
        };
        let places_of = |subject: &Subject| chosen(subject, inside);
        let concepts = |places: &Places| -> Vec<Concept> { places.iter().map(|(concept, ..)| *concept).collect() };
        let selectivity = each(&jump, "selectivity", context, &bar, |subject, _| {
            let places = places_of(subject);
            let triples = rigour::read_places(zoo, subject, &examples, longest, &places)?;
            Ok(rigour::selectivity(zoo, &subject.name, &examples, &places, &triples, longest, measure.probe_width))
        })?;
        let mut coded: Vec<&Subject> = jump.clone();
        coded.extend(untrained.iter().take(measure.curve_seeds));
        let mut codes = each(&coded, "codes", context, &bar, |subject, _| {
            let places = places_of(subject);
            let triples = rigour::read_places(zoo, subject, &examples, longest, &places)?;
            Ok(rigour::codes(&examples, &concepts(&places), &triples, longest, &subject.name))
        })?;
        let raw_place = |concept: Concept, of: &Examples| {
            let name = &best(&raw.linear, concept)?.features;
            rigour::raw_named(zoo, of, name).map(|triple| (concept, triple))
        };
        let value = context.stage("codes-raw", |_| {
            let (concepts, triples): (Vec<_>, Vec<_>) =
                Concept::ALL.iter().filter_map(|&concept| raw_place(concept, &examples)).unzip();
            Ok(rigour::codes(&examples, &concepts, &triples, longest, "raw"))
        })?;
        codes.push(Of { group: Group::Untrained, name: "raw".into(), value });
        let held_out = each(&all, "held-out", context, &bar, |subject, _| {
            let places = places_of(subject);
            let horizon = probing::horizon_of(subject.group, longest);
            let triples = rigour::read_places(zoo, subject, &some, horizon, &places)?;
            Ok(rigour::held_out(zoo, &some, &concepts(&places), &triples, longest))
        })?;
        let held_out_output = each(&jump, "held-out-output", context, &bar, |subject, _| {
            let places = chosen(subject, is_output);
            let triples = rigour::read_places(zoo, subject, &some, longest, &places)?;
            Ok(rigour::held_out(zoo, &some, &concepts(&places), &triples, longest))
        })?;
        let held_out_raw = context.stage("held-out-raw", |_| {
            let (concepts, triples): (Vec<_>, Vec<_>) =
                Concept::ALL.iter().filter_map(|&concept| raw_place(concept, &some)).unzip();
            Ok(rigour::held_out(zoo, &some, &concepts, &triples, longest))
        })?;
        let over_horizons = each(&jump, "horizons", context, &bar, |subject, context| {
            curves::over_horizons(zoo, subject, &some, &places_of(subject), &horizons, context)
        })?;
        let stand = Futures::new(world, Split::Test, measure.skill_boards.div_ceil(4), &[longest]);
        let steps = checkpoint_steps(&settings.training.config(settings.training.steps));
        let over_training = each(&followed, "training", context, &bar, |subject, context| {
            curves::over_training(zoo, subject, &some, &places_of(subject), &stand, &steps, context)
        })?;
        let whole: Vec<u32> = horizons.iter().copied().filter(|horizon| horizon % 4 == 0).collect();
        let mut moved: Vec<&Subject> = jump.clone();
        moved.extend(untrained.iter().take(measure.curve_seeds));
        let displacement = each(&moved, "displacement", context, &bar, |subject, _| {
            let place: Places = places_of(subject).into_iter().filter(|place| place.0 == Concept::Heading).collect();
            if place.is_empty() || whole.is_empty() {
                return Ok(None);
            }
            curves::displacement_of_model(zoo, subject, &some, &place, &whole)
        })?;
        let displacement_raw = context.stage("displacement-raw", |_| match whole.is_empty() {
            true => Ok(None),
            false => curves::displacement_of_raw(zoo, &some, 2, &whole),
        })?;
        let ruler = context.stage("ruler", |_| Ok(fate::of_ruler(&examples, longest, measure.probe_width)))?;
        let cone = context.stage("cone", |context| {
            let batches = measure.gliders[0].div_ceil(32) * measure.cone_epochs;
            let steps = context.bar("convolutional network", batches as u64);
            let context = &*context;
            fate::of_cone(settings, &examples, longest, seed, &|| {
                steps.add(1);
                context.check_stop()
            })
        })?;

        let [choose, report] = measure.transplants;
        let choice = pairs::pairs(world, Split::Validation, choose, seed);
        let pairs = pairs::pairs(world, Split::Test, report, seed);
        let depth = settings.model.depth;
        let taps = reading::ends(depth);
        let patched: Vec<&Subject> = jump.iter().chain(untrained.iter().take(1)).copied().collect();
        let transplants = each(&patched, "transplant", context, &bar, |subject, context| {
            let sweep =
                |pairs: &[Pair]| transplant::sweep(zoo, subject, pairs, longest, &taps, &Patch::ALL, 0, context);
            Ok(Transplants { validation: sweep(&choice)?, test: sweep(&pairs)? })
        })?;
        let mut shorter = Vec::new();
        for &horizon in horizons.iter().filter(|horizon| **horizon >= 4 && **horizon < longest) {
            let more = each(&jump, &format!("transplant-{horizon}"), context, &bar, |subject, context| {
                transplant::sweep(zoo, subject, &pairs, horizon, &taps, &[Patch::Glider], 0, context)
            })?;
            shorter.extend(more.into_iter().map(|of| Of {
                group: of.group,
                name: of.name,
                value: (horizon, of.value),
            }));
        }
        let wider = each(&jump, "transplant-wider", context, &bar, |subject, context| {
            transplant::sweep(zoo, subject, &pairs, longest, &taps, &[Patch::Glider], 1, context)
        })?;
        let middle = best_middle(&transplants, depth);
        let (mut steering, mut grown, mut erasure) = (Vec::new(), Vec::new(), Vec::new());
        if let Some(tap) = &middle {
            let contexts: Vec<Pair> = choice.iter().take(measure.direction_contexts).cloned().collect();
            steering = each(&jump, "steering", context, &bar, |subject, context| {
                steering::steer(zoo, subject, (&contexts, &pairs), longest, tap, &measure.subspaces, context)
            })?;
            grown = each(&followed, "transplant-training", context, &bar, |subject, context| {
                over_checkpoints(zoo, subject, &pairs[..pairs.len().div_ceil(2)], longest, tap, &steps, context)
            })?;
            let fitted = observed(world, Split::Validation, measure.erasure_boards);
            let reported = observed(world, Split::Test, measure.erasure_boards);
            erasure = each(&jump, "erasure", context, &bar, |subject, context| {
                necessity::measure(zoo, subject, (&fitted, &reported), longest, tap, context)
            })?;
        }
        let leaks = context.stage("leaks", |_| {
            let part = |part: usize| examples.parts[part].boards.iter();
            let mut fitted: Vec<&Board> = part(0).chain(part(1)).chain(&choosing.starts).collect();
            fitted.extend(choice.iter().map(|pair| &pair.edited));
            let mut reported: Vec<&Board> = part(2).chain(&futures.starts).collect();
            reported.extend(pairs.iter().map(|pair| &pair.edited));
            Ok(Leaks::count(world, settings, &fitted, &reported, 20_000))
        })?;
        Ok(Self {
            leaks,
            sources: futures.sources,
            dooms: futures.dooms,
            skill,
            rivals,
            probes,
            raw,
            examples,
            some,
            selectivity,
            codes,
            held_out,
            held_out_output,
            held_out_raw,
            over_horizons,
            over_training,
            displacement,
            displacement_raw,
            ruler,
            cone,
            pairs,
            transplants,
            shorter,
            wider,
            middle,
            steering,
            grown,
            erasure,
        })
    }
}

/// Boards of a split with their objects.
fn observed(world: &LifeWorld, split: Split, wanted: usize) -> Vec<Observed> {
    let mut boards = Boards::new(world, split);
    let mut all = Vec::new();
    for _ in 0..wanted.div_ceil(64) * 20 {
        if all.len() < wanted {
            let more = boards.next(|start| world.objects(&start.board));
            all.extend(more.into_iter().map(|(_, start, objects)| (start.board, objects)));
        }
    }
    all.truncate(wanted);
    all
}

fn over_checkpoints(
    zoo: &Zoo,
    subject: &Subject,
    pairs: &[Pair],
    horizon: u32,
    tap: &str,
    steps: &[u64],
    context: &RunContext<'_>,
) -> anyhow::Result<Vec<(u64, Outcome)>> {
    let mut grown = Vec::new();
    for &step in steps {
        let file = format!("checkpoints/{}/step-{step:08}.safetensors", subject.name);
        let parameters = models::load_parameters(&context.directory().file(&file))?;
        let then = Subject { parameters, ..subject.clone() };
        let outcomes = transplant::sweep(zoo, &then, pairs, horizon, &[tap.to_string()], &[Patch::Glider], 0, context)?;
        grown.extend(outcomes.into_iter().filter(|outcome| outcome.tap == tap).map(|outcome| (step, outcome)));
    }
    Ok(grown)
}
