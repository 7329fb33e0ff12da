//! Histories of one-dimensional rules, and worlds that are shown as tokens alone.

use std::time::Duration;

use environments::automata::LineRule;
use environments::elementary::{ElementaryConfig, ElementaryWorld};
use environments::sequence::SequenceModel;
use environments::{Edit, Environment, Split, stream};
use models::{Device, ModelSpec, Parameters, Plan, TransformerConfig, load_parameters, predictor, save_parameters};
use tempfile::TempDir;
use viewer::command::Command;
use viewer::scene::Drawing;
use viewer::session::Session;
use viewer::source::Source;
use viewer::view::{Tool, View};

/// A run of an experiment in a world, with one model that knows nothing.
pub fn run(experiment: &str, section: &str, world: &dyn Environment) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = format!("experiment = \"{experiment}\"\nseed = 1\n[world]\n{section}");
    std::fs::write(folder.path().join("config.toml"), config).unwrap();
    let spec = ModelSpec {
        vocabulary: world.vocabulary(),
        targets: world.targets(),
        geometry: world.geometry(),
        model: TransformerConfig { depth: 2, width: 8, heads: 2, expansion: 2, loops: 1 }.into(),
    };
    let file = folder.path().join("checkpoints/model-1/step-00000010.safetensors");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    save_parameters(&file, &Parameters::initialise(&spec, &mut stream(&["viewer tests", experiment]))).unwrap();
    folder
}

fn open(folder: &TempDir, view: View) -> Session {
    let mut session = Session::open(Source::open(folder.path(), None).unwrap(), view, "cpu").unwrap();
    session.settle(Duration::from_secs(60)).unwrap();
    session
}

fn drawn(session: &Session, name: &str) -> Drawing {
    session.boards().into_iter().find(|board| board.panel.name == name).unwrap().drawing
}

/// Softmax at a position of what the model of a run says.
fn said(folder: &TempDir, tokens: &[u16], targets: usize) -> Vec<Vec<f32>> {
    let weights = load_parameters(&folder.path().join("checkpoints/model-1/step-00000010.safetensors")).unwrap();
    let answer = predictor(&weights, Device::Cpu).unwrap().run(tokens, &Plan::default()).unwrap();
    let softmax = |logits: &[f32]| {
        let all: f32 = logits.iter().map(|logit| logit.exp()).sum();
        logits.iter().map(|logit| logit.exp() / all).collect()
    };
    answer.logits.chunks(targets).map(softmax).collect()
}

#[test]
fn a_history_is_drawn_with_what_is_believed_of_it() {
    for block in [1, 2] {
        let config = ElementaryConfig { rows: 6, width: 8, block, ..ElementaryConfig::default() };
        let world = ElementaryWorld::new(config).unwrap();
        let section = format!("rows = 6\nwidth = 8\nblock = {block}\n");
        let folder = run("rule-inference", &section, &world);
        let mut session = open(&folder, View { split: Split::Test, index: 3, ..View::default() });
        let own = world.observe(Split::Test, 3);
        assert_eq!(*session.observed().scene.scene(), world.episode_of(&own).scene);
        let numbers = world.numbers(&own);
        let chances = said(&folder, &world.sample_of(&own).tokens, 1 << block);
        // Bayes by counting rules: all 256 that agree with what is seen.
        let mut all = world.list_bayes((0..256).map(|number| LineRule::new(1, number).unwrap()));
        let palette = session.palette();
        session.apply(Command::Last);
        let [prediction, bayes, history] = ["prediction", "bayes", "history"].map(|name| drawn(&session, name));
        for (step, &number) in numbers.iter().enumerate() {
            session.go_to_step(step as u32);
            let score = session.scores()[&(step as u32)];
            assert!((score.model + chances[step][number].ln()).abs() < 1e-4, "step {step}");
            let exact = all.probabilities();
            assert!((f64::from(score.reference) + exact[number].ln()).abs() < 1e-5, "step {step}");
            let table = drawn(&session, "table");
            let fit = all.consistent();
            let sure = |entry: usize| fit.iter().all(|(rule, _)| rule.next(entry) == fit[0].0.next(entry));
            let count = (0..8).filter(|&entry| sure(entry)).count();
            assert!(table.note.unwrap().0.starts_with(&format!("{count} of 8 entries certain")), "step {step}");
            for cell in 0..block {
                let at = step * block + cell;
                let (column, row) = ((at % 8) as u32, (at / 8) as u32);
                if step + 1 < numbers.len() {
                    let bit = block - 1 - cell;
                    let one = |chance: &dyn Fn(usize) -> f64| -> f64 {
                        (0..1 << block).filter(|token| token >> bit & 1 == 1).map(chance).sum()
                    };
                    let shade = palette.probability(one(&|token| f64::from(chances[step][token])) as f32);
                    let near = |a: [u8; 3], b: [u8; 3]| a.iter().zip(b).all(|(a, b)| a.abs_diff(b) < 2);
                    assert!(near(prediction.raster.as_ref().unwrap().get(column, row).unwrap(), shade));
                    let shade = palette.probability(one(&|token| exact[token]) as f32);
                    assert!(near(bayes.raster.as_ref().unwrap().get(column, row).unwrap(), shade));
                    let truth = palette.state(own.rows[row as usize][column as usize], 2);
                    assert_eq!(history.raster.as_ref().unwrap().get(column, row), Some(truth));
                }
                assert_eq!(session.observed().scene.position_of((column, row)), step);
            }
            all.observe(number);
        }
        let next = drawn(&session, "next");
        assert_eq!((next.rows, next.columns.len()), (vec!["model".into(), "Bayes, class".into()], 1 << block));
    }
}

