//! The world `hidden`: sequences of a small hidden Markov process, on which the belief of an ideal observer is a point of
//! a simplex and known exactly.
//!
//! **Tokens.** An episode is `length + 1` symbols of the process in its stationary state; position t holds symbol t and is
//! to predict symbol t + 1. Nothing tells where the process began.
//!
//! **Splits.** By the first `novel` symbols: from position `novel − 1` on, no context of one split occurs in another.
//! Beginnings more than [`COMMON`] times as likely as the mean one are of training: held out, a single one (a symbol said
//! over and over) would be a large part of the process that training never shows, and most of what is tested.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ground::{check_shares, fingerprint, split_by, within};
use crate::stream::{Draw, Stream, stream};
use crate::{
    Address, Column, Edit, Environment, EnvironmentError, Episode, Geometry, Labels, Sample, Scene, Scope, Split,
    Symbol,
};

/// How many times likelier than the mean beginning one is that is always of training.
const COMMON: f64 = 4.0;

/// The process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Process {
    /// Three states, three symbols (Marzen & Crutchfield 2017): a state is kept but for a probability of x for each other
    /// one, and the state that is come to shows its own symbol with probability a. Beliefs lie on a fractal.
    Mess3,
    /// Random, random, exclusive or: two fair bits and their exclusive or, again and again; five states (Shai et al. 2024).
    /// Many beliefs predict the same next symbol.
    Rrxor,
}

/// A world of a hidden Markov process. Every key has a default; an unknown key is an error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HiddenConfig {
    /// The process. Default mess3.
    pub process: Process,
    /// Of mess3: the probability of going to each other state. Default .05, as in Shai et al. 2024.
    pub x: f64,
    /// Of mess3: the probability of a state's own symbol. Default .85, likewise.
    pub a: f64,
    /// Symbols that a model sees. Default 10.
    pub length: usize,
    /// Symbols at the beginning by which episodes are split; at most `length`. Default 7.
    pub novel: usize,
    /// Shares of training, validation and test among beginnings. Default 8, 1, 1.
    pub shares: [u32; 3],
    /// Chooses other episodes. Default 0.
    pub seed: u64,
}

impl Default for HiddenConfig {
    fn default() -> Self {
        Self { process: Process::Mess3, x: 0.05, a: 0.85, length: 10, novel: 7, shares: [8, 1, 1], seed: 0 }
    }
}

/// The world `hidden`.
#[derive(Clone, Debug)]
pub struct HiddenWorld {
    config: HiddenConfig,
    fingerprint: String,
    /// `joint[symbol][from][to]`: probability of going there and showing the symbol.
    joint: Vec<Vec<Vec<f64>>>,
    stationary: Vec<f64>,
    /// Beginnings likelier than this are of training.
    common: f64,
}

/// A sequence with what made it.
#[derive(Clone, Debug, PartialEq)]
pub struct HiddenEpisode {
    /// Where it comes from.
    pub address: Address,
    /// `length + 1` symbols.
    pub symbols: Vec<Symbol>,
    /// The state after each symbol.
    pub states: Vec<usize>,
    /// The belief after each symbol that a model sees: `length` distributions over states.
    pub beliefs: Vec<Vec<f64>>,
}

impl HiddenWorld {
    /// A world.
    ///
    /// # Errors
    /// One sentence that names the key and value at fault.
    pub fn new(config: HiddenConfig) -> Result<HiddenWorld, EnvironmentError> {
        within(&[("length", config.length as u64, 2, 256), ("novel", config.novel as u64, 1, 10)])?;
        check_shares(config.shares)?;
        if config.novel > config.length {
            let HiddenConfig { novel, length, .. } = config;
            return Err(EnvironmentError(format!(
                "novel = {novel} is more than length = {length}; the nearest is {length}"
            )));
        }
        for (key, value, most) in [("x", config.x, 0.5), ("a", config.a, 1.0)] {
            if !(0.0..=most).contains(&value) {
                return Err(EnvironmentError(format!("{key} = {value} is outside 0 to {most}")));
            }
        }
        let (joint, stationary) = match config.process {
            Process::Mess3 => (mess3(config.x, config.a), vec![1.0 / 3.0; 3]),
            Process::Rrxor => (rrxor(), vec![1.0 / 3.0, 1.0 / 6.0, 1.0 / 6.0, 1.0 / 6.0, 1.0 / 6.0]),
        };
        let fingerprint = fingerprint("hidden 1", &config);
        let mut world = HiddenWorld { fingerprint, config, joint, stationary, common: 1.0 };
        let words = world.words(world.config.novel);
        world.common = COMMON / words.len() as f64;
        let mut met = [false; 3];
        for word in words {
            met[world.split_of(&word) as usize] = true;
        }
        if met.contains(&false) {
            let novel = world.config.novel;
            return Err(EnvironmentError(format!(
                "novel = {novel} makes too few beginnings for shares = {:?}; take a larger one",
                world.config.shares
            )));
        }
        Ok(world)
    }

