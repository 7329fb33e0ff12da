//! A dense torus for rules that count live neighbours, at the speed of the processor's widest vectors.
//!
//! A row is a run of words with padding on both sides; before a generation the padding is given the cells from beyond
//! the seam, so that no cell needs a case of its own. A board too large for the near caches takes several generations
//! in one pass over its rows, each generation a few rows behind the one before, so that it crosses the memory's
//! border once for all of them.

use super::pattern::Pattern;
use super::rule::{Rule, Topology};

mod lanes;

use lanes::{Kernel, Level, PAD, band};

/// Rows that are computed together.
const BAND: usize = 16;
/// The most generations in one pass.
const DEEPEST: usize = 8;
/// Bytes that the rows between the generations of a pass may take up, well within a core's own cache.
const NEAR: usize = 400 << 10;
/// Bytes of a board from which on passes of several generations are quicker.
const LARGE: usize = 100 << 10;

/// A two-state board without edges, every cell of which is computed in every generation.
pub struct Torus {
    width: usize,
    height: usize,
    kernel: Kernel,
    level: Level,
    /// Words of cells in a row, a multiple of 8, and with the padding.
    words: usize,
    stride: usize,
    /// `height` rows, with one more above and below.
    now: Lines,
    /// As many, once a generation has been made the plain way.
    next: Lines,
    /// The rows between the generations of a pass.
    between: Vec<Lines>,
}

impl Torus {
    /// An empty torus; `None` if the rule has more than two states or asks for more than the number of live neighbours,
    /// or a side is 0. The rule's own topology is not looked at.
    pub fn new(rule: &Rule, width: usize, height: usize) -> Option<Self> {
        let (birth, survival) = rule.is_totalistic().filter(|_| rule.states() == 2)?;
        Self::counting(birth, survival, width, height)
    }

    /// An empty torus for the numbers of live neighbours that give birth and survival, as bits; `None` if a side is 0.
    pub fn counting(birth: u16, survival: u16, width: usize, height: usize) -> Option<Self> {
        let level = Level::all().pop().unwrap_or(Level::Portable);
        (width > 0 && height > 0).then(|| Self::with(Kernel::new(birth, survival), level, width, height))
    }

    fn with(kernel: Kernel, level: Level, width: usize, height: usize) -> Self {
        let words = width.div_ceil(64).next_multiple_of(8);
        let stride = PAD + words + PAD;
        let (next, between) = (Lines::new(0), Vec::new());
        Self { width, height, kernel, level, words, stride, now: Lines::new((height + 2) * stride), next, between }
    }

    /// The torus of a rule with a pattern on it; `None` if [`Self::new`] gives none, or the rule's topology is not a
    /// plain torus. Cells beyond the sides are wrapped around.
    pub fn with_pattern(rule: &Rule, pattern: &Pattern) -> Option<Self> {
        let Topology::Torus { width, height, .. } = rule.topology() else { return None };
        let plain = (0..i64::from(width)).all(|x| rule.topology().resolve(x, -1) == Some((x, i64::from(height) - 1)))
            && (0..i64::from(height)).all(|y| rule.topology().resolve(-1, y) == Some((i64::from(width) - 1, y)));
        let mut torus = Self::new(rule, width as usize, height as usize).filter(|_| plain)?;
        for cell in pattern.cells().iter().filter(|cell| cell.state != 0) {
            let (x, y) = (cell.x.rem_euclid(width as i32), cell.y.rem_euclid(height as i32));
            torus.set(x as usize, y as usize, true);
        }
        Some(torus)
    }

    /// Columns and rows.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// Where the cells of a row start among all words.
    fn row(&self, y: usize) -> usize {
        (y + 1) * self.stride + PAD
    }

    /// Whether a cell is live.
    ///
    /// # Panics
    /// If there is no such cell.
    pub fn get(&self, x: usize, y: usize) -> bool {
        assert!(x < self.width && y < self.height, "cell {x}, {y} is off the torus");
        self.now.get()[self.row(y) + x / 64] >> (x % 64) & 1 == 1
    }

