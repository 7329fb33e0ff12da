//! Erasing a concept: LEACE (Belrose et al. 2023), the least change after which no linear probe does better than a
//! constant; and, as a control, erasing a random subspace of the same rank.

use environments::Stream;

use super::linear::{add_scaled, dot, eigen, orthonormal, product, transpose_product};
use super::numeric::normal;

/// x ← x − A B (x − mean), of a rank below the number of classes.
#[derive(Clone, Debug, PartialEq)]
pub struct Eraser {
    width: usize,
    mean: Vec<f64>,
    /// rank × width: what is added back along each read-out.
    columns: Vec<f64>,
    /// rank × width: what is read out.
    rows: Vec<f64>,
}

/// Means and whitening of features, from which erasers are made.
#[derive(Clone, Debug)]
pub struct Whitening {
    width: usize,
    mean: Vec<f64>,
    /// Σ^(−1/2), pseudo-inverted.
    whiten: Vec<f64>,
    /// Σ^(1/2).
    colour: Vec<f64>,
    /// Orthonormal rows that span the range of Σ.
    range: Vec<f64>,
}

impl Whitening {
    /// Learns from rows of features. Directions with less than 1e-8 of the greatest variance count as constant.
    pub fn fit(features: &[f32], width: usize) -> Self {
        let rows = (features.len() / width).max(1) as f64;
        let mut mean = vec![0.0; width];
        for row in features.chunks_exact(width) {
            mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += f64::from(*value) / rows);
        }
        let centred: Vec<f64> = features
            .chunks_exact(width)
            .flat_map(|row| row.iter().zip(&mean).map(|(value, mean)| f64::from(*value) - mean))
            .collect();
        let mut covariance = transpose_product(&centred, width, &centred, width);
        covariance.iter_mut().for_each(|value| *value /= rows);
        let (values, vectors) = eigen(&covariance, width);
        let (mut whiten, mut colour) = (vec![0.0; width * width], vec![0.0; width * width]);
        let mut range = Vec::new();
        for (value, vector) in values.iter().zip(vectors.chunks_exact(width)) {
            if *value <= 1e-8 * values[0] {
                continue;
            }
            range.extend_from_slice(vector);
            let root = value.sqrt();
            for (place, &a) in vector.iter().enumerate() {
                add_scaled(&mut whiten[place * width..(place + 1) * width], a / root, vector);
                add_scaled(&mut colour[place * width..(place + 1) * width], a * root, vector);
            }
        }
        Self { width, mean, whiten, colour, range }
    }

    /// The LEACE eraser of a concept on the rows that the whitening was fitted to.
    pub fn erase(&self, features: &[f32], labels: &[usize], classes: usize) -> Eraser {
        let rows = labels.len().max(1) as f64;
        let width = self.width;
        // classes × width: the covariance of each class's indicator with the features.
        let mut cross = vec![0.0; classes * width];
        for (row, &label) in features.chunks_exact(width).zip(labels) {
            let slot = &mut cross[label * width..(label + 1) * width];
            for ((slot, value), mean) in slot.iter_mut().zip(row).zip(&self.mean) {
                *slot += (f64::from(*value) - mean) / rows;
            }
        }
        self.erase_cross(&cross, classes)
    }

    /// The LEACE eraser of quantities (rows × count), on the rows that the whitening was fitted to: what no linear map
    /// predicts better than a constant does, afterwards.
    pub fn erase_quantities(&self, features: &[f32], quantities: &[f64], count: usize) -> Eraser {
        let width = self.width;
        let rows = (features.len() / width).max(1) as f64;
        let mut cross = vec![0.0; count * width];
        for (row, quantities) in features.chunks_exact(width).zip(quantities.chunks_exact(count)) {
            for (slot, quantity) in cross.chunks_exact_mut(width).zip(quantities) {
                for ((slot, value), mean) in slot.iter_mut().zip(row).zip(&self.mean) {
                    *slot += quantity * (f64::from(*value) - mean) / rows;
                }
            }
        }
        self.erase_cross(&cross, count)
    }

    /// Erases what the rows of a cross-covariance (classes or quantities × width) say of the features.
    fn erase_cross(&self, cross: &[f64], classes: usize) -> Eraser {
        let width = self.width;
        let white = product(cross, width, &self.whiten, width);
        // The left singular vectors of (white)ᵀ from the small Gram matrix.
        let mut gram = vec![0.0; classes * classes];
        for i in 0..classes {
            for j in 0..classes {
                gram[i * classes + j] = dot(&white[i * width..(i + 1) * width], &white[j * width..(j + 1) * width]);
            }
        }
        let (values, vectors) = eigen(&gram, classes);
        let kept = values.iter().filter(|value| **value > 1e-10 * values[0].max(1e-300)).count();
        let directions = product(&vectors[..kept * classes], classes, &white, width);
        self.along(&orthonormal(&directions, width))
    }

    /// An eraser of a random subspace of a rank, within the range of the features and of the same size to them.
    pub fn erase_random(&self, rank: usize, stream: &mut Stream) -> Eraser {
        let dimensions = self.range.len() / self.width;
        let mixed: Vec<f64> = (0..rank.min(dimensions) * dimensions).map(|_| normal(stream)).collect();
        self.along(&orthonormal(&product(&mixed, dimensions.max(1), &self.range, self.width), self.width))
    }

    /// Erases orthonormal directions of the whitened space.
    fn along(&self, directions: &[f64]) -> Eraser {
        Eraser {
            width: self.width,
            mean: self.mean.clone(),
            columns: product(directions, self.width, &self.colour, self.width),
            rows: product(directions, self.width, &self.whiten, self.width),
        }
    }
}

impl Eraser {
    /// Dimensions that are erased.
    pub fn rank(&self) -> usize {
        self.rows.len() / self.width.max(1)
    }

    /// Orthonormal rows that span what is taken away. Of a concept's eraser these are the directions in which the means
    /// of its classes differ: where an intervention on the concept writes.
    pub fn basis(&self) -> Vec<f64> {
        orthonormal(&self.columns, self.width)
    }

    /// The mean, what is read out (rank × width), and what is taken away along each read-out (rank × width):
    /// x ← x − Σₖ ((x − mean) · readₖ) writeₖ.
    pub fn parts(&self) -> (&[f64], &[f64], &[f64]) {
        (&self.mean, &self.rows, &self.columns)
    }

    /// Erases in place, from rows of features.
    pub fn apply(&self, features: &mut [f32]) {
        for row in features.chunks_exact_mut(self.width) {
            let centred: Vec<f64> = row.iter().zip(&self.mean).map(|(value, mean)| f64::from(*value) - mean).collect();
            let mut change = vec![0.0; self.width];
            for (read, write) in self.rows.chunks_exact(self.width).zip(self.columns.chunks_exact(self.width)) {
                add_scaled(&mut change, dot(read, &centred), write);
            }
            row.iter_mut().zip(&change).for_each(|(value, change)| *value = (f64::from(*value) - change) as f32);
        }
    }
}
