//! Training as a whole: known entropies, interruption and resumption.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{DEVICES, same_bits, small};
use environments::{Geometry, Sample};
use models::{
    Device, ModelError, ModelSpec, Parameters, Progress, TrainingConfig, TransformerConfig, Verdict, load_parameters,
    train,
};

fn line() -> ModelSpec {
    ModelSpec {
        vocabulary: 2,
        targets: 2,
        geometry: Geometry::Line { length: 8 },
        model: TransformerConfig { depth: 2, width: 16, heads: 2, expansion: 2, loops: 1 }.into(),
    }
}

/// All eight-bit inputs, sixteen times over, the target being the input's bit to the left (the first: its own), flipped
/// in exactly one of the sixteen copies. No model can do better than the entropy of the flips, H(1/16), and one that
/// looks one to the left reaches it. Inputs come in a fixed order that 97, prime to 4096, scatters.
fn flipped(index: u64) -> Sample {
    let case = index * 97 % 4096;
    let (input, copy) = (case % 256, case / 256);
    let bit = |at: u64| (input >> at & 1) as u16;
    Sample {
        tokens: (0..8).map(bit).collect(),
        // Which copy is flipped differs from position to position and from input to input.
        targets: (0..8)
            .map(|at: u64| bit(at.saturating_sub(1)) ^ u16::from(copy == (at * 3 + input * 5) % 16))
            .collect(),
    }
}

#[test]
fn the_loss_of_a_noisy_copy_falls_to_the_entropy_of_its_noise() {
    let (p, config) = (
        1.0f32 / 16.0,
        TrainingConfig { steps: 256, batch: 64, warmup: 20, learning_rate: 1e-2, ..TrainingConfig::default() },
    );
    let entropy = -p * p.ln() - (1.0 - p) * (1.0 - p).ln();
    for device in DEVICES {
        let mut losses = Vec::new();
        // The last report covers one whole pass over the 4096 sequences: 64 steps of 64.
        train(|| small(&line(), 1), &config, device, None, &flipped, 64, &mut |progress: Progress| {
            losses.push(progress.loss);
            Verdict::Continue
        })
        .unwrap();
        let [first, .., last] = losses[..] else { panic!("{losses:?}") };
        assert!(first > entropy + 0.05, "{}: it must be learnt: {losses:?}", device.name());
        // Above by what is left to learn, below only by what 256 steps could memorise of 4096 sequences.
        assert!(last > entropy - 0.005 && last < entropy + 0.02, "{}: {losses:?}, not {entropy}", device.name());
    }
}

fn config() -> TrainingConfig {
    TrainingConfig { steps: 12, batch: 4, warmup: 3, save_every: 4, checkpoints: 3, ..TrainingConfig::default() }
}

fn trained(device: Device, directory: Option<&Path>, stop_at: Option<u64>) -> Result<Parameters, ModelError> {
    train(|| small(&line(), 2), &config(), device, directory, &flipped, 1, &mut |progress: Progress| {
        if Some(progress.step) == stop_at { Verdict::Stop } else { Verdict::Continue }
    })
}

#[test]
fn an_interrupted_training_resumed_gives_the_same_weights() {
    for device in DEVICES {
        let whole = trained(device, None, None).unwrap();
        let start = small(&line(), 2);
        assert!(!same_bits(&whole.values, &start.values));
        for stop in [1, 7] {
            let folder = tempfile::tempdir().unwrap();
            let stopped = trained(device, Some(folder.path()), Some(stop));
            assert!(matches!(stopped, Err(ModelError::Interrupted)), "{}", device.name());
            let resumed = trained(device, Some(folder.path()), None).unwrap();
            assert!(same_bits(&whole.values, &resumed.values), "{} stopped after step {stop}", device.name());
            let saved = load_parameters(&folder.path().join("step-00000012.safetensors")).unwrap();
            assert!(same_bits(&whole.values, &saved.values));
            let first = load_parameters(&folder.path().join("step-00000000.safetensors")).unwrap();
            assert!(same_bits(&first.values, &start.values), "weights start equal on every device");
        }
    }
}

#[test]
fn two_trainings_give_the_same_weights() {
    for device in DEVICES {
        let (one, other) = (trained(device, None, None).unwrap(), trained(device, None, None).unwrap());
        assert!(same_bits(&one.values, &other.values), "{}", device.name());
    }
}
