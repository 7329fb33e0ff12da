//! Whole classes of machines, counted exactly.
//!
//! A class is walked as a tree (tree normal form): run a machine whose table is empty; where it meets an entry that is
//! undefined, branch over what that entry could be. States that were not seen yet are alike, so are symbols, and so are
//! left and right until the head first moves: one branch stands for all of them, with their number as its weight.
//! Entries that a run never meets are never branched over. [`enumerate_reference`] is the plain count, machine by
//! machine.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::accelerated::run;
use super::deciders::{Decision, decide};
use super::machine::{MOST_STATES, MOST_SYMBOLS, Machine, Move, Transition};
use super::run::Outcome;

mod brute_force;

pub use brute_force::enumerate_reference;

/// A convention about what a machine's entries can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// One halting entry, `1RZ`: (2nm + 1)^(nm) machines.
    Bbchallenge,
    /// Halting entries write any symbol and move: (2m(n + 1))^(nm) machines (Radó 1962).
    Rado,
    /// Halting entries write any symbol and stay: (2nm + m)^(nm) machines (the coding-theorem method: Delahaye and
    /// Zenil, arXiv:1101.4795; Soler-Toscano et al. 2014). Outputs are over runs from every blank symbol.
    Ctm,
    /// The leaves of the tree itself, each once: the first move is to the right, states come in order of appearance,
    /// symbols in any order; at least one entry stays undefined, and the undefined entry that is met halts as `1RZ`.
    Tnf,
}

impl Class {
    /// All classes, in order.
    pub const ALL: [Class; 4] = [Class::Bbchallenge, Class::Rado, Class::Ctm, Class::Tnf];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Class::Bbchallenge => "bbchallenge",
            Class::Rado => "rado",
            Class::Ctm => "ctm",
            Class::Tnf => "tnf",
        }
    }

    /// The halting entries.
    fn halts(self, symbols: usize) -> Vec<Transition> {
        let halt = |write, shift| Transition { write, shift, next: None };
        match self {
            Class::Bbchallenge | Class::Tnf => vec![halt(1, Move::Right)],
            Class::Rado => {
                (0..symbols as u8).flat_map(|write| [halt(write, Move::Left), halt(write, Move::Right)]).collect()
            }
            Class::Ctm => (0..symbols as u8).map(|write| halt(write, Move::Stay)).collect(),
        }
    }
}

/// What a class holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Enumeration {
    /// Machines; for [`Class::Tnf`] the leaves of the tree.
    pub machines: u128,
    /// Machines that halt within the limit from a tape of blanks 0.
    pub halting: u128,
    /// Machines proved never to halt. Only for [`Class::Tnf`].
    pub nonhalting: u128,
    /// Most steps of a machine that halts within the limit.
    pub max_steps: u64,
    /// Most non-blank cells left by one.
    pub max_ones: u64,
    /// How often each string over the cells visited (those the head stood on before a step) is left by a run that halts
    /// within the limit. For [`Class::Ctm`] a machine is run once from a tape of each symbol.
    pub outputs: BTreeMap<String, u128>,
}

impl Enumeration {
    fn with(mut self, other: Enumeration) -> Enumeration {
        self.machines += other.machines;
        self.halting += other.halting;
        self.nonhalting += other.nonhalting;
        self.max_steps = self.max_steps.max(other.max_steps);
        self.max_ones = self.max_ones.max(other.max_ones);
        for (output, count) in other.outputs {
            *self.outputs.entry(output).or_default() += count;
        }
        self
    }

    /// Leaves of the tree that halt beyond the limit or that no decider settles. Only for [`Class::Tnf`].
    pub fn undecided(&self) -> u128 {
        self.machines - self.halting - self.nonhalting
    }
}

/// Why a class cannot be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnumerationError {
    /// The sizes are out of range.
    #[error("{0} states and {1} symbols: a class has 1 to {MOST_STATES} states and 2 to {MOST_SYMBOLS} symbols")]
    Size(usize, usize),
    /// Its machines do not fit a 128-bit count.
    #[error("the class of {0} states and {1} symbols has more machines than 128 bits can count")]
    TooLarge(usize, usize),
}

