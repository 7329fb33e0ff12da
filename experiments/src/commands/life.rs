//! `stance life …`

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use environments::automata::census::{Census, Tally, soup, soups};
use environments::automata::formats::rle_body;
use environments::automata::{BoundingBox, Evolved, Format, Limits, Pattern, PatternFile, Rule, apgcode, evolve};
use serde_json::json;

use super::output::Output;

pub mod draw;

use draw::Board;

/// The largest pattern file that is read, in bytes.
const LARGEST_FILE: u64 = 256 << 20;
/// The most frames of a moving picture.
const MOST_FRAMES: u64 = 240;

/// Sub-commands of `stance life`.
#[derive(Subcommand)]
pub enum LifeCommand {
    /// A pattern after a number of generations.
    Evolve(EvolveArgs),
    /// The objects that a pattern or a series of soups leaves behind, by apgcode.
    Census(CensusArgs),
}

/// Where a pattern comes from: exactly one of these.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Source {
    /// A pattern file: RLE, Life 1.06, plaintext or macrocell, whichever it turns out to be.
    #[arg(long, value_name = "FILE")]
    pattern: Option<PathBuf>,
    /// A pattern in RLE, with or without a header; its corner lies at 0, 0.
    #[arg(long, value_name = "TEXT")]
    rle: Option<String>,
    /// The object of an apgcode, as in xq4_153.
    #[arg(long, value_name = "CODE")]
    apgcode: Option<String>,
    /// The 16×16 soup that apgsearch makes of this seed (symmetry C1).
    #[arg(long, value_name = "SEED")]
    soup: Option<String>,
}

/// Arguments of `stance life evolve`.
#[derive(Args)]
pub struct EvolveArgs {
    #[command(flatten)]
    source: Source,
    /// A rulestring as in Golly: B3/S23, B36/S23:T64,64, B2-a/S12, B2/S/C3, W110. Default: the file's, or B3/S23.
    #[arg(long, value_name = "R")]
    rule: Option<String>,
    /// Generations.
    #[arg(long, value_name = "N")]
    steps: u64,
    /// Give up beyond this many tiles (56×56 cells, about a kilobyte) in memory.
    #[arg(long, value_name = "N", default_value_t = Limits::default().tiles)]
    max_tiles: usize,
    /// Give up after this much work: tiles times generations / 4.
    #[arg(long, value_name = "N", default_value_t = Limits::default().work)]
    max_work: u64,
    /// Draw the last generation.
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,
    /// Draw the way there, in at most 240 frames.
    #[arg(long, value_name = "FILE")]
    gif: Option<PathBuf>,
}

