//! `stance elementary …`

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use environments::automata::elementary::{WIDEST, random_row};
use environments::automata::{ElementaryRow, LineRule};
use serde_json::json;

use super::life::draw::{self, Board};
use super::output::Output;

mod filter;
mod particles;

/// The most generations that are drawn.
const MOST_ROWS: u64 = 4096;
/// The most frames of a moving picture.
const MOST_FRAMES: usize = 120;

/// Sub-commands of `stance elementary`.
#[derive(Subcommand)]
pub enum ElementaryCommand {
    /// A row of cells after a number of generations.
    Evolve(EvolveArgs),
    /// How much of every cell its own past stores and each neighbour transfers, in bits.
    Filter(filter::FilterArgs),
    /// Domains, walls and particles of rules whose domains are known, their motions and collisions.
    Particles(particles::ParticlesArgs),
}

/// A rule and the row that it starts from.
#[derive(Args)]
struct Start {
    /// The rule's number, 0 to 255 (also as W110), or a wider rule, as in R2,W1A2B3C4D.
    #[arg(long, value_name = "N")]
    rule: String,
    /// The first row, of 0 and 1 (or . and O). Default: a single live cell, on a ring at column W / 2.
    #[arg(long, value_name = "TEXT", conflicts_with = "soup")]
    initial: Option<String>,
    /// A random first row on a ring: a fair coin for each cell, the same for the same seed.
    #[arg(long, value_name = "SEED")]
    soup: Option<String>,
}

impl Start {
    fn rule(&self) -> anyhow::Result<LineRule> {
        self.rule.parse().context("--rule")
    }

    fn row(&self, width: Option<usize>) -> anyhow::Result<ElementaryRow> {
        let rule = self.rule()?;
        if let Some(seed) = &self.soup {
            let Some(width) = width.filter(|width| (1..=WIDEST).contains(width)) else {
                bail!("--soup fills a ring, so --width has to say how many cells it has (1 to {WIDEST})");
            };
            let cells =
                random_row(seed, width).iter().map(|&cell| if cell == 1 { '1' } else { '0' }).collect::<String>();
            return ElementaryRow::new(rule, Some(width), &cells).context("--soup");
        }
        match &self.initial {
            Some(text) => ElementaryRow::new(rule, width, text).context("--initial"),
            None => ElementaryRow::single(rule, width).context("--width"),
        }
    }
}

/// Arguments of `stance elementary evolve`.
#[derive(Args)]
pub struct EvolveArgs {
    #[command(flatten)]
    start: Start,
    /// Generations.
    #[arg(long, value_name = "T")]
    steps: u64,
    /// A ring of so many cells. Default: a row without end.
    #[arg(long, value_name = "W")]
    width: Option<usize>,
    /// Draw all generations, one below the other.
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,
    /// Draw all generations as they come.
    #[arg(long, value_name = "FILE")]
    gif: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// In one sentence, for a person.
pub fn run(command: ElementaryCommand, output: &Output) -> anyhow::Result<()> {
    match command {
        ElementaryCommand::Evolve(args) => run_evolve(&args, output),
        ElementaryCommand::Filter(args) => filter::run(&args, output),
        ElementaryCommand::Particles(args) => particles::run(&args, output),
    }
}

fn run_evolve(args: &EvolveArgs, output: &Output) -> anyhow::Result<()> {
    let start = args.start.row(args.width)?;
    let mut row = start.clone();
    row.advance(args.steps).context("--steps")?;
    if args.png.is_some() || args.gif.is_some() {
        draw_history(&start, args.steps, args.png.as_deref(), args.gif.as_deref())?;
    }
    let mut value = json!({ "population": row.population(), "row": row.text() });
    if row.background() {
        // The population then counts the dead cells in a live background.
        value["background"] = json!(1);
    }
    output.print(&value, || {
        let kind = if row.background() { "dead cells in a live background" } else { "live cells" };
        format!("{}\n{} {kind} after {} generations", row.text(), row.population(), row.generation())
    })
}

fn draw_history(start: &ElementaryRow, steps: u64, png: Option<&Path>, gif: Option<&Path>) -> anyhow::Result<()> {
    if steps >= MOST_ROWS {
        bail!("--png and --gif draw at most {MOST_ROWS} generations");
    }
    let mut rows = vec![start.clone()];
    for _ in 0..steps {
        let mut next = rows[rows.len() - 1].clone();
        next.step();
        rows.push(next);
    }
    let spans: Vec<(i64, i64)> = rows.iter().filter_map(ElementaryRow::columns).collect();
    let left = spans.iter().map(|span| span.0).min().unwrap_or(0);
    let right = spans.iter().map(|span| span.1).max().unwrap_or(0);
    let mut board = Board::new((right - left + 1).clamp(1, i64::from(u32::MAX)) as u32, rows.len() as u32)?;
    let stride = rows.len().div_ceil(MOST_FRAMES);
    if gif.is_some() {
        draw::check_film(board.width, board.height, rows.len().div_ceil(stride) as u64 + 1)?;
    }
    let mut frames = Vec::new();
    for (y, row) in rows.iter().enumerate() {
        for column in left..=right {
            board.set(column - left, y as i64, u8::from(row.is_live(column)));
        }
        if gif.is_some() && (y % stride == 0 || y + 1 == rows.len()) {
            frames.push(board.clone());
        }
    }
    if let Some(path) = png {
        draw::png(path, &board)?;
    }
    gif.map_or(Ok(()), |path| draw::gif(path, &frames, 5))
}
