//! `rule-inference`: one-dimensional rules, a fresh one in each history. Is the rule inferred, as Bayes over the class
//! infers it; does its table stand in the residual stream; and does one rule's evidence, transplanted into another's
//! context, make the model predict what that rule does?

mod context;
mod found;
mod moments;
mod outcome;
mod pairs;
mod swap;
mod uses;

use environments::elementary::{ElementaryConfig, ElementaryWorld, HELD_BACK};
use environments::{Environment, Split, stream};
use models::{Parameters, predictor};
use serde::{Deserialize, Serialize};

use self::context::Paid;
use self::found::Found;
use self::pairs::Pair;
use self::uses::{Use, Uses};
use crate::config::Config;
use crate::context::RunContext;
use crate::evidence::Probe;
use crate::experiment::{Experiment, Outcome};
use crate::inference;
use crate::machines::settings::{Common, within};
use crate::machines::{taps, train};
use crate::moments::entries::Closer;
use crate::moments::gathered::{self, Gathered};
use crate::moments::readings::{Reading, Sets, Three};
use crate::moments::writes::{Kit, changes};
use crate::moments::{Features, Moments};
use crate::swaps::{Changes, gain};

/// The experiment `rule-inference`.
pub struct RuleInference;

const NAME: &str = "rule-inference";
const CLAIMS: [&str; 3] = ["infers", "entries", "swap"];

/// Section `[measure]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Measure {
    /// Sequences for choosing the statistical predictor, and for reporting.
    sequences: [usize; 2],
    /// Histories for fitting probes, for choosing among them, and for reporting.
    histories: [usize; 3],
    /// Moments of each history.
    moments: usize,
    /// Pairs of rules on which tap and control are chosen, and on which figures are reported.
    pairs: [usize; 2],
    /// Width of the perceptron beside the linear probe.
    perceptron: usize,
    /// Resamples of every interval.
    resamples: usize,
}

impl Default for Measure {
    fn default() -> Self {
        Self {
            sequences: [150, 600],
            histories: [1200, 400, 800],
            moments: 3,
            pairs: [150, 400],
            perceptron: 64,
            resamples: 2000,
        }
    }
}

impl Measure {
    /// That of the claim `infers`.
    fn inference(&self) -> inference::Measure {
        inference::Measure { sequences: self.sequences, resamples: self.resamples }
    }
}

impl Experiment for RuleInference {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "one-dimensional rules, a fresh one in each history: inferred as Bayes infers, held as a table, swapped as one?"
    }

    fn complete(&self, config: &mut Config) -> anyhow::Result<()> {
        let (common, _) = Common::<ElementaryConfig>::complete_with(config, &CLAIMS, ElementaryWorld::new)?;
        let measure: Measure = config.complete("measure")?;
        inference::checked::<ElementaryWorld>(config, &common.world, &measure.inference())?;
        let ([fit, choose, report], pairs) = (measure.histories, measure.pairs);
        within(
            config,
            &[
                ("histories", fit, 16, 1_000_000),
                ("histories", choose, 16, 1_000_000),
                ("histories", report, 16, 1_000_000),
                ("moments", measure.moments, 1, 16),
                ("pairs", pairs[0], 8, 100_000),
                ("pairs", pairs[1], 8, 100_000),
                ("perceptron", measure.perceptron, 1, 4096),
            ],
        )?;
        if !matches!(common.model, models::ModelConfig::Transformer(_)) {
            return Err(config.refuse("model.kind", "this experiment reads the residual stream of a transformer"));
        }
        if common.model.depth() < 2 {
            return Err(config.refuse("model.depth", "must be at least 2: entries are read between the ends"));
        }
        if common.world.block != 1 {
            return Err(config.refuse("world.block", "must be 1: a token is one use of one entry"));
        }
        if common.world.rows < 4 {
            return Err(config.refuse("world.rows", "must be at least 4, for moments with a history"));
        }
        if common.world.rules.is_some() || !common.world.only.is_empty() {
            return Err(config.refuse(
                "world",
                "this experiment trains on every rule that is not held out; leave `rules` and `only` out",
            ));
        }
        Ok(())
    }

    fn environment(&self, config: &Config) -> anyhow::Result<Box<dyn Environment>> {
        Ok(Box::new(ElementaryWorld::new(config.section("world")?)?))
    }

    fn run(&self, config: &Config, context: &mut RunContext<'_>) -> anyhow::Result<Outcome> {
        let common: Common<ElementaryConfig> = Common::read(config)?;
        let measure: Measure = config.section("measure")?;
        let world = ElementaryWorld::new(common.world.clone())?;
        let models = train::all(&world, &common, (NAME, config.seed), context)?;
        let who = (NAME, config.seed);
        let inferred = inference::measured(&world, &common, &models, who, &measure.inference(), context)?;
        let bench = Bench::new(world, common.model.depth(), measure, config.seed)?;
        let start = train::initial(&bench.world, &common, NAME, config.seed, 1);
        let found = bench.found(&models, &start, inferred, context)?;
        Ok(outcome::outcome(&found, config.seed))
    }
}

