//! What a person does to a session, and what is shown then.

use std::time::Duration;

use environments::{Edit, Environment, Scene, Split};
use models::{Device, Plan, load_parameters, predictor};
use viewer::board::Count;
use viewer::command::Command;
use viewer::session::Session;
use viewer::source::Source;
use viewer::view::{Pin, Tool, View};

use crate::made_up::{Run, world};

/// The cells of a board after some steps.
fn frame(session: &Session, step: usize) -> Vec<u8> {
    let Scene::Board { frames, .. } = session.observed().scene.scene() else { panic!("no board") };
    frames[step].clone()
}

fn settle(session: &mut Session) {
    session.settle(Duration::from_secs(60)).unwrap();
}

/// The probability that each cell is live, by the model itself and the definition.
fn believed(run: &Run, checkpoint: (&str, u64), tokens: &[u16]) -> Vec<f32> {
    let world = world();
    let parameters = load_parameters(&run.checkpoint(checkpoint.0, checkpoint.1)).unwrap();
    let answer = predictor(&parameters, Device::Cpu).unwrap().run(tokens, &Plan::default()).unwrap();
    let mut live = vec![0.0; 256];
    for row in 0..16 {
        for column in 0..16 {
            let patch = world.patch_of(column, row);
            let bit = row % 2 * 2 + column % 2;
            let logits = &answer.logits[(patch + 1) * 16..(patch + 2) * 16];
            let all: f32 = logits.iter().map(|logit| logit.exp()).sum();
            let set: f32 = (0..16).filter(|symbol| symbol >> bit & 1 == 1).map(|symbol| logits[symbol].exp()).sum();
            live[(row * 16 + column) as usize] = set / all;
        }
    }
    live
}

fn assert_believes(session: &Session, expected: &[f32]) {
    for cell in 0..256u32 {
        let shown = session.belief().unwrap()[cell as usize];
        assert!((shown - expected[cell as usize]).abs() < 1e-4, "cell {cell}: {shown}");
    }
}

#[test]
fn the_prediction_is_the_models_own() {
    let run = Run::new();
    let mut session = run.open(View { index: 3, step: Some(4), ..View::default() }).unwrap();
    settle(&mut session);
    let tokens = world().sample_of(&world().observe_with(Split::Validation, 3, 4)).tokens;
    assert_eq!(session.checkpoint(), Some(("jump-1", 10)));
    assert_believes(&session, &believed(&run, ("jump-1", 10), &tokens));
    session.apply(Command::Checkpoint(false));
    settle(&mut session);
    assert_eq!(session.checkpoint(), Some(("jump-1", 0)));
    assert_believes(&session, &believed(&run, ("jump-1", 0), &tokens));
    session.apply(Command::Model(true));
    settle(&mut session);
    assert_believes(&session, &believed(&run, ("jump-2", 10), &tokens));
    // Every horizon has its own answer and score.
    assert_eq!(session.scores().len(), 32);
    session.apply(Command::Horizon(false));
    let tokens = world().sample_of(&world().observe_with(Split::Validation, 3, 2)).tokens;
    let expected = believed(&run, ("jump-2", 10), &tokens);
    assert_believes(&session, &expected);
    let (start, end) = (frame(&session, 0), frame(&session, 2));
    assert_eq!(session.scores()[&2], Count::of(&start, &end, &expected).score());
}

