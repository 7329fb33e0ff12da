//! What is known of a machine before and while it runs: whole classes, whose tables are filled as they are used, and
//! lists of machines, which are parted as their entries are used.

use std::sync::Arc;

use rayon::prelude::*;

use super::machine::{Machine, Move, Transition};

/// Classes of at most so many tables can be listed.
pub const MOST_LISTED: u128 = 5_000_000;

/// What machines are drawn from: kinds of machines, each with its share.
#[derive(Clone, Debug)]
pub struct Prior {
    pub(super) starts: Vec<(f64, Tables)>,
}

/// Machines that agree on every entry used so far.
#[derive(Clone, Debug)]
pub(super) enum Tables {
    /// All ways to fill what is open.
    Open(Open),
    /// Members of a list, and the sum of their weights.
    Listed(Arc<Listed>, Arc<[u32]>, f64),
}

/// A table that is filled as its entries are used; what is open is filled uniformly.
#[derive(Clone, Debug)]
pub(super) struct Open {
    states: usize,
    symbols: usize,
    halting: bool,
    table: Vec<Option<Transition>>,
    /// States that have a name. The others are alike, and get theirs in order of appearance.
    named: usize,
    /// Its share of the class.
    weight: f64,
}

/// Machines of one size, each with a weight.
#[derive(Debug)]
pub(super) struct Listed {
    symbols: usize,
    entries: usize,
    halting: bool,
    states: usize,
    /// `codes[member * entries + entry]`: the number of the transition.
    codes: Vec<u8>,
    weights: Vec<f64>,
}

/// Number of transitions that an entry can hold. A halting one, `1RZ`, comes last.
pub(super) fn choices(states: usize, symbols: usize, halting: bool) -> usize {
    2 * states * symbols + usize::from(halting)
}

/// The transition of a number: next states first, then left before right, then the symbol written; one past the last
/// is the halting one.
pub(super) fn transition(number: usize, states: usize, symbols: usize) -> Transition {
    if number == 2 * states * symbols {
        return Transition { write: 1, shift: Move::Right, next: None };
    }
    let shift = if number / symbols % 2 == 1 { Move::Right } else { Move::Left };
    Transition { write: (number % symbols) as u8, shift, next: Some((number / symbols / 2) as u8) }
}

/// Number of tables of a size, if 128 bits hold it.
pub(super) fn tables(states: usize, symbols: usize, halting: bool) -> Option<u128> {
    (choices(states, symbols, halting) as u128).checked_pow((states * symbols) as u32)
}

/// The digits of a table's number, the first the highest.
fn digits(mut number: u64, choices: u64, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = (number % choices) as u8;
        number /= choices;
    }
}

/// A machine from its table's number: entries are digits, the first of them the highest.
pub(super) fn machine_of(states: usize, symbols: usize, halting: bool, number: u64) -> Machine {
    let mut codes = vec![0; states * symbols];
    digits(number, choices(states, symbols, halting) as u64, &mut codes);
    machine_from(states, symbols, &codes)
}

fn machine_from(states: usize, symbols: usize, codes: &[u8]) -> Machine {
    let table = codes.iter().map(|&code| Some(transition(code.into(), states, symbols))).collect();
    match Machine::new(states, symbols, table) {
        Ok(machine) => machine,
        Err(error) => unreachable!("a table of digits is a machine: {error}"),
    }
}

/// Every way to name the states other than the first: `names[old]`.
fn namings(states: usize) -> Vec<Vec<u8>> {
    let mut all = vec![vec![0u8]];
    for _ in 1..states {
        let longer = |names: &Vec<u8>| {
            let free = (1..states as u8).filter(|name| !names.contains(name)).collect::<Vec<_>>();
            free.into_iter().map(|name| names.iter().copied().chain([name]).collect()).collect::<Vec<Vec<u8>>>()
        };
        all = all.iter().flat_map(longer).collect();
    }
    all
}

