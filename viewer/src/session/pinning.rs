//! A second model beside the chosen one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Session;
use crate::mind::{Mind, Question};
use crate::source::Source;
use crate::view::Pin;

/// The model that is pinned.
pub(super) struct Pinned {
    name: String,
    checkpoint: PathBuf,
    pub mind: Mind,
    /// What it has answered, by the number of the question, as the scene's pictures take it.
    pub beliefs: BTreeMap<u32, Vec<f32>>,
}

impl Session {
    /// Pins the chosen checkpoint, so that others can be looked at beside it; takes the pin out where there is one.
    pub(super) fn toggle_pin(&mut self) {
        let chosen = self.checkpoint().map(|(model, step)| (model.to_string(), step));
        let result = match (self.pinned.is_some(), chosen) {
            (true, _) => self.pin(None),
            (false, Some((model, step))) => {
                self.pin(Some(Pin { run: None, model: Some(model), checkpoint: Some(step) }))
            }
            (false, None) => Err(self.source.mindless.into()),
        };
        if let Err(reason) = result {
            self.say(reason);
        }
    }

    /// Puts another model beside the chosen one, or none.
    ///
    /// # Errors
    /// If there is no such model, or it reads another world; in one sentence.
    pub fn pin(&mut self, pin: Option<Pin>) -> Result<(), String> {
        self.pinned = match &pin {
            Some(pin) => Some(self.find_pinned(pin)?),
            None => None,
        };
        self.view.pin = pin;
        self.show_more(crate::scene::Reads::Pinned);
        self.ask_pinned();
        self.revision += 1;
        Ok(())
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

    /// The name of the pinned model, and what it answers about the shown step.
    pub fn pinned(&self) -> Option<(&str, Option<&[f32]>)> {
        let pinned = self.pinned.as_ref()?;
        let number = self.observed.asks.about(self.timeline.step()).map(|(number, _)| number);
        Some((&pinned.name, number.and_then(|number| pinned.beliefs.get(&number)).map(Vec::as_slice)))
    }

    /// Asks the pinned model what the chosen one is asked. One that reads another world is let go.
    pub(super) fn ask_pinned(&mut self) {
        let Some(pinned) = &mut self.pinned else { return };
        pinned.beliefs.clear();
        let asks = super::asking::ordered(&self.observed.asks, self.timeline.step(), self.subject.horizons());
        pinned.mind.ask(Question {
            checkpoint: pinned.checkpoint.clone(),
            asks,
            tap: None,
            attention: None,
            lens: None,
            patches: Vec::new(),
            unedited: Vec::new(),
        });
    }

    /// After another world was chosen: a pin that reads the one before is taken out.
    pub(super) fn check_pin(&mut self) {
        let Some(pinned) = &self.pinned else { return };
        let fits = models::load_parameters(&pinned.checkpoint)
            .map_err(|error| error.to_string())
            .and_then(|weights| self.subject.accepts(&weights.spec));
        if fits.is_err() {
            (self.pinned, self.view.pin) = (None, None);
            self.say("the pinned model reads another world and is taken out");
        }
    }

    pub(super) fn learn_pinned(&mut self, number: u32, outcome: Result<crate::mind::Told, String>) {
        self.revision += 1;
        let values = outcome.map(|told| self.subject.answer(&told.logits));
        match (values, &mut self.pinned) {
            (Ok(values), Some(pinned)) => {
                pinned.beliefs.insert(number, values);
            }
            (Err(reason), _) => self.say(reason),
            _ => {}
        }
    }
}
