//! Interventions on an entry as the residual stream carries it: the twin's entry written over the own one, and erasure,
//! both scored at the entry's next use, which is outside the edited positions, against the simulator's run of the twin.

use environments::turing::TuringWorld;
use environments::{Environment, Symbol, stream};
use models::{Action, Intervention, Plan, Predictor, Run};
use serde::{Deserialize, Serialize};

use super::super::twins::measure::{given_read, row};
use super::super::twins::pairs::Pair;
use super::moments::{Features, Frame, entries, relative};
use super::readings::{FITTED, Sets};
use crate::context::RunContext;
use crate::evidence::numeric::normal;
use crate::evidence::{Eraser, Whitening};

/// Pairs that go through a model together.
const CHUNK: usize = 32;

/// What is done at the positions between the entry's firing and its next use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// The way from the mean activation under the own transition to that under the twin's is added, where the token does
    /// not hold the entry's step.
    Carried,
    /// Half of it.
    Half,
    /// Twice it.
    Double,
    /// The same way at the positions that hold the entry's step as well.
    Everywhere,
    /// A random vector of the same length, at the positions of `Carried`.
    Random,
    /// The same transitions' way of another entry: the wrong concept.
    OtherEntry,
    /// Nothing, added.
    Null,
    /// What is linear of the entry is erased (LEACE), at the positions of `Carried`.
    Erase,
    /// A random subspace of the same rank is erased.
    EraseRandom,
}

impl Write {
    /// All, in the order in which they are kept.
    pub const ALL: [Write; 9] = [
        Write::Carried,
        Write::Half,
        Write::Double,
        Write::Everywhere,
        Write::Random,
        Write::OtherEntry,
        Write::Null,
        Write::Erase,
        Write::EraseRandom,
    ];

    /// In words.
    pub fn name(self) -> &'static str {
        [
            "twin's entry",
            "half of it",
            "twice it",
            "also where the entry fired",
            "random, same norm",
            "another entry",
            "null",
            "entry erased",
            "random subspace erased",
        ][self as usize]
    }
}

/// What an intervention changes at one pair.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Rise of the probability of the twin's write and move, given the symbol read, at the entry's next use.
    pub gain: f64,
    /// Fall of the probability of the own one there.
    pub loss: f64,
    /// Mean fall of the probability of the true write and move at later uses of other entries, outside what was edited.
    pub damage: f64,
}

/// Positions between firing and next use: those that hold the entry's step, and the others.
fn between(pair: &Pair) -> (Vec<usize>, Vec<usize>) {
    let next = pair.uses[0];
    (pair.fired + 1..next).partition(|&position| {
        let step = &pair.own.steps[position - 1];
        (step.state, step.token.read) == pair.entry
    })
}

/// Whether there is a position at which an entry would have to be carried.
pub fn carries(pair: &Pair) -> bool {
    !between(pair).1.is_empty()
}

/// States are named by their appearance in the own run.
fn name_of(pair: &Pair, state: u8) -> Option<u8> {
    let mut names = vec![0u8];
    for step in &pair.own.steps {
        if !names.contains(&step.next) {
            names.push(step.next);
        }
    }
    names.iter().position(|own| *own == state).map(|place| place as u8)
}

/// The pair's entry as it stands at a position: its number among the entries of a frame, and the classes of its
/// transition in the own machine and the twin.
fn classes(world: &TuringWorld, pair: &Pair, frame: Frame, position: usize) -> Option<(usize, usize, usize)> {
    let (states, symbols) = (world.config().states, world.config().symbols);
    let here = usize::from(name_of(pair, pair.own.steps[position].state)?);
    let class = |machine: &environments::turing::Machine| {
        let entry = machine.entry(pair.entry.0, pair.entry.1)?;
        let next = usize::from(name_of(pair, entry.next?)?);
        let right = usize::from(entry.shift == environments::turing::Move::Right);
        let class = (next * 2 + right) * symbols + usize::from(entry.write);
        Some(if frame == Frame::Relative { relative(class, here, world) } else { class })
    };
    let named = usize::from(name_of(pair, pair.entry.0)?);
    let state = if frame == Frame::Relative { (named + states - here) % states } else { named };
    Some((state * symbols + usize::from(pair.entry.1), class(&pair.own.machine)?, class(&pair.twin.machine)?))
}

/// What the interventions are made of, from the moments for fitting.
struct Kit {
    width: usize,
    /// By entry and class: the mean activation; `None` for a class that does not occur.
    means: Vec<Vec<Option<Vec<f64>>>>,
    /// By entry.
    erasers: Vec<Eraser>,
    random: Vec<Eraser>,
}

