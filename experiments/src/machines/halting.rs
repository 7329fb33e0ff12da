//! `halting`: does a model that reads a machine's table tell whether it halts, also where the run is long; and how many
//! steps of simulation is its answer worth?

use environments::turing::deciders::Decision;
use environments::turing::{HELD_BACK, HaltingConfig, HaltingWorld};
use environments::{Environment, Sample, Split, stream};
use models::{ModelConfig, Parameters, Plan, predictor};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::settings::{Common, within};
use super::train;
use super::words::{self, Desk, estimated, explained, mean_curve, number};
use crate::claims::{Evidence, Finding};
use crate::config::Config;
use crate::context::RunContext;
use crate::evidence::metrics::{r_squared, ratio};
use crate::evidence::numeric::{bits, logarithm};
use crate::evidence::statistics::mean;
use crate::evidence::{Arm, Confusion, Dataset, Design, Estimate, Probe, Ridge, Targets, Totals, fit, over_seeds};
use crate::experiment::{Experiment, Outcome, Section, Table};
use crate::figures::{Axis, Figure, Line, Plot, Value};

/// The experiment `halting`.
pub struct Halting;

const NAME: &str = "halting";
const CLAIMS: [&str; 3] = ["decides", "tail", "steps"];

/// Section `[measure]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Measure {
    /// Questions on which readers of the text and probes are fitted, on which choices are made, and for reporting.
    questions: [usize; 3],
    /// Machines that halt after more steps than this are the tail.
    late: u64,
    /// Width of the perceptron that reads the text.
    perceptron: usize,
    /// Resamples of every interval.
    resamples: usize,
}

impl Default for Measure {
    fn default() -> Self {
        Self { questions: [12_000, 2000, 4000], late: 8, perceptron: 128, resamples: 2000 }
    }
}

impl Experiment for Halting {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "does a machine halt, by its table alone: a model beside readers of the text and so many steps of simulation"
    }

    fn complete(&self, config: &mut Config) -> anyhow::Result<()> {
        let (common, _) = Common::<HaltingConfig>::complete_with(config, &CLAIMS, HaltingWorld::new)?;
        let measure: Measure = config.complete("measure")?;
        let [fitting, choosing, reporting] = measure.questions;
        within(
            config,
            &[
                ("questions", fitting, 32, 1_000_000),
                ("questions", choosing, 32, 1_000_000),
                ("questions", reporting, 32, 1_000_000),
                ("perceptron", measure.perceptron, 1, 4096),
                ("resamples", measure.resamples, 100, 1_000_000),
            ],
        )?;
        if measure.late < common.world.after {
            return Err(config.refuse("measure.late", "must be at least `world.after`: all machines run for so long"));
        }
        if !matches!(common.model, ModelConfig::Transformer(_)) {
            return Err(config.refuse("model.kind", "this experiment reads the residual stream of a transformer"));
        }
        Ok(())
    }

    fn environment(&self, config: &Config) -> anyhow::Result<Box<dyn Environment>> {
        Ok(Box::new(HaltingWorld::new(config.section("world")?)?))
    }

    fn run(&self, config: &Config, context: &mut RunContext<'_>) -> anyhow::Result<Outcome> {
        let common: Common<HaltingConfig> = Common::read(config)?;
        let measure: Measure = config.section("measure")?;
        let world = HaltingWorld::new(common.world.clone())?;
        let models = train::all(&world, &common, (NAME, config.seed), context)?;
        let bar = context.bar("measuring", models.len() as u64 + 2);
        let [fitting, choosing, reporting] = measure.questions;
        let sets = [
            Questions::draw(&world, Split::Train, HELD_BACK, fitting),
            Questions::draw(&world, Split::Validation, 0, choosing),
            Questions::draw(&world, Split::Test, 0, reporting),
        ];
        bar.add(1);
        let depth = common.model.depth();
        let mut answers = Vec::new();
        for (name, model) in &models {
            answers.push(context.stage(&format!("answers-{name}"), |context| {
                let mut curve = Vec::new();
                for (step, parameters) in train::checkpoints(name, context)? {
                    let answers = Answers::of(&parameters, &sets[1], context)?;
                    curve.push((step, balanced(&answers.halts, &sets[1].halts)));
                }
                read(model, &sets, depth, curve, context)
            })?);
            bar.add(1);
        }
        let start = train::initial(&world, &common, NAME, config.seed, 1);
        let untrained =
            context.stage("answers-untrained", |context| read(&start, &sets, depth, Vec::new(), context))?;
        let readers = context.stage("readers", |_| Ok(readers(&world, &sets, measure.perceptron)))?;
        bar.add(1);
        Ok(outcome(&Found { answers, untrained, readers, sets }, config, &common, &measure))
    }
}

/// Questions with their answers.
struct Questions {
    samples: Vec<Sample>,
    halts: Vec<bool>,
    /// Steps to halt of those that do.
    steps: Vec<Option<u64>>,
}

