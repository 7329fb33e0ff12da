//! `evil-twin`: two machines that differ in one entry. Does prediction fork when the entry first fires, and does a patch
//! from the twin's run make the model expect what the twin does?

mod beyond;
mod entries;
pub(super) mod measure;
mod outcome;
pub(super) mod pairs;
mod silent;

use environments::turing::{TuringEpisode, TuringWorld};
use environments::{Environment, Split};
use models::{Parameters, predictor};
use serde::{Deserialize, Serialize};

use self::entries::{Fitting, Readings};
use self::measure::{Fork, Measured, changes, forks, taps};
pub use self::pairs::{Pair, pairs};
use self::silent::Silent;
use super::references;
use super::scores::{Runs, of_model};
use super::settings::{Common, within};
use super::train;
use crate::config::Config;
use crate::context::RunContext;
use crate::experiment::{Experiment, Outcome};

/// The experiment `evil-twin`.
pub struct EvilTwin;

const NAME: &str = "evil-twin";
const CLAIMS: [&str; 2] = ["forks", "swap"];

/// Section `[measure]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Measure {
    /// Pairs of twins on which tap and rival are chosen, and on which figures are reported.
    pairs: [usize; 2],
    /// Odds at which the twins count as told apart.
    odds: f64,
    /// Runs on which probes for the entries are fitted, and on which their penalty is chosen.
    probe_runs: [usize; 2],
    /// Resamples of every interval.
    resamples: usize,
}

impl Default for Measure {
    fn default() -> Self {
        Self { pairs: [150, 400], odds: 20.0, probe_runs: [600, 200], resamples: 2000 }
    }
}

impl Experiment for EvilTwin {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "machines that differ in one entry: when does prediction fork, and can one twin's activations stand for the other's?"
    }

    fn complete(&self, config: &mut Config) -> anyhow::Result<()> {
        let (common, world) = Common::complete(config, &CLAIMS)?;
        let measure: Measure = config.complete("measure")?;
        let ([choose, report], [fit, penalty]) = (measure.pairs, measure.probe_runs);
        within(
            config,
            &[
                ("pairs", choose, 8, 100_000),
                ("pairs", report, 8, 100_000),
                ("probe_runs", fit, 8, 100_000),
                ("probe_runs", penalty, 8, 100_000),
                ("resamples", measure.resamples, 100, 1_000_000),
            ],
        )?;
        if !(1.0..1e9).contains(&measure.odds) {
            return Err(config.refuse("measure.odds", "must be from 1 to 1000000000"));
        }
        if !matches!(common.model, models::ModelConfig::Transformer(_)) {
            return Err(config.refuse("model.kind", "this experiment patches the residual stream of a transformer"));
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
        let choosing = Sets::draw(&world, Split::Validation, measure.pairs[0], config.seed);
        let reported = Sets::draw(&world, Split::Test, measure.pairs[1], config.seed);
        if choosing.pairs.len() < 8 || reported.pairs.len() < 8 {
            anyhow::bail!(
                "world.length = {}: too few runs in which an entry fires late and again; take longer ones",
                common.world.length
            );
        }
        let reported_pairs = reported.pairs.clone();
        let aside = Aside::draw(&world, &measure, config.seed);
        // Half of the pairs for choosing are enough for a curve.
        let few = Sets::of(&world, choosing.pairs[..choosing.pairs.len().div_ceil(2)].to_vec());
        let models = train::all(&world, &common, (NAME, config.seed), context)?;
        let bar = context.bar("measuring", 4 * models.len() as u64 + 1);
        let taps = taps(common.model.depth());
        let mut all = Vec::new();
        for (name, model) in &models {
            let mut take = |sets: &Sets, stage: &str| {
                let value = context.stage(&format!("{stage}-{name}"), |context| {
                    sets.measure(&world, model, (config.seed, name), context)
                });
                bar.add(1);
                value
            };
            let (choosing, reported) = (take(&choosing, "choosing")?, take(&reported, "reported")?);
            let curve = context.stage(&format!("curve-{name}"), |context| {
                let stand = |(step, parameters): (u64, Parameters)| {
                    let measured = few.measure(&world, &parameters, (config.seed, name), context)?;
                    Ok(Stand::of(step, &measured, measure.odds))
                };
                train::checkpoints(name, context)?.into_iter().map(stand).collect::<anyhow::Result<Vec<_>>>()
            })?;
            bar.add(1);
            let (silent, entries) = context.stage(&format!("entries-{name}"), |context| {
                aside.measure(&world, model, (&reported_pairs, &taps), context)
            })?;
            bar.add(1);
            all.push(Of { choosing, reported, curve, silent, entries });
        }
        let start = train::initial(&world, &common, NAME, config.seed, 1);
        let untrained = context.stage("reported-untrained", |context| {
            reported.measure(&world, &start, (config.seed, "untrained"), context)
        })?;
        let (_, untrained_entries) = context
            .stage("entries-untrained", |context| aside.measure(&world, &start, (&reported_pairs, &taps), context))?;
        bar.add(1);
        let silent_bayes = aside.bayes;
        let found =
            outcome::Found { models: all, untrained, untrained_entries, choosing, reported, silent_bayes, taps };
        Ok(outcome::outcome(&found, config, &measure))
    }
}

