//! What a universal world is made of, as a person writes it.

use serde::{Deserialize, Serialize};

use super::Limits;
use crate::EnvironmentError;
use crate::ground::{check_shares, within};

/// Whether the stream says which program writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Boundaries {
    /// Wherever another program goes on writing, a symbol names its place.
    Visible,
    /// Symbols alone.
    Hidden,
}

/// What becomes of programs that write nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Silent {
    /// They take their place among the others and stay silent.
    Kept,
    /// Another is drawn; labels tell how many were.
    PassedOver,
}

/// A universal world: the outputs of random programs, run in dovetail, as one stream. Every key has a default; an
/// unknown key is an error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UniversalConfig {
    /// Values of a cell, and so symbols of the stream. Default 4.
    pub alphabet: usize,
    /// Symbols of an episode, boundaries counted. Default 128.
    pub length: usize,
    /// Programs of an episode. Default 1.
    pub programs: usize,
    /// Steps that each of them makes in its turn: in round r, programs 1 to r have theirs. Default 32.
    pub slice: u64,
    /// Whether boundaries between programs are symbols. Default visible.
    pub boundaries: Boundaries,
    /// What becomes of programs that write nothing. Default passed-over.
    pub silent: Silent,
    /// Mean length of a program under the prior, in instructions. Default 24.
    pub mean_length: u64,
    /// Instructions at which a program is cut. Default 128.
    pub longest: usize,
    /// Steps that a program makes at most. Default 4096.
    pub steps: u64,
    /// Cells of a program's ring. Default 16.
    pub cells: usize,
    /// What programs of up to so many instructions write is common knowledge, of every split. Default 4.
    pub common: usize,
    /// Parts of all other behaviours that go to training, validation and test. Default 6, 1, 1.
    pub shares: [u32; 3],
    /// Chooses other programs. The splits stay. Default 0.
    pub seed: u64,
}

impl Default for UniversalConfig {
    fn default() -> Self {
        UniversalConfig {
            alphabet: 4,
            length: 128,
            programs: 1,
            slice: 32,
            boundaries: Boundaries::Visible,
            silent: Silent::PassedOver,
            mean_length: 24,
            longest: 128,
            steps: 4096,
            cells: 16,
            common: 4,
            shares: [6, 1, 1],
            seed: 0,
        }
    }
}

impl UniversalConfig {
    /// Bounds of every program's run.
    pub fn limits(&self) -> Limits {
        Limits { steps: self.steps, cells: self.cells, output: self.length, alphabet: self.alphabet }
    }

    /// Checks the values.
    ///
    /// # Errors
    /// In one sentence that names the key.
    pub fn validate(&self) -> Result<(), EnvironmentError> {
        within(&[
            ("alphabet", self.alphabet as u64, 2, 256),
            ("length", self.length as u64, 1, 4096),
            ("programs", self.programs as u64, 1, 64),
            ("slice", self.slice, 1, 1 << 20),
            ("mean_length", self.mean_length, 1, 1 << 16),
            ("longest", self.longest as u64, 1, 1 << 16),
            ("steps", self.steps, 1, 1 << 32),
            ("cells", self.cells as u64, 1, 1 << 20),
            ("common", self.common as u64, 0, 6),
        ])?;
        check_shares(self.shares)
    }
}
