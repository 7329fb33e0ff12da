//! A machine's table, its text, and its canonical form.

use std::fmt;
use std::str::FromStr;

/// Most states a machine can have: `A` to `Y`, since `Z` halts.
pub const MOST_STATES: usize = 25;

/// Most symbols a machine can have: the digits.
pub const MOST_SYMBOLS: usize = 10;

/// What the head does after it has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Move {
    /// One cell to the left.
    Left,
    /// One cell to the right.
    Right,
    /// It stays. Only halting transitions may (the coding-theorem convention).
    Stay,
}

impl Move {
    /// Displacement of the head, in cells.
    pub fn offset(self) -> i64 {
        match self {
            Move::Left => -1,
            Move::Right => 1,
            Move::Stay => 0,
        }
    }

    /// The mirror image.
    pub fn mirrored(self) -> Move {
        match self {
            Move::Left => Move::Right,
            Move::Right => Move::Left,
            Move::Stay => Move::Stay,
        }
    }
}

/// One defined entry of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Transition {
    /// The symbol written.
    pub write: u8,
    /// The head's move.
    pub shift: Move,
    /// The next state, or `None` if this transition halts.
    pub next: Option<u8>,
}

/// A machine: start state `A` = 0, blank symbol 0, a tape without end on either side.
///
/// An entry that is undefined halts: the step is counted, nothing is written, the head stays.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Machine {
    states: u8,
    symbols: u8,
    /// `table[state * symbols + symbol]`.
    table: Vec<Option<Transition>>,
}

/// What is wrong with a machine's text, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("machine `{text}`: {problem}")]
pub struct MachineError {
    text: String,
    problem: String,
}

impl Machine {
    /// A machine from its table, `table[state * symbols + symbol]`.
    ///
    /// # Errors
    /// If the sizes are out of range or do not fit the table, or an entry names a symbol or state that is not there,
    /// or stays without halting.
    pub fn new(states: usize, symbols: usize, table: Vec<Option<Transition>>) -> Result<Machine, MachineError> {
        let fault = |problem: String| MachineError { text: format!("{states}x{symbols}"), problem };
        check_size(states, symbols).map_err(fault)?;
        if table.len() != states * symbols {
            return Err(fault(format!("its table has {} entries, not {}", table.len(), states * symbols)));
        }
        for transition in table.iter().flatten() {
            let known = usize::from(transition.write) < symbols
                && transition.next.is_none_or(|next| usize::from(next) < states)
                && (transition.next.is_none() || transition.shift != Move::Stay);
            if !known {
                return Err(fault(format!("the entry {transition:?} does not fit it")));
            }
        }
        Ok(Machine { states: states as u8, symbols: symbols as u8, table })
    }

    /// Number of states, the halting one not counted.
    pub fn states(&self) -> usize {
        usize::from(self.states)
    }

    /// Number of symbols, the blank counted.
    pub fn symbols(&self) -> usize {
        usize::from(self.symbols)
    }

    /// The entry for a state and the symbol read.
    pub fn entry(&self, state: u8, symbol: u8) -> Option<Transition> {
        self.table[usize::from(state) * usize::from(self.symbols) + usize::from(symbol)]
    }

    /// The table, `table[state * symbols + symbol]`.
    pub fn table(&self) -> &[Option<Transition>] {
        &self.table
    }

    /// The machine that does the same with left and right exchanged.
    pub fn mirrored(&self) -> Machine {
        let mirrored = |transition: Transition| Transition { shift: transition.shift.mirrored(), ..transition };
        Machine { table: self.table.iter().map(|entry| entry.map(mirrored)).collect(), ..self.clone() }
    }

    /// One machine for all that differ by the names of their states, by left and right, or by what cannot be reached
    /// from the start state: states are in the order in which a breadth-first search of the table from `A` meets
    /// them, rows it does not meet are undefined and last, and of the two mirror images the lesser is taken.
    /// Two machines with the same canonical form run alike, so splits are made by it.
    pub fn canonical(&self) -> Machine {
        self.renamed().min(self.mirrored().renamed())
    }

    fn renamed(&self) -> Machine {
        let symbols = self.symbols();
        let mut order: Vec<u8> = vec![0];
        let mut name = vec![None; self.states()];
        name[0] = Some(0u8);
        let mut table = Vec::with_capacity(self.table.len());
        let mut row = 0;
        while row < order.len() {
            for symbol in 0..symbols {
                let entry = self.entry(order[row], symbol as u8).map(|transition| {
                    let next = transition.next.map(|next| {
                        *name[usize::from(next)].get_or_insert_with(|| {
                            order.push(next);
                            order.len() as u8 - 1
                        })
                    });
                    Transition { next, ..transition }
                });
                table.push(entry);
            }
            row += 1;
        }
        table.resize(self.table.len(), None);
        Machine { table, ..self.clone() }
    }
}

