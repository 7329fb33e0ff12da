//! Rules of the accelerated simulator: "from this shape of tape, with these counts large enough, the machine returns to
//! the same shape with each count changed by a constant". A rule is proved once, by running the machine on counts that
//! are unknowns, and then applied any number of times in one go (the "shift rules" of Marxen and Buntrock, the proof
//! system of S. Ligocki's simulator).

use super::block::{Crossing, Entrance};
use super::tape::{Count, RunLengthTape};

/// A number, or an unknown plus a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Linear {
    unknown: Option<usize>,
    constant: i64,
}

/// What a run on unknowns needs and costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Costs {
    /// Least value of each unknown for which all this holds.
    least: Vec<i64>,
    /// Steps: `fixed` plus the sum of `by_unknown[i]` times unknown i.
    fixed: i64,
    by_unknown: Vec<i64>,
}

impl Count for Linear {
    type Ledger = Costs;

    const ONE: Linear = Linear { unknown: None, constant: 1 };

    fn less_one(self, costs: &mut Costs) -> Option<Linear> {
        let less = Linear { constant: self.constant - 1, ..self };
        match self.unknown {
            // An unknown is assumed to be large enough to leave at least one.
            Some(unknown) => costs.least[unknown] = costs.least[unknown].max(1 - less.constant),
            None if less.constant == 0 => return None,
            None => {}
        }
        Some(less)
    }

    fn plus(self, other: Linear) -> Option<Linear> {
        if self.unknown.is_some() && other.unknown.is_some() {
            return None;
        }
        let constant = self.constant.checked_add(other.constant)?;
        Some(Linear { unknown: self.unknown.or(other.unknown), constant })
    }

    fn charge(self, steps: u32, costs: &mut Costs) -> Option<()> {
        let steps = i64::from(steps);
        costs.fixed = costs.fixed.checked_add(steps.checked_mul(self.constant)?)?;
        if let Some(unknown) = self.unknown {
            costs.by_unknown[unknown] = costs.by_unknown[unknown].checked_add(steps)?;
        }
        Some(())
    }
}

/// The shape of a tape: entrance, blocks, and which of them are single.
pub(super) type Shape = Vec<u32>;

/// The shape of a tape of known counts.
pub(super) fn shape(tape: &RunLengthTape<u128>) -> Shape {
    let run = |&(block, count): &(u16, u128)| u32::from(block) << 1 | u32::from(count == 1);
    let mut shape = vec![u32::from(tape.entrance)];
    shape.extend(tape.sides[0].iter().map(run));
    shape.push(u32::MAX);
    shape.extend(tape.sides[1].iter().map(run));
    shape
}

/// A proved rule for tapes of one [`Shape`].
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// For each unknown: side and place in its stack, the least count, the change.
    unknowns: Vec<(usize, usize, i64, i64)>,
    costs: Costs,
    edges: (u8, u8),
    /// Whether an outermost block is new, so that the rule's edge takes the place of the one before.
    fresh: (bool, bool),
}

/// How often a rule can be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Times {
    /// So many times.
    Finite(u128),
    /// For ever.
    Endless,
}

