//! Gliders on their way out.
//!
//! apgsearch takes gliders that fly away off the plane while it waits for a pattern to settle, which both saves work
//! and decides when the population is found to repeat. When it does so depends on its tiles: bricks of 28×44 cells,
//! each row of bricks shifted by 14 columns. To reach the same verdict at the same generation the same bricks are
//! looked at here: a glider goes when it is alone in the middle of a brick, flies outwards, and no brick has been
//! touched that lies farther in its direction.

use std::collections::BTreeMap;

use crate::automata::kernel::Rows;
use crate::automata::pattern::Pattern;
use crate::automata::plane::{LEAP, OWN, Plane, RING, Watch};
use crate::automata::reference;
use crate::automata::rule::Rule;

/// Columns and rows of a brick, and how far a cell outside reaches in.
const WIDTH: i32 = 28;
const HEIGHT: i32 = 44;
const REACH: i32 = 2;
/// Where a pattern's corner at (0, 0) is put on the plane: a soup then lies in the middle of a tile, and as long as it
/// is small there is one tile to compute and not four.
pub(super) const PLACE: (i32, i32) = (20, 20);
/// Where in a brick apgsearch puts the corner of a soup, seen from the plane's origin.
const ORIGIN: (i32, i32) = (8 - PLACE.0, 8 - PLACE.1);
/// The four ways out: signs of x and y.
const HEADINGS: [(i32, i32); 4] = [(1, 1), (-1, -1), (1, -1), (-1, 1)];
/// For each heading, how many columns and rows away the nearest brick is that lies exactly as far out: 28 columns and
/// 58 rows, or 28 and -30, make the distance of (column, row).
const TIES: [Brick; 4] = [(29, -14), (29, -14), (15, 14), (15, 14)];

/// The bricks that have been touched, and the gliders that went.
#[derive(Clone)]
pub(super) struct Frontier {
    /// Whether the rule has gliders to be taken away.
    gliders: bool,
    /// The farthest corner of a touched brick along each heading.
    farthest: [i32; 4],
    /// A touched brick that lies as far along each heading.
    leaders: [Brick; 4],
    /// Memory for the bricks to be looked at.
    bricks: Vec<Brick>,
    /// Counts the changes of `farthest`, from 1 on.
    version: u64,
    /// The heading of each 3×3 picture of a glider.
    headings: Vec<(u16, usize)>,
    /// Gliders that went.
    pub(super) gone: u64,
}

/// A brick: column and row in the wall.
type Brick = (i32, i32);

/// The corner of a brick in the pattern's coordinates.
fn corner((column, row): Brick) -> (i32, i32) {
    (WIDTH * column + WIDTH / 2 * row - ORIGIN.0, HEIGHT * row - ORIGIN.1)
}

/// How far out a brick lies along each heading.
fn reach((column, row): Brick) -> [i32; 4] {
    let (x, y) = (WIDTH * column + WIDTH / 2 * row, HEIGHT * row);
    HEADINGS.map(|(sx, sy)| sx * x + sy * y)
}

impl Frontier {
    pub(super) fn new(rule: &Rule) -> Self {
        let mut headings = Vec::new();
        let mut glider = Pattern::from_live([(1, 0), (2, 1), (0, 2), (1, 2), (2, 2)]);
        for _ in 0..4 {
            for (number, (sx, sy)) in HEADINGS.into_iter().enumerate() {
                let turned = glider.transformed([sx, 0, 0, sy]).normalized();
                headings.push((picture(turned.cells().iter().map(|cell| (cell.x, cell.y))), number));
            }
            glider = reference::step(&glider, &Rule::life());
        }
        Self {
            gliders: *rule == Rule::life(),
            farthest: [0; 4],
            leaders: [(0, 0); 4],
            bricks: Vec::with_capacity(16),
            version: 1,
            headings,
            gone: 0,
        }
    }

    /// Whether the rule is Life, whose gliders are taken away.
    pub(super) fn has_gliders(&self) -> bool {
        self.gliders
    }

    /// Advances a plane, noting the bricks that are touched at every second generation.
    pub(super) fn advance(&mut self, plane: &mut Plane, generations: u64) {
        if !self.gliders {
            return plane.advance(generations);
        }
        for _ in 0..generations / LEAP {
            let farthest = self.farthest;
            plane.peek(2, self.version, |x, y| watch(&farthest, x, y), |x, y, rows| self.touch(x, y, rows));
            plane.leap();
            self.look(plane);
        }
        plane.advance(generations % LEAP);
        if !generations.is_multiple_of(LEAP) {
            self.look(plane);
        }
    }

