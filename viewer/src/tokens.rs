//! How any sequence of tokens is drawn: a strip of what comes, and how probable it was held.

use environments::{Sample, Scene, UNSCORED};

use crate::line::{Sheet, Table, expected, lens, nats, percent};
use crate::palette::{Palette, Ramp, Rgb, mix};
use crate::scene::{Drawing, Drawn, Extent, Ground, Legend, Panel, Raster, Reads, Score, Seen, Words, place_of};
use crate::subject::Fact;

/// The panels of sequences.
pub const PANELS: &[Panel] = &[
    Panel::new("tokens", Ground::Scene, Reads::Nothing),
    Panel::new("model", Ground::Scene, Reads::Answer),
    Panel::new("reference", Ground::Scene, Reads::Nothing),
    Panel::new("next", Ground::Table, Reads::Nothing),
    Panel::new("activation", Ground::Scene, Reads::Answer),
    Panel::new("attention", Ground::Scene, Reads::Attention),
    Panel::new("lens", Ground::Table, Reads::Lens),
    Panel::new("pinned", Ground::Scene, Reads::Pinned(0)),
    Panel::new("pinned-2", Ground::Scene, Reads::Pinned(1)),
    Panel::new("pinned-3", Ground::Scene, Reads::Pinned(2)),
    Panel::new("pinned-4", Ground::Scene, Reads::Pinned(3)),
];

/// Tokens of a row.
const COLUMNS: u32 = 16;

/// Rows that are shown at once; beyond them it scrolls.
const ROWS: u32 = 32;

/// How much of what is yet to come can be seen.
const FUTURE: f32 = 0.4;

/// A predictor that models are compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// Its name.
    pub name: String,
    /// Before each position, the probability of every target.
    pub next: Vec<Vec<f64>>,
}

/// A sequence. Position t is to predict what cell t shows.
pub struct TokenScene {
    scene: Scene,
    sample: Sample,
    /// The same without edits, where there are some.
    original: Option<Sample>,
    vocabulary: usize,
    targets: usize,
    reference: Option<Reference>,
    /// Input and output symbols as they are written.
    names: [Vec<String>; 2],
}

impl TokenScene {
    /// A sequence with the names of its input and output symbols.
    pub fn new(
        scene: Scene,
        sample: Sample,
        original: Option<Sample>,
        names: [Vec<String>; 2],
        reference: Option<Reference>,
    ) -> Self {
        let [vocabulary, targets] = [names[0].len(), names[1].len()];
        Self { scene, sample, original, vocabulary, targets, reference, names }
    }

    /// The middle of the positions that are scored.
    pub fn begin(&self) -> u32 {
        let all: Vec<usize> = (0..self.sample.targets.len()).filter(|&place| self.target(place).is_some()).collect();
        all.get(all.len() / 2).map_or(0, |&place| place as u32)
    }

    fn target(&self, position: usize) -> Option<usize> {
        self.sample.targets.get(position).filter(|target| **target != UNSCORED).map(|&target| usize::from(target))
    }

    /// The symbol of a cell, its name and its share of all symbols: what is to be predicted, or else what comes in.
    fn symbol(&self, position: usize) -> Option<(&str, f32)> {
        let (symbol, names, count) = match self.target(position) {
            Some(target) => (target, &self.names[1], self.targets),
            None => (usize::from(*self.sample.tokens.get(position + 1)?), &self.names[0], self.vocabulary),
        };
        let share = (symbol + 1) as f32 / (count.max(1) + 1) as f32;
        Some((names.get(symbol).map_or("?", String::as_str), share))
    }

    fn position(&self, seen: &Seen<'_>, place: usize) -> Option<usize> {
        let window = self.window(seen.step);
        let position = (window.row * window.width) as usize + place;
        (position < self.sample.tokens.len()).then_some(position)
    }

    fn model(&self, belief: &[f32], position: usize) -> Option<f64> {
        let chances = expected(belief, position as u32, self.targets)?;
        Some(f64::from(*chances.get(self.target(position)?)?))
    }

