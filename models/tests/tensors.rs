//! Every device computes the same model, learns it the same way, and lets every activation be read and changed.
#![allow(clippy::unwrap_used)]

mod common;

use common::{
    DEVICES, REFERENCE, batch, difference, every_kind, gradient_by_differences, mixed, same_bits, small, tokens, torus,
    transformer, with_threads,
};
use environments::UNSCORED;
use models::{
    Action, AdamW, Batch, Device, Intervention, LstmConfig, ModelError, ModelSpec, Plan, TrainingState,
    TransformerConfig, learner, predictor,
};

fn every_tap(spec: &ModelSpec) -> Vec<String> {
    spec.taps().into_iter().map(|tap| tap.name).collect()
}

fn reading_everything(spec: &ModelSpec) -> Plan {
    Plan { capture: every_tap(spec), interventions: Vec::new() }
}

#[test]
fn gradients_agree_with_finite_differences() {
    // Central differences of an f32 loss along random directions of unit norm: their own error is some 1e-7 / step
    // for rounding plus step² for curvature, about 1e-4 at the step taken; the slopes are of order 0.1 to 1.
    for spec in every_kind() {
        let parameters = mixed(&spec, 11);
        let batch = batch(&spec, 3, 5);
        for device in DEVICES {
            for (slope, measured) in gradient_by_differences(&parameters, &batch, device, 6) {
                let tolerance = 2e-3 * slope.abs().max(0.25);
                assert!((slope - measured).abs() < tolerance, "{}: {slope} but {measured}", device.name());
            }
        }
    }
}

#[test]
fn devices_agree_on_loss_and_gradient() {
    for spec in every_kind() {
        let parameters = mixed(&spec, 3);
        let batch = batch(&spec, 5, 9);
        let of = |device| {
            let mut model = learner(TrainingState::new(parameters.clone()), AdamW::default(), device).unwrap();
            model.loss_and_gradient(&batch).unwrap()
        };
        let (loss, gradient) = of(REFERENCE);
        let greatest = gradient.iter().fold(0.0f32, |most, value| most.max(value.abs()));
        assert!(greatest > 0.01, "a gradient that vanishes shows nothing: {greatest}");
        for device in DEVICES {
            let (other_loss, other) = of(device);
            assert!((loss - other_loss).abs() < 1e-5, "{}: loss {other_loss}, not {loss}", device.name());
            let worst = difference(&gradient, &other);
            assert!(worst < 2e-5 * greatest.max(1.0), "{}: gradients differ by {worst}", device.name());
        }
    }
}

#[test]
fn devices_agree_on_logits_and_on_every_tap() {
    for spec in every_kind() {
        let parameters = mixed(&spec, 1);
        let tokens = tokens(&spec, 4, 2);
        let plan = reading_everything(&spec);
        let expected = predictor(&parameters, REFERENCE).unwrap().run(&tokens, &plan).unwrap();
        assert_eq!(expected.logits.len(), tokens.len() * spec.targets);
        for device in DEVICES {
            let run = predictor(&parameters, device).unwrap().run(&tokens, &plan).unwrap();
            let worst = difference(&run.logits, &expected.logits);
            assert!(worst < 1e-4, "{}: logits differ by {worst}", device.name());
            for (one, other) in run.captured.iter().zip(&expected.captured) {
                assert_eq!((one.rows, one.width), (other.rows, other.width));
                let worst = difference(&one.values, &other.values);
                assert!(worst < 1e-4, "{} at {}: activations differ by {worst}", device.name(), one.tap);
            }
        }
    }
}

#[test]
fn devices_agree_on_a_loss_curve() {
    // AdamW divides by the root of the second moment, so that for parameters whose gradient is near 0 rounding
    // decides the sign of a step: weights drift apart, the losses far less.
    let spec = torus();
    let curve = |device| {
        let state = TrainingState::new(small(&spec, 7));
        let mut model = learner(state, AdamW::default(), device).unwrap();
        let losses: Vec<f32> = (0..20)
            .map(|step| {
                model.step(&batch(&spec, 8, step), 3e-3).unwrap();
                model.mean_loss().unwrap()
            })
            .collect();
        losses
    };
    let expected = curve(REFERENCE);
    assert!(expected[19] < expected[0] - 0.02, "the loss must fall for the curve to show anything: {expected:?}");
    for device in DEVICES {
        let losses = curve(device);
        let worst = difference(&losses, &expected);
        assert!(worst < 1e-3, "{}: {worst}\n{losses:?}\n{expected:?}", device.name());
    }
}

