//! Taking apart what only looks like one object.
//!
//! The method is that of apgsearch 5 (lifelib's «full 3D separation»): the live cells of all phases, as points in
//! space and time, hang together where they touch; pieces that hang together are joined further where one alone would
//! give birth and the other prevents it. If the pieces then run on their own, they are objects; otherwise partitions
//! of them are tried, fewest parts first. Each part is taken apart again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::automata::apgcode::{self, Motion};
use crate::automata::pattern::Pattern;
use crate::automata::plane::Plane;
use crate::automata::reference;
use crate::automata::rule::Rule;

/// The longest period that is taken apart.
const LONGEST_PERIOD: u64 = 30_000;
/// The most live cells over all phases.
const MOST_POINTS: u64 = 4_000_000;
/// The most ways of sharing out pieces over parts that are tried.
const MOST_PARTITIONS: u64 = 1 << 20;
/// The most pieces that are shared out.
const MOST_PIECES: usize = 16;

/// The objects, by apgcode, that make up the object of an apgcode (itself alone if it is one).
pub(super) fn elements(code: &str, rule: &Rule, known: &mut HashMap<String, Vec<String>>) -> Vec<String> {
    if let Some(found) = known.get(code) {
        return found.clone();
    }
    let parts = match parts(code, rule) {
        Some(parts) if parts.len() > 1 => parts.iter().flat_map(|part| elements(part, rule, known)).collect(),
        _ => vec![code.to_string()],
    };
    known.insert(code.to_string(), parts.clone());
    parts
}

/// The first split of an object, as apgcodes.
fn parts(code: &str, rule: &Rule) -> Option<Vec<String>> {
    if !code.starts_with('x') {
        return None;
    }
    let pattern = apgcode::decode(code).ok()?;
    let motion = apgcode::motion(&pattern, rule, LONGEST_PERIOD)?;
    let name = |part: &Pattern| {
        // A part repeats at least as often as the whole.
        apgcode::encode(part, rule, motion.period).unwrap_or_else(|| "PATHOLOGICAL".to_string())
    };
    let space_time = SpaceTime::new(&pattern, rule, motion)?;
    let (joined, loosely) = space_time.join();
    if loosely.count() > 1 {
        return Some(space_time.pieces(&loosely).iter().map(|phases| name(&phases[0])).collect());
    }
    let pieces = space_time.join_suppressed(joined, rule);
    if pieces.len() == 1 {
        return None;
    }
    if pieces.iter().all(|phases| runs_alone(phases, rule)) {
        return Some(pieces.iter().map(|phases| name(&phases[0])).collect());
    }
    let still = motion.period <= 3 && motion.is_stationary();
    // Four colours (seven where corners give birth) suffice for still lifes and oscillators of such short periods.
    let most = if !still {
        pieces.len()
    } else if corners_give_birth(rule) {
        7
    } else {
        4
    };
    let groups = partition(&pieces, rule, most.min(pieces.len()))?;
    Some(groups.iter().map(|phases| name(&phases[0])).collect())
}

/// Whether two live cells at distance two along a diagonal give birth between them.
pub(super) fn corners_give_birth(rule: &Rule) -> bool {
    rule.table()[0] || rule.table()[0b100_000_001] || rule.table()[0b001_000_100]
}

/// A piece of an object: its cells in each phase, and in the first phase once more.
type Phases = Vec<Pattern>;

fn runs_alone(phases: &Phases, rule: &Rule) -> bool {
    phases.windows(2).all(|pair| reference::step(&pair[0], rule) == pair[1])
}

