//! How a scene is drawn: the seam through which every world's pictures go.

use std::collections::BTreeMap;

use environments::{Outline, Scene};
use experiments::config::nearest;

use crate::palette::{Palette, Ramp, Rgb};
use crate::subject::Fact;
use crate::view::Overlays;

/// A picture of one pixel a cell, row-major, four bytes (red, green, blue, opacity) a pixel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Raster {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `width * height * 4` bytes in sRGB.
    pub bytes: Vec<u8>,
}

impl Raster {
    /// A picture whose pixel of each cell, counted row-major, is what `colour` says.
    pub fn paint(width: u32, height: u32, colour: impl Fn(usize) -> Rgb) -> Self {
        let cells = width as usize * height as usize;
        let mut bytes = Vec::with_capacity(cells * 4);
        for cell in 0..cells {
            let [red, green, blue] = colour(cell);
            bytes.extend([red, green, blue, 255]);
        }
        Self { width, height, bytes }
    }

    /// A picture of cells in some states, each with its colour; cells that are missing are of state 0.
    pub fn of_states(width: u32, height: u32, cells: &[u8], colours: &[Rgb]) -> Self {
        let opaque = |state: u8| {
            let [red, green, blue] = colours.get(usize::from(state)).copied().unwrap_or_default();
            [red, green, blue, 255]
        };
        let table: Vec<[u8; 4]> = (0..=u8::MAX).map(opaque).collect();
        let count = width as usize * height as usize;
        let mut bytes = vec![0; count * 4];
        let states = cells.iter().copied().chain(std::iter::repeat(0));
        for (pixel, state) in bytes.chunks_exact_mut(4).zip(states) {
            pixel.copy_from_slice(&table[usize::from(state)]);
        }
        Self { width, height, bytes }
    }

    /// The colour of a cell.
    pub fn get(&self, column: u32, row: u32) -> Option<Rgb> {
        let start = (row as usize * self.width as usize + column as usize) * 4;
        let inside = column < self.width && row < self.height;
        inside.then(|| self.bytes.get(start..start + 3)).flatten().map(|pixel| [pixel[0], pixel[1], pixel[2]])
    }
}

/// A way to look at a scene: one of the boards that stand side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panel {
    /// Its name, as views have it.
    pub name: &'static str,
    /// What it lies on.
    pub ground: Ground,
    /// What it needs.
    pub reads: Reads,
}

impl Panel {
    /// A panel.
    pub const fn new(name: &'static str, ground: Ground, reads: Reads) -> Self {
        Self { name, ground, reads }
    }
}

/// What of a model a panel reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Nothing, or what there is.
    Nothing,
    /// Nothing either; shown only on request.
    Request,
    /// Its answer and the chosen tap.
    Answer,
    /// Attention from the chosen cell; shown only on request.
    Attention,
    /// The logit lens at the chosen tap; shown only on request.
    Lens,
    /// The answer of a model that is pinned beside it, by its place; shown where there is one.
    Pinned(usize),
    /// Its answer under patches; shown where there are some.
    Patched,
    /// What probes say of a table's entries; shown only on request.
    Entries,
}

/// What a panel's cells are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// The scene's own at t, which tools change.
    Start,
    /// The scene's own.
    Scene,
    /// A table's, with headings; what its cells mean is the scene's business.
    Table,
}

