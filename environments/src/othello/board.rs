//! The board of Othello and its rules, on bits.

use serde::{Deserialize, Serialize};

/// A player; black moves first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Player {
    /// Who moves first.
    Black,
    /// The other.
    White,
}

impl Player {
    /// The other player.
    pub fn other(self) -> Player {
        match self {
            Player::Black => Player::White,
            Player::White => Player::Black,
        }
    }
}

/// Columns of bits: a square is the bit 8·row + column, on a board of any size.
const COLUMNS: usize = 8;
/// The bits of the first and of the last column of bits.
const FIRST: u64 = 0x0101_0101_0101_0101;
const LAST: u64 = FIRST << 7;

/// Discs on a square board of even size up to 8. Squares are numbered row by row from the north-west corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Board {
    size: usize,
    /// Bits of black's and of white's discs.
    discs: [u64; 2],
}

impl Board {
    /// The start: in the middle white on the main diagonal, black on the other (World Othello Federation, rule 1).
    ///
    /// # Panics
    /// If the size is odd, below 4 or above 8.
    pub fn start(size: usize) -> Board {
        assert!(size.is_multiple_of(2) && (4..=8).contains(&size), "a board of size {size}");
        let (low, high) = (size / 2 - 1, size / 2);
        let mut board = Board { size, discs: [0, 0] };
        for (row, column, player) in [
            (low, high, Player::Black),
            (high, low, Player::Black),
            (low, low, Player::White),
            (high, high, Player::White),
        ] {
            board.discs[player as usize] |= board.bit(row * size + column);
        }
        board
    }

    /// Rows and columns.
    pub fn size(self) -> usize {
        self.size
    }

    /// Number of squares.
    pub fn squares(self) -> usize {
        self.size * self.size
    }

    fn bit(self, square: usize) -> u64 {
        1 << (square / self.size * COLUMNS + square % self.size)
    }

    /// All squares as bits.
    fn area(self) -> u64 {
        let row = (1u64 << self.size) - 1;
        (0..self.size).fold(0, |area, number| area | row << (COLUMNS * number))
    }

    fn list(self, bits: u64) -> Vec<usize> {
        (0..self.squares()).filter(|&square| bits & self.bit(square) != 0).collect()
    }

    /// Whose disc lies on a square.
    pub fn at(self, square: usize) -> Option<Player> {
        [Player::Black, Player::White].into_iter().find(|&player| self.discs[player as usize] & self.bit(square) != 0)
    }

    /// How many discs a player has.
    pub fn count(self, player: Player) -> u32 {
        self.discs[player as usize].count_ones()
    }

    /// The squares on which a player may lay a disc, ascending.
    pub fn moves(self, player: Player) -> Vec<usize> {
        self.list(self.legal(player))
    }

    /// Whether a player may lay a disc anywhere.
    pub fn can_move(self, player: Player) -> bool {
        self.legal(player) != 0
    }

    fn legal(self, player: Player) -> u64 {
        let (own, other) = (self.discs[player as usize], self.discs[player.other() as usize]);
        let empty = self.area() & !(own | other);
        (0..8).fold(0, |legal, direction| {
            let mut run = shift(own, direction) & other;
            for _ in 3..self.size {
                run |= shift(run, direction) & other;
            }
            legal | shift(run, direction) & empty
        })
    }

    /// The board after a player lays a disc, and the squares whose discs it turns, ascending; `None` where that is
    /// against the rules.
    pub fn after(self, player: Player, square: usize) -> Option<(Board, Vec<usize>)> {
        let (own, other) = (self.discs[player as usize], self.discs[player.other() as usize]);
        let laid = self.bit(square);
        if (own | other) & laid != 0 {
            return None;
        }
        let mut turned = 0;
        for direction in 0..8 {
            let mut run = 0;
            let mut next = shift(laid, direction) & self.area();
            while next & other != 0 {
                run |= next;
                next = shift(next, direction) & self.area();
            }
            if next & own != 0 {
                turned |= run;
            }
        }
        let mut board = self;
        board.discs[player as usize] |= laid | turned;
        board.discs[player.other() as usize] &= !turned;
        (turned != 0).then(|| (board, self.list(turned)))
    }

    /// The board with the disc on a square turned over; an empty square stays empty.
    pub fn turned(self, square: usize) -> Board {
        let bit = self.bit(square) & (self.discs[0] | self.discs[1]);
        Board { discs: self.discs.map(|discs| discs ^ bit), ..self }
    }

    /// The least, in some fixed order, of the images of the board under the four symmetries that leave the start as it is:
    /// the identity, the half turn and the reflections in both diagonals. (The other four exchange the colours.)
    pub fn canonical(self) -> [u64; 2] {
        let last = self.size - 1;
        let image = |of: &dyn Fn(usize, usize) -> (usize, usize)| {
            self.discs.map(|discs| {
                let moved = self.list(discs).into_iter().map(|square| {
                    let (row, column) = of(square / self.size, square % self.size);
                    self.bit(row * self.size + column)
                });
                moved.fold(0, |bits, bit| bits | bit)
            })
        };
        let images = [
            image(&|row, column| (last - row, last - column)),
            image(&|row, column| (column, row)),
            image(&|row, column| (last - column, last - row)),
        ];
        images.into_iter().fold(self.discs, std::cmp::min)
    }
}

