//! `single-machine`: the runs of one machine teach that machine and then nothing more.

use environments::turing::{HELD_BACK, TuringWorld};
use environments::{Environment, Split};
use models::{Parameters, predictor};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::references;
use super::scores::{Predictions, Runs, by_step, of_model};
use super::settings::{Common, within};
use super::train;
use super::words::{Desk, number};
use crate::claims::{Evidence, Finding, figure};
use crate::config::Config;
use crate::context::RunContext;
use crate::evidence::{Arm, Design, over_seeds, statistics::mean};
use crate::experiment::{Experiment, Outcome, Section, Table};
use crate::figures::{Axis, Figure, Line, Plot, Value};

/// The experiment `single-machine`.
pub struct SingleMachine;

const NAME: &str = "single-machine";
const CLAIMS: [&str; 2] = ["learnt", "nothing-else"];

/// Section `[measure]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Measure {
    /// Runs of the machine, and of other machines, on which figures are reported.
    runs: usize,
    /// Resamples of every interval.
    resamples: usize,
}

impl Default for Measure {
    fn default() -> Self {
        Self { runs: 800, resamples: 2000 }
    }
}

impl Experiment for SingleMachine {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "the runs of one Turing machine: they teach that machine, to its entropy, and nothing about any other"
    }

    fn complete(&self, config: &mut Config) -> anyhow::Result<()> {
        let (common, world) = Common::complete(config, &CLAIMS)?;
        let measure: Measure = config.complete("measure")?;
        if common.world.only.len() != 1 {
            return Err(config.refuse("world.only", "this experiment is of one machine; list exactly one"));
        }
        if world.pool().is_some_and(|pool| pool.iter().any(|machine| world.split_of(machine) != Split::Train)) {
            return Err(config.refuse(
                "world.only",
                "the machine is one of those held out, on which this experiment measures; take one of the training split",
            ));
        }
        within(config, &[("runs", measure.runs, 16, 100_000), ("resamples", measure.resamples, 100, 1_000_000)])
    }

    fn environment(&self, config: &Config) -> anyhow::Result<Box<dyn Environment>> {
        Ok(Box::new(TuringWorld::new(config.section("world")?)?))
    }

    fn run(&self, config: &Config, context: &mut RunContext<'_>) -> anyhow::Result<Outcome> {
        let common: Common = Common::read(config)?;
        let measure: Measure = config.section("measure")?;
        let world = TuringWorld::new(common.world.clone())?;
        let models = train::all(&world, &common, (NAME, config.seed), context)?;
        let sets = Sets::draw(&world, measure.runs);
        let measured = measure_all(&world, &common, config.seed, &models, &sets, context)?;
        Ok(outcome(&world, &sets, &measured, config, &measure))
    }
}

/// The runs of the machine and of others.
struct Sets {
    /// Runs of the machine on tapes that were not trained on.
    own: Runs,
    /// Runs of other machines, of the test split.
    others: Runs,
    /// Runs of yet other machines, on which the best statistical predictor is chosen.
    choosing: Runs,
}

impl Sets {
    fn draw(world: &TuringWorld, runs: usize) -> Self {
        Self {
            own: Runs::new(world, Split::Train, HELD_BACK, runs),
            others: Runs::new(world, Split::Test, 0, runs),
            choosing: Runs::new(world, Split::Validation, 0, runs.div_ceil(2)),
        }
    }
}

/// Nats of one model or reference, by run and step.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Costs {
    own: Vec<Vec<f64>>,
    others: Vec<Vec<f64>>,
}

impl Costs {
    fn of(own: &Predictions, others: &Predictions, sets: &Sets) -> Self {
        let all = |predictions: &Predictions, runs: &Runs| -> Vec<Vec<f64>> {
            (0..runs.len()).map(|run| predictions.nats(runs, run)).collect()
        };
        Self { own: all(own, &sets.own), others: all(others, &sets.others) }
    }
}

/// Nats a step.
fn rate(costs: &[Vec<f64>]) -> f64 {
    mean(&by_step(costs))
}

/// (training step, nats a step on the machine's own runs, on those of others).
type Curve = Vec<(u64, f64, f64)>;

