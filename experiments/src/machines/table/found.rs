//! What was measured, as sums for estimates; the taps and frames that were chosen; the baselines.

use super::Closer;
use super::moments::{Frame, Stratum, entries};
use super::readings::{Belief, Read, Reading, Sets, scored_on};
use super::steering::{Change, Write};
use crate::evidence::Arm;
use crate::evidence::statistics::mean;

/// Everything that was measured.
pub struct Found {
    /// Of each trained model, by source: taps, then the output.
    pub readings: Vec<Vec<Reading>>,
    /// Of one with random weights.
    pub untrained: Vec<Reading>,
    /// Of the context, without a model.
    pub context: Vec<Reading>,
    /// At the chosen taps, by model.
    pub closer: Vec<Closer>,
    /// Compression of entries' labels by the untrained model's activations and by the context.
    pub codes: (Vec<Option<f64>>, Vec<Option<f64>>),
    /// The moments.
    pub sets: Sets,
    /// Names of the taps.
    pub taps: Vec<String>,
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
            table: best(depth - 1, &Reading::entries),
            state: best(depth, &|reading, frame| reading.concepts[frame.state()].choose.unwrap_or(0.0)),
            belief: best(depth, &|reading, frame| reading.beliefs[frame as usize].choose),
        }
    }
}

/// A baseline: readings of some seeds from one source.
pub struct Baseline<'a> {
    /// What it is.
    pub name: String,
    /// By seed.
    pub readings: Vec<&'a Reading>,
}

impl Found {
    pub fn of_tap(&self, tap: usize) -> Vec<&Reading> {
        self.readings.iter().map(|readings| &readings[tap]).collect()
    }

    /// Baselines of a measure: of random weights the tap that scores best on the moments for choosing.
    pub fn baselines(&self, score: &dyn Fn(&Reading) -> f64) -> Vec<Baseline<'_>> {
        let last = self.taps.len();
        let best = (1..last)
            .fold(1, |best, tap| if score(&self.untrained[tap]) > score(&self.untrained[best]) { tap } else { best });
        let mut all = vec![
            Baseline { name: format!("random weights, {}", self.taps[best]), readings: vec![&self.untrained[best]] },
            Baseline { name: "embedding and position".into(), readings: self.of_tap(0) },
            Baseline { name: "the model's own next-step distribution".into(), readings: self.of_tap(last) },
        ];
        all.extend(self.context.iter().map(|r| Baseline { name: r.source.clone(), readings: vec![r] }));
        all
    }

    /// The baseline with the best score on the moments for choosing.
    pub fn strongest<'a>(baselines: &'a [Baseline<'a>], score: &dyn Fn(&Reading) -> f64) -> &'a Baseline<'a> {
        let total = |baseline: &Baseline| mean(&baseline.readings.iter().map(|r| score(r)).collect::<Vec<_>>());
        baselines.iter().fold(&baselines[0], |best, next| if total(next) > total(best) { next } else { best })
    }

    pub fn concepts(&self, frame: Frame) -> Vec<usize> {
        entries(self.sets.concepts.len(), frame).collect()
    }

    /// Hits and moments of concepts where they stand in a way.
    pub fn arm(&self, seeds: &[Vec<(usize, &Read)>], stratum: Stratum, control: bool) -> Arm {
        Arm::new(&seeds.iter().map(|reads| self.sets.tally(reads, stratum, control)).collect::<Vec<_>>())
    }

    pub fn arm_of(&self, concepts: &[usize], readings: &[&Reading], stratum: Stratum) -> Arm {
        let mut seeds: Vec<Vec<(usize, &Read)>> = Vec::new();
        for reading in readings {
            seeds.push(concepts.iter().map(|&concept| (concept, &reading.concepts[concept])).collect());
        }
        self.arm(&seeds, stratum, false)
    }

    /// Of what was read at the chosen taps: some of the entries (and last the state).
    pub fn arm_closer(&self, concepts: &[usize], first: usize, pick: fn(&Closer) -> &Vec<Read>, control: bool) -> Arm {
        let of = |closer: &'_ Closer| -> Vec<(usize, Read)> {
            concepts.iter().zip(&pick(closer)[first..]).map(|(&concept, read)| (concept, read.clone())).collect()
        };
        let kept: Vec<Vec<(usize, Read)>> = self.closer.iter().map(of).collect();
        let seeds: Vec<Vec<(usize, &Read)>> =
            kept.iter().map(|reads| reads.iter().map(|(concept, read)| (*concept, read)).collect()).collect();
        self.arm(&seeds, scored_on(concepts[0]), control)
    }

    pub fn squares(&self, beliefs: &[&Belief]) -> Arm {
        Arm::new(&beliefs.iter().map(|belief| self.sets.squares(belief)).collect::<Vec<_>>())
    }

    /// Seeds × pairs × (gain, loss, damage, 1) of an intervention.
    pub fn writes(&self, write: Write) -> Arm {
        let one = |closer: &Closer| -> Vec<Vec<f64>> {
            closer.changes[write as usize].iter().map(|c| vec![c.gain, c.loss, c.damage, 1.0]).collect()
        };
        Arm::new(&self.closer.iter().map(one).collect::<Vec<_>>())
    }

    pub fn mean_change(&self, write: Write, of: fn(&Change) -> f64) -> f64 {
        let one = |closer: &Closer| mean(&closer.changes[write as usize].iter().map(of).collect::<Vec<_>>());
        mean(&self.closer.iter().map(one).collect::<Vec<_>>())
    }
}
