//! Attention by strips of queries, forward and backward, so that no tensor of all pairs of a long sequence is ever made.
//!
//! burn's autodiff keeps the weights of every block, B × H × T × T, until the backward pass, and its flash attention takes
//! no biases and has no gradient. This is one operation of the graph: forward it goes strip by strip, backward it makes
//! a strip's weights again. All of it is made of burn's tensors, so it runs, and is tested, on every backend.
//!
//! Letters in shapes: B sequences, H heads, T positions, D columns of a head, R queries in a strip, S keys that one sees.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::{Autodiff, Cuda, Flex, NdArray};
use burn::tensor::activation::softmax;
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorPrimitive};

/// Queries in a strip. Sequences of no more are one strip and need no operation of their own.
pub const STRIP: usize = 128;

/// What is added to the scores of pairs that do not attend: e to its power is 0, and it is finite, which kernels
/// compiled without regard for infinities need.
const MASKED: f32 = -1e30;

/// Who attends to whom, and how biases are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairs {
    /// Everyone to all; biases are 1 × H × T × T.
    All,
    /// To itself and to the past; biases are H × T, by distance.
    Past,
}

/// A backend that attends by strips.
pub trait Attends: Backend {
    /// softmax(query · keyᵀ + bias) · value, for queries, keys and values of B × H × T × D.
    fn attend(inputs: [FloatTensor<Self>; 4], pairs: Pairs) -> FloatTensor<Self>;
}

impl Attends for Flex {
    fn attend(inputs: [FloatTensor<Self>; 4], pairs: Pairs) -> FloatTensor<Self> {
        Strips::<Self>::new(inputs, pairs).forward()
    }
}

impl Attends for NdArray {
    fn attend(inputs: [FloatTensor<Self>; 4], pairs: Pairs) -> FloatTensor<Self> {
        Strips::<Self>::new(inputs, pairs).forward()
    }
}

impl Attends for Cuda<f32, i32> {
    fn attend(inputs: [FloatTensor<Self>; 4], pairs: Pairs) -> FloatTensor<Self> {
        Strips::<Self>::new(inputs, pairs).forward()
    }
}

impl<B: Backend, C: CheckpointStrategy> Attends for Autodiff<B, C> {
    fn attend(inputs: [FloatTensor<Self>; 4], pairs: Pairs) -> FloatTensor<Self> {
        let nodes = inputs.each_ref().map(|input| input.node.clone());
        let primitives = inputs.map(|input| input.primitive);
        let output = Strips::<B>::new(primitives.clone(), pairs).forward();
        match ByStrips.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((primitives, pairs), output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }
}

/// The operation in the graph. Its state is its inputs.
#[derive(Debug)]
struct ByStrips;

impl<B: Backend> Backward<B, 4> for ByStrips {
    type State = ([FloatTensor<B>; 4], Pairs);

    fn backward(self, ops: Ops<Self::State, 4>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let (inputs, pairs) = ops.state;
        let outer = float::<B, 4>(gradients.consume::<B>(&ops.node));
        let found = Strips::<B>::new(inputs, pairs).backward(outer);
        for (parent, gradient) in ops.parents.into_iter().zip(found) {
            if let Some(parent) = parent {
                let id: NodeId = parent.id;
                gradients.register::<B>(id, gradient);
            }
        }
    }
}

fn float<B: Backend, const RANK: usize>(primitive: FloatTensor<B>) -> Tensor<B, RANK> {
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}

fn primitive<B: Backend, const RANK: usize>(tensor: Tensor<B, RANK>) -> FloatTensor<B> {
    tensor.into_primitive().tensor()
}

/// The inputs of one attention.
struct Strips<B: Backend> {
    query: Tensor<B, 4>,
    key: Tensor<B, 4>,
    value: Tensor<B, 4>,
    bias: Bias<B>,
}

/// Weights of all queries and keys, B × H × T × T, with the graph's own operations: for short sequences, and where
/// somebody looks at them.
pub fn weights<B: Backend>(query: Tensor<B, 4>, key: Tensor<B, 4>, bias: FloatTensor<B>, pairs: Pairs) -> Tensor<B, 4> {
    let length = query.dims()[2];
    let bias = Bias::new(bias, pairs).strip(0, length);
    softmax(query.matmul(key.swap_dims(2, 3)) + bias, 3)
}

impl<B: Backend> Strips<B> {
    fn new([query, key, value, bias]: [FloatTensor<B>; 4], pairs: Pairs) -> Self {
        Self { query: float(query), key: float(key), value: float(value), bias: Bias::new(bias, pairs) }
    }

    /// First query, number of queries, keys that they see.
    fn strips(&self) -> Vec<(usize, usize, usize)> {
        let length = self.query.dims()[2];
        let strip = |first: usize| {
            let count = STRIP.min(length - first);
            (first, count, self.bias.seen(first + count, length))
        };
        (0..length).step_by(STRIP).map(strip).collect()
    }

    /// B × H × R × S.
    fn weights(&self, (first, count, seen): (usize, usize, usize)) -> Tensor<B, 4> {
        let query = self.query.clone().slice_dim(2, first..first + count);
        let key = self.key.clone().slice_dim(2, 0..seen);
        softmax(query.matmul(key.swap_dims(2, 3)) + self.bias.strip(first, count), 3)
    }

    fn forward(&self) -> FloatTensor<B> {
        let context =
            |strip: (usize, usize, usize)| self.weights(strip).matmul(self.value.clone().slice_dim(2, 0..strip.2));
        primitive(Tensor::cat(self.strips().into_iter().map(context).collect(), 2))
    }

