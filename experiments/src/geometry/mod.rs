//! `mess3` and `rrxor`: is the belief of an ideal observer a linear image of the residual stream? A reproduction of Shai,
//! Marzen, Teixeira, Oldenziel and Riechers (2024, arXiv:2405.15943) with the controls that a sceptic would ask for: every
//! figure is taken out of sample, on contexts that neither model nor probe met, beside windows of the input, random
//! weights and the model's own output, and the belief is edited inside the model.

mod edits;
mod outcome;
mod readings;
mod report;

use environments::sources::{HiddenConfig, HiddenWorld, Process};
use environments::{Environment, Split};
use models::Parameters;
use serde::{Deserialize, Serialize};

use self::edits::Edited;
use self::readings::{ALL_LAYERS, Part, Reading, Rows, Squares};
use crate::config::Config;
use crate::context::RunContext;
use crate::experiment::{Experiment, Outcome};
use crate::machines::nats::{Nats, of_model};
use crate::machines::settings::{Common, within};
use crate::machines::train;

/// The experiment `mess3`.
pub struct Mess3;

/// The experiment `rrxor`.
pub struct Rrxor;

const CLAIMS: [&str; 3] = ["skill", "image", "geometry"];
/// Sequences of the training split that no training meets.
const HELD_BACK: u64 = 1 << 60;
/// Principal components from which the belief is read, to sweep a probe's capacity.
const COMPONENTS: [usize; 4] = [2, 4, 8, 16];

/// Section `[measure]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Measure {
    /// Sequences for fitting, for choosing and for reporting.
    sequences: [usize; 3],
    /// Sequences on which the belief is edited.
    edits: usize,
    /// Pairs of beliefs whose distances are compared.
    pairs: usize,
    /// Resamples of every interval.
    resamples: usize,
}

impl Default for Measure {
    fn default() -> Self {
        Self { sequences: [3000, 600, 1500], edits: 500, pairs: 5000, resamples: 2000 }
    }
}

impl Experiment for Mess3 {
    fn name(&self) -> &'static str {
        "mess3"
    }

    fn about(&self) -> &'static str {
        "belief-state geometry reproduced: is the belief about Mess3's state a linear image of the residual stream?"
    }

    fn complete(&self, config: &mut Config) -> anyhow::Result<()> {
        complete(config, Process::Mess3)
    }

    fn environment(&self, config: &Config) -> anyhow::Result<Box<dyn Environment>> {
        Ok(Box::new(HiddenWorld::new(config.section("world")?)?))
    }

    fn run(&self, config: &Config, context: &mut RunContext<'_>) -> anyhow::Result<Outcome> {
        run(self.name(), config, context)
    }
}

impl Experiment for Rrxor {
    fn name(&self) -> &'static str {
        "rrxor"
    }

    fn about(&self) -> &'static str {
        "the same on random-random-xor, where many beliefs predict the same next symbol"
    }

    fn complete(&self, config: &mut Config) -> anyhow::Result<()> {
        complete(config, Process::Rrxor)
    }

    fn environment(&self, config: &Config) -> anyhow::Result<Box<dyn Environment>> {
        Ok(Box::new(HiddenWorld::new(config.section("world")?)?))
    }

    fn run(&self, config: &Config, context: &mut RunContext<'_>) -> anyhow::Result<Outcome> {
        run(self.name(), config, context)
    }
}

fn complete(config: &mut Config, process: Process) -> anyhow::Result<()> {
    let (common, world) = Common::<HiddenConfig>::complete_with(config, &CLAIMS, HiddenWorld::new)?;
    let measure: Measure = config.complete("measure")?;
    if world.config().process != process {
        let name = if process == Process::Mess3 { "mess3" } else { "rrxor" };
        return Err(config.refuse("world.process", &format!("this experiment is about `{name}`")));
    }
    if !matches!(common.model, models::ModelConfig::Transformer(_)) {
        return Err(config.refuse("model.kind", "this experiment reads the residual stream of a transformer"));
    }
    if common.model.depth() < 2 {
        return Err(config.refuse("model.depth", "must be at least 2: the belief is edited between blocks"));
    }
    let [fit, choose, report] = measure.sequences;
    within(
        config,
        &[
            ("sequences", fit, 16, 1_000_000),
            ("sequences", choose, 16, 1_000_000),
            ("sequences", report, 16, 1_000_000),
            ("edits", measure.edits, 8, report),
            ("pairs", measure.pairs, 8, 1_000_000),
            ("resamples", measure.resamples, 100, 1_000_000),
        ],
    )
}

