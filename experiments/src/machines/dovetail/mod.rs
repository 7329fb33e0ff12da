//! `dovetail`: a model of the outputs of random programs. Does it code unseen programs' streams more cheaply than
//! statistical predictors, by program length; and does what it has learnt carry over to worlds that it never met?

mod lengths;

use environments::automata::ElementaryRow;
use environments::turing::universal::{Boundaries, UniversalConfig, UniversalWorld};
use environments::turing::{Apart, Sampling, Tape, TuringConfig, TuringWorld};
use environments::{Draw, Environment, Sample, Split, Symbol, UNSCORED, stream};
use models::Parameters;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::nats::{Nats, doubling, of_model, of_reference, rate};
use super::references::Statistical;
use super::settings::{Common, within};
use super::train;
use super::words::{Desk, estimated, mean_curve, when};
use crate::claims::{Evidence, Finding, figure};
use crate::config::Config;
use crate::context::RunContext;
use crate::evidence::metrics::ratio;
use crate::evidence::statistics::mean;
use crate::evidence::{Arm, Design, Totals, over_seeds};
use crate::experiment::{Experiment, Outcome, Section, Table};
use crate::figures::{Axis, Figure, Line, Plot, Value};

/// The experiment `dovetail`.
pub struct Dovetail;

const NAME: &str = "dovetail";
const CLAIMS: [&str; 3] = ["programs", "turing", "elementary"];

/// Section `[measure]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Measure {
    /// Streams for choosing the statistical predictor, and for reporting.
    streams: [usize; 2],
    /// Sequences of each other world, likewise.
    transfer: [usize; 2],
    /// States of the Turing machines of the transfer.
    states: usize,
    /// Resamples of every interval.
    resamples: usize,
}

impl Default for Measure {
    fn default() -> Self {
        Self { streams: [200, 800], transfer: [100, 400], states: 3, resamples: 2000 }
    }
}

impl Experiment for Dovetail {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "streams of random programs run in dovetail: regret against CTW and PPM, and transfer to machines and automata"
    }

    fn complete(&self, config: &mut Config) -> anyhow::Result<()> {
        Common::<UniversalConfig>::complete_with(config, &CLAIMS, UniversalWorld::new)?;
        let measure: Measure = config.complete("measure")?;
        let ([a, b], [c, d]) = (measure.streams, measure.transfer);
        within(
            config,
            &[
                ("streams", a, 8, 100_000),
                ("streams", b, 8, 100_000),
                ("transfer", c, 8, 100_000),
                ("transfer", d, 8, 100_000),
                ("states", measure.states, 2, 3),
                ("resamples", measure.resamples, 100, 1_000_000),
            ],
        )
    }

    fn environment(&self, config: &Config) -> anyhow::Result<Box<dyn Environment>> {
        Ok(Box::new(UniversalWorld::new(config.section("world")?)?))
    }

    fn run(&self, config: &Config, context: &mut RunContext<'_>) -> anyhow::Result<Outcome> {
        let common: Common<UniversalConfig> = Common::read(config)?;
        let measure: Measure = config.section("measure")?;
        let world = UniversalWorld::new(common.world.clone())?;
        let models = train::all(&world, &common, (NAME, config.seed), context)?;
        let bar = context.bar("measuring", models.len() as u64 + 2);
        let tests = Tests::draw(&world, &measure, config.seed)?;
        let rivals = context.stage("rivals", |_| Ok(tests.sets.iter().map(Set::rivals).collect::<Vec<_>>()))?;
        bar.add(1);
        let start = train::initial(&world, &common, NAME, config.seed, 1);
        let untrained = context.stage("nats-untrained", |context| tests.nats(&start, context))?;
        bar.add(1);
        let mut all = Vec::new();
        for (name, model) in &models {
            let nats = context.stage(&format!("nats-{name}"), |context| tests.nats(model, context))?;
            let curve = context.stage(&format!("curve-{name}"), |context| {
                let stand = |(step, parameters): (u64, Parameters)| {
                    let nats = tests.nats(&parameters, context)?;
                    let rates = nats.iter().zip(&tests.sets).map(|(nats, set)| novel_rate(nats, &set.novel));
                    Ok(Stand { step, rates: rates.collect(), lengths: lengths::rates(&nats[0], &tests.sets[0]) })
                };
                train::checkpoints(name, context)?.into_iter().map(stand).collect::<anyhow::Result<Vec<_>>>()
            })?;
            all.push((nats, curve));
            bar.add(1);
        }
        Ok(outcome(&Found { tests, rivals, untrained, models: all }, config, &measure))
    }
}