#[test]
fn edits_show_the_exact_counterfactual_and_the_prediction_follows() {
    let run = Run::new();
    let mut session = run.open(View { index: 5, step: Some(4), ..View::default() }).unwrap();
    settle(&mut session);
    let before = session.observed().scene.scene().clone();
    let then = frame(&session, 4);
    session.apply(Command::Tool(Tool::Draw));
    for cell in [(2, 2), (3, 2), (4, 2)] {
        session.touch(cell);
    }
    session.lift();
    session.choose_pattern("glider-NW-0");
    session.choose_cell(Some((10, 10)));
    session.apply(Command::Use);
    let edits = session.history().edits();
    assert_eq!(edits.len(), 2);
    assert!(matches!(&edits[1], Edit::Place { pattern, column: 9, row: 9 } if pattern == "glider-NW-0"));
    let world = world();
    let exact = world.counterfactual(&world.address(Split::Validation, 5), &edits).unwrap();
    assert_eq!(*session.observed().scene.scene(), exact.scene);
    settle(&mut session);
    let observed = world.edit(&world.observe_with(Split::Validation, 5, 4), &edits).unwrap();
    assert_believes(&session, &believed(&run, ("jump-1", 10), &world.sample_of(&observed).tokens));
    let differing = then.iter().zip(&frame(&session, 4)).filter(|(a, b)| a != b).count();
    assert_eq!(session.changed_count(), differing);
    assert!(differing > 0);

    session.apply(Command::Undo);
    session.apply(Command::Undo);
    assert_eq!((session.observed().scene.scene(), session.changed_count()), (&before, 0));
    session.apply(Command::Redo);
    session.apply(Command::Episode(true));
    assert!(session.history().is_empty(), "edits stay with the board they were made on");
}

#[test]
fn an_object_can_be_removed() {
    let run = Run::new();
    let mut session = run.open(View::default()).unwrap();
    let object = (0..40)
        .find_map(|_| {
            session.apply(Command::Episode(true));
            session.objects(0).first().cloned()
        })
        .unwrap();
    session.choose_cell(Some(object.cells[0]));
    session.apply(Command::Delete);
    let cells = frame(&session, 0);
    assert!(object.cells.iter().all(|&(column, row)| cells[(row * 16 + column) as usize] == 0));
    assert_eq!(session.history().len(), 1);
    session.apply(Command::Delete);
    assert!(session.message().unwrap().contains("no object"));
}

#[test]
fn activations_are_read_at_the_chosen_tap_on_a_fixed_scale() {
    let run = Run::new();
    let mut session = run.open(View { step: Some(2), ..View::default() }).unwrap();
    settle(&mut session);
    assert_eq!(session.tap().unwrap().name, "blocks.1.resid_post");
    assert!(session.taps().iter().all(|tap| !tap.name.ends_with("pattern")));
    let tokens = world().sample_of(&world().observe_with(Split::Validation, 0, 2)).tokens;
    let parameters = load_parameters(&run.checkpoint("jump-1", 10)).unwrap();
    let model = predictor(&parameters, Device::Cpu).unwrap();
    let row = |tap: &str, cell: (u32, u32)| {
        let answer = model.run(&tokens, &Plan::reading(&[tap])).unwrap();
        answer.tap(tap).unwrap().row(0, 1 + world().patch_of(cell.0, cell.1)).to_vec()
    };
    let norm = row("blocks.1.resid_post", (7, 9)).iter().map(|value| value * value).sum::<f32>().sqrt();
    assert!((session.activation_at((7, 9)).unwrap() - norm).abs() < 1e-4);
    let scale = session.scale().unwrap();
    for step in [1, 4, 32] {
        session.go_to_step(step);
        session.boards();
        assert_eq!(session.scale(), Some(scale), "the scale stays while time goes by");
    }
    session.go_to_step(2);
    session.choose_tap("blocks.0.mlp.hidden");
    assert!(session.belief().is_some(), "another tap leaves the prediction as it is");
    session.choose_neuron(Some(5));
    settle(&mut session);
    assert!((session.activation_at((3, 0)).unwrap() - row("blocks.0.mlp.hidden", (3, 0))[5]).abs() < 1e-5);
    session.apply(Command::Neuron(false));
    assert_eq!(session.view().neuron, Some(4));
    session.apply(Command::Norm);
    assert_eq!(session.view().neuron, None);
}

#[test]
fn boards_are_painted_or_say_why_not() {
    let run = Run::new();
    let mut session = run.open(View { step: Some(0), ..View::default() }).unwrap();
    settle(&mut session);
    let boards = session.boards();
    assert_eq!(boards.len(), 6, "attention and logit lens are shown on request");
    let of = |panel| &boards.iter().find(|board| board.panel.name == panel).unwrap().drawing.raster;
    assert_eq!(of("start"), of("truth"));
    assert!(of("prediction").as_ref().unwrap_err().contains("choose a horizon"));
    session.apply(Command::Step(1));
    assert!(session.boards().iter().all(|board| board.drawing.raster.is_ok()));
    session.apply(Command::Board(0));
    assert_eq!(session.boards().len(), 5);
    for place in 1..6 {
        session.apply(Command::Board(place));
    }
    assert!(!session.boards().is_empty(), "the last board stays");
}

