//! What a running experiment is given: its directory, its device, progress, stages that are not done twice.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context, anyhow};
use environments::Sample;
use models::{Device, ModelError, Parameters, TrainingConfig};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::progress::{Bar, Progress};
use crate::run_directory::{Metric, RunDirectory};

/// Set when a person asks the program to stop (Ctrl-C).
static STOP: AtomicBool = AtomicBool::new(false);

/// Set while a run is in progress that could save what it has.
static RUNNING: AtomicBool = AtomicBool::new(false);

/// Whether a run is in progress.
pub fn running() -> bool {
    RUNNING.load(Ordering::SeqCst)
}

/// Asks every running experiment to save and stop.
pub fn ask_to_stop() {
    STOP.store(true, Ordering::SeqCst);
}

/// Whether a stop was asked for.
pub fn stop_asked() -> bool {
    STOP.load(Ordering::SeqCst)
}

/// The error of a run that was asked to stop, with what to say of going on.
#[derive(Debug, Default, thiserror::Error)]
#[error("stopped as asked{0}")]
pub struct Stopped(pub String);

/// What a model's training data costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DataCost {
    /// Seconds of one thread that a batch takes.
    pub batch: f64,
    /// Seconds that a training step takes on all threads.
    pub step: f64,
    /// Threads.
    pub threads: usize,
}

impl DataCost {
    /// What a batch costs, as a share of the processor time of a step.
    pub fn share(&self) -> f64 {
        self.batch / (self.step * self.threads as f64)
    }
}

/// How an experiment ends that was only to be gauged.
#[derive(Debug, thiserror::Error)]
#[error("the cost of the training data was measured, and nothing trained")]
pub struct Gauged(pub DataCost);

/// What a running experiment is given.
pub struct RunContext<'a> {
    gauging: bool,
    directory: &'a RunDirectory,
    device: Device,
    progress: Progress,
    models: (usize, usize),
}

impl<'a> RunContext<'a> {
    /// A context for a run in a directory that the caller holds.
    pub fn new(directory: &'a RunDirectory, device: Device, progress: Progress) -> Self {
        RUNNING.store(true, Ordering::SeqCst);
        Self { gauging: false, directory, device, progress, models: (0, 0) }
    }

    /// A context in which the first training is gauged and not done: [`RunContext::train`] ends with [`Gauged`].
    pub fn gauging(directory: &'a RunDirectory, device: Device, progress: Progress) -> Self {
        Self { gauging: true, ..Self::new(directory, device, progress) }
    }

    /// The run's directory.
    pub fn directory(&self) -> &RunDirectory {
        self.directory
    }

    /// Where models run.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Says how many times [`RunContext::train`] will be called, so that progress can count them.
    pub fn expect_models(&mut self, count: usize) {
        self.models = (0, count);
    }

