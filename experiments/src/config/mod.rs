//! Configs: one TOML file an experiment.
//!
//! A file holds `experiment`, `seed`, `device`, the sections `[world]`, `[model]`, `[training]`, `[measure]` (each
//! defined by its experiment), registered claims as `[[claim]]`, and tables of overrides `[scale.NAME.SECTION]`.
//! Resolving it applies a scale and the command line's changes and writes every default out, so that a resolved
//! config holds all that fixes a run, and running it again reproduces the run whatever the defaults are by then.
//! Claims are registered in the file: neither a scale nor the command line can change them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, anyhow};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use toml::{Table, Value};

use crate::claims::Claim;
use crate::experiment::{self, Experiment};

mod complaint;
mod merge;
#[cfg(test)]
pub(crate) mod tests;

pub use complaint::nearest;
use complaint::{Source, describe};

/// The scale that is taken if none is named.
pub const DEFAULT_SCALE: &str = "laptop";

/// The sections that an experiment defines, in the order in which they are written.
pub const SECTIONS: [&str; 4] = ["world", "model", "training", "measure"];

/// What the command line changes in a config.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The scale.
    pub scale: Option<String>,
    /// The seed.
    pub seed: Option<u64>,
    /// The device's name.
    pub device: Option<String>,
    /// Changes as `path.to.key=value`, in order.
    pub set: Vec<String>,
}

