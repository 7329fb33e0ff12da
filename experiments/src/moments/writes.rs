//! Interventions on an entry of a table as the residual stream carries it: another author's entry written over the own
//! one, and erasure, both scored at the entry's next use, which is outside the edited positions, against what the
//! simulator makes of the other author.

use std::ops::Range;

use environments::{Stream, Symbol};
use models::{Action, Intervention, Plan, Predictor, Run};
use serde::{Deserialize, Serialize};

use super::Features;
use super::readings::{FITTED, Sets};
use crate::claims::{Evidence, figure};
use crate::context::RunContext;
use crate::evidence::metrics::ratio;
use crate::evidence::numeric::normal;
use crate::evidence::statistics::mean;
use crate::evidence::{Arm, Design, Eraser, Estimate, Whitening};
use crate::experiment::{Section, Table};
use crate::machines::words::{Desk, above, estimated};
use crate::moments::beside::apart;

/// Sequences that go through a model together.
const CHUNK: usize = 32;

/// What is done at the positions between an entry's firing and its next use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// The way from the mean activation under the own class to that under the other's is added, where the token does
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
    /// The same classes' way of another entry: the wrong concept.
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

/// What an intervention changes in one sequence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Rise of the probability of what the other author does at the entry's next use.
    pub gain: f64,
    /// Fall of the probability of what the own one does there.
    pub loss: f64,
    /// Mean fall of the probability of what is true at uses of other entries.
    pub damage: f64,
}

/// Where an entry is written in one sequence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// Positions that hold the entry's step.
    pub shown: Vec<usize>,
    /// The others between its firing and its next use.
    pub carried: Vec<usize>,
    /// Chooses the other entry that is the wrong one.
    pub wrong: usize,
}

/// An entry at a position: its number, and its class under the own author and under the other.
pub type Entry = (usize, usize, usize);

/// What the interventions are made of, from the moments for fitting.
pub struct Kit {
    width: usize,
    /// By entry and class: the mean activation; `None` for a class that does not occur.
    means: Vec<Vec<Option<Vec<f64>>>>,
    /// By entry.
    erasers: Vec<Eraser>,
    random: Vec<Eraser>,
}

impl Kit {
    /// The kit of some concepts, the entries, from features of the moments for fitting.
    pub fn new(sets: &Sets, concepts: Range<usize>, features: &Features, chance: &mut Stream) -> Self {
        let (mut means, mut erasers, mut random) = (Vec::new(), Vec::new(), Vec::new());
        for concept in concepts {
            let classes = sets.concepts[concept].classes;
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
            random.push(whitening.erase_random(eraser.rank(), chance));
            erasers.push(eraser);
        }
        Self { width: features.width, means, erasers, random }
    }

    /// From the mean activation under one class of an entry to that under another.
    pub fn way(&self, entry: usize, from: usize, to: usize) -> Option<Vec<f64>> {
        let (from, to) = (self.means[entry][from].as_ref()?, self.means[entry][to].as_ref()?);
        Some(to.iter().zip(from).map(|(to, from)| to - from).collect())
    }

    fn action(
        &self,
        write: Write,
        (entry, own, other): Entry,
        wrong: usize,
        random: &[f64],
        here: &[f32],
    ) -> Option<Action> {
        let way = self.way(entry, own, other)?;
        let erased = |eraser: &Eraser| {
            let mut values = here.to_vec();
            eraser.apply(&mut values);
            Action::Replace { values }
        };
        let add = |way: &[f64], scale: f64, dose: f32| Action::Add {
            direction: way.iter().map(|value| (scale * value) as f32).collect(),
            dose,
        };
        Some(match write {
            Write::Carried | Write::Everywhere => add(&way, 1.0, 1.0),
            Write::Half => add(&way, 1.0, 0.5),
            Write::Double => add(&way, 1.0, 2.0),
            Write::Null => add(&way, 1.0, 0.0),
            Write::Random => add(random, norm(&way) / norm(random).max(1e-12), 1.0),
            Write::OtherEntry => {
                let place = (entry + 1 + wrong % (self.means.len() - 1)) % self.means.len();
                let wrong = self.way(place, own, other)?;
                add(&wrong, norm(&way) / norm(&wrong).max(1e-12), 1.0)
            }
            Write::Erase => erased(&self.erasers[entry]),
            Write::EraseRandom => erased(&self.random[entry]),
        })
    }
}

