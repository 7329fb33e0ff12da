//! The world `elementary`: pure episodes, splits disjoint up to reflection and complement, exact references against brute
//! force, labels and counterfactuals.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use environments::automata::{ElementaryRow, LineRule, Particles};
use environments::elementary::{ElementaryConfig, ElementaryWorld, HELD_BACK};
use environments::sequence::{SequenceModel, code_lengths};
use environments::{Edit, Environment, Geometry, Scene, Split};
use rayon::prelude::*;

fn world(config: ElementaryConfig) -> ElementaryWorld {
    ElementaryWorld::new(config).unwrap()
}

fn small() -> ElementaryConfig {
    ElementaryConfig { width: 8, rows: 6, ..ElementaryConfig::default() }
}

fn wide() -> ElementaryConfig {
    ElementaryConfig { radius: 2, width: 12, rows: 8, block: 3, ..ElementaryConfig::default() }
}

#[test]
fn an_episode_is_the_same_in_any_order_and_at_any_thread_count() {
    for config in [small(), wide()] {
        let world = world(config.clone());
        let one: Vec<_> = (0..100).map(|index| world.episode(Split::Train, index)).collect();
        let other = ElementaryWorld::new(config).unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        let run = |index: u32| other.episode(Split::Train, index.into());
        let mut many: Vec<_> = pool.install(|| (0..100u32).into_par_iter().rev().map(run).collect());
        many.reverse();
        assert_eq!(one, many);
        let samples = one.iter().enumerate().all(|(i, episode)| episode.sample == world.sample(Split::Train, i as u64));
        assert!(samples);
        assert_eq!(one.iter().map(|episode| episode.sample.tokens.clone()).collect::<BTreeSet<_>>().len(), 100);
    }
}

#[test]
fn an_episode_is_what_it_was() {
    let world = world(small());
    let observed = world.observe(Split::Test, 7);
    let rows: Vec<String> = observed.rows.iter().map(|row| row.iter().map(u8::to_string).collect()).collect();
    assert_eq!((observed.rule.to_string().as_str(), rows.join(" ").as_str()), GOLDEN);
}

const GOLDEN: (&str, &str) = ("W90", "00001000 00010100 00100010 01010101 00000000 00000000");

#[test]
fn tokens_are_the_rows_of_a_plain_simulation() {
    for config in [small(), wide()] {
        let world = world(config.clone());
        assert_eq!(world.geometry(), Geometry::Line { length: config.length() });
        assert_eq!((world.targets(), world.vocabulary()), (1 << config.block, (1 << config.block) + 1));
        for index in 0..50 {
            let observed = world.observe(Split::Train, index);
            let sample = world.sample(Split::Train, index);
            assert_eq!((sample.tokens.len(), sample.targets.len()), (config.length(), config.length()));
            assert_eq!(sample.tokens[0], world.beginning());
            assert_eq!(sample.tokens[1..], sample.targets[..sample.targets.len() - 1]);
            let text = |cells: &[u8]| -> String { cells.iter().map(u8::to_string).collect() };
            let cells = world.cells(sample.targets.iter().map(|&target| usize::from(target)));
            let mut row = ElementaryRow::new(observed.rule, Some(config.width), &text(&cells[..config.width])).unwrap();
            for shown in cells.chunks(config.width) {
                assert_eq!(text(shown), row.text());
                row.step();
            }
        }
    }
}

#[test]
fn splits_share_no_rule_up_to_reflection_and_complement() {
    let world = world(small());
    let listed = Split::ALL.map(|split| world.listed(split).unwrap());
    assert_eq!(listed.iter().map(Vec::len).sum::<usize>(), 256);
    for (place, rules) in listed.iter().enumerate() {
        assert!(!rules.is_empty());
        for rule in rules {
            let homes: Vec<usize> = rule
                .equivalents()
                .iter()
                .map(|other| listed.iter().position(|rules| rules.contains(other)).unwrap())
                .collect();
            assert!(homes.iter().all(|&home| home == place), "{rule}: {homes:?}");
        }
    }
    assert!(listed[0].len() > 150 && listed[2].len() >= 16, "{:?}", listed.map(|rules| rules.len()));
    let wide = ElementaryWorld::new(wide()).unwrap();
    for split in Split::ALL {
        for index in 0..100 {
            let rule = wide.rule(split, index);
            assert!(rule.equivalents().iter().all(|&other| wide.split_of(other) == split));
        }
    }
}

