//! What a person does to a session.

use std::sync::Arc;

use environments::{Edit, Split};

use super::{Session, corner, neighbour, next_split, wipe};
use crate::command::Command;
use crate::palette::Theme;
use crate::panel::Panel;
use crate::view::{Overlays, Tool};

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
            Command::Checkpoint(later) => self.next_checkpoint(later),
            Command::Tap(forwards) => {
                let names: Vec<String> = self.taps().iter().map(|tap| tap.name.clone()).collect();
                let current = self.tap().map(|tap| tap.name.clone()).unwrap_or_default();
                if let Some(name) = neighbour(&names, &current, forwards) {
                    self.choose_tap(&name);
                }
            }
            Command::Neuron(forwards) => self.next_neuron(forwards),
            Command::Norm => self.choose_neuron(None),
            Command::Scale(wider) => {
                let scale = self.scale.map(|scale| if wider { scale * 2.0 } else { scale / 2.0 });
                self.scale = scale.filter(|scale| (1e-6..1e9).contains(scale)).or(self.scale);
                self.view.scale = self.scale;
            }
            Command::Board(place) => {
                if let Some(&panel) = Panel::ALL.get(place) {
                    self.toggle_board(panel);
                }
            }
            Command::AllBoards => self.view.boards = Panel::ALL.to_vec(),
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
                if !std::mem::take(&mut self.view.help) {
                    self.view.cell = None;
                }
            }
            Command::Tool(place) => self.view.tool = Tool::ALL.get(place).copied().unwrap_or_default(),
            Command::Use => {
                if let Some([column, row]) = self.view.cell {
                    self.touch((column, row));
                    self.lift();
                } else {
                    self.say("choose a cell first: I J K ; or a click");
                }
            }
            Command::Pattern(forwards) => {
                if let Some(name) = neighbour(&self.subject.palette(), &self.view.pattern, forwards) {
                    self.choose_pattern(&name);
                }
            }
            Command::Delete => self.delete(),
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
            Command::Save | Command::Picture | Command::Quit => {}
        }
    }

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
        if let Err(reason) = self.read_spec() {
            (self.view.model, self.view.checkpoint, self.subject) = before;
            self.say(reason);
            return;
        }
        self.beliefs.clear();
        self.rescale();
        if Arc::ptr_eq(&self.subject, &before.2) {
            self.ask();
        } else {
            // Another world: what happens there is simulated afresh.
            self.original = None;
            self.look();
        }
        self.revision += 1;
    }

    fn next_model(&mut self, forwards: bool) {
        let models: Vec<String> = self.source.models().into_iter().map(Into::into).collect();
        let current = self.checkpoint().map(|(model, _)| model.to_string()).unwrap_or_default();
        if let Some(model) = neighbour(&models, &current, forwards) {
            self.choose_model(&model, None);
        }
    }

    fn next_checkpoint(&mut self, later: bool) {
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
        self.rescale();
        // What the model predicts is the same; only its activations are read anew.
        self.beliefs.values_mut().for_each(|belief| belief.activation = None);
        self.ask();
        self.revision += 1;
    }

    /// Shows one neuron, or the norm over all.
    pub fn choose_neuron(&mut self, neuron: Option<usize>) {
        let Some(width) = self.tap().map(|tap| tap.width) else { return };
        self.view.neuron = neuron.map(|neuron| neuron.min(width.saturating_sub(1)));
        self.rescale();
        self.revision += 1;
    }

    fn next_neuron(&mut self, forwards: bool) {
        let Some(width) = self.tap().map(|tap| tap.width) else { return };
        let choices: Vec<Option<usize>> = std::iter::once(None).chain((0..width).map(Some)).collect();
        if let Some(neuron) = neighbour(&choices, &self.view.neuron, forwards) {
            self.choose_neuron(neuron);
        }
    }

    /// Chooses the scale anew, from what is known already or from the next answer.
    fn rescale(&mut self) {
        self.view.scale = None;
        let known = self.beliefs.get(&self.timeline.step()).or(self.beliefs.values().next());
        self.scale = known
            .and_then(|belief| belief.activation.as_ref())
            .filter(|captured| self.tap().is_some_and(|tap| tap.name == captured.tap))
            .map(|captured| {
                super::round_up(super::greatest(captured, self.view.neuron, self.size(), self.subject.as_ref()))
            });
    }

    /// Shows or hides a board; the last one stays.
    pub fn toggle_board(&mut self, panel: Panel) {
        self.revision += 1;
        let shown: Vec<Panel> =
            Panel::ALL.into_iter().filter(|&one| self.view.boards.contains(&one) != (one == panel)).collect();
        if !shown.is_empty() {
            self.view.boards = shown;
        }
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
        self.hover = cell;
    }

    /// Chooses a cell.
    pub fn choose_cell(&mut self, cell: Option<(u32, u32)>) {
        self.view.cell = cell.map(|(column, row)| [column, row]);
    }

    fn move_cell(&mut self, columns: i32, rows: i32) {
        let (width, height) = self.size();
        let [column, row] = self.view.cell.unwrap_or([width / 2, height / 2]);
        // The board is a torus.
        let round = |place: u32, by: i32, length: u32| (place as i32 + by).rem_euclid(length.max(1) as i32) as u32;
        self.view.cell = Some([round(column, columns, width), round(row, rows, height)]);
        self.hover = None;
    }

    /// The tool touches a cell of the board at t. Draws and erases go on until [`Session::lift`].
    pub fn touch(&mut self, cell: (u32, u32)) {
        self.message = None;
        match self.view.tool {
            Tool::Look => {
                self.choose_cell(Some(cell));
                return;
            }
            Tool::Draw | Tool::Erase => {
                // A quick hand skips cells between two frames.
                for between in line(self.pen.unwrap_or(cell), cell) {
                    self.history.paint(between, u8::from(self.view.tool == Tool::Draw));
                }
                if self.pen.replace(cell) == Some(cell) {
                    return;
                }
            }
            Tool::Drop => match self.subject.footprint(&self.view.pattern) {
                Ok(cells) => {
                    let (column, row) = corner(&cells, cell);
                    self.history.push(Edit::Place { pattern: self.view.pattern.clone(), column, row });
                }
                Err(reason) => {
                    self.say(reason);
                    return;
                }
            },
        }
        self.look();
    }

    /// The pen is lifted: what comes next is undone by itself.
    pub fn lift(&mut self) {
        self.history.end_stroke();
        self.pen = None;
    }

    /// Takes the object at the chosen cell off the board at t.
    fn delete(&mut self) {
        let Some(cell) = self.cell() else {
            self.say("choose a cell first: I J K ; or a click");
            return;
        };
        match self.object_at(0, cell) {
            Some(object) => {
                self.history.push(wipe(object.cells));
                self.look();
            }
            None => self.say(format!("no object covers the cell ({}, {}) at t", cell.0, cell.1)),
        }
    }
}

