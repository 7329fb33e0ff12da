//! Rules of two-dimensional cellular automata, read from and written as rulestrings.
//!
//! Notation as in Golly: `B3/S23`, `23/3`, `b3s23`, Hensel's letters (`B2-a/S12`), `MAP…`, a `V` or `H` suffix for
//! the von Neumann and the hexagonal neighbourhood, Generations (`B2/S/C3`, `/2/3`), `W0` to `W255`, and a topology
//! after a colon (`B3/S23:T64,64`).

use std::fmt;
use std::str::FromStr;

mod hensel;
mod parse;
mod topology;

pub use topology::Topology;

/// The bit of the centre cell in an index into [`Rule::table`].
pub const CENTRE: usize = 1 << 4;

/// The cells that a rulestring speaks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Neighbourhood {
    /// All eight neighbours.
    Moore,
    /// The four orthogonal neighbours.
    VonNeumann,
    /// Six neighbours: all but NE and SW, which is how a hexagonal grid lies on a square one.
    Hexagonal,
}

impl Neighbourhood {
    /// The neighbours (without the centre) as a mask over the nine bits of a table index.
    pub fn mask(self) -> usize {
        match self {
            Self::Moore => 0b111_101_111,
            Self::VonNeumann => 0b010_101_010,
            Self::Hexagonal => 0b110_101_011,
        }
    }
}

/// A rule: a look-up table on the 3×3 neighbourhood, a number of states and a topology.
///
/// With more than two states (Generations) the table speaks about state 1: a dead cell is born, and a cell of state
/// 1 survives, where the table says so, neighbours counting only in state 1; a cell that does not survive ages
/// through the states 2, 3, … and then dies.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Rule {
    table: Box<[bool; 512]>,
    states: u16,
    neighbourhood: Neighbourhood,
    elementary: Option<u8>,
    topology: Topology,
}

/// What is wrong with a rulestring.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rule '{rule}': character {position}{}: {message}", found(.rule, *.position))]
pub struct RuleError {
    /// The rulestring as it was given (cut when very long).
    pub rule: String,
    /// The character at fault, counted from 1; one past the end where something is missing.
    pub position: usize,
    /// What is wrong there, and what could stand there.
    pub message: String,
}

fn found(rule: &str, position: usize) -> String {
    match rule.chars().nth(position - 1) {
        Some(character) => format!(" ('{character}')"),
        None => " (the end)".to_string(),
    }
}

