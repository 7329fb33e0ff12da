//! The engine's two faces: learning and predicting.

use environments::Symbol;
use rayon::prelude::*;

use super::LANES;
use super::descend::{Flat, descend};
use super::lstm::Lstm;
use super::math;
use super::network::{Lane, Network};
use super::pool::Pool;
use super::transformer::Transformer;
use super::visitor::Visitor;
use crate::plan::ResolvedPlan;
use crate::training::{AdamW, Batch, TrainingState};
use crate::{Captured, Learner, ModelConfig, ModelError, Parameters, Plan, Predictor, Run};

/// Training on the CPU.
pub fn learner(state: TrainingState, optimizer: AdamW) -> Box<dyn Learner> {
    match state.parameters.spec.model {
        ModelConfig::Transformer(_) => Box::new(NativeLearner::<Transformer>::new(state, optimizer)),
        ModelConfig::Lstm(_) => Box::new(NativeLearner::<Lstm>::new(state, optimizer)),
    }
}

/// Bytes that a model in training takes up on a number of threads, at most, beside its batch: eight values a parameter
/// (itself, two moments, its gradient, and both forms for products, which are padded), its gradient in each of the 8
/// lanes, and the memory of the sequences that each thread is at. It grows with the length of sequences, not with its
/// square, and does not grow with the batch.
pub fn memory_bound(spec: &crate::ModelSpec, threads: usize) -> u64 {
    fn values<N: Network>(spec: &crate::ModelSpec, threads: usize) -> usize {
        let network = N::new(spec);
        let parameters = spec.layout().entries.last().map_or(0, |entry| entry.range().end);
        (8 + LANES) * parameters + (LANES + 1) * network.extra() + threads.min(LANES) * network.space_len()
    }
    let values = match spec.model {
        ModelConfig::Transformer(_) => values::<Transformer>(spec, threads),
        ModelConfig::Lstm(_) => values::<Lstm>(spec, threads),
    };
    4 * values as u64
}

/// A trained model on the CPU.
pub fn predictor(parameters: Parameters) -> Box<dyn Predictor> {
    match parameters.spec.model {
        ModelConfig::Transformer(_) => Box::new(NativePredictor::<Transformer>::new(parameters)),
        ModelConfig::Lstm(_) => Box::new(NativePredictor::<Lstm>::new(parameters)),
    }
}

/// A model in training.
struct NativeLearner<N: Network> {
    state: TrainingState,
    optimizer: AdamW,
    network: N,
    weights: N::Weights,
    lanes: Vec<Lane>,
    spaces: Pool<N::Space>,
    gradient: Vec<f32>,
    /// Runs of parameters with one weight decay: (end, decays).
    runs: Vec<(usize, bool)>,
    loss: f64,
    losses: u64,
}

impl<N: Network> NativeLearner<N> {
    fn new(state: TrainingState, optimizer: AdamW) -> Self {
        let Parameters { spec, values } = &state.parameters;
        let network = N::new(spec);
        let mut weights = N::Weights::default();
        network.refresh(&mut weights, values, true);
        let mut runs: Vec<(usize, bool)> = Vec::new();
        for entry in spec.layout().entries {
            match runs.last_mut() {
                Some(last) if last.1 == entry.decay => last.0 = entry.range().end,
                _ => runs.push((entry.range().end, entry.decay)),
            }
        }
        Self {
            lanes: (0..LANES).map(|_| Lane::new(&network, values.len())).collect(),
            spaces: Pool::new(),
            gradient: vec![0.0; values.len()],
            state,
            optimizer,
            network,
            weights,
            runs,
            loss: 0.0,
            losses: 0,
        }
    }

    /// Mean loss of a batch; leaves its gradient in `self.gradient`.
    fn differentiate(&mut self, batch: &Batch) -> Result<f32, ModelError> {
        let Parameters { spec, values } = &self.state.parameters;
        let sequences = batch.check(spec)?;
        let length = spec.geometry.len();
        let weight = 1.0 / batch.scored().max(1) as f32;
        let (network, weights, spaces) = (&self.network, &self.weights, &self.spaces);
        let group = network.side_by_side() * length;
        self.lanes.par_iter_mut().enumerate().for_each(|(number, lane)| {
            lane.clear();
            let range = sequences * number / LANES * length..sequences * (number + 1) / LANES * length;
            let groups = batch.tokens[range.clone()].chunks(group).zip(batch.targets[range].chunks(group));
            spaces.with(
                || network.space(true),
                |space| {
                    for (tokens, targets) in groups {
                        let logits = network.forward(values, weights, tokens, space, &mut ());
                        lane.score(logits, targets, weight);
                        network.backward(values, weights, tokens, space, lane);
                    }
                },
            );
            network.finish(lane);
        });
        const PART: usize = 16_384;
        let lanes = &self.lanes;
        self.gradient.par_chunks_mut(PART).enumerate().for_each(|(number, part)| {
            part.fill(0.0);
            for lane in lanes {
                math::add(part, &lane.values[number * PART..][..part.len()]);
            }
        });
        let loss: f64 = self.lanes.iter().map(|lane| lane.loss).sum();
        Ok((loss * f64::from(weight)) as f32)
    }
}

