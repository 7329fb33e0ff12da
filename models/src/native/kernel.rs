//! Matrix products and the choice of vector instructions: the only unsafe code of the engine.
//!
//! **Same bits everywhere.** Every element of a product is one chain of fused multiply-adds over k = 0, 1, 2, …,
//! started at zero; the width of the vectors only decides how many chains run side by side. A fused multiply-add
//! is exactly rounded by IEEE 754, so AVX-512, AVX2 and the portable path give the same bits.
#![allow(unsafe_code)]

use std::sync::OnceLock;

#[cfg(target_arch = "x86_64")]
mod x86;

/// Columns of a full panel of a packed matrix.
const PANEL: usize = 32;
/// Columns of a half panel, used for the last columns where they fit.
const HALF: usize = 16;
/// Rows of a register tile: 13 × 2 accumulators, 2 panel registers and one broadcast fill 29 of 32 registers, and
/// 13 divides the 65 positions of a 16 × 16 board.
const TILE: usize = 13;

/// Vector instructions that this machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// AVX-512.
    Avx512,
    /// AVX2 with fused multiply-add.
    Avx2,
    /// Whatever the compiler assumes.
    Portable,
}

static LEVEL: OnceLock<Level> = OnceLock::new();

/// The level in use: the best that the machine has, or what `STANCE_SIMD` (avx512, avx2, portable) lowers it to.
pub fn level() -> Level {
    *LEVEL.get_or_init(|| {
        let best = detect();
        match std::env::var("STANCE_SIMD").as_deref() {
            Ok("portable") => Level::Portable,
            Ok("avx2") if best != Level::Portable => Level::Avx2,
            _ => best,
        }
    })
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Level {
    let has_avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    let has_avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512bw");
    match (has_avx512, has_avx2) {
        (true, true) => Level::Avx512,
        (_, true) => Level::Avx2,
        _ => Level::Portable,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detect() -> Level {
    Level::Portable
}

/// Compiles a function for each level and picks one at run time. The body is plain Rust, whose floating-point
/// results do not depend on the instructions chosen.
macro_rules! simd {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        #[allow(unsafe_code, clippy::too_many_arguments)]
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            fn body($($arg: $ty),*) $(-> $ret)? $body
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
            fn avx512($($arg: $ty),*) $(-> $ret)? { body($($arg),*) }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($arg: $ty),*) $(-> $ret)? { body($($arg),*) }
            match $crate::native::kernel::level() {
                // SAFETY: `level` says Avx512 or Avx2 only after the processor was asked for every feature that
                // the function enables.
                #[cfg(target_arch = "x86_64")]
                $crate::native::kernel::Level::Avx512 => unsafe { avx512($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                $crate::native::kernel::Level::Avx2 => unsafe { avx2($($arg),*) },
                _ => body($($arg),*),
            }
        }
    };
}
pub(crate) use simd;

/// A k × n matrix rearranged so that a product reads it front to back: panels of 32 columns (the last of 16 where
/// that holds what is left), each k rows long, padded with zeros.
#[derive(Clone, Debug, Default)]
pub struct Packed {
    k: usize,
    n: usize,
    data: Vec<f32>,
}

/// Columns that `n` takes up when packed.
pub fn padded(n: usize) -> usize {
    let rest = n % PANEL;
    n - rest
        + match rest {
            0 => 0,
            1..=HALF => HALF,
            _ => PANEL,
        }
}

/// The first columns of each row, of a number that the compiler knows.
fn copy_rows<const WIDTH: usize>(b: &[f32], rows: usize, panel: &mut [f32]) {
    for (row, slot) in panel.as_chunks_mut::<WIDTH>().0.iter_mut().enumerate() {
        slot.copy_from_slice(&b[row * rows..][..WIDTH]);
    }
}

impl Packed {
    /// Rearranges the matrix whose element (row, column) is `b[row * rows + column * columns]`.
    pub fn pack(&mut self, k: usize, n: usize, b: &[f32], rows: usize, columns: usize) {
        self.k = k;
        self.n = n;
        self.data.resize(k * padded(n), 0.0);
        if k == 0 {
            return;
        }
        let mut filled = 0;
        let mut first = 0;
        while first < n {
            let width = if padded(n) - first >= PANEL { PANEL } else { HALF };
            let live = width.min(n - first);
            let panel = &mut self.data[filled..filled + k * width];
            if columns == 1 && live == PANEL {
                copy_rows::<PANEL>(&b[first..], rows, panel);
            } else if columns == 1 && live == HALF && width == HALF {
                copy_rows::<HALF>(&b[first..], rows, panel);
            } else if columns == 1 {
                for (row, slot) in panel.chunks_exact_mut(width).enumerate() {
                    let start = row * rows + first;
                    slot[..live].copy_from_slice(&b[start..start + live]);
                    slot[live..].fill(0.0);
                }
            } else {
                for (row, slot) in panel.chunks_exact_mut(width).enumerate() {
                    for (column, value) in slot[..live].iter_mut().enumerate() {
                        *value = b[row * rows + (first + column) * columns];
                    }
                    slot[live..].fill(0.0);
                }
            }
            filled += k * width;
            first += width;
        }
    }
}

/// The left factor of a product: element (row, column) is `values[row * rows + column * columns]`.
#[derive(Clone, Copy)]
pub struct Left<'a> {
    /// The elements.
    pub values: &'a [f32],
    /// Distance between rows.
    pub rows: usize,
    /// Distance between columns.
    pub columns: usize,
}

/// What of a product there is to compute, where a factor or the result is triangular. The rest is not worth its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Everything.
    All,
    /// Elements of the result with column ≤ row; what is left in the others has no meaning.
    LowerResult,
    /// Everything, knowing that the left factor is 0 wherever column > row.
    LowerLeft,
    /// Everything, knowing that the left factor is 0 wherever column < row.
    UpperLeft,
}

