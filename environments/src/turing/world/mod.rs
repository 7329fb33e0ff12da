//! The world `turing`: machines at addresses, what an observer sees of them, and what it cannot see.
//!
//! **Tokens.** What is seen of a run, one number after another, is told by a [`Sight`]: the head's steps, a window of the
//! tape, or the output. Position 0 holds a token of its own that begins the run (in the `tape` view, the window before the
//! first step); position t holds what was seen at step t − 1, and its target is what is seen at step t, so every step is
//! predicted and the state stays hidden. In the `head` view one token a step keeps a run short, and mixes what can be
//! inferred (write and move, given the symbol read and the state) with what a random tape makes unpredictable (the symbol
//! read on a fresh cell); scores are therefore stated as excess over an exact reference that meets the same fresh cells,
//! which cancels them.
//!
//! **Splits.** Machines of different splits differ by more than the names of states and left and right. Episodes of
//! the training split at [`HELD_BACK`] and beyond are runs of training machines on tapes that no training reaches.

mod bayes;
mod config;
mod labels;
mod source;

use super::machine::{Machine, Transition};
use super::prior::machine_of;
use super::sight::View;
use super::view::{Halt, HeadStep, head_run_to_halt};
use crate::ground::fingerprint;
use crate::stream::{Draw, Stream, stream};
use crate::{
    Address, Edit, Environment, EnvironmentError, Episode, Geometry, Sample, Scene, Split, Symbol, TapeRow, UNSCORED,
};
pub use bayes::TuringBayes;
pub use config::{Apart, FORM_STEPS, LISTED, MOST_TOKENS, Sampling, Tape, TuringConfig};
use source::Source;

/// Draws in search of a machine that fits, when a world is made.
const TRIES: u32 = 1 << 12;

/// From here on, indices of the training split are for measuring: training never gets there.
pub const HELD_BACK: u64 = 1 << 62;

/// The world `turing`.
#[derive(Clone, Debug)]
pub struct TuringWorld {
    config: TuringConfig,
    fingerprint: String,
    /// One a size.
    sources: Vec<Source>,
    pool: Option<Vec<Machine>>,
}

/// A run with the machine that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TuringEpisode {
    /// Where it comes from.
    pub address: Address,
    /// Edits applied, in order.
    pub edits: Vec<Edit>,
    /// The machine.
    pub machine: Machine,
    /// The steps, as many as the world's length or fewer if the machine halts; the halting step is not among them.
    pub steps: Vec<HeadStep>,
    /// The halting step, if the machine halts within the length.
    pub halt: Option<Halt>,
    /// What is seen before the first step, as a token.
    pub first: Symbol,
    /// What is seen then, one number after another; as long as the world's episodes, or shorter.
    pub seen: Vec<usize>,
}

impl TuringWorld {
    /// A world.
    ///
    /// # Errors
    /// One sentence that names the key and value at fault; also if the class has too few machines for the pool or for
    /// some split.
    pub fn new(config: TuringConfig) -> Result<TuringWorld, EnvironmentError> {
        config.validate()?;
        let sources = config.sizes().into_iter().map(|size| Source::new(&config, size)).collect::<Result<_, _>>()?;
        let mut world = TuringWorld { fingerprint: fingerprint("turing 1", &config), sources, pool: None, config };
        for split in Split::ALL {
            for (size, [states, symbols]) in world.config.sizes().into_iter().enumerate() {
                let fits =
                    |index| world.search_size(size, split, &mut world.machine_stream(split, index), TRIES).is_some();
                if !(0..4).all(fits) {
                    let remedy = match world.config.condition {
                        None => "give it a larger share, or take more states",
                        Some(_) => "take a milder condition, a larger share, or more states",
                    };
                    return Err(EnvironmentError(format!(
                        "shares = {:?} leave no machine of {states} states and {symbols} symbols to the {} split; {remedy}",
                        world.config.shares,
                        split.name()
                    )));
                }
            }
        }
        world.pool = world.draw_pool()?;
        Ok(world)
    }

    /// The configuration.
    pub fn config(&self) -> &TuringConfig {
        &self.config
    }

