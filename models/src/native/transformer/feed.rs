//! One symbol at a time, with the keys and values of the past kept.

use environments::Symbol;

use super::{Transformer, Weights};
use crate::native::dense::dense;
use crate::native::math;

/// What a transformer keeps of the sequences that it was fed.
pub struct Memory {
    sequences: usize,
    /// One a block that a sequence passes.
    pasts: Vec<Past>,
    stream: Vec<f32>,
    input: Vec<f32>,
    normal: Vec<f32>,
    scale: Vec<f32>,
    qkv: Vec<f32>,
    branch: Vec<f32>,
    wide: Vec<f32>,
    hidden: Vec<f32>,
    slope: Vec<f32>,
    scores: Vec<f32>,
    logits: Vec<f32>,
}

struct Past {
    /// sequences × width × keys: transposed, so that a row of scores runs along it.
    keys: Vec<f32>,
    /// sequences × length × width.
    values: Vec<f32>,
}

impl Memory {
    pub fn new(shape: &Transformer, sequences: usize) -> Self {
        let Transformer { length, width, hidden, .. } = *shape;
        let keys = shape.attention.keys;
        let rows = |width: usize| vec![0.0; sequences * width];
        let past = || Past { keys: rows(width * keys), values: rows(length * width) };
        Self {
            sequences,
            pasts: (0..shape.depth).map(|_| past()).collect(),
            stream: rows(width),
            input: rows(width),
            normal: rows(width),
            scale: rows(1),
            qkv: rows(3 * width),
            branch: rows(width),
            wide: rows(hidden),
            hidden: rows(hidden),
            slope: rows(hidden),
            scores: vec![0.0; keys],
            logits: rows(shape.targets),
        }
    }
}

/// The pass of [`super::passes::forward`] for one position of every sequence, with the same bits. Attention is causal.
pub fn feed<'a>(
    shape: &Transformer,
    values: &[f32],
    weights: &Weights,
    tokens: &[Symbol],
    position: usize,
    memory: &'a mut Memory,
) -> &'a [f32] {
    let Transformer { length, width, hidden, .. } = *shape;
    let Memory { sequences, pasts, stream, input, normal, scale, qkv, branch, wide, slope, scores, logits, .. } =
        memory;
    let count = *sequences;
    for (row, &token) in stream.chunks_exact_mut(width).zip(tokens) {
        row.copy_from_slice(&values[usize::from(token) * width..][..width]);
    }
    for (number, past) in pasts.iter_mut().enumerate() {
        let block = number % shape.blocks.len();
        let (weights, places) = (&weights.blocks[block], &shape.blocks[block]);
        let (gain, bias) = (&values[places.norm1.0..][..width], &values[places.norm1.1..][..width]);
        math::normalise(stream, gain, bias, input, normal, scale);
        dense(count, input, width, &weights.qkv, &values[places.qkv.1..], qkv, 3 * width);
        let keys = shape.attention.keys;
        for (sequence, qkv) in qkv.chunks_exact(3 * width).enumerate() {
            let past_keys = &mut past.keys[sequence * width * keys..][..width * keys];
            let past_values = &mut past.values[sequence * length * width..][..length * width];
            for (column, &key) in qkv[width..2 * width].iter().enumerate() {
                past_keys[column * keys + position] = key;
            }
            past_values[position * width..][..width].copy_from_slice(&qkv[2 * width..]);
            let context = &mut input[sequence * width..][..width];
            let bias = &weights.relative;
            shape.attention.feed(bias, &qkv[..width], past_keys, past_values, position, scores, context);
        }
        dense(count, input, width, &weights.out, &values[places.out.1..], branch, width);
        math::add(stream, branch);
        let (gain, bias) = (&values[places.norm2.0..][..width], &values[places.norm2.1..][..width]);
        math::normalise(stream, gain, bias, input, normal, scale);
        dense(count, input, width, &weights.up, &[], wide, hidden);
        math::gelu(wide, &values[places.up.1..][..hidden], &mut memory.hidden, slope);
        dense(count, &memory.hidden, hidden, &weights.down, &values[places.down.1..], branch, width);
        math::add(stream, branch);
    }
    let (gain, bias) = (&values[shape.norm.0..][..width], &values[shape.norm.1..][..width]);
    math::normalise(stream, gain, bias, input, normal, scale);
    dense(count, input, width, &weights.unembed, &values[shape.unembed.1..], logits, shape.targets);
    logits
}
