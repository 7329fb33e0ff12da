//! Softmax attention by rows of scores, with its gradient.

use super::{LANES, exponential, sum};
use crate::native::kernel::simd;

/// One row of scores to weights, in place: softmax(scale · score + relative) over the first `live` elements; the
/// rest become 0. Whole vectors of 16; `relative` is −∞ beyond `live`, so that the padding takes no part.
#[inline(always)]
fn attend_row(row: &mut [f32], relative: &[f32], scale: f32, live: usize) {
    let mut tops = [f32::NEG_INFINITY; LANES];
    for (row, relative) in row.chunks_exact_mut(LANES).zip(relative.chunks_exact(LANES)) {
        for lane in 0..LANES {
            row[lane] = row[lane].mul_add(scale, relative[lane]);
            tops[lane] = if row[lane] > tops[lane] { row[lane] } else { tops[lane] };
        }
    }
    let mut top = tops[0];
    for &other in &tops[1..] {
        top = if other > top { other } else { top };
    }
    for value in row.iter_mut() {
        *value = exponential(*value - top);
    }
    row[live..].fill(0.0);
    let total = 1.0 / sum(row.len(), |i| row[i]);
    for value in row.iter_mut() {
        *value *= total;
    }
}

/// Gradient of a softmax row, in place: d ← p · (d − Σ p·d).
#[inline(always)]
fn attend_row_backward(p: &[f32], d: &mut [f32]) {
    let along = sum(p.len(), |i| p[i] * d[i]);
    for (d, p) in d.iter_mut().zip(p) {
        *d = p * (*d - along);
    }
}

simd! {
    /// Rows of attention scores to rows of weights, in place: softmax(scale · score + relative) over the first
    /// `live` columns of each row of `stride`; the rest become 0. `relative` is laid out as the scores.
    pub fn attend(scores: &mut [f32], relative: &[f32], scale: f32, live: usize, stride: usize) {
        for (row, relative) in scores.chunks_exact_mut(stride).zip(relative.chunks_exact(stride)) {
            attend_row(row, relative, scale, live);
        }
    }
}

simd! {
    /// Gradient of [`attend`] with regard to the scaled scores, in place.
    pub fn attend_backward(weights: &[f32], gradient: &mut [f32], stride: usize) {
        for (p, d) in weights.chunks_exact(stride).zip(gradient.chunks_exact_mut(stride)) {
            attend_row_backward(p, d);
        }
    }
}

simd! {
    /// Causal attention: as [`attend`], where row q has the columns 0 to q. `relative` holds the bias of the
    /// distances rows − 1 down to 0, then −∞ 16 times.
    pub fn attend_past(scores: &mut [f32], relative: &[f32], scale: f32, stride: usize) {
        let farthest = relative.len() - LANES - 1;
        for (query, row) in scores.chunks_exact_mut(stride).enumerate() {
            let live = query + 1;
            row[live..].fill(0.0);
            let padded = live.next_multiple_of(LANES);
            attend_row(&mut row[..padded], &relative[farthest - query..][..padded], scale, live);
        }
    }
}

simd! {
    /// Gradient of [`attend_past`] with regard to the scaled scores, in place, 0 beyond the diagonal; added to
    /// that of the bias too.
    pub fn attend_past_backward(weights: &[f32], gradient: &mut [f32], relative: &mut [f32], stride: usize) {
        let farthest = relative.len() - LANES - 1;
        for (query, (p, d)) in weights.chunks_exact(stride).zip(gradient.chunks_exact_mut(stride)).enumerate() {
            let live = query + 1;
            d[live..].fill(0.0);
            let padded = live.next_multiple_of(LANES);
            attend_row_backward(&p[..padded], &mut d[..padded]);
            for (relative, d) in relative[farthest - query..][..live].iter_mut().zip(&*d) {
                *relative += d;
            }
        }
    }
}

simd! {
    /// The row of [`attend_past`] for one query, with its mean of values: the same bits as from whole sequences.
    /// `keys` is one row a column of the head, `stride` apart, and 0 where nothing is yet; `values` one row a
    /// position, `width` apart, and `scores` memory for one row.
    pub fn attend_one(
        query: &[f32], keys: &[f32], stride: usize, values: &[f32], width: usize, relative: &[f32], scale: f32,
        live: usize, scores: &mut [f32], context: &mut [f32],
    ) {
        let padded = live.next_multiple_of(LANES);
        let scores = &mut scores[..padded];
        scores.fill(0.0);
        for (query, keys) in query.iter().zip(keys.chunks(stride)) {
            for (score, key) in scores.iter_mut().zip(keys) {
                *score = query.mul_add(*key, *score);
            }
        }
        attend_row(scores, &relative[relative.len() - LANES - live..][..padded], scale, live);
        context.fill(0.0);
        for (weight, values) in scores[..live].iter().zip(values.chunks(width)) {
            for (context, value) in context.iter_mut().zip(values) {
                *context = weight.mul_add(*value, *context);
            }
        }
    }
}
