//! What prediction costs by how much of the history was seen, and by Wolfram's class of the rule.

use std::ops::Range;

use environments::automata::{LineRule, WolframClass};
use environments::elementary::ElementaryWorld;
use environments::{Environment, Sample, Split};
use models::Parameters;
use rayon::prelude::*;
use serde_json::{Value as Json, json};

use super::found::Found;
use super::moments::class_numbers;
use crate::claims::figure;
use crate::context::RunContext;
use crate::evidence::metrics::ratio;
use crate::evidence::statistics::mean;
use crate::evidence::{Arm, Design, Estimate, over_seeds};
use crate::experiment::{Section, Table};
use crate::figures::{Axis, Bars, Figure, Line, Plot, Value};
use crate::inference::{self, Inferable};
use crate::machines::nats::{Nats, of_model, of_reference};
use crate::machines::words::{Desk, estimated, number};

/// What histories of held-out rules cost.
#[derive(Clone, Debug)]
pub struct Paid {
    /// The rules.
    pub rules: Vec<LineRule>,
    /// By model.
    pub models: Vec<Nats>,
    /// Bayes over the class.
    pub bayes: Nats,
    /// The best statistical predictor.
    pub rival: Nats,
}

impl Paid {
    /// On the test histories of the claim `infers`.
    pub fn test(world: &ElementaryWorld, inferred: &inference::Found) -> Self {
        Self {
            rules: rules(world, Split::Test, inferred.bayes.len()),
            models: inferred.models.clone(),
            bayes: inferred.bayes.clone(),
            rival: inferred.rival().1.clone(),
        }
    }

    /// With as many histories of the validation split.
    ///
    /// # Errors
    /// Those of the models; when a stop was asked for.
    pub fn held_out(
        world: &ElementaryWorld,
        inferred: &inference::Found,
        models: &[(String, Parameters)],
        context: &mut RunContext<'_>,
    ) -> anyhow::Result<Self> {
        let mut all = Self::test(world, inferred);
        let count = all.rules.len();
        let samples: Vec<Sample> =
            (0..count as u64).into_par_iter().map(|index| world.sample(Split::Validation, index)).collect();
        for ((name, model), nats) in models.iter().zip(&mut all.models) {
            nats.extend(context.stage(&format!("held-out-{name}"), |context| of_model(model, &samples, context))?);
        }
        let numbers: Vec<Vec<usize>> =
            (0..count as u64).map(|index| world.numbers(&world.observe(Split::Validation, index))).collect();
        let rival = world.statistical()[inferred.best];
        let [bayes, rival] = context.stage("held-out-references", |_| {
            let bayes = of_reference(&numbers, |_| Box::new(world.class_bayes()));
            Ok([bayes, of_reference(&numbers, |_| rival.fresh(world.targets()))])
        })?;
        all.bayes.extend(bayes);
        all.rival.extend(rival);
        all.rules.extend(rules(world, Split::Validation, count));
        Ok(all)
    }

