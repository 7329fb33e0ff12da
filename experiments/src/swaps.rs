//! Patches from another author's run into the own one: what they change, beside every control. Shared by `evil-twin`,
//! whose authors are Turing machines, and `rule-inference`, whose authors are one-dimensional rules.

use serde_json::{Value as Json, json};

use crate::claims::{Evidence, Measured, figure};
use crate::evidence::metrics::ratio;
use crate::evidence::numeric::normal;
use crate::evidence::statistics::mean;
use crate::evidence::{Arm, Design, Estimate, over_seeds};
use crate::experiment::{Section, Table};
use crate::figures::{Axis, Bars, Figure, Plot, Value};
use crate::machines::words::{Desk, estimated};
use crate::moments::writes::{Change, norm};

/// What is measured of one model: by tap, patch and pair.
pub type Changes = Vec<Vec<Vec<Change>>>;

/// The patches of an experiment, by number.
pub struct Patches {
    /// In words.
    pub names: &'static [&'static str],
    /// The whole of the other author's activation.
    pub whole: usize,
    /// A random vector as far from the own activation.
    pub random: usize,
    /// The mean over pairs: what no author in particular left there.
    pub mean: usize,
    /// The own activation itself.
    pub null: usize,
    /// Those that the effect must lie beyond; the strongest counts.
    pub controls: &'static [usize],
    /// Those that are drawn.
    pub drawn: &'static [usize],
    /// The other author.
    pub other: &'static str,
    /// What is patched, and what is scored.
    pub about: &'static str,
}

/// The own activation moved to the other's by a dose; 1 is all the way.
pub fn towards(own: &[f32], other: &[f32], dose: f32) -> Vec<f32> {
    own.iter().zip(other).map(|(own, other)| own + dose * (other - own)).collect()
}

/// The own activation moved as far as to the other's, in a random direction.
pub fn astray(own: &[f32], other: &[f32], chance: &mut environments::Stream) -> Vec<f32> {
    let random: Vec<f64> = own.iter().map(|_| normal(chance)).collect();
    let far: Vec<f64> = own.iter().zip(other).map(|(own, other)| f64::from(other - own)).collect();
    let scale = norm(&far) / norm(&random).max(1e-12);
    own.iter().zip(&random).map(|(own, random)| own + (scale * random) as f32).collect()
}

/// Mean gain of some changes.
pub fn gain(changes: &[Change]) -> f64 {
    changes.iter().map(|change| change.gain).sum::<f64>() / changes.len().max(1) as f64
}

/// What patches changed in all models.
pub struct Swaps<'a> {
    /// The patches.
    pub patches: &'a Patches,
    /// The taps that were patched: the embedding, then the end of every block.
    pub taps: &'a [String],
    /// By model, on the pairs for choosing.
    pub choosing: Vec<&'a Changes>,
    /// By model, on the pairs for reporting.
    pub reported: Vec<&'a Changes>,
    /// With random weights, on the pairs for reporting.
    pub untrained: &'a Changes,
    /// What a pair for reporting is resampled with.
    pub clusters: Vec<usize>,
}

