//! The world `life`: purity, splits, tokens, labels, counterfactuals, and what it says of a bad config.
#![allow(clippy::unwrap_used)]

use environments::automata::Rule;
use environments::life::{
    Board, Class, Heading, LifeConfig, LifeEpisode, LifeWorld, Mix, Scenes, Source, Stepper, Symmetry, catalogue,
    control, features, invariant_hash, object_classes, pattern_cells, recognise, split_of,
};
use environments::{Draw, Edit, Environment, Geometry, Scene, Scope, Split, UNSCORED, stream};
use rayon::prelude::*;
use std::collections::BTreeMap;

fn world() -> LifeWorld {
    LifeWorld::new(LifeConfig::default()).unwrap()
}

fn small(scenes: f64, ash: f64, soups: f64) -> LifeWorld {
    LifeWorld::new(LifeConfig { mix: Mix { scenes, ash, soups }, ..LifeConfig::default() }).unwrap()
}

/// FNV-1a, so that a golden value depends on no library.
fn fnv(values: impl Iterator<Item = u16>) -> u64 {
    values.fold(0xcbf2_9ce4_8422_2325, |hash, value| {
        value
            .to_le_bytes()
            .iter()
            .fold(hash, |hash: u64, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
    })
}

/// Regenerate on purpose only: a change here means that every shipped result of this world has to be recomputed.
#[test]
fn the_first_episodes_are_the_ones_they_were() {
    let world = world();
    let golden = |split| {
        let samples = (0..32).map(|index| world.sample(split, index));
        fnv(samples.flat_map(|sample| [sample.tokens, sample.targets].concat()))
    };
    let found = Split::ALL.map(|split| format!("{} {:016x}", split.name(), golden(split)));
    assert_eq!(world.fingerprint(), "82870501b315daf8");
    assert_eq!(found, ["train bea8bc8e75d6a9b6", "validation 95b4b792b0f05ecd", "test 6c6962a98f639703"]);
}

#[test]
fn episodes_are_the_same_at_any_number_of_threads_and_in_any_order() {
    let world = world();
    let alone: Vec<_> = (0..60).map(|index| world.episode(Split::Validation, index)).collect();
    for threads in [1, 2, 4] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut shared: Vec<_> = pool.install(|| {
            let backwards: Vec<u64> = (0..60).rev().collect();
            backwards.into_par_iter().map(|index| world.episode(Split::Validation, index)).collect()
        });
        shared.reverse();
        assert_eq!(shared, alone, "{threads} threads");
    }
}

#[test]
fn a_sample_is_that_of_its_episode() {
    for patch in 1..=3 {
        let side = if patch == 3 { 18 } else { 16 };
        let config = LifeConfig { width: side, height: side + 6, patch, ..LifeConfig::default() };
        let world = LifeWorld::new(config).unwrap();
        for split in Split::ALL {
            for index in 0..40 {
                let episode = world.episode(split, index);
                let sample = world.sample(split, index);
                assert_eq!(sample, episode.sample);
                assert_eq!(sample.tokens.len(), world.geometry().len());
                assert_eq!(sample.targets.len(), world.geometry().len());
                assert!(sample.tokens[1..].iter().all(|&token| usize::from(token) < world.targets()));
                assert!(usize::from(sample.tokens[0]) >= world.targets());
                assert!(usize::from(sample.tokens[0]) < world.vocabulary());
                assert_eq!(sample.targets[0], UNSCORED);
                let observed = world.observe(split, index);
                assert_eq!(world.decode_symbols(&sample.tokens[1..]).unwrap(), observed.start);
                assert_eq!(world.decode_symbols(&sample.targets[1..]).unwrap(), observed.end);
                assert_eq!(usize::from(sample.tokens[0]), world.targets() + observed.horizon as usize - 1);
                assert_eq!(world.stepper().run(&observed.start, observed.horizon), observed.end);
                let Scene::Board { frames, width, height, .. } = episode.scene else { panic!("no board") };
                assert_eq!((width, height), (side, side + 6));
                assert_eq!(frames.len(), 33);
                assert_eq!(frames[observed.horizon as usize], observed.end.cells());
            }
        }
    }
}

