//! The obvious form of every fused operation: one value after the other, in f64, with the mathematical library's
//! functions. References for tests, and what runs where a switch turns the fused form off.

use super::LANES;
use super::attention::Ends;

/// The normal form of a row and 1/√(variance + 1e-5).
pub fn normal(x: &[f64]) -> (Vec<f64>, f64) {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64;
    let scale = 1.0 / (variance + 1e-5).sqrt();
    (x.iter().map(|x| (x - mean) * scale).collect(), scale)
}

/// gelu(x) = x/2·(1 + tanh u), u = √(2/π)·(x + 0.044715·x³).
pub fn gelu_of(x: f64) -> f64 {
    x / 2.0 * (1.0 + bend(x).tanh())
}

/// The derivative of [`gelu_of`].
pub fn gelu_slope(x: f64) -> f64 {
    let t = bend(x).tanh();
    let du = (2.0 / std::f64::consts::PI).sqrt() * (1.0 + 3.0 * 0.044_715 * x * x);
    (1.0 + t) / 2.0 + x / 2.0 * (1.0 - t * t) * du
}

fn bend(x: f64) -> f64 {
    (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))
}

/// Scores to weights that sum to 1.
pub fn weights(scores: &[f64]) -> Vec<f64> {
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = scores.iter().map(|score| (score - top).exp()).collect();
    let total: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / total).collect()
}

