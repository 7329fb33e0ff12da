//! The evidence toolkit: what a sceptical reviewer asks for, built once for every experiment.
//!
//! **Duty.** Probes and their controls, description lengths, erasure, scores, and intervals over seeds and clusters.
//!
//! **Invariants.** Every figure is a pure function of its inputs and of a stream's address, with the same bits at
//! any number of threads: sums run in one fixed order, and `exp` and `ln` are this module's own. What is free in a
//! probe is chosen on validation rows; test rows are only scored. A score that is undefined is `None`.
//!
//! **Must never know.** What the features stand for: worlds, boards, gliders.

mod alignment;
mod attribution;
mod bootstrap;
pub mod controls;
mod dataset;
mod description;
mod dictionary;
pub mod emergence;
mod erasure;
pub mod examples;
pub mod heads;
pub mod interventions;
pub mod linear;
pub mod logistic;
pub mod metrics;
mod nearest_mean;
pub mod numeric;
pub mod paths;
pub mod probe;
mod ridge;
pub mod sources;
pub mod statistics;
pub mod store;
#[cfg(test)]
mod tests;

pub use alignment::{Interchange, SearchConfig, Swap};
pub use attribution::{Attribution, attribute_logits, logit_lens};
pub use bootstrap::{Arm, Bootstrap, Design, Estimate, Totals, over_seeds};
pub use dataset::{Components, Dataset, Standardiser};
pub use description::{OnlineCode, online_code};
pub use dictionary::{Dictionary, DictionaryConfig, Reconstruction, recovered};
pub use erasure::{Eraser, Whitening};
pub use metrics::Confusion;
pub use probe::{Fitted, Predictions, Probe, Score, fit};
pub use ridge::{Ridge, Targets};

use crate::experiment::Listed;

/// Probes and controls: what is built in, then those that are files of their own, for `stance list`.
pub fn probes() -> Vec<Listed> {
    let own = probe::KINDS.iter().map(|kind| Listed { name: kind.name, about: kind.about });
    PROBES.iter().copied().chain(own).collect()
}

/// Interventions, for `stance list`.
pub fn listed_interventions() -> Vec<Listed> {
    let all = interventions::INTERVENTIONS.iter().map(|kind| Listed { name: kind.name, about: kind.about });
    let path = Listed { name: "path", about: "what one component says to another alone is another input's" };
    all.chain([path]).collect()
}

/// Inputs that every reading of a model stands beside, for `stance list`.
pub fn baselines() -> Vec<Listed> {
    let inputs = sources::INPUTS
        .iter()
        .map(|input| Listed { name: input.name, about: "read from the input, by the same probe" });
    let fixed = [
        Listed { name: "random weights", about: "the same architecture as it was drawn, read at every tap" },
        Listed { name: "embedding", about: "the trained model's own, before the first block" },
        Listed { name: sources::OUTPUT, about: "the model's probabilities of every output" },
    ];
    inputs.chain(fixed).collect()
}

/// All built-in kinds of probe and of control.
pub const PROBES: &[Listed] = &[
    Listed { name: "logistic", about: "multinomial logistic regression, L2 penalty chosen on validation, by L-BFGS" },
    Listed { name: "ridge", about: "closed-form ridge regression, for classes and for quantities (R² out of sample)" },
    Listed {
        name: "mlp",
        about: "a perceptron of stated width, stopped on validation: what is there but not linearly",
    },
    Listed { name: "control-task", about: "labels fixed at random by input type; selectivity is the score beyond it" },
    Listed { name: "online-code", about: "prequential description length of labels given activations, in bits" },
    Listed {
        name: "dictionary",
        about: "a TopK sparse autoencoder: held-out reconstruction, dead units, coverage of concepts; frozen decoder beside it",
    },
    Listed {
        name: "interchange",
        about: "along a subspace learnt for it (distributed alignment search), scored against the simulated world's answer",
    },
    Listed { name: "logit-lens", about: "what a layer would say were it the last; logits as a sum over components" },
    Listed {
        name: "head-scores",
        about: "attention to the token before, to what followed the last such token, to one neighbour",
    },
    Listed {
        name: "top-examples",
        about: "where a neuron, a direction or a unit is most active, from a store of activations",
    },
    Listed { name: "components", about: "principal components of a tap, from a store of activations" },
    Listed {
        name: "onset",
        about: "the step at which a measure has risen halfway over checkpoints, with its interval",
    },
    Listed { name: "leace", about: "closed-form erasure of a concept, beside random subspaces of the same rank" },
];
