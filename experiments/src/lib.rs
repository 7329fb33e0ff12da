//! The binary `stance` as a library: configs, runner, probes, statistics, claims and reports.
//!
//! **Duty.** Take an experiment from its config to a verdict and a report.
//!
//! **Invariants.** A run directory is only ever added to by writing aside and renaming; a verdict comes from
//! `claims` and nowhere else; test data is touched once, after every choice is made.
//!
//! **Must never know.** burn, bevy.

pub mod claims;
pub mod commands;
pub mod config;
pub mod context;
pub mod evidence;
pub mod experiment;
pub mod figures;
mod geometry;
mod glider_chunking;
mod inference;
pub mod intervention;
pub mod machines;
mod moments;
mod othello;
pub mod progress;
pub mod provenance;
pub mod report;
mod rules;
pub mod run_directory;
mod swaps;