/// What is measured of one model at the chosen places.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Closer {
    /// The belief read from so many principal components, and beliefs given to input types at random.
    components: Vec<(usize, Squares, Squares)>,
    /// Beliefs given to input types at random, read at full width.
    control: Squares,
    /// A probe fitted on early positions alone, scored on the late ones.
    unseen: Squares,
    /// Share of variance explained on the sequences for choosing, at checkpoints.
    curve: Vec<(u64, f64)>,
    /// Interventions.
    edited: Edited,
}

/// Everything that was measured.
struct Found {
    /// Names of what is read in a model: taps, all layers, the output.
    sources: Vec<String>,
    /// By model and source.
    readings: Vec<Vec<Reading>>,
    untrained: Vec<Reading>,
    /// Of the input, without a model.
    context: Vec<Reading>,
    /// By source, for every position as in the paper: the first model's share of variance explained.
    everywhere: Vec<f64>,
    closer: Vec<Closer>,
    /// The source at which the belief is read, and the tap at which it is edited, by number; chosen on other sequences.
    chosen: (usize, usize),
    nats: Vec<Nats>,
    /// Nats of ideal observers of the last 1, 2 and 3 symbols, and of all.
    observers: [Nats; 4],
    /// Position from which on contexts are novel.
    late: usize,
}

fn run(name: &'static str, config: &Config, context: &mut RunContext<'_>) -> anyhow::Result<Outcome> {
    let common: Common<HiddenConfig> = Common::read(config)?;
    let measure: Measure = config.section("measure")?;
    let world = HiddenWorld::new(common.world.clone())?;
    let models = train::all(&world, &common, (name, config.seed), context)?;
    let bar = context.bar("measuring", 2 * models.len() as u64 + 3);
    let draw = |split, first, count| Part::draw(&world, split, first, count);
    let parts = [
        draw(Split::Train, HELD_BACK, measure.sequences[0]),
        draw(Split::Validation, 0, measure.sequences[1]),
        draw(Split::Test, 0, measure.sequences[2]),
    ];
    let late = world.config().novel - 1;
    let bench = Bench { parts: &parts, late, pairs: measure.pairs, depth: common.model.depth() };
    let from_input = context.stage("readings-context", |_| Ok(bench.context(&world)))?;
    bar.add(1);
    let (mut readings, mut nats) = (Vec::new(), Vec::new());
    let samples: Vec<_> = parts[2].samples();
    for (model, trained) in &models {
        readings.push(context.stage(&format!("readings-{model}"), |context| bench.readings(trained, late, context))?);
        nats.push(context.stage(&format!("nats-{model}"), |context| of_model(trained, &samples, context))?);
        bar.add(1);
    }
    let start = train::initial(&world, &common, name, config.seed, 1);
    let untrained = context.stage("readings-untrained", |context| bench.readings(&start, late, context))?;
    bar.add(1);
    let everywhere = context.stage("readings-everywhere", |context| {
        let readings = bench.readings(&models[0].1, 0, context)?;
        Ok(readings.iter().map(|reading| reading.squares.explained()).collect())
    })?;
    bar.add(1);
    let chosen = bench.choose(&readings);
    let mut closer = Vec::new();
    for (model, trained) in &models {
        closer.push(context.stage(&format!("closer-{model}"), |context| {
            let seed = config.seed.to_string();
            bench.closer(&world, trained, (chosen, measure.edits), &[name, &seed, model], context)
        })?);
        bar.add(1);
    }
    let observers = [1, 2, 3, usize::MAX].map(|seen| parts[2].observer(&world, seen));
    let sources = bench.sources();
    let found =
        Found { sources, readings, untrained, context: from_input, everywhere, closer, chosen, nats, observers, late };
    Ok(outcome::outcome(name, &found, config, &measure))
}

struct Bench<'a> {
    parts: &'a [Part; 3],
    late: usize,
    pairs: usize,
    depth: usize,
}