#[test]
fn patches_are_read_from_the_north_west() {
    let world = world();
    assert_eq!(world.geometry(), Geometry::Torus { prefix: 1, rows: 8, columns: 8 });
    assert_eq!((world.vocabulary(), world.targets()), (48, 16));
    let board = Board::from_live(16, 16, &[(2, 0), (5, 2), (15, 15), (0, 15)]);
    let tokens = world.encode(&board, 4);
    assert_eq!(tokens[0], 16 + 3);
    assert_eq!(tokens[1 + 1], 1);
    assert_eq!(tokens[1 + 8 + 2], 2);
    assert_eq!((tokens[1 + 56], tokens[1 + 63]), (4, 8));
    assert_eq!(world.patch_corner(10), (4, 2));
    assert_eq!(world.patch_of(5, 3), 10);
    assert!(world.decode_symbols(&[0; 63]).is_err());
    assert!(world.decode_symbols(&[16; 64]).is_err());
}

#[test]
fn another_horizon_keeps_the_board_and_so_does_another_list_of_horizons_or_patch() {
    let world = world();
    let next_step = LifeWorld::new(LifeConfig { horizons: vec![1], patch: 1, ..LifeConfig::default() }).unwrap();
    let control =
        LifeConfig { rule: control::CONTROL_RULE.into(), recognise_as: Some("B3/S23".into()), ..LifeConfig::default() };
    let control = LifeWorld::new(control).unwrap();
    assert_ne!(world.fingerprint(), next_step.fingerprint());
    let mut same = 0;
    for index in 0..50 {
        let observed = world.observe(Split::Test, index);
        for horizon in [1, 7, 32] {
            let other = world.observe_with(Split::Test, index, horizon);
            assert_eq!((&other.start, &other.objects), (&observed.start, &observed.objects));
            assert_eq!(other.end, world.stepper().run(&observed.start, horizon));
            assert_eq!(next_step.observe_with(Split::Test, index, horizon).end, other.end);
        }
        assert_eq!(next_step.start(Split::Test, index).board, observed.start);
        same += u32::from(control.start(Split::Test, index).board == observed.start);
    }
    assert!(same > 25, "only {same} of 50 boards of the control world are Life's");
    let other_seed = LifeWorld::new(LifeConfig { seed: 1, ..LifeConfig::default() }).unwrap();
    assert_ne!(other_seed.start(Split::Test, 0).board, world.start(Split::Test, 0).board);
}

#[test]
fn no_board_is_in_two_splits_whichever_way_it_is_turned() {
    let world = world();
    let mut seen: BTreeMap<u64, Split> = BTreeMap::new();
    for split in Split::ALL {
        for index in 0..2000 {
            let board = world.start(split, index).board;
            assert!(!board.is_empty());
            assert_eq!(split_of(&board), split);
            let symmetry = Symmetry::ALL[index as usize % 8];
            let turned = board.translated(index as i64 * 7, index as i64 * 3).transformed(symmetry);
            assert_eq!(split_of(&turned), split);
            let known = *seen.entry(invariant_hash(&board)).or_insert(split);
            assert_eq!(known, split, "\n{board}");
        }
    }
    assert!(seen.len() > 4000, "only {} different boards", seen.len());
}

#[test]
fn splits_have_the_shares_and_sources_that_are_documented() {
    let world = world();
    let mut stream = stream(&["test", "shares"]);
    let mut counts = [0; 3];
    for _ in 0..4000 {
        let mut board = Board::new(16, 16);
        for _ in 0..20 {
            board.set(stream.below(16) as u32, stream.below(16) as u32, true);
        }
        counts[split_of(&board) as usize] += 1;
    }
    // Binomial, standard deviation 21 for the eighths: five of them.
    assert!((counts[1] - 500i32).abs() < 105 && (counts[2] - 500).abs() < 105, "{counts:?}");
    for split in Split::ALL {
        let mut sources = [0; 3];
        (0..1000).for_each(|index| sources[world.start(split, index).source as usize] += 1);
        assert!((600..800).contains(&sources[0]), "{sources:?}");
        assert!((120..290).contains(&sources[1]), "{sources:?}");
        assert!((60..160).contains(&sources[2]), "{sources:?}");
    }
}

