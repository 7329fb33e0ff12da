//! What the report shows of the table in the residual stream.

use super::super::words::{Desk, estimated, explained, number};
use super::found::Found;
use super::moments::{Frame, Stratum};
use super::outcome::{curve, guess, named};
use super::readings::{Belief, Reading};
use super::steering::{Change, Write};
use crate::claims::figure;
use crate::evidence::{Design, over_seeds};
use crate::experiment::{Section, Table};
use crate::figures::{Axis, Bars, Figure, Line, Plot, Value};

/// Accuracies of the trained models' tap and of the baselines, by stratum.
pub fn table_section(found: &Found, desk: &Desk<'_>) -> Section {
    let (tap, frame) = found.chosen.table;
    let concepts = found.concepts(frame);
    let accuracy = |t: &[f64]| found.sets.accuracy(&concepts, t);
    let strata = [("idle", Stratum::Idle), ("current", Stratum::Current), ("open", Stratum::Open)];
    let bars = |name: &str, baseline: bool, readings: &[&Reading]| {
        let value = |(stratum_name, stratum): (&str, Stratum)| {
            let arm = found.arm_of(&concepts, readings, stratum);
            let what = format!("bar {name} {stratum_name}");
            let estimate = desk.estimate(&what, Design::Crossed, &[&arm], &|t| over_seeds(&t[0], accuracy))?;
            Some(Value { value: estimate.value, interval: Some(estimate.interval) })
        };
        Bars { name: name.into(), baseline, values: strata.map(value).to_vec() }
    };
    let mut series = vec![bars(&format!("trained, {}", found.taps[tap]), false, &found.of_tap(tap))];
    for baseline in found.baselines(&|reading| reading.entries(frame)) {
        series.push(bars(&baseline.name, true, &baseline.readings));
    }
    let row = |name: String, readings: &[&Reading]| {
        let of = |concepts: &[usize], stratum: Stratum| {
            let arm = found.arm_of(concepts, readings, stratum);
            number(over_seeds(&arm.totals(), |t| found.sets.accuracy(concepts, t)))
        };
        let mut row = vec![name];
        for frame in Frame::ALL {
            let concepts = found.concepts(frame);
            row.extend(strata.map(|(_, stratum)| of(&concepts, stratum)));
            row.push(of(&[frame.state()], Stratum::Current));
            let beliefs: Vec<&Belief> = readings.iter().map(|r| &r.beliefs[frame as usize]).collect();
            row.push(number(over_seeds(&found.squares(&beliefs).totals(), explained)));
        }
        row
    };
    let mut rows: Vec<Vec<String>> =
        found.taps.iter().enumerate().map(|(tap, name)| row(name.clone(), &found.of_tap(tap))).collect();
    rows.push(row("own next-step distribution".into(), &found.of_tap(found.taps.len())));
    for (tap, name) in found.taps.iter().enumerate().skip(1) {
        rows.push(row(format!("random weights, {name}"), &[&found.untrained[tap]]));
    }
    for reading in &found.context {
        rows.push(row(reading.source.clone(), &[reading]));
    }
    let bayes = |stratum| number(guess(found, &concepts, stratum));
    let curve_line = |name: &str, of: fn(&super::Stand) -> f64| Line {
        name: name.into(),
        baseline: false,
        points: curve(found, of)
            .into_iter()
            .filter(|(step, _)| *step > 0)
            .map(|(step, value)| (step as f64, Value { value, interval: None }))
            .collect(),
    };
    Section {
        title: "The table in the residual stream".into(),
        claim: Some("table".into()),
        text: vec![format!(
            "Idle: the evidence determines the entry and the step to come does not need it. Current: it may be needed now. Open: \
             the evidence leaves it open; Bayes's likeliest transition is the true one at {} of these moments.",
            bayes(Stratum::Open)
        )],
        figures: vec![
            Figure {
                name: "table".into(),
                title: "Reading an entry of the table".into(),
                caption: "Balanced accuracy of linear probes, mean over the entries; 95% bootstrap intervals over seeds and runs."
                    .into(),
                plot: Plot::Bars {
                    y: Axis::new("balanced accuracy").spanning(0.0, 1.0),
                    groups: strata.map(|(name, _)| name.to_string()).to_vec(),
                    series,
                },
            },
            Figure {
                name: "table-training".into(),
                title: "When the table and the belief appear".into(),
                caption: "On the moments for choosing, mean over models.".into(),
                plot: Plot::Lines {
                    x: Axis::new("optimiser steps").logarithmic(),
                    y: Axis::new("accuracy; variance explained").spanning(0.0, 1.0),
                    series: vec![
                        curve_line("idle entries, balanced accuracy", |stand| stand.table),
                        curve_line("belief, variance explained", |stand| stand.belief),
                    ],
                },
            },
        ],
        tables: vec![Table {
            caption: "Means over models, in the absolute frame (a) and the relative one (r): balanced accuracy of entries by how they \
                      stand, of the determined state (r: whether the last step changed it), and the share of the belief's \
                      variance that a linear map explains."
                .into(),
            header: [
                "features", "a idle", "a current", "a open", "a state", "a belief", "r idle", "r current", "r open",
                "r changed", "r belief",
            ]
            .map(String::from)
            .to_vec(),
            rows,
        }],
    }
}

/// What the interventions did.
pub fn steering_section(found: &Found) -> Section {
    let rows = Write::ALL
        .iter()
        .map(|&write| {
            let of = |pick: fn(&Change) -> f64| figure(found.mean_change(write, pick));
            vec![write.name().into(), of(|c| c.gain), of(|c| c.loss), of(|c| c.damage)]
        })
        .collect();
    Section {
        title: "Writing an entry".into(),
        claim: Some("table".into()),
        text: vec![
            "Between the firing of an entry and its next use, the way from the own transition's mean activation to the twin's is \
             added; the prediction at the next use is scored, which is not edited."
                .into(),
        ],
        figures: Vec::new(),
        tables: vec![Table {
            caption: "Means over models and pairs, in probability.".into(),
            header: ["edit", "gain of the twin's step", "loss of the own step", "loss at other entries"]
                .map(String::from)
                .to_vec(),
            rows,
        }],
    }
}

/// How well the belief is a linear image of what.
pub fn belief_section(found: &Found, desk: &Desk<'_>) -> Section {
    let (tap, frame) = found.chosen.belief;
    let mut rows = Vec::new();
    let mut add = |name: String, readings: &[&Reading]| {
        let beliefs: Vec<&Belief> = readings.iter().map(|r| &r.beliefs[frame as usize]).collect();
        let arm = found.squares(&beliefs);
        let what = format!("belief table {name}");
        let estimate = desk.estimate(&what, Design::Crossed, &[&arm], &|t| over_seeds(&t[0], explained));
        rows.push(vec![name, estimated(&estimate)]);
    };
    add(format!("trained, {}", named(found, found.chosen.belief)), &found.of_tap(tap));
    for baseline in found.baselines(&|reading| reading.beliefs[frame as usize].choose) {
        add(baseline.name.clone(), &baseline.readings);
    }
    Section {
        title: "Bayes's belief as a linear image".into(),
        claim: Some("belief".into()),
        text: vec![
            "The belief: Bayes's probability of every transition in every entry of the table, over the whole class; in the absolute \
             frame of every state as well, in the relative one with states counted from the one that the machine is in."
                .into(),
        ],
        figures: Vec::new(),
        tables: vec![Table {
            caption: "Share of the belief's variance explained by a ridge regression, out of sample.".into(),
            header: ["features", "explained"].map(String::from).to_vec(),
            rows,
        }],
    }
}
