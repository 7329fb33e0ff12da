//! Histories of one-dimensional rules without a model: the diagram, its domains and particles, and what filters of
//! information dynamics make of it.

use std::sync::OnceLock;

use environments::Scene;
use environments::automata::information::{Diagram, Dynamics, Filter, along};
use environments::automata::{LineRule, Particles};

use crate::palette::{Palette, Ramp, Rgb, mix};
use crate::scene::{Drawing, Drawn, Extent, Ground, Legend, Panel, Raster, Reads, Score, Seen, Words};
use crate::subject::Fact;

mod subject;
#[cfg(test)]
mod tests;

pub use subject::LineSubject;

/// The panels of such histories.
pub const PANELS: &[Panel] = &[
    Panel::new("history", Ground::Start, Reads::Nothing),
    Panel::new("particles", Ground::Scene, Reads::Nothing),
    Panel::new("storage", Ground::Scene, Reads::Nothing),
    Panel::new("transfer-west", Ground::Scene, Reads::Nothing),
    Panel::new("transfer-east", Ground::Scene, Reads::Nothing),
    Panel::new("separable", Ground::Scene, Reads::Nothing),
];

/// Columns and rows unless a pattern needs more columns.
const SIZE: (usize, usize) = (240, 180);

/// Rows that are shown at once; beyond them it scrolls.
const ROWS: u32 = 180;

/// How much of what is yet to come can be seen.
const FUTURE: f32 = 0.25;

/// The states of a cell's own past that filters take into account, where there are rows for it.
const HISTORY: usize = 16;

/// The share of a filter's values that lie below full colour.
const SHOWN: f64 = 0.995;

/// A filter's values, row after row from some row on, and the value of full colour.
type Filtered = Result<(Vec<f64>, f32), String>;

/// A history with what is made of it when it is first asked for.
pub struct Structure {
    rule: LineRule,
    rows: Vec<Vec<u8>>,
    history: usize,
    particles: OnceLock<Result<Particles, String>>,
    filters: [OnceLock<Filtered>; 4],
}

/// The filters, by the names of their panels.
const FILTERS: [(&str, Filter, &str); 4] = [
    ("storage", Filter::Storage, "Active information storage"),
    ("transfer-west", Filter::Transfer((-1, 0)), "Transfer entropy, to the west"),
    ("transfer-east", Filter::Transfer((1, 0)), "Transfer entropy, to the east"),
    ("separable", Filter::Separable, "Separable information"),
];

impl Structure {
    /// Of a ring's history.
    pub fn new(rule: LineRule, rows: Vec<Vec<u8>>) -> Self {
        let history = HISTORY.min(rows.len() / 3).max(1);
        Self { rule, rows, history, particles: OnceLock::new(), filters: Default::default() }
    }

    /// The cells.
    pub fn rows(&self) -> &[Vec<u8>] {
        &self.rows
    }

    /// Domains, walls and particles; or why they cannot be told.
    pub fn particles(&self) -> Result<&Particles, &str> {
        let find = || Particles::find(self.rule, &self.rows).map_err(|error| error.to_string());
        self.particles.get_or_init(find).as_ref().map_err(String::as_str)
    }

    fn filtered(&self, place: usize) -> Result<&(Vec<f64>, f32), &str> {
        let filter = || {
            let frames = self.rows.len().saturating_sub(1);
            let first = self.rows.first().cloned().unwrap_or_default();
            let diagram = Diagram::of_rule(self.rule, first, frames + 1).map_err(|error| error.to_string())?;
            let dynamics = Dynamics::new(&diagram, self.history, along(self.rule.radius()));
            let values = dynamics.map_err(|error| error.to_string())?.local(FILTERS[place].1);
            let mut sizes: Vec<f64> = values.iter().map(|value| value.abs()).collect();
            sizes.sort_unstable_by(f64::total_cmp);
            let full = sizes.get((sizes.len().saturating_sub(1) as f64 * SHOWN) as usize).copied().unwrap_or(1.0);
            Ok((values, if full > 1e-9 { full as f32 } else { 1.0 }))
        };
        self.filters[place].get_or_init(filter).as_ref().map_err(String::as_str)
    }

