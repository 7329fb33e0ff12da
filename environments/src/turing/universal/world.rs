//! The world `universal`: random programs run in dovetail, their outputs interleaved into one stream.
//!
//! **Dovetail.** Programs have places 0, 1, …; in round r each of the first r makes a slice of steps, in order, and what
//! it writes in it joins the stream. So every program, however long those before it run, has its turn.
//!
//! **Tokens.** Position 0 holds a token of its own that begins the stream; position t holds symbol t − 1 and is to
//! predict symbol t. Symbols are what cells hold; where boundaries are visible, place p is named by the symbol
//! alphabet + p whenever another program than the last goes on writing; the last symbol says that nothing more will come.
//!
//! **Splits.** A program is known by what it writes under the world's limits, and programs of different splits write
//! different outputs; but what short programs write, or nothing, is common knowledge, of every split. (Were zeros without
//! end kept out of training, a model would learn that they do not happen, and that is no test of what it can infer.)
//! Labels tell what is novel.

use std::collections::BTreeSet;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::{Boundaries, Execution, INSTRUCTIONS, Limits, Program, ProgramOutcome, Silent, UniversalConfig};
use crate::ground::{fingerprint, split_by};
use crate::stream::{Stream, stream};
use crate::{
    Address, Column, Edit, Environment, EnvironmentError, Episode, Geometry, Labels, Sample, Scene, Scope, Split,
    Symbol, UNSCORED,
};

/// The world `universal`.
#[derive(Clone, Debug)]
pub struct UniversalWorld {
    config: UniversalConfig,
    fingerprint: String,
    /// What short programs write.
    common: BTreeSet<Vec<u8>>,
}

/// A program of an episode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawnProgram {
    /// The program.
    pub program: Program,
    /// Programs drawn for its place, this one counted: silent ones and those of other splits were passed over.
    pub drawn: u64,
    /// Of these, those that wrote nothing.
    pub silent: u64,
    /// Whether what it writes is of one split alone.
    pub novel: bool,
}

/// A stream with the programs that wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UniversalEpisode {
    /// Where it comes from.
    pub address: Address,
    /// Edits applied, in order.
    pub edits: Vec<Edit>,
    /// The programs by place; `None` where one was taken away.
    pub programs: Vec<Option<DrawnProgram>>,
    /// Symbols with the places of their writers; at most as many as the world's length.
    pub stream: Vec<(usize, Symbol)>,
    /// How each program ended; `None` if it was still running when the stream was full.
    pub outcomes: Vec<Option<ProgramOutcome>>,
    /// Steps that each program made.
    pub steps: Vec<u64>,
}

impl UniversalWorld {
    /// A world.
    ///
    /// # Errors
    /// One sentence that names the key and value at fault.
    pub fn new(config: UniversalConfig) -> Result<UniversalWorld, EnvironmentError> {
        config.validate()?;
        let fingerprint = fingerprint("universal 1", &config);
        let common = common(config.common, config.limits());
        let world = UniversalWorld { config, fingerprint, common };
        for split in Split::ALL {
            let mut chance = stream(&["universal", "search", split.name()]);
            if !(0..1 << 10).any(|_| world.search(split, &mut chance, 64).is_some_and(|drawn| drawn.novel)) {
                return Err(EnvironmentError(format!(
                    "shares = {:?} leave no program to the {} split that writes anything within these limits; give it a larger \
                     share, or allow longer outputs, programs or runs",
                    world.config.shares,
                    split.name()
                )));
            }
        }
        Ok(world)
    }

    /// The configuration.
    pub fn config(&self) -> &UniversalConfig {
        &self.config
    }

    /// The symbol that says that nothing more will come.
    pub fn end(&self) -> Symbol {
        (self.targets() - 1) as Symbol
    }

    /// The split of an output: that of a hash of it. `None` for the common ones, which are of every split.
    pub fn split_of(&self, output: &[u8]) -> Option<Split> {
        if output.is_empty() || self.common.contains(output) {
            return None;
        }
        let mut hash = Sha256::new();
        hash.update(b"universal output");
        hash.update(output);
        Some(split_by(&hash.finalize(), self.config.shares))
    }

