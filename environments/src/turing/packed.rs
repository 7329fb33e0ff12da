//! The fast simulator: cells packed into blocks, and a table of what the machine does in a block until it leaves it.
//!
//! The table (state and side of entry, block) → (new block, state and side of entry next door, steps) is filled as
//! entries are met. One look-up stands for at least as many steps as a crossing of the block takes.

use super::machine::Machine;
use super::run::{Outcome, Run, push_word};

/// Most block values, so that a table row stays in the nearest cache.
const MOST_BLOCKS: usize = 256;

/// What a machine does in a block. `steps` 0 marks an entry that is not filled or does not leave the block.
#[derive(Clone, Copy, Default)]
struct Entry {
    steps: u32,
    block: u16,
    /// Twice the next state, plus 1 if the head moves on to the left (and so enters from the right).
    exit: u8,
    filled: bool,
}

/// A block's machine in the middle of a block.
struct Inside {
    cells: Vec<u8>,
    state: u8,
    offset: usize,
    /// Leftmost and rightmost offset visited.
    extent: (usize, usize),
}

/// What one step inside a block leads to.
enum Stepped {
    Inside,
    Left,
    Right,
    Halted,
}

/// A simulator whose block table is kept between runs.
pub struct PackedSimulator<'a> {
    machine: &'a Machine,
    /// Cells a block.
    length: usize,
    /// Number of block values.
    blocks: usize,
    /// `table[(2 * state + from the right) * blocks + block]`.
    table: Vec<Entry>,
    /// For each entry, the leftmost and rightmost offset visited.
    extents: Vec<(u8, u8)>,
}

