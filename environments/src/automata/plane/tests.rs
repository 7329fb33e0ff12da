//! The plane against the reference and published patterns.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::automata::formats::PatternFile;
use crate::automata::reference;
use proptest::prelude::*;

fn follow(pattern: &Pattern, rule: &str, steps: &[u64]) {
    let rule = Rule::parse(rule).unwrap();
    let mut plane = Plane::with_pattern(&rule, pattern);
    let mut slow = pattern.clone();
    for &generations in steps {
        plane.advance(generations);
        for _ in 0..generations {
            slow = reference::step(&slow, &rule);
        }
        assert_eq!(plane.pattern(), slow, "{rule}");
        assert_eq!(plane.population(), slow.population() as u64);
        assert_eq!(plane.bounding_box(), slow.bounding_box());
        assert_eq!(plane.fingerprint(), Plane::with_pattern(&rule, &slow).fingerprint());
    }
}

#[test]
fn r_pentomino_ends_as_published() {
    // 1103 generations, 116 cells, of which 30 in six gliders.
    let pattern = PatternFile::read("b2o$2o$bo!").unwrap().pattern;
    let mut plane = Plane::with_pattern(&Rule::life(), &pattern);
    plane.advance(1103);
    assert_eq!(plane.population(), 116);
    plane.advance(4000);
    assert_eq!(plane.population(), 116);
}

#[test]
fn gosper_gun_emits_a_glider_every_thirty_generations() {
    let rle = "24bo$22bobo$12b2o6b2o12b2o$11bo3bo4b2o12b2o$2o8bo5bo3b2o$2o8bo3bob2o4bobo$10bo5bo7bo$11bo3bo$12b2o!";
    let mut plane = Plane::with_pattern(&Rule::life(), &PatternFile::read(rle).unwrap().pattern);
    for emitted in 0..40 {
        assert_eq!(plane.population(), 36 + 5 * emitted);
        plane.advance(30);
    }
}

#[test]
fn empty_tiles_are_given_back() {
    let glider = PatternFile::read("bo$2bo$3o!").unwrap().pattern;
    let mut plane = Plane::with_pattern(&Rule::life(), &glider);
    plane.advance(40_000);
    assert_eq!(plane.pattern(), glider.translated(10_000, 10_000));
    assert!(plane.tiles() <= 4);
}

#[test]
fn history_is_every_cell_that_was_live() {
    let blinker = Pattern::from_live([(54, 0), (55, 0), (56, 0)]);
    let mut plane = Plane::with_pattern(&Rule::life(), &blinker);
    plane.advance(20);
    assert!(plane.is_quiet());
    plane.record();
    plane.advance(8);
    assert_eq!(plane.history(), Pattern::from_live([(54, 0), (55, 0), (56, 0), (55, -1), (55, 1)]));
}

#[test]
fn a_flashing_background_is_followed_relative_to_itself() {
    // B0/S (everything dead lives without neighbours): on a torus large enough the two agree.
    let relative = |cells: &Pattern, background: bool| {
        let places = (0..40).flat_map(|y| (0..40).map(move |x| (x, y)));
        Pattern::from_live(places.filter(|&(x, y)| (cells.get(x, y) == 1) != background))
    };
    for (text, live_from_the_start) in [
        ("B0/S", false),
        ("B03/S23", false),
        ("B02/S4V", true),
        ("B01/S8", true),
        ("B03/S238", true),
        ("B0126/S78", true),
    ] {
        let start = Pattern::from_live([(20, 20), (21, 20), (21, 22)]);
        let rule = Rule::parse(&format!("{text}:T40,40")).unwrap();
        let mut plane = Plane::with_pattern(&Rule::parse(text).unwrap(), &start);
        assert_eq!(plane.background(), live_from_the_start, "{text}");
        let mut slow = relative(&start, plane.background());
        for _ in 0..9 {
            plane.advance(1);
            slow = reference::step(&slow, &rule);
            assert_eq!(plane.pattern(), relative(&slow, plane.background()), "{text}");
        }
    }
}

#[test]
fn the_dead_things_of_antilife_live_as_in_golly() {
    // Golly's example: B0123478/S01234678 is Life with dead and live exchanged.
    let rule = Rule::parse("B0123478/S01234678").unwrap();
    let glider = PatternFile::read("bo$2bo$3o!").unwrap().pattern;
    let mut plane = Plane::with_pattern(&rule, &glider);
    plane.advance(40);
    assert_eq!((plane.pattern(), plane.background()), (glider.translated(10, 10), true));
    plane.clear();
    assert!(plane.background());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn agrees_with_the_reference(
        cells in proptest::collection::vec((-40i32..90, -40i32..90), 0..700),
        dense in proptest::collection::vec((40i32..72, 40i32..72), 0..500),
        rule in prop_oneof![
            Just("B3/S23"), Just("B36/S23"), Just("B2-a/S12"), Just("B1357/S1357"), Just("B2/S"),
            Just("B34/S234V"), Just("B2/S34H"), Just("B3-cekq/S2ace3"), Just("W110"), Just("B12345678/S"),
        ],
        steps in proptest::collection::vec(1u64..7, 1..5),
    ) {
        follow(&Pattern::from_live(cells.into_iter().chain(dense)), rule, &steps);
    }
}
