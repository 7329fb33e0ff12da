//! The claim `chunking`: gliders, their heading and their phase are linearly decodable beyond all baselines.

use serde_json::{Value as Json, json};

use super::super::measure::Of;
use super::super::probing::{Reading, best, inside};
use super::super::reading::{Concept, taps};
use super::super::rigour::{Code, HeldOut, false_alarms};
use super::super::zoo::Group;
use super::desk::{Baseline, Desk, Difference, Part, mean, number, readings, strongest, value, words};
use super::used::Used;
use crate::claims::{Evidence, Finding, Refuter, figure};
use crate::evidence::metrics::ratio;
use crate::evidence::{Arm, Confusion, Totals, over_seeds};
use crate::experiment::{Section, Table};
use crate::figures::{Axis, Bars, Figure, Line, Plot, Value};

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

fn is_output(reading: &Reading) -> bool {
    reading.features.starts_with("output")
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

/// How far below the full linear probe the smallest one that counts as good may stay, in balanced accuracy.
const AS_GOOD: f64 = 0.02;

/// A capacity's scores, means over models: components (none: all), hidden width, where chosen, truth, control.
type Capacity = (Option<usize>, usize, f64, f64, f64);

/// Scores by capacity, from the least on.
fn capacities(desk: &Desk<'_>, concept: Concept) -> Vec<Capacity> {
    let all = || desk.measured.selectivity.iter().flat_map(|of| &of.value).filter(|e| e.concept == concept.name());
    let mut sizes: Vec<(usize, usize)> =
        all().map(|entry| (entry.hidden, entry.components.unwrap_or(usize::MAX))).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let at = |(hidden, components): (usize, usize)| {
        let components = (components != usize::MAX).then_some(components);
        let of = || all().filter(move |entry| entry.hidden == hidden && entry.components == components);
        let chosen = mean(of().map(|entry| entry.chosen))?;
        Some((components, hidden, chosen, mean(of().map(|entry| entry.truth))?, mean(of().map(|entry| entry.control))?))
    };
    sizes.into_iter().filter_map(at).collect()
}

/// The smallest linear probe that is as good as the full one where choices are made.
fn smallest_as_good(capacities: &[Capacity]) -> Option<&Capacity> {
    let full = capacities.iter().find(|capacity| capacity.0.is_none() && capacity.1 == 0)?.2;
    capacities.iter().find(|capacity| capacity.1 == 0 && capacity.2 >= full - AS_GOOD)
}

fn capacity_name(&(components, hidden, ..): &Capacity) -> String {
    match (components, hidden) {
        (Some(count), _) => format!("linear on {count} components"),
        (None, 0) => "linear".into(),
        (None, hidden) => format!("{hidden} hidden units"),
    }
}

/// Item 6.
pub fn selectivity(desk: &Desk<'_>, concepts: &[Concept]) -> Evidence {
    let (mut selective, mut list) = (true, Vec::new());
    for &concept in concepts {
        let capacities = capacities(desk, concept);
        let Some(best) = smallest_as_good(&capacities) else {
            selective = false;
            continue;
        };
        selective &= best.3 > best.4;
        let sweep: Vec<String> = capacities
            .iter()
            .map(|capacity| format!("{} {} − {}", capacity_name(capacity), figure(capacity.3), figure(capacity.4)))
            .collect();
        list.push(format!(
            "{}: {} with the smallest linear probe that does as well as the full one ({}); all: {}",
            concept.name(),
            figure(best.3 - best.4),
            capacity_name(best),
            sweep.join(", ")
        ));
    }
    let figure = format!("balanced accuracy minus that on the control task: {}", list.join("; "));
    Evidence::new(6, selective && !list.is_empty(), figure)
}

/// Item 9.
pub fn description(desk: &Desk<'_>, concepts: &[Concept]) -> Evidence {
    let share = |codes: &[Code], concept: Concept| {
        let code = codes.iter().find(|code| code.concept == concept.name())?;
        ratio(code.code.bits, code.code.uniform_bits)
    };
    let (mut shorter, mut list) = (true, Vec::new());
    for &concept in concepts {
        let of = |keep: &dyn Fn(&Of<Vec<Code>>) -> bool| {
            mean(desk.measured.codes.iter().filter(|of| keep(of)).filter_map(|of| share(&of.value, concept)))
        };
        let trained = of(&|of| of.group == Group::Jump);
        let untrained = of(&|of| of.group == Group::Untrained && of.name != "raw");
        let raw = of(&|of| of.name == "raw");
        shorter &= match (trained, untrained, raw) {
            (Some(trained), Some(untrained), Some(raw)) => trained < untrained.min(raw),
            _ => false,
        };
        list.push(format!(
            "{}: trained {}, random weights {}, raw cells {}",
            concept.name(),
            number(trained),
            number(untrained),
            number(raw)
        ));
    }
    Evidence::new(
        9,
        shorter,
        format!(
            "online code as a share of the uniform code (curves over training rows in probes.json): {}",
            list.join("; ")
        ),
    )
}

/// Item 11.
pub fn training(desk: &Desk<'_>, concepts: &[Concept]) -> Evidence {
    let curve = training_points(desk, concepts);
    let list: Vec<String> = curve
        .iter()
        .map(|(step, loss, bits, accuracy)| {
            format!("{step}: {} bits, {} accuracy, loss {}", figure(*bits), figure(*accuracy), number(*loss))
        })
        .collect();
    let falls = matches!((curve.first(), curve.last()), (Some(a), Some(b)) if b.2 < a.2);
    Evidence::new(
        11,
        curve.len() >= 4 && falls,
        format!("cross-entropy of the probe in bits by training step, beside the task's loss: {}", list.join("; ")),
    )
}

/// Mean over models and concepts by checkpoint: step, loss, bits, accuracy.
fn training_points(desk: &Desk<'_>, concepts: &[Concept]) -> Vec<(u64, Option<f64>, f64, f64)> {
    let curves = &desk.measured.over_training;
    let Some(first) = curves.first() else { return Vec::new() };
    let at = |place: usize| {
        let stands: Vec<_> = curves.iter().filter_map(|of| of.value.get(place)).collect();
        let points = || {
            let all = stands.iter().flat_map(|stand| &stand.points);
            all.filter(|point| concepts.iter().any(|concept| concept.name() == point.concept))
        };
        let loss = mean(stands.iter().filter_map(|stand| stand.loss));
        Some((loss, mean(points().map(|point| point.bits))?, mean(points().map(|point| point.accuracy))?))
    };
    let steps = first.value.iter().enumerate();
    steps
        .filter_map(|(place, stand)| at(place).map(|(loss, bits, accuracy)| (stand.step, loss, bits, accuracy)))
        .collect()
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

/// The confusions of probes on kinds that they were not fitted to, by seed and board.
fn held_arm(desk: &Desk<'_>, of: &[&[HeldOut]], concept: Concept, factor: &str) -> Option<Arm> {
    let boards = desk.measured.some.parts[2].boards.len();
    let classes = concept.classes();
    let seed = |entries: &&[HeldOut]| {
        let entry = entries.iter().find(|entry| entry.concept == concept.name() && entry.factor == factor)?;
        let mut tallies = vec![vec![0.0; classes * classes]; boards];
        entry.said.iter().for_each(|&(board, label, said)| tallies[board][label * classes + said] += 1.0);
        Some(tallies)
    };
    let all: Option<Vec<_>> = of.iter().map(seed).collect();
    all.filter(|all| !all.is_empty()).map(|all| Arm::new(&all))
}

fn held_groups<'a>(desk: &'a Desk<'_>) -> Vec<(&'static str, Vec<&'a [HeldOut]>)> {
    let of = |group: Group| -> Vec<&[HeldOut]> {
        desk.measured.held_out.iter().filter(|of| of.group == group).map(|of| of.value.as_slice()).collect()
    };
    vec![
        ("trained", of(Group::Jump)),
        ("random weights", of(Group::Untrained)),
        ("next-step model", of(Group::NextStep)),
        ("raw cells", vec![desk.measured.held_out_raw.as_slice()]),
    ]
}

/// The pairs of concept and factor that were held out.
const HELD: [(Concept, &str); 7] = [
    (Concept::Presence, "heading"),
    (Concept::Presence, "phase"),
    (Concept::Presence, "alignment"),
    (Concept::Heading, "phase"),
    (Concept::Heading, "alignment"),
    (Concept::Phase, "heading"),
    (Concept::Phase, "alignment"),
];

fn confusion(counts: &[f64]) -> Option<f64> {
    Confusion::of(counts).balanced_accuracy()
}

/// Item 10: one probe for "glider" on headings, phases and alignments that it was not fitted to.
fn abstraction(desk: &Desk<'_>) -> Evidence {
    let groups = held_groups(desk);
    let factors: Vec<&str> = HELD.iter().filter(|(c, _)| *c == Concept::Presence).map(|(_, factor)| *factor).collect();
    let joined = |of: &[&[HeldOut]]| -> Option<Arm> {
        let arms: Option<Vec<Arm>> =
            factors.iter().map(|factor| held_arm(desk, of, Concept::Presence, factor)).collect();
        let arms = arms?;
        Some(Arm::joined(&arms.iter().collect::<Vec<_>>()))
    };
    let statistic = |totals: &[Vec<f64>]| {
        let each = |place: usize| over_seeds(totals, |counts| confusion(&counts[place * 4..place * 4 + 4]));
        Some((0..factors.len()).map(each).sum::<Option<f64>>()? / factors.len() as f64)
    };
    let ours = joined(&groups[0].1);
    let mut list = Vec::new();
    let mut beats = ours.is_some();
    for (name, of) in &groups {
        let Some(theirs) = joined(of) else { continue };
        let score = statistic(&theirs.totals());
        list.push(format!("{name} {}", number(score)));
        if *name != "trained"
            && let Some(ours) = &ours
        {
            let difference =
                desk.estimate(&format!("held out {name}"), "boards", &[ours, &theirs], &|totals: &Totals| {
                    Some(statistic(&totals[0])? - statistic(&totals[1])?)
                });
            beats &= difference.is_some_and(|difference| difference.interval.0 > 0.0);
        }
    }
    let alarms = |group: Group| {
        let readings = desk.chosen(group, Concept::Presence, inside);
        let rates: Vec<_> = readings.iter().map(|reading| false_alarms(&desk.measured.examples, reading)).collect();
        (mean(rates.iter().filter_map(|rate| rate.0)), mean(rates.iter().filter_map(|rate| rate.1)))
    };
    let (like, small) = alarms(Group::Jump);
    Evidence::new(
        10,
        beats && like.is_some_and(|rate| rate < 0.2),
        format!(
            "presence on headings, phases and alignments that the probe was not fitted to, balanced accuracy: {}; look-alikes \
             taken for gliders: trained {}, random weights {}; other small objects: trained {}",
            list.join(", "),
            number(like),
            number(alarms(Group::Untrained).0),
            number(small)
        ),
    )
}

fn held_out_json(desk: &Desk<'_>) -> Json {
    let of = |(name, of): (&str, Vec<&[HeldOut]>)| {
        let rows: Vec<Json> = HELD
            .iter()
            .chain(&[(Concept::Doomed, "heading"), (Concept::Doomed, "phase"), (Concept::Doomed, "alignment")])
            .map(|(concept, factor)| {
                let scores = held_arm(desk, &of, *concept, factor)
                    .map(|arm| arm.totals().iter().map(|counts| confusion(counts)).collect::<Vec<_>>());
                json!({ "concept": concept.name(), "held_out": factor, "balanced_accuracy": scores })
            })
            .collect();
        (name.to_string(), Json::Array(rows))
    };
    Json::Object(held_groups(desk).into_iter().map(of).collect())
}

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

fn over_horizons(desk: &Desk<'_>) -> Option<Figure> {
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

fn over_training(desk: &Desk<'_>) -> Option<Figure> {
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
