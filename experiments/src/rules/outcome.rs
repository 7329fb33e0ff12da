//! From what was measured of rules to findings and report.

use environments::Split;
use environments::automata::{LineRule, WolframClass};
use environments::elementary::ElementaryWorld;
use serde_json::{Value as Json, json};

use super::context::Skill;
use super::found::Found;
use super::swap::PATCHES;
use super::{NAME, Stand};
use crate::claims::{Evidence, Finding, figure};
use crate::evidence::metrics::ratio;
use crate::evidence::over_seeds;
use crate::experiment::{Outcome, Section, Table};
use crate::figures::{Axis, Figure, Line, Plot, Value};
use crate::inference;
use crate::machines::words::{self, Desk, mean_curve, number};
use crate::moments::Stratum;
use crate::moments::entries::{Judged, STRATA};
use crate::moments::readings::Reading;

/// Findings, figures and report.
pub fn outcome(found: &Found, seed: u64) -> Outcome {
    let desk = Desk { experiment: NAME, seed, resamples: found.measure.resamples, clusters: "classes of rules" };
    let mut all = inference::outcome::<ElementaryWorld>(NAME, &found.inferred, seed, &found.measure.inference());
    let skill = Skill::new(found, &desk);
    let (entries, entries_probes) = entries(found, &desk);
    let (swap, swap_probes) = swap(found, &desk);
    all.findings.extend([entries, swap]);
    let idle = by_class(&skill, |class| idle_of(found, class));
    let gains = by_class(&skill, |class| gain_of(found, class));
    if let Some(section) = all.sections.first_mut() {
        section.text.push(skill.words());
    }
    all.sections.push(skill.rows_section());
    let beside = [("idle entries read", idle), ("gain of the swap", gains)];
    all.sections.extend(skill.classes_section(&beside));
    all.sections.extend([table_section(found, &desk), found.table().steering("entries")]);
    all.sections.push(found.swaps().section(&desk, "rule-swap"));
    if let Json::Object(probes) = &mut all.probes {
        probes.insert("skill".into(), skill.json());
        probes.insert("entries".into(), entries_probes);
        probes.insert("swap".into(), swap_probes);
        probes.insert("stands".into(), json!(found.curves));
    }
    all
}

fn by_class(skill: &Skill, of: impl Fn(WolframClass) -> Option<f64>) -> Vec<Option<f64>> {
    let named = |name: &str| WolframClass::ALL.into_iter().find(|class| class.name() == name);
    skill.names().map(|name| of(named(name)?)).collect()
}

