//! Controls from the literature on universal prediction: memoryless, Markov and variable-order sources, whose Bayes answer
//! is a textbook estimator; the tasks of the Chomsky-hierarchy benchmark; and hidden Markov processes with exact beliefs.

mod config;
mod hidden;
mod tasks;
mod world;

pub use config::{Kind, SourcesConfig};
pub use hidden::{HiddenConfig, HiddenEpisode, HiddenWorld, Process};
pub use tasks::Task;
pub use world::{SourceEpisode, SourcesWorld};