    fn look(&mut self, plane: &mut Plane) {
        let farthest = self.farthest;
        plane.changed(self.version, |x, y| watch(&farthest, x, y), |x, y, rows| self.touch(x, y, rows));
    }

    /// The population after taking away the gliders that fly out. Like apgsearch's count it goes on holding those that
    /// went: that one flies out is no change.
    pub(super) fn population(&mut self, plane: &mut Plane) -> u64 {
        if !self.gliders || plane.is_quiet() {
            return plane.population() + 5 * self.gone;
        }
        // A glider shows when it is about to fly into a brick, so that only touched bricks hold one; of these only
        // the farthest of a heading matter, and those as far as they.
        let span = self.farthest.iter().max().copied().unwrap_or(0);
        let mut bricks = std::mem::take(&mut self.bricks);
        bricks.clear();
        for ((column, row), (columns, rows)) in self.leaders.into_iter().zip(TIES) {
            // Every touched brick is within `span` of the first in each coordinate.
            let most = span.max(0) / (HEIGHT * rows.abs()) * 2 + 1;
            let ties = (-most..=most).map(|k| (column + k * columns, row + k * rows));
            bricks.extend(ties.filter(|&brick| !is_farther(&self.farthest, brick)));
        }
        bricks.sort_unstable();
        bricks.dedup();
        for &brick in &bricks {
            if let Some(cells) = self.outbound(plane, brick) {
                plane.remove(&cells);
                self.gone += 1;
            }
        }
        self.bricks = bricks;
        plane.population() + 5 * self.gone
    }

    /// The cells of a glider that is alone in the middle of a brick and flies out.
    fn outbound(&self, plane: &Plane, brick: Brick) -> Option<Vec<(i32, i32)>> {
        let (left, top) = corner(brick);
        let mut cells = Vec::with_capacity(5);
        const MIDDLE: std::ops::Range<i32> = 10..34;
        let middle = plane.block::<{ (MIDDLE.end - MIDDLE.start) as usize }>(left - REACH, top + MIDDLE.start);
        let columns = middle.iter().fold(0, |all, word| all | word);
        if columns == 0 || columns & 0xff00_00ff != 0 {
            return None;
        }
        let block = plane.block::<{ (HEIGHT + 2 * REACH) as usize }>(left - REACH, top - REACH);
        let rim = (-REACH..).zip(block).filter(|(row, _)| !MIDDLE.contains(row));
        if rim.fold(0, |all, (_, word)| all | word) != 0 {
            return None;
        }
        for (row, mut word) in MIDDLE.zip(middle) {
            while word != 0 {
                if cells.len() == 5 {
                    return None;
                }
                cells.push((left - REACH + word.trailing_zeros() as i32, top + row));
                word &= word - 1;
            }
        }
        if cells.len() != 5 {
            return None;
        }
        let x = cells.iter().map(|cell| cell.0).min()?;
        let y = cells[0].1;
        if cells.iter().any(|cell| cell.0 - x > 2 || cell.1 - y > 2) {
            return None;
        }
        let seen = picture(cells.iter().map(|cell| (cell.0 - x, cell.1 - y)));
        let heading = self.headings.iter().find(|(known, _)| *known == seen)?.1;
        (reach(brick)[heading] >= self.farthest[heading]).then_some(cells)
    }
}

fn picture(cells: impl Iterator<Item = (i32, i32)>) -> u16 {
    cells.fold(0, |picture, (x, y)| picture | 1 << (3 * y + x))
}

/// The columns of bricks in a row of bricks that cells of columns `left` to `right` touch.
fn columns(row: i32, left: i32, right: i32) -> std::ops::RangeInclusive<i32> {
    let shift = WIDTH / 2 * row;
    (left - REACH - shift).div_euclid(WIDTH)..=(right + REACH - shift).div_euclid(WIDTH)
}

/// The rows of bricks that cells of rows `top` to `bottom` touch.
fn rows(top: i32, bottom: i32) -> std::ops::RangeInclusive<i32> {
    (top - REACH).div_euclid(HEIGHT)..=(bottom + REACH).div_euclid(HEIGHT)
}

