//! The smallest experiment there can be, for the tests of everything around experiments.

use environments::life::{LifeConfig, LifeWorld};
use environments::{Environment, Split, stream};
use models::{ModelConfig, ModelSpec, Parameters, TrainingConfig};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Experiment, Outcome, Section};
use crate::claims::{Evidence, Finding, Measured};
use crate::config::Config;
use crate::context::RunContext;
use crate::figures::{Axis, Figure, Line, Plot, Value};

/// The experiment `toy`.
pub struct Toy;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Measure {
    boards: u64,
    shares: Vec<f64>,
    probe: ProbeConfig,
    note: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ProbeConfig {
    kind: Kind,
    ridge: f64,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    #[default]
    Linear,
    Quadratic,
}

impl Default for Measure {
    fn default() -> Self {
        Self { boards: 4, shares: vec![0.5], probe: ProbeConfig::default(), note: None }
    }
}

impl Experiment for Toy {
    fn name(&self) -> &'static str {
        "toy"
    }

    fn about(&self) -> &'static str {
        "a test of what is around experiments"
    }

    fn complete(&self, config: &mut Config) -> anyhow::Result<()> {
        let world: LifeConfig = config.complete("world")?;
        config.complete::<ModelConfig>("model")?;
        config.complete::<TrainingConfig>("training")?.validate()?;
        config.complete::<Measure>("measure")?;
        if world.width % 2 == 1 {
            return Err(config.refuse("world.width", "must be even, to be cut into 2×2 patches"));
        }
        Ok(spec(config, self.environment(config)?.as_ref())?.validate()?)
    }

    fn environment(&self, config: &Config) -> anyhow::Result<Box<dyn Environment>> {
        Ok(Box::new(LifeWorld::new(config.section("world")?)?))
    }

    fn run(&self, config: &Config, context: &mut RunContext<'_>) -> anyhow::Result<Outcome> {
        let world = self.environment(config)?;
        let training: TrainingConfig = config.section("training")?;
        let measure: Measure = config.section("measure")?;
        let spec = spec(config, world.as_ref())?;
        context.expect_models(2);
        let mut weights = Vec::new();
        for name in ["first", "second"] {
            let initial = || Parameters::initialise(&spec, &mut stream(&["toy", name, &config.seed.to_string()]));
            let sample = |index: u64| world.sample(Split::Train, index);
            let trained = context.train(name, initial, &training, &sample)?;
            let mean = context.stage(&format!("mean-{name}"), |context| {
                let bar = context.bar("means", 1);
                bar.add(1);
                Ok(trained.values.iter().map(|&weight| f64::from(weight)).sum::<f64>() / measure.boards as f64)
            })?;
            weights.push(mean);
        }
        let measured = Measured {
            effect: weights[0],
            interval: (weights[0] - 1.0, weights[0] + 1.0),
            confidence: 0.95,
            per_seed: weights.clone(),
            method: "none".into(),
            unit: "sum of weights".into(),
            p: None,
            refuter: None,
        };
        let points =
            weights.iter().enumerate().map(|(x, &value)| (x as f64, Value { value, interval: None })).collect();
        let figure = Figure {
            name: "weights".into(),
            title: "Weights".into(),
            caption: "Of both models.".into(),
            plot: Plot::Lines {
                x: Axis::new("model"),
                y: Axis::new("weight"),
                series: vec![Line { name: "mean".into(), baseline: false, points }],
            },
        };
        Ok(Outcome {
            probes: json!({ "weights": weights }),
            findings: vec![Finding {
                claim: "weight".into(),
                measured: Some(measured),
                evidence: vec![Evidence::new(3, true, "there is nothing trivial")],
            }],
            sections: vec![Section { title: "Weights".into(), figures: vec![figure], ..Section::default() }],
        })
    }
}

fn spec(config: &Config, world: &dyn Environment) -> anyhow::Result<ModelSpec> {
    Ok(ModelSpec {
        vocabulary: world.vocabulary(),
        targets: world.targets(),
        geometry: world.geometry(),
        model: config.section("model")?,
    })
}
