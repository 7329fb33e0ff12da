//! What training data costs beside the training that eats it, for every shipped experiment.

use std::path::Path;

use anyhow::Context;
use models::Device;

use super::{BenchArgs, Row};
use crate::config::{Config, Overrides};
use crate::context::{DataCost, Gauged, RunContext};
use crate::progress::Progress;
use crate::run_directory::RunDirectory;

pub fn data(args: &BenchArgs) -> anyhow::Result<Vec<Row>> {
    let folder = &args.configs;
    let there = || format!("{}: the folder of configs cannot be read (name another with --configs)", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(there)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    let device = Device::resolve(&args.device)?;
    let mut rows = Vec::new();
    for path in paths {
        let cost = cost(&path, device)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        rows.push(Row {
            what: format!("{name}: a batch’s share of a step"),
            figure: 100.0 * cost.share(),
            unit: "% of processor time",
            against: format!(
                "at most 5; {:.2} ms on one thread beside {:.2} ms a step",
                1000.0 * cost.batch,
                1000.0 * cost.step
            ),
        });
    }
    Ok(rows)
}

/// What the data of an experiment's first model costs.
fn cost(path: &Path, device: Device) -> anyhow::Result<DataCost> {
    let mut config = Config::load(path, &Overrides::default())?;
    config.pin_device(device);
    let place = std::env::temp_dir().join(format!("stance-bench-{}-{}", std::process::id(), config.experiment));
    let found = {
        let (directory, _lock) = RunDirectory::begin(&place, &config)?;
        let mut context = RunContext::gauging(&directory, device, Progress::choose(true));
        config.experiment()?.run(&config, &mut context)
    };
    std::fs::remove_dir_all(&place).with_context(|| format!("{} cannot be removed", place.display()))?;
    match found {
        Err(error) => match error.downcast::<Gauged>() {
            Ok(Gauged(cost)) => Ok(cost),
            Err(error) => Err(error),
        },
        Ok(_) => anyhow::bail!("{}: the experiment trains no model", path.display()),
    }
}