#[test]
fn one_step_is_adamw_with_clipping_and_decay_on_matrices_alone() {
    let spec = torus();
    let batch = batch(&spec, 4, 1);
    let mut state = TrainingState::new(mixed(&spec, 5));
    // A state in mid-training: both moments and the bias correction count.
    for (number, (first, second)) in state.first.iter_mut().zip(&mut state.second).enumerate() {
        *first = 0.01 * (number as f32).sin();
        *second = 1e-4 * (1.5 + (number as f32).cos());
    }
    state.step = 6;
    let optimizer = AdamW { beta1: 0.8, beta2: 0.95, epsilon: 1e-6, weight_decay: 0.3, clip: 0.05 };
    for device in DEVICES {
        let mut model = learner(state.clone(), optimizer, device).unwrap();
        let (_, gradient) = model.loss_and_gradient(&batch).unwrap();
        model.step(&batch, 0.02).unwrap();
        let after = model.state().unwrap();
        assert_eq!(after.step, 7);
        let norm = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
        assert!(norm > 0.1, "clipping must act: the norm is {norm}");
        let scale = (0.05 / (norm + 1e-6)).min(1.0);
        for entry in spec.layout().entries {
            for at in entry.range() {
                let gradient = f64::from(gradient[at]) * scale;
                let first = 0.8 * f64::from(state.first[at]) + 0.2 * gradient;
                let second = 0.95 * f64::from(state.second[at]) + 0.05 * gradient * gradient;
                let (one, two) = (first / (1.0 - 0.8f64.powi(7)), second / (1.0 - 0.95f64.powi(7)));
                let value = f64::from(state.parameters.values[at]);
                let decay = if entry.shape.len() == 2 && entry.decay { 0.3 * value } else { 0.0 };
                let expected = value - 0.02 * (one / (two.sqrt() + 1e-6) + decay);
                for (name, found, expected) in [
                    ("value", after.parameters.values[at], expected),
                    ("first moment", after.first[at], first),
                    ("second moment", after.second[at], second),
                ] {
                    assert!(
                        (f64::from(found) - expected).abs() < 2e-6,
                        "{}: {name} of {}: {found}, not {expected}",
                        device.name(),
                        entry.name
                    );
                }
            }
        }
    }
}

