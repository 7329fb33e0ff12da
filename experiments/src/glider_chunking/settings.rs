//! The sections of the config that this experiment defines.

use environments::Environment;
use environments::life::{LONGEST_HORIZON, LifeConfig, LifeWorld, control};
use models::{AdamW, ModelSpec, TrainingConfig, TransformerConfig};
use serde::{Deserialize, Serialize};

use crate::config::Config;

/// The claims that this experiment can measure.
pub const CLAIMS: [&str; 5] = ["skill", "chunking", "abstraction", "fate", "use"];

/// Section `[training]`: how the models are trained, and how many of each kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Training {
    /// Optimiser steps of a model of the experiment's question (all horizons).
    pub steps: u64,
    /// Boards a step.
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
    /// Models of the experiment's question; each has an untrained twin as a baseline.
    pub seeds: usize,
    /// Models of the same size that only predict the next step.
    pub next_step_seeds: usize,
    /// Optimiser steps of these.
    pub next_step_steps: u64,
    /// Models of the same size trained in the control world.
    pub control_seeds: usize,
    /// Optimiser steps of these.
    pub control_steps: u64,
}

impl Default for Training {
    fn default() -> Self {
        let TrainingConfig { learning_rate, warmup, final_rate, optimizer, .. } = TrainingConfig::default();
        Self {
            steps: 1500,
            batch: 64,
            learning_rate,
            warmup,
            final_rate,
            optimizer,
            checkpoints: 8,
            save_every: 250,
            seeds: 5,
            next_step_seeds: 3,
            next_step_steps: 500,
            control_seeds: 2,
            control_steps: 1500,
        }
    }
}

impl Training {
    /// The configuration of one training of so many steps.
    pub fn config(&self, steps: u64) -> TrainingConfig {
        TrainingConfig {
            steps,
            batch: self.batch,
            learning_rate: self.learning_rate,
            warmup: self.warmup.min(steps / 2),
            final_rate: self.final_rate,
            optimizer: self.optimizer,
            checkpoints: self.checkpoints,
            save_every: self.save_every,
        }
    }
}

/// Section `[measure]`: sizes of what is measured. None of it touches how the models are trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Measure {
    /// Rulestring of the control world, which has no gliders.
    pub control_rule: String,
    /// Test boards on which skill is measured, each at every horizon.
    pub skill_boards: usize,
    /// Window predictors see this many cells round a patch.
    pub window_reaches: Vec<u32>,
    /// Hidden widths of the window predictors.
    pub window_hidden: Vec<usize>,
    /// Windows of each step's boards that a window predictor learns from.
    pub window_rows: usize,
    /// Gliders on which probes are fitted, chosen and reported; as many other objects stand beside them.
    pub gliders: [usize; 3],
    /// Share of these that curves over horizons and checkpoints use.
    pub curve_share: f64,
    /// Models of which curves over checkpoints are made.
    pub curve_seeds: usize,
    /// Width of the non-linear probes.
    pub probe_width: usize,
    /// Channels of the convolutional fate predictor.
    pub cone_channels: usize,
    /// Passes of the convolutional fate predictor over its boards, each board in a random one of eight orientations.
    pub cone_epochs: usize,
    /// Transplants on which the layer is chosen, and on which figures are reported.
    pub transplants: [usize; 2],
    /// Contexts from which the glider direction of each heading, phase and alignment is learnt.
    pub direction_contexts: usize,
    /// Dimensions of the subspaces that are exchanged.
    pub subspaces: Vec<usize>,
    /// Test boards on which erasure is measured.
    pub erasure_boards: usize,
    /// Resamples of every interval.
    pub resamples: usize,
}

