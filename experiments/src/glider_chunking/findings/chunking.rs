//! The claim `chunking`: gliders, their heading and their phase are linearly decodable beyond all baselines.

use serde_json::{Value as Json, json};

use super::super::measure::Of;
use super::super::probing::{Reading, best, inside, is_output};
use super::super::reading::{Concept, taps};
use super::super::zoo::Group;
use super::checks::{
    HELD, abstraction, confusion, description, held_arm, held_groups, held_out_json, selectivity, training,
};
use super::desk::{Baseline, Desk, Difference, Part, mean, number, readings, strongest, words};
use super::layers::{by_layer, over_horizons, over_training};
use super::used::Used;
use crate::claims::{Evidence, Finding, Refuter};
use crate::evidence::over_seeds;
use crate::experiment::{Section, Table};
use crate::figures::Figure;

const CONCEPTS: [Concept; 3] = Concept::OBJECT;

/// Baselines of a concept that the claim has to beat.
pub fn baselines<'a>(desk: &'a Desk<'_>, concept: Concept) -> Vec<Baseline<'a>> {
    let raw = |position: bool| {
        let of = desk.measured.raw.linear.iter().filter(move |reading| (reading.features == "position") == position);
        best(of, concept).into_iter().collect::<Vec<_>>()
    };
    let embedded = |reading: &Reading| reading.features.starts_with("embed");
    [
        ("random weights", desk.chosen(Group::Untrained, concept, inside)),
        ("next-step model", desk.chosen(Group::NextStep, concept, inside)),
        ("raw cells", raw(false)),
        ("embeddings", desk.chosen(Group::Jump, concept, embedded)),
        ("position", raw(true)),
    ]
    .map(|(name, readings)| Baseline { name: name.into(), readings })
    .into()
}

