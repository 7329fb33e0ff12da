//! Dense layers and norms as every model of this engine uses them.

use super::kernel::{Left, Packed, multiply};
use super::math;

/// Where a layer's two parameters begin in the flat buffer: weight and bias, or gain and bias.
pub type Places = (usize, usize);

/// A weight matrix packed for the forward product and, transposed, for the backward one.
#[derive(Clone, Debug, Default)]
pub struct Weight {
    pub forward: Packed,
    pub backward: Packed,
}

impl Weight {
    /// Rearranges inputs × outputs values; `backward` also prepares the transposed product.
    pub fn pack(&mut self, inputs: usize, outputs: usize, values: &[f32], backward: bool) {
        let values = &values[..inputs * outputs];
        self.forward.pack(inputs, outputs, values, outputs, 1);
        if backward {
            self.backward.pack(outputs, inputs, values, 1, outputs);
        }
    }
}

/// y = x·W + b, without the bias where `bias` is empty.
pub fn dense(rows: usize, x: &[f32], inputs: usize, weight: &Weight, bias: &[f32], y: &mut [f32], outputs: usize) {
    multiply(rows, Left { values: x, rows: inputs, columns: 1 }, &weight.forward, y, outputs, false);
    if !bias.is_empty() {
        math::add_bias(y, &bias[..outputs]);
    }
}

/// Gradients of [`dense`]: dx, and dW and db added at their places in the flat gradient.
#[allow(clippy::too_many_arguments)]
pub fn dense_backward(
    rows: usize,
    dy: &[f32],
    x: &[f32],
    weight: &Packed,
    packed: &mut Packed,
    dx: &mut [f32],
    slopes: &mut [f32],
    places: Places,
    inputs: usize,
) {
    let outputs = dy.len() / rows;
    multiply(rows, Left { values: dy, rows: outputs, columns: 1 }, weight, dx, inputs, false);
    packed.pack(rows, outputs, dy, outputs, 1);
    let transposed = Left { values: x, rows: 1, columns: inputs };
    multiply(inputs, transposed, packed, &mut slopes[places.0..][..inputs * outputs], outputs, true);
    math::add_rows(dy, &mut slopes[places.1..][..outputs]);
}

/// Gradients of a layer norm: added to dx, and to those of gain and bias at their places in the flat gradient.
pub fn norm_backward(
    dy: &[f32],
    normal: &[f32],
    scale: &[f32],
    gain: &[f32],
    dx: &mut [f32],
    slopes: &mut [f32],
    places: Places,
) {
    let width = gain.len();
    let (dgain, dbias) = slopes[places.0..].split_at_mut(places.1 - places.0);
    math::normalise_backward(dy, normal, scale, gain, dx, &mut dgain[..width], &mut dbias[..width]);
}
