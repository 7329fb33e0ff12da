//! Attention of all heads over one sequence, with a learnt bias for each relative position.
//!
//! A strip of queries at a time: the scores of a whole sequence of length T are T × T values, which no memory is ever
//! asked for unless the sequence is short or somebody wants to see them. What a strip's weights were made with (two
//! values a query) is kept, and the backward pass makes them again, with the same bits.

use environments::Geometry;

use super::torus::Torus;
use crate::native::kernel::{Into, Left, Packed, Part, Window, multiply_part, padded};
use crate::native::math::{self, Ends};
use crate::native::switch::{Operation, plain};
use crate::native::visitor::{Visitor, visit_columns};
use crate::{TransformerConfig, relative_positions};

/// −∞ that follow a head's biases where attention is causal: one vector, for the ends of rows.
const MARGIN: usize = 16;

/// The longest sequence whose weights are kept for the backward pass, which is then faster.
const KEPT: usize = 128;

/// Scores in a strip: with its gradient it stays in a core's second cache.
const STRIP: usize = 32_768;

/// The longest torus for which the biases of all pairs are laid out.
const LAID_OUT: usize = 512;

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
    /// Queries in a strip: all, or a multiple of 32.
    strip: usize,
    /// Whether the weights are kept for the backward pass; then a sequence is one strip.
    kept: bool,
    pairs: Pairs,
}

#[derive(Clone, Debug)]
enum Pairs {
    /// Every position attends to all; the relative position of each (query, key).
    All(Vec<u16>),
    /// The same where there are too many pairs to list.
    Torus(Torus),
    /// Every position attends to itself and to earlier ones; the relative position is the distance.
    Past,
}

/// What the backward pass needs of a forward pass.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// heads × length × keys where they are kept.
    weights: Vec<f32>,
    /// heads × length.
    ends: Vec<Ends>,
}

/// Memory for one strip.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    scores: Vec<f32>,
    gradient: Vec<f32>,
    bias: Vec<f32>,
    packed: Packed,
    keys: Packed,
    turned_keys: Packed,
    turned_values: Packed,
}

impl Attention {
    pub fn new(config: &TransformerConfig, geometry: Geometry) -> Self {
        let length = geometry.len();
        let (pairs, relatives) = match geometry {
            Geometry::Torus { prefix, rows, columns } if length > LAID_OUT => {
                let torus = Torus { prefix, rows, columns };
                (Pairs::Torus(torus), torus.relatives())
            }
            Geometry::Torus { .. } => {
                let relative = relative_positions(geometry);
                (Pairs::All(relative.index), relative.count)
            }
            Geometry::Line { .. } => (Pairs::Past, length),
        };
        let keys = padded(length);
        let kept = length <= KEPT || plain(Operation::Attention);
        let strip = if kept { length } else { ((STRIP / keys / 32).max(1) * 32).min(length) };
        Self { length, width: config.width, heads: config.heads, keys, relatives, strip, kept, pairs }
    }

    /// Columns of one head, and what scores are multiplied by.
    fn head(&self) -> (usize, f32) {
        let width = self.width / self.heads;
        (width, 1.0 / (width as f32).sqrt())
    }

    /// Memory for what a forward pass leaves.
    pub fn trace(&self) -> Trace {
        let kept = if self.kept { self.heads * self.length * self.keys } else { 0 };
        Trace { weights: vec![0.0; kept], ends: vec![[0.0; 2]; self.heads * self.length] }
    }

    /// Values that [`Attention::trace`] takes up.
    pub fn trace_len(&self) -> usize {
        let kept = if self.kept { self.length * self.keys } else { 0 };
        self.heads * (kept + 2 * self.length)
    }

    /// Values that [`Attention::scratch`] takes up for training, at most, once all is packed.
    pub fn scratch_len(&self) -> usize {
        let (head_width, _) = self.head();
        3 * self.strip * self.keys + 2 * head_width * self.keys + 2 * self.length * padded(head_width)
    }

    /// Memory to work in.
    pub fn scratch(&self, backward: bool) -> Scratch {
        let strip = |wanted: bool| vec![0.0; if wanted { self.strip * self.keys } else { 0 }];
        Scratch {
            scores: strip(!self.kept),
            gradient: strip(backward),
            bias: strip(matches!(self.pairs, Pairs::Torus(_))),
            ..Scratch::default()
        }
    }

    /// Values that [`Attention::spread`] takes up for one head.
    fn head_spread(&self) -> usize {
        match self.pairs {
            Pairs::All(_) => self.length * self.keys,
            Pairs::Torus(_) => self.relatives,
            Pairs::Past => self.length + MARGIN,
        }
    }