/// What becomes of the values that a product's target holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Into {
    /// c ← a·b.
    Fresh,
    /// c ← c + a·b.
    Sum,
    /// The chains of multiply-adds start from c in place of 0: products over parts of k, one after the other, give the
    /// bits of one over all of it.
    Chain,
}

/// c ← a·b, or c ← c + a·b: `a` is m × k, `b` is k × n, row i of `c` begins at `c[i * stride]`.
///
/// # Panics
/// If a slice is too short for the sizes given.
pub fn multiply(m: usize, a: Left, b: &Packed, c: &mut [f32], stride: usize, accumulate: bool) {
    let into = if accumulate { Into::Sum } else { Into::Fresh };
    multiply_part(Window::whole(Part::All, b), m, a, b, c, stride, into);
}

/// What of a product is computed: a part of it, and of the packed factor the first columns and steps alone. It may be
/// a strip of a larger product, in which the strip's rows (for [`Part::UpperLeft`] its steps) come `offset` later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Which elements there are to compute.
    pub part: Part,
    /// Where the strip begins in the whole.
    pub offset: usize,
    /// Columns of the packed factor: all, or a multiple of 32.
    pub columns: usize,
    /// Rows of the packed factor.
    pub steps: usize,
}

impl Window {
    /// All columns and steps.
    pub fn whole(part: Part, b: &Packed) -> Self {
        Self { part, offset: 0, columns: b.n, steps: b.k }
    }
}

/// As [`multiply`], leaving out what [`Part`] says is not needed or 0. As a zero adds nothing to a chain that does
/// not start at −0, the bits are those of the whole product (of finite factors).
///
/// # Panics
/// If a slice is too short for the sizes given, or the window does not fit the packed factor.
pub fn multiply_part(window: Window, m: usize, a: Left, b: &Packed, c: &mut [f32], stride: usize, into: Into) {
    let Window { part, offset, columns, steps } = window;
    if m == 0 || columns == 0 {
        return;
    }
    assert!(columns == b.n || (columns < b.n && columns.is_multiple_of(PANEL)));
    assert!(steps <= b.k && b.data.len() >= b.k * padded(b.n));
    assert!(steps == 0 || a.values.len() > (m - 1) * a.rows + (steps - 1) * a.columns);
    assert!(stride >= columns && c.len() >= (m - 1) * stride + columns);
    let level = level();
    let mut first = 0;
    let mut filled = 0;
    while first < columns {
        let width = if padded(b.n) - first >= PANEL { PANEL } else { HALF };
        let live = width.min(columns - first);
        let panel = &b.data[filled..filled + b.k * width];
        let mut row = if part == Part::LowerResult { first.saturating_sub(offset) } else { 0 };
        while row < m {
            let tile = TILE.min(m - row);
            let range = match part {
                Part::All | Part::LowerResult => 0..steps,
                Part::LowerLeft => 0..steps.min(offset + row + tile),
                Part::UpperLeft => row.saturating_sub(offset).min(steps)..steps,
            };
            let begin = row * a.rows + range.start * a.columns;
            let left = Left { values: &a.values[begin.min(a.values.len())..], ..a };
            let panel = &panel[range.start * width..];
            let start = row * stride + first;
            if live == width {
                tile_product(level, tile, range.len(), left, panel, width, &mut c[start..], stride, into);
            } else {
                let mut edge = [0.0; TILE * PANEL];
                if into == Into::Chain {
                    for (i, values) in edge.chunks_exact_mut(width).take(tile).enumerate() {
                        values[..live].copy_from_slice(&c[start + i * stride..start + i * stride + live]);
                    }
                }
                let inside = if into == Into::Chain { Into::Chain } else { Into::Fresh };
                tile_product(level, tile, range.len(), left, panel, width, &mut edge, width, inside);
                for (i, values) in edge.chunks_exact(width).take(tile).enumerate() {
                    let target = &mut c[start + i * stride..start + i * stride + live];
                    for (target, value) in target.iter_mut().zip(values) {
                        *target = if into == Into::Sum { *target + value } else { *value };
                    }
                }
            }
            row += tile;
        }
        filled += b.k * width;
        first += width;
    }
}

