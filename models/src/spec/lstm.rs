//! The long short-term memory network: its sizes, its parameters, its taps.

use environments::Geometry;
use serde::{Deserialize, Serialize};

use super::{ModelSpec, TapShape, at_least_one};
use crate::ModelError;
use crate::parameters::Layout;

/// Taps a layer, in the order of [`ModelSpec::taps`].
pub(crate) const LAYER_TAPS: usize = 3;

/// Sizes of a stack of LSTM layers (Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000), each
/// as wide as the embedding; states start at 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LstmConfig {
    /// Number of layers.
    pub depth: usize,
    /// Width of the embedding and of every layer's state.
    pub width: usize,
}

impl Default for LstmConfig {
    fn default() -> Self {
        Self { depth: 2, width: 128 }
    }
}

impl LstmConfig {
    pub(super) fn validate(&self, geometry: Geometry) -> Result<(), ModelError> {
        let Self { depth, width } = *self;
        at_least_one(&[("depth", depth), ("width", width)])?;
        if depth > 64 || width > 8192 {
            return Err(ModelError::Config(format!(
                "an LSTM of depth {depth}, width {width} is larger than this program builds (64, 8192)"
            )));
        }
        match geometry {
            Geometry::Line { length: 0..=65_536 } => Ok(()),
            Geometry::Line { length } => Err(ModelError::Config(format!(
                "a sequence of {length} positions is longer than the 65536 that an LSTM takes here"
            ))),
            Geometry::Torus { .. } => Err(ModelError::Config(
                "model.kind = \"lstm\" reads positions in time order, and this world's lie on a torus; the nearest \
                 that takes them is \"transformer\""
                    .into(),
            )),
        }
    }

    /// Gates come in the order input, forget, candidate, output.
    pub(super) fn layout(&self, spec: &ModelSpec) -> Layout {
        let width = self.width;
        let mut layout = Layout::default();
        layout.add("embed.weight", &[spec.vocabulary, width], false);
        for layer in 0..self.depth {
            layout.add(&format!("layers.{layer}.input.weight"), &[width, 4 * width], true);
            layout.add(&format!("layers.{layer}.recurrent.weight"), &[width, 4 * width], true);
            layout.add(&format!("layers.{layer}.gates.bias"), &[4 * width], false);
        }
        layout.add("unembed.weight", &[width, spec.targets], true);
        layout.add("unembed.bias", &[spec.targets], false);
        layout
    }

    /// `gates`, after their activation functions, in the order input, forget, candidate, output. A layer's taps fire
    /// position by position, so that a change at one is felt at all later positions.
    pub(super) fn taps(&self, spec: &ModelSpec) -> Vec<TapShape> {
        let (rows, width) = (spec.geometry.len(), self.width);
        let mut taps = vec![TapShape { name: "embed".into(), rows, width }];
        for layer in 0..self.depth {
            for (part, width) in [("gates", 4 * width), ("cell", width), ("hidden", width)] {
                taps.push(TapShape { name: format!("layers.{layer}.{part}"), rows, width });
            }
        }
        taps.push(TapShape { name: "logits".into(), rows, width: spec.targets });
        taps
    }
}
