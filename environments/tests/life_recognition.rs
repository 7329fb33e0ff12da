//! Recognition and dooms against slow methods that share no code with them.
#![allow(clippy::unwrap_used)]

use environments::automata::Rule;
use environments::life::{
    Ash, Board, Class, Heading, Kind, LifeConfig, LifeWorld, Mix, Object, Scenes, Soups, Stepper, Symmetry, catalogue,
    control, doom, recognise,
};
use environments::{Draw, Split, stream};

type Cells = Vec<(u32, u32)>;

/// One named shape in one orientation and phase.
struct Template {
    name: &'static str,
    /// Heading and phase of a glider.
    glider: Option<(Heading, u32)>,
    cells: Cells,
}

/// The four phases of a glider that heads south-east, as they are drawn in the documentation.
const GLIDER_PHASES: [&str; 4] = [".O./..O/OOO", "O.O/.OO/.O.", "..O/O.O/.OO", "O../.OO/OO."];

fn drawn(picture: &str) -> Cells {
    let mut cells = Vec::new();
    for (row, line) in picture.split('/').enumerate() {
        for (column, byte) in line.bytes().enumerate() {
            if byte == b'O' {
                cells.push((column as u32, row as u32));
            }
        }
    }
    cells
}

/// Every orientation and phase of every named pattern, largest first; gliders from the pictures above.
fn templates() -> Vec<Template> {
    let mut templates: Vec<Template> = Vec::new();
    for (phase, picture) in GLIDER_PHASES.iter().enumerate() {
        // Mirrored so that it heads elsewhere: mirroring about a line shifts the phase by no step, but shows the
        // other of the two mirror images, which is the picture two phases on when turned instead. Turn, therefore.
        for (heading, turn) in [
            (Heading::SE, |(x, y): (u32, u32)| (x, y)),
            (Heading::SW, |(x, y): (u32, u32)| (2 - y, x)),
            (Heading::NW, |(x, y): (u32, u32)| (2 - x, 2 - y)),
            (Heading::NE, |(x, y): (u32, u32)| (y, 2 - x)),
        ] as [(Heading, fn((u32, u32)) -> (u32, u32)); 4]
        {
            let cells = drawn(picture).into_iter().map(turn).collect();
            templates.push(Template { name: "glider", glider: Some((heading, phase as u32)), cells });
        }
    }
    for pattern in catalogue::patterns().iter().filter(|pattern| pattern.name != "glider") {
        for symmetry in Symmetry::ALL {
            let turned: Cells =
                pattern.cells.iter().map(|&cell| symmetry.cell(cell, pattern.size.0, pattern.size.1)).collect();
            let mut board = Board::new(48, 48);
            board.paste(&turned, 16, 16);
            for _ in 0..pattern.period {
                let live: Cells = board.live().collect();
                let west = live.iter().map(|cell| cell.0).min().unwrap();
                let north = live.iter().map(|cell| cell.1).min().unwrap();
                let cells: Cells = live.iter().map(|cell| (cell.0 - west, cell.1 - north)).collect();
                if !templates.iter().any(|template| template.cells == cells) {
                    templates.push(Template { name: pattern.name, glider: None, cells });
                }
                board = Stepper::life().step(&board);
            }
        }
    }
    templates.sort_by_key(|template| std::cmp::Reverse(template.cells.len()));
    templates
}

/// What the two methods are compared by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    cells: Cells,
    name: &'static str,
    glider: Option<(Heading, u32)>,
}

