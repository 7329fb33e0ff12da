//! The world of halting questions: verdicts against brute force, nothing trivial, splits, counterfactuals.
#![allow(clippy::unwrap_used, missing_docs)]

use environments::turing::deciders::Decision;
use environments::turing::{HaltingConfig, HaltingWorld, Machine, run_reference};
use environments::{Edit, Environment, Split, UNSCORED};

fn world(config: HaltingConfig) -> HaltingWorld {
    HaltingWorld::new(config).unwrap()
}

#[test]
fn verdicts_are_those_of_the_busy_beaver() {
    // No 3-state 2-symbol machine halts after more than 21 steps (Radó and Lin 1965), and no 2-state 3-symbol one after
    // more than 38 (Lafitte and Papazian 2007).
    for (states, symbols, most) in [(3, 2, 21), (2, 3, 38)] {
        let world = world(HaltingConfig { states, symbols, ..HaltingConfig::default() });
        let mut halting = 0;
        for index in 0..1500 {
            let observed = world.observe(Split::ALL[index as usize % 3], index);
            let run = run_reference(&observed.machine, most);
            match observed.decision {
                Decision::Halts(steps) => {
                    halting += 1;
                    assert!(run.halted() && run.steps == u128::from(steps) && steps > 4, "{}", observed.machine);
                }
                Decision::Forever(_) => assert!(!run.halted(), "{}", observed.machine),
                Decision::Undecided => panic!("{}: the class is decided", observed.machine),
            }
            let entries = observed.machine.table();
            assert!(entries.iter().flatten().any(|entry| entry.next.is_none()), "{}", observed.machine);
            assert_eq!(observed.undecided, 0);
        }
        assert!((650..850).contains(&halting), "{halting}");
    }
}

#[test]
fn the_text_and_the_prefix_are_what_is_seen() {
    let world = world(HaltingConfig { prefix: 3, ..HaltingConfig::default() });
    assert_eq!((world.vocabulary(), world.targets(), world.geometry().len()), (2 + 3 + 3 + 8 + 1, 2, 1 + 18 + 3));
    for index in 0..50 {
        let observed = world.observe(Split::Train, index);
        let sample = world.sample(Split::Train, index);
        assert_eq!(sample, world.episode(Split::Train, index).sample);
        assert!(sample.tokens.iter().all(|&token| usize::from(token) < world.vocabulary()));
        let (last, others) = sample.targets.split_last().unwrap();
        assert!(others.iter().all(|&target| target == UNSCORED));
        assert_eq!(*last == 1, matches!(observed.decision, Decision::Halts(_)));
        // The text read back is the machine's.
        let letters: Vec<char> = "01LRABCZ".chars().collect();
        let text: String = sample.tokens[1..19].iter().map(|&token| letters[usize::from(token)]).collect();
        let shown = observed.machine.to_string().replace('_', "");
        assert_eq!(text, shown);
    }
}

#[test]
fn splits_share_no_machine_and_edits_are_decided_afresh() {
    let world = world(HaltingConfig::default());
    let all = |split| -> std::collections::BTreeSet<String> {
        (0..400).map(|index| world.observe(split, index).machine.canonical().to_string()).collect()
    };
    let [train, validation, test] = Split::ALL.map(all);
    assert!(train.is_disjoint(&validation) && train.is_disjoint(&test) && validation.is_disjoint(&test));
    let mut turned = 0;
    for index in 0..100 {
        let observed = world.observe(Split::Test, index);
        let edit = Edit::Rewrite { state: 0, symbol: 0, transition: "1RZ".into() };
        let edited = world.counterfactual(&observed.address, &[edit]).unwrap();
        // A halt at the first step.
        assert_eq!(edited.labels.get("steps").unwrap().values, [Some(1)]);
        turned += usize::from(!matches!(observed.decision, Decision::Halts(_)));
    }
    assert!(turned > 20);
    let address = world.observe(Split::Test, 0).address;
    let wrong = Edit::Rewrite { state: 0, symbol: 0, transition: "1RQ".into() };
    assert!(world.counterfactual(&address, &[wrong]).unwrap_err().to_string().contains("(Z halts)"));
    let deep = HaltingConfig { prefix: 9, ..HaltingConfig::default() };
    assert!(HaltingWorld::new(deep).unwrap_err().to_string().contains("prefix = 9 is outside 0 to 4"));
    let small = HaltingConfig { states: 1, ..HaltingConfig::default() };
    assert!(HaltingWorld::new(small).unwrap_err().to_string().starts_with("after = 4: no machine of this class"));
    let champion: Machine = "1RB1RZ_1LB0RC_1LC1LA".parse().unwrap();
    assert_eq!(environments::turing::deciders::decide(&champion), Decision::Halts(21));
}
