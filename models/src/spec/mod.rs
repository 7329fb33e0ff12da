//! What a model is: its kind and sizes, its parameters, its taps.

mod config;
mod lstm;
mod relative;
mod transformer;

use environments::{Geometry, Symbol};
use serde::{Deserialize, Serialize};

use crate::ModelError;
use crate::parameters::Layout;

pub use config::ModelConfig;
pub(crate) use lstm::LAYER_TAPS;
pub use lstm::LstmConfig;
pub use relative::{Relative, relative_positions};
pub(crate) use transformer::BLOCK_TAPS;
pub use transformer::TransformerConfig;

/// A model for one kind of sequence: everything that fixes the names and shapes of its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelSpec {
    /// Number of input symbols.
    pub vocabulary: usize,
    /// Number of output symbols.
    pub targets: usize,
    /// Where the positions lie.
    pub geometry: Geometry,
    /// Kind and sizes. (Checkpoints from before there were kinds call it `transformer`.)
    #[serde(alias = "transformer")]
    pub model: ModelConfig,
}

/// A tap's name and the shape of one sequence's activation there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapShape {
    /// Name, such as `blocks.0.resid_post`.
    pub name: String,
    /// Rows: positions, or heads × positions for attention patterns.
    pub rows: usize,
    /// Columns: the stream's width, or keys for attention patterns.
    pub width: usize,
}

impl ModelSpec {
    /// Checks the sizes.
    ///
    /// # Errors
    /// If a size is zero or too large, one does not divide another, or the positions do not suit the kind.
    pub fn validate(&self) -> Result<(), ModelError> {
        match &self.model {
            ModelConfig::Transformer(config) => config.validate(self.geometry),
            ModelConfig::Lstm(config) => config.validate(self.geometry),
        }
    }

    /// Names, shapes and offsets of all parameters in the flat buffer. Matrices are input × output, row-major.
    pub fn layout(&self) -> Layout {
        match &self.model {
            ModelConfig::Transformer(config) => config.layout(self),
            ModelConfig::Lstm(config) => config.layout(self),
        }
    }

    /// All taps in the order in which they fire.
    pub fn taps(&self) -> Vec<TapShape> {
        match &self.model {
            ModelConfig::Transformer(config) => config.taps(self),
            ModelConfig::Lstm(config) => config.taps(self),
        }
    }

    /// The number of a tap in [`ModelSpec::taps`].
    ///
    /// # Errors
    /// If there is no such tap; the error names the nearest.
    pub fn tap(&self, name: &str) -> Result<usize, ModelError> {
        let taps = self.taps();
        taps.iter().position(|tap| tap.name == name).ok_or_else(|| {
            let nearest = taps
                .iter()
                .min_by_key(|tap| strsim::levenshtein(&tap.name, name))
                .map_or_else(String::new, |tap| tap.name.clone());
            ModelError::UnknownTap { tap: name.into(), nearest }
        })
    }

    /// The number of sequences, if these are whole sequences of symbols that the model knows.
    ///
    /// # Errors
    /// If their number is not a multiple of the length, or one is outside the vocabulary.
    pub fn check_tokens(&self, tokens: &[Symbol]) -> Result<usize, ModelError> {
        let length = self.geometry.len();
        if !tokens.len().is_multiple_of(length) {
            return Err(ModelError::Shape(format!("{} tokens are not whole sequences of {length}", tokens.len())));
        }
        self.check_symbols(tokens)?;
        Ok(tokens.len() / length)
    }

    pub(crate) fn check_symbols(&self, tokens: &[Symbol]) -> Result<(), ModelError> {
        let vocabulary = self.vocabulary;
        match tokens.iter().find(|&&token| usize::from(token) >= vocabulary) {
            Some(token) => Err(ModelError::Shape(format!("token {token} is outside the vocabulary of {vocabulary}"))),
            None => Ok(()),
        }
    }
}

fn at_least_one(sizes: &[(&str, usize)]) -> Result<(), ModelError> {
    match sizes.iter().find(|(_, value)| *value == 0) {
        Some((key, _)) => Err(ModelError::Config(format!("model.{key} is 0; it must be at least 1"))),
        None => Ok(()),
    }
}