    /// Seeds × equivalence classes × (nats of the model, of Bayes, of the rival, cells) over some cells of some histories.
    fn costs(&self, cells: Range<usize>, of: &dyn Fn(usize) -> bool) -> Arm {
        let clusters = class_numbers(self.rules.iter().copied());
        let count = clusters.iter().max().map_or(0, |last| last + 1);
        let sum = |nats: &[f64]| nats[cells.clone()].iter().sum::<f64>();
        let one = |own: &Nats| {
            let mut all = vec![vec![0.0; 4]; count];
            for history in (0..own.len()).filter(|&history| of(history)) {
                let nats = [&own[history], &self.bayes[history], &self.rival[history]].map(|nats| sum(nats));
                let row = [nats[0], nats[1], nats[2], cells.len() as f64];
                all[clusters[history]].iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
            all
        };
        Arm::new(&self.models.iter().map(one).collect::<Vec<_>>())
    }
}

fn rules(world: &ElementaryWorld, split: Split, count: usize) -> Vec<LineRule> {
    (0..count as u64).map(|index| world.rule(split, index)).collect()
}

/// Nats a cell of the model, of Bayes and of the rival; the share of the way; the regret.
struct Costs {
    nats: [Option<f64>; 3],
    way: Option<Estimate>,
    regret: Option<Estimate>,
}

impl Costs {
    fn new(desk: &Desk<'_>, what: &str, arm: &Arm) -> Self {
        let rate = |place: usize| over_seeds(&arm.totals(), |t| ratio(t[place], t[3]));
        let estimate = |kind: &str, of: fn(&[f64]) -> Option<f64>| {
            desk.estimate(&format!("{kind} {what}"), Design::Crossed, &[arm], &|t| over_seeds(&t[0], of))
        };
        Self {
            nats: [0, 1, 2].map(rate),
            way: estimate("way", |t| ratio(t[2] - t[0], t[2] - t[1])),
            regret: estimate("regret", |t| ratio(t[0] - t[1], t[3])),
        }
    }

    fn row(&self, first: Vec<String>) -> Vec<String> {
        let told = [estimated(&self.way), estimated(&self.regret)];
        first.into_iter().chain(self.nats.map(number)).chain(told).collect()
    }

    fn json(&self) -> Json {
        json!({ "nats": self.nats, "way": self.way, "regret": self.regret })
    }
}

const HEADER: [&str; 5] = ["trained", "Bayes", "best statistical", "share of the way", "regret"];

/// Skill by the number of rows seen, and by class.
pub struct Skill {
    rows: Vec<Costs>,
    classes: Vec<(String, usize, usize, Costs)>,
}

impl Skill {
    /// Computes both.
    pub fn new(found: &Found, desk: &Desk<'_>) -> Self {
        let (width, rows) = (found.world.config().width, found.world.config().rows);
        let row = |row: usize| {
            let cells = row * width..(row + 1) * width;
            Costs::new(desk, &format!("row {row}"), &found.test.costs(cells, &|_| true))
        };
        let class = |class: WolframClass| {
            let of = |history: usize| found.held_out.rules[history].wolfram_class() == Some(class);
            let mut rules: Vec<LineRule> =
                (0..found.held_out.rules.len()).filter(|&h| of(h)).map(|h| found.held_out.rules[h]).collect();
            let histories = rules.len();
            rules.sort_unstable();
            rules.dedup();
            let arm = found.held_out.costs(width..rows * width, &of);
            (histories > 0)
                .then(|| (class.name().to_string(), rules.len(), histories, Costs::new(desk, class.name(), &arm)))
        };
        Self {
            // In the first row there is nothing to infer.
            rows: (1..rows).map(row).collect(),
            classes: WolframClass::ALL.into_iter().filter_map(class).collect(),
        }
    }

    /// The figures.
    pub fn json(&self) -> Json {
        let classes = self.classes.iter().map(|(name, rules, histories, costs)| {
            (name.clone(), json!({ "rules": rules, "histories": histories, "costs": costs.json() }))
        });
        json!({
            "by_rows_seen": self.rows.iter().map(Costs::json).collect::<Vec<_>>(),
            "by_class": classes.collect::<serde_json::Map<_, _>>(),
        })
    }

