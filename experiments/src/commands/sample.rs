//! `stance sample CONFIG --split S --index I`

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use environments::{Column, Episode, Geometry, Scene, Scope, Split, Symbol, TapeRow, UNSCORED};
use serde_json::json;

use super::output::Output;
use super::run::ConfigArgs;
use crate::config::{Config, nearest};

/// Arguments of `stance sample`.
#[derive(Args)]
pub struct SampleArgs {
    /// A config, also that of a run.
    config: PathBuf,
    #[command(flatten)]
    changes: ConfigArgs,
    /// train, validation or test.
    #[arg(long, default_value = "train")]
    split: String,
    /// Index of the episode in the split, from 0.
    #[arg(long, default_value_t = 0)]
    index: u64,
}

/// Runs the command.
///
/// # Errors
/// In one sentence, for a person.
pub fn run(args: SampleArgs, output: &Output) -> anyhow::Result<()> {
    let split = Split::ALL.into_iter().find(|split| split.name() == args.split).ok_or_else(|| {
        let nearest = nearest(&args.split, Split::ALL.map(Split::name));
        anyhow::anyhow!("--split {}: there is no such split; the nearest is `{nearest}`", args.split)
    })?;
    let config = Config::load(&args.config, &args.changes.overrides())?;
    let world = config.experiment()?.environment(&config)?;
    let episode = world.episode(split, args.index);
    let value = json!({ "environment": world.name(), "geometry": world.geometry(), "episode": episode });
    output.print(&value, || describe(&episode, world.name(), world.geometry()))
}

fn describe(episode: &Episode, world: &str, geometry: Geometry) -> String {
    let address = &episode.address;
    let mut text = format!("{world} {} · {} {}\n\n", address.environment, address.split.name(), address.index);
    text += &draw(episode);
    text += &format!("\ntokens\n{}", symbols(&episode.sample.tokens, geometry));
    text += &format!("\ntargets\n{}", symbols(&episode.sample.targets, geometry));
    text += "\nlabels\n";
    for column in &episode.labels.columns {
        text += &format!("  {:<24} {}\n", column.concept, summary(column));
    }
    text
}

/// The start and, beside it, the state that the episode asks for.
fn draw(episode: &Episode) -> String {
    match &episode.scene {
        Scene::Board { width, height, frames, .. } => {
            let last = frames.len().saturating_sub(1);
            let step = horizon(episode).filter(|&step| step <= last).unwrap_or(last);
            let (width, height) = (*width as usize, *height as usize);
            let boards = [(0, frames.first()), (step, frames.get(step))];
            let mut text = String::new();
            for (number, (step, _)) in boards.iter().enumerate() {
                let title = format!("step {step}");
                text += if number == 0 { "" } else { "   " };
                text += &format!("{title:<0$}", width + 2);
            }
            text = text.trim_end().to_string() + "\n";
            for row in (0..height).step_by(2) {
                let lines =
                    boards.iter().map(|(_, cells)| cells.map_or_else(String::new, |c| half_blocks(c, width, row)));
                text += &format!("{}\n", lines.map(|line| format!("│{line}│")).collect::<Vec<_>>().join("   "));
            }
            text
        }
        Scene::Tape { machine, rows, .. } => {
            let cells = |row: &TapeRow| -> String { row.cells.iter().map(|cell| char::from(b'0' + cell)).collect() };
            // The state stands before the cell that it reads.
            let line = |(step, row): (usize, &TapeRow)| {
                let cells = cells(row);
                let (before, after) = cells.split_at(row.head as usize);
                format!("{step:>4}  {before}{}{after}\n", char::from(b'A' + row.state))
            };
            format!("{machine}\n") + &rows.iter().enumerate().map(line).collect::<String>()
        }
    }
}

/// The number of steps that the episode asks for, where its world labels that.
fn horizon(episode: &Episode) -> Option<usize> {
    let column = episode.labels.get("horizon")?;
    let value = (*column.values.first()?)? as usize;
    match column.classes.get(value) {
        Some(name) => name.parse().ok(),
        None => Some(value),
    }
}

/// Two rows of cells as one line of text.
pub(super) fn half_blocks(cells: &[u8], width: usize, row: usize) -> String {
    let live = |row: usize, column: usize| cells.get(row * width + column).is_some_and(|&state| state != 0);
    let block = |column| match (live(row, column), live(row + 1, column)) {
        (false, false) => ' ',
        (true, false) => '▀',
        (false, true) => '▄',
        (true, true) => '█',
    };
    (0..width).map(block).collect()
}

fn symbols(symbols: &[Symbol], geometry: Geometry) -> String {
    let shown: Vec<String> =
        symbols.iter().map(|&symbol| if symbol == UNSCORED { "·".into() } else { symbol.to_string() }).collect();
    let width = shown.iter().map(|symbol| symbol.chars().count()).max().unwrap_or(1);
    let line = |symbols: &[String]| {
        let cells: Vec<String> = symbols.iter().map(|symbol| format!("{symbol:>width$}")).collect();
        format!("  {}\n", cells.join(" "))
    };
    let (prefix, columns) = match geometry {
        Geometry::Torus { prefix, columns, .. } => (prefix.min(shown.len()), columns),
        Geometry::Line { .. } => (0, 24),
    };
    let mut text = if prefix > 0 { line(&shown[..prefix]) } else { String::new() };
    for row in shown[prefix..].chunks(columns.max(1)) {
        text += &line(row);
    }
    text
}

/// Counts by class for tokens, the values themselves for objects and episodes.
fn summary(column: &Column) -> String {
    let name = |value: u32| match column.classes.get(value as usize) {
        Some(name) => name.clone(),
        None => value.to_string(),
    };
    if column.scope != Scope::Token {
        let shown = |value: &Option<u32>| value.map_or_else(|| "–".into(), name);
        return column.values.iter().map(shown).collect::<Vec<_>>().join(", ");
    }
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for value in column.values.iter().flatten() {
        *counts.entry(*value).or_insert(0) += 1;
    }
    if counts.is_empty() {
        return "–".into();
    }
    counts.iter().map(|(&value, count)| format!("{} ×{count}", name(value))).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_rows_of_cells_are_one_line() {
        assert_eq!(half_blocks(&[0, 1, 0, 1, 0, 0, 1, 1], 4, 0), " ▀▄█");
        // The last of an odd number of rows has nothing below it.
        assert_eq!(half_blocks(&[0, 0, 1, 0], 2, 2), "  ");
        assert_eq!(half_blocks(&[1, 0], 2, 0), "▀ ");
    }

    #[test]
    fn symbols_stand_as_on_the_torus() {
        let geometry = Geometry::Torus { prefix: 1, rows: 2, columns: 2 };
        assert_eq!(symbols(&[16, 1, 2, 3, UNSCORED], geometry), "  16\n   1  2\n   3  ·\n");
    }
}
