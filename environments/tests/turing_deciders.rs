//! Proofs against runs, and machines whose nature is known.
#![allow(clippy::unwrap_used, missing_docs)]

use environments::stream;
use environments::turing::deciders::{Decision, Proof, decide};
use environments::turing::{Machine, draw_machine, run_packed};

fn decision(text: &str) -> Decision {
    decide(&text.parse::<Machine>().unwrap())
}

#[test]
fn machines_of_known_nature() {
    assert_eq!(decision("1RB1LB_1LA1RZ"), Decision::Halts(6));
    assert_eq!(decision("1RB1LB_1LA0LC_1RZ1LD_1RD0RA"), Decision::Halts(107));
    // To and fro between two cells; off to the right; off to the right over what it wrote.
    assert_eq!(decision("1RB1RB_1LA1LA"), Decision::Forever(Proof::Cycle));
    assert_eq!(decision("1RB---_1RA---"), Decision::Forever(Proof::TranslatedCycle));
    assert_eq!(decision("1RB1RB_1LC---_---1RA"), Decision::Forever(Proof::TranslatedCycle));
    // Sweeps over an ever longer run of ones: no loop.
    assert_eq!(decision("1RB1LA_1LA1RB"), Decision::Forever(Proof::ClosedSet));
    // The champion runs for longer than any rung looks, and is not taken for endless.
    assert_eq!(decision("1RB1LC_1RC1RB_1RD0LE_1LA1LD_1RZ0LA"), Decision::Undecided);
    assert_eq!(decision("1RB2LA1RA1RA_1LB1LA3RB1RZ"), Decision::Undecided);
}

#[test]
fn no_proof_is_contradicted_by_a_run() {
    let mut draws = stream(&["deciders"]);
    let mut proved = std::collections::BTreeMap::new();
    for (states, symbols) in [(3, 2), (5, 2), (3, 3), (2, 4)] {
        for _ in 0..1500 {
            let machine = draw_machine(states, symbols, true, &mut draws);
            match decide(&machine) {
                Decision::Halts(steps) => {
                    let run = run_packed(&machine, 1 << 20);
                    assert_eq!((run.halted(), run.steps), (true, u128::from(steps)), "{machine}");
                }
                Decision::Forever(proof) => {
                    *proved.entry(proof).or_insert(0) += 1;
                    assert!(!run_packed(&machine, 1 << 16).halted(), "{machine} by {proof:?}");
                }
                Decision::Undecided => {}
            }
        }
    }
    assert!(proved.len() >= 3, "{proved:?}");
}
