//! `machine-inference`, `sources` and the first claim of `rule-inference`: models of sequences each of which has an author
//! of its own, beside the exact Bayes answer. `rule-inference` (`crate::rules`): one-dimensional rules, to be inferred from
//! a history; `machine-inference`: Turing machines in any view and of any sampling of their world; `sources`: variable-order
//! sources, on which Bayes is context-tree weighting, a positive control with a textbook answer.

mod regret;

use environments::elementary::{ElementaryConfig, ElementaryWorld};
use environments::sequence::{KrichevskyTrofimov, SequenceModel};
use environments::sources::{Kind, SourcesConfig, SourcesWorld};
use environments::turing::{TuringBayes, TuringConfig, TuringWorld};
use environments::{Environment, EnvironmentError, Sample, Split, Symbol, UNSCORED};
use models::Parameters;
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::claims::{Evidence, Finding, figure};
use crate::config::Config;
use crate::context::RunContext;
use crate::evidence::metrics::ratio;
use crate::evidence::statistics::mean;
use crate::evidence::{Arm, Design, over_seeds};
use crate::experiment::{Experiment, Outcome, Section, Table};
use crate::figures::{Axis, Figure, Line, Plot, Value};
use crate::machines::nats::{Nats, doubling, of_model, of_reference, rate};
use crate::machines::references::Statistical;
use crate::machines::settings::{Common, within};
use crate::machines::train;
use crate::machines::words::{Desk, estimated, mean_curve, when};

/// The experiment `machine-inference`.
pub struct MachineInference;

/// The experiment `sources`.
pub struct Sources;

/// Section `[measure]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Measure {
    /// Sequences for choosing the statistical predictor, and for reporting.
    pub sequences: [usize; 2],
    /// Resamples of every interval.
    pub resamples: usize,
}

impl Default for Measure {
    fn default() -> Self {
        Self { sequences: [150, 600], resamples: 2000 }
    }
}

/// A world whose sequences have an exact Bayes answer.
pub(crate) trait Inferable: Environment + Sized {
    /// Its section of a config.
    type Section: Clone + Serialize + DeserializeOwned;

    /// The world of a section.
    fn build(section: Self::Section) -> Result<Self, EnvironmentError>;

    /// Whether it can be the world of the experiment; else a key and what is wrong with it.
    fn check(section: &Self::Section) -> Result<(), (&'static str, &'static str)>;

    /// Bayes over all authors, to be asked about any number of sequences.
    type Answer: Sync;

    /// That answer.
    ///
    /// # Errors
    /// In one sentence, if it is out of reach.
    fn answer(&self) -> Result<Self::Answer, EnvironmentError>;

    /// It before the first symbol of a sequence that begins with a token.
    fn before(&self, answer: &Self::Answer, first: Symbol) -> Box<dyn SequenceModel>;

    /// The statistical predictors that a model is measured against.
    fn statistical(&self) -> Vec<Statistical>;

    /// How sequences of the test split differ from those trained on.
    fn apart() -> &'static str;
}

impl Inferable for ElementaryWorld {
    type Section = ElementaryConfig;

    fn build(section: ElementaryConfig) -> Result<Self, EnvironmentError> {
        ElementaryWorld::new(section)
    }

    fn check(section: &ElementaryConfig) -> Result<(), (&'static str, &'static str)> {
        if section.block > 2 {
            return Err(("world.block", "must be 1 or 2, for statistical predictors to keep pace"));
        }
        Ok(())
    }

    type Answer = ();

    fn answer(&self) -> Result<(), EnvironmentError> {
        Ok(())
    }

    fn before(&self, (): &(), _: Symbol) -> Box<dyn SequenceModel> {
        Box::new(self.class_bayes())
    }

    fn statistical(&self) -> Vec<Statistical> {
        // The cells above a cell are a row back.
        let reach = (self.config().width / self.config().block + 2).min(20);
        [&shallow(reach)[..], &[Statistical::Tree(reach)]].concat()
    }

    fn apart() -> &'static str {
        "rules of the test split are no training rule's reflection or complement either"
    }
}

impl Inferable for TuringWorld {
    type Section = TuringConfig;

    fn build(section: TuringConfig) -> Result<Self, EnvironmentError> {
        TuringWorld::new(section)
    }

    fn check(section: &TuringConfig) -> Result<(), (&'static str, &'static str)> {
        if section.machines.is_some() || !section.only.is_empty() {
            return Err(("world.machines", "is for `machine-diversity`; here every machine of the class is inferred"));
        }
        Ok(())
    }

