//! What is measured of a model: on runs of machines that it was trained on, and of machines that nobody was.

use environments::Split;
use environments::turing::{HELD_BACK, InitialTape, Machine, TuringWorld};
use models::{Parameters, predictor};

use super::super::references;
use super::super::scores::{Predictions, Runs, of_model};
use super::Measure;
use super::behaviour::Behaviours;
use crate::context::RunContext;
use crate::evidence::Arm;

/// A trained model's scores.
pub struct Model {
    pub diversity: usize,
    /// By run of a seen machine: divergence of the model from the memoriser and from the generaliser, of the generaliser
    /// from the memoriser, nats of the model, of the memoriser, of the generaliser; steps.
    pub seen: Vec<Vec<f64>>,
    /// By run of an unseen machine and step: nats.
    pub unseen: Vec<Vec<f64>>,
    /// (training step, nats a step on unseen machines).
    pub curve: Vec<(u64, f64)>,
}

/// Scores on runs of machines that the model was trained on.
pub fn seen(
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

fn kind(world: &TuringWorld) -> (usize, usize, InitialTape) {
    let config = world.config();
    (config.states, config.symbols, config.initial.initial())
}

/// Runs of machines that no model was trained on, and that no training machine could have made, with the references.
pub struct Unseen {
    pub runs: Runs,
    /// Runs left out, since a training machine could have made them.
    pub familiar: usize,
    pub generaliser: Vec<Vec<f64>>,
    pub oracle: Vec<Vec<f64>>,
    pub filler: Vec<Vec<f64>>,
    /// By name: nats by run and step.
    pub statistical: Vec<(String, Vec<Vec<f64>>)>,
    /// The best of them on validation runs.
    pub best: usize,
}

impl Unseen {
    pub fn draw(world: &TuringWorld, wanted: usize) -> Self {
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

    pub fn nats(&self, model: &Parameters, context: &RunContext<'_>) -> anyhow::Result<Vec<Vec<f64>>> {
        context.check_stop()?;
        let predictions = of_model(predictor(model, context.device())?.as_ref(), &self.runs)?;
        Ok((0..self.runs.len()).map(|run| predictions.nats(&self.runs, run)).collect())
    }
}

pub struct Found {
    pub models: Vec<Model>,
    /// Models of each variant; their curves are empty.
    pub variants: Vec<Vec<Model>>,
    pub untrained: Vec<Vec<f64>>,
    pub unseen: Unseen,
    /// What the pools hold.
    pub behaviours: Vec<Behaviours>,
}

/// Those of some models that were trained on so many machines.
pub fn of(models: &[Model], diversity: usize) -> impl Iterator<Item = &Model> {
    models.iter().filter(move |model| model.diversity == diversity)
}

/// Seeds × runs × the sums of [`Model::seen`], of those models.
pub fn seen_arm(models: &[Model], diversity: usize) -> Arm {
    Arm::new(&of(models, diversity).map(|model| model.seen.clone()).collect::<Vec<_>>())
}

impl Found {
    pub fn of(&self, diversity: usize) -> impl Iterator<Item = &Model> {
        of(&self.models, diversity)
    }

    /// Seeds × runs × the sums of [`Model::seen`].
    pub fn seen(&self, diversity: usize) -> Arm {
        seen_arm(&self.models, diversity)
    }

    /// Seeds × runs × (nats of the model, of the generaliser, of the best statistical predictor, steps).
    pub fn unseen(&self, diversity: usize) -> Arm {
        self.unseen_of(&self.models, diversity)
    }

    /// The same of other models.
    pub fn unseen_of(&self, models: &[Model], diversity: usize) -> Arm {
        let models = of(models, diversity).map(|model| &model.unseen);
        let best = &self.unseen.statistical[self.unseen.best].1;
        let sum = |steps: &[f64]| steps.iter().sum::<f64>();
        let one = |nats: &Vec<Vec<f64>>| -> Vec<Vec<f64>> {
            let runs = nats.iter().zip(&self.unseen.generaliser).zip(best);
            runs.map(|((own, exact), best)| vec![sum(own), sum(exact), sum(best), own.len() as f64]).collect()
        };
        Arm::new(&models.map(one).collect::<Vec<_>>())
    }
}