#[test]
fn a_view_leads_back_to_what_was_seen() {
    let run = Run::new();
    let mut session = run.open(View::default()).unwrap();
    for command in [Command::Split, Command::Episode(true), Command::Last, Command::Theme, Command::Cursor(1, -1)] {
        session.apply(command);
    }
    session.choose_tool(Tool::Draw);
    session.touch((1, 1));
    settle(&mut session);
    let view = View::parse(&session.saved_view().to_toml()).unwrap();
    let mut again = run.open(view).unwrap();
    settle(&mut again);
    assert_eq!(again.observed().edits, session.observed().edits);
    let pictures =
        |session: &mut Session| -> Vec<_> { session.boards().into_iter().map(|board| board.drawing).collect() };
    assert_eq!(pictures(&mut again), pictures(&mut session));
}

#[test]
fn a_config_and_a_pattern_are_watched_without_a_model() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("own.toml", format!("experiment = \"glider-chunking\"\n[world]\n{}", crate::made_up::WORLD)),
        ("gun.rle", "x = 3, y = 3, rule = B36/S23\nbob$2bo$3o!\n".to_string()),
    ];
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let mut session = Session::open(Source::open(&path, None).unwrap(), View::default(), "cpu").unwrap();
        settle(&mut session);
        session.apply(Command::Last);
        let boards = session.boards();
        assert!(boards.len() == 2 && boards.iter().all(|board| board.drawing.raster.is_ok()), "{name}");
        session.apply(Command::AllBoards);
        let boards = session.boards();
        let mindless = boards.iter().filter_map(|board| board.drawing.raster.as_ref().err());
        assert_eq!(mindless.filter(|reason| reason.contains("open a run")).count(), 6, "{name}");
        let Scene::Board { frames, .. } = session.observed().scene.scene() else { panic!("{name} is no board") };
        assert_eq!(frames.len(), if name == "own.toml" { 33 } else { 1001 }, "{name}");
        assert!(session.taps().is_empty() && session.scores().is_empty());
    }
}

#[test]
fn what_a_view_asks_for_must_be_there() {
    let run = Run::new();
    for (text, part) in [
        ("model = \"jmp-2\"", "nearest is `jump-2`"),
        ("checkpoint = 9", "nearest is 10"),
        ("tap = \"blocks.1.residpost\"", "nearest is `blocks.1.resid_post`"),
        ("tap = \"blocks.1.attn.pattern\"", "covers no board"),
        ("neuron = 8", "the last is 7"),
        ("cell = [16, 0]", "off the board"),
        ("pattern = \"glyder\"", "glider"),
        ("[[edits]]\nedit = \"paint\"\ncells = [[99, 0]]\nstate = 1", "off the board"),
    ] {
        let message = run.open(View::parse(text).unwrap()).err().unwrap().to_string();
        assert!(message.contains(part) && !message.contains('\n'), "{text}: {message}");
    }
    std::fs::write(run.checkpoint("jump-2", 10), b"half a file").unwrap();
    let message = run.open(View { model: Some("jump-2".into()), ..View::default() }).err().unwrap().to_string();
    assert!(message.contains("step-00000010.safetensors"), "{message}");
    let mut session = run.open(View::default()).unwrap();
    session.apply(Command::Model(true));
    assert!(session.message().unwrap().contains("step-00000010.safetensors"));
    assert_eq!(session.checkpoint(), Some(("jump-1", 10)), "what was shown stays");
    // A model of another world.
    let config = "experiment = \"glider-chunking\"\n[world]\nwidth = 20\nheight = 16\n";
    std::fs::write(run.path().join("config.toml"), config).unwrap();
    let message = run.open(View::default()).err().unwrap().to_string();
    assert!(message.contains("does not fit the run") && message.contains("positions"), "{message}");
}