/// Brute force: every template at every place, its cells live and all around dead, and the board's next step that of
/// the template alone laid over that of the rest alone.
fn search(board: &Board, templates: &[Template]) -> Vec<Found> {
    let life = Stepper::life();
    let mut rest = board.clone();
    let mut found = Vec::new();
    let next = life.step(board);
    for template in templates {
        for place in 0..board.area() as u32 {
            let (column, row) = (i64::from(place % board.width()), i64::from(place / board.width()));
            let at = |x: u32, y: u32| board.wrap(column + i64::from(x), row + i64::from(y));
            let live = |x: i64, y: i64| {
                let (x, y) = board.wrap(x, y);
                board.get(x, y)
            };
            if !template.cells.iter().all(|&(x, y)| rest.get(at(x, y).0, at(x, y).1)) {
                continue;
            }
            let dead_around = template.cells.iter().all(|&(x, y)| {
                (-1..=1).all(|down| {
                    (-1..=1).all(|right| {
                        let (near, far) = (i64::from(x) + right, i64::from(y) + down);
                        let part = near >= 0 && far >= 0 && template.cells.contains(&(near as u32, far as u32));
                        part || !live(column + near, row + far)
                    })
                })
            });
            if !dead_around {
                continue;
            }
            let mut cells: Cells = template.cells.iter().map(|&(x, y)| at(x, y)).collect();
            cells.sort_unstable_by_key(|&(x, y)| (y, x));
            let alone = Board::from_live(board.width(), board.height(), &cells);
            let mut others = board.clone();
            cells.iter().for_each(|&(x, y)| others.set(x, y, false));
            let mut together = life.step(&others);
            life.step(&alone).live().for_each(|(x, y)| together.set(x, y, true));
            if together == next {
                cells.iter().for_each(|&(x, y)| rest.set(x, y, false));
                found.push(Found { cells, name: template.name, glider: template.glider });
            }
        }
    }
    found.sort();
    found
}

fn named(objects: &[Object]) -> Vec<Found> {
    let named = objects.iter().filter(|object| !object.kind.name().contains("other"));
    let mut found: Vec<Found> = named
        .map(|object| Found {
            cells: object.cells.clone(),
            name: object.kind.name(),
            glider: object.heading.zip(object.phase),
        })
        .collect();
    found.sort();
    found
}

/// What must be true of any recognition, found out by simulating each object alone on a whole board.
fn check_objects(board: &Board, objects: &[Object], stepper: &Stepper) {
    let mut covered: Cells = objects.iter().flat_map(|object| object.cells.clone()).collect();
    covered.sort_unstable_by_key(|&(column, row)| (row, column));
    assert_eq!(covered, board.live().collect::<Vec<_>>(), "objects are not a partition of\n{board}");
    for (index, object) in objects.iter().enumerate() {
        assert_eq!(object.id as usize, index);
        let start = Board::from_live(board.width(), board.height(), &object.cells);
        let mut now = start.clone();
        let mut period = None;
        for step in 1..=32 {
            now = stepper.step(&now);
            if period.is_none() && !now.is_empty() {
                let (dx, dy) = object.displacement;
                let there = start.translated(dx.into(), dy.into());
                if object.period == Some(step) {
                    assert_eq!(now, there, "{object:?}\n{board}");
                    period = Some(step);
                } else {
                    let still = now == start;
                    assert!(!still, "back after {step} steps: {object:?}\n{board}");
                }
            }
        }
        assert_eq!(period, object.period);
        let class = match (object.period, object.displacement) {
            (None, _) => Class::Other,
            (Some(1), (0, 0)) => Class::StillLife,
            (Some(_), (0, 0)) => Class::Oscillator,
            _ => Class::Spaceship,
        };
        assert_eq!(object.kind.class(), class);
        let bounds = object.bounds;
        for &(column, row) in &object.cells {
            assert!((column + board.width() - bounds.column) % board.width() < bounds.width);
            assert!((row + board.height() - bounds.row) % board.height() < bounds.height);
        }
    }
}

