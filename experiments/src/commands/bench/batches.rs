//! Training batches of every kind of world, beside what training eats of them.

use std::hint::black_box;

use environments::elementary::{ElementaryConfig, ElementaryWorld};
use environments::life::{LifeConfig, LifeWorld};
use environments::sources::{Kind, SourcesConfig, SourcesWorld, Task};
use environments::turing::universal::{UniversalConfig, UniversalWorld};
use environments::turing::{HaltingConfig, HaltingWorld, TuringConfig, TuringWorld, View};
use environments::{Environment, Split};
use rayon::prelude::*;

use super::training::train;
use super::{BenchArgs, Row, rate, short};

/// Tokens a second of each world, all threads, beside those that training a model of the usual size for it eats.
pub fn samples(args: &BenchArgs) -> anyhow::Result<Vec<Row>> {
    let mixed = TuringConfig {
        states: 3,
        sizes: vec![[2, 2], [3, 2]],
        view: View::Tape,
        window: 3,
        halting: true,
        length: 48,
        ..TuringConfig::default()
    };
    let programs = UniversalConfig { programs: 2, ..UniversalConfig::default() };
    let task = SourcesConfig { kind: Kind::Task, task: Task::ModularArithmeticBrackets, ..SourcesConfig::default() };
    let worlds: [(&'static str, Box<dyn Environment>); 8] = [
        ("batches of Life, 16×16, all sources", Box::new(LifeWorld::new(LifeConfig::default())?)),
        ("batches of 2×2 machines, head", Box::new(TuringWorld::new(TuringConfig::default())?)),
        ("batches of 2×2 and 3×2 machines, tape", Box::new(TuringWorld::new(mixed)?)),
        (
            "batches of halting questions, 4×2",
            Box::new(HaltingWorld::new(HaltingConfig { states: 4, ..HaltingConfig::default() })?),
        ),
        ("batches of two programs in dovetail", Box::new(UniversalWorld::new(programs)?)),
        ("batches of tree sources", Box::new(SourcesWorld::new(SourcesConfig::default())?)),
        ("batches of a task (arithmetic)", Box::new(SourcesWorld::new(task)?)),
        ("batches of elementary rules", Box::new(ElementaryWorld::new(ElementaryConfig::default())?)),
    ];
    let mut rows = Vec::new();
    for (place, (what, world)) in worlds.into_iter().enumerate() {
        let tokens = world.geometry().len();
        // Life has the model of the usual arguments; the others have the smaller one of their configs.
        let of_life = place == 0;
        let (width, heads) = if of_life { (args.width, args.heads) } else { (64, 4) };
        let context = (!of_life).then_some(tokens);
        let eats =
            train(&BenchArgs { name: None, layers: 3, width, heads, context, ..args.clone() })?.tokens_per_second;
        let mut next = 0;
        let figure = rate(|| {
            (next..next + 1024).into_par_iter().for_each(|index| drop(black_box(world.sample(Split::Train, index))));
            next += 1024;
            1024.0 * tokens as f64
        });
        let against = format!("{:.0} times what training eats ({})", figure / eats, short(eats));
        rows.push(Row { what: what.into(), figure, unit: "tokens/s", against });
    }
    Ok(rows)
}