impl Swaps<'_> {
    fn score(&self, tap: usize, patch: usize) -> f64 {
        self.choosing.iter().map(|changes| gain(&changes[tap][patch])).sum()
    }

    /// The tap between the embedding and the last block at which the whole patch gains most on the pairs for choosing.
    pub fn tap(&self) -> Option<usize> {
        let score = |tap: usize| self.score(tap, self.patches.whole);
        (1..self.taps.len().saturating_sub(1)).reduce(|best, next| if score(next) > score(best) { next } else { best })
    }

    /// The control that gains most there on the same pairs.
    pub fn control(&self, tap: usize) -> usize {
        let score = |patch: usize| self.score(tap, patch);
        let controls = self.patches.controls;
        controls.iter().fold(controls[0], |best, &next| if score(next) > score(best) { next } else { best })
    }

    fn arm(&self, row: &dyn Fn(&Changes, usize) -> Vec<f64>) -> Arm {
        let count = self.clusters.iter().max().map_or(0, |last| last + 1);
        let one = |changes: &&Changes| {
            let mut all: Vec<Vec<f64>> = vec![Vec::new(); count];
            for (pair, &cluster) in self.clusters.iter().enumerate() {
                let row = row(changes, pair);
                let sums = &mut all[cluster];
                sums.resize(row.len(), 0.0);
                sums.iter_mut().zip(&row).for_each(|(sum, value)| *sum += value);
            }
            all
        };
        Arm::new(&self.reported.iter().map(one).collect::<Vec<_>>())
    }

    /// Seeds × clusters × (gain of a patch, gain of a control, damage of the patch, 1).
    fn beside(&self, tap: usize, patch: usize, control: usize) -> Arm {
        self.arm(&|changes, pair| {
            let (one, other) = (changes[tap][patch][pair], changes[tap][control][pair]);
            vec![one.gain, other.gain, one.damage, 1.0]
        })
    }

    /// Mean over models and pairs.
    pub fn mean(&self, tap: usize, patch: usize, of: fn(&Change) -> f64) -> f64 {
        let one = |changes: &&Changes| mean(&changes[tap][patch].iter().map(of).collect::<Vec<_>>());
        mean(&self.reported.iter().map(one).collect::<Vec<_>>())
    }

    /// Gain of the whole patch beyond the strongest control.
    pub fn measured(&self, desk: &Desk<'_>, tap: usize) -> Option<Measured> {
        let arm = self.beside(tap, self.patches.whole, self.control(tap));
        desk.measured("swap", "probability", Design::Crossed, &[&arm], &|t| over_seeds(&t[0], beyond))
    }

    /// Fall of what is true at uses of other entries, under the whole patch.
    pub fn damage(&self, desk: &Desk<'_>, tap: usize) -> Option<Estimate> {
        let arm = self.beside(tap, self.patches.whole, self.control(tap));
        desk.estimate("damage", Design::Crossed, &[&arm], &|t| over_seeds(&t[0], |t| ratio(t[2], t[3])))
    }

    /// What the mean takes from the own step beyond a random patch.
    pub fn necessity(&self, desk: &Desk<'_>, tap: usize) -> Option<Estimate> {
        let arm = self.arm(&|changes, pair| {
            let loss = |patch: usize| changes[tap][patch][pair].loss;
            vec![loss(self.patches.mean) - loss(self.patches.random), 1.0]
        });
        desk.estimate("necessity", Design::Crossed, &[&arm], &|t| over_seeds(&t[0], |t| ratio(t[0], t[1])))
    }

    /// Items 1, 2, 7, 10 and 12; `by_entry` has the whole patch's gain by what is swapped.
    pub fn evidence(&self, desk: &Desk<'_>, tap: usize, by_entry: &[(String, f64)]) -> Vec<Evidence> {
        let Patches { names, whole, random, null, controls, other, .. } = self.patches;
        let control = self.control(tap);
        let gain_of = |patch: usize| self.mean(tap, patch, |change| change.gain);
        let all: Vec<String> =
            names.iter().enumerate().map(|(patch, name)| format!("{name} {}", figure(gain_of(patch)))).collect();
        let beats = controls.iter().all(|&control| {
            let arm = self.beside(tap, *whole, control);
            let what = format!("swap {}", names[control]);
            let estimate = desk.estimate(&what, Design::Crossed, &[&arm], &|t| over_seeds(&t[0], beyond));
            estimate.is_some_and(|estimate| estimate.interval.0 > 0.0)
        });
        let necessity = self.necessity(desk, tap);
        let told: Vec<String> = by_entry.iter().map(|(name, gain)| format!("{name} {}", figure(*gain))).collect();
        vec![
            Evidence::new(
                1,
                beats && gain_of(*null) == 0.0,
                format!(
                    "rise of the probability of what the {other} does, by the simulator, at {}: {}; the null patch changes \
                     nothing at all; at uses of other entries the true step loses {} (random patch {})",
                    self.taps[tap],
                    all.join(", "),
                    estimated(&self.damage(desk, tap)),
                    figure(self.mean(tap, *random, |change| change.damage))
                ),
            ),
            Evidence::new(
                2,
                true,
                format!(
                    "the same patch with random weights: {}; at the embedding (a reference, an edit of the history): {}",
                    figure(gain(&self.untrained[tap][*whole])),
                    figure(self.mean(0, *whole, |change| change.gain))
                ),
            ),
            Evidence::new(
                7,
                necessity.as_ref().is_some_and(|necessity| necessity.interval.0 > 0.0),
                format!(
                    "the mean over pairs in place of the position's own activation takes from the own step, beyond a random \
                     patch: {}",
                    estimated(&necessity)
                ),
            ),
            Evidence::new(
                10,
                by_entry.iter().all(|(_, gain)| *gain > 0.0),
                format!("gain by entry: {}", told.join(", ")),
            ),
            Evidence::new(
                12,
                true,
                format!(
                    "of {} taps between the ends, {} is chosen on validation pairs, and so is the strongest control ({})",
                    self.taps.len().saturating_sub(2),
                    self.taps[tap],
                    names[control]
                ),
            ),
        ]
    }

    /// Mean gain of the whole patch by a property of the pair, such as the entry in which authors differ.
    pub fn by<K: Ord>(&self, tap: usize, of: impl Fn(usize) -> K, name: impl Fn(&K) -> String) -> Vec<(String, f64)> {
        let mut all: std::collections::BTreeMap<K, Vec<f64>> = std::collections::BTreeMap::new();
        for changes in &self.reported {
            for (pair, change) in changes[tap][self.patches.whole].iter().enumerate() {
                all.entry(of(pair)).or_default().push(change.gain);
            }
        }
        all.into_iter().map(|(key, gains)| (name(&key), mean(&gains))).collect()
    }

    /// Means by tap and patch.
    pub fn json(&self) -> Json {
        let tap = |(tap, name): (usize, &String)| {
            let one = |(patch, name): (usize, &&str)| {
                let of = |pick: fn(&Change) -> f64| self.mean(tap, patch, pick);
                let value = json!({ "gain": of(|c| c.gain), "loss": of(|c| c.loss), "damage": of(|c| c.damage) });
                (name.to_string(), value)
            };
            (name.clone(), Json::Object(self.patches.names.iter().enumerate().map(one).collect()))
        };
        Json::Object(self.taps.iter().enumerate().map(tap).collect())
    }

    /// What the report shows of them; `name` is the figure's.
    pub fn section(&self, desk: &Desk<'_>, name: &str) -> Section {
        let Patches { names, whole, null, drawn, other, about, .. } = self.patches;
        let bars = |&patch: &usize| Bars {
            name: names[patch].into(),
            baseline: patch != *whole,
            values: (0..self.taps.len())
                .map(|tap| {
                    let arm = self.beside(tap, patch, *null);
                    let what = format!("bar {} {tap}", names[patch]);
                    let estimate =
                        desk.estimate(&what, Design::Crossed, &[&arm], &|t| over_seeds(&t[0], |t| ratio(t[0], t[3])))?;
                    Some(Value { value: estimate.value, interval: Some(estimate.interval) })
                })
                .collect(),
        };
        let row = |tap: usize, patch: usize| {
            let of = |pick: fn(&Change) -> f64| figure(self.mean(tap, patch, pick));
            vec![self.taps[tap].clone(), names[patch].into(), of(|c| c.gain), of(|c| c.loss), of(|c| c.damage)]
        };
        let rows = (0..self.taps.len()).flat_map(|tap| (0..names.len()).map(move |patch| row(tap, patch))).collect();
        let gain = format!("gain of the {other}'s step");
        let header = ["tap", "patch", &gain, "loss of the own step", "loss at other entries"];
        Section {
            title: "The swap".into(),
            claim: Some("swap".into()),
            text: vec![(*about).into()],
            figures: vec![Figure {
                name: name.into(),
                title: format!("What a patch from the {other}'s run does"),
                caption: format!(
                    "Rise of the probability of what the {other} does at the entry's next use, by tap. 95% bootstrap intervals."
                ),
                plot: Plot::Bars {
                    y: Axis::new("rise of probability").spanning(0.0, 1.0),
                    groups: self.taps.to_vec(),
                    series: drawn.iter().map(bars).collect(),
                },
            }],
            tables: vec![Table {
                caption: "Means over models and pairs, in probability.".into(),
                header: header.map(String::from).to_vec(),
                rows,
            }],
        }
    }
}

