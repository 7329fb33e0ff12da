//! Element-wise and row-wise operations, each with its gradient. Sums run in 16 fixed lanes and a fixed tree, so
//! that their bits do not depend on the machine.

use super::kernel::simd;

const LANES: usize = 16;

/// eˣ to within 2 units in the last place, for |x| ≤ 87; beyond, as at the bound. Range reduction and a
/// degree-6 polynomial as in Cephes' `expf`.
#[inline(always)]
pub fn exponential(x: f32) -> f32 {
    const MAGIC: f32 = 12_582_912.0; // 1.5 · 2²³: adding it rounds to an integer, found in the low bits.
    let x = x.clamp(-87.0, 87.0);
    let shifted = x.mul_add(std::f32::consts::LOG2_E, MAGIC);
    let n = shifted - MAGIC;
    let r = n.mul_add(2.121_944_4e-4, n.mul_add(-0.693_359_4, x));
    let mut p = 1.987_569_1e-4f32;
    p = p.mul_add(r, 1.398_2e-3);
    p = p.mul_add(r, 8.333_452e-3);
    p = p.mul_add(r, 4.166_579_6e-2);
    p = p.mul_add(r, 1.666_666_5e-1);
    p = p.mul_add(r, 0.5);
    let value = p.mul_add(r * r, r) + 1.0;
    value * f32::from_bits(shifted.to_bits().wrapping_add(127) << 23)
}

/// Natural logarithm of a positive, finite, normal number, from basic operations alone.
pub fn logarithm(x: f32) -> f32 {
    let bits = x.to_bits();
    let mut exponent = ((bits >> 23) & 0xff) as i32 - 126;
    let mut mantissa = f64::from(f32::from_bits((bits & 0x007f_ffff) | 0x3f00_0000));
    if mantissa < std::f64::consts::FRAC_1_SQRT_2 {
        mantissa *= 2.0;
        exponent -= 1;
    }
    let z = (mantissa - 1.0) / (mantissa + 1.0);
    let square = z * z;
    let mut sum = 0.0;
    for order in (0..8).rev() {
        sum = sum * square + 1.0 / f64::from(2 * order + 1);
    }
    (2.0 * z * sum + f64::from(exponent) * std::f64::consts::LN_2) as f32
}

