//! A disc turned over inside a model: its activation at the last move seen is moved as one square's disc changes hands, and
//! which moves the model then expects is compared with the moves that the rules allow on the edited board.

use environments::othello::{OthelloWorld, Position};
use environments::{Draw, Edit as WorldEdit, Environment, stream};
use models::{Action, Intervention, Plan, Predictor, Run};
use serde::{Deserialize, Serialize};

use super::games::{CLASSES, Frame, Part};
use super::readings::one_hot;
use crate::context::RunContext;
use crate::evidence::numeric::{exponential, log_softmax, logarithm, normal};
use crate::evidence::sources::Features;
use crate::evidence::{Ridge, Targets};

/// Games that go through a model together.
const CHUNK: usize = 64;
/// Multiples of an edit among which one is chosen on other games.
pub const DOSES: [f32; 4] = [0.5, 1.0, 2.0, 4.0];

/// Where an edit's direction comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    /// By how much the activation changes with the disc, the other squares being equal: a regression of the activation on
    /// the board.
    Written,
    /// Along the probe's weights, as far as its reading changes from the one player to the other.
    Read,
}

impl Way {
    /// Both.
    pub const ALL: [Way; 2] = [Way::Written, Way::Read];

    /// In words.
    pub fn name(self) -> &'static str {
        ["the regression of the activation on the board", "the probe's weights"][self as usize]
    }
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The disc is turned over, at the chosen dose.
    Turn,
    /// At half of it.
    Half,
    /// At twice it.
    Double,
    /// Another square's disc is turned over: the wrong concept.
    OtherSquare,
    /// The disc is turned over in the frame of colours: the wrong frame.
    OtherFrame,
    /// A random vector as long.
    Random,
    /// Nothing, added.
    Null,
}

impl Change {
    /// All, in the order in which they are kept.
    pub const ALL: [Change; 7] = [
        Change::Turn,
        Change::Half,
        Change::Double,
        Change::OtherSquare,
        Change::OtherFrame,
        Change::Random,
        Change::Null,
    ];

    /// In words.
    pub fn name(self) -> &'static str {
        [
            "disc turned",
            "half of it",
            "twice it",
            "another square's disc",
            "in the frame of colours",
            "random, same norm",
            "null",
        ][self as usize]
    }
}

/// A place in a game at which a disc that matters can be turned over.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The game.
    pub game: usize,
    /// The last token that is seen.
    pub token: usize,
    /// The square.
    pub square: usize,
    /// Another square with a disc.
    pub other: usize,
    /// The position after the edit, by the simulator.
    pub truth: Position,
}

/// One case a game, where there is one: a disc that, turned over, changes what the same player may do.
pub fn cases(world: &OthelloWorld, part: &Part, count: usize, address: &[&str]) -> Vec<Case> {
    let size = world.config().size;
    let one = |game: usize| {
        let mut chance = stream(&[address, &["cases", &game.to_string()]].concat());
        let rows: Vec<usize> = (0..part.rows()).filter(|&row| part.places.at[row].0 == game).collect();
        if rows.is_empty() {
            return None;
        }
        (0..50).find_map(|_| {
            let row = rows[chance.below(rows.len() as u64) as usize];
            let position = part.position(row);
            let discs: Vec<usize> = (0..part.squares).filter(|&square| position.board.at(square).is_some()).collect();
            let mut draw = || discs[chance.below(discs.len() as u64) as usize];
            let (square, other) = (draw(), draw());
            let token = part.places.at[row].1;
            let cells = vec![((square % size) as u32, (square / size) as u32)];
            let edit = WorldEdit::Turn { after: token as u32 + 1, cells };
            let edited = world.edit(&part.games[game], &[edit]).ok()?;
            let truth = *edited.positions.get(token + 1)?;
            let counts = truth.mover.is_some() && truth.mover == position.mover && truth.moves() != position.moves();
            (counts && other != square).then_some(Case { game, token, square, other, truth })
        })
    };
    (0..part.games.len().min(count)).filter_map(one).collect()
}

/// Directions at one tap, by square: added, they turn a disc of the frame's first player into one of the second.
pub struct Kit {
    width: usize,
    /// By way, of the relative frame.
    ways: [Vec<Vec<f64>>; 2],
    /// Of the absolute frame, by regression of the activation.
    absolute: Vec<Vec<f64>>,
}

