//! A small multi-layer perceptron on plain features: the window predictor and the non-linear probe.

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

/// Sizes of a multi-layer perceptron with GELU between its layers and softmax at its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MlpConfig {
    /// Features of a row.
    pub inputs: usize,
    /// Widths of the hidden layers; none makes a multinomial logistic regression.
    pub hidden: Vec<usize>,
    /// Classes.
    pub outputs: usize,
}

/// A dense layer's place in the flat buffer: weights inputs × outputs, then the bias.
#[derive(Clone, Copy, Debug)]
struct Dense {
    inputs: usize,
    outputs: usize,
    weight: usize,
    bias: usize,
}

/// A multi-layer perceptron with its optimiser.
#[derive(Clone, Debug)]
pub struct Mlp {
    layers: Vec<Dense>,
    /// Parameters, flat.
    pub values: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
    runs: Vec<(usize, bool)>,
    optimizer: AdamW,
    step: u64,
}

#[derive(Default)]
struct Trace {
    activations: Vec<Vec<f32>>,
    slopes: Vec<Vec<f32>>,
    packed: Packed,
}

impl Mlp {
    /// Draws weights with standard deviation 1/√(fan-in) from a stream.
    pub fn initialise(config: &MlpConfig, optimizer: AdamW, stream: &mut ChaCha8Rng) -> Self {
        let mut sizes = vec![config.inputs];
        sizes.extend(&config.hidden);
        sizes.push(config.outputs);
        let (mut layers, mut values, mut runs, mut spare) = (Vec::new(), Vec::new(), Vec::new(), None);
        for pair in sizes.windows(2) {
            let (inputs, outputs) = (pair[0], pair[1]);
            let weight = values.len();
            let deviation = 1.0 / (inputs as f64).sqrt();
            values.extend((0..inputs * outputs).map(|_| (normal(stream, &mut spare) * deviation) as f32));
            let bias = values.len();
            runs.push((bias, true));
            values.extend(std::iter::repeat_n(0.0, outputs));
            runs.push((values.len(), false));
            layers.push(Dense { inputs, outputs, weight, bias });
        }
        let zeros = vec![0.0; values.len()];
        Self { layers, values, first: zeros.clone(), second: zeros, runs, optimizer, step: 0 }
    }

    fn pack(&self, backward: bool) -> Vec<Packed> {
        self.layers
            .iter()
            .map(|layer| {
                let mut packed = Packed::default();
                let weight = &self.values[layer.weight..layer.bias];
                if backward {
                    packed.pack(layer.outputs, layer.inputs, weight, 1, layer.outputs);
                } else {
                    packed.pack(layer.inputs, layer.outputs, weight, layer.outputs, 1);
                }
                packed
            })
            .collect()
    }

    fn forward(&self, weights: &[Packed], features: &[f32], trace: &mut Trace) {
        let rows = features.len() / self.layers[0].inputs;
        trace.activations.resize(self.layers.len() + 1, Vec::new());
        trace.slopes.resize(self.layers.len(), Vec::new());
        trace.activations[0].clear();
        trace.activations[0].extend_from_slice(features);
        for (number, (layer, weight)) in self.layers.iter().zip(weights).enumerate() {
            let mut output = vec![0.0; rows * layer.outputs];
            let input = Left { values: &trace.activations[number], rows: layer.inputs, columns: 1 };
            multiply(rows, input, weight, &mut output, layer.outputs, false);
            let bias = &self.values[layer.bias..][..layer.outputs];
            if number + 1 == self.layers.len() {
                math::add_bias(&mut output, bias);
                trace.activations[number + 1] = output;
            } else {
                let (next, slope) = (&mut trace.activations[number + 1], &mut trace.slopes[number]);
                next.resize(output.len(), 0.0);
                slope.resize(output.len(), 0.0);
                math::gelu(&mut output, bias, next, slope);
            }
        }
    }

