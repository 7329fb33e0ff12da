//! One or more generations of a 64×64 block of cells held as one word a row, 64 cells at a time.

use super::rule::Rule;

/// Rows of a block with one row of padding at either end, so that row r of the block is word r + 1. Bit x of a word
/// is column x.
pub type Rows = [u64; ROWS];

/// The block's 64 rows and the padding.
pub const ROWS: usize = 66;

/// How to compute the next state of every cell of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Logic {
    /// Conway's Life.
    Life,
    /// Outer-totalistic: for each count of neighbours all ones or all zeros, for births and for survivals.
    Totalistic([u64; 9], [u64; 9]),
    /// Any table on nine cells.
    Table(Box<[bool; 512]>),
}

impl Logic {
    /// The logic for patterns that are stored relative to a background: `before` and `after` say whether the
    /// background is live before and after the generation. An empty block stays empty when `after` is what the rule
    /// makes of `before`.
    pub fn new(rule: &Rule, before: bool, after: bool) -> Self {
        let flip = |index: usize| if before { !index & 511 } else { index };
        let relative = Rule::from_table(|index| rule.table()[flip(index)] != after);
        match relative.is_totalistic() {
            Some((0b1000, 0b1100)) => Self::Life,
            Some((birth, survival)) => {
                let spread = |mask: u16| std::array::from_fn(|n| if mask >> n & 1 == 1 { !0 } else { 0 });
                Self::Totalistic(spread(birth), spread(survival))
            }
            None => Self::Table(Box::new(*relative.table())),
        }
    }
}

/// What a leap changed within a block, given the bits that differ.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change {
    /// The columns of all changed cells.
    pub all: u64,
    /// Those in the first and in the last rows, as many as the ring is wide.
    pub first: u64,
    /// See `first`.
    pub last: u64,
    /// Live cells in the block's own part now, if anything changed.
    pub population: u32,
}

/// Advances the cells of a block within a ring of so many by up to four generations, and not more than the ring is
/// wide; the ring stays as it is. `logics` gives the logic of each generation. With a history every generation's cells
/// are added to it (those of the ring mean nothing).
pub fn advance_within(rows: &mut Rows, ring: usize, logics: &[&Logic], history: Option<&mut Rows>) -> Change {
    dispatch::advance_within(rows, ring, logics, history)
}

/// Runs code that is inlined here as compiled for the processor's wide vectors.
#[inline(always)]
pub fn wide<R>(work: impl FnOnce() -> R) -> R {
    dispatch::wide(work)
}

#[inline(always)]
fn advance_within_any(rows: &mut Rows, ring: usize, logics: &[&Logic], history: Option<&mut Rows>) -> Change {
    let mut next = *rows;
    advance_any(&mut next, logics, history);
    let columns = !0u64 << (2 * ring) >> ring;
    let own = ring + 1..ROWS - 1 - ring;
    let mut change = Change::default();
    for (row, next) in rows[own.clone()].iter().zip(&next[own.clone()]) {
        change.all |= (row ^ next) & columns;
    }
    if change.all == 0 {
        return change;
    }
    for (k, row) in own.clone().enumerate().take(ring) {
        change.first |= (rows[row] ^ next[row]) & columns;
        let row = own.end - 1 - k;
        change.last |= (rows[row] ^ next[row]) & columns;
    }
    for (row, next) in rows[own.clone()].iter_mut().zip(&next[own]) {
        *row = *row & !columns | next & columns;
        change.population += (next & columns).count_ones();
    }
    change
}

#[inline(always)]
fn advance_any(rows: &mut Rows, logics: &[&Logic], mut history: Option<&mut Rows>) {
    let mut other = [0; ROWS];
    if let ([Logic::Life, Logic::Life, Logic::Life, Logic::Life], None) = (logics, &history) {
        // The common case, back and forth without copies.
        for _ in 0..2 {
            life(rows, &mut other);
            life(&other, rows);
        }
        return;
    }
    for logic in logics {
        match logic {
            Logic::Life => life(rows, &mut other),
            Logic::Totalistic(birth, survival) => totalistic(rows, &mut other, birth, survival),
            Logic::Table(table) => look_up(rows, &mut other, table),
        }
        *rows = other;
        if let Some(history) = history.as_deref_mut() {
            for (seen, row) in history.iter_mut().zip(rows.iter()) {
                *seen |= row;
            }
        }
    }
}