/// Most steps made plainly before the deciders are asked; machines run on after they have passed.
const PLAIN_STEPS: u64 = 512;

/// Counts a class, its machines run for at most `limit` steps.
///
/// # Errors
/// If the sizes are out of range or the class is too large to be counted in 128 bits.
pub fn enumerate(class: Class, states: usize, symbols: usize, limit: u64) -> Result<Enumeration, EnumerationError> {
    if !(1..=MOST_STATES).contains(&states) || !(2..=MOST_SYMBOLS).contains(&symbols) {
        return Err(EnumerationError::Size(states, symbols));
    }
    let entries = states * symbols;
    let choices = (2 * states * symbols + class.halts(symbols).len()) as u128;
    let mut powers = vec![1u128];
    for _ in 0..entries {
        let power = powers[powers.len() - 1].checked_mul(choices);
        powers.push(power.ok_or(EnumerationError::TooLarge(states, symbols))?);
    }
    let tree = Tree { class, states, symbols, limit, powers, halts: class.halts(symbols) };
    let root = Node {
        table: vec![None; entries],
        undefined: entries,
        states_seen: 1,
        symbols_seen: 0,
        moved: false,
        renamings: 1,
        tape: vec![0; 3],
        head: 1,
        visited: (1, 1),
        state: 0,
        steps: 0,
    };
    let found = tree.walk(root, 0);
    let outputs = tree.expand(&found.outputs);
    let machines = if class == Class::Tnf { found.leaves } else { tree.powers[entries] };
    let (halting, nonhalting) = (found.halting, found.nonhalting);
    Ok(Enumeration { machines, halting, nonhalting, max_steps: found.max_steps, max_ones: found.max_ones, outputs })
}

/// What is the same for every node.
struct Tree {
    class: Class,
    states: usize,
    symbols: usize,
    limit: u64,
    /// `powers[k]`: the ways to fill k entries.
    powers: Vec<u128>,
    halts: Vec<Transition>,
}

/// A table filled in part and the run so far.
#[derive(Clone)]
struct Node {
    table: Vec<Option<Transition>>,
    undefined: usize,
    states_seen: usize,
    /// The greatest symbol seen.
    symbols_seen: usize,
    moved: bool,
    /// Ways to name the states seen.
    renamings: u128,
    tape: Vec<u8>,
    head: usize,
    visited: (usize, usize),
    state: u8,
    steps: u64,
}

/// An output up to what the tree does not tell apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pattern {
    /// Whether the mirror image stands for as many machines.
    mirrored: bool,
    /// Number of non-blank symbols that were told apart; cells are numbered in the order in which they were written.
    told_apart: usize,
    /// Cells; [`REAL_ONE`] is symbol 1 whatever the numbering.
    cells: Vec<u8>,
}

/// The 1 of a halting `1RZ`.
const REAL_ONE: u8 = u8::MAX;

/// Sums over a part of the tree.
#[derive(Default)]
struct Found {
    leaves: u128,
    halting: u128,
    nonhalting: u128,
    max_steps: u64,
    max_ones: u64,
    outputs: BTreeMap<Pattern, u128>,
}

impl Found {
    fn with(mut self, other: Found) -> Found {
        if self.outputs.len() < other.outputs.len() {
            return other.with(self);
        }
        self.leaves += other.leaves;
        self.halting += other.halting;
        self.nonhalting += other.nonhalting;
        self.max_steps = self.max_steps.max(other.max_steps);
        self.max_ones = self.max_ones.max(other.max_ones);
        for (output, count) in other.outputs {
            *self.outputs.entry(output).or_default() += count;
        }
        self
    }
}

/// How a node's run went on.
enum Ended {
    /// At an entry that is undefined; the step that uses it is within the limit.
    Undefined,
    /// It is proved never to halt.
    Never,
    /// The limit came first.
    Limit,
}

/// Levels of the tree whose branches are walked in parallel.
const PARALLEL_LEVELS: usize = 4;

