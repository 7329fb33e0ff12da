//! What can go wrong, each in one sentence for a person.

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A configuration that cannot be built.
    #[error("{0}")]
    Config(String),
    /// A device that does not exist or cannot be used here.
    #[error("{0}")]
    Device(String),
    /// A tap that this model does not have.
    #[error("the model has no tap `{tap}`; the nearest is `{nearest}`")]
    UnknownTap {
        /// What was asked for.
        tap: String,
        /// The most similar tap that exists.
        nearest: String,
    },
    /// A tap that was asked for and that the run did not pass.
    #[error("the tap `{0}` did not fire in this run")]
    UnfiredTap(String),
    /// An intervention or input whose shape does not fit.
    #[error("{0}")]
    Shape(String),
    /// A checkpoint that cannot be read or written.
    #[error("{path}: {reason}")]
    Checkpoint {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The caller asked to stop; what was done so far is on disk.
    #[error("interrupted")]
    Interrupted,
}
