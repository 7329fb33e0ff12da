//! Classes counted by the tree against counting machine by machine, and against published counts.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;

use environments::turing::{Class, Enumeration, enumerate, enumerate_reference, traces};

fn check(class: Class, size: (usize, usize), limit: u64) -> Enumeration {
    let counted = enumerate(class, size.0, size.1, limit).unwrap();
    let reference = enumerate_reference(class, size.0, size.1, limit).unwrap();
    assert_eq!(counted, reference, "{} {size:?} in {limit} steps", class.name());
    counted
}

#[test]
fn the_tree_counts_what_brute_force_counts() {
    for class in [Class::Bbchallenge, Class::Rado, Class::Ctm] {
        for limit in [0, 1, 2, 3, 4, 6, 30] {
            check(class, (1, 2), limit);
            check(class, (1, 3), limit);
            check(class, (2, 2), limit);
        }
        check(class, (1, 4), 30);
    }
}

#[test]
fn published_counts() {
    // N. of machines that halt, Radó's convention: wiki.bbchallenge.org, "Number of Halting TMs". For 2 states and 3
    // symbols that page has 20,453,040, which counts machines twice that write a non-blank symbol before they halt: it
    // permutes symbols in a tree that holds every order of them already. 120 · 18⁴ machines halt without (A0 halts, or A0
    // goes to B and writes 0, and B0 halts).
    let rado = |states, symbols, limit| {
        let found = enumerate(Class::Rado, states, symbols, limit).unwrap();
        (found.machines, found.halting, found.max_steps, found.max_ones)
    };
    assert_eq!(rado(2, 2, 6), (20_736, 9_784, 6, 4));
    assert_eq!(rado(3, 2, 21), (16_777_216, 7_571_840, 21, 6));
    assert_eq!(rado(4, 2, 107), (25_600_000_000, 11_140_566_368, 107, 13));
    assert_eq!(rado(2, 3, 38), (34_012_224, 16_525_080, 38, 9));
    assert_eq!(2 * 16_525_080 - 120 * 18u128.pow(4), 20_453_040);
    // OEIS A052200's classes; half of all machines of one state halt at once and the others never do.
    for symbols in 2..=5u32 {
        let all = u128::from(4 * symbols).pow(symbols);
        assert_eq!(rado(1, symbols as usize, 8), (all, all / 2, 1, 1));
    }

    // The coding-theorem method: 6,088, 4,294,368 and 5,970,768,960 runs halt from the two blank symbols together, and
    // leave 22, 128 and 1,832 strings (Delahaye and Zenil, arXiv:1101.4795; Soler-Toscano et al. 2014).
    for (states, limit, machines, runs, strings, ones) in [
        (2, 6, 10_000, 6_088, 22, 4),
        (3, 21, 7_529_536, 4_294_368, 128, 6),
        (4, 107, 11_019_960_576, 5_970_768_960, 1832, 13),
    ] {
        let found = enumerate(Class::Ctm, states, 2, limit).unwrap();
        let sum: u128 = found.outputs.values().sum();
        assert_eq!((found.machines, sum, found.outputs.len()), (machines, runs, strings));
        assert_eq!((2 * found.halting, found.max_steps, found.max_ones), (runs, limit, ones));
    }
    // Their table of D(2), whole: shares of 6,088 to five places, .32852 of 0 and 1 down to .00033.
    let distribution = enumerate(Class::Ctm, 2, 2, 6).unwrap().outputs;
    for (strings, count) in [
        ("0 1", 2000),
        ("00 01 10 11", 508),
        ("001 011 100 110", 6),
        ("000 010 101 111", 4),
        ("0000 0010 0100 0110 1001 1011 1101 1111", 2),
    ] {
        strings.split(' ').for_each(|string| assert_eq!(distribution[string], count, "{string}"));
    }
    // D(3) and D(4): shares of the commonest strings, to three digits.
    for (states, limit, runs, shares) in [
        (3, 21, 4_294_368.0, [("0", 0.250), ("00", 0.101), ("000", 0.0112), ("001", 0.0108), ("010", 0.00997)]),
        (4, 107, 5_970_768_960.0, [("0", 0.205), ("00", 0.102), ("000", 0.0188), ("001", 0.0180), ("010", 0.0171)]),
    ] {
        let distribution = enumerate(Class::Ctm, states, 2, limit).unwrap().outputs;
        for (string, share) in shares {
            let mirrored: String = string.chars().rev().collect();
            let other: String = string.chars().map(|c| if c == '0' { '1' } else { '0' }).collect();
            assert_eq!((distribution[string], distribution[string]), (distribution[&mirrored], distribution[&other]));
            let found = distribution[string] as f64 / runs;
            assert!((found / share - 1.0).abs() < 0.01, "D({states}) of {string}: {found}");
        }
    }

    // Tree normal form: machines, halting and non-halting as in Coq-BB5's results (arXiv:2509.12337), nothing undecided.
    for (states, symbols, limit, machines, halting, nonhalting) in
        [(2, 2, 6, 61, 19, 42), (3, 2, 21, 5_417, 1_772, 3_645), (2, 3, 38, 6_019, 1_816, 4_203)]
    {
        let found = enumerate(Class::Tnf, states, symbols, limit).unwrap();
        assert_eq!((found.machines, found.halting, found.nonhalting), (machines, halting, nonhalting));
        assert_eq!(found.undecided(), 0);
    }
}