impl Tree {
    fn walk(&self, mut node: Node, level: usize) -> Found {
        let mut found = Found::default();
        match self.run(&mut node) {
            Ended::Undefined => {}
            Ended::Never => return Found { leaves: 1, nonhalting: 1, ..found },
            Ended::Limit => return Found { leaves: 1, ..found },
        }
        self.halt(&node, &mut found);
        // The last undefined entry is the one that halts: filled otherwise, there is none left.
        if node.undefined == 1 {
            return found;
        }
        let branches = self.branches(&node);
        if level < PARALLEL_LEVELS {
            let parts = branches.into_par_iter().map(|branch| self.walk(branch, level + 1));
            parts.reduce(Found::default, Found::with).with(found)
        } else {
            branches.into_iter().fold(found, |found, branch| found.with(self.walk(branch, level + 1)))
        }
    }

    fn entry(&self, node: &Node) -> usize {
        usize::from(node.state) * self.symbols + usize::from(node.tape[node.head])
    }

    /// Runs to the next undefined entry or the limit; once that takes long, tries to prove that it will never come.
    fn run(&self, node: &mut Node) -> Ended {
        let ended = self.run_plainly(node, self.limit.min(node.steps + PLAIN_STEPS));
        if let Some(ended) = ended {
            return if matches!(ended, Ended::Limit) && node.steps == self.limit {
                self.last_word(node)
            } else {
                ended
            };
        }
        if node.steps == self.limit {
            return self.last_word(node);
        }
        if let Ended::Never = self.last_word(node) {
            return Ended::Never;
        }
        // A long run that is not proved endless: let the accelerated simulator find out, and only then make the steps.
        if let Some(machine) = self.machine(node) {
            let ahead = run(&machine, Some(u128::from(self.limit)));
            if ahead.outcome != Outcome::Halted {
                return if ahead.outcome == Outcome::Forever { Ended::Never } else { Ended::Limit };
            }
        }
        self.run_plainly(node, self.limit).unwrap_or(Ended::Limit)
    }

    /// Whether a machine that reached the limit, or ran long, never halts.
    fn last_word(&self, node: &Node) -> Ended {
        // Where only counts are wanted, nobody asks of a run that reached its limit.
        if self.class != Class::Tnf && node.steps == self.limit {
            return Ended::Limit;
        }
        match self.machine(node).map(|machine| decide(&machine)) {
            Some(Decision::Forever(_)) => Ended::Never,
            _ => Ended::Limit,
        }
    }

    fn machine(&self, node: &Node) -> Option<Machine> {
        Machine::new(self.states, self.symbols, node.table.clone()).ok()
    }

    /// `None` if `limit` comes before an undefined entry.
    fn run_plainly(&self, node: &mut Node, limit: u64) -> Option<Ended> {
        while node.steps < limit {
            let Some(Transition { write, shift, next: Some(next) }) = node.table[self.entry(node)] else {
                return Some(Ended::Undefined);
            };
            node.steps += 1;
            node.tape[node.head] = write;
            node.state = next;
            if shift == Move::Right {
                node.head += 1;
                if node.head == node.tape.len() {
                    node.tape.resize(2 * node.head, 0);
                }
                node.visited.1 = node.visited.1.max(node.head);
            } else {
                if node.head == 0 {
                    let grown = node.tape.len();
                    node.tape.splice(0..0, std::iter::repeat_n(0, grown));
                    node.head += grown;
                    node.visited = (node.visited.0 + grown, node.visited.1 + grown);
                }
                node.head -= 1;
                node.visited.0 = node.visited.0.min(node.head);
            }
        }
        None
    }

