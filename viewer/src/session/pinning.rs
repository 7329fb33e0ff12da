//! Other models beside the chosen one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Session;
use crate::mind::{Mind, Question};
use crate::scene::{PINS, Reads};
use crate::source::Source;
use crate::view::Pin;

/// A model that is pinned.
pub(super) struct Pinned {
    name: String,
    checkpoint: PathBuf,
    pub mind: Mind,
    /// What it has answered, by the number of the question, as the scene's pictures take it.
    pub beliefs: BTreeMap<u32, Vec<f32>>,
}

impl Session {
    /// Pins the chosen checkpoint, so that others can be looked at beside it; takes its pin out where it has one.
    pub(super) fn toggle_pin(&mut self) {
        let Some((model, step)) = self.checkpoint().map(|(model, step)| (model.to_string(), step)) else {
            self.say(self.source.mindless);
            return;
        };
        let own = |pin: &Pin| {
            let named = (pin.model.as_deref(), pin.checkpoint) == (Some(model.as_str()), Some(step));
            pin.run.is_none() && named
        };
        let result = match self.view.pins.iter().position(own) {
            Some(place) => {
                self.unpin(place);
                Ok(())
            }
            None => self.pin(Pin { run: None, model: Some(model), checkpoint: Some(step) }),
        };
        if let Err(reason) = result {
            self.say(reason);
        }
    }

    /// Puts another model beside the chosen one.
    ///
    /// # Errors
    /// If there is no such model, it reads another world, or there are many already; in one sentence.
    pub fn pin(&mut self, pin: Pin) -> Result<(), String> {
        if self.pinned.len() >= PINS {
            return Err(format!("{PINS} models are pinned already; take one out first"));
        }
        let pinned = self.find_pinned(&pin)?;
        self.show_more(Reads::Pinned(self.pinned.len()));
        self.pinned.push(pinned);
        self.view.pins.push(pin);
        self.ask_pin(self.pinned.len() - 1);
        self.revision += 1;
        Ok(())
    }

    /// Takes a pinned model out, by its place.
    pub fn unpin(&mut self, place: usize) {
        if place < self.pinned.len() {
            self.pinned.remove(place);
            self.view.pins.remove(place);
            self.revision += 1;
        }
        // Panels that a person chose stay only as long as there is a model for them.
        let last = self.pinned.len();
        let gone = |name: &String| {
            let panel = self.observed.scene.panels().iter().find(|panel| panel.name == name);
            matches!(panel.map(|panel| panel.reads), Some(Reads::Pinned(place)) if place >= last)
        };
        self.view.boards.retain(|name| !gone(name));
    }

    fn find_pinned(&self, pin: &Pin) -> Result<Pinned, String> {
        let other = match &pin.run {
            Some(run) => Some(Source::open(Path::new(run), None).map_err(|error| format!("the pinned run: {error}"))?),
            None => None,
        };
        let source = other.as_ref().unwrap_or(&self.source);
        let (model, step) = match &source.chosen {
            Some((model, step)) if pin.model.is_none() => (Some(model.as_str()), Some(*step)),
            _ => (pin.model.as_deref(), pin.checkpoint),
        };
        let found = source.checkpoint(model, step).map_err(|reason| format!("the pinned model: {reason}"))?;
        let weights = models::load_parameters(&found.path)
            .map_err(|error| format!("the pinned checkpoint cannot be read, and may be half written: {error}"))?;
        let fits = self.subject.accepts(&weights.spec);
        fits.map_err(|reason| format!("the pinned model {} does not fit what is shown: {reason}", found.model))?;
        let run = other.as_ref().map_or_else(String::new, |other| format!("{} · ", other.name));
        Ok(Pinned {
            name: format!("{run}{} after {}", found.model, found.step),
            checkpoint: found.path.clone(),
            mind: Mind::start(self.device.clone()),
            beliefs: BTreeMap::new(),
        })
    }

    /// The names of the pinned models, and what each answers about the shown step.
    pub fn pinned(&self) -> Vec<(&str, Option<&[f32]>)> {
        let number = self.observed.asks.about(self.timeline.step()).map(|(number, _)| number);
        let named = self.pinned.iter().map(|pinned| (pinned.name.as_str(), &pinned.beliefs));
        let answered = named.map(|(name, beliefs)| (name, number.and_then(|number| beliefs.get(&number))));
        answered.map(|(name, answer)| (name, answer.map(Vec::as_slice))).collect()
    }

    /// Asks the pinned models what the chosen one is asked.
    pub(super) fn ask_pinned(&mut self) {
        (0..self.pinned.len()).for_each(|place| self.ask_pin(place));
    }

    fn ask_pin(&mut self, place: usize) {
        let asks = super::asking::ordered(&self.observed.asks, self.timeline.step(), self.subject.horizons());
        let Some(pinned) = self.pinned.get_mut(place) else { return };
        pinned.beliefs.clear();
        pinned.mind.ask(Question {
            checkpoint: pinned.checkpoint.clone(),
            asks,
            tap: None,
            attention: None,
            lens: None,
            layers: Vec::new(),
            patches: Vec::new(),
            unedited: Vec::new(),
        });
    }

    /// After another world was chosen: pins that read the one before are taken out.
    pub(super) fn check_pins(&mut self) {
        for place in (0..self.pinned.len()).rev() {
            let fits = models::load_parameters(&self.pinned[place].checkpoint)
                .map_err(|error| error.to_string())
                .and_then(|weights| self.subject.accepts(&weights.spec));
            if fits.is_err() {
                self.unpin(place);
                self.say("a pinned model reads another world and is taken out");
            }
        }
    }

    pub(super) fn learn_pinned(&mut self, place: usize, number: u32, outcome: Result<crate::mind::Told, String>) {
        self.revision += 1;
        let values = outcome.map(|told| self.subject.answer(&told.logits));
        match (values, self.pinned.get_mut(place)) {
            (Ok(values), Some(pinned)) => {
                pinned.beliefs.insert(number, values);
            }
            (Err(reason), _) => self.say(reason),
            _ => {}
        }
    }
}
