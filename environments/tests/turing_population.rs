//! Draws, strata and splits of machines.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};

use environments::turing::{Condition, Disjoint, Machine, Strata, draw_machine, draw_until, head_run, traces};
use environments::{Split, stream};

fn written(machine: &Machine, length: usize) -> Vec<u8> {
    head_run(machine, None, length).iter().map(|step| step.token.write).collect()
}

#[test]
fn a_stratum_gives_all_its_machines_and_no_others() {
    let strata = Strata::new(2, 2, 16).unwrap();
    let counts = traces(2, 2, 16).unwrap().classes;
    assert!(strata.traces().eq(counts.keys()));
    let mut draws = stream(&["strata"]);
    for (place, trace) in strata.traces().enumerate() {
        let mut drawn: BTreeMap<Machine, u32> = BTreeMap::new();
        let machines = counts[trace].min(32) as u32;
        for _ in 0..40 * machines {
            let machine = strata.draw(place, &mut draws);
            assert_eq!(&written(&machine, 16), trace);
            *drawn.entry(machine).or_default() += 1;
        }
        // Of up to 32 machines each is drawn about 40 times.
        if counts[trace] <= 32 {
            assert_eq!(drawn.len() as u128, counts[trace]);
            assert!(drawn.values().all(|count| (12..80).contains(count)), "{drawn:?}");
        }
    }
    // Rare behaviours of a larger class are as easy to draw.
    let strata = Strata::new(3, 2, 48).unwrap();
    assert_eq!(strata.traces().len(), 5706);
    let machine = strata.draw(5000, &mut draws);
    assert_eq!(Some(&written(&machine, 48)), strata.traces().nth(5000));
}

#[test]
fn conditions_hold_of_what_is_drawn() {
    let mut draws = stream(&["conditions"]);
    for condition in [
        Condition::Any,
        Condition::HaltsWithin(20),
        Condition::RunsFor(50),
        Condition::NeverHalts,
        Condition::VisitsAllStates(30),
        Condition::NonTrivial(60),
    ] {
        let draw = |draws: &mut _| draw_machine(4, 2, true, draws);
        let machine = draw_until(draw, |machine| condition.holds(machine), 10_000, &mut draws).unwrap();
        assert!(condition.holds(&machine));
    }
    let shuttle: Machine = "1RB1RB_1LA1LA".parse().unwrap();
    assert!(!Condition::NonTrivial(60).holds(&shuttle));
}

#[test]
fn splits_share_neither_machines_nor_traces() {
    let mut draws = stream(&["splits"]);
    let shares = [6, 1, 1];
    let mut split_of_trace: BTreeMap<Vec<u8>, Split> = BTreeMap::new();
    let mut split_of_machine: BTreeMap<Machine, Split> = BTreeMap::new();
    let mut splits = BTreeSet::new();
    let mut train = 0;
    for _ in 0..4000 {
        let machine = draw_machine(3, 2, false, &mut draws);
        let split = Disjoint::Trace(40).split(&machine, "a", shares);
        assert_eq!(*split_of_trace.entry(written(&machine, 40)).or_insert(split), split);
        assert_eq!(*split_of_machine.entry(machine.canonical()).or_insert(split), split);
        // Names and mirrors do not matter to either.
        for disjoint in [Disjoint::Machine, Disjoint::Trace(40)] {
            let split = disjoint.split(&machine, "a", shares);
            assert_eq!(split, disjoint.split(&machine.mirrored(), "a", shares));
            assert_eq!(split, disjoint.split(&machine.canonical(), "a", shares));
        }
        let by_machine = Disjoint::Machine.split(&machine, "a", shares);
        splits.insert(by_machine);
        train += u32::from(by_machine == Split::Train);
    }
    assert_eq!(splits.len(), 3);
    assert!((2800..3200).contains(&train), "{train} of 4000");
}