impl Rule {
    /// Reads a rulestring.
    ///
    /// # Errors
    /// Names the character at fault.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        parse::parse(text)
    }

    /// Conway's Life, `B3/S23`.
    pub fn life() -> Self {
        Self::outer_totalistic(1 << 3, 1 << 2 | 1 << 3)
    }

    /// The rule that counts all eight neighbours: bit n of a mask says that n neighbours suffice.
    pub fn outer_totalistic(birth: u16, survival: u16) -> Self {
        let table = |index: usize| {
            let count = (index & !CENTRE).count_ones();
            (if index & CENTRE == 0 { birth } else { survival }) >> count & 1 == 1
        };
        Self::from_table(table)
    }

    /// The two-state rule with this table on the unbounded plane.
    pub fn from_table(next: impl Fn(usize) -> bool) -> Self {
        Self {
            table: Box::new(std::array::from_fn(next)),
            states: 2,
            neighbourhood: Neighbourhood::Moore,
            elementary: None,
            topology: Topology::Unbounded,
        }
    }

    /// The next state of the centre cell for each neighbourhood. Bits 0 to 8 of the index are
    /// NW, N, NE, W, C, E, SW, S, SE.
    pub fn table(&self) -> &[bool; 512] {
        &self.table
    }

    /// The number of states: 2, or up to 256 for Generations.
    pub fn states(&self) -> u16 {
        self.states
    }

    /// The highest state.
    pub fn highest_state(&self) -> u8 {
        (self.states - 1) as u8
    }

    /// The neighbourhood that the rulestring was written for.
    pub fn neighbourhood(&self) -> Neighbourhood {
        self.neighbourhood
    }

    /// The number of an elementary rule, `W0` to `W255`. In two dimensions it grows downwards as in Golly: a cell
    /// comes alive as the rule says of the three cells above it, and a live cell stays.
    pub fn elementary(&self) -> Option<u8> {
        self.elementary
    }

    /// What the cells live on.
    pub fn topology(&self) -> Topology {
        self.topology
    }

    /// The same rule on another topology.
    pub fn with_topology(mut self, topology: Topology) -> Self {
        self.topology = topology;
        self
    }

    /// The birth and survival masks (bit n for n live neighbours of eight), if the table depends on nothing but the
    /// centre and that count.
    pub fn is_totalistic(&self) -> Option<(u16, u16)> {
        let mut masks = [0u16; 2];
        for count in 0..=8usize {
            // Any neighbourhood with this count stands for all of them until the comparison below.
            let neighbours = spread((1usize << count) - 1);
            for (centre, mask) in masks.iter_mut().enumerate() {
                *mask |= u16::from(self.table[neighbours | centre << 4]) << count;
            }
        }
        let same = Self::outer_totalistic(masks[0], masks[1]).table == self.table;
        same.then_some((masks[0], masks[1]))
    }

    /// Langton's λ: the share of neighbourhoods, all equally likely, after which the centre is not in the quiescent state 0
    /// (Physica D 42, 12–37, 1990).
    pub fn langton_lambda(&self) -> f64 {
        // Only state 1 counts as live among the neighbours; a dying centre fades whatever they are.
        let (states, live) = (f64::from(self.states), 1.0 / f64::from(self.states));
        let weight = |index: usize| {
            let neighbours = (index & !CENTRE).count_ones() as i32;
            live.powi(neighbours) * (1.0 - live).powi(8 - neighbours) / states
        };
        let lasts = |index: &usize| self.table[*index] || (index & CENTRE != 0 && self.states > 2);
        let fading = (states - 3.0).max(0.0) / states;
        (0..512).filter(lasts).map(weight).sum::<f64>() + fading
    }

    /// Whether an empty neighbourhood gives birth, so that the background does not stay dead.
    pub fn births_from_nothing(&self) -> bool {
        self.table[0]
    }

    /// Whether the table is unchanged by the four rotations and the reflections.
    pub fn is_isotropic(&self) -> bool {
        (0..512).all(|index| hensel::images(index).into_iter().all(|image| self.table[image] == self.table[index]))
    }
}

/// Spreads eight neighbour bits around the centre bit of a table index.
fn spread(neighbours: usize) -> usize {
    neighbours & 0xf | (neighbours & 0xf0) << 1
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        Self::parse(text)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({self})")
    }
}