    /// The split that a machine belongs to.
    pub fn split_of(&self, machine: &Machine) -> Split {
        self.config.apart.disjoint().split(machine, "turing", self.config.shares)
    }

    /// The training machines, if they are a pool.
    pub fn pool(&self) -> Option<&[Machine]> {
        self.pool.as_deref()
    }

    /// Every machine of the class that belongs to a split, in the order of their tables; `None` for classes of more than
    /// [`LISTED`] machines.
    pub fn listed(&self, split: Split) -> Option<Vec<Machine>> {
        let size = self.config.class_size().filter(|&size| size <= LISTED)?;
        let TuringConfig { states, symbols, halting, .. } = self.config;
        let all = (0..size as u64).map(|number| machine_of(states, symbols, halting, number));
        Some(all.filter(|machine| self.split_of(machine) == split && self.meets(machine)).collect())
    }

    /// Whether a machine does what the world asks of it.
    fn meets(&self, machine: &Machine) -> bool {
        self.config.condition.is_none_or(|condition| condition.holds(machine))
    }

    fn draw_pool(&self) -> Result<Option<Vec<Machine>>, EnvironmentError> {
        if !self.config.only.is_empty() {
            // `validate` has parsed them.
            return Ok(Some(self.config.only.iter().filter_map(|text| text.parse().ok()).collect()));
        }
        let Some(wanted) = self.config.machines else { return Ok(None) };
        let seed = self.config.seed.to_string();
        let mut pool: Vec<Machine> = Vec::new();
        if let (Some(mut listed), Sampling::Uniform) = (self.listed(Split::Train), self.config.sampling) {
            // A shuffled list's beginnings are nested.
            let mut chance = stream(&["turing", "pool", &seed, &self.class_key()]);
            for place in (1..listed.len()).rev() {
                listed.swap(place, chance.below(place as u64 + 1) as usize);
            }
            pool = listed;
        } else {
            let mut met = std::collections::BTreeSet::new();
            for number in 0..16 * wanted as u64 {
                let mut chance = stream(&["turing", "pool", &seed, &self.class_key(), &number.to_string()]);
                if let Some(machine) = self.search_class(Split::Train, &mut chance, 1 << 12)
                    && met.insert(machine.clone())
                {
                    pool.push(machine);
                }
                if pool.len() == wanted {
                    break;
                }
            }
        }
        if pool.len() < wanted {
            return Err(EnvironmentError(format!(
                "machines = {wanted} is more than the training part of this class gives; the nearest is {}",
                pool.len()
            )));
        }
        pool.truncate(wanted);
        Ok(Some(pool))
    }

    fn class_key(&self) -> String {
        let TuringConfig { states, symbols, sampling, apart, shares, halting, sizes, condition, .. } = &self.config;
        let mut key = format!("{states} {symbols} {sampling:?} {apart:?} {shares:?}");
        if *halting || condition.is_some() || !sizes.is_empty() {
            key += &format!(" {halting} {sizes:?} {condition:?}");
        }
        key
    }

    /// Machines do not depend on the tapes that they run on.
    fn machine_stream(&self, split: Split, index: u64) -> Stream {
        let seed = self.config.seed.to_string();
        stream(&["turing", "machine", &seed, &self.class_key(), split.name(), &index.to_string()])
    }

    fn search(&self, split: Split, chance: &mut Stream, tries: u32) -> Option<Machine> {
        match (&self.pool, split) {
            (Some(pool), Split::Train) => Some(pool[chance.below(pool.len() as u64) as usize].clone()),
            _ => self.search_class(split, chance, tries),
        }
    }

    fn search_class(&self, split: Split, chance: &mut Stream, tries: u32) -> Option<Machine> {
        let size = if self.sources.len() > 1 { chance.below(self.sources.len() as u64) as usize } else { 0 };
        self.search_size(size, split, chance, tries)
    }

    fn search_size(&self, size: usize, split: Split, chance: &mut Stream, tries: u32) -> Option<Machine> {
        let fits = |machine: &Machine| self.split_of(machine) == split && self.meets(machine);
        (0..tries).map(|_| self.sources[size].draw(chance)).find(fits)
    }

