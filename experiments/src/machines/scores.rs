//! Runs to score on, predictions at every step, and what predictions cost.

use std::collections::BTreeSet;

use environments::turing::{HeadStep, Machine, TuringEpisode, TuringWorld};
use environments::{Environment, Sample, Split};
use models::{Plan, Predictor};
use rayon::prelude::*;

use crate::evidence::numeric::{log_softmax, logarithm};

/// Runs that go through a model together.
const CHUNK: usize = 64;

/// Different runs of a world.
pub struct Runs {
    /// The runs.
    pub episodes: Vec<TuringEpisode>,
    /// What a model reads and is to predict.
    pub samples: Vec<Sample>,
    /// The steps as numbers.
    pub numbers: Vec<Vec<usize>>,
    /// Number of different steps.
    pub targets: usize,
    /// Runs that were left out because an earlier one looks the same.
    pub repeated: usize,
}

/// Whether a machine would have made these steps, given the symbols that were read.
pub fn could_have_made(machine: &Machine, steps: &[HeadStep]) -> bool {
    let mut state = 0;
    steps.iter().all(|step| match machine.entry(state, step.token.read) {
        Some(entry) if entry.write == step.token.write && entry.shift == step.token.shift => {
            entry.next.map(|next| state = next).is_some()
        }
        _ => false,
    })
}

impl Runs {
    /// The first `count` runs of a split from an index on, as they come.
    pub fn drawn(world: &TuringWorld, split: Split, first: u64, count: usize) -> Self {
        let all: Vec<TuringEpisode> =
            (first..first + count as u64).into_par_iter().map(|index| world.observe(split, index)).collect();
        Self::of(world, all)
    }

    /// Given runs.
    pub fn of(world: &TuringWorld, episodes: Vec<TuringEpisode>) -> Self {
        let mut runs = Self::none(world);
        episodes.into_iter().for_each(|episode| runs.push(world, episode));
        runs
    }

    /// The first `count` different runs of a split from an index on; fewer where a world has no more.
    pub fn new(world: &TuringWorld, split: Split, first: u64, count: usize) -> Self {
        Self::new_to(world, split, first, count, &[]).0
    }

    /// Those that none of some machines could have made, and how many were left out since one could.
    pub fn new_to(world: &TuringWorld, split: Split, first: u64, count: usize, known: &[Machine]) -> (Self, usize) {
        let mut runs = Self::none(world);
        let mut met = BTreeSet::new();
        let mut familiar = 0;
        for start in (0..64 * count as u64).step_by(count.max(1)) {
            let indices = first + start..first + start + count as u64;
            let drawn: Vec<(TuringEpisode, bool)> = indices
                .into_par_iter()
                .map(|index| {
                    let episode = world.observe(split, index);
                    let known = known.iter().any(|machine| could_have_made(machine, &episode.steps));
                    (episode, known)
                })
                .collect();
            for (episode, known) in drawn {
                if runs.len() == count {
                    return (runs, familiar);
                }
                if known {
                    familiar += 1;
                } else if met.insert(world.numbers(&episode)) {
                    runs.push(world, episode);
                } else {
                    runs.repeated += 1;
                }
            }
        }
        (runs, familiar)
    }

    fn none(world: &TuringWorld) -> Self {
        let targets = world.targets();
        Self { episodes: Vec::new(), samples: Vec::new(), numbers: Vec::new(), targets, repeated: 0 }
    }

    fn push(&mut self, world: &TuringWorld, episode: TuringEpisode) {
        self.samples.push(world.sample_of(&episode));
        self.numbers.push(world.numbers(&episode));
        self.episodes.push(episode);
    }

    /// Number of runs.
    pub fn len(&self) -> usize {
        self.episodes.len()
    }
}

/// The probability of every step to come, before each step of each run.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    /// Number of different steps.
    pub targets: usize,
    /// Of each run: steps × targets.
    pub rows: Vec<Vec<f64>>,
}

