//! From readings and interventions to findings.

use serde_json::{Value as Json, json};

use super::beside::{Beside, apart};
use super::found::Found;
use super::moments::{Frame, Stratum, entries};
use super::readings::{Reading, scored_on};
use super::report::{belief_section, steering_section, table_section};
use super::steering::{Change, Write};
use super::{Measure, NAME};
use crate::claims::{Evidence, Finding, figure};
use crate::config::Config;
use crate::evidence::metrics::ratio;
use crate::evidence::statistics::mean;
use crate::evidence::{Design, Estimate, over_seeds};
use crate::experiment::Outcome;

use super::super::words::{self, Desk, above, estimated, explained, number};

/// Findings, figures and report.
pub fn outcome(found: &Found, config: &Config, measure: &Measure) -> Outcome {
    let desk = Desk { experiment: NAME, seed: config.seed, resamples: measure.resamples };
    let (table, table_probes) = table(found, &desk);
    let (state, state_probes) = state(found, &desk);
    let (belief, belief_probes) = belief(found, &desk);
    let probes = json!({
        "chosen": { "table": named(found, found.chosen.table), "state": named(found, found.chosen.state), "belief": named(found, found.chosen.belief) },
        "table": table_probes,
        "state": state_probes,
        "belief": belief_probes,
        "interventions": Write::ALL.iter().map(|&write| {
            let of = |pick: fn(&Change) -> f64| found.mean_change(write, pick);
            (write.name().to_string(), json!({ "gain": of(|c| c.gain), "loss": of(|c| c.loss), "damage": of(|c| c.damage) }))
        }).collect::<serde_json::Map<String, Json>>(),
        "curves": found.closer.iter().map(|closer| &closer.curve).collect::<Vec<_>>(),
    });
    Outcome {
        probes,
        findings: vec![table, state, belief],
        sections: vec![table_section(found, &desk), steering_section(found), belief_section(found, &desk)],
    }
}

/// A chosen tap with its frame, in words.
pub fn named(found: &Found, (tap, frame): (usize, Frame)) -> String {
    format!("{}, {} frame", found.taps[tap], frame.name())
}

fn leaks(found: &Found) -> Evidence {
    let runs = |part: usize| found.sets.parts[part].runs.len();
    Evidence::new(
        4,
        true,
        format!(
            "probes are fitted on {} runs of training machines on tapes that no training met, chosen on {} runs of \
             validation machines and scored on {} different runs of test machines; splits are of canonical machines",
            runs(0),
            runs(1),
            runs(2)
        ),
    )
}

fn when(found: &Found, of: fn(&super::Stand) -> f64) -> Evidence {
    let one = |closer: &super::Closer| closer.curve.iter().map(|stand| (stand.step, of(stand))).collect();
    let curves: Vec<Vec<(u64, f64)>> = found.closer.iter().map(one).collect();
    words::emerged(&curves, "by step, on the moments for choosing", &[NAME])
}

/// The mean over models of what was measured at their checkpoints.
pub fn curve(found: &Found, of: fn(&super::Stand) -> f64) -> Vec<(u64, f64)> {
    let curves: Vec<_> = found.closer.iter().map(|closer| &closer.curve).collect();
    words::mean_curve(&curves, |stand| stand.step, of)
}

