//! Estimates and how they are told.

use crate::claims::{Evidence, Measured, figure};
use crate::evidence::emergence::onset;
use crate::evidence::metrics::ratio;
use crate::evidence::statistics::mean;
use crate::evidence::{Arm, Bootstrap, Design, Estimate, Totals};

/// Confidence of every interval.
pub const CONFIDENCE: f64 = 0.95;

/// Where the chance of an experiment's intervals comes from.
pub struct Desk<'a> {
    /// The experiment.
    pub experiment: &'a str,
    /// The seed.
    pub seed: u64,
    /// Resamples of every interval.
    pub resamples: usize,
    /// What is resampled beside seeds, in words.
    pub clusters: &'a str,
}

impl Desk<'_> {
    /// A bootstrap over seeds and over clusters.
    pub fn estimate(
        &self,
        what: &str,
        design: Design,
        arms: &[&Arm],
        statistic: &(dyn Fn(&Totals) -> Option<f64> + Sync),
    ) -> Option<Estimate> {
        let seed = self.seed.to_string();
        let address = [self.experiment, &seed, "bootstrap", what];
        let Self { resamples, clusters, .. } = *self;
        let settings = Bootstrap { address: &address, resamples, confidence: CONFIDENCE, design, clusters };
        settings.estimate(arms, statistic)
    }

    /// The measurement of a claim whose seeds are those of the one arm, or of its first.
    pub fn measured(
        &self,
        what: &str,
        unit: &str,
        design: Design,
        arms: &[&Arm],
        statistic: &(dyn Fn(&Totals) -> Option<f64> + Sync),
    ) -> Option<Measured> {
        let estimate = self.estimate(what, design, arms, statistic)?;
        let totals: Vec<Vec<Vec<f64>>> = arms.iter().map(|arm| arm.totals()).collect();
        let alone = totals[0].iter().map(|seed| {
            let mut alone = totals.clone();
            alone[0] = vec![seed.clone()];
            statistic(&alone)
        });
        Some(Measured {
            effect: estimate.value,
            interval: estimate.interval,
            confidence: CONFIDENCE,
            per_seed: alone.collect::<Option<_>>()?,
            method: estimate.method,
            unit: unit.into(),
            p: None,
            refuter: None,
        })
    }
}

/// A number or a dash.
pub fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".into(), figure)
}

/// The mean over models of what was measured at their checkpoints, by step.
pub fn mean_curve<T>(curves: &[&Vec<T>], step: impl Fn(&T) -> u64, value: impl Fn(&T) -> f64) -> Vec<(u64, f64)> {
    let Some(first) = curves.first() else { return Vec::new() };
    let at = |place: usize| {
        let all: Vec<f64> = curves.iter().filter_map(|curve| curve.get(place)).map(&value).collect();
        (step(&first[place]), mean(&all))
    };
    (0..first.len()).map(at).collect()
}

/// A curve as text: `4: 0.500, 16: 0.750`.
pub fn by_step(curve: &[(u64, f64)]) -> String {
    curve.iter().map(|(step, value)| format!("{step}: {}", figure(*value))).collect::<Vec<_>>().join(", ")
}

/// Item 11 of the evidence: when it came.
pub fn when(curve: &[(u64, f64)], what: &str) -> Evidence {
    Evidence::new(11, curve.len() >= 4, format!("{what}: {}", by_step(curve)))
}

/// Item 11 of the evidence with the onset.
pub fn emerged(curves: &[Vec<(u64, f64)>], what: &str, address: &[&str]) -> Evidence {
    let mean = mean_curve(&curves.iter().collect::<Vec<_>>(), |point| point.0, |point| point.1);
    Evidence::new(11, mean.len() >= 4, format!("{what}: {}; {}", by_step(&mean), halfway(curves, address)))
}

/// The step at which the mean of the seeds' curves has made half of its way, with its interval, in words.
pub fn halfway(curves: &[Vec<(u64, f64)>], address: &[&str]) -> String {
    match onset(curves, 1000, CONFIDENCE, address) {
        Some(onset) => format!(
            "halfway at step {:.0} ({:.0} to {:.0}; bootstrap over {} seeds)",
            onset.step, onset.interval.0, onset.interval.1, onset.seeds
        ),
        None => "no onset can be told".into(),
    }
}

/// An estimate in words, or a dash.
pub fn estimated<'a>(estimate: impl Into<Option<&'a Estimate>>) -> String {
    estimate.into().map_or_else(|| "–".into(), words)
}

/// Whether the interval of an estimate lies above 0.
pub fn above(estimate: &Option<Estimate>) -> bool {
    estimate.as_ref().is_some_and(|estimate| estimate.interval.0 > 0.0)
}

/// The share of variance explained, of sums of squared errors and of squared distances from the mean.
pub fn explained(sums: &[f64]) -> Option<f64> {
    ratio(sums[0], sums[1]).map(|share| 1.0 - share)
}

/// `0.123 (0.100 to 0.150)`.
pub fn words(estimate: &Estimate) -> String {
    format!("{} ({} to {})", figure(estimate.value), figure(estimate.interval.0), figure(estimate.interval.1))
}
