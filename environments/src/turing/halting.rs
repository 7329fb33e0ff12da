//! The world `halting`: a machine's table as text, the beginning of its run if wanted, and the question whether it halts.
//!
//! **Verdicts are proved**: by running the machine until it halts, or by the ladder of [`super::deciders`]; machines that
//! the ladder leaves open are passed over and counted.
//!
//! **Nothing trivial.** A machine without a halting entry never halts, and most of those that halt do so at once. So a
//! machine of this world has a halting entry and runs for longer than [`HaltingConfig::after`] steps; half of the machines
//! of each split halt.
//!
//! **Tokens.** Position 0 holds a token of its own; then, for every entry, the symbol written, the move, the next state or
//! the halt; then a token for each step shown, as the observer of the head sees it. The last position alone is scored: it
//! is to predict 0 (never) or 1 (halts).

use serde::{Deserialize, Serialize};

use super::deciders::{Decision, Proof, decide};
use super::machine::{Machine, Move};
use super::population::{Disjoint, draw_machine};
use super::view::{HeadToken, head_run};
use crate::ground::{check_shares, fingerprint, within};
use crate::stream::{Draw, Stream, stream};
use crate::{
    Address, Column, Edit, Environment, EnvironmentError, Episode, Geometry, Labels, Sample, Scope, Split, Symbol,
    UNSCORED,
};

/// A world of halting questions. Every key has a default; an unknown key is an error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HaltingConfig {
    /// States. Default 3.
    pub states: usize,
    /// Symbols of the tape, the blank counted. Default 2.
    pub symbols: usize,
    /// Whether the table is shown. Default true.
    pub text: bool,
    /// Steps of the run from a blank tape that are shown. Default 0.
    pub prefix: usize,
    /// Machines that halt within so many steps are left out. Default 4.
    pub after: u64,
    /// Parts of the class that go to training, validation and test. Default 6, 1, 1.
    pub shares: [u32; 3],
    /// Chooses other machines. The splits stay. Default 0.
    pub seed: u64,
}

impl Default for HaltingConfig {
    fn default() -> Self {
        HaltingConfig { states: 3, symbols: 2, text: true, prefix: 0, after: 4, shares: [6, 1, 1], seed: 0 }
    }
}

/// A question with its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HaltingEpisode {
    /// Where it comes from.
    pub address: Address,
    /// Edits applied, in order.
    pub edits: Vec<Edit>,
    /// The machine.
    pub machine: Machine,
    /// What it does; never [`Decision::Undecided`] unless edited.
    pub decision: Decision,
    /// Machines passed over for this place because the ladder left them open.
    pub undecided: u32,
}

/// The world `halting`.
#[derive(Clone, Debug)]
pub struct HaltingWorld {
    config: HaltingConfig,
    fingerprint: String,
}

impl HaltingWorld {
    /// A world.
    ///
    /// # Errors
    /// One sentence that names the key and value at fault; also if the class has no machine of some kind for some split.
    pub fn new(config: HaltingConfig) -> Result<HaltingWorld, EnvironmentError> {
        let fail = |text: String| Err(EnvironmentError(text));
        within(&[
            ("states", config.states as u64, 1, 8),
            ("symbols", config.symbols as u64, 2, 8),
            ("after", config.after, 0, 64),
        ])?;
        if config.prefix as u64 > config.after {
            return fail(format!(
                "prefix = {} is outside 0 to {after} (`after`: the steps that every machine makes); the nearest is {after}",
                config.prefix,
                after = config.after
            ));
        }
        if !config.text && config.prefix == 0 {
            return fail("text = false: without text there must be something else to see; take a prefix".into());
        }
        check_shares(config.shares)?;
        let fingerprint = fingerprint("halting 1", &config);
        let world = HaltingWorld { config, fingerprint };
        for split in Split::ALL {
            for halts in [false, true] {
                let mut chance = stream(&["halting", "search", split.name()]);
                if world.search(split, halts, &mut chance, 1 << 18).is_none() {
                    return fail(format!(
                        "after = {}: no machine of this class in the {} split {} after so many steps; take more states or \
                         fewer steps",
                        world.config.after,
                        split.name(),
                        if halts { "halts" } else { "with a halting entry provably goes on for ever" }
                    ));
                }
            }
        }
        Ok(world)
    }

    /// The configuration.
    pub fn config(&self) -> &HaltingConfig {
        &self.config
    }

    fn search(&self, split: Split, halts: bool, chance: &mut Stream, tries: u64) -> Option<(Machine, Decision, u32)> {
        let HaltingConfig { states, symbols, after, shares, .. } = self.config;
        let mut undecided = 0;
        for _ in 0..tries {
            let machine = draw_machine(states, symbols, true, chance);
            let can_halt = machine.table().iter().flatten().any(|entry| entry.next.is_none());
            // The cheap checks come first: most machines halt at once.
            if !can_halt || (head_run(&machine, None, after as usize).len() as u64) < after {
                continue;
            }
            if Disjoint::Machine.split(&machine, "halting", shares) != split {
                continue;
            }
            match decide(&machine) {
                Decision::Halts(steps) if halts && steps > after => {
                    return Some((machine, Decision::Halts(steps), undecided));
                }
                Decision::Forever(proof) if !halts => return Some((machine, Decision::Forever(proof), undecided)),
                Decision::Undecided => undecided += 1,
                _ => {}
            }
        }
        None
    }

