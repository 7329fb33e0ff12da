//! When something comes: the step at which a measure has risen halfway, with an interval over seeds.

use environments::{Draw, stream};
use serde::{Deserialize, Serialize};

use super::numeric::{exponential, logarithm};
use super::statistics::quantile;

/// When a measure rose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Onset {
    /// The step.
    pub step: f64,
    /// Low and high end of the interval.
    pub interval: (f64, f64),
    /// Seeds.
    pub seeds: usize,
}

/// A measure of one seed at its checkpoints: step and value, by rising step.
pub type Curve = Vec<(u64, f64)>;

/// The step at which the mean over seeds first has made half of its way from the first checkpoint to the last, between
/// checkpoints linear in the logarithm of the step. The interval is a percentile bootstrap over seeds; of n seeds n − 1 are
/// drawn, as everywhere here.
///
/// `None` if there are not two seeds with the same steps, or the mean does not move.
pub fn onset(curves: &[Curve], resamples: usize, confidence: f64, address: &[&str]) -> Option<Onset> {
    let steps: Vec<u64> = curves.first()?.iter().map(|point| point.0).collect();
    let alike = curves.iter().all(|curve| curve.iter().map(|point| point.0).eq(steps.iter().copied()));
    if curves.len() < 2 || steps.len() < 2 || !alike {
        return None;
    }
    let half = |drawn: &[usize]| -> Option<f64> {
        let mean = |place: usize| drawn.iter().map(|&seed| curves[seed][place].1).sum::<f64>() / drawn.len() as f64;
        let means: Vec<f64> = (0..steps.len()).map(mean).collect();
        let (from, to) = (means[0], means[means.len() - 1]);
        if !(to - from).is_finite() || (to - from).abs() < 1e-9 {
            return None;
        }
        let way: Vec<f64> = means.iter().map(|value| (value - from) / (to - from)).collect();
        let place = (1..way.len()).find(|&place| way[place] >= 0.5)?;
        let log = |place: usize| logarithm(steps[place].max(1) as f64);
        let share = (0.5 - way[place - 1]) / (way[place] - way[place - 1]);
        Some(exponential(log(place - 1) + share * (log(place) - log(place - 1))))
    };
    let step = half(&(0..curves.len()).collect::<Vec<_>>())?;
    let mut chance = stream(&[address, &["onset"]].concat());
    let mut draws: Vec<f64> = (0..resamples)
        .filter_map(|_| {
            let drawn: Vec<usize> = (1..curves.len()).map(|_| chance.below(curves.len() as u64) as usize).collect();
            half(&drawn)
        })
        .collect();
    if draws.len() * 10 < resamples * 9 || draws.is_empty() {
        return None;
    }
    draws.sort_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    let interval = (quantile(&draws, tail).min(step), quantile(&draws, 1.0 - tail).max(step));
    Some(Onset { step, interval, seeds: curves.len() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::numeric::normal;
    use super::*;

    /// Seeds whose measure rises around a step that is theirs, about 2⁸ = 256, with noise.
    fn simulate(number: usize, seeds: usize) -> Vec<Curve> {
        let mut chance = stream(&["onset", "simulated", &number.to_string()]);
        (0..seeds)
            .map(|_| {
                let middle = 8.0 + 0.5 * normal(&mut chance);
                let at = |log: u32| {
                    let value = 1.0 / (1.0 + exponential(-3.0 * (f64::from(log) - middle)));
                    (1u64 << log, 0.5 + 0.4 * value + 0.01 * normal(&mut chance))
                };
                (0..=14).map(at).collect()
            })
            .collect()
    }

    #[test]
    fn the_planted_step_is_found_and_its_interval_covers_it() {
        let mut covered = 0;
        for number in 0..100 {
            let found = onset(&simulate(number, 8), 200, 0.95, &["test", &number.to_string()]).unwrap();
            assert!((100.0..600.0).contains(&found.step), "{found:?}");
            covered += usize::from(found.interval.0 <= 256.0 && 256.0 <= found.interval.1);
        }
        // Eight seeds cost some coverage: a normal quantile where Student's with seven degrees of freedom is due covers about
        // .91, and 100 trials of that have a standard deviation of 3.
        assert!(covered >= 82, "{covered} of 100");
    }

    #[test]
    fn what_does_not_rise_has_no_onset_and_steps_between_are_interpolated() {
        let flat: Vec<Curve> = (0..5).map(|_| vec![(0, 0.5), (10, 0.5), (100, 0.5)]).collect();
        assert_eq!(onset(&flat, 100, 0.95, &["flat"]), None);
        let known: Vec<Curve> = (0..5).map(|_| vec![(1, 0.0), (100, 1.0)]).collect();
        let found = onset(&known, 100, 0.95, &["known"]).unwrap();
        assert!((found.step - 10.0).abs() < 1e-9 && (found.interval.1 - 10.0).abs() < 1e-9);
        assert_eq!(onset(&known[..1], 100, 0.95, &["one"]), None);
    }
}