/// The canonical rulestring: `B…/S…` where counts or Hensel's letters can say it, else `MAP…`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(number) = self.elementary {
            write!(f, "W{number}")?;
        } else if let Some([birth, survival]) = hensel::counts_text(self) {
            write!(f, "B{birth}/S{survival}")?;
            if self.states > 2 {
                write!(f, "/C{}", self.states)?;
            }
            match self.neighbourhood {
                Neighbourhood::Moore => {}
                Neighbourhood::VonNeumann => write!(f, "V")?,
                Neighbourhood::Hexagonal => write!(f, "H")?,
            }
        } else {
            write!(f, "MAP{}", parse::map_text(self))?;
            if self.states > 2 {
                write!(f, "/{}", self.states)?;
            }
        }
        write!(f, "{}", self.topology)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn canonical(text: &str) -> String {
        Rule::parse(text).unwrap().to_string()
    }

    #[test]
    fn shares_of_neighbourhoods_that_live() {
        // Life: C(8,3) of 256 births, C(8,2) + C(8,3) survivals.
        assert!((Rule::life().langton_lambda() - 140.0 / 512.0).abs() < 1e-12);
        // Brian's Brain: births where 2 of 8 are live, with chance 1/3 each; live cells always go on to state 2.
        let births = 28.0 * (2.0f64 / 3.0).powi(6) / 9.0;
        assert!((Rule::parse("B2/S/C3").unwrap().langton_lambda() - (births + 1.0) / 3.0).abs() < 1e-12);
    }

    #[test]
    fn life_in_every_notation() {
        let life = Rule::life();
        for text in [
            "B3/S23",
            "b3s23",
            "b3/s23",
            "S23/B3",
            "23/3",
            " B3/S23 ",
            "B3-/S23".replace('-', "").as_str(),
            "B3ceaiknjqry/S23",
            "MAPARYXfhZofugWaH7oaIDogBZofuhogOiAaIDogIAAgAAWaH7oaIDogGiA6ICAAIAAaIDogIAAgACAAIAAAAAAAA",
            "MAPARYXfhZofugWaH7oaIDogBZofuhogOiAaIDogIAAgAAWaH7oaIDogGiA6ICAAIAAaIDogIAAgACAAIAAAAAAAA==",
        ] {
            assert_eq!(Rule::parse(text).unwrap(), life, "{text}");
        }
        assert_eq!(life.to_string(), "B3/S23");
        assert_eq!(life.is_totalistic(), Some((8, 12)));
        assert!(life.is_isotropic());
    }

    #[test]
    fn the_table_counts_neighbours() {
        let life = Rule::life();
        for index in 0..512usize {
            let centre = index >> 4 & 1;
            let count = index.count_ones() as usize - centre;
            assert_eq!(life.table()[index], count == 3 || count == 2 && centre == 1);
        }
    }

    #[test]
    fn canonical_text() {
        for (given, wanted) in [
            ("B36/S23", "B36/S23"),
            ("B2-a/S12", "B2-a/S12"),
            ("B3/S2-i34q", "B3/S2-i34q"),
            ("b2ceikns12", "B2-a/S12"),
            ("B3-cekq/S23", "B3-cekq/S23"),
            ("B3aijnry/S23", "B3-cekq/S23"),
            ("B1c2e/S", "B1c2e/S"),
            ("/2/3", "B2/S/C3"),
            ("B2/S/3", "B2/S/C3"),
            ("345/2/4", "B2/S345/C4"),
            ("g4b2s345", "B2/S345/C4"),
            ("B2/S013V", "B2/S013V"),
            ("B24/S34H", "B24/S34H"),
            ("B2/S013v:t10,20", "B2/S013V:T10,20"),
            ("W110", "W110"),
            ("w255", "W255"),
            ("B36/S23:T64,64", "B36/S23:T64,64"),
            ("B3/S23:T64", "B3/S23:T64,64"),
            ("B3/S23:T30+5,20", "B3/S23:T30+5,20"),
            ("B3/S23:P30,20", "B3/S23:P30,20"),
            ("B3/S23:K30*,20", "B3/S23:K30*,20"),
            ("B3/S23:K30,20*", "B3/S23:K30,20*"),
            ("B3/S23:K30*+1,20", "B3/S23:K30*+1,20"),
            ("B3/S23:C30,20", "B3/S23:C30,20"),
            ("B3/S23:S30", "B3/S23:S30"),
            ("B3/S23:K30,20", "B3/S23:K30,20*"),
            ("B3/S23:K30*+5,20", "B3/S23:K30*+1,20"),
            ("B3/S23:K30*-30,20", "B3/S23:K30*,20"),
            ("B3/S23:K15*+1,20", "B3/S23:K15*,20"),
            ("B3/S23:T30+35,20", "B3/S23:T30+5,20"),
            ("B3/S23:T2000000000,0", "B3/S23:T2000000000,0"),
            ("B0/S8", "B0/S8"),
            ("B/S", "B/S"),
            // Golly's help on non-totalistic rules.
            ("B2nic/S", "B2cin/S"),
            ("B2ceikn_S", "B2-a/S"),
            ("B4-qjrtwz/S", "B4aceikny/S"),
            ("B2aceikn3/S", "B23/S"),
            ("B2-3/S", "B23/S"),
            ("B2-aceikn3/S", "B3/S"),
            ("b3 / s2 3 : t 64", "B3/S23:T64,64"),
            ("/2/256", "B2/S/C256"),
        ] {
            assert_eq!(canonical(given), wanted, "{given}");
            assert_eq!(Rule::parse(wanted).unwrap(), Rule::parse(given).unwrap());
        }
    }

    #[test]
    fn maps_of_smaller_neighbourhoods() {
        // One live neighbour N, table index 16 of 32 (order N W C E S): bit 16 from the left.
        let rule = Rule::parse("MAPAACAAA").unwrap();
        assert_eq!(rule.neighbourhood(), Neighbourhood::VonNeumann);
        assert!(rule.table()[1 << 1]);
        assert!(rule.table()[1 << 1 | 1 << 0], "corners are ignored");
        assert!(!rule.table()[1 << 1 | CENTRE]);
        assert_eq!(Rule::parse(&rule.to_string()).unwrap(), rule);
        // Generations: '/' is a character of base64 as well.
        for text in ["MAPAACAAA/3", "MAPAACAAA==/C3", "MAPAAAAAAAAAACAAAAAAAAAAA/256:T5,6"] {
            let many = Rule::parse(text).unwrap();
            assert!(many.states() > 2 && many.neighbourhood() != Neighbourhood::Moore, "{text}");
            assert_eq!(Rule::parse(&many.to_string()).unwrap(), many, "{text}");
        }
        let hexagonal = Rule::parse("MAPAAAAAAAAAACAAAAAAAAAAA").unwrap();
        assert_eq!(hexagonal.neighbourhood(), Neighbourhood::Hexagonal);
        assert!(hexagonal.table()[1]);
    }

    #[test]
    fn errors_name_the_character() {
        for (text, position) in [
            ("", 1),
            ("B3/S2x", 6),
            ("B9/S23", 2),
            ("B3/S23z", 7),
            ("B2t/S", 3),
            ("B0c/S", 3),
            ("B2-t/S", 4),
            ("B3 / S2x", 8),
            ("B3/S23/C", 9),
            ("B3/S23/C1", 9),
            ("B3/S23/C257", 9),
            ("W256", 2),
            ("W", 2),
            ("Wx", 2),
            ("B5/S23V", 2),
            ("B2c/S23V", 3),
            ("B3/S23:", 8),
            ("B3/S23:Q", 8),
            ("B3/S23:T", 9),
            ("B3/S23:T5,", 11),
            ("B3/S23:T5,5x", 12),
            ("B3/S23:S5,6", 9),
            ("B3/S23:K5*,5*", 13),
            ("B3/S23:K0*,5", 9),
            ("B3/S23:T0+1,5", 9),
            ("B3/S23:T99999999999", 9),
            ("MAPA", 5),
            ("MAPA*", 5),
            ("23", 3),
            ("23/3/4/5", 7),
            ("B3B3", 3),
            ("é3/S23", 1),
        ] {
            let error = Rule::parse(text).unwrap_err();
            assert_eq!(error.position, position, "{text}: {error}");
        }
        let error = Rule::parse("B3/S2x").unwrap_err().to_string();
        assert!(error.starts_with("rule 'B3/S2x': character 6 ('x'): "), "{error}");
    }

    #[test]
    fn all_hundred_and_two_letters_partition_the_neighbourhoods() {
        let mut seen = [0u8; 256];
        let mut letters = 0;
        for count in 0..=8usize {
            for letter in hensel::letters(count) {
                letters += 1;
                let rule = Rule::parse(&format!("B{count}{letter}/S")).unwrap();
                for (neighbours, times) in seen.iter_mut().enumerate() {
                    *times += u8::from(rule.table()[spread(neighbours)]);
                }
            }
        }
        // 51 for births, the same for survivals; a count of 0 or 8 has the one arrangement without a letter.
        assert_eq!(letters, 49);
        for (neighbours, times) in seen.iter().enumerate() {
            assert_eq!(*times, u8::from(!matches!(neighbours, 0 | 255)), "{neighbours}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_rule_or_an_error(text in "\\PC{0,40}") {
            let _ = Rule::parse(&text);
        }

        #[test]
        fn rule_like_text_is_a_rule_or_an_error(text in "[BSbs0-9/:,+*\\-ceaiknjqrytwzVHTKCPGMAPW]{0,24}") {
            if let Ok(rule) = Rule::parse(&text) {
                prop_assert_eq!(Rule::parse(&rule.to_string()).unwrap(), rule);
            }
        }

        #[test]
        fn any_table_round_trips(words in proptest::array::uniform8(proptest::num::u64::ANY), states in 2u16..=256) {
            let mut rule = Rule::from_table(|index| words[index / 64] >> (index % 64) & 1 == 1);
            rule.states = states;
            prop_assert_eq!(Rule::parse(&rule.to_string()).unwrap(), rule);
        }
    }
}
