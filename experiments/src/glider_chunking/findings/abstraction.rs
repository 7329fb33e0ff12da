//! The claim `abstraction`: what probes read holds for kinds of glider that they were not fitted to.

use serde_json::json;

use super::super::reading::Concept;
use super::super::rigour::HeldOut;
use super::checks::{HELD, abstraction, confusion, description, held_arm, held_groups, selectivity, training};
use super::desk::{Desk, Difference, Part, mean, number};
use super::used::Used;
use crate::claims::{Evidence, Finding};
use crate::evidence::{Arm, Totals, over_seeds};

/// The pairs of concept and factor of the claim: all but those of doom.
fn asked() -> Vec<(Concept, &'static str)> {
    HELD.iter().copied().filter(|(concept, _)| *concept != Concept::Doomed).collect()
}

/// Mean score of a group of models on a pair, where choices are made.
fn chosen(of: &[&[HeldOut]], (concept, factor): (Concept, &str)) -> f64 {
    let entries = of.iter().flat_map(|entries| entries.iter());
    let own = entries.filter(|entry| entry.concept == concept.name() && entry.factor == factor);
    mean(own.filter_map(|entry| entry.chosen)).unwrap_or(0.0)
}

/// The trained models minus others, pair by pair; the mean over pairs. Seeds of the first are drawn together.
fn contrast(desk: &Desk<'_>, what: &str, ours: &[&[HeldOut]], others: &[Vec<&[HeldOut]>]) -> Option<Difference> {
    let pairs = asked();
    let arms: Option<Vec<Arm>> = pairs.iter().map(|&(concept, factor)| held_arm(desk, ours, concept, factor)).collect();
    let theirs: Option<Vec<Arm>> =
        pairs.iter().zip(others).map(|(&(concept, factor), of)| held_arm(desk, of, concept, factor)).collect();
    let (arms, theirs) = (arms?, theirs?);
    let joined = Arm::joined(&arms.iter().collect::<Vec<_>>());
    let mut all = vec![&joined];
    all.extend(&theirs);
    let sizes: Vec<usize> = pairs.iter().map(|(concept, _)| concept.classes().pow(2)).collect();
    let statistic = |totals: &Totals| {
        let (mut sum, mut start) = (0.0, 0);
        for (place, size) in sizes.iter().enumerate() {
            sum += over_seeds(&totals[0], |counts| confusion(&counts[start..start + size]))?;
            sum -= over_seeds(&totals[1 + place], confusion)?;
            start += size;
        }
        Some(sum / sizes.len() as f64)
    };
    desk.difference(what, "boards", &all, &statistic)
}

/// The finding; what the report shows stands under the claim `chunking`.
pub fn find(desk: &Desk<'_>, used: &Used) -> Part {
    let groups = held_groups(desk);
    let (ours, rivals) = (&groups[0].1, &groups[1..]);
    let pairs = asked();
    let strongest: Vec<usize> = pairs
        .iter()
        .map(|&pair| {
            (1..rivals.len()).fold(0, |best, next| {
                if chosen(&rivals[next].1, pair) > chosen(&rivals[best].1, pair) { next } else { best }
            })
        })
        .collect();
    let others: Vec<Vec<&[HeldOut]>> = strongest.iter().map(|&rival| rivals[rival].1.clone()).collect();
    let effect = contrast(desk, "abstraction", ours, &others);
    let output: Vec<&[HeldOut]> = desk.measured.held_out_output.iter().map(|of| of.value.as_slice()).collect();
    let beyond_output = contrast(desk, "abstraction output", ours, &vec![output; pairs.len()]);
    let score = |of: &[&[HeldOut]], (concept, factor): (Concept, &str)| {
        held_arm(desk, of, concept, factor).and_then(|arm| over_seeds(&arm.totals(), confusion))
    };
    let list: Vec<String> = pairs
        .iter()
        .map(|&(concept, factor)| {
            let scores: Vec<String> =
                groups.iter().map(|(name, of)| format!("{name} {}", number(score(of, (concept, factor))))).collect();
            format!("{} of an unseen {factor}: {}", concept.name(), scores.join(", "))
        })
        .collect();
    let names: Vec<String> = pairs
        .iter()
        .zip(&strongest)
        .map(|((concept, factor), &rival)| format!("{} of an unseen {factor}: {}", concept.name(), rivals[rival].0))
        .collect();
    let concepts = Concept::OBJECT;
    let evidence = vec![
        Evidence::new(
            1,
            used.effect.as_ref().is_some_and(Difference::above_zero),
            match &used.effect {
                Some(effect) => format!("transplanted gliders, overlap beyond the best control: {}", effect.words()),
                None => "no transplant could be measured".into(),
            },
        ),
        Evidence::new(2, effect.is_some(), list.join("; ")),
        Evidence::new(
            3,
            effect.is_some(),
            "objects only, no empty cells; balanced accuracy (majority: .5 for presence, .25 for heading and phase); a probe \
             that reads the wrong kind falls below chance",
        ),
        Evidence::new(4, desk.measured.leaks.none(), desk.measured.leaks.figure()),
        selectivity(desk, &concepts),
        Evidence::new(7, used.necessity.0, used.necessity.1.clone()),
        Evidence::new(
            8,
            beyond_output.as_ref().is_some_and(Difference::above_zero),
            match &beyond_output {
                Some(difference) => format!("beyond probes of the model's own output: {}", difference.words()),
                None => "the output could not be probed".into(),
            },
        ),
        description(desk, &concepts),
        abstraction(desk),
        training(desk, &concepts),
        Evidence::new(
            12,
            effect.is_some(),
            format!(
                "all {} pairs of concept and kind enter one figure; the strongest baseline of each is chosen on validation \
                 boards ({})",
                pairs.len(),
                names.join(", ")
            ),
        ),
    ];
    let probes = json!({
        "strongest_baselines": names,
        "effect": effect.as_ref().map(|d| json!({ "estimate": d.estimate, "per_seed": d.per_seed })),
        "minus_output": beyond_output.as_ref().map(|d| json!({ "estimate": d.estimate, "per_seed": d.per_seed })),
    });
    let measured = effect.as_ref().map(|effect| effect.measured("balanced accuracy"));
    Part { finding: Finding { claim: "abstraction".into(), measured, evidence }, sections: Vec::new(), probes }
}
