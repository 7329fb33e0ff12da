//! Boards: two-state cells on a torus, packed 64 to a word.

use crate::EnvironmentError;
use std::fmt;

/// The smallest width and height: below 3, a cell would be its own neighbour twice over.
pub const SMALLEST: u32 = 3;
/// The largest width and height.
pub const LARGEST: u32 = 4096;

/// Cells on a torus. Columns count from 0 in the west, rows from 0 in the north.
///
/// Bit `column % 64` of word `column / 64` of a row is a cell; bits beyond the width are zero.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Board {
    width: u32,
    height: u32,
    stride: usize,
    words: Vec<u64>,
}

impl Board {
    /// An empty board.
    ///
    /// # Panics
    /// If a side is outside [`SMALLEST`]..=[`LARGEST`]; see [`Board::try_new`] for sizes that a person typed.
    pub fn new(width: u32, height: u32) -> Board {
        let sides = SMALLEST..=LARGEST;
        assert!(sides.contains(&width) && sides.contains(&height), "a board of {width}×{height} cells");
        let stride = width.div_ceil(64) as usize;
        Board { width, height, stride, words: vec![0; stride * height as usize] }
    }

    /// An empty board.
    ///
    /// # Errors
    /// If a side is outside [`SMALLEST`]..=[`LARGEST`].
    pub fn try_new(width: u32, height: u32) -> Result<Board, EnvironmentError> {
        for (side, value) in [("width", width), ("height", height)] {
            if !(SMALLEST..=LARGEST).contains(&value) {
                let nearest = value.clamp(SMALLEST, LARGEST);
                return Err(EnvironmentError(format!(
                    "{side} = {value} is not from {SMALLEST} to {LARGEST}; the nearest is {nearest}"
                )));
            }
        }
        Ok(Board::new(width, height))
    }

    /// A board from its live cells as (column, row).
    ///
    /// # Panics
    /// As [`Board::new`], and if a cell is off the board.
    pub fn from_live(width: u32, height: u32, live: &[(u32, u32)]) -> Board {
        let mut board = Board::new(width, height);
        for &(column, row) in live {
            board.set(column, row, true);
        }
        board
    }

    /// A board from `cells[row * width + column]`, any state but 0 being live.
    ///
    /// # Panics
    /// As [`Board::new`], and if there are not `width * height` cells.
    pub fn from_cells(width: u32, height: u32, cells: &[u8]) -> Board {
        let mut board = Board::new(width, height);
        assert_eq!(cells.len(), board.area(), "cells of a {width}×{height} board");
        for (index, &cell) in cells.iter().enumerate() {
            if cell != 0 {
                board.set(index as u32 % width, index as u32 / width, true);
            }
        }
        board
    }

    /// `cells[row * width + column]`, 1 for live and 0 for dead.
    pub fn cells(&self) -> Vec<u8> {
        let mut cells = vec![0; self.area()];
        for (column, row) in self.live() {
            cells[row as usize * self.width as usize + column as usize] = 1;
        }
        cells
    }

    /// Columns.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Number of cells.
    pub fn area(&self) -> usize {
        self.width as usize * self.height as usize
    }

    /// Whether a cell is live.
    ///
    /// # Panics
    /// If the cell is off the board.
    pub fn get(&self, column: u32, row: u32) -> bool {
        debug_assert!(column < self.width);
        self.words[row as usize * self.stride + (column / 64) as usize] >> (column % 64) & 1 == 1
    }

    /// Sets a cell.
    ///
    /// # Panics
    /// If the cell is off the board.
    pub fn set(&mut self, column: u32, row: u32, live: bool) {
        assert!(column < self.width && row < self.height, "cell ({column}, {row}) is off the board");
        let word = &mut self.words[row as usize * self.stride + (column / 64) as usize];
        let bit = 1u64 << (column % 64);
        if live {
            *word |= bit;
        } else {
            *word &= !bit;
        }
    }

    /// The cell that any two integers name on this torus.
    pub fn wrap(&self, column: i64, row: i64) -> (u32, u32) {
        (column.rem_euclid(i64::from(self.width)) as u32, row.rem_euclid(i64::from(self.height)) as u32)
    }

    /// The shortest way from one cell to another as (columns, rows); each component is in (-side/2, side/2].
    pub fn offset(&self, from: (u32, u32), to: (u32, u32)) -> (i32, i32) {
        let shortest = |from: u32, to: u32, side: u32| {
            let ahead = (i64::from(to) - i64::from(from)).rem_euclid(i64::from(side)) as i32;
            if ahead > side as i32 / 2 { ahead - side as i32 } else { ahead }
        };
        (shortest(from.0, to.0, self.width), shortest(from.1, to.1, self.height))
    }

