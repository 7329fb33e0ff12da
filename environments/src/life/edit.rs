//! Edits of a board.

use super::board::{Board, Symmetry};
use super::catalogue::{self, Heading};
use super::config::{nearest_name, rule};
use super::recognise::{Object, bounds};
use super::step::Stepper;
use crate::automata::apgcode;
use crate::{Edit, EnvironmentError};

/// The board after edits, in order. Objects are those of the board before any of them; `alone` is the rule that they were
/// recognised by. Another rule leaves the board as it is.
///
/// Pasting makes cells live and kills none.
pub(super) fn apply(
    board: &Board,
    objects: &[Object],
    edits: &[Edit],
    alone: &Stepper,
) -> Result<Board, EnvironmentError> {
    let mut board = board.clone();
    let recognised = objects;
    let mut objects: Vec<Option<Vec<(u32, u32)>>> =
        recognised.iter().map(|object| Some(object.cells.clone())).collect();
    for edit in edits {
        match edit {
            Edit::Paint { cells, state } => {
                if *state > 1 {
                    return fail(format!("state = {state} is not a state of this world; the nearest is 1"));
                }
                for &(column, row) in cells {
                    if column >= board.width() || row >= board.height() {
                        let (width, height) = (board.width(), board.height());
                        return fail(format!("cell ({column}, {row}) is off the board of {width}×{height} cells"));
                    }
                    board.set(column, row, *state == 1);
                }
            }
            Edit::Place { pattern, column, row } => {
                let cells = pattern_cells(pattern)?;
                board.paste(&cells, i64::from(*column), i64::from(*row));
            }
            Edit::Delete { object } => {
                for (column, row) in take(&mut objects, *object)? {
                    board.set(column, row, false);
                }
            }
            Edit::Move { object, columns, rows } => {
                let cells = take(&mut objects, *object)?;
                let target = cells
                    .iter()
                    .map(|cell| {
                        board.wrap(i64::from(cell.0) + i64::from(*columns), i64::from(cell.1) + i64::from(*rows))
                    })
                    .collect();
                objects[*object as usize] = Some(replace(&mut board, &cells, target));
            }
            Edit::Rotate { object, turns } => {
                let cells = take(&mut objects, *object)?;
                let target = rotated(&board, &cells, *turns);
                objects[*object as usize] = Some(replace(&mut board, &cells, target));
            }
            Edit::Rephase { object, steps } => {
                let cells = take(&mut objects, *object)?;
                let Some(period) = recognised[*object as usize].period else {
                    return fail(format!("object {object} does not return to itself, so that it has no other phase"));
                };
                let mut alone_now = Board::from_live(board.width(), board.height(), &cells);
                alone_now = alone.run(&alone_now, steps % period);
                objects[*object as usize] = Some(replace(&mut board, &cells, alone_now.live().collect()));
            }
            Edit::Rule { rule: text } => drop(rule("rule", text)?),
            Edit::Rewrite { .. } | Edit::Entry { .. } | Edit::Turn { .. } => {
                return fail(
                    "the edit is of a machine's or rule's table or of discs, and this world has cells; the nearest is `rule`",
                );
            }
        }
    }
    Ok(board)
}

/// Takes cells off a board and puts others on it, which are returned.
fn replace(board: &mut Board, cells: &[(u32, u32)], target: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    cells.iter().for_each(|&(column, row)| board.set(column, row, false));
    target.iter().for_each(|&(column, row)| board.set(column, row, true));
    target
}

/// Cells turned clockwise by quarters about the north-west corner of the smallest box around them on the torus.
fn rotated(board: &Board, cells: &[(u32, u32)], turns: u32) -> Vec<(u32, u32)> {
    let bounds = bounds(cells, board.width(), board.height());
    let (mut width, mut height) = (bounds.width, bounds.height);
    let mut inside: Vec<(u32, u32)> = cells
        .iter()
        .map(|&(column, row)| {
            let east = (column + board.width() - bounds.column) % board.width();
            (east, (row + board.height() - bounds.row) % board.height())
        })
        .collect();
    for _ in 0..turns % 4 {
        inside.iter_mut().for_each(|cell| *cell = (height - 1 - cell.1, cell.0));
        (width, height) = (height, width);
    }
    let place = |&(east, south): &(u32, u32)| {
        board.wrap(i64::from(bounds.column) + i64::from(east), i64::from(bounds.row) + i64::from(south))
    };
    inside.iter().map(place).collect()
}

