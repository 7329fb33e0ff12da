//! Register tiles in AVX-512 and AVX2.

use super::{HALF, Into, Left, PANEL, TILE};
use std::arch::x86_64::{
    _MM_HINT_T0, _mm_prefetch, _mm256_add_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_setzero_ps,
    _mm256_storeu_ps, _mm512_add_pd, _mm512_add_ps, _mm512_fmadd_ps, _mm512_loadu_pd, _mm512_loadu_ps, _mm512_mul_pd,
    _mm512_set1_pd, _mm512_set1_ps, _mm512_setzero_pd, _mm512_setzero_ps, _mm512_storeu_pd, _mm512_storeu_ps,
};

macro_rules! by_rows {
    ($m:expr, $function:ident::<$width:literal>, $args:tt, [$($rows:literal),*]) => {
        match $m { $($rows => by_rows!(@call $function, $rows, $width, $args),)* _ => {} }
    };
    (@call $function:ident, $rows:literal, $width:literal, ($($arg:expr),*)) => {
        $function::<$rows, $width>($($arg),*)
    };
}

/// # Safety
/// AVX-512F is there; the slices hold m rows, k steps and `width` columns; 1 ≤ m ≤ 13; width is 16 or 32.
#[target_feature(enable = "avx512f")]
#[allow(clippy::too_many_arguments)]
pub unsafe fn tile_avx512(
    m: usize,
    k: usize,
    a: Left,
    panel: &[f32],
    width: usize,
    c: &mut [f32],
    stride: usize,
    into: Into,
) {
    debug_assert!(m <= TILE && (width == PANEL || width == HALF));
    let (a_ptr, b, c) = (a.values.as_ptr(), panel.as_ptr(), c.as_mut_ptr());
    unsafe {
        if width == PANEL {
            by_rows!(
                m,
                rows512::<2>,
                (k, a_ptr, a.rows, a.columns, b, c, stride, into),
                [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]
            );
        } else {
            by_rows!(
                m,
                rows512::<1>,
                (k, a_ptr, a.rows, a.columns, b, c, stride, into),
                [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]
            );
        }
    }
}

/// # Safety
/// As [`tile_avx512`], for M rows and V vectors of 16 columns.
#[target_feature(enable = "avx512f")]
#[allow(clippy::too_many_arguments)]
unsafe fn rows512<const M: usize, const V: usize>(
    k: usize,
    a: *const f32,
    rows: usize,
    columns: usize,
    b: *const f32,
    c: *mut f32,
    stride: usize,
    into: Into,
) {
    unsafe {
        let mut sums = [[_mm512_setzero_ps(); V]; M];
        if into == Into::Sum {
            // Gradients of weights come from far: they are on their way while the product is made.
            for i in 0..M {
                for v in 0..V {
                    _mm_prefetch::<_MM_HINT_T0>(c.add(i * stride + v * 16).cast());
                }
            }
        }
        if into == Into::Chain {
            for (i, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = _mm512_loadu_ps(c.add(i * stride + v * 16));
                }
            }
        }
        for step in 0..k {
            let mut right = [_mm512_setzero_ps(); V];
            for (v, right) in right.iter_mut().enumerate() {
                *right = _mm512_loadu_ps(b.add(step * V * 16 + v * 16));
            }
            for (i, sums) in sums.iter_mut().enumerate() {
                let left = _mm512_set1_ps(*a.add(i * rows + step * columns));
                for (sum, right) in sums.iter_mut().zip(&right) {
                    *sum = _mm512_fmadd_ps(left, *right, *sum);
                }
            }
        }
        for (i, sums) in sums.iter().enumerate() {
            for (v, sum) in sums.iter().enumerate() {
                let target = c.add(i * stride + v * 16);
                let value = if into == Into::Sum { _mm512_add_ps(_mm512_loadu_ps(target), *sum) } else { *sum };
                _mm512_storeu_ps(target, value);
            }
        }
    }
}

