//! What a person changes in the mind.

use std::collections::BTreeMap;

use environments::{Edit, Symbol};
use experiments::intervention::{Deed, Patch, touched};

use super::{Session, neighbour};
use crate::scene::Reads;
use crate::subject::{Asks, Observed};
use crate::view::Method;

/// Boards of more cells do not show what the tool would touch.
const LARGEST_GHOST: u32 = 1 << 16;

/// The greatest dose.
const LARGEST_DOSE: f32 = 1024.0;

impl Session {
    /// The patches in force.
    pub fn patches(&self) -> &[Patch] {
        &self.view.patches
    }

    /// What the patches did to the answer about the shown step, by name; nothing while that is not known.
    pub fn effect(&self) -> BTreeMap<String, f64> {
        let step = self.timeline.step();
        let told = self.about(step).and_then(|belief| Some((belief.values.as_slice(), belief.patched.as_deref()?)));
        let (Some(answers), Some(against)) = (told, &self.against) else { return BTreeMap::new() };
        self.subject.effect(&self.observed, against, step, answers, &touched(&self.view.patches))
    }

    /// What the model answers about the shown step under patches.
    pub fn patched(&self) -> Option<&[f32]> {
        self.about(self.timeline.step())?.patched.as_deref()
    }

    /// The world that patches are held against.
    pub fn against(&self) -> Option<&Observed> {
        self.against.as_ref()
    }

    /// Simulates the world that the patches stand for.
    pub(super) fn hold_against(&mut self) {
        let against = (!self.view.patches.is_empty()).then(|| {
            let edits = self.subject.counterpart(&self.observed, &self.view.patches);
            self.subject.observe(self.observed.split, self.observed.index, &edits)
        });
        match against.transpose() {
            Ok(against) => self.against = against,
            Err(reason) => {
                self.against = None;
                self.say(reason);
            }
        }
    }

    /// An episode's edits from its address on.
    pub(super) fn all_edits(&self, observed: &Observed) -> Vec<Edit> {
        self.subject.address(observed).map_or_else(|| observed.edits.clone(), |(_, edits)| edits)
    }

    /// The edits that are not the person's, such as that which makes an evil twin.
    pub(super) fn unedited_edits(&self) -> Vec<Edit> {
        let plain = self.subject.observe(self.observed.split, self.observed.index, &[]);
        plain.map(|plain| self.all_edits(&plain)).unwrap_or_default()
    }

    /// What the model would be asked without edits, where a patch needs it.
    pub(super) fn unedited(&self) -> Vec<(u32, Vec<Symbol>)> {
        if !self.view.patches.iter().any(|patch| patch.deed == Deed::Restore) {
            return Vec::new();
        }
        match self.subject.observe(self.observed.split, self.observed.index, &[]).map(|plain| plain.asks) {
            Ok(Asks::Once(tokens)) => vec![(0, tokens)],
            Ok(Asks::Each(all)) => all,
            Err(_) => Vec::new(),
        }
    }

    /// How the tool changes activations.
    pub fn choose_method(&mut self, method: Method) {
        self.view.method = method;
        self.held = None;
    }

    pub(super) fn next_method(&mut self) {
        let all = Method::ALL.map(|(method, _)| method);
        if let Some(method) = neighbour(&all, &self.view.method, true) {
            self.choose_method(method);
        }
    }

    /// How much is added.
    pub fn set_dose(&mut self, dose: f32) {
        if dose.is_finite() {
            self.view.dose = dose.clamp(-LARGEST_DOSE, LARGEST_DOSE);
        }
    }

