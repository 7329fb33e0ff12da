//! What all findings share: intervals, arms of readings, numbers in words.

use serde_json::{Value as Json, json};

use super::super::measure::{Measurements, Of};
use super::super::probing::{Reading, arm, balanced, best, truth};
use super::super::reading::Concept;
use super::super::settings::Settings;
use super::super::zoo::{Group, Zoo};
use crate::claims::{Finding, Measured, figure};
use crate::evidence::{Arm, Bootstrap, Design, Estimate, Totals, over_seeds, statistics};
use crate::experiment::Section;
use crate::figures::Value;

/// Confidence of every interval.
pub const CONFIDENCE: f64 = 0.95;

/// Measurements with what they were made from.
pub struct Desk<'a> {
    /// The models.
    pub zoo: &'a Zoo,
    /// The settings.
    pub settings: &'a Settings,
    /// The measurements.
    pub measured: &'a Measurements,
    /// The seed.
    pub seed: u64,
}

/// A claim's share of the outcome.
pub struct Part {
    /// The finding.
    pub finding: Finding,
    /// Sections of the report.
    pub sections: Vec<Section>,
    /// Every figure.
    pub probes: Json,
}

/// A difference with what it is for each seed.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The difference and its interval.
    pub estimate: Estimate,
    /// For each seed of the first arm alone.
    pub per_seed: Vec<f64>,
}

impl Difference {
    /// As the measurement of a claim.
    pub fn measured(&self, unit: &str) -> Measured {
        Measured {
            effect: self.estimate.value,
            interval: self.estimate.interval,
            confidence: CONFIDENCE,
            per_seed: self.per_seed.clone(),
            method: self.estimate.method.clone(),
            unit: unit.into(),
            p: None,
            refuter: None,
        }
    }

    /// Whether the whole interval lies above 0.
    pub fn above_zero(&self) -> bool {
        self.estimate.interval.0 > 0.0
    }

    /// In words.
    pub fn words(&self) -> String {
        words(&self.estimate)
    }
}

/// An estimate in words: `0.123 (0.100 to 0.150)`.
pub fn words(estimate: &Estimate) -> String {
    format!("{} ({} to {})", figure(estimate.value), figure(estimate.interval.0), figure(estimate.interval.1))
}

/// A number or a dash.
pub fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".into(), figure)
}

/// The mean of what is there.
pub fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.into_iter().collect();
    (!values.is_empty()).then(|| statistics::mean(&values))
}

/// An estimate as a value with an interval.
pub fn value(estimate: &Estimate) -> Value {
    Value { value: estimate.value, interval: Some(estimate.interval) }
}

