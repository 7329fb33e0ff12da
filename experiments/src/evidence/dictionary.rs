//! Sparse dictionaries: a TopK sparse autoencoder (Makhzani & Frey 2014; Gao et al. 2024, arXiv:2406.04093), and beside it
//! the same with a decoder frozen at random. What a dictionary is worth is told on rows that it was not fitted to.

use environments::{Draw, Stream};
use rayon::prelude::*;

use super::linear::{add_scaled, dot};
use super::metrics::{auc, ratio};
use super::numeric::normal;

/// Rows that one partial sum of a gradient covers.
const BLOCK: usize = 32;
/// Rows a step.
const BATCH: usize = 256;

/// What a dictionary is to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DictionaryConfig {
    /// Units: directions in the dictionary.
    pub units: usize,
    /// Units that may be active at a time.
    pub active: usize,
    /// Passes over the rows.
    pub epochs: usize,
    /// Learning rate of the first half of the passes; it falls to 0 over the second.
    pub rate: f64,
    /// Whether the directions stay as they were drawn, and only who is active is learnt: a control.
    pub frozen: bool,
}

impl Default for DictionaryConfig {
    fn default() -> Self {
        Self { units: 256, active: 8, epochs: 20, rate: 3e-3, frozen: false }
    }
}

/// A fitted dictionary: x ≈ centre + Σ zᵢ dᵢ over the `active` units with the greatest positive zᵢ = wᵢ·(x − centre) + bᵢ.
#[derive(Clone, Debug, PartialEq)]
pub struct Dictionary {
    config: DictionaryConfig,
    width: usize,
    mean: Vec<f64>,
    scale: f64,
    /// Encoder (units × width), its biases, decoder (units × width, rows of length 1), centre: one after the other.
    values: Vec<f64>,
}

/// How good a dictionary is on rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reconstruction {
    /// Share of the variance about the training rows' mean that it explains.
    pub explained: f64,
    /// Units that were active at no row.
    pub dead: usize,
    /// Mean number of active units a row.
    pub active: f64,
}

/// An active unit and its activation.
type Active = (usize, f64);

