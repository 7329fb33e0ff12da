//! Description length of labels given features, by the online (prequential) code of Voita & Titov (2020).
//!
//! The labels are sent in blocks of growing size: the first by a uniform code, each further one by a probe fitted to
//! all before. A representation from which a concept is easy to learn gives a short code, which accuracy at one
//! training size does not tell. The code of each block is at the same time the curve over training-set size.

use environments::Stream;
use serde::{Deserialize, Serialize};

use super::dataset::Dataset;
use super::numeric::bits;
use super::probe::{Probe, fit};

/// The length of an online code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnlineCode {
    /// Length in bits.
    pub bits: f64,
    /// Length of the uniform code, in bits: log₂(classes) a label.
    pub uniform_bits: f64,
    /// For each block: training rows before it, and bits a label in it.
    pub blocks: Vec<(usize, f64)>,
}

impl OnlineCode {
    /// How many times shorter than the uniform code.
    pub fn compression(&self) -> Option<f64> {
        super::metrics::ratio(self.uniform_bits, self.bits)
    }
}

/// The online code of a data set's labels in blocks that end at `first`, 2·`first`, 4·`first`, … rows. Rows are sent
/// in random order, those of a group together; a fifth of what was sent serves to choose regularisation.
///
/// `None` without rows.
pub fn online_code(probe: Probe, data: &Dataset, first: usize, stream: &mut Stream) -> Option<OnlineCode> {
    let rows = data.rows();
    if rows == 0 || first == 0 {
        return None;
    }
    let data = data.shuffled(stream);
    let uniform = super::numeric::bits(super::numeric::logarithm(data.classes as f64));
    let mut start = first.min(rows);
    let mut code =
        OnlineCode { bits: start as f64 * uniform, uniform_bits: rows as f64 * uniform, blocks: vec![(0, uniform)] };
    while start < rows {
        let end = (2 * start).min(rows);
        let range = |from: usize, to: usize| data.select(&(from..to).collect::<Vec<_>>());
        let held_out = (start / 5).max(1);
        let block = range(start, end);
        let fitted = fit(probe, &range(held_out, start), &range(0, held_out), stream);
        let length = match fitted {
            Some(fitted) => {
                let said = fitted.predict(&block);
                let rows = said.log_probabilities.chunks_exact(said.classes).zip(&block.labels);
                bits(-rows.map(|(row, &label)| row[label]).sum::<f64>())
            }
            // One class only so far: the receiver knows nothing of the others yet.
            None => block.rows() as f64 * uniform,
        };
        code.bits += length;
        code.blocks.push((start, length / block.rows() as f64));
        start = end;
    }
    Some(code)
}
