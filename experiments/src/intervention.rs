//! Interventions as files: edits of a world and patches of a mind, what they did, and how that is computed again. The
//! viewer and `stance intervene` share this, so that they agree to the last digit.

use std::collections::BTreeMap;

use environments::life::{Board, LifeWorld};
use environments::{Address, Edit, Symbol};
use models::native::math;
use models::{Action, Captured, ModelSpec, Plan, Predictor};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::glider_chunking::{forward, pairs, transplant};

/// What is done to the activations of some positions. All that is read is read in a run without patches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Deed {
    /// Those of other positions are put there.
    Copy {
        /// Other positions, one for each.
        from: Vec<usize>,
    },
    /// Those that the same positions have in the episode without edits are put there.
    Restore,
    /// Zeros are put there.
    Zero,
    /// The mean over all positions is put there.
    Mean,
    /// A neuron is raised.
    Neuron {
        /// Its number at the tap.
        neuron: usize,
        /// By how much.
        dose: f32,
    },
    /// What other positions have beyond the mean over all positions is added.
    Direction {
        /// Other positions, one for each.
        from: Vec<usize>,
        /// The multiple that is added.
        dose: f32,
    },
    /// A concept's direction is added: what a class has, in the mean, beyond the others.
    Concept {
        /// The concept and its class, such as `glider=glider`.
        what: String,
        /// The multiple that is added.
        dose: f32,
        /// The direction, of the tap's width.
        direction: Vec<f32>,
    },
    /// A concept is erased, so that no linear probe finds it (LEACE): x ← x − Σₖ ((x − mean) · readₖ) writeₖ.
    Erase {
        /// The concept and its class.
        what: String,
        /// Of the tap's width.
        mean: Vec<f32>,
        /// Rank × width.
        read: Vec<f32>,
        /// Rank × width.
        write: Vec<f32>,
    },
}

/// A change of activations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    /// The tap.
    pub tap: String,
    /// The model's positions.
    pub to: Vec<usize>,
    /// What is done there.
    pub deed: Deed,
}

impl Patch {
    /// In words, such as `copy of 4 positions at blocks.1.resid_post`.
    pub fn describe(&self) -> String {
        let (count, tap) = (self.to.len(), &self.tap);
        let positions = if count == 1 { "1 position".to_string() } else { format!("{count} positions") };
        match &self.deed {
            Deed::Copy { .. } => format!("copy of {positions} at {tap}"),
            Deed::Restore => format!("{positions} at {tap} as without edits"),
            Deed::Zero => format!("zero at {positions} at {tap}"),
            Deed::Mean => format!("mean at {positions} at {tap}"),
            Deed::Neuron { neuron, dose } => format!("neuron {neuron} +{dose} at {positions} at {tap}"),
            Deed::Direction { dose, .. } => format!("direction ×{dose} at {positions} at {tap}"),
            Deed::Concept { what, dose, .. } => format!("{what} ×{dose} at {positions} at {tap}"),
            Deed::Erase { what, .. } => format!("{what} erased at {positions} at {tap}"),
        }
    }

    /// Checks it against a model.
    ///
    /// # Errors
    /// What does not fit, in one sentence.
    pub fn check(&self, spec: &ModelSpec) -> Result<(), String> {
        let number = spec.tap(&self.tap).map_err(|error| error.to_string())?;
        let tap = &spec.taps()[number];
        let positions = spec.geometry.len();
        let wrong = |what: String| Err(format!("the patch at `{}`: {what}", self.tap));
        if tap.rows != positions {
            return wrong("the tap has no row for each position".into());
        }
        let from: &[usize] = match &self.deed {
            Deed::Copy { from } | Deed::Direction { from, .. } => from,
            _ => &[],
        };
        if let Some(row) = self.to.iter().chain(from).find(|&&row| row >= positions) {
            return wrong(format!("there is no position {row}; the last is {}", positions - 1));
        }
        match &self.deed {
            Deed::Copy { .. } | Deed::Direction { .. } if from.len() != self.to.len() => {
                wrong(format!("{} positions are read for {}", from.len(), self.to.len()))
            }
            Deed::Direction { dose, .. } | Deed::Neuron { dose, .. } | Deed::Concept { dose, .. }
                if !dose.is_finite() =>
            {
                wrong("the dose is no number".into())
            }
            Deed::Neuron { neuron, .. } if *neuron >= tap.width => {
                wrong(format!("there is no neuron {neuron}; the last is {}", tap.width - 1))
            }
            Deed::Concept { direction, .. } if direction.len() != tap.width => {
                wrong(format!("the direction has {} values where {} are needed", direction.len(), tap.width))
            }
            Deed::Erase { mean, read, write, .. }
                if mean.len() != tap.width || read.len() != write.len() || read.len() % tap.width != 0 =>
            {
                wrong(format!("what is erased is not made of rows of {} values", tap.width))
            }
            _ => Ok(()),
        }
    }