    type Answer = TuringBayes;

    fn answer(&self) -> Result<TuringBayes, EnvironmentError> {
        self.bayes(None)
    }

    fn before(&self, answer: &TuringBayes, first: Symbol) -> Box<dyn SequenceModel> {
        answer.before(first)
    }

    fn statistical(&self) -> Vec<Statistical> {
        [&shallow(8)[..], &[Statistical::Tree(3)]].concat()
    }

    fn apart() -> &'static str {
        "machines of the test split are no training machine renamed or mirrored either"
    }
}

impl Inferable for SourcesWorld {
    type Section = SourcesConfig;

    fn build(section: SourcesConfig) -> Result<Self, EnvironmentError> {
        SourcesWorld::new(section)
    }

    fn check(section: &SourcesConfig) -> Result<(), (&'static str, &'static str)> {
        if section.kind == Kind::Task {
            return Err(("world.kind", "a task has no Bayes answer; the nearest is `tree`"));
        }
        Ok(())
    }

    type Answer = ();

    fn answer(&self) -> Result<(), EnvironmentError> {
        Ok(())
    }

    fn before(&self, (): &(), _: Symbol) -> Box<dyn SequenceModel> {
        // `check` refuses the kind that has none.
        self.bayes().unwrap_or_else(|| Box::new(KrichevskyTrofimov::new(self.symbols())))
    }

    /// Without context-tree weighting, which is Bayes here.
    fn statistical(&self) -> Vec<Statistical> {
        shallow(self.config().order.max(1)).to_vec()
    }

    fn apart() -> &'static str {
        "every sequence has a source of its own, drawn from a continuum"
    }
}

/// Predictors without a tree; the last looks back at so many symbols.
fn shallow(reach: usize) -> [Statistical; 5] {
    use Statistical::{Frequencies, Markov, Ppm};
    [Frequencies, Markov(1), Markov(2), Ppm(5), Ppm(reach)]
}

/// The token that a sequence begins with, and what is to be predicted, to its end.
fn sequence(sample: &Sample) -> (Symbol, Vec<usize>) {
    let targets = sample.targets.iter().take_while(|&&target| target != UNSCORED);
    (sample.tokens[0], targets.map(|&target| usize::from(target)).collect())
}

impl Experiment for MachineInference {
    fn name(&self) -> &'static str {
        "machine-inference"
    }

    fn about(&self) -> &'static str {
        "Turing machines in any view, of any size, halting or not: is a machine inferred, as Bayes infers it?"
    }

    fn complete(&self, config: &mut Config) -> anyhow::Result<()> {
        complete::<TuringWorld>(config)
    }

    fn environment(&self, config: &Config) -> anyhow::Result<Box<dyn Environment>> {
        Ok(Box::new(TuringWorld::new(config.section("world")?)?))
    }

    fn run(&self, config: &Config, context: &mut RunContext<'_>) -> anyhow::Result<Outcome> {
        run::<TuringWorld>(self.name(), config, context)
    }
}

impl Experiment for Sources {
    fn name(&self) -> &'static str {
        "sources"
    }

    fn about(&self) -> &'static str {
        "memoryless, Markov and variable-order sources: a positive control, whose Bayes answer is a textbook one"
    }

    fn complete(&self, config: &mut Config) -> anyhow::Result<()> {
        complete::<SourcesWorld>(config)
    }

    fn environment(&self, config: &Config) -> anyhow::Result<Box<dyn Environment>> {
        Ok(Box::new(SourcesWorld::new(config.section("world")?)?))
    }

    fn run(&self, config: &Config, context: &mut RunContext<'_>) -> anyhow::Result<Outcome> {
        run::<SourcesWorld>(self.name(), config, context)
    }
}

fn complete<W: Inferable>(config: &mut Config) -> anyhow::Result<()> {
    let (common, _) = Common::<W::Section>::complete_with(config, &["infers"], W::build)?;
    let measure: Measure = config.complete("measure")?;
    checked::<W>(config, &common.world, &measure)
}

/// Whether a world and its measurement are ones of these experiments.
///
/// # Errors
/// In one sentence that names the key.
pub(crate) fn checked<W: Inferable>(config: &Config, world: &W::Section, measure: &Measure) -> anyhow::Result<()> {
    if let Err((key, reason)) = W::check(world) {
        return Err(config.refuse(key, reason));
    }
    let [choose, report] = measure.sequences;
    within(
        config,
        &[
            ("sequences", choose, 8, 100_000),
            ("sequences", report, 8, 100_000),
            ("resamples", measure.resamples, 100, 1_000_000),
        ],
    )
}

