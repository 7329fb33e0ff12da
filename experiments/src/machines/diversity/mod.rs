//! `machine-diversity`: from one training machine to a whole class, where does a model stop remembering machines and
//! begin to infer them in context?

mod behaviour;
mod measure;
mod outcome;
mod report;
mod variants;

use environments::Environment;
use environments::turing::{TuringConfig, TuringWorld};
use models::{ModelConfig, Parameters};
use serde::{Deserialize, Serialize};

use self::behaviour::Behaviours;
use self::measure::{Found, Model, Unseen, seen};
use super::scores::by_step;
use super::settings::{Common, spec, within};
use super::train;
use crate::config::Config;
use crate::context::RunContext;
use crate::evidence::statistics::mean;
use crate::experiment::{Experiment, Outcome};

/// The experiment `machine-diversity`.
pub struct MachineDiversity;

const NAME: &str = "machine-diversity";
const CLAIMS: [&str; 3] = ["memorises", "infers", "switches"];

/// Section `[measure]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Measure {
    /// Numbers of training machines that are compared, rising; 0 stands for every machine that is not held out.
    diversities: Vec<usize>,
    /// Where the question is put whether the model has given up remembering: one of these.
    asked: usize,
    /// Other models of which the same is asked at fewer diversities, for comparison.
    variants: Vec<Variant>,
    /// The diversities at which variants are trained, rising; 0 as above.
    variant_diversities: Vec<usize>,
    /// Models of each variant and diversity.
    variant_seeds: usize,
    /// Runs of seen and of unseen machines on which figures are reported.
    runs: usize,
    /// Resamples of every interval.
    resamples: usize,
}

/// Another model.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Variant {
    /// What it is called in figures; letters, digits and `-`.
    name: String,
    /// What it is.
    model: ModelConfig,
}

impl Default for Measure {
    fn default() -> Self {
        Self {
            diversities: vec![1, 4, 16, 64, 256, 1024, 0],
            asked: 256,
            variants: Vec::new(),
            variant_diversities: vec![16, 256, 0],
            variant_seeds: 2,
            runs: 400,
            resamples: 2000,
        }
    }
}

impl Measure {
    /// `16`, or `all`.
    fn name(diversity: usize) -> String {
        if diversity == 0 { "all".into() } else { diversity.to_string() }
    }
}

/// The world of a model: its seed chooses the machines of its pool, which has `diversity` machines, or all where that
/// is 0.
pub fn world_of(world: &TuringConfig, diversity: usize, number: usize) -> TuringConfig {
    TuringConfig {
        machines: (diversity > 0).then_some(diversity),
        seed: world.seed.wrapping_mul(1000).wrapping_add(number as u64),
        ..world.clone()
    }
}

