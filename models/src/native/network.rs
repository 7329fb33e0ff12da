//! Forward and backward pass of one sequence.

use environments::{Symbol, UNSCORED};

use super::kernel::{Left, Packed, multiply, padded};
use super::math;
use crate::{ModelSpec, Parameters, relative_positions};

/// Where each parameter of a block begins in the flat buffer.
#[derive(Clone, Debug)]
struct BlockPlaces {
    norm1: (usize, usize),
    qkv: (usize, usize),
    relative: usize,
    out: (usize, usize),
    norm2: (usize, usize),
    up: (usize, usize),
    down: (usize, usize),
}

/// A model's sizes and where its parameters lie.
#[derive(Clone, Debug)]
pub struct Shape {
    pub length: usize,
    /// Keys padded to whole vectors.
    pub keys: usize,
    pub width: usize,
    pub heads: usize,
    pub hidden: usize,
    pub depth: usize,
    pub targets: usize,
    pub parameters: usize,
    /// Relative position of each (query, key), and how many there are.
    pub index: Vec<u16>,
    pub relatives: usize,
    blocks: Vec<BlockPlaces>,
    norm: (usize, usize),
    unembed: (usize, usize),
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
        let relative = relative_positions(spec.geometry);
        let length = spec.geometry.len();
        Self {
            length,
            keys: padded(length),
            width: spec.transformer.width,
            heads: spec.transformer.heads,
            hidden: spec.transformer.width * spec.transformer.expansion,
            depth: spec.transformer.depth,
            targets: spec.targets,
            parameters: layout.len,
            index: relative.index,
            relatives: relative.count,
            blocks,
            norm: (at(last), at(last + 1)),
            unembed: (at(last + 2), at(last + 3)),
        }
    }

    fn head_width(&self) -> usize {
        self.width / self.heads
    }
}

/// A weight matrix packed for the forward product and, transposed, for the backward one.
#[derive(Clone, Debug, Default)]
struct Weight {
    forward: Packed,
    backward: Packed,
}

impl Weight {
    fn pack(&mut self, inputs: usize, outputs: usize, values: &[f32], backward: bool) {
        let values = &values[..inputs * outputs];
        self.forward.pack(inputs, outputs, values, outputs, 1);
        if backward {
            self.backward.pack(outputs, inputs, values, 1, outputs);
        }
    }
}

