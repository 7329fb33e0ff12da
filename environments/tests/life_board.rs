//! Boards and stepping against a slow, obvious reference.
#![allow(clippy::unwrap_used)]

use environments::automata::Rule;
use environments::life::{Board, Stepper, Symmetry, invariant_hash};
use environments::{Draw, Stream, stream};

/// One step, cell by cell, as the rule's definition says.
fn reference_step(board: &Board, table: &[bool; 512]) -> Board {
    let mut next = Board::new(board.width(), board.height());
    for row in 0..board.height() {
        for column in 0..board.width() {
            let mut neighbourhood = 0;
            let mut bit = 0;
            for down in -1..=1 {
                for right in -1..=1 {
                    let (x, y) = board.wrap(i64::from(column) + right, i64::from(row) + down);
                    neighbourhood |= usize::from(board.get(x, y)) << bit;
                    bit += 1;
                }
            }
            next.set(column, row, table[neighbourhood]);
        }
    }
    next
}

fn random_board(width: u32, height: u32, stream: &mut Stream) -> Board {
    let mut board = Board::new(width, height);
    let density = stream.unit();
    for row in 0..height {
        for column in 0..width {
            board.set(column, row, stream.chance(density));
        }
    }
    board
}

fn random_table(stream: &mut Stream) -> [bool; 512] {
    std::array::from_fn(|_| stream.chance(0.5))
}

const SIZES: [(u32, u32); 16] = [
    (3, 3),
    (3, 7),
    (4, 4),
    (5, 9),
    (7, 12),
    (16, 16),
    (16, 7),
    (21, 6),
    (22, 9),
    (32, 32),
    (32, 31),
    (63, 5),
    (64, 6),
    (65, 5),
    (100, 7),
    (129, 4),
];

#[test]
fn every_neighbourhood_is_looked_up_rightly() {
    let mut stream = stream(&["test", "neighbourhoods"]);
    let mut tables: Vec<[bool; 512]> = (0..4).map(|_| random_table(&mut stream)).collect();
    tables.push(*Rule::life().table());
    tables.push(*Rule::parse("B36/S125").unwrap().table());
    for table in tables {
        for stepper in [Stepper::from_table(&table), Stepper::from_table_generic(&table)] {
            for (neighbourhood, &expected) in table.iter().enumerate() {
                let live: Vec<(u32, u32)> =
                    (0..9).filter(|bit| neighbourhood >> bit & 1 == 1).map(|bit| (2 + bit % 3, 3 + bit / 3)).collect();
                let next = stepper.step(&Board::from_live(16, 16, &live));
                assert_eq!(next.get(3, 4), expected, "neighbourhood {neighbourhood:09b}");
            }
        }
    }
}

#[test]
fn stepping_agrees_with_the_reference_at_every_size() {
    let mut stream = stream(&["test", "stepping"]);
    let mut tables: Vec<[bool; 512]> = ["B3/S23", "B36/S23", "B2/S", "B0/S8", "B1357/S02468", "B3/S23-a", "B2-a/S12"]
        .map(|rule| *Rule::parse(rule).unwrap().table())
        .to_vec();
    tables.extend((0..3).map(|_| random_table(&mut stream)));
    tables.extend([[false; 512], [true; 512]]);
    for table in &tables {
        let steppers = [Stepper::from_table(table), Stepper::from_table_generic(table)];
        for (width, height) in SIZES {
            let board = random_board(width, height, &mut stream);
            let mut slow = board.clone();
            for (step, fast) in steppers[0].trajectory(&board, 5).into_iter().enumerate() {
                assert_eq!(fast, slow, "{width}×{height}, step {step}");
                assert_eq!(steppers[1].run(&board, step as u32), slow, "{width}×{height}, step {step}, generic");
                slow = reference_step(&slow, table);
            }
        }
    }
}

#[test]
fn a_large_board_agrees_with_the_reference() {
    let board = random_board(515, 130, &mut stream(&["test", "large"]));
    let mut slow = board.clone();
    for _ in 0..3 {
        slow = reference_step(&slow, Rule::life().table());
    }
    assert_eq!(Stepper::life().run(&board, 3), slow);
}

#[test]
fn the_r_pentomino_lives_as_published() {
    // LifeWiki, "R-pentomino": generation 1103 has 116 cells; on the plane it stays within 512 cells until then but
    // for its gliders, which on a torus of 2048 cells do not come round.
    let board = Board::from_live(2048, 2048, &[(1001, 1000), (1002, 1000), (1000, 1001), (1001, 1001), (1001, 1002)]);
    assert_eq!(Stepper::life().run(&board, 1103).population(), 116);
}

#[test]
fn cells_round_trip() {
    let mut stream = stream(&["test", "cells"]);
    for (width, height) in SIZES {
        let board = random_board(width, height, &mut stream);
        assert_eq!(Board::from_cells(width, height, &board.cells()), board);
        let live: Vec<_> = board.live().collect();
        assert_eq!(Board::from_live(width, height, &live), board);
        assert_eq!(live.len(), board.population() as usize);
        assert!(live.is_sorted_by_key(|&(column, row)| (row, column)));
        let lines = board.to_string();
        assert_eq!(lines.lines().count(), height as usize);
        assert_eq!(lines.matches('O').count(), live.len());
    }
}

