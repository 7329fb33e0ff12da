//! `othello`: does a model that is trained on nothing but moves hold the board, as *mine or theirs* rather than as *black or
//! white*, and does it use it? A reproduction, on a board of 6×6, of Nanda, Lee and Wattenberg (2023, arXiv:2309.00941; after
//! Li et al. 2023, arXiv:2210.13382) with what a sceptic would ask for: only discs that were turned over count, every baseline
//! has the same probe, and a disc turned over inside the model is held against the moves that the rules allow.

mod closer;
mod edits;
mod games;
mod outcome;
mod readings;
mod report;

use environments::othello::{OthelloConfig, OthelloWorld};
use environments::{Environment, Split};
use models::{Parameters, predictor};
use serde::{Deserialize, Serialize};

use self::closer::Closer;
use self::edits::{Choice, Way};
use self::games::{Frame, Occupancy, Part};
use self::readings::{Parts, Reading, Truth};
use crate::config::Config;
use crate::context::RunContext;
use crate::evidence::probe;
use crate::evidence::sources::{Features, INPUTS, OUTPUT};
use crate::experiment::{Experiment, Outcome};
use crate::machines::nats::{Nats, of_model};
use crate::machines::settings::{Common, within};
use crate::machines::train;

/// The experiment `othello`.
pub struct Othello;

const NAME: &str = "othello";
const CLAIMS: [&str; 4] = ["skill", "relative", "frame", "used"];
/// Games of the training split that no training meets.
const HELD_BACK: u64 = 1 << 60;

/// Section `[measure]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Measure {
    /// Games for fitting, for choosing and for reporting.
    games: [usize; 3],
    /// Games in which a disc is turned over, at most.
    edits: usize,
    /// Width of the perceptron beside the linear probe.
    perceptron: usize,
    /// Listed probes that read single squares too.
    probes: Vec<String>,
    /// Resamples of every interval.
    resamples: usize,
}

impl Default for Measure {
    fn default() -> Self {
        Self {
            games: [900, 300, 600],
            edits: 600,
            perceptron: 64,
            probes: vec!["nearest-mean".into()],
            resamples: 2000,
        }
    }
}

impl Experiment for Othello {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Othello-GPT on a small board: is the board held as mine or theirs rather than black or white, and is it used?"
    }

    fn complete(&self, config: &mut Config) -> anyhow::Result<()> {
        let (common, world) = Common::<OthelloConfig>::complete_with(config, &CLAIMS, OthelloWorld::new)?;
        let measure: Measure = config.complete("measure")?;
        if !matches!(common.model, models::ModelConfig::Transformer(_)) {
            return Err(config.refuse("model.kind", "this experiment reads the residual stream of a transformer"));
        }
        if common.model.depth() < 2 {
            return Err(config.refuse("model.depth", "must be at least 2: discs are turned over between blocks"));
        }
        if world.config().length < world.config().opening + 4 {
            return Err(config.refuse("world.length", "must be at least 4 more than world.opening"));
        }
        for name in &measure.probes {
            probe::find(name).map_err(|error| config.refuse("measure.probes", &error))?;
        }
        let [fit, choose, report] = measure.games;
        within(
            config,
            &[
                ("games", fit, 16, 1_000_000),
                ("games", choose, 16, 1_000_000),
                ("games", report, 16, 1_000_000),
                ("edits", measure.edits, 8, 1_000_000),
                ("perceptron", measure.perceptron, 1, 4096),
                ("resamples", measure.resamples, 100, 1_000_000),
            ],
        )
    }

    fn environment(&self, config: &Config) -> anyhow::Result<Box<dyn Environment>> {
        Ok(Box::new(OthelloWorld::new(config.section("world")?)?))
    }

    fn run(&self, config: &Config, context: &mut RunContext<'_>) -> anyhow::Result<Outcome> {
        run(config, context)
    }
}

/// Everything that was measured.
struct Found {
    /// Rows and columns of the board.
    size: usize,
    /// Names of what is read in a model: taps, last the output.
    sources: Vec<String>,
    /// By model and source.
    readings: Vec<Vec<Reading>>,
    /// By tap, of random weights.
    untrained: Vec<Reading>,
    /// Of the input, without a model.
    context: Vec<Reading>,
    closer: Vec<Closer>,
    /// By frame: the source from which the board is read. Chosen on other games.
    chosen: [usize; 2],
    /// The tap at which discs are turned over, and how. Chosen on other games.
    edited: (usize, Choice),
    nats: Vec<Nats>,
    /// Of one who knows the board, and of one who knows which squares are taken.
    references: [Nats; 2],
    /// Compression of the labels of single squares by the online code: from random weights, from who laid the discs.
    codes: [Vec<Option<f64>>; 2],
}

