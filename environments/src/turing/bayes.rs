//! The exact Bayes answer for the `head` view of a machine drawn uniformly from the never-halting machines of a size,
//! and the references beside it: Bayes over a list of machines, the oracle, the table-filler.
//!
//! The observer sees symbol read, symbol written and move, so it knows the tape wherever the head has been; it does not
//! know the state or the table. Tables that agree on every entry used so far, up to the names of states that have not
//! appeared, are one hypothesis: entries are filled when they are used. For n states and m symbols there are at most
//! n^(nm) hypotheses, however long the run, and the evidence keeps their number far below that.

use std::collections::BTreeMap;

use crate::sequence::SequenceModel;

use super::machine::{Machine, Move, Transition};
use super::view::{HeadStep, HeadToken, InitialTape};

/// What the observer knows of the tape.
#[derive(Clone, Debug)]
struct ObservedTape {
    symbols: usize,
    initial: InitialTape,
    cells: BTreeMap<i64, u8>,
    head: i64,
}

impl ObservedTape {
    fn new(symbols: usize, initial: InitialTape) -> ObservedTape {
        ObservedTape { symbols, initial, cells: BTreeMap::new(), head: 0 }
    }

    /// The probability of reading a symbol next.
    fn reading(&self, symbol: u8) -> f64 {
        match (self.cells.get(&self.head), self.initial) {
            (Some(&known), _) => f64::from(u8::from(known == symbol)),
            (None, InitialTape::Blank) => f64::from(u8::from(symbol == 0)),
            (None, InitialTape::Random) => 1.0 / self.symbols as f64,
        }
    }

    fn apply(&mut self, token: HeadToken) {
        self.cells.insert(self.head, token.write);
        self.head += token.shift.offset();
    }

    /// The distribution over tokens, given the one over writes and moves for each symbol read.
    fn distribution(&self, mut acts: impl FnMut(u8) -> Vec<f64>) -> Vec<f64> {
        let mut probabilities = Vec::with_capacity(HeadToken::count(self.symbols));
        for read in 0..self.symbols as u8 {
            let reading = self.reading(read);
            if reading > 0.0 {
                probabilities.extend(acts(read).into_iter().map(|probability| reading * probability));
            } else {
                probabilities.extend(std::iter::repeat_n(0.0, 2 * self.symbols));
            }
        }
        probabilities
    }
}

/// Number of a write and move, and back.
fn act(write: u8, shift: Move) -> usize {
    2 * usize::from(write) + usize::from(shift == Move::Right)
}

/// A table as far as it was used, and the state the machine is in. States are named in order of appearance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Hypothesis {
    /// `table[state * symbols + symbol]`: 0 if never used, otherwise 1 + (write and move) · states + next state.
    table: Vec<u16>,
    seen: u8,
    state: u8,
}

/// Bayes over all never-halting machines of a size, uniformly: `(2nm)^(nm)` tables.
#[derive(Clone, Debug)]
pub struct ClassBayes {
    states: usize,
    tape: ObservedTape,
    /// Hypotheses and the number of whole tables that each stands for.
    hypotheses: BTreeMap<Hypothesis, u128>,
}

impl ClassBayes {
    /// The prior, or `None` if the class has more tables than 128 bits can count.
    pub fn new(states: usize, symbols: usize, initial: InitialTape) -> Option<ClassBayes> {
        let entries = states * symbols;
        let tables = (2 * entries as u128).checked_pow(entries as u32)?;
        let start = Hypothesis { table: vec![0; entries], seen: 1, state: 0 };
        let tape = ObservedTape::new(symbols, initial);
        Some(ClassBayes { states, tape, hypotheses: BTreeMap::from([(start, tables)]) })
    }

    /// Number of tables that agree with everything seen.
    pub fn consistent(&self) -> u128 {
        self.hypotheses.values().sum()
    }

    /// Number of hypotheses kept.
    pub fn hypotheses(&self) -> usize {
        self.hypotheses.len()
    }