#[inline(always)]
fn tree(lanes: [f32; LANES]) -> f32 {
    let mut lanes = lanes;
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// Sum of f(i) over a row in 16 lanes.
#[inline(always)]
fn sum(length: usize, f: impl Fn(usize) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let whole = length / LANES * LANES;
    let mut start = 0;
    while start < whole {
        for (lane, total) in lanes.iter_mut().enumerate() {
            *total += f(start + lane);
        }
        start += LANES;
    }
    for i in whole..length {
        lanes[i - whole] += f(i);
    }
    tree(lanes)
}

simd! {
    /// Layer normalisation of rows: y = (x − mean)/√(variance + 1e-5)·gain + bias. Keeps (x − mean)/√… in
    /// `normal` and 1/√… in `scale` for the gradient.
    pub fn normalise(
        x: &[f32], gain: &[f32], bias: &[f32], y: &mut [f32], normal: &mut [f32], scale: &mut [f32],
    ) {
        let width = gain.len();
        let bias = &bias[..width];
        for (((x, y), normal), scale) in
            x.chunks_exact(width).zip(y.chunks_exact_mut(width)).zip(normal.chunks_exact_mut(width)).zip(scale)
        {
            let mean = sum(width, |i| x[i]) / width as f32;
            let variance = sum(width, |i| (x[i] - mean) * (x[i] - mean)) / width as f32;
            let inverse = 1.0 / (variance + 1e-5).sqrt();
            *scale = inverse;
            for i in 0..width {
                let n = (x[i] - mean) * inverse;
                normal[i] = n;
                y[i] = n.mul_add(gain[i], bias[i]);
            }
        }
    }
}

simd! {
    /// Gradient of [`normalise`]: adds to dx, and to the gradients of gain and bias.
    pub fn normalise_backward(
        dy: &[f32], normal: &[f32], scale: &[f32], gain: &[f32], dx: &mut [f32], dgain: &mut [f32], dbias: &mut [f32],
    ) {
        let width = gain.len();
        let (dgain, dbias) = (&mut dgain[..width], &mut dbias[..width]);
        for (((dy, normal), dx), &scale) in
            dy.chunks_exact(width).zip(normal.chunks_exact(width)).zip(dx.chunks_exact_mut(width)).zip(scale)
        {
            let mean = sum(width, |i| dy[i] * gain[i]) / width as f32;
            let along = sum(width, |i| dy[i] * gain[i] * normal[i]) / width as f32;
            for i in 0..width {
                dx[i] += scale * (dy[i] * gain[i] - mean - normal[i] * along);
                dgain[i] += dy[i] * normal[i];
                dbias[i] += dy[i];
            }
        }
    }
}

simd! {
    /// y ← y + bias on every row.
    pub fn add_bias(y: &mut [f32], bias: &[f32]) {
        for y in y.chunks_exact_mut(bias.len()) {
            for (y, bias) in y.iter_mut().zip(bias) {
                *y += bias;
            }
        }
    }
}

simd! {
    /// dbias ← dbias + the sum of the rows of dy.
    pub fn add_rows(dy: &[f32], dbias: &mut [f32]) {
        for dy in dy.chunks_exact(dbias.len()) {
            for (dbias, dy) in dbias.iter_mut().zip(dy) {
                *dbias += dy;
            }
        }
    }
}

simd! {
    /// y ← y + x.
    pub fn add(y: &mut [f32], x: &[f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y += x;
        }
    }
}

simd! {
    /// x ← x + bias, y ← gelu(x) by the tanh form (Hendrycks & Gimpel 2016), slope ← its derivative.
    pub fn gelu(x: &mut [f32], bias: &[f32], y: &mut [f32], slope: &mut [f32]) {
        let width = bias.len();
        for ((x, y), slope) in
            x.chunks_exact_mut(width).zip(y.chunks_exact_mut(width)).zip(slope.chunks_exact_mut(width))
        {
            for i in 0..width {
                let v = x[i] + bias[i];
                x[i] = v;
                let square = v * v;
                let z = 1.595_769 * v * square.mul_add(0.044_715, 1.0);
                let gate = 1.0 / (1.0 + exponential(-z));
                y[i] = v * gate;
                let dz = 1.595_769 * square.mul_add(0.134_145, 1.0);
                slope[i] = (v * gate * (1.0 - gate)).mul_add(dz, gate);
            }
        }
    }
}

simd! {
    /// y ← y · x, element by element.
    pub fn scale_by(y: &mut [f32], x: &[f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y *= x;
        }
    }
}

/// One row of scores to weights, in place: softmax(scale · score + relative) over the first `live` elements; the
/// rest become 0. Whole vectors of 16; `relative` is −∞ beyond `live`, so that the padding takes no part.
#[inline(always)]
fn attend_row(row: &mut [f32], relative: &[f32], scale: f32, live: usize) {
    let mut tops = [f32::NEG_INFINITY; LANES];
    for (row, relative) in row.chunks_exact_mut(LANES).zip(relative.chunks_exact(LANES)) {
        for lane in 0..LANES {
            row[lane] = row[lane].mul_add(scale, relative[lane]);
            tops[lane] = if row[lane] > tops[lane] { row[lane] } else { tops[lane] };
        }
    }
    let mut top = tops[0];
    for &other in &tops[1..] {
        top = if other > top { other } else { top };
    }
    for value in row.iter_mut() {
        *value = exponential(*value - top);
    }
    row[live..].fill(0.0);
    let total = 1.0 / sum(row.len(), |i| row[i]);
    for value in row.iter_mut() {
        *value *= total;
    }
}

/// Gradient of a softmax row, in place: d ← p · (d − Σ p·d).
#[inline(always)]
fn attend_row_backward(p: &[f32], d: &mut [f32]) {
    let along = sum(p.len(), |i| p[i] * d[i]);
    for (d, p) in d.iter_mut().zip(p) {
        *d = p * (*d - along);
    }
}

simd! {
    /// Rows of attention scores to rows of weights, in place: softmax(scale · score + relative) over the first
    /// `live` columns of each row of `stride`; the rest become 0. `relative` is laid out as the scores.
    pub fn attend(scores: &mut [f32], relative: &[f32], scale: f32, live: usize, stride: usize) {
        for (row, relative) in scores.chunks_exact_mut(stride).zip(relative.chunks_exact(stride)) {
            attend_row(row, relative, scale, live);
        }
    }
}

simd! {
    /// Gradient of [`attend`] with regard to the scaled scores, in place.
    pub fn attend_backward(weights: &[f32], gradient: &mut [f32], stride: usize) {
        for (p, d) in weights.chunks_exact(stride).zip(gradient.chunks_exact_mut(stride)) {
            attend_row_backward(p, d);
        }
    }
}

simd! {
    /// Causal attention: as [`attend`], where row q has the columns 0 to q. `relative` holds the bias of the
    /// distances rows − 1 down to 0, then −∞ 16 times.
    pub fn attend_past(scores: &mut [f32], relative: &[f32], scale: f32, stride: usize) {
        let farthest = relative.len() - LANES - 1;
        for (query, row) in scores.chunks_exact_mut(stride).enumerate() {
            let live = query + 1;
            row[live..].fill(0.0);
            let padded = live.next_multiple_of(LANES);
            attend_row(&mut row[..padded], &relative[farthest - query..][..padded], scale, live);
        }
    }
}

simd! {
    /// Gradient of [`attend_past`] with regard to the scaled scores, in place, 0 beyond the diagonal; added to
    /// that of the bias too.
    pub fn attend_past_backward(weights: &[f32], gradient: &mut [f32], relative: &mut [f32], stride: usize) {
        let farthest = relative.len() - LANES - 1;
        for (query, (p, d)) in weights.chunks_exact(stride).zip(gradient.chunks_exact_mut(stride)).enumerate() {
            let live = query + 1;
            d[live..].fill(0.0);
            let padded = live.next_multiple_of(LANES);
            attend_row_backward(&p[..padded], &mut d[..padded]);
            for (relative, d) in relative[farthest - query..][..live].iter_mut().zip(&*d) {
                *relative += d;
            }
        }
    }
}

/// σ(x) = 1/(1 + e⁻ˣ).
#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exponential(-x))
}

