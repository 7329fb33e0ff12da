//! A dense board for any number of states and any topology: a byte a cell and one look-up a cell and generation.

use super::pattern::{Cell, Pattern};
use super::reference;
use super::rule::{Rule, Topology};

/// The most cells of a board.
pub const LARGEST: u64 = 1 << 26;

/// Free cells that a board on a surface without end gets around its pattern when it grows.
const MARGIN: i64 = 32;

/// A board with its rule.
pub struct Grid {
    rule: Rule,
    /// The position of the first cell within the border.
    x: i64,
    y: i64,
    width: usize,
    height: usize,
    /// (width + 2) × (height + 2) states, with a border of one cell.
    states: Vec<u8>,
    next: Vec<u8>,
}

/// Why a board could not be made or grown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a board of {width} × {height} cells is larger than {LARGEST} cells")]
pub struct TooLarge {
    width: u64,
    height: u64,
}

impl Grid {
    /// A board with a pattern. Cells outside a bounded surface are wrapped onto it, or lost beyond a plane's edge.
    ///
    /// # Errors
    /// If the board would have more than [`LARGEST`] cells.
    pub fn new(rule: &Rule, pattern: &Pattern) -> Result<Self, TooLarge> {
        let (width, height) = rule.topology().size();
        let bounds = pattern.bounding_box().unwrap_or_default();
        let span = |size: u32, start: i32, length: u32| {
            if size > 0 {
                (0, u64::from(size))
            } else {
                (i64::from(start) - MARGIN, u64::from(length) + 2 * MARGIN as u64)
            }
        };
        let ((x, width), (y, height)) = (span(width, bounds.x, bounds.width), span(height, bounds.y, bounds.height));
        let mut grid = Self::empty(rule.clone(), x, y, width, height)?;
        grid.fill(pattern);
        Ok(grid)
    }

    fn empty(rule: Rule, x: i64, y: i64, width: u64, height: u64) -> Result<Self, TooLarge> {
        if width.saturating_mul(height) > LARGEST {
            return Err(TooLarge { width, height });
        }
        let (width, height) = (width as usize, height as usize);
        let states = vec![0; (width + 2) * (height + 2)];
        Ok(Self { rule, x, y, width, height, next: states.clone(), states })
    }

    fn fill(&mut self, pattern: &Pattern) {
        let (width, height) = (self.width as i64, self.height as i64);
        let wraps = matches!(self.rule.topology(), Topology::Torus { .. });
        for cell in pattern.cells() {
            let (mut x, mut y) = (i64::from(cell.x) - self.x, i64::from(cell.y) - self.y);
            if wraps {
                (x, y) = (x.rem_euclid(width), y.rem_euclid(height));
            }
            if (0..width).contains(&x) && (0..height).contains(&y) {
                let place = self.place(x as usize, y as usize);
                self.states[place] = cell.state.min(self.rule.highest_state());
            }
        }
    }

    fn place(&self, x: usize, y: usize) -> usize {
        (y + 1) * (self.width + 2) + x + 1
    }

    /// Columns and rows that are held.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// The pattern.
    pub fn pattern(&self) -> Pattern {
        let mut cells = Vec::new();
        for y in 0..self.height {
            let row = self.place(0, y);
            for (x, &state) in self.states[row..row + self.width].iter().enumerate() {
                if state != 0 {
                    cells.push(Cell { x: (self.x + x as i64) as i32, y: (self.y + y as i64) as i32, state });
                }
            }
        }
        Pattern::from_cells(cells)
    }

    /// The cells that are not in state 0.
    pub fn population(&self) -> u64 {
        (0..self.height).map(|y| self.row(y).iter().filter(|&&state| state != 0).count() as u64).sum()
    }

    fn row(&self, y: usize) -> &[u8] {
        let start = self.place(0, y);
        &self.states[start..start + self.width]
    }

