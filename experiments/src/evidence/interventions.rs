//! Interventions as data: what is done, where, and with which numbers, so that a report can list it and a file can hold it.
//! A new one is a function and its line in [`INTERVENTIONS`].

use environments::{Stream, Symbol};
use models::{Action, Intervention, ModelError, Plan, Predictor, Run};
use serde::{Deserialize, Serialize};

use super::linear::dot;
use super::numeric::normal;

/// A kind of intervention: how a row of activations becomes another.
pub struct Kind {
    /// The name used in data.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// Changes a row.
    pub change: fn(&mut [f64], &Given<'_>),
}

/// What a change may use beside the row.
pub struct Given<'a> {
    /// The mean row of a tap over the batch.
    pub mean: &'a [f64],
    /// The row that is put in place, or of which a part is; the row itself where nothing was named.
    pub other: &'a [f64],
    /// A vector of the row's width; zeros where none was given.
    pub direction: &'a [f64],
    /// Orthonormal rows.
    pub basis: &'a [f64],
    /// A multiple.
    pub dose: f64,
}

/// All kinds, in the order in which they are listed.
pub const INTERVENTIONS: &[Kind] = &[
    Kind { name: "zero", about: "zeros in place of the row", change: |row, _| row.fill(0.0) },
    Kind {
        name: "mean",
        about: "the batch's mean in place of the row",
        change: |row, given| row.copy_from_slice(given.mean),
    },
    Kind {
        name: "replace",
        about: "given values, or another input's row, in place of the row",
        change: |row, given| row.copy_from_slice(given.other),
    },
    Kind { name: "add", about: "a direction at a dose is added", change: add },
    Kind { name: "project-out", about: "the part within a subspace becomes the mean's", change: project_out },
    Kind {
        name: "replace-within",
        about: "the part within a subspace becomes that of given values or of another input's row",
        change: replace_within,
    },
];

fn add(row: &mut [f64], given: &Given<'_>) {
    row.iter_mut().zip(given.direction).for_each(|(value, direction)| *value += given.dose * direction);
}

fn move_to(row: &mut [f64], goal: &[f64], basis: &[f64]) {
    let difference: Vec<f64> = goal.iter().zip(row.iter()).map(|(goal, value)| goal - value).collect();
    for direction in basis.chunks_exact(row.len().max(1)) {
        let along = dot(direction, &difference);
        row.iter_mut().zip(direction).for_each(|(value, direction)| *value += along * direction);
    }
}

fn project_out(row: &mut [f64], given: &Given<'_>) {
    move_to(row, given.mean, given.basis);
}

fn replace_within(row: &mut [f64], given: &Given<'_>) {
    move_to(row, given.other, given.basis);
}

/// Where the values come from that are put in place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// These.
    Values(Vec<f64>),
    /// The row of another sequence of the batch, at the same tap.
    Row {
        /// The sequence.
        sequence: usize,
        /// The row.
        row: usize,
    },
}

/// One intervention.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Stated {
    /// The kind's name.
    pub kind: String,
    /// The tap.
    pub tap: String,
    /// Which sequence of the batch; all of them where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<usize>,
    /// Rows: positions; of patterns head × positions + position.
    pub rows: Vec<usize>,
    /// First and last column plus one that are changed, such as those of one head; all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<(usize, usize)>,
    /// What is put in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// What is added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub direction: Vec<f64>,
    /// Orthonormal rows of a subspace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub basis: Vec<f64>,
    /// The multiple that is added; 1 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dose: Option<f64>,
}

/// The columns of one head in the taps `attn.q`, `attn.k` and `attn.v`.
pub fn head_columns(head: usize, width: usize, heads: usize) -> (usize, usize) {
    let each = width / heads.max(1);
    (head * each, (head + 1) * each)
}

/// The kind of a name.
///
/// # Errors
/// Names the nearest.
pub fn find(name: &str) -> Result<&'static Kind, ModelError> {
    INTERVENTIONS.iter().find(|kind| kind.name == name).ok_or_else(|| {
        let nearest = crate::config::nearest(name, INTERVENTIONS.iter().map(|kind| kind.name));
        ModelError::Config(format!("`{name}` is no intervention; the nearest is `{nearest}`"))
    })
}

