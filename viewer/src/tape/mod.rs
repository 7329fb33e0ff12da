//! How machines are drawn: the tape through time, the table as far as it can be known, the next step.

mod draw;
mod evidence;
mod names;

use environments::turing::{HeadToken, Machine, Move, TuringEpisode};
use environments::{Scene, TapeRow};

use crate::line::{expected, nats};
use crate::scene::{Drawing, Drawn, Extent, Ground, Panel, Reads, Score, Seen, Words};
use crate::subject::Fact;
pub use evidence::{Evidence, Known};
pub use names::{Names, choice, letter, written};

/// Columns and rows of a tape that are shown at once; beyond them it scrolls.
const WINDOW: (u32, u32) = (64, 48);

/// Columns that are shown at least, whether the head comes there or not.
const NARROWEST: i64 = 16;

/// Columns by which the window moves sideways.
const STRIDE: i64 = 8;

/// The panels of machines.
pub const PANELS: &[Panel] = &[
    Panel::new("tape", Ground::Scene, Reads::Nothing),
    Panel::new("twin", Ground::Scene, Reads::Nothing),
    Panel::new("table", Ground::Table, Reads::Nothing),
    Panel::new("next", Ground::Table, Reads::Nothing),
    Panel::new("activation", Ground::Scene, Reads::Answer),
    Panel::new("attention", Ground::Scene, Reads::Attention),
    Panel::new("lens", Ground::Table, Reads::Lens),
    Panel::new("probe", Ground::Table, Reads::Entries),
];

/// A machine's run as it is drawn.
#[derive(Clone, Debug)]
struct Run {
    machine: Machine,
    episode: TuringEpisode,
    /// Position on the tape of the rows' first column.
    origin: i64,
    rows: Vec<TapeRow>,
}

impl Run {
    fn new(episode: TuringEpisode, scene: &Scene) -> Self {
        let (origin, rows) = match scene {
            Scene::Tape { origin, rows, .. } => (*origin, rows.clone()),
            Scene::Board { .. } => (0, Vec::new()),
        };
        Self { machine: episode.machine.clone(), episode, origin, rows }
    }

    /// The symbol at a position of the tape before a step, where the head ever comes there.
    fn symbol(&self, step: u32, position: i64) -> Option<u8> {
        let column = usize::try_from(position - self.origin).ok()?;
        self.rows.get(step as usize)?.cells.get(column).copied()
    }

    fn head(&self, step: u32) -> Option<i64> {
        self.rows.get(step as usize).map(|row| self.origin + i64::from(row.head))
    }

    fn last_position(&self) -> i64 {
        self.origin + self.rows.first().map_or(0, |row| row.cells.len() as i64 - 1)
    }
}

/// A machine beside the one that is watched, on the same tape.
#[derive(Clone, Debug)]
struct Twin {
    run: Run,
    /// What it is, such as `its evil twin`.
    caption: &'static str,
    /// The step at which the entry in which they differ first fires; nothing parts the runs before it.
    fork: Option<u32>,
}

/// A machine's tape through time: the row of step t is the tape before it.
pub struct TapeScene {
    scene: Scene,
    own: Run,
    twin: Option<Twin>,
    /// Positions of the first and the last column.
    frame: (i64, i64),
    names: Names,
    evidence: Evidence,
    tokens: Vec<usize>,
}

impl TapeScene {
    /// A run with its scene, another beside it with its caption, and what can be known of the first.
    pub fn new(
        episode: TuringEpisode,
        scene: Scene,
        other: Option<(TuringEpisode, Scene, &'static str)>,
        evidence: Evidence,
    ) -> Self {
        let symbols = episode.machine.symbols();
        let tokens = episode.steps.iter().map(|step| step.token.index(symbols)).collect();
        let names = Names::of(&episode);
        let own = Run::new(episode, &scene);
        let twin = other.map(|(episode, scene, caption)| {
            let steps = own.episode.steps.iter().zip(&episode.steps);
            let fork = steps.clone().position(|(a, b)| (a.token, a.next) != (b.token, b.next)).map(|step| step as u32);
            Twin { run: Run::new(episode, &scene), caption, fork }
        });
        let runs = || std::iter::once(&own).chain(twin.iter().map(|twin| &twin.run));
        let first = runs().map(|run| run.origin).min().unwrap_or(0);
        let last = runs().map(Run::last_position).max().unwrap_or(0);
        let missing = (NARROWEST - (last - first + 1)).max(0);
        let frame = (first - missing / 2, last + missing - missing / 2);
        Self { scene, own, twin, frame, names, evidence, tokens }
    }

    fn states(&self) -> usize {
        self.own.machine.states()
    }

    fn symbols(&self) -> usize {
        self.own.machine.symbols()
    }

    fn position(&self, column: u32) -> i64 {
        self.frame.0 + i64::from(column)
    }

    /// The model's probabilities of every next token before a step.
    fn expected<'a>(&self, step: u32, belief: &'a [f32]) -> Option<&'a [f32]> {
        expected(belief, step, self.targets())
    }
}