impl Questions {
    fn draw(world: &HaltingWorld, split: Split, first: u64, count: usize) -> Self {
        let all: Vec<_> = (first..first + count as u64)
            .into_par_iter()
            .map(|index| {
                let observed = world.observe(split, index);
                let steps = match observed.decision {
                    Decision::Halts(steps) => Some(steps),
                    _ => None,
                };
                (world.sample_of(&observed), steps)
            })
            .collect();
        let halts = all.iter().map(|(_, steps)| steps.is_some()).collect();
        let steps = all.iter().map(|&(_, steps)| steps).collect();
        Self { samples: all.into_iter().map(|(sample, _)| sample).collect(), halts, steps }
    }

    /// Binary logarithms of the steps of those that halt, with their places.
    fn logarithms(&self) -> (Vec<usize>, Vec<f64>) {
        let halting = self.steps.iter().enumerate().filter_map(|(place, steps)| Some((place, (*steps)?)));
        halting.map(|(place, steps)| (place, bits(logarithm(steps as f64)))).unzip()
    }
}

/// What a model says, and what it holds at the last position.
struct Answers {
    halts: Vec<bool>,
    /// By tap: questions × width.
    taps: Vec<Vec<f32>>,
    /// Log odds of halting.
    odds: Vec<f32>,
}

impl Answers {
    fn of(parameters: &Parameters, questions: &Questions, context: &RunContext<'_>) -> anyhow::Result<Self> {
        const CHUNK: usize = 256;
        context.check_stop()?;
        let model = predictor(parameters, context.device())?;
        let taps = taps(parameters.spec.model.depth());
        let mut all = Self { halts: Vec::new(), taps: vec![Vec::new(); taps.len()], odds: Vec::new() };
        let plan = Plan { capture: taps, interventions: Vec::new() };
        for chunk in questions.samples.chunks(CHUNK) {
            let tokens: Vec<_> = chunk.iter().flat_map(|sample| sample.tokens.iter().copied()).collect();
            let length = tokens.len() / chunk.len();
            let run = model.run(&tokens, &plan)?;
            for sequence in 0..chunk.len() {
                let last = (sequence * length + length - 1) * 2;
                let odds = run.logits[last + 1] - run.logits[last];
                all.odds.push(odds);
                all.halts.push(odds > 0.0);
                for (slot, captured) in all.taps.iter_mut().zip(&run.captured) {
                    slot.extend_from_slice(captured.row(sequence, length - 1));
                }
            }
        }
        Ok(all)
    }
}

fn taps(depth: usize) -> Vec<String> {
    (0..depth).map(|block| format!("blocks.{block}.resid_post")).collect()
}

/// Mean recall of the machines that halt and of those that do not; a kind that is missing counts as never recalled.
fn balanced(said: &[bool], truth: &[bool]) -> f64 {
    let mut confusion = Confusion::new(2);
    said.iter().zip(truth).for_each(|(&said, &truth)| confusion.add(usize::from(truth), usize::from(said)));
    confusion.balanced_accuracy().unwrap_or_else(|| confusion.accuracy().unwrap_or(0.0) / 2.0)
}

/// Who answers, how well on the questions for choosing, and what is said of those for reporting.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Said {
    choose: f64,
    halts: Vec<bool>,
}

/// How well steps to halt can be read.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Steps {
    source: String,
    /// Variance explained on the questions for choosing.
    choose: f64,
    /// At every question for reporting that halts: squared error and squared distance from the mean.
    squares: Vec<(f64, f64)>,
}

/// Of one model.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Model {
    /// Its own answers; of random weights, those of a linear probe at the last tap.
    said: Said,
    /// Probes for the steps, by tap, and last of its own log odds.
    steps: Vec<Steps>,
    /// Balanced accuracy at checkpoints on the questions for choosing.
    curve: Vec<(u64, f64)>,
}

fn read(
    model: &Parameters,
    sets: &[Questions; 3],
    depth: usize,
    curve: Vec<(u64, f64)>,
    context: &RunContext<'_>,
) -> anyhow::Result<Model> {
    let mut all = Vec::new();
    for set in sets {
        all.push(Answers::of(model, set, context)?);
    }
    let width = model.spec.model.width();
    let mut steps: Vec<Steps> = taps(depth)
        .into_iter()
        .enumerate()
        .map(|(tap, name)| {
            let features: Vec<&[f32]> = all.iter().map(|answers| &answers.taps[tap][..]).collect();
            read_steps(&name, [features[0], features[1], features[2]], width, sets)
        })
        .collect();
    let odds: Vec<&[f32]> = all.iter().map(|answers| &answers.odds[..]).collect();
    steps.push(read_steps("own answer", [odds[0], odds[1], odds[2]], 1, sets));
    let said = if curve.is_empty() {
        let features: Vec<Vec<f32>> = all.iter().map(|answers| answers.taps[depth - 1].clone()).collect();
        classify(Probe::Logistic, &features, width, sets)
    } else {
        Said { choose: balanced(&all[1].halts, &sets[1].halts), halts: all[2].halts.clone() }
    };
    Ok(Model { said, steps, curve })
}

