//! Beyond whole tokens: a glider's direction added at a place by dose, and exchanges within a small subspace. Both
//! are learnt on other boards than those they are tried on.

use environments::life::{Heading, LifeWorld, catalogue};
use environments::{Stream, stream};
use models::{Action, Intervention, Plan};
use serde::{Deserialize, Serialize};

use super::forward::alive;
use super::pairs::Pair;
use super::transplant::{Bench, CHUNK, Outcome, Truth, gather};
use super::zoo::{Subject, Zoo};
use crate::context::RunContext;
use crate::evidence::linear::{add_scaled, eigen, orthonormal};
use crate::evidence::numeric::normal;

/// Doses of the glider direction.
pub const DOSES: [f32; 5] = [0.0, 0.25, 0.5, 1.0, 2.0];

/// What the activations of a glider have beyond those of an empty place, at one tap.
pub struct Directions {
    width: usize,
    /// For each heading, phase and alignment: tokens of the frame × width.
    means: Vec<Vec<f32>>,
    /// Principal directions of the differences, as rows, the strongest first.
    principal: Vec<f64>,
    alignments: usize,
}

impl Directions {
    fn class(&self, heading: usize, phase: usize, alignment: usize) -> usize {
        (heading * 4 + phase) * self.alignments + alignment
    }

    /// Learns at a tap from `contexts` recipients: for every heading, phase and alignment, the mean difference that a
    /// glider makes at the tokens of its frame.
    ///
    /// # Errors
    /// Those of the model.
    pub fn learn(bench: &Bench<'_>, contexts: &[Pair], tap: &str) -> anyhow::Result<Self> {
        let world = bench.world;
        let patch = world.config().patch;
        let alignments = (patch * patch) as usize;
        let plan = Plan::reading(&[tap]);
        let empty = bench.run(&contexts.iter().map(|pair| &pair.recipient).collect::<Vec<_>>(), &plan)?;
        let width = empty.captured[0].width;
        let mut directions = Self { width, means: Vec::new(), principal: Vec::new(), alignments };
        let mut moments = vec![0.0; width * width];
        for class in 0..16 * alignments {
            let (heading, phase, alignment) =
                (class / (4 * alignments), class / alignments % 4, (class % alignments) as u32);
            let offset = (alignment % patch, alignment / patch);
            let boards: Vec<_> = contexts
                .iter()
                .map(|pair| {
                    let corner = world.patch_corner(pair.to[0] - 1);
                    let mut board = pair.recipient.clone();
                    let (west, north) = (corner.0 + offset.0, corner.1 + offset.1);
                    let glider = catalogue::glider(Heading::ALL[heading], phase as u32);
                    board.paste(&glider.cells, west.into(), north.into());
                    board
                })
                .collect();
            let with = bench.run(&boards.iter().collect::<Vec<_>>(), &plan)?;
            let mut sum = vec![0.0f64; contexts[0].to.len() * width];
            for (sequence, pair) in contexts.iter().enumerate() {
                let (with, without) = (gather(&with, 0, sequence, &pair.to), gather(&empty, 0, sequence, &pair.to));
                let difference: Vec<f64> = with.iter().zip(&without).map(|(a, b)| f64::from(a - b)).collect();
                for row in difference.chunks_exact(width) {
                    for (place, &value) in row.iter().enumerate() {
                        add_scaled(&mut moments[place * width..(place + 1) * width], value, row);
                    }
                }
                add_scaled(&mut sum, 1.0 / contexts.len() as f64, &difference);
            }
            directions.means.push(sum.into_iter().map(|value| value as f32).collect());
        }
        directions.principal = eigen(&moments, width).1;
        Ok(directions)
    }

    /// The strongest directions, rows × width.
    fn basis(&self, rank: usize) -> Vec<f32> {
        self.principal[..rank.min(self.width) * self.width].iter().map(|value| *value as f32).collect()
    }
}

/// Random orthonormal directions.
fn random_basis(rank: usize, width: usize, chance: &mut Stream) -> Vec<f32> {
    let rows: Vec<f64> = (0..rank.min(width) * width).map(|_| normal(chance)).collect();
    orthonormal(&rows, width).into_iter().map(|value| value as f32).collect()
}

