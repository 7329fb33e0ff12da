//! What is measured of a model: how fast its predictions fork, and what a patch from the twin's run does to them.

use environments::turing::TuringWorld;
use environments::{Symbol, stream};
use models::{Action, Intervention, Parameters, Plan, Predictor, Run, predictor};
use serde::{Deserialize, Serialize};

use super::super::scores::Predictions;
use super::pairs::Pair;
use crate::context::RunContext;
use crate::evidence::numeric::{exponential, logarithm};
use crate::moments::writes::Change;
use crate::swaps::{Changes, Patches, astray, towards};

/// Pairs that go through a model together.
const CHUNK: usize = 32;

/// What is put in place of the activation at the position that holds the entry's first firing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Patch {
    /// The twin's activation there: what it saw itself do.
    Twin,
    /// Half of the way to it.
    Half,
    /// Twice the way.
    Double,
    /// A random vector as far from the own activation as the twin's is.
    Random,
    /// The own run's activation at a use of another entry.
    OtherEntry,
    /// The mean over all pairs: what is common to firings of any entry.
    Mean,
    /// Nothing: the own activation itself.
    Null,
}

impl Patch {
    /// All patches, in the order in which they are kept.
    pub const ALL: [Patch; 7] =
        [Patch::Twin, Patch::Half, Patch::Double, Patch::Random, Patch::OtherEntry, Patch::Mean, Patch::Null];
}

/// The patches as every experiment with patches has them.
pub const PATCHES: Patches = Patches {
    names: &["twin", "half of it", "twice it", "random, same norm", "another entry's step", "mean", "null"],
    whole: Patch::Twin as usize,
    random: Patch::Random as usize,
    mean: Patch::Mean as usize,
    null: Patch::Null as usize,
    controls: &[Patch::Random as usize, Patch::OtherEntry as usize, Patch::Null as usize],
    drawn: &[Patch::Twin as usize, Patch::Random as usize, Patch::OtherEntry as usize, Patch::Mean as usize],
    other: "twin",
    about: "The activation at the position that holds the entry's first firing is replaced; the prediction is scored at the \
            entry's next use. At the embedding the patch is an edit of the history, at the last block nothing can come of it: \
            both ends are references and no evidence.",
};

/// The fork at one pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fork {
    /// Odds of the own step against the twin's, before either was seen: is it above 1?
    pub favoured_before: bool,
    /// The same odds at each later use of the entry, as natural logarithms.
    pub log_odds: Vec<f64>,
}

/// What is measured of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// By pair.
    pub forks: Vec<Fork>,
    /// By tap, patch (as in [`Patch::ALL`]) and pair.
    pub changes: Changes,
}

/// Taps that are patched: the embedding, then the end of every block.
pub fn taps(depth: usize) -> Vec<String> {
    std::iter::once("embed".to_string()).chain((0..depth).map(|block| format!("blocks.{block}.resid_post"))).collect()
}

/// The steps that begin with the same symbol read.
fn siblings(step: usize, symbols: usize) -> std::ops::Range<usize> {
    let read = step / (2 * symbols);
    read * 2 * symbols..(read + 1) * 2 * symbols
}

/// The probability of a step given the symbol that it reads.
pub fn given_read(row: &[f64], step: usize, symbols: usize) -> f64 {
    let all: f64 = row[siblings(step, symbols)].iter().sum();
    if all > 0.0 { row[step] / all } else { 0.0 }
}

/// A probability below this counts as this.
const LEAST: f64 = 1e-9;

/// Log odds of one step against another by a position's probabilities, given the symbol that both read.
pub fn log_odds(row: &[f64], (own, twin): (usize, usize), symbols: usize) -> f64 {
    let of = |step: usize| logarithm(given_read(row, step, symbols).max(LEAST));
    of(own) - of(twin)
}

/// Forks of predictions that are given: those of Bayes, of counts, of a model. A run's predictions are those of its
/// place among the pairs.
pub fn forks(pairs: &[Pair], predictions: &Predictions, symbols: usize) -> Vec<Fork> {
    let one = |(place, pair): (usize, &Pair)| {
        let odds = |step: usize| {
            let row = &predictions.rows[place][step * predictions.targets..(step + 1) * predictions.targets];
            log_odds(row, (pair.own_step, pair.twin_step), symbols)
        };
        Fork { favoured_before: odds(pair.fired) > 0.0, log_odds: pair.uses.iter().map(|&step| odds(step)).collect() }
    };
    pairs.iter().enumerate().map(one).collect()
}

/// Probabilities of one position of a run.
pub fn row(run: &Run, sequence: usize, position: usize, length: usize, targets: usize) -> Vec<f64> {
    let start = (sequence * length + position) * targets;
    let mut row: Vec<f64> = run.logits[start..start + targets].iter().map(|&logit| f64::from(logit)).collect();
    crate::evidence::numeric::log_softmax(&mut row);
    row.iter_mut().for_each(|value| *value = exponential(*value));
    row
}

