//! The world of random Othello games.
//!
//! **Splits.** By the board after the first `opening` moves, up to the four symmetries of the game: games that reach one board
//! by different orders of moves, or its images, are of one split. From there on no sequence of one split is one of another.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::board::{Board, Player};
use super::labels;
use crate::ground::{check_shares, fingerprint, split_by, within};
use crate::stream::{Draw, Stream, stream};
use crate::{Address, Edit, Environment, EnvironmentError, Episode, Geometry, Sample, Scene, Split, Symbol, UNSCORED};

/// A world of games, as a person writes it. Every key has a default; an unknown key is an error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OthelloConfig {
    /// Rows and columns of the board: 4, 6 or 8. Default 6.
    pub size: usize,
    /// Moves that a model sees at most; it predicts the one after each. Default 28.
    pub length: usize,
    /// Moves after which the board decides the split. Default 6.
    pub opening: usize,
    /// Parts of the openings that go to training, validation and test. Default 8, 1, 1.
    pub shares: [u32; 3],
    /// Chooses other splits and other games. Default 0.
    pub seed: u64,
}

impl Default for OthelloConfig {
    fn default() -> Self {
        OthelloConfig { size: 6, length: 28, opening: 6, shares: [8, 1, 1], seed: 0 }
    }
}

/// Where a game stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The board.
    pub board: Board,
    /// Who is to move; `None` where nobody can.
    pub mover: Option<Player>,
    /// Squares (as bits, by number) whose disc was turned over since it was laid.
    pub turned: u64,
    /// Squares (as bits, by number) whose disc black laid, or had at the start.
    pub laid_by_black: u64,
}

impl Position {
    fn start(size: usize) -> Position {
        let board = Board::start(size);
        let black = (0..board.squares()).filter(|&square| board.at(square) == Some(Player::Black));
        let laid_by_black = black.fold(0, |bits, square| bits | 1 << square);
        Position { board, mover: Some(Player::Black), turned: 0, laid_by_black }
    }

    /// Who moves next on a board, if it is a player's turn who may have to pass.
    fn turn(board: Board, player: Player) -> Option<Player> {
        [player, player.other()].into_iter().find(|&player| board.can_move(player))
    }

    /// Legal moves, by square.
    pub fn moves(&self) -> Vec<usize> {
        self.mover.map_or_else(Vec::new, |mover| self.board.moves(mover))
    }

    /// The position after a move; `None` if it is not legal.
    pub fn after(&self, square: usize) -> Option<Position> {
        let mover = self.mover?;
        let (board, turned) = self.board.after(mover, square)?;
        let black = if mover == Player::Black { 1 << square } else { 0 };
        Some(Position {
            board,
            mover: Self::turn(board, mover.other()),
            turned: turned.into_iter().fold(self.turned, |bits, square| bits | 1 << square),
            laid_by_black: self.laid_by_black | black,
        })
    }

    /// The position with discs turned over by hand, the same player being to move if it can.
    pub fn edited(&self, squares: &[usize]) -> Position {
        let board = squares.iter().fold(self.board, |board, &square| board.turned(square));
        let mover = self.mover.and_then(|mover| Self::turn(board, mover));
        let turned = squares.iter().fold(self.turned, |bits, square| bits | 1 << square);
        Position { board, mover, turned, ..*self }
    }

    /// Whether the disc of a square was turned over since it was laid.
    pub fn was_turned(&self, square: usize) -> bool {
        self.turned >> square & 1 == 1
    }

    /// Who laid the disc of a square; `None` where there is none.
    pub fn laid_by(&self, square: usize) -> Option<Player> {
        let black = self.laid_by_black >> square & 1 == 1;
        self.board.at(square).map(|_| if black { Player::Black } else { Player::White })
    }

    /// Whether the disc of a square is that of who is to move; `None` where there is no disc or nobody to move.
    pub fn mine(&self, square: usize) -> Option<bool> {
        Some(self.board.at(square)? == self.mover?)
    }
}

/// A game with what stood on the board.
#[derive(Clone, Debug, PartialEq)]
pub struct OthelloEpisode {
    /// Where it comes from.
    pub address: Address,
    /// Changes to it, in order.
    pub edits: Vec<Edit>,
    /// The squares played, at most `length + 1`; fewer where the game ends.
    pub moves: Vec<usize>,
    /// The positions: the start, then one after each move (after the edit, where one was made then).
    pub positions: Vec<Position>,
}

