//! The accelerated simulator: macro steps on a run-length tape, repeated blocks crossed at once, and proved rules
//! applied any number of times at once. Steps are counted exactly.

use std::collections::HashMap;

use super::block::{Blocks, Crossing, Entrance};
use super::deciders::{Decision, decide};
use super::machine::Machine;
use super::packed::run_packed;
use super::rule::{Rule, Shape, Times, shape};
use super::run::{Outcome, Run, push_word};
use super::tape::RunLengthTape;

/// Most steps that can be asked for: sums stay within 128 bits.
pub const MOST_STEPS: u128 = 1 << 120;

/// Tapes of more runs than this are not searched for rules.
const MOST_RUNS: usize = 48;

/// Shapes remembered before the memory is cleared.
const MOST_SHAPES: usize = 1 << 16;

/// Block lengths tried side by side: machines differ in the one that makes their tapes regular.
const LENGTHS: std::ops::RangeInclusive<usize> = 1..=6;

/// Steps of the packed simulator before anything else is tried.
const FIRST_STEPS: u64 = 1 << 26;

/// Macro steps of each block length in the first round, and in the last; a round has four times the one before.
const ROUNDS: (u64, u64) = (1 << 12, 1 << 22);

/// Limits up to which the packed simulator ends a run that no block length could.
const PACKED_STEPS: u128 = 1 << 34;

/// When a shape was seen.
struct Seen {
    /// Number of rule applications by then; what was seen before the last is no help for a proof.
    epoch: u64,
    time: u64,
    /// Macro steps since it was seen before.
    period: u64,
    /// Failed proofs so far.
    failures: u32,
}

/// A run at one block length.
struct Accelerated<'a> {
    blocks: Blocks<'a>,
    crossings: Vec<Option<Option<Crossing>>>,
    tape: RunLengthTape<u128>,
    steps: u128,
    time: u64,
    epoch: u64,
    seen: HashMap<Shape, Seen>,
    rules: HashMap<Shape, Vec<Rule>>,
    /// Whether it is proved that the machine never halts.
    endless: bool,
}

