//! Tokens a second of training steps, of forward passes and of generation on the CPU engine: `cargo bench -p models`.

use divan::Bencher;
use divan::counter::ItemsCount;
use environments::{Draw, Geometry, stream};
use models::{
    AdamW, Batch, Device, LstmConfig, ModelConfig, ModelSpec, Parameters, Plan, TrainingState, TransformerConfig, draw,
    generator, learner, predictor,
};

fn main() {
    divan::main();
}

/// Models by name: what they are, and sequences a batch.
const MODELS: [&str; 8] = [
    "torus 3×96",
    // The same work but for causality.
    "ring 512, 3×64",
    "line 512, 3×64",
    "line 128, 3×64",
    "line 128, 4×96",
    "line 256, 4×128",
    "lstm 128, 2×128",
    "lstm 256, 4×128",
];

fn model(name: &str) -> (ModelSpec, usize) {
    let attention = |depth, width, heads| TransformerConfig { depth, width, heads, expansion: 4, loops: 1 }.into();
    let memory = |depth, width| LstmConfig { depth, width }.into();
    let line = |length| Geometry::Line { length };
    let (geometry, model, vocabulary, sequences): (_, ModelConfig, _, _) = match name {
        "torus 3×96" => (Geometry::Torus { prefix: 1, rows: 16, columns: 16 }, attention(3, 96, 6), 8, 32),
        "line 128, 3×64" => (line(128), attention(3, 64, 4), 8, 32),
        "line 128, 4×96" => (line(128), attention(4, 96, 6), 8, 32),
        "line 256, 4×128" => (line(256), attention(4, 128, 4), 16, 16),
        "ring 512, 3×64" => (Geometry::Torus { prefix: 0, rows: 1, columns: 512 }, attention(3, 64, 4), 8, 8),
        "line 512, 3×64" => (line(512), attention(3, 64, 4), 8, 8),
        "lstm 128, 2×128" => (line(128), memory(2, 128), 8, 32),
        _ => (line(256), memory(4, 128), 16, 16),
    };
    (ModelSpec { vocabulary, targets: vocabulary, geometry, model }, sequences)
}

fn batch(spec: &ModelSpec, sequences: usize) -> Batch {
    let mut stream = stream(&["bench tokens"]);
    let tokens: Vec<u16> =
        (0..sequences * spec.geometry.len()).map(|_| stream.below(spec.vocabulary as u64) as u16).collect();
    Batch { sequences, targets: tokens.iter().map(|&token| token % spec.targets as u16).collect(), tokens }
}

#[divan::bench(args = MODELS, sample_count = 10)]
fn train(bencher: Bencher, name: &str) {
    let (spec, sequences) = model(name);
    let batch = batch(&spec, sequences);
    let state = TrainingState::new(Parameters::initialise(&spec, &mut stream(&["bench weights"])));
    let mut learner = learner(state, AdamW::default(), Device::Cpu).expect("the model is valid");
    let tokens = ItemsCount::new(batch.tokens.len());
    bencher.counter(tokens).bench_local(|| learner.step(&batch, 1e-3).expect("the batch fits"));
}

#[divan::bench(args = MODELS, sample_count = 10)]
fn evaluate(bencher: Bencher, name: &str) {
    let (spec, sequences) = model(name);
    let batch = batch(&spec, sequences);
    let parameters = Parameters::initialise(&spec, &mut stream(&["bench weights"]));
    let predictor = predictor(&parameters, Device::Cpu).expect("the model is valid");
    let tokens = ItemsCount::new(batch.tokens.len());
    bencher.counter(tokens).bench_local(|| predictor.run(&batch.tokens, &Plan::default()).expect("the tokens fit"));
}

/// Whole sequences drawn symbol by symbol.
#[divan::bench(args = ["line 128, 3×64", "line 256, 4×128", "lstm 128, 2×128"], sample_count = 10)]
fn generate(bencher: Bencher, name: &str) {
    let (spec, sequences) = model(name);
    let length = spec.geometry.len();
    let parameters = Parameters::initialise(&spec, &mut stream(&["bench weights"]));
    bencher.counter(ItemsCount::new(sequences * length)).bench_local(|| {
        let mut chance = stream(&["bench draws"]);
        let mut model = generator(&parameters, sequences).expect("the model is valid");
        let mut tokens = vec![0; sequences];
        for _ in 0..length {
            let logits = model.feed(&tokens).expect("the tokens fit");
            tokens = logits.chunks_exact(spec.targets).map(|row| draw(row, 1.0, &mut chance)).collect();
        }
        tokens
    });
}
