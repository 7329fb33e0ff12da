//! How long the objects of a board live.
//!
//! An object is *intact* at step s if, on the cells that it would have at step s were it alone on the torus, and on
//! all their neighbours, the world is as if it were alone. It is *destroyed* at the first step after its last intact
//! one. So a glider that hits a block dies when its surroundings first differ for good from those of a glider on its
//! way; an eater that swallows it and recovers lives on; and so does an object that another one passes without harm.
//! Whether something recovers is watched for [`WATCHED`] steps; dooms are told up to [`LONGEST`] steps.

use super::board::Board;
use super::catalogue::Class;
use super::recognise::Object;
use super::sparse::{Cell, Field};
use super::step::Stepper;

/// Dooms beyond this many steps are not told.
pub const LONGEST: u32 = 32;
/// An object that is not intact any more may still recover until this step.
pub const WATCHED: u32 = 64;

/// What an object collides with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Collision {
    /// A still life.
    StillLife,
    /// An oscillator.
    Oscillator,
    /// A spaceship, such as a glider.
    Spaceship,
    /// What does not return to itself.
    Reaction,
    /// More than one of these.
    Several,
}

impl Collision {
    /// All kinds, in the order of class numbers.
    pub const ALL: [Collision; 5] = [Self::StillLife, Self::Oscillator, Self::Spaceship, Self::Reaction, Self::Several];

    /// Its name.
    pub fn name(self) -> &'static str {
        ["still-life", "oscillator", "spaceship", "reaction", "several"][self as usize]
    }

    /// The kind of a collision with objects of these classes; reactions count as one. `None` with nothing.
    pub(super) fn of(partners: impl Iterator<Item = Class>) -> Option<Collision> {
        let mut partners: Vec<Class> = partners.collect();
        partners.sort_unstable();
        let reactions = partners.iter().filter(|class| **class == Class::Other).count();
        partners.truncate(partners.len() + 1 - reactions.max(1));
        Some(match partners[..] {
            [] => return None,
            [Class::StillLife] => Self::StillLife,
            [Class::Oscillator] => Self::Oscillator,
            [Class::Spaceship] => Self::Spaceship,
            [Class::Other] => Self::Reaction,
            _ => Self::Several,
        })
    }
}

/// Sets the `doom` and `collision` of objects recognised on `trajectory[0]`. Objects of the kind `other` have none.
///
/// `trajectory[s]` is the world after s steps, for s from 0 to [`WATCHED`] at least; `alone` is the rule under which
/// the objects were recognised.
///
/// # Panics
/// If the trajectory is shorter.
pub fn set_dooms(objects: &mut [Object], trajectory: &[Board], alone: &Stepper) {
    assert!(trajectory.len() > WATCHED as usize, "a trajectory of {} boards", trajectory.len());
    let mut field = Field::new(&trajectory[0], alone);
    let lives: Vec<Option<Life>> = objects.iter().map(|object| Life::new(&mut field, object, 0)).collect();
    for (object, life) in objects.iter_mut().zip(&lives) {
        object.doom = life.as_ref().and_then(|life| life.doom(&field, trajectory));
    }
    let doomed: Vec<usize> = (0..objects.len()).filter(|&number| objects[number].doom.is_some()).collect();
    for number in doomed {
        objects[number].collision = collision(&field, objects, &lives, trajectory, number);
    }
}

/// What a doomed object collides with: of the cells around it that are first other than they would be, the neighbourhoods
/// a step before hold live cells of these. What has come into being since the start is a reaction here.
fn collision(
    field: &Field<'_>,
    objects: &[Object],
    lives: &[Option<Life>],
    trajectory: &[Board],
    number: usize,
) -> Option<Collision> {
    let (own, doom) = (lives[number].as_ref()?, objects[number].doom?);
    let before = doom - 1;
    let live = |step: u32, cell: Cell| is_live(field, trajectory, step, cell);
    let holds = |life: &Life, cell: Cell| life.at(field, before).any(|(own, is_live)| is_live && own == cell);
    let changed = own.at(field, doom).filter(|&(cell, expected)| live(doom, cell) != expected);
    let mut near: Vec<Cell> = changed.flat_map(|(cell, _)| field.moore(cell)).collect();
    near.sort_unstable();
    near.dedup();
    near.retain(|&cell| live(before, cell) && !holds(own, cell));
    let mut partners = vec![false; objects.len() + 1];
    for cell in near {
        let partner = (0..objects.len()).find(|&other| {
            let lasts = objects[other].doom.is_none_or(|doom| doom > before);
            other != number && lasts && lives[other].as_ref().is_some_and(|life| holds(life, cell))
        });
        partners[partner.unwrap_or(objects.len())] = true;
    }
    let met = partners.iter().enumerate().filter(|(_, met)| **met);
    Collision::of(met.map(|(other, _)| objects.get(other).map_or(Class::Other, |object| object.kind.class())))
}

/// Whether a cell is live in the world after some steps.
pub(super) fn is_live(field: &Field<'_>, trajectory: &[Board], step: u32, cell: Cell) -> bool {
    let (column, row) = field.column_row(cell);
    trajectory[step as usize].get(column, row)
}

/// What an object that returns to itself would be alone, from the step on at which it is seen.
pub(super) struct Life {
    pub(super) born: u32,
    displacement: (i32, i32),
    /// Its cells and their neighbours, and whether they are live, in each phase from then on.
    phases: Vec<Vec<(Cell, bool)>>,
}

impl Life {
    /// `None` for an object that does not return to itself.
    pub(super) fn new(field: &mut Field<'_>, object: &Object, born: u32) -> Option<Life> {
        let period = object.period?;
        let mut cells: Vec<Cell> = object.cells.iter().map(|&(column, row)| row * field.width + column).collect();
        cells.sort_unstable();
        let mut phases = Vec::with_capacity(period as usize);
        for _ in 0..period {
            phases.push(expected(field, &cells));
            cells = field.step(&cells);
        }
        Some(Life { born, displacement: object.displacement, phases })
    }

    /// Its cells and their neighbours at a step.
    pub(super) fn at<'a>(&'a self, field: &'a Field<'_>, step: u32) -> impl Iterator<Item = (Cell, bool)> + 'a {
        let (passed, period) = (step - self.born, self.phases.len() as u32);
        let times = (passed / period) as i32;
        let moved = (self.displacement.0 * times, self.displacement.1 * times);
        self.phases[(passed % period) as usize].iter().map(move |&(cell, live)| (field.moved(cell, moved), live))
    }

    /// Whether the world is as if it were alone, on its cells and their neighbours.
    pub(super) fn is_intact(&self, field: &Field<'_>, trajectory: &[Board], step: u32) -> bool {
        self.at(field, step).all(|(cell, live)| is_live(field, trajectory, step, cell) == live)
    }

    fn doom(&self, field: &Field<'_>, trajectory: &[Board]) -> Option<u32> {
        let intact = |step: &u32| self.is_intact(field, trajectory, *step);
        // Most objects live: the end is looked at first.
        if intact(&LONGEST) || (LONGEST + 1..=WATCHED).any(|step| intact(&step)) {
            return None;
        }
        (0..LONGEST).rev().find(intact).map(|last| last + 1)
    }
}

/// The cells of an object and their neighbours, and whether they are live.
fn expected(field: &Field<'_>, cells: &[Cell]) -> Vec<(Cell, bool)> {
    let mut around: Vec<Cell> = cells.iter().flat_map(|&cell| field.moore(cell)).collect();
    around.sort_unstable();
    around.dedup();
    around.into_iter().map(|cell| (cell, cells.binary_search(&cell).is_ok())).collect()
}
