//! Machines drawn by what they do: a behaviour first, then a machine that has it.

use super::enumerate::EnumerationError;
use super::machine::{Machine, Move, Transition};
use super::traces::{Gather, Node, Trace, Tree};
use crate::stream::{Draw, Stream};

/// The entries that a run uses, (symbol written, move to the right, next state), and how many machines of the class run
/// so, up to the names of states and up to mirror images.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct PartialTable {
    table: Vec<Option<(u8, bool, u8)>>,
    machines: u128,
}

impl Gather for Vec<PartialTable> {
    fn leaf(node: &Node, machines: u128) -> Vec<PartialTable> {
        vec![PartialTable { table: node.table.clone(), machines }]
    }

    fn merge(&mut self, other: Vec<PartialTable>) {
        self.extend(other);
    }
}

/// The never-halting machines of a size by what they write from a blank tape. Nearly a third of the 3-state 2-symbol
/// machines write nothing but zeros; drawing the trace first gives rare behaviours their place.
#[derive(Clone, Debug)]
pub struct Strata {
    states: usize,
    symbols: usize,
    strata: Vec<(Trace, Vec<PartialTable>)>,
}

impl Strata {
    /// The strata by the traces of `length` symbols.
    ///
    /// # Errors
    /// As [`super::traces()`].
    pub fn new(states: usize, symbols: usize, length: usize) -> Result<Strata, EnumerationError> {
        let (tree, root) = Tree::new(states, symbols, length)?;
        let mut strata: Vec<(Trace, Vec<PartialTable>)> = tree.walk(root, 0).into_iter().collect();
        // Branches come together in an order that is no business of a draw.
        strata.iter_mut().for_each(|(_, tables)| tables.sort());
        Ok(Strata { states, symbols, strata })
    }

    /// The traces, in order.
    pub fn traces(&self) -> impl ExactSizeIterator<Item = &Trace> {
        self.strata.iter().map(|(trace, _)| trace)
    }

    /// How many machines of the class write a trace, given by its place in the order.
    ///
    /// # Panics
    /// If there is no such place.
    pub fn machines(&self, stratum: usize) -> u128 {
        self.strata[stratum].1.iter().map(|table| table.machines).sum()
    }

    /// The place of a trace in the order, if some machine writes it.
    pub fn place(&self, trace: &[u8]) -> Option<usize> {
        self.strata.binary_search_by(|(own, _)| own.as_slice().cmp(trace)).ok()
    }

    /// A machine drawn uniformly from those that write a trace, given by its place in the order.
    ///
    /// # Panics
    /// If there is no such place.
    pub fn draw(&self, stratum: usize, draws: &mut Stream) -> Machine {
        let table = choose(&self.strata[stratum].1, draws);
        // States other than the first are named at random, and the direction is either.
        let mut names: Vec<u8> = (0..self.states as u8).collect();
        for place in (2..self.states).rev() {
            names.swap(place, 1 + draws.below(place as u64) as usize);
        }
        let mirrored = draws.below(2) == 1;
        let mut entries = vec![None; table.len()];
        for (place, entry) in table.iter().enumerate() {
            let (write, right, next) = entry.unwrap_or_else(|| {
                let write = draws.below(self.symbols as u64) as u8;
                (write, draws.below(2) == 1, draws.below(self.states as u64) as u8)
            });
            let shift = if right != mirrored { Move::Right } else { Move::Left };
            let row = usize::from(names[place / self.symbols]);
            let next = Some(names[usize::from(next)]);
            entries[row * self.symbols + place % self.symbols] = Some(Transition { write, shift, next });
        }
        match Machine::new(self.states, self.symbols, entries) {
            Ok(machine) => machine,
            Err(error) => unreachable!("a filled table is a machine: {error}"),
        }
    }
}

/// One of the tables, each as likely as it stands for machines.
fn choose<'a>(tables: &'a [PartialTable], draws: &mut Stream) -> &'a [Option<(u8, bool, u8)>] {
    let mut number = below(draws, tables.iter().map(|table| table.machines).sum());
    for table in tables {
        match number.checked_sub(table.machines) {
            Some(rest) => number = rest,
            None => return &table.table,
        }
    }
    unreachable!("a number below the sum falls to one of the summands")
}

/// A number below a 128-bit bound, all equally likely.
fn below(draws: &mut Stream, bound: u128) -> u128 {
    let unused = bound.leading_zeros();
    loop {
        let number = (0..4).fold(0u128, |number, _| number << 32 | u128::from(draws.below(1 << 32)));
        let number = number.checked_shr(unused).unwrap_or(0);
        if number < bound {
            return number;
        }
    }
}
