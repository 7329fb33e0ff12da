//! Rules of one-dimensional automata of two states: Wolfram's 256 elementary ones and those of wider neighbourhoods.

use std::fmt;
use std::str::FromStr;

use crate::automata::RuleError;

/// The widest radius: a table of 2⁷ entries.
pub const WIDEST_RADIUS: usize = 3;

/// A rule of a line of cells of two states: a cell's next state by the 2r + 1 cells within its radius r.
///
/// As text `W110` (Wolfram's number, decimal, radius 1) or `R2,W1A2B3C4D` (MCell's notation: radius and Wolfram's number
/// in hexadecimal). Rules are ordered by radius, then by number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineRule {
    radius: u8,
    /// Bit i is the next state of a cell whose neighbourhood, read from left to right as a binary number, is i.
    table: u128,
}

/// How a rule behaves from almost all starts (Wolfram 1984).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WolframClass {
    /// Everywhere the same soon.
    Uniform,
    /// Separate simple structures that stay or repeat.
    Periodic,
    /// Chaotic.
    Chaotic,
    /// Localised structures that move and meet.
    Complex,
}

impl WolframClass {
    /// All classes, in order.
    pub const ALL: [WolframClass; 4] = [Self::Uniform, Self::Periodic, Self::Chaotic, Self::Complex];

    /// Its Roman numeral.
    pub fn name(self) -> &'static str {
        ["I", "II", "III", "IV"][self as usize]
    }
}

/// Representatives (the least number of each equivalence class) by Wolfram's class, as listed by Martínez, "A Note on
/// Elementary Cellular Automata Classification", Journal of Cellular Automata 8 (2013), arXiv:1306.5577. All other
/// representatives are of class II.
const UNIFORM: [u8; 8] = [0, 8, 32, 40, 128, 136, 160, 168];
const CHAOTIC: [u8; 11] = [18, 22, 30, 45, 60, 90, 105, 122, 126, 146, 150];
const COMPLEX: [u8; 4] = [41, 54, 106, 110];

impl From<u8> for LineRule {
    fn from(number: u8) -> Self {
        Self { radius: 1, table: u128::from(number) }
    }
}

impl LineRule {
    /// The rule of a radius and a table: bit i of `table` is what becomes of a cell whose neighbourhood, read from left
    /// to right as a binary number, is i. `None` if the radius is not 1 to [`WIDEST_RADIUS`] or the table is too large.
    pub fn new(radius: usize, table: u128) -> Option<Self> {
        let fits = (1..=WIDEST_RADIUS).contains(&radius) && table & !all(1 << (2 * radius + 1)) == 0;
        fits.then_some(Self { radius: radius as u8, table })
    }

    /// The totalistic rule of Wolfram's code: bit s is what becomes of a cell in whose neighbourhood, itself counted,
    /// s cells are live. `None` if the radius or the code is too large.
    pub fn totalistic(radius: usize, code: u32) -> Option<Self> {
        if !(1..=WIDEST_RADIUS).contains(&radius) || code >> (2 * radius + 2) != 0 {
            return None;
        }
        let live = |index: &u32| code >> index.count_ones() & 1 == 1;
        let table = (0..1u32 << (2 * radius + 1)).filter(live).fold(0, |table, index| table | 1 << index);
        Self::new(radius, table)
    }

    /// Cells to either side that a cell depends on.
    pub fn radius(self) -> usize {
        usize::from(self.radius)
    }

    /// Entries of the table: 8 for radius 1, 32 for radius 2.
    pub fn entries(self) -> usize {
        1 << (2 * self.radius + 1)
    }

    /// The table: Wolfram's number.
    pub fn table(self) -> u128 {
        self.table
    }

    /// What becomes of a cell with a neighbourhood, read from left to right as a binary number below
    /// [`LineRule::entries`].
    pub fn next(self, neighbourhood: usize) -> bool {
        self.table >> neighbourhood & 1 == 1
    }

