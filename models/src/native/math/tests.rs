//! Every fused operation beside its obvious form, over shapes, and its gradient beside differences of that form in f64.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::plain::{gelu_of, normal, sigmoid, weights};
use super::{LANES, attention, fused, loss, plain, recurrence};

fn numbers(seed: u64, count: usize) -> Vec<f32> {
    use rand_chacha::rand_core::{Rng, SeedableRng};
    let mut stream = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| 4.0 * (stream.next_u32() as f32 / u32::MAX as f32) - 2.0).collect()
}

fn double(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

fn near(got: &[f32], expected: &[f32], tolerance: f32) -> Result<(), TestCaseError> {
    prop_assert_eq!(got.len(), expected.len());
    for (at, (x, y)) in got.iter().zip(expected).enumerate() {
        prop_assert!((x - y).abs() <= tolerance * y.abs().max(1.0), "at {}: {} but {}", at, x, y);
    }
    Ok(())
}

/// Holds a gradient against central differences of a function in f64.
fn differs_as(
    gradient: &[f32],
    at: &[f64],
    value: impl Fn(&[f64]) -> f64,
    tolerance: f64,
) -> Result<(), TestCaseError> {
    for place in 0..at.len() {
        let moved = |step: f64| {
            let mut at = at.to_vec();
            at[place] += step;
            value(&at)
        };
        let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        let got = f64::from(gradient[place]);
        prop_assert!((got - slope).abs() <= tolerance * slope.abs().max(1.0), "at {}: {} but {}", place, got, slope);
    }
    Ok(())
}

fn inner(a: &[f64], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * f64::from(*b)).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn norm(rows in 1usize..5, width in 2usize..70, seed: u64) {
        let (x, gain, bias) = (numbers(seed, rows * width), numbers(seed ^ 1, width), numbers(seed ^ 2, width));
        let zeros = || vec![0.0; rows * width];
        let (mut y, mut normed, mut scale) = (zeros(), zeros(), vec![0.0; rows]);
        fused::normalise(&x, &gain, &bias, &mut y, &mut normed, &mut scale);
        let (mut y2, mut normed2, mut scale2) = (zeros(), zeros(), vec![0.0; rows]);
        plain::normalise(&x, &gain, &bias, &mut y2, &mut normed2, &mut scale2);
        // Where a row hardly varies, its scale is large and rounding with it.
        let most = scale.iter().copied().fold(1.0, f32::max);
        near(&y, &y2, 4e-6 * most)?;
        near(&scale, &scale2, 4e-6 * most * most)?;

        let dy = numbers(seed ^ 3, rows * width);
        let start = numbers(seed ^ 4, rows * width);
        let (mut dx, mut dgain, mut dbias) = (start.clone(), vec![0.0; width], vec![0.0; width]);
        fused::normalise_backward(&dy, &normed, &scale, &gain, &mut dx, &mut dgain, &mut dbias);
        let (mut dx2, mut dgain2, mut dbias2) = (start.clone(), vec![0.0; width], vec![0.0; width]);
        plain::normalise_backward(&dy, &normed, &scale, &gain, &mut dx2, &mut dgain2, &mut dbias2);
        near(&dx, &dx2, 1e-5 * most)?;
        near(&dgain, &dgain2, 1e-5 * most)?;
        near(&dbias, &dbias2, 1e-5)?;
        let value = |x: &[f64], gain: &[f64], bias: &[f64]| -> f64 {
            x.chunks(width).zip(dy.chunks(width)).map(|(x, dy)| {
                let y: Vec<f64> = normal(x).0.iter().zip(gain).zip(bias).map(|((n, g), b)| n * g + b).collect();
                inner(&y, dy)
            }).sum()
        };
        let (x, gain, bias) = (double(&x), double(&gain), double(&bias));
        let dx: Vec<f32> = dx.iter().zip(&start).map(|(a, b)| a - b).collect();
        let loose = f64::from(most);
        differs_as(&dx, &x, |x| value(x, &gain, &bias), 1e-4 * loose)?;
        differs_as(&dgain, &gain, |gain| value(&x, gain, &bias), 1e-4 * loose)?;
        differs_as(&dbias, &bias, |bias| value(&x, &gain, bias), 1e-4)?;
    }

    #[test]
    fn activation(rows in 1usize..4, width in 1usize..50, seed: u64) {
        let (x, bias) = (numbers(seed, rows * width), numbers(seed ^ 1, width));
        let run = |plainly: bool| {
            let (mut x, mut y, mut slope) = (x.clone(), vec![0.0; rows * width], vec![0.0; rows * width]);
            let gelu = if plainly { plain::gelu } else { fused::gelu };
            gelu(&mut x, &bias, &mut y, &mut slope);
            (x, y, slope)
        };
        let ((x1, y1, slope1), (x2, y2, slope2)) = (run(false), run(true));
        prop_assert_eq!(&x1, &x2);
        near(&y1, &y2, 1e-6)?;
        near(&slope1, &slope2, 2e-6)?;
        differs_as(&slope1, &double(&x1), |x| x.iter().copied().map(gelu_of).sum(), 1e-5)?;
    }

    #[test]
    fn cross_entropy(classes in 1usize..40, target in 0usize..40, seed: u64) {
        let (row, target) = (numbers(seed, classes), target % classes);
        let (mut fused, mut plainly) = (row.clone(), row.clone());
        let (loss, expected) = (loss::cross_entropy(&mut fused, target), plain::cross_entropy(&mut plainly, target));
        near(&[loss], &[expected], 2e-6)?;
        near(&fused, &plainly, 1e-6)?;
        differs_as(&fused, &double(&row), |row| -weights(row)[target].ln(), 1e-5)?;
        let said = loss::log_probability(&row, target);
        prop_assert_eq!(said, -loss, "the same bits with the sign turned");
    }

    #[test]
    fn attention_to_all(rows in 1usize..5, live in 1usize..50, seed: u64) {
        let stride = live.next_multiple_of(LANES) + LANES;
        let (scores, scale) = (numbers(seed, rows * stride), 0.37);
        let mut relative = numbers(seed ^ 1, rows * stride);
        relative.chunks_mut(stride).for_each(|row| row[live..].fill(f32::NEG_INFINITY));
        let mut ends = vec![[0.0; 2]; rows];
        let (mut fused, mut plainly, mut again) = (scores.clone(), scores.clone(), scores.clone());
        attention::attend(&mut fused, &relative, scale, live, stride, &mut ends);
        attention::attend_again(&mut again, &relative, scale, live, stride, &ends);
        prop_assert_eq!(&fused, &again, "made again with the same bits");
        plain::attend(&mut plainly, &relative, scale, live, stride, &mut ends);
        near(&fused, &plainly, 1e-6)?;
        let outer = numbers(seed ^ 2, rows * stride);
        let (mut gradient, mut expected) = (outer.clone(), outer.clone());
        attention::attend_backward(&fused, &mut gradient, stride);
        plain::attend_backward(&fused, &mut expected, stride);
        near(&gradient, &expected, 2e-6)?;
        // With regard to the scaled scores, which is also that of the biases.
        let biased = double(&relative);
        for row in 0..rows {
            let value = |biases: &[f64]| {
                let scores: Vec<f64> =
                    (0..live).map(|at| f64::from(scores[row * stride + at]) * f64::from(scale) + biases[at]).collect();
                inner(&weights(&scores), &outer[row * stride..])
            };
            differs_as(&gradient[row * stride..][..live], &biased[row * stride..][..live], value, 1e-5)?;
        }
    }

    #[test]
    fn attention_to_the_past(first in 0usize..40, rows in 1usize..20, after in 0usize..40, seed: u64) {
        let (length, seen) = (first + rows + after, first + rows);
        let (stride, scale) = (length.next_multiple_of(2 * LANES), 0.37);
        let scores = numbers(seed, rows * stride);
        // By falling distance, then −∞.
        let mut relative = numbers(seed ^ 1, length + LANES);
        relative[length..].fill(f32::NEG_INFINITY);
        let mut ends = vec![[0.0; 2]; rows];
        let (mut fused, mut plainly, mut again) = (scores.clone(), scores.clone(), scores.clone());
        attention::attend_past(&mut fused, &relative, scale, stride, first, seen, &mut ends);
        attention::attend_past_again(&mut again, &relative, scale, stride, first, seen, &ends);
        plain::attend_past(&mut plainly, &relative, scale, stride, first, seen, &mut ends);
        let part = |values: &[f32]| -> Vec<f32> {
            values.chunks(stride).flat_map(|row| row[..seen].iter().copied()).collect()
        };
        prop_assert_eq!(part(&fused), part(&again), "made again with the same bits");
        near(&part(&fused), &part(&plainly), 1e-6)?;
        let outer = numbers(seed ^ 2, rows * stride);
        let start = numbers(seed ^ 3, length + LANES);
        let (mut gradient, mut expected) = (outer.clone(), outer.clone());
        let (mut bias, mut bias2) = (start.clone(), start.clone());
        attention::attend_past_backward(&fused, &mut gradient, &mut bias, stride, first, seen);
        plain::attend_past_backward(&fused, &mut expected, &mut bias2, stride, first, seen);
        near(&part(&gradient), &part(&expected), 2e-6)?;
        near(&bias, &bias2, 1e-5)?;
        let value = |relative: &[f64]| -> f64 {
            (0..rows).map(|row| {
                let query = first + row;
                let score = |key: usize| {
                    f64::from(scores[row * stride + key]) * f64::from(scale) + relative[length - 1 - query + key]
                };
                inner(&weights(&(0..=query).map(score).collect::<Vec<_>>()), &outer[row * stride..])
            }).sum()
        };
        let slopes: Vec<f32> = bias.iter().zip(&start).map(|(a, b)| a - b).collect();
        differs_as(&slopes[..length], &double(&relative[..length]), value, 1e-4)?;
    }

    #[test]
    fn recurrence_at_one_position(rows in 1usize..4, width in 1usize..40, earlier: bool, seed: u64) {
        let inputs = numbers(seed, rows * 4 * width);
        let before = if earlier { numbers(seed ^ 1, rows * width) } else { Vec::new() };
        let (dhidden, dcells) = (numbers(seed ^ 2, rows * width), numbers(seed ^ 3, rows * width));
        let run = |plainly: bool| {
            let zeros = || vec![0.0; rows * width];
            let (mut gates, mut cells, mut bent, mut hidden, mut dcells) =
                (inputs.clone(), zeros(), zeros(), zeros(), dcells.clone());
            if plainly {
                plain::gates(&mut gates, width);
                plain::cells(&gates, &before, &mut cells, width);
                plain::hidden(&gates, &cells, &mut bent, &mut hidden, width);
                plain::recur_backward(&mut gates, &before, &bent, &dhidden, &mut dcells, width);
            } else {
                recurrence::gates(&mut gates, width);
                recurrence::cells(&gates, &before, &mut cells, width);
                recurrence::hidden(&gates, &cells, &mut bent, &mut hidden, width);
                recurrence::recur_backward(&mut gates, &before, &bent, &dhidden, &mut dcells, width);
            }
            [cells, hidden, gates, dcells]
        };
        let (fused, plainly) = (run(false), run(true));
        for (fused, plainly) in fused.iter().zip(&plainly) {
            near(fused, plainly, 3e-6)?;
        }
        // Hochreiter & Schmidhuber 1997 with a forget gate (Gers et al. 2000), in f64.
        let value = |inputs: &[f64], before: &[f64]| -> f64 {
            (0..rows * width).map(|i| {
                let input = |number: usize| inputs[(i / width * 4 + number) * width + i % width];
                let kept = sigmoid(input(1)) * before.get(i).copied().unwrap_or(0.0);
                let cell = kept + sigmoid(input(0)) * input(2).tanh();
                let hidden = sigmoid(input(3)) * cell.tanh();
                hidden * f64::from(dhidden[i]) + cell * f64::from(dcells[i])
            }).sum()
        };
        let (inputs, before) = (double(&inputs), double(&before));
        differs_as(&fused[2], &inputs, |inputs| value(inputs, &before), 1e-5)?;
        differs_as(&fused[3], &before, |before| value(&inputs, before), 1e-5)?;
    }
}
