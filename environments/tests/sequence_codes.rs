//! Code lengths against closed forms, textbook examples and definitions.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;

use environments::sequence::{
    ContextTreeWeighting, KrichevskyTrofimov, Markov, Ppm, SequenceModel, code_lengths, tree_source_mixture_reference,
};
use proptest::prelude::*;

fn digits(text: &str) -> Vec<usize> {
    text.bytes().map(|byte| usize::from(byte - b'0')).collect()
}

fn bits(model: &mut dyn SequenceModel, sequence: &[usize]) -> f64 {
    code_lengths(model, sequence).iter().sum()
}

fn near(left: f64, right: f64) {
    assert!((left - right).abs() < 1e-9 * right.abs().max(1.0), "{left} is not {right}");
}

#[test]
fn kt_has_its_closed_form() {
    // P(a zeros, b ones) = (½ · 3⁄2 ⋯ (a − ½)) (½ ⋯ (b − ½)) / (a + b)!, in any order.
    for (zeros, ones) in [(0, 0), (1, 0), (3, 0), (4, 3), (10, 1), (30, 50)] {
        let rising = |count: u32| (0..count).map(|number| (f64::from(number) + 0.5).log2()).sum::<f64>();
        let factorial: f64 = (1..=zeros + ones).map(|number| f64::from(number).log2()).sum();
        let expected = factorial - rising(zeros) - rising(ones);
        let sequence: Vec<usize> = (0..zeros).map(|_| 0).chain((0..ones).map(|_| 1)).collect();
        near(bits(&mut KrichevskyTrofimov::new(2), &sequence), expected);
        let reversed: Vec<usize> = sequence.into_iter().rev().collect();
        near(bits(&mut KrichevskyTrofimov::new(2), &reversed), expected);
    }
    // Table I of Willems, Shtarkov and Tjalkens (1995).
    near((-bits(&mut KrichevskyTrofimov::new(2), &digits("0100110"))).exp2(), 5.0 / 2048.0);
    // Three symbols, each once: 1⁄3 · 1⁄5 · 1⁄7.
    near((-bits(&mut KrichevskyTrofimov::new(3), &[0, 1, 2])).exp2(), 1.0 / 105.0);
}

#[test]
fn ctw_gives_the_example_of_its_inventors() {
    // Willems, Shtarkov and Tjalkens (1995): 0100110 after ...110, depth 3.
    let mut model = ContextTreeWeighting::new(2, 3, &digits("110"));
    near((-bits(&mut model, &digits("0100110"))).exp2(), 7.0 / 2048.0);
    near(tree_source_mixture_reference(2, 3, &digits("110"), &digits("0100110")), 7.0 / 2048.0);
    // Another past, worked by hand.
    let mut model = ContextTreeWeighting::new(2, 3, &digits("010"));
    near((-bits(&mut model, &digits("0100110"))).exp2(), 31.0 / 8192.0);
}

#[test]
fn ppm_gives_the_textbook_example() {
    // After "abracadabra" with order 2, from Cleary and Teahan (1997), with exclusion. The alphabet has 26 letters.
    let letters = |text: &str| text.bytes().map(|byte| usize::from(byte - b'a')).collect::<Vec<_>>();
    let mut model = Ppm::new(26, 2, &[]);
    bits(&mut model, &letters("abracadabra"));
    let next = model.probabilities();
    let probability = |letter: u8| next[usize::from(letter - b'a')];
    near(probability(b'c'), 1.0 / 2.0);
    near(probability(b'd'), 1.0 / 2.0 * 1.0 / 6.0);
    near(probability(b't'), 1.0 / 2.0 * 3.0 / 6.0 * 5.0 / 12.0 * 1.0 / 21.0);
}

#[test]
fn the_past_gives_contexts_and_no_counts() {
    let sequence = digits("0110100110010110");
    // At depth 0 there are no contexts, and every model but PPM is the KT estimator.
    let expected = bits(&mut KrichevskyTrofimov::new(2), &sequence);
    near(bits(&mut Markov::new(2, 0, &digits("111")), &sequence), expected);
    near(bits(&mut ContextTreeWeighting::new(2, 0, &digits("111")), &sequence), expected);
    // Symbols missing in the past are 0.
    for past in ["", "0", "00", "1000"] {
        let model = |past: &str| bits(&mut ContextTreeWeighting::new(2, 3, &digits(past)), &sequence);
        near(model(past), model("000"));
    }
    assert!(bits(&mut Markov::new(2, 3, &digits("111")), &sequence) != bits(&mut Markov::new(2, 3, &[]), &sequence));
}

#[test]
fn a_long_sequence_neither_underflows_nor_costs_more_than_its_source() {
    // Period 5, so an order-4 context determines every symbol.
    let sequence: Vec<usize> = (0..100_000).map(|at| [0, 0, 1, 0, 1][at % 5]).collect();
    for model in [
        &mut ContextTreeWeighting::new(2, 8, &[]) as &mut dyn SequenceModel,
        &mut Markov::new(2, 4, &[]),
        &mut Ppm::new(2, 6, &[]),
    ] {
        let bits = bits(model, &sequence);
        assert!(bits.is_finite() && bits < 120.0, "{bits}");
    }
}

proptest! {
    #[test]
    fn ctw_is_the_mixture_over_all_tree_sources(
        (alphabet, depth, past, sequence) in (2usize..4).prop_flat_map(|alphabet| (
            Just(alphabet),
            0..=5 - alphabet,
            proptest::collection::vec(0..alphabet, 0..5),
            proptest::collection::vec(0..alphabet, 0..24),
        ))
    ) {
        let mut model = ContextTreeWeighting::new(alphabet, depth, &past);
        let total = bits(&mut model, &sequence);
        let reference = -tree_source_mixture_reference(alphabet, depth, &past, &sequence).log2();
        prop_assert!((total - reference).abs() < 1e-9, "{total} is not {reference}");
        prop_assert!((model.log_probability() + total).abs() < 1e-9);
    }

    #[test]
    fn markov_is_one_estimator_a_context(
        order in 0usize..4,
        past in proptest::collection::vec(0usize..3, 4..6),
        sequence in proptest::collection::vec(0usize..3, 0..60),
    ) {
        let mut estimators: BTreeMap<Vec<usize>, KrichevskyTrofimov> = BTreeMap::new();
        let all = [past.clone(), sequence.clone()].concat();
        let mut expected = 0.0;
        for at in past.len()..all.len() {
            let context = all[at - order..at].to_vec();
            expected += estimators.entry(context).or_insert_with(|| KrichevskyTrofimov::new(3)).observe(all[at]);
        }
        let total = bits(&mut Markov::new(3, order, &past), &sequence);
        prop_assert!((total - expected).abs() < 1e-9);
    }

    #[test]
    fn predictions_are_probabilities_and_the_ones_charged_for(
        sequence in proptest::collection::vec(0usize..4, 0..80),
        depth in 0usize..5,
    ) {
        let models: [Box<dyn SequenceModel>; 4] = [
            Box::new(KrichevskyTrofimov::new(4)),
            Box::new(Markov::new(4, depth, &[1])),
            Box::new(ContextTreeWeighting::new(4, depth, &[1])),
            Box::new(Ppm::new(4, depth, &[1])),
        ];
        for mut model in models {
            for &symbol in &sequence {
                let probabilities = model.probabilities();
                prop_assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
                prop_assert!(probabilities.iter().all(|&probability| probability > 0.0));
                let charged = model.observe(symbol);
                prop_assert!((charged + probabilities[symbol].log2()).abs() < 1e-7);
            }
        }
    }
}
