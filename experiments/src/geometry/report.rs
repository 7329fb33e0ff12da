//! What the report shows.

use super::outcome::{Baseline, Sums};
use crate::claims::figure;
use crate::evidence::statistics::mean;
use crate::experiment::{Section, Table};
use crate::figures::{Axis, Bars, Figure, Line, Plot, Value};
use crate::machines::words::{estimated, mean_curve};

/// Shai et al. 2024: squared correlation of distances between beliefs with those between their images in the residual
/// stream, and with those between next-symbol distributions.
const PUBLISHED: [f64; 2] = [0.95, 0.31];

/// The sections of the report.
pub fn sections(sums: &Sums<'_>, baselines: &[Baseline<'_>]) -> Vec<Section> {
    let found = sums.found;
    let (chosen, output) = (found.chosen.0, found.sources.len() - 1);
    let distances = |source: usize| mean(&sums.of_source(source).iter().map(|r| r.distances).collect::<Vec<_>>());
    let explained =
        |source: usize| mean(&sums.of_source(source).iter().map(|r| r.squares.explained()).collect::<Vec<_>>());
    let mut rows: Vec<Vec<String>> = found
        .sources
        .iter()
        .enumerate()
        .map(|(place, name)| {
            let estimate = sums.alone(&Sums::arm(&sums.of_source(place)), &format!("row {name}"));
            let everywhere = figure(found.everywhere[place]);
            let untrained = figure(found.untrained[place].squares.explained());
            vec![name.clone(), estimated(&estimate), figure(distances(place)), everywhere, untrained]
        })
        .collect();
    rows.extend(found.context.iter().map(|reading| {
        let dash = || "–".to_string();
        vec![reading.source.clone(), figure(reading.squares.explained()), figure(reading.distances), dash(), dash()]
    }));
    let bar = |name: &str, baseline: bool, readings: &[&super::Reading]| Bars {
        name: name.into(),
        baseline,
        values: vec![
            sums.alone(&Sums::arm(readings), &format!("bar {name}"))
                .map(|estimate| Value { value: estimate.value, interval: Some(estimate.interval) }),
        ],
    };
    let mut series = vec![bar(&format!("trained, {}", found.sources[chosen]), false, &sums.of_source(chosen))];
    series.push(bar("own next-symbol distribution", true, &sums.of_source(output)));
    series.extend(baselines.iter().map(|(name, readings)| bar(name, true, readings)));
    let curve = mean_curve(&found.closer.iter().map(|closer| &closer.curve).collect::<Vec<_>>(), |c| c.0, |c| c.1);
    let points = curve.into_iter().filter(|(step, _)| *step > 0);
    let line = Line {
        name: found.sources[chosen].clone(),
        baseline: false,
        points: points.map(|(step, value)| (step as f64, Value { value, interval: None })).collect(),
    };
    vec![Section {
        title: "The belief as a linear image".into(),
        claim: Some("image".into()),
        text: vec![
            format!(
                "Published (Shai et al. 2024, fitted and scored on the same contexts): distances between beliefs and between \
                 their images in the residual stream share {} of their variance, distances between next-symbol distributions \
                 {}. Here, out of sample and at novel contexts alone: {} and {}; as a share of the belief's variance explained, \
                 {} and {}.",
                figure(PUBLISHED[0]),
                figure(PUBLISHED[1]),
                figure(distances(chosen)),
                figure(distances(output)),
                figure(explained(chosen)),
                figure(explained(output))
            ),
            "What differs: five models of our own architecture (a learnt bias for each relative position) instead of one; AdamW \
             instead of plain descent, and far fewer steps; ridge regression, its penalty chosen on other contexts, scored on \
             contexts that neither model nor probe met. Of Mess3 the exact next-symbol distribution is an invertible linear \
             image of the belief that keeps the ratios of distances, so that there it must read the belief perfectly, and the \
             published low figure for it can only hold of random-random-xor, where many beliefs predict the same symbol."
                .into(),
        ],
        figures: vec![
            Figure {
                name: "belief".into(),
                title: "Reading the belief".into(),
                caption: "Share of the belief's variance explained at novel contexts; 95% bootstrap intervals over seeds and \
                          sequences."
                    .into(),
                plot: Plot::Bars {
                    y: Axis::new("variance explained").spanning(0.0, 1.0),
                    groups: vec!["belief".into()],
                    series,
                },
            },
            Figure {
                name: "belief-training".into(),
                title: "When the belief appears".into(),
                caption: "Share of variance explained on the contexts for choosing, mean over models.".into(),
                plot: Plot::Lines {
                    x: Axis::new("step").logarithmic(),
                    y: Axis::new("variance explained"),
                    series: vec![line],
                },
            },
        ],
        tables: vec![
            Table {
                caption: "Published and here: squared correlation of distances.".into(),
                header: ["of distances between beliefs with", "published", "here"].map(String::from).to_vec(),
                rows: vec![
                    vec!["those read from the residual stream".into(), figure(PUBLISHED[0]), figure(distances(chosen))],
                    vec!["those between next-symbol distributions".into(), figure(PUBLISHED[1]), figure(distances(output))],
                ],
            },
            Table {
                caption: "By source: share of variance explained at novel contexts (with its interval), squared correlation of \
                          distances, the first model's share with all positions in, and the share with random weights."
                    .into(),
                header: ["source", "explained", "distances", "all positions", "random weights"].map(String::from).to_vec(),
                rows,
            },
        ],
    }]
}