    /// The configuration.
    pub fn config(&self) -> &HiddenConfig {
        &self.config
    }

    /// Number of hidden states.
    pub fn states(&self) -> usize {
        self.stationary.len()
    }

    /// Number of symbols.
    pub fn symbols(&self) -> usize {
        self.joint.len()
    }

    /// The belief after some symbols of the stationary process: the distribution over states given them.
    pub fn belief(&self, symbols: &[Symbol]) -> Vec<f64> {
        symbols.iter().fold(self.stationary.clone(), |belief, &symbol| self.after(&belief, symbol))
    }

    /// The probability of each symbol to come next under a belief.
    pub fn next(&self, belief: &[f64]) -> Vec<f64> {
        let of = |rows: &Vec<Vec<f64>>| belief.iter().zip(rows).map(|(p, row)| p * row.iter().sum::<f64>()).sum();
        self.joint.iter().map(of).collect()
    }

    /// The probability of a beginning.
    fn probability(&self, symbols: &[Symbol]) -> f64 {
        let mut belief = self.stationary.clone();
        symbols.iter().fold(1.0, |product, &symbol| {
            let probability = self.next(&belief)[usize::from(symbol)];
            belief = self.after(&belief, symbol);
            product * probability
        })
    }

    /// Bayes's rule: the belief after one more symbol. A symbol that cannot come leaves the belief as it was.
    fn after(&self, belief: &[f64], symbol: Symbol) -> Vec<f64> {
        let rows = &self.joint[usize::from(symbol)];
        let to = |to: usize| belief.iter().zip(rows).map(|(p, row)| p * row[to]).sum::<f64>();
        let next: Vec<f64> = (0..belief.len()).map(to).collect();
        let total: f64 = next.iter().sum();
        if total > 0.0 { next.into_iter().map(|p| p / total).collect() } else { belief.to_vec() }
    }

    /// All words of a length that the process can show.
    fn words(&self, length: usize) -> Vec<Vec<Symbol>> {
        let mut all = vec![(Vec::new(), self.stationary.clone())];
        for _ in 0..length {
            let longer = |(word, belief): &(Vec<Symbol>, Vec<f64>)| -> Vec<(Vec<Symbol>, Vec<f64>)> {
                let next = self.next(belief);
                let there = (0..self.symbols()).filter(|&symbol| next[symbol] > 0.0);
                there
                    .map(|symbol| symbol as Symbol)
                    .map(|symbol| ([&word[..], &[symbol]].concat(), self.after(belief, symbol)))
                    .collect()
            };
            all = all.iter().flat_map(longer).collect();
        }
        all.into_iter().map(|(word, _)| word).collect()
    }

    fn split_of(&self, symbols: &[Symbol]) -> Split {
        let beginning = &symbols[..self.config.novel];
        if self.probability(beginning) > self.common {
            return Split::Train;
        }
        split_by(&Sha256::digest(format!("hidden {} {beginning:?}", self.config.seed)), self.config.shares)
    }

    /// Symbols and the states after them.
    fn draw(&self, chance: &mut Stream) -> (Vec<Symbol>, Vec<usize>) {
        let mut place = chance.unit();
        let mut state = 0;
        while state + 1 < self.states() && place >= self.stationary[state] {
            place -= self.stationary[state];
            state += 1;
        }
        let (mut symbols, mut states) = (Vec::new(), Vec::new());
        for _ in 0..=self.config.length {
            let mut place = chance.unit();
            let ways = (0..self.symbols()).flat_map(|symbol| (0..self.states()).map(move |to| (symbol, to)));
            let mut last = (0, state);
            for (symbol, to) in ways {
                let probability = self.joint[symbol][state][to];
                if probability > 0.0 {
                    last = (symbol, to);
                    if place < probability {
                        break;
                    }
                    place -= probability;
                }
            }
            state = last.1;
            symbols.push(last.0 as Symbol);
            states.push(state);
        }
        (symbols, states)
    }

