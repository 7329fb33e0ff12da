//! Machines drawn at random, and the splits they belong to.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::deciders::{Decision, decide};
use super::machine::Machine;
use super::packed::run_packed;
use super::prior::{choices, transition};
use super::view::head_run;
use crate::environment::Split;
use crate::ground::split_by;
use crate::stream::{Draw, Stream};

/// What a machine must do from a blank tape to be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// Anything.
    Any,
    /// Halt within so many steps.
    HaltsWithin(u64),
    /// Not halt within so many steps.
    RunsFor(u64),
    /// Never halt, and this is proved.
    NeverHalts,
    /// Be in every state within so many steps.
    VisitsAllStates(usize),
    /// Within so many steps write a symbol other than 0, and not repeat itself with a period of up to four steps.
    NonTrivial(usize),
}

impl Condition {
    /// Whether a machine meets it.
    pub fn holds(self, machine: &Machine) -> bool {
        match self {
            Condition::Any => true,
            Condition::HaltsWithin(steps) => run_packed(machine, steps).halted(),
            Condition::RunsFor(steps) => !run_packed(machine, steps).halted(),
            Condition::NeverHalts => matches!(decide(machine), Decision::Forever(_)),
            Condition::VisitsAllStates(steps) => {
                let mut visited = vec![false; machine.states()];
                visited[0] = true;
                head_run(machine, None, steps).iter().for_each(|step| visited[usize::from(step.next)] = true);
                visited.into_iter().all(|visited| visited)
            }
            Condition::NonTrivial(steps) => {
                let tokens: Vec<_> = head_run(machine, None, steps).iter().map(|step| step.token).collect();
                // What counts as a repetition is the second half of the run.
                let late = &tokens[tokens.len() / 2..];
                let repeats = |period: usize| late.iter().zip(&late[period.min(late.len())..]).all(|(a, b)| a == b);
                tokens.iter().any(|token| token.write != 0) && !(1..=4).any(repeats)
            }
        }
    }
}

/// A machine whose every entry is drawn uniformly: from (symbol, move, state), and, if `halting`, from one halting entry
/// more, `1RZ`.
pub fn draw_machine(states: usize, symbols: usize, halting: bool, draws: &mut Stream) -> Machine {
    let choices = choices(states, symbols, halting) as u64;
    let table =
        (0..states * symbols).map(|_| Some(transition(draws.below(choices) as usize, states, symbols))).collect();
    match Machine::new(states, symbols, table) {
        Ok(machine) => machine,
        Err(error) => unreachable!("a table drawn for its size is a machine: {error}"),
    }
}

/// What two machines of different splits must not share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disjoint {
    /// The machine, up to the names of states, left and right, and what cannot be reached.
    Machine,
    /// The first so many symbols that they write from a blank tape; then they do not share a machine either.
    Trace(usize),
}

impl Disjoint {
    /// The split of a machine. `shares` are those of training, validation and test, in any unit; `salt` sets one
    /// partition apart from another.
    ///
    /// # Panics
    /// If all shares are 0.
    pub fn split(self, machine: &Machine, salt: &str, shares: [u32; 3]) -> Split {
        let identity: Vec<u8> = match self {
            Disjoint::Machine => machine.canonical().to_string().into_bytes(),
            Disjoint::Trace(length) => head_run(machine, None, length).iter().map(|step| step.token.write).collect(),
        };
        let mut hash = Sha256::new();
        hash.update((salt.len() as u64).to_le_bytes());
        hash.update(salt.as_bytes());
        hash.update(&identity);
        split_by(&hash.finalize(), shares)
    }
}

/// Machines of a split that meet a condition, by drawing until one does; `None` after `tries` draws in vain.
pub fn draw_until(
    mut draw: impl FnMut(&mut Stream) -> Machine,
    accept: impl Fn(&Machine) -> bool,
    tries: u64,
    draws: &mut Stream,
) -> Option<Machine> {
    (0..tries).map(|_| draw(draws)).find(|machine| accept(machine))
}