    /// The machines whose entry here halts.
    fn halt(&self, node: &Node, found: &mut Found) {
        let weight = if self.class == Class::Tnf { 1 } else { node.renamings * self.powers[node.undefined - 1] };
        found.leaves += 1;
        found.max_steps = found.max_steps.max(node.steps + 1);
        let span = &node.tape[node.visited.0..=node.visited.1];
        let mut cells = span.to_vec();
        let here = node.head - node.visited.0;
        let others = span.iter().enumerate().filter(|&(number, &cell)| number != here && cell != 0).count() as u64;
        for halt in &self.halts {
            // Only one of the symbols not seen yet needs a look, unless symbols are told apart.
            let mut told_apart = node.symbols_seen;
            cells[here] = match self.class {
                Class::Bbchallenge | Class::Tnf => REAL_ONE,
                _ if usize::from(halt.write) > node.symbols_seen + 1 => continue,
                _ => {
                    told_apart = told_apart.max(usize::from(halt.write));
                    halt.write
                }
            };
            found.max_ones = found.max_ones.max(others + u64::from(cells[here] != 0));
            let mirrored = node.moved && self.class != Class::Tnf;
            let told_apart = if self.class == Class::Tnf { 0 } else { told_apart };
            let pattern = Pattern { mirrored, told_apart, cells: cells.clone() };
            found.halting += weight * self.labellings(told_apart) * if mirrored { 2 } else { 1 };
            *found.outputs.entry(pattern).or_default() += weight;
        }
    }

    /// Ways to name `told_apart` different non-blank symbols.
    fn labellings(&self, told_apart: usize) -> u128 {
        (0..told_apart).map(|named| (self.symbols - 1 - named) as u128).product()
    }

    fn branches(&self, node: &Node) -> Vec<Node> {
        let entry = self.entry(node);
        let last_symbol = match self.class {
            Class::Tnf => self.symbols - 1,
            _ => (node.symbols_seen + 1).min(self.symbols - 1),
        };
        let last_state = node.states_seen.min(self.states - 1);
        let shifts: &[Move] = if node.moved { &[Move::Left, Move::Right] } else { &[Move::Right] };
        let mut branches = Vec::new();
        for next in 0..=last_state {
            for &shift in shifts {
                for write in 0..=last_symbol {
                    let mut branch = node.clone();
                    branch.table[entry] = Some(Transition { write: write as u8, shift, next: Some(next as u8) });
                    branch.undefined -= 1;
                    branch.moved = true;
                    branch.symbols_seen = node.symbols_seen.max(write);
                    if next == node.states_seen {
                        branch.renamings *= (self.states - next) as u128;
                        branch.states_seen += 1;
                    }
                    branches.push(branch);
                }
            }
        }
        branches
    }

    /// Outputs with all the names, mirror images and blanks that a pattern stands for.
    fn expand(&self, patterns: &BTreeMap<Pattern, u128>) -> BTreeMap<String, u128> {
        let mut outputs: BTreeMap<Vec<u8>, u128> = BTreeMap::new();
        for (pattern, &count) in patterns {
            for names in self.names(pattern.told_apart) {
                let name = |&cell: &u8| match cell {
                    REAL_ONE => 1,
                    0 => 0,
                    cell => names.get(usize::from(cell) - 1).copied().unwrap_or(cell),
                };
                let mut cells: Vec<u8> = pattern.cells.iter().map(name).collect();
                *outputs.entry(cells.clone()).or_default() += count;
                if pattern.mirrored {
                    cells.reverse();
                    *outputs.entry(cells).or_default() += count;
                }
            }
        }
        let blanks = if self.class == Class::Ctm { self.symbols as u8 } else { 1 };
        let mut texts = BTreeMap::new();
        for (cells, count) in outputs {
            for blank in 0..blanks {
                // Exchanging a symbol and 0 turns the runs from blank 0 into those from that symbol.
                let exchanged = cells.iter().map(|&cell| match cell {
                    0 => blank,
                    cell if cell == blank => 0,
                    cell => cell,
                });
                *texts.entry(text(exchanged)).or_default() += count;
            }
        }
        texts
    }

    /// Every way to give `told_apart` non-blank symbols different names.
    fn names(&self, told_apart: usize) -> Vec<Vec<u8>> {
        let mut names: Vec<Vec<u8>> = vec![Vec::new()];
        for _ in 0..told_apart {
            let longer = |name: &Vec<u8>| {
                let free = (1..self.symbols as u8).filter(|symbol| !name.contains(symbol)).collect::<Vec<_>>();
                free.into_iter().map(|symbol| name.iter().copied().chain([symbol]).collect()).collect::<Vec<_>>()
            };
            names = names.iter().flat_map(longer).collect();
        }
        names
    }
}

fn text(cells: impl Iterator<Item = u8>) -> String {
    cells.map(|cell| char::from(b'0' + cell)).collect()
}
