//! Products in f64 for the linear algebra of probes, with one fixed order of every sum: the same bits at any number of
//! threads and on any machine. Multiplications and additions are rounded apart, so the width of the vectors changes
//! nothing.

use rayon::prelude::*;

use super::kernel::simd;

/// Rows that one partial sum covers.
const BLOCK: usize = 256;
/// Blocks that are rearranged before they are multiplied.
const BLOCKS: usize = 16;
/// Columns of a rearranged panel.
const PANEL: usize = 16;
/// Rows of a result that stay in registers.
const TILE: usize = 8;

simd! {
    /// Dot product in eight fixed lanes.
    pub fn dot(a: &[f64], b: &[f64]) -> f64 {
        let mut lanes = [0.0; 8];
        let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
        let rest: f64 = a8.remainder().iter().zip(b8.remainder()).map(|(a, b)| a * b).sum();
        for (a, b) in a8.zip(b8) {
            for lane in 0..8 {
                lanes[lane] += a[lane] * b[lane];
            }
        }
        let pairs = [lanes[0] + lanes[4], lanes[1] + lanes[5], lanes[2] + lanes[6], lanes[3] + lanes[7]];
        (pairs[0] + pairs[2]) + (pairs[1] + pairs[3]) + rest
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

simd! {
    /// Adds the sum over rows of products of `TILE` columns of a panel, from `first` on, with those of another.
    fn tile(a: &[f64], first: usize, b: &[f64], total: &mut [f64], stride: usize, columns: usize) {
        let mut sums = [[0.0f64; PANEL]; TILE];
        for (a, b) in a.chunks_exact(PANEL).zip(b.chunks_exact(PANEL)) {
            let a = &a[first..first + TILE];
            for i in 0..TILE {
                for j in 0..PANEL {
                    sums[i][j] += a[i] * b[j];
                }
            }
        }
        for (total, sums) in total.chunks_mut(stride).zip(&sums) {
            for (total, sum) in total[..columns].iter_mut().zip(sums) {
                *total += sum;
            }
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
                    tile(a, first % PANEL, b, &mut total[column..], b_columns, columns);
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

    #[test]
    fn many_rows_are_taken_in_turns() {
        let rows = 2 * BLOCKS * BLOCK + 300;
        let (a, b) = (numbers(1, rows * 3), numbers(2, rows * 2));
        assert!(same_bits(&transpose_product(&a, 3, &b, 2), &obvious(&a, 3, &b, 2)));
    }
}
