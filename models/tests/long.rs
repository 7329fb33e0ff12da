//! Sequences so long that attention goes strip by strip: no device keeps the weights of all pairs.
#![allow(clippy::unwrap_used)]

mod common;

use common::{DEVICES, batch, difference, gradient_by_differences, mixed, same_bits, tokens, with_threads};
use environments::Geometry;
use models::{AdamW, Device, ModelSpec, Plan, TrainingState, TransformerConfig, generator, learner, predictor};

fn sized(geometry: Geometry) -> ModelSpec {
    let model = TransformerConfig { depth: 2, width: 12, heads: 3, expansion: 2, loops: 1 }.into();
    ModelSpec { vocabulary: 5, targets: 5, geometry, model }
}

/// Whole strips and not, on the engine (strips of 32 to 224 queries) and in burn's tensors (128).
fn geometries() -> Vec<Geometry> {
    vec![
        Geometry::Line { length: 129 },
        Geometry::Line { length: 256 },
        Geometry::Line { length: 391 },
        Geometry::Torus { prefix: 1, rows: 11, columns: 14 },
        Geometry::Torus { prefix: 0, rows: 1, columns: 300 },
        // So large that the engine does not list the pairs.
        Geometry::Torus { prefix: 2, rows: 20, columns: 26 },
    ]
}

#[test]
fn devices_agree_on_loss_and_gradient() {
    for geometry in geometries() {
        let spec = sized(geometry);
        let (parameters, batch) = (mixed(&spec, 1), batch(&spec, 2, 3));
        let of = |device| {
            let mut model = learner(TrainingState::new(parameters.clone()), AdamW::default(), device).unwrap();
            model.loss_and_gradient(&batch).unwrap()
        };
        let (loss, gradient) = of(Device::Cpu);
        let greatest = gradient.iter().fold(0.0f32, |most, value| most.max(value.abs()));
        assert!(greatest > 0.01, "a gradient that vanishes shows nothing: {greatest}");
        for device in DEVICES {
            let (other_loss, other) = of(device);
            assert!((loss - other_loss).abs() < 1e-5, "{geometry:?} on {}", device.name());
            for entry in spec.layout().entries {
                let worst = difference(&gradient[entry.range()], &other[entry.range()]);
                let name = &entry.name;
                assert!(worst < 3e-5 * greatest.max(1.0), "{name}, {geometry:?}, {}: {worst}", device.name());
            }
        }
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    for geometry in [Geometry::Line { length: 150 }, Geometry::Torus { prefix: 1, rows: 23, columns: 23 }] {
        let spec = sized(geometry);
        let (parameters, batch) = (mixed(&spec, 11), batch(&spec, 1, 5));
        for device in DEVICES {
            for (slope, measured) in gradient_by_differences(&parameters, &batch, device, 3) {
                let tolerance = 2e-3 * slope.abs().max(0.25);
                assert!((slope - measured).abs() < tolerance, "{}: {slope} but {measured}", device.name());
            }
        }
    }
}

#[test]
fn looking_at_the_weights_changes_nothing() {
    for geometry in geometries() {
        let spec = sized(geometry);
        let (length, tokens) = (geometry.len(), tokens(&spec, 2, 8));
        for device in DEVICES {
            let model = predictor(&mixed(&spec, 4), device).unwrap();
            let plain = model.run(&tokens, &Plan::default()).unwrap();
            let tap = "blocks.1.attn.pattern";
            let read = model.run(&tokens, &Plan::reading(&[tap])).unwrap();
            if device == Device::Cpu {
                assert!(same_bits(&plain.logits, &read.logits), "{geometry:?}");
            } else {
                // burn takes the sums of other shapes in another order.
                assert!(difference(&plain.logits, &read.logits) < 1e-5, "{geometry:?} on {}", device.name());
            }
            let weights = &read.tap(tap).unwrap().values;
            assert_eq!(weights.len(), 2 * 3 * length * length);
            assert!(weights.chunks_exact(length).all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-5));
        }
    }
}

#[test]
fn threads_change_no_bit() {
    for geometry in [Geometry::Line { length: 391 }, Geometry::Torus { prefix: 2, rows: 20, columns: 26 }] {
        let spec = sized(geometry);
        let batch = batch(&spec, 5, 3);
        let state = |threads| {
            with_threads(threads, || {
                let state = TrainingState::new(mixed(&spec, 1));
                let mut model = learner(state, AdamW::default(), Device::Cpu).unwrap();
                model.step(&batch, 1e-2).unwrap();
                model.state().unwrap()
            })
        };
        assert_eq!(state(1), state(3));
    }
}

#[test]
fn feeding_gives_the_bits_of_a_whole_run() {
    let spec = sized(Geometry::Line { length: 300 });
    let (parameters, tokens) = (mixed(&spec, 4), tokens(&spec, 2, 8));
    let whole = predictor(&parameters, Device::Cpu).unwrap().run(&tokens, &Plan::default()).unwrap().logits;
    let mut model = generator(&parameters, 2).unwrap();
    for position in 0..300 {
        let logits = model.feed(&[tokens[position], tokens[300 + position]]).unwrap().to_vec();
        for sequence in 0..2 {
            let expected = &whole[(sequence * 300 + position) * spec.targets..][..spec.targets];
            assert!(same_bits(&logits[sequence * spec.targets..][..spec.targets], expected), "at {position}");
        }
    }
}