    /// The episode at an address, with what made it.
    pub fn observe(&self, split: Split, index: u64) -> HiddenEpisode {
        let seed = self.config.seed.to_string();
        let mut chance = stream(&["hidden", &seed, &self.fingerprint, split.name(), &index.to_string()]);
        let (symbols, states) = loop {
            let (symbols, states) = self.draw(&mut chance);
            if self.split_of(&symbols) == split {
                break (symbols, states);
            }
        };
        let mut belief = self.stationary.clone();
        let seen = &symbols[..self.config.length];
        let beliefs = seen.iter().map(|&symbol| {
            belief = self.after(&belief, symbol);
            belief.clone()
        });
        let beliefs = beliefs.collect();
        HiddenEpisode {
            address: Address { environment: self.fingerprint.clone(), split, index },
            symbols,
            states,
            beliefs,
        }
    }

    fn sample_of(&self, observed: &HiddenEpisode) -> Sample {
        let last = observed.symbols.len() - 1;
        Sample { tokens: observed.symbols[..last].to_vec(), targets: observed.symbols[1..].to_vec() }
    }
}

fn mess3(x: f64, a: f64) -> Vec<Vec<Vec<f64>>> {
    let (other, stay) = ((1.0 - a) / 2.0, 1.0 - 2.0 * x);
    let way = |symbol: usize, from: usize, to: usize| {
        (if from == to { stay } else { x }) * (if symbol == to { a } else { other })
    };
    (0..3).map(|symbol| (0..3).map(|from| (0..3).map(|to| way(symbol, from, to)).collect()).collect()).collect()
}

/// States: nothing drawn; a 0 drawn; a 1 drawn; to show 1; to show 0.
fn rrxor() -> Vec<Vec<Vec<f64>>> {
    let mut joint = vec![vec![vec![0.0; 5]; 5]; 2];
    for (symbol, from, to, probability) in [
        (0, 0, 1, 0.5),
        (1, 0, 2, 0.5),
        (0, 1, 4, 0.5),
        (1, 1, 3, 0.5),
        (0, 2, 3, 0.5),
        (1, 2, 4, 0.5),
        (1, 3, 0, 1.0),
        (0, 4, 0, 1.0),
    ] {
        joint[symbol][from][to] = probability;
    }
    joint
}

impl Environment for HiddenWorld {
    fn name(&self) -> &'static str {
        "hidden"
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn geometry(&self) -> Geometry {
        Geometry::Line { length: self.config.length }
    }

    fn vocabulary(&self) -> usize {
        self.symbols()
    }

    fn targets(&self) -> usize {
        self.symbols()
    }

    fn sample(&self, split: Split, index: u64) -> Sample {
        self.sample_of(&self.observe(split, index))
    }

    fn episode(&self, split: Split, index: u64) -> Episode {
        let observed = self.observe(split, index);
        let seen = &observed.states[..self.config.length];
        let states = Column {
            concept: "state".into(),
            scope: Scope::Token,
            classes: (0..self.states()).map(|state| format!("state {state}")).collect(),
            values: seen.iter().map(|&state| Some(state as u32)).collect(),
        };
        Episode {
            sample: self.sample_of(&observed),
            edits: Vec::new(),
            labels: Labels { columns: vec![states] },
            scene: Scene::Board {
                width: observed.symbols.len() as u32,
                height: 1,
                states: self.symbols() as u8,
                frames: vec![observed.symbols.iter().map(|&symbol| symbol as u8).collect()],
                objects: Vec::new(),
            },
            address: observed.address,
        }
    }

