//! What is read of the belief, from taps and from the input, by ridge regression that is scored out of sample.

use environments::sources::{HiddenEpisode, HiddenWorld};
use environments::{Draw, Sample, Split, Symbol, stream};
use models::{Parameters, Plan, predictor};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::context::RunContext;
use crate::evidence::metrics::{ratio, surprise};
use crate::evidence::numeric::{exponential, log_softmax};
use crate::evidence::{Components, Dataset, Ridge, Targets};
use crate::machines::nats::Nats;

/// The source that is all layers' residual streams, one after the other.
pub const ALL_LAYERS: &str = "all layers";
/// Sequences that go through a model together.
const CHUNK: usize = 64;

/// Sequences with their beliefs.
pub struct Part {
    /// The sequences.
    pub all: Vec<HiddenEpisode>,
}

/// Rows of features with the beliefs that are to be read from them.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    width: usize,
    features: Vec<f32>,
    /// Rows × states.
    pub outputs: Vec<f64>,
    states: usize,
    /// By row: the last three symbols, the input type of the control task.
    pub kinds: Vec<u64>,
    /// Rows of a sequence.
    each: usize,
}

/// Squared errors and squared distances from the mean of the rows for fitting, summed by sequence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Squares(pub Vec<(f64, f64)>);

impl Squares {
    /// Share of the variance explained.
    pub fn explained(&self) -> f64 {
        let sum = |pick: fn(&(f64, f64)) -> f64| self.0.iter().map(pick).sum::<f64>();
        ratio(sum(|s| s.0), sum(|s| s.1)).map_or(0.0, |share| 1.0 - share)
    }

    /// Tallies by sequence.
    pub fn tallies(&self) -> Vec<Vec<f64>> {
        self.0.iter().map(|&(error, distance)| vec![error, distance]).collect()
    }
}

/// How well the belief is a linear image of one source of features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The source.
    pub source: String,
    /// Share of variance explained on the sequences for choosing.
    pub choose: f64,
    /// On those for reporting.
    pub squares: Squares,
    /// Squared correlation of distances between beliefs that were read with distances between the true ones.
    pub distances: f64,
}

impl Reading {
    /// Fits on the first rows, chooses the penalty on the second, reports on the third.
    pub fn new(source: &str, [train, choose, report]: &[Rows; 3], pairs: usize) -> Self {
        let states = train.states;
        let count = (train.outputs.len() / states.max(1)).max(1) as f64;
        let mut mean = vec![0.0; states];
        train.outputs.chunks(states).for_each(|row| mean.iter_mut().zip(row).for_each(|(m, v)| *m += v / count));
        let ridge = Ridge::fit(train.targets(), choose.targets());
        let said = |rows: &Rows| match &ridge {
            Some(ridge) => ridge.predict(&rows.features),
            None => rows.outputs.chunks(states).flat_map(|_| mean.clone()).collect(),
        };
        let told = said(report);
        Self {
            source: source.into(),
            choose: choose.squares(&said(choose), &mean).explained(),
            squares: report.squares(&told, &mean),
            distances: report.distances(&told, pairs),
        }
    }
}

