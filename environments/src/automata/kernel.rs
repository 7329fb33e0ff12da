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

/// Advances a block by up to four generations. `logics` gives the logic of each; the outermost cells of the block
/// are wrong afterwards, one more ring with every generation. With a history every generation's cells are added
/// to it.
pub fn advance(rows: &mut Rows, logics: &[&Logic], history: Option<&mut Rows>) {
    dispatch::advance(rows, logics, history);
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

/// As [`advance`], but only the cells within a ring of so many are replaced.
pub fn advance_within(rows: &mut Rows, ring: usize, logics: &[&Logic], history: Option<&mut Rows>) -> Change {
    dispatch::advance_within(rows, ring, logics, history)
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

/// The one place with `unsafe`: calling the same safe code compiled for a processor's wide vectors.
#[allow(unsafe_code)]
mod dispatch {
    use super::{Change, Logic, Rows, advance_any, advance_within_any};

    pub(super) fn advance(rows: &mut Rows, logics: &[&Logic], history: Option<&mut Rows>) {
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx512f") && std::arch::is_x86_feature_detected!("avx512vl") {
                // SAFETY: the function's body is safe code; the only duty of the caller is that the processor has
                // the features it was compiled for, which was asked on the line above.
                return unsafe { advance_avx512(rows, logics, history) };
            }
            if std::arch::is_x86_feature_detected!("avx2") {
                // SAFETY: as above.
                return unsafe { advance_avx2(rows, logics, history) };
            }
        }
        advance_any(rows, logics, history);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512vl")]
    fn advance_avx512(rows: &mut Rows, logics: &[&Logic], history: Option<&mut Rows>) {
        advance_any(rows, logics, history);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn advance_avx2(rows: &mut Rows, logics: &[&Logic], history: Option<&mut Rows>) {
        advance_any(rows, logics, history);
    }

    pub(super) fn advance_within(
        rows: &mut Rows,
        ring: usize,
        logics: &[&Logic],
        history: Option<&mut Rows>,
    ) -> Change {
        #[cfg(target_arch = "x86_64")]
        {
            let counts = std::arch::is_x86_feature_detected!("popcnt");
            if counts
                && std::arch::is_x86_feature_detected!("avx512f")
                && std::arch::is_x86_feature_detected!("avx512vl")
            {
                // SAFETY: as in `advance`.
                return unsafe { advance_within_avx512(rows, ring, logics, history) };
            }
            if counts && std::arch::is_x86_feature_detected!("avx2") {
                // SAFETY: as in `advance`.
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
}
