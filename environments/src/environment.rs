//! The seam between worlds and everything that learns from them.

use serde::{Deserialize, Serialize};

/// One input or output symbol.
pub type Symbol = u16;

/// The target of a position that is not scored.
pub const UNSCORED: Symbol = Symbol::MAX;

/// Which part of a world an episode belongs to; disjoint by system, never only by time step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// What models are trained on.
    Train,
    /// What choices (layer, regularisation) are made on.
    Validation,
    /// What figures are reported on, once.
    Test,
}

impl Split {
    /// All splits, in order.
    pub const ALL: [Split; 3] = [Split::Train, Split::Validation, Split::Test];

    /// The name used in configs and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Validation => "validation",
            Split::Test => "test",
        }
    }
}

/// Where the positions of a sequence lie, so that a model can build the right relative positions in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Geometry {
    /// `prefix` positions without a place (such as a horizon token), then `rows` × `columns` positions in row-major
    /// order on a torus.
    Torus {
        /// Positions before the grid, which have no place on it.
        prefix: usize,
        /// Rows of positions.
        rows: usize,
        /// Columns of positions.
        columns: usize,
    },
    /// `length` positions in a line, in time order.
    Line {
        /// Number of positions.
        length: usize,
    },
}

impl Geometry {
    /// Number of positions in a sequence.
    pub fn len(self) -> usize {
        match self {
            Geometry::Torus { prefix, rows, columns } => prefix + rows * columns,
            Geometry::Line { length } => length,
        }
    }

    /// Whether there is no position at all.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// The name of one episode for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// [`Environment::fingerprint`] of the world's configuration.
    pub environment: String,
    /// The split.
    pub split: Split,
    /// Index within the split, from 0.
    pub index: u64,
}

/// What a model is trained on: both vectors have the length of the world's [`Geometry`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Input symbols, each below [`Environment::vocabulary`].
    pub tokens: Vec<Symbol>,
    /// Output symbols, each below [`Environment::targets`] or [`UNSCORED`].
    pub targets: Vec<Symbol>,
}

/// What the rows of a [`Column`] stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// One value a token position.
    Token,
    /// One value an object of the episode.
    Object,
    /// One value for the whole episode.
    Episode,
}

/// The true values of one concept in one episode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The concept's name.
    pub concept: String,
    /// What the values are indexed by.
    pub scope: Scope,
    /// For categories: names of the classes that `values` index. Empty for counts and identities.
    pub classes: Vec<String>,
    /// One value an item of the scope; `None` where the concept does not apply or is not known.
    pub values: Vec<Option<u32>>,
}

/// Ground truth of an episode under named concepts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labels {
    /// One column a concept, in a fixed order.
    pub columns: Vec<Column>,
}

impl Labels {
    /// The column of a concept, if the world has it.
    pub fn get(&self, concept: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.concept == concept)
    }
}

/// An object to be outlined in a drawn scene.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outline {
    /// Its name, such as `glider` or `block`.
    pub name: String,
    /// Cells it covers, as (column, row).
    pub cells: Vec<(u32, u32)>,
    /// Displacement a period as (columns, rows), if it moves.
    pub heading: Option<(i32, i32)>,
    /// Steps until it is destroyed, if that happens within what was simulated.
    pub doom: Option<u32>,
}

/// What a viewer can draw of an episode, independent of tensors and of any window system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Scene {
    /// A board through time: `frames[t][row * width + column]` is a cell's state after t steps.
    Board {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// Number of states a cell can have.
        states: u8,
        /// Cell states, one vector a step.
        frames: Vec<Vec<u8>>,
        /// Objects recognised in frame 0.
        objects: Vec<Outline>,
    },
    /// A Turing machine's tape through time.
    Tape {
        /// Position of the first column on the tape; the head starts at 0.
        origin: i64,
        /// Number of symbols that a cell can hold.
        symbols: u8,
        /// The machine's table, as text.
        machine: String,
        /// One row a step.
        rows: Vec<TapeRow>,
    },
}

