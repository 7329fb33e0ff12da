//! The state of the viewer: what is open, what is chosen, what is known. Knows nothing of windows.

use std::collections::BTreeMap;
use std::sync::Arc;

use environments::{Outline, Split};
use experiments::intervention::Intervention;

use crate::command::Command;
use crate::edits::History;
use crate::palette::Palette;
use crate::scene::{Panel, Score, find_panel};
use crate::source::Source;
use crate::subject::{Fact, Observed, Subject};
use crate::timeline::Timeline;
use crate::training::Course;
use crate::view::{Tool, View};

mod asking;
mod boards;
mod choose;
mod control;
mod patching;
mod pinning;
mod reach;
mod studying;

use asking::{Asked, Belief};
pub use boards::Board;
use pinning::Pinned;
use studying::Studies;

/// The state of the viewer.
pub struct Session {
    source: Source,
    /// The world of the chosen model.
    subject: Arc<dyn Subject>,
    view: View,
    timeline: Timeline,
    history: History,
    observed: Observed,
    asked: Option<Asked>,
    /// What the model has answered, by the number of the question.
    beliefs: BTreeMap<u32, Belief>,
    /// The end of the scale of activations, chosen when they were first seen.
    scale: Option<f32>,
    hover: Option<(u32, u32)>,
    /// Where the pen is while it draws or erases.
    pen: Option<(u32, u32)>,
    /// The cell by which an object is held while it is moved.
    held: Option<(u32, u32)>,
    /// The scores of the episode before it was edited.
    before: BTreeMap<u32, Score>,
    /// The world that patches are held against.
    against: Option<Observed>,
    /// What is found out by reading many episodes.
    studies: Studies,
    /// Other models beside the chosen one.
    pinned: Vec<Pinned>,
    /// Where models run.
    device: String,
    /// Whether the name of what is put down is to be written.
    naming: bool,
    message: Option<String>,
    revision: u64,
}

