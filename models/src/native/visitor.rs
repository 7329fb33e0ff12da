//! How a forward pass offers its activations to be read and changed.

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

/// Visits an activation that lies as its tap says.
#[inline(always)]
pub fn visit(visitor: &mut impl Visitor, tap: usize, values: &mut [f32]) {
    if visitor.touches(tap) {
        visitor.visit(tap, values);
    }
}

/// Visits some columns of a matrix whose rows are `stride` apart.
#[inline(always)]
pub fn visit_columns(
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
