//! Activations that a person changes, against the simulator; and the command that does the same without a window.

use std::path::PathBuf;
use std::time::Duration;

use environments::life::Board;
use experiments::commands::intervene::again;
use experiments::intervention::{Deed, Patch};
use models::{Action, Device, Intervention, Plan, load_parameters, predictor};
use viewer::command::Command;
use viewer::session::Session;
use viewer::source::Source;
use viewer::view::{Method, Tool, View};

use crate::made_up::{Run, world};

pub fn settle(session: &mut Session) {
    session.settle(Duration::from_secs(60)).unwrap();
}

/// An episode with a glider, at horizon 4, and one of its cells.
pub fn with_glider(run: &Run, method: Method) -> (Session, (u32, u32)) {
    let mut session = run.open(View { step: Some(4), tool: Tool::Patch, method, ..View::default() }).unwrap();
    loop {
        session.apply(Command::Episode(true));
        let found = session.objects(0).iter().find(|object| object.name == "glider").cloned();
        if let Some(glider) = found {
            settle(&mut session);
            return (session, glider.cells[0]);
        }
    }
}

/// Saves the intervention of a session, makes it again by the command, and compares what both say.
pub fn same_by_the_command(session: &Session, run: &std::path::Path) -> serde_json::Value {
    let view = session.intervention().unwrap();
    assert_eq!(View::parse(&view.to_toml()).unwrap(), view);
    let folder = tempfile::tempdir().unwrap();
    let file: PathBuf = folder.path().join("one.intervention.toml");
    std::fs::write(&file, view.to_toml()).unwrap();
    let (value, text) = again(&run.display().to_string(), &file, "cpu").unwrap();
    let note = view.intervention.unwrap();
    assert_eq!(value["as_saved"], true, "{text}");
    assert_eq!(value["effect"], serde_json::to_value(&note.effect).unwrap());
    assert!(
        text.contains("to the last digit")
            && note.effect.iter().all(|(name, value)| text.contains(&format!("{name}: {value}")))
    );
    let all = |values: &serde_json::Value| -> Vec<f32> {
        values.as_array().unwrap().iter().map(|value| value.as_f64().unwrap() as f32).collect()
    };
    let step = session.timeline().step() as usize;
    let targets = session.observed().scene.targets();
    let about =
        |answer: &[f32]| if targets == 1 { answer.to_vec() } else { answer[step * targets..][..targets].to_vec() };
    assert_eq!(all(&value["prediction"]["before"]), about(session.belief().unwrap()));
    match session.patched() {
        Some(patched) => assert_eq!(all(&value["prediction"]["after"]), about(patched)),
        None => assert!(value["prediction"]["after"].is_null()),
    }
    // Figures that are not those found are told apart.
    let mut other = session.intervention().unwrap();
    let note = other.intervention.as_mut().unwrap();
    note.after = note.after.map(|[model, reference]| [model + 1.0, reference]);
    std::fs::write(&file, other.to_toml()).unwrap();
    assert_eq!(again(&run.display().to_string(), &file, "cpu").unwrap().0["as_saved"], false);
    value
}