/// The linear part of a ridge: (features × outputs), by rows of features.
fn linear(ridge: &Ridge, features: usize, outputs: usize) -> Vec<f64> {
    let mut rows = vec![0.0; (features + 1) * features];
    (0..features).for_each(|place| rows[(place + 1) * features + place] = 1.0);
    let said = ridge.predict(&rows);
    let (start, rest) = said.split_at(outputs);
    rest.chunks_exact(outputs).flat_map(|row| row.iter().zip(start).map(|(a, b)| a - b)).collect()
}

impl Kit {
    /// Learns from the rows for fitting and for choosing, at one tap. `None` without rows.
    pub fn new(parts: [&Part; 2], truths: [[&[u8]; 2]; 2], features: [&Features; 2]) -> Option<Self> {
        let (squares, width) = (parts[0].squares, features[0].width);
        let count = squares * CLASSES;
        let boards: [[Vec<f64>; 2]; 2] = truths.map(|frame| frame.map(one_hot));
        let written = |frame: usize| -> Option<Vec<Vec<f64>>> {
            let narrow = |values: &[f64]| values.iter().map(|value| *value as f32).collect::<Vec<f32>>();
            let wide = |values: &[f32]| values.iter().map(|value| f64::from(*value)).collect::<Vec<f64>>();
            let inputs = boards[frame].each_ref().map(|board| narrow(board));
            let outputs = features.map(|features| wide(&features.values));
            let targets =
                |part: usize| Targets { features: &inputs[part], width: count, outputs: &outputs[part], count: width };
            let map = linear(&Ridge::fit(targets(0), targets(1))?, count, width);
            let row = |place: usize| &map[place * width..(place + 1) * width];
            let way = |square: usize| {
                row(square * CLASSES + 1).iter().zip(row(square * CLASSES)).map(|(to, from)| to - from).collect()
            };
            Some((0..squares).map(way).collect())
        };
        let targets = |part: usize| Targets {
            features: &features[part].values,
            width,
            outputs: &boards[Frame::Relative as usize][part],
            count,
        };
        let map = linear(&Ridge::fit(targets(0), targets(1))?, width, count);
        let read = |square: usize| {
            // By how much more the second player is said for a step along each feature.
            let place = square * CLASSES;
            let weights: Vec<f64> = map.chunks_exact(count).map(|row| row[place + 1] - row[place]).collect();
            let square = weights.iter().map(|weight| weight * weight).sum::<f64>().max(1e-12);
            // From 1 for the first player to 1 for the second.
            weights.iter().map(|weight| 2.0 * weight / square).collect()
        };
        let ways = [written(Frame::Relative as usize)?, (0..squares).map(read).collect()];
        Some(Self { width, ways, absolute: written(Frame::Absolute as usize)? })
    }
}

/// What a change did in one case.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Divergence (nats) of what the model expects from all moves that are legal on the edited board being equally likely.
    pub after: f64,
    /// The same without the change.
    pub before: f64,
    /// Of as many likeliest moves as are legal on the edited board, those that are not, and legal ones that are missing.
    pub errors: f64,
    /// The same without the change.
    pub errors_before: f64,
    /// Mean change of the probability of a move that is legal on both boards or on neither.
    pub drift: f64,
}

impl Effect {
    /// As a tally.
    pub fn tally(&self) -> Vec<f64> {
        vec![self.after, self.before, self.errors, self.errors_before, self.drift, 1.0]
    }
}

/// A choice of how to edit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// Where the direction comes from.
    pub way: Way,
    /// The multiple that is added.
    pub dose: f32,
}

