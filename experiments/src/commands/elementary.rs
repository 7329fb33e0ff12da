//! `stance elementary …`

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use environments::automata::ElementaryRow;
use serde_json::json;

use super::life::draw::{self, Board};
use super::output::Output;

/// The most generations that are drawn.
const MOST_ROWS: u64 = 4096;
/// The most frames of a moving picture.
const MOST_FRAMES: usize = 120;

/// Sub-commands of `stance elementary`.
#[derive(Subcommand)]
pub enum ElementaryCommand {
    /// A row of cells after a number of generations.
    Evolve(EvolveArgs),
}

/// Arguments of `stance elementary evolve`.
#[derive(Args)]
pub struct EvolveArgs {
    /// The rule's number, 0 to 255 (also as W110).
    #[arg(long, value_name = "N")]
    rule: String,
    /// Generations.
    #[arg(long, value_name = "T")]
    steps: u64,
    /// A ring of so many cells. Default: a row without end.
    #[arg(long, value_name = "W")]
    width: Option<usize>,
    /// The first row, of 0 and 1 (or . and O). Default: a single live cell, on a ring at column W / 2.
    #[arg(long, value_name = "TEXT")]
    initial: Option<String>,
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
    let ElementaryCommand::Evolve(args) = command;
    let number = args.rule.trim_start_matches(['W', 'w']);
    let Ok(rule) = number.parse::<u8>() else {
        bail!("--rule {}: an elementary rule is a whole number from 0 to 255", args.rule);
    };
    let start = match &args.initial {
        Some(text) => ElementaryRow::new(rule, args.width, text).context("--initial")?,
        None => ElementaryRow::single(rule, args.width).context("--width")?,
    };
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
    let mut frames = Vec::new();
    let stride = rows.len().div_ceil(MOST_FRAMES);
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
