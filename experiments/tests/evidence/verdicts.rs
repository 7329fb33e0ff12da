//! The five planted models go through probes, controls, erasure, interventions and the judge, and come out apart.

use environments::stream;
use models::{Action, Intervention, Parameters, Plan};

use crate::planted::{Facts, PARTS, Planted, TAP, WIDTH, plant, run, spec, tokens};
use experiments::claims::{Claim, ENOUGH_SEEDS, Evidence, Finding, Measured, Verdict, judge};
use experiments::evidence::controls::control_labels;
use experiments::evidence::linear::orthonormal;
use experiments::evidence::metrics::surprise;
use experiments::evidence::numeric::{exponential, log_softmax, normal};
use experiments::evidence::statistics::mean;
use experiments::evidence::*;

/// What is read: a bit of a token.
type Bit = fn(Facts) -> bool;
const CONCEPT: Bit = |facts| facts.concept;
const RELATIVE: Bit = Facts::relative;

/// Rows of the three parts.
type Three = [Dataset; 3];

fn rows(model: &Parameters, bit: Bit) -> Three {
    let model = run(model);
    [0, 1, 2].map(|part| {
        let captured = model.run(&tokens(part), &Plan::reading(&[TAP])).unwrap().captured.remove(0);
        let mut data = Dataset::new(WIDTH, 2);
        for (place, token) in PARTS[part].clone().enumerate() {
            data.push(captured.row(place, 0), usize::from(bit(Facts::of(token))), place);
        }
        data
    })
}

/// Tallies by token for reporting: of each class, hits and cases.
fn reading(probe: Probe, [train, validation, test]: &Three, seed: usize) -> Vec<Vec<f64>> {
    let mut chance = stream(&["planted", "fit", &seed.to_string()]);
    let said = fit(probe, train, validation, &mut chance).unwrap().predict(test).predicted();
    let tally = |(&said, &truth): (&usize, &usize)| {
        let mut counts = vec![0.0; 4];
        counts[2 * truth] = f64::from(u8::from(said == truth));
        counts[2 * truth + 1] = 1.0;
        counts
    };
    said.iter().zip(&test.labels).map(tally).collect()
}

/// Control task: every token is a type of its own.
fn control(three: &Three) -> Three {
    [0, 1, 2].map(|part| {
        let types: Vec<u64> = PARTS[part].clone().map(|token| token as u64).collect();
        three[part].relabelled(control_labels(&types, &three[part].labels, 2, &["planted", "control"]), 2)
    })
}

fn balanced(sums: &[f64]) -> Option<f64> {
    Some((metrics::ratio(sums[0], sums[1])? + metrics::ratio(sums[2], sums[3])?) / 2.0)
}

/// Probability of every answer.
fn probabilities(logits: &[f32]) -> Vec<Vec<f64>> {
    let one = |row: &[f32]| {
        let mut row: Vec<f64> = row.iter().map(|&logit| f64::from(logit)).collect();
        log_softmax(&mut row);
        row.into_iter().map(exponential).collect()
    };
    logits.chunks_exact(4).map(one).collect()
}

/// What an edit of a bit does at each token for reporting: the rise of the probability of the answer that the simulator
/// gives once the concept is the other way round. The edit replaces the part of the activation within a subspace by that
/// of a token whose bit is the other way round.
fn edited(model: &Parameters, test: &Dataset, basis: &[f64], bit: Bit, itself: bool) -> Vec<f64> {
    let model = run(model);
    let clean = model.run(&tokens(2), &Plan::default()).unwrap();
    let count = test.rows();
    let interventions = (0..count).map(|place| {
        let own = bit(Facts::of(PARTS[2].start + place));
        let other = |by: &usize| bit(Facts::of(PARTS[2].start + (place + by) % count)) != own;
        let from = if itself { place } else { (place + (1..count).find(other).unwrap()) % count };
        let basis = basis.iter().map(|value| *value as f32).collect();
        let action = Action::ReplaceWithin { basis, values: test.row(from).to_vec() };
        Intervention { tap: TAP.into(), sequence: Some(place), rows: vec![0], action }
    });
    let plan = Plan { capture: Vec::new(), interventions: interventions.collect() };
    let after = model.run(&tokens(2), &plan).unwrap();
    let pairs = probabilities(&after.logits).into_iter().zip(probabilities(&clean.logits));
    let gain = |(place, (after, clean)): (usize, (Vec<f64>, Vec<f64>))| {
        let facts = Facts::of(PARTS[2].start + place);
        let answer = Facts { concept: !facts.concept, ..facts }.answer();
        after[answer] - clean[answer]
    };
    pairs.enumerate().map(gain).collect()
}

