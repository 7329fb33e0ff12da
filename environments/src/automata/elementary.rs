//! Elementary cellular automata: two states in one dimension, Wolfram's 256 rules.
//!
//! On a row without end the background may flip: under a rule with 000 → 1 it is live after one generation (and dead
//! after the next, unless 111 → 1 as well). A row is therefore kept as the cells that differ from its background.

/// The most cells that a row may have.
pub const WIDEST: usize = 1 << 28;

/// The most work of one evolution, in words of 64 cells.
const MOST_WORK: u64 = 40_000_000_000;

/// A row and its rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElementaryRow {
    rule: u8,
    /// Cells of a ring, or none for a row without end.
    width: Option<usize>,
    /// The column of the first bit; always 0 on a ring.
    left: i64,
    /// Cells relative to the background; on a ring, the cells.
    words: Vec<u64>,
    background: bool,
    generation: u64,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ElementaryError {
    /// A character that is not a cell.
    #[error("character {position} of the row is '{found}'; cells are 0 and 1 (or . and O)")]
    Cell {
        /// From 1.
        position: usize,
        /// The character.
        found: char,
    },
    /// A ring too short or too long.
    #[error("a ring of {width} cells: from {least} (the row given) to {WIDEST} are possible")]
    Width {
        /// The width asked for.
        width: usize,
        /// The cells that it has to hold.
        least: usize,
    },
    /// Too much to compute.
    #[error("{steps} generations of a row that grows so wide are too many; {most} are possible")]
    Steps {
        /// Generations asked for.
        steps: u64,
        /// Generations possible.
        most: u64,
    },
}

impl ElementaryRow {
    /// A row from its cells as text: 0 and 1, or '.' and 'O'. On a ring (`width` cells) the rest is dead and the text
    /// starts at column 0; on a row without end all else is dead.
    ///
    /// # Errors
    /// Names the character, or the width, at fault.
    pub fn new(rule: u8, width: Option<usize>, text: &str) -> Result<Self, ElementaryError> {
        let mut words = vec![0u64; text.len() / 64 + 1];
        let mut length = 0;
        for found in text.chars() {
            match found {
                '1' | 'O' | 'o' | '#' | '*' => words[length / 64] |= 1 << (length % 64),
                '0' | '.' | '_' => {}
                found => return Err(ElementaryError::Cell { position: length + 1, found }),
            }
            length += 1;
        }
        if let Some(width) = width {
            if width < length.max(1) || width > WIDEST {
                return Err(ElementaryError::Width { width, least: length.max(1) });
            }
            words.resize(width.div_ceil(64), 0);
        }
        let mut row = Self { rule, width, left: 0, words, background: false, generation: 0 };
        row.trim();
        Ok(row)
    }

    /// A row with a single live cell: at column 0, or on a ring at column `width / 2`.
    ///
    /// # Errors
    /// If the ring is too long.
    pub fn single(rule: u8, width: Option<usize>) -> Result<Self, ElementaryError> {
        let mut row = Self::new(rule, width, if width.is_some() { "0" } else { "1" })?;
        if let Some(width) = width {
            row.words[width / 2 / 64] |= 1 << (width / 2 % 64);
        }
        Ok(row)
    }

    /// Generations since the start.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether the background of a row without end is live.
    pub fn background(&self) -> bool {
        self.background
    }

