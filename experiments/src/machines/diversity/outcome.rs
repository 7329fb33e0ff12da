//! From scores to findings.

use environments::Split;
use environments::turing::{TuringConfig, TuringWorld};
use serde_json::json;

use super::super::scores::by_step;
use super::super::words::{self, Desk};
use super::measure::Found;
use super::report;
use super::variants;
use super::{Measure, NAME};
use crate::claims::{Evidence, Finding, figure};
use crate::config::Config;
use crate::evidence::metrics::ratio;
use crate::evidence::{Arm, Design, Estimate, over_seeds, statistics::mean};
use crate::experiment::Outcome;

/// Nats a step above the generaliser.
pub fn excess(t: &[f64]) -> Option<f64> {
    ratio(t[0] - t[1], t[3])
}

/// How much of the way from the best statistical predictor to the generaliser the model has gone.
pub fn way(t: &[f64]) -> Option<f64> {
    ratio(t[2] - t[0], t[2] - t[1])
}

/// Divergence from the generaliser minus that from the memoriser, in nats a step: above 0 the model is nearer to the
/// memoriser.
pub fn remembers(t: &[f64]) -> Option<f64> {
    ratio(t[1] - t[0], t[6])
}

/// The number of training machines at which a model is as near to the generaliser as to the memoriser: where a curve
/// that begins above 0 first comes down to it, on a logarithmic scale of `sizes`, which rise.
pub fn threshold(sizes: &[f64], nearer: &[f64]) -> Option<f64> {
    let place = nearer.iter().position(|value| *value <= 0.0).filter(|place| *place > 0)?;
    let (a, b) = (nearer[place - 1], nearer[place]);
    let part = a / (a - b);
    let logarithm = crate::evidence::numeric::logarithm;
    let at = logarithm(sizes[place - 1]) * (1.0 - part) + logarithm(sizes[place]) * part;
    Some(crate::evidence::numeric::exponential(at))
}

/// Scores with their intervals, by diversity.
pub struct Told<'a> {
    /// Where chance comes from.
    pub desk: Desk<'a>,
    /// The scores.
    pub found: &'a Found,
    /// What was asked.
    pub measure: &'a Measure,
    /// Training machines; the whole class stands at its number.
    pub sizes: Vec<f64>,
    /// Nats a step above Bayes over the class on unseen machines.
    pub beyond: Vec<Option<Estimate>>,
    /// Nats a step above the memoriser on seen machines.
    pub above_memoriser: Vec<Option<Estimate>>,
    /// How much nearer to the memoriser than to the generaliser on seen machines, nats a step.
    pub nearer: Vec<Option<Estimate>>,
    /// How far the two are from each other there.
    pub between: Vec<Option<Estimate>>,
    /// Training machines at which the model turns from the one to the other.
    pub turn: Option<Estimate>,
}

/// Nats a step of some runs.
pub fn rate(nats: &[Vec<f64>]) -> f64 {
    mean(&by_step(nats))
}

impl<'a> Told<'a> {
    fn take(found: &'a Found, config: &Config, measure: &'a Measure) -> Self {
        let desk = Desk { experiment: NAME, seed: config.seed, resamples: measure.resamples, clusters: "runs" };
        let each = |what: &str, design: Design, arm: &dyn Fn(usize) -> Arm, statistic: fn(&[f64]) -> Option<f64>| {
            let at = |&diversity: &usize| {
                let arm = arm(diversity);
                desk.estimate(&format!("{what} {diversity}"), design, &[&arm], &|t| over_seeds(&t[0], statistic))
            };
            measure.diversities.iter().map(at).collect::<Vec<_>>()
        };
        let (seen, unseen) = (|diversity: usize| found.seen(diversity), |diversity: usize| found.unseen(diversity));
        let whole = config.section::<TuringConfig>("world").ok().and_then(|world| TuringWorld::new(world).ok());
        let whole = whole.and_then(|world| world.listed(Split::Train)).map_or(f64::NAN, |list| list.len() as f64);
        let sizes: Vec<f64> = measure.diversities.iter().map(|&d| if d == 0 { whole } else { d as f64 }).collect();
        let arms: Vec<Arm> = measure.diversities.iter().map(|&diversity| found.seen(diversity)).collect();
        let turn = desk.estimate("threshold", Design::Nested, &arms.iter().collect::<Vec<_>>(), &|totals| {
            let all: Option<Vec<f64>> = totals.iter().map(|seeds| over_seeds(seeds, remembers)).collect();
            threshold(&sizes, &all?)
        });
        Self {
            beyond: each("excess", Design::Crossed, &unseen, excess),
            above_memoriser: each("seen excess", Design::Nested, &seen, |t| ratio(t[3] - t[4], t[6])),
            nearer: each("nearer", Design::Nested, &seen, remembers),
            between: each("between", Design::Nested, &seen, |t| ratio(t[2], t[6])),
            turn,
            sizes,
            desk,
            found,
            measure,
        }
    }

    /// The name and the costs of the best statistical predictor.
    pub fn best(&self) -> (&str, &[Vec<f64>]) {
        let unseen = &self.found.unseen;
        let (name, nats) = &unseen.statistical[unseen.best];
        (name, nats)
    }

    /// Nats a step on unseen machines of the models of a diversity.
    pub fn trained(&self, diversity: usize) -> f64 {
        mean(&self.found.of(diversity).map(|model| rate(&model.unseen)).collect::<Vec<_>>())
    }
}

