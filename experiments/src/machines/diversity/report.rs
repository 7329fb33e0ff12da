//! What the report shows.

use super::super::scores::by_step;
use super::super::words::{estimated, number};
use super::Measure;
use super::behaviour::Behaviours;
use super::measure::Found;
use super::outcome::{Told, rate};
use super::variants;
use crate::claims::figure;
use crate::evidence::Estimate;
use crate::evidence::numeric::bits;
use crate::experiment::{Section, Table};
use crate::figures::{Axis, Figure, Line, Plot, Value};

pub fn count(size: f64) -> String {
    format!("{size:.0}")
}

/// The section on remembering and inferring.
pub fn section(told: &Told<'_>) -> Section {
    let unseen = &told.found.unseen;
    let (best_name, best) = told.best();
    let mut tables = vec![by_diversity(told), pools(told)];
    tables.extend(variants::tables(told));
    let text = vec![
        format!(
            "On runs of their training machines the models turn from remembering to inferring at {} training machines: there \
             they are as near to Bayes over the class as to Bayes over the machines that they were trained on.",
            told.turn.as_ref().map_or_else(
                || "no number of".into(),
                |turn| { format!("{:.0} ({:.0} to {:.0})", turn.value, turn.interval.0, turn.interval.1) }
            )
        ),
        format!(
            "Trained on all, they pay {} nats a step on unseen machines; Bayes over the class {}, the table-filler {}, the best \
             statistical predictor ({best_name}) {}.",
            number(Some(told.trained(0))),
            figure(rate(&unseen.generaliser)),
            figure(rate(&unseen.filler)),
            figure(rate(best))
        ),
    ];
    let figures = figures(told);
    Section { title: "Remembering and inferring".into(), claim: None, text, figures, tables }
}

fn by_diversity(told: &Told<'_>) -> Table {
    let header = [
        "training machines",
        "unseen: above Bayes",
        "seen: above the memoriser",
        "nearer to the memoriser",
        "so it is nearer to",
        "memoriser to generaliser",
    ];
    let row = |(place, size): (usize, &f64)| {
        let of = |all: &[Option<Estimate>]| estimated(all[place].as_ref());
        vec![
            count(*size),
            of(&told.beyond),
            of(&told.above_memoriser),
            of(&told.nearer),
            variants::nearer_to(told.nearer[place].as_ref()).to_string(),
            of(&told.between),
        ]
    };
    Table {
        caption: "Nats a step, with 95% intervals.".into(),
        header: header.map(String::from).to_vec(),
        rows: told.sizes.iter().enumerate().map(row).collect(),
    }
}

/// What the pools hold beside tables.
fn pools(told: &Told<'_>) -> Table {
    let header = ["training machines", "behaviours", "traces from a blank tape"];
    let row = |(&diversity, size): (&usize, &f64)| {
        let of: Vec<_> = told.found.behaviours.iter().filter(|of| of.diversity == diversity).collect();
        let mean = |pick: fn(&Behaviours) -> usize| {
            figure(of.iter().map(|of| pick(of) as f64).sum::<f64>() / of.len().max(1) as f64)
        };
        vec![count(*size), mean(|of| of.behaviours), mean(|of| of.traces)]
    };
    Table {
        caption: "What the pools hold, means over model seeds: machines (tables); those among them that differ by more than names \
                  of states and states that are never reached or do alike; different sequences of symbols that they write from \
                  a blank tape."
            .into(),
        header: header.map(String::from).to_vec(),
        rows: told.measure.diversities.iter().zip(&told.sizes).map(row).collect(),
    }
}

fn figures(told: &Told<'_>) -> Vec<Figure> {
    let unseen = &told.found.unseen;
    let (best_name, best) = told.best();
    let sizes = &told.sizes;
    let line = |name: &str, baseline: bool, all: &[Option<Estimate>]| Line {
        name: name.into(),
        baseline,
        points: sizes
            .iter()
            .zip(all)
            .filter_map(|(&x, e)| e.as_ref().map(|e| (x, Value { value: e.value, interval: Some(e.interval) })))
            .collect(),
    };
    let flat = |name: &str, value: f64| Line {
        name: name.into(),
        baseline: true,
        points: sizes.iter().map(|&x| (x, Value { value, interval: None })).collect(),
    };
    let base = rate(&unseen.generaliser);
    vec![
        Figure {
            name: "diversity".into(),
            title: "Unseen machines, by the number of training machines".into(),
            caption: "Nats a step above Bayes over the whole class, equal training. Bands: 95% bootstrap intervals over model \
                      seeds and runs. The table-filler is told the state of the machine, which the models are not."
                .into(),
            plot: Plot::Lines {
                x: Axis::new("training machines").logarithmic(),
                y: Axis::new("nats a step above Bayes").spanning(0.0, 0.0),
                series: std::iter::once(line("trained", false, &told.beyond))
                    .chain(variants::lines(told))
                    .chain([flat(best_name, rate(best) - base), flat("table-filler", rate(&unseen.filler) - base)])
                    .collect(),
            },
        },
        Figure {
            name: "memory".into(),
            title: "Seen machines: who is the model like?".into(),
            caption: "Divergence of the model from the generaliser (Bayes over the class) minus that from the memoriser (Bayes \
                      over the machines seen in training), nats a step; above 0 it is nearer to the memoriser. Dashed: how far \
                      the two are from each other."
                .into(),
            plot: Plot::Lines {
                x: Axis::new("training machines").logarithmic(),
                y: Axis::new("nats a step").spanning(0.0, 0.0),
                series: vec![line("nearer to the memoriser", false, &told.nearer), line("between the two", true, &told.between)],
            },
        },
        steps_figure(told.found, best_name, best),
    ]
}

/// Regret along a run.
fn steps_figure(found: &Found, best_name: &str, best: &[Vec<f64>]) -> Figure {
    let base = by_step(&found.unseen.generaliser);
    let line = |name: String, baseline: bool, nats: Vec<f64>| Line {
        name,
        baseline,
        points: nats
            .into_iter()
            .zip(&base)
            .enumerate()
            .map(|(step, (nats, base))| (step as f64 + 1.0, Value { value: bits(nats - base), interval: None }))
            .collect(),
    };
    let mut diversities: Vec<usize> = found.models.iter().map(|model| model.diversity).collect();
    diversities.dedup();
    let trained = |diversity: &usize| {
        let all: Vec<Vec<f64>> = found.of(*diversity).map(|model| by_step(&model.unseen)).collect();
        line(format!("trained on {}", Measure::name(*diversity)), false, by_step(&all))
    };
    let mut series: Vec<Line> = diversities.iter().map(trained).collect();
    series.push(line(best_name.into(), true, by_step(best)));
    series.push(line("table-filler".into(), true, by_step(&found.unseen.filler)));
    Figure {
        name: "regret".into(),
        title: "Regret along a run of an unseen machine".into(),
        caption: "Bits above Bayes over the class at each step of the run; means over models and runs.".into(),
        plot: Plot::Lines {
            x: Axis::new("step of the run").logarithmic(),
            y: Axis::new("bits above Bayes").spanning(0.0, 0.0),
            series,
        },
    }
}
