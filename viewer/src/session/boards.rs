//! The boards as they are to be shown.

use super::Session;
use crate::scene::{Drawing, Panel, Reads, Seen, find_panel};
use crate::subject::Fact;

/// A board, ready to be put on the screen.
#[derive(Clone, Debug)]
pub struct Board {
    /// Which it is.
    pub panel: &'static Panel,
    /// What is drawn.
    pub drawing: Drawing,
    /// Whether its picture is awaited.
    pub busy: bool,
}

impl Session {
    /// The panels that are shown.
    pub fn shown(&self) -> Vec<&'static Panel> {
        let panels = self.panels();
        match self.view.boards.as_slice() {
            // Without a model there are no beliefs to leave room for.
            [] => {
                let own = |panel: &&Panel| match panel.reads {
                    Reads::Nothing => true,
                    Reads::Answer => self.asked.is_some(),
                    Reads::Request | Reads::Attention | Reads::Lens | Reads::Entries => false,
                    Reads::Pinned(place) => place < self.pinned.len(),
                    Reads::Patched => !self.view.patches.is_empty(),
                };
                panels.iter().filter(own).collect()
            }
            names => names.iter().filter_map(|name| find_panel(panels, name).ok()).collect(),
        }
    }

    /// The boards that are to be shown.
    pub fn boards(&self) -> Vec<Board> {
        let busy = self.is_asked();
        let draw = |panel: &'static Panel| {
            let drawing = self.seen(|seen| self.observed.scene.draw(panel, seen));
            Board {
                panel,
                busy: busy && drawing.raster.is_err() && !matches!(panel.reads, Reads::Nothing | Reads::Request),
                drawing,
            }
        };
        self.shown().into_iter().map(draw).collect()
    }

    /// Whether a panel is shown that reads something of the model.
    pub fn shows(&self, what: Reads) -> bool {
        self.shown().iter().any(|panel| panel.reads == what)
    }

    /// What is known of a cell at the shown step.
    pub fn describe(&self, cell: (u32, u32)) -> Vec<Fact> {
        let mut facts = self.seen(|seen| self.observed.scene.describe(cell, seen));
        if let Some(value) = self.activation_at(cell) {
            let name = self.concept().map_or("activation".into(), |concept| format!("probe {}", concept.text()));
            facts.push((name, format!("{value:.3}")));
        }
        facts
    }

    fn seen<T>(&self, use_it: impl FnOnce(&Seen<'_>) -> T) -> T {
        let step = self.timeline.step();
        let (palette, reason) = (self.palette(), self.why_nothing(step));
        let activation = self.activation(step);
        let reading = self.tap().map_or_else(String::new, |tap| format!("{} · {}", tap.name, self.unit_name()));
        let unknown = self.unit().err().unwrap_or(&reason);
        let attention = self.cell().filter(|_| self.shows(Reads::Attention)).and_then(|cell| self.attention(cell));
        let head = self.view.head.map_or("mean of heads".to_string(), |head| format!("head {head}"));
        let pattern = self.pattern().map_or_else(String::new, |tap| format!("{} · {head}", tap.name));
        let unattended = match (self.pattern(), self.cell()) {
            (None, _) if self.asked.is_some() => "this model has no attention",
            (Some(_), None) => "choose a cell: I J K ; or a click",
            _ => reason.as_str(),
        };
        let lens = self.about(step).and_then(|belief| belief.lens.as_deref());
        let layers = self.about(step).into_iter().flat_map(|belief| belief.layers.iter().map(Vec::as_slice));
        let tap = self.tap().map_or("", |tap| &tap.name);
        let unread = self.no_lens().filter(|_| self.asked.is_some()).unwrap_or(&reason);
        let entries = if self.shows(Reads::Entries) { self.entry_readings() } else { Err(String::new()) };
        let effect = self.effect();
        let pinned = self.pinned().into_iter().map(|(name, answer)| (name, answer.ok_or(reason.as_str())));
        let patchless = "patch activations: Shift P, then click or Enter";
        let unpatched = if self.view.patches.is_empty() { patchless } else { reason.as_str() };
        use_it(&Seen {
            step,
            belief: self.belief().ok_or(reason.as_str()),
            activation: match (&activation, self.scale) {
                (Some(values), Some(scale)) => Ok((values.as_slice(), scale)),
                _ => Err(unknown),
            },
            attention: match &attention {
                Some((weights, end)) => Ok((weights, *end, &pattern)),
                None => Err(unattended),
            },
            layers: self.layers().iter().map(|tap| layer_name(tap)).zip(layers).collect(),
            lens: lens.map(|lens| (lens, tap)).ok_or(unread),
            patched: self.patched().ok_or(unpatched),
            pinned: pinned.collect(),
            entries: entries.as_deref().map_err(String::as_str),
            against: self.against.as_ref().map(|against| against.scene.as_ref()),
            effect: &effect,
            reading: &reading,
            signed: self.view.neuron.is_some(),
            trained: self.is_trained(step),
            overlays: self.view.overlays,
            palette: &palette,
        })
    }

    /// Why there is no prediction.
    fn why_nothing(&self, step: u32) -> String {
        if self.asked.is_none() {
            self.source.mindless.into()
        } else if self.observed.asks.about(step).is_none() {
            self.observed.scene.words().no_question.into()
        } else if self.is_asked() {
            "computing…".into()
        } else {
            self.message.clone().unwrap_or_else(|| "the model has not answered".into())
        }
    }

    /// The chosen activation at each position.
    fn activation(&self, step: u32) -> Option<Vec<f32>> {
        Some(self.unit().ok()?.read(self.about(step)?.activation.as_ref()?))
    }

    /// The value of the chosen activation at a cell.
    pub fn activation_at(&self, cell: (u32, u32)) -> Option<f32> {
        self.activation(self.timeline.step())?.get(self.observed.scene.position_of(cell)).copied()
    }
}

/// `embed`, or the number of the block whose end a tap is.
fn layer_name(tap: &str) -> String {
    tap.strip_prefix("blocks.").and_then(|rest| rest.split('.').next()).unwrap_or(tap).into()
}
