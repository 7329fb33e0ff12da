//! The probe for the entry in which twins differ: what it says before the entry fires, when it has, at its next use, and of
//! entries that never fire.

use environments::turing::{HELD_BACK, HeadStep, TuringWorld};
use environments::{Draw, Sample, Split, stream};
use models::{Parameters, Plan, Predictor, predictor};
use serde::{Deserialize, Serialize};

use super::super::scores::Runs;
use super::Pair;
use super::pairs::is;
use super::silent::Silent;
use crate::context::RunContext;
use crate::evidence::{Dataset, Fitted, Probe, fit};

/// How an entry is named to a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// By its state's name and its symbol.
    Name,
    /// By its symbol, of the state that the machine is in.
    Here,
}

impl Frame {
    /// Both.
    pub const ALL: [Frame; 2] = [Frame::Name, Frame::Here];

    /// In words.
    pub fn name(self) -> &'static str {
        ["by the state's name", "of the state that it is in"][self as usize]
    }

    /// Number of probes.
    fn count(self, states: usize, symbols: usize) -> usize {
        if self == Frame::Name { states * symbols } else { symbols }
    }

    /// The probe of an entry.
    fn of(self, entry: (u8, u8), symbols: usize) -> usize {
        if self == Frame::Name { usize::from(entry.0) * symbols + usize::from(entry.1) } else { usize::from(entry.1) }
    }
}

/// When an entry is read in a run in which it fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Before the step that uses it first.
    Before,
    /// At the position that holds that step.
    Fired,
    /// Before its next use.
    Next,
}

impl When {
    /// All, in order.
    pub const ALL: [When; 3] = [When::Before, When::Fired, When::Next];

    fn position(self, pair: &Pair) -> usize {
        match self {
            When::Before => pair.fired,
            When::Fired => pair.fired + 1,
            When::Next => pair.uses[0],
        }
    }
}

/// Log odds of what the own machine does at the entry against what its twin does, by a linear probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Readings {
    /// By tap, frame ([`Frame::ALL`]) and time ([`When::ALL`]): of every pair. Nothing is read of the state that the machine
    /// is in when it has just left it.
    pub pairs: Vec<Vec<Vec<Vec<f64>>>>,
    /// By tap and frame: of all twins whose entry never fires.
    pub silent: Vec<Vec<Vec<f64>>>,
}

/// Moments of a run at which probes are fitted, and steps before the first.
const MOMENTS: usize = 3;
const EARLIEST: usize = 6;

/// A row for a probe: run, position, probe by frame, what the entry does (symbol written and move).
type Row = (usize, usize, [Option<usize>; 2], usize);

/// Rows of runs: at some moments, every entry that has fired, but for the one whose step the position holds.
fn rows(runs: &Runs, symbols: usize, address: &[&str]) -> Vec<Row> {
    let mut all = Vec::new();
    for (run, episode) in runs.episodes.iter().enumerate() {
        let mut address = address.to_vec();
        let number = run.to_string();
        address.push(&number);
        let mut chance = stream(&address);
        let span = (episode.steps.len() as u64).saturating_sub(EARLIEST as u64);
        let mut positions: Vec<usize> = match span {
            0 => Vec::new(),
            span => (0..MOMENTS).map(|_| EARLIEST + chance.below(span) as usize).collect(),
        };
        positions.sort_unstable();
        positions.dedup();
        for position in positions {
            let before = &episode.steps[..position];
            let here = episode.steps[position].state;
            let mut entries: Vec<(u8, u8)> = before.iter().map(|step| (step.state, step.token.read)).collect();
            let shown = entries.last().copied();
            entries.sort_unstable();
            entries.dedup();
            for entry in entries.into_iter().filter(|entry| Some(*entry) != shown) {
                let fired = before.iter().find(|step| is(step, entry));
                let Some(act) = fired.map(|step| act(step, symbols)) else { continue };
                let own = (entry.0 == here).then(|| Frame::Here.of(entry, symbols));
                all.push((run, position, [Some(Frame::Name.of(entry, symbols)), own], act));
            }
        }
    }
    all
}

/// The symbol written and the move, as a number.
fn act(step: &HeadStep, symbols: usize) -> usize {
    step.token.index(symbols) % (2 * symbols)
}

/// Activations of places (run, position) of runs, by tap: places × width, and the width.
fn activations(
    model: &dyn Predictor,
    samples: &[Sample],
    places: &[(usize, usize)],
    taps: &[String],
) -> anyhow::Result<(Vec<Vec<f32>>, usize)> {
    const CHUNK: usize = 64;
    let plan = Plan { capture: taps.to_vec(), interventions: Vec::new() };
    let mut all = vec![Vec::new(); taps.len()];
    let mut width = 0;
    let mut places = places.iter().peekable();
    for (chunk, samples) in samples.chunks(CHUNK).enumerate() {
        let tokens: Vec<_> = samples.iter().flat_map(|sample| sample.tokens.iter().copied()).collect();
        let run = model.run(&tokens, &plan)?;
        while let Some(&(sequence, position)) = places.next_if(|place| place.0 / CHUNK == chunk) {
            for (all, captured) in all.iter_mut().zip(&run.captured) {
                width = captured.width;
                all.extend_from_slice(captured.row(sequence % CHUNK, position));
            }
        }
    }
    Ok((all, width))
}

/// What probes are fitted on: runs of training machines on tapes that no training met, and of validation machines.
pub struct Fitting {
    runs: [Runs; 2],
    rows: [Vec<Row>; 2],
}