#[test]
fn pools_are_nested_and_training_stays_within_them() {
    for base in [small(), wide()] {
        let pool =
            |rules: usize| world(ElementaryConfig { rules: Some(rules), ..base.clone() }).pool().unwrap().to_vec();
        let (few, many) = (pool(4), pool(16));
        assert_eq!(few, many[..4]);
        assert_eq!(many.iter().collect::<BTreeSet<_>>().len(), 16);
        let world = world(ElementaryConfig { rules: Some(4), ..base.clone() });
        let pool: BTreeSet<_> = few.into_iter().collect();
        let met = |from: u64| -> BTreeSet<_> { (0..100).map(|i| world.rule(Split::Train, from + i)).collect() };
        assert_eq!((met(0), met(HELD_BACK)), (pool.clone(), pool.clone()));
        assert!((0..100).all(|index| !pool.contains(&world.rule(Split::Test, index))));
        let other = ElementaryWorld::new(ElementaryConfig { rules: Some(4), seed: 1, ..base.clone() }).unwrap();
        assert_ne!(other.pool().unwrap(), world.pool().unwrap());
    }
    // Listed rules are trained on whatever their split was, and then held out from nowhere else.
    for number in 0..=255u8 {
        let text = format!("W{number}");
        let world = world(ElementaryConfig { only: vec![text.clone()], ..small() });
        assert_eq!(world.rule(Split::Train, 3).to_string(), text);
        assert!((0..20).all(|index| !world.rule(Split::Test, index).equivalents().contains(&number.into())));
    }
}

#[test]
fn bayes_is_brute_force_over_all_rules() {
    for block in [1, 2, 4] {
        let world = world(ElementaryConfig { block, rows: 5, ..small() });
        let all: Vec<LineRule> = (0..=255).map(LineRule::from).collect();
        for index in 0..40 {
            let observed = world.observe(Split::Test, index);
            let numbers = world.numbers(&observed);
            let episode = world.episode_of(&observed);
            let first = observed.rows[0].clone();
            let histories: Vec<Vec<usize>> =
                all.iter().map(|rule| world.numbers(&world.under(&observed, *rule))).collect();
            let (mut class, mut list) = (world.class_bayes(), world.list_bayes(all.iter().copied()));
            let mut oracle = world.list_bayes([observed.rule]);
            for (place, &number) in numbers.iter().enumerate() {
                // Rules whose histories from this first row agree so far; the row itself is a coin under any.
                let fitting: Vec<usize> =
                    (0..256).filter(|&rule| histories[rule][..place] == numbers[..place]).collect();
                let size = 1 << block;
                let wanted: Vec<f64> = if place * block < first.len() {
                    vec![1.0 / f64::from(size); size as usize]
                } else {
                    let count = |symbol| fitting.iter().filter(|&&rule| histories[rule][place] == symbol).count();
                    (0..size as usize).map(|symbol| count(symbol) as f64 / fitting.len() as f64).collect()
                };
                for model in [&class as &dyn SequenceModel, &list] {
                    let given = model.probabilities();
                    assert!(given.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-12), "{given:?} {wanted:?}");
                }
                // What the labels say is determined is what all fitting rules share; and no more is.
                for (entry, known) in class.determined().iter().enumerate() {
                    let shared = fitting.iter().all(|&rule| all[rule].next(entry) == observed.rule.next(entry));
                    assert_eq!(known.is_some(), shared);
                    let said = episode.labels.get(&format!("determined {entry:03b}")).unwrap().values[place];
                    assert_eq!(said, Some(u32::from(shared)));
                }
                let sure = episode.labels.get("next-determined").unwrap().values[place];
                assert_eq!(sure, (place * block >= first.len()).then(|| u32::from(wanted.contains(&1.0))));
                let bits = class.observe(number);
                assert!((bits + wanted[number].log2()).abs() < 1e-12);
                assert!((list.observe(number) - bits).abs() < 1e-9);
                let coin = if place * block < first.len() { block as f64 } else { 0.0 };
                assert_eq!(oracle.observe(number), coin);
            }
            assert_eq!(list.consistent().len(), 1 << class.consistent_bits());
        }
    }
}