impl<'a> PackedSimulator<'a> {
    /// A simulator for a machine.
    pub fn new(machine: &'a Machine) -> PackedSimulator<'a> {
        let (mut length, mut blocks) = (1, machine.symbols());
        while blocks * machine.symbols() <= MOST_BLOCKS {
            length += 1;
            blocks *= machine.symbols();
        }
        let entries = 2 * machine.states() * blocks;
        let (table, extents) = (vec![Entry::default(); entries], vec![(0, 0); entries]);
        PackedSimulator { machine, length, blocks, table, extents }
    }

    /// Runs from a blank tape for at most `limit` steps. A machine that is seen to stay in one block for ever is
    /// reported [`Outcome::Forever`], with the tape after `limit` steps.
    pub fn run(&mut self, limit: u64) -> Run {
        // Blocks visited lie in `low..=high`, and `low_offset`, `high_offset` are the outermost cells visited in them.
        let mut tape: Vec<u16> = vec![0; 64];
        let (mut low, mut high) = (tape.len() / 2, tape.len() / 2);
        let (mut low_offset, mut high_offset) = (0, 0);
        let (mut position, mut exit, mut steps) = (low, 0u8, 0u64);
        loop {
            // Between the outermost blocks nothing but the table matters.
            let (inner, width) = (low + 1, (high - low).saturating_sub(1));
            while position.wrapping_sub(inner) < width {
                let entry = self.table[usize::from(exit) * self.blocks + usize::from(tape[position])];
                let after = steps + u64::from(entry.steps);
                if entry.steps == 0 || after > limit {
                    break;
                }
                tape[position] = entry.block;
                steps = after;
                exit = entry.exit;
                position = if exit & 1 == 0 { position + 1 } else { position - 1 };
            }
            // At the edge, or at an entry that is not plain.
            if position < low {
                low = position;
                low_offset = self.length - 1;
            }
            if position > high {
                high = position;
                high_offset = 0;
            }
            let index = usize::from(exit) * self.blocks + usize::from(tape[position]);
            if !self.table[index].filled {
                self.fill(exit, tape[position]);
            }
            let entry = self.table[index];
            let after = steps + u64::from(entry.steps);
            if entry.steps == 0 || after > limit {
                let (outcome, last_steps, inside) = self.finish(exit, tape[position], limit - steps);
                steps += last_steps;
                if position == low {
                    low_offset = low_offset.min(inside.extent.0);
                }
                if position == high {
                    high_offset = high_offset.max(inside.extent.1);
                }
                let edges = (low, low_offset, high, high_offset);
                return Run::of_tape(outcome, u128::from(steps), self.words(&tape, edges, position, &inside.cells));
            }
            let extent = self.extents[index];
            if position == low {
                low_offset = low_offset.min(usize::from(extent.0));
            }
            if position == high {
                high_offset = high_offset.max(usize::from(extent.1));
            }
            tape[position] = entry.block;
            steps = after;
            exit = entry.exit;
            if exit & 1 == 0 {
                position += 1;
                if position == tape.len() {
                    tape.resize(2 * tape.len(), 0);
                }
            } else {
                if position == 0 {
                    let grown = tape.len();
                    tape.splice(0..0, std::iter::repeat_n(0, grown));
                    (position, low, high) = (position + grown, low + grown, high + grown);
                }
                position -= 1;
            }
        }
    }

    /// The cells visited: from offset `edges.1` of block `edges.0` to offset `edges.3` of block `edges.2`, with `here`
    /// in place of the block at `position`.
    fn words(
        &self,
        tape: &[u16],
        edges: (usize, usize, usize, usize),
        position: usize,
        here: &[u8],
    ) -> Vec<(Vec<u8>, u128)> {
        let (low, low_offset, high, high_offset) = edges;
        let mut words = Vec::new();
        let mut number = low;
        while number <= high {
            let mut word = if number == position { here.to_vec() } else { self.unpack(tape[number]) };
            if number == high {
                word.truncate(high_offset + 1);
            }
            if number == low {
                word.drain(..low_offset);
            }
            let plain = |other: &usize| *other != low && *other != high && *other != position;
            let mut end = number + 1;
            while plain(&number) && plain(&end) && tape[end] == tape[number] {
                end += 1;
            }
            push_word(&mut words, &word, (end - number) as u128);
            number = end;
        }
        words
    }

    fn unpack(&self, block: u16) -> Vec<u8> {
        let symbols = self.machine.symbols() as u16;
        let mut rest = block;
        let mut cells = vec![0; self.length];
        for cell in cells.iter_mut().rev() {
            *cell = (rest % symbols) as u8;
            rest /= symbols;
        }
        cells
    }

    fn pack(&self, cells: &[u8]) -> u16 {
        cells.iter().fold(0, |block, &cell| block * self.machine.symbols() as u16 + u16::from(cell))
    }

    fn enter(&self, exit: u8, block: u16) -> Inside {
        let offset = if exit & 1 == 0 { 0 } else { self.length - 1 };
        Inside { cells: self.unpack(block), state: exit >> 1, offset, extent: (offset, offset) }
    }

    fn step(&self, inside: &mut Inside) -> Stepped {
        let Some(transition) = self.machine.entry(inside.state, inside.cells[inside.offset]) else {
            return Stepped::Halted;
        };
        inside.cells[inside.offset] = transition.write;
        let Some(next) = transition.next else {
            return Stepped::Halted;
        };
        inside.state = next;
        if transition.shift.offset() < 0 {
            if inside.offset == 0 {
                return Stepped::Left;
            }
            inside.offset -= 1;
        } else {
            if inside.offset + 1 == self.length {
                return Stepped::Right;
            }
            inside.offset += 1;
        }
        inside.extent = (inside.extent.0.min(inside.offset), inside.extent.1.max(inside.offset));
        Stepped::Inside
    }

    /// Number of configurations inside a block: who makes more steps than that in it never leaves it.
    fn configurations(&self) -> u64 {
        (self.machine.states() * self.length * self.blocks) as u64
    }

    fn fill(&mut self, exit: u8, block: u16) {
        let index = usize::from(exit) * self.blocks + usize::from(block);
        self.table[index].filled = true;
        let mut inside = self.enter(exit, block);
        for steps in 1..=self.configurations() + 1 {
            let left = match self.step(&mut inside) {
                Stepped::Inside => continue,
                Stepped::Halted => return,
                Stepped::Left => 1,
                Stepped::Right => 0,
            };
            let block = self.pack(&inside.cells);
            self.table[index] = Entry { steps: steps as u32, block, exit: 2 * inside.state + left, filled: true };
            self.extents[index] = (inside.extent.0 as u8, inside.extent.1 as u8);
            return;
        }
    }

    /// The last steps of a run, all inside one block: to the halt or to the limit.
    fn finish(&self, exit: u8, block: u16, limit: u64) -> (Outcome, u64, Inside) {
        let mut inside = self.enter(exit, block);
        let mut steps = 0;
        // Past this many steps the block is in a cycle.
        let bound = self.configurations() + 1;
        while steps < limit.min(bound) {
            steps += 1;
            if let Stepped::Halted = self.step(&mut inside) {
                return (Outcome::Halted, steps, inside);
            }
        }
        if steps == limit {
            return (Outcome::Limit, steps, inside);
        }
        let (cells, state, offset) = (inside.cells.clone(), inside.state, inside.offset);
        let mut period = 0;
        while period == 0 || (&cells, state, offset) != (&inside.cells, inside.state, inside.offset) {
            self.step(&mut inside);
            period += 1;
        }
        for _ in 0..(limit - steps) % period {
            self.step(&mut inside);
        }
        (Outcome::Forever, limit, inside)
    }
}

/// Runs a machine from a blank tape for at most `limit` steps, fast.
pub fn run_packed(machine: &Machine, limit: u64) -> Run {
    PackedSimulator::new(machine).run(limit)
}
