//! The claim `use`: a glider's activations, put elsewhere, make the model predict what a glider there would do.

use environments::life::Heading;
use serde_json::{Value as Json, json};

use super::super::measure::{Of, kept, total};
use super::super::necessity::Loss;
use super::super::steering::{DOSES, dose_name};
use super::super::transplant::{Outcome, Patch, overlap, soft_overlap};
use super::super::zoo::Group;
use super::desk::{Desk, Difference, Part, mean, number, words};
use super::used_report::{erasure_section, section};
use crate::claims::{Evidence, Finding, figure};
use crate::evidence::metrics::ratio;
use crate::evidence::{Arm, Estimate, Totals, over_seeds};

/// The finding, and what other claims take from it.
pub struct Used {
    /// The claim's share of the outcome.
    pub part: Part,
    /// The glider's patch minus the best control's, all transplants.
    pub effect: Option<Difference>,
    /// The same on transplants whose glider meets its doom within the horizon.
    pub doomed: Option<Difference>,
    /// In words, what erasing presence, and heading with phase, costs near gliders beyond a random subspace; and
    /// whether that, and more than elsewhere, is so for one of them.
    pub necessity: (bool, String),
    /// The same for doom.
    pub necessity_of_doom: (bool, String),
}

/// All reported pairs.
pub fn every(desk: &Desk<'_>) -> Vec<bool> {
    vec![true; desk.measured.pairs.len()]
}

/// Which of the reported pairs have a glider that flies on.
pub fn flights(desk: &Desk<'_>) -> Vec<bool> {
    desk.measured.pairs.iter().map(|pair| pair.flies(desk.settings.longest())).collect()
}

/// Tallies of one patch at one tap, by seed, restricted to some pairs.
fn tallies(of: &[(&str, &[Outcome])], tap: &str, patch: &str, keep: &[bool]) -> Option<Vec<Vec<Vec<f64>>>> {
    let find = |outcomes: &[Outcome]| {
        let outcome = outcomes.iter().find(|outcome| outcome.tap == tap && outcome.patch == patch)?;
        Some(kept(&outcome.tallies, keep))
    };
    let all: Option<Vec<Vec<Vec<f64>>>> = of.iter().map(|(_, outcomes)| find(outcomes)).collect();
    all.filter(|all| !all.is_empty() && !all[0].is_empty())
}

/// Mean over seeds of the overlap of one patch at one tap, on some of the pairs.
pub fn among(of: &[(&str, &[Outcome])], tap: &str, patch: &str, keep: &[bool]) -> Option<f64> {
    mean(tallies(of, tap, patch, keep)?.iter().filter_map(|seed| overlap(&total(seed))))
}

/// An arm of the tallies of one patch at one tap.
pub fn arm(of: &[(&str, &[Outcome])], tap: &str, patch: &str, keep: &[bool]) -> Option<Arm> {
    tallies(of, tap, patch, keep).map(|tallies| Arm::new(&tallies))
}

