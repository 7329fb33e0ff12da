//! The whole transformer, forward, in burn's tensors: pre-norm blocks of attention and an MLP.
//!
//! Letters in shapes: B sequences, T positions, N = B·T, W width, H heads, D = W/H, V vocabulary, C targets.

use burn::tensor::activation::sigmoid;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorPrimitive};
use environments::{Geometry, Symbol};

use super::attention::{Attends, Pairs, STRIP, weights};
use super::layers::{Linear, Lookup, Visitor};
use crate::spec::BLOCK_TAPS;
use crate::{ModelError, TransformerConfig, relative_positions};

/// Added to a variance before the root.
const NORM_EPSILON: f32 = 1e-5;

/// Which pairs attend, and the relative position of each.
pub struct Frame<B: Backend> {
    length: usize,
    heads: usize,
    depth: usize,
    /// On a torus: the relative position of each (query, key) pair, row-major. On a line it is the distance.
    pairs: Option<Lookup<B>>,
}

impl<B: Backend> Frame<B> {
    /// The frame of a model.
    pub fn new(config: &TransformerConfig, geometry: Geometry, device: &B::Device) -> Self {
        let pairs = match geometry {
            Geometry::Line { .. } => None,
            Geometry::Torus { .. } => {
                let relative = relative_positions(geometry);
                Some(Lookup::new(relative.index.into_iter(), relative.count, device))
            }
        };
        Self { length: geometry.len(), heads: config.heads, depth: config.depth, pairs }
    }
}

/// y = (x − mean)/√(variance + ε)·gain + bias over each row.
#[derive(Clone, Debug)]
struct Norm<B: Backend> {
    /// 1 × W.
    gain: Tensor<B, 2>,
    /// 1 × W.
    bias: Tensor<B, 2>,
}

impl<B: Backend> Norm<B> {
    fn apply(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        let centred = x.clone() - x.mean_dim(1);
        let variance = (centred.clone() * centred.clone()).mean_dim(1);
        centred / (variance + NORM_EPSILON).sqrt() * self.gain.clone() + self.bias.clone()
    }
}

#[derive(Clone, Debug)]
struct Block<B: Backend> {
    attention_norm: Norm<B>,
    qkv: Linear<B>,
    /// H × relative positions.
    relative: Tensor<B, 2>,
    out: Linear<B>,
    mlp_norm: Norm<B>,
    up: Linear<B>,
    down: Linear<B>,
}

/// A transformer's weights.
#[derive(Clone, Debug)]
pub struct Transformer<B: Backend> {
    /// V × W.
    embed: Tensor<B, 2>,
    blocks: Vec<Block<B>>,
    norm: Norm<B>,
    unembed: Linear<B>,
}

impl<B: Attends> Transformer<B> {
    /// Puts the parameters of `distinct` blocks, given in the order of [`crate::ModelSpec::layout`] and vectors as
    /// 1 × n, in their places.
    pub fn new(distinct: usize, parameters: &[Tensor<B, 2>]) -> Self {
        let mut parameters = parameters.iter().cloned();
        let mut next = || parameters.next().expect("the layout names every parameter");
        // Fields are evaluated in the order written here, which is the layout's.
        let embed = next();
        let blocks = (0..distinct)
            .map(|_| Block {
                attention_norm: Norm { gain: next(), bias: next() },
                qkv: Linear { weight: next(), bias: next() },
                relative: next(),
                out: Linear { weight: next(), bias: next() },
                mlp_norm: Norm { gain: next(), bias: next() },
                up: Linear { weight: next(), bias: next() },
                down: Linear { weight: next(), bias: next() },
            })
            .collect();
        let norm = Norm { gain: next(), bias: next() };
        Self { embed, blocks, norm, unembed: Linear { weight: next(), bias: next() } }
    }

