//! Cellular automata: rules, patterns, file formats, names and census.

pub mod apgcode;
pub mod formats;
mod kernel;
pub mod pattern;
pub mod plane;
pub mod reference;
pub mod rule;

pub use formats::{Format, FormatError, PatternFile};
pub use pattern::{BoundingBox, Cell, Pattern};
pub use plane::Plane;
pub use rule::{Neighbourhood, Rule, RuleError, Topology};
