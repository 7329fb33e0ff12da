//! The engine's two faces: learning and predicting.

use environments::Symbol;
use rayon::prelude::*;

use super::LANES;
use super::descend::{Flat, descend};
use super::math;
use super::transformer::{LaneGradient, Shape, Weights, Workspace, backward, forward};
use super::visitor::Visitor;
use crate::plan::ResolvedPlan;
use crate::training::{AdamW, Batch, TrainingState};
use crate::{Captured, Learner, ModelError, Parameters, Plan, Predictor, Run};

/// Training on the CPU.
pub struct NativeLearner {
    state: TrainingState,
    optimizer: AdamW,
    shape: Shape,
    weights: Weights,
    lanes: Vec<(Workspace, LaneGradient)>,
    gradient: Vec<f32>,
    /// Runs of parameters with one weight decay: (end, decays).
    runs: Vec<(usize, bool)>,
    loss: f64,
    losses: u64,
}

impl NativeLearner {
    /// Puts a state into training.
    pub fn new(state: TrainingState, optimizer: AdamW) -> Self {
        let shape = Shape::new(&state.parameters.spec);
        let mut weights = Weights::default();
        weights.refresh(&shape, &state.parameters.values, true);
        let mut runs: Vec<(usize, bool)> = Vec::new();
        for entry in state.parameters.spec.layout().entries {
            match runs.last_mut() {
                Some(last) if last.1 == entry.decay => last.0 = entry.range().end,
                _ => runs.push((entry.range().end, entry.decay)),
            }
        }
        Self {
            lanes: (0..LANES).map(|_| (Workspace::new(&shape), LaneGradient::new(&shape))).collect(),
            gradient: vec![0.0; shape.parameters],
            state,
            optimizer,
            shape,
            weights,
            runs,
            loss: 0.0,
            losses: 0,
        }
    }

    /// Mean loss of a batch; leaves its gradient in `self.gradient`.
    fn differentiate(&mut self, batch: &Batch) -> Result<f32, ModelError> {
        let length = self.shape.length;
        let sequences = batch.check(&self.state.parameters.spec)?;
        let weight = 1.0 / batch.scored().max(1) as f32;
        let (shape, weights, values) = (&self.shape, &self.weights, &self.state.parameters.values);
        self.lanes.par_iter_mut().enumerate().for_each(|(number, (space, lane))| {
            lane.clear();
            for sequence in sequences * number / LANES..sequences * (number + 1) / LANES {
                let range = sequence * length..(sequence + 1) * length;
                let (tokens, targets) = (&batch.tokens[range.clone()], &batch.targets[range]);
                forward(shape, values, weights, tokens, space, &mut ());
                backward(shape, values, weights, tokens, targets, weight, space, lane);
            }
            lane.finish(shape);
        });
        const PART: usize = 16_384;
        let lanes = &self.lanes;
        self.gradient.par_chunks_mut(PART).enumerate().for_each(|(number, part)| {
            part.fill(0.0);
            for (_, lane) in lanes {
                math::add(part, &lane.values[number * PART..][..part.len()]);
            }
        });
        let loss: f64 = self.lanes.iter().map(|(_, lane)| lane.loss).sum();
        Ok((loss * f64::from(weight)) as f32)
    }
}

impl Learner for NativeLearner {
    fn step(&mut self, batch: &Batch, learning_rate: f32) -> Result<(), ModelError> {
        let loss = self.differentiate(batch)?;
        self.loss += f64::from(loss);
        self.losses += 1;
        self.state.step += 1;
        let TrainingState { parameters, first, second, step } = &mut self.state;
        let flat = Flat { values: &mut parameters.values, first, second, runs: &self.runs };
        descend(flat, &self.gradient, self.optimizer, *step, learning_rate);
        self.weights.refresh(&self.shape, &self.state.parameters.values, true);
        Ok(())
    }

    fn mean_loss(&mut self) -> f32 {
        let mean = self.loss / self.losses.max(1) as f64;
        self.loss = 0.0;
        self.losses = 0;
        mean as f32
    }

    fn loss_and_gradient(&mut self, batch: &Batch) -> Result<(f32, Vec<f32>), ModelError> {
        let loss = self.differentiate(batch)?;
        Ok((loss, self.gradient.clone()))
    }

    fn state(&self) -> TrainingState {
        self.state.clone()
    }
}

/// A trained model on the CPU.
pub struct NativePredictor {
    parameters: Parameters,
    shape: Shape,
    weights: Weights,
}

impl NativePredictor {
    /// Prepares a model.
    pub fn new(parameters: Parameters) -> Self {
        let shape = Shape::new(&parameters.spec);
        let mut weights = Weights::default();
        weights.refresh(&shape, &parameters.values, false);
        Self { parameters, shape, weights }
    }
}

/// Follows a plan through one sequence.
struct Follower<'a> {
    plan: &'a ResolvedPlan<'a>,
    sequence: usize,
    captured: Vec<Vec<f32>>,
    fired: Vec<bool>,
}

impl Visitor for Follower<'_> {
    fn touches(&self, tap: usize) -> bool {
        self.plan.touches(tap)
    }

    fn visit(&mut self, tap: usize, values: &mut [f32]) {
        self.fired[tap] = true;
        self.plan.change(tap, self.sequence, values);
        if let Some(slot) = self.plan.slot(tap) {
            self.captured[slot] = values.to_vec();
        }
    }
}

impl Predictor for NativePredictor {
    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn run(&self, tokens: &[Symbol], plan: &Plan) -> Result<Run, ModelError> {
        let sequences = self.parameters.spec.check_tokens(tokens)?;
        let resolved = plan.resolve(&self.parameters.spec, sequences)?;
        let (shape, values, weights) = (&self.shape, &self.parameters.values, &self.weights);
        let wanted: Vec<usize> = (0..resolved.taps.len()).filter(|&tap| resolved.touches(tap)).collect();
        let results: Vec<(Vec<f32>, Follower)> = tokens
            .par_chunks_exact(shape.length)
            .enumerate()
            .map_init(
                || Workspace::new(shape),
                |space, (sequence, tokens)| {
                    let captured = vec![Vec::new(); plan.capture.len()];
                    let fired = vec![false; resolved.taps.len()];
                    let mut follower = Follower { plan: &resolved, sequence, captured, fired };
                    forward(shape, values, weights, tokens, space, &mut follower);
                    (space.logits.clone(), follower)
                },
            )
            .collect();
        for (_, follower) in &results {
            if let Some(&tap) = wanted.iter().find(|&&tap| !follower.fired[tap]) {
                return Err(ModelError::UnfiredTap(resolved.taps[tap].name.clone()));
            }
        }
        let mut run = Run { logits: Vec::with_capacity(tokens.len() * shape.targets), captured: Vec::new() };
        for name in &plan.capture {
            let tap = &resolved.taps[self.parameters.spec.tap(name)?];
            let values = Vec::with_capacity(sequences * tap.rows * tap.width);
            run.captured.push(Captured { tap: name.clone(), rows: tap.rows, width: tap.width, values });
        }
        for (logits, follower) in results {
            run.logits.extend_from_slice(&logits);
            for (slot, values) in follower.captured.into_iter().enumerate() {
                run.captured[slot].values.extend_from_slice(&values);
            }
        }
        Ok(run)
    }
}
