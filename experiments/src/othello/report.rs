//! What the report shows.

use super::closer::pooled;
use super::edits::Change;
use super::games::Frame;
use super::outcome::{Baseline, Sums};
use super::readings::{Reading, total};
use crate::claims::figure;
use crate::evidence::metrics::ratio;
use crate::evidence::statistics::mean;
use crate::experiment::{Section, Table};
use crate::figures::{Axis, Bars, Figure, Line, Plot, Value};
use crate::machines::words::{estimated, mean_curve};

/// About what linear probes read of all squares at the best layer: mine or theirs (Nanda, Lee and Wattenberg 2023), black or
/// white (Li et al. 2023).
const PUBLISHED: [f64; 2] = [0.99, 0.80];
/// Li et al. (2023), natural games: errors among as many likeliest moves as are legal, without and with the edit.
const PUBLISHED_ERRORS: [f64; 2] = [2.68, 0.12];

/// The sections of the report.
pub fn sections<'a>(sums: &Sums<'a>, baselines: &[Vec<Baseline<'a>>; 2], control: Change) -> Vec<Section> {
    vec![board(sums, baselines), edits(sums, control)]
}

/// Accuracy on all squares, all discs and turned discs, as means over readings.
fn three(readings: &[&Reading], frame: Frame) -> [f64; 3] {
    let over = |of: &dyn Fn(&Reading) -> f64| mean(&readings.iter().map(|reading| of(reading)).collect::<Vec<_>>());
    let read = |reading: &Reading| reading.frames[frame as usize].clone();
    [
        over(&|reading| {
            let all = total(&read(reading).squares);
            ratio(all[0], all[1]).unwrap_or(0.0)
        }),
        over(&|reading| pooled(&read(reading).standing)),
        over(&|reading| pooled(&read(reading).turned)),
    ]
}

