//! `machine-diversity`: from one training machine to a whole class, where does a model stop remembering machines and
//! begin to infer them in context?

use environments::turing::{HELD_BACK, Machine, TuringConfig, TuringWorld};
use environments::{Environment, Split};
use models::{Parameters, predictor};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::references;
use super::scores::{Predictions, Runs, by_step, of_model};
use super::settings::{Common, within};
use super::train;
use super::words::{Desk, number, words};
use crate::claims::{Evidence, Finding, figure};
use crate::config::Config;
use crate::context::RunContext;
use crate::evidence::metrics::ratio;
use crate::evidence::{Arm, Design, Estimate, over_seeds, statistics::mean};
use crate::experiment::{Experiment, Outcome, Section, Table};
use crate::figures::{Axis, Figure, Line, Plot, Value};

/// The experiment `machine-diversity`.
pub struct MachineDiversity;

const NAME: &str = "machine-diversity";
const CLAIMS: [&str; 3] = ["memorises", "infers", "switches"];

/// Section `[measure]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Measure {
    /// Numbers of training machines that are compared, rising; 0 stands for every machine that is not held out.
    diversities: Vec<usize>,
    /// Where the question is put whether the model has given up remembering: one of these.
    asked: usize,
    /// Runs of seen and of unseen machines on which figures are reported.
    runs: usize,
    /// Resamples of every interval.
    resamples: usize,
}

impl Default for Measure {
    fn default() -> Self {
        Self { diversities: vec![1, 4, 16, 64, 256, 1024, 0], asked: 256, runs: 400, resamples: 2000 }
    }
}

impl Measure {
    /// `16`, or `all`.
    fn name(diversity: usize) -> String {
        if diversity == 0 { "all".into() } else { diversity.to_string() }
    }
}

/// The world of a model: its seed chooses the machines of its pool.
fn world_of(world: &TuringConfig, diversity: usize, number: usize) -> TuringConfig {
    TuringConfig {
        machines: (diversity > 0).then_some(diversity),
        seed: world.seed.wrapping_mul(1000).wrapping_add(number as u64),
        ..world.clone()
    }
}

impl Experiment for MachineDiversity {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "from one training machine to a whole class: where does a model stop remembering machines and infer them?"
    }

    fn complete(&self, config: &mut Config) -> anyhow::Result<()> {
        let (common, _) = Common::complete(config, &CLAIMS)?;
        let measure: Measure = config.complete("measure")?;
        if common.world.machines.is_some() || !common.world.only.is_empty() {
            return Err(config.refuse(
                "world",
                "the training machines are set by measure.diversities; leave `machines` and `only` out",
            ));
        }
        within(config, &[("runs", measure.runs, 16, 100_000), ("resamples", measure.resamples, 100, 1_000_000)])?;
        let known: Vec<usize> = measure.diversities.iter().copied().filter(|&d| d > 0).collect();
        if known.len() < 2 || known.windows(2).any(|pair| pair[0] >= pair[1]) || measure.diversities.last() != Some(&0)
        {
            return Err(config.refuse(
                "measure.diversities",
                "must rise, hold at least two numbers, and end with 0, which stands for every machine not held out",
            ));
        }
        if !known.contains(&measure.asked) {
            let near = known.iter().min_by_key(|d| d.abs_diff(measure.asked)).copied().unwrap_or(1);
            return Err(
                config.refuse("measure.asked", &format!("must be one of measure.diversities; the nearest is {near}"))
            );
        }
        for &diversity in &known {
            if let Err(error) = TuringWorld::new(world_of(&common.world, diversity, 1)) {
                return Err(config.refuse("measure.diversities", &error.to_string()));
            }
        }
        Ok(())
    }

    fn environment(&self, config: &Config) -> anyhow::Result<Box<dyn Environment>> {
        Ok(Box::new(TuringWorld::new(config.section("world")?)?))
    }

    fn run(&self, config: &Config, context: &mut RunContext<'_>) -> anyhow::Result<Outcome> {
        let common = Common::read(config)?;
        let measure: Measure = config.section("measure")?;
        let seeds = common.training.seeds;
        context.expect_models(seeds * measure.diversities.len());
        let world = TuringWorld::new(common.world.clone())?;
        let unseen = Unseen::draw(&world, measure.runs);
        let mut all = Vec::new();
        for &diversity in &measure.diversities {
            for number in 1..=seeds {
                let own = TuringWorld::new(world_of(&common.world, diversity, number))?;
                let name = format!("machines-{}-{number}", Measure::name(diversity));
                let trained = train::train(&own, &common, (NAME, config.seed, number), &name, context)?;
                let seen = context.stage(&format!("seen-{name}"), |context| seen(&own, &trained, &measure, context))?;
                let new = context.stage(&format!("unseen-{name}"), |context| unseen.nats(&trained, context))?;
                let curve = context.stage(&format!("curve-{name}"), |context| {
                    let stand = |(step, parameters): (u64, Parameters)| {
                        Ok((step, mean(&by_step(&unseen.nats(&parameters, context)?))))
                    };
                    train::checkpoints(&name, context)?.into_iter().map(stand).collect::<anyhow::Result<Vec<_>>>()
                })?;
                all.push(Model { diversity, seen, unseen: new, curve });
            }
        }
        let untrained = train::initial(&world, &common, NAME, config.seed, 1);
        let untrained = context.stage("unseen-untrained", |context| unseen.nats(&untrained, context))?;
        Ok(outcome(&Found { models: all, untrained, unseen }, config, &measure))
    }
}

