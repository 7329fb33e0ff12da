//! The state of the viewer: what is open, what is chosen, what is known. Knows nothing of windows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use environments::{Edit, Outline, Split};
use models::{Captured, TapShape};

use crate::command::Command;
use crate::edits::History;
use crate::mind::{Mind, Question};
use crate::palette::Palette;
use crate::panel::{Panel, Score, Seen};
use crate::scene::{Drawn, Raster};
use crate::source::Source;
use crate::subject::{Fact, Observed, Subject};
use crate::timeline::Timeline;
use crate::view::{Tool, View};

mod control;

/// What the model has answered about one horizon.
#[derive(Clone, Debug)]
struct Belief {
    /// Probability that each cell is live.
    live: Vec<f32>,
    score: Score,
    activation: Option<Captured>,
}

/// The model that is asked.
struct Asked {
    mind: Mind,
    /// Number of the question whose answers are awaited.
    question: u64,
    taps: Vec<TapShape>,
}

/// A board, ready to be put on the screen.
#[derive(Clone, Debug)]
pub struct Board {
    /// Which it is.
    pub panel: Panel,
    /// Its heading.
    pub title: String,
    /// Its picture, or why there is none.
    pub picture: Result<Raster, String>,
    /// Whether the picture is awaited.
    pub busy: bool,
    /// Objects to be outlined.
    pub outlines: Vec<Outline>,
    /// Cells to be marked as changed by edits.
    pub changed: Vec<(u32, u32)>,
}

/// The state of the viewer.
pub struct Session {
    source: Source,
    /// The world of the chosen model.
    subject: Arc<dyn Subject>,
    view: View,
    timeline: Timeline,
    history: History,
    observed: Observed,
    /// The episode without edits, while there are some.
    original: Option<Observed>,
    asked: Option<Asked>,
    beliefs: BTreeMap<u32, Belief>,
    /// The end of the scale of activations, chosen when they were first seen.
    scale: Option<f32>,
    objects: BTreeMap<u32, Vec<Outline>>,
    hover: Option<(u32, u32)>,
    /// Where the pen is while it draws or erases.
    pen: Option<(u32, u32)>,
    message: Option<String>,
    revision: u64,
}

impl Session {
    /// Opens a source with a view. `device` names where models run.
    ///
    /// # Errors
    /// If the view asks for what is not there, or a checkpoint cannot be read; in one sentence.
    pub fn open(source: Source, view: View, device: &str) -> anyhow::Result<Self> {
        let subject = source.subject(view.model.as_deref()).clone();
        let observed = subject.observe(view.split, view.index, &view.edits).map_err(|e| anyhow::anyhow!(e))?;
        let mut timeline = Timeline::new(observed.scene.last_step());
        timeline.set_speed(view.speed);
        let horizons = subject.horizons();
        timeline.go_to(view.step.or(horizons.get(horizons.len() / 2).copied()).unwrap_or(0));
        let mut view = view;
        if source.checkpoints.is_empty() && view.boards == Panel::ALL {
            // Without a model there are no beliefs to leave room for.
            view.boards = vec![Panel::Start, Panel::Truth];
        }
        let asked = (!source.checkpoints.is_empty()).then(|| Asked {
            mind: Mind::start(device.to_string()),
            question: 0,
            taps: Vec::new(),
        });
        let history = History::of(view.edits.clone());
        let mut session = Self {
            source,
            subject,
            timeline,
            history,
            observed,
            original: None,
            asked,
            beliefs: BTreeMap::new(),
            scale: view.scale,
            objects: BTreeMap::new(),
            hover: None,
            pen: None,
            message: None,
            revision: 0,
            view,
        };
        session.read_spec().map_err(|reason| anyhow::anyhow!(reason))?;
        let (width, height) = session.size();
        if let Some([column, row]) = session.view.cell.filter(|&[column, row]| column >= width || row >= height) {
            return Err(anyhow::anyhow!(
                "the view's `cell` = [{column}, {row}] is off the board of {width}×{height} cells"
            ));
        }
        if let Err(reason) = session.subject.footprint(&session.view.pattern) {
            return Err(anyhow::anyhow!("the view's `pattern`: {reason}"));
        }
        session.look_at_original();
        session.ask();
        Ok(session)
    }