fn board<'a>(sums: &Sums<'a>, baselines: &[Vec<Baseline<'a>>; 2]) -> Section {
    let found = sums.found;
    let own = |frame: Frame| sums.of_source(found.chosen[frame as usize]);
    let shown = Frame::ALL.map(|frame| three(&own(frame), frame));
    let mut rows = Vec::new();
    let mut push = |name: &str, readings: &[&Reading]| {
        let [relative, absolute] = Frame::ALL.map(|frame| three(readings, frame));
        let cells = relative.iter().chain(&absolute).map(|value| figure(*value));
        rows.push(std::iter::once(name.to_string()).chain(cells).collect());
    };
    for (place, source) in found.sources.iter().enumerate() {
        push(source, &sums.of_source(place));
    }
    for reading in &found.untrained {
        push(&format!("random weights, {}", reading.source), &[reading]);
    }
    for reading in &found.context {
        push(&reading.source, &[reading]);
    }
    let bar = |name: &str, baseline: bool, of: &dyn Fn(Frame) -> Vec<&'a Reading>| Bars {
        name: name.into(),
        baseline,
        values: Frame::ALL
            .into_iter()
            .map(|frame| {
                let estimate = sums.alone(&Sums::arm(&of(frame), frame), &format!("bar {name} {}", frame.name()));
                estimate.map(|estimate| Value { value: estimate.value, interval: Some(estimate.interval) })
            })
            .collect(),
    };
    let mut series = vec![bar("trained", false, &own)];
    for (place, (input, _)) in baselines[0].iter().enumerate() {
        let name = match place {
            0 => "random weights",
            _ => input.as_str(),
        };
        series.push(bar(name, true, &|frame| baselines[frame as usize][place].1.clone()));
    }
    let curves: Vec<_> = found.closer.iter().map(|closer| &closer.curve).collect();
    let lines = Frame::ALL.map(|frame| {
        let curve = mean_curve(&curves, |c| c.0, |c| c.1[frame as usize]);
        let points = curve.into_iter().filter(|(step, _)| *step > 0);
        Line {
            name: frame.name().into(),
            baseline: frame == Frame::Absolute,
            points: points.map(|(step, value)| (step as f64, Value { value, interval: None })).collect(),
        }
    });
    Section {
        title: "The board in two frames".into(),
        claim: Some("relative".into()),
        text: vec![
            format!(
                "Published, on a board of 8×8, all squares counting: mine or theirs about {}, black or white about {}. Here, on a \
                 board of {}×{} and all squares: {} and {}; of discs alone {} and {}; of discs that were turned over since they \
                 were laid {} and {}.",
                figure(PUBLISHED[0]),
                figure(PUBLISHED[1]),
                found.size,
                found.size,
                figure(shown[0][0]),
                figure(shown[1][0]),
                figure(shown[0][1]),
                figure(shown[1][1]),
                figure(shown[0][2]),
                figure(shown[1][2]),
            ),
            "What differs: models that are told distances between moves and no absolute positions, which by itself favours the \
             frame of who is to move; a smaller board, far smaller models and less training; games of openings that neither models nor \
             probes met; positions after the opening alone; passes are not told, and *mine* is of who is to move next; ridge \
             regression in place of a trained softmax."
                .into(),
        ],
        figures: vec![
            Figure {
                name: "board-frames".into(),
                title: "Whose disc is it?".into(),
                caption: "Balanced accuracy on discs that were turned over since they were laid; 95% bootstrap intervals over seeds \
                          and games."
                    .into(),
                plot: Plot::Bars {
                    y: Axis::new("balanced accuracy").spanning(0.0, 1.0),
                    groups: Frame::ALL.map(|frame| frame.name().to_string()).to_vec(),
                    series,
                },
            },
            Figure {
                name: "board-training".into(),
                title: "When the board appears".into(),
                caption: "Balanced accuracy on turned discs of the games for choosing, mean over models.".into(),
                plot: Plot::Lines {
                    x: Axis::new("step").logarithmic(),
                    y: Axis::new("balanced accuracy"),
                    series: lines.to_vec(),
                },
            },
        ],
        tables: vec![
            Table {
                caption: "Published and here: accuracy of a linear probe on all squares.".into(),
                header: ["frame", "published", "here"].map(String::from).to_vec(),
                rows: Frame::ALL
                    .into_iter()
                    .map(|frame| {
                        let (published, own) = (PUBLISHED[frame as usize], shown[frame as usize][0]);
                        vec![frame.name().into(), figure(published), figure(own)]
                    })
                    .collect(),
            },
            Table {
                caption: "By source, mine or theirs and black or white: accuracy on all squares, balanced accuracy on all discs and \
                          on turned discs."
                    .into(),
                header: [
                    "source",
                    "relative, squares",
                    "discs",
                    "turned discs",
                    "absolute, squares",
                    "discs",
                    "turned discs",
                ]
                .map(String::from)
                .to_vec(),
                rows,
            },
        ],
    }
}

fn edits(sums: &Sums<'_>, control: Change) -> Section {
    let row = |change: Change| {
        vec![
            change.name().to_string(),
            estimated(&sums.taken(change)),
            figure(sums.of_change(change, |e| e.errors)),
            figure(sums.of_change(change, |e| e.drift)),
        ]
    };
    let before = sums.of_change(Change::Turn, |e| e.errors_before);
    Section {
        title: "A disc turned over inside the model".into(),
        claim: Some("used".into()),
        text: vec![format!(
            "Published (Li et al. 2023, a perceptron's gradient at several layers, 8×8): wrong and missing among as many likeliest \
             moves as are legal on the edited board fall from {} to {}. Here, a vector added at one layer and one position: from \
             {} to {}. The control to beat is: {}.",
            figure(PUBLISHED_ERRORS[0]),
            figure(PUBLISHED_ERRORS[1]),
            figure(before),
            figure(sums.of_change(Change::Turn, |e| e.errors)),
            control.name()
        )],
        figures: Vec::new(),
        tables: vec![Table {
            caption: "By change: share of the divergence from the moves of the edited board that it takes away; errors among the \
                      likeliest moves; mean change of the probability of moves that stay as legal as they were."
                .into(),
            header: ["change", "share taken away", "errors", "drift"].map(String::from).to_vec(),
            rows: Change::ALL.into_iter().map(row).collect(),
        }],
    }
}