impl OthelloEpisode {
    /// What stands on the board where a model has seen the tokens up to one, and a move is to be predicted; `None` after the
    /// game's end.
    pub fn seen(&self, token: usize) -> Option<&Position> {
        self.positions.get(token + 1).filter(|position| position.mover.is_some())
    }
}

/// The world `othello`.
#[derive(Clone, Debug)]
pub struct OthelloWorld {
    config: OthelloConfig,
    fingerprint: String,
    /// The square of every symbol: all but the four that are taken from the start, ascending.
    squares: Vec<usize>,
}

impl OthelloWorld {
    /// A world.
    ///
    /// # Errors
    /// One sentence that names the key and value at fault.
    pub fn new(config: OthelloConfig) -> Result<OthelloWorld, EnvironmentError> {
        let OthelloConfig { size, length, opening, shares, .. } = config;
        if ![4, 6, 8].contains(&size) {
            let nearest = [4usize, 6, 8].into_iter().min_by_key(|known| known.abs_diff(size)).unwrap_or(6);
            return Err(EnvironmentError(format!("size = {size} is not 4, 6 or 8; the nearest is {nearest}")));
        }
        // The last move has nothing after it to predict.
        let longest = (size * size - 5) as u64;
        within(&[("length", length as u64, 2, longest), ("opening", opening as u64, 1, 7.min(length as u64))])?;
        check_shares(shares)?;
        let start = Board::start(size);
        let squares = (0..start.squares()).filter(|&square| start.at(square).is_none()).collect();
        let world = OthelloWorld { fingerprint: fingerprint("othello 1", &config), config, squares };
        let mut met = [false; 3];
        world.meet(&Position::start(size), opening, &mut met);
        if met.contains(&false) {
            return Err(EnvironmentError(format!(
                "opening = {opening} makes too few boards for shares = {shares:?}; take a larger one"
            )));
        }
        Ok(world)
    }

    /// Which splits the boards after so many more moves are of.
    fn meet(&self, position: &Position, left: usize, met: &mut [bool; 3]) {
        if left == 0 || position.mover.is_none() {
            met[self.split_of(position) as usize] = true;
            return;
        }
        for after in position.moves().into_iter().filter_map(|square| position.after(square)) {
            if *met == [true; 3] {
                return;
            }
            self.meet(&after, left - 1, met);
        }
    }

    /// The configuration.
    pub fn config(&self) -> &OthelloConfig {
        &self.config
    }

    /// The square of a symbol; `None` for the one that fills up after a game's end.
    pub fn square_of(&self, symbol: Symbol) -> Option<usize> {
        self.squares.get(usize::from(symbol)).copied()
    }

    /// The symbol of a square; `None` for the four that are taken from the start.
    pub fn symbol_of(&self, square: usize) -> Option<Symbol> {
        self.squares.binary_search(&square).ok().map(|place| place as Symbol)
    }

    /// The token after a game's end.
    pub fn end(&self) -> Symbol {
        self.squares.len() as Symbol
    }

    /// A square as players write it: column letter and row number, such as `c4`.
    pub fn name_of(&self, square: usize) -> String {
        let column = char::from(b'a' + (square % self.config.size) as u8);
        format!("{column}{}", square / self.config.size + 1)
    }

    fn split_of(&self, position: &Position) -> Split {
        let [black, white] = position.board.canonical();
        let black_moves = position.mover == Some(Player::Black);
        let text = format!("othello {} {black} {white} {black_moves}", self.config.seed);
        split_by(&Sha256::digest(text), self.config.shares)
    }

    /// Goes on at random, all legal moves equally likely, until the game ends or enough moves are made.
    fn play(&self, moves: &mut Vec<usize>, positions: &mut Vec<Position>, until: usize, chance: &mut Stream) {
        while moves.len() < until {
            let Some(position) = positions.last().copied() else { return };
            let legal = position.moves();
            if legal.is_empty() {
                return;
            }
            let square = legal[chance.below(legal.len() as u64) as usize];
            moves.push(square);
            positions.extend(position.after(square));
        }
    }

    fn chance(&self, address: &Address, edits: &str) -> Stream {
        let (seed, index) = (self.config.seed.to_string(), address.index.to_string());
        let mut parts = vec!["othello", &seed, &self.fingerprint, address.split.name(), &index];
        if !edits.is_empty() {
            parts.push(edits);
        }
        stream(&parts)
    }

