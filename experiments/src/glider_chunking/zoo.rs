//! The models of the experiment: the question's own, and those that it is compared with.

use environments::life::{LifeConfig, LifeWorld};
use environments::{Environment, Split, stream};
use models::{ModelSpec, Parameters, Predictor, predictor};

use super::settings::{Settings, control_world};
use crate::context::RunContext;

/// What a model was trained for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// To jump to every horizon.
    Jump,
    /// Nothing: random weights.
    Untrained,
    /// To predict the next step.
    NextStep,
    /// To jump to every horizon in the control world.
    Control,
}

impl Group {
    /// All groups, in order.
    pub const ALL: [Group; 4] = [Group::Jump, Group::Untrained, Group::NextStep, Group::Control];

    /// The name in files.
    pub fn name(self) -> &'static str {
        ["jump", "untrained", "next-step", "control-world"][self as usize]
    }

    /// The name in figures.
    pub fn title(self) -> &'static str {
        ["trained to jump", "random weights", "trained on the next step", "trained in the control world"][self as usize]
    }
}

/// One model.
#[derive(Clone, Debug)]
pub struct Subject {
    /// What it was trained for.
    pub group: Group,
    /// Its name: group and number, from 1.
    pub name: String,
    /// Optimiser steps it was trained for.
    pub steps: u64,
    /// Its weights.
    pub parameters: Parameters,
}

/// All models and their worlds.
pub struct Zoo {
    /// The world.
    pub world: LifeWorld,
    /// The same boards under the control rule.
    pub control: LifeWorld,
    /// All models, by group.
    pub subjects: Vec<Subject>,
    device: models::Device,
}

/// The specification of the models of a world.
pub fn spec(world: &LifeWorld, settings: &Settings) -> ModelSpec {
    ModelSpec {
        vocabulary: world.vocabulary(),
        targets: world.targets(),
        geometry: world.geometry(),
        model: settings.model.clone().into(),
    }
}

impl Zoo {
    /// Trains all models, or takes up what was trained before.
    ///
    /// # Errors
    /// If a world cannot be built, a training fails, or a stop was asked for.
    pub fn train(settings: &Settings, seed: u64, context: &mut RunContext<'_>) -> anyhow::Result<Self> {
        let world = LifeWorld::new(settings.world.clone())?;
        let control = LifeWorld::new(control_world(&settings.world, &settings.measure))?;
        let next = LifeWorld::new(LifeConfig { horizons: vec![1], ..settings.world.clone() })?;
        let spec = spec(&world, settings);
        spec.validate()?;
        let training = &settings.training;
        let plan = [
            (Group::Jump, training.seeds, training.steps, &world),
            (Group::NextStep, training.next_step_seeds, training.next_step_steps, &next),
            (Group::Control, training.control_seeds, training.control_steps, &control),
        ];
        context.expect_models(plan.iter().map(|(_, count, ..)| count).sum());
        let mut subjects = Vec::new();
        for (group, count, steps, world) in plan {
            for number in 1..=count {
                let name = format!("{}-{number}", group.name());
                // Model n starts from the same weights and sees the same boards in the same order in every group.
                let initial = || Parameters::initialise(&spec, &mut weights(seed, number));
                let offset = (number as u64 - 1) << 40;
                let sample = |index: u64| world.sample(Split::Train, offset + index);
                let parameters = context.train(&name, initial, &training.config(steps), &sample)?;
                subjects.push(Subject { group, name, steps, parameters });
            }
        }
        for number in 1..=training.seeds {
            let parameters = Parameters::initialise(&spec, &mut weights(seed, number));
            let name = format!("{}-{number}", Group::Untrained.name());
            subjects.push(Subject { group: Group::Untrained, name, steps: 0, parameters });
        }
        subjects.sort_by_key(|subject| subject.group);
        Ok(Self { world, control, subjects, device: context.device() })
    }

    /// The models of a group.
    pub fn group(&self, group: Group) -> impl Iterator<Item = &Subject> {
        self.subjects.iter().filter(move |subject| subject.group == group)
    }

    /// A model made ready to run.
    ///
    /// # Errors
    /// If the device refuses it.
    pub fn predictor(&self, parameters: &Parameters) -> anyhow::Result<Box<dyn Predictor>> {
        Ok(predictor(parameters, self.device)?)
    }
}

fn weights(seed: u64, number: usize) -> environments::Stream {
    stream(&["glider-chunking", &seed.to_string(), "weights", &number.to_string()])
}