/// The number of a table with its states renamed.
fn renamed(codes: &[u8], names: &[u8], symbols: usize, choices: u64) -> u64 {
    let states = names.len();
    let mut table = [0u8; 64];
    for (entry, &code) in codes.iter().enumerate() {
        let next = usize::from(code) / symbols / 2;
        let code = if next < states {
            code as usize % (2 * symbols) + 2 * symbols * usize::from(names[next])
        } else {
            code.into()
        };
        table[usize::from(names[entry / symbols]) * symbols + entry % symbols] = code as u8;
    }
    table[..codes.len()].iter().fold(0, |number, &code| number * choices + u64::from(code))
}

impl Prior {
    /// Every table of a size equally likely.
    pub fn class(states: usize, symbols: usize, halting: bool) -> Prior {
        let table = vec![None; states * symbols];
        Prior { starts: vec![(1.0, Tables::Open(Open { states, symbols, halting, table, named: 1, weight: 1.0 }))] }
    }

    /// Tables filled in part, each equally likely, what is open in them filled uniformly.
    pub fn partial(states: usize, symbols: usize, halting: bool, filled: &[Vec<Option<Transition>>]) -> Prior {
        let start = |table: &Vec<Option<Transition>>| {
            let open = Open { states, symbols, halting, table: table.clone(), named: states, weight: 1.0 };
            (1.0 / filled.len() as f64, Tables::Open(open))
        };
        Prior { starts: filled.iter().map(start).collect() }
    }

    /// The tables of a size by their weight, which must not depend on the names of states; those of weight 0 are left out.
    /// Tables that differ by these names alone are merged. `None` if the class is larger than [`MOST_LISTED`] or no table
    /// has a weight.
    pub fn weighted(
        states: usize,
        symbols: usize,
        halting: bool,
        weight: impl Fn(&Machine) -> f64 + Sync,
    ) -> Option<Prior> {
        let size = tables(states, symbols, halting).filter(|&size| size <= MOST_LISTED)? as u64;
        let (entries, choices) = (states * symbols, choices(states, symbols, halting) as u64);
        let namings = namings(states);
        let member = |number: u64| {
            let mut codes = vec![0u8; entries];
            digits(number, choices, &mut codes);
            let mut numbers: Vec<u64> = namings.iter().map(|names| renamed(&codes, names, symbols, choices)).collect();
            if numbers.iter().any(|&other| other < number) {
                return None;
            }
            numbers.sort_unstable();
            numbers.dedup();
            let weight = weight(&machine_from(states, symbols, &codes)) * numbers.len() as f64;
            (weight > 0.0).then_some((codes, weight))
        };
        let members: Vec<(Vec<u8>, f64)> = (0..size).into_par_iter().filter_map(member).collect();
        Self::of_members(states, symbols, halting, members)
    }

