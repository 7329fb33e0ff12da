//! The world: boards at addresses, their tokens and what becomes of them.

use super::board::Board;
use super::config::{self, LifeConfig};
use super::doom;
use super::edit;
use super::generate::{Generator, Source};
use super::hash::invariant_hash;
use super::labels;
use super::recognise::{Object, recognise};
use super::step::Stepper;
use super::timeline::Timeline;
use crate::ground::fingerprint;
use crate::stream::{Draw, Stream, stream};
use crate::{
    Address, Edit, Environment, EnvironmentError, Episode, Geometry, Outline, Sample, Scene, Split, Symbol, UNSCORED,
};
use std::borrow::Cow;

/// The world `life`: jump from the board at t and a horizon k to the board at t + k.
#[derive(Clone, Debug)]
pub struct LifeWorld {
    config: LifeConfig,
    fingerprint: String,
    /// The part of the fingerprint that boards depend on.
    board_key: String,
    stepper: Stepper,
    recogniser: Stepper,
    generator: Generator,
}

/// A board before anything is simulated or recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifeStart {
    /// Where it comes from.
    pub source: Source,
    /// The board at t.
    pub board: Board,
    /// The horizon k that the episode asks for, in steps.
    pub horizon: u32,
}

/// An episode with its boards and objects as they are, for measurements that labels are too coarse for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifeEpisode {
    /// Where it comes from.
    pub address: Address,
    /// Edits applied to the start, in order.
    pub edits: Vec<Edit>,
    /// Where the unedited board comes from.
    pub source: Source,
    /// The board at t.
    pub start: Board,
    /// The horizon k in steps.
    pub horizon: u32,
    /// The board at t + k.
    pub end: Board,
    /// The objects of `start`, with their dooms.
    pub objects: Vec<Object>,
}

impl LifeWorld {
    /// A world.
    ///
    /// # Errors
    /// One sentence that names the key and value at fault; see [`LifeConfig::validate`]. Also if the sources are so
    /// poor in different boards that some split finds none of its own.
    pub fn new(config: LifeConfig) -> Result<LifeWorld, EnvironmentError> {
        config.validate()?;
        let stepper = Stepper::new(&config::rule("rule", &config.rule)?);
        let recogniser = match &config.recognise_as {
            Some(rule) => Stepper::new(&config::rule("recognise_as", rule)?),
            None => stepper.clone(),
        };
        let nothing = LifeConfig::default();
        let board_config = LifeConfig {
            rule: nothing.rule,
            recognise_as: None,
            patch: nothing.patch,
            horizons: nothing.horizons,
            ..config.clone()
        };
        let world = LifeWorld {
            fingerprint: fingerprint("life 1", &config),
            board_key: fingerprint("life 1", &board_config),
            generator: Generator::new(&config, &stepper),
            stepper,
            recogniser,
            config,
        };
        world.check_gliders()?;
        world.check_splits()?;
        Ok(world)
    }

    fn check_gliders(&self) -> Result<(), EnvironmentError> {
        let planted = self.config.mix.scenes > 0.0 && self.config.scenes.gliders[1] > 0;
        let glider = super::catalogue::glider(super::catalogue::Heading::SE, 0);
        let mut board = Board::new(16, 16);
        board.paste(&glider.cells, 6, 6);
        if !planted || recognise(&board, &self.recogniser).iter().any(Object::is_glider) {
            return Ok(());
        }
        Err(EnvironmentError(format!(
            "rule = '{}' has no gliders, but scenes.gliders asks for up to {}; set scenes.gliders = [0, 0], or \
             recognise_as = \"B3/S23\" to plant and label glider shapes all the same",
            self.config.rule, self.config.scenes.gliders[1]
        )))
    }

