//! `glider-chunking`: does a model that must jump ahead in Life chunk cells into gliders, and does it use them?
//!
//! Worlds → training ([`zoo`]) → measurements ([`measure`]) → findings and report ([`findings`]). What is chosen (tap,
//! pooling, penalty, best rival) is chosen on boards of the validation split; test boards are scored once.

mod curves;
mod fate;
mod findings;
pub(crate) mod forward;
mod leaks;
mod measure;
mod necessity;
mod objects;
pub(crate) mod pairs;
mod pictures;
mod probing;
mod reading;
mod rigour;
mod settings;
mod skill;
mod steering;
pub(crate) mod transplant;
mod window;
mod zoo;

use environments::Environment;
use environments::life::LifeWorld;

use crate::config::Config;
use crate::context::RunContext;
use crate::experiment::{Experiment, Outcome};
use measure::Measurements;
use settings::Settings;
use zoo::Zoo;

/// The experiment `glider-chunking`.
pub struct GliderChunking;

impl Experiment for GliderChunking {
    fn name(&self) -> &'static str {
        "glider-chunking"
    }

    fn about(&self) -> &'static str {
        "models that jump ahead in Life: do they chunk cells into gliders, foresee their fate, and use what they hold?"
    }

    fn complete(&self, config: &mut Config) -> anyhow::Result<()> {
        Settings::complete(config)
    }

    fn environment(&self, config: &Config) -> anyhow::Result<Box<dyn Environment>> {
        Ok(Box::new(LifeWorld::new(config.section("world")?)?))
    }

    fn run(&self, config: &Config, context: &mut RunContext<'_>) -> anyhow::Result<Outcome> {
        let settings = Settings::read(config)?;
        let zoo = Zoo::train(&settings, config.seed, context)?;
        let measurements = Measurements::take(&zoo, &settings, config.seed, context)?;
        findings::outcome(&zoo, &settings, &measurements, config, context)
    }
}
