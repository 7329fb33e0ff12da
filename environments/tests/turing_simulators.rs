//! Every simulator against the obvious one and against published champions.
#![allow(clippy::unwrap_used, missing_docs)]

use environments::turing::{Machine, Move, Outcome, Transition, run, run_accelerated, run_packed, run_reference};
use proptest::prelude::*;

fn machine(text: &str) -> Machine {
    text.parse().unwrap()
}

/// (machine, steps, ones): champions as on bbchallenge.org's wiki and P. Michel's pages.
const CHAMPIONS: [(&str, u64, u128); 7] = [
    ("1RB1LB_1LA1RZ", 6, 4),
    ("1RB1RZ_1LB0RC_1LC1LA", 21, 5),
    ("1RB1RZ_0RC1RB_1LC1LA", 14, 6),
    ("1RB1LB_1LA0LC_1RZ1LD_1RD0RA", 107, 13),
    ("1RB2LB1RZ_2LA2RB1LB", 38, 9),
    ("1RB2LA1RA1RA_1LB1LA3RB1RZ", 3_932_964, 2050),
    ("1RB1LC_1RC1RB_1RD0LE_1LA1LD_1RZ0LA", 47_176_870, 4098),
];

#[test]
fn champions_halt_where_they_are_known_to() {
    for (text, steps, ones) in CHAMPIONS {
        let run = run_packed(&machine(text), u64::MAX);
        assert_eq!((run.outcome, run.steps, run.ones), (Outcome::Halted, u128::from(steps), ones), "{text}");
        if steps < 1000 {
            assert!(same(&run, &run_reference(&machine(text), u64::MAX)));
        }
    }
}

/// More than 10^17 steps, counted exactly: the 3-state 3-symbol champion (T. and S. Ligocki, 2007), at every block
/// length, and champions small enough to be run plainly.
#[test]
fn accelerated_counts_exactly() {
    for length in 1..=6 {
        let champion = machine("0RB2LA1RA_1LA2RB1RC_1RZ1LB1LC");
        let run = run_accelerated(&champion, None, length, 1 << 20).unwrap();
        assert_eq!((run.outcome, run.steps, run.ones), (Outcome::Halted, 119_112_334_170_342_541, 374_676_383));
        for (text, steps, ones) in CHAMPIONS {
            let run = run_accelerated(&machine(text), None, length, 1 << 20).unwrap();
            assert_eq!((run.outcome, run.steps, run.ones), (Outcome::Halted, u128::from(steps), ones), "{text}");
            // One step short of the halt.
            let run = run_accelerated(&machine(text), Some(u128::from(steps) - 1), length, 1 << 20).unwrap();
            assert!(same(&run, &run_packed(&machine(text), steps - 1)), "{text}");
        }
    }
    // An earlier record of 6 states: H. Marxen and J. Buntrock, 1997.
    let six = run(&machine("1RB1RA_1LC1LB_0RF1LD_1RA0LE_1RZ1LF_0LA0LC"), None);
    assert_eq!((six.outcome, six.steps, six.ones), (Outcome::Halted, 8_690_333_381_690_951, 95_524_079));
    let short = run(&machine("0RB2LA1RA_1LA2RB1RC_1RZ1LB1LC"), Some(119_112_334_170_342_540));
    assert_eq!((short.outcome, short.steps), (Outcome::Limit, 119_112_334_170_342_540));
    // A run into the blank is proved endless.
    assert_eq!(run(&machine("1RB---_1RA---"), None).outcome, Outcome::Forever);
    let endless = run(&machine("1RB---_1RA---"), Some(1_000_000_000_000));
    assert_eq!(
        (endless.steps, endless.ones, endless.span()),
        (1_000_000_000_000, 1_000_000_000_000, 1_000_000_000_001)
    );
}