fn table(found: &Found, desk: &Desk<'_>) -> (Finding, Json) {
    let (tap, frame) = found.chosen.table;
    let concepts = found.concepts(frame);
    let accuracy = |t: &[f64]| found.sets.accuracy(&concepts, t);
    let trained = found.of_tap(tap);
    let score: &dyn Fn(&Reading) -> f64 = &|reading| reading.entries(frame);
    let baselines = found.baselines(score);
    let arm = |readings: &[&Reading]| found.arm_of(&concepts, readings, Stratum::Idle);
    let beside = Beside::new(desk, ("table", "balanced accuracy"), &trained, &arm, (&baselines, score), &accuracy);
    let strata: Vec<(&str, Option<Estimate>, Option<f64>)> =
        [("idle", Stratum::Idle), ("current", Stratum::Current), ("open", Stratum::Open)]
            .map(|(name, stratum)| {
                let arm = found.arm_of(&concepts, &trained, stratum);
                (name, beside.alone(&arm, &format!("table {name}")), guess(found, &concepts, stratum))
            })
            .to_vec();
    let control = found.arm_closer(&concepts, 0, |c| &c.control, true);
    let perceptron = found.arm_closer(&concepts, 0, |c| &c.perceptron, false);
    let perceptron_control = found.arm_closer(&concepts, 0, |c| &c.perceptron_control, true);
    let selective = beside.beyond(&control, "selectivity");
    let wide = desk.estimate(
        "selectivity of the perceptron",
        Design::Crossed,
        &[&perceptron, &perceptron_control],
        &apart(&accuracy),
    );
    let wide_alone = beside.alone(&perceptron, "perceptron");
    let gain = |t: &[f64]| ratio(t[0], t[3]);
    let loss = |t: &[f64]| ratio(t[1], t[3]);
    let beats = |control: Write| {
        desk.estimate(
            &format!("carried beyond {}", control.name()),
            Design::Crossed,
            &[&found.writes(Write::Carried), &found.writes(control)],
            &apart(&gain),
        )
    };
    let (random, other) = (beats(Write::Random), beats(Write::OtherEntry));
    let null = found.mean_change(Write::Null, |c| c.gain);
    let necessity = desk.estimate(
        "erasure beyond random",
        Design::Crossed,
        &[&found.writes(Write::Erase), &found.writes(Write::EraseRandom)],
        &apart(&loss),
    );
    let gains: Vec<String> = Write::ALL[..7]
        .iter()
        .map(|&write| format!("{} {}", write.name(), figure(found.mean_change(write, |c| c.gain))))
        .collect();
    let by_entry: Vec<(String, Option<f64>)> = concepts
        .iter()
        .map(|&concept| {
            let alone = [concept];
            let of = |readings: &[&Reading]| {
                let arm = found.arm_of(&alone, readings, Stratum::Idle);
                over_seeds(&arm.totals(), |t| found.sets.accuracy(&alone, t))
            };
            let difference = of(&trained).zip(of(&beside.strongest.readings)).map(|(own, rival)| own - rival);
            (found.sets.concepts[concept].0.clone(), difference)
        })
        .collect();
    let compression = |all: &[Option<f64>]| mean(&all.iter().flatten().copied().collect::<Vec<_>>());
    let own_codes = mean(&found.closer.iter().map(|closer| compression(&closer.codes)).collect::<Vec<_>>());
    let (untrained_codes, context_codes) = (compression(&found.codes.0), compression(&found.codes.1));
    let evidence = vec![
        Evidence::new(
            1,
            above(&random) && above(&other) && null == 0.0,
            format!(
                "the twin's entry written over the own one at {}, at positions that do not hold its step; rise of the \
                 probability of what the twin does, by the simulator, at the entry's next use: {}; beyond the random vector {}, \
                 beyond the wrong entry {}; fall at other entries {}",
                found.taps[tap],
                gains.join(", "),
                estimated(&random),
                estimated(&other),
                figure(found.mean_change(Write::Carried, |c| c.damage))
            ),
        ),
        beside.baselines(),
        Evidence::new(
            3,
            true,
            "scored as balanced accuracy over transitions, where the evidence determines the entry, the token does not hold its \
             step and the step to come does not need it",
        ),
        leaks(found),
        Evidence::new(
            6,
            above(&selective) && above(&wide),
            format!(
                "beyond a control task of labels at random by the last two steps: linear {}, perceptron {} (which reads {})",
                estimated(&selective),
                estimated(&wide),
                estimated(&wide_alone)
            ),
        ),
        Evidence::new(
            7,
            above(&necessity),
            format!(
                "fall of the own step's probability at the entry's next use by LEACE of the entry, beyond a random subspace of its \
                 rank: {}",
                estimated(&necessity)
            ),
        ),
        beside.more_than_output(),
        Evidence::new(
            9,
            own_codes > untrained_codes && own_codes > context_codes,
            format!(
                "online code of the labels, times shorter than uniform: {} from activations, {} with random weights, {} from the \
                 context",
                figure(own_codes),
                figure(untrained_codes),
                figure(context_codes)
            ),
        ),
        Evidence::new(
            10,
            by_entry.iter().flat_map(|(_, difference)| difference).all(|difference| *difference > 0.0),
            format!(
                "one probe for all positions and unseen machines; beyond the best baseline, by entry: {}",
                by_entry.iter().map(|(name, d)| format!("{name} {}", number(*d))).collect::<Vec<_>>().join(", ")
            ),
        ),
        when(found, |stand| stand.table),
        Evidence::new(
            12,
            true,
            format!(
                "tap and frame ({}; of {} taps, two frames) and strongest baseline ({}) are chosen on validation machines",
                named(found, found.chosen.table),
                found.taps.len().saturating_sub(2),
                beside.strongest.name
            ),
        ),
    ];
    let probes = json!({
        "strata": strata.iter().map(|(name, own, bayes)| (name.to_string(), json!({ "trained": own, "bayes": bayes }))).collect::<serde_json::Map<_, _>>(),
        "baselines": beside.json(),
        "strongest_baseline": beside.strongest.name,
        "selectivity": selective,
        "perceptron": wide_alone,
        "by_entry": by_entry,
        "codes": { "trained": own_codes, "untrained": untrained_codes, "context": context_codes },
    });
    (Finding { claim: "table".into(), measured: beside.measured, evidence }, probes)
}

