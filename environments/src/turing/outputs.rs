//! The exact Bayes answer for the `output` view: how likely each output is, all of them gathered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::prior::{Prior, Tables};
use crate::sequence::SequenceModel;

/// Most ways to run that are gathered.
const MOST_RUNS: usize = 1 << 23;

/// What machines of a prior leave on a blank tape, and how likely each output is.
#[derive(Debug)]
pub struct Outputs {
    symbols: usize,
    /// Outputs in order, each with its end, and the probability of those before it.
    outputs: Vec<(Vec<u8>, f64)>,
    total: f64,
}

struct Run {
    tables: Tables,
    share: f64,
    used: BTreeMap<(u8, u8), super::machine::Transition>,
    tape: BTreeMap<i64, u8>,
    head: i64,
    state: u8,
    steps: usize,
}

impl Outputs {
    /// The outputs of runs of at most so many steps: the cells that the head has stood on, from left to right, then an end.
    /// `None` if there are too many ways to run. `symbols` are those of the view.
    pub fn new(prior: &Prior, symbols: usize, steps: usize) -> Option<Outputs> {
        let runs = AtomicUsize::new(0);
        let start = |(share, tables): &(f64, Tables)| Run {
            tables: tables.clone(),
            share: *share,
            used: BTreeMap::new(),
            tape: BTreeMap::new(),
            head: 0,
            state: 0,
            steps: 0,
        };
        let mut left: Vec<(Vec<u8>, f64)> = Vec::new();
        for first in &prior.starts {
            // Branches are gathered in order, so that sums do not depend on who is first.
            let mut branches = vec![start(first)];
            for _ in 0..2 {
                branches = branches.into_iter().flat_map(|run| run.on(steps, symbols, &mut left)).collect();
            }
            let parts: Vec<Vec<(Vec<u8>, f64)>> = branches
                .into_par_iter()
                .map(|run| {
                    let (mut left, mut open) = (Vec::new(), vec![run]);
                    while let Some(run) = open.pop() {
                        if runs.fetch_add(1, Ordering::Relaxed) > MOST_RUNS {
                            break;
                        }
                        open.extend(run.on(steps, symbols, &mut left));
                    }
                    left
                })
                .collect();
            left.extend(parts.into_iter().flatten());
        }
        if runs.into_inner() > MOST_RUNS {
            return None;
        }
        left.sort_by(|one, other| one.0.cmp(&other.0));
        let mut outputs: Vec<(Vec<u8>, f64)> = Vec::new();
        let mut total = 0.0;
        for (output, weight) in left {
            if outputs.last().is_none_or(|(last, _)| *last != output) {
                outputs.push((output, total));
            }
            total += weight;
        }
        Some(Outputs { symbols, outputs, total })
    }

    /// Number of different outputs.
    pub fn len(&self) -> usize {
        self.outputs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.outputs.is_empty()
    }

    /// Bayes before the first cell.
    pub fn bayes(self: &Arc<Self>) -> OutputBayes {
        OutputBayes { outputs: Arc::clone(self), range: 0..self.outputs.len(), place: 0 }
    }

    /// The probability of the outputs before one.
    fn before(&self, output: usize) -> f64 {
        self.outputs.get(output).map_or(self.total, |&(_, before)| before)
    }
}

impl Run {
    /// Goes on to an entry that was not used before, and parts there; or to the end, and puts the output to the others.
    fn on(mut self, most: usize, end: usize, left: &mut Vec<(Vec<u8>, f64)>) -> Vec<Run> {
        while self.steps < most {
            let read = *self.tape.entry(self.head).or_insert(0);
            let place = (self.state, read);
            let Some(&transition) = self.used.get(&place) else {
                let parts = self.tables.parted(self.state, read);
                let part = |(transition, tables)| {
                    let mut used = self.used.clone();
                    used.insert(place, transition);
                    Run { tables, used, tape: self.tape.clone(), ..self }
                };
                return parts.into_iter().map(part).collect();
            };
            self.tape.insert(self.head, transition.write);
            self.steps += 1;
            let Some(next) = transition.next else { break };
            self.state = next;
            self.head += transition.shift.offset();
        }
        let output = self.tape.into_values().chain([end as u8]).collect();
        left.push((output, self.share * self.tables.weight()));
        Vec::new()
    }
}

/// Bayes over outputs, before each cell.
#[derive(Clone, Debug)]
pub struct OutputBayes {
    outputs: Arc<Outputs>,
    /// Those that begin as what was seen.
    range: std::ops::Range<usize>,
    place: usize,
}

impl OutputBayes {
    /// The outputs, of those that begin as what was seen, that go on with a symbol.
    fn with(&self, symbol: usize) -> std::ops::Range<usize> {
        let outputs = &self.outputs.outputs[self.range.clone()];
        // Outputs that ended here are alone, and first in order nowhere: an end is the greatest symbol.
        let next = |output: &(Vec<u8>, f64)| output.0.get(self.place).copied().map_or(0, usize::from);
        let first = outputs.partition_point(|output| next(output) < symbol);
        let last = outputs.partition_point(|output| next(output) <= symbol);
        self.range.start + first..self.range.start + last
    }

    fn weight(&self, range: &std::ops::Range<usize>) -> f64 {
        self.outputs.before(range.end) - self.outputs.before(range.start)
    }

    fn over(&self) -> bool {
        self.range.is_empty() || (self.place > 0 && self.outputs.outputs[self.range.start].0.len() <= self.place)
    }
}

impl SequenceModel for OutputBayes {
    fn alphabet(&self) -> usize {
        self.outputs.symbols + 1
    }

    /// Uniform once the output has ended or is none of the prior's.
    fn probabilities(&self) -> Vec<f64> {
        let symbols = self.alphabet();
        if self.over() {
            return vec![1.0 / symbols as f64; symbols];
        }
        let total = self.weight(&self.range);
        (0..symbols).map(|symbol| self.weight(&self.with(symbol)) / total).collect()
    }

    /// Infinite for what no machine of the prior would leave; every symbol costs the same from then on.
    fn observe(&mut self, symbol: usize) -> f64 {
        assert!(symbol < self.alphabet(), "symbol {symbol}");
        if self.over() {
            return (self.alphabet() as f64).log2();
        }
        let range = self.with(symbol);
        let share = self.weight(&range) / self.weight(&self.range);
        self.range = range;
        self.place += 1;
        -share.log2()
    }
}
