//! From answers to findings and report.

use environments::turing::HaltingConfig;
use serde_json::json;

use super::super::settings::Common;
use super::super::words::{self, Desk, estimated, explained, mean_curve, number};
use super::{Found, Measure, Model, Questions, Said, Steps, balanced};
use crate::claims::{Evidence, Finding};
use crate::evidence::metrics::ratio;
use crate::evidence::statistics::mean;
use crate::evidence::{Arm, Design, Estimate, Totals, over_seeds};
use crate::experiment::{Outcome, Section, Table};
use crate::figures::{Axis, Figure, Line, Plot, Value};

impl Found {
    /// Seeds × questions × (halts and said so, halts, never and said so, never), of those halting machines that pass.
    fn arm(&self, said: &[&Said], pass: &dyn Fn(u64) -> bool) -> Arm {
        let report = &self.sets[2];
        let one = |said: &&Said| -> Vec<Vec<f64>> {
            let row = |(place, &halts): (usize, &bool)| match report.steps[place] {
                Some(steps) if pass(steps) => vec![f64::from(u8::from(halts)), 1.0, 0.0, 0.0],
                Some(_) => vec![0.0; 4],
                None => vec![0.0, 0.0, f64::from(u8::from(!halts)), 1.0],
            };
            said.halts.iter().enumerate().map(row).collect()
        };
        Arm::new(&said.iter().map(one).collect::<Vec<_>>())
    }

    fn squares(&self, steps: &[&Steps]) -> Arm {
        let one = |steps: &&Steps| steps.squares.iter().map(|&(error, far)| vec![error, far]).collect();
        Arm::new(&steps.iter().map(one).collect::<Vec<Vec<Vec<f64>>>>())
    }

    /// What simulation for so many steps says: halted, or never.
    fn simulated(&self, steps: u64) -> Said {
        let says = |set: &Questions| -> Vec<bool> {
            set.steps.iter().map(|own| own.is_some_and(|own| own <= steps)).collect()
        };
        Said { choose: balanced(&says(&self.sets[1]), &self.sets[1].halts), halts: says(&self.sets[2]) }
    }
}

fn accuracy(t: &[f64]) -> Option<f64> {
    Some((ratio(t[0], t[1])? + ratio(t[2], t[3])?) / 2.0)
}

