//! Ground truth of every cell and step, and edits of objects, against simulation.
#![allow(clippy::unwrap_used)]

use environments::life::{
    Ash, Board, Class, Collision, Heading, LifeConfig, LifeEpisode, LifeWorld, Mix, Scenes, Soups, Stepper, Timeline,
    control, pattern_cells, recognise,
};
use environments::{Edit, Environment, Scope, Split};

fn board(side: u32, patterns: &[(&str, i64, i64)]) -> Board {
    let mut board = Board::new(side, side);
    for (pattern, column, row) in patterns {
        board.paste(&pattern_cells(pattern).unwrap(), *column, *row);
    }
    board
}

fn follow(side: u32, patterns: &[(&str, i64, i64)], steps: u32) -> Timeline {
    Timeline::new(&board(side, patterns), &Stepper::life(), &Stepper::life(), steps)
}

fn world(scenes: f64, ash: f64, soups: f64) -> LifeWorld {
    LifeWorld::new(LifeConfig {
        width: 24,
        height: 24,
        mix: Mix { scenes, ash, soups },
        scenes: Scenes { gliders: [0, 3], blinkers: [0, 1], in_the_way: 0.5, ..Scenes::default() },
        ash: Ash { density: [0.25, 0.5], ..Ash::default() },
        soups: Soups { density: [0.1, 0.4] },
        ..LifeConfig::default()
    })
    .unwrap()
}

fn track<'a>(timeline: &'a Timeline, code: &str) -> &'a environments::life::Track {
    timeline.tracks.iter().find(|track| track.apgcode.as_deref() == Some(code)).unwrap()
}

#[test]
fn an_object_keeps_its_number_through_motion_and_phases() {
    let timeline = follow(40, &[("glider-SE-2", 17, 3), ("lwss", 30, 30), ("blinker", 2, 15), ("block", 12, 3)], 20);
    assert_eq!(timeline.tracks.len(), 4);
    assert!(timeline.tracks.iter().all(|track| track.born == 0 && track.parents.is_empty()));
    let glider = track(&timeline, "xq4_153");
    assert_eq!((glider.speed(), glider.heading(), glider.phase), (0.25, Some((1, 1)), Some(2)));
    let ship = track(&timeline, "xq4_6frc");
    assert_eq!((ship.speed(), ship.heading(), ship.period), (0.5, Some((-1, 0)), Some(4)));
    assert_eq!((track(&timeline, "xp2_7").heading(), track(&timeline, "xs4_33").period), (None, Some(1)));
    // A glider's phase is that of its picture at every step, wherever it is.
    for step in 0..=20 {
        let phase = timeline.phase(glider.id, step);
        let seen = recognise(timeline.board(step), &Stepper::life());
        let object = seen.iter().find(|object| object.is_glider()).unwrap();
        assert_eq!(phase, object.phase);
        assert!(object.cells.iter().all(|&(x, y)| timeline.owner(step, x, y) == Some(glider.id)), "{step}");
    }
    // The wide blinker comes before the tall one in the order of cells, wherever the timeline starts.
    let blinker = track(&timeline, "xp2_7").id;
    let wide = |step: u32| timeline.owner(step, 2, 15) == Some(blinker);
    assert!((0..=10).all(|step| wide(step) == (timeline.phase(blinker, step) == Some(0))));
}