/// Where a model stands at a checkpoint, on histories and pairs for choosing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Stand {
    /// Optimiser steps.
    step: u64,
    /// Balanced accuracy of the idle entries.
    entries: f64,
    /// Mean gain of the other rule's patch, by tap.
    gain: Vec<f64>,
}

/// What is measured of a model's swaps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Swapped {
    /// On the pairs for choosing.
    choosing: Changes,
    /// On the pairs for reporting.
    reported: Changes,
}

/// What models are measured on.
struct Bench {
    world: ElementaryWorld,
    measure: Measure,
    seed: u64,
    taps: Vec<String>,
    sets: Sets,
    choosing: Vec<Pair>,
    reported: Vec<Pair>,
    uses: Vec<Use>,
}

impl Bench {
    fn new(world: ElementaryWorld, depth: usize, measure: Measure, seed: u64) -> anyhow::Result<Self> {
        let part = |split, first, count| moments::draw(&world, split, (first, count), measure.moments, seed);
        let sets = Sets {
            parts: [
                part(Split::Train, HELD_BACK, measure.histories[0]),
                part(Split::Validation, 0, measure.histories[1]),
                part(Split::Test, 0, measure.histories[2]),
            ],
            concepts: moments::concepts(&world),
            experiment: NAME,
        };
        let choosing = pairs::pairs(&world, Split::Validation, measure.pairs[0], seed);
        let reported = pairs::pairs(&world, Split::Test, measure.pairs[1], seed);
        let uses = uses::uses(&world, measure.pairs[1], seed);
        if choosing.len() < 8 || reported.len() < 8 || uses.len() < 8 {
            anyhow::bail!(
                "world.width = {}: too few histories in which two rules differ where both were seen; take wider ones",
                world.config().width
            );
        }
        Ok(Self { taps: taps(depth), world, measure, seed, sets, choosing, reported, uses })
    }

