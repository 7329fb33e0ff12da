//! Moments of sequences, and what can be read there of a sequence's author: the concepts of a machine's or a rule's
//! table, each by how it stands with what was seen so far. Shared by `rule-table` and `rule-inference`.
//!
//! An experiment draws [`Moments`] of its world with the truth of every concept; probes ([`readings`]) are fitted,
//! chosen and reported on three disjoint sets of them; [`gathered`] holds what was read beside every baseline, [`writes`]
//! edits an entry where it is carried, and [`entries`] judges both together.

pub(crate) mod beside;
pub(crate) mod entries;
pub(crate) mod gathered;
pub(crate) mod readings;
pub(crate) mod writes;

use environments::Sample;
use models::{Plan, Predictor};
use serde::{Deserialize, Serialize};

use crate::evidence::Dataset;
use crate::evidence::numeric::log_softmax;

/// How a concept stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stratum {
    /// The entry was used in the step that the position holds: it is in the token. Left out everywhere.
    Shown,
    /// The evidence determines it, and the step to come does not need it.
    Idle,
    /// The evidence determines it, and the step to come may need it.
    Current,
    /// The evidence leaves it open.
    Open,
}

/// What can be asked of an author, such as an entry of its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concept {
    /// Its name.
    pub name: String,
    /// Number of classes.
    pub classes: usize,
    /// Where it is scored.
    pub scored: Stratum,
}

/// A concept at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// Its class, where it has one.
    pub class: Option<usize>,
    /// How it stands.
    pub stratum: Stratum,
    /// The chance that the likeliest class by Bayes, ties broken at random, is the true one.
    pub bayes: f64,
}

/// A position of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// The run's number.
    pub run: usize,
    /// The position: it holds the symbol before it and predicts symbol `position`.
    pub position: usize,
    /// In the order of the concepts.
    pub truths: Vec<Truth>,
    /// Bayes's probabilities in each frame.
    pub beliefs: Vec<Vec<f64>>,
    /// What the position can see at once: the input type of the control task.
    pub kind: u64,
}

/// Runs with moments of theirs.
#[derive(Default)]
pub struct Moments {
    /// What a model reads and is to predict, by run.
    pub samples: Vec<Sample>,
    /// The symbols of a run as numbers.
    pub numbers: Vec<Vec<usize>>,
    /// Number of different symbols.
    pub targets: usize,
    /// What a run is resampled with: the run itself, or all runs of its author.
    pub clusters: Vec<usize>,
    /// Moments by run.
    pub all: Vec<Moment>,
}

impl Moments {
    /// Number of clusters.
    pub fn cluster_count(&self) -> usize {
        self.clusters.iter().max().map_or(0, |last| last + 1)
    }

    /// Features of every moment: activations at each tap, then the model's own log-probabilities of the next symbol.
    ///
    /// # Errors
    /// Those of the model.
    pub fn features(&self, predictor: &dyn Predictor, taps: &[String]) -> anyhow::Result<Vec<Features>> {
        const CHUNK: usize = 64;
        let mut all: Vec<Features> = vec![Features::default(); taps.len() + 1];
        let plan = Plan { capture: taps.to_vec(), interventions: Vec::new() };
        let mut moments = self.all.iter().peekable();
        for (chunk, samples) in self.samples.chunks(CHUNK).enumerate() {
            let tokens: Vec<_> = samples.iter().flat_map(|sample| sample.tokens.iter().copied()).collect();
            let run = predictor.run(&tokens, &plan)?;
            let length = run.logits.len() / samples.len();
            while let Some(moment) = moments.next_if(|moment| moment.run / CHUNK == chunk) {
                let sequence = moment.run % CHUNK;
                for (features, captured) in all.iter_mut().zip(&run.captured) {
                    features.push(captured.row(sequence, moment.position));
                }
                let start = sequence * length + moment.position * self.targets;
                let logits = &run.logits[start..start + self.targets];
                let mut row: Vec<f64> = logits.iter().map(|&logit| f64::from(logit)).collect();
                log_softmax(&mut row);
                all[taps.len()].push(&row.iter().map(|&value| value as f32).collect::<Vec<_>>());
            }
        }
        Ok(all)
    }

    /// Features of every moment that need no model: a function of the symbols before it.
    pub fn by_moment(&self, row: impl Fn(&[usize]) -> Vec<f32>) -> Features {
        let mut features = Features::default();
        for moment in &self.all {
            features.push(&row(&self.numbers[moment.run][..moment.position]));
        }
        features
    }

    /// The moments at which a concept stands in one of some ways, as rows for a probe; and which moments these are.
    pub fn rows(
        &self,
        features: &Features,
        (concept, classes): (usize, usize),
        strata: &[Stratum],
    ) -> (Dataset, Vec<usize>) {
        let mut data = Dataset::new(features.width, classes);
        let mut places = Vec::new();
        for (place, moment) in self.all.iter().enumerate() {
            let truth = &moment.truths[concept];
            if let Some(class) = truth.class.filter(|_| strata.contains(&truth.stratum)) {
                data.push(features.row(place), class, moment.run);
                places.push(place);
            }
        }
        (data, places)
    }
}

/// One row of features a moment.
#[derive(Clone, Debug, Default)]
pub struct Features {
    /// Features of a row.
    pub width: usize,
    /// Moments × width.
    pub values: Vec<f32>,
}

impl Features {
    fn push(&mut self, row: &[f32]) {
        self.width = row.len();
        self.values.extend_from_slice(row);
    }

    /// A moment's row.
    pub fn row(&self, moment: usize) -> &[f32] {
        &self.values[moment * self.width..(moment + 1) * self.width]
    }
}
