//! The objects on a plane, told apart by the ground they cover.

use crate::automata::plane::{Places, Plane};

/// Cells of the rectangle around the ground up to which a byte is kept for each.
const DENSE: usize = 1 << 22;
/// The farthest that cells on the same ground are apart.
const FAR: i32 = 2;

/// Objects, with the memory to find them in.
#[derive(Default)]
pub(super) struct Ground {
    /// The cells of all objects, one after the other.
    cells: Vec<(i32, i32)>,
    /// Where each object ends among them.
    ends: Vec<usize>,
    live: Vec<(i32, i32)>,
    open: Vec<(usize, i32, i32)>,
    dense: Vec<u8>,
}

impl Ground {
    /// Finds the objects on a plane that has been recording.
    ///
    /// The ground is every cell that was live since the recording began. Cells are on the same ground when one is
    /// within two steps of the other, a king's and a rook's move (two king's moves where corners give birth).
    pub(super) fn find(&mut self, plane: &Plane, corners: bool) {
        self.cells.clear();
        self.ends.clear();
        self.live.clear();
        let (mut low, mut high) = ((i32::MAX, i32::MAX), (i32::MIN, i32::MIN));
        plane.each_recorded(|x, y, is_live| {
            (low, high) = ((low.0.min(x), low.1.min(y)), (high.0.max(x), high.1.max(y)));
            if is_live {
                self.live.push((x, y));
            }
        });
        if self.live.is_empty() {
            return;
        }
        let side = |low: i32, high: i32| high.abs_diff(low) as usize + 1 + 2 * FAR as usize;
        let (width, height) = (side(low.0, high.0), side(low.1, high.1));
        if width.saturating_mul(height) <= DENSE {
            self.find_dense(plane, corners, (low.0 - FAR, low.1 - FAR), (width, height));
        } else {
            self.find_sparse(plane, corners);
        }
    }

    /// The cells of each object, by row and column, relative to the corner of its bounding box.
    pub(super) fn objects(&self) -> impl Iterator<Item = &[(i32, i32)]> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts.zip(&self.ends).map(|(&start, &end)| &self.cells[start..end])
    }

    /// The offsets of cells on the same ground.
    fn reach(corners: bool) -> impl Iterator<Item = (i32, i32)> {
        (-FAR..=FAR)
            .flat_map(|y| (-FAR..=FAR).map(move |x| (x, y)))
            .filter(move |&(x, y)| (x, y) != (0, 0) && (corners || x.abs() + y.abs() < 4))
    }

    /// With a byte a cell: 0 for none (any more), 1 for ground, 2 for live.
    fn find_dense(&mut self, plane: &Plane, corners: bool, corner: (i32, i32), (width, height): (usize, usize)) {
        let Self { dense, live, open, .. } = self;
        dense.clear();
        dense.resize(width * height, 0);
        let place = |x: i32, y: i32| (y - corner.1) as usize * width + (x - corner.0) as usize;
        plane.each_recorded(|x, y, is_live| dense[place(x, y)] = 1 + u8::from(is_live));
        let mut reach = [(0, 0, 0); 24];
        let mut count = 0;
        for ((x, y), slot) in Self::reach(corners).zip(&mut reach) {
            *slot = (y as isize * width as isize + x as isize, x, y);
            count += 1;
        }
        for &(x, y) in live.iter() {
            let start = place(x, y);
            if dense[start] == 0 {
                continue;
            }
            let first = self.cells.len();
            dense[start] = 0;
            self.cells.push((x, y));
            open.push((start, x, y));
            while let Some((from, x, y)) = open.pop() {
                for &(offset, dx, dy) in &reach[..count] {
                    // The margin of the rectangle is as wide as the reach.
                    let to = from.wrapping_add_signed(offset);
                    let found = std::mem::take(&mut dense[to]);
                    if found != 0 {
                        open.push((to, x + dx, y + dy));
                    }
                    if found == 2 {
                        self.cells.push((x + dx, y + dy));
                    }
                }
            }
            finish(&mut self.cells[first..]);
            self.ends.push(self.cells.len());
        }
    }

    /// With a map, for what is spread far.
    fn find_sparse(&mut self, plane: &Plane, corners: bool) {
        let mut ground: Places<(i32, i32), bool> = Places::default();
        plane.each_recorded(|x, y, is_live| {
            ground.insert((x, y), is_live);
        });
        let reach: Vec<(i32, i32)> = Self::reach(corners).collect();
        for &cell in &self.live {
            let Some(is_live) = ground.remove(&cell) else { continue };
            let first = self.cells.len();
            let mut open = vec![(cell.0, cell.1, is_live)];
            while let Some((x, y, is_live)) = open.pop() {
                if is_live {
                    self.cells.push((x, y));
                }
                for (dx, dy) in &reach {
                    let place = (x + dx, y + dy);
                    if let Some(is_live) = ground.remove(&place) {
                        open.push((place.0, place.1, is_live));
                    }
                }
            }
            finish(&mut self.cells[first..]);
            self.ends.push(self.cells.len());
        }
    }
}

/// Moves an object's cells to the corner of its bounding box and sorts them.
fn finish(object: &mut [(i32, i32)]) {
    let left = object.iter().map(|place| place.0).min().unwrap_or(0);
    let top = object.iter().map(|place| place.1).min().unwrap_or(0);
    object.iter_mut().for_each(|place| *place = (place.0 - left, place.1 - top));
    object.sort_unstable_by_key(|&(x, y)| (y, x));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::automata::rule::Rule;

    #[test]
    fn both_ways_find_the_same_objects() {
        for index in 0..20 {
            let mut plane = Plane::with_pattern(&Rule::life(), &super::super::soup(&format!("ground{index}")));
            plane.advance(500);
            plane.record();
            plane.advance(12);
            for corners in [false, true] {
                let sorted = |ground: &Ground| {
                    let mut objects: Vec<Vec<(i32, i32)>> = ground.objects().map(<[_]>::to_vec).collect();
                    objects.sort();
                    objects
                };
                let (mut one, mut other) = (Ground::default(), Ground::default());
                one.find(&plane, corners);
                other.live.clone_from(&one.live);
                other.find_sparse(&plane, corners);
                assert_eq!(sorted(&one), sorted(&other));
                assert_eq!(one.cells.len() as u64, plane.population());
            }
        }
    }
}