    /// Sets a cell.
    ///
    /// # Panics
    /// If there is no such cell.
    pub fn set(&mut self, x: usize, y: usize, live: bool) {
        assert!(x < self.width && y < self.height, "cell {x}, {y} is off the torus");
        let place = self.row(y) + x / 64;
        let word = &mut self.now.get_mut()[place];
        *word = *word & !(1 << (x % 64)) | u64::from(live) << (x % 64);
    }

    /// The words of a row, column x as bit x % 64 of word x / 64; bits beyond the width are 0.
    pub fn row_words(&self, y: usize) -> impl Iterator<Item = u64> + '_ {
        let (from, count) = (self.row(y), self.width.div_ceil(64));
        let last = if self.width.is_multiple_of(64) { !0 } else { (1 << (self.width % 64)) - 1 };
        let words = &self.now.get()[from..from + count];
        words.iter().enumerate().map(move |(i, word)| if i + 1 == count { word & last } else { *word })
    }

    /// Replaces a row by words in the order of [`Self::row_words`].
    ///
    /// # Panics
    /// If there are not as many words as a row has.
    pub fn set_row(&mut self, y: usize, words: &[u64]) {
        let (from, count) = (self.row(y), self.width.div_ceil(64));
        self.now.get_mut()[from..from + count].copy_from_slice(words);
    }

    /// The number of live cells.
    pub fn population(&self) -> u64 {
        (0..self.height).flat_map(|y| self.row_words(y)).map(|word| u64::from(word.count_ones())).sum()
    }

    /// A hash of the cells.
    pub fn fingerprint(&self) -> u64 {
        (0..self.height).flat_map(|y| self.row_words(y)).fold(0u64, |hash, word| {
            let mixed = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            mixed ^ mixed >> 29
        })
    }

    /// The live cells.
    pub fn pattern(&self) -> Pattern {
        let mut live = Vec::new();
        for y in 0..self.height {
            for (i, mut word) in self.row_words(y).enumerate() {
                while word != 0 {
                    live.push(((64 * i as u32 + word.trailing_zeros()) as i32, y as i32));
                    word &= word - 1;
                }
            }
        }
        Pattern::from_live(live)
    }

    /// Advances by a number of generations.
    pub fn advance(&mut self, generations: u64) {
        // So few rows between the generations that they stay near, and few against the board's rows.
        let deepest = (NEAR / ((BAND + 2) * self.stride * 8)).min(DEEPEST);
        let large = (self.height + 2) * self.stride * 8 >= LARGE && self.height >= 2 * (BAND + 2 * deepest);
        let mut left = generations;
        while left > 0 {
            let depth = if large { left.min(deepest as u64) as usize } else { 1 };
            if depth >= 2 {
                self.pass(depth);
            } else {
                self.step();
            }
            left -= depth.max(1) as u64;
        }
    }

    fn step(&mut self) {
        let Self { width, height, stride, words, .. } = *self;
        let now = self.now.get_mut();
        seam(&mut now[stride..(height + 1) * stride], width, stride);
        now.copy_within(height * stride..(height + 1) * stride, 0);
        now.copy_within(stride..2 * stride, (height + 1) * stride);
        if self.next.get().is_empty() {
            self.next = Lines::new((height + 2) * stride);
        }
        let next = &mut self.next.get_mut()[stride..];
        band(self.level, &self.kernel, self.now.get(), next, height, stride, words);
        std::mem::swap(&mut self.now, &mut self.next);
    }

    /// `depth` generations, from 2 on, in place. Generation t is made of rows p - t to p - t + BAND as p goes down.
    fn pass(&mut self, depth: usize) {
        let Self { width, height, stride, words, level, kernel, .. } = *self;
        if self.between.len() < depth {
            self.between.resize_with(depth, || Lines::new((BAND + 2) * stride));
        }
        let between = &mut self.between[..depth];
        let now = &mut self.now.get_mut()[stride..(height + 1) * stride];
        // The first rows are needed once more at the end, when they have been replaced.
        let first = now[..(depth + BAND) * stride].to_vec();
        for top in (0..height + 2 * depth).step_by(BAND) {
            // The board's row p is row top, counted from depth rows above the board.
            let whole = top >= depth + 2 && top + BAND <= depth + height;
            let start = top.wrapping_sub(depth);
            if whole {
                // Rows p - 2 on are still the old ones, as depth is at least 2.
                seam(&mut now[(start - 2) * stride..(start + BAND) * stride], width, stride);
            } else {
                let gathered = between[0].get_mut();
                for (i, to) in gathered.chunks_exact_mut(stride).enumerate() {
                    let row = (top + height + i).wrapping_sub(depth + 2) % height;
                    let past = top + i >= height + depth + 2;
                    let from = if past { &first[row * stride..] } else { &now[row * stride..] };
                    to.copy_from_slice(&from[..stride]);
                }
                seam(gathered, width, stride);
            }
            for t in 1..depth {
                let (before, after) = between.split_at_mut(t);
                let from = if t == 1 && whole {
                    &now[(start - 2) * stride..(start + BAND) * stride]
                } else {
                    before[t - 1].get()
                };
                let to = &mut after[0].get_mut()[2 * stride..];
                band(level, &kernel, from, to, BAND, stride, words);
                seam(to, width, stride);
            }
            // The last generation's rows, of which those on the board are wanted.
            let (last, target) = (&between[depth - 1], top.wrapping_sub(2 * depth));
            if top >= 2 * depth && target + BAND <= height {
                let to = &mut now[target * stride..(target + BAND) * stride];
                band(level, &kernel, last.get(), to, BAND, stride, words);
            } else {
                for i in (0..BAND).filter(|i| (2 * depth..height + 2 * depth).contains(&(top + i))) {
                    let to = &mut now[(top + i - 2 * depth) * stride..][..stride];
                    band(level, &kernel, &last.get()[i * stride..], to, 1, stride, words);
                }
            }
            for lines in &mut between[1..] {
                lines.get_mut().copy_within(BAND * stride.., 0);
            }
        }
    }
}

