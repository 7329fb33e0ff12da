//! Runs of machines, as a person watches and changes them.

use std::time::Duration;

use environments::sequence::SequenceModel;
use environments::turing::{ListBayes, Machine, TuringConfig, TuringWorld};
use environments::{Edit, Environment, Scene, Split, stream};
use models::{Device, ModelSpec, Parameters, Plan, TransformerConfig, load_parameters, predictor, save_parameters};
use tempfile::TempDir;
use viewer::command::Command;
use viewer::scene::Drawing;
use viewer::session::Session;
use viewer::source::Source;
use viewer::view::{Tool, View};

const LENGTH: usize = 60;

fn world() -> TuringWorld {
    TuringWorld::new(TuringConfig { length: LENGTH, ..TuringConfig::default() }).unwrap()
}

/// A run of an experiment with one model that knows nothing.
fn run(experiment: &str, model: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = format!("experiment = \"{experiment}\"\nseed = 1\n[world]\nlength = {LENGTH}\n");
    std::fs::write(folder.path().join("config.toml"), config).unwrap();
    let world = world();
    let spec = ModelSpec {
        vocabulary: world.vocabulary(),
        targets: world.targets(),
        geometry: world.geometry(),
        model: TransformerConfig { depth: 1, width: 8, heads: 2, expansion: 2, loops: 1 }.into(),
    };
    let file = folder.path().join(format!("checkpoints/{model}/step-00000010.safetensors"));
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    save_parameters(&file, &Parameters::initialise(&spec, &mut stream(&["viewer tests", model]))).unwrap();
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

#[test]
fn a_run_of_machines_is_drawn_with_what_is_believed_of_it() {
    let folder = run("machine-diversity", "machines-all-1");
    let mut session = open(&folder, View { index: 2, ..View::default() });
    let observed = world().observe(Split::Validation, 2);
    assert_eq!(*session.observed().scene.scene(), world().episode(Split::Validation, 2).scene);
    // The model's own probabilities, at every step.
    let tokens = world().sample(Split::Validation, 2).tokens;
    let weights = load_parameters(&folder.path().join("checkpoints/machines-all-1/step-00000010.safetensors")).unwrap();
    let answer = predictor(&weights, Device::Cpu).unwrap().run(&tokens, &Plan::default()).unwrap();
    let numbers = world().numbers(&observed);
    for (step, score) in session.scores() {
        let logits = &answer.logits[step as usize * 8..][..8];
        let all: f32 = logits.iter().map(|logit| logit.exp()).sum();
        let nats = -(logits[numbers[step as usize]].exp() / all).ln();
        assert!((score.model - nats).abs() < 1e-4, "step {step}: {} and {nats}", score.model);
    }
    assert_eq!(session.scores().len(), LENGTH);
    // The posterior of the first entry, by counting tables. With two states names are the machine's own.
    let initial = world().config().initial.initial();
    let all: Vec<Machine> = Split::ALL.iter().flat_map(|&split| world().listed(split).unwrap()).collect();
    let mut bayes = ListBayes::new(all.iter().map(|machine| (machine, 1.0)), 2, initial);
    for (step, &number) in numbers.iter().enumerate() {
        session.go_to_step(step as u32);
        let table = drawn(&session, "table");
        let fit = bayes.consistent();
        assert!(table.note.unwrap().0.contains(&format!("{} table", fit.len())), "step {step}");
        let sure = |state: u8, symbol: u8| {
            let first = fit[0].0.entry(state, symbol);
            fit.iter().all(|(machine, _, _)| machine.entry(state, symbol) == first)
        };
        for (row, (state, symbol)) in [(0, 0), (0, 1), (1, 0), (1, 1)].into_iter().enumerate() {
            let words = table.words.iter().filter(|((_, at), text)| *at == row as u32 && text == "1").count();
            assert_eq!(words, usize::from(sure(state, symbol)), "step {step}, entry {row}");
        }
        bayes.observe(number);
    }
    let next = drawn(&session, "next");
    assert_eq!(next.rows, ["model", "Bayes, class"]);
    assert!(next.framed.contains(&(numbers[LENGTH - 1] as u32, 0)));
}

#[test]
fn a_rewritten_entry_makes_a_twin_and_the_fork_is_marked() {
    let folder = run("single-machine", "model-1");
    let mut session = open(&folder, View { index: 1, ..View::default() });
    assert!(drawn(&session, "twin").raster.unwrap_err().contains("rewrite"));
    let own = world().observe(Split::Validation, 1);
    // Another transition for the entry of the first step, by the keyboard alone.
    let first = own.steps[0].token;
    let other = if first.write == 0 { "1RB" } else { "0LB" };
    session.apply(Command::Tool(Tool::Drop));
    session.choose_pattern(&format!("A{}={other}", first.read));
    session.apply(Command::Use);
    let edits = session.history().edits();
    assert_eq!(edits, [Edit::Rewrite { state: 0, symbol: first.read, transition: other.into() }]);
    let exact = world().counterfactual(&world().observe(Split::Validation, 1).address, &edits).unwrap();
    assert_eq!(*session.observed().scene.scene(), exact.scene);
    session.settle(Duration::from_secs(60)).unwrap();
    session.apply(Command::Last);
    let (tape, twin) = (drawn(&session, "tape"), drawn(&session, "twin"));
    assert_eq!((tape.rule.as_ref().unwrap().0, twin.rule.as_ref().unwrap().0), (1, 1));
    assert!(tape.rule.unwrap().1.starts_with("fork at step 0"));
    assert!(twin.title.starts_with("Without the edits") && twin.title.contains(&own.machine.to_string()));
    session.choose_pattern(&format!("A{}={other}", first.read));
    session.apply(Command::Use);
    assert!(session.message().unwrap().contains("as it is"));
    // A click in the table does the same as the keys.
    session.apply(Command::Undo);
    let table = session.boards().into_iter().find(|board| board.panel.name == "table").unwrap();
    let column = table.drawing.columns.iter().position(|name| name == other).unwrap() as u32;
    session.touch_table(table.panel, (column, u32::from(first.read)));
    assert_eq!(session.history().edits(), edits);
    let view = View::parse(&session.saved_view().to_toml()).unwrap();
    assert_eq!(open(&folder, view).observed().edits, edits);
}

#[test]
fn evil_twins_are_those_of_the_experiment() {
    let folder = run("evil-twin", "model-1");
    let mut session = open(&folder, View { split: Split::Test, index: 3, ..View::default() });
    let pair = experiments::machines::pairs(&world(), Split::Test, 4, 1).pop().unwrap();
    assert_eq!(*session.observed().scene.scene(), world().episode_of(&pair.own).scene);
    assert_eq!(session.timeline().step() as usize, pair.fired, "one begins at the fork");
    let twin = drawn(&session, "twin");
    assert_eq!(twin.rule.unwrap().0 as usize, pair.fired + 1);
    let next = drawn(&session, "next");
    assert!(next.framed.contains(&(pair.own_step as u32, 0)) && next.changed.contains(&(pair.twin_step as u32, 0)));
    // What is saved of an edit names the episode itself, and not the number of the pair.
    let rewriting = session
        .subject()
        .palette(session.observed())
        .into_iter()
        .find(|name| session.subject().place(session.observed(), name, (0, 0)).is_ok());
    session.choose_pattern(&rewriting.unwrap());
    session.apply(Command::Use);
    let view = session.intervention().unwrap();
    let note = view.intervention.clone().unwrap();
    let exact = world().counterfactual(&note.address.unwrap(), &note.edits).unwrap();
    assert_eq!(*session.observed().scene.scene(), exact.scene);
    assert_eq!(*open(&folder, view).observed().scene.scene(), exact.scene);
}

#[test]
fn long_runs_scroll_with_the_head_in_sight() {
    let folder = run("single-machine", "model-1");
    let mut session = open(&folder, View::default());
    let Scene::Tape { origin, rows, .. } = session.observed().scene.scene().clone() else { panic!("no tape") };
    for step in 0..LENGTH as u32 {
        session.go_to_step(step);
        let window = session.observed().scene.window(step);
        assert!(window.height == 48 && (window.row..window.row + window.height).contains(&step));
        let tape = drawn(&session, "tape");
        assert_eq!(tape.rows[0], window.row.to_string());
        let ((column, _), letter) = tape.words.iter().find(|((_, row), _)| *row == step).unwrap();
        assert!((window.column..window.column + window.width).contains(column), "the head is out of sight at {step}");
        let position = origin + i64::from(rows[step as usize].head);
        let facts = session.describe((*column, step));
        for fact in [("tape position", position.to_string()), ("hidden state", letter.clone())] {
            assert!(facts.contains(&(fact.0.into(), fact.1.clone())), "{fact:?} is not among {facts:?}");
        }
        assert!(tape.words.iter().all(|((_, row), _)| *row <= step), "nothing is told of the future");
    }
    session.apply(Command::First);
    assert!(session.describe((rows[0].head, 0)).contains(&("hidden state".into(), "A".into())));
}
