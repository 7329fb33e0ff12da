//! Attention of all heads over one sequence, with a learnt bias for each relative position.

use super::super::kernel::{Left, Packed, multiply, padded};
use super::super::math;
use super::super::visitor::{Visitor, visit_columns};
use crate::{ModelSpec, relative_positions};

/// Sizes of attention and the relative position of every pair.
#[derive(Clone, Debug)]
pub struct Attention {
    length: usize,
    width: usize,
    pub heads: usize,
    /// Keys padded to whole vectors.
    pub keys: usize,
    /// Relative positions.
    relatives: usize,
    /// Relative position of each (query, key).
    index: Vec<u16>,
}

impl Attention {
    pub fn new(spec: &ModelSpec) -> Self {
        let relative = relative_positions(spec.geometry);
        let length = spec.geometry.len();
        Self {
            length,
            width: spec.transformer.width,
            heads: spec.transformer.heads,
            keys: padded(length),
            relatives: relative.count,
            index: relative.index,
        }
    }

    /// Columns of one head, and what scores are multiplied by.
    fn head(&self) -> (usize, f32) {
        let width = self.width / self.heads;
        (width, 1.0 / (width as f32).sqrt())
    }

    /// Values that [`Attention::spread`] takes up: heads × length × keys.
    pub fn spread_len(&self) -> usize {
        self.heads * self.length * self.keys
    }

    /// The learnt bias of each pair, −∞ in the padding, from the table of heads × relative positions.
    pub fn spread(&self, table: &[f32], bias: &mut Vec<f32>) {
        bias.resize(self.spread_len(), f32::NEG_INFINITY);
        let heads = bias.chunks_exact_mut(self.length * self.keys).zip(table.chunks_exact(self.relatives));
        for (bias, table) in heads {
            for (row, index) in bias.chunks_exact_mut(self.keys).zip(self.index.chunks_exact(self.length)) {
                for (slot, &index) in row.iter_mut().zip(index) {
                    *slot = table[usize::from(index)];
                }
            }
        }
    }

    /// Adds gradients of scores, laid out as [`Attention::spread`], up in the table's.
    pub fn gather(&self, spread: &[f32], table: &mut [f32]) {
        let heads = spread.chunks_exact(self.length * self.keys).zip(table.chunks_exact_mut(self.relatives));
        for (spread, table) in heads {
            for (row, index) in spread.chunks_exact(self.keys).zip(self.index.chunks_exact(self.length)) {
                for (score, &index) in row.iter().zip(index) {
                    table[usize::from(index)] += score;
                }
            }
        }
    }

    /// From queries, keys and values (length × 3·width) to patterns (heads × length × keys) and to their means of
    /// values (length × width). The patterns are tap number `tap`.
    #[allow(clippy::too_many_arguments)]
    pub fn forward(
        &self,
        bias: &[f32],
        qkv: &[f32],
        pattern: &mut [f32],
        context: &mut [f32],
        packed: &mut Packed,
        tap: usize,
        visitor: &mut impl Visitor,
    ) {
        let Self { length, width, keys, .. } = *self;
        let (head_width, scaling) = self.head();
        for (head, pattern) in pattern.chunks_exact_mut(length * keys).enumerate() {
            let first = head * head_width;
            packed.pack(head_width, length, &qkv[width + first..], 1, 3 * width);
            let query = Left { values: &qkv[first..], rows: 3 * width, columns: 1 };
            multiply(length, query, packed, pattern, keys, false);
            math::attend(pattern, &bias[head * length * keys..], scaling, length, keys);
        }
        visit_columns(visitor, tap, pattern, keys, 0, length);
        for (head, pattern) in pattern.chunks_exact(length * keys).enumerate() {
            let first = head * head_width;
            packed.pack(length, head_width, &qkv[2 * width + first..], 3 * width, 1);
            let pattern = Left { values: pattern, rows: keys, columns: 1 };
            multiply(length, pattern, packed, &mut context[first..], width, false);
        }
    }

    /// Gradient of [`Attention::forward`]: from d(context) to d(queries, keys, values), adding the scores' to
    /// `spread`. `scores` is memory for length × keys values.
    #[allow(clippy::too_many_arguments)]
    pub fn backward(
        &self,
        qkv: &[f32],
        pattern: &[f32],
        dcontext: &[f32],
        dqkv: &mut [f32],
        spread: &mut [f32],
        scores: &mut [f32],
        packed: &mut Packed,
    ) {
        let Self { length, width, keys, .. } = *self;
        let (head_width, scaling) = self.head();
        for (head, pattern) in pattern.chunks_exact(length * keys).enumerate() {
            let first = head * head_width;
            // d(value) = patternᵀ · d(context)
            packed.pack(length, head_width, &dcontext[first..], width, 1);
            let transposed = Left { values: pattern, rows: 1, columns: keys };
            multiply(length, transposed, packed, &mut dqkv[2 * width + first..], 3 * width, false);
            // d(pattern) = d(context) · valueᵀ
            packed.pack(head_width, length, &qkv[2 * width + first..], 1, 3 * width);
            let outer = Left { values: &dcontext[first..], rows: width, columns: 1 };
            multiply(length, outer, packed, scores, keys, false);
            math::attend_backward(pattern, scores, keys);
            math::add(&mut spread[head * length * keys..][..length * keys], scores);
            // d(query) = d(score) · key · scaling, d(key) = d(score)ᵀ · query · scaling
            packed.pack(length, head_width, &qkv[width + first..], 3 * width, 1);
            let rows = Left { values: scores, rows: keys, columns: 1 };
            multiply(length, rows, packed, &mut dqkv[first..], 3 * width, false);
            packed.pack(length, head_width, &qkv[first..], 3 * width, 1);
            let columns = Left { values: scores, rows: 1, columns: keys };
            multiply(length, columns, packed, &mut dqkv[width + first..], 3 * width, false);
        }
        for row in dqkv.chunks_exact_mut(3 * width) {
            for value in &mut row[..2 * width] {
                *value *= scaling;
            }
        }
    }
}
