//! Finite patterns: the cells that are not in state 0.

/// A cell that is not in state 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cell {
    /// Column, to the right.
    pub x: i32,
    /// Row, downwards.
    pub y: i32,
    /// State, at least 1.
    pub state: u8,
}

/// A finite set of cells, each in a state other than 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// By row, then by column; each position once.
    cells: Vec<Cell>,
}

/// The smallest rectangle around a pattern.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BoundingBox {
    /// The leftmost column.
    pub x: i32,
    /// The topmost row.
    pub y: i32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Pattern {
    /// The pattern of these cells. State 0 is left out; where a position comes twice, the last one counts.
    pub fn from_cells(cells: impl IntoIterator<Item = Cell>) -> Self {
        let mut cells: Vec<Cell> = cells.into_iter().collect();
        let ordered = cells.windows(2).all(|pair| (pair[0].y, pair[0].x) < (pair[1].y, pair[1].x));
        if !ordered {
            cells.sort_by_key(|cell| (cell.y, cell.x));
            let mut kept: Vec<Cell> = Vec::with_capacity(cells.len());
            for cell in cells {
                match kept.last_mut() {
                    Some(last) if (last.x, last.y) == (cell.x, cell.y) => *last = cell,
                    _ => kept.push(cell),
                }
            }
            cells = kept;
        }
        cells.retain(|cell| cell.state != 0);
        Self { cells }
    }

    /// The two-state pattern of these live cells, as (x, y).
    pub fn from_live(cells: impl IntoIterator<Item = (i32, i32)>) -> Self {
        Self::from_cells(cells.into_iter().map(|(x, y)| Cell { x, y, state: 1 }))
    }

    /// The cells by row, then by column.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Whether no cell is in a state other than 0.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The number of cells in a state other than 0.
    pub fn population(&self) -> usize {
        self.cells.len()
    }

    /// The highest state of a cell, 0 for an empty pattern.
    pub fn highest_state(&self) -> u8 {
        self.cells.iter().map(|cell| cell.state).max().unwrap_or(0)
    }

    /// The state at a position.
    pub fn get(&self, x: i32, y: i32) -> u8 {
        match self.cells.binary_search_by_key(&(y, x), |cell| (cell.y, cell.x)) {
            Ok(place) => self.cells[place].state,
            Err(_) => 0,
        }
    }

    /// The smallest rectangle around the cells; `None` for an empty pattern.
    pub fn bounding_box(&self) -> Option<BoundingBox> {
        let (first, last) = (self.cells.first()?, self.cells.last()?);
        let left = self.cells.iter().map(|cell| cell.x).min()?;
        let right = self.cells.iter().map(|cell| cell.x).max()?;
        Some(BoundingBox {
            x: left,
            y: first.y,
            width: right.abs_diff(left).saturating_add(1),
            height: last.y.abs_diff(first.y).saturating_add(1),
        })
    }

    /// The pattern moved. Positions beyond the 32-bit plane stay at its edge.
    pub fn translated(&self, dx: i32, dy: i32) -> Self {
        let moved = |cell: &Cell| Cell { x: cell.x.saturating_add(dx), y: cell.y.saturating_add(dy), ..*cell };
        Self::from_cells(self.cells.iter().map(moved))
    }

    /// The pattern moved so that its bounding box starts at 0, 0.
    pub fn normalized(&self) -> Self {
        match self.bounding_box() {
            Some(bounds) => self.translated(bounds.x.saturating_neg(), bounds.y.saturating_neg()),
            None => Self::default(),
        }
    }

    /// The pattern with x and y exchanged or mirrored: `(a x + b y, c x + d y)`.
    pub fn transformed(&self, [a, b, c, d]: [i32; 4]) -> Self {
        Self::from_cells(self.cells.iter().map(|cell| Cell {
            x: a.wrapping_mul(cell.x).wrapping_add(b.wrapping_mul(cell.y)),
            y: c.wrapping_mul(cell.x).wrapping_add(d.wrapping_mul(cell.y)),
            state: cell.state,
        }))
    }
}

/// The eight symmetries of the square as matrices for [`Pattern::transformed`].
pub const SYMMETRIES: [[i32; 4]; 8] = [
    [1, 0, 0, 1],
    [-1, 0, 0, 1],
    [1, 0, 0, -1],
    [-1, 0, 0, -1],
    [0, 1, 1, 0],
    [0, 1, -1, 0],
    [0, -1, 1, 0],
    [0, -1, -1, 0],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_ordered_and_the_last_state_counts() {
        let cell = |x, y, state| Cell { x, y, state };
        let pattern = Pattern::from_cells([cell(5, 1, 1), cell(-2, 0, 2), cell(5, 1, 3), cell(0, 0, 1), cell(0, 0, 0)]);
        assert_eq!(pattern.cells(), [cell(-2, 0, 2), cell(5, 1, 3)]);
        assert_eq!((pattern.get(5, 1), pattern.get(0, 0), pattern.highest_state()), (3, 0, 3));
        assert_eq!(pattern.bounding_box(), Some(BoundingBox { x: -2, y: 0, width: 8, height: 2 }));
        assert_eq!(pattern.normalized().cells()[0], cell(0, 0, 2));
        assert_eq!(Pattern::default().bounding_box(), None);
    }
}
