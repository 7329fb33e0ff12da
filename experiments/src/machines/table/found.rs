//! What was measured, as sums for estimates; the taps and frames that were chosen.

use super::Measured;
use super::moments::{Frame, entries};
use crate::moments::entries::Entries;
use crate::moments::gathered::Gathered;
use crate::moments::readings::Reading;

/// Everything that was measured.
pub struct Found {
    /// What was read, beside the baselines.
    pub read: Gathered,
    /// At the chosen taps, by model.
    pub closer: Vec<Measured>,
    /// Compression of entries' labels by the untrained model's activations and by the context.
    pub codes: (Vec<Option<f64>>, Vec<Option<f64>>),
    /// Taps chosen on validation machines.
    pub chosen: Chosen,
}

/// Taps at which concepts are read, by number, and the frames in which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Between the first block and the last, so that what is edited there can be read by later positions.
    pub table: (usize, Frame),
    /// After any block.
    pub state: (usize, Frame),
    /// After any block.
    pub belief: (usize, Frame),
}

/// How well the entries in a frame are read on the moments for choosing.
pub fn of_entries(reading: &Reading, frame: Frame) -> f64 {
    reading.mean(entries(reading.concepts.len(), frame))
}

impl Chosen {
    /// Tap and frame in which the models' mean score on the moments for choosing is furthest ahead of what the context
    /// gives without a model: what is easy to read in one frame may be so for anyone.
    pub fn new(readings: &[Vec<Reading>], context: &[Reading], depth: usize) -> Self {
        let best = |last: usize, score: &dyn Fn(&Reading, Frame) -> f64| {
            let ahead = |&(tap, frame): &(usize, Frame)| {
                let own =
                    readings.iter().map(|reading| score(&reading[tap], frame)).sum::<f64>() / readings.len() as f64;
                own - context.iter().map(|reading| score(reading, frame)).fold(0.0, f64::max)
            };
            let all = (1..=last).flat_map(|tap| Frame::ALL.map(|frame| (tap, frame)));
            all.reduce(|best, next| if ahead(&next) > ahead(&best) { next } else { best })
                .unwrap_or((1, Frame::Absolute))
        };
        Self {
            table: best(depth - 1, &of_entries),
            state: best(depth, &|reading, frame| reading.concepts[frame.state()].choose.unwrap_or(0.0)),
            belief: best(depth, &|reading, frame| reading.beliefs[frame as usize].choose),
        }
    }
}

impl Found {
    /// The entries in a frame.
    pub fn concepts(&self, frame: Frame) -> Vec<usize> {
        entries(self.read.sets.concepts.len(), frame).collect()
    }

    /// The entries in the chosen frame.
    pub fn entries(&self) -> Entries<'_> {
        let (tap, frame) = self.chosen.table;
        Entries {
            read: &self.read,
            closer: self.closer.iter().map(|closer| &closer.entries).collect(),
            codes: (&self.codes.0, &self.codes.1),
            concepts: entries(self.read.sets.concepts.len(), frame),
            tap,
        }
    }
}
