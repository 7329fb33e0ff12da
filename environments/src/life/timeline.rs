//! Ground truth for every cell and step: which object a cell belongs to, since when, and what ends it.
//!
//! **Tracks.** An object that returns to itself is one track for as long as it is *intact* as [`doom`](super::doom) defines
//! it: through its phases and its motion, and through disturbances from which it recovers. Its cells are those that it
//! would have alone; it is born at the first step at which it is recognised and lives at least to the next (at step 0
//! whatever is recognised is there), and ends at the first step after its last intact one. All other live cells belong to
//! *reactions*: tracks of the kind `other`. A reaction goes on in what its cells bring forth; where several meet, the one
//! with the lowest number goes on and the others end. So every live cell belongs to exactly one track.
//!
//! **Collisions.** What ends an object is told by the cells around it that are first other than they would be: their
//! neighbourhoods a step before hold live cells of other tracks, and those are what it collided with.

use super::board::Board;
use super::catalogue::{self, Class};
use super::doom::{Collision, Life, is_live};
use super::recognise::{Kind, LONGEST_PERIOD, Object, recognise};
use super::sparse::{Cell, Field};
use super::step::Stepper;
use crate::automata::apgcode::{self, Motion};
use crate::automata::{Pattern, Rule, reference};
use std::collections::{BTreeMap, BTreeSet};

/// Steps after the last that are looked at, for objects may recover.
const AFTERWARDS: u32 = 32;
const NONE: u32 = u32::MAX;

/// How a track ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The first step at which it is no more.
    pub step: u32,
    /// The tracks that it collided with, ascending; for reactions those that go on in its place.
    pub with: Vec<u32>,
    /// What it collided with; `None` for reactions, which die down, settle or merge.
    pub collision: Option<Collision>,
}

/// An object through time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// Its number: its place in [`Timeline::tracks`].
    pub id: u32,
    /// Its name and class; `other` for reactions.
    pub kind: Kind,
    /// Its apgcode under the rule that objects are recognised by, if it does alone on the plane what it does on the torus.
    pub apgcode: Option<String>,
    /// Steps until it, alone, returns to itself; `None` for reactions.
    pub period: Option<u32>,
    /// (columns, rows) it has moved after a period.
    pub displacement: (i32, i32),
    /// Its phase at `born`: 0 is a glider's as [drawn](crate::life#the-phases-of-a-glider), any other object's the one whose
    /// cells, row by row from the corner of their box, come first in order.
    pub phase: Option<u32>,
    /// The step at which it is born, 0 for what is there at the start.
    pub born: u32,
    /// The tracks out of which it came, ascending; none at the start.
    pub parents: Vec<u32>,
    /// Its end; `None` if it outlives the timeline.
    pub end: Option<Ending>,
}

impl Track {
    /// Cells moved in a step, as a share of the speed of light c, a cell a step: a glider's is 0.25.
    pub fn speed(&self) -> f64 {
        let cells = self.displacement.0.unsigned_abs().max(self.displacement.1.unsigned_abs());
        f64::from(cells) / f64::from(self.period.unwrap_or(1))
    }

    /// The signs of columns and rows that it moves: (1, -1) is north-east; `None` where it does not move.
    pub fn heading(&self) -> Option<(i32, i32)> {
        (self.displacement != (0, 0)).then_some((self.displacement.0.signum(), self.displacement.1.signum()))
    }
}

/// What is true of a cell at a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CellTruth<'a> {
    /// Whether it is live.
    pub live: bool,
    /// Whether neither it nor a neighbour is live: the background, which is dead in these worlds.
    pub background: bool,
    /// The object that it belongs to, if it is live.
    pub track: Option<&'a Track>,
    /// The object's phase.
    pub phase: Option<u32>,
    /// Steps since the object's birth.
    pub age: Option<u32>,
    /// Steps until its end.
    pub remaining: Option<u32>,
}

/// The tracks of a trajectory, and whose every cell is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// All tracks, by birth.
    pub tracks: Vec<Track>,
    /// The boards, one a step.
    boards: Vec<Board>,
    /// The track of each cell, row-major, in each step.
    owners: Vec<Vec<u32>>,
}

impl Timeline {
    /// The timeline of a board under a rule for a number of steps; objects are recognised under the rule `alone`.
    pub fn new(start: &Board, rule: &Stepper, alone: &Stepper, steps: u32) -> Timeline {
        let trajectory = rule.trajectory(start, steps + AFTERWARDS);
        let mut weaver = Weaver::new(&trajectory, alone, steps);
        (0..=steps).for_each(|step| weaver.weave(step));
        weaver.finish()
    }

    /// Steps after the start.
    pub fn steps(&self) -> u32 {
        self.owners.len() as u32 - 1
    }

    /// The board at a step.
    ///
    /// # Panics
    /// If the step is beyond [`Self::steps`].
    pub fn board(&self, step: u32) -> &Board {
        &self.boards[step as usize]
    }

