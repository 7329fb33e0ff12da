//! A run directory: what is in it, and how it is written without ever leaving half a file.
//!
//! `config.toml` (resolved), `provenance.json`, `metrics.jsonl`, `checkpoints/MODEL/step-NNNNNNNN.safetensors`,
//! `stages/` (what finished stages computed, so that an interrupted run goes on after them), `probes.json`, `report.json` (the report's text and figures as
//! data), `figures/`, `report.html`, and last of all `claims.json`: a run is finished when that is there.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::claims::ClaimsFile;
use crate::config::{Config, Overrides, nearest};
use crate::experiment::Section;
use crate::provenance::Provenance;

#[cfg(test)]
mod tests;

/// The folder in which runs are made and looked up.
pub const RUNS: &str = "runs";

/// A record of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// The model's name.
    pub model: String,
    /// Optimiser steps done.
    pub step: u64,
    /// Mean loss since the record before, in nats a scored position.
    pub loss: f32,
    /// The learning rate of the last of these steps.
    pub learning_rate: f32,
    /// Tokens seen so far.
    pub tokens: u64,
}

/// A model's weights at a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The model's name.
    pub model: String,
    /// Optimiser steps done.
    pub step: u64,
    /// The safetensors file; read with `models::load_parameters`.
    pub path: PathBuf,
}

/// A run directory, for reading and, with a [`RunLock`], for writing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDirectory {
    path: PathBuf,
}

/// Held while a process writes a run. The system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

impl RunDirectory {
    /// Makes the directory of a run, or takes up the one that an earlier process left, and locks it.
    ///
    /// # Errors
    /// If the folder holds something else, or another config's run, or is locked by a living process, or cannot be
    /// written.
    pub fn begin(path: &Path, config: &Config) -> anyhow::Result<(Self, RunLock)> {
        let shown = path.display();
        if path.exists() && !path.is_dir() {
            return Err(anyhow!("{shown} is a file; a run needs a folder"));
        }
        let resolved = config.to_toml();
        let run = Self { path: path.into() };
        match run.read_if_there("config.toml")? {
            Some(text) if text == resolved => {}
            Some(_) => {
                return Err(anyhow!(
                    "{shown} holds a run of another config or seed, or of another version of this program; choose \
                     another folder with --out, or remove it"
                ));
            }
            None => {
                let entries = fs::read_dir(path).map(|entries| entries.flatten().count()).unwrap_or(0);
                let own = [".lock", "config.toml.part"].iter().filter(|name| path.join(name).exists()).count();
                if entries > own {
                    return Err(anyhow!("{shown} has files in it and is not a run; choose another folder with --out"));
                }
            }
        }
        fs::create_dir_all(path).map_err(|error| cannot_write(path, &error))?;
        let lock = run.lock()?;
        if !run.file("config.toml").exists() {
            run.write("config.toml", resolved.as_bytes())?;
        }
        Ok((run, lock))
    }

