//! Life 1.06: a line for each live cell.

use std::fmt::Write;

use super::{FARTHEST, Format, FormatError, MOST_CELLS, PatternFile, one_line};
use crate::automata::pattern::Pattern;

const FORMAT: Format = Format::Life106;

pub(super) fn read(text: &str) -> Result<PatternFile, FormatError> {
    let mut file = PatternFile::default();
    let mut cells = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let (number, line) = (number + 1, line.trim());
        if let Some(comment) = line.strip_prefix('#') {
            if !comment.starts_with("Life 1.06") {
                file.comments.push(comment.strip_prefix(['C', 'D']).unwrap_or(comment).trim().to_string());
            }
            continue;
        }
        if line.is_empty() {
            continue;
        }
        let mut words = line.split_whitespace().map(str::parse::<i64>);
        let (Some(Ok(x)), Some(Ok(y)), None) = (words.next(), words.next(), words.next()) else {
            return Err(FormatError::new(FORMAT, number, "a line holds two whole numbers, x and y"));
        };
        if x.unsigned_abs().max(y.unsigned_abs()) > FARTHEST as u64 {
            return Err(FormatError::too_far(FORMAT, number));
        }
        if cells.len() == MOST_CELLS {
            return Err(FormatError::too_many_cells(FORMAT, number));
        }
        cells.push((x as i32, y as i32));
    }
    file.pattern = Pattern::from_live(cells);
    Ok(file)
}

pub(super) fn write(file: &PatternFile) -> String {
    let mut text = String::from("#Life 1.06\n");
    for comment in &file.comments {
        let _ = writeln!(text, "#C {}", one_line(comment));
    }
    for cell in file.pattern.cells() {
        let _ = writeln!(text, "{} {}", cell.x, cell.y);
    }
    text
}
