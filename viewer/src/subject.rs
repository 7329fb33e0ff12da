//! What the viewer asks of a world: what is there, what a model is asked about it, what its answer means.

use environments::{Edit, Outline, Scene, Split, Symbol};
use models::ModelSpec;

/// An episode as it is shown.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The split.
    pub split: Split,
    /// Index in the split.
    pub index: u64,
    /// Changes to its start, in order.
    pub edits: Vec<Edit>,
    /// Where the start comes from, such as `scene`.
    pub origin: String,
    /// What happens, simulated from the (changed) start.
    pub scene: Scene,
}

/// Something true of a cell: a name and a value.
pub type Fact = (String, String);

/// A world whose episodes can be looked at and whose models can be asked.
pub trait Subject: Send + Sync {
    /// One line about it, such as `life B3/S23, torus of 16×16 cells`.
    fn about(&self) -> String;

    /// Whether there are episodes to choose from, or only one.
    fn has_episodes(&self) -> bool;

    /// Checks that a model reads this world's symbols.
    ///
    /// # Errors
    /// What does not fit, in one sentence.
    fn accepts(&self, spec: &ModelSpec) -> Result<(), String>;

    /// The steps ahead that models of this world are trained to predict, ascending.
    fn horizons(&self) -> &[u32];

    /// The longest step ahead that can be put as a question.
    fn longest_horizon(&self) -> u32;

    /// The episode, with changes to its start.
    ///
    /// # Errors
    /// If a change does not fit; in one sentence.
    fn observe(&self, split: Split, index: u64, edits: &[Edit]) -> Result<Observed, String>;

    /// The objects that are there after some steps.
    fn objects(&self, observed: &Observed, step: u32) -> Vec<Outline>;

    /// The symbols that ask a model what is there `horizon` steps after t.
    fn question(&self, observed: &Observed, horizon: u32) -> Vec<Symbol>;

    /// From a model's answer (positions × targets logits, row-major) the probability that each cell is live,
    /// row-major.
    fn answer(&self, logits: &[f32]) -> Vec<f32>;

    /// The model's position that stands for a cell.
    fn position_of(&self, column: u32, row: u32) -> usize;

    /// Side in cells of the square that a position stands for.
    fn patch(&self) -> u32;

    /// What is true of a cell at t when asked about `horizon`, by the world's own labels.
    fn facts(&self, observed: &Observed, horizon: u32, cell: (u32, u32)) -> Vec<Fact>;

    /// Names of things that can be put down.
    fn palette(&self) -> Vec<String>;

    /// The cells of a thing that can be put down, as (column, row) from its north-west corner.
    ///
    /// # Errors
    /// If there is none of that name; the nearest is named.
    fn footprint(&self, name: &str) -> Result<Vec<(u32, u32)>, String>;
}
