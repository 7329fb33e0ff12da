//! Cellular automata: rules, patterns, file formats, names and census.

pub mod rule;

pub use rule::{Neighbourhood, Rule, RuleError, Topology};
