//! What a world of sources is made of, as a person writes it.

use serde::{Deserialize, Serialize};

use super::tasks::Task;
use crate::EnvironmentError;
use crate::ground::within;

/// The kind of source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Every symbol drawn alike; Bayes is the KT estimator.
    Memoryless,
    /// A distribution for every context of `order` symbols; Bayes is the Markov chain of KT estimators.
    Markov,
    /// A distribution for every leaf of a random context tree of depth up to `order`, each node of which branches with
    /// probability one half (Willems, Shtarkov and Tjalkens 1995); Bayes is context-tree weighting.
    Tree,
    /// Inputs of a task with their answers.
    Task,
}

/// A world of sources. Every key has a default; an unknown key is an error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourcesConfig {
    /// The kind of source. Default tree.
    pub kind: Kind,
    /// Symbols of a source; tasks have their own. Default 2.
    pub symbols: usize,
    /// Order of Markov sources, depth of trees. Default 3.
    pub order: usize,
    /// The task, where that is the kind. Default reverse-string.
    pub task: Task,
    /// Symbols of an episode; of a task, of the longest input. Default 128.
    pub length: usize,
    /// Chooses other episodes. Default 0.
    pub seed: u64,
}

impl Default for SourcesConfig {
    fn default() -> Self {
        SourcesConfig { kind: Kind::Tree, symbols: 2, order: 3, task: Task::ReverseString, length: 128, seed: 0 }
    }
}

impl SourcesConfig {
    /// Checks the values.
    ///
    /// # Errors
    /// In one sentence that names the key.
    pub fn validate(&self) -> Result<(), EnvironmentError> {
        let shortest = if self.kind == Kind::Task { self.task.shortest() } else { 1 };
        within(&[
            ("symbols", self.symbols as u64, 2, 64),
            ("order", self.order as u64, 0, 12),
            ("length", self.length as u64, shortest as u64, 2048),
        ])?;
        let contexts = self.symbols.checked_pow(self.order as u32).filter(|&contexts| contexts <= 1 << 20);
        if contexts.is_none() && matches!(self.kind, Kind::Markov | Kind::Tree) {
            return Err(EnvironmentError(format!(
                "order = {} with {} symbols makes more contexts than {}; take a smaller one",
                self.order,
                self.symbols,
                1 << 20
            )));
        }
        Ok(())
    }
}
