//! The world `elementary`: in-context inference of one-dimensional rules.
//!
//! **Task.** An episode is the history of a ring of cells under one unknown rule, from a random first row; the model is
//! to predict what comes, and can do so from the second row on as far as it has inferred the rule.
//!
//! **Tokens.** Position 0 holds a token of its own that begins the history; position t holds token t − 1: one cell, or
//! `block` cells side by side read as a binary number, the leftmost cell highest; row by row, from left to right. The
//! target of position t is token t, so every token is predicted. The first row is a fair coin a cell that nobody can
//! predict; in the exact references ([`ClassBayes`], [`ListBayes`]) it costs the same for all, and cancels.
//!
//! **Splits.** Rules of different splits differ by more than reflection and complement: the 256 elementary rules fall
//! into 88 such classes. Episodes of the training split at [`HELD_BACK`] and beyond are of training rules on first rows
//! drawn for measuring; on a ring of few cells such a row can come up in training by chance, one in 2^width.

mod bayes;
mod config;
mod labels;

use sha2::{Digest, Sha256};

use crate::automata::LineRule;
use crate::ground::{fingerprint, split_by};
use crate::stream::{Draw, Stream, stream};
use crate::{Address, Edit, Environment, EnvironmentError, Episode, Geometry, Sample, Scene, Split, Symbol};
pub use bayes::{ClassBayes, ListBayes};
pub use config::{ElementaryConfig, LARGEST_BLOCK, LONGEST, WIDEST};

/// From here on, indices of the training split are for measuring: training never gets there.
pub const HELD_BACK: u64 = 1 << 62;

/// Classes of at most so many rules are listed in full.
const LISTED: u64 = 1 << 16;

/// The world `elementary`.
#[derive(Clone, Debug)]
pub struct ElementaryWorld {
    config: ElementaryConfig,
    fingerprint: String,
    /// Equivalence classes of the rules in `only`: in the training split whatever their hash.
    taken: Vec<LineRule>,
    pool: Option<Vec<LineRule>>,
}

/// A history with the rule that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElementaryEpisode {
    /// Where it comes from.
    pub address: Address,
    /// Edits applied, in order.
    pub edits: Vec<Edit>,
    /// The rule.
    pub rule: LineRule,
    /// The rows, `rows[t][column]` 0 or 1.
    pub rows: Vec<Vec<u8>>,
}

impl ElementaryWorld {
    /// A world.
    ///
    /// # Errors
    /// One sentence that names the key and value at fault; also if the class has too few rules for the pool or for some
    /// split.
    pub fn new(config: ElementaryConfig) -> Result<ElementaryWorld, EnvironmentError> {
        config.validate()?;
        let only = config.listed_rules()?;
        let taken = only.iter().map(|rule| rule.canonical()).collect();
        let mut world =
            ElementaryWorld { fingerprint: fingerprint("elementary 1", &config), taken, pool: None, config };
        for split in Split::ALL {
            if world.search_class(split, &mut world.rule_stream(split, 0), 1 << 16).is_none() {
                return Err(EnvironmentError(format!(
                    "shares = {:?} leave no rule of this class to the {} split; give it a larger share",
                    world.config.shares,
                    split.name()
                )));
            }
        }
        world.pool = if only.is_empty() { world.draw_pool()? } else { Some(only) };
        Ok(world)
    }

    /// The configuration.
    pub fn config(&self) -> &ElementaryConfig {
        &self.config
    }

    /// The split that a rule belongs to, with all that are equivalent to it.
    pub fn split_of(&self, rule: LineRule) -> Split {
        let least = rule.canonical();
        if self.taken.contains(&least) {
            return Split::Train;
        }
        split_by(&Sha256::digest(format!("elementary {least}")), self.config.shares)
    }

    /// The training rules, if they are a pool.
    pub fn pool(&self) -> Option<&[LineRule]> {
        self.pool.as_deref()
    }

    /// Every rule of the class that belongs to a split, in order; `None` for radius 2.
    pub fn listed(&self, split: Split) -> Option<Vec<LineRule>> {
        let size = Some(self.config.class_size()).filter(|&size| size <= LISTED)?;
        let all = (0..size).filter_map(|number| LineRule::new(self.config.radius, number.into()));
        Some(all.filter(|&rule| self.split_of(rule) == split).collect())
    }

