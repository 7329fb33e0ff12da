//! Layer normalisation and the activation function, each in one pass over a row, with their gradients.

use super::{exponential, sum};
use crate::native::kernel::simd;

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
