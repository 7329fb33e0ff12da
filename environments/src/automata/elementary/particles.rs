//! Particles: defects of a domain followed through time, their motion, and where they meet.

use super::LineRule;
use super::domain::{Defect, Domain};

/// The longest period that is looked for.
const LONGEST_PERIOD: usize = 128;
/// The farthest, in columns, that a defect's edge moves in a generation: one by the rule, and one more where another of
/// two overlapping domains breaks first.
const REACH: usize = 2;
/// The fewest generations of which a motion is told.
const SHORTEST_TRACK: usize = 4;

/// A space-time diagram taken apart into domains, walls and particles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Particles {
    /// The rule's domain.
    pub domain: Domain,
    /// Cells of the ring.
    pub width: usize,
    /// Each cell's domain phase, row by row; `None` on a wall or particle.
    pub phases: Vec<Option<u8>>,
    /// The track that covers each cell, row by row; `None` in a domain.
    pub covers: Vec<Option<u32>>,
    /// Walls and particles by their numbers.
    pub tracks: Vec<Track>,
    /// Where tracks begin or end otherwise than at the first and last row, in the order of time.
    pub collisions: Vec<Collision>,
}

/// A defect from where it arises to where it ends: a particle if its motion repeats, else a wall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// The first row.
    pub birth: usize,
    /// In each row, the first column (going on past the ring's ends) and the number of columns.
    pub spans: Vec<(i64, usize)>,
    /// The domain phases to the west and to the east of it in the first row.
    pub between: (Option<u8>, Option<u8>),
    /// How it moves, if it repeats.
    pub motion: Option<Motion>,
    /// Its name in the literature.
    pub name: Option<&'static str>,
}

/// A motion that repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Motion {
    /// Generations.
    pub period: usize,
    /// Columns to the east in a period.
    pub displacement: i64,
}

/// Tracks that end and tracks that begin together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collision {
    /// The first row in which the tracks `before` are no more.
    pub row: usize,
    /// A column in its middle.
    pub column: usize,
    /// Tracks that end; none where a particle arises from a domain that ends.
    pub before: Vec<u32>,
    /// Tracks that begin; none where particles annihilate.
    pub after: Vec<u32>,
}

/// Why no particles can be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParticleError {
    /// A rule whose domain is not known.
    #[error("no domain of rule {rule} is known; known are {known}, and rules equivalent to them")]
    Rule {
        /// The rule.
        rule: LineRule,
        /// Those that are.
        known: String,
    },
    /// Rows that are not of one ring.
    #[error("the rows are not all of one ring of at least one cell")]
    Rows,
}

impl Particles {
    /// The particles of a ring's history, `rows[t][column]` 0 or 1.
    ///
    /// # Errors
    /// If no domain of the rule is known or the rows do not make a history.
    pub fn find(rule: LineRule, rows: &[Vec<u8>]) -> Result<Self, ParticleError> {
        let Some(domain) = Domain::of(rule) else {
            let known = Domain::known().map(|rule| rule.to_string()).collect::<Vec<_>>().join(", ");
            return Err(ParticleError::Rule { rule, known });
        };
        let width = rows.first().map_or(0, Vec::len);
        if width == 0 || rows.iter().any(|row| row.len() != width) {
            return Err(ParticleError::Rows);
        }
        let mut found = Self {
            domain,
            width,
            phases: Vec::with_capacity(rows.len() * width),
            covers: vec![None; rows.len() * width],
            tracks: Vec::new(),
            collisions: Vec::new(),
        };
        // Defects of the row before, with their tracks.
        let mut before: Vec<(Defect, u32)> = Vec::new();
        for (t, row) in rows.iter().enumerate() {
            let parsed = found.domain.parse(row, t);
            found.phases.extend(parsed.phases);
            before = found.follow(t, &before, parsed.defects);
        }
        for track in 0..found.tracks.len() {
            found.name(track, rows);
        }
        Ok(found)
    }