    /// Langton's λ: the share of entries that do not lead to the quiescent state 0 (Physica D 42, 12–37, 1990).
    pub fn langton_lambda(self) -> f64 {
        f64::from(self.table.count_ones()) / self.entries() as f64
    }

    /// The rule with another value at one entry, below [`LineRule::entries`].
    pub fn with_entry(self, entry: usize, value: bool) -> Self {
        debug_assert!(entry < self.entries());
        Self { table: self.table & !(1 << entry) | u128::from(value) << entry, ..self }
    }

    /// The rule with left and right exchanged.
    pub fn mirrored(self) -> Self {
        let cells = 2 * u32::from(self.radius) + 1;
        self.with_table(|index| self.next(((index as u32).reverse_bits() >> (32 - cells)) as usize))
    }

    /// The rule with 0 and 1 exchanged, in what it reads and what it writes.
    pub fn complemented(self) -> Self {
        self.with_table(|index| !self.next(self.entries() - 1 - index))
    }

    fn with_table(self, next: impl Fn(usize) -> bool) -> Self {
        let table = (0..self.entries()).filter(|&index| next(index)).fold(0, |table, index| table | 1 << index);
        Self { table, ..self }
    }

    /// The rules that are the same up to reflection, complement or both, in increasing order, without repeats.
    pub fn equivalents(self) -> Vec<Self> {
        let mut all = vec![self, self.mirrored(), self.complemented(), self.mirrored().complemented()];
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The least of [`LineRule::equivalents`]: equal for two rules exactly if they are equivalent.
    pub fn canonical(self) -> Self {
        self.min(self.mirrored()).min(self.complemented().min(self.mirrored().complemented()))
    }

    /// Wolfram's class of an elementary rule, from the published table; `None` for a wider one, where none is published.
    pub fn wolfram_class(self) -> Option<WolframClass> {
        let least = u8::try_from(self.canonical().table).ok().filter(|_| self.radius == 1)?;
        Some(match least {
            _ if UNIFORM.contains(&least) => WolframClass::Uniform,
            _ if CHAOTIC.contains(&least) => WolframClass::Chaotic,
            _ if COMPLEX.contains(&least) => WolframClass::Complex,
            _ => WolframClass::Periodic,
        })
    }

    /// The neighbourhood of a cell of a ring of cells 0 and 1, as a number. A ring may be narrower than the
    /// neighbourhood, which then goes round it.
    pub fn neighbourhood(self, ring: &[u8], column: usize) -> usize {
        let (radius, width) = (self.radius(), ring.len());
        // The leftmost cell's column, made positive by whole turns.
        let left = column + radius.div_ceil(width) * width - radius;
        (left..=left + 2 * radius).fold(0, |index, at| index << 1 | usize::from(ring[at % width] & 1))
    }

    /// The next generation of a ring of cells 0 and 1.
    pub fn step(self, ring: &[u8]) -> Vec<u8> {
        if ring.is_empty() {
            return Vec::new();
        }
        let (radius, width) = (self.radius(), ring.len());
        let mask = self.entries() - 1;
        let mut index = self.neighbourhood(ring, 0);
        let mut incoming = radius % width;
        let mut next = Vec::with_capacity(width);
        for _ in 0..width {
            next.push(u8::from(self.next(index)));
            incoming = if incoming + 1 == width { 0 } else { incoming + 1 };
            index = (index << 1 | usize::from(ring[incoming] & 1)) & mask;
        }
        next
    }

    /// A ring's history: `rows` rows, the first of them the one given.
    pub fn history(self, first: Vec<u8>, rows: usize) -> Vec<Vec<u8>> {
        std::iter::successors(Some(first), |row| Some(self.step(row))).take(rows).collect()
    }
}

/// The lowest `bits` bits, up to 128.
fn all(bits: usize) -> u128 {
    if bits >= 128 { u128::MAX } else { (1 << bits) - 1 }
}

impl fmt::Display for LineRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.radius {
            1 => write!(f, "W{}", self.table),
            radius => write!(f, "R{radius},W{:0width$X}", self.table, width = self.entries() / 4),
        }
    }
}

