//! Donors, recipients and what the simulator is to say of them.

use environments::life::{Board, Heading, LifeWorld, Object, catalogue, pattern_cells, split_of};
use environments::{Draw, Split, stream};

use super::objects::{Boards, alignment, frame_side, square};
use crate::evidence::numeric::shuffle;

/// A donor and a recipient.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The board with the glider.
    pub donor: Board,
    /// Positions of the tokens that frame it there.
    pub from: Vec<usize>,
    /// The board without.
    pub recipient: Board,
    /// Positions at which the glider is to appear.
    pub to: Vec<usize>,
    /// The recipient with the glider really there.
    pub edited: Board,
    /// The donor with a boat, also of five cells, in the glider's place.
    pub still: Board,
    /// The donor with a glider of another heading in its place.
    pub wrong: Board,
    /// Number of the glider's heading.
    pub heading: usize,
    /// Number of the other heading.
    pub wrong_heading: usize,
    /// Phase of both.
    pub phase: usize,
    /// How the glider lies to the patches.
    pub alignment: usize,
    /// Step at which the glider, put there, is destroyed.
    pub doom: Option<u32>,
    /// (column, row) of the north-west cell of its box on the recipient.
    pub corner: (u32, u32),
}

/// The cells of some positions.
pub fn covered(world: &LifeWorld, positions: &[usize]) -> Vec<bool> {
    let (width, patch) = (world.config().width, world.config().patch);
    let mut inside = vec![false; (width * world.config().height) as usize];
    for &position in positions {
        let (column, row) = world.patch_corner(position - 1);
        for cell in 0..patch * patch {
            inside[((row + cell / patch) * width + column + cell % patch) as usize] = true;
        }
    }
    inside
}

fn is_empty(world: &LifeWorld, board: &Board, positions: &[usize]) -> bool {
    let inside = covered(world, positions);
    !board.cells().iter().zip(&inside).any(|(cell, inside)| *cell == 1 && *inside)
}

impl Pair {
    /// Whether the glider, put there, is still whole at a horizon.
    pub fn flies(&self, horizon: u32) -> bool {
        self.doom.is_none_or(|doom| doom > horizon)
    }
}

/// Boards of a split that can give a glider, and boards that can take one.
struct Supply {
    donors: Vec<(Board, Object)>,
    recipients: Vec<Board>,
}

fn supply(world: &LifeWorld, split: Split, wanted: usize) -> Supply {
    let side = frame_side(world.config().patch);
    let mut boards = Boards::new(world, split);
    let mut supply = Supply { donors: Vec::new(), recipients: Vec::new() };
    for _ in 0..wanted.div_ceil(64) * 40 {
        if supply.donors.len() >= wanted && supply.recipients.len() >= wanted {
            break;
        }
        for (_, start, objects) in boards.next(|start| world.objects(&start.board)) {
            let alone = objects.into_iter().find(|object| {
                let around = square(world, world.patch_of(object.bounds.column, object.bounds.row), side, 1);
                let mut rest = start.board.clone();
                object.cells.iter().for_each(|&(column, row)| rest.set(column, row, false));
                object.is_glider() && is_empty(world, &rest, &around)
            });
            // A board gives or takes, never both.
            match alone {
                Some(glider) if supply.donors.len() <= supply.recipients.len() => {
                    supply.donors.push((start.board, glider));
                }
                _ => supply.recipients.push(start.board),
            }
        }
    }
    supply
}

/// Pairs of boards of a split. The edited board belongs to the split too, so that no model was trained on it.
pub fn pairs(world: &LifeWorld, split: Split, wanted: usize, seed: u64) -> Vec<Pair> {
    let side = frame_side(world.config().patch);
    let patches = (world.config().width * world.config().height / world.config().patch.pow(2)) as usize;
    let boat = pattern_cells("boat").unwrap_or_default();
    let Supply { donors, recipients } = supply(world, split, 2 * wanted);
    let mut chance = stream(&["glider-chunking", &seed.to_string(), "pairs", split.name()]);
    let mut pairs: Vec<Pair> = Vec::new();
    for recipient in recipients {
        if pairs.len() == wanted || donors.is_empty() {
            break;
        }
        let (donor, glider) = &donors[chance.below(donors.len() as u64) as usize];
        let (Some(heading), Some(phase)) = (glider.heading, glider.phase) else { continue };
        let corner = (glider.bounds.column, glider.bounds.row);
        let home = world.patch_of(corner.0, corner.1);
        let offset = (corner.0 - world.patch_corner(home).0, corner.1 - world.patch_corner(home).1);
        let mut places: Vec<usize> =
            (0..patches).filter(|&patch| is_empty(world, &recipient, &square(world, patch, side, 1))).collect();
        shuffle(&mut places, &mut chance);
        let wrong_heading = (heading as usize + 1 + chance.below(3) as usize) % 4;
        let found = places.into_iter().find_map(|place| {
            let west = world.patch_corner(place);
            let corner = recipient.wrap(i64::from(west.0 + offset.0), i64::from(west.1 + offset.1));
            let mut edited = recipient.clone();
            edited.paste(&catalogue::glider(heading, phase).cells, corner.0.into(), corner.1.into());
            (split_of(&edited) == split).then_some((place, corner, edited))
        });
        let Some((place, there, edited)) = found else { continue };
        let without = |cells: &[(u32, u32)]| {
            let mut board = donor.clone();
            glider.cells.iter().for_each(|&(column, row)| board.set(column, row, false));
            board.paste(cells, corner.0.into(), corner.1.into());
            board
        };
        let doom = world
            .objects(&edited)
            .into_iter()
            .find(|object| object.is_glider() && (object.bounds.column, object.bounds.row) == there)
            .map(|object| object.doom);
        // Something near enough to make one object with it: not a glider there.
        let Some(doom) = doom else { continue };
        pairs.push(Pair {
            from: square(world, home, side, 0),
            to: square(world, place, side, 0),
            still: without(&boat),
            wrong: without(&catalogue::glider(Heading::ALL[wrong_heading], phase).cells),
            donor: donor.clone(),
            recipient,
            edited,
            heading: heading as usize,
            wrong_heading,
            phase: phase as usize,
            alignment: alignment(world.config().patch, corner),
            doom,
            corner: there,
        });
    }
    pairs
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use environments::life::LifeConfig;

    #[test]
    fn pairs_are_what_they_should_be() {
        let world = LifeWorld::new(LifeConfig::default()).unwrap();
        let pairs = pairs(&world, Split::Validation, 12, 1);
        assert_eq!(pairs.len(), 12);
        for pair in &pairs {
            assert_eq!(split_of(&pair.edited), Split::Validation);
            assert_eq!(pair.edited.population(), pair.recipient.population() + 5);
            assert_eq!(pair.still.population(), pair.donor.population());
            assert_ne!(pair.wrong, pair.donor);
            // The frame of the donor holds what the frame of the edited board holds.
            let (donor, edited) = (world.patches(&pair.donor), world.patches(&pair.edited));
            for (from, to) in pair.from.iter().zip(&pair.to) {
                assert_eq!(donor[from - 1], edited[to - 1]);
            }
            assert!(is_empty(&world, &pair.recipient, &pair.to));
        }
    }
}
