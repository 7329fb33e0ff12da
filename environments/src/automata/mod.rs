//! Cellular automata: rules, patterns, file formats, names and census.

pub mod formats;
pub mod pattern;
pub mod rule;

pub use formats::{Format, FormatError, PatternFile};
pub use pattern::{BoundingBox, Cell, Pattern};
pub use rule::{Neighbourhood, Rule, RuleError, Topology};