#[test]
fn collisions_have_a_time_and_a_kind() {
    // The glider meets the block and both are gone.
    let timeline = follow(24, &[("glider-SE-0", 3, 3), ("block", 10, 9)], 32);
    let (glider, block) = (track(&timeline, "xq4_153"), track(&timeline, "xs4_33"));
    let end = glider.end.as_ref().unwrap();
    assert_eq!((end.collision, &end.with), (Some(Collision::StillLife), &vec![block.id]));
    // Until then the world is the two of them alone, and then it is not.
    let life = Stepper::life();
    let apart = |step: u32| {
        let mut both = life.run(&board(24, &[("glider-SE-0", 3, 3)]), step);
        board(24, &[("block", 10, 9)]).live().for_each(|(x, y)| both.set(x, y, true));
        both == *timeline.board(step)
    };
    assert!((0..end.step).all(apart) && !apart(end.step));
    assert_eq!(timeline.cell(end.step - 1, 10, 9).track.unwrap().id, block.id);
    let reaction = timeline.tracks.iter().find(|track| track.kind.class() == Class::Other).unwrap();
    assert!(reaction.born == end.step && reaction.parents.contains(&glider.id), "{reaction:?}");
    // Two gliders head on.
    let timeline = follow(24, &[("glider-SE-0", 2, 2), ("glider-NW-0", 12, 12)], 32);
    let kinds: Vec<_> = timeline.tracks.iter().take(2).map(|track| track.end.as_ref().unwrap().collision).collect();
    assert_eq!(kinds, [Some(Collision::Spaceship); 2]);
    // An eater eats the glider and lives on.
    let eater = board(24, &[("2o$obo$2bo$2b2o!", 10, 10)]);
    let mut found = false;
    for (column, row) in (0..8).flat_map(|row| (0..8).map(move |column| (column, row))) {
        let mut both = eater.clone();
        both.paste(&pattern_cells("glider-SE-0").unwrap(), column, row);
        let timeline = Timeline::new(&both, &life, &life, 60);
        if *timeline.board(60) == eater && timeline.tracks.len() >= 2 {
            let (glider, eater) = (track(&timeline, "xq4_153"), track(&timeline, "xs7_178c"));
            assert_eq!(glider.end.as_ref().unwrap().collision, Some(Collision::StillLife));
            assert!(eater.end.is_none());
            found = true;
        }
    }
    assert!(found, "no glider is eaten");
}

#[test]
fn what_comes_out_of_a_reaction_is_born_then() {
    // Three cells in an L become a block at the next step.
    let timeline = follow(12, &[("2o$o!", 4, 4)], 8);
    let block = track(&timeline, "xs4_33");
    assert_eq!((block.born, &block.parents[..], block.end.is_none()), (1, &[0][..], true));
    let reaction = &timeline.tracks[0];
    assert_eq!((reaction.born, reaction.end.as_ref().unwrap().step), (0, 1));
    assert_eq!(reaction.end.as_ref().unwrap().with, [block.id]);
    // A row of ten is a pentadecathlon in the end; a row of seven ends as a honey farm, four beehives.
    let timeline = follow(40, &[("7o!", 16, 20)], 60);
    let hives =
        timeline.tracks.iter().filter(|track| track.apgcode.as_deref() == Some("xs6_696") && track.end.is_none());
    assert_eq!(hives.count(), 4);
}

