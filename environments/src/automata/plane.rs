//! The unbounded plane for two-state rules: a sparse set of tiles, of which only those that change are computed.
//!
//! A tile is a 64×64 block whose inner 56×56 cells are its own; the ring of 4 around them repeats its neighbours'
//! cells, so that four generations can be computed before tiles speak to each other again. A tile that is the same
//! after four generations as before, with the same ring, is left alone until its ring changes: still lifes and
//! oscillators of period 1, 2 and 4 cost nothing.

use super::kernel::{self, Change, Logic, ROWS};
use super::pattern::Pattern;
use super::rule::Rule;

mod places;
#[cfg(test)]
mod tests;
mod tile;
mod view;

pub(super) use places::Places;
use tile::Tile;
pub(super) use tile::Watch;

/// Cells of the ring, and generations of a leap.
pub(super) const RING: usize = 4;
/// Cells along the side of a tile's own part.
pub(super) const OWN: i32 = 56;
/// The columns of a tile's own part.
const COLUMNS: u64 = ((1 << OWN) - 1) << RING;
/// The words of a tile's own part.
const OWN_ROWS: std::ops::Range<usize> = RING + 1..RING + 1 + OWN as usize;
/// No tile.
const NONE: u32 = u32::MAX;
/// Generations of a leap.
pub const LEAP: u64 = RING as u64;

/// The neighbours of a tile, so that number 7 - i lies opposite number i.
const AROUND: [(i32, i32); 8] = [(-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1)];

/// A change of which nothing more is known.
const EVERYWHERE: Change = Change { all: !0, first: !0, last: !0, population: 0 };

/// A two-state pattern on the unbounded plane.
pub struct Plane {
    /// The logic when the background is dead, and when it is live.
    logics: [Logic; 2],
    /// Whether the background is live, and whether it was at the start.
    background: bool,
    at_start: bool,
    /// Whether it is live a generation after it was dead, and after it was live.
    after: [bool; 2],
    tiles: Vec<Tile>,
    free: Vec<u32>,
    places: Places<(i32, i32), u32>,
    queue: Vec<u32>,
    /// The tiles whose own cells the last step changed.
    changed: Vec<u32>,
    /// What changed in each.
    changes: Vec<Change>,
    population: u64,
    hash: u64,
    /// The tiles that have changed since `hash` was last asked for.
    stale: Vec<u32>,
    generation: u64,
    recording: bool,
    live_tiles: usize,
}

impl Plane {
    /// An empty plane.
    ///
    /// Rules that give birth from nothing are followed relative to their background, as Golly does: [`Self::pattern`]
    /// then holds the cells that differ from it. It flashes, dead at first, unless a live cell among live ones
    /// survives: then it is live from the start, and what is put on it are dead cells.
    pub fn new(rule: &Rule) -> Self {
        let after = [rule.table()[0], rule.table()[511]];
        // A rule of one dimension has no background of its own: it starts from a dead row.
        let background = after == [true, true] && rule.elementary().is_none();
        Self {
            logics: [Logic::new(rule, false, after[0]), Logic::new(rule, true, after[1])],
            background,
            at_start: background,
            after,
            tiles: Vec::new(),
            free: Vec::new(),
            places: Places::default(),
            queue: Vec::new(),
            changed: Vec::new(),
            changes: Vec::new(),
            population: 0,
            hash: 0,
            stale: Vec::new(),
            generation: 0,
            recording: false,
            live_tiles: 0,
        }
    }

    /// The plane with a pattern on it; every cell of a state other than 0 differs from the background.
    pub fn with_pattern(rule: &Rule, pattern: &Pattern) -> Self {
        let mut plane = Self::new(rule);
        plane.add(pattern);
        plane
    }

    /// Whether the background is live.
    pub fn background(&self) -> bool {
        self.background
    }

    /// Generations since the start.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The number of cells that differ from the background.
    pub fn population(&self) -> u64 {
        self.population
    }

    /// Tiles in memory, of about a kilobyte each.
    pub fn tiles(&self) -> usize {
        self.live_tiles
    }

    /// Whether nothing is to be computed: the pattern repeats with a period that divides [`LEAP`].
    pub fn is_quiet(&self) -> bool {
        self.queue.is_empty()
    }

    /// Tiles that the next leap will compute.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// A hash of the pattern and where it lies, the same however the pattern came about.
    pub fn fingerprint(&mut self) -> u64 {
        for index in std::mem::take(&mut self.stale) {
            let tile = &mut self.tiles[index as usize];
            let hash = if tile.alive { tile.fingerprint() } else { 0 };
            self.hash = self.hash.wrapping_sub(tile.hash).wrapping_add(hash);
            (tile.hash, tile.stale) = (hash, false);
        }
        self.hash
    }