/// Sequences of one world: what a model reads, what is scored.
struct Set {
    name: &'static str,
    /// What a model reads and is to predict.
    samples: Vec<Sample>,
    /// The sequences themselves, for statistical predictors; sequences for choosing among these first.
    numbers: Vec<Vec<usize>>,
    choosing: Vec<Vec<usize>>,
    /// Number of different symbols that a statistical predictor is told of.
    alphabet: usize,
    /// Of each scored symbol, the length of the program that wrote it, where there is one.
    lengths: Vec<Vec<Option<u32>>>,
    /// Whether that program writes what no training program does; what foreign worlds write is all novel.
    novel: Vec<Vec<bool>>,
}

/// Nats a symbol of the novel symbols.
fn novel_rate(nats: &Nats, novel: &[Vec<bool>]) -> f64 {
    let all = nats.iter().zip(novel).flat_map(|(nats, novel)| nats.iter().zip(novel));
    let (sum, count) =
        all.filter(|(_, novel)| **novel).fold((0.0, 0.0), |(sum, count), (nats, _)| (sum + nats, count + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
}

/// Test sets: streams of unseen programs, then the worlds of the transfer.
struct Tests {
    sets: Vec<Set>,
}

/// The predictors that a model is measured against.
const RIVALS: [Statistical; 7] = [
    Statistical::Frequencies,
    Statistical::Markov(1),
    Statistical::Markov(2),
    Statistical::Tree(6),
    Statistical::Tree(12),
    Statistical::Ppm(5),
    Statistical::Ppm(12),
];

/// What a statistical predictor costs.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Rival {
    name: String,
    /// Nats a symbol on the sequences for choosing.
    choose: f64,
    /// On those for reporting.
    nats: Nats,
}

impl Set {
    fn rivals(&self) -> Vec<Rival> {
        let of = |predictor: Statistical| {
            let nats = |sequences: &[Vec<usize>]| of_reference(sequences, |_| predictor.fresh(self.alphabet));
            Rival { name: predictor.name(), choose: rate(&nats(&self.choosing)), nats: nats(&self.numbers) }
        };
        RIVALS.map(of).to_vec()
    }

    /// Of sequences over the first symbols of a universal world, each as the stream of one program.
    fn foreign(name: &'static str, world: &UniversalWorld, choosing: Vec<Vec<u8>>, sequences: Vec<Vec<u8>>) -> Self {
        let wide = |sequences: &[Vec<u8>]| -> Vec<Vec<usize>> {
            sequences.iter().map(|sequence| sequence.iter().map(|&symbol| usize::from(symbol)).collect()).collect()
        };
        let sample = |sequence: &Vec<u8>| {
            let length = world.config().length;
            let mut symbols: Vec<Symbol> = Vec::with_capacity(length);
            let mut targets = Vec::with_capacity(length);
            if world.config().boundaries == Boundaries::Visible {
                // The one program's place is announced, as in any stream.
                symbols.push(world.config().alphabet as Symbol);
                targets.push(UNSCORED);
            }
            symbols.extend(sequence.iter().map(|&symbol| Symbol::from(symbol)));
            targets.extend(sequence.iter().map(|&symbol| Symbol::from(symbol)));
            symbols.resize(length, world.end());
            targets.resize(length, UNSCORED);
            let mut tokens = vec![world.targets() as Symbol];
            tokens.extend(&symbols[..length - 1]);
            Sample { tokens, targets }
        };
        Self {
            name,
            samples: sequences.iter().map(sample).collect(),
            numbers: wide(&sequences),
            choosing: wide(&choosing),
            alphabet: 2,
            lengths: sequences.iter().map(|sequence| vec![None; sequence.len()]).collect(),
            novel: sequences.iter().map(|sequence| vec![true; sequence.len()]).collect(),
        }
    }
}

impl Tests {
    fn draw(world: &UniversalWorld, measure: &Measure, seed: u64) -> anyhow::Result<Self> {
        let observed = |split: Split, count: usize| -> Vec<_> {
            (0..count as u64).into_par_iter().map(|index| world.episode(split, index)).collect()
        };
        let numbers = |sample: &Sample| -> Vec<usize> {
            sample.targets.iter().filter(|target| **target != UNSCORED).map(|&target| usize::from(target)).collect()
        };
        let episodes = observed(Split::Test, measure.streams[1]);
        let of_writer = |episode: &environments::Episode, concept: &str| -> Vec<Option<u32>> {
            let column = episode.labels.get(concept).map(|column| column.values.clone()).unwrap_or_default();
            let scored = episode.sample.targets.iter().enumerate().filter(|(_, target)| **target != UNSCORED);
            scored.map(|(place, _)| *column.get(place)?).collect()
        };
        let programs = Set {
            name: "programs",
            numbers: episodes.iter().map(|episode| numbers(&episode.sample)).collect(),
            choosing: observed(Split::Validation, measure.streams[0])
                .iter()
                .map(|episode| numbers(&episode.sample))
                .collect(),
            alphabet: world.targets(),
            lengths: episodes.iter().map(|episode| of_writer(episode, "program length")).collect(),
            novel: episodes
                .iter()
                .map(|episode| of_writer(episode, "novel").into_iter().map(|novel| novel == Some(1)).collect())
                .collect(),
            samples: episodes.into_iter().map(|episode| episode.sample).collect(),
        };
        let length = world.config().length - usize::from(world.config().boundaries == Boundaries::Visible);
        let [choose, report] = measure.transfer;
        // What stratified machines write from a blank tape: rare behaviours as likely as common ones.
        let turing = TuringWorld::new(TuringConfig {
            states: measure.states,
            length,
            initial: Tape::Blank,
            sampling: Sampling::Stratified,
            apart: Apart::Trace,
            seed,
            ..TuringConfig::default()
        })?;
        let written = |split: Split, count: usize| -> Vec<Vec<u8>> {
            let one = |index: u64| turing.observe(split, index).steps.iter().map(|step| step.token.write).collect();
            (0..count as u64).into_par_iter().map(one).collect()
        };
        let machines = Set::foreign("turing", world, written(Split::Validation, choose), written(Split::Test, report));
        // One cell of a ring through time, under a random rule from a random row.
        let cell = |name: &str, index: usize| -> anyhow::Result<Vec<u8>> {
            let mut chance = stream(&[NAME, &seed.to_string(), "elementary", name, &index.to_string()]);
            let rule = chance.below(256) as u8;
            let row: String = (0..64).map(|_| if chance.below(2) == 1 { '1' } else { '0' }).collect();
            let mut automaton = ElementaryRow::new(rule, Some(64), &row)?;
            let mut cells = Vec::with_capacity(length);
            for _ in 0..length {
                cells.push(u8::from(automaton.is_live(0)));
                automaton.step();
            }
            Ok(cells)
        };
        let cells = |name: &str, count: usize| (0..count).map(|index| cell(name, index)).collect::<anyhow::Result<_>>();
        let automata = Set::foreign("elementary", world, cells("choosing", choose)?, cells("reporting", report)?);
        Ok(Self { sets: vec![programs, machines, automata] })
    }

    /// Nats of a model on every set.
    fn nats(&self, parameters: &Parameters, context: &RunContext<'_>) -> anyhow::Result<Vec<Nats>> {
        self.sets.iter().map(|set| of_model(parameters, &set.samples, context)).collect()
    }
}

/// Where a model stands at a checkpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stand {
    /// Optimiser steps.
    step: u64,
    /// Nats a novel symbol by set.
    rates: Vec<f64>,
    /// The same of programs by their length, in the spans of [`lengths::spans`].
    lengths: Vec<Option<f64>>,
}

