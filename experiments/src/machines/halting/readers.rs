//! Those who read the text of a machine and do not follow its run, trained as long as the models are.

use std::collections::BTreeMap;

use environments::turing::HaltingWorld;
use environments::{Environment, Sample, Split, Symbol, stream};
use models::native::{Mlp, MlpConfig};
use models::{Parameters, Plan, Predictor, TrainingConfig, predictor};
use rayon::prelude::*;

use super::{Questions, Said, Steps, balanced, read_steps};
use crate::context::RunContext;
use crate::evidence::numeric::logarithm;

/// Learning rates tried, as multiples of the models'; the best on the questions for choosing is kept.
const RATES: [f32; 3] = [0.3, 1.0, 3.0];

/// The text as features: one for each token at each position.
struct Text {
    positions: usize,
    vocabulary: usize,
}

impl Text {
    fn width(&self) -> usize {
        self.positions * self.vocabulary
    }

    fn features(&self, samples: &[Sample]) -> Vec<f32> {
        let mut features = vec![0.0; samples.len() * self.width()];
        for (row, sample) in features.chunks_exact_mut(self.width()).zip(samples) {
            for (place, &token) in sample.tokens.iter().enumerate() {
                row[place * self.vocabulary + usize::from(token)] = 1.0;
            }
        }
        features
    }
}

/// What a reader reads.
enum Reads<'a> {
    Text(Text),
    /// The last tap of a model at the last position.
    Model(&'a dyn Predictor, String, usize),
}

impl Reads<'_> {
    fn width(&self) -> usize {
        match self {
            Reads::Text(text) => text.width(),
            Reads::Model(_, _, width) => *width,
        }
    }

    fn features(&self, samples: &[Sample]) -> anyhow::Result<Vec<f32>> {
        const CHUNK: usize = 256;
        let (model, tap) = match self {
            Reads::Text(text) => return Ok(text.features(samples)),
            Reads::Model(model, tap, _) => (model, tap),
        };
        let plan = Plan { capture: vec![tap.clone()], interventions: Vec::new() };
        let mut features = Vec::with_capacity(samples.len() * self.width());
        for chunk in samples.chunks(CHUNK) {
            let tokens: Vec<_> = chunk.iter().flat_map(|sample| sample.tokens.iter().copied()).collect();
            let run = model.run(&tokens, &plan)?;
            let last = tokens.len() / chunk.len() - 1;
            (0..chunk.len()).for_each(|sequence| features.extend_from_slice(run.captured[0].row(sequence, last)));
        }
        Ok(features)
    }
}

