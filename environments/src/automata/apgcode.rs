//! Apgcodes: the names of objects on Catagolue, in the extended Wechsler format (Adam P. Goucher, 2014; LifeWiki,
//! "Apgcode").
//!
//! `xs` and the population for a still life, `xp` and the period for an oscillator, `xq` and the period for a
//! spaceship, then `_` and the cells. A code is canonical: of all phases and of all orientations that the rule
//! respects, the shortest text, and of those the first in ASCII order.

use super::pattern::{Pattern, SYMMETRIES};
use super::plane::Plane;
use super::reference::OFFSETS;
use super::rule::Rule;

/// Digits of the format; the last four have meanings of their own.
const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// The largest bounding box, in cells, of a phase that is written out; larger objects are named `ov_…` by apgsearch.
const LARGEST_AREA: u64 = 40_000;

/// The longest text of a phase, likewise.
const LONGEST: usize = 1280;

/// The most characters of a code that is read.
const LONGEST_READ: usize = 100_000;

/// How a pattern repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Motion {
    /// Generations until it is the same again, perhaps elsewhere.
    pub period: u64,
    /// By how much it has moved then, to the right.
    pub dx: i32,
    /// And downwards.
    pub dy: i32,
}

impl Motion {
    /// Whether it never moves on.
    pub fn is_stationary(self) -> bool {
        self.dx == 0 && self.dy == 0
    }
}

/// What is wrong with an apgcode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("apgcode '{code}': {message}")]
pub struct ApgcodeError {
    code: String,
    message: String,
}

/// The pattern behind an apgcode, its corner at 0, 0.
///
/// # Errors
/// If the code is malformed, or names an object without its cells (`ov_…`, `yl…`).
pub fn decode(code: &str) -> Result<Pattern, ApgcodeError> {
    let fail = |message: String| {
        let shown: String = code.chars().take(60).collect();
        Err(ApgcodeError { code: shown, message })
    };
    if code.len() > LONGEST_READ {
        return fail(format!("more than {LONGEST_READ} characters"));
    }
    let Some((prefix, body)) = code.trim().split_once('_') else {
        return fail("a code is a prefix, '_' and the cells, as in xs4_33".to_string());
    };
    let number = prefix.get(2..).and_then(|digits| digits.parse::<u64>().ok());
    let (Some("xs" | "xp" | "xq"), Some(number)) = (prefix.get(..2), number) else {
        return fail(format!("'{prefix}' is not xs and a population, or xp or xq and a period"));
    };
    let mut live = Vec::new();
    let (mut x, mut y) = (0i32, 0i32);
    let mut characters = body.bytes();
    while let Some(character) = characters.next() {
        let value = DIGITS.iter().position(|&digit| digit == character);
        match (character, value) {
            (b'w', _) => x += 2,
            (b'x', _) => x += 3,
            (b'y', _) => {
                let Some(more) = characters.next().and_then(|c| DIGITS.iter().position(|&digit| digit == c)) else {
                    return fail("'y' is followed by a digit or letter that says how many columns are empty".into());
                };
                x += 4 + more as i32;
            }
            (b'z', _) => (x, y) = (0, y + 5),
            (_, Some(bits)) => {
                live.extend((0..5).filter(|row| bits >> row & 1 == 1).map(|row| (x, y + row)));
                x += 1;
            }
            _ => return fail(format!("'{}' is not a digit or a small letter", char::from(character))),
        }
    }
    let pattern = Pattern::from_live(live);
    if prefix.starts_with("xs") && pattern.population() as u64 != number {
        return fail(format!("it has {} cells, not {number}", pattern.population()));
    }
    Ok(pattern)
}

/// How a pattern repeats on the empty plane; `None` if it does not within so many generations.
pub fn motion(pattern: &Pattern, rule: &Rule, longest: u64) -> Option<Motion> {
    let bounds = pattern.bounding_box()?;
    let start = pattern.normalized();
    let mut plane = Plane::with_pattern(rule, pattern);
    let limit = 64 * plane.population() + 4096;
    for period in 1..=longest {
        plane.advance(1);
        if plane.population() == 0 || plane.population() > limit {
            return None;
        }
        if plane.population() != start.population() as u64 || plane.background() {
            continue;
        }
        let now = plane.bounding_box()?;
        if (now.width, now.height) == (bounds.width, bounds.height) && plane.pattern().normalized() == start {
            return Some(Motion { period, dx: now.x - bounds.x, dy: now.y - bounds.y });
        }
    }
    None
}

/// The canonical apgcode of a pattern that repeats within `longest` generations; `None` if it does not. The empty
/// pattern is `xs0_0`.
pub fn encode(pattern: &Pattern, rule: &Rule, longest: u64) -> Option<String> {
    if pattern.is_empty() {
        return Some("xs0_0".to_string());
    }
    motion(pattern, rule, longest).map(|motion| encode_moving(pattern, rule, motion))
}

/// The canonical apgcode of a pattern whose motion is known.
pub fn encode_moving(pattern: &Pattern, rule: &Rule, motion: Motion) -> String {
    let symmetries = symmetries(rule);
    let mut plane = Plane::with_pattern(rule, pattern);
    let mut best: Option<String> = None;
    for phase in 0..motion.period {
        if phase > 0 {
            plane.advance(1);
        }
        let large = |bounds: super::BoundingBox| u64::from(bounds.width) * u64::from(bounds.height) > LARGEST_AREA;
        if plane.bounding_box().is_none_or(large) || plane.background() {
            continue;
        }
        let cells = plane.pattern();
        for &symmetry in &symmetries {
            let text = wechsler(&cells.transformed(symmetry).normalized());
            let shorter = |best: &String| (text.len(), &text) < (best.len(), best);
            if text.len() <= LONGEST && best.as_ref().is_none_or(shorter) {
                best = Some(text);
            }
        }
    }
    let kind = match motion {
        Motion { period: 1, dx: 0, dy: 0 } => format!("s{}", pattern.population()),
        Motion { period, dx: 0, dy: 0 } => format!("p{period}"),
        Motion { period, .. } => format!("q{period}"),
    };
    match best {
        Some(text) => format!("x{kind}_{text}"),
        None => format!("ov_{kind}"),
    }
}

