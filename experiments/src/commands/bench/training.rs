//! Matrix products, training, prediction and generation of a model of any size.

use std::hint::black_box;
use std::time::Instant;

use environments::{Draw, Geometry, Sample, Symbol, stream};
use models::native::kernel::{Left, Packed, multiply};
use models::native::{Operation, memory_bound, run_plainly};
use models::{
    AdamW, Batch, Device, LstmConfig, ModelConfig, ModelSpec, Parameters, Plan, TrainingState, TransformerConfig, draw,
    generator, learner, predictor,
};

use super::{BenchArgs, Row, peak_memory, rate};
use crate::config::nearest;

/// Floating-point operations a second of a product of some size, on one thread.
fn product_rate(m: usize, k: usize, n: usize) -> f64 {
    let (a, b) = (vec![0.5f32; m * k], vec![0.25f32; k * n]);
    let mut packed = Packed::default();
    packed.pack(k, n, &b, n, 1);
    let mut c = vec![0.0; m * n];
    rate(|| {
        multiply(m, Left { values: &a, rows: k, columns: 1 }, &packed, &mut c, n, false);
        black_box(&c);
        2.0 * (m * k * n) as f64
    })
}

pub fn product(_: &BenchArgs) -> anyhow::Result<Vec<Row>> {
    let row = |what: &str, figure| Row {
        what: what.into(),
        figure,
        unit: "FLOP/s",
        against: "the most that a thread of training can reach".into(),
    };
    Ok(vec![
        row("f32 product 65×96 by 96×384, one thread", product_rate(65, 96, 384)),
        row("f32 product 512×512 by 512×512, one thread", product_rate(512, 512, 512)),
    ])
}

/// What a training did in a second.
pub struct Trained {
    pub tokens_per_second: f64,
    pub milliseconds: f64,
    pub peak_memory: Option<u64>,
    /// What the engine's memory cannot exceed; on the CPU.
    pub memory_bound: Option<u64>,
    pub device: Device,
    pub parameters: usize,
    pub gigaflops: f64,
    /// Mean loss of the steps that were timed.
    pub loss: f32,
}

fn spec(args: &BenchArgs) -> anyhow::Result<ModelSpec> {
    let geometry = match (args.context, args.full) {
        (Some(length), false) => Geometry::Line { length },
        (Some(length), true) => Geometry::Torus { prefix: 0, rows: 1, columns: length },
        (None, _) => Geometry::Torus { prefix: 1, rows: 8, columns: 8 },
    };
    let model: ModelConfig = match args.kind.as_str() {
        "transformer" => {
            let (depth, width, heads, loops) = (args.layers, args.width, args.heads, args.loops);
            TransformerConfig { depth, width, heads, loops, ..TransformerConfig::default() }.into()
        }
        "lstm" => LstmConfig { depth: args.layers, width: args.width }.into(),
        other => {
            let nearest = nearest(other, ["transformer", "lstm"]);
            anyhow::bail!("--kind {other}: there is no such kind of model; the nearest is `{nearest}`");
        }
    };
    let spec = ModelSpec { vocabulary: args.vocab, targets: args.vocab, geometry, model };
    for (key, value) in [("--batch", args.batch), ("--steps", args.steps), ("--vocab", args.vocab)] {
        if value == 0 || value > 1 << 16 {
            anyhow::bail!("{key} {value}: it must be from 1 to 65536");
        }
    }
    spec.validate()?;
    Ok(spec)
}

/// Turns the operations of `--plain` off.
fn switch(args: &BenchArgs) -> anyhow::Result<()> {
    let names = Operation::ALL.map(Operation::name);
    let mut plain = Vec::new();
    for name in &args.plain {
        match Operation::ALL.into_iter().find(|operation| operation.name() == name) {
            Some(operation) => plain.push(operation),
            None if name == "all" => plain.extend(Operation::ALL),
            None => {
                let nearest = nearest(name, names.into_iter().chain(["all"]));
                anyhow::bail!("--plain {name}: there is no such operation; the nearest is `{nearest}`");
            }
        }
    }
    run_plainly(&plain);
    Ok(())
}

/// A batch of random symbols.
fn batch(args: &BenchArgs, spec: &ModelSpec) -> Batch {
    let mut draws = stream(&["bench", "batch"]);
    let mut line = || (0..spec.geometry.len()).map(|_| draws.below(args.vocab as u64) as Symbol).collect();
    let samples: Vec<Sample> = (0..args.batch).map(|_| Sample { tokens: line(), targets: line() }).collect();
    Batch::stack(&samples)
}

fn weights(spec: &ModelSpec) -> Parameters {
    Parameters::initialise(spec, &mut stream(&["bench", "weights"]))
}

/// Floating-point operations of matrix products for one token, forward: two for each weight, and two for each of the
/// width and each position attended to, for scores and for mixing.
fn flops(spec: &ModelSpec) -> f64 {
    let (width, depth, targets) = (spec.model.width() as f64, spec.model.depth() as f64, spec.targets as f64);
    let ModelConfig::Transformer(TransformerConfig { expansion, .. }) = spec.model else {
        return depth * 16.0 * width * width + 2.0 * width * targets;
    };
    let attended = match spec.geometry {
        Geometry::Line { length } => (length as f64 + 1.0) / 2.0,
        geometry => geometry.len() as f64,
    };
    depth * (2.0 * width * width * (4.0 + 2.0 * expansion as f64) + 4.0 * width * attended) + 2.0 * width * targets
}

