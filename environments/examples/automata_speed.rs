//! Cell updates a second on dense tori, and soups a second: `cargo run --release -p environments --example
//! automata_speed [torus | census [COUNT [RULE]]]`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::time::Instant;

use environments::automata::census::soups;
use environments::automata::{Rule, Torus};

fn main() {
    let what = std::env::args().nth(1);
    let wanted = |name: &str| what.as_deref().is_none_or(|what| what == name);
    if wanted("torus") {
        for text in ["B3/S23", "B36/S23"] {
            for side in [256, 512, 1024, 1536, 2048, 4096, 16384] {
                torus(text, side);
            }
        }
    }
    if wanted("census") {
        let count = std::env::args().nth(2).and_then(|count| count.parse().ok()).unwrap_or(4000u64);
        let Ok(rule) = Rule::parse(&std::env::args().nth(3).unwrap_or("B3/S23".into())) else { return };
        let start = Instant::now();
        let Ok(tally) = soups(&rule, "speed", count) else { return };
        let seconds = start.elapsed().as_secs_f64() * rayon::current_num_threads() as f64;
        tally.iter().for_each(|(code, number)| println!("{code} {number}"));
        eprintln!("{} kinds, {:.0} soups a second and thread", tally.len(), count as f64 / seconds);
    }
}

fn torus(text: &str, side: usize) {
    let Some(mut torus) = Rule::parse(text).ok().and_then(|rule| Torus::new(&rule, side, side)) else { return };
    let mut state = 1u64;
    for y in 0..side {
        let mut word = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state ^ state >> 29
        };
        let row: Vec<u64> = (0..side / 64).map(|_| word() & word().rotate_left(17)).collect();
        torus.set_row(y, &row);
    }
    let generations = (1u64 << 33) / (side * side) as u64 / 8 * 8;
    torus.advance(8);
    let best = (0..3).map(|_| {
        let start = Instant::now();
        torus.advance(generations);
        start.elapsed().as_secs_f64()
    });
    let best = best.fold(f64::INFINITY, f64::min);
    let rate = (side * side) as f64 * generations as f64 / best;
    println!("{text} {side}²: {rate:.3e} cells/s, {} live", torus.population());
}