#[test]
fn rules_and_first_rows_are_edited_against_the_simulator() {
    let config = ElementaryConfig { rows: 6, width: 8, ..ElementaryConfig::default() };
    let world = ElementaryWorld::new(config).unwrap();
    let folder = run("rule-inference", "rows = 6\nwidth = 8\n", &world);
    let mut session = open(&folder, View::default());
    let own = world.observe(Split::Validation, 0);
    session.apply(Command::Tool(Tool::Draw));
    session.touch((3, 2));
    session.lift();
    assert!(session.message().unwrap().contains("first row") && session.history().is_empty());
    let state = 1 - own.rows[0][3];
    session.apply(Command::Tool(if state == 1 { Tool::Draw } else { Tool::Erase }));
    session.touch((3, 0));
    session.lift();
    // A click in the table exchanges what an entry becomes; the first column is the neighbourhood of all ones.
    let table = session.boards().into_iter().find(|board| board.panel.name == "table").unwrap();
    session.touch_table(table.panel, (0, 0));
    let value = 1 - u8::from(own.rule.next(7));
    let edits = [Edit::Paint { cells: vec![(3, 0)], state }, Edit::Entry { entry: 7, value }];
    assert_eq!(session.history().edits(), edits);
    let exact = world.counterfactual(&own.address, &edits).unwrap();
    assert_eq!(*session.observed().scene.scene(), exact.scene);
    session.settle(Duration::from_secs(60)).unwrap();
    assert!(drawn(&session, "history").changed.contains(&(3, 0)));
    assert_eq!(drawn(&session, "table").changed, [(0, 0)]);
    session.choose_pattern(&format!("111={value}"));
    session.apply(Command::Use);
    assert!(session.message().unwrap().contains("as it is"));
    let view = session.intervention().unwrap();
    assert_eq!(view.intervention.as_ref().unwrap().edits, edits);
    assert_eq!(*open(&folder, View::parse(&view.to_toml()).unwrap()).observed().scene.scene(), exact.scene);
}

#[test]
fn every_other_world_is_shown_as_tokens_with_what_was_expected() {
    use environments::sources::{SourcesConfig, SourcesWorld};
    use environments::turing::universal::{UniversalConfig, UniversalWorld};
    use environments::turing::{HaltingConfig, HaltingWorld};
    let sources = SourcesWorld::new(SourcesConfig { length: 40, ..SourcesConfig::default() }).unwrap();
    let halting = HaltingWorld::new(HaltingConfig { prefix: 3, ..HaltingConfig::default() }).unwrap();
    let universal = UniversalWorld::new(UniversalConfig { length: 40, programs: 2, ..Default::default() }).unwrap();
    let cases: [(&str, &str, &dyn Environment, &str); 3] = [
        ("sources", "length = 40\nkind = \"tree\"\n", &sources, "Bayes"),
        ("halting", "prefix = 3\n", &halting, ""),
        ("dovetail", "length = 40\nprograms = 2\n", &universal, "CTW, depth 6"),
    ];
    for (experiment, section, world, reference) in cases {
        let folder = run(experiment, section, world);
        let mut session = open(&folder, View { split: Split::Test, index: 1, ..View::default() });
        let sample = world.sample(Split::Test, 1);
        let chances = said(&folder, &sample.tokens, world.targets());
        for (position, &target) in sample.targets.iter().enumerate() {
            let score = session.scores()[&(position as u32)];
            let nats = chances[position].get(usize::from(target)).map_or(0.0, |chance| -chance.ln());
            assert!((score.model - nats).abs() < 1e-4, "{experiment}, position {position}");
        }
        session.apply(Command::AllBoards);
        session.settle(Duration::from_secs(60)).unwrap();
        assert_eq!(drawn(&session, "reference").raster.is_ok(), !reference.is_empty(), "{experiment}");
        let words = drawn(&session, "tokens").words;
        assert!(words.len() + 1 >= sample.tokens.len() && words.iter().all(|(_, word)| word != "?"), "{words:?}");
        if experiment == "halting" {
            let (answer, position) = (*sample.targets.last().unwrap() as usize, sample.tokens.len() - 1);
            assert_eq!(session.timeline().step() as usize, position, "one begins at the question");
            assert_eq!(words.last().unwrap().1, ["never", "halts"][answer]);
        }
        if experiment == "sources" {
            let mut bayes = sources.bayes().unwrap();
            for (position, &target) in sample.targets.iter().enumerate() {
                let exact = -bayes.probabilities()[usize::from(target)].ln();
                let score = session.scores()[&(position as u32)];
                assert!((f64::from(score.reference) - exact).abs() < 1e-5);
                bayes.observe(target.into());
            }
        }
        let facts = session.describe((0, 0));
        assert!(facts.contains(&("holds".into(), "begin".into())), "{experiment}: {facts:?}");
    }
}

#[test]
fn every_shipped_config_opens() {
    let configs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../experiments/configs");
    let mut count = 0;
    for entry in std::fs::read_dir(configs).unwrap() {
        let path = entry.unwrap().path();
        let source = Source::open(&path, Some("smoke")).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let session = Session::open(source, View::default(), "cpu").unwrap();
        assert!(session.boards().iter().any(|board| board.drawing.raster.is_ok()), "{}", path.display());
        count += 1;
    }
    assert!(count >= 9);
}
