//! Sequence models, their training, taps and interventions.
//!
//! **Duty.** Turn symbols into predictions and back into gradients, on a CPU or on CUDA, and let a caller read and
//! change every named activation on the way.
//!
//! **Invariants.** Weights are drawn from a caller's ChaCha stream and are equal on every device. On the devices
//! `cpu`, `flex` and `ndarray`, the same configuration and seed give the same bytes at any thread count and after
//! a resume; on `cpu` also on any machine. The learning rate is a pure function of the step.
//!
//! **Must never know.** Which world the symbols come from, what a claim is, bevy. No other crate names burn.

mod device;
mod error;
pub mod native;
mod parameters;
mod plan;
mod scores;
mod spec;
#[cfg(feature = "burn")]
pub mod tensors;
#[cfg(not(feature = "burn"))]
#[path = "without_burn.rs"]
pub mod tensors;
mod training;

pub use device::{Device, Generator, Learner, Predictor, generator, learner, predictor};
pub use error::ModelError;
pub use parameters::{Entry, Layout, Parameters};
pub use plan::{Action, Captured, Intervention, Plan, Run};
pub use scores::{draw, generate, log_probabilities};
pub use spec::{LstmConfig, ModelConfig, ModelSpec, Relative, TapShape, TransformerConfig, relative_positions};
pub use training::{
    AdamW, Batch, Progress, TrainingConfig, TrainingState, Verdict, checkpoint_steps, load_parameters, load_state,
    save_parameters, save_state, train,
};