/// Measures a change in all cases.
///
/// # Errors
/// Those of the model; when a stop was asked for.
pub fn effects(
    world: &OthelloWorld,
    model: &dyn Predictor,
    (part, cases): (&Part, &[Case]),
    (tap, kit): (&str, &Kit),
    (change, choice): (Change, Choice),
    context: &RunContext<'_>,
) -> anyhow::Result<Vec<Effect>> {
    let mut chance = stream(&["othello", "random direction", tap]);
    let mut all = Vec::with_capacity(cases.len());
    for chunk in cases.chunks(CHUNK) {
        context.check_stop()?;
        let tokens: Vec<_> = chunk.iter().flat_map(|case| part.places.tokens[case.game].iter().copied()).collect();
        let clean = model.run(&tokens, &Plan::default())?;
        let interventions = chunk.iter().enumerate().map(|(place, case)| {
            let position = &part.games[case.game].positions[case.token + 1];
            let random: Vec<f64> = (0..kit.width).map(|_| normal(&mut chance)).collect();
            let of = |ways: &[Vec<f64>], frame: Frame, square: usize| -> Vec<f64> {
                let sign = if frame.class(position, square) == 0 { 1.0 } else { -1.0 };
                ways[square].iter().map(|value| sign * value).collect()
            };
            let turn = of(&kit.ways[choice.way as usize], Frame::Relative, case.square);
            let as_long = |way: Vec<f64>| -> Vec<f64> {
                let scale = norm(&turn) / norm(&way).max(1e-12);
                way.into_iter().map(|value| scale * value).collect()
            };
            let (direction, dose) = match change {
                Change::Turn => (turn, 1.0),
                Change::Half => (turn, 0.5),
                Change::Double => (turn, 2.0),
                Change::Null => (turn, 0.0),
                Change::Random => (as_long(random), 1.0),
                Change::OtherSquare => (as_long(of(&kit.ways[choice.way as usize], Frame::Relative, case.other)), 1.0),
                Change::OtherFrame => (as_long(of(&kit.absolute, Frame::Absolute, case.square)), 1.0),
            };
            let direction = direction.into_iter().map(|value| value as f32).collect();
            let action = Action::Add { direction, dose: dose * choice.dose };
            Intervention { tap: tap.into(), sequence: Some(place), rows: vec![case.token], action }
        });
        let plan = Plan { capture: Vec::new(), interventions: interventions.collect() };
        let edited = model.run(&tokens, &plan)?;
        all.extend(chunk.iter().enumerate().map(|(place, case)| {
            let position = &part.games[case.game].positions[case.token + 1];
            effect(world, (position, &case.truth), said(&clean, place, case, part), said(&edited, place, case, part))
        }));
    }
    Ok(all)
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// Log-probabilities (nats) of all moves.
fn said(run: &Run, place: usize, case: &Case, part: &Part) -> Vec<f64> {
    // The four squares that are taken from the start are never played.
    let targets = part.squares - 4;
    let start = (place * part.places.length() + case.token) * targets;
    let mut row: Vec<f64> = run.logits[start..start + targets].iter().map(|&logit| f64::from(logit)).collect();
    log_softmax(&mut row);
    row
}

fn effect(world: &OthelloWorld, (own, truth): (&Position, &Position), clean: Vec<f64>, edited: Vec<f64>) -> Effect {
    let symbols = |position: &Position| -> Vec<bool> {
        let legal = position.moves();
        (0..world.targets()).map(|s| world.square_of(s as u16).is_some_and(|square| legal.contains(&square))).collect()
    };
    let (was, is) = (symbols(own), symbols(truth));
    let count = is.iter().filter(|legal| **legal).count();
    let excess = |said: &[f64]| {
        let sum: f64 = said.iter().zip(&is).filter(|(_, legal)| **legal).map(|(said, _)| -said).sum();
        sum / count as f64 - logarithm(count as f64)
    };
    let errors = |said: &[f64]| {
        let mut order: Vec<usize> = (0..said.len()).collect();
        order.sort_by(|&a, &b| said[b].total_cmp(&said[a]).then(a.cmp(&b)));
        2.0 * order[..count].iter().filter(|&&symbol| !is[symbol]).count() as f64
    };
    let same: Vec<usize> = (0..was.len()).filter(|&symbol| was[symbol] == is[symbol]).collect();
    let moved = |&symbol: &usize| (exponential(edited[symbol]) - exponential(clean[symbol])).abs();
    Effect {
        after: excess(&edited),
        before: excess(&clean),
        errors: errors(&edited),
        errors_before: errors(&clean),
        drift: same.iter().map(moved).sum::<f64>() / same.len().max(1) as f64,
    }
}
