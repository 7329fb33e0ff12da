//! The LSTM, forward and back through time. A few sequences are run side by side, so that a step's recurrent product
//! is one of matrices and not of a vector with a matrix, which would wait for memory.

use environments::Symbol;

use super::dense::{Places, Weight, dense, dense_backward};
use super::kernel::{Left, Packed, multiply, padded};
use super::math;
use super::network::{Lane, Network};
use super::visitor::{Visitor, visit_rows};
use crate::spec::LAYER_TAPS;
use crate::{ModelConfig, ModelSpec};

/// Rows of one register tile.
const SEQUENCES: usize = 13;

/// Where a layer's parameters begin in the flat buffer.
#[derive(Clone, Debug)]
struct LayerPlaces {
    /// Input weights and the bias.
    input: Places,
    recurrent: usize,
}

/// A model's sizes and where its parameters lie.
#[derive(Clone, Debug)]
pub struct Lstm {
    length: usize,
    width: usize,
    targets: usize,
    layers: Vec<LayerPlaces>,
    unembed: Places,
}

#[derive(Clone, Debug, Default)]
struct LayerWeights {
    input: Weight,
    recurrent: Weight,
}

/// Parameters rearranged for the products.
#[derive(Clone, Debug, Default)]
pub struct Weights {
    layers: Vec<LayerWeights>,
    unembed: Weight,
}

/// A layer's activations: for each position a row for each sequence.
#[derive(Clone, Debug, Default)]
struct LayerTrace {
    gates: Vec<f32>,
    cells: Vec<f32>,
    /// tanh of the cells.
    bent: Vec<f32>,
    hidden: Vec<f32>,
}

/// The memory of the sequences that are run side by side.
#[derive(Clone, Debug, Default)]
pub struct Space {
    /// As a layer's hidden states.
    embedded: Vec<f32>,
    layers: Vec<LayerTrace>,
    /// Sequence by sequence: the last layer's hidden states.
    last: Vec<f32>,
    /// Sequence by sequence.
    logits: Vec<f32>,
    /// Gradient of a layer's hidden states, and of those of the layer below.
    above: Vec<f32>,
    below: Vec<f32>,
    dcells: Vec<f32>,
    packed: Packed,
}

/// The states of sequences that are fed symbol by symbol.
pub struct Memory {
    /// For each layer, sequences × width.
    states: Vec<State>,
    input: Vec<f32>,
    gates: Vec<f32>,
    before: Vec<f32>,
    bent: Vec<f32>,
    logits: Vec<f32>,
}

struct State {
    cells: Vec<f32>,
    hidden: Vec<f32>,
}

impl Network for Lstm {
    type Weights = Weights;
    type Space = Space;
    type Memory = Memory;

    /// # Panics
    /// If the model is of another kind.
    fn new(spec: &ModelSpec) -> Self {
        let ModelConfig::Lstm(config) = &spec.model else { panic!("{} is no LSTM", spec.model.kind()) };
        let layout = spec.layout();
        // Entries come in the order in which `ModelSpec::layout` adds them: 3 a layer after the embedding.
        let at = |number: usize| layout.entries[number].offset;
        let layer = |layer| LayerPlaces { input: (at(1 + 3 * layer), at(3 + 3 * layer)), recurrent: at(2 + 3 * layer) };
        let last = 1 + 3 * config.depth;
        Self {
            length: spec.geometry.len(),
            width: config.width,
            targets: spec.targets,
            layers: (0..config.depth).map(layer).collect(),
            unembed: (at(last), at(last + 1)),
        }
    }

    fn side_by_side(&self) -> usize {
        SEQUENCES
    }

    fn refresh(&self, weights: &mut Weights, values: &[f32], backward: bool) {
        weights.layers.resize(self.layers.len(), LayerWeights::default());
        let width = self.width;
        weights.unembed.pack(width, self.targets, &values[self.unembed.0..], backward);
        for (layer, places) in weights.layers.iter_mut().zip(&self.layers) {
            layer.input.pack(width, 4 * width, &values[places.input.0..], backward);
            layer.recurrent.pack(width, 4 * width, &values[places.recurrent..], backward);
        }
    }

    fn space(&self, backward: bool) -> Space {
        let rows = |width: usize| vec![0.0; SEQUENCES * self.length * width];
        let width = self.width;
        let layer =
            || LayerTrace { gates: rows(4 * width), cells: rows(width), bent: rows(width), hidden: rows(width) };
        let back = if backward { width } else { 0 };
        Space {
            embedded: rows(width),
            layers: (0..self.layers.len()).map(|_| layer()).collect(),
            last: rows(width),
            logits: rows(self.targets),
            above: rows(back),
            below: rows(back),
            dcells: vec![0.0; SEQUENCES * back],
            packed: Packed::default(),
        }
    }