fn run(config: &Config, context: &mut RunContext<'_>) -> anyhow::Result<Outcome> {
    let common: Common<OthelloConfig> = Common::read(config)?;
    let measure: Measure = config.section("measure")?;
    let world = OthelloWorld::new(common.world.clone())?;
    let models = train::all(&world, &common, (NAME, config.seed), context)?;
    let bar = context.bar("measuring", 3 * models.len() as u64 + 3);
    let parts = [
        Part::draw(&world, Split::Train, HELD_BACK, measure.games[0]),
        Part::draw(&world, Split::Validation, 0, measure.games[1]),
        Part::draw(&world, Split::Test, 0, measure.games[2]),
    ];
    let bench = Bench::new(&world, parts, &measure, common.model.depth());
    let from_input: Vec<Reading> = context.stage("readings-context", |context| bench.context(context))?;
    bar.add(1);
    let (mut readings, mut nats) = (Vec::new(), Vec::new());
    let samples = bench.parts[2].samples(&world);
    for (name, model) in &models {
        readings.push(context.stage(&format!("readings-{name}"), |context| bench.readings(model, context))?);
        let all = context.stage(&format!("nats-{name}"), |context| of_model(model, &samples, context))?;
        nats.push(bench.parts[2].novel(&all));
        bar.add(1);
    }
    let start = train::initial(&world, &common, NAME, config.seed, 1);
    let mut untrained: Vec<Reading> = context.stage("readings-untrained", |context| bench.readings(&start, context))?;
    untrained.truncate(bench.taps.len());
    bar.add(1);
    let chosen = Frame::ALL.map(|frame| bench.choose(&readings, frame));
    let mut tried = Vec::new();
    for (name, model) in &models {
        tried.push(context.stage(&format!("tried-{name}"), |context| bench.try_edits(model, context))?);
        bar.add(1);
    }
    let edited = bench.choose_edit(&tried);
    let mut closer = Vec::new();
    for (name, model) in &models {
        closer.push(
            context.stage(&format!("closer-{name}"), |context| bench.closer(model, name, (chosen, edited), context))?,
        );
        bar.add(1);
    }
    let codes = context.stage("codes", |context| {
        let untrained = bench.features(&start, &bench.taps[chosen[0].min(bench.taps.len() - 1)], context)?;
        let laid = bench.parts.each_ref().map(Part::laid);
        Ok([bench.codes(&untrained, "random weights"), bench.codes(&laid, "who laid the disc")])
    })?;
    bar.add(1);
    let references = [bench.parts[2].oracle(), Occupancy::fit(&bench.parts[0]).nats(&bench.parts[2])];
    let found = Found {
        size: world.config().size,
        sources: bench.sources(),
        readings,
        untrained,
        context: from_input,
        closer,
        chosen,
        edited,
        nats,
        references,
        codes,
    };
    Ok(outcome::outcome(&found, &bench, config))
}

/// What readings are made with.
struct Bench<'a> {
    world: &'a OthelloWorld,
    parts: Parts,
    /// By frame.
    truths: [Truth; 2],
    measure: &'a Measure,
    taps: Vec<String>,
    depth: usize,
}

impl<'a> Bench<'a> {
    fn new(world: &'a OthelloWorld, parts: Parts, measure: &'a Measure, depth: usize) -> Self {
        let blocks = (0..depth).map(|block| format!("blocks.{block}.resid_post"));
        let taps = std::iter::once("embed".to_string()).chain(blocks).chain(["final.norm".to_string()]).collect();
        let truths = Frame::ALL.map(|frame| parts.each_ref().map(|part| part.classes(frame)));
        Self { world, parts, truths, measure, taps, depth }
    }

    fn sources(&self) -> Vec<String> {
        self.taps.iter().cloned().chain([OUTPUT.to_string()]).collect()
    }

    fn context(&self, context: &RunContext<'_>) -> anyhow::Result<Vec<Reading>> {
        let mut all = vec![Reading::as_laid(&self.parts, &self.truths)];
        let laid = self.parts.each_ref().map(Part::laid);
        all.push(Reading::new("who laid which discs", &self.parts, &self.truths, &laid));
        for input in INPUTS {
            context.check_stop()?;
            let features = self.parts.each_ref().map(|part| (input.features)(&part.places, self.world.vocabulary()));
            all.push(Reading::new(input.name, &self.parts, &self.truths, &features));
        }
        Ok(all)
    }

