//! Streams of programs by the length of the program that writes: regret against context-tree weighting and against PPM, and how
//! it came down in training.

use serde_json::{Value as Json, json};

use super::super::nats::Nats;
use super::super::words::{Desk, estimated};
use super::{Found, Rival, Set, over};
use crate::claims::figure;
use crate::evidence::statistics::mean;
use crate::evidence::{Design, Estimate};
use crate::experiment::{Section, Table};
use crate::figures::{Axis, Figure, Line, Plot, Value};

/// Spans of program lengths, in instructions, both ends counted: 1, 2 to 3, 4 to 7, ….
pub fn spans() -> impl Iterator<Item = (u32, u32)> {
    (0..16).map(|exponent| (1 << exponent, (1 << (exponent + 1)) - 1))
}

/// Whether the program that wrote a symbol has a length in a span.
fn within(set: &Set, (low, high): (u32, u32), sequence: usize, place: usize) -> bool {
    set.lengths[sequence][place].is_some_and(|length| (low..=high).contains(&length))
}

/// Nats a novel symbol, by span; `None` where there is none.
pub fn rates(nats: &Nats, set: &Set) -> Vec<Option<f64>> {
    let of = |span: (u32, u32)| {
        let mut all = Vec::new();
        for (sequence, (nats, novel)) in nats.iter().zip(&set.novel).enumerate() {
            let scored = nats.iter().zip(novel).enumerate();
            let scored = scored.filter(|(place, (_, novel))| **novel && within(set, span, sequence, *place));
            all.extend(scored.map(|(_, (nats, _))| *nats));
        }
        (!all.is_empty()).then(|| mean(&all))
    };
    spans().map(of).collect()
}

/// What is told of one span.
struct Span {
    low: u32,
    high: u32,
    /// Scored symbols.
    symbols: f64,
    /// Nats a symbol saved over the best statistical predictor, over context-tree weighting, over PPM.
    saved: [Option<Estimate>; 3],
    /// At checkpoints: step, nats a symbol of the models.
    curve: Vec<(u64, f64)>,
    /// Nats a symbol of context-tree weighting.
    tree: f64,
}

/// All spans in which something was written.
pub struct Lengths {
    spans: Vec<Span>,
    /// Names of the context-tree weighting and the PPM, each the best of its kind on the sequences for choosing.
    names: [String; 2],
}

/// The best of the predictors whose names begin so, on the sequences for choosing.
fn best<'a>(found: &'a Found, name: &str) -> &'a Rival {
    let all = &found.rivals[0];
    let of_kind = all.iter().filter(|rival| rival.name.starts_with(name));
    of_kind.reduce(|best, next| if next.choose < best.choose { next } else { best }).unwrap_or(&all[0])
}

impl Lengths {
    /// Measures every span.
    pub fn take(found: &Found, desk: &Desk<'_>) -> Self {
        let set = &found.tests.sets[0];
        let kinds = [best(found, "context-tree"), best(found, "PPM")];
        let rivals = [found.rival(0), kinds[0], kinds[1]];
        let one = |(place, (low, high)): (usize, (u32, u32))| {
            let pass = |sequence: usize, place: usize| within(set, (low, high), sequence, place);
            let arms = rivals.map(|rival| found.arm_beside(0, rival, &pass));
            let symbols = arms[0].totals().first().map_or(0.0, |totals| totals[2]);
            if symbols == 0.0 {
                return None;
            }
            let what = [format!("length {low}"), format!("length {low} tree"), format!("length {low} PPM")];
            let estimate = |number: usize| desk.estimate(&what[number], Design::Crossed, &[&arms[number]], &over);
            let steps = found.models.first().map_or(0, |(_, curve)| curve.len());
            let stand = |at: usize| {
                let all: Vec<f64> = found.models.iter().filter_map(|(_, curve)| curve[at].lengths[place]).collect();
                (found.models[0].1[at].step, mean(&all))
            };
            Some(Span {
                low,
                high,
                symbols,
                saved: [0, 1, 2].map(estimate),
                curve: (0..steps).map(stand).collect(),
                tree: rates(&kinds[0].nats, set)[place].unwrap_or_default(),
            })
        };
        Self { spans: spans().enumerate().filter_map(one).collect(), names: kinds.map(|rival| rival.name.clone()) }
    }

