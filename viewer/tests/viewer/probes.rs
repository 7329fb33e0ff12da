//! What is found out about a model by reading many episodes: probes, their use as interventions, the most active
//! episodes.

use environments::{Environment, Split};
use experiments::intervention::{Deed, alive};
use models::{Action, Device, Intervention, Plan, Predictor, load_parameters, predictor};
use viewer::command::Command;
use viewer::session::Session;
use viewer::study::Concept;
use viewer::view::{Method, View};

use crate::made_up::{Run, world};
use crate::patches::{same_by_the_command, settle, with_glider};

const TAP: &str = "blocks.0.resid_post";

fn mind(run: &Run) -> Box<dyn Predictor> {
    predictor(&load_parameters(&run.checkpoint("jump-1", 10)).unwrap(), Device::Cpu).unwrap()
}

fn concept(text: &str) -> Concept {
    Concept::parse(text).unwrap()
}

fn raster(session: &Session, name: &str) -> viewer::scene::Raster {
    session.boards().into_iter().find(|board| board.panel.name == name).unwrap().drawing.raster.unwrap()
}

#[test]
fn a_probe_is_fitted_and_laid_over_the_board() {
    let run = Run::new();
    let view = View { step: Some(4), tap: Some(TAP.into()), probe: Some("changed=changed".into()), ..View::default() };
    let mut session = run.open(view).unwrap();
    assert!(session.busy_with().is_some());
    settle(&mut session);
    let reader = session.reader().unwrap().unwrap().clone();
    assert!(reader.accuracy.unwrap() > 0.5, "what changes can be guessed from what is there");
    // The direction by its definition: the first rows of either class, three thousand at most.
    let mind = mind(&run);
    let (mut sums, mut counts) = ([[0.0f64; 8]; 2], [0usize; 2]);
    for index in 0..384 {
        let episode = world().episode(Split::Train, index);
        let captured = mind.run(&episode.sample.tokens, &Plan::reading(&[TAP])).unwrap().captured.remove(0);
        for (position, value) in episode.labels.get("changed").unwrap().values.iter().enumerate() {
            let Some(class) = value.map(|value| value as usize).filter(|&class| counts[class] < 3000) else { continue };
            counts[class] += 1;
            for (sum, value) in sums[class].iter_mut().zip(captured.row(0, position)) {
                *sum += f64::from(*value);
            }
        }
    }
    assert_eq!(reader.rows, counts[0] + counts[1]);
    for (place, (yes, no)) in sums[1].iter().zip(&sums[0]).enumerate() {
        let expected = yes / counts[1] as f64 - no / counts[0] as f64;
        assert!((f64::from(reader.direction[place]) - expected).abs() < 1e-5);
    }
    // The board shows what the probe says of each token, with live cells shining through.
    let tokens = session.observed().asks.about(4).unwrap().1.to_vec();
    let captured = mind.run(&tokens, &Plan::reading(&[TAP])).unwrap().captured.remove(0);
    let said = reader.score(&captured);
    assert!(said.iter().all(|chance| (0.0..=1.0).contains(chance)));
    let (shown, palette) = (raster(&session, "activation"), session.palette());
    let start = raster(&session, "start");
    for (column, row) in [(0, 0), (7, 3), (14, 15)] {
        if start.get(column, row) == Some(palette.dead) {
            let expected = viewer::palette::Palette::magnitude(said[1 + world().patch_of(column, row)]);
            assert_eq!(shown.get(column, row), Some(expected));
        }
        let facts = session.describe((column, row));
        let value = format!("{:.3}", said[1 + world().patch_of(column, row)]);
        assert!(facts.contains(&("probe changed=changed".into(), value)), "{facts:?}");
    }
    assert_eq!(session.scale(), Some(1.0));
    // Neurons take its place again, and what was fitted is remembered.
    session.apply(Command::Neuron(true));
    assert!(session.concept().is_none() && session.reader().is_none());
    session.choose_probe(Some(&concept("changed=changed")));
    assert!(session.reader().unwrap().is_ok());
    session.apply(Command::Concept(true));
    assert_eq!(session.concept(), Some(concept("glider=glider")));
    settle(&mut session);
    let message = run.open(View { probe: Some("glyder=glider".into()), ..View::default() }).err().unwrap().to_string();
    assert!(message.contains("nearest is `glider=glider`"), "{message}");
}

