//! The transformer: its sizes, its weights as the products want them, the memory of one sequence.

mod attention;
mod feed;
mod passes;
mod torus;

use environments::Symbol;

use super::dense::{Places, Weight};
use super::kernel::{Packed, padded};
use super::network::{Lane, Network};
use super::visitor::Visitor;
use crate::{ModelConfig, ModelSpec};
use attention::Attention;

/// Where each parameter of a block begins in the flat buffer.
#[derive(Clone, Debug)]
struct BlockPlaces {
    norm1: Places,
    qkv: Places,
    relative: usize,
    out: Places,
    norm2: Places,
    up: Places,
    down: Places,
}

/// A model's sizes and where its parameters lie.
#[derive(Clone, Debug)]
pub struct Transformer {
    length: usize,
    width: usize,
    hidden: usize,
    targets: usize,
    /// Blocks that a sequence passes; the n-th has the weights of number n mod `blocks.len()`.
    depth: usize,
    attention: Attention,
    blocks: Vec<BlockPlaces>,
    norm: Places,
    unembed: Places,
}

#[derive(Clone, Debug, Default)]
struct BlockWeights {
    qkv: Weight,
    out: Weight,
    up: Weight,
    down: Weight,
    /// As [`Attention::spread`] leaves it.
    relative: Vec<f32>,
}

/// Parameters rearranged for the products.
#[derive(Clone, Debug, Default)]
pub struct Weights {
    blocks: Vec<BlockWeights>,
    unembed: Weight,
}

/// What a block leaves behind for the backward pass.
#[derive(Clone, Debug, Default)]
struct BlockTrace {
    normal1: Vec<f32>,
    scale1: Vec<f32>,
    input1: Vec<f32>,
    qkv: Vec<f32>,
    attention: attention::Trace,
    context: Vec<f32>,
    normal2: Vec<f32>,
    scale2: Vec<f32>,
    input2: Vec<f32>,
    slope: Vec<f32>,
    hidden: Vec<f32>,
}

/// The memory of one sequence.
#[derive(Clone, Debug, Default)]
pub struct Space {
    /// One a block that the sequence passes, or a single one where there is no way back.
    traces: Vec<BlockTrace>,
    stream: Vec<f32>,
    branch: Vec<f32>,
    normal: Vec<f32>,
    scale: Vec<f32>,
    last: Vec<f32>,
    wide: Vec<f32>,
    spare: Vec<f32>,
    gradient: Vec<f32>,
    attention: attention::Scratch,
    packed: Packed,
    /// length × targets.
    logits: Vec<f32>,
}

impl Network for Transformer {
    type Weights = Weights;
    type Space = Space;
    type Memory = feed::Memory;

    /// # Panics
    /// If the model is of another kind.
    fn new(spec: &ModelSpec) -> Self {
        let ModelConfig::Transformer(config) = &spec.model else { panic!("{} is no transformer", spec.model.kind()) };
        let layout = spec.layout();
        // Entries come in the order in which `ModelSpec::layout` adds them: 13 a block after the embedding.
        let at = |number: usize| layout.entries[number].offset;
        let blocks = (0..config.distinct())
            .map(|block| {
                let first = 1 + 13 * block;
                BlockPlaces {
                    norm1: (at(first), at(first + 1)),
                    qkv: (at(first + 2), at(first + 3)),
                    relative: at(first + 4),
                    out: (at(first + 5), at(first + 6)),
                    norm2: (at(first + 7), at(first + 8)),
                    up: (at(first + 9), at(first + 10)),
                    down: (at(first + 11), at(first + 12)),
                }
            })
            .collect();
        let last = 1 + 13 * config.distinct();
        Self {
            length: spec.geometry.len(),
            width: config.width,
            hidden: config.hidden(),
            targets: spec.targets,
            depth: config.depth,
            attention: Attention::new(config, spec.geometry),
            blocks,
            norm: (at(last), at(last + 1)),
            unembed: (at(last + 2), at(last + 3)),
        }
    }

    /// One: all that a sequence needs stays in a core's cache.
    fn side_by_side(&self) -> usize {
        1
    }

    fn refresh(&self, weights: &mut Weights, values: &[f32], backward: bool) {
        use rayon::prelude::*;
        weights.blocks.resize(self.blocks.len(), BlockWeights::default());
        let Self { width, hidden, .. } = *self;
        weights.unembed.pack(width, self.targets, &values[self.unembed.0..], backward);
        weights.blocks.par_iter_mut().zip(&self.blocks).for_each(|(block, places)| {
            block.qkv.pack(width, 3 * width, &values[places.qkv.0..], backward);
            block.out.pack(width, width, &values[places.out.0..], backward);
            block.up.pack(width, hidden, &values[places.up.0..], backward);
            block.down.pack(hidden, width, &values[places.down.0..], backward);
            self.attention.spread(&values[places.relative..], &mut block.relative);
        });
    }

    fn space(&self, backward: bool) -> Space {
        let Self { length, width, hidden, targets, .. } = *self;
        let rows = |n: usize| vec![0.0; length * n];
        let trace = BlockTrace {
            normal1: rows(width),
            scale1: rows(1),
            input1: rows(width),
            qkv: rows(3 * width),
            attention: self.attention.trace(),
            context: rows(width),
            normal2: rows(width),
            scale2: rows(1),
            input2: rows(width),
            slope: rows(hidden),
            hidden: rows(hidden),
        };
        Space {
            traces: vec![trace; if backward { self.depth } else { 1 }],
            stream: rows(width),
            branch: rows(width),
            normal: rows(width),
            scale: rows(1),
            last: rows(width),
            wide: rows(hidden.max(3 * width)),
            spare: rows(width),
            gradient: rows(width),
            attention: self.attention.scratch(backward),
            packed: Packed::default(),
            logits: rows(targets),
        }
    }

    fn space_len(&self) -> usize {
        let Self { length, width, hidden, targets, depth, .. } = *self;
        let trace = length * (8 * width + 2 * hidden + 2) + self.attention.trace_len();
        let widest = hidden.max(3 * width).max(padded(targets));
        let rest = length * (7 * width + 1 + targets + 2 * padded(widest));
        depth * trace + rest + self.attention.scratch_len()
    }

    /// For each block, gradients of the relative positions as [`Attention::backward`] sums them.
    fn extra(&self) -> usize {
        self.blocks.len() * self.attention.spread_len()
    }

    fn forward<'a>(
        &self,
        values: &[f32],
        weights: &Weights,
        tokens: &[Symbol],
        space: &'a mut Space,
        visitor: &mut impl Visitor,
    ) -> &'a mut [f32] {
        passes::forward(self, values, weights, tokens, space, visitor);
        &mut space.logits
    }

    fn backward(&self, values: &[f32], weights: &Weights, tokens: &[Symbol], space: &mut Space, lane: &mut Lane) {
        passes::backward(self, values, weights, tokens, space, lane);
    }

    fn memory(&self, sequences: usize) -> feed::Memory {
        feed::Memory::new(self, sequences)
    }

    fn feed<'a>(
        &self,
        values: &[f32],
        weights: &Weights,
        tokens: &[Symbol],
        position: usize,
        memory: &'a mut feed::Memory,
    ) -> &'a [f32] {
        feed::feed(self, values, weights, tokens, position, memory)
    }

    fn finish(&self, lane: &mut Lane) {
        let spreads = lane.extra.chunks_exact(self.attention.spread_len());
        for (block, spread) in self.blocks.iter().zip(spreads) {
            self.attention.gather(spread, &mut lane.values[block.relative..]);
        }
    }
}
