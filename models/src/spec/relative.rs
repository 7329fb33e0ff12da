//! Relative positions: who attends to whom, and which learnt bias each pair shares with others.

use environments::Geometry;

/// Relative positions of all pairs of positions in a sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relative {
    /// `index[query * length + key]`: which relative position this pair has.
    pub index: Vec<u16>,
    /// Number of different relative positions.
    pub count: usize,
    /// Whether a position attends only to itself and to those before it; `index` is 0 for the other pairs.
    pub causal: bool,
}

/// The relative position of every (query, key) pair. On a torus: one for each offset (rows × columns of them),
/// then one each for prefix→prefix, prefix→grid and grid→prefix. On a line, which is in time order: one for each
/// distance query − key ≥ 0, and attention is causal.
///
/// A learnt attention bias for each of these, added to the scores, makes a model's map equivariant under
/// translations by construction: nothing about position can be memorised cell by cell, and every rule learnt at
/// one place holds everywhere.
///
/// It is all that in-context learning on a line needs: an induction head (Olsson et al. 2022, arXiv:2209.11895) is
/// a head that looks one position back, which the bias alone states, and a later one that matches content. Biases
/// start standard normal, so that some head prefers the neighbour from the start. On 64 random symbols of 8 said
/// twice, two blocks of width 64 with four heads came below 0.4 nats a symbol in 300 steps of 32 sequences; from
/// biases of 0 it took 450, and slopes over distance as in ALiBi (Press et al. 2022, arXiv:2108.12409), with or
/// without the normal part, got below 0.05 later.
pub fn relative_positions(geometry: Geometry) -> Relative {
    let length = geometry.len();
    let mut index = Vec::with_capacity(length * length);
    match geometry {
        Geometry::Torus { prefix, rows, columns } => {
            let grid = rows * columns;
            for query in 0..length {
                for key in 0..length {
                    index.push(match (query.checked_sub(prefix), key.checked_sub(prefix)) {
                        (Some(query), Some(key)) => {
                            let down = (key / columns + rows - query / columns) % rows;
                            let right = (key % columns + columns - query % columns) % columns;
                            down * columns + right
                        }
                        (None, None) => grid,
                        (None, Some(_)) => grid + 1,
                        (Some(_), None) => grid + 2,
                    } as u16);
                }
            }
            Relative { index, count: grid + 3, causal: false }
        }
        Geometry::Line { .. } => {
            for query in 0..length {
                for key in 0..length {
                    index.push(query.saturating_sub(key) as u16);
                }
            }
            Relative { index, count: length, causal: true }
        }
    }
}
