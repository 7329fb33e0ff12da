//! From readings and interventions to findings.

use serde_json::{Value as Json, json};

use super::found::Found;
use super::moments::Frame;
use super::report::{belief_section, table_section};
use super::{Measure, NAME};
use crate::claims::{Evidence, Finding};
use crate::config::Config;
use crate::experiment::Outcome;
use crate::moments::Stratum;
use crate::moments::beside::Beside;
use crate::moments::entries::Judged;
use crate::moments::readings::Reading;

use super::super::words::{self, Desk, above, estimated, explained};

/// Findings, figures and report.
pub fn outcome(found: &Found, config: &Config, measure: &Measure) -> Outcome {
    let desk = Desk { experiment: NAME, seed: config.seed, resamples: measure.resamples, clusters: "runs" };
    let (table, table_probes) = table(found, &desk);
    let (state, state_probes) = state(found, &desk);
    let (belief, belief_probes) = belief(found, &desk);
    let probes = json!({
        "chosen": { "table": named(found, found.chosen.table), "state": named(found, found.chosen.state), "belief": named(found, found.chosen.belief) },
        "table": table_probes,
        "state": state_probes,
        "belief": belief_probes,
        "curves": found.closer.iter().map(|closer| &closer.curve).collect::<Vec<_>>(),
    });
    Outcome {
        probes,
        findings: vec![table, state, belief],
        sections: vec![table_section(found, &desk), found.entries().steering("table"), belief_section(found, &desk)],
    }
}

/// A chosen tap with its frame, in words.
pub fn named(found: &Found, (tap, frame): (usize, Frame)) -> String {
    format!("{}, {} frame", found.read.taps[tap], frame.name())
}

fn leaks(found: &Found) -> Evidence {
    let runs = |part: usize| found.read.sets.parts[part].samples.len();
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
    let one = |closer: &super::Measured| closer.curve.iter().map(|stand| (stand.step, of(stand))).collect();
    let curves: Vec<Vec<(u64, f64)>> = found.closer.iter().map(one).collect();
    words::emerged(&curves, "by step, on the moments for choosing", &[NAME])
}

/// The mean over models of what was measured at their checkpoints.
pub fn curve(found: &Found, of: fn(&super::Stand) -> f64) -> Vec<(u64, f64)> {
    let curves: Vec<_> = found.closer.iter().map(|closer| &closer.curve).collect();
    words::mean_curve(&curves, |stand| stand.step, of)
}

fn table(found: &Found, desk: &Desk<'_>) -> (Finding, Json) {
    let Judged { measured, mut evidence, strongest, probes } = found.entries().judged(desk, "table");
    evidence.extend([
        Evidence::new(
            3,
            true,
            "scored as balanced accuracy over transitions, where the evidence determines the entry, the token does not hold its \
             step and the step to come does not need it",
        ),
        leaks(found),
        when(found, |stand| stand.table),
        Evidence::new(
            12,
            true,
            format!(
                "tap and frame ({}; of {} taps, two frames) and strongest baseline ({strongest}) are chosen on validation machines",
                named(found, found.chosen.table),
                found.read.taps.len().saturating_sub(2),
            ),
        ),
    ]);
    (Finding { claim: "table".into(), measured, evidence }, probes)
}

fn state(found: &Found, desk: &Desk<'_>) -> (Finding, Json) {
    let (tap, frame) = found.chosen.state;
    let concepts = [frame.state()];
    let accuracy = |t: &[f64]| found.read.sets.accuracy(&concepts, t);
    let score: &dyn Fn(&Reading) -> f64 = &|reading| reading.concepts[frame.state()].choose.unwrap_or(0.0);
    let baselines = found.read.baselines(score);
    let stratum = found.read.sets.concepts[concepts[0]].scored;
    let trained = found.read.of_tap(tap);
    let arm = |readings: &[&Reading]| found.read.arm_of(&concepts, readings, stratum);
    let beside = Beside::new(desk, ("state", "balanced accuracy"), &trained, &arm, (&baselines, score), &accuracy);
    let control: Vec<_> = found.closer.iter().map(|closer| vec![(frame.state(), &closer.state_control)]).collect();
    let control = found.read.arm(&control, stratum, true);
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
        "open": beside.alone(&found.read.arm_of(&concepts, &trained, Stratum::Open), "state open"),
        "open_bayes": found.read.guess(&concepts, Stratum::Open),
    });
    (Finding { claim: "state".into(), measured: beside.measured, evidence }, probes)
}

fn belief(found: &Found, desk: &Desk<'_>) -> (Finding, Json) {
    let (tap, frame) = found.chosen.belief;
    let score: &dyn Fn(&Reading) -> f64 = &|reading| reading.beliefs[frame as usize].choose;
    let baselines = found.read.baselines(score);
    let arm = |readings: &[&Reading]| {
        found.read.squares(&readings.iter().map(|r| &r.beliefs[frame as usize]).collect::<Vec<_>>())
    };
    let claim = ("belief", "share of variance explained");
    let beside = Beside::new(desk, claim, &found.read.of_tap(tap), &arm, (&baselines, score), &explained);
    let control = found.read.squares(&found.closer.iter().map(|closer| &closer.belief_control).collect::<Vec<_>>());
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
