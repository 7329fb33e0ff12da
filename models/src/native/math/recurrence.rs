//! One position of an LSTM, with its gradient.

use super::exponential;
use crate::native::kernel::simd;

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
