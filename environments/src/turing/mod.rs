//! Turing machines: their text, simulators from the obvious one to the accelerated, classes of them counted in full,
//! deciders, and the exact Bayes answer for what they write.
//!
//! Conventions throughout: the start state is `A`, the tape is two-way infinite and starts blank (symbol 0), and a
//! halting transition counts as a step.

mod accelerated;
mod bayes;
mod block;
pub mod deciders;
mod enumerate;
mod halting;
pub mod machine;
mod packed;
mod population;
mod rule;
mod run;
mod strata;
mod tape;
mod traces;
pub mod universal;
mod view;
mod world;

pub use accelerated::{MOST_STEPS, run, run_accelerated};
pub use bayes::{ClassBayes, ListBayes, table_filler};
pub use enumerate::{Class, Enumeration, EnumerationError, enumerate, enumerate_reference};
pub use halting::{HaltingConfig, HaltingEpisode, HaltingWorld};
pub use machine::{Machine, MachineError, Move, Transition};
pub use packed::{PackedSimulator, run_packed};
pub use population::{Condition, Disjoint, draw_machine, draw_until};
pub use run::{Outcome, Run, run_reference};
pub use strata::Strata;
pub use traces::{Trace, Traces, traces};
pub use view::{HeadStep, HeadToken, InitialTape, head_run, head_run_on};
pub use world::{Apart, HELD_BACK, Sampling, Tape, TuringConfig, TuringEpisode, TuringWorld};
