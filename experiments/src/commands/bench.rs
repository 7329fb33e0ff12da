//! `stance bench [NAME]`: what this machine does in a second, beside the limit that a figure is measured against.

mod batches;

use std::hint::black_box;
use std::time::{Duration, Instant};

use clap::Args;
use environments::automata::Rule;
use environments::automata::census::soups;
use environments::life::{LifeConfig, LifeWorld};
use environments::turing::universal::{Limits, Program};
use environments::turing::{Class, Machine, draw_machine, enumerate, run_packed};
use environments::{Geometry, Sample, Split, stream};
use models::native::kernel::{Left, Packed, multiply};
use models::{
    AdamW, Batch, Device, ModelConfig, ModelSpec, Parameters, Plan, TrainingState, TransformerConfig, learner,
    predictor,
};
use rayon::prelude::*;
use serde_json::{Value, json};

use super::output::Output;
use crate::config::nearest;

/// Arguments of `stance bench`.
#[derive(Args, Clone)]
pub struct BenchArgs {
    /// The benchmark: turing, universal, life, census, samples, product, train or forward; all of them without a name.
    name: Option<String>,
    /// Of train and forward: blocks.
    #[arg(long, default_value_t = 3)]
    layers: usize,
    /// Width of the residual stream.
    #[arg(long, default_value_t = 96)]
    width: usize,
    /// Attention heads.
    #[arg(long, default_value_t = 6)]
    heads: usize,
    /// Positions of a sequence; a line in time order. Without it: the 65 positions of a 16×16 board of Life.
    #[arg(long)]
    context: Option<usize>,
    /// Sequences a step.
    #[arg(long, default_value_t = 32)]
    batch: usize,
    /// Symbols.
    #[arg(long, default_value_t = 16)]
    vocab: usize,
    /// Steps that are timed.
    #[arg(long, default_value_t = 20)]
    steps: usize,
    /// auto, cpu, flex, ndarray or cuda.
    #[arg(long, default_value = "auto")]
    device: String,
}

/// A line of the table.
struct Row {
    what: &'static str,
    figure: f64,
    unit: &'static str,
    /// What it is measured against, in words.
    against: String,
}

type Bench = fn(&BenchArgs) -> anyhow::Result<Vec<Row>>;

const BENCHES: [(&str, Bench); 8] = [
    ("turing", turing),
    ("universal", universal),
    ("life", life),
    ("census", census),
    ("samples", batches::samples),
    ("product", product),
    ("train", train_row),
    ("forward", forward),
];

/// Runs the command.
///
/// # Errors
/// In one sentence, for a person.
pub fn run(args: BenchArgs, output: &Output) -> anyhow::Result<()> {
    let chosen: Vec<(&str, Bench)> = match &args.name {
        None => BENCHES.to_vec(),
        Some(name) => BENCHES.into_iter().filter(|(known, _)| known == name).collect(),
    };
    if chosen.is_empty() {
        let name = args.name.unwrap_or_default();
        let nearest = nearest(&name, BENCHES.map(|(name, _)| name));
        anyhow::bail!("bench {name}: there is no such benchmark; the nearest is `{nearest}`");
    }
    if args.name.as_deref() == Some("train") {
        let trained = train(&args)?;
        let value = json!({
            "tokens_per_second": trained.tokens_per_second,
            "milliseconds_per_step": trained.milliseconds,
            "peak_memory_bytes": trained.peak_memory,
            "device": trained.device.name(),
            "parameters": trained.parameters,
            "gigaflops": trained.gigaflops,
        });
        return output.print(&value, || {
            format!(
                "{} parameters on {}: {:.0} tokens a second, {:.2} ms a step, {:.0} GFLOP/s, peak memory {:.0} MiB",
                trained.parameters,
                trained.device.name(),
                trained.tokens_per_second,
                trained.milliseconds,
                trained.gigaflops,
                trained.peak_memory.unwrap_or(0) as f64 / 1048576.0
            )
        });
    }
    let mut rows = Vec::new();
    for (name, bench) in chosen {
        rows.extend(bench(&args)?.into_iter().map(|row| (name, row)));
    }
    let listed = |(name, row): &(&str, Row)| json!({ "bench": name, "what": row.what, "figure": row.figure, "unit": row.unit, "against": row.against });
    let value =
        json!({ "threads": rayon::current_num_threads(), "rows": rows.iter().map(listed).collect::<Vec<Value>>() });
    output.print(&value, || {
        let line = |(name, row): &(&str, Row)| {
            format!("{name:<10} {:<44} {:>10} {:<26} {}\n", row.what, short(row.figure), row.unit, row.against)
        };
        let head = format!("{:<10} {:<44} {:>10} {:<26} against\n", "bench", "what", "figure", "unit");
        head + &rows.iter().map(line).collect::<String>()
    })
}

