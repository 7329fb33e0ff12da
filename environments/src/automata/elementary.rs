//! Cellular automata of two states in one dimension: Wolfram's 256 elementary rules, and wider ones up to radius 3.
//!
//! On a row without end the background may flip: under a rule with 000 → 1 it is live after one generation (and dead
//! after the next, unless 111 → 1 as well). A row is therefore kept as the cells that differ from its background.

pub mod domain;
pub mod particles;
mod rule;

use crate::stream::{Draw, stream};
pub use domain::Domain;
pub use particles::Particles;
pub use rule::{LineRule, WIDEST_RADIUS, WolframClass};

/// The most cells that a row may have.
pub const WIDEST: usize = 1 << 28;

/// The most work of one evolution, in words of 64 cells.
const MOST_WORK: u64 = 40_000_000_000;

/// A row of cells 0 and 1, each a fair coin; the same for ever for a seed and a width.
pub fn random_row(seed: &str, width: usize) -> Vec<u8> {
    let mut chance = stream(&["elementary row", seed]);
    (0..width).map(|_| chance.below(2) as u8).collect()
}

/// A row and its rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElementaryRow {
    rule: LineRule,
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
    pub fn new(rule: impl Into<LineRule>, width: Option<usize>, text: &str) -> Result<Self, ElementaryError> {
        let rule = rule.into();
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
    pub fn single(rule: impl Into<LineRule>, width: Option<usize>) -> Result<Self, ElementaryError> {
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

    /// The cells of [`Self::columns`], 0 or 1.
    pub fn cells(&self) -> Vec<u8> {
        let Some((from, to)) = self.columns() else { return Vec::new() };
        (from..=to).map(|column| u8::from(self.is_live(column))).collect()
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
            // The row grows by the radius to either side in each generation.
            let (cells, radius) = (self.words.len() as u64 * 64, self.rule.radius() as u64);
            let work = |steps: u64| u128::from(steps) * u128::from(cells / 64 + steps / 64 * radius + 2);
            let fits = |steps: u64| work(steps) <= u128::from(MOST_WORK) && steps < WIDEST as u64 / 2 / radius;
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
        // The background settles or alternates, so only the parity of the rest matters.
        for _ in 0..(steps.min(2) + steps.saturating_sub(2) % 2) {
            self.background = after(self.rule, self.background);
        }
        self.generation += steps;
        Ok(())
    }

    /// The rule.
    pub fn rule(&self) -> LineRule {
        self.rule
    }

    /// Advances by one generation.
    pub fn step(&mut self) {
        self.generation += 1;
        let radius = self.rule.radius();
        let Some(width) = self.width else {
            let (before, next) = (self.background, after(self.rule, self.background));
            let table = relative(self.rule, before, next);
            // A word more at either end than the row can reach, and one before it for the look to the west.
            let mut cells = Vec::with_capacity(self.words.len() + 4);
            cells.extend([0, 0]);
            cells.extend(&self.words);
            cells.extend([0, 0]);
            self.left -= 64;
            self.words = (1..cells.len() - 1)
                .map(|i| apply(table, radius, |place| shifted(&cells, 64 * i + place - radius)))
                .collect();
            self.background = next;
            self.trim();
            return;
        };
        // The ring with `radius` cells of its other end before it and after it.
        let cells = unrolled(&self.words, width, radius);
        let mut next: Vec<u64> = (0..self.words.len())
            .map(|i| apply(self.rule.table(), radius, |place| shifted(&cells, 64 * i + place)))
            .collect();
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

/// What the background becomes.
fn after(rule: LineRule, background: bool) -> bool {
    rule.next(if background { rule.entries() - 1 } else { 0 })
}

/// The table for cells relative to the background.
fn relative(rule: LineRule, before: bool, after: bool) -> u128 {
    let last = rule.entries() - 1;
    let from = |index: usize| if before { last - index } else { index };
    let live = |&index: &usize| rule.next(from(index)) != after;
    (0..=last).filter(live).fold(0, |table, index| table | 1 << index)
}

/// 64 cells from a column on; columns past the end are dead.
fn shifted(words: &[u64], column: usize) -> u64 {
    let (word, bit) = (column / 64, column % 64);
    let at = |i: usize| words.get(i).copied().unwrap_or(0);
    // Shifting by 64 in two parts, for bit 0.
    at(word) >> bit | at(word + 1) << (63 - bit) << 1
}

/// A ring as a row whose first and last `radius` cells are those of its other end.
fn unrolled(words: &[u64], width: usize, radius: usize) -> Vec<u64> {
    let mut cells = vec![0u64; (width + 2 * radius).div_ceil(64)];
    for (i, &word) in words.iter().enumerate() {
        cells[i] |= word << radius;
        // The radius is below 64 and not 0; what does not reach the next word is 0.
        if let Some(next) = cells.get_mut(i + 1) {
            *next |= word >> (64 - radius);
        }
    }
    let live = |column: usize| words[column / 64] >> (column % 64) & 1;
    for place in 0..radius {
        // A ring may be narrower than the radius.
        let (west, east) = (width * radius - radius + place, place);
        cells[place / 64] |= live(west % width) << (place % 64);
        let at = width + radius + place;
        cells[at / 64] |= live(east % width) << (at % 64);
    }
    cells
}

/// The rule on 64 cells at a time; `cells(i)` are the 64 cells that lie i − radius to the east.
fn apply(table: u128, radius: usize, cells: impl Fn(usize) -> u64) -> u64 {
    match radius {
        1 => select(table, [cells(0), cells(1), cells(2)]),
        2 => select(table, [0, 1, 2, 3, 4].map(cells)),
        _ => select(table, [0, 1, 2, 3, 4, 5, 6].map(cells)),
    }
}

/// For each bit, the table's entry at the index that the inputs give, the first input the highest bit: the table is
/// halved by one input after the other, the lowest first.
fn select<const N: usize>(table: u128, inputs: [u64; N]) -> u64 {
    let mut values = [0u64; 64];
    let mut count = 1 << (N - 1);
    let last = inputs[N - 1];
    for (pair, value) in values[..count].iter_mut().enumerate() {
        *value = match table >> (2 * pair) & 3 {
            0 => 0,
            1 => !last,
            2 => last,
            _ => u64::MAX,
        };
    }
    for &input in inputs[..N - 1].iter().rev() {
        count /= 2;
        for pair in 0..count {
            values[pair] = values[2 * pair] & !input | values[2 * pair + 1] & input;
        }
    }
    values[0]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    /// By definition, for any radius.
    fn slow(rule: LineRule, cells: &[bool]) -> Vec<bool> {
        let (n, radius) = (cells.len(), rule.radius());
        let bit = |i: usize| usize::from(cells[i % n]);
        (0..n)
            .map(|i| (0..=2 * radius).fold(0, |index, place| index << 1 | bit(i + 7 * n + place - radius)))
            .map(|index| rule.table() >> index & 1 == 1)
            .collect()
    }

    fn rules() -> impl Strategy<Value = LineRule> {
        (1usize..=3, any::<u128>()).prop_map(|(radius, table)| {
            let entries = 1 << (2 * radius + 1);
            LineRule::new(radius, if entries == 128 { table } else { table & ((1 << entries) - 1) }).unwrap()
        })
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
        fn rings_agree_with_the_slow_way(rule in rules(), cells in proptest::collection::vec(any::<bool>(), 1..200), steps in 0u64..20) {
            let text: String = cells.iter().map(|&cell| if cell { '1' } else { '0' }).collect();
            let mut row = ElementaryRow::new(rule, Some(cells.len()), &text).unwrap();
            row.advance(steps).unwrap();
            let wanted = (0..steps).fold(cells, |cells, _| slow(rule, &cells));
            let text: String = wanted.iter().map(|&cell| if cell { '1' } else { '0' }).collect();
            prop_assert_eq!(row.text(), text);
        }

        #[test]
        fn rows_without_end_agree_with_wide_rings(rule in rules(), cells in proptest::collection::vec(any::<bool>(), 1..70), steps in 0u64..40) {
            let text: String = cells.iter().map(|&cell| if cell { '1' } else { '0' }).collect();
            let mut row = ElementaryRow::new(rule, None, &text).unwrap();
            row.advance(steps).unwrap();
            let mut wide = vec![false; 500];
            wide[200..200 + cells.len()].copy_from_slice(&cells);
            let wanted = (0..steps).fold(wide, |cells, _| slow(rule, &cells));
            for (column, &cell) in wanted.iter().enumerate().take(380).skip(130) {
                prop_assert_eq!(row.is_live(column as i64 - 200), cell);
            }
        }
    }
}
