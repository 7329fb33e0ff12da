//! What a class of machines can show: the different sequences that its machines write from a blank tape, and how much
//! of a machine's identity such a sequence carries.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use rayon::prelude::*;

use super::enumerate::EnumerationError;
use super::machine::{MOST_STATES, MOST_SYMBOLS};

/// A sequence of symbols written, one a step.
pub type Trace = Vec<u8>;

/// What the never-halting machines of a size write.
#[derive(Clone, Debug, PartialEq)]
pub struct Traces {
    /// Machines, (2nm)^(nm).
    pub machines: u128,
    /// Every trace of the length asked for, and how many machines write it.
    pub classes: BTreeMap<Trace, u128>,
}

impl Traces {
    /// Entropy of the trace of a machine drawn uniformly, in bits.
    pub fn entropy_bits(&self) -> f64 {
        let share = |&count: &u128| count as f64 / self.machines as f64;
        self.classes.values().map(|count| -share(count) * share(count).log2()).sum::<f64>().max(0.0)
    }
}

/// What is gathered at the leaves of the tree.
pub(super) trait Gather: Send + Sized {
    /// What a leaf gives that stands for so many machines.
    fn leaf(node: &Node, machines: u128) -> Self;

    /// Two together.
    fn merge(&mut self, other: Self);
}

impl Gather for u128 {
    fn leaf(_: &Node, machines: u128) -> u128 {
        machines
    }

    fn merge(&mut self, other: u128) {
        *self += other;
    }
}

/// A table filled in part and the run so far. An entry is (symbol written, move to the right, next state).
#[derive(Clone)]
pub(super) struct Node {
    pub table: Vec<Option<(u8, bool, u8)>>,
    undefined: usize,
    states_seen: usize,
    renamings: u128,
    tape: Vec<u8>,
    head: usize,
    state: u8,
    trace: Trace,
}

pub(super) struct Tree {
    states: usize,
    symbols: usize,
    length: usize,
    /// `powers[k]`: the ways to fill k entries.
    powers: Vec<u128>,
}

/// Levels of the tree whose branches are walked in parallel.
const PARALLEL_LEVELS: usize = 3;

/// The traces of `length` symbols of the machines of a size that have no halting entry.
///
/// Tables are filled as their entries are met, and states that were not seen yet are alike, as are left and right.
///
/// # Errors
/// If the sizes are out of range or there are more machines than 128 bits can count.
pub fn traces(states: usize, symbols: usize, length: usize) -> Result<Traces, EnumerationError> {
    let (tree, root) = Tree::new(states, symbols, length)?;
    Ok(Traces { machines: tree.powers[states * symbols], classes: tree.walk(root, 0) })
}

impl Tree {
    /// The tree and its root.
    pub fn new(states: usize, symbols: usize, length: usize) -> Result<(Tree, Node), EnumerationError> {
        if !(1..=MOST_STATES).contains(&states) || !(2..=MOST_SYMBOLS).contains(&symbols) {
            return Err(EnumerationError::Size(states, symbols));
        }
        let entries = states * symbols;
        let mut powers = vec![1u128];
        for _ in 0..entries {
            let power = powers[powers.len() - 1].checked_mul(2 * entries as u128);
            powers.push(power.ok_or(EnumerationError::TooLarge(states, symbols))?);
        }
        let root = Node {
            table: vec![None; entries],
            undefined: entries,
            states_seen: 1,
            renamings: 1,
            tape: vec![0; 3],
            head: 1,
            state: 0,
            trace: Vec::new(),
        };
        Ok((Tree { states, symbols, length, powers }, root))
    }

    /// What is gathered below a node, by trace.
    pub fn walk<G: Gather>(&self, mut node: Node, level: usize) -> BTreeMap<Trace, G> {
        loop {
            if node.trace.len() == self.length {
                // The first move goes to the right here; as many machines begin to the left.
                let mirrored = if self.length == 0 { 1 } else { 2 };
                let machines = node.renamings * self.powers[node.undefined] * mirrored;
                let leaf = G::leaf(&node, machines);
                return BTreeMap::from([(node.trace, leaf)]);
            }
            let entry = usize::from(node.state) * self.symbols + usize::from(node.tape[node.head]);
            let Some(transition) = node.table[entry] else {
                return self.branch(&node, entry, level);
            };
            node.step(transition);
        }
    }

    fn branch<G: Gather>(&self, node: &Node, entry: usize, level: usize) -> BTreeMap<Trace, G> {
        let first = node.undefined == node.table.len();
        let mut branches = Vec::new();
        for next in 0..=node.states_seen.min(self.states - 1) {
            for right in if first { vec![true] } else { vec![false, true] } {
                for write in 0..self.symbols as u8 {
                    let mut branch = node.clone();
                    branch.table[entry] = Some((write, right, next as u8));
                    branch.undefined -= 1;
                    if next == node.states_seen {
                        branch.renamings *= (self.states - next) as u128;
                        branch.states_seen += 1;
                    }
                    branches.push(branch);
                }
            }
        }
        if level < PARALLEL_LEVELS {
            let parts = branches.into_par_iter().map(|branch| self.walk(branch, level + 1));
            return parts.reduce(BTreeMap::new, together);
        }
        branches.into_iter().fold(BTreeMap::new(), |found, branch| together(found, self.walk(branch, level + 1)))
    }
}

fn together<G: Gather>(found: BTreeMap<Trace, G>, other: BTreeMap<Trace, G>) -> BTreeMap<Trace, G> {
    let (mut found, other) = if found.len() < other.len() { (other, found) } else { (found, other) };
    for (trace, gathered) in other {
        match found.entry(trace) {
            Entry::Occupied(mut entry) => entry.get_mut().merge(gathered),
            Entry::Vacant(entry) => {
                entry.insert(gathered);
            }
        }
    }
    found
}

impl Node {
    fn step(&mut self, (write, right, next): (u8, bool, u8)) {
        self.trace.push(write);
        self.tape[self.head] = write;
        self.state = next;
        if right {
            self.head += 1;
            if self.head == self.tape.len() {
                self.tape.resize(2 * self.head, 0);
            }
        } else {
            if self.head == 0 {
                let grown = self.tape.len();
                self.tape.splice(0..0, std::iter::repeat_n(0, grown));
                self.head = grown;
            }
            self.head -= 1;
        }
    }
}