#[test]
fn bayes_over_all_rules_of_radius_two_is_brute_force_over_those_that_differ_in_what_was_used() {
    // 2³² rules are too many to run, but only used entries matter: vary those of a short history in all ways.
    let world = world(ElementaryConfig { radius: 2, width: 5, rows: 3, block: 1, ..ElementaryConfig::default() });
    for index in 0..20 {
        let observed = world.observe(Split::Train, index);
        let mut used: Vec<usize> = Vec::new();
        for row in &observed.rows[..2] {
            used.extend((0..5).map(|column| observed.rule.neighbourhood(row, column)));
        }
        used.sort_unstable();
        used.dedup();
        // Entries of the second step depend on the first's; all that any variant can use are covered by drawing them as
        // bits of the variant's number, in the order of first use.
        let numbers = world.numbers(&observed);
        let variants = (0..1usize << used.len()).map(|bits| {
            used.iter().enumerate().fold(observed.rule, |rule, (i, &entry)| rule.with_entry(entry, bits >> i & 1 == 1))
        });
        let exact: f64 = code_lengths(&mut world.class_bayes(), &numbers).iter().sum();
        let same = variants.filter(|&rule| world.under(&observed, rule).rows == observed.rows).count();
        // The history fixes every entry it used and no other: its probability is 2^−(first row + entries used).
        assert_eq!(same, 1);
        assert_eq!(exact, (5 + used.len()) as f64);
        let mut list = world.list_bayes([observed.rule.with_entry(used[0], !observed.rule.next(used[0]))]);
        assert_eq!(code_lengths(&mut list, &numbers).iter().sum::<f64>(), f64::INFINITY);
        assert!(list.consistent().is_empty() && list.probabilities() == [0.5, 0.5]);
    }
}

#[test]
fn labels_name_the_entry_that_makes_each_cell() {
    for (config, index) in (0..20).flat_map(|index| [(small(), index), (wide(), index)]) {
        let world = world(config.clone());
        let observed = world.observe(Split::Train, index);
        let episode = world.episode_of(&observed);
        let values = |name: &str| &episode.labels.get(name).unwrap().values;
        let mut used_before = BTreeSet::new();
        for position in 0..config.length() {
            let mut fresh = false;
            for cell in 0..config.block {
                let name = |what: &str| if config.block == 1 { what.into() } else { format!("{what} {cell}") };
                let (row, column) =
                    ((position * config.block + cell) / config.width, (position * config.block + cell) % config.width);
                let wanted = (row > 0).then(|| observed.rule.neighbourhood(&observed.rows[row - 1], column));
                assert_eq!(values(&name("next"))[position], wanted.map(|entry| entry as u32));
                if position + 1 < config.length() {
                    assert_eq!(values(&name("used"))[position + 1], wanted.map(|entry| entry as u32));
                }
                if let Some(entry) = wanted {
                    assert_eq!(observed.rule.next(entry), observed.rows[row][column] == 1);
                    assert_eq!(
                        values(&format!("entry {entry:0width$b}", width = 2 * config.radius + 1)),
                        &[Some(observed.rows[row][column].into())]
                    );
                    fresh |= used_before.insert(entry);
                }
            }
            if position + 1 < config.length() {
                let row = position * config.block / config.width;
                assert_eq!(values("first-use")[position + 1], (row > 0).then(|| u32::from(fresh)));
            }
        }
        let class = episode.labels.get("class").unwrap();
        let name = class.values[0].map(|value| class.classes[value as usize].as_str());
        assert_eq!(name, observed.rule.wolfram_class().map(|class| class.name()));
        assert!(
            episode
                .labels
                .columns
                .iter()
                .all(|column| column.values.len() == 1 || column.values.len() == config.length())
        );
    }
}

#[test]
fn labels_tell_domains_and_particles_where_the_domain_is_known() {
    let config = |only: &str| ElementaryConfig { width: 28, rows: 60, only: vec![only.into()], ..small() };
    let mut seen = BTreeSet::new();
    // What moves is told from what wanders: rules with particles, and one with walls alone.
    for (index, rule) in (0..40u64).map(|index| (index, ["W110", "W18", "W54", "W184"][index as usize % 4])) {
        let world = world(config(rule));
        let observed = world.observe(Split::Train, index);
        let found = Particles::find(observed.rule, &observed.rows).unwrap();
        let labels = world.episode_of(&observed).labels;
        let values = |name: &str| &labels.get(name).unwrap().values;
        for position in 0..world.config().length() {
            let [structure, phase, track, heading] =
                ["structure", "domain-phase", "track", "heading"].map(|name| values(name)[position]);
            let Some(place) = position.checked_sub(1) else {
                assert_eq!([structure, phase, track, heading], [None; 4]);
                continue;
            };
            assert_eq!((phase, track), (found.phases[place].map(u32::from), found.covers[place]));
            let motion = track.and_then(|track| found.tracks[track as usize].motion);
            assert_eq!(structure, Some(if track.is_none() { 0 } else { 1 + u32::from(motion.is_some()) }));
            assert_eq!(heading, motion.map(|motion| (1 + motion.displacement.signum()) as u32));
            seen.insert(structure);
        }
    }
    assert_eq!(seen, BTreeSet::from([0, 1, 2].map(Some)));
    let labels = world(config("W30")).episode(Split::Train, 0).labels;
    assert!(labels.get("structure").unwrap().values.iter().all(Option::is_none));
}

