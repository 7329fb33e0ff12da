//! Checks that several claims share: selectivity, description length, abstraction, rise over training.

use serde_json::{Value as Json, json};

use super::super::curves::{Point, Stand};
use super::super::measure::Of;
use super::super::probing::inside;
use super::super::reading::Concept;
use super::super::rigour::{Code, HeldOut, false_alarms};
use super::super::zoo::Group;
use super::desk::{Desk, mean, number};
use crate::claims::{Evidence, figure};
use crate::evidence::metrics::ratio;
use crate::evidence::{Arm, Confusion, Totals, over_seeds};
use crate::machines::words::halfway;

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
        format!(
            "cross-entropy of the probe in bits by training step, beside the task's loss: {}; {}",
            list.join("; "),
            halfway(&bits_by_seed(desk, concepts), &["glider-chunking"])
        ),
    )
}

/// By model: step, and mean bits of the concepts.
fn bits_by_seed(desk: &Desk<'_>, concepts: &[Concept]) -> Vec<Vec<(u64, f64)>> {
    let wanted = |point: &&Point| concepts.iter().any(|concept| concept.name() == point.concept);
    let bits = |stand: &Stand| mean(stand.points.iter().filter(wanted).map(|point| point.bits));
    let curve = |stands: &Vec<Stand>| stands.iter().filter_map(|stand| Some((stand.step, bits(stand)?))).collect();
    desk.measured.over_training.iter().map(|of| curve(&of.value)).collect()
}

/// Mean over models and concepts by checkpoint: step, loss, bits, accuracy.
pub fn training_points(desk: &Desk<'_>, concepts: &[Concept]) -> Vec<(u64, Option<f64>, f64, f64)> {
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

/// The confusions of probes on kinds that they were not fitted to, by seed and board.
pub fn held_arm(desk: &Desk<'_>, of: &[&[HeldOut]], concept: Concept, factor: &str) -> Option<Arm> {
    let boards = desk.measured.some.parts[2].drawn;
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

/// The groups that are compared on kinds of glider that their probes were not fitted to, the trained models first.
pub fn held_groups<'a>(desk: &'a Desk<'_>) -> Vec<(&'static str, Vec<&'a [HeldOut]>)> {
    let of = |group: Group| -> Vec<&[HeldOut]> {
        desk.measured.held_out.iter().filter(|of| of.group == group).map(|of| of.value.as_slice()).collect()
    };
    vec![
        ("trained", of(Group::Jump)),
        ("random weights", of(Group::Untrained)),
        ("next-step model", of(Group::NextStep)),
        ("control-world model", of(Group::Control)),
        ("raw cells", vec![desk.measured.held_out_raw.as_slice()]),
    ]
}

/// The pairs of concept and factor that were held out.
pub const HELD: [(Concept, &str); 10] = [
    (Concept::Presence, "heading"),
    (Concept::Presence, "phase"),
    (Concept::Presence, "alignment"),
    (Concept::Heading, "phase"),
    (Concept::Heading, "alignment"),
    (Concept::Phase, "heading"),
    (Concept::Phase, "alignment"),
    (Concept::Doomed, "heading"),
    (Concept::Doomed, "phase"),
    (Concept::Doomed, "alignment"),
];

/// Balanced accuracy of summed confusion counts.
pub fn confusion(counts: &[f64]) -> Option<f64> {
    Confusion::of(counts).balanced_accuracy()
}

/// Balanced accuracy of a concept on headings, phases and alignments that probes were not fitted to: whether the
/// trained models' is above that of every baseline by its interval, and all in words.
pub fn unseen(desk: &Desk<'_>, concept: Concept) -> (bool, String) {
    let groups = held_groups(desk);
    let factors: Vec<&str> = HELD.iter().filter(|(own, _)| *own == concept).map(|(_, factor)| *factor).collect();
    let joined = |of: &[&[HeldOut]]| -> Option<Arm> {
        let arms: Option<Vec<Arm>> = factors.iter().map(|factor| held_arm(desk, of, concept, factor)).collect();
        let arms = arms?;
        Some(Arm::joined(&arms.iter().collect::<Vec<_>>()))
    };
    let size = concept.classes().pow(2);
    let statistic = |totals: &[Vec<f64>]| {
        let each = |place: usize| over_seeds(totals, |counts| confusion(&counts[place * size..(place + 1) * size]));
        Some((0..factors.len()).map(each).sum::<Option<f64>>()? / factors.len() as f64)
    };
    let ours = joined(&groups[0].1);
    let mut list = Vec::new();
    let mut beats = ours.is_some();
    for (name, of) in &groups {
        let Some(theirs) = joined(of) else { continue };
        list.push(format!("{name} {}", number(statistic(&theirs.totals()))));
        if *name != "trained"
            && let Some(ours) = &ours
        {
            let what = format!("held out {} {name}", concept.name());
            let difference = desk.estimate(&what, "boards", &[ours, &theirs], &|totals: &Totals| {
                Some(statistic(&totals[0])? - statistic(&totals[1])?)
            });
            beats &= difference.is_some_and(|difference| difference.interval.0 > 0.0);
        }
    }
    let words = format!(
        "{} on headings, phases and alignments that the probe was not fitted to, balanced accuracy: {}",
        concept.name(),
        list.join(", ")
    );
    (beats, words)
}

/// Item 10: one probe for "glider" works on kinds that it was not fitted to, and look-alikes do not fire it.
pub fn abstraction(desk: &Desk<'_>) -> Evidence {
    let (beats, unseen) = unseen(desk, Concept::Presence);
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
            "{unseen}; look-alikes taken for gliders: trained {}, random weights {}; other small objects: trained {}",
            number(like),
            number(alarms(Group::Untrained).0),
            number(small)
        ),
    )
}

/// All scores on kinds held out, as data.
pub fn held_out_json(desk: &Desk<'_>) -> Json {
    let of = |(name, of): (&str, Vec<&[HeldOut]>)| {
        let rows: Vec<Json> = HELD
            .iter()
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