    fn value(&self, place: usize, (column, row): (u32, u32)) -> Option<f32> {
        let (values, _) = self.filtered(place).ok()?;
        let row = (row as usize).checked_sub(self.history)?;
        values.get(row * self.rows.first()?.len() + column as usize).map(|value| *value as f32)
    }

    /// One of the panels `particles` and those of filters: the heading, a colour for each cell, and the legend.
    pub fn panel(&self, name: &str, palette: &Palette, paint: &Paint<'_>) -> Option<Drawing> {
        if name == "particles" {
            return Some(self.draw_particles(palette, paint));
        }
        let place = FILTERS.iter().position(|(own, _, _)| *own == name)?;
        let title = FILTERS[place].2;
        let (_, full) = match self.filtered(place) {
            Ok(filtered) => filtered,
            Err(reason) => return Some(Drawing::new(title, Err(reason.into()))),
        };
        let shade = |cell| match self.value(place, cell) {
            Some(value) => palette.signed(value / full),
            None => palette.panel,
        };
        Some(Drawing {
            note: Some((format!("history of {}", self.history), false)),
            legend: Legend::Scale(Ramp::Signed, [format!("−{full:.2}"), format!("{full:.2} bits")]),
            ..Drawing::new(title, Ok(paint(&shade)))
        })
    }

    fn draw_particles(&self, palette: &Palette, paint: &Paint<'_>) -> Drawing {
        let title = "Domains, walls and particles";
        let found = match self.particles() {
            Ok(found) => found,
            Err(reason) => return Drawing::new(title, Err(reason.into())),
        };
        let shade = |(column, row): (u32, u32)| -> Rgb {
            let live = self.rows[row as usize][column as usize] == 1;
            match found.track_at(row as usize, column as usize) {
                None => mix(palette.dead, palette.quiet, if live { 0.5 } else { 0.0 }),
                Some(track) => match track.motion {
                    None => mix(palette.quiet, palette.live, if live { 0.5 } else { 0.1 }),
                    // Particles of one velocity have one colour.
                    Some(motion) if motion.displacement == 0 => palette.object,
                    Some(motion) if motion.displacement < 0 => palette.cold,
                    Some(_) => palette.warm,
                },
            }
        };
        let particles = found.tracks.iter().filter(|track| track.motion.is_some()).count();
        let keys = [
            (palette.cold, "to the west"),
            (palette.object, "at rest"),
            (palette.warm, "to the east"),
            (mix(palette.quiet, palette.live, 0.3), "wall"),
        ];
        Drawing {
            note: Some((format!("{particles} particles, {} collisions", found.collisions.len()), false)),
            legend: Legend::Keys(keys.map(|(shade, text)| (shade, text.to_string())).to_vec()),
            ..Drawing::new(title, Ok(paint(&shade)))
        }
    }

    /// What is known of a cell.
    pub fn describe(&self, cell: (u32, u32), facts: &mut Vec<Fact>) {
        if let Ok(found) = self.particles() {
            let (column, row) = (cell.0 as usize, cell.1 as usize);
            let text = match found.track_at(row, column) {
                None => match found.phases.get(row * found.width + column).copied().flatten() {
                    Some(phase) => format!("domain, phase {phase}"),
                    None => "domain".into(),
                },
                Some(track) => match track.motion {
                    None => format!("wall, since row {}", track.birth),
                    Some(motion) => format!(
                        "{}, {:+} columns in {} rows, since row {}",
                        track.name.unwrap_or("particle"),
                        motion.displacement,
                        motion.period,
                        track.birth
                    ),
                },
            };
            facts.push(("part of".into(), text));
        }
        for (place, (name, _, _)) in FILTERS.iter().enumerate() {
            // Only what was looked at: filters take a moment.
            if let (Some(Ok(_)), Some(value)) = (self.filters[place].get(), self.value(place, cell)) {
                facts.push((name.replace('-', " to the "), format!("{value:.3} bits")));
            }
        }
    }
}