/// Puts next to the outermost cells of rows those from the other side.
fn seam(rows: &mut [u64], width: usize, stride: usize) {
    let (end, bit) = (PAD + width / 64, width % 64);
    let (last, last_bit) = (PAD + (width - 1) / 64, (width - 1) % 64);
    for row in rows.chunks_exact_mut(stride) {
        row[PAD - 1] = (row[last] >> last_bit) << 63;
        row[end] = row[end] & !(1 << bit) | (row[PAD] & 1) << bit;
    }
}

/// Words that start on a line of the cache.
struct Lines {
    words: Vec<u64>,
    start: usize,
}

impl Lines {
    fn new(count: usize) -> Self {
        let words = vec![0u64; if count == 0 { 0 } else { count + 7 }];
        let start = if count == 0 { 0 } else { words.as_ptr().align_offset(64).min(7) };
        Self { words, start }
    }

    fn get(&self) -> &[u64] {
        &self.words[self.start..self.words.len() - if self.words.is_empty() { 0 } else { 7 - self.start }]
    }

    fn get_mut(&mut self) -> &mut [u64] {
        let end = self.words.len() - if self.words.is_empty() { 0 } else { 7 - self.start };
        &mut self.words[self.start..end]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::automata::reference;
    use proptest::prelude::*;

    fn rule(text: &str, width: usize, height: usize) -> Rule {
        Rule::parse(&format!("{text}:T{width},{height}")).unwrap()
    }

    /// Cells by a short random sequence.
    fn soup(width: usize, height: usize, seed: u64) -> Pattern {
        let mut state = seed | 1;
        let mut live = Vec::new();
        for y in 0..height {
            for x in 0..width {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                if state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 62 == 0 {
                    live.push((x as i32, y as i32));
                }
            }
        }
        Pattern::from_live(live)
    }

    fn fill(torus: &mut Torus, pattern: &Pattern) {
        pattern.cells().iter().for_each(|cell| torus.set(cell.x as usize, cell.y as usize, true));
    }

    #[test]
    fn all_neighbourhoods_at_every_level() {
        for text in ["B3/S23", "B36/S23", "B/S012345678", "B012345678/S", "B1357/S02468", "B08/S8", "B4678/S35678"] {
            let rule = rule(text, 70, 9);
            let (birth, survival) = rule.is_totalistic().unwrap();
            for level in Level::all() {
                for index in 0..512usize {
                    // Around cell 63 of a row, so that the neighbourhood crosses words.
                    let mut torus = Torus::with(Kernel::new(birth, survival), level, 70, 9);
                    for bit in (0..9).filter(|bit| index >> bit & 1 == 1) {
                        torus.set(62 + bit % 3, 3 + bit / 3, true);
                    }
                    torus.advance(1);
                    assert_eq!(torus.get(63, 4), rule.table()[index], "{text} {level:?} {index}");
                }
            }
        }
    }

    #[test]
    fn passes_agree_with_single_steps_at_every_level() {
        for (width, height) in [(640, 100), (517, 97), (64, 75), (1, 80)] {
            let rule = rule("B3/S23", width, height);
            let start = soup(width, height, 7);
            for level in Level::all() {
                for depth in 2..=DEEPEST {
                    let mut one = Torus::with(Kernel::Life, Level::Portable, width, height);
                    fill(&mut one, &start);
                    let mut other = Torus::with(Kernel::Life, level, width, height);
                    fill(&mut other, &start);
                    for _ in 0..depth {
                        one.step();
                    }
                    other.pass(depth);
                    assert!(one.pattern() == other.pattern(), "{rule} {level:?} {depth}");
                }
            }
        }
    }

    #[test]
    fn a_large_board_follows_the_reference() {
        // Large enough for passes of several generations.
        let (width, height) = (4099, 830);
        let rule = rule("B3/S23", width, height);
        let mut slow = soup(width, height, 3);
        let mut torus = Torus::with_pattern(&rule, &slow).unwrap();
        torus.advance(11);
        let mut grid = crate::automata::grid::Grid::new(&rule, &slow).unwrap();
        (0..11).for_each(|_| grid.step().unwrap());
        slow = grid.pattern();
        assert!(torus.pattern() == slow);
        assert_eq!(torus.population(), slow.population() as u64);
    }

    #[test]
    fn what_it_does_not_cover() {
        for text in ["B2-a/S12:T9,9", "B2/S/C3:T9,9", "B3/S23:T9+1,9", "B3/S23:K9*,9", "B3/S23"] {
            assert!(Torus::with_pattern(&Rule::parse(text).unwrap(), &Pattern::default()).is_none(), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn agrees_with_the_reference(
            width in prop_oneof![1usize..6, 6usize..150, Just(64), Just(128), Just(512), Just(513), Just(511)],
            height in prop_oneof![1usize..6, 6usize..40],
            seed in any::<u64>(),
            text in prop_oneof![
                Just("B3/S23"), Just("B36/S23"), Just("B2/S"), Just("B1357/S1357"), Just("B012345678/S"),
                Just("B0/S8"), Just("B03/S1278"), Just("B3678/S34678"),
            ],
            steps in 1u64..6,
        ) {
            let rule = rule(text, width, height);
            let mut slow = soup(width, height, seed);
            let (birth, survival) = rule.is_totalistic().unwrap();
            for level in Level::all() {
                let mut torus = Torus::with(Kernel::new(birth, survival), level, width, height);
                fill(&mut torus, &slow);
                torus.advance(steps);
                let mut slow = slow.clone();
                (0..steps).for_each(|_| slow = reference::step(&slow, &rule));
                prop_assert_eq!(torus.pattern(), slow, "{:?}", level);
            }
            slow = reference::step(&slow, &rule);
            let torus = Torus::with_pattern(&rule, &slow).unwrap();
            prop_assert_eq!(torus.pattern(), slow.clone());
            prop_assert_eq!(torus.population(), slow.population() as u64);
        }
    }
}
