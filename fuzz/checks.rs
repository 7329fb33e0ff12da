//! What must hold of any input, for the fuzz targets here and for the bounded run in `environments/tests`.
#![allow(dead_code, clippy::unwrap_used)]

use environments::automata::formats::{FARTHEST, MOST_CELLS};
use environments::automata::{ElementaryRow, Format, LineRule, Pattern, PatternFile, Rule, apgcode};
use environments::turing::Machine;
use environments::turing::universal::Program;

/// Patterns larger than this are not written again: that only takes time.
const WRITTEN: usize = 20_000;

/// A pattern file in any format is a pattern or an error; a pattern that is written and read is the same.
pub fn pattern_file(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for format in [Format::Rle, Format::Life106, Format::Plaintext, Format::Macrocell] {
        let Ok(file) = PatternFile::read_as(format, &text) else { continue };
        assert!(file.pattern.population() <= MOST_CELLS);
        if file.pattern.population() > WRITTEN {
            continue;
        }
        // Coordinates are only kept by some formats, and rows of empty cells are text in one of them.
        let (area, low) = (area(&file.pattern), file.pattern.highest_state() <= 1);
        let widest = file.pattern.bounding_box().map_or(0, |bounds| i64::from(bounds.width.max(bounds.height)));
        for other in [Format::Rle, Format::Life106, Format::Plaintext, Format::Macrocell] {
            let states = low || matches!(other, Format::Rle | Format::Macrocell);
            let fits = match other {
                Format::Plaintext => area <= 4_000_000,
                Format::Rle => widest <= FARTHEST,
                Format::Life106 | Format::Macrocell => true,
            };
            if !states || !fits {
                continue;
            }
            let bare = PatternFile { pattern: file.pattern.clone(), ..PatternFile::default() };
            let again = PatternFile::read_as(other, &bare.write(other)).unwrap();
            assert_eq!(again.pattern.normalized(), file.pattern.normalized(), "{other:?}");
        }
    }
    let _ = PatternFile::read(&text).map(|file| file.rule().is_ok());
}

fn area(pattern: &Pattern) -> u64 {
    pattern.bounding_box().map_or(0, |bounds| u64::from(bounds.width) * u64::from(bounds.height))
}

/// A rulestring is a rule or an error that names a place; a rule's text is the rule.
pub fn rulestring(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Rule::parse(&text) {
        Ok(rule) => assert_eq!(Rule::parse(&rule.to_string()).unwrap(), rule, "{rule}"),
        Err(error) => assert!(error.position >= 1, "{error}"),
    }
    match text.parse::<LineRule>() {
        Ok(rule) => assert_eq!(rule.to_string().parse::<LineRule>().unwrap(), rule),
        Err(error) => assert!(error.position >= 1, "{error}"),
    }
    if let Ok(row) = ElementaryRow::new(110, None, &text) {
        assert!(row.population() <= text.len() as u64);
    }
}

/// An apgcode is a pattern or an error; what is small and repeats soon has a code that is its own.
pub fn apgcode(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(pattern) = apgcode::decode(&text) else { return };
    // 31 rows of zeroes a character at the most.
    assert!(pattern.population() <= 5 * text.len());
    if pattern.population() <= 64
        && area(&pattern) <= 4096
        && let Some(code) = apgcode::encode(&pattern, &Rule::life(), 12).filter(|code| code.starts_with('x'))
    {
        let again = apgcode::decode(&code).unwrap();
        assert_eq!(apgcode::encode(&again, &Rule::life(), 12), Some(code));
    }
}

/// A Turing machine's text is a machine or an error; a machine's text is the machine. Likewise programs.
pub fn machine(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(machine) = text.parse::<Machine>() {
        assert_eq!(machine.to_string().parse::<Machine>().unwrap(), machine);
    }
    if let Ok(program) = text.parse::<Program>() {
        assert_eq!(program.to_string().parse::<Program>().unwrap().to_string(), program.to_string());
    }
}