    /// The machine at an address.
    pub fn machine(&self, split: Split, index: u64) -> Machine {
        let mut chance = self.machine_stream(split, index);
        loop {
            // Ends: `new` has found machines in every split.
            if let Some(machine) = self.search(split, &mut chance, 1 << 16) {
                return machine;
            }
        }
    }

    /// The tape at an address, for machines of so many symbols: cells in the order 0, 1, −1, 2, −2, …, drawn as far as they
    /// are asked for, so that the tape is the same under any machine.
    fn tape(&self, symbols: usize, split: Split, index: u64) -> impl FnMut(i64) -> u8 {
        let seed = self.config.seed.to_string();
        let mut chance = stream(&["turing", "tape", &seed, split.name(), &index.to_string()]);
        let mut cells: Vec<u8> = Vec::new();
        let random = self.config.initial == Tape::Random;
        move |position: i64| {
            if !random {
                return 0;
            }
            let place = if position > 0 { 2 * position - 1 } else { -2 * position } as usize;
            while cells.len() <= place {
                cells.push(chance.below(symbols as u64) as u8);
            }
            cells[place]
        }
    }

    /// The episode at an address, with its machine and hidden states.
    pub fn observe(&self, split: Split, index: u64) -> TuringEpisode {
        let address = Address { environment: self.fingerprint.clone(), split, index };
        self.run(address, Vec::new(), self.machine(split, index))
    }

    fn run(&self, address: Address, edits: Vec<Edit>, machine: Machine) -> TuringEpisode {
        let tape = std::cell::RefCell::new(self.tape(machine.symbols(), address.split, address.index));
        let cell = |position: i64| (tape.borrow_mut())(position);
        let (steps, halt) = head_run_to_halt(&machine, cell, self.config.run_length());
        let mut seen = self.config.sight().of_run(&steps, halt, cell);
        let first = if self.config.view == View::Tape { seen.remove(0) } else { self.targets() };
        seen.truncate(self.config.length);
        TuringEpisode { address, edits, machine, steps, halt, first: first as Symbol, seen }
    }

    /// The same tape under another machine: the exact counterfactual of exchanging it.
    pub fn under(&self, episode: &TuringEpisode, machine: Machine) -> TuringEpisode {
        self.run(episode.address.clone(), episode.edits.clone(), machine)
    }

    /// The counterfactual of an observed episode: its table edited, and run afresh on the same tape.
    ///
    /// # Errors
    /// If an edit is of another world, or names an entry that is not there or a transition that does not fit.
    pub fn edit(&self, episode: &TuringEpisode, edits: &[Edit]) -> Result<TuringEpisode, EnvironmentError> {
        let machine = rewritten(&episode.machine, edits)?;
        let halting = machine.table().iter().position(|entry| entry.and_then(|entry| entry.next).is_none());
        if let Some(halting) = halting.filter(|_| !self.config.halting) {
            let (state, symbol) = (halting / self.config.symbols, halting % self.config.symbols);
            return Err(EnvironmentError(format!(
                "transition: the entry of state {state} and symbol {symbol} would halt, and this world's machines never do"
            )));
        }
        let edits = episode.edits.iter().chain(edits).cloned().collect();
        Ok(self.run(episode.address.clone(), edits, machine))
    }

    /// What is seen of a run as numbers, for the references in [`crate::sequence`] and [`TuringWorld::bayes`].
    pub fn numbers(&self, observed: &TuringEpisode) -> Vec<usize> {
        observed.seen.clone()
    }

    /// Tokens and targets of a run.
    pub fn sample_of(&self, observed: &TuringEpisode) -> Sample {
        let mut targets: Vec<Symbol> = observed.seen.iter().map(|&number| number as Symbol).collect();
        // After the end of an output or a halt there is nothing to predict.
        targets.resize(self.config.length, UNSCORED);
        let mut tokens = vec![observed.first];
        tokens.extend(
            targets[..self.config.length - 1].iter().map(|&target| if target == UNSCORED { 0 } else { target }),
        );
        Sample { tokens, targets }
    }