/// Where it stood at all of them.
type Curve = Vec<Stand>;

struct Found {
    tests: Tests,
    /// By set.
    rivals: Vec<Vec<Rival>>,
    untrained: Vec<Nats>,
    models: Vec<(Vec<Nats>, Curve)>,
}

impl Found {
    /// The statistical predictor that is cheapest on the sequences for choosing.
    fn rival(&self, set: usize) -> &Rival {
        let all = &self.rivals[set];
        all.iter().fold(&all[0], |best, next| if next.choose < best.choose { next } else { best })
    }

    /// Seeds × sequences × (nats of the model, of the rival, symbols), of the novel symbols that pass.
    fn arm(&self, set: usize, pass: &dyn Fn(usize, usize) -> bool) -> Arm {
        self.arm_beside(set, self.rival(set), pass)
    }

    /// The same with another statistical predictor.
    fn arm_beside(&self, set: usize, rival: &Rival, pass: &dyn Fn(usize, usize) -> bool) -> Arm {
        let rival = &rival.nats;
        let novel = &self.tests.sets[set].novel;
        let one = |(nats, _): &(Vec<Nats>, Curve)| -> Vec<Vec<f64>> {
            nats[set]
                .iter()
                .zip(rival)
                .enumerate()
                .map(|(sequence, (own, rival))| {
                    let mut sums = vec![0.0; 3];
                    for (place, (own, rival)) in own.iter().zip(rival).enumerate() {
                        if novel[sequence][place] && pass(sequence, place) {
                            sums[0] += own;
                            sums[1] += rival;
                            sums[2] += 1.0;
                        }
                    }
                    sums
                })
                .collect()
        };
        Arm::new(&self.models.iter().map(one).collect::<Vec<_>>())
    }
}

/// Nats a symbol that the model saves over the rival.
fn saved(t: &[f64]) -> Option<f64> {
    ratio(t[1] - t[0], t[2])
}

fn over(t: &Totals) -> Option<f64> {
    over_seeds(&t[0], saved)
}

