//! The fused CPU engine: forward and backward passes written out, one sequence at a time (a few, for an LSTM), so that
//! what a sequence needs stays in a core's cache; sequences are shared out over cores. burn's graph of whole-batch
//! tensors passes every intermediate result through memory instead.
//!
//! The same bits on any machine and at any thread count: products and sums have one fixed order ([`kernel`],
//! [`math`]), and the gradient of a batch is summed in [`LANES`] fixed parts whatever the number of threads.

pub mod cnn;
mod dense;
mod descend;
pub mod double;
mod generator;
pub mod kernel;
mod learner;
mod lstm;
pub mod math;
pub mod mlp;
mod network;
mod pool;
mod switch;
mod transformer;
mod visitor;

pub use cnn::{Cnn, CnnConfig};
pub(crate) use generator::generator;
pub use learner::memory_bound;
pub(crate) use learner::{learner, predictor};
pub use mlp::{Mlp, MlpConfig};
pub use switch::{Operation, run_plainly};

/// Parts in which a batch's gradient is summed; also the greatest number of threads that one step uses.
pub const LANES: usize = 8;