    /// Takes everything off the plane, and starts counting generations again.
    pub(super) fn clear(&mut self) {
        self.tiles.clear();
        self.free.clear();
        self.places.clear();
        self.queue.clear();
        self.changed.clear();
        self.stale.clear();
        (self.population, self.hash, self.generation, self.live_tiles) = (0, 0, 0, 0);
        (self.background, self.recording) = (self.at_start, false);
    }

    /// Makes cells dead.
    pub(super) fn remove(&mut self, cells: &[(i32, i32)]) {
        let mut touched = Vec::new();
        for &(x, y) in cells {
            let Some(&index) = self.places.get(&(x.div_euclid(OWN), y.div_euclid(OWN))) else { continue };
            let row = &mut self.tiles[index as usize].rows[RING + 1 + y.rem_euclid(OWN) as usize];
            *row &= !(1 << (RING + x.rem_euclid(OWN) as usize));
            touched.push(index);
        }
        touched.sort_unstable();
        touched.dedup();
        for index in touched {
            self.account(index);
            self.enqueue(index);
            self.share(index, EVERYWHERE);
        }
    }

    /// Makes the cells of a pattern live.
    pub fn add(&mut self, pattern: &Pattern) {
        let mut touched = Vec::new();
        for cell in pattern.cells() {
            let (tx, x) = (cell.x.div_euclid(OWN), cell.x.rem_euclid(OWN));
            let (ty, y) = (cell.y.div_euclid(OWN), cell.y.rem_euclid(OWN));
            let index = self.tile_at(tx, ty);
            self.tiles[index as usize].rows[RING + 1 + y as usize] |= 1 << (RING + x as usize);
            if touched.last() != Some(&index) {
                touched.push(index);
            }
        }
        touched.sort_unstable();
        touched.dedup();
        for &index in &touched {
            self.account(index);
            self.enqueue(index);
        }
        for index in touched {
            self.share(index, EVERYWHERE);
        }
    }

    /// Starts a history of live cells afresh, with the next generation.
    pub fn record(&mut self) {
        self.recording = true;
        for index in 0..self.tiles.len() as u32 {
            let tile = &mut self.tiles[index as usize];
            if tile.alive {
                tile.history = Some(Box::new([0; ROWS]));
                self.enqueue(index);
            }
        }
    }

    /// Advances by a number of generations.
    pub fn advance(&mut self, generations: u64) {
        for _ in 0..generations / LEAP {
            self.leap();
        }
        self.advance_some((generations % LEAP) as usize);
    }

    /// Advances by [`LEAP`] generations.
    pub fn leap(&mut self) {
        self.compute(RING);
    }

    /// Advances by fewer than [`LEAP`] generations, which every tile has to take.
    fn advance_some(&mut self, generations: usize) {
        if generations == 0 {
            return;
        }
        self.enqueue_all();
        self.compute(generations);
        self.enqueue_all();
    }

    fn enqueue_all(&mut self) {
        for index in 0..self.tiles.len() as u32 {
            if self.tiles[index as usize].alive {
                self.enqueue(index);
            }
        }
    }

    fn compute(&mut self, generations: usize) {
        let mut background = self.background;
        let mut logics = [&self.logics[0]; RING];
        for logic in logics.iter_mut().take(generations) {
            *logic = &self.logics[usize::from(background)];
            background = self.after[usize::from(background)];
        }
        let queue = std::mem::take(&mut self.queue);
        let mut changed = std::mem::take(&mut self.changed);
        let mut changes = std::mem::take(&mut self.changes);
        changed.clear();
        changes.clear();
        for &index in &queue {
            // Its ring stays as it is until all tiles have been computed.
            let tile = &mut self.tiles[index as usize];
            tile.queued = false;
            let change =
                kernel::advance_within(&mut tile.rows, RING, &logics[..generations], tile.history.as_deref_mut());
            if change.all != 0 {
                self.population = self.population - u64::from(tile.population) + u64::from(change.population);
                tile.population = change.population;
                if !std::mem::replace(&mut tile.stale, true) {
                    self.stale.push(index);
                }
                changed.push(index);
                changes.push(change);
            }
        }
        self.generation += generations as u64;
        for (&index, &change) in changed.iter().zip(&changes) {
            self.enqueue(index);
            self.share(index, change);
        }
        self.changed = changed;
        self.changes = changes;
        for index in queue {
            self.reclaim(index);
        }
        if background != self.background {
            // Another logic applies from now on, so that what stayed the same so far need not go on so.
            self.background = background;
            self.enqueue_all();
        }
    }

    /// Brings a tile's population up to date.
    fn account(&mut self, index: u32) {
        let tile = &mut self.tiles[index as usize];
        let population = OWN_ROWS.map(|r| (tile.rows[r] & COLUMNS).count_ones()).sum();
        self.population = self.population - u64::from(tile.population) + u64::from(population);
        tile.population = population;
        if !std::mem::replace(&mut tile.stale, true) {
            self.stale.push(index);
        }
    }