    /// Number of live cells.
    pub fn population(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    /// Whether no cell is live.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// Live cells as (column, row), in row-major order.
    pub fn live(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.words.iter().enumerate().flat_map(move |(index, &word)| {
            let row = (index / self.stride) as u32;
            let west = (index % self.stride) as u32 * 64;
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = rest.trailing_zeros();
                rest &= rest.wrapping_sub(1);
                (bit < 64).then_some((west + bit, row))
            })
        })
    }

    /// The board moved `columns` to the east and `rows` to the south.
    pub fn translated(&self, columns: i64, rows: i64) -> Board {
        let mut moved = Board::new(self.width, self.height);
        for (column, row) in self.live() {
            let (column, row) = self.wrap(i64::from(column) + columns, i64::from(row) + rows);
            moved.set(column, row, true);
        }
        moved
    }

    /// The board turned or mirrored; width and height change places under the quarter turns and diagonal mirrors.
    pub fn transformed(&self, symmetry: Symmetry) -> Board {
        let (width, height) = symmetry.size(self.width, self.height);
        let mut turned = Board::new(width, height);
        for cell in self.live() {
            let (column, row) = symmetry.cell(cell, self.width, self.height);
            turned.set(column, row, true);
        }
        turned
    }

    /// Makes `cells` live, (column, row) counted from `(west, north)` and wrapped.
    pub fn paste(&mut self, cells: &[(u32, u32)], west: i64, north: i64) {
        for &(column, row) in cells {
            let (column, row) = self.wrap(west + i64::from(column), north + i64::from(row));
            self.set(column, row, true);
        }
    }

    /// The packed cells: `height` rows of `ceil(width / 64)` words.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    pub(crate) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// Words a row.
    pub(crate) fn stride(&self) -> usize {
        self.stride
    }
}

/// The cells as a picture: a line a row, `.` dead and `O` live.
impl fmt::Display for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in 0..self.height {
            let line: String = (0..self.width).map(|column| if self.get(column, row) { 'O' } else { '.' }).collect();
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Board {}×{}\n{self}", self.width, self.height)
    }
}

/// A rotation or reflection of the square grid. Rotations are clockwise as seen with row 0 on top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Symmetry {
    /// Nothing changes.
    Identity,
    /// A quarter turn clockwise.
    Rotate90,
    /// A half turn.
    Rotate180,
    /// A quarter turn anticlockwise.
    Rotate270,
    /// East and west change places.
    MirrorColumns,
    /// North and south change places.
    MirrorRows,
    /// Mirrored about the diagonal from north-west to south-east.
    Transpose,
    /// Mirrored about the diagonal from north-east to south-west.
    AntiTranspose,
}

impl Symmetry {
    /// All eight.
    pub const ALL: [Symmetry; 8] = [
        Symmetry::Identity,
        Symmetry::Rotate90,
        Symmetry::Rotate180,
        Symmetry::Rotate270,
        Symmetry::MirrorColumns,
        Symmetry::MirrorRows,
        Symmetry::Transpose,
        Symmetry::AntiTranspose,
    ];

    /// The four rotations, clockwise by a quarter turn each.
    pub const ROTATIONS: [Symmetry; 4] =
        [Symmetry::Identity, Symmetry::Rotate90, Symmetry::Rotate180, Symmetry::Rotate270];

    /// The size of a turned box of `width` × `height` cells.
    pub fn size(self, width: u32, height: u32) -> (u32, u32) {
        match self {
            Symmetry::Rotate90 | Symmetry::Rotate270 | Symmetry::Transpose | Symmetry::AntiTranspose => (height, width),
            _ => (width, height),
        }
    }

    /// Where cell (column, row) of a box of `width` × `height` cells goes.
    pub fn cell(self, (column, row): (u32, u32), width: u32, height: u32) -> (u32, u32) {
        let (east, south) = (width - 1 - column, height - 1 - row);
        match self {
            Symmetry::Identity => (column, row),
            Symmetry::Rotate90 => (south, column),
            Symmetry::Rotate180 => (east, south),
            Symmetry::Rotate270 => (row, east),
            Symmetry::MirrorColumns => (east, row),
            Symmetry::MirrorRows => (column, south),
            Symmetry::Transpose => (row, column),
            Symmetry::AntiTranspose => (south, east),
        }
    }

    /// Where a displacement of (columns, rows) goes.
    pub fn vector(self, (columns, rows): (i32, i32)) -> (i32, i32) {
        match self {
            Symmetry::Identity => (columns, rows),
            Symmetry::Rotate90 => (-rows, columns),
            Symmetry::Rotate180 => (-columns, -rows),
            Symmetry::Rotate270 => (rows, -columns),
            Symmetry::MirrorColumns => (-columns, rows),
            Symmetry::MirrorRows => (columns, -rows),
            Symmetry::Transpose => (rows, columns),
            Symmetry::AntiTranspose => (-rows, -columns),
        }
    }
}