#[test]
fn what_a_run_leaves() {
    let run = run_packed(&machine("1RB1LB_1LA1RZ"), 100);
    assert_eq!(run.cells(100).unwrap(), "1111");
    assert_eq!(run.runs(9), ("1^4".into(), false));
    // A halt after one step: one cell visited.
    let run = run_packed(&machine("1RZ---_------"), 100);
    assert_eq!((run.outcome, run.steps, run.cells(9).unwrap()), (Outcome::Halted, 1, "1".into()));
    // An undefined entry counts as a step and writes nothing.
    let run = run_packed(&machine("---1RB_------"), 100);
    assert_eq!((run.outcome, run.steps, run.cells(9).unwrap()), (Outcome::Halted, 1, "0".into()));
    // A machine that never leaves a block is proved not to halt, and its tape is the one at the limit.
    let run = run_packed(&machine("1RB0RB_1LA0LA"), 1 << 60);
    assert_eq!((run.outcome, run.steps), (Outcome::Forever, 1 << 60));
}

fn machines(states: usize, symbols: usize) -> impl Strategy<Value = Machine> {
    let entry = (0..symbols as u8, any::<bool>(), 0..2 * states as u8).prop_map(move |(write, left, next)| {
        let shift = if left { Move::Left } else { Move::Right };
        let next = usize::from(next);
        // One entry in eight halts, and one of them is undefined.
        (next + 1 < 2 * states || write > 0).then(|| Transition {
            write,
            shift,
            next: (next + 1 < 2 * states).then(|| (next % states) as u8),
        })
    });
    proptest::collection::vec(entry, states * symbols)
        .prop_map(move |table| Machine::new(states, symbols, table).unwrap())
}

fn any_machine() -> impl Strategy<Value = Machine> {
    prop_oneof![machines(2, 2), machines(3, 2), machines(5, 2), machines(3, 3), machines(2, 4), machines(2, 7)]
}

/// Equal but for a proof, which only the faster simulator gives.
fn same(fast: &environments::turing::Run, slow: &environments::turing::Run) -> bool {
    let outcome = fast.outcome == slow.outcome || (fast.outcome, slow.outcome) == (Outcome::Forever, Outcome::Limit);
    let cells = |run: &environments::turing::Run| run.cells(usize::MAX);
    outcome && fast.steps == slow.steps && fast.ones == slow.ones && cells(fast) == cells(slow)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn packed_is_the_reference(machine in any_machine(), limit in 0u64..3000) {
        let (fast, slow) = (run_packed(&machine, limit), run_reference(&machine, limit));
        prop_assert!(same(&fast, &slow), "{machine} at {limit}: {fast:?} is not {slow:?}");
    }

    #[test]
    fn accelerated_is_packed(machine in any_machine(), limit in 0u64..200_000, length in 1usize..7) {
        let slow = run_packed(&machine, limit);
        if let Some(fast) = run_accelerated(&machine, Some(u128::from(limit)), length, 1 << 14) {
            // Either may have the proof.
            let outcome = |run: &environments::turing::Run| run.outcome == Outcome::Halted;
            let cells = |run: &environments::turing::Run| run.cells(usize::MAX);
            prop_assert!(
                outcome(&fast) == outcome(&slow) && fast.steps == slow.steps && fast.ones == slow.ones
                    && cells(&fast) == cells(&slow),
                "{machine} at {limit} by {length}: {} is not {}", fast.runs(99).0,
                slow.runs(99).0
            );
        }
        // A machine said to run for ever was not seen to halt, and its tape is that of its step.
        if let Some(proved) = run_accelerated(&machine, None, length, 1 << 10)
            && proved.outcome == Outcome::Forever
        {
            prop_assert!(!slow.halted(), "{machine} by {length}");
            if proved.steps < 100_000 {
                let there = run_packed(&machine, proved.steps as u64);
                prop_assert_eq!(there.cells(usize::MAX), proved.cells(usize::MAX), "{} by {}", machine, length);
            }
        }
    }
}
