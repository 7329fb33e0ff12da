//! Figures of decodability: by layer, by horizon, over training.

use super::super::probing::{best, inside};
use super::super::reading::{Concept, taps};
use super::super::zoo::Group;
use super::checks::training_points;
use super::desk::{Desk, mean, value};
use crate::claims::figure;
use crate::figures::{Axis, Bars, Figure, Line, Plot, Value};

const CONCEPTS: [Concept; 3] = Concept::OBJECT;

/// Balanced accuracy of a concept by tap, pooled by mean, for every group of models, with flat lines for raw input.
pub fn by_layer(desk: &Desk<'_>, concept: Concept) -> Figure {
    let mut groups = taps(desk.settings.model.depth);
    groups.push("output".into());
    let bars = |group: Group| {
        let at = |tap: &String| {
            let name = format!("{tap}, mean");
            let readings = desk.chosen(group, concept, |reading| reading.features == name);
            let what = format!("layer {} {} {tap}", concept.name(), group.name());
            desk.accuracy(&what, &readings, concept).map(|estimate| value(&estimate))
        };
        Bars { name: group.title().into(), baseline: group != Group::Jump, values: groups.iter().map(at).collect() }
    };
    let mut series: Vec<Bars> = Group::ALL.into_iter().map(bars).collect();
    let raw = best(&desk.measured.raw.linear, concept).map(|reading| Value { value: reading.accuracy, interval: None });
    series.push(Bars { name: "best raw cells".into(), baseline: true, values: vec![raw; groups.len()] });
    Figure {
        name: format!("layers-{}", concept.name()),
        title: format!("Decodability by layer: {}", concept.name()),
        caption: format!(
            "Balanced accuracy of linear probes on the mean of an object's tokens; chance is {}. Bands: 95% bootstrap \
             intervals over model seeds and boards. The next-step models are asked for one step.",
            figure(1.0 / concept.classes() as f64)
        ),
        plot: Plot::Bars { y: Axis::new("balanced accuracy").spanning(0.0, 1.0), groups, series },
    }
}

/// Mean with the range over models.
fn ranged(values: Vec<f64>) -> Option<Value> {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    mean(values).map(|value| Value { value, interval: Some((low, high)) })
}

/// The figure over horizons, if there is anything to draw.
pub fn over_horizons(desk: &Desk<'_>) -> Option<Figure> {
    let line = |concept: Concept| {
        let at = |horizon: u32| {
            let values = desk.measured.over_horizons.iter().filter_map(|of| {
                let (_, points) = of.value.iter().find(|(own, _)| *own == horizon)?;
                points.iter().find(|point| point.concept == concept.name()).map(|point| point.accuracy)
            });
            ranged(values.collect()).map(|value| (f64::from(horizon), value))
        };
        let points = desk.settings.horizons().into_iter().filter_map(at).collect();
        Line { name: concept.name().into(), baseline: false, points }
    };
    let mut series: Vec<Line> = CONCEPTS.into_iter().map(line).collect();
    for concept in CONCEPTS {
        let of = desk.chosen(Group::NextStep, concept, inside);
        if let Some(value) = ranged(of.iter().map(|reading| reading.accuracy).collect()) {
            let name = format!("{}, next-step models", concept.name());
            series.push(Line { name, baseline: true, points: vec![(1.0, value)] });
        }
    }
    series.retain(|line| !line.points.is_empty());
    (!series.is_empty()).then(|| Figure {
        name: "decodability-horizon".into(),
        title: "Decodability by the horizon asked for".into(),
        caption:
            "The same trained models, asked for each horizon, read where they are read at the longest. Bands: from \
                  the least to the greatest of the models."
                .into(),
        plot: Plot::Lines {
            x: Axis::new("horizon (steps)").logarithmic(),
            y: Axis::new("balanced accuracy").spanning(0.0, 1.0),
            series,
        },
    })
}

/// The figure over training, if there is anything to draw.
pub fn over_training(desk: &Desk<'_>) -> Option<Figure> {
    let line = |concept: Concept| {
        let curve = training_points(desk, &[concept]);
        // Step 0 has no place on a logarithmic axis; it is drawn at one half.
        let point = |(step, _, bits, _): (u64, Option<f64>, f64, f64)| {
            ((step as f64).max(0.5), Value { value: bits, interval: None })
        };
        Line {
            name: format!("{} (bits)", concept.name()),
            baseline: false,
            points: curve.into_iter().map(point).collect(),
        }
    };
    let mut series: Vec<Line> = CONCEPTS.into_iter().map(line).collect();
    let losses = training_points(desk, &CONCEPTS).into_iter().filter_map(|(step, loss, ..)| {
        loss.map(|loss| ((step as f64).max(0.5), Value { value: loss, interval: None }))
    });
    series.push(Line { name: "task loss (nats a cell)".into(), baseline: true, points: losses.collect() });
    series.retain(|line| !line.points.is_empty());
    (!series.is_empty()).then(|| Figure {
        name: "decodability-training".into(),
        title: "Decodability over training".into(),
        caption: "Class-balanced cross-entropy of linear probes at log-spaced checkpoints, beside the loss on \
                  live-or-changed cells at the longest horizon. Step 0 is drawn at one half."
            .into(),
        plot: Plot::Lines {
            x: Axis::new("optimiser steps").logarithmic(),
            y: Axis::new("bits, or nats").spanning(0.0, 0.0),
            series,
        },
    })
}
