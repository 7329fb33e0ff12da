//! Proofs that a machine never halts: a ladder of deciders, the cheap ones first.
//!
//! The ladder is the one with which bbchallenge.org's Coq-BB5 settles its small classes: cycles and translated cycles,
//! n-gram closed position sets with and without the recent history of each cell, repeated word lists ("Determination of
//! the fifth Busy Beaver value", arXiv:2509.12337). An entry that is undefined halts.

mod closed_sets;
mod loops;
mod repeated_words;

use closed_sets::{Memory, closes};
pub(super) use loops::repetition;
pub use loops::{Looped, Verdict, loops};
use repeated_words::repeats;

use super::machine::Machine;

/// How a machine was proved never to halt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// It comes back to the very same configuration.
    Cycle,
    /// It comes back to the same configuration, shifted, with nothing but blanks ahead.
    TranslatedCycle,
    /// A finite set of local contexts that never halt is closed under its steps.
    ClosedSet,
    /// A finite set of tapes of repeated words is closed under its steps.
    RepeatedWords,
}

/// What the ladder found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It halts; that step is counted.
    Halts(u64),
    /// It never halts.
    Forever(Proof),
    /// No rung decided it.
    Undecided,
}

/// A rung that proves by a set: cells of context on either side (or in a word), memory of each cell (or repetitions
/// told apart), most members.
enum Rung {
    Contexts(usize, Memory, usize),
    Words(usize, u32, usize),
}

const LADDER: &[Rung] = &[
    Rung::Contexts(1, Memory::None, 400),
    Rung::Contexts(2, Memory::None, 800),
    Rung::Contexts(3, Memory::None, 400),
    Rung::Contexts(4, Memory::None, 800),
    Rung::Words(2, 3, 400),
    Rung::Contexts(2, Memory::Latest, 1000),
    Rung::Contexts(2, Memory::Last(2), 3000),
    Rung::Contexts(3, Memory::Last(2), 1600),
    Rung::Contexts(2, Memory::Last(4), 600),
    Rung::Contexts(3, Memory::Last(4), 1600),
    Rung::Contexts(2, Memory::Last(6), 3200),
    Rung::Contexts(3, Memory::Last(6), 3200),
    Rung::Contexts(2, Memory::Last(8), 1600),
    Rung::Contexts(3, Memory::Last(8), 1600),
    Rung::Contexts(3, Memory::Latest, 20000),
    Rung::Words(4, 2, 2000),
    Rung::Words(6, 2, 2000),
    Rung::Contexts(4, Memory::None, 20000),
    Rung::Contexts(4, Memory::Last(10), 10000),
    Rung::Words(4, 3, 10000),
    Rung::Words(3, 2, 4000),
    Rung::Words(5, 2, 4000),
];

/// Steps after which the ladder looks for loops, first and last.
const LOOP_STEPS: [usize; 2] = [128, 4096];

/// Climbs the ladder: runs the machine for some thousand steps at most, then tries to prove that it never halts.
pub fn decide(machine: &Machine) -> Decision {
    for steps in LOOP_STEPS {
        match loops(machine, steps) {
            Verdict::Halts(steps) => return Decision::Halts(steps),
            Verdict::Loops(Looped { shift: 0, .. }) => return Decision::Forever(Proof::Cycle),
            Verdict::Loops(_) => return Decision::Forever(Proof::TranslatedCycle),
            Verdict::Unknown => {}
        }
        // Small closed sets are cheaper than thousands of steps.
        if steps == LOOP_STEPS[0]
            && let Some(proof) = LADDER[..3].iter().find_map(|rung| rung.proves(machine))
        {
            return Decision::Forever(proof);
        }
    }
    match LADDER[3..].iter().find_map(|rung| rung.proves(machine)) {
        Some(proof) => Decision::Forever(proof),
        None => Decision::Undecided,
    }
}

impl Rung {
    fn proves(&self, machine: &Machine) -> Option<Proof> {
        match *self {
            Rung::Contexts(cells, memory, most) => closes(machine, cells, memory, most).then_some(Proof::ClosedSet),
            Rung::Words(cells, told_apart, most) => {
                repeats(machine, cells, told_apart, most).then_some(Proof::RepeatedWords)
            }
        }
    }
}