/// The predictions of a model.
///
/// # Errors
/// Those of the model.
pub fn of_model(predictor: &dyn Predictor, runs: &Runs) -> anyhow::Result<Predictions> {
    let mut rows = Vec::with_capacity(runs.len());
    for chunk in runs.samples.chunks(CHUNK) {
        let tokens: Vec<_> = chunk.iter().flat_map(|sample| sample.tokens.iter().copied()).collect();
        let run = predictor.run(&tokens, &Plan::default())?;
        let each = run.logits.len() / chunk.len();
        let probabilities: Vec<Vec<f64>> = run
            .logits
            .par_chunks(each)
            .map(|logits| {
                let mut all: Vec<f64> = logits.iter().map(|&logit| f64::from(logit)).collect();
                for row in all.chunks_exact_mut(runs.targets) {
                    log_softmax(row);
                    row.iter_mut().for_each(|value| *value = crate::evidence::numeric::exponential(*value));
                }
                all
            })
            .collect();
        rows.extend(probabilities);
    }
    Ok(Predictions { targets: runs.targets, rows })
}

/// Probabilities below this count as this: a model in single precision cannot mean less.
const LEAST: f64 = 1e-9;

impl Predictions {
    /// Nats that the true steps of a run cost, step by step.
    pub fn nats(&self, runs: &Runs, run: usize) -> Vec<f64> {
        let rows = self.rows[run].chunks_exact(self.targets).zip(&runs.numbers[run]);
        rows.map(|(row, &number)| -logarithm(row[number].max(LEAST))).collect()
    }

    /// Sum of these.
    pub fn cost(&self, runs: &Runs, run: usize) -> f64 {
        self.nats(runs, run).iter().sum()
    }

    /// Kullback–Leibler divergence from another's predictions to these, in nats, summed over the steps of a run: what it
    /// costs to expect what these say where the other is right.
    pub fn divergence(&self, other: &Self, run: usize) -> f64 {
        let pairs = self.rows[run].iter().zip(&other.rows[run]);
        let term = |(&own, &other): (&f64, &f64)| {
            if other > 0.0 { other * (logarithm(other) - logarithm(own.max(LEAST))) } else { 0.0 }
        };
        pairs.map(term).sum()
    }
}

/// The mean over runs of nats at each step.
pub fn by_step(costs: &[Vec<f64>]) -> Vec<f64> {
    let length = costs.first().map_or(0, Vec::len);
    (0..length).map(|step| costs.iter().map(|run| run[step]).sum::<f64>() / costs.len() as f64).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use environments::turing::TuringConfig;

    use super::super::references;
    use super::*;

    fn world() -> TuringWorld {
        TuringWorld::new(TuringConfig { length: 12, ..TuringConfig::default() }).unwrap()
    }

    #[test]
    fn novel_runs_are_those_that_falsify_every_training_machine() {
        let world = world();
        let known = world.listed(Split::Train).unwrap();
        let (runs, familiar) = Runs::new_to(&world, Split::Test, 0, 40, &known);
        assert_eq!(runs.len(), 40);
        assert!(familiar > 0);
        let initial = world.config().initial.initial();
        for run in 0..runs.len() {
            use environments::sequence::SequenceModel;
            use environments::turing::ListBayes;
            let mut bayes = ListBayes::new(known.iter().map(|machine| (machine, 1.0)), 2, initial);
            runs.numbers[run].iter().for_each(|&number| {
                if !bayes.consistent().is_empty() {
                    bayes.observe(number);
                }
            });
            assert!(bayes.consistent().is_empty());
        }
        assert_eq!(Runs::drawn(&world, Split::Train, 7, 5).episodes[2], world.observe(Split::Train, 9));
    }

    #[test]
    fn bayes_is_cheapest_on_average_and_divergences_are_its_regret() {
        let world = world();
        let runs = Runs::drawn(&world, Split::Train, 0, 300);
        let initial = world.config().initial.initial();
        let (bayes, oracle) = (references::generaliser(&runs, 2, 2, initial), references::oracle(&runs, 2, initial));
        let total = |predictions: &Predictions| (0..runs.len()).map(|run| predictions.cost(&runs, run)).sum::<f64>();
        assert!(total(&oracle) < total(&bayes));
        for (name, predictions) in references::statistical(&runs) {
            assert!(total(&bayes) < total(&predictions), "{name}");
        }
        let filler: f64 = references::filler(&runs, 2, initial).iter().flatten().sum();
        assert!(filler > total(&oracle));
        for run in 0..20 {
            assert!(bayes.divergence(&bayes, run).abs() < 1e-9);
            assert!(bayes.divergence(&oracle, run) > 0.0);
            assert_eq!(bayes.nats(&runs, run).len(), 12);
        }
        assert_eq!(by_step(&[vec![1.0, 3.0], vec![3.0, 5.0]]), [2.0, 4.0]);
    }
}
