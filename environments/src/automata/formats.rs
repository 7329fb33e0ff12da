//! Pattern files: RLE, Life 1.06, plaintext (`.cells`) and macrocell, as Golly and LifeWiki describe them.

use super::pattern::Pattern;
use super::rule::{Rule, RuleError};

mod life106;
mod macrocell;
mod plaintext;
mod rle;

pub use rle::rle_body;

/// The most cells that a file may hold, so that a short file cannot ask for unbounded memory.
pub const MOST_CELLS: usize = 10_000_000;

/// The largest distance from the origin, in cells, that is read.
pub const FARTHEST: i64 = 1 << 30;

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Run-length encoded, `.rle`.
    Rle,
    /// A list of coordinates, `.lif`.
    Life106,
    /// Dots and letters O, `.cells`.
    Plaintext,
    /// A quadtree, `.mc`.
    Macrocell,
}

impl Format {
    /// The format that a text is in, by its first lines.
    pub fn detect(text: &str) -> Self {
        let start = text.trim_start_matches('\u{feff}').trim_start();
        if start.starts_with("[M2]") {
            return Self::Macrocell;
        }
        if start.starts_with("#Life 1.06") {
            return Self::Life106;
        }
        let mut rows = text.lines().filter(|line| !line.starts_with(['!', '#'])).peekable();
        let plain = |line: &str| line.trim_end().bytes().all(|byte| matches!(byte, b'.' | b'O' | b'*' | b' '));
        if start.starts_with('!') && start.trim_end() != "!" || rows.peek().is_some() && rows.all(plain) {
            return Self::Plaintext;
        }
        Self::Rle
    }
}

/// What a pattern file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatternFile {
    /// The cells. RLE and plaintext start at 0, 0 with the corner of the file's own rectangle, unless RLE says where it
    /// lies (`#CXRLE Pos=x,y`); Life 1.06 and macrocell give their own coordinates. A bounded surface's corner is 0, 0
    /// here, where Golly has half of its width and height to the left and above the origin: RLE and macrocell are read
    /// and written in Golly's coordinates.
    pub pattern: Pattern,
    /// The rulestring, if the file gives one.
    pub rule: Option<String>,
    /// Comment lines without their marks.
    pub comments: Vec<String>,
    /// The generation number, where the format has one.
    pub generation: u64,
}

/// What is wrong with a pattern file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{format:?} line {line}: {message}")]
pub struct FormatError {
    /// The format that the text was read as.
    pub format: Format,
    /// The line at fault, from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

impl FormatError {
    fn new(format: Format, line: usize, message: impl Into<String>) -> Self {
        Self { format, line, message: message.into() }
    }

    fn too_many_cells(format: Format, line: usize) -> Self {
        Self::new(format, line, format!("more than {MOST_CELLS} cells"))
    }

    fn too_far(format: Format, line: usize) -> Self {
        Self::new(format, line, format!("a cell lies more than {FARTHEST} cells from the origin"))
    }
}

impl PatternFile {
    /// Reads a text in whichever format it is in.
    ///
    /// # Errors
    /// Names the line at fault.
    pub fn read(text: &str) -> Result<Self, FormatError> {
        Self::read_as(Format::detect(text), text)
    }

    /// Reads a text in a given format.
    ///
    /// # Errors
    /// Names the line at fault.
    pub fn read_as(format: Format, text: &str) -> Result<Self, FormatError> {
        let text = text.trim_start_matches('\u{feff}');
        match format {
            Format::Rle => rle::read(text),
            Format::Life106 => life106::read(text),
            Format::Plaintext => plaintext::read(text),
            Format::Macrocell => macrocell::read(text),
        }
    }

    /// Writes the pattern. Only RLE and macrocell can hold a rule or more than two states; the others write every
    /// cell as live. Plaintext does not say where the pattern lies.
    pub fn write(&self, format: Format) -> String {
        match format {
            Format::Rle => rle::write(self),
            Format::Life106 => life106::write(self),
            Format::Plaintext => plaintext::write(self),
            Format::Macrocell => macrocell::write(self),
        }
    }

    /// The file's rule, if it gives one.
    ///
    /// # Errors
    /// If the rulestring cannot be read.
    pub fn rule(&self) -> Result<Option<Rule>, RuleError> {
        self.rule.as_deref().map(Rule::parse).transpose()
    }
}

/// Golly's coordinates of the cell that is 0, 0 here, under a rulestring.
fn origin(rule: Option<&str>) -> (i64, i64) {
    let (width, height) = rule.and_then(|rule| Rule::parse(rule).ok()).map_or((0, 0), |rule| rule.topology().size());
    (-i64::from(width / 2), -i64::from(height / 2))
}

/// A pattern moved, unless that takes it farther than [`FARTHEST`].
fn moved(pattern: Pattern, dx: i64, dy: i64) -> Option<Pattern> {
    if (dx, dy) == (0, 0) {
        return Some(pattern);
    }
    let Some(bounds) = pattern.bounding_box() else { return Some(pattern) };
    let near = |from: i32, size: u32, shift: i64| {
        let from = i64::from(from) + shift;
        from >= -FARTHEST && from + i64::from(size) - 1 <= FARTHEST
    };
    let fits = near(bounds.x, bounds.width, dx) && near(bounds.y, bounds.height, dy);
    let (dx, dy) = (i32::try_from(dx).ok()?, i32::try_from(dy).ok()?);
    fits.then(|| pattern.translated(dx, dy))
}

/// A comment as one line.
fn one_line(comment: &str) -> String {
    comment.replace(['\n', '\r'], " ")
}