#[test]
fn unscored_positions_count_for_nothing() {
    let spec = torus();
    let whole = batch(&spec, 2, 4);
    for device in DEVICES {
        let mut model = learner(TrainingState::new(mixed(&spec, 2)), AdamW::default(), device).unwrap();
        let mut of = |targets: &[u16]| {
            let batch = Batch { targets: targets.to_vec(), ..whole.clone() };
            model.loss_and_gradient(&batch).unwrap()
        };
        // The mean over the scored halves is the mean over all, whichever the sizes of the halves.
        let split = 5;
        let (mut head, mut tail) = (whole.targets.clone(), whole.targets.clone());
        head[split..].fill(UNSCORED);
        tail[..split].fill(UNSCORED);
        let ((all, _), (head, _), (tail, _)) = (of(&whole.targets), of(&head), of(&tail));
        let scored = |targets: &[u16]| targets.iter().filter(|&&target| target != UNSCORED).count() as f32;
        let share = scored(&whole.targets[..split]) / scored(&whole.targets);
        assert!((share * head + (1.0 - share) * tail - all).abs() < 1e-5, "{}", device.name());
        let (nothing, gradient) = of(&vec![UNSCORED; whole.targets.len()]);
        assert_eq!(nothing, 0.0);
        assert!(gradient.iter().all(|&value| value == 0.0));
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    // Products large enough that burn shares them out over threads.
    let wide = TransformerConfig { depth: 1, width: 64, heads: 4, expansion: 4, loops: 1 };
    let memory = LstmConfig { depth: 1, width: 64 };
    let specs = [ModelSpec { model: wide.into(), ..torus() }, ModelSpec { model: memory.into(), ..common::lstm() }];
    for (device, spec) in DEVICES.into_iter().flat_map(|device| specs.iter().map(move |spec| (device, spec))) {
        let batch = batch(spec, 64, 3);
        let once = |threads| {
            with_threads(threads, || {
                let mut model = learner(TrainingState::new(small(spec, 1)), AdamW::default(), device).unwrap();
                model.step(&batch, 1e-2).unwrap();
                model.step(&batch, 1e-2).unwrap();
                let state = model.state().unwrap();
                let run = predictor(&state.parameters, device).unwrap().run(&batch.tokens, &Plan::default()).unwrap();
                (model.mean_loss().unwrap(), state, run.logits)
            })
        };
        let (loss, state, logits) = once(1);
        for threads in [1, 2, 3] {
            let (other_loss, other, other_logits) = once(threads);
            let name = device.name();
            assert_eq!(loss.to_bits(), other_loss.to_bits(), "{name} at {threads} threads");
            assert!(same_bits(&state.parameters.values, &other.parameters.values), "{name} at {threads} threads");
            assert!(same_bits(&logits, &other_logits), "{name} at {threads} threads");
        }
    }
}

#[test]
fn replacing_an_activation_by_itself_changes_no_bit_of_the_logits() {
    for spec in every_kind() {
        let tokens = tokens(&spec, 3, 8);
        for device in DEVICES {
            let model = predictor(&mixed(&spec, 4), device).unwrap();
            let plain = model.run(&tokens, &Plan::default()).unwrap();
            let read = model.run(&tokens, &reading_everything(&spec)).unwrap();
            assert!(same_bits(&plain.logits, &read.logits), "{}: reading changes the logits", device.name());
            for (shape, captured) in spec.taps().into_iter().zip(&read.captured) {
                assert_eq!(captured.tap, shape.name);
                assert_eq!(captured.values.len(), 3 * shape.rows * shape.width);
                let one = shape.rows * shape.width;
                let interventions = (0..3)
                    .map(|sequence| Intervention {
                        tap: shape.name.clone(),
                        sequence: Some(sequence),
                        rows: (0..shape.rows).collect(),
                        action: Action::Replace { values: captured.values[sequence * one..][..one].to_vec() },
                    })
                    .collect();
                let patched = model.run(&tokens, &Plan { capture: Vec::new(), interventions }).unwrap();
                assert!(same_bits(&plain.logits, &patched.logits), "{} at {}", device.name(), shape.name);
            }
        }
    }
}

#[test]
fn every_tap_fires_and_is_what_its_name_says() {
    let spec = torus();
    let tokens = tokens(&spec, 3, 6);
    let parameters = mixed(&spec, 9);
    let width = spec.model.width();
    for device in DEVICES {
        let run = predictor(&parameters, device).unwrap().run(&tokens, &reading_everything(&spec)).unwrap();
        let at = |name: &str| run.tap(name).unwrap().values.clone();
        let embed = parameters.get("embed.weight").unwrap();
        for (position, &token) in tokens.iter().enumerate() {
            let row = &embed[usize::from(token) * width..][..width];
            assert!(same_bits(&at("embed")[position * width..][..width], row));
        }
        let mut stream = at("embed");
        for block in 0..spec.model.depth() {
            let name = |part: &str| format!("blocks.{block}.{part}");
            assert!(same_bits(&at(&name("resid_pre")), &stream));
            let add = |a: Vec<f32>, b: Vec<f32>| a.iter().zip(&b).map(|(a, b)| a + b).collect::<Vec<f32>>();
            assert!(difference(&at(&name("resid_mid")), &add(stream, at(&name("attn_out")))) < 1e-6);
            assert!(difference(&at(&name("resid_post")), &add(at(&name("resid_mid")), at(&name("mlp_out")))) < 1e-6);
            stream = at(&name("resid_post"));
            let pattern = run.tap(&name("attn.pattern")).unwrap();
            assert_eq!(pattern.rows, transformer(&spec).heads * pattern.width);
            for row in pattern.values.chunks_exact(pattern.width) {
                assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5 && row.iter().all(|&weight| weight >= 0.0));
            }
            // A head's output is its pattern's mean of values: checked through the output matrix.
            let (values, parts) = (at(&name("attn.v")), width / transformer(&spec).heads);
            let length = pattern.width;
            let matrix = parameters.get(&name("attn.out.weight")).unwrap();
            let bias = parameters.get(&name("attn.out.bias")).unwrap();
            let (sequence, query) = (1, 3);
            let mut mixed = vec![0.0f32; width];
            for (column, slot) in mixed.iter_mut().enumerate() {
                let weights = pattern.row(sequence, column / parts * length + query);
                *slot = (0..length).map(|key| weights[key] * values[(sequence * length + key) * width + column]).sum();
            }
            let out = run.tap(&name("attn_out")).unwrap();
            for column in 0..width {
                let sum: f32 = (0..width).map(|input| mixed[input] * matrix[input * width + column]).sum();
                assert!((sum + bias[column] - out.row(sequence, query)[column]).abs() < 1e-4);
            }
            assert!(at(&name("mlp.hidden")).iter().all(|&value| value > -0.171), "after the activation function");
        }
        assert!(same_bits(&at("logits"), &run.logits));
    }
}

