//! What was read of trained models, of one with random weights and of the context, as sums for estimates beside every
//! baseline.

use std::ops::Range;

use models::{Parameters, predictor};

use super::readings::{Belief, Read, Reading, Sets, Three};
use super::{Features, Stratum};
use crate::context::RunContext;
use crate::evidence::metrics::ratio;
use crate::evidence::statistics::mean;
use crate::evidence::{Arm, Probe, online_code};

/// Everything that was read.
pub struct Gathered {
    /// Of each trained model, by source: taps, then the output.
    pub readings: Vec<Vec<Reading>>,
    /// Of one with random weights.
    pub untrained: Vec<Reading>,
    /// Of the context, without a model.
    pub context: Vec<Reading>,
    /// Of references that know more than a baseline may; they are shown beside the others.
    pub told: Vec<Reading>,
    /// The moments.
    pub sets: Sets,
    /// Names of the taps.
    pub taps: Vec<String>,
}

/// A baseline: readings of some seeds from one source.
pub struct Baseline<'a> {
    /// What it is.
    pub name: String,
    /// By seed.
    pub readings: Vec<&'a Reading>,
}

/// Features of the three sets at one tap.
///
/// # Errors
/// Those of the model.
pub fn features(sets: &Sets, model: &Parameters, tap: &String, context: &RunContext<'_>) -> anyhow::Result<Three> {
    let predictor = predictor(model, context.device())?;
    let mut all = Three::default();
    for (slot, part) in all.iter_mut().zip(&sets.parts) {
        *slot = part.features(predictor.as_ref(), std::slice::from_ref(tap))?.swap_remove(0);
    }
    Ok(all)
}

/// What is read from a model: at each tap, then from its own distribution over what comes.
///
/// # Errors
/// Those of the model; when a stop was asked for.
pub fn readings(
    sets: &Sets,
    model: &Parameters,
    taps: &[String],
    context: &RunContext<'_>,
) -> anyhow::Result<Vec<Reading>> {
    let predictor = predictor(model, context.device())?;
    let mut three: Vec<Vec<Features>> = Vec::new();
    for part in &sets.parts {
        three.push(part.features(predictor.as_ref(), taps)?);
    }
    let output = "the model's own next-step distribution".to_string();
    let mut all = Vec::new();
    for (place, source) in taps.iter().chain([&output]).enumerate() {
        context.check_stop()?;
        let features: Three = [0, 1, 2].map(|part| std::mem::take(&mut three[part][place]));
        all.push(sets.reading(source, &features));
    }
    Ok(all)
}

/// How many times shorter than uniform the online code of each concept's labels is, where it is scored.
pub fn codes(sets: &Sets, features: &Three, concepts: Range<usize>, name: &str) -> Vec<Option<f64>> {
    let one = |concept: usize| {
        let told = &sets.concepts[concept];
        let (data, _) = sets.parts[0].rows(&features[0], (concept, told.classes), &[told.scored]);
        let mut chance = environments::stream(&[sets.experiment, "online code", name, &concept.to_string()]);
        online_code(Probe::Ridge, &data, 64, &mut chance)?.compression()
    };
    concepts.map(one).collect()
}

impl Gathered {
    /// The models' readings at a tap; after the last tap, of their output.
    pub fn of_tap(&self, tap: usize) -> Vec<&Reading> {
        self.readings.iter().map(|readings| &readings[tap]).collect()
    }

    /// Baselines of a measure: of random weights the tap that scores best on the moments for choosing.
    pub fn baselines(&self, score: &dyn Fn(&Reading) -> f64) -> Vec<Baseline<'_>> {
        let last = self.taps.len();
        let best = (1..last)
            .fold(1, |best, tap| if score(&self.untrained[tap]) > score(&self.untrained[best]) { tap } else { best });
        let mut all = vec![
            Baseline { name: format!("random weights, {}", self.taps[best]), readings: vec![&self.untrained[best]] },
            Baseline { name: "embedding and position".into(), readings: self.of_tap(0) },
            Baseline { name: "the model's own next-step distribution".into(), readings: self.of_tap(last) },
        ];
        all.extend(self.context.iter().map(|r| Baseline { name: r.source.clone(), readings: vec![r] }));
        all
    }

    /// The baseline with the best score on the moments for choosing.
    pub fn strongest<'a>(baselines: &'a [Baseline<'a>], score: &dyn Fn(&Reading) -> f64) -> &'a Baseline<'a> {
        let total = |baseline: &Baseline| mean(&baseline.readings.iter().map(|r| score(r)).collect::<Vec<_>>());
        baselines.iter().fold(&baselines[0], |best, next| if total(next) > total(best) { next } else { best })
    }

    /// Hits and moments of what was read, by seed, where the concepts stand in a way.
    pub fn arm(&self, seeds: &[Vec<(usize, &Read)>], stratum: Stratum, control: bool) -> Arm {
        Arm::new(&seeds.iter().map(|reads| self.sets.tally(reads, stratum, control)).collect::<Vec<_>>())
    }

    /// The same of whole readings.
    pub fn arm_of(&self, concepts: &[usize], readings: &[&Reading], stratum: Stratum) -> Arm {
        let one = |reading: &&Reading| self.sets.tally(&pick(concepts, reading), stratum, false);
        Arm::new(&readings.iter().map(one).collect::<Vec<_>>())
    }

    /// Squared errors and distances of beliefs.
    pub fn squares(&self, beliefs: &[&Belief]) -> Arm {
        Arm::new(&beliefs.iter().map(|belief| self.sets.squares(belief)).collect::<Vec<_>>())
    }

    /// Share of moments at which Bayes's likeliest class is the true one.
    pub fn guess(&self, concepts: &[usize], stratum: Stratum) -> Option<f64> {
        let truths = || {
            let moments = self.sets.parts[2].all.iter();
            moments.flat_map(|moment| concepts.iter().map(move |&concept| &moment.truths[concept]))
        };
        let there = || truths().filter(|truth| truth.stratum == stratum && truth.class.is_some());
        ratio(there().map(|truth| truth.bayes).sum(), there().count() as f64)
    }
}

fn pick<'a>(concepts: &[usize], reading: &&'a Reading) -> Vec<(usize, &'a Read)> {
    concepts.iter().map(|&concept| (concept, &reading.concepts[concept])).collect()
}
