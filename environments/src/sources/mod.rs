//! Controls from the literature on universal prediction: memoryless, Markov and variable-order sources, whose Bayes answer
//! is a textbook estimator, and the tasks of the Chomsky-hierarchy benchmark.

mod config;
mod tasks;
mod world;

pub use config::{Kind, SourcesConfig};
pub use tasks::Task;
pub use world::{SourceEpisode, SourcesWorld};
