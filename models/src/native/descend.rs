//! One optimiser step over a flat buffer.

use super::math::{self, Step};
use crate::training::AdamW;

/// A flat buffer of parameters with its moments.
pub struct Flat<'a> {
    /// Parameters.
    pub values: &'a mut [f32],
    /// Mean of gradients.
    pub first: &'a mut [f32],
    /// Mean of squared gradients.
    pub second: &'a mut [f32],
    /// Runs of parameters with one rule of decay: (end, decays).
    pub runs: &'a [(usize, bool)],
}

/// Clips by the global norm and takes AdamW step number `step` (from 1).
pub fn descend(flat: Flat, gradient: &[f32], optimizer: AdamW, step: u64, rate: f32) {
    let norm = math::square_norm(gradient).sqrt() as f32;
    let AdamW { beta1, beta2, epsilon, weight_decay, clip } = optimizer;
    let correction = |beta: f32| (1.0 / (1.0 - power(f64::from(beta), step))) as f32;
    let scalars = Step {
        rate,
        scale: (clip / (norm + 1e-6)).min(1.0),
        beta1,
        beta2,
        correction1: correction(beta1),
        correction2: correction(beta2),
        epsilon,
        decay: 0.0,
    };
    let mut first = 0;
    for &(end, decays) in flat.runs {
        let range = first..end;
        let scalars = Step { decay: if decays { weight_decay } else { 0.0 }, ..scalars };
        math::adamw(
            &mut flat.values[range.clone()],
            &gradient[range.clone()],
            &mut flat.first[range.clone()],
            &mut flat.second[range],
            scalars,
        );
        first = end;
    }
}

/// βⁿ by squaring: the same bits everywhere, which `powi` does not promise.
fn power(base: f64, exponent: u64) -> f64 {
    let (mut result, mut base, mut exponent) = (1.0, base, exponent);
    while exponent > 0 {
        if exponent % 2 == 1 {
            result *= base;
        }
        base *= base;
        exponent /= 2;
    }
    result
}