    /// The question at an address: every other one of a machine that halts.
    pub fn observe(&self, split: Split, index: u64) -> HaltingEpisode {
        let seed = self.config.seed.to_string();
        let mut chance = stream(&["halting", &seed, &self.fingerprint, split.name(), &index.to_string()]);
        let halts = chance.below(2) == 1;
        let address = Address { environment: self.fingerprint.clone(), split, index };
        loop {
            // Ends: `new` has found machines of either kind in every split.
            if let Some((machine, decision, undecided)) = self.search(split, halts, &mut chance, u64::MAX) {
                return HaltingEpisode { address, edits: Vec::new(), machine, decision, undecided };
            }
        }
    }

    /// Tokens and target of a question.
    pub fn sample_of(&self, observed: &HaltingEpisode) -> Sample {
        let HaltingConfig { states, symbols, text, prefix, .. } = self.config;
        let mut tokens = vec![(self.vocabulary() - 1) as Symbol];
        if text {
            for entry in observed.machine.table() {
                let (write, shift, next) = match entry {
                    Some(entry) => (entry.write, entry.shift, entry.next),
                    None => (1, Move::Right, None),
                };
                let next = next.map_or(states, usize::from);
                let shift = usize::from(shift == Move::Right);
                tokens.extend([usize::from(write), symbols + shift, symbols + 2 + next].map(|token| token as Symbol));
            }
        }
        let seen = symbols + 3 + states;
        let steps = head_run(&observed.machine, None, prefix);
        // An edited machine may halt earlier: what is missing is the halt's token.
        tokens.extend(steps.iter().map(|step| (seen + step.token.index(symbols)) as Symbol));
        tokens.resize(self.geometry().len(), (symbols + 2 + states) as Symbol);
        let mut targets = vec![UNSCORED; tokens.len()];
        if let Some(last) = targets.last_mut() {
            *last = match observed.decision {
                Decision::Halts(_) => 1,
                Decision::Forever(_) => 0,
                Decision::Undecided => UNSCORED,
            };
        }
        Sample { tokens, targets }
    }

    fn episode_of(&self, observed: HaltingEpisode) -> Episode {
        let column = |concept: &str, classes: &[&str], value: Option<u32>| Column {
            concept: concept.into(),
            scope: Scope::Episode,
            classes: classes.iter().map(|&class| class.into()).collect(),
            values: vec![value],
        };
        let halted = match observed.decision {
            Decision::Halts(_) => Some(1),
            Decision::Forever(_) => Some(0),
            Decision::Undecided => None,
        };
        let steps = match observed.decision {
            Decision::Halts(steps) => u32::try_from(steps).ok(),
            _ => None,
        };
        let proof = match observed.decision {
            Decision::Forever(Proof::Cycle) => Some(0),
            Decision::Forever(Proof::TranslatedCycle) => Some(1),
            Decision::Forever(Proof::ClosedSet) => Some(2),
            Decision::Forever(Proof::RepeatedWords) => Some(3),
            _ => None,
        };
        let columns = vec![
            column("halts", &["never", "halts"], halted),
            column("steps", &[], steps),
            column("proof", &["cycle", "translated cycle", "closed set", "repeated words"], proof),
            column("undecided passed over", &[], Some(observed.undecided)),
        ];
        let shown = 32.max(self.config.prefix);
        let steps = head_run(&observed.machine, None, shown);
        Episode {
            sample: self.sample_of(&observed),
            labels: Labels { columns },
            scene: super::world::scene(&observed.machine, &steps),
            address: observed.address,
            edits: observed.edits,
        }
    }
}

impl Environment for HaltingWorld {
    fn name(&self) -> &'static str {
        "halting"
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn geometry(&self) -> Geometry {
        let HaltingConfig { states, symbols, text, prefix, .. } = self.config;
        Geometry::Line { length: 1 + if text { 3 * states * symbols } else { 0 } + prefix }
    }

    fn vocabulary(&self) -> usize {
        let HaltingConfig { states, symbols, prefix, .. } = self.config;
        // Symbols, moves, states and the halt; steps where they are shown; the beginning.
        symbols + 3 + states + if prefix > 0 { HeadToken::count(symbols) } else { 0 } + 1
    }

    fn targets(&self) -> usize {
        2
    }

    fn sample(&self, split: Split, index: u64) -> Sample {
        self.sample_of(&self.observe(split, index))
    }

    fn episode(&self, split: Split, index: u64) -> Episode {
        self.episode_of(self.observe(split, index))
    }

    /// Entries are rewritten ([`Edit::Rewrite`]; `1RZ` halts) and the machine is decided afresh.
    fn counterfactual(&self, address: &Address, edits: &[Edit]) -> Result<Episode, EnvironmentError> {
        address.must_be_of(&self.fingerprint)?;
        let mut observed = self.observe(address.split, address.index);
        observed.machine = super::world::rewritten(&observed.machine, edits)?;
        observed.decision = decide(&observed.machine);
        observed.edits = edits.to_vec();
        Ok(self.episode_of(observed))
    }
}