/// A tape before a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapeRow {
    /// The cells that are ever visited.
    pub cells: Vec<u8>,
    /// Column of the head.
    pub head: u32,
    /// The machine's state.
    pub state: u8,
}

/// One episode: what a model sees, what is true of it, what a person can look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Episode {
    /// Where it comes from.
    pub address: Address,
    /// Edits applied to the episode at the address, in order; empty for the episode itself.
    pub edits: Vec<Edit>,
    /// Tokens and targets.
    pub sample: Sample,
    /// Ground truth.
    pub labels: Labels,
    /// The drawing.
    pub scene: Scene,
}

/// A change to the state in which an episode starts. Every edit has an exact counterfactual: the world is
/// simulated afresh from the edited state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "edit", rename_all = "lowercase")]
pub enum Edit {
    /// Set cells of a board, given as (column, row), to a state.
    Paint {
        /// The cells.
        cells: Vec<(u32, u32)>,
        /// Their new state.
        state: u8,
    },
    /// Put a named or RLE-written pattern with its bounding box's north-west corner at (column, row), wrapping.
    Place {
        /// A catalogue name (`glider`, `block`, …) or RLE text.
        pattern: String,
        /// Column of the north-west corner.
        column: i32,
        /// Row of the north-west corner.
        row: i32,
    },
    /// Take an object of the episode (by its number in the labels) off the board.
    Delete {
        /// The object's number.
        object: u32,
    },
    /// Move an object of the episode.
    Move {
        /// The object's number.
        object: u32,
        /// Columns to the east.
        columns: i32,
        /// Rows to the south.
        rows: i32,
    },
    /// Turn an object of the episode clockwise; the north-west corner of the box around its cells stays where it is.
    Rotate {
        /// The object's number.
        object: u32,
        /// Quarter turns.
        turns: u32,
    },
    /// Give an object of the episode another phase: the cells that it has alone some steps later, or fewer by whole periods.
    Rephase {
        /// The object's number.
        object: u32,
        /// Steps.
        steps: u32,
    },
    /// Give an entry of a machine's table another transition: its evil twin's.
    Rewrite {
        /// The entry's state, from 0.
        state: u8,
        /// The entry's symbol.
        symbol: u8,
        /// The transition, such as `1RB`.
        transition: String,
    },
    /// Give an entry of a one-dimensional rule's table another value.
    Entry {
        /// The neighbourhood, read from left to right as a binary number.
        entry: u32,
        /// What becomes of a cell there: 0 or 1.
        value: u8,
    },
    /// Turn discs of an Othello board over after so many moves; the same player is to move.
    Turn {
        /// Moves made before.
        after: u32,
        /// The discs' cells, as (column, row).
        cells: Vec<(u32, u32)>,
    },
    /// Let another rule act on the same start.
    Rule {
        /// The rule, such as `W110` for a row and `B36/S23` for a board.
        rule: String,
    },
}

/// Why a world could not be built or an edit not be applied. The text is one sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EnvironmentError(pub String);

/// A world: a pure function from an address to an episode.
pub trait Environment: Send + Sync {
    /// The registry name, such as `life`.
    fn name(&self) -> &'static str;

    /// A short hash of the resolved configuration; equal fingerprints give equal episodes.
    fn fingerprint(&self) -> String;

    /// Where the positions of a sequence lie.
    fn geometry(&self) -> Geometry;

    /// Number of input symbols.
    fn vocabulary(&self) -> usize;

    /// Number of output symbols.
    fn targets(&self) -> usize;

    /// Tokens and targets alone: what training eats. Equal to `episode(split, index).sample`.
    fn sample(&self, split: Split, index: u64) -> Sample;

    /// The episode with its ground truth and scene.
    fn episode(&self, split: Split, index: u64) -> Episode;

    /// The exact counterfactual: the episode at `address`, edited at its start and simulated afresh.
    ///
    /// # Errors
    /// If an edit does not fit this world (an unknown pattern, a cell off the board, an object that is not there).
    fn counterfactual(&self, address: &Address, edits: &[Edit]) -> Result<Episode, EnvironmentError>;
}
