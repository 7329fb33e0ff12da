//! A device that fails gives an error in one sentence. burn and its CUDA runtime panic where a kernel does not compile,
//! memory runs out or the driver fails; here a panic on the way ends the call and not the program.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use environments::Symbol;

use crate::training::{Batch, TrainingState};
use crate::{Learner, ModelError, Parameters, Plan, Predictor, Run};

thread_local! {
    /// Whether a panic on this thread is caught and said in another way.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// The result of work on a device; a panic in it as an error.
pub fn guarded<T>(device: &str, work: impl FnOnce() -> Result<T, ModelError>) -> Result<T, ModelError> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                before(info);
            }
        }));
    });
    let outer = QUIET.replace(true);
    // What the work had in hands is not used again: the model is given up after an error.
    let result = catch_unwind(AssertUnwindSafe(work));
    QUIET.set(outer);
    result.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it gave no reason");
        Err(ModelError::Device(format!("the device `{device}` failed: {}", line.trim_end_matches('.'))))
    })
}

/// A model on a device that may fail.
pub struct Guarded<T: ?Sized> {
    device: &'static str,
    inner: Box<T>,
}

impl<T: ?Sized> Guarded<T> {
    /// Puts a model on the device and keeps guard from then on.
    pub fn new(device: &'static str, make: impl FnOnce() -> Box<T>) -> Result<Self, ModelError> {
        Ok(Self { device, inner: guarded(device, || Ok(make()))? })
    }
}

impl Learner for Guarded<dyn Learner> {
    fn step(&mut self, batch: &Batch, learning_rate: f32) -> Result<(), ModelError> {
        guarded(self.device, || self.inner.step(batch, learning_rate))
    }

    fn mean_loss(&mut self) -> Result<f32, ModelError> {
        guarded(self.device, || self.inner.mean_loss())
    }

    fn loss_and_gradient(&mut self, batch: &Batch) -> Result<(f32, Vec<f32>), ModelError> {
        guarded(self.device, || self.inner.loss_and_gradient(batch))
    }

    fn state(&self) -> Result<TrainingState, ModelError> {
        guarded(self.device, || self.inner.state())
    }
}

impl Predictor for Guarded<dyn Predictor> {
    fn parameters(&self) -> &Parameters {
        self.inner.parameters()
    }

    fn run(&self, tokens: &[Symbol], plan: &Plan) -> Result<Run, ModelError> {
        guarded(self.device, || self.inner.run(tokens, plan))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Fails in the ways in which burn on CUDA does.
    struct Failing;

    impl Learner for Failing {
        fn step(&mut self, batch: &Batch, _rate: f32) -> Result<(), ModelError> {
            if batch.sequences == 0 {
                return Err(ModelError::Shape("an empty batch".into()));
            }
            panic!("Unable to compile kernel.\nnvrtc: error: at line 3");
        }

        fn mean_loss(&mut self) -> Result<f32, ModelError> {
            let read = std::hint::black_box(Err::<f32, String>("CUDA_ERROR_ILLEGAL_ADDRESS".into()));
            Ok(read.unwrap())
        }

        fn loss_and_gradient(&mut self, _batch: &Batch) -> Result<(f32, Vec<f32>), ModelError> {
            std::panic::panic_any(7u8)
        }

        fn state(&self) -> Result<TrainingState, ModelError> {
            panic!("\n  out of memory: {} bytes\n", 4096)
        }
    }

    #[test]
    fn a_failing_device_gives_one_sentence() {
        let batch = |sequences| Batch { sequences, tokens: vec![0], targets: vec![0] };
        let mut model = Guarded::<dyn Learner>::new("cuda", || Box::new(Failing)).unwrap();
        let said = |result: Result<(), ModelError>| result.unwrap_err().to_string();
        assert_eq!(said(model.step(&batch(1), 0.1)), "the device `cuda` failed: Unable to compile kernel");
        assert_eq!(said(model.step(&batch(0), 0.1)), "an empty batch", "other errors pass as they are");
        assert!(said(model.mean_loss().map(drop)).contains("CUDA_ERROR_ILLEGAL_ADDRESS"));
        assert_eq!(said(model.loss_and_gradient(&batch(1)).map(drop)), "the device `cuda` failed: it gave no reason");
        assert_eq!(said(model.state().map(drop)), "the device `cuda` failed: out of memory: 4096 bytes");
        let made = Guarded::<dyn Learner>::new("cuda", || panic!("no device 0"));
        assert_eq!(made.err().unwrap().to_string(), "the device `cuda` failed: no device 0");
    }

    #[test]
    fn what_goes_well_is_left_alone() {
        assert_eq!(guarded("cuda", || Ok(3)).unwrap(), 3);
    }
}
