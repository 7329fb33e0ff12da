//! What a person chooses to see.

use std::sync::Arc;

use environments::Split;

use super::{Session, neighbour};
use crate::scene::{Panel, Reads};
use crate::view::{Overlays, Tool};

impl Session {
    /// Shows another step.
    pub fn go_to_step(&mut self, step: u32) {
        self.timeline.set_playing(false);
        self.timeline.go_to(step);
        self.revision += 1;
    }

    /// Another speed of play.
    pub fn set_speed(&mut self, speed: f32) {
        self.timeline.set_speed(speed);
    }

    /// Shows another episode, without edits.
    pub fn choose_episode(&mut self, split: Split, index: u64) {
        if !self.subject.has_episodes() || (split, index) == (self.view.split, self.view.index) {
            return;
        }
        (self.view.split, self.view.index) = (split, index);
        // Edits belong to the board that they were made on.
        self.history = Default::default();
        self.look();
    }

    /// Asks another model, or another checkpoint of it (the last where absent).
    pub fn choose_model(&mut self, model: &str, step: Option<u64>) {
        let before = (self.view.model.clone(), self.view.checkpoint, self.subject.clone());
        self.subject = self.source.subject(Some(model)).clone();
        (self.view.model, self.view.checkpoint) = (Some(model.into()), step);
        if let Some(name) = &self.view.tap
            && self.asked.is_some()
            && self.source.checkpoint(Some(model), step).is_ok_and(|chosen| {
                models::load_parameters(&chosen.path).is_ok_and(|parameters| parameters.spec.tap(name).is_err())
            })
        {
            // A model of other sizes may lack the tap; its last block has one of its own.
            (self.view.tap, self.view.neuron) = (None, None);
        }
        let patches = std::mem::take(&mut self.view.patches);
        if let Err(reason) = self.read_spec() {
            (self.view.model, self.view.checkpoint, self.subject) = before;
            self.view.patches = patches;
            self.say(reason);
            return;
        }
        self.keep_patches(patches);
        self.beliefs.clear();
        self.before.clear();
        if Arc::ptr_eq(&self.subject, &before.2) {
            self.ask();
            self.unit_changed();
        } else {
            self.find_concepts();
            if self.concept().is_some_and(|concept| !self.concepts().contains(&concept)) {
                self.view.probe = None;
            }
            self.unit_changed();
            self.check_pins();
            // Another world: what happens there is simulated afresh.
            self.look();
        }
        self.revision += 1;
    }

    pub(super) fn next_model(&mut self, forwards: bool) {
        let models: Vec<String> = self.source.models().into_iter().map(Into::into).collect();
        let current = self.checkpoint().map(|(model, _)| model.to_string()).unwrap_or_default();
        if let Some(model) = neighbour(&models, &current, forwards) {
            self.choose_model(&model, None);
        }
    }

    pub(super) fn next_checkpoint(&mut self, later: bool) {
        let Some((model, step)) = self.checkpoint().map(|(model, step)| (model.to_string(), step)) else { return };
        let steps = self.source.steps(&model);
        let next = if later {
            steps.into_iter().find(|&other| other > step)
        } else {
            steps.into_iter().rev().find(|&other| other < step)
        };
        if next.is_some() {
            self.choose_model(&model, next);
        }
    }

    /// Shows another tap.
    pub fn choose_tap(&mut self, name: &str) {
        let Some(width) = self.taps().iter().find(|tap| tap.name == name).map(|tap| tap.width) else { return };
        self.view.tap = Some(name.into());
        self.view.neuron = self.view.neuron.map(|neuron| neuron.min(width - 1));
        // What the model predicts is the same; only its activations are read anew.
        for belief in self.beliefs.values_mut() {
            (belief.activation, belief.attention, belief.lens) = (None, None, None);
            belief.layers.clear();
        }
        self.ask();
        self.unit_changed();
    }

    /// Shows one neuron, or the norm over all.
    pub fn choose_neuron(&mut self, neuron: Option<usize>) {
        let Some(width) = self.tap().map(|tap| tap.width) else { return };
        self.view.neuron = neuron.map(|neuron| neuron.min(width.saturating_sub(1)));
        (self.view.probe, self.view.dictionary) = (None, None);
        self.unit_changed();
    }

    pub(super) fn next_neuron(&mut self, forwards: bool) {
        let Some(width) = self.tap().map(|tap| tap.width) else { return };
        let choices: Vec<Option<usize>> = std::iter::once(None).chain((0..width).map(Some)).collect();
        if let Some(neuron) = neighbour(&choices, &self.view.neuron, forwards) {
            self.choose_neuron(neuron);
        }
    }

