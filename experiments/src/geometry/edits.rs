//! The belief edited inside a model: the part of the residual stream in which the belief moves it is replaced by another
//! sequence's, and what the model then predicts is compared with what the process does from that other belief.

use environments::sources::{HiddenEpisode, HiddenWorld};
use environments::stream;
use models::{Action, Intervention, Parameters, Plan, Predictor, Run, predictor};
use serde::{Deserialize, Serialize};

use super::readings::Part;
use crate::context::RunContext;
use crate::evidence::metrics::surprise;
use crate::evidence::numeric::{log_softmax, normal};
use crate::evidence::{Eraser, Whitening};

/// Sequences that go through a model together.
const CHUNK: usize = 64;

/// What is done at the last position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// The other sequence's belief in place of the own one.
    Belief,
    /// Half of the way.
    Half,
    /// A third sequence's belief, still scored against the other's.
    Wrong,
    /// A random vector as long as the change by `Belief`.
    Random,
    /// The own belief in place of itself.
    Null,
    /// The other sequence's whole activation.
    Whole,
}

impl Edit {
    /// All, in the order in which they are kept.
    pub const ALL: [Edit; 6] = [Edit::Belief, Edit::Half, Edit::Wrong, Edit::Random, Edit::Null, Edit::Whole];

    /// In words.
    pub fn name(self) -> &'static str {
        ["other belief", "half of it", "a third belief", "random, same norm", "null", "the whole activation"]
            [self as usize]
    }
}

/// What edits and erasure do to a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edited {
    /// Dimensions of the belief's subspace.
    pub rank: usize,
    /// By edit and sequence: divergence (nats) of the prediction from what the process does from the other belief, after
    /// the edit and before it.
    pub divergence: Vec<Vec<(f64, f64)>>,
    /// By sequence, at late positions: nats as it is, with the belief erased, with a random subspace of its rank erased.
    pub nats: Vec<[f64; 3]>,
}

/// Log-probabilities (nats) at a position.
fn said(run: &Run, sequence: usize, position: usize, (length, targets): (usize, usize)) -> Vec<f64> {
    let start = (sequence * length + position) * targets;
    let mut row: Vec<f64> = run.logits[start..start + targets].iter().map(|&logit| f64::from(logit)).collect();
    log_softmax(&mut row);
    row
}

/// Kullback and Leibler's divergence of log-probabilities from a distribution, in nats.
fn divergence(truth: &[f64], said: &[f64]) -> f64 {
    truth.iter().zip(said).filter(|(p, _)| **p > 0.0).map(|(p, q)| p * (-surprise(*p) - q)).sum()
}

