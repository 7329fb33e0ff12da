//! What an observer sees of a run, as one number after another.
//!
//! | view | one token is | number of tokens |
//! |---|---|---|
//! | `head` | a step: symbol read, symbol written, move | 2m² |
//! | `tape` around the head | the window of w cells around the head after a step | mʷ |
//! | `tape` around the origin | the window of w cells around cell 0 after a step, and where in it the head is, if it is | mʷ (w + 1) |
//! | `output` | a cell that the head has stood on, from left to right, as the run leaves it; then an end | m + 1 |
//!
//! Machines that may halt add tokens for that: in the `head` view one for each symbol read at the halting step, in the
//! `tape` view one.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::view::{Halt, HeadStep, HeadToken};

/// What is seen of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum View {
    /// Symbol read, symbol written, move.
    #[default]
    Head,
    /// A window of the tape after every step, with the head marked.
    Tape,
    /// The cells as they are finally left.
    Output,
}

/// Where the window of [`View::Tape`] is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Around {
    /// It goes with the head, which stands in its middle.
    #[default]
    Head,
    /// It stays where the head began, and tells where in it the head is.
    Origin,
}

/// A view with its sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// What is seen.
    pub view: View,
    /// Symbols of the tape, the blank counted.
    pub symbols: usize,
    /// Cells of the window; odd.
    pub window: usize,
    /// Where the window is.
    pub around: Around,
    /// Whether machines may halt.
    pub halting: bool,
}

impl Sight {
    /// The head view.
    pub fn head(symbols: usize) -> Sight {
        Sight { view: View::Head, symbols, window: 1, around: Around::Head, halting: false }
    }

    /// Number of different windows; of [`View::Tape`] alone.
    fn windows(&self) -> usize {
        let cells = self.symbols.pow(self.window as u32);
        match self.around {
            Around::Head => cells,
            Around::Origin => cells * (self.window + 1),
        }
    }

    /// Number of different tokens.
    pub fn tokens(&self) -> usize {
        match self.view {
            View::Head => HeadToken::count(self.symbols) + if self.halting { self.symbols } else { 0 },
            View::Tape => self.windows() + usize::from(self.halting),
            View::Output => self.symbols + 1,
        }
    }

    /// The token of a step that halts, after reading a symbol.
    pub fn halt(&self, read: u8) -> usize {
        match self.view {
            View::Head => HeadToken::count(self.symbols) + usize::from(read),
            View::Tape => self.windows(),
            View::Output => self.symbols,
        }
    }

    /// The cells in sight with the head at a position.
    pub(super) fn cells(&self, head: i64) -> Range<i64> {
        let reach = self.window as i64 / 2;
        match (self.view, self.around) {
            (View::Tape, Around::Head) => head - reach..head + reach + 1,
            (View::Tape, Around::Origin) => -reach..reach + 1,
            // None but through its steps.
            (View::Head | View::Output, _) => 0..0,
        }
    }

    /// The number of the window with the head at a position; cells are digits, the first of them the highest.
    pub(super) fn window(&self, head: i64, mut look: impl FnMut(i64) -> u8) -> usize {
        let cells = self.cells(head);
        let place = if cells.contains(&head) { (head - cells.start) as usize } else { self.window };
        let number = cells.fold(0, |number, position| number * self.symbols + usize::from(look(position)));
        match self.around {
            Around::Head => number,
            Around::Origin => number * (self.window + 1) + place,
        }
    }

    /// The token of a step that does not halt: `token` is the step itself, `look` and `head` are of after it.
    pub(super) fn step(&self, token: HeadToken, head: i64, look: impl FnMut(i64) -> u8) -> usize {
        match self.view {
            View::Head => token.index(self.symbols),
            View::Tape | View::Output => self.window(head, look),
        }
    }

    /// All tokens of a run on a tape whose cells are told by their position, with the window before the first step in
    /// front for [`View::Tape`]. [`View::Output`] is of the run to its end, however few tokens are wanted of it.
    pub(super) fn of_run(&self, steps: &[HeadStep], halt: Option<Halt>, cell: impl Fn(i64) -> u8) -> Vec<usize> {
        if self.view == View::Head {
            let seen = steps.iter().map(|step| step.token.index(self.symbols));
            return seen.chain(halt.map(|halt| self.halt(halt.read))).collect();
        }
        let mut tape = std::collections::BTreeMap::new();
        let look = |tape: &std::collections::BTreeMap<i64, u8>, position: i64| {
            tape.get(&position).copied().unwrap_or_else(|| cell(position))
        };
        let mut seen = Vec::with_capacity(steps.len() + 1);
        if self.view == View::Tape {
            seen.push(self.window(0, &cell));
        }
        for step in steps {
            tape.insert(step.position, step.token.write);
            if self.view == View::Tape {
                let head = step.position + step.token.shift.offset();
                seen.push(self.window(head, |position| look(&tape, position)));
            }
        }
        if let Some(halt) = halt {
            tape.insert(halt.position, halt.write);
        }
        match self.view {
            View::Output => seen.extend(tape.into_values().map(usize::from).chain([self.symbols])),
            View::Head | View::Tape => seen.extend(halt.map(|halt| self.halt(halt.read))),
        }
        seen
    }
}