impl Default for Measure {
    fn default() -> Self {
        Self {
            control_rule: control::CONTROL_RULE.into(),
            skill_boards: 600,
            window_reaches: vec![2, 4],
            window_hidden: vec![192, 192],
            window_rows: 1024,
            gliders: [1200, 450, 1000],
            curve_share: 0.5,
            curve_seeds: 3,
            probe_width: 64,
            cone_channels: 16,
            cone_epochs: 20,
            transplants: [100, 200],
            direction_contexts: 6,
            subspaces: vec![4, 8, 16],
            erasure_boards: 400,
            resamples: 2000,
        }
    }
}

/// The world of the control rule, in which the same glider shapes are planted, though they do not fly.
pub fn control_world(world: &LifeConfig, measure: &Measure) -> LifeConfig {
    LifeConfig {
        rule: measure.control_rule.clone(),
        recognise_as: Some(world.recognise_as.clone().unwrap_or_else(|| world.rule.clone())),
        ..world.clone()
    }
}

/// All four sections.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The world.
    pub world: LifeConfig,
    /// The model.
    pub model: TransformerConfig,
    /// Training.
    pub training: Training,
    /// Measurement.
    pub measure: Measure,
}

impl Settings {
    /// Reads a completed config.
    ///
    /// # Errors
    /// If a section is not what this version of the program writes.
    pub fn read(config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            world: config.section("world")?,
            model: config.section("model")?,
            training: config.section("training")?,
            measure: config.section("measure")?,
        })
    }

    /// Fills in every default and checks all values.
    ///
    /// # Errors
    /// In one sentence that names the key.
    pub fn complete(config: &mut Config) -> anyhow::Result<()> {
        let world: LifeConfig = config.complete("world")?;
        let model: TransformerConfig = config.complete("model")?;
        let training: Training = config.complete("training")?;
        let measure: Measure = config.complete("measure")?;
        let built = LifeWorld::new(world.clone()).map_err(|error| refuse_world(config, &error.to_string()))?;
        if world.mix.scenes <= 0.0 || world.scenes.gliders[1] == 0 {
            return Err(config.refuse("world.scenes.gliders", "this experiment needs scenes with gliders in them"));
        }
        if world.patch == 1 && world.width * world.height > 1024 {
            return Err(config.refuse("world.patch", "makes too many tokens of this board; the nearest that fits is 2"));
        }
        check_model(config, &model)?;
        let spec = ModelSpec {
            vocabulary: built.vocabulary(),
            targets: built.targets(),
            geometry: built.geometry(),
            model: model.into(),
        };
        if let Err(error) = spec.validate() {
            return Err(config.refuse("model", &error.to_string()));
        }
        check_training(config, &training)?;
        check_measure(config, &measure, &world)?;
        for claim in &config.claims {
            if !CLAIMS.contains(&claim.name.as_str()) {
                let nearest = crate::config::nearest(&claim.name, CLAIMS);
                let reason = format!("this experiment cannot measure `{}`; the nearest is `{nearest}`", claim.name);
                return Err(config.refuse("claim", &reason));
            }
        }
        Ok(())
    }

    /// The longest horizon.
    pub fn longest(&self) -> u32 {
        self.world.horizons.iter().copied().max().unwrap_or(1)
    }

    /// The horizons, rising.
    pub fn horizons(&self) -> Vec<u32> {
        let mut horizons = self.world.horizons.clone();
        horizons.sort_unstable();
        horizons
    }

    /// The horizons beyond the model's depth: no model of one step a layer gets there.
    pub fn beyond_depth(&self) -> Vec<u32> {
        self.horizons().into_iter().filter(|&horizon| horizon as usize > self.model.depth).collect()
    }
}

/// A world's error, which begins with the key at fault, told at that key's line.
fn refuse_world(config: &Config, error: &str) -> anyhow::Error {
    let key = error.split(" = ").next().unwrap_or_default();
    let named = !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '.');
    config.refuse(&if named { format!("world.{key}") } else { "world".into() }, error)
}