/// The cells on the straight way from one to another, both included.
fn line(from: (u32, u32), to: (u32, u32)) -> Vec<(u32, u32)> {
    let (across, down) = (i64::from(to.0) - i64::from(from.0), i64::from(to.1) - i64::from(from.1));
    let steps = across.abs().max(down.abs()).max(1);
    let place = |start: u32, way: i64, step: i64| {
        // Halves are rounded away from the start, so that there and back differ by no more than a cell.
        let part = (2 * way * step + steps * way.signum()) / (2 * steps);
        (i64::from(start) + part) as u32
    };
    let mut cells: Vec<_> = (0..=steps).map(|step| (place(from.0, across, step), place(from.1, down, step))).collect();
    cells.dedup();
    cells
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn lines_have_no_gaps() {
        assert_eq!(line((3, 3), (3, 3)), [(3, 3)]);
        assert_eq!(line((0, 0), (3, 0)), [(0, 0), (1, 0), (2, 0), (3, 0)]);
        for to in [(9, 4), (0, 7), (5, 0), (2, 9), (0, 0)] {
            let cells = line((5, 4), to);
            assert_eq!((cells.first(), cells.last()), (Some(&(5, 4)), Some(&to)));
            for pair in cells.windows(2) {
                assert!(pair[0].0.abs_diff(pair[1].0) <= 1 && pair[0].1.abs_diff(pair[1].1) <= 1, "{cells:?}");
            }
        }
    }
}
