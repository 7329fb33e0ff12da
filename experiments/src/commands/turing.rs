//! `stance turing …`

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use environments::stream;
use environments::turing::universal::{COMPRESSIBLE, Limits, Survey};
use environments::turing::{self, Class, Machine, Outcome};
use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::output::Output;

/// Sub-commands of `stance turing`.
#[derive(Subcommand)]
pub enum TuringCommand {
    /// Run a machine from a blank tape.
    Run(RunArgs),
    /// Count a class of machines: how many halt, how long they run, what they leave.
    Enumerate(EnumerateArgs),
    /// Count what the never-halting machines of a size can write, and how much of a machine's identity that carries.
    Traces(TracesArgs),
    /// Draw random programs of the universal machine and say what they do.
    Programs(ProgramsArgs),
}

/// Arguments of `stance turing run`.
#[derive(Args)]
pub struct RunArgs {
    /// The machine, as on bbchallenge.org: 1RB1LB_1LA1RZ.
    #[arg(allow_hyphen_values = true)]
    machine: String,
    /// Make at most so many steps. Without it, run until it halts or it is proved that it never does.
    #[arg(long, value_name = "N")]
    max_steps: Option<u128>,
}

/// Arguments of `stance turing enumerate`.
#[derive(Args)]
pub struct EnumerateArgs {
    /// States, the halting one not counted.
    #[arg(long, value_name = "N")]
    states: usize,
    /// Symbols, the blank counted.
    #[arg(long, value_name = "M")]
    symbols: usize,
    /// Steps within which a machine counts as halting.
    #[arg(long, value_name = "K")]
    max_steps: u64,
    /// The convention: bbchallenge, rado, ctm or tnf.
    #[arg(long, default_value = "bbchallenge")]
    class: String,
}

/// Arguments of `stance turing traces`.
#[derive(Args)]
pub struct TracesArgs {
    /// States.
    #[arg(long, value_name = "N")]
    states: usize,
    /// Symbols, the blank counted.
    #[arg(long, value_name = "M")]
    symbols: usize,
    /// Symbols written, that is steps.
    #[arg(long, value_name = "L")]
    length: usize,
}

/// Arguments of `stance turing programs`.
#[derive(Args)]
pub struct ProgramsArgs {
    /// Programs drawn.
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    count: u64,
    /// Values of a cell.
    #[arg(long, value_name = "A", default_value_t = 4, value_parser = clap::value_parser!(u64).range(2..=256))]
    alphabet: u64,
    /// Symbols written after which a program is stopped.
    #[arg(long, value_name = "L", default_value_t = 128, value_parser = clap::value_parser!(u64).range(1..=65_536))]
    length: u64,
    /// Steps after which it is.
    #[arg(long, value_name = "K", default_value_t = 4096, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    max_steps: u64,
    /// Mean length of a program, in instructions.
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u64).range(1..=65_536))]
    mean_length: u64,
    /// Chooses other programs.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

/// Cells up to which a tape is written out.
const MOST_CELLS: usize = 1 << 16;

/// Runs of equal words up to which a longer tape is written.
const MOST_RUNS: usize = 1 << 12;

/// Runs the command.
///
/// # Errors
/// In one sentence, for a person.
pub fn run(command: TuringCommand, output: &Output) -> anyhow::Result<()> {
    match command {
        TuringCommand::Run(args) => run_machine(&args, output),
        TuringCommand::Enumerate(args) => enumerate(&args, output),
        TuringCommand::Traces(args) => traces(&args, output),
        TuringCommand::Programs(args) => programs(&args, output),
    }
}

/// A number where JSON has one that readers agree on; its digits as text beyond.
fn number(value: u128) -> Value {
    u64::try_from(value).map_or_else(|_| Value::from(value.to_string()), Value::from)
}

fn run_machine(args: &RunArgs, output: &Output) -> anyhow::Result<()> {
    let machine: Machine = args.machine.parse()?;
    let limit = args.max_steps;
    if let Some(limit) = limit.filter(|&limit| limit > turing::MOST_STEPS) {
        anyhow::bail!("--max-steps {limit}: steps are counted up to {}", turing::MOST_STEPS);
    }
    let run = turing::run(&machine, limit);
    let mut value = Map::new();
    value.insert("halted".into(), run.halted().into());
    value.insert("steps".into(), number(run.steps));
    value.insert("ones".into(), number(run.ones));
    let mut notes: Vec<String> = Vec::new();
    let tape = run.cells(MOST_CELLS).unwrap_or_else(|| {
        let runs = run.runs(MOST_RUNS);
        let cut = if runs.1 { format!(", the first {MOST_RUNS} runs") } else { String::new() };
        notes.push(format!("the tape has {} cells and is given as runs, word^count{cut}", run.span()));
        runs.0
    });
    value.insert("tape".into(), tape.clone().into());
    if run.outcome == Outcome::Forever {
        value.insert("never_halts".into(), true.into());
    }
    match run.outcome {
        Outcome::Halted => {}
        Outcome::Forever => notes.push("it is proved that this machine never halts".into()),
        Outcome::Limit if limit == Some(run.steps) => notes.push("it had not halted at --max-steps".into()),
        Outcome::Limit if run.steps == turing::MOST_STEPS => {
            notes.push("it runs for more steps than can be counted here".into());
        }
        Outcome::Limit => notes.push(match limit {
            Some(_) => "it was given up before --max-steps: this run cannot be accelerated".into(),
            None => "it was given up undecided; --max-steps N runs it for N steps".into(),
        }),
    }
    if !notes.is_empty() {
        value.insert("note".into(), notes.join("; ").into());
    }
    output.print(&Value::Object(value), || {
        let end = if run.halted() { "halted after" } else { "running after" };
        let mut text = format!("{machine}: {end} {} steps, {} cells not blank\n{tape}\n", run.steps, run.ones);
        for note in &notes {
            text += &format!("{note}\n");
        }
        text
    })
}