    /// Draws a few boards for each split, so that a config whose boards are all alike is refused and not looped on.
    fn check_splits(&self) -> Result<(), EnvironmentError> {
        for split in Split::ALL {
            let found = (0..4).all(|index| self.search(split, &mut self.stream(split, index), 512).is_some());
            if !found {
                return Err(EnvironmentError(format!(
                    "these sources give too few different boards to fill the {} split with boards of its own; allow \
                     more objects in scenes, or give mix.soups some weight",
                    split.name()
                )));
            }
        }
        Ok(())
    }

    /// The configuration.
    pub fn config(&self) -> &LifeConfig {
        &self.config
    }

    /// The world's rule, compiled.
    pub fn stepper(&self) -> &Stepper {
        &self.stepper
    }

    /// The rule under which objects are recognised, compiled; the world's own unless `recognise_as` is set.
    pub fn recogniser(&self) -> &Stepper {
        &self.recogniser
    }

    /// The address of an episode of this world.
    pub fn address(&self, split: Split, index: u64) -> Address {
        Address { environment: self.fingerprint.clone(), split, index }
    }

    fn stream(&self, split: Split, index: u64) -> Stream {
        stream(&["life", &self.board_key, split.name(), &index.to_string()])
    }

    /// The first board of a stream that is not empty and belongs to a split.
    fn search(&self, split: Split, stream: &mut Stream, tries: u32) -> Option<(Source, Board)> {
        (0..tries).find_map(|_| {
            let (source, board) = self.generator.draw(stream);
            (!board.is_empty() && split_of(&board) == split).then_some((source, board))
        })
    }

    /// The board and horizon at an address, with nothing simulated but what made the board.
    pub fn start(&self, split: Split, index: u64) -> LifeStart {
        let mut stream = self.stream(split, index);
        let (source, board) = self.search(split, &mut stream, 1 << 16).unwrap_or_else(|| {
            // Never met by a config that `new` has let through, but the search must end.
            let soups = std::iter::repeat_with(|| self.generator.soup(self.config.soups.density, &mut stream));
            let mut soups = soups.filter(|board| !board.is_empty() && split_of(board) == split);
            (Source::Soup, soups.next().unwrap_or_else(|| Board::new(self.config.width, self.config.height)))
        });
        let horizon = self.config.horizons[stream.below(self.config.horizons.len() as u64) as usize];
        LifeStart { source, board, horizon }
    }

    /// The episode at an address, with boards and objects.
    pub fn observe(&self, split: Split, index: u64) -> LifeEpisode {
        self.observe_start(split, index, self.start(split, index))
    }

    /// The episode at an address with another horizon: the same board, jumped `horizon` steps. Its
    /// [sample](LifeWorld::sample_of) is in the world's vocabulary whether or not the config lists the horizon.
    ///
    /// # Panics
    /// If the horizon is not from 1 to [`LONGEST_HORIZON`](config::LONGEST_HORIZON).
    pub fn observe_with(&self, split: Split, index: u64, horizon: u32) -> LifeEpisode {
        self.observe_start(split, index, LifeStart { horizon, ..self.start(split, index) })
    }

    fn observe_start(&self, split: Split, index: u64, start: LifeStart) -> LifeEpisode {
        let LifeStart { source, board, horizon } = start;
        self.simulate(self.address(split, index), Vec::new(), source, board, horizon)
    }

    fn simulate(&self, address: Address, edits: Vec<Edit>, source: Source, start: Board, horizon: u32) -> LifeEpisode {
        assert!((1..=config::LONGEST_HORIZON).contains(&horizon), "a horizon of {horizon} steps");
        let (stepper, recogniser) = self.rules(&edits);
        let trajectory = stepper.trajectory(&start, doom::WATCHED);
        let mut objects = recognise(&start, &recogniser);
        doom::set_dooms(&mut objects, &trajectory, &recogniser);
        let end = trajectory[horizon as usize].clone();
        LifeEpisode { address, edits, source, start, horizon, end, objects }
    }

