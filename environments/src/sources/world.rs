//! The world `sources`.
//!
//! **Tokens.** Of a source: position 0 holds a token of its own that begins it, position t holds symbol t − 1 and is to
//! predict symbol t. What lies before the first symbol counts as symbol 0. Of a task: that token, the input, a second
//! token that asks for the answer, the answer; only the answer and the end after it are scored.
//!
//! **Splits.** Sources of a continuum are never drawn twice; tasks draw every input afresh.

use super::{Kind, SourcesConfig};
use crate::ground::fingerprint;
use crate::sequence::{ContextTreeWeighting, KrichevskyTrofimov, Markov, SequenceModel};
use crate::stream::{Draw, Stream, stream};
use crate::{
    Address, Column, Edit, Environment, EnvironmentError, Episode, Geometry, Labels, Sample, Scene, Scope, Split,
    Symbol, UNSCORED,
};

/// The world `sources`.
#[derive(Clone, Debug)]
pub struct SourcesWorld {
    config: SourcesConfig,
    fingerprint: String,
}

/// A sequence with what made it.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceEpisode {
    /// Where it comes from.
    pub address: Address,
    /// Of a source, its symbols; of a task, the input.
    pub symbols: Vec<Symbol>,
    /// Of a task, the answer.
    pub answer: Vec<Symbol>,
    /// Of a source, the probability of each of its symbols for one who knows the contexts, and not their distributions.
    pub probabilities: Vec<f64>,
    /// Of a source, the number of its contexts.
    pub contexts: usize,
}

/// A source: contexts, the latest symbol first. A leaf's distribution has the prior Dirichlet(½, …, ½), that of the KT
/// estimator; it is drawn by Pólya's urn, whose next symbol is one that came k times of n with probability
/// (k + ½)/(n + m/2): integers alone, and the same law.
enum Tree {
    Leaf(Vec<u64>),
    Node(Vec<Tree>),
}

impl Tree {
    /// Every node branches down to a depth, or each with probability one half.
    fn draw(symbols: usize, depth: usize, full: bool, chance: &mut Stream) -> Tree {
        let branches = depth > 0 && (full || chance.below(2) == 0);
        if branches {
            Tree::Node((0..symbols).map(|_| Tree::draw(symbols, depth - 1, full, chance)).collect())
        } else {
            Tree::Leaf(vec![0; symbols])
        }
    }

    fn contexts(&self) -> usize {
        match self {
            Tree::Leaf(_) => 1,
            Tree::Node(children) => children.iter().map(Tree::contexts).sum(),
        }
    }

    /// The urn of a history.
    fn after(&mut self, history: &[Symbol]) -> &mut Vec<u64> {
        match self {
            Tree::Leaf(counts) => counts,
            Tree::Node(children) => match history.split_last() {
                Some((&latest, earlier)) => children[usize::from(latest)].after(earlier),
                None => children[0].after(&[]),
            },
        }
    }

    /// Draws the symbol after a history, and tells with what probability it came.
    fn next(&mut self, history: &[Symbol], chance: &mut Stream) -> (Symbol, f64) {
        let counts = self.after(history);
        let total = 2 * counts.iter().sum::<u64>() + counts.len() as u64;
        let mut place = chance.below(total);
        let mut symbol = 0;
        while place > 2 * counts[symbol] {
            place -= 2 * counts[symbol] + 1;
            symbol += 1;
        }
        let probability = (2 * counts[symbol] + 1) as f64 / total as f64;
        counts[symbol] += 1;
        (symbol as Symbol, probability)
    }
}

impl SourcesWorld {
    /// A world.
    ///
    /// # Errors
    /// One sentence that names the key and value at fault.
    pub fn new(config: SourcesConfig) -> Result<SourcesWorld, EnvironmentError> {
        config.validate()?;
        Ok(SourcesWorld { fingerprint: fingerprint("sources 1", &config), config })
    }

    /// The configuration.
    pub fn config(&self) -> &SourcesConfig {
        &self.config
    }

    /// Number of symbols of the sequences themselves.
    pub fn symbols(&self) -> usize {
        if self.config.kind == Kind::Task { self.config.task.symbols() } else { self.config.symbols }
    }

    /// The exact Bayes answer, before the first symbol; `None` for tasks.
    pub fn bayes(&self) -> Option<Box<dyn SequenceModel>> {
        let SourcesConfig { symbols, order, .. } = self.config;
        match self.config.kind {
            Kind::Memoryless => Some(Box::new(KrichevskyTrofimov::new(symbols))),
            Kind::Markov => Some(Box::new(Markov::new(symbols, order, &[]))),
            Kind::Tree => Some(Box::new(ContextTreeWeighting::new(symbols, order, &[]))),
            Kind::Task => None,
        }
    }