impl Rows {
    fn targets(&self) -> Targets<'_> {
        Targets { features: &self.features, width: self.width, outputs: &self.outputs, count: self.states }
    }

    fn squares(&self, said: &[f64], mean: &[f64]) -> Squares {
        let square = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        let each = self.each * self.states;
        let one = |(truth, said): (&[f64], &[f64])| {
            let rows = truth.chunks(self.states).zip(said.chunks(self.states));
            rows.fold((0.0, 0.0), |sum, (truth, said)| (sum.0 + square(truth, said), sum.1 + square(truth, mean)))
        };
        Squares(self.outputs.chunks(each).zip(said.chunks(each)).map(one).collect())
    }

    /// Squared correlation over random pairs of rows of the distance between beliefs with the distance between points
    /// (one a row).
    pub fn distances(&self, points: &[f64], pairs: usize) -> f64 {
        let rows = self.outputs.len() / self.states.max(1);
        let width = points.len() / rows.max(1);
        let mut chance = stream(&["geometry", "pairs"]);
        let apart = |all: &[f64], width: usize, a: usize, b: usize| {
            let parts = all[a * width..(a + 1) * width].iter().zip(&all[b * width..(b + 1) * width]);
            parts.map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
        };
        let mut draw = || chance.below(rows as u64) as usize;
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for _ in 0..pairs {
            let (a, b) = (draw(), draw());
            x.push(apart(points, width, a, b));
            y.push(apart(&self.outputs, self.states, a, b));
        }
        let centre = |values: &mut Vec<f64>| {
            let mean = values.iter().sum::<f64>() / pairs.max(1) as f64;
            values.iter_mut().for_each(|value| *value -= mean);
        };
        centre(&mut x);
        centre(&mut y);
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        ratio(product(&x, &y) * product(&x, &y), product(&x, &x) * product(&y, &y)).unwrap_or(0.0)
    }

    /// The features as points.
    pub fn as_outputs(&self) -> Vec<f64> {
        self.features.iter().map(|value| f64::from(*value)).collect()
    }

    /// The same rows with other things to read.
    pub fn with_outputs(&self, outputs: Vec<f64>) -> Self {
        Self { outputs, ..self.clone() }
    }

    /// Control task: every input type gets, for good, the belief of a random row of the sequences for fitting.
    pub fn control(&self, kinds: &[u64], from: &Part, address: &[&str; 3]) -> Self {
        let given = |kind: &u64| {
            let kind = kind.to_string();
            let mut chance = stream(&[address[0], address[1], "control", &kind]);
            let episode = &from.all[chance.below(from.all.len() as u64) as usize];
            episode.beliefs[chance.below(episode.beliefs.len() as u64) as usize].clone()
        };
        self.with_outputs(kinds.iter().flat_map(given).collect())
    }

    /// The rows told by their strongest principal components, learnt from the first of the three.
    pub fn components(three: &[Rows; 3], count: usize) -> [Rows; 3] {
        let components = Components::fit(&three[0].features, three[0].width, count);
        three.each_ref().map(|rows| {
            let labels = vec![0; rows.kinds.len()];
            let data = Dataset {
                width: rows.width,
                features: rows.features.clone(),
                groups: labels.clone(),
                labels,
                classes: 1,
            };
            let told = components.apply(&data, count);
            Rows { width: told.width, features: told.features, ..rows.clone() }
        })
    }

    /// Some of the rows.
    pub fn keep(&self, keep: impl Fn(usize) -> bool) -> Self {
        let kept: Vec<usize> = (0..self.kinds.len()).filter(|&row| keep(row)).collect();
        Self {
            features: kept
                .iter()
                .flat_map(|row| &self.features[row * self.width..(row + 1) * self.width])
                .copied()
                .collect(),
            outputs: kept
                .iter()
                .flat_map(|row| &self.outputs[row * self.states..(row + 1) * self.states])
                .copied()
                .collect(),
            kinds: kept.iter().map(|&row| self.kinds[row]).collect(),
            each: 1,
            ..*self
        }
    }
}

impl Part {
    /// The sequences of a split from a number on.
    pub fn draw(world: &HiddenWorld, split: Split, first: u64, count: usize) -> Self {
        Self { all: (first..first + count as u64).into_par_iter().map(|index| world.observe(split, index)).collect() }
    }

    /// Tokens and targets.
    pub fn samples(&self) -> Vec<Sample> {
        let sample = |episode: &HiddenEpisode| {
            let last = episode.symbols.len() - 1;
            Sample { tokens: episode.symbols[..last].to_vec(), targets: episode.symbols[1..].to_vec() }
        };
        self.all.iter().map(sample).collect()
    }

