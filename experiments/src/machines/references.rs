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

/// A statistical predictor: none of them knows what makes a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistical {
    /// How often each symbol came.
    Frequencies,
    /// The same after each context of so many symbols.
    Markov(usize),
    /// Context-tree weighting to a depth.
    Tree(usize),
    /// Prediction by partial matching of an order.
    Ppm(usize),
}

impl Statistical {
    /// In words.
    pub fn name(self) -> String {
        match self {
            Statistical::Frequencies => "frequencies (KT)".into(),
            Statistical::Markov(order) => format!("order-{order} Markov (KT)"),
            Statistical::Tree(depth) => format!("context-tree weighting, depth {depth}"),
            Statistical::Ppm(order) => format!("PPM, order {order}"),
        }
    }

    /// The predictor before the first symbol of a sequence.
    pub fn fresh(self, alphabet: usize) -> Box<dyn SequenceModel> {
        match self {
            Statistical::Frequencies => Box::new(KrichevskyTrofimov::new(alphabet)),
            Statistical::Markov(order) => Box::new(Markov::new(alphabet, order, &[])),
            Statistical::Tree(depth) => Box::new(ContextTreeWeighting::new(alphabet, depth, &[])),
            Statistical::Ppm(order) => Box::new(Ppm::new(alphabet, order, &[])),
        }
    }
}

/// Statistical predictions of runs, by the predictor's name.
pub fn statistical(runs: &Runs) -> Vec<(String, Predictions)> {
    use Statistical::{Frequencies, Markov, Ppm, Tree};
    [Frequencies, Markov(1), Markov(2), Tree(3), Ppm(3)]
        .map(|predictor| (predictor.name(), of(runs, |_| predictor.fresh(runs.targets))))
        .to_vec()
}

/// Nats of the table-filler at every step of every run.
pub fn filler(runs: &Runs, symbols: usize, initial: InitialTape) -> Vec<Vec<f64>> {
    let two = logarithm(2.0);
    let one = |episode: &environments::turing::TuringEpisode| -> Vec<f64> {
        table_filler(&episode.steps, symbols, initial).into_iter().map(|bits| bits * two).collect()
    };
    runs.episodes.par_iter().map(one).collect()
}
