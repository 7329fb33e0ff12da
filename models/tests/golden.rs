//! The engine's own bits: what it computes must not change unnoticed, on any machine and at any thread count.
#![allow(clippy::unwrap_used)]

mod common;

use common::{batch, line, looped, lstm, mixed, tokens, torus, with_threads};
use models::{AdamW, Device, ModelSpec, Plan, TrainingState, learner, predictor};

/// FNV-1a over the bits (Fowler, Noll & Vo), 64 bits.
fn digest(values: &[f32]) -> u64 {
    values
        .iter()
        .flat_map(|value| value.to_bits().to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// Digests of the losses and weights of twelve steps, and of every tap of the model that they leave.
fn bits(spec: &ModelSpec) -> [u64; 3] {
    let mut model = learner(TrainingState::new(mixed(spec, 4)), AdamW::default(), Device::Cpu).unwrap();
    let losses: Vec<f32> = (0..12)
        .map(|step| {
            model.step(&batch(spec, 11, step), 3e-3).unwrap();
            model.mean_loss().unwrap()
        })
        .collect();
    let parameters = model.state().unwrap().parameters;
    let capture = spec.taps().into_iter().map(|tap| tap.name).collect();
    let plan = Plan { capture, interventions: Vec::new() };
    let run = predictor(&parameters, Device::Cpu).unwrap().run(&tokens(spec, 3, 8), &plan).unwrap();
    let activations: Vec<f32> = run.captured.into_iter().flat_map(|captured| captured.values).collect();
    [digest(&losses), digest(&parameters.values), digest(&activations)]
}

#[test]
fn training_and_taps_give_the_recorded_bits() {
    for (name, spec, recorded) in [
        ("torus", torus(), [0x49d6_d920_83b5_3666, 0xac8c_7c78_b1dd_9eac, 0x07e6_6de0_72b7_52f8]),
        ("line", line(), [0x826f_3bd7_af49_d90d, 0xc4bd_23ab_9049_766f, 0x2f01_b64b_379d_aabc]),
        ("looped", looped(), [0x340b_ad6a_e3f9_ae9e, 0x3d78_430c_3468_d8ff, 0x6fd5_0b7c_adb0_742a]),
        ("lstm", lstm(), [0x8dfe_1805_54f0_d19e, 0xa9da_869c_edc8_910e, 0x31df_4832_9d73_8664]),
    ] {
        for threads in [1, 3] {
            let found = with_threads(threads, || bits(&spec));
            assert_eq!(found, recorded, "{name} on {threads} threads: {found:#018x?}");
        }
    }
}
