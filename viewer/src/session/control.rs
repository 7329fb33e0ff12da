//! What a person does to a session.

use super::{Session, neighbour, next_split};
use crate::command::Command;
use crate::palette::Theme;

impl Session {
    /// Carries a command out.
    pub fn apply(&mut self, command: Command) {
        self.message = None;
        self.revision += 1;
        match command {
            Command::Play => self.timeline.toggle(),
            Command::Step(steps) => self.timeline.advance(steps),
            Command::Horizon(forwards) => {
                let horizons = self.subject.horizons().to_vec();
                self.timeline.to_mark(&horizons, forwards);
            }
            Command::First => self.go_to_step(0),
            Command::Range(first) => {
                let (step, (from, to)) = (self.timeline.step(), self.range());
                let next = if first { (step, to.max(step)) } else { (from.min(step), step) };
                let all = (0, self.timeline.last());
                self.view.range = Some(next).filter(|&next| next != (from, to) && next != all).map(|(a, b)| [a, b]);
            }
            Command::Name => self.naming = true,
            Command::Last => self.go_to_step(self.timeline.last()),
            Command::Speed(faster) => self.timeline.set_speed(self.timeline.speed() * if faster { 2.0 } else { 0.5 }),
            Command::Episode(forwards) => {
                let index = self.view.index;
                self.choose_episode(
                    self.view.split,
                    if forwards { index.saturating_add(1) } else { index.saturating_sub(1) },
                );
            }
            Command::Split => self.choose_episode(next_split(self.view.split), self.view.index),
            Command::Model(forwards) => self.next_model(forwards),
            Command::Pin => self.toggle_pin(),
            Command::Checkpoint(later) => self.next_checkpoint(later),
            Command::Tap(forwards) => {
                let names: Vec<String> = self.taps().iter().map(|tap| tap.name.clone()).collect();
                let current = self.tap().map(|tap| tap.name.clone()).unwrap_or_default();
                if let Some(name) = neighbour(&names, &current, forwards) {
                    self.choose_tap(&name);
                }
            }
            Command::Neuron(forwards) => self.next_neuron(forwards),
            Command::Head(forwards) => self.next_head(forwards),
            Command::Concept(forwards) => self.next_concept(forwards),
            Command::Unit(forwards) => self.next_dictionary_unit(forwards),
            Command::Top => self.find_top(),
            Command::Hit(forwards) => self.next_hit(forwards),
            Command::Norm => self.choose_neuron(None),
            Command::Scale(wider) => {
                let scale = self.scale.map(|scale| if wider { scale * 2.0 } else { scale / 2.0 });
                self.scale = scale.filter(|scale| (1e-6..1e9).contains(scale)).or(self.scale);
                self.view.scale = self.scale;
            }
            Command::Board(place) => {
                if let Some(panel) = self.panels().get(place) {
                    self.toggle_board(panel);
                }
            }
            Command::AllBoards => {
                self.view.boards = self.panels().iter().map(|panel| panel.name.to_string()).collect();
                self.read_more();
            }
            Command::Objects => self.view.overlays.objects ^= true,
            Command::Names => self.view.overlays.names ^= true,
            Command::Headings => self.view.overlays.headings ^= true,
            Command::Dooms => self.view.overlays.dooms ^= true,
            Command::Grid => self.view.overlays.grid ^= true,
            Command::Changed => self.view.overlays.changed ^= true,
            Command::Zoom(closer) => {
                let place = self.cell().map_or(self.view.lens.centre, |(column, row)| {
                    let (width, height) = self.size();
                    [(column as f32 + 0.5) / width as f32, (row as f32 + 0.5) / height as f32]
                });
                self.view.lens.zoom_at(if closer { 1.25 } else { 0.8 }, place);
            }
            Command::Fit => self.view.lens = Default::default(),
            Command::Pan(columns, rows) => {
                let part = 0.125 / self.view.lens.zoom;
                self.view.lens.pan([f32::from(columns) * part, f32::from(rows) * part]);
            }
            Command::Cursor(columns, rows) => self.move_cell(columns.into(), rows.into()),
            Command::Escape => {
                if self.held.take().is_none() && !std::mem::take(&mut self.view.help) {
                    self.view.cell = None;
                }
            }
            Command::Tool(tool) => {
                if self.subject.tools().iter().any(|(known, _)| *known == tool) {
                    self.choose_tool(tool);
                }
            }
            Command::Use => self.use_tool(),
            Command::Pattern(forwards) => {
                if let Some(name) = neighbour(&self.subject.palette(&self.observed), &self.view.pattern, forwards) {
                    self.choose_pattern(&name);
                }
            }
            Command::Delete => self.delete(),
            Command::Method => self.next_method(),
            Command::Dose(more) => self.set_dose(self.view.dose * if more { 2.0 } else { 0.5 }),
            Command::Unpatch(all) => self.unpatch(all),
            Command::Undo => {
                if self.history.undo() {
                    self.look();
                }
            }
            Command::Redo => {
                if self.history.redo() {
                    self.look();
                }
            }
            Command::Reset => {
                if self.history.clear() {
                    self.look();
                }
            }
            Command::Theme => {
                self.view.theme = if self.view.theme == Theme::Dark { Theme::Light } else { Theme::Dark };
            }
            Command::Help => self.view.help ^= true,
            // The window's own.
            Command::Save | Command::Intervention | Command::Picture | Command::Film | Command::Quit => {}
        }
    }
}
