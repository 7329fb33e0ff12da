//! How histories of one-dimensional rules are drawn: rows of cells through time, downwards, and the rule's table as far
//! as it can be known.

use environments::Scene;
use environments::sequence::SequenceModel;

use environments::elementary::{ElementaryEpisode, ElementaryWorld};

use crate::line::{Sheet, Table, expected, lens, nats, percent};
use crate::palette::{Ramp, Rgb, mix};
use crate::scene::{Drawing, Drawn, Extent, Ground, Legend, Panel, Raster, Reads, Score, Seen, Words, place_of};
use crate::spacetime::Structure;
use crate::subject::Fact;

/// The panels of histories.
pub const PANELS: &[Panel] = &[
    Panel::new("history", Ground::Start, Reads::Nothing),
    Panel::new("prediction", Ground::Scene, Reads::Answer),
    Panel::new("error", Ground::Scene, Reads::Answer),
    Panel::new("bayes", Ground::Scene, Reads::Nothing),
    Panel::new("table", Ground::Table, Reads::Nothing),
    Panel::new("next", Ground::Table, Reads::Nothing),
    Panel::new("activation", Ground::Scene, Reads::Answer),
    Panel::new("attention", Ground::Scene, Reads::Attention),
    Panel::new("lens", Ground::Table, Reads::Lens),
    Panel::new("probe", Ground::Table, Reads::Entries),
    Panel::new("particles", Ground::Scene, Reads::Request),
    Panel::new("storage", Ground::Scene, Reads::Request),
    Panel::new("transfer-west", Ground::Scene, Reads::Request),
    Panel::new("transfer-east", Ground::Scene, Reads::Request),
    Panel::new("separable", Ground::Scene, Reads::Request),
    Panel::new("pinned", Ground::Scene, Reads::Pinned(0)),
    Panel::new("pinned-2", Ground::Scene, Reads::Pinned(1)),
    Panel::new("pinned-3", Ground::Scene, Reads::Pinned(2)),
    Panel::new("pinned-4", Ground::Scene, Reads::Pinned(3)),
];

/// Columns and rows that are shown at once; beyond them it scrolls.
const WINDOW: (u32, u32) = (128, 96);

/// How much of what is yet to come can be seen.
const FUTURE: f32 = 0.3;

/// What an exact reasoner knows before a token.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    /// What is known of every entry of the table.
    entries: Vec<Option<bool>>,
    /// The probability of every next token.
    next: Vec<f64>,
    /// The same for one who holds the rule to be of the training pool, until none of them fits.
    memory: Option<Option<Vec<f64>>>,
    /// The entries that the token's cells come from; none in the first row.
    used: Option<Vec<usize>>,
}

/// A history of a one-dimensional rule. A step is a token: what is to come at step t is token t.
pub struct RowScene {
    scene: Scene,
    own: ElementaryEpisode,
    /// The history without the edits, where there are some.
    original: Option<ElementaryEpisode>,
    block: usize,
    tokens: Vec<usize>,
    known: Vec<Known>,
    structure: Structure,
}

impl RowScene {
    /// A history, and what it was without edits; `memory` is the world that a model was trained in.
    pub fn new(
        world: &ElementaryWorld,
        memory: &ElementaryWorld,
        own: ElementaryEpisode,
        original: Option<ElementaryEpisode>,
    ) -> Self {
        let tokens = world.numbers(&own);
        let mut class = world.class_bayes();
        let mut pool = memory.pool().map(|pool| world.list_bayes(pool.iter().copied()));
        let known = tokens.iter().map(|&token| {
            let seen = pool.as_ref().map(|pool| (!pool.consistent().is_empty()).then(|| pool.probabilities()));
            let known = Known {
                entries: class.determined().to_vec(),
                next: class.probabilities(),
                memory: seen,
                used: class.next_entries(),
            };
            class.observe(token);
            if let Some(pool) = &mut pool {
                pool.observe(token);
            }
            known
        });
        let known = known.collect();
        let structure = Structure::new(own.rule, own.rows.clone());
        Self {
            structure,
            scene: world.episode_of(&own).scene,
            own,
            original,
            block: world.config().block,
            tokens,
            known,
        }
    }

