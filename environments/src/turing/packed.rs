//! The fast simulator: cells packed into blocks, and a table of what the machine does in a block until it leaves it.
//!
//! The table is filled as its entries are met. One look-up stands for at least as many steps as a crossing of the
//! block takes.

use super::block::{Blocks, Entrance, leftwards};
use super::machine::Machine;
use super::run::{Run, push_word};

/// Most different blocks, so that the table stays in the nearest caches.
const MOST_BLOCKS: usize = 256;

/// A crossing, small. `steps` 0 marks an entry that is not filled or does not leave the block.
#[derive(Clone, Copy, Default)]
struct Entry {
    steps: u32,
    block: u16,
    exit: Entrance,
    filled: bool,
}

/// A simulator whose table is kept between runs.
pub struct PackedSimulator<'a> {
    blocks: Blocks<'a>,
    /// `table[entrance * blocks + block]`.
    table: Vec<Entry>,
    /// For each entry, the leftmost and rightmost offset visited.
    extents: Vec<(u8, u8)>,
}

/// The blocks visited, and the outermost cells visited in the outermost of them.
#[derive(Clone, Copy)]
struct Edges {
    low: usize,
    low_offset: usize,
    high: usize,
    high_offset: usize,
}

impl<'a> PackedSimulator<'a> {
    /// A simulator for a machine.
    pub fn new(machine: &'a Machine) -> PackedSimulator<'a> {
        let blocks = Blocks::new(machine, usize::MAX, MOST_BLOCKS);
        let entries = blocks.entrances() * blocks.count;
        PackedSimulator { blocks, table: vec![Entry::default(); entries], extents: vec![(0, 0); entries] }
    }

    /// Runs from a blank tape for at most `limit` steps. A machine that is seen to stay in one block for ever is
    /// reported [`Outcome::Forever`], with the tape after `limit` steps.
    pub fn run(&mut self, limit: u64) -> Run {
        let count = self.blocks.count;
        let mut tape: Vec<u16> = vec![0; 64];
        let middle = tape.len() / 2;
        let mut edges = Edges { low: middle, low_offset: 0, high: middle, high_offset: 0 };
        let (mut position, mut entrance, mut steps) = (middle, 0, 0u64);
        loop {
            // Between the outermost blocks nothing but the table matters.
            let (inner, width) = (edges.low + 1, (edges.high - edges.low).saturating_sub(1));
            while position.wrapping_sub(inner) < width {
                let entry = self.table[usize::from(entrance) * count + usize::from(tape[position])];
                let after = steps + u64::from(entry.steps);
                if entry.steps == 0 || after > limit {
                    break;
                }
                tape[position] = entry.block;
                steps = after;
                entrance = entry.exit;
                position = if leftwards(entrance) { position - 1 } else { position + 1 };
            }
            // At the edge, or at an entry that is not plain.
            if position < edges.low {
                (edges.low, edges.low_offset) = (position, self.blocks.length - 1);
            }
            if position > edges.high {
                (edges.high, edges.high_offset) = (position, 0);
            }
            let index = usize::from(entrance) * count + usize::from(tape[position]);
            let entry = self.filled(index, entrance, tape[position]);
            let after = steps + u64::from(entry.steps);
            if entry.steps == 0 || after > limit {
                let (outcome, last, inside) = self.blocks.finish(entrance, tape[position], u128::from(limit - steps));
                edges.reach(position, inside.extent);
                let words = self.words(&tape, edges, position, &inside.cells);
                return Run::of_tape(outcome, u128::from(steps) + last, words);
            }
            let (left, right) = self.extents[index];
            edges.reach(position, (usize::from(left), usize::from(right)));
            tape[position] = entry.block;
            steps = after;
            entrance = entry.exit;
            if leftwards(entrance) {
                if position == 0 {
                    let grown = tape.len();
                    tape.splice(0..0, std::iter::repeat_n(0, grown));
                    (position, edges.low, edges.high) = (position + grown, edges.low + grown, edges.high + grown);
                }
                position -= 1;
            } else {
                position += 1;
                if position == tape.len() {
                    tape.resize(2 * tape.len(), 0);
                }
            }
        }
    }

    fn filled(&mut self, index: usize, entrance: Entrance, block: u16) -> Entry {
        if !self.table[index].filled {
            self.table[index].filled = true;
            if let Some(crossing) = self.blocks.cross(entrance, block) {
                let (steps, block, exit) = (crossing.steps, crossing.block, crossing.exit);
                self.table[index] = Entry { steps, block, exit, filled: true };
                self.extents[index] = crossing.extent;
            }
        }
        self.table[index]
    }

    /// The cells visited, with `here` in place of the block at `position`.
    fn words(&self, tape: &[u16], edges: Edges, position: usize, here: &[u8]) -> Vec<(Vec<u8>, u128)> {
        let mut words = Vec::new();
        let mut number = edges.low;
        while number <= edges.high {
            let mut word = if number == position { here.to_vec() } else { self.blocks.unpack(tape[number]) };
            if number == edges.high {
                word.truncate(edges.high_offset + 1);
            }
            if number == edges.low {
                word.drain(..edges.low_offset);
            }
            let plain = |other: usize| other != edges.low && other < edges.high && other != position;
            let mut end = number + 1;
            while plain(number) && plain(end) && tape[end] == tape[number] {
                end += 1;
            }
            push_word(&mut words, &word, (end - number) as u128);
            number = end;
        }
        words
    }
}

impl Edges {
    /// Offsets `extent.0` to `extent.1` of a block were visited.
    fn reach(&mut self, position: usize, extent: (usize, usize)) {
        if position == self.low {
            self.low_offset = self.low_offset.min(extent.0);
        }
        if position == self.high {
            self.high_offset = self.high_offset.max(extent.1);
        }
    }
}

/// Runs a machine from a blank tape for at most `limit` steps, fast.
pub fn run_packed(machine: &Machine, limit: u64) -> Run {
    PackedSimulator::new(machine).run(limit)
}