    /// Features of every source of a model, of the three parts.
    fn all_features(&self, model: &Parameters, context: &RunContext<'_>) -> anyhow::Result<Vec<[Features; 3]>> {
        let model = predictor(model, context.device())?;
        let mut all = vec![<[Features; 3]>::default(); self.taps.len() + 1];
        for (number, part) in self.parts.iter().enumerate() {
            let of_part = part.places.of_model(model.as_ref(), &self.taps, || context.check_stop())?;
            all.iter_mut().zip(of_part).for_each(|(three, features)| three[number] = features);
        }
        Ok(all)
    }

    fn features(&self, model: &Parameters, tap: &str, context: &RunContext<'_>) -> anyhow::Result<[Features; 3]> {
        let model = predictor(model, context.device())?;
        let mut three = <[Features; 3]>::default();
        for (slot, part) in three.iter_mut().zip(&self.parts) {
            let mut of_part = part.places.of_model(model.as_ref(), &[tap.to_string()], || context.check_stop())?;
            *slot = of_part.swap_remove(0);
        }
        Ok(three)
    }

    fn readings(&self, model: &Parameters, context: &RunContext<'_>) -> anyhow::Result<Vec<Reading>> {
        let mut all = Vec::new();
        for (source, features) in self.sources().iter().zip(self.all_features(model, context)?) {
            context.check_stop()?;
            all.push(Reading::new(source, &self.parts, &self.truths, &features));
        }
        Ok(all)
    }

    /// The tap after the embedding at which the models' mean score in a frame is best on the games for choosing.
    fn choose(&self, readings: &[Vec<Reading>], frame: Frame) -> usize {
        let score = |tap: usize| readings.iter().map(|all| all[tap].frames[frame as usize].choose).sum::<f64>();
        (2..self.taps.len()).fold(1, |best, tap| if score(tap) > score(best) { tap } else { best })
    }

    /// All ways to edit, by tap: (tap, choice).
    fn candidates(&self) -> Vec<(usize, Choice)> {
        let ways =
            |tap: usize| Way::ALL.into_iter().flat_map(move |way| edits::DOSES.map(|dose| (tap, Choice { way, dose })));
        (1..self.depth).flat_map(ways).collect()
    }

    /// Of every way to edit, the share of the divergence that it takes away on the games for choosing.
    fn try_edits(&self, model: &Parameters, context: &RunContext<'_>) -> anyhow::Result<Vec<f64>> {
        let cases = edits::cases(self.world, &self.parts[1], self.measure.edits, &[NAME, "validation"]);
        let predictor = predictor(model, context.device())?;
        let mut all = Vec::new();
        let mut kit: Option<(usize, Option<edits::Kit>)> = None;
        for (tap, choice) in self.candidates() {
            if kit.as_ref().is_none_or(|(own, _)| *own != tap) {
                kit = Some((tap, self.kit(model, &self.taps[tap], context)?));
            }
            let Some((_, Some(kit))) = &kit else {
                all.push(0.0);
                continue;
            };
            let part = (&self.parts[1], &cases[..]);
            let change = (edits::Change::Turn, choice);
            let at = (self.taps[tap].as_str(), kit);
            let effects = edits::effects(self.world, predictor.as_ref(), part, at, change, context)?;
            let sum = |of: fn(&edits::Effect) -> f64| effects.iter().map(of).sum::<f64>();
            all.push(1.0 - sum(|e| e.after) / sum(|e| e.before).max(1e-12));
        }
        Ok(all)
    }

    fn kit(&self, model: &Parameters, tap: &str, context: &RunContext<'_>) -> anyhow::Result<Option<edits::Kit>> {
        let features = self.features(model, tap, context)?;
        let truths = self.truths.each_ref().map(|truth| [&truth[0][..], &truth[1][..]]);
        Ok(edits::Kit::new([&self.parts[0], &self.parts[1]], truths, [&features[0], &features[1]]))
    }

    /// The way to edit that is best for the models' mean.
    fn choose_edit(&self, tried: &[Vec<f64>]) -> (usize, Choice) {
        let candidates = self.candidates();
        let score = |place: usize| tried.iter().map(|tried| tried[place]).sum::<f64>();
        let best = (1..candidates.len()).fold(0, |best, next| if score(next) > score(best) { next } else { best });
        candidates[best]
    }
}
