//! Baselines of the claim that a glider's doom is represented before it comes: what a ruler says, and a convolutional
//! network that sees the whole light cone.

use environments::life::features::distance_and_heading;
use environments::life::{Board, Symmetry};
use environments::{Draw, Symbol, stream};
use models::AdamW;
use models::native::cnn::Labelled;
use models::native::{Cnn, CnnConfig};
use rayon::prelude::*;

use super::objects::{Collection, Examples};
use super::probing::{Reading, parts, probe};
use super::reading::{Concept, Features};
use super::settings::Settings;
use crate::evidence::{Confusion, Predictions, Probe};

/// Boards a step of the convolutional network.
const BATCH: usize = 32;

fn ruler(collection: &Collection) -> Features {
    let rows: Vec<Vec<f32>> = collection
        .examples
        .par_iter()
        .map(|example| {
            let objects = &collection.objects[example.board];
            if example.glider().is_none() {
                return Vec::new();
            }
            distance_and_heading(&collection.boards[example.board], objects, example.object)
        })
        .collect();
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    let pad = |row: Vec<f32>| if row.is_empty() { vec![0.0; width] } else { row };
    Features { name: "distances and headings".into(), width, values: rows.into_iter().flat_map(pad).collect() }
}

/// Probes of distance-and-heading features: linear, then a perceptron of a width.
pub fn of_ruler(examples: &Examples, horizon: u32, width: usize) -> Vec<Reading> {
    let triple = [0, 1, 2].map(|part| ruler(&examples.parts[part]));
    let parts = parts(examples, &triple, Concept::Doomed, horizon);
    [(Probe::Logistic, "distances and headings, linear"), (Probe::Mlp(width), "distances and headings, perceptron")]
        .par_iter()
        .filter_map(|(kind, name)| probe(*kind, name, Concept::Doomed, &parts, &[&horizon.to_string()]))
        .collect()
}

/// Dilations whose sum reaches as far as light gets within a horizon: a cell a step.
fn dilations(horizon: u32) -> Vec<usize> {
    let (mut dilations, mut reach, mut next) = (Vec::new(), 0, 1);
    while reach < horizon as usize {
        let dilation = next.min(horizon as usize - reach).max(1);
        dilations.push(dilation);
        reach += dilation;
        next *= 2;
    }
    dilations
}

fn labelled(collection: &Collection, horizon: u32) -> Vec<(&Board, (u32, u32), usize)> {
    let of = |example: &super::objects::Example| {
        let label = Concept::Doomed.label(example, horizon);
        label.map(|label| (example.board, example.corner, label))
    };
    let rows = collection.examples.iter().filter_map(of);
    rows.map(|(board, (column, row), label)| {
        let board = &collection.boards[board];
        (board, board.wrap(i64::from(column) + 1, i64::from(row) + 1), label)
    })
    .collect()
}

fn turned((board, cell, label): &(&Board, (u32, u32), usize), symmetry: Symmetry) -> Labelled {
    let (width, height) = (board.width(), board.height());
    let turned = board.transformed(symmetry);
    let (column, row) = symmetry.cell(*cell, width, height);
    Labelled { cells: turned.cells(), cell: (row * turned.width() + column) as usize, class: *label as Symbol }
}