#[test]
fn every_named_pattern_is_what_the_catalogue_says() {
    let life = Stepper::life();
    for pattern in catalogue::patterns() {
        for symmetry in Symmetry::ALL {
            let cells: Cells =
                pattern.cells.iter().map(|&cell| symmetry.cell(cell, pattern.size.0, pattern.size.1)).collect();
            let mut board = Board::new(40, 48);
            board.paste(&cells, 35, 44);
            for _ in 0..pattern.period {
                let objects = recognise(&board, &life);
                let names: Vec<_> = objects.iter().map(|object| object.kind.name()).collect();
                assert_eq!(names, [pattern.name], "{board}");
                assert_eq!(objects[0].kind.class(), pattern.class);
                assert_eq!(objects[0].period, Some(pattern.period));
                assert_eq!(objects[0].displacement, symmetry.vector(pattern.displacement));
                check_objects(&board, &objects, &life);
                board = life.step(&board);
            }
        }
    }
}

#[test]
fn a_glider_has_the_phase_and_heading_that_the_pictures_say() {
    let life = Stepper::life();
    for (phase, picture) in GLIDER_PHASES.iter().enumerate() {
        let mut board = Board::new(16, 16);
        board.paste(&drawn(picture), 14, 3);
        for step in 0..8 {
            let objects = recognise(&board, &life);
            assert_eq!(objects.len(), 1);
            assert_eq!(objects[0].heading, Some(Heading::SE));
            assert_eq!(objects[0].phase, Some((phase as u32 + step) % 4));
            for (turn, heading) in [(1, Heading::SW), (2, Heading::NW), (3, Heading::NE)] {
                let turned = &recognise(&board.transformed(Symmetry::ROTATIONS[turn]), &life)[0];
                assert_eq!((turned.heading, turned.phase), (Some(heading), objects[0].phase));
                assert_eq!(turned.displacement, heading.vector());
            }
            board = life.step(&board);
        }
    }
}

fn world(scenes: f64, ash: f64, soups: f64, side: u32) -> LifeWorld {
    let scene = Scenes { gliders: [0, 3], still_lifes: [0, 3], blinkers: [0, 1], ..Scenes::default() };
    LifeWorld::new(LifeConfig {
        width: side,
        height: side,
        mix: Mix { scenes, ash, soups },
        scenes: scene,
        ash: Ash { density: [0.25, 0.5], ..Ash::default() },
        soups: Soups { density: [0.02, 0.5] },
        ..LifeConfig::default()
    })
    .unwrap()
}

#[test]
fn recognition_agrees_with_brute_force() {
    let templates = templates();
    for (world, count) in [
        (world(1.0, 0.0, 0.0, 16), 1500),
        (world(0.0, 1.0, 0.0, 16), 1500),
        (world(0.0, 0.0, 1.0, 16), 300),
        (world(0.3, 0.7, 0.0, 24), 200),
    ] {
        for index in 0..count {
            let board = world.start(Split::Train, index).board;
            let objects = recognise(&board, world.stepper());
            check_objects(&board, &objects, world.stepper());
            assert_eq!(named(&objects), search(&board, &templates), "\n{board}");
        }
    }
}

#[test]
fn objects_of_other_rules_behave_as_they_are_said_to() {
    for rule in [control::CONTROL_RULE, "B36/S23", "B2-a/S12", "B3/S12345"] {
        let mix = Mix { scenes: 0.0, ash: 0.7, soups: 0.3 };
        let soups = Soups { density: [0.02, 0.3] };
        let config =
            LifeConfig { rule: rule.into(), mix, soups, width: 20, height: 17, patch: 1, ..LifeConfig::default() };
        let world = LifeWorld::new(config).unwrap();
        for index in 0..60 {
            let board = world.start(Split::Train, index).board;
            check_objects(&board, &recognise(&board, world.stepper()), world.stepper());
        }
    }
}