impl Dictionary {
    /// Fits to rows of features by Adam (Kingma & Ba 2015) on the mean squared error.
    ///
    /// `None` without rows or units, or where the rows do not vary.
    pub fn fit(config: DictionaryConfig, features: &[f32], width: usize, stream: &mut Stream) -> Option<Self> {
        let rows = features.len() / width.max(1);
        if rows == 0 || config.units == 0 || config.active == 0 {
            return None;
        }
        let mut mean = vec![0.0; width];
        for row in features.chunks_exact(width) {
            mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += f64::from(*value) / rows as f64);
        }
        let mut dictionary = Self { config, width, mean, scale: 1.0, values: Vec::new() };
        let variance = dictionary.standard(features).iter().map(|value| value * value).sum::<f64>() / rows as f64;
        if variance <= 0.0 {
            return None;
        }
        // So that a row has length 1 in the mean square.
        dictionary.scale = 1.0 / variance.sqrt();
        let data = dictionary.standard(features);
        dictionary.draw(stream);
        let count = dictionary.values.len();
        let (mut first, mut second) = (vec![0.0; count], vec![0.0; count]);
        let steps = rows.div_ceil(BATCH) * config.epochs;
        let (mut decay1, mut decay2) = (1.0, 1.0);
        for step in 0..steps {
            let batch: Vec<&[f64]> = (0..BATCH.min(rows))
                .map(|_| stream.below(rows as u64) as usize)
                .map(|row| &data[row * width..(row + 1) * width])
                .collect();
            let (_, gradient) = dictionary.loss_and_gradient(&batch);
            let left = 2.0 * (steps - step) as f64 / steps as f64;
            let rate = config.rate * left.min(1.0);
            decay1 *= 0.9;
            decay2 *= 0.999;
            for (place, slope) in gradient.iter().enumerate() {
                first[place] += 0.1 * (slope - first[place]);
                second[place] += 0.001 * (slope * slope - second[place]);
                let root = (second[place] / (1.0 - decay2)).sqrt() + 1e-8;
                dictionary.values[place] -= rate * first[place] / (1.0 - decay1) / root;
            }
            dictionary.normalise();
        }
        Some(dictionary)
    }

    /// Directions at random on the sphere; the encoder starts as their transpose.
    fn draw(&mut self, stream: &mut Stream) {
        let size = self.config.units * self.width;
        let directions: Vec<f64> = (0..size).map(|_| normal(stream)).collect();
        self.values = vec![0.0; 2 * size + self.config.units + self.width];
        let start = self.decoder();
        self.values[start..start + size].copy_from_slice(&directions);
        self.normalise();
        let (encoder, rest) = self.values.split_at_mut(size);
        encoder.copy_from_slice(&rest[self.config.units..self.config.units + size]);
    }

    fn decoder(&self) -> usize {
        self.config.units * (self.width + 1)
    }

    /// Gives every direction length 1.
    fn normalise(&mut self) {
        let (start, width) = (self.decoder(), self.width);
        for row in self.values[start..start + self.config.units * width].chunks_exact_mut(width) {
            let norm = dot(row, row).sqrt().max(1e-12);
            row.iter_mut().for_each(|value| *value /= norm);
        }
    }

    fn parts(&self) -> (&[f64], &[f64], &[f64], &[f64]) {
        let (encoder, rest) = self.values.split_at(self.config.units * self.width);
        let (biases, rest) = rest.split_at(self.config.units);
        let (decoder, centre) = rest.split_at(self.config.units * self.width);
        (encoder, biases, decoder, centre)
    }

    fn standard(&self, features: &[f32]) -> Vec<f64> {
        let row = |row: &[f32]| -> Vec<f64> {
            row.iter().zip(&self.mean).map(|(value, mean)| (f64::from(*value) - mean) * self.scale).collect()
        };
        features.chunks_exact(self.width).flat_map(row).collect()
    }

    /// The active units of a standardised row, by falling activation.
    fn active(&self, row: &[f64]) -> Vec<Active> {
        let (encoder, biases, _, centre) = self.parts();
        let centred: Vec<f64> = row.iter().zip(centre).map(|(value, centre)| value - centre).collect();
        let units = encoder.chunks_exact(self.width).zip(biases).enumerate();
        let mut active: Vec<Active> = units
            .map(|(unit, (weights, bias))| (unit, dot(weights, &centred) + bias))
            .filter(|(_, activation)| *activation > 0.0)
            .collect();
        // Of equals the first.
        active.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        active.truncate(self.config.active);
        active
    }

    fn decode(&self, active: &[Active]) -> Vec<f64> {
        let (_, _, decoder, centre) = self.parts();
        let mut row = centre.to_vec();
        for &(unit, activation) in active {
            add_scaled(&mut row, activation, &decoder[unit * self.width..(unit + 1) * self.width]);
        }
        row
    }

    /// Half the mean squared error of standardised rows, and its gradient; who is active counts as given. Sums run over
    /// fixed blocks of rows.
    fn loss_and_gradient(&self, rows: &[&[f64]]) -> (f64, Vec<f64>) {
        let (width, units) = (self.width, self.config.units);
        let (encoder, _, decoder, centre) = self.parts();
        let parts: Vec<(f64, Vec<f64>)> = rows
            .par_chunks(BLOCK)
            .map(|rows| {
                let (mut loss, mut gradient) = (0.0, vec![0.0; self.values.len()]);
                for row in rows {
                    let active = self.active(row);
                    let error: Vec<f64> = self.decode(&active).iter().zip(*row).map(|(said, is)| said - is).collect();
                    loss += 0.5 * dot(&error, &error);
                    let centred: Vec<f64> = row.iter().zip(centre).map(|(value, centre)| value - centre).collect();
                    let end = gradient.len() - width;
                    add_scaled(&mut gradient[end..], 1.0, &error);
                    for (unit, activation) in active {
                        let at = unit * width..(unit + 1) * width;
                        let slope = dot(&decoder[at.clone()], &error);
                        add_scaled(&mut gradient[at.clone()], slope, &centred);
                        gradient[units * width + unit] += slope;
                        add_scaled(&mut gradient[end..], -slope, &encoder[at.clone()]);
                        if !self.config.frozen {
                            let start = units * (width + 1) + at.start;
                            add_scaled(&mut gradient[start..start + width], activation, &error);
                        }
                    }
                }
                (loss, gradient)
            })
            .collect();
        let (mut loss, mut gradient) = (0.0, vec![0.0; self.values.len()]);
        for (part, slopes) in parts {
            loss += part;
            add_scaled(&mut gradient, 1.0, &slopes);
        }
        let share = 1.0 / rows.len().max(1) as f64;
        gradient.iter_mut().for_each(|value| *value *= share);
        (loss * share, gradient)
    }

    /// Number of units.
    pub fn units(&self) -> usize {
        self.config.units
    }

    /// A unit's direction, of length 1.
    pub fn direction(&self, unit: usize) -> &[f64] {
        let (_, _, decoder, _) = self.parts();
        &decoder[unit * self.width..(unit + 1) * self.width]
    }

    /// The active units of every row, by falling activation.
    pub fn encode(&self, features: &[f32]) -> Vec<Vec<(usize, f64)>> {
        self.standard(features).par_chunks(self.width).map(|row| self.active(row)).collect()
    }

    /// What the dictionary makes of rows: to be put in their place in a model, which tells how much of the loss is
    /// recovered ([`recovered`]).
    pub fn reconstruct(&self, features: &[f32]) -> Vec<f32> {
        let row = |row: &[f64]| -> Vec<f32> {
            let said = self.decode(&self.active(row));
            said.iter().zip(&self.mean).map(|(value, mean)| (value / self.scale + mean) as f32).collect()
        };
        let rows: Vec<Vec<f32>> = self.standard(features).par_chunks(self.width).map(row).collect();
        rows.concat()
    }

    /// How good it is on rows.
    pub fn reconstruction(&self, features: &[f32]) -> Reconstruction {
        let (mut error, mut variance, mut fired, mut active) = (0.0, 0.0, vec![false; self.config.units], 0);
        let rows = self.standard(features);
        for row in rows.chunks_exact(self.width) {
            let units = self.active(row);
            let said = self.decode(&units);
            error += said.iter().zip(row).map(|(said, is)| (said - is) * (said - is)).sum::<f64>();
            variance += dot(row, row);
            active += units.len();
            units.iter().for_each(|(unit, _)| fired[*unit] = true);
        }
        Reconstruction {
            explained: 1.0 - ratio(error, variance).unwrap_or(1.0),
            dead: fired.iter().filter(|fired| !**fired).count(),
            active: active as f64 / (rows.len() / self.width).max(1) as f64,
        }
    }

    /// How well single units tell a concept: of each, the area under the curve of its activation.
    fn areas(&self, features: &[f32], concept: &[bool]) -> Vec<Option<f64>> {
        let encoded = self.encode(features);
        let one = |unit: usize| {
            let activation =
                |row: &Vec<Active>| row.iter().find(|(at, _)| *at == unit).map_or(0.0, |(_, value)| *value);
            auc(&encoded.iter().map(activation).collect::<Vec<_>>(), concept)
        };
        (0..self.config.units).into_par_iter().map(one).collect()
    }

    /// Coverage of a known concept: the unit that tells it best on the rows for choosing, and its area under the curve on
    /// the rows for reporting. `None` where the concept does not vary.
    pub fn coverage(&self, choose: (&[f32], &[bool]), report: (&[f32], &[bool])) -> Option<(usize, f64)> {
        let areas = self.areas(choose.0, choose.1);
        let area = |unit: usize| areas[unit].unwrap_or(0.0);
        let best = (0..self.config.units).fold(0, |best, unit| if area(unit) > area(best) { unit } else { best });
        areas[best]?;
        Some((best, self.areas(report.0, report.1)[best]?))
    }
}

