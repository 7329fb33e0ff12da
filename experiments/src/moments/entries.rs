//! The entries of a table as the residual stream holds them: read beside every baseline, and written.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::Stratum;
use super::beside::{Beside, apart};
use super::gathered::{Gathered, codes};
use super::readings::{Read, Reading, Sets, Three};
use super::writes::{Change, Written};
use crate::claims::{Evidence, Measured, figure};
use crate::evidence::statistics::mean;
use crate::evidence::{Arm, Design, Estimate, Probe, over_seeds};
use crate::figures::{Axis, Bars, Figure, Plot, Value};
use crate::machines::words::{Desk, above, estimated, number};

/// What is measured of one model at the tap at which its entries are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Closer {
    /// A probe of the control task, by entry.
    control: Vec<Read>,
    /// A perceptron in place of the linear probe.
    perceptron: Vec<Read>,
    /// The perceptron on the control task.
    perceptron_control: Vec<Read>,
    /// Compression of the entries' labels by the online code.
    codes: Vec<Option<f64>>,
    /// By intervention and sequence.
    changes: Vec<Vec<Change>>,
}

impl Closer {
    /// Reads entries from features with every probe and control; `changes` are those of the interventions.
    pub fn new(
        sets: &Sets,
        entries: Range<usize>,
        features: &Three,
        (perceptron, seed, name): (usize, u64, &str),
        changes: Vec<Vec<Change>>,
    ) -> Self {
        let seed = seed.to_string();
        let read = |probe: Probe, control: bool, what: &str| -> Vec<Read> {
            let one = |entry: usize| {
                let address = [sets.experiment, &seed, name, what, &entry.to_string()];
                sets.read(probe, entry, features, control, &address)
            };
            entries.clone().map(one).collect()
        };
        Self {
            control: read(Probe::Logistic, true, "control"),
            perceptron: read(Probe::Mlp(perceptron), false, "perceptron"),
            perceptron_control: read(Probe::Mlp(perceptron), true, "perceptron control"),
            codes: codes(sets, features, entries.clone(), name),
            changes,
        }
    }
}

/// How entries stand, in the order in which they are shown.
pub const STRATA: [(&str, Stratum); 3] =
    [("idle", Stratum::Idle), ("current", Stratum::Current), ("open", Stratum::Open)];

/// Everything about the entries.
pub struct Entries<'a> {
    /// What was read.
    pub read: &'a Gathered,
    /// At the chosen tap, by model.
    pub closer: Vec<&'a Closer>,
    /// Compression of the labels by the untrained model's activations and by the context.
    pub codes: (&'a [Option<f64>], &'a [Option<f64>]),
    /// The entries among the concepts.
    pub concepts: Range<usize>,
    /// The chosen tap, by number.
    pub tap: usize,
}

/// What a claim about entries is judged by.
pub struct Judged {
    /// Accuracy on idle entries beyond the best baseline.
    pub measured: Option<Measured>,
    /// Items 1, 2, 6 to 10.
    pub evidence: Vec<Evidence>,
    /// The strongest baseline.
    pub strongest: String,
    /// The figures.
    pub probes: Json,
}