    /// A hash of the board's states.
    pub fn fingerprint(&self) -> u64 {
        let mut hash = 0u64;
        for y in 0..self.height {
            for &state in self.row(y) {
                hash = (hash ^ u64::from(state)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(19);
            }
        }
        hash
    }

    /// Advances by one generation.
    ///
    /// # Errors
    /// If a pattern on a surface without end outgrows [`LARGEST`] cells.
    pub fn step(&mut self) -> Result<(), TooLarge> {
        self.grow()?;
        self.border();
        let stride = self.width + 2;
        let table = self.rule.table();
        for y in 0..self.height {
            let start = self.place(0, y) - 1;
            let rows = [start - stride, start, start + stride].map(|from| &self.states[from..from + stride]);
            let live = |row: usize, x: usize| usize::from(rows[row][x] == 1);
            let column = |x: usize| live(0, x) | live(1, x) << 3 | live(2, x) << 6;
            let mut index = column(0) << 1 | column(1) << 2;
            for x in 0..self.width {
                index = index >> 1 & 0b011_011_011 | column(x + 2) << 2;
                self.next[start + 1 + x] = reference::advance(&self.rule, rows[1][x + 1], table[index]);
            }
        }
        std::mem::swap(&mut self.states, &mut self.next);
        Ok(())
    }

    /// Makes room when the pattern comes near an edge beyond which the surface goes on.
    fn grow(&mut self) -> Result<(), TooLarge> {
        let (bounded_width, bounded_height) = self.rule.topology().size();
        let edge_row = |y: usize| self.row(y).iter().any(|&state| state != 0);
        let edge_column = |x: usize| (0..self.height).any(|y| self.row(y)[x] != 0);
        let tall = bounded_height == 0 && (edge_row(0) || edge_row(self.height - 1));
        let wide = bounded_width == 0 && (edge_column(0) || edge_column(self.width - 1));
        if !tall && !wide {
            return Ok(());
        }
        *self = Self::new(&self.rule, &self.pattern())?;
        Ok(())
    }

    /// Copies into the border the cells that lie there on this surface.
    fn border(&mut self) {
        let (width, height) = (self.width as i64, self.height as i64);
        let topology = self.rule.topology();
        let rows = [-1, height].into_iter().flat_map(|y| (-1..=width).map(move |x| (x, y)));
        let columns = [-1, width].into_iter().flat_map(|x| (0..height).map(move |y| (x, y)));
        for (x, y) in rows.chain(columns) {
            // A board on a surface without end keeps its border empty by growing in time.
            let (width_end, height_end) = topology.size();
            let found = match (width_end, height_end) {
                (0, 0) => None,
                (0, _) => topology.resolve(x + self.x, y).map(|(rx, ry)| (rx - self.x, ry)),
                (_, 0) => topology.resolve(x, y + self.y).map(|(rx, ry)| (rx, ry - self.y)),
                _ => topology.resolve(x, y),
            };
            let found = found.filter(|&(x, y)| (0..width).contains(&x) && (0..height).contains(&y));
            let state = found.map_or(0, |(x, y)| self.states[self.place(x as usize, y as usize)]);
            let place = ((y + 1) * (width + 2) + x + 1) as usize;
            self.states[place] = state;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn agrees_with_the_reference(
            cells in proptest::collection::vec((0i32..9, 0i32..9, 1u8..4), 0..60),
            rule in prop_oneof![
                Just("B3/S23"), Just("B2/S/C3"), Just("B2/S345/C4"), Just("B2-a/S12"), Just("B2/S013V"), Just("W30"),
            ],
            topology in prop_oneof![
                Just(""), Just(":T9,9"), Just(":T12+5,9"), Just(":T9,11-3"), Just(":P9,9"), Just(":K9*,9"),
                Just(":K10,9*"), Just(":K10*+1,9"), Just(":C9,10"), Just(":S9"), Just(":T0,9"), Just(":P9,0"),
            ],
            steps in 1usize..7,
        ) {
            let rule = Rule::parse(&format!("{rule}{topology}")).unwrap();
            let top = rule.highest_state();
            let mut slow =
                Pattern::from_cells(cells.into_iter().map(|(x, y, state)| Cell { x, y, state: state.min(top) }));
            let mut grid = Grid::new(&rule, &slow).unwrap();
            for _ in 0..steps {
                slow = reference::step(&slow, &rule);
                grid.step().unwrap();
                prop_assert_eq!(grid.pattern(), slow.clone());
                prop_assert_eq!(grid.population(), slow.population() as u64);
            }
        }
    }
}
