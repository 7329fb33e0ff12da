//! The census of soups against apgsearch and against published frequencies.
#![allow(clippy::unwrap_used)]

use environments::automata::census::{Census, Tally, soup, soups};
use environments::automata::{Pattern, PatternFile, Rule};

/// What apgsearch 5.2 (lifelib 2.5.7, AVX-512) counts in b3s23/C1 for the seeds stance_0 to stance_999.
const APGSEARCH: &[(&str, u64)] = &[
    ("xs4_33", 6625),
    ("xp2_7", 6169),
    ("xs6_696", 3413),
    ("xq4_153", 1810),
    ("xs7_2596", 1018),
    ("xs5_253", 969),
    ("xs6_356", 627),
    ("xs4_252", 235),
    ("xs8_6996", 225),
    ("xs7_25ac", 62),
    ("xp2_7e", 42),
    ("xs12_g8o653z11", 29),
    ("xs6_25a4", 9),
    ("xp2_318c", 9),
    ("xs8_69ic", 7),
    ("xs14_g88m952z121", 7),
    ("xs7_178c", 5),
    ("xp3_co9nas0san9oczgoldlo0oldlogz1047210127401", 4),
    ("xs9_31ego", 2),
    ("xs9_25ako", 1),
    ("xs8_35ac", 1),
    ("xs8_25ak8", 1),
    ("xs6_bd", 1),
    ("xs6_39c", 1),
    ("xs28_0g8ka9m88gz122dia521", 1),
    ("xs14_g88b96z123", 1),
    ("xs14_69e0eic", 1),
    ("xs10_32qr", 1),
    ("xq4_6frc", 1),
];

fn take(rle: &str, rule: &str) -> Tally {
    let pattern = PatternFile::read(rle).unwrap().pattern;
    Census::new(&Rule::parse(rule).unwrap()).unwrap().take(&pattern)
}

fn tally(objects: &[(&str, u64)]) -> Tally {
    objects.iter().map(|&(code, number)| (code.to_string(), number)).collect()
}

#[test]
fn a_thousand_soups_as_apgsearch_counts_them() {
    assert_eq!(soups(&Rule::life(), "stance_", 1000).unwrap(), tally(APGSEARCH));
}

#[test]
fn the_same_at_any_number_of_threads() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| soups(&Rule::parse("B38/S23").unwrap(), "thread", 300).unwrap())
    };
    assert_eq!(run(1), run(5));
}

#[test]
fn soups_follow_the_hash() {
    // SHA-256 of nothing starts e3b0 c442: rows 1110001110110000 and 1100010001000010, lowest bit first.
    let empty = soup("");
    let row = |y: i32| -> Vec<i32> { empty.cells().iter().filter(|cell| cell.y == y).map(|cell| cell.x).collect() };
    assert_eq!(row(0), [4, 5, 7, 8, 9, 13, 14, 15]);
    assert_eq!(row(1), [1, 6, 10, 14, 15]);
}

#[test]
fn what_flies_away_is_counted() {
    // The R-pentomino: 8 blocks, 6 gliders, 4 beehives, 4 blinkers, a boat, a loaf and a ship.
    let wanted =
        [("xs4_33", 8), ("xq4_153", 6), ("xs6_696", 4), ("xp2_7", 4), ("xs5_253", 1), ("xs7_2596", 1), ("xs6_356", 1)];
    assert_eq!(take("b2o$2o$bo!", "B3/S23"), tally(&wanted));
    assert_eq!(take("bo2bo$o$o3bo$4o!", "B3/S23"), tally(&[("xq4_6frc", 1)]));
    assert_eq!(take("!", "B3/S23"), Tally::new());
}

#[test]
fn growth_without_end_is_named() {
    let gun = "24bo$22bobo$12b2o6b2o12b2o$11bo3bo4b2o12b2o$2o8bo5bo3b2o$2o8bo3bob2o4bobo$10bo5bo7bo$11bo3bo$12b2o!";
    let codes: Vec<String> = take(gun, "B3/S23").into_keys().collect();
    assert!(codes.len() == 1 && codes[0].starts_with("yl30_1_5_"), "{codes:?}");
}

/// The block-laying switch engine under its name in Catagolue (yl144_1_16_…), from the ten cells with which Paul Callahan
/// found it to begin, in all orientations.
#[test]
fn the_switch_engine_has_its_published_name() {
    let start = PatternFile::read("6bo$4bob2o$4bobo$4bo$2bo$obo!").unwrap().pattern;
    for symmetry in [[1, 0, 0, 1], [0, -1, 1, 0], [-1, 0, 0, 1]] {
        let tally = Census::new(&Rule::life()).unwrap().take(&start.transformed(symmetry));
        assert_eq!(tally.get("yl144_1_16_afb5f3db909e60548f086e22ee3353ac"), Some(&1), "{tally:?}");
    }
}

#[test]
fn pseudo_objects_are_told_apart() {
    assert_eq!(take("2ob2o$2ob2o!", "B3/S23"), tally(&[("xs4_33", 2)]));
    assert_eq!(take("2o$2o2$2o$2o!", "B3/S23"), tally(&[("xs4_33", 2)]));
    assert_eq!(take("o2bo$4o2$4o$o2bo!", "B3/S23"), tally(&[("xs12_raar", 1)]));
}

#[test]
fn unsuitable_rules_are_refused() {
    for rule in ["B2/S/C3", "B0/S", "B3/S23:T64,64", "B2/S34H"] {
        assert!(Census::new(&Rule::parse(rule).unwrap()).is_err(), "{rule}");
    }
}

/// The four most common objects and their shares of all; apgsearch finds these shares in 200,000 soups.
#[test]
fn frequencies_of_ash_are_as_published() {
    let found = soups(&Rule::life(), "ash", 1500).unwrap();
    let all: u64 = found.values().sum();
    let share = |code: &str| found[code] as f64 / all as f64;
    assert!((share("xs4_33") - 0.309).abs() < 0.02, "{}", share("xs4_33"));
    assert!((share("xp2_7") - 0.286).abs() < 0.02, "{}", share("xp2_7"));
    assert!((share("xs6_696") - 0.164).abs() < 0.015, "{}", share("xs6_696"));
    assert!((share("xq4_153") - 0.088).abs() < 0.01, "{}", share("xq4_153"));
    assert_eq!(Census::new(&Rule::life()).unwrap().take(&Pattern::default()), Tally::new());
}
