//! Multinomial logistic regression with an L2 penalty, by L-BFGS.

use models::native::double::exponentials;
use rayon::prelude::*;

use super::linear::{add_scaled, dot, dots};
use super::numeric::log_softmax_rows;

/// Rows that one partial sum covers.
const BLOCK: usize = 256;
/// Pairs of steps that the approximation of the curvature remembers.
const MEMORY: usize = 10;

/// A problem: standardised rows × width features, a class and a weight for each row.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    /// Rows × width, row-major.
    pub features: &'a [f64],
    /// Features of a row.
    pub width: usize,
    /// Classes of the rows.
    pub labels: &'a [usize],
    /// Number of classes.
    pub classes: usize,
    /// Weights of the rows; they should have mean 1.
    pub weights: &'a [f64],
}

impl Problem<'_> {
    /// Length of a parameter vector: for each class its weights, then its bias.
    pub fn parameters(&self) -> usize {
        self.classes * (self.width + 1)
    }

    /// Weighted mean cross-entropy (nats) plus half `penalty` times the squared weights (not the biases), and its
    /// gradient.
    pub fn loss_and_gradient(&self, parameters: &[f64], penalty: f64) -> (f64, Vec<f64>) {
        let (width, stride, rows) = (self.width, self.width + 1, self.labels.len());
        let parts: Vec<(f64, Vec<f64>)> = self
            .features
            .par_chunks(BLOCK * width)
            .enumerate()
            .map(|(block, features)| {
                let (mut loss, mut gradient) = (0.0, vec![0.0; parameters.len()]);
                let classes = self.classes;
                let mut rows = vec![0.0; features.len() / width * classes];
                for (features, row) in features.chunks_exact(width).zip(rows.chunks_exact_mut(classes)) {
                    logits(parameters, features, row);
                }
                log_softmax_rows(&mut rows, classes);
                let mut powers = rows.clone();
                exponentials(&mut powers);
                let said = rows.chunks_exact(classes).zip(powers.chunks_exact(classes));
                for ((features, place), (row, powers)) in features.chunks_exact(width).zip(block * BLOCK..).zip(said) {
                    let weight = self.weights[place];
                    loss -= weight * row[self.labels[place]];
                    for (class, (power, gradient)) in powers.iter().zip(gradient.chunks_exact_mut(stride)).enumerate() {
                        let truth = f64::from(u8::from(class == self.labels[place]));
                        let residual = weight * (power - truth);
                        add_scaled(&mut gradient[..width], residual, features);
                        gradient[width] += residual;
                    }
                }
                (loss, gradient)
            })
            .collect();
        let (mut loss, mut gradient) = (0.0, vec![0.0; parameters.len()]);
        for (part, slope) in parts {
            loss += part;
            add_scaled(&mut gradient, 1.0, &slope);
        }
        let share = 1.0 / rows.max(1) as f64;
        loss *= share;
        for (gradient, parameters) in gradient.chunks_exact_mut(stride).zip(parameters.chunks_exact(stride)) {
            gradient.iter_mut().for_each(|value| *value *= share);
            loss += 0.5 * penalty * dot(&parameters[..width], &parameters[..width]);
            add_scaled(&mut gradient[..width], penalty, &parameters[..width]);
        }
        (loss, gradient)
    }

    /// Minimises from a start. The problem is convex: where it ends does not depend on the start but for the
    /// tolerance.
    pub fn minimise(&self, start: &[f64], penalty: f64, iterations: usize) -> Vec<f64> {
        let mut x = start.to_vec();
        let (mut loss, mut gradient) = self.loss_and_gradient(&x, penalty);
        let mut steps: Vec<(Vec<f64>, Vec<f64>, f64)> = Vec::new();
        for _ in 0..iterations {
            if dot(&gradient, &gradient).sqrt() < 1e-4 {
                break;
            }
            let mut direction = two_loops(&gradient, &steps);
            let mut slope = dot(&direction, &gradient);
            if slope >= 0.0 {
                steps.clear();
                direction = gradient.iter().map(|value| -value).collect();
                slope = -dot(&gradient, &gradient);
            }
            let mut size = 1.0;
            let accepted = (0..30).find_map(|_| {
                let mut next = x.clone();
                add_scaled(&mut next, size, &direction);
                let (value, slopes) = self.loss_and_gradient(&next, penalty);
                if value <= loss + 1e-4 * size * slope {
                    return Some((next, value, slopes));
                }
                size *= 0.5;
                None
            });
            let Some((next, value, slopes)) = accepted else { break };
            let step: Vec<f64> = next.iter().zip(&x).map(|(a, b)| a - b).collect();
            let change: Vec<f64> = slopes.iter().zip(&gradient).map(|(a, b)| a - b).collect();
            let curvature = dot(&step, &change);
            if curvature > 1e-12 {
                if steps.len() == MEMORY {
                    steps.remove(0);
                }
                steps.push((step, change, 1.0 / curvature));
            }
            let gain = loss - value;
            (x, loss, gradient) = (next, value, slopes);
            if gain < 1e-7 * loss.abs().max(1e-3) {
                break;
            }
        }
        x
    }
}