    /// What is open.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The world of the chosen model.
    pub fn subject(&self) -> &dyn Subject {
        self.subject.as_ref()
    }

    /// What is chosen. Steps, speed and edits are kept elsewhere; see [`Session::saved_view`].
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The view as it would be saved.
    pub fn saved_view(&self) -> View {
        View {
            step: Some(self.timeline.step()),
            speed: self.timeline.speed(),
            edits: self.history.edits(),
            help: false,
            ..self.view.clone()
        }
    }

    /// Where one is in time.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// The edits.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The episode.
    pub fn observed(&self) -> &Observed {
        &self.observed
    }

    /// Columns and rows.
    pub fn size(&self) -> (u32, u32) {
        self.observed.scene.size()
    }

    /// The colours.
    pub fn palette(&self) -> Palette {
        Palette::of(self.view.theme)
    }

    /// Counts up whenever something that is drawn has changed.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Something a person should know, in a sentence.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Says something to the person.
    pub fn say(&mut self, message: impl Into<String>) {
        self.message = Some(message.into());
    }

    /// Whether the model is at work.
    pub fn is_busy(&self) -> bool {
        self.asked.as_ref().is_some_and(|asked| asked.mind.is_busy())
    }

    /// The name of the model and its checkpoint's step.
    pub fn checkpoint(&self) -> Option<(&str, u64)> {
        let found = self.source.checkpoint(self.view.model.as_deref(), self.view.checkpoint).ok()?;
        Some((&found.model, found.step))
    }

    /// The taps that can be laid over a board: those of one row a position.
    pub fn taps(&self) -> Vec<&TapShape> {
        let taps = self.asked.as_ref().map_or(&[][..], |asked| &asked.taps);
        let positions = taps.first().map_or(0, |tap| tap.rows);
        taps.iter().filter(|tap| tap.rows == positions).collect()
    }

    /// The chosen tap: the residual stream after the last block unless another is chosen.
    pub fn tap(&self) -> Option<&TapShape> {
        let taps = self.taps();
        match &self.view.tap {
            Some(name) => taps.into_iter().find(|tap| tap.name == *name),
            None => taps.iter().rev().find(|tap| tap.name.ends_with("resid_post")).or(taps.first()).copied(),
        }
    }

    /// The end of the scale of activations; fixed until another tap, neuron or model is chosen.
    pub fn scale(&self) -> Option<f32> {
        self.scale
    }

    /// Whether a horizon is one that models are trained to predict.
    pub fn is_trained(&self, step: u32) -> bool {
        self.subject.horizons().contains(&step)
    }

    /// The cell under the pointer, or else the chosen one.
    pub fn cell(&self) -> Option<(u32, u32)> {
        self.hover.or(self.view.cell.map(|[column, row]| (column, row)))
    }

    /// The model's probability that a cell is live at the step that is shown.
    pub fn probability(&self, (column, row): (u32, u32)) -> Option<f32> {
        let at = row as usize * self.size().0 as usize + column as usize;
        self.beliefs.get(&self.timeline.step())?.live.get(at).copied()
    }

    /// Wrong cells, for every horizon that the model has answered about.
    pub fn scores(&self) -> BTreeMap<u32, Score> {
        self.beliefs.iter().map(|(&horizon, belief)| (horizon, belief.score)).collect()
    }

    /// The objects that are there after some steps. Recognised once.
    pub fn objects(&mut self, step: u32) -> &[Outline] {
        let (subject, observed) = (&self.subject, &self.observed);
        self.objects.entry(step).or_insert_with(|| subject.objects(observed, step))
    }

    /// The object that covers a cell after some steps.
    pub fn object_at(&mut self, step: u32, cell: (u32, u32)) -> Option<Outline> {
        self.objects(step).iter().find(|object| object.cells.contains(&cell)).cloned()
    }

    /// What is true of a cell at the chosen horizon.
    pub fn facts(&self, cell: (u32, u32)) -> Vec<Fact> {
        self.subject.facts(&self.observed, self.timeline.step().max(1), cell)
    }

