//! What the report shows of transplants and erasure.

use super::super::measure::{kept, total};
use super::super::transplant::{Outcome, Patch, overlap};
use super::super::zoo::Group;
use super::desk::{Desk, mean, number, value, words};
use super::used::{among, arm, doses, every, flights, steered, steering};
use crate::evidence::metrics::ratio;
use crate::evidence::over_seeds;
use crate::experiment::{Section, Table};
use crate::figures::{Axis, Bars, Figure, Line, Plot, Value};

/// The section on transplants.
pub fn section(desk: &Desk<'_>, jump: &[(&str, &[Outcome])], untrained: &[(&str, &[Outcome])]) -> Section {
    let measured = desk.measured;
    let all = every(desk);
    let taps = super::super::reading::ends(desk.settings.model.depth);
    let bar = |of: &[(&str, &[Outcome])], tap: &str, patch: &str, group: &str| {
        let arm = arm(of, tap, patch, &all)?;
        let what = format!("transplant {group} {tap} {patch}");
        desk.band(&what, "transplants", &[&arm], &|totals| over_seeds(&totals[0], overlap)).map(|e| value(&e))
    };
    let mut groups = vec!["glider really there".to_string()];
    groups.extend(taps.iter().cloned());
    let row = |of: &[(&str, &[Outcome])], patch: Patch, group: &str| -> Vec<Option<Value>> {
        let first = (patch == Patch::Glider).then(|| bar(of, "input", "glider really there", group)).flatten();
        std::iter::once(first).chain(taps.iter().map(|tap| bar(of, tap, patch.name(), group))).collect()
    };
    let mut series: Vec<Bars> = Patch::ALL
        .iter()
        .map(|patch| Bars {
            name: patch.name().into(),
            baseline: *patch != Patch::Glider,
            values: row(jump, *patch, "trained"),
        })
        .collect();
    series.push(Bars {
        name: "glider, random weights".into(),
        baseline: true,
        values: row(untrained, Patch::Glider, "untrained"),
    });
    let longest = desk.settings.longest();
    let mut figures = vec![Figure {
        name: "transplant".into(),
        title: "Transplanted gliders".into(),
        caption: format!(
            "Overlap of the predicted with the simulated change {longest} steps on, outside the patched tokens, by the tap \
             at which activations were put in. The first and the last tap are references and no evidence: a patch at \
             `embed` edits the input, and what is put in at the last tap can reach no other token. Bands: 95% \
             bootstrap intervals over model seeds and transplants."
        ),
        plot: Plot::Bars { y: Axis::new("intersection over union").spanning(0.0, 1.0), groups, series },
    }];
    let points: Vec<(f64, Value)> = doses(desk).iter().map(|(dose, e)| (f64::from(*dose), value(e))).collect();
    if let (Some(tap), false) = (measured.middle.as_deref(), points.is_empty()) {
        let of = steered(desk);
        let flat = |name: &str| {
            steering(desk, &of, tap, name).map(|estimate| Line {
                name: name.into(),
                baseline: true,
                points: vec![(1.0, value(&estimate))],
            })
        };
        let mut series = vec![Line { name: "glider direction".into(), baseline: false, points }];
        series.extend(flat("direction of another heading"));
        series.extend(flat("random direction, same norm"));
        figures.push(Figure {
            name: "dose".into(),
            title: format!("A glider's direction, added at {tap}"),
            caption:
                "The mean difference that a glider of the heading, phase and alignment makes at its tokens, learnt \
                      on other boards, times a dose."
                    .into(),
            plot: Plot::Lines {
                x: Axis::new("dose"),
                y: Axis::new("intersection over union").spanning(0.0, 1.0),
                series,
            },
        });
    }
    let mut tables = Vec::new();
    if let Some(tap) = measured.middle.as_deref() {
        let of = steered(desk);
        let names: Vec<&str> = of.first().map_or(Vec::new(), |(_, o)| o.iter().map(|o| o.patch.as_str()).collect());
        let rows = names
            .iter()
            .map(|name| {
                let estimate = steering(desk, &of, tap, name);
                vec![(*name).to_string(), estimate.as_ref().map_or_else(|| "–".into(), words)]
            })
            .collect();
        tables.push(Table {
            caption: format!("Beyond whole tokens, at {tap}: overlap with the simulated change."),
            header: vec!["what was done".into(), "intersection over union (95% interval)".into()],
            rows,
        });
    }
    tables.push(fates_table(desk, jump, &taps));
    tables.push(horizons_table(desk, &taps));
    Section {
        title: "Transplants".into(),
        claim: Some("use".into()),
        text: vec![
            "A glider's activations are taken from one board and put into empty tokens of another. The true answer is the \
             other board with a glider there, simulated. Translation by whole tokens is an exact symmetry of the model, so \
             nothing else needs to fit."
                .into(),
        ],
        figures,
        tables,
    }
}

