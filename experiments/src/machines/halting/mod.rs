//! `halting`: does a model that reads a machine's table tell whether it halts, also where the run is long; and how many
//! steps of simulation is its answer worth? `halting-prefix`: the same of a model that reads the beginning of a run.

mod outcome;
mod readers;

use environments::turing::deciders::Decision;
use environments::turing::{HELD_BACK, HaltingConfig, HaltingWorld};
use environments::{Environment, Sample, Split};
use models::{ModelConfig, Parameters, Plan, predictor};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::settings::{Common, within};
use super::train;
use crate::config::Config;
use crate::context::RunContext;
use crate::evidence::metrics::r_squared;
use crate::evidence::numeric::{bits, logarithm};
use crate::evidence::statistics::mean;
use crate::evidence::{Confusion, Ridge, Targets};
use crate::experiment::{Experiment, Outcome};

/// The experiment `halting`: the table is read.
pub struct Halting;

/// The experiment `halting-prefix`: the beginning of a run is read, and no table.
pub struct HaltingPrefix;

const CLAIMS: [&str; 3] = ["decides", "tail", "steps"];

/// Section `[measure]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Measure {
    /// Questions on which probes are fitted, on which choices are made, and for reporting.
    questions: [usize; 3],
    /// Machines that halt after more steps than this are the tail.
    late: u64,
    /// Width of the two hidden layers of the perceptron that reads the text.
    perceptron: usize,
    /// Resamples of every interval.
    resamples: usize,
}

impl Default for Measure {
    fn default() -> Self {
        Self { questions: [12_000, 2000, 4000], late: 8, perceptron: 256, resamples: 2000 }
    }
}

impl Experiment for Halting {
    fn name(&self) -> &'static str {
        "halting"
    }

    fn about(&self) -> &'static str {
        "does a machine halt, by its table alone: a model beside readers of the text and so many steps of simulation"
    }

    fn complete(&self, config: &mut Config) -> anyhow::Result<()> {
        complete(config).map(|_| ())
    }

    fn environment(&self, config: &Config) -> anyhow::Result<Box<dyn Environment>> {
        Ok(Box::new(HaltingWorld::new(config.section("world")?)?))
    }

    fn run(&self, config: &Config, context: &mut RunContext<'_>) -> anyhow::Result<Outcome> {
        run(self.name(), config, context)
    }
}

impl Experiment for HaltingPrefix {
    fn name(&self) -> &'static str {
        "halting-prefix"
    }

    fn about(&self) -> &'static str {
        "does a machine halt, by the first steps of its run alone: a model beside a list of all beginnings with their ends"
    }

    fn complete(&self, config: &mut Config) -> anyhow::Result<()> {
        let common = complete(config)?;
        match common.world.text {
            true => {
                Err(config.refuse("world.text", "must be false: here nothing but the beginning of the run is read"))
            }
            false => Ok(()),
        }
    }

    fn environment(&self, config: &Config) -> anyhow::Result<Box<dyn Environment>> {
        Halting.environment(config)
    }

    fn run(&self, config: &Config, context: &mut RunContext<'_>) -> anyhow::Result<Outcome> {
        run(self.name(), config, context)
    }
}

fn complete(config: &mut Config) -> anyhow::Result<Common<HaltingConfig>> {
    let (common, _) = Common::<HaltingConfig>::complete_with(config, &CLAIMS, HaltingWorld::new)?;
    let measure: Measure = config.complete("measure")?;
    let [fitting, choosing, reporting] = measure.questions;
    within(
        config,
        &[
            ("questions", fitting, 32, 1_000_000),
            ("questions", choosing, 32, 1_000_000),
            ("questions", reporting, 32, 1_000_000),
            ("perceptron", measure.perceptron, 1, 4096),
            ("resamples", measure.resamples, 100, 1_000_000),
        ],
    )?;
    if measure.late < common.world.after {
        return Err(config.refuse("measure.late", "must be at least `world.after`: all machines run for so long"));
    }
    if !matches!(common.model, ModelConfig::Transformer(_)) {
        return Err(config.refuse("model.kind", "this experiment reads the residual stream of a transformer"));
    }
    Ok(common)
}