#[test]
fn scenes_hold_what_was_asked_for_and_many_gliders_meet_their_doom() {
    let config = LifeConfig {
        mix: Mix { scenes: 1.0, ash: 0.0, soups: 0.0 },
        scenes: Scenes { gliders: [1, 2], still_lifes: [0, 3], blinkers: [0, 1], ..Scenes::default() },
        ..LifeConfig::default()
    };
    let world = LifeWorld::new(config).unwrap();
    let mut headings = [0; 4];
    let mut phases = [0; 4];
    let (mut gliders, mut doomed) = (0, 0);
    for index in 0..500 {
        let episode = world.observe(Split::Train, index);
        assert_eq!(episode.source, Source::Scene);
        let number = |test: &dyn Fn(&str, Class) -> bool| {
            episode.objects.iter().filter(|object| test(object.kind.name(), object.kind.class())).count()
        };
        assert!((1..=2).contains(&number(&|name, _| name == "glider")));
        assert!(number(&|_, class| class == Class::StillLife) <= 3);
        assert!(number(&|name, _| name == "blinker") <= 1);
        assert_eq!(number(&|name, class| class == Class::Other || name.ends_with("other")), 0, "\n{}", episode.start);
        for glider in episode.objects.iter().filter(|object| object.is_glider()) {
            headings[glider.heading.unwrap() as usize] += 1;
            phases[glider.phase.unwrap() as usize] += 1;
            gliders += 1;
            doomed += u32::from(glider.doom.is_some_and(|doom| doom <= 16));
        }
    }
    let even = gliders / 4;
    assert!(headings.iter().chain(&phases).all(|&count| count * 10 > even * 7 && count * 10 < even * 13));
    let share = f64::from(doomed) / f64::from(gliders);
    assert!((0.45..0.75).contains(&share), "{share} of the gliders meet their doom within 16 steps");
}

#[test]
fn ash_is_mostly_settled_and_holds_gliders_now_and_then() {
    let world = small(0.0, 1.0, 0.0);
    let (mut settled, mut gliders, mut blinkers, mut blocks) = (0, 0, 0, 0);
    for index in 0..1000 {
        let episode = world.observe(Split::Train, index);
        assert_eq!(episode.source, Source::Ash);
        settled += u32::from(episode.objects.iter().all(|object| object.kind.class() != Class::Other));
        let count = |name: &str| episode.objects.iter().filter(|object| object.kind.name() == name).count();
        gliders += count("glider");
        blinkers += count("blinker");
        blocks += count("block");
    }
    assert!(settled > 400, "{settled} of 1000 boards are settled");
    assert!(gliders > 5 && blinkers > 200 && blocks > 200, "{gliders} {blinkers} {blocks}");
}

