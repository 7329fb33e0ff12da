//! What the engine asks of a kind of model.

use environments::{Symbol, UNSCORED};

use super::math;
use super::visitor::Visitor;
use crate::ModelSpec;

/// A kind of model: its sizes and where its parameters lie. It is run on a few sequences at a time.
pub trait Network: Send + Sync + Sized {
    /// Parameters rearranged for the products; made afresh after every step and shared by all threads.
    type Weights: Default + Send + Sync;
    /// The memory that one thread needs; nothing is allocated while it works.
    type Space: Send + Sync;

    /// What is kept of sequences that are fed symbol by symbol.
    type Memory: Send;

    /// The network of a model of this kind.
    fn new(spec: &ModelSpec) -> Self;

    /// The most sequences that are run side by side.
    fn side_by_side(&self) -> usize;

    /// Rearranges the parameters; `backward` also prepares the transposed products.
    fn refresh(&self, weights: &mut Self::Weights, values: &[f32], backward: bool);

    /// Memory for [`Network::side_by_side`] sequences; only with `backward` does it hold what that pass needs.
    fn space(&self, backward: bool) -> Self::Space;

    /// Values that the lane needs beside the parameters' gradients.
    fn extra(&self) -> usize {
        0
    }

    /// The forward pass of whole sequences; gives sequences × positions × targets logits, and leaves in the space
    /// what the gradient needs.
    fn forward<'a>(
        &self,
        values: &[f32],
        weights: &Self::Weights,
        tokens: &[Symbol],
        space: &'a mut Self::Space,
        visitor: &mut impl Visitor,
    ) -> &'a mut [f32];

    /// The backward pass of the sequences that [`Network::forward`] was just run on, whose logits were turned into
    /// their gradients; adds to the lane's.
    fn backward(
        &self,
        values: &[f32],
        weights: &Self::Weights,
        tokens: &[Symbol],
        space: &mut Self::Space,
        lane: &mut Lane,
    );

    /// Values that [`Network::space`] takes up for training, at most.
    fn space_len(&self) -> usize;

    /// Memory for sequences of which nothing was fed yet.
    fn memory(&self, sequences: usize) -> Self::Memory;

    /// Takes the symbols at a position, one a sequence, the memory holding all before; gives sequences × targets
    /// logits, equal to the bit to those of [`Network::forward`]. Only for positions in a line.
    fn feed<'a>(
        &self,
        values: &[f32],
        weights: &Self::Weights,
        tokens: &[Symbol],
        position: usize,
        memory: &'a mut Self::Memory,
    ) -> &'a [f32];

    /// Brings what was summed in [`Lane::extra`] to where the parameters lie.
    fn finish(&self, _lane: &mut Lane) {}
}

/// Gradients summed over the sequences of one lane.
#[derive(Clone, Debug)]
pub struct Lane {
    /// Laid out as the parameters.
    pub values: Vec<f32>,
    /// What a network sums in another layout until it is finished.
    pub extra: Vec<f32>,
    /// Sum of losses.
    pub loss: f64,
}

impl Lane {
    pub fn new(network: &impl Network, parameters: usize) -> Self {
        Self { values: vec![0.0; parameters], extra: vec![0.0; network.extra()], loss: 0.0 }
    }

    pub fn clear(&mut self) {
        self.values.fill(0.0);
        self.extra.fill(0.0);
        self.loss = 0.0;
    }

    /// Turns logits into the gradient of their loss, in which each scored position weighs `weight`; adds the loss.
    pub fn score(&mut self, logits: &mut [f32], targets: &[Symbol], weight: f32) {
        let width = logits.len() / targets.len();
        for (row, &target) in logits.chunks_exact_mut(width).zip(targets) {
            if target == UNSCORED {
                row.fill(0.0);
            } else {
                self.loss += f64::from(math::cross_entropy(row, usize::from(target)));
                for value in row.iter_mut() {
                    *value *= weight;
                }
            }
        }
    }
}