fn run(experiment: &str, config: &Config, context: &mut RunContext<'_>) -> anyhow::Result<Outcome> {
    let common: Common<HaltingConfig> = Common::read(config)?;
    let measure: Measure = config.section("measure")?;
    let world = HaltingWorld::new(common.world.clone())?;
    let models = train::all(&world, &common, (experiment, config.seed), context)?;
    let bar = context.bar("measuring", models.len() as u64 + 2);
    let [fitting, choosing, reporting] = measure.questions;
    let sets = [
        Questions::draw(&world, Split::Train, HELD_BACK, fitting),
        Questions::draw(&world, Split::Validation, 0, choosing),
        Questions::draw(&world, Split::Test, 0, reporting),
    ];
    bar.add(1);
    let depth = common.model.depth();
    let mut answers = Vec::new();
    for (name, model) in &models {
        answers.push(context.stage(&format!("answers-{name}"), |context| {
            let mut curve = Vec::new();
            for (step, parameters) in train::checkpoints(name, context)? {
                let answers = Answers::of(&parameters, &sets[1], context)?;
                curve.push((step, balanced(&answers.halts, &sets[1].halts)));
            }
            read(model, &sets, depth, curve, context)
        })?);
        bar.add(1);
    }
    let start = train::initial(&world, &common, experiment, config.seed, 1);
    let untrained = context.stage("answers-untrained", |context| read(&start, &sets, depth, Vec::new(), context))?;
    let readers = context.stage("readers", |context| {
        let who = (&start, measure.perceptron, (experiment, config.seed));
        readers::readers(&world, &common.training.config(), &sets, who, context)
    })?;
    bar.add(1);
    let found = Found { answers, untrained, readers, sets };
    Ok(outcome::outcome(&found, (experiment, config.seed), &common, &measure))
}

/// Questions with their answers.
struct Questions {
    samples: Vec<Sample>,
    halts: Vec<bool>,
    /// Steps to halt of those that do.
    steps: Vec<Option<u64>>,
}

impl Questions {
    fn draw(world: &HaltingWorld, split: Split, first: u64, count: usize) -> Self {
        let all: Vec<_> = (first..first + count as u64)
            .into_par_iter()
            .map(|index| {
                let observed = world.observe(split, index);
                let steps = match observed.decision {
                    Decision::Halts(steps) => Some(steps),
                    _ => None,
                };
                (world.sample_of(&observed), steps)
            })
            .collect();
        let halts = all.iter().map(|(_, steps)| steps.is_some()).collect();
        let steps = all.iter().map(|&(_, steps)| steps).collect();
        Self { samples: all.into_iter().map(|(sample, _)| sample).collect(), halts, steps }
    }

    /// Binary logarithms of the steps of those that halt, with their places.
    fn logarithms(&self) -> (Vec<usize>, Vec<f64>) {
        let halting = self.steps.iter().enumerate().filter_map(|(place, steps)| Some((place, (*steps)?)));
        halting.map(|(place, steps)| (place, bits(logarithm(steps as f64)))).unzip()
    }
}

/// What a model says, and what it holds at the last position.
struct Answers {
    halts: Vec<bool>,
    /// By tap: questions × width.
    taps: Vec<Vec<f32>>,
    /// Log odds of halting.
    odds: Vec<f32>,
}

impl Answers {
    fn of(parameters: &Parameters, questions: &Questions, context: &RunContext<'_>) -> anyhow::Result<Self> {
        const CHUNK: usize = 256;
        context.check_stop()?;
        let model = predictor(parameters, context.device())?;
        let taps = taps(parameters.spec.model.depth());
        let mut all = Self { halts: Vec::new(), taps: vec![Vec::new(); taps.len()], odds: Vec::new() };
        let plan = Plan { capture: taps, interventions: Vec::new() };
        for chunk in questions.samples.chunks(CHUNK) {
            let tokens: Vec<_> = chunk.iter().flat_map(|sample| sample.tokens.iter().copied()).collect();
            let length = tokens.len() / chunk.len();
            let run = model.run(&tokens, &plan)?;
            for sequence in 0..chunk.len() {
                let last = (sequence * length + length - 1) * 2;
                let odds = run.logits[last + 1] - run.logits[last];
                all.odds.push(odds);
                all.halts.push(odds > 0.0);
                for (slot, captured) in all.taps.iter_mut().zip(&run.captured) {
                    slot.extend_from_slice(captured.row(sequence, length - 1));
                }
            }
        }
        Ok(all)
    }
}

