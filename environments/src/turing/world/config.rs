//! What a Turing world is made of, as a person writes it.

use serde::{Deserialize, Serialize};

use crate::EnvironmentError;
use crate::ground::{check_shares, within};
use crate::turing::population::Disjoint;
use crate::turing::view::InitialTape;
use crate::turing::{Machine, Strata};

/// The longest episode, in steps.
pub const LONGEST: usize = 4096;

/// Classes of at most so many machines are listed in full, so that a pool can be all of one.
pub const LISTED: u128 = 1 << 20;

/// How a machine is drawn from its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sampling {
    /// Every table equally likely.
    Uniform,
    /// What a machine writes from a blank tape first, every behaviour equally likely; then a machine that does so.
    Stratified,
}

/// What machines of different splits do not share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Apart {
    /// The machine, up to names of states, left and right, and what cannot be reached.
    Machine,
    /// The first 32 symbols written from a blank tape, and with them the machine.
    Trace,
}

impl Apart {
    pub(super) fn disjoint(self) -> Disjoint {
        match self {
            Apart::Machine => Disjoint::Machine,
            Apart::Trace => Disjoint::Trace(TRACE),
        }
    }
}

/// Symbols of a trace that tells machines apart.
pub(super) const TRACE: usize = 32;

/// A Turing world: runs of machines that never halt, seen from the head. Every key has a default; an unknown key is an
/// error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TuringConfig {
    /// States of a machine. Default 2.
    pub states: usize,
    /// Symbols of the tape, the blank counted. Default 2.
    pub symbols: usize,
    /// Steps of an episode. Default 64.
    pub length: usize,
    /// What the tape holds at first: `blank`, or `random`, every cell any symbol. Default random: from a blank tape most
    /// machines of a small class do the same few things.
    pub initial: Tape,
    /// How machines are drawn. Default uniform.
    pub sampling: Sampling,
    /// What keeps the splits apart. Default machine.
    pub apart: Apart,
    /// Parts of the class that go to training, validation and test. Default 6, 1, 1.
    pub shares: [u32; 3],
    /// Machines that training episodes are of: a pool, in which that of fewer machines is contained; without it, every
    /// machine of the class that is not held out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machines: Option<usize>,
    /// Training machines by their text, in place of a drawn pool.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// Chooses another pool and other runs. The splits stay. Default 0.
    pub seed: u64,
}

/// What a tape holds before the first step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tape {
    /// Blanks.
    Blank,
    /// Every cell any symbol, all equally likely.
    Random,
}

impl Tape {
    /// The same for the references of this crate.
    pub fn initial(self) -> InitialTape {
        match self {
            Tape::Blank => InitialTape::Blank,
            Tape::Random => InitialTape::Random,
        }
    }
}

impl Default for TuringConfig {
    fn default() -> Self {
        TuringConfig {
            states: 2,
            symbols: 2,
            length: 64,
            initial: Tape::Random,
            sampling: Sampling::Uniform,
            apart: Apart::Machine,
            shares: [6, 1, 1],
            machines: None,
            only: Vec::new(),
            seed: 0,
        }
    }
}

impl TuringConfig {
    /// Number of tables of the class, if 128 bits hold it.
    pub fn class_size(&self) -> Option<u128> {
        let entries = self.states * self.symbols;
        (2 * entries as u128).checked_pow(entries as u32)
    }

    /// Checks the values.
    ///
    /// # Errors
    /// In one sentence that names the key.
    pub fn validate(&self) -> Result<(), EnvironmentError> {
        let fail = |text: String| Err(EnvironmentError(text));
        within(&[
            ("states", self.states as u64, 1, 8),
            ("symbols", self.symbols as u64, 2, 8),
            ("length", self.length as u64, 1, LONGEST as u64),
        ])?;
        if self.class_size().is_none() {
            return fail(format!(
                "states = {} with {} symbols make more machines than can be counted; the nearest that fits is fewer states",
                self.states, self.symbols
            ));
        }
        check_shares(self.shares)?;
        if self.machines == Some(0) || self.machines.is_some_and(|machines| machines > 1 << 16) {
            let machines = self.machines.unwrap_or(0);
            return fail(format!("machines = {machines} is outside 1 to {}", 1 << 16));
        }
        if !self.only.is_empty() && self.machines.is_some() {
            return fail("machines: the training machines are already listed in `only`".into());
        }
        for text in &self.only {
            let machine: Machine = text.parse().map_err(|error| EnvironmentError(format!("only: {error}")))?;
            if machine.states() != self.states || machine.symbols() != self.symbols {
                return fail(format!(
                    "only: machine `{machine}` has {} states and {} symbols, and this world {} and {}",
                    machine.states(),
                    machine.symbols(),
                    self.states,
                    self.symbols
                ));
            }
            if machine.table().iter().any(|entry| entry.and_then(|entry| entry.next).is_none()) {
                return fail(format!("only: machine `{machine}` can halt, and this world's machines never do"));
            }
        }
        Ok(())
    }

    /// The strata to draw from, if machines are drawn by what they do.
    pub(super) fn strata(&self) -> Result<Option<Strata>, EnvironmentError> {
        match self.sampling {
            Sampling::Uniform => Ok(None),
            Sampling::Stratified => Strata::new(self.states, self.symbols, TRACE)
                .map(Some)
                .map_err(|error| EnvironmentError(format!("sampling = 'stratified': {error}"))),
        }
    }
}
