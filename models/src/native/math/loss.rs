//! Logits to probabilities and losses. Sums run in the order of the outputs, of which there are few.

use super::{exponential, logarithm};

/// Logits to probabilities, in place.
pub fn softmax(row: &mut [f32]) {
    let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut total = 0.0;
    for value in row.iter_mut() {
        *value = exponential(*value - top);
        total += *value;
    }
    for value in row.iter_mut() {
        *value /= total;
    }
}

/// Loss (nats) and gradient of softmax cross-entropy of one row: `row` holds logits and becomes softmax − one-hot.
pub fn cross_entropy(row: &mut [f32], target: usize) -> f32 {
    let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut total = 0.0;
    let at_target = row[target] - top;
    for value in row.iter_mut() {
        *value = exponential(*value - top);
        total += *value;
    }
    let inverse = 1.0 / total;
    for value in row.iter_mut() {
        *value *= inverse;
    }
    row[target] -= 1.0;
    logarithm(total) - at_target
}

/// The log-probability, in nats, that logits give one output: [`cross_entropy`] with its sign turned, to the bit.
pub fn log_probability(row: &[f32], target: usize) -> f32 {
    let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut total = 0.0;
    for value in row {
        total += exponential(value - top);
    }
    (row[target] - top) - logarithm(total)
}
