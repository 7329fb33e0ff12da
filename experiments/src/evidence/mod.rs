//! The evidence toolkit: what a sceptical reviewer asks for, built once for every experiment.
//!
//! **Duty.** Probes and their controls, description lengths, erasure, scores, and intervals over seeds and clusters.
//!
//! **Invariants.** Every figure is a pure function of its inputs and of a stream's address, with the same bits at
//! any number of threads: sums run in one fixed order, and `exp` and `ln` are this module's own. What is free in a
//! probe is chosen on validation rows; test rows are only scored. A score that is undefined is `None`.
//!
//! **Must never know.** What the features stand for: worlds, boards, gliders.

mod bootstrap;
pub mod controls;
mod dataset;
mod description;
mod dictionary;
mod erasure;
pub mod linear;
pub mod logistic;
pub mod metrics;
pub mod numeric;
mod probe;
mod ridge;
pub mod statistics;
#[cfg(test)]
mod tests;

pub use bootstrap::{Arm, Bootstrap, Design, Estimate, Totals, over_seeds};
pub use dataset::{Components, Dataset, Standardiser};
pub use description::{OnlineCode, online_code};
pub use dictionary::{Dictionary, DictionaryConfig, Reconstruction, recovered};
pub use erasure::{Eraser, Whitening};
pub use metrics::Confusion;
pub use probe::{Fitted, Predictions, Probe, Score, fit};
pub use ridge::{Ridge, Targets};

use crate::experiment::Listed;

/// All kinds of probe and of control, for `stance list`.
pub const PROBES: &[Listed] = &[
    Listed { name: "logistic", about: "multinomial logistic regression, L2 penalty chosen on validation, by L-BFGS" },
    Listed { name: "ridge", about: "closed-form ridge regression, for classes and for quantities (R² out of sample)" },
    Listed {
        name: "mlp",
        about: "a perceptron of stated width, stopped on validation: what is there but not linearly",
    },
    Listed { name: "control-task", about: "labels fixed at random by input type; selectivity is the score beyond it" },
    Listed { name: "online-code", about: "prequential description length of labels given activations, in bits" },
    Listed { name: "leace", about: "closed-form erasure of a concept, beside random subspaces of the same rank" },
];
