//! Gliders and what is like them but is none, object by object, each with the tokens that frame it.

use std::collections::BTreeSet;

use environments::life::{Board, LifeStart, LifeWorld, Object, Symmetry, catalogue, invariant_hash, split_of};
use environments::{Environment, Split, stream};
use rayon::prelude::*;

use super::settings::Settings;
use crate::evidence::numeric::shuffle;

/// What an example is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// A glider with its heading's number, phase, and the step at which it is destroyed.
    Glider {
        /// Number of the heading in `Heading::ALL`.
        heading: usize,
        /// Phase, 0 to 3.
        phase: usize,
        /// Step at which it is destroyed, if within 32.
        doom: Option<u32>,
    },
    /// Five cells in a box of 3×3 that are no glider, put in a glider's place.
    LookAlike,
    /// Another object of the board that fits a box of 3×3.
    Small,
}

/// One object on one board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Number of its board in the collection.
    pub board: usize,
    /// Number of the drawn board that its board is, or was made from by planting a look-alike. What resamples draw.
    pub cluster: usize,
    /// What it is.
    pub thing: Thing,
    /// (column, row) of the north-west cell of its bounding box.
    pub corner: (u32, u32),
    /// Number of the object on its board; of look-alikes 0.
    pub object: u32,
}

/// Examples with their boards.
#[derive(Clone, Debug, Default)]
pub struct Collection {
    /// The boards.
    pub boards: Vec<Board>,
    /// Objects of each board.
    pub objects: Vec<Vec<Object>>,
    /// The examples, by board.
    pub examples: Vec<Example>,
    /// Number of drawn boards; look-alikes stand on copies of them.
    pub drawn: usize,
}

/// Examples for fitting, for choosing and for reporting, on different boards; the last from the test split.
pub struct Examples {
    /// For fitting and choosing (both of the validation split) and for reporting.
    pub parts: [Collection; 3],
}

/// Tokens along a side of the square that holds a 3×3 box at any alignment.
pub fn frame_side(patch: u32) -> u32 {
    (2 + patch).div_ceil(patch)
}

/// Positions (token 0 is the horizon's) of the square of tokens that holds an object's box, row-major.
pub fn frame(world: &LifeWorld, (column, row): (u32, u32)) -> Vec<usize> {
    square(world, world.patch_of(column, row), frame_side(world.config().patch), 0)
}

/// Positions of the square of tokens of a side round the patch at its north-west, grown by a margin on every side.
pub fn square(world: &LifeWorld, patch: usize, side: u32, margin: u32) -> Vec<usize> {
    let columns = world.config().width / world.config().patch;
    let rows = world.config().height / world.config().patch;
    let (column, row) = (patch as u32 % columns, patch as u32 / columns);
    let span = side + 2 * margin;
    (0..span * span)
        .map(|place| {
            let column = (column + columns - margin % columns + place % span) % columns;
            let row = (row + rows - margin % rows + place / span) % rows;
            1 + (row * columns + column) as usize
        })
        .collect()
}

/// How an object lies to the patches: column and row modulo the patch.
pub fn alignment(patch: u32, (column, row): (u32, u32)) -> usize {
    (row % patch * patch + column % patch) as usize
}

/// The shapes of five cells in a box of exactly 3×3 that are neither gliders nor boats, by orbit under rotations and
/// reflections, in a fixed order.
pub fn look_alikes() -> Vec<Vec<Vec<(u32, u32)>>> {
    let known: BTreeSet<Vec<(u32, u32)>> = catalogue::variants().iter().map(|variant| variant.cells.clone()).collect();
    let mut seen = BTreeSet::new();
    let mut orbits = Vec::new();
    for bits in 0u32..512 {
        let cells: Vec<(u32, u32)> = (0..9).filter(|bit| bits >> bit & 1 == 1).map(|bit| (bit % 3, bit / 3)).collect();
        let spans =
            |side: fn(&(u32, u32)) -> u32| [0, 2].iter().all(|edge| cells.iter().any(|cell| side(cell) == *edge));
        if cells.len() != 5 || !spans(|cell| cell.0) || !spans(|cell| cell.1) || known.contains(&cells) {
            continue;
        }
        let orbit: BTreeSet<Vec<(u32, u32)>> = Symmetry::ALL
            .iter()
            .map(|symmetry| {
                let mut turned: Vec<_> = cells.iter().map(|&cell| symmetry.cell(cell, 3, 3)).collect();
                turned.sort_unstable_by_key(|&(column, row)| (row, column));
                turned
            })
            .collect();
        if seen.insert(orbit.clone()) {
            orbits.push(orbit.into_iter().collect());
        }
    }
    orbits
}

impl Example {
    /// Heading's number and phase of a glider.
    pub fn glider(&self) -> Option<(usize, usize)> {
        match self.thing {
            Thing::Glider { heading, phase, .. } => Some((heading, phase)),
            _ => None,
        }
    }
}