/// The first sequences of the test split.
fn samples(world: &dyn Environment, count: usize) -> Vec<Sample> {
    (0..count as u64).into_par_iter().map(|index| world.sample(Split::Test, index)).collect()
}

/// What the models and everything beside them pay.
pub(crate) struct Found {
    /// Of each trained model.
    pub models: Vec<Nats>,
    /// Nats a symbol at checkpoints, by model.
    curves: Vec<Vec<(u64, f64)>>,
    untrained: Nats,
    /// Bayes over the class.
    pub bayes: Nats,
    statistical: Vec<(String, Nats)>,
    /// The cheapest of these on the sequences for choosing, of those of the world.
    pub best: usize,
}

impl Found {
    /// The best statistical predictor, and what it pays.
    pub(crate) fn rival(&self) -> &(String, Nats) {
        &self.statistical[self.best]
    }
}

fn run<W: Inferable>(name: &str, config: &Config, context: &mut RunContext<'_>) -> anyhow::Result<Outcome> {
    let common: Common<W::Section> = Common::read(config)?;
    let measure: Measure = config.section("measure")?;
    let world = W::build(common.world.clone())?;
    let models = train::all(&world, &common, (name, config.seed), context)?;
    let found = measured(&world, &common, &models, (name, config.seed), &measure, context)?;
    Ok(outcome::<W>(name, &found, config.seed, &measure))
}

/// What trained models pay on test sequences, beside Bayes and the statistical predictors.
///
/// # Errors
/// Those of the models; if Bayes is out of reach; when a stop was asked for.
pub(crate) fn measured<W: Inferable>(
    world: &W,
    common: &Common<W::Section>,
    models: &[(String, Parameters)],
    (name, seed): (&str, u64),
    measure: &Measure,
    context: &mut RunContext<'_>,
) -> anyhow::Result<Found> {
    let bar = context.bar("measuring", models.len() as u64 + 1);
    let [choose, report] = measure.sequences;
    let tests = samples(world, report);
    let few = &tests[..report.div_ceil(4)];
    let (mut all, mut curves) = (Vec::new(), Vec::new());
    for (model, trained) in models {
        all.push(context.stage(&format!("nats-{model}"), |context| of_model(trained, &tests, context))?);
        curves.push(context.stage(&format!("curve-{model}"), |context| {
            let stand = |(step, parameters): (u64, Parameters)| Ok((step, rate(&of_model(&parameters, few, context)?)));
            train::checkpoints(model, context)?.into_iter().map(stand).collect::<anyhow::Result<Vec<_>>>()
        })?);
        bar.add(1);
    }
    let start = train::initial(world, common, name, seed, 1);
    let untrained = context.stage("nats-untrained", |context| of_model(&start, &tests, context))?;
    let sequences = |split: Split, count: usize| -> (Vec<Symbol>, Vec<Vec<usize>>) {
        (0..count as u64).into_par_iter().map(|index| sequence(&world.sample(split, index))).unzip()
    };
    let (choosing, reported) = (sequences(Split::Validation, choose), sequences(Split::Test, report));
    let references = context.stage("references", |_| {
        let one = |predictor: Statistical| {
            let nats = |sequences: &[Vec<usize>]| of_reference(sequences, |_| predictor.fresh(world.targets()));
            (predictor.name(), rate(&nats(&choosing.1)), nats(&reported.1))
        };
        let told: Vec<_> = world.statistical().into_iter().map(one).collect();
        let answer = world.answer()?;
        Ok((of_reference(&reported.1, |place| world.before(&answer, reported.0[place])), told))
    })?;
    bar.add(1);
    let (bayes, told) = references;
    let best = (0..told.len()).fold(0, |best, next| if told[next].1 < told[best].1 { next } else { best });
    let statistical = told.into_iter().map(|(name, _, nats)| (name, nats)).collect();
    Ok(Found { models: all, curves, untrained, bayes, statistical, best })
}

