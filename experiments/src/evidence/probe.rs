//! Probes: classifiers of stated capacity from activations (or any baseline's features) to a concept.
//!
//! Regularisation is chosen on validation rows, never on the rows that are reported. Classes weigh equally in the
//! loss, whatever their frequencies, since the score is balanced accuracy.

use std::fmt;
use std::sync::Arc;

use environments::{Draw, Stream};
use models::AdamW;
use models::native::{Mlp, MlpConfig};
use rand_chacha::rand_core::SeedableRng;

use super::dataset::{Dataset, Standardiser};
use super::logistic::{Problem, logits};
use super::metrics::{Confusion, surprise};
use super::numeric::{argmax, bits, exponential, log_softmax, logarithm};
use super::ridge::{Ridge, Targets};

/// A kind of probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Multinomial logistic regression with an L2 penalty.
    Logistic,
    /// Closed-form ridge regression on one-hot classes.
    Ridge,
    /// A perceptron with one hidden layer of this width.
    Mlp(usize),
    /// Any other: one of [`KINDS`].
    Listed(&'static Kind),
}

/// The kinds of probe that come as a file of their own; a new one is that file and its line here.
pub const KINDS: &[&Kind] = &[&super::nearest_mean::KIND];

/// A kind of probe as it is listed.
pub struct Kind {
    /// The name used in configs.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// Fits on training rows, with what is free chosen on validation rows. `None` where it cannot.
    pub fit: fn(&Rows<'_>, &Rows<'_>) -> Option<Arc<dyn Reader>>,
}

impl fmt::Debug for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Kind {}

/// Rows that a listed probe is fitted to.
pub struct Rows<'a> {
    /// Rows × width, standardised as the training rows are.
    pub features: &'a [f64],
    /// Features of a row.
    pub width: usize,
    /// A class below `classes` for each row.
    pub labels: &'a [usize],
    /// Number of classes.
    pub classes: usize,
}

/// What a listed probe came to.
pub trait Reader: fmt::Debug + Send + Sync {
    /// Rows × classes log-probabilities (nats) of standardised rows (rows × width).
    fn log_probabilities(&self, features: &[f64], width: usize) -> Vec<f64>;
}

/// The listed probe of a name.
///
/// # Errors
/// A clause that names the nearest.
pub fn find(name: &str) -> Result<Probe, String> {
    KINDS.iter().find(|kind| kind.name == name).map(|kind| Probe::Listed(kind)).ok_or_else(|| {
        let nearest = crate::config::nearest(name, KINDS.iter().map(|kind| kind.name));
        format!("`{name}` is no listed probe; the nearest is `{nearest}`")
    })
}

/// Penalties on the squared weights that logistic probes try, per row, from strong to weak.
const PENALTIES: [f64; 4] = [1e-1, 1e-2, 1e-3, 1e-4];
/// Iterations of L-BFGS for each penalty; each starts where the last one ended.
const ITERATIONS: usize = 60;
/// Passes of a perceptron over the training rows at most; the best on validation is kept.
const EPOCHS: usize = 40;
/// Rows a step of a perceptron.
const BATCH: usize = 64;

#[derive(Clone, Debug)]
enum Map {
    Logistic(Vec<f64>),
    Ridge(Ridge),
    Mlp(Box<Mlp>),
    Listed(Arc<dyn Reader>),
}

/// A fitted probe.
#[derive(Clone, Debug)]
pub struct Fitted {
    standardiser: Standardiser,
    classes: usize,
    map: Map,
    /// Class-balanced cross-entropy on the validation rows, in nats.
    pub validation_loss: f64,
}

/// What a probe says of some rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    /// Number of classes.
    pub classes: usize,
    /// Rows × classes log-probabilities (nats).
    pub log_probabilities: Vec<f64>,
}

/// How good predictions are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Mean recall of the classes; `None` if a class is missing.
    pub balanced_accuracy: Option<f64>,
    /// Matthews correlation; `None` where truth or prediction is constant.
    pub matthews: Option<f64>,
    /// Mean over the classes of their mean cross-entropy, in bits; `None` without rows.
    pub bits: Option<f64>,
}

impl Predictions {
    /// The likeliest class of each row.
    pub fn predicted(&self) -> Vec<usize> {
        self.log_probabilities.chunks_exact(self.classes).map(argmax).collect()
    }