/// Findings, figures and report.
pub fn outcome(
    found: &Found,
    (experiment, seed): (&str, u64),
    common: &Common<HaltingConfig>,
    measure: &Measure,
) -> Outcome {
    let desk = Desk { experiment, seed, resamples: measure.resamples, clusters: "runs" };
    let own: Vec<&Said> = found.answers.iter().map(|model| &model.said).collect();
    let baselines: Vec<(String, &Said)> = found.readers.iter().map(|(name, said, _)| (name.clone(), said)).collect();
    let rival =
        baselines.iter().fold(&baselines[0], |best, next| if next.1.choose > best.1.choose { next } else { best });
    let apart = |t: &Totals| Some(over_seeds(&t[0], accuracy)? - over_seeds(&t[1], accuracy)?);
    let any = |_: u64| true;
    let late = |steps: u64| steps > measure.late;
    let beyond = |what: &str, pass: &dyn Fn(u64) -> bool| {
        let arms = (found.arm(&own, pass), found.arm(&[rival.1], pass));
        desk.measured(what, "balanced accuracy", Design::Crossed, &[&arms.0, &arms.1], &apart)
    };
    let one = |what: &str, said: &[&Said], pass: &dyn Fn(u64) -> bool| {
        let arm = found.arm(said, pass);
        desk.estimate(what, Design::Crossed, &[&arm], &|t| over_seeds(&t[0], accuracy))
    };
    let (decides, tail) = (beyond("decides", &any), beyond("tail", &late));
    let own_any = one("own", &own, &any);
    let own_late = one("own late", &own, &late);
    let told: Vec<(String, Option<Estimate>, Option<Estimate>)> = baselines
        .iter()
        .map(|(name, said)| (name.clone(), one(name, &[said], &any), one(&format!("{name} late"), &[said], &late)))
        .collect();
    // What the answer is worth: the fewest steps of simulation that do as well.
    let most = found.sets.iter().flat_map(|set| set.steps.iter().flatten()).max().copied().unwrap_or(0);
    let simulated: Vec<(u64, Option<f64>)> = (common.world.after..=most.min(64))
        .map(|steps| (steps, over_seeds(&found.arm(&[&found.simulated(steps)], &any).totals(), accuracy)))
        .collect();
    let reached = own_any.as_ref().map(|own| own.value);
    let worth = simulated.iter().find(|(_, value)| value.zip(reached).is_some_and(|(value, own)| value >= own));
    let leaks = Evidence::new(
        4,
        true,
        format!(
            "machines of different splits differ by more than names of states and left and right; {} test machines, {} of them \
             halting, {} of these after more than {} steps; verdicts are proved",
            found.sets[2].halts.len(),
            found.sets[2].halts.iter().filter(|halts| **halts).count(),
            found.sets[2].steps.iter().flatten().filter(|steps| late(**steps)).count(),
            measure.late
        ),
    );
    let masked = Evidence::new(
        3,
        true,
        format!(
            "every machine has a halting entry and makes more than {} steps; half of them halt; balanced accuracy",
            common.world.after
        ),
    );
    let curves: Vec<_> = found.answers.iter().map(|model| &model.curve).collect();
    let when = words::when(&mean_curve(&curves, |stand| stand.0, |stand| stand.1), "balanced accuracy by step");
    let chosen =
        Evidence::new(12, true, format!("the strongest baseline, {}, is chosen on validation machines", rival.0));
    let line = |late: bool| {
        told.iter()
            .map(|(name, any, tail)| format!("{name} {}", estimated(if late { tail } else { any })))
            .collect::<Vec<_>>()
            .join("; ")
    };
    let seen = common.training.steps * common.training.batch as u64;
    let evidence = |late: bool| {
        let text = format!("{} (each fitted on as many machines as the models saw, {seen})", line(late));
        vec![Evidence::new(2, true, text), masked.clone(), leaks.clone(), when.clone(), chosen.clone()]
    };

    // Steps to halt.
    let best_tap = |models: &[&Model]| {
        let taps = models.first().map_or(0, |model| model.steps.len() - 1);
        let score = |tap: usize| models.iter().map(|model| model.steps[tap].choose).sum::<f64>();
        (0..taps).fold(0, |best, next| if score(next) > score(best) { next } else { best })
    };
    let all: Vec<&Model> = found.answers.iter().collect();
    let (tap, tap_untrained) = (best_tap(&all), best_tap(&[&found.untrained]));
    let of_tap: Vec<&Steps> = all.iter().map(|model| &model.steps[tap]).collect();
    let odds: Vec<&Steps> = all.iter().filter_map(|model| model.steps.last()).collect();
    let mut sources: Vec<(String, Vec<&Steps>)> = vec![
        (
            format!("random weights, {}", found.untrained.steps[tap_untrained].source),
            vec![&found.untrained.steps[tap_untrained]],
        ),
        ("the model's own answer".into(), odds),
    ];
    if let Some((name, _, steps)) = found.readers.first() {
        sources.push((name.clone(), vec![steps]));
    }
    let choose = |steps: &[&Steps]| mean(&steps.iter().map(|steps| steps.choose).collect::<Vec<_>>());
    let strongest =
        sources.iter().fold(&sources[0], |best, next| if choose(&next.1) > choose(&best.1) { next } else { best });
    let steps_apart = |t: &Totals| Some(over_seeds(&t[0], explained)? - over_seeds(&t[1], explained)?);
    let steps = desk.measured(
        "steps",
        "share of variance explained",
        Design::Crossed,
        &[&found.squares(&of_tap), &found.squares(&strongest.1)],
        &steps_apart,
    );
    let read_one = |what: &str, steps: &[&Steps]| {
        desk.estimate(what, Design::Crossed, &[&found.squares(steps)], &|t| over_seeds(&t[0], explained))
    };
    let own_steps = read_one("own steps", &of_tap);
    let other_steps: Vec<(String, Option<Estimate>)> =
        sources.iter().map(|(name, steps)| (name.clone(), read_one(&format!("steps {name}"), steps))).collect();
    let tap_name = found.answers.first().map_or("", |model| &model.steps[tap].source);
    let steps_evidence = vec![
        Evidence::new(1, false, "no edit was made: the answer is given at the position at which the steps are read"),
        Evidence::new(
            2,
            true,
            other_steps
                .iter()
                .map(|(name, value)| format!("{name} {}", estimated(value)))
                .collect::<Vec<_>>()
                .join("; "),
        ),
        Evidence::new(3, true, "machines that halt alone; out-of-sample variance of the binary logarithm of steps"),
        leaks.clone(),
        Evidence::new(
            12,
            true,
            format!("tap ({tap_name}) and baseline ({}) are chosen on validation machines", strongest.0),
        ),
    ];
    let probes = json!({
        "accuracy": own_any, "late": own_late,
        "baselines": told.iter().map(|(name, any, late)| (name.clone(), json!({ "all": any, "late": late }))).collect::<serde_json::Map<_, _>>(),
        "worth_steps": worth.map(|(steps, _)| steps),
        "simulated": simulated,
        "steps": { "tap": tap_name, "trained": own_steps, "baselines": other_steps },
        "curves": found.answers.iter().map(|model| &model.curve).collect::<Vec<_>>(),
    });
    let worth_words = match worth {
        Some((steps, _)) => format!("as much as simulating {steps} steps"),
        None => "more than simulating every machine to its end".into(),
    };
    Outcome {
        probes,
        findings: vec![
            Finding { claim: "decides".into(), measured: decides, evidence: evidence(false) },
            Finding { claim: "tail".into(), measured: tail, evidence: evidence(true) },
            Finding { claim: "steps".into(), measured: steps, evidence: steps_evidence },
        ],
        sections: vec![Section {
            title: if common.world.text { "Halting by the table alone" } else { "Halting by the first steps" }.into(),
            claim: Some("decides".into()),
            text: vec![format!(
                "Balanced accuracy {} on machines of the test split, {worth_words}; on the tail (halting after more than {} steps, \
                 against those that never do) {}.",
                estimated(&own_any),
                measure.late,
                estimated(&own_late)
            )],
            figures: vec![recall_figure(found, &own, rival)],
            tables: vec![accuracy_table(&own_any, &own_late, &told, &simulated, measure)],
        }],
    }
}