/// A trained model's scores.
struct Model {
    diversity: usize,
    /// By run of a seen machine: divergence of the model from the memoriser and from the generaliser, of the generaliser
    /// from the memoriser, nats of the model, of the memoriser, of the generaliser; steps.
    seen: Vec<Vec<f64>>,
    /// By run of an unseen machine and step: nats.
    unseen: Vec<Vec<f64>>,
    /// (training step, nats a step on unseen machines).
    curve: Vec<(u64, f64)>,
}

/// Scores on runs of machines that the model was trained on.
fn seen(
    world: &TuringWorld,
    model: &Parameters,
    measure: &Measure,
    context: &RunContext<'_>,
) -> anyhow::Result<Vec<Vec<f64>>> {
    context.check_stop()?;
    let runs = Runs::drawn(world, Split::Train, HELD_BACK, measure.runs);
    let (states, symbols, initial) = kind(world);
    let pool: Vec<Machine> = match world.pool() {
        Some(pool) => pool.to_vec(),
        None => world.listed(Split::Train).unwrap_or_default(),
    };
    let memoriser = references::memoriser(&runs, &pool, symbols, initial);
    let generaliser = references::generaliser(&runs, states, symbols, initial);
    let model = of_model(predictor(model, context.device())?.as_ref(), &runs)?;
    let one = |run: usize| {
        vec![
            model.divergence(&memoriser, run),
            model.divergence(&generaliser, run),
            generaliser.divergence(&memoriser, run),
            model.cost(&runs, run),
            memoriser.cost(&runs, run),
            generaliser.cost(&runs, run),
            runs.numbers[run].len() as f64,
        ]
    };
    Ok((0..runs.len()).map(one).collect())
}

fn kind(world: &TuringWorld) -> (usize, usize, environments::turing::InitialTape) {
    let config = world.config();
    (config.states, config.symbols, config.initial.initial())
}

/// Runs of machines that no model was trained on, and that no training machine could have made, with the references.
struct Unseen {
    runs: Runs,
    /// Runs left out, since a training machine could have made them.
    familiar: usize,
    generaliser: Vec<Vec<f64>>,
    oracle: Vec<Vec<f64>>,
    filler: Vec<Vec<f64>>,
    /// By name: nats by run and step.
    statistical: Vec<(String, Vec<Vec<f64>>)>,
    /// The best of them on validation runs.
    best: usize,
}

impl Unseen {
    fn draw(world: &TuringWorld, wanted: usize) -> Self {
        let trained = world.listed(Split::Train).unwrap_or_default();
        let (runs, familiar) = Runs::new_to(world, Split::Test, 0, wanted, &trained);
        let (choosing, _) = Runs::new_to(world, Split::Validation, 0, wanted.div_ceil(2), &trained);
        let (states, symbols, initial) = kind(world);
        let nats = |predictions: &Predictions| -> Vec<Vec<f64>> {
            (0..runs.len()).map(|run| predictions.nats(&runs, run)).collect()
        };
        let chosen: Vec<f64> = references::statistical(&choosing)
            .iter()
            .map(|(_, predictions)| (0..choosing.len()).map(|run| predictions.cost(&choosing, run)).sum())
            .collect();
        let best = (0..chosen.len()).fold(0, |best, next| if chosen[next] < chosen[best] { next } else { best });
        Self {
            generaliser: nats(&references::generaliser(&runs, states, symbols, initial)),
            oracle: nats(&references::oracle(&runs, symbols, initial)),
            filler: references::filler(&runs, symbols, initial),
            statistical: references::statistical(&runs).iter().map(|(name, all)| (name.clone(), nats(all))).collect(),
            best,
            familiar,
            runs,
        }
    }

