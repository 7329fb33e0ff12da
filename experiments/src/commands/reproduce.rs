//! `stance reproduce NAME|all`: recomputes recorded results and compares them, figure by figure.
//!
//! A record is a folder of four files: the `config.toml`, `claims.json` and `provenance.json` of the run that it was made
//! from, and `tolerance.json`.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;
use models::Device;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::output::Output;
use super::run;
use crate::claims::{ClaimResult, ClaimsFile, figure};
use crate::config::{Config, Overrides, nearest};
use crate::progress::Progress;
use crate::provenance::Provenance;
use crate::run_directory::{RUNS, RunDirectory};

/// Arguments of `stance reproduce`.
#[derive(Args)]
pub struct ReproduceArgs {
    /// The record, by its name, or `all`.
    #[arg(required_unless_present = "record")]
    name: Option<String>,
    /// The folder of records.
    #[arg(long, value_name = "DIR", default_value = "experiments/results")]
    results: PathBuf,
    /// Where models run; without it, where they ran when the result was recorded.
    #[arg(long)]
    device: Option<String>,
    /// Record a finished run, by its path or its name under runs/, under the name of its experiment.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["name", "device"])]
    record: Option<String>,
}

/// How far a figure may lie from the recorded one.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tolerance {
    /// On the device of the record.
    same_device: f64,
    /// On any other.
    other_devices: f64,
}

impl Tolerance {
    /// The CPU engine gives the same bits on any machine, so what is left is how numbers are written. On other devices
    /// training takes another course, and a figure may lie where another seed's would.
    const OF_CPU: Tolerance = Tolerance { same_device: 1e-9, other_devices: 0.05 };
}

/// Runs the command.
///
/// # Errors
/// In one sentence, for a person; also when a figure is off.
pub fn run(args: ReproduceArgs, output: &Output) -> anyhow::Result<()> {
    if let Some(run) = &args.record {
        return record(run, &args.results, output);
    }
    let names = records(&args.results)?;
    let asked = args.name.unwrap_or_default();
    let chosen: Vec<&String> = names.iter().filter(|name| asked == "all" || **name == asked).collect();
    if chosen.is_empty() {
        let nearest = nearest(&asked, names.iter().map(String::as_str).chain(["all"]));
        anyhow::bail!("there is no record `{asked}` in {}; the nearest is `{nearest}`", args.results.display());
    }
    let (mut rows, mut off) = (Vec::new(), Vec::new());
    for name in chosen {
        let folder = args.results.join(name);
        let again = recompute(&folder, args.device.as_deref(), Progress::choose(output.json))?;
        let recorded: ClaimsFile = read(&folder.join("claims.json"))?;
        let tolerance: Tolerance = read(&folder.join("tolerance.json"))?;
        let provenance: Provenance = read(&folder.join("provenance.json"))?;
        let same = again.1.name() == provenance.device;
        let tolerance = if same { tolerance.same_device } else { tolerance.other_devices };
        for claim in &recorded.claims {
            let now = again.0.claims.iter().find(|now| now.claim.name == claim.claim.name);
            let wrong =
                now.map_or_else(|| Some("is not measured any more".into()), |now| differs(claim, now, tolerance));
            if let Some(wrong) = &wrong {
                off.push(format!("{name}: `{}` {wrong}", claim.claim.name));
            }
            rows.push((name.clone(), claim.clone(), now.cloned(), wrong));
        }
    }
    let listed = rows.iter().map(|(name, recorded, now, wrong)| {
        json!({
            "record": name,
            "claim": recorded.claim.name,
            "recorded": brief(recorded),
            "now": now.as_ref().map(brief),
            "agrees": wrong.is_none(),
        })
    });
    let value = json!({ "agrees": off.is_empty(), "claims": listed.collect::<Vec<Value>>() });
    output.print(&value, || {
        let line = |(name, recorded, now, wrong): &(String, ClaimResult, Option<ClaimResult>, Option<String>)| {
            let told = |claim: &ClaimResult| match &claim.measured {
                Some(measured) => format!("{} {}", figure(measured.effect), claim.verdict.name()),
                None => claim.verdict.name().to_string(),
            };
            let now = now.as_ref().map_or_else(|| "–".into(), told);
            let verdict = if wrong.is_none() { "agrees" } else { "IS OFF" };
            format!("{name:<20} {:<14} {:<24} {now:<24} {verdict}\n", recorded.claim.name, told(recorded))
        };
        let head = format!("{:<20} {:<14} {:<24} {:<24}\n", "record", "claim", "recorded", "now");
        head + &rows.iter().map(line).collect::<String>()
    })?;
    match off.as_slice() {
        [] => Ok(()),
        off => Err(anyhow!("{}", off.join("; "))),
    }
}