pub fn train(args: &BenchArgs) -> anyhow::Result<Trained> {
    let (spec, device) = (spec(args)?, Device::resolve(&args.device)?);
    switch(args)?;
    let batch = batch(args, &spec);
    let parameters = weights(&spec);
    let count = parameters.values.len();
    let mut model = learner(TrainingState::new(parameters), AdamW::default(), device)?;
    for _ in 0..3 {
        model.step(&batch, 1e-3)?;
    }
    model.mean_loss()?; // waits for the device
    let start = Instant::now();
    for _ in 0..args.steps {
        model.step(&batch, 1e-3)?;
    }
    let loss = model.mean_loss()?;
    let seconds = start.elapsed().as_secs_f64();
    let tokens = (args.steps * args.batch * spec.geometry.len()) as f64;
    Ok(Trained {
        tokens_per_second: tokens / seconds,
        milliseconds: 1000.0 * seconds / args.steps as f64,
        peak_memory: peak_memory(),
        memory_bound: (device == Device::Cpu).then(|| memory_bound(&spec, rayon::current_num_threads())),
        device,
        parameters: count,
        gigaflops: 3.0 * flops(&spec) * tokens / seconds / 1e9,
        loss,
    })
}

/// The share of all threads' matrix products at their best that a training reaches.
fn share(gigaflops: f64) -> f64 {
    gigaflops * 1e9 / (product_rate(512, 512, 512) * rayon::current_num_threads() as f64)
}

pub fn train_row(args: &BenchArgs) -> anyhow::Result<Vec<Row>> {
    let trained = train(args)?;
    let on = trained.device.name();
    let against = match trained.device {
        Device::Cuda => format!("{:.0} GFLOP/s of products, on {on}", trained.gigaflops),
        _ => format!(
            "{:.0} GFLOP/s of products, {:.2} of the best product on all threads, on {on}",
            trained.gigaflops,
            share(trained.gigaflops)
        ),
    };
    let what = "training (forward, backward, AdamW)".into();
    Ok(vec![Row { what, figure: trained.tokens_per_second, unit: "tokens/s", against }])
}

pub fn forward(args: &BenchArgs) -> anyhow::Result<Vec<Row>> {
    let (spec, device) = (spec(args)?, Device::resolve(&args.device)?);
    switch(args)?;
    let batch = batch(args, &spec);
    let model = predictor(&weights(&spec), device)?;
    let tokens = (args.batch * spec.geometry.len()) as f64;
    let captured = match spec.model {
        ModelConfig::Transformer(_) => "blocks.0.resid_post",
        ModelConfig::Lstm(_) => "layers.0.hidden",
    };
    let mut rows = Vec::new();
    for (what, plan) in
        [("prediction (forward)", Plan::default()), ("prediction with a tap captured", Plan::reading(&[captured]))]
    {
        let mut failure = None;
        let figure = rate(|| {
            match model.run(&batch.tokens, &plan) {
                Ok(run) => drop(black_box(run)),
                Err(error) => failure = Some(error),
            }
            tokens
        });
        if let Some(error) = failure {
            return Err(error.into());
        }
        let against = format!("{:.0} GFLOP/s of products, on {}", flops(&spec) * figure / 1e9, device.name());
        rows.push(Row { what: what.into(), figure, unit: "tokens/s", against });
    }
    Ok(rows)
}

/// Sequences drawn symbol by symbol, with the past kept, beside what it costs to run them anew for every symbol.
pub fn generate(args: &BenchArgs) -> anyhow::Result<Vec<Row>> {
    let args = BenchArgs { context: Some(args.context.unwrap_or(128)), full: false, ..args.clone() };
    let spec = spec(&args)?;
    switch(&args)?;
    let parameters = weights(&spec);
    let length = spec.geometry.len();
    let mut failure = None;
    let once = || -> anyhow::Result<()> {
        let mut chance = stream(&["bench", "draws"]);
        let mut model = generator(&parameters, args.batch)?;
        let mut tokens = vec![0; args.batch];
        for _ in 0..length {
            let logits = model.feed(&tokens)?;
            tokens = logits.chunks_exact(spec.targets).map(|row| draw(row, 1.0, &mut chance)).collect();
        }
        Ok(())
    };
    let figure = rate(|| {
        if let Err(error) = once() {
            failure = Some(error);
        }
        (args.batch * length) as f64
    });
    if let Some(error) = failure {
        return Err(error);
    }
    let batch = batch(&args, &spec);
    let model = predictor(&parameters, Device::Cpu)?;
    let whole = rate(|| {
        drop(black_box(model.run(&batch.tokens, &Plan::default())));
        batch.tokens.len() as f64
    });
    Ok(vec![Row {
        what: format!("generation of {length} symbols, the past kept"),
        figure,
        unit: "tokens/s",
        against: format!("{} tokens/s if all were run anew for each", super::short(whole / length as f64)),
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_those_of_the_weights_and_of_attention() {
        let model = TransformerConfig { depth: 1, width: 2, heads: 1, expansion: 4, loops: 1 }.into();
        let spec = ModelSpec { vocabulary: 3, targets: 3, geometry: Geometry::Line { length: 3 }, model };
        // 12 · 4 weights of a block, two positions attended to on average, 6 weights of the read-out.
        assert!((flops(&spec) - (2.0 * 48.0 + 4.0 * 2.0 * 2.0 + 2.0 * 6.0)).abs() < 1e-9);
    }
}