    /// Nats of an ideal observer of so many of the last symbols.
    pub fn observer(&self, world: &HiddenWorld, seen: usize) -> Nats {
        let one = |episode: &HiddenEpisode| -> Vec<f64> {
            let at = |position: usize| {
                let first = (position + 1).saturating_sub(seen);
                let next = world.next(&world.belief(&episode.symbols[first..=position]));
                surprise(next[usize::from(episode.symbols[position + 1])])
            };
            (0..episode.beliefs.len()).map(at).collect()
        };
        self.all.par_iter().map(one).collect()
    }

    /// Rows for the positions from one on, without features.
    fn rows(&self, from: usize) -> Rows {
        let mut rows = Rows::default();
        for episode in &self.all {
            rows.each = episode.beliefs.len() - from;
            for (position, belief) in episode.beliefs.iter().enumerate().skip(from) {
                rows.states = belief.len();
                rows.outputs.extend(belief);
                let last = &episode.symbols[(position + 1).saturating_sub(3)..=position];
                rows.kinds.push(last.iter().fold(1, |kind, &symbol| kind * 64 + u64::from(symbol)));
            }
        }
        rows
    }

    /// The last symbols, one-hot.
    pub fn window(&self, symbols: usize, reach: usize, from: usize) -> Rows {
        let mut rows = self.rows(from);
        rows.width = symbols * reach;
        for episode in &self.all {
            for position in from..episode.beliefs.len() {
                let start = rows.features.len();
                rows.features.resize(start + rows.width, 0.0);
                for back in 0..reach.min(position + 1) {
                    rows.features[start + back * symbols + usize::from(episode.symbols[position - back])] = 1.0;
                }
            }
        }
        rows
    }

    /// The position, one-hot.
    pub fn position(&self, from: usize) -> Rows {
        let mut rows = self.rows(from);
        rows.width = rows.each;
        for row in 0..rows.kinds.len() {
            rows.features.extend((0..rows.each).map(|place| if place == row % rows.each { 1.0 } else { 0.0 }));
        }
        rows
    }

    /// Tokens of some of the sequences.
    pub fn tokens(chunk: &[HiddenEpisode]) -> Vec<Symbol> {
        chunk.iter().flat_map(|episode| episode.symbols[..episode.symbols.len() - 1].iter().copied()).collect()
    }

    /// Rows for the positions from one on: of every tap, of all residual streams together (the first taps but the last),
    /// and of the model's own distribution.
    ///
    /// # Errors
    /// Those of the model; when a stop was asked for.
    pub fn features(
        &self,
        model: &Parameters,
        taps: &[String],
        from: usize,
        context: &RunContext<'_>,
    ) -> anyhow::Result<Vec<Rows>> {
        let model = predictor(model, context.device())?;
        let mut all = vec![self.rows(from); taps.len() + 2];
        let plan = Plan { capture: taps.to_vec(), interventions: Vec::new() };
        for chunk in self.all.chunks(CHUNK) {
            context.check_stop()?;
            let run = model.run(&Self::tokens(chunk), &plan)?;
            let length = run.captured[0].rows;
            let targets = run.logits.len() / (chunk.len() * length);
            for sequence in 0..chunk.len() {
                for position in from..length {
                    for (tap, captured) in run.captured.iter().enumerate() {
                        let row = captured.row(sequence, position);
                        all[tap].features.extend(row);
                        if tap + 1 < taps.len() {
                            all[taps.len()].features.extend(row);
                        }
                    }
                    let place = (sequence * length + position) * targets;
                    let mut logits: Vec<f64> =
                        run.logits[place..place + targets].iter().map(|&l| f64::from(l)).collect();
                    log_softmax(&mut logits);
                    all[taps.len() + 1].features.extend(logits.iter().map(|value| exponential(*value) as f32));
                }
            }
        }
        for rows in &mut all {
            rows.width = rows.features.len() / rows.kinds.len().max(1);
        }
        Ok(all)
    }
}
