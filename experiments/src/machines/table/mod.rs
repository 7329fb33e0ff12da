//! `rule-table`: is the machine's table in the residual stream? Can every entry be read there once the evidence
//! determines it, also while the step to come does not need it; the hidden state; and is Bayes's belief a linear image?

mod found;
mod moments;
mod outcome;
mod report;
mod steering;

use environments::turing::{HELD_BACK, TuringWorld};
use environments::{Environment, Split, stream};
use models::{Parameters, predictor};
use serde::{Deserialize, Serialize};

use self::moments::{concepts, counts, draw, entries, seen};
use super::settings::{Common, within};
use super::train;
use super::twins::measure::taps;
use super::twins::pairs::{Pair, pairs};
use crate::config::Config;
use crate::context::RunContext;
use crate::evidence::Probe;
use crate::experiment::{Experiment, Outcome};
use crate::moments::entries::Closer;
use crate::moments::gathered::{self, Gathered};
use crate::moments::readings::{Belief, Read, Reading, Sets, Three};
use crate::moments::writes::{Kit, changes};
use crate::moments::{Features, Moments};

/// The experiment `rule-table`.
pub struct RuleTable;

const NAME: &str = "rule-table";
const CLAIMS: [&str; 3] = ["table", "state", "belief"];

/// Section `[measure]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Measure {
    /// Runs for fitting probes, for choosing among them, and for reporting.
    runs: [usize; 3],
    /// Moments of each run.
    moments: usize,
    /// Pairs of twins on which interventions are scored.
    pairs: usize,
    /// Width of the perceptron beside the linear probe.
    perceptron: usize,
    /// Resamples of every interval.
    resamples: usize,
}

impl Default for Measure {
    fn default() -> Self {
        Self { runs: [1500, 500, 800], moments: 3, pairs: 300, perceptron: 64, resamples: 2000 }
    }
}

impl Experiment for RuleTable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "is the machine's table in the residual stream: entries, hidden state, and Bayes's belief as a linear image?"
    }

    fn complete(&self, config: &mut Config) -> anyhow::Result<()> {
        let (common, world) = Common::complete(config, &CLAIMS)?;
        let measure: Measure = config.complete("measure")?;
        let [fit, choose, report] = measure.runs;
        within(
            config,
            &[
                ("runs", fit, 16, 1_000_000),
                ("runs", choose, 16, 1_000_000),
                ("runs", report, 16, 1_000_000),
                ("moments", measure.moments, 1, 16),
                ("pairs", measure.pairs, 8, 100_000),
                ("perceptron", measure.perceptron, 1, 4096),
                ("resamples", measure.resamples, 100, 1_000_000),
            ],
        )?;
        if !matches!(common.model, models::ModelConfig::Transformer(_)) {
            return Err(config.refuse("model.kind", "this experiment reads the residual stream of a transformer"));
        }
        if common.model.depth() < 2 {
            return Err(config.refuse("model.depth", "must be at least 2: entries are read between the ends"));
        }
        if world.config().length < 12 {
            return Err(config.refuse("world.length", "must be at least 12 for moments with a history"));
        }
        if world.pool().is_some() {
            return Err(config.refuse(
                "world",
                "this experiment trains on every machine that is not held out; leave `machines` and `only` out",
            ));
        }
        Ok(())
    }

    fn environment(&self, config: &Config) -> anyhow::Result<Box<dyn Environment>> {
        Ok(Box::new(TuringWorld::new(config.section("world")?)?))
    }

    fn run(&self, config: &Config, context: &mut RunContext<'_>) -> anyhow::Result<Outcome> {
        let common: Common = Common::read(config)?;
        let measure: Measure = config.section("measure")?;
        let world = TuringWorld::new(common.world.clone())?;
        let models = train::all(&world, &common, (NAME, config.seed), context)?;
        let bar = context.bar("measuring", 2 * models.len() as u64 + 3);
        let part = |split, first, count| draw(&world, split, (first, count), measure.moments, config.seed);
        let sets = Sets {
            parts: [
                part(Split::Train, HELD_BACK, measure.runs[0]),
                part(Split::Validation, 0, measure.runs[1]),
                part(Split::Test, 0, measure.runs[2]),
            ],
            concepts: concepts(&world),
            experiment: NAME,
        };
        let pairs: Vec<Pair> =
            pairs(&world, Split::Test, measure.pairs, config.seed).into_iter().filter(steering::carries).collect();
        let depth = common.model.depth();
        let taps = taps(depth);
        let context_readings: Vec<Reading> = context.stage("readings-context", |_| {
            let three = |of: fn(&Moments) -> Features| -> Three { [0, 1, 2].map(|part| of(&sets.parts[part])) };
            Ok(vec![
                sets.reading("counts of steps and pairs", &three(counts)),
                sets.reading("steps and pairs seen, last 8 steps", &three(seen)),
            ])
        })?;
        bar.add(1);
        let bench = Bench { world: &world, sets: &sets, taps: &taps };
        let mut readings = Vec::new();
        for (name, model) in &models {
            let stage = format!("readings-{name}");
            readings.push(context.stage(&stage, |context| gathered::readings(&sets, model, &taps, context))?);
            bar.add(1);
        }
        let start = train::initial(&world, &common, NAME, config.seed, 1);
        let untrained =
            context.stage("readings-untrained", |context| gathered::readings(&sets, &start, &taps, context))?;
        bar.add(1);
        let chosen = found::Chosen::new(&readings, &context_readings, depth);
        let mut closer = Vec::new();
        for (name, model) in &models {
            let stage = format!("closer-{name}");
            closer.push(context.stage(&stage, |context| {
                bench.closer(model, (name, config.seed), &chosen, (&pairs, &measure), context)
            })?);
            bar.add(1);
        }
        let codes = |features: &Three, name: &str| gathered::codes(&sets, features, bench.coded(&chosen), name);
        let codes_untrained = context.stage("codes-untrained", |context| {
            Ok(codes(&gathered::features(&sets, &start, &taps[chosen.table.0], context)?, "untrained"))
        })?;
        let codes_context =
            context.stage("codes-context", |_| Ok(codes(&[0, 1, 2].map(|part| seen(&sets.parts[part])), "context")))?;
        bar.add(1);
        let read = Gathered { readings, untrained, context: context_readings, told: Vec::new(), sets, taps };
        let found = found::Found { read, closer, codes: (codes_untrained, codes_context), chosen };
        Ok(outcome::outcome(&found, config, &measure))
    }
}