/// The length of a vector.
pub fn norm(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// The sequences in which entries are written, and how that is scored.
pub trait Writable {
    /// Number of sequences.
    fn len(&self) -> usize;

    /// The tokens of a sequence.
    fn tokens(&self, number: usize) -> Vec<Symbol>;

    /// Where its entry is written.
    fn site(&self, number: usize) -> Site;

    /// The entry as it stands at a position of it.
    fn entry(&self, number: usize, position: usize) -> Option<Entry>;

    /// What an edit changed in a sequence that is at a place of both runs.
    fn change(&self, number: usize, place: usize, clean: &Run, edited: &Run) -> Change;
}

/// Measures all interventions on a model: by intervention (as in [`Write::ALL`]) and sequence.
///
/// # Errors
/// Those of the model; when a stop was asked for.
pub fn changes(
    on: &dyn Writable,
    model: &dyn Predictor,
    (kit, tap): (&Kit, &str),
    chance: &mut Stream,
    context: &RunContext<'_>,
) -> anyhow::Result<Vec<Vec<Change>>> {
    let mut all = vec![Vec::with_capacity(on.len()); Write::ALL.len()];
    for first in (0..on.len()).step_by(CHUNK) {
        context.check_stop()?;
        let chunk = first..(first + CHUNK).min(on.len());
        let tokens: Vec<Symbol> = chunk.clone().flat_map(|number| on.tokens(number)).collect();
        let clean = model.run(&tokens, &Plan::reading(&[tap]))?;
        for (kind, &write) in Write::ALL.iter().enumerate() {
            let mut interventions = Vec::new();
            for number in chunk.clone() {
                let Site { shown, carried, wrong } = on.site(number);
                let rows = if write == Write::Everywhere { [shown, carried].concat() } else { carried };
                // One random direction a sequence, whatever its positions.
                let random: Vec<f64> = (0..kit.width).map(|_| normal(chance)).collect();
                for row in rows {
                    let here = clean.captured[0].row(number - first, row);
                    let entry = on.entry(number, row);
                    let action = entry.and_then(|entry| kit.action(write, entry, wrong, &random, here));
                    let sequence = Some(number - first);
                    interventions.extend(action.map(|action| Intervention {
                        tap: tap.into(),
                        sequence,
                        rows: vec![row],
                        action,
                    }));
                }
            }
            let edited = model.run(&tokens, &Plan { capture: Vec::new(), interventions })?;
            all[kind].extend(chunk.clone().map(|number| on.change(number, number - first, &clean, &edited)));
        }
    }
    Ok(all)
}

/// What the interventions changed in every model.
pub struct Written<'a> {
    models: Vec<&'a Vec<Vec<Change>>>,
}

impl<'a> Written<'a> {
    /// By model, intervention and sequence.
    pub fn new(models: Vec<&'a Vec<Vec<Change>>>) -> Self {
        Self { models }
    }

    /// Seeds × sequences × (gain, loss, damage, 1) of an intervention.
    fn arm(&self, write: Write) -> Arm {
        let one = |changes: &&Vec<Vec<Change>>| -> Vec<Vec<f64>> {
            changes[write as usize].iter().map(|c| vec![c.gain, c.loss, c.damage, 1.0]).collect()
        };
        Arm::new(&self.models.iter().map(one).collect::<Vec<_>>())
    }

