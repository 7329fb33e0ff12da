//! `stance elementary particles`

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use environments::automata::elementary::Particles;
use environments::automata::elementary::particles::Track;
use serde_json::{Value, json};

use super::super::life::draw;
use super::super::output::Output;
use super::Start;

/// The most cells of a history.
const MOST_CELLS: u64 = 1 << 24;
/// Okabe and Ito's colours, which the colour-blind tell apart, for particles by their numbers.
const COLOURS: [[u8; 3]; 6] =
    [[0, 114, 178], [213, 94, 0], [0, 158, 115], [204, 121, 167], [86, 180, 233], [230, 159, 0]];

/// Arguments of `stance elementary particles`.
#[derive(Args)]
pub struct ParticlesArgs {
    #[command(flatten)]
    start: Start,
    /// Generations.
    #[arg(long, value_name = "T", default_value_t = 400)]
    steps: u64,
    /// Cells of the ring.
    #[arg(long, value_name = "W", default_value_t = 400)]
    width: usize,
    /// Generations that pass before the first one that is looked at.
    #[arg(long, value_name = "T", default_value_t = 0)]
    skip: u64,
    /// Tell of every cell its domain phase and the track that covers it, row by row (in JSON).
    #[arg(long)]
    cells: bool,
    /// Draw domains in grey, walls in black and particles in colours.
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// In one sentence, for a person.
pub fn run(args: &ParticlesArgs, output: &Output) -> anyhow::Result<()> {
    let rule = args.start.rule()?;
    let generations = args.steps.saturating_add(1);
    if generations.saturating_mul(args.width as u64) > MOST_CELLS {
        bail!("--steps {} of --width {}: at most {MOST_CELLS} cells are taken apart", args.steps, args.width);
    }
    let mut first = args.start.row(Some(args.width))?;
    first.advance(args.skip).context("--skip")?;
    let rows = rule.history(first.cells(), generations as usize);
    let found = Particles::find(rule, &rows)?;
    let (width, period) = found.domain.size();
    let mut value = json!({
        "rule": rule.to_string(),
        "domain": { "width": width, "period": period, "phases": found.domain.phases() },
        "domain_share": found.domain_share(),
        "tracks": found.tracks.iter().enumerate().map(|(id, track)| track_json(id, track)).collect::<Vec<_>>(),
        "collisions": found.collisions.iter().map(|collision| json!({
            "row": collision.row,
            "column": collision.column,
            "before": collision.before,
            "after": collision.after,
        })).collect::<Vec<_>>(),
    });
    if args.cells {
        value["phases"] = found.phases.chunks_exact(args.width).collect();
        value["covers"] = found.covers.chunks_exact(args.width).collect();
    }
    if let Some(path) = &args.png {
        draw::coloured(path, args.width as u32, &colours(&found, &rows))?;
    }
    output.print(&value, || describe(&found))
}

fn track_json(id: usize, track: &Track) -> Value {
    let first = track.spans.first().map_or(0, |span| span.0);
    let last = track.spans.last().map_or(0, |span| span.0);
    json!({
        "id": id,
        "name": track.name,
        "kind": if track.motion.is_some() { "particle" } else { "wall" },
        "period": track.motion.map(|motion| motion.period),
        "displacement": track.motion.map(|motion| motion.displacement),
        "velocity": track.motion.map(|motion| motion.displacement as f64 / motion.period as f64),
        "birth": track.birth,
        "lifetime": track.spans.len(),
        "from": first,
        "to": last,
        "between": [track.between.0, track.between.1],
    })
}

fn colours(found: &Particles, rows: &[Vec<u8>]) -> Vec<[u8; 3]> {
    let colour =
        |(&cell, cover): (&u8, &Option<u32>)| match cover.map(|number| (number, &found.tracks[number as usize])) {
            None => [[246; 3], [214; 3]][usize::from(cell)],
            Some((_, Track { motion: None, .. })) => [[120; 3], [40; 3]][usize::from(cell)],
            Some((number, _)) => COLOURS[number as usize % COLOURS.len()],
        };
    rows.iter().flatten().zip(&found.covers).map(colour).collect()
}

/// The kinds of tracks with their numbers and lifetimes.
fn describe(found: &Particles) -> String {
    let mut kinds: Vec<(String, usize, usize)> = Vec::new();
    for track in &found.tracks {
        let name = match (track.motion, track.name) {
            (None, _) => "walls".to_string(),
            (Some(motion), name) => {
                let name = name.unwrap_or("unnamed");
                format!("{name}: {} cells in {} generations", motion.displacement, motion.period)
            }
        };
        match kinds.iter_mut().find(|kind| kind.0 == name) {
            Some(kind) => (kind.1, kind.2) = (kind.1 + 1, kind.2 + track.spans.len()),
            None => kinds.push((name, 1, track.spans.len())),
        }
    }
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.2));
    let (width, period) = found.domain.size();
    let mut text = format!(
        "domain of {width} columns and {period} generations, {:.1} % of the cells; {} collisions\n\n{:<40} tracks  generations\n",
        100.0 * found.domain_share(),
        found.collisions.len(),
        "kind",
    );
    for (name, number, generations) in kinds {
        text += &format!("{name:<40} {number:>6}  {generations:>11}\n");
    }
    text
}