#[test]
fn labels_say_what_the_boards_say() {
    let world = world();
    for index in 0..150 {
        let observed = world.observe(Split::Train, index);
        let labels = world.episode(Split::Train, index).labels;
        let values = |concept: &str| &labels.get(concept).unwrap().values;
        for column in &labels.columns {
            let items = match column.scope {
                Scope::Token => 65,
                Scope::Object => observed.objects.len(),
                Scope::Episode => 1,
            };
            assert_eq!(column.values.len(), items, "{}", column.concept);
            let classes = column.classes.len() as u32;
            assert!(classes == 0 || column.values.iter().flatten().all(|&value| value < classes), "{}", column.concept);
            if column.scope == Scope::Token {
                assert_eq!(column.values[0], None, "{}", column.concept);
            }
        }
        assert_eq!(values("horizon")[0], Some(observed.horizon - 1));
        assert_eq!(values("source")[0], Some(observed.source as u32));
        for patch in 0..64 {
            let (column, row) = world.patch_corner(patch);
            let cells: Vec<(u32, u32)> = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(x, y)| (column + x, row + y)).to_vec();
            let changed = cells.iter().any(|&(x, y)| observed.start.get(x, y) != observed.end.get(x, y));
            assert_eq!(values("changed")[1 + patch], Some(u32::from(changed)));
            // The owner, by counting each object's cells in the patch.
            let owner = observed
                .objects
                .iter()
                .map(|object| (object.cells.iter().filter(|cell| cells.contains(cell)).count(), object))
                .filter(|(count, _)| *count > 0)
                .min_by_key(|(count, object)| (std::cmp::Reverse(*count), object.id))
                .map(|(_, object)| object);
            let at = |concept: &str| values(concept)[1 + patch];
            assert_eq!(at("object"), owner.map(|object| object.id));
            let class = &object_classes()[at("object_class").unwrap() as usize];
            assert_eq!(at("doom"), owner.and_then(|object| object.doom));
            let Some(object) = owner else {
                assert_eq!((class.as_str(), at("glider")), ("empty", Some(0)));
                assert_eq!((at("glider_heading"), at("glider_phase"), at("doomed")), (None, None, None));
                continue;
            };
            let expected = match (object.heading, object.phase) {
                (Some(heading), Some(phase)) => format!("glider-{}-{phase}", heading.name()),
                _ => object.kind.name().to_string(),
            };
            assert_eq!(class, &expected);
            assert_eq!(at("glider"), Some(u32::from(object.kind.name() == "glider")));
            assert_eq!(at("glider_heading"), object.heading.map(|heading| heading as u32));
            assert_eq!(at("glider_phase"), object.phase);
            let doomed = object.doom.is_some_and(|doom| doom <= observed.horizon);
            assert_eq!(at("doomed"), object.period.map(|_| u32::from(doomed)));
        }
        for (number, object) in observed.objects.iter().enumerate() {
            let kind = labels.get("kind").unwrap();
            assert_eq!(kind.classes[kind.values[number].unwrap() as usize], object.kind.name());
            assert_eq!(values("object_doom")[number], object.doom);
            assert_eq!(values("object_glider_phase")[number], object.phase);
            assert_eq!(values("object_glider_heading")[number], object.heading.map(|heading| heading as u32));
        }
    }
}

#[test]
fn a_transplanted_gliders_counterfactual_is_a_fresh_simulation() {
    let world = small(1.0, 0.0, 0.0);
    let mut transplants = 0;
    for index in 0..200 {
        let episode = world.observe(Split::Test, index);
        let name = format!("glider-{}-{}", Heading::ALL[index as usize % 4].name(), index / 4 % 4);
        let (column, row) = ((index * 5 % 16) as i32, (index * 3 % 16) as i32);
        let edits = [Edit::Place { pattern: name.clone(), column, row }];
        let found = world.counterfactual(&episode.address, &edits).unwrap();
        // The fresh board: cells painted by hand, stepped one by one.
        let glider = catalogue::glider(Heading::ALL[index as usize % 4], (index / 4 % 4) as u32);
        let mut board = episode.start.clone();
        for &(x, y) in &glider.cells {
            let (x, y) = board.wrap(i64::from(column) + i64::from(x), i64::from(row) + i64::from(y));
            board.set(x, y, true);
        }
        assert_eq!(world.decode_symbols(&found.sample.tokens[1..]).unwrap(), board);
        let mut end = board.clone();
        for _ in 0..episode.horizon {
            end = Stepper::life().step(&end);
        }
        assert_eq!(world.decode_symbols(&found.sample.targets[1..]).unwrap(), end);
        assert_eq!(found.sample.tokens[0], world.horizon_token(episode.horizon));
        assert_eq!(found.edits, edits);
        let edited = world.edit(&episode, &edits).unwrap();
        assert_eq!(edited.objects, world.objects(&board));
        assert_eq!(world.episode_of(&edited), found);
        let gliders = |episode: &LifeEpisode| episode.objects.iter().filter(|object| object.is_glider()).count();
        transplants += u32::from(gliders(&edited) == gliders(&episode) + 1);
    }
    assert!(transplants > 60, "only {transplants} of 200 gliders arrived whole");
}

