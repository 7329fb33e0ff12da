//! What was measured of rules, and the choices that were made on validation rules.

use std::ops::Range;

use environments::elementary::ElementaryWorld;

use super::context::Paid;
use super::pairs::Pair;
use super::{Measure, Stand, Swapped};
use crate::inference;
use crate::moments::entries::{Closer, Entries};
use crate::moments::gathered::Gathered;
use crate::moments::readings::Reading;
use crate::swaps::{Changes, Swaps};

/// Everything that was measured.
pub struct Found {
    /// What prediction costs.
    pub inferred: inference::Found,
    /// On test rules.
    pub test: Paid,
    /// On all rules that no model was trained on.
    pub held_out: Paid,
    /// What was read, beside the baselines.
    pub read: Gathered,
    /// At the chosen tap, by model.
    pub closer: Vec<Closer>,
    /// Compression of entries' labels by the untrained model's activations and by the best of the context.
    pub codes: (Vec<Option<f64>>, Vec<Option<f64>>),
    /// The entries among the concepts.
    pub entries: Range<usize>,
    /// The tap at which entries are read.
    pub tap: usize,
    /// Transplants, by model.
    pub swapped: Vec<Swapped>,
    /// With random weights.
    pub untrained_swaps: Changes,
    /// Where models stood at their checkpoints.
    pub curves: Vec<Vec<Stand>>,
    /// Pairs of rules for choosing.
    pub choosing: Vec<Pair>,
    /// And for reporting.
    pub reported: Vec<Pair>,
    /// The world.
    pub world: ElementaryWorld,
    /// What was asked for.
    pub measure: Measure,
}

/// The tap between the first block and the last at which models read the entries best on the moments for choosing.
pub fn best_tap(readings: &[Vec<Reading>], entries: Range<usize>) -> usize {
    let score = |tap: usize| readings.iter().map(|reading| reading[tap].mean(entries.clone())).sum::<f64>();
    // The last is the output, and the one before it the last block.
    let last = readings.first().map_or(0, Vec::len).saturating_sub(2);
    (1..last).reduce(|best, next| if score(next) > score(best) { next } else { best }).unwrap_or(1)
}

/// The source from which entries are read best on the moments for choosing.
pub fn best_source(told: &[Reading], entries: Range<usize>) -> usize {
    let score = |source: usize| told[source].mean(entries.clone());
    (0..told.len()).fold(0, |best, next| if score(next) > score(best) { next } else { best })
}

impl Found {
    /// The entries, at the chosen tap.
    pub fn table(&self) -> Entries<'_> {
        Entries {
            read: &self.read,
            closer: self.closer.iter().collect(),
            codes: (&self.codes.0, &self.codes.1),
            concepts: self.entries.clone(),
            tap: self.tap,
        }
    }

    /// The transplants.
    pub fn swaps(&self) -> Swaps<'_> {
        Swaps {
            patches: &super::swap::PATCHES,
            taps: &self.read.taps,
            choosing: self.swapped.iter().map(|of| &of.choosing).collect(),
            reported: self.swapped.iter().map(|of| &of.reported).collect(),
            untrained: &self.untrained_swaps,
            clusters: super::moments::class_numbers(self.reported.iter().map(|pair| pair.own.rule)),
        }
    }
}
