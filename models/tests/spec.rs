//! Configs of models: what old ones mean, what wrong ones say, what a loop is.
#![allow(clippy::unwrap_used)]

mod common;

use common::{batch, difference, looped, mixed, same_bits, tokens, torus, transformer};
use environments::Geometry;
use models::{
    AdamW, Device, LstmConfig, ModelConfig, ModelSpec, Parameters, Plan, TrainingState, TransformerConfig, learner,
    load_parameters, predictor, save_parameters,
};

#[test]
fn a_spec_from_before_there_were_kinds_is_read_as_it_was_meant() {
    let old = r#"{"vocabulary":7,"targets":5,"geometry":{"torus":{"prefix":1,"rows":4,"columns":4}},
        "transformer":{"depth":2,"width":24,"heads":3,"expansion":2}}"#;
    let old = old.replace(
        r#"{"torus":{"prefix":1,"rows":4,"columns":4}}"#,
        &serde_json::to_string(&Geometry::Torus { prefix: 1, rows: 4, columns: 4 }).unwrap(),
    );
    assert_eq!(serde_json::from_str::<ModelSpec>(&old).unwrap(), torus());
}

#[test]
fn specs_survive_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    for spec in common::every_kind() {
        let parameters = mixed(&spec, 1);
        save_parameters(&path, &parameters).unwrap();
        let read = load_parameters(&path).unwrap();
        assert_eq!(read.spec, spec);
        assert!(same_bits(&read.values, &parameters.values));
    }
}

fn parse(text: &str) -> Result<ModelConfig, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn configs_are_read_and_written_in_few_words() {
    let usual = TransformerConfig::default();
    for (text, expected, written) in [
        ("{}", usual.clone().into(), r#"{"depth":3,"width":96,"heads":6,"expansion":4}"#),
        (
            r#"{"kind":"transformer","depth":4,"loops":4}"#,
            ModelConfig::from(TransformerConfig { depth: 4, loops: 4, ..usual }),
            r#"{"depth":4,"width":96,"heads":6,"expansion":4,"loops":4}"#,
        ),
        (
            r#"{"kind":"lstm","width":64}"#,
            LstmConfig { depth: 2, width: 64 }.into(),
            r#"{"kind":"lstm","depth":2,"width":64}"#,
        ),
    ] {
        let config = parse(text).unwrap();
        assert_eq!(config, expected);
        assert_eq!(serde_json::to_string(&config).unwrap(), written);
        assert_eq!(parse(written).unwrap(), config);
    }
}

#[test]
fn what_a_config_gets_wrong_is_named() {
    for (text, words) in [
        (r#"{"kind":"lstm","heads":4}"#, ["heads", "lstm"]),
        (r#"{"kind":"lsmt"}"#, ["lsmt", "lstm"]),
        (r#"{"dept":3}"#, ["dept", "depth"]),
    ] {
        let error = parse(text).unwrap_err();
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    }
    let on = |geometry, model: ModelConfig| ModelSpec { vocabulary: 2, targets: 2, geometry, model };
    let line = Geometry::Line { length: 8 };
    let plane = Geometry::Torus { prefix: 0, rows: 4, columns: 4 };
    let usual = TransformerConfig::default();
    for (spec, words) in [
        (on(line, TransformerConfig { depth: 6, loops: 4, ..usual.clone() }.into()), ["model.loops = 4", "is 3"]),
        (on(line, TransformerConfig { loops: 0, ..usual.clone() }.into()), ["model.loops", "at least 1"]),
        (on(line, TransformerConfig { heads: 5, ..usual.clone() }.into()), ["model.heads = 5", "is 4"]),
        (on(line, LstmConfig { depth: 0, width: 8 }.into()), ["model.depth", "at least 1"]),
        (on(plane, LstmConfig::default().into()), ["torus", "\"transformer\""]),
    ] {
        let error = spec.validate().unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)) && !error.contains('\n'), "{error}");
        assert!(
            learner(TrainingState::new(Parameters { spec, values: Vec::new() }), AdamW::default(), Device::Cpu)
                .is_err()
        );
    }
}

/// The same model with weights for every block of its own, equal where the loop shares them.
fn unrolled(parameters: &Parameters) -> Parameters {
    let spec = &parameters.spec;
    let config = transformer(spec);
    let unrolled = ModelSpec { model: TransformerConfig { loops: 1, ..config.clone() }.into(), ..spec.clone() };
    let mut values = Vec::new();
    for entry in unrolled.layout().entries {
        values.extend_from_slice(parameters.get(&shared(config, &entry.name)).unwrap());
    }
    Parameters { spec: unrolled, values }
}

/// The name under which a loop keeps a block's parameter.
fn shared(config: &TransformerConfig, name: &str) -> String {
    match name.strip_prefix("blocks.").and_then(|rest| rest.split_once('.')) {
        Some((block, part)) => format!("blocks.{}.{part}", block.parse::<usize>().unwrap() % config.distinct()),
        None => name.into(),
    }
}

#[test]
fn a_loop_is_its_blocks_written_out() {
    let spec = looped();
    let parameters = mixed(&spec, 5);
    let unrolled = unrolled(&parameters);
    assert!(parameters.values.len() < unrolled.values.len());
    assert_eq!(spec.taps(), unrolled.spec.taps());
    let plan = Plan { capture: spec.taps().into_iter().map(|tap| tap.name).collect(), interventions: Vec::new() };
    let (tokens, batch) = (tokens(&spec, 3, 1), batch(&spec, 5, 2));
    for device in common::DEVICES {
        let run = |parameters| predictor(parameters, device).unwrap().run(&tokens, &plan).unwrap();
        let (one, other) = (run(&parameters), run(&unrolled));
        for (one, other) in one.captured.iter().zip(&other.captured) {
            assert!(same_bits(&one.values, &other.values), "{} at {}", device.name(), one.tap);
        }
        // What is shared has the sum of the gradients of its uses.
        let gradient = |parameters: &Parameters| {
            let mut model = learner(TrainingState::new(parameters.clone()), AdamW::default(), device).unwrap();
            model.loss_and_gradient(&batch).unwrap().1
        };
        let (one, other) = (gradient(&parameters), gradient(&unrolled));
        let layout = spec.layout();
        let mut sums = vec![0.0; layout.len];
        for entry in unrolled.spec.layout().entries {
            let name = shared(transformer(&spec), &entry.name);
            let place = layout.entries.iter().find(|place| place.name == name).unwrap().range();
            for (sum, value) in sums[place].iter_mut().zip(&other[entry.range()]) {
                *sum += value;
            }
        }
        assert!(difference(&one, &sums) < 1e-5, "{}", device.name());
    }
}
