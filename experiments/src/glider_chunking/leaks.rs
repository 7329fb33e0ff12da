//! Whether any board was met twice: the world promises disjoint splits up to symmetry; here it is counted.

use std::collections::BTreeSet;

use environments::Split;
use environments::life::{Board, LifeWorld, invariant_hash};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::settings::Settings;

/// Boards looked at, and pairs of equal ones up to translation, rotation and reflection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leaks {
    /// Training boards looked at, those of all seeds evenly.
    pub train: usize,
    /// Boards on which something was fitted or chosen.
    pub validation: usize,
    /// Boards on which something is reported.
    pub test: usize,
    /// Reported boards that are among the training boards.
    pub train_and_test: usize,
    /// Fitted or chosen boards that are among the training boards.
    pub train_and_validation: usize,
    /// Reported boards that are among those fitted or chosen.
    pub validation_and_test: usize,
}

impl Leaks {
    /// Counts. Of the training boards `most` are looked at.
    pub fn count(world: &LifeWorld, settings: &Settings, validation: &[&Board], test: &[&Board], most: u64) -> Self {
        let seeds = settings.training.seeds as u64;
        let each = (most / seeds).min(settings.training.steps * settings.training.batch as u64);
        // Models after the first see boards from 2⁴⁰ on, from 2·2⁴⁰ on, …
        let train: BTreeSet<u64> = (0..seeds * each)
            .into_par_iter()
            .map(|number| invariant_hash(&world.start(Split::Train, ((number / each) << 40) + number % each).board))
            .collect();
        let hashes =
            |boards: &[&Board]| boards.par_iter().map(|board| invariant_hash(board)).collect::<BTreeSet<u64>>();
        let (validation, test) = (hashes(validation), hashes(test));
        Self {
            train: train.len(),
            validation: validation.len(),
            test: test.len(),
            train_and_test: train.intersection(&test).count(),
            train_and_validation: train.intersection(&validation).count(),
            validation_and_test: validation.intersection(&test).count(),
        }
    }

    /// Whether there are none.
    pub fn none(&self) -> bool {
        self.train_and_test + self.train_and_validation + self.validation_and_test == 0
    }

    /// In words.
    pub fn figure(&self) -> String {
        format!(
            "{} different test boards, {} validation boards, {} training boards up to translation, rotation and \
             reflection: {} in both test and training, {} in both validation and training, {} in both validation and \
             test",
            self.test,
            self.validation,
            self.train,
            self.train_and_test,
            self.train_and_validation,
            self.validation_and_test
        )
    }
}
