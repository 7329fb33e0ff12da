//! Interchange along a learnt subspace: distributed alignment search (Geiger et al. 2024, arXiv:2303.02536).
//!
//! Of two inputs, the part of the one's activation that lies in a subspace is put in the place of the other's; if the
//! subspace holds a variable, the model then gives the answer of a world in which that variable alone is the source's. The
//! subspace is what is learnt: the one that makes the model answer so most surely. Slopes are taken by differences, so
//! that nothing of the model but its forward pass is needed.

use environments::{Stream, Symbol};
use models::{Action, Intervention, ModelError, Plan, Predictor};

use super::linear::{add_scaled, dot, orthonormal};
use super::numeric::{argmax, log_softmax, normal};

/// An input, what is put into it, and what the world then answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Swap {
    /// The sequence that is changed.
    pub tokens: Vec<Symbol>,
    /// The row of the tap at which it is changed.
    pub row: usize,
    /// The source's activation there.
    pub source: Vec<f32>,
    /// The position at which the model answers.
    pub answers: usize,
    /// The answer of the simulated world in which the variable has the source's value.
    pub answer: usize,
}

/// Swaps at one tap of a model.
pub struct Interchange<'a> {
    /// The model.
    pub model: &'a dyn Predictor,
    /// The tap.
    pub tap: &'a str,
    /// The swaps.
    pub swaps: &'a [Swap],
}

/// How a search goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchConfig {
    /// Dimensions of the subspace.
    pub rank: usize,
    /// Steps of descent.
    pub steps: usize,
    /// Length of the first step, as a share of a unit vector's; it falls to 0 linearly.
    pub rate: f64,
    /// Searches, each from a random start among the directions in which sources differ; the best is kept.
    pub starts: usize,
}

impl Default for SearchConfig {
    fn default() -> Self {
        Self { rank: 1, steps: 30, rate: 0.4, starts: 3 }
    }
}

impl Interchange<'_> {
    /// Log-probabilities (nats) of all answers, by swap, after an interchange along a subspace (orthonormal rows).
    fn said(&self, basis: &[f64]) -> Result<Vec<Vec<f64>>, ModelError> {
        let basis: Vec<f32> = basis.iter().map(|value| *value as f32).collect();
        let tokens: Vec<Symbol> = self.swaps.iter().flat_map(|swap| swap.tokens.iter().copied()).collect();
        let interventions = self.swaps.iter().enumerate().map(|(sequence, swap)| Intervention {
            tap: self.tap.into(),
            sequence: Some(sequence),
            rows: vec![swap.row],
            action: Action::ReplaceWithin { basis: basis.clone(), values: swap.source.clone() },
        });
        let logits =
            self.model.run(&tokens, &Plan { capture: Vec::new(), interventions: interventions.collect() })?.logits;
        let targets = logits.len() / tokens.len().max(1);
        let mut first = 0;
        let one = |swap: &Swap| {
            let start = (first + swap.answers) * targets;
            first += swap.tokens.len();
            let mut row: Vec<f64> = logits[start..start + targets].iter().map(|&logit| f64::from(logit)).collect();
            log_softmax(&mut row);
            row
        };
        Ok(self.swaps.iter().map(one).collect())
    }

    /// Mean surprise (nats) of the world's answer after the interchange.
    ///
    /// # Errors
    /// Those of the model.
    pub fn loss(&self, basis: &[f64]) -> Result<f64, ModelError> {
        let said = self.said(basis)?;
        Ok(said.iter().zip(self.swaps).map(|(row, swap)| -row[swap.answer]).sum::<f64>() / said.len().max(1) as f64)
    }

    /// Interchange accuracy: how often the model's likeliest answer is then the world's.
    ///
    /// # Errors
    /// Those of the model.
    pub fn accuracy(&self, basis: &[f64]) -> Result<f64, ModelError> {
        let said = self.said(basis)?;
        let right = said.iter().zip(self.swaps).filter(|(row, swap)| argmax(row) == swap.answer).count();
        Ok(right as f64 / said.len().max(1) as f64)
    }

    /// Searches the subspace (orthonormal rows, rank × width) with the least loss. Score it on other swaps, beside a random
    /// one of its rank.
    ///
    /// # Errors
    /// Those of the model.
    pub fn search(&self, config: SearchConfig, stream: &mut Stream) -> Result<Vec<f64>, ModelError> {
        let width = self.swaps.first().map_or(0, |swap| swap.source.len());
        let mut best: Option<(f64, Vec<f64>)> = None;
        for _ in 0..config.starts {
            let mut basis = self.start(config.rank.min(width), width, stream);
            for step in 0..config.steps {
                let slope = self.slope(&basis)?;
                let length = dot(&slope, &slope).sqrt();
                if length < 1e-9 {
                    break;
                }
                let rate = config.rate * (config.steps - step) as f64 / config.steps as f64;
                add_scaled(&mut basis, -rate / length, &slope);
                basis = orthonormal(&basis, width);
            }
            let loss = self.loss(&basis)?;
            if best.as_ref().is_none_or(|(least, _)| loss < *least) {
                best = Some((loss, basis));
            }
        }
        Ok(best.map_or_else(Vec::new, |(_, basis)| basis))
    }

    /// A random subspace that leans to where the sources differ from each other: a variable can only lie there, and from a
    /// direction in which nothing varies no slope leads on where two directions have to be changed together.
    fn start(&self, rank: usize, width: usize, stream: &mut Stream) -> Vec<f64> {
        let count = self.swaps.len().max(1) as f64;
        let mut mean = vec![0.0; width];
        for swap in self.swaps {
            mean.iter_mut().zip(&swap.source).for_each(|(mean, value)| *mean += f64::from(*value) / count);
        }
        let mut drawn = vec![0.0; rank * width];
        for row in drawn.chunks_exact_mut(width.max(1)) {
            for swap in self.swaps {
                let share = normal(stream);
                let parts = row.iter_mut().zip(&swap.source).zip(&mean);
                parts.for_each(|((slot, value), mean)| *slot += share * (f64::from(*value) - mean));
            }
            // So that no direction is without a part, however little varies.
            let length = dot(row, row).sqrt().max(1e-9);
            row.iter_mut().for_each(|value| *value += 0.01 * length * normal(stream));
        }
        orthonormal(&drawn, width.max(1))
    }

    /// The slope of the loss by central differences. Rows are made orthonormal at every point, so that only turns of the
    /// subspace count.
    fn slope(&self, basis: &[f64]) -> Result<Vec<f64>, ModelError> {
        const STEP: f64 = 1e-2;
        let width = self.swaps.first().map_or(1, |swap| swap.source.len());
        let at = |place: usize, shift: f64| {
            let mut moved = basis.to_vec();
            moved[place] += shift;
            self.loss(&orthonormal(&moved, width))
        };
        (0..basis.len()).map(|place| Ok((at(place, STEP)? - at(place, -STEP)?) / (2.0 * STEP))).collect()
    }
}
