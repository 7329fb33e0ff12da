//! The measures by definition: slow, and obvious.

use std::collections::BTreeMap;

use super::{Diagram, Filter, Movement};

/// One sample: the next state, the own past (oldest first), and each neighbour's state one generation before.
struct Sample {
    next: u8,
    past: Vec<u8>,
    neighbours: Vec<u8>,
}

/// The local values of a filter, in bits, frame after frame from frame `history` on. No check of sizes.
pub fn local(diagram: &Diagram, history: usize, movements: &[Movement], filter: Filter) -> Vec<f64> {
    let (width, height) = (diagram.width() as i64, diagram.height() as i64);
    let state = |t: usize, x: i64, y: i64| {
        let place = y.rem_euclid(height) * width + x.rem_euclid(width);
        diagram.cells()[t * (width * height) as usize + place as usize]
    };
    let mut samples = Vec::new();
    for t in history..diagram.frames() {
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            samples.push(Sample {
                next: state(t, x, y),
                past: (t - history..t).map(|t| state(t, x, y)).collect(),
                neighbours: movements
                    .iter()
                    .map(|&(dx, dy)| state(t - 1, x - i64::from(dx), y - i64::from(dy)))
                    .collect(),
            });
        }
    }
    let number = |movement: Movement| movements.iter().position(|&other| other == movement);
    let without = |sample: &Sample, source: Option<usize>| -> Vec<u8> {
        (0..movements.len()).filter(|&i| Some(i) != source).map(|i| sample.neighbours[i]).collect()
    };
    let source = |sample: &Sample, source: Option<usize>| source.map(|i| sample.neighbours[i]);
    match filter {
        Filter::Entropy => logarithms(&samples, |sample| sample.next, |_| ()).map(|p| -p).collect(),
        Filter::EntropyRate => logarithms(&samples, |s| s.next, |s| s.past.clone()).map(|p| -p).collect(),
        Filter::Storage => {
            let with = logarithms(&samples, |s| s.next, |s| s.past.clone());
            with.zip(logarithms(&samples, |s| s.next, |_| ())).map(|(with, alone)| with - alone).collect()
        }
        Filter::Transfer(from) => {
            let from = number(from);
            let with = logarithms(&samples, |s| s.next, |s| (s.past.clone(), source(s, from)));
            let alone = logarithms(&samples, |s| s.next, |s| s.past.clone());
            with.zip(alone).map(|(with, alone)| with - alone).collect()
        }
        Filter::CompleteTransfer(from) => {
            let from = number(from);
            let with = logarithms(&samples, |s| s.next, |s| (s.past.clone(), source(s, from), without(s, from)));
            let alone = logarithms(&samples, |s| s.next, |s| (s.past.clone(), without(s, from)));
            with.zip(alone).map(|(with, alone)| with - alone).collect()
        }
        Filter::Separable => {
            let mut sum = local(diagram, history, movements, Filter::Storage);
            for &movement in movements {
                let transfer = local(diagram, history, movements, Filter::Transfer(movement));
                sum.iter_mut().zip(transfer).for_each(|(sum, value)| *sum += value);
            }
            sum
        }
    }
}

/// log₂ p(what | given) of every sample.
fn logarithms<'a, A: Ord + 'a, B: Ord + Clone + 'a>(
    samples: &'a [Sample],
    what: impl Fn(&Sample) -> A + 'a,
    given: impl Fn(&Sample) -> B + 'a,
) -> impl Iterator<Item = f64> + 'a {
    let mut alone = BTreeMap::new();
    let mut both = BTreeMap::new();
    for sample in samples {
        *alone.entry(given(sample)).or_insert(0.0) += 1.0;
        *both.entry((given(sample), what(sample))).or_insert(0.0) += 1.0;
    }
    samples.iter().map(move |sample| {
        let (given, what) = (given(sample), what(sample));
        let whole: f64 = alone[&given];
        let part: f64 = both[&(given, what)];
        (part / whole).log2()
    })
}