    fn space_len(&self) -> usize {
        let Self { length, width, targets, .. } = *self;
        let rows = SEQUENCES * length;
        // Gates, cells, their tanh and hidden states of each layer; what is packed is a gradient of gates or logits.
        let packed = padded(4 * width).max(padded(targets));
        rows * (7 * width * self.layers.len() + 4 * width + targets + packed) + SEQUENCES * width
    }

    fn forward<'a>(
        &self,
        values: &[f32],
        weights: &Weights,
        tokens: &[Symbol],
        space: &'a mut Space,
        visitor: &mut impl Visitor,
    ) -> &'a mut [f32] {
        let Self { length, width, targets, .. } = *self;
        let sequences = tokens.len() / length;
        let rows = tokens.len();
        let Space { embedded, layers, last, logits, .. } = space;
        let step = sequences * width;
        for (position, step) in embedded[..rows * width].chunks_exact_mut(step).enumerate() {
            for (sequence, row) in step.chunks_exact_mut(width).enumerate() {
                let token = usize::from(tokens[sequence * length + position]);
                row.copy_from_slice(&values[token * width..][..width]);
            }
            visit_rows(visitor, 0, position, step, width);
        }
        let mut input: &[f32] = embedded;
        for (number, trace) in layers.iter_mut().enumerate() {
            let (weights, places) = (&weights.layers[number], &self.layers[number]);
            let bias = &values[places.input.1..];
            dense(rows, input, width, &weights.input, bias, &mut trace.gates[..rows * 4 * width], 4 * width);
            self.recur(&weights.recurrent, sequences, trace, 1 + number * LAYER_TAPS, visitor);
            input = &trace.hidden;
        }
        for (position, step) in input[..rows * width].chunks_exact(step).enumerate() {
            for (sequence, row) in step.chunks_exact(width).enumerate() {
                last[(sequence * length + position) * width..][..width].copy_from_slice(row);
            }
        }
        let logits = &mut logits[..rows * targets];
        dense(rows, last, width, &weights.unembed, &values[self.unembed.1..], logits, targets);
        let tap = 1 + self.layers.len() * LAYER_TAPS;
        if visitor.touches(tap) {
            for (sequence, logits) in logits.chunks_exact_mut(length * targets).enumerate() {
                visitor.visit(tap, sequence, 0, logits);
            }
        }
        logits
    }

    fn memory(&self, sequences: usize) -> Memory {
        let rows = |width: usize| vec![0.0; sequences * width];
        let width = self.width;
        let state = || State { cells: rows(width), hidden: rows(width) };
        Memory {
            states: self.layers.iter().map(|_| state()).collect(),
            input: rows(width),
            gates: rows(4 * width),
            before: rows(width),
            bent: rows(width),
            logits: rows(self.targets),
        }
    }

    fn feed<'a>(
        &self,
        values: &[f32],
        weights: &Weights,
        tokens: &[Symbol],
        position: usize,
        memory: &'a mut Memory,
    ) -> &'a [f32] {
        let Memory { states, input, gates, before, bent, logits } = memory;
        let (width, sequences) = (self.width, tokens.len());
        for (row, &token) in input.chunks_exact_mut(width).zip(tokens) {
            row.copy_from_slice(&values[usize::from(token) * width..][..width]);
        }
        let mut input: &[f32] = input;
        for ((state, weights), places) in states.iter_mut().zip(&weights.layers).zip(&self.layers) {
            dense(sequences, input, width, &weights.input, &values[places.input.1..], gates, 4 * width);
            if position > 0 {
                let hidden = Left { values: &state.hidden, rows: width, columns: 1 };
                multiply(sequences, hidden, &weights.recurrent.forward, gates, 4 * width, true);
            }
            math::gates(gates, width);
            before.copy_from_slice(&state.cells);
            math::cells(gates, before, &mut state.cells, width);
            math::hidden(gates, &state.cells, bent, &mut state.hidden, width);
            input = &state.hidden;
        }
        dense(sequences, input, width, &weights.unembed, &values[self.unembed.1..], logits, self.targets);
        logits
    }

    fn backward(&self, _values: &[f32], weights: &Weights, tokens: &[Symbol], space: &mut Space, lane: &mut Lane) {
        let Self { length, width, targets, .. } = *self;
        let (sequences, rows) = (tokens.len() / length, tokens.len());
        let Space { embedded, layers, last, logits, above, below, dcells, packed } = space;
        let (mut above, mut below) = (&mut above[..rows * width], &mut below[..rows * width]);
        let slopes = &mut lane.values;
        let unembed = &weights.unembed.backward;
        dense_backward(rows, &logits[..rows * targets], last, unembed, packed, below, slopes, self.unembed, width);
        for (position, step) in above.chunks_exact_mut(sequences * width).enumerate() {
            for (sequence, row) in step.chunks_exact_mut(width).enumerate() {
                row.copy_from_slice(&below[(sequence * length + position) * width..][..width]);
            }
        }
        for number in (0..layers.len()).rev() {
            let (weights, places) = (&weights.layers[number], &self.layers[number]);
            let (lower, upper) = layers.split_at_mut(number);
            let trace = &mut upper[0];
            self.recur_backward(&weights.recurrent, sequences, trace, above, dcells);
            // What came of the hidden states went into the next position's gates.
            let gates = &trace.gates[..rows * 4 * width];
            let later = &gates[sequences * 4 * width..];
            let earlier = rows - sequences;
            packed.pack(earlier, 4 * width, later, 4 * width, 1);
            let hidden = Left { values: &trace.hidden, rows: 1, columns: width };
            let slope = &mut slopes[places.recurrent..][..width * 4 * width];
            multiply(width, hidden, packed, slope, 4 * width, true);
            let input = lower.last().map_or(&*embedded, |below| &below.hidden);
            dense_backward(rows, gates, input, &weights.input.backward, packed, below, slopes, places.input, width);
            std::mem::swap(&mut above, &mut below);
        }
        for (row, gradient) in above.chunks_exact(width).enumerate() {
            let token = usize::from(tokens[row % sequences * length + row / sequences]);
            math::add(&mut slopes[token * width..][..width], gradient);
        }
    }
}

