//! Attention of all heads over one sequence, with a learnt bias for each relative position.

use environments::Geometry;

use crate::native::kernel::{Left, Packed, Part, multiply_part, padded};
use crate::native::math;
use crate::native::visitor::{Visitor, visit_columns};
use crate::{TransformerConfig, relative_positions};

/// −∞ that follow a head's biases where attention is causal: one vector, for the ends of rows.
const MARGIN: usize = 16;

/// Sizes of attention, and who attends to whom.
#[derive(Clone, Debug)]
pub struct Attention {
    length: usize,
    width: usize,
    pub heads: usize,
    /// Keys padded to whole vectors.
    pub keys: usize,
    /// Relative positions.
    relatives: usize,
    pairs: Pairs,
}

#[derive(Clone, Debug)]
enum Pairs {
    /// Every position attends to all; the relative position of each (query, key).
    All(Vec<u16>),
    /// Every position attends to itself and to earlier ones; the relative position is the distance.
    Past,
}

impl Attention {
    pub fn new(config: &TransformerConfig, geometry: Geometry) -> Self {
        let relative = relative_positions(geometry);
        let length = geometry.len();
        let pairs = if relative.causal { Pairs::Past } else { Pairs::All(relative.index) };
        Self {
            length,
            width: config.width,
            heads: config.heads,
            keys: padded(length),
            relatives: relative.count,
            pairs,
        }
    }

    /// Columns of one head, and what scores are multiplied by.
    fn head(&self) -> (usize, f32) {
        let width = self.width / self.heads;
        (width, 1.0 / (width as f32).sqrt())
    }

    /// Values that [`Attention::spread`] takes up for one head.
    fn head_spread(&self) -> usize {
        match self.pairs {
            Pairs::All(_) => self.length * self.keys,
            Pairs::Past => self.length + MARGIN,
        }
    }

    /// Values that [`Attention::spread`] takes up.
    pub fn spread_len(&self) -> usize {
        self.heads * self.head_spread()
    }

    /// The learnt biases (heads × relative positions) as rows of scores want them: for each pair, −∞ in the
    /// padding; where attention is causal, by falling distance, so that the row of query q is a slice.
    pub fn spread(&self, table: &[f32], bias: &mut Vec<f32>) {
        bias.resize(self.spread_len(), f32::NEG_INFINITY);
        let heads = bias.chunks_exact_mut(self.head_spread()).zip(table.chunks_exact(self.relatives));
        for (bias, table) in heads {
            match &self.pairs {
                Pairs::All(index) => {
                    for (row, index) in bias.chunks_exact_mut(self.keys).zip(index.chunks_exact(self.length)) {
                        for (slot, &index) in row.iter_mut().zip(index) {
                            *slot = table[usize::from(index)];
                        }
                    }
                }
                Pairs::Past => {
                    for (slot, &value) in bias.iter_mut().zip(table.iter().rev()) {
                        *slot = value;
                    }
                }
            }
        }
    }

    /// Adds gradients that are laid out as [`Attention::spread`] up in the table's.
    pub fn gather(&self, spread: &[f32], table: &mut [f32]) {
        let heads = spread.chunks_exact(self.head_spread()).zip(table.chunks_exact_mut(self.relatives));
        for (spread, table) in heads {
            match &self.pairs {
                Pairs::All(index) => {
                    for (row, index) in spread.chunks_exact(self.keys).zip(index.chunks_exact(self.length)) {
                        for (score, &index) in row.iter().zip(index) {
                            table[usize::from(index)] += score;
                        }
                    }
                }
                Pairs::Past => {
                    for (value, score) in table.iter_mut().rev().zip(spread) {
                        *value += score;
                    }
                }
            }
        }
    }