impl fmt::Debug for LineRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LineRule({self})")
    }
}

impl FromStr for LineRule {
    type Err = RuleError;

    /// Reads `W110`, `110` or `R2,W1A2B3C4D`; letters may be small.
    fn from_str(text: &str) -> Result<Self, RuleError> {
        // One character more than the longest rule has tells that there are too many.
        let characters: Vec<char> = text.trim().chars().take(64).collect();
        let error = |place: usize, message: String| RuleError {
            rule: characters.iter().collect(),
            position: place + 1,
            message,
        };
        let is = |place: usize, wanted: char| characters.get(place).is_some_and(|c| c.eq_ignore_ascii_case(&wanted));
        if !is(0, 'R') {
            let start = usize::from(is(0, 'W'));
            let wanted = "an elementary rule's number is a whole number from 0 to 255";
            let mut number = 0u32;
            for (place, character) in characters.iter().enumerate().skip(start) {
                let digit = character.to_digit(10).ok_or_else(|| error(place, wanted.into()))?;
                number = number * 10 + digit;
                if number > 255 {
                    return Err(error(place, wanted.into()));
                }
            }
            if characters.len() == start {
                return Err(error(start, format!("{wanted}, as in W110; a wider rule is R2,W and hexadecimal digits")));
            }
            return Ok(Self { radius: 1, table: u128::from(number) });
        }
        let radius = characters.get(1).and_then(|character| character.to_digit(10)).unwrap_or(0) as usize;
        if !(1..=WIDEST_RADIUS).contains(&radius) {
            return Err(error(1, format!("the radius is a digit from 1 to {WIDEST_RADIUS}")));
        }
        for (place, wanted) in [(2, ','), (3, 'W')] {
            if !is(place, wanted) {
                return Err(error(place, format!("'{wanted}' was expected, as in R{radius},W and hexadecimal digits")));
            }
        }
        let most = (1 << (2 * radius + 1)) / 4;
        let digits = &characters[4..];
        if digits.is_empty() {
            return Err(error(4, format!("the rule's number is missing: 1 to {most} hexadecimal digits")));
        }
        let mut table = 0;
        for (place, character) in digits.iter().enumerate() {
            let digit = character.to_digit(16).filter(|_| place < most);
            let digit = digit.ok_or_else(|| {
                error(4 + place, format!("a rule of radius {radius} has 1 to {most} hexadecimal digits and no more"))
            })?;
            table = table << 4 | u128::from(digit);
        }
        Ok(Self { radius: radius as u8, table })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn elementary() -> impl Iterator<Item = LineRule> {
        (0..=255).map(LineRule::from)
    }

    #[test]
    fn equivalences_are_the_published_ones() {
        let mut classes: Vec<Vec<LineRule>> = elementary().map(LineRule::equivalents).collect();
        classes.sort();
        classes.dedup();
        assert_eq!(classes.len(), 88);
        // Of rules named in the literature.
        let numbers =
            |rule: u8| -> Vec<u128> { LineRule::from(rule).equivalents().into_iter().map(LineRule::table).collect() };
        assert_eq!(numbers(110), [110, 124, 137, 193]);
        assert_eq!(numbers(30), [30, 86, 135, 149]);
        assert_eq!(numbers(54), [54, 147]);
        assert_eq!(numbers(90), [90, 165]);
        assert_eq!(numbers(184), [184, 226]);
        assert_eq!(numbers(150), [150]);
        assert!(elementary().all(|rule| rule.canonical() == rule.equivalents()[0]));
    }

    #[test]
    fn wolfram_classes_are_as_many_as_published() {
        let count = |class: WolframClass, representatives: bool| {
            let rules = elementary().filter(|rule| !representatives || rule.canonical() == *rule);
            rules.filter(|rule| rule.wolfram_class() == Some(class)).count()
        };
        assert_eq!(WolframClass::ALL.map(|class| count(class, true)), [8, 65, 11, 4]);
        assert_eq!(WolframClass::ALL.map(|class| count(class, false)), [24, 192, 26, 14]);
        // Rule 30 is chaotic and rule 110 complex in all their forms.
        assert!(
            [30, 86, 135, 149].map(LineRule::from).iter().all(|r| r.wolfram_class() == Some(WolframClass::Chaotic))
        );
        assert_eq!(LineRule::from(193).wolfram_class().unwrap().name(), "IV");
        assert_eq!(LineRule::new(2, 20).unwrap().wolfram_class(), None);
    }

    #[test]
    fn totalistic_codes() {
        // The sum of three cells modulo two is rule 150; majority is rule 232.
        assert_eq!(LineRule::totalistic(1, 0b1010), Some(150.into()));
        assert_eq!(LineRule::totalistic(1, 0b1100), Some(232.into()));
        // Wolfram's code 20 of radius 2 lives on two or four live cells.
        let rule = LineRule::totalistic(2, 20).unwrap();
        assert!((0..32usize).all(|index| rule.next(index) == matches!(index.count_ones(), 2 | 4)));
        assert_eq!((LineRule::totalistic(2, 64), LineRule::totalistic(4, 0)), (None, None));
    }

    #[test]
    fn shares_of_live_entries() {
        for (rule, lambda) in [(0, 0.0), (110, 0.625), (30, 0.5), (54, 0.5), (18, 0.25), (255, 1.0)] {
            assert_eq!(LineRule::from(rule).langton_lambda(), lambda, "rule {rule}");
        }
    }

    #[test]
    fn rulestrings() {
        let read = |text: &str| text.parse::<LineRule>();
        assert_eq!(read("R1,W6E").unwrap(), 110.into());
        assert_eq!(read(" w110 ").unwrap(), read("110").unwrap());
        assert_eq!(read("R2,WBDFC").unwrap().to_string(), "R2,W0000BDFC");
        for (text, position, found) in [
            ("W256", 4, "0 to 255"),
            ("W1x0", 3, "0 to 255"),
            ("W", 2, "W110"),
            ("", 1, "W110"),
            ("R4,W0", 2, "1 to 3"),
            ("R2W0", 3, "','"),
            ("R2,X", 4, "'W'"),
            ("R2,W", 5, "missing"),
            ("R2,W12G4", 7, "hexadecimal"),
            ("R2,W123456789", 13, "no more"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.position, position, "{text}: {error}");
            assert!(error.to_string().contains(found), "{text}: {error}");
        }
    }

    fn rules() -> impl Strategy<Value = LineRule> {
        (1usize..=3, any::<u128>())
            .prop_map(|(radius, table)| LineRule::new(radius, table & all(1 << (2 * radius + 1))).unwrap())
    }

    proptest! {
        #[test]
        fn text_round_trips(rule in rules()) {
            prop_assert_eq!(rule.to_string().parse::<LineRule>().unwrap(), rule);
        }

        #[test]
        fn steps_are_table_look_ups_and_respect_the_symmetries(
            rule in rules(),
            ring in proptest::collection::vec(0u8..2, 1..40),
        ) {
            let (width, radius) = (ring.len() as i64, rule.radius() as i64);
            let at = |column: i64| usize::from(ring[column.rem_euclid(width) as usize]);
            let wanted: Vec<u8> = (0..width)
                .map(|c| (c - radius..=c + radius).fold(0, |index, column| index << 1 | at(column)))
                .map(|index| u8::from(rule.next(index)))
                .collect();
            let next = rule.step(&ring);
            prop_assert_eq!(&next, &wanted);
            let mirror = |row: &[u8]| -> Vec<u8> { row.iter().rev().copied().collect() };
            let negative = |row: &[u8]| -> Vec<u8> { row.iter().map(|cell| 1 - cell).collect() };
            prop_assert_eq!(mirror(&rule.mirrored().step(&mirror(&ring))), next.clone());
            prop_assert_eq!(negative(&rule.complemented().step(&negative(&ring))), next);
            for other in rule.equivalents() {
                prop_assert_eq!(other.canonical(), rule.canonical());
            }
        }
    }
}