    /// The rule of an episode with edits, and the rule under which its objects are recognised, compiled.
    fn rules(&self, edits: &[Edit]) -> (Cow<'_, Stepper>, Cow<'_, Stepper>) {
        let swapped = edits.iter().rev().find_map(|edit| match edit {
            // Edits have been checked before they are kept.
            Edit::Rule { rule } => config::rule("rule", rule).ok(),
            _ => None,
        });
        let stepper = swapped.map_or(Cow::Borrowed(&self.stepper), |rule| Cow::Owned(Stepper::new(&rule)));
        let own = self.config.recognise_as.is_none();
        let recogniser = if own { stepper.clone() } else { Cow::Borrowed(&self.recogniser) };
        (stepper, recogniser)
    }

    /// Whose every cell is at each of a number of steps of an observed episode.
    pub fn timeline(&self, observed: &LifeEpisode, steps: u32) -> Timeline {
        let (stepper, recogniser) = self.rules(&observed.edits);
        Timeline::new(&observed.start, &stepper, &recogniser, steps)
    }

    /// The objects of any board, with their dooms in this world.
    pub fn objects(&self, board: &Board) -> Vec<Object> {
        let mut objects = recognise(board, &self.recogniser);
        doom::set_dooms(&mut objects, &self.stepper.trajectory(board, doom::WATCHED), &self.recogniser);
        objects
    }

    /// The exact counterfactual of an observed episode: its start edited, and simulated afresh for its horizon.
    ///
    /// Objects are named by their number in `episode`, whatever earlier edits did; further edits are added to
    /// those that the episode already carries.
    ///
    /// # Errors
    /// If an edit names a pattern, cell or object that is not there.
    pub fn edit(&self, episode: &LifeEpisode, edits: &[Edit]) -> Result<LifeEpisode, EnvironmentError> {
        let (_, recogniser) = self.rules(&episode.edits);
        let start = edit::apply(&episode.start, &episode.objects, edits, &recogniser)?;
        let edits = episode.edits.iter().chain(edits).cloned().collect();
        Ok(self.simulate(episode.address.clone(), edits, episode.source, start, episode.horizon))
    }

    /// The horizon's token and the board's patches: what a model reads.
    pub fn encode(&self, board: &Board, horizon: u32) -> Vec<Symbol> {
        let mut tokens = Vec::with_capacity(self.geometry().len());
        tokens.push(self.horizon_token(horizon));
        self.push_patches(board, &mut tokens);
        tokens
    }

    /// The token of a horizon: 2^(patch²) + horizon - 1.
    ///
    /// # Panics
    /// If the horizon is not from 1 to [`LONGEST_HORIZON`](config::LONGEST_HORIZON).
    pub fn horizon_token(&self, horizon: u32) -> Symbol {
        assert!((1..=config::LONGEST_HORIZON).contains(&horizon), "a horizon of {horizon} steps");
        (self.targets() as u32 + horizon - 1) as Symbol
    }

    /// The board's patches, row-major, as symbols: bit `row * patch + column` is a cell of the patch, so bit 0 is
    /// its north-west cell.
    pub fn patches(&self, board: &Board) -> Vec<Symbol> {
        let mut patches = Vec::with_capacity(self.geometry().len() - 1);
        self.push_patches(board, &mut patches);
        patches
    }

    fn push_patches(&self, board: &Board, symbols: &mut Vec<Symbol>) {
        let patch = self.config.patch;
        for row in (0..self.config.height).step_by(patch as usize) {
            for column in (0..self.config.width).step_by(patch as usize) {
                let mut symbol = 0;
                for cell in (0..patch * patch).rev() {
                    symbol = symbol << 1 | Symbol::from(board.get(column + cell % patch, row + cell / patch));
                }
                symbols.push(symbol);
            }
        }
    }

