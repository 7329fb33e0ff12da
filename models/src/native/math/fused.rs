//! Layer normalisation and the activation function, each in one pass over a row, with their gradients.

use super::{exponential, sum, sum_of_three, sum_of_two};
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
            let mean = sum(x, |x| x) / width as f32;
            let variance = sum(x, |x| (x - mean) * (x - mean)) / width as f32;
            let inverse = 1.0 / (variance + 1e-5).sqrt();
            *scale = inverse;
            let inputs = x.iter().zip(gain).zip(bias);
            for (((x, gain), bias), (y, normal)) in inputs.zip(y.iter_mut().zip(normal)) {
                *normal = (x - mean) * inverse;
                *y = normal.mul_add(*gain, *bias);
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
            let mean = sum_of_two(dy, gain, |dy, gain| dy * gain) / width as f32;
            let along = sum_of_three(dy, gain, normal, |dy, gain, normal| dy * gain * normal) / width as f32;
            let inputs = dy.iter().zip(gain).zip(normal);
            let slopes = dgain.iter_mut().zip(dbias.iter_mut());
            for (((dy, gain), normal), (dx, (dgain, dbias))) in inputs.zip(dx.iter_mut().zip(slopes)) {
                *dx += scale * (dy * gain - mean - normal * along);
                *dgain += dy * normal;
                *dbias += dy;
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
            for (((x, bias), y), slope) in x.iter_mut().zip(bias).zip(y.iter_mut()).zip(slope) {
                let v = *x + bias;
                *x = v;
                let square = v * v;
                let z = 1.595_769 * v * square.mul_add(0.044_715, 1.0);
                let gate = 1.0 / (1.0 + exponential(-z));
                *y = v * gate;
                let dz = 1.595_769 * square.mul_add(0.134_145, 1.0);
                *slope = (v * gate * (1.0 - gate)).mul_add(dz, gate);
            }
        }
    }
}
