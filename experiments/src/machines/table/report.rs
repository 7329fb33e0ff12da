//! What the report shows of the table in the residual stream.

use super::super::words::{Desk, estimated, explained, number};
use super::found::Found;
use super::moments::Frame;
use super::outcome::{curve, named};
use crate::evidence::{Design, over_seeds};
use crate::experiment::{Section, Table};
use crate::figures::{Axis, Figure, Line, Plot, Value};
use crate::moments::Stratum;
use crate::moments::entries::STRATA;
use crate::moments::readings::{Belief, Reading};

/// Accuracies of the trained models' tap and of the baselines, by stratum.
pub fn table_section(found: &Found, desk: &Desk<'_>) -> Section {
    let concepts = found.concepts(found.chosen.table.1);
    let row = |name: String, readings: &[&Reading]| {
        let of = |concepts: &[usize], stratum: Stratum| {
            let arm = found.read.arm_of(concepts, readings, stratum);
            number(over_seeds(&arm.totals(), |t| found.read.sets.accuracy(concepts, t)))
        };
        let mut row = vec![name];
        for frame in Frame::ALL {
            let concepts = found.concepts(frame);
            row.extend(STRATA.map(|(_, stratum)| of(&concepts, stratum)));
            row.push(of(&[frame.state()], Stratum::Current));
            let beliefs: Vec<&Belief> = readings.iter().map(|r| &r.beliefs[frame as usize]).collect();
            row.push(number(over_seeds(&found.read.squares(&beliefs).totals(), explained)));
        }
        row
    };
    let mut rows: Vec<Vec<String>> =
        found.read.taps.iter().enumerate().map(|(tap, name)| row(name.clone(), &found.read.of_tap(tap))).collect();
    rows.push(row("own next-step distribution".into(), &found.read.of_tap(found.read.taps.len())));
    for (tap, name) in found.read.taps.iter().enumerate().skip(1) {
        rows.push(row(format!("random weights, {name}"), &[&found.read.untrained[tap]]));
    }
    for reading in &found.read.context {
        rows.push(row(reading.source.clone(), &[reading]));
    }
    let bayes = |stratum| number(found.read.guess(&concepts, stratum));
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
            found.entries().bars(desk, "table"),
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

/// How well the belief is a linear image of what.
pub fn belief_section(found: &Found, desk: &Desk<'_>) -> Section {
    let (tap, frame) = found.chosen.belief;
    let mut rows = Vec::new();
    let mut add = |name: String, readings: &[&Reading]| {
        let beliefs: Vec<&Belief> = readings.iter().map(|r| &r.beliefs[frame as usize]).collect();
        let arm = found.read.squares(&beliefs);
        let what = format!("belief table {name}");
        let estimate = desk.estimate(&what, Design::Crossed, &[&arm], &|t| over_seeds(&t[0], explained));
        rows.push(vec![name, estimated(&estimate)]);
    };
    add(format!("trained, {}", named(found, found.chosen.belief)), &found.read.of_tap(tap));
    for baseline in found.read.baselines(&|reading| reading.beliefs[frame as usize].choose) {
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
