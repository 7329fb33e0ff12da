//! The reader of rulestrings.

use super::topology::LARGEST;
use super::{CENTRE, Neighbourhood, Rule, RuleError, Topology, hensel};

/// Longest rulestring that is read.
const LONGEST: usize = 400;
/// The most states of a rule.
const MOST_STATES: u32 = 256;

/// A cursor over the characters of a rulestring. Spaces are passed over, as Golly does.
struct Cursor {
    text: String,
    /// The characters that are no spaces, each with its place in the text.
    characters: Vec<(char, usize)>,
    place: usize,
}

impl Cursor {
    fn new(text: &str) -> Self {
        let characters = text.chars().enumerate().filter(|(_, character)| !character.is_whitespace());
        Self { text: text.to_string(), characters: characters.map(|(i, found)| (found, i)).collect(), place: 0 }
    }

    fn peek(&self) -> Option<char> {
        self.characters.get(self.place).map(|(character, _)| *character)
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.place += 1;
        Some(character)
    }

    /// A slash, for which Golly also takes an underscore.
    fn eat_slash(&mut self) -> bool {
        self.eat('/') || self.eat('_')
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek().is_some_and(|character| character.eq_ignore_ascii_case(&wanted));
        self.place += usize::from(found);
        found
    }

    /// An error at a place counted from 0.
    fn error<T>(&self, place: usize, message: impl Into<String>) -> Result<T, RuleError> {
        let position = self.characters.get(place).map_or_else(|| self.text.chars().count(), |(_, at)| *at) + 1;
        Err(RuleError { rule: self.text.clone(), position, message: message.into() })
    }

    /// A decimal number within a range.
    fn number(&mut self, what: &str, least: u32, most: u32) -> Result<u32, RuleError> {
        let start = self.place;
        let mut value = 0u64;
        while let Some(digit) = self.peek().and_then(|character| character.to_digit(10)) {
            value = (value * 10 + u64::from(digit)).min(u64::from(u32::MAX));
            self.place += 1;
        }
        if start == self.place || value < u64::from(least) || value > u64::from(most) {
            return self.error(start, format!("{what} must be a whole number from {least} to {most}"));
        }
        Ok(value as u32)
    }
}

pub(super) fn parse(text: &str) -> Result<Rule, RuleError> {
    let text = text.trim();
    if text.chars().nth(LONGEST).is_some() {
        let shown: String = text.chars().take(40).collect();
        let message = format!("a rulestring has at most {LONGEST} characters");
        return Err(RuleError { rule: format!("{shown}…"), position: 1, message });
    }
    let mut cursor = Cursor::new(text);
    let mut rule = Rule::from_table(|_| false);
    match cursor.peek() {
        None => return cursor.error(0, "a rule is missing, as in B3/S23"),
        Some('W' | 'w') => elementary(&mut cursor, &mut rule)?,
        Some('M' | 'm') => map(&mut cursor, &mut rule)?,
        Some(_) => counts(&mut cursor, &mut rule)?,
    }
    if cursor.eat(':') {
        rule.topology = topology(&mut cursor)?;
    }
    if cursor.peek().is_some() {
        return cursor.error(cursor.place, "nothing more was expected here but a topology such as ':T64,64'");
    }
    Ok(rule)
}

fn elementary(cursor: &mut Cursor, rule: &mut Rule) -> Result<(), RuleError> {
    cursor.place += 1;
    let number = cursor.number("the number of an elementary rule", 0, 255)?;
    rule.elementary = Some(number as u8);
    for (index, next) in rule.table.iter_mut().enumerate() {
        // The elementary rule's own index has the left cell as its highest bit; here NW is the lowest.
        let above = (index & 1) << 2 | (index & 2) | (index & 4) >> 2;
        *next = index & CENTRE != 0 || number >> above & 1 == 1;
    }
    Ok(())
}