    fn draw_pool(&self) -> Result<Option<Vec<LineRule>>, EnvironmentError> {
        let Some(wanted) = self.config.rules else { return Ok(None) };
        let mut chance = stream(&["elementary", "pool", &self.config.seed.to_string(), &self.class_key()]);
        let mut pool = Vec::new();
        if let Some(mut listed) = self.listed(Split::Train) {
            // A shuffled list's beginnings are nested.
            for place in (1..listed.len()).rev() {
                listed.swap(place, chance.below(place as u64 + 1) as usize);
            }
            pool = listed;
        } else {
            let mut met = std::collections::BTreeSet::new();
            while pool.len() < wanted
                && let Some(rule) = self.search_class(Split::Train, &mut chance, 1 << 16)
            {
                if met.insert(rule) {
                    pool.push(rule);
                }
            }
        }
        if pool.len() < wanted {
            return Err(EnvironmentError(format!(
                "rules = {wanted} is more than the training part of this class has; the nearest is {}",
                pool.len()
            )));
        }
        pool.truncate(wanted);
        Ok(Some(pool))
    }

    fn class_key(&self) -> String {
        format!("{} {:?}", self.config.radius, self.config.shares)
    }

    /// Rules do not depend on the rows that they act on.
    fn rule_stream(&self, split: Split, index: u64) -> Stream {
        let seed = self.config.seed.to_string();
        stream(&["elementary", "rule", &seed, &self.class_key(), split.name(), &index.to_string()])
    }

    fn search_class(&self, split: Split, chance: &mut Stream, tries: u32) -> Option<LineRule> {
        let size = self.config.class_size();
        (0..tries)
            .filter_map(|_| LineRule::new(self.config.radius, chance.below(size).into()))
            .find(|&rule| self.split_of(rule) == split)
    }

    /// The rule at an address.
    pub fn rule(&self, split: Split, index: u64) -> LineRule {
        let mut chance = self.rule_stream(split, index);
        if let (Some(pool), Split::Train) = (&self.pool, split) {
            return pool[chance.below(pool.len() as u64) as usize];
        }
        loop {
            // Ends: `new` has found a rule in every split.
            if let Some(rule) = self.search_class(split, &mut chance, 1 << 16) {
                return rule;
            }
        }
    }

    /// The first row at an address, the same under any rule.
    pub fn first_row(&self, split: Split, index: u64) -> Vec<u8> {
        let seed = self.config.seed.to_string();
        let mut chance = stream(&["elementary", "row", &seed, split.name(), &index.to_string()]);
        (0..self.config.width).map(|_| chance.below(2) as u8).collect()
    }

    /// The episode at an address, with its rule.
    pub fn observe(&self, split: Split, index: u64) -> ElementaryEpisode {
        let address = Address { environment: self.fingerprint.clone(), split, index };
        self.run(address, Vec::new(), self.rule(split, index), self.first_row(split, index))
    }

    fn run(&self, address: Address, edits: Vec<Edit>, rule: LineRule, first: Vec<u8>) -> ElementaryEpisode {
        ElementaryEpisode { address, edits, rule, rows: rule.history(first, self.config.rows) }
    }

    /// The same first row under another rule: the exact counterfactual of exchanging it.
    pub fn under(&self, episode: &ElementaryEpisode, rule: LineRule) -> ElementaryEpisode {
        let first = episode.rows.first().cloned().unwrap_or_default();
        self.run(episode.address.clone(), episode.edits.clone(), rule, first)
    }

    /// The counterfactual of an observed episode: its rule or first row edited, and run afresh.
    ///
    /// # Errors
    /// If an edit is of another world, or names an entry, a rule or a cell that is not there.
    pub fn edit(&self, episode: &ElementaryEpisode, edits: &[Edit]) -> Result<ElementaryEpisode, EnvironmentError> {
        let (mut rule, mut first) = (episode.rule, episode.rows.first().cloned().unwrap_or_default());
        for edit in edits {
            (rule, first) = self.apply(rule, first, edit).map_err(EnvironmentError)?;
        }
        let edits = episode.edits.iter().chain(edits).cloned().collect();
        Ok(self.run(episode.address.clone(), edits, rule, first))
    }

