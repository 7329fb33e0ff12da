//! The census of what a pattern leaves behind, object by object, as apgsearch 5 takes it.
//!
//! A pattern runs until its population has repeated for long enough; every cell that is live in the time after marks
//! the ground of the objects, and cells on connected ground are one object, which is named and, if it is not one in
//! truth, taken apart ([`separate`]). What does not repeat is run on and looked at again, five times, and is then
//! named by its growth.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;

use super::apgcode;
use super::pattern::Pattern;
use super::plane::{Places, Plane};
use super::rule::{Neighbourhood, Rule, Topology};

mod frontier;
mod ground;
mod growth;
mod md5;
mod separate;
mod soup;

use frontier::Frontier;
use ground::Ground;
pub use soup::soup;

/// Objects by apgcode, with their numbers.
pub type Tally = BTreeMap<String, u64>;

/// Tiles, and tiles' leaps, beyond which a pattern is not followed until it settles.
const MOST_TILES: usize = 20_000;
const MOST_WORK: u64 = 40_000_000;

/// The name of what cannot be named.
const PATHOLOGICAL: &str = "PATHOLOGICAL";

/// The name of a glider in Life.
const GLIDER: &str = "xq4_153";

/// Why no census can be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CensusError {
    /// A rule that the census does not cover.
    #[error("no census under {rule}: {reason}")]
    Rule {
        /// The rule.
        rule: String,
        /// What stands against it.
        reason: &'static str,
    },
}

/// Takes censuses under one rule and remembers the objects it has met.
pub struct Census {
    rule: Rule,
    /// Parts of an object on connected ground, by its cells relative to their corner.
    objects: Places<Vec<(i32, i32)>, Vec<String>>,
    /// Parts of an object by its apgcode.
    parts: HashMap<String, Vec<String>>,
    /// A plane whose memory is used again.
    plane: Option<Plane>,
    /// The frontier of a plane on which nothing has happened yet.
    frontier: Frontier,
    ground: Ground,
    /// Whether two live cells along a diagonal give birth between them.
    corners: bool,
}

impl Census {
    /// A census under a rule.
    ///
    /// # Errors
    /// If the rule has more than two states, a topology, or births from nothing.
    pub fn new(rule: &Rule) -> Result<Self, CensusError> {
        let reason = if rule.states() > 2 {
            "apgcodes are for two states here"
        } else if rule.topology() != Topology::Unbounded {
            "objects are told apart on the plane without end"
        } else if rule.births_from_nothing() {
            "it gives birth from nothing"
        } else if rule.neighbourhood() == Neighbourhood::Hexagonal {
            "apgcodes of hexagonal rules follow symmetries of their own"
        } else {
            return Ok(Self {
                rule: rule.clone(),
                objects: Places::default(),
                parts: HashMap::new(),
                plane: None,
                frontier: Frontier::new(rule),
                ground: Ground::default(),
                corners: separate::corners_give_birth(rule),
            });
        };
        Err(CensusError::Rule { rule: rule.to_string(), reason })
    }

    /// The census of a pattern once it has settled. Objects that fly away are counted.
    pub fn take(&mut self, pattern: &Pattern) -> Tally {
        let mut plane = std::mem::take(&mut self.plane).unwrap_or_else(|| Plane::new(&self.rule));
        plane.clear();
        plane.add(&pattern.translated(frontier::PLACE.0, frontier::PLACE.1));
        let tally = self.take_from(&mut plane);
        self.plane = Some(plane);
        tally
    }

    fn take_from(&mut self, plane: &mut Plane) -> Tally {
        let mut frontier = self.frontier.clone();
        let Some(mut duration) = stabilise(plane, &mut frontier) else {
            return Tally::from([(PATHOLOGICAL.to_string(), 1)]);
        };
        let life = self.frontier.has_gliders();
        let mut step = 120;
        for attempt in 0.. {
            let (mut tally, ambiguous) = self.look(plane, duration, attempt);
            if frontier.gone > 0 {
                *tally.entry(GLIDER.to_string()).or_insert(0) += frontier.gone;
            }
            let linear = tally.keys().any(|code| code.starts_with('y'));
            let failed = ambiguous || (life && attempt <= 2 && tally.keys().any(|code| code.starts_with('z')));
            if attempt >= 5 || !failed {
                // Beside something that grows for ever the rest may well not repeat.
                return tally.into_iter().filter(|(code, _)| !(linear && code == PATHOLOGICAL)).collect();
            }
            plane.advance(step);
            step *= 4;
            duration = (2 * step).min(7680);
        }
        Tally::new()
    }