#[test]
fn symmetries_act_on_cells_vectors_and_boards_alike() {
    let mut stream = stream(&["test", "symmetries"]);
    let board = random_board(13, 10, &mut stream);
    for symmetry in Symmetry::ALL {
        let turned = board.transformed(symmetry);
        assert_eq!((turned.width(), turned.height()), symmetry.size(13, 10));
        assert_eq!(turned.population(), board.population());
        // A vector goes where the difference of two cells goes.
        let (a, b) = (symmetry.cell((2, 3), 13, 10), symmetry.cell((7, 4), 13, 10));
        let difference = (b.0 as i32 - a.0 as i32, b.1 as i32 - a.1 as i32);
        assert_eq!(difference, symmetry.vector((5, 1)), "{symmetry:?}");
    }
    // Rotations are clockwise: north-west goes to north-east.
    assert_eq!(Symmetry::Rotate90.cell((0, 0), 4, 3), (2, 0));
    assert_eq!(Symmetry::Rotate90.vector((1, 1)), (-1, 1));
    let quarter = |board: &Board| board.transformed(Symmetry::Rotate90);
    assert_eq!(quarter(&quarter(&board)), board.transformed(Symmetry::Rotate180));
    assert_eq!(quarter(&quarter(&quarter(&board))), board.transformed(Symmetry::Rotate270));
    assert_eq!(quarter(&board.transformed(Symmetry::Rotate270)), board);
}

#[test]
fn isotropic_rules_commute_with_symmetries_and_translations() {
    let mut stream = stream(&["test", "commute"]);
    for rule in ["B3/S23", "B3/S23-a", "B2-a/S12"] {
        let stepper = Stepper::new(&Rule::parse(rule).unwrap());
        let board = random_board(17, 12, &mut stream);
        for symmetry in Symmetry::ALL {
            assert_eq!(stepper.run(&board.transformed(symmetry), 4), stepper.run(&board, 4).transformed(symmetry));
        }
        assert_eq!(stepper.run(&board.translated(-5, 20), 4), stepper.run(&board, 4).translated(-5, 20));
    }
}

#[test]
fn the_hash_knows_no_place_and_no_direction() {
    let mut stream = stream(&["test", "hash"]);
    for (width, height) in SIZES {
        let board = random_board(width, height, &mut stream);
        let hash = invariant_hash(&board);
        for symmetry in Symmetry::ALL {
            let (columns, rows) = (stream.below(200) as i64 - 100, stream.below(200) as i64 - 100);
            assert_eq!(invariant_hash(&board.translated(columns, rows).transformed(symmetry)), hash);
        }
        let mut other = board.clone();
        let (column, row) = (stream.below(width.into()) as u32, stream.below(height.into()) as u32);
        other.set(column, row, !board.get(column, row));
        assert_ne!(invariant_hash(&other), hash, "{width}×{height}");
    }
}

/// The least of a board's translations, rotations and reflections.
fn canonical(board: &Board) -> Board {
    let turned = Symmetry::ALL.into_iter().map(|symmetry| board.transformed(symmetry));
    let moved = turned.flat_map(|board| {
        let (width, height) = (i64::from(board.width()), i64::from(board.height()));
        (0..width).flat_map(move |x| (0..height).map(move |y| (x, y))).map(move |(x, y)| board.translated(x, y))
    });
    moved.min().unwrap()
}

#[test]
fn the_hash_separates_what_an_exact_canonical_form_separates() {
    let mut stream = stream(&["test", "collisions"]);
    // Few cells on few places: many boards that are equal up to symmetry, and many that nearly are.
    for (width, height, most) in [(4, 4, 8), (6, 6, 6), (5, 7, 5), (16, 16, 4), (32, 32, 3)] {
        let boards: Vec<(Board, u64)> = (0..if width > 10 { 30 } else { 400 })
            .map(|_| {
                let cells = 1 + stream.below(most);
                let live: Vec<_> = (0..cells)
                    .map(|_| (stream.below(width.into()) as u32, stream.below(height.into()) as u32))
                    .collect();
                let board = Board::from_live(width, height, &live);
                (canonical(&board), invariant_hash(&board))
            })
            .collect();
        for (index, (board, hash)) in boards.iter().enumerate() {
            for (other, other_hash) in &boards[..index] {
                assert_eq!(board == other, hash == other_hash, "{board:?}{other:?}");
            }
        }
    }
}

#[test]
fn sizes_out_of_range_are_refused_in_a_sentence() {
    assert_eq!(Board::try_new(2, 8).unwrap_err().to_string(), "width = 2 is not from 3 to 4096; the nearest is 3");
    assert_eq!(
        Board::try_new(8, 5000).unwrap_err().to_string(),
        "height = 5000 is not from 3 to 4096; the nearest is 4096"
    );
}
