//! Training: batches, the learning-rate schedule, checkpoints, the loop.

use std::path::Path;
use std::sync::mpsc;

use environments::{Sample, Symbol, UNSCORED};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{Device, Learner, ModelError, ModelSpec, Parameters, learner};

mod checkpoint;
pub use checkpoint::{load_parameters, load_state, save_parameters, save_state};

/// Sequences of one length, stacked: both vectors hold sequences × positions symbols, row-major.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Number of sequences.
    pub sequences: usize,
    /// Input symbols.
    pub tokens: Vec<Symbol>,
    /// Output symbols, or [`environments::UNSCORED`].
    pub targets: Vec<Symbol>,
}

impl Batch {
    /// Stacks samples.
    pub fn stack(samples: &[Sample]) -> Self {
        Self {
            sequences: samples.len(),
            tokens: samples.iter().flat_map(|sample| sample.tokens.iter().copied()).collect(),
            targets: samples.iter().flat_map(|sample| sample.targets.iter().copied()).collect(),
        }
    }

    /// Positions that are scored.
    pub fn scored(&self) -> usize {
        self.targets.iter().filter(|&&target| target != UNSCORED).count()
    }

    /// The number of sequences, if the batch fits a model and is not empty.
    ///
    /// # Errors
    /// Says what does not fit.
    pub fn check(&self, spec: &ModelSpec) -> Result<usize, ModelError> {
        let sequences = spec.check_tokens(&self.tokens)?;
        if sequences == 0 || sequences != self.sequences {
            let stated = self.sequences;
            return Err(ModelError::Shape(format!("a batch of {stated} sequences holds the tokens of {sequences}")));
        }
        if self.targets.len() != self.tokens.len() {
            return Err(ModelError::Shape("a batch has as many targets as tokens".into()));
        }
        let bad = |&&target: &&Symbol| target != UNSCORED && usize::from(target) >= spec.targets;
        if let Some(target) = self.targets.iter().find(bad) {
            return Err(ModelError::Shape(format!("target {target} is outside the {} outputs", spec.targets)));
        }
        Ok(sequences)
    }
}

/// AdamW (Loshchilov & Hutter 2019), decoupled decay on matrices only, after clipping by the global norm.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdamW {
    /// Decay of the mean of gradients.
    pub beta1: f32,
    /// Decay of the mean of squared gradients.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// Weight decay a step, times the learning rate.
    pub weight_decay: f32,
    /// Greatest global norm of the gradient.
    pub clip: f32,
}

impl Default for AdamW {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weight_decay: 0.01, clip: 1.0 }
    }
}

/// How a model is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingConfig {
    /// Optimiser steps.
    pub steps: u64,
    /// Sequences a step.
    pub batch: usize,
    /// Greatest learning rate.
    pub learning_rate: f32,
    /// Steps over which the rate rises linearly from 0.
    pub warmup: u64,
    /// The rate at the last step, as a share of the greatest (cosine in between).
    pub final_rate: f32,
    /// The optimiser.
    pub optimizer: AdamW,
    /// Checkpoints at log-spaced steps; how many.
    pub checkpoints: usize,
    /// Steps between two states from which an interrupted training can go on.
    pub save_every: u64,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self {
            steps: 1000,
            batch: 64,
            learning_rate: 2e-3,
            warmup: 100,
            final_rate: 0.05,
            optimizer: AdamW::default(),
            checkpoints: 8,
            save_every: 200,
        }
    }
}

impl TrainingConfig {
    /// Checks the values.
    ///
    /// # Errors
    /// In one sentence that names the key.
    pub fn validate(&self) -> Result<(), ModelError> {
        let wrong = |text: String| Err(ModelError::Config(text));
        if self.steps == 0 {
            return wrong("training.steps is 0; it must be at least 1".into());
        }
        if self.batch == 0 || self.batch > 65_536 {
            return wrong(format!("training.batch = {} is outside 1 to 65536", self.batch));
        }
        if self.save_every == 0 {
            return wrong("training.save_every is 0; it must be at least 1".into());
        }
        let AdamW { beta1, beta2, epsilon, weight_decay, clip } = self.optimizer;
        for (key, value, low, high) in [
            ("learning_rate", self.learning_rate, 0.0, 10.0),
            ("final_rate", self.final_rate, 0.0, 1.0),
            ("optimizer.beta1", beta1, 0.0, 0.9999),
            ("optimizer.beta2", beta2, 0.0, 0.99999),
            ("optimizer.epsilon", epsilon, 1e-20, 1.0),
            ("optimizer.weight_decay", weight_decay, 0.0, 10.0),
            ("optimizer.clip", clip, 1e-6, 1e9),
        ] {
            if !(low..=high).contains(&value) {
                return wrong(format!("training.{key} = {value} is outside {low} to {high}"));
            }
        }
        Ok(())
    }

    /// The learning rate of a step (from 0): linear warm-up, then cosine; a pure function of the step.
    pub fn rate(&self, step: u64) -> f32 {
        if step < self.warmup {
            return self.learning_rate * (step + 1) as f32 / self.warmup as f32;
        }
        let past = (step - self.warmup) as f64 / (self.steps.saturating_sub(self.warmup)).max(1) as f64;
        let cosine = 0.5 * (1.0 + cosine_of_turn(past.min(1.0)));
        self.learning_rate * (self.final_rate + (1.0 - self.final_rate) * cosine as f32)
    }
}