#[test]
fn a_stream_replaced_by_anothers_gives_the_others_logits() {
    let spec = torus();
    let length = spec.geometry.len();
    let tokens = tokens(&spec, 2, 12);
    let last = format!("blocks.{}.resid_post", spec.model.depth() - 1);
    for device in DEVICES {
        let model = predictor(&mixed(&spec, 6), device).unwrap();
        for tap in ["embed", "blocks.1.resid_pre", last.as_str(), "logits"] {
            let read = model.run(&tokens, &Plan::reading(&[tap])).unwrap();
            let captured = read.tap(tap).unwrap();
            let donor = captured.values[length * captured.width..].to_vec();
            let intervention = Intervention {
                tap: tap.into(),
                sequence: Some(0),
                rows: (0..length).collect(),
                action: Action::Replace { values: donor },
            };
            let plan = Plan { capture: vec![tap.into()], interventions: vec![intervention] };
            let run = model.run(&tokens, &plan).unwrap();
            let half = run.logits.len() / 2;
            assert!(difference(&run.logits[..half], &read.logits[half..]) < 1e-6, "{} at {tap}", device.name());
            assert!(difference(&run.logits[half..], &read.logits[half..]) < 1e-6, "the donor stays as it was");
            assert!(difference(&read.logits[..half], &read.logits[half..]) > 0.1, "the two must differ");
            let (one, other) = run.tap(tap).unwrap().values.split_at(captured.values.len() / 2);
            assert!(same_bits(one, other), "what is captured is what the rest of the model saw");
        }
    }
}

#[test]
fn additions_and_projections_do_what_they_say() {
    let spec = torus();
    let tokens = tokens(&spec, 2, 13);
    let width = spec.model.width();
    let tap = "blocks.0.resid_mid";
    let mut basis = vec![0.0; width];
    (basis[1], basis[4]) = (0.6, 0.8);
    let centre: Vec<f32> = (0..width).map(|column| 0.1 * column as f32).collect();
    let along = |row: &[f32]| 0.6 * row[1] + 0.8 * row[4];
    for device in DEVICES {
        let model = predictor(&mixed(&spec, 8), device).unwrap();
        let change = |sequence, action| Intervention { tap: tap.into(), sequence, rows: vec![2, 7], action };
        let run = |interventions| model.run(&tokens, &Plan { capture: vec![tap.into()], interventions }).unwrap();
        let plain = run(Vec::new());
        let added = run(vec![change(Some(1), Action::Add { direction: basis.clone(), dose: 2.5 })]);
        let erased = run(vec![change(None, Action::ProjectOut { basis: basis.clone(), centre: centre.clone() })]);
        let swapped = run(vec![change(
            None,
            Action::ReplaceWithin { basis: basis.clone(), values: [centre.clone(), centre.clone()].concat() },
        )]);
        for sequence in 0..2 {
            for row in 0..spec.geometry.len() {
                let touched = row == 2 || row == 7;
                let of = |run: &models::Run| run.tap(tap).unwrap().row(sequence, row).to_vec();
                let moved = along(&of(&added)) - along(&of(&plain));
                let expected = if touched && sequence == 1 { 2.5 } else { 0.0 };
                assert!((moved - expected).abs() < 1e-5);
                for changed in [&erased, &swapped] {
                    if touched {
                        assert!((along(&of(changed)) - along(&centre)).abs() < 1e-5, "{}", device.name());
                        assert!((of(changed)[0] - of(&plain)[0]).abs() < 1e-6, "outside the subspace nothing moves");
                    } else {
                        assert!(same_bits(&of(changed), &of(&plain)));
                    }
                }
            }
        }
        assert!(difference(&plain.logits, &added.logits) > 1e-3 && difference(&plain.logits, &erased.logits) > 1e-3);
    }
}