fn taps(depth: usize) -> Vec<String> {
    (0..depth).map(|block| format!("blocks.{block}.resid_post")).collect()
}

/// Mean recall of the machines that halt and of those that do not; a kind that is missing counts as never recalled.
fn balanced(said: &[bool], truth: &[bool]) -> f64 {
    let mut confusion = Confusion::new(2);
    said.iter().zip(truth).for_each(|(&said, &truth)| confusion.add(usize::from(truth), usize::from(said)));
    confusion.balanced_accuracy().unwrap_or_else(|| confusion.accuracy().unwrap_or(0.0) / 2.0)
}

/// Who answers, how well on the questions for choosing, and what is said of those for reporting.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Said {
    choose: f64,
    halts: Vec<bool>,
}

/// How well steps to halt can be read.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Steps {
    source: String,
    /// Variance explained on the questions for choosing.
    choose: f64,
    /// At every question for reporting that halts: squared error and squared distance from the mean.
    squares: Vec<(f64, f64)>,
}

/// Of one model.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Model {
    /// Its own answers.
    said: Said,
    /// Probes for the steps, by tap, and last of its own log odds.
    steps: Vec<Steps>,
    /// Balanced accuracy at checkpoints on the questions for choosing.
    curve: Vec<(u64, f64)>,
}

fn read(
    model: &Parameters,
    sets: &[Questions; 3],
    depth: usize,
    curve: Vec<(u64, f64)>,
    context: &RunContext<'_>,
) -> anyhow::Result<Model> {
    let mut all = Vec::new();
    for set in sets {
        all.push(Answers::of(model, set, context)?);
    }
    let width = model.spec.model.width();
    let mut steps: Vec<Steps> = taps(depth)
        .into_iter()
        .enumerate()
        .map(|(tap, name)| {
            let features: Vec<&[f32]> = all.iter().map(|answers| &answers.taps[tap][..]).collect();
            read_steps(&name, [features[0], features[1], features[2]], width, sets)
        })
        .collect();
    let odds: Vec<&[f32]> = all.iter().map(|answers| &answers.odds[..]).collect();
    steps.push(read_steps("own answer", [odds[0], odds[1], odds[2]], 1, sets));
    let said = Said { choose: balanced(&all[1].halts, &sets[1].halts), halts: all[2].halts.clone() };
    Ok(Model { said, steps, curve })
}

fn read_steps(source: &str, features: [&[f32]; 3], width: usize, sets: &[Questions; 3]) -> Steps {
    let parts: Vec<(Vec<f32>, Vec<f64>)> = features
        .iter()
        .zip(sets)
        .map(|(features, set)| {
            let (places, steps) = set.logarithms();
            let rows = places.iter().flat_map(|&place| features[place * width..(place + 1) * width].iter().copied());
            (rows.collect(), steps)
        })
        .collect();
    let targets = |part: usize| Targets { features: &parts[part].0, width, outputs: &parts[part].1, count: 1 };
    let ridge = Ridge::fit(targets(0), targets(1));
    let middle = mean(&parts[0].1);
    let predict = |part: usize| match &ridge {
        Some(ridge) => ridge.predict(&parts[part].0),
        None => vec![middle; parts[part].1.len()],
    };
    let choose = r_squared(&predict(1), &parts[1].1, &[middle]).unwrap_or(0.0);
    let square = |value: f64| value * value;
    let squares =
        predict(2).into_iter().zip(&parts[2].1).map(|(said, truth)| (square(said - truth), square(truth - middle)));
    Steps { source: source.into(), choose, squares: squares.collect() }
}

struct Found {
    answers: Vec<Model>,
    untrained: Model,
    readers: Vec<(String, Said, Steps)>,
    sets: [Questions; 3],
}