/// A token as it is written: read, then written and moved.
pub fn token_name(token: usize, symbols: usize) -> String {
    let HeadToken { read, write, shift } = HeadToken::of_index(token, symbols);
    format!("{read}→{write}{}", if shift == Move::Right { 'R' } else { 'L' })
}

impl Drawn for TapeScene {
    fn scene(&self) -> &Scene {
        &self.scene
    }

    fn panels(&self) -> &'static [Panel] {
        PANELS
    }

    fn words(&self) -> Words {
        Words {
            step: "step",
            model: "model: nats",
            reference: "Bayes over the class: nats",
            no_question: "the model has not answered",
            overlays: &["grid", "edited"],
        }
    }

    fn size(&self) -> (u32, u32) {
        ((self.frame.1 - self.frame.0 + 1) as u32, self.own.rows.len() as u32)
    }

    fn last_step(&self) -> u32 {
        self.own.rows.len().saturating_sub(1) as u32
    }

    fn window(&self, step: u32) -> Extent {
        let (columns, rows) = self.size();
        let (width, height) = (columns.min(WINDOW.0), rows.min(WINDOW.1));
        // The present lies two thirds down, and the head near the middle.
        let row = step.saturating_sub(height * 2 / 3).min(rows - height);
        let head = self.own.head(step).unwrap_or(0) - self.frame.0;
        let left = (head - i64::from(width) / 2).div_euclid(STRIDE) * STRIDE;
        let column = left.clamp(0, i64::from(columns - width)) as u32;
        Extent { column, row, width, height }
    }

    fn position_of(&self, (_, row): (u32, u32)) -> usize {
        row as usize
    }

    fn draw(&self, panel: &Panel, seen: &Seen<'_>) -> Drawing {
        match panel.name {
            "tape" => self.draw_tape(seen),
            "twin" => self.draw_twin(seen),
            "table" => self.draw_table(seen),
            "next" => self.draw_next(seen),
            "attention" => self.draw_attention(seen),
            "lens" => self.draw_lens(seen),
            "probe" => self.draw_probe(seen),
            _ => self.draw_activation(seen),
        }
    }

    fn describe(&self, (column, row): (u32, u32), seen: &Seen<'_>) -> Vec<Fact> {
        let position = self.position(column);
        let symbol = self.own.symbol(row, position).map_or("not visited".to_string(), |symbol| symbol.to_string());
        let mut facts = vec![
            ("step".to_string(), row.to_string()),
            ("tape position".to_string(), position.to_string()),
            ("symbol".to_string(), symbol),
        ];
        let Some(step) = self.own.episode.steps.get(row as usize) else { return facts };
        facts.push(("head at".into(), step.position.to_string()));
        facts.push(("hidden state".into(), letter(self.names.shown(step.state))));
        facts.push(("entry used".into(), format!("{}{}", letter(self.names.shown(step.state)), step.token.read)));
        let token = step.token.index(self.symbols());
        let shift = if step.token.shift == Move::Right { "R" } else { "L" };
        facts.push(("step taken".into(), format!("reads {}, writes {}, {shift}", step.token.read, step.token.write)));
        if let Some(chances) = seen.belief.ok().and_then(|belief| self.expected(row, belief)) {
            facts.push(("model's probability".into(), format!("{:.3}", chances[token])));
        }
        if let Some(known) = self.evidence.class.as_ref().ok().and_then(|class| class.get(row as usize)) {
            facts.push(("Bayes's probability".into(), format!("{:.3}", known.next[token])));
            facts.push(("tables that fit".into(), known.tables.to_string()));
        }
        facts
    }

    fn score(&self, step: u32, belief: &[f32]) -> Score {
        let Some(&token) = self.tokens.get(step as usize) else { return Score::default() };
        let model = self.expected(step, belief).map_or(0.0, |chances| nats(f64::from(chances[token])));
        let known = self.evidence.class.as_ref().ok().and_then(|class| class.get(step as usize));
        Score { model, reference: known.map_or(0.0, |known| nats(known.next[token])) }
    }

    /// The step at which the two runs part, if there are two and they do.
    fn moment(&self) -> Option<u32> {
        self.twin.as_ref()?.fork
    }

    fn token(&self, step: u32) -> Option<usize> {
        self.tokens.get(step as usize).copied()
    }

    fn targets(&self) -> usize {
        HeadToken::count(self.symbols())
    }

    fn changed(&self, step: u32) -> Vec<(u32, u32)> {
        let Some(twin) = &self.twin else { return Vec::new() };
        let columns = self.size().0;
        let differs = |row: u32, column: u32| {
            let at = self.position(column);
            let (own, other) = (self.own.symbol(row, at), twin.run.symbol(row, at));
            own.is_some() && other.is_some() && own != other
        };
        let rows = twin.fork.map_or(step + 1, |fork| fork + 1)..=step;
        rows.flat_map(|row| (0..columns).filter(move |&c| differs(row, c)).map(move |c| (c, row)).collect::<Vec<_>>())
            .collect()
    }
}