    fn cells(&self) -> usize {
        1 << self.block
    }

    fn cell(&self, (column, row): (u32, u32)) -> u8 {
        self.own.rows.get(row as usize).and_then(|row| row.get(column as usize)).copied().unwrap_or(0)
    }

    /// The cells of the shown window, by their place in it.
    fn place(&self, seen: &Seen<'_>, place: usize) -> (u32, u32) {
        let window = self.window(seen.step);
        (window.column + place as u32 % window.width, window.row + place as u32 / window.width)
    }

    /// Probability that a cell is 1, from those of the tokens at its position.
    fn live(&self, chances: impl Fn(usize) -> f64, cell: (u32, u32)) -> f32 {
        let bit = self.block - 1 - cell.0 as usize % self.block;
        (0..self.cells()).filter(|token| token >> bit & 1 == 1).map(chances).sum::<f64>() as f32
    }

    fn believed(&self, belief: &[f32], cell: (u32, u32)) -> f32 {
        match expected(belief, self.position_of(cell) as u32, self.cells()) {
            Some(chances) => self.live(|token| f64::from(chances[token]), cell),
            None => 0.5,
        }
    }

    fn reckoned(&self, cell: (u32, u32)) -> f32 {
        let known = self.known.get(self.position_of(cell));
        known.map_or(0.5, |known| self.live(|token| known.next[token], cell))
    }

    /// A picture of the window; cells that are yet to come are fainter.
    fn paint(&self, seen: &Seen<'_>, shade: impl Fn((u32, u32)) -> Rgb) -> Raster {
        let window = self.window(seen.step);
        Raster::paint(window.width, window.height, |place| {
            let cell = self.place(seen, place);
            let colour = shade(cell);
            if self.position_of(cell) < seen.step as usize { colour } else { mix(seen.palette.ground, colour, FUTURE) }
        })
    }

