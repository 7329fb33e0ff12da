//! A tile of the plane, and what is watched of it.

use super::{COLUMNS, OWN, OWN_ROWS};
use crate::automata::kernel::{self, Rows};

pub(super) struct Tile {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) rows: Rows,
    pub(super) history: Option<Box<Rows>>,
    pub(super) around: [u32; 8],
    pub(super) population: u32,
    pub(super) hash: u64,
    /// Whether `hash` is not that of the rows; it is then on the list of such tiles.
    pub(super) stale: bool,
    /// The parts that are watched.
    pub(super) watch: Watch,
    /// Whether it is on the list of tiles to compute in the next leap.
    pub(super) queued: bool,
    pub(super) alive: bool,
}

/// The parts of a tile in which somebody wants to see live cells: rows, by their numbers in [`Rows`], and columns.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::automata) struct Watch {
    /// Of which state of the watcher this is; 0 for none.
    pub(in crate::automata) version: u64,
    /// The first row of each part, the row after the last, and its columns.
    pub(in crate::automata) parts: [(u8, u8, u64); 3],
}

impl Watch {
    /// Whether there is anything to be seen, or will be within some generations.
    fn sees(&self, rows: &Rows, generations: usize) -> bool {
        self.parts.iter().any(|&(from, to, columns)| {
            if columns == 0 {
                return false;
            }
            let columns = (0..generations).fold(columns, |all, _| all | all << 1 | all >> 1);
            let rows = &rows[usize::from(from) - generations..usize::from(to) + generations];
            let all = kernel::wide(
                #[inline(always)]
                || rows.iter().fold(0, |all, row| all | row),
            );
            all & columns != 0
        })
    }
}

impl Tile {
    /// Brings the watch up to date, and says whether there is something to be seen within some generations.
    pub(super) fn is_watched(&mut self, generations: usize, version: u64, watch: &impl Fn(i32, i32) -> Watch) -> bool {
        if self.watch.version != version {
            self.watch = Watch { version, ..watch(self.x * OWN, self.y * OWN) };
        }
        self.watch.sees(&self.rows, generations)
    }

    /// A hash of its place and its own cells, 0 if none is live.
    pub(super) fn fingerprint(&self) -> u64 {
        if self.population == 0 {
            return 0;
        }
        let mixed = OWN_ROWS.fold(0u64, |hash, r| {
            (hash ^ (self.rows[r] & COLUMNS)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23)
        });
        let place = u64::from(self.x as u32) << 32 | u64::from(self.y as u32);
        let hash = (mixed ^ place.wrapping_mul(0xd6e8_feb8_6659_fd93)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^ hash >> 32
    }
}
