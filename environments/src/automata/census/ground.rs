//! The objects on a plane, told apart by the ground they cover.

use crate::automata::plane::{Places, Plane};

/// The cells of each object, sorted, relative to the corner of its bounding box.
///
/// The ground is every cell that was live since the recording began. Cells are on the same ground when one is within
/// two steps of the other, a king's and a rook's move (two king's moves where corners give birth).
pub(super) fn objects(plane: &mut Plane, corners: bool) -> Vec<Vec<(i32, i32)>> {
    let live = plane.pattern();
    let history = plane.history();
    let mut ground: Places<(i32, i32), bool> = Places::default();
    ground.reserve(history.population());
    ground.extend(history.cells().iter().map(|cell| ((cell.x, cell.y), false)));
    ground.extend(live.cells().iter().map(|cell| ((cell.x, cell.y), true)));
    let reach: Vec<(i32, i32)> = (-2..=2i32)
        .flat_map(|y| (-2..=2i32).map(move |x| (x, y)))
        .filter(|&(x, y)| (x, y) != (0, 0) && (corners || x.abs() + y.abs() < 4))
        .collect();
    let mut objects = Vec::new();
    for cell in live.cells() {
        let Some(is_live) = ground.remove(&(cell.x, cell.y)) else { continue };
        let mut open = vec![(cell.x, cell.y, is_live)];
        let mut object = Vec::new();
        while let Some((x, y, is_live)) = open.pop() {
            if is_live {
                object.push((x, y));
            }
            for (dx, dy) in &reach {
                let place = (x + dx, y + dy);
                if let Some(is_live) = ground.remove(&place) {
                    open.push((place.0, place.1, is_live));
                }
            }
        }
        let left = object.iter().map(|place| place.0).min().unwrap_or(0);
        let top = object.iter().map(|place| place.1).min().unwrap_or(0);
        object.iter_mut().for_each(|place| *place = (place.0 - left, place.1 - top));
        object.sort_unstable_by_key(|&(x, y)| (y, x));
        objects.push(object);
    }
    objects
}
