//! On a line a model sees itself and the past, and nothing of the future.
#![allow(clippy::unwrap_used)]

mod common;

use common::{DEVICES, REFERENCE, batch, difference, line, mixed, same_bits, tokens};
use environments::{Draw, Geometry, stream};
use models::{
    Action, AdamW, Batch, Device, Intervention, LstmConfig, ModelSpec, Plan, TrainingState, TransformerConfig, learner,
    predictor,
};
use proptest::prelude::*;

fn sized(length: usize, width: usize, heads: usize) -> ModelSpec {
    let transformer = TransformerConfig { depth: 2, width, heads, expansion: 2, loops: 1 };
    ModelSpec { geometry: Geometry::Line { length }, model: transformer.into(), ..line() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn logits_do_not_depend_on_later_tokens(
        length in 1usize..75, head_width in 1usize..20, heads in 1usize..4, recurrent: bool,
        cut: prop::sample::Index, seed: u64
    ) {
        let lstm = LstmConfig { depth: 2, width: head_width };
        let spec = match recurrent {
            true => ModelSpec { model: lstm.into(), ..sized(length, 1, 1) },
            false => sized(length, head_width * heads, heads),
        };
        let parameters = mixed(&spec, seed);
        let cut = cut.index(length);
        let one = tokens(&spec, 1, seed);
        let mut other = one.clone();
        let mut stream = stream(&["test future", &seed.to_string()]);
        for token in &mut other[cut + 1..] {
            *token = stream.below(spec.vocabulary as u64) as u16;
        }
        let model = predictor(&parameters, Device::Cpu).unwrap();
        let plan = Plan { capture: spec.taps().into_iter().map(|tap| tap.name).collect(), interventions: Vec::new() };
        // Read and unread runs take different products, whose bits must be the same.
        for plan in [Plan::default(), plan] {
            let logits = |tokens: &[u16]| model.run(tokens, &plan).unwrap().logits;
            let (one, other) = (logits(&one), logits(&other));
            let seen = (cut + 1) * spec.targets;
            prop_assert!(same_bits(&one[..seen], &other[..seen]), "position {cut} saw beyond itself");
        }
    }
}

#[test]
fn the_present_and_the_past_are_seen() {
    let spec = sized(40, 12, 3);
    let parameters = mixed(&spec, 3);
    let before = tokens(&spec, 1, 3);
    for device in DEVICES {
        let model = predictor(&parameters, device).unwrap();
        let logits = |tokens: &[u16]| model.run(tokens, &Plan::default()).unwrap().logits;
        for changed in [0, 17, 39] {
            let mut after = before.clone();
            after[changed] = (after[changed] + 1) % spec.vocabulary as u16;
            let (one, other) = (logits(&before), logits(&after));
            let first = changed * spec.targets;
            assert!(difference(&one[..first], &other[..first]) < 1e-6, "{}", device.name());
            assert!(difference(&one[first..], &other[first..]) > 1e-2, "{}", device.name());
        }
    }
}

#[test]
fn patterns_above_the_diagonal_are_exactly_zero() {
    for (length, width, heads) in [(9, 13, 1), (33, 12, 3), (64, 8, 2)] {
        let spec = sized(length, width, heads);
        let tokens = tokens(&spec, 2, 1);
        for device in DEVICES {
            let model = predictor(&mixed(&spec, 2), device).unwrap();
            let run = model.run(&tokens, &Plan::reading(&["blocks.1.attn.pattern"])).unwrap();
            let pattern = run.tap("blocks.1.attn.pattern").unwrap();
            for (at, row) in pattern.values.chunks_exact(length).enumerate() {
                let query = at % length;
                assert!(row[query + 1..].iter().all(|weight| weight.to_bits() == 0), "{}", device.name());
                assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            }
        }
    }
}

#[test]
fn weight_put_above_the_diagonal_counts() {
    let spec = sized(20, 12, 3);
    let tokens = tokens(&spec, 1, 5);
    let mut row = vec![0.0; 20];
    row[15] = 1.0;
    let plan = Plan {
        capture: vec!["logits".into()],
        interventions: vec![Intervention {
            tap: "blocks.1.attn.pattern".into(),
            sequence: None,
            rows: vec![2],
            action: Action::Replace { values: row },
        }],
    };
    let logits = |device| predictor(&mixed(&spec, 7), device).unwrap().run(&tokens, &plan).unwrap().logits;
    let expected = logits(REFERENCE);
    for device in DEVICES {
        assert!(difference(&logits(device), &expected) < 1e-4, "{}", device.name());
    }
    let plain = predictor(&mixed(&spec, 7), Device::Cpu).unwrap().run(&tokens, &Plan::default()).unwrap().logits;
    assert!(difference(&plain, &expected) > 1e-2, "attending to position 15 must show at position 2");
}

#[test]
fn devices_agree_beyond_one_tile() {
    // Lengths at and about multiples of the engine's tiles of 13 rows and vectors of 16 and 32 columns.
    for length in [13, 16, 17, 33, 52] {
        let spec = sized(length, 12, 3);
        let parameters = mixed(&spec, 1);
        let batch = batch(&spec, 2, 3);
        let of = |device| {
            let mut model = learner(TrainingState::new(parameters.clone()), AdamW::default(), device).unwrap();
            model.loss_and_gradient(&batch).unwrap()
        };
        let (loss, gradient) = of(REFERENCE);
        let (other_loss, other) = of(Device::Cpu);
        assert!((loss - other_loss).abs() < 1e-5);
        let greatest = gradient.iter().fold(0.0f32, |most, value| most.max(value.abs()));
        let worst = difference(&gradient, &other);
        assert!(greatest > 0.01 && worst < 2e-5 * greatest.max(1.0), "length {length}: gradients differ by {worst}");
    }
}

#[test]
fn copying_a_repeated_sequence_is_learnt() {
    // The second half repeats the first, which is random: only a model that finds the earlier occurrence and looks one
    // further (an induction head; Olsson et al. 2022, arXiv:2209.11895) predicts it.
    let spec = ModelSpec {
        vocabulary: 8,
        targets: 8,
        geometry: Geometry::Line { length: 32 },
        model: TransformerConfig { depth: 2, width: 32, heads: 4, expansion: 2, loops: 1 }.into(),
    };
    let sample = |index: u64| {
        let mut stream = stream(&["test repeats", &index.to_string()]);
        let first: Vec<u16> = (0..16).map(|_| stream.below(8) as u16).collect();
        let tokens = [first.clone(), first].concat();
        let targets = (0..32).map(|at| if at < 16 { environments::UNSCORED } else { tokens[(at + 1) % 16] }).collect();
        environments::Sample { tokens, targets }
    };
    let state = TrainingState::new(common::small(&spec, 1));
    let mut model = learner(state, AdamW::default(), Device::Cpu).unwrap();
    let mut loss = f32::INFINITY;
    for step in 0..400 {
        let samples: Vec<_> = (step * 32..(step + 1) * 32).map(sample).collect();
        model.step(&Batch::stack(&samples), 3e-3).unwrap();
        if step % 100 == 99 {
            loss = model.mean_loss().unwrap();
        }
    }
    assert!(loss < 0.1, "{loss} nats, where chance is {}", 8f32.ln());
}
