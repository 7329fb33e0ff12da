//! Simulators and the census: `cargo bench -p environments`.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use environments::automata::census::soups;
use environments::automata::{Rule, Torus};
use environments::life::{LifeConfig, LifeWorld};
use environments::turing::{Class, Machine, enumerate, run_packed};
use environments::{Draw, Environment, Split, stream};

fn main() {
    divan::main();
}

/// Steps of BB(5)'s champion on a packed tape.
#[divan::bench(sample_count = 10)]
fn turing(bencher: Bencher) {
    let machine: Machine = "1RB1LC_1RC1RB_1RD0LE_1LA1LD_1RZ0LA".parse().expect("a machine");
    bencher.counter(ItemsCount::new(47_176_870usize)).bench_local(|| run_packed(black_box(&machine), u64::MAX));
}

/// Machines of the coding theorem's class of three states.
#[divan::bench(sample_count = 10)]
fn class(bencher: Bencher) {
    bencher.bench_local(|| enumerate(Class::Ctm, 3, 2, 21));
}

/// Cells of a dense torus, 64 generations.
#[divan::bench(args = [256, 2048])]
fn torus(bencher: Bencher, side: usize) {
    let mut torus = Torus::new(&Rule::life(), side, side).expect("a dense torus");
    let mut draws = stream(&["bench", "torus"]);
    for y in 0..side {
        let row: Vec<u64> = (0..side / 64).map(|_| draws.below(1 << 63)).collect();
        torus.set_row(y, &row);
    }
    bencher.counter(ItemsCount::new(side * side * 64)).bench_local(|| torus.advance(64));
}

/// Soups, each run until it is settled and its objects named.
#[divan::bench(sample_count = 5)]
fn census(bencher: Bencher) {
    bencher.counter(ItemsCount::new(2000usize)).bench_local(|| soups(&Rule::life(), "bench", black_box(2000)));
}

/// Training episodes of Life.
#[divan::bench]
fn samples(bencher: Bencher) {
    let world = LifeWorld::new(LifeConfig::default()).expect("the default world");
    let mut next = 0;
    bencher.counter(ItemsCount::new(64usize)).bench_local(|| {
        next += 64;
        (next..next + 64).map(|index| world.sample(Split::Train, index).tokens.len()).sum::<usize>()
    });
}
