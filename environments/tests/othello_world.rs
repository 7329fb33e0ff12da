//! Random games of Othello: legal, split by opening up to symmetry, with exact counterfactuals.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;

use environments::othello::{Board, OthelloConfig, OthelloEpisode, OthelloWorld, Player};
use environments::{Edit, Environment, Scene, Split, UNSCORED};

fn world(config: OthelloConfig) -> OthelloWorld {
    OthelloWorld::new(config).unwrap()
}

/// Plays a game's moves anew, with passes.
fn replay(size: usize, moves: &[usize]) -> (Board, Option<Player>) {
    let (mut board, mut player) = (Board::start(size), Player::Black);
    for &square in moves {
        if !board.can_move(player) {
            player = player.other();
        }
        board = board.after(player, square).unwrap().0;
        player = player.other();
    }
    let mover = [player, player.other()].into_iter().find(|&player| board.can_move(player));
    (board, mover)
}

#[test]
fn games_are_legal_and_what_is_said_of_them_is_true() {
    for size in [4, 6, 8] {
        let longest = size * size - 5;
        let world = world(OthelloConfig { size, length: longest, opening: 5, ..OthelloConfig::default() });
        let mut ended = 0;
        for index in 0..60 {
            let game = world.observe(Split::Train, index);
            for (count, position) in game.positions.iter().enumerate() {
                assert_eq!((position.board, position.mover), replay(size, &game.moves[..count]));
                for square in 0..size * size {
                    // Who laid a disc and how often it was turned gives its colour; the last of it is all that is kept.
                    let (laid, now) = (position.laid_by(square), position.board.at(square));
                    assert_eq!(laid.is_some(), now.is_some());
                    assert!(laid == now || position.was_turned(square));
                }
            }
            let sample = world.sample_of(&game);
            for token in 0..longest {
                let played = game.moves.get(token).map(|&square| world.symbol_of(square).unwrap());
                assert_eq!(sample.tokens[token], played.unwrap_or(world.end()));
                let next = game.moves.get(token + 1).map(|&square| world.symbol_of(square).unwrap());
                assert_eq!(sample.targets[token], next.unwrap_or(UNSCORED));
                match game.seen(token) {
                    Some(position) => {
                        let legal = position.moves();
                        assert!(legal.contains(&game.moves[token + 1]) && !legal.is_empty());
                    }
                    None => assert_eq!(sample.targets[token], UNSCORED),
                }
            }
            ended += usize::from(game.moves.len() <= longest);
        }
        assert!(size != 4 || ended > 2, "on the smallest board some games end early, {ended}");
    }
}

#[test]
fn moves_are_drawn_evenly_among_the_legal_ones() {
    let world = world(OthelloConfig::default());
    // At the second move there are three, none of which the opening's split prefers by much.
    let mut counts: BTreeMap<(usize, usize), u32> = BTreeMap::new();
    for index in 0..4000 {
        let game = world.observe(Split::Train, index);
        *counts.entry((game.moves[20], game.positions[20].moves().len())).or_default() += 1;
    }
    // The probability that a move is the first of its list is the mean of 1 / length.
    let (mut first, mut expected) = (0.0, 0.0);
    for index in 0..4000 {
        let game = world.observe(Split::Train, index);
        let legal = game.positions[20].moves();
        first += f64::from(u8::from(legal[0] == game.moves[20]));
        expected += 1.0 / legal.len() as f64;
    }
    assert!(counts.len() > 100 && (first - expected).abs() < 4.0 * expected.sqrt(), "{first} {expected}");
}

#[test]
fn openings_of_one_split_are_in_no_other_and_neither_are_their_images() {
    let world = world(OthelloConfig { opening: 5, ..OthelloConfig::default() });
    let board = |game: &OthelloEpisode| (game.positions[5].board.canonical(), game.positions[5].mover);
    let mut homes: Vec<([u64; 2], Split)> = Vec::new();
    for split in Split::ALL {
        for index in 0..400 {
            homes.push((board(&world.observe(split, index)).0, split));
        }
    }
    homes.sort_unstable();
    homes.dedup();
    let several = homes.windows(2).filter(|pair| pair[0].0 == pair[1].0).count();
    // The same discs with the other player to move do not occur after five moves without a pass.
    assert_eq!(several, 0);
    for split in Split::ALL {
        let share = homes.iter().filter(|(_, home)| *home == split).count() as f64 / homes.len() as f64;
        assert!(share > 0.03, "{split:?}: {share}");
    }
    // A half turn of a game is a game of the same split.
    let game = world.observe(Split::Test, 0);
    let turned: Vec<usize> = game.moves[..5].iter().map(|square| 35 - square).collect();
    assert_eq!(replay(6, &turned).0.canonical(), board(&game).0);
}