/// What must hold of any timeline.
fn check(timeline: &Timeline, alone: &Stepper) {
    for step in 0..=timeline.steps() {
        let board = timeline.board(step);
        let mut owned: Vec<Vec<(u32, u32)>> = vec![Vec::new(); timeline.tracks.len()];
        for row in 0..board.height() {
            for column in 0..board.width() {
                let owner = timeline.owner(step, column, row);
                assert_eq!(owner.is_some(), board.get(column, row));
                let truth = timeline.cell(step, column, row);
                assert!(!(truth.background && truth.live));
                if let Some(owner) = owner {
                    owned[owner as usize].push((column, row));
                    let track = &timeline.tracks[owner as usize];
                    assert!(track.born <= step && track.end.as_ref().is_none_or(|end| step < end.step));
                    assert_eq!(truth.remaining, track.end.as_ref().map(|end| end.step - step));
                }
            }
        }
        for track in timeline.tracks.iter().filter(|track| track.period.is_some() && track.born == step) {
            // From its birth on, alone, it is what the timeline says: again itself after a period.
            let period = track.period.unwrap();
            let start = Board::from_live(board.width(), board.height(), &owned[track.id as usize]);
            let again = start.translated(track.displacement.0.into(), track.displacement.1.into());
            assert_eq!(alone.run(&start, period), again);
            for later in step..=timeline.steps().min(step + 3) {
                let cells = alone.run(&start, later - step);
                let whole = cells.live().all(|(x, y)| timeline.owner(later, x, y) == Some(track.id));
                let lives = track.end.as_ref().is_none_or(|end| later < end.step);
                assert!(!lives || whole || track.period.is_some_and(|_| later > step), "{track:?} at {later}");
            }
        }
    }
    for track in &timeline.tracks {
        assert!(track.parents.iter().all(|&id| timeline.tracks[id as usize].born < track.born));
        if let Some(end) = &track.end {
            assert!(end.step > track.born);
            assert_eq!(end.collision.is_some(), track.period.is_some(), "{track:?}");
            assert!(!end.with.contains(&track.id));
        }
        assert_eq!(track.phase.is_some(), track.period.is_some());
    }
}

#[test]
fn timelines_agree_with_simulation_and_with_the_labels() {
    let mut kinds = std::collections::BTreeSet::new();
    for (world, count) in [(world(1.0, 0.0, 0.0), 150), (world(0.0, 1.0, 0.0), 60), (world(0.0, 0.0, 1.0), 30)] {
        for index in 0..count {
            let observed = world.observe(Split::Train, index);
            let timeline = world.timeline(&observed, 32);
            check(&timeline, world.recogniser());
            for object in &observed.objects {
                let (column, row) = object.cells[0];
                let track = &timeline.tracks[timeline.owner(0, column, row).unwrap() as usize];
                assert_eq!(track.kind, object.kind);
                assert_eq!((track.period, track.displacement), (object.period, object.displacement));
                if object.period.is_none() {
                    continue;
                }
                assert_eq!(track.end.as_ref().map(|end| end.step), object.doom);
                let Some(end) = &track.end else { continue };
                kinds.insert(end.collision);
                // The labels know what is there at the start; what has come since is a reaction to them.
                let known = |id: &u32| {
                    let other = &timeline.tracks[*id as usize];
                    other.born == 0 || other.period.is_none()
                };
                if end.with.iter().all(known) {
                    assert_eq!(end.collision, object.collision, "{index} {object:?}\n{}", observed.start);
                }
            }
        }
    }
    assert_eq!(kinds.len(), Collision::ALL.len(), "{kinds:?}");
}

#[test]
fn timelines_of_other_rules() {
    for rule in [control::CONTROL_RULE, "B36/S23", "B2-a/S12", "B3/S12345"] {
        let mix = Mix { scenes: 0.0, ash: 0.7, soups: 0.3 };
        let config = LifeConfig { rule: rule.into(), mix, width: 20, height: 18, patch: 2, ..LifeConfig::default() };
        let world = LifeWorld::new(config).unwrap();
        for index in 0..12 {
            check(&world.timeline(&world.observe(Split::Train, index), 24), world.recogniser());
        }
    }
}

fn labelled(world: &LifeWorld, observed: &LifeEpisode, concept: &str) -> Vec<Option<String>> {
    let labels = world.labels_of(observed);
    let column = labels.columns.iter().find(|column| column.concept == concept).unwrap();
    assert_eq!(column.scope, Scope::Object);
    let name = |value: &u32| column.classes.get(*value as usize).cloned().unwrap_or_else(|| value.to_string());
    column.values.iter().map(|value| value.as_ref().map(name)).collect()
}

