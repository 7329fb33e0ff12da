//! What is measured of one model at the chosen places.

use environments::stream;
use models::{Action, Intervention, Parameters, Plan, predictor};
use serde::{Deserialize, Serialize};

use super::edits::{Change, Choice, Effect, cases, effects};
use super::games::Frame;
use super::readings::{Read, balanced, components, everywhere, of_square, read, total};
use super::{Bench, NAME};
use crate::context::RunContext;
use crate::evidence::numeric::log_softmax;
use crate::evidence::sources::Features;
use crate::evidence::{Eraser, Probe, Whitening, fit, online_code, probe};
use crate::machines::train;

/// Principal components from which the board is read, to sweep a probe's capacity.
const COMPONENTS: [usize; 3] = [16, 32, 64];
/// Games that go through a model together.
const CHUNK: usize = 64;
/// Rows that a perceptron is fitted to, about.
const PERCEPTRON_ROWS: usize = 4000;

/// What is measured of one model at the chosen places.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Closer {
    /// Labels of the control task, read as mine or theirs is.
    pub control: Read,
    /// Mine or theirs from so many principal components, and the control task.
    pub components: Vec<(usize, Read, Read)>,
    /// A probe that was fitted to the first half of the moves alone, scored on the second.
    pub unseen: Read,
    /// By frame: of some squares together, tallies of turned discs by game, for a linear probe, for a perceptron, and for
    /// the listed probes.
    pub single: [Vec<Vec<[f64; 4]>>; 2],
    /// Compression of the labels of single squares by the online code.
    pub codes: Vec<Option<f64>>,
    /// At checkpoints, on the games for choosing: step, and balanced accuracy by frame.
    pub curve: Vec<(u64, [f64; 2])>,
    /// By change (as in [`Change::ALL`]) and case.
    pub effects: Vec<Vec<Effect>>,
    /// Dimensions that are erased.
    pub rank: usize,
    /// By game, from the opening on: nats as it is, with mine or theirs erased, with a random subspace of its rank erased;
    /// moves.
    pub nats: Vec<[f64; 4]>,
}