    /// What the report shows by rows seen.
    pub fn rows_section(&self) -> Section {
        let line = |name: &str, baseline: bool, of: &dyn Fn(&Costs) -> Option<Value>| Line {
            name: name.into(),
            baseline,
            points: self
                .rows
                .iter()
                .enumerate()
                .filter_map(|(row, costs)| Some(((row + 1) as f64, of(costs)?)))
                .collect(),
        };
        let value = |estimate: &Option<Estimate>| {
            estimate.as_ref().map(|e| Value { value: e.value, interval: Some(e.interval) })
        };
        let table = self.rows.iter().enumerate().map(|(row, costs)| costs.row(vec![(row + 1).to_string()]));
        Section {
            title: "Skill by rows seen".into(),
            claim: Some("infers".into()),
            text: Vec::new(),
            figures: vec![Figure {
                name: "rule-rows".into(),
                title: "Skill by rows seen".into(),
                caption:
                    "Share of the way from the best statistical predictor to exact Bayes, on the row that comes after \
                          so many; 95% bootstrap intervals over seeds and classes of equivalent rules."
                        .into(),
                plot: Plot::Lines {
                    x: Axis::new("rows seen"),
                    y: Axis::new("share of the way to Bayes"),
                    series: vec![line("trained", false, &|costs| value(&costs.way))],
                },
            }],
            tables: vec![Table {
                caption: "Nats a cell, on the row after so many.".into(),
                header: ["rows seen"].iter().chain(&HEADER).map(|name| name.to_string()).collect(),
                rows: table.collect(),
            }],
        }
    }

    /// What the report shows by class; `beside` has a column's head with a value for each class.
    pub fn classes_section(&self, beside: &[(&str, Vec<Option<f64>>)]) -> Option<Section> {
        if self.classes.is_empty() {
            return None;
        }
        let bars = |name: &str, baseline: bool, place: usize| Bars {
            name: name.into(),
            baseline,
            values: self
                .classes
                .iter()
                .map(|(.., costs)| Some(Value { value: costs.nats[place]?, interval: None }))
                .collect(),
        };
        let row = |(place, (name, rules, histories, costs)): (usize, &(String, usize, usize, Costs))| {
            let mut row = costs.row(vec![name.clone(), rules.to_string(), histories.to_string()]);
            row.extend(beside.iter().map(|(_, values)| number(values[place])));
            row
        };
        let heads = ["class", "rules", "histories"].iter().chain(&HEADER).map(|name| name.to_string());
        Some(Section {
            title: "Wolfram's classes side by side".into(),
            claim: Some("infers".into()),
            text: vec![
                "After the first row, on rules of the validation and the test split: no model was trained on any of them. What \
                 the other claims measure is of test rules alone, and absent where the test split has none of a class."
                    .into(),
            ],
            figures: vec![Figure {
                name: "rule-classes".into(),
                title: "Wolfram's classes side by side".into(),
                caption: "Nats a cell after the first row, by the class of a rule that no model was trained on; mean over models."
                    .into(),
                plot: Plot::Bars {
                    y: Axis::new("nats a cell"),
                    groups: self.classes.iter().map(|(name, ..)| name.clone()).collect(),
                    series: vec![bars("trained", false, 0), bars("Bayes", true, 1), bars("best statistical", true, 2)],
                },
            }],
            tables: vec![Table {
                caption: "Rules by class: nats a cell after the first row, and what the other claims measure.".into(),
                header: heads.chain(beside.iter().map(|(head, _)| head.to_string())).collect(),
                rows: self.classes.iter().enumerate().map(row).collect(),
            }],
        })
    }

    /// The names of the classes that are shown.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.classes.iter().map(|(name, ..)| name.as_str())
    }

    /// In words: the share of the way by rows seen, and the regret by class.
    pub fn words(&self) -> String {
        let way = |costs: &Costs| costs.way.as_ref().map_or_else(|| "–".into(), |way| figure(way.value));
        let rows: Vec<String> = self.rows.iter().map(way).collect();
        let regret = |(name, .., costs): &(String, usize, usize, Costs)| format!("{name} {}", estimated(&costs.regret));
        let classes: Vec<String> = self.classes.iter().map(regret).collect();
        let mean = mean(&self.rows.iter().filter_map(|costs| Some(costs.way.as_ref()?.value)).collect::<Vec<_>>());
        format!(
            "By rows seen, from 1 on, the share of the way to Bayes is {} (mean {}). Nats above Bayes by Wolfram's class: {}.",
            rows.join(", "),
            figure(mean),
            if classes.is_empty() { "–".into() } else { classes.join("; ") }
        )
    }
}