    /// Passes unless a stop was asked for. Called between pieces of slow work; everything up to the last finished
    /// stage and the last saved training step is kept.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn check_stop(&self) -> anyhow::Result<()> {
        if stop_asked() { Err(Stopped::default().into()) } else { Ok(()) }
    }

    /// A progress bar for work other than training; shared by reference with worker threads.
    pub fn bar(&self, what: &str, total: u64) -> Bar {
        self.progress.bar(what, total)
    }

    /// The value of a stage: read from `stages/<name>.json` if an earlier run of this directory finished it, else
    /// computed and written there. Either way the value has gone through JSON, so both ways give the same bits; a
    /// value that JSON cannot hold (NaN, infinity) fails here and not on the day a run is resumed: use `Option`.
    ///
    /// # Errors
    /// What `compute` fails with, a file that cannot be written, a value that JSON cannot hold, a stop.
    pub fn stage<T: Serialize + DeserializeOwned>(
        &mut self,
        name: &str,
        compute: impl FnOnce(&mut Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let file = format!("stages/{}.json", checked(name)?);
        if let Some(text) = self.directory.read_if_there(&file)? {
            return serde_json::from_str(&text).map_err(|error| {
                anyhow!(
                    "{} is not what the stage `{name}` writes ({error}); remove it to recompute the stage",
                    self.directory.file(&file).display()
                )
            });
        }
        self.check_stop()?;
        let value = compute(self)?;
        let text = serde_json::to_string(&value).with_context(|| format!("the stage `{name}` cannot be saved"))?;
        let value = serde_json::from_str(&text)
            .with_context(|| format!("the stage `{name}` has a value that JSON cannot hold"))?;
        self.directory.write(&file, text.as_bytes())?;
        Ok(value)
    }

    /// Trains a model, or goes on with or takes up what an earlier run of this directory trained. Checkpoints lie in
    /// `checkpoints/<name>/`; the loss goes to `metrics.jsonl` and to the progress bar.
    ///
    /// # Errors
    /// Those of [`models::train`], with the model's name; [`Stopped`] when a stop was asked for, after saving.
    pub fn train(
        &mut self,
        name: &str,
        initial: impl FnOnce() -> Parameters,
        config: &TrainingConfig,
        sample: &(dyn Fn(u64) -> Sample + Sync),
    ) -> anyhow::Result<Parameters> {
        if self.gauging {
            return Err(Gauged(gauge(initial(), config, self.device, sample)?).into());
        }
        let relative = format!("checkpoints/{}", checked(name)?);
        self.models.0 += 1;
        let directory = self.directory.make_folder(&relative)?;
        let state = directory.join("state.safetensors");
        let first = if state.exists() { models::load_state(&state)?.step } else { 0 };
        if first < config.steps {
            self.check_stop()?;
            // What will be trained again is recorded again.
            self.directory.drop_metrics(name, first)?;
        }
        let every = report_every(config);
        let (number, expected) = self.models;
        let counted = if expected > 1 { format!("[{number}/{expected}] {name}") } else { name.to_string() };
        let bar = self.progress.training(&counted, first, config.steps);
        let mut failure = None;
        let mut observe = |progress: models::Progress| {
            bar.at(progress.step, progress.loss, progress.tokens);
            let metric = Metric {
                model: name.into(),
                step: progress.step,
                loss: progress.loss,
                learning_rate: progress.learning_rate,
                tokens: progress.tokens,
            };
            if let Err(error) = self.directory.append_metric(&metric) {
                failure = Some(error);
                return models::Verdict::Stop;
            }
            if stop_asked() { models::Verdict::Stop } else { models::Verdict::Continue }
        };
        let result = models::train(initial, config, self.device, Some(&directory), sample, every, &mut observe);
        bar.finish();
        match (result, failure) {
            (_, Some(error)) => Err(error),
            (Ok(parameters), None) => Ok(parameters),
            (Err(ModelError::Interrupted), None) => Err(Stopped::default().into()),
            (Err(error), None) => Err(anyhow!(error).context(format!("training `{name}`"))),
        }
    }
}

impl Drop for RunContext<'_> {
    fn drop(&mut self) {
        RUNNING.store(false, Ordering::SeqCst);
    }
}

/// Times batches, made on one thread, and training steps, for about a second each.
fn gauge(
    parameters: Parameters,
    config: &TrainingConfig,
    device: Device,
    sample: &(dyn Fn(u64) -> Sample + Sync),
) -> anyhow::Result<DataCost> {
    let second = std::time::Duration::from_secs(1);
    let make = |number: u64| {
        let first = number * config.batch as u64;
        models::Batch::stack(&(first..first + config.batch as u64).map(sample).collect::<Vec<Sample>>())
    };
    let batch = make(0);
    let (start, mut batches) = (Instant::now(), 0);
    while start.elapsed() < second {
        batches += 1;
        std::hint::black_box(make(batches));
    }
    let batch_seconds = start.elapsed().as_secs_f64() / batches as f64;
    let mut model = models::learner(models::TrainingState::new(parameters), config.optimizer, device)?;
    model.step(&batch, 0.0)?;
    model.mean_loss()?;
    let (start, mut steps) = (Instant::now(), 0);
    while start.elapsed() < second {
        model.step(&batch, 0.0)?;
        steps += 1;
    }
    model.mean_loss()?;
    let step = start.elapsed().as_secs_f64() / f64::from(steps);
    Ok(DataCost { batch: batch_seconds, step, threads: rayon::current_num_threads() })
}

/// Steps between two reports: about 200 a training, and a divisor of `save_every`, so that a resumed training
/// reports at the steps, and averages over the steps, at which an uninterrupted one does.
fn report_every(config: &TrainingConfig) -> u64 {
    let wanted = (config.steps / 200).max(1);
    (1..=wanted.min(config.save_every)).rev().find(|every| config.save_every.is_multiple_of(*every)).unwrap_or(1)
}

/// A name that is safe as a file's.
pub(crate) fn checked(name: &str) -> anyhow::Result<&str> {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(safe) {
        return Err(anyhow!("`{name}` cannot be the name of a stage or model: letters, digits, `-`, `_` and `.` only"));
    }
    Ok(name)
}