    /// What a model believes is edited inside the model; the process itself has nothing that an edit names.
    fn counterfactual(&self, address: &Address, edits: &[Edit]) -> Result<Episode, EnvironmentError> {
        address.must_be_of(&self.fingerprint)?;
        match edits {
            [] => Ok(self.episode(address.split, address.index)),
            _ => Err(EnvironmentError("a hidden Markov process has no state that could be edited".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn world(process: Process) -> HiddenWorld {
        HiddenWorld::new(HiddenConfig { process, novel: 8, shares: [2, 1, 1], ..HiddenConfig::default() }).unwrap()
    }

    #[test]
    fn mess3_has_the_published_matrices() {
        // Shai et al. 2024, appendix: T(A) for x = .05, a = .85.
        let joint = mess3(0.05, 0.85);
        let published = [[0.765, 0.00375, 0.00375], [0.0425, 0.0675, 0.00375], [0.0425, 0.00375, 0.0675]];
        for (row, expected) in joint[0].iter().zip(published) {
            assert!(row.iter().zip(expected).all(|(own, expected)| (own - expected).abs() < 1e-12), "{row:?}");
        }
    }

    #[test]
    fn processes_are_processes_and_their_stationary_states_stay() {
        for process in [Process::Mess3, Process::Rrxor] {
            let world = world(process);
            let mut next = vec![0.0; world.states()];
            for from in 0..world.states() {
                let mut total = 0.0;
                for rows in &world.joint {
                    total += rows[from].iter().sum::<f64>();
                    rows[from].iter().zip(&mut next).for_each(|(p, next)| *next += world.stationary[from] * p);
                }
                assert!((total - 1.0).abs() < 1e-12);
            }
            assert!(next.iter().zip(&world.stationary).all(|(a, b)| (a - b).abs() < 1e-12), "{next:?}");
        }
    }

    #[test]
    fn the_belief_is_the_share_of_states_among_sequences_that_were_drawn() {
        for process in [Process::Mess3, Process::Rrxor] {
            let world = world(process);
            let mut chance = stream(&["hidden", "test"]);
            let (mut counts, mut all) = (vec![0.0; world.states()], 0.0);
            for _ in 0..60_000 {
                let (symbols, states) = world.draw(&mut chance);
                if symbols[..3] == [0, 1, 1] {
                    counts[states[2]] += 1.0;
                    all += 1.0;
                }
            }
            for (count, belief) in counts.iter().zip(world.belief(&[0, 1, 1])) {
                assert!((count / all - belief).abs() < 0.03, "{process:?}: {count} of {all}, not {belief}");
            }
        }
        // The parity of a triple tells nothing before its phase is known; 0, 1, 1 may be one, or end in a drawn bit.
        let belief = world(Process::Rrxor).belief(&[0, 1, 1]);
        assert!(belief[0] > 0.0 && (belief.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn rrxor_has_thirty_six_beliefs() {
        // Shai et al. 2024: 36 belief states, the one before the first symbol among them.
        let world = world(Process::Rrxor);
        let mut met: Vec<Vec<f64>> = Vec::new();
        for length in 0..=10 {
            for word in world.words(length) {
                let belief = world.belief(&word);
                let near = |other: &Vec<f64>| other.iter().zip(&belief).all(|(a, b)| (a - b).abs() < 1e-9);
                if !met.iter().any(near) {
                    met.push(belief);
                }
            }
        }
        assert_eq!(met.len(), 36);
    }

    #[test]
    fn splits_share_no_context_and_samples_are_those_of_episodes() {
        let world = world(Process::Mess3);
        for index in 0..30 {
            for split in [Split::Train, Split::Validation, Split::Test] {
                let observed = world.observe(split, index);
                assert_eq!(world.split_of(&observed.symbols), split);
                assert_eq!(world.sample(split, index), world.episode(split, index).sample);
                assert_eq!(observed.beliefs[9], world.belief(&observed.symbols[..10]));
            }
        }
        // What is common is of training: a symbol over and over comes in a tenth of all sequences.
        assert!(world.probability(&[1; 8]) > world.common);
        assert_eq!(world.split_of(&[1; 11]), Split::Train);
        let total: f64 = world.words(4).iter().map(|word| world.probability(word)).sum();
        assert!((total - 1.0).abs() < 1e-12);
        let error = |config: HiddenConfig| HiddenWorld::new(config).unwrap_err().to_string();
        assert!(error(HiddenConfig { novel: 1, ..HiddenConfig::default() }).starts_with("novel = 1 makes too few"));
        assert!(error(HiddenConfig { novel: 9, length: 8, ..HiddenConfig::default() }).contains("the nearest is 8"));
        assert!(error(HiddenConfig { a: 1.5, ..HiddenConfig::default() }).starts_with("a = 1.5"));
    }
}