    /// Which parts of products there are: of patterns as a result, as a left factor, and transposed as one.
    fn parts(&self) -> [Part; 3] {
        match self.pairs {
            Pairs::All(_) => [Part::All; 3],
            Pairs::Past => [Part::LowerResult, Part::LowerLeft, Part::UpperLeft],
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
        let [result, left, _] = self.parts();
        // An intervention may put weight where there was none.
        let left = if visitor.touches(tap) { Part::All } else { left };
        let heads = pattern.chunks_exact_mut(length * keys).zip(bias.chunks_exact(self.head_spread()));
        for (head, (pattern, bias)) in heads.enumerate() {
            let first = head * head_width;
            packed.pack(head_width, length, &qkv[width + first..], 1, 3 * width);
            let query = Left { values: &qkv[first..], rows: 3 * width, columns: 1 };
            multiply_part(result, length, query, packed, pattern, keys, false);
            match self.pairs {
                Pairs::All(_) => math::attend(pattern, bias, scaling, length, keys),
                Pairs::Past => math::attend_past(pattern, bias, scaling, keys),
            }
        }
        visit_columns(visitor, tap, pattern, keys, 0, length);
        for (head, pattern) in pattern.chunks_exact(length * keys).enumerate() {
            let first = head * head_width;
            packed.pack(length, head_width, &qkv[2 * width + first..], 3 * width, 1);
            let pattern = Left { values: pattern, rows: keys, columns: 1 };
            multiply_part(left, length, pattern, packed, &mut context[first..], width, false);
        }
    }

    /// One query of causal attention, given the past: the row of [`Attention::forward`] at `position`. `keys` are
    /// width × keys, `values` length × width.
    #[allow(clippy::too_many_arguments)]
    pub fn feed(
        &self,
        bias: &[f32],
        query: &[f32],
        keys: &[f32],
        values: &[f32],
        position: usize,
        scores: &mut [f32],
        context: &mut [f32],
    ) {
        let (head_width, scaling) = self.head();
        for (head, bias) in bias.chunks_exact(self.head_spread()).enumerate() {
            let columns = head * head_width..(head + 1) * head_width;
            math::attend_one(
                &query[columns.clone()],
                &keys[columns.start * self.keys..],
                self.keys,
                &values[columns.start..],
                self.width,
                bias,
                scaling,
                position + 1,
                scores,
                &mut context[columns],
            );
        }
    }

    /// Gradient of [`Attention::forward`]: from d(context) to d(queries, keys, values), adding that of the biases
    /// to `spread`. `scores` is memory for length × keys values.
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
        let [result, left, transposed] = self.parts();
        let heads = pattern.chunks_exact(length * keys).zip(spread.chunks_exact_mut(self.head_spread()));
        for (head, (pattern, spread)) in heads.enumerate() {
            let first = head * head_width;
            // d(value) = patternᵀ · d(context)
            packed.pack(length, head_width, &dcontext[first..], width, 1);
            let columns = Left { values: pattern, rows: 1, columns: keys };
            multiply_part(transposed, length, columns, packed, &mut dqkv[2 * width + first..], 3 * width, false);
            // d(pattern) = d(context) · valueᵀ
            packed.pack(head_width, length, &qkv[2 * width + first..], 1, 3 * width);
            let outer = Left { values: &dcontext[first..], rows: width, columns: 1 };
            multiply_part(result, length, outer, packed, scores, keys, false);
            match self.pairs {
                Pairs::All(_) => {
                    math::attend_backward(pattern, scores, keys);
                    math::add(spread, scores);
                }
                Pairs::Past => math::attend_past_backward(pattern, scores, spread, keys),
            }
            // d(query) = d(score) · key · scaling, d(key) = d(score)ᵀ · query · scaling
            packed.pack(length, head_width, &qkv[width + first..], 3 * width, 1);
            let rows = Left { values: scores, rows: keys, columns: 1 };
            multiply_part(left, length, rows, packed, &mut dqkv[first..], 3 * width, false);
            packed.pack(length, head_width, &qkv[first..], 3 * width, 1);
            let columns = Left { values: scores, rows: 1, columns: keys };
            multiply_part(transposed, length, columns, packed, &mut dqkv[width + first..], 3 * width, false);
        }
        for row in dqkv.chunks_exact_mut(3 * width) {
            for value in &mut row[..2 * width] {
                *value *= scaling;
            }
        }
    }
}