    fn sheet<'a>(&'a self, seen: &'a Seen<'a>, draw: fn(&Sheet<'_>, &Seen<'_>) -> Drawing) -> Drawing {
        let window = self.window(seen.step);
        let sheet = Sheet {
            size: (window.width, window.height),
            position: &|place| Some(self.position_of(self.place(seen, place))),
            shade: &|place| f32::from(self.cell(self.place(seen, place))),
        };
        draw(&sheet, seen)
    }

    /// The cells of the token that is to come.
    fn coming(&self, step: u32) -> Vec<(u32, u32)> {
        let width = self.size().0;
        let first = step * self.block as u32;
        (first..first + self.block as u32).map(|cell| (cell % width, cell / width)).collect()
    }

    /// What the model last said of each entry when a cell came from it: probability of 1.
    fn last_said(&self, belief: &[f32], step: u32, entry: usize) -> Option<f32> {
        (0..=step as usize).rev().find_map(|position| {
            let used = self.known.get(position)?.used.as_ref()?;
            let place = used.iter().position(|&one| one == entry)?;
            let cells = self.coming(position as u32);
            Some(self.believed(belief, *cells.get(place)?))
        })
    }

    fn draw_table(&self, seen: &Seen<'_>) -> Drawing {
        let entries = self.own.rule.entries();
        let Some(known) = self.known.get(seen.step as usize).or(self.known.last()) else {
            return Drawing::new("Rule table", Err("no token is there".into()));
        };
        // As Wolfram writes them: the neighbourhood of all ones first.
        let order: Vec<usize> = (0..entries).rev().collect();
        let truth = |entry: &usize| Some(f64::from(u8::from(self.own.rule.next(*entry))));
        let posterior = |entry: &usize| Some(known.entries[*entry].map_or(0.5, |value| f64::from(u8::from(value))));
        let said = |entry: &usize| Some(f64::from(self.last_said(seen.belief.ok()?, seen.step, *entry)?));
        let mut rows: Vec<(&str, Vec<Option<f64>>)> =
            vec![("becomes", order.iter().map(truth).collect()), ("Bayes", order.iter().map(posterior).collect())];
        if seen.belief.is_ok() {
            rows.push(("model, last", order.iter().map(said).collect()));
        }
        let value = |cell: usize| rows[cell / entries].1[cell % entries];
        let raster = Raster::paint(entries as u32, rows.len() as u32, |cell| {
            value(cell).map_or(seen.palette.panel, |share| seen.palette.ramp(Ramp::Magnitude, share as f32))
        });
        let place = |entry: usize| (entries - 1 - entry) as u32;
        let sure = known.entries.iter().flatten().count();
        let edited = self.original.iter().flat_map(|original| {
            (0..entries).filter(|&entry| original.rule.next(entry) != self.own.rule.next(entry)).map(|e| (place(e), 0))
        });
        let text = |cell: usize| match value(cell) {
            Some(0.0) => "0".to_string(),
            Some(share) => percent(share),
            None => "–".into(),
        };
        let bits = 2 * self.own.rule.radius() + 1;
        let narrow = entries > 16;
        Drawing {
            note: Some((format!("{sure} of {entries} entries certain · 2^{} rules fit", entries - sure), false)),
            framed: known.used.iter().flatten().map(|&entry| (place(entry), 1)).collect(),
            changed: edited.collect(),
            words: (0..entries * rows.len())
                .filter(|_| !narrow)
                .map(|cell| (((cell % entries) as u32, (cell / entries) as u32), text(cell)))
                .collect(),
            rows: rows.iter().map(|(name, _)| name.to_string()).collect(),
            columns: order.iter().map(|entry| format!("{entry:0bits$b}")).collect(),
            legend: Legend::Scale(
                Ramp::Magnitude,
                ["0".into(), "1 probability of 1 · framed: used next · dot: edited".into()],
            ),
            ..Drawing::new(format!("Rule table · {}", self.own.rule), Ok(raster))
        }
    }

    /// What probes of the chosen tap say of every entry.
    fn draw_probe(&self, seen: &Seen<'_>) -> Drawing {
        let title = "Rule table, read by probes";
        let readings = match seen.entries {
            Ok(readings) => readings,
            Err(reason) => return Drawing::new(title, Err(reason.into())),
        };
        let entries = self.own.rule.entries();
        let bits = 2 * self.own.rule.radius() + 1;
        let columns: Vec<String> = (0..entries).rev().map(|entry| format!("{entry:0bits$b}")).collect();
        let value = |cell: usize| -> Option<f64> {
            let entry = entries - 1 - cell % entries;
            if cell < entries {
                return Some(f64::from(u8::from(self.own.rule.next(entry))));
            }
            let reading = readings.iter().find(|reading| reading.entry == columns[cell % entries])?;
            reading.chances.last().map(|(_, chance)| f64::from(*chance))
        };
        let raster = Raster::paint(entries as u32, 2, |cell| match value(cell) {
            Some(share) => seen.palette.ramp(Ramp::Magnitude, share as f32),
            None => seen.palette.panel,
        });
        let scores: Vec<f64> = readings.iter().filter_map(|reading| reading.accuracy).collect();
        let mean = scores.iter().sum::<f64>() / scores.len().max(1) as f64;
        let text = |cell: usize| match value(cell) {
            Some(0.0) => "0".to_string(),
            Some(share) => percent(share),
            None => "–".into(),
        };
        Drawing {
            note: (!scores.is_empty()).then(|| (format!("balanced accuracy {mean:.2}"), false)),
            words: (0..2 * entries)
                .filter(|_| entries <= 16)
                .map(|cell| (((cell % entries) as u32, (cell / entries) as u32), text(cell)))
                .collect(),
            rows: vec!["becomes".into(), "probe".into()],
            columns,
            legend: Legend::Scale(Ramp::Magnitude, ["0".into(), "1 probability of 1".into()]),
            ..Drawing::new(title, Ok(raster))
        }
    }

    fn token_names(&self) -> Vec<String> {
        let block = self.block;
        (0..self.cells()).map(|token| format!("{token:0block$b}")).collect()
    }

    fn draw_next(&self, seen: &Seen<'_>) -> Drawing {
        let step = seen.step as usize;
        let known = self.known.get(step);
        let mut table = Table {
            title: format!("Token {step}: what is expected"),
            names: self.token_names(),
            rows: Vec::new(),
            truth: self.tokens.get(step).map(|&token| token as u32),
            other: None,
        };
        table.push_model(seen);
        table.push("Bayes, class", known.map(|known| known.next.clone()));
        if let Some(memory) = known.and_then(|known| known.memory.as_ref()) {
            let name = if memory.is_some() { "Bayes, seen" } else { "seen: none" };
            table.rows.push((name.into(), memory.clone()));
        }
        table.draw(seen.palette, "no token is there")
    }
}