#[test]
fn deleting_and_moving_take_objects_as_they_are_numbered() {
    let world = small(1.0, 0.0, 0.0);
    for index in 0..60 {
        let episode = world.observe(Split::Train, index);
        let last = episode.objects.last().unwrap();
        let deleted = world.edit(&episode, &[Edit::Delete { object: last.id }]).unwrap();
        assert_eq!(deleted.start.population() as usize + last.cells.len(), episode.start.population() as usize);
        let there_and_back = [(21, -4), (-21, 4)].map(|(columns, rows)| Edit::Move { object: last.id, columns, rows });
        let moved = world.edit(&deleted, &[]).unwrap();
        assert_eq!(moved.start, deleted.start);
        let alone = episode.objects.iter().filter(|object| object.id != last.id);
        let others: Vec<_> = alone.map(|object| Edit::Delete { object: object.id }).collect();
        let edits: Vec<Edit> = others.into_iter().chain(there_and_back).collect();
        let back = world.edit(&episode, &edits).unwrap();
        assert_eq!(back.start, Board::from_live(16, 16, &last.cells));
        let shifted = world.edit(&episode, &edits[..edits.len() - 1]).unwrap();
        assert_eq!(shifted.start, Board::from_live(16, 16, &last.cells).translated(21, -4));
        let painted =
            [Edit::Paint { cells: last.cells.clone(), state: 0 }, Edit::Paint { cells: last.cells.clone(), state: 1 }];
        assert_eq!(world.edit(&episode, &painted[..1]).unwrap().start, deleted.start);
        assert_eq!(world.edit(&episode, &painted).unwrap().start, episode.start);
    }
}

#[test]
fn patterns_are_read_by_name_orientation_and_run_length() {
    let glider = pattern_cells("glider").unwrap();
    assert_eq!(glider, pattern_cells("glider-SE-0").unwrap());
    assert_eq!(glider, pattern_cells("#C a glider\nx = 3, y = 3, rule = B3/S23\nbob$2bo$3o!").unwrap());
    assert_eq!(pattern_cells("o$2$ o!").unwrap(), [(0, 0), (0, 3)]);
    assert_eq!(pattern_cells("boat-rotate180").unwrap(), [(1, 0), (0, 1), (2, 1), (1, 2), (2, 2)]);
    assert_eq!(pattern_cells("snake-transpose").unwrap().len(), 6);
    assert_ne!(pattern_cells("eater-anti-transpose").unwrap(), pattern_cells("eater-transpose").unwrap());
    let error = |text: &str| pattern_cells(text).unwrap_err().to_string();
    assert!(error("glidr").contains("'glider'"), "{}", error("glidr"));
    assert!(error("bob$2xo!").contains("'x'"), "{}", error("bob$2xo!"));
    assert!(error("99999999999999o!").contains("longer"), "{}", error("99999999999999o!"));
}

#[test]
fn edits_that_do_not_fit_are_refused_in_a_sentence() {
    let world = world();
    let address = world.address(Split::Train, 0);
    let objects = world.observe(Split::Train, 0).objects.len() as u32;
    let error = |edit: Edit| world.counterfactual(&address, &[edit]).unwrap_err().to_string();
    assert!(error(Edit::Paint { cells: vec![(16, 0)], state: 1 }).contains("off the board"));
    assert!(error(Edit::Paint { cells: vec![(0, 0)], state: 2 }).contains("state = 2"));
    assert!(error(Edit::Delete { object: objects }).contains(&format!("object {objects}")));
    assert!(error(Edit::Move { object: objects, columns: 1, rows: 1 }).contains("not there"));
    assert!(error(Edit::Place { pattern: "zebra".into(), column: 0, row: 0 }).contains("'zebra'"));
    let twice = [Edit::Delete { object: 0 }, Edit::Delete { object: 0 }];
    assert!(world.counterfactual(&address, &twice).unwrap_err().to_string().contains("deleted before"));
    let mut foreign = address.clone();
    foreign.environment = "0".into();
    assert!(world.counterfactual(&foreign, &[]).is_err());
    assert_eq!(world.counterfactual(&address, &[]).unwrap(), world.episode(Split::Train, 0));
}

