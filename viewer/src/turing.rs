//! The world `turing` as a subject.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use environments::turing::{HeadToken, TuringConfig, TuringEpisode, TuringWorld};
use environments::{Address, Edit, Environment, Labels, Split, Symbol};
use experiments::intervention::chances;
use experiments::machines::{Pair, pairs};
use models::ModelSpec;

use crate::scene::Drawn;
use crate::subject::{Asks, Fact, Observed, Subject, example, fits};
use crate::tape::{Evidence, Names, TapeScene, choice, letter, written};
use crate::view::Tool;

/// Pairs of twins that are looked for in a split.
const MOST_PAIRS: u64 = 10_000;

/// Where an episode's machine comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machines {
    /// The world's addresses.
    World,
    /// The pairs that the experiment `evil-twin` draws with a seed.
    Twins(u64),
}

/// The world `turing`.
pub struct TuringSubject {
    /// The world of what models were not trained on.
    world: Arc<TuringWorld>,
    /// The world of the model's own training.
    training: Arc<TuringWorld>,
    machines: Machines,
    pairs: Mutex<BTreeMap<Split, Vec<Pair>>>,
}

impl TuringSubject {
    /// The world of a config's section `[world]`; `training` says what the model's own was, where it was another.
    ///
    /// # Errors
    /// In one sentence that names the key at fault.
    pub fn from_section(
        section: &toml::Table,
        machines: Machines,
        training: impl Fn(&TuringConfig) -> Option<TuringConfig>,
    ) -> Result<Self, String> {
        let mut section = section.clone();
        section.remove("kind");
        let config: TuringConfig =
            section.try_into().map_err(|error: toml::de::Error| format!("[world]: {}", error.message().trim()))?;
        let own = training(&config);
        let build = |config| TuringWorld::new(config).map(Arc::new).map_err(|error| format!("[world]: {error}"));
        let world = build(config)?;
        let training = own.map_or_else(|| Ok(world.clone()), build)?;
        Ok(Self { world, training, machines, pairs: Mutex::default() })
    }

    fn of(&self, split: Split) -> &TuringWorld {
        if split == Split::Train { &self.training } else { &self.world }
    }

    /// The episode without edits, and what runs beside it.
    fn unchanged(&self, split: Split, index: u64) -> Result<(TuringEpisode, Option<TuringEpisode>), String> {
        let Machines::Twins(seed) = self.machines else { return Ok((self.of(split).observe(split, index), None)) };
        let few =
            |found: usize| format!("index = {index}: this split gives {found} pairs of twins here, counted from 0");
        if index >= MOST_PAIRS {
            return Err(few(MOST_PAIRS as usize));
        }
        let mut known = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.entry(split).or_default();
        if found.len() as u64 <= index {
            // Fewer pairs are the beginning of more.
            let wanted = (index as usize + 1).next_power_of_two().max(16);
            *found = pairs(self.of(split), split, wanted, seed);
        }
        let pair = found.get(index as usize).ok_or_else(|| few(found.len()))?;
        Ok((pair.own.clone(), Some(pair.twin.clone())))
    }

    /// The state, the symbol and the number of the choice that the name of a rewriting stands for, states as shown.
    fn parse(&self, name: &str) -> Result<(u8, u8, usize), String> {
        let (states, symbols) = (self.world.config().states, self.world.config().symbols);
        let wrong = || format!("`{name}` is no rewriting of an entry here, such as `A0=1RA`");
        let (entry, transition) = name.split_once('=').ok_or_else(wrong)?;
        let [state, symbol] = *entry.as_bytes() else { return Err(wrong()) };
        let state = state.checked_sub(b'A').filter(|&state| usize::from(state) < states).ok_or_else(wrong)?;
        let symbol = symbol.checked_sub(b'0').filter(|&symbol| usize::from(symbol) < symbols).ok_or_else(wrong)?;
        let mut codes = 0..2 * states * symbols;
        let code = codes.find(|&code| written(choice(code, states)) == transition).ok_or_else(wrong)?;
        Ok((state, symbol, code))
    }

    fn names(&self, observed: &Observed) -> Result<(Names, TuringEpisode), String> {
        // Names are those of the run that is shown.
        let (own, _) = self.unchanged(observed.split, observed.index)?;
        let own = match observed.edits.as_slice() {
            [] => own,
            edits => self.of(observed.split).edit(&own, edits).map_err(|error| error.to_string())?,
        };
        Ok((Names::of(&own), own))
    }
}