    fn apply(&self, rule: LineRule, mut first: Vec<u8>, edit: &Edit) -> Result<(LineRule, Vec<u8>), String> {
        let width = self.config.width;
        match edit {
            Edit::Entry { entry, .. } if *entry as usize >= self.config.entries() => {
                Err(format!("entry = {entry}: this rule has {}, numbered from 0", self.config.entries()))
            }
            Edit::Entry { value: state, .. } | Edit::Paint { state, .. } if *state > 1 => {
                Err(format!("a cell of state {state} is not of this world; the nearest is 1"))
            }
            Edit::Entry { entry, value } => Ok((rule.with_entry(*entry as usize, *value == 1), first)),
            Edit::Rule { rule } => {
                let rule: LineRule = rule.parse().map_err(|error| format!("{error}"))?;
                if rule.radius() != self.config.radius {
                    return Err(format!(
                        "rule {rule} has radius {}, and this world {}",
                        rule.radius(),
                        self.config.radius
                    ));
                }
                Ok((rule, first))
            }
            Edit::Paint { cells, state } => {
                for &(column, row) in cells {
                    if row != 0 {
                        return Err(format!(
                            "cell ({column}, {row}): only row 0 can be painted, for the others follow from it"
                        ));
                    }
                    let cell = first.get_mut(column as usize);
                    *cell.ok_or_else(|| format!("cell ({column}, 0) is off the ring of {width} cells"))? = *state;
                }
                Ok((rule, first))
            }
            _ => Err("the edit is of another world, and this one has rules; the nearest is `entry`".into()),
        }
    }

    /// The token that begins a history.
    pub fn beginning(&self) -> Symbol {
        1 << self.config.block
    }

    /// The tokens of a history as numbers, for the references here and in [`crate::sequence`].
    pub fn numbers(&self, episode: &ElementaryEpisode) -> Vec<usize> {
        let blocks = episode.rows.iter().flat_map(|row| row.chunks_exact(self.config.block));
        blocks.map(|cells| bayes::symbol_of(cells.iter().copied())).collect()
    }

    /// The cells of tokens, one after the other: what [`ElementaryWorld::numbers`] undoes.
    pub fn cells(&self, numbers: impl IntoIterator<Item = usize>) -> Vec<u8> {
        labels::cells(numbers, self.config.block)
    }

    /// Bayes over all rules of the radius, before anything is seen.
    pub fn class_bayes(&self) -> ClassBayes {
        ClassBayes::new(self.config.radius, self.config.width, self.config.block)
    }

    /// Bayes over some rules, all equally likely, before anything is seen.
    pub fn list_bayes(&self, rules: impl IntoIterator<Item = LineRule>) -> ListBayes {
        let rules = rules.into_iter().map(|rule| (rule, 1.0));
        ListBayes::new(rules, self.config.radius, self.config.width, self.config.block)
    }

    /// Tokens and targets of a history.
    pub fn sample_of(&self, episode: &ElementaryEpisode) -> Sample {
        let targets: Vec<Symbol> = self.numbers(episode).into_iter().map(|number| number as Symbol).collect();
        let mut tokens = Vec::with_capacity(targets.len());
        tokens.push(self.beginning());
        tokens.extend(&targets[..targets.len() - 1]);
        Sample { tokens, targets }
    }

    /// The episode in the form that every world has.
    pub fn episode_of(&self, observed: &ElementaryEpisode) -> Episode {
        Episode {
            address: observed.address.clone(),
            edits: observed.edits.clone(),
            sample: self.sample_of(observed),
            labels: labels::labels(self, observed),
            // One frame: time runs down the board.
            scene: Scene::Board {
                width: self.config.width as u32,
                height: self.config.rows as u32,
                states: 2,
                frames: vec![observed.rows.concat()],
                objects: Vec::new(),
            },
        }
    }
}

impl Environment for ElementaryWorld {
    fn name(&self) -> &'static str {
        "elementary"
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn geometry(&self) -> Geometry {
        Geometry::Line { length: self.config.length() }
    }

    fn vocabulary(&self) -> usize {
        self.targets() + 1
    }

    fn targets(&self) -> usize {
        1 << self.config.block
    }

    fn sample(&self, split: Split, index: u64) -> Sample {
        self.sample_of(&self.observe(split, index))
    }

    fn episode(&self, split: Split, index: u64) -> Episode {
        self.episode_of(&self.observe(split, index))
    }

    fn counterfactual(&self, address: &Address, edits: &[Edit]) -> Result<Episode, EnvironmentError> {
        address.must_be_of(&self.fingerprint)?;
        let observed = self.observe(address.split, address.index);
        Ok(self.episode_of(&self.edit(&observed, edits)?))
    }
}
