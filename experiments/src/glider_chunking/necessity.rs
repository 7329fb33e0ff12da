//! Necessity: what is lost when the concept is erased, where it matters and where it does not.

use std::collections::BTreeSet;

use environments::life::{Board, Heading, LifeWorld, Object, patch_objects};
use environments::stream;
use models::{Action, Intervention, Plan, Predictor, Run};
use serde::{Deserialize, Serialize};

use super::forward::{CHUNK, alive, tokens};
use super::zoo::{Subject, Zoo};
use crate::context::RunContext;
use crate::evidence::metrics::surprise;
use crate::evidence::{Eraser, Whitening};

/// Random subspaces that a concept's is compared with.
const RANDOM: usize = 4;

/// What is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erased {
    /// Whether a live token belongs to a glider.
    Presence,
    /// Which of the sixteen gliders it belongs to, if to one.
    HeadingAndPhase,
    /// Whether the glider it belongs to will be destroyed within the horizon; fitted on gliders' tokens alone.
    Doom,
}

impl Erased {
    /// In words.
    pub fn name(self) -> &'static str {
        ["presence", "heading and phase", "doom"][self as usize]
    }
}

/// What is true of a live token.
#[derive(Clone, Copy, Debug)]
struct Live {
    /// 0 if of no glider, else 1 + 4 · heading + phase.
    glider: usize,
    /// Whether it belongs to a glider that will be destroyed within the horizon.
    doomed: bool,
}

/// Losses by board: nats and number of live-or-changed cells where gliders are or get to, then of all others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loss {
    /// What was done: `nothing`, `presence`, `random for presence`, …
    pub what: String,
    /// Dimensions that were erased.
    pub rank: usize,
    /// Tallies by board.
    pub tallies: Vec<Vec<f64>>,
}

/// A board with its objects.
pub type Observed = (Board, Vec<Object>);

/// Cells within one of a glider's box now and of its box at the horizon, were it alone.
fn near(board: &Board, objects: &[Object], horizon: u32) -> Vec<bool> {
    let mut near = vec![false; board.area()];
    for glider in objects.iter().filter(|object| object.is_glider()) {
        let (east, south) = glider.heading.map_or((0, 0), Heading::vector);
        for moved in [0, i64::from(horizon / 4)] {
            for cell in 0..25 {
                let column = i64::from(glider.bounds.column) + i64::from(east) * moved + cell % 5 - 1;
                let row = i64::from(glider.bounds.row) + i64::from(south) * moved + cell / 5 - 1;
                let (column, row) = board.wrap(column, row);
                near[(row * board.width() + column) as usize] = true;
            }
        }
    }
    near
}

fn tally(start: &Board, end: &Board, near: &[bool], alive: &[f32]) -> Vec<f64> {
    let mut counts = vec![0.0; 4];
    for (place, (before, after)) in start.cells().into_iter().zip(end.cells()).enumerate() {
        if before == 1 || after == 1 {
            let p = f64::from(alive[place]).clamp(1e-6, 1.0 - 1e-6);
            let slot = if near[place] { 0 } else { 2 };
            counts[slot] += surprise(if after == 1 { p } else { 1.0 - p });
            counts[slot + 1] += 1.0;
        }
    }
    counts
}

/// The activations of live tokens at a tap, with what is true of them.
fn live_tokens(world: &LifeWorld, boards: &[Observed], run: &Run, horizon: u32) -> (Vec<f32>, Vec<Live>) {
    let (mut rows, mut labels) = (Vec::new(), Vec::new());
    for (sequence, (_, objects)) in boards.iter().enumerate() {
        for (place, owner) in patch_objects(world, objects).into_iter().enumerate() {
            if let Some(owner) = owner {
                let object = &objects[owner as usize];
                let glider = match (object.heading, object.phase) {
                    (Some(heading), Some(phase)) => 1 + 4 * heading as usize + phase as usize,
                    _ => 0,
                };
                rows.extend_from_slice(run.captured[0].row(sequence, 1 + place));
                labels.push(Live { glider, doomed: object.doom.is_some_and(|doom| doom <= horizon) });
            }
        }
    }
    (rows, labels)
}

/// The rows on which an eraser is fitted, with their classes.
fn classes(erased: Erased, rows: &[f32], labels: &[Live], width: usize) -> (Vec<f32>, Vec<usize>, usize) {
    let all = |class: &dyn Fn(&Live) -> usize| labels.iter().map(class).collect();
    match erased {
        Erased::Presence => (rows.to_vec(), all(&|live| usize::from(live.glider > 0)), 2),
        Erased::HeadingAndPhase => (rows.to_vec(), all(&|live| live.glider), 17),
        Erased::Doom => {
            let gliders = || rows.chunks_exact(width).zip(labels).filter(|(_, live)| live.glider > 0);
            let kept = gliders().flat_map(|(row, _)| row.iter().copied()).collect();
            (kept, gliders().map(|(_, live)| usize::from(live.doomed)).collect(), 2)
        }
    }
}

