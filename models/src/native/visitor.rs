//! How a forward pass offers its activations to be read and changed.

/// Reads and changes activations on the way; `()` does nothing and costs nothing.
pub trait Visitor {
    /// Whether anything is wanted at a tap.
    fn touches(&self, tap: usize) -> bool;
    /// Reads or changes rows of one sequence's activation, from row `first` on, laid out as the tap says. Sequences
    /// are numbered among those that are run side by side.
    fn visit(&mut self, tap: usize, sequence: usize, first: usize, values: &mut [f32]);
}

impl Visitor for () {
    #[inline(always)]
    fn touches(&self, _tap: usize) -> bool {
        false
    }
    fn visit(&mut self, _tap: usize, _sequence: usize, _first: usize, _values: &mut [f32]) {}
}

/// Visits the whole activation of the only sequence.
#[inline(always)]
pub fn visit(visitor: &mut impl Visitor, tap: usize, values: &mut [f32]) {
    if visitor.touches(tap) {
        visitor.visit(tap, 0, 0, values);
    }
}

/// Visits some columns of the only sequence's matrix, whose rows are `stride` apart.
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
        visitor.visit(tap, 0, 0, &mut compact);
        for (row, new) in values.chunks_exact_mut(stride).zip(compact.chunks_exact(width)) {
            row[first..first + width].copy_from_slice(new);
        }
    }
}

/// Visits one position of every sequence: a row each.
#[inline(always)]
pub fn visit_rows(visitor: &mut impl Visitor, tap: usize, position: usize, values: &mut [f32], width: usize) {
    if visitor.touches(tap) {
        for (sequence, row) in values.chunks_exact_mut(width).enumerate() {
            visitor.visit(tap, sequence, position, row);
        }
    }
}
