//! Games with the places in them at which boards are read, and what a board looks like in a frame.

use environments::othello::{OthelloEpisode, OthelloWorld, Position};
use environments::{Sample, Split, Symbol};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::evidence::numeric::logarithm;
use crate::evidence::sources::{Features, Places};
use crate::machines::nats::Nats;

/// Classes of a square: a disc of the frame's first player, of its second, none.
pub const CLASSES: usize = 3;

/// How a disc is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Frame {
    /// Of who is to move next, or of the other: mine or theirs.
    Relative,
    /// Black or white.
    Absolute,
}

impl Frame {
    /// Both, in the order in which they are kept.
    pub const ALL: [Frame; 2] = [Frame::Relative, Frame::Absolute];

    /// In words.
    pub fn name(self) -> &'static str {
        ["mine or theirs", "black or white"][self as usize]
    }

    /// The class of a square.
    pub fn class(self, position: &Position, square: usize) -> usize {
        match self {
            Frame::Relative => position.mine(square).map_or(2, |mine| usize::from(!mine)),
            Frame::Absolute => position.board.at(square).map_or(2, |player| player as usize),
        }
    }
}

/// Games of one split.
pub struct Part {
    /// The games.
    pub games: Vec<OthelloEpisode>,
    /// Where boards are read: wherever the opening is over and a move is to come.
    pub places: Places,
    /// Squares of the board.
    pub squares: usize,
    opening: usize,
}

impl Part {
    /// Draws games from a number on.
    pub fn draw(world: &OthelloWorld, split: Split, first: u64, count: usize) -> Self {
        let games: Vec<OthelloEpisode> =
            (first..first + count as u64).into_par_iter().map(|index| world.observe(split, index)).collect();
        let tokens: Vec<Vec<Symbol>> = games.iter().map(|game| world.sample_of(game).tokens).collect();
        let (opening, length) = (world.config().opening, world.config().length);
        let at = games.iter().enumerate().flat_map(|(number, game)| {
            (opening - 1..length).filter(|&token| game.seen(token).is_some()).map(move |token| (number, token))
        });
        let at = at.collect();
        Self { games, places: Places { tokens, at }, squares: world.config().size * world.config().size, opening }
    }

    /// The position at a row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn position(&self, row: usize) -> &Position {
        let (game, token) = self.places.at[row];
        &self.games[game].positions[token + 1]
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.places.at.len()
    }

    /// The rows that a test on their token's number passes.
    pub fn where_token(&self, keep: impl Fn(usize) -> bool) -> Vec<usize> {
        (0..self.rows()).filter(|&row| keep(self.places.at[row].1)).collect()
    }

    /// Of every row and square the class in a frame.
    pub fn classes(&self, frame: Frame) -> Vec<u8> {
        let one = |row: usize| (0..self.squares).map(move |square| frame.class(self.position(row), square) as u8);
        (0..self.rows()).flat_map(one).collect()
    }

    /// Labels of the control task: where a disc lies, each pair of last two moves gives each square one of the two
    /// players for good.
    pub fn control(&self) -> Vec<u8> {
        let mut labels = Vec::with_capacity(self.rows() * self.squares);
        for row in 0..self.rows() {
            let (game, token) = self.places.at[row];
            let last = &self.places.tokens[game][token.saturating_sub(1)..=token];
            let kind = last.iter().fold(1u64, |kind, &symbol| kind << 8 | u64::from(symbol));
            let kinds: Vec<u64> = (0..self.squares as u64).map(|square| kind << 8 | square).collect();
            let drawn = crate::evidence::controls::control_labels(&kinds, &[0, 1], 2, &["othello", "control"]);
            let position = self.position(row);
            labels.extend(drawn.iter().enumerate().map(|(square, &label)| match position.board.at(square) {
                Some(_) => label as u8,
                None => 2,
            }));
        }
        labels
    }

    /// Who laid the disc of every square, by the frame of who is to move, one-hot: what a list of the moves tells without
    /// the rules.
    pub fn laid(&self) -> Features {
        let width = 2 * self.squares;
        let mut values = vec![0.0; self.rows() * width];
        for (row, values) in values.chunks_exact_mut(width).enumerate() {
            let position = self.position(row);
            for square in 0..self.squares {
                if let Some(player) = position.laid_by(square) {
                    values[2 * square + usize::from(Some(player) != position.mover)] = 1.0;
                }
            }
        }
        Features { width, values }
    }

    /// Nats of every move from the opening on that is to be predicted, by game, if all legal moves are said to be equally
    /// likely: what one who knows the board pays.
    pub fn oracle(&self) -> Nats {
        self.games
            .iter()
            .map(|game| {
                let after = game.positions.iter().take(game.moves.len()).skip(self.opening);
                after.map(|position| logarithm(position.moves().len() as f64)).collect()
            })
            .collect()
    }

    /// Of the nats of every scored token those from the opening on.
    pub fn novel(&self, nats: &Nats) -> Nats {
        nats.iter().map(|nats| nats.iter().skip(self.opening - 1).copied().collect()).collect()
    }

    /// Tokens and targets.
    pub fn samples(&self, world: &OthelloWorld) -> Vec<Sample> {
        self.games.iter().map(|game| world.sample_of(game)).collect()
    }
}

