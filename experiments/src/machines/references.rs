//! What models of machines are measured against: exact answers and statistical ones, as predictions at every step.

use environments::sequence::{ContextTreeWeighting, KrichevskyTrofimov, Markov, Ppm, SequenceModel};
use environments::turing::{ClassBayes, InitialTape, ListBayes, Machine, table_filler};
use rayon::prelude::*;

use super::scores::{Predictions, Runs};
use crate::evidence::numeric::logarithm;

/// Predictions of a sequence model, made anew for every run, before each of its steps.
pub fn of<M: SequenceModel>(runs: &Runs, fresh: impl Fn(usize) -> M + Sync) -> Predictions {
    let one = |(run, numbers): (usize, &Vec<usize>)| {
        let mut model = fresh(run);
        let mut all = Vec::with_capacity(numbers.len() * model.alphabet());
        for &number in numbers {
            all.extend(model.probabilities());
            model.observe(number);
        }
        all
    };
    Predictions { targets: runs.targets, rows: runs.numbers.par_iter().enumerate().map(one).collect() }
}

/// The generaliser: Bayes over every never-halting machine of the class.
pub fn generaliser(runs: &Runs, states: usize, symbols: usize, initial: InitialTape) -> Predictions {
    of(runs, |_| match ClassBayes::new(states, symbols, initial) {
        Some(bayes) => bayes,
        None => unreachable!("the class of a world is one that can be counted"),
    })
}

/// Bayes over a list of machines that expects anything once none of them fits.
struct Memoriser<'a> {
    bayes: ListBayes<'a>,
    symbols: usize,
    lost: bool,
}

impl SequenceModel for Memoriser<'_> {
    fn alphabet(&self) -> usize {
        self.bayes.alphabet()
    }

    fn probabilities(&self) -> Vec<f64> {
        let tokens = 2 * self.symbols * self.symbols;
        if self.lost { vec![1.0 / tokens as f64; tokens] } else { self.bayes.probabilities() }
    }

    fn observe(&mut self, symbol: usize) -> f64 {
        if self.lost {
            return 0.0;
        }
        let bits = self.bayes.observe(symbol);
        self.lost = self.bayes.consistent().is_empty();
        bits
    }
}

/// The memoriser: Bayes over the machines seen in training. Of one machine: the oracle, who knows it.
pub fn memoriser(runs: &Runs, machines: &[Machine], symbols: usize, initial: InitialTape) -> Predictions {
    let bayes = || ListBayes::new(machines.iter().map(|machine| (machine, 1.0)), symbols, initial);
    of(runs, |_| Memoriser { bayes: bayes(), symbols, lost: false })
}

/// The oracle: told the machine of each run.
pub fn oracle(runs: &Runs, symbols: usize, initial: InitialTape) -> Predictions {
    of(runs, |run| ListBayes::new([(&runs.episodes[run].machine, 1.0)], symbols, initial))
}

/// Statistical predictors, by name: none of them knows what a machine is.
pub fn statistical(runs: &Runs) -> Vec<(String, Predictions)> {
    let symbols = runs.targets;
    let mut all = vec![("frequencies (KT)".to_string(), of(runs, |_| KrichevskyTrofimov::new(symbols)))];
    for order in [1, 2] {
        all.push((format!("order-{order} Markov (KT)"), of(runs, |_| Markov::new(symbols, order, &[]))));
    }
    all.push(("context-tree weighting, depth 3".into(), of(runs, |_| ContextTreeWeighting::new(symbols, 3, &[]))));
    all.push(("PPM, order 3".into(), of(runs, |_| Ppm::new(symbols, 3, &[]))));
    all
}

/// Nats of the table-filler at every step of every run.
pub fn filler(runs: &Runs, symbols: usize, initial: InitialTape) -> Vec<Vec<f64>> {
    let two = logarithm(2.0);
    let one = |episode: &environments::turing::TuringEpisode| -> Vec<f64> {
        table_filler(&episode.steps, symbols, initial).into_iter().map(|bits| bits * two).collect()
    };
    runs.episodes.par_iter().map(one).collect()
}
