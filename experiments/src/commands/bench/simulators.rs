//! Simulators.

use std::hint::black_box;
use std::time::Instant;

use environments::automata::Rule;
use environments::automata::census::soups;
use environments::life::{LifeConfig, LifeWorld};
use environments::turing::universal::{Limits, Program};
use environments::turing::{Class, Machine, draw_machine, enumerate, run_packed};
use environments::{Split, stream};
use rayon::prelude::*;

use super::{BenchArgs, Row, rate};

pub fn turing(_: &BenchArgs) -> anyhow::Result<Vec<Row>> {
    let five: Machine = "1RB1LC_1RC1RB_1RD0LE_1LA1LD_1RZ0LA".parse()?;
    let plain = rate(|| run_packed(&five, u64::MAX).steps as f64);
    let three: Machine = "0RB2LA1RA_1LA2RB1RC_1RZ1LB1LC".parse()?;
    let accelerated = rate(|| environments::turing::run(&three, None).steps as f64);
    let machines: Vec<Machine> = {
        let mut draws = stream(&["bench", "machines"]);
        (0..4096).map(|_| draw_machine(4, 2, true, &mut draws)).collect()
    };
    let batch = rate(|| machines.par_iter().map(|machine| run_packed(machine, 1000).steps as f64).sum());
    let start = Instant::now();
    let counted = enumerate(Class::Ctm, 4, 2, 107)?;
    let seconds = start.elapsed().as_secs_f64();
    let row =
        |what: &str, figure, unit, against: &str| Row { what: what.into(), figure, unit, against: against.into() };
    Ok(vec![
        row("BB(5) champion, packed tape, one thread", plain, "steps/s", "a table-driven C loop: 313 to 324 M"),
        row(
            "BB(3,3) champion, accelerated, one thread",
            accelerated,
            "steps/s",
            "counted exactly, not made one by one",
        ),
        row("random 4×2 machines, 1000 steps at most", batch, "steps/s", "all threads; set-up of each counted in"),
        row(
            "4×2 coding-theorem class, 107 steps",
            counted.machines as f64 / seconds,
            "machines/s",
            &format!("{seconds:.2} s for all"),
        ),
    ])
}

pub fn universal(_: &BenchArgs) -> anyhow::Result<Vec<Row>> {
    let limits = Limits { steps: 4096, cells: 256, output: 256, alphabet: 17 };
    let mut draws = stream(&["bench", "programs"]);
    let programs: Vec<Program> = (0..4096).map(|_| Program::sample(&mut draws, 32, 256)).collect();
    let figure = rate(|| {
        programs.iter().for_each(|program| drop(black_box(program.run(limits))));
        programs.len() as f64
    });
    Ok(vec![Row {
        what: "random programs, 4096 steps, 256 symbols at most".into(),
        figure,
        unit: "programs/s",
        against: "one thread; a published Python sampler: 4.6 k".into(),
    }])
}

pub fn life(_: &BenchArgs) -> anyhow::Result<Vec<Row>> {
    let mut rows = torus()?;
    for (side, what) in
        [(1024u32, "world of Life, torus 1024×1024, one thread"), (16, "world of Life, torus 16×16, one thread")]
    {
        let mix = environments::life::Mix { scenes: 0.0, ash: 0.0, soups: 1.0 };
        let soups = environments::life::Soups { density: [0.35, 0.35] };
        let world = LifeWorld::new(LifeConfig { width: side, height: side, mix, soups, ..LifeConfig::default() })?;
        let board = world.start(Split::Train, 0).board;
        let steps = (1 << 24) / (side * side);
        let figure = rate(|| {
            black_box(world.stepper().run(&board, steps));
            f64::from(steps) * f64::from(side) * f64::from(side)
        });
        rows.push(Row { what: what.into(), figure, unit: "cells/s", against: "as the experiments step it".into() });
    }
    Ok(rows)
}

/// Cell updates a second on dense tori: one whose cells fit a core's cache, one that has to come from memory.
fn torus() -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (side, what) in [
        (2048usize, "dense random torus 2048×2048, in cache, one thread"),
        (16384, "dense random torus 16384×16384, one thread"),
    ] {
        let torus = environments::automata::Torus::new(&Rule::life(), side, side);
        let mut torus = torus.ok_or_else(|| anyhow::anyhow!("no dense torus of side {side}"))?;
        let mut draws = stream(&["bench", "torus"]);
        for y in 0..side {
            let row: Vec<u64> = (0..side / 64).map(|_| random_cells(&mut draws)).collect();
            torus.set_row(y, &row);
        }
        let generations = if side > 4096 { 16 } else { 256 };
        let figure = rate(|| {
            torus.advance(generations);
            (side * side) as f64 * generations as f64
        });
        black_box(torus.population());
        rows.push(Row { what: what.into(), figure, unit: "cells/s", against: "wanted: 30 G on a large torus".into() });
    }
    Ok(rows)
}

/// 64 cells, each live with probability 3/8.
fn random_cells(draws: &mut environments::Stream) -> u64 {
    use environments::Draw;
    let mut word = || draws.below(1 << 32) << 32 | draws.below(1 << 32);
    word() & (word() | word())
}

pub fn census(_: &BenchArgs) -> anyhow::Result<Vec<Row>> {
    let start = Instant::now();
    // So many that the objects met for the first time, which take longer, are the few that they are in a long run.
    let count = 30_000;
    soups(&Rule::life(), "bench", count)?;
    let threads = rayon::current_num_threads() as f64;
    Ok(vec![Row {
        what: "16×16 soups, run until settled and classified".into(),
        figure: count as f64 / start.elapsed().as_secs_f64() / threads,
        unit: "soups/s a thread",
        against: "apgsearch, built for AVX-512: 9.93 k".into(),
    }])
}