/// Where a model stands at a checkpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stand {
    /// Optimiser steps.
    step: u64,
    /// Mean log odds of the own step against the twin's at the next use, natural logarithm.
    log_odds: f64,
    /// Share of pairs whose odds pass at the next use.
    told_apart: f64,
    /// Mean gain of the twin's patch by tap.
    gain: Vec<f64>,
}

impl Stand {
    fn of(step: u64, measured: &Measured, odds: f64) -> Self {
        let pairs = measured.forks.len().max(1) as f64;
        let first = |fork: &Fork| fork.log_odds[0];
        let bound = crate::evidence::numeric::logarithm(odds);
        Self {
            step,
            log_odds: measured.forks.iter().map(first).sum::<f64>() / pairs,
            told_apart: measured.forks.iter().filter(|fork| first(fork) > bound).count() as f64 / pairs,
            gain: measured.changes.iter().map(|tap| crate::swaps::gain(&tap[0])).collect(),
        }
    }
}

/// Scores of one model.
struct Of {
    choosing: Measured,
    reported: Measured,
    curve: Vec<Stand>,
    /// Log odds between twins whose entry never fires.
    silent: Vec<f64>,
    entries: Readings,
}

/// Twins whose entry never fires, and what the probes for entries are fitted on.
struct Aside {
    silent: Vec<Silent>,
    runs: Runs,
    /// Bayes's log odds between them.
    bayes: Vec<f64>,
    fitting: Fitting,
}

impl Aside {
    fn draw(world: &TuringWorld, measure: &Measure, seed: u64) -> Self {
        let silent = silent::silent(world, Split::Test, measure.pairs[1], seed);
        let runs = Runs::of(world, silent.iter().map(|twins| twins.run.clone()).collect());
        let config = world.config();
        let bayes = references::generaliser(&runs, config.states, config.symbols, config.initial.initial());
        Self {
            bayes: silent::odds(&silent, &bayes, config.symbols),
            fitting: Fitting::draw(world, measure.probe_runs, seed),
            silent,
            runs,
        }
    }

    /// A model's log odds between silent twins, and what probes of it say of the entries.
    fn measure(
        &self,
        world: &TuringWorld,
        model: &Parameters,
        (pairs, taps): (&[Pair], &[String]),
        context: &RunContext<'_>,
    ) -> anyhow::Result<(Vec<f64>, Readings)> {
        let predictions = of_model(predictor(model, context.device())?.as_ref(), &self.runs)?;
        let odds = silent::odds(&self.silent, &predictions, world.config().symbols);
        Ok((odds, self.fitting.read(world, model, (pairs, &self.silent), taps, context)?))
    }
}

/// Pairs with the predictions that need no model.
struct Sets {
    pairs: Vec<Pair>,
    runs: Runs,
    bayes: Vec<Fork>,
    statistical: Vec<(String, Vec<Fork>)>,
}

impl Sets {
    fn draw(world: &TuringWorld, split: Split, wanted: usize, seed: u64) -> Self {
        Self::of(world, pairs(world, split, wanted, seed))
    }

    fn of(world: &TuringWorld, pairs: Vec<Pair>) -> Self {
        let own: Vec<TuringEpisode> = pairs.iter().map(|pair| pair.own.clone()).collect();
        let runs = Runs::of(world, own);
        let config = world.config();
        let symbols = config.symbols;
        let bayes = references::generaliser(&runs, config.states, symbols, config.initial.initial());
        let statistical = references::statistical(&runs);
        Self {
            bayes: forks(&pairs, &bayes, symbols),
            statistical: statistical.iter().map(|(name, all)| (name.clone(), forks(&pairs, all, symbols))).collect(),
            runs,
            pairs,
        }
    }

    fn measure(
        &self,
        world: &TuringWorld,
        model: &Parameters,
        who: (u64, &str),
        context: &RunContext<'_>,
    ) -> anyhow::Result<Measured> {
        let predictions = of_model(predictor(model, context.device())?.as_ref(), &self.runs)?;
        Ok(Measured {
            forks: forks(&self.pairs, &predictions, world.config().symbols),
            changes: changes(world, model, &self.pairs, who, context)?,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use environments::turing::TuringConfig;

    use super::*;

    #[test]
    fn bayes_forks_at_once_where_the_state_is_known_and_the_oracle_always() {
        let world = TuringWorld::new(TuringConfig { length: 32, ..TuringConfig::default() }).unwrap();
        let sets = Sets::draw(&world, Split::Test, 60, 1);
        let initial = world.config().initial.initial();
        let oracle = forks(&sets.pairs, &references::oracle(&sets.runs, 2, initial), 2);
        assert!(oracle.iter().all(|fork| fork.favoured_before && fork.log_odds.iter().all(|odds| *odds > 15.0)));
        // Before the entry fires nothing can tell the twins apart: Bayes is no better than a coin.
        let favoured = sets.bayes.iter().filter(|fork| fork.favoured_before).count();
        assert!(favoured < 45, "{favoured} of 60");
        let told = sets.bayes.iter().filter(|fork| fork.log_odds[0] > 3.0).count();
        let counted = |forks: &[Fork]| forks.iter().filter(|fork| fork.log_odds[0] > 3.0).count();
        assert!(told > 20, "{told} of 60");
        assert!(sets.statistical.iter().all(|(_, forks)| counted(forks) <= told));
    }
}
