//! The exact answers of an observer who sees a ring's history token by token: Bayes over all rules of a radius, and
//! over a list of rules.
//!
//! The first row is a fair coin a cell, under any rule. From the second row on, each cell comes from the entry of the
//! rule's table at a neighbourhood that the observer has seen. Over all rules of a radius the entries are independent
//! fair bits, so the answer factorises: an entry that was used is known, any other is a coin until it is used.

use crate::automata::LineRule;
use crate::sequence::SequenceModel;

/// What the observer knows of the ring: the row before, and the row in progress.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    radius: usize,
    width: usize,
    block: usize,
    /// None while the first row is shown.
    before: Option<Vec<u8>>,
    row: Vec<u8>,
}

impl Seen {
    pub(super) fn new(radius: usize, width: usize, block: usize) -> Seen {
        assert!(
            (1..=8).contains(&block) && width.is_multiple_of(block) && LineRule::new(radius, 0).is_some(),
            "a ring of {width} cells in blocks of {block}, radius {radius}, is none of this world's"
        );
        Seen { radius, width, block, before: None, row: Vec::with_capacity(width) }
    }

    /// The entries that the cells of the next token come from, in order; none in the first row.
    pub(super) fn next_entries(&self) -> Option<Vec<usize>> {
        let before = self.before.as_ref()?;
        // The neighbourhood depends on the radius alone.
        let any = LineRule::new(self.radius, 0)?;
        let columns = self.row.len()..self.row.len() + self.block;
        Some(columns.map(|column| any.neighbourhood(before, column)).collect())
    }

    /// Takes the next token.
    pub(super) fn push(&mut self, symbol: usize) {
        self.row.extend(cells_of(symbol, self.block));
        if self.row.len() == self.width {
            self.before = Some(std::mem::replace(&mut self.row, Vec::with_capacity(self.width)));
        }
    }
}

/// The cells of a token, from left to right; the leftmost is the highest bit.
pub(super) fn cells_of(symbol: usize, block: usize) -> impl Iterator<Item = u8> {
    (0..block).rev().map(move |bit| (symbol >> bit & 1) as u8)
}

/// The token of cells.
pub(super) fn symbol_of(cells: impl IntoIterator<Item = u8>) -> usize {
    cells.into_iter().fold(0, |symbol, cell| symbol << 1 | usize::from(cell))
}

/// Bayes over all rules of a radius, uniformly: 2⁸ for radius 1, 2³² for radius 2.
#[derive(Clone, Debug)]
pub struct ClassBayes {
    seen: Seen,
    known: Vec<Option<bool>>,
}

impl ClassBayes {
    /// The prior, for rings of `width` cells shown in tokens of `block` cells.
    ///
    /// # Panics
    /// If the radius is not 1 to 3, the block not 1 to 8, or the width no multiple of it.
    pub fn new(radius: usize, width: usize, block: usize) -> ClassBayes {
        ClassBayes { seen: Seen::new(radius, width, block), known: vec![None; 1 << (2 * radius + 1)] }
    }

    /// What is known of the table, by entry.
    pub fn determined(&self) -> &[Option<bool>] {
        &self.known
    }

    /// The entries that the cells of the next token come from, in order; `None` in the first row.
    pub fn next_entries(&self) -> Option<Vec<usize>> {
        self.seen.next_entries()
    }

    /// Rules that agree with everything seen, as a power of two.
    pub fn consistent_bits(&self) -> usize {
        self.known.iter().filter(|value| value.is_none()).count()
    }

    /// The probability of a token; `None` for the entries in the first row.
    fn probability(&self, entries: Option<&[usize]>, symbol: usize) -> f64 {
        let block = self.seen.block;
        let Some(entries) = entries else { return 0.5f64.powi(block as i32) };
        let cells: Vec<bool> = cells_of(symbol, block).map(|cell| cell == 1).collect();
        let mut probability = 1.0;
        for (place, (&entry, &cell)) in entries.iter().zip(&cells).enumerate() {
            // An entry that an earlier cell of the same token uses is known by that cell.
            let earlier = entries[..place].iter().position(|&other| other == entry).map(|place| cells[place]);
            match self.known[entry].or(earlier) {
                Some(value) if value == cell => {}
                Some(_) => return 0.0,
                None => probability *= 0.5,
            }
        }
        probability
    }
}

