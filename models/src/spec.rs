//! What a model is: its sizes, its relative positions, its taps.

use environments::{Geometry, Symbol};
use serde::{Deserialize, Serialize};

use crate::ModelError;
use crate::parameters::{Entry, Layout};

/// Sizes of a pre-norm transformer: on a torus every position attends to all, on a line to itself and to the past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TransformerConfig {
    /// Number of blocks.
    pub depth: usize,
    /// Width of the residual stream.
    pub width: usize,
    /// Attention heads; divides the width.
    pub heads: usize,
    /// Hidden width of the MLP as a multiple of the width.
    pub expansion: usize,
}

impl Default for TransformerConfig {
    fn default() -> Self {
        Self { depth: 3, width: 96, heads: 6, expansion: 4 }
    }
}

/// Taps a block, in the order of [`ModelSpec::taps`].
pub(crate) const BLOCK_TAPS: usize = 10;

/// A model for one kind of sequence: everything that fixes the names and shapes of its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelSpec {
    /// Number of input symbols.
    pub vocabulary: usize,
    /// Number of output symbols.
    pub targets: usize,
    /// Where the positions lie.
    pub geometry: Geometry,
    /// Sizes.
    pub transformer: TransformerConfig,
}

/// Relative positions of all pairs of positions in a sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relative {
    /// `index[query * length + key]`: which relative position this pair has.
    pub index: Vec<u16>,
    /// Number of different relative positions.
    pub count: usize,
    /// Whether a position attends only to itself and to those before it; `index` is 0 for the other pairs.
    pub causal: bool,
}

