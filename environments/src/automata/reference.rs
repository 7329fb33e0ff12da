//! The slow, obvious stepper: every rule, every topology, one cell at a time. The fast engines are tested against it.

use super::pattern::{Cell, Pattern};
use super::rule::Rule;

/// The offsets of the bits of a table index.
pub const OFFSETS: [(i64, i64); 9] = [(-1, -1), (0, -1), (1, -1), (-1, 0), (0, 0), (1, 0), (-1, 1), (0, 1), (1, 1)];

/// The pattern one generation later. The caller sees to it that an empty neighbourhood stays empty where the
/// topology has no end; otherwise births from nothing are computed near live cells only.
pub fn step(pattern: &Pattern, rule: &Rule) -> Pattern {
    let topology = rule.topology();
    let inside = |x: i64, y: i64| topology.resolve(x, y).filter(|&(rx, ry)| fits(rx) && fits(ry));
    let state = |x: i64, y: i64| inside(x, y).map_or(0, |(x, y)| pattern.get(x as i32, y as i32));
    let next = |x: i64, y: i64| {
        let mut index = 0;
        for (bit, (dx, dy)) in OFFSETS.into_iter().enumerate() {
            index |= usize::from(state(x + dx, y + dy) == 1) << bit;
        }
        advance(rule, state(x, y), rule.table()[index])
    };
    let (width, height) = topology.size();
    let places: Vec<(i64, i64)> = if topology.is_finite() && rule.births_from_nothing() {
        (0..i64::from(height)).flat_map(|y| (0..i64::from(width)).map(move |x| (y, x))).collect()
    } else {
        let mut near = Vec::with_capacity(pattern.population() * 9);
        for cell in pattern.cells() {
            for (dx, dy) in OFFSETS {
                near.extend(inside(i64::from(cell.x) + dx, i64::from(cell.y) + dy).map(|(x, y)| (y, x)));
            }
        }
        near.sort_unstable();
        near.dedup();
        near
    };
    Pattern::from_cells(places.into_iter().map(|(y, x)| Cell { x: x as i32, y: y as i32, state: next(x, y) }))
}

/// The state after a state, given what the table says of the neighbourhood.
pub(super) fn advance(rule: &Rule, state: u8, on: bool) -> u8 {
    match state {
        0 | 1 if on => 1,
        0 => 0,
        // Dying states age whatever surrounds them.
        _ if state < rule.highest_state() => state + 1,
        _ => 0,
    }
}

fn fits(coordinate: i64) -> bool {
    i32::try_from(coordinate).is_ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::automata::formats::PatternFile;

    fn run(rle: &str, rule: &str, steps: usize) -> Pattern {
        let rule = Rule::parse(rule).unwrap();
        let start = PatternFile::read(rle).unwrap().pattern;
        (0..steps).fold(start, |pattern, _| step(&pattern, &rule))
    }

    const GLIDER: &str = "bo$2bo$3o!";

    #[test]
    fn a_glider_moves_and_wraps() {
        let glider = PatternFile::read(GLIDER).unwrap().pattern;
        assert_eq!(run(GLIDER, "B3/S23", 4), glider.translated(1, 1));
        assert_eq!(run(GLIDER, "B3/S23:T8,8", 32), glider);
        assert_eq!(run(GLIDER, "B3/S23:T8+1,8", 32), {
            let shifted = glider.cells().iter().map(|cell| ((cell.x + 1) % 8, cell.y));
            Pattern::from_live(shifted)
        });
        // It comes back mirrored through a twisted edge, and as itself the second time.
        assert_ne!(run(GLIDER, "B3/S23:K9*,9", 36), glider);
        assert_eq!(run(GLIDER, "B3/S23:K9*,9", 36).population(), 5);
        assert_eq!(run("5bbo$5b2bo$5b3o!", "B3/S23:C16,16", 128).population(), 5);
    }

    #[test]
    fn bounded_plane_ends() {
        // A blinker at the edge keeps two of three cells, and dies.
        assert_eq!(run("3o!", "B3/S23:P3,1", 1).population(), 1);
        assert_eq!(run("3o!", "B3/S23:P3,3", 1), Pattern::from_live([(1, 0), (1, 1)]));
    }

    #[test]
    fn brians_brain_and_births_from_nothing() {
        let pair = run("AA!", "B2/S/C3", 1);
        assert_eq!((pair.population(), pair.highest_state()), (6, 2));
        assert_eq!(run("!", "B0/S:T5,4", 1).population(), 20);
        assert_eq!(run("!", "B0/S:T5,4", 2).population(), 0);
    }

    /// The pictures of Golly's help (bounded.html): a grid's cells, row by row A, B, C, …, and the ring around them; 0 for
    /// none.
    #[test]
    fn edges_are_joined_as_golly_draws_them() {
        for (text, picture) in [
            ("P4,3", ["000000", "0ABCD0", "0EFGH0", "0IJKL0", "000000"]),
            ("T4,3", ["LIJKLI", "DABCDA", "HEFGHE", "LIJKLI", "DABCDA"]),
            ("T4+1,3", ["KLIJKL", "DABCDA", "HEFGHE", "LIJKLI", "ABCDAB"]),
            ("T4,3+1", ["HIJKLA", "LABCDE", "DEFGHI", "HIJKLA", "LABCDE"]),
            ("K4*,3", ["ILKJIL", "DABCDA", "HEFGHE", "LIJKLI", "ADCBAD"]),
            ("K4,3*", ["DIJKLA", "LABCDI", "HEFGHE", "DIJKLA", "LABCDI"]),
            ("K4*+1,3", ["JILKJI", "DABCDA", "HEFGHE", "LIJKLI", "BADCBA"]),
            ("C4,3", ["ALKJID", "LABCDI", "HEFGHE", "DIJKLA", "IDCBAL"]),
        ] {
            compare(text, &picture);
        }
        compare("K3,4*+1", &["FJKLD", "CABCA", "LDEFJ", "IGHIG", "FJKLD", "CABCA"]);
        compare("S3", &["AADGC", "AABCG", "BDEFH", "CGHII", "GCFII"]);
    }

    fn compare(text: &str, picture: &[&str]) {
        let topology = Rule::parse(&format!("B3/S23:{text}")).unwrap().topology();
        let width = i64::from(topology.size().0);
        for (row, line) in picture.iter().enumerate() {
            for (column, letter) in line.bytes().enumerate() {
                let found = topology.resolve(column as i64 - 1, row as i64 - 1);
                let found = found.map_or(b'0', |(x, y)| b'A' + (y * width + x) as u8);
                assert_eq!(char::from(found), char::from(letter), "{text}: row {row}, column {column}");
            }
        }
    }

    #[test]
    fn joins_are_mutual() {
        for text in ["P7,5", "T7,5", "T7+3,5", "T7,5-2", "K7*,5", "K8,5*", "K8*+1,5", "C7,6", "S6", "T0,5", "P7,0"] {
            let topology = Rule::parse(&format!("B3/S23:{text}")).unwrap().topology();
            let (width, height) = topology.size();
            let spans = |size: u32| 0..i64::from(if size == 0 { 6 } else { size });
            let near = |x: i64, y: i64| OFFSETS.map(|(dx, dy)| topology.resolve(x + dx, y + dy));
            for y in spans(height) {
                for x in spans(width) {
                    for other in near(x, y).into_iter().flatten() {
                        assert!(near(other.0, other.1).contains(&Some((x, y))), "{text}: {x},{y} and {other:?}");
                    }
                }
            }
        }
    }
}