    /// Locks the run for writing.
    ///
    /// # Errors
    /// If another process writes it.
    pub fn lock(&self) -> anyhow::Result<RunLock> {
        let path = self.file(".lock");
        let file =
            OpenOptions::new().create(true).append(true).open(&path).map_err(|error| cannot_write(&path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(RunLock { _file: file }),
            Err(fs::TryLockError::WouldBlock) => {
                Err(anyhow!("{} is being written by another process; wait for it or stop it", self.path.display()))
            }
            Err(fs::TryLockError::Error(error)) => Err(cannot_write(&path, &error)),
        }
    }

    /// Opens a run by its path, or by its name under `runs/`.
    ///
    /// # Errors
    /// If there is no such run (the nearest is named), or the folder is no run.
    pub fn find(run: &str) -> anyhow::Result<Self> {
        let given = Path::new(run);
        let candidates = [given.to_path_buf(), Path::new(RUNS).join(run)];
        if let Some(path) = candidates.iter().find(|path| path.is_dir()) {
            return Self::open(path);
        }
        if given.is_file() {
            return Err(anyhow!("{run} is a file; a run is a folder such as those under {RUNS}/"));
        }
        let mut names: Vec<String> = fs::read_dir(RUNS)
            .map(|entries| entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
            .unwrap_or_default();
        names.sort();
        let wanted = given.file_name().map_or(run.into(), |name| name.to_string_lossy().into_owned());
        match nearest(&wanted, names.iter().map(String::as_str)).as_str() {
            "" => Err(anyhow!("there is no run {run}, and none under {RUNS}/; `stance run CONFIG` makes one")),
            nearest => Err(anyhow!("there is no run {run}; the nearest is {RUNS}/{nearest}")),
        }
    }

    /// Opens a run's folder.
    ///
    /// # Errors
    /// If it is not one.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        if !path.join("config.toml").is_file() {
            return Err(anyhow!("{} is not a run: it has no config.toml", path.display()));
        }
        Ok(Self { path: path.into() })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder's name.
    pub fn name(&self) -> String {
        self.path.file_name().map_or_else(|| self.path.display().to_string(), |name| name.to_string_lossy().into())
    }

    /// A file in it.
    pub fn file(&self, relative: &str) -> PathBuf {
        self.path.join(relative)
    }

    /// Whether everything is there.
    pub fn is_finished(&self) -> bool {
        self.file("claims.json").is_file()
    }

    /// The resolved config.
    ///
    /// # Errors
    /// If it cannot be read or this version of the program does not know a key of it.
    pub fn config(&self) -> anyhow::Result<Config> {
        Config::load(&self.file("config.toml"), &Overrides::default())
    }

    /// What ran it.
    ///
    /// # Errors
    /// If the file is missing or ill-formed.
    pub fn provenance(&self) -> anyhow::Result<Provenance> {
        self.json("provenance.json")
    }

    /// The judged claims.
    ///
    /// # Errors
    /// If the run is not finished or the file is ill-formed.
    pub fn claims(&self) -> anyhow::Result<ClaimsFile> {
        self.json("claims.json")
    }

    /// Every measurement.
    ///
    /// # Errors
    /// If the run is not finished or the file is ill-formed.
    pub fn probes(&self) -> anyhow::Result<serde_json::Value> {
        self.json("probes.json")
    }

    /// The report's sections, figures as data.
    ///
    /// # Errors
    /// If the run is not finished or the file is ill-formed.
    pub fn sections(&self) -> anyhow::Result<Vec<Section>> {
        self.json("report.json")
    }

    /// The training records, in the order in which they were made. Half a line at the end, as a killed process
    /// leaves it, is left out.
    ///
    /// # Errors
    /// If the file cannot be read or a line is ill-formed.
    pub fn metrics(&self) -> anyhow::Result<Vec<Metric>> {
        let Some(text) = self.read_if_there("metrics.jsonl")? else { return Ok(Vec::new()) };
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        let parse = |(number, line): (usize, &str)| {
            serde_json::from_str(line)
                .map_err(|error| anyhow!("{}, line {}: {error}", self.file("metrics.jsonl").display(), number + 1))
        };
        whole.lines().enumerate().map(parse).collect()
    }

    /// All checkpoints, by model and step.
    pub fn checkpoints(&self) -> Vec<Checkpoint> {
        let list = |path: PathBuf| {
            let mut entries: Vec<PathBuf> = fs::read_dir(path)
                .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
                .unwrap_or_default();
            entries.sort();
            entries
        };
        let mut found = Vec::new();
        for folder in list(self.file("checkpoints")) {
            let Some(model) = folder.file_name().map(|name| name.to_string_lossy().into_owned()) else { continue };
            for path in list(folder) {
                let step = path
                    .file_name()
                    .and_then(|name| name.to_str())
                    .and_then(|name| name.strip_prefix("step-")?.strip_suffix(".safetensors")?.parse().ok());
                if let Some(step) = step {
                    found.push(Checkpoint { model: model.clone(), step, path });
                }
            }
        }
        found
    }

    fn json<T: DeserializeOwned>(&self, name: &str) -> anyhow::Result<T> {
        let path = self.file(name);
        let Some(text) = self.read_if_there(name)? else {
            return Err(if self.is_finished() {
                anyhow!("{} is missing", path.display())
            } else {
                anyhow!(
                    "the run {0} is not finished: it has no {name} yet; `stance run --resume {0}` goes on with it",
                    self.path.display()
                )
            });
        };
        serde_json::from_str(&text).map_err(|error| anyhow!("{} is ill-formed: {error}", path.display()))
    }

    /// The text of a file, or nothing if there is none.
    ///
    /// # Errors
    /// If there is one and it cannot be read.
    pub fn read_if_there(&self, relative: &str) -> anyhow::Result<Option<String>> {
        let path = self.file(relative);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(anyhow!("{} cannot be read: {error}", path.display())),
        }
    }

    /// Makes a folder in it.
    ///
    /// # Errors
    /// If that fails.
    pub fn make_folder(&self, relative: &str) -> anyhow::Result<PathBuf> {
        let path = self.file(relative);
        fs::create_dir_all(&path).map_err(|error| cannot_write(&path, &error))?;
        Ok(path)
    }

    /// Writes a file aside, brings it to the disk and puts it in place: it is there as a whole or not at all.
    ///
    /// # Errors
    /// If that fails; nothing is left under the name.
    pub fn write(&self, relative: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.file(relative);
        let aside = self.file(&format!("{relative}.part"));
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| cannot_write(parent, &error))?;
        }
        let written = File::create(&aside)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&aside, &path));
        written.map_err(|error| {
            let _ = fs::remove_file(&aside);
            cannot_write(&path, &error)
        })
    }

    /// Writes a value as JSON with sorted keys and a line break at the end.
    ///
    /// # Errors
    /// If that fails.
    pub fn write_json(&self, relative: &str, value: &impl Serialize) -> anyhow::Result<()> {
        // Through a value, whose keys are sorted, so that the order of a struct's fields is not part of the format.
        let value = serde_json::to_value(value).with_context(|| format!("{relative} cannot be written as JSON"))?;
        let mut text = serde_json::to_string_pretty(&value)?;
        text.push('\n');
        self.write(relative, text.as_bytes())
    }

    /// Adds a record to `metrics.jsonl`.
    ///
    /// # Errors
    /// If that fails.
    pub fn append_metric(&self, metric: &Metric) -> anyhow::Result<()> {
        let path = self.file("metrics.jsonl");
        let mut line = serde_json::to_string(metric)?;
        line.push('\n');
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(line.as_bytes()))
            .map_err(|error| cannot_write(&path, &error))
    }

    /// Takes a model's records after a step out of `metrics.jsonl`, and half a line at its end.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn drop_metrics(&self, model: &str, after: u64) -> anyhow::Result<()> {
        let Some(text) = self.read_if_there("metrics.jsonl")? else { return Ok(()) };
        let kept: Vec<Metric> =
            self.metrics()?.into_iter().filter(|metric| metric.model != model || metric.step <= after).collect();
        let mut lines = String::new();
        for metric in &kept {
            lines.push_str(&serde_json::to_string(metric)?);
            lines.push('\n');
        }
        if lines == text { Ok(()) } else { self.write("metrics.jsonl", lines.as_bytes()) }
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> anyhow::Error {
    anyhow!("{} cannot be written: {error}", path.display())
}