/// Three digits and a prefix: 313 M.
fn short(figure: f64) -> String {
    let prefixes = ["", " k", " M", " G", " T", " P", " E"];
    let power = (0..prefixes.len() - 1).find(|&power| figure < 999.5 * 1000f64.powi(power as i32));
    let power = power.unwrap_or(prefixes.len() - 1);
    let scaled = figure / 1000f64.powi(power as i32);
    let decimals = if scaled >= 99.95 {
        0
    } else if scaled >= 9.995 {
        1
    } else {
        2
    };
    format!("{scaled:.decimals$}{}", prefixes[power])
}

/// Runs work over and over for about half a second, three times; the best rate, in units of work a second.
fn rate(mut work: impl FnMut() -> f64) -> f64 {
    let mut once = || {
        let (start, mut done) = (Instant::now(), 0.0);
        while start.elapsed() < Duration::from_millis(400) {
            done += work();
        }
        done / start.elapsed().as_secs_f64()
    };
    (0..3).map(|_| once()).fold(0.0, f64::max)
}

fn turing(_: &BenchArgs) -> anyhow::Result<Vec<Row>> {
    let five: Machine = "1RB1LC_1RC1RB_1RD0LE_1LA1LD_1RZ0LA".parse()?;
    let plain = rate(|| run_packed(&five, u64::MAX).steps as f64);
    let three: Machine = "0RB2LA1RA_1LA2RB1RC_1RZ1LB1LC".parse()?;
    let accelerated = rate(|| environments::turing::run(&three, None).steps as f64);
    let machines: Vec<Machine> = {
        let mut draws = stream(&["bench", "machines"]);
        (0..4096).map(|_| draw_machine(4, 2, true, &mut draws)).collect()
    };
    let batch = rate(|| machines.par_iter().map(|machine| run_packed(machine, 1000).steps as f64).sum());
    let start = Instant::now();
    let counted = enumerate(Class::Ctm, 4, 2, 107)?;
    let seconds = start.elapsed().as_secs_f64();
    let row = |what, figure, unit, against: &str| Row { what, figure, unit, against: against.into() };
    Ok(vec![
        row("BB(5) champion, packed tape, one thread", plain, "steps/s", "a table-driven C loop: 313 to 324 M"),
        row(
            "BB(3,3) champion, accelerated, one thread",
            accelerated,
            "steps/s",
            "counted exactly, not made one by one",
        ),
        row("random 4×2 machines, 1000 steps at most", batch, "steps/s", "all threads; set-up of each counted in"),
        row(
            "4×2 coding-theorem class, 107 steps",
            counted.machines as f64 / seconds,
            "machines/s",
            &format!("{seconds:.2} s for all"),
        ),
    ])
}

fn universal(_: &BenchArgs) -> anyhow::Result<Vec<Row>> {
    let limits = Limits { steps: 4096, cells: 256, output: 256, alphabet: 17 };
    let mut draws = stream(&["bench", "programs"]);
    let programs: Vec<Program> = (0..4096).map(|_| Program::sample(&mut draws, 32, 256)).collect();
    let figure = rate(|| {
        programs.iter().for_each(|program| drop(black_box(program.run(limits))));
        programs.len() as f64
    });
    Ok(vec![Row {
        what: "random programs, 4096 steps, 256 symbols at most",
        figure,
        unit: "programs/s",
        against: "one thread; a published Python sampler: 4.6 k".into(),
    }])
}