impl Drawn for RowScene {
    fn scene(&self) -> &Scene {
        &self.scene
    }

    fn panels(&self) -> &'static [Panel] {
        PANELS
    }

    fn words(&self) -> Words {
        Words {
            step: "token",
            model: "model: nats",
            reference: "Bayes over the class: nats",
            no_question: "the model has not answered",
            overlays: &["grid", "edited"],
        }
    }

    fn size(&self) -> (u32, u32) {
        (self.own.rows.first().map_or(0, Vec::len) as u32, self.own.rows.len() as u32)
    }

    fn last_step(&self) -> u32 {
        self.tokens.len().saturating_sub(1) as u32
    }

    fn window(&self, step: u32) -> Extent {
        let (columns, rows) = self.size();
        let (width, height) = (columns.min(WINDOW.0), rows.min(WINDOW.1));
        let at = step * self.block as u32;
        let row = (at / columns.max(1)).saturating_sub(height * 2 / 3).min(rows - height);
        let column = (at % columns.max(1)).saturating_sub(width / 2).min(columns - width);
        Extent { column, row, width, height }
    }

    fn position_of(&self, (column, row): (u32, u32)) -> usize {
        (row as usize * self.size().0 as usize + column as usize) / self.block
    }

    fn draw(&self, panel: &Panel, seen: &Seen<'_>) -> Drawing {
        let (palette, window) = (seen.palette, self.window(seen.step));
        let live = |cell| self.cell(cell) == 1;
        let scale = |what: &str| Legend::Scale(Ramp::Probability, ["0".into(), format!("1 {what}")]);
        let truth = self.tokens.get(seen.step as usize).map(|&token| token as u32);
        let mut drawing = match panel.name {
            "history" => Drawing {
                legend: Legend::Words("tools change the first row · fainter: yet to come".into()),
                changed: if seen.overlays.changed { self.changed(seen.step) } else { Vec::new() },
                ..Drawing::new(
                    format!("History · {}", self.own.rule),
                    Ok(self.paint(seen, |cell| palette.state(self.cell(cell), 2))),
                )
            },
            "prediction" => {
                let raster = seen.belief.map_err(str::to_string);
                let raster = raster.map(|b| self.paint(seen, |cell| palette.probability(self.believed(b, cell))));
                Drawing { legend: scale("probability of 1"), ..Drawing::new("Prediction, cell by cell", raster) }
            }
            "pinned" | "pinned-2" | "pinned-3" | "pinned-4" => {
                let place = place_of(panel);
                let raster = seen.pin(place).map_err(str::to_string);
                let raster = raster.map(|(b, _)| self.paint(seen, |cell| palette.probability(self.believed(b, cell))));
                Drawing { legend: scale("probability of 1"), ..Drawing::new(seen.pin_title(place), raster) }
            }
            "bayes" => {
                let raster = self.paint(seen, |cell| palette.probability(self.reckoned(cell)));
                Drawing {
                    legend: scale("probability of 1 · grey: not to be known"),
                    ..Drawing::new("Bayes over all rules", Ok(raster))
                }
            }
            "error" => {
                let raster = seen.belief.map_err(str::to_string);
                let raster = raster.map(|b| self.paint(seen, |cell| palette.error(live(cell), self.believed(b, cell))));
                let keys =
                    [(palette.warm, "0 held for 1"), (palette.cold, "1 held for 0"), (palette.quiet, "1, correct")];
                Drawing {
                    legend: Legend::Keys(keys.map(|(shade, text)| (shade, text.to_string())).to_vec()),
                    ..Drawing::new("Error", raster)
                }
            }
            "table" => self.draw_table(seen),
            "probe" => self.draw_probe(seen),
            "next" => self.draw_next(seen),
            "attention" => self.sheet(seen, |sheet, seen| sheet.attention(seen)),
            "lens" => lens(seen, self.token_names(), truth),
            name => {
                let paint = |shade: &dyn Fn((u32, u32)) -> Rgb| self.paint(seen, shade);
                let own = self.structure.panel(name, palette, &paint);
                own.unwrap_or_else(|| self.sheet(seen, |sheet, seen| sheet.activation(seen)))
            }
        };
        if panel.ground != Ground::Table {
            drawing.rows = (window.row..window.row + window.height).map(|row| row.to_string()).collect();
            drawing.framed = self.coming(seen.step);
        }
        drawing
    }

    fn describe(&self, cell: (u32, u32), seen: &Seen<'_>) -> Vec<Fact> {
        let position = self.position_of(cell);
        let mut facts = vec![
            ("column, row".to_string(), format!("{}, {}", cell.0, cell.1)),
            ("token".to_string(), position.to_string()),
            ("cell".to_string(), self.cell(cell).to_string()),
        ];
        if let Ok(belief) = seen.belief {
            facts.push(("model's probability of 1".into(), format!("{:.3}", self.believed(belief, cell))));
        }
        facts.push(("Bayes's probability of 1".into(), format!("{:.3}", self.reckoned(cell))));
        if let Some(known) = self.known.get(position) {
            let at = cell.0 as usize % self.block;
            if let Some(&entry) = known.used.as_ref().and_then(|used| used.get(at)) {
                let bits = 2 * self.own.rule.radius() + 1;
                let state = if known.entries[entry].is_some() { "known" } else { "not seen yet" };
                facts.push(("comes from entry".into(), format!("{entry:0bits$b}, {state}")));
            }
        }
        self.structure.describe(cell, &mut facts);
        facts
    }

    fn score(&self, step: u32, belief: &[f32]) -> Score {
        let Some(&token) = self.tokens.get(step as usize) else { return Score::default() };
        let model = expected(belief, step, self.cells()).map_or(0.0, |chances| nats(f64::from(chances[token])));
        let reference = self.known.get(step as usize).map_or(0.0, |known| nats(known.next[token]));
        Score { model, reference }
    }

    fn token(&self, step: u32) -> Option<usize> {
        self.tokens.get(step as usize).copied()
    }

    fn targets(&self) -> usize {
        self.cells()
    }

    fn changed(&self, _step: u32) -> Vec<(u32, u32)> {
        let Some(original) = &self.original else { return Vec::new() };
        let (width, height) = self.size();
        let all = (0..height).flat_map(|row| (0..width).map(move |column| (column, row)));
        let before = |(column, row): (u32, u32)| original.rows.get(row as usize)?.get(column as usize).copied();
        all.filter(|&cell| before(cell) != Some(self.cell(cell))).collect()
    }
}
