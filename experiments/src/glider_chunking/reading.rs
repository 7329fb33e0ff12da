//! What models and boards offer a probe of one object: activations, raw cells, outputs.

use environments::Environment;
use environments::life::LifeWorld;
use models::{Plan, Predictor};

use super::forward::{log_probabilities, run_chunks};
use super::objects::{Collection, Example, Thing, alignment, frame, frame_side};
use super::window;
use crate::evidence::Dataset;

/// How the tokens of an object's frame become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// Their mean: the same wherever in the frame something lies.
    Mean,
    /// One after the other, row-major.
    Side,
}

impl Pool {
    /// The word.
    pub fn name(self) -> &'static str {
        ["mean", "side by side"][self as usize]
    }
}

/// What is asked of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Concept {
    /// Whether it is a glider, among all examples.
    Presence,
    /// Where it heads, among gliders.
    Heading,
    /// In which of its four phases it is, among gliders.
    Phase,
    /// Whether it is destroyed within the horizon, among gliders.
    Doomed,
}

impl Concept {
    /// The three of the claim `chunking`.
    pub const OBJECT: [Concept; 3] = [Concept::Presence, Concept::Heading, Concept::Phase];
    /// All four.
    pub const ALL: [Concept; 4] = [Concept::Presence, Concept::Heading, Concept::Phase, Concept::Doomed];

    /// The name in files and figures.
    pub fn name(self) -> &'static str {
        ["presence", "heading", "phase", "doomed"][self as usize]
    }

    /// Number of classes.
    pub fn classes(self) -> usize {
        [2, 4, 4, 2][self as usize]
    }

    /// The class of an example, if the concept applies to it.
    pub fn label(self, example: &Example, horizon: u32) -> Option<usize> {
        match (self, example.thing) {
            (Concept::Presence, thing) => Some(usize::from(matches!(thing, Thing::Glider { .. }))),
            (Concept::Heading, Thing::Glider { heading, .. }) => Some(heading),
            (Concept::Phase, Thing::Glider { phase, .. }) => Some(phase),
            (Concept::Doomed, Thing::Glider { doom, .. }) => {
                Some(usize::from(doom.is_some_and(|doom| doom <= horizon)))
            }
            _ => None,
        }
    }
}

/// A vector for each example of a collection, from one place.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    /// Where they come from.
    pub name: String,
    /// Length of a vector.
    pub width: usize,
    /// Examples × width.
    pub values: Vec<f32>,
}

impl Features {
    fn new(name: impl Into<String>, width: usize) -> Self {
        Self { name: name.into(), width, values: Vec::new() }
    }

    /// The rows to which a concept applies and that a test passes, with their labels.
    pub fn dataset(
        &self,
        collection: &Collection,
        classes: usize,
        label: impl Fn(&Example) -> Option<usize>,
    ) -> Dataset {
        let mut data = Dataset::new(self.width, classes);
        for (row, example) in self.values.chunks_exact(self.width).zip(&collection.examples) {
            if let Some(label) = label(example) {
                data.push(row, label, example.cluster);
            }
        }
        data
    }
}

/// The taps of a model at which objects are read: the embedding, and the residual stream after each half of a block.
pub fn taps(depth: usize) -> Vec<String> {
    let blocks =
        (0..depth).flat_map(|block| [format!("blocks.{block}.resid_mid"), format!("blocks.{block}.resid_post")]);
    std::iter::once("embed".to_string()).chain(blocks).collect()
}

/// The taps at which activations are transplanted: the embedding and the end of each block. What is put into some
/// tokens half-way through a block comes to the same as at its end, since the block's second half looks at one token
/// at a time.
pub fn ends(depth: usize) -> Vec<String> {
    std::iter::once("embed".to_string()).chain((0..depth).map(|block| format!("blocks.{block}.resid_post"))).collect()
}