/// Mean loss at the tokens for reporting, with some of the activation erased.
fn loss(model: &Parameters, test: &Dataset, eraser: Option<&Eraser>) -> f64 {
    let model = run(model);
    let mut plan = Plan::default();
    if let Some(eraser) = eraser {
        let mut values = test.features.clone();
        eraser.apply(&mut values);
        let erased = |(place, row): (usize, &[f32])| Intervention {
            tap: TAP.into(),
            sequence: Some(place),
            rows: vec![0],
            action: Action::Replace { values: row.to_vec() },
        };
        plan.interventions = values.chunks_exact(WIDTH).enumerate().map(erased).collect();
    }
    nats(&model.run(&tokens(2), &plan).unwrap().logits)
}

/// Mean loss of what was said at the tokens for reporting.
pub fn nats(logits: &[f32]) -> f64 {
    let told = probabilities(logits);
    let nats = told.iter().zip(PARTS[2].clone()).map(|(row, token)| surprise(row[Facts::of(token).answer()]));
    mean(&nats.collect::<Vec<_>>())
}

/// Everything measured of the five seeds of a model, for one frame of the concept.
struct Findings {
    linear: Arm,
    perceptron: Arm,
    control: Arm,
    untrained: Arm,
    /// Tallies by token: the gain of the edit, of an edit of the other fact, along a random direction; one.
    edits: Arm,
    /// Greatest change by an edit that replaces by the same.
    null: f64,
    /// Rise of the loss by erasing the concept, and by erasing a random subspace of its rank.
    erasure: (f64, f64),
}

fn measure(planted: Planted, bit: Bit) -> Findings {
    let (mut linear, mut perceptron, mut controls, mut untrained) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut edits, mut null, mut erasure) = (Vec::new(), 0f64, (Vec::new(), Vec::new()));
    for seed in 0..ENOUGH_SEEDS {
        let model = plant(planted, seed);
        let three = rows(&model, bit);
        linear.push(reading(Probe::Logistic, &three, seed));
        perceptron.push(reading(Probe::Mlp(32), &three, seed));
        controls.push(reading(Probe::Mlp(32), &control(&three), seed));
        let mut chance = stream(&["planted", "measure", &seed.to_string()]);
        let random = Parameters::initialise(&spec(), &mut chance);
        untrained.push(reading(Probe::Logistic, &rows(&random, bit), seed));
        let [train, _, test] = &three;
        let whitening = Whitening::fit(&train.features, WIDTH);
        let leace = whitening.erase(&train.features, &train.labels, 2);
        let other = rows(&model, |facts| facts.other);
        let wrong = whitening.erase(&train.features, &other[0].labels, 2).basis();
        let direction: Vec<f64> = (0..WIDTH).map(|_| normal(&mut chance)).collect();
        let gains = [leace.basis(), wrong, orthonormal(&direction, WIDTH)]
            .map(|basis| edited(&model, test, &basis, bit, false));
        edits.push(
            (0..test.rows()).map(|row| vec![gains[0][row], gains[1][row], gains[2][row], 1.0]).collect::<Vec<_>>(),
        );
        null =
            edited(&model, test, &leace.basis(), bit, true).into_iter().fold(null, |most, gain| most.max(gain.abs()));
        let rise = |eraser: &Eraser| loss(&model, test, Some(eraser)) - loss(&model, test, None);
        erasure.0.push(rise(&leace));
        erasure.1.push(rise(&whitening.erase_random(leace.rank(), &mut chance)));
    }
    let arm = |tallies: Vec<Vec<Vec<f64>>>| Arm::new(&tallies);
    Findings {
        linear: arm(linear),
        perceptron: arm(perceptron),
        control: arm(controls),
        untrained: arm(untrained),
        edits: arm(edits),
        null,
        erasure: (mean(&erasure.0), mean(&erasure.1)),
    }
}

const NAMES: [&str; 5] = ["linear", "nonlinear", "relative", "used", "used-relative"];

fn claims() -> Vec<Claim> {
    let claim = |name: &str| Claim {
        name: name.into(),
        statement: "A planted model carries the concept so.".into(),
        measure: "Balanced accuracy of a probe, or the rise of the simulator's answer after an edit.".into(),
        comparison: "Random weights, a linear probe, a random direction.".into(),
        effect: 0.2,
        null: 0.0,
        refuter: "The interval lies wholly below the effect.".into(),
        requires: name
            .strip_prefix("used")
            .map(|frame| if frame.is_empty() { "linear" } else { "relative" }.into())
            .into_iter()
            .collect(),
        not_applicable: [("1".to_string(), "The claim is about what is carried.".to_string())]
            .into_iter()
            .filter(|_| !name.starts_with("used"))
            .collect(),
    };
    NAMES.map(claim).to_vec()
}