#[test]
fn concepts_are_added_at_a_dose_and_erased() {
    let run = Run::new();
    let (mut session, cell) = with_glider(&run, Method::Concept);
    session.touch(cell);
    assert!(session.message().unwrap().contains("choose a concept"));
    session.choose_tap(TAP);
    session.choose_probe(Some(&concept("changed=changed")));
    settle(&mut session);
    session.set_dose(3.0);
    session.touch(cell);
    settle(&mut session);
    let tokens = session.observed().asks.about(4).unwrap().1.to_vec();
    let mind = mind(&run);
    let by_hand = |rows: Vec<usize>, action: Action| {
        let one = Intervention { tap: TAP.into(), sequence: None, rows, action };
        let logits = mind.run(&tokens, &Plan { capture: Vec::new(), interventions: vec![one] }).unwrap().logits;
        alive(&world(), &logits)
    };
    let reader = session.reader().unwrap().unwrap().clone();
    let rows = session.patches()[0].to.clone();
    let action = Action::Add { direction: reader.direction.clone(), dose: 3.0 };
    assert_eq!(session.patched().unwrap(), by_hand(rows, action));
    assert_ne!(session.patched(), session.belief());
    same_by_the_command(&session, &run.path());
    // Erased everywhere: what is written is the mean of what the probe could read, and no probe reads it any more.
    session.apply(Command::Unpatch(true));
    session.choose_method(Method::Erase);
    session.touch(cell);
    settle(&mut session);
    let [patch] = session.patches() else { panic!("{:?}", session.patches()) };
    let Deed::Erase { mean, read, write, .. } = &patch.deed else { panic!("{patch:?}") };
    assert_eq!((patch.to.len(), read.len()), (65, 8), "every position, one dimension");
    let captured = mind.run(&tokens, &Plan::reading(&[TAP])).unwrap().captured.remove(0);
    let mut values = captured.values.clone();
    for row in values.chunks_exact_mut(8) {
        let along: f64 = (0..8).map(|at| f64::from(read[at]) * (f64::from(row[at]) - f64::from(mean[at]))).sum();
        (0..8).for_each(|at| row[at] = (f64::from(row[at]) - along * f64::from(write[at])) as f32);
        let left: f64 = (0..8).map(|at| f64::from(read[at]) * (f64::from(row[at]) - f64::from(mean[at]))).sum();
        assert!(left.abs() < 1e-4, "{left}");
    }
    assert_eq!(session.patched().unwrap(), by_hand((0..65).collect(), Action::Replace { values }));
    same_by_the_command(&session, &run.path());
    assert!(session.effect().contains_key("cells the prediction changes"));
}

#[test]
fn a_class_of_objects_has_the_board_with_the_object_for_its_counterfactual() {
    let run = Run::new();
    let mut session = run.open(View { step: Some(4), tap: Some(TAP.into()), ..View::default() }).unwrap();
    let block = session.concepts().iter().find(|concept| concept.class == "block").unwrap().clone();
    session.choose_probe(Some(&block));
    settle(&mut session);
    if session.reader().unwrap().is_err() {
        return;
    }
    let empty = session.observed().scene.outlines(0).iter().flat_map(|object| object.cells.clone()).collect::<Vec<_>>();
    let far = |cell: (u32, u32)| empty.iter().all(|other| other.0.abs_diff(cell.0) > 3 || other.1.abs_diff(cell.1) > 3);
    let cell = (2..13).flat_map(|row| (2..13).map(move |column| (column, row))).find(|&cell| far(cell)).unwrap();
    session.choose_tool(viewer::view::Tool::Patch);
    session.choose_method(Method::Concept);
    session.touch(cell);
    settle(&mut session);
    let against = session.against().unwrap();
    let there = against.scene.outlines(0).iter().find(|object| object.cells.contains(&cell));
    assert_eq!(there.map(|object| object.name.as_str()), Some("block"), "{:?}", against.edits);
    same_by_the_command(&session, &run.path());
}