    /// Mean over models and sequences.
    pub fn mean(&self, write: Write, of: fn(&Change) -> f64) -> f64 {
        let one = |changes: &&Vec<Vec<Change>>| mean(&changes[write as usize].iter().map(of).collect::<Vec<_>>());
        mean(&self.models.iter().map(one).collect::<Vec<_>>())
    }

    fn beyond(
        &self,
        desk: &Desk<'_>,
        what: &str,
        arms: [Write; 2],
        statistic: fn(&[f64]) -> Option<f64>,
    ) -> Option<Estimate> {
        let [one, other] = arms.map(|write| self.arm(write));
        desk.estimate(what, Design::Crossed, &[&one, &other], &apart(&statistic))
    }

    /// Item 1: writing the other's entry makes the model expect what the other does.
    pub fn causal(&self, desk: &Desk<'_>, tap: &str) -> Evidence {
        let beats = |control: Write| {
            let what = format!("carried beyond {}", control.name());
            self.beyond(desk, &what, [Write::Carried, control], |t| ratio(t[0], t[3]))
        };
        let (random, other) = (beats(Write::Random), beats(Write::OtherEntry));
        let null = self.mean(Write::Null, |c| c.gain);
        let gains: Vec<String> = Write::ALL[..7]
            .iter()
            .map(|&write| format!("{} {}", write.name(), figure(self.mean(write, |c| c.gain))))
            .collect();
        Evidence::new(
            1,
            above(&random) && above(&other) && null == 0.0,
            format!(
                "the twin's entry written over the own one at {tap}, at positions that do not hold its step; rise of the \
                 probability of what the twin does, by the simulator, at the entry's next use: {}; beyond the random vector {}, \
                 beyond the wrong entry {}; fall at other entries {}",
                gains.join(", "),
                estimated(&random),
                estimated(&other),
                figure(self.mean(Write::Carried, |c| c.damage))
            ),
        )
    }

    /// Item 7: erasing the entry costs its next use, more than a random subspace does, and more than uses of others.
    pub fn necessary(&self, desk: &Desk<'_>) -> Evidence {
        let necessity =
            self.beyond(desk, "erasure beyond random", [Write::Erase, Write::EraseRandom], |t| ratio(t[1], t[3]));
        Evidence::new(
            7,
            above(&necessity),
            format!(
                "fall of the own step's probability at the entry's next use by LEACE of the entry, beyond a random subspace of its \
                 rank: {}",
                estimated(&necessity)
            ),
        )
    }

    /// All means, by name.
    pub fn json(&self) -> serde_json::Value {
        let one = |&write: &Write| {
            let of = |pick: fn(&Change) -> f64| self.mean(write, pick);
            let value =
                serde_json::json!({ "gain": of(|c| c.gain), "loss": of(|c| c.loss), "damage": of(|c| c.damage) });
            (write.name().to_string(), value)
        };
        Write::ALL.iter().map(one).collect::<serde_json::Map<_, _>>().into()
    }

    /// What the report shows of them.
    pub fn section(&self, claim: &str) -> Section {
        let rows = Write::ALL
            .iter()
            .map(|&write| {
                let of = |pick: fn(&Change) -> f64| figure(self.mean(write, pick));
                vec![write.name().into(), of(|c| c.gain), of(|c| c.loss), of(|c| c.damage)]
            })
            .collect();
        Section {
            title: "Writing an entry".into(),
            claim: Some(claim.into()),
            text: vec![
                "Between the firing of an entry and its next use, the way from the own transition's mean activation to the \
                 twin's is added; the prediction at the next use is scored, which is not edited."
                    .into(),
            ],
            figures: Vec::new(),
            tables: vec![Table {
                caption: "Means over models and pairs, in probability.".into(),
                header: ["edit", "gain of the twin's step", "loss of the own step", "loss at other entries"]
                    .map(String::from)
                    .to_vec(),
                rows,
            }],
        }
    }
}