    fn search(&self, split: Split, chance: &mut Stream, tries: u64) -> Option<DrawnProgram> {
        let UniversalConfig { mean_length, longest, silent: rule, .. } = self.config;
        let (mut silent, mut novel) = (0, false);
        for drawn in 1..=tries {
            let program = Program::sample(chance, mean_length, longest);
            let output = program.run(self.config.limits()).output;
            silent += u64::from(output.is_empty());
            if output.is_empty() && rule == Silent::PassedOver {
                continue;
            }
            // The first draw decides whether it shall be a novel one, so that all splits have as many.
            match self.split_of(&output) {
                None if !novel => return Some(DrawnProgram { program, drawn, silent, novel }),
                Some(own) if own == split => return Some(DrawnProgram { program, drawn, silent, novel: true }),
                Some(_) => novel = true,
                None => {}
            }
        }
        None
    }

    fn draw(&self, split: Split, chance: &mut Stream) -> DrawnProgram {
        loop {
            // Ends: `new` has found programs in every split.
            if let Some(drawn) = self.search(split, chance, u64::MAX) {
                return drawn;
            }
        }
    }

    /// The episode at an address, with its programs.
    pub fn observe(&self, split: Split, index: u64) -> UniversalEpisode {
        let seed = self.config.seed.to_string();
        let mut chance = stream(&["universal", &seed, &self.fingerprint, split.name(), &index.to_string()]);
        let programs = (0..self.config.programs).map(|_| Some(self.draw(split, &mut chance))).collect();
        let address = Address { environment: self.fingerprint.clone(), split, index };
        self.run(address, Vec::new(), programs)
    }

    fn run(&self, address: Address, edits: Vec<Edit>, programs: Vec<Option<DrawnProgram>>) -> UniversalEpisode {
        let texts: Vec<Option<&Program>> = programs.iter().map(|drawn| drawn.as_ref().map(|it| &it.program)).collect();
        let dovetail = dovetail(&texts, self.config.limits(), self.config.slice);
        let (alphabet, length) = (self.config.alphabet as Symbol, self.config.length);
        let mut stream = Vec::with_capacity(length);
        let mut writer = None;
        for (place, symbol) in dovetail.symbols {
            if self.config.boundaries == Boundaries::Visible && writer != Some(place) {
                stream.push((place, alphabet + place as Symbol));
                writer = Some(place);
            }
            stream.push((place, Symbol::from(symbol)));
        }
        stream.truncate(length);
        UniversalEpisode { address, edits, programs, stream, outcomes: dovetail.outcomes, steps: dovetail.steps }
    }

    fn sample_of(&self, observed: &UniversalEpisode) -> Sample {
        let length = self.config.length;
        let mut symbols: Vec<Symbol> = observed.stream.iter().map(|&(_, symbol)| symbol).collect();
        let written = symbols.len();
        symbols.resize(length, self.end());
        let mut tokens = vec![self.targets() as Symbol];
        tokens.extend(&symbols[..length - 1]);
        // The end is said once.
        symbols.iter_mut().skip(written + 1).for_each(|target| *target = UNSCORED);
        Sample { tokens, targets: symbols }
    }

    fn episode_of(&self, observed: &UniversalEpisode) -> Episode {
        let length = self.config.length;
        let of_writer = |value: &dyn Fn(usize) -> Option<u32>| {
            let mut values: Vec<Option<u32>> = observed.stream.iter().map(|&(place, _)| value(place)).collect();
            values.resize(length, None);
            values
        };
        let program = |place: usize| observed.programs[place].as_ref();
        let object = |concept: &str, classes: &[&str], value: &dyn Fn(usize) -> Option<u32>| Column {
            concept: concept.into(),
            scope: Scope::Object,
            classes: classes.iter().map(|&class| class.into()).collect(),
            values: (0..observed.programs.len()).map(value).collect(),
        };
        let token = |concept: &str, values| Column {
            concept: concept.into(),
            scope: Scope::Token,
            classes: Vec::new(),
            values,
        };
        let columns = vec![
            // Of the symbol that the position is to predict.
            token("program", of_writer(&|place| Some(place as u32))),
            token("program length", of_writer(&|place| Some(program(place)?.program.len() as u32))),
            Column {
                concept: "novel".into(),
                scope: Scope::Token,
                classes: vec!["no".into(), "yes".into()],
                values: of_writer(&|place| Some(u32::from(program(place)?.novel))),
            },
            object("length", &[], &|place| Some(program(place)?.program.len() as u32)),
            object("drawn", &[], &|place| u32::try_from(program(place)?.drawn).ok()),
            object("silent draws", &[], &|place| u32::try_from(program(place)?.silent).ok()),
            object("steps", &[], &|place| u32::try_from(observed.steps[place]).ok()),
            object("outcome", &["halted", "full", "limit"], &|place| Some(observed.outcomes[place]? as u32)),
        ];
        Episode {
            address: observed.address.clone(),
            edits: observed.edits.clone(),
            sample: self.sample_of(observed),
            labels: Labels { columns },
            scene: self.scene(observed),
        }
    }