    /// The model's interventions, from the tap's activations without patches, and without edits either.
    fn interventions(&self, own: &Captured, unedited: Option<&Captured>) -> Vec<models::Intervention> {
        let width = own.width;
        let act =
            |rows: Vec<usize>, action| models::Intervention { tap: self.tap.clone(), sequence: None, rows, action };
        let rows = |captured: &Captured, from: &[usize]| -> Vec<f32> {
            from.iter().flat_map(|&row| captured.row(0, row).iter().copied()).collect()
        };
        let values = match &self.deed {
            Deed::Copy { from } => rows(own, from),
            Deed::Restore => rows(unedited.unwrap_or(own), &self.to),
            Deed::Zero => vec![0.0; self.to.len() * width],
            Deed::Mean => mean(own).repeat(self.to.len()),
            Deed::Neuron { neuron, dose } => {
                let direction = (0..width).map(|place| f32::from(u8::from(place == *neuron))).collect();
                return vec![act(self.to.clone(), Action::Add { direction, dose: *dose })];
            }
            Deed::Concept { direction, dose, .. } => {
                return vec![act(self.to.clone(), Action::Add { direction: direction.clone(), dose: *dose })];
            }
            Deed::Erase { mean, read, write, .. } => {
                let mut values = rows(own, &self.to);
                values.chunks_exact_mut(width).for_each(|row| erase(row, mean, read, write));
                values
            }
            Deed::Direction { from, dose } => {
                let mean = mean(own);
                let beyond = |row: usize| own.row(0, row).iter().zip(&mean).map(|(value, mean)| value - mean).collect();
                let one = |(&to, &from)| act(vec![to], Action::Add { direction: beyond(from), dose: *dose });
                return self.to.iter().zip(from).map(one).collect();
            }
        };
        vec![act(self.to.clone(), Action::Replace { values })]
    }
}

/// x ← x − Σₖ ((x − mean) · readₖ) writeₖ, in 64 bits and one order.
fn erase(row: &mut [f32], mean: &[f32], read: &[f32], write: &[f32]) {
    let width = row.len();
    let centred: Vec<f64> = row.iter().zip(mean).map(|(value, mean)| f64::from(*value) - f64::from(*mean)).collect();
    let mut change = vec![0.0f64; width];
    for (read, write) in read.chunks_exact(width).zip(write.chunks_exact(width)) {
        let along: f64 = read.iter().zip(&centred).map(|(read, value)| f64::from(*read) * value).sum();
        change.iter_mut().zip(write).for_each(|(change, write)| *change += along * f64::from(*write));
    }
    row.iter_mut().zip(&change).for_each(|(value, change)| *value = (f64::from(*value) - change) as f32);
}

