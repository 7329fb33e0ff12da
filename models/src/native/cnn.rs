//! A small convolutional network on a torus, read out at one cell: the baseline that sees a light cone.

use environments::Symbol;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::LANES;
use super::descend::{Flat, descend};
use super::kernel::{Left, Packed, multiply};
use super::math;
use crate::parameters::normal;
use crate::training::AdamW;

/// Cells that a 3 × 3 filter reads.
const TAPS: usize = 9;

/// Sizes of the network: one 3 × 3 convolution for each dilation, GELU after each, a skip round every layer but
/// the first, and a dense read-out at one cell. Its receptive field reaches the sum of the dilations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CnnConfig {
    /// Rows of the torus.
    pub rows: usize,
    /// Columns of the torus.
    pub columns: usize,
    /// Channels of a layer.
    pub channels: usize,
    /// Dilations, from the input on.
    pub dilations: Vec<usize>,
    /// Classes.
    pub outputs: usize,
}

impl CnnConfig {
    /// Cells from the read-out to the farthest cell that it sees.
    pub fn reach(&self) -> usize {
        self.dilations.iter().sum()
    }
}

/// The network with its optimiser.
#[derive(Clone, Debug)]
pub struct Cnn {
    config: CnnConfig,
    /// For each layer, cells × 9 indices of the cells that it reads.
    reads: Vec<Vec<u32>>,
    /// For each layer (weight, bias) places; the read-out comes last.
    places: Vec<(usize, usize)>,
    /// Parameters, flat.
    pub values: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
    runs: Vec<(usize, bool)>,
    optimizer: AdamW,
    step: u64,
}

/// One labelled board: cells (0 or 1, row-major), the cell read out, the class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// Cells, row-major.
    pub cells: Vec<u8>,
    /// Row-major index of the cell at which the answer is read.
    pub cell: usize,
    /// The class.
    pub class: Symbol,
}

struct Trace {
    /// Input of each layer spread out for the product: cells × (9 · channels).
    spread: Vec<Vec<f32>>,
    slopes: Vec<Vec<f32>>,
    stream: Vec<f32>,
}

impl Cnn {
    /// Draws weights with standard deviation 1/√(fan-in) from a stream.
    pub fn initialise(config: &CnnConfig, optimizer: AdamW, stream: &mut ChaCha8Rng) -> Self {
        let CnnConfig { rows, columns, channels, outputs, .. } = *config;
        let (mut places, mut values, mut runs, mut spare) = (Vec::new(), Vec::new(), Vec::new(), None);
        let mut dense = |inputs: usize, outputs: usize| {
            let weight = values.len();
            let deviation = 1.0 / (inputs as f64).sqrt();
            values.extend((0..inputs * outputs).map(|_| (normal(stream, &mut spare) * deviation) as f32));
            let bias: usize = values.len();
            runs.push((bias, true));
            values.extend(std::iter::repeat_n(0.0f32, outputs));
            runs.push((values.len(), false));
            places.push((weight, bias));
        };
        let mut reads = Vec::new();
        for (number, &dilation) in config.dilations.iter().enumerate() {
            dense(TAPS * if number == 0 { 1 } else { channels }, channels);
            let mut table = Vec::with_capacity(rows * columns * TAPS);
            for cell in 0..rows * columns {
                for tap in 0..TAPS {
                    // −1, 0 or 1 times the dilation, wrapped; a dilation may exceed the torus.
                    let shift = |at: usize, step: usize, size: usize| {
                        let dilation = dilation % size;
                        (at + [size - dilation, 0, dilation][step]) % size
                    };
                    let row = shift(cell / columns, tap / 3, rows);
                    table.push((row * columns + shift(cell % columns, tap % 3, columns)) as u32);
                }
            }
            reads.push(table);
        }
        dense(channels, outputs);
        let zeros = vec![0.0; values.len()];
        let second = zeros.clone();
        Self { config: config.clone(), reads, places, values, first: zeros, second, runs, optimizer, step: 0 }
    }

    fn inputs(&self, layer: usize) -> usize {
        TAPS * if layer == 0 { 1 } else { self.config.channels }
    }