/// The relative position of every (query, key) pair. On a torus: one for each offset (rows × columns of them),
/// then one each for prefix→prefix, prefix→grid and grid→prefix. On a line, which is in time order: one for each
/// distance query − key ≥ 0, and attention is causal.
///
/// A learnt attention bias for each of these makes a model's map equivariant under translations of the torus by
/// construction: nothing about position can be memorised cell by cell, and every rule learnt at one place holds
/// everywhere.
pub fn relative_positions(geometry: Geometry) -> Relative {
    let length = geometry.len();
    let mut index = Vec::with_capacity(length * length);
    match geometry {
        Geometry::Torus { prefix, rows, columns } => {
            let grid = rows * columns;
            for query in 0..length {
                for key in 0..length {
                    index.push(match (query.checked_sub(prefix), key.checked_sub(prefix)) {
                        (Some(query), Some(key)) => {
                            let down = (key / columns + rows - query / columns) % rows;
                            let right = (key % columns + columns - query % columns) % columns;
                            down * columns + right
                        }
                        (None, None) => grid,
                        (None, Some(_)) => grid + 1,
                        (Some(_), None) => grid + 2,
                    } as u16);
                }
            }
            Relative { index, count: grid + 3, causal: false }
        }
        Geometry::Line { .. } => {
            for query in 0..length {
                for key in 0..length {
                    index.push(query.saturating_sub(key) as u16);
                }
            }
            Relative { index, count: length, causal: true }
        }
    }
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
    /// If a size is zero or the heads do not divide the width.
    pub fn validate(&self) -> Result<(), ModelError> {
        let TransformerConfig { depth, width, heads, expansion } = self.transformer;
        for (key, value) in [("depth", depth), ("width", width), ("heads", heads), ("expansion", expansion)] {
            if value == 0 {
                return Err(ModelError::Config(format!("model.{key} is 0; it must be at least 1")));
            }
        }
        if depth > 64 || width > 8192 || expansion > 16 {
            return Err(ModelError::Config(format!(
                "a model of depth {depth}, width {width}, expansion {expansion} is larger than this program builds \
                 (64, 8192, 16)"
            )));
        }
        if width % heads != 0 {
            let nearest = (1..=width).filter(|n| width % n == 0).min_by_key(|n| n.abs_diff(heads)).unwrap_or(1);
            return Err(ModelError::Config(format!(
                "model.heads = {heads} does not divide model.width = {width}; the nearest that does is {nearest}"
            )));
        }
        if self.geometry.len() > 4096 {
            return Err(ModelError::Config(format!(
                "a sequence of {} positions is longer than the 4096 that a full-attention model takes here",
                self.geometry.len()
            )));
        }
        Ok(())
    }

    /// Names, shapes and offsets of all parameters in the flat buffer. Matrices are input × output, row-major.
    pub fn layout(&self) -> Layout {
        let TransformerConfig { depth, width, heads, expansion } = self.transformer;
        let hidden = width * expansion;
        let relative = relative_positions(self.geometry).count;
        let mut entries: Vec<Entry> = Vec::new();
        let mut offset = 0;
        let mut add = |name: String, shape: &[usize], decay: bool| {
            entries.push(Entry { name, shape: shape.to_vec(), offset, decay });
            offset += shape.iter().product::<usize>();
        };
        add("embed.weight".into(), &[self.vocabulary, width], false);
        for block in 0..depth {
            let name = |part: &str| format!("blocks.{block}.{part}");
            add(name("attn.norm.gain"), &[width], false);
            add(name("attn.norm.bias"), &[width], false);
            add(name("attn.qkv.weight"), &[width, 3 * width], true);
            add(name("attn.qkv.bias"), &[3 * width], false);
            add(name("attn.relative"), &[heads, relative], false);
            add(name("attn.out.weight"), &[width, width], true);
            add(name("attn.out.bias"), &[width], false);
            add(name("mlp.norm.gain"), &[width], false);
            add(name("mlp.norm.bias"), &[width], false);
            add(name("mlp.up.weight"), &[width, hidden], true);
            add(name("mlp.up.bias"), &[hidden], false);
            add(name("mlp.down.weight"), &[hidden, width], true);
            add(name("mlp.down.bias"), &[width], false);
        }
        add("final.norm.gain".into(), &[width], false);
        add("final.norm.bias".into(), &[width], false);
        add("unembed.weight".into(), &[width, self.targets], true);
        add("unembed.bias".into(), &[self.targets], false);
        Layout { entries, len: offset }
    }

    /// All taps in the order in which they fire.
    pub fn taps(&self) -> Vec<TapShape> {
        let TransformerConfig { depth, width, heads, expansion } = self.transformer;
        let rows = self.geometry.len();
        let mut taps = vec![TapShape { name: "embed".into(), rows, width }];
        for block in 0..depth {
            let mut add = |part: &str, rows: usize, width: usize| {
                taps.push(TapShape { name: format!("blocks.{block}.{part}"), rows, width });
            };
            add("resid_pre", rows, width);
            add("attn.q", rows, width);
            add("attn.k", rows, width);
            add("attn.v", rows, width);
            add("attn.pattern", heads * rows, rows);
            add("attn_out", rows, width);
            add("resid_mid", rows, width);
            add("mlp.hidden", rows, width * expansion);
            add("mlp_out", rows, width);
            add("resid_post", rows, width);
        }
        taps.push(TapShape { name: "final.norm".into(), rows, width });
        taps.push(TapShape { name: "logits".into(), rows, width: self.targets });
        taps
    }

    /// The number of sequences, if these are whole sequences of symbols that the model knows.
    ///
    /// # Errors
    /// If their number is not a multiple of the length, or one is outside the vocabulary.
    pub fn check_tokens(&self, tokens: &[Symbol]) -> Result<usize, ModelError> {
        let (length, vocabulary) = (self.geometry.len(), self.vocabulary);
        if !tokens.len().is_multiple_of(length) {
            return Err(ModelError::Shape(format!("{} tokens are not whole sequences of {length}", tokens.len())));
        }
        if let Some(token) = tokens.iter().find(|&&token| usize::from(token) >= vocabulary) {
            return Err(ModelError::Shape(format!("token {token} is outside the vocabulary of {vocabulary}")));
        }
        Ok(tokens.len() / length)
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
}
