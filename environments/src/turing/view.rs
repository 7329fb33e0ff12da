//! The `head` view of a run: what an observer of the head sees of each step, with the state hidden.

use crate::stream::{Draw, Stream};

use super::machine::{Machine, Move};

/// What the tape holds before the first step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitialTape {
    /// Blanks.
    Blank,
    /// Every cell any symbol, all equally likely.
    Random,
}

/// One step as the observer of the head sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeadToken {
    /// The symbol read.
    pub read: u8,
    /// The symbol written.
    pub write: u8,
    /// The move, left or right.
    pub shift: Move,
}

impl HeadToken {
    /// Number of different tokens, 2m².
    pub fn count(symbols: usize) -> usize {
        2 * symbols * symbols
    }

    /// The token's number: reads first, then writes, left before right.
    pub fn index(self, symbols: usize) -> usize {
        2 * (usize::from(self.read) * symbols + usize::from(self.write)) + usize::from(self.shift == Move::Right)
    }

    /// The token of a number.
    pub fn of_index(index: usize, symbols: usize) -> HeadToken {
        let shift = if index % 2 == 1 { Move::Right } else { Move::Left };
        HeadToken { read: (index / 2 / symbols) as u8, write: (index / 2 % symbols) as u8, shift }
    }
}

/// One step with what the observer does not see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadStep {
    /// What the observer sees.
    pub token: HeadToken,
    /// The state before the step.
    pub state: u8,
    /// The state after it.
    pub next: u8,
    /// Where the head stands before the step; it starts at 0.
    pub position: i64,
}

/// The first steps of a machine, up to `length`; fewer if it halts (the halting step is not among them). On a random
/// tape, the cell's symbol is drawn from `tape` when the head first stands on it.
pub fn head_run(machine: &Machine, mut tape: Option<&mut Stream>, length: usize) -> Vec<HeadStep> {
    head_run_on(machine, |_| tape.as_mut().map_or(0, |stream| stream.below(machine.symbols() as u64) as u8), length)
}

/// The same on a tape whose cells are told by their position when the head first stands on them.
pub fn head_run_on(machine: &Machine, cell: impl FnMut(i64) -> u8, length: usize) -> Vec<HeadStep> {
    head_run_to_halt(machine, cell, length).0
}

/// The step at which a run halts. It counts as a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Halt {
    /// The symbol read.
    pub read: u8,
    /// The symbol written; that read where the entry is undefined.
    pub write: u8,
    /// The state.
    pub state: u8,
    /// Where the head stands before the step.
    pub position: i64,
}

/// The same, with the halting step if it is among the first `length`.
pub fn head_run_to_halt(
    machine: &Machine,
    mut cell: impl FnMut(i64) -> u8,
    length: usize,
) -> (Vec<HeadStep>, Option<Halt>) {
    let mut cells: Vec<Option<u8>> = vec![None; 2 * length + 1];
    let (mut head, mut state) = (length, 0);
    let mut steps = Vec::with_capacity(length);
    for _ in 0..length {
        let position = head as i64 - length as i64;
        let read = *cells[head].get_or_insert_with(|| cell(position));
        let entry = machine.entry(state, read);
        let Some((transition, next)) = entry.and_then(|entry| Some((entry, entry.next?))) else {
            let write = entry.map_or(read, |entry| entry.write);
            return (steps, Some(Halt { read, write, state, position }));
        };
        let token = HeadToken { read, write: transition.write, shift: transition.shift };
        steps.push(HeadStep { token, state, next, position });
        cells[head] = Some(transition.write);
        head = head.wrapping_add_signed(transition.shift.offset() as isize);
        state = next;
    }
    (steps, None)
}
