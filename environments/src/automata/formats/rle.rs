//! RLE: runs of cells, row by row, with a header.

use std::fmt::Write;

use super::{FARTHEST, Format, FormatError, MOST_CELLS, PatternFile, moved, one_line, origin};
use crate::automata::pattern::{Cell, Pattern};

const FORMAT: Format = Format::Rle;

pub(super) fn read(text: &str) -> Result<PatternFile, FormatError> {
    let mut file = PatternFile::default();
    let mut body = Body::default();
    let mut corner = None;
    for (number, line) in text.lines().enumerate() {
        let number = number + 1;
        if body.started || body.finished {
            if !body.finished {
                body.line(line, number)?;
            }
        } else if let Some(comment) = line.strip_prefix('#') {
            remark(comment, number, &mut file, &mut corner)?;
        } else if line.trim_start().starts_with(['x', 'X']) && line.contains('=') {
            header(line, number, &mut file)?;
        } else if !line.trim().is_empty() {
            body.started = true;
            body.line(line, number)?;
        }
    }
    if !body.started {
        return Err(FormatError::new(FORMAT, text.lines().count().max(1), "no cells, not even '!'"));
    }
    file.pattern = Pattern::from_cells(body.cells);
    if let Some((number, (x, y))) = corner {
        // The corner is given in Golly's coordinates.
        let (left, top) = origin(file.rule.as_deref());
        file.pattern = moved(std::mem::take(&mut file.pattern), x - left, y - top)
            .ok_or_else(|| FormatError::too_far(FORMAT, number))?;
    }
    Ok(file)
}

/// The line and the coordinates of Golly's `#CXRLE Pos=x,y`.
type Corner = Option<(usize, (i64, i64))>;

/// A line that starts with '#', without that mark.
fn remark(text: &str, number: usize, file: &mut PatternFile, corner: &mut Corner) -> Result<(), FormatError> {
    if let Some(rule) = text.strip_prefix('r').filter(|_| file.rule.is_none()) {
        file.rule = Some(rule.trim().to_string());
        return Ok(());
    }
    let Some(extended) = text.strip_prefix("CXRLE") else {
        let comment = text.strip_prefix(['C', 'c']).unwrap_or(text);
        file.comments.push(comment.trim().to_string());
        return Ok(());
    };
    for word in extended.split_whitespace() {
        let fail =
            |wanted: &str| Err(FormatError::new(FORMAT, number, format!("'{word}' is not of the form '{wanted}'")));
        if let Some(place) = word.strip_prefix("Pos=") {
            let place = place.split_once(',').map(|(x, y)| (x.parse::<i32>(), y.parse::<i32>()));
            let Some((Ok(x), Ok(y))) = place else { return fail("Pos=-3,5") };
            *corner = Some((number, (x.into(), y.into())));
        } else if let Some(generation) = word.strip_prefix("Gen=") {
            let Ok(generation) = generation.parse() else { return fail("Gen=120") };
            file.generation = generation;
        }
    }
    Ok(())
}

fn header(line: &str, number: usize, file: &mut PatternFile) -> Result<(), FormatError> {
    // The rule is last and may itself hold commas (":T64,64").
    let (sizes, rule) = match line.to_ascii_lowercase().find("rule") {
        Some(place) if line.is_char_boundary(place) => line.split_at(place),
        _ => (line, ""),
    };
    for part in sizes.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let value = part.split_once('=').map(|(_, value)| value.trim());
        if value.is_none_or(|value| value.parse::<u64>().is_err()) {
            let message = format!("'{part}' in the header is not of the form 'x = 3'");
            return Err(FormatError::new(FORMAT, number, message));
        }
    }
    if let Some((_, rule)) = rule.split_once('=') {
        file.rule = Some(rule.trim().to_string());
    }
    Ok(())
}

/// The reader of the runs.
#[derive(Default)]
struct Body {
    cells: Vec<Cell>,
    started: bool,
    finished: bool,
    x: i64,
    y: i64,
    count: Option<i64>,
    prefix: u8,
}

impl Body {
    fn line(&mut self, line: &str, number: usize) -> Result<(), FormatError> {
        for character in line.chars() {
            if self.finished {
                break;
            }
            self.character(character, number)?;
        }
        Ok(())
    }