impl Kit {
    fn new(sets: &Sets, frame: Frame, features: &Features, address: &[&str]) -> Self {
        let mut chance = stream(address);
        let (mut means, mut erasers, mut random) = (Vec::new(), Vec::new(), Vec::new());
        for concept in entries(sets.concepts.len(), frame) {
            let classes = sets.concepts[concept].1;
            let (data, _) = sets.parts[0].rows(features, (concept, classes), &FITTED);
            let counts = data.class_counts();
            let mut sums = vec![vec![0.0; features.width]; classes];
            for (place, &label) in data.labels.iter().enumerate() {
                sums[label].iter_mut().zip(data.row(place)).for_each(|(sum, value)| *sum += f64::from(*value));
            }
            let mean = |(mut sum, &count): (Vec<f64>, &usize)| {
                sum.iter_mut().for_each(|value| *value /= count.max(1) as f64);
                (count > 0).then_some(sum)
            };
            means.push(sums.into_iter().zip(&counts).map(mean).collect());
            let whitening = Whitening::fit(&data.features, features.width);
            let eraser = whitening.erase(&data.features, &data.labels, classes);
            random.push(whitening.erase_random(eraser.rank(), &mut chance));
            erasers.push(eraser);
        }
        Self { width: features.width, means, erasers, random }
    }

    fn way(&self, entry: usize, from: usize, to: usize) -> Option<Vec<f64>> {
        let (from, to) = (self.means[entry][from].as_ref()?, self.means[entry][to].as_ref()?);
        Some(to.iter().zip(from).map(|(to, from)| to - from).collect())
    }
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// Measures all interventions on a model: by intervention (as in [`Write::ALL`]) and pair.
///
/// # Errors
/// Those of the model; when a stop was asked for.
pub fn changes(
    world: &TuringWorld,
    model: &dyn Predictor,
    (sets, frame, features): (&Sets, Frame, &Features),
    pairs: &[Pair],
    (tap, address): (&str, &[&str]),
    context: &RunContext<'_>,
) -> anyhow::Result<Vec<Vec<Change>>> {
    let kit = Kit::new(sets, frame, features, address);
    let mut chance = stream(&[address, &["random"]].concat());
    let mut all = vec![Vec::with_capacity(pairs.len()); Write::ALL.len()];
    for chunk in pairs.chunks(CHUNK) {
        context.check_stop()?;
        let tokens: Vec<Symbol> = chunk.iter().flat_map(|pair| world.sample_of(&pair.own).tokens).collect();
        let clean = model.run(&tokens, &Plan::reading(&[tap]))?;
        for (kind, &write) in Write::ALL.iter().enumerate() {
            let mut interventions = Vec::new();
            for (sequence, pair) in chunk.iter().enumerate() {
                let (shown, carried) = between(pair);
                let rows = if write == Write::Everywhere { [shown, carried].concat() } else { carried };
                // One random direction a pair, whatever its positions.
                let random: Vec<f64> = (0..kit.width).map(|_| normal(&mut chance)).collect();
                for row in rows {
                    let Some((entry, own, twin)) = classes(world, pair, frame, row) else { continue };
                    let Some(way) = kit.way(entry, own, twin) else { continue };
                    let erased = |eraser: &Eraser| {
                        let mut values = clean.captured[0].row(sequence, row).to_vec();
                        eraser.apply(&mut values);
                        Action::Replace { values }
                    };
                    let add = |way: &[f64], scale: f64, dose: f32| Action::Add {
                        direction: way.iter().map(|value| (scale * value) as f32).collect(),
                        dose,
                    };
                    let action = match write {
                        Write::Carried | Write::Everywhere => add(&way, 1.0, 1.0),
                        Write::Half => add(&way, 1.0, 0.5),
                        Write::Double => add(&way, 1.0, 2.0),
                        Write::Null => add(&way, 1.0, 0.0),
                        Write::Random => add(&random, norm(&way) / norm(&random).max(1e-12), 1.0),
                        Write::OtherEntry => {
                            let other = (entry + 1 + pair.fired % (kit.means.len() - 1)) % kit.means.len();
                            let Some(wrong) = kit.way(other, own, twin) else { continue };
                            add(&wrong, norm(&way) / norm(&wrong).max(1e-12), 1.0)
                        }
                        Write::Erase => erased(&kit.erasers[entry]),
                        Write::EraseRandom => erased(&kit.random[entry]),
                    };
                    interventions.push(Intervention {
                        tap: tap.into(),
                        sequence: Some(sequence),
                        rows: vec![row],
                        action,
                    });
                }
            }
            let edited = model.run(&tokens, &Plan { capture: Vec::new(), interventions })?;
            all[kind].extend(chunk.iter().enumerate().map(|(place, pair)| change(world, pair, place, &clean, &edited)));
        }
    }
    Ok(all)
}

fn change(world: &TuringWorld, pair: &Pair, sequence: usize, clean: &Run, edited: &Run) -> Change {
    let (symbols, length, targets) = (world.config().symbols, world.config().length, world.targets());
    let at = |run: &Run, position: usize, step: usize| {
        given_read(&row(run, sequence, position, length, targets), step, symbols)
    };
    let next = pair.uses[0];
    let fall = |position: usize| {
        let step = pair.own.steps[position].token.index(symbols);
        at(clean, position, step) - at(edited, position, step)
    };
    let others: Vec<f64> = pair.others.iter().filter(|&&position| position >= next).map(|&p| fall(p)).collect();
    Change {
        gain: at(edited, next, pair.twin_step) - at(clean, next, pair.twin_step),
        loss: at(clean, next, pair.own_step) - at(edited, next, pair.own_step),
        damage: others.iter().sum::<f64>() / others.len().max(1) as f64,
    }
}