/// The symmetries of the square that leave the rule as it is.
pub(super) fn symmetries(rule: &Rule) -> Vec<[i32; 4]> {
    let respects = |&[a, b, c, d]: &[i32; 4]| {
        (0..512usize).all(|index| {
            let image = (0..9).filter(|bit| index >> bit & 1 == 1).fold(0, |image, bit| {
                let (x, y) = OFFSETS[bit];
                let to = (i64::from(a) * x + i64::from(b) * y, i64::from(c) * x + i64::from(d) * y);
                image | 1 << ((to.1 + 1) * 3 + to.0 + 1)
            });
            rule.table()[image] == rule.table()[index]
        })
    };
    SYMMETRIES.into_iter().filter(respects).collect()
}

/// The extended Wechsler text of a pattern with its corner at 0, 0.
fn wechsler(pattern: &Pattern) -> String {
    let mut text = String::new();
    let bounds = pattern.bounding_box().unwrap_or_default();
    let mut cells = pattern.cells().iter().peekable();
    let mut columns = vec![0u8; bounds.width as usize];
    for strip in 0..bounds.height.div_ceil(5) as i32 {
        columns.fill(0);
        while let Some(cell) = cells.next_if(|cell| cell.y < 5 * (strip + 1)) {
            columns[cell.x as usize] |= 1 << (cell.y - 5 * strip);
        }
        if strip > 0 {
            text.push('z');
        }
        let mut empty = 0;
        for &column in &columns {
            if column == 0 {
                empty += 1;
                continue;
            }
            while empty >= 40 {
                text.push_str("yz");
                empty -= 39;
            }
            match std::mem::take(&mut empty) {
                0 => {}
                1 => text.push('0'),
                2 => text.push('w'),
                3 => text.push('x'),
                more => text.extend(['y', char::from(DIGITS[more - 4])]),
            }
            text.push(char::from(DIGITS[usize::from(column)]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::automata::formats::PatternFile;
    use proptest::prelude::*;

    const KNOWN: &[(&str, &str)] = &[
        ("block", "xs4_33"),
        ("beehive", "xs6_696"),
        ("loaf", "xs7_2596"),
        ("boat", "xs5_253"),
        ("ship", "xs6_356"),
        ("tub", "xs4_252"),
        ("pond", "xs8_6996"),
        ("long boat", "xs7_25ac"),
        ("barge", "xs6_25a4"),
        ("blinker", "xp2_7"),
        ("toad", "xp2_7e"),
        ("beacon", "xp2_318c"),
        ("glider", "xq4_153"),
        ("lightweight spaceship", "xq4_6frc"),
        ("middleweight spaceship", "xq4_27dee6"),
        ("heavyweight spaceship", "xq4_27deee6"),
        ("pulsar", "xp3_co9nas0san9oczgoldlo0oldlogz1047210127401"),
        ("pentadecathlon", "xp15_4r4z4r4"),
    ];

    #[test]
    fn well_known_codes_are_canonical_in_every_phase_and_orientation() {
        let rule = Rule::life();
        for (name, code) in KNOWN {
            let pattern = decode(code).unwrap();
            let period = motion(&pattern, &rule, 100).unwrap().period;
            for symmetry in SYMMETRIES {
                let mut plane = Plane::with_pattern(&rule, &pattern.transformed(symmetry).translated(-31, 50));
                plane.advance(period / 2);
                assert_eq!(encode(&plane.pattern(), &rule, 100).as_deref(), Some(*code), "{name}");
            }
        }
    }

    #[test]
    fn codes_of_drawn_patterns() {
        for (rle, code) in [
            ("2o$obo$2bo$2b2o!", "xs7_178c"),
            ("bo$2bo$3o!", "xq4_153"),
            ("bo2bo$o$o3bo$4o!", "xq4_6frc"),
            ("2o$2o!", "xs4_33"),
            ("3o!", "xp2_7"),
            ("2ob2o$bobo$bobo$2ob2o!", "xs12_raar"),
        ] {
            let pattern = PatternFile::read(rle).unwrap().pattern;
            assert_eq!(encode(&pattern, &Rule::life(), 100).as_deref(), Some(code), "{rle}");
        }
        assert_eq!(encode(&Pattern::default(), &Rule::life(), 10).as_deref(), Some("xs0_0"));
        assert_eq!(encode(&PatternFile::read("b2o$2o$bo!").unwrap().pattern, &Rule::life(), 500), None);
    }

    #[test]
    fn malformed_codes_are_refused() {
        for code in ["", "xs4", "xs4_3y", "xs4_3Q", "xs5_33", "xz4_33", "ov_s4", "xsx_33", "é_", "x_1"] {
            assert!(decode(code).is_err(), "{code}");
        }
    }

    proptest! {
        #[test]
        fn cells_round_trip(cells in proptest::collection::vec((0i32..130, 0i32..40), 1..40)) {
            let pattern = Pattern::from_live(cells).normalized();
            let code = format!("xs{}_{}", pattern.population(), wechsler(&pattern));
            prop_assert_eq!(decode(&code).unwrap().normalized(), pattern);
        }

        #[test]
        fn any_text_is_a_code_or_an_error(text in "x?[spq]?[0-9]{0,3}_?\\PC{0,30}") {
            let _ = decode(&text);
        }
    }
}
