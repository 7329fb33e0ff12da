//! Products in f64 for the linear algebra of probes, with one fixed order of every sum: the same bits at any number of
//! threads and on any machine. Multiplications and additions are rounded apart, so the width of the vectors changes
//! nothing.

use rayon::prelude::*;

use super::kernel::{double_dots, double_tile, simd};

/// Rows that one partial sum covers.
const BLOCK: usize = 256;
/// Blocks that are rearranged before they are multiplied.
const BLOCKS: usize = 16;
/// Columns of a rearranged panel.
const PANEL: usize = 16;
/// Rows of a result that stay in registers.
const TILE: usize = 8;

/// Dot product in eight fixed lanes.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let width = a.len().min(b.len());
    let mut result = [0.0];
    dots(&a[..width], width, &b[..width], &mut result);
    result[0]
}

/// Dot products, each as [`dot`], of rows that are `stride` apart with one vector.
///
/// # Panics
/// If a row is shorter than the vector.
pub fn dots(rows: &[f64], stride: usize, b: &[f64], results: &mut [f64]) {
    const AT_ONCE: usize = 4;
    let whole = b.len() / 8 * 8;
    for (group, results) in results.chunks_mut(AT_ONCE).enumerate() {
        let rows = &rows[group * AT_ONCE * stride..];
        let mut all = [[0.0; 8]; AT_ONCE];
        double_dots(rows, stride, b, &mut all[..results.len()]);
        for ((number, result), lanes) in results.iter_mut().enumerate().zip(all) {
            let row = &rows[number * stride..][..b.len()];
            let rest: f64 = row[whole..].iter().zip(&b[whole..]).map(|(a, b)| a * b).sum();
            let pairs = [lanes[0] + lanes[4], lanes[1] + lanes[5], lanes[2] + lanes[6], lanes[3] + lanes[7]];
            *result = (pairs[0] + pairs[2]) + (pairs[1] + pairs[3]) + rest;
        }
    }
}

/// eˣ with a relative error below 1e-15; 0 below −708, infinite above 709.
#[inline(always)]
pub fn exponential(x: f64) -> f64 {
    // ln 2 in two parts, the first with trailing zeros, so that n · LN2_HIGH is exact.
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    // 1.5 · 2⁵²: added to a small integer, it shows it in the low bits.
    const MAGIC: f64 = 6_755_399_441_055_744.0;
    let n = (x * std::f64::consts::LOG2_E).round();
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    // Taylor series; |r| ≤ 0.35, so the fourteenth term is below 1e-17.
    let mut sum = 1.0;
    for order in (1..=14).rev() {
        sum = 1.0 + sum * r / f64::from(order);
    }
    let value = sum * f64::from_bits((n + MAGIC).to_bits().wrapping_add(1023) << 52);
    let value = if x < -708.0 { 0.0 } else { value };
    if x > 709.0 { f64::INFINITY } else { value }
}

simd! {
    /// Every value x to eˣ, as [`exponential`] gives it.
    pub fn exponentials(values: &mut [f64]) {
        for value in values {
            *value = exponential(*value);
        }
    }
}

simd! {
    /// y ← y + scale · x.
    pub fn add_scaled(y: &mut [f64], scale: f64, x: &[f64]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y += scale * x;
        }
    }
}

/// Blocks of rows as panels: for each block, for each 16 columns, its rows; columns beyond the last are 0.
fn rearrange(rows: &[f64], columns: usize, packed: &mut Vec<f64>) {
    let panels = columns.div_ceil(PANEL);
    let count = rows.len() / columns;
    packed.resize(count * panels * PANEL, 0.0);
    let blocks = packed.par_chunks_mut(BLOCK * panels * PANEL).zip(rows.par_chunks(BLOCK * columns));
    blocks.for_each(|(packed, rows)| {
        let count = rows.len() / columns;
        for (panel, packed) in packed.chunks_exact_mut(count * PANEL).enumerate() {
            let live = PANEL.min(columns - panel * PANEL);
            for (packed, row) in packed.chunks_exact_mut(PANEL).zip(rows.chunks_exact(columns)) {
                packed[..live].copy_from_slice(&row[panel * PANEL..][..live]);
                packed[live..].fill(0.0);
            }
        }
    });
}

