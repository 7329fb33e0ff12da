//! `rule-table`: is the machine's table in the residual stream? Can every entry be read there once the evidence
//! determines it, also while the step to come does not need it; the hidden state; and is Bayes's belief a linear image?

mod beside;
mod found;
mod moments;
mod outcome;
mod readings;
mod report;
mod steering;

use environments::turing::{HELD_BACK, TuringWorld};
use environments::{Environment, Split};
use models::{Parameters, predictor};
use serde::{Deserialize, Serialize};

use self::moments::{Frame, Moments, entries};
use self::readings::{Read, Reading, Sets, Three, scored_on};
use self::steering::Change;
use super::settings::{Common, within};
use super::train;
use super::twins::measure::taps;
use super::twins::pairs::{Pair, pairs};
use crate::config::Config;
use crate::context::RunContext;
use crate::evidence::{Probe, online_code};
use crate::experiment::{Experiment, Outcome};

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
        let part = |split, first, count| Moments::draw(&world, split, (first, count), measure.moments, config.seed);
        let sets = Sets {
            parts: [
                part(Split::Train, HELD_BACK, measure.runs[0]),
                part(Split::Validation, 0, measure.runs[1]),
                part(Split::Test, 0, measure.runs[2]),
            ],
            concepts: moments::concepts(&world),
        };
        let pairs: Vec<Pair> =
            pairs(&world, Split::Test, measure.pairs, config.seed).into_iter().filter(steering::carries).collect();
        let depth = common.model.depth();
        let taps = taps(depth);
        let context_readings: Vec<Reading> = context.stage("readings-context", |_| {
            let three =
                |of: fn(&Moments) -> moments::Features| -> Three { [0, 1, 2].map(|part| of(&sets.parts[part])) };
            Ok(vec![
                sets.reading("counts of steps and pairs", &three(Moments::counts)),
                sets.reading("steps and pairs seen, last 8 steps", &three(Moments::seen)),
            ])
        })?;
        bar.add(1);
        let bench = Bench { world: &world, sets: &sets, taps: &taps };
        let mut readings = Vec::new();
        for (name, model) in &models {
            let stage = format!("readings-{name}");
            readings.push(context.stage(&stage, |context| bench.readings(model, context))?);
            bar.add(1);
        }
        let start = train::initial(&world, &common, NAME, config.seed, 1);
        let untrained = context.stage("readings-untrained", |context| bench.readings(&start, context))?;
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
        let codes_untrained = context.stage("codes-untrained", |context| {
            let features = bench.features(&start, &taps[chosen.table.0], context)?;
            Ok(bench.codes(&features, chosen.table.1, "untrained"))
        })?;
        let codes_context = context.stage("codes-context", |_| {
            let features = [0, 1, 2].map(|part| sets.parts[part].seen());
            Ok(bench.codes(&features, chosen.table.1, "context"))
        })?;
        bar.add(1);
        let found = found::Found {
            readings,
            untrained,
            context: context_readings,
            closer,
            codes: (codes_untrained, codes_context),
            sets,
            taps,
            chosen,
        };
        Ok(outcome::outcome(&found, config, &measure))
    }
}