    /// The episode in the form that every world has.
    pub fn episode_of(&self, observed: &TuringEpisode) -> Episode {
        Episode {
            address: observed.address.clone(),
            edits: observed.edits.clone(),
            sample: self.sample_of(observed),
            labels: labels::labels(self, observed),
            scene: scene(&observed.machine, &observed.steps),
        }
    }
}

/// A machine with entries of its table rewritten.
///
/// # Errors
/// If an edit is of another world, or names an entry that is not there or a transition that does not fit.
pub(super) fn rewritten(machine: &Machine, edits: &[Edit]) -> Result<Machine, EnvironmentError> {
    let mut table = machine.table().to_vec();
    let (states, symbols) = (machine.states(), machine.symbols());
    for edit in edits {
        let Edit::Rewrite { state, symbol, transition } = edit else {
            return Err(EnvironmentError(
                "the edit is of a board, and this world has machines; the nearest is `rewrite`".into(),
            ));
        };
        let name = |what: &str, given: u8, count: usize| {
            EnvironmentError(format!("{what} = {given}: this machine has {count}, numbered from 0"))
        };
        if usize::from(*state) >= states {
            return Err(name("state", *state, states));
        }
        if usize::from(*symbol) >= symbols {
            return Err(name("symbol", *symbol, symbols));
        }
        table[usize::from(*state) * symbols + usize::from(*symbol)] = Some(transition_of(transition, states, symbols)?);
    }
    Machine::new(states, symbols, table).map_err(|error| EnvironmentError(error.to_string()))
}

/// A run as rows of cells, from before the first step to before the last.
pub(super) fn scene(machine: &Machine, steps: &[HeadStep]) -> Scene {
    let positions = || steps.iter().map(|step| step.position);
    let (first, last) = (positions().min().unwrap_or(0), positions().max().unwrap_or(0));
    let width = (last - first + 1) as usize;
    let at = |position: i64| (position - first) as usize;
    // What a cell held at first is what was read there first; the others are never seen.
    let mut cells: Vec<Option<u8>> = vec![None; width];
    for step in steps {
        cells[at(step.position)].get_or_insert(step.token.read);
    }
    let mut cells: Vec<u8> = cells.into_iter().map(Option::unwrap_or_default).collect();
    let mut rows = Vec::with_capacity(steps.len());
    for step in steps {
        rows.push(TapeRow { cells: cells.clone(), head: at(step.position) as u32, state: step.state });
        cells[at(step.position)] = step.token.write;
    }
    Scene::Tape { origin: first, symbols: machine.symbols() as u8, machine: machine.to_string(), rows }
}

/// A transition from its text (`1RB`; a next state of `Z` halts).
fn transition_of(text: &str, states: usize, symbols: usize) -> Result<Transition, EnvironmentError> {
    let wrong = || {
        EnvironmentError(format!(
            "transition = '{text}' is not one of this machine's, such as 1RA: a symbol below {symbols}, L or R, one of \
             its {states} states (Z halts)"
        ))
    };
    let [write, shift, next] = *text.as_bytes() else { return Err(wrong()) };
    let write = write.checked_sub(b'0').filter(|&write| usize::from(write) < symbols).ok_or_else(wrong)?;
    let next = match next {
        b'Z' => None,
        letter => Some(letter.checked_sub(b'A').filter(|&next| usize::from(next) < states).ok_or_else(wrong)?),
    };
    let shift = match shift {
        b'L' => super::Move::Left,
        b'R' => super::Move::Right,
        _ => return Err(wrong()),
    };
    Ok(Transition { write, shift, next })
}

impl Environment for TuringWorld {
    fn name(&self) -> &'static str {
        "turing"
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn geometry(&self) -> Geometry {
        Geometry::Line { length: self.config.length }
    }

    fn vocabulary(&self) -> usize {
        // The first token is one of its own, or a window.
        self.targets() + usize::from(self.config.view != View::Tape)
    }

    fn targets(&self) -> usize {
        self.config.sight().tokens()
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
