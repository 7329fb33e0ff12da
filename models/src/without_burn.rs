//! What stands in for burn's devices in a build without them.

use crate::training::{AdamW, TrainingState};
use crate::{Device, Learner, ModelError, Parameters, Predictor};

/// Why CUDA cannot be used here, as one clause.
pub fn cuda_refusal() -> Option<String> {
    Some("this program was built without burn".into())
}

fn refusal<T>(device: Device) -> Result<T, ModelError> {
    let name = device.name();
    Err(ModelError::Device(format!("the device `{name}` is burn's, and this program was built without it")))
}

/// # Errors
/// Always.
pub fn learner(_: TrainingState, _: AdamW, device: Device) -> Result<Box<dyn Learner>, ModelError> {
    refusal(device)
}

/// # Errors
/// Always.
pub fn predictor(_: &Parameters, device: Device) -> Result<Box<dyn Predictor>, ModelError> {
    refusal(device)
}