/// Share of moments at which Bayes's likeliest class is the true one.
pub fn guess(found: &Found, concepts: &[usize], stratum: Stratum) -> Option<f64> {
    let truths = || {
        let moments = found.sets.parts[2].all.iter();
        moments.flat_map(|moment| concepts.iter().map(move |&concept| &moment.truths[concept]))
    };
    let there = || truths().filter(|truth| truth.stratum == stratum && truth.class.is_some());
    ratio(there().map(|truth| truth.bayes).sum(), there().count() as f64)
}

fn state(found: &Found, desk: &Desk<'_>) -> (Finding, Json) {
    let (tap, frame) = found.chosen.state;
    let concepts = [frame.state()];
    let accuracy = |t: &[f64]| found.sets.accuracy(&concepts, t);
    let score: &dyn Fn(&Reading) -> f64 = &|reading| reading.concepts[frame.state()].choose.unwrap_or(0.0);
    let baselines = found.baselines(score);
    let stratum = scored_on(concepts[0]);
    let trained = found.of_tap(tap);
    let arm = |readings: &[&Reading]| found.arm_of(&concepts, readings, stratum);
    let beside = Beside::new(desk, ("state", "balanced accuracy"), &trained, &arm, (&baselines, score), &accuracy);
    let control = found.arm_closer(&concepts, entries(found.sets.concepts.len(), frame).len(), |c| &c.control, true);
    let selective = beside.beyond(&control, "state control");
    let alone = beside.alone(&beside.own, "state alone");
    let evidence = vec![
        Evidence::new(
            1,
            false,
            "the state bears on the very position at which it is read, so an edit there could be scored only where it is made",
        ),
        beside.baselines(),
        Evidence::new(
            3,
            true,
            "balanced accuracy, where the evidence determines the state (relative frame: whether the last step changed it)",
        ),
        leaks(found),
        Evidence::new(
            6,
            above(&selective),
            format!("beyond a control task of labels at random by the last two steps: {}", estimated(&selective)),
        ),
        beside.more_than_output(),
        Evidence::new(
            12,
            true,
            format!(
                "tap and frame ({}) and strongest baseline ({}) are chosen on validation machines",
                named(found, found.chosen.state),
                beside.strongest.name
            ),
        ),
    ];
    let probes = json!({
        "trained": alone,
        "baselines": beside.json(),
        "strongest_baseline": beside.strongest.name,
        "open": beside.alone(&found.arm_of(&concepts, &trained, Stratum::Open), "state open"),
        "open_bayes": guess(found, &concepts, Stratum::Open),
    });
    (Finding { claim: "state".into(), measured: beside.measured, evidence }, probes)
}

fn belief(found: &Found, desk: &Desk<'_>) -> (Finding, Json) {
    let (tap, frame) = found.chosen.belief;
    let score: &dyn Fn(&Reading) -> f64 = &|reading| reading.beliefs[frame as usize].choose;
    let baselines = found.baselines(score);
    let arm =
        |readings: &[&Reading]| found.squares(&readings.iter().map(|r| &r.beliefs[frame as usize]).collect::<Vec<_>>());
    let claim = ("belief", "share of variance explained");
    let beside = Beside::new(desk, claim, &found.of_tap(tap), &arm, (&baselines, score), &explained);
    let control = found.squares(&found.closer.iter().map(|closer| &closer.belief_control).collect::<Vec<_>>());
    let selective = beside.beyond(&control, "belief control");
    let alone = beside.alone(&beside.own, "belief alone");
    let evidence = vec![
        Evidence::new(1, false, "no edit of the belief was made; that of single entries stands under `table`"),
        beside.baselines(),
        Evidence::new(
            3,
            true,
            "variance about the mean belief of the moments for fitting; the belief at the first 6 steps is left out",
        ),
        leaks(found),
        Evidence::new(
            6,
            above(&selective),
            format!("beyond beliefs given to input types at random: {}", estimated(&selective)),
        ),
        beside.more_than_output(),
        when(found, |stand| stand.belief),
        Evidence::new(
            12,
            true,
            format!(
                "tap and frame ({}) and strongest baseline ({}) are chosen on validation machines",
                named(found, found.chosen.belief),
                beside.strongest.name
            ),
        ),
    ];
    let probes = json!({
        "trained": alone,
        "baselines": beside.json(),
        "strongest_baseline": beside.strongest.name,
    });
    (Finding { claim: "belief".into(), measured: beside.measured, evidence }, probes)
}
