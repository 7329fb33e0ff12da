//! The nearest class mean: a probe without anything to fit but means. It reads what differs between classes on average and
//! no more, which is what an intervention along the difference of means writes.

use std::sync::Arc;

use super::numeric::log_softmax;
use super::probe::{Kind, Reader, Rows};

/// Its line in the registry.
pub const KIND: Kind = Kind {
    name: "nearest-mean",
    about: "the class whose mean is nearest, in units of each feature's deviation: nothing is weighed",
    fit,
};

/// Classes × width.
#[derive(Debug)]
struct NearestMean {
    means: Vec<Vec<f64>>,
    /// Mean squared distance of a row from its class's mean.
    spread: f64,
}

fn fit(train: &Rows<'_>, _validation: &Rows<'_>) -> Option<Arc<dyn Reader>> {
    let mut means = vec![vec![0.0; train.width]; train.classes];
    let mut counts = vec![0.0f64; train.classes];
    for (row, &label) in train.features.chunks_exact(train.width).zip(train.labels) {
        counts[label] += 1.0;
        means[label].iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    for (mean, count) in means.iter_mut().zip(&counts) {
        // A class that was never met is infinitely far.
        let scale = if *count > 0.0 { 1.0 / count } else { f64::NAN };
        mean.iter_mut().for_each(|value| *value *= scale);
    }
    let rows = train.features.chunks_exact(train.width).zip(train.labels);
    let spread = rows.map(|(row, &label)| distance(row, &means[label])).sum::<f64>() / train.labels.len().max(1) as f64;
    Some(Arc::new(NearestMean { means, spread: spread.max(1e-12) }))
}

fn distance(row: &[f64], mean: &[f64]) -> f64 {
    row.iter().zip(mean).map(|(value, mean)| (value - mean) * (value - mean)).sum()
}

impl Reader for NearestMean {
    fn log_probabilities(&self, features: &[f64], width: usize) -> Vec<f64> {
        let one = |row: &[f64]| -> Vec<f64> {
            // Equal Gaussians around the means.
            let score = |mean: &Vec<f64>| {
                let near = -0.5 * width as f64 * distance(row, mean) / self.spread;
                if near.is_finite() { near } else { -1e9 }
            };
            let mut scores: Vec<f64> = self.means.iter().map(score).collect();
            log_softmax(&mut scores);
            scores
        };
        features.chunks_exact(width).flat_map(one).collect()
    }
}