    /// The probability of a class in each row.
    pub fn probability(&self, class: usize) -> Vec<f64> {
        self.log_probabilities.chunks_exact(self.classes).map(|row| exponential(row[class])).collect()
    }

    /// Counts of truth and prediction.
    pub fn confusion(&self, labels: &[usize]) -> Confusion {
        let mut confusion = Confusion::new(self.classes);
        self.predicted().into_iter().zip(labels).for_each(|(predicted, &truth)| confusion.add(truth, predicted));
        confusion
    }

    /// Scores against the truth.
    pub fn score(&self, labels: &[usize]) -> Score {
        let confusion = self.confusion(labels);
        Score {
            balanced_accuracy: confusion.balanced_accuracy(),
            matthews: confusion.matthews(),
            bits: self.balanced_loss(labels).map(bits),
        }
    }

    /// Mean over the classes that occur of their mean cross-entropy, in nats.
    fn balanced_loss(&self, labels: &[usize]) -> Option<f64> {
        let mut sums = vec![(0.0, 0.0); self.classes];
        for (row, &label) in self.log_probabilities.chunks_exact(self.classes).zip(labels) {
            sums[label].0 -= row[label];
            sums[label].1 += 1.0;
        }
        let means: Vec<f64> = sums.iter().filter(|(_, count)| *count > 0.0).map(|(sum, count)| sum / count).collect();
        (!means.is_empty()).then(|| means.iter().sum::<f64>() / means.len() as f64)
    }
}

impl Fitted {
    /// What the probe says of rows of features.
    pub fn predict(&self, data: &Dataset) -> Predictions {
        let log_probabilities = match &self.map {
            Map::Logistic(parameters) => {
                let standard = self.standardiser.apply(&data.features);
                let mut all = Vec::with_capacity(data.rows() * self.classes);
                let mut row = vec![0.0; self.classes];
                for features in standard.chunks_exact(data.width) {
                    logits(parameters, features, &mut row);
                    log_softmax(&mut row);
                    all.extend_from_slice(&row);
                }
                all
            }
            Map::Ridge(ridge) => {
                let mut outputs = ridge.predict(&data.features);
                for row in outputs.chunks_exact_mut(self.classes) {
                    // Not calibrated: outputs kept within (0, 1) and scaled to sum to 1.
                    let total: f64 = row.iter().map(|value| value.clamp(1e-3, 1.0)).sum();
                    row.iter_mut().for_each(|value| *value = logarithm(value.clamp(1e-3, 1.0) / total));
                }
                outputs
            }
            Map::Mlp(net) => log_probabilities(net, &single(&self.standardiser.apply(&data.features))),
            Map::Listed(reader) => reader.log_probabilities(&self.standardiser.apply(&data.features), data.width),
        };
        Predictions { classes: self.classes, log_probabilities }
    }

    /// Scores on rows of features with their labels.
    pub fn score(&self, data: &Dataset) -> Score {
        self.predict(data).score(&data.labels)
    }
}

fn single(values: &[f64]) -> Vec<f32> {
    values.iter().map(|value| *value as f32).collect()
}

fn log_probabilities(net: &Mlp, features: &[f32]) -> Vec<f64> {
    net.probabilities(features).into_iter().map(|probability| -surprise(f64::from(probability))).collect()
}

