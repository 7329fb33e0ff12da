//! Rows of features with a label each.

use environments::Stream;
use rayon::prelude::*;

use super::linear::{dot, principal, transpose_product};
use super::numeric::shuffle;

/// Features, labels and groups of the rows that a probe is fitted to or scored on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dataset {
    /// Features of a row.
    pub width: usize,
    /// Rows × width, row-major.
    pub features: Vec<f32>,
    /// A class below `classes` for each row.
    pub labels: Vec<usize>,
    /// Number of classes.
    pub classes: usize,
    /// The cluster (board, trajectory, episode) that each row comes from.
    pub groups: Vec<usize>,
}

impl Dataset {
    /// No rows yet.
    pub fn new(width: usize, classes: usize) -> Self {
        Self { width, classes, ..Self::default() }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.labels.len()
    }

    /// Adds a row.
    ///
    /// # Panics
    /// If it has not `width` features, or the label is not below `classes`.
    pub fn push(&mut self, features: &[f32], label: usize, group: usize) {
        assert_eq!(features.len(), self.width, "features of a row");
        assert!(label < self.classes, "label {label} of {} classes", self.classes);
        self.features.extend_from_slice(features);
        self.labels.push(label);
        self.groups.push(group);
    }

    /// One row's features.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.features[row * self.width..(row + 1) * self.width]
    }

    /// Some of the rows, in the order given.
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            width: self.width,
            features: rows.iter().flat_map(|&row| self.row(row).iter().copied()).collect(),
            labels: rows.iter().map(|&row| self.labels[row]).collect(),
            classes: self.classes,
            groups: rows.iter().map(|&row| self.groups[row]).collect(),
        }
    }

    /// The rows that a test on the row's number passes.
    pub fn filter(&self, keep: impl Fn(usize) -> bool) -> Self {
        self.select(&(0..self.rows()).filter(|&row| keep(row)).collect::<Vec<_>>())
    }

    /// The same rows with other labels.
    ///
    /// # Panics
    /// If there are not as many labels as rows.
    pub fn relabelled(&self, labels: Vec<usize>, classes: usize) -> Self {
        assert_eq!(labels.len(), self.rows(), "labels");
        Self { labels, classes, ..self.clone() }
    }

    /// The rows in random order, those of a group staying together.
    pub fn shuffled(&self, stream: &mut Stream) -> Self {
        let mut groups: Vec<usize> = self.groups.clone();
        groups.sort_unstable();
        groups.dedup();
        shuffle(&mut groups, stream);
        let mut place = vec![0; groups.iter().max().map_or(0, |last| last + 1)];
        for (rank, &group) in groups.iter().enumerate() {
            place[group] = rank;
        }
        let mut rows: Vec<usize> = (0..self.rows()).collect();
        rows.sort_by_key(|&row| place[self.groups[row]]);
        self.select(&rows)
    }

    /// Rows of each class.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes];
        self.labels.iter().for_each(|&label| counts[label] += 1);
        counts
    }
}

/// Shifts and scales that give the training rows mean 0 and variance 1; features that do not vary become 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Standardiser {
    mean: Vec<f64>,
    scale: Vec<f64>,
}

