//! Small models and batches that the tests of all devices share.
#![allow(dead_code, clippy::unwrap_used)]

use environments::{Draw, Geometry, Symbol, UNSCORED, stream};
use models::{
    AdamW, Batch, Device, LstmConfig, ModelConfig, ModelSpec, Parameters, TrainingState, TransformerConfig, learner,
};

/// The devices that every machine has; a build without burn has one.
#[cfg(feature = "burn")]
pub const DEVICES: [Device; 3] = [Device::Cpu, Device::Flex, Device::Ndarray];
#[cfg(not(feature = "burn"))]
pub const DEVICES: [Device; 1] = [Device::Cpu];

/// What the others are compared with: the readable model in burn's tensors.
#[cfg(feature = "burn")]
pub const REFERENCE: Device = Device::Flex;
#[cfg(not(feature = "burn"))]
pub const REFERENCE: Device = Device::Cpu;

/// A 4 × 4 torus behind one token without a place.
pub fn torus() -> ModelSpec {
    ModelSpec {
        vocabulary: 7,
        targets: 5,
        geometry: Geometry::Torus { prefix: 1, rows: 4, columns: 4 },
        model: TransformerConfig { depth: 2, width: 24, heads: 3, expansion: 2, loops: 1 }.into(),
    }
}

/// Nine positions in a line; one head, and sizes that are multiples of nothing.
pub fn line() -> ModelSpec {
    ModelSpec {
        vocabulary: 3,
        targets: 4,
        geometry: Geometry::Line { length: 9 },
        model: TransformerConfig { depth: 2, width: 13, heads: 1, expansion: 3, loops: 1 }.into(),
    }
}

/// Twelve positions in a line, which two blocks read twice each.
pub fn looped() -> ModelSpec {
    ModelSpec {
        vocabulary: 4,
        targets: 3,
        geometry: Geometry::Line { length: 12 },
        model: TransformerConfig { depth: 4, width: 12, heads: 2, expansion: 2, loops: 2 }.into(),
    }
}

/// Ten positions in a line, read by two layers of memory.
pub fn lstm() -> ModelSpec {
    ModelSpec {
        vocabulary: 5,
        targets: 4,
        geometry: Geometry::Line { length: 10 },
        model: LstmConfig { depth: 2, width: 11 }.into(),
    }
}

/// One model of every kind.
pub fn every_kind() -> [ModelSpec; 4] {
    [torus(), line(), looped(), lstm()]
}

/// The sizes of a transformer.
pub fn transformer(spec: &ModelSpec) -> &TransformerConfig {
    match &spec.model {
        ModelConfig::Transformer(config) => config,
        ModelConfig::Lstm(_) => panic!("no transformer"),
    }
}

/// Initial weights.
pub fn small(spec: &ModelSpec, seed: u64) -> Parameters {
    Parameters::initialise(spec, &mut stream(&["test weights", &seed.to_string()]))
}

/// Weights in which nothing is 0 or 1, so that every gain and bias shows.
pub fn mixed(spec: &ModelSpec, seed: u64) -> Parameters {
    let mut parameters = small(spec, seed);
    let mut stream = stream(&["test disturbance", &seed.to_string()]);
    for value in &mut parameters.values {
        *value += 0.4 * (stream.unit() as f32 - 0.5);
    }
    parameters
}

/// Random sequences.
pub fn tokens(spec: &ModelSpec, sequences: usize, seed: u64) -> Vec<Symbol> {
    let mut stream = stream(&["test tokens", &seed.to_string()]);
    (0..sequences * spec.geometry.len()).map(|_| stream.below(spec.vocabulary as u64) as Symbol).collect()
}

/// Random sequences whose targets follow from the token and its neighbour, some of them unscored.
pub fn batch(spec: &ModelSpec, sequences: usize, seed: u64) -> Batch {
    let tokens = tokens(spec, sequences, seed);
    let length = spec.geometry.len();
    let target = |at: usize| match at % length % 6 {
        5 => UNSCORED,
        _ => (tokens[at] * 2 + tokens[at / length * length + (at + 1) % length]) % spec.targets as Symbol,
    };
    Batch { sequences, targets: (0..tokens.len()).map(target).collect(), tokens }
}

/// Greatest absolute difference.
pub fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).fold(0.0, |most: f32, (a, b)| {
        assert!(a.is_finite() && b.is_finite());
        most.max((a - b).abs())
    })
}

/// Whether all bits agree.
pub fn same_bits(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}

/// Runs with a number of rayon threads.
pub fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

/// Slopes of the loss along random directions of unit norm: by the gradient, and by central differences.
pub fn gradient_by_differences(
    parameters: &Parameters,
    batch: &Batch,
    device: Device,
    directions: usize,
) -> Vec<(f32, f32)> {
    let with = |values: Vec<f32>| {
        let parameters = Parameters { values, ..parameters.clone() };
        learner(TrainingState::new(parameters), AdamW::default(), device).unwrap()
    };
    let (_, gradient) = with(parameters.values.clone()).loss_and_gradient(batch).unwrap();
    let layout = parameters.spec.layout();
    let mut stream = stream(&["test directions"]);
    (0..directions)
        .map(|number| {
            // Each direction moves about a third of the parameters, and the gradient's own signs are followed, so
            // that slopes are large and every parameter counts in some direction.
            let mut direction = vec![0.0f32; layout.len];
            for (order, entry) in layout.entries.iter().enumerate() {
                if (order + number) % 3 == 0 {
                    for at in entry.range() {
                        direction[at] = gradient[at].signum() * stream.unit() as f32;
                    }
                }
            }
            let norm = direction.iter().map(|x| x * x).sum::<f32>().sqrt();
            direction.iter_mut().for_each(|x| *x /= norm);
            let slope = direction.iter().zip(&gradient).map(|(d, g)| f64::from(d * g)).sum::<f64>() as f32;
            let step = 2e-2f32;
            let loss = |sign: f32| {
                let moved = parameters.values.iter().zip(&direction).map(|(value, d)| value + sign * step * d);
                with(moved.collect()).loss_and_gradient(batch).unwrap().0
            };
            (slope, (loss(1.0) - loss(-1.0)) / (2.0 * step))
        })
        .collect()
}
