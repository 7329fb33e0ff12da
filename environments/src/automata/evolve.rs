//! A pattern after any number of generations, by whichever engine suits the rule, within limits.

use super::grid::{Grid, LARGEST, TooLarge};
use super::pattern::Pattern;
use super::plane::{LEAP, Plane};
use super::rule::{Rule, Topology};
use super::torus::Torus;

mod settle;

/// How much may be used before giving up. A gun or a puffer grows for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Tiles of the unbounded plane in memory, about 1.2 kB each.
    pub tiles: usize,
    /// Work in all: a tile's leap of four generations, or a thousand cells of a dense board, counts as 1.
    pub work: u64,
}

impl Default for Limits {
    /// About half a gigabyte, and about a minute.
    fn default() -> Self {
        Self { tiles: 400_000, work: 100_000_000 }
    }
}

/// A pattern at a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evolved {
    /// The cells; with births from nothing on the unbounded plane those that differ from the background
    /// (see [`Plane::new`]).
    pub pattern: Pattern,
    /// The generation.
    pub generation: u64,
    /// Whether the background is live.
    pub background: bool,
}

/// Why a pattern could not be followed to the end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvolveError {
    /// It needs more memory than allowed.
    #[error("stopped at generation {generation} of {steps}: {population} cells spread over more than {tiles} tiles")]
    Memory {
        /// Where it stopped.
        generation: u64,
        /// Where it should have stopped.
        steps: u64,
        /// Live cells then.
        population: u64,
        /// The limit.
        tiles: usize,
    },
    /// It takes more work than allowed.
    #[error("stopped at generation {generation} of {steps}: {population} cells, and the limit of work is reached")]
    Work {
        /// Where it stopped.
        generation: u64,
        /// Where it should have stopped.
        steps: u64,
        /// Live cells then.
        population: u64,
    },
    /// It has moved beyond the coordinates.
    #[error("stopped at generation {generation} of {steps}: cells come within 1000 of the 32-bit plane's edge")]
    Far {
        /// Where it stopped.
        generation: u64,
        /// Where it should have stopped.
        steps: u64,
    },
    /// A dense board does not fit.
    #[error(transparent)]
    Board(#[from] TooLarge),
    /// A rule that the engines do not cover.
    #[error("rule {0} gives birth from nothing; on a surface without end that needs two states and no edges")]
    Background(String),
    /// A state that the rule does not have.
    #[error("the pattern has a cell in state {found}, but rule {rule} has states 0 to {}", .states - 1)]
    States {
        /// The highest state of the pattern.
        found: u8,
        /// The rule.
        rule: String,
        /// Its number of states.
        states: u16,
    },
}

/// The largest coordinate that is followed.
const FARTHEST: i64 = i32::MAX as i64 - 1000;

/// The pattern after `steps` generations.
///
/// Patterns that repeat, and patterns that have come apart into repeating pieces which will never meet, are followed
/// for any number of generations at no cost; the answer is exact all the same.
///
/// # Errors
/// If the limits do not suffice, or rule and pattern do not fit together.
pub fn evolve(pattern: &Pattern, rule: &Rule, steps: u64, limits: Limits) -> Result<Evolved, EvolveError> {
    let found = pattern.highest_state();
    if found > rule.highest_state() {
        return Err(EvolveError::States { found, rule: rule.to_string(), states: rule.states() });
    }
    if rule.states() == 2 && rule.topology() == Topology::Unbounded {
        return on_plane(pattern, rule, steps, limits);
    }
    if rule.births_from_nothing() && !rule.topology().is_finite() {
        return Err(EvolveError::Background(rule.to_string()));
    }
    match on_torus(pattern, rule, steps, limits)? {
        Some(evolved) => Ok(evolved),
        None => on_grid(pattern, rule, steps, limits),
    }
}

/// Whether all cells are within reach of the coordinates for so many more generations.
fn near(pattern: Option<super::BoundingBox>, generations: i64) -> bool {
    pattern.is_none_or(|bounds| {
        let (left, top) = (i64::from(bounds.x), i64::from(bounds.y));
        let (right, bottom) = (left + i64::from(bounds.width), top + i64::from(bounds.height));
        left.min(top) - generations > -FARTHEST && right.max(bottom) + generations < FARTHEST
    })
}