    /// Names the objects there are, from the ground they cover in some generations.
    fn look(&mut self, plane: &mut Plane, duration: u64, attempt: u32) -> (Tally, bool) {
        plane.record();
        // Whole leaps, so that sleeping tiles have shown all their phases.
        plane.advance(duration.max(4));
        let mut tally = Tally::new();
        let longest = 1024 << (2 * attempt);
        let mut ground = std::mem::take(&mut self.ground);
        ground.find(plane, self.corners);
        for cells in ground.objects() {
            let Self { objects, .. } = self;
            let identified;
            let elements = match objects.get(cells) {
                Some(elements) => elements,
                None => {
                    identified = self.identify(cells, longest, true);
                    &identified
                }
            };
            for element in elements {
                match tally.get_mut(element) {
                    Some(number) => *number += 1,
                    None => drop(tally.insert(element.clone(), 1)),
                }
            }
        }
        self.ground = ground;
        let ambiguous = tally.contains_key(PATHOLOGICAL);
        (tally, ambiguous)
    }

    fn identify(&mut self, cells: &[(i32, i32)], longest: u64, again: bool) -> Vec<String> {
        let pattern = Pattern::from_live(cells.iter().copied());
        let Some(motion) = apgcode::motion(&pattern, &self.rule, longest) else {
            return vec![if again { growth::name(&pattern, &self.rule) } else { PATHOLOGICAL.to_string() }];
        };
        let code = apgcode::encode_moving(&pattern, &self.rule, motion);
        if !code.starts_with('x') && again {
            // Too large for a name: perhaps several objects after all, seen for longer.
            let mut plane = Plane::with_pattern(&self.rule, &pattern);
            plane.record();
            plane.advance((8 * motion.period).next_multiple_of(4));
            let mut ground = Ground::default();
            ground.find(&plane, self.corners);
            return ground.objects().flat_map(|cells| self.identify(cells, longest, false)).collect();
        }
        let elements = separate::elements(&code, &self.rule, &mut self.parts);
        self.objects.insert(cells.to_vec(), elements.clone());
        elements
    }
}

/// Runs a pattern until its population repeats, as apgsearch judges it; the generations of one repeat, or `None` if it
/// grows beyond what is followed.
fn stabilise(plane: &mut Plane, frontier: &mut Frontier) -> Option<u64> {
    let (mut depth, mut before, mut period, mut security) = (0, 0, 12, 15);
    let mut work = 0;
    for i in 0..1000 {
        (period, security) = match i {
            40 => (period, 20),
            60 => (period, 25),
            80 => (period, 30),
            400 => (18, security),
            500 => (24, security),
            600 => (30, security),
            _ => (period, security),
        };
        frontier.advance(plane, period);
        if plane.is_quiet() {
            return Some(4);
        }
        work += plane.queued() as u64 * (period / 4);
        if plane.tiles() > MOST_TILES || work > MOST_WORK {
            return None;
        }
        let population = frontier.population(plane);
        if population == before {
            depth += 1;
        } else {
            depth = 0;
            period ^= 4;
        }
        before = population;
        if depth == security {
            return Some(period);
        }
    }
    repeat(plane, frontier)
}

/// The second stage, for long periods: a descending list of hashes (Bob Wainwright's oscar) of the middle of the
/// pattern.
fn repeat(plane: &mut Plane, frontier: &mut Frontier) -> Option<u64> {
    let mut seen: Vec<(u64, u64)> = Vec::new();
    let mut work = 0;
    for j in 1..=4000u64 {
        plane.advance(30);
        work += plane.queued() as u64 * 8;
        if plane.tiles() > MOST_TILES || work > MOST_WORK {
            return None;
        }
        let hash = frontier::brick_hash(plane);
        let place = seen.partition_point(|&(other, _)| other < hash);
        if let Some(&(other, at)) = seen.get(place)
            && other == hash
        {
            let period = 30 * (j - at);
            let before = frontier.population(plane);
            for _ in 0..20 {
                plane.advance(period);
                if frontier.population(plane) != before {
                    return Some(period.max(1280));
                }
            }
            return Some(period);
        }
        seen.truncate(place);
        seen.push((hash, j));
    }
    plane.advance(1280);
    Some(1280)
}

/// The census of `count` soups, seeded by `prefix` followed by their numbers from 0 on. The same for any number of
/// threads.
///
/// # Errors
/// If no census can be taken under the rule.
pub fn soups(rule: &Rule, prefix: &str, count: u64) -> Result<Tally, CensusError> {
    const BATCH: u64 = 256;
    Census::new(rule)?;
    let merge = |mut all: Tally, part: Tally| {
        for (code, number) in part {
            *all.entry(code).or_insert(0) += number;
        }
        all
    };
    let (tally, _) = (0..count.div_ceil(BATCH))
        .into_par_iter()
        .fold(
            || (Tally::new(), Census::new(rule)),
            |(mut all, mut census), batch| {
                if let Ok(census) = &mut census {
                    for index in batch * BATCH..((batch + 1) * BATCH).min(count) {
                        all = merge(all, census.take(&soup(&format!("{prefix}{index}"))));
                    }
                }
                (all, census)
            },
        )
        .reduce(|| (Tally::new(), Census::new(rule)), |a, b| (merge(a.0, b.0), a.1));
    Ok(tally)
}
