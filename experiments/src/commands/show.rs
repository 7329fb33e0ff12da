//! `stance show RUN`

use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Value, json};

use super::output::Output;
use crate::claims::{ClaimResult, Status, figure};
use crate::run_directory::RunDirectory;

/// Arguments of `stance show`.
#[derive(Args)]
pub struct ShowArgs {
    /// The run, by its path or its name under runs/.
    run: String,
}

/// Runs the command.
///
/// # Errors
/// In one sentence, for a person.
pub fn run(args: ShowArgs, output: &Output) -> anyhow::Result<()> {
    let run = RunDirectory::find(&args.run)?;
    let config = run.config()?;
    let finished = run.is_finished();
    let provenance = if run.file("provenance.json").exists() { Some(run.provenance()?) } else { None };
    // The last record of each model, by name.
    let mut models = BTreeMap::new();
    for metric in run.metrics()? {
        models.insert(metric.model.clone(), metric);
    }
    let claims = if finished { Some(run.claims()?) } else { None };
    let report = run.file("report.html");
    let value = json!({
        "run": run.name(),
        "directory": run.path().display().to_string(),
        "finished": finished,
        "experiment": config.experiment,
        "seed": config.seed,
        "device": config.device,
        "scale": config.scale,
        "claims": claims.as_ref().map(|claims| &claims.claims),
        "models": models.values().collect::<Vec<_>>(),
        "provenance": provenance,
        "report": report.exists().then(|| report.display().to_string()),
    });
    output.print(&value, || {
        let mut text = format!(
            "{}: {}, seed {}, device {}, scale {}\n",
            run.name(),
            config.experiment,
            config.seed,
            config.device,
            config.scale
        );
        if let Some(provenance) = &provenance {
            text += &format!("revision {}, {}\n", provenance.shown_revision(), provenance.processor);
        }
        for metric in models.values() {
            text += &format!("  {:<28} step {:>7}  loss {:.4}\n", metric.model, metric.step, metric.loss);
        }
        match &claims {
            Some(claims) => {
                text += &format!("\n{}\n", table(&claims.claims));
                if report.exists() {
                    text += &format!("report: {}\n", report.display());
                }
            }
            None => {
                let path = run.path().display();
                text += &format!("not finished; `stance run --resume {path}` goes on with it\n");
            }
        }
        text
    })
}

/// The claims with their verdicts, for `--json` of `run`.
pub(super) fn brief(claims: &[ClaimResult]) -> Vec<Value> {
    let brief = |result: &ClaimResult| {
        json!({
            "name": result.claim.name,
            "verdict": result.verdict,
            "because": result.because,
            "effect": result.measured.as_ref().map(|measured| measured.effect),
            "interval": result.measured.as_ref().map(|measured| measured.interval),
            "registered_effect": result.claim.effect,
            "seeds": result.measured.as_ref().map(|measured| measured.per_seed.len()),
            "unmet": unmet(result),
        })
    };
    claims.iter().map(brief).collect()
}

fn unmet(result: &ClaimResult) -> Vec<u8> {
    result.evidence.iter().filter(|evidence| evidence.status == Status::Unmet).map(|evidence| evidence.item).collect()
}

/// The table of claims and verdicts, and why.
pub(super) fn table(claims: &[ClaimResult]) -> String {
    if claims.is_empty() {
        return "the config registers no claim".into();
    }
    let mut rows = vec![["claim", "verdict", "effect", "interval", "registered", "seeds", "unmet"].map(String::from)];
    for result in claims {
        let (effect, interval, seeds) = match &result.measured {
            None => ("–".into(), "–".into(), "–".into()),
            Some(measured) => (
                figure(measured.effect),
                format!("{} to {}", figure(measured.interval.0), figure(measured.interval.1)),
                measured.per_seed.len().to_string(),
            ),
        };
        let unmet: Vec<String> = unmet(result).iter().map(u8::to_string).collect();
        let unmet = if unmet.is_empty() { "none".into() } else { unmet.join(",") };
        let registered = format!("≥ {}", figure(result.claim.effect));
        let name = result.claim.name.clone();
        rows.push([name, result.verdict.name().into(), effect, interval, registered, seeds, unmet]);
    }
    let mut text = aligned(&rows);
    for result in claims {
        text += &format!("\n{}: {}", result.claim.name, result.because);
    }
    text
}

/// Columns as wide as their widest cell.
fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        text += cells.join("  ").trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_characters_not_bytes() {
        let rows = [["≥ 1".to_string(), "a".into()], ["22222".into(), "b".into()]];
        assert_eq!(aligned(&rows), "≥ 1    a\n22222  b\n");
    }
}
