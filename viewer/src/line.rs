//! What scenes share whose model reads a line of tokens: tables of what is expected next, values laid over positions.

pub use experiments::intervention::nats;

use crate::board::{activation_legend, activation_title, attention_legend};
use crate::palette::{Palette, Ramp, Rgb, mix};
use crate::scene::{Drawing, Legend, Raster, Seen};

/// A probability in two figures; nothing where it is next to nothing.
pub fn percent(chance: f64) -> String {
    match (chance * 100.0).round() as u32 {
        0 => String::new(),
        100 if chance < 1.0 => ">.99".into(),
        100 => "1".into(),
        part => format!(".{part:02}"),
    }
}

/// The part of a model's answer that is about a position, of `targets` probabilities each.
pub fn expected(belief: &[f32], position: u32, targets: usize) -> Option<&[f32]> {
    belief.chunks_exact(targets).nth(position as usize)
}

/// What several predictors expect at one place.
pub struct Table {
    /// The heading.
    pub title: String,
    /// Names of the outcomes.
    pub names: Vec<String>,
    /// Predictors, each with a probability for every outcome; none that has given up.
    pub rows: Vec<(String, Option<Vec<f64>>)>,
    /// The outcome that comes.
    pub truth: Option<u32>,
    /// The outcome of what runs beside.
    pub other: Option<u32>,
}

impl Table {
    /// Adds a predictor, where there is one.
    pub fn push(&mut self, name: impl Into<String>, chances: Option<Vec<f64>>) {
        self.rows.extend(chances.map(|chances| (name.into(), Some(chances))));
    }

    /// Adds what the model says, also under patches.
    pub fn push_model(&mut self, seen: &Seen<'_>) {
        let wide = |belief: &[f32]| {
            Some(expected(belief, seen.step, self.names.len())?.iter().copied().map(f64::from).collect())
        };
        let pins = seen.pinned.iter().enumerate();
        let pins = pins.map(|(place, (_, answer))| (format!("pinned {}", place + 1), answer.ok()));
        let said = [("model".to_string(), seen.belief.ok())].into_iter().chain(pins);
        let said = said.chain([("patched".to_string(), seen.patched.ok())]);
        let rows: Vec<_> = said.map(|(name, belief)| (name, belief.and_then(wide))).collect();
        rows.into_iter().for_each(|(name, chances)| self.push(name, chances));
        let other = seen.against.and_then(|against| against.token(seen.step)).map(|token| token as u32);
        self.other = self.other.or(other.filter(|token| Some(*token) != self.truth));
    }

    /// What it costs the first two of them, in nats.
    pub fn prices(&self) -> Option<(String, bool)> {
        let truth = self.truth? as usize;
        let price = |(name, chances): &(String, Option<Vec<f64>>)| {
            Some(format!("{name} {:.2} nats", nats(*chances.as_ref()?.get(truth)?)))
        };
        let prices: Vec<String> = self.rows.iter().filter_map(price).take(2).collect();
        (!prices.is_empty()).then(|| (prices.join(" · "), false))
    }

    /// The picture; `reason` says why there is none.
    pub fn draw(self, palette: &Palette, reason: &str) -> Drawing {
        if self.rows.is_empty() {
            return Drawing::new(self.title, Err(reason.into()));
        }
        let (columns, rows) = (self.names.len(), self.rows.len());
        let chance = |cell: usize| {
            self.rows[cell / columns].1.as_ref().and_then(|chances| chances.get(cell % columns)).copied().unwrap_or(0.0)
        };
        let raster =
            Raster::paint(columns as u32, rows as u32, |cell| palette.ramp(Ramp::Magnitude, chance(cell) as f32));
        let down = |outcome: Option<u32>| {
            outcome.into_iter().flat_map(|column| (0..rows as u32).map(move |row| (column, row))).collect()
        };
        let words =
            (0..columns * rows).map(|cell| (((cell % columns) as u32, (cell / columns) as u32), percent(chance(cell))));
        let dot = if self.other.is_some() { " · dot: the other world's" } else { "" };
        Drawing {
            note: self.prices(),
            framed: down(self.truth),
            changed: down(self.other),
            words: words.filter(|(_, text)| !text.is_empty()).collect(),
            rows: self.rows.iter().map(|(name, _)| name.clone()).collect(),
            columns: self.names,
            legend: Legend::Scale(Ramp::Magnitude, ["0".into(), format!("1 probability · framed: comes{dot}")]),
            ..Drawing::new(self.title, Ok(raster))
        }
    }
}

/// Cells that stand for positions of a line.
pub struct Sheet<'a> {
    /// Columns and rows.
    pub size: (u32, u32),
    /// The position of a cell, counted row-major; none of a cell that stands for nothing.
    pub position: &'a dyn Fn(usize) -> Option<usize>,
    /// The cell's own shade, from 0 (empty) to 1, which shines through.
    pub shade: &'a dyn Fn(usize) -> f32,
}

impl Sheet<'_> {
    fn over(&self, palette: &Palette, colour: impl Fn(usize) -> Rgb) -> Raster {
        Raster::paint(self.size.0, self.size.1, |cell| match (self.position)(cell) {
            Some(position) => mix(colour(position), palette.live, 0.45 * (self.shade)(cell)),
            None => palette.ground,
        })
    }

    /// The chosen activation at every position.
    pub fn activation(&self, seen: &Seen<'_>) -> Drawing {
        let raster = seen.activation.map_err(str::to_string).map(|(values, end)| {
            self.over(seen.palette, |position| {
                let share = values.get(position).copied().unwrap_or(0.0) / end;
                if seen.signed { seen.palette.signed(share) } else { Palette::magnitude(share) }
            })
        });
        Drawing {
            legend: activation_legend(seen),
            ..Drawing::new(activation_title(seen, "Activation at each position"), raster)
        }
    }

    /// Attention from the chosen cell's position to those before it.
    pub fn attention(&self, seen: &Seen<'_>) -> Drawing {
        let raster = seen.attention.map_err(str::to_string).map(|(weights, end, _)| {
            self.over(seen.palette, |position| Palette::magnitude(weights.get(position).copied().unwrap_or(0.0) / end))
        });
        Drawing { legend: attention_legend(seen), ..Drawing::new("Attention from the chosen cell", raster) }
    }
}

/// What the model would say were the chosen tap its last, beside what it says.
pub fn lens(seen: &Seen<'_>, names: Vec<String>, truth: Option<u32>) -> Drawing {
    let title = format!("Logit lens, step {}", seen.step);
    let (lens, tap) = match seen.lens {
        Ok(lens) => lens,
        Err(reason) => return Drawing::new(title, Err(reason.into())),
    };
    let targets = names.len();
    let chances = |belief: &[f32]| Some(expected(belief, seen.step, targets)?.iter().copied().map(f64::from).collect());
    let mut table = Table { title, names, rows: Vec::new(), truth, other: None };
    table.push("at the tap", chances(lens));
    for (name, layer) in &seen.layers {
        table.push(if name == "embed" { "embedding".into() } else { format!("block {name}") }, chances(layer));
    }
    table.push("model", seen.belief.ok().and_then(chances));
    Drawing { note: Some((tap.into(), false)), ..table.draw(seen.palette, "the model has not answered") }
}