/// Measures edits at the last position and erasure at all.
///
/// # Errors
/// Those of the model; when a stop was asked for.
pub fn edit(
    world: &HiddenWorld,
    model: &Parameters,
    parts: &[Part; 3],
    (tap, count, late): (&str, usize, usize),
    address: &[&str; 3],
    context: &RunContext<'_>,
) -> anyhow::Result<Edited> {
    let predictor = predictor(model, context.device())?;
    let (features, width) = activations(predictor.as_ref(), &parts[0].all, tap, context)?;
    let beliefs: Vec<f64> = parts[0].all.iter().flat_map(|episode| episode.beliefs.concat()).collect();
    let whitening = Whitening::fit(&features, width);
    let eraser = whitening.erase_quantities(&features, &beliefs, world.states());
    let mut chance = stream(&[&address[..], &["edits"]].concat());
    let random = whitening.erase_random(eraser.rank(), &mut chance);
    let basis: Vec<f32> = eraser.basis().iter().map(|value| *value as f32).collect();
    let all = &parts[2].all[..count];
    let (own, _) = activations(predictor.as_ref(), all, tap, context)?;
    let length = world.config().length;
    let last = length - 1;
    let at = |sequence: usize| &own[(sequence * length + last) * width..][..width];
    let next = |sequence: usize| world.next(&all[sequence].beliefs[last]);
    // The first sequence after one from whose belief the process goes on clearly otherwise.
    let other = |sequence: usize| {
        let far = |by: &usize| {
            let (a, b) = (next(sequence), next((sequence + by) % count));
            a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum::<f64>() > 0.2
        };
        (sequence + (1..count).find(far).unwrap_or(1)) % count
    };
    let sizes = (length, world.symbols());
    let mut told = vec![Vec::with_capacity(count); Edit::ALL.len()];
    let mut nats = Vec::with_capacity(count);
    for (number, chunk) in all.chunks(CHUNK).enumerate() {
        context.check_stop()?;
        let tokens = Part::tokens(chunk);
        let clean = predictor.run(&tokens, &Plan::default())?;
        let first = number * CHUNK;
        for (kind, edit) in Edit::ALL.into_iter().enumerate() {
            let interventions = (0..chunk.len()).map(|place| {
                let sequence = first + place;
                let (mine, partner) = (at(sequence), other(sequence));
                let within = |values: Vec<f32>| Action::ReplaceWithin { basis: basis.clone(), values };
                let action = match edit {
                    Edit::Belief => within(at(partner).to_vec()),
                    Edit::Half => within(mine.iter().zip(at(partner)).map(|(a, b)| 0.5 * (a + b)).collect()),
                    Edit::Wrong => within(at(other(partner)).to_vec()),
                    Edit::Null => within(mine.to_vec()),
                    Edit::Whole => Action::Replace { values: at(partner).to_vec() },
                    Edit::Random => {
                        let random: Vec<f64> = (0..width).map(|_| normal(&mut chance)).collect();
                        let long = random.iter().map(|value| value * value).sum::<f64>().sqrt().max(1e-12);
                        let scale = change(&basis, mine, at(partner)) / long;
                        Action::Add {
                            direction: random.iter().map(|value| (scale * value) as f32).collect(),
                            dose: 1.0,
                        }
                    }
                };
                Intervention { tap: tap.into(), sequence: Some(place), rows: vec![last], action }
            });
            let plan = Plan { capture: Vec::new(), interventions: interventions.collect() };
            let edited = predictor.run(&tokens, &plan)?;
            told[kind].extend((0..chunk.len()).map(|place| {
                let truth = next(other(first + place));
                let from = |run: &Run| divergence(&truth, &said(run, place, last, sizes));
                (from(&edited), from(&clean))
            }));
        }
        let erased = |eraser: &Eraser| -> anyhow::Result<Run> {
            let one = |place: usize| {
                let mut values = own[(first + place) * length * width..][..length * width].to_vec();
                eraser.apply(&mut values);
                let rows = (0..length).collect();
                Intervention { tap: tap.into(), sequence: Some(place), rows, action: Action::Replace { values } }
            };
            let plan = Plan { capture: Vec::new(), interventions: (0..chunk.len()).map(one).collect() };
            Ok(predictor.run(&tokens, &plan)?)
        };
        let runs = [clean, erased(&eraser)?, erased(&random)?];
        nats.extend(chunk.iter().enumerate().map(|(place, episode)| {
            runs.each_ref().map(|run| {
                let at =
                    |position: usize| -said(run, place, position, sizes)[usize::from(episode.symbols[position + 1])];
                (late..length).map(at).sum::<f64>() / (length - late) as f64
            })
        }));
    }
    Ok(Edited { rank: eraser.rank(), divergence: told, nats })
}

/// How far an activation moves if its part within a subspace becomes that of another.
fn change(basis: &[f32], from: &[f32], to: &[f32]) -> f64 {
    let along = |direction: &[f32]| {
        direction.iter().zip(from.iter().zip(to)).map(|(d, (from, to))| f64::from(d * (to - from))).sum::<f64>()
    };
    basis.chunks_exact(from.len()).map(|direction| along(direction) * along(direction)).sum::<f64>().sqrt()
}

/// Activations of a tap, sequences × positions × width.
fn activations(
    model: &dyn Predictor,
    all: &[HiddenEpisode],
    tap: &str,
    context: &RunContext<'_>,
) -> anyhow::Result<(Vec<f32>, usize)> {
    let (mut values, mut width) = (Vec::new(), 1);
    for chunk in all.chunks(CHUNK) {
        context.check_stop()?;
        let run = model.run(&Part::tokens(chunk), &Plan::reading(&[tap]))?;
        width = run.captured[0].width;
        values.extend_from_slice(&run.captured[0].values);
    }
    Ok((values, width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_divergence_is_zero_of_itself_and_known_of_a_coin() {
        assert!(divergence(&[0.25, 0.75], &[0.25f64.ln(), 0.75f64.ln()]).abs() < 1e-12);
        let two = 2f64.ln();
        assert!((divergence(&[1.0, 0.0], &[-two, -two]) - two).abs() < 1e-12);
        let uniform = divergence(&[0.5, 0.5], &[-2.0, -0.5]);
        assert!((uniform - (1.25 - two)).abs() < 1e-9, "{uniform}");
    }
}
