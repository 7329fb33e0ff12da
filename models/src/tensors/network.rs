//! A model of any kind, and what it computes with besides its weights.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use environments::Symbol;

use super::attention::Attends;
use super::layers::Visitor;
use super::lstm::Lstm;
use super::transformer::{self, Transformer};
use crate::{ModelConfig, ModelError, ModelSpec};

/// What does not change while a model learns.
pub enum Frame<B: Backend> {
    /// Who attends to whom.
    Transformer {
        /// Blocks with weights of their own.
        distinct: usize,
        /// Pairs of positions.
        frame: transformer::Frame<B>,
    },
    /// Layers and positions.
    Lstm {
        /// Layers.
        depth: usize,
        /// Positions.
        length: usize,
    },
}

/// A model's weights in their places.
pub enum Network<B: Backend> {
    /// Attention.
    Transformer(Transformer<B>),
    /// Recurrence.
    Lstm(Lstm<B>),
}

impl<B: Attends> Frame<B> {
    /// The frame of a model.
    pub fn new(spec: &ModelSpec, device: &B::Device) -> Self {
        match &spec.model {
            ModelConfig::Transformer(config) => Frame::Transformer {
                distinct: config.distinct(),
                frame: transformer::Frame::new(config, spec.geometry, device),
            },
            ModelConfig::Lstm(config) => Frame::Lstm { depth: config.depth, length: spec.geometry.len() },
        }
    }

    /// Puts the parameters of [`ModelSpec::layout`], given in its order and vectors as 1 × n, in their places.
    pub fn network(&self, parameters: &[Tensor<B, 2>]) -> Network<B> {
        match self {
            Frame::Transformer { distinct, .. } => Network::Transformer(Transformer::new(*distinct, parameters)),
            Frame::Lstm { depth, .. } => Network::Lstm(Lstm::new(*depth, parameters)),
        }
    }

    /// Logits, sequences · positions × targets, of whole sequences of symbols that the model knows.
    ///
    /// # Errors
    /// Those of the visitor.
    ///
    /// # Panics
    /// If the network is not of this frame.
    pub fn forward(
        &self,
        network: &Network<B>,
        tokens: &[Symbol],
        visitor: &mut impl Visitor<B>,
    ) -> Result<Tensor<B, 2>, ModelError> {
        match (self, network) {
            (Frame::Transformer { frame, .. }, Network::Transformer(network)) => {
                network.forward(frame, tokens, visitor)
            }
            (Frame::Lstm { length, .. }, Network::Lstm(network)) => network.forward(*length, tokens, visitor),
            _ => panic!("a network runs in its own frame"),
        }
    }
}
