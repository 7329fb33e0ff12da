//! The session as pictures, without a window.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::anyhow;
use bevy::app::PluginsState;
use bevy::camera::{ImageRenderTarget, RenderTarget};
use bevy::log::LogPlugin;
use bevy::prelude::*;
use bevy::render::RenderPlugin;
use bevy::render::pipelined_rendering::PipelinedRenderingPlugin;
use bevy::render::render_resource::{Extent3d, PollType, TextureDimension, TextureFormat, TextureUsages};
use bevy::render::renderer::initialize_renderer;
use bevy::render::settings::{RenderCreation, RenderResources};
use bevy::render::view::screenshot::{Screenshot, ScreenshotCaptured};
use bevy::tasks::block_on;
use bevy::window::ExitCondition;
use bevy::winit::WinitPlugin;
use image::RgbImage;

use super::guard::guarded;
use super::{Viewer, ViewerPlugin, viewer, window};
use crate::session::Session;

/// How long a model may take for one answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// Frames before the first picture is taken: textures arrive with the second, and layouts settle with the third.
const WARM_UP: usize = 6;

/// Frames before a further picture is taken.
const SETTLE: usize = 2;

/// Frames after which a picture that has not come is given up.
const GIVE_UP: usize = 200;

/// Draws a session at a size in points, with `density` pixels a point, after its model has answered.
///
/// # Errors
/// If nothing can draw here, or the model fails; in one sentence.
pub fn render(session: Session, size: (u32, u32), density: f32) -> anyhow::Result<RgbImage> {
    let mut picture = None;
    let step = session.timeline().step();
    film(session, size, density, step..=step, |drawn| {
        picture = Some(drawn);
        Ok(())
    })?;
    picture.ok_or_else(|| anyhow!("no picture was drawn"))
}

/// The same for each of some steps, in order.
///
/// # Errors
/// Those of [`render`], and those of `take`.
pub fn film(
    mut session: Session,
    (width, height): (u32, u32),
    density: f32,
    steps: std::ops::RangeInclusive<u32>,
    take: impl FnMut(RgbImage) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    session.settle(PATIENCE).map_err(|reason| anyhow!(reason))?;
    let resources = guarded(|| {
        let settings = window::settings();
        block_on(initialize_renderer(settings.backends.unwrap_or_default(), None, &settings))
    })?;
    let pixels = [width, height].map(|side| (side as f32 * density).round() as u32);
    guarded(move || draw(session, resources, pixels, density, steps, take))?
}

/// How long frames took.
pub struct Timing {
    adapter: String,
    pixels: [u32; 2],
    cells: (u32, u32),
    boards: usize,
    /// Milliseconds, rising.
    frames: Vec<f64>,
    /// The part of them before the adapter was waited for, in the mean.
    own: f64,
}

impl std::fmt::Display for Timing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = |share: f64| self.frames[((self.frames.len() - 1) as f64 * share) as usize];
        let mean = self.frames.iter().sum::<f64>() / self.frames.len() as f64;
        let ([width, height], (columns, rows)) = (self.pixels, self.cells);
        write!(
            f,
            "{} frames of {width}x{height} pixels, {} boards of {columns}x{rows} cells, a step each, on {}: mean {mean:.1} \
             ms ({:.1} before the adapter is waited for), median {:.1} ms, 95% below {:.1} ms, {:.0} frames a second",
            self.frames.len(),
            self.boards,
            self.adapter,
            self.own,
            at(0.5),
            at(0.95),
            1000.0 / mean
        )
    }
}

