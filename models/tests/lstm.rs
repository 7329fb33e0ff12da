//! The LSTM against an obvious one, and what changes in its states do.
#![allow(clippy::unwrap_used)]

mod common;

use common::{DEVICES, difference, lstm, mixed, same_bits, small, tokens};
use environments::{Draw, Geometry, Sample, Symbol, UNSCORED, stream};
use models::{
    Action, AdamW, Batch, Device, Intervention, LstmConfig, ModelSpec, Parameters, Plan, TrainingState, learner,
    predictor,
};

/// The textbook's equations in f64, one sequence and one number at a time.
fn obvious(parameters: &Parameters, tokens: &[Symbol]) -> Vec<f32> {
    let width = parameters.spec.model.width();
    let get =
        |name: &str| -> Vec<f64> { parameters.get(name).unwrap().iter().map(|&value| f64::from(value)).collect() };
    let embed = get("embed.weight");
    let mut inputs: Vec<Vec<f64>> =
        tokens.iter().map(|&token| embed[usize::from(token) * width..][..width].to_vec()).collect();
    for layer in 0..parameters.spec.model.depth() {
        let [input, recurrent, bias] =
            ["input.weight", "recurrent.weight", "gates.bias"].map(|part| get(&format!("layers.{layer}.{part}")));
        let (mut hidden, mut cell) = (vec![0.0; width], vec![0.0; width]);
        for x in &mut inputs {
            let sum = |column: usize| {
                let products = (0..width).map(|row| {
                    x[row] * input[row * 4 * width + column] + hidden[row] * recurrent[row * 4 * width + column]
                });
                bias[column] + products.sum::<f64>()
            };
            let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
            let next: Vec<(f64, f64)> = (0..width)
                .map(|unit| {
                    let (input, forget) = (sigmoid(sum(unit)), sigmoid(sum(width + unit)));
                    let (candidate, output) = (sum(2 * width + unit).tanh(), sigmoid(sum(3 * width + unit)));
                    let cell = forget * cell[unit] + input * candidate;
                    (cell, output * cell.tanh())
                })
                .collect();
            (cell, hidden) = next.into_iter().unzip();
            *x = hidden.clone();
        }
    }
    let (unembed, bias) = (get("unembed.weight"), get("unembed.bias"));
    let targets = bias.len();
    let logit = |x: &[f64], target: usize| {
        bias[target] + x.iter().enumerate().map(|(row, x)| x * unembed[row * targets + target]).sum::<f64>()
    };
    inputs.iter().flat_map(|x| (0..targets).map(|target| logit(x, target) as f32).collect::<Vec<_>>()).collect()
}

#[test]
fn logits_are_those_of_the_obvious_one() {
    for (length, width) in [(1, 1), (2, 16), (10, 11), (33, 24)] {
        let spec =
            ModelSpec { geometry: Geometry::Line { length }, model: LstmConfig { depth: 2, width }.into(), ..lstm() };
        let parameters = mixed(&spec, 3);
        let tokens = tokens(&spec, 3, 1);
        let expected: Vec<f32> = tokens.chunks(length).flat_map(|tokens| obvious(&parameters, tokens)).collect();
        for device in DEVICES {
            let run = predictor(&parameters, device).unwrap().run(&tokens, &Plan::default()).unwrap();
            let worst = difference(&run.logits, &expected);
            assert!(worst < 1e-5, "{}, {length} positions, width {width}: off by {worst}", device.name());
        }
    }
}

#[test]
fn company_changes_no_bit() {
    // Sequences are run side by side, and how many depends on the batch.
    let spec = lstm();
    let model = predictor(&mixed(&spec, 3), Device::Cpu).unwrap();
    let tokens = tokens(&spec, 130, 1);
    let together = model.run(&tokens, &Plan::default()).unwrap().logits;
    for count in [1, 9, 20] {
        let size = count * spec.geometry.len();
        let apart = tokens.chunks(size).flat_map(|some| model.run(some, &Plan::default()).unwrap().logits);
        assert!(same_bits(&apart.collect::<Vec<_>>(), &together), "{count} at a time");
    }
}

#[test]
fn a_state_put_in_another_sequence_goes_on_there() {
    // Sequences that differ up to position 5 and agree after it, which one carries the other's state across.
    let spec = lstm();
    let (length, at) = (spec.geometry.len(), 5);
    let mut both = tokens(&spec, 2, 4);
    let (one, other) = both.split_at_mut(length);
    other[at + 1..].copy_from_slice(&one[at + 1..]);
    let states = ["layers.0.cell", "layers.0.hidden", "layers.1.cell", "layers.1.hidden"];
    for device in DEVICES {
        let model = predictor(&mixed(&spec, 2), device).unwrap();
        let read = model.run(&both, &Plan::reading(&states)).unwrap();
        let interventions = states.iter().map(|&tap| Intervention {
            tap: tap.into(),
            sequence: Some(0),
            rows: vec![at],
            action: Action::Replace { values: read.tap(tap).unwrap().row(1, at).to_vec() },
        });
        let plan = Plan { capture: vec!["layers.0.cell".into()], interventions: interventions.collect() };
        let patched = model.run(&both, &plan).unwrap();
        let (whole, from) = (length * spec.targets, at * spec.targets);
        let (mine, theirs) = (&patched.logits[..whole], &read.logits[whole..]);
        assert!(same_bits(&mine[..from], &read.logits[..from]), "{}: the past stays", device.name());
        assert!(same_bits(&mine[from..], &theirs[from..]), "{}: the future is the donor's", device.name());
        assert!(difference(&read.logits[from..whole], &theirs[from..]) > 1e-3, "the two must differ");
        let cells = patched.tap("layers.0.cell").unwrap();
        assert!(same_bits(cells.row(0, length - 1), cells.row(1, length - 1)), "captured is what was computed with");
    }
}

#[test]
fn a_symbol_is_remembered() {
    // The last position is asked for the first symbol, past 18 others.
    let spec = ModelSpec {
        vocabulary: 4,
        targets: 4,
        geometry: Geometry::Line { length: 20 },
        model: LstmConfig { depth: 1, width: 32 }.into(),
    };
    let sample = |index: u64| {
        let mut stream = stream(&["test memory", &index.to_string()]);
        let tokens: Vec<Symbol> = (0..20).map(|_| stream.below(4) as Symbol).collect();
        let targets = (0..20).map(|at| if at == 19 { tokens[0] } else { UNSCORED }).collect();
        Sample { tokens, targets }
    };
    let mut model = learner(TrainingState::new(small(&spec, 1)), AdamW::default(), Device::Cpu).unwrap();
    let mut losses = Vec::new();
    for step in 0..600 {
        let samples: Vec<_> = (step * 32..(step + 1) * 32).map(sample).collect();
        model.step(&Batch::stack(&samples), 1e-2).unwrap();
        if step % 100 == 99 {
            losses.push(model.mean_loss().unwrap());
        }
    }
    assert!(losses[5] < 0.1, "{losses:?}, where chance is {}", 4f32.ln());
}
