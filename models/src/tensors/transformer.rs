//! The whole transformer, forward, in burn's tensors: pre-norm blocks of attention and an MLP.
//!
//! Letters in shapes: B sequences, T positions, N = B·T, W width, H heads, D = W/H, V vocabulary, C targets.

use burn::tensor::activation::{log_softmax, sigmoid, softmax};
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};
use environments::{Symbol, UNSCORED};

use crate::spec::BLOCK_TAPS;
use crate::{ModelError, ModelSpec, relative_positions};

/// Greatest size of a one-hot matrix, in elements: 256 MB of them.
const ONE_HOT: usize = 1 << 26;

/// What is added to the scores of pairs that do not attend: e to its power is 0, and it is finite, which kernels
/// compiled without regard for infinities need.
const MASKED: f32 = -1e30;

/// Added to a variance before the root.
const NORM_EPSILON: f32 = 1e-5;

/// What a forward pass offers its activations to, each under its number in [`ModelSpec::taps`].
pub trait Visitor<B: Backend> {
    /// Gives back the activation, changed or not, in the same shape.
    fn visit<const RANK: usize>(&mut self, tap: usize, x: Tensor<B, RANK>) -> Result<Tensor<B, RANK>, ModelError>;
}

/// Looks at nothing.
impl<B: Backend> Visitor<B> for () {
    fn visit<const RANK: usize>(&mut self, _tap: usize, x: Tensor<B, RANK>) -> Result<Tensor<B, RANK>, ModelError> {
        Ok(x)
    }
}

/// Rows of a table, by number.
///
/// A product with a one-hot matrix wherever that fits: it gives the same values, and its gradient is a matrix
/// product too. The gradient of burn's `select` on CUDA is one loop over all numbers, a hundred times slower.
#[derive(Clone, Debug)]
enum Lookup<B: Backend> {
    /// numbers × rows of the table.
    OneHot(Tensor<B, 2>),
    /// One a number.
    Index(Tensor<B, 1, Int>),
}

impl<B: Backend> Lookup<B> {
    fn new(numbers: impl Iterator<Item = u16>, rows: usize, device: &B::Device) -> Self {
        let numbers: Vec<i32> = numbers.map(i32::from).collect();
        let count = numbers.len();
        let index = Tensor::<B, 1, Int>::from_data(TensorData::new(numbers, [count]), device);
        if count * rows > ONE_HOT {
            return Lookup::Index(index);
        }
        let own = index.reshape([count, 1]).expand([count, rows]);
        let all = Tensor::<B, 1, Int>::arange(0..rows as i64, device).reshape([1, rows]).expand([count, rows]);
        Lookup::OneHot(own.equal(all).float())
    }

    /// The table is rows × columns, the result numbers × columns.
    fn rows(&self, table: Tensor<B, 2>) -> Tensor<B, 2> {
        match self {
            Lookup::OneHot(matrix) => matrix.clone().matmul(table),
            Lookup::Index(index) => table.select(0, index.clone()),
        }
    }
}

/// What a model computes with besides its weights.
pub struct Frame<B: Backend> {
    length: usize,
    heads: usize,
    vocabulary: usize,
    /// Relative position of each (query, key) pair, row-major.
    pairs: Lookup<B>,
    /// Where attention is causal, 1 × 1 × T × T: added to scores, it leaves no weight above the diagonal.
    mask: Option<Tensor<B, 4>>,
    device: B::Device,
}

impl<B: Backend> Frame<B> {
    /// The frame of a model.
    pub fn new(spec: &ModelSpec, device: &B::Device) -> Self {
        let relative = relative_positions(spec.geometry);
        let length = spec.geometry.len();
        let mask = relative.causal.then(|| {
            let of = |at: usize| if at % length > at / length { MASKED } else { 0.0 };
            let values: Vec<f32> = (0..length * length).map(of).collect();
            Tensor::from_data(TensorData::new(values, [1, 1, length, length]), device)
        });
        Self {
            length,
            heads: spec.transformer.heads,
            vocabulary: spec.vocabulary,
            pairs: Lookup::new(relative.index.into_iter(), relative.count, device),
            mask,
            device: device.clone(),
        }
    }
}

/// y = x·weight + bias.
#[derive(Clone, Debug)]
struct Linear<B: Backend> {
    /// inputs × outputs.
    weight: Tensor<B, 2>,
    /// 1 × outputs.
    bias: Tensor<B, 2>,
}

impl<B: Backend> Linear<B> {
    fn apply(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        x.matmul(self.weight.clone()) + self.bias.clone()
    }

    /// Some of the outputs. Slices of the weights cost less in the backward pass than slices of the result.
    fn columns(&self, range: std::ops::Range<usize>) -> Self {
        Self { weight: self.weight.clone().slice_dim(1, range.clone()), bias: self.bias.clone().slice_dim(1, range) }
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

impl<B: Backend> Transformer<B> {
    /// Puts the parameters of [`ModelSpec::layout`], given in its order and vectors as 1 × n, in their places.
    pub fn new(depth: usize, parameters: &[Tensor<B, 2>]) -> Self {
        let mut parameters = parameters.iter().cloned();
        let mut next = || parameters.next().expect("the layout names every parameter");
        // Fields are evaluated in the order written here, which is the layout's.
        let embed = next();
        let blocks = (0..depth)
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
        let tokens = Lookup::new(tokens.iter().copied(), frame.vocabulary, &frame.device);
        let mut x = visitor.visit(0, tokens.rows(self.embed.clone()))?;
        for (number, block) in self.blocks.iter().enumerate() {
            x = block.forward(frame, x, 1 + number * BLOCK_TAPS, visitor)?;
        }
        let tap = 1 + self.blocks.len() * BLOCK_TAPS;
        let x = visitor.visit(tap, self.norm.apply(x))?;
        visitor.visit(tap + 1, self.unembed.apply(x))
    }
}

impl<B: Backend> Block<B> {
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
        // 1 × H × T × T
        let bias = frame.pairs.rows(self.relative.clone().transpose()).transpose().reshape([1, heads, length, length]);
        // B × H × T × T
        let bias = frame.mask.iter().fold(bias, |bias, mask| bias + mask.clone());
        let scores = (query * (part as f32).sqrt().recip()).matmul(key.swap_dims(2, 3)) + bias;
        let pattern = visitor.visit(tap + 4, softmax(scores, 3))?;
        Ok(pattern.matmul(value).swap_dims(1, 2).reshape([rows, width]))
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

/// Mean cross-entropy in nats, 1 × 1, over the positions that are scored; 0 where none is.
pub fn cross_entropy<B: Backend>(logits: Tensor<B, 2>, targets: &[Symbol], device: &B::Device) -> Tensor<B, 2> {
    let count = targets.len();
    let scored = targets.iter().filter(|&&target| target != UNSCORED).count();
    let share = -1.0 / scored.max(1) as f32;
    let pick = |&target: &Symbol| if target == UNSCORED { 0 } else { i32::from(target) };
    let weigh = |&target: &Symbol| if target == UNSCORED { 0.0 } else { share };
    let index: Vec<i32> = targets.iter().map(pick).collect();
    let weights: Vec<f32> = targets.iter().map(weigh).collect();
    let index = Tensor::<B, 2, Int>::from_data(TensorData::new(index, [count, 1]), device);
    let weights = Tensor::<B, 2>::from_data(TensorData::new(weights, [count, 1]), device);
    // `sum_dim`, not `sum`: on flex the latter adds up long tensors in an order that depends on the threads.
    (log_softmax(logits, 1).gather(1, index) * weights).sum_dim(0)
}
