//! Random games of Othello on a small board: tokens are moves, passes are not told, and the board stays hidden. Whoever is to
//! predict which moves are legal has to know whose disc lies where.

mod board;
mod labels;
mod world;

pub use board::{Board, Player};
pub use world::{OthelloConfig, OthelloEpisode, OthelloWorld, Position};
