//! Where a run comes from: which code, which versions, which machine. No paths, no names of people or hosts.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use models::Device;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The lock file with which this program was built.
const LOCK_FILE: &str = include_str!("../../Cargo.lock");

/// Crates whose version can bear on a result.
const CRATES: [&str; 8] =
    ["burn", "burn-cuda", "burn-flex", "burn-ndarray", "experiments", "rand_chacha", "rayon", "toml"];

/// `provenance.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The git revision of the source tree, or `unknown`.
    pub revision: String,
    /// Whether tracked files differed from that revision; unknown without git.
    pub dirty: Option<bool>,
    /// SHA-256 of Cargo.lock.
    pub lock_file: String,
    /// Versions of the crates that can bear on a result.
    pub versions: BTreeMap<String, String>,
    /// The device that ran the models.
    pub device: String,
    /// The processor's name for itself, or `unknown`.
    pub processor: String,
    /// Worker threads. They bear on no result.
    pub threads: usize,
    /// Operating system and architecture.
    pub platform: String,
    /// Revisions that worked on this run before this one, oldest first, if it was resumed.
    #[serde(default)]
    pub resumed_from: Vec<String>,
    /// Seconds of the sitting that finished it; absent while it is not finished.
    #[serde(default)]
    pub seconds: Option<u64>,
}

impl Provenance {
    /// That of this process.
    pub fn here(device: Device) -> Self {
        let (revision, dirty) = revision();
        Self {
            revision,
            dirty,
            lock_file: Sha256::digest(LOCK_FILE.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect(),
            versions: versions(LOCK_FILE),
            device: device.name().into(),
            processor: processor(),
            threads: rayon::current_num_threads(),
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            resumed_from: Vec::new(),
            seconds: None,
        }
    }

    /// The revision, marked if it was dirty.
    pub fn shown_revision(&self) -> String {
        let short = self.revision.get(..12).unwrap_or(&self.revision);
        match self.dirty {
            Some(true) => format!("{short} (with changes)"),
            _ => short.into(),
        }
    }
}

/// The revision of the source tree from which this program was built, and whether it was changed since.
fn revision() -> (String, Option<bool>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let git = |arguments: &[&str]| -> Option<String> {
        let mut command = Command::new("git");
        command.arg("-C").arg(&root).args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
        let output = command.output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
    };
    match git(&["rev-parse", "HEAD"]) {
        Some(revision) if !revision.is_empty() => {
            (revision, git(&["status", "--porcelain", "--untracked-files=no"]).map(|changes| !changes.is_empty()))
        }
        _ => ("unknown".into(), None),
    }
}

/// The versions of [`CRATES`] in a lock file.
fn versions(lock: &str) -> BTreeMap<String, String> {
    let mut versions = BTreeMap::new();
    let mut name = "";
    for line in lock.lines() {
        let quoted = |key: &str| line.strip_prefix(key)?.strip_suffix('"');
        if let Some(found) = quoted("name = \"") {
            name = found;
        } else if let Some(version) = quoted("version = \"").filter(|_| CRATES.contains(&name)) {
            versions.insert(name.to_string(), version.to_string());
        }
    }
    versions
}

fn processor() -> String {
    let described = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name =
        described.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name));
    name.unwrap_or("unknown").trim().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_from_the_lock_file() {
        let versions = versions(
            "[[package]]\nname = \"burn\"\nversion = \"0.21.0\"\n\n[[package]]\nname = \"x\"\nversion = \"1\"\n",
        );
        assert_eq!(versions, BTreeMap::from([("burn".to_string(), "0.21.0".to_string())]));
        assert!(super::versions(LOCK_FILE).contains_key("rand_chacha"));
    }

    #[test]
    fn provenance_names_no_path() {
        let text = serde_json::to_string(&Provenance::here(Device::Cpu)).unwrap_or_default();
        assert!(!text.contains(env!("CARGO_MANIFEST_DIR")) && !text.is_empty());
    }
}
