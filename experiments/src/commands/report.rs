//! `stance report RUN`

use clap::Args;
use serde_json::json;

use super::output::Output;
use super::run::draw;
use crate::run_directory::RunDirectory;

/// Arguments of `stance report`.
#[derive(Args)]
pub struct ReportArgs {
    /// The run, by its path or its name under runs/.
    run: String,
}

/// Runs the command: draws figures and `report.html` again from what the run saved; nothing is computed.
///
/// # Errors
/// In one sentence, for a person.
pub fn run(args: ReportArgs, output: &Output) -> anyhow::Result<()> {
    let run = RunDirectory::find(&args.run)?;
    let config = run.config()?;
    let claims = run.claims()?;
    let _lock = run.lock()?;
    draw(&run, &config, config.experiment()?, &claims, &run.sections()?, &run.provenance()?)?;
    let report = run.file("report.html").display().to_string();
    output.print(&json!({ "run": run.name(), "report": report }), || format!("report: {report}"))
}