impl Bench<'_> {
    fn taps(&self) -> Vec<String> {
        let blocks = (0..self.depth).map(|block| format!("blocks.{block}.resid_post"));
        std::iter::once("embed".to_string()).chain(blocks).chain(["final.norm".to_string()]).collect()
    }

    fn sources(&self) -> Vec<String> {
        let output = "own next-symbol distribution";
        self.taps().into_iter().chain([ALL_LAYERS.to_string(), output.to_string()]).collect()
    }

    fn context(&self, world: &HiddenWorld) -> Vec<Reading> {
        let length = world.config().length;
        let windows = [("the last symbol", 1), ("the last 3 symbols", 3), ("the whole input", length)];
        let mut all: Vec<Reading> = windows
            .into_iter()
            .map(|(name, reach)| {
                let rows = self.parts.each_ref().map(|part| part.window(world.symbols(), reach, self.late));
                self.reading(name, &rows)
            })
            .collect();
        all.push(self.reading("position", &self.parts.each_ref().map(|part| part.position(self.late))));
        all
    }

    /// Reads the belief from rows of features.
    fn reading(&self, source: &str, rows: &[Rows; 3]) -> Reading {
        Reading::new(source, rows, self.pairs)
    }

    fn readings(&self, model: &Parameters, from: usize, context: &RunContext<'_>) -> anyhow::Result<Vec<Reading>> {
        let mut three = Vec::new();
        for part in self.parts {
            three.push(part.features(model, &self.taps(), from, context)?);
        }
        let mut all = Vec::new();
        for (place, source) in self.sources().iter().enumerate() {
            context.check_stop()?;
            let rows = [0, 1, 2].map(|part| std::mem::take(&mut three[part][place]));
            let mut reading = self.reading(source, &rows);
            if place + 1 == self.sources().len() {
                // As in the paper: distances of the distributions themselves.
                reading.distances = rows[2].distances(&rows[2].as_outputs(), self.pairs);
            }
            all.push(reading);
        }
        Ok(all)
    }

    /// Where the models' mean share of variance explained is greatest on the sequences for choosing: among all taps and
    /// all layers together; and among taps between blocks.
    fn choose(&self, readings: &[Vec<Reading>]) -> (usize, usize) {
        let score = |source: usize| readings.iter().map(|reading| reading[source].choose).sum::<f64>();
        let best = |all: std::ops::RangeInclusive<usize>| {
            all.reduce(|best, next| if score(next) > score(best) { next } else { best }).unwrap_or(1)
        };
        (best(1..=self.depth + 2), best(1..=self.depth - 1))
    }

    fn closer(
        &self,
        world: &HiddenWorld,
        model: &Parameters,
        ((source, tap), edits): ((usize, usize), usize),
        address: &[&str; 3],
        context: &RunContext<'_>,
    ) -> anyhow::Result<Closer> {
        let at = |model: &Parameters, from: usize, source: usize| -> anyhow::Result<[Rows; 3]> {
            let mut three = Vec::new();
            for part in self.parts {
                three.push(part.features(model, &self.taps(), from, context)?.swap_remove(source));
            }
            let [train, choose, report] = [0, 1, 2].map(|part| std::mem::take(&mut three[part]));
            Ok([train, choose, report])
        };
        let rows = at(model, self.late, source)?;
        let given = rows.each_ref().map(|rows| rows.control(&rows.kinds, &self.parts[0], address));
        let read = |rows: &[Rows; 3]| Reading::new("", rows, 8).squares;
        let components = COMPONENTS
            .into_iter()
            .map(|count| {
                let fewer = Rows::components(&rows, count);
                let control = [0, 1, 2].map(|part| fewer[part].with_outputs(given[part].outputs.clone()));
                (count, read(&fewer), read(&control))
            })
            .collect();
        let everywhere = at(model, 0, source)?;
        let length = world.config().length;
        let early = |rows: &Rows| rows.keep(|row| row % length < self.late);
        let unseen = read(&[early(&everywhere[0]), early(&everywhere[1]), rows[2].clone()]);
        let mut curve = Vec::new();
        for (step, parameters) in train::checkpoints(address[2], context)? {
            context.check_stop()?;
            curve.push((step, Reading::new("", &at(&parameters, self.late, source)?, 8).choose));
        }
        Ok(Closer {
            components,
            control: read(&given),
            unseen,
            curve,
            edited: edits::edit(
                world,
                model,
                self.parts,
                (self.taps()[tap].as_str(), edits, self.late),
                address,
                context,
            )?,
        })
    }
}