/// Logits of a row: for each class its weights, then its bias.
pub fn logits(parameters: &[f64], features: &[f64], row: &mut [f64]) {
    let width = features.len();
    dots(parameters, width + 1, features, row);
    for (value, parameters) in row.iter_mut().zip(parameters.chunks_exact(width + 1)) {
        *value += parameters[width];
    }
}

/// Minus the approximate inverse Hessian times the gradient (Nocedal & Wright 2006, algorithm 7.4).
fn two_loops(gradient: &[f64], steps: &[(Vec<f64>, Vec<f64>, f64)]) -> Vec<f64> {
    let mut q: Vec<f64> = gradient.iter().map(|value| -value).collect();
    let mut alphas = vec![0.0; steps.len()];
    for (alpha, (step, change, inverse)) in alphas.iter_mut().zip(steps).rev() {
        *alpha = inverse * dot(step, &q);
        add_scaled(&mut q, -*alpha, change);
    }
    if let Some((_, change, inverse)) = steps.last() {
        let scale = 1.0 / (inverse * dot(change, change));
        q.iter_mut().for_each(|value| *value *= scale);
    }
    for (alpha, (step, change, inverse)) in alphas.iter().zip(steps) {
        let beta = inverse * dot(change, &q);
        add_scaled(&mut q, alpha - beta, step);
    }
    q
}

#[cfg(test)]
mod tests {
    use super::super::numeric::normal;
    use super::*;
    use environments::{Draw, stream};

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let mut stream = stream(&["logistic"]);
        let features: Vec<f64> = (0..300 * 4).map(|_| normal(&mut stream)).collect();
        let labels: Vec<usize> = (0..300).map(|_| stream.below(3) as usize).collect();
        let weights: Vec<f64> = (0..300).map(|_| 0.5 + stream.unit()).collect();
        let problem = Problem { features: &features, width: 4, labels: &labels, classes: 3, weights: &weights };
        let at: Vec<f64> = (0..problem.parameters()).map(|_| normal(&mut stream)).collect();
        let (_, gradient) = problem.loss_and_gradient(&at, 0.1);
        for place in 0..at.len() {
            let value = |shift: f64| {
                let mut moved = at.clone();
                moved[place] += shift;
                problem.loss_and_gradient(&moved, 0.1).0
            };
            let numeric = (value(1e-5) - value(-1e-5)) / 2e-5;
            assert!((numeric - gradient[place]).abs() < 1e-8, "{numeric} {}", gradient[place]);
        }
    }

    #[test]
    fn one_feature_of_two_values_gives_the_log_odds() {
        // Of feature 0, 30 of 40 are class 1; of feature 1, 10 of 40. Unpenalised maximum likelihood: the log odds.
        let features: Vec<f64> = (0..80).map(|row| f64::from(u8::from(row >= 40))).collect();
        let labels: Vec<usize> = (0..80).map(|row| usize::from(if row < 40 { row < 30 } else { row < 50 })).collect();
        let problem = Problem { features: &features, width: 1, labels: &labels, classes: 2, weights: &[1.0; 80] };
        let x = problem.minimise(&[0.0; 4], 0.0, 200);
        assert!(((x[3] - x[1]) - 3f64.ln()).abs() < 1e-3, "{x:?}");
        assert!(((x[3] + x[2] - x[1] - x[0]) + 3f64.ln()).abs() < 1e-3, "{x:?}");
    }
}
