//! What a run leaves behind, and the obvious simulator that every faster one is checked against.

use std::collections::BTreeMap;

use super::machine::Machine;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It halted: the last step counted was the halting transition.
    Halted,
    /// It had not halted when its limit was reached.
    Limit,
    /// It never halts; this is proved. The tape is the one at the step count given.
    Forever,
}

/// The end of a run from a blank tape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// How it ended.
    pub outcome: Outcome,
    /// Steps made, the halting transition counted.
    pub steps: u128,
    /// Cells that are not blank.
    pub ones: u128,
    /// Cells visited (those the head stood on before some step, and where it stands if it has not halted), left to
    /// right, as words and how often each is repeated.
    pub tape: Vec<(Vec<u8>, u128)>,
}

impl Run {
    pub(super) fn of_tape(outcome: Outcome, steps: u128, tape: Vec<(Vec<u8>, u128)>) -> Run {
        let count = |word: &[u8]| word.iter().filter(|&&cell| cell != 0).count() as u128;
        let ones = tape.iter().map(|(word, repeats)| count(word) * repeats).sum();
        Run { outcome, steps, ones, tape }
    }

    /// Whether it halted.
    pub fn halted(&self) -> bool {
        self.outcome == Outcome::Halted
    }

    /// Cells visited.
    pub fn span(&self) -> u128 {
        self.tape.iter().map(|(word, count)| word.len() as u128 * count).sum()
    }

    /// The cells visited, one digit each, if they are at most `most`.
    pub fn cells(&self, most: usize) -> Option<String> {
        if self.span() > most as u128 {
            return None;
        }
        let mut text = String::new();
        for (word, count) in &self.tape {
            for _ in 0..*count {
                text.extend(word.iter().map(|&cell| char::from(b'0' + cell)));
            }
        }
        Some(text)
    }

    /// The cells visited as runs of equal words, such as `1 (01)^17 0^3`; at most `most` runs, and whether that cut any
    /// off.
    pub fn runs(&self, most: usize) -> (String, bool) {
        let mut merged: Vec<(Vec<u8>, u128)> = Vec::new();
        for (word, count) in &self.tape {
            // A word of one repeated symbol is a run of that symbol.
            let uniform = word.iter().all(|&cell| cell == word[0]);
            match uniform {
                true => push_word(&mut merged, &word[..1], count * word.len() as u128),
                false => push_word(&mut merged, word, *count),
            }
        }
        let shown = merged.iter().take(most).map(|(word, count)| {
            let text: String = word.iter().map(|&cell| char::from(b'0' + cell)).collect();
            match (word.len(), *count) {
                (_, 1) => text,
                (1, count) => format!("{text}^{count}"),
                (_, count) => format!("({text})^{count}"),
            }
        });
        (shown.collect::<Vec<_>>().join(" "), merged.len() > most)
    }
}

/// Runs a machine one step at a time on a map from positions to symbols. Slow and plain: it defines what the other
/// simulators must do.
pub fn run_reference(machine: &Machine, limit: u64) -> Run {
    let mut tape: BTreeMap<i64, u8> = BTreeMap::new();
    let (mut state, mut head, mut steps) = (0u8, 0i64, 0u64);
    let outcome = loop {
        // Standing on a cell visits it.
        let symbol = *tape.entry(head).or_insert(0);
        if steps == limit {
            break Outcome::Limit;
        }
        steps += 1;
        let Some(transition) = machine.entry(state, symbol) else {
            break Outcome::Halted;
        };
        tape.insert(head, transition.write);
        let Some(next) = transition.next else {
            break Outcome::Halted;
        };
        head += transition.shift.offset();
        state = next;
    };
    let cells: Vec<u8> = tape.into_values().collect();
    Run::of_tape(outcome, u128::from(steps), vec![(cells, 1)])
}

/// Adds a repeated word at the right end of a tape; empty words and equal neighbours leave no trace.
pub(super) fn push_word(tape: &mut Vec<(Vec<u8>, u128)>, word: &[u8], count: u128) {
    if word.is_empty() || count == 0 {
        return;
    }
    match tape.last_mut() {
        Some((last, total)) if *last == word => *total += count,
        _ => tape.push((word.to_vec(), count)),
    }
}
