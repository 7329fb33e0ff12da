//! What is on the plane.

use super::tile::{Tile, Watch};
use super::{COLUMNS, OWN, OWN_ROWS, Plane, RING};
use crate::automata::kernel::{self, Rows};
use crate::automata::pattern::{BoundingBox, Pattern};

impl Plane {
    /// The pattern (the cells that differ from the background).
    pub fn pattern(&self) -> Pattern {
        self.collect(|tile| Some(&tile.rows))
    }

    /// Every cell that was live after [`Self::record`], now included.
    pub fn history(&self) -> Pattern {
        self.collect(|tile| tile.history.as_deref())
    }

    /// Every cell that was live since [`Self::record`], and whether it is now, in no order to rely on.
    pub(in crate::automata) fn each_recorded(&self, mut see: impl FnMut(i32, i32, bool)) {
        for tile in self.tiles.iter().filter(|tile| tile.alive) {
            for r in OWN_ROWS {
                let live = tile.rows[r] & COLUMNS;
                let mut word = live | tile.history.as_ref().map_or(0, |history| history[r] & COLUMNS);
                while word != 0 {
                    let column = word.trailing_zeros();
                    let (x, y) = (tile.x * OWN + column as i32, tile.y * OWN + r as i32);
                    see(x - RING as i32, y - (RING + 1) as i32, live >> column & 1 == 1);
                    word &= word - 1;
                }
            }
        }
    }

    fn collect<'a>(&'a self, layer: impl Fn(&'a Tile) -> Option<&'a Rows>) -> Pattern {
        let mut live = Vec::new();
        for tile in self.tiles.iter().filter(|tile| tile.alive) {
            let Some(rows) = layer(tile) else { continue };
            for r in OWN_ROWS {
                let mut word = rows[r] & COLUMNS;
                while word != 0 {
                    let x = tile.x * OWN + word.trailing_zeros() as i32 - RING as i32;
                    live.push((x, tile.y * OWN + (r - RING - 1) as i32));
                    word &= word - 1;
                }
            }
        }
        Pattern::from_live(live)
    }

    /// The smallest rectangle around the live cells.
    pub fn bounding_box(&self) -> Option<BoundingBox> {
        let mut found: Option<[i32; 4]> = None;
        for tile in self.tiles.iter().filter(|tile| tile.alive && tile.population > 0) {
            let all = OWN_ROWS.fold(0, |all, r| all | tile.rows[r] & COLUMNS);
            let mut filled = OWN_ROWS.filter(|&r| tile.rows[r] & COLUMNS != 0).map(|r| (r - RING - 1) as i32);
            let (Some(top), left) = (filled.next(), all.trailing_zeros() as i32 - RING as i32) else { continue };
            let bottom = filled.next_back().unwrap_or(top);
            let right = 63 - all.leading_zeros() as i32 - RING as i32;
            let (x, y) = (tile.x * OWN, tile.y * OWN);
            let [a, b, c, d] = found.unwrap_or([i32::MAX, i32::MAX, i32::MIN, i32::MIN]);
            found = Some([a.min(x + left), b.min(y + top), c.max(x + right), d.max(y + bottom)]);
        }
        found.map(|[left, top, right, bottom]| BoundingBox {
            x: left,
            y: top,
            width: right.abs_diff(left) + 1,
            height: bottom.abs_diff(top) + 1,
        })
    }

    /// Blocks of 32 columns from a corner on, row by row, the first column as the lowest bit.
    pub(in crate::automata) fn block<const N: usize>(&self, x: i32, y: i32) -> [u32; N] {
        let (tx, shift) = (x.div_euclid(OWN), x.rem_euclid(OWN));
        let mut block = [0; N];
        let mut k = 0;
        while k < N {
            let (ty, r) = ((y + k as i32).div_euclid(OWN), (y + k as i32).rem_euclid(OWN) as usize);
            let run = (N - k).min(OWN as usize - r);
            for (tx, last) in [(tx, false), (tx + 1, true)] {
                if last && shift + 32 <= OWN {
                    continue;
                }
                let Some(&index) = self.places.get(&(tx, ty)) else { continue };
                let tile = &self.tiles[index as usize];
                if tile.population == 0 {
                    continue;
                }
                for (word, row) in block[k..k + run].iter_mut().zip(&tile.rows[r + RING + 1..]) {
                    let own = (row & COLUMNS) >> RING;
                    *word |= if last { own << (OWN - shift) } else { own >> shift } as u32;
                }
            }
            k += run;
        }
        block
    }

    /// Tiles as they will be after fewer than [`LEAP`](super::LEAP) generations, if they may then have live cells in a part that is
    /// watched. A tile is given by its corner; a watch is asked for once for each version, which is above 0.
    pub(in crate::automata) fn peek(
        &mut self,
        generations: usize,
        version: u64,
        watch: impl Fn(i32, i32) -> Watch,
        mut see: impl FnMut(i32, i32, &Rows),
    ) {
        let logics = [&self.logics[0]; RING];
        for &index in &self.queue {
            let tile = &mut self.tiles[index as usize];
            if tile.is_watched(generations, version, &watch) {
                let mut rows = tile.rows;
                kernel::advance_within(&mut rows, RING, &logics[..generations], None);
                see(tile.x * OWN, tile.y * OWN, &rows);
            }
        }
    }

    /// The tiles that the last step changed and that have live cells in a part that is watched.
    pub(in crate::automata) fn changed(
        &mut self,
        version: u64,
        watch: impl Fn(i32, i32) -> Watch,
        mut see: impl FnMut(i32, i32, &Rows),
    ) {
        for &index in &self.changed {
            let tile = &mut self.tiles[index as usize];
            if tile.alive && tile.is_watched(0, version, &watch) {
                see(tile.x * OWN, tile.y * OWN, &tile.rows);
            }
        }
    }
}