/// The finding and what the report shows.
pub fn find(desk: &Desk<'_>) -> Used {
    let measured = desk.measured;
    let group = |group: Group| -> Vec<(&str, &[Outcome])> {
        let of = measured.transplants.iter().filter(move |of| of.group == group);
        of.map(|of| (of.name.as_str(), of.value.test.as_slice())).collect()
    };
    let (jump, untrained) = (group(Group::Jump), group(Group::Untrained));
    let all = every(desk);
    let flying = flights(desk);
    let fatal: Vec<bool> = flying.iter().map(|flies| !flies).collect();
    let control = measured.middle.as_deref().and_then(|tap| strongest_control(desk, tap));

    let contrast = |what: &str, keep: &[bool]| {
        let (tap, control) = (measured.middle.as_deref()?, control?);
        let ours = arm(&jump, tap, Patch::Glider.name(), keep)?;
        let theirs = arm(&jump, tap, control.name(), keep)?;
        let size = super::super::transplant::COUNTS;
        let statistic = move |totals: &Totals| {
            over_seeds(&totals[0], |counts| Some(overlap(&counts[..size])? - overlap(&counts[size..])?))
        };
        desk.difference(what, "transplants", &[&Arm::joined(&[&ours, &theirs])], &statistic)
    };
    let effect = contrast("use", &all);
    let doomed = contrast("use doomed", &fatal);
    let score = |of: &[(&str, &[Outcome])], tap: &str, patch: &str| among(of, tap, patch, &all);
    let necessity_of_doom = necessity(desk, &["doom"]);
    let necessity = necessity(desk, &["presence", "heading and phase"]);
    let evidence = match measured.middle.as_deref() {
        None => Vec::new(),
        Some(tap) => {
            let at = |patch: Patch| format!("{} {}", patch.name(), number(score(&jump, tap, patch.name())));
            let null = tallies(&jump, tap, Patch::Null.name(), &all);
            let silent =
                null.is_some_and(|null| null.iter().flatten().all(|tally| tally[2] == 0.0 && tally[3] == tally[5]));
            let doses: Vec<String> =
                doses(desk).iter().map(|(dose, estimate)| format!("{dose}: {}", figure(estimate.value))).collect();
            let damage = |patch: Patch| -> Option<f64> {
                let all = tallies(&jump, tap, patch.name(), &all)?;
                mean(all.iter().flatten().map(|tally| tally[4]))
            };
            let everywhere = effect.as_ref().is_some_and(Difference::above_zero);
            vec![
                Evidence::new(
                    1,
                    everywhere && silent && doses.len() == DOSES.len(),
                    format!(
                        "overlap of predicted and simulated change outside the patched tokens at {tap}: {}; a null patch \
                         changes {}; direction by dose {}; cells wrongly changed a board: glider {}, random {}; a \
                         glider really there {}",
                        Patch::ALL.map(at).join(", "),
                        if silent { "nothing at all" } else { "something" },
                        doses.join(", "),
                        number(damage(Patch::Glider)),
                        number(damage(Patch::Random)),
                        number(score(&jump, "input", "glider really there")),
                    ),
                ),
                Evidence::new(
                    2,
                    score(&untrained, tap, Patch::Glider.name())
                        .zip(score(&jump, tap, Patch::Glider.name()))
                        .is_some_and(|(theirs, ours)| ours > theirs),
                    format!(
                        "the same transplant with random weights: {}; at the input (a reference, an edit of the \
                         board): {}",
                        number(score(&untrained, tap, Patch::Glider.name())),
                        number(score(&jump, "embed", Patch::Glider.name())),
                    ),
                ),
                Evidence::new(
                    3,
                    true,
                    format!(
                        "scored only where the two simulated futures or the two predictions differ, outside the patched \
                         tokens; no change (persistence) scores 0; {} transplants of gliders that fly on (overlap {}), {} \
                         of gliders that meet their doom (overlap {})",
                        flying.iter().filter(|flies| **flies).count(),
                        number(among(&jump, tap, Patch::Glider.name(), &flying)),
                        fatal.iter().filter(|fatal| **fatal).count(),
                        number(among(&jump, tap, Patch::Glider.name(), &fatal)),
                    ),
                ),
                Evidence::new(4, measured.leaks.none(), measured.leaks.figure()),
                Evidence::new(7, necessity.0, necessity.1.clone()),
                kinds(desk, &jump, tap),
                grown(desk),
                Evidence::new(
                    12,
                    true,
                    format!(
                        "of {} taps between the ends, {tap} is chosen on other transplants, and so is the strongest \
                         control ({}); directions and subspaces are learnt on other boards",
                        super::super::measure::middle_taps(desk.settings.model.depth).len(),
                        control.map_or("none", Patch::name),
                    ),
                ),
            ]
        }
    };
    let finding = Finding {
        claim: "use".into(),
        measured: effect.as_ref().map(|effect| effect.measured("intersection over union")),
        evidence,
    };
    let sections = vec![section(desk, &jump, &untrained), erasure_section(desk)];
    let probes = json!({
        "middle_tap": measured.middle,
        "strongest_control": control.map(Patch::name),
        "transplants": measured.transplants.iter().map(|of| summary(&of.name, &of.value.test, &all)).collect::<Vec<_>>(),
        "of_gliders_that_fly_on": measured.transplants.iter().map(|of| summary(&of.name, &of.value.test, &flying)).collect::<Vec<_>>(),
        "of_gliders_that_meet_their_doom": measured.transplants.iter().map(|of| summary(&of.name, &of.value.test, &fatal)).collect::<Vec<_>>(),
        "shorter_horizons": measured.shorter.iter().map(|of| json!({
            "horizon": of.value.0, "outcomes": summary(&of.name, &of.value.1, &all),
        })).collect::<Vec<_>>(),
        "wider_patch": measured.wider.iter().map(|of| summary(&of.name, &of.value, &all)).collect::<Vec<_>>(),
        "steering": measured.steering.iter().map(|of| summary(&of.name, &of.value.outcomes, &all)).collect::<Vec<_>>(),
        "erasure": measured.erasure.iter().map(|of| json!({
            "model": of.name,
            "losses": of.value.iter().map(|loss| {
                let sum = total(&loss.tallies);
                json!({ "what": loss.what, "rank": loss.rank, "near": ratio(sum[0], sum[1]), "elsewhere": ratio(sum[2], sum[3]) })
            }).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "effect": effect.as_ref().map(|effect| json!({ "estimate": effect.estimate, "per_seed": effect.per_seed })),
        "effect_on_doomed": doomed.as_ref().map(|effect| json!({ "estimate": effect.estimate, "per_seed": effect.per_seed })),
    });
    Used { part: Part { finding, sections, probes }, effect, doomed, necessity, necessity_of_doom }
}

/// The control that scores highest at a tap on the transplants for choosing; of equals the first.
fn strongest_control(desk: &Desk<'_>, tap: &str) -> Option<Patch> {
    let of = |patch: &Patch| {
        let jump = desk.measured.transplants.iter().filter(|of| of.group == Group::Jump);
        let outcomes = jump.flat_map(|of| &of.value.validation);
        mean(
            outcomes
                .filter(|outcome| outcome.tap == tap && outcome.patch == patch.name())
                .map(|outcome| overlap(&total(&outcome.tallies)).unwrap_or(0.0)),
        )
    };
    let controls = Patch::ALL.iter().filter(|patch| **patch != Patch::Glider);
    let scored: Vec<(f64, Patch)> = controls.filter_map(|patch| Some((of(patch)?, *patch))).collect();
    scored
        .into_iter()
        .fold(None, |best: Option<(f64, Patch)>, next| match best {
            Some(best) if best.0 >= next.0 => Some(best),
            _ => Some(next),
        })
        .map(|(_, patch)| patch)
}

fn summary(name: &str, outcomes: &[Outcome], keep: &[bool]) -> Json {
    let rows: Vec<Json> = outcomes
        .iter()
        .map(|outcome| {
            let tallies = kept(&outcome.tallies, keep);
            let sum = total(&tallies);
            json!({
                "tap": outcome.tap,
                "patch": outcome.patch,
                "overlap": overlap(&sum),
                "soft_overlap": soft_overlap(&sum),
                "damaged_cells": sum.get(4).map(|damage| damage / tallies.len() as f64),
                "scored_cells": sum.get(5),
            })
        })
        .collect();
    json!({ "model": name, "outcomes": rows })
}

/// Steering outcomes by model.
pub fn steered<'a>(desk: &'a Desk<'_>) -> Vec<(&'a str, &'a [Outcome])> {
    desk.measured.steering.iter().map(|of| (of.name.as_str(), of.value.outcomes.as_slice())).collect()
}

/// The overlap by dose.
pub fn doses(desk: &Desk<'_>) -> Vec<(f32, Estimate)> {
    let Some(tap) = desk.measured.middle.as_deref() else { return Vec::new() };
    let of = steered(desk);
    DOSES.iter().filter_map(|&dose| Some((dose, steering(desk, &of, tap, &dose_name(dose))?))).collect()
}

/// The overlap of one deed at a tap.
pub fn steering(desk: &Desk<'_>, of: &[(&str, &[Outcome])], tap: &str, name: &str) -> Option<Estimate> {
    let arm = arm(of, tap, name, &every(desk))?;
    desk.band(&format!("steering {name}"), "transplants", &[&arm], &|totals| over_seeds(&totals[0], overlap))
}

/// Item 10: one layer's transplant works for every heading, phase and alignment.
fn kinds(desk: &Desk<'_>, jump: &[(&str, &[Outcome])], tap: &str) -> Evidence {
    let pairs = &desk.measured.pairs;
    let mut parts: Vec<(String, Vec<bool>)> = Vec::new();
    for heading in 0..4 {
        parts.push((Heading::ALL[heading].name().into(), pairs.iter().map(|pair| pair.heading == heading).collect()));
    }
    for phase in 0..4 {
        parts.push((format!("phase {phase}"), pairs.iter().map(|pair| pair.phase == phase).collect()));
    }
    for alignment in 0..desk.settings.world.patch.pow(2) as usize {
        let keep = pairs.iter().map(|pair| pair.alignment == alignment).collect();
        parts.push((format!("alignment {alignment}"), keep));
    }
    let scores: Vec<(String, Option<f64>)> = parts
        .into_iter()
        .map(|(name, keep)| {
            let of = tallies(jump, tap, Patch::Glider.name(), &keep);
            (name, of.and_then(|of| mean(of.iter().filter_map(|seed| overlap(&total(seed))))))
        })
        .collect();
    let known: Vec<f64> = scores.iter().filter_map(|(_, score)| *score).collect();
    let least = known.iter().copied().fold(f64::INFINITY, f64::min);
    let even = mean(known).is_some_and(|mean| mean > 0.0 && least >= mean / 2.0);
    let list: Vec<String> = scores.iter().map(|(name, score)| format!("{name} {}", number(*score))).collect();
    Evidence::new(10, even, format!("overlap by kind of glider: {}", list.join(", ")))
}

/// Item 11: the rise over training.
fn grown(desk: &Desk<'_>) -> Evidence {
    let curve = over_training(desk);
    let rises = matches!((curve.first(), curve.last()), (Some((_, a)), Some((_, b))) if b > a);
    let list: Vec<String> = curve.iter().map(|(step, score)| format!("{step}: {}", figure(*score))).collect();
    Evidence::new(11, curve.len() >= 4 && rises, format!("soft overlap over training steps: {}", list.join(", ")))
}

/// Mean soft overlap by training step.
fn over_training(desk: &Desk<'_>) -> Vec<(u64, f64)> {
    let curves: Vec<&Of<Vec<(u64, Outcome)>>> = desk.measured.grown.iter().collect();
    let Some(first) = curves.first() else { return Vec::new() };
    let at = |place: usize| {
        let of = curves.iter().filter_map(|of| soft_overlap(&total(&of.value.get(place)?.1.tallies)));
        mean(of)
    };
    let steps = first.value.iter().enumerate();
    steps.filter_map(|(place, (step, _))| Some((*step, at(place)?))).collect()
}

/// What erasing costs near gliders and elsewhere, beyond a random subspace of the same rank, with intervals.
fn necessity(desk: &Desk<'_>, concepts: &[&str]) -> (bool, String) {
    let losses: Vec<&[Loss]> = desk.measured.erasure.iter().map(|of| of.value.as_slice()).collect();
    let find = |what: &str| -> Option<Arm> {
        let of = |losses: &&[Loss]| losses.iter().find(|loss| loss.what == what).map(|loss| loss.tallies.clone());
        let all: Option<Vec<_>> = losses.iter().map(of).collect();
        all.filter(|all| !all.is_empty()).map(|all| Arm::new(&all))
    };
    let (mut any, mut list) = (false, Vec::new());
    for &what in concepts {
        let arms = (find(what), find(&format!("random for {what}")));
        let (Some(erased), Some(random)) = arms else { continue };
        let joined = Arm::joined(&[&erased, &random]);
        let difference = |slot: usize| {
            move |totals: &Totals| {
                over_seeds(&totals[0], |t| Some(ratio(t[slot], t[slot + 1])? - ratio(t[4 + slot], t[4 + slot + 1])?))
            }
        };
        let near = desk.estimate(&format!("erasure {what} near"), "boards", &[&joined], &difference(0));
        let far = desk.estimate(&format!("erasure {what} elsewhere"), "boards", &[&joined], &difference(2));
        let (Some(near), Some(far)) = (near, far) else { continue };
        any |= near.interval.0 > 0.0 && near.value > far.value;
        list.push(format!(
            "erasing {what}, nats a live-or-changed cell beyond a random subspace of the same rank: near gliders {}, \
             elsewhere {}",
            words(&near),
            words(&far)
        ));
    }
    if list.is_empty() { (false, "nothing could be erased".into()) } else { (any, list.join("; ")) }
}
