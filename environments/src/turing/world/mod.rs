//! The world `turing`: machines at addresses, what an observer of the head sees of them, and what it cannot see.
//!
//! **Tokens.** Position 0 holds a token of its own that begins the run; position t holds step t − 1 as a
//! [`HeadToken`]: symbol read, symbol written, move. The target of position t is step t, so every step is predicted and
//! the state stays hidden. One token a step keeps a run short, and mixes what can be inferred (write and move, given the
//! symbol read and the state) with what a random tape makes unpredictable (the symbol read on a fresh cell); scores are
//! therefore stated as excess over an exact reference that meets the same fresh cells, which cancels them.
//!
//! **Splits.** Machines of different splits differ by more than the names of states and left and right. Episodes of
//! the training split at [`HELD_BACK`] and beyond are runs of training machines on tapes that no training reaches.

mod config;
mod labels;

use super::machine::{Machine, Transition};
use super::population::draw_machine;
use super::strata::Strata;
use super::view::{HeadStep, HeadToken, head_run_on};
use crate::ground::fingerprint;
use crate::stream::{Draw, Stream, stream};
use crate::{
    Address, Edit, Environment, EnvironmentError, Episode, Geometry, Sample, Scene, Split, Symbol, TapeRow, UNSCORED,
};
pub use config::{Apart, LISTED, Sampling, Tape, TuringConfig};

/// From here on, indices of the training split are for measuring: training never gets there.
pub const HELD_BACK: u64 = 1 << 62;

/// The world `turing`.
#[derive(Clone, Debug)]
pub struct TuringWorld {
    config: TuringConfig,
    fingerprint: String,
    strata: Option<Strata>,
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
    /// The steps, as many as the world's length.
    pub steps: Vec<HeadStep>,
}

impl TuringWorld {
    /// A world.
    ///
    /// # Errors
    /// One sentence that names the key and value at fault; also if the class has too few machines for the pool or for
    /// some split.
    pub fn new(config: TuringConfig) -> Result<TuringWorld, EnvironmentError> {
        config.validate()?;
        let strata = config.strata()?;
        let mut world = TuringWorld { fingerprint: fingerprint("turing 1", &config), strata, pool: None, config };
        world.pool = world.draw_pool()?;
        for split in Split::ALL {
            if (0..4).any(|index| world.search(split, &mut world.machine_stream(split, index), 1 << 12).is_none()) {
                return Err(EnvironmentError(format!(
                    "shares = {:?} leave no machine of this class to the {} split; give it a larger share, or take \
                     more states",
                    world.config.shares,
                    split.name()
                )));
            }
        }
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
        let all = (0..size as u64).map(|number| table_of(self.config.states, self.config.symbols, number));
        Some(all.filter(|machine| self.split_of(machine) == split).collect())
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
        let TuringConfig { states, symbols, sampling, apart, shares, .. } = &self.config;
        format!("{states} {symbols} {sampling:?} {apart:?} {shares:?}")
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
        let mut draw = || match &self.strata {
            Some(strata) => strata.draw(chance.below(strata.traces().len() as u64) as usize, chance),
            None => draw_machine(self.config.states, self.config.symbols, false, chance),
        };
        (0..tries).map(|_| draw()).find(|machine| self.split_of(machine) == split)
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

    /// The run of a machine on the tape at an address.
    pub fn steps(&self, machine: &Machine, split: Split, index: u64) -> Vec<HeadStep> {
        let seed = self.config.seed.to_string();
        let mut chance = stream(&["turing", "tape", &seed, split.name(), &index.to_string()]);
        // Cells in the order 0, 1, −1, 2, −2, …, drawn as far as the head gets: the tape is the same under any machine.
        let mut cells: Vec<u8> = Vec::new();
        let symbols = self.config.symbols as u64;
        let cell = |position: i64| {
            let place = if position > 0 { 2 * position - 1 } else { -2 * position } as usize;
            while cells.len() <= place {
                cells.push(chance.below(symbols) as u8);
            }
            cells[place]
        };
        match self.config.initial {
            Tape::Random => head_run_on(machine, cell, self.config.length),
            Tape::Blank => head_run_on(machine, |_| 0, self.config.length),
        }
    }

    /// The episode at an address, with its machine and hidden states.
    pub fn observe(&self, split: Split, index: u64) -> TuringEpisode {
        let address = Address { environment: self.fingerprint.clone(), split, index };
        self.run(address, Vec::new(), self.machine(split, index))
    }

    fn run(&self, address: Address, edits: Vec<Edit>, machine: Machine) -> TuringEpisode {
        let steps = self.steps(&machine, address.split, address.index);
        TuringEpisode { address, edits, machine, steps }
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
        if let Some(halting) = machine.table().iter().position(|entry| entry.and_then(|entry| entry.next).is_none()) {
            let (state, symbol) = (halting / self.config.symbols, halting % self.config.symbols);
            return Err(EnvironmentError(format!(
                "transition: the entry of state {state} and symbol {symbol} would halt, and this world's machines never do"
            )));
        }
        let edits = episode.edits.iter().chain(edits).cloned().collect();
        Ok(self.run(episode.address.clone(), edits, machine))
    }

    /// The token that begins a run.
    pub fn beginning(&self) -> Symbol {
        HeadToken::count(self.config.symbols) as Symbol
    }

    /// The steps of a run as numbers, for the references in [`crate::sequence`] and [`super::ClassBayes`].
    pub fn numbers(&self, steps: &[HeadStep]) -> Vec<usize> {
        steps.iter().map(|step| step.token.index(self.config.symbols)).collect()
    }

    /// Tokens and targets of a run.
    pub fn sample_of(&self, steps: &[HeadStep]) -> Sample {
        let mut targets: Vec<Symbol> = self.numbers(steps).into_iter().map(|number| number as Symbol).collect();
        // Machines of this world never halt; a shorter run is one of a machine from elsewhere.
        targets.resize(self.config.length, UNSCORED);
        let mut tokens = vec![self.beginning()];
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
            sample: self.sample_of(&observed.steps),
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

/// A machine's table from its number: entries are digits, the first of them the highest.
fn table_of(states: usize, symbols: usize, number: u64) -> Machine {
    let choices = (2 * states * symbols) as u64;
    let mut rest = number;
    let mut table = vec![None; states * symbols];
    for entry in table.iter_mut().rev() {
        let choice = (rest % choices) as usize;
        rest /= choices;
        let shift = if choice / symbols % 2 == 1 { super::Move::Right } else { super::Move::Left };
        *entry = Some(Transition { write: (choice % symbols) as u8, shift, next: Some((choice / symbols / 2) as u8) });
    }
    match Machine::new(states, symbols, table) {
        Ok(machine) => machine,
        Err(error) => unreachable!("a table of digits is a machine: {error}"),
    }
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
        self.targets() + 1
    }

    fn targets(&self) -> usize {
        HeadToken::count(self.config.symbols)
    }

    fn sample(&self, split: Split, index: u64) -> Sample {
        self.sample_of(&self.steps(&self.machine(split, index), split, index))
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