    /// The number of the track that a cell belongs to at a step; `None` for dead cells.
    ///
    /// # Panics
    /// If there is no such step or cell.
    pub fn owner(&self, step: u32, column: u32, row: u32) -> Option<u32> {
        let owner = self.owners[step as usize][(row * self.board(step).width() + column) as usize];
        (owner != NONE).then_some(owner)
    }

    /// The phase of a track at a step of its life.
    pub fn phase(&self, track: u32, step: u32) -> Option<u32> {
        let track = &self.tracks[track as usize];
        Some((track.phase? + step.checked_sub(track.born)?) % track.period?)
    }

    /// All that is true of a cell at a step.
    ///
    /// # Panics
    /// If there is no such step or cell.
    pub fn cell(&self, step: u32, column: u32, row: u32) -> CellTruth<'_> {
        let board = self.board(step);
        let near = (-1..=1).flat_map(|down| (-1..=1).map(move |right| (right, down)));
        let background = near.into_iter().all(|(right, down)| {
            let (x, y) = board.wrap(i64::from(column) + right, i64::from(row) + down);
            !board.get(x, y)
        });
        let track = self.owner(step, column, row).map(|id| &self.tracks[id as usize]);
        CellTruth {
            live: board.get(column, row),
            background,
            track,
            phase: track.and_then(|track| self.phase(track.id, step)),
            age: track.map(|track| step - track.born),
            remaining: track.and_then(|track| Some(track.end.as_ref()?.step - step)),
        }
    }
}

/// An object that returns to itself, while the timeline is made.
struct Thread {
    id: u32,
    life: Life,
    /// The last step at which it is intact.
    last: u32,
}

/// Apgcodes, and phases from the first in order, by cells.
type Names = BTreeMap<catalogue::Shape, (Option<String>, u32)>;

struct Weaver<'a> {
    trajectory: &'a [Board],
    alone: &'a Stepper,
    rule: Rule,
    field: Field<'a>,
    steps: u32,
    tracks: Vec<Track>,
    threads: Vec<Thread>,
    owners: Vec<Vec<u32>>,
    /// Names and phases of objects by their cells, which come again and again.
    names: Names,
}

impl<'a> Weaver<'a> {
    fn new(trajectory: &'a [Board], alone: &'a Stepper, steps: u32) -> Self {
        let table = *alone.table();
        Self {
            trajectory,
            alone,
            rule: Rule::from_table(|index| table[index]),
            field: Field::new(&trajectory[0], alone),
            steps,
            tracks: Vec::new(),
            threads: Vec::new(),
            owners: Vec::new(),
            names: BTreeMap::new(),
        }
    }

    fn is_live(&self, step: u32, cell: Cell) -> bool {
        is_live(&self.field, self.trajectory, step, cell)
    }

    /// Finds the owners of all cells at a step.
    fn weave(&mut self, step: u32) {
        let trajectory = self.trajectory;
        let board = &trajectory[step as usize];
        let mut owners = vec![NONE; board.area()];
        for thread in self.threads.iter().filter(|thread| thread.last >= step) {
            for (cell, _) in thread.life.at(&self.field, step).filter(|&(cell, live)| live && self.is_live(step, cell))
            {
                if owners[cell as usize] == NONE {
                    owners[cell as usize] = thread.id;
                }
            }
        }
        let width = board.width();
        let free = |owners: &[u32], cell: &(u32, u32)| owners[(cell.1 * width + cell.0) as usize] == NONE;
        if !board.live().any(|cell| free(&owners, &cell)) {
            self.owners.push(owners);
            return;
        }
        let mut loose = Vec::new();
        for object in recognise(board, self.alone) {
            let cells: Vec<Cell> =
                object.cells.iter().filter(|cell| free(&owners, cell)).map(|cell| cell.1 * width + cell.0).collect();
            if cells.is_empty() {
                continue;
            }
            let whole = cells.len() == object.cells.len();
            match self.thread(&object, step).filter(|_| whole) {
                Some(thread) => {
                    let id = thread.id;
                    cells.iter().for_each(|&cell| owners[cell as usize] = id);
                    let parents = self.ancestors(step, &cells).into_iter().collect();
                    let track = self.track(&object, step, parents);
                    self.threads.push(thread);
                    self.tracks.push(track);
                }
                None => loose.push((object, cells)),
            }
        }
        self.react(step, loose, &mut owners);
        self.owners.push(owners);
    }

    /// The life of an object that is recognised at a step, if it returns to itself and lives on.
    fn thread(&mut self, object: &Object, born: u32) -> Option<Thread> {
        let life = Life::new(&mut self.field, object, born)?;
        let steps = born..self.trajectory.len() as u32;
        let last = steps.rev().find(|&step| life.is_intact(&self.field, self.trajectory, step))?;
        (born == 0 || last > born).then_some(Thread { id: self.tracks.len() as u32, life, last })
    }

    fn track(&mut self, object: &Object, born: u32, parents: Vec<u32>) -> Track {
        let (apgcode, phase) = self.name(object);
        Track {
            id: self.tracks.len() as u32,
            kind: object.kind,
            apgcode,
            period: object.period,
            displacement: object.displacement,
            phase: object.phase.or(phase),
            born,
            parents,
            end: None,
        }
    }

