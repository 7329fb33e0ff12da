//! One optimiser step over a flat buffer.
// Values, gradients and moments that run side by side are plainest by their number.
#![allow(clippy::needless_range_loop)]

use rayon::prelude::*;

use super::kernel::simd;
use super::math::LANES;
use super::switch::{Operation, plain};
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
    let update = if plain(Operation::Optimizer) { adamw_plainly } else { adamw };
    let Flat { values, first, second, runs } = flat;
    let moments = first.par_chunks_mut(PART).zip(second.par_chunks_mut(PART));
    let parts = values.par_chunks_mut(PART).zip(gradient.par_chunks(PART)).zip(moments);
    parts.enumerate().for_each(|(number, ((values, gradient), (first, second)))| {
        let (mut done, start) = (0, number * PART);
        for &(end, decays) in &runs[runs.partition_point(|(end, _)| *end <= start)..] {
            let range = done..(end - start).min(values.len());
            done = range.end;
            let scalars = Step { decay: if decays { weight_decay } else { 0.0 }, ..scalars };
            let (first, second) = (&mut first[range.clone()], &mut second[range.clone()]);
            update(&mut values[range.clone()], &gradient[range], first, second, scalars);
            if done == values.len() {
                break;
            }
        }
    });
}

/// Parameters that one thread takes at a time; what it does to each does not depend on the others.
const PART: usize = 8192;

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

/// The obvious form of [`adamw`], as in Loshchilov & Hutter 2019, algorithm 2.
fn adamw_plainly(weights: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32], step: Step) {
    let [rate, scale, beta1, beta2] = [step.rate, step.scale, step.beta1, step.beta2].map(f64::from);
    let [correction1, correction2, epsilon, decay] =
        [step.correction1, step.correction2, step.epsilon, step.decay].map(f64::from);
    for i in 0..weights.len() {
        let gradient = f64::from(gradient[i]) * scale;
        let mean = beta1 * f64::from(first[i]) + (1.0 - beta1) * gradient;
        let square = beta2 * f64::from(second[i]) + (1.0 - beta2) * gradient * gradient;
        let weight = f64::from(weights[i]);
        let direction = mean * correction1 / ((square * correction2).sqrt() + epsilon);
        weights[i] = (weight - rate * (direction + decay * weight)) as f32;
        (first[i], second[i]) = (mean as f32, square as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn a_step_is_the_obvious_one(
            sizes in proptest::collection::vec((1usize..6000, any::<bool>()), 1..8), step in 1u64..2000, clip in 0.1f32..50.0
        ) {
            let mut runs: Vec<(usize, bool)> = Vec::new();
            for (size, decays) in sizes {
                runs.push((runs.last().map_or(0, |run| run.0) + size, decays));
            }
            let count = runs.last().map_or(0, |run| run.0);
            let numbers = |scale: f32, shift: usize| -> Vec<f32> {
                (0..count).map(|at| scale * (((at + shift) * 7919 % 1999) as f32 / 1000.0 - 1.0)).collect()
            };
            let (values, gradient, first) = (numbers(1.0, 0), numbers(0.3, 17), numbers(0.1, 5));
            let second: Vec<f32> = numbers(0.01, 3).iter().map(|value| value.abs() + 1e-4).collect();
            let optimizer = AdamW { clip, weight_decay: 0.1, ..AdamW::default() };
            let (mut new, mut m, mut v) = (values.clone(), first.clone(), second.clone());
            let flat = Flat { values: &mut new, first: &mut m, second: &mut v, runs: &runs };
            descend(flat, &gradient, optimizer, step, 0.01);
            // All in f64, one parameter after the other.
            let norm = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
            let scale = (f64::from(clip) / (norm + 1e-6)).min(1.0);
            for at in 0..count {
                let decays = runs.iter().find(|run| at < run.0).is_some_and(|run| run.1);
                let g = f64::from(gradient[at]) * scale;
                let mean = 0.9 * f64::from(first[at]) + 0.1 * g;
                let square = 0.98 * f64::from(second[at]) + 0.02 * g * g;
                let power = |beta: f64| 1.0 - beta.powi(step as i32);
                let change = mean / power(f64::from(0.9f32)) / ((square / power(f64::from(0.98f32))).sqrt() + 1e-8);
                let decay = if decays { f64::from(0.1f32) * f64::from(values[at]) } else { 0.0 };
                let expected = f64::from(values[at]) - 0.01 * (change + decay);
                prop_assert!((f64::from(new[at]) - expected).abs() < 2e-6, "{}: {} but {}", at, new[at], expected);
                prop_assert!((f64::from(m[at]) - mean).abs() < 1e-6 && (f64::from(v[at]) - square).abs() < 1e-6);
            }
        }
    }
}