fn outcome(found: &Found, config: &Config, measure: &Measure) -> Outcome {
    let desk = Desk { experiment: NAME, seed: config.seed, resamples: measure.resamples, clusters: "runs" };
    let mut findings = Vec::new();
    let mut rows = Vec::new();
    let mut probes = serde_json::Map::new();
    for (set, test) in found.tests.sets.iter().enumerate() {
        let arm = found.arm(set, &|_, _| true);
        let measured = desk.measured(test.name, "nats a symbol", Design::Crossed, &[&arm], &over);
        let rival = found.rival(set);
        let rate = |nats: &Nats| novel_rate(nats, &test.novel);
        let own = mean(&found.models.iter().map(|(nats, _)| rate(&nats[set])).collect::<Vec<_>>());
        let untrained = rate(&found.untrained[set]);
        let told: Vec<String> =
            found.rivals[set].iter().map(|rival| format!("{} {}", rival.name, figure(rate(&rival.nats)))).collect();
        let curves: Vec<&Curve> = found.models.iter().map(|(_, curve)| curve).collect();
        let curve = mean_curve(&curves, |stand| stand.step, |stand| stand.rates[set]);
        let leaks = match test.name {
            "programs" => "scored where the writer's output is novel: no training program writes it, nor any program of up to `world.common` \
                 instructions"
                .to_string(),
            "turing" => format!(
                "no machine was ever trained on; {}-state machines drawn by what they write, of the test split by trace",
                measure.states
            ),
            _ => "no automaton was ever trained on; rules and rows drawn at random".to_string(),
        };
        let evidence = vec![
            Evidence::new(
                2,
                true,
                format!(
                    "nats a symbol: trained {}; random weights {}; {}",
                    figure(own),
                    figure(untrained),
                    told.join("; ")
                ),
            ),
            Evidence::new(
                3,
                true,
                "scored against the best statistical predictor on the same sequences, symbol by symbol, from the first one on",
            ),
            Evidence::new(4, true, leaks),
            when(&curve, "nats a symbol by step"),
            Evidence::new(12, true, format!("the predictor, {}, is chosen on other sequences", rival.name)),
        ];
        findings.push(Finding { claim: test.name.into(), measured, evidence });
        let difference = desk.estimate(&format!("{} row", test.name), Design::Crossed, &[&arm], &over);
        rows.push(vec![
            test.name.to_string(),
            figure(own),
            figure(untrained),
            format!("{} ({})", figure(rate(&rival.nats)), rival.name),
            estimated(&difference),
        ]);
        let all: serde_json::Map<_, _> =
            found.rivals[set].iter().map(|rival| (rival.name.clone(), json!(rate(&rival.nats)))).collect();
        probes.insert(
            test.name.into(),
            json!({ "trained": own, "untrained": untrained, "rivals": all, "rival": rival.name, "saved": difference }),
        );
    }
    let by_length = lengths::Lengths::take(found, &desk);
    probes.insert("by_length".into(), by_length.json());
    Outcome {
        probes: probes.into(),
        findings,
        sections: vec![
            Section {
                title: "What programs write, and beyond".into(),
                claim: Some("programs".into()),
                text: vec![
                    "Saved: nats a symbol below the best statistical predictor on the same sequences; below 0, the model costs \
                     more."
                        .into(),
                ],
                figures: vec![place_figure(found)],
                tables: vec![
                    Table {
                        caption: "Nats a symbol on unseen sequences; of programs, where what the writer writes is novel.".into(),
                        header: ["world", "trained", "random weights", "best statistical", "saved"]
                            .map(String::from)
                            .to_vec(),
                        rows,
                    },
                ],
            },
            by_length.section(),
        ],
    }
}

/// Savings by place in the sequence.
fn place_figure(found: &Found) -> Figure {
    let line = |(set, test): (usize, &Set)| {
        let longest = test.numbers.iter().map(Vec::len).max().unwrap_or(0);
        let point = |span: std::ops::Range<usize>| {
            let totals = found.arm(set, &|_, place| span.contains(&place)).totals();
            let value = over_seeds(&totals, saved)?;
            Some(((span.start + 1) as f64, Value { value, interval: None }))
        };
        let points = doubling(longest).into_iter().filter_map(point).collect();
        Line { name: test.name.into(), baseline: set > 0, points }
    };
    Figure {
        name: "dovetail".into(),
        title: "Nats saved by place in the stream".into(),
        caption: "Nats a symbol below the best statistical predictor, by place (from the one given to twice it); mean over models. \
                  Dashed: worlds that were never trained on."
            .into(),
        plot: Plot::Lines {
            x: Axis::new("place").logarithmic(),
            y: Axis::new("nats saved a symbol"),
            series: found.tests.sets.iter().enumerate().map(line).collect(),
        },
    }
}
