//! One generation of a band of rows, a vector of cells at a time: the only unsafe code of the torus.
//!
//! A vector goes down the rows, so that each row is added up once for the three rows it bears upon. With AVX-512 that
//! comes to twelve operations for 512 cells of Life.

#![allow(unsafe_code)]

/// Words of padding at either end of a row, so that a row starts on a line of the cache.
pub(super) const PAD: usize = 8;

/// What the number of live cells decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kernel {
    /// Conway's Life.
    Life,
    /// For each number of live cells among all nine: what becomes of a dead cell, and of a live one; all ones or zeros.
    Counts([[u64; 2]; 10]),
}

impl Kernel {
    /// From the numbers of live neighbours that give birth and survival, as bits.
    pub(super) fn new(birth: u16, survival: u16) -> Self {
        if (birth, survival) == (0b1000, 0b1100) {
            return Self::Life;
        }
        let spread = |mask: u16, count: usize| if mask >> count & 1 == 1 { !0 } else { 0 };
        Self::Counts(std::array::from_fn(|all| {
            // No dead cell has nine live around it, and no live cell has none in its nine.
            [if all < 9 { spread(birth, all) } else { 0 }, if all > 0 { spread(survival, all - 1) } else { 0 }]
        }))
    }
}

/// The instructions to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// Any processor.
    Portable,
    /// AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 with the shifts across two words (VBMI2).
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// All that this processor has, the best last.
    pub(super) fn all() -> Vec<Self> {
        let mut levels = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx2") {
                levels.push(Self::Avx2);
            }
            if std::arch::is_x86_feature_detected!("avx512f") && std::arch::is_x86_feature_detected!("avx512vbmi2") {
                levels.push(Self::Avx512);
            }
        }
        levels
    }
}

/// The generation after `from` of `count` rows: row i of `to` follows from rows i, i + 1 and i + 2 of `from`. A row
/// takes up `stride` words: [`PAD`] words, `words` words (a multiple of 8) of cells, [`PAD`] words. The words next to
/// the cells hold the neighbours of the outermost cells; only the cells of `to` are written.
///
/// # Panics
/// If a slice is too short, or the level is not one of [`Level::all`].
pub(super) fn band(
    level: Level,
    kernel: &Kernel,
    from: &[u64],
    to: &mut [u64],
    count: usize,
    stride: usize,
    words: usize,
) {
    assert!(words.is_multiple_of(8) && stride >= PAD + words + PAD, "a row of {words} words in {stride}");
    assert!(from.len() >= (count + 2) * stride && to.len() >= count * stride, "a band of {count} rows");
    let shape = Shape { count, stride, words };
    // SAFETY: the lengths were checked above. A vector of at most 8 words starts at word PAD + 8 k of a row with
    // 8 k < words and at most one word before or after; PAD words lie on either side, so that it stays within a row,
    // and rows 0 to count + 1 of `from` and 0 to count - 1 of `to` are within the slices.
    match level {
        Level::Portable => unsafe { sweep::<[u64; 4]>(kernel, from.as_ptr(), to.as_mut_ptr(), shape) },
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => {
            assert!(std::arch::is_x86_feature_detected!("avx2"));
            // SAFETY: as above, and the processor has the feature.
            unsafe { x86::sweep_avx2(kernel, from.as_ptr(), to.as_mut_ptr(), shape) }
        }
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => {
            assert!(std::arch::is_x86_feature_detected!("avx512f"));
            assert!(std::arch::is_x86_feature_detected!("avx512vbmi2"));
            // SAFETY: as above, and the processor has the features.
            unsafe { x86::sweep_avx512(kernel, from.as_ptr(), to.as_mut_ptr(), shape) }
        }
    }
}

#[derive(Clone, Copy)]
struct Shape {
    count: usize,
    stride: usize,
    words: usize,
}

/// A vector of words, and the functions of three bits that are needed, bit by bit.
trait Lanes: Copy {
    /// Words of a vector; a divisor of 8.
    const WORDS: usize;
    /// # Safety
    /// `WORDS` words can be read there, and the processor has the implementation's features (as for all below).
    unsafe fn load(at: *const u64) -> Self;
    /// # Safety
    /// `WORDS` words can be written there.
    unsafe fn store(self, at: *mut u64);
    unsafe fn splat(word: u64) -> Self;
    /// Each cell's western neighbour, given the words before each word.
    unsafe fn west(self, before: Self) -> Self;
    /// Each cell's eastern neighbour, given the words after each word.
    unsafe fn east(self, after: Self) -> Self;
    /// a ^ b ^ c.
    unsafe fn sum(a: Self, b: Self, c: Self) -> Self;
    /// At least two of three.
    unsafe fn carry(a: Self, b: Self, c: Self) -> Self;
    /// b where a, else c.
    unsafe fn choose(a: Self, b: Self, c: Self) -> Self;
    /// (a ^ b) & !c.
    unsafe fn one(a: Self, b: Self, c: Self) -> Self;
    /// Whether a + b + 2 c is 2.
    unsafe fn two(a: Self, b: Self, c: Self) -> Self;
    unsafe fn and(self, other: Self) -> Self;
    unsafe fn xor(self, other: Self) -> Self;
}