    fn nats(&self, model: &Parameters, context: &RunContext<'_>) -> anyhow::Result<Vec<Vec<f64>>> {
        context.check_stop()?;
        let predictions = of_model(predictor(model, context.device())?.as_ref(), &self.runs)?;
        Ok((0..self.runs.len()).map(|run| predictions.nats(&self.runs, run)).collect())
    }
}

struct Found {
    models: Vec<Model>,
    untrained: Vec<Vec<f64>>,
    unseen: Unseen,
}

impl Found {
    fn of(&self, diversity: usize) -> impl Iterator<Item = &Model> {
        self.models.iter().filter(move |model| model.diversity == diversity)
    }

    /// Seeds × runs × the sums of [`Model::seen`].
    fn seen(&self, diversity: usize) -> Arm {
        Arm::new(&self.of(diversity).map(|model| model.seen.clone()).collect::<Vec<_>>())
    }

    /// Seeds × runs × (nats of the model, of the generaliser, of the best statistical predictor, steps).
    fn unseen(&self, diversity: usize) -> Arm {
        let best = &self.unseen.statistical[self.unseen.best].1;
        let sum = |steps: &[f64]| steps.iter().sum::<f64>();
        let one = |model: &Model| -> Vec<Vec<f64>> {
            let runs = model.unseen.iter().zip(&self.unseen.generaliser).zip(best);
            runs.map(|((own, exact), best)| vec![sum(own), sum(exact), sum(best), own.len() as f64]).collect()
        };
        Arm::new(&self.of(diversity).map(one).collect::<Vec<_>>())
    }
}

/// Nats a step above the generaliser.
fn excess(t: &[f64]) -> Option<f64> {
    ratio(t[0] - t[1], t[3])
}

/// How much of the way from the best statistical predictor to the generaliser the model has gone.
fn way(t: &[f64]) -> Option<f64> {
    ratio(t[2] - t[0], t[2] - t[1])
}

/// Divergence from the generaliser minus that from the memoriser, in nats a step: above 0 the model is nearer to the
/// memoriser.
fn remembers(t: &[f64]) -> Option<f64> {
    ratio(t[1] - t[0], t[6])
}

/// The number of training machines at which the mean excess on unseen machines has come half the way, on a logarithmic
/// scale, from that of the least to that of the most; `sizes` rise.
fn threshold(sizes: &[f64], excess: &[f64]) -> Option<f64> {
    let (first, last) = (*excess.first()?, *excess.last()?);
    let half = (first + last) / 2.0;
    if first <= last {
        return None;
    }
    let place = (1..excess.len()).find(|&place| excess[place] <= half)?;
    let (a, b) = (excess[place - 1], excess[place]);
    let part = if a > b { (a - half) / (a - b) } else { 0.0 };
    let logarithm = crate::evidence::numeric::logarithm;
    let at = logarithm(sizes[place - 1]) * (1.0 - part) + logarithm(sizes[place]) * part;
    Some(crate::evidence::numeric::exponential(at))
}

