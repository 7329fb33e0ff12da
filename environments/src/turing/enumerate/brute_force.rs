//! Classes counted machine by machine.

use rayon::prelude::*;

use super::{Class, Enumeration, text};
use crate::turing::machine::{Machine, Move, Transition};
use crate::turing::run::run_reference;

/// The same count machine by machine, each run on the reference simulator. For small classes; [`Class::Tnf`] is not a
/// set of whole tables and gives `None`.
pub fn enumerate_reference(class: Class, states: usize, symbols: usize, limit: u64) -> Option<Enumeration> {
    if class == Class::Tnf {
        return None;
    }
    let mut choices = class.halts(symbols);
    for next in 0..states as u8 {
        for shift in [Move::Left, Move::Right] {
            choices.extend((0..symbols as u8).map(|write| Transition { write, shift, next: Some(next) }));
        }
    }
    let entries = states * symbols;
    let machines = choices.len().pow(entries as u32);
    let count = |number: usize| {
        let mut rest = number;
        let mut table = Vec::with_capacity(entries);
        for _ in 0..entries {
            table.push(Some(choices[rest % choices.len()]));
            rest /= choices.len();
        }
        let mut found = Enumeration { machines: 1, ..Enumeration::default() };
        let blanks = if class == Class::Ctm { symbols as u8 } else { 1 };
        for blank in 0..blanks {
            let Ok(machine) = Machine::new(states, symbols, exchange(&table, symbols, blank)) else { continue };
            let run = run_reference(&machine, limit);
            if !run.halted() {
                continue;
            }
            if blank == 0 {
                (found.halting, found.max_steps, found.max_ones) = (1, run.steps as u64, run.ones as u64);
            }
            let cells = run.tape.iter().flat_map(|(word, _)| word).map(|&cell| swapped(cell, blank));
            *found.outputs.entry(text(cells)).or_default() += 1;
        }
        found
    };
    Some((0..machines).into_par_iter().map(count).reduce(Enumeration::default, Enumeration::with))
}

/// 0 and `blank` exchanged.
fn swapped(symbol: u8, blank: u8) -> u8 {
    if symbol == 0 {
        blank
    } else if symbol == blank {
        0
    } else {
        symbol
    }
}

/// The machine whose runs from blank 0 are, with 0 and `blank` exchanged, the runs of this one from `blank`.
fn exchange(table: &[Option<Transition>], symbols: usize, blank: u8) -> Vec<Option<Transition>> {
    let mut exchanged = table.to_vec();
    for (number, entry) in table.iter().enumerate() {
        let (state, symbol) = (number / symbols, (number % symbols) as u8);
        let entry = entry.map(|entry| Transition { write: swapped(entry.write, blank), ..entry });
        exchanged[state * symbols + usize::from(swapped(symbol, blank))] = entry;
    }
    exchanged
}
