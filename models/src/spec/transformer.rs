//! The transformer: its sizes, its parameters, its taps.

use environments::Geometry;
use serde::{Deserialize, Serialize};

use super::{ModelSpec, TapShape, at_least_one, relative_positions};
use crate::ModelError;
use crate::parameters::Layout;

/// Taps a block, in the order of [`ModelSpec::taps`].
pub(crate) const BLOCK_TAPS: usize = 10;

/// Sizes of a pre-norm transformer: on a torus every position attends to all, on a line to itself and to the past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TransformerConfig {
    /// Number of blocks that a sequence passes.
    pub depth: usize,
    /// Width of the residual stream.
    pub width: usize,
    /// Attention heads; divides the width.
    pub heads: usize,
    /// Hidden width of the MLP as a multiple of the width.
    pub expansion: usize,
    /// How often the same weights come round; divides the depth. There are depth / loops different blocks, and the
    /// n-th that a sequence passes is number n mod (depth / loops): with `loops` equal to `depth` one block's
    /// weights are used throughout (the Universal Transformer of Dehghani et al. 2019, arXiv:1807.03819, without
    /// its embedding of depth).
    #[serde(skip_serializing_if = "is_one")]
    pub loops: usize,
}

/// A config that does not loop reads as it did before there were loops.
fn is_one(loops: &usize) -> bool {
    *loops == 1
}

impl Default for TransformerConfig {
    fn default() -> Self {
        Self { depth: 3, width: 96, heads: 6, expansion: 4, loops: 1 }
    }
}

impl TransformerConfig {
    /// Number of blocks with weights of their own.
    pub fn distinct(&self) -> usize {
        self.depth / self.loops.max(1)
    }

    /// Hidden width of the MLP.
    pub fn hidden(&self) -> usize {
        self.width * self.expansion
    }

    pub(super) fn validate(&self, geometry: Geometry) -> Result<(), ModelError> {
        let Self { depth, width, heads, expansion, loops } = *self;
        at_least_one(&[
            ("depth", depth),
            ("width", width),
            ("heads", heads),
            ("expansion", expansion),
            ("loops", loops),
        ])?;
        if depth > 64 || width > 8192 || expansion > 16 {
            return Err(ModelError::Config(format!(
                "a model of depth {depth}, width {width}, expansion {expansion} is larger than this program builds \
                 (64, 8192, 16)"
            )));
        }
        for (key, value, whole, of) in [("heads", heads, "width", width), ("loops", loops, "depth", depth)] {
            if of % value != 0 {
                let nearest = (1..=of).filter(|n| of % n == 0).min_by_key(|n| n.abs_diff(value)).unwrap_or(1);
                return Err(ModelError::Config(format!(
                    "model.{key} = {value} does not divide model.{whole} = {of}; the nearest that does is {nearest}"
                )));
            }
        }
        if geometry.len() > 4096 {
            return Err(ModelError::Config(format!(
                "a sequence of {} positions is longer than the 4096 that a transformer takes here",
                geometry.len()
            )));
        }
        Ok(())
    }

    /// Looped blocks come once, under the number of their first use.
    pub(super) fn layout(&self, spec: &ModelSpec) -> Layout {
        let (width, hidden) = (self.width, self.hidden());
        let relative = relative_positions(spec.geometry).count;
        let mut layout = Layout::default();
        layout.add("embed.weight", &[spec.vocabulary, width], false);
        for block in 0..self.distinct() {
            let mut add = |part: &str, shape: &[usize], decay| {
                layout.add(&format!("blocks.{block}.{part}"), shape, decay);
            };
            add("attn.norm.gain", &[width], false);
            add("attn.norm.bias", &[width], false);
            add("attn.qkv.weight", &[width, 3 * width], true);
            add("attn.qkv.bias", &[3 * width], false);
            add("attn.relative", &[self.heads, relative], false);
            add("attn.out.weight", &[width, width], true);
            add("attn.out.bias", &[width], false);
            add("mlp.norm.gain", &[width], false);
            add("mlp.norm.bias", &[width], false);
            add("mlp.up.weight", &[width, hidden], true);
            add("mlp.up.bias", &[hidden], false);
            add("mlp.down.weight", &[hidden, width], true);
            add("mlp.down.bias", &[width], false);
        }
        layout.add("final.norm.gain", &[width], false);
        layout.add("final.norm.bias", &[width], false);
        layout.add("unembed.weight", &[width, spec.targets], true);
        layout.add("unembed.bias", &[spec.targets], false);
        layout
    }

    /// Every passage of a looped block has its own taps, numbered by depth.
    pub(super) fn taps(&self, spec: &ModelSpec) -> Vec<TapShape> {
        let (rows, width) = (spec.geometry.len(), self.width);
        let mut taps = vec![TapShape { name: "embed".into(), rows, width }];
        for block in 0..self.depth {
            let mut add = |part: &str, rows: usize, width: usize| {
                taps.push(TapShape { name: format!("blocks.{block}.{part}"), rows, width });
            };
            add("resid_pre", rows, width);
            add("attn.q", rows, width);
            add("attn.k", rows, width);
            add("attn.v", rows, width);
            add("attn.pattern", self.heads * rows, rows);
            add("attn_out", rows, width);
            add("resid_mid", rows, width);
            add("mlp.hidden", rows, self.hidden());
            add("mlp_out", rows, width);
            add("resid_post", rows, width);
        }
        taps.push(TapShape { name: "final.norm".into(), rows, width });
        taps.push(TapShape { name: "logits".into(), rows, width: spec.targets });
        taps
    }
}
