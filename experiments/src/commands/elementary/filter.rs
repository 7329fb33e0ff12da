//! `stance elementary filter`

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};
use environments::automata::information::{Diagram, Dynamics, Filter, along, mean};
use serde_json::json;

use super::super::life::draw;
use super::super::output::Output;
use super::Start;

/// The longest blocks whose entropies are told.
const LONGEST_BLOCK: usize = 8;
/// The share of the values that a picture shows below full colour.
const SHOWN: f64 = 0.995;

/// A measure with a value for every cell and generation.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Measure {
    /// −log p(state).
    Entropy,
    /// What a cell's own past leaves open of its next state.
    EntropyRate,
    /// Active information storage: what a cell's own past tells of its next state.
    Ais,
    /// Apparent transfer entropy one cell to the right: what the cell on the left adds to the own past.
    TeRight,
    /// Apparent transfer entropy one cell to the left: what the cell on the right adds to the own past.
    TeLeft,
    /// Complete transfer entropy one cell to the right: what it adds when all other neighbours are known.
    CompleteTeRight,
    /// Complete transfer entropy one cell to the left.
    CompleteTeLeft,
    /// Separable information: storage and the apparent transfers from all neighbours; negative where they interact.
    Separable,
}

impl Measure {
    fn filter(self) -> Filter {
        match self {
            Measure::Entropy => Filter::Entropy,
            Measure::EntropyRate => Filter::EntropyRate,
            Measure::Ais => Filter::Storage,
            Measure::TeRight => Filter::Transfer((1, 0)),
            Measure::TeLeft => Filter::Transfer((-1, 0)),
            Measure::CompleteTeRight => Filter::CompleteTransfer((1, 0)),
            Measure::CompleteTeLeft => Filter::CompleteTransfer((-1, 0)),
            Measure::Separable => Filter::Separable,
        }
    }

    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_string()).unwrap_or_default()
    }
}

/// Arguments of `stance elementary filter`.
#[derive(Args)]
pub struct FilterArgs {
    #[command(flatten)]
    start: Start,
    /// Generations.
    #[arg(long, value_name = "T", default_value_t = 400)]
    steps: u64,
    /// Cells of the ring.
    #[arg(long, value_name = "W", default_value_t = 400)]
    width: usize,
    /// The states of a cell's own past that are taken into account.
    #[arg(long, value_name = "K", default_value_t = 16)]
    history: usize,
    /// The filter whose local values --local and --png show.
    #[arg(long, value_enum, default_value = "ais")]
    filter: Measure,
    /// Tell the filter's values: in JSON as `local`, a row for each generation from `history` on.
    #[arg(long)]
    local: bool,
    /// Draw the filter's values: blue above 0, orange below.
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// In one sentence, for a person.
pub fn run(args: &FilterArgs, output: &Output) -> anyhow::Result<()> {
    let rule = args.start.rule()?;
    let first = args.start.row(Some(args.width))?.cells();
    let frames = usize::try_from(args.steps).unwrap_or(usize::MAX).saturating_add(1);
    let diagram = Diagram::of_rule(rule, first, frames).context("--steps and --width")?;
    let dynamics = Dynamics::new(&diagram, args.history, along(rule.radius())).context("--history")?;
    let local = dynamics.local(args.filter.filter());
    let mut averages = serde_json::Map::new();
    for measure in Measure::value_variants() {
        let average = if *measure == args.filter { mean(&local) } else { dynamics.average(measure.filter()) };
        averages.insert(measure.name(), json!(average));
    }
    let longest = LONGEST_BLOCK.min(frames);
    let blocks = (1..=longest).map(|n| Ok([diagram.entropy_of_rows(n)?, diagram.entropy_of_times(n)?]));
    let blocks = blocks.collect::<anyhow::Result<Vec<[f64; 2]>>>()?;
    let mut value = json!({
        "rule": rule.to_string(),
        "lambda": rule.langton_lambda(),
        "width": args.width,
        "steps": args.steps,
        "history": args.history,
        "samples": local.len(),
        "averages": averages,
        "block_entropies": {
            "space": blocks.iter().map(|pair| pair[0]).collect::<Vec<_>>(),
            "time": blocks.iter().map(|pair| pair[1]).collect::<Vec<_>>(),
        },
        "filter": args.filter.name(),
    });
    if args.local {
        value["local"] = local.chunks_exact(args.width).collect();
    }
    if let Some(path) = &args.png {
        let full = full_colour(&local);
        let none = std::iter::repeat_n(None, args.width * args.history);
        let values: Vec<Option<f64>> = none.chain(local.iter().copied().map(Some)).collect();
        draw::heat(path, args.width as u32, &values, full)?;
        value["full_colour"] = json!(full);
    }
    output.print(&value, || describe(args, &value, &local))
}

/// The size that all but the few largest values stay below.
fn full_colour(local: &[f64]) -> f64 {
    let mut sizes: Vec<f64> = local.iter().map(|value| value.abs()).collect();
    sizes.sort_unstable_by(f64::total_cmp);
    let shown = sizes[((sizes.len() - 1) as f64 * SHOWN) as usize];
    if shown > 1e-9 { shown } else { 1.0 }
}

fn describe(args: &FilterArgs, value: &serde_json::Value, local: &[f64]) -> String {
    let mut text = format!(
        "rule {}, λ {}, {} samples, history {}\n\nbits a cell and generation\n",
        value["rule"].as_str().unwrap_or_default(),
        value["lambda"],
        value["samples"],
        args.history,
    );
    for measure in Measure::value_variants() {
        let average = value["averages"][measure.name()].as_f64().unwrap_or(0.0);
        text += &format!("  {:<18} {average:>9.4}\n", measure.name());
    }
    text += "\nentropy of blocks of 1, 2, … cells\n";
    for (name, key) in [("side by side", "space"), ("in time", "time")] {
        let entropies = value["block_entropies"][key].as_array().cloned().unwrap_or_default();
        let entropies: Vec<String> = entropies.iter().filter_map(|e| Some(format!("{:.4}", e.as_f64()?))).collect();
        text += &format!("  {name:<18} {}\n", entropies.join("  "));
    }
    if args.local {
        text += &format!("\n{} from generation {} on\n", args.filter.name(), args.history);
        for row in local.chunks_exact(args.width) {
            text += &row.iter().map(|value| format!("{value:.3}")).collect::<Vec<_>>().join(" ");
            text.push('\n');
        }
    }
    text
}
