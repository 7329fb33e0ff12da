//! Cycles and translated cycles.

use crate::turing::machine::Machine;

/// What a bounded run shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It halts; that step is counted.
    Halts(u64),
    /// It never halts.
    Loops(Looped),
    /// Neither can be told.
    Unknown,
}

/// How a machine loops: back to the same configuration, or to the same one shifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Looped {
    /// Steps after which it is there again.
    pub period: usize,
    /// Cells by which the configuration is shifted then, to the right; 0 for a cycle.
    pub shift: i64,
}

/// Runs a machine from a blank tape for `steps` steps and looks whether its last ones repeat.
pub fn loops(machine: &Machine, steps: usize) -> Verdict {
    let symbols = machine.symbols();
    let mut tape = vec![0u8; 64];
    let (mut head, mut origin, mut state) = (32usize, 32i64, 0u8);
    let mut entries: Vec<u8> = Vec::with_capacity(steps);
    // Position before each step, and after the last.
    let mut positions: Vec<i64> = Vec::with_capacity(steps + 1);
    for step in 1..=steps as u64 {
        let symbol = tape[head];
        positions.push(head as i64 - origin);
        entries.push(state * symbols as u8 + symbol);
        let Some(transition) = machine.entry(state, symbol) else {
            return Verdict::Halts(step);
        };
        let Some(next) = transition.next else {
            return Verdict::Halts(step);
        };
        tape[head] = transition.write;
        state = next;
        if transition.shift.offset() > 0 {
            head += 1;
            if head == tape.len() {
                tape.resize(2 * tape.len(), 0);
            }
        } else {
            if head == 0 {
                let grown = tape.len();
                tape.splice(0..0, std::iter::repeat_n(0, grown));
                (head, origin) = (grown, origin + grown as i64);
            }
            head -= 1;
        }
    }
    positions.push(head as i64 - origin);
    repetition(&entries, &positions, true).map_or(Verdict::Unknown, Verdict::Loops)
}

/// Whether the last steps of a run repeat, so that they will for ever. `entries` are those used, by number, and
/// `positions` those of the head before each step and after the last. Without `blank`, cells that were never visited can
/// hold anything, and only a cycle is proved.
///
/// If the last 2p entries used are p entries twice over, then both halves read and write the same in the same places
/// relative to where they began. Let the second begin d cells from the first. With d = 0 each half leaves the tape as
/// it found it where it matters, so it repeats for ever. With d > 0 what a third half would read is either what the
/// second left (as the second read what the first left), or lies to the right of all that the second visited; that is
/// blank, as it was for the second, if the first half reached as far right as anything before it.
pub(in crate::turing) fn repetition(entries: &[u8], positions: &[i64], blank: bool) -> Option<Looped> {
    let steps = entries.len();
    for period in 1..=steps / 2 {
        let (first, second) = (steps - 2 * period, steps - period);
        if !(0..period).rev().all(|step| entries[first + step] == entries[second + step]) {
            continue;
        }
        let shift = positions[steps] - positions[second];
        // The extreme of the first half and of all before it, in the direction of the shift.
        let extreme = |range: std::ops::Range<usize>| positions[range].iter().map(|at| at * shift.signum()).max();
        if shift == 0 || (blank && extreme(first..second) >= extreme(0..first)) {
            return Some(Looped { period, shift });
        }
    }
    None
}
