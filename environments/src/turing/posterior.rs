//! The exact Bayes answer for any view of a run and any prior: what machines, states and tapes agree with everything
//! seen, and what they do next.
//!
//! Machines that agree on every entry used so far are one hypothesis, with one tape; a hypothesis is parted when an entry
//! is used for the first time, or when a cell that nobody has seen comes into sight or under the head. [`super::ClassBayes`]
//! is the same for the `head` view of a whole class, and faster.

use std::collections::BTreeMap;

use super::machine::Transition;
use super::prior::{Prior, Tables};
use super::sight::{Sight, View};
use super::view::{HeadToken, InitialTape};
use crate::sequence::SequenceModel;

/// Machines that agree on what they did, and the configuration that they are in.
#[derive(Clone, Debug)]
struct Hypothesis {
    tables: Tables,
    /// The share of the prior's kind, and of what chance put on the tape.
    chance: f64,
    state: u8,
    head: i64,
    /// Cells that were seen or written.
    tape: BTreeMap<i64, u8>,
    /// States in order of appearance.
    appeared: Vec<u8>,
    /// Entries used, states by their own names.
    used: BTreeMap<(u8, u8), Transition>,
}

/// Bayes over a prior, before each symbol of a view.
#[derive(Clone, Debug)]
pub struct Posterior {
    sight: Sight,
    initial: InitialTape,
    current: Vec<Hypothesis>,
    /// What each hypothesis may lead to and the symbol that it would show; nothing once the machine has halted.
    ahead: Vec<(usize, f64, Option<Hypothesis>)>,
}

impl Posterior {
    /// Before the first step. `first` is the window before it, for [`View::Tape`].
    ///
    /// # Panics
    /// For [`View::Output`], which [`super::Outputs`] answers; if a machine may halt and the view has no token for it; if a
    /// machine has more symbols than the view; or if the first window is missing.
    pub fn new(prior: &Prior, sight: Sight, initial: InitialTape, first: Option<usize>) -> Posterior {
        assert!(sight.view != View::Output, "outputs are not seen step by step");
        assert!(sight.halting || !prior.halting(), "the view has no token for a halt");
        let seen = match sight.view {
            View::Tape => {
                let Some(first) = first else { panic!("a view of the tape begins with a window") };
                unpacked(first, sight)
            }
            _ => BTreeMap::new(),
        };
        let hypothesis = |(share, tables): &(f64, Tables)| {
            assert!(tables.symbols() <= sight.symbols, "the view has too few symbols");
            let symbols = tables.symbols();
            // What is in sight before the first step was drawn from the machine's own symbols.
            let fits = seen.values().all(|&cell| usize::from(cell) < symbols);
            let chance = match initial {
                InitialTape::Random => (symbols as f64).powi(-(seen.len() as i32)),
                InitialTape::Blank => 1.0,
            };
            let (tables, tape, state, head) = (tables.clone(), seen.clone(), 0, 0);
            let start = Hypothesis {
                tables,
                chance: share * chance,
                state,
                head,
                tape,
                appeared: vec![0],
                used: BTreeMap::new(),
            };
            fits.then_some(start)
        };
        let current = prior.starts.iter().filter_map(hypothesis).collect();
        let mut posterior = Posterior { sight, initial, current, ahead: Vec::new() };
        posterior.look_ahead();
        posterior
    }

    /// Number of hypotheses kept.
    pub fn hypotheses(&self) -> usize {
        self.current.len()
    }

    fn total(&self) -> f64 {
        self.ahead.iter().map(|(_, weight, _)| weight).sum()
    }

    /// The probability of being in each state; states are named in order of appearance.
    pub fn state_posterior(&self) -> Vec<f64> {
        let most = self.current.iter().map(|it| it.tables.states()).max().unwrap_or(0);
        let mut states = vec![0.0; most];
        let mut total = 0.0;
        for hypothesis in &self.current {
            let weight = hypothesis.chance * hypothesis.tables.weight();
            let place = hypothesis.appeared.iter().position(|&state| state == hypothesis.state);
            states[place.unwrap_or(0)] += weight;
            total += weight;
        }
        states.iter_mut().for_each(|weight| *weight /= total);
        states
    }

    /// The entries that were used and are the same in everything that agrees with the evidence: by state (in order of
    /// appearance) and symbol, what is written, the move and the next state (likewise; none halts).
    pub fn determined(&self) -> BTreeMap<(u8, u8), Transition> {
        let named = |hypothesis: &Hypothesis| -> BTreeMap<(u8, u8), Transition> {
            let name = |state: u8| hypothesis.appeared.iter().position(|&it| it == state).unwrap_or(0) as u8;
            let entry = |(&(state, symbol), entry): (&(u8, u8), &Transition)| {
                ((name(state), symbol), Transition { next: entry.next.map(name), ..*entry })
            };
            hypothesis.used.iter().map(entry).collect()
        };
        let mut all = self.current.iter().map(named);
        let mut shared = all.next().unwrap_or_default();
        all.for_each(|other| shared.retain(|entry, transition| other.get(entry) == Some(transition)));
        shared
    }