/// A session on the first episode that has a glider, and the glider.
fn with_glider(run: &Run) -> (Session, environments::Outline) {
    let mut session = run.open(View { step: Some(4), ..View::default() }).unwrap();
    loop {
        session.apply(Command::Episode(true));
        let found = session.objects(0).iter().find(|object| object.name == "glider").cloned();
        if let Some(glider) = found {
            settle(&mut session);
            return (session, glider);
        }
    }
}

#[test]
fn a_glider_can_be_moved_and_moved_again() {
    let run = Run::new();
    let (mut session, glider) = with_glider(&run);
    let index = session.view().index;
    session.choose_tool(Tool::Move);
    let from = glider.cells[0];
    let to = ((from.0 + 15) % 16, (from.1 + 1) % 16);
    session.touch(from);
    session.point_at(Some(to));
    let sorted = |mut cells: Vec<(u32, u32)>| {
        cells.sort_unstable();
        cells
    };
    let moved = sorted(glider.cells.iter().map(|cell| ((cell.0 + 15) % 16, (cell.1 + 1) % 16)).collect());
    assert_eq!(sorted(session.ghost()), moved, "one sees where it would go");
    session.touch(to);
    let edits = session.history().edits();
    assert!(matches!(edits[..], [Edit::Move { .. }]), "{edits:?}");
    let world = world();
    let exact = world.counterfactual(&world.address(Split::Validation, index), &edits).unwrap();
    assert_eq!(*session.observed().scene.scene(), exact.scene);
    let start = frame(&session, 0);
    assert!(moved.iter().all(|&(column, row)| start[(row * 16 + column) as usize] == 1));
    // What has been moved can be moved again, and back in one step.
    session.touch(to);
    session.touch(from);
    assert_eq!(sorted(session.object_at(0, from).unwrap().cells.clone()), sorted(glider.cells.clone()));
    assert_eq!(session.history().len(), 2);
    session.apply(Command::Undo);
    assert_eq!(session.history().edits(), edits);
}

#[test]
fn patterns_are_pasted_from_rle_and_files() {
    let run = Run::new();
    let mut session = run.open(View::default()).unwrap();
    for text in ["bob$2bo$3o!", "x = 3, y = 3, rule = B3/S23\nbob$2bo$3o!\n", "!Name: glider\n.O.\n..O\nOOO\n"] {
        session.paste(text).unwrap();
        assert_eq!((session.view().pattern.as_str(), session.view().tool), ("bo$2bo$3o!", Tool::Drop), "{text}");
    }
    session.touch((8, 8));
    let edits = [Edit::Place { pattern: "bo$2bo$3o!".into(), column: 7, row: 7 }];
    assert_eq!(session.history().edits(), edits);
    assert!(session.paste("nonsense {}").is_err());
}

#[test]
fn an_intervention_is_saved_with_what_it_did_and_leads_back() {
    let run = Run::new();
    let (mut session, glider) = with_glider(&run);
    assert!(session.intervention().unwrap_err().contains("nothing was changed"));
    let before = session.scores()[&4];
    session.choose_cell(Some(glider.cells[0]));
    session.apply(Command::Delete);
    settle(&mut session);
    let view = session.intervention().unwrap();
    let note = view.intervention.clone().unwrap();
    assert_eq!(note.before, Some([before.model, before.reference]));
    let after = session.scores()[&4];
    assert_eq!((note.after, note.changed), (Some([after.model, after.reference]), session.changed_count()));
    // What the file says is enough to run the edits again without the viewer.
    let read = View::parse(&view.to_toml()).unwrap();
    assert_eq!(read, view);
    let exact = world().counterfactual(&note.address.unwrap(), &note.edits).unwrap();
    assert_eq!(*session.observed().scene.scene(), exact.scene);
    assert_eq!(run.open(read.clone()).unwrap().observed().edits, view.edits);
    let mut wrong = read;
    wrong.intervention.as_mut().unwrap().address.as_mut().unwrap().environment = "0000".into();
    assert!(run.open(wrong).err().unwrap().to_string().contains("environment 0000"));
}