    /// Goes on with the tracks of defects that have one successor of which they are the only predecessor, and begins new
    /// ones for all others.
    fn follow(&mut self, t: usize, before: &[(Defect, u32)], defects: Vec<Defect>) -> Vec<(Defect, u32)> {
        let width = self.width;
        let near = |a: &Defect, b: &Defect| {
            let start = (b.start + REACH * width - REACH) % width;
            (start + width - a.start) % width < a.length || (a.start + width - start) % width < b.length + 2 * REACH
        };
        let groups = groups(before.len(), defects.len(), |i, j| near(&before[i].0, &defects[j]));
        let mut after: Vec<(Defect, u32)> = defects.into_iter().map(|defect| (defect, u32::MAX)).collect();
        for (old, new) in groups {
            if let ([old], [new]) = (&old[..], &new[..]) {
                let (defect, number) = (before[*old].0, before[*old].1);
                let next = &mut after[*new];
                next.1 = number;
                let moved = (next.0.start as i64 - defect.start as i64 + (width / 2) as i64).rem_euclid(width as i64);
                let track = &mut self.tracks[number as usize];
                let at = track.spans.last().map_or(0, |span| span.0);
                track.spans.push((at + moved - (width / 2) as i64, next.0.length));
                continue;
            }
            for &place in &new {
                let defect = &mut after[place];
                defect.1 = self.tracks.len() as u32;
                self.tracks.push(Track {
                    birth: t,
                    spans: vec![(defect.0.start as i64, defect.0.length)],
                    between: (defect.0.left, defect.0.right),
                    motion: None,
                    name: None,
                });
            }
            let middle = new.first().map(|&place| after[place].0).or(old.first().map(|&place| before[place].0));
            if let Some(middle) = middle.filter(|_| t > 0) {
                self.collisions.push(Collision {
                    row: t,
                    column: (middle.start + middle.length / 2) % width,
                    before: old.iter().map(|&place| before[place].1).collect(),
                    after: new.iter().map(|&place| after[place].1).collect(),
                });
            }
        }
        for (defect, number) in &after {
            for place in defect.start..defect.start + defect.length {
                // Neighbouring defects may share a cell, which is the western one's.
                self.covers[t * width + place % width].get_or_insert(*number);
            }
        }
        after
    }

    /// Tells how a track moves and what it is called.
    fn name(&mut self, number: usize, rows: &[Vec<u8>]) {
        let track = &mut self.tracks[number];
        // Walls of a domain that has no particles wander.
        if self.domain.kinds().is_empty() {
            return;
        }
        track.motion = motion(track, rows);
        let shift = track.between.0.zip(track.between.1).and_then(|(left, right)| self.domain.shift(left, right));
        track.name = track.motion.and_then(|motion| {
            let fits = |kind: &&super::domain::Kind| {
                (kind.period, kind.displacement) == (motion.period, motion.displacement)
                    && kind.shift.is_none_or(|wanted| shift == Some(wanted))
            };
            self.domain.kinds().iter().find(fits).map(|kind| kind.name)
        });
    }

    /// The track that covers a cell.
    pub fn track_at(&self, row: usize, column: usize) -> Option<&Track> {
        self.covers[row * self.width + column].map(|number| &self.tracks[number as usize])
    }

    /// The share of the cells that are in a domain.
    pub fn domain_share(&self) -> f64 {
        let cells = self.phases.iter().filter(|phase| phase.is_some()).count();
        cells as f64 / self.phases.len().max(1) as f64
    }
}

/// The least period with which at least three quarters of a track repeat, at least once and a half over.
fn motion(track: &Track, rows: &[Vec<u8>]) -> Option<Motion> {
    let length = track.spans.len();
    if length < SHORTEST_TRACK {
        return None;
    }
    let cells = |i: usize| {
        let (start, span) = track.spans[i];
        let row = &rows[track.birth + i];
        (0..span).map(move |place| row[(start + place as i64).rem_euclid(row.len() as i64) as usize])
    };
    let same = |i: usize, j: usize| track.spans[i].1 == track.spans[j].1 && cells(i).eq(cells(j));
    for period in 1..=LONGEST_PERIOD.min(length * 2 / 3) {
        let (mut longest, mut best) = (0, 0);
        let (mut stretch, mut displacement) = (0, 0);
        for i in 0..length - period {
            let moved = track.spans[i + period].0 - track.spans[i].0;
            if !same(i, i + period) {
                stretch = 0;
                continue;
            }
            stretch = if stretch > 0 && moved == displacement { stretch + 1 } else { 1 };
            displacement = moved;
            if stretch > longest {
                (longest, best) = (stretch, displacement);
            }
        }
        if 2 * longest >= period && longest + period >= SHORTEST_TRACK && 4 * (longest + period) >= 3 * length {
            return Some(Motion { period, displacement: best });
        }
    }
    None
}

/// The connected groups of two sets, as numbers of the one and of the other; in the order of their first members, those
/// with members of the first set before the others.
fn groups(first: usize, second: usize, near: impl Fn(usize, usize) -> bool) -> Vec<(Vec<usize>, Vec<usize>)> {
    let mut group: Vec<usize> = (0..first + second).collect();
    for (i, j) in (0..first).flat_map(|i| (0..second).map(move |j| (i, j))).filter(|&(i, j)| near(i, j)) {
        let (a, b) = (group[i].min(group[first + j]), group[i].max(group[first + j]));
        if a != b {
            group.iter_mut().filter(|other| **other == b).for_each(|other| *other = a);
        }
    }
    let mut groups: Vec<(Vec<usize>, Vec<usize>)> = vec![(Vec::new(), Vec::new()); first + second];
    for (member, &leader) in group.iter().enumerate() {
        if member < first { groups[leader].0.push(member) } else { groups[leader].1.push(member - first) }
    }
    groups.retain(|group| !(group.0.is_empty() && group.1.is_empty()));
    groups
}

#[cfg(test)]
mod tests;
