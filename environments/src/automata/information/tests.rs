#![allow(clippy::unwrap_used)]
use super::*;
use crate::stream::{Draw, stream};
use proptest::prelude::*;

fn close(found: &[f64], wanted: &[f64]) -> bool {
    found.len() == wanted.len() && found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 2e-6)
}

fn part(codes: &[u64]) -> Part {
    Part { codes: codes.to_vec(), below: 1 + codes.iter().max().unwrap() }
}

fn random_row(name: &str, width: usize) -> Vec<u8> {
    let mut chance = stream(&["information", name]);
    (0..width).map(|_| chance.below(2) as u8).collect()
}

/// Values that the documentation of rinform 1.0 prints (Moore, Valentini, Walker and Levin, Frontiers in Robotics and
/// AI 5:60, 2018).
#[test]
fn values_that_inform_prints() {
    let one = Diagram::new(1, 1, 2, vec![0, 0, 1, 1, 1, 1, 0, 0, 0]).unwrap();
    let dynamics = Dynamics::new(&one, 2, Vec::new()).unwrap();
    assert!((dynamics.average(Filter::Storage) - 0.3059585).abs() < 1e-7);
    let storage = [-0.1926451, 0.8073549, 0.2223924, 0.2223924, -0.3625701, 1.222392, 0.2223924];
    assert!(close(&dynamics.local(Filter::Storage), &storage), "{:?}", dynamics.local(Filter::Storage));
    assert!((dynamics.average(Filter::EntropyRate) - 0.6792696).abs() < 1e-7);
    let rate = [1.0, 0.0, 0.5849625, 0.5849625, 1.5849625, 0.0, 1.0];
    assert!(close(&dynamics.local(Filter::EntropyRate), &rate));
    assert!((one.entropy_of_times(1).unwrap() - 0.9910761).abs() < 1e-7);
    assert!((one.entropy_of_times(2).unwrap() - 1.811278).abs() < 1e-6);
    // Two initial conditions: two cells that do not see each other.
    let columns = [[0, 0, 1, 1, 1, 1, 0, 0, 0], [1, 0, 0, 1, 0, 0, 1, 0, 0]];
    let cells = (0..9).flat_map(|t| [columns[0][t], columns[1][t]]).collect();
    let two = Diagram::new(2, 1, 2, cells).unwrap();
    let dynamics = Dynamics::new(&two, 2, Vec::new()).unwrap();
    assert!((dynamics.average(Filter::Storage) - 0.359879).abs() < 1e-6);
    assert!((dynamics.average(Filter::EntropyRate) - 0.6253491).abs() < 1e-7);
    assert!((two.entropy_of_times(2).unwrap() - 1.936278).abs() < 1e-6);
    // Transfer from ys to xs, histories of one and of two states.
    let xs = [0u64, 0, 1, 1, 1, 1, 0, 0, 0];
    let ys = [0u64, 1, 1, 1, 1, 0, 0, 0, 1];
    let transfer = conditional_information(&part(&xs[1..]), &part(&ys[..8]), &part(&xs[..8]));
    assert!(close(&transfer, &[0.4150375, 2.0, 0.4150375, 0.4150375, 0.4150375, 2.0, 0.4150375, 0.4150375]));
    let past: Vec<u64> = xs.windows(2).take(7).map(|pair| 2 * pair[0] + pair[1]).collect();
    let transfer = conditional_information(&part(&xs[2..]), &part(&ys[1..8]), &part(&past));
    assert!(close(&transfer, &[1.0, 0.0, 0.5849625, 0.5849625, 1.5849625, 0.0, 1.0]));
}

#[test]
fn what_repeats_is_stored_and_what_is_drawn_is_neither_stored_nor_transferred() {
    // Rows of rule 204 stay; here three cells count through 0 0 1 in different phases.
    let cells: Vec<u8> = (0..30).flat_map(|t| (0..3).map(move |x| u8::from((t + x) % 3 == 0))).collect();
    let periodic = Diagram::new(3, 1, 2, cells).unwrap();
    let dynamics = Dynamics::new(&periodic, 3, along(1)).unwrap();
    let entropy = dynamics.average(Filter::Entropy);
    assert!((entropy - (3f64.log2() - 2.0 / 3.0)).abs() < 1e-9);
    assert!((dynamics.average(Filter::Storage) - entropy).abs() < 1e-9);
    assert!(dynamics.local(Filter::Transfer((1, 0))).iter().all(|value| value.abs() < 1e-9));
    assert!(dynamics.average(Filter::EntropyRate).abs() < 1e-9);
    let drawn = Diagram::new(400, 1, 2, random_row("drawn", 400 * 500)).unwrap();
    let dynamics = Dynamics::new(&drawn, 3, along(1)).unwrap();
    for filter in [Filter::Storage, Filter::Transfer((1, 0)), Filter::Transfer((-1, 0)), Filter::Separable] {
        // The plug-in bias is about 2³ / (2 N ln 2) = 3·10⁻⁵ bits.
        assert!(dynamics.average(filter).abs() < 4e-4, "{filter:?}");
    }
    assert!((dynamics.average(Filter::EntropyRate) - 1.0).abs() < 1e-3);
    assert!((drawn.entropy_of_rows(5).unwrap() - 5.0).abs() < 1e-2);
}