/// What is done at the tokens of the frame.
enum Deed {
    Add { dose: f32, wrong: bool, random: bool },
    Exchange { basis: Vec<f32> },
}

/// Results of steering at one tap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Steering {
    /// Doses of the direction, its controls, and exchanges; each named by what was done.
    pub outcomes: Vec<Outcome>,
}

/// Name of a dose.
pub fn dose_name(dose: f32) -> String {
    format!("direction, dose {dose}")
}

/// Adds glider directions by dose, with a random direction of the same norm and the direction of another heading as
/// controls, and exchanges subspaces, with random ones as controls.
///
/// # Errors
/// Those of the model; when a stop was asked for.
pub fn steer(
    zoo: &Zoo,
    subject: &Subject,
    (contexts, pairs): (&[Pair], &[Pair]),
    horizon: u32,
    tap: &str,
    ranks: &[usize],
    context: &RunContext<'_>,
) -> anyhow::Result<Steering> {
    let world: &LifeWorld = &zoo.world;
    let predictor = zoo.predictor(&subject.parameters)?;
    let bench = Bench { world, predictor: predictor.as_ref(), horizon };
    if contexts.is_empty() {
        return Ok(Steering { outcomes: Vec::new() });
    }
    let directions = Directions::learn(&bench, contexts, tap)?;
    let mut chance = stream(&["glider-chunking", "steering", &subject.name, tap]);
    let mut deeds: Vec<(String, Deed)> =
        DOSES.iter().map(|&dose| (dose_name(dose), Deed::Add { dose, wrong: false, random: false })).collect();
    deeds.push(("direction of another heading".into(), Deed::Add { dose: 1.0, wrong: true, random: false }));
    deeds.push(("random direction, same norm".into(), Deed::Add { dose: 1.0, wrong: false, random: true }));
    for &rank in ranks {
        deeds.push((format!("subspace of {rank}"), Deed::Exchange { basis: directions.basis(rank) }));
        let basis = random_basis(rank, directions.width, &mut chance);
        deeds.push((format!("random subspace of {rank}"), Deed::Exchange { basis }));
    }
    let mut outcomes: Vec<Outcome> =
        deeds.iter().map(|(name, _)| Outcome { tap: tap.into(), patch: name.clone(), tallies: Vec::new() }).collect();
    let (truth, reading) = (Truth::new(world, pairs, horizon), Plan::reading(&[tap]));
    for (number, chunk) in pairs.chunks(CHUNK).enumerate() {
        context.check_stop()?;
        let ends = truth.range(number * CHUNK, chunk.len());
        let own = bench.run(&chunk.iter().map(|pair| &pair.recipient).collect::<Vec<_>>(), &Plan::default())?;
        let donor = bench.run(&chunk.iter().map(|pair| &pair.donor).collect::<Vec<_>>(), &reading)?;
        let clean = alive(world, &own.logits);
        for ((_, deed), outcome) in deeds.iter().zip(&mut outcomes) {
            let mut interventions = Vec::new();
            for (sequence, pair) in chunk.iter().enumerate() {
                let mut act = |rows: Vec<usize>, action: Action| {
                    interventions.push(Intervention { tap: tap.into(), sequence: Some(sequence), rows, action });
                };
                match deed {
                    Deed::Add { dose, wrong, random } => {
                        let heading = if *wrong { pair.wrong_heading } else { pair.heading };
                        let mean = &directions.means[directions.class(heading, pair.phase, pair.alignment)];
                        for (direction, &row) in mean.chunks_exact(directions.width).zip(&pair.to) {
                            let zero = vec![0.0; direction.len()];
                            let direction = if *random {
                                super::transplant::random_like(&zero, direction, 1, &mut chance)
                            } else {
                                direction.to_vec()
                            };
                            act(vec![row], Action::Add { direction, dose: *dose });
                        }
                    }
                    Deed::Exchange { basis } => {
                        let values = gather(&donor, 0, sequence, &pair.from);
                        act(pair.to.clone(), Action::ReplaceWithin { basis: basis.clone(), values });
                    }
                }
            }
            outcome.tallies.extend(bench.tallies(chunk, ends, &clean, interventions, 0)?);
        }
    }
    Ok(Steering { outcomes })
}
