//! The far future of a pattern that has come apart into repeating pieces that will never meet.

use std::collections::BTreeMap;

use super::FARTHEST;
use crate::automata::apgcode::{Motion, motion};
use crate::automata::pattern::Pattern;
use crate::automata::plane::Plane;
use crate::automata::rule::Rule;

/// What came of the attempt.
pub(super) enum Settled {
    /// The pattern then.
    Done(Pattern),
    /// It leaves the coordinates.
    Far,
    /// It cannot be shown to have settled.
    No,
}

/// The longest period of a piece that is looked for.
const LONGEST: u64 = 1024;
/// The largest pattern that is taken apart, in cells.
const LARGEST: usize = 50_000;
/// The distances between cells, in king's moves, up to which they are taken to be one piece; tried in this order.
const REACHES: [i32; 3] = [3, 8, 24];
/// Cells of two pieces at most this far apart share a neighbour.
const TOUCH: i64 = 2;

struct Piece {
    pattern: Pattern,
    motion: Motion,
    /// Every cell that is live in some generation of the first period.
    trail: Pattern,
}

/// The pattern after `steps` generations, if it has settled.
pub(super) fn advance(pattern: &Pattern, rule: &Rule, steps: u64) -> Settled {
    if pattern.population() > LARGEST {
        return Settled::No;
    }
    for reach in REACHES {
        let mut known: BTreeMap<Vec<(i32, i32)>, Option<Motion>> = BTreeMap::new();
        let pieces: Option<Vec<Piece>> = split(pattern, reach)
            .into_iter()
            .map(|piece| {
                let key = piece.normalized().cells().iter().map(|cell| (cell.x, cell.y)).collect();
                let motion = (*known.entry(key).or_insert_with(|| motion(&piece, rule, LONGEST)))?;
                let mut plane = Plane::with_pattern(rule, &piece);
                plane.record();
                // Whole leaps, so that sleeping tiles have shown all their phases.
                plane.advance(motion.period.next_multiple_of(4));
                Some(Piece { trail: plane.history(), pattern: piece, motion })
            })
            .collect();
        if let Some(pieces) = pieces.filter(|pieces| apart(pieces)) {
            return far_future(&pieces, rule, steps);
        }
    }
    Settled::No
}

fn far_future(pieces: &[Piece], rule: &Rule, steps: u64) -> Settled {
    let mut cells = Vec::new();
    for piece in pieces {
        let times = i128::from(steps / piece.motion.period);
        let mut plane = Plane::with_pattern(rule, &piece.pattern);
        plane.advance(steps % piece.motion.period);
        let (dx, dy) = (times * i128::from(piece.motion.dx), times * i128::from(piece.motion.dy));
        for cell in plane.pattern().cells() {
            let (x, y) = (dx + i128::from(cell.x), dy + i128::from(cell.y));
            if x.abs().max(y.abs()) > i128::from(FARTHEST) {
                return Settled::Far;
            }
            cells.push((x as i32, y as i32));
        }
    }
    Settled::Done(Pattern::from_live(cells))
}

/// The pieces of a pattern whose cells hang together by steps of at most `reach` in either direction.
fn split(pattern: &Pattern, reach: i32) -> Vec<Pattern> {
    // Boxes of side `reach` hold cells of one piece only, and a piece goes on in boxes up to two away.
    let mut boxes: BTreeMap<(i32, i32), Vec<(i32, i32)>> = BTreeMap::new();
    for cell in pattern.cells() {
        boxes.entry((cell.x.div_euclid(reach), cell.y.div_euclid(reach))).or_default().push((cell.x, cell.y));
    }
    let close = |a: &[(i32, i32)], b: &[(i32, i32)]| {
        a.iter().any(|p| b.iter().any(|q| p.0.abs_diff(q.0).max(p.1.abs_diff(q.1)) <= reach as u32))
    };
    let mut pieces = Vec::new();
    while let Some((place, cells)) = boxes.pop_first() {
        let (mut piece, mut open) = (Vec::new(), vec![(place, cells)]);
        while let Some(((bx, by), cells)) = open.pop() {
            for dy in -2..=2 {
                for dx in -2..=2 {
                    let place = (bx + dx, by + dy);
                    if boxes.get(&place).is_some_and(|other| close(&cells, other)) {
                        open.extend(boxes.remove(&place).map(|other| (place, other)));
                    }
                }
            }
            piece.extend(cells);
        }
        pieces.push(Pattern::from_live(piece));
    }
    pieces
}