    /// The cells that the tool would touch at the cell under the pointer, wrapped onto the board.
    pub fn ghost(&self) -> Vec<(u32, u32)> {
        let Some(cell) = self.cell() else { return Vec::new() };
        match self.view.tool {
            Tool::Look => Vec::new(),
            Tool::Draw | Tool::Erase => vec![cell],
            Tool::Drop => {
                let cells = self.subject.footprint(&self.view.pattern).unwrap_or_default();
                let (column, row) = corner(&cells, cell);
                let (width, height) = self.size();
                let wrap = |place: i32, length: u32| place.rem_euclid(length.max(1) as i32) as u32;
                let place = |(x, y): (u32, u32)| (wrap(column + x as i32, width), wrap(row + y as i32, height));
                cells.into_iter().map(place).collect()
            }
        }
    }

    /// The boards that are to be shown.
    pub fn boards(&mut self) -> Vec<Board> {
        let step = self.timeline.step();
        let overlays = self.view.overlays;
        let (now, then) = if overlays.objects {
            (self.objects(0).to_vec(), self.objects(step).to_vec())
        } else {
            (Vec::new(), Vec::new())
        };
        let palette = self.palette();
        let belief = self.beliefs.get(&step);
        let (reason, busy) = self.why_nothing(step);
        let activation = self.activation(step);
        let seen = Seen {
            scene: &self.observed.scene,
            step,
            prediction: belief.map(|belief| belief.live.as_slice()).ok_or(reason.as_str()),
            activation: match (&activation, self.scale) {
                (Some(values), Some(scale)) => Ok((values.as_slice(), scale)),
                _ => Err(reason.as_str()),
            },
            signed: self.view.neuron.is_some(),
            palette: &palette,
        };
        let shown = self.view.boards.iter().map(|&panel| {
            let picture = panel.paint(&seen);
            Board {
                panel,
                title: panel.title(step),
                busy: busy && picture.is_err(),
                picture,
                outlines: if panel.is_at_start() { now.clone() } else { then.clone() },
                changed: match panel {
                    Panel::Start => self.changed(0),
                    Panel::Truth => self.changed(step),
                    _ => Vec::new(),
                },
            }
        });
        shown.collect()
    }

    /// Why there is no prediction, and whether one is awaited.
    fn why_nothing(&self, step: u32) -> (String, bool) {
        if self.asked.is_none() {
            (self.source.mindless.into(), false)
        } else if step == 0 {
            ("choose a horizon: press →".into(), false)
        } else if self.is_busy() {
            ("computing…".into(), true)
        } else {
            (self.message.clone().unwrap_or_else(|| "the model has not answered".into()), false)
        }
    }

    /// The chosen activation at each cell.
    fn activation(&self, step: u32) -> Option<Vec<f32>> {
        let captured = self.beliefs.get(&step)?.activation.as_ref()?;
        let rows = reduce(captured, self.view.neuron);
        let (width, height) = self.size();
        let cells = (0..height).flat_map(|row| (0..width).map(move |column| (column, row)));
        let value = |(column, row)| rows.get(self.subject.position_of(column, row)).copied().unwrap_or(0.0);
        Some(cells.map(value).collect())
    }

    /// The value of the chosen activation at a cell.
    pub fn activation_at(&self, (column, row): (u32, u32)) -> Option<f32> {
        let captured = self.beliefs.get(&self.timeline.step())?.activation.as_ref()?;
        reduce(captured, self.view.neuron).get(self.subject.position_of(column, row)).copied()
    }

    /// Cells that are not as they would be without the edits.
    fn changed(&self, step: u32) -> Vec<(u32, u32)> {
        let Some(original) = self.original.as_ref().filter(|_| self.view.overlays.changed) else { return Vec::new() };
        let width = self.size().0.max(1);
        let pairs = original.scene.cells(step).iter().zip(self.observed.scene.cells(step));
        let differ = pairs.enumerate().filter(|(_, (before, after))| before != after);
        differ.map(|(cell, _)| (cell as u32 % width, cell as u32 / width)).collect()
    }

    /// Number of cells whose state at the shown step the edits have changed.
    pub fn changed_count(&self) -> usize {
        self.changed(self.timeline.step()).len()
    }