/// tanh x = 2σ(2x) − 1, to within 2e-7.
#[inline(always)]
fn tanh(x: f32) -> f32 {
    2.0f32.mul_add(sigmoid(2.0 * x), -1.0)
}

simd! {
    /// Rows of an LSTM's pre-activations to gates, in place: σ of input, forget and output, tanh of the candidate,
    /// each `width` columns, in the order input, forget, candidate, output.
    pub fn gates(rows: &mut [f32], width: usize) {
        for row in rows.chunks_exact_mut(4 * width) {
            for value in &mut row[..2 * width] {
                *value = sigmoid(*value);
            }
            for value in &mut row[2 * width..3 * width] {
                *value = tanh(*value);
            }
            for value in &mut row[3 * width..] {
                *value = sigmoid(*value);
            }
        }
    }
}

simd! {
    /// Rows of gates and of earlier cells (0 where there are none) to cells: forget · before + input · candidate.
    pub fn cells(gates: &[f32], before: &[f32], cells: &mut [f32], width: usize) {
        for (row, (gates, cells)) in gates.chunks_exact(4 * width).zip(cells.chunks_exact_mut(width)).enumerate() {
            let before = before.get(row * width..(row + 1) * width);
            for i in 0..width {
                let kept = before.map_or(0.0, |before| gates[width + i] * before[i]);
                cells[i] = gates[i].mul_add(gates[2 * width + i], kept);
            }
        }
    }
}

simd! {
    /// Rows of gates and cells to hidden states: output · tanh cell. Keeps tanh cell in `bent`.
    pub fn hidden(gates: &[f32], cells: &[f32], bent: &mut [f32], hidden: &mut [f32], width: usize) {
        for (((gates, cells), bent), hidden) in gates
            .chunks_exact(4 * width)
            .zip(cells.chunks_exact(width))
            .zip(bent.chunks_exact_mut(width))
            .zip(hidden.chunks_exact_mut(width))
        {
            for i in 0..width {
                bent[i] = tanh(cells[i]);
                hidden[i] = gates[3 * width + i] * bent[i];
            }
        }
    }
}

