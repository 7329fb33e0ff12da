//! Prediction by partial matching.

use super::SequenceModel;
use super::context_tree::{ContextTree, History};

/// Prediction by partial matching with escape method C and exclusion (PPMC: Moffat, "Implementing the PPM data
/// compression scheme", IEEE Transactions on Communications 38, 1990).
///
/// In the longest context that was seen, with n symbols counted of which q are different, symbol a has probability c_a
/// / (n + q) and the escape to the next shorter context q / (n + q); symbols of longer contexts are left out of the
/// counts, but not out of q. Below the empty context all symbols not seen are alike. Counts are kept in contexts of
/// every length (no update exclusion), as in the worked example of Cleary and Teahan, "Unbounded length contexts for
/// PPM", The Computer Journal 40, 1997.
#[derive(Clone, Debug)]
pub struct Ppm {
    alphabet: usize,
    tree: ContextTree,
    history: History,
}

impl Ppm {
    /// A model whose contexts have up to `order` symbols, with the symbols before the first.
    pub fn new(alphabet: usize, order: usize, past: &[usize]) -> Ppm {
        Ppm { alphabet, tree: ContextTree::new(alphabet), history: History::new(order, past) }
    }
}

impl SequenceModel for Ppm {
    fn alphabet(&self) -> usize {
        self.alphabet
    }

    fn probabilities(&self) -> Vec<f64> {
        let mut probabilities = vec![0.0; self.alphabet];
        let mut excluded = vec![false; self.alphabet];
        let mut escaped = 1.0;
        for &node in self.tree.known(self.history.actual()).iter().rev() {
            let counts = self.tree.counts(node);
            let different = counts.iter().filter(|&&count| count > 0).count();
            // A context that was never followed by anything escapes for free.
            if different == 0 {
                continue;
            }
            // Once every symbol has its place there is nothing to escape to.
            let left: Vec<usize> =
                (0..self.alphabet).filter(|&symbol| counts[symbol] > 0 && !excluded[symbol]).collect();
            let complete = (0..self.alphabet).all(|symbol| counts[symbol] > 0 || excluded[symbol]);
            let escapes = if complete { 0.0 } else { different as f64 };
            let total = left.iter().map(|&symbol| f64::from(counts[symbol])).sum::<f64>() + escapes;
            for symbol in left {
                probabilities[symbol] = escaped * f64::from(counts[symbol]) / total;
                excluded[symbol] = true;
            }
            if complete {
                return probabilities;
            }
            escaped *= escapes / total;
        }
        let unseen = excluded.iter().filter(|&&excluded| !excluded).count() as f64;
        for (probability, excluded) in probabilities.iter_mut().zip(excluded) {
            if !excluded {
                *probability = escaped / unseen;
            }
        }
        probabilities
    }

    fn observe(&mut self, symbol: usize) -> f64 {
        let bits = -self.probabilities()[symbol].log2();
        for node in self.tree.grown(self.history.actual()) {
            self.tree.count(node, symbol);
        }
        self.history.push(symbol);
        bits
    }
}
