//! Transplants: a glider's activations put into an empty place of another board, scored against a simulation of that
//! board with a glider there.
//!
//! Only cells outside the patched tokens are scored, and only what changes: the cells in which the two simulated
//! futures, with the glider and without, differ there, against the cells in which the two predictions differ.

use environments::life::{Board, LifeWorld};
use environments::{Draw, Stream, stream};
use models::{Action, Intervention, Plan, Predictor, Run};
use serde::{Deserialize, Serialize};

use super::forward::{alive, tokens};
use super::objects::{frame_side, square};
use super::pairs::{Pair, covered};
use super::zoo::{Subject, Zoo};
use crate::context::RunContext;
use crate::evidence::metrics::ratio;
use crate::evidence::numeric::normal;

/// Pairs that go through a model together.
pub const CHUNK: usize = 32;
/// Counts of a tally: see [`score`].
pub const COUNTS: usize = 6;

/// What is put into the recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Patch {
    /// The donor's activations at the glider.
    Glider,
    /// The recipient's own: nothing may change.
    Null,
    /// The recipient's own plus a random vector as long as the difference to the donor's.
    Random,
    /// The donor's, dealt out anew among the tokens.
    Shuffled,
    /// Those of a boat in the glider's place.
    StillLife,
    /// Those of a glider of another heading, scored against what the first would do.
    WrongHeading,
}

impl Patch {
    /// All patches.
    pub const ALL: [Patch; 6] =
        [Patch::Glider, Patch::Null, Patch::Random, Patch::Shuffled, Patch::StillLife, Patch::WrongHeading];

    /// In words.
    pub fn name(self) -> &'static str {
        ["glider", "null", "random, same norm", "shuffled tokens", "still life", "other heading"][self as usize]
    }
}

/// The tally of one transplant, outside `inside`: cells whose future changes and is predicted to, cells of either;
/// the same with the change of probability as a share of a cell; cells predicted to change that do not (damage);
/// cells that change.
pub fn score(clean: &[f32], patched: &[f32], before: &Board, after: &Board, inside: &[bool]) -> Vec<f64> {
    let mut counts = vec![0.0; COUNTS];
    for (place, (before, after)) in before.cells().into_iter().zip(after.cells()).enumerate() {
        if inside[place] {
            continue;
        }
        let gained = before != after;
        let changed = (clean[place] > 0.5) != (patched[place] > 0.5);
        let moved = f64::from((patched[place] - clean[place]).abs());
        let truth = f64::from(u8::from(gained));
        counts[0] += f64::from(u8::from(gained && changed));
        counts[1] += f64::from(u8::from(gained || changed));
        counts[2] += truth.min(moved);
        counts[3] += truth.max(moved);
        counts[4] += f64::from(u8::from(changed && !gained));
        counts[5] += truth;
    }
    counts
}

/// Intersection over union of summed tallies: 1 where the prediction changes exactly as the world would.
pub fn overlap(counts: &[f64]) -> Option<f64> {
    ratio(counts[0], counts[1])
}

/// The same in probabilities.
pub fn soft_overlap(counts: &[f64]) -> Option<f64> {
    ratio(counts[2], counts[3])
}

/// Tallies of one kind of patch at one tap, by pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The tap.
    pub tap: String,
    /// What was put there.
    pub patch: String,
    /// Tallies by pair.
    pub tallies: Vec<Vec<f64>>,
}

/// What each pair's futures are at a horizon.
pub struct Truth {
    before: Vec<Board>,
    after: Vec<Board>,
}

impl Truth {
    /// Simulates recipients and edited boards.
    pub fn new(world: &LifeWorld, pairs: &[Pair], horizon: u32) -> Self {
        let run = |board: &Board| world.stepper().run(board, horizon);
        Self {
            before: pairs.iter().map(|pair| run(&pair.recipient)).collect(),
            after: pairs.iter().map(|pair| run(&pair.edited)).collect(),
        }
    }

    /// The futures of some pairs in a row.
    pub fn range(&self, first: usize, count: usize) -> (&[Board], &[Board]) {
        (&self.before[first..first + count], &self.after[first..first + count])
    }
}

/// A model with its pairs, a chunk at a time.
pub struct Bench<'a> {
    /// The world.
    pub world: &'a LifeWorld,
    /// The model.
    pub predictor: &'a dyn Predictor,
    /// The horizon asked for.
    pub horizon: u32,
}