    /// The board of some patches: the inverse of [`LifeWorld::patches`].
    ///
    /// # Errors
    /// If there are not as many symbols as patches, or one is not below [`Environment::targets`].
    pub fn decode_symbols(&self, symbols: &[Symbol]) -> Result<Board, EnvironmentError> {
        let patches = self.geometry().len() - 1;
        if symbols.len() != patches {
            return Err(EnvironmentError(format!("{} symbols were given for {patches} patches", symbols.len())));
        }
        if let Some(symbol) = symbols.iter().find(|&&symbol| symbol as usize >= self.targets()) {
            let most = self.targets() - 1;
            return Err(EnvironmentError(format!("symbol {symbol} is not a patch; the largest is {most}")));
        }
        let mut board = Board::new(self.config.width, self.config.height);
        let patch = self.config.patch;
        for (place, &symbol) in symbols.iter().enumerate() {
            let (column, row) = self.patch_corner(place);
            for cell in (0..patch * patch).filter(|cell| symbol >> cell & 1 == 1) {
                board.set(column + cell % patch, row + cell / patch, true);
            }
        }
        Ok(board)
    }

    /// The (column, row) of a patch's north-west cell; patches are numbered row-major from 0.
    pub fn patch_corner(&self, patch: usize) -> (u32, u32) {
        let columns = self.config.width / self.config.patch;
        (patch as u32 % columns * self.config.patch, patch as u32 / columns * self.config.patch)
    }

    /// The number of the patch that holds a cell.
    pub fn patch_of(&self, column: u32, row: u32) -> usize {
        let patch = self.config.patch;
        (row / patch * (self.config.width / patch) + column / patch) as usize
    }

    /// The episode in the form that every world has.
    pub fn episode_of(&self, observed: &LifeEpisode) -> Episode {
        let frames = self.rules(&observed.edits).0.trajectory(&observed.start, config::LONGEST_HORIZON);
        let outlines = observed.objects.iter().map(|object| Outline {
            name: object.kind.name().to_string(),
            cells: object.cells.clone(),
            heading: (object.displacement != (0, 0)).then_some(object.displacement),
            doom: object.doom,
        });
        Episode {
            address: observed.address.clone(),
            edits: observed.edits.clone(),
            sample: self.sample_of(observed),
            labels: labels::labels(self, observed),
            scene: Scene::Board {
                width: self.config.width,
                height: self.config.height,
                states: 2,
                frames: frames.iter().map(Board::cells).collect(),
                objects: outlines.collect(),
            },
        }
    }

    /// The tokens and targets of an observed episode.
    pub fn sample_of(&self, observed: &LifeEpisode) -> Sample {
        self.sample_from(&observed.start, observed.horizon, &observed.end)
    }

    /// The labels of an observed episode, without the cost of a whole [`Episode`].
    pub fn labels_of(&self, observed: &LifeEpisode) -> crate::Labels {
        labels::labels(self, observed)
    }

    fn sample_from(&self, start: &Board, horizon: u32, end: &Board) -> Sample {
        let mut targets = Vec::with_capacity(self.geometry().len());
        targets.push(UNSCORED);
        self.push_patches(end, &mut targets);
        Sample { tokens: self.encode(start, horizon), targets }
    }
}

impl Environment for LifeWorld {
    fn name(&self) -> &'static str {
        "life"
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn geometry(&self) -> Geometry {
        let (width, height) = (self.config.width as usize, self.config.height as usize);
        let patch = self.config.patch as usize;
        Geometry::Torus { prefix: 1, rows: height / patch, columns: width / patch }
    }

    fn vocabulary(&self) -> usize {
        self.targets() + config::LONGEST_HORIZON as usize
    }

    fn targets(&self) -> usize {
        1 << (self.config.patch * self.config.patch)
    }

    fn sample(&self, split: Split, index: u64) -> Sample {
        let start = self.start(split, index);
        let end = self.stepper.run(&start.board, start.horizon);
        self.sample_from(&start.board, start.horizon, &end)
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

/// The split that a board belongs to, wherever it was drawn: the same for all its translations, rotations and
/// reflections. One board in eight is a test board, one in eight a validation board.
pub fn split_of(board: &Board) -> Split {
    match invariant_hash(board) % 8 {
        0 => Split::Test,
        1 => Split::Validation,
        _ => Split::Train,
    }
}