impl Collection {
    /// The first of the examples: a share of the gliders, with what stands on boards up to the last of these.
    pub fn first(&self, share: f64) -> Self {
        let gliders = self.examples.iter().filter(|example| example.glider().is_some()).count();
        let wanted = ((gliders as f64 * share).ceil() as usize).max(1);
        let last = self.examples.iter().filter(|example| example.glider().is_some()).nth(wanted - 1);
        let boards = last.map_or(self.boards.len(), |example| example.board + 1).min(self.boards.len());
        let examples: Vec<Example> = self.examples.iter().filter(|example| example.board < boards).cloned().collect();
        let drawn = examples.last().map_or(0, |example| example.cluster + 1);
        Self { boards: self.boards[..boards].to_vec(), objects: self.objects[..boards].to_vec(), examples, drawn }
    }
}

impl Examples {
    /// Collects examples; `seed` chooses the look-alikes.
    pub fn collect(world: &LifeWorld, settings: &Settings, seed: u64) -> Self {
        let [fitted, chosen, reported] = settings.measure.gliders;
        let orbits = look_alikes();
        // Every third orbit is met on reported boards only.
        let (unseen, seen): (Vec<_>, Vec<_>) = orbits.into_iter().enumerate().partition(|(number, _)| number % 3 == 0);
        let seen: Vec<_> = seen.into_iter().flat_map(|(_, orbit)| orbit).collect();
        let unseen: Vec<_> = unseen.into_iter().flat_map(|(_, orbit)| orbit).collect();
        let mut validation = Boards::new(world, Split::Validation);
        let fit = collect(&mut validation, fitted, &seen, seed);
        let choose = collect(&mut validation, chosen, &seen, seed);
        let report = collect(&mut Boards::new(world, Split::Test), reported, &unseen, seed);
        Self { parts: [fit, choose, report] }
    }

    /// A share of each part.
    pub fn first(&self, share: f64) -> Self {
        Self { parts: [0, 1, 2].map(|part| self.parts[part].first(share)) }
    }
}

/// The boards of a split in order, none twice up to translation, rotation and reflection.
pub struct Boards<'a> {
    world: &'a LifeWorld,
    split: Split,
    index: u64,
    seen: BTreeSet<u64>,
}

impl<'a> Boards<'a> {
    /// From the split's first board on.
    pub fn new(world: &'a LifeWorld, split: Split) -> Self {
        Self { world, split, index: 0, seen: BTreeSet::new() }
    }

    /// The next few boards (at most 64) with their numbers and what `make` makes of each; none where all boards are
    /// like earlier ones.
    pub fn next<T: Send>(&mut self, make: impl Fn(&LifeStart) -> T + Sync) -> Vec<(u64, LifeStart, T)> {
        let (world, split) = (self.world, self.split);
        let boards: Vec<(u64, u64, LifeStart, T)> = (self.index..self.index + 64)
            .into_par_iter()
            .map(|index| {
                let start = world.start(split, index);
                let made = make(&start);
                (index, invariant_hash(&start.board), start, made)
            })
            .collect();
        self.index += 64;
        let new = boards
            .into_iter()
            .filter_map(|(index, hash, start, made)| self.seen.insert(hash).then_some((index, start, made)));
        new.collect()
    }
}

/// Takes boards until there are enough gliders. With every second glider comes a board on which a look-alike stands
/// in its place; every second other object that fits the box is taken too.
fn collect(source: &mut Boards<'_>, gliders: usize, shapes: &[Vec<(u32, u32)>], seed: u64) -> Collection {
    let mut collection = Collection::default();
    let (mut found, mut replaced, mut small) = (0, 0, 0);
    let limit = source.index + 200 * gliders as u64;
    let (world, split) = (source.world, source.split);
    while found < gliders && source.index < limit {
        for (index, start, objects) in source.next(|start| world.objects(&start.board)) {
            let board = start.board;
            let fits = |object: &&Object| object.bounds.width <= 3 && object.bounds.height <= 3;
            if found >= gliders || !objects.iter().any(|object| fits(&object)) {
                continue;
            }
            let (place, cluster) = (collection.boards.len(), collection.drawn);
            collection.drawn += 1;
            let mut planted = Vec::new();
            for object in objects.iter().filter(fits) {
                let corner = (object.bounds.column, object.bounds.row);
                let thing = match (object.heading, object.phase) {
                    (Some(heading), Some(phase)) => {
                        found += 1;
                        if replaced * 2 < found {
                            let other = look_alike(&board, object, split, shapes, &[seed, index, object.id.into()]);
                            replaced += usize::from(other.is_some());
                            planted.extend(other.map(|board| (board, corner)));
                        }
                        Thing::Glider { heading: heading as usize, phase: phase as usize, doom: object.doom }
                    }
                    _ if small * 2 < found => {
                        small += 1;
                        Thing::Small
                    }
                    _ => continue,
                };
                collection.examples.push(Example { board: place, cluster, thing, corner, object: object.id });
            }
            collection.boards.push(board);
            collection.objects.push(objects);
            for (board, corner) in planted {
                let number = collection.boards.len();
                let thing = Thing::LookAlike;
                collection.examples.push(Example { board: number, cluster, thing, corner, object: 0 });
                collection.boards.push(board);
                collection.objects.push(Vec::new());
            }
        }
    }
    collection
}