impl Overrides {
    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A resolved config: everything that fixes a run.
#[derive(Clone, Debug)]
pub struct Config {
    /// The experiment's name.
    pub experiment: String,
    /// The seed from which every stream of chance is derived.
    pub seed: u64,
    /// The device's name as asked for (`auto` until [`Config::pin_device`]).
    pub device: String,
    /// The scale that was applied.
    pub scale: String,
    /// The registered claims.
    pub claims: Vec<Claim>,
    sections: BTreeMap<&'static str, Table>,
    source: Source,
}

impl Config {
    /// Reads, resolves and checks a config file.
    ///
    /// # Errors
    /// In one sentence naming the file, the line where there is one, the key and the nearest valid choice.
    pub fn load(path: &Path, overrides: &Overrides) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::InvalidData => anyhow!("the config {} is not UTF-8 text", path.display()),
            _ => anyhow!("the config {} cannot be read: {error}", path.display()),
        })?;
        Self::parse(&text, &path.display().to_string(), overrides)
    }

    /// Resolves and checks a config's text. `name` stands for the file in messages. The scales that are not asked
    /// for are checked too, so that a mistake in `[scale.gpu]` is found on a laptop.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str, name: &str, overrides: &Overrides) -> anyhow::Result<Self> {
        let config = Self::resolve(text, name, overrides)?;
        for scale in config.source.scales().filter(|scale| *scale != config.scale) {
            Self::resolve(text, name, &Overrides { scale: Some(scale.into()), ..Overrides::default() })?;
        }
        Ok(config)
    }

    fn resolve(text: &str, name: &str, overrides: &Overrides) -> anyhow::Result<Self> {
        let mut source = Source::new(name, text)?;
        let mut table: Table = text.parse().map_err(|error| source.syntax(&error))?;
        let scale = merge::apply_scale(&mut table, overrides.scale.as_deref(), &source)?;
        source.set_scale(&scale);
        for change in &overrides.set {
            merge::set(&mut table, change, &mut source)?;
        }
        let mut config = Self::collect(table, scale, source)?;
        if let Some(seed) = overrides.seed {
            config.seed = seed;
        }
        if i64::try_from(config.seed).is_err() {
            return Err(anyhow!("the seed {} is too large; the largest is {}", config.seed, i64::MAX));
        }
        if let Some(device) = &overrides.device {
            config.device.clone_from(device);
        }
        let names = models::Device::NAMES;
        if !names.contains(&config.device.as_str()) {
            let reason = format!("there is no such device; the nearest is `{}`", nearest(&config.device, names));
            return Err(config.refuse("device", &reason));
        }
        let experiment = config.experiment()?;
        // A world that cannot be is refused here too, before anything is made for a run of it.
        let checked = experiment.complete(&mut config).and_then(|()| experiment.environment(&config).map(drop));
        checked.map_err(|error| config.source.named(error))?;
        for section in SECTIONS {
            if !config.sections.contains_key(section) {
                return Err(config.refuse(section, "this experiment has no such section"));
            }
        }
        Ok(config)
    }

    /// Takes the keys of the file apart.
    fn collect(mut table: Table, scale: String, source: Source) -> anyhow::Result<Self> {
        const KEYS: [&str; 8] = ["experiment", "seed", "device", "scale", "world", "model", "training", "measure"];
        let mut take = |key: &str| table.remove(key);
        let wrong =
            |key: &str, value: &Value, wanted: &str| source.complain(key, &format!("= {value} is not {wanted}"));
        let experiment = match take("experiment") {
            Some(Value::String(name)) => name,
            Some(other) => return Err(wrong("experiment", &other, "the name of an experiment in quotes")),
            None => return Err(source.complain("experiment", "is missing; it names the experiment to run")),
        };
        let seed = match take("seed") {
            Some(Value::Integer(seed)) if seed >= 0 => seed as u64,
            Some(other) => return Err(wrong("seed", &other, "a whole number from 0")),
            None => 1,
        };
        let device = match take("device") {
            Some(Value::String(name)) => name,
            Some(other) => return Err(wrong("device", &other, "the name of a device in quotes")),
            None => "auto".into(),
        };
        let mut sections = BTreeMap::new();
        for section in SECTIONS {
            let content = match take(section) {
                Some(Value::Table(content)) => content,
                Some(other) => return Err(wrong(section, &other, "a table")),
                None => Table::new(),
            };
            sections.insert(section, content);
        }
        let claims = match take("claim") {
            Some(Value::Array(claims)) => claims,
            Some(_) => return Err(source.complain("claim", "is not a list; write [[claim]]")),
            None => Vec::new(),
        };
        if let Some(key) = table.keys().next() {
            let nearest = nearest(key, KEYS.into_iter().chain(["claim"]));
            return Err(source.complain(key, &format!("is not a key of a config; the nearest is `{nearest}`")));
        }
        let mut config = Self { experiment, seed, device, scale, claims: Vec::new(), sections, source };
        for (number, claim) in claims.into_iter().enumerate() {
            let path = format!("claim.{number}");
            let Value::Table(claim) = claim else {
                return Err(config.source.complain(&path, "is not a table; write [[claim]]"));
            };
            let claim: Claim = describe(&config.source, &path, &claim)?;
            let earlier: Vec<&str> = config.claims.iter().map(|claim| claim.name.as_str()).collect();
            claim.validate(&earlier).map_err(|(key, reason)| {
                config.source.complain(&format!("{path}.{key}"), &format!("is wrong: {reason}"))
            })?;
            config.claims.push(claim);
        }
        Ok(config)
    }

    /// The experiment that the config names.
    ///
    /// # Errors
    /// If there is none of that name; the nearest is named.
    pub fn experiment(&self) -> anyhow::Result<&'static dyn Experiment> {
        experiment::find(&self.experiment).map_err(|reason| self.refuse("experiment", &reason))
    }

    /// A section as its type. Called by experiments, on sections that [`Config::complete`] has completed.
    ///
    /// # Errors
    /// For an unknown key, a wrong type or a missing key, in one sentence with file, line, key and nearest choice.
    pub fn section<T: DeserializeOwned>(&self, section: &str) -> anyhow::Result<T> {
        let content = self.sections.get(section).ok_or_else(|| anyhow!("there is no section [{section}]"))?;
        describe(&self.source, section, content)
    }

    /// Parses a section as its type and writes it back with every default filled in.
    ///
    /// # Errors
    /// As [`Config::section`].
    pub fn complete<T: DeserializeOwned + Serialize>(&mut self, section: &str) -> anyhow::Result<T> {
        let parsed: T = self.section(section)?;
        let mut content = Table::try_from(&parsed).with_context(|| format!("section [{section}] cannot be written"))?;
        merge::shorten_floats(&mut content);
        if let Some(slot) = self.sections.get_mut(section) {
            *slot = content;
        }
        // Parsed again, so that what runs is what the written config says, to the last bit.
        self.section(section)
    }

    /// An error about a key, such as `world.width`, for an experiment's own checks: names file, line, key and value.
    pub fn refuse(&self, path: &str, reason: &str) -> anyhow::Error {
        let value = match path.split_once('.') {
            None if path == "device" => Some(Value::String(self.device.clone())),
            None if path == "experiment" => Some(Value::String(self.experiment.clone())),
            None => None,
            Some((section, rest)) => self.sections.get(section).and_then(|table| merge::get(table, rest)).cloned(),
        };
        match value {
            Some(value) => self.source.complain(path, &format!("= {value}: {reason}")),
            None => self.source.complain(path, &format!(": {reason}")),
        }
    }

    /// Fixes the device that `auto` stands for on this machine, so that the config tells what ran.
    pub fn pin_device(&mut self, device: models::Device) {
        self.device = device.name().into();
    }

    /// The resolved config as TOML, in a fixed order. Parsing it gives this config again.
    pub fn to_toml(&self) -> String {
        let mut table = Table::new();
        table.insert("experiment".into(), Value::String(self.experiment.clone()));
        table.insert("seed".into(), Value::Integer(self.seed as i64));
        table.insert("device".into(), Value::String(self.device.clone()));
        table.insert("scale".into(), Value::String(self.scale.clone()));
        for section in SECTIONS {
            table.insert(section.into(), Value::Table(self.sections.get(section).cloned().unwrap_or_default()));
        }
        let claims = self.claims.iter().filter_map(|claim| Value::try_from(claim).ok()).collect();
        table.insert("claim".into(), Value::Array(claims));
        table.to_string()
    }

    /// Eight hexadecimal digits that name this config and seed.
    pub fn short_hash(&self) -> String {
        Sha256::digest(self.to_toml().as_bytes())[..4].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The name of the run: `<experiment>-<short hash>`.
    pub fn run_name(&self) -> String {
        format!("{}-{}", self.experiment, self.short_hash())
    }
}
