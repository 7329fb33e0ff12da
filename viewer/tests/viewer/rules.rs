//! Rules and patterns without a run: boards of any rule, histories, what a person writes.

use std::path::Path;
use std::time::Duration;

use environments::{Edit, Scene};
use viewer::command::Command;
use viewer::session::Session;
use viewer::source::Source;
use viewer::view::{Tool, View};

fn open(path: &str) -> Session {
    let mut session = Session::open(Source::open(Path::new(path), None).unwrap(), View::default(), "cpu").unwrap();
    session.settle(Duration::from_secs(60)).unwrap();
    session
}

#[test]
fn a_rule_in_place_of_a_file_opens_soups_and_histories() {
    for (rule, panels) in [("B36/S23", 2), ("B2/S345/C4", 2), ("B3/S23:K30*,20", 2), ("W110", 6), ("R2,W1A2B3C4D", 6)] {
        let mut session = open(rule);
        assert_eq!(session.source().name, rule);
        let boards = session.boards();
        assert_eq!(boards.len(), panels, "{rule}");
        let first = session.observed().scene.scene().clone();
        session.apply(Command::Episode(true));
        assert_ne!(*session.observed().scene.scene(), first, "{rule}: every episode is another");
        assert!(boards.iter().any(|board| board.drawing.raster.is_ok()), "{rule}");
    }
    let particles = |rule: &str| {
        let boards = open(rule).boards();
        boards.into_iter().find(|board| board.panel.name == "particles").unwrap().drawing.raster
    };
    assert!(particles("W54").is_ok());
    assert!(particles("W30").unwrap_err().contains("no domain of rule W30 is known"));
    assert!(Source::open(Path::new("B9/S23"), None).is_err());
}

#[test]
fn what_is_put_down_is_written_as_name_code_text_file_or_rule() {
    let mut session = open("B3/S23");
    session.apply(Command::Name);
    assert!(session.takes_name() && !session.takes_name());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("one.rle");
    std::fs::write(&file, "x = 2, y = 2, rule = B3/S23\n2o$2o!\n").unwrap();
    for (text, cells) in [("xq4_153", 5), ("block", 4), ("bob$2bo$3o!", 5), (file.to_str().unwrap(), 4)] {
        session.choose_written(text);
        assert_eq!(session.message(), None, "{text}");
        assert_eq!(session.view().tool, Tool::Drop);
        session.choose_cell(Some((20, 20)));
        assert_eq!(session.ghost().len(), cells, "{text}");
    }
    session.choose_written("xs4_1");
    assert!(session.message().is_some());
    session.choose_written("glyder");
    assert!(session.message().unwrap().contains("glider"));
    session.choose_written("B36/S23");
    session.apply(Command::Use);
    assert_eq!(session.history().edits(), [Edit::Rule { rule: "B36/S23".into() }]);
    let Scene::Board { frames, .. } = session.observed().scene.scene() else { panic!("no board") };
    assert!(frames.len() > 100 && !session.observed().scene.changed(1).is_empty());
}

#[test]
fn a_film_has_a_range_that_keys_set() {
    let mut session = open("B3/S23");
    let last = session.timeline().last();
    assert_eq!(session.range(), (0, last));
    session.go_to_step(5);
    session.apply(Command::Range(true));
    session.go_to_step(9);
    session.apply(Command::Range(false));
    assert_eq!(session.range(), (5, 9));
    assert_eq!(View::parse(&session.saved_view().to_toml()).unwrap().range, Some([5, 9]));
    session.apply(Command::Range(false));
    assert_eq!(session.range(), (0, last), "asked for twice, it is all steps again");
}