impl Session {
    /// Opens a source with a view. `device` names where models run.
    ///
    /// # Errors
    /// If the view asks for what is not there, or a checkpoint cannot be read; in one sentence.
    pub fn open(source: Source, mut view: View, device: &str) -> anyhow::Result<Self> {
        let fail = |reason: String| anyhow::anyhow!(reason);
        let subject = source.subject(view.model.as_deref()).clone();
        let observed = subject.observe(view.split, view.index, &view.edits).map_err(fail)?;
        let mut timeline = Timeline::new(observed.scene.last_step());
        timeline.set_speed(view.speed);
        timeline.go_to(view.step.unwrap_or(observed.begin));
        for name in &view.boards {
            find_panel(observed.scene.panels(), name)
                .map_err(|reason| fail(format!("the view's `boards`: {reason}")))?;
        }
        let (width, height) = observed.scene.size();
        if let Some([column, row]) = view.cell.filter(|&[column, row]| column >= width || row >= height) {
            return Err(fail(format!(
                "the view's `cell` = [{column}, {row}] is off the board of {width}×{height} cells"
            )));
        }
        if view.pattern.is_empty() {
            view.pattern = subject.palette(&observed).into_iter().next().unwrap_or_default();
        } else {
            subject.footprint(&view.pattern).map_err(|reason| fail(format!("the view's `pattern`: {reason}")))?;
        }
        if let Some(meant) = view.intervention.take().and_then(|it| it.address)
            && let here = subject.address(&observed).map(|(address, _)| address)
            && here.as_ref() != Some(&meant)
        {
            let here = here.map_or("none".into(), |address| address.environment);
            return Err(fail(format!(
                "the intervention was made in the environment {}, and this one is {here}, or has other episodes",
                meant.environment
            )));
        }
        let asked = (!source.checkpoints.is_empty()).then(|| Asked::start(device));
        let mut session = Self {
            source,
            subject,
            timeline,
            history: History::of(view.edits.clone()),
            observed,
            asked,
            beliefs: BTreeMap::new(),
            scale: view.scale,
            hover: None,
            pen: None,
            held: None,
            before: BTreeMap::new(),
            against: None,
            studies: Studies::default(),
            pinned: Vec::new(),
            device: device.into(),
            naming: false,
            message: None,
            revision: 0,
            view,
        };
        session.read_spec().map_err(fail)?;
        session.find_concepts();
        if let Some(text) = session.view.probe.clone() {
            let names: Vec<String> = session.concepts().iter().map(crate::study::Concept::text).collect();
            if session.asked.is_some() && !names.contains(&text) {
                let nearest = experiments::config::nearest(&text, names.iter().map(String::as_str));
                return Err(fail(format!(
                    "the view's `probe`: there is no concept `{text}`; the nearest is `{nearest}`"
                )));
            }
        }
        if session.view.probe.is_some() {
            session.scale = session.scale.or(Some(1.0));
        }
        session.hold_against();
        session.ask();
        session.study();
        for pin in std::mem::take(&mut session.view.pins) {
            session.pin(pin).map_err(fail)?;
        }
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
            intervention: None,
            ..self.view.clone()
        }
    }

    /// The view with what its edits did: a file that leads back here, and that names all that is needed to run the edits
    /// again with `Environment::counterfactual`.
    ///
    /// # Errors
    /// If nothing was edited.
    pub fn intervention(&self) -> Result<View, String> {
        if self.history.is_empty() && self.view.patches.is_empty() {
            return Err("nothing was changed yet that could be saved as an intervention".into());
        }
        let step = self.timeline.step();
        let pair = |scores: &BTreeMap<u32, Score>| scores.get(&step).map(|score| [score.model, score.reference]);
        let words = self.observed.scene.words();
        let address = self.subject.address(&self.observed).map(|(address, _)| address);
        let edits = self.all_edits(&self.observed);
        let (model, checkpoint) = self.checkpoint().map(|(model, step)| (model.to_string(), step)).unzip();
        Ok(View {
            model,
            checkpoint,
            intervention: Some(Intervention {
                address,
                edits,
                source: self.source.name.clone(),
                measures: [words.model.into(), words.reference.into()],
                before: pair(&self.before),
                after: pair(&self.scores()),
                changed: self.changed_count(),
                unedited: self.unedited_edits(),
                against: self.against.as_ref().map(|against| self.all_edits(against)).unwrap_or_default(),
                effect: self.effect(),
            }),
            ..self.saved_view()
        })
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

    /// The panels that there are.
    pub fn panels(&self) -> &'static [Panel] {
        self.observed.scene.panels()
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

    /// The name of the model and its checkpoint's step.
    pub fn checkpoint(&self) -> Option<(&str, u64)> {
        let found = self.source.checkpoint(self.view.model.as_deref(), self.view.checkpoint).ok()?;
        Some((&found.model, found.step))
    }

    /// Whether models are trained to answer about a step.
    pub fn is_trained(&self, step: u32) -> bool {
        let horizons = self.subject.horizons();
        horizons.is_empty() || horizons.contains(&step)
    }

    /// The cell under the pointer, or else the chosen one.
    pub fn cell(&self) -> Option<(u32, u32)> {
        self.hover.or(self.view.cell.map(|[column, row]| (column, row)))
    }

    /// The objects that are there after some steps.
    pub fn objects(&self, step: u32) -> &[Outline] {
        self.observed.scene.outlines(step)
    }

    /// The object that covers a cell after some steps.
    pub fn object_at(&self, step: u32, cell: (u32, u32)) -> Option<&Outline> {
        self.objects(step).iter().find(|object| object.cells.contains(&cell))
    }

    /// What is true of a cell by the world's labels, at the shown step.
    pub fn facts(&self, cell: (u32, u32)) -> Vec<Fact> {
        self.subject.facts(&self.observed, self.timeline.step().max(1), cell)
    }

    /// The cells that the tool would touch at the cell under the pointer, wrapped onto the board.
    pub fn ghost(&self) -> Vec<(u32, u32)> {
        let Some(cell) = self.cell() else { return Vec::new() };
        match self.view.tool {
            Tool::Look => Vec::new(),
            Tool::Patch => self.patch_ghost(cell),
            Tool::Draw | Tool::Erase => vec![cell],
            Tool::Move => {
                let held = self.held.and_then(|from| Some((from, self.object_at(0, from)?)));
                let Some((from, object)) = held else { return Vec::new() };
                let (width, height) = self.size();
                let (right, down) = (cell.0 + width - from.0, cell.1 + height - from.1);
                object.cells.iter().map(|&(x, y)| ((x + right) % width, (y + down) % height)).collect()
            }
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

    /// Number of cells whose state at the shown step the edits have changed.
    pub fn changed_count(&self) -> usize {
        self.observed.scene.changed(self.timeline.step()).len()
    }

    /// Simulates the chosen episode afresh and asks the model about it.
    fn look(&mut self) {
        let same = (self.observed.split, self.observed.index) == (self.view.split, self.view.index);
        if self.observed.edits.is_empty() || !same {
            self.before = if same { self.scores() } else { BTreeMap::new() };
        }
        match self.subject.observe(self.view.split, self.view.index, &self.history.edits()) {
            Ok(observed) => self.observed = observed,
            Err(reason) => {
                self.say(reason);
                return;
            }
        }
        if !same {
            self.view.patches.clear();
        }
        self.hold_against();
        self.timeline.set_last(self.observed.scene.last_step());
        let (width, height) = self.size();
        self.view.cell = self.view.cell.filter(|&[column, row]| column < width && row < height);
        (self.hover, self.held) = (None, None);
        self.beliefs.clear();
        self.ask();
        self.ask_pinned();
        self.revision += 1;
    }

    /// How the shown model's training went.
    pub fn course(&self) -> Option<Course> {
        let (model, shown) = self.checkpoint()?;
        Some(Course::of(&self.source.metrics, model, self.source.steps(model), shown))
    }
}

/// The north-west corner from which a pattern's middle comes to lie on a cell.
fn corner(cells: &[(u32, u32)], (column, row): (u32, u32)) -> (i32, i32) {
    let width = cells.iter().map(|cell| cell.0 + 1).max().unwrap_or(1);
    let height = cells.iter().map(|cell| cell.1 + 1).max().unwrap_or(1);
    (column as i32 - (width / 2) as i32, row as i32 - (height / 2) as i32)
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
    matches!(command, Command::Save | Command::Intervention | Command::Picture | Command::Film | Command::Quit)
}

#[cfg(test)]
mod tests {
    use super::*;

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
