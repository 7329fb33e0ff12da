//! Where the twin's entry is written over the own one between the entry's firing and its next use, and how that is
//! scored: against the simulator's run of the twin.

use environments::turing::{Machine, Move, TuringWorld};
use environments::{Environment, Symbol};
use models::Run;

use super::super::twins::measure::{given_read, row};
use super::super::twins::pairs::Pair;
use super::moments::{Frame, relative};
use crate::moments::writes::{Change, Entry, Site, Writable};

/// Positions between firing and next use: those that hold the entry's step, and the others.
fn between(pair: &Pair) -> (Vec<usize>, Vec<usize>) {
    let next = pair.uses[0];
    (pair.fired + 1..next).partition(|&position| {
        let step = &pair.own.steps[position - 1];
        (step.state, step.token.read) == pair.entry
    })
}

/// Whether there is a position at which an entry would have to be carried.
pub fn carries(pair: &Pair) -> bool {
    !between(pair).1.is_empty()
}

/// States are named by their appearance in the own run.
fn name_of(pair: &Pair, state: u8) -> Option<u8> {
    let mut names = vec![0u8];
    for step in &pair.own.steps {
        if !names.contains(&step.next) {
            names.push(step.next);
        }
    }
    names.iter().position(|own| *own == state).map(|place| place as u8)
}

/// The pair's entry as it stands at a position: its number among the entries of a frame, and the classes of its
/// transition in the own machine and the twin.
fn classes(world: &TuringWorld, pair: &Pair, frame: Frame, position: usize) -> Option<Entry> {
    let (states, symbols) = (world.config().states, world.config().symbols);
    let here = usize::from(name_of(pair, pair.own.steps[position].state)?);
    let class = |machine: &Machine| {
        let entry = machine.entry(pair.entry.0, pair.entry.1)?;
        let next = usize::from(name_of(pair, entry.next?)?);
        let right = usize::from(entry.shift == Move::Right);
        let class = (next * 2 + right) * symbols + usize::from(entry.write);
        Some(if frame == Frame::Relative { relative(class, here, world) } else { class })
    };
    let named = usize::from(name_of(pair, pair.entry.0)?);
    let state = if frame == Frame::Relative { (named + states - here) % states } else { named };
    Some((state * symbols + usize::from(pair.entry.1), class(&pair.own.machine)?, class(&pair.twin.machine)?))
}

/// Pairs of twins whose entries are written.
pub struct Written<'a> {
    /// The world.
    pub world: &'a TuringWorld,
    /// The pairs.
    pub pairs: &'a [Pair],
    /// How states are told from each other.
    pub frame: Frame,
}

impl Writable for Written<'_> {
    fn len(&self) -> usize {
        self.pairs.len()
    }

    fn tokens(&self, number: usize) -> Vec<Symbol> {
        self.world.sample_of(&self.pairs[number].own).tokens
    }

    fn site(&self, number: usize) -> Site {
        let (shown, carried) = between(&self.pairs[number]);
        Site { shown, carried, wrong: self.pairs[number].fired }
    }

    fn entry(&self, number: usize, position: usize) -> Option<Entry> {
        classes(self.world, &self.pairs[number], self.frame, position)
    }

    fn change(&self, number: usize, place: usize, clean: &Run, edited: &Run) -> Change {
        change(self.world, &self.pairs[number], place, clean, edited)
    }
}

fn change(world: &TuringWorld, pair: &Pair, sequence: usize, clean: &Run, edited: &Run) -> Change {
    let (symbols, length, targets) = (world.config().symbols, world.config().length, world.targets());
    let at = |run: &Run, position: usize, step: usize| {
        given_read(&row(run, sequence, position, length, targets), step, symbols)
    };
    let next = pair.uses[0];
    let fall = |position: usize| {
        let step = pair.own.steps[position].token.index(symbols);
        at(clean, position, step) - at(edited, position, step)
    };
    let others: Vec<f64> = pair.others.iter().filter(|&&position| position >= next).map(|&p| fall(p)).collect();
    Change {
        gain: at(edited, next, pair.twin_step) - at(clean, next, pair.twin_step),
        loss: at(clean, next, pair.own_step) - at(edited, next, pair.own_step),
        damage: others.iter().sum::<f64>() / others.len().max(1) as f64,
    }
}