/// Findings, figures and report.
pub fn outcome(found: &Found, config: &Config, measure: &Measure) -> Outcome {
    let told = Told::take(found, config, measure);
    let desk = &told.desk;
    let unit = "nats a step";
    let (least, asked) = (found.seen(measure.diversities[0]), found.seen(measure.asked));
    let memorises = desk.measured("memorises", unit, Design::Nested, &[&least], &|t| over_seeds(&t[0], remembers));
    let infers = desk.measured("infers", "share of the way to Bayes", Design::Crossed, &[&found.unseen(0)], &|t| {
        over_seeds(&t[0], way)
    });
    let switches = desk.measured("switches", unit, Design::Nested, &[&asked], &|t| {
        over_seeds(&t[0], |t| remembers(t).map(|nearer| -nearer))
    });
    let evidence = evidence(&told);
    let finding = |claim: &str, measured| Finding { claim: claim.into(), measured, evidence: evidence.clone() };
    Outcome {
        probes: probes(&told),
        findings: vec![finding("memorises", memorises), finding("infers", infers), finding("switches", switches)],
        sections: vec![report::section(&told)],
    }
}

fn evidence(told: &Told<'_>) -> Vec<Evidence> {
    let (found, measure) = (told.found, told.measure);
    let (unseen, least) = (&found.unseen, measure.diversities[0]);
    let best_name = told.best().0;
    let of = rate;
    let list: Vec<String> =
        unseen.statistical.iter().map(|(name, nats)| format!("{name} {}", figure(of(nats)))).collect();
    let trained = |diversity: usize| mean(&found.of(diversity).map(|model| of(&model.unseen)).collect::<Vec<_>>());
    let leaks = Evidence::new(
        4,
        unseen.runs.len() >= 16,
        format!(
            "unseen machines differ from training machines by more than names of states and mirror; of their runs, {} that \
             some training machine could have made were left out, and {} that look like another",
            unseen.familiar, unseen.runs.repeated
        ),
    );
    let masked = Evidence::new(
        3,
        true,
        "what a random tape makes unpredictable costs models and references alike and cancels in every difference",
    );
    let baselines = Evidence::new(
        2,
        true,
        format!(
            "nats a step on unseen machines: trained on all {}, on {} {}, random weights {}, Bayes over the class {}, the \
             oracle {}, the table-filler {}; {}",
            figure(trained(0)),
            Measure::name(least),
            figure(trained(least)),
            figure(of(&found.untrained)),
            figure(of(&unseen.generaliser)),
            figure(of(&unseen.oracle)),
            figure(of(&unseen.filler)),
            list.join(", ")
        ),
    );
    let curve = mean_curve(found, 0);
    let stands: Vec<String> = curve.iter().map(|(step, nats)| format!("{step}: {}", figure(*nats))).collect();
    let falls = matches!((curve.first(), curve.last()), (Some(a), Some(b)) if b.1 < a.1) && curve.len() >= 4;
    let when = Evidence::new(
        11,
        falls,
        format!("nats a step on unseen machines by training step, trained on all: {}", stands.join("; ")),
    );
    let multiplicity = Evidence::new(
        12,
        true,
        format!(
            "one diversity is asked for, registered before the run; the best statistical predictor, {best_name}, is chosen on validation runs"
        ),
    );
    vec![baselines, masked, leaks, when, multiplicity]
}

fn mean_curve(found: &Found, diversity: usize) -> Vec<(u64, f64)> {
    let curves: Vec<&Vec<(u64, f64)>> = found.of(diversity).map(|model| &model.curve).collect();
    words::mean_curve(&curves, |stand| stand.0, |stand| stand.1)
}

fn probes(told: &Told<'_>) -> serde_json::Value {
    let (found, measure) = (told.found, told.measure);
    let unseen = &found.unseen;
    let of = rate;
    let estimates = |all: &[Option<Estimate>]| -> Vec<serde_json::Value> {
        let one = |estimate: &Option<Estimate>| {
            json!(estimate.as_ref().map(|e| json!({ "value": e.value, "interval": e.interval })))
        };
        all.iter().map(one).collect()
    };
    json!({
        "diversities": measure.diversities,
        "machines": told.sizes,
        "unseen_excess_over_bayes": estimates(&told.beyond),
        "seen_excess_over_memoriser": estimates(&told.above_memoriser),
        "nearer_to_memoriser_than_generaliser": estimates(&told.nearer),
        "generaliser_from_memoriser": estimates(&told.between),
        "threshold": told.turn.as_ref().map(|e| json!({ "machines": e.value, "interval": e.interval })),
        "unseen_nats_a_step": {
            "trained": measure.diversities.iter().map(|&d| found.of(d).map(|m| of(&m.unseen)).collect::<Vec<_>>()).collect::<Vec<_>>(),
            "untrained": of(&found.untrained),
            "bayes_over_class": of(&unseen.generaliser),
            "oracle": of(&unseen.oracle),
            "table_filler": of(&unseen.filler),
            "statistical": unseen.statistical.iter().map(|(name, nats)| json!({ "name": name, "nats": of(nats) })).collect::<Vec<_>>(),
        },
        "best_statistical": told.best().0,
        "variants": variants::json(told),
        "behaviours": found.behaviours,
        "runs": { "unseen": unseen.runs.len(), "familiar_left_out": unseen.familiar, "repeated_left_out": unseen.runs.repeated },
        "curves": found.models.iter().map(|m| json!({ "diversity": m.diversity, "curve": m.curve })).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_threshold_is_where_the_curve_comes_down_to_zero() {
        // From .2 at 4 to −.2 at 16: half-way on a logarithmic scale.
        let found = threshold(&[1.0, 4.0, 16.0, 64.0], &[0.8, 0.2, -0.2, 0.1]).unwrap();
        assert!((found - 8.0).abs() < 1e-9, "{found}");
        assert_eq!(threshold(&[1.0, 4.0], &[0.2, 0.3]), None);
        assert_eq!(threshold(&[1.0, 4.0], &[-0.2, 0.3]), None);
    }
}