/// Runs a model with interventions made, each on the clean activations of its tap.
///
/// # Errors
/// Those of the model; for a kind, a sequence, a row or columns that are not there, or vectors of the wrong width.
pub fn intervene(model: &dyn Predictor, tokens: &[Symbol], stated: &[Stated]) -> Result<Run, ModelError> {
    let mut taps: Vec<String> = stated.iter().map(|one| one.tap.clone()).collect();
    taps.sort_unstable();
    taps.dedup();
    let clean = model.run(tokens, &Plan { capture: taps, interventions: Vec::new() })?;
    let mut interventions = Vec::new();
    for one in stated {
        let kind = find(&one.kind)?;
        let captured = clean.tap(&one.tap)?;
        let (rows, width) = (captured.rows, captured.width);
        let count = captured.values.len() / (rows * width).max(1);
        let wrong = |what: String| ModelError::Shape(format!("intervention `{}` at `{}`: {what}", one.kind, one.tap));
        let wide = |sequence: usize, row: usize| -> Result<Vec<f64>, ModelError> {
            if sequence >= count || row >= rows {
                return Err(wrong(format!("row {row} of sequence {sequence} is not there")));
            }
            Ok(captured.row(sequence, row).iter().map(|value| f64::from(*value)).collect())
        };
        let (first, last) = one.columns.unwrap_or((0, width));
        let fits = |values: &[f64]| values.is_empty() || values.len() == width;
        if first > last || last > width || !fits(&one.direction) || !one.basis.len().is_multiple_of(width.max(1)) {
            return Err(wrong(format!("columns or vectors do not fit the width, {width}")));
        }
        let mut mean = vec![0.0; width];
        let all = (count * rows).max(1) as f64;
        for row in captured.values.chunks_exact(width) {
            mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += f64::from(*value) / all);
        }
        let direction = if one.direction.is_empty() { vec![0.0; width] } else { one.direction.clone() };
        for sequence in one.sequence.map_or(0..count, |sequence| sequence..sequence + 1) {
            let mut values = Vec::with_capacity(one.rows.len() * width);
            for &row in &one.rows {
                let own = wide(sequence, row)?;
                let other = match &one.source {
                    None => own.clone(),
                    Some(Source::Values(values)) if values.len() == width => values.clone(),
                    Some(Source::Values(values)) => {
                        return Err(wrong(format!("{} values were given where {width} are needed", values.len())));
                    }
                    Some(Source::Row { sequence, row }) => wide(*sequence, *row)?,
                };
                let given = Given {
                    mean: &mean,
                    other: &other,
                    direction: &direction,
                    basis: &one.basis,
                    dose: one.dose.unwrap_or(1.0),
                };
                let mut changed = own.clone();
                (kind.change)(&mut changed, &given);
                changed[..first].copy_from_slice(&own[..first]);
                changed[last..].copy_from_slice(&own[last..]);
                values.extend(changed.into_iter().map(|value| value as f32));
            }
            let action = Action::Replace { values };
            interventions.push(Intervention {
                tap: one.tap.clone(),
                sequence: Some(sequence),
                rows: one.rows.clone(),
                action,
            });
        }
    }
    model.run(tokens, &Plan { capture: Vec::new(), interventions })
}

/// The controls that every intervention stands beside: the null (its own values in its place), and a random vector of the
/// length by which it moves its row, added. `moved` is that length. A wrong concept is the caller's to name.
pub fn controls(stated: &Stated, width: usize, moved: f64, stream: &mut Stream) -> [(&'static str, Stated); 2] {
    let place = Stated {
        tap: stated.tap.clone(),
        sequence: stated.sequence,
        rows: stated.rows.clone(),
        columns: stated.columns,
        ..Stated::default()
    };
    let random: Vec<f64> = (0..width).map(|_| normal(stream)).collect();
    let scale = moved / dot(&random, &random).sqrt().max(1e-12);
    let direction = random.into_iter().map(|value| scale * value).collect();
    [
        ("null", Stated { kind: "replace".into(), ..place.clone() }),
        ("random, same norm", Stated { kind: "add".into(), direction, ..place }),
    ]
}
