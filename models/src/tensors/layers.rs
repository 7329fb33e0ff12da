//! What every model in burn's tensors is made of: what a forward pass offers its activations to, look-ups, linear maps,
//! the loss.
//!
//! Letters in shapes: B sequences, T positions, N = B·T, W width, V vocabulary, C targets.

use burn::tensor::activation::log_softmax;
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};
use environments::{Symbol, UNSCORED};

use crate::ModelError;

/// Greatest size of a one-hot matrix, in elements: 256 MB of them.
const ONE_HOT: usize = 1 << 26;

/// What a forward pass offers its activations to, each under its number in [`ModelSpec::taps`].
pub trait Visitor<B: Backend> {
    /// Whether anything is wanted at a tap. What costs much to show is shown only where it is.
    fn touches(&self, tap: usize) -> bool;

    /// Gives back the activation, changed or not, in the same shape.
    fn visit<const RANK: usize>(&mut self, tap: usize, x: Tensor<B, RANK>) -> Result<Tensor<B, RANK>, ModelError>;

    /// The same for one position of every sequence, B rows.
    fn visit_rows(&mut self, tap: usize, position: usize, x: Tensor<B, 2>) -> Result<Tensor<B, 2>, ModelError>;
}

/// Looks at nothing.
impl<B: Backend> Visitor<B> for () {
    fn touches(&self, _tap: usize) -> bool {
        false
    }

    fn visit<const RANK: usize>(&mut self, _tap: usize, x: Tensor<B, RANK>) -> Result<Tensor<B, RANK>, ModelError> {
        Ok(x)
    }

    fn visit_rows(&mut self, _tap: usize, _position: usize, x: Tensor<B, 2>) -> Result<Tensor<B, 2>, ModelError> {
        Ok(x)
    }
}

/// Rows of a table, by number.
///
/// A product with a one-hot matrix wherever that fits: it gives the same values, and its gradient is a matrix
/// product too. The gradient of burn's `select` on CUDA is one loop over all numbers, a hundred times slower.
#[derive(Clone, Debug)]
pub enum Lookup<B: Backend> {
    /// numbers × rows of the table.
    OneHot(Tensor<B, 2>),
    /// One a number.
    Index(Tensor<B, 1, Int>),
}

impl<B: Backend> Lookup<B> {
    /// Prepares numbers below `rows`.
    pub fn new(numbers: impl Iterator<Item = u16>, rows: usize, device: &B::Device) -> Self {
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
    pub fn rows(&self, table: Tensor<B, 2>) -> Tensor<B, 2> {
        match self {
            Lookup::OneHot(matrix) => matrix.clone().matmul(table),
            Lookup::Index(index) => table.select(0, index.clone()),
        }
    }
}

/// y = x·weight + bias.
#[derive(Clone, Debug)]
pub struct Linear<B: Backend> {
    /// inputs × outputs.
    pub weight: Tensor<B, 2>,
    /// 1 × outputs.
    pub bias: Tensor<B, 2>,
}

impl<B: Backend> Linear<B> {
    /// N × inputs to N × outputs.
    pub fn apply(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        x.matmul(self.weight.clone()) + self.bias.clone()
    }

    /// Some of the outputs. Slices of the weights cost less in the backward pass than slices of the result.
    pub fn columns(&self, range: std::ops::Range<usize>) -> Self {
        Self { weight: self.weight.clone().slice_dim(1, range.clone()), bias: self.bias.clone().slice_dim(1, range) }
    }
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
