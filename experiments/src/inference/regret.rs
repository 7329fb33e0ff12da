//! Regret along a sequence: what a model pays above Bayes, in bits, by the place of the symbol.

use crate::evidence::numeric::bits;
use crate::evidence::{Arm, Design, over_seeds};
use crate::figures::{Axis, Figure, Line, Plot, Value};
use crate::machines::nats::{Nats, doubling};
use crate::machines::words::Desk;

use crate::evidence::metrics::ratio;

/// Bits above Bayes by place, in spans that double, of the models (with intervals over models and sequences) and of the best
/// statistical predictor.
pub fn figure(
    name: &str,
    models: &[Nats],
    bayes: &Nats,
    (rival, rival_nats): (&str, &Nats),
    desk: &Desk<'_>,
) -> Figure {
    let longest = bayes.iter().map(Vec::len).max().unwrap_or(0);
    let line = |name: &str, baseline: bool, all: &[&Nats]| {
        let point = |span: std::ops::Range<usize>| {
            let tallies: Vec<Vec<Vec<f64>>> = all.iter().map(|nats| above(nats, bayes, &span)).collect();
            let what = format!("regret {name} at {}", span.start);
            let arm = Arm::new(&tallies);
            let estimate =
                desk.estimate(&what, Design::Crossed, &[&arm], &|t| over_seeds(&t[0], |t| ratio(t[0], t[1])))?;
            Some(((span.start + 1) as f64, Value { value: estimate.value, interval: Some(estimate.interval) }))
        };
        Line { name: name.into(), baseline, points: doubling(longest).into_iter().filter_map(point).collect() }
    };
    Figure {
        name: format!("{name}-regret"),
        title: "Regret by place in the sequence".into(),
        caption: "Bits a symbol above exact Bayes on test sequences, by place (from the one given to twice it). 95% bootstrap \
                  intervals over models and sequences."
            .into(),
        plot: Plot::Lines {
            x: Axis::new("place").logarithmic(),
            y: Axis::new("bits above Bayes").spanning(0.0, 0.0),
            series: vec![
                line("trained", false, &models.iter().collect::<Vec<_>>()),
                line(rival, true, &[rival_nats]),
            ],
        },
    }
}

/// By sequence: bits above Bayes at the places of a span, and the places that there are (runs that halt and outputs end
/// early).
fn above(own: &Nats, bayes: &Nats, span: &std::ops::Range<usize>) -> Vec<Vec<f64>> {
    let one = |(own, bayes): (&Vec<f64>, &Vec<f64>)| {
        let places = span.start.min(own.len())..span.end.min(own.len());
        let difference = |place: usize| bits(own[place] - bayes[place]);
        vec![places.clone().map(difference).sum(), places.len() as f64]
    };
    own.iter().zip(bayes).map(one).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn regret_is_above_bayes_in_bits_and_ends_with_the_sequences() {
        let two = std::f64::consts::LN_2;
        // Eight sequences, half of them short.
        let (long, short) = (vec![0.5 + two, 0.5, 0.5 + two, 0.5 + two], vec![0.5 + two, 0.5 + two]);
        let eight = |sequences: [Vec<f64>; 2]| -> Nats { (0..8).map(|place| sequences[place % 2].clone()).collect() };
        let bayes = eight([vec![0.5; 4], vec![0.5; 2]]);
        let models = vec![eight([long, short]); 2];
        let desk = Desk { experiment: "regret", seed: 1, resamples: 100, clusters: "runs" };
        let figure = figure("x", &models, &bayes, ("rival", &bayes), &desk);
        let Plot::Lines { series, .. } = figure.plot else { panic!("not lines") };
        let near = |line: &Line, expected: &[(f64, f64)]| {
            assert_eq!(line.points.len(), expected.len());
            for ((x, value), (at, bits)) in line.points.iter().zip(expected) {
                assert!(x == at && (value.value - bits).abs() < 1e-9, "{x}: {} is not {bits}", value.value);
            }
        };
        // Places 1; 2; 3 and 4, which only the long ones have.
        near(&series[0], &[(1.0, 1.0), (2.0, 0.5), (3.0, 1.0)]);
        near(&series[1], &[(1.0, 0.0), (2.0, 0.0), (3.0, 0.0)]);
    }
}