#[test]
fn labels_name_objects_speeds_and_directions() {
    let world = world(1.0, 0.0, 0.0);
    let empty = world.observe(Split::Train, 0);
    let clear: Vec<Edit> = (0..empty.objects.len() as u32).map(|object| Edit::Delete { object }).collect();
    let place = |pattern: &str, column, row| Edit::Place { pattern: pattern.into(), column, row };
    let edits = [clear, vec![place("glider-NE-1", 3, 14), place("lwss", 10, 18), place("block", 3, 3)]].concat();
    let observed = world.edit(&empty, &edits).unwrap();
    let of = |concept: &str| labelled(&world, &observed, concept).into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(of("object_apgcode"), ["xs4_33", "xq4_153", "xq4_6frc"]);
    assert_eq!(of("object_speed"), ["0", "c/4", "c/2"]);
    assert_eq!(of("object_direction"), ["NE", "W"]);
    assert_eq!(of("object_period"), ["1", "4", "4"]);
    assert!(of("object_collision").is_empty());
}

#[test]
fn objects_are_turned_and_rephased_and_rules_swapped_exactly() {
    let world = world(1.0, 0.0, 0.0);
    let (mut turned, mut rephased) = (0, 0);
    for index in 0..40 {
        let observed = world.observe(Split::Test, index);
        for object in &observed.objects {
            let alone = Board::from_live(24, 24, &object.cells);
            let rest = |board: &mut Board| {
                object.cells.iter().for_each(|&(x, y)| board.set(x, y, false));
            };
            // Four quarter turns are none, and each turns what the object does.
            let turn = |turns| world.edit(&observed, &[Edit::Rotate { object: object.id, turns }]).unwrap();
            assert_eq!(turn(4).start, observed.start);
            assert_eq!(turn(1).end, world.stepper().run(&turn(1).start, observed.horizon));
            let again = [Edit::Rotate { object: object.id, turns: 3 }, Edit::Delete { object: object.id }];
            assert!(world.edit(&observed, &again).is_ok());
            if let Some(heading) = object.heading {
                // Where it stands free it is a glider still, and heads a quarter further on.
                let wanted = [Heading::SE, Heading::NE, Heading::SW, Heading::NW][heading as usize];
                let free = turn(1).objects.len() == observed.objects.len();
                turned += u32::from(free && turn(1).objects.iter().any(|found| found.heading == Some(wanted)));
            }
            let Some(period) = object.period else { continue };
            let mut wanted = observed.start.clone();
            rest(&mut wanted);
            world.stepper().run(&alone, 3 % period).live().for_each(|(x, y)| wanted.set(x, y, true));
            let edit = Edit::Rephase { object: object.id, steps: 3 };
            let edited = world.counterfactual(&observed.address, std::slice::from_ref(&edit)).unwrap();
            assert_eq!(edited.edits, [edit]);
            let start = world.edit(&observed, &edited.edits).unwrap();
            assert_eq!(start.start, wanted);
            rephased += u32::from(period > 1);
        }
    }
    assert!(turned > 0 && rephased > 0, "{turned} {rephased}");
    let observed = world.observe(Split::Test, 3);
    let highlife = Stepper::new(&environments::automata::Rule::parse("B36/S23").unwrap());
    let swapped = world.edit(&observed, &[Edit::Rule { rule: "B36/S23".into() }]).unwrap();
    assert_eq!((&swapped.start, &swapped.end), (&observed.start, &highlife.run(&observed.start, observed.horizon)));
    // A later edit keeps the rule.
    let more = world.edit(&swapped, &[Edit::Paint { cells: vec![(1, 1)], state: 1 }]).unwrap();
    assert_eq!(more.end, highlife.run(&more.start, more.horizon));
    for (edit, wanted) in [
        (Edit::Rule { rule: "B3/S2x".into() }, "character 6"),
        (Edit::Rule { rule: "B2/S/C3".into() }, "2 states"),
        (Edit::Rotate { object: 99, turns: 1 }, "object 99"),
        (Edit::Entry { entry: 0, value: 1 }, "rule"),
    ] {
        let error = world.edit(&observed, &[edit]).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
}
