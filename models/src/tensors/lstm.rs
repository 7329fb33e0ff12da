//! The LSTM, forward, in burn's tensors, position by position: the reference of the fused engine. It runs on CUDA
//! too, where steps this small leave the device mostly idle.
//!
//! Letters in shapes: B sequences, T positions, N = B·T, W width, C targets.

use burn::tensor::Tensor;
use burn::tensor::activation::{sigmoid, tanh};
use burn::tensor::backend::Backend;
use environments::Symbol;

use super::layers::{Linear, Lookup, Visitor};
use crate::ModelError;
use crate::spec::LAYER_TAPS;

#[derive(Clone, Debug)]
struct Layer<B: Backend> {
    /// W to 4·W: input, forget, candidate, output.
    input: Linear<B>,
    /// W × 4·W.
    recurrent: Tensor<B, 2>,
}

/// An LSTM's weights.
#[derive(Clone, Debug)]
pub struct Lstm<B: Backend> {
    embed: Tensor<B, 2>,
    layers: Vec<Layer<B>>,
    unembed: Linear<B>,
}

impl<B: Backend> Lstm<B> {
    /// Puts the parameters of [`crate::ModelSpec::layout`], given in its order and vectors as 1 × n, in their places.
    pub fn new(depth: usize, parameters: &[Tensor<B, 2>]) -> Self {
        let mut parameters = parameters.iter().cloned();
        let mut next = || parameters.next().expect("the layout names every parameter");
        let embed = next();
        let layers = (0..depth)
            .map(|_| {
                let (weight, recurrent, bias) = (next(), next(), next());
                Layer { input: Linear { weight, bias }, recurrent }
            })
            .collect();
        Self { embed, layers, unembed: Linear { weight: next(), bias: next() } }
    }

    /// Logits, N × C, of whole sequences of `length` symbols.
    ///
    /// # Errors
    /// Those of the visitor.
    pub fn forward(
        &self,
        length: usize,
        tokens: &[Symbol],
        visitor: &mut impl Visitor<B>,
    ) -> Result<Tensor<B, 2>, ModelError> {
        let tokens = Lookup::new(tokens.iter().copied(), self.embed.dims()[0], &self.embed.device());
        let mut x = visitor.visit(0, tokens.rows(self.embed.clone()))?;
        for (number, layer) in self.layers.iter().enumerate() {
            x = layer.forward(length, x, 1 + number * LAYER_TAPS, visitor)?;
        }
        visitor.visit(1 + self.layers.len() * LAYER_TAPS, self.unembed.apply(x))
    }
}

impl<B: Backend> Layer<B> {
    /// N × W to N × W.
    fn forward(
        &self,
        length: usize,
        x: Tensor<B, 2>,
        tap: usize,
        visitor: &mut impl Visitor<B>,
    ) -> Result<Tensor<B, 2>, ModelError> {
        let [rows, width] = x.dims();
        let sequences = rows / length;
        // B × T × 4·W
        let given = self.input.apply(x).reshape([sequences, length, 4 * width]);
        let mut state: Option<(Tensor<B, 2>, Tensor<B, 2>)> = None;
        let mut states = Vec::with_capacity(length);
        for position in 0..length {
            let mut sums = given.clone().slice_dim(1, position..position + 1).reshape([sequences, 4 * width]);
            if let Some((hidden, _)) = &state {
                sums = sums + hidden.clone().matmul(self.recurrent.clone());
            }
            let part =
                |gates: &Tensor<B, 2>, number: usize| gates.clone().slice_dim(1, number * width..(number + 1) * width);
            let gates =
                vec![sigmoid(part(&sums, 0)), sigmoid(part(&sums, 1)), tanh(part(&sums, 2)), sigmoid(part(&sums, 3))];
            let gates = visitor.visit_rows(tap, position, Tensor::cat(gates, 1))?;
            let mut cell = part(&gates, 0) * part(&gates, 2);
            if let Some((_, before)) = state {
                cell = cell + part(&gates, 1) * before;
            }
            let cell = visitor.visit_rows(tap + 1, position, cell)?;
            let hidden = visitor.visit_rows(tap + 2, position, part(&gates, 3) * tanh(cell.clone()))?;
            states.push(hidden.clone().reshape([sequences, 1, width]));
            state = Some((hidden, cell));
        }
        Ok(Tensor::cat(states, 1).reshape([rows, width]))
    }
}