/// A convolutional network with the light cone of the horizon, trained on the same labelled boards in random
/// orientations (of a board that is not square, only those that keep its shape), read at the glider's middle. The
/// pass that is best on the boards for choosing is kept.
///
/// # Errors
/// When `tick`, called after every step, says so.
pub fn of_cone(
    settings: &Settings,
    examples: &Examples,
    horizon: u32,
    seed: u64,
    tick: &dyn Fn() -> anyhow::Result<()>,
) -> anyhow::Result<Option<Reading>> {
    let [fitted, chosen, reported] = [0, 1, 2].map(|part| labelled(&examples.parts[part], horizon));
    let mut classes: Vec<Vec<usize>> = vec![Vec::new(); 2];
    fitted.iter().enumerate().for_each(|(row, (.., label))| classes[*label].push(row));
    if classes.iter().any(Vec::is_empty) || chosen.is_empty() || reported.is_empty() {
        return Ok(None);
    }
    let (width, height) = (settings.world.width, settings.world.height);
    let symmetries: Vec<Symmetry> =
        Symmetry::ALL.into_iter().filter(|symmetry| symmetry.size(width, height) == (width, height)).collect();
    let config = CnnConfig {
        rows: height as usize,
        columns: width as usize,
        channels: settings.measure.cone_channels,
        dilations: dilations(horizon),
        outputs: 2,
    };
    let mut chance = stream(&["glider-chunking", &seed.to_string(), "cone", &horizon.to_string()]);
    let mut net = Cnn::initialise(&config, AdamW { weight_decay: 0.05, ..AdamW::default() }, &mut chance);
    let still = |rows: &[(&Board, (u32, u32), usize)]| -> Vec<Labelled> {
        rows.iter().map(|row| turned(row, Symmetry::Identity)).collect()
    };
    let (choose, report) = (still(&chosen), still(&reported));
    let say = |net: &Cnn, boards: &[Labelled]| Predictions {
        classes: 2,
        log_probabilities: net
            .probabilities(boards)
            .into_iter()
            .map(|p| -crate::evidence::metrics::surprise(f64::from(p)))
            .collect(),
    };
    let labels = |rows: &[(&Board, (u32, u32), usize)]| -> Vec<usize> { rows.iter().map(|row| row.2).collect() };
    let (choose_labels, report_labels) = (labels(&chosen), labels(&reported));
    let mut best: Option<(f64, f64, Cnn)> = None;
    let epochs = settings.measure.cone_epochs;
    for epoch in 0..epochs {
        let rate = 3e-3 * (1.0 - 0.95 * epoch as f32 / epochs as f32);
        for _ in 0..fitted.len().div_ceil(BATCH) {
            let batch: Vec<Labelled> = (0..BATCH)
                .map(|place| {
                    let rows = &classes[place % 2];
                    let row = rows[chance.below(rows.len() as u64) as usize];
                    turned(&fitted[row], symmetries[chance.below(symmetries.len() as u64) as usize])
                })
                .collect();
            net.train_step(&batch, rate);
            tick()?;
        }
        let score = say(&net, &choose).score(&choose_labels);
        if let (Some(bits), Some(accuracy)) = (score.bits, score.balanced_accuracy)
            && best.as_ref().is_none_or(|(least, ..)| bits < *least)
        {
            best = Some((bits, accuracy, net.clone()));
        }
    }
    let Some((_, accuracy, net)) = best else { return Ok(None) };
    let said = say(&net, &report);
    let confusion: Confusion = said.confusion(&report_labels);
    let (Some(reported), Some(bits)) = (confusion.balanced_accuracy(), said.score(&report_labels).bits) else {
        return Ok(None);
    };
    Ok(Some(Reading {
        features: format!("convolutional network, light cone of {horizon} steps"),
        concept: Concept::Doomed.name().into(),
        chosen: accuracy,
        accuracy: reported,
        matthews: confusion.matthews(),
        bits,
        predicted: said.predicted().into_iter().map(|class| class as u8).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_light_cone_reaches_exactly_as_far_as_light() {
        for horizon in 1..=32 {
            assert_eq!(dilations(horizon).iter().sum::<usize>(), horizon as usize);
        }
        assert_eq!(dilations(16), [1, 2, 4, 8, 1]);
    }

    #[test]
    fn a_turned_board_is_read_at_the_same_cell() {
        let board = Board::from_live(8, 8, &[(2, 5)]);
        for symmetry in Symmetry::ALL {
            let labelled = turned(&(&board, (2, 5), 1), symmetry);
            assert_eq!(labelled.cells[labelled.cell], 1);
        }
    }
}
