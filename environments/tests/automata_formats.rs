//! Round trips and hostile input for rulestrings and pattern files.
#![allow(clippy::unwrap_used)]

use environments::automata::{Cell, Format, Pattern, PatternFile};
use proptest::prelude::*;

const FORMATS: [Format; 4] = [Format::Rle, Format::Life106, Format::Plaintext, Format::Macrocell];

const GOSPER: &str = "#N Gosper glider gun\n#C the first\nx = 36, y = 9, rule = B3/S23\n24bo11b$22bobo11b$12b2o6b2o12b2o$\
    11bo3bo4b2o12b2o$2o8bo5bo3b2o14b$2o8bo3bob2o4bobo11b$10bo5bo7bo11b$11bo3bo20b$12b2o!\n";

fn cells(states: u8, reach: i32) -> impl Strategy<Value = Pattern> {
    let cell = (-reach..reach, -reach..reach, 1..=states).prop_map(|(x, y, state)| Cell { x, y, state });
    proptest::collection::vec(cell, 0..80).prop_map(Pattern::from_cells)
}

fn file(pattern: Pattern) -> PatternFile {
    PatternFile { pattern, comments: vec!["a remark".to_string()], ..PatternFile::default() }
}

#[test]
fn gosper_gun() {
    let read = PatternFile::read(GOSPER).unwrap();
    assert_eq!(read.pattern.population(), 36);
    assert_eq!(read.rule.as_deref(), Some("B3/S23"));
    assert_eq!(read.comments, ["N Gosper glider gun", "the first"]);
    for format in FORMATS {
        let text = read.write(format);
        assert_eq!(Format::detect(&text), format, "{text}");
        assert_eq!(PatternFile::read(&text).unwrap().pattern.normalized(), read.pattern.normalized());
    }
}

#[test]
fn rle_corner_is_the_files_and_not_the_cells() {
    let read = PatternFile::read("3$2bo!").unwrap();
    assert_eq!(read.pattern, Pattern::from_live([(2, 3)]));
    assert_eq!(
        PatternFile::read("x = 3, y = 3, rule = B36/S23:T64,64\nbo$2bo$3o!").unwrap().rule.unwrap(),
        "B36/S23:T64,64"
    );
    assert_eq!(PatternFile::read(".A2B$pA!").unwrap().pattern.cells().last().unwrap().state, 25);
    assert_eq!(PatternFile::read("!").unwrap().pattern.population(), 0);
}

/// Golly's extended RLE says where the pattern lies and at which generation; a bounded grid's corner is at minus half its
/// size there.
#[test]
fn extended_rle_has_a_place_and_a_generation() {
    let text = "#CXRLE Pos=-3,-7 Gen=12\nx = 4, y = 2, rule = 345/2/4\n.A2B$pA!\n";
    let read = PatternFile::read(text).unwrap();
    let cell = |x, y, state| Cell { x, y, state };
    assert_eq!(read.pattern.cells(), [cell(-2, -7, 1), cell(-1, -7, 2), cell(0, -7, 2), cell(-3, -6, 25)]);
    assert_eq!(read.generation, 12);
    assert_eq!(PatternFile::read(&read.write(Format::Rle)).unwrap(), read);
    let text = "#CXRLE Pos=-32,-15\nx = 3, y = 3, rule = B3/S23:T64,31\nbo$2bo$3o!\n";
    let read = PatternFile::read(text).unwrap();
    assert_eq!(read.pattern, PatternFile::read("bo$2bo$3o!").unwrap().pattern);
    // Nothing to say: the pattern starts at the corner, which is where RLE without a place starts.
    assert_eq!(read.write(Format::Rle), "x = 3, y = 3, rule = B3/S23:T64,31\nbo$2bo$3o!\n");
    let text = "[M2] (golly 2.0)\n#R B3/S23:T8,8\n.*$..*$***$\n4 0 0 0 1\n";
    assert_eq!(PatternFile::read(text).unwrap().pattern, read.pattern.translated(4, 4));
    for text in ["#CXRLE Pos=1\no!", "#CXRLE Pos=9999999999,0\no!", "#CXRLE Gen=x\no!", "#CXRLE Pos=2000000000,0\no!"] {
        assert_eq!(PatternFile::read_as(Format::Rle, text).unwrap_err().line, 1, "{text}");
    }
}

#[test]
fn golly_macrocell() {
    let text = "[M2] (golly 2.0)\n#R B3/S23\n#G 12\n.*$..*$***$\n4 0 0 0 1\n";
    let read = PatternFile::read(text).unwrap();
    assert_eq!(read.generation, 12);
    assert_eq!(read.pattern, Pattern::from_live([(1, 0), (2, 1), (0, 2), (1, 2), (2, 2)]));
}

#[test]
fn a_small_file_cannot_ask_for_much() {
    for text in ["999999999o!", "x = 1, y = 1\n99999999999999999999999o!", "99999999999$o!", "99999999999bo!"] {
        assert!(PatternFile::read(text).is_err(), "{text}");
    }
    let mut bomb = String::from("[M2]\n********$********$********$********$********$********$********$********$\n");
    for level in 4..60 {
        let below = level - 3;
        bomb.push_str(&format!("{level} {below} {below} {below} {below}\n"));
    }
    assert!(PatternFile::read(&bomb).unwrap_err().to_string().contains("cells"));
    for text in ["", "#Life 1.06\n1\n", "[M2]\n4 1 2 3 4\n", "x = 3\nq!", "[M2]\n4 0 0 0 0\n6 1 0 0 0\n", "bz!"] {
        assert!(PatternFile::read(text).is_err(), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_state_round_trips(pattern in cells(1, 300)) {
        for format in FORMATS {
            let text = file(pattern.clone()).write(format);
            prop_assert_eq!(Format::detect(&text), format, "{}", &text);
            let read = PatternFile::read(&text).unwrap();
            prop_assert_eq!(read.pattern.normalized(), pattern.normalized());
            if format != Format::Plaintext {
                prop_assert_eq!(&read.pattern, &pattern);
            }
            prop_assert_eq!(read.comments, ["a remark"]);
        }
    }

    #[test]
    fn many_state_round_trips(pattern in cells(255, 300_000_000)) {
        for rule in ["B2/S/C256", "345/2/256:T1001,64", "B2/S/C256:P0,17"] {
            for format in [Format::Rle, Format::Macrocell] {
                let written = PatternFile { rule: Some(rule.to_string()), generation: 7, ..file(pattern.clone()) };
                prop_assert_eq!(&PatternFile::read(&written.write(format)).unwrap(), &written);
            }
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = PatternFile::read(&text);
        for format in FORMATS {
            let _ = PatternFile::read_as(format, &text);
        }
    }

    #[test]
    fn mutated_files_never_panic(
        pattern in cells(3, 50),
        which in 0usize..4,
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = file(pattern).write(FORMATS[which]).into_bytes();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(read) = PatternFile::read(&String::from_utf8_lossy(&bytes)) {
            prop_assert!(read.pattern.population() <= environments::automata::formats::MOST_CELLS);
        }
    }
}