impl Standardiser {
    /// Learns from rows of a width.
    pub fn fit(features: &[f32], width: usize) -> Self {
        // Columns are shared out, rows are summed in their order.
        const COLUMNS: usize = 64;
        let rows = (features.len() / width.max(1)).max(1) as f64;
        let mut mean = vec![0.0; width];
        mean.par_chunks_mut(COLUMNS).enumerate().for_each(|(chunk, mean)| {
            for row in features.chunks_exact(width) {
                let row = &row[chunk * COLUMNS..][..mean.len()];
                mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += f64::from(*value));
            }
            mean.iter_mut().for_each(|mean| *mean /= rows);
        });
        let mut scale = vec![0.0; width];
        scale.par_chunks_mut(COLUMNS).zip(mean.par_chunks(COLUMNS)).enumerate().for_each(|(chunk, (scale, mean))| {
            for row in features.chunks_exact(width) {
                let row = &row[chunk * COLUMNS..][..mean.len()];
                for ((scale, mean), value) in scale.iter_mut().zip(mean).zip(row) {
                    let difference = f64::from(*value) - mean;
                    *scale += difference * difference;
                }
            }
        });
        for scale in &mut scale {
            let deviation = (*scale / rows).sqrt();
            *scale = if deviation > 1e-6 { 1.0 / deviation } else { 0.0 };
        }
        Self { mean, scale }
    }

    /// Standardised rows.
    pub fn apply(&self, features: &[f32]) -> Vec<f64> {
        let width = self.mean.len().max(1);
        let mut standard = vec![0.0; features.len() / width * self.mean.len()];
        let rows = standard.par_chunks_exact_mut(width).zip(features.par_chunks_exact(width));
        rows.with_min_len(64).for_each(|(standard, row)| {
            let parts = row.iter().zip(&self.mean).zip(&self.scale);
            for (slot, ((value, mean), scale)) in standard.iter_mut().zip(parts) {
                *slot = (f64::from(*value) - mean) * scale;
            }
        });
        standard
    }
}

/// The strongest principal components of training rows: what a probe of less than full capacity is given.
#[derive(Clone, Debug, PartialEq)]
pub struct Components {
    mean: Vec<f64>,
    rows: Vec<f64>,
}

impl Components {
    /// Learns from rows of a width.
    pub fn fit(features: &[f32], width: usize, count: usize) -> Self {
        let Standardiser { mean, .. } = Standardiser::fit(features, width);
        let row = |row: &[f32]| row.iter().zip(&mean).map(|(value, mean)| f64::from(*value) - mean).collect::<Vec<_>>();
        let centred: Vec<f64> = features.chunks_exact(width).flat_map(row).collect();
        let rows = principal(&transpose_product(&centred, width, &centred, width), width, count);
        Self { mean, rows }
    }

    /// The rows told by their first `count` components.
    pub fn apply(&self, data: &Dataset, count: usize) -> Dataset {
        let width = self.mean.len();
        let count = count.min(self.rows.len() / width);
        let mut features = Vec::with_capacity(data.rows() * count);
        for row in data.features.chunks_exact(width) {
            let centred: Vec<f64> = row.iter().zip(&self.mean).map(|(value, mean)| f64::from(*value) - mean).collect();
            let along = self.rows[..count * width].chunks_exact(width).map(|direction| dot(direction, &centred) as f32);
            features.extend(along);
        }
        Dataset { width: count, features, ..data.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use environments::stream;

    #[test]
    fn standardised_training_rows_have_mean_0_and_variance_1() {
        let features = [1.0, 5.0, 2.0, 5.0, 3.0, 5.0, 6.0, 5.0];
        let standard = Standardiser::fit(&features, 2).apply(&features);
        let (sum, squares) =
            standard.chunks(2).fold((0.0, 0.0), |(sum, squares), row| (sum + row[0], squares + row[0] * row[0]));
        assert!(sum.abs() < 1e-12 && (squares / 4.0 - 1.0).abs() < 1e-12);
        assert!(standard.chunks(2).all(|row| row[1] == 0.0), "a constant feature");
    }

    #[test]
    fn shuffling_keeps_groups_together_and_rows_whole() {
        let mut data = Dataset::new(1, 3);
        for row in 0..30 {
            data.push(&[row as f32], row % 3, row / 5);
        }
        let shuffled = data.shuffled(&mut stream(&["rows"]));
        assert_ne!(shuffled, data);
        for chunk in shuffled.groups.chunks(5) {
            assert!(chunk.iter().all(|group| *group == chunk[0]));
        }
        for row in 0..30 {
            assert_eq!(shuffled.labels[row], shuffled.features[row] as usize % 3);
        }
    }
}
