//! One-dimensional rules as subjects, without a model.

use std::sync::Arc;

use environments::automata::elementary::random_row;
use environments::automata::{LineRule, Pattern};
use environments::{Address, Edit, Scene, Split};
use models::ModelSpec;

use super::{LineScene, SIZE, Structure};
use crate::subject::{Asks, Fact, Observed, Subject};
use crate::view::Tool;

/// The most columns.
const WIDEST: usize = 1024;

/// A one-dimensional rule on a ring.
pub struct LineSubject {
    rule: LineRule,
    /// The first row; drawn by chance for every episode where there is none.
    first: Option<Vec<u8>>,
    about: Arc<str>,
}

impl LineSubject {
    /// Rows by chance, every episode another.
    pub fn random(rule: LineRule) -> Self {
        Self { rule, first: None, about: about(rule, SIZE.0) }
    }

    /// The first row of a pattern, in the middle of a ring.
    ///
    /// # Errors
    /// If it is too wide.
    pub fn from_pattern(rule: LineRule, pattern: &Pattern) -> Result<Self, String> {
        let bounds = pattern.bounding_box().ok_or("the pattern has no live cell")?;
        let width = (bounds.width as usize).max(SIZE.0);
        if width > WIDEST {
            return Err(format!("the row has {} cells; at most {WIDEST} are drawn here", bounds.width));
        }
        let mut first = vec![0; width];
        let west = (width - bounds.width as usize) / 2;
        let top = pattern.cells().iter().filter(|cell| cell.y == bounds.y);
        top.for_each(|cell| first[west + (cell.x - bounds.x) as usize] = 1);
        Ok(Self { rule, first: Some(first), about: about(rule, width) })
    }

    fn edited(&self, split: Split, index: u64, edits: &[Edit]) -> Result<(LineRule, Vec<u8>), String> {
        let random = || random_row(&format!("{} {index}", split.name()), SIZE.0);
        let mut rule = self.rule;
        let mut first = self.first.clone().unwrap_or_else(random);
        for edit in edits {
            match edit {
                Edit::Paint { cells, state } => {
                    for &(column, row) in cells {
                        self.paints((column, row))?;
                        let slot = first.get_mut(column as usize);
                        *slot.ok_or_else(|| format!("column {column} is off the ring"))? = (*state).min(1);
                    }
                }
                Edit::Entry { entry, value } if (*entry as usize) < rule.entries() => {
                    rule = rule.with_entry(*entry as usize, *value != 0);
                }
                Edit::Rule { rule: text } => rule = text.parse().map_err(|error| format!("{error}"))?,
                _ => return Err("a history's first row can be painted and its rule changed".into()),
            }
        }
        Ok((rule, first))
    }
}

fn about(rule: LineRule, width: usize) -> Arc<str> {
    let class = rule.wolfram_class().map_or_else(String::new, |class| format!(", class {}", class.name()));
    format!("{rule}{class}, ring of {width} cells").into()
}

impl Subject for LineSubject {
    fn about(&self) -> String {
        self.about.to_string()
    }

    fn has_episodes(&self) -> bool {
        self.first.is_none()
    }

    fn accepts(&self, _spec: &ModelSpec) -> Result<(), String> {
        Err("a rule of its own has no model".into())
    }

    fn horizons(&self) -> &[u32] {
        &[]
    }

    fn observe(&self, split: Split, index: u64, edits: &[Edit]) -> Result<Observed, String> {
        let (rule, first) = self.edited(split, index, edits)?;
        let (width, rows) = (first.len(), SIZE.1);
        let original = match edits {
            [] => None,
            _ => {
                let (rule, first) = self.edited(split, index, &[])?;
                Some(rule.history(first, rows))
            }
        };
        let rows = rule.history(first, rows);
        let scene = Scene::Board {
            width: width as u32,
            height: rows.len() as u32,
            states: 2,
            frames: vec![rows.concat()],
            objects: Vec::new(),
        };
        let begin = rows.len().saturating_sub(1) as u32;
        let scene = Box::new(LineScene { scene, structure: Structure::new(rule, rows), original });
        Ok(Observed { split, index, edits: edits.to_vec(), scene, asks: Asks::Each(Vec::new()), begin })
    }

    fn answer(&self, _logits: &[f32]) -> Vec<f32> {
        Vec::new()
    }

    fn facts(&self, _observed: &Observed, _step: u32, _cell: (u32, u32)) -> Vec<Fact> {
        Vec::new()
    }

    fn tools(&self) -> &'static [(Tool, &'static str)] {
        &[(Tool::Look, "look"), (Tool::Draw, "draw"), (Tool::Erase, "erase"), (Tool::Drop, "rewrite")]
    }

    fn palette(&self, _observed: &Observed) -> Vec<String> {
        let bits = 2 * self.rule.radius() + 1;
        let entries = (0..self.rule.entries()).rev();
        entries.flat_map(|entry| [0, 1].map(|value| format!("{entry:0bits$b}={value}"))).collect()
    }

    fn footprint(&self, name: &str) -> Result<Vec<(u32, u32)>, String> {
        self.change(name).map(|_| Vec::new())
    }

    fn place(&self, observed: &Observed, name: &str, _corner: (i32, i32)) -> Result<Edit, String> {
        let edit = self.change(name)?;
        let (now, _) = self.edited(observed.split, observed.index, &observed.edits)?;
        let edits: Vec<Edit> = observed.edits.iter().cloned().chain([edit.clone()]).collect();
        let (then, _) = self.edited(observed.split, observed.index, &edits)?;
        if now == then { Err(format!("`{name}` is the rule as it is")) } else { Ok(edit) }
    }

    fn paints(&self, (column, row): (u32, u32)) -> Result<(), String> {
        if row == 0 {
            return Ok(());
        }
        Err(format!("cell ({column}, {row}): only the first row can be drawn on, for the others follow from it"))
    }

    fn address(&self, _observed: &Observed) -> Option<(Address, Vec<Edit>)> {
        None
    }
}

impl LineSubject {
    fn change(&self, name: &str) -> Result<Edit, String> {
        crate::elementary::change(name, self.rule.radius())
    }
}