fn take(objects: &mut [Option<Vec<(u32, u32)>>], number: u32) -> Result<Vec<(u32, u32)>, EnvironmentError> {
    let count = objects.len();
    match objects.get_mut(number as usize) {
        Some(object) => object.take().ok_or_else(|| EnvironmentError(format!("object {number} was deleted before"))),
        None if count == 0 => fail(format!("object {number} is not there: the board has no objects")),
        None => fail(format!("object {number} is not there; the board's objects are 0 to {}", count - 1)),
    }
}

/// The cells of a pattern written as one of
/// - a catalogue name: `block`, `glider` (heading SE, phase 0);
/// - a glider of some heading and phase: `glider-NW-2`;
/// - a catalogue name and an orientation: `boat-rotate90`, `eater-mirror-columns`, `loaf-transpose`;
/// - RLE text: `bob$2bo$3o!`, with or without its header line;
/// - an apgcode: `xq4_153`.
///
/// Cells are (column, row) from the north-west corner of the bounding box; in RLE, from the text's own corner.
///
/// # Errors
/// If the text is none of these.
pub fn pattern_cells(text: &str) -> Result<Vec<(u32, u32)>, EnvironmentError> {
    if text.contains('!') {
        return rle_cells(text);
    }
    if let Some(pattern) = catalogue::pattern(text) {
        return Ok(pattern.cells.clone());
    }
    if text.starts_with('x') && text.contains('_') {
        let pattern = apgcode::decode(text).map_err(|error| EnvironmentError(error.to_string()))?;
        let cells = pattern.normalized();
        return Ok(cells.cells().iter().map(|cell| (cell.x as u32, cell.y as u32)).collect());
    }
    for heading in Heading::ALL {
        for phase in 0..4 {
            if text == format!("glider-{}-{phase}", heading.name()) {
                return Ok(catalogue::glider(heading, phase).cells.clone());
            }
        }
    }
    for (name, symmetry) in ORIENTATIONS {
        let stem = text.strip_suffix(name).and_then(|stem| stem.strip_suffix('-'));
        if let Some(pattern) = stem.and_then(catalogue::pattern) {
            let turned: Vec<_> =
                pattern.cells.iter().map(|&cell| symmetry.cell(cell, pattern.size.0, pattern.size.1)).collect();
            return Ok(catalogue::shape(&turned).0);
        }
    }
    fail(format!(
        "pattern '{text}' is not a catalogue name, a glider such as glider-SE-0, an apgcode such as xs4_33, or RLE text \
         ending in '!'; the nearest \
         name is '{}'",
        nearest_name(text, |_| true)
    ))
}

const ORIENTATIONS: [(&str, Symmetry); 7] = [
    ("rotate90", Symmetry::Rotate90),
    ("rotate180", Symmetry::Rotate180),
    ("rotate270", Symmetry::Rotate270),
    ("mirror-columns", Symmetry::MirrorColumns),
    ("mirror-rows", Symmetry::MirrorRows),
    // The longer name first: it ends in the shorter one.
    ("anti-transpose", Symmetry::AntiTranspose),
    ("transpose", Symmetry::Transpose),
];

/// The live cells of RLE text of two states; comment lines and a header line are skipped.
fn rle_cells(text: &str) -> Result<Vec<(u32, u32)>, EnvironmentError> {
    let body = text.lines().filter(|line| !line.starts_with(['#', 'x']));
    let mut cells = Vec::new();
    let (mut column, mut row, mut count) = (0u32, 0u32, 0u32);
    for symbol in body.flat_map(str::chars).filter(|symbol| !symbol.is_whitespace()) {
        if let Some(digit) = symbol.to_digit(10) {
            count = count * 10 + digit;
            if count > super::board::LARGEST {
                return fail(format!("RLE run of {count} cells is longer than {}", super::board::LARGEST));
            }
            continue;
        }
        let run = std::mem::take(&mut count).max(1);
        match symbol {
            'b' | '.' => column += run,
            'o' | 'A' => {
                cells.extend((column..column + run).map(|column| (column, row)));
                column += run;
            }
            '$' => (column, row) = (0, row + run),
            '!' => return Ok(cells),
            _ => return fail(format!("RLE text has '{symbol}', which is none of b, o, $ and !")),
        }
        if column.max(row) > super::board::LARGEST {
            return fail(format!("RLE text reaches further than {} cells", super::board::LARGEST));
        }
    }
    fail("RLE text does not end in '!'")
}

fn fail<T>(message: impl Into<String>) -> Result<T, EnvironmentError> {
    Err(EnvironmentError(message.into()))
}
