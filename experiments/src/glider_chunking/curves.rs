//! Curves: what is decodable over the horizon asked for, over training, and where a glider will be.

use environments::life::Heading;
use models::load_parameters;
use serde::{Deserialize, Serialize};

use super::objects::{Collection, Example, Examples, Thing};
use super::probing::{Triple, parts, probe};
use super::reading::{Concept, Features, windows};
use super::rigour::{Places, read_places};
use super::skill::{self, Futures};
use super::zoo::{Subject, Zoo};
use crate::context::RunContext;
use crate::evidence::{Probe, Ridge, Targets, metrics};

/// A concept's decodability at one point of a curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The concept's name.
    pub concept: String,
    /// Balanced accuracy.
    pub accuracy: f64,
    /// Class-balanced cross-entropy in bits.
    pub bits: f64,
}

fn points(examples: &Examples, places: &Places, triples: &[Triple], horizon: u32, subject: &str) -> Vec<Point> {
    use rayon::prelude::*;
    let one = |((concept, ..), triple): (&(Concept, String, super::reading::Pool), &Triple)| {
        let parts = parts(examples, triple, *concept, horizon);
        let reading = probe(Probe::Logistic, &triple[0].name, *concept, &parts, &[subject, "curve"])?;
        Some(Point { concept: reading.concept, accuracy: reading.accuracy, bits: reading.bits })
    };
    places.par_iter().zip(triples).filter_map(one).collect()
}

/// Decodability when the model is asked for each of the horizons; doom is then doom within that horizon.
///
/// # Errors
/// Those of the model; when a stop was asked for.
pub fn over_horizons(
    zoo: &Zoo,
    subject: &Subject,
    examples: &Examples,
    places: &Places,
    horizons: &[u32],
    context: &RunContext<'_>,
) -> anyhow::Result<Vec<(u32, Vec<Point>)>> {
    let mut curve = Vec::new();
    for &horizon in horizons {
        context.check_stop()?;
        let triples = read_places(zoo, subject, examples, horizon, places)?;
        curve.push((horizon, points(examples, places, &triples, horizon, &subject.name)));
    }
    Ok(curve)
}

/// A checkpoint: its step, the loss on live-or-changed cells at the longest horizon, what is decodable there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stand {
    /// Optimiser steps done.
    pub step: u64,
    /// Nats a live-or-changed cell at the longest horizon.
    pub loss: Option<f64>,
    /// Intersection over union there.
    pub overlap: Option<f64>,
    /// Decodability.
    pub points: Vec<Point>,
}

/// Decodability over a model's checkpoints, at the places chosen for the finished model.
///
/// # Errors
/// If a checkpoint cannot be read; those of the model; when a stop was asked for.
pub fn over_training(
    zoo: &Zoo,
    subject: &Subject,
    examples: &Examples,
    places: &Places,
    futures: &Futures,
    steps: &[u64],
    context: &RunContext<'_>,
) -> anyhow::Result<Vec<Stand>> {
    let mut stands = Vec::new();
    let longest = *futures.horizons.last().unwrap_or(&1);
    for &step in steps {
        context.check_stop()?;
        let file = format!("checkpoints/{}/step-{step:08}.safetensors", subject.name);
        let parameters = load_parameters(&context.directory().file(&file))?;
        let then = Subject { parameters, ..subject.clone() };
        let triples = read_places(zoo, &then, examples, longest, places)?;
        let predictor = zoo.predictor(&then.parameters)?;
        let tallies = skill::of_model(&zoo.world, predictor.as_ref(), futures, &[longest])?;
        let mut sum = vec![0.0; skill::COUNTS];
        tallies.iter().flatten().for_each(|tally| sum.iter_mut().zip(tally).for_each(|(sum, value)| *sum += value));
        let points = points(examples, places, &triples, longest, &subject.name);
        stands.push(Stand { step, loss: skill::nats(&sum), overlap: skill::overlap(&sum), points });
    }
    Ok(stands)
}

/// Whether where a glider will be, in cells from where it is, is a linear function of the features, over several
/// horizons with one map: out-of-sample R². `read` gives the features at a horizon.
///
/// # Errors
/// Those of `read`.
fn displacement(
    examples: &Examples,
    horizons: &[u32],
    mut read: impl FnMut(u32) -> anyhow::Result<Triple>,
) -> anyhow::Result<Option<f64>> {
    let mut sets: [(usize, Vec<f32>, Vec<f64>); 3] = Default::default();
    for &horizon in horizons {
        let triple = read(horizon)?;
        for (part, (width, features, outputs)) in sets.iter_mut().enumerate() {
            *width = triple[part].width;
            let rows = triple[part].values.chunks_exact(*width).zip(&examples.parts[part].examples);
            for (row, example) in rows {
                if let Some((columns, lines)) = way(example, horizon) {
                    features.extend_from_slice(row);
                    outputs.extend([columns, lines]);
                }
            }
        }
    }
    let targets = |part: usize| {
        let (width, features, outputs) = &sets[part];
        Targets { features, width: *width, outputs, count: 2 }
    };
    let Some(ridge) = Ridge::fit(targets(0), targets(1)) else { return Ok(None) };
    Ok(metrics::r_squared(&ridge.predict(&sets[2].1), &sets[2].2, ridge.mean()))
}

/// (columns, rows) that a glider moves until a horizon that is a whole number of its periods, if it gets there.
fn way(example: &Example, horizon: u32) -> Option<(f64, f64)> {
    match example.thing {
        Thing::Glider { heading, doom, .. } if doom.is_none_or(|doom| doom > horizon) && horizon.is_multiple_of(4) => {
            let (east, south) = Heading::ALL[heading].vector();
            let moved = f64::from(horizon / 4);
            Some((f64::from(east) * moved, f64::from(south) * moved))
        }
        _ => None,
    }
}

/// R² of where gliders will be, from a model at one place.
///
/// # Errors
/// Those of the model.
pub fn displacement_of_model(
    zoo: &Zoo,
    subject: &Subject,
    examples: &Examples,
    place: &Places,
    horizons: &[u32],
) -> anyhow::Result<Option<f64>> {
    displacement(examples, horizons, |horizon| {
        let mut triples = read_places(zoo, subject, examples, horizon, place)?;
        triples.pop().ok_or_else(|| anyhow::anyhow!("no place to read"))
    })
}

/// R² of where gliders will be, from raw windows with the horizon beside them.
///
/// # Errors
/// None but those of its form.
pub fn displacement_of_raw(
    zoo: &Zoo,
    examples: &Examples,
    reach: u32,
    horizons: &[u32],
) -> anyhow::Result<Option<f64>> {
    displacement(examples, horizons, |horizon| {
        let with = |collection: &Collection| {
            let cells = windows(&zoo.world, collection, reach);
            let width = cells.width + horizons.len();
            let told: Vec<f32> = horizons.iter().map(|known| f32::from(u8::from(*known == horizon))).collect();
            let rows = cells.values.chunks_exact(cells.width);
            let values = rows.flat_map(|row| row.iter().chain(&told).copied()).collect();
            Features { name: "cells and horizon".into(), width, values }
        };
        Ok([0, 1, 2].map(|part| with(&examples.parts[part])))
    })
}