/// Reads a model at some taps, pooled over each example's frame in the given ways; and its output at the same tokens,
/// as log-probabilities, under the name `output`. For each tap, then for the output, one entry a pooling.
///
/// # Errors
/// Those of the model.
pub fn read(
    world: &LifeWorld,
    predictor: &dyn Predictor,
    collection: &Collection,
    horizon: u32,
    taps: &[&str],
    pools: &[Pool],
) -> anyhow::Result<Vec<Features>> {
    let frames: Vec<Vec<usize>> = collection.examples.iter().map(|example| frame(world, example.corner)).collect();
    let size = frame_side(world.config().patch).pow(2) as usize;
    let boards: Vec<_> = collection.boards.iter().collect();
    let mut all: Vec<Features> = Vec::new();
    let mut next = 0;
    run_chunks(world, predictor, &boards, horizon, &Plan::reading(taps), |first, run| {
        let last = first + super::forward::CHUNK;
        let examples = collection.examples[next..].iter().take_while(|example| example.board < last).count();
        let range = next..next + examples;
        next += examples;
        let positions = world.geometry().len();
        let mut slot = 0;
        let mut put = |name: &str, width: usize, row: &dyn Fn(usize, usize) -> Vec<f32>| {
            for &pool in pools {
                if all.len() == slot {
                    let width = if pool == Pool::Mean { width } else { width * size };
                    all.push(Features::new(format!("{name}, {}", pool.name()), width));
                }
                for number in range.clone() {
                    let sequence = collection.examples[number].board - first;
                    let rows: Vec<Vec<f32>> = frames[number].iter().map(|&position| row(sequence, position)).collect();
                    push_pooled(&mut all[slot].values, &rows, pool);
                }
                slot += 1;
            }
        };
        for captured in &run.captured {
            put(&captured.tap, captured.width, &|sequence, position| captured.row(sequence, position).to_vec());
        }
        let targets = world.targets();
        put("output", targets, &|sequence, position| {
            let start = (sequence * positions + position) * targets;
            log_probabilities(&run.logits[start..start + targets])
        });
        Ok(())
    })?;
    Ok(all)
}

fn push_pooled(values: &mut Vec<f32>, rows: &[Vec<f32>], pool: Pool) {
    match pool {
        Pool::Side => rows.iter().for_each(|row| values.extend_from_slice(row)),
        Pool::Mean => {
            let share = 1.0 / rows.len() as f32;
            values.extend((0..rows[0].len()).map(|place| rows.iter().map(|row| row[place]).sum::<f32>() * share));
        }
    }
}

/// The cells of each example's frame of tokens and of `reach` cells round it. Where that is wider than the board, the
/// board from as far west and north, each cell once.
pub fn windows(world: &LifeWorld, collection: &Collection, reach: u32) -> Features {
    let patch = world.config().patch;
    let side = patch * frame_side(patch);
    cells_round(collection, side, reach, |corner| (corner.0 / patch * patch, corner.1 / patch * patch))
        .named(format!("cells of the tokens and {reach} round them"))
}

/// The cells of each example's own 3×3 box and of `reach` cells round it: a frame that knows where in its tokens the
/// object lies, which no model is told.
pub fn centred(collection: &Collection, reach: u32) -> Features {
    cells_round(collection, 3, reach, |corner| corner).named(format!("cells of the 3×3 box and {reach} round it"))
}

impl Features {
    fn named(self, name: String) -> Self {
        Self { name, ..self }
    }
}

fn cells_round(collection: &Collection, side: u32, reach: u32, corner: impl Fn((u32, u32)) -> (u32, u32)) -> Features {
    let mut features = Features::new("", ((side + 2 * reach).pow(2)) as usize);
    for example in &collection.examples {
        let board = &collection.boards[example.board];
        features.values.extend(window::cells(board, corner(example.corner), side, reach));
    }
    features
}

/// Where each example lies on the board, to the cell: its column and row, one of each.
pub fn positions(world: &LifeWorld, collection: &Collection) -> Features {
    let (width, height) = (world.config().width as usize, world.config().height as usize);
    let mut features = Features::new("position", width + height);
    for example in &collection.examples {
        let start = features.values.len();
        features.values.resize(start + width + height, 0.0);
        features.values[start + example.corner.0 as usize] = 1.0;
        features.values[start + width + example.corner.1 as usize] = 1.0;
    }
    features
}

/// How an example lies to the patches.
pub fn aligned(world: &LifeWorld, example: &Example) -> usize {
    alignment(world.config().patch, example.corner)
}
