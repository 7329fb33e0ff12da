//! Shuffled labels: whatever is still "found" is a false positive, and there are no more of them than stated.

use environments::{Stream, stream};

use experiments::claims::{Claim, ENOUGH_SEEDS, Evidence, Finding, Measured, Verdict, judge};
use experiments::evidence::controls::shuffled_labels;
use experiments::evidence::numeric::normal;
use experiments::evidence::statistics::permutation_test;
use experiments::evidence::*;

/// Repetitions of the whole measurement.
const TIMES: usize = 200;
/// Share of shuffled runs that a two-sided interval of 95% puts above the null.
const STATED: f64 = 0.025;

/// The least number that Binomial(`trials`, `rate`) exceeds with a probability below `error`.
fn bound(trials: usize, rate: f64, error: f64) -> usize {
    // Terms by recurrence, from the probability of no hit on.
    let mut term = (0..trials).fold(1.0, |product, _| product * (1.0 - rate));
    let mut left = 1.0 - term;
    let mut hits = 0;
    while left > error {
        hits += 1;
        term *= (trials - hits + 1) as f64 / hits as f64 * rate / (1.0 - rate);
        left -= term;
    }
    hits
}

/// Rows with a bit along a direction, labels shuffled: five seeds that share their test rows' labels.
fn shuffled_run(number: usize) -> Arm {
    let mut chance = stream(&["planted", "shuffled", &number.to_string()]);
    let draw = |rows: usize, chance: &mut Stream| {
        let mut data = Dataset::new(6, 2);
        for row in 0..rows {
            let features: Vec<f32> = (0..6).map(|_| normal(chance) as f32).collect();
            data.push(&features, usize::from(features[0] > 0.0), row);
        }
        data
    };
    let tallies: Vec<Vec<Vec<f64>>> = (0..ENOUGH_SEEDS)
        .map(|_| {
            let [train, validation, test] =
                [120, 60, 160].map(|rows| shuffled_labels(&draw(rows, &mut chance), &mut chance));
            let said = fit(Probe::Ridge, &train, &validation, &mut chance).unwrap().predict(&test).predicted();
            said.iter().zip(&test.labels).map(|(said, truth)| vec![f64::from(u8::from(said == truth)), 1.0]).collect()
        })
        .collect();
    Arm::new(&tallies)
}

fn claim(effect: f64) -> Claim {
    Claim {
        name: "shuffled".into(),
        statement: "Labels that were shuffled can be read.".into(),
        measure: "Accuracy beyond one half.".into(),
        comparison: "A coin.".into(),
        effect,
        null: 0.0,
        refuter: "The interval lies wholly below the effect.".into(),
        requires: Vec::new(),
        not_applicable: Default::default(),
    }
}

#[test]
fn shuffled_labels_are_supported_no_more_often_than_stated_and_refuted_at_any_effect_that_counts() {
    let (mut lucky, mut verdicts) = (0, Vec::new());
    for number in 0..TIMES {
        let arm = shuffled_run(number);
        let number = number.to_string();
        let beyond = |sums: &[f64]| Some(sums[0] / sums[1] - 0.5);
        let settings = Bootstrap {
            address: &["planted", "shuffled", "bootstrap", &number],
            resamples: 300,
            confidence: 1.0 - 2.0 * STATED,
            design: Design::Nested,
            clusters: "rows",
        };
        let estimate = settings.estimate(&[&arm], &|t| over_seeds(&t[0], beyond)).unwrap();
        let finding = Finding {
            claim: "shuffled".into(),
            measured: Some(Measured {
                effect: estimate.value,
                interval: estimate.interval,
                confidence: settings.confidence,
                per_seed: arm.totals().iter().filter_map(|seed| beyond(seed)).collect(),
                method: estimate.method,
                unit: "accuracy".into(),
                p: None,
                refuter: None,
            }),
            // As lenient as can be: nothing but the figures stands against the claim.
            evidence: [1, 2, 3, 4, 6].map(|item| Evidence::new(item, true, "granted")).to_vec(),
        };
        let verdict = |effect: f64| judge(&[claim(effect)], std::slice::from_ref(&finding)).remove(0).verdict;
        // An effect that any figure above the null reaches leaves the interval alone to keep false positives out.
        lucky += usize::from(verdict(1e-9) == Verdict::Supported);
        verdicts.push(verdict(0.1));
    }
    let allowed = bound(TIMES, STATED, 1e-3);
    assert!(lucky <= allowed, "{lucky} of {TIMES} supported, {allowed} allowed");
    assert!(!verdicts.contains(&Verdict::Supported));
    let refuted = verdicts.iter().filter(|verdict| **verdict == Verdict::Refuted).count();
    assert!(refuted >= TIMES * 9 / 10, "{refuted} of {TIMES} refuted");
}

#[test]
fn permutation_tests_of_shuffled_samples_reject_as_often_as_they_say() {
    let mut chance = stream(&["planted", "permutations"]);
    let (times, rate) = (1000, 0.05);
    let rejected = (0..times)
        .filter(|_| {
            let values: Vec<f64> = (0..24).map(|_| normal(&mut chance)).collect();
            permutation_test(&values[..12], &values[12..], 199, &mut chance) <= rate
        })
        .count();
    assert!(rejected <= bound(times, rate, 1e-3), "{rejected} of {times}");
    // An exact test spends its rate: 50, with a standard deviation of 6.9.
    assert!(rejected >= 25, "{rejected} of {times}");
}

#[test]
fn the_binomial_bound_is_the_tables() {
    // Of 20 trials at .05 more than 3 come with probability .0159, more than 4 with .0026 (binomial tables).
    assert_eq!(bound(20, 0.05, 0.02), 3);
    assert_eq!(bound(20, 0.05, 0.01), 4);
}