/// Sum and carry of a row with its left and right neighbours.
#[inline(always)]
fn three(row: u64) -> (u64, u64) {
    let (west, east) = (row << 1, row >> 1);
    (west ^ row ^ east, west & east | row & (west | east))
}

#[inline(always)]
fn life(from: &Rows, to: &mut Rows) {
    for r in 1..ROWS - 1 {
        let (above, above_two) = three(from[r - 1]);
        let (middle, middle_two) = three(from[r]);
        let (below, below_two) = three(from[r + 1]);
        // The nine cells sum to ones + 2 (twos + …): live next with 3 of nine, or with 4 of nine if live.
        let ones = above ^ middle ^ below;
        let carry = above & middle | below & (above | middle);
        let odd = above_two ^ middle_two ^ below_two;
        let pair = above_two & middle_two | below_two & (above_two | middle_two);
        let twos = odd ^ carry;
        let fours = pair ^ (odd & carry);
        to[r] = (ones & twos & !fours) | (from[r] & !ones & !twos & fours);
    }
}

#[inline(always)]
fn totalistic(from: &Rows, to: &mut Rows, birth: &[u64; 9], survival: &[u64; 9]) {
    for r in 1..ROWS - 1 {
        let (above, above_two) = three(from[r - 1]);
        let (below, below_two) = three(from[r + 1]);
        let (west, east) = (from[r] << 1, from[r] >> 1);
        let (middle, middle_two) = (west ^ east, west & east);
        // Binary digits of the number of neighbours: n0 + 2 n1 + 4 n2 + 8 n3.
        let n0 = above ^ middle ^ below;
        let carry = above & middle | below & (above | middle);
        let odd = above_two ^ middle_two ^ below_two;
        let pair = above_two & middle_two | below_two & (above_two | middle_two);
        let n1 = odd ^ carry;
        let carry_two = odd & carry;
        let n2 = pair ^ carry_two;
        let n3 = pair & carry_two;
        let mut next = 0;
        for (count, (birth, survival)) in birth.iter().zip(survival).enumerate() {
            let digit = |bit: u64, place: usize| if count >> place & 1 == 1 { bit } else { !bit };
            let here = digit(n0, 0) & digit(n1, 1) & digit(n2, 2) & digit(n3, 3);
            next |= here & (birth & !from[r] | survival & from[r]);
        }
        to[r] = next;
    }
}

fn look_up(from: &Rows, to: &mut Rows, table: &[bool; 512]) {
    for r in 1..ROWS - 1 {
        let (above, row, below) = (from[r - 1], from[r], from[r + 1]);
        if above | row | below == 0 {
            // A table for the fast engine keeps empty blocks empty.
            to[r] = 0;
            continue;
        }
        let mut next = 0;
        for x in 1..63 {
            let three = |word: u64| (word >> (x - 1) & 7) as usize;
            let index = three(above) | three(row) << 3 | three(below) << 6;
            next |= u64::from(table[index]) << x;
        }
        to[r] = next;
    }
}

/// The one place with `unsafe`: calling code compiled for a processor's wide vectors, and eight rows to a vector.
#[allow(unsafe_code)]
mod dispatch {
    use super::{Change, Logic, Rows, advance_within_any};

