//! Softmax attention by rows of scores, with its gradient.

use super::{LANES, exponential, sum, sum_of_two};
use crate::native::kernel::simd;

/// What a row of weights was made with, from which it can be made again: the greatest score and 1/(sum of powers).
pub type Ends = [f32; 2];

/// One row of scores to weights, in place: softmax(scale · score + relative) over the first `live` elements; the
/// rest become 0. Whole vectors of 16; `relative` is −∞ beyond `live`, so that the padding takes no part.
#[inline(always)]
fn attend_row(row: &mut [f32], relative: &[f32], scale: f32, live: usize) -> Ends {
    let mut tops = [f32::NEG_INFINITY; LANES];
    for (row, relative) in row.as_chunks_mut::<LANES>().0.iter_mut().zip(relative.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            row[lane] = row[lane].mul_add(scale, relative[lane]);
            tops[lane] = if row[lane] > tops[lane] { row[lane] } else { tops[lane] };
        }
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            tops[lane] = if tops[lane + width] > tops[lane] { tops[lane + width] } else { tops[lane] };
        }
        width /= 2;
    }
    let top = tops[0];
    for value in row.iter_mut() {
        *value = exponential(*value - top);
    }
    clear_from(row, live);
    let total = 1.0 / sum(row, |value| value);
    for value in row.iter_mut() {
        *value *= total;
    }
    [top, total]
}

/// The row that [`attend_row`] made, from the same scores and with the same bits.
#[inline(always)]
fn attend_row_again(row: &mut [f32], relative: &[f32], scale: f32, live: usize, [top, total]: Ends) {
    for (row, relative) in row.iter_mut().zip(relative) {
        *row = exponential(row.mul_add(scale, *relative) - top) * total;
    }
    clear_from(row, live);
}

/// Zeros from a place on, which is in the last vector of the row as a rule.
#[inline(always)]
fn clear_from(row: &mut [f32], live: usize) {
    let whole = live / LANES * LANES;
    for (number, vector) in row[whole..].as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        for lane in 0..LANES {
            vector[lane] = if whole + number * LANES + lane < live { vector[lane] } else { 0.0 };
        }
    }
}

/// Gradient of a softmax row, in place: d ← p · (d − Σ p·d).
#[inline(always)]
fn attend_row_backward(p: &[f32], d: &mut [f32]) {
    let along = sum_of_two(p, d, |p, d| p * d);
    for (d, p) in d.iter_mut().zip(p) {
        *d = p * (*d - along);
    }
}

simd! {
    /// Rows of attention scores to rows of weights, in place: softmax(scale · score + relative) over the first
    /// `live` columns of each row of `stride`; the rest become 0. `relative` is laid out as the scores.
    pub fn attend(scores: &mut [f32], relative: &[f32], scale: f32, live: usize, stride: usize, ends: &mut [Ends]) {
        let rows = scores.chunks_exact_mut(stride).zip(relative.chunks_exact(stride));
        for ((row, relative), ends) in rows.zip(ends) {
            *ends = attend_row(row, relative, scale, live);
        }
    }
}

simd! {
    /// The rows that [`attend`] made, from the same scores.
    pub fn attend_again(scores: &mut [f32], relative: &[f32], scale: f32, live: usize, stride: usize, ends: &[Ends]) {
        let rows = scores.chunks_exact_mut(stride).zip(relative.chunks_exact(stride));
        for ((row, relative), &ends) in rows.zip(ends) {
            attend_row_again(row, relative, scale, live, ends);
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
    /// Causal attention: as [`attend`], where row r is query q = first + r and has the columns 0 to q. `relative`
    /// holds the bias of the distances from length − 1 down to 0, then −∞ 16 times. No column from `seen` on matters.
    pub fn attend_past(
        scores: &mut [f32], relative: &[f32], scale: f32, stride: usize, first: usize, seen: usize, ends: &mut [Ends],
    ) {
        let farthest = relative.len() - LANES - 1;
        for ((query, row), ends) in (first..).zip(scores.chunks_exact_mut(stride)).zip(ends) {
            let live = query + 1;
            let padded = live.next_multiple_of(LANES);
            clear_from(&mut row[..seen.next_multiple_of(LANES)], live);
            *ends = attend_row(&mut row[..padded], &relative[farthest - query..][..padded], scale, live);
        }
    }
}

simd! {
    /// The rows that [`attend_past`] made, from the same scores.
    pub fn attend_past_again(
        scores: &mut [f32], relative: &[f32], scale: f32, stride: usize, first: usize, seen: usize, ends: &[Ends],
    ) {
        let farthest = relative.len() - LANES - 1;
        for ((query, row), &ends) in (first..).zip(scores.chunks_exact_mut(stride)).zip(ends) {
            let live = query + 1;
            let padded = live.next_multiple_of(LANES);
            clear_from(&mut row[..seen.next_multiple_of(LANES)], live);
            attend_row_again(&mut row[..padded], &relative[farthest - query..][..padded], scale, live, ends);
        }
    }
}

simd! {
    /// Gradient of [`attend_past`] with regard to the scaled scores, in place, 0 beyond the diagonal; added to
    /// that of the bias too.
    pub fn attend_past_backward(
        weights: &[f32], gradient: &mut [f32], relative: &mut [f32], stride: usize, first: usize, seen: usize,
    ) {
        let farthest = relative.len() - LANES - 1;
        let rows = weights.chunks_exact(stride).zip(gradient.chunks_exact_mut(stride));
        for (query, (p, d)) in (first..).zip(rows) {
            let live = query + 1;
            let padded = live.next_multiple_of(LANES);
            clear_from(&mut d[..seen.next_multiple_of(LANES)], live);
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
