//! Histories of one-dimensional rules without a model: the diagram, its domains and particles, and what filters of
//! information dynamics make of it.

use std::sync::{Arc, OnceLock};

use environments::automata::elementary::random_row;
use environments::automata::information::{Diagram, Dynamics, Filter, along};
use environments::automata::{LineRule, Particles, Pattern};
use environments::{Address, Edit, Scene, Split};
use models::ModelSpec;

use crate::palette::{Palette, Ramp, Rgb, mix};
use crate::scene::{Drawing, Drawn, Extent, Ground, Legend, Panel, Raster, Reads, Score, Seen, Words};
use crate::subject::{Asks, Fact, Observed, Subject};
use crate::view::Tool;

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

/// The most columns.
const WIDEST: usize = 1024;

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

/// A one-dimensional rule on a ring.
pub struct LineSubject {
    rule: LineRule,
    /// The first row; drawn by chance for every episode where there is none.
    first: Option<Vec<u8>>,
    about: Arc<str>,
}

impl LineSubject {
    /// Rows by chance, every episode another.
    pub fn random(rule: LineRule) -> Self {
        Self { rule, first: None, about: about(rule, SIZE.0) }
    }

    /// The first row of a pattern, in the middle of a ring.
    ///
    /// # Errors
    /// If it is too wide.
    pub fn from_pattern(rule: LineRule, pattern: &Pattern) -> Result<Self, String> {
        let bounds = pattern.bounding_box().ok_or("the pattern has no live cell")?;
        let width = (bounds.width as usize).max(SIZE.0);
        if width > WIDEST {
            return Err(format!("the row has {} cells; at most {WIDEST} are drawn here", bounds.width));
        }
        let mut first = vec![0; width];
        let west = (width - bounds.width as usize) / 2;
        let top = pattern.cells().iter().filter(|cell| cell.y == bounds.y);
        top.for_each(|cell| first[west + (cell.x - bounds.x) as usize] = 1);
        Ok(Self { rule, first: Some(first), about: about(rule, width) })
    }

    fn edited(&self, split: Split, index: u64, edits: &[Edit]) -> Result<(LineRule, Vec<u8>), String> {
        let random = || random_row(&format!("{} {index}", split.name()), SIZE.0);
        let mut rule = self.rule;
        let mut first = self.first.clone().unwrap_or_else(random);
        for edit in edits {
            match edit {
                Edit::Paint { cells, state } => {
                    for &(column, row) in cells {
                        self.paints((column, row))?;
                        let slot = first.get_mut(column as usize);
                        *slot.ok_or_else(|| format!("column {column} is off the ring"))? = (*state).min(1);
                    }
                }
                Edit::Entry { entry, value } if (*entry as usize) < rule.entries() => {
                    rule = rule.with_entry(*entry as usize, *value != 0);
                }
                Edit::Rule { rule: text } => rule = text.parse().map_err(|error| format!("{error}"))?,
                _ => return Err("a history's first row can be painted and its rule changed".into()),
            }
        }
        Ok((rule, first))
    }
}

fn about(rule: LineRule, width: usize) -> Arc<str> {
    let class = rule.wolfram_class().map_or_else(String::new, |class| format!(", class {}", class.name()));
    format!("{rule}{class}, ring of {width} cells").into()
}

impl Subject for LineSubject {
    fn about(&self) -> String {
        self.about.to_string()
    }

    fn has_episodes(&self) -> bool {
        self.first.is_none()
    }

    fn accepts(&self, _spec: &ModelSpec) -> Result<(), String> {
        Err("a rule of its own has no model".into())
    }

    fn horizons(&self) -> &[u32] {
        &[]
    }

    fn observe(&self, split: Split, index: u64, edits: &[Edit]) -> Result<Observed, String> {
        let (rule, first) = self.edited(split, index, edits)?;
        let (width, rows) = (first.len(), SIZE.1);
        let original = match edits {
            [] => None,
            _ => {
                let (rule, first) = self.edited(split, index, &[])?;
                Some(rule.history(first, rows))
            }
        };
        let rows = rule.history(first, rows);
        let scene = Scene::Board {
            width: width as u32,
            height: rows.len() as u32,
            states: 2,
            frames: vec![rows.concat()],
            objects: Vec::new(),
        };
        let begin = rows.len().saturating_sub(1) as u32;
        let scene = Box::new(LineScene { scene, structure: Structure::new(rule, rows), original });
        Ok(Observed { split, index, edits: edits.to_vec(), scene, asks: Asks::Each(Vec::new()), begin })
    }

    fn answer(&self, _logits: &[f32]) -> Vec<f32> {
        Vec::new()
    }

    fn facts(&self, _observed: &Observed, _step: u32, _cell: (u32, u32)) -> Vec<Fact> {
        Vec::new()
    }

