//! Trained models beside every baseline.

use serde_json::{Value as Json, json};

use super::gathered::{Baseline, Gathered};
use super::readings::Reading;
use crate::claims::{Evidence, Measured};
use crate::evidence::{Arm, Design, Estimate, Totals, over_seeds};
use crate::machines::words::{Desk, above, estimated};

/// A difference of one statistic between two arms.
pub fn apart(statistic: Statistic<'_>) -> impl Fn(&Totals) -> Option<f64> + Sync + '_ {
    move |t| Some(over_seeds(&t[0], statistic)? - over_seeds(&t[1], statistic)?)
}

/// A statistic of sums over runs.
pub type Statistic<'a> = &'a (dyn Fn(&[f64]) -> Option<f64> + Sync);

/// How good a reading is on the moments for choosing.
pub type Score<'a> = &'a dyn Fn(&Reading) -> f64;

/// The trained models beside every baseline in one measure.
pub struct Beside<'a> {
    desk: &'a Desk<'a>,
    statistic: Statistic<'a>,
    /// The trained models.
    pub own: Arm,
    /// Baselines by name: what they reach, and what the models reach beyond them.
    told: Vec<(String, Option<Estimate>, Option<Estimate>)>,
    /// The best of them on the moments for choosing.
    pub strongest: &'a Baseline<'a>,
    /// The models beyond that one.
    pub measured: Option<Measured>,
}

impl<'a> Beside<'a> {
    /// `claim` with its unit; sums of the readings of some seeds; the baselines with their scores for choosing.
    pub fn new(
        desk: &'a Desk<'a>,
        (claim, unit): (&str, &str),
        trained: &[&Reading],
        arm: &dyn Fn(&[&Reading]) -> Arm,
        (baselines, score): (&'a [Baseline<'a>], Score<'_>),
        statistic: Statistic<'a>,
    ) -> Self {
        let own = arm(trained);
        let strongest = Gathered::strongest(baselines, score);
        let rival = arm(&strongest.readings);
        let difference = apart(statistic);
        let measured = desk.measured(claim, unit, Design::Crossed, &[&own, &rival], &difference);
        let mut beside = Self { desk, statistic, own, told: Vec::new(), strongest, measured };
        let told = |Baseline { name, readings }: &Baseline<'_>| {
            let arm = arm(readings);
            let alone = beside.alone(&arm, &format!("{claim} {name}"));
            (name.clone(), alone, beside.beyond(&arm, &format!("{claim} beyond {name}")))
        };
        beside.told = baselines.iter().map(told).collect();
        beside
    }

    /// What an arm reaches.
    pub fn alone(&self, arm: &Arm, what: &str) -> Option<Estimate> {
        self.desk.estimate(what, Design::Crossed, &[arm], &|t| over_seeds(&t[0], self.statistic))
    }

    /// What the trained models reach beyond it.
    pub fn beyond(&self, arm: &Arm, what: &str) -> Option<Estimate> {
        self.desk.estimate(what, Design::Crossed, &[&self.own, arm], &apart(self.statistic))
    }

    /// Item 2: the baselines.
    pub fn baselines(&self) -> Evidence {
        let told: Vec<String> =
            self.told.iter().map(|(name, alone, _)| format!("{name} {}", estimated(alone))).collect();
        Evidence::new(2, self.told.iter().all(|(_, _, beyond)| above(beyond)), told.join("; "))
    }

    /// Item 8: more than the output, and than the context gives without a model.
    pub fn more_than_output(&self) -> Evidence {
        let counts: Vec<String> = self.told[3..].iter().map(|(_, _, beyond)| estimated(beyond)).collect();
        Evidence::new(
            8,
            self.told[2..].iter().all(|(_, _, beyond)| above(beyond)),
            format!(
                "beyond the model's own next-step distribution {}; beyond the context's counts: {}",
                estimated(&self.told[2].2),
                counts.join(", ")
            ),
        )
    }

    /// What the baselines reach, by name.
    pub fn json(&self) -> Json {
        self.told.iter().map(|(name, own, _)| (name.clone(), json!(own))).collect::<serde_json::Map<_, _>>().into()
    }
}