/// One register tile. Bounds: checked here once, so that the loops inside need not.
#[allow(clippy::too_many_arguments)]
fn tile_product(
    level: Level,
    m: usize,
    k: usize,
    a: Left,
    panel: &[f32],
    width: usize,
    c: &mut [f32],
    stride: usize,
    into: Into,
) {
    assert!((1..=TILE).contains(&m) && (width == PANEL || width == HALF));
    assert!(panel.len() >= k * width && c.len() >= (m - 1) * stride + width);
    assert!(k == 0 || a.values.len() > (m - 1) * a.rows + (k - 1) * a.columns);
    // SAFETY (of the calls below): the assertions above cover every element that a tile of m rows, k steps and
    // `width` columns reads or writes; `level` vouches for the instructions.
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { x86::tile_avx512(m, k, a, panel, width, c, stride, into) },
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { x86::tile_avx2(m, k, a, panel, width, c, stride, into) },
        _ => tile_portable(m, k, a, panel, width, c, stride, into),
    }
}

/// The obvious tile: the reference that the others must equal to the bit.
#[allow(clippy::too_many_arguments)]
fn tile_portable(m: usize, k: usize, a: Left, panel: &[f32], width: usize, c: &mut [f32], stride: usize, into: Into) {
    for i in 0..m {
        for j in 0..width {
            let target = &mut c[i * stride + j];
            let mut sum = if into == Into::Chain { *target } else { 0.0f32 };
            for step in 0..k {
                sum = a.values[i * a.rows + step * a.columns].mul_add(panel[step * width + j], sum);
            }
            *target = if into == Into::Sum { *target + sum } else { sum };
        }
    }
}

/// Sums over the rows of two panels, whose rows have 16 values, of the products of 8 values of `a`, from `first` on, with
/// all of `b`. Products are rounded before they are added, so that vectors change no bit.
///
/// # Panics
/// If a panel holds no whole rows, or fewer than the other, or `first` is beyond 8.
pub(crate) fn double_tile(a: &[f64], first: usize, b: &[f64]) -> [[f64; 16]; 8] {
    assert!(a.len() == b.len() && a.len().is_multiple_of(16) && first <= 8);
    let mut sums = [[0.0; 16]; 8];
    #[cfg(target_arch = "x86_64")]
    if level() == Level::Avx512 && !a.is_empty() {
        // SAFETY: `level` vouches for the instructions. There are a.len() / 16 rows of 16 in both panels, and `first` is at
        // most 8, so 8 values from there on are in the last row too.
        unsafe { x86::double_tile(a.len() / 16, a.as_ptr().add(first), b.as_ptr(), &mut sums) };
        return sums;
    }
    for (a, b) in a.as_chunks::<16>().0.iter().zip(b.as_chunks::<16>().0) {
        for (sums, a) in sums.iter_mut().zip(&a[first..first + 8]) {
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum += a * b;
            }
        }
    }
    sums
}