    /// The episode at an address, with what made it.
    pub fn observe(&self, split: Split, index: u64) -> SourceEpisode {
        let SourcesConfig { kind, symbols, order, task, length, seed } = self.config;
        let seed = seed.to_string();
        let mut chance = stream(&["sources", &seed, &self.fingerprint, split.name(), &index.to_string()]);
        let address = Address { environment: self.fingerprint.clone(), split, index };
        if kind == Kind::Task {
            let shortest = task.shortest();
            let length = shortest + chance.below((length - shortest + 1) as u64) as usize;
            let (symbols, answer) = task.draw(length, &mut chance);
            return SourceEpisode { address, symbols, answer, probabilities: Vec::new(), contexts: 0 };
        }
        let depth = if kind == Kind::Memoryless { 0 } else { order };
        let mut tree = Tree::draw(symbols, depth, kind == Kind::Markov, &mut chance);
        let (mut all, mut probabilities) = (Vec::with_capacity(length), Vec::with_capacity(length));
        for _ in 0..length {
            let (symbol, probability) = tree.next(&all, &mut chance);
            all.push(symbol);
            probabilities.push(probability);
        }
        SourceEpisode { address, symbols: all, answer: Vec::new(), probabilities, contexts: tree.contexts() }
    }

    fn sample_of(&self, observed: &SourceEpisode) -> Sample {
        let begin = (self.symbols() + 1) as Symbol;
        if self.config.kind != Kind::Task {
            let mut tokens = vec![begin];
            tokens.extend(&observed.symbols[..observed.symbols.len() - 1]);
            return Sample { tokens, targets: observed.symbols.clone() };
        }
        let (end, asks) = (self.symbols() as Symbol, begin + 1);
        let mut tokens: Vec<Symbol> = [&[begin][..], &observed.symbols, &[asks], &observed.answer].concat();
        let mut targets = vec![UNSCORED; observed.symbols.len() + 1];
        targets.extend(&observed.answer);
        targets.push(end);
        tokens.resize(self.geometry().len(), end);
        targets.resize(self.geometry().len(), UNSCORED);
        Sample { tokens, targets }
    }

    fn episode_of(&self, observed: SourceEpisode) -> Episode {
        let sequence: Vec<Symbol> = observed.symbols.iter().chain(&observed.answer).copied().collect();
        let column = |concept: &str, value: u32| Column {
            concept: concept.into(),
            scope: Scope::Episode,
            classes: Vec::new(),
            values: vec![Some(value)],
        };
        let columns = match self.config.kind {
            Kind::Task => vec![column("input length", observed.symbols.len() as u32)],
            _ => vec![column("contexts", observed.contexts as u32)],
        };
        Episode {
            sample: self.sample_of(&observed),
            address: observed.address,
            edits: Vec::new(),
            labels: Labels { columns },
            scene: Scene::Board {
                width: sequence.len() as u32,
                height: 1,
                states: self.symbols() as u8,
                frames: vec![sequence.iter().map(|&symbol| symbol as u8).collect()],
                objects: Vec::new(),
            },
        }
    }
}

impl Environment for SourcesWorld {
    fn name(&self) -> &'static str {
        "sources"
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn geometry(&self) -> Geometry {
        let length = match self.config.kind {
            // The token that begins, the one that asks, and the longest answer.
            Kind::Task => {
                let longest = |length| length + 2 + self.config.task.longest_answer(length);
                longest(self.config.length)
            }
            _ => self.config.length,
        };
        Geometry::Line { length }
    }

    fn vocabulary(&self) -> usize {
        self.symbols() + 3
    }

    fn targets(&self) -> usize {
        self.symbols() + 1
    }

    fn sample(&self, split: Split, index: u64) -> Sample {
        self.sample_of(&self.observe(split, index))
    }

    fn episode(&self, split: Split, index: u64) -> Episode {
        self.episode_of(self.observe(split, index))
    }

    /// Sources have no state that could be edited.
    fn counterfactual(&self, address: &Address, edits: &[Edit]) -> Result<Episode, EnvironmentError> {
        address.must_be_of(&self.fingerprint)?;
        match edits {
            [] => Ok(self.episode(address.split, address.index)),
            _ => Err(EnvironmentError("a source has no state that could be edited".into())),
        }
    }
}