    /// The tool `patch` touches a cell: first that from which something is taken, where there is such.
    pub(super) fn patch(&mut self, cell: (u32, u32)) {
        let Some(tap) = self.tap().map(|tap| tap.name.clone()) else {
            self.say(if self.asked.is_some() {
                "this model has no tap of one row a position"
            } else {
                self.source.mindless
            });
            return;
        };
        let method = self.view.method;
        if method.has_two_places() && self.held.is_none() {
            self.held = Some(cell);
            self.say("taken up: choose where its activations go");
            return;
        }
        if method == Method::Restore && self.history.is_empty() {
            self.say("nothing was edited yet, so that there is nothing to restore");
            return;
        }
        let from = self.held.take().unwrap_or(cell);
        let (selected, dose) = (self.subject.selected(&self.observed, from), self.view.dose);
        let to =
            if method.has_two_places() { self.subject.moved(&self.observed, from, cell) } else { selected.clone() };
        let deed = match method {
            Method::Copy => Deed::Copy { from: selected },
            Method::Restore => Deed::Restore,
            Method::Zero => Deed::Zero,
            Method::Mean => Deed::Mean,
            Method::Direction => Deed::Direction { from: selected, dose },
            Method::Neuron => match self.view.neuron {
                Some(neuron) => Deed::Neuron { neuron, dose },
                None => {
                    self.say("choose a neuron first: N");
                    return;
                }
            },
            Method::Concept | Method::Erase => match self.conceptual(method) {
                Ok(deed) => deed,
                Err(reason) => {
                    self.say(reason);
                    return;
                }
            },
        };
        // What is erased is erased everywhere, so that nothing can be read elsewhere.
        let to = if method == Method::Erase { (0..self.tap().map_or(0, |tap| tap.rows)).collect() } else { to };
        self.view.patches.push(Patch { tap, to, deed });
        self.show_more(Reads::Patched);
        self.patches_changed();
    }

    /// What is done with the chosen concept.
    fn conceptual(&self, method: Method) -> Result<Deed, String> {
        if let (Some((codebook, unit)), Method::Concept) = (self.codebook(), method) {
            let (what, direction) = (self.unit_name(), codebook?.direction(unit));
            return Ok(Deed::Concept { what, dose: self.view.dose, direction });
        }
        let (Some(concept), Some(reader)) = (self.concept(), self.reader()) else {
            return Err("choose a concept first: Shift L".into());
        };
        let (what, reader) = (concept.text(), reader?);
        let [mean, read, write] = reader.eraser.clone();
        Ok(match method {
            Method::Erase => Deed::Erase { what, mean, read, write },
            _ => Deed::Concept { what, dose: self.view.dose, direction: reader.direction.clone() },
        })
    }

    /// Takes the last patch back, or all.
    pub(super) fn unpatch(&mut self, all: bool) {
        if all {
            self.view.patches.clear();
        } else {
            self.view.patches.pop();
        }
        self.patches_changed();
    }

    /// Patches stay with another model that has their taps.
    pub(super) fn keep_patches(&mut self, patches: Vec<Patch>) {
        let chosen = self.source.checkpoint(self.view.model.as_deref(), self.view.checkpoint);
        let spec =
            chosen.ok().and_then(|chosen| models::load_parameters(&chosen.path).ok()).map(|weights| weights.spec);
        let fits = spec.is_some_and(|spec| patches.iter().all(|patch| patch.check(&spec).is_ok()));
        if fits {
            self.view.patches = patches;
        } else if !patches.is_empty() {
            self.say("the patches do not fit this model and are taken back");
        }
        self.hold_against();
    }

    fn patches_changed(&mut self) {
        self.hold_against();
        self.beliefs.values_mut().for_each(|belief| belief.patched = None);
        self.ask();
        self.revision += 1;
    }

    /// The cells of the positions that the tool would touch.
    pub(super) fn patch_ghost(&self, cell: (u32, u32)) -> Vec<(u32, u32)> {
        let (width, height) = self.size();
        if width * height > LARGEST_GHOST {
            return vec![cell];
        }
        let positions = match self.held {
            Some(from) => self.subject.moved(&self.observed, from, cell),
            None => self.subject.selected(&self.observed, cell),
        };
        let all = (0..height).flat_map(|row| (0..width).map(move |column| (column, row)));
        all.filter(|&cell| positions.contains(&self.observed.scene.position_of(cell))).collect()
    }
}