/// Whether the pieces never meet.
fn apart(pieces: &[Piece]) -> bool {
    let mut still: BTreeMap<(i32, i32), usize> = BTreeMap::new();
    for (number, piece) in pieces.iter().enumerate().filter(|(_, piece)| piece.motion.is_stationary()) {
        for cell in piece.trail.cells() {
            let reach = TOUCH as i32;
            for dy in -reach..=reach {
                for dx in -reach..=reach {
                    if still.get(&(cell.x + dx, cell.y + dy)).is_some_and(|&other| other != number) {
                        return false;
                    }
                }
            }
        }
        still.extend(piece.trail.cells().iter().map(|cell| ((cell.x, cell.y), number)));
    }
    pieces.iter().enumerate().all(|(number, piece)| {
        piece.motion.is_stationary()
            || pieces.iter().enumerate().all(|(other, second)| {
                other == number
                    || second.motion.is_stationary() && never_meet(second, piece)
                    || !second.motion.is_stationary() && (other < number || never_meet(second, piece))
            })
    })
}

/// Whether two pieces stay apart for ever, by the boxes that hold them and move evenly.
fn never_meet(a: &Piece, b: &Piece) -> bool {
    let (Some(first), Some(second)) = (a.trail.bounding_box(), b.trail.bounding_box()) else { return true };
    let axis = |from: i32, size: u32, shift: i32| {
        // Within a period the box lags behind the even motion by up to one period's displacement.
        let (from, to, shift) = (i128::from(from), i128::from(from) + i128::from(size) - 1, i128::from(shift));
        (from - shift.max(0), to - shift.min(0), shift)
    };
    let (p, q) = (i128::from(a.motion.period), i128::from(b.motion.period));
    let meeting = |(from, to, shift): (i128, i128, i128), (other_from, other_to, other_shift): (i128, i128, i128)| {
        // At time t the gap condition is  low <= rate t <= high,  times measured in units of 1 / (p q).
        let rate = other_shift * p - shift * q;
        let low = from - other_to - i128::from(TOUCH);
        let high = to - other_from + i128::from(TOUCH);
        span(low, high, rate)
    };
    let x = meeting(axis(first.x, first.width, a.motion.dx), axis(second.x, second.width, b.motion.dx));
    let y = meeting(axis(first.y, first.height, a.motion.dy), axis(second.y, second.height, b.motion.dy));
    match (x, y) {
        (Some((x_from, x_to)), Some((y_from, y_to))) => after(x_from, y_to) || after(y_from, x_to),
        _ => true,
    }
}

/// A fraction with a denominator above 0; the denominator 0 stands for infinity.
type Fraction = (i128, i128);

/// The times from 0 on at which `low <= rate × time <= high`.
fn span(low: i128, high: i128, rate: i128) -> Option<(Fraction, Fraction)> {
    match rate.signum() {
        0 => (low <= 0 && high >= 0).then_some(((0, 1), (1, 0))),
        1 => (high >= 0).then_some(((low.max(0), rate), (high, rate))),
        _ => (low <= 0).then_some((((-high).max(0), -rate), (-low, -rate))),
    }
}

fn after(a: Fraction, b: Fraction) -> bool {
    b.1 != 0 && a.0 * b.1 > b.0 * a.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glider_and_block(x: i32, y: i32) -> Pattern {
        Pattern::from_live([(1, 0), (2, 1), (0, 2), (1, 2), (2, 2), (x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)])
    }

    #[test]
    fn only_what_never_meets_is_settled() {
        let rule = Rule::life();
        let settled = |x, y| matches!(advance(&glider_and_block(x, y), &rule, 1_000_000), Settled::Done(_));
        assert!(!settled(50, 50), "the glider hits the block");
        assert!(settled(-20, -20), "it flies away from it");
        assert!(settled(50, 20), "it passes by");
    }
}