/// Transplants by what becomes of the glider: where even a glider really there is not foreseen, no patch can be.
fn fates_table(desk: &Desk<'_>, jump: &[(&str, &[Outcome])], taps: &[String]) -> Table {
    let flying = flights(desk);
    let fatal: Vec<bool> = flying.iter().map(|flies| !flies).collect();
    let mut header = vec!["the glider".to_string(), "transplants".to_string(), "really there".to_string()];
    header.extend(taps.iter().cloned());
    let row = |name: &str, keep: &[bool]| {
        let count = keep.iter().filter(|keep| **keep).count();
        let there = among(jump, "input", "glider really there", keep);
        let mut row = vec![name.to_string(), count.to_string(), number(there)];
        row.extend(taps.iter().map(|tap| number(among(jump, tap, Patch::Glider.name(), keep))));
        row
    };
    Table {
        caption: "Overlap of the glider's transplant at the longest horizon by what becomes of the glider.".into(),
        header,
        rows: vec![row("flies on", &flying), row("meets its doom", &fatal)],
    }
}

/// Transplants at shorter horizons, where the patch covers much of the destination, and of the tokens around too.
fn horizons_table(desk: &Desk<'_>, taps: &[String]) -> Table {
    let measured = desk.measured;
    let every = every(desk);
    let score = |of: &[&[Outcome]], tap: &str| {
        let find = |outcomes: &[Outcome]| {
            let outcome = outcomes.iter().find(|o| o.tap == tap && o.patch == Patch::Glider.name())?;
            let tallies = kept(&outcome.tallies, &every);
            let sum = total(&tallies);
            Some((overlap(&sum)?, sum[5] / tallies.len() as f64))
        };
        let found: Vec<(f64, f64)> = of.iter().filter_map(|outcomes| find(outcomes)).collect();
        (mean(found.iter().map(|f| f.0)), mean(found.iter().map(|f| f.1)))
    };
    let mut header = vec!["horizon".to_string(), "patch".to_string(), "scored cells a board".to_string()];
    header.extend(taps.iter().cloned());
    let mut rows = Vec::new();
    let mut add = |horizon: u32, patch: &str, of: &[&[Outcome]]| {
        let scores: Vec<_> = taps.iter().map(|tap| score(of, tap)).collect();
        let cells = scores.iter().find_map(|score| score.1);
        let mut row = vec![horizon.to_string(), patch.to_string(), number(cells)];
        row.extend(scores.iter().map(|score| number(score.0)));
        rows.push(row);
    };
    for &horizon in desk.settings.horizons().iter().filter(|horizon| **horizon >= 4) {
        let of: Vec<&[Outcome]> = if horizon == desk.settings.longest() {
            let jump = measured.transplants.iter().filter(|of| of.group == Group::Jump);
            jump.map(|of| of.value.test.as_slice()).collect()
        } else {
            let shorter = measured.shorter.iter().filter(|of| of.value.0 == horizon);
            shorter.map(|of| of.value.1.as_slice()).collect()
        };
        add(horizon, "the glider's tokens", &of);
    }
    let of: Vec<&[Outcome]> = measured.wider.iter().map(|of| of.value.as_slice()).collect();
    add(desk.settings.longest(), "and those round them", &of);
    Table {
        caption:
            "Overlap of the glider's transplant by horizon; only cells outside the patched tokens are scored, and \
                  fewer are left the shorter the horizon."
                .into(),
        header,
        rows,
    }
}

/// The section on erasure.
pub fn erasure_section(desk: &Desk<'_>) -> Section {
    let names: Vec<&str> =
        desk.measured.erasure.first().map_or(Vec::new(), |of| of.value.iter().map(|loss| loss.what.as_str()).collect());
    let rows = names
        .iter()
        .enumerate()
        .map(|(place, name)| {
            let of = |slot: usize| {
                mean(desk.measured.erasure.iter().filter_map(|of| {
                    let sum = total(&of.value.get(place)?.tallies);
                    ratio(sum[slot], sum[slot + 1])
                }))
            };
            let rank = desk.measured.erasure[0].value[place].rank;
            vec![(*name).to_string(), rank.to_string(), number(of(0)), number(of(2))]
        })
        .collect();
    let header =
        ["erased", "dimensions", "nats a cell near gliders", "nats a cell elsewhere"].map(String::from).to_vec();
    let table = Table {
        caption: format!(
            "Loss on live-or-changed cells with concepts erased from all tokens at {} (LEACE, fitted on other boards); \
             random subspaces of the same rank beside them.",
            desk.measured.middle.as_deref().unwrap_or("no tap")
        ),
        header,
        rows,
    };
    Section { title: "Erasure".into(), claim: Some("use".into()), tables: vec![table], ..Section::default() }
}