    fn reckoned(&self, position: usize) -> Option<f64> {
        self.reference.as_ref()?.next.get(position)?.get(self.target(position)?).copied()
    }

    fn paint(&self, seen: &Seen<'_>, shade: impl Fn(usize) -> Option<Rgb>) -> Raster {
        let window = self.window(seen.step);
        Raster::paint(window.width, window.height, |place| {
            let Some(position) = self.position(seen, place) else { return seen.palette.ground };
            let colour = shade(position).unwrap_or(seen.palette.panel);
            if position < seen.step as usize { colour } else { mix(seen.palette.ground, colour, FUTURE) }
        })
    }

    /// A picture of how probable what came was held.
    fn chances(&self, seen: &Seen<'_>, title: String, chance: &dyn Fn(usize) -> Option<f64>) -> Drawing {
        let words =
            (0..self.sample.tokens.len()).filter_map(|position| Some((self.at(position), percent(chance(position)?))));
        Drawing {
            words: words.collect(),
            legend: Legend::Scale(Ramp::Magnitude, ["0".into(), "1 probability of what came".into()]),
            ..Drawing::new(
                title,
                Ok(self.paint(seen, |position| chance(position).map(|chance| Palette::magnitude(chance as f32)))),
            )
        }
    }

    fn at(&self, position: usize) -> (u32, u32) {
        let columns = self.size().0;
        (position as u32 % columns, position as u32 / columns)
    }

    fn draw_next(&self, seen: &Seen<'_>) -> Drawing {
        let step = seen.step as usize;
        let mut table = Table {
            title: format!("Position {step}: what is expected"),
            names: self.names[1].clone(),
            rows: Vec::new(),
            truth: self.target(step).map(|target| target as u32),
            other: None,
        };
        table.push_model(seen);
        if let Some(reference) = &self.reference {
            table.push(reference.name.as_str(), reference.next.get(step).cloned());
        }
        let mut drawing = table.draw(seen.palette, seen.belief.err().unwrap_or("nothing is expected here"));
        if self.target(step).is_none() {
            drawing.note = Some(("nothing is asked at this position".into(), true));
        }
        drawing
    }

    fn sheet(&self, seen: &Seen<'_>, draw: fn(&Sheet<'_>, &Seen<'_>) -> Drawing) -> Drawing {
        let window = self.window(seen.step);
        let sheet = Sheet {
            size: (window.width, window.height),
            position: &|place| self.position(seen, place),
            shade: &|_| 0.0,
        };
        draw(&sheet, seen)
    }
}

impl Drawn for TokenScene {
    fn scene(&self) -> &Scene {
        &self.scene
    }