/// The eight lanes of the dot products of rows, `stride` apart, with the first whole eights of `b`: one for each of
/// `lanes`. Products are rounded before they are added.
///
/// # Panics
/// If a row is shorter than `b`.
#[allow(clippy::needless_range_loop)]
pub(crate) fn double_dots(rows: &[f64], stride: usize, b: &[f64], lanes: &mut [[f64; 8]]) {
    let Some(last) = lanes.len().checked_sub(1) else { return };
    assert!(rows.len() >= last * stride + b.len());
    let eights = b.len() / 8;
    let mut done = 0;
    #[cfg(target_arch = "x86_64")]
    if level() == Level::Avx512 {
        // SAFETY: `level` vouches for the instructions. The assertion says that every row, the last one too, has as many
        // values as `b`, of which 8 · `eights` are read; `done` + the number of products is at most the number of lanes.
        unsafe {
            while lanes.len() - done >= 4 {
                let a = rows.as_ptr().add(done * stride);
                x86::double_dots::<4>(eights, a, stride, b.as_ptr(), &mut lanes[done..done + 4]);
                done += 4;
            }
            while lanes.len() - done >= 2 {
                let a = rows.as_ptr().add(done * stride);
                x86::double_dots::<2>(eights, a, stride, b.as_ptr(), &mut lanes[done..done + 2]);
                done += 2;
            }
            while done < lanes.len() {
                let a = rows.as_ptr().add(done * stride);
                x86::double_dots::<1>(eights, a, stride, b.as_ptr(), &mut lanes[done..done + 1]);
                done += 1;
            }
        }
    }
    for (number, lanes) in lanes.iter_mut().enumerate().skip(done) {
        *lanes = [0.0; 8];
        let row = &rows[number * stride..][..b.len()];
        for (a, b) in row.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0) {
            for lane in 0..8 {
                lanes[lane] += a[lane] * b[lane];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn numbers(seed: u64, count: usize) -> Vec<f32> {
        use rand_chacha::rand_core::{Rng, SeedableRng};
        let mut stream = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        (0..count).map(|_| stream.next_u32() as f32 / u32::MAX as f32 - 0.5).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn every_level_equals_the_plain_chain_to_the_bit(
            m in 1usize..40, n in 1usize..100, k in 0usize..70, transposed: [bool; 2], accumulate: bool, seed: u64
        ) {
            let (a, b, before) = (numbers(seed, m * k), numbers(seed ^ 1, k * n), numbers(seed ^ 2, m * n));
            let (rows, columns) = if transposed[0] { (1, m) } else { (k, 1) };
            let (b_rows, b_columns) = if transposed[1] { (1, k) } else { (n, 1) };
            let mut expected = before.clone();
            for i in 0..m {
                for j in 0..n {
                    let mut sum = 0.0f32;
                    for step in 0..k {
                        sum = a[i * rows + step * columns].mul_add(b[step * b_rows + j * b_columns], sum);
                    }
                    expected[i * n + j] = if accumulate { before[i * n + j] + sum } else { sum };
                }
            }
            let mut packed = Packed::default();
            packed.pack(k, n, &b, b_rows, b_columns);
            let mut got = before.clone();
            multiply(m, Left { values: &a, rows, columns }, &packed, &mut got, n, accumulate);
            prop_assert!(got.iter().zip(&expected).all(|(x, y)| x.to_bits() == y.to_bits()));
            // Every level that this machine has, tile by tile.
            let width = padded(n).min(PANEL);
            let tile = m.min(TILE);
            let into = if accumulate { Into::Sum } else { Into::Chain };
            let wide = numbers(seed ^ 3, k * width);
            let left = Left { values: &a, rows, columns };
            let mut reference = vec![1.0; tile * width];
            tile_portable(tile, k, left, &wide, width, &mut reference, width, into);
            let levels: &[Level] = match detect() {
                Level::Avx512 => &[Level::Avx512, Level::Avx2],
                Level::Avx2 => &[Level::Avx2],
                Level::Portable => &[],
            };
            for &level in levels {
                let mut other = vec![1.0; tile * width];
                tile_product(level, tile, k, left, &wide, width, &mut other, width, into);
                prop_assert!(other.iter().zip(&reference).all(|(x, y)| x.to_bits() == y.to_bits()), "{level:?}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn a_part_equals_the_whole_where_it_is_wanted(
            m in 1usize..60, n in 1usize..70, k in 1usize..60, transposed: bool, accumulate: bool, seed: u64
        ) {
            let (whole, b, before) = (numbers(seed, m * k), numbers(seed ^ 1, k * n), numbers(seed ^ 2, m * n));
            let mut packed = Packed::default();
            packed.pack(k, n, &b, n, 1);
            let (rows, columns) = if transposed { (1, m) } else { (k, 1) };
            for part in [Part::LowerResult, Part::LowerLeft, Part::UpperLeft] {
                let mut a = whole.clone();
                for (row, column) in (0..m).flat_map(|row| (0..k).map(move |column| (row, column))) {
                    let zero = match part {
                        Part::LowerLeft => column > row,
                        Part::UpperLeft => column < row,
                        Part::All | Part::LowerResult => false,
                    };
                    if zero {
                        a[row * rows + column * columns] = 0.0;
                    }
                }
                let left = Left { values: &a, rows, columns };
                let (mut expected, mut got) = (before.clone(), before.clone());
                multiply(m, left, &packed, &mut expected, n, accumulate);
                let into = if accumulate { Into::Sum } else { Into::Fresh };
                multiply_part(Window::whole(part, &packed), m, left, &packed, &mut got, n, into);
                for (at, (x, y)) in got.iter().zip(&expected).enumerate() {
                    let wanted = part != Part::LowerResult || at % n <= at / n;
                    prop_assert!(!wanted || x.to_bits() == y.to_bits(), "{part:?} at {at}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn strips_one_after_the_other_give_the_bits_of_the_whole(
            n in 1usize..70, k in 1usize..150, strip in 1usize..4, inner in 1usize..40, seed: u64
        ) {
            let strip = strip * PANEL;
            // Triangular as a causal pattern is: k × k, 0 above the diagonal.
            let mut square = numbers(seed, k * k);
            (0..k * k).filter(|at| at % k > at / k).for_each(|at| square[at] = 0.0);
            let right = numbers(seed ^ 1, k * n);
            let mut packed = Packed::default();
            packed.pack(k, n, &right, n, 1);
            let [mut expected, mut got] = [0, 1].map(|_| vec![0.0; k * n]);
            let rows = Left { values: &square, rows: k, columns: 1 };
            multiply(k, rows, &packed, &mut expected, n, false);
            for offset in (0..k).step_by(strip) {
                let (count, seen) = (strip.min(k - offset), (offset + strip).min(k));
                let window = Window { part: Part::LowerLeft, offset, columns: n, steps: seen };
                let left = Left { values: &square[offset * k..], ..rows };
                multiply_part(window, count, left, &packed, &mut got[offset * n..], n, Into::Fresh);
            }
            prop_assert!(got.iter().zip(&expected).all(|(x, y)| x.to_bits() == y.to_bits()), "rows");
            // Transposed, summed over strips.
            multiply(k, Left { values: &square, rows: 1, columns: k }, &packed, &mut expected, n, false);
            got.fill(0.0);
            for offset in (0..k).step_by(strip) {
                let (count, seen) = (strip.min(k - offset), (offset + strip).min(k));
                packed.pack(count, n, &right[offset * n..], n, 1);
                let window = Window { part: Part::UpperLeft, offset, columns: n, steps: count };
                let left = Left { values: &square[offset * k..], rows: 1, columns: k };
                multiply_part(window, seen, left, &packed, &mut got, n, Into::Chain);
            }
            prop_assert!(got.iter().zip(&expected).all(|(x, y)| x.to_bits() == y.to_bits()), "columns");
            // The lower half of a product, the first columns of the packed factor alone.
            let (a, b) = (numbers(seed ^ 2, k * inner), numbers(seed ^ 3, inner * k));
            packed.pack(inner, k, &b, k, 1);
            let [mut expected, mut got] = [0, 1].map(|_| vec![0.0; k * k]);
            let rows = Left { values: &a, rows: inner, columns: 1 };
            multiply(k, rows, &packed, &mut expected, k, false);
            for offset in (0..k).step_by(strip) {
                let (count, seen) = (strip.min(k - offset), (offset + strip).min(k));
                let window = Window { part: Part::LowerResult, offset, columns: seen, steps: inner };
                let left = Left { values: &a[offset * inner..], ..rows };
                multiply_part(window, count, left, &packed, &mut got[offset * k..], k, Into::Fresh);
            }
            let lower = |at: &usize| at % k <= at / k;
            prop_assert!((0..k * k).filter(lower).all(|at| got[at].to_bits() == expected[at].to_bits()), "half");
        }
    }
}