impl Rule {
    /// Proves that `crossings` blocks on, the tape has the same shape again.
    pub fn prove(
        tape: &RunLengthTape<u128>,
        crossings: u64,
        length: usize,
        mut cross: impl FnMut(Entrance, u16) -> Option<Crossing>,
    ) -> Option<Rule> {
        let mut places = Vec::new();
        let mut sides = [Vec::new(), Vec::new()];
        for (side, runs) in sides.iter_mut().enumerate() {
            for (place, &(block, count)) in tape.sides[side].iter().enumerate() {
                let unknown = (count > 1).then_some(places.len());
                if unknown.is_some() {
                    places.push((side, place));
                }
                runs.push((block, Linear { unknown, constant: i64::from(unknown.is_none()) }));
            }
        }
        let start = RunLengthTape { sides, entrance: tape.entrance, edges: (length as u8 - 1, 0) };
        let mut end = start.clone();
        let mut costs = Costs { least: vec![1; places.len()], fixed: 0, by_unknown: vec![0; places.len()] };
        let mut fresh = (false, false);
        for _ in 0..crossings {
            let (block, count) = end.facing();
            let crossing = cross(end.entrance, block)?;
            match (count, end.ahead()) {
                (None, 0) => fresh.0 = true,
                (None, _) => fresh.1 = true,
                _ => {}
            }
            end.step(&crossing, length, &mut costs)?;
        }
        if end.entrance != start.entrance {
            return None;
        }
        let mut unknowns = Vec::new();
        for side in 0..2 {
            if end.sides[side].len() != start.sides[side].len() {
                return None;
            }
            for (place, (before, after)) in start.sides[side].iter().zip(&end.sides[side]).enumerate() {
                if before.0 != after.0 || before.1.unknown != after.1.unknown {
                    return None;
                }
                let change = after.1.constant - before.1.constant;
                match before.1.unknown {
                    Some(unknown) => unknowns.push((side, place, costs.least[unknown], change)),
                    None if change != 0 => return None,
                    None => {}
                }
            }
        }
        Some(Rule { unknowns, costs, edges: end.edges, fresh })
    }

    /// How often the rule can be applied to a tape of its shape.
    pub fn times(&self, tape: &RunLengthTape<u128>) -> Times {
        let mut times = Times::Endless;
        for &(side, place, least, change) in &self.unknowns {
            let (count, least) = (tape.sides[side][place].1, least.max(1) as u128);
            if count < least {
                return Times::Finite(0);
            }
            if change < 0 {
                let here = (count - least) / u128::from(change.unsigned_abs()) + 1;
                times = match times {
                    Times::Finite(before) => Times::Finite(before.min(here)),
                    Times::Endless => Times::Finite(here),
                };
            }
        }
        times
    }

    /// Steps of so many applications, or `None` if that is more than can be counted.
    pub fn steps(&self, tape: &RunLengthTape<u128>, times: u128) -> Option<u128> {
        let signed = |value: u128| i128::try_from(value).ok();
        let repeated = signed(times)?;
        // Before each application, how often it was applied already, summed.
        let before = repeated.checked_mul(repeated.checked_sub(1)?)? / 2;
        let mut total = i128::from(self.costs.fixed).checked_mul(repeated)?;
        for (number, &(side, place, _, change)) in self.unknowns.iter().enumerate() {
            let counts = signed(tape.sides[side][place].1)?
                .checked_mul(repeated)?
                .checked_add(i128::from(change).checked_mul(before)?)?;
            total = total.checked_add(i128::from(self.costs.by_unknown[number]).checked_mul(counts)?)?;
        }
        u128::try_from(total).ok()
    }

    /// The most applications, up to `times`, whose steps are at most `limit`.
    pub fn most_within(&self, tape: &RunLengthTape<u128>, times: Times, limit: u128) -> u128 {
        let within = |times: u128| self.steps(tape, times).is_some_and(|steps| steps <= limit);
        let mut above = match times {
            Times::Finite(times) if within(times) => return times,
            Times::Finite(times) => times,
            // An application takes a step at least.
            Times::Endless => limit.saturating_add(1),
        };
        let mut low = 0;
        while above - low > 1 {
            let middle = low + (above - low) / 2;
            if within(middle) { low = middle } else { above = middle }
        }
        low
    }

    /// Applies the rule so many times; `None` if a count is more than can be counted.
    pub fn apply(&self, tape: &mut RunLengthTape<u128>, times: u128) -> Option<()> {
        for &(side, place, _, change) in &self.unknowns {
            let count = &mut tape.sides[side][place].1;
            let moved = u128::from(change.unsigned_abs()).checked_mul(times)?;
            *count = if change < 0 { count.checked_sub(moved)? } else { count.checked_add(moved)? };
        }
        let (low, high) = self.edges;
        tape.edges.0 = if self.fresh.0 { low } else { tape.edges.0.min(low) };
        tape.edges.1 = if self.fresh.1 { high } else { tape.edges.1.max(high) };
        Some(())
    }
}
