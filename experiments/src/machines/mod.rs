//! Experiments with Turing machines: one of them, and many.
//!
//! Worlds → training ([`train`]) → scores beside exact references ([`scores`]) → findings. All scores are in nats a step
//! and stand as excess over a reference that meets the same random cells of the tape.

mod diversity;
mod dovetail;
mod halting;
pub(crate) mod nats;
pub(crate) mod references;
mod scores;
pub(crate) mod settings;
mod single;
mod table;
pub(crate) mod train;
mod twins;
pub(crate) mod words;

pub use diversity::{MachineDiversity, world_of as diversity_world};
pub use dovetail::Dovetail;
pub use halting::{Halting, HaltingPrefix};
pub use single::SingleMachine;
pub use table::RuleTable;
pub(crate) use twins::measure::{row, taps};
pub use twins::{EvilTwin, Pair, pairs};