/// What is measured of one model at the chosen taps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Measured {
    /// Of the entries in the chosen frame, at the tap of the table.
    entries: Closer,
    /// A probe of the state's control task, at the state's tap.
    state_control: Read,
    /// The linear image of beliefs given to input types at random.
    belief_control: Belief,
    /// Where the model stood at its checkpoints.
    curve: Vec<Stand>,
}

/// Where a model stands at a checkpoint, on the moments for choosing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Stand {
    /// Optimiser steps.
    step: u64,
    /// Balanced accuracy of the idle entries.
    table: f64,
    /// Share of the belief's variance explained.
    belief: f64,
}

struct Bench<'a> {
    world: &'a TuringWorld,
    sets: &'a Sets,
    taps: &'a [String],
}

impl Bench<'_> {
    /// The entries whose labels are coded: those in the chosen frame.
    fn coded(&self, chosen: &found::Chosen) -> std::ops::Range<usize> {
        entries(self.sets.concepts.len(), chosen.table.1)
    }

    fn closer(
        &self,
        model: &Parameters,
        (name, seed): (&str, u64),
        chosen: &found::Chosen,
        (pairs, measure): (&[Pair], &Measure),
        context: &RunContext<'_>,
    ) -> anyhow::Result<Measured> {
        let at = |tap: usize| gathered::features(self.sets, model, &self.taps[tap], context);
        let (table, state, belief) = (at(chosen.table.0)?, at(chosen.state.0)?, at(chosen.belief.0)?);
        let (frame, of_belief) = (chosen.table.1, chosen.belief.1 as usize);
        let concepts = self.coded(chosen);
        let mut curve = Vec::new();
        for (step, parameters) in train::checkpoints(name, context)? {
            context.check_stop()?;
            let table = gathered::features(self.sets, &parameters, &self.taps[chosen.table.0], context)?;
            let belief = gathered::features(self.sets, &parameters, &self.taps[chosen.belief.0], context)?;
            let one = |concept| self.sets.read(Probe::Logistic, concept, &table, false, &[NAME, "unused"]).choose;
            let scores: Vec<f64> = concepts.clone().filter_map(one).collect();
            curve.push(Stand {
                step,
                table: scores.iter().sum::<f64>() / scores.len().max(1) as f64,
                belief: self.sets.belief(of_belief, &belief, false).choose,
            });
        }
        let text = seed.to_string();
        let address = [NAME, &text, name, "interventions"];
        let kit = Kit::new(self.sets, concepts.clone(), &table[0], &mut stream(&address));
        let changes = changes(
            &steering::Written { world: self.world, pairs, frame },
            predictor(model, context.device())?.as_ref(),
            (&kit, &self.taps[chosen.table.0]),
            &mut stream(&[&address[..], &["random"]].concat()),
            context,
        )?;
        let (number, address) = (chosen.state.1.state(), [NAME, &text, name, "control"]);
        Ok(Measured {
            entries: Closer::new(self.sets, concepts, &table, (measure.perceptron, seed, name), changes),
            state_control: self.sets.read(Probe::Logistic, number, &state, true, &address),
            belief_control: self.sets.belief(of_belief, &belief, true),
            curve,
        })
    }
}