fn erase(
    world: &LifeWorld,
    predictor: &dyn Predictor,
    boards: &[Observed],
    horizon: u32,
    tap: &str,
    eraser: Option<&Eraser>,
) -> anyhow::Result<Vec<Vec<f64>>> {
    let mut tallies = Vec::with_capacity(boards.len());
    for chunk in boards.chunks(CHUNK) {
        let tokens = tokens(world, chunk.iter().map(|(board, _)| board), horizon);
        let mut plan = Plan::default();
        if let Some(eraser) = eraser {
            let run = predictor.run(&tokens, &Plan::reading(&[tap]))?;
            let captured = &run.captured[0];
            for sequence in 0..chunk.len() {
                let size = captured.rows * captured.width;
                let mut values = captured.values[sequence * size..(sequence + 1) * size].to_vec();
                eraser.apply(&mut values);
                let rows = (0..captured.rows).collect();
                let action = Action::Replace { values };
                plan.interventions.push(Intervention { tap: tap.into(), sequence: Some(sequence), rows, action });
            }
        }
        let run = predictor.run(&tokens, &plan)?;
        let cells = alive(world, &run.logits);
        for (place, (board, objects)) in chunk.iter().enumerate() {
            let end = world.stepper().run(board, horizon);
            let cells = &cells[place * board.area()..(place + 1) * board.area()];
            tallies.push(tally(board, &end, &near(board, objects, horizon), cells));
        }
    }
    Ok(tallies)
}

/// Losses with the concepts of gliders erased at a tap, and with random subspaces of the same rank. Erasers are
/// fitted on live tokens of `fitted` boards and used at all tokens of the others.
///
/// # Errors
/// Those of the model; when a stop was asked for.
pub fn measure(
    zoo: &Zoo,
    subject: &Subject,
    (fitted, reported): (&[Observed], &[Observed]),
    horizon: u32,
    tap: &str,
    context: &RunContext<'_>,
) -> anyhow::Result<Vec<Loss>> {
    let world = &zoo.world;
    let predictor = zoo.predictor(&subject.parameters)?;
    let (mut rows, mut labels) = (Vec::new(), Vec::new());
    for chunk in fitted.chunks(CHUNK) {
        let tokens = tokens(world, chunk.iter().map(|(board, _)| board), horizon);
        let run = predictor.run(&tokens, &Plan::reading(&[tap]))?;
        let (more, names) = live_tokens(world, chunk, &run, horizon);
        rows.extend(more);
        labels.extend(names);
    }
    let mut losses = vec![Loss {
        what: "nothing".into(),
        rank: 0,
        tallies: erase(world, predictor.as_ref(), reported, horizon, tap, None)?,
    }];
    let width = subject.parameters.spec.model.width();
    let mut chance = stream(&["glider-chunking", "erasure", &subject.name, tap]);
    for erased in [Erased::Presence, Erased::HeadingAndPhase, Erased::Doom] {
        context.check_stop()?;
        let (rows, labels, classes) = classes(erased, &rows, &labels, width);
        if labels.iter().collect::<BTreeSet<_>>().len() < 2 {
            continue;
        }
        let whitening = Whitening::fit(&rows, width);
        let eraser = whitening.erase(&rows, &labels, classes);
        let tallies = erase(world, predictor.as_ref(), reported, horizon, tap, Some(&eraser))?;
        let rank = eraser.rank();
        losses.push(Loss { what: erased.name().into(), rank, tallies });
        // The mean over several draws: one random subspace says little.
        let mut mean: Option<Vec<Vec<f64>>> = None;
        for _ in 0..RANDOM {
            let random = whitening.erase_random(rank, &mut chance);
            let tallies = erase(world, predictor.as_ref(), reported, horizon, tap, Some(&random))?;
            let sum = mean.get_or_insert_with(|| vec![vec![0.0; 4]; tallies.len()]);
            for (sum, tally) in sum.iter_mut().zip(&tallies) {
                sum.iter_mut().zip(tally).for_each(|(sum, value)| *sum += value / RANDOM as f64);
            }
        }
        losses.push(Loss { what: format!("random for {}", erased.name()), rank, tallies: mean.unwrap_or_default() });
    }
    Ok(losses)
}

#[cfg(test)]
mod tests {
    use super::*;
    use environments::life::{Stepper, catalogue, recognise};

    #[test]
    fn cells_near_a_glider_are_those_it_is_on_and_gets_to() {
        let mut board = Board::new(16, 16);
        board.paste(&catalogue::glider(Heading::SE, 0).cells, 2, 2);
        let objects = recognise(&board, &Stepper::life());
        let near = near(&board, &objects, 16);
        let end = Stepper::life().run(&board, 16);
        let all = board.live().chain(end.live());
        assert!(all.into_iter().all(|(column, row)| near[(row * 16 + column) as usize]));
        assert!(near.iter().filter(|near| **near).count() <= 50);
    }
}
