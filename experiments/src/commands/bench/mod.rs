//! `stance bench [NAME]`: what this machine does in a second, beside the limit that a figure is measured against.

mod batches;
mod data;
mod probes;
mod simulators;
mod training;

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};

use super::output::Output;
use crate::config::nearest;

/// Arguments of `stance bench`.
#[derive(Args, Clone)]
pub struct BenchArgs {
    /// The benchmark: turing, universal, life, census, samples, product, train, forward, generate, probes or data; all of
    /// them without a name.
    name: Option<String>,
    /// Of train, forward and generate: transformer or lstm.
    #[arg(long, default_value = "transformer")]
    kind: String,
    /// Blocks or layers.
    #[arg(long, default_value_t = 3)]
    layers: usize,
    /// Width of the residual stream.
    #[arg(long, default_value_t = 96)]
    width: usize,
    /// Attention heads.
    #[arg(long, default_value_t = 6)]
    heads: usize,
    /// How often the same blocks come round.
    #[arg(long, default_value_t = 1)]
    loops: usize,
    /// Every position attends to all, on a ring, and not only to the past.
    #[arg(long)]
    full: bool,
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
    /// Operations of the engine that run in their obvious form: norm, activation, attention, loss, recurrence, optimizer
    /// or all.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    plain: Vec<String>,
    /// Of data: the folder of configs.
    #[arg(long, value_name = "DIR", default_value = "experiments/configs")]
    configs: std::path::PathBuf,
}

/// A line of the table.
struct Row {
    what: String,
    figure: f64,
    unit: &'static str,
    /// What it is measured against, in words.
    against: String,
}

type Bench = fn(&BenchArgs) -> anyhow::Result<Vec<Row>>;

const BENCHES: [(&str, Bench); 11] = [
    ("turing", simulators::turing),
    ("universal", simulators::universal),
    ("life", simulators::life),
    ("census", simulators::census),
    ("samples", batches::samples),
    ("product", training::product),
    ("train", training::train_row),
    ("forward", training::forward),
    ("generate", training::generate),
    ("probes", probes::probes),
    ("data", data::data),
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
        let trained = training::train(&args)?;
        let value = json!({
            "tokens_per_second": trained.tokens_per_second,
            "milliseconds_per_step": trained.milliseconds,
            "peak_memory_bytes": trained.peak_memory,
            "device": trained.device.name(),
            "parameters": trained.parameters,
            "gigaflops": trained.gigaflops,
            "memory_bound_bytes": trained.memory_bound,
            "loss": trained.loss,
        });
        return output.print(&value, || {
            format!(
                "{} parameters on {}: {:.0} tokens a second, {:.2} ms a step, {:.0} GFLOP/s, peak memory {:.0} MiB, \
                 mean loss {:.6}",
                trained.parameters,
                trained.device.name(),
                trained.tokens_per_second,
                trained.milliseconds,
                trained.gigaflops,
                trained.peak_memory.unwrap_or(0) as f64 / 1048576.0,
                trained.loss
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
            format!("{name:<10} {:<58} {:>10} {:<26} {}\n", row.what, short(row.figure), row.unit, row.against)
        };
        let head = format!("{:<10} {:<58} {:>10} {:<26} against\n", "bench", "what", "figure", "unit");
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
}