fn check_size(states: usize, symbols: usize) -> Result<(), String> {
    if !(1..=MOST_STATES).contains(&states) {
        return Err(format!("it has {states} states; a machine has 1 to {MOST_STATES}"));
    }
    if !(2..=MOST_SYMBOLS).contains(&symbols) {
        return Err(format!("it has {symbols} symbols; a machine has 2 to {MOST_SYMBOLS}"));
    }
    Ok(())
}

impl fmt::Display for Transition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shift = match self.shift {
            Move::Left => 'L',
            Move::Right => 'R',
            Move::Stay => 'S',
        };
        let next = self.next.map_or('Z', |next| char::from(b'A' + next));
        write!(formatter, "{}{shift}{next}", self.write)
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (state, row) in self.table.chunks(self.symbols()).enumerate() {
            if state > 0 {
                formatter.write_str("_")?;
            }
            for entry in row {
                match entry {
                    Some(transition) => write!(formatter, "{transition}")?,
                    None => formatter.write_str("---")?,
                }
            }
        }
        Ok(())
    }
}

impl FromStr for Machine {
    type Err = MachineError;

    /// Reads the standard text of bbchallenge.org: rows of states joined by `_`, in a row one triple a symbol (symbol
    /// written, `L` or `R`, next state), `---` for an entry that is undefined. `Z` halts, as does `H` in a machine
    /// of fewer than 8 states. A halting transition may also stay (`S`).
    fn from_str(text: &str) -> Result<Machine, MachineError> {
        parse(text.trim()).map_err(|problem| MachineError { text: shortened(text.trim()), problem })
    }
}

/// Enough of a text to know it by.
fn shortened(text: &str) -> String {
    if text.chars().count() <= 60 { text.into() } else { text.chars().take(57).chain("...".chars()).collect() }
}

fn parse(text: &str) -> Result<Machine, String> {
    if text.is_empty() {
        return Err("there is no text; an example of a machine is 1RB1LB_1LA1RZ".into());
    }
    let rows: Vec<Vec<char>> = text.split('_').map(|row| row.chars().collect()).collect();
    let states = rows.len();
    let width = rows[0].len();
    if states > MOST_STATES {
        return Err(format!("it has {states} rows, that is states; a machine has 1 to {MOST_STATES}"));
    }
    let mut start = 0;
    for (state, row) in rows.iter().enumerate() {
        let name = char::from(b'A' + state as u8);
        if row.len() % 3 != 0 || row.is_empty() {
            return Err(format!(
                "row {name} (from character {}) has {} characters, which is not a whole number of triples such as 1RB",
                start + 1,
                row.len()
            ));
        }
        if row.len() != width {
            return Err(format!(
                "row {name} (from character {}) has {} entries where row A has {}",
                start + 1,
                row.len() / 3,
                width / 3
            ));
        }
        start += row.len() + 1;
    }
    let symbols = width / 3;
    check_size(states, symbols)?;
    let mut table = Vec::with_capacity(states * symbols);
    let mut start = 0;
    for (state, row) in rows.iter().enumerate() {
        for (symbol, triple) in row.chunks(3).enumerate() {
            let place =
                || format!("entry {}{symbol} (character {})", char::from(b'A' + state as u8), start + 3 * symbol + 1);
            let shown: String = triple.iter().collect();
            let entry =
                read_entry(triple, states, symbols).map_err(|fault| format!("{} `{shown}`: {fault}", place()))?;
            table.push(entry);
        }
        start += row.len() + 1;
    }
    Ok(Machine { states: states as u8, symbols: symbols as u8, table })
}