    /// The probability of being in each state; states are named in order of appearance.
    pub fn state_posterior(&self) -> Vec<f64> {
        let mut tables = vec![0u128; self.states];
        for (hypothesis, count) in &self.hypotheses {
            tables[usize::from(hypothesis.state)] += count;
        }
        let total = self.consistent() as f64;
        tables.into_iter().map(|count| count as f64 / total).collect()
    }

    /// The entries that all tables consistent with the evidence share, `[state * symbols + symbol]`; states are named
    /// in order of appearance.
    pub fn determined(&self) -> Vec<Option<Transition>> {
        let mut tables = self.hypotheses.keys().map(|hypothesis| &hypothesis.table);
        let mut shared = tables.next().cloned().unwrap_or_default();
        for table in tables {
            for (shared, entry) in shared.iter_mut().zip(table) {
                if shared != entry {
                    *shared = 0;
                }
            }
        }
        shared.into_iter().map(|entry| self.decode(entry)).collect()
    }

    /// The posterior of every entry, `[(state * symbols + symbol) * choices + choice]`, with the 2·symbols·states choices
    /// numbered `(2 * write + right) * states + next`; states are named in order of appearance, those that have not
    /// appeared in any order. An entry that a
    /// hypothesis has not used is uniform under it, since all tables are equally likely.
    pub fn entries(&self) -> Vec<f64> {
        let (entries, total) = (self.states * self.tape.symbols, self.consistent() as f64);
        let choices = 2 * entries;
        let mut posterior = vec![0.0; entries * choices];
        for (hypothesis, &tables) in &self.hypotheses {
            let share = tables as f64 / total;
            for (row, &entry) in posterior.chunks_exact_mut(choices).zip(&hypothesis.table) {
                match entry.checked_sub(1) {
                    Some(code) => row[usize::from(code)] += share,
                    None => row.iter_mut().for_each(|chance| *chance += share / choices as f64),
                }
            }
        }
        posterior
    }

    fn decode(&self, entry: u16) -> Option<Transition> {
        let code = usize::from(entry.checked_sub(1)?);
        let (act, next) = (code / self.states, code % self.states);
        let shift = if act % 2 == 1 { Move::Right } else { Move::Left };
        Some(Transition { write: (act / 2) as u8, shift, next: Some(next as u8) })
    }

    /// For a symbol read, how many tables make each write and move; in units of 1 / (2m) table.
    fn votes(&self, read: u8) -> Vec<u128> {
        let symbols = self.tape.symbols;
        let mut votes = vec![0u128; 2 * symbols];
        for (hypothesis, &count) in &self.hypotheses {
            match hypothesis.table[usize::from(hypothesis.state) * symbols + usize::from(read)] {
                0 => votes.iter_mut().for_each(|votes| *votes += count / (2 * symbols as u128)),
                entry => votes[(usize::from(entry) - 1) / self.states] += count,
            }
        }
        votes
    }
}

impl SequenceModel for ClassBayes {
    fn alphabet(&self) -> usize {
        HeadToken::count(self.tape.symbols)
    }

    fn probabilities(&self) -> Vec<f64> {
        let total = self.consistent() as f64;
        self.tape.distribution(|read| self.votes(read).into_iter().map(|votes| votes as f64 / total).collect())
    }

    fn observe(&mut self, symbol: usize) -> f64 {
        let symbols = self.tape.symbols;
        let token = HeadToken::of_index(symbol, symbols);
        let before = self.consistent();
        let act = act(token.write, token.shift);
        let choices = (2 * self.states * symbols) as u128;
        let mut kept: BTreeMap<Hypothesis, u128> = BTreeMap::new();
        for (hypothesis, count) in std::mem::take(&mut self.hypotheses) {
            let entry = usize::from(hypothesis.state) * symbols + usize::from(token.read);
            match hypothesis.table[entry] {
                0 => {
                    let new = usize::from(hypothesis.seen);
                    for next in 0..=new.min(self.states - 1) {
                        let mut filled = hypothesis.clone();
                        filled.table[entry] = (1 + act * self.states + next) as u16;
                        filled.state = next as u8;
                        // One name stands for all states that have not appeared.
                        let names = if next == new { self.states - new } else { 1 };
                        filled.seen = hypothesis.seen.max(next as u8 + 1);
                        *kept.entry(filled).or_default() += count / choices * names as u128;
                    }
                }
                code if (usize::from(code) - 1) / self.states == act => {
                    let state = ((usize::from(code) - 1) % self.states) as u8;
                    *kept.entry(Hypothesis { state, ..hypothesis }).or_default() += count;
                }
                _ => {}
            }
        }
        self.hypotheses = kept;
        let share = self.consistent() as f64 / before as f64 * self.tape.reading(token.read);
        self.tape.apply(token);
        -share.log2()
    }
}

