//! Pictures drawn without a window, on whatever adapter there is; Mesa's software Vulkan will do.

use environments::Scene;
use image::{Rgb, RgbImage};
use viewer::app::{NO_ADAPTER, film, render};
use viewer::palette::{Palette, Theme};
use viewer::session::Session;
use viewer::view::{Overlays, View};

use crate::made_up::Run;

/// A picture, or nothing where nothing can draw. Where CI is set, something must be able to.
#[allow(clippy::print_stderr)]
pub fn picture(session: Session, size: (u32, u32), density: f32) -> Option<RgbImage> {
    match render(session, size, density) {
        Ok(picture) => Some(picture),
        Err(error) if error.to_string() == NO_ADAPTER && std::env::var_os("CI").is_none() => {
            eprintln!("SKIPPED: {NO_ADAPTER}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

pub fn bare() -> Overlays {
    Overlays { objects: false, names: false, headings: false, dooms: false, grid: false, changed: false }
}

/// The smallest rectangle of pixels that have one of some colours: left, top, width, height.
pub fn bounds(picture: &RgbImage, colours: &[[u8; 3]]) -> (u32, u32, u32, u32) {
    let matching = picture.enumerate_pixels().filter(|(_, _, pixel)| colours.contains(&pixel.0));
    let (mut left, mut top, mut right, mut bottom) = (u32::MAX, u32::MAX, 0, 0);
    for (x, y, _) in matching {
        (left, top, right, bottom) = (left.min(x), top.min(y), right.max(x), bottom.max(y));
    }
    assert!(left < right && top < bottom, "no such colours in the picture");
    (left, top, right + 1 - left, bottom + 1 - top)
}

fn near(a: Rgb<u8>, b: [u8; 3]) -> bool {
    a.0.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 3)
}

// One test for all pictures: bevy fills the process's task pools once, and one adapter serves one drawing at a time.
#[test]
fn pictures_and_windows_show_the_boards() {
    let run = Run::new();
    let palette = Palette::of(Theme::Dark);
    // The truth alone: each cell's middle has the colour of its state.
    let view = View { index: 1, step: Some(4), boards: vec!["truth".into()], overlays: bare(), ..View::default() };
    let session = run.open(view.clone()).unwrap();
    let Scene::Board { frames, .. } = session.observed().scene.scene() else { panic!("no board") };
    let cells = frames[4].clone();
    assert!(cells.contains(&1));
    let Some(picture) = picture(session, (900, 700), 1.0) else { return };
    assert_eq!(picture.dimensions(), (900, 700));
    let (left, top, width, height) = bounds(&picture, &[palette.dead]);
    assert!(width.abs_diff(height) <= 2 && width > 400, "a square board of {width}×{height} pixels");
    let side = f64::from(width) / 16.0;
    for (cell, &state) in cells.iter().enumerate() {
        let x = left + ((cell % 16) as f64 * side + side / 2.0) as u32;
        let y = top + ((cell / 16) as f64 * side + side / 2.0) as u32;
        let (shown, expected) = (*picture.get_pixel(x, y), palette.state(state, 2));
        assert!(near(shown, expected), "cell {cell}: {shown:?} for state {state}");
    }

    // Everything, twice as dense: the colours of errors, objects and text are there.
    let full = View { index: 1, step: Some(4), theme: Theme::Light, cell: Some([3, 3]), ..View::default() };
    let picture = self::picture(run.open(full).unwrap(), (1280, 800), 2.0).unwrap();
    assert_eq!(picture.dimensions(), (2560, 1600));
    let light = Palette::of(Theme::Light);
    for (what, colour) in
        [("panel", light.panel), ("ground", light.ground), ("live", light.live), ("cursor", light.cursor)]
    {
        let count = picture.pixels().filter(|pixel| near(**pixel, colour)).count();
        assert!(count > 200, "{what}: {count} pixels");
    }

    // A film has a picture for each step, and only what its steps show.
    let mut pictures = Vec::new();
    let take = |picture| {
        pictures.push(picture);
        Ok(())
    };
    film(run.open(view.clone()).unwrap(), (400, 300), 1.0, 0..=3, take).unwrap();
    assert_eq!(pictures.len(), 4);
    for (step, picture) in pictures.iter().enumerate() {
        let view = View { step: Some(step as u32), ..view.clone() };
        let alone = render(run.open(view).unwrap(), (400, 300), 1.0).unwrap();
        let differing = picture.pixels().zip(alone.pixels()).filter(|(a, b)| !near(**a, b.0)).count();
        assert!(differing < 20, "step {step}: {differing} pixels are otherwise than in a picture of it alone");
    }

    // A model that cannot be asked is a failure and not a picture.
    let session = run.open(view).unwrap();
    std::fs::remove_file(run.checkpoint("jump-1", 10)).unwrap();
    let outcome = render(session, (400, 300), 1.0);
    // The model may have been read before the file was gone.
    if let Err(error) = outcome {
        assert!(error.to_string().contains("step-00000010.safetensors"), "{error}");
    }

    crate::window::a_window_does_what_keys_and_pointer_say();
}