/// The claim `infers`.
pub(crate) fn outcome<W: Inferable>(name: &str, found: &Found, seed: u64, measure: &Measure) -> Outcome {
    let desk = Desk { experiment: name, seed, resamples: measure.resamples, clusters: "runs" };
    let (rival, rival_nats) = found.rival();
    let sum = |nats: &[f64]| nats.iter().sum::<f64>();
    // Sums over a sequence: the model's, Bayes's, the rival's nats, symbols.
    let tallies: Vec<Vec<Vec<f64>>> = found
        .models
        .iter()
        .map(|nats| {
            let sequences = nats.iter().zip(&found.bayes).zip(rival_nats);
            sequences.map(|((own, bayes), rival)| vec![sum(own), sum(bayes), sum(rival), own.len() as f64]).collect()
        })
        .collect();
    let arm = Arm::new(&tallies);
    let way = |t: &[f64]| ratio(t[2] - t[0], t[2] - t[1]);
    let regret = |t: &[f64]| ratio(t[0] - t[1], t[3]);
    let measured =
        desk.measured("infers", "share of the way to Bayes", Design::Crossed, &[&arm], &|t| over_seeds(&t[0], way));
    let regret = desk.estimate("regret", Design::Crossed, &[&arm], &|t| over_seeds(&t[0], regret));
    let own = mean(&found.models.iter().map(rate).collect::<Vec<_>>());
    let (bayes, untrained) = (rate(&found.bayes), rate(&found.untrained));
    let told: Vec<String> =
        found.statistical.iter().map(|(name, nats)| format!("{name} {}", figure(rate(nats)))).collect();
    let curve = mean_curve(&found.curves.iter().collect::<Vec<_>>(), |stand| stand.0, |stand| stand.1);
    let evidence = vec![
        Evidence::new(
            2,
            true,
            format!(
                "nats a symbol: trained {}; Bayes {}; random weights {}; {}",
                figure(own),
                figure(bayes),
                figure(untrained),
                told.join("; ")
            ),
        ),
        Evidence::new(
            3,
            true,
            "what nobody can predict costs Bayes, the model and the predictors the same, and cancels",
        ),
        Evidence::new(4, true, W::apart()),
        when(&curve, "nats a symbol by step"),
        Evidence::new(12, true, format!("the predictor, {rival}, is chosen on other sequences")),
    ];
    let mut rows = vec![
        vec!["trained".to_string(), figure(own)],
        vec!["Bayes".into(), figure(bayes)],
        vec!["random weights".into(), figure(untrained)],
    ];
    rows.extend(found.statistical.iter().map(|(name, nats)| vec![name.clone(), figure(rate(nats))]));
    let probes = json!({
        "trained": own, "bayes": bayes, "untrained": untrained, "regret": regret,
        "statistical": found.statistical.iter().map(|(name, nats)| (name.clone(), json!(rate(nats)))).collect::<serde_json::Map<_, _>>(),
        "curves": found.curves,
    });
    let line = |name: &str, baseline: bool, seeds: &[&Nats]| {
        let longest = found.bayes.iter().map(Vec::len).max().unwrap_or(0);
        let point = |span: std::ops::Range<usize>| {
            let of = |nats: &Nats| {
                // Runs that halt and outputs end early.
                let within = |nats: &Vec<f64>| span.start.min(nats.len())..span.end.min(nats.len());
                let all: Vec<f64> = nats.iter().flat_map(|nats| nats[within(nats)].iter().copied()).collect();
                mean(&all)
            };
            let value = mean(&seeds.iter().map(|nats| of(nats)).collect::<Vec<_>>());
            ((span.start + 1) as f64, Value { value, interval: None })
        };
        let points = doubling(longest).into_iter().map(point).collect();
        Line { name: name.into(), baseline, points }
    };
    Outcome {
        probes,
        findings: vec![Finding { claim: "infers".into(), measured, evidence }],
        sections: vec![Section {
            title: "Beside exact Bayes".into(),
            claim: Some("infers".into()),
            text: vec![format!(
                "Regret: {} nats a symbol above Bayes. The best statistical predictor, {rival}, pays {}.",
                estimated(&regret),
                figure(rate(rival_nats) - bayes)
            )],
            figures: vec![
                Figure {
                    name: name.into(),
                    title: "Nats by place in the sequence".into(),
                    caption:
                        "Nats a symbol on test sequences, by place (from the one given to twice it); mean over models."
                            .into(),
                    plot: Plot::Lines {
                        x: Axis::new("place").logarithmic(),
                        y: Axis::new("nats a symbol"),
                        series: vec![
                            line("trained", false, &found.models.iter().collect::<Vec<_>>()),
                            line("Bayes", true, &[&found.bayes]),
                            line(rival, true, &[rival_nats]),
                        ],
                    },
                },
                regret::figure(name, &found.models, &found.bayes, (rival, rival_nats), &desk),
            ],
            tables: vec![Table {
                caption: "Nats a symbol on test sequences.".into(),
                header: ["who predicts", "nats"].map(String::from).to_vec(),
                rows,
            }],
        }],
    }
}