#[derive(Clone, Debug, Default)]
struct BlockWeights {
    qkv: Weight,
    out: Weight,
    up: Weight,
    down: Weight,
    /// heads × length × keys: the learnt bias of each pair, −∞ in the padding.
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
        self.blocks.resize(shape.depth, BlockWeights::default());
        let Shape { width, hidden, length, keys, relatives, .. } = *shape;
        self.unembed.pack(width, shape.targets, &values[shape.unembed.0..], backward);
        self.blocks.par_iter_mut().zip(&shape.blocks).for_each(|(block, places)| {
            block.qkv.pack(width, 3 * width, &values[places.qkv.0..], backward);
            block.out.pack(width, width, &values[places.out.0..], backward);
            block.up.pack(width, hidden, &values[places.up.0..], backward);
            block.down.pack(hidden, width, &values[places.down.0..], backward);
            block.relative.resize(shape.heads * length * keys, f32::NEG_INFINITY);
            for head in 0..shape.heads {
                let table = &values[places.relative + head * relatives..][..relatives];
                for query in 0..length {
                    let row = &mut block.relative[(head * length + query) * keys..][..length];
                    for (slot, &index) in row.iter_mut().zip(&shape.index[query * length..]) {
                        *slot = table[usize::from(index)];
                    }
                }
            }
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
        let Shape { length, keys, width, heads, hidden, targets, .. } = *shape;
        let rows = |n: usize| vec![0.0; length * n];
        let block = BlockTrace {
            normal1: rows(width),
            scale1: rows(1),
            input1: rows(width),
            qkv: rows(3 * width),
            pattern: rows(heads * keys),
            context: rows(width),
            normal2: rows(width),
            scale2: rows(1),
            input2: rows(width),
            slope: rows(hidden),
            hidden: rows(hidden),
        };
        Self {
            blocks: vec![block; shape.depth],
            stream: rows(width),
            branch: rows(width),
            normal: rows(width),
            scale: rows(1),
            last: rows(width),
            wide: rows(hidden.max(3 * width)),
            spare: rows(width),
            gradient: rows(width),
            scores: rows(keys),
            packed: Packed::default(),
            logits: rows(targets),
        }
    }
}

/// Reads and changes activations on the way; `()` does nothing and costs nothing.
pub trait Visitor {
    /// Whether anything is wanted at a tap.
    fn touches(&self, tap: usize) -> bool;
    /// Reads or changes an activation, laid out as its tap says.
    fn visit(&mut self, tap: usize, values: &mut [f32]);
}

impl Visitor for () {
    #[inline(always)]
    fn touches(&self, _tap: usize) -> bool {
        false
    }
    fn visit(&mut self, _tap: usize, _values: &mut [f32]) {}
}

/// Taps a block, in the order of `ModelSpec::taps`.
const BLOCK_TAPS: usize = 10;

/// The forward pass of one sequence; leaves logits and, for the gradient, the traces in the workspace.
pub fn forward(
    shape: &Shape,
    values: &[f32],
    weights: &Weights,
    tokens: &[Symbol],
    space: &mut Workspace,
    visitor: &mut impl Visitor,
) {
    let Shape { length, keys, width, hidden, .. } = *shape;
    let Workspace { blocks, stream, branch, normal, scale, last, wide, scores: _, packed, logits, .. } = space;
    for (row, &token) in stream.chunks_exact_mut(width).zip(tokens) {
        row.copy_from_slice(&values[usize::from(token) * width..][..width]);
    }
    visit(visitor, 0, stream);
    for (number, ((trace, weights), places)) in blocks.iter_mut().zip(&weights.blocks).zip(&shape.blocks).enumerate() {
        let tap = 1 + number * BLOCK_TAPS;
        visit(visitor, tap, stream);
        let (gain, bias) = (&values[places.norm1.0..][..width], &values[places.norm1.1..][..width]);
        math::normalise(stream, gain, bias, &mut trace.input1, &mut trace.normal1, &mut trace.scale1);
        let input = Left { values: &trace.input1, rows: width, columns: 1 };
        multiply(length, input, &weights.qkv.forward, &mut trace.qkv, 3 * width, false);
        math::add_bias(&mut trace.qkv, &values[places.qkv.1..][..3 * width]);
        for part in 0..3 {
            visit_columns(visitor, tap + 1 + part, &mut trace.qkv, 3 * width, part * width, width);
        }
        let head_width = shape.head_width();
        let scaling = 1.0 / (head_width as f32).sqrt();
        for (head, pattern) in trace.pattern.chunks_exact_mut(length * keys).enumerate() {
            let first = head * head_width;
            packed.pack(head_width, length, &trace.qkv[width + first..], 1, 3 * width);
            let query = Left { values: &trace.qkv[first..], rows: 3 * width, columns: 1 };
            multiply(length, query, packed, pattern, keys, false);
            math::attend(pattern, &weights.relative[head * length * keys..], scaling, length, keys);
        }
        visit_columns(visitor, tap + 4, &mut trace.pattern, keys, 0, length);
        for (head, pattern) in trace.pattern.chunks_exact(length * keys).enumerate() {
            let first = head * head_width;
            packed.pack(length, head_width, &trace.qkv[2 * width + first..], 3 * width, 1);
            let pattern = Left { values: pattern, rows: keys, columns: 1 };
            multiply(length, pattern, packed, &mut trace.context[first..], width, false);
        }
        let context = Left { values: &trace.context, rows: width, columns: 1 };
        multiply(length, context, &weights.out.forward, branch, width, false);
        math::add_bias(branch, &values[places.out.1..][..width]);
        visit(visitor, tap + 5, branch);
        math::add(stream, branch);
        visit(visitor, tap + 6, stream);
        let (gain, bias) = (&values[places.norm2.0..][..width], &values[places.norm2.1..][..width]);
        math::normalise(stream, gain, bias, &mut trace.input2, &mut trace.normal2, &mut trace.scale2);
        let input = Left { values: &trace.input2, rows: width, columns: 1 };
        let wide = &mut wide[..length * hidden];
        multiply(length, input, &weights.up.forward, wide, hidden, false);
        math::gelu(wide, &values[places.up.1..][..hidden], &mut trace.hidden, &mut trace.slope);
        visit(visitor, tap + 7, &mut trace.hidden);
        let input = Left { values: &trace.hidden, rows: hidden, columns: 1 };
        multiply(length, input, &weights.down.forward, branch, width, false);
        math::add_bias(branch, &values[places.down.1..][..width]);
        visit(visitor, tap + 8, branch);
        math::add(stream, branch);
        visit(visitor, tap + 9, stream);
    }
    let (gain, bias) = (&values[shape.norm.0..][..width], &values[shape.norm.1..][..width]);
    math::normalise(stream, gain, bias, last, normal, scale);
    let tap = 1 + shape.depth * BLOCK_TAPS;
    visit(visitor, tap, last);
    let input = Left { values: last, rows: width, columns: 1 };
    multiply(length, input, &weights.unembed.forward, logits, shape.targets, false);
    math::add_bias(logits, &values[shape.unembed.1..][..shape.targets]);
    visit(visitor, tap + 1, logits);
}

#[inline(always)]
fn visit(visitor: &mut impl Visitor, tap: usize, values: &mut [f32]) {
    if visitor.touches(tap) {
        visitor.visit(tap, values);
    }
}

/// Visits some columns of a matrix whose rows are `stride` apart.
#[inline(always)]
fn visit_columns(
    visitor: &mut impl Visitor,
    tap: usize,
    values: &mut [f32],
    stride: usize,
    first: usize,
    width: usize,
) {
    if visitor.touches(tap) {
        let mut compact: Vec<f32> =
            values.chunks_exact(stride).flat_map(|row| row[first..first + width].iter().copied()).collect();
        visitor.visit(tap, &mut compact);
        for (row, new) in values.chunks_exact_mut(stride).zip(compact.chunks_exact(width)) {
            row[first..first + width].copy_from_slice(new);
        }
    }
}

/// Gradients summed over the sequences of one lane.
#[derive(Clone, Debug)]
pub struct LaneGradient {
    /// Laid out as the parameters; relative positions are left out until [`LaneGradient::finish`].
    pub values: Vec<f32>,
    /// depth × heads × length × keys: gradients of the attention scores.
    scores: Vec<f32>,
    /// Sum of losses.
    pub loss: f64,
    /// Scored positions.
    pub scored: usize,
}

impl LaneGradient {
    pub fn new(shape: &Shape) -> Self {
        Self {
            values: vec![0.0; shape.parameters],
            scores: vec![0.0; shape.depth * shape.heads * shape.length * shape.keys],
            loss: 0.0,
            scored: 0,
        }
    }