fn read_steps(source: &str, features: [&[f32]; 3], width: usize, sets: &[Questions; 3]) -> Steps {
    let parts: Vec<(Vec<f32>, Vec<f64>)> = features
        .iter()
        .zip(sets)
        .map(|(features, set)| {
            let (places, steps) = set.logarithms();
            let rows = places.iter().flat_map(|&place| features[place * width..(place + 1) * width].iter().copied());
            (rows.collect(), steps)
        })
        .collect();
    let targets = |part: usize| Targets { features: &parts[part].0, width, outputs: &parts[part].1, count: 1 };
    let ridge = Ridge::fit(targets(0), targets(1));
    let middle = mean(&parts[0].1);
    let predict = |part: usize| match &ridge {
        Some(ridge) => ridge.predict(&parts[part].0),
        None => vec![middle; parts[part].1.len()],
    };
    let choose = r_squared(&predict(1), &parts[1].1, &[middle]).unwrap_or(0.0);
    let square = |value: f64| value * value;
    let squares =
        predict(2).into_iter().zip(&parts[2].1).map(|(said, truth)| (square(said - truth), square(truth - middle)));
    Steps { source: source.into(), choose, squares: squares.collect() }
}

fn classify(probe: Probe, features: &[Vec<f32>], width: usize, sets: &[Questions; 3]) -> Said {
    let data = |part: usize| {
        let mut data = Dataset::new(width, 2);
        for (place, row) in features[part].chunks_exact(width).enumerate() {
            data.push(row, usize::from(sets[part].halts[place]), place);
        }
        data
    };
    let (train, choose, report) = (data(0), data(1), data(2));
    let fitted = fit(probe, &train, &choose, &mut stream(&[NAME, "reader", &format!("{probe:?}")]));
    let said = |data: &Dataset| -> Vec<bool> {
        fitted.as_ref().map_or_else(
            || vec![false; data.rows()],
            |fitted| fitted.predict(data).predicted().into_iter().map(|class| class == 1).collect(),
        )
    };
    Said { choose: balanced(&said(&choose), &sets[1].halts), halts: said(&report) }
}

/// Those who read the text and do not follow the run: who they are, what they say, how well they read the steps.
fn readers(world: &HaltingWorld, sets: &[Questions; 3], perceptron: usize) -> Vec<(String, Said, Steps)> {
    let vocabulary = world.vocabulary();
    let one_hot = |set: &Questions| -> Vec<f32> {
        let row = |sample: &Sample| {
            let mut row = vec![0.0; sample.tokens.len() * vocabulary];
            for (place, &token) in sample.tokens.iter().enumerate() {
                row[place * vocabulary + usize::from(token)] = 1.0;
            }
            row
        };
        set.samples.iter().flat_map(row).collect()
    };
    let features: Vec<Vec<f32>> = sets.iter().map(one_hot).collect();
    let width = world.geometry().len() * vocabulary;
    let steps = |name: &str| read_steps(name, [&features[0], &features[1], &features[2]], width, sets);
    [
        ("text, linear".to_string(), Probe::Logistic),
        (format!("text, perceptron of {perceptron}"), Probe::Mlp(perceptron)),
    ]
    .into_iter()
    .map(|(name, probe)| {
        let steps = steps(&name);
        (name, classify(probe, &features, width, sets), steps)
    })
    .collect()
}

struct Found {
    answers: Vec<Model>,
    untrained: Model,
    readers: Vec<(String, Said, Steps)>,
    sets: [Questions; 3],
}

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

fn outcome(found: &Found, config: &Config, common: &Common<HaltingConfig>, measure: &Measure) -> Outcome {
    let desk = Desk { experiment: NAME, seed: config.seed, resamples: measure.resamples };
    let own: Vec<&Said> = found.answers.iter().map(|model| &model.said).collect();
    let mut baselines: Vec<(String, &Said)> =
        found.readers.iter().map(|(name, said, _)| (name.clone(), said)).collect();
    baselines.push(("random weights, linear probe".into(), &found.untrained.said));
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
    // A reader of the text that saw fewer machines than the models is no fair rival.
    let (seen, fitted) = (common.training.steps * common.training.batch as u64, measure.questions[0] as u64);
    let evidence = |late: bool| {
        let text = format!("{} (fitted on {fitted} machines; the models were trained on {seen})", line(late));
        vec![Evidence::new(2, fitted >= seen, text), masked.clone(), leaks.clone(), when.clone(), chosen.clone()]
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
            title: "Halting by the table alone".into(),
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