/// Who they are, what they say, how well they read the steps. They are trained on the machines that the first model was
/// trained on, with its batches and its schedule. `random` are weights drawn at random, `perceptron` the width of each of
/// two hidden layers.
///
/// # Errors
/// When a stop was asked for; those of the model.
pub fn readers(
    world: &HaltingWorld,
    training: &TrainingConfig,
    sets: &[Questions; 3],
    (random, perceptron, (experiment, seed)): (&Parameters, usize, (&str, u64)),
    context: &RunContext<'_>,
) -> anyhow::Result<Vec<(String, Said, Steps)>> {
    let (positions, vocabulary) = (world.geometry().len(), world.vocabulary());
    let model = predictor(random, context.device())?;
    let tap = super::taps(random.spec.model.depth()).pop().unwrap_or_default();
    let text = || Reads::Text(Text { positions, vocabulary });
    let what = if world.config().text { "text" } else { "steps" };
    let kinds = [
        (format!("{what}, linear"), text(), Vec::new()),
        (format!("{what}, perceptron of two layers of {perceptron}"), text(), vec![perceptron, perceptron]),
        ("random weights, linear probe".into(), Reads::Model(&*model, tap, random.spec.model.width()), Vec::new()),
    ];
    let mut nets: Vec<Vec<Mlp>> = kinds
        .iter()
        .map(|(name, reads, hidden)| {
            let config = MlpConfig { inputs: reads.width(), hidden: hidden.clone(), outputs: 2 };
            let draw = |_| {
                Mlp::initialise(
                    &config,
                    training.optimizer,
                    &mut stream(&[experiment, "reader", &seed.to_string(), name]),
                )
            };
            RATES.map(draw).to_vec()
        })
        .collect();
    // Texts hardly ever come twice; beginnings of runs are few.
    let mut list = (!world.config().text).then(List::default);
    for step in 0..training.steps {
        context.check_stop()?;
        let first = step * training.batch as u64;
        let batch: Vec<Sample> = (first..first + training.batch as u64)
            .into_par_iter()
            .map(|index| world.sample(Split::Train, index))
            .collect();
        let answers: Vec<Symbol> = batch.iter().map(|sample| sample.targets[positions - 1]).collect();
        if let Some(list) = &mut list {
            batch.iter().zip(&answers).for_each(|(sample, &answer)| list.add(sample, answer == 1));
        }
        for ((_, reads, _), nets) in kinds.iter().zip(&mut nets) {
            let features = reads.features(&batch)?;
            for (net, rate) in nets.iter_mut().zip(RATES) {
                net.train_step(&features, &answers, training.rate(step) * rate);
            }
        }
    }
    let mut all = Vec::new();
    for ((name, reads, _), nets) in kinds.iter().zip(&nets) {
        let [fitting, choosing, reporting] = sets.each_ref().map(|set| reads.features(&set.samples));
        let (fitting, choosing, reporting) = (fitting?, choosing?, reporting?);
        let says = |net: &Mlp, features: &[f32]| -> Vec<bool> {
            net.probabilities(features).chunks_exact(2).map(|pair| pair[1] > pair[0]).collect()
        };
        let scored = nets.iter().map(|net| (balanced(&says(net, &choosing), &sets[1].halts), net));
        let Some((choose, net)) = scored.reduce(|best, next| if next.0 > best.0 { next } else { best }) else {
            continue;
        };
        let said = Said { choose, halts: says(net, &reporting) };
        all.push((name.clone(), said, read_steps(name, [&fitting, &choosing, &reporting], reads.width(), sets)));
    }
    if let Some(list) = list {
        let name = format!("list of the {} beginnings met", list.met.len());
        let said =
            Said { choose: balanced(&list.says(&sets[1].samples), &sets[1].halts), halts: list.says(&sets[2].samples) };
        let odds = sets.each_ref().map(|set| list.odds(&set.samples));
        let steps = read_steps(&name, [&odds[0], &odds[1], &odds[2]], 1, sets);
        all.push((name, said, steps));
    }
    Ok(all)
}

/// Every beginning met in training, with how often the machine halted in the end and how often it did not: what can be known
/// from a beginning at all, but for chance.
#[derive(Default)]
struct List {
    met: BTreeMap<Vec<Symbol>, [u32; 2]>,
}

impl List {
    fn add(&mut self, sample: &Sample, halts: bool) {
        self.met.entry(sample.tokens.clone()).or_default()[usize::from(halts)] += 1;
    }

    /// Log odds of halting, each count one half larger; 0 for a beginning never met.
    fn odds(&self, samples: &[Sample]) -> Vec<f32> {
        let one = |sample: &Sample| {
            let [never, halts] = self.met.get(&sample.tokens).copied().unwrap_or_default();
            let log = |count: u32| logarithm(f64::from(count) + 0.5);
            (log(halts) - log(never)) as f32
        };
        samples.iter().map(one).collect()
    }

    fn says(&self, samples: &[Sample]) -> Vec<bool> {
        self.odds(samples).into_iter().map(|odds| odds > 0.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_says_what_came_more_often() {
        let sample = |tokens: &[Symbol]| Sample { tokens: tokens.to_vec(), targets: Vec::new() };
        let mut list = List::default();
        for halts in [true, true, false] {
            list.add(&sample(&[1, 2]), halts);
        }
        list.add(&sample(&[1, 3]), false);
        let all = [sample(&[1, 2]), sample(&[1, 3]), sample(&[9])];
        assert_eq!(list.says(&all), [true, false, false]);
        let odds = list.odds(&all);
        assert!((odds[0] - (2.5f32 / 1.5).ln()).abs() < 1e-6 && odds[2] == 0.0, "{odds:?}");
    }
}