/// The neighbourhoods by the length of their map: base64 characters, then the bits of a table index from the most
/// significant on.
const MAPS: [(usize, Neighbourhood, &[usize]); 3] = [
    (86, Neighbourhood::Moore, &[0, 1, 2, 3, 4, 5, 6, 7, 8]),
    (22, Neighbourhood::Hexagonal, &[0, 1, 3, 4, 5, 7, 8]),
    (6, Neighbourhood::VonNeumann, &[1, 3, 4, 5, 7]),
];

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn map(cursor: &mut Cursor, rule: &mut Rule) -> Result<(), RuleError> {
    for wanted in ['M', 'A', 'P'] {
        if !cursor.eat(wanted) {
            return cursor.error(cursor.place, "a map starts with 'MAP'");
        }
    }
    let start = cursor.place;
    let sextet = |&(found, _): &(char, usize)| BASE64.iter().position(|&c| char::from(c) == found);
    let sextets: Vec<usize> = cursor.characters[start..].iter().map_while(sextet).take(86).collect();
    let length = sextets.len();
    // '/' is a character of base64 too, so a shorter map may look longer by its number of states.
    let digits = |from: usize| {
        let rest = &cursor.characters[start + from..start + length];
        let rest = if rest.first().is_some_and(|(c, _)| matches!(c, 'c' | 'C')) { &rest[1..] } else { rest };
        rest.iter().all(|(c, _)| c.is_ascii_digit())
    };
    let fits = |wanted: usize| {
        wanted == length
            || cursor.characters[start..].get(wanted).is_some_and(|(c, _)| *c == '/')
                && wanted < length
                && digits(wanted + 1)
    };
    let found = MAPS.iter().find(|(wanted, ..)| *wanted == length).or_else(|| MAPS.iter().find(|map| fits(map.0)));
    cursor.place += found.map_or(length, |(wanted, ..)| *wanted);
    let Some((length, neighbourhood, order)) = found else {
        let message = "a map is 86 characters of base64 (or 22 hexagonal, 6 von Neumann): letters, digits, + and /";
        return cursor.error(cursor.place, message);
    };
    let bits: Vec<bool> =
        sextets[..*length].iter().flat_map(|value| (0..6).rev().map(move |bit| value >> bit & 1 == 1)).collect();
    while cursor.eat('=') {}
    rule.neighbourhood = *neighbourhood;
    for (index, next) in rule.table.iter_mut().enumerate() {
        *next = bits[order.iter().fold(0, |place, bit| place << 1 | index >> bit & 1)];
    }
    if cursor.eat('/') {
        cursor.eat('C');
        rule.states = cursor.number("the number of states", 2, MOST_STATES)? as u16;
    }
    Ok(())
}

/// The base64 text of a rule's table.
pub(super) fn map_text(rule: &Rule) -> String {
    let known = MAPS.iter().find(|(_, neighbourhood, _)| *neighbourhood == rule.neighbourhood);
    let order = known.map_or(MAPS[0].2, |map| map.2);
    let bits: Vec<bool> = (0..1usize << order.len())
        .map(|place| {
            let bits = order.iter().rev().enumerate();
            rule.table[bits.fold(0, |index, (rank, bit)| index | (place >> rank & 1) << bit)]
        })
        .collect();
    let sextet = |chunk: &[bool]| (0..6).fold(0, |value, i| value << 1 | usize::from(chunk.get(i) == Some(&true)));
    bits.chunks(6).map(|chunk| char::from(BASE64[sextet(chunk)])).collect()
}

/// What a part of a `B…/S…` rulestring speaks about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Birth,
    Survival,
}

/// One count of neighbours as it was written: the count, the letters allowed (all without letters), its place.
struct Count {
    part: Part,
    count: usize,
    letters: Option<Vec<usize>>,
    place: usize,
    letter_place: usize,
}