#[test]
fn activations_are_copied_and_held_against_the_board_with_the_object_there() {
    let run = Run::new();
    let (mut session, cell) = with_glider(&run, Method::Copy);
    let to = ((cell.0 + 8) % 16, (cell.1 + 6) % 16);
    session.choose_tap("blocks.0.resid_post");
    session.touch(cell);
    assert!(session.message().unwrap().contains("taken up"));
    session.touch(to);
    settle(&mut session);
    let [patch] = session.patches() else { panic!("{:?}", session.patches()) };
    let Deed::Copy { from } = &patch.deed else { panic!("{patch:?}") };
    // Four columns of tokens of two cells to the east, three rows to the south, round the torus.
    let shift = |position: &usize| {
        let (column, row) = ((position - 1) % 8, (position - 1) / 8);
        1 + (row + 3) % 8 * 8 + (column + 4) % 8
    };
    assert_eq!(patch.to, from.iter().map(shift).collect::<Vec<_>>());
    // The same by hand: the model's own interventions, and a board on which the tokens are painted.
    let weights = load_parameters(&run.checkpoint("jump-1", 10)).unwrap();
    let mind = predictor(&weights, Device::Cpu).unwrap();
    let tokens = session.observed().asks.about(4).unwrap().1.to_vec();
    let own = mind.run(&tokens, &Plan::reading(&[&patch.tap])).unwrap();
    let values = from.iter().flat_map(|&row| own.captured[0].row(0, row).to_vec()).collect();
    let action = Action::Replace { values };
    let one = Intervention { tap: patch.tap.clone(), sequence: None, rows: patch.to.clone(), action };
    let logits = mind.run(&tokens, &Plan { capture: Vec::new(), interventions: vec![one] }).unwrap().logits;
    assert_eq!(session.patched().unwrap(), experiments::intervention::alive(&world(), &logits));
    let start = world().observe(environments::Split::Validation, session.view().index).start;
    let mut painted = start.clone();
    for (from, to) in from.iter().zip(&patch.to) {
        let (corner, there) = (world().patch_corner(from - 1), world().patch_corner(to - 1));
        for (column, row) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            painted.set(there.0 + column, there.1 + row, start.get(corner.0 + column, corner.1 + row));
        }
    }
    let ends = |board: &Board| world().stepper().run(board, 4).cells();
    let drawn = |name: &str| session.boards().into_iter().find(|board| board.panel.name == name).unwrap().drawing;
    let counterfactual = drawn("counterfactual");
    for (place, &state) in ends(&painted).iter().enumerate() {
        let shade = counterfactual.raster.as_ref().unwrap().get(place as u32 % 16, place as u32 / 16);
        assert_eq!(shade, Some(session.palette().state(state, 2)));
    }
    // Cells that change, outside what was patched.
    let inside = |place: usize| patch.to.contains(&(1 + world().patch_of(place as u32 % 16, place as u32 / 16)));
    let changes = ends(&start).into_iter().zip(ends(&painted)).enumerate();
    let count = changes.filter(|(place, (a, b))| a != b && !inside(*place)).count();
    assert_eq!(session.effect()["cells the simulator changes"], count as f64);
    let (clean, patched) = (session.belief().unwrap(), session.patched().unwrap());
    let moved = (0..256).filter(|&place| (clean[place] > 0.5) != (patched[place] > 0.5) && !inside(place)).count();
    assert_eq!(session.effect()["cells the prediction changes"], moved as f64);
    assert!(drawn("patched").raster.is_ok());
    let value = same_by_the_command(&session, &run.path());
    let cells: Vec<u8> = serde_json::from_value(value["counterfactual"].clone()).unwrap();
    assert_eq!(cells, ends(&painted));
    // What is saved leads back.
    let mut other = run.open(View::parse(&session.intervention().unwrap().to_toml()).unwrap()).unwrap();
    settle(&mut other);
    assert_eq!((other.patches(), other.effect()), (session.patches(), session.effect()));
    session.apply(Command::Unpatch(false));
    assert!(session.patches().is_empty() && session.effect().is_empty() && session.against().is_none());
}

#[test]
fn a_patch_of_nothing_changes_nothing_and_others_do_what_they_say() {
    let run = Run::new();
    let (mut session, cell) = with_glider(&run, Method::Copy);
    session.touch(cell);
    session.touch(cell);
    settle(&mut session);
    assert_eq!(session.patched(), session.belief(), "copied onto itself");
    session.apply(Command::Unpatch(true));
    settle(&mut session);
    session.choose_method(Method::Neuron);
    session.touch(cell);
    assert!(session.message().unwrap().contains("choose a neuron"));
    session.choose_neuron(Some(3));
    session.set_dose(0.0);
    session.touch(cell);
    settle(&mut session);
    assert_eq!(session.patched(), session.belief(), "nothing was added");
    for (method, two) in
        [(Method::Neuron, false), (Method::Zero, false), (Method::Mean, false), (Method::Direction, true)]
    {
        session.apply(Command::Unpatch(true));
        session.choose_method(method);
        session.set_dose(20.0);
        session.touch(cell);
        if two {
            session.touch(((cell.0 + 4) % 16, cell.1));
        }
        settle(&mut session);
        assert_eq!(session.patches().len(), 1, "{method:?}");
        assert_ne!(session.patched(), session.belief(), "{method:?}");
        let empties = matches!(method, Method::Zero | Method::Mean);
        let against = session.against().unwrap().edits.clone();
        assert_eq!(against.is_empty(), method == Method::Neuron, "{method:?}: {against:?}");
        if empties {
            assert!(session.against().unwrap().scene.outlines(0).iter().all(|object| !object.cells.contains(&cell)));
        }
        same_by_the_command(&session, &run.path());
    }
    // Another episode has other positions.
    session.apply(Command::Episode(true));
    assert!(session.patches().is_empty());
}

