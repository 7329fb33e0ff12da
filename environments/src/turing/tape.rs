//! The run-length tape of the accelerated simulator, with counts that are numbers or linear in an unknown.

use super::block::{Crossing, Entrance, leftwards};

/// How often a block is repeated.
pub(super) trait Count: Copy {
    /// What the operations note: steps made, and how large the unknowns must be.
    type Ledger;

    /// A single block.
    const ONE: Self;

    /// One fewer, `None` if none is left.
    fn less_one(self, ledger: &mut Self::Ledger) -> Option<Self>;

    /// The sum, or `None` if it cannot be written.
    fn plus(self, other: Self) -> Option<Self>;

    /// Notes that so many blocks were crossed in `steps` each; `None` if that is more than can be counted.
    fn charge(self, steps: u32, ledger: &mut Self::Ledger) -> Option<()>;
}

/// Two stacks of repeated blocks with the head between them. The last of a stack is next to the head; beyond the
/// first the tape was never visited and is blank.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RunLengthTape<C> {
    /// What lies to the left and to the right of the head.
    pub sides: [Vec<(u16, C)>; 2],
    /// State and direction of the head.
    pub entrance: Entrance,
    /// Offset of the leftmost cell visited in the leftmost block, and of the rightmost in the rightmost.
    pub edges: (u8, u8),
}

impl<C: Count> RunLengthTape<C> {
    /// The side that the head looks at.
    pub fn ahead(&self) -> usize {
        usize::from(!leftwards(self.entrance))
    }

    /// The block that the head looks at, and how often it is repeated (`None`: never visited, without end).
    pub fn facing(&self) -> (u16, Option<C>) {
        self.sides[self.ahead()].last().map_or((0, None), |&(block, count)| (block, Some(count)))
    }

    /// Crosses the block ahead; all its repetitions at once if the head leaves it as it entered.
    ///
    /// `None` if the outcome cannot be written: the tape is then spoilt.
    pub fn step(&mut self, crossing: &Crossing, length: usize, ledger: &mut C::Ledger) -> Option<()> {
        let ahead = self.ahead();
        let taken = match self.sides[ahead].pop() {
            None => {
                // A block visited for the first time becomes the outermost.
                match ahead {
                    0 => self.edges.0 = length as u8 - 1,
                    _ => self.edges.1 = 0,
                }
                C::ONE
            }
            Some((_, count)) if crossing.exit == self.entrance => count,
            Some((block, count)) => {
                if let Some(rest) = count.less_one(ledger) {
                    self.sides[ahead].push((block, rest));
                }
                C::ONE
            }
        };
        taken.charge(crossing.steps, ledger)?;
        if self.sides[0].is_empty() {
            self.edges.0 = self.edges.0.min(crossing.extent.0);
        }
        if self.sides[1].is_empty() {
            self.edges.1 = self.edges.1.max(crossing.extent.1);
        }
        self.entrance = crossing.exit;
        self.push(1 - self.ahead(), crossing.block, taken)
    }

    /// Puts repeated blocks next to the head.
    pub fn push(&mut self, side: usize, block: u16, count: C) -> Option<()> {
        match self.sides[side].last_mut() {
            Some((last, total)) if *last == block => *total = total.plus(count)?,
            _ => self.sides[side].push((block, count)),
        }
        Some(())
    }
}

impl Count for u128 {
    /// Steps made.
    type Ledger = u128;

    const ONE: u128 = 1;

    fn less_one(self, _: &mut u128) -> Option<u128> {
        (self > 1).then(|| self - 1)
    }

    fn plus(self, other: u128) -> Option<u128> {
        self.checked_add(other)
    }

    fn charge(self, steps: u32, ledger: &mut u128) -> Option<()> {
        *ledger = ledger.checked_add(self.checked_mul(u128::from(steps))?)?;
        Some(())
    }
}