impl<'a> Accelerated<'a> {
    fn new(machine: &'a Machine, length: usize) -> Accelerated<'a> {
        let blocks = Blocks::new(machine, length, 1 << 15);
        let crossings = vec![None; blocks.entrances() * blocks.count];
        let tape = RunLengthTape { sides: [vec![], vec![]], entrance: 0, edges: (blocks.length as u8 - 1, 0) };
        let (seen, rules) = (HashMap::new(), HashMap::new());
        Accelerated { blocks, crossings, tape, steps: 0, time: 0, epoch: 0, seen, rules, endless: false }
    }

    fn cross(&mut self, entrance: Entrance, block: u16) -> Option<Crossing> {
        let index = usize::from(entrance) * self.blocks.count + usize::from(block);
        *self.crossings[index].get_or_insert_with(|| self.blocks.cross(entrance, block))
    }

    /// Runs until the machine halts or `limit` steps are made, or, without a limit, it is proved that it never
    /// halts. `None` if that takes more than `work` macro steps.
    fn advance(&mut self, limit: Option<u128>, work: u64) -> Option<Run> {
        let most = limit.unwrap_or(MOST_STEPS);
        let end = self.time + work;
        while self.time < end {
            if self.endless && limit.is_none() {
                return Some(self.stop());
            }
            self.time += 1;
            if self.tape.sides[0].len() + self.tape.sides[1].len() <= MOST_RUNS && self.leap(most, limit.is_none())? {
                continue;
            }
            let (block, count) = self.tape.facing();
            let Some(crossing) = self.cross(self.tape.entrance, block) else {
                return Some(self.finish(most));
            };
            let chain = crossing.exit == self.tape.entrance;
            if chain && count.is_none() {
                // It runs on into the blank for ever.
                self.endless = true;
                if limit.is_none() {
                    return Some(self.stop());
                }
            }
            let (steps, left) = (u128::from(crossing.steps), most - self.steps);
            let repeats = if chain { count.unwrap_or(u128::MAX) } else { 1 };
            if left / steps < repeats || (chain && count.is_none()) {
                self.cross_some(&crossing, (left / steps).min(repeats))?;
                return Some(self.finish(most));
            }
            self.tape.step(&crossing, self.blocks.length, &mut self.steps)?;
        }
        None
    }

    /// Applies a rule if one is known and fits. Otherwise looks for one, if this shape comes back at a steady pace.
    fn leap(&mut self, most: u128, proof_suffices: bool) -> Option<bool> {
        let shape = shape(&self.tape);
        if let Some(rules) = self.rules.get(&shape) {
            for rule in rules {
                let times = rule.times(&self.tape);
                self.endless |= times == Times::Endless;
                if self.endless && proof_suffices {
                    return Some(true);
                }
                let applied = rule.most_within(&self.tape, times, most - self.steps);
                if applied > 0 {
                    self.steps += rule.steps(&self.tape, applied)?;
                    rule.apply(&mut self.tape, applied)?;
                    self.epoch += 1;
                    return Some(true);
                }
            }
        }
        if self.seen.len() >= MOST_SHAPES {
            self.seen.clear();
        }
        let (time, epoch) = (self.time, self.epoch);
        let fresh = || Seen { epoch, time, period: 0, failures: 0 };
        let seen = self.seen.entry(shape.clone()).or_insert_with(fresh);
        let period = if seen.epoch == epoch { time - seen.time } else { 0 };
        let steady = period > 0 && period == seen.period;
        (seen.epoch, seen.time, seen.period) = (epoch, time, period);
        // What failed often is tried seldom.
        if !steady || (seen.failures > 4 && !time.is_multiple_of(1 << seen.failures.min(20))) {
            return Some(false);
        }
        let (tape, length) = (self.tape.clone(), self.blocks.length);
        match Rule::prove(&tape, period, length, |entrance, block| self.cross(entrance, block)) {
            Some(rule) => self.rules.entry(shape).or_default().push(rule),
            None => {
                if let Some(seen) = self.seen.get_mut(&shape) {
                    seen.failures += 1;
                }
            }
        }
        Some(false)
    }

    /// Crosses some of the repeated blocks ahead, all of them alike.
    fn cross_some(&mut self, crossing: &Crossing, repeats: u128) -> Option<()> {
        if repeats == 0 {
            return Some(());
        }
        let ahead = self.tape.ahead();
        // Split off what is crossed, cross that, and put the rest back.
        let Some((block, count)) = self.tape.sides[ahead].pop() else {
            // Never visited: the last block crossed is the outermost.
            self.tape.step(crossing, self.blocks.length, &mut self.steps)?;
            self.steps += u128::from(crossing.steps) * (repeats - 1);
            return if repeats > 1 { self.tape.push(1 - ahead, crossing.block, repeats - 1) } else { Some(()) };
        };
        let rest = count - repeats;
        if rest > 0 {
            self.tape.sides[ahead].push((block, rest));
        }
        self.tape.sides[ahead].push((block, repeats));
        self.tape.step(crossing, self.blocks.length, &mut self.steps)
    }

    /// The end of the run inside the block ahead, or at the limit.
    fn finish(&mut self, most: u128) -> Run {
        let (block, count) = self.tape.facing();
        let (outcome, steps, inside) = self.blocks.finish(self.tape.entrance, block, most - self.steps);
        self.steps += steps;
        let outcome = if self.endless { Outcome::Forever } else { outcome };
        let ahead = self.tape.ahead();
        let mut sides = self.tape.sides.clone();
        match sides[ahead].last_mut() {
            Some((_, count)) if *count > 1 => *count -= 1,
            Some(_) => drop(sides[ahead].pop()),
            None => {}
        }
        let mut edges = self.tape.edges;
        if count.is_none() {
            match ahead {
                0 => edges.0 = self.blocks.length as u8 - 1,
                _ => edges.1 = 0,
            }
        }
        if sides[0].is_empty() {
            edges.0 = edges.0.min(inside.extent.0 as u8);
        }
        if sides[1].is_empty() {
            edges.1 = edges.1.max(inside.extent.1 as u8);
        }
        self.end(outcome, &sides, &inside.cells, edges)
    }

    /// The run as it stands, with the head between two blocks.
    fn stop(&self) -> Run {
        let outcome = if self.endless { Outcome::Forever } else { Outcome::Limit };
        let ahead = self.tape.ahead();
        let mut run = self.end(outcome, &self.tape.sides, &[], self.tape.edges);
        // The head stands on the next cell.
        if self.tape.sides[ahead].is_empty() {
            match ahead {
                0 => run.tape.insert(0, (vec![0], 1)),
                _ => run.tape.push((vec![0], 1)),
            }
        }
        run
    }

    fn end(&self, outcome: Outcome, sides: &[Vec<(u16, u128)>; 2], here: &[u8], edges: (u8, u8)) -> Run {
        let mut blocks: Vec<(Vec<u8>, u128)> = Vec::new();
        blocks.extend(sides[0].iter().map(|&(block, count)| (self.blocks.unpack(block), count)));
        if !here.is_empty() {
            blocks.push((here.to_vec(), 1));
        }
        blocks.extend(sides[1].iter().rev().map(|&(block, count)| (self.blocks.unpack(block), count)));
        // The outermost blocks were not visited in full.
        if let Some((word, count)) = blocks.first().cloned() {
            blocks[0].1 -= 1;
            if count == 1 && blocks.len() == 1 {
                let word = word[usize::from(edges.0)..=usize::from(edges.1)].to_vec();
                return Run::of_tape(outcome, self.steps, vec![(word, 1)]);
            }
            blocks.insert(0, (word[usize::from(edges.0)..].to_vec(), 1));
        }
        while blocks.last().is_some_and(|&(_, count)| count == 0) {
            blocks.pop();
        }
        if let Some((word, _)) = blocks.last().cloned() {
            if let Some((_, count)) = blocks.last_mut() {
                *count -= 1;
            }
            blocks.push((word[..=usize::from(edges.1)].to_vec(), 1));
        }
        let mut tape = Vec::new();
        for (word, count) in &blocks {
            push_word(&mut tape, word, *count);
        }
        Run::of_tape(outcome, self.steps, tape)
    }
}

/// Runs a machine from a blank tape at one block length, with at most `work` macro steps. Without a limit the run also
/// ends when it is proved that the machine never halts. `None` if the work did not suffice.
pub fn run_accelerated(machine: &Machine, limit: Option<u128>, length: usize, work: u64) -> Option<Run> {
    Accelerated::new(machine, length).advance(limit.map(|limit| limit.min(MOST_STEPS)), work)
}

/// Runs a machine from a blank tape by whatever means is fastest: the packed simulator first, then acceleration at
/// several block lengths side by side.
///
/// With a limit, exactly that many steps are made if the machine does not halt before; without one, the run ends when
/// the machine halts or it is proved that it never does. A run that ends [`Outcome::Limit`] before its limit was
/// too long for the work that is spent on one run (a fixed number of macro steps, so the same on any machine).
pub fn run(machine: &Machine, limit: Option<u128>) -> Run {
    let limit = limit.map(|limit| limit.min(MOST_STEPS));
    let first = limit.unwrap_or(u128::MAX).min(u128::from(FIRST_STEPS)) as u64;
    let mut longest = run_packed(machine, first);
    let done = |run: &Run| match run.outcome {
        Outcome::Halted => true,
        Outcome::Forever => limit.is_none() || limit == Some(run.steps),
        Outcome::Limit => limit == Some(run.steps),
    };
    if done(&longest) {
        return longest;
    }
    if limit.is_none() && matches!(decide(machine), Decision::Forever(_)) {
        return Run { outcome: Outcome::Forever, ..longest };
    }
    let mut contenders: Vec<Accelerated<'_>> = LENGTHS.map(|length| Accelerated::new(machine, length)).collect();
    let mut work = ROUNDS.0;
    while work <= ROUNDS.1 {
        for contender in &mut contenders {
            if let Some(run) = contender.advance(limit, work) {
                return run;
            }
        }
        work *= 4;
    }
    if let Some(limit) = limit.filter(|&limit| limit <= PACKED_STEPS) {
        return run_packed(machine, limit as u64);
    }
    for contender in contenders {
        if contender.steps > longest.steps {
            longest = contender.stop();
        }
    }
    longest
}