/// What a picture is drawn from.
pub struct Seen<'a> {
    /// The step that is shown.
    pub step: u32,
    /// What the model answered about that step, as the subject read it; or why there is nothing.
    pub belief: Result<&'a [f32], &'a str>,
    /// The activation at each of the model's positions and the end of its scale; or why there is none.
    pub activation: Result<(&'a [f32], f32), &'a str>,
    /// The attention that each position gets from that of the chosen cell, the end of its scale, and in which tap; or why
    /// there is none.
    pub attention: Result<(&'a [f32], f32, &'a str), &'a str>,
    /// What the logit lens reads at the chosen tap, as `belief`, and the tap; or why there is nothing.
    pub lens: Result<(&'a [f32], &'a str), &'a str>,
    /// The same at the end of every layer, with the names of these.
    pub layers: Vec<(String, &'a [f32])>,
    /// What the model answers under patches, as `belief`; or why there is nothing.
    pub patched: Result<&'a [f32], &'a str>,
    /// What the models that are pinned beside it answer, as `belief`, each with its name; or why there is nothing.
    pub pinned: Vec<(&'a str, Result<&'a [f32], &'a str>)>,
    /// What probes say of every entry of a table at the step: names of the entries, each with a probability for every
    /// class; or why there is nothing.
    pub entries: Result<&'a [EntryReading], &'a str>,
    /// The world that patches are held against, where there are some.
    pub against: Option<&'a dyn Drawn>,
    /// What the patches did.
    pub effect: &'a BTreeMap<String, f64>,
    /// The tap and what is read there, such as `blocks.2.resid_post · L2 norm`.
    pub reading: &'a str,
    /// Whether activations have signs.
    pub signed: bool,
    /// Whether models are trained to answer about this step.
    pub trained: bool,
    /// What is drawn over boards.
    pub overlays: Overlays,
    /// The colours.
    pub palette: &'a Palette,
}

/// Models that can be pinned at once.
pub const PINS: usize = 4;

/// What a probe says of an entry of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryReading {
    /// The entry, such as `A0`.
    pub entry: String,
    /// Each thing that it can be, with its probability.
    pub chances: Vec<(String, f32)>,
    /// Balanced accuracy on validation runs.
    pub accuracy: Option<f64>,
}

/// No patch did anything.
static NO_EFFECT: BTreeMap<String, f64> = BTreeMap::new();

impl<'a> Seen<'a> {
    /// A scene without a model.
    pub fn of_nothing(step: u32, palette: &'a Palette, overlays: Overlays) -> Self {
        let none = "no model was asked";
        Self {
            step,
            belief: Err(none),
            activation: Err(none),
            attention: Err(none),
            lens: Err(none),
            layers: Vec::new(),
            patched: Err(none),
            pinned: Vec::new(),
            entries: Err(none),
            against: None,
            effect: &NO_EFFECT,
            reading: "",
            signed: false,
            trained: true,
            overlays,
            palette,
        }
    }

    /// What a pinned model answers, with its name; or why there is nothing.
    pub fn pin(&self, place: usize) -> Result<(&'a [f32], &'a str), &'a str> {
        match self.pinned.get(place) {
            Some((name, answer)) => answer.map(|answer| (answer, *name)),
            None => Err("pin a checkpoint: Shift V"),
        }
    }

    /// The heading of a pinned model's panel.
    pub fn pin_title(&self, place: usize) -> String {
        format!("Pinned: {}", self.pinned.get(place).map_or("nothing", |(name, _)| name))
    }
}

/// How colours are to be read.
#[derive(Clone, Debug, PartialEq)]
pub enum Legend {
    /// In words.
    Words(String),
    /// By their meanings.
    Keys(Vec<(Rgb, String)>),
    /// On a scale, with its two ends.
    Scale(Ramp, [String; 2]),
}

/// A picture with all that is written and drawn on it. Cells are the scene's, or a table's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// Its heading.
    pub title: String,
    /// At the heading's other end; true if it is a warning.
    pub note: Option<(String, bool)>,
    /// One pixel for each cell of the scene's window or of the table; or why there is none.
    pub raster: Result<Raster, String>,
    /// Objects to be outlined.
    pub outlines: Vec<Outline>,
    /// Cells to be marked as changed by edits.
    pub changed: Vec<(u32, u32)>,
    /// Cells to be framed as true.
    pub framed: Vec<(u32, u32)>,
    /// Words in cells.
    pub words: Vec<((u32, u32), String)>,
    /// Names of rows, from the first that is shown.
    pub rows: Vec<String>,
    /// Names of columns, likewise.
    pub columns: Vec<String>,
    /// A line above a row, with what it means.
    pub rule: Option<(u32, String)>,
    /// How colours are to be read.
    pub legend: Legend,
}

impl Drawing {
    /// A picture with nothing but a heading.
    pub fn new(title: impl Into<String>, raster: Result<Raster, String>) -> Self {
        Self {
            title: title.into(),
            note: None,
            raster,
            outlines: Vec::new(),
            changed: Vec::new(),
            framed: Vec::new(),
            words: Vec::new(),
            rows: Vec::new(),
            columns: Vec::new(),
            rule: None,
            legend: Legend::Words(String::new()),
        }
    }
}

/// How far a model is off at a step, and something to compare it with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// The model's.
    pub model: f32,
    /// The reference's.
    pub reference: f32,
}

/// What things are called in a scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// Before the number of a step.
    pub step: &'static str,
    /// What [`Score::model`] counts.
    pub model: &'static str,
    /// What [`Score::reference`] counts.
    pub reference: &'static str,
    /// What one has to do where a step has no prediction.
    pub no_question: &'static str,
    /// The overlays that mean something here.
    pub overlays: &'static [&'static str],
}