/// # Safety
/// As [`band`] proves.
#[inline(always)]
unsafe fn sweep<L: Lanes>(kernel: &Kernel, from: *const u64, to: *mut u64, shape: Shape) {
    // SAFETY: see `band`.
    unsafe {
        match kernel {
            Kernel::Life => columns::<L>(from, to, shape, |ones, carry, odd, pair, cell| {
                // Of the nine 3 are live; or 4, one of which is the cell.
                let three = L::one(odd, carry, pair);
                let four = L::two(odd, carry, pair);
                L::choose(ones, three, four.and(cell))
            }),
            Kernel::Counts(next) => columns::<L>(from, to, shape, |ones, carry, odd, pair, cell| {
                let twos = odd.xor(carry);
                let both = odd.and(carry);
                let (fours, eights) = (pair.xor(both), pair.and(both));
                let outcome = |all: usize| L::choose(cell, L::splat(next[all][1]), L::splat(next[all][0]));
                let pair = |all: usize| L::choose(ones, outcome(all + 1), outcome(all));
                let low = L::choose(twos, pair(2), pair(0));
                let high = L::choose(twos, pair(6), pair(4));
                L::choose(eights, pair(8), L::choose(fours, high, low))
            }),
        }
    }
}

/// Goes down the rows, one vector's width after the other. `next` makes the next cells of the sum of nine cells,
/// ones + 2 (carry + odd + 2 pair), and of the cells themselves.
///
/// # Safety
/// As [`band`] proves.
#[inline(always)]
unsafe fn columns<L: Lanes>(
    from: *const u64,
    to: *mut u64,
    Shape { count, stride, words }: Shape,
    next: impl Fn(L, L, L, L, L) -> L,
) {
    // SAFETY: see `band`.
    unsafe {
        let row = |at: *const u64| {
            let cells = L::load(at);
            let (west, east) = (cells.west(L::load(at.sub(1))), cells.east(L::load(at.add(1))));
            (cells, L::sum(west, cells, east), L::carry(west, cells, east))
        };
        for column in (PAD..PAD + words).step_by(L::WORDS) {
            let (mut from, mut to) = (from.add(column), to.add(column));
            let (_, mut above, mut above_two) = row(from);
            from = from.add(stride);
            let (mut cells, mut middle, mut middle_two) = row(from);
            for _ in 0..count {
                from = from.add(stride);
                let (cells_below, below, below_two) = row(from);
                let (ones, carry) = (L::sum(above, middle, below), L::carry(above, middle, below));
                let odd = L::sum(above_two, middle_two, below_two);
                let pair = L::carry(above_two, middle_two, below_two);
                next(ones, carry, odd, pair, cells).store(to);
                to = to.add(stride);
                (above, above_two) = (middle, middle_two);
                (cells, middle, middle_two) = (cells_below, below, below_two);
            }
        }
    }
}

