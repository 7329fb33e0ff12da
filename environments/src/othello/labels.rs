//! What is true of a game at every token: whose disc lies where, in two frames, and what may be played next.

use super::board::Player;
use super::world::{OthelloEpisode, OthelloWorld, Position};
use crate::{Column, Labels, Scope};

/// Columns by square: `relative c4` (mine: of who is to move next), `absolute c4`, `legal c4`; last, who is to move. Nothing
/// holds after a game's end.
pub(super) fn labels(world: &OthelloWorld, episode: &OthelloEpisode) -> Labels {
    let tokens = world.config().length;
    let squares = world.config().size * world.config().size;
    let column = |concept: String, classes: &[&str], of: &dyn Fn(&Position) -> Option<u32>| Column {
        concept,
        scope: Scope::Token,
        classes: classes.iter().map(|class| (*class).to_string()).collect(),
        values: (0..tokens).map(|token| episode.seen(token).and_then(of)).collect(),
    };
    let mut columns = Vec::new();
    for square in 0..squares {
        let name = world.name_of(square);
        columns.push(column(format!("relative {name}"), &["mine", "theirs", "empty"], &|position| {
            Some(position.mine(square).map_or(2, |mine| u32::from(!mine)))
        }));
        columns.push(column(format!("absolute {name}"), &["black", "white", "empty"], &|position| {
            Some(position.board.at(square).map_or(2, |player| player as u32))
        }));
        if world.symbol_of(square).is_some() {
            columns.push(column(format!("legal {name}"), &["no", "yes"], &|position| {
                Some(u32::from(position.moves().contains(&square)))
            }));
        }
    }
    columns.push(column("to-move".into(), &["black", "white"], &|position| {
        position.mover.map(|mover| u32::from(mover == Player::White))
    }));
    Labels { columns }
}
