//! The episodes in which a unit is most active.

use environments::Split;

use super::{Reading, Unit};
use crate::palette::{Palette, Theme};
use crate::scene::{Raster, Seen};
use crate::subject::{Asks, Subject};
use crate::view::Overlays;

/// Episodes that are looked through.
pub const EPISODES: u64 = 512;

/// How many are kept.
const KEPT: usize = 8;

/// Side of the piece of a scene that is shown of each, in cells.
const SIDE: u32 = 16;

/// An episode in which a unit is active.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The split.
    pub split: Split,
    /// Index in it.
    pub index: u64,
    /// The model's position at which the unit has its greatest value.
    pub position: usize,
    /// That value.
    pub value: f32,
    /// A cell for which that position stands, and the step at which it is shown.
    pub cell: Option<(u32, u32)>,
    /// The step that the position is about, where positions are steps.
    pub step: Option<u32>,
    /// What is there, in dark colours and in light ones.
    pub pictures: [Raster; 2],
    /// Cells of the picture for which the position stands.
    pub marked: Vec<(u32, u32)>,
}

impl Reading<'_> {
    /// The episodes of a split with the greatest values of a unit, one place each.
    pub(super) fn top(&self, unit: &Unit, split: Split) -> Result<Vec<Hit>, String> {
        let mut best: Vec<(f32, u64, usize)> = Vec::new();
        let covered = covered(self.request.subject.as_ref(), split);
        self.read(split, EPISODES, |index, _, captured| {
            let values = unit.read(captured);
            let places = values.iter().enumerate().filter(|(place, value)| value.is_finite() && covered(*place));
            // Of equals the first.
            let most = places.fold(None, |most: Option<(usize, f32)>, (place, &value)| match most {
                Some((_, least)) if least >= value => most,
                _ => Some((place, value)),
            });
            if let Some((position, value)) = most {
                best.push((value, index, position));
                best.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                best.truncate(KEPT);
            }
            Ok(())
        })?;
        let draw = |(value, index, position)| draw(self.request.subject.as_ref(), split, index, position, value);
        best.into_iter().map(draw).collect()
    }
}

/// Whether a position stands for a cell, by the first episode.
fn covered(subject: &dyn Subject, split: Split) -> impl Fn(usize) -> bool {
    let mut known = Vec::new();
    if let Ok(observed) = subject.observe(split, 0, &[]) {
        let (width, height) = observed.scene.size();
        for cell in (0..height).flat_map(|row| (0..width).map(move |column| (column, row))) {
            let place = observed.scene.position_of(cell);
            if known.len() <= place {
                known.resize(place + 1, false);
            }
            known[place] = true;
        }
    }
    move |place| known.get(place).copied().unwrap_or(false)
}

fn draw(subject: &dyn Subject, split: Split, index: u64, position: usize, value: f32) -> Result<Hit, String> {
    let observed = subject.observe(split, index, &[])?;
    let scene = observed.scene.as_ref();
    let once = matches!(observed.asks, Asks::Once(_));
    let step = once.then(|| (position as u32).min(scene.last_step()));
    let window = scene.window(step.unwrap_or(0));
    let cells = |width: u32, height: u32| (0..height).flat_map(move |row| (0..width).map(move |column| (column, row)));
    let inside: Vec<(u32, u32)> = cells(window.width, window.height)
        .filter(|cell| scene.position_of((cell.0 + window.column, cell.1 + window.row)) == position)
        .collect();
    // The piece around the middle of what is marked.
    let middle = inside.get(inside.len() / 2).copied().unwrap_or((window.width / 2, window.height / 2));
    let (width, height) = (window.width.min(SIDE), window.height.min(SIDE));
    let start = |middle: u32, side: u32, all: u32| middle.saturating_sub(side / 2).min(all - side);
    let corner = (start(middle.0, width, window.width), start(middle.1, height, window.height));
    let pictures = [Theme::Dark, Theme::Light].map(|theme| {
        let palette = Palette::of(theme);
        let drawing =
            scene.draw(&scene.panels()[0], &Seen::of_nothing(step.unwrap_or(0), &palette, Overlays::default()));
        let shade = |cell: usize| {
            let (column, row) = (cell as u32 % width + corner.0, cell as u32 / width + corner.1);
            drawing.raster.as_ref().ok().and_then(|raster| raster.get(column, row)).unwrap_or(palette.dead)
        };
        Raster::paint(width, height, shade)
    });
    let near = |cell: &&(u32, u32)| {
        (corner.0..corner.0 + width).contains(&cell.0) && (corner.1..corner.1 + height).contains(&cell.1)
    };
    let marked = inside.iter().filter(near).map(|cell| (cell.0 - corner.0, cell.1 - corner.1)).collect();
    let cell = inside.first().map(|cell| (cell.0 + window.column, cell.1 + window.row));
    Ok(Hit { split, index, position, value, cell, step, pictures, marked })
}
