//! The transformer: its sizes, its weights as the products want them, the memory of one sequence.

mod attention;
mod passes;

use super::dense::{Places, Weight};
use super::kernel::Packed;
use crate::ModelSpec;
use attention::Attention;

pub use passes::{backward, forward};

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
pub struct Shape {
    pub length: usize,
    pub width: usize,
    pub hidden: usize,
    pub targets: usize,
    pub parameters: usize,
    attention: Attention,
    blocks: Vec<BlockPlaces>,
    norm: Places,
    unembed: Places,
}

impl Shape {
    pub fn new(spec: &ModelSpec) -> Self {
        let layout = spec.layout();
        // Entries come in the order in which `ModelSpec::layout` adds them: 13 a block after the embedding.
        let at = |number: usize| layout.entries[number].offset;
        let blocks = (0..spec.transformer.depth)
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
        let last = 1 + 13 * spec.transformer.depth;
        Self {
            length: spec.geometry.len(),
            width: spec.transformer.width,
            hidden: spec.transformer.width * spec.transformer.expansion,
            targets: spec.targets,
            parameters: layout.len,
            attention: Attention::new(spec),
            blocks,
            norm: (at(last), at(last + 1)),
            unembed: (at(last + 2), at(last + 3)),
        }
    }
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

/// Parameters rearranged for the products; made afresh after every step and shared by all threads.
#[derive(Clone, Debug, Default)]
pub struct Weights {
    blocks: Vec<BlockWeights>,
    unembed: Weight,
}

impl Weights {
    /// Rearranges the parameters; `backward` also prepares the transposed products.
    pub fn refresh(&mut self, shape: &Shape, values: &[f32], backward: bool) {
        use rayon::prelude::*;
        self.blocks.resize(shape.blocks.len(), BlockWeights::default());
        let Shape { width, hidden, .. } = *shape;
        self.unembed.pack(width, shape.targets, &values[shape.unembed.0..], backward);
        self.blocks.par_iter_mut().zip(&shape.blocks).for_each(|(block, places)| {
            block.qkv.pack(width, 3 * width, &values[places.qkv.0..], backward);
            block.out.pack(width, width, &values[places.out.0..], backward);
            block.up.pack(width, hidden, &values[places.up.0..], backward);
            block.down.pack(hidden, width, &values[places.down.0..], backward);
            shape.attention.spread(&values[places.relative..], &mut block.relative);
        });
    }
}

/// What a block leaves behind for the backward pass.
#[derive(Clone, Debug, Default)]
struct BlockTrace {
    normal1: Vec<f32>,
    scale1: Vec<f32>,
    input1: Vec<f32>,
    qkv: Vec<f32>,
    /// heads × length × keys.
    pattern: Vec<f32>,
    context: Vec<f32>,
    normal2: Vec<f32>,
    scale2: Vec<f32>,
    input2: Vec<f32>,
    slope: Vec<f32>,
    hidden: Vec<f32>,
}

/// The memory that one thread needs for one sequence; nothing is allocated while it works.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    blocks: Vec<BlockTrace>,
    stream: Vec<f32>,
    branch: Vec<f32>,
    normal: Vec<f32>,
    scale: Vec<f32>,
    last: Vec<f32>,
    wide: Vec<f32>,
    spare: Vec<f32>,
    gradient: Vec<f32>,
    scores: Vec<f32>,
    packed: Packed,
    /// length × targets.
    pub logits: Vec<f32>,
}

impl Workspace {
    pub fn new(shape: &Shape) -> Self {
        let Shape { length, width, hidden, targets, .. } = *shape;
        let rows = |n: usize| vec![0.0; length * n];
        let block = BlockTrace {
            normal1: rows(width),
            scale1: rows(1),
            input1: rows(width),
            qkv: rows(3 * width),
            pattern: rows(shape.attention.heads * shape.attention.keys),
            context: rows(width),
            normal2: rows(width),
            scale2: rows(1),
            input2: rows(width),
            slope: rows(hidden),
            hidden: rows(hidden),
        };
        Self {
            blocks: vec![block; shape.blocks.len()],
            stream: rows(width),
            branch: rows(width),
            normal: rows(width),
            scale: rows(1),
            last: rows(width),
            wide: rows(hidden.max(3 * width)),
            spare: rows(width),
            gradient: rows(width),
            scores: rows(shape.attention.keys),
            packed: Packed::default(),
            logits: rows(targets),
        }
    }
}

/// Gradients summed over the sequences of one lane.
#[derive(Clone, Debug)]
pub struct LaneGradient {
    /// Laid out as the parameters; relative positions are left out until [`LaneGradient::finish`].
    pub values: Vec<f32>,
    /// For each block, gradients of the relative positions as [`Attention::backward`] sums them.
    relative: Vec<f32>,
    /// Sum of losses.
    pub loss: f64,
    /// Scored positions.
    pub scored: usize,
}

impl LaneGradient {
    pub fn new(shape: &Shape) -> Self {
        Self {
            values: vec![0.0; shape.parameters],
            relative: vec![0.0; shape.blocks.len() * shape.attention.spread_len()],
            loss: 0.0,
            scored: 0,
        }
    }

    pub fn clear(&mut self) {
        self.values.fill(0.0);
        self.relative.fill(0.0);
        self.loss = 0.0;
        self.scored = 0;
    }

    /// Adds the gradients of relative positions up where the parameters lie.
    pub fn finish(&mut self, shape: &Shape) {
        let spreads = self.relative.chunks_exact(shape.attention.spread_len());
        for (block, spread) in shape.blocks.iter().zip(spreads) {
            shape.attention.gather(spread, &mut self.values[block.relative..]);
        }
    }
}