/// All bits one square further in one of eight directions; what leaves the columns of bits is lost.
fn shift(bits: u64, direction: usize) -> u64 {
    match direction {
        0 => bits << 1 & !FIRST,
        1 => bits >> 1 & !LAST,
        2 => bits << 8,
        3 => bits >> 8,
        4 => bits << 9 & !FIRST,
        5 => bits << 7 & !LAST,
        6 => bits >> 7 & !FIRST,
        _ => bits >> 9 & !LAST,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Draw, stream};

    /// The obvious way: from the square walk in all directions.
    fn turned_by_walking(board: Board, player: Player, square: usize) -> Vec<usize> {
        let size = board.size as i64;
        if board.at(square).is_some() {
            return Vec::new();
        }
        let mut turned = Vec::new();
        for (down, right) in [(0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)] {
            let (mut row, mut column) = (square as i64 / size + down, square as i64 % size + right);
            let mut run = Vec::new();
            while (0..size).contains(&row) && (0..size).contains(&column) {
                let here = (row * size + column) as usize;
                match board.at(here) {
                    Some(whose) if whose == player => {
                        turned.append(&mut run);
                        break;
                    }
                    Some(_) => run.push(here),
                    None => break,
                }
                (row, column) = (row + down, column + right);
            }
        }
        turned.sort_unstable();
        turned
    }

    #[test]
    fn bits_agree_with_walking_on_every_board_of_random_games() {
        let mut chance = stream(&["othello", "walk"]);
        for size in [4, 6, 8] {
            for _ in 0..60 {
                let (mut board, mut player, mut passed) = (Board::start(size), Player::Black, false);
                loop {
                    let mut legal = Vec::new();
                    for square in 0..board.squares() {
                        let turned = turned_by_walking(board, player, square);
                        let after = board.after(player, square).map(|(_, turned)| turned);
                        assert_eq!(after, (!turned.is_empty()).then_some(turned));
                        if after.is_some() {
                            legal.push(square);
                        }
                    }
                    assert_eq!(board.moves(player), legal);
                    assert_eq!(board.can_move(player), !legal.is_empty());
                    if legal.is_empty() {
                        if passed {
                            break;
                        }
                        passed = true;
                    } else {
                        passed = false;
                        let square = legal[chance.below(legal.len() as u64) as usize];
                        let discs = board.count(Player::Black) + board.count(Player::White);
                        board = board.after(player, square).unwrap().0;
                        assert_eq!(board.count(Player::Black) + board.count(Player::White), discs + 1);
                    }
                    player = player.other();
                }
            }
        }
    }

    /// Sequences of so many moves, passes being moves.
    fn sequences(board: Board, player: Player, depth: usize) -> u64 {
        if depth == 0 {
            return 1;
        }
        let moves = board.moves(player);
        if moves.is_empty() {
            let goes_on = board.can_move(player.other());
            return if goes_on { sequences(board, player.other(), depth - 1) } else { 1 };
        }
        let after = |&square: &usize| sequences(board.after(player, square).unwrap().0, player.other(), depth - 1);
        moves.iter().map(after).sum()
    }

    #[test]
    fn the_numbers_of_sequences_are_the_published_ones() {
        // The table of move sequences that programs of Othello are checked against (OEIS A124004).
        let counted: Vec<u64> = (1..=7).map(|depth| sequences(Board::start(8), Player::Black, depth)).collect();
        assert_eq!(counted, [4, 12, 56, 244, 1396, 8200, 55_092]);
    }

    /// Black's discs minus white's at the end, both playing perfectly.
    fn perfect(board: Board, player: Player, (mut low, mut high): (i32, i32)) -> i32 {
        let moves = board.moves(player);
        if moves.is_empty() {
            if board.can_move(player.other()) {
                return perfect(board, player.other(), (low, high));
            }
            return board.count(Player::Black) as i32 - board.count(Player::White) as i32;
        }
        let mut best = if player == Player::Black { -64 } else { 64 };
        for square in moves {
            let value = perfect(board.after(player, square).unwrap().0, player.other(), (low, high));
            match player {
                Player::Black => {
                    best = best.max(value);
                    low = low.max(best);
                }
                Player::White => {
                    best = best.min(value);
                    high = high.min(best);
                }
            }
            if low >= high {
                break;
            }
        }
        best
    }

    #[test]
    fn perfect_play_on_the_smallest_board_ends_as_published() {
        // White wins by 11 to 3, two squares staying empty.
        assert_eq!(perfect(Board::start(4), Player::Black, (-64, 64)), 3 - 11);
    }

    #[test]
    fn the_canonical_board_is_that_of_every_image() {
        let start = Board::start(6);
        assert_eq!(start.canonical(), start.discs);
        // The four first moves are one up to symmetry.
        let first: Vec<[u64; 2]> = start
            .moves(Player::Black)
            .into_iter()
            .map(|square| start.after(Player::Black, square).unwrap().0.canonical())
            .collect();
        assert_eq!(first.len(), 4);
        assert!(first.iter().all(|board| *board == first[0]));
        let (board, _) = start.after(Player::Black, start.moves(Player::Black)[0]).unwrap();
        let second: Vec<[u64; 2]> = board
            .moves(Player::White)
            .into_iter()
            .map(|square| board.after(Player::White, square).unwrap().0.canonical())
            .collect();
        // Diagonal, perpendicular and parallel opening.
        assert_eq!(second.len(), 3);
        assert!(second[0] != second[1] && second[1] != second[2] && second[0] != second[2]);
    }

    #[test]
    fn a_disc_turned_twice_is_as_it_was() {
        let start = Board::start(6);
        assert_ne!(start.turned(14), start);
        assert_eq!(start.turned(14).turned(14), start);
        assert_eq!(start.turned(0), start, "an empty square");
    }
}
