//! What is read of the board, by ridge regression on the three classes of every square; scored on other games, and only on
//! discs that were turned over since they were laid: of any other the list of moves tells whose it is.

use serde::{Deserialize, Serialize};

use super::games::{CLASSES, Frame, Part};
use crate::evidence::metrics::ratio;
use crate::evidence::sources::Features;
use crate::evidence::{Components, Dataset, Ridge, Targets};

/// What was read in one frame.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Read {
    /// Balanced accuracy on turned discs of the games for choosing.
    pub choose: f64,
    /// By game for reporting, of turned discs: of the frame's first player's, those read right, and all; of the second's.
    pub turned: Vec<[f64; 4]>,
    /// The same of all discs.
    pub standing: Vec<[f64; 4]>,
    /// By game: squares of all three classes that were read right, and all.
    pub squares: Vec<[f64; 2]>,
}

/// What was read from one source of features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The source.
    pub source: String,
    /// By frame, as in [`Frame::ALL`].
    pub frames: [Read; 2],
}

/// Balanced accuracy of tallies (hits and cases of two classes).
pub fn balanced(sums: &[f64]) -> Option<f64> {
    Some((ratio(sums[0], sums[1])? + ratio(sums[2], sums[3])?) / 2.0)
}

/// The sum of tallies.
pub fn total<const N: usize>(tallies: &[[f64; N]]) -> [f64; N] {
    tallies.iter().fold([0.0; N], |mut sum, tally| {
        sum.iter_mut().zip(tally).for_each(|(sum, value)| *sum += value);
        sum
    })
}

/// The games for fitting, for choosing and for reporting.
pub type Parts = [Part; 3];

/// Classes of every row and square of the three parts.
pub type Truth = [Vec<u8>; 3];

/// Some rows of the three parts.
pub type Chosen = [Vec<usize>; 3];

/// All rows.
pub fn everywhere(parts: &Parts) -> Chosen {
    parts.each_ref().map(|part| (0..part.rows()).collect())
}

/// Rows × (squares × classes), one-hot.
pub fn one_hot(classes: &[u8]) -> Vec<f64> {
    classes.iter().flat_map(|&own| (0..CLASSES as u8).map(move |class| f64::from(u8::from(class == own)))).collect()
}

fn of_rows(truth: &[u8], rows: &[usize], squares: usize) -> Vec<u8> {
    rows.iter().flat_map(|&row| &truth[row * squares..(row + 1) * squares]).copied().collect()
}

/// Fits on the first part's rows, chooses the penalty on the second's, reports on the third's. `features` are of all rows.
pub fn read(parts: &Parts, truth: &Truth, features: &[Features; 3], rows: &Chosen) -> Read {
    let squares = parts[0].squares;
    let chosen = [0, 1, 2].map(|part| features[part].select(&rows[part]));
    let labels = [0, 1, 2].map(|part| of_rows(&truth[part], &rows[part], squares));
    let outputs = labels.each_ref().map(|labels| one_hot(labels));
    let targets = |part: usize| Targets {
        features: &chosen[part].values,
        width: chosen[part].width,
        outputs: &outputs[part],
        count: squares * CLASSES,
    };
    let Some(ridge) = Ridge::fit(targets(0), targets(1)) else { return Read::default() };
    let said = [1, 2].map(|part| ridge.predict(&chosen[part].values));
    let on_validation = tally(&parts[1], &labels[1], &said[0], &rows[1]);
    let choose = balanced(&total(&on_validation.turned)).unwrap_or(0.5);
    Read { choose, ..tally(&parts[2], &labels[2], &said[1], &rows[2]) }
}

/// Counts what was said (rows × squares × classes) against the truth.
fn tally(part: &Part, labels: &[u8], said: &[f64], rows: &[usize]) -> Read {
    let mut read = Read {
        choose: 0.0,
        turned: vec![[0.0; 4]; part.games.len()],
        standing: vec![[0.0; 4]; part.games.len()],
        squares: vec![[0.0; 2]; part.games.len()],
    };
    let all = labels.chunks_exact(part.squares).zip(said.chunks_exact(part.squares * CLASSES));
    for (&row, (labels, said)) in rows.iter().zip(all) {
        let game = part.places.at[row].0;
        for (square, (&label, said)) in labels.iter().zip(said.chunks_exact(CLASSES)).enumerate() {
            let class = usize::from(label);
            let best = crate::evidence::numeric::argmax(said);
            read.squares[game][0] += f64::from(u8::from(best == class));
            read.squares[game][1] += 1.0;
            if class < 2 {
                // Of the two players: that a disc lies there is given.
                let hit = f64::from(u8::from((said[1] > said[0]) == (class == 1)));
                let add = |tallies: &mut Vec<[f64; 4]>| {
                    tallies[game][2 * class] += hit;
                    tallies[game][2 * class + 1] += 1.0;
                };
                add(&mut read.standing);
                if part.position(row).was_turned(square) {
                    add(&mut read.turned);
                }
            }
        }
    }
    read
}

impl Reading {
    /// Reads in both frames.
    pub fn new(source: &str, parts: &Parts, truths: &[Truth; 2], features: &[Features; 3]) -> Self {
        let rows = everywhere(parts);
        Self { source: source.into(), frames: truths.each_ref().map(|truth| read(parts, truth, features, &rows)) }
    }

    /// Nothing fitted: every disc is said to be of who laid it.
    pub fn as_laid(parts: &Parts, truths: &[Truth; 2]) -> Self {
        let rows = everywhere(parts);
        let frames = [0, 1].map(|frame| {
            let of = |part: usize| {
                let said = (0..parts[part].rows()).flat_map(|row| {
                    let position = parts[part].position(row);
                    (0..parts[part].squares).flat_map(move |square| {
                        let laid = position.laid_by(square).map_or(2, |player| match Frame::ALL[frame] {
                            Frame::Absolute => player as usize,
                            Frame::Relative => usize::from(Some(player) != position.mover),
                        });
                        (0..CLASSES).map(move |class| f64::from(u8::from(class == laid)))
                    })
                });
                tally(&parts[part], &truths[frame][part], &said.collect::<Vec<_>>(), &rows[part])
            };
            let choose = balanced(&total(&of(1).turned)).unwrap_or(0.5);
            Read { choose, ..of(2) }
        });
        Self { source: "who laid the disc".into(), frames }
    }
}

/// The features of the three parts told by the strongest principal components of the first.
pub fn components(features: &[Features; 3], count: usize) -> [Features; 3] {
    let fitted = Components::fit(&features[0].values, features[0].width, count);
    features.each_ref().map(|features| {
        let rows = features.values.len() / features.width.max(1);
        let data = Dataset {
            width: features.width,
            features: features.values.clone(),
            labels: vec![0; rows],
            groups: vec![0; rows],
            classes: 1,
        };
        let told = fitted.apply(&data, count);
        Features { width: told.width, values: told.features }
    })
}

/// The rows of a part in which a disc lies on a square, with whose it is, by game.
pub fn of_square(part: &Part, truth: &[u8], features: &Features, square: usize, every: usize) -> (Dataset, Vec<usize>) {
    let mut data = Dataset::new(features.width, 2);
    let mut kept = Vec::new();
    for row in (0..part.rows()).step_by(every.max(1)) {
        let class = usize::from(truth[row * part.squares + square]);
        if class < 2 {
            data.push(features.row(row), class, part.places.at[row].0);
            kept.push(row);
        }
    }
    (data, kept)
}
