//! How well the boards to come are predicted, beside predictors that need no concept.

use environments::Split;
use environments::life::{Board, LifeStart, LifeWorld, Source, Stepper};
use models::{Plan, Predictor};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::forward::{alive, run_chunks};
use super::objects::Boards;
use crate::evidence::metrics::{Confusion, ratio, surprise};

/// Counts of a tally: see [`tally`].
pub const COUNTS: usize = 8;

/// Tallies by horizon and board.
pub type Tallies = Vec<Vec<Vec<f64>>>;

/// Boards with what becomes of them at every horizon.
pub struct Futures {
    /// The horizons, rising.
    pub horizons: Vec<u32>,
    /// The boards at t.
    pub starts: Vec<Board>,
    /// Where each comes from.
    pub sources: Vec<Source>,
    /// Step at which the first of its gliders is destroyed, if it has one and that is told.
    pub dooms: Vec<Option<u32>>,
    /// The boards at t + k, by horizon.
    pub ends: Vec<Vec<Board>>,
}

impl Futures {
    /// The first boards of a split, none twice up to translation, rotation and reflection.
    pub fn new(world: &LifeWorld, split: Split, boards: usize, horizons: &[u32]) -> Self {
        let mut source = Boards::new(world, split);
        let mut starts: Vec<LifeStart> = Vec::new();
        // A world of few boards gives fewer than were asked for.
        for _ in 0..boards.div_ceil(64) * 20 {
            if starts.len() < boards {
                starts.extend(source.next(|_| ()).into_iter().map(|(_, start, ())| start));
            }
        }
        starts.truncate(boards);
        let sources = starts.iter().map(|start| start.source).collect();
        let starts: Vec<Board> = starts.into_iter().map(|start| start.board).collect();
        let first_doom = |board: &Board| {
            world.objects(board).iter().filter(|object| object.is_glider()).filter_map(|glider| glider.doom).min()
        };
        let dooms = starts.par_iter().map(first_doom).collect();
        let ends = ends(world.stepper(), &starts, horizons);
        Self { horizons: horizons.to_vec(), starts, sources, dooms, ends }
    }
}

fn ends(stepper: &Stepper, starts: &[Board], horizons: &[u32]) -> Vec<Vec<Board>> {
    let end = |&horizon: &u32| starts.par_iter().map(|board| stepper.run(board, horizon)).collect();
    horizons.iter().map(end).collect()
}

/// The tally of one board: cells predicted and truly alive, cells predicted or truly alive; on cells alive at t or at
/// t + k: nats of cross-entropy, their number, and the confusion of alive and dead (alive and so predicted, alive
/// and missed, dead but predicted, dead and so predicted).
///
/// Intersection and union run over the whole board, so that every false alarm counts; cells dead in both, which are
/// most, add to neither.
pub fn tally(start: &Board, end: &Board, probability: &[f32], predicted: impl Fn(usize) -> bool) -> Vec<f64> {
    let mut counts = vec![0.0; COUNTS];
    let (before, after) = (start.cells(), end.cells());
    for (place, (&before, &after)) in before.iter().zip(&after).enumerate() {
        let (truth, says) = (after == 1, predicted(place));
        counts[0] += f64::from(u8::from(truth && says));
        counts[1] += f64::from(u8::from(truth || says));
        if before == 1 || truth {
            // A model in single precision cannot mean more than this certainty.
            let alive = f64::from(probability[place]).clamp(1e-6, 1.0 - 1e-6);
            counts[2] += surprise(if truth { alive } else { 1.0 - alive });
            counts[3] += 1.0;
            counts[4 + 2 * usize::from(!truth) + usize::from(!says)] += 1.0;
        }
    }
    counts
}

/// Intersection over union of summed tallies.
pub fn overlap(counts: &[f64]) -> Option<f64> {
    ratio(counts[0], counts[1])
}

/// Nats a live-or-changed cell, of summed tallies.
pub fn nats(counts: &[f64]) -> Option<f64> {
    ratio(counts[2], counts[3])
}

/// Balanced accuracy of alive against dead on live-or-changed cells, of summed tallies.
pub fn balanced(counts: &[f64]) -> Option<f64> {
    Confusion::of(&counts[4..8]).balanced_accuracy()
}

/// Tallies of a model at each of the horizons that it knows.
///
/// # Errors
/// Those of the model.
pub fn of_model(
    world: &LifeWorld,
    predictor: &dyn Predictor,
    futures: &Futures,
    knows: &[u32],
) -> anyhow::Result<Tallies> {
    let boards: Vec<&Board> = futures.starts.iter().collect();
    let mut all = Vec::new();
    for (horizon, ends) in futures.horizons.iter().zip(&futures.ends).filter(|(horizon, _)| knows.contains(horizon)) {
        let mut tallies = Vec::with_capacity(boards.len());
        run_chunks(world, predictor, &boards, *horizon, &Plan::default(), |first, run| {
            let cells = alive(world, &run.logits);
            let area = boards[0].area();
            tallies.extend(cells.chunks_exact(area).enumerate().map(|(place, cells)| {
                tally(boards[first + place], &ends[first + place], cells, |cell| cells[cell] > 0.5)
            }));
            Ok(())
        })?;
        all.push(tallies);
    }
    Ok(all)
}

