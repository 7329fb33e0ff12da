//! Devices, chosen at run time, and the two things a device can do: learn and predict.

use environments::{Geometry, Symbol};

use crate::training::{AdamW, Batch, TrainingState};
use crate::{ModelError, Parameters, Plan, Run, native, tensors};

/// Where a model runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// This crate's own fused CPU engine: the same bits on any machine and at any thread count.
    Cpu,
    /// burn on its flex CPU backend.
    Flex,
    /// burn on its ndarray CPU backend.
    Ndarray,
    /// burn on CUDA.
    Cuda,
}

impl Device {
    /// Names that [`Device::resolve`] takes.
    pub const NAMES: [&str; 5] = ["auto", "cpu", "flex", "ndarray", "cuda"];

    /// The device of a name; `auto` takes CUDA where its driver loads and finds a GPU, and the CPU otherwise.
    ///
    /// # Errors
    /// For an unknown name, and for `cuda` where no driver loads.
    pub fn resolve(name: &str) -> Result<Self, ModelError> {
        match name {
            "auto" => Ok(if tensors::cuda_refusal().is_none() { Device::Cuda } else { Device::Cpu }),
            "cpu" => Ok(Device::Cpu),
            "flex" => Ok(Device::Flex),
            "ndarray" => Ok(Device::Ndarray),
            "cuda" => match tensors::cuda_refusal() {
                None => Ok(Device::Cuda),
                Some(reason) => Err(ModelError::Device(format!("the device `cuda` cannot be used here: {reason}"))),
            },
            _ => {
                let nearest =
                    Self::NAMES.iter().min_by_key(|known| strsim::levenshtein(known, name)).unwrap_or(&"auto");
                Err(ModelError::Device(format!(
                    "there is no device `{name}`; the nearest is `{nearest}` (of {})",
                    Self::NAMES.join(", ")
                )))
            }
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Device::Cpu => "cpu",
            Device::Flex => "flex",
            Device::Ndarray => "ndarray",
            Device::Cuda => "cuda",
        }
    }
}

/// A model being trained on a device.
pub trait Learner: Send {
    /// One optimiser step on one batch: forward, backward, clip, AdamW. Does not wait for a GPU.
    ///
    /// # Errors
    /// If the batch does not fit the model, or the device fails.
    fn step(&mut self, batch: &Batch, learning_rate: f32) -> Result<(), ModelError>;

    /// Mean loss (nats a scored position) over the steps since the last call; reads back from the device.
    ///
    /// # Errors
    /// If the device fails.
    fn mean_loss(&mut self) -> Result<f32, ModelError>;

    /// Loss and gradient (laid out as the parameters) of a batch, without a step: for tests and analysis.
    ///
    /// # Errors
    /// If the batch does not fit the model.
    fn loss_and_gradient(&mut self, batch: &Batch) -> Result<(f32, Vec<f32>), ModelError>;

    /// Parameters, optimiser state and step count.
    ///
    /// # Errors
    /// If the device fails.
    fn state(&self) -> Result<TrainingState, ModelError>;
}

/// A trained model on a device.
pub trait Predictor: Send + Sync {
    /// The model's weights.
    fn parameters(&self) -> &Parameters;

    /// A forward pass over sequences × positions tokens, reading and changing taps as planned. The same plan gives
    /// the same bits, and replacing an activation by itself changes none of them.
    ///
    /// # Errors
    /// For tokens outside the vocabulary, a wrong number of them, an unknown tap, or a wrong shape.
    fn run(&self, tokens: &[Symbol], plan: &Plan) -> Result<Run, ModelError>;
}

/// A trained model that is fed symbol by symbol, some sequences at once, and keeps what it needs of the past.
pub trait Generator: Send {
    /// Positions fed so far.
    fn position(&self) -> usize;

    /// Feeds the next symbol of every sequence; gives sequences × targets logits of what it makes the model predict:
    /// to the bit those that [`Predictor::run`] on the CPU gives at that position.
    ///
    /// # Errors
    /// If the sequences are at their end, or the symbols are not one each or outside the vocabulary.
    fn feed(&mut self, tokens: &[Symbol]) -> Result<&[f32], ModelError>;
}

/// Puts a model in training on a device.
///
/// # Errors
/// If the model cannot be built.
pub fn learner(state: TrainingState, optimizer: AdamW, device: Device) -> Result<Box<dyn Learner>, ModelError> {
    state.parameters.spec.validate()?;
    match device {
        Device::Cpu => Ok(native::learner(state, optimizer)),
        Device::Flex | Device::Ndarray | Device::Cuda => tensors::learner(state, optimizer, device),
    }
}

/// Puts a trained model on a device.
///
/// # Errors
/// If the model cannot be built.
pub fn predictor(parameters: &Parameters, device: Device) -> Result<Box<dyn Predictor>, ModelError> {
    parameters.spec.validate()?;
    match device {
        Device::Cpu => Ok(native::predictor(parameters.clone())),
        Device::Flex | Device::Ndarray | Device::Cuda => tensors::predictor(parameters, device),
    }
}

/// Prepares a trained model to be fed symbol by symbol, on the CPU.
///
/// # Errors
/// If the model cannot be built, or sees what comes later.
pub fn generator(parameters: &Parameters, sequences: usize) -> Result<Box<dyn Generator>, ModelError> {
    parameters.spec.validate()?;
    match parameters.spec.geometry {
        Geometry::Line { .. } => Ok(native::generator(parameters.clone(), sequences)),
        Geometry::Torus { .. } => Err(ModelError::Config(
            "a model of positions on a torus sees all of them at once and cannot be fed symbol by symbol".into(),
        )),
    }
}