    /// Machines that are listed, each as likely as its weight. All must be of one size and have no undefined entry; `None`
    /// if they are not, or there is none.
    pub fn listed<'a>(machines: impl IntoIterator<Item = (&'a Machine, f64)>) -> Option<Prior> {
        let mut size = None;
        let mut members = Vec::new();
        for (machine, weight) in machines {
            let (states, symbols) = *size.get_or_insert((machine.states(), machine.symbols()));
            let code = |entry: &Option<Transition>| {
                let entry = (*entry)?;
                Some(match entry.next {
                    None => 2 * states * symbols,
                    Some(next) => {
                        (2 * usize::from(next) + usize::from(entry.shift == Move::Right)) * symbols
                            + usize::from(entry.write)
                    }
                } as u8)
            };
            let codes: Option<Vec<u8>> = machine.table().iter().map(code).collect();
            members.push((codes.filter(|_| size == Some((machine.states(), machine.symbols())))?, weight));
        }
        let (states, symbols) = size?;
        Self::of_members(states, symbols, true, members)
    }

    fn of_members(states: usize, symbols: usize, halting: bool, members: Vec<(Vec<u8>, f64)>) -> Option<Prior> {
        let total: f64 = members.iter().map(|(_, weight)| weight).sum();
        if members.is_empty() {
            return None;
        }
        let weights = members.iter().map(|(_, weight)| weight / total).collect();
        let codes = members.iter().flat_map(|(codes, _)| codes.iter().copied()).collect();
        let all: Arc<[u32]> = (0..members.len() as u32).collect();
        let listed = Listed { symbols, entries: states * symbols, halting, states, codes, weights };
        Some(Prior { starts: vec![(1.0, Tables::Listed(Arc::new(listed), all, 1.0))] })
    }

    /// Priors mixed, each as likely as any other.
    pub fn mixed(priors: Vec<Prior>) -> Prior {
        let each = 1.0 / priors.len() as f64;
        let starts = priors.into_iter().flat_map(|prior| prior.starts);
        Prior { starts: starts.map(|(share, tables)| (share * each, tables)).collect() }
    }

    /// Whether some machine may halt.
    pub(super) fn halting(&self) -> bool {
        self.starts.iter().any(|(_, tables)| match tables {
            Tables::Open(open) => open.halting,
            Tables::Listed(listed, ..) => listed.halting,
        })
    }
}

impl Tables {
    /// Symbols of these machines.
    pub(super) fn symbols(&self) -> usize {
        match self {
            Tables::Open(open) => open.symbols,
            Tables::Listed(listed, ..) => listed.symbols,
        }
    }

    /// States of these machines.
    pub(super) fn states(&self) -> usize {
        match self {
            Tables::Open(open) => open.states,
            Tables::Listed(listed, ..) => listed.states,
        }
    }

    /// Their share of the prior that they come from.
    pub(super) fn weight(&self) -> f64 {
        match self {
            Tables::Open(open) => open.weight,
            Tables::Listed(_, _, weight) => *weight,
        }
    }

    /// What these machines do in a state on a symbol, and which of them do it.
    pub(super) fn parted(&self, state: u8, symbol: u8) -> Vec<(Transition, Tables)> {
        match self {
            Tables::Open(open) => open.parted(state, symbol),
            Tables::Listed(listed, members, _) => {
                let entry = usize::from(state) * listed.symbols + usize::from(symbol);
                let code = |member: u32| listed.codes[member as usize * listed.entries + entry];
                let mut parts: Vec<Vec<u32>> = vec![Vec::new(); choices(listed.states, listed.symbols, true)];
                members.iter().for_each(|&member| parts[usize::from(code(member))].push(member));
                let parts = parts.into_iter().enumerate().filter(|(_, part)| !part.is_empty());
                parts
                    .map(|(number, part)| {
                        let transition = transition(number, listed.states, listed.symbols);
                        let weight = part.iter().map(|&member| listed.weights[member as usize]).sum();
                        (transition, Tables::Listed(Arc::clone(listed), part.into(), weight))
                    })
                    .collect()
            }
        }
    }
}

impl Open {
    fn parted(&self, state: u8, symbol: u8) -> Vec<(Transition, Tables)> {
        let entry = usize::from(state) * self.symbols + usize::from(symbol);
        if let Some(transition) = self.table[entry] {
            return vec![(transition, Tables::Open(self.clone()))];
        }
        let choices = choices(self.states, self.symbols, self.halting);
        let filled = |number: usize| {
            let transition = transition(number, self.states, self.symbols);
            let next = transition.next.map_or(0, usize::from);
            if next > self.named {
                return None;
            }
            let mut open = self.clone();
            open.table[entry] = Some(transition);
            // One name stands for all states that have none.
            let names = if next == self.named { self.states - next } else { 1 };
            open.named = self.named.max(next + 1);
            open.weight = self.weight * names as f64 / choices as f64;
            Some((transition, Tables::Open(open)))
        };
        (0..choices).filter_map(filled).collect()
    }
}