    /// The live cells; on a row without end with a live background, the dead ones.
    pub fn population(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// The columns from the first to the last cell that differs from the background, `None` if none does; on a
    /// ring all columns.
    pub fn columns(&self) -> Option<(i64, i64)> {
        if let Some(width) = self.width {
            return Some((0, width as i64 - 1));
        }
        let first = self.words.iter().position(|&word| word != 0)?;
        let last = self.words.iter().rposition(|&word| word != 0)?;
        let start = self.left + 64 * first as i64 + i64::from(self.words[first].trailing_zeros());
        Some((start, self.left + 64 * last as i64 + 63 - i64::from(self.words[last].leading_zeros())))
    }

    /// Whether the cell at a column is live.
    pub fn is_live(&self, column: i64) -> bool {
        let column = self.width.map_or(column, |width| column.rem_euclid(width as i64)) - self.left;
        let bit = usize::try_from(column).ok().and_then(|at| Some(self.words.get(at / 64)? >> (at % 64) & 1 == 1));
        bit.unwrap_or(false) != self.background
    }

    /// The cells of [`Self::columns`] as 0 and 1.
    pub fn text(&self) -> String {
        let Some((from, to)) = self.columns() else { return String::new() };
        (from..=to).map(|column| if self.is_live(column) { '1' } else { '0' }).collect()
    }

    /// Advances by a number of generations.
    ///
    /// # Errors
    /// If that is too much to compute. A ring repeats sooner or later, and cycles that are found are skipped.
    pub fn advance(&mut self, steps: u64) -> Result<(), ElementaryError> {
        if self.width.is_none() {
            // The row grows by a cell to either side in each generation.
            let cells = self.words.len() as u64 * 64;
            let work = |steps: u64| u128::from(steps) * u128::from(cells / 64 + steps / 64 + 2);
            let fits = |steps: u64| work(steps) <= u128::from(MOST_WORK) && steps < WIDEST as u64 / 2;
            // A row that dies out or repeats in place is found by then.
            let first = steps.min(1024);
            for done in 0..first {
                if self.words.is_empty() {
                    return self.empty_for(steps - done);
                }
                self.step();
            }
            let left = steps - first;
            if left > 0 && self.still() {
                self.generation += left;
                return Ok(());
            }
            if !fits(left) {
                let most = (0..40).map(|shift| 1u64 << shift).take_while(|&steps| fits(steps)).last().unwrap_or(0);
                return Err(ElementaryError::Steps { steps, most });
            }
            (0..left).for_each(|_| self.step());
            return Ok(());
        }
        let (mut kept, mut kept_at, mut next_look) = (self.words.clone(), self.generation, 1);
        let (mut left, mut work, mut searching) = (steps, 0, true);
        while left > 0 {
            self.step();
            left -= 1;
            work += self.words.len() as u64;
            if work > MOST_WORK {
                return Err(ElementaryError::Steps { steps, most: steps - left });
            }
            if searching && self.words == kept {
                let skipped = left - left % (self.generation - kept_at);
                left -= skipped;
                self.generation += skipped;
                searching = false;
            } else if searching && steps - left == next_look {
                next_look *= 2;
                (kept, kept_at) = (self.words.clone(), self.generation);
            }
        }
        Ok(())
    }

    /// Whether nothing happens any more: the same cells as after one more generation.
    fn still(&self) -> bool {
        let mut next = self.clone();
        next.step();
        next.words == self.words && next.left == self.left && next.background == self.background
    }

    /// Advances a row in which every cell is like the background.
    fn empty_for(&mut self, steps: u64) -> Result<(), ElementaryError> {
        let after = |background: bool| self.rule >> (if background { 7 } else { 0 }) & 1 == 1;
        // The background settles or alternates, so only the parity of the rest matters.
        for _ in 0..(steps.min(2) + steps.saturating_sub(2) % 2) {
            self.background = after(self.background);
        }
        self.generation += steps;
        Ok(())
    }

    /// Advances by one generation.
    pub fn step(&mut self) {
        self.generation += 1;
        let after = |rule: u8, background: bool| rule >> (if background { 7 } else { 0 }) & 1 == 1;
        let Some(width) = self.width else {
            let (before, next) = (self.background, after(self.rule, self.background));
            let table = relative(self.rule, before, next);
            self.words.insert(0, 0);
            self.words.push(0);
            self.left -= 64;
            let words = &self.words;
            let at = |i: usize| words.get(i).copied().unwrap_or(0);
            let stepped = (0..words.len()).map(|i| {
                let west = at(i) << 1 | at(i.wrapping_sub(1)) >> 63;
                let east = at(i) >> 1 | at(i + 1) << 63;
                apply(table, west, at(i), east)
            });
            self.words = stepped.collect();
            self.background = next;
            self.trim();
            return;
        };
        let words = &self.words;
        let cell = |column: usize| words[column / 64] >> (column % 64) & 1;
        let last = width - 1;
        let mut next = Vec::with_capacity(words.len());
        for i in 0..words.len() {
            let mut west = words[i] << 1;
            west |= if i == 0 { cell(last) } else { words[i - 1] >> 63 };
            let mut east = words[i] >> 1;
            if i + 1 < words.len() {
                east |= words[i + 1] << 63;
            } else {
                east |= cell(0) << (last % 64);
            }
            next.push(apply(self.rule, west, words[i], east));
        }
        if width % 64 != 0
            && let Some(word) = next.last_mut()
        {
            *word &= (1 << (width % 64)) - 1;
        }
        self.words = next;
    }

    /// Drops words at the ends that are like the background.
    fn trim(&mut self) {
        if self.width.is_some() {
            return;
        }
        let end = self.words.iter().rposition(|&word| word != 0).map_or(0, |last| last + 1);
        self.words.truncate(end);
        let start = self.words.iter().position(|&word| word != 0).unwrap_or(0);
        self.words.drain(..start);
        self.left += 64 * start as i64;
    }
}

/// The rule for cells relative to the background.
fn relative(rule: u8, before: bool, after: bool) -> u8 {
    (0..8).fold(0, |table, index| {
        let from = if before { 7 - index } else { index };
        table | ((rule >> from & 1) ^ u8::from(after)) << index
    })
}

/// The rule on 64 cells at a time.
fn apply(rule: u8, west: u64, centre: u64, east: u64) -> u64 {
    (0..8).filter(|index| rule >> index & 1 == 1).fold(0, |next, index| {
        let pick = |word: u64, bit: u8| if index >> bit & 1 == 1 { word } else { !word };
        next | pick(west, 2) & pick(centre, 1) & pick(east, 0)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn slow(rule: u8, cells: &[bool]) -> Vec<bool> {
        let n = cells.len();
        let bit = |i: usize| usize::from(cells[i % n]);
        (0..n).map(|i| rule >> (bit(i + n - 1) << 2 | bit(i) << 1 | bit(i + 1)) & 1 == 1).collect()
    }

    #[test]
    fn published_populations() {
        // Rule 30 from one cell (OEIS A070952), rule 90 (Gould's sequence, A001316); rule 110 by hand.
        let counts = |rule: u8| -> Vec<u64> {
            (0..12u64)
                .map(|steps| {
                    let mut row = ElementaryRow::single(rule, None).unwrap();
                    row.advance(steps).unwrap();
                    row.population()
                })
                .collect()
        };
        assert_eq!(counts(30), [1, 3, 3, 6, 4, 9, 5, 12, 7, 12, 11, 14]);
        assert_eq!(counts(90), [1, 2, 2, 4, 2, 4, 4, 8, 2, 4, 4, 8]);
        assert_eq!(counts(110), [1, 2, 3, 3, 5, 3, 5, 6, 8, 5, 6, 8]);
    }

    #[test]
    fn text_of_rows() {
        let mut row = ElementaryRow::single(30, None).unwrap();
        row.advance(3).unwrap();
        assert_eq!((row.text().as_str(), row.columns()), ("1101111", Some((-3, 3))));
        let mut row = ElementaryRow::new(184, Some(8), "1.1O").unwrap();
        assert_eq!(row.text(), "10110000");
        row.advance(1).unwrap();
        assert_eq!(row.text(), "01101000");
        row.advance(8_000_000_000_007).unwrap();
        assert_eq!(row.population(), 3);
    }

    #[test]
    fn backgrounds_flip() {
        let mut row = ElementaryRow::single(1, None).unwrap();
        row.advance(1).unwrap();
        assert!(row.background());
        assert_eq!((row.population(), row.text().as_str()), (3, "000"));
        row.advance(1).unwrap();
        assert!(!row.background());
        let mut gone = ElementaryRow::single(255, None).unwrap();
        gone.advance(1_000_000_000_000).unwrap();
        assert!(gone.background() && gone.population() == 0 && gone.text().is_empty());
        let mut dead = ElementaryRow::single(0, None).unwrap();
        dead.advance(u64::MAX).unwrap();
        assert_eq!(dead.population(), 0);
    }

    #[test]
    fn errors() {
        assert_eq!(ElementaryRow::new(30, None, "01x").unwrap_err(), ElementaryError::Cell { position: 3, found: 'x' });
        assert!(ElementaryRow::new(30, Some(2), "011").is_err());
        assert!(ElementaryRow::single(30, Some(0)).is_err());
        assert!(ElementaryRow::single(30, None).unwrap().advance(1 << 50).is_err());
    }

    proptest! {
        #[test]
        fn rings_agree_with_the_slow_way(rule in any::<u8>(), cells in proptest::collection::vec(any::<bool>(), 1..200), steps in 0u64..20) {
            let text: String = cells.iter().map(|&cell| if cell { '1' } else { '0' }).collect();
            let mut row = ElementaryRow::new(rule, Some(cells.len()), &text).unwrap();
            row.advance(steps).unwrap();
            let wanted = (0..steps).fold(cells, |cells, _| slow(rule, &cells));
            let text: String = wanted.iter().map(|&cell| if cell { '1' } else { '0' }).collect();
            prop_assert_eq!(row.text(), text);
        }

        #[test]
        fn rows_without_end_agree_with_wide_rings(rule in any::<u8>(), cells in proptest::collection::vec(any::<bool>(), 1..70), steps in 0u64..40) {
            let text: String = cells.iter().map(|&cell| if cell { '1' } else { '0' }).collect();
            let mut row = ElementaryRow::new(rule, None, &text).unwrap();
            row.advance(steps).unwrap();
            let mut wide = vec![false; 300];
            wide[100..100 + cells.len()].copy_from_slice(&cells);
            let wanted = (0..steps).fold(wide, |cells, _| slow(rule, &cells));
            for (column, &cell) in wanted.iter().enumerate().take(250).skip(50) {
                prop_assert_eq!(row.is_live(column as i64 - 100), cell);
            }
        }
    }
}