simd! {
    /// Gradient of [`gates`], [`cells`] and [`hidden`] at one position: gates become the gradient of their
    /// pre-activations; `dcells`, the gradient that comes from later cells, becomes the one for earlier cells.
    pub fn recur_backward(
        gates: &mut [f32], before: &[f32], bent: &[f32], dhidden: &[f32], dcells: &mut [f32], width: usize,
    ) {
        for (row, (((gates, bent), dhidden), dcells)) in gates
            .chunks_exact_mut(4 * width)
            .zip(bent.chunks_exact(width))
            .zip(dhidden.chunks_exact(width))
            .zip(dcells.chunks_exact_mut(width))
            .enumerate()
        {
            let before = before.get(row * width..(row + 1) * width);
            for i in 0..width {
                let (input, forget) = (gates[i], gates[width + i]);
                let (candidate, output) = (gates[2 * width + i], gates[3 * width + i]);
                let bend = 1.0 - bent[i] * bent[i];
                let dcell = (dhidden[i] * output).mul_add(bend, dcells[i]);
                gates[i] = dcell * candidate * input * (1.0 - input);
                gates[width + i] = before.map_or(0.0, |before| dcell * before[i] * forget * (1.0 - forget));
                gates[2 * width + i] = dcell * input * (1.0 - candidate * candidate);
                gates[3 * width + i] = dhidden[i] * bent[i] * output * (1.0 - output);
                dcells[i] = dcell * forget;
            }
        }
    }
}

simd! {
    /// Sum of squares in f64, in 16 lanes.
    pub fn square_norm(values: &[f32]) -> f64 {
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
pub struct Step {
    /// Learning rate.
    pub rate: f32,
    /// Factor of the gradient (clipping).
    pub scale: f32,
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// 1/(1 − β₁ᵗ).
    pub correction1: f32,
    /// 1/(1 − β₂ᵗ).
    pub correction2: f32,
    /// Added to the root.
    pub epsilon: f32,
    /// Weight decay, 0 where none applies.
    pub decay: f32,
}

simd! {
    /// One AdamW step on a run of parameters.
    pub fn adamw(weights: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32], step: Step) {
        for (((w, g), m), v) in weights.iter_mut().zip(gradient).zip(first.iter_mut()).zip(second.iter_mut()) {
            let g = g * step.scale;
            *m = step.beta1 * *m + (1.0 - step.beta1) * g;
            *v = step.beta2 * *v + (1.0 - step.beta2) * g * g;
            let direction = *m * step.correction1 / ((*v * step.correction2).sqrt() + step.epsilon);
            *w -= step.rate * (direction + step.decay * *w);
        }
    }
}

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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn exponential_and_logarithm_agree_with_the_library() {
        for i in -8600..8600 {
            let x = i as f32 * 0.01;
            let (got, expected) = (f64::from(exponential(x)), f64::from(x).exp());
            assert!((got / expected - 1.0).abs() < 2.5e-7, "{x}: {got} {expected}");
        }
        for i in 1..20_000 {
            let x = i as f32 * 0.013;
            assert!((f64::from(logarithm(x)) - f64::from(x).ln()).abs() < 1e-6, "{x}");
        }
    }

    #[test]
    fn the_slope_of_gelu_is_its_derivative() {
        let bias = [0.25f32];
        let value = |at: f64| {
            let z = 0.797_884_560_8 * (at + 0.044_715 * at.powi(3));
            0.5 * at * (1.0 + z.tanh())
        };
        for i in -600..600 {
            let x = i as f32 * 0.01;
            let (mut input, mut y, mut slope) = ([x], [0.0], [0.0]);
            gelu(&mut input, &bias, &mut y, &mut slope);
            let at = f64::from(x) + 0.25;
            assert!((f64::from(y[0]) - value(at)).abs() < 2e-6);
            assert!((f64::from(slope[0]) - (value(at + 1e-5) - value(at - 1e-5)) / 2e-5).abs() < 2e-5, "{x}");
        }
    }
}
