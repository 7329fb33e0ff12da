//! A config's `[model]`: which kind of model, and its sizes.

use serde::{Deserialize, Serialize};

use super::{LstmConfig, TransformerConfig};

/// A kind of model and its sizes.
///
/// As a table: `kind` ("transformer", which is the default, or "lstm") beside the keys of that kind. A key that
/// belongs to another kind is an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Keys", into = "Keys")]
pub enum ModelConfig {
    /// Attention.
    Transformer(TransformerConfig),
    /// Recurrence.
    Lstm(LstmConfig),
}

impl Default for ModelConfig {
    fn default() -> Self {
        TransformerConfig::default().into()
    }
}

impl From<TransformerConfig> for ModelConfig {
    fn from(config: TransformerConfig) -> Self {
        ModelConfig::Transformer(config)
    }
}

impl From<LstmConfig> for ModelConfig {
    fn from(config: LstmConfig) -> Self {
        ModelConfig::Lstm(config)
    }
}

impl ModelConfig {
    /// The name of its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            ModelConfig::Transformer(_) => "transformer",
            ModelConfig::Lstm(_) => "lstm",
        }
    }

    /// Blocks or layers that a sequence passes.
    pub fn depth(&self) -> usize {
        match self {
            ModelConfig::Transformer(config) => config.depth,
            ModelConfig::Lstm(config) => config.depth,
        }
    }

    /// Width of the residual stream or of the states.
    pub fn width(&self) -> usize {
        match self {
            ModelConfig::Transformer(config) => config.width,
            ModelConfig::Lstm(config) => config.width,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Transformer,
    Lstm,
}

/// All keys of all kinds. A transformer's kind is not written, so that its configs read as they did when there was no
/// other.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Keys {
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<Kind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    depth: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    heads: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expansion: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    loops: Option<usize>,
}

impl TryFrom<Keys> for ModelConfig {
    type Error = String;

    fn try_from(keys: Keys) -> Result<Self, String> {
        let Keys { kind, depth, width, heads, expansion, loops } = keys;
        match kind.unwrap_or(Kind::Transformer) {
            Kind::Transformer => {
                let usual = TransformerConfig::default();
                Ok(ModelConfig::Transformer(TransformerConfig {
                    depth: depth.unwrap_or(usual.depth),
                    width: width.unwrap_or(usual.width),
                    heads: heads.unwrap_or(usual.heads),
                    expansion: expansion.unwrap_or(usual.expansion),
                    loops: loops.unwrap_or(usual.loops),
                }))
            }
            Kind::Lstm => {
                for (key, value) in [("heads", heads), ("expansion", expansion), ("loops", loops)] {
                    if value.is_some() {
                        return Err(format!("`{key}` is not a key of kind = \"lstm\", which has `depth` and `width`"));
                    }
                }
                let usual = LstmConfig::default();
                let (depth, width) = (depth.unwrap_or(usual.depth), width.unwrap_or(usual.width));
                Ok(ModelConfig::Lstm(LstmConfig { depth, width }))
            }
        }
    }
}

impl From<ModelConfig> for Keys {
    fn from(config: ModelConfig) -> Self {
        match config {
            ModelConfig::Transformer(TransformerConfig { depth, width, heads, expansion, loops }) => Keys {
                kind: None,
                depth: Some(depth),
                width: Some(width),
                heads: Some(heads),
                expansion: Some(expansion),
                loops: Some(loops).filter(|&loops| loops != 1),
            },
            ModelConfig::Lstm(LstmConfig { depth, width }) => {
                Keys { kind: Some(Kind::Lstm), depth: Some(depth), width: Some(width), ..Keys::default() }
            }
        }
    }
}
