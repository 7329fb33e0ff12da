//! The claim `fate`: that a glider will meet its doom is decodable before it does.

use serde_json::json;

use super::super::probing::{Reading, best, inside, is_output};
use super::super::reading::Concept;
use super::super::zoo::Group;
use super::checks::{description, selectivity, training, unseen};
use super::desk::{Baseline, Desk, Difference, Part, number, readings, strongest, words};
use super::layers::by_layer;
use super::used::Used;
use crate::claims::{Evidence, Finding};
use crate::experiment::{Section, Table};
use crate::figures::{Axis, Figure, Line, Plot, Value};

const DOOMED: Concept = Concept::Doomed;

fn all_baselines<'a>(desk: &'a Desk<'_>) -> Vec<Baseline<'a>> {
    let measured = desk.measured;
    let one = |reading: Option<&'a Reading>| reading.into_iter().collect::<Vec<_>>();
    let mut all: Vec<Baseline<'a>> = measured
        .ruler
        .iter()
        .map(|reading| Baseline { name: reading.features.clone(), readings: vec![reading] })
        .collect();
    let more = [
        ("convolutional network with the same light cone", one(measured.cone.as_ref())),
        ("raw cells, linear", one(best(&measured.raw.linear, DOOMED))),
        ("raw cells, perceptron", one(best(&measured.raw.perceptron, DOOMED))),
        ("random weights", desk.chosen(Group::Untrained, DOOMED, inside)),
        ("next-step model", desk.chosen(Group::NextStep, DOOMED, inside)),
    ];
    all.extend(more.map(|(name, readings)| Baseline { name: name.into(), readings }));
    all
}

