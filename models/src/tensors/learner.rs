//! Training on a burn backend: gradients by autodiff, clipping and AdamW on the device.

use burn::backend::Autodiff;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::attention::Attends;
use super::layers::cross_entropy;
use super::network::Frame;
use super::{download, upload};
use crate::training::{AdamW, Batch, TrainingState};
use crate::{Layout, Learner, ModelError, ModelSpec, Parameters};

/// A model in training. Nothing but [`Learner::mean_loss`], [`Learner::loss_and_gradient`] and
/// [`Learner::state`] waits for the device: a step only puts its batch's upload and its kernels in the device's queue, so
/// that on CUDA the next batches are on their way while a step is computed.
pub struct TensorLearner<B: Backend> {
    spec: ModelSpec,
    layout: Layout,
    optimizer: AdamW,
    frame: Frame<Autodiff<B>>,
    device: B::Device,
    values: Vec<Tensor<B, 2>>,
    first: Vec<Tensor<B, 2>>,
    second: Vec<Tensor<B, 2>>,
    step: u64,
    /// Sum of the losses since the last report, 1 × 1.
    loss: Option<Tensor<B, 2>>,
    losses: u64,
}

impl<B: Attends> TensorLearner<B> {
    /// Puts a state on a device.
    pub fn new(state: TrainingState, optimizer: AdamW, device: B::Device) -> Self {
        let TrainingState { parameters: Parameters { spec, values }, first, second, step } = state;
        let layout = spec.layout();
        Self {
            values: upload(&layout, &values, &device),
            first: upload(&layout, &first, &device),
            second: upload(&layout, &second, &device),
            frame: Frame::new(&spec, &device),
            layout,
            spec,
            optimizer,
            device,
            step,
            loss: None,
            losses: 0,
        }
    }

    /// Mean loss of a batch, 1 × 1, and its gradient, laid out as the parameters.
    fn differentiate(&self, batch: &Batch) -> Result<(Tensor<B, 2>, Vec<Tensor<B, 2>>), ModelError> {
        batch.check(&self.spec)?;
        let leaves: Vec<Tensor<Autodiff<B>, 2>> =
            self.values.iter().map(|value| Tensor::from_inner(value.clone()).require_grad()).collect();
        let network = self.frame.network(&leaves);
        let logits = self.frame.forward(&network, &batch.tokens, &mut ())?;
        let loss = cross_entropy(logits, &batch.targets, &self.device);
        let mut gradients = loss.backward();
        let gradient =
            leaves.iter().map(|leaf| leaf.grad_remove(&mut gradients).unwrap_or_else(|| leaf.clone().inner() * 0.0));
        Ok((loss.inner(), gradient.collect()))
    }
}

impl<B: Attends> Learner for TensorLearner<B> {
    fn step(&mut self, batch: &Batch, learning_rate: f32) -> Result<(), ModelError> {
        let (loss, gradient) = self.differentiate(batch)?;
        self.loss = Some(self.loss.take().map_or(loss.clone(), |sum| sum + loss));
        self.losses += 1;
        self.step += 1;
        let AdamW { beta1, beta2, epsilon, weight_decay, clip } = self.optimizer;
        let correction = |beta: f32| (1.0 / (1.0 - power(f64::from(beta), self.step))) as f32;
        let (correction1, correction2) = (correction(beta1), correction(beta2));
        let scale = clipping(&gradient, clip);
        for (number, gradient) in gradient.into_iter().enumerate() {
            let gradient = gradient * scale.clone();
            let square = gradient.clone() * gradient.clone();
            let first = self.first[number].clone() * beta1 + gradient * (1.0 - beta1);
            let second = self.second[number].clone() * beta2 + square * (1.0 - beta2);
            let mut change = first.clone() * correction1 / ((second.clone() * correction2).sqrt() + epsilon);
            if self.layout.entries[number].decay {
                change = change + self.values[number].clone() * weight_decay;
            }
            self.values[number] = self.values[number].clone() - change * learning_rate;
            self.first[number] = first;
            self.second[number] = second;
        }
        Ok(())
    }

    fn mean_loss(&mut self) -> Result<f32, ModelError> {
        let Some(sum) = self.loss.take() else { return Ok(0.0) };
        Ok(download(sum)?[0] / std::mem::take(&mut self.losses) as f32)
    }

    fn loss_and_gradient(&mut self, batch: &Batch) -> Result<(f32, Vec<f32>), ModelError> {
        let (loss, gradient) = self.differentiate(batch)?;
        Ok((download(loss)?[0], gather(&gradient)?))
    }

    fn state(&self) -> Result<TrainingState, ModelError> {
        Ok(TrainingState {
            parameters: Parameters { spec: self.spec.clone(), values: gather(&self.values)? },
            first: gather(&self.first)?,
            second: gather(&self.second)?,
            step: self.step,
        })
    }
}

/// What the gradient is multiplied by so that its global norm is at most `clip`, 1 × 1; left on the device.
fn clipping<B: Backend>(gradient: &[Tensor<B, 2>], clip: f32) -> Tensor<B, 2> {
    let squares = gradient.iter().map(|part| (part.clone() * part.clone()).sum_dim(1).sum_dim(0));
    let square = squares.reduce(|sum, square| sum + square).expect("a model has parameters");
    ((square.sqrt() + 1e-6).recip() * clip).clamp_max(1.0)
}

/// One flat buffer of tensors in the order of the layout.
fn gather<B: Backend>(tensors: &[Tensor<B, 2>]) -> Result<Vec<f32>, ModelError> {
    let mut values = Vec::new();
    for tensor in tensors {
        values.extend(download(tensor.clone())?);
    }
    Ok(values)
}

/// βⁿ by squaring.
fn power(base: f64, exponent: u64) -> f64 {
    let (mut result, mut base, mut exponent) = (1.0, base, exponent);
    while exponent > 0 {
        if exponent % 2 == 1 {
            result *= base;
        }
        base *= base;
        exponent /= 2;
    }
    result
}