#[test]
fn the_logit_lens_is_the_last_norm_and_the_unembedding() {
    let run = Run::new();
    let boards = vec!["lens".to_string(), "prediction".into()];
    let mut session = run.open(View { step: Some(4), boards, ..View::default() }).unwrap();
    settle(&mut session);
    let raster = |session: &Session, name: &str| {
        let board = session.boards().into_iter().find(|board| board.panel.name == name).unwrap();
        board.drawing.raster.unwrap()
    };
    assert_eq!(raster(&session, "lens"), raster(&session, "prediction"), "at the last tap it is the prediction");
    session.choose_tap("blocks.0.resid_post");
    settle(&mut session);
    // By the definition, from the weights.
    let tokens = world().sample_of(&world().observe_with(Split::Validation, 0, 4)).tokens;
    let parameters = load_parameters(&run.checkpoint("jump-1", 10)).unwrap();
    let answer = predictor(&parameters, Device::Cpu).unwrap();
    let stream = answer.run(&tokens, &Plan::reading(&["blocks.0.resid_post"])).unwrap().captured.remove(0);
    let of = |name: &str| parameters.get(name).unwrap();
    let (gain, bias) = (of("final.norm.gain"), of("final.norm.bias"));
    let (weight, offset) = (of("unembed.weight"), of("unembed.bias"));
    let lens = raster(&session, "lens");
    for (column, row) in [(0, 0), (5, 9), (14, 3)] {
        let values = stream.row(0, 1 + world().patch_of(column, row));
        let mean = values.iter().sum::<f32>() / 8.0;
        let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / 8.0 + 1e-5).sqrt();
        let normed: Vec<f32> = (0..8).map(|at| (values[at] - mean) / deviation * gain[at] + bias[at]).collect();
        let logit =
            |symbol: usize| offset[symbol] + (0..8).map(|at| normed[at] * weight[at * 16 + symbol]).sum::<f32>();
        let all: f32 = (0..16).map(|symbol| logit(symbol).exp()).sum();
        let bit = row % 2 * 2 + column % 2;
        let live = (0..16).filter(|symbol| symbol >> bit & 1 == 1).map(|symbol| logit(symbol).exp()).sum::<f32>() / all;
        let (shown, expected) = (lens.get(column, row).unwrap(), session.palette().probability(live));
        assert!(
            shown.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 1),
            "{column}, {row}: {shown:?}, {expected:?}"
        );
    }
    session.choose_tap("blocks.0.mlp.hidden");
    settle(&mut session);
    let lens = session.boards().remove(0).drawing;
    assert!(lens.raster.unwrap_err().contains("residual stream"));
}

#[test]
fn attention_is_that_of_the_chosen_cell_and_head() {
    let run = Run::new();
    let mut session = run.open(View { step: Some(4), ..View::default() }).unwrap();
    settle(&mut session);
    let attention = |session: &Session| {
        let board = session.boards().into_iter().find(|board| board.panel.name == "attention").unwrap();
        (board.drawing.raster, board.drawing.note)
    };
    session.apply(Command::Board(6));
    settle(&mut session);
    assert!(attention(&session).0.unwrap_err().contains("choose a cell"));
    session.choose_cell(Some((6, 3)));
    let mean = attention(&session);
    session.apply(Command::Head(true));
    session.apply(Command::Head(true));
    assert_eq!(session.view().head, Some(1));
    let (second, note) = attention(&session);
    assert_ne!(mean.0.unwrap(), second.unwrap());
    // The weight on the horizon's token, which covers no cell, read from the model itself.
    let tokens = world().sample_of(&world().observe_with(Split::Validation, 0, 4)).tokens;
    let parameters = load_parameters(&run.checkpoint("jump-1", 10)).unwrap();
    let name = "blocks.1.attn.pattern";
    let pattern =
        predictor(&parameters, Device::Cpu).unwrap().run(&tokens, &Plan::reading(&[name])).unwrap().captured.remove(0);
    let row = pattern.row(0, pattern.width + 1 + world().patch_of(6, 3));
    assert!(note.unwrap().0.starts_with(&format!("{:.2}", row[0])), "head 1 gives {}", row[0]);
    let revision = session.revision();
    session.point_at(Some((1, 1)));
    assert!(session.revision() > revision, "attention follows the pointer");
}