impl SequenceModel for ClassBayes {
    fn alphabet(&self) -> usize {
        1 << self.seen.block
    }

    fn probabilities(&self) -> Vec<f64> {
        let entries = self.next_entries();
        (0..self.alphabet()).map(|symbol| self.probability(entries.as_deref(), symbol)).collect()
    }

    /// A history that no rule of the class makes costs infinitely many bits where it shows; what came first is kept.
    fn observe(&mut self, symbol: usize) -> f64 {
        assert!(symbol < self.alphabet(), "symbol {symbol} of an alphabet of {}", self.alphabet());
        let entries = self.next_entries();
        let bits = -self.probability(entries.as_deref(), symbol).log2();
        for (entry, cell) in entries.into_iter().flatten().zip(cells_of(symbol, self.seen.block)) {
            self.known[entry].get_or_insert(cell == 1);
        }
        self.seen.push(symbol);
        bits.max(0.0)
    }
}

/// Bayes over a list of rules: over those of a pool, one who remembers them; over a single rule, the oracle who knows it.
#[derive(Clone, Debug)]
pub struct ListBayes {
    seen: Seen,
    /// Rules and their weights.
    consistent: Vec<(LineRule, f64)>,
}

impl ListBayes {
    /// The prior, weights in any unit; rules must all have one radius.
    ///
    /// # Panics
    /// If the radius is not 1 to 3, the block not 1 to 8, or the width no multiple of it.
    pub fn new(
        rules: impl IntoIterator<Item = (LineRule, f64)>,
        radius: usize,
        width: usize,
        block: usize,
    ) -> ListBayes {
        let consistent: Vec<(LineRule, f64)> = rules.into_iter().collect();
        assert!(consistent.iter().all(|(rule, _)| rule.radius() == radius), "a rule of another radius is listed");
        ListBayes { seen: Seen::new(radius, width, block), consistent }
    }

    /// The rules that agree with everything seen, with their posterior weights, not normalised. Once there are none,
    /// every cell is a coin.
    pub fn consistent(&self) -> &[(LineRule, f64)] {
        &self.consistent
    }

    fn total(&self) -> f64 {
        self.consistent.iter().map(|&(_, weight)| weight).sum()
    }
}

/// What a rule makes of the entries of a token.
fn made(rule: LineRule, entries: &[usize]) -> usize {
    symbol_of(entries.iter().map(|&entry| u8::from(rule.next(entry))))
}

impl SequenceModel for ListBayes {
    fn alphabet(&self) -> usize {
        1 << self.seen.block
    }

    fn probabilities(&self) -> Vec<f64> {
        let (size, total) = (self.alphabet(), self.total());
        let Some(entries) = self.seen.next_entries().filter(|_| total > 0.0) else {
            return vec![1.0 / size as f64; size];
        };
        let mut probabilities = vec![0.0; size];
        for &(rule, weight) in &self.consistent {
            probabilities[made(rule, &entries)] += weight / total;
        }
        probabilities
    }

    /// A token that no rule left on the list makes costs infinitely many bits, once.
    fn observe(&mut self, symbol: usize) -> f64 {
        assert!(symbol < self.alphabet(), "symbol {symbol} of an alphabet of {}", self.alphabet());
        let before = self.total();
        let bits = match self.seen.next_entries().filter(|_| before > 0.0) {
            None => self.seen.block as f64,
            Some(entries) => {
                self.consistent.retain(|&(rule, _)| made(rule, &entries) == symbol);
                -(self.total() / before).log2()
            }
        };
        self.seen.push(symbol);
        bits.max(0.0)
    }
}