/// Aᵀ B of two matrices with the same number of rows, row-major: (columns of A) × (columns of B). Sums run over 256 rows,
/// then over these partial sums. Where both are the same slice, half of the work is done.
pub fn transpose_product(a: &[f64], a_columns: usize, b: &[f64], b_columns: usize) -> Vec<f64> {
    let same = std::ptr::eq(a, b) && a_columns == b_columns;
    let mut total = vec![0.0; a_columns * b_columns];
    if total.is_empty() {
        return total;
    }
    let (mut packed_a, mut packed_b) = (Vec::new(), Vec::new());
    let (a_panels, b_panels) = (a_columns.div_ceil(PANEL), b_columns.div_ceil(PANEL));
    for (a, b) in a.chunks(BLOCKS * BLOCK * a_columns).zip(b.chunks(BLOCKS * BLOCK * b_columns)) {
        rearrange(a, a_columns, &mut packed_a);
        if !same {
            rearrange(b, b_columns, &mut packed_b);
        }
        let (packed_a, packed_b) = (&packed_a, if same { &packed_a } else { &packed_b });
        total.par_chunks_mut(TILE * b_columns).enumerate().for_each(|(number, total)| {
            let first = number * TILE;
            let blocks = packed_a.chunks(BLOCK * a_panels * PANEL).zip(packed_b.chunks(BLOCK * b_panels * PANEL));
            for (a, b) in blocks {
                let rows = a.len() / (a_panels * PANEL);
                let a = &a[first / PANEL * rows * PANEL..][..rows * PANEL];
                // Of a symmetric result the panels from the diagonal on.
                let skipped = if same { first / PANEL } else { 0 };
                for (panel, b) in b.chunks_exact(rows * PANEL).enumerate().skip(skipped) {
                    let column = panel * PANEL;
                    let columns = PANEL.min(b_columns - column);
                    let sums = double_tile(a, first % PANEL, b);
                    for (total, sums) in total[column..].chunks_mut(b_columns).zip(&sums) {
                        total[..columns].iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
                    }
                }
            }
        });
    }
    if same {
        for row in 0..a_columns {
            for column in 0..row / PANEL * PANEL {
                total[row * b_columns + column] = total[column * b_columns + row];
            }
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbers(seed: u64, count: usize) -> Vec<f64> {
        use rand_chacha::rand_core::{Rng, SeedableRng};
        let mut stream = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        (0..count).map(|_| f64::from(stream.next_u32()) / f64::from(u32::MAX) - 0.5).collect()
    }

    /// The order of sums as it is stated.
    fn obvious(a: &[f64], a_columns: usize, b: &[f64], b_columns: usize) -> Vec<f64> {
        let mut total = vec![0.0; a_columns * b_columns];
        for (a, b) in a.chunks(BLOCK * a_columns).zip(b.chunks(BLOCK * b_columns)) {
            for i in 0..a_columns {
                for j in 0..b_columns {
                    let mut sum = 0.0;
                    for (a, b) in a.chunks_exact(a_columns).zip(b.chunks_exact(b_columns)) {
                        sum += a[i] * b[j];
                    }
                    total[i * b_columns + j] += sum;
                }
            }
        }
        total
    }

    fn same_bits(a: &[f64], b: &[f64]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn products_have_the_bits_of_the_stated_order(
            rows in 0usize..700, a_columns in 1usize..40, b_columns in 1usize..40, seed: u64
        ) {
            let (a, b) = (numbers(seed, rows * a_columns), numbers(seed ^ 1, rows * b_columns));
            let product = transpose_product(&a, a_columns, &b, b_columns);
            prop_assert!(same_bits(&product, &obvious(&a, a_columns, &b, b_columns)));
            let gram = transpose_product(&a, a_columns, &a, a_columns);
            prop_assert!(same_bits(&gram, &obvious(&a, a_columns, &a, a_columns)));
        }
    }

    proptest! {
        #[test]
        fn dots_have_the_bits_of_their_lanes(rows in 1usize..11, width in 0usize..70, more in 0usize..3, seed: u64) {
            let stride = width + more;
            let (a, b) = (numbers(seed, rows * stride), numbers(seed ^ 1, width));
            let mut found = vec![0.0; rows];
            dots(&a, stride, &b, &mut found);
            for (row, found) in found.iter().enumerate() {
                let mut lanes = [0.0; 8];
                for at in 0..width / 8 * 8 {
                    lanes[at % 8] += a[row * stride + at] * b[at];
                }
                let rest: f64 = (width / 8 * 8..width).map(|at| a[row * stride + at] * b[at]).sum();
                let pairs = [lanes[0] + lanes[4], lanes[1] + lanes[5], lanes[2] + lanes[6], lanes[3] + lanes[7]];
                let expected: f64 = (pairs[0] + pairs[2]) + (pairs[1] + pairs[3]) + rest;
                prop_assert_eq!(found.to_bits(), expected.to_bits());
            }
        }
    }

    #[test]
    fn exponentials_side_by_side_have_the_bits_of_single_ones() {
        let all: Vec<f64> = (-8000..8000).map(|at| f64::from(at) * 0.0937).collect();
        let mut many = all.clone();
        exponentials(&mut many);
        assert!(all.iter().zip(&many).all(|(x, many)| exponential(*x).to_bits() == many.to_bits()));
        assert_eq!((exponential(-800.0), exponential(800.0)), (0.0, f64::INFINITY));
        assert!((exponential(1.0) - std::f64::consts::E).abs() < 1e-15);
    }

    #[test]
    fn many_rows_are_taken_in_turns() {
        let rows = 2 * BLOCKS * BLOCK + 300;
        let (a, b) = (numbers(1, rows * 3), numbers(2, rows * 2));
        assert!(same_bits(&transpose_product(&a, 3, &b, 2), &obvious(&a, 3, &b, 2)));
    }
}