fn beyond(t: &[f64]) -> Option<f64> {
    ratio(t[0] - t[1], t[3])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PATCHES: Patches = Patches {
        names: &["whole", "random", "mean", "null"],
        whole: 0,
        random: 1,
        mean: 2,
        null: 3,
        controls: &[1, 3],
        drawn: &[0],
        other: "other",
        about: "",
    };

    #[test]
    fn a_random_patch_is_as_far_as_the_other_and_a_dose_is_a_share_of_the_way() {
        let mut chance = environments::stream(&["astray"]);
        let (own, other) = ([1.0f32, -2.0, 0.5, 3.0], [0.0f32, 2.0, 0.5, 1.0]);
        let random = astray(&own, &other, &mut chance);
        let far = |to: &[f32]| norm(&own.iter().zip(to).map(|(a, b)| f64::from(b - a)).collect::<Vec<_>>());
        assert!((far(&random) - far(&other)).abs() < 1e-6 && random != other);
        assert_eq!(astray(&own, &own, &mut chance), own, "nowhere to go");
        assert_eq!(towards(&own, &other, 1.0), other);
        assert_eq!(towards(&own, &other, 0.5), [0.5, 0.0, 0.5, 2.0]);
        assert_eq!(towards(&own, &other, 2.0), [-1.0, 6.0, 0.5, -1.0]);
    }

    #[test]
    fn tap_and_control_are_chosen_on_other_pairs_and_clusters_add_up() {
        let change = |gain: f64| Change { gain, loss: gain, damage: 0.0 };
        // By tap (the first and the last are the ends) and patch, of two pairs.
        let of = |gains: [[f64; 4]; 4]| -> Changes {
            gains.map(|tap| tap.map(|gain| vec![change(gain), change(gain / 2.0)]).to_vec()).to_vec()
        };
        let choosing = of([[0.9, 0.0, 0.0, 0.0], [0.2, 0.1, 0.0, 0.0], [0.6, 0.1, 0.0, 0.3], [0.0, 0.0, 0.0, 0.0]]);
        // What is reported would choose otherwise.
        let reported = of([[0.0; 4], [0.9, 0.8, 0.4, 0.0], [0.4, 0.3, 0.1, 0.2], [0.0; 4]]);
        let taps = ["embed", "first", "second", "last"].map(String::from);
        let swaps = Swaps {
            patches: &PATCHES,
            taps: &taps,
            choosing: vec![&choosing; 5],
            reported: vec![&reported; 5],
            untrained: &reported,
            clusters: vec![0, 0],
        };
        assert_eq!((swaps.tap(), swaps.control(2)), (Some(2), 3));
        let desk = Desk { experiment: "toy", seed: 1, resamples: 200, clusters: "pairs" };
        let measured = swaps.measured(&desk, 2).unwrap();
        // (0.4 − 0.2) and half of it; one cluster leaves nothing to resample.
        assert!((measured.effect - 0.15).abs() < 1e-12 && (measured.interval.1 - measured.interval.0).abs() < 1e-12);
        assert!((swaps.mean(1, 0, |change| change.gain) - 0.675).abs() < 1e-12);
        let by = swaps.by(2, |pair| pair, |pair| pair.to_string());
        assert_eq!(by, [("0".to_string(), 0.4), ("1".to_string(), 0.2)]);
        // 0.1 − 0.3, and half of it.
        assert!((swaps.necessity(&desk, 2).unwrap().value + 0.15).abs() < 1e-12);
    }
}