#[test]
fn a_shift_transfers_one_bit_one_way() {
    // Rule 170 takes the state of the cell in the east: everything moves to the west.
    let diagram = Diagram::of_rule(170.into(), random_row("shift", 20_000), 20).unwrap();
    let dynamics = Dynamics::new(&diagram, 3, along(1)).unwrap();
    assert!((dynamics.average(Filter::Transfer((-1, 0))) - 1.0).abs() < 5e-3);
    assert!(dynamics.average(Filter::Transfer((1, 0))) < 5e-3);
    assert!(dynamics.average(Filter::Storage) < 5e-3);
}

/// Frequencies of random rows and of what an additive rule makes of them are even: rule 90's next state is known from
/// both neighbours together and from neither alone.
#[test]
fn an_exclusive_or_is_transferred_only_completely() {
    let diagram = Diagram::of_rule(90.into(), random_row("xor", 20_000), 12).unwrap();
    let dynamics = Dynamics::new(&diagram, 2, along(1)).unwrap();
    for movement in along(1) {
        assert!(dynamics.average(Filter::Transfer(movement)) < 2e-3);
        assert!((dynamics.average(Filter::CompleteTransfer(movement)) - 1.0).abs() < 2e-3);
    }
}

#[test]
fn two_dimensions() {
    // Everything moves one cell to the south-east.
    let first = random_row("plane", 60 * 60);
    let cells = (0..12usize).flat_map(|t| {
        let first = &first;
        (0..3600usize).map(move |i| first[(i / 60 + 60 - t) % 60 * 60 + (i % 60 + 60 - t) % 60])
    });
    let diagram = Diagram::new(60, 60, 2, cells.collect()).unwrap();
    let dynamics = Dynamics::new(&diagram, 2, around()).unwrap();
    for movement in around() {
        let wanted = if movement == (1, 1) { 1.0 } else { 0.0 };
        assert!((dynamics.average(Filter::Transfer(movement)) - wanted).abs() < 0.02, "{movement:?}");
    }
}

#[test]
fn what_cannot_be_measured_is_refused() {
    assert!(Diagram::new(3, 1, 2, vec![0; 7]).is_err());
    assert!(Diagram::new(3, 1, 2, vec![2; 6]).is_err());
    assert!(Diagram::new(0, 1, 2, Vec::new()).is_err());
    assert!(Diagram::of_rule(30.into(), vec![0; 1 << 20], 1 << 20).is_err());
    let diagram = Diagram::new(3, 1, 2, vec![0; 30]).unwrap();
    for history in [0, 10, 60, 1000] {
        assert!(Dynamics::new(&diagram, history, along(1)).is_err(), "{history}");
    }
    assert!(diagram.entropy_of_rows(0).is_err() && diagram.entropy_of_times(11).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn as_by_definition(
        states in 2u8..4,
        size in (1usize..7, 1usize..4),
        history in 1usize..4,
        more in 1usize..12,
        seed in any::<u64>(),
    ) {
        let mut chance = stream(&["reference", &seed.to_string()]);
        let length = size.0 * size.1 * (history + more);
        let cells = (0..length).map(|_| chance.below(u64::from(states)) as u8).collect();
        let diagram = Diagram::new(size.0, size.1, states, cells).unwrap();
        let movements = if size.1 == 1 { along(2) } else { around() };
        let dynamics = Dynamics::new(&diagram, history, movements.clone()).unwrap();
        let towards = movements[1];
        for filter in [
            Filter::Entropy,
            Filter::EntropyRate,
            Filter::Storage,
            Filter::Transfer(towards),
            Filter::CompleteTransfer(towards),
            Filter::Separable,
        ] {
            let wanted = reference::local(&diagram, history, &movements, filter);
            prop_assert!(close(&dynamics.local(filter), &wanted), "{:?}", filter);
        }
    }

    /// In a deterministic rule of radius 1 what the own past leaves open comes from the two neighbours: one apparently
    /// and the other one completely, cell by cell. Averages are the mutual informations of block entropies.
    #[test]
    fn the_parts_make_up_the_whole(rule in any::<u8>(), seed in 0u64..1000, history in 1usize..10) {
        let diagram = Diagram::of_rule(rule.into(), random_row(&seed.to_string(), 60), 40).unwrap();
        let dynamics = Dynamics::new(&diagram, history, along(1)).unwrap();
        let rate = dynamics.local(Filter::EntropyRate);
        for (first, second) in [((1, 0), (-1, 0)), ((-1, 0), (1, 0))] {
            let apparent = dynamics.local(Filter::Transfer(first));
            let complete = dynamics.local(Filter::CompleteTransfer(second));
            let sum: Vec<f64> = apparent.iter().zip(complete).map(|(a, b)| a + b).collect();
            prop_assert!(close(&rate, &sum));
        }
        let entropy = dynamics.average(Filter::Entropy);
        prop_assert!((entropy - dynamics.average(Filter::Storage) - mean(&rate)).abs() < 1e-9);
        prop_assert!((diagram.entropy_of_times(1).unwrap() - diagram.entropy_of_rows(1).unwrap()).abs() < 1e-9);
    }
}