    /// Time goes by. Takes in what the model has answered meanwhile.
    pub fn tick(&mut self, seconds: f32) {
        if self.timeline.tick(seconds) {
            self.revision += 1;
        }
        while let Some(answer) = self.asked.as_mut().and_then(|asked| asked.mind.poll()) {
            self.learn(answer.horizon, answer.outcome);
        }
    }

    /// Waits until the model has answered everything.
    ///
    /// # Errors
    /// What went wrong, also if an answer takes longer than `patience`.
    pub fn settle(&mut self, patience: Duration) -> Result<(), String> {
        while let Some(asked) = self.asked.as_mut().filter(|asked| asked.mind.is_busy()) {
            let Some(answer) = asked.mind.wait(patience) else {
                return Err(format!("the model has not answered within {} seconds", patience.as_secs()));
            };
            let failure = answer.outcome.as_ref().err().cloned();
            self.learn(answer.horizon, answer.outcome);
            if let Some(failure) = failure {
                return Err(failure);
            }
        }
        Ok(())
    }

    fn learn(&mut self, horizon: u32, outcome: Result<(Vec<f32>, Option<Captured>), String>) {
        self.revision += 1;
        match outcome {
            Ok((logits, activation)) => {
                let live = self.subject.answer(&logits);
                let scene = &self.observed.scene;
                let score = Score::count(scene.cells(0), scene.cells(horizon), &live);
                if let (None, Some(captured)) = (self.scale, &activation) {
                    self.scale =
                        Some(round_up(greatest(captured, self.view.neuron, self.size(), self.subject.as_ref())));
                }
                self.beliefs.insert(horizon, Belief { live, score, activation });
            }
            Err(reason) => self.say(reason),
        }
    }

    /// Reads the model's sizes, and checks that it fits the world and the chosen tap is there.
    fn read_spec(&mut self) -> Result<(), String> {
        let Some(asked) = &mut self.asked else { return Ok(()) };
        let chosen = self.source.checkpoint(self.view.model.as_deref(), self.view.checkpoint)?;
        let parameters = models::load_parameters(&chosen.path).map_err(|error| error.to_string())?;
        let fits = self.subject.accepts(&parameters.spec);
        fits.map_err(|reason| format!("the model of {} does not fit the run: {reason}", chosen.path.display()))?;
        if let Some(name) = &self.view.tap {
            parameters.spec.tap(name).map_err(|error| error.to_string())?;
        }
        asked.taps = parameters.spec.taps();
        match (&self.view.tap, self.tap(), self.view.neuron) {
            (Some(name), None, _) => Err(format!("the tap `{name}` has no row for each position, and covers no board")),
            (_, Some(tap), Some(neuron)) if neuron >= tap.width => {
                Err(format!("the tap `{}` has no neuron {neuron}; the last is {}", tap.name, tap.width - 1))
            }
            _ => Ok(()),
        }
    }

    /// Asks the model about the episode: first the step that is shown, then those that it is trained on, then all.
    fn ask(&mut self) {
        let tap = self.tap().map(|tap| tap.name.clone());
        let Some(asked) = &mut self.asked else { return };
        let Ok(chosen) = self.source.checkpoint(self.view.model.as_deref(), self.view.checkpoint) else { return };
        let subject = &self.subject;
        let last = self.observed.scene.last_step().min(subject.longest_horizon());
        let mut horizons = vec![self.timeline.step()];
        horizons.extend(subject.horizons());
        horizons.extend(1..=last);
        let mut asks: Vec<(u32, Vec<_>)> = Vec::new();
        for horizon in horizons {
            if (1..=last).contains(&horizon) && asks.iter().all(|(known, _)| *known != horizon) {
                asks.push((horizon, subject.question(&self.observed, horizon)));
            }
        }
        asked.question = asked.mind.ask(Question { checkpoint: chosen.path.clone(), asks, tap });
    }

    /// Simulates the chosen episode afresh and asks the model about it.
    fn look(&mut self) {
        match self.subject.observe(self.view.split, self.view.index, &self.history.edits()) {
            Ok(observed) => self.observed = observed,
            Err(reason) => {
                self.say(reason);
                return;
            }
        }
        self.timeline.set_last(self.observed.scene.last_step());
        self.objects.clear();
        self.beliefs.clear();
        self.look_at_original();
        self.ask();
        self.revision += 1;
    }

