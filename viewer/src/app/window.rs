//! The session in a window.

use std::time::Duration;

use anyhow::anyhow;
use bevy::app::AppExit;
use bevy::log::{Level, LogPlugin};
use bevy::prelude::*;
use bevy::render::RenderPlugin;
use bevy::render::settings::{Backends, WgpuSettings};
use bevy::render::view::screenshot::{Screenshot, save_to_disk};
use bevy::window::{PresentMode, WindowResolution};
use bevy::winit::{UpdateMode, WinitSettings};
use bevy_egui::{EguiInput, EguiPreUpdateSet, egui};

use super::guard::guarded;
use super::shooting::{self, Shooting};
use super::{Viewer, ViewerPlugin, Wish, viewer};
use crate::session::Session;

/// Opens a window and returns when it is closed.
///
/// # Errors
/// If there is no display or nothing that can draw.
pub fn show(session: Session, (width, height): (u32, u32)) -> anyhow::Result<()> {
    if cfg!(target_os = "linux") && std::env::var_os("DISPLAY").is_none_or(|display| display.is_empty()) {
        return Err(anyhow!(
            "no display was found to open a window on (DISPLAY is not set); --headless --screenshot FILE.png draws \
             without one"
        ));
    }
    let window = Window {
        title: format!("Stance · {}", session.source().name),
        resolution: WindowResolution::new(width, height),
        present_mode: PresentMode::AutoVsync,
        ..default()
    };
    let exit = guarded(move || {
        let plugins = DefaultPlugins
            .set(WindowPlugin { primary_window: Some(window), ..default() })
            .set(RenderPlugin { render_creation: settings().into(), ..default() })
            .set(log());
        App::new()
            .add_plugins(plugins)
            .add_plugins(ViewerPlugin)
            .insert_resource(WinitSettings::desktop_app())
            .insert_non_send(viewer(session))
            .add_systems(Startup, |mut commands: Commands| {
                // egui smooths its own edges.
                commands.spawn((Camera2d, Msaa::Off));
            })
            .add_systems(PreUpdate, hush.after(EguiPreUpdateSet::ProcessInput).before(EguiPreUpdateSet::BeginPass))
            .init_resource::<Shooting>()
            .add_systems(Last, (grant, shooting::go_on, keep_awake).chain())
            .run()
    })?;
    match exit {
        AppExit::Success => Ok(()),
        AppExit::Error(code) => Err(anyhow!("the window was closed with code {code}")),
    }
}

/// Logging that leaves standard error to what a person must know.
fn log() -> LogPlugin {
    LogPlugin { level: Level::ERROR, ..default() }
}

/// Native graphics; WGPU_BACKEND chooses others.
pub fn settings() -> WgpuSettings {
    WgpuSettings { backends: Some(Backends::from_env().unwrap_or(Backends::PRIMARY)), ..default() }
}

/// Does what the session asked of the window.
fn grant(
    mut viewer: NonSendMut<Viewer>,
    mut commands: Commands,
    mut film: ResMut<Shooting>,
    mut exit: MessageWriter<AppExit>,
) {
    for wish in std::mem::take(&mut viewer.wishes) {
        match wish {
            Wish::Film(file) => film.begin(file, &mut viewer.session),
            Wish::Picture(file) => {
                commands.spawn(Screenshot::primary_window()).observe(save_to_disk(file));
            }
            Wish::Quit => {
                exit.write(AppExit::Success);
            }
        }
    }
}

/// Frames are drawn when something happens; while time goes by or a model is at work, something does.
fn keep_awake(
    viewer: NonSend<Viewer>,
    film: Res<Shooting>,
    mut settings: ResMut<WinitSettings>,
    mut was_lively: Local<bool>,
) {
    let lively = viewer.session.timeline().playing() || viewer.session.is_busy() || film.is_on();
    if lively != *was_lively {
        *was_lively = lively;
        let mode = UpdateMode::reactive(Duration::from_secs_f64(1.0 / 60.0));
        *settings = if lively {
            WinitSettings { focused_mode: mode, unfocused_mode: mode }
        } else {
            WinitSettings::desktop_app()
        };
    }
}

/// Takes the news that modifiers are as they were out of egui's input. bevy_egui 0.42 brings it every frame, and egui
/// asks for another frame on any news, so that a window at rest would be drawn for ever.
fn hush(mut inputs: Query<&mut EguiInput>, mut last: Local<Option<egui::Modifiers>>) {
    for mut input in &mut inputs {
        input.events.retain(|event| match event {
            egui::Event::ModifiersChanged(modifiers) => last.replace(*modifiers) != Some(*modifiers),
            _ => true,
        });
    }
}