/// How a scene is drawn: something that unfolds in steps on a grid of cells. A board has one state a step; a tape is its
/// history, one row a step. Nothing beyond this trait knows which.
pub trait Drawn: Send + Sync {
    /// The scene as its world gives it.
    fn scene(&self) -> &Scene;

    /// The panels, in order.
    fn panels(&self) -> &'static [Panel];

    /// What things are called.
    fn words(&self) -> Words;

    /// Columns and rows of all cells.
    fn size(&self) -> (u32, u32);

    /// The last step that was simulated; the first is 0.
    fn last_step(&self) -> u32;

    /// The part of all cells that is shown at a step.
    fn window(&self, _step: u32) -> Extent {
        let (width, height) = self.size();
        Extent { column: 0, row: 0, width, height }
    }

    /// The model's position that stands for a cell.
    fn position_of(&self, cell: (u32, u32)) -> usize;

    /// Side in cells of the square that a position stands for.
    fn patch(&self) -> u32 {
        1
    }

    /// A panel's picture.
    fn draw(&self, panel: &Panel, seen: &Seen<'_>) -> Drawing;

    /// What is known of a cell.
    fn describe(&self, cell: (u32, u32), seen: &Seen<'_>) -> Vec<Fact>;

    /// How far a belief about a step is off.
    fn score(&self, step: u32, belief: &[f32]) -> Score;

    /// The objects that are there at a step.
    fn outlines(&self, _step: u32) -> &[Outline] {
        &[]
    }

    /// A step that is marked on the time line, such as that at which twins part.
    fn moment(&self) -> Option<u32> {
        None
    }

    /// The token that comes at a step, in a line of tokens.
    fn token(&self, _step: u32) -> Option<usize> {
        None
    }

    /// Number of tokens that can come, in a line of tokens.
    fn targets(&self) -> usize {
        1
    }

    /// Cells that at a step are not as they would be without the edits.
    fn changed(&self, step: u32) -> Vec<(u32, u32)>;
}

/// The place among the pins of the model that a panel reads.
pub fn place_of(panel: &Panel) -> usize {
    if let Reads::Pinned(place) = panel.reads { place } else { 0 }
}

/// A panel of a list by its name.
///
/// # Errors
/// If there is none; the nearest is named.
pub fn find_panel(panels: &'static [Panel], name: &str) -> Result<&'static Panel, String> {
    panels.iter().find(|panel| panel.name == name).ok_or_else(|| {
        let nearest = nearest(name, panels.iter().map(|panel| panel.name));
        format!("there is no board `{name}` here; the nearest is `{nearest}`")
    })
}

/// A box on a torus: it may reach beyond the last column or row and goes on at the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Westernmost column.
    pub column: u32,
    /// Northernmost row.
    pub row: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// The smallest box around cells on a torus of a size; nothing for no cells.
pub fn extent(cells: &[(u32, u32)], (width, height): (u32, u32)) -> Option<Extent> {
    let (column, columns) = span(cells.iter().map(|cell| cell.0), width)?;
    let (row, rows) = span(cells.iter().map(|cell| cell.1), height)?;
    Some(Extent { column, row, width: columns, height: rows })
}

/// The shortest arc of a circle of `length` places that holds all of some places: its first place and its length.
fn span(places: impl Iterator<Item = u32>, length: u32) -> Option<(u32, u32)> {
    let mut places: Vec<u32> = places.map(|place| place % length.max(1)).collect();
    places.sort_unstable();
    places.dedup();
    let (&first, &last) = (places.first()?, places.last()?);
    // The arc begins after the widest gap; the gap across the border first, so that ties leave the arc unbroken.
    let mut best = (first + length - last, first);
    for pair in places.windows(2) {
        if pair[1] - pair[0] > best.0 {
            best = (pair[1] - pair[0], pair[1]);
        }
    }
    Some((best.1, length - best.0 + 1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_box_around_cells_wraps() {
        let around = |cells: &[(u32, u32)]| extent(cells, (8, 6)).unwrap();
        assert_eq!(around(&[(2, 3), (4, 5)]), Extent { column: 2, row: 3, width: 3, height: 3 });
        assert_eq!(around(&[(7, 0), (0, 5), (1, 0)]), Extent { column: 7, row: 5, width: 3, height: 2 });
        assert_eq!(around(&[(5, 5)]), Extent { column: 5, row: 5, width: 1, height: 1 });
        assert_eq!(extent(&[], (8, 6)), None);
        let whole: Vec<(u32, u32)> = (0..8).map(|column| (column, 0)).collect();
        assert_eq!(around(&whole), Extent { column: 0, row: 0, width: 8, height: 1 });
    }
}