/// The plain version, which the compiler turns into vectors where it can.
impl Lanes for [u64; 4] {
    const WORDS: usize = 4;
    #[inline(always)]
    unsafe fn load(at: *const u64) -> Self {
        // SAFETY: the caller's word.
        unsafe { at.cast::<Self>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(self, at: *mut u64) {
        // SAFETY: the caller's word.
        unsafe { at.cast::<Self>().write_unaligned(self) }
    }
    #[inline(always)]
    unsafe fn splat(word: u64) -> Self {
        [word; 4]
    }
    #[inline(always)]
    unsafe fn west(self, before: Self) -> Self {
        std::array::from_fn(|i| self[i] << 1 | before[i] >> 63)
    }
    #[inline(always)]
    unsafe fn east(self, after: Self) -> Self {
        std::array::from_fn(|i| self[i] >> 1 | after[i] << 63)
    }
    #[inline(always)]
    unsafe fn sum(a: Self, b: Self, c: Self) -> Self {
        std::array::from_fn(|i| a[i] ^ b[i] ^ c[i])
    }
    #[inline(always)]
    unsafe fn carry(a: Self, b: Self, c: Self) -> Self {
        std::array::from_fn(|i| a[i] & b[i] | c[i] & (a[i] ^ b[i]))
    }
    #[inline(always)]
    unsafe fn choose(a: Self, b: Self, c: Self) -> Self {
        std::array::from_fn(|i| a[i] & b[i] | !a[i] & c[i])
    }
    #[inline(always)]
    unsafe fn one(a: Self, b: Self, c: Self) -> Self {
        std::array::from_fn(|i| (a[i] ^ b[i]) & !c[i])
    }
    #[inline(always)]
    unsafe fn two(a: Self, b: Self, c: Self) -> Self {
        std::array::from_fn(|i| !(a[i] ^ b[i]) & (c[i] ^ (a[i] & b[i])))
    }
    #[inline(always)]
    unsafe fn and(self, other: Self) -> Self {
        std::array::from_fn(|i| self[i] & other[i])
    }
    #[inline(always)]
    unsafe fn xor(self, other: Self) -> Self {
        std::array::from_fn(|i| self[i] ^ other[i])
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m512i, _mm512_and_si512, _mm512_loadu_si512, _mm512_set1_epi64, _mm512_shldi_epi64, _mm512_shrdi_epi64,
        _mm512_storeu_si512, _mm512_ternarylogic_epi64, _mm512_xor_si512,
    };

    use super::{Kernel, Lanes, Shape, sweep};

    /// # Safety
    /// As [`super::band`] proves.
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn sweep_avx2(kernel: &Kernel, from: *const u64, to: *mut u64, shape: Shape) {
        // SAFETY: the caller's word.
        unsafe { sweep::<[u64; 4]>(kernel, from, to, shape) }
    }

    /// # Safety
    /// As [`super::band`] proves.
    #[target_feature(enable = "avx512f,avx512vbmi2")]
    pub(super) unsafe fn sweep_avx512(kernel: &Kernel, from: *const u64, to: *mut u64, shape: Shape) {
        // SAFETY: the caller's word.
        unsafe { sweep::<__m512i>(kernel, from, to, shape) }
    }

    /// The three inputs of a table of eight bits.
    const A: i32 = 0xf0;
    const B: i32 = 0xcc;
    const C: i32 = 0xaa;

    macro_rules! ternary {
        ($name:ident, $table:expr) => {
            #[inline(always)]
            unsafe fn $name(a: Self, b: Self, c: Self) -> Self {
                // SAFETY: only `sweep_avx512` uses this type.
                unsafe { _mm512_ternarylogic_epi64::<{ $table & 0xff }>(a, b, c) }
            }
        };
    }

    // SAFETY of all that follows: only `sweep_avx512` uses this type, and it has the features.
    impl Lanes for __m512i {
        const WORDS: usize = 8;
        #[inline(always)]
        unsafe fn load(at: *const u64) -> Self {
            // SAFETY: the caller's word; no alignment is needed.
            unsafe { _mm512_loadu_si512(at.cast()) }
        }
        #[inline(always)]
        unsafe fn store(self, at: *mut u64) {
            // SAFETY: the caller's word; no alignment is needed.
            unsafe { _mm512_storeu_si512(at.cast(), self) }
        }
        #[inline(always)]
        unsafe fn splat(word: u64) -> Self {
            // SAFETY: see above.
            unsafe { _mm512_set1_epi64(word.cast_signed()) }
        }
        #[inline(always)]
        unsafe fn west(self, before: Self) -> Self {
            // SAFETY: see above.
            unsafe { _mm512_shldi_epi64::<1>(self, before) }
        }
        #[inline(always)]
        unsafe fn east(self, after: Self) -> Self {
            // SAFETY: see above.
            unsafe { _mm512_shrdi_epi64::<1>(self, after) }
        }
        ternary!(sum, A ^ B ^ C);
        ternary!(carry, A & B | B & C | A & C);
        ternary!(choose, A & B | !A & C);
        ternary!(one, (A ^ B) & !C);
        ternary!(two, !(A ^ B) & (C ^ (A & B)));
        #[inline(always)]
        unsafe fn and(self, other: Self) -> Self {
            // SAFETY: see above.
            unsafe { _mm512_and_si512(self, other) }
        }
        #[inline(always)]
        unsafe fn xor(self, other: Self) -> Self {
            // SAFETY: see above.
            unsafe { _mm512_xor_si512(self, other) }
        }
    }
}