#[test]
fn the_course_of_training_is_shown_and_walked_through_by_keys() {
    let run = Run::new();
    let metrics: String = [(4, 1.5), (10, 0.5)]
        .map(|(step, loss)| {
            format!(
                "{{\"model\":\"jump-1\",\"step\":{step},\"loss\":{loss},\"learning_rate\":0.001,\"tokens\":{step}}}\n"
            )
        })
        .concat();
    std::fs::write(run.path().join("metrics.jsonl"), metrics).unwrap();
    let mut session = run.open(View::default()).unwrap();
    let course = session.course().unwrap();
    assert_eq!((course.losses, course.checkpoints, course.shown), (vec![(4, 1.5), (10, 0.5)], vec![0, 10], 10));
    session.apply(Command::Checkpoint(false));
    let course = session.course().unwrap();
    assert_eq!((course.shown, course.words.as_str()), (0, "untrained"));
    session.apply(Command::Checkpoint(true));
    assert!(session.course().unwrap().words.starts_with("loss 0.5000"));
}

#[test]
fn pinned_checkpoints_stay_beside_others() {
    let (run, other) = (Run::new(), Run::new());
    let mut session = run.open(View { step: Some(4), ..View::default() }).unwrap();
    settle(&mut session);
    let late = session.belief().unwrap().to_vec();
    session.apply(Command::Pin);
    session.apply(Command::Checkpoint(false));
    settle(&mut session);
    let early = session.belief().unwrap().to_vec();
    assert_ne!(early, late);
    assert_eq!(session.pinned(), [("jump-1 after 10", Some(&late[..]))]);
    session.apply(Command::Pin);
    settle(&mut session);
    assert_eq!(session.pinned(), [("jump-1 after 10", Some(&late[..])), ("jump-1 after 0", Some(&early[..]))]);
    let drawn = |session: &Session, name: &str| {
        let board = session.boards().into_iter().find(|board| board.panel.name == name).unwrap();
        (board.drawing.title, board.drawing.raster.unwrap())
    };
    let (first, second) = (drawn(&session, "pinned"), drawn(&session, "pinned-2"));
    assert_eq!((first.0.as_str(), second.0.as_str()), ("Pinned: jump-1 after 10", "Pinned: jump-1 after 0"));
    assert_eq!(second.1, drawn(&session, "prediction").1, "the chosen checkpoint is pinned too");
    assert_ne!(first.1, second.1);
    // They follow to another episode, survive the view's file, and can be taken out.
    session.apply(Command::Episode(true));
    settle(&mut session);
    let there = session.pinned()[0].1.unwrap().to_vec();
    assert_ne!(there, late);
    let mut again = run.open(View::parse(&session.saved_view().to_toml()).unwrap()).unwrap();
    settle(&mut again);
    assert_eq!(again.pinned(), session.pinned());
    session.apply(Command::Pin);
    assert_eq!(session.pinned().len(), 1, "what is shown is pinned no more");
    session.unpin(0);
    assert!(session.pinned().is_empty());
    // Another run, and what is not there.
    let path = other.path().display().to_string();
    let pin = Pin { run: Some(path), model: Some("jump-2".into()), checkpoint: None };
    session.pin(pin.clone()).unwrap();
    settle(&mut session);
    assert!(session.pinned()[0].0.ends_with("jump-2 after 10"));
    let refused = |session: &mut Session, pin: Pin| session.pin(pin).unwrap_err();
    let unknown = refused(&mut session, Pin { model: Some("jump-9".into()), ..pin.clone() });
    assert!(unknown.contains("nearest is `jump-"));
    assert!(refused(&mut session, Pin { run: Some("nowhere".into()), ..Pin::default() }).contains("no run"));
    (0..3).for_each(|_| session.pin(pin.clone()).unwrap());
    assert!(refused(&mut session, pin).contains("4 models are pinned"));
}
