//! Other models beside the main one: what they pay on unseen machines, and where they turn from remembering to inferring.

use models::ModelConfig;
use serde_json::{Value as Json, json};

use super::super::words::estimated;
use super::measure::{Model, seen_arm};
use super::outcome::{Told, excess, rate, remembers, threshold, way};
use super::report::count;
use crate::evidence::{Arm, Design, Estimate, over_seeds};
use crate::experiment::Table;
use crate::figures::{Line, Value};

/// A variant with its models, and the sizes of their pools.
struct Of<'a> {
    name: &'a str,
    model: &'a ModelConfig,
    models: &'a [Model],
}

impl Told<'_> {
    fn variants(&self) -> impl Iterator<Item = Of<'_>> {
        let all = self.measure.variants.iter().zip(&self.found.variants);
        all.map(|(variant, models)| Of { name: &variant.name, model: &variant.model, models })
    }

    /// Training machines of a diversity.
    fn size(&self, diversity: usize) -> f64 {
        self.measure.diversities.iter().position(|d| *d == diversity).map_or(f64::NAN, |place| self.sizes[place])
    }

    /// How much nearer to the memoriser than to the generaliser a variant is on seen machines, nats a step.
    fn nearer_of(&self, of: &Of<'_>, diversity: usize) -> Option<Estimate> {
        let (what, arm) = (format!("nearer {} {diversity}", of.name), seen_arm(of.models, diversity));
        self.desk.estimate(&what, Design::Nested, &[&arm], &|t| over_seeds(&t[0], remembers))
    }

    /// Training machines at which a variant turns from remembering to inferring.
    fn turn_of(&self, of: &Of<'_>) -> Option<Estimate> {
        let diversities = &self.measure.variant_diversities;
        let sizes: Vec<f64> = diversities.iter().map(|&diversity| self.size(diversity)).collect();
        let arms: Vec<Arm> = diversities.iter().map(|&diversity| seen_arm(of.models, diversity)).collect();
        let what = format!("threshold {}", of.name);
        self.desk.estimate(&what, Design::Nested, &arms.iter().collect::<Vec<_>>(), &|totals| {
            let all: Option<Vec<f64>> = totals.iter().map(|seeds| over_seeds(seeds, remembers)).collect();
            threshold(&sizes, &all?)
        })
    }

    fn excess_of(&self, of: &Of<'_>, diversity: usize) -> Option<Estimate> {
        let arm = self.found.unseen_of(of.models, diversity);
        let what = format!("variant {} {diversity}", of.name);
        self.desk.estimate(&what, Design::Crossed, &[&arm], &|t| over_seeds(&t[0], excess))
    }
}

/// The reference that a difference of divergences (above 0: nearer to the memoriser) says a model is nearer to.
pub fn nearer_to(nearer: Option<&Estimate>) -> &'static str {
    match nearer {
        Some(estimate) if estimate.interval.0 > 0.0 => "the memoriser",
        Some(estimate) if estimate.interval.1 < 0.0 => "the generaliser",
        _ => "neither",
    }
}

/// What a model is, in a word or two.
fn kind(model: &ModelConfig) -> String {
    match model {
        ModelConfig::Transformer(own) if own.loops > 1 => {
            format!("transformer, width {}, {} block {} times over", own.width, own.depth / own.loops, own.loops)
        }
        ModelConfig::Transformer(own) => format!("transformer, width {}, {} blocks", own.width, own.depth),
        _ => format!("LSTM, width {}, {} layers", model.width(), model.depth()),
    }
}

/// Tables of the variants, if there are any.
pub fn tables(told: &Told<'_>) -> Vec<Table> {
    if told.measure.variants.is_empty() {
        return Vec::new();
    }
    let mut rows = Vec::new();
    for of in told.variants() {
        for &diversity in &told.measure.variant_diversities {
            let arm = told.found.unseen_of(of.models, diversity);
            let what = format!("variant {} {diversity} way", of.name);
            let share = told.desk.estimate(&what, Design::Crossed, &[&arm], &|t| over_seeds(&t[0], way));
            let nearer = told.nearer_of(&of, diversity);
            rows.push(vec![
                of.name.to_string(),
                count(told.size(diversity)),
                estimated(told.excess_of(&of, diversity).as_ref()),
                estimated(share.as_ref()),
                estimated(nearer.as_ref()),
                nearer_to(nearer.as_ref()).to_string(),
            ]);
        }
    }
    let own = vec!["the model itself".to_string(), "–".into(), turn(told.turn.as_ref())];
    let turns = told.variants().map(|of| vec![of.name.to_string(), kind(of.model), turn(told.turn_of(&of).as_ref())]);
    let seeds = told.measure.variant_seeds;
    vec![
        Table {
            caption: format!(
                "The turn from remembering to inferring, by model: training machines at which it is as near to Bayes over the \
                 class as to Bayes over the machines that it was trained on, on runs of these. {seeds} models of each variant."
            ),
            header: ["model", "what it is", "turn"].map(String::from).to_vec(),
            rows: std::iter::once(own).chain(turns).collect(),
        },
        Table {
            caption: format!(
                "Other models, {seeds} of each: nats a step above Bayes on unseen machines, the share of the way from the best \
                 statistical predictor to Bayes, and on seen machines how much nearer to the memoriser than to the generaliser."
            ),
            header: [
                "model",
                "training machines",
                "unseen: above Bayes",
                "share of the way to Bayes",
                "nearer to the memoriser",
                "so it is nearer to",
            ]
            .map(String::from)
            .to_vec(),
            rows,
        },
    ]
}

/// A turn in words.
fn turn(estimate: Option<&Estimate>) -> String {
    estimate.map_or_else(
        || "not between these numbers of machines".into(),
        |turn| format!("{} ({} to {})", count(turn.value), count(turn.interval.0), count(turn.interval.1)),
    )
}

/// Lines of the variants by the number of training machines: nats a step above Bayes on unseen machines.
pub fn lines(told: &Told<'_>) -> Vec<Line> {
    let line = |of: Of<'_>| {
        let point = |&diversity: &usize| {
            let estimate = told.excess_of(&of, diversity)?;
            Some((told.size(diversity), Value { value: estimate.value, interval: Some(estimate.interval) }))
        };
        let points = told.measure.variant_diversities.iter().filter_map(point).collect();
        Line { name: of.name.into(), baseline: false, points }
    };
    told.variants().map(line).collect()
}

/// All of it as data.
pub fn json(told: &Told<'_>) -> Vec<Json> {
    let one = |of: Of<'_>| {
        let seeds = |diversity: &usize| -> Vec<f64> {
            super::measure::of(of.models, *diversity).map(|model| rate(&model.unseen)).collect()
        };
        let diversities = &told.measure.variant_diversities;
        json!({
            "name": of.name,
            "diversities": diversities,
            "unseen_nats_a_step": diversities.iter().map(seeds).collect::<Vec<_>>(),
            "nearer_to_memoriser_than_generaliser":
                diversities.iter().map(|&diversity| told.nearer_of(&of, diversity)).collect::<Vec<_>>(),
            "threshold": told.turn_of(&of).map(|turn| json!({ "machines": turn.value, "interval": turn.interval })),
        })
    };
    told.variants().map(one).collect()
}