    #[inline(always)]
    pub(super) fn wide<R>(work: impl FnOnce() -> R) -> R {
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx512f") && std::arch::is_x86_feature_detected!("avx512vl") {
                // SAFETY: the body is safe code; the only duty of the caller is that the processor has the features it
                // was compiled for, which was asked on the line above.
                return unsafe { wide_avx512(work) };
            }
        }
        work()
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512vl")]
    fn wide_avx512<R>(work: impl FnOnce() -> R) -> R {
        work()
    }

    pub(super) fn advance_within(
        rows: &mut Rows,
        ring: usize,
        logics: &[&Logic],
        history: Option<&mut Rows>,
    ) -> Change {
        #[cfg(target_arch = "x86_64")]
        {
            let life = ring == 4 && logics.iter().all(|logic| **logic == Logic::Life);
            if life
                && std::arch::is_x86_feature_detected!("avx512f")
                && std::arch::is_x86_feature_detected!("avx512vpopcntdq")
            {
                // SAFETY: the function's only duty for its caller is that the processor has the features it was
                // compiled for, which was asked above.
                return unsafe { life_avx512(rows, logics.len(), history) };
            }
            let counts = std::arch::is_x86_feature_detected!("popcnt");
            if counts
                && std::arch::is_x86_feature_detected!("avx512f")
                && std::arch::is_x86_feature_detected!("avx512vl")
            {
                // SAFETY: as above; the body is safe code.
                return unsafe { advance_within_avx512(rows, ring, logics, history) };
            }
            if counts && std::arch::is_x86_feature_detected!("avx2") {
                // SAFETY: as above; the body is safe code.
                return unsafe { advance_within_avx2(rows, ring, logics, history) };
            }
        }
        advance_within_any(rows, ring, logics, history)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512vl,popcnt")]
    fn advance_within_avx512(rows: &mut Rows, ring: usize, logics: &[&Logic], history: Option<&mut Rows>) -> Change {
        advance_within_any(rows, ring, logics, history)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,popcnt")]
    fn advance_within_avx2(rows: &mut Rows, ring: usize, logics: &[&Logic], history: Option<&mut Rows>) -> Change {
        advance_within_any(rows, ring, logics, history)
    }

    #[cfg(target_arch = "x86_64")]
    use std::arch::x86_64::{
        __m512i, _mm512_alignr_epi64, _mm512_and_si512, _mm512_loadu_si512, _mm512_maskz_set1_epi64, _mm512_or_si512,
        _mm512_popcnt_epi64, _mm512_reduce_add_epi64, _mm512_reduce_or_epi64, _mm512_set1_epi64, _mm512_setzero_si512,
        _mm512_slli_epi64, _mm512_srli_epi64, _mm512_storeu_si512, _mm512_ternarylogic_epi64, _mm512_xor_si512,
    };

    /// Generations of Life within a ring of 4, eight rows to a vector: the block never leaves the registers, and each
    /// row is added up once.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512vpopcntdq")]
    fn life_avx512(rows: &mut Rows, generations: usize, mut history: Option<&mut Rows>) -> Change {
        // Rows 4 to 59 of 64, columns 4 to 59.
        const COLUMNS: i64 = 0x0fff_ffff_ffff_fff0;
        let own: [__m512i; 8] = std::array::from_fn(|i| match i {
            0 => _mm512_maskz_set1_epi64(0xf0, COLUMNS),
            7 => _mm512_maskz_set1_epi64(0x0f, COLUMNS),
            _ => _mm512_set1_epi64(COLUMNS),
        });
        let before = load(rows);
        let mut now = before;
        for _ in 0..generations {
            now = life_once(&now);
            if let Some(history) = history.as_deref_mut() {
                let seen = load(history);
                store(history, &std::array::from_fn(|i| _mm512_or_si512(seen[i], now[i])));
            }
        }
        let changed: [__m512i; 8] =
            std::array::from_fn(|i| _mm512_and_si512(_mm512_xor_si512(before[i], now[i]), own[i]));
        let all = changed.into_iter().fold(_mm512_setzero_si512(), |all, part| _mm512_or_si512(all, part));
        let all = _mm512_reduce_or_epi64(all).cast_unsigned();
        if all == 0 {
            return Change::default();
        }
        let mut population = _mm512_setzero_si512();
        for i in 0..8 {
            population =
                std::arch::x86_64::_mm512_add_epi64(population, _mm512_popcnt_epi64(_mm512_and_si512(now[i], own[i])));
            // The new cell where it is its own, else the old one.
            now[i] = _mm512_ternarylogic_epi64::<0xca>(own[i], now[i], before[i]);
        }
        store(rows, &now);
        Change {
            all,
            first: _mm512_reduce_or_epi64(changed[0]).cast_unsigned(),
            last: _mm512_reduce_or_epi64(changed[7]).cast_unsigned(),
            population: _mm512_reduce_add_epi64(population) as u32,
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    fn life_once(now: &[__m512i; 8]) -> [__m512i; 8] {
        const SUM: i32 = 0x96;
        const CARRY: i32 = 0xe8;
        let zero = _mm512_setzero_si512();
        let (mut ones, mut twos) = ([zero; 8], [zero; 8]);
        for i in 0..8 {
            let (west, east) = (_mm512_slli_epi64::<1>(now[i]), _mm512_srli_epi64::<1>(now[i]));
            ones[i] = _mm512_ternarylogic_epi64::<SUM>(west, now[i], east);
            twos[i] = _mm512_ternarylogic_epi64::<CARRY>(west, now[i], east);
        }
        std::array::from_fn(|i| {
            let above = |of: &[__m512i; 8]| _mm512_alignr_epi64::<7>(of[i], if i > 0 { of[i - 1] } else { zero });
            let below = |of: &[__m512i; 8]| _mm512_alignr_epi64::<1>(if i < 7 { of[i + 1] } else { zero }, of[i]);
            let (a, b) = (above(&ones), below(&ones));
            let one = _mm512_ternarylogic_epi64::<SUM>(a, ones[i], b);
            let carry = _mm512_ternarylogic_epi64::<CARRY>(a, ones[i], b);
            let (a, b) = (above(&twos), below(&twos));
            let odd = _mm512_ternarylogic_epi64::<SUM>(a, twos[i], b);
            let pair = _mm512_ternarylogic_epi64::<CARRY>(a, twos[i], b);
            // Of the nine 3 are live, (odd ^ carry) & !pair; or 4, !(odd ^ carry) & (pair ^ odd & carry), and the cell.
            let three = _mm512_ternarylogic_epi64::<0x14>(odd, carry, pair);
            let four = _mm512_ternarylogic_epi64::<0x42>(odd, carry, pair);
            _mm512_ternarylogic_epi64::<0xca>(one, three, _mm512_and_si512(four, now[i]))
        })
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    fn load(rows: &Rows) -> [__m512i; 8] {
        let block: &[u64; 64] = rows[1..].first_chunk().unwrap_or(&[0; 64]);
        // SAFETY: eight words from 8 i on are within the 64; no alignment is needed.
        std::array::from_fn(|i| unsafe { _mm512_loadu_si512(block.as_ptr().add(8 * i).cast()) })
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    fn store(rows: &mut Rows, block: &[__m512i; 8]) {
        for (eight, part) in rows[1..super::ROWS - 1].chunks_exact_mut(8).zip(block) {
            // SAFETY: the chunk is of eight words; no alignment is needed.
            unsafe { _mm512_storeu_si512(eight.as_mut_ptr().cast(), *part) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_way_of_advancing_agrees(
            words in proptest::collection::vec(any::<u64>(), 128),
            sparse in any::<bool>(),
            seen in proptest::collection::vec(any::<u64>(), 64),
            generations in 1usize..5,
            recording in any::<bool>(),
        ) {
            let mut rows: Rows = [0; ROWS];
            for (r, row) in rows[1..65].iter_mut().enumerate() {
                *row = words[r] & if sparse { words[64 + r] & seen[r] } else { !0 };
            }
            let mut history: Rows = [0; ROWS];
            history[1..65].copy_from_slice(&seen);
            let logics = vec![&Logic::Life; generations];
            let (mut plain, mut plain_history) = (rows, history);
            let wanted =
                advance_within_any(&mut plain, 4, &logics, if recording { Some(&mut plain_history) } else { None });
            let (mut quick, mut quick_history) = (rows, history);
            let found =
                advance_within(&mut quick, 4, &logics, if recording { Some(&mut quick_history) } else { None });
            prop_assert_eq!(plain, quick);
            prop_assert_eq!((wanted.all, wanted.first, wanted.last), (found.all, found.first, found.last));
            prop_assert_eq!(wanted.population, found.population);
            // Cells near the edge of the block mean nothing.
            let own = |rows: &Rows| rows[5..61].iter().map(|row| row & 0x0fff_ffff_ffff_fff0).collect::<Vec<_>>();
            prop_assert_eq!(own(&plain_history), own(&quick_history));
            // A generation at a time by the table.
            let mut slow = rows;
            let table = super::super::rule::Rule::life();
            for _ in 0..generations {
                let mut next = [0; ROWS];
                look_up(&slow, &mut next, table.table());
                slow = next;
            }
            prop_assert_eq!(own(&slow), own(&quick));
        }
    }
}