#[test]
fn the_most_active_episodes_are_those_with_the_greatest_values() {
    let run = Run::new();
    let view = View { split: Split::Test, tap: Some(TAP.into()), neuron: Some(3), ..View::default() };
    let mut session = run.open(view).unwrap();
    settle(&mut session);
    assert!(session.hits().is_none());
    session.apply(Command::Hit(true));
    assert!(session.message().unwrap().contains("Shift O"));
    session.apply(Command::Top);
    assert_eq!(session.busy_with(), Some("searching episodes"));
    settle(&mut session);
    let hits = session.hits().unwrap().as_ref().unwrap().clone();
    let mind = mind(&run);
    let mut all: Vec<(f32, u64, usize)> = Vec::new();
    for index in 0..512 {
        let tokens = world().sample(Split::Test, index).tokens;
        let captured = mind.run(&tokens, &Plan::reading(&[TAP])).unwrap().captured.remove(0);
        let best = (1..65)
            .map(|row| (captured.row(0, row)[3], row))
            .fold((f32::MIN, 0), |best, one| if one.0 > best.0 { one } else { best });
        all.push((best.0, index, best.1));
    }
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let found: Vec<_> = hits.iter().map(|hit| (hit.value, hit.index, hit.position)).collect();
    assert_eq!(found, all[..8]);
    session.apply(Command::Hit(true));
    assert_eq!((session.view().split, session.view().index), (Split::Test, hits[0].index));
    let [column, row] = session.view().cell.unwrap();
    assert_eq!(1 + world().patch_of(column, row), hits[0].position);
    let palette = session.palette();
    let start = world().start(Split::Test, hits[0].index).board;
    for (place, cell) in start.cells().into_iter().enumerate() {
        let shade = hits[0].pictures[0].get(place as u32 % 16, place as u32 / 16);
        assert_eq!(shade, Some(palette.state(cell, 2)));
    }
    session.apply(Command::Hit(true));
    assert_eq!(session.view().index, hits[1].index);
    // Another unit has others.
    session.apply(Command::Neuron(true));
    assert!(session.hits().is_none());
}

#[test]
fn units_of_a_dictionary_are_shown_searched_and_added() {
    let run = Run::new();
    let (mut session, cell) = with_glider(&run, Method::Concept);
    session.choose_tap(TAP);
    session.apply(Command::Unit(true));
    assert_eq!(session.busy_with(), Some("fitting a dictionary"));
    settle(&mut session);
    let codebook = session.codebook().unwrap().0.unwrap().clone();
    assert!(codebook.explained > 0.5 && codebook.explained <= 1.0, "{}", codebook.explained);
    let tokens = session.observed().asks.about(4).unwrap().1.to_vec();
    let captured = mind(&run).run(&tokens, &Plan::reading(&[TAP])).unwrap().captured.remove(0);
    let said = codebook.activity(0, &captured);
    assert!(said.iter().any(|&value| value > 0.0), "the unit that is active most often");
    let facts = session.describe(cell);
    let value = format!("{:.3}", said[1 + world().patch_of(cell.0, cell.1)]);
    assert!(facts.contains(&("activation".into(), value)), "{facts:?}");
    session.set_dose(2.0);
    session.touch(cell);
    settle(&mut session);
    let direction = codebook.direction(0);
    assert!((direction.iter().map(|value| value * value).sum::<f32>() - 1.0).abs() < 1e-4);
    let Deed::Concept { direction: added, what, .. } = &session.patches()[0].deed else { panic!("no direction") };
    assert_eq!((added, what.as_str()), (&direction, "dictionary unit 0"));
    same_by_the_command(&session, &run.path());
    session.apply(Command::Unit(true));
    session.apply(Command::Top);
    settle(&mut session);
    let values: Vec<f32> = session.hits().unwrap().as_ref().unwrap().iter().map(|hit| hit.value).collect();
    assert!(values.windows(2).all(|pair| pair[0] >= pair[1]) && values[0] > 0.0, "{values:?}");
    session.apply(Command::Norm);
    assert!(session.codebook().is_none());
}

#[test]
fn probes_read_the_entries_of_a_table() {
    let world = environments::turing::TuringWorld::new(Default::default()).unwrap();
    let folder = crate::lines::run("rule-table", "", &world);
    let boards = vec!["table".to_string(), "probe".into()];
    let source = viewer::source::Source::open(folder.path(), None).unwrap();
    let view = View { boards, step: Some(40), tap: Some("blocks.1.resid_post".into()), ..View::default() };
    let mut session = Session::open(source, view, "cpu").unwrap();
    let drawn =
        |session: &Session| session.boards().into_iter().find(|board| board.panel.name == "probe").unwrap().drawing;
    assert!(drawn(&session).raster.unwrap_err().contains("fitting"));
    settle(&mut session);
    let drawing = drawn(&session);
    let (states, symbols) = (world.config().states, world.config().symbols);
    let raster = drawing.raster.as_ref().unwrap();
    assert_eq!((raster.width as usize, raster.height as usize), (2 * states * symbols, states * symbols));
    let table = session.boards().into_iter().find(|board| board.panel.name == "table").unwrap().drawing;
    assert_eq!((drawing.framed, &drawing.columns), (table.framed, &table.columns), "entries lie in the same places");
    assert!(drawing.note.unwrap().0.contains("balanced accuracy"));
    let before = raster.clone();
    session.apply(Command::Step(1));
    settle(&mut session);
    assert_ne!(drawn(&session).raster.unwrap(), before, "what is read fills in with the steps");
}
