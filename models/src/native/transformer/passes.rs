//! Forward and backward pass of one sequence.

use environments::Symbol;

use super::{Space, Transformer, Weights};
use crate::native::dense::{dense, dense_backward, norm_backward};
use crate::native::math;
use crate::native::network::Lane;
use crate::native::visitor::{Visitor, visit, visit_columns};
use crate::spec::BLOCK_TAPS;

/// The forward pass of one sequence; leaves logits and, for the gradient, the traces in the workspace.
pub fn forward(
    shape: &Transformer,
    values: &[f32],
    weights: &Weights,
    tokens: &[Symbol],
    space: &mut Space,
    visitor: &mut impl Visitor,
) {
    let Transformer { length, width, hidden, .. } = *shape;
    let Space { traces, stream, branch, normal, scale, last, wide, attention, logits, .. } = space;
    for (row, &token) in stream.chunks_exact_mut(width).zip(tokens) {
        row.copy_from_slice(&values[usize::from(token) * width..][..width]);
    }
    visit(visitor, 0, stream);
    let kept = traces.len();
    for number in 0..shape.depth {
        let block = number % shape.blocks.len();
        let (trace, weights, places) = (&mut traces[number % kept], &weights.blocks[block], &shape.blocks[block]);
        let tap = 1 + number * BLOCK_TAPS;
        visit(visitor, tap, stream);
        let (gain, bias) = (&values[places.norm1.0..][..width], &values[places.norm1.1..][..width]);
        math::normalise(stream, gain, bias, &mut trace.input1, &mut trace.normal1, &mut trace.scale1);
        let bias = &values[places.qkv.1..];
        dense(length, &trace.input1, width, &weights.qkv, bias, &mut trace.qkv, 3 * width);
        for part in 0..3 {
            visit_columns(visitor, tap + 1 + part, &mut trace.qkv, 3 * width, part * width, width);
        }
        let (kept, context) = (&mut trace.attention, &mut trace.context);
        shape.attention.forward(&weights.relative, &trace.qkv, kept, context, attention, tap + 4, visitor);
        dense(length, context, width, &weights.out, &values[places.out.1..], branch, width);
        visit(visitor, tap + 5, branch);
        math::add(stream, branch);
        visit(visitor, tap + 6, stream);
        let (gain, bias) = (&values[places.norm2.0..][..width], &values[places.norm2.1..][..width]);
        math::normalise(stream, gain, bias, &mut trace.input2, &mut trace.normal2, &mut trace.scale2);
        let wide = &mut wide[..length * hidden];
        dense(length, &trace.input2, width, &weights.up, &[], wide, hidden);
        math::gelu(wide, &values[places.up.1..][..hidden], &mut trace.hidden, &mut trace.slope);
        visit(visitor, tap + 7, &mut trace.hidden);
        dense(length, &trace.hidden, hidden, &weights.down, &values[places.down.1..], branch, width);
        visit(visitor, tap + 8, branch);
        math::add(stream, branch);
        visit(visitor, tap + 9, stream);
    }
    let (gain, bias) = (&values[shape.norm.0..][..width], &values[shape.norm.1..][..width]);
    math::normalise(stream, gain, bias, last, normal, scale);
    let tap = 1 + shape.depth * BLOCK_TAPS;
    visit(visitor, tap, last);
    dense(length, last, width, &weights.unembed, &values[shape.unembed.1..], logits, shape.targets);
    visit(visitor, tap + 1, logits);
}

/// The backward pass of the sequence that [`forward`] was just run on, whose logits became their gradients.
pub fn backward(
    shape: &Transformer,
    values: &[f32],
    weights: &Weights,
    tokens: &[Symbol],
    space: &mut Space,
    lane: &mut Lane,
) {
    let Transformer { length, width, hidden, .. } = *shape;
    let Space { traces, branch, normal, scale, last, wide, spare, gradient, attention, packed, logits, .. } = space;
    let slopes = &mut lane.values;
    dense_backward(length, logits, last, &weights.unembed.backward, packed, spare, slopes, shape.unembed, width);
    gradient.fill(0.0);
    norm_backward(spare, normal, scale, &values[shape.norm.0..][..width], gradient, slopes, shape.norm);
    let spread_len = shape.attention.spread_len();
    for (number, trace) in traces.iter_mut().enumerate().rev() {
        let block = number % shape.blocks.len();
        let (weights, places) = (&weights.blocks[block], &shape.blocks[block]);
        let spread = &mut lane.extra[block * spread_len..][..spread_len];
        // MLP: gradient is d(resid_post) and stays the gradient of the skip.
        let dhidden = &mut wide[..length * hidden];
        let down = &weights.down.backward;
        dense_backward(length, gradient, &trace.hidden, down, packed, dhidden, slopes, places.down, hidden);
        math::scale_by(dhidden, &trace.slope);
        dense_backward(length, dhidden, &trace.input2, &weights.up.backward, packed, spare, slopes, places.up, width);
        let gain = &values[places.norm2.0..][..width];
        norm_backward(spare, &trace.normal2, &trace.scale2, gain, gradient, slopes, places.norm2);
        // Attention.
        let out = &weights.out.backward;
        dense_backward(length, gradient, &trace.context, out, packed, branch, slopes, places.out, width);
        let dqkv = &mut wide[..length * 3 * width];
        let (relative, kept) = (&weights.relative, &mut trace.attention);
        shape.attention.backward(relative, &trace.qkv, kept, branch, dqkv, spread, attention);
        dense_backward(length, dqkv, &trace.input1, &weights.qkv.backward, packed, spare, slopes, places.qkv, width);
        let gain = &values[places.norm1.0..][..width];
        norm_backward(spare, &trace.normal1, &trace.scale1, gain, gradient, slopes, places.norm1);
    }
    for (row, &token) in gradient.chunks_exact(width).zip(tokens) {
        math::add(&mut slopes[usize::from(token) * width..][..width], row);
    }
}