#[test]
fn an_episode_is_a_pure_function_and_its_golden_game_is_the_one_it_was() {
    let world = world(OthelloConfig::default());
    let episode = world.episode(Split::Train, 7);
    assert_eq!(episode, world.episode(Split::Train, 7));
    assert_eq!(episode.sample, world.sample(Split::Train, 7));
    assert_ne!(episode.sample, world.sample(Split::Train, 8));
    let other = self::world(OthelloConfig { seed: 1, ..OthelloConfig::default() });
    assert_ne!(episode.sample, other.sample(Split::Train, 7));
    let names: Vec<String> =
        world.observe(Split::Train, 7).moves.iter().take(12).map(|&square| world.name_of(square)).collect();
    assert_eq!(names.join(" "), GOLDEN);
    let Scene::Board { width, frames, .. } = &episode.scene else { panic!("a board") };
    assert_eq!((*width, frames.len()), (6, 30));
    assert!(
        frames.iter().enumerate().all(|(moves, frame)| frame.iter().filter(|&&cell| cell > 0).count() == 4 + moves)
    );
}

const GOLDEN: &str = "c2 d2 e2 b4 e5 e4 c5 d6 f5 c1 b1 e1";

#[test]
fn labels_tell_both_frames_and_the_legal_moves() {
    let world = world(OthelloConfig::default());
    let game = world.observe(Split::Validation, 3);
    let labels = world.episode(Split::Validation, 3).labels;
    for token in 0..28 {
        let position = game.seen(token).unwrap();
        let mover = position.mover.unwrap();
        assert_eq!(labels.get("to-move").unwrap().values[token], Some(mover as u32));
        for square in 0..36 {
            let name = world.name_of(square);
            let of = |frame: &str| labels.get(&format!("{frame} {name}")).map(|column| column.values[token].unwrap());
            let colour = position.board.at(square);
            assert_eq!(of("absolute"), Some(colour.map_or(2, |player| player as u32)));
            assert_eq!(of("relative"), Some(colour.map_or(2, |player| u32::from(player != mover))));
            let legal = position.board.moves(mover).contains(&square);
            assert_eq!(of("legal"), world.symbol_of(square).map(|_| u32::from(legal)));
        }
    }
}

#[test]
fn turned_discs_have_the_future_that_the_rules_give_them() {
    let world = world(OthelloConfig::default());
    let address = world.episode(Split::Test, 5).address;
    let game = world.observe(Split::Test, 5);
    let square = (0..36).find(|&square| game.positions[10].board.at(square).is_some()).unwrap();
    let cell = ((square % 6) as u32, (square / 6) as u32);
    let edit = Edit::Turn { after: 10, cells: vec![cell] };
    let edited = world.edit(&game, std::slice::from_ref(&edit)).unwrap();
    assert_eq!(edited.moves[..10], game.moves[..10]);
    assert_eq!(edited.positions[..10], game.positions[..10]);
    assert_eq!(edited.positions[10].board, game.positions[10].board.turned(square));
    let mut position = edited.positions[10];
    for (&square, after) in edited.moves[10..].iter().zip(&edited.positions[11..]) {
        position = position.after(square).unwrap();
        assert_eq!(position, *after);
    }
    assert_eq!(world.counterfactual(&address, std::slice::from_ref(&edit)).unwrap(), world.episode_of(&edited));
    assert_eq!(world.counterfactual(&address, &[]).unwrap(), world.episode(Split::Test, 5));
    // Turned and turned back, it is the game's position again.
    let back = world.edit(&game, &[edit.clone(), edit]).unwrap();
    assert_eq!(back.positions[10].board, game.positions[10].board);
    let error = |edit: Edit| world.counterfactual(&address, &[edit]).unwrap_err().to_string();
    let turn = |after: u32, cell: (u32, u32)| Edit::Turn { after, cells: vec![cell] };
    assert!(error(turn(99, (2, 2))).ends_with("the nearest is 29"));
    assert!(error(turn(1, (9, 0))).contains("off the board of 6×6"));
    assert!(error(turn(0, (0, 0))).contains("a1: no disc lies there after 0 moves"));
    assert!(error(Edit::Delete { object: 0 }).contains("the nearest is `turn`"));
}

#[test]
fn what_cannot_be_built_is_refused_with_the_nearest_that_can() {
    let error = |config: OthelloConfig| OthelloWorld::new(config).unwrap_err().to_string();
    assert!(error(OthelloConfig { size: 5, ..OthelloConfig::default() }).contains("is not 4, 6 or 8; the nearest is"));
    assert!(error(OthelloConfig { length: 40, ..OthelloConfig::default() }).ends_with("the nearest is 31"));
    assert!(error(OthelloConfig { opening: 1, ..OthelloConfig::default() }).contains("take a larger one"));
    assert!(error(OthelloConfig { shares: [1, 0, 1], ..OthelloConfig::default() }).contains("shares"));
}