/// What is measured of one model at the chosen taps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Closer {
    /// A probe of the control task by entry of the chosen frame, at the tap of the table; last, of the state.
    control: Vec<Read>,
    /// A perceptron in place of the linear probe.
    perceptron: Vec<Read>,
    /// The perceptron on the control task.
    perceptron_control: Vec<Read>,
    /// The linear image of beliefs given to input types at random.
    belief_control: readings::Belief,
    /// Compression of the entries' labels by the online code, by entry.
    codes: Vec<Option<f64>>,
    /// Where the model stood at its checkpoints.
    curve: Vec<Stand>,
    /// By intervention and pair.
    changes: Vec<Vec<Change>>,
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
    fn readings(&self, model: &Parameters, context: &RunContext<'_>) -> anyhow::Result<Vec<Reading>> {
        let predictor = predictor(model, context.device())?;
        let mut three: Vec<Vec<moments::Features>> = Vec::new();
        for part in &self.sets.parts {
            three.push(part.features(predictor.as_ref(), self.taps)?);
        }
        let output = "the model's own next-step distribution".to_string();
        let mut all = Vec::new();
        for (place, source) in self.taps.iter().chain([&output]).enumerate() {
            context.check_stop()?;
            let features: Three = [0, 1, 2].map(|part| std::mem::take(&mut three[part][place]));
            all.push(self.sets.reading(source, &features));
        }
        Ok(all)
    }

    fn features(&self, model: &Parameters, tap: &String, context: &RunContext<'_>) -> anyhow::Result<Three> {
        let predictor = predictor(model, context.device())?;
        let mut all = Three::default();
        for (slot, part) in all.iter_mut().zip(&self.sets.parts) {
            *slot = part.features(predictor.as_ref(), std::slice::from_ref(tap))?.swap_remove(0);
        }
        Ok(all)
    }

    fn codes(&self, features: &Three, frame: Frame, name: &str) -> Vec<Option<f64>> {
        let one = |concept: usize| {
            let classes = self.sets.concepts[concept].1;
            let (data, _) = self.sets.parts[0].rows(&features[0], (concept, classes), &[scored_on(concept)]);
            let mut chance = environments::stream(&[NAME, "online code", name, &concept.to_string()]);
            online_code(Probe::Ridge, &data, 64, &mut chance)?.compression()
        };
        entries(self.sets.concepts.len(), frame).map(one).collect()
    }

    fn closer(
        &self,
        model: &Parameters,
        (name, seed): (&str, u64),
        chosen: &found::Chosen,
        (pairs, measure): (&[Pair], &Measure),
        context: &RunContext<'_>,
    ) -> anyhow::Result<Closer> {
        let at = |tap: usize| self.features(model, &self.taps[tap], context);
        let (table, state, belief) = (at(chosen.table.0)?, at(chosen.state.0)?, at(chosen.belief.0)?);
        let (frame, of_belief) = (chosen.table.1, chosen.belief.1);
        let concepts = entries(self.sets.concepts.len(), frame);
        let seed = seed.to_string();
        let read = |probe: Probe, control: bool, what: &str| -> Vec<Read> {
            let one = |concept: usize, features: &Three| {
                self.sets.read(probe, concept, features, control, &[NAME, &seed, name, what, &concept.to_string()])
            };
            let entries = concepts.clone().map(|concept| one(concept, &table));
            entries.chain([one(chosen.state.1.state(), &state)]).collect()
        };
        let mut curve = Vec::new();
        for (step, parameters) in train::checkpoints(name, context)? {
            context.check_stop()?;
            let table = self.features(&parameters, &self.taps[chosen.table.0], context)?;
            let belief = self.features(&parameters, &self.taps[chosen.belief.0], context)?;
            let one = |concept| self.sets.read(Probe::Logistic, concept, &table, false, &[NAME, "unused"]).choose;
            let scores: Vec<f64> = concepts.clone().filter_map(one).collect();
            curve.push(Stand {
                step,
                table: scores.iter().sum::<f64>() / scores.len().max(1) as f64,
                belief: self.sets.belief(of_belief, &belief, false).choose,
            });
        }
        let changes = steering::changes(
            self.world,
            predictor(model, context.device())?.as_ref(),
            (self.sets, frame, &table[0]),
            pairs,
            (&self.taps[chosen.table.0], &[NAME, &seed, name, "interventions"]),
            context,
        )?;
        Ok(Closer {
            control: read(Probe::Logistic, true, "control"),
            perceptron: read(Probe::Mlp(measure.perceptron), false, "perceptron"),
            perceptron_control: read(Probe::Mlp(measure.perceptron), true, "perceptron control"),
            belief_control: self.sets.belief(of_belief, &belief, true),
            codes: self.codes(&table, frame, name),
            curve,
            changes,
        })
    }
}
