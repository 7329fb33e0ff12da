//! A bounded run of the fuzz targets in `fuzz/`: texts that are meant to be read, changed at random, and random bytes. The
//! same inputs at every run.
#![allow(clippy::unwrap_used)]

use environments::{Draw, Stream, stream};

#[path = "../../fuzz/checks.rs"]
mod checks;

const PATTERNS: &[&str] = &[
    "#N Gosper\n#C a remark\nx = 36, y = 9, rule = B3/S23:T64,64\n24bo$22bobo$12b2o6b2o12b2o$11bo3bo4b2o12b2o$2o8bo!",
    "#CXRLE Pos=-3,-7 Gen=12\nx = 4, y = 2, rule = 345/2/4\n.A2B$pA!",
    "#Life 1.06\n#C remark\n0 -1\n1 0\n-1 1\n0 1\n1 1\n",
    "!Name: glider\n!\n.O.\n..O\nOOO\n",
    "[M2] (golly 2.0)\n#R B3/S23\n#G 12\n.*$..*$***$\n4 0 0 0 1\n5 2 2 0 1\n",
    "[M2] (golly 4.0)\n#R 345/2/4\n1 0 1 2 3\n2 0 1 0 1\n3 2 2 0 1\n",
    "9999999o$99999b!",
];
const RULES: &[&str] = &[
    "B3/S23",
    "B36/S23:T64,32",
    "b3s23:K30*,20",
    "23/3:P10+2,0",
    "B2-a/S12ekn:C20",
    "B2/S/C3",
    "/2/3",
    "B2/S34H",
    "B13/S012V",
    "MAPARYXfhZofugWaH7oaIDogBZofuhogOiAaIDogIAAgAAWaH7oaIDogGiA6ICAAIAAaIDogIAAgACAAIAAAAAAAA",
    "W110:T100",
    "R2,W1A2B3C4D",
    "S15,20",
];
const CODES: &[&str] = &[
    "xs4_33",
    "xq4_153",
    "xp3_co9nas0san9oczgoldlo0oldlogz1047210127401",
    "xs28_0g8ka9m88gz122dia521",
    "xp2_7wyz7x7yv7z",
    "yl144_1_16_afb5f3db909e60548f086e22ee3353ac",
    "ov_p30",
];
const MACHINES: &[&str] = &[
    "1RB1LC_1RC1RB_1RD0LE_1LA1LD_1RZ0LA",
    "1RB2LA1RA_1LA---2RB",
    "1RB1LB_1LA1RH",
    "1RB---_0SZ1LA",
    "+[>.<-]",
    "[[+>,.]]",
];

/// An input: a text with some of its bytes changed, doubled, cut out or joined to another's; or random bytes.
fn input(texts: &[&str], draws: &mut Stream) -> Vec<u8> {
    let text = |draws: &mut Stream| texts[draws.below(texts.len() as u64) as usize].as_bytes();
    if draws.chance(0.1) {
        return (0..draws.below(80)).map(|_| draws.below(256) as u8).collect();
    }
    let mut bytes = text(draws).to_vec();
    for _ in 0..draws.below(6) {
        let place = draws.below(bytes.len() as u64 + 1) as usize;
        let end = (place + draws.below(12) as usize).min(bytes.len());
        match draws.below(6) {
            0 if place < bytes.len() => bytes[place] = draws.below(256) as u8,
            1 if place < bytes.len() => bytes[place] ^= 1 << draws.below(8),
            2 => drop(bytes.drain(place..end)),
            3 => {
                let piece = bytes[place..end].repeat(1 + draws.below(20) as usize);
                bytes.splice(place..place, piece);
            }
            4 => {
                let size = draws.below(40);
                let digits = draws.between(0, 1 << size).to_string();
                bytes.splice(place..place, digits.into_bytes());
            }
            _ => {
                let other = text(draws);
                let from = draws.below(other.len() as u64) as usize;
                bytes.splice(place.., other[from..].iter().copied());
            }
        }
    }
    bytes
}

fn run(name: &str, texts: &[&str], number: u64, check: fn(&[u8])) {
    for index in 0..number {
        let bytes = input(texts, &mut stream(&["fuzz", name, &index.to_string()]));
        let caught = std::panic::catch_unwind(|| check(&bytes));
        assert!(caught.is_ok(), "{name} {index}: {:?}", String::from_utf8_lossy(&bytes));
    }
    texts.iter().for_each(|text| check(text.as_bytes()));
    check(&[]);
}

#[test]
fn pattern_files() {
    run("pattern", PATTERNS, 4000, checks::pattern_file);
}

#[test]
fn rulestrings() {
    run("rule", RULES, 20_000, checks::rulestring);
}

#[test]
fn apgcodes() {
    run("code", CODES, 5000, checks::apgcode);
}

#[test]
fn machines() {
    run("machine", MACHINES, 20_000, checks::machine);
}