fn outcome(found: &Found, config: &Config, measure: &Measure) -> Outcome {
    let desk = Desk { experiment: NAME, seed: config.seed, resamples: measure.resamples };
    let least = measure.diversities[0];
    let unit = "nats a step";
    let seeds =
        |statistic: fn(&[f64]) -> Option<f64>| move |totals: &[Vec<Vec<f64>>]| over_seeds(&totals[0], statistic);
    let memorises = desk.measured("memorises", unit, Design::Nested, &[&found.seen(least)], &seeds(remembers));
    let infers =
        desk.measured("infers", "share of the way to Bayes", Design::Crossed, &[&found.unseen(0)], &seeds(way));
    let switches = desk.measured("switches", unit, Design::Nested, &[&found.seen(measure.asked)], &|totals| {
        over_seeds(&totals[0], |t| remembers(t).map(|nearer| -nearer))
    });

    let every =
        |statistic: fn(&[f64]) -> Option<f64>, design: Design, seen: bool, what: &str| -> Vec<Option<Estimate>> {
            let at = |&diversity: &usize| {
                let arm = if seen { found.seen(diversity) } else { found.unseen(diversity) };
                desk.estimate(&format!("{what} {diversity}"), design, &[&arm], &seeds(statistic))
            };
            measure.diversities.iter().map(at).collect()
        };
    let beyond = every(excess, Design::Crossed, false, "excess");
    let nearer = every(remembers, Design::Nested, true, "nearer");
    let seen_model = every(|t| ratio(t[3] - t[4], t[6]), Design::Nested, true, "seen excess");
    let between = every(|t| ratio(t[2], t[6]), Design::Nested, true, "between");

    // The whole class stands at its number of machines.
    let whole = config.section::<TuringConfig>("world").ok().and_then(|world| TuringWorld::new(world).ok());
    let whole = whole.and_then(|world| world.listed(Split::Train)).map_or(f64::NAN, |list| list.len() as f64);
    let sizes: Vec<f64> = measure.diversities.iter().map(|&d| if d == 0 { whole } else { d as f64 }).collect();
    let arms: Vec<Arm> = measure.diversities.iter().map(|&diversity| found.unseen(diversity)).collect();
    let half = desk.estimate("threshold", Design::Crossed, &arms.iter().collect::<Vec<_>>(), &|totals| {
        let all: Option<Vec<f64>> = totals.iter().map(|seeds| over_seeds(seeds, excess)).collect();
        threshold(&sizes, &all?)
    });

    let of = |nats: &[Vec<f64>]| mean(&by_step(nats));
    let unseen = &found.unseen;
    let (best_name, best) = &unseen.statistical[unseen.best];
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
    let told: Vec<String> = curve.iter().map(|(step, nats)| format!("{step}: {}", figure(*nats))).collect();
    let falls = matches!((curve.first(), curve.last()), (Some(a), Some(b)) if b.1 < a.1) && curve.len() >= 4;
    let when = Evidence::new(
        11,
        falls,
        format!("nats a step on unseen machines by training step, trained on all: {}", told.join("; ")),
    );
    let multiplicity = Evidence::new(
        12,
        true,
        format!(
            "one diversity is asked for, registered before the run; the best statistical predictor, {best_name}, is chosen on validation runs"
        ),
    );
    let evidence = vec![baselines, masked, leaks, when, multiplicity];
    let finding = |claim: &str, measured| Finding { claim: claim.into(), measured, evidence: evidence.clone() };

    let estimates = |all: &[Option<Estimate>]| -> Vec<serde_json::Value> {
        let one = |estimate: &Option<Estimate>| {
            json!(estimate.as_ref().map(|e| json!({ "value": e.value, "interval": e.interval })))
        };
        all.iter().map(one).collect()
    };
    let probes = json!({
        "diversities": measure.diversities,
        "machines": sizes,
        "unseen_excess_over_bayes": estimates(&beyond),
        "seen_excess_over_memoriser": estimates(&seen_model),
        "nearer_to_memoriser_than_generaliser": estimates(&nearer),
        "generaliser_from_memoriser": estimates(&between),
        "threshold": half.as_ref().map(|e| json!({ "machines": e.value, "interval": e.interval })),
        "unseen_nats_a_step": {
            "trained": measure.diversities.iter().map(|&d| found.of(d).map(|m| of(&m.unseen)).collect::<Vec<_>>()).collect::<Vec<_>>(),
            "untrained": of(&found.untrained),
            "bayes_over_class": of(&unseen.generaliser),
            "oracle": of(&unseen.oracle),
            "table_filler": of(&unseen.filler),
            "statistical": unseen.statistical.iter().map(|(name, nats)| json!({ "name": name, "nats": of(nats) })).collect::<Vec<_>>(),
        },
        "best_statistical": best_name,
        "runs": { "unseen": unseen.runs.len(), "familiar_left_out": unseen.familiar, "repeated_left_out": unseen.runs.repeated },
        "curves": found.models.iter().map(|m| json!({ "diversity": m.diversity, "curve": m.curve })).collect::<Vec<_>>(),
    });

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
    let base = of(&unseen.generaliser);
    let figures = vec![
        Figure {
            name: "diversity".into(),
            title: "Unseen machines, by the number of training machines".into(),
            caption: "Nats a step above Bayes over the whole class, equal training. Bands: 95% bootstrap intervals over model \
                      seeds and runs. The table-filler is told the state of the machine, which the models are not."
                .into(),
            plot: Plot::Lines {
                x: Axis::new("training machines").logarithmic(),
                y: Axis::new("nats a step above Bayes").spanning(0.0, 0.0),
                series: vec![
                    line("trained", false, &beyond),
                    flat(best_name, of(best) - base),
                    flat("table-filler", of(&unseen.filler) - base),
                ],
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
                series: vec![line("nearer to the memoriser", false, &nearer), line("between the two", true, &between)],
            },
        },
        steps_figure(found, best_name, best),
    ];
    let header = [
        "training machines",
        "unseen: above Bayes",
        "seen: above the memoriser",
        "nearer to the memoriser",
        "memoriser to generaliser",
    ];
    let cell = |all: &[Option<Estimate>], place: usize| all[place].as_ref().map_or_else(|| "–".into(), words);
    let rows = (0..sizes.len())
        .map(|place| {
            vec![
                figure_of(sizes[place]),
                cell(&beyond, place),
                cell(&seen_model, place),
                cell(&nearer, place),
                cell(&between, place),
            ]
        })
        .collect();
    let text = vec![
        format!(
            "The models come half of the way from what they pay on unseen machines after training on {} to what they pay after \
             training on all at {} training machines.",
            Measure::name(least),
            half.as_ref().map_or_else(|| "no number of".into(), words)
        ),
        format!(
            "Trained on all, they pay {} nats a step on unseen machines; Bayes over the class {}, the table-filler {}, the best \
             statistical predictor ({best_name}) {}.",
            number(Some(trained(0))),
            figure(base),
            figure(of(&unseen.filler)),
            figure(of(best))
        ),
    ];
    let section = Section {
        title: "Remembering and inferring".into(),
        claim: None,
        text,
        figures,
        tables: vec![Table {
            caption: "Nats a step, with 95% intervals.".into(),
            header: header.map(String::from).to_vec(),
            rows,
        }],
    };
    Outcome {
        probes,
        findings: vec![finding("memorises", memorises), finding("infers", infers), finding("switches", switches)],
        sections: vec![section],
    }
}

