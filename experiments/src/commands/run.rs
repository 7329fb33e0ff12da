//! `stance run CONFIG`

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use models::Device;
use serde_json::json;

use super::output::Output;
use super::show;
use crate::claims::{ClaimsFile, judge};
use crate::config::{Config, Overrides};
use crate::context::{self, RunContext, Stopped};
use crate::experiment::Experiment;
use crate::progress::Progress;
use crate::provenance::Provenance;
use crate::report::{self, Report};
use crate::run_directory::{RUNS, RunDirectory};

/// How a config is resolved.
#[derive(Args, Clone, Debug, Default)]
pub struct ConfigArgs {
    /// A table of overrides in the config: smoke, laptop or gpu. Without it, laptop.
    #[arg(long)]
    pub scale: Option<String>,
    /// The seed from which all chance is derived.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Where models run: auto, cpu, flex, ndarray or cuda.
    #[arg(long)]
    pub device: Option<String>,
    /// Change a key of the config, such as training.steps=100. May be given more than once.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

impl ConfigArgs {
    /// As overrides.
    pub fn overrides(self) -> Overrides {
        Overrides { scale: self.scale, seed: self.seed, device: self.device, set: self.set }
    }
}

/// Arguments of `stance run`.
#[derive(Args)]
pub struct RunArgs {
    /// The experiment's config, a TOML file.
    #[arg(required_unless_present = "resume")]
    config: Option<PathBuf>,
    #[command(flatten)]
    changes: ConfigArgs,
    /// The run directory; without it, runs/<experiment>-<hash of resolved config and seed>.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on with a run that was interrupted, by its path or its name under runs/.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["config", "scale", "seed", "device", "set", "out"])]
    resume: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// In one sentence, for a person.
pub fn run(args: RunArgs, output: &Output) -> anyhow::Result<()> {
    let (mut config, path) = match (args.resume, args.config) {
        (Some(run), _) => {
            let directory = RunDirectory::find(&run)?;
            (directory.config()?, Some(directory.path().to_path_buf()))
        }
        (None, Some(config)) => (Config::load(&config, &args.changes.overrides())?, args.out),
        (None, None) => anyhow::bail!("name a config to run, or a run to resume with --resume"),
    };
    let device = Device::resolve(&config.device)?;
    config.pin_device(device);
    let path = path.unwrap_or_else(|| Path::new(RUNS).join(config.run_name()));
    let progress = Progress::choose(output.json);

    let (directory, finished_before) = to_the_end(&config, &path, device, progress)?;

    let claims = directory.claims()?;
    let report = directory.file("report.html");
    let value = json!({
        "run": directory.name(),
        "directory": path.display().to_string(),
        "report": report.display().to_string(),
        "finished_before": finished_before,
        "claims": show::brief(&claims.claims),
    });
    output.print(&value, || format!("{}\nreport: {}", show::table(&claims.claims), report.display()))
}

/// Runs a resolved config in a directory, or takes up what was finished there before; says which.
///
/// # Errors
/// In one sentence; also when the run is asked to stop.
pub(super) fn to_the_end(
    config: &Config,
    path: &Path,
    device: Device,
    progress: Progress,
) -> anyhow::Result<(RunDirectory, bool)> {
    let earlier = RunDirectory::open(path).ok().filter(RunDirectory::is_finished);
    let finished_before = match earlier {
        Some(run) => run.read_if_there("config.toml")?.is_some_and(|text| text == config.to_toml()),
        None => false,
    };
    if finished_before {
        progress.say(&format!("{} is finished already; nothing is computed again", path.display()));
        return Ok((RunDirectory::open(path)?, true));
    }
    let (directory, _lock) = RunDirectory::begin(path, config)?;
    progress.say(&format!("{} on {}, into {}", config.run_name(), device.name(), path.display()));
    execute(config, &directory, device, progress)?;
    Ok((directory, false))
}

/// Takes an experiment to its report. Everything it finishes on the way is kept; `claims.json` comes last.
fn execute(config: &Config, directory: &RunDirectory, device: Device, progress: Progress) -> anyhow::Result<()> {
    let start = Instant::now();
    let experiment = config.experiment()?;
    let mut provenance = Provenance::here(device);
    if directory.file("provenance.json").exists() {
        let before = directory.provenance()?;
        provenance.resumed_from = before.resumed_from.clone();
        if before.shown_revision() != provenance.shown_revision() {
            progress.say(&format!(
                "note: the run was begun by revision {} and goes on with {}",
                before.shown_revision(),
                provenance.shown_revision()
            ));
            provenance.resumed_from.push(before.shown_revision());
        }
    }
    directory.write_json("provenance.json", &provenance)?;
    let mut context = RunContext::new(directory, device, progress);
    let outcome = experiment.run(config, &mut context).map_err(|error| match error.downcast_ref::<Stopped>() {
        Some(_) => {
            let path = directory.path().display();
            Stopped(format!("; what is done is saved, and `stance run --resume {path}` goes on with it")).into()
        }
        None => error,
    })?;
    for finding in &outcome.findings {
        if !config.claims.iter().any(|claim| claim.name == finding.claim) {
            anyhow::bail!("this is a bug: the experiment reports on `{}`, which is not registered", finding.claim);
        }
    }
    let claims = judge(&config.claims, &outcome.findings);
    let claims = ClaimsFile { experiment: config.experiment.clone(), seed: config.seed, claims };
    directory.write_json("probes.json", &outcome.probes)?;
    directory.write_json("report.json", &outcome.sections)?;
    provenance.seconds = Some(start.elapsed().as_secs());
    directory.write_json("provenance.json", &provenance)?;
    draw(directory, config, experiment, &claims, &outcome.sections, &provenance)?;
    directory.write_json("claims.json", &claims)
}

/// Draws the figures and the report.
pub(super) fn draw(
    directory: &RunDirectory,
    config: &Config,
    experiment: &dyn Experiment,
    claims: &ClaimsFile,
    sections: &[crate::experiment::Section],
    provenance: &Provenance,
) -> anyhow::Result<()> {
    directory.make_folder("figures")?;
    for figure in sections.iter().flat_map(|section| &section.figures) {
        let name = context::checked(&figure.name)?;
        directory.write(&format!("figures/{name}.svg"), figure.to_svg_file()?.as_bytes())?;
    }
    let html = report::render(&Report {
        run: &config.run_name(),
        about: experiment.about(),
        claims,
        sections,
        config: &config.to_toml(),
        provenance,
    })?;
    directory.write("report.html", html.as_bytes())
}

#[cfg(test)]
mod tests;