/// Share of the loss recovered by a reconstruction, between replacing activations by their mean (0) and leaving them as
/// they are (1).
pub fn recovered(clean: f64, reconstructed: f64, mean_in_place: f64) -> Option<f64> {
    ratio(mean_in_place - reconstructed, mean_in_place - clean)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use environments::stream;

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let mut stream = stream(&["dictionary", "gradient"]);
        let features: Vec<f32> = (0..40 * 5).map(|_| normal(&mut stream) as f32).collect();
        let config = DictionaryConfig { units: 12, active: 3, epochs: 0, ..DictionaryConfig::default() };
        let mut dictionary = Dictionary::fit(config, &features, 5, &mut stream).unwrap();
        dictionary.values.iter_mut().for_each(|value| *value += 0.1 * normal(&mut stream));
        let data = dictionary.standard(&features);
        let rows: Vec<&[f64]> = data.chunks(5).collect();
        let (_, gradient) = dictionary.loss_and_gradient(&rows);
        for (place, slope) in gradient.iter().enumerate() {
            let value = |shift: f64| {
                let mut moved = dictionary.clone();
                moved.values[place] += shift;
                moved.loss_and_gradient(&rows).0
            };
            // Small enough that no other unit becomes active.
            let numeric = (value(1e-7) - value(-1e-7)) / 2e-7;
            assert!((numeric - slope).abs() < 1e-6, "{place}: {numeric} {slope}");
        }
    }
}