    /// Shows or hides a board; the last one stays.
    pub fn toggle_board(&mut self, panel: &Panel) {
        self.revision += 1;
        let shown = self.shown();
        let kept = self.panels().iter().filter(|&one| shown.contains(&one) != (one == panel));
        let names: Vec<String> = kept.map(|panel| panel.name.to_string()).collect();
        if !names.is_empty() {
            self.view.boards = names;
        }
        self.read_more();
    }

    /// Where a person has chosen boards, those that read something new come to them.
    pub(super) fn show_more(&mut self, what: Reads) {
        if !self.view.boards.is_empty() {
            let news = self.panels().iter().filter(|panel| panel.reads == what).map(|panel| panel.name);
            let news: Vec<&str> = news.filter(|name| !self.view.boards.iter().any(|own| own == name)).collect();
            self.view.boards.extend(news.into_iter().map(String::from));
        }
    }

    /// Asks again where a panel has come to be shown that reads more of the model than was asked for.
    pub(super) fn read_more(&mut self) {
        self.study();
        let lacks = |belief: &super::Belief| {
            (self.shows(Reads::Attention) && belief.attention.is_none() && self.pattern().is_some())
                || (self.shows(Reads::Lens) && belief.lens.is_none() && self.no_lens().is_none())
        };
        if self.is_asked() || self.beliefs.values().any(lacks) {
            self.ask();
        }
    }

    /// Shows the attention of one head, or the mean over all.
    pub fn choose_head(&mut self, head: Option<usize>) {
        self.view.head = head.map(|head| head.min(self.heads().saturating_sub(1)));
        self.revision += 1;
    }

    pub(super) fn next_head(&mut self, forwards: bool) {
        let choices: Vec<Option<usize>> = std::iter::once(None).chain((0..self.heads()).map(Some)).collect();
        self.choose_head(neighbour(&choices, &self.view.head, forwards).flatten());
    }

    /// Other overlays.
    pub fn set_overlays(&mut self, overlays: Overlays) {
        if self.view.overlays != overlays {
            self.view.overlays = overlays;
            self.revision += 1;
        }
    }

    /// Takes a tool.
    pub fn choose_tool(&mut self, tool: Tool) {
        self.held = None;
        self.view.tool = tool;
    }

    /// Chooses what is put down.
    pub fn choose_pattern(&mut self, name: &str) {
        match self.subject.footprint(name) {
            Ok(_) => {
                self.view.pattern = name.into();
                self.view.tool = Tool::Drop;
            }
            Err(reason) => self.say(reason),
        }
    }

    /// First and last step of a film.
    pub fn range(&self) -> (u32, u32) {
        let last = self.timeline.last();
        let [from, to] = self.view.range.unwrap_or([0, last]);
        (from.min(last), to.min(last).max(from.min(last)))
    }

    /// Whether a person has asked to write a name; told once.
    pub fn takes_name(&mut self) -> bool {
        std::mem::take(&mut self.naming)
    }

    /// Chooses what is put down by what a person has written: a name, an apgcode, RLE text, a file, a rule.
    pub fn choose_written(&mut self, text: &str) {
        self.message = None;
        let file = std::path::Path::new(text);
        let text = if file.is_file() { std::fs::read_to_string(file).unwrap_or_default() } else { text.to_string() };
        if text.contains(['!', '\n']) {
            if let Err(reason) = self.paste(&text) {
                self.say(reason);
            }
        } else {
            self.choose_pattern(&text);
        }
    }

    /// Takes the pattern of a file, or of RLE text, in hand.
    ///
    /// # Errors
    /// If it cannot be read, or this world takes none.
    pub fn paste(&mut self, text: &str) -> Result<(), String> {
        self.view.pattern = self.subject.paste(text)?;
        self.choose_tool(Tool::Drop);
        Ok(())
    }

    /// Zooms by a factor about a place, in shares of the board's width and height.
    pub fn zoom(&mut self, factor: f32, place: [f32; 2]) {
        self.view.lens.zoom_at(factor, place);
    }

    /// Pans by shares of the board's width and height.
    pub fn pan(&mut self, shares: [f32; 2]) {
        self.view.lens.pan(shares);
    }

    /// The pointer is over a cell, or over none.
    pub fn point_at(&mut self, cell: Option<(u32, u32)>) {
        if self.hover != cell && self.shows(Reads::Attention) {
            self.revision += 1;
        }
        self.hover = cell;
    }

    /// Chooses a cell.
    pub fn choose_cell(&mut self, cell: Option<(u32, u32)>) {
        self.revision += 1;
        self.view.cell = cell.map(|(column, row)| [column, row]);
    }
}