    /// The game at an address.
    pub fn observe(&self, split: Split, index: u64) -> OthelloEpisode {
        let address = Address { environment: self.fingerprint.clone(), split, index };
        let mut chance = self.chance(&address, "");
        loop {
            let (mut moves, mut positions) = (Vec::new(), vec![Position::start(self.config.size)]);
            self.play(&mut moves, &mut positions, self.config.opening, &mut chance);
            if positions.last().is_some_and(|position| self.split_of(position) == split) {
                self.play(&mut moves, &mut positions, self.config.length + 1, &mut chance);
                return OthelloEpisode { address, edits: Vec::new(), moves, positions };
            }
        }
    }

    /// The same game with discs turned over on the way: what was played before stays, what comes after is played anew.
    ///
    /// # Errors
    /// If an edit does not fit the game, in one sentence.
    pub fn edit(&self, episode: &OthelloEpisode, edits: &[Edit]) -> Result<OthelloEpisode, EnvironmentError> {
        let fail = |text: String| Err(EnvironmentError(text));
        let mut own = episode.clone();
        for edit in edits {
            let Edit::Turn { after, cells } = edit else {
                return fail("the edit is of another world, and this one has discs; the nearest is `turn`".into());
            };
            let (moment, most) = (*after as usize, own.moves.len());
            if moment > most {
                return fail(format!("after = {moment}: the game has {most} moves; the nearest is {most}"));
            }
            let position = own.positions[moment];
            let mut squares = Vec::new();
            for &(column, row) in cells {
                let size = self.config.size;
                let (column, row) = (column as usize, row as usize);
                if column >= size || row >= size {
                    return fail(format!("cell ({column}, {row}) is off the board of {size}×{size}"));
                }
                let square = row * size + column;
                if position.board.at(square).is_none() {
                    let name = self.name_of(square);
                    return fail(format!("cell ({column}, {row}), {name}: no disc lies there after {moment} moves"));
                }
                squares.push(square);
            }
            own.edits.push(edit.clone());
            own.moves.truncate(moment);
            own.positions.truncate(moment);
            own.positions.push(position.edited(&squares));
            let mut chance = self.chance(&own.address, &format!("{:?}", own.edits));
            self.play(&mut own.moves, &mut own.positions, self.config.length + 1, &mut chance);
        }
        Ok(own)
    }

    /// Tokens and targets of a game.
    pub fn sample_of(&self, episode: &OthelloEpisode) -> Sample {
        let symbol = |token: usize| episode.moves.get(token).and_then(|&square| self.symbol_of(square));
        let length = self.config.length;
        Sample {
            tokens: (0..length).map(|token| symbol(token).unwrap_or(self.end())).collect(),
            targets: (1..=length).map(|token| symbol(token).unwrap_or(UNSCORED)).collect(),
        }
    }

    /// The game in the form that every world has.
    pub fn episode_of(&self, episode: &OthelloEpisode) -> Episode {
        let size = self.config.size as u32;
        let colour = |board: Board, square| board.at(square).map_or(0, |player| 1 + player as u8);
        let frame = |position: &Position| -> Vec<u8> {
            (0..position.board.squares()).map(|square| colour(position.board, square)).collect()
        };
        Episode {
            address: episode.address.clone(),
            edits: episode.edits.clone(),
            sample: self.sample_of(episode),
            labels: labels::labels(self, episode),
            scene: Scene::Board {
                width: size,
                height: size,
                states: 3,
                frames: episode.positions.iter().map(frame).collect(),
                objects: Vec::new(),
            },
        }
    }
}

impl Environment for OthelloWorld {
    fn name(&self) -> &'static str {
        "othello"
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn geometry(&self) -> Geometry {
        Geometry::Line { length: self.config.length }
    }

    fn vocabulary(&self) -> usize {
        self.squares.len() + 1
    }

    fn targets(&self) -> usize {
        self.squares.len()
    }

    fn sample(&self, split: Split, index: u64) -> Sample {
        self.sample_of(&self.observe(split, index))
    }

    fn episode(&self, split: Split, index: u64) -> Episode {
        self.episode_of(&self.observe(split, index))
    }

    fn counterfactual(&self, address: &Address, edits: &[Edit]) -> Result<Episode, EnvironmentError> {
        address.must_be_of(&self.fingerprint)?;
        Ok(self.episode_of(&self.edit(&self.observe(address.split, address.index), edits)?))
    }
}