    fn look_at_original(&mut self) {
        let stale = |original: &Observed| (original.split, original.index) != (self.view.split, self.view.index);
        if self.history.is_empty() {
            self.original = None;
        } else if self.original.as_ref().is_none_or(stale) {
            self.original = self.subject.observe(self.view.split, self.view.index, &[]).ok();
        }
    }
}

/// The north-west corner from which a pattern's middle comes to lie on a cell.
fn corner(cells: &[(u32, u32)], (column, row): (u32, u32)) -> (i32, i32) {
    let width = cells.iter().map(|cell| cell.0 + 1).max().unwrap_or(1);
    let height = cells.iter().map(|cell| cell.1 + 1).max().unwrap_or(1);
    (column as i32 - (width / 2) as i32, row as i32 - (height / 2) as i32)
}

/// One value a position: a neuron's, or the norm over all.
fn reduce(captured: &Captured, neuron: Option<usize>) -> Vec<f32> {
    let rows = captured.values.chunks_exact(captured.width.max(1));
    match neuron {
        Some(neuron) => rows.map(|row| row.get(neuron).copied().unwrap_or(0.0)).collect(),
        None => rows.map(|row| row.iter().map(|value| value * value).sum::<f32>().sqrt()).collect(),
    }
}

/// The greatest absolute value at a position that covers a cell.
fn greatest(captured: &Captured, neuron: Option<usize>, (width, height): (u32, u32), subject: &dyn Subject) -> f32 {
    let rows = reduce(captured, neuron);
    let cells = (0..height).flat_map(|row| (0..width).map(move |column| (column, row)));
    let value = |(column, row)| rows.get(subject.position_of(column, row)).map_or(0.0, |value| value.abs());
    cells.map(value).fold(0.0, f32::max)
}

/// The next round number that is not below a value.
fn round_up(value: f32) -> f32 {
    if !value.is_finite() || value <= 0.0 {
        return 1.0;
    }
    let power = 10f32.powi(value.log10().floor() as i32);
    let rounds = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    rounds.map(|step| step * power).into_iter().find(|&end| end >= value).unwrap_or(10.0 * power)
}

/// The element after (or before) one in a list, going round; the first where there is no such.
fn neighbour<T: PartialEq + Clone>(list: &[T], current: &T, forwards: bool) -> Option<T> {
    let Some(place) = list.iter().position(|one| one == current) else { return list.first().cloned() };
    let step = if forwards { 1 } else { list.len() - 1 };
    list.get((place + step) % list.len()).cloned()
}

/// The split after another, going round.
fn next_split(split: Split) -> Split {
    neighbour(&Split::ALL, &split, true).unwrap_or(split)
}

/// Whether a command is for the window and not for the session.
pub fn is_for_window(command: Command) -> bool {
    matches!(command, Command::Save | Command::Picture | Command::Quit)
}

/// An edit that makes cells dead.
fn wipe(cells: Vec<(u32, u32)>) -> Edit {
    Edit::Paint { cells, state: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_in_round_numbers() {
        for (value, end) in [(0.7, 0.8), (1.0, 1.0), (1.2, 1.5), (97.0, 100.0), (101.0, 150.0), (0.0, 1.0)] {
            let found = round_up(value);
            assert!((found - end).abs() < 1e-4 * end, "{value}: {found}");
        }
        assert_eq!((round_up(f32::NAN), round_up(f32::INFINITY)), (1.0, 1.0));
    }

    #[test]
    fn lists_go_round() {
        assert_eq!(neighbour(&[1, 2, 3], &3, true), Some(1));
        assert_eq!(neighbour(&[1, 2, 3], &1, false), Some(3));
        assert_eq!(neighbour(&[1, 2, 3], &9, true), Some(1));
        assert_eq!(neighbour::<u8>(&[], &9, true), None);
    }

    #[test]
    fn things_are_put_down_by_their_middle() {
        assert_eq!(corner(&[(0, 0), (2, 2)], (5, 7)), (4, 6));
        assert_eq!(corner(&[(0, 0), (1, 1)], (0, 0)), (-1, -1));
    }
}