/// # Safety
/// AVX2 and FMA are there; the slices hold m rows, k steps and `width` columns; width is 16 or 32.
#[target_feature(enable = "avx2,fma")]
#[allow(clippy::too_many_arguments)]
pub unsafe fn tile_avx2(
    m: usize,
    k: usize,
    a: Left,
    panel: &[f32],
    width: usize,
    c: &mut [f32],
    stride: usize,
    into: Into,
) {
    let (a_ptr, b, c) = (a.values.as_ptr(), panel.as_ptr(), c.as_mut_ptr());
    for half in 0..width / HALF {
        let mut row = 0;
        while row < m {
            let count = (m - row).min(6);
            unsafe {
                let a_ptr = a_ptr.add(row * a.rows);
                let b = b.add(half * HALF);
                let c = c.add(row * stride + half * HALF);
                by_rows!(
                    count,
                    rows256::<2>,
                    (k, a_ptr, a.rows, a.columns, b, width, c, stride, into),
                    [1, 2, 3, 4, 5, 6]
                );
            }
            row += count;
        }
    }
}

/// # Safety
/// As [`tile_avx2`], for M rows and V vectors of 8 columns, panel rows `width` apart.
#[target_feature(enable = "avx2,fma")]
#[allow(clippy::too_many_arguments)]
unsafe fn rows256<const M: usize, const V: usize>(
    k: usize,
    a: *const f32,
    rows: usize,
    columns: usize,
    b: *const f32,
    width: usize,
    c: *mut f32,
    stride: usize,
    into: Into,
) {
    unsafe {
        let mut sums = [[_mm256_setzero_ps(); V]; M];
        if into == Into::Chain {
            for (i, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = _mm256_loadu_ps(c.add(i * stride + v * 8));
                }
            }
        }
        for step in 0..k {
            let mut right = [_mm256_setzero_ps(); V];
            for (v, right) in right.iter_mut().enumerate() {
                *right = _mm256_loadu_ps(b.add(step * width + v * 8));
            }
            for (i, sums) in sums.iter_mut().enumerate() {
                let left = _mm256_set1_ps(*a.add(i * rows + step * columns));
                for (sum, right) in sums.iter_mut().zip(&right) {
                    *sum = _mm256_fmadd_ps(left, *right, *sum);
                }
            }
        }
        for (i, sums) in sums.iter().enumerate() {
            for (v, sum) in sums.iter().enumerate() {
                let target = c.add(i * stride + v * 8);
                let value = if into == Into::Sum { _mm256_add_ps(_mm256_loadu_ps(target), *sum) } else { *sum };
                _mm256_storeu_ps(target, value);
            }
        }
    }
}

/// Sums over rows of products of 8 values of one panel with 16 of another, each product rounded before it is added.
/// Panels have rows of 16.
///
/// # Safety
/// AVX-512F is there; from `a` on there are (rows − 1) · 16 + 8 values, from `b` on rows · 16.
#[target_feature(enable = "avx512f")]
pub unsafe fn double_tile(rows: usize, a: *const f64, b: *const f64, result: &mut [[f64; 16]; 8]) {
    unsafe {
        let mut sums = [[_mm512_setzero_pd(); 2]; 8];
        for row in 0..rows {
            let right = [_mm512_loadu_pd(b.add(row * 16)), _mm512_loadu_pd(b.add(row * 16 + 8))];
            for (i, sums) in sums.iter_mut().enumerate() {
                let left = _mm512_set1_pd(*a.add(row * 16 + i));
                for (sum, right) in sums.iter_mut().zip(right) {
                    *sum = _mm512_add_pd(*sum, _mm512_mul_pd(left, right));
                }
            }
        }
        for (result, sums) in result.iter_mut().zip(&sums) {
            _mm512_storeu_pd(result.as_mut_ptr(), sums[0]);
            _mm512_storeu_pd(result.as_mut_ptr().add(8), sums[1]);
        }
    }
}

/// The eight lanes of N dot products with one vector, each product rounded before it is added.
///
/// # Safety
/// AVX-512F is there; from `b` and from `a` + n · stride on, for n < N, there are 8 · `eights` values.
#[target_feature(enable = "avx512f")]
pub unsafe fn double_dots<const N: usize>(
    eights: usize,
    a: *const f64,
    stride: usize,
    b: *const f64,
    lanes: &mut [[f64; 8]],
) {
    unsafe {
        let mut sums = [_mm512_setzero_pd(); N];
        for at in 0..eights {
            let right = _mm512_loadu_pd(b.add(8 * at));
            for (n, sum) in sums.iter_mut().enumerate() {
                *sum = _mm512_add_pd(*sum, _mm512_mul_pd(_mm512_loadu_pd(a.add(n * stride + 8 * at)), right));
            }
        }
        for (lanes, sum) in lanes.iter_mut().zip(&sums) {
            _mm512_storeu_pd(lanes.as_mut_ptr(), *sum);
        }
    }
}
