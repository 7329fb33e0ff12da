//! What to read and what to change during a forward pass, as data.

use serde::{Deserialize, Serialize};

use crate::{ModelError, ModelSpec, TapShape};

/// A change to one activation row vector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Action {
    /// Put other values there: one vector a row of the intervention, concatenated.
    Replace {
        /// `rows.len()` × width values.
        values: Vec<f32>,
    },
    /// Add a vector, times a dose, to every row of the intervention.
    Add {
        /// One vector of the tap's width.
        direction: Vec<f32>,
        /// The multiple that is added.
        dose: f32,
    },
    /// Remove the part that lies in a subspace: x ← x − B Bᵀ (x − centre).
    ProjectOut {
        /// Orthonormal rows, each of the tap's width, concatenated.
        basis: Vec<f32>,
        /// The point left unchanged, of the tap's width.
        centre: Vec<f32>,
    },
    /// Put other values there, but only within a subspace: x ← x + B Bᵀ (value − x).
    ReplaceWithin {
        /// Orthonormal rows, each of the tap's width, concatenated.
        basis: Vec<f32>,
        /// `rows.len()` × width values.
        values: Vec<f32>,
    },
}

/// One change at one tap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intervention {
    /// The tap's name.
    pub tap: String,
    /// Which sequence of the batch; all of them where absent.
    pub sequence: Option<usize>,
    /// Rows (positions; for patterns head × positions + position) that are changed.
    pub rows: Vec<usize>,
    /// The change.
    pub action: Action,
}

/// What a forward pass reads and changes. Interventions at a tap are made in order, then the tap is captured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Taps to read.
    pub capture: Vec<String>,
    /// Changes to make.
    pub interventions: Vec<Intervention>,
}

/// The activations of one tap: sequences × rows × width, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Captured {
    /// The tap.
    pub tap: String,
    /// Rows a sequence.
    pub rows: usize,
    /// Width of a row.
    pub width: usize,
    /// sequences × rows × width values.
    pub values: Vec<f32>,
}

/// What a forward pass gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// sequences × positions × targets, row-major.
    pub logits: Vec<f32>,
    /// One for each tap of [`Plan::capture`], in that order.
    pub captured: Vec<Captured>,
}

impl Run {
    /// The activations of a captured tap.
    ///
    /// # Errors
    /// If the plan did not ask for it.
    pub fn tap(&self, name: &str) -> Result<&Captured, ModelError> {
        self.captured.iter().find(|captured| captured.tap == name).ok_or_else(|| ModelError::UnfiredTap(name.into()))
    }
}

impl Captured {
    /// One row of one sequence.
    pub fn row(&self, sequence: usize, row: usize) -> &[f32] {
        let start = (sequence * self.rows + row) * self.width;
        &self.values[start..start + self.width]
    }
}

impl Plan {
    /// A plan that only reads.
    pub fn reading(taps: &[&str]) -> Self {
        Self { capture: taps.iter().map(|&tap| tap.into()).collect(), interventions: Vec::new() }
    }