impl Bench<'_> {
    /// Runs boards.
    ///
    /// # Errors
    /// Those of the model.
    pub fn run(&self, boards: &[&Board], plan: &Plan) -> anyhow::Result<Run> {
        Ok(self.predictor.run(&tokens(self.world, boards.iter().copied(), self.horizon), plan)?)
    }

    /// Runs the recipients under interventions and scores what changes against a clean run's probabilities.
    ///
    /// # Errors
    /// Those of the model.
    pub fn tallies(
        &self,
        pairs: &[Pair],
        truth: (&[Board], &[Board]),
        clean: &[f32],
        interventions: Vec<Intervention>,
        margin: u32,
    ) -> anyhow::Result<Vec<Vec<f64>>> {
        let recipients: Vec<&Board> = pairs.iter().map(|pair| &pair.recipient).collect();
        let run = self.run(&recipients, &Plan { capture: Vec::new(), interventions })?;
        Ok(self.score(pairs, truth, clean, &alive(self.world, &run.logits), margin))
    }

    fn score(
        &self,
        pairs: &[Pair],
        (before, after): (&[Board], &[Board]),
        clean: &[f32],
        patched: &[f32],
        margin: u32,
    ) -> Vec<Vec<f64>> {
        let area = clean.len() / pairs.len().max(1);
        let side = frame_side(self.world.config().patch);
        (0..pairs.len())
            .map(|place| {
                let range = place * area..(place + 1) * area;
                let tokens = square(self.world, pairs[place].to[0] - 1, side, margin);
                let inside = covered(self.world, &tokens);
                score(&clean[range.clone()], &patched[range], &before[place], &after[place], &inside)
            })
            .collect()
    }
}

/// The activations of some positions of one sequence at a tap, concatenated.
pub fn gather(run: &Run, tap: usize, sequence: usize, positions: &[usize]) -> Vec<f32> {
    positions.iter().flat_map(|&position| run.captured[tap].row(sequence, position).iter().copied()).collect()
}

/// Every patch at every tap, and the reference in which the glider is really there (under the tap's name `input`).
/// With a margin, the tokens round the frame are patched and left out of the score too.
///
/// # Errors
/// Those of the model; when a stop was asked for.
#[allow(clippy::too_many_arguments)]
pub fn sweep(
    zoo: &Zoo,
    subject: &Subject,
    pairs: &[Pair],
    horizon: u32,
    taps: &[String],
    patches: &[Patch],
    margin: u32,
    context: &RunContext<'_>,
) -> anyhow::Result<Vec<Outcome>> {
    let world = &zoo.world;
    let predictor = zoo.predictor(&subject.parameters)?;
    let bench = Bench { world, predictor: predictor.as_ref(), horizon };
    let truth = Truth::new(world, pairs, horizon);
    let names: Vec<&str> = taps.iter().map(String::as_str).collect();
    let reading = Plan::reading(&names);
    let side = frame_side(world.config().patch);
    let outcome = |tap: &str, patch: &str| Outcome { tap: tap.into(), patch: patch.into(), tallies: Vec::new() };
    let mut outcomes = vec![outcome("input", "glider really there")];
    outcomes.extend(taps.iter().flat_map(|tap| patches.iter().map(move |patch| outcome(tap, patch.name()))));
    let mut chance = stream(&["glider-chunking", "transplant", &subject.name, &horizon.to_string()]);
    for (number, chunk) in pairs.chunks(CHUNK).enumerate() {
        context.check_stop()?;
        let ends = truth.range(number * CHUNK, chunk.len());
        let run = |board: fn(&Pair) -> &Board| bench.run(&chunk.iter().map(board).collect::<Vec<_>>(), &reading);
        let (own, donor) = (run(|pair| &pair.recipient)?, run(|pair| &pair.donor)?);
        let (still, wrong) = (run(|pair| &pair.still)?, run(|pair| &pair.wrong)?);
        let clean = alive(world, &own.logits);
        let there = bench.run(&chunk.iter().map(|pair| &pair.edited).collect::<Vec<_>>(), &Plan::default())?;
        let there = bench.score(chunk, ends, &clean, &alive(world, &there.logits), margin);
        outcomes[0].tallies.extend(there);
        for (slot, tap) in taps.iter().enumerate() {
            for (kind, patch) in patches.iter().enumerate() {
                let interventions = chunk.iter().enumerate().map(|(sequence, pair)| {
                    let to = square(world, pair.to[0] - 1, side, margin);
                    let from = square(world, pair.from[0] - 1, side, margin);
                    let mine = || gather(&own, slot, sequence, &to);
                    let theirs = |run: &Run| gather(run, slot, sequence, &from);
                    let values = match patch {
                        Patch::Glider => theirs(&donor),
                        Patch::Null => mine(),
                        Patch::Random => random_like(&mine(), &theirs(&donor), to.len(), &mut chance),
                        Patch::Shuffled => dealt(&theirs(&donor), to.len(), &mut chance),
                        Patch::StillLife => theirs(&still),
                        Patch::WrongHeading => theirs(&wrong),
                    };
                    let action = Action::Replace { values };
                    Intervention { tap: tap.clone(), sequence: Some(sequence), rows: to, action }
                });
                let interventions = interventions.collect();
                let tallies = bench.tallies(chunk, ends, &clean, interventions, margin)?;
                outcomes[1 + slot * patches.len() + kind].tallies.extend(tallies);
            }
        }
    }
    Ok(outcomes)
}