fn enumerate(args: &EnumerateArgs, output: &Output) -> anyhow::Result<()> {
    let Some(&class) = Class::ALL.iter().find(|class| class.name() == args.class) else {
        let names = Class::ALL.map(Class::name);
        let near = |name: &&str| (strsim::normalized_levenshtein(name, &args.class) * 1000.0) as u32;
        let nearest = names.into_iter().max_by_key(near).unwrap_or_default();
        anyhow::bail!("--class {}: there is no such class; the nearest is `{nearest}`", args.class);
    };
    let found = turing::enumerate(class, args.states, args.symbols, args.max_steps)?;
    let mut value = Map::new();
    value.insert("machines".into(), number(found.machines));
    value.insert("halting".into(), number(found.halting));
    if class == Class::Tnf {
        value.insert("nonhalting".into(), number(found.nonhalting));
        value.insert("undecided".into(), number(found.undecided()));
    }
    value.insert("max_steps".into(), found.max_steps.into());
    value.insert("max_ones".into(), found.max_ones.into());
    let outputs: Map<String, Value> =
        found.outputs.iter().map(|(cells, &count)| (cells.clone(), number(count))).collect();
    value.insert("outputs".into(), outputs.into());
    output.print(&Value::Object(value), || {
        let mut text = format!("{} machines, {} halt within {} steps\n", found.machines, found.halting, args.max_steps);
        if class == Class::Tnf {
            text += &format!("{} are proved never to halt, {} are undecided\n", found.nonhalting, found.undecided());
        }
        text += &format!("most steps {}, most cells not blank {}\n", found.max_steps, found.max_ones);
        let mut outputs: Vec<(&String, u128)> = found.outputs.iter().map(|(cells, &count)| (cells, count)).collect();
        outputs.sort_by_key(|&(cells, count)| (std::cmp::Reverse(count), cells.len(), cells.clone()));
        text += &format!("{} outputs, the most frequent:\n", outputs.len());
        for (cells, count) in outputs.iter().take(16) {
            text += &format!("  {cells:<18} {count}\n");
        }
        text
    })
}

fn traces(args: &TracesArgs, output: &Output) -> anyhow::Result<()> {
    let found = turing::traces(args.states, args.symbols, args.length)?;
    let (distinct, bits) = (found.classes.len(), found.entropy_bits());
    let value = json!({ "machines": number(found.machines), "traces": distinct, "entropy_bits": bits });
    output.print(&value, || {
        format!("{} machines write {distinct} traces of {} symbols: {bits:.4} bits", found.machines, args.length)
    })
}

fn programs(args: &ProgramsArgs, output: &Output) -> anyhow::Result<()> {
    let limits =
        Limits { steps: args.max_steps, cells: 16, output: args.length as usize, alphabet: args.alphabet as usize };
    // Programs by blocks, each with a stream of its own, so that any number of threads draws the same.
    const BLOCK: u64 = 1024;
    let block = |block: u64| {
        let mut draws = stream(&["turing programs", &args.seed.to_string(), &block.to_string()]);
        let count = BLOCK.min(args.count - block * BLOCK);
        Survey::take(&mut draws, count, args.mean_length, 1 << 16, limits)
    };
    let blocks: Vec<Survey> = (0..args.count.div_ceil(BLOCK)).into_par_iter().map(block).collect();
    let all = blocks.into_iter().fold(Survey::default(), Survey::joined);
    let count = args.count as f64;
    let part = |number: u64| number as f64 / count;
    let (halted, limited) = (part(all.halted), part(all.limited));
    let full = part(args.count - all.halted - all.limited);
    let average =
        |lengths: &BTreeMap<usize, u64>| part(lengths.iter().map(|(&length, &number)| length as u64 * number).sum());
    let (mean_length, mean_output) = (average(&all.lengths), average(&all.outputs));
    // By the least length of an output in a doubling bin: 0, 1, 2, 4, ….
    let mut outputs: BTreeMap<usize, u64> = BTreeMap::new();
    for (length, number) in &all.outputs {
        *outputs.entry(length.checked_ilog2().map_or(0, |exponent| 1 << exponent)).or_default() += number;
    }
    let (bits, symbols) = all.compressed;
    let compression = (symbols > 0).then(|| bits / symbols as f64);
    let value = json!({
        "programs": args.count,
        "halting": halted,
        "full": full,
        "limit": limited,
        "silent": part(all.silent),
        "mean_length": mean_length,
        "mean_output": mean_output,
        "outputs": outputs,
        "bits_per_symbol": compression,
        "uniform_bits_per_symbol": (args.alphabet as f64).log2(),
    });
    output.print(&value, || {
        let share = |share: f64| format!("{:.1}%", 100.0 * share);
        let mut text = format!("{} programs of {mean_length:.1} instructions on average\n", args.count);
        text += &format!(
            "{} halt, {} write {} symbols, {} are stopped at {} steps; {} write nothing\n",
            share(halted),
            share(full),
            args.length,
            share(limited),
            args.max_steps,
            share(part(all.silent))
        );
        for (from, number) in &outputs {
            text += &format!("  {from:>6} symbols or more (below the next): {number}\n");
        }
        if let Some(bits) = compression {
            text += &format!(
                "outputs of {COMPRESSIBLE} symbols and more: {bits:.3} bits a symbol by PPM of order 5 (uniform: {:.3})\n",
                (args.alphabet as f64).log2()
            );
        }
        text
    })
}