fn on_plane(pattern: &Pattern, rule: &Rule, steps: u64, limits: Limits) -> Result<Evolved, EvolveError> {
    /// Leaps between looks at where the pattern has got to.
    const WATCH: u64 = 64;
    /// The most cells of a pattern that is kept to be compared with; what is larger is growing or a board of its own.
    const LARGEST_KEPT: u64 = 1 << 20;
    let far = |generation| EvolveError::Far { generation, steps };
    if !near(pattern.bounding_box(), 0) {
        return Err(far(0));
    }
    let mut plane = Plane::with_pattern(rule, pattern);
    let done = |mut plane: Plane, rest: u64, generation: u64| {
        plane.advance(rest);
        Ok(Evolved { pattern: plane.pattern(), generation, background: plane.background() })
    };
    // Brent's search for a cycle: compare with a state kept at every power of two.
    let keep = |plane: &Plane| (plane.population() <= LARGEST_KEPT).then(|| plane.pattern());
    let (mut kept, mut kept_at, mut kept_pattern) = (plane.fingerprint(), 0, keep(&plane));
    let mut kept_background = plane.background();
    let (mut work, mut next_look) = (0u64, 256);
    for leap in 0.. {
        let generation = leap * LEAP;
        let rest = steps - generation;
        if rest < LEAP {
            return done(plane, rest, steps);
        }
        if plane.is_quiet() {
            return done(plane, rest % LEAP, steps);
        }
        if leap % WATCH == 0 && !near(plane.bounding_box(), (WATCH * LEAP) as i64 + 64) {
            return Err(far(generation));
        }
        if let Some(kept_pattern) = kept_pattern.as_ref().filter(|_| leap > kept_at) {
            let same = plane.fingerprint() == kept
                && plane.background() == kept_background
                && plane.population() == kept_pattern.population() as u64
                && plane.pattern() == *kept_pattern;
            if same {
                return done(plane, rest % ((leap - kept_at) * LEAP), steps);
            }
        }
        if leap == next_look {
            next_look *= 2;
            (kept, kept_at, kept_pattern) = (plane.fingerprint(), leap, keep(&plane));
            kept_background = plane.background();
            // Worth a try only where more lies ahead than what has been done.
            let plain = !plane.background() && !rule.births_from_nothing();
            if let Some(kept_pattern) = kept_pattern.as_ref().filter(|_| plain && rest > generation) {
                match settle::advance(kept_pattern, rule, rest) {
                    settle::Settled::Done(pattern) => {
                        return Ok(Evolved { pattern, generation: steps, background: false });
                    }
                    settle::Settled::Far => return Err(far(generation)),
                    settle::Settled::No => {}
                }
            }
        }
        work += plane.queued() as u64;
        let (generation, population) = (plane.generation(), plane.population());
        if plane.tiles() > limits.tiles {
            return Err(EvolveError::Memory { generation, steps, population, tiles: limits.tiles });
        }
        if work > limits.work {
            return Err(EvolveError::Work { generation, steps, population });
        }
        plane.leap();
    }
    done(plane, 0, steps)
}

/// On a dense torus; `None` if it does not cover the rule and surface.
fn on_torus(pattern: &Pattern, rule: &Rule, steps: u64, limits: Limits) -> Result<Option<Evolved>, EvolveError> {
    let Topology::Torus { width, height, .. } = rule.topology() else { return Ok(None) };
    let cells = u64::from(width) * u64::from(height);
    if cells > LARGEST {
        return Ok(None);
    }
    let Some(mut torus) = Torus::with_pattern(rule, pattern) else { return Ok(None) };
    // Looking for a cycle at every generation would take a large board longer than the generation itself.
    let stride = if cells <= 1 << 14 { 1 } else { 32 };
    let (mut kept, mut kept_at, mut kept_pattern) = (torus.fingerprint(), 0, torus.pattern());
    let (mut looks, mut next_look, mut work, mut generation, mut left) = (0u64, 8, 0u64, 0, steps);
    while left >= stride {
        work = work.saturating_add((cells / 1000 + 1) * stride);
        if work > limits.work {
            return Err(EvolveError::Work { generation, steps, population: torus.population() });
        }
        torus.advance(stride);
        (looks, generation, left) = (looks + 1, generation + stride, left - stride);
        let fingerprint = torus.fingerprint();
        if fingerprint == kept && torus.pattern() == kept_pattern {
            left %= generation - kept_at;
            break;
        }
        if looks == next_look {
            next_look *= 2;
            (kept, kept_at, kept_pattern) = (fingerprint, generation, torus.pattern());
        }
    }
    // Less than a cycle or a stride.
    torus.advance(left);
    Ok(Some(Evolved { pattern: torus.pattern(), generation: steps, background: false }))
}

