#![allow(clippy::unwrap_used)]
use super::*;
use crate::palette::{CIVIDIS, Rgb, Theme};
use crate::scene::find_panel;
use crate::view::Overlays;

struct Plain;

impl Meaning for Plain {
    fn objects(&self, _cells: &[u8]) -> Vec<Outline> {
        vec![Outline { name: "later".into(), cells: vec![(2, 0)], heading: None, doom: None }]
    }

    fn position_of(&self, (column, _): (u32, u32)) -> usize {
        column as usize
    }

    fn patch(&self) -> u32 {
        1
    }
}

fn scene() -> BoardScene {
    // At t: live, live, dead, dead. At t + 1: live, dead, live, dead.
    let frames = vec![vec![1, 1, 0, 0], vec![1, 0, 1, 0]];
    let objects = vec![Outline { name: "dot".into(), cells: vec![(1, 0)], heading: None, doom: Some(1) }];
    let scene = Scene::Board { width: 4, height: 1, states: 2, frames, objects };
    let frames = vec![vec![1, 1, 0, 1], vec![1, 0, 0, 0]];
    let original = Scene::Board { width: 4, height: 1, states: 2, frames, objects: Vec::new() };
    BoardScene::new(scene, Some(original), "test", Box::new(Plain))
}

fn drawn(name: &str, step: u32, belief: Result<&[f32], &str>) -> Drawing {
    let palette = Palette::of(Theme::Dark);
    let activation = [0.0, 1.0, 2.0, 9.0];
    let seen = Seen {
        belief,
        activation: Ok((&activation, 2.0)),
        attention: Ok((&[0.5, 0.0, 0.25, 0.0, 0.25], 0.5, "tap")),
        lens: Err("no lens"),
        ..Seen::of_nothing(step, &palette, Overlays::default())
    };
    scene().draw(find_panel(PANELS, name).unwrap(), &seen)
}

fn colours(drawing: &Drawing) -> Vec<Rgb> {
    let raster = drawing.raster.as_ref().unwrap();
    (0..raster.width).map(|column| raster.get(column, 0).unwrap()).collect()
}

#[test]
fn boards_show_what_they_say() {
    let palette = Palette::of(Theme::Dark);
    let Palette { live, dead, quiet, warm, cold, .. } = palette;
    let chances = [1.0, 1.0, 0.0, 0.0];
    let of = |panel| colours(&drawn(panel, 1, Ok(&chances)));
    assert_eq!(of("start"), [live, live, dead, dead]);
    assert_eq!(of("truth"), [live, dead, live, dead]);
    assert_eq!(of("prediction"), [live, live, dead, dead]);
    assert_eq!(of("error"), [quiet, warm, cold, dead], "a false positive, then a false negative");
    assert_eq!(of("change"), [quiet, quiet, dead, dead], "this prediction is persistence");
    let chances = [0.0, 1.0, 1.0, 0.25];
    let change = colours(&drawn("change", 1, Ok(&chances)));
    assert_eq!(change[..3], [cold, quiet, warm]);
    assert_eq!(change[3], mix(dead, warm, 0.25));
    let heat = of("activation");
    let attention = drawn("attention", 1, Err(""));
    assert_eq!(colours(&attention)[..2], [mix(CIVIDIS[9], live, 0.55), mix(CIVIDIS[0], live, 0.55)]);
    assert!(attention.note.unwrap().0.starts_with("0.25"), "one position covers no cell");
    assert_eq!(drawn("lens", 1, Err("")).raster.unwrap_err(), "no lens");
    assert_eq!(heat[2..], [CIVIDIS[9], CIVIDIS[9]], "what is beyond the scale has the colour of its end");
}

#[test]
fn objects_and_edits_are_those_of_the_step() {
    let names = |name, step| drawn(name, step, Err("")).outlines.iter().map(|o| o.name.clone()).collect::<Vec<_>>();
    assert_eq!(
        (names("start", 1), names("truth", 0), names("truth", 1)),
        (vec!["dot".to_string()], vec!["dot".to_string()], vec!["later".to_string()])
    );
    assert_eq!(drawn("start", 1, Err("")).changed, [(3, 0)]);
    assert_eq!(drawn("truth", 1, Err("")).changed, [(2, 0)]);
    assert_eq!(drawn("truth", 9, Err("")).raster, drawn("truth", 1, Err("")).raster, "beyond the last is the last");
}

#[test]
fn an_empty_board_says_why() {
    assert_eq!(drawn("error", 1, Err("no model")).raster.unwrap_err(), "no model");
    assert!(drawn("truth", 1, Err("no model")).raster.is_ok());
    assert!(find_panel(PANELS, "trut").unwrap_err().contains("nearest is `truth`"));
}

#[test]
fn wrong_cells_are_counted() {
    let count = Count::of(&[1, 1, 0, 0], &[1, 0, 1, 0], &[0.9, 0.8, 0.1, 0.5]);
    assert_eq!(count, Count { false_positives: 2, false_negatives: 1, persistence: 2 });
    assert_eq!(count.score(), Score { model: 3.0, reference: 2.0 });
}