    fn panels(&self) -> &'static [Panel] {
        PANELS
    }

    fn words(&self) -> Words {
        Words {
            step: "position",
            model: "model: nats",
            reference: if self.reference.is_some() { "reference: nats" } else { "no reference" },
            no_question: "the model has not answered",
            overlays: &["grid", "edited"],
        }
    }

    fn size(&self) -> (u32, u32) {
        let count = self.sample.tokens.len() as u32;
        let columns = count.clamp(1, COLUMNS);
        (columns, count.div_ceil(columns))
    }

    fn last_step(&self) -> u32 {
        self.sample.tokens.len().saturating_sub(1) as u32
    }

    fn window(&self, step: u32) -> Extent {
        let (width, rows) = self.size();
        let height = rows.min(ROWS);
        let row = (step / width).saturating_sub(height * 2 / 3).min(rows - height);
        Extent { column: 0, row, width, height }
    }

    fn position_of(&self, (column, row): (u32, u32)) -> usize {
        (row * self.size().0 + column) as usize
    }

    fn draw(&self, panel: &Panel, seen: &Seen<'_>) -> Drawing {
        let truth = self.target(seen.step as usize).map(|target| target as u32);
        let mut drawing = match panel.name {
            "tokens" => {
                let shade = |position| Some(mix(seen.palette.dead, seen.palette.cold, 0.75 * self.symbol(position)?.1));
                let all = 0..self.sample.tokens.len();
                let words = all.filter_map(|position| Some((self.at(position), self.symbol(position)?.0.to_string())));
                Drawing {
                    words: words.collect(),
                    changed: if seen.overlays.changed { self.changed(seen.step) } else { Vec::new() },
                    legend: Legend::Words("each cell: what comes after its position · framed: comes next".into()),
                    ..Drawing::new("Tokens", Ok(self.paint(seen, shade)))
                }
            }
            "model" => match seen.belief {
                Ok(belief) => self.chances(seen, "Model".into(), &|position| self.model(belief, position)),
                Err(reason) => Drawing::new("Model", Err(reason.into())),
            },
            "pinned" | "pinned-2" | "pinned-3" | "pinned-4" => match seen.pin(place_of(panel)) {
                Ok((belief, _)) => {
                    self.chances(seen, seen.pin_title(place_of(panel)), &|position| self.model(belief, position))
                }
                Err(reason) => Drawing::new(seen.pin_title(place_of(panel)), Err(reason.into())),
            },
            "reference" => match &self.reference {
                Some(reference) => self.chances(seen, reference.name.clone(), &|position| self.reckoned(position)),
                None => {
                    Drawing::new("Reference", Err("this world has no exact answer to set beside the model's".into()))
                }
            },
            "next" => self.draw_next(seen),
            "attention" => self.sheet(seen, |sheet, seen| sheet.attention(seen)),
            "lens" => lens(seen, self.names[1].clone(), truth),
            _ => self.sheet(seen, |sheet, seen| sheet.activation(seen)),
        };
        if panel.ground != Ground::Table {
            let window = self.window(seen.step);
            let rows = window.row..window.row + window.height;
            drawing.rows = rows.map(|row| (row * window.width).to_string()).collect();
            drawing.framed = vec![self.at(seen.step as usize)];
        }
        drawing
    }

    fn describe(&self, cell: (u32, u32), seen: &Seen<'_>) -> Vec<Fact> {
        let position = self.position_of(cell);
        let mut facts = vec![("position".to_string(), position.to_string())];
        if let Some(&token) = self.sample.tokens.get(position) {
            let name = self.names[0].get(usize::from(token)).map_or("?", String::as_str);
            facts.push(("holds".into(), name.into()));
        }
        match self.target(position) {
            Some(target) => {
                facts.push(("is to predict".into(), self.names[1].get(target).cloned().unwrap_or_default()))
            }
            None => facts.push(("is to predict".into(), "nothing".into())),
        }
        if let Some(chance) = seen.belief.ok().and_then(|belief| self.model(belief, position)) {
            facts.push(("model's probability".into(), format!("{chance:.3}")));
        }
        if let (Some(chance), Some(reference)) = (self.reckoned(position), &self.reference) {
            facts.push((format!("{}'s probability", reference.name), format!("{chance:.3}")));
        }
        facts
    }

    fn score(&self, step: u32, belief: &[f32]) -> Score {
        let of = |chance: Option<f64>| chance.map_or(0.0, nats);
        Score { model: of(self.model(belief, step as usize)), reference: of(self.reckoned(step as usize)) }
    }

    fn token(&self, step: u32) -> Option<usize> {
        self.target(step as usize)
    }

    fn targets(&self) -> usize {
        self.targets
    }

    fn changed(&self, _step: u32) -> Vec<(u32, u32)> {
        let Some(original) = &self.original else { return Vec::new() };
        let of = |sample: &Sample, position: usize| {
            (sample.targets.get(position).copied(), sample.tokens.get(position + 1).copied())
        };
        let all = 0..self.sample.tokens.len();
        all.filter(|&position| of(original, position) != of(&self.sample, position)).map(|p| self.at(p)).collect()
    }
}