/// Measures a model's swaps.
///
/// # Errors
/// Those of the model; when a stop was asked for.
pub fn changes(
    world: &TuringWorld,
    model: &Parameters,
    pairs: &[Pair],
    (seed, name): (u64, &str),
    context: &RunContext<'_>,
) -> anyhow::Result<Changes> {
    let taps = taps(model.spec.model.depth());
    let model = predictor(model, context.device())?;
    let means = means(world, model.as_ref(), pairs, &taps)?;
    let mut all = vec![vec![Vec::with_capacity(pairs.len()); Patch::ALL.len()]; taps.len()];
    let mut chance = stream(&["evil-twin", &seed.to_string(), name, "random patches"]);
    for chunk in pairs.chunks(CHUNK) {
        context.check_stop()?;
        let bench = Bench::new(world, model.as_ref(), chunk, &taps)?;
        for (slot, tap) in taps.iter().enumerate() {
            for (kind, &patch) in Patch::ALL.iter().enumerate() {
                let interventions = chunk.iter().enumerate().map(|(sequence, pair)| {
                    let own = bench.own.captured[slot].row(sequence, pair.fired + 1);
                    let twin = bench.twin.captured[slot].row(sequence, pair.fired + 1);
                    let values: Vec<f32> = match patch {
                        Patch::Twin => twin.to_vec(),
                        Patch::Half => towards(own, twin, 0.5),
                        Patch::Double => towards(own, twin, 2.0),
                        Patch::Null => own.to_vec(),
                        Patch::OtherEntry => bench.own.captured[slot].row(sequence, pair.elsewhere).to_vec(),
                        Patch::Mean => means[slot].clone(),
                        Patch::Random => astray(own, twin, &mut chance),
                    };
                    let action = Action::Replace { values };
                    Intervention { tap: tap.clone(), sequence: Some(sequence), rows: vec![pair.fired + 1], action }
                });
                let plan = Plan { capture: Vec::new(), interventions: interventions.collect() };
                let patched = model.run(&bench.tokens, &plan)?;
                all[slot][kind].extend((0..chunk.len()).map(|sequence| bench.change(&patched, sequence)));
            }
        }
    }
    Ok(all)
}

/// Mean activations at the position that holds the firing, by tap.
fn means(world: &TuringWorld, model: &dyn Predictor, pairs: &[Pair], taps: &[String]) -> anyhow::Result<Vec<Vec<f32>>> {
    let mut sums: Vec<Vec<f64>> = vec![Vec::new(); taps.len()];
    for chunk in pairs.chunks(CHUNK) {
        let bench = Bench::new(world, model, chunk, taps)?;
        for (sum, captured) in sums.iter_mut().zip(&bench.own.captured) {
            sum.resize(captured.width, 0.0);
            for (sequence, pair) in chunk.iter().enumerate() {
                let row = captured.row(sequence, pair.fired + 1);
                sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
            }
        }
    }
    let mean = |sum: Vec<f64>| sum.into_iter().map(|value| (value / pairs.len().max(1) as f64) as f32).collect();
    Ok(sums.into_iter().map(mean).collect())
}

/// Pairs with their clean runs.
struct Bench<'a> {
    pairs: &'a [Pair],
    symbols: usize,
    length: usize,
    targets: usize,
    tokens: Vec<Symbol>,
    own: Run,
    twin: Run,
}

impl<'a> Bench<'a> {
    fn new(world: &TuringWorld, model: &dyn Predictor, pairs: &'a [Pair], taps: &[String]) -> anyhow::Result<Self> {
        use environments::Environment;
        let read = |of: fn(&Pair) -> &environments::turing::TuringEpisode| -> Vec<Symbol> {
            pairs.iter().flat_map(|pair| world.sample_of(of(pair)).tokens).collect()
        };
        let plan = Plan { capture: taps.to_vec(), interventions: Vec::new() };
        let tokens = read(|pair| &pair.own);
        Ok(Self {
            pairs,
            symbols: world.config().symbols,
            length: world.config().length,
            targets: world.targets(),
            own: model.run(&tokens, &plan)?,
            twin: model.run(&read(|pair| &pair.twin), &plan)?,
            tokens,
        })
    }

    fn change(&self, patched: &Run, sequence: usize) -> Change {
        let pair = &self.pairs[sequence];
        let at = |run: &Run, position: usize, step: usize| {
            given_read(&row(run, sequence, position, self.length, self.targets), step, self.symbols)
        };
        let next = pair.uses[0];
        let fall = |position: usize| {
            let step = pair.own.steps[position].token.index(self.symbols);
            at(&self.own, position, step) - at(patched, position, step)
        };
        let others: Vec<f64> = pair.others.iter().map(|&position| fall(position)).collect();
        Change {
            gain: at(patched, next, pair.twin_step) - at(&self.own, next, pair.twin_step),
            loss: at(&self.own, next, pair.own_step) - at(patched, next, pair.own_step),
            damage: others.iter().sum::<f64>() / others.len().max(1) as f64,
        }
    }
}
