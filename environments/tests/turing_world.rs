//! The world `turing`: pure episodes, disjoint splits, nested pools, labels and counterfactuals against slow references.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use environments::sequence::{SequenceModel, code_lengths};
use environments::turing::{
    ClassBayes, HELD_BACK, HeadStep, InitialTape, ListBayes, Machine, Move, Sampling, Tape, Transition, TuringConfig,
    TuringWorld,
};
use environments::{Edit, Environment, Scene, Split};
use rayon::prelude::*;

fn world(config: TuringConfig) -> TuringWorld {
    TuringWorld::new(config).unwrap()
}

fn small() -> TuringConfig {
    TuringConfig { length: 24, ..TuringConfig::default() }
}

#[test]
fn an_episode_is_the_same_in_any_order_and_at_any_thread_count() {
    let world = world(small());
    let one: Vec<_> = (0..200).map(|index| world.episode(Split::Train, index)).collect();
    let other = TuringWorld::new(small()).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let mut many: Vec<_> = pool
        .install(|| (0..200u32).into_par_iter().rev().map(|index| other.episode(Split::Train, index.into())).collect());
    many.reverse();
    assert_eq!(one, many);
    assert!(one.iter().enumerate().all(|(index, episode)| episode.sample == world.sample(Split::Train, index as u64)));
}

#[test]
fn tokens_are_the_steps_of_a_plain_simulation() {
    let world = world(small());
    for index in 0..50 {
        let observed = world.observe(Split::Train, index);
        let sample = world.sample(Split::Train, index);
        assert_eq!(sample.tokens[0], observed.first);
        assert_eq!(sample.tokens[1..], sample.targets[..sample.targets.len() - 1]);
        // A tape as a map, read off the targets and written by the table.
        let mut tape = std::collections::BTreeMap::new();
        let (mut head, mut state) = (0i64, 0u8);
        for (step, &target) in observed.steps.iter().zip(&sample.targets) {
            let read = *tape.entry(head).or_insert(step.token.read);
            let entry = observed.machine.entry(state, read).unwrap();
            let right = u16::from(entry.shift == Move::Right);
            assert_eq!(target, 2 * (u16::from(read) * 2 + u16::from(entry.write)) + right);
            assert_eq!((step.state, step.position), (state, head));
            tape.insert(head, entry.write);
            head += entry.shift.offset();
            state = entry.next.unwrap();
        }
    }
}

#[test]
fn splits_share_no_machine_up_to_names_and_mirror() {
    let world = world(small());
    let of = |split| -> BTreeSet<Machine> { (0..400).map(|index| world.machine(split, index).canonical()).collect() };
    let (train, validation, test) = (of(Split::Train), of(Split::Validation), of(Split::Test));
    assert!(train.is_disjoint(&validation) && train.is_disjoint(&test) && validation.is_disjoint(&test));
    // All 4,096 tables are in one split each, about a quarter of them held out.
    let counts: Vec<usize> = Split::ALL.map(|split| world.listed(split).unwrap().len()).to_vec();
    assert_eq!(counts.iter().sum::<usize>(), 4096);
    assert!((2800..3350).contains(&counts[0]), "{counts:?}");
}

#[test]
fn pools_are_nested_and_training_stays_within_them() {
    let pool = |machines: usize, states: usize, sampling: Sampling| {
        world(TuringConfig { machines: Some(machines), states, sampling, ..small() }).pool().unwrap().to_vec()
    };
    for (states, sampling) in
        [(2, Sampling::Uniform), (3, Sampling::Uniform), (4, Sampling::Uniform), (2, Sampling::Stratified)]
    {
        let (few, many) = (pool(4, states, sampling), pool(16, states, sampling));
        assert_eq!(few, many[..4]);
        assert_eq!(many.iter().collect::<BTreeSet<_>>().len(), 16);
    }
    let world = world(TuringConfig { machines: Some(4), ..small() });
    let pool: BTreeSet<_> = world.pool().unwrap().iter().cloned().collect();
    let met: BTreeSet<_> = (0..100).map(|index| world.machine(Split::Train, index)).collect();
    assert_eq!(met, pool);
    let seen: BTreeSet<_> = (0..100).map(|index| world.machine(Split::Train, HELD_BACK + index)).collect();
    assert_eq!(seen, pool);
    assert!((0..100).all(|index| !pool.contains(&world.machine(Split::Test, index))));
}