/// Share of cells alive at t + k among those alive and those dead at t, and among all; by horizon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    alive: Vec<f64>,
    dead: Vec<f64>,
    all: Vec<f64>,
}

impl Rates {
    /// Counted on boards other than those that are scored.
    pub fn count(futures: &Futures) -> Self {
        let mut rates = Self { alive: Vec::new(), dead: Vec::new(), all: Vec::new() };
        for ends in &futures.ends {
            // [alive at t][alive at t + k], from one case each, so that no probability is 0.
            let mut counts = [[1.0; 2]; 2];
            for (start, end) in futures.starts.iter().zip(ends) {
                for (before, after) in start.cells().into_iter().zip(end.cells()) {
                    counts[usize::from(before)][usize::from(after)] += 1.0;
                }
            }
            let [dead, alive] = counts;
            rates.alive.push(alive[1] / (alive[0] + alive[1]));
            rates.dead.push(dead[1] / (dead[0] + dead[1]));
            rates.all.push((alive[1] + dead[1]) / (alive[0] + alive[1] + dead[0] + dead[1]));
        }
        rates
    }

    /// Tallies of "nothing changes"; its probabilities are the rates.
    pub fn persistence(&self, futures: &Futures) -> Tallies {
        self.tallies(
            futures,
            |cells, place| cells[place] == 1,
            |rates, horizon, alive| {
                if alive { rates.alive[horizon] } else { rates.dead[horizon] }
            },
        )
    }

    /// Tallies of "every cell is as most cells are", that is, dead.
    pub fn majority(&self, futures: &Futures) -> Tallies {
        self.tallies(futures, |_, _| false, |rates, horizon, _| rates.all[horizon])
    }

    fn tallies(
        &self,
        futures: &Futures,
        says: impl Fn(&[u8], usize) -> bool,
        probability: impl Fn(&Self, usize, bool) -> f64,
    ) -> Tallies {
        let of = |horizon: usize, ends: &Vec<Board>| {
            futures
                .starts
                .iter()
                .zip(ends)
                .map(|(start, end)| {
                    let cells = start.cells();
                    let probabilities: Vec<f32> =
                        cells.iter().map(|cell| probability(self, horizon, *cell == 1) as f32).collect();
                    tally(start, end, &probabilities, |place| says(&cells, place))
                })
                .collect()
        };
        futures.ends.iter().enumerate().map(|(horizon, ends)| of(horizon, ends)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_counts_what_it_says() {
        let start = Board::from_live(8, 8, &[(0, 0), (1, 0)]);
        let end = Board::from_live(8, 8, &[(1, 0), (2, 0)]);
        // Predicted: (1, 0) rightly, (5, 5) wrongly; (2, 0) is missed; (0, 0) rightly dead.
        let mut cells = vec![0.0; 64];
        (cells[1], cells[5 * 8 + 5]) = (0.75, 0.9);
        let counts = tally(&start, &end, &cells, |place| cells[place] > 0.5);
        assert_eq!(counts[..2], [1.0, 3.0]);
        assert_eq!(counts[3..], [3.0, 1.0, 1.0, 0.0, 1.0]);
        assert_eq!(overlap(&counts), Some(1.0 / 3.0));
        assert_eq!(balanced(&counts), Some(0.75));
        let expected = surprise(0.75) + surprise(1e-6) + surprise(1.0 - 1e-6);
        assert!((counts[2] - expected).abs() < 1e-9);
    }

    #[test]
    fn persistence_is_right_where_nothing_changes_and_majority_never_finds_a_cell() {
        let block = Board::from_live(8, 8, &[(2, 2), (3, 2), (2, 3), (3, 3)]);
        let futures = Futures {
            horizons: vec![4],
            ends: ends(&Stepper::life(), std::slice::from_ref(&block), &[4]),
            sources: vec![Source::Scene],
            dooms: vec![None],
            starts: vec![block],
        };
        let rates = Rates::count(&futures);
        assert_eq!(overlap(&rates.persistence(&futures)[0][0]), Some(1.0));
        assert_eq!(overlap(&rates.majority(&futures)[0][0]), Some(0.0));
        assert!(nats(&rates.persistence(&futures)[0][0]) < nats(&rates.majority(&futures)[0][0]));
    }
}