/// The first partition of the pieces into parts that run alone, with the fewest parts.
fn partition(pieces: &[Phases], rule: &Rule, most: usize) -> Option<Vec<Phases>> {
    let mut failed: BTreeSet<u64> = BTreeSet::new();
    for parts in 2..=most {
        let mut ways = 1u64;
        (0..pieces.len()).for_each(|_| ways = ways.saturating_mul(parts as u64));
        if ways > MOST_PARTITIONS || pieces.len() > MOST_PIECES {
            return None;
        }
        // Restricted growth strings: piece i goes to a part used before or to the next new one.
        let mut part_of = vec![0usize; pieces.len()];
        loop {
            let used = part_of.iter().max().map_or(0, |most| most + 1);
            if used == parts {
                let masks: Vec<u64> = (0..parts)
                    .map(|part| (0..pieces.len()).filter(|&i| part_of[i] == part).fold(0, |mask, i| mask | 1 << i))
                    .collect();
                if masks.iter().all(|mask| !failed.contains(mask)) {
                    let groups: Vec<Phases> = masks.iter().map(|&mask| union(pieces, mask)).collect();
                    let mut all = true;
                    for (group, mask) in groups.iter().zip(&masks) {
                        if !runs_alone(group, rule) {
                            failed.insert(*mask);
                            all = false;
                        }
                    }
                    if all {
                        return Some(groups);
                    }
                }
            }
            if !next_growth_string(&mut part_of, parts) {
                break;
            }
        }
    }
    None
}

fn next_growth_string(part_of: &mut [usize], parts: usize) -> bool {
    for i in (1..part_of.len()).rev() {
        let limit = part_of[..i].iter().max().map_or(0, |most| most + 1).min(parts - 1);
        if part_of[i] < limit {
            part_of[i] += 1;
            part_of[i + 1..].fill(0);
            return true;
        }
    }
    false
}

fn union(pieces: &[Phases], mask: u64) -> Phases {
    let chosen: Vec<&Phases> = pieces.iter().enumerate().filter(|(i, _)| mask >> i & 1 == 1).map(|(_, p)| p).collect();
    let phases = chosen.first().map_or(0, |first| first.len());
    (0..phases).map(|t| Pattern::from_cells(chosen.iter().flat_map(|piece| piece[t].cells().iter().copied()))).collect()
}

/// The live cells of an object over one period, as points.
struct SpaceTime {
    /// (generation, y, x) of each point, sorted; generations 0 to the period.
    points: Vec<(u64, i32, i32)>,
    motion: Motion,
}

impl SpaceTime {
    fn new(pattern: &Pattern, rule: &Rule, motion: Motion) -> Option<Self> {
        let mut plane = Plane::with_pattern(rule, pattern);
        let mut points = Vec::new();
        for t in 0..=motion.period {
            if points.len() as u64 + plane.population() > MOST_POINTS {
                return None;
            }
            points.extend(plane.pattern().cells().iter().map(|cell| (t, cell.y, cell.x)));
            plane.advance(1);
        }
        Some(Self { points, motion })
    }

    fn find(&self, t: u64, y: i32, x: i32) -> Option<usize> {
        self.points.binary_search(&(t, y, x)).ok()
    }

    /// Points joined where they touch in space or from one generation to the next; and those joined also around a
    /// dead cell with three live neighbours or more.
    fn join(&self) -> (Disjoint, Disjoint) {
        let mut joined = Disjoint::new(self.points.len());
        let mut around: BTreeMap<(u64, i32, i32), Vec<usize>> = BTreeMap::new();
        for (i, &(t, y, x)) in self.points.iter().enumerate() {
            for dy in -1..=1 {
                for dx in -1..=1 {
                    let here = self.find(t, y + dy, x + dx);
                    let later = self.find(t + 1, y + dy, x + dx);
                    here.into_iter().chain(later).for_each(|other| joined.merge(i, other));
                    if here.is_none() {
                        around.entry((t, y + dy, x + dx)).or_default().push(i);
                    }
                }
            }
            let again = self.find(t + self.motion.period, y + self.motion.dy, x + self.motion.dx);
            again.into_iter().for_each(|other| joined.merge(i, other));
        }
        let mut loosely = joined.clone();
        for neighbours in around.values().filter(|neighbours| neighbours.len() >= 3) {
            neighbours.windows(2).for_each(|pair| loosely.merge(pair[0], pair[1]));
        }
        (joined, loosely)
    }

    /// The cells of each set of points, phase by phase.
    fn pieces(&self, sets: &Disjoint) -> Vec<Phases> {
        let numbers = sets.numbers();
        let count = numbers.iter().max().map_or(0, |most| most + 1);
        let mut cells = vec![vec![Vec::new(); self.motion.period as usize + 1]; count];
        for (&(t, y, x), &number) in self.points.iter().zip(&numbers) {
            cells[number][t as usize].push((x, y));
        }
        cells.into_iter().map(|phases| phases.into_iter().map(Pattern::from_live).collect()).collect()
    }

