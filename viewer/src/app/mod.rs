//! The window and the pictures: the only place that knows bevy and egui.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use bevy::input::keyboard::{KeyboardFocusLost, KeyboardInput};
use bevy::prelude::*;
use bevy_egui::{EguiContexts, EguiPlugin, EguiPrimaryContextPass, egui};
use experiments::config::nearest;
use models::Device;

use crate::arguments::Arguments;
use crate::command::Command;
use crate::film::Film;
use crate::palette::Theme;
use crate::session::{Session, is_for_window};
use crate::source::Source;
use crate::view::{Pin, View};

mod boards;
mod controls;
mod frames;
mod guard;
mod headless;
mod help;
mod keyboard;
mod marks;
mod shooting;
mod style;
mod tables;
mod textures;
mod timeline;
mod training;
mod units;
mod window;

pub use guard::NO_ADAPTER;
pub use headless::{film, render};

/// Opens what the arguments name, and shows it in a window or draws it into a file.
///
/// # Errors
/// In one sentence.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let session = open(arguments)?;
    if !arguments.headless {
        return window::show(session, arguments.size);
    }
    if let Some(frames) = arguments.time {
        let timing = headless::time(session, arguments.size, arguments.density, frames.clamp(1, 100_000))?;
        return Ok(writeln!(std::io::stdout(), "{timing}")?);
    }
    let cannot = |file: &Path, error: &dyn std::fmt::Display| anyhow!("{} cannot be written: {error}", file.display());
    let (shown, last) = (session.timeline().step(), session.timeline().last());
    let (from, to) = match &arguments.gif {
        Some(_) => {
            let (from, to) = session.range();
            (arguments.from.unwrap_or(from), arguments.to.unwrap_or(to))
        }
        None => (shown, shown),
    };
    if from > to || to > last {
        return Err(anyhow!("--from {from} --to {to}: the steps are 0 to {last}, and the first is not after the last"));
    }
    let pixels = |side: u32| (side as f32 * arguments.density).round() as u32;
    let mut gif = match &arguments.gif {
        Some(file) => {
            let writer = std::fs::File::create(file).map_err(|error| cannot(file, &error))?;
            let size = (pixels(arguments.size.0), pixels(arguments.size.1));
            Some((Film::begin(std::io::BufWriter::new(writer), size, session.timeline().speed())?, file))
        }
        None => None,
    };
    // A screenshot beside a film is of the step that the view shows, or the nearest in the film.
    let (mut step, wanted) = (from, shown.clamp(from, to));
    film(session, arguments.size, arguments.density, from..=to, |picture| {
        if let Some(file) = arguments.screenshot.as_ref().filter(|_| step == wanted) {
            picture.save(file).map_err(|error| cannot(file, &error))?;
        }
        step += 1;
        match &mut gif {
            Some((film, file)) => film.push(picture).map_err(|error| cannot(file, &error)),
            None => Ok(()),
        }
    })
}

/// Opens what the arguments name, with their view or the one that was saved.
///
/// # Errors
/// In one sentence.
pub fn open(arguments: &Arguments) -> anyhow::Result<Session> {
    if !Device::NAMES.contains(&arguments.device.as_str()) {
        let nearest = nearest(&arguments.device, Device::NAMES);
        return Err(anyhow!("--device {}: there is no such device; the nearest is `{nearest}`", arguments.device));
    }
    let source = Source::open(&arguments.path, arguments.scale.as_deref())?;
    let mut view = match (&arguments.view, &source.view_file) {
        (Some(path), _) => View::read(path)?,
        (None, Some(saved)) if saved.is_file() => View::read(saved)?,
        _ => View::default(),
    };
    if let Some((model, step)) = &source.chosen {
        (view.model, view.checkpoint) = (Some(model.clone()), Some(*step));
    }
    view.pins.extend(arguments.pin.iter().map(|run| Pin { run: Some(run.clone()), ..Pin::default() }));
    let mut session = Session::open(source, view, &arguments.device)?;
    if let Some(paste) = &arguments.paste {
        let file = Path::new(paste);
        let text = if paste.contains('!') && !file.is_file() {
            paste.clone()
        } else {
            std::fs::read_to_string(file).map_err(|error| anyhow!("--paste {paste} cannot be read: {error}"))?
        };
        session.paste(&text).map_err(|reason| anyhow!("--paste {paste}: {reason}"))?;
    }
    Ok(session)
}

