//! What a person changes in the world.

use environments::Edit;

use super::{Session, corner};
use crate::scene::Panel;
use crate::view::Tool;

const CHOOSE: &str = "choose a cell first: I J K ; or a click";

impl Session {
    pub(super) fn move_cell(&mut self, columns: i32, rows: i32) {
        let (width, height) = self.size();
        let [column, row] = self.view.cell.unwrap_or([width / 2, height / 2]);
        // The board is a torus.
        let round = |place: u32, by: i32, length: u32| (place as i32 + by).rem_euclid(length.max(1) as i32) as u32;
        self.view.cell = Some([round(column, columns, width), round(row, rows, height)]);
        self.hover = None;
    }

    /// The tool is used at the chosen cell.
    pub(super) fn use_tool(&mut self) {
        let placeless = self.view.tool == Tool::Drop
            && self.subject.footprint(&self.view.pattern).is_ok_and(|cells| cells.is_empty());
        match self.view.cell {
            Some([column, row]) => {
                self.touch((column, row));
                self.lift();
            }
            None if placeless => self.touch((0, 0)),
            None => self.say(CHOOSE),
        }
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
                if let Err(reason) = self.subject.paints(cell) {
                    self.say(reason);
                    return;
                }
                // A quick hand skips cells between two frames.
                let between = line(self.pen.unwrap_or(cell), cell).into_iter();
                for between in between.filter(|&cell| self.subject.paints(cell).is_ok()).collect::<Vec<_>>() {
                    self.history.paint(between, u8::from(self.view.tool == Tool::Draw));
                }
                if self.pen.replace(cell) == Some(cell) {
                    return;
                }
            }
            Tool::Patch => {
                self.patch(cell);
                return;
            }
            Tool::Move => match self.held.take() {
                None if self.object_at(0, cell).is_some() => {
                    self.held = Some(cell);
                    self.say("taken up: choose where it goes");
                    return;
                }
                None => {
                    self.say(format!("no object covers the cell ({}, {}) at t", cell.0, cell.1));
                    return;
                }
                Some(from) if from == cell => return,
                Some(from) => {
                    let by = (cell.0 as i32 - from.0 as i32, cell.1 as i32 - from.1 as i32);
                    match self.subject.shift(&self.observed, from, by) {
                        Ok(edits) => self.history.push_all(edits),
                        Err(reason) => {
                            self.say(reason);
                            return;
                        }
                    }
                }
            },
            Tool::Drop => {
                let name = self.view.pattern.clone();
                let placed = self
                    .subject
                    .footprint(&name)
                    .and_then(|cells| self.subject.place(&self.observed, &name, corner(&cells, cell)));
                match placed {
                    Ok(edit) => self.history.push(edit),
                    Err(reason) => {
                        self.say(reason);
                        return;
                    }
                }
            }
        }
        self.look();
    }

    /// A cell of a table was clicked: the change that it stands for is made.
    pub fn touch_table(&mut self, panel: &Panel, cell: (u32, u32)) {
        if let Some(name) = self.subject.chosen_in(&self.observed, panel.name, cell) {
            self.choose_pattern(&name);
            self.touch((0, 0));
        }
    }

    /// The pen is lifted: what comes next is undone by itself.
    pub fn lift(&mut self) {
        self.history.end_stroke();
        self.pen = None;
    }

    /// Takes the object at the chosen cell off the board at t.
    pub(super) fn delete(&mut self) {
        let Some(cell) = self.cell() else {
            self.say(CHOOSE);
            return;
        };
        match self.object_at(0, cell).cloned() {
            Some(object) => {
                self.history.push(Edit::Paint { cells: object.cells, state: 0 });
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