fn is_farther(farthest: &[i32; 4], brick: Brick) -> bool {
    reach(brick).iter().zip(farthest).any(|(here, most)| here > most)
}

/// The parts of the tile with this corner whose cells touch a brick farther out than any before.
fn watch(farthest: &[i32; 4], x: i32, y: i32) -> Watch {
    let (x, y) = (x + ORIGIN.0, y + ORIGIN.1);
    let mut watch = Watch::default();
    for (part, row) in watch.parts.iter_mut().zip(rows(y, y + OWN - 1)) {
        let (from, to) = span(row, y);
        let farther = columns(row, x, x + OWN - 1).filter(|&column| is_farther(farthest, (column, row)));
        let all = farther.fold(0, |all, column| all | within(!0 >> (64 - OWN), column, row, x));
        *part = (1 + RING as u8 + from as u8, 1 + RING as u8 + to as u8, all << RING);
    }
    watch
}

/// The rows of a tile, whose first is row `y`, that are in a row of bricks or reach into it.
fn span(row: i32, y: i32) -> (usize, usize) {
    ((HEIGHT * row - REACH - y).max(0) as usize, (HEIGHT * (row + 1) + REACH - y).min(OWN) as usize)
}

/// Those of a tile's columns, whose first is column `x`, that are in a brick or reach into it.
fn within(columns: u64, column: i32, row: i32, x: i32) -> u64 {
    let start = WIDTH * column + WIDTH / 2 * row - REACH - x;
    let window = ((1u128 << (WIDTH + 2 * REACH)) - 1) << 64;
    let window = if start < 0 { window >> -start } else { window << start };
    columns & (window >> 64) as u64
}

impl Frontier {
    /// Notes the bricks that the cells of a tile touch.
    fn touch(&mut self, x: i32, y: i32, tile: &Rows) {
        let (x, y) = (x + ORIGIN.0, y + ORIGIN.1);
        for row in rows(y, y + OWN - 1) {
            if !columns(row, x, x + OWN - 1).any(|column| is_farther(&self.farthest, (column, row))) {
                continue;
            }
            let (from, to) = span(row, y);
            let seen = tile[1 + RING + from..1 + RING + to].iter().fold(0, |all, word| all | word);
            let seen = seen >> RING & ((1 << OWN) - 1);
            if seen == 0 {
                continue;
            }
            let (left, right) = (x + seen.trailing_zeros() as i32, x + 63 - seen.leading_zeros() as i32);
            for column in columns(row, left, right) {
                if within(seen, column, row, x) != 0 {
                    for (i, here) in reach((column, row)).into_iter().enumerate() {
                        if here > self.farthest[i] {
                            (self.farthest[i], self.leaders[i]) = (here, (column, row));
                            self.version += 1;
                        }
                    }
                }
            }
        }
    }
}

/// apgsearch's hash of the bricks within 120 of the first, which tells when a long period is over.
pub(super) fn brick_hash(plane: &Plane) -> u64 {
    const RADIUS: i64 = 120;
    let mut bricks: BTreeMap<Brick, [u32; HEIGHT as usize]> = BTreeMap::new();
    for cell in plane.pattern().cells() {
        let (x, y) = (cell.x + ORIGIN.0, cell.y + ORIGIN.1);
        let row = y.div_euclid(HEIGHT);
        let x = x - WIDTH / 2 * row;
        let rows = bricks.entry((x.div_euclid(WIDTH), row)).or_insert([0; HEIGHT as usize]);
        rows[y.rem_euclid(HEIGHT) as usize] |= 1 << (x.rem_euclid(WIDTH) + REACH);
    }
    let mut sum = 0u64;
    for ((column, row), rows) in bricks {
        // Its rows are counted upwards and its columns along a slanted axis.
        let (tx, tw) = (i64::from(column), -i64::from(row));
        if tx * tx + tw * tw - tx * tw >= RADIUS * RADIUS {
            continue;
        }
        let mut hash = 0u32;
        for (i, word) in rows.into_iter().enumerate() {
            hash = hash.wrapping_mul(hash.wrapping_add(77_232_917)).wrapping_add((i as u32 + 2).wrapping_mul(word));
        }
        let place = ((tw + 0x8000_0000) as u64) << 32 | (tx + 0x8000_0000) as u64;
        sum = sum.wrapping_add(u64::from(hash).wrapping_mul(place ^ 3_141_592_653_589_793));
    }
    sum
}