/// The finding and what the report shows.
pub fn find(desk: &Desk<'_>, used: &Used) -> Part {
    let measured = desk.measured;
    let ours: Vec<Vec<&Reading>> = CONCEPTS.iter().map(|&c| desk.chosen(Group::Jump, c, inside)).collect();
    let all: Vec<Vec<Baseline<'_>>> = CONCEPTS.iter().map(|&concept| baselines(desk, concept)).collect();
    let chosen: Vec<Option<&Baseline<'_>>> = all.iter().map(|of| strongest(of)).collect();
    let against = |what: &str, theirs: &[Vec<&Reading>]| desk.contrast(what, &CONCEPTS, &ours, theirs);
    let theirs: Vec<Vec<&Reading>> =
        chosen.iter().map(|baseline| baseline.map_or(Vec::new(), |baseline| baseline.readings.clone())).collect();
    let effect = against("chunking", &theirs);
    let of = |group: Group| -> Vec<Vec<&Reading>> { CONCEPTS.iter().map(|&c| desk.chosen(group, c, inside)).collect() };
    let control = against("chunking control world", &of(Group::Control));
    let output: Vec<Vec<&Reading>> = CONCEPTS.iter().map(|&c| desk.chosen(Group::Jump, c, is_output)).collect();
    let beyond_output = against("chunking output", &output);
    let measured_claim = effect.as_ref().map(|effect| {
        let mut claim = effect.measured("balanced accuracy");
        claim.refuter = control.as_ref().map(|control| Refuter {
            holds: control.estimate.interval.1 < 0.0,
            figure: format!("trained minus control world: {}", control.words()),
        });
        claim
    });

    let accuracies: Vec<String> = CONCEPTS
        .iter()
        .zip(&ours)
        .zip(&all)
        .map(|((concept, ours), baselines)| {
            let list: Vec<String> = baselines.iter().map(Baseline::words).collect();
            format!("{}: trained {}, {}", concept.name(), number(average(ours)), list.join(", "))
        })
        .collect();
    let matthews: Vec<String> = CONCEPTS
        .iter()
        .zip(&ours)
        .map(|(concept, ours)| {
            format!("{} {}", concept.name(), number(mean(ours.iter().filter_map(|reading| reading.matthews))))
        })
        .collect();
    let evidence = vec![
        Evidence::new(
            1,
            used.effect.as_ref().is_some_and(Difference::above_zero),
            match &used.effect {
                Some(effect) => format!(
                    "a glider's activations, transplanted between the ends, change the prediction as a glider there would: \
                     overlap beyond the best control {}; dose and damage under the claim `use`",
                    effect.words()
                ),
                None => "no transplant could be measured".into(),
            },
        ),
        Evidence::new(2, effect.is_some(), accuracies.join("; ")),
        Evidence::new(
            3,
            effect.is_some(),
            format!(
                "objects only, no empty cells; gliders against as many look-alikes of five cells and other small objects; \
                 balanced accuracy (majority: .5 for presence, .25 for heading and phase); Matthews: {}",
                matthews.join(", ")
            ),
        ),
        Evidence::new(
            4,
            measured.leaks.none(),
            format!("{}; reported look-alikes are of shapes that no probe was fitted to", measured.leaks.figure()),
        ),
        selectivity(desk, &CONCEPTS),
        Evidence::new(7, used.necessity.0, used.necessity.1.clone()),
        Evidence::new(
            8,
            beyond_output.as_ref().is_some_and(Difference::above_zero),
            match &beyond_output {
                Some(difference) => format!(
                    "balanced accuracy beyond a probe of the model's own output at the same tokens: {}; beyond raw cells, \
                     see item 2",
                    difference.words()
                ),
                None => "the output could not be probed".into(),
            },
        ),
        description(desk, &CONCEPTS),
        abstraction(desk),
        training(desk, &CONCEPTS),
        multiplicity(desk, &chosen),
    ];
    let finding = Finding { claim: "chunking".into(), measured: measured_claim, evidence };
    let json_of = |difference: &Option<Difference>| {
        difference.as_ref().map(|d| json!({ "estimate": d.estimate, "per_seed": d.per_seed }))
    };
    let probes = json!({
        "readings": by_name(&measured.probes, |value| readings(value)),
        "raw": {
            "linear": readings(&measured.raw.linear),
            "perceptron": readings(&measured.raw.perceptron),
            "in_the_objects_own_frame": readings(&measured.raw.privileged),
        },
        "strongest_baselines": CONCEPTS.iter().zip(&chosen).map(|(concept, baseline)| {
            json!({ "concept": concept.name(), "baseline": baseline.map(|baseline| baseline.name.clone()) })
        }).collect::<Vec<_>>(),
        "effect": json_of(&effect),
        "minus_control_world": json_of(&control),
        "minus_output": json_of(&beyond_output),
        "selectivity": by_name(&measured.selectivity, |value| json!(value)),
        "description_length": by_name(&measured.codes, |value| json!(value)),
        "held_out": held_out_json(desk),
        "over_horizons": by_name(&measured.over_horizons, |value| json!(value)),
        "over_training": by_name(&measured.over_training, |value| json!(value)),
        "displacement": {
            "models": by_name(&measured.displacement, |value| json!(value)),
            "raw_cells_and_horizon": measured.displacement_raw,
        },
    });
    let mut figures: Vec<Figure> = CONCEPTS.iter().map(|&concept| by_layer(desk, concept)).collect();
    figures.extend([over_horizons(desk), over_training(desk)].into_iter().flatten());
    let section = Section {
        title: "What is decodable of an object".into(),
        claim: Some("chunking".into()),
        text: vec![
            "Probes read the tokens that hold an object's box of 3×3 cells (2×2 tokens for patches of 2×2, at any \
             alignment): their mean, or side by side. Tap, pooling and penalty are chosen on validation boards. Every \
             baseline gets the same probe, frame and choice."
                .into(),
        ],
        figures,
        tables: vec![summary(desk, &ours, &all), frames(desk), where_to(desk)],
    };
    Part { finding, sections: vec![section], probes }
}

fn average(readings: &[&Reading]) -> Option<f64> {
    mean(readings.iter().map(|reading| reading.accuracy))
}

fn by_name<T>(of: &[Of<T>], value: impl Fn(&T) -> Json) -> Json {
    Json::Array(of.iter().map(|of| json!({ "model": of.name, "value": value(&of.value) })).collect())
}

/// Item 12.
fn multiplicity(desk: &Desk<'_>, chosen: &[Option<&Baseline<'_>>]) -> Evidence {
    let names: Vec<String> = CONCEPTS
        .iter()
        .zip(chosen)
        .map(|(concept, baseline)| format!("{}: {}", concept.name(), baseline.map_or("none", |b| b.name.as_str())))
        .collect();
    Evidence::new(
        12,
        chosen.iter().all(Option::is_some),
        format!(
            "of {} taps, two poolings and four penalties a concept, and of the baselines ({}), the best is chosen on \
             validation boards; one figure is reported on test boards; the probes are tested on planted features",
            taps(desk.settings.model.depth).len(),
            names.join(", ")
        ),
    )
}