    /// The apgcode and the phase of an object.
    fn name(&mut self, object: &Object) -> (Option<String>, Option<u32>) {
        let Some(period) = object.period else { return (None, None) };
        let (width, height) = (self.field.width, self.field.height);
        let bounds = object.bounds;
        let unwrapped = object
            .cells
            .iter()
            .map(|&(x, y)| ((x + width - bounds.column) % width, (y + height - bounds.row) % height));
        let (cells, _) = catalogue::shape(&unwrapped.collect::<Vec<_>>());
        let rule = &self.rule;
        let (code, phase) = self.names.entry(cells).or_insert_with_key(|cells| {
            let pattern = Pattern::from_live(cells.iter().map(|&(x, y)| (x as i32, y as i32)));
            let (dx, dy) = object.displacement;
            let motion = Motion { period: u64::from(period), dx, dy };
            if apgcode::motion(&pattern, rule, u64::from(LONGEST_PERIOD)) != Some(motion) {
                return (None, 0);
            }
            let phases = std::iter::successors(Some(pattern.clone()), |now| Some(reference::step(now, rule)));
            let shapes = phases.take(period as usize).map(|phase| {
                let phase = phase.normalized();
                phase.cells().iter().map(|cell| (cell.y, cell.x)).collect::<Vec<_>>()
            });
            let first = shapes.enumerate().min_by(|a, b| a.1.cmp(&b.1)).map_or(0, |(steps, _)| steps as u32);
            (Some(apgcode::encode_moving(&pattern, rule, motion)), (period - first) % period)
        });
        (code.clone(), Some(*phase))
    }

    /// The tracks whose live cells, a step before, are in the neighbourhoods of some cells.
    fn ancestors(&self, step: u32, cells: &[Cell]) -> BTreeSet<u32> {
        let Some(owners) = self.owners.last().filter(|_| step > 0) else { return BTreeSet::new() };
        let around = cells.iter().flat_map(|&cell| self.field.moore(cell));
        around.map(|cell| owners[cell as usize]).filter(|&owner| owner != NONE).collect()
    }

    /// Gives what is left to reactions.
    fn react(&mut self, step: u32, loose: Vec<(Object, Vec<Cell>)>, owners: &mut [u32]) {
        let first = self.tracks.len() as u32;
        for (object, cells) in loose {
            let ancestors = self.ancestors(step, &cells);
            let is_reaction = |id: &&u32| self.tracks[**id as usize].period.is_none();
            let known = ancestors.iter().find(is_reaction).copied().or_else(|| {
                // Clumps that come out of one collision are one reaction.
                let new = self.tracks.iter().skip(first as usize).filter(|track| track.period.is_none());
                new.into_iter()
                    .find(|track| track.parents.iter().any(|id| ancestors.contains(id)))
                    .map(|track| track.id)
            });
            let id = known.unwrap_or_else(|| {
                let object = Object {
                    kind: Kind::unnamed(Class::Other),
                    period: None,
                    phase: None,
                    displacement: (0, 0),
                    ..object
                };
                let track = self.track(&object, step, ancestors.iter().copied().collect());
                self.tracks.push(track);
                self.tracks.len() as u32 - 1
            });
            cells.iter().for_each(|&cell| owners[cell as usize] = id);
        }
    }

    /// Tells how tracks end.
    fn finish(mut self) -> Timeline {
        for thread in self.threads.iter().filter(|thread| thread.last < self.steps) {
            let step = thread.last + 1;
            let before = &self.owners[thread.last as usize];
            let changed = thread.life.at(&self.field, step).filter(|&(cell, live)| self.is_live(step, cell) != live);
            let near = changed.flat_map(|(cell, _)| self.field.moore(cell)).map(|cell| before[cell as usize]);
            let with: BTreeSet<u32> = near.filter(|&owner| owner != NONE && owner != thread.id).collect();
            let collision = Collision::of(with.iter().map(|&id| self.tracks[id as usize].kind.class()));
            self.tracks[thread.id as usize].end = Some(Ending { step, with: with.into_iter().collect(), collision });
        }
        for id in 0..self.tracks.len() as u32 {
            if self.tracks[id as usize].period.is_some() {
                continue;
            }
            let owned = |owners: &Vec<u32>| owners.contains(&id);
            let last = self.owners.iter().rposition(owned).map_or(self.tracks[id as usize].born, |step| step as u32);
            if last < self.steps {
                // What comes out of its last cells takes over.
                let next = &self.owners[last as usize + 1];
                let cells = self.owners[last as usize].iter().zip(0..).filter(|(owner, _)| **owner == id);
                let near =
                    cells.flat_map(|(_, cell): (_, Cell)| self.field.moore(cell)).map(|cell| next[cell as usize]);
                let with: BTreeSet<u32> = near.filter(|&owner| owner != NONE).collect();
                self.tracks[id as usize].end =
                    Some(Ending { step: last + 1, with: with.into_iter().collect(), collision: None });
            }
        }
        let boards = self.trajectory[..=self.steps as usize].to_vec();
        Timeline { tracks: self.tracks, boards, owners: self.owners }
    }
}