    /// Gradients of queries, keys, values and biases.
    fn backward(&self, outer: Tensor<B, 4>) -> [FloatTensor<B>; 4] {
        let length = self.query.dims()[2];
        let mut queries = Vec::new();
        let [mut keys, mut values, mut biases] = [None, None, None];
        for strip in self.strips() {
            let (first, count, seen) = strip;
            let weights = self.weights(strip);
            let outer = outer.clone().slice_dim(2, first..first + count);
            let query = self.query.clone().slice_dim(2, first..first + count);
            let (key, value) = (self.key.clone().slice_dim(2, 0..seen), self.value.clone().slice_dim(2, 0..seen));
            add(&mut values, lengthen(weights.clone().swap_dims(2, 3).matmul(outer.clone()), 2, length));
            let inner = outer.matmul(value.swap_dims(2, 3));
            let along = (weights.clone() * inner.clone()).sum_dim(3);
            let scores = weights * (inner - along);
            queries.push(scores.clone().matmul(key));
            add(&mut keys, lengthen(scores.clone().swap_dims(2, 3).matmul(query), 2, length));
            self.bias.add_up(&mut biases, scores.sum_dim(0), first);
        }
        let whole = |sum: Option<Tensor<B, 4>>| primitive(sum.expect("a sequence has positions"));
        [primitive(Tensor::cat(queries, 2)), whole(keys), whole(values), self.bias.gradient(biases)]
    }
}

fn add<B: Backend, const RANK: usize>(sum: &mut Option<Tensor<B, RANK>>, part: Tensor<B, RANK>) {
    *sum = Some(match sum.take() {
        Some(sum) => sum + part,
        None => part,
    });
}

/// Zeros added at the end of a dimension.
fn lengthen<B: Backend, const RANK: usize>(x: Tensor<B, RANK>, dimension: usize, length: usize) -> Tensor<B, RANK> {
    let mut shape = x.dims();
    shape[dimension] = length - shape[dimension];
    if shape[dimension] == 0 {
        return x;
    }
    let zeros = Tensor::zeros(shape, &x.device());
    Tensor::cat(vec![x, zeros], dimension)
}

/// What is added to scores.
enum Bias<B: Backend> {
    /// 1 × H × T × T.
    All(Tensor<B, 4>),
    /// H × T, by falling distance.
    Past(Tensor<B, 2>),
}

impl<B: Backend> Bias<B> {
    fn new(bias: FloatTensor<B>, pairs: Pairs) -> Self {
        match pairs {
            Pairs::All => Bias::All(float(bias)),
            Pairs::Past => Bias::Past(float::<B, 2>(bias).flip([1])),
        }
    }

    /// Keys that are seen by queries before `end`.
    fn seen(&self, end: usize, length: usize) -> usize {
        match self {
            Bias::All(_) => length,
            Bias::Past(_) => end,
        }
    }

    /// The biases of a strip, 1 × H × R × S.
    ///
    /// By distance, row r is a sequence of values that moves one to the right from row to row. So it is written R times
    /// one after the other and read again in rows that are one shorter: no look-up by number, whose gradient would be
    /// slow on a GPU.
    fn strip(&self, first: usize, count: usize) -> Tensor<B, 4> {
        let falling = match self {
            Bias::All(bias) => return bias.clone().slice_dim(2, first..first + count),
            Bias::Past(falling) => falling,
        };
        let ([heads, length], seen) = (falling.dims(), first + count);
        let masked = Tensor::full([heads, count], MASKED, &falling.device());
        // Of the first query: the keys up to its own, those after it, and the distances of later queries.
        let mut parts = vec![falling.clone().slice_dim(1, length - 1 - first..length), masked];
        if count > 1 {
            parts.push(falling.clone().slice_dim(1, length - seen..length - 1 - first));
        }
        let period = seen + count;
        // Repeated along a dimension of its own: burn 0.21's gradient of repeating a longer one mixes up its elements.
        let rows = Tensor::cat(parts, 1).reshape([heads, 1, period]).repeat_dim(1, count);
        let rows = rows.reshape([heads, count * period]).slice_dim(1, 0..count * (period - 1));
        rows.reshape([heads, count, period - 1]).slice_dim(2, 0..seen).reshape([1, heads, count, seen])
    }

    /// Adds the gradient of a strip, 1 × H × R × S: the way of [`Bias::strip`] back.
    fn add_up(&self, sum: &mut Option<Tensor<B, 4>>, scores: Tensor<B, 4>, first: usize) {
        let [_, heads, count, seen] = scores.dims();
        let falling = match self {
            Bias::All(_) => {
                // Strips come in order: they are put one after the other.
                *sum = Some(match sum.take() {
                    Some(sum) => Tensor::cat(vec![sum, scores], 2),
                    None => scores,
                });
                return;
            }
            Bias::Past(falling) => falling,
        };
        let (period, length) = (seen + count, falling.dims()[1]);
        let rows = lengthen(scores.reshape([heads, count, seen]), 2, period - 1);
        let rows = lengthen(rows.reshape([heads, count * (period - 1)]), 1, count * period);
        let once = rows.reshape([heads, count, period]).sum_dim(1).reshape([heads, period]);
        let mut parts = Vec::new();
        if length > seen {
            parts.push(Tensor::zeros([heads, length - seen], &once.device()));
        }
        if count > 1 {
            parts.push(once.clone().slice_dim(1, period - count + 1..period));
        }
        parts.push(once.slice_dim(1, 0..first + 1));
        add(sum, Tensor::cat(parts, 1).reshape([1, 1, heads, length]));
    }

    /// What was added up, in the shape in which biases were given.
    fn gradient(&self, sum: Option<Tensor<B, 4>>) -> FloatTensor<B> {
        let sum = sum.expect("a sequence has positions");
        match self {
            Bias::All(_) => primitive(sum),
            Bias::Past(falling) => primitive(sum.reshape(falling.dims()).flip([1])),
        }
    }
}