/// Paints the shown window from a colour for each cell.
pub type Paint<'a> = dyn Fn(&dyn Fn((u32, u32)) -> Rgb) -> Raster + 'a;

/// A history. A step is a row.
struct LineScene {
    scene: Scene,
    structure: Structure,
    original: Option<Vec<Vec<u8>>>,
}

impl LineScene {
    fn paint(&self, seen: &Seen<'_>, shade: &dyn Fn((u32, u32)) -> Rgb) -> Raster {
        let window = self.window(seen.step);
        Raster::paint(window.width, window.height, |place| {
            let row = window.row + place as u32 / window.width;
            let colour = shade((place as u32 % window.width, row));
            if row <= seen.step { colour } else { mix(seen.palette.ground, colour, FUTURE) }
        })
    }

    fn cell(&self, (column, row): (u32, u32)) -> u8 {
        self.structure.rows().get(row as usize).and_then(|row| row.get(column as usize)).copied().unwrap_or(0)
    }
}

impl Drawn for LineScene {
    fn scene(&self) -> &Scene {
        &self.scene
    }

    fn panels(&self) -> &'static [Panel] {
        PANELS
    }

    fn words(&self) -> Words {
        Words {
            step: "row",
            model: "",
            reference: "",
            no_question: "no model reads this",
            overlays: &["grid", "edited"],
        }
    }

    fn size(&self) -> (u32, u32) {
        (self.structure.rows().first().map_or(0, Vec::len) as u32, self.structure.rows().len() as u32)
    }

    fn last_step(&self) -> u32 {
        self.structure.rows().len().saturating_sub(1) as u32
    }

    fn window(&self, step: u32) -> Extent {
        let (width, rows) = self.size();
        let height = rows.min(ROWS);
        let row = step.saturating_sub(height * 2 / 3).min(rows - height);
        Extent { column: 0, row, width, height }
    }

    fn position_of(&self, (column, row): (u32, u32)) -> usize {
        (row * self.size().0 + column) as usize
    }

    fn draw(&self, panel: &Panel, seen: &Seen<'_>) -> Drawing {
        let window = self.window(seen.step);
        let paint = |shade: &dyn Fn((u32, u32)) -> Rgb| self.paint(seen, shade);
        let mut drawing = self.structure.panel(panel.name, seen.palette, &paint).unwrap_or_else(|| Drawing {
            changed: if seen.overlays.changed { self.changed(seen.step) } else { Vec::new() },
            legend: Legend::Words("tools change the first row · fainter: yet to come".into()),
            ..Drawing::new(
                format!("History · {}", self.structure.rule),
                Ok(self.paint(seen, &|cell| seen.palette.state(self.cell(cell), 2))),
            )
        });
        drawing.rows = (window.row..window.row + window.height).map(|row| row.to_string()).collect();
        drawing
    }

    fn describe(&self, cell: (u32, u32), _seen: &Seen<'_>) -> Vec<Fact> {
        let mut facts = vec![
            ("column, row".to_string(), format!("{}, {}", cell.0, cell.1)),
            ("cell".to_string(), self.cell(cell).to_string()),
        ];
        self.structure.describe(cell, &mut facts);
        facts
    }

    fn score(&self, _step: u32, _belief: &[f32]) -> Score {
        Score::default()
    }

    fn changed(&self, step: u32) -> Vec<(u32, u32)> {
        let Some(original) = &self.original else { return Vec::new() };
        let rows = original.iter().zip(self.structure.rows()).enumerate().take(step as usize + 1);
        rows.flat_map(|(row, (before, after))| {
            let differ = before.iter().zip(after).enumerate().filter(|(_, (before, after))| before != after);
            differ.map(move |(column, _)| (column as u32, row as u32)).collect::<Vec<_>>()
        })
        .collect()
    }
}