/// Share of halting machines that are said to halt, by their steps.
fn recall_figure(found: &Found, own: &[&Said], rival: &(String, &Said)) -> Figure {
    let line = |name: &str, baseline: bool, said: &[&Said]| {
        let point = |exponent: u32| {
            let (low, high) = (1u64 << exponent, 1u64 << (exponent + 1));
            let pass = |steps: u64| (low..high).contains(&steps);
            let totals = found.arm(said, &pass).totals();
            let value = over_seeds(&totals, |t| ratio(t[0], t[1]))?;
            Some((low as f64, Value { value, interval: None }))
        };
        Line { name: name.into(), baseline, points: (0..40).filter_map(point).collect() }
    };
    Figure {
        name: "halting".into(),
        title: "Who is said to halt".into(),
        caption: "Share of halting machines of the test split that are said to halt, by steps to the halt (from the one given to \
                  twice it)."
            .into(),
        plot: Plot::Lines {
            x: Axis::new("steps to halt").logarithmic(),
            y: Axis::new("said to halt").spanning(0.0, 1.0),
            series: vec![line("trained", false, own), line(&rival.0, true, &[rival.1])],
        },
    }
}

fn accuracy_table(
    own: &Option<Estimate>,
    late: &Option<Estimate>,
    told: &[(String, Option<Estimate>, Option<Estimate>)],
    simulated: &[(u64, Option<f64>)],
    measure: &Measure,
) -> Table {
    let mut rows = vec![vec!["trained".to_string(), estimated(own), estimated(late)]];
    rows.extend(told.iter().map(|(name, any, tail)| vec![name.clone(), estimated(any), estimated(tail)]));
    for (steps, value) in simulated.iter().step_by(2).take(12) {
        rows.push(vec![format!("simulation for {steps} steps"), number(*value), "–".into()]);
    }
    Table {
        caption: "Balanced accuracy on the test split.".into(),
        header: vec!["who answers".into(), "all".into(), format!("halting after {} or never", measure.late)],
        rows,
    }
}
