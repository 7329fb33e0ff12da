//! Switches that turn fused operations off, one by one, so that what each gains and changes can be seen.

use std::sync::atomic::{AtomicU8, Ordering};

/// Operations of the engine that have an obvious form beside the fused one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Layer normalisation.
    Norm,
    /// Bias and activation function.
    Activation,
    /// Attention by strips; plain, all weights of a sequence are in memory at once.
    Attention,
    /// Cross-entropy with its gradient.
    Loss,
    /// The LSTM's gates.
    Recurrence,
    /// Clipping and AdamW.
    Optimizer,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Norm, Self::Activation, Self::Attention, Self::Loss, Self::Recurrence, Self::Optimizer];

    /// Its name.
    pub fn name(self) -> &'static str {
        ["norm", "activation", "attention", "loss", "recurrence", "optimizer"][self as usize]
    }
}

static PLAIN: AtomicU8 = AtomicU8::new(0);

/// From now on, in the whole process, these operations run in their obvious form and all others fused. Models made
/// before keep the memory that they were made with: call it first. For comparisons: the obvious forms are slow, and
/// their last bits are those of the system's mathematical library.
pub fn run_plainly(operations: &[Operation]) {
    let bits = operations.iter().fold(0, |bits, operation| bits | 1 << *operation as u8);
    PLAIN.store(bits, Ordering::Relaxed);
}

/// Whether an operation runs in its obvious form.
#[inline(always)]
pub(super) fn plain(operation: Operation) -> bool {
    PLAIN.load(Ordering::Relaxed) >> operation as u8 & 1 == 1
}