/// The board with a look-alike in a glider's place, if there is one whose board belongs to the split.
fn look_alike(
    board: &Board,
    glider: &Object,
    split: Split,
    shapes: &[Vec<(u32, u32)>],
    address: &[u64],
) -> Option<Board> {
    let address: Vec<String> = address.iter().map(u64::to_string).collect();
    let mut parts = vec!["glider-chunking", "look-alike", split.name()];
    parts.extend(address.iter().map(String::as_str));
    let mut order: Vec<usize> = (0..shapes.len()).collect();
    shuffle(&mut order, &mut stream(&parts));
    let mut empty = board.clone();
    glider.cells.iter().for_each(|&(column, row)| empty.set(column, row, false));
    order.into_iter().find_map(|shape| {
        let mut board = empty.clone();
        board.paste(&shapes[shape], glider.bounds.column.into(), glider.bounds.row.into());
        (split_of(&board) == split).then_some(board)
    })
}

/// The symbols of an example's frame as one number: what the model gets to see of it, the type of the control task.
pub fn appearance(world: &LifeWorld, board: &Board, corner: (u32, u32)) -> u64 {
    let patches = world.patches(board);
    frame(world, corner)
        .into_iter()
        .fold(0, |sum, position| sum * world.targets() as u64 + u64::from(patches[position - 1]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use environments::life::LifeConfig;

    #[test]
    fn look_alikes_are_all_shapes_of_five_cells_but_gliders_and_boats() {
        let orbits = look_alikes();
        let shapes: Vec<_> = orbits.iter().flatten().collect();
        // Of the C(9, 5) = 126 patterns, those that reach all four sides: inclusion and exclusion leave 126 − 4·6 = 102
        // (any row or column can be missing, no two at once); 16 are gliders, 4 are boats.
        assert_eq!(shapes.len(), 102 - 16 - 4);
        assert!(shapes.iter().all(|shape| shape.len() == 5));
        assert!(orbits.iter().all(|orbit| [1, 2, 4, 8].contains(&orbit.len())));
        assert!(orbits.len() >= 10);
    }

    #[test]
    fn a_frame_holds_its_object_at_every_alignment() {
        for patch in [1, 2, 3] {
            let world = LifeWorld::new(LifeConfig { width: 18, height: 18, patch, ..LifeConfig::default() }).unwrap();
            for corner in [(0, 0), (1, 5), (16, 17), (7, 8), (17, 3)] {
                let positions = frame(&world, corner);
                for cell in 0..9 {
                    let (column, row) = ((corner.0 + cell % 3) % 18, (corner.1 + cell / 3) % 18);
                    assert!(positions.contains(&(1 + world.patch_of(column, row))), "patch {patch}, corner {corner:?}");
                }
            }
        }
    }

    #[test]
    fn squares_grow_round_their_middle_and_wrap() {
        let world = LifeWorld::new(LifeConfig::default()).unwrap();
        assert_eq!(square(&world, 0, 2, 0), [1, 2, 9, 10]);
        let grown = square(&world, 0, 2, 1);
        assert_eq!(grown.len(), 16);
        assert_eq!(grown[0], 64, "the last patch lies north-west of the first");
        assert!([1, 2, 9, 10].iter().all(|position| grown.contains(position)));
    }

    #[test]
    fn parts_have_no_board_in_common_and_reported_look_alikes_are_new() {
        let world = LifeWorld::new(LifeConfig::default()).unwrap();
        let settings = Settings {
            world: LifeConfig::default(),
            model: Default::default(),
            training: Default::default(),
            measure: super::super::settings::Measure { gliders: [60, 30, 60], ..Default::default() },
        };
        let examples = Examples::collect(&world, &settings, 1);
        let hashes = |part: usize| -> BTreeSet<u64> {
            examples.parts[part].boards.iter().map(environments::life::invariant_hash).collect()
        };
        assert!(hashes(0).is_disjoint(&hashes(2)) && hashes(1).is_disjoint(&hashes(2)));
        assert!(hashes(0).is_disjoint(&hashes(1)));
        for (part, split) in [(0, Split::Validation), (2, Split::Test)] {
            assert!(examples.parts[part].boards.iter().all(|board| split_of(board) == split));
        }
        let shapes = |part: usize| -> BTreeSet<Vec<(u32, u32)>> {
            let part = &examples.parts[part];
            let of = |example: &Example| {
                let board =
                    part.boards[example.board].translated(-i64::from(example.corner.0), -i64::from(example.corner.1));
                (0..9).map(|cell| (cell % 3, cell / 3)).filter(|&(column, row)| board.get(column, row)).collect()
            };
            part.examples.iter().filter(|example| example.thing == Thing::LookAlike).map(of).collect()
        };
        assert!(!shapes(2).is_empty() && shapes(0).is_disjoint(&shapes(2)));
        let gliders = examples.parts[0].examples.iter().filter(|example| example.glider().is_some()).count();
        assert!((60..64).contains(&gliders), "{gliders}");
        let half = examples.parts[0].first(0.5);
        assert!(half.boards.len() < examples.parts[0].boards.len() && !half.examples.is_empty());
    }
}