    fn look_ahead(&mut self) {
        let mut ahead = Vec::new();
        for hypothesis in &self.current {
            hypothesis.outcomes(self.sight, self.initial, &mut ahead);
        }
        self.ahead = ahead;
    }
}

/// The cells of a window that is seen before the first step.
fn unpacked(window: usize, sight: Sight) -> BTreeMap<i64, u8> {
    let mut number = match sight.around {
        super::sight::Around::Head => window,
        super::sight::Around::Origin => window / (sight.window + 1),
    };
    let mut cells = BTreeMap::new();
    for position in sight.cells(0).rev() {
        cells.insert(position, (number % sight.symbols) as u8);
        number /= sight.symbols;
    }
    cells
}

impl Hypothesis {
    /// What cells that nobody has seen may hold, each combination as likely as any other.
    fn unseen(&self, positions: impl Iterator<Item = i64>, initial: InitialTape) -> Vec<Vec<(i64, u8)>> {
        let symbols = match initial {
            InitialTape::Blank => 1,
            InitialTape::Random => self.tables.symbols() as u8,
        };
        positions.filter(|position| !self.tape.contains_key(position)).fold(vec![Vec::new()], |all, position| {
            let longer = |cells: &Vec<(i64, u8)>| {
                (0..symbols)
                    .map(|symbol| cells.iter().copied().chain([(position, symbol)]).collect())
                    .collect::<Vec<_>>()
            };
            all.iter().flat_map(longer).collect()
        })
    }

    fn outcomes(&self, sight: Sight, initial: InitialTape, ahead: &mut Vec<(usize, f64, Option<Hypothesis>)>) {
        let readings = self.unseen(std::iter::once(self.head), initial);
        for reading in &readings {
            let mut here = self.clone();
            here.chance /= readings.len() as f64;
            here.tape.extend(reading.iter().copied());
            let read = here.tape.get(&self.head).copied().unwrap_or(0);
            let parts = match self.used.get(&(self.state, read)) {
                Some(&transition) => vec![(transition, self.tables.clone())],
                None => self.tables.parted(self.state, read),
            };
            for (transition, tables) in parts {
                let weight = here.chance * tables.weight();
                let Some(next) = transition.next else {
                    ahead.push((sight.halt(read), weight, None));
                    continue;
                };
                let mut after = Hypothesis { tables, state: next, ..here.clone() };
                after.tape.insert(self.head, transition.write);
                after.head += transition.shift.offset();
                after.used.insert((self.state, read), transition);
                if !after.appeared.contains(&next) {
                    after.appeared.push(next);
                }
                let views = after.unseen(sight.cells(after.head), initial);
                for view in &views {
                    let mut after = after.clone();
                    after.chance /= views.len() as f64;
                    after.tape.extend(view.iter().copied());
                    let step = HeadToken { read, write: transition.write, shift: transition.shift };
                    let look = |position: i64| after.tape.get(&position).copied().unwrap_or(0);
                    let token = sight.step(step, after.head, look);
                    ahead.push((token, weight / views.len() as f64, Some(after)));
                }
            }
        }
    }
}

impl SequenceModel for Posterior {
    fn alphabet(&self) -> usize {
        self.sight.tokens()
    }

    /// Uniform once nothing agrees with what was seen, or the machine has halted.
    fn probabilities(&self) -> Vec<f64> {
        let (tokens, total) = (self.alphabet(), self.total());
        if total <= 0.0 {
            return vec![1.0 / tokens as f64; tokens];
        }
        let mut probabilities = vec![0.0; tokens];
        self.ahead.iter().for_each(|(token, weight, _)| probabilities[*token] += weight / total);
        probabilities
    }

    /// Infinite for what no machine of the prior would do; every symbol costs the same from then on.
    fn observe(&mut self, symbol: usize) -> f64 {
        let (tokens, total) = (self.alphabet(), self.total());
        assert!(symbol < tokens, "symbol {symbol}");
        if total <= 0.0 {
            return (tokens as f64).log2();
        }
        let mut kept = 0.0;
        self.current.clear();
        for (token, weight, hypothesis) in std::mem::take(&mut self.ahead) {
            if token == symbol {
                kept += weight;
                self.current.extend(hypothesis);
            }
        }
        // Kept from growing too small for their numbers.
        self.current.iter_mut().for_each(|hypothesis| hypothesis.chance /= kept);
        self.look_ahead();
        -(kept / total).log2()
    }
}