/// Balanced accuracy on idle entries of the rules of one class.
fn idle_of(found: &Found, class: WolframClass) -> Option<f64> {
    let part = &found.read.sets.parts[2];
    let mut inside = vec![false; part.cluster_count()];
    for (run, &cluster) in part.clusters.iter().enumerate() {
        inside[cluster] |= found.world.rule(Split::Test, run as u64).wolfram_class() == Some(class);
    }
    let one = |reading: &&Reading| {
        let reads: Vec<_> = found.entries.clone().map(|entry| (entry, &reading.concepts[entry])).collect();
        let tally = found.read.sets.tally(&reads, Stratum::Idle, false);
        let mut sums = vec![0.0; tally.first().map_or(0, Vec::len)];
        for (row, _) in tally.iter().zip(&inside).filter(|(_, inside)| **inside) {
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        sums
    };
    let totals: Vec<Vec<f64>> = found.read.of_tap(found.tap).iter().map(one).collect();
    over_seeds(&totals, |t| found.table().accuracy(t))
}

/// Mean gain of the whole patch where the own rule is of one class.
fn gain_of(found: &Found, class: WolframClass) -> Option<f64> {
    let swaps = found.swaps();
    let of = |pair: usize| found.reported[pair].own.rule.wolfram_class() == Some(class);
    let all = swaps.by(swaps.tap()?, of, |inside| inside.to_string());
    all.into_iter().find(|(inside, _)| inside == "true").map(|(_, gain)| gain)
}

fn leaks(found: &Found) -> Evidence {
    let part = |number: usize| {
        let part = &found.read.sets.parts[number];
        (part.samples.len(), part.cluster_count())
    };
    let told = [0, 1, 2].map(|number| {
        let (histories, classes) = part(number);
        format!("{histories} histories ({classes} classes of equivalent rules)")
    });
    Evidence::new(
        4,
        true,
        format!(
            "probes are fitted on {} of training rules on rows drawn for measuring, chosen on {} of validation rules and scored \
             on {} of test rules; a rule's reflection and complement are in its split; intervals are over classes",
            told[0], told[1], told[2]
        ),
    )
}

fn curve(found: &Found, of: impl Fn(&Stand) -> f64) -> Vec<(u64, f64)> {
    mean_curve(&found.curves.iter().collect::<Vec<_>>(), |stand| stand.step, of)
}

fn entries(found: &Found, desk: &Desk<'_>) -> (Finding, Json) {
    let table = found.table();
    let Judged { measured, mut evidence, strongest, probes } = table.judged(desk, "entries");
    let concepts: Vec<usize> = found.entries.clone().collect();
    let filled = found.read.told.iter().map(|reading| {
        let arm = found.read.arm_of(&concepts, &[reading], Stratum::Idle);
        format!("{} {}", reading.source, number(over_seeds(&arm.totals(), |t| table.accuracy(t))))
    });
    let filled: Vec<String> = filled.collect();
    evidence.extend([
        Evidence::new(
            3,
            true,
            format!(
                "scored as balanced accuracy over the two values, where the evidence determines the entry, the token does not \
                 hold its use and the next one does not need it; at best: {}; where the evidence leaves an entry open: {}",
                filled.join(", "),
                number(open_of(found, found.tap))
            ),
        ),
        leaks(found),
        words::when(&curve(found, |stand| stand.entries), "by step, on the moments for choosing"),
        Evidence::new(
            12,
            true,
            format!(
                "of {} taps between the ends, {} is chosen on validation rules, and so is the strongest baseline ({strongest})",
                found.read.taps.len().saturating_sub(2),
                found.read.taps[found.tap]
            ),
        ),
    ]);
    (Finding { claim: "entries".into(), measured, evidence }, probes)
}

fn open_of(found: &Found, tap: usize) -> Option<f64> {
    let concepts: Vec<usize> = found.entries.clone().collect();
    let arm = found.read.arm_of(&concepts, &found.read.of_tap(tap), Stratum::Open);
    over_seeds(&arm.totals(), |t| found.table().accuracy(t))
}

fn swap(found: &Found, desk: &Desk<'_>) -> (Finding, Json) {
    let swaps = found.swaps();
    let Some(tap) = swaps.tap() else {
        return (Finding { claim: "swap".into(), measured: None, evidence: Vec::new() }, Json::Null);
    };
    let cells = 2 * found.world.config().radius + 1;
    let by_entry = swaps.by(tap, |pair| found.reported[pair].entry, |entry| format!("{entry:0cells$b}"));
    let mut evidence = swaps.evidence(desk, tap, &by_entry);
    let rules = |of: fn(&super::Pair) -> LineRule| {
        let mut all: Vec<LineRule> = found.reported.iter().map(of).collect();
        all.sort_unstable();
        all.dedup();
        all.len()
    };
    let whole = |of: &Stand| of.gain[tap];
    evidence.extend([
        Evidence::new(
            3,
            true,
            "scored at the first use in row 2 of an entry that row 1 has used and in which the rules differ, after the patched \
             positions; what the simulator makes of the own row 1 under the other rule",
        ),
        Evidence::new(
            4,
            true,
            format!(
                "{} pairs for choosing, of validation rules, and {} for reporting, of test rules ({} own, {} others); no model \
                 was trained on any of them, nor on a reflection or complement",
                found.choosing.len(),
                found.reported.len(),
                rules(|pair| pair.own.rule),
                rules(|pair| pair.other.rule)
            ),
        ),
        words::when(&curve(found, whole), "gain of the other rule's patch by step, on the pairs for choosing"),
    ]);
    let probes = json!({
        "tap": found.read.taps[tap],
        "strongest_control": PATCHES.names[swaps.control(tap)],
        "patches": swaps.json(),
        "damage": swaps.damage(desk, tap),
        "necessity": swaps.necessity(desk, tap),
        "by_entry": by_entry,
    });
    (Finding { claim: "swap".into(), measured: swaps.measured(desk, tap), evidence }, probes)
}

fn table_section(found: &Found, desk: &Desk<'_>) -> Section {
    let concepts: Vec<usize> = found.entries.clone().collect();
    let row = |name: String, readings: &[&Reading]| {
        let of = |concepts: &[usize], stratum: Stratum| {
            let arm = found.read.arm_of(concepts, readings, stratum);
            over_seeds(&arm.totals(), |t| found.read.sets.accuracy(concepts, t))
        };
        let strata = STRATA.map(|(_, stratum)| number(of(&concepts, stratum)));
        // Of many entries the spread is enough.
        let each = concepts.iter().take(8).map(|&concept| number(of(&[concept], Stratum::Idle)));
        [name].into_iter().chain(strata).chain(each).collect::<Vec<String>>()
    };
    let taps = &found.read.taps;
    let mut rows: Vec<Vec<String>> =
        taps.iter().enumerate().map(|(tap, name)| row(name.clone(), &found.read.of_tap(tap))).collect();
    rows.push(row("own next-step distribution".into(), &found.read.of_tap(taps.len())));
    for (tap, name) in taps.iter().enumerate().skip(1) {
        rows.push(row(format!("random weights, {name}"), &[&found.read.untrained[tap]]));
    }
    for reading in found.read.context.iter().chain(&found.read.told) {
        rows.push(row(reading.source.clone(), &[reading]));
    }
    let line = |name: &str, points: Vec<(u64, f64)>| {
        let points = points.into_iter().filter(|(step, _)| *step > 0);
        let points = points.map(|(step, value)| (step as f64, Value { value, interval: None })).collect();
        Line { name: name.into(), baseline: false, points }
    };
    let tap = found.swaps().tap().unwrap_or(1);
    let header = ["features", "idle", "current", "open"].map(String::from);
    let each = concepts.iter().take(8).map(|&concept| format!("{} idle", found.read.sets.concepts[concept].name));
    let open = ratio(
        found.read.sets.parts[2].all.iter().flat_map(|m| &m.truths).filter(|t| t.stratum == Stratum::Open).count()
            as f64,
        found.read.sets.parts[2].all.iter().map(|m| m.truths.len()).sum::<usize>() as f64,
    );
    Section {
        title: "The table in the residual stream".into(),
        claim: Some("entries".into()),
        text: vec![format!(
            "Idle: the evidence determines the entry and the next cell does not need it. Current: it makes the next cell. Open: \
             the evidence leaves it open (a share of {} of entries and moments), and any value is as likely as the other. Beside \
             the baselines: the table as filled in by someone who is told which cells make which, the best there is to be had.",
            figure(open.unwrap_or(0.0))
        )],
        figures: vec![
            found.table().bars(desk, "rule-entries"),
            Figure {
                name: "rule-training".into(),
                title: "When entries and transplants appear".into(),
                caption: "On histories and pairs for choosing, mean over models.".into(),
                plot: Plot::Lines {
                    x: Axis::new("optimiser steps").logarithmic(),
                    y: Axis::new("accuracy; rise of probability").spanning(0.0, 1.0),
                    series: vec![
                        line("idle entries, balanced accuracy", curve(found, |stand| stand.entries)),
                        line("gain of the other rule's patch", curve(found, |stand| stand.gain[tap])),
                    ],
                },
            },
        ],
        tables: vec![Table {
            caption:
                "Means over models: balanced accuracy of linear probes, by how entries stand, and of each idle entry."
                    .into(),
            header: header.into_iter().chain(each).collect(),
            rows,
        }],
    }
}