    /// A row a program, a column a symbol of the stream; 0 where another writes, else one more than the symbol.
    fn scene(&self, observed: &UniversalEpisode) -> Scene {
        let width = observed.stream.len().max(1);
        let mut cells = vec![0u8; width * observed.programs.len()];
        for (column, &(place, symbol)) in observed.stream.iter().enumerate() {
            if usize::from(symbol) < self.config.alphabet {
                cells[place * width + column] = (symbol as u8).saturating_add(1);
            }
        }
        Scene::Board {
            width: width as u32,
            height: observed.programs.len() as u32,
            states: (self.config.alphabet + 1).min(255) as u8,
            frames: vec![cells],
            objects: Vec::new(),
        }
    }
}

/// What all programs of up to so many instructions write.
fn common(most: usize, limits: Limits) -> BTreeSet<Vec<u8>> {
    let choices = INSTRUCTIONS.len();
    let of = |(length, number): (usize, usize)| {
        let digit = |place: usize| INSTRUCTIONS[number / choices.pow(place as u32) % choices];
        Program { text: (0..length).map(digit).collect() }.run(limits).output
    };
    let all: Vec<(usize, usize)> =
        (1..=most).flat_map(|length| (0..choices.pow(length as u32)).map(move |number| (length, number))).collect();
    all.into_par_iter().map(of).collect::<Vec<_>>().into_iter().collect()
}

/// What programs write in dovetail.
struct Dovetail {
    symbols: Vec<(usize, u8)>,
    outcomes: Vec<Option<ProgramOutcome>>,
    steps: Vec<u64>,
}

/// Runs programs in dovetail until all have ended or as many symbols are written as the limits ask for.
fn dovetail(programs: &[Option<&Program>], limits: Limits, slice: u64) -> Dovetail {
    let mut running: Vec<Option<Execution>> =
        programs.iter().map(|program| program.map(|program| Execution::new(program, limits))).collect();
    let mut outcomes = vec![None; programs.len()];
    let mut symbols = Vec::with_capacity(limits.output);
    let mut started = 0;
    while symbols.len() < limits.output {
        started = (started + 1).min(running.len());
        let mut alive = started < running.len();
        for (place, execution) in running[..started].iter_mut().enumerate() {
            if let (Some(execution), None) = (execution, outcomes[place]) {
                outcomes[place] = execution.advance(slice, |symbol| symbols.push((place, symbol)));
                alive |= outcomes[place].is_none();
            }
        }
        if !alive {
            break;
        }
    }
    symbols.truncate(limits.output);
    let steps = running.iter().map(|execution| execution.as_ref().map_or(0, Execution::steps)).collect();
    Dovetail { symbols, outcomes, steps }
}

impl Environment for UniversalWorld {
    fn name(&self) -> &'static str {
        "universal"
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
        let places = if self.config.boundaries == Boundaries::Visible { self.config.programs } else { 0 };
        self.config.alphabet + places + 1
    }

    fn sample(&self, split: Split, index: u64) -> Sample {
        self.sample_of(&self.observe(split, index))
    }

    fn episode(&self, split: Split, index: u64) -> Episode {
        self.episode_of(&self.observe(split, index))
    }

    /// The one edit is [`Edit::Delete`]: a program is taken away, and the others run in dovetail without it.
    fn counterfactual(&self, address: &Address, edits: &[Edit]) -> Result<Episode, EnvironmentError> {
        address.must_be_of(&self.fingerprint)?;
        let observed = self.observe(address.split, address.index);
        let mut programs = observed.programs;
        for edit in edits {
            let Edit::Delete { object } = edit else {
                return Err(EnvironmentError(
                    "the edit is of another world, and this one has programs; the nearest is `delete`".into(),
                ));
            };
            let count = programs.len();
            let place = programs.get_mut(*object as usize).filter(|program| program.is_some());
            let Some(program) = place else {
                return Err(EnvironmentError(format!(
                    "object = {object}: there is no such program; they are numbered 0 to {}",
                    count - 1
                )));
            };
            *program = None;
        }
        Ok(self.episode_of(&self.run(observed.address, edits.to_vec(), programs)))
    }
}