/// The finding and what the report shows.
pub fn find(desk: &Desk<'_>, used: &Used) -> Part {
    let measured = desk.measured;
    let ours = desk.chosen(Group::Jump, DOOMED, inside);
    let baselines = all_baselines(desk);
    let chosen = strongest(&baselines);
    let against =
        |what: &str, theirs: Vec<&Reading>| desk.contrast(what, &[DOOMED], std::slice::from_ref(&ours), &[theirs]);
    let effect = chosen.and_then(|baseline| against("fate", baseline.readings.clone()));
    let output = desk.chosen(Group::Jump, DOOMED, is_output);
    let beyond_output = against("fate output", output.clone());
    let control = desk.chosen(Group::Control, DOOMED, inside);
    let accuracy = |readings: &[&Reading]| super::desk::mean(readings.iter().map(|reading| reading.accuracy));
    let counts = {
        let truth = super::super::probing::truth(&measured.examples.parts[2], DOOMED, desk.settings.longest());
        let doomed = truth.iter().filter(|(label, _)| *label == 1).count();
        (doomed, truth.len() - doomed)
    };
    let list: Vec<String> = baselines.iter().map(Baseline::words).collect();
    let matthews = super::desk::mean(ours.iter().filter_map(|reading| reading.matthews));
    let (beats, unseen) = unseen(desk, DOOMED);
    let evidence = vec![
        Evidence::new(
            1,
            used.doomed.as_ref().is_some_and(Difference::above_zero),
            match &used.doomed {
                Some(doomed) => format!(
                    "gliders transplanted to where they meet their doom: overlap of predicted with simulated change beyond \
                     the best control {}; null, random and wrong patches, dose and damage under the claim `use`",
                    doomed.words()
                ),
                None => "no transplanted glider meets its doom".into(),
            },
        ),
        Evidence::new(2, effect.is_some(), format!("trained {}, {}", number(accuracy(&ours)), list.join(", "))),
        Evidence::new(
            3,
            effect.is_some(),
            format!(
                "gliders that are still whole, {} doomed within {} steps and {} not; balanced accuracy (majority .5); \
                 Matthews {}",
                counts.0,
                desk.settings.longest(),
                counts.1,
                number(matthews)
            ),
        ),
        Evidence::new(4, measured.leaks.none(), measured.leaks.figure()),
        selectivity(desk, &[DOOMED]),
        Evidence::new(7, used.necessity_of_doom.0, used.necessity_of_doom.1.clone()),
        Evidence::new(
            8,
            beyond_output.as_ref().is_some_and(Difference::above_zero),
            match &beyond_output {
                Some(difference) => format!(
                    "balanced accuracy beyond a probe of the model's own output at the glider's tokens ({}): {}",
                    number(accuracy(&output)),
                    difference.words()
                ),
                None => "the output could not be probed".into(),
            },
        ),
        description(desk, &[DOOMED]),
        Evidence::new(10, beats, unseen),
        training(desk, &[DOOMED]),
        Evidence::new(
            12,
            chosen.is_some(),
            format!(
                "tap, pooling and penalty, and the strongest baseline ({}), are chosen on validation boards; one figure is \
                 reported on test boards",
                chosen.map_or("none", |baseline| baseline.name.as_str())
            ),
        ),
    ];
    let finding = Finding {
        claim: "fate".into(),
        measured: effect.as_ref().map(|effect| effect.measured("balanced accuracy")),
        evidence,
    };
    let row = |name: &str, of: &[&Reading]| {
        let estimate = desk.accuracy(&format!("fate {name}"), of, DOOMED);
        vec![name.to_string(), estimate.as_ref().map_or_else(|| "–".into(), words)]
    };
    let mut rows = vec![row("trained to jump", &ours)];
    rows.extend(baselines.iter().map(|baseline| row(&baseline.name, &baseline.readings)));
    rows.push(row("control-world model", &control));
    rows.push(row("the model's own output", &output));
    let table = Table {
        caption: format!(
            "Whether a glider is destroyed within {} steps, told before it happens: balanced accuracy on test boards.",
            desk.settings.longest()
        ),
        header: vec!["what is read".into(), "balanced accuracy (95% interval)".into()],
        rows,
    };
    let mut figures = vec![by_layer(desk, DOOMED)];
    figures.extend(curve(desk));
    let section = Section {
        title: "Fate".into(),
        claim: Some("fate".into()),
        text: vec![
            "A glider is doomed if its surroundings will for good be other than those of a glider on its way. The \
             convolutional network learns from the same labelled gliders as the probes, in all orientations; it has not \
             seen the boards that the models were trained on."
                .into(),
        ],
        figures,
        tables: vec![table],
    };
    let probes = json!({
        "doomed": counts.0,
        "not_doomed": counts.1,
        "ruler": readings(&measured.ruler),
        "cone": measured.cone.as_ref().map(|cone| readings(std::slice::from_ref(cone))),
        "strongest_baseline": chosen.map(|baseline| baseline.name.clone()),
        "effect": effect.as_ref().map(|d| json!({ "estimate": d.estimate, "per_seed": d.per_seed })),
        "minus_output": beyond_output.as_ref().map(|d| json!({ "estimate": d.estimate, "per_seed": d.per_seed })),
    });
    Part { finding, sections: vec![section], probes }
}

fn curve(desk: &Desk<'_>) -> Option<Figure> {
    let at = |horizon: u32| {
        let of = desk.measured.over_horizons.iter().filter_map(|of| {
            let (_, points) = of.value.iter().find(|(own, _)| *own == horizon)?;
            points.iter().find(|point| point.concept == DOOMED.name()).map(|point| point.accuracy)
        });
        let values: Vec<f64> = of.collect();
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let value = super::desk::mean(values)?;
        Some((f64::from(horizon), Value { value, interval: Some((low, high)) }))
    };
    let points: Vec<(f64, Value)> = desk.settings.horizons().into_iter().filter_map(at).collect();
    (!points.is_empty()).then(|| Figure {
        name: "fate-horizon".into(),
        title: "Doom within k steps, by k".into(),
        caption:
            "Trained models asked for the horizon k, read where they are read at the longest. Bands: from the least to \
                  the greatest of the models. Left out are horizons within which too few gliders are doomed."
                .into(),
        plot: Plot::Lines {
            x: Axis::new("k (steps)").logarithmic(),
            y: Axis::new("balanced accuracy").spanning(0.0, 1.0),
            series: vec![Line { name: "trained to jump".into(), baseline: false, points }],
        },
    })
}