struct Measured {
    models: Vec<Costs>,
    curves: Vec<Curve>,
    untrained: Vec<Costs>,
    oracle: Costs,
    statistical: Vec<(String, Costs)>,
    /// Which of these is best on the runs for choosing.
    best: usize,
}

fn costs(parameters: &Parameters, sets: &Sets, context: &RunContext<'_>) -> anyhow::Result<Costs> {
    context.check_stop()?;
    let model = predictor(parameters, context.device())?;
    Ok(Costs::of(&of_model(model.as_ref(), &sets.own)?, &of_model(model.as_ref(), &sets.others)?, sets))
}

fn measure_all(
    world: &TuringWorld,
    common: &Common,
    seed: u64,
    models: &[(String, Parameters)],
    sets: &Sets,
    context: &mut RunContext<'_>,
) -> anyhow::Result<Measured> {
    let bar = context.bar("measuring", 3 * models.len() as u64);
    let (mut all, mut curves, mut untrained) = (Vec::new(), Vec::new(), Vec::new());
    for (place, (name, trained)) in models.iter().enumerate() {
        all.push(context.stage(&format!("costs-{name}"), |context| costs(trained, sets, context))?);
        bar.add(1);
        let start = train::initial(world, common, NAME, seed, place + 1);
        untrained
            .push(context.stage(&format!("costs-untrained-{}", place + 1), |context| costs(&start, sets, context))?);
        bar.add(1);
        curves.push(context.stage(&format!("curve-{name}"), |context| {
            let stand = |(step, parameters): (u64, Parameters)| {
                let costs = costs(&parameters, sets, context)?;
                Ok((step, rate(&costs.own), rate(&costs.others)))
            };
            train::checkpoints(name, context)?.into_iter().map(stand).collect::<anyhow::Result<Curve>>()
        })?);
        bar.add(1);
    }
    let initial = world.config().initial.initial();
    let symbols = world.config().symbols;
    let machine = |runs: &Runs| references::oracle(runs, symbols, initial);
    let oracle = Costs::of(&machine(&sets.own), &machine(&sets.others), sets);
    let (own, others) = (references::statistical(&sets.own), references::statistical(&sets.others));
    let chosen: Vec<f64> = references::statistical(&sets.choosing)
        .iter()
        .map(|(_, predictions)| (0..sets.choosing.len()).map(|run| predictions.cost(&sets.choosing, run)).sum())
        .collect();
    let best = (0..chosen.len()).fold(0, |best, next| if chosen[next] < chosen[best] { next } else { best });
    let statistical =
        own.into_iter().zip(others).map(|((name, own), (_, others))| (name, Costs::of(&own, &others, sets))).collect();
    Ok(Measured { models: all, curves, untrained, oracle, statistical, best })
}

/// Sums over a run for the bootstrap: the model's nats, the reference's, the statistical predictor's, steps.
fn arm(models: &[Costs], oracle: &[Vec<f64>], best: &[Vec<f64>], of: fn(&Costs) -> &Vec<Vec<f64>>) -> Arm {
    let sum = |steps: &[f64]| steps.iter().sum::<f64>();
    let tallies: Vec<Vec<Vec<f64>>> = models
        .iter()
        .map(|costs| {
            let runs = of(costs).iter().zip(oracle).zip(best);
            runs.map(|((own, oracle), best)| vec![sum(own), sum(oracle), sum(best), own.len() as f64]).collect()
        })
        .collect();
    Arm::new(&tallies)
}