fn life(_: &BenchArgs) -> anyhow::Result<Vec<Row>> {
    let mut rows = torus()?;
    for (side, what) in
        [(1024u32, "world of Life, torus 1024×1024, one thread"), (16, "world of Life, torus 16×16, one thread")]
    {
        let mix = environments::life::Mix { scenes: 0.0, ash: 0.0, soups: 1.0 };
        let soups = environments::life::Soups { density: [0.35, 0.35] };
        let world = LifeWorld::new(LifeConfig { width: side, height: side, mix, soups, ..LifeConfig::default() })?;
        let board = world.start(Split::Train, 0).board;
        let steps = (1 << 24) / (side * side);
        let figure = rate(|| {
            black_box(world.stepper().run(&board, steps));
            f64::from(steps) * f64::from(side) * f64::from(side)
        });
        rows.push(Row { what, figure, unit: "cells/s", against: "as the experiments step it".into() });
    }
    Ok(rows)
}

/// Cell updates a second on dense tori: one whose cells fit a core's cache, one that has to come from memory.
fn torus() -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (side, what) in [
        (2048usize, "dense random torus 2048×2048, in cache, one thread"),
        (16384, "dense random torus 16384×16384, one thread"),
    ] {
        let torus = environments::automata::Torus::new(&Rule::life(), side, side);
        let mut torus = torus.ok_or_else(|| anyhow::anyhow!("no dense torus of side {side}"))?;
        let mut draws = stream(&["bench", "torus"]);
        for y in 0..side {
            let row: Vec<u64> = (0..side / 64).map(|_| random_cells(&mut draws)).collect();
            torus.set_row(y, &row);
        }
        let generations = if side > 4096 { 16 } else { 256 };
        let figure = rate(|| {
            torus.advance(generations);
            (side * side) as f64 * generations as f64
        });
        black_box(torus.population());
        rows.push(Row { what, figure, unit: "cells/s", against: "wanted: 30 G on a large torus".into() });
    }
    Ok(rows)
}

/// 64 cells, each live with probability 3/8.
fn random_cells(draws: &mut environments::Stream) -> u64 {
    use environments::Draw;
    let mut word = || draws.below(1 << 32) << 32 | draws.below(1 << 32);
    word() & (word() | word())
}

fn census(_: &BenchArgs) -> anyhow::Result<Vec<Row>> {
    let start = Instant::now();
    // So many that the objects met for the first time, which take longer, are the few that they are in a long run.
    let count = 30_000;
    soups(&Rule::life(), "bench", count)?;
    let threads = rayon::current_num_threads() as f64;
    Ok(vec![Row {
        what: "16×16 soups, run until settled and classified",
        figure: count as f64 / start.elapsed().as_secs_f64() / threads,
        unit: "soups/s a thread",
        against: "apgsearch, built for AVX-512: 9.93 k".into(),
    }])
}

fn product(_: &BenchArgs) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (side, what) in
        [(96usize, "f32 product 65×96 by 96×384, one thread"), (512, "f32 product 512×512 by 512×512, one thread")]
    {
        let (m, n) = if side == 96 { (65, 384) } else { (512, 512) };
        let (a, b) = (vec![0.5f32; m * side], vec![0.25f32; side * n]);
        let mut packed = Packed::default();
        packed.pack(side, n, &b, n, 1);
        let mut c = vec![0.0; m * n];
        let figure = rate(|| {
            multiply(m, Left { values: &a, rows: side, columns: 1 }, &packed, &mut c, n, false);
            black_box(&c);
            2.0 * (m * side * n) as f64
        });
        rows.push(Row { what, figure, unit: "FLOP/s", against: "the most that training can reach".into() });
    }
    Ok(rows)
}

/// What a training did in a second.
struct Trained {
    tokens_per_second: f64,
    milliseconds: f64,
    peak_memory: Option<u64>,
    device: Device,
    parameters: usize,
    gigaflops: f64,
}

fn spec(args: &BenchArgs) -> anyhow::Result<ModelSpec> {
    let geometry = match args.context {
        Some(length) => Geometry::Line { length },
        None => Geometry::Torus { prefix: 1, rows: 8, columns: 8 },
    };
    let transformer =
        TransformerConfig { depth: args.layers, width: args.width, heads: args.heads, ..TransformerConfig::default() };
    let spec = ModelSpec { vocabulary: args.vocab, targets: args.vocab, geometry, model: transformer.into() };
    spec.validate()?;
    for (key, value) in [("--batch", args.batch), ("--steps", args.steps), ("--vocab", args.vocab)] {
        if value == 0 || value > 1 << 16 {
            anyhow::bail!("{key} {value}: it must be from 1 to 65536");
        }
    }
    Ok(spec)
}