/// The mean row of a tap.
fn mean(captured: &Captured) -> Vec<f32> {
    let mut mean = vec![0.0f64; captured.width];
    for row in captured.values.chunks_exact(captured.width) {
        mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    mean.into_iter().map(|sum| (sum / captured.rows as f64) as f32).collect()
}

/// The logits of a sequence under patches; `unedited` is what the model is asked without edits, where a patch restores.
///
/// # Errors
/// If a patch does not fit the model.
pub fn patched(
    predictor: &dyn Predictor,
    tokens: &[Symbol],
    unedited: Option<&[Symbol]>,
    patches: &[Patch],
) -> Result<Vec<f32>, String> {
    let mut taps: Vec<&str> = patches.iter().map(|patch| patch.tap.as_str()).collect();
    taps.sort_unstable();
    taps.dedup();
    let read = |tokens: &[Symbol]| predictor.run(tokens, &Plan::reading(&taps)).map_err(|error| error.to_string());
    let own = read(tokens)?;
    let restores = patches.iter().any(|patch| patch.deed == Deed::Restore);
    let unedited = unedited.filter(|_| restores).map(read).transpose()?;
    let mut interventions = Vec::new();
    for patch in patches {
        let tap = |run: &models::Run| run.tap(&patch.tap).map_err(|error| error.to_string()).cloned();
        let before = unedited.as_ref().map(tap).transpose()?;
        interventions.extend(patch.interventions(&tap(&own)?, before.as_ref()));
    }
    let plan = Plan { capture: Vec::new(), interventions };
    predictor.run(tokens, &plan).map(|run| run.logits).map_err(|error| error.to_string())
}

/// What edits and patches did, for whoever cites them or runs them again: the address and the edits are what
/// `Environment::counterfactual` takes, and the figures are those at the view's step when they were saved.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Intervention {
    /// The episode that is edited; none for a pattern file. Its index is not always the view's: a pair of twins has a
    /// number of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// All edits, in order; those that make an evil twin come before the view's.
    pub edits: Vec<Edit>,
    /// What was open, such as a run's name.
    pub source: String,
    /// What the two scores count.
    pub measures: [String; 2],
    /// The model's and the reference's score at the step before the edits, where the model had answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<[f32; 2]>,
    /// The same with them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<[f32; 2]>,
    /// Cells whose state at the step the edits change, by the simulator.
    pub changed: usize,
    /// Those of the edits that were not the person's, such as the one that makes an evil twin.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unedited: Vec<Edit>,
    /// All edits of the world that the patches are held against: its future is what the patched model should predict.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub against: Vec<Edit>,
    /// What the patches did at the step, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub effect: BTreeMap<String, f64>,
}

/// The probabilities of a model's targets at every position.
pub fn chances(logits: &[f32], targets: usize) -> Vec<f32> {
    let mut all = logits.to_vec();
    all.chunks_exact_mut(targets).for_each(math::softmax);
    all
}

/// The probability of each cell of a board to be live, row-major.
pub fn alive(world: &LifeWorld, logits: &[f32]) -> Vec<f32> {
    forward::alive(world, logits)
}

/// Nats of a probability, cut where a figure would no longer be one.
pub fn nats(chance: f64) -> f32 {
    // Sums of shares may lie a little above 1.
    (0.0 - chance.clamp(1e-12, 1.0).ln()) as f32
}

/// Cells that are held for what they are not, at least even odds counting as live.
pub fn wrong_cells(truth: &[u8], alive: &[f32]) -> u32 {
    truth.iter().zip(alive).map(|(&truth, &chance)| u32::from((truth != 0) != (chance >= 0.5))).sum()
}

/// What patches did to a prediction of a board, outside the patched positions: the scores of the report's transplants.
/// `before` and `after` are what the simulator makes of the board, and of the one that the patches are held against.
pub fn board_effect(
    world: &LifeWorld,
    (clean, patched): (&[f32], &[f32]),
    (before, after): (&[u8], &[u8]),
    to: &[usize],
) -> BTreeMap<String, f64> {
    let board = |cells: &[u8]| Board::from_cells(world.config().width, world.config().height, cells);
    // The first position holds the horizon, and covers no cell.
    let tokens: Vec<usize> = to.iter().copied().filter(|&position| position > 0).collect();
    let inside = pairs::covered(world, &tokens);
    let counts = transplant::score(clean, patched, &board(before), &board(after), &inside);
    let mut effect = BTreeMap::from([
        ("cells the simulator changes".to_string(), counts[5]),
        ("cells the prediction changes".to_string(), counts[0] + counts[4]),
        ("damaged cells".to_string(), counts[4]),
    ]);
    effect.extend(transplant::overlap(&counts).map(|value| ("overlap".to_string(), value)));
    effect.extend(transplant::soft_overlap(&counts).map(|value| ("soft overlap".to_string(), value)));
    effect
}

