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

/// How a machine loops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looped {
    /// Back to the same configuration.
    InPlace,
    /// Back to the same configuration, shifted.
    Shifted,
}

/// Runs a machine for `steps` steps and looks whether its last ones repeat.
///
/// If the last 2p entries used are p entries twice over, then both halves read and write the same in the same places
/// relative to where they began. Let the second begin d cells from the first. With d = 0 each half leaves the tape as
/// it found it where it matters, so it repeats for ever. With d > 0 what a third half would read is either what the
/// second left (as the second read what the first left), or lies to the right of all that the second visited; that is
/// blank, as it was for the second, if the first half reached as far right as anything before it.
pub(super) fn loops(machine: &Machine, steps: usize) -> Verdict {
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
    for period in 1..=steps / 2 {
        let (first, second) = (steps - 2 * period, steps - period);
        if !(0..period).rev().all(|step| entries[first + step] == entries[second + step]) {
            continue;
        }
        let shift = positions[steps] - positions[second];
        // The extreme of the first half and of all before it, in the direction of the shift.
        let extreme = |range: std::ops::Range<usize>| positions[range].iter().map(|at| at * shift.signum()).max();
        match shift {
            0 => return Verdict::Loops(Looped::InPlace),
            _ if extreme(first..second) >= extreme(0..first) => return Verdict::Loops(Looped::Shifted),
            _ => {}
        }
    }
    Verdict::Unknown
}