fn check_model(config: &Config, model: &TransformerConfig) -> anyhow::Result<()> {
    let TransformerConfig { depth, width, heads, expansion, .. } = *model;
    for (key, value, most) in
        [("depth", depth, 64), ("width", width, 8192), ("heads", heads, width), ("expansion", expansion, 16)]
    {
        if value == 0 || value > most {
            return Err(config.refuse(&format!("model.{key}"), &format!("must be from 1 to {most}")));
        }
    }
    if width % heads != 0 {
        let nearest = (1..=width).filter(|n| width % n == 0).min_by_key(|n| n.abs_diff(heads)).unwrap_or(1);
        let reason = format!("does not divide model.width = {width}; the nearest that does is {nearest}");
        return Err(config.refuse("model.heads", &reason));
    }
    Ok(())
}

fn check_training(config: &Config, training: &Training) -> anyhow::Result<()> {
    for (key, value) in [
        ("steps", training.steps),
        ("next_step_steps", training.next_step_steps),
        ("control_steps", training.control_steps),
    ] {
        if value == 0 {
            return Err(config.refuse(&format!("training.{key}"), "must be at least 1"));
        }
        if let Err(error) = training.config(value).validate() {
            return Err(config.refuse("training", &error.to_string()));
        }
    }
    for (key, value) in [
        ("seeds", training.seeds),
        ("next_step_seeds", training.next_step_seeds),
        ("control_seeds", training.control_seeds),
    ] {
        if value == 0 || value > 100 {
            return Err(config.refuse(&format!("training.{key}"), "must be from 1 to 100"));
        }
    }
    Ok(())
}

fn check_measure(config: &Config, measure: &Measure, world: &LifeConfig) -> anyhow::Result<()> {
    let refuse = |key: &str, reason: String| Err(config.refuse(&format!("measure.{key}"), &reason));
    if let Err(error) = LifeWorld::new(control_world(world, measure)) {
        return refuse("control_rule", error.to_string());
    }
    for (key, value, least, most) in [
        ("skill_boards", measure.skill_boards, 2, 1_000_000),
        ("window_rows", measure.window_rows, 1, 1_000_000),
        ("curve_seeds", measure.curve_seeds, 1, 100),
        ("probe_width", measure.probe_width, 1, 4096),
        ("cone_channels", measure.cone_channels, 1, 512),
        ("cone_epochs", measure.cone_epochs, 1, 10_000),
        ("direction_contexts", measure.direction_contexts, 1, 1000),
        ("erasure_boards", measure.erasure_boards, 8, 1_000_000),
        ("resamples", measure.resamples, 100, 1_000_000),
    ] {
        if !(least..=most).contains(&value) {
            return refuse(key, format!("must be from {least} to {most}"));
        }
    }
    if measure.gliders.iter().any(|&count| !(16..=1_000_000).contains(&count)) {
        return refuse("gliders", "each must be from 16 to 1000000".into());
    }
    if measure.transplants.iter().any(|&count| !(4..=100_000).contains(&count)) {
        return refuse("transplants", "each must be from 4 to 100000".into());
    }
    if !(measure.curve_share > 0.0 && measure.curve_share <= 1.0) {
        return refuse("curve_share", "must be a share above 0 and at most 1".into());
    }
    let shorter = world.width.min(world.height);
    if measure.window_reaches.is_empty() || measure.window_reaches.iter().any(|reach| world.patch + 2 * reach > shorter)
    {
        let most = (shorter - world.patch) / 2;
        return refuse("window_reaches", format!("each must be at most {most}, and there must be one"));
    }
    if measure.window_hidden.iter().any(|&width| !(1..=4096).contains(&width)) {
        return refuse("window_hidden", "each must be from 1 to 4096".into());
    }
    if measure.subspaces.is_empty() || measure.subspaces.contains(&0) {
        return refuse("subspaces", "each must be at least 1, and there must be one".into());
    }
    if world.horizons.iter().any(|&horizon| horizon > LONGEST_HORIZON) {
        return Err(config.refuse("world.horizons", &format!("each must be at most {LONGEST_HORIZON}")));
    }
    Ok(())
}