impl<N: Network> Learner for NativeLearner<N> {
    fn step(&mut self, batch: &Batch, learning_rate: f32) -> Result<(), ModelError> {
        let loss = self.differentiate(batch)?;
        self.loss += f64::from(loss);
        self.losses += 1;
        self.state.step += 1;
        let TrainingState { parameters, first, second, step } = &mut self.state;
        let flat = Flat { values: &mut parameters.values, first, second, runs: &self.runs };
        descend(flat, &self.gradient, self.optimizer, *step, learning_rate);
        self.network.refresh(&mut self.weights, &self.state.parameters.values, true);
        Ok(())
    }

    fn mean_loss(&mut self) -> Result<f32, ModelError> {
        let mean = self.loss / self.losses.max(1) as f64;
        self.loss = 0.0;
        self.losses = 0;
        Ok(mean as f32)
    }

    fn loss_and_gradient(&mut self, batch: &Batch) -> Result<(f32, Vec<f32>), ModelError> {
        let loss = self.differentiate(batch)?;
        Ok((loss, self.gradient.clone()))
    }

    fn state(&self) -> Result<TrainingState, ModelError> {
        Ok(self.state.clone())
    }
}

/// A trained model.
struct NativePredictor<N: Network> {
    parameters: Parameters,
    network: N,
    weights: N::Weights,
    spaces: Pool<N::Space>,
}

impl<N: Network> NativePredictor<N> {
    fn new(parameters: Parameters) -> Self {
        let network = N::new(&parameters.spec);
        let mut weights = N::Weights::default();
        network.refresh(&mut weights, &parameters.values, false);
        Self { parameters, network, weights, spaces: Pool::new() }
    }
}

/// Follows a plan through sequences that are run side by side.
struct Follower<'a> {
    plan: &'a ResolvedPlan<'a>,
    /// The first of them in the batch.
    first: usize,
    /// For each captured tap, sequences × rows × width.
    captured: Vec<Vec<f32>>,
    fired: Vec<bool>,
}

impl Visitor for Follower<'_> {
    fn touches(&self, tap: usize) -> bool {
        self.plan.touches(tap)
    }

    fn visit(&mut self, tap: usize, sequence: usize, first: usize, values: &mut [f32]) {
        self.fired[tap] = true;
        self.plan.change(tap, self.first + sequence, first, values);
        if let Some(slot) = self.plan.slot(tap) {
            let shape = &self.plan.taps[tap];
            let start = (sequence * shape.rows + first) * shape.width;
            self.captured[slot][start..start + values.len()].copy_from_slice(values);
        }
    }
}

impl<N: Network> Predictor for NativePredictor<N> {
    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn run(&self, tokens: &[Symbol], plan: &Plan) -> Result<Run, ModelError> {
        let Parameters { spec, values } = &self.parameters;
        let sequences = spec.check_tokens(tokens)?;
        let resolved = plan.resolve(spec, sequences)?;
        let taps = plan.capture.iter().map(|name| Ok(&resolved.taps[spec.tap(name)?]));
        let taps = taps.collect::<Result<Vec<_>, ModelError>>()?;
        let length = spec.geometry.len();
        // Few sequences are shared out over the cores all the same; how does not change a bit of the results.
        let group = sequences.div_ceil(LANES).clamp(1, self.network.side_by_side());
        let results: Vec<(Vec<f32>, Follower)> = tokens
            .par_chunks(group * length)
            .enumerate()
            .map(|(number, tokens)| {
                let count = tokens.len() / length;
                let captured = taps.iter().map(|tap| vec![0.0; count * tap.rows * tap.width]).collect();
                let fired = vec![false; resolved.taps.len()];
                let mut follower = Follower { plan: &resolved, first: number * group, captured, fired };
                let forward = |space: &mut N::Space| {
                    self.network.forward(values, &self.weights, tokens, space, &mut follower).to_vec()
                };
                let logits = self.spaces.with(|| self.network.space(false), forward);
                (logits, follower)
            })
            .collect();
        let wanted: Vec<usize> = (0..resolved.taps.len()).filter(|&tap| resolved.touches(tap)).collect();
        for (_, follower) in &results {
            if let Some(&tap) = wanted.iter().find(|&&tap| !follower.fired[tap]) {
                return Err(ModelError::UnfiredTap(resolved.taps[tap].name.clone()));
            }
        }
        let empty = |tap: &&crate::TapShape| Captured {
            tap: tap.name.clone(),
            rows: tap.rows,
            width: tap.width,
            values: Vec::with_capacity(sequences * tap.rows * tap.width),
        };
        let mut run =
            Run { logits: Vec::with_capacity(tokens.len() * spec.targets), captured: taps.iter().map(empty).collect() };
        for (logits, follower) in results {
            run.logits.extend_from_slice(&logits);
            for (captured, values) in run.captured.iter_mut().zip(follower.captured) {
                captured.values.extend_from_slice(&values);
            }
        }
        Ok(run)
    }
}