/// σ(x).
pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn double(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

pub(super) fn normalise(x: &[f32], gain: &[f32], bias: &[f32], y: &mut [f32], normal: &mut [f32], scale: &mut [f32]) {
    let width = gain.len();
    for (row, x) in x.chunks_exact(width).enumerate() {
        let (normed, root) = self::normal(&double(x));
        scale[row] = root as f32;
        for i in 0..width {
            normal[row * width + i] = normed[i] as f32;
            y[row * width + i] = (normed[i] * f64::from(gain[i]) + f64::from(bias[i])) as f32;
        }
    }
}

pub(super) fn normalise_backward(
    dy: &[f32],
    normal: &[f32],
    scale: &[f32],
    gain: &[f32],
    dx: &mut [f32],
    dgain: &mut [f32],
    dbias: &mut [f32],
) {
    let width = gain.len();
    for (row, scale) in scale.iter().take(dy.len() / width).enumerate() {
        let (dy, normal) = (&dy[row * width..][..width], &normal[row * width..][..width]);
        let inner: Vec<f64> = dy.iter().zip(gain).map(|(d, g)| f64::from(*d) * f64::from(*g)).collect();
        let mean = inner.iter().sum::<f64>() / width as f64;
        let along = inner.iter().zip(normal).map(|(d, n)| d * f64::from(*n)).sum::<f64>() / width as f64;
        for i in 0..width {
            let slope = f64::from(*scale) * (inner[i] - mean - f64::from(normal[i]) * along);
            dx[row * width + i] += slope as f32;
            dgain[i] += dy[i] * normal[i];
            dbias[i] += dy[i];
        }
    }
}

pub(super) fn gelu(x: &mut [f32], bias: &[f32], y: &mut [f32], slope: &mut [f32]) {
    for (i, x) in x.iter_mut().enumerate() {
        *x += bias[i % bias.len()];
        y[i] = gelu_of(f64::from(*x)) as f32;
        slope[i] = gelu_slope(f64::from(*x)) as f32;
    }
}

pub(super) fn cross_entropy(row: &mut [f32], target: usize) -> f32 {
    let weights = weights(&double(row));
    for (i, (value, weight)) in row.iter_mut().zip(&weights).enumerate() {
        *value = (weight - f64::from(u8::from(i == target))) as f32;
    }
    -weights[target].ln() as f32
}

pub(super) fn attend(scores: &mut [f32], relative: &[f32], scale: f32, live: usize, stride: usize, _ends: &mut [Ends]) {
    for (row, relative) in scores.chunks_exact_mut(stride).zip(relative.chunks_exact(stride)) {
        attend_row(row, &relative[..live], scale);
    }
}

fn attend_row(row: &mut [f32], relative: &[f32], scale: f32) {
    let score = |(score, relative): (&f32, &f32)| f64::from(*score) * f64::from(scale) + f64::from(*relative);
    let weights = weights(&row.iter().zip(relative).map(score).collect::<Vec<_>>());
    row.fill(0.0);
    row.iter_mut().zip(weights).for_each(|(row, weight)| *row = weight as f32);
}

fn attend_row_backward(weights: &[f32], gradient: &mut [f32]) {
    let along: f64 = weights.iter().zip(&*gradient).map(|(p, d)| f64::from(*p) * f64::from(*d)).sum();
    for (d, p) in gradient.iter_mut().zip(weights) {
        *d = (f64::from(*p) * (f64::from(*d) - along)) as f32;
    }
}

pub(super) fn attend_backward(weights: &[f32], gradient: &mut [f32], stride: usize) {
    for (weights, gradient) in weights.chunks_exact(stride).zip(gradient.chunks_exact_mut(stride)) {
        attend_row_backward(weights, gradient);
    }
}

pub(super) fn attend_past(
    scores: &mut [f32],
    relative: &[f32],
    scale: f32,
    stride: usize,
    first: usize,
    _seen: usize,
    _ends: &mut [Ends],
) {
    let farthest = relative.len() - LANES - 1;
    for (query, row) in (first..).zip(scores.chunks_exact_mut(stride)) {
        attend_row(row, &relative[farthest - query..=farthest], scale);
    }
}

pub(super) fn attend_past_backward(
    weights: &[f32],
    gradient: &mut [f32],
    relative: &mut [f32],
    stride: usize,
    first: usize,
    _seen: usize,
) {
    let farthest = relative.len() - LANES - 1;
    for (query, (weights, gradient)) in
        (first..).zip(weights.chunks_exact(stride).zip(gradient.chunks_exact_mut(stride)))
    {
        gradient[query + 1..].fill(0.0);
        attend_row_backward(&weights[..=query], &mut gradient[..=query]);
        relative[farthest - query..=farthest].iter_mut().zip(&*gradient).for_each(|(sum, d)| *sum += d);
    }
}

pub(super) fn gates(rows: &mut [f32], width: usize) {
    for (i, value) in rows.iter_mut().enumerate() {
        let x = f64::from(*value);
        *value = if i / width % 4 == 2 { x.tanh() } else { sigmoid(x) } as f32;
    }
}

pub(super) fn cells(gates: &[f32], before: &[f32], cells: &mut [f32], width: usize) {
    for (i, cell) in cells.iter_mut().enumerate() {
        let gate = |number: usize| f64::from(gates[(i / width * 4 + number) * width + i % width]);
        let before = before.get(i).copied().map_or(0.0, f64::from);
        *cell = (gate(1) * before + gate(0) * gate(2)) as f32;
    }
}

pub(super) fn hidden(gates: &[f32], cells: &[f32], bent: &mut [f32], hidden: &mut [f32], width: usize) {
    for (i, cell) in cells.iter().enumerate() {
        let output = f64::from(gates[(i / width * 4 + 3) * width + i % width]);
        bent[i] = f64::from(*cell).tanh() as f32;
        hidden[i] = (output * f64::from(*cell).tanh()) as f32;
    }
}

pub(super) fn recur_backward(
    gates: &mut [f32],
    before: &[f32],
    bent: &[f32],
    dhidden: &[f32],
    dcells: &mut [f32],
    width: usize,
) {
    for (i, dcell) in dcells.iter_mut().enumerate() {
        let place = |number: usize| (i / width * 4 + number) * width + i % width;
        let [input, forget, candidate, output] = [0, 1, 2, 3].map(|number| f64::from(gates[place(number)]));
        let (bent, dhidden) = (f64::from(bent[i]), f64::from(dhidden[i]));
        let before = before.get(i).copied().map_or(0.0, f64::from);
        let d = f64::from(*dcell) + dhidden * output * (1.0 - bent * bent);
        gates[place(0)] = (d * candidate * input * (1.0 - input)) as f32;
        gates[place(1)] = (d * before * forget * (1.0 - forget)) as f32;
        gates[place(2)] = (d * input * (1.0 - candidate * candidate)) as f32;
        gates[place(3)] = (dhidden * bent * output * (1.0 - output)) as f32;
        *dcell = (d * forget) as f32;
    }
}