impl Experiment for MachineDiversity {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "from one training machine to a whole class: where does a model stop remembering machines and infer them?"
    }

    fn complete(&self, config: &mut Config) -> anyhow::Result<()> {
        let (common, _) = Common::complete(config, &CLAIMS)?;
        let measure: Measure = config.complete("measure")?;
        if common.world.machines.is_some() || !common.world.only.is_empty() {
            return Err(config.refuse(
                "world",
                "the training machines are set by measure.diversities; leave `machines` and `only` out",
            ));
        }
        within(config, &[("runs", measure.runs, 16, 100_000), ("resamples", measure.resamples, 100, 1_000_000)])?;
        let known: Vec<usize> = measure.diversities.iter().copied().filter(|&d| d > 0).collect();
        if known.len() < 2 || known.windows(2).any(|pair| pair[0] >= pair[1]) || measure.diversities.last() != Some(&0)
        {
            return Err(config.refuse(
                "measure.diversities",
                "must rise, hold at least two numbers, and end with 0, which stands for every machine not held out",
            ));
        }
        if !known.contains(&measure.asked) {
            let near = known.iter().min_by_key(|d| d.abs_diff(measure.asked)).copied().unwrap_or(1);
            return Err(
                config.refuse("measure.asked", &format!("must be one of measure.diversities; the nearest is {near}"))
            );
        }
        check_variants(config, &common, &measure)?;
        for &diversity in &known {
            if let Err(error) = TuringWorld::new(world_of(&common.world, diversity, 1)) {
                return Err(config.refuse("measure.diversities", &error.to_string()));
            }
        }
        Ok(())
    }

    fn environment(&self, config: &Config) -> anyhow::Result<Box<dyn Environment>> {
        Ok(Box::new(TuringWorld::new(config.section("world")?)?))
    }

    fn run(&self, config: &Config, context: &mut RunContext<'_>) -> anyhow::Result<Outcome> {
        let common: Common = Common::read(config)?;
        let measure: Measure = config.section("measure")?;
        let seeds = common.training.seeds;
        let others = measure.variants.len() * measure.variant_diversities.len() * measure.variant_seeds;
        context.expect_models(seeds * measure.diversities.len() + others);
        let world = TuringWorld::new(common.world.clone())?;
        let unseen = Unseen::draw(&world, measure.runs);
        let (mut all, mut behaviours) = (Vec::new(), Vec::new());
        for &diversity in &measure.diversities {
            for number in 1..=seeds {
                let own = TuringWorld::new(world_of(&common.world, diversity, number))?;
                behaviours.push(Behaviours::of(&own, diversity));
                let name = format!("machines-{}-{number}", Measure::name(diversity));
                let trained = train::train(&own, &common, (NAME, config.seed, number), &name, context)?;
                let seen = context.stage(&format!("seen-{name}"), |context| seen(&own, &trained, &measure, context))?;
                let new = context.stage(&format!("unseen-{name}"), |context| unseen.nats(&trained, context))?;
                let curve = context.stage(&format!("curve-{name}"), |context| {
                    let stand = |(step, parameters): (u64, Parameters)| {
                        Ok((step, mean(&by_step(&unseen.nats(&parameters, context)?))))
                    };
                    train::checkpoints(&name, context)?.into_iter().map(stand).collect::<anyhow::Result<Vec<_>>>()
                })?;
                all.push(Model { diversity, seen, unseen: new, curve });
            }
        }
        let mut variants = Vec::new();
        for variant in &measure.variants {
            let common = Common { model: variant.model.clone(), ..common.clone() };
            let mut of = Vec::new();
            for &diversity in &measure.variant_diversities {
                for number in 1..=measure.variant_seeds {
                    let own = TuringWorld::new(world_of(&common.world, diversity, number))?;
                    let name = format!("{}-{}-{number}", variant.name, Measure::name(diversity));
                    let trained = train::train(&own, &common, (NAME, config.seed, number), &name, context)?;
                    let seen =
                        context.stage(&format!("seen-{name}"), |context| seen(&own, &trained, &measure, context))?;
                    let new = context.stage(&format!("unseen-{name}"), |context| unseen.nats(&trained, context))?;
                    of.push(Model { diversity, seen, unseen: new, curve: Vec::new() });
                }
            }
            variants.push(of);
        }
        let untrained = train::initial(&world, &common, NAME, config.seed, 1);
        let untrained = context.stage("unseen-untrained", |context| unseen.nats(&untrained, context))?;
        let found = Found { models: all, variants, untrained, unseen, behaviours };
        Ok(outcome::outcome(&found, config, &measure))
    }
}

fn check_variants(config: &Config, common: &Common, measure: &Measure) -> anyhow::Result<()> {
    within(config, &[("variant_seeds", measure.variant_seeds, 1, 100)])?;
    if let Some(odd) = measure.variant_diversities.iter().find(|d| !measure.diversities.contains(d)) {
        let reason = format!("{odd} is not among measure.diversities");
        return Err(config.refuse("measure.variant_diversities", &reason));
    }
    let world = TuringWorld::new(common.world.clone())?;
    for (place, variant) in measure.variants.iter().enumerate() {
        let safe = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let again = measure.variants[..place].iter().any(|other| other.name == variant.name);
        if variant.name.is_empty() || !variant.name.chars().all(safe) || variant.name == "machines" || again {
            let reason =
                format!("`{}` cannot be the name of a variant: letters, digits and `-`, each once", variant.name);
            return Err(config.refuse("measure.variants", &reason));
        }
        if let Err(error) = spec(&world, &variant.model).validate() {
            return Err(config.refuse("measure.variants", &format!("`{}`: {error}", variant.name)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_seed_chooses_its_pool_and_pools_of_a_seed_are_nested() {
        let base = TuringConfig { length: 8, ..TuringConfig::default() };
        let pool =
            |diversity, number| TuringWorld::new(world_of(&base, diversity, number)).unwrap().pool().unwrap().to_vec();
        assert_eq!(pool(4, 1), pool(16, 1)[..4]);
        assert_ne!(pool(4, 1), pool(4, 2));
    }
}