fn summary(desk: &Desk<'_>, ours: &[Vec<&Reading>], all: &[Vec<Baseline<'_>>]) -> Table {
    let mut header = vec!["what is read".to_string()];
    header.extend(CONCEPTS.iter().map(|concept| concept.name().to_string()));
    let row = |name: &str, of: Vec<Vec<&Reading>>| {
        let mut row = vec![name.to_string()];
        row.extend(CONCEPTS.iter().zip(of).map(|(&concept, readings)| {
            let estimate = desk.accuracy(&format!("summary {name} {}", concept.name()), &readings, concept);
            estimate.as_ref().map_or_else(|| "–".into(), words)
        }));
        row
    };
    let mut rows = vec![row("trained to jump", ours.to_vec())];
    for slot in 0..all[0].len() {
        rows.push(row(&all[0][slot].name, all.iter().map(|of| of[slot].readings.clone()).collect()));
    }
    let control = CONCEPTS.iter().map(|&concept| desk.chosen(Group::Control, concept, inside));
    rows.push(row("control-world model", control.collect()));
    let output = CONCEPTS.iter().map(|&concept| desk.chosen(Group::Jump, concept, is_output));
    rows.push(row("the model's own output", output.collect()));
    Table {
        caption:
            "Balanced accuracy of linear probes on test boards, each where it did best on validation boards, with 95% \
                  bootstrap intervals over model seeds and boards."
                .into(),
        header,
        rows,
    }
}

/// Frames and capacity: what raw cells give, also in the object's own frame and to a perceptron.
fn frames(desk: &Desk<'_>) -> Table {
    let raw = &desk.measured.raw;
    let mut rows = Vec::new();
    for (kind, list) in
        [("linear", &raw.linear), ("perceptron", &raw.perceptron), ("linear, the object's own frame", &raw.privileged)]
    {
        let mut names: Vec<&str> = Vec::new();
        list.iter().for_each(|reading| {
            if !names.contains(&reading.features.as_str()) {
                names.push(&reading.features);
            }
        });
        for name in names {
            let mut row = vec![name.to_string(), kind.to_string()];
            row.extend(Concept::ALL.iter().map(|concept| {
                let of = list.iter().find(|reading| reading.features == name && reading.concept == concept.name());
                number(of.map(|reading| reading.accuracy))
            }));
            rows.push(row);
        }
    }
    let mut header = vec!["cells".to_string(), "probe".to_string()];
    header.extend(Concept::ALL.iter().map(|concept| concept.name().to_string()));
    Table {
        caption: "Raw input in several frames, balanced accuracy. A frame centred on the object is told where in its \
                  tokens the object lies, which no model is: a reference, not a baseline."
            .into(),
        header,
        rows,
    }
}

/// Kinds held out, and where gliders will be.
fn where_to(desk: &Desk<'_>) -> Table {
    let groups = held_groups(desk);
    let mut header = vec!["what is asked".to_string()];
    header.extend(groups.iter().map(|(name, _)| (*name).to_string()));
    let mut rows: Vec<Vec<String>> = HELD
        .iter()
        .map(|(concept, factor)| {
            let mut row = vec![format!("{} of gliders of an unseen {factor}", concept.name())];
            row.extend(groups.iter().map(|(_, of)| {
                let arm = held_arm(desk, of, *concept, factor);
                number(arm.and_then(|arm| over_seeds(&arm.totals(), confusion)))
            }));
            row
        })
        .collect();
    let displaced =
        |group: Group| mean(desk.measured.displacement.iter().filter(|of| of.group == group).filter_map(|of| of.value));
    rows.push(vec![
        "where it will be (R², one map for all horizons)".into(),
        number(displaced(Group::Jump)),
        number(displaced(Group::Untrained)),
        "–".into(),
        "–".into(),
        number(desk.measured.displacement_raw),
    ]);
    Table {
        caption: "Abstraction: balanced accuracy of linear probes on gliders of a heading, phase or alignment that they were \
                  not fitted to (each in turn); and how well a glider's place at the horizon is a linear function."
            .into(),
        header,
        rows,
    }
}
