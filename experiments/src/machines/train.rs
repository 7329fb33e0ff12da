//! Models of machines in training, and at their checkpoints.

use environments::{Environment, Split, stream};
use models::{Parameters, load_parameters};

use super::settings::{Common, spec};
use crate::context::RunContext;

/// Weights that a model starts from: model n of an experiment starts from the same ones whatever it is trained on.
pub fn initial<W>(
    world: &dyn Environment,
    common: &Common<W>,
    experiment: &str,
    seed: u64,
    number: usize,
) -> Parameters {
    let mut chance = stream(&[experiment, &seed.to_string(), "weights", &number.to_string()]);
    Parameters::initialise(&spec(world, &common.model), &mut chance)
}

/// Trains model `number` (from 1) on a world, or takes up what was trained before.
///
/// # Errors
/// Those of [`RunContext::train`].
pub fn train<W>(
    world: &dyn Environment,
    common: &Common<W>,
    (experiment, seed, number): (&str, u64, usize),
    name: &str,
    context: &mut RunContext<'_>,
) -> anyhow::Result<Parameters> {
    let offset = (number as u64 - 1) << 40;
    let sample = |index: u64| world.sample(Split::Train, offset + index);
    let start = || initial(world, common, experiment, seed, number);
    context.train(name, start, &common.training.config(), &sample)
}

/// Trains the models of an experiment that has one for each seed: `model-1`, `model-2`, ….
///
/// # Errors
/// Those of [`RunContext::train`].
pub fn all<W>(
    world: &dyn Environment,
    common: &Common<W>,
    (experiment, seed): (&str, u64),
    context: &mut RunContext<'_>,
) -> anyhow::Result<Vec<(String, Parameters)>> {
    let seeds = common.training.seeds;
    context.expect_models(seeds);
    let one = |number: usize| {
        let name = format!("model-{number}");
        let trained = train(world, common, (experiment, seed, number), &name, context)?;
        Ok((name, trained))
    };
    (1..=seeds).map(one).collect()
}

/// The checkpoints of a model, by rising step.
///
/// # Errors
/// If one cannot be read.
pub fn checkpoints(name: &str, context: &RunContext<'_>) -> anyhow::Result<Vec<(u64, Parameters)>> {
    let mut all: Vec<_> =
        context.directory().checkpoints().into_iter().filter(|checkpoint| checkpoint.model == name).collect();
    all.sort_by_key(|checkpoint| checkpoint.step);
    all.into_iter().map(|checkpoint| Ok((checkpoint.step, load_parameters(&checkpoint.path)?))).collect()
}
