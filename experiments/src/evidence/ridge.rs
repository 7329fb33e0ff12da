//! Ridge regression in closed form, with one or more outputs.

use super::dataset::Standardiser;
use super::linear::{product, solve, transpose_product};

/// Penalties tried, in units of the training rows' number; chosen by the validation error.
pub const PENALTIES: [f64; 5] = [1e-4, 1e-3, 1e-2, 1e-1, 1.0];

/// A fitted linear map from features to outputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Ridge {
    standardiser: Standardiser,
    /// Width × outputs.
    weights: Vec<f64>,
    mean: Vec<f64>,
    /// The penalty that was chosen.
    pub penalty: f64,
    /// Mean squared error on the validation rows.
    pub validation_error: f64,
}

/// Rows of features with rows of outputs.
#[derive(Clone, Copy, Debug)]
pub struct Targets<'a> {
    /// Rows × width, row-major.
    pub features: &'a [f32],
    /// Features of a row.
    pub width: usize,
    /// Rows × outputs, row-major.
    pub outputs: &'a [f64],
    /// Outputs of a row.
    pub count: usize,
}

impl Ridge {
    /// Fits on training rows for every penalty and keeps the one with the least squared error on validation rows.
    ///
    /// `None` if there are no rows.
    pub fn fit(train: Targets, validation: Targets) -> Option<Self> {
        let (width, count) = (train.width, train.count);
        let rows = train.outputs.len() / count.max(1);
        if rows == 0 || validation.outputs.is_empty() {
            return None;
        }
        let standardiser = Standardiser::fit(train.features, width);
        let features = standardiser.apply(train.features);
        let mut mean = vec![0.0; count];
        for row in train.outputs.chunks_exact(count) {
            mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / rows as f64);
        }
        let centred: Vec<f64> =
            train.outputs.chunks_exact(count).flat_map(|row| row.iter().zip(&mean).map(|(a, b)| a - b)).collect();
        let gram = transpose_product(&features, width, &features, width);
        let right = transpose_product(&features, width, &centred, count);
        let mut best: Option<Self> = None;
        for penalty in PENALTIES {
            let mut penalised = gram.clone();
            for place in 0..width {
                penalised[place * (width + 1)] += penalty * rows as f64;
            }
            let Some(weights) = solve(&penalised, width, &right, count) else { continue };
            let mut ridge = Self {
                standardiser: standardiser.clone(),
                weights,
                mean: mean.clone(),
                penalty,
                validation_error: 0.0,
            };
            let predicted = ridge.predict(validation.features);
            let squares = predicted.iter().zip(validation.outputs).map(|(p, t)| (p - t) * (p - t));
            ridge.validation_error = squares.sum::<f64>() / validation.outputs.len() as f64;
            if best.as_ref().is_none_or(|best| ridge.validation_error < best.validation_error) {
                best = Some(ridge);
            }
        }
        best
    }

    /// Outputs of rows of features: rows × outputs.
    pub fn predict(&self, features: &[f32]) -> Vec<f64> {
        let standard = self.standardiser.apply(features);
        let width = self.weights.len() / self.mean.len();
        let mut predicted = product(&standard, width, &self.weights, self.mean.len());
        for row in predicted.chunks_exact_mut(self.mean.len()) {
            row.iter_mut().zip(&self.mean).for_each(|(value, mean)| *value += mean);
        }
        predicted
    }

    /// Mean output of the training rows.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::metrics::r_squared;
    use super::super::numeric::normal;
    use super::*;
    use environments::stream;

    #[test]
    fn a_planted_linear_map_is_found_and_noise_is_not() {
        let mut stream = stream(&["ridge"]);
        let rows = |count: usize, stream: &mut environments::Stream| -> (Vec<f32>, Vec<f64>) {
            let features: Vec<f32> = (0..count * 6).map(|_| normal(stream) as f32).collect();
            let outputs = features
                .chunks(6)
                .flat_map(|row| {
                    let planted = f64::from(3.0 * row[1] - row[4]) + 7.0;
                    [planted + 0.1 * normal(stream), normal(stream)]
                })
                .collect();
            (features, outputs)
        };
        let sets = [rows(400, &mut stream), rows(200, &mut stream), rows(400, &mut stream)];
        let target = |set: &'_ (Vec<f32>, Vec<f64>)| -> (Vec<f32>, Vec<f64>) { set.clone() };
        let [train, validation, test] = [target(&sets[0]), target(&sets[1]), target(&sets[2])];
        fn targets(set: &(Vec<f32>, Vec<f64>)) -> Targets<'_> {
            Targets { features: &set.0, width: 6, outputs: &set.1, count: 2 }
        }
        let ridge = Ridge::fit(targets(&train), targets(&validation)).unwrap();
        let predicted = ridge.predict(&test.0);
        let column = |values: &[f64], place: usize| -> Vec<f64> { values.chunks(2).map(|row| row[place]).collect() };
        let score = |place: usize| {
            r_squared(&column(&predicted, place), &column(&test.1, place), &ridge.mean()[place..=place]).unwrap()
        };
        assert!(score(0) > 0.99, "{}", score(0));
        assert!(score(1) < 0.05, "{}", score(1));
    }
}