    /// Checks every name and shape against a model and orders the work by tap.
    ///
    /// # Errors
    /// For a tap that does not exist, rows out of range or a vector of the wrong length.
    pub fn resolve(&self, spec: &ModelSpec, sequences: usize) -> Result<ResolvedPlan<'_>, ModelError> {
        let taps = spec.taps();
        let mut at: Vec<Vec<&Intervention>> = vec![Vec::new(); taps.len()];
        let mut captured = vec![None; taps.len()];
        for (slot, name) in self.capture.iter().enumerate() {
            if captured[spec.tap(name)?].replace(slot).is_some() {
                return Err(ModelError::Shape(format!("the tap `{name}` is captured twice in one plan")));
            }
        }
        for intervention in &self.interventions {
            let number = spec.tap(&intervention.tap)?;
            let (rows, width) = (taps[number].rows, taps[number].width);
            let wrong =
                |what: String| Err(ModelError::Shape(format!("intervention at `{}`: {what}", intervention.tap)));
            if let Some(row) = intervention.rows.iter().find(|&&row| row >= rows) {
                return wrong(format!("row {row} is beyond the last, {}", rows - 1));
            }
            if let Some(sequence) = intervention.sequence.filter(|&sequence| sequence >= sequences) {
                return wrong(format!("sequence {sequence} is beyond the last of the batch of {sequences}"));
            }
            let (length, expected) = match &intervention.action {
                Action::Replace { values } => (values.len(), intervention.rows.len() * width),
                Action::Add { direction, .. } => (direction.len(), width),
                Action::ProjectOut { basis, centre } => {
                    if basis.len() % width != 0 {
                        return wrong(format!("a basis of {} values is not made of rows of {width}", basis.len()));
                    }
                    (centre.len(), width)
                }
                Action::ReplaceWithin { basis, values } => {
                    if basis.len() % width != 0 {
                        return wrong(format!("a basis of {} values is not made of rows of {width}", basis.len()));
                    }
                    (values.len(), intervention.rows.len() * width)
                }
            };
            if length != expected {
                return wrong(format!("{length} values were given where {expected} are needed"));
            }
            at[number].push(intervention);
        }
        Ok(ResolvedPlan { taps, at, captured })
    }
}

/// A plan that was checked against a model.
pub struct ResolvedPlan<'a> {
    /// The model's taps.
    pub taps: Vec<TapShape>,
    at: Vec<Vec<&'a Intervention>>,
    captured: Vec<Option<usize>>,
}

impl ResolvedPlan<'_> {
    /// Whether anything is to be done at a tap.
    pub fn touches(&self, tap: usize) -> bool {
        self.captured[tap].is_some() || !self.at[tap].is_empty()
    }

    /// Whether anything is changed at a tap.
    pub fn changes(&self, tap: usize) -> bool {
        !self.at[tap].is_empty()
    }

    /// The slot in [`Plan::capture`] that this tap fills.
    pub fn slot(&self, tap: usize) -> Option<usize> {
        self.captured[tap]
    }

    /// Makes the changes at a tap in the rows of one sequence's activation that begin at row `first` (some rows ×
    /// width, row-major).
    pub fn change(&self, tap: usize, sequence: usize, first: usize, values: &mut [f32]) {
        let width = self.taps[tap].width;
        let here = first..first + values.len() / width;
        for intervention in &self.at[tap] {
            if intervention.sequence.is_none_or(|wanted| wanted == sequence) {
                for (order, row) in intervention.rows.iter().enumerate().filter(|(_, row)| here.contains(row)) {
                    let range = order * width..(order + 1) * width;
                    apply(&intervention.action, &mut values[(row - first) * width..][..width], range);
                }
            }
        }
    }
}

fn apply(action: &Action, row: &mut [f32], source: std::ops::Range<usize>) {
    match action {
        Action::Replace { values } => row.copy_from_slice(&values[source]),
        Action::Add { direction, dose } => {
            for (value, direction) in row.iter_mut().zip(direction) {
                *value += dose * direction;
            }
        }
        Action::ProjectOut { basis, centre } => {
            let difference: Vec<f32> = row.iter().zip(centre).map(|(value, centre)| value - centre).collect();
            move_within(basis, &difference, -1.0, row);
        }
        Action::ReplaceWithin { basis, values } => {
            let difference: Vec<f32> = values[source].iter().zip(row.iter()).map(|(new, old)| new - old).collect();
            move_within(basis, &difference, 1.0, row);
        }
    }
}

/// row ← row + sign · B Bᵀ difference.
fn move_within(basis: &[f32], difference: &[f32], sign: f32, row: &mut [f32]) {
    for direction in basis.chunks_exact(row.len()) {
        let along: f32 = direction.iter().zip(difference).map(|(a, b)| a * b).sum();
        for (value, direction) in row.iter_mut().zip(direction) {
            *value += sign * along * direction;
        }
    }
}