/// `own` plus, for each of the rows, a random vector as long as the difference to `other`.
pub fn random_like(own: &[f32], other: &[f32], rows: usize, chance: &mut Stream) -> Vec<f32> {
    let width = own.len() / rows;
    let mut values = own.to_vec();
    for (row, other) in values.chunks_exact_mut(width).zip(other.chunks_exact(width)) {
        let length: f64 = row.iter().zip(other).map(|(a, b)| f64::from(a - b) * f64::from(a - b)).sum::<f64>().sqrt();
        let direction: Vec<f64> = (0..width).map(|_| normal(chance)).collect();
        let norm = direction.iter().map(|x| x * x).sum::<f64>().sqrt();
        row.iter_mut().zip(&direction).for_each(|(value, x)| *value += (x * length / norm) as f32);
    }
    values
}

/// Rows in another order, in which none stays where it was (Sattolo 1986).
fn dealt(values: &[f32], rows: usize, chance: &mut Stream) -> Vec<f32> {
    let width = values.len() / rows;
    let mut order: Vec<usize> = (0..rows).collect();
    for last in (1..rows).rev() {
        order.swap(last, chance.below(last as u64) as usize);
    }
    order.into_iter().flat_map(|row| values[row * width..(row + 1) * width].to_vec()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use environments::life::{Heading, LifeConfig, Stepper, catalogue};

    fn world() -> LifeWorld {
        LifeWorld::new(LifeConfig::default()).unwrap()
    }

    fn probabilities(board: &Board) -> Vec<f32> {
        board.cells().into_iter().map(f32::from).collect()
    }

    #[test]
    fn a_perfect_prediction_scores_one_and_no_change_scores_none() {
        let empty = Board::new(16, 16);
        let mut glider = empty.clone();
        glider.paste(&catalogue::glider(Heading::SE, 0).cells, 4, 4);
        let after = Stepper::life().run(&glider, 16);
        let inside = covered(&world(), &square(&world(), 18, 2, 0));
        let counts = score(&probabilities(&empty), &probabilities(&after), &empty, &after, &inside);
        assert_eq!(counts, [5.0, 5.0, 5.0, 5.0, 0.0, 5.0]);
        let still = score(&probabilities(&empty), &probabilities(&empty), &empty, &after, &inside);
        assert_eq!((overlap(&still), still[4]), (Some(0.0), 0.0));
        // A glider that went the other way: all wrong, and damage.
        let mut other = empty.clone();
        other.paste(&catalogue::glider(Heading::NW, 0).cells, 4, 4);
        let there = Stepper::life().run(&other, 16);
        let wrong = score(&probabilities(&empty), &probabilities(&there), &empty, &after, &inside);
        assert_eq!((wrong[0], wrong[1], wrong[4]), (0.0, 10.0, 5.0));
    }

    #[test]
    fn what_lies_in_the_patched_tokens_is_not_scored() {
        let empty = Board::new(16, 16);
        // Patch 18 has its corner at (4, 4): its 2×2 tokens cover columns and rows 4 to 7.
        let after = Board::from_live(16, 16, &[(4, 4), (7, 7), (8, 7)]);
        let inside = covered(&world(), &square(&world(), 18, 2, 0));
        assert_eq!(inside.iter().filter(|inside| **inside).count(), 16);
        let counts = score(&probabilities(&empty), &probabilities(&after), &empty, &after, &inside);
        assert_eq!((counts[0], counts[1], counts[5]), (1.0, 1.0, 1.0), "only (8, 7) lies outside");
    }

    #[test]
    fn half_a_change_counts_half_in_the_soft_score() {
        let (empty, after) = (Board::new(16, 16), Board::from_live(16, 16, &[(0, 0)]));
        let mut patched = probabilities(&empty);
        (patched[0], patched[1]) = (0.5, 0.25);
        let counts = score(&probabilities(&empty), &patched, &empty, &after, &[false; 256]);
        assert_eq!(counts, [0.0, 1.0, 0.5, 1.25, 0.0, 1.0]);
    }

    #[test]
    fn dealt_rows_all_move_and_random_vectors_keep_the_distance() {
        let mut chance = stream(&["test"]);
        let values: Vec<f32> = (0..12).map(|value| value as f32).collect();
        let dealt = dealt(&values, 4, &mut chance);
        assert!(dealt.chunks(3).zip(values.chunks(3)).all(|(new, old)| new != old));
        let own = vec![1.0; 12];
        let random = random_like(&own, &values, 4, &mut chance);
        for row in 0..4 {
            let distance = |a: &[f32]| -> f32 { (0..3).map(|i| (a[row * 3 + i] - own[row * 3 + i]).powi(2)).sum() };
            assert!((distance(&random) / distance(&values) - 1.0).abs() < 1e-4);
        }
    }
}