    fn forward(&self, weights: &[Packed], cells: &[u8], trace: &mut Trace) {
        let channels = self.config.channels;
        let count = cells.len();
        trace.stream.clear();
        trace.stream.extend(cells.iter().map(|&cell| f32::from(cell)));
        for (layer, reads) in self.reads.iter().enumerate() {
            let depth = if layer == 0 { 1 } else { channels };
            let spread = &mut trace.spread[layer];
            spread.clear();
            for &read in reads {
                spread.extend_from_slice(&trace.stream[read as usize * depth..][..depth]);
            }
            let mut output = vec![0.0; count * channels];
            let left = Left { values: spread, rows: TAPS * depth, columns: 1 };
            multiply(count, left, &weights[layer], &mut output, channels, false);
            let mut next = vec![0.0; count * channels];
            trace.slopes[layer].resize(count * channels, 0.0);
            let bias = &self.values[self.places[layer].1..][..channels];
            math::gelu(&mut output, bias, &mut next, &mut trace.slopes[layer]);
            if layer > 0 {
                math::add(&mut next, &trace.stream);
            }
            trace.stream = next;
        }
    }

    fn read_out(&self, trace: &Trace, cell: usize) -> Vec<f32> {
        let CnnConfig { channels, outputs, .. } = self.config;
        let (weight, bias) = self.places[self.reads.len()];
        let mut logits = self.values[bias..][..outputs].to_vec();
        for (channel, &value) in trace.stream[cell * channels..][..channels].iter().enumerate() {
            for (logit, weight) in logits.iter_mut().zip(&self.values[weight + channel * outputs..]) {
                *logit += value * weight;
            }
        }
        logits
    }

    fn trace(&self) -> Trace {
        let layers = self.reads.len();
        Trace { spread: vec![Vec::new(); layers], slopes: vec![Vec::new(); layers], stream: Vec::new() }
    }

    fn pack(&self) -> (Vec<Packed>, Vec<Packed>) {
        let channels = self.config.channels;
        let (mut forward, mut backward) = (Vec::new(), Vec::new());
        for layer in 0..self.reads.len() {
            let inputs = self.inputs(layer);
            let weight = &self.values[self.places[layer].0..][..inputs * channels];
            let (mut one, mut other) = (Packed::default(), Packed::default());
            one.pack(inputs, channels, weight, channels, 1);
            other.pack(channels, inputs, weight, 1, channels);
            forward.push(one);
            backward.push(other);
        }
        (forward, backward)
    }

    /// Mean cross-entropy (nats) of labelled boards and its gradient.
    pub fn loss_and_gradient(&self, boards: &[Labelled]) -> (f32, Vec<f32>) {
        let CnnConfig { channels, outputs, .. } = self.config;
        let (forward, backward) = self.pack();
        let weight = 1.0 / boards.len().max(1) as f32;
        let parts: Vec<(f64, Vec<f32>)> = (0..LANES)
            .into_par_iter()
            .map(|lane| {
                let mut slopes = vec![0.0; self.values.len()];
                let mut loss = 0.0;
                let (mut trace, mut packed) = (self.trace(), Packed::default());
                for board in &boards[boards.len() * lane / LANES..boards.len() * (lane + 1) / LANES] {
                    self.forward(&forward, &board.cells, &mut trace);
                    let mut logits = self.read_out(&trace, board.cell);
                    loss += f64::from(math::cross_entropy(&mut logits, usize::from(board.class)));
                    let count = board.cells.len();
                    let mut gradient = vec![0.0; count * channels];
                    let (out, bias) = self.places[self.reads.len()];
                    for (slope, logit) in slopes[bias..].iter_mut().zip(&logits) {
                        *slope += weight * logit;
                    }
                    for channel in 0..channels {
                        let value = trace.stream[board.cell * channels + channel];
                        let mut total = 0.0;
                        for (output, logit) in logits.iter().enumerate() {
                            let at = out + channel * outputs + output;
                            slopes[at] += weight * logit * value;
                            total += weight * logit * self.values[at];
                        }
                        gradient[board.cell * channels + channel] = total;
                    }
                    for (layer, reads) in self.reads.iter().enumerate().rev() {
                        let inputs = self.inputs(layer);
                        let mut inner = gradient.clone();
                        math::scale_by(&mut inner, &trace.slopes[layer]);
                        packed.pack(count, channels, &inner, channels, 1);
                        let (place, bias) = self.places[layer];
                        let left = Left { values: &trace.spread[layer], rows: 1, columns: inputs };
                        multiply(inputs, left, &packed, &mut slopes[place..bias], channels, true);
                        math::add_rows(&inner, &mut slopes[bias..][..channels]);
                        if layer == 0 {
                            break;
                        }
                        let mut spread = vec![0.0; count * inputs];
                        let left = Left { values: &inner, rows: channels, columns: 1 };
                        multiply(count, left, &backward[layer], &mut spread, inputs, false);
                        for (&read, part) in reads.iter().zip(spread.chunks_exact(channels)) {
                            math::add(&mut gradient[read as usize * channels..][..channels], part);
                        }
                    }
                }
                (loss, slopes)
            })
            .collect();
        let mut total = vec![0.0; self.values.len()];
        let mut loss = 0.0;
        for (part, slopes) in &parts {
            loss += part;
            math::add(&mut total, slopes);
        }
        ((loss * f64::from(weight)) as f32, total)
    }

