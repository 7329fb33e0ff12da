//! Prediction on a burn backend, with taps read and changed through host memory.

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use environments::Symbol;

use super::attention::Attends;
use super::layers::Visitor;
use super::network::{Frame, Network};
use super::{download, upload};
use crate::plan::ResolvedPlan;
use crate::{Captured, ModelError, Parameters, Plan, Predictor, Run};

/// A trained model.
pub struct TensorPredictor<B: Backend> {
    parameters: Parameters,
    frame: Frame<B>,
    network: Network<B>,
    device: B::Device,
}

impl<B: Attends> TensorPredictor<B> {
    /// Puts a model on a device.
    pub fn new(parameters: Parameters, device: B::Device) -> Self {
        let layout = parameters.spec.layout();
        let tensors = upload(&layout, &parameters.values, &device);
        let frame = Frame::new(&parameters.spec, &device);
        Self { network: frame.network(&tensors), frame, parameters, device }
    }
}

/// Follows a plan through a batch.
struct Follower<'a, B: Backend> {
    plan: &'a ResolvedPlan<'a>,
    captured: Vec<Vec<f32>>,
    fired: Vec<bool>,
    device: &'a B::Device,
}

impl<B: Backend> Visitor<B> for Follower<'_, B> {
    fn touches(&self, tap: usize) -> bool {
        self.plan.touches(tap)
    }

    fn visit<const RANK: usize>(&mut self, tap: usize, x: Tensor<B, RANK>) -> Result<Tensor<B, RANK>, ModelError> {
        self.fired[tap] = true;
        if !self.plan.touches(tap) {
            return Ok(x);
        }
        let shape = x.dims();
        let mut values = download(x.clone())?;
        let mut result = x;
        if self.plan.changes(tap) {
            let shape_here = &self.plan.taps[tap];
            for (sequence, part) in values.chunks_exact_mut(shape_here.rows * shape_here.width).enumerate() {
                self.plan.change(tap, sequence, 0, part);
            }
            result = Tensor::from_data(TensorData::new(values.clone(), shape), self.device);
        }
        if let Some(slot) = self.plan.slot(tap) {
            self.captured[slot] = values;
        }
        Ok(result)
    }

    fn visit_rows(&mut self, tap: usize, position: usize, x: Tensor<B, 2>) -> Result<Tensor<B, 2>, ModelError> {
        self.fired[tap] = true;
        if !self.plan.touches(tap) {
            return Ok(x);
        }
        let [sequences, width] = x.dims();
        let mut values = download(x.clone())?;
        let mut result = x;
        if self.plan.changes(tap) {
            for (sequence, row) in values.chunks_exact_mut(width).enumerate() {
                self.plan.change(tap, sequence, position, row);
            }
            result = Tensor::from_data(TensorData::new(values.clone(), [sequences, width]), self.device);
        }
        if let Some(slot) = self.plan.slot(tap) {
            let rows = self.plan.taps[tap].rows;
            self.captured[slot].resize(sequences * rows * width, 0.0);
            for (sequence, row) in values.chunks_exact(width).enumerate() {
                self.captured[slot][(sequence * rows + position) * width..][..width].copy_from_slice(row);
            }
        }
        Ok(result)
    }
}

impl<B: Attends> Predictor for TensorPredictor<B> {
    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn run(&self, tokens: &[Symbol], plan: &Plan) -> Result<Run, ModelError> {
        let spec = &self.parameters.spec;
        let sequences = spec.check_tokens(tokens)?;
        let resolved = plan.resolve(spec, sequences)?;
        let mut follower = Follower::<B> {
            plan: &resolved,
            captured: vec![Vec::new(); plan.capture.len()],
            fired: vec![false; resolved.taps.len()],
            device: &self.device,
        };
        let mut logits = Vec::new();
        // Backends need not take tensors without elements.
        if sequences > 0 {
            logits = download(self.frame.forward(&self.network, tokens, &mut follower)?)?;
            let missed = |&tap: &usize| resolved.touches(tap) && !follower.fired[tap];
            if let Some(tap) = (0..resolved.taps.len()).find(missed) {
                return Err(ModelError::UnfiredTap(resolved.taps[tap].name.clone()));
            }
        }
        let mut captured = Vec::with_capacity(plan.capture.len());
        for (name, values) in plan.capture.iter().zip(follower.captured) {
            let tap = &resolved.taps[spec.tap(name)?];
            captured.push(Captured { tap: name.clone(), rows: tap.rows, width: tap.width, values });
        }
        Ok(Run { logits, captured })
    }
}