impl Entries<'_> {
    fn list(&self) -> Vec<usize> {
        self.concepts.clone().collect()
    }

    /// Mean balanced accuracy of the entries over seeds, from tallies.
    pub fn accuracy(&self, totals: &[f64]) -> Option<f64> {
        self.read.sets.accuracy(&self.list(), totals)
    }

    /// How well a reading tells the entries on the moments for choosing.
    pub fn score(&self, reading: &Reading) -> f64 {
        reading.mean(self.concepts.clone())
    }

    fn closer_arm(&self, pick: fn(&Closer) -> &Vec<Read>, control: bool) -> Arm {
        let one = |closer: &&Closer| {
            let reads: Vec<(usize, &Read)> = self.concepts.clone().zip(pick(closer)).collect();
            self.read.sets.tally(&reads, Stratum::Idle, control)
        };
        Arm::new(&self.closer.iter().map(one).collect::<Vec<_>>())
    }

    fn written(&self) -> Written<'_> {
        Written::new(self.closer.iter().map(|closer| &closer.changes).collect())
    }

    /// The trained models on idle entries, beside everything; `claim` names the measurement.
    pub fn judged(&self, desk: &Desk<'_>, claim: &str) -> Judged {
        let concepts = self.list();
        let accuracy = |t: &[f64]| self.accuracy(t);
        let trained = self.read.of_tap(self.tap);
        let score: &dyn Fn(&Reading) -> f64 = &|reading| self.score(reading);
        let baselines = self.read.baselines(score);
        let arm = |readings: &[&Reading]| self.read.arm_of(&concepts, readings, Stratum::Idle);
        let beside = Beside::new(desk, (claim, "balanced accuracy"), &trained, &arm, (&baselines, score), &accuracy);
        let strata: serde_json::Map<String, Json> = STRATA
            .iter()
            .map(|&(name, stratum)| {
                let arm = self.read.arm_of(&concepts, &trained, stratum);
                let own = beside.alone(&arm, &format!("{claim} {name}"));
                (name.to_string(), json!({ "trained": own, "bayes": self.read.guess(&concepts, stratum) }))
            })
            .collect();
        let perceptron = self.closer_arm(|c| &c.perceptron, false);
        let selective = beside.beyond(&self.closer_arm(|c| &c.control, true), "selectivity");
        let wide = desk.estimate(
            "selectivity of the perceptron",
            Design::Crossed,
            &[&perceptron, &self.closer_arm(|c| &c.perceptron_control, true)],
            &apart(&accuracy),
        );
        let wide_alone = beside.alone(&perceptron, "perceptron");
        let by_entry: Vec<(String, Option<f64>)> = concepts
            .iter()
            .map(|&concept| {
                let alone = [concept];
                let of = |readings: &[&Reading]| {
                    let arm = self.read.arm_of(&alone, readings, Stratum::Idle);
                    over_seeds(&arm.totals(), |t| self.read.sets.accuracy(&alone, t))
                };
                let difference = of(&trained).zip(of(&beside.strongest.readings)).map(|(own, rival)| own - rival);
                (self.read.sets.concepts[concept].name.clone(), difference)
            })
            .collect();
        let compression = |all: &[Option<f64>]| mean(&all.iter().flatten().copied().collect::<Vec<_>>());
        let own = mean(&self.closer.iter().map(|closer| compression(&closer.codes)).collect::<Vec<_>>());
        let (untrained, context) = (compression(self.codes.0), compression(self.codes.1));
        let evidence = vec![
            self.written().causal(desk, &self.read.taps[self.tap]),
            beside.baselines(),
            Evidence::new(
                6,
                above(&selective) && above(&wide),
                format!(
                    "beyond a control task of labels at random by the last steps: linear {}, perceptron {} (which reads {})",
                    estimated(&selective),
                    estimated(&wide),
                    estimated(&wide_alone)
                ),
            ),
            self.written().necessary(desk),
            beside.more_than_output(),
            Evidence::new(
                9,
                own > untrained && own > context,
                format!(
                    "online code of the labels, times shorter than uniform: {} from activations, {} with random weights, {} \
                     from the context",
                    figure(own),
                    figure(untrained),
                    figure(context)
                ),
            ),
            Evidence::new(
                10,
                by_entry.iter().flat_map(|(_, difference)| difference).all(|difference| *difference > 0.0),
                format!(
                    "one probe for all positions and unseen authors; beyond the best baseline, by entry: {}",
                    by_entry.iter().map(|(name, d)| format!("{name} {}", number(*d))).collect::<Vec<_>>().join(", ")
                ),
            ),
        ];
        let probes = json!({
            "strata": strata,
            "baselines": beside.json(),
            "strongest_baseline": beside.strongest.name,
            "selectivity": selective,
            "perceptron": wide_alone,
            "by_entry": by_entry,
            "codes": { "trained": own, "untrained": untrained, "context": context },
            "interventions": self.written().json(),
        });
        Judged { strongest: beside.strongest.name.clone(), measured: beside.measured, evidence, probes }
    }

    /// What the interventions did.
    pub fn steering(&self, claim: &str) -> crate::experiment::Section {
        self.written().section(claim)
    }

    /// Accuracies of the trained models' tap and of the baselines, by stratum.
    pub fn bars(&self, desk: &Desk<'_>, name: &str) -> Figure {
        let bars = |who: &str, baseline: bool, readings: &[&Reading]| {
            let value = |(stratum_name, stratum): (&str, Stratum)| -> Option<Value> {
                let arm = self.read.arm_of(&self.list(), readings, stratum);
                let what = format!("bar {who} {stratum_name}");
                let accuracy = |t: &[f64]| self.accuracy(t);
                let estimate: Estimate =
                    desk.estimate(&what, Design::Crossed, &[&arm], &|t| over_seeds(&t[0], accuracy))?;
                Some(Value { value: estimate.value, interval: Some(estimate.interval) })
            };
            Bars { name: who.into(), baseline, values: STRATA.map(value).to_vec() }
        };
        let trained = format!("trained, {}", self.read.taps[self.tap]);
        let mut series = vec![bars(&trained, false, &self.read.of_tap(self.tap))];
        for baseline in self.read.baselines(&|reading| self.score(reading)) {
            series.push(bars(&baseline.name, true, &baseline.readings));
        }
        for reading in &self.read.told {
            series.push(bars(&reading.source, true, &[reading]));
        }
        Figure {
            name: name.into(),
            title: "Reading an entry of the table".into(),
            caption:
                "Balanced accuracy of linear probes, mean over the entries; 95% bootstrap intervals over seeds and runs."
                    .into(),
            plot: Plot::Bars {
                y: Axis::new("balanced accuracy").spanning(0.0, 1.0),
                groups: STRATA.map(|(name, _)| name.to_string()).to_vec(),
                series,
            },
        }
    }
}
