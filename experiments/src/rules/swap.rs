//! One rule's evidence in another's context: what patches at the positions that hold row 1 do to predictions of row 2.

use environments::elementary::{ElementaryEpisode, ElementaryWorld};
use environments::{Symbol, stream};
use models::{Action, Captured, Intervention, Plan, Predictor, Run};

use super::pairs::{Pair, entries_of, patched};
use crate::context::RunContext;
use crate::machines::row;
use crate::moments::writes::Change;
use crate::moments::{Features, Moments, Stratum};
use crate::swaps::{Changes, Patches, astray, towards};

/// Pairs that go through a model together.
const CHUNK: usize = 32;

/// What is put in place of the activations at the positions that hold row 1.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Patch {
    /// Those of the other rule's run on the same first row.
    Other,
    /// Half of the way to them.
    Half,
    /// Twice the way.
    Double,
    /// A random vector as far from each.
    Random,
    /// Those of a rule that agrees on the entry asked for.
    Agreeing,
    /// The other rule's, but only where entries other than the one asked for fired.
    OtherEntries,
    /// The other rule's, but only where the entry asked for fired.
    Entry,
    /// Where it fired: the way between the mean activations under the two values, over training rules.
    Way,
    /// Those of the other rule's run on another first row.
    Elsewhere,
    /// The mean over pairs.
    Mean,
    /// Nothing: the own activations themselves.
    Null,
}

const ALL: [Patch; 11] = [
    Patch::Other,
    Patch::Half,
    Patch::Double,
    Patch::Random,
    Patch::Agreeing,
    Patch::OtherEntries,
    Patch::Entry,
    Patch::Way,
    Patch::Elsewhere,
    Patch::Mean,
    Patch::Null,
];

/// The patches.
pub const PATCHES: Patches = Patches {
    names: &[
        "other rule",
        "half of it",
        "twice it",
        "random, same norm",
        "a rule that agrees on the entry",
        "other rule, other entries only",
        "other rule, the entry only",
        "mean way of the entry",
        "other rule on another row",
        "mean",
        "null",
    ],
    whole: Patch::Other as usize,
    random: Patch::Random as usize,
    mean: Patch::Mean as usize,
    null: Patch::Null as usize,
    controls: &[Patch::Random as usize, Patch::Agreeing as usize, Patch::OtherEntries as usize, Patch::Null as usize],
    drawn: &[
        Patch::Other as usize,
        Patch::Entry as usize,
        Patch::Way as usize,
        Patch::Elsewhere as usize,
        Patch::Random as usize,
        Patch::Agreeing as usize,
        Patch::OtherEntries as usize,
    ],
    other: "other rule",
    about: "The activations at the positions that hold row 1, in which the rule was first seen at work, are replaced by those \
            of another rule's run on the same first row; the prediction is scored at the first use of an entry in row 2, from \
            the own row 1, which the tokens after the patch go on from. At the embedding the patch is an edit of the history, \
            at the last block nothing can come of it: both ends are references and no evidence.",
};

/// By tap and entry: from the mean activation where the entry fired as 0 to that where it fired as 1.
pub fn ways(moments: &Moments, features: &[Features], entries: usize) -> Vec<Vec<Vec<f32>>> {
    let one = |features: &Features, entry: usize| {
        let (data, _) = moments.rows(features, (entry, 2), &[Stratum::Shown]);
        let counts = data.class_counts();
        let mut way = vec![0.0f64; features.width];
        for (place, &label) in data.labels.iter().enumerate() {
            let share = [-1.0, 1.0][label] / counts[label] as f64;
            way.iter_mut().zip(data.row(place)).for_each(|(way, value)| *way += share * f64::from(*value));
        }
        // Without both values there is no way.
        let there = counts.iter().all(|&count| count > 0);
        way.into_iter().map(|value| if there { value as f32 } else { 0.0 }).collect()
    };
    features.iter().map(|features| (0..entries).map(|entry| one(features, entry)).collect()).collect()
}

