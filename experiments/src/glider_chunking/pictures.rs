//! Boards to look at: what was seen, what came, what was predicted; and a transplant before and after.

use environments::Split;
use environments::life::{Board, LifeWorld};
use models::{Action, Intervention, Plan};
use serde::{Deserialize, Serialize};

use super::forward::alive;
use super::objects::Boards;
use super::pairs::Pair;
use super::transplant::{Bench, gather};
use super::zoo::{Subject, Zoo};
use crate::figures::{Panel, Shading};

/// Rows of panels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pictures {
    /// Input, truth, prediction and error.
    pub predictions: Vec<Vec<Panel>>,
    /// Without and with a transplanted glider.
    pub transplants: Vec<Vec<Panel>>,
}

fn panel(title: String, board: &Board, outlines: Vec<Vec<(usize, usize)>>) -> Panel {
    let cells = board.cells().into_iter().map(f32::from).collect();
    Panel { title, width: board.width() as usize, cells, shading: Shading::Probability, outlines }
}

fn shades(title: &str, width: u32, cells: &[f32], shading: Shading, outlines: Vec<Vec<(usize, usize)>>) -> Panel {
    // Two decimals are more than the eye sees, and keep the files small.
    let cells = cells.iter().map(|cell| (cell * 100.0).round() / 100.0).collect();
    Panel { title: title.into(), width: width as usize, cells, shading, outlines }
}

fn cells_of(cells: impl IntoIterator<Item = (u32, u32)>) -> Vec<(usize, usize)> {
    cells.into_iter().map(|(column, row)| (column as usize, row as usize)).collect()
}

/// The cells of the tokens at some positions.
fn tokens_of(world: &LifeWorld, positions: &[usize]) -> Vec<(usize, usize)> {
    let patch = world.config().patch;
    let cells = positions.iter().flat_map(|position| {
        let (column, row) = world.patch_corner(position - 1);
        (0..patch * patch).map(move |cell| (column + cell % patch, row + cell / patch))
    });
    cells_of(cells)
}

/// Draws the first test boards with a glider that are not crowded, and the first transplants whose glider flies on.
///
/// # Errors
/// Those of the model.
pub fn draw(zoo: &Zoo, subject: &Subject, pairs: &[Pair], horizon: u32, tap: Option<&str>) -> anyhow::Result<Pictures> {
    let world = &zoo.world;
    let predictor = zoo.predictor(&subject.parameters)?;
    let bench = Bench { world, predictor: predictor.as_ref(), horizon };
    let mut pictures = Pictures::default();
    let mut boards = Boards::new(world, Split::Test);
    for (_, start, objects) in boards.next(|start| world.objects(&start.board)) {
        let gliders: Vec<_> = objects.iter().filter(|object| object.is_glider()).collect();
        if gliders.is_empty() || objects.len() < 2 || objects.len() > 6 || pictures.predictions.len() == 4 {
            continue;
        }
        let end = world.stepper().run(&start.board, horizon);
        let predicted = alive(world, &bench.run(&[&start.board], &Plan::default())?.logits);
        let error: Vec<f32> = predicted.iter().zip(end.cells()).map(|(p, t)| p - f32::from(t)).collect();
        let outlines = gliders.iter().map(|glider| cells_of(glider.cells.iter().copied())).collect();
        let width = end.width();
        pictures.predictions.push(vec![
            panel("board at t".into(), &start.board, outlines),
            panel(format!("truth at t + {horizon}"), &end, Vec::new()),
            shades("prediction", width, &predicted, Shading::Probability, Vec::new()),
            shades("error", width, &error, Shading::Difference, Vec::new()),
        ]);
    }
    let Some(tap) = tap else { return Ok(pictures) };
    for pair in pairs.iter().filter(|pair| pair.flies(horizon)).take(3) {
        let donor = bench.run(&[&pair.donor], &Plan::reading(&["embed", tap]))?;
        let clean = alive(world, &bench.run(&[&pair.recipient], &Plan::default())?.logits);
        let end = world.stepper().run(&pair.edited, horizon);
        let there = tokens_of(world, &pair.to);
        let mut row = vec![
            panel("recipient at t".into(), &pair.recipient, vec![there.clone()]),
            shades("prediction, untouched", end.width(), &clean, Shading::Probability, vec![there.clone()]),
            panel(format!("truth at t + {horizon}, had a glider been there"), &end, vec![there.clone()]),
        ];
        for (slot, name) in ["embed", tap].into_iter().enumerate() {
            let values = gather(&donor, slot, 0, &pair.from);
            let action = Action::Replace { values };
            let intervention = Intervention { tap: name.into(), sequence: None, rows: pair.to.clone(), action };
            let plan = Plan { capture: Vec::new(), interventions: vec![intervention] };
            let patched = alive(world, &bench.run(&[&pair.recipient], &plan)?.logits);
            let title = format!("prediction, glider put in at {name}");
            row.push(shades(&title, end.width(), &patched, Shading::Probability, vec![there.clone()]));
        }
        pictures.transplants.push(row);
    }
    Ok(pictures)
}