fn read_entry(triple: &[char], states: usize, symbols: usize) -> Result<Option<Transition>, String> {
    let &[write, shift, next] = triple else {
        return Err("an entry has three characters".into());
    };
    if triple == ['-', '-', '-'] {
        return Ok(None);
    }
    let most = symbols - 1;
    let write = write.to_digit(10).filter(|&write| (write as usize) < symbols);
    let write =
        write.ok_or_else(|| format!("the symbol written must be 0 to {most}, since rows have {symbols} entries"))?;
    let last = char::from(b'A' + states as u8 - 1);
    let next = match next {
        next if next.is_ascii_uppercase() && ((next as u8 - b'A') as usize) < states => Some(next as u8 - b'A'),
        'Z' | 'H' => None,
        _ => return Err(format!("the next state must be A to {last}, or Z to halt")),
    };
    let shift = match shift {
        'L' => Move::Left,
        'R' => Move::Right,
        'S' if next.is_none() => Move::Stay,
        'S' => return Err("only a halting transition may stay".into()),
        _ => return Err("the move must be L or R".into()),
    };
    Ok(Some(Transition { write: write as u8, shift, next }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    /// Any machine of a size.
    pub fn machines(states: usize, symbols: usize) -> impl Strategy<Value = Machine> {
        let entry = (0..symbols as u8, any::<bool>(), 0..=states as u8 + 1).prop_map(move |(write, left, next)| {
            let shift = if left { Move::Left } else { Move::Right };
            let next = usize::from(next);
            (next <= states).then(|| Transition { write, shift, next: (next < states).then_some(next as u8) })
        });
        proptest::collection::vec(entry, states * symbols)
            .prop_map(move |table| Machine::new(states, symbols, table).unwrap())
    }

    #[test]
    fn published_texts_are_read_and_written() {
        for text in
            ["1RB1LB_1LA1RZ", "1RB---_0LA---", "0RB2LA1RA_1LA2RB1RC_1RZ1LB1LC", "1RB2LA1RA1RA_1LB1LA3RB1RZ", "0SZ1SZ"]
        {
            assert_eq!(text.parse::<Machine>().unwrap().to_string(), text);
        }
        assert_eq!("1RB1LB_1LA1RH".parse::<Machine>().unwrap().to_string(), "1RB1LB_1LA1RZ");
    }

    #[test]
    fn a_malformed_text_says_where() {
        let complaint = |text: &str| text.parse::<Machine>().unwrap_err().to_string();
        assert_eq!(
            complaint("1RB1LB_1LA1R"),
            "machine `1RB1LB_1LA1R`: row B (from character 8) has 5 characters, which is not a whole number of triples \
             such as 1RB"
        );
        assert!(complaint("1RB1LB_1LA").contains("row B (from character 8) has 1 entries where row A has 2"));
        assert!(
            complaint("1RB1LB_1LA2RZ").contains("entry B1 (character 11) `2RZ`: the symbol written must be 0 to 1")
        );
        assert!(
            complaint("1RB1LC_1LA1RZ").contains("entry A1 (character 4) `1LC`: the next state must be A to B, or Z")
        );
        assert!(complaint("1RB1XB_1LA1RZ").contains("entry A1 (character 4) `1XB`: the move must be L or R"));
        assert!(complaint("1SB1LB_1LA1RZ").contains("only a halting transition may stay"));
        assert!(complaint("").contains("there is no text"));
        assert!(complaint("1RB_1LA").contains("1 symbols"));
        // Characters are counted, not bytes.
        assert!(complaint("1RB1LB_1LA1→Z").contains("entry B1 (character 11) `1→Z`: the move"));
    }

    #[test]
    fn canonical_form_forgets_names_mirrors_and_what_is_unreachable() {
        let canonical = |text: &str| text.parse::<Machine>().unwrap().canonical().to_string();
        assert_eq!(canonical("1RB1LC_1LA---_0RA0LA"), canonical("1LC1RB_0LA0RA_1RA---"));
        assert_eq!(canonical("1RB1LB_1LA1RZ_0RA1RB"), canonical("1RC1LC_1LA0RB_1LA1RZ"));
        assert_eq!(canonical("1RB1LB_1LA1RZ_0RA1RB"), "1LB1RB_1RA1LZ_------");
        assert_ne!(canonical("1RB1LB_1LA1RZ"), canonical("1RB1LB_1LA0RZ"));
    }

    proptest! {
        #[test]
        fn canonical_form_is_invariant(machine in machines(4, 3), seed in 0usize..6) {
            let canonical = machine.canonical();
            prop_assert_eq!(&canonical, &canonical.canonical());
            prop_assert_eq!(&canonical, &machine.mirrored().canonical());
            // Every renaming of B, C, D.
            let orders = [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]];
            let names = [0, orders[seed][0], orders[seed][1], orders[seed][2]];
            let mut table = vec![None; 12];
            for state in 0..4u8 {
                for symbol in 0..3u8 {
                    let entry = machine.entry(state, symbol).map(|transition| Transition {
                        next: transition.next.map(|next| names[usize::from(next)]),
                        ..transition
                    });
                    table[usize::from(names[usize::from(state)]) * 3 + usize::from(symbol)] = entry;
                }
            }
            prop_assert_eq!(canonical, Machine::new(4, 3, table).unwrap().canonical());
            prop_assert_eq!(&machine, &machine.to_string().parse().unwrap());
        }
    }
}