/// A batch of random symbols.
fn batch(args: &BenchArgs, spec: &ModelSpec) -> Batch {
    use environments::Draw;
    let mut draws = stream(&["bench", "batch"]);
    let mut line =
        || (0..spec.geometry.len()).map(|_| draws.below(args.vocab as u64) as environments::Symbol).collect();
    let samples: Vec<Sample> = (0..args.batch).map(|_| Sample { tokens: line(), targets: line() }).collect();
    Batch::stack(&samples)
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

fn train(args: &BenchArgs) -> anyhow::Result<Trained> {
    let (spec, device) = (spec(args)?, Device::resolve(&args.device)?);
    let batch = batch(args, &spec);
    let parameters = Parameters::initialise(&spec, &mut stream(&["bench", "weights"]));
    let count = parameters.values.len();
    let mut model = learner(TrainingState::new(parameters), AdamW::default(), device)?;
    for _ in 0..3 {
        model.step(&batch, 1e-3)?;
    }
    model.mean_loss(); // waits for the device
    let start = Instant::now();
    for _ in 0..args.steps {
        model.step(&batch, 1e-3)?;
    }
    model.mean_loss();
    let seconds = start.elapsed().as_secs_f64();
    let tokens = (args.steps * args.batch * spec.geometry.len()) as f64;
    Ok(Trained {
        tokens_per_second: tokens / seconds,
        milliseconds: 1000.0 * seconds / args.steps as f64,
        peak_memory: peak_memory(),
        device,
        parameters: count,
        gigaflops: 3.0 * flops(&spec) * tokens / seconds / 1e9,
    })
}

fn train_row(args: &BenchArgs) -> anyhow::Result<Vec<Row>> {
    let trained = train(args)?;
    Ok(vec![Row {
        what: "training (forward, backward, AdamW)",
        figure: trained.tokens_per_second,
        unit: "tokens/s",
        against: format!("{:.0} GFLOP/s of products, on {}", trained.gigaflops, trained.device.name()),
    }])
}

fn forward(args: &BenchArgs) -> anyhow::Result<Vec<Row>> {
    let (spec, device) = (spec(args)?, Device::resolve(&args.device)?);
    let batch = batch(args, &spec);
    let parameters = Parameters::initialise(&spec, &mut stream(&["bench", "weights"]));
    let model = predictor(&parameters, device)?;
    let tokens = (args.batch * spec.geometry.len()) as f64;
    let mut failure = None;
    let figure = rate(|| {
        match model.run(&batch.tokens, &Plan::default()) {
            Ok(run) => drop(black_box(run)),
            Err(error) => failure = Some(error),
        }
        tokens
    });
    match failure {
        Some(error) => Err(error.into()),
        None => Ok(vec![Row {
            what: "prediction (forward)",
            figure,
            unit: "tokens/s",
            against: format!("{:.0} GFLOP/s of products, on {}", flops(&spec) * figure / 1e9, device.name()),
        }]),
    }
}

/// Peak resident memory of this process in bytes, where the system tells (`/proc`).
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        assert_eq!(short(313.4e6), "313 M");
        assert_eq!(short(4600.0), "4.60 k");
        assert_eq!(short(99.96), "100");
        assert_eq!(short(999.9), "1.00 k");
        assert_eq!(short(1.5e20), "150 E");
    }

    #[test]
    fn operations_are_those_of_the_weights_and_of_attention() {
        let model = TransformerConfig { depth: 1, width: 2, heads: 1, expansion: 4, loops: 1 }.into();
        let spec = ModelSpec { vocabulary: 3, targets: 3, geometry: Geometry::Line { length: 3 }, model };
        // 12 · 4 weights of a block, two positions attended to on average, 6 weights of the read-out.
        assert!((flops(&spec) - (2.0 * 48.0 + 4.0 * 2.0 * 2.0 + 2.0 * 6.0)).abs() < 1e-9);
    }
}