#[test]
fn a_counterfactual_is_a_fresh_run_on_the_same_tape() {
    let world = world(small());
    let mut forks = 0;
    for index in 0..60 {
        let observed = world.observe(Split::Test, index);
        let edit = Edit::Rewrite { state: 1, symbol: 1, transition: "0LA".into() };
        let episode = world.counterfactual(&observed.address, std::slice::from_ref(&edit)).unwrap();
        let mut table = observed.machine.table().to_vec();
        table[3] = Some(Transition { write: 0, shift: Move::Left, next: Some(0) });
        let fresh = world.under(&observed, Machine::new(2, 2, table).unwrap());
        assert_eq!(episode.sample, world.sample_of(&fresh));
        assert_eq!(episode.edits, [edit]);
        // Until the entry is first used nothing can differ.
        let first = observed.steps.iter().position(|step| (step.state, step.token.read) == (1, 1)).unwrap_or(24);
        assert_eq!(observed.steps[..first], fresh.steps[..first]);
        // A cell held the same at first, whichever machine comes to it and when.
        let firsts = |steps: &[HeadStep]| {
            let mut cells = std::collections::BTreeMap::new();
            for step in steps {
                cells.entry(step.position).or_insert(step.token.read);
            }
            cells
        };
        let (a, b) = (firsts(&observed.steps), firsts(&fresh.steps));
        assert!(a.iter().all(|(position, cell)| b.get(position).is_none_or(|other| other == cell)));
        forks += usize::from(observed.steps != fresh.steps);
    }
    assert!(forks > 20, "{forks}");
    let address = world.observe(Split::Test, 0).address;
    let refused = |edit: Edit| world.counterfactual(&address, &[edit]).unwrap_err().to_string();
    assert!(refused(Edit::Rewrite { state: 2, symbol: 0, transition: "0LA".into() }).contains("state = 2"));
    assert!(refused(Edit::Rewrite { state: 1, symbol: 0, transition: "0LC".into() }).contains("0LC"));
    assert!(refused(Edit::Delete { object: 0 }).contains("rewrite"));
}

#[test]
fn labels_agree_with_bayes_by_brute_force() {
    let world = world(TuringConfig { length: 14, ..small() });
    let all: Vec<Machine> = Split::ALL.iter().flat_map(|&split| world.listed(split).unwrap()).collect();
    assert_eq!(all.len(), 4096);
    for index in 0..12 {
        let observed = world.observe(Split::Test, index);
        let episode = world.episode_of(&observed);
        let numbers = world.numbers(&observed);
        let column = |name: &str| &episode.labels.get(name).unwrap().values;
        for position in 0..14 {
            // Every table, run on what the observer saw: those that fit, and what they agree on.
            let fitting: Vec<&Machine> = all.iter().filter(|machine| fits(machine, &observed, position)).collect();
            for (place, name) in ["A0", "A1", "B0", "B1"].into_iter().enumerate() {
                // B has that name only once it was met.
                let met = place < 2 || observed.steps[..position].iter().any(|step| step.next == 1);
                let shared = met && fitting.iter().all(|machine| machine.table()[place] == fitting[0].table()[place]);
                let said = column(&format!("determined {name}"))[position] == Some(1);
                assert_eq!(said, shared, "episode {index}, position {position}, entry {name}");
            }
            assert_eq!(column("state")[position], Some(u32::from(observed.steps[position].state)));
        }
        // The exact answer over the class is that over its list.
        let mut class = ClassBayes::new(2, 2, InitialTape::Random).unwrap();
        let mut list = ListBayes::new(all.iter().map(|machine| (machine, 1.0)), 2, InitialTape::Random);
        let (a, b) = (code_lengths(&mut class, &numbers), code_lengths(&mut list, &numbers));
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-9));
        assert!((list.probabilities().iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }
}

/// Whether a machine would have made the first steps of a run, on the symbols that were read.
fn fits(machine: &Machine, observed: &environments::turing::TuringEpisode, steps: usize) -> bool {
    let mut state = 0;
    observed.steps[..steps].iter().all(|step| {
        let entry = machine.entry(state, step.token.read).unwrap();
        state = entry.next.unwrap();
        entry.write == step.token.write && entry.shift == step.token.shift
    })
}

#[test]
fn the_scene_is_the_tape_through_time() {
    let world = world(small());
    let observed = world.observe(Split::Validation, 3);
    let Scene::Tape { origin, rows, machine, .. } = world.episode_of(&observed).scene else { panic!("not a tape") };
    assert_eq!(machine, observed.machine.to_string());
    assert_eq!(rows.len(), 24);
    for (row, step) in rows.iter().zip(&observed.steps) {
        assert_eq!(i64::from(row.head) + origin, step.position);
        assert_eq!((row.cells[row.head as usize], row.state), (step.token.read, step.state));
    }
}

#[test]
fn a_blank_tape_is_blank_and_bad_configs_are_refused_in_a_sentence() {
    let blank = world(TuringConfig { initial: Tape::Blank, ..small() });
    assert!((0..20).all(|index| blank.observe(Split::Train, index).steps[0].token.read == 0));
    let refused = |config: TuringConfig| TuringWorld::new(config).unwrap_err().to_string();
    assert!(refused(TuringConfig { states: 0, ..small() }).contains("states = 0"));
    assert!(refused(TuringConfig { machines: Some(4000), ..small() }).contains("machines = 4000"));
    assert!(refused(TuringConfig { only: vec!["1RB1RZ_1LA1RB".into()], ..small() }).contains("can halt"));
    assert!(refused(TuringConfig { only: vec!["1RB".into()], ..small() }).contains("only: "));
    assert!(refused(TuringConfig { shares: [1, 0, 1], ..small() }).contains("shares"));
}