/// Measures every patch at every tap.
///
/// # Errors
/// Those of the model; when a stop was asked for.
pub fn changes(
    world: &ElementaryWorld,
    model: &dyn Predictor,
    pairs: &[Pair],
    (taps, ways): (&[String], &[Vec<Vec<f32>>]),
    (seed, name): (u64, &str),
    context: &RunContext<'_>,
) -> anyhow::Result<Changes> {
    let rows = patched(world.config().width);
    let means = means(world, model, pairs, taps)?;
    let mut all = vec![vec![Vec::with_capacity(pairs.len()); ALL.len()]; taps.len()];
    let mut chance = stream(&["rule-inference", &seed.to_string(), name, "random patches"]);
    let plan = Plan { capture: taps.to_vec(), interventions: Vec::new() };
    for chunk in pairs.chunks(CHUNK) {
        context.check_stop()?;
        let tokens = tokens(world, chunk, |pair| &pair.own);
        let run = |of: fn(&Pair) -> &ElementaryEpisode| model.run(&self::tokens(world, chunk, of), &plan);
        let own = model.run(&tokens, &plan)?;
        let (other, wrong) = (run(|pair| &pair.other)?, run(|pair| &pair.wrong)?);
        let elsewhere = run(|pair| &pair.elsewhere)?;
        for (slot, tap) in taps.iter().enumerate() {
            for (kind, &patch) in ALL.iter().enumerate() {
                let one = |(sequence, pair): (usize, &Pair)| {
                    let at = |run: &'_ Run, position: usize| run.captured[slot].row(sequence, position).to_vec();
                    let fired = entries_of(&pair.own, 1);
                    let value = |(place, &position): (usize, &usize)| {
                        let here = at(&own, position);
                        let fires = fired[place] == pair.entry;
                        match patch {
                            Patch::Other => at(&other, position),
                            Patch::Half => towards(&here, &at(&other, position), 0.5),
                            Patch::Double => towards(&here, &at(&other, position), 2.0),
                            Patch::Random => astray(&here, &at(&other, position), &mut chance),
                            Patch::Agreeing => at(&wrong, position),
                            Patch::OtherEntries if !fires => at(&other, position),
                            Patch::Entry if fires => at(&other, position),
                            Patch::Way if fires => {
                                let sign = if pair.own.rule.next(pair.entry) { -1.0 } else { 1.0 };
                                let way = &ways[slot][pair.entry];
                                here.iter().zip(way).map(|(here, way)| here + sign * way).collect()
                            }
                            Patch::Elsewhere => at(&elsewhere, position),
                            Patch::Mean => means[slot][place].clone(),
                            Patch::OtherEntries | Patch::Entry | Patch::Way | Patch::Null => here,
                        }
                    };
                    let values = rows.iter().enumerate().flat_map(value).collect();
                    let action = Action::Replace { values };
                    Intervention { tap: tap.clone(), sequence: Some(sequence), rows: rows.clone(), action }
                };
                let interventions = chunk.iter().enumerate().map(one).collect();
                let edited = model.run(&tokens, &Plan { capture: Vec::new(), interventions })?;
                let changed = |(place, pair)| change(world, pair, place, &own, &edited);
                all[slot][kind].extend(chunk.iter().enumerate().map(changed));
            }
        }
    }
    Ok(all)
}

fn tokens(world: &ElementaryWorld, pairs: &[Pair], of: impl Fn(&Pair) -> &ElementaryEpisode) -> Vec<Symbol> {
    pairs.iter().flat_map(|pair| world.sample_of(of(pair)).tokens).collect()
}

/// Mean activations of the own runs at the patched positions, by tap and column.
fn means(
    world: &ElementaryWorld,
    model: &dyn Predictor,
    pairs: &[Pair],
    taps: &[String],
) -> anyhow::Result<Vec<Vec<Vec<f32>>>> {
    let rows = patched(world.config().width);
    let plan = Plan { capture: taps.to_vec(), interventions: Vec::new() };
    let mut sums: Vec<Vec<Vec<f64>>> = vec![vec![Vec::new(); rows.len()]; taps.len()];
    for chunk in pairs.chunks(CHUNK) {
        let run = model.run(&tokens(world, chunk, |pair| &pair.own), &plan)?;
        for (sums, captured) in sums.iter_mut().zip(&run.captured) {
            for (sum, &position) in sums.iter_mut().zip(&rows) {
                sum.resize(captured.width, 0.0);
                add(sum, captured, position, chunk.len());
            }
        }
    }
    let mean = |sum: Vec<f64>| sum.into_iter().map(|value| (value / pairs.len().max(1) as f64) as f32).collect();
    Ok(sums.into_iter().map(|tap| tap.into_iter().map(mean).collect()).collect())
}

fn add(sum: &mut [f64], captured: &Captured, position: usize, sequences: usize) {
    for sequence in 0..sequences {
        let row = captured.row(sequence, position);
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
    }
}

fn change(world: &ElementaryWorld, pair: &Pair, place: usize, clean: &Run, edited: &Run) -> Change {
    let length = world.config().length();
    let at = |run: &Run, position: usize, cell: usize| row(run, place, position, length, 2)[cell];
    let own = usize::from(pair.own.rule.next(pair.entry));
    let numbers = world.numbers(&pair.own);
    let fall = |&position: &usize| at(clean, position, numbers[position]) - at(edited, position, numbers[position]);
    Change {
        gain: at(edited, pair.asked, 1 - own) - at(clean, pair.asked, 1 - own),
        loss: at(clean, pair.asked, own) - at(edited, pair.asked, own),
        damage: pair.agreeing.iter().map(fall).sum::<f64>() / pair.agreeing.len().max(1) as f64,
    }
}