fn counts(cursor: &mut Cursor, rule: &mut Rule) -> Result<(), RuleError> {
    let lettered = matches!(cursor.peek(), Some('B' | 'b' | 'S' | 's' | 'G' | 'g' | 'C' | 'c'));
    let mut written = Vec::new();
    let mut seen = Vec::new();
    let mut states = None;
    let mut neighbourhood = None;
    if lettered {
        loop {
            let start = cursor.place;
            match cursor.peek() {
                Some('B' | 'b' | 'S' | 's') => {
                    let part = if cursor.eat('B') { Part::Birth } else { Part::Survival };
                    cursor.place = start + 1;
                    if seen.contains(&part) {
                        return cursor.error(start, "births (B) and survivals (S) are each given once");
                    }
                    seen.push(part);
                    section(cursor, part, &mut written)?;
                }
                Some('C' | 'c' | 'G' | 'g' | '0'..='9') if states.is_none() => {
                    cursor.place += usize::from(!matches!(cursor.peek(), Some('0'..='9')));
                    states = Some(cursor.number("the number of states", 2, MOST_STATES)?);
                }
                _ => return cursor.error(start, "expected B, S or C with counts after it, as in B3/S23 or B2/S/C3"),
            }
            suffix(cursor, &mut neighbourhood)?;
            let slash = cursor.eat_slash();
            if !slash && matches!(cursor.peek(), None | Some(':')) {
                break;
            }
            if !slash && !matches!(cursor.peek(), Some('B' | 'b' | 'S' | 's' | 'C' | 'c' | 'G' | 'g')) {
                return unexpected(cursor);
            }
        }
    } else {
        if !matches!(cursor.peek(), Some('0'..='8' | '/' | '_')) {
            return cursor.error(0, "a rule starts with B, S, W, MAP or a digit, as in B3/S23");
        }
        section(cursor, Part::Survival, &mut written)?;
        suffix(cursor, &mut neighbourhood)?;
        if !cursor.eat_slash() {
            return if matches!(cursor.peek(), None | Some(':')) {
                cursor.error(cursor.place, "survivals are followed by '/' and births, as in 23/3")
            } else {
                unexpected(cursor)
            };
        }
        section(cursor, Part::Birth, &mut written)?;
        suffix(cursor, &mut neighbourhood)?;
        if cursor.eat_slash() {
            cursor.eat('C');
            states = Some(cursor.number("the number of states", 2, MOST_STATES)?);
            suffix(cursor, &mut neighbourhood)?;
        }
        if !matches!(cursor.peek(), None | Some(':')) {
            return unexpected(cursor);
        }
    }
    rule.states = states.unwrap_or(2) as u16;
    rule.neighbourhood = neighbourhood.unwrap_or(Neighbourhood::Moore);
    fill(cursor, rule, &written)
}

fn fill(cursor: &Cursor, rule: &mut Rule, written: &[Count]) -> Result<(), RuleError> {
    let mask = rule.neighbourhood.mask();
    let most = mask.count_ones() as usize;
    for count in written {
        let survival = count.part == Part::Survival;
        if count.count > most {
            return cursor.error(count.place, format!("this neighbourhood has {most} neighbours at most"));
        }
        match &count.letters {
            None => hensel::set_count(&mut rule.table, survival, count.count, mask),
            Some(_) if rule.neighbourhood != Neighbourhood::Moore => {
                return cursor.error(count.letter_place, "letters need the neighbourhood of eight, without V or H");
            }
            Some(letters) => {
                letters.iter().for_each(|&letter| hensel::set(&mut rule.table, survival, count.count, letter));
            }
        }
    }
    Ok(())
}

fn unexpected<T>(cursor: &Cursor) -> Result<T, RuleError> {
    let message = match cursor.peek() {
        Some('9') => "a cell has 8 neighbours at most",
        Some('a'..='z') => "not one of the letters for this number of neighbours",
        _ => "expected a number of neighbours from 0 to 8, '/', V, H or ':'",
    };
    cursor.error(cursor.place, message)
}

/// Counts with their letters, up to the first character that is neither.
fn section(cursor: &mut Cursor, part: Part, written: &mut Vec<Count>) -> Result<(), RuleError> {
    while let Some(digit @ '0'..='8') = cursor.peek() {
        let place = cursor.place;
        cursor.next();
        let count = digit as usize - '0' as usize;
        let letter_place = cursor.place;
        let negated = cursor.eat('-');
        let mut chosen = Vec::new();
        while let Some(letter) = cursor.peek() {
            let Some(found) = hensel::letters(count).position(|known| known == letter) else { break };
            chosen.push(found);
            cursor.next();
        }
        let known: String = hensel::letters(count).collect();
        if let Some(letter) = cursor.peek().filter(|c| "ceaiknjqrytwz".contains(*c)) {
            let message = if known.is_empty() {
                format!("{count} neighbours have one arrangement only, so no letter follows")
            } else {
                format!("'{letter}' does not exist for {count} neighbours; the letters are {known}")
            };
            return cursor.error(cursor.place, message);
        }
        // As in Golly '-' alone leaves nothing out.
        let letters = if negated && !known.is_empty() {
            Some((0..known.len()).filter(|letter| !chosen.contains(letter)).collect())
        } else {
            (!chosen.is_empty()).then_some(chosen)
        };
        written.push(Count { part, count, letters, place, letter_place });
    }
    Ok(())
}