impl Lstm {
    /// A layer's recurrence, once `gates` holds what the input gives them. The layer's taps begin at `tap`.
    fn recur(
        &self,
        recurrent: &Weight,
        sequences: usize,
        trace: &mut LayerTrace,
        tap: usize,
        visitor: &mut impl Visitor,
    ) {
        let width = self.width;
        let step = sequences * width;
        let LayerTrace { gates, cells, bent, hidden } = trace;
        for position in 0..self.length {
            let (before, here) = (position.saturating_sub(1) * step..position * step, position * step..);
            let gates = &mut gates[position * 4 * step..][..4 * step];
            let (cells_before, cells) = cells.split_at_mut(here.start);
            let (hidden_before, hidden) = hidden.split_at_mut(here.start);
            let cells = &mut cells[..step];
            let hidden = &mut hidden[..step];
            if position > 0 {
                let hidden = Left { values: &hidden_before[before.clone()], rows: width, columns: 1 };
                multiply(sequences, hidden, &recurrent.forward, gates, 4 * width, true);
            }
            math::gates(gates, width);
            visit_rows(visitor, tap, position, gates, 4 * width);
            math::cells(gates, &cells_before[before], cells, width);
            visit_rows(visitor, tap + 1, position, cells, width);
            math::hidden(gates, cells, &mut bent[here][..step], hidden, width);
            visit_rows(visitor, tap + 2, position, hidden, width);
        }
    }

    /// Gradient of [`Lstm::recur`]: gates become the gradient of their pre-activations. `dhidden` is the gradient that
    /// comes to the hidden states from above, to which is added the one from later positions.
    fn recur_backward(
        &self,
        recurrent: &Weight,
        sequences: usize,
        trace: &mut LayerTrace,
        dhidden: &mut [f32],
        dcells: &mut [f32],
    ) {
        let width = self.width;
        let step = sequences * width;
        let LayerTrace { gates, cells, bent, .. } = trace;
        let dcells = &mut dcells[..step];
        dcells.fill(0.0);
        for position in (0..self.length).rev() {
            let here = position * step..(position + 1) * step;
            let (gates, later) = gates[position * 4 * step..].split_at_mut(4 * step);
            let dhidden = &mut dhidden[here.clone()];
            if position + 1 < self.length {
                let later = Left { values: later, rows: 4 * width, columns: 1 };
                multiply(sequences, later, &recurrent.backward, dhidden, width, true);
            }
            let before = &cells[position.saturating_sub(1) * step..position * step];
            math::recur_backward(gates, before, &bent[here], dhidden, dcells, width);
        }
    }
}
