//! The exact Bayes answer against Bayes over every machine of the class, one by one.
#![allow(clippy::unwrap_used, missing_docs)]

use environments::sequence::{SequenceModel, code_lengths};
use environments::turing::{
    ClassBayes, HeadToken, InitialTape, ListBayes, Machine, Move, Transition, head_run, table_filler,
};
use environments::{Draw, Stream, stream};

/// All never-halting machines of a size.
fn class(states: usize, symbols: usize) -> Vec<Machine> {
    let entries = states * symbols;
    let entry = |number: usize| {
        let shift = if number / symbols % 2 == 1 { Move::Right } else { Move::Left };
        Some(Transition { write: (number % symbols) as u8, shift, next: Some((number / symbols / 2) as u8) })
    };
    let table = |number: usize| {
        let digit = |place: usize| number / (2 * entries).pow(place as u32) % (2 * entries);
        (0..entries).map(|place| entry(digit(place))).collect()
    };
    (0..(2 * entries).pow(entries as u32)).map(|number| Machine::new(states, symbols, table(number)).unwrap()).collect()
}

fn run(machine: &Machine, initial: InitialTape, draws: &mut Stream, length: usize) -> Vec<usize> {
    let tape = (initial == InitialTape::Random).then_some(draws);
    head_run(machine, tape, length).iter().map(|step| step.token.index(machine.symbols())).collect()
}

fn agree(machines: &[Machine], states: usize, symbols: usize, runs: usize, length: usize) {
    let mut draws = stream(&["bayes"]);
    for number in 0..runs {
        let initial = if number % 2 == 0 { InitialTape::Random } else { InitialTape::Blank };
        let machine = &machines[draws.below(machines.len() as u64) as usize];
        let tokens = run(machine, initial, &mut draws, length);
        let mut fast = ClassBayes::new(states, symbols, initial).unwrap();
        let mut slow = ListBayes::new(machines.iter().map(|machine| (machine, 1.0)), symbols, initial);
        for token in tokens {
            let (left, right) = (fast.probabilities(), slow.probabilities());
            assert!(left.iter().zip(&right).all(|(left, right)| (left - right).abs() < 1e-8), "{machine}");
            assert!((left.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert!((fast.observe(token) - slow.observe(token)).abs() < 1e-9);
            assert_eq!(fast.consistent(), slow.consistent().len() as u128, "{machine}");
            let in_start = slow.consistent().iter().filter(|(_, state, _)| *state == 0).count();
            if states <= 2 {
                // Names in order of appearance are then the machines' own.
                entries_agree(&fast, &slow, states, symbols);
            }
            assert!((fast.state_posterior()[0] - in_start as f64 / slow.consistent().len() as f64).abs() < 1e-12);
        }
    }
}

/// The posterior of every entry is the share of consistent machines that have it.
fn entries_agree(fast: &ClassBayes, slow: &ListBayes, states: usize, symbols: usize) {
    let mut counted = vec![0.0; (states * symbols) * (2 * states * symbols)];
    for (machine, _, _) in slow.consistent() {
        for (entry, transition) in machine.table().iter().enumerate() {
            let Transition { write, shift, next } = transition.unwrap();
            let act = 2 * usize::from(write) + usize::from(shift == Move::Right);
            let code = act * states + usize::from(next.unwrap());
            counted[entry * 2 * states * symbols + code] += 1.0 / slow.consistent().len() as f64;
        }
    }
    for (place, (chance, counted)) in fast.entries().iter().zip(&counted).enumerate() {
        assert!((chance - counted).abs() < 1e-9, "place {place}: {chance} and {counted}");
    }
}

#[test]
fn class_bayes_is_bayes_over_all_machines() {
    agree(&class(2, 2), 2, 2, 60, 40);
    agree(&class(1, 3), 1, 3, 20, 20);
    agree(&class(3, 2), 3, 2, 1, 24);
}

#[test]
fn references_stand_in_their_order() {
    let mut draws = stream(&["references"]);
    let machines = class(2, 2);
    let mut sums = [0.0; 3];
    for _ in 0..200 {
        let machine = &machines[draws.below(4096) as usize];
        let steps = head_run(machine, Some(&mut draws), 60);
        let tokens: Vec<usize> = steps.iter().map(|step| step.token.index(2)).collect();
        let mut bayes = ClassBayes::new(2, 2, InitialTape::Random).unwrap();
        let mut oracle = ListBayes::new([(machine, 1.0)], 2, InitialTape::Random);
        let bits: [f64; 3] = [
            code_lengths(&mut oracle, &tokens).iter().sum(),
            code_lengths(&mut bayes, &tokens).iter().sum(),
            table_filler(&steps, 2, InitialTape::Random).iter().sum(),
        ];
        // The oracle pays one bit a new cell and nothing else; nobody is told more.
        assert!(bits[0] <= bits[1] + 1e-9 && bits[0] <= bits[2] + 1e-9);
        sums.iter_mut().zip(bits).for_each(|(sum, bits)| *sum += bits);
        // What is determined is true, up to the names of states; with two states there is but one naming.
        let seen_b = steps.iter().any(|step| step.next == 1);
        for (entry, determined) in bayes.determined().into_iter().enumerate() {
            if let (Some(determined), true) = (determined, seen_b) {
                assert_eq!(machine.entry(entry as u8 / 2, entry as u8 % 2), Some(determined));
            }
        }
    }
    // Being told the state is worth more than inferring it.
    assert!(sums[2] < sums[1], "{sums:?}");
}

#[test]
fn tokens_have_numbers() {
    for symbols in 2..5 {
        for index in 0..HeadToken::count(symbols) {
            assert_eq!(HeadToken::of_index(index, symbols).index(symbols), index);
        }
    }
}