fn brief(claim: &ClaimResult) -> Value {
    let measured = claim.measured.as_ref();
    json!({
        "verdict": claim.verdict.name(),
        "effect": measured.map(|measured| measured.effect),
        "interval": measured.map(|measured| measured.interval),
    })
}

/// In which way a figure is off, if it is.
fn differs(recorded: &ClaimResult, now: &ClaimResult, tolerance: f64) -> Option<String> {
    let (before, after) = match (&recorded.measured, &now.measured) {
        (Some(before), Some(after)) => (before, after),
        (None, None) => return None,
        _ => return Some("was measured in one of the two only".into()),
    };
    let pairs = [
        ("effect", before.effect, after.effect),
        ("interval's low end", before.interval.0, after.interval.0),
        ("interval's high end", before.interval.1, after.interval.1),
    ];
    for (what, before, after) in pairs {
        if (before - after).abs() > tolerance {
            return Some(format!("has {what} {}, recorded {} (tolerance {tolerance})", figure(after), figure(before)));
        }
    }
    // Within a tolerance that is wider than rounding, a verdict may tip.
    (tolerance < 1e-6 && recorded.verdict != now.verdict)
        .then(|| format!("is {}, recorded {}", now.verdict.name(), recorded.verdict.name()))
}

/// The names of all records, sorted.
fn records(results: &Path) -> anyhow::Result<Vec<String>> {
    let entries = std::fs::read_dir(results).with_context(|| {
        format!("the records in {} cannot be read (name their folder with --results)", results.display())
    })?;
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().join("claims.json").exists())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    Ok(names)
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not what a record holds", path.display()))
}

/// Runs a record's config again, or takes up the run that did.
fn recompute(folder: &Path, device: Option<&str>, progress: Progress) -> anyhow::Result<(ClaimsFile, Device)> {
    let overrides = Overrides { device: device.map(String::from), ..Overrides::default() };
    let mut config = Config::load(&folder.join("config.toml"), &overrides)?;
    let device = Device::resolve(&config.device)?;
    config.pin_device(device);
    let path = Path::new(RUNS).join(config.run_name());
    let directory = run::to_the_end(&config, &path, device, progress)?.0;
    Ok((directory.claims()?, device))
}

fn record(run: &str, results: &Path, output: &Output) -> anyhow::Result<()> {
    let directory = RunDirectory::find(run)?;
    if !directory.is_finished() {
        anyhow::bail!("{} is not finished; `stance run --resume {run}` goes on with it", directory.path().display());
    }
    let provenance = directory.provenance()?;
    let folder = results.join(&directory.config()?.experiment);
    std::fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let put = |file: &str, text: &str| -> anyhow::Result<()> {
        let path = folder.join(file);
        let aside = folder.join(format!(".{file}.aside"));
        std::fs::write(&aside, text)
            .and_then(|()| std::fs::rename(&aside, &path))
            .with_context(|| format!("{} cannot be written", path.display()))
    };
    for file in ["config.toml", "claims.json", "provenance.json"] {
        put(file, &directory.read_if_there(file)?.unwrap_or_default())?;
    }
    put("tolerance.json", &(serde_json::to_string_pretty(&Tolerance::OF_CPU)? + "\n"))?;
    let value = json!({ "record": folder.display().to_string(), "revision": provenance.shown_revision() });
    output.print(&value, || format!("recorded in {}", folder.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::claims::{Claim, Finding, Measured, judge};

    fn result(effect: f64) -> ClaimResult {
        let claim: Claim = toml::from_str(
            "name = \"a\"\nstatement = \"s\"\nmeasure = \"m\"\ncomparison = \"c\"\neffect = 0.1\nrefuter = \"r\"",
        )
        .unwrap();
        let measured = Measured {
            effect,
            interval: (effect - 0.1, effect + 0.1),
            confidence: 0.95,
            per_seed: vec![effect; 5],
            method: "none".into(),
            unit: "none".into(),
            p: None,
            refuter: None,
        };
        let finding = Finding { claim: "a".into(), measured: Some(measured), evidence: Vec::new() };
        judge(&[claim], &[finding]).remove(0)
    }

    #[test]
    fn a_figure_is_off_beyond_its_tolerance_only() {
        assert_eq!(differs(&result(0.3), &result(0.3), 1e-9), None);
        assert_eq!(differs(&result(0.3), &result(0.34), 0.05), None);
        let wrong = differs(&result(0.3), &result(0.36), 0.05).unwrap();
        assert!(wrong.contains("0.360") && wrong.contains("0.300"), "{wrong}");
        let lost = ClaimResult { measured: None, ..result(0.3) };
        assert!(differs(&result(0.3), &lost, 0.05).is_some());
    }
}