    /// Logits, N × C, of whole sequences of symbols below V.
    ///
    /// # Errors
    /// Those of the visitor.
    pub fn forward(
        &self,
        frame: &Frame<B>,
        tokens: &[Symbol],
        visitor: &mut impl Visitor<B>,
    ) -> Result<Tensor<B, 2>, ModelError> {
        let tokens = Lookup::new(tokens.iter().copied(), self.embed.dims()[0], &self.embed.device());
        let mut x = visitor.visit(0, tokens.rows(self.embed.clone()))?;
        for number in 0..frame.depth {
            let block = &self.blocks[number % self.blocks.len()];
            x = block.forward(frame, x, 1 + number * BLOCK_TAPS, visitor)?;
        }
        let tap = 1 + frame.depth * BLOCK_TAPS;
        let x = visitor.visit(tap, self.norm.apply(x))?;
        visitor.visit(tap + 1, self.unembed.apply(x))
    }
}

impl<B: Attends> Block<B> {
    /// N × W to N × W.
    fn forward(
        &self,
        frame: &Frame<B>,
        x: Tensor<B, 2>,
        tap: usize,
        visitor: &mut impl Visitor<B>,
    ) -> Result<Tensor<B, 2>, ModelError> {
        let x = visitor.visit(tap, x)?;
        let attended = self.attend(frame, self.attention_norm.apply(x.clone()), tap, visitor)?;
        let attended = visitor.visit(tap + 5, self.out.apply(attended))?;
        let x = visitor.visit(tap + 6, x + attended)?;
        let hidden = visitor.visit(tap + 7, gelu(self.up.apply(self.mlp_norm.apply(x.clone()))))?;
        let branch = visitor.visit(tap + 8, self.down.apply(hidden))?;
        visitor.visit(tap + 9, x + branch)
    }

    /// Attention before its output matrix, N × W to N × W.
    fn attend(
        &self,
        frame: &Frame<B>,
        x: Tensor<B, 2>,
        tap: usize,
        visitor: &mut impl Visitor<B>,
    ) -> Result<Tensor<B, 2>, ModelError> {
        let [rows, width] = x.dims();
        let (length, heads) = (frame.length, frame.heads);
        let (sequences, part) = (rows / length, width / heads);
        let mut project = |number: usize| {
            let columns = self.qkv.columns(number * width..(number + 1) * width);
            let projected = visitor.visit(tap + 1 + number, columns.apply(x.clone()))?;
            // B × H × T × D
            Ok::<_, ModelError>(projected.reshape([sequences, length, heads, part]).swap_dims(1, 2))
        };
        let (query, key, value) = (project(0)?, project(1)?, project(2)?);
        let query = query * (part as f32).sqrt().recip();
        let (bias, pairs) = match &frame.pairs {
            // H × T
            None => (self.relative.clone().into_primitive(), Pairs::Past),
            // 1 × H × T × T
            Some(pairs) => {
                let all = pairs.rows(self.relative.clone().transpose()).transpose();
                (all.reshape([1, heads, length, length]).into_primitive(), Pairs::All)
            }
        };
        let context = if length <= STRIP || visitor.touches(tap + 4) {
            visitor.visit(tap + 4, weights(query, key, bias.tensor(), pairs))?.matmul(value)
        } else {
            let [query, key, value] = [query, key, value].map(|x| x.into_primitive().tensor());
            Tensor::from_primitive(TensorPrimitive::Float(B::attend([query, key, value, bias.tensor()], pairs)))
        };
        Ok(context.swap_dims(1, 2).reshape([rows, width]))
    }
}

/// The tanh form of the Gaussian error linear unit (Hendrycks & Gimpel 2016, arXiv:1606.08415):
/// x/2·(1 + tanh u) with u = √(2/π)·(x + 0.044715·x³), written as x·σ(2u), which takes fewer passes over memory.
fn gelu<B: Backend>(x: Tensor<B, 2>) -> Tensor<B, 2> {
    const SCALE: f32 = 2.0 * 0.797_884_6;
    let square = x.clone() * x.clone();
    let twice = x.clone() * (square * (SCALE * 0.044_715) + SCALE);
    x * sigmoid(twice)
}