    fn found(
        self,
        models: &[(String, Parameters)],
        start: &Parameters,
        inferred: inference::Found,
        context: &mut RunContext<'_>,
    ) -> anyhow::Result<Found> {
        let bar = context.bar("reading and swapping", 3 * models.len() as u64 + 3);
        let three = |of: &dyn Fn(&Moments) -> Features| -> Three { [0, 1, 2].map(|part| of(&self.sets.parts[part])) };
        let sources = moments::sources(&self.world);
        let mut told: Vec<Reading> = context.stage("readings-context", |_| {
            Ok(sources.iter().map(|source| self.sets.reading(source.name, &three(&source.features))).collect())
        })?;
        bar.add(1);
        let mut readings = Vec::new();
        for (name, model) in models {
            readings.push(context.stage(&format!("readings-{name}"), |context| {
                gathered::readings(&self.sets, model, &self.taps, context)
            })?);
            bar.add(1);
        }
        let untrained = context
            .stage("readings-untrained", |context| gathered::readings(&self.sets, start, &self.taps, context))?;
        bar.add(1);
        let tap = found::best_tap(&readings, self.entries());
        let (mut closer, mut swapped, mut curves) = (Vec::new(), Vec::new(), Vec::new());
        for (name, model) in models {
            closer.push(context.stage(&format!("closer-{name}"), |context| self.closer((name, model), tap, context))?);
            bar.add(1);
            swapped.push(context.stage(&format!("swaps-{name}"), |context| {
                Ok(Swapped {
                    choosing: self.swaps((name, model), &self.choosing, context)?,
                    reported: self.swaps((name, model), &self.reported, context)?,
                })
            })?);
            curves.push(context.stage(&format!("stands-{name}"), |context| self.stands(name, tap, context))?);
            bar.add(1);
        }
        let untrained_swaps =
            context.stage("swaps-untrained", |context| self.swaps(("untrained", start), &self.reported, context))?;
        let baselines = sources.iter().filter(|source| source.baseline).count();
        let codes = |features: &Three, name: &str| gathered::codes(&self.sets, features, self.entries(), name);
        let codes = context.stage("codes", |context| {
            let untrained = codes(&gathered::features(&self.sets, start, &self.taps[tap], context)?, "untrained");
            let best = found::best_source(&told[..baselines], self.entries());
            Ok((untrained, codes(&three(&sources[best].features), sources[best].name)))
        })?;
        bar.add(1);
        drop(sources);
        let beyond = told.split_off(baselines);
        let held_out = Paid::held_out(&self.world, &inferred, models, context)?;
        let entries = self.entries();
        Ok(Found {
            test: Paid::test(&self.world, &inferred),
            inferred,
            held_out,
            read: Gathered { readings, untrained, context: told, told: beyond, sets: self.sets, taps: self.taps },
            closer,
            codes,
            entries,
            tap,
            swapped,
            untrained_swaps,
            curves,
            choosing: self.choosing,
            reported: self.reported,
            world: self.world,
            measure: self.measure,
        })
    }

    /// The entries are all concepts.
    fn entries(&self) -> std::ops::Range<usize> {
        0..self.sets.concepts.len()
    }

    fn closer(
        &self,
        (name, model): (&str, &Parameters),
        tap: usize,
        context: &RunContext<'_>,
    ) -> anyhow::Result<Closer> {
        let tap = &self.taps[tap];
        let features = gathered::features(&self.sets, model, tap, context)?;
        let seed = self.seed.to_string();
        let address = [NAME, &seed, name, "interventions"];
        let kit = Kit::new(&self.sets, self.entries(), &features[0], &mut stream(&address));
        let changes = changes(
            &Uses { world: &self.world, uses: &self.uses },
            predictor(model, context.device())?.as_ref(),
            (&kit, tap),
            &mut stream(&[&address[..], &["random"]].concat()),
            context,
        )?;
        let who = (self.measure.perceptron, self.seed, name);
        Ok(Closer::new(&self.sets, self.entries(), &features, who, changes))
    }

    fn swaps(
        &self,
        (name, model): (&str, &Parameters),
        pairs: &[Pair],
        context: &RunContext<'_>,
    ) -> anyhow::Result<Changes> {
        let model = predictor(model, context.device())?;
        let features = self.sets.parts[0].features(model.as_ref(), &self.taps)?;
        let ways = swap::ways(&self.sets.parts[0], &features[..self.taps.len()], self.entries().len());
        swap::changes(&self.world, model.as_ref(), pairs, (&self.taps, &ways), (self.seed, name), context)
    }

    fn stands(&self, name: &str, tap: usize, context: &RunContext<'_>) -> anyhow::Result<Vec<Stand>> {
        let few = &self.choosing[..self.choosing.len().div_ceil(3)];
        let mut all = Vec::new();
        for (step, model) in train::checkpoints(name, context)? {
            context.check_stop()?;
            let features = gathered::features(&self.sets, &model, &self.taps[tap], context)?;
            let one = |entry| self.sets.read(Probe::Logistic, entry, &features, false, &[NAME, "unused"]).choose;
            let scores: Vec<f64> = self.entries().filter_map(one).collect();
            let swaps = self.swaps((name, &model), few, context)?;
            all.push(Stand {
                step,
                entries: scores.iter().sum::<f64>() / scores.len().max(1) as f64,
                gain: swaps.iter().map(|tap| gain(&tap[swap::PATCHES.whole])).collect(),
            });
        }
        Ok(all)
    }
}