    pub fn clear(&mut self) {
        self.values.fill(0.0);
        self.scores.fill(0.0);
        self.loss = 0.0;
        self.scored = 0;
    }

    /// Adds the gradients of attention scores up by relative position.
    pub fn finish(&mut self, shape: &Shape) {
        let Shape { length, keys, heads, relatives, .. } = *shape;
        for (block, scores) in shape.blocks.iter().zip(self.scores.chunks_exact(heads * length * keys)) {
            for (head, scores) in scores.chunks_exact(length * keys).enumerate() {
                let table = &mut self.values[block.relative + head * relatives..][..relatives];
                for (row, index) in scores.chunks_exact(keys).zip(shape.index.chunks_exact(length)) {
                    for (score, &index) in row.iter().zip(index) {
                        table[usize::from(index)] += score;
                    }
                }
            }
        }
    }
}

/// The backward pass of the sequence that [`forward`] was just run on. `weight` multiplies the loss of each scored
/// position (1 / the batch's scored positions).
#[allow(clippy::too_many_arguments)]
pub fn backward(
    shape: &Shape,
    values: &[f32],
    weights: &Weights,
    tokens: &[Symbol],
    targets: &[Symbol],
    weight: f32,
    space: &mut Workspace,
    lane: &mut LaneGradient,
) {
    let Shape { length, keys, width, hidden, heads, .. } = *shape;
    let Workspace { blocks, branch, normal, scale, last, wide, spare, gradient, scores, packed, logits, .. } = space;
    for (row, &target) in logits.chunks_exact_mut(shape.targets).zip(targets) {
        if target == UNSCORED {
            row.fill(0.0);
        } else {
            lane.loss += f64::from(math::cross_entropy(row, usize::from(target)));
            lane.scored += 1;
            for value in row.iter_mut() {
                *value *= weight;
            }
        }
    }
    let slopes = &mut lane.values;
    dense_backward(length, logits, last, &weights.unembed.backward, packed, spare, slopes, shape.unembed, width);
    let (gain, _) = (&values[shape.norm.0..][..width], ());
    gradient.fill(0.0);
    norm_backward(spare, normal, scale, gain, gradient, slopes, shape.norm);
    for (number, ((trace, weights), places)) in
        blocks.iter_mut().zip(&weights.blocks).zip(&shape.blocks).enumerate().rev()
    {
        // MLP: gradient is d(resid_post) and stays the gradient of the skip.
        let wide_hidden = &mut wide[..length * hidden];
        dense_backward(
            length,
            gradient,
            &trace.hidden,
            &weights.down.backward,
            packed,
            wide_hidden,
            slopes,
            places.down,
            hidden,
        );
        math::scale_by(wide_hidden, &trace.slope);
        dense_backward(
            length,
            wide_hidden,
            &trace.input2,
            &weights.up.backward,
            packed,
            spare,
            slopes,
            places.up,
            width,
        );
        let gain = &values[places.norm2.0..][..width];
        norm_backward(spare, &trace.normal2, &trace.scale2, gain, gradient, slopes, places.norm2);
        // Attention.
        dense_backward(
            length,
            gradient,
            &trace.context,
            &weights.out.backward,
            packed,
            branch,
            slopes,
            places.out,
            width,
        );
        let wide_qkv = &mut wide[..length * 3 * width];
        let head_width = shape.head_width();
        let scaling = 1.0 / (head_width as f32).sqrt();
        let lane_scores = &mut lane.scores[number * heads * length * keys..][..heads * length * keys];
        for head in 0..heads {
            let first = head * head_width;
            let pattern = &trace.pattern[head * length * keys..][..length * keys];
            // d(value) = patternᵀ · d(context)
            packed.pack(length, head_width, &branch[first..], width, 1);
            let transposed = Left { values: pattern, rows: 1, columns: keys };
            multiply(length, transposed, packed, &mut wide_qkv[2 * width + first..], 3 * width, false);
            // d(pattern) = d(context) · valueᵀ
            packed.pack(head_width, length, &trace.qkv[2 * width + first..], 1, 3 * width);
            let outer = Left { values: &branch[first..], rows: width, columns: 1 };
            multiply(length, outer, packed, scores, keys, false);
            math::attend_backward(pattern, scores, keys);
            math::add(&mut lane_scores[head * length * keys..][..length * keys], scores);
            // d(query) = d(score) · key · scaling, d(key) = d(score)ᵀ · query · scaling
            packed.pack(length, head_width, &trace.qkv[width + first..], 3 * width, 1);
            let rows = Left { values: scores, rows: keys, columns: 1 };
            multiply(length, rows, packed, &mut wide_qkv[first..], 3 * width, false);
            packed.pack(length, head_width, &trace.qkv[first..], 3 * width, 1);
            let columns = Left { values: scores, rows: 1, columns: keys };
            multiply(length, columns, packed, &mut wide_qkv[width + first..], 3 * width, false);
        }
        for row in wide_qkv.chunks_exact_mut(3 * width) {
            for value in &mut row[..2 * width] {
                *value *= scaling;
            }
        }
        dense_backward(
            length,
            wide_qkv,
            &trace.input1,
            &weights.qkv.backward,
            packed,
            spare,
            slopes,
            places.qkv,
            width,
        );
        let gain = &values[places.norm1.0..][..width];
        norm_backward(spare, &trace.normal1, &trace.scale1, gain, gradient, slopes, places.norm1);
    }
    for (row, &token) in gradient.chunks_exact(width).zip(tokens) {
        math::add(&mut slopes[usize::from(token) * width..][..width], row);
    }
}

/// Gradients of y = x·W + b: dx, and dW and db added at their places in the flat gradient.
#[allow(clippy::too_many_arguments)]
fn dense_backward(
    rows: usize,
    dy: &[f32],
    x: &[f32],
    weight: &Packed,
    packed: &mut Packed,
    dx: &mut [f32],
    slopes: &mut [f32],
    places: (usize, usize),
    inputs: usize,
) {
    let outputs = dy.len() / rows;
    multiply(rows, Left { values: dy, rows: outputs, columns: 1 }, weight, dx, inputs, false);
    packed.pack(rows, outputs, dy, outputs, 1);
    let transposed = Left { values: x, rows: 1, columns: inputs };
    multiply(inputs, transposed, packed, &mut slopes[places.0..][..inputs * outputs], outputs, true);
    math::add_rows(dy, &mut slopes[places.1..][..outputs]);
}

fn norm_backward(
    dy: &[f32],
    normal: &[f32],
    scale: &[f32],
    gain: &[f32],
    dx: &mut [f32],
    slopes: &mut [f32],
    places: (usize, usize),
) {
    let width = gain.len();
    let (dgain, dbias) = slopes[places.0..].split_at_mut(places.1 - places.0);
    math::normalise_backward(dy, normal, scale, gain, dx, &mut dgain[..width], &mut dbias[..width]);
}

/// The mean loss of a batch and its gradient need the number of scored positions first.
pub fn scored(targets: &[Symbol]) -> usize {
    targets.iter().filter(|&&target| target != UNSCORED).count()
}

/// Checks that tokens fit a model.
///
/// # Errors
/// If their number is not a multiple of the length, or one is outside the vocabulary.
pub fn check_tokens(parameters: &Parameters, tokens: &[Symbol]) -> Result<usize, crate::ModelError> {
    let length = parameters.spec.geometry.len();
    if !tokens.len().is_multiple_of(length) {
        return Err(crate::ModelError::Shape(format!("{} tokens are not whole sequences of {length}", tokens.len())));
    }
    if let Some(token) = tokens.iter().find(|&&token| usize::from(token) >= parameters.spec.vocabulary) {
        let vocabulary = parameters.spec.vocabulary;
        return Err(crate::ModelError::Shape(format!("token {token} is outside the vocabulary of {vocabulary}")));
    }
    Ok(tokens.len() / length)
}