/// What patches did to a prediction of the token at a position: `truth` comes, `other` would come in the world that the
/// patches are held against. Also how many predictions change at positions that were not patched.
pub fn line_effect(
    (clean, patched): (&[f32], &[f32]),
    targets: usize,
    position: usize,
    (truth, other): (Option<usize>, Option<usize>),
    to: &[usize],
) -> BTreeMap<String, f64> {
    let mut effect = BTreeMap::new();
    for (name, token) in [("what comes", truth), ("the counterfactual", other)] {
        for (when, answer) in [("before", clean), ("after", patched)] {
            let chance = token.and_then(|token| answer.get(position * targets + token));
            effect.extend(chance.map(|&chance| (format!("probability of {name}, {when}"), f64::from(chance))));
        }
    }
    let top = |row: &[f32]| row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(place, _)| place);
    let rows = clean.chunks_exact(targets).zip(patched.chunks_exact(targets)).enumerate();
    let changed = rows.filter(|(place, (a, b))| !to.contains(place) && top(a) != top(b)).count();
    effect.insert("predictions changed at other positions".into(), changed as f64);
    effect
}

/// The positions that patches change, and that do not count when these are scored. What is erased everywhere puts nothing
/// at any place.
pub fn touched(patches: &[Patch]) -> Vec<usize> {
    let puts = patches.iter().filter(|patch| !matches!(patch.deed, Deed::Erase { .. }));
    let mut all: Vec<usize> = puts.flat_map(|patch| patch.to.iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Sections `[world]` of the models of `glider-chunking` that live in another world, by the beginning of their names:
/// those that only predict the next step, and the control world, where the rule is another and the shapes of gliders do
/// not fly.
pub fn life_variants(world: &Table, config: &Table) -> Vec<(&'static str, Table)> {
    let variant = |changes: &[(&str, Value)]| {
        let mut world = world.clone();
        world.extend(changes.iter().map(|(key, value)| (key.to_string(), value.clone())));
        world
    };
    let mut all = vec![("next-step", variant(&[("horizons", vec![1].into())]))];
    if let Some(control) = config.get("measure").and_then(|measure| measure.get("control_rule")) {
        let rule = world.get("recognise_as").or(world.get("rule")).cloned().unwrap_or_else(|| "B3/S23".into());
        all.push(("control-world", variant(&[("rule", control.clone()), ("recognise_as", rule)])));
    }
    all
}

/// The pool of training machines of a model of `machine-diversity` and its number, by the end of its name, such as
/// `machines-16-2`; 0 for all machines.
pub fn pool_of(model: &str) -> Option<(usize, usize)> {
    let mut parts = model.rsplitn(3, '-');
    let (number, diversity) = (parts.next()?.parse().ok()?, parts.next()?);
    Some((if diversity == "all" { 0 } else { diversity.parse().ok()? }, number))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_was_patched_is_not_counted() {
        // Two positions of two targets; the first is patched.
        let (clean, patched) = ([0.9, 0.1, 0.8, 0.2], [0.2, 0.8, 0.4, 0.6]);
        let effect = line_effect((&clean, &patched), 2, 1, (Some(0), Some(1)), &[0]);
        assert_eq!(effect["predictions changed at other positions"], 1.0);
        assert_eq!(effect["probability of what comes, before"], f64::from(0.8f32));
        assert_eq!(effect["probability of the counterfactual, after"], f64::from(0.6f32));
        let none = line_effect((&clean, &patched), 2, 1, (None, None), &[0, 1]);
        assert_eq!((none.len(), none["predictions changed at other positions"]), (1, 0.0));
    }

    #[test]
    fn the_models_of_diversity_tell_their_pool() {
        assert_eq!(pool_of("machines-16-2"), Some((16, 2)));
        assert_eq!(pool_of("machines-all-1"), Some((0, 1)));
        assert_eq!(pool_of("model"), None);
    }
}