    fn enqueue(&mut self, index: u32) {
        let tile = &mut self.tiles[index as usize];
        if !tile.queued {
            tile.queued = true;
            self.queue.push(index);
        }
    }

    /// Copies what has changed of a tile's outer cells into its neighbours' rings, waking those that change.
    fn share(&mut self, index: u32, change: Change) {
        const EDGES: u64 = 0xf << RING | 0xf << OWN;
        if change.all & EDGES | change.first | change.last == 0 {
            return;
        }
        kernel::wide(
            #[inline(always)]
            || self.share_edges(index, change),
        );
    }

    #[inline(always)]
    fn share_edges(&mut self, index: u32, change: Change) {
        let mut strip = [0; OWN as usize];
        for (side, (dx, dy)) in AROUND.into_iter().enumerate() {
            // The cells next to the neighbour, and by how much they move to lie in its ring.
            let columns: u64 = match dx {
                -1 => 0xf << RING,
                1 => 0xf << OWN,
                _ => COLUMNS,
            };
            let concerned = match dy {
                -1 => change.first,
                1 => change.last,
                _ => change.all,
            };
            if concerned & columns == 0 {
                continue;
            }
            let (from, count) = match dy {
                -1 => (RING + 1, RING),
                1 => (1 + OWN as usize, RING),
                _ => (RING + 1, OWN as usize),
            };
            let strip = &mut strip[..count];
            let mut any = 0;
            for (word, row) in strip.iter_mut().zip(&self.tiles[index as usize].rows[from..from + count]) {
                *word = row & columns;
                any |= *word;
            }
            let mut neighbour = self.tiles[index as usize].around[side];
            if neighbour == NONE {
                if any == 0 {
                    continue;
                }
                let (x, y) = (self.tiles[index as usize].x, self.tiles[index as usize].y);
                neighbour = self.tile_at(x + dx, y + dy);
            }
            let to = (from as i32 - dy * OWN) as usize;
            let moved = |word: u64| match dx {
                -1 => word << OWN,
                1 => word >> OWN,
                _ => word,
            };
            let ring = moved(columns);
            let tile = &mut self.tiles[neighbour as usize];
            let mut difference = 0;
            for (word, wanted) in tile.rows[to..to + count].iter_mut().zip(strip) {
                let wanted = moved(*wanted);
                difference |= (*word & ring) ^ wanted;
                *word = *word & !ring | wanted;
            }
            if difference != 0 {
                self.enqueue(neighbour);
            }
        }
    }

    /// The tile at a place, made if need be.
    fn tile_at(&mut self, x: i32, y: i32) -> u32 {
        if let Some(&index) = self.places.get(&(x, y)) {
            return index;
        }
        let mut around = [NONE; 8];
        for (side, (dx, dy)) in AROUND.into_iter().enumerate() {
            if let Some(&neighbour) = self.places.get(&(x + dx, y + dy)) {
                around[side] = neighbour;
            }
        }
        let mut tile = Tile {
            x,
            y,
            rows: [0; ROWS],
            history: self.recording.then(|| Box::new([0; ROWS])),
            around,
            population: 0,
            hash: 0,
            stale: false,
            watch: Watch::default(),
            queued: false,
            alive: true,
        };
        let index = match self.free.pop() {
            Some(index) => {
                tile.stale = self.tiles[index as usize].stale;
                self.tiles[index as usize] = tile;
                index
            }
            None => {
                self.tiles.push(tile);
                self.tiles.len() as u32 - 1
            }
        };
        for (side, neighbour) in around.into_iter().enumerate() {
            if neighbour != NONE {
                self.tiles[neighbour as usize].around[7 - side] = index;
            }
        }
        self.places.insert((x, y), index);
        self.live_tiles += 1;
        index
    }

    /// Gives back a tile with nothing in it or around it.
    fn reclaim(&mut self, index: u32) {
        let tile = &mut self.tiles[index as usize];
        if self.recording || tile.population > 0 || !tile.alive || tile.rows[1..ROWS - 1].iter().any(|&row| row != 0) {
            return;
        }
        tile.alive = false;
        self.hash = self.hash.wrapping_sub(std::mem::take(&mut tile.hash));
        let queued = std::mem::take(&mut tile.queued);
        let (x, y, around) = (tile.x, tile.y, tile.around);
        for (side, neighbour) in around.into_iter().enumerate() {
            if neighbour != NONE {
                self.tiles[neighbour as usize].around[7 - side] = NONE;
            }
        }
        if queued {
            self.queue.retain(|&other| other != index);
        }
        self.places.remove(&(x, y));
        self.free.push(index);
        self.live_tiles -= 1;
    }
}
