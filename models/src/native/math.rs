//! Element-wise and row-wise operations, each with its gradient. Sums run in 16 fixed lanes and a fixed tree, so
//! that their bits do not depend on the machine.
// Rows and lanes that run side by side are plainest by their number.
#![allow(clippy::needless_range_loop)]

mod attention;
mod faces;
mod fused;
mod loss;
pub mod plain;
mod recurrence;

pub(crate) use attention::{Ends, attend_again, attend_one, attend_past_again};
pub(crate) use faces::{
    attend, attend_backward, attend_past, attend_past_backward, cells, gates, hidden, recur_backward,
};
pub use faces::{cross_entropy, gelu, normalise, normalise_backward};
pub use loss::{log_probability, softmax};

use super::kernel::simd;

/// Parts in which a sum along a row runs.
pub(crate) const LANES: usize = 16;

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

/// Sum of f over a row in 16 lanes.
#[inline(always)]
fn sum(x: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (whole, rest) = x.as_chunks::<LANES>();
    for x in whole {
        for lane in 0..LANES {
            lanes[lane] += f(x[lane]);
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane += f(*x);
    }
    tree(lanes)
}

/// The same over two rows side by side.
#[inline(always)]
fn sum_of_two(x: &[f32], y: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let ((x, x_rest), (y, y_rest)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    for (x, y) in x.iter().zip(y) {
        for lane in 0..LANES {
            lanes[lane] += f(x[lane], y[lane]);
        }
    }
    for ((lane, x), y) in lanes.iter_mut().zip(x_rest).zip(y_rest) {
        *lane += f(*x, *y);
    }
    tree(lanes)
}

/// The same over three rows side by side.
#[inline(always)]
fn sum_of_three(x: &[f32], y: &[f32], z: &[f32], f: impl Fn(f32, f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let ((x, x_rest), (y, y_rest)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    let (z, z_rest) = z.as_chunks::<LANES>();
    for ((x, y), z) in x.iter().zip(y).zip(z) {
        for lane in 0..LANES {
            lanes[lane] += f(x[lane], y[lane], z[lane]);
        }
    }
    for (((lane, x), y), z) in lanes.iter_mut().zip(x_rest).zip(y_rest).zip(z_rest) {
        *lane += f(*x, *y, *z);
    }
    tree(lanes)
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
    /// y ← y · x, element by element.
    pub fn scale_by(y: &mut [f32], x: &[f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y *= x;
        }
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod elementary {
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
}