impl Desk<'_> {
    /// A bootstrap over seeds and over clusters that all seeds share.
    pub fn estimate(
        &self,
        what: &str,
        clusters: &str,
        arms: &[&Arm],
        statistic: &(dyn Fn(&Totals) -> Option<f64> + Sync),
    ) -> Option<Estimate> {
        self.resampled(self.settings.measure.resamples, what, clusters, arms, statistic)
    }

    /// The same with fewer resamples, for the bands of figures.
    pub fn band(
        &self,
        what: &str,
        clusters: &str,
        arms: &[&Arm],
        statistic: &(dyn Fn(&Totals) -> Option<f64> + Sync),
    ) -> Option<Estimate> {
        self.resampled(self.settings.measure.resamples.min(400), what, clusters, arms, statistic)
    }

    fn resampled(
        &self,
        resamples: usize,
        what: &str,
        clusters: &str,
        arms: &[&Arm],
        statistic: &(dyn Fn(&Totals) -> Option<f64> + Sync),
    ) -> Option<Estimate> {
        let seed = self.seed.to_string();
        let address = ["glider-chunking", &seed, "bootstrap", what];
        let settings =
            Bootstrap { address: &address, resamples, confidence: CONFIDENCE, design: Design::Crossed, clusters };
        settings.estimate(arms, statistic)
    }

    /// An estimate whose first arm holds the seeds of the claim, with its value for each of them alone.
    pub fn difference(
        &self,
        what: &str,
        clusters: &str,
        arms: &[&Arm],
        statistic: &(dyn Fn(&Totals) -> Option<f64> + Sync),
    ) -> Option<Difference> {
        let estimate = self.estimate(what, clusters, arms, statistic)?;
        let totals: Vec<Vec<Vec<f64>>> = arms.iter().map(|arm| arm.totals()).collect();
        let per_seed = totals[0].iter().map(|seed| {
            let mut alone = totals.clone();
            alone[0] = vec![seed.clone()];
            statistic(&alone)
        });
        Some(Difference { per_seed: per_seed.collect::<Option<_>>()?, estimate })
    }

    /// Reported boards of the examples.
    pub fn example_boards(&self) -> usize {
        self.measured.examples.parts[2].drawn
    }

    /// For each model of a group, the reading of a concept that does best where choices are made, among some.
    pub fn chosen(&self, group: Group, concept: Concept, among: impl Fn(&Reading) -> bool) -> Vec<&Reading> {
        let of = |of: &'_ Of<Vec<Reading>>| of.group == group;
        let readings = self.measured.probes.iter().filter(|entry| of(entry));
        readings.filter_map(|of| best(of.value.iter().filter(|reading| among(reading)), concept)).collect()
    }

    /// Confusions of a concept by seed and board.
    pub fn arm(&self, readings: &[&Reading], concept: Concept) -> Arm {
        let truth = truth(&self.measured.examples.parts[2], concept, self.settings.longest());
        let predicted: Vec<&[u8]> = readings.iter().map(|reading| reading.predicted.as_slice()).collect();
        arm(&truth, concept.classes(), self.example_boards(), &predicted)
    }

    /// Balanced accuracy of readings, with a band.
    pub fn accuracy(&self, what: &str, readings: &[&Reading], concept: Concept) -> Option<Estimate> {
        if readings.is_empty() {
            return None;
        }
        let arm = self.arm(readings, concept);
        self.band(what, "boards", &[&arm], &|totals| over_seeds(&totals[0], balanced))
    }

    /// Mean over concepts of the balanced accuracy of one group of readings minus that of another. Seeds of the
    /// first are drawn together for all concepts.
    pub fn contrast(
        &self,
        what: &str,
        concepts: &[Concept],
        first: &[Vec<&Reading>],
        second: &[Vec<&Reading>],
    ) -> Option<Difference> {
        if first.iter().chain(second).any(Vec::is_empty) {
            return None;
        }
        let arms: Vec<Arm> =
            concepts.iter().zip(first).map(|(concept, readings)| self.arm(readings, *concept)).collect();
        let joined = Arm::joined(&arms.iter().collect::<Vec<_>>());
        let others: Vec<Arm> =
            concepts.iter().zip(second).map(|(concept, readings)| self.arm(readings, *concept)).collect();
        let mut all = vec![&joined];
        all.extend(&others);
        let sizes: Vec<usize> = concepts.iter().map(|concept| concept.classes().pow(2)).collect();
        let statistic = |totals: &Totals| {
            let (mut sum, mut start) = (0.0, 0);
            for (place, size) in sizes.iter().enumerate() {
                sum += over_seeds(&totals[0], |counts| balanced(&counts[start..start + size]))?;
                sum -= over_seeds(&totals[1 + place], balanced)?;
                start += size;
            }
            Some(sum / sizes.len() as f64)
        };
        self.difference(what, "boards", &all, &statistic)
    }
}

/// A named group of readings of one concept, such as a baseline.
pub struct Baseline<'a> {
    /// Its name.
    pub name: String,
    /// One reading a seed.
    pub readings: Vec<&'a Reading>,
}

impl Baseline<'_> {
    /// Mean balanced accuracy where choices are made.
    pub fn chosen(&self) -> f64 {
        mean(self.readings.iter().map(|reading| reading.chosen)).unwrap_or(0.0)
    }

    /// Mean balanced accuracy as reported.
    pub fn accuracy(&self) -> Option<f64> {
        mean(self.readings.iter().map(|reading| reading.accuracy))
    }

    /// In words.
    pub fn words(&self) -> String {
        format!("{} {}", self.name, number(self.accuracy()))
    }
}

/// The baseline that does best where choices are made; of equals the first.
pub fn strongest<'a, 'b>(baselines: &'b [Baseline<'a>]) -> Option<&'b Baseline<'a>> {
    baselines.iter().filter(|baseline| !baseline.readings.is_empty()).fold(None, |best, next| match best {
        Some(best) if Baseline::chosen(best) >= next.chosen() => Some(best),
        _ => Some(next),
    })
}

/// Readings without the single predictions, for `probes.json`.
pub fn readings(readings: &[Reading]) -> Json {
    let of = |reading: &Reading| {
        json!({
            "features": reading.features,
            "concept": reading.concept,
            "balanced_accuracy_where_chosen": reading.chosen,
            "balanced_accuracy": reading.accuracy,
            "matthews": reading.matthews,
            "bits": reading.bits,
        })
    };
    Json::Array(readings.iter().map(of).collect())
}