impl Subject for TuringSubject {
    fn about(&self) -> String {
        let TuringConfig { states, symbols, length, .. } = self.world.config();
        let trained = match self.training.pool() {
            Some([machine]) => format!(", trained on {machine}"),
            Some(pool) => format!(", trained on {} machines", pool.len()),
            None => String::new(),
        };
        format!("turing {states}×{symbols}, {length} steps{trained}")
    }

    fn has_episodes(&self) -> bool {
        true
    }

    fn accepts(&self, spec: &ModelSpec) -> Result<(), String> {
        fits(spec, self.world.vocabulary(), self.world.targets(), self.world.geometry())
    }

    fn horizons(&self) -> &[u32] {
        &[]
    }

    fn observe(&self, split: Split, index: u64, edits: &[Edit]) -> Result<Observed, String> {
        let world = self.of(split);
        let (unchanged, twin) = self.unchanged(split, index)?;
        let (own, other) = if edits.is_empty() {
            (unchanged, twin.map(|twin| (twin, "Evil twin")))
        } else {
            let own = world.edit(&unchanged, edits).map_err(|error| error.to_string())?;
            (own, Some((unchanged, "Without the edits")))
        };
        let config = world.config();
        let numbers = world.numbers(&own);
        let sizes = (config.states, config.symbols);
        let evidence = Evidence::of(&numbers, sizes, config.initial.initial(), self.training.pool());
        let asks = Asks::Once(world.sample_of(&own).tokens);
        let drawn = world.episode_of(&own).scene;
        let other = other.map(|(episode, caption)| {
            let scene = world.episode_of(&episode).scene;
            (episode, scene, caption)
        });
        let scene = TapeScene::new(own, drawn, other, evidence);
        let begin = scene.moment().unwrap_or(config.length as u32 / 2);
        Ok(Observed { split, index, edits: edits.to_vec(), scene: Box::new(scene), asks, begin })
    }

    fn answer(&self, logits: &[f32]) -> Vec<f32> {
        chances(logits, HeadToken::count(self.world.config().symbols))
    }

    fn facts(&self, _observed: &Observed, _step: u32, _cell: (u32, u32)) -> Vec<Fact> {
        Vec::new()
    }

    fn example(&self, split: Split, index: u64) -> Option<(Vec<Symbol>, Labels)> {
        example(self.of(split), split, index)
    }

    fn tools(&self) -> &'static [(Tool, &'static str)] {
        &[(Tool::Look, "look"), (Tool::Drop, "rewrite"), (Tool::Patch, "patch")]
    }

    fn palette(&self, _observed: &Observed) -> Vec<String> {
        let (states, symbols) = (self.world.config().states, self.world.config().symbols);
        let entries = (0..states).flat_map(|state| (0..symbols).map(move |symbol| (state, symbol)));
        let all = entries.flat_map(|(state, symbol)| {
            (0..2 * states * symbols)
                .map(move |code| format!("{}{symbol}={}", letter(state as u8), written(choice(code, states))))
        });
        all.collect()
    }

    fn written(&self) -> &'static str {
        "an entry, such as A0=1RB"
    }

    fn footprint(&self, name: &str) -> Result<Vec<(u32, u32)>, String> {
        self.parse(name).map(|_| Vec::new())
    }

    fn place(&self, observed: &Observed, name: &str, _corner: (i32, i32)) -> Result<Edit, String> {
        let (state, symbol, code) = self.parse(name)?;
        let (names, episode) = self.names(observed)?;
        let states = episode.machine.states();
        let mut transition = choice(code, states);
        transition.next = transition.next.map(|next| names.own(next));
        let state = names.own(state);
        if episode.machine.entry(state, symbol) == Some(transition) {
            return Err(format!("`{name}` is the entry as it is"));
        }
        Ok(Edit::Rewrite { state, symbol, transition: written(transition) })
    }

    fn address(&self, observed: &Observed) -> Option<(Address, Vec<Edit>)> {
        let (_, episode) = self.names(observed).ok()?;
        Some((episode.address, episode.edits))
    }

    fn chosen_in(&self, _observed: &Observed, panel: &str, (column, row): (u32, u32)) -> Option<String> {
        let (states, symbols) = (self.world.config().states, self.world.config().symbols);
        let (name, symbol) = (row as usize / symbols, row as usize % symbols);
        (panel == "table" && name < states)
            .then(|| format!("{}{symbol}={}", letter(name as u8), written(choice(column as usize, states))))
    }
}
