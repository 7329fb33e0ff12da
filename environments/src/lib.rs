//! Worlds whose ground truth is known exactly.
//!
//! **Duty.** Generate episodes, their labels and their exact counterfactuals.
//!
//! **Invariants.** [`Environment::sample`] and [`Environment::episode`] are pure functions of (configuration,
//! split, index): the same bytes for ever, on any machine, in any order, on any number of threads. Splits are
//! disjoint by system up to the world's own symmetries. Labels come from simulation, never from a time-out or a
//! guess; what cannot be known is labelled so.
//!
//! **Must never know.** Tensors, models, windows, the clock, the number of threads, a global random generator.

pub mod automata;
pub mod elementary;
mod environment;
mod ground;
pub mod life;
pub mod othello;
pub mod sequence;
pub mod sources;
mod stream;
pub mod turing;

pub use environment::{
    Address, Column, Edit, Environment, EnvironmentError, Episode, Geometry, Labels, Outline, Sample, Scene, Scope,
    Split, Symbol, TapeRow, UNSCORED,
};
pub use stream::{Draw, Stream, stream};