/// Bayes over a list of machines, each as likely as its weight: the memoriser (machines seen in training), the
/// reference for [`ClassBayes`] (all of a class), or, of one machine, the oracle.
#[derive(Clone, Debug)]
pub struct ListBayes<'a> {
    tape: ObservedTape,
    /// Machine, its state, its weight.
    consistent: Vec<(&'a Machine, u8, f64)>,
    symbols: usize,
}

impl<'a> ListBayes<'a> {
    /// The prior. All machines must have `symbols` symbols.
    pub fn new(
        machines: impl IntoIterator<Item = (&'a Machine, f64)>,
        symbols: usize,
        initial: InitialTape,
    ) -> ListBayes<'a> {
        let consistent = machines.into_iter().map(|(machine, weight)| (machine, 0, weight)).collect();
        ListBayes { tape: ObservedTape::new(symbols, initial), consistent, symbols }
    }

    /// The machines that agree with everything seen, with the state each would be in and its posterior weight, not
    /// normalised.
    pub fn consistent(&self) -> &[(&'a Machine, u8, f64)] {
        &self.consistent
    }

    fn acts(&self, read: u8) -> Vec<f64> {
        let total: f64 = self.consistent.iter().map(|&(_, _, weight)| weight).sum();
        let mut acts = vec![0.0; 2 * self.symbols];
        for &(machine, state, weight) in &self.consistent {
            if let Some(transition) = machine.entry(state, read) {
                acts[act(transition.write, transition.shift)] += weight / total;
            }
        }
        acts
    }
}

impl SequenceModel for ListBayes<'_> {
    fn alphabet(&self) -> usize {
        HeadToken::count(self.symbols)
    }

    fn probabilities(&self) -> Vec<f64> {
        self.tape.distribution(|read| self.acts(read))
    }

    fn observe(&mut self, symbol: usize) -> f64 {
        let token = HeadToken::of_index(symbol, self.symbols);
        let sum = |list: &[(&Machine, u8, f64)]| list.iter().map(|&(_, _, weight)| weight).sum::<f64>();
        let before = sum(&self.consistent);
        self.consistent.retain_mut(|(machine, state, _)| {
            let transition = machine.entry(*state, token.read);
            let fits = |it: &Transition| it.write == token.write && it.shift == token.shift;
            match transition.filter(fits).and_then(|transition| transition.next) {
                Some(next) => {
                    *state = next;
                    true
                }
                None => false,
            }
        });
        let share = sum(&self.consistent) / before * self.tape.reading(token.read);
        self.tape.apply(token);
        -share.log2()
    }
}

/// Code lengths of the table-filler, in bits a step: a look-up that is told the state, knows every entry that the run
/// has already used, and takes every write and move for equally likely in the others. It infers nothing: what a model
/// gains over it on unused entries is inference, and what it loses on used ones is hidden state not tracked.
pub fn table_filler(run: &[HeadStep], symbols: usize, initial: InitialTape) -> Vec<f64> {
    let mut tape = ObservedTape::new(symbols, initial);
    let mut used = std::collections::BTreeSet::new();
    let bits = |step: &HeadStep| {
        let reading = tape.reading(step.token.read);
        let acting = if used.insert((step.state, step.token.read)) { 1.0 / (2 * symbols) as f64 } else { 1.0 };
        tape.apply(step.token);
        -(reading * acting).log2()
    };
    run.iter().map(bits).collect()
}