fn outcome(world: &TuringWorld, sets: &Sets, measured: &Measured, config: &Config, measure: &Measure) -> Outcome {
    let desk = Desk { experiment: NAME, seed: config.seed, resamples: measure.resamples, clusters: "runs" };
    let (best_name, best) = &measured.statistical[measured.best];
    // On its own runs the frequencies say how much there is to learn: the first of the statistical predictors.
    let (_, plain) = &measured.statistical[0];
    let own = arm(&measured.models, &measured.oracle.own, &plain.own, |costs| &costs.own);
    let share = |t: &[f64]| crate::evidence::metrics::ratio(t[2] - t[0], t[2] - t[1]);
    let learnt = desk.measured("learnt", "share of what there is to learn", Design::Crossed, &[&own], &|totals| {
        over_seeds(&totals[0], share)
    });
    let others = arm(&measured.models, &measured.oracle.others, &best.others, |costs| &costs.others);
    let worse = |t: &[f64]| crate::evidence::metrics::ratio(t[0] - t[2], t[3]);
    let nothing = desk
        .measured("nothing-else", "nats a step", Design::Crossed, &[&others], &|totals| over_seeds(&totals[0], worse));
    let of = |all: &[Costs], own: bool| {
        mean(&all.iter().map(|c| rate(if own { &c.own } else { &c.others })).collect::<Vec<_>>())
    };
    let list = |own: bool| -> String {
        let of = |costs: &Costs| figure(rate(if own { &costs.own } else { &costs.others }));
        let named = measured.statistical.iter().map(|(name, costs)| format!("{name} {}", of(costs)));
        named.collect::<Vec<_>>().join(", ")
    };
    let curve = mean_curve(&measured.curves);
    let told: Vec<String> =
        curve.iter().map(|(step, own, others)| format!("{step}: {} and {}", figure(*own), figure(*others))).collect();
    let falls = matches!((curve.first(), curve.last()), (Some(a), Some(b)) if b.1 < a.1) && curve.len() >= 4;
    let seen = world.split_of(&sets.own.episodes[0].machine);
    let apart = sets.others.episodes.iter().all(|episode| world.split_of(&episode.machine) == Split::Test);
    let leaks = Evidence::new(
        4,
        apart && !sets.own.episodes.is_empty(),
        format!(
            "the machine's runs are on tapes that no training reaches, {} different ones ({} drawn again for being alike); \
             other machines are of the test split by their canonical form, this one of the {} split",
            sets.own.len(),
            sets.own.repeated,
            seen.name()
        ),
    );
    let when = Evidence::new(
        11,
        falls,
        format!("nats a step by training step, on own runs and on others': {}", told.join("; ")),
    );
    let evidence = |own: bool| {
        vec![
            Evidence::new(
                2,
                true,
                format!(
                    "nats a step: trained {}, random weights {}, the oracle {}; {}",
                    figure(of(&measured.models, own)),
                    figure(of(&measured.untrained, own)),
                    figure(rate(if own { &measured.oracle.own } else { &measured.oracle.others })),
                    list(own)
                ),
            ),
            Evidence::new(
                3,
                true,
                "what a random tape makes unpredictable costs the model and the references alike and cancels in the \
                 difference",
            ),
            leaks.clone(),
            when.clone(),
            Evidence::new(12, true, format!("the best statistical predictor, {best_name}, is chosen on other runs")),
        ]
    };
    let probes = json!({
        "machine": sets.own.episodes[0].machine.to_string(),
        "runs": { "own": sets.own.len(), "others": sets.others.len(), "repeated": sets.own.repeated },
        "nats_a_step": {
            "trained": measured.models.iter().map(|c| json!({ "own": rate(&c.own), "others": rate(&c.others) })).collect::<Vec<_>>(),
            "untrained": measured.untrained.iter().map(|c| json!({ "own": rate(&c.own), "others": rate(&c.others) })).collect::<Vec<_>>(),
            "oracle": { "own": rate(&measured.oracle.own), "others": rate(&measured.oracle.others) },
            "statistical": measured.statistical.iter().map(|(name, c)| json!({ "name": name, "own": rate(&c.own), "others": rate(&c.others) })).collect::<Vec<_>>(),
        },
        "best_statistical": best_name,
        "curves": measured.curves,
    });
    let section = section(measured, sets, &curve, best_name);
    Outcome {
        probes,
        findings: vec![
            Finding { claim: "learnt".into(), measured: learnt, evidence: evidence(true) },
            Finding { claim: "nothing-else".into(), measured: nothing, evidence: evidence(false) },
        ],
        sections: vec![section],
    }
}