impl Fitting {
    /// So many runs for fitting and for choosing the penalty.
    pub fn draw(world: &TuringWorld, [fitting, choosing]: [usize; 2], seed: u64) -> Self {
        let runs =
            [Runs::new(world, Split::Train, HELD_BACK, fitting), Runs::new(world, Split::Validation, 0, choosing)];
        let seed = seed.to_string();
        let of = |part: usize| {
            let name = ["fitting", "choosing"][part];
            rows(&runs[part], world.config().symbols, &["evil-twin", &seed, "probe", name])
        };
        Self { rows: [of(0), of(1)], runs }
    }

    /// Fits the probes of a model and reads the entries of all twins, at each tap.
    ///
    /// # Errors
    /// Those of the model; when a stop was asked for.
    pub fn read(
        &self,
        world: &TuringWorld,
        parameters: &Parameters,
        (pairs, silent): (&[Pair], &[Silent]),
        taps: &[String],
        context: &RunContext<'_>,
    ) -> anyhow::Result<Readings> {
        let (states, symbols) = (world.config().states, world.config().symbols);
        let model = predictor(parameters, context.device())?;
        let mut parts = Vec::new();
        for (runs, rows) in self.runs.iter().zip(&self.rows) {
            let places: Vec<(usize, usize)> = rows.iter().map(|row| (row.0, row.1)).collect();
            parts.push(activations(model.as_ref(), &runs.samples, &places, taps)?);
        }
        let samples: Vec<Sample> = pairs.iter().map(|pair| world.sample_of(&pair.own)).collect();
        let mut of_pairs = Vec::new();
        for when in When::ALL {
            let places: Vec<_> = pairs.iter().map(|pair| when.position(pair)).enumerate().collect();
            of_pairs.push(activations(model.as_ref(), &samples, &places, taps)?.0);
        }
        let samples: Vec<Sample> = silent.iter().map(|twins| world.sample_of(&twins.run)).collect();
        let places: Vec<_> = silent.iter().map(|twins| twins.asked).enumerate().collect();
        let of_silent = activations(model.as_ref(), &samples, &places, taps)?.0;
        let width = parts[0].1;
        let mut readings = Readings { pairs: Vec::new(), silent: Vec::new() };
        for (tap, of_silent) in of_silent.iter().enumerate() {
            let (mut by_frame, mut silent_by_frame) = (Vec::new(), Vec::new());
            for frame in Frame::ALL {
                context.check_stop()?;
                let probes: Vec<Option<Fitted>> = (0..frame.count(states, symbols))
                    .map(|number| {
                        let data = |part: usize| {
                            let mut data = Dataset::new(width, 2 * symbols);
                            for (row, features) in self.rows[part].iter().zip(parts[part].0[tap].chunks_exact(width)) {
                                if row.2[frame as usize] == Some(number) {
                                    data.push(features, row.3, row.0);
                                }
                            }
                            data
                        };
                        fit(Probe::Logistic, &data(0), &data(1), &mut stream(&["evil-twin", "unused"]))
                    })
                    .collect();
                let odds = |features: &[f32], entry: (u8, u8), own: usize, twin: usize| {
                    let Some(probe) = &probes[frame.of(entry, symbols)] else { return 0.0 };
                    let mut row = Dataset::new(width, 2 * symbols);
                    row.push(features, 0, 0);
                    let said = probe.predict(&row).log_probabilities;
                    said[own % (2 * symbols)] - said[twin % (2 * symbols)]
                };
                let at = |when: When| -> Vec<f64> {
                    if frame == Frame::Here && when == When::Fired {
                        return Vec::new();
                    }
                    let rows = of_pairs[when as usize][tap].chunks_exact(width).zip(pairs);
                    rows.map(|(row, pair)| odds(row, pair.entry, pair.own_step, pair.twin_step)).collect()
                };
                by_frame.push(When::ALL.map(at).to_vec());
                let rows = of_silent.chunks_exact(width).zip(silent);
                silent_by_frame
                    .push(rows.map(|(row, twins)| odds(row, twins.entry, twins.own_step, twins.twin_step)).collect());
            }
            readings.pairs.push(by_frame);
            readings.silent.push(silent_by_frame);
        }
        Ok(readings)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use environments::turing::TuringConfig;

    use super::*;

    #[test]
    fn rows_say_what_entries_did_and_leave_out_the_step_in_the_token() {
        let world = TuringWorld::new(TuringConfig { length: 24, ..TuringConfig::default() }).unwrap();
        let fitting = Fitting::draw(&world, [40, 10], 1);
        let mut here = 0;
        for &(run, position, probes, act) in &fitting.rows[0] {
            let episode = &fitting.runs[0].episodes[run];
            let probe = probes[0].unwrap();
            let entry = episode.machine.table()[probe].unwrap();
            assert_eq!(
                usize::from(entry.write) * 2 + usize::from(entry.shift == environments::turing::Move::Right),
                act
            );
            let place = |step: &HeadStep| usize::from(step.state) * 2 + usize::from(step.token.read);
            assert!(episode.steps[..position].iter().any(|step| place(step) == probe));
            assert_ne!(place(&episode.steps[position - 1]), probe);
            if let Some(own) = probes[1] {
                assert_eq!((usize::from(episode.steps[position].state), own), (probe / 2, probe % 2));
                here += 1;
            }
        }
        assert!(here > 20 && here < fitting.rows[0].len());
    }
}