    fn tools(&self) -> &'static [(Tool, &'static str)] {
        &[(Tool::Look, "look"), (Tool::Draw, "draw"), (Tool::Erase, "erase"), (Tool::Drop, "rewrite")]
    }

    fn palette(&self, _observed: &Observed) -> Vec<String> {
        let bits = 2 * self.rule.radius() + 1;
        let entries = (0..self.rule.entries()).rev();
        entries.flat_map(|entry| [0, 1].map(|value| format!("{entry:0bits$b}={value}"))).collect()
    }

    fn footprint(&self, name: &str) -> Result<Vec<(u32, u32)>, String> {
        self.change(name).map(|_| Vec::new())
    }

    fn place(&self, observed: &Observed, name: &str, _corner: (i32, i32)) -> Result<Edit, String> {
        let edit = self.change(name)?;
        let (now, _) = self.edited(observed.split, observed.index, &observed.edits)?;
        let edits: Vec<Edit> = observed.edits.iter().cloned().chain([edit.clone()]).collect();
        let (then, _) = self.edited(observed.split, observed.index, &edits)?;
        if now == then { Err(format!("`{name}` is the rule as it is")) } else { Ok(edit) }
    }

    fn paints(&self, (column, row): (u32, u32)) -> Result<(), String> {
        if row == 0 {
            return Ok(());
        }
        Err(format!("cell ({column}, {row}): only the first row can be drawn on, for the others follow from it"))
    }

    fn address(&self, _observed: &Observed) -> Option<(Address, Vec<Edit>)> {
        None
    }
}

impl LineSubject {
    fn change(&self, name: &str) -> Result<Edit, String> {
        crate::elementary::change(name, self.rule.radius())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::palette::Theme;
    use crate::view::Overlays;

    #[test]
    fn panels_show_what_the_libraries_find() {
        let subject = LineSubject::random("W54".parse().unwrap());
        let observed = subject.observe(Split::Train, 2, &[]).unwrap();
        let Scene::Board { frames, width, .. } = observed.scene.scene() else { panic!("no board") };
        let rows: Vec<Vec<u8>> = frames[0].chunks(*width as usize).map(<[u8]>::to_vec).collect();
        let rule: LineRule = "W54".parse().unwrap();
        assert!(rows.windows(2).all(|pair| rule.step(&pair[0]) == pair[1]));
        let palette = Palette::of(Theme::Dark);
        let step = observed.scene.last_step();
        let seen = Seen::of_nothing(step, &palette, Overlays::default());
        let found = Particles::find(rule, &rows).unwrap();
        let diagram = Diagram::of_rule(rule, rows[0].clone(), rows.len()).unwrap();
        let dynamics = Dynamics::new(&diagram, HISTORY, along(1)).unwrap();
        let local = dynamics.local(Filter::Transfer((1, 0)));
        let drawn = |name: &str| {
            let panel = PANELS.iter().find(|panel| panel.name == name).unwrap();
            observed.scene.draw(panel, &seen)
        };
        let (particles, east) = (drawn("particles").raster.unwrap(), drawn("transfer-east").raster.unwrap());
        let mut moving = 0;
        for row in 0..rows.len() {
            for column in 0..rows[0].len() {
                let (shade, at) = (particles.get(column as u32, row as u32).unwrap(), found.track_at(row, column));
                match at.and_then(|track| track.motion) {
                    Some(motion) if motion.displacement > 0 => assert_eq!(shade, palette.warm),
                    Some(motion) if motion.displacement < 0 => assert_eq!(shade, palette.cold),
                    Some(_) => assert_eq!(shade, palette.object),
                    None => assert!(shade != palette.warm && shade != palette.cold),
                }
                moving += usize::from(at.is_some_and(|track| track.motion.is_some()));
                let shade = east.get(column as u32, row as u32).unwrap();
                match row.checked_sub(HISTORY) {
                    None => assert_eq!(shade, palette.panel),
                    Some(row) if local[row * rows[0].len() + column].abs() < 1e-9 => assert_eq!(shade, palette.dead),
                    Some(_) => {}
                }
            }
        }
        assert!(moving > 100);
    }

    #[test]
    fn rules_and_first_rows_are_changed() {
        let pattern = Pattern::from_live([(0, 0)]);
        let subject = LineSubject::from_pattern("W90".parse().unwrap(), &pattern).unwrap();
        let plain = subject.observe(Split::Train, 0, &[]).unwrap();
        let edits = [Edit::Paint { cells: vec![(3, 0)], state: 1 }, subject.place(&plain, "W150", (0, 0)).unwrap()];
        let other = subject.observe(Split::Train, 0, &edits).unwrap();
        let Scene::Board { frames, width, .. } = other.scene.scene() else { panic!("no board") };
        let rule: LineRule = "W150".parse().unwrap();
        let mut first = vec![0; *width as usize];
        (first[3], first[*width as usize / 2 - 1]) = (1, 1);
        assert_eq!(frames[0], rule.history(first, SIZE.1).concat());
        assert!(subject.place(&plain, "W90", (0, 0)).unwrap_err().contains("as it is"));
        assert!(subject.paints((1, 2)).is_err());
    }
}
