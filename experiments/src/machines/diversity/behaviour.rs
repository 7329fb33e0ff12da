//! What the machines of a pool do. Tables are many; behaviours are fewer, since names of states, states that are never reached
//! and states that do alike make no difference.

use std::collections::BTreeSet;

use environments::Split;
use environments::turing::{Machine, Move, TuringWorld, head_run};
use serde::{Deserialize, Serialize};

/// What a pool holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Behaviours {
    /// Training machines that were asked for; 0 stands for all.
    pub diversity: usize,
    /// Tables.
    pub machines: usize,
    /// Machines that differ as automata: reads in, writes and moves out, states told apart by nothing else.
    pub behaviours: usize,
    /// Different sequences of symbols written from a blank tape, as long as an episode.
    pub traces: usize,
}

impl Behaviours {
    /// Those of a world's training machines.
    pub fn of(world: &TuringWorld, diversity: usize) -> Self {
        let pool = world.pool().map(<[Machine]>::to_vec).or_else(|| world.listed(Split::Train)).unwrap_or_default();
        let length = world.config().length;
        let written = |machine: &Machine| -> Vec<u8> {
            head_run(machine, None, length).iter().map(|step| step.token.write).collect()
        };
        Self {
            diversity,
            machines: pool.len(),
            behaviours: pool.iter().map(behaviour).collect::<BTreeSet<_>>().len(),
            traces: pool.iter().map(written).collect::<BTreeSet<_>>().len(),
        }
    }
}

/// What an entry does: symbol written, move to the right, group of the next state.
type Act = (u8, bool, usize);

/// The least automaton that does as a never-halting machine does: states that no sequence of reads tells apart are one, and
/// are numbered in the order in which reads reach them from the start.
fn behaviour(machine: &Machine) -> Vec<Vec<Act>> {
    let (states, symbols) = (machine.states(), machine.symbols());
    let row = |state: usize, groups: &[usize]| -> Vec<Act> {
        let entries = (0..symbols).filter_map(|symbol| machine.entry(state as u8, symbol as u8));
        entries
            .map(|entry| {
                let next = entry.next.map_or(usize::MAX, |next| groups[usize::from(next)]);
                (entry.write, entry.shift == Move::Right, next)
            })
            .collect()
    };
    // States are one until something tells them apart; after as many rounds as there are states nothing more does.
    let mut groups = vec![0; states];
    for _ in 0..states {
        let rows: Vec<(usize, Vec<Act>)> = (0..states).map(|state| (groups[state], row(state, &groups))).collect();
        let different: BTreeSet<_> = rows.iter().cloned().collect();
        let place = |row: &(usize, Vec<Act>)| different.iter().position(|other| other == row).unwrap_or_default();
        groups = rows.iter().map(place).collect();
    }
    let mut order = vec![0usize];
    let mut numbers = vec![None; states];
    numbers[groups[0]] = Some(0);
    let mut least = Vec::new();
    while least.len() < order.len() {
        let state = order[least.len()];
        let renamed = (0..symbols).filter_map(|symbol| {
            let entry = machine.entry(state as u8, symbol as u8)?;
            let next = usize::from(entry.next?);
            let number = *numbers[groups[next]].get_or_insert_with(|| {
                order.push(next);
                order.len() - 1
            });
            Some((entry.write, entry.shift == Move::Right, number))
        });
        let renamed: Vec<Act> = renamed.collect();
        least.push(renamed);
    }
    least
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use environments::turing::{TuringConfig, head_run_on};
    use environments::{Draw, stream};

    use super::*;

    fn of(text: &str) -> Vec<Vec<Act>> {
        behaviour(&text.parse().unwrap())
    }

    #[test]
    fn what_makes_no_difference_is_left_out() {
        // B is never reached.
        assert_eq!(of("1RA0LA_1RB1LB"), of("1RA0LA_0LA0LB"));
        assert_eq!(of("1RA0LA_1RB1LB").len(), 1);
        // B does as A does.
        assert_eq!(of("1RB0LA_1RA0LB"), of("1RA0LA_1RB1LB"));
        // Names of B and C.
        assert_eq!(of("1RB0LC_1RA1LB_0RA0LC"), of("1RC0LB_0RA0LB_1RA1LC"));
        assert_ne!(of("1RB0LA_1RA1LB"), of("1RB0LA_1RA0LA"));
        // C is told from B only by where it leads.
        assert_eq!(of("1RB1RC_0LA0LB_0LA0LC").len(), 2);
        assert_eq!(of("1RB1RC_0LA0LB_0LA0LA").len(), 3);
    }

    #[test]
    fn machines_of_one_behaviour_run_alike_on_every_tape() {
        let world = TuringWorld::new(TuringConfig { length: 24, ..TuringConfig::default() }).unwrap();
        let all: Vec<Machine> = Split::ALL.iter().flat_map(|&split| world.listed(split).unwrap()).collect();
        let mut chance = stream(&["behaviour"]);
        let tapes: Vec<Vec<u8>> = (0..20).map(|_| (0..64).map(|_| chance.below(2) as u8).collect()).collect();
        let runs = |machine: &Machine| -> Vec<Vec<_>> {
            let one = |tape: &Vec<u8>| {
                let steps = head_run_on(machine, |place| tape[(place + 32) as usize], 24);
                steps.iter().map(|step| step.token).collect()
            };
            tapes.iter().map(one).collect()
        };
        let mut first: std::collections::BTreeMap<_, Vec<Vec<_>>> = std::collections::BTreeMap::new();
        for machine in &all {
            let runs = runs(machine);
            assert_eq!(first.entry(behaviour(machine)).or_insert_with(|| runs.clone()), &runs, "{machine}");
        }
        let different: BTreeSet<_> = first.values().collect();
        // Nearly all behaviours differ on one of twenty tapes; a machine of one state is one of 4 × 4.
        assert!(first.len() < 4096 && different.len() * 10 > first.len() * 9, "{} {}", first.len(), different.len());
        assert_eq!(first.keys().filter(|least| least.len() == 1).count(), 16);
        let held = Behaviours::of(&world, 0);
        assert!(held.traces < held.behaviours && held.behaviours < held.machines, "{held:?}");
    }
}