fn figure_of(size: f64) -> String {
    format!("{size:.0}")
}

fn mean_curve(found: &Found, diversity: usize) -> Vec<(u64, f64)> {
    let curves: Vec<&Vec<(u64, f64)>> = found.of(diversity).map(|model| &model.curve).collect();
    let Some(first) = curves.first() else { return Vec::new() };
    let at = |place: usize| mean(&curves.iter().filter_map(|curve| curve.get(place).map(|p| p.1)).collect::<Vec<_>>());
    first.iter().enumerate().map(|(place, (step, _))| (*step, at(place))).collect()
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
            .map(|(step, (nats, base))| (step as f64 + 1.0, Value { value: nats - base, interval: None }))
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
        caption: "Nats above Bayes over the class at each step of the run; means over models and runs.".into(),
        plot: Plot::Lines {
            x: Axis::new("step of the run").logarithmic(),
            y: Axis::new("nats above Bayes").spanning(0.0, 0.0),
            series,
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_threshold_is_where_half_the_way_is_gone() {
        // From .8 to .2, half-way is .5: between 4 (.6) and 16 (.4), in the middle on a logarithmic scale.
        let found = threshold(&[1.0, 4.0, 16.0, 64.0], &[0.8, 0.6, 0.4, 0.2]).unwrap();
        assert!((found - 8.0).abs() < 1e-9, "{found}");
        assert_eq!(threshold(&[1.0, 4.0], &[0.2, 0.3]), None);
    }

    #[test]
    fn a_seed_chooses_its_pool_and_pools_of_a_seed_are_nested() {
        let base = TuringConfig { length: 8, ..TuringConfig::default() };
        let pool =
            |diversity, number| TuringWorld::new(world_of(&base, diversity, number)).unwrap().pool().unwrap().to_vec();
        assert_eq!(pool(4, 1), pool(16, 1)[..4]);
        assert_ne!(pool(4, 1), pool(4, 2));
    }
}