    /// Mean cross-entropy (nats) of rows and its gradient.
    pub fn loss_and_gradient(&self, features: &[f32], targets: &[Symbol]) -> (f32, Vec<f32>) {
        let inputs = self.layers[0].inputs;
        let (forward, backward) = (self.pack(false), self.pack(true));
        let rows = targets.len();
        let parts: Vec<(f64, Vec<f32>)> = (0..LANES)
            .into_par_iter()
            .map(|lane| {
                let range = rows * lane / LANES..rows * (lane + 1) / LANES;
                let mut slopes = vec![0.0; self.values.len()];
                if range.is_empty() {
                    return (0.0, slopes);
                }
                let mut trace = Trace::default();
                self.forward(&forward, &features[range.start * inputs..range.end * inputs], &mut trace);
                let mut gradient = std::mem::take(&mut trace.activations[self.layers.len()]);
                let outputs = gradient.len() / range.len();
                let mut loss = 0.0;
                for (row, &target) in gradient.chunks_exact_mut(outputs).zip(&targets[range.clone()]) {
                    loss += f64::from(math::cross_entropy(row, usize::from(target)));
                    for value in row.iter_mut() {
                        *value /= rows as f32;
                    }
                }
                for (number, layer) in self.layers.iter().enumerate().rev() {
                    trace.packed.pack(range.len(), layer.outputs, &gradient, layer.outputs, 1);
                    let input = Left { values: &trace.activations[number], rows: 1, columns: layer.inputs };
                    let slot = &mut slopes[layer.weight..layer.bias];
                    multiply(layer.inputs, input, &trace.packed, slot, layer.outputs, true);
                    math::add_rows(&gradient, &mut slopes[layer.bias..][..layer.outputs]);
                    if number > 0 {
                        let mut below = vec![0.0; range.len() * layer.inputs];
                        let above = Left { values: &gradient, rows: layer.outputs, columns: 1 };
                        multiply(range.len(), above, &backward[number], &mut below, layer.inputs, false);
                        math::scale_by(&mut below, &trace.slopes[number - 1]);
                        gradient = below;
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
        ((loss / rows.max(1) as f64) as f32, total)
    }

    /// One AdamW step on rows of features (row-major) and their classes; the mean loss in nats.
    pub fn train_step(&mut self, features: &[f32], targets: &[Symbol], rate: f32) -> f32 {
        let (loss, gradient) = self.loss_and_gradient(features, targets);
        self.step += 1;
        let Self { values, first, second, runs, .. } = self;
        descend(Flat { values, first, second, runs }, &gradient, self.optimizer, self.step, rate);
        loss
    }

    /// Class probabilities of rows: rows × classes.
    pub fn probabilities(&self, features: &[f32]) -> Vec<f32> {
        let weights = self.pack(false);
        let inputs = self.layers[0].inputs;
        let outputs = self.layers[self.layers.len() - 1].outputs;
        let parts: Vec<Vec<f32>> = features
            .par_chunks(inputs * 256)
            .map(|features| {
                let mut trace = Trace::default();
                self.forward(&weights, features, &mut trace);
                let mut logits = std::mem::take(&mut trace.activations[self.layers.len()]);
                logits.chunks_exact_mut(outputs).for_each(math::softmax);
                logits
            })
            .collect();
        parts.concat()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    fn uniform(stream: &mut ChaCha8Rng) -> f32 {
        stream.next_u32() as f32 / u32::MAX as f32 - 0.5
    }

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let mut stream = ChaCha8Rng::seed_from_u64(1);
        let config = MlpConfig { inputs: 7, hidden: vec![9, 5], outputs: 3 };
        let net = Mlp::initialise(&config, AdamW::default(), &mut stream);
        let features: Vec<f32> = (0..7 * 20).map(|_| 2.0 * uniform(&mut stream)).collect();
        let targets: Vec<Symbol> = (0..20).map(|_| (stream.next_u32() % 3) as Symbol).collect();
        let (_, gradient) = net.loss_and_gradient(&features, &targets);
        for _ in 0..10 {
            let direction: Vec<f32> = (0..net.values.len()).map(|_| uniform(&mut stream)).collect();
            let at = |step: f32| {
                let mut moved = net.clone();
                moved.values.iter_mut().zip(&direction).for_each(|(value, d)| *value += step * d);
                let probabilities = moved.probabilities(&features);
                let logs = probabilities.chunks(3).zip(&targets).map(|(row, &t)| -f64::from(row[usize::from(t)]).ln());
                logs.sum::<f64>() / 20.0
            };
            let numeric = (at(1e-2) - at(-1e-2)) / 2e-2;
            let exact: f64 = gradient.iter().zip(&direction).map(|(g, d)| f64::from(g * d)).sum();
            assert!((numeric - exact).abs() < 1e-4 + 1e-3 * exact.abs(), "{numeric} {exact}");
        }
    }

    #[test]
    fn exclusive_or_is_learnt_with_a_hidden_layer_and_not_without() {
        let features = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
        let targets = [0, 1, 1, 0];
        for (hidden, learnt) in [(vec![16], true), (vec![], false)] {
            let config = MlpConfig { inputs: 2, hidden, outputs: 2 };
            let mut net = Mlp::initialise(&config, AdamW::default(), &mut ChaCha8Rng::seed_from_u64(3));
            for _ in 0..600 {
                net.train_step(&features, &targets, 1e-2);
            }
            let loss = net.loss_and_gradient(&features, &targets).0;
            assert_eq!(loss < 0.05, learnt, "loss {loss}");
        }
    }
}
