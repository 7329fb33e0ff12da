//! What the model is asked, and what it has answered.

use std::collections::BTreeMap;
use std::time::Duration;

use environments::Symbol;
use models::{Captured, TapShape};

use super::Session;
use crate::mind::{Mind, Question, Told};
use crate::scene::{Reads, Score};
use crate::subject::Asks;

/// What the model has answered to one question.
#[derive(Clone, Debug)]
pub(super) struct Belief {
    /// As the scene's pictures take it.
    pub values: Vec<f32>,
    pub activation: Option<Captured>,
    pub attention: Option<Captured>,
    /// What the logit lens reads at the chosen tap, as `values`.
    pub lens: Option<Vec<f32>>,
    /// The same at the end of every layer.
    pub layers: Vec<Vec<f32>>,
    /// What it answers under patches, as `values`.
    pub patched: Option<Vec<f32>>,
}

/// The model that is asked.
pub(super) struct Asked {
    mind: Mind,
    taps: Vec<TapShape>,
}

impl Asked {
    pub fn start(device: &str) -> Self {
        Self { mind: Mind::start(device.to_string()), taps: Vec::new() }
    }
}

impl Session {
    /// Whether a model is at work, or something is being found out.
    pub fn is_busy(&self) -> bool {
        self.is_asked() || self.is_studying()
    }

    /// Whether answers of models are awaited.
    pub fn is_asked(&self) -> bool {
        self.asked.as_ref().is_some_and(|asked| asked.mind.is_busy())
            || self.pinned.iter().any(|pinned| pinned.mind.is_busy())
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

    /// The attention pattern of the chosen tap's block; of the last block where the tap is in none.
    pub fn pattern(&self) -> Option<&TapShape> {
        let taps = &self.asked.as_ref()?.taps;
        let patterns = || taps.iter().filter(|tap| tap.name.ends_with("attn.pattern"));
        let block = |name: &str| name.split('.').take(2).map(str::to_string).collect::<Vec<_>>();
        let own = self.tap().map(|tap| block(&tap.name));
        patterns().find(|tap| Some(block(&tap.name)) == own).or(patterns().next_back())
    }

    /// Heads of the attention pattern.
    pub fn heads(&self) -> usize {
        self.pattern().map_or(0, |tap| tap.rows / tap.width.max(1))
    }

    /// The last tap of the residual stream, where the chosen one is of that stream too.
    fn lens_end(&self) -> Option<String> {
        let stream = |name: &str| name == "embed" || name.contains(".resid_");
        let own = self.tap().filter(|tap| stream(&tap.name))?;
        let last = self.taps().into_iter().rfind(|tap| tap.name.ends_with(".resid_post"))?;
        (own.width == last.width).then(|| last.name.clone())
    }

    /// The taps of the residual stream that stand for layers: the embedding, and the end of each block.
    pub(super) fn layers(&self) -> Vec<String> {
        let layer = |name: &str| name == "embed" || name.ends_with(".resid_post");
        self.taps().into_iter().filter(|tap| layer(&tap.name)).map(|tap| tap.name.clone()).collect()
    }

    /// Why the logit lens reads nothing at the chosen tap, if it cannot.
    pub(super) fn no_lens(&self) -> Option<&'static str> {
        let stream = self.taps().iter().any(|tap| tap.name.ends_with(".resid_post"));
        match self.lens_end() {
            Some(_) => None,
            None if stream => Some("choose a tap of the residual stream: press T"),
            None => Some("this model has no residual stream"),
        }
    }

    /// The attention that each position gets from that of the chosen cell, of the chosen head or the mean over all, and
    /// the end of the scale: the greatest at any position that covers a cell, so that it stays while the pointer moves.
    pub(super) fn attention(&self, cell: (u32, u32)) -> Option<(Vec<f32>, f32)> {
        let captured = self.about(self.timeline.step())?.attention.as_ref()?;
        let positions = captured.width;
        let heads: Vec<usize> = match self.view.head {
            Some(head) => vec![head.min((captured.rows / positions).saturating_sub(1))],
            None => (0..captured.rows / positions).collect(),
        };
        let from = |position: usize| -> Vec<f32> {
            let mut mean = vec![0.0; positions];
            for head in &heads {
                let row = captured.row(0, head * positions + position);
                mean.iter_mut().zip(row).for_each(|(sum, weight)| *sum += weight / heads.len() as f32);
            }
            mean
        };
        let (width, height) = self.size();
        let mut covered: Vec<usize> = (0..height)
            .flat_map(|row| (0..width).map(move |column| (column, row)))
            .map(|cell| self.observed.scene.position_of(cell))
            .collect();
        covered.sort_unstable();
        covered.dedup();
        let greatest = covered.iter().map(|&query| {
            let row = from(query);
            covered.iter().map(|&key| row.get(key).copied().unwrap_or(0.0)).fold(0.0, f32::max)
        });
        let end = round_up(greatest.fold(0.0, f32::max));
        let query = self.observed.scene.position_of(cell);
        (query < positions).then(|| (from(query), end))
    }

    /// The end of the scale of activations; fixed until another tap, neuron or model is chosen.
    pub fn scale(&self) -> Option<f32> {
        self.scale
    }

    /// The answer to the question about a step.
    pub(super) fn about(&self, step: u32) -> Option<&Belief> {
        let (number, _) = self.observed.asks.about(step)?;
        self.beliefs.get(&number)
    }

    /// What the model believes of the step that is shown, as the world's pictures take it.
    pub fn belief(&self) -> Option<&[f32]> {
        Some(&self.about(self.timeline.step())?.values)
    }