/// One who knows which squares are taken, and not by whom: of the empty squares beside a disc, each gets the share with
/// which it is played at this move when it is one.
pub struct Occupancy {
    squares: usize,
    /// By token and square: how often it was played, and how often it could have been.
    counts: Vec<[f64; 2]>,
}

/// The empty squares beside a disc.
fn frontier(position: &Position) -> Vec<usize> {
    let size = position.board.size() as i64;
    let taken = |row: i64, column: i64| {
        let on = (0..size).contains(&row) && (0..size).contains(&column);
        on && position.board.at((row * size + column) as usize).is_some()
    };
    let open = |square: &usize| {
        let (row, column) = (*square as i64 / size, *square as i64 % size);
        !taken(row, column) && (-1..=1).any(|down| (-1..=1).any(|right| taken(row + down, column + right)))
    };
    (0..position.board.squares()).filter(open).collect()
}

impl Occupancy {
    /// Counts over games.
    pub fn fit(part: &Part) -> Self {
        let length = part.places.length() + 1;
        let mut counts = vec![[0.5, 1.0]; length * part.squares];
        for game in &part.games {
            for (number, (position, &square)) in game.positions.iter().zip(&game.moves).enumerate() {
                for open in frontier(position) {
                    counts[number * part.squares + open][1] += 1.0;
                }
                counts[number * part.squares + square][0] += 1.0;
            }
        }
        Self { squares: part.squares, counts }
    }

    /// Nats of every move from the opening on, by game.
    pub fn nats(&self, part: &Part) -> Nats {
        let rate = |number: usize, square: usize| {
            let [played, open] = self.counts[number * self.squares + square];
            played / open
        };
        let of = |game: &OthelloEpisode| -> Vec<f64> {
            let moves = game.positions.iter().zip(&game.moves).enumerate().skip(part.opening);
            moves
                .map(|(number, (position, &square))| {
                    let all: f64 = frontier(position).into_iter().map(|open| rate(number, open)).sum();
                    logarithm(all / rate(number, square))
                })
                .collect()
        };
        part.games.iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use environments::UNSCORED;
    use environments::othello::{OthelloConfig, Player};

    /// Targets of a game from the opening on.
    fn scored(sample: &Sample, opening: usize) -> usize {
        sample.targets.iter().skip(opening - 1).filter(|target| **target != UNSCORED).count()
    }

    /// Whether a disc now is not of the player who laid it.
    fn changed_hands(position: &Position, square: usize) -> bool {
        position.laid_by(square).is_some_and(|player| position.board.at(square) != Some(player))
    }

    #[test]
    fn references_score_the_moves_that_models_are_scored_on_and_the_oracle_is_the_cheapest() {
        let world = OthelloWorld::new(OthelloConfig { length: 31, ..OthelloConfig::default() }).unwrap();
        let part = Part::draw(&world, Split::Test, 0, 200);
        let occupancy = Occupancy::fit(&Part::draw(&world, Split::Train, 0, 500));
        let (oracle, frontier) = (part.oracle(), occupancy.nats(&part));
        let samples = part.samples(&world);
        for ((oracle, frontier), sample) in oracle.iter().zip(&frontier).zip(&samples) {
            assert_eq!(oracle.len(), scored(sample, 6));
            assert_eq!(frontier.len(), oracle.len());
        }
        let mean = |nats: &Nats| crate::machines::nats::rate(nats);
        assert!(
            mean(&oracle) + 0.2 < mean(&frontier) && mean(&frontier) < logarithm(32.0),
            "{} {}",
            mean(&oracle),
            mean(&frontier)
        );
    }

    #[test]
    fn classes_of_both_frames_agree_up_to_who_is_to_move() {
        let world = OthelloWorld::new(OthelloConfig::default()).unwrap();
        let part = Part::draw(&world, Split::Validation, 0, 20);
        let [relative, absolute] = Frame::ALL.map(|frame| part.classes(frame));
        let (control, laid) = (part.control(), part.laid());
        let mut turned = 0;
        for row in 0..part.rows() {
            let white = part.position(row).mover == Some(Player::White);
            for square in 0..36 {
                let (own, colour) = (relative[row * 36 + square], absolute[row * 36 + square]);
                assert_eq!(own == 2, colour == 2);
                assert_eq!(control[row * 36 + square] == 2, colour == 2);
                assert!(own == 2 || (own == colour) != white);
                let one = &laid.row(row)[2 * square..2 * square + 2];
                assert_eq!(one[0] + one[1], f32::from(u8::from(own != 2)));
                if own != 2 {
                    let changed = changed_hands(part.position(row), square);
                    assert_eq!(one[usize::from(own)] == 1.0, !changed);
                    turned += usize::from(changed);
                }
            }
        }
        assert!(turned > 1000, "{turned}");
        // The start's board is not read, the opening being known to all.
        assert!(part.places.at.iter().all(|&(_, token)| token >= 5));
    }
}
