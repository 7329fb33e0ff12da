//! What a person has changed, step by step, and back again.

use environments::Edit;

/// Edits in the order in which they were made, in groups that are undone together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    done: Vec<Vec<Edit>>,
    undone: Vec<Vec<Edit>>,
    /// Whether further painting belongs to the last group.
    stroke: bool,
}

impl History {
    /// A history that begins with edits that were made before.
    pub fn of(edits: Vec<Edit>) -> Self {
        Self { done: edits.into_iter().map(|edit| vec![edit]).collect(), ..Self::default() }
    }

    /// All edits in force, in order.
    pub fn edits(&self) -> Vec<Edit> {
        self.done.iter().flatten().cloned().collect()
    }

    /// Number of groups in force.
    pub fn len(&self) -> usize {
        self.done.len()
    }

    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.done.is_empty()
    }

    /// Whether something can be done again.
    pub fn can_redo(&self) -> bool {
        !self.undone.is_empty()
    }

    /// Makes an edit.
    pub fn push(&mut self, edit: Edit) {
        self.push_all(vec![edit]);
    }

    /// Makes edits that are undone together.
    pub fn push_all(&mut self, edits: Vec<Edit>) {
        self.done.push(edits);
        self.undone.clear();
        self.stroke = false;
    }

    /// Paints one cell; cells painted until [`History::end_stroke`] are undone together.
    pub fn paint(&mut self, cell: (u32, u32), state: u8) {
        if !self.stroke {
            self.push(Edit::Paint { cells: vec![cell], state });
            self.stroke = true;
            return;
        }
        let Some(group) = self.done.last_mut() else { return };
        match group.last_mut() {
            Some(Edit::Paint { cells, state: last }) if *last == state => {
                if !cells.contains(&cell) {
                    cells.push(cell);
                }
            }
            _ => group.push(Edit::Paint { cells: vec![cell], state }),
        }
    }

    /// The pen is lifted.
    pub fn end_stroke(&mut self) {
        self.stroke = false;
    }

    /// Takes the last group back; false if there is none.
    pub fn undo(&mut self) -> bool {
        self.stroke = false;
        let group = self.done.pop();
        let done = group.is_some();
        self.undone.extend(group);
        done
    }

    /// Makes again what was taken back last; false if there is nothing.
    pub fn redo(&mut self) -> bool {
        self.stroke = false;
        let group = self.undone.pop();
        let done = group.is_some();
        self.done.extend(group);
        done
    }

    /// Takes everything back. Each group can be done again.
    pub fn clear(&mut self) -> bool {
        let any = !self.done.is_empty();
        while self.undo() {}
        any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(column: i32) -> Edit {
        Edit::Place { pattern: "block".into(), column, row: 0 }
    }

    #[test]
    fn undoing_and_redoing_walk_the_same_path() {
        let mut history = History::default();
        assert!(!history.undo() && !history.redo());
        history.push(place(1));
        history.push(place(2));
        assert!(history.undo());
        assert_eq!(history.edits(), [place(1)]);
        assert!(history.redo());
        assert_eq!(history.edits(), [place(1), place(2)]);
        history.undo();
        history.push(place(3));
        assert!(!history.redo(), "what was undone is gone once something else is done");
        assert_eq!(history.edits(), [place(1), place(3)]);
    }

    #[test]
    fn a_stroke_is_one_edit() {
        let mut history = History::default();
        for cell in [(0, 0), (1, 0), (1, 0), (2, 0)] {
            history.paint(cell, 1);
        }
        assert_eq!(history.edits(), [Edit::Paint { cells: vec![(0, 0), (1, 0), (2, 0)], state: 1 }]);
        history.end_stroke();
        history.paint((5, 5), 0);
        assert_eq!(history.len(), 2);
        history.undo();
        assert_eq!(history.len(), 1);
    }

    #[test]
    fn clearing_can_be_taken_back() {
        let mut history = History::of(vec![place(1), place(2)]);
        assert!(history.clear());
        assert!(history.is_empty() && !history.clear());
        history.redo();
        history.redo();
        assert_eq!(history.edits(), [place(1), place(2)]);
    }
}
