//! How long the objects of a board live.
//!
//! An object is *intact* at step s if, on the cells that it would have at step s were it alone on the torus, and on
//! all their neighbours, the world is as if it were alone. It is *destroyed* at the first step after its last intact
//! one. So a glider that hits a block dies when its surroundings first differ for good from those of a glider on its
//! way; an eater that swallows it and recovers lives on; and so does an object that another one passes without harm.
//! Whether something recovers is watched for [`WATCHED`] steps; dooms are told up to [`LONGEST`] steps.

use super::board::Board;
use super::recognise::Object;
use super::sparse::{Cell, Field};
use super::step::Stepper;

/// Dooms beyond this many steps are not told.
pub const LONGEST: u32 = 32;
/// An object that is not intact any more may still recover until this step.
pub const WATCHED: u32 = 64;

/// Sets the `doom` of objects recognised on `trajectory[0]`. Objects of the kind `other` have none.
///
/// `trajectory[s]` is the world after s steps, for s from 0 to [`WATCHED`] at least; `alone` is the rule under which
/// the objects were recognised.
///
/// # Panics
/// If the trajectory is shorter.
pub fn set_dooms(objects: &mut [Object], trajectory: &[Board], alone: &Stepper) {
    assert!(trajectory.len() > WATCHED as usize, "a trajectory of {} boards", trajectory.len());
    let mut field = Field::new(&trajectory[0], alone);
    for object in objects {
        object.doom = doom(&mut field, object, trajectory);
    }
}

fn doom(field: &mut Field<'_>, object: &Object, trajectory: &[Board]) -> Option<u32> {
    let period = object.period?;
    let mut phases: Vec<Vec<Expected>> = Vec::with_capacity(period as usize);
    let mut cells: Vec<Cell> = object.cells.iter().map(|&(column, row)| row * field.width + column).collect();
    cells.sort_unstable();
    for _ in 0..period {
        phases.push(expected(field, &cells));
        cells = field.step(&cells);
    }
    let intact = |step: &u32| {
        let periods = (step / period) as i32;
        let moved = (object.displacement.0 * periods, object.displacement.1 * periods);
        let world = &trajectory[*step as usize];
        phases[(step % period) as usize].iter().all(|expected| {
            let (column, row) = field.column_row(field.moved(expected.cell, moved));
            world.get(column, row) == expected.live
        })
    };
    // Most objects live: the end is looked at first.
    if intact(&LONGEST) || (LONGEST + 1..=WATCHED).any(|step| intact(&step)) {
        return None;
    }
    (0..LONGEST).rev().find(intact).map(|last| last + 1)
}

struct Expected {
    cell: Cell,
    live: bool,
}

/// The cells of an object and their neighbours.
fn expected(field: &Field<'_>, cells: &[Cell]) -> Vec<Expected> {
    let mut around: Vec<Cell> = cells.iter().flat_map(|&cell| field.moore(cell)).collect();
    around.sort_unstable();
    around.dedup();
    around.into_iter().map(|cell| Expected { cell, live: cells.binary_search(&cell).is_ok() }).collect()
}