/// Arguments of `stance life census`.
#[derive(Args)]
pub struct CensusArgs {
    #[command(flatten)]
    source: CensusSource,
    /// How many soups.
    #[arg(long, value_name = "N", requires = "soups")]
    count: Option<u64>,
    /// A rulestring with two states on the plane without end. Default: the file's, or B3/S23.
    #[arg(long, value_name = "R")]
    rule: Option<String>,
    /// Threads; the census is the same for any number. Default: one a core.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

/// A pattern, or a series of soups: exactly one of these.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct CensusSource {
    /// A pattern file: RLE, Life 1.06, plaintext or macrocell, whichever it turns out to be.
    #[arg(long, value_name = "FILE")]
    pattern: Option<PathBuf>,
    /// A pattern in RLE, with or without a header.
    #[arg(long, value_name = "TEXT")]
    rle: Option<String>,
    /// The object of an apgcode.
    #[arg(long, value_name = "CODE")]
    apgcode: Option<String>,
    /// The 16×16 soup that apgsearch makes of this seed (symmetry C1).
    #[arg(long, value_name = "SEED")]
    soup: Option<String>,
    /// Soups whose seeds are this text followed by 0, 1, 2, …; as many as --count says.
    #[arg(long, value_name = "PREFIX", requires = "count")]
    soups: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// In one sentence, for a person.
pub fn run(command: LifeCommand, output: &Output) -> anyhow::Result<()> {
    match command {
        LifeCommand::Evolve(args) => run_evolve(&args, output),
        LifeCommand::Census(args) => run_census(args, output),
    }
}

impl Source {
    /// The pattern, and the rule that comes with it.
    fn load(&self) -> anyhow::Result<PatternFile> {
        let bare = |pattern: Pattern| PatternFile { pattern, ..PatternFile::default() };
        if let Some(path) = &self.pattern {
            return read(path);
        }
        if let Some(text) = &self.rle {
            return PatternFile::read_as(Format::Rle, text).context("--rle");
        }
        if let Some(code) = &self.apgcode {
            return Ok(bare(apgcode::decode(code).context("--apgcode")?));
        }
        Ok(bare(soup(self.soup.as_deref().unwrap_or_default())))
    }
}

fn read(path: &Path) -> anyhow::Result<PatternFile> {
    let shown = path.display();
    let size = std::fs::metadata(path).with_context(|| format!("pattern file {shown}"))?.len();
    if size > LARGEST_FILE {
        bail!("pattern file {shown} has {size} bytes; at most {LARGEST_FILE} are read");
    }
    let bytes = std::fs::read(path).with_context(|| format!("pattern file {shown}"))?;
    PatternFile::read(&String::from_utf8_lossy(&bytes)).with_context(|| format!("pattern file {shown}"))
}

/// The rule asked for, or the file's, or Life.
fn rule(asked: Option<&str>, file: &PatternFile) -> anyhow::Result<Rule> {
    match asked {
        Some(text) => Rule::parse(text).context("--rule"),
        None => Ok(file.rule().context("the pattern's own rule (--rule overrides it)")?.unwrap_or_else(Rule::life)),
    }
}

fn run_evolve(args: &EvolveArgs, output: &Output) -> anyhow::Result<()> {
    let file = args.source.load()?;
    let rule = rule(args.rule.as_deref(), &file)?;
    let limits = Limits { tiles: args.max_tiles, work: args.max_work };
    if let Some(path) = &args.gif {
        film(path, &file.pattern, &rule, args.steps, limits)?;
    }
    let evolved = evolve(&file.pattern, &rule, args.steps, limits)?;
    if let Some(path) = &args.png {
        let frame = frame(&rule, evolved.pattern.bounding_box());
        draw::png(path, &board(frame, &evolved.pattern)?)?;
    }
    output.print(&evolved_json(&evolved, &rule), || evolved_text(&evolved, &rule))
}

fn evolved_json(evolved: &Evolved, rule: &Rule) -> serde_json::Value {
    let BoundingBox { x, y, width, height } = evolved.pattern.bounding_box().unwrap_or_default();
    let mut value = json!({
        "generation": evolved.generation,
        "population": evolved.pattern.population(),
        "bounding_box": [x, y, width, height],
        "rle": rle_body(&evolved.pattern, rule.states() > 2),
    });
    if evolved.background {
        // The cells are those that differ from a background that is live.
        value["background"] = json!(1);
    }
    value
}

fn evolved_text(evolved: &Evolved, rule: &Rule) -> String {
    let BoundingBox { x, y, width, height } = evolved.pattern.bounding_box().unwrap_or_default();
    let background = if evolved.background { " differing from a live background" } else { "" };
    let file = PatternFile {
        pattern: evolved.pattern.clone(),
        rule: Some(rule.to_string()),
        generation: evolved.generation,
        ..PatternFile::default()
    };
    format!(
        "#C generation {}, population {}{background}, {width} × {height} cells at {x}, {y}\n{}",
        evolved.generation,
        evolved.pattern.population(),
        file.write(Format::Rle),
    )
}

/// The rectangle to draw: the whole of a small finite surface, else the pattern with an edge of one cell.
fn frame(rule: &Rule, bounds: Option<BoundingBox>) -> BoundingBox {
    let (width, height) = rule.topology().size();
    if rule.topology().is_finite() && width.max(height) <= 2048 {
        return BoundingBox { x: 0, y: 0, width, height };
    }
    let bounds = bounds.unwrap_or_default();
    BoundingBox {
        x: bounds.x.saturating_sub(1),
        y: bounds.y.saturating_sub(1),
        width: bounds.width.saturating_add(2),
        height: bounds.height.saturating_add(2),
    }
}

fn board(frame: BoundingBox, pattern: &Pattern) -> anyhow::Result<Board> {
    let mut board = Board::new(frame.width, frame.height)?;
    for cell in pattern.cells() {
        board.set(i64::from(cell.x) - i64::from(frame.x), i64::from(cell.y) - i64::from(frame.y), cell.state);
    }
    Ok(board)
}

/// Draws the generations from the first to the last, evenly spaced when there are many.
fn film(path: &Path, start: &Pattern, rule: &Rule, steps: u64, limits: Limits) -> anyhow::Result<()> {
    let stride = steps.div_ceil(MOST_FRAMES - 1).max(1);
    let mut patterns = vec![start.clone()];
    if rule.births_from_nothing() && !rule.topology().is_finite() {
        bail!("--gif: under {rule} the background flashes, which is not drawn");
    }
    let mut done = 0;
    while done < steps {
        let next = stride.min(steps - done);
        let last = patterns.last().cloned().unwrap_or_default();
        patterns.push(evolve(&last, rule, next, limits)?.pattern);
        done += next;
    }
    let union = |a: BoundingBox, b: BoundingBox| {
        let right = (i64::from(a.x) + i64::from(a.width)).max(i64::from(b.x) + i64::from(b.width));
        let bottom = (i64::from(a.y) + i64::from(a.height)).max(i64::from(b.y) + i64::from(b.height));
        let (x, y) = (a.x.min(b.x), a.y.min(b.y));
        BoundingBox { x, y, width: (right - i64::from(x)) as u32, height: (bottom - i64::from(y)) as u32 }
    };
    let frame = frame(rule, patterns.iter().filter_map(Pattern::bounding_box).reduce(union));
    draw::check_film(frame.width, frame.height, patterns.len() as u64)?;
    let boards = patterns.iter().map(|pattern| board(frame, pattern)).collect::<anyhow::Result<Vec<_>>>()?;
    draw::gif(path, &boards, 5)
}

fn run_census(args: CensusArgs, output: &Output) -> anyhow::Result<()> {
    let CensusSource { pattern, rle, apgcode, soup, soups: prefix } = args.source;
    let start = Instant::now();
    let (tally, number) = if let Some(prefix) = prefix {
        let rule = rule(args.rule.as_deref(), &PatternFile::default())?;
        let number = args.count.unwrap_or(0);
        let threads = args.threads.unwrap_or(0);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().context("--threads")?;
        (pool.install(|| soups(&rule, &prefix, number))?, number)
    } else {
        let file = Source { pattern, rle, apgcode, soup }.load()?;
        let rule = rule(args.rule.as_deref(), &file)?;
        if file.pattern.highest_state() > 1 {
            bail!("the pattern has cells in states above 1, and a census is of two states");
        }
        (Census::new(&rule)?.take(&file.pattern), 1)
    };
    let rate = number as f64 / start.elapsed().as_secs_f64().max(1e-9);
    let value = json!({ "objects": tally, "soups": number, "soups_per_second": rate });
    output.print(&value, || census_text(&tally, number, rate))
}

/// The objects, the most frequent first.
fn census_text(tally: &Tally, soups: u64, rate: f64) -> String {
    let mut rows: Vec<(&String, &u64)> = tally.iter().collect();
    rows.sort_by_key(|&(code, number)| (std::cmp::Reverse(*number), code));
    let lines: Vec<String> = rows.iter().map(|(code, number)| format!("{number:>12} {code}")).collect();
    let all: u64 = tally.values().sum();
    format!("{}\n{all:>12} objects in {soups} soups, {rate:.0} soups a second", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_answer_has_the_documented_form() {
        let pattern = PatternFile::read("bo$2bo$3o!").unwrap().pattern;
        let evolved = evolve(&pattern, &Rule::life(), 4, Limits::default()).unwrap();
        let value = evolved_json(&evolved, &Rule::life());
        let wanted = json!({"generation": 4, "population": 5, "bounding_box": [1, 1, 3, 3], "rle": "bo$2bo$3o!"});
        assert_eq!(value, wanted);
        let gone = evolve(&Pattern::from_live([(3, 3)]), &Rule::life(), 1, Limits::default()).unwrap();
        assert_eq!(evolved_json(&gone, &Rule::life())["bounding_box"], json!([0, 0, 0, 0]));
    }
}
