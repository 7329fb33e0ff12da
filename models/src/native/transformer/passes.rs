//! Forward and backward pass of one sequence.

use environments::{Symbol, UNSCORED};

use super::{LaneGradient, Shape, Weights, Workspace};
use crate::native::dense::{dense, dense_backward, norm_backward};
use crate::native::math;
use crate::native::visitor::{Visitor, visit, visit_columns};
use crate::spec::BLOCK_TAPS;

/// The forward pass of one sequence; leaves logits and, for the gradient, the traces in the workspace.
pub fn forward(
    shape: &Shape,
    values: &[f32],
    weights: &Weights,
    tokens: &[Symbol],
    space: &mut Workspace,
    visitor: &mut impl Visitor,
) {
    let Shape { length, width, hidden, .. } = *shape;
    let Workspace { blocks, stream, branch, normal, scale, last, wide, packed, logits, .. } = space;
    for (row, &token) in stream.chunks_exact_mut(width).zip(tokens) {
        row.copy_from_slice(&values[usize::from(token) * width..][..width]);
    }
    visit(visitor, 0, stream);
    for (number, ((trace, weights), places)) in blocks.iter_mut().zip(&weights.blocks).zip(&shape.blocks).enumerate() {
        let tap = 1 + number * BLOCK_TAPS;
        visit(visitor, tap, stream);
        let (gain, bias) = (&values[places.norm1.0..][..width], &values[places.norm1.1..][..width]);
        math::normalise(stream, gain, bias, &mut trace.input1, &mut trace.normal1, &mut trace.scale1);
        let bias = &values[places.qkv.1..];
        dense(length, &trace.input1, width, &weights.qkv, bias, &mut trace.qkv, 3 * width);
        for part in 0..3 {
            visit_columns(visitor, tap + 1 + part, &mut trace.qkv, 3 * width, part * width, width);
        }
        let (pattern, context) = (&mut trace.pattern, &mut trace.context);
        shape.attention.forward(&weights.relative, &trace.qkv, pattern, context, packed, tap + 4, visitor);
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
    let tap = 1 + blocks.len() * BLOCK_TAPS;
    visit(visitor, tap, last);
    dense(length, last, width, &weights.unembed, &values[shape.unembed.1..], logits, shape.targets);
    visit(visitor, tap + 1, logits);
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
    let Shape { length, width, hidden, .. } = *shape;
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
    gradient.fill(0.0);
    norm_backward(spare, normal, scale, &values[shape.norm.0..][..width], gradient, slopes, shape.norm);
    let spreads = lane.relative.chunks_exact_mut(shape.attention.spread_len());
    for (((trace, weights), places), spread) in
        blocks.iter_mut().zip(&weights.blocks).zip(&shape.blocks).zip(spreads).rev()
    {
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
        shape.attention.backward(&trace.qkv, &trace.pattern, branch, dqkv, spread, scores, packed);
        dense_backward(length, dqkv, &trace.input1, &weights.qkv.backward, packed, spare, slopes, places.qkv, width);
        let gain = &values[places.norm1.0..][..width];
        norm_backward(spare, &trace.normal1, &trace.scale1, gain, gradient, slopes, places.norm1);
    }
    for (row, &token) in gradient.chunks_exact(width).zip(tokens) {
        math::add(&mut slopes[usize::from(token) * width..][..width], row);
    }
}
