//! A film of the steps in range, taken in a window: a picture a step, and then it is written on a thread of its own.

use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bevy::prelude::*;
use bevy::render::view::screenshot::{Screenshot, ScreenshotCaptured};
use image::RgbImage;

use super::Viewer;
use crate::film::Film;
use crate::session::Session;

/// Frames between a step's being chosen and its picture: its texture comes with the second.
const SETTLE: u32 = 3;

/// The film that is being taken, if one is.
#[derive(Resource, Default)]
pub struct Shooting(Option<Reel>);

struct Reel {
    file: PathBuf,
    /// The step that was shown before.
    back: u32,
    first: u32,
    last: u32,
    frames: u32,
    waiting: bool,
    pictures: Arc<Mutex<Vec<RgbImage>>>,
}

impl Shooting {
    /// Begins; a film that is being taken goes on.
    pub fn begin(&mut self, file: PathBuf, session: &mut Session) {
        if self.0.is_none() {
            let back = session.timeline().step();
            let (first, last) = session.range();
            session.go_to_step(first);
            self.0 = Some(Reel { file, back, first, last, frames: 0, waiting: false, pictures: Arc::default() });
        }
    }

    /// Whether a film is being taken.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }
}

/// Takes the next picture when it is time, and ends with the last step.
pub fn go_on(mut viewer: NonSendMut<Viewer>, mut commands: Commands, mut film: ResMut<Shooting>) {
    let session = &mut viewer.session;
    let Some(reel) = &mut film.0 else { return };
    let taken = reel.pictures.lock().unwrap_or_else(PoisonError::into_inner).len() as u32;
    reel.frames += 1;
    if reel.waiting && taken > session.timeline().step() - reel.first {
        (reel.waiting, reel.frames) = (false, 0);
        if session.timeline().step() >= reel.last {
            let pictures = std::mem::take(&mut *reel.pictures.lock().unwrap_or_else(PoisonError::into_inner));
            let (file, speed) = (reel.file.clone(), session.timeline().speed());
            session.go_to_step(reel.back);
            session.say(format!("the film is being written to {}", file.display()));
            std::thread::spawn(move || write(&file, pictures, speed));
            film.0 = None;
            return;
        }
        session.go_to_step(reel.first + taken);
    }
    if !reel.waiting && reel.frames >= SETTLE {
        reel.waiting = true;
        let pictures = reel.pictures.clone();
        commands.spawn(Screenshot::primary_window()).observe(move |shot: On<ScreenshotCaptured>| {
            let picture = shot.image.clone().try_into_dynamic().map(|image| image.to_rgb8()).unwrap_or_default();
            pictures.lock().unwrap_or_else(PoisonError::into_inner).push(picture);
        });
    }
}

/// Writes aside and renames, so that a film is there whole or not at all.
fn write(file: &Path, pictures: Vec<RgbImage>, speed: f32) -> anyhow::Result<()> {
    let aside = file.with_extension("gif.part");
    let size = pictures.first().map_or((1, 1), RgbImage::dimensions);
    let mut film = Film::begin(BufWriter::new(std::fs::File::create(&aside)?), size, speed)?;
    // A window that changes its size meanwhile ends the film.
    for picture in pictures {
        if film.push(picture).is_err() {
            break;
        }
    }
    drop(film);
    Ok(std::fs::rename(&aside, file)?)
}