/// The verdicts on the five claims.
fn verdicts(absolute: &Findings, relative: &Findings) -> Vec<Verdict> {
    let estimate = |name: &str, arms: &[&Arm], statistic: &(dyn Fn(&Totals) -> Option<f64> + Sync)| {
        let address = ["planted", "bootstrap", name];
        let settings = Bootstrap {
            address: &address,
            resamples: 300,
            confidence: 0.95,
            design: Design::Crossed,
            clusters: "tokens",
        };
        settings.estimate(arms, statistic).unwrap()
    };
    let accuracy = |totals: &[Vec<f64>]| over_seeds(totals, balanced);
    let apart = |t: &Totals| Some(accuracy(&t[0])? - accuracy(&t[1])?);
    let gain = |t: &Totals| over_seeds(&t[0], |sums| Some((sums[0] - sums[2]) / sums[3]));
    let wrong = |t: &Totals| over_seeds(&t[0], |sums| Some((sums[0] - sums[1]) / sums[3]));
    let findings = NAMES.map(|name| {
        let found = if name.ends_with("relative") { relative } else { absolute };
        let used = name.starts_with("used");
        let beyond = |arm: &Arm, rival: &Arm| estimate(name, &[arm, rival], &apart);
        let effect = match name {
            _ if used => estimate(name, &[&found.edits], &gain),
            "nonlinear" => beyond(&found.perceptron, &found.linear),
            _ => beyond(&found.linear, &found.untrained),
        };
        let best = if name == "nonlinear" { &found.perceptron } else { &found.linear };
        let (baselines, selective) = (beyond(best, &found.untrained), beyond(best, &found.control));
        let causal = estimate(name, &[&found.edits], &wrong);
        let above = |item: u8, estimate: &Estimate, more: bool| {
            Evidence::new(item, estimate.interval.0 > 0.0 && more, format!("{estimate:?}"))
        };
        let per_seed = match used {
            true => found.edits.totals().iter().map(|seed| gain(&[vec![seed.clone()]]).unwrap()).collect(),
            false => best.totals().iter().map(|seed| balanced(seed).unwrap()).collect(),
        };
        let Estimate { value, interval, method } = effect;
        Finding {
            claim: name.into(),
            measured: Some(Measured {
                effect: value,
                interval,
                confidence: 0.95,
                per_seed,
                method,
                unit: "balanced accuracy or probability".into(),
                p: None,
                refuter: None,
            }),
            evidence: vec![
                above(1, &causal, found.null < 1e-6),
                above(2, &baselines, true),
                Evidence::new(3, true, "balanced accuracy of a fair bit"),
                Evidence::new(4, true, "no token is in two parts"),
                above(6, &selective, true),
            ],
        }
    });
    judge(&claims(), &findings).into_iter().map(|result| result.verdict).collect()
}

#[test]
fn the_toolkit_tells_all_five_planted_models_apart() {
    use Verdict::{Inconclusive as I, Refuted as R, Supported as S};
    for planted in Planted::ALL {
        let (absolute, relative) = (measure(planted, CONCEPT), measure(planted, RELATIVE));
        // Whether the concept: is a direction; needs more than a direction; is a direction for the one whose turn it is;
        // is used along the first; is used along the second. What is not there is not asked whether it is used.
        let expected = match planted {
            Planted::Used => [S, R, R, S, I],
            Planted::Ignored => [S, R, R, R, I],
            Planted::Absent => [R, R, R, I, I],
            Planted::NonLinear => [R, S, R, I, I],
            Planted::OtherFrame => [R, S, S, I, S],
        };
        assert_eq!(verdicts(&absolute, &relative), expected, "{planted:?}");
        // Erasure hurts where what it erases is used, and nowhere else, beyond a random subspace of the same rank.
        let hurts = |found: &Findings| found.erasure.0 - found.erasure.1 > 0.3;
        let used = (planted == Planted::Used, planted == Planted::OtherFrame);
        assert_eq!(
            (hurts(&absolute), hurts(&relative)),
            used,
            "{planted:?}: {:?}",
            (absolute.erasure, relative.erasure)
        );
    }
}

#[test]
fn planted_models_answer_as_they_were_planted() {
    for planted in Planted::ALL {
        let model = plant(planted, 0);
        let three = rows(&model, CONCEPT);
        let nats = loss(&model, &three[2], None);
        // Who does not use the concept is left with a coin.
        let coin = matches!(planted, Planted::Ignored | Planted::Absent);
        let expected = if coin { std::f64::consts::LN_2 } else { 0.0 };
        assert!((nats - expected).abs() < 0.05, "{planted:?}: {nats}");
    }
}

#[test]
fn every_listed_probe_reads_a_direction_and_no_model_that_has_none() {
    for kind in probe::KINDS {
        let probe = probe::find(kind.name).unwrap();
        let score = |planted: Planted| {
            let tallies = reading(probe, &rows(&plant(planted, 0), CONCEPT), 0);
            let sums =
                tallies.iter().fold(vec![0.0; 4], |sum, tally| sum.iter().zip(tally).map(|(a, b)| a + b).collect());
            balanced(&sums).unwrap()
        };
        assert!(score(Planted::Used) > 0.9 && score(Planted::Ignored) > 0.9, "{}", kind.name);
        assert!((score(Planted::Absent) - 0.5).abs() < 0.06, "{}", kind.name);
    }
    assert!(probe::find("nearest-men").unwrap_err().ends_with("the nearest is `nearest-mean`"));
}
