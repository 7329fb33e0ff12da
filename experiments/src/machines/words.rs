//! Estimates and how they are told.

use crate::claims::{Measured, figure};
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
}

impl Desk<'_> {
    /// A bootstrap over seeds and over runs.
    pub fn estimate(
        &self,
        what: &str,
        design: Design,
        arms: &[&Arm],
        statistic: &(dyn Fn(&Totals) -> Option<f64> + Sync),
    ) -> Option<Estimate> {
        let seed = self.seed.to_string();
        let address = [self.experiment, &seed, "bootstrap", what];
        let resamples = self.resamples;
        let settings = Bootstrap { address: &address, resamples, confidence: CONFIDENCE, design, clusters: "runs" };
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

/// `0.123 (0.100 to 0.150)`.
pub fn words(estimate: &Estimate) -> String {
    format!("{} ({} to {})", figure(estimate.value), figure(estimate.interval.0), figure(estimate.interval.1))
}