#[test]
fn what_edits_did_is_undone_by_restoring_every_activation() {
    let run = Run::new();
    let (mut session, cell) = with_glider(&run, Method::Restore);
    session.touch(cell);
    assert!(session.message().unwrap().contains("nothing was edited"));
    let before = session.belief().unwrap().to_vec();
    session.choose_cell(Some(cell));
    session.apply(Command::Delete);
    settle(&mut session);
    assert_ne!(session.belief().unwrap(), before);
    same_by_the_command(&session, &run.path());
    let mut view = session.saved_view();
    view.patches = vec![Patch { tap: "embed".into(), to: (0..65).collect(), deed: Deed::Restore }];
    let mut all = run.open(view).unwrap();
    settle(&mut all);
    assert_eq!(all.patched().unwrap(), before, "with all embeddings restored, nothing of the edits is left");
    assert!(all.against().unwrap().edits.is_empty());
    same_by_the_command(&all, &run.path());
}

#[test]
fn lines_of_tokens_are_patched_too() {
    let world = environments::turing::TuringWorld::new(Default::default()).unwrap();
    for experiment in ["rule-table", "evil-twin"] {
        let folder = crate::lines::run(experiment, "", &world);
        let open = |view| {
            let mut session = Session::open(Source::open(folder.path(), None).unwrap(), view, "cpu").unwrap();
            settle(&mut session);
            session
        };
        let view = View { tool: Tool::Drop, index: 1, step: Some(3), ..View::default() };
        let plain = open(view.clone());
        let mut session = open(view);
        let fits = |name: &String| session.subject().place(session.observed(), name, (0, 0)).is_ok();
        let name = session.subject().palette(session.observed()).into_iter().find(fits).unwrap();
        session.choose_pattern(&name);
        session.apply(Command::Use);
        session.choose_tool(Tool::Patch);
        session.choose_method(Method::Restore);
        session.touch((0, 1));
        session.choose_method(Method::Zero);
        session.touch((0, 2));
        settle(&mut session);
        assert_eq!(session.patches().iter().map(|patch| patch.to.clone()).collect::<Vec<_>>(), [[1], [2]]);
        assert_ne!(session.patched(), session.belief());
        let next = session.boards().into_iter().find(|board| board.panel.name == "next").unwrap().drawing;
        assert_eq!(next.rows[..2], ["model".to_string(), "patched".into()]);
        let value = same_by_the_command(&session, folder.path());
        let token = plain.observed().scene.token(3);
        assert_eq!(session.against().unwrap().scene.token(3), token, "the world without the edit");
        assert_eq!(value["counterfactual"], serde_json::json!(token));
        let before: Vec<f32> = serde_json::from_value(value["prediction"]["without_edits"].clone()).unwrap();
        assert_eq!(before, plain.belief().unwrap()[3 * before.len()..][..before.len()]);
    }
}

#[test]
fn what_cannot_be_made_again_is_explained_in_a_line() {
    let run = Run::new();
    let (mut session, cell) = with_glider(&run, Method::Zero);
    session.touch(cell);
    settle(&mut session);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("one.toml");
    let whole = session.intervention().unwrap().to_toml();
    let tap = session.patches()[0].tap.clone();
    for (text, part) in [
        (whole.replace(&tap, "blocks.9.resid_post"), "blocks.9.resid_post"),
        (whole.replace("model = \"jump-1\"", "model = \"jump-7\""), "nearest is jump-1 after"),
        (whole.replace("checkpoint = 10", "checkpoint = 11"), "nearest is jump-1 after 10"),
        (whole.replace("environment = \"", "environment = \"0"), "none of the run"),
        (whole.replace("[intervention", "[interventions"), "Ctrl E"),
        ("indx = ".into(), "no intervention"),
        (whole.replace("kind = \"zero\"", "kind = \"nought\""), "nought"),
    ] {
        std::fs::write(&file, &text).unwrap();
        let message = again(&run.path().display().to_string(), &file, "cpu").unwrap_err().to_string();
        assert!(message.contains(part) && !message.contains('\n'), "{part}: {message}");
    }
}