/// The session and what the window needs beside it.
struct Viewer {
    session: Session,
    textures: textures::Textures,
    held: keyboard::Held,
    /// The theme that the window has.
    theme: Option<Theme>,
    /// What the window is to do after this frame.
    wishes: Vec<Wish>,
    /// Pixels a point, where it is not the window that says so.
    density: Option<f32>,
}

/// Something that only the window can do.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wish {
    Picture(PathBuf),
    Film(PathBuf),
    Quit,
}

/// What a window and a picture have in common.
struct ViewerPlugin;

impl Plugin for ViewerPlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins(EguiPlugin::default()).add_systems(EguiPrimaryContextPass, frame);
    }
}

fn viewer(session: Session) -> Viewer {
    Viewer {
        session,
        textures: Default::default(),
        held: Default::default(),
        theme: None,
        wishes: Vec::new(),
        density: None,
    }
}

/// One frame: time goes by, keys are heard, everything is laid out.
fn frame(
    mut contexts: EguiContexts,
    mut viewer: NonSendMut<Viewer>,
    mut images: ResMut<Assets<Image>>,
    time: Res<Time>,
    mut keys: MessageReader<KeyboardInput>,
    mut lost: MessageReader<KeyboardFocusLost>,
) -> Result {
    let viewer = viewer.as_mut();
    viewer.session.tick(time.delta_secs());
    let context = contexts.ctx_mut()?.clone();
    if let Some(density) = viewer.density {
        context.set_zoom_factor(density);
    }
    let commands = viewer.held.commands(keys.read(), &mut lost);
    // While a field of text is being written in, keys are its own.
    if !context.egui_wants_keyboard_input() {
        obey(commands, viewer);
    }
    let theme = viewer.session.view().theme;
    if viewer.theme.replace(theme) != Some(theme) {
        style::apply(&context, &viewer.session);
    }
    viewer.textures.update(&mut viewer.session, &mut contexts, &mut images);
    let mut root = egui::Ui::new(
        context.clone(),
        "root".into(),
        egui::UiBuilder::new().layer_id(egui::LayerId::background()).max_rect(context.viewport_rect()),
    );
    controls::top(&mut root, &mut viewer.session);
    timeline::show(&mut root, &mut viewer.session);
    controls::side(&mut root, &mut viewer.session);
    boards::show(&mut root, &mut viewer.session, &viewer.textures);
    if viewer.session.view().help {
        help::show(&context, &viewer.session);
    }
    Ok(())
}

/// Carries out what keys say.
fn obey(commands: Vec<Command>, viewer: &mut Viewer) {
    for command in commands {
        viewer.session.apply(command);
        if is_for_window(command) {
            wish(command, viewer);
        }
    }
}

/// Does what a command asks of the window.
fn wish(command: Command, viewer: &mut Viewer) {
    let session = &mut viewer.session;
    match command {
        Command::Save => match session.source().view_file.clone() {
            Some(file) => match std::fs::write(&file, session.saved_view().to_toml()) {
                Ok(()) => session.say(format!("the view is saved in {}", file.display())),
                Err(error) => session.say(format!("{} cannot be written: {error}", file.display())),
            },
            None => session.say("only a run keeps its view"),
        },
        Command::Intervention => match session.intervention() {
            Ok(view) => {
                let file = PathBuf::from(format!("{}.intervention.toml", stem(session)));
                match std::fs::write(&file, view.to_toml()) {
                    Ok(()) => session.say(format!("the edits are saved in {}", file.display())),
                    Err(error) => session.say(format!("{} cannot be written: {error}", file.display())),
                }
            }
            Err(reason) => session.say(reason),
        },
        Command::Picture => {
            let file = PathBuf::from(format!("{}-k{}.png", stem(session), session.timeline().step()));
            session.say(format!("the picture is saved in {}", file.display()));
            viewer.wishes.push(Wish::Picture(file));
        }
        Command::Film => {
            let file = PathBuf::from(format!("{}.gif", stem(session)));
            session.say(format!("the steps in range are being saved in {}", file.display()));
            viewer.wishes.push(Wish::Film(file));
        }
        Command::Quit => viewer.wishes.push(Wish::Quit),
        _ => {}
    }
}

/// The beginning of the name of a file about what is shown.
fn stem(session: &Session) -> String {
    let view = session.view();
    format!("{}-{}-{}", session.source().name.replace('.', "-"), view.split.name(), view.index)
}