#[test]
fn what_a_plan_or_a_batch_gets_wrong_is_named() {
    let spec = torus();
    let length = spec.geometry.len();
    let vocabulary = spec.vocabulary as u16;
    for device in DEVICES {
        let model = predictor(&small(&spec, 1), device).unwrap();
        let fine = tokens(&spec, 1, 1);
        match model.run(&fine, &Plan::reading(&["blocks.1.resid_pots"])) {
            Err(ModelError::UnknownTap { tap, nearest }) => {
                assert_eq!((tap.as_str(), nearest.as_str()), ("blocks.1.resid_pots", "blocks.1.resid_post"));
            }
            other => panic!("{}: {other:?}", device.name()),
        }
        let message = |tokens: &[u16], plan: &Plan| model.run(tokens, plan).unwrap_err().to_string();
        assert!(message(&fine[1..], &Plan::default()).contains(&format!("sequences of {length}")));
        let mut foreign = fine.clone();
        foreign[3] = vocabulary;
        assert!(message(&foreign, &Plan::default()).contains(&format!("token {vocabulary}")));
        let beyond = Intervention {
            tap: "embed".into(),
            sequence: None,
            rows: vec![length],
            action: Action::Add { direction: vec![0.0; spec.model.width()], dose: 1.0 },
        };
        let plan = Plan { capture: Vec::new(), interventions: vec![beyond] };
        assert!(message(&fine, &plan).contains(&format!("row {length}")));
        let none = model.run(&[], &Plan::reading(&["embed"])).unwrap();
        assert!(none.logits.is_empty() && none.captured[0].values.is_empty());

        let mut model = learner(TrainingState::new(small(&spec, 1)), AdamW::default(), device).unwrap();
        let mut bad = batch(&spec, 1, 1);
        bad.targets[2] = spec.targets as u16;
        assert!(model.step(&bad, 0.1).unwrap_err().to_string().contains(&format!("target {}", spec.targets)));
        bad.targets.pop();
        assert!(model.step(&bad, 0.1).is_err());
        assert_eq!(model.state().unwrap().step, 0, "a batch that does not fit changes nothing");
    }
}

#[test]
fn a_device_is_resolved_or_refused_in_one_sentence() {
    for device in DEVICES {
        assert_eq!(Device::resolve(device.name()).unwrap(), device);
    }
    let unknown = Device::resolve("fles").unwrap_err().to_string();
    assert!(unknown.contains("`fles`") && unknown.contains("`flex`"), "{unknown}");
    match (models::tensors::cuda_refusal(), Device::resolve("cuda")) {
        (None, Ok(Device::Cuda)) => assert_eq!(Device::resolve("auto").unwrap(), Device::Cuda),
        (Some(reason), Err(error)) => {
            let error = error.to_string();
            assert!(error.contains("`cuda`") && error.contains(&reason) && !error.contains('\n'), "{error}");
            assert_eq!(Device::resolve("auto").unwrap(), Device::Cpu);
            let state = TrainingState::new(small(&torus(), 1));
            assert!(predictor(&state.parameters, Device::Cuda).is_err());
            assert!(learner(state, AdamW::default(), Device::Cuda).is_err());
        }
        (refusal, device) => panic!("{refusal:?} but {device:?}"),
    }
}