impl Bench<'_> {
    /// Squares that are read one by one: near a corner, at the border, and between.
    fn single(&self) -> [usize; 4] {
        let size = self.world.config().size;
        [1, 2, size + 1, size + 2]
    }

    /// Compression of the labels of single squares, mine or theirs.
    pub fn codes(&self, features: &[Features; 3], name: &str) -> Vec<Option<f64>> {
        let one = |square: usize| {
            let (data, _) = of_square(&self.parts[0], &self.truths[0][0], &features[0], square, 3);
            let mut chance = stream(&[NAME, "online code", name, &square.to_string()]);
            online_code(Probe::Ridge, &data, 128, &mut chance)?.compression()
        };
        self.single().into_iter().map(one).collect()
    }

    /// The probes that read single squares: their names, and what they are.
    pub fn probes(&self) -> Vec<(String, Probe)> {
        let width = self.measure.perceptron;
        let built_in = [("linear".to_string(), Probe::Logistic), (format!("perceptron of {width}"), Probe::Mlp(width))];
        // Names were checked when the config was.
        let listed = self.measure.probes.iter().filter_map(|name| Some((name.clone(), probe::find(name).ok()?)));
        built_in.into_iter().chain(listed).collect()
    }

    fn read_single(&self, frame: Frame, features: &[Features; 3], name: &str) -> Vec<Vec<[f64; 4]>> {
        let truth = &self.truths[frame as usize];
        let every = self.parts[0].rows().div_ceil(PERCEPTRON_ROWS);
        let read = |(_, probe): (String, Probe)| {
            let mut tallies = vec![[0.0; 4]; self.parts[2].games.len()];
            for square in self.single() {
                let of = |part: usize, every: usize| {
                    of_square(&self.parts[part], &truth[part], &features[part], square, every)
                };
                let ((train, _), (choose, _), (report, rows)) = (of(0, every), of(1, every.div_ceil(2)), of(2, 1));
                let mut chance = stream(&[NAME, "perceptron", name, frame.name(), &square.to_string()]);
                let Some(fitted) = fit(probe, &train, &choose, &mut chance) else { continue };
                for ((said, &label), row) in
                    fitted.predict(&report).predicted().into_iter().zip(&report.labels).zip(rows)
                {
                    if self.parts[2].position(row).was_turned(square) {
                        let tally = &mut tallies[self.parts[2].places.at[row].0];
                        tally[2 * label] += f64::from(u8::from(said == label));
                        tally[2 * label + 1] += 1.0;
                    }
                }
            }
            tallies
        };
        self.probes().into_iter().map(read).collect()
    }

    /// Measures one model.
    ///
    /// # Errors
    /// Those of the model; when a stop was asked for.
    pub fn closer(
        &self,
        model: &Parameters,
        name: &str,
        (chosen, (tap, choice)): ([usize; 2], (usize, Choice)),
        context: &RunContext<'_>,
    ) -> anyhow::Result<Closer> {
        let at = |frame: Frame| self.features(model, &self.taps[chosen[frame as usize]], context);
        let (relative, absolute) = (at(Frame::Relative)?, at(Frame::Absolute)?);
        let (truth, rows) = (&self.truths[0], everywhere(&self.parts));
        let control = self.parts.each_ref().map(|part| part.control());
        let few = COMPONENTS.iter().filter(|&&count| count < relative[0].width).map(|&count| {
            let few = components(&relative, count);
            (count, read(&self.parts, truth, &few, &rows), read(&self.parts, &control, &few, &rows))
        });
        let components = few.collect();
        context.check_stop()?;
        let half = (self.world.config().opening + self.world.config().length) / 2;
        let early = |part: usize| self.parts[part].where_token(|token| token < half);
        let late = self.parts[2].where_token(|token| token >= half);
        let unseen = read(&self.parts, truth, &relative, &[early(0), early(1), late]);
        let single =
            [self.read_single(Frame::Relative, &relative, name), self.read_single(Frame::Absolute, &absolute, name)];
        let mut curve = Vec::new();
        for (step, parameters) in train::checkpoints(name, context)? {
            context.check_stop()?;
            let score = |frame: Frame| -> anyhow::Result<f64> {
                let features = self.features(&parameters, &self.taps[chosen[frame as usize]], context)?;
                Ok(read(&self.parts, &self.truths[frame as usize], &features, &rows).choose)
            };
            curve.push((step, [score(Frame::Relative)?, score(Frame::Absolute)?]));
        }
        let predictor = predictor(model, context.device())?;
        let cases = cases(self.world, &self.parts[2], self.measure.edits, &[NAME, "test"]);
        let mut all_effects = Vec::new();
        if let Some(kit) = self.kit(model, &self.taps[tap], context)? {
            for change in Change::ALL {
                let (part, at) = ((&self.parts[2], &cases[..]), (self.taps[tap].as_str(), &kit));
                all_effects.push(effects(self.world, predictor.as_ref(), part, at, (change, choice), context)?);
            }
        }
        let (rank, nats) = self.erased(model, tap, name, context)?;
        Ok(Closer {
            control: read(&self.parts, &control, &relative, &rows),
            components,
            unseen,
            single,
            codes: self.codes(&relative, name),
            curve,
            effects: all_effects,
            rank,
            nats,
        })
    }

    /// Mine or theirs of all squares erased at a tap, wherever a move is predicted from the opening on.
    fn erased(
        &self,
        model: &Parameters,
        tap: usize,
        name: &str,
        context: &RunContext<'_>,
    ) -> anyhow::Result<(usize, Vec<[f64; 4]>)> {
        let features = self.features(model, &self.taps[tap], context)?;
        let squares = self.parts[0].squares;
        let signed = self.truths[0][0].iter().map(|&class| [1.0, -1.0, 0.0][usize::from(class)]);
        let whitening = Whitening::fit(&features[0].values, features[0].width);
        let eraser = whitening.erase_quantities(&features[0].values, &signed.collect::<Vec<_>>(), squares);
        let random = whitening.erase_random(eraser.rank(), &mut stream(&[NAME, "erasure", name]));
        let predictor = predictor(model, context.device())?;
        let part = &self.parts[2];
        let (length, targets) = (part.places.length(), squares - 4);
        let mut nats = vec![[0.0; 4]; part.games.len()];
        let mut row = 0;
        for (number, chunk) in part.places.tokens.chunks(CHUNK).enumerate() {
            context.check_stop()?;
            let first = number * CHUNK;
            let rows: Vec<usize> =
                (row..part.rows()).take_while(|&row| part.places.at[row].0 < first + chunk.len()).collect();
            row += rows.len();
            let tokens = chunk.concat();
            let with = |eraser: Option<&Eraser>| {
                let one = |(eraser, &row): (&Eraser, &usize)| {
                    let mut values = features[2].row(row).to_vec();
                    eraser.apply(&mut values);
                    let (game, token) = part.places.at[row];
                    let action = Action::Replace { values };
                    Intervention {
                        tap: self.taps[tap].clone(),
                        sequence: Some(game - first),
                        rows: vec![token],
                        action,
                    }
                };
                let changes = eraser.into_iter().flat_map(|eraser| rows.iter().map(move |row| (eraser, row)));
                predictor.run(&tokens, &Plan { capture: Vec::new(), interventions: changes.map(one).collect() })
            };
            for (kind, run) in [with(None)?, with(Some(&eraser))?, with(Some(&random))?].into_iter().enumerate() {
                for &row in &rows {
                    let (game, token) = part.places.at[row];
                    let start = ((game - first) * length + token) * targets;
                    let mut said: Vec<f64> =
                        run.logits[start..start + targets].iter().map(|&logit| f64::from(logit)).collect();
                    log_softmax(&mut said);
                    let next = self.world.symbol_of(part.games[game].moves[token + 1]);
                    nats[game][kind] -= next.map_or(0.0, |next| said[usize::from(next)]);
                    nats[game][3] += if kind == 0 { 1.0 } else { 0.0 };
                }
            }
        }
        Ok((eraser.rank(), nats))
    }
}

/// Balanced accuracy of all games together.
pub fn pooled(tallies: &[[f64; 4]]) -> f64 {
    balanced(&total(tallies)).unwrap_or(0.5)
}
