//! The model in burn's tensors, on any of its backends: what CUDA runs, and what the fused CPU engine is checked
//! against.
//!
//! **Equal bits.** On flex and ndarray the same work gives the same bits at any number of threads. On CUDA sums are
//! taken in whatever order the kernels that burn chose take them, matrix products may round their factors to TF32,
//! and reading or changing a tap changes which kernels are fused, so results there are equal only up to rounding.

use burn::backend::{Cuda, Flex, NdArray};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};

use crate::training::{AdamW, TrainingState};
use crate::{Device, Layout, Learner, ModelError, Parameters, Predictor};

mod attention;
mod cache;
mod driver;
mod guard;
mod layers;
mod learner;
mod lstm;
mod network;
mod predictor;
mod transformer;

pub use driver::cuda_refusal;
use guard::Guarded;
use learner::TensorLearner;
use predictor::TensorPredictor;

/// Puts a model in training on a burn backend.
///
/// # Errors
/// Where CUDA is asked for and cannot be used or fails, and for [`Device::Cpu`], which is not burn's.
pub fn learner(state: TrainingState, optimizer: AdamW, device: Device) -> Result<Box<dyn Learner>, ModelError> {
    Ok(match usable(device)? {
        Backends::Flex => Box::new(TensorLearner::<Flex>::new(state, optimizer, Default::default())),
        Backends::Ndarray => Box::new(TensorLearner::<NdArray>::new(state, optimizer, Default::default())),
        Backends::Cuda => Box::new(Guarded::<dyn Learner>::new("cuda", || {
            cache::keep();
            Box::new(TensorLearner::<Cuda<f32, i32>>::new(state, optimizer, Default::default()))
        })?),
    })
}

/// Puts a trained model on a burn backend.
///
/// # Errors
/// Where CUDA is asked for and cannot be used or fails, and for [`Device::Cpu`], which is not burn's.
pub fn predictor(parameters: &Parameters, device: Device) -> Result<Box<dyn Predictor>, ModelError> {
    let parameters = parameters.clone();
    Ok(match usable(device)? {
        Backends::Flex => Box::new(TensorPredictor::<Flex>::new(parameters, Default::default())),
        Backends::Ndarray => Box::new(TensorPredictor::<NdArray>::new(parameters, Default::default())),
        Backends::Cuda => Box::new(Guarded::<dyn Predictor>::new("cuda", || {
            cache::keep();
            Box::new(TensorPredictor::<Cuda<f32, i32>>::new(parameters, Default::default()))
        })?),
    })
}

/// burn's backends.
enum Backends {
    Flex,
    Ndarray,
    Cuda,
}

fn usable(device: Device) -> Result<Backends, ModelError> {
    match device {
        Device::Flex => Ok(Backends::Flex),
        Device::Ndarray => Ok(Backends::Ndarray),
        Device::Cuda => match cuda_refusal() {
            None => Ok(Backends::Cuda),
            Some(reason) => Err(ModelError::Device(format!("the device `cuda` cannot be used here: {reason}"))),
        },
        Device::Cpu => Err(ModelError::Device("the device `cpu` is not one of burn's".into())),
    }
}

/// One tensor a parameter, in the order of the layout; vectors as 1 × n.
fn upload<B: Backend>(layout: &Layout, values: &[f32], device: &B::Device) -> Vec<Tensor<B, 2>> {
    let put = |entry: &crate::Entry| {
        let columns = entry.shape.last().copied().unwrap_or(1);
        let data = TensorData::new(values[entry.range()].to_vec(), [entry.len() / columns, columns]);
        Tensor::from_data(data, device)
    };
    layout.entries.iter().map(put).collect()
}

/// A tensor's values, row-major; waits for the device.
fn download<B: Backend, const RANK: usize>(tensor: Tensor<B, RANK>) -> Result<Vec<f32>, ModelError> {
    let failure = |error: String| ModelError::Device(format!("the device failed: {error}"));
    let data = tensor.try_into_data().map_err(|error| failure(error.to_string()))?;
    data.into_vec::<f32>().map_err(|error| failure(format!("{error:?}")))
}