    /// How far the model is off, for every step that it has answered about.
    pub fn scores(&self) -> BTreeMap<u32, Score> {
        let steps = 0..=self.timeline.last();
        let score = |step| Some((step, self.observed.scene.score(step, &self.about(step)?.values)));
        steps.filter_map(score).collect()
    }

    /// Time goes by. Takes in what the model has answered meanwhile.
    pub fn tick(&mut self, seconds: f32) {
        if self.timeline.tick(seconds) {
            self.revision += 1;
        }
        while let Some(answer) = self.asked.as_mut().and_then(|asked| asked.mind.poll()) {
            self.learn(answer.horizon, answer.outcome);
        }
        while let Some((place, answer)) =
            self.pinned.iter_mut().enumerate().find_map(|(place, pinned)| Some((place, pinned.mind.poll()?)))
        {
            self.learn_pinned(place, answer.horizon, answer.outcome);
        }
        if let Err(reason) = self.take_in(None) {
            self.say(reason);
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
        while let Some(place) = self.pinned.iter().position(|pinned| pinned.mind.is_busy()) {
            let pinned = &mut self.pinned[place];
            let Some(answer) = pinned.mind.wait(patience) else {
                return Err(format!("the pinned model has not answered within {} seconds", patience.as_secs()));
            };
            let failure = answer.outcome.as_ref().err().cloned();
            self.learn_pinned(place, answer.horizon, answer.outcome);
            if let Some(failure) = failure {
                return Err(failure);
            }
        }
        self.settle_studies(patience)
    }

    fn learn(&mut self, number: u32, outcome: Result<Told, String>) {
        self.revision += 1;
        match outcome {
            Ok(Told { logits, activation, attention, lens, layers, patched }) => {
                let values = self.subject.answer(&logits);
                let lens = lens.map(|logits| self.subject.answer(&logits));
                let layers = layers.iter().map(|logits| self.subject.answer(logits)).collect();
                let patched = patched.map(|logits| self.subject.answer(&logits));
                if let (None, Some(captured)) = (self.scale, &activation) {
                    self.scale = Some(self.fitting_scale(captured));
                }
                self.beliefs.insert(number, Belief { values, activation, attention, lens, layers, patched });
            }
            Err(reason) => self.say(reason),
        }
    }

    /// Chooses the scale anew, from what is known already or from the next answer.
    pub(super) fn rescale(&mut self) {
        self.view.scale = None;
        if self.view.probe.is_some() {
            // A probability.
            self.scale = Some(1.0);
            return;
        }
        let known = self.about(self.timeline.step()).or(self.beliefs.values().next());
        self.scale = known
            .and_then(|belief| belief.activation.as_ref())
            .filter(|captured| self.tap().is_some_and(|tap| tap.name == captured.tap))
            .map(|captured| self.fitting_scale(captured));
    }

    /// A round number that is not below what is found at any position that covers a cell.
    fn fitting_scale(&self, captured: &Captured) -> f32 {
        let Ok(unit) = self.unit() else { return 1.0 };
        let rows = unit.read(captured);
        let (width, height) = self.size();
        let cells = (0..height).flat_map(|row| (0..width).map(move |column| (column, row)));
        let value = |cell| rows.get(self.observed.scene.position_of(cell)).map_or(0.0, |value| value.abs());
        round_up(cells.map(value).fold(0.0, f32::max))
    }

    /// Reads the model's sizes, and checks that it fits the world and the chosen tap is there.
    pub(super) fn read_spec(&mut self) -> Result<(), String> {
        let Some(asked) = &mut self.asked else { return Ok(()) };
        let chosen = self.source.checkpoint(self.view.model.as_deref(), self.view.checkpoint)?;
        let parameters = models::load_parameters(&chosen.path)
            .map_err(|error| format!("the checkpoint cannot be read, and may be half written: {error}"))?;
        let fits = self.subject.accepts(&parameters.spec);
        fits.map_err(|reason| format!("the model of {} does not fit the run: {reason}", chosen.path.display()))?;
        if let Some(name) = &self.view.tap {
            parameters.spec.tap(name).map_err(|error| error.to_string())?;
        }
        self.view.patches.iter().try_for_each(|patch| patch.check(&parameters.spec))?;
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
    pub(super) fn ask(&mut self) {
        let tap = self.tap().map(|tap| tap.name.clone());
        let attention = self.pattern().filter(|_| self.shows(Reads::Attention)).map(|tap| tap.name.clone());
        let lens = self.lens_end().filter(|_| self.shows(Reads::Lens));
        let layers = if lens.is_some() { self.layers() } else { Vec::new() };
        let unedited = self.unedited();
        let Some(asked) = &mut self.asked else { return };
        let Ok(chosen) = self.source.checkpoint(self.view.model.as_deref(), self.view.checkpoint) else { return };
        let asks = ordered(&self.observed.asks, self.timeline.step(), self.subject.horizons());
        asked.mind.ask(Question {
            checkpoint: chosen.path.clone(),
            asks,
            tap,
            attention,
            lens,
            layers,
            patches: self.view.patches.clone(),
            unedited,
        });
    }
}

/// Questions in order of urgency.
pub(super) fn ordered(asks: &Asks, shown: u32, horizons: &[u32]) -> Vec<(u32, Vec<Symbol>)> {
    match asks {
        Asks::Once(tokens) => vec![(0, tokens.clone())],
        Asks::Each(all) => {
            let mut ordered = all.clone();
            ordered.sort_by_key(|(step, _)| (*step != shown, !horizons.contains(step), *step));
            ordered
        }
    }
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
}
