//! Boards through models, a chunk at a time, so that memory stays bounded.

use environments::life::{Board, LifeWorld};
use environments::{Environment, Symbol};
use models::native::math;
use models::{Plan, Predictor, Run};

/// Boards that go through a model together.
pub const CHUNK: usize = 64;

/// The tokens of boards, all asked for one horizon.
pub fn tokens<'a>(world: &LifeWorld, boards: impl IntoIterator<Item = &'a Board>, horizon: u32) -> Vec<Symbol> {
    boards.into_iter().flat_map(|board| world.encode(board, horizon)).collect()
}

/// Runs boards through a model in chunks; `each` is given the number of the chunk's first board and the run.
///
/// # Errors
/// Those of the model and of `each`.
pub fn run_chunks(
    world: &LifeWorld,
    predictor: &dyn Predictor,
    boards: &[&Board],
    horizon: u32,
    plan: &Plan,
    mut each: impl FnMut(usize, &Run) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for (number, chunk) in boards.chunks(CHUNK).enumerate() {
        let run = predictor.run(&tokens(world, chunk.iter().copied(), horizon), plan)?;
        each(number * CHUNK, &run)?;
    }
    Ok(())
}

/// Probabilities that cells are alive, of the sequences of a run: sequences × cells, cells row-major.
pub fn alive(world: &LifeWorld, logits: &[f32]) -> Vec<f32> {
    let (targets, positions) = (world.targets(), world.geometry().len());
    let (width, patch) = (world.config().width as usize, world.config().patch as usize);
    let area = width * world.config().height as usize;
    let sequences = logits.len() / (targets * positions);
    let mut cells = vec![0.0; sequences * area];
    let mut row = vec![0.0; targets];
    for (sequence, cells) in cells.chunks_exact_mut(area).enumerate() {
        for place in 0..positions - 1 {
            let start = (sequence * positions + 1 + place) * targets;
            row.copy_from_slice(&logits[start..start + targets]);
            math::softmax(&mut row);
            let (column, line) = world.patch_corner(place);
            for bit in 0..patch * patch {
                let alive: f32 = (0..targets).filter(|symbol| symbol >> bit & 1 == 1).map(|symbol| row[symbol]).sum();
                cells[(line as usize + bit / patch) * width + column as usize + bit % patch] = alive.clamp(0.0, 1.0);
            }
        }
    }
    cells
}

/// Log-probabilities (nats) of one position's output symbols.
pub fn log_probabilities(logits: &[f32]) -> Vec<f32> {
    let mut row = logits.to_vec();
    math::softmax(&mut row);
    row.iter().map(|probability| math::logarithm(probability.max(1e-9))).collect()
}
