//! Cellular automata: rules, patterns, file formats, names and census.

pub mod apgcode;
pub mod census;
pub mod elementary;
pub mod evolve;
pub mod formats;
pub mod grid;
pub mod information;
mod kernel;
pub mod pattern;
pub mod plane;
pub mod reference;
pub mod rule;
pub mod torus;

pub use elementary::{ElementaryRow, LineRule, Particles, WolframClass};
pub use evolve::{EvolveError, Evolved, Limits, evolve};
pub use formats::{Format, FormatError, PatternFile};
pub use pattern::{BoundingBox, Cell, Pattern};
pub use plane::Plane;
pub use rule::{Neighbourhood, Rule, RuleError, Topology};
pub use torus::Torus;