    fn character(&mut self, character: char, line: usize) -> Result<(), FormatError> {
        let run = self.count.unwrap_or(1);
        match character {
            '0'..='9' => {
                let digit = i64::from(character as u8 - b'0');
                self.count = Some((self.count.unwrap_or(0) * 10 + digit).min(FARTHEST + 1));
                return Ok(());
            }
            character if character.is_whitespace() => return Ok(()),
            '!' if self.prefix == 0 => self.finished = true,
            '$' if self.prefix == 0 => (self.x, self.y) = (0, (self.y + run).min(FARTHEST + 1)),
            'b' | '.' if self.prefix == 0 => self.x = (self.x + run).min(FARTHEST + 1),
            'o' if self.prefix == 0 => self.run(run, 1, line)?,
            'p'..='y' if self.prefix == 0 => {
                self.prefix = character as u8 - b'p' + 1;
                return Ok(());
            }
            'A'..='X' => {
                let state = u32::from(self.prefix) * 24 + u32::from(character as u8 - b'A') + 1;
                self.prefix = 0;
                let Ok(state) = u8::try_from(state) else {
                    return Err(FormatError::new(FORMAT, line, format!("state {state}: 255 is the highest")));
                };
                self.run(run, state, line)?;
            }
            other => {
                let message = format!("'{other}' is not a cell (b, o, ., A to X), '$', '!' or a number");
                return Err(FormatError::new(FORMAT, line, message));
            }
        }
        self.count = None;
        Ok(())
    }

    fn run(&mut self, run: i64, state: u8, line: usize) -> Result<(), FormatError> {
        if run as usize + self.cells.len() > MOST_CELLS {
            return Err(FormatError::too_many_cells(FORMAT, line));
        }
        if self.x + run > FARTHEST || self.y > FARTHEST {
            return Err(FormatError::too_far(FORMAT, line));
        }
        let y = self.y as i32;
        self.cells.extend((self.x..self.x + run).map(|x| Cell { x: x as i32, y, state }));
        self.x += run;
        Ok(())
    }
}

/// The runs of a pattern from the corner of its bounding box, ending in '!', on one line; `many` writes states as
/// letters.
pub fn rle_body(pattern: &Pattern, many: bool) -> String {
    let mut text = String::new();
    let mut put = |run: i64, symbol: &str| {
        if run > 1 {
            let _ = write!(text, "{run}");
        }
        if run > 0 {
            text.push_str(symbol);
        }
    };
    let dead = if many { "." } else { "b" };
    if let Some(bounds) = pattern.bounding_box() {
        let left = i64::from(bounds.x);
        let (mut x, mut y) = (left, i64::from(bounds.y));
        let mut cells = pattern.cells().iter().peekable();
        while let Some(first) = cells.next() {
            let (row, start) = (i64::from(first.y), i64::from(first.x));
            if row > y {
                put(row - y, "$");
                (x, y) = (left, row);
            }
            let mut end = start + 1;
            while cells
                .next_if(|next| next.state == first.state && i64::from(next.y) == row && i64::from(next.x) == end)
                .is_some()
            {
                end += 1;
            }
            put(start - x, dead);
            put(end - start, &symbol(first.state, many));
            x = end;
        }
    }
    text.push('!');
    text
}

fn symbol(state: u8, many: bool) -> String {
    if !many {
        return "o".to_string();
    }
    let (high, low) = ((state - 1) / 24, (state - 1) % 24);
    let letter = char::from(b'A' + low);
    if high == 0 { letter.to_string() } else { format!("{}{letter}", char::from(b'p' + high - 1)) }
}

pub(super) fn write(file: &PatternFile) -> String {
    let mut text = String::new();
    for comment in &file.comments {
        let _ = writeln!(text, "#C {}", one_line(comment));
    }
    let bounds = file.pattern.bounding_box().unwrap_or_default();
    if (bounds.x, bounds.y) != (0, 0) || file.generation > 0 {
        let (left, top) = origin(file.rule.as_deref());
        let (x, y) = (i64::from(bounds.x) + left, i64::from(bounds.y) + top);
        let generation = if file.generation > 0 { format!(" Gen={}", file.generation) } else { String::new() };
        // Where this cannot be said, the pattern's place is lost and nothing else.
        let place =
            if i32::try_from(x).is_ok() && i32::try_from(y).is_ok() { format!(" Pos={x},{y}") } else { String::new() };
        let _ = writeln!(text, "#CXRLE{place}{generation}");
    }
    let rule = file.rule.as_deref().unwrap_or("B3/S23");
    let _ = writeln!(text, "x = {}, y = {}, rule = {}", bounds.width, bounds.height, one_line(rule));
    let many = file.pattern.highest_state() > 1 || matches!(file.rule(), Ok(Some(rule)) if rule.states() > 2);
    // Lines of at most 70 characters, broken between runs.
    let body = rle_body(&file.pattern, many);
    let mut width = 0;
    for token in body.split_inclusive(|c: char| !c.is_ascii_digit() && !('p'..='y').contains(&c)) {
        if width + token.len() > 70 {
            text.push('\n');
            width = 0;
        }
        text.push_str(token);
        width += token.len();
    }
    text.push('\n');
    text
}