fn on_grid(pattern: &Pattern, rule: &Rule, steps: u64, limits: Limits) -> Result<Evolved, EvolveError> {
    let mut grid = Grid::new(rule, pattern)?;
    let cells = |grid: &Grid| grid.size().0 as u64 * grid.size().1 as u64 / 1000 + 1;
    let (mut kept, mut kept_at, mut next_look) = (grid.fingerprint(), 0, 8);
    let mut kept_pattern = grid.pattern();
    let mut work = 0;
    let mut generation = 0;
    let mut left = steps;
    while left > 0 {
        grid.step()?;
        generation += 1;
        left -= 1;
        work += cells(&grid);
        if work > limits.work {
            return Err(EvolveError::Work { generation, steps, population: grid.population() });
        }
        if left > 0 && grid.fingerprint() == kept && grid.pattern() == kept_pattern {
            left %= generation - kept_at;
            // From here on the rest is shorter than a cycle.
            kept_at = u64::MAX;
            next_look = u64::MAX;
            kept = 0;
            kept_pattern = Pattern::default();
        }
        if generation == next_look && kept_at != u64::MAX {
            next_look *= 2;
            (kept, kept_at, kept_pattern) = (grid.fingerprint(), generation, grid.pattern());
        }
    }
    Ok(Evolved { pattern: grid.pattern(), generation: steps, background: false })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::automata::formats::PatternFile;
    use crate::automata::reference;

    fn run(rle: &str, rule: &str, steps: u64) -> Result<Evolved, EvolveError> {
        evolve(&PatternFile::read(rle).unwrap().pattern, &Rule::parse(rule).unwrap(), steps, Limits::default())
    }

    const GLIDER: &str = "bo$2bo$3o!";
    const R_PENTOMINO: &str = "b2o$2o$bo!";

    #[test]
    fn many_generations_of_what_settles_cost_nothing() {
        let glider = PatternFile::read(GLIDER).unwrap().pattern;
        assert_eq!(
            run(GLIDER, "B3/S23", 4_000_000_000).unwrap().pattern,
            glider.translated(1_000_000_000, 1_000_000_000)
        );
        assert_eq!(run("3o!", "B3/S23", u64::MAX).unwrap().pattern.bounding_box().unwrap().height, 3);
        let pentadecathlon = run("10o!", "B3/S23", 1_000_000_000_003).unwrap().pattern;
        assert_eq!(pentadecathlon, run("10o!", "B3/S23", 3 + 15 * 1000 + 1_000_000_000_000 % 15).unwrap().pattern);
        let far = run(R_PENTOMINO, "B3/S23", 1_000_000_001).unwrap();
        assert_eq!((far.pattern.population(), far.generation), (116, 1_000_000_001));
    }

    #[test]
    fn the_short_cut_agrees_with_the_long_way() {
        let rule = Rule::life();
        let soup = PatternFile::read(R_PENTOMINO).unwrap().pattern;
        let mut plane = Plane::with_pattern(&rule, &soup);
        plane.advance(50_003);
        assert_eq!(run(R_PENTOMINO, "B3/S23", 50_003).unwrap().pattern, plane.pattern());
    }

    #[test]
    fn growth_without_end_is_stopped_and_said() {
        let gun = "24bo$22bobo$12b2o6b2o12b2o$11bo3bo4b2o12b2o$2o8bo5bo3b2o$2o8bo3bob2o4bobo$10bo5bo7bo$11bo3bo$12b2o!";
        let limits = Limits { tiles: 100, work: 10_000_000 };
        let pattern = PatternFile::read(gun).unwrap().pattern;
        let error = evolve(&pattern, &Rule::life(), 1_000_000_000, limits).unwrap_err();
        assert!(matches!(error, EvolveError::Memory { tiles: 100, .. }), "{error}");
        let limits = Limits { tiles: 300_000, work: 10_000 };
        let error = evolve(&pattern, &Rule::life(), 1_000_000_000, limits).unwrap_err();
        assert!(matches!(error, EvolveError::Work { .. }), "{error}");
        assert!(matches!(run(GLIDER, "B3/S23", u64::MAX).unwrap_err(), EvolveError::Far { .. }));
        assert!(matches!(run("A.C!", "B3/S23", 1).unwrap_err(), EvolveError::States { found: 3, .. }));
        assert!(matches!(run("o!", "B0/S/C3", 1).unwrap_err(), EvolveError::Background(_)));
    }

    fn soup(side: i32) -> Pattern {
        let live = |&(x, y): &(i32, i32)| (x * x * 7 + y * y * 13 + x * y) % 11 < 4;
        Pattern::from_live((0..side).flat_map(|y| (0..side).map(move |x| (x, y))).filter(live))
    }

    #[test]
    fn cycles_on_a_torus() {
        let rule = Rule::parse("B3/S23:T16,12").unwrap();
        let mut slow = PatternFile::read(R_PENTOMINO).unwrap().pattern;
        let start = slow.clone();
        for _ in 0..1000 {
            slow = reference::step(&slow, &rule);
        }
        assert_eq!(evolve(&start, &rule, 1000, Limits::default()).unwrap().pattern, slow);
        // Larger boards look for cycles less often: this glider's takes 640 generations.
        let glider = PatternFile::read(GLIDER).unwrap().pattern;
        let rule = Rule::parse("B3/S23:T160,160").unwrap();
        let five = |steps| evolve(&glider, &rule, steps, Limits::default()).unwrap();
        assert_eq!(five(640_000_000_004).pattern, glider.translated(1, 1));
        assert_eq!(five(37).pattern, five(640 * 5_000_000 + 37).pattern);
        let error = evolve(&soup(160), &rule, 1 << 40, Limits { tiles: 0, work: 1000 }).unwrap_err();
        assert!(matches!(error, EvolveError::Work { .. }), "{error}");
        // A glider on a torus of side 16 repeats after 64 generations.
        let glider = PatternFile::read(GLIDER).unwrap().pattern;
        let rule = Rule::parse("B3/S23:T16,16").unwrap();
        assert_eq!(evolve(&glider, &rule, 64 * 1_000_000_000, Limits::default()).unwrap().pattern, glider);
    }
}
