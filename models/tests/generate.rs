//! Symbol by symbol as all at once, and what is drawn.
#![allow(clippy::unwrap_used)]

mod common;

use common::{batch, line, looped, lstm, mixed, same_bits, small, tokens, torus};
use environments::{Geometry, UNSCORED, stream};
use models::{
    AdamW, Device, LstmConfig, ModelSpec, Plan, TrainingState, TransformerConfig, draw, generate, generator, learner,
    log_probabilities, predictor,
};

#[test]
fn feeding_gives_the_bits_of_a_whole_run() {
    let wide = TransformerConfig { depth: 2, width: 40, heads: 2, expansion: 2, loops: 1 };
    let long = ModelSpec { geometry: Geometry::Line { length: 50 }, model: wide.into(), ..line() };
    let deep = ModelSpec {
        geometry: Geometry::Line { length: 40 },
        model: LstmConfig { depth: 3, width: 40 }.into(),
        ..lstm()
    };
    for spec in [line(), looped(), lstm(), long, deep] {
        let parameters = mixed(&spec, 3);
        let (length, count) = (spec.geometry.len(), 15);
        let tokens = tokens(&spec, count, 1);
        let whole = predictor(&parameters, Device::Cpu).unwrap().run(&tokens, &Plan::default()).unwrap().logits;
        let mut model = generator(&parameters, count).unwrap();
        for position in 0..length {
            assert_eq!(model.position(), position);
            let column: Vec<u16> = tokens.iter().skip(position).step_by(length).copied().collect();
            let logits = model.feed(&column).unwrap();
            for (sequence, row) in logits.chunks_exact(spec.targets).enumerate() {
                let expected = &whole[(sequence * length + position) * spec.targets..][..spec.targets];
                assert!(same_bits(row, expected), "{} at {position}", spec.model.kind());
            }
        }
        assert!(model.feed(&tokens[..count]).unwrap_err().to_string().contains(&length.to_string()));
    }
    assert!(generator(&small(&torus(), 1), 1).is_err());
}

#[test]
fn what_is_fed_wrongly_is_named() {
    let mut model = generator(&small(&line(), 1), 2).unwrap();
    assert!(model.feed(&[0]).unwrap_err().to_string().contains("2 sequences"));
    assert!(model.feed(&[0, 3]).unwrap_err().to_string().contains("token 3"));
    assert_eq!(model.position(), 0, "what does not fit is not fed");
    let mut chance = stream(&["test draws"]);
    assert!(generate(model.as_mut(), 2, &[], 1, 1.0, &mut chance).is_err());
    assert!(generate(model.as_mut(), 2, &[0, 1, 2], 1, 1.0, &mut chance).is_err());
}

#[test]
fn draws_follow_the_distribution() {
    let logits = [0.5f32, -1.0, 2.0, 0.5];
    let mut chance = stream(&["test draws"]);
    for temperature in [1.0f32, 0.5] {
        let weights: Vec<f64> = logits.iter().map(|logit| f64::from(logit / temperature).exp()).collect();
        let total: f64 = weights.iter().sum();
        let mut counts = [0usize; 4];
        for _ in 0..40_000 {
            counts[usize::from(draw(&logits, temperature, &mut chance))] += 1;
        }
        for (count, weight) in counts.iter().zip(&weights) {
            let (share, expected) = (*count as f64 / 40_000.0, weight / total);
            // Five standard deviations.
            assert!((share - expected).abs() < 5.0 * (expected * (1.0 - expected) / 40_000.0).sqrt());
        }
    }
    assert_eq!(draw(&logits, 0.0, &mut chance), 2);
    assert_eq!(draw(&[1.0, 3.0, 3.0], 0.0, &mut chance), 1, "the first of equals");
}

#[test]
fn what_is_generated_is_what_the_model_says_at_each_step() {
    // At temperature 0 every symbol is the likeliest one after all before it.
    let spec = ModelSpec { targets: 3, ..line() };
    let parameters = mixed(&spec, 2);
    let (length, prompts) = (spec.geometry.len(), [1, 0, 2, 2]);
    let mut model = generator(&parameters, 2).unwrap();
    let drawn = generate(model.as_mut(), 2, &prompts, length - 2, 0.0, &mut stream(&["test draws"])).unwrap();
    let whole: Vec<u16> =
        (0..2).flat_map(|at| [&prompts[at * 2..][..2], &drawn[at * (length - 2)..][..length - 2]].concat()).collect();
    let logits = predictor(&parameters, Device::Cpu).unwrap().run(&whole, &Plan::default()).unwrap().logits;
    for sequence in 0..2 {
        for position in 1..length - 1 {
            let row = &logits[(sequence * length + position) * 3..][..3];
            let next = usize::from(whole[sequence * length + position + 1]);
            assert!(row.iter().all(|logit| *logit <= row[next]));
        }
    }
}

#[test]
fn log_probabilities_add_up_to_the_loss() {
    for spec in [line(), lstm()] {
        let parameters = mixed(&spec, 1);
        let batch = batch(&spec, 3, 2);
        let logits = predictor(&parameters, Device::Cpu).unwrap().run(&batch.tokens, &Plan::default()).unwrap().logits;
        let scores = log_probabilities(&logits, &batch.targets).unwrap();
        assert!(scores.iter().zip(&batch.targets).all(|(score, &target)| (target == UNSCORED) == (*score == 0.0)));
        let state = TrainingState::new(parameters);
        let (loss, _) = learner(state, AdamW::default(), Device::Cpu).unwrap().loss_and_gradient(&batch).unwrap();
        let mean = -scores.iter().sum::<f32>() / batch.scored() as f32;
        assert!((loss - mean).abs() < 1e-6, "{loss} {mean}");
        // Over all outputs probabilities add up to one.
        let row = &logits[..spec.targets];
        let total: f32 =
            (0..spec.targets as u16).map(|target| log_probabilities(row, &[target]).unwrap()[0].exp()).sum();
        assert!((total - 1.0).abs() < 1e-6);
        assert!(log_probabilities(&logits, &batch.targets[1..]).is_err());
        assert!(log_probabilities(row, &[spec.targets as u16]).is_err());
    }
    assert_eq!(log_probabilities(&[], &[]).unwrap(), Vec::<f32>::new());
}
