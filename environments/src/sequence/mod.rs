//! Statistical sequence models: the reference code lengths that learned models stand beside.
//!
//! All are sequential: they give the probability of the next symbol from those before it, so code lengths are ideal
//! ones, −log2 of the probability of the whole sequence, with no coder's rounding. Sums are kept in logarithms.
//!
//! | model | what it is |
//! |---|---|
//! | [`KrichevskyTrofimov`] | memoryless source, Dirichlet(½, …, ½) prior |
//! | [`Markov`] | order-k source, one KT estimator a context |
//! | [`ContextTreeWeighting`] | all tree sources up to a depth, weighted by one half at every node |
//! | [`Ppm`] | prediction by partial matching, escape method C with exclusion |

mod context_tree;
mod ctw;
mod kt;
mod ppm;

pub use ctw::{ContextTreeWeighting, tree_source_mixture_reference};
pub use kt::{KrichevskyTrofimov, Markov};
pub use ppm::Ppm;

/// A model that predicts one symbol after another.
pub trait SequenceModel {
    /// Number of different symbols.
    fn alphabet(&self) -> usize;

    /// The probability of each symbol to come next; they sum to 1.
    fn probabilities(&self) -> Vec<f64>;

    /// Takes the next symbol and returns its code length in bits.
    ///
    /// # Panics
    /// If the symbol is not below [`SequenceModel::alphabet`].
    fn observe(&mut self, symbol: usize) -> f64;
}

impl<M: SequenceModel + ?Sized> SequenceModel for Box<M> {
    fn alphabet(&self) -> usize {
        (**self).alphabet()
    }

    fn probabilities(&self) -> Vec<f64> {
        (**self).probabilities()
    }

    fn observe(&mut self, symbol: usize) -> f64 {
        (**self).observe(symbol)
    }
}

/// The code length of each symbol of a sequence, in bits.
pub fn code_lengths(model: &mut dyn SequenceModel, sequence: &[usize]) -> Vec<f64> {
    sequence.iter().map(|&symbol| model.observe(symbol)).collect()
}