#[test]
fn near_and_touching_objects_are_told_apart_as_their_influence_says() {
    let life = Stepper::life();
    let names = |picture: &str| {
        let mut board = Board::new(20, 20);
        board.paste(&drawn(picture), 3, 4);
        recognise(&board, &life).iter().map(|object| object.kind.name()).collect::<Vec<_>>()
    };
    // A dead column between them, and neither feels the other.
    assert_eq!(names("OO.OO/OO.OO"), ["block", "block"]);
    // Two tables keep each other alive; alone, neither is still.
    assert_eq!(names("O..O/OOOO/..../OOOO/O..O"), ["table-on-table"]);
    // The halves of a beacon in its phase of six cells do not feel each other at once, but return only together.
    assert_eq!(names("OO../O.../...O/..OO"), ["beacon"]);
    // A glider a few steps from a block is a glider still.
    assert_eq!(names(".O...../..O..../OOO..../......./.....OO/.....OO"), ["glider", "block"]);
    // An L of three cells becomes a block and is not one yet.
    assert_eq!(names("OO/O."), ["other"]);
    // Four blinkers around a place: a traffic light, whose blinkers never feel each other.
    assert_eq!(
        names("...OOO.../........./O.......O/O.......O/O.......O/........./...OOO..."),
        ["blinker", "blinker", "blinker", "blinker"]
    );
    assert_eq!(names("OO...../OO...../......./....OO./....O.O/.....O."), ["block", "boat"]);
}

