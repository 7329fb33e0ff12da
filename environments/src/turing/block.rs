//! What a machine does in a block of cells until it leaves it (a macro step: Marxen and Buntrock, "Attacking the
//! Busy Beaver 5", Bulletin of the EATCS 40, 1990).

use super::machine::Machine;
use super::run::Outcome;

/// A machine seen through blocks of `length` cells. A block's number has its leftmost cell as the highest digit.
#[derive(Clone, Debug)]
pub(super) struct Blocks<'a> {
    machine: &'a Machine,
    /// Cells a block.
    pub length: usize,
    /// Number of different blocks.
    pub count: usize,
}

/// A state and the side from which the head enters a block: twice the state, plus 1 from the right.
pub(super) type Entrance = u8;

/// Whether the head moves left, and so enters the next block from the right.
pub(super) fn leftwards(entrance: Entrance) -> bool {
    entrance & 1 == 1
}

/// A passage through a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Crossing {
    /// Steps from entering the block to entering the next.
    pub steps: u32,
    /// The block left behind.
    pub block: u16,
    /// How the next block is entered.
    pub exit: Entrance,
    /// Leftmost and rightmost offset visited.
    pub extent: (u8, u8),
}

/// A head inside a block.
#[derive(Clone, Debug)]
pub(super) struct Inside {
    /// The block's cells.
    pub cells: Vec<u8>,
    state: u8,
    offset: usize,
    /// Leftmost and rightmost offset visited.
    pub extent: (usize, usize),
}

/// What one step inside a block leads to.
enum Stepped {
    Inside,
    Left,
    Right,
    Halted,
}

impl<'a> Blocks<'a> {
    /// Blocks of the greatest length, up to `longest`, of which there are at most `most`.
    pub fn new(machine: &'a Machine, longest: usize, most: usize) -> Blocks<'a> {
        let (mut length, mut count) = (1, machine.symbols());
        while length < longest && count * machine.symbols() <= most {
            length += 1;
            count *= machine.symbols();
        }
        Blocks { machine, length, count }
    }

    /// Number of entrances.
    pub fn entrances(&self) -> usize {
        2 * self.machine.states()
    }

    /// A block's cells, left to right.
    pub fn unpack(&self, block: u16) -> Vec<u8> {
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

    fn enter(&self, entrance: Entrance, block: u16) -> Inside {
        let offset = if leftwards(entrance) { self.length - 1 } else { 0 };
        Inside { cells: self.unpack(block), state: entrance >> 1, offset, extent: (offset, offset) }
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

    /// One more than the number of configurations inside a block: who makes that many steps in it never leaves it.
    fn bound(&self) -> u32 {
        (self.machine.states() * self.length * self.count) as u32 + 1
    }

    /// The passage through a block, or `None` if the machine halts in it or never leaves it.
    pub fn cross(&self, entrance: Entrance, block: u16) -> Option<Crossing> {
        let mut inside = self.enter(entrance, block);
        for steps in 1..=self.bound() {
            let left = match self.step(&mut inside) {
                Stepped::Inside => continue,
                Stepped::Halted => return None,
                Stepped::Left => 1,
                Stepped::Right => 0,
            };
            let extent = (inside.extent.0 as u8, inside.extent.1 as u8);
            return Some(Crossing { steps, block: self.pack(&inside.cells), exit: 2 * inside.state + left, extent });
        }
        None
    }

    /// The last steps of a run, all inside one block: to the halt, or for `limit` steps. [`Outcome::Forever`] if the
    /// block is never left.
    pub fn finish(&self, entrance: Entrance, block: u16, limit: u128) -> (Outcome, u128, Inside) {
        let mut inside = self.enter(entrance, block);
        let mut steps = 0;
        while steps < limit.min(u128::from(self.bound())) {
            steps += 1;
            if let Stepped::Halted = self.step(&mut inside) {
                return (Outcome::Halted, steps, inside);
            }
        }
        if steps == limit {
            return (Outcome::Limit, steps, inside);
        }
        // By now it is in a cycle; whole periods change nothing.
        let start = inside.clone();
        let mut period = 0;
        while period == 0 || (&start.cells, start.state, start.offset) != (&inside.cells, inside.state, inside.offset) {
            self.step(&mut inside);
            period += 1;
        }
        for _ in 0..(limit - steps) % period {
            self.step(&mut inside);
        }
        (Outcome::Forever, limit, inside)
    }
}
