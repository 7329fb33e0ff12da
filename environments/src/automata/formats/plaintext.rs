//! Plaintext (`.cells`): a character for each cell, comments after '!'.

use std::fmt::Write;

use super::{Format, FormatError, MOST_CELLS, PatternFile, one_line};
use crate::automata::pattern::Pattern;

const FORMAT: Format = Format::Plaintext;

/// The largest rectangle, in cells, that is written out; plaintext has no runs.
const LARGEST_DRAWING: u64 = 100_000_000;

pub(super) fn read(text: &str) -> Result<PatternFile, FormatError> {
    let mut file = PatternFile::default();
    let mut cells = Vec::new();
    let mut y = 0i32;
    for (number, line) in text.lines().enumerate() {
        if let Some(comment) = line.strip_prefix('!') {
            file.comments.push(comment.trim().to_string());
            continue;
        }
        for (x, character) in line.trim_end().chars().enumerate() {
            match character {
                'O' | '*' => cells.push((x as i32, y)),
                '.' | ' ' => {}
                other => {
                    let message = format!("'{other}' is not a cell ('.' or 'O')");
                    return Err(FormatError::new(FORMAT, number + 1, message));
                }
            }
            if cells.len() > MOST_CELLS {
                return Err(FormatError::too_many_cells(FORMAT, number + 1));
            }
        }
        y += 1;
    }
    file.pattern = Pattern::from_live(cells);
    Ok(file)
}

pub(super) fn write(file: &PatternFile) -> String {
    let mut text = String::new();
    for comment in &file.comments {
        let _ = writeln!(text, "!{}", one_line(comment));
    }
    let Some(bounds) = file.pattern.bounding_box() else { return text + ".\n" };
    if u64::from(bounds.width) * u64::from(bounds.height) > LARGEST_DRAWING {
        return text + "!too large for plaintext\n";
    }
    let mut row = bounds.y;
    let mut width = 0;
    for cell in file.pattern.cells() {
        for _ in row..cell.y {
            text.push_str(if width == 0 { ".\n" } else { "\n" });
            width = 0;
        }
        row = cell.y;
        let column = cell.x.abs_diff(bounds.x);
        text.extend(std::iter::repeat_n('.', (column - width) as usize));
        text.push('O');
        width = column + 1;
    }
    text.push('\n');
    text
}