    /// One AdamW step on labelled boards; the mean loss in nats.
    pub fn train_step(&mut self, boards: &[Labelled], rate: f32) -> f32 {
        let (loss, gradient) = self.loss_and_gradient(boards);
        self.step += 1;
        let Self { values, first, second, runs, .. } = self;
        descend(Flat { values, first, second, runs }, &gradient, self.optimizer, self.step, rate);
        loss
    }

    /// Class probabilities of boards: boards × classes. The boards' own classes are not looked at.
    pub fn probabilities(&self, boards: &[Labelled]) -> Vec<f32> {
        let (forward, _) = self.pack();
        let parts: Vec<Vec<f32>> = boards
            .par_iter()
            .map_init(
                || self.trace(),
                |trace, board| {
                    self.forward(&forward, &board.cells, trace);
                    let mut logits = self.read_out(trace, board.cell);
                    math::softmax(&mut logits);
                    logits
                },
            )
            .collect();
        parts.concat()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    fn boards(count: usize, stream: &mut ChaCha8Rng) -> Vec<Labelled> {
        (0..count)
            .map(|_| {
                let cells: Vec<u8> = (0..48).map(|_| u8::from(stream.next_u32().is_multiple_of(3))).collect();
                let cell = (stream.next_u32() % 48) as usize;
                // Is the cell two rows down and one column right alive?
                let class = Symbol::from(cells[(cell / 8 + 2) % 6 * 8 + (cell % 8 + 1) % 8]);
                Labelled { cells, cell, class }
            })
            .collect()
    }

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let mut stream = ChaCha8Rng::seed_from_u64(1);
        let config = CnnConfig { rows: 6, columns: 8, channels: 5, dilations: vec![1, 2, 7], outputs: 2 };
        let net = Cnn::initialise(&config, AdamW::default(), &mut stream);
        let boards = boards(12, &mut stream);
        let (_, gradient) = net.loss_and_gradient(&boards);
        for _ in 0..10 {
            let direction: Vec<f32> =
                (0..net.values.len()).map(|_| stream.next_u32() as f32 / u32::MAX as f32 - 0.5).collect();
            let at = |step: f32| {
                let mut moved = net.clone();
                moved.values.iter_mut().zip(&direction).for_each(|(value, d)| *value += step * d);
                let probabilities = moved.probabilities(&boards);
                let logs =
                    probabilities.chunks(2).zip(&boards).map(|(row, b)| -f64::from(row[usize::from(b.class)]).ln());
                logs.sum::<f64>() / boards.len() as f64
            };
            let numeric = (at(1e-2) - at(-1e-2)) / 2e-2;
            let exact: f64 = gradient.iter().zip(&direction).map(|(g, d)| f64::from(g * d)).sum();
            assert!((numeric - exact).abs() < 2e-4 + 2e-3 * exact.abs(), "{numeric} {exact}");
        }
    }

    #[test]
    fn it_learns_what_lies_within_its_reach() {
        let mut stream = ChaCha8Rng::seed_from_u64(2);
        let config = CnnConfig { rows: 6, columns: 8, channels: 8, dilations: vec![1, 1], outputs: 2 };
        let mut net = Cnn::initialise(&config, AdamW::default(), &mut stream);
        for _ in 0..300 {
            let batch = boards(32, &mut stream);
            net.train_step(&batch, 1e-2);
        }
        let fresh = boards(256, &mut stream);
        let loss = net.loss_and_gradient(&fresh).0;
        assert!(loss < 0.1, "loss {loss}");
    }
}