fn mean_curve(curves: &[Curve]) -> Curve {
    let Some(first) = curves.first() else { return Vec::new() };
    let at = |place: usize, of: fn(&(u64, f64, f64)) -> f64| {
        mean(&curves.iter().filter_map(|curve| curve.get(place).map(of)).collect::<Vec<_>>())
    };
    (0..first.len()).map(|place| (first[place].0, at(place, |p| p.1), at(place, |p| p.2))).collect()
}

fn section(measured: &Measured, sets: &Sets, curve: &Curve, best_name: &str) -> Section {
    let point = |value: f64| Value { value, interval: None };
    let line = |name: &str, baseline: bool, points: Vec<(f64, Value)>| Line { name: name.into(), baseline, points };
    let steps = |costs: &[Vec<f64>]| -> Vec<(f64, Value)> {
        by_step(costs).into_iter().enumerate().map(|(step, nats)| (step as f64 + 1.0, point(nats))).collect()
    };
    let average = |own: bool| -> Vec<(f64, Value)> {
        let of = |costs: &Costs| by_step(if own { &costs.own } else { &costs.others });
        let all: Vec<Vec<f64>> = measured.models.iter().map(of).collect();
        by_step(&all).into_iter().enumerate().map(|(step, nats)| (step as f64 + 1.0, point(nats))).collect()
    };
    let best = &measured.statistical[measured.best].1;
    let chart = |name: &str, title: &str, own: bool, oracle: &[Vec<f64>], best: &[Vec<f64>]| Figure {
        name: name.into(),
        title: title.into(),
        caption:
            "Mean over models and runs at each step of a run. The oracle is told the machine and pays only for cells \
                  that nobody has seen."
                .into(),
        plot: Plot::Lines {
            x: Axis::new("step of the run").logarithmic(),
            y: Axis::new("nats a step").spanning(0.0, 0.0),
            series: vec![
                line("trained on the machine", false, average(own)),
                line("oracle", true, steps(oracle)),
                line(best_name, true, steps(best)),
            ],
        },
    };
    let of = |curve: &Curve, pick: fn(&(u64, f64, f64)) -> f64| -> Vec<(f64, Value)> {
        let late = curve.iter().filter(|stand| stand.0 > 0);
        late.map(|stand| (stand.0 as f64, point(pick(stand)))).collect()
    };
    let training = Figure {
        name: "training".into(),
        title: "What training teaches".into(),
        caption: "Nats a step at checkpoints of the models, mean over them.".into(),
        plot: Plot::Lines {
            x: Axis::new("optimiser steps").logarithmic(),
            y: Axis::new("nats a step").spanning(0.0, 0.0),
            series: vec![
                line("runs of the machine", false, of(curve, |stand| stand.1)),
                line("runs of other machines", false, of(curve, |stand| stand.2)),
            ],
        },
    };
    let mut rows = Vec::new();
    let mut row = |name: &str, own: f64, others: f64| rows.push(vec![name.to_string(), figure(own), figure(others)]);
    let all = |costs: &[Costs], own: bool| {
        mean(&costs.iter().map(|c| rate(if own { &c.own } else { &c.others })).collect::<Vec<_>>())
    };
    row("trained on the machine", all(&measured.models, true), all(&measured.models, false));
    row("random weights", all(&measured.untrained, true), all(&measured.untrained, false));
    row("oracle", rate(&measured.oracle.own), rate(&measured.oracle.others));
    for (name, costs) in &measured.statistical {
        row(name, rate(&costs.own), rate(&costs.others));
    }
    Section {
        title: "One machine".into(),
        claim: None,
        text: vec![format!(
            "The machine {} on random tapes, and {} runs of other machines. After the whole training the models pay {} nats \
             a step on its runs.",
            sets.own.episodes[0].machine,
            sets.others.len(),
            number(Some(all(&measured.models, true)))
        )],
        figures: vec![
            training,
            chart("own", "On the machine's own runs", true, &measured.oracle.own, &best.own),
            chart("others", "On other machines' runs", false, &measured.oracle.others, &best.others),
        ],
        tables: vec![Table {
            caption: "Nats a step.".into(),
            header: vec!["predictor".into(), "own runs".into(), "other machines".into()],
            rows,
        }],
    }
}