#[test]
fn a_counterfactual_is_a_fresh_run_on_the_same_row() {
    let world = world(small());
    let mut forks = 0;
    for index in 0..60 {
        let observed = world.observe(Split::Test, index);
        for entry in 0..8u32 {
            let value = u8::from(!observed.rule.next(entry as usize));
            let edit = Edit::Entry { entry, value };
            let episode = world.counterfactual(&observed.address, std::slice::from_ref(&edit)).unwrap();
            let fresh = world.under(&observed, LineRule::from(observed.rule.table() as u8 ^ 1 << entry));
            assert_eq!(episode.sample, world.sample_of(&fresh));
            assert_eq!(episode.edits, [edit]);
            // Nothing differs before the entry is first used, and there it does.
            let used = episode.labels.get("next").unwrap();
            let first = used.values.iter().position(|&value| value == Some(entry));
            let (own, other) = (world.numbers(&observed), world.numbers(&fresh));
            assert_eq!(first, own.iter().zip(&other).position(|(a, b)| a != b));
            forks += usize::from(first.is_some());
        }
        let paint = Edit::Paint { cells: vec![(2, 0), (5, 0)], state: 1 };
        let swap = Edit::Rule { rule: "W110".into() };
        let episode = world.counterfactual(&observed.address, &[paint, swap]).unwrap();
        let mut first = observed.rows[0].clone();
        (first[2], first[5]) = (1, 1);
        let Scene::Board { width: 8, height: 6, states: 2, frames, .. } = episode.scene else { panic!("no board") };
        assert_eq!(frames, [LineRule::from(110).history(first, 6).concat()]);
    }
    assert!(forks > 300, "{forks}");
    let address = world.observe(Split::Test, 0).address;
    let refused = |edit: Edit| world.counterfactual(&address, &[edit]).unwrap_err().to_string();
    assert!(refused(Edit::Entry { entry: 8, value: 0 }).contains("entry = 8"));
    assert!(refused(Edit::Entry { entry: 0, value: 2 }).contains("state 2"));
    assert!(refused(Edit::Paint { cells: vec![(1, 1)], state: 1 }).contains("row 0"));
    assert!(refused(Edit::Paint { cells: vec![(8, 0)], state: 1 }).contains("off the ring"));
    assert!(refused(Edit::Rule { rule: "W1x".into() }).contains("character 3"));
    assert!(refused(Edit::Rule { rule: "R2,W0".into() }).contains("radius 2"));
    assert!(refused(Edit::Delete { object: 0 }).contains("entry"));
}

#[test]
fn bad_configs_are_refused_in_a_sentence() {
    let refused = |config: ElementaryConfig| ElementaryWorld::new(config).unwrap_err().to_string();
    assert!(refused(ElementaryConfig { radius: 3, ..small() }).contains("radius = 3"));
    assert!(refused(ElementaryConfig { width: 2, ..small() }).contains("nearest is 3"));
    assert!(refused(ElementaryConfig { block: 3, ..small() }).contains("nearest wider is 9"));
    assert!(refused(ElementaryConfig { rows: 4000, ..small() }).contains("nearest is 1024"));
    assert!(refused(ElementaryConfig { rules: Some(250), ..small() }).contains("rules = 250"));
    assert!(refused(ElementaryConfig { shares: [1, 0, 1], ..small() }).contains("shares"));
    assert!(refused(ElementaryConfig { only: vec!["W300".into()], ..small() }).contains("only: rule 'W300'"));
    assert!(refused(ElementaryConfig { only: vec!["R2,W0".into()], ..small() }).contains("radius 2"));
    assert!(serde_json::from_str::<ElementaryConfig>(r#"{"widht": 3}"#).unwrap_err().to_string().contains("widht"));
}