    /// As data.
    pub fn json(&self) -> Json {
        let one = |span: &Span| {
            json!({
                "instructions": [span.low, span.high],
                "symbols": span.symbols,
                "saved": { "best": span.saved[0], "tree": span.saved[1], "ppm": span.saved[2] },
                "curve": span.curve,
            })
        };
        json!({ "tree": self.names[0], "ppm": self.names[1], "spans": self.spans.iter().map(one).collect::<Vec<_>>() })
    }

    /// What the report shows.
    pub fn section(&self) -> Section {
        let label = |span: &Span| match span.low {
            1 => "1".to_string(),
            low => format!("{low} to {}", span.high),
        };
        let row = |span: &Span| {
            let own = span.curve.last().map_or(0.0, |stand| stand.1);
            let start = [label(span), figure(span.symbols), figure(own)];
            let saved = span.saved.each_ref().map(|saved| estimated(saved.as_ref()));
            start.into_iter().chain(saved).collect()
        };
        let [tree, ppm] = &self.names;
        let line = |name: &str, place: usize| Line {
            name: name.into(),
            baseline: false,
            points: self
                .spans
                .iter()
                .filter_map(|span| {
                    let saved = span.saved[place].as_ref()?;
                    let interval = Some((-saved.interval.1, -saved.interval.0));
                    Some((f64::from(span.low), Value { value: -saved.value, interval }))
                })
                .collect(),
        };
        let curve = |span: &Span| Line {
            name: label(span),
            baseline: false,
            points: span
                .curve
                .iter()
                .filter(|(step, _)| *step > 0)
                .map(|&(step, nats)| (step as f64, Value { value: nats - span.tree, interval: None }))
                .collect(),
        };
        Section {
            title: "By the length of the program that writes".into(),
            claim: None,
            text: vec![format!(
                "Regret of the models against {tree} and against {ppm}, each the best of its kind on streams of the validation \
                 split, on the symbols that test programs of a length write, where their output is novel. Below 0 the models are \
                 the cheaper."
            )],
            figures: vec![
                Figure {
                    name: "dovetail-lengths".into(),
                    title: "Regret by program length".into(),
                    caption: "Nats a symbol above context-tree weighting and above PPM, by the length of the program that writes \
                              (from the one given to twice it). 95% bootstrap intervals."
                        .into(),
                    plot: Plot::Lines {
                        x: Axis::new("instructions").logarithmic(),
                        y: Axis::new("nats a symbol above").spanning(0.0, 0.0),
                        series: vec![line(tree, 1), line(ppm, 2)],
                    },
                },
                Figure {
                    name: "dovetail-learning".into(),
                    title: "Learning curves by program length".into(),
                    caption: "Nats a symbol above context-tree weighting over training, by the length of the program that writes; \
                              means over models."
                        .into(),
                    plot: Plot::Lines {
                        x: Axis::new("training step").logarithmic(),
                        y: Axis::new("nats a symbol above").spanning(0.0, 0.0),
                        series: self.spans.iter().map(curve).collect(),
                    },
                },
            ],
            tables: vec![Table {
                caption: "Nats a symbol of the models, and what they save, by the length of the program that writes.".into(),
                header: [
                    "instructions".to_string(),
                    "symbols".into(),
                    "models".into(),
                    "saved over the best".into(),
                    format!("over {tree}"),
                    format!("over {ppm}"),
                ]
                .to_vec(),
                rows: self.spans.iter().map(row).collect(),
            }],
        }
    }
}