#[test]
fn unnamed_periodic_things_are_unnamed_and_gliders_need_their_rule() {
    // LifeWiki: a tripole (barber pole of period 2), and the still life "long canoe" of nine cells.
    let life = Stepper::life();
    let kinds = |picture: &str, stepper: &Stepper| {
        let mut board = Board::new(20, 20);
        board.paste(&drawn(picture), 3, 4);
        recognise(&board, stepper).iter().map(|object| object.kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds("OO.../O.O../...../..O.O/...OO", &life), [Kind::named("oscillator-other").unwrap()]);
    assert_eq!(kinds("OO..../O.O.../.O..../", &life), [Kind::named("boat").unwrap()]);
    // HighLife keeps the glider; Seeds has no still life and no glider.
    let highlife = Stepper::new(&Rule::parse("B36/S23").unwrap());
    let seeds = Stepper::new(&Rule::parse("B2/S").unwrap());
    assert_eq!(kinds(".O./..O/OOO", &highlife), [Kind::named("glider").unwrap()]);
    assert_eq!(kinds(".O./..O/OOO", &seeds), [Kind::named("other").unwrap()]);
    assert_eq!(kinds("OO/OO", &seeds), [Kind::named("other").unwrap()]);
}

/// Cells, name and displacement of a glider.
type Moved = (Cells, &'static str, Option<(i32, i32)>);

#[test]
fn recognition_turns_and_moves_with_the_board() {
    let world = world(0.3, 0.5, 0.2, 16);
    let mut stream = stream(&["test", "equivariance"]);
    for index in 0..200 {
        let board = world.start(Split::Train, index).board;
        let objects = named(&recognise(&board, world.stepper()));
        for symmetry in Symmetry::ALL {
            let (x, y) = (stream.below(16) as i64, stream.below(16) as i64);
            let turned = recognise(&board.translated(x, y).transformed(symmetry), world.stepper());
            let mut expected: Vec<Moved> = objects
                .iter()
                .map(|object| {
                    let cells = object.cells.iter().map(|cell| {
                        let moved = board.wrap(i64::from(cell.0) + x, i64::from(cell.1) + y);
                        symmetry.cell(moved, 16, 16)
                    });
                    let mut cells: Cells = cells.collect();
                    cells.sort_unstable_by_key(|&(column, row)| (row, column));
                    let heading = object.glider.map(|(heading, _)| symmetry.vector(heading.vector()));
                    (cells, object.name, heading)
                })
                .collect();
            expected.sort();
            let found: Vec<Moved> = named(&turned)
                .into_iter()
                .map(|object| (object.cells, object.name, object.glider.map(|(heading, _)| heading.vector())))
                .collect();
            assert_eq!(found, expected);
        }
    }
}

/// Dooms by their definition: whole boards, every step, an object alone beside the world.
fn slow_doom(object: &Object, trajectory: &[Board]) -> Option<u32> {
    object.period?;
    let (width, height) = (trajectory[0].width(), trajectory[0].height());
    let mut alone = Board::from_live(width, height, &object.cells);
    let mut last_intact = 0;
    for (step, world) in trajectory.iter().enumerate() {
        let mut intact = true;
        for row in 0..height {
            for column in 0..width {
                let near = (-1..=1).any(|down| {
                    (-1..=1).any(|right| {
                        let (x, y) = alone.wrap(i64::from(column) + right, i64::from(row) + down);
                        alone.get(x, y)
                    })
                });
                intact &= !near || world.get(column, row) == alone.get(column, row);
            }
        }
        if intact {
            last_intact = step as u32;
        }
        alone = Stepper::life().step(&alone);
    }
    (last_intact < doom::LONGEST).then_some(last_intact + 1)
}

#[test]
fn dooms_agree_with_brute_force() {
    let mut dooms = 0;
    let mut survivals = 0;
    for (world, count) in
        [(world(1.0, 0.0, 0.0, 16), 300), (world(0.0, 0.9, 0.1, 16), 200), (world(0.5, 0.5, 0.0, 32), 50)]
    {
        for index in 0..count {
            let episode = world.observe(Split::Train, index);
            let trajectory = world.stepper().trajectory(&episode.start, doom::WATCHED);
            for object in &episode.objects {
                assert_eq!(object.doom, slow_doom(object, &trajectory), "{object:?}\n{}", episode.start);
                match object.doom {
                    Some(_) => dooms += 1,
                    None => survivals += 1,
                }
            }
        }
    }
    assert!(dooms > 300 && survivals > 300, "{dooms} dooms and {survivals} survivals test nothing");
}

#[test]
fn a_glider_dies_on_an_eater_and_the_eater_lives() {
    // LifeWiki, "Eater 1": it eats a glider that comes along its diagonal.
    let world = LifeWorld::new(LifeConfig { width: 24, height: 24, ..LifeConfig::default() }).unwrap();
    let mut eaten = 0;
    for variant in catalogue::variants().iter().filter(|variant| catalogue::patterns()[variant.pattern].name == "eater")
    {
        for place in -6..=6 {
            let mut board = Board::new(24, 24);
            board.paste(&catalogue::glider(Heading::SE, 0).cells, 2, 2);
            board.paste(&variant.cells, 10 + place, 10);
            let objects = world.objects(&board);
            let end = world.stepper().run(&board, 64);
            if end == Board::from_live(24, 24, &objects.iter().find(|object| !object.is_glider()).unwrap().cells) {
                eaten += 1;
                for object in &objects {
                    assert_eq!(object.doom.is_some(), object.is_glider(), "{object:?}");
                }
            }
        }
    }
    assert!(eaten > 0, "no eater ate the glider");
}

#[test]
fn two_gliders_side_by_side_live_and_head_on_die() {
    let world = LifeWorld::new(LifeConfig { width: 32, height: 32, ..LifeConfig::default() }).unwrap();
    let dooms = |gliders: [(Heading, u32, i64, i64); 2]| {
        let mut board = Board::new(32, 32);
        for (heading, phase, column, row) in gliders {
            board.paste(&catalogue::glider(heading, phase).cells, column, row);
        }
        world.objects(&board).iter().map(|object| object.doom).collect::<Vec<_>>()
    };
    assert_eq!(dooms([(Heading::SE, 0, 2, 2), (Heading::SE, 0, 12, 2)]), [None, None]);
    let head_on = dooms([(Heading::SE, 0, 2, 2), (Heading::NW, 0, 9, 9)]);
    assert!(head_on.iter().all(|doom| doom.is_some_and(|doom| doom < 20)), "{head_on:?}");
}
