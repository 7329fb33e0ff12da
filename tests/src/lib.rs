//! What crosses crates. The tests are in `tests/`; this library holds what they share.

use std::path::{Path, PathBuf};

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All files below a folder of the workspace with an ending, in order, with their text.
///
/// # Panics
/// If one cannot be read.
pub fn files(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == ending) {
                let text = std::fs::read_to_string(&path);
                found.push((path.clone(), text.unwrap_or_else(|error| panic!("{}: {error}", path.display()))));
            }
        }
    }
    found.sort();
    found
}