/// cos(π·x) for 0 ≤ x ≤ 1 from basic operations alone, so that it is the same on every machine.
fn cosine_of_turn(x: f64) -> f64 {
    let (x, sign) = if x > 0.5 { (1.0 - x, -1.0) } else { (x, 1.0) };
    let square = (std::f64::consts::PI * x).powi(2);
    let (mut term, mut sum) = (1.0, 1.0);
    for order in 1..12 {
        term *= -square / ((2 * order - 1) * (2 * order)) as f64;
        sum += term;
    }
    sign * sum
}

/// Everything from which training goes on exactly.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingState {
    /// The weights.
    pub parameters: Parameters,
    /// Mean of gradients, laid out as the parameters.
    pub first: Vec<f32>,
    /// Mean of squared gradients, likewise.
    pub second: Vec<f32>,
    /// Steps done.
    pub step: u64,
}

impl TrainingState {
    /// The state before the first step.
    pub fn new(parameters: Parameters) -> Self {
        let len = parameters.values.len();
        Self { parameters, first: vec![0.0; len], second: vec![0.0; len], step: 0 }
    }
}

/// What an observer is told now and then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Steps done.
    pub step: u64,
    /// Steps in all.
    pub steps: u64,
    /// Mean loss since the last report, nats a scored position.
    pub loss: f32,
    /// Learning rate of the last step.
    pub learning_rate: f32,
    /// Positions (tokens) seen so far.
    pub tokens: u64,
}

/// What an observer answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Carry on.
    Continue,
    /// Save the state and stop with [`ModelError::Interrupted`].
    Stop,
}

/// The steps after which a checkpoint is kept: 0, then log-spaced, and the last.
pub fn checkpoint_steps(config: &TrainingConfig) -> Vec<u64> {
    let mut steps = vec![0, config.steps];
    let count = config.checkpoints.max(1);
    for order in 0..count {
        // steps^((order + 1) / count), by repeated square roots of nothing finer than a table: rounding hides the
        // last bit of `powf`, which may differ between machines, except at exact ties, which a checkpoint's name
        // survives.
        steps.push((config.steps as f64).powf((order + 1) as f64 / count as f64).round() as u64);
    }
    steps.sort_unstable();
    steps.dedup();
    steps
}

/// Trains a model. `sample(index)` gives the training episode of an index; step s uses indices
/// s·batch … (s+1)·batch − 1, so that a resumed training sees what an uninterrupted one would. Batches are
/// generated on other threads while the model trains.
///
/// In `directory`: `step-NNNNNNNN.safetensors` at [`checkpoint_steps`] and `state.safetensors` every
/// `save_every` steps; if a state is found there, training goes on from it. `observe` is told the loss every
/// `report_every` steps.
///
/// # Errors
/// For a configuration that cannot be, a directory that cannot be written or read, and when the observer stops.
pub fn train(
    initial: impl FnOnce() -> Parameters,
    config: &TrainingConfig,
    device: Device,
    directory: Option<&Path>,
    sample: &(dyn Fn(u64) -> Sample + Sync),
    report_every: u64,
    observe: &mut dyn FnMut(Progress) -> Verdict,
) -> Result<Parameters, ModelError> {
    config.validate()?;
    let saved = directory.map(|directory| directory.join("state.safetensors"));
    let state = match &saved {
        Some(path) if path.exists() => load_state(path)?,
        _ => TrainingState::new(initial()),
    };
    let first = state.step;
    let positions = state.parameters.spec.geometry.len() as u64;
    let mut model = learner(state, config.optimizer, device)?;
    let keep = checkpoint_steps(config);
    let checkpoint = |model: &dyn Learner, step: u64| match directory {
        Some(directory) if keep.contains(&step) => {
            save_parameters(&directory.join(format!("step-{step:08}.safetensors")), &model.state()?.parameters)
        }
        _ => Ok(()),
    };
    let save = |model: &dyn Learner| match &saved {
        Some(path) => save_state(path, &model.state()?),
        None => Ok(()),
    };
    if first == 0 {
        checkpoint(model.as_ref(), 0)?;
    }
    std::thread::scope(|scope| {
        // Two batches ahead hide generation behind training and bound the memory.
        let (sender, receiver) = mpsc::sync_channel(2);
        scope.spawn(move || {
            for step in first..config.steps {
                let start = step * config.batch as u64;
                let samples: Vec<Sample> = (start..start + config.batch as u64).into_par_iter().map(sample).collect();
                if sender.send(Batch::stack(&samples)).is_err() {
                    return;
                }
            }
        });
        for step in first..config.steps {
            let Ok(batch) = receiver.recv() else {
                return Err(ModelError::Config("the generation of training data stopped early".into()));
            };
            model.step(&batch, config.rate(step))?;
            let done = step + 1;
            checkpoint(model.as_ref(), done)?;
            if done % config.save_every == 0 && done < config.steps {
                save(model.as_ref())?;
            }
            if done % report_every.max(1) == 0 || done == config.steps {
                let loss = model.mean_loss()?;
                let tokens = done * config.batch as u64 * positions;
                let learning_rate = config.rate(step);
                let progress = Progress { step: done, steps: config.steps, loss, learning_rate, tokens };
                if observe(progress) == Verdict::Stop && done < config.steps {
                    save(model.as_ref())?;
                    return Err(ModelError::Interrupted);
                }
            }
        }
        save(model.as_ref())?;
        Ok(model.state()?.parameters)
    })
}