    /// Values that [`Attention::spread`] takes up.
    pub fn spread_len(&self) -> usize {
        self.heads * self.head_spread()
    }

    /// The learnt biases (heads × relative positions) as strips of scores want them: for each pair, −∞ in the
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
                Pairs::Torus(_) => bias.copy_from_slice(table),
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
                Pairs::Torus(_) => math::add(table, spread),
                Pairs::Past => {
                    for (value, score) in table.iter_mut().rev().zip(spread) {
                        *value += score;
                    }
                }
            }
        }
    }

    /// Which parts of products there are: of weights as a result, as a left factor, and transposed as one.
    fn parts(&self) -> [Part; 3] {
        match self.pairs {
            Pairs::All(_) | Pairs::Torus(_) => [Part::All; 3],
            Pairs::Past => [Part::LowerResult, Part::LowerLeft, Part::UpperLeft],
        }
    }

    /// The strips: their first query, how many they are, and how many keys any of them sees.
    fn strips(&self) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
        let (length, strip, past) = (self.length, self.strip, matches!(self.pairs, Pairs::Past));
        (0..length).step_by(strip).map(move |first| {
            let count = strip.min(length - first);
            (first, count, if past { first + count } else { length })
        })
    }

    /// Scores to weights for the `count` queries from `first` on; made anew from their ends where these are known.
    #[allow(clippy::too_many_arguments)]
    fn weigh(
        &self,
        head_bias: &[f32],
        (first, count, seen): (usize, usize, usize),
        scores: &mut [f32],
        laid: &mut [f32],
        ends: &mut [Ends],
        again: bool,
    ) {
        let Self { length, keys, .. } = *self;
        let (_, scaling) = self.head();
        let bias = match &self.pairs {
            Pairs::Past if again => {
                return math::attend_past_again(scores, head_bias, scaling, keys, first, seen, ends);
            }
            Pairs::Past => return math::attend_past(scores, head_bias, scaling, keys, first, seen, ends),
            Pairs::All(_) => &head_bias[first * keys..][..count * keys],
            Pairs::Torus(torus) => {
                let laid = &mut laid[..count * keys];
                for (query, row) in (first..).zip(laid.chunks_exact_mut(keys)) {
                    torus.lay_out(query, head_bias, row);
                }
                &*laid
            }
        };
        if again {
            math::attend_again(scores, bias, scaling, length, keys, ends);
        } else {
            math::attend(scores, bias, scaling, length, keys, ends);
        }
    }

    /// From queries, keys and values (length × 3·width) to their means of values (length × width). The weights,
    /// heads × length × keys, are tap number `tap`.
    #[allow(clippy::too_many_arguments)]
    pub fn forward(
        &self,
        bias: &[f32],
        qkv: &[f32],
        trace: &mut Trace,
        context: &mut [f32],
        scratch: &mut Scratch,
        tap: usize,
        visitor: &mut impl Visitor,
    ) {
        let Self { length, width, heads, keys, kept, .. } = *self;
        let (head_width, _) = self.head();
        let [result, left, _] = self.parts();
        let touched = visitor.touches(tap);
        // An intervention may put weight where there was none.
        let left = if touched { Part::All } else { left };
        let mut shown = vec![0.0; if touched && !kept { heads * length * keys } else { 0 }];
        let Trace { weights, ends } = trace;
        let weights = if touched && !kept { &mut shown } else { weights };
        let Scratch { scores, bias: laid, packed, keys: packed_values, .. } = scratch;
        for (head, bias) in bias.chunks_exact(self.head_spread()).enumerate() {
            let first_column = head * head_width;
            packed.pack(head_width, length, &qkv[width + first_column..], 1, 3 * width);
            if !touched {
                packed_values.pack(length, head_width, &qkv[2 * width + first_column..], 3 * width, 1);
            }
            for strip in self.strips() {
                let (first, count, seen) = strip;
                let weights = match weights.get_mut((head * length + first) * keys..) {
                    Some(weights) if !weights.is_empty() => &mut weights[..count * keys],
                    _ => &mut scores[..count * keys],
                };
                let ends = &mut ends[head * length + first..][..count];
                let query = Left { values: &qkv[first * 3 * width + first_column..], rows: 3 * width, columns: 1 };
                let window = Window { part: result, offset: first, columns: seen, steps: head_width };
                multiply_part(window, count, query, packed, weights, keys, Into::Fresh);
                // Where all weights are looked at, the rest of the row must be 0 too.
                let strip = if touched { (first, count, keys) } else { strip };
                self.weigh(bias, strip, weights, laid, ends, false);
                if !touched {
                    let window = Window { part: left, offset: first, columns: head_width, steps: seen };
                    let weights = Left { values: weights, rows: keys, columns: 1 };
                    let context = &mut context[first * width + first_column..];
                    multiply_part(window, count, weights, packed_values, context, width, Into::Fresh);
                }
            }
        }
        if touched {
            visit_columns(visitor, tap, weights, keys, 0, length);
            for (head, weights) in weights.chunks_exact(length * keys).enumerate() {
                let first = head * head_width;
                packed.pack(length, head_width, &qkv[2 * width + first..], 3 * width, 1);
                let weights = Left { values: weights, rows: keys, columns: 1 };
                let window = Window::whole(left, packed);
                multiply_part(window, length, weights, packed, &mut context[first..], width, Into::Fresh);
            }
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
    /// to `spread`.
    #[allow(clippy::too_many_arguments)]
    pub fn backward(
        &self,
        bias: &[f32],
        qkv: &[f32],
        trace: &mut Trace,
        dcontext: &[f32],
        dqkv: &mut [f32],
        spread: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let Self { length, width, keys, kept, .. } = *self;
        let (head_width, scaling) = self.head();
        let [result, left, transposed] = self.parts();
        let Scratch { scores, gradient, bias: laid, packed, keys: packed_keys, turned_keys, turned_values } = scratch;
        let Trace { weights, ends } = trace;
        // What is summed over strips goes on where the last strip left it.
        let into = if self.strip == length { Into::Fresh } else { Into::Chain };
        if into == Into::Chain {
            dqkv.fill(0.0);
        }
        let spreads = bias.chunks_exact(self.head_spread()).zip(spread.chunks_exact_mut(self.head_spread()));
        for (head, (bias, spread)) in spreads.enumerate() {
            let column = head * head_width;
            turned_values.pack(head_width, length, &qkv[2 * width + column..], 1, 3 * width);
            packed_keys.pack(length, head_width, &qkv[width + column..], 3 * width, 1);
            if !kept {
                turned_keys.pack(head_width, length, &qkv[width + column..], 1, 3 * width);
            }
            for strip in self.strips() {
                let (first, count, seen) = strip;
                let upon_keys = Window { part: result, offset: first, columns: seen, steps: head_width };
                let over_keys = Window { part: left, offset: first, columns: head_width, steps: seen };
                let over_queries = Window { part: transposed, offset: first, columns: head_width, steps: count };
                let weights = if kept {
                    &weights[(head * length + first) * keys..][..count * keys]
                } else {
                    let scores = &mut scores[..count * keys];
                    let query = Left { values: &qkv[first * 3 * width + column..], rows: 3 * width, columns: 1 };
                    multiply_part(upon_keys, count, query, turned_keys, scores, keys, Into::Fresh);
                    let ends = &mut ends[head * length + first..][..count];
                    self.weigh(bias, strip, scores, laid, ends, true);
                    scores
                };
                // d(value) = weightsᵀ · d(context)
                let outer = &dcontext[first * width + column..];
                packed.pack(count, head_width, outer, width, 1);
                let columns = Left { values: weights, rows: 1, columns: keys };
                let target = &mut dqkv[2 * width + column..];
                multiply_part(over_queries, seen, columns, packed, target, 3 * width, into);
                // d(weights) = d(context) · valueᵀ
                let gradient = &mut gradient[..count * keys];
                let outer = Left { values: outer, rows: width, columns: 1 };
                multiply_part(upon_keys, count, outer, turned_values, gradient, keys, Into::Fresh);
                match &self.pairs {
                    Pairs::All(_) => {
                        math::attend_backward(weights, gradient, keys);
                        math::add(&mut spread[first * keys..][..count * keys], gradient);
                    }
                    Pairs::Torus(torus) => {
                        math::attend_backward(weights, gradient, keys);
                        for (query, row) in (first..).zip(gradient.chunks_exact(keys)) {
                            torus.add_up(query, row, spread);
                        }
                    }
                    Pairs::Past => math::attend_past_backward(weights, gradient, spread, keys, first, seen),
                }
                // d(query) = d(score) · key · scaling, d(key) = d(score)ᵀ · query · scaling
                let rows = Left { values: gradient, rows: keys, columns: 1 };
                let target = &mut dqkv[first * 3 * width + column..];
                multiply_part(over_keys, count, rows, packed_keys, target, 3 * width, Into::Fresh);
                packed.pack(count, head_width, &qkv[first * 3 * width + column..], 3 * width, 1);
                let columns = Left { values: gradient, rows: 1, columns: keys };
                multiply_part(over_queries, seen, columns, packed, &mut dqkv[width + column..], 3 * width, into);
            }
        }
        for row in dqkv.chunks_exact_mut(3 * width) {
            for value in &mut row[..2 * width] {
                *value *= scaling;
            }
        }
    }
}
