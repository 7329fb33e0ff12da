//! What a person would measure with a ruler: the baseline that a claim about foreseen fate has to beat.

use super::board::Board;
use super::catalogue::Heading;
use super::doom;
use super::recognise::{Bounds, Kind, Object};

/// How many other objects are described.
pub const OTHERS: usize = 3;

/// A glider moves a cell along its diagonal in this many steps.
const STEPS_A_CELL: u32 = 4;

/// Distance-and-heading features of one object of a board, in the order of [`feature_names`].
///
/// Offsets are those of the centres of bounding boxes, the shortest way on the torus, in cells. For a glider they are
/// told along its heading (positive ahead) and across it; for any other object along and across the direction SE.
/// The [`OTHERS`] nearest other objects come nearest first, by the larger of the two offsets in columns and rows, of
/// equals the lower number. Missing ones are zero throughout.
///
/// `on_path` is 1 if the glider's 3×3 box, moved along its heading for at most 32 steps with two cells' margin (as
/// far as two patterns feel each other), comes upon a cell of the other object where that is now; `gap` is the
/// number of cells it moves until then, divided by 8, or 1. Nothing is simulated.
///
/// # Panics
/// If there is no object of that number.
pub fn distance_and_heading(board: &Board, objects: &[Object], object: u32) -> Vec<f32> {
    let own = &objects[object as usize];
    let mut features = Vec::with_capacity(width());
    features.extend(Heading::ALL.iter().map(|heading| flag(own.heading == Some(*heading))));
    features.extend((0..4).map(|phase| flag(own.phase == Some(phase))));
    features.push((objects.len() - 1) as f32);

    let mut others: Vec<(u32, &Object)> = objects
        .iter()
        .filter(|other| other.id != object)
        .map(|other| {
            let (right, down) = doubled_offset(board, own.bounds, other.bounds);
            (right.unsigned_abs().max(down.unsigned_abs()), other)
        })
        .collect();
    others.sort_by_key(|(distance, other)| (*distance, other.id));
    let frame = own.heading.unwrap_or(Heading::SE).vector();
    for (_, other) in others.iter().take(OTHERS) {
        let (right, down) = doubled_offset(board, own.bounds, other.bounds);
        let gap = own.heading.and_then(|heading| gap(board, own.bounds, heading, other));
        features.push(1.0);
        features.extend(aligned((right as f32 / 2.0, down as f32 / 2.0), frame));
        let steps = other.period.unwrap_or(1) as f32 / STEPS_A_CELL as f32;
        let velocity = (other.displacement.0 as f32 / steps, other.displacement.1 as f32 / steps);
        features.extend(aligned(velocity, frame));
        features.push(flag(gap.is_some()));
        features.push(gap.map_or(1.0, |gap| gap as f32 / (doom::LONGEST / STEPS_A_CELL) as f32));
        features.extend(Kind::all().map(|kind| flag(other.kind == kind)));
    }
    features.resize(width(), 0.0);
    features
}

/// The name of each feature.
pub fn feature_names() -> Vec<String> {
    let mut names: Vec<String> = Heading::ALL.iter().map(|heading| format!("heading {}", heading.name())).collect();
    names.extend((0..4).map(|phase| format!("phase {phase}")));
    names.push("others".to_string());
    for other in 1..=OTHERS {
        let measures = ["there", "along", "across", "velocity along", "velocity across", "on_path", "gap"];
        names.extend(measures.iter().map(|measure| format!("other {other} {measure}")));
        names.extend(Kind::all().map(|kind| format!("other {other} is {}", kind.name())));
    }
    names
}

fn width() -> usize {
    9 + OTHERS * (7 + Kind::all().count())
}

fn flag(value: bool) -> f32 {
    f32::from(u8::from(value))
}

/// Twice the offset between the centres of two boxes, the shortest way.
fn doubled_offset(board: &Board, from: Bounds, to: Bounds) -> (i32, i32) {
    let shortest = |from: u32, from_length: u32, to: u32, to_length: u32, side: u32| {
        let around = 2 * side as i32;
        let ahead = (2 * (to as i32 - from as i32) + to_length as i32 - from_length as i32).rem_euclid(around);
        if ahead > around / 2 { ahead - around } else { ahead }
    };
    (
        shortest(from.column, from.width, to.column, to.width, board.width()),
        shortest(from.row, from.height, to.row, to.height, board.height()),
    )
}

/// A vector's parts along and across a diagonal, in diagonal cells.
fn aligned((right, down): (f32, f32), frame: (i32, i32)) -> [f32; 2] {
    let (right, down) = (right * frame.0 as f32, down * frame.1 as f32);
    [(right + down) / 2.0, (right - down) / 2.0]
}

/// Cells that a glider moves until its box, with a margin, first reaches a cell of another object.
fn gap(board: &Board, glider: Bounds, heading: Heading, other: &Object) -> Option<u32> {
    const MARGIN: u32 = 2;
    let (east, south) = heading.vector();
    (0..=doom::LONGEST / STEPS_A_CELL).find(|&moved| {
        let column = i64::from(glider.column) + i64::from(east) * i64::from(moved) - i64::from(MARGIN);
        let row = i64::from(glider.row) + i64::from(south) * i64::from(moved) - i64::from(MARGIN);
        let corner = board.wrap(column, row);
        other.cells.iter().any(|cell| {
            let right = (cell.0 + board.width() - corner.0) % board.width();
            let down = (cell.1 + board.height() - corner.1) % board.height();
            right < 3 + 2 * MARGIN && down < 3 + 2 * MARGIN
        })
    })
}
