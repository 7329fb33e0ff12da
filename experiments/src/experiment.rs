//! The seam between experiments and everything that runs, judges and reports them.

use environments::Environment;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::claims::Finding;
use crate::config::{Config, nearest};
use crate::context::RunContext;
use crate::figures::Figure;

#[cfg(test)]
mod toy;

/// Something that can be listed: a name and a line about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The name used in configs and on the command line.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
}

/// An experiment: worlds → training → probes and interventions → findings.
///
/// An experiment is a pure function of its resolved config: what it finds holds no wall-clock time, path, thread
/// count or anything else that two runs with one seed would not share.
pub trait Experiment: Sync {
    /// The registry name, such as `glider-chunking`.
    fn name(&self) -> &'static str;

    /// One line about it, for `stance list`.
    fn about(&self) -> &'static str;

    /// Parses and checks every section of the config and writes it back with all defaults: one
    /// `config.complete::<T>("world")?` for each of [`crate::config::SECTIONS`], then checks across keys, whose
    /// errors come from [`Config::refuse`]. Everything that cannot be built (a world, `ModelSpec::validate`,
    /// `TrainingConfig::validate`) is refused here, before a run directory is made. Also checks that the registered
    /// claims are ones it can measure.
    ///
    /// # Errors
    /// In one sentence that names the key and the nearest valid choice.
    fn complete(&self, config: &mut Config) -> anyhow::Result<()>;

    /// The world of a completed config, for `stance sample` and the viewer.
    ///
    /// # Errors
    /// If the world cannot be built; in one sentence.
    fn environment(&self, config: &Config) -> anyhow::Result<Box<dyn Environment>>;

    /// Runs a completed config. Slow work goes through [`RunContext::train`] and [`RunContext::stage`], so that an
    /// interrupted run goes on where it stopped.
    ///
    /// # Errors
    /// In one sentence; also when the run is asked to stop.
    fn run(&self, config: &Config, context: &mut RunContext<'_>) -> anyhow::Result<Outcome>;
}

/// What an experiment found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Every measurement, as in `probes.json`. Equal for two runs with one seed.
    pub probes: Value,
    /// One finding for each registered claim.
    pub findings: Vec<Finding>,
    /// What the report shows beyond the claims and their evidence, in order.
    pub sections: Vec<Section>,
}

/// A part of a report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// Its heading.
    pub title: String,
    /// The claim under which it is shown, by name; a section of its own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// Paragraphs of plain text.
    #[serde(default)]
    pub text: Vec<String>,
    /// Figures, drawn after the text.
    #[serde(default)]
    pub figures: Vec<Figure>,
    /// Tables, after the figures.
    #[serde(default)]
    pub tables: Vec<Table>,
}

/// A table of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// Column heads.
    pub header: Vec<String>,
    /// Rows of cells, each as long as the header. Cells that read as numbers are aligned right.
    pub rows: Vec<Vec<String>>,
}

/// All experiments, in the order in which they are listed.
pub const EXPERIMENTS: &[&dyn Experiment] = &[
    &crate::glider_chunking::GliderChunking,
    &crate::machines::SingleMachine,
    &crate::machines::MachineDiversity,
    &crate::machines::EvilTwin,
    &crate::machines::RuleTable,
    &crate::machines::Halting,
    &crate::machines::HaltingPrefix,
    &crate::machines::Dovetail,
    &crate::rules::RuleInference,
    &crate::inference::MachineInference,
    &crate::inference::Sources,
    &crate::geometry::Mess3,
    &crate::geometry::Rrxor,
    &crate::othello::Othello,
    #[cfg(test)]
    &toy::Toy,
];

/// The experiment of a name.
///
/// # Errors
/// If there is none; a clause that names the nearest.
pub fn find(name: &str) -> Result<&'static dyn Experiment, String> {
    EXPERIMENTS.iter().find(|experiment| experiment.name() == name).copied().ok_or_else(|| {
        match nearest(name, EXPERIMENTS.iter().map(|experiment| experiment.name())).as_str() {
            "" => "there is no such experiment".into(),
            nearest => format!("there is no such experiment; the nearest is `{nearest}`"),
        }
    })
}