/// Draws frames, each of another step, and waits for each until the adapter has drawn it.
///
/// # Errors
/// Those of [`render`].
pub fn time(mut session: Session, size: (u32, u32), density: f32, frames: u32) -> anyhow::Result<Timing> {
    session.settle(PATIENCE).map_err(|reason| anyhow!(reason))?;
    let resources = guarded(|| {
        let settings = window::settings();
        block_on(initialize_renderer(settings.backends.unwrap_or_default(), None, &settings))
    })?;
    let (cells, boards, last) = (session.size(), session.shown().len(), session.timeline().last());
    let adapter = format!("{} ({:?})", resources.2.name, resources.2.backend);
    let pixels = [size.0, size.1].map(|side| (side as f32 * density).round() as u32);
    let device = resources.0.clone();
    let times = guarded(move || {
        let (mut app, _target) = stage(session, resources, pixels, density);
        (0..WARM_UP).for_each(|_| app.update());
        let (mut times, mut own) = (Vec::with_capacity(frames as usize), 0.0);
        for frame in 0..frames {
            let start = std::time::Instant::now();
            if let Some(mut viewer) = app.world_mut().get_non_send_mut::<Viewer>() {
                viewer.session.go_to_step((frame + 1) % (last + 1));
            }
            app.update();
            own += start.elapsed().as_secs_f64() * 1e3 / f64::from(frames);
            let _ = device.poll(PollType::wait_indefinitely());
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        (times, own)
    })?;
    let (frames, own) = times;
    Ok(Timing { adapter, pixels, cells, boards, frames, own })
}

fn draw(
    session: Session,
    resources: RenderResources,
    pixels: [u32; 2],
    density: f32,
    steps: std::ops::RangeInclusive<u32>,
    mut take: impl FnMut(RgbImage) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (mut app, target) = stage(session, resources, pixels, density);
    for (place, step) in steps.enumerate() {
        // At a step that is shown already nothing is to be done, so that a view's own choice stays.
        if let Some(mut viewer) = app.world_mut().get_non_send_mut::<Viewer>()
            && viewer.session.timeline().step() != step
        {
            viewer.session.go_to_step(step);
        }
        for _ in 0..if place == 0 { WARM_UP } else { SETTLE } {
            app.update();
        }
        take(picture(&mut app, &target)?)?;
    }
    Ok(())
}

/// The app, with the image that it draws onto.
fn stage(session: Session, resources: RenderResources, pixels: [u32; 2], density: f32) -> (App, Handle<Image>) {
    let mut app = App::new();
    app.add_plugins(
        DefaultPlugins
            .set(WindowPlugin { primary_window: None, exit_condition: ExitCondition::DontExit, ..default() })
            .set(RenderPlugin {
                render_creation: RenderCreation::Manual(resources),
                synchronous_pipeline_compilation: true,
                ..default()
            })
            // What goes wrong comes back as an error.
            .disable::<LogPlugin>()
            .disable::<WinitPlugin>()
            .disable::<PipelinedRenderingPlugin>(),
    )
    .add_plugins(ViewerPlugin)
    .insert_non_send(Viewer { density: Some(density), ..viewer(session) });
    while app.plugins_state() == PluginsState::Adding {
        bevy::tasks::tick_global_task_pools_on_main_thread();
    }
    app.finish();
    app.cleanup();

    let mut target = Image::new_fill(
        Extent3d { width: pixels[0], height: pixels[1], depth_or_array_layers: 1 },
        TextureDimension::D2,
        &[0, 0, 0, 255],
        TextureFormat::Rgba8UnormSrgb,
        default(),
    );
    target.texture_descriptor.usage |= TextureUsages::RENDER_ATTACHMENT | TextureUsages::COPY_SRC;
    let handle = app.world_mut().resource_mut::<Assets<Image>>().add(target);
    // egui scales by itself: a target with a scale of its own stays black.
    let onto = ImageRenderTarget { handle: handle.clone(), scale_factor: 1.0 };
    app.world_mut().spawn((Camera2d, Msaa::Off, RenderTarget::Image(onto)));
    (app, handle)
}

/// What is drawn onto an image.
fn picture(app: &mut App, target: &Handle<Image>) -> anyhow::Result<RgbImage> {
    let taken: Arc<Mutex<Option<Image>>> = Arc::default();
    let keep = taken.clone();
    app.world_mut().spawn(Screenshot::image(target.clone())).observe(move |shot: On<ScreenshotCaptured>| {
        *keep.lock().unwrap_or_else(PoisonError::into_inner) = Some(shot.image.clone());
    });
    for _ in 0..GIVE_UP {
        app.update();
        if let Some(image) = taken.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let picture = image.try_into_dynamic().map_err(|error| anyhow!("the picture cannot be read: {error}"))?;
            return Ok(picture.to_rgb8());
        }
    }
    Err(anyhow!("the graphics adapter has drawn {GIVE_UP} frames and given no picture"))
}
