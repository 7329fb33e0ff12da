//! The trained models and their losses.

use environments::Environment;
use serde_json::{Value as Json, json};

use super::super::measure::total;
use super::super::skill::overlap;
use super::super::zoo::Group;
use super::desk::{Desk, mean, number};
use crate::context::RunContext;
use crate::experiment::{Section, Table};
use crate::figures::{Axis, Figure, Line, Plot, Value};

/// The section on training, and its figures as data.
///
/// # Errors
/// If the training records cannot be read.
pub fn section(desk: &Desk<'_>, context: &RunContext<'_>) -> anyhow::Result<(Section, Json)> {
    let metrics = context.directory().metrics()?;
    let positions = desk.zoo.world.geometry().len() as u64;
    let mut rows = Vec::new();
    let mut data = Vec::new();
    for (subject, skill) in desk.zoo.subjects.iter().zip(&desk.measured.skill) {
        let last =
            metrics.iter().rev().find(|metric| metric.model == subject.name).map(|metric| f64::from(metric.loss));
        let longest = skill.value.last().map(|tallies| total(tallies)).and_then(|counts| overlap(&counts));
        let tokens = subject.steps * desk.settings.training.batch as u64 * positions;
        rows.push(vec![
            subject.name.clone(),
            subject.group.title().into(),
            subject.parameters.values.len().to_string(),
            subject.steps.to_string(),
            tokens.to_string(),
            number(last),
            number(longest),
        ]);
        data.push(json!({
            "name": subject.name,
            "parameters": subject.parameters.values.len(),
            "steps": subject.steps,
            "tokens": tokens,
            "last_loss": last,
            "overlap_at_longest_horizon": longest,
        }));
    }
    let header = [
        "model",
        "what it is",
        "parameters",
        "steps",
        "tokens",
        "last loss (nats a token)",
        "overlap at its longest horizon",
    ];
    let table = Table {
        caption:
            "All models. The overlap is the intersection over union of predicted and true boards of its own world."
                .into(),
        header: header.map(String::from).to_vec(),
        rows,
    };
    let line = |group: Group| {
        let names: Vec<&str> = desk.zoo.group(group).map(|subject| subject.name.as_str()).collect();
        let mut steps: Vec<u64> =
            metrics.iter().filter(|m| names.contains(&m.model.as_str())).map(|metric| metric.step).collect();
        steps.sort_unstable();
        steps.dedup();
        let at = |step: &u64| {
            let of = metrics.iter().filter(|m| m.step == *step && names.contains(&m.model.as_str()));
            let losses: Vec<f64> = of.map(|metric| f64::from(metric.loss)).collect();
            let low = losses.iter().copied().fold(f64::INFINITY, f64::min);
            let high = losses.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            mean(losses).map(|value| (*step as f64, Value { value, interval: Some((low, high)) }))
        };
        let baseline = group != Group::Jump;
        Line { name: group.title().into(), baseline, points: steps.iter().filter_map(at).collect() }
    };
    let series: Vec<Line> = [Group::Jump, Group::NextStep, Group::Control]
        .map(line)
        .into_iter()
        .filter(|line| !line.points.is_empty())
        .collect();
    let figures = if series.is_empty() {
        Vec::new()
    } else {
        vec![Figure {
            name: "loss".into(),
            title: "Training loss".into(),
            caption: "Mean over the models of a kind; the band is from the least to the greatest.".into(),
            plot: Plot::Lines {
                x: Axis::new("optimiser steps").logarithmic(),
                y: Axis::new("loss (nats a token)").spanning(0.0, 0.0),
                series,
            },
        }]
    };
    let text = vec![format!(
        "Models of {} blocks and width {} read a board of {}×{} cells, cut into patches of {}×{}, and a horizon, and \
         predict the board that many steps on. Model n of every kind starts from the same weights.",
        desk.settings.model.depth,
        desk.settings.model.width,
        desk.settings.world.width,
        desk.settings.world.height,
        desk.settings.world.patch,
        desk.settings.world.patch,
    )];
    let section = Section { title: "Training".into(), claim: None, text, figures, tables: vec![table] };
    Ok((section, Json::Array(data)))
}
