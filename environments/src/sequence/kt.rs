//! The Krichevsky–Trofimov estimator, alone and in every context of a fixed length.

use super::SequenceModel;
use super::context_tree::{ContextTree, History};

/// The estimator's probability of a symbol, (n_a + ½) / (n + A/2), after counts (Krichevsky and Trofimov, "The
/// performance of universal encoding", IEEE Transactions on Information Theory 27, 1981).
pub(super) fn kt(counts: &[u32], symbol: usize) -> f64 {
    let total: f64 = counts.iter().map(|&count| f64::from(count)).sum();
    (f64::from(counts[symbol]) + 0.5) / (total + counts.len() as f64 / 2.0)
}

/// A memoryless source of unknown probabilities under the Dirichlet(½, …, ½) prior.
#[derive(Clone, Debug)]
pub struct KrichevskyTrofimov {
    counts: Vec<u32>,
}

impl KrichevskyTrofimov {
    /// The estimator before the first symbol.
    pub fn new(alphabet: usize) -> KrichevskyTrofimov {
        KrichevskyTrofimov { counts: vec![0; alphabet] }
    }
}

impl SequenceModel for KrichevskyTrofimov {
    fn alphabet(&self) -> usize {
        self.counts.len()
    }

    fn probabilities(&self) -> Vec<f64> {
        (0..self.counts.len()).map(|symbol| kt(&self.counts, symbol)).collect()
    }

    fn observe(&mut self, symbol: usize) -> f64 {
        let bits = -kt(&self.counts, symbol).log2();
        self.counts[symbol] += 1;
        bits
    }
}

/// An order-k Markov source: a KT estimator for each context of k symbols.
#[derive(Clone, Debug)]
pub struct Markov {
    alphabet: usize,
    tree: ContextTree,
    history: History,
}

impl Markov {
    /// A source of an order, with the symbols before the first; those that are missing are symbol 0.
    pub fn new(alphabet: usize, order: usize, past: &[usize]) -> Markov {
        Markov { alphabet, tree: ContextTree::new(alphabet), history: History::new(order, past) }
    }
}

impl SequenceModel for Markov {
    fn alphabet(&self) -> usize {
        self.alphabet
    }

    fn probabilities(&self) -> Vec<f64> {
        let path = self.tree.known(self.history.padded());
        // A context that is new has no counts.
        let none = vec![0; self.alphabet];
        let known = path.len() == self.history.padded().count() + 1;
        let counts = if known { self.tree.counts(path[path.len() - 1]) } else { &none };
        (0..self.alphabet).map(|symbol| kt(counts, symbol)).collect()
    }

    fn observe(&mut self, symbol: usize) -> f64 {
        let path = self.tree.grown(self.history.padded());
        let leaf = path[path.len() - 1];
        let bits = -kt(self.tree.counts(leaf), symbol).log2();
        self.tree.count(leaf, symbol);
        self.history.push(symbol);
        bits
    }
}
