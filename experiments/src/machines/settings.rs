//! The sections of a config that experiments with machines share.

use environments::turing::{TuringConfig, TuringWorld, View};
use environments::{Environment, EnvironmentError};
use models::{AdamW, ModelConfig, ModelSpec, TrainingConfig};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::config::{Config, nearest};

/// Section `[training]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Training {
    /// Optimiser steps of a model.
    pub steps: u64,
    /// Runs a step.
    pub batch: usize,
    /// Greatest learning rate.
    pub learning_rate: f32,
    /// Steps over which the rate rises linearly from 0.
    pub warmup: u64,
    /// The rate at the last step, as a share of the greatest.
    pub final_rate: f32,
    /// The optimiser.
    pub optimizer: AdamW,
    /// Checkpoints at log-spaced steps; how many.
    pub checkpoints: usize,
    /// Steps between two states from which an interrupted training can go on.
    pub save_every: u64,
    /// Models of each kind.
    pub seeds: usize,
}

impl Default for Training {
    fn default() -> Self {
        let TrainingConfig { steps, batch, learning_rate, warmup, final_rate, optimizer, checkpoints, save_every } =
            TrainingConfig::default();
        Self { steps, batch, learning_rate, warmup, final_rate, optimizer, checkpoints, save_every, seeds: 5 }
    }
}

impl Training {
    /// The configuration of one training.
    pub fn config(&self) -> TrainingConfig {
        TrainingConfig {
            steps: self.steps,
            batch: self.batch,
            learning_rate: self.learning_rate,
            warmup: self.warmup.min(self.steps / 2),
            final_rate: self.final_rate,
            optimizer: self.optimizer,
            checkpoints: self.checkpoints,
            save_every: self.save_every,
        }
    }
}

/// The sections that all these experiments have.
#[derive(Clone, Debug)]
pub struct Common<W = TuringConfig> {
    /// The world.
    pub world: W,
    /// The model.
    pub model: ModelConfig,
    /// Training.
    pub training: Training,
}

impl Common {
    /// [`Common::complete_with`] for the world `turing`.
    ///
    /// # Errors
    /// In one sentence that names the key.
    pub fn complete(config: &mut Config, claims: &[&str]) -> anyhow::Result<(Self, TuringWorld)> {
        let complete = Self::complete_with(config, claims, TuringWorld::new)?;
        let world = complete.1.config();
        let plain = [
            ("world.view", world.view == View::Head, "the nearest is 'head'"),
            ("world.halting", !world.halting, "the nearest is false"),
            ("world.sizes", world.sizes.is_empty(), "the nearest is one size, as `states` and `symbols`"),
            ("world.condition", world.condition.is_none(), "the nearest is none"),
        ];
        match plain.into_iter().find(|(_, plain, _)| !plain) {
            Some((key, _, nearest)) => {
                let reason = format!(
                    "this experiment sees never-halting machines of one class from the head; {nearest} \
                                      (`machine-inference` takes any)"
                );
                Err(config.refuse(key, &reason))
            }
            None => Ok(complete),
        }
    }
}

impl<W: Clone + Serialize + DeserializeOwned> Common<W> {
    /// Reads a completed config.
    ///
    /// # Errors
    /// If a section is not what this version of the program writes.
    pub fn read(config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            world: config.section("world")?,
            model: config.section("model")?,
            training: config.section("training")?,
        })
    }

    /// Fills in every default and checks all values, the world's and the model's by building them.
    ///
    /// # Errors
    /// In one sentence that names the key.
    pub fn complete_with<E: Environment>(
        config: &mut Config,
        claims: &[&str],
        build: impl FnOnce(W) -> Result<E, EnvironmentError>,
    ) -> anyhow::Result<(Self, E)> {
        let world: W = config.complete("world")?;
        let model: ModelConfig = config.complete("model")?;
        let training: Training = config.complete("training")?;
        let built = build(world.clone()).map_err(|error| config.refuse("world", &error.to_string()))?;
        if let Err(error) = spec(&built, &model).validate() {
            return Err(config.refuse("model", &error.to_string()));
        }
        if let Err(error) = training.config().validate() {
            return Err(config.refuse("training", &error.to_string()));
        }
        if !(1..=100).contains(&training.seeds) {
            return Err(config.refuse("training.seeds", "must be from 1 to 100"));
        }
        for claim in &config.claims {
            if !claims.contains(&claim.name.as_str()) {
                let nearest = nearest(&claim.name, claims.iter().copied());
                let reason = format!("this experiment cannot measure `{}`; the nearest is `{nearest}`", claim.name);
                return Err(config.refuse("claim", &reason));
            }
        }
        Ok((Self { world, model, training }, built))
    }
}

/// Refuses a number of `[measure]` that is out of range.
///
/// # Errors
/// In one sentence that names the key.
pub fn within(config: &Config, numbers: &[(&str, usize, usize, usize)]) -> anyhow::Result<()> {
    for &(key, value, least, most) in numbers {
        if !(least..=most).contains(&value) {
            return Err(config.refuse(&format!("measure.{key}"), &format!("must be from {least} to {most}")));
        }
    }
    Ok(())
}

/// The specification of a model of a world.
pub fn spec(world: &dyn Environment, model: &ModelConfig) -> ModelSpec {
    ModelSpec {
        vocabulary: world.vocabulary(),
        targets: world.targets(),
        geometry: world.geometry(),
        model: model.clone(),
    }
}