fn suffix(cursor: &mut Cursor, neighbourhood: &mut Option<Neighbourhood>) -> Result<(), RuleError> {
    let place = cursor.place;
    let found = if cursor.eat('V') {
        Neighbourhood::VonNeumann
    } else if cursor.eat('H') {
        Neighbourhood::Hexagonal
    } else {
        return Ok(());
    };
    if neighbourhood.replace(found).is_some() {
        return cursor.error(place, "a neighbourhood (V or H) is given once");
    }
    Ok(())
}

/// A dimension with its marks: cells, asterisk, shift.
fn dimension(cursor: &mut Cursor, least: u32, marks: bool) -> Result<(u32, bool, i32), RuleError> {
    let size = cursor.number("a width or height", least, LARGEST)?;
    let twisted = marks && cursor.eat('*');
    let mut shift = 0;
    if marks {
        let sign = if cursor.eat('+') {
            1
        } else if cursor.eat('-') {
            -1
        } else {
            0
        };
        if sign != 0 {
            shift = sign * cursor.number("a shift", 0, LARGEST)? as i32;
        }
    }
    Ok((size, twisted, shift))
}

fn topology(cursor: &mut Cursor) -> Result<Topology, RuleError> {
    let kind = cursor.peek().map(|character| character.to_ascii_uppercase());
    if !matches!(kind, Some('P' | 'T' | 'K' | 'C' | 'S')) {
        return cursor.error(
            cursor.place,
            "a topology is P (plane), T (torus), K (Klein bottle), C (cross-surface) or S (sphere), as in ':T64,64'",
        );
    }
    cursor.place += 1;
    let start = cursor.place;
    let unbounded = matches!(kind, Some('P' | 'T'));
    let marks = matches!(kind, Some('T' | 'K'));
    let least = u32::from(!unbounded);
    let (width, twisted_x, shift_x) = dimension(cursor, least, marks)?;
    let second = cursor.place;
    let (height, twisted_y, shift_y) =
        if cursor.eat(',') { dimension(cursor, least, marks)? } else { (width, false, 0) };
    match kind {
        Some('P') => Ok(Topology::Plane { width, height }),
        Some('T') if twisted_x || twisted_y => cursor.error(start, "an asterisk belongs to a Klein bottle, ':K'"),
        Some('T') if shift_x != 0 && shift_y != 0 => {
            cursor.error(second, "a torus can be shifted along one pair of edges, not both")
        }
        Some('T') if (shift_x != 0 || shift_y != 0) && (width == 0 || height == 0) => {
            cursor.error(start, "a shift needs a torus that is finite in both directions")
        }
        Some('T') => {
            // A whole turn is no shift.
            let rest = |shift: i32, size: u32| if size > 0 { (i64::from(shift) % i64::from(size)) as i32 } else { 0 };
            Ok(Topology::Torus { width, height, shift_x: rest(shift_x, width), shift_y: rest(shift_y, height) })
        }
        Some('K') if twisted_x && twisted_y => {
            let last = cursor.characters[..cursor.place].iter().rposition(|(found, _)| *found == '*');
            cursor.error(last.unwrap_or(second), "a Klein bottle has one asterisk, as in ':K30*,20' or ':K30,20*'")
        }
        Some('K') if (if twisted_x { shift_y } else { shift_x }) != 0 => {
            cursor.error(start, "a Klein bottle can be shifted along its twisted edges only, as in ':K30*+1,20'")
        }
        Some('K') => {
            // Without an asterisk the vertical edges are twisted. All shifts of an even number of cells give the same
            // surface, and those of an odd number none.
            let shifted = if twisted_x { (width, shift_x) } else { (height, shift_y) };
            let shift = i32::from(shifted.0 % 2 == 0 && shifted.1 % shifted.0 as i32 != 0);
            Ok(Topology::Klein { width, height, twisted_horizontal: twisted_x, shift })
        }
        Some('C') => Ok(Topology::CrossSurface { width, height }),
        _ if width != height => cursor.error(start, "a sphere has one size, as in ':S30'"),
        _ => Ok(Topology::Sphere { size: width }),
    }
}