/// The larger trees: some seconds and half a minute.
#[test]
fn published_counts_of_large_trees() {
    for (states, symbols, limit, machines, halting, nonhalting) in
        [(4, 2, 107, 858_909, 249_693, 609_216), (2, 4, 3_932_964, 2_154_217, 721_337, 1_432_880)]
    {
        let found = enumerate(Class::Tnf, states, symbols, limit).unwrap();
        assert_eq!((found.machines, found.halting, found.nonhalting), (machines, halting, nonhalting));
        assert_eq!((found.undecided(), found.max_steps), (0, limit));
    }
}

/// The traces of all machines of a size, run one by one.
fn traces_reference(states: usize, symbols: usize, length: usize) -> BTreeMap<Vec<u8>, u128> {
    let entries = states * symbols;
    let mut found = BTreeMap::new();
    for number in 0..(2 * entries).pow(entries as u32) {
        let choice = |entry: usize| number / (2 * entries).pow(entry as u32) % (2 * entries);
        let (mut tape, mut head, mut state, mut trace) = (BTreeMap::new(), 0i64, 0, Vec::new());
        for _ in 0..length {
            let symbol = tape.get(&head).copied().unwrap_or(0);
            let choice = choice(state * symbols + symbol);
            let (write, rest) = (choice % symbols, choice / symbols);
            trace.push(write as u8);
            tape.insert(head, write);
            head += if rest % 2 == 0 { -1 } else { 1 };
            state = rest / 2;
        }
        *found.entry(trace).or_default() += 1;
    }
    found
}

#[test]
fn traces_are_those_of_all_machines() {
    for (states, symbols) in [(1, 2), (2, 2), (1, 3)] {
        for length in [0, 1, 2, 5, 11, 30] {
            let counted = traces(states, symbols, length).unwrap();
            assert_eq!(counted.classes, traces_reference(states, symbols, length), "{states}x{symbols} to {length}");
        }
    }
    // Nothing new comes after 12 steps of a 2-state machine, or after 48 of a 3-state one.
    for (states, length, machines, distinct, bits) in
        [(2, 11, 4_096, 58, 2.71), (2, 12, 4_096, 60, 2.71), (2, 99, 4_096, 60, 2.71), (3, 64, 2_985_984, 5_706, 4.116)]
    {
        let counted = traces(states, 2, length).unwrap();
        assert_eq!((counted.machines, counted.classes.len()), (machines, distinct), "{states} states to {length}");
        assert!((counted.entropy_bits() - bits).abs() < 0.005);
    }
}
