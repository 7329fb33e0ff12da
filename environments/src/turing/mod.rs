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
mod outputs;
mod packed;
mod population;
mod posterior;
mod prior;
mod rule;
mod run;
mod sight;
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
pub use outputs::{OutputBayes, Outputs};
pub use packed::{PackedSimulator, run_packed};
pub use population::{Condition, Disjoint, draw_machine, draw_until};
pub use posterior::Posterior;
pub use prior::Prior;
pub use run::{Outcome, Run, run_reference};
pub use sight::{Around, Sight, View};
pub use strata::Strata;
pub use traces::{Trace, Traces, traces};
pub use view::{Halt, HeadStep, HeadToken, InitialTape, head_run, head_run_on, head_run_to_halt};
pub use world::{
    Apart, FORM_STEPS, HELD_BACK, MOST_TOKENS, Sampling, Tape, TuringBayes, TuringConfig, TuringEpisode, TuringWorld,
};
