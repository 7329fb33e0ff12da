//! Where a neuron, a direction or a dictionary unit is most active, and the principal components of a tap, from a store of
//! activations in bounded memory.

use super::linear::{dot, eigen, principal};
use super::sources::Features;
use super::store::Store;

/// Rows that are read at a time.
const BLOCK: usize = 4096;

/// A place at which something is active.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Example {
    /// The row of the store.
    pub row: usize,
    /// The sequence.
    pub sequence: usize,
    /// The position in it.
    pub position: usize,
    /// How active it is there.
    pub activation: f64,
}

/// The rows at which an activation is greatest, one a sequence at most, by falling activation (of equals the earlier).
///
/// # Errors
/// Those of the store.
pub fn top_examples(
    store: &Store,
    tap: &str,
    count: usize,
    activation: impl Fn(&[f32]) -> f64,
) -> anyhow::Result<Vec<Example>> {
    let mut best: Vec<Example> = Vec::new();
    store.each(tap, BLOCK, |first, block| {
        let rows = block.values.len() / block.width.max(1);
        for (place, (sequence, position)) in store.places(first..first + rows)?.into_iter().enumerate() {
            let activation = activation(block.row(place));
            let own = Example { row: first + place, sequence, position, activation };
            match best.iter_mut().find(|other| other.sequence == sequence) {
                Some(other) if other.activation >= activation => continue,
                Some(other) => *other = own,
                None => best.push(own),
            }
            best.sort_by(|a, b| b.activation.total_cmp(&a.activation).then(a.row.cmp(&b.row)));
            best.truncate(count);
        }
        Ok(())
    })?;
    Ok(best)
}

/// The activation of one neuron of a tap.
pub fn neuron(number: usize) -> impl Fn(&[f32]) -> f64 {
    move |row| row.get(number).copied().map_or(0.0, f64::from)
}

/// The activation along a direction.
pub fn along(direction: &[f64]) -> impl Fn(&[f32]) -> f64 {
    let direction = direction.to_vec();
    move |row| row.iter().zip(&direction).map(|(value, along)| f64::from(*value) * along).sum()
}

/// Principal components of a tap.
#[derive(Clone, Debug, PartialEq)]
pub struct PrincipalComponents {
    /// The mean row.
    pub mean: Vec<f64>,
    /// Orthonormal rows, strongest first.
    pub components: Vec<Vec<f64>>,
    /// Share of the variance along each.
    pub shares: Vec<f64>,
}

impl PrincipalComponents {
    /// Of a tap of a store, in two passes.
    ///
    /// # Errors
    /// Those of the store.
    pub fn fit(store: &Store, tap: &str, count: usize) -> anyhow::Result<Self> {
        let rows = store.rows().max(1) as f64;
        let mut mean = Vec::new();
        store.each(tap, BLOCK, |_, block| {
            mean.resize(block.width, 0.0);
            for row in block.values.chunks_exact(block.width) {
                mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += f64::from(*value) / rows);
            }
            Ok(())
        })?;
        let width = mean.len();
        let mut covariance = vec![0.0; width * width];
        store.each(tap, BLOCK, |_, block| {
            let centred: Vec<f64> = block
                .values
                .chunks_exact(width)
                .flat_map(|row| row.iter().zip(&mean).map(|(value, mean)| f64::from(*value) - mean))
                .collect();
            let of_block = super::linear::transpose_product(&centred, width, &centred, width);
            covariance.iter_mut().zip(of_block).for_each(|(sum, value)| *sum += value / rows);
            Ok(())
        })?;
        let total: f64 = (0..width).map(|place| covariance[place * (width + 1)]).sum();
        // Where most are wanted, all are reckoned.
        let vectors =
            if 3 * count >= width { eigen(&covariance, width).1 } else { principal(&covariance, width, count) };
        let components: Vec<Vec<f64>> = vectors.chunks_exact(width.max(1)).take(count).map(<[f64]>::to_vec).collect();
        let share = |direction: &Vec<f64>| {
            let moved: Vec<f64> = covariance.chunks_exact(width).map(|row| dot(row, direction)).collect();
            if total > 0.0 { dot(&moved, direction) / total } else { 0.0 }
        };
        let shares = components.iter().map(share).collect();
        Ok(Self { mean, components, shares })
    }

    /// Rows told by their components: rows × components.
    pub fn scores(&self, features: &Features) -> Vec<f64> {
        let one = |row: &[f32]| -> Vec<f64> {
            let centred: Vec<f64> = row.iter().zip(&self.mean).map(|(value, mean)| f64::from(*value) - mean).collect();
            self.components.iter().map(|direction| dot(direction, &centred)).collect()
        };
        features.values.chunks_exact(features.width.max(1)).flat_map(one).collect()
    }
}
