//! One optimiser step over a flat buffer.

use super::kernel::simd;
use super::math::LANES;
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
    let norm = square_norm(gradient).sqrt() as f32;
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
        adamw(
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

simd! {
    /// Sum of squares in f64, in 16 lanes.
    fn square_norm(values: &[f32]) -> f64 {
        let mut lanes = [0.0f64; LANES];
        let whole = values.chunks_exact(LANES);
        let rest = whole.remainder();
        for chunk in whole {
            for lane in 0..LANES {
                lanes[lane] += f64::from(chunk[lane]) * f64::from(chunk[lane]);
            }
        }
        for (lane, &value) in rest.iter().enumerate() {
            lanes[lane] += f64::from(value) * f64::from(value);
        }
        lanes.iter().sum()
    }
}

/// The scalars of one AdamW step.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// Learning rate.
    rate: f32,
    /// Factor of the gradient (clipping).
    scale: f32,
    /// Decay of the first moment.
    beta1: f32,
    /// Decay of the second moment.
    beta2: f32,
    /// 1/(1 − β₁ᵗ).
    correction1: f32,
    /// 1/(1 − β₂ᵗ).
    correction2: f32,
    /// Added to the root.
    epsilon: f32,
    /// Weight decay, 0 where none applies.
    decay: f32,
}

simd! {
    /// One AdamW step on a run of parameters.
    fn adamw(weights: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32], step: Step) {
        for (((w, g), m), v) in weights.iter_mut().zip(gradient).zip(first.iter_mut()).zip(second.iter_mut()) {
            let g = g * step.scale;
            *m = step.beta1 * *m + (1.0 - step.beta1) * g;
            *v = step.beta2 * *v + (1.0 - step.beta2) * g * g;
            let direction = *m * step.correction1 / ((*v * step.correction2).sqrt() + step.epsilon);
            *w -= step.rate * (direction + step.decay * *w);
        }
    }
}