/// Fits a probe on training rows, with what is free (penalty, number of passes) chosen on validation rows. The
/// stream is only drawn from by probes that need chance.
///
/// `None` if the training rows hold fewer than two classes, or there are no validation rows or no features.
pub fn fit(probe: Probe, train: &Dataset, validation: &Dataset, stream: &mut Stream) -> Option<Fitted> {
    let counts = train.class_counts();
    let present = counts.iter().filter(|count| **count > 0).count();
    if present < 2 || validation.rows() == 0 || train.width == 0 {
        return None;
    }
    let standardiser = Standardiser::fit(&train.features, train.width);
    let fitted = |map: Map| {
        let mut fitted =
            Fitted { standardiser: standardiser.clone(), classes: train.classes, map, validation_loss: 0.0 };
        let loss = fitted.predict(validation).balanced_loss(&validation.labels);
        fitted.validation_loss = loss.unwrap_or(f64::MAX);
        fitted
    };
    match probe {
        Probe::Logistic => {
            let features = standardiser.apply(&train.features);
            let weight = |label: usize| train.rows() as f64 / (present * counts[label]) as f64;
            let weights: Vec<f64> = train.labels.iter().map(|&label| weight(label)).collect();
            let problem = Problem {
                features: &features,
                width: train.width,
                labels: &train.labels,
                classes: train.classes,
                weights: &weights,
            };
            let mut parameters = vec![0.0; problem.parameters()];
            let mut best: Option<Fitted> = None;
            for penalty in PENALTIES {
                parameters = problem.minimise(&parameters, penalty, ITERATIONS);
                let candidate = fitted(Map::Logistic(parameters.clone()));
                match &best {
                    // Weaker penalties only overfit more from here on.
                    Some(best) if candidate.validation_loss > best.validation_loss => break,
                    _ => best = Some(candidate),
                }
            }
            best
        }
        Probe::Ridge => {
            let one_hot = |data: &Dataset| -> Vec<f64> {
                let mut outputs = vec![0.0; data.rows() * data.classes];
                data.labels.iter().enumerate().for_each(|(row, label)| outputs[row * data.classes + label] = 1.0);
                outputs
            };
            let (outputs, held_out) = (one_hot(train), one_hot(validation));
            let targets = |data: &'_ Dataset| (data.width, data.classes);
            let (width, count) = targets(train);
            let ridge = Ridge::fit(
                Targets { features: &train.features, width, outputs: &outputs, count },
                Targets { features: &validation.features, width, outputs: &held_out, count },
            )?;
            Some(fitted(Map::Ridge(ridge)))
        }
        Probe::Mlp(width) => {
            let net = perceptron(width, train, validation, &standardiser, stream);
            Some(fitted(Map::Mlp(Box::new(net))))
        }
        Probe::Listed(kind) => {
            let [own, held_out] = [train, validation].map(|data| standardiser.apply(&data.features));
            let (width, classes) = (train.width, train.classes);
            let reader = (kind.fit)(
                &Rows { features: &own, width, labels: &train.labels, classes },
                &Rows { features: &held_out, width, labels: &validation.labels, classes },
            )?;
            Some(fitted(Map::Listed(reader)))
        }
    }
}

/// Trains a perceptron on batches in which every class is equally likely, and keeps the pass that is best on the
/// validation rows.
fn perceptron(
    width: usize,
    train: &Dataset,
    validation: &Dataset,
    standardiser: &Standardiser,
    stream: &mut Stream,
) -> Mlp {
    let features = single(&standardiser.apply(&train.features));
    let held_out = single(&standardiser.apply(&validation.features));
    let mut classes: Vec<Vec<usize>> = vec![Vec::new(); train.classes];
    train.labels.iter().enumerate().for_each(|(row, &label)| classes[label].push(row));
    classes.retain(|rows| !rows.is_empty());
    let config = MlpConfig { inputs: train.width, hidden: vec![width], outputs: train.classes };
    let optimizer = AdamW { weight_decay: 0.1, ..AdamW::default() };
    let mut seed = [0; 32];
    seed.chunks_exact_mut(8).for_each(|part| part.copy_from_slice(&stream.below(u64::MAX).to_le_bytes()));
    let mut net = Mlp::initialise(&config, optimizer, &mut environments::Stream::from_seed(seed));
    let steps = train.rows().div_ceil(BATCH);
    let mut best: Option<(f64, Mlp)> = None;
    let mut since = 0;
    for epoch in 0..EPOCHS {
        // Falls to a tenth linearly.
        let rate = 3e-3 * (1.0 - 0.9 * epoch as f32 / EPOCHS as f32);
        for _ in 0..steps {
            let (mut batch, mut labels) = (Vec::with_capacity(BATCH * train.width), Vec::with_capacity(BATCH));
            for place in 0..BATCH {
                let rows = &classes[place % classes.len()];
                let row = rows[stream.below(rows.len() as u64) as usize];
                batch.extend_from_slice(&features[row * train.width..(row + 1) * train.width]);
                labels.push(train.labels[row] as u16);
            }
            net.train_step(&batch, &labels, rate);
        }
        let said = Predictions { classes: train.classes, log_probabilities: log_probabilities(&net, &held_out) };
        let loss = said.balanced_loss(&validation.labels).unwrap_or(f64::MAX);
        since += 1;
        if best.as_ref().is_none_or(|(least, _)| loss < *least) {
            best = Some((loss, net.clone()));
            since = 0;
        }
        if since > 8 {
            break;
        }
    }
    best.map_or(net, |(_, net)| net)
}
