//! What a Turing world is made of, as a person writes it.

use serde::{Deserialize, Serialize};

use crate::EnvironmentError;
use crate::ground::{check_shares, within};
use crate::turing::Machine;
use crate::turing::population::{Condition, Disjoint};
use crate::turing::prior::tables;
use crate::turing::sight::{Around, Sight, View};
use crate::turing::view::InitialTape;

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
    /// Tree normal form: every way to run for [`FORM_STEPS`] steps from a blank tape is equally likely, with the first move
    /// to the right and states in order of appearance; entries that are not used then are filled uniformly.
    Tnf,
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

/// Steps after which the tree of [`Sampling::Tnf`] is cut.
pub const FORM_STEPS: usize = 64;

/// Most tokens of a view.
pub const MOST_TOKENS: usize = 1 << 13;

/// Symbols of a trace that tells machines apart.
pub(super) const TRACE: usize = 32;

/// A Turing world: runs of machines, seen in one of three ways. Every key has a default; an unknown key is an error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TuringConfig {
    /// States of a machine. Default 2.
    pub states: usize,
    /// Symbols of the tape, the blank counted. Default 2.
    pub symbols: usize,
    /// Tokens of an episode; of the views `head` and `tape` also its steps. Default 64.
    pub length: usize,
    /// What is seen of a run: `head`, `tape` or `output`. Default head.
    #[serde(skip_serializing_if = "is_default")]
    pub view: View,
    /// Cells of the window of the view `tape`; odd. Default 5.
    #[serde(skip_serializing_if = "is_default_window")]
    pub window: usize,
    /// Whether that window goes with the `head` or stays around the `origin`. Default head.
    #[serde(skip_serializing_if = "is_default")]
    pub around: Around,
    /// Steps after which the output is taken, for the view `output`, if the machine has not halted. Default 64.
    #[serde(skip_serializing_if = "is_default_steps")]
    pub steps: usize,
    /// Whether an entry may halt (`1RZ`): it does so in one of 2nm + 1 cases. Default false.
    #[serde(skip_serializing_if = "is_default")]
    pub halting: bool,
    /// Sizes that are mixed, as [states, symbols], each equally likely; `states` and `symbols` are then the greatest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sizes: Vec<[usize; 2]>,
    /// What a machine must do from a blank tape: `{ halts-within = N }`, `{ runs-for = N }`, `never-halts`,
    /// `{ visits-all-states = N }` or `{ non-trivial = N }`, N in steps. Default nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
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

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

const WINDOW: usize = 5;

fn is_default_window(window: &usize) -> bool {
    *window == WINDOW
}

const STEPS: usize = 64;

fn is_default_steps(steps: &usize) -> bool {
    *steps == STEPS
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
            view: View::Head,
            window: WINDOW,
            around: Around::Head,
            steps: STEPS,
            halting: false,
            sizes: Vec::new(),
            condition: None,
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
    /// Number of tables of the class, if it has one size and 128 bits hold it.
    pub fn class_size(&self) -> Option<u128> {
        tables(self.states, self.symbols, self.halting).filter(|_| self.sizes.is_empty())
    }

    /// The sizes that machines are drawn from, each equally likely.
    pub fn sizes(&self) -> Vec<[usize; 2]> {
        if self.sizes.is_empty() { vec![[self.states, self.symbols]] } else { self.sizes.clone() }
    }

    /// What is seen of a run.
    pub fn sight(&self) -> Sight {
        let TuringConfig { view, symbols, window, around, halting, .. } = *self;
        Sight { view, symbols, window, around, halting }
    }

    /// Steps that a machine makes at most.
    pub fn run_length(&self) -> usize {
        if self.view == View::Output { self.steps } else { self.length }
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
        if tables(self.states, self.symbols, self.halting).is_none() {
            return fail(format!(
                "states = {} with {} symbols make more machines than can be counted; the nearest that fits is fewer states",
                self.states, self.symbols
            ));
        }
        check_shares(self.shares)?;
        self.validate_sizes()?;
        self.validate_view()?;
        self.validate_condition()?;
        if self.halting && self.sampling == Sampling::Stratified {
            return fail(
                "sampling = 'stratified': machines that halt write traces of different lengths; the nearest is 'tnf'"
                    .into(),
            );
        }
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
            if let Some(entry) = machine.table().iter().find(|entry| entry.and_then(|entry| entry.next).is_none())
                && !(self.halting && entry.is_some())
            {
                return fail(format!("only: machine `{machine}` can halt, and this world's machines never do"));
            }
        }
        Ok(())
    }

    fn validate_sizes(&self) -> Result<(), EnvironmentError> {
        let fail = |text: String| Err(EnvironmentError(text));
        if self.sizes.is_empty() {
            return Ok(());
        }
        if self.sizes.iter().any(|&[states, symbols]| states == 0 || symbols < 2) {
            return fail(format!("sizes = {:?}: a machine has at least 1 state and 2 symbols", self.sizes));
        }
        for (key, place, own) in [("states", 0, self.states), ("symbols", 1, self.symbols)] {
            let greatest = self.sizes.iter().map(|size| size[place]).max().unwrap_or(own);
            if greatest != own {
                return fail(format!("{key} = {own} is not the greatest of `sizes`; the nearest is {greatest}"));
            }
        }
        if !self.only.is_empty() {
            return fail("sizes: the training machines are already listed in `only`".into());
        }
        Ok(())
    }

    fn validate_view(&self) -> Result<(), EnvironmentError> {
        let fail = |text: String| Err(EnvironmentError(text));
        within(&[("window", self.window as u64, 1, 13), ("steps", self.steps as u64, 1, LONGEST as u64)])?;
        if self.window.is_multiple_of(2) {
            return fail(format!("window = {} has no middle; the nearest is {}", self.window, self.window - 1));
        }
        if self.sight().tokens() > MOST_TOKENS {
            let fits = |window: &usize| Sight { window: *window, ..self.sight() }.tokens() <= MOST_TOKENS;
            let nearest = (1..self.window).rev().step_by(2).map(|window| window - 1).find(fits).unwrap_or(1);
            return fail(format!(
                "window = {} has more than {MOST_TOKENS} contents with {} symbols; the nearest that fits is {nearest}",
                self.window, self.symbols
            ));
        }
        if self.view == View::Output && self.initial == Tape::Random {
            return fail(
                "initial = 'random': an output of a random tape is mostly that tape; the nearest is 'blank'".into(),
            );
        }
        Ok(())
    }

    fn validate_condition(&self) -> Result<(), EnvironmentError> {
        let (key, steps) = match self.condition {
            None | Some(Condition::Any | Condition::NeverHalts) => return Ok(()),
            Some(Condition::HaltsWithin(_)) if !self.halting => {
                return Err(EnvironmentError(
                    "condition.halts-within: this world's machines never halt; set `halting = true`".into(),
                ));
            }
            Some(Condition::HaltsWithin(steps)) => ("condition.halts-within", steps),
            Some(Condition::RunsFor(steps)) => ("condition.runs-for", steps),
            Some(Condition::VisitsAllStates(steps)) => ("condition.visits-all-states", steps as u64),
            Some(Condition::NonTrivial(steps)) => ("condition.non-trivial", steps as u64),
        };
        within(&[(key, steps, 1, 1 << 20)])
    }
}