#[test]
fn bad_configs_are_refused_in_a_sentence_that_names_the_key() {
    let default = LifeConfig::default;
    let scenes = |scenes: Scenes| LifeConfig { scenes, ..default() };
    let mix = |scenes, ash, soups| LifeConfig { mix: Mix { scenes, ash, soups }, ..default() };
    let few = Scenes { gliders: [1, 1], still_lifes: [0, 0], ..Scenes::default() };
    for (config, parts) in [
        (LifeConfig { width: 15, ..default() }, ["width = 15", "patch = 2"]),
        (LifeConfig { height: 16, width: 16, patch: 3, ..default() }, ["width = 16", "15"]),
        (LifeConfig { patch: 4, ..default() }, ["patch = 4", "3"]),
        (LifeConfig { patch: 0, ..default() }, ["patch = 0", "1"]),
        (LifeConfig { width: 0, ..default() }, ["width = 0", "4"]),
        (LifeConfig { width: 10_000, ..default() }, ["width = 10000", "1024"]),
        (LifeConfig { width: 6, height: 6, ..default() }, ["width = 6", "8"]),
        (LifeConfig { width: 12, height: 12, ..default() }, ["5 objects", "at most 4"]),
        (LifeConfig { horizons: vec![1, 0], ..default() }, ["0", "1 to 32"]),
        (LifeConfig { horizons: vec![33], ..default() }, ["33", "32"]),
        (LifeConfig { horizons: vec![], ..default() }, ["horizons", "no horizon"]),
        (LifeConfig { horizons: vec![2, 2], ..default() }, ["horizons", "twice"]),
        (LifeConfig { rule: "B9/S23".into(), ..default() }, ["rule = 'B9/S23'", "character 2"]),
        (LifeConfig { rule: "B2/S/C3".into(), ..default() }, ["rule = 'B2/S/C3'", "3 states"]),
        (LifeConfig { rule: "B0/S8".into(), ..default() }, ["rule = 'B0/S8'", "B0"]),
        (LifeConfig { rule: "B3/S23:T16,16".into(), ..default() }, ["rule", "topology"]),
        (LifeConfig { rule: "B35n/S23".into(), ..default() }, ["no gliders", "recognise_as"]),
        (LifeConfig { recognise_as: Some("?".into()), ..default() }, ["recognise_as = '?'", "character 1"]),
        (mix(-1.0, 1.0, 1.0), ["mix.scenes = -1", "0"]),
        (mix(f64::NAN, 1.0, 1.0), ["mix.scenes = NaN", "0"]),
        (mix(0.0, 0.0, 0.0), ["mix", "above 0"]),
        (scenes(Scenes { gliders: [2, 1], ..Scenes::default() }), ["scenes.gliders = [2, 1]", "wrong way"]),
        (scenes(Scenes { in_the_way: 1.5, ..Scenes::default() }), ["scenes.in_the_way = 1.5", "1"]),
        (scenes(Scenes { reach: 0, ..Scenes::default() }), ["scenes.reach = 0", "8"]),
        (scenes(Scenes { kinds: vec!["blok".into()], ..Scenes::default() }), ["'blok'", "'block'"]),
        (scenes(Scenes { kinds: vec!["glider".into()], ..Scenes::default() }), ["'glider'", "still life"]),
        (LifeConfig { scenes: few, ..mix(1.0, 0.0, 0.0) }, ["too few different boards", "split"]),
        (
            LifeConfig { soups: environments::life::Soups { density: [0.5, 0.2] }, ..default() },
            ["soups.density", "0.2"],
        ),
    ] {
        let error = LifeWorld::new(config.clone()).map(|_| format!("{config:?}")).unwrap_err().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn a_config_lists_only_what_it_overrides() {
    let parse = |text: &str| serde_json::from_str::<LifeConfig>(text);
    assert_eq!(parse("{}").unwrap(), LifeConfig::default());
    let config = parse(r#"{"width": 32, "mix": {"soups": 0.3}, "scenes": {"gliders": [1, 1]}}"#).unwrap();
    assert_eq!((config.width, config.height, config.mix.soups, config.mix.scenes), (32, 16, 0.3, 0.7));
    assert_eq!(config.scenes.gliders, [1, 1]);
    for unknown in [r#"{"widht": 3}"#, r#"{"scenes": {"glider": 1}}"#, r#"{"mix": {"scene": 1}}"#, r#"{"width": "a"}"#]
    {
        assert!(parse(unknown).is_err(), "{unknown}");
    }
    let text = serde_json::to_string(&config).unwrap();
    assert_eq!(parse(&text).unwrap(), config);
}

#[test]
fn the_control_rule_has_lifes_still_lifes_and_density_but_no_spaceships() {
    let rule = Rule::parse(control::CONTROL_RULE).unwrap();
    assert_eq!(rule.to_string(), control::CONTROL_RULE);
    let steppers = [Stepper::life(), Stepper::new(&rule)];
    for pattern in catalogue::patterns() {
        let mut board = Board::new(32, 32);
        board.paste(&pattern.cells, 9, 9);
        let objects = recognise(&board, &steppers[1]);
        let planted = LifeConfig::default().scenes.kinds;
        if planted.iter().any(|kind| kind == pattern.name) || pattern.name == "blinker" {
            assert_eq!(objects[0].kind.name(), pattern.name);
        }
        assert!(objects.iter().all(|object| object.kind.class() != Class::Spaceship), "{}", pattern.name);
    }
    let mut stream = stream(&["test", "control rule"]);
    let mut live = [0.0; 2];
    let mut spaceships = [0; 2];
    for _ in 0..60 {
        let soup = Board::from_cells(64, 64, &std::array::from_fn::<u8, 4096, _>(|_| u8::from(stream.chance(0.35))));
        for (rule, stepper) in steppers.iter().enumerate() {
            let board = stepper.run(&soup, 200);
            live[rule] += f64::from(board.population());
            let objects = recognise(&board, stepper);
            spaceships[rule] += objects.iter().filter(|object| object.kind.class() == Class::Spaceship).count();
        }
    }
    assert!((live[1] / live[0] - 1.0).abs() < 0.2, "{live:?}");
    assert!(spaceships[0] > 0 && spaceships[1] == 0, "{spaceships:?}");
}

#[test]
fn distance_and_heading_are_told_in_the_gliders_own_frame() {
    let world = world();
    let names = features::feature_names();
    let at = |features: &[f32], name: &str| features[names.iter().position(|known| known == name).unwrap()];
    for (index, heading) in Heading::ALL.into_iter().enumerate() {
        let (east, south) = heading.vector();
        let mut board = Board::new(16, 16);
        board.paste(&catalogue::glider(heading, index as u32).cells, 14, 15);
        // A block four cells ahead along the diagonal: centres 4.5 or 3.5 apart, for its box is 2×2.
        board.paste(&[(0, 0), (1, 0), (0, 1), (1, 1)], 14 + i64::from(east) * 4, 15 + i64::from(south) * 4);
        let objects = world.objects(&board);
        let glider = objects.iter().find(|object| object.is_glider()).unwrap();
        let measured = features::distance_and_heading(&board, &objects, glider.id);
        assert_eq!(measured.len(), names.len());
        assert_eq!(at(&measured, &format!("heading {}", heading.name())), 1.0);
        assert_eq!(at(&measured, &format!("phase {index}")), 1.0);
        assert_eq!(at(&measured, "others"), 1.0);
        assert_eq!(at(&measured, "other 1 is block"), 1.0);
        assert_eq!(at(&measured, "other 1 on_path"), 1.0);
        assert!((at(&measured, "other 1 along") - 4.0).abs() <= 0.5);
        assert!(at(&measured, "other 1 across").abs() <= 0.5);
        assert_eq!(at(&measured, "other 2 there"), 0.0);
        let block = objects.iter().find(|object| !object.is_glider()).unwrap();
        let measured = features::distance_and_heading(&board, &objects, block.id);
        assert_eq!(at(&measured, "other 1 is glider"), 1.0);
        let speed = (at(&measured, "other 1 velocity along"), at(&measured, "other 1 velocity across"));
        assert_eq!(speed.0.abs() + speed.1.abs(), 1.0);
    }
}