    /// Joins further where a piece alone would give birth to a cell that exactly one other piece prevents.
    fn join_suppressed(&self, mut sets: Disjoint, rule: &Rule) -> Vec<Phases> {
        'again: loop {
            let pieces = self.pieces(&sets);
            let numbers = sets.numbers();
            for t in 0..self.motion.period {
                for (i, phases) in pieces.iter().enumerate() {
                    let (now, next) = (&phases[t as usize], &phases[t as usize + 1]);
                    for extra in reference::step(now, rule).cells() {
                        if next.get(extra.x, extra.y) != 0 {
                            continue;
                        }
                        let mut others = BTreeSet::new();
                        for (dx, dy) in reference::OFFSETS {
                            let place = self.find(t, extra.y + dy as i32, extra.x + dx as i32);
                            others.extend(place.map(|place| numbers[place]).filter(|&other| other != i));
                        }
                        if let (Some(&other), 1) = (others.first(), others.len()) {
                            let first = |number: usize| numbers.iter().position(|&found| found == number);
                            if let (Some(a), Some(b)) = (first(i), first(other)) {
                                sets.merge(a, b);
                                continue 'again;
                            }
                        }
                    }
                }
            }
            return pieces;
        }
    }
}

/// Disjoint sets of points.
#[derive(Clone)]
struct Disjoint {
    parents: Vec<usize>,
    count: usize,
}

impl Disjoint {
    fn new(size: usize) -> Self {
        Self { parents: (0..size).collect(), count: size }
    }

    fn count(&self) -> usize {
        self.count
    }

    fn find(&mut self, mut i: usize) -> usize {
        while self.parents[i] != i {
            self.parents[i] = self.parents[self.parents[i]];
            i = self.parents[i];
        }
        i
    }

    fn merge(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        if a != b {
            self.parents[a.max(b)] = a.min(b);
            self.count -= 1;
        }
    }

    /// The number of each point's set, counted in the order of their first points.
    fn numbers(&self) -> Vec<usize> {
        let mut numbers: Vec<usize> = Vec::with_capacity(self.parents.len());
        let mut next = 0;
        for (i, &parent) in self.parents.iter().enumerate() {
            // The smaller root always wins, so a parent comes before its children.
            numbers.push(if parent == i {
                next += 1;
                next - 1
            } else {
                numbers[parent]
            });
        }
        numbers
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::automata::formats::PatternFile;

    fn split(rle: &str) -> Vec<String> {
        let rule = Rule::life();
        let pattern = PatternFile::read(rle).unwrap().pattern;
        let code = apgcode::encode(&pattern, &rule, 100).unwrap();
        let mut found = elements(&code, &rule, &mut HashMap::new());
        found.sort();
        found
    }

    #[test]
    fn pseudo_objects_come_apart_and_strict_ones_do_not() {
        // Bi-block: pseudo. Table on table and the aircraft carrier: strict. Ship-tie: strict by its islands' need.
        assert_eq!(split("2ob2o$2ob2o!"), ["xs4_33", "xs4_33"]);
        assert_eq!(split("2o$obo$bobo$2b2o!").len(), 1);
        assert_eq!(split("o2bo$4o2$4o$o2bo!").len(), 1);
        assert_eq!(split("2o$o2bo$2b2o!").len(), 1);
        assert_eq!(split("2o$obo$b2o$3b2o$3bobo$4b2o!").len(), 1);
        // Two blinkers side by side in step, and a block beside a blinker that never touches it.
        assert_eq!(split("3o3b3o!"), ["xp2_7", "xp2_7"]);
        assert_eq!(split("2o3b3o$2o!"), ["xp2_7", "xs4_33"]);
        // Two gliders side by side.
        assert_eq!(split("bo6bo$2bo6bo$3o4b3o!"), ["xq4_153", "xq4_153"]);
        // The pulsar's quarters do not live alone.
        assert_eq!(
            split(
                "2b3o3b3o2$o4bobo4bo$o4bobo4bo$o4bobo4bo$2b3o3b3o2$2b3o3b3o$o4bobo4bo$o4bobo4bo$o4bobo4bo2$2b3o3b3o!"
            )
            .len(),
            1
        );
    }
}
