//! Fitting of linear probes at the size of a large experiment: 10⁵ rows of 512 features.
//!
//! `experiments/benches/peers/probes.py` does the same with scikit-learn.

use std::time::{Duration, Instant};

use environments::stream;

use super::{BenchArgs, Row};
use crate::evidence::logistic::Problem;
use crate::evidence::numeric::normal;
use crate::evidence::{Dataset, Probe, Ridge, Standardiser, Targets, fit};

const ROWS: usize = 100_000;
const WIDTH: usize = 512;
/// The penalty, a row, at which one logistic regression is timed; 1/(rows · C) in scikit-learn's terms.
const PENALTY: f64 = 1e-3;

/// Rows in which each feature is correlated with the last, and the sum that decides a row's class.
fn rows(count: usize, name: &str) -> (Vec<f32>, Vec<f64>) {
    let mut draws = stream(&["bench", "probes", name]);
    let mut features = Vec::with_capacity(count * WIDTH);
    let mut sums = Vec::with_capacity(count);
    for _ in 0..count {
        let (mut last, mut sum) = (0.0, 0.0);
        for column in 0..WIDTH {
            last = 0.5 * last + normal(&mut draws);
            sum += if column % 3 == 0 { last } else { -0.5 * last };
            features.push(last as f32);
        }
        sums.push(sum / 8.0 + normal(&mut draws));
    }
    (features, sums)
}

/// One of `classes` by the sum.
fn label(sum: f64, classes: usize) -> usize {
    ((sum / 1.5 + classes as f64 / 2.0).floor().max(0.0) as usize).min(classes - 1)
}

pub fn probes(_: &BenchArgs) -> anyhow::Result<Vec<Row>> {
    let missing = || anyhow::anyhow!("the probes of the benchmark could not be fitted");
    let (features, sums) = rows(ROWS, "train");
    let (held_features, held_sums) = rows(2000, "validation");
    let mut table = Vec::new();
    let mut row = |what: String, time: Duration, against: String| {
        table.push(Row { what, figure: time.as_secs_f64(), unit: "s", against });
    };
    let peer = "scikit-learn: benches/peers/probes.py";

    let start = Instant::now();
    let train = Targets { features: &features, width: WIDTH, outputs: &sums, count: 1 };
    let held = Targets { features: &held_features, width: WIDTH, outputs: &held_sums, count: 1 };
    let ridge = Ridge::fit(train, held).ok_or_else(missing)?;
    let what = "ridge, standardised, 5 penalties, 10⁵ × 512".into();
    row(what, start.elapsed(), format!("validation error {:.4}; {peer}", ridge.validation_error));

    for classes in [2, 8] {
        let labels: Vec<usize> = sums.iter().map(|&sum| label(sum, classes)).collect();
        let start = Instant::now();
        let standard = Standardiser::fit(&features, WIDTH).apply(&features);
        let weights = vec![1.0; ROWS];
        let problem = Problem { features: &standard, width: WIDTH, labels: &labels, classes, weights: &weights };
        let parameters = problem.minimise(&vec![0.0; problem.parameters()], PENALTY, 60);
        let time = start.elapsed();
        let loss = problem.loss_and_gradient(&parameters, PENALTY).0;
        let what = format!("logistic, {classes} classes, one penalty, 10⁵ × 512");
        row(what, time, format!("loss {loss:.6} nats; {peer}"));
    }
    let mut data = Dataset::new(WIDTH, 2);
    (data.features, data.labels) = (features, sums.iter().map(|&sum| label(sum, 2)).collect());
    data.groups = (0..ROWS).collect();
    let mut validation = Dataset::new(WIDTH, 2);
    (validation.features, validation.labels) = (held_features, held_sums.iter().map(|&sum| label(sum, 2)).collect());
    validation.groups = (0..2000).collect();
    let start = Instant::now();
    let fitted = fit(Probe::Logistic, &data, &validation, &mut stream(&["bench", "fit"])).ok_or_else(missing)?;
    let against = format!("validation loss {:.4} nats, penalty chosen there", fitted.validation_loss);
    row("a whole logistic probe, 2 classes, 10⁵ × 512".into(), start.elapsed(), against);
    let accuracy = fitted.score(&validation).balanced_accuracy.unwrap_or(0.0);
    anyhow::ensure!(accuracy > 0.8, "the probes of the benchmark found nothing: balanced accuracy {accuracy}");
    Ok(table)
}
