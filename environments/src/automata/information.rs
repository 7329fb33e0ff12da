//! Local information dynamics of automata: how much of a cell's next state its own past stores, and how much each
//! neighbour transfers.
//!
//! The measures are those of Lizier, Prokopenko and Zomaya: local transfer entropy (Phys. Rev. E 77, 026110, 2008), local
//! active information storage (Information Sciences 208, 39–54, 2012) and separable information (Chaos 20, 037109, 2010).
//! All cells are alike, so probabilities are the frequencies over the whole space-time diagram (plug-in estimates), as in
//! JIDT's discrete calculators; each sample is a cell with its own last *k* states, so the first *k* frames give none.
//! All values are in bits. [`reference`] computes the same by definition.

use super::elementary::LineRule;

mod counts;
pub mod reference;

use counts::Counts;

/// The most cells of a diagram.
pub const MOST_CELLS: usize = 1 << 24;

/// The most different codes that the states of one sample may make.
const MOST_CODES: u64 = 1 << 62;

/// A cell's states through time: frames of `width × height` cells on a torus (a ring if the height is 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagram {
    width: usize,
    height: usize,
    states: u8,
    cells: Vec<u8>,
}

/// Why there is nothing to measure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InformationError {
    /// Frames that are not of `width × height` cells, or a state too high.
    #[error("{cells} cells are not whole frames of {width} × {height} cells with states below {states}")]
    Shape {
        /// Cells given.
        cells: usize,
        /// Columns.
        width: usize,
        /// Rows of a frame.
        height: usize,
        /// Number of states.
        states: u8,
    },
    /// Too many cells.
    #[error("a diagram of {cells} cells is too large; {MOST_CELLS} are possible")]
    Size {
        /// Cells asked for.
        cells: usize,
    },
    /// A history too short, or too long to be counted.
    #[error("a history of {history} states is outside 1 to {most}")]
    History {
        /// The length asked for.
        history: usize,
        /// The longest that is possible.
        most: usize,
    },
    /// Fewer frames than a history and the state after it.
    #[error("{frames} generations hold no history of {history} states and a state after it; {} are needed", history + 1)]
    Short {
        /// Frames of the diagram.
        frames: usize,
        /// The length asked for.
        history: usize,
    },
}

impl Diagram {
    /// A diagram of cells, frame after frame, each frame row by row.
    ///
    /// # Errors
    /// If the cells do not make whole frames, or are too many.
    pub fn new(width: usize, height: usize, states: u8, cells: Vec<u8>) -> Result<Self, InformationError> {
        if cells.len() > MOST_CELLS {
            return Err(InformationError::Size { cells: cells.len() });
        }
        let area = width.saturating_mul(height);
        let whole = area > 0 && !cells.is_empty() && cells.len().is_multiple_of(area);
        if !whole || cells.iter().any(|&cell| cell >= states) {
            return Err(InformationError::Shape { cells: cells.len(), width, height, states });
        }
        Ok(Self { width, height, states, cells })
    }

    /// The history of a ring of cells 0 and 1 under a rule: `frames` rows, the first of them the one given.
    ///
    /// # Errors
    /// If there are no cells, or too many.
    pub fn of_rule(rule: LineRule, first: Vec<u8>, frames: usize) -> Result<Self, InformationError> {
        let (width, cells) = (first.len(), first.len().saturating_mul(frames));
        if cells > MOST_CELLS {
            return Err(InformationError::Size { cells });
        }
        Self::new(width, 1, 2, rule.history(first, frames).concat())
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows of a frame.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Number of states.
    pub fn states(&self) -> u8 {
        self.states
    }

    /// Number of frames.
    pub fn frames(&self) -> usize {
        self.cells.len() / self.area()
    }

    /// The cells, frame after frame.
    pub fn cells(&self) -> &[u8] {
        &self.cells
    }

    fn area(&self) -> usize {
        self.width * self.height
    }

    /// The place in a frame of the cell from which information moves to the cell at `place`.
    fn source(&self, place: usize, (dx, dy): Movement) -> usize {
        let (x, y) = ((place % self.width) as i64, (place / self.width) as i64);
        let column = (x - i64::from(dx)).rem_euclid(self.width as i64);
        column as usize + (y - i64::from(dy)).rem_euclid(self.height as i64) as usize * self.width
    }

    /// Shannon entropy of blocks of `length` cells side by side in a row (around the ring), in bits a block.
    ///
    /// # Errors
    /// If the length is 0 or too long.
    pub fn entropy_of_rows(&self, length: usize) -> Result<f64, InformationError> {
        self.check_block(length)?;
        let codes = self.cells.chunks_exact(self.width).flat_map(|row| {
            (0..self.width).map(move |start| {
                (0..length).fold(0, |code, at| code * self.base() + u64::from(row[(start + at) % self.width]))
            })
        });
        Ok(Counts::new(codes, self.base().checked_pow(length as u32)).entropy())
    }

    /// Shannon entropy of a cell's states in `length` consecutive frames, in bits a block.
    ///
    /// # Errors
    /// If the length is 0, too long, or longer than the diagram.
    pub fn entropy_of_times(&self, length: usize) -> Result<f64, InformationError> {
        self.check_block(length)?;
        let area = self.area();
        if self.frames() < length {
            return Err(InformationError::Short { frames: self.frames(), history: length });
        }
        let codes = (0..(self.frames() + 1 - length) * area)
            .map(|first| (0..length).fold(0, |code, at| code * self.base() + u64::from(self.cells[first + at * area])));
        Ok(Counts::new(codes, self.base().checked_pow(length as u32)).entropy())
    }

    fn base(&self) -> u64 {
        u64::from(self.states.max(2))
    }

    fn check_block(&self, length: usize) -> Result<(), InformationError> {
        let most = self.most_digits();
        if (1..=most).contains(&length) { Ok(()) } else { Err(InformationError::History { history: length, most }) }
    }

    /// States that fit one code.
    fn most_digits(&self) -> usize {
        MOST_CODES.ilog(self.base()) as usize
    }
}

/// Columns to the east and rows to the south that information moves in one generation: (1, 0) comes from the cell to the
/// west (Lizier's *j* = 1, "one cell to the right").
pub type Movement = (i32, i32);

/// A measure with a value for every cell and generation, in bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// −log p(next state).
    Entropy,
    /// −log p(next state | own past): what the own past leaves open.
    EntropyRate,
    /// Active information storage: log p(next | own past) / p(next).
    Storage,
    /// Apparent transfer entropy: log p(next | own past, source) / p(next | own past).
    Transfer(Movement),
    /// Complete transfer entropy: as the apparent one, given all other neighbours as well.
    CompleteTransfer(Movement),
    /// Separable information: storage and the apparent transfer from every neighbour, summed. Negative values show where
    /// sources have to be taken together (non-trivial information modification).
    Separable,
}

/// A diagram's samples: each is a cell's state, its own past, and its neighbours one generation before.
#[derive(Clone, Debug)]
pub struct Dynamics<'a> {
    diagram: &'a Diagram,
    history: usize,
    movements: Vec<Movement>,
    /// Codes of the pasts.
    past: Vec<u64>,
}

impl<'a> Dynamics<'a> {
    /// The samples of a diagram with histories of `history` states. `movements` lead from a cell's neighbours to it (the
    /// cell itself, (0, 0), is not among them): see [`along`] and [`around`].
    ///
    /// # Errors
    /// If the history is too long to be counted, or the diagram too short.
    pub fn new(diagram: &'a Diagram, history: usize, movements: Vec<Movement>) -> Result<Self, InformationError> {
        let most = diagram.most_digits().saturating_sub(1 + movements.len());
        if history == 0 || history > most {
            return Err(InformationError::History { history, most });
        }
        if diagram.frames() <= history {
            return Err(InformationError::Short { frames: diagram.frames(), history });
        }
        let (area, base) = (diagram.area(), diagram.base());
        let codes = base.pow(history as u32);
        let mut rolling = vec![0u64; area];
        let mut past = Vec::with_capacity(diagram.cells.len() - history * area);
        for (t, frame) in diagram.cells.chunks_exact(area).enumerate() {
            if t >= history {
                past.extend_from_slice(&rolling);
            }
            for (code, &cell) in rolling.iter_mut().zip(frame) {
                *code = (*code * base + u64::from(cell)) % codes;
            }
        }
        Ok(Self { diagram, history, movements, past })
    }

    /// The local values, frame after frame, from frame `history` on.
    pub fn local(&self, filter: Filter) -> Vec<f64> {
        let nothing = || vec![0; self.past.len()];
        let past = Part { codes: self.past.clone(), below: self.diagram.base().pow(self.history as u32) };
        match filter {
            Filter::Entropy => self.surprise(&Part { codes: nothing(), below: 1 }),
            Filter::EntropyRate => self.surprise(&past),
            Filter::Storage => self.information(&past, &Part { codes: nothing(), below: 1 }),
            Filter::Transfer(from) => self.information(&self.neighbours(&[from]), &past),
            Filter::CompleteTransfer(from) => {
                let others: Vec<Movement> = self.movements.iter().copied().filter(|&other| other != from).collect();
                self.information(&self.neighbours(&[from]), &past.with(&self.neighbours(&others)))
            }
            Filter::Separable => {
                let mut sum = self.local(Filter::Storage);
                for &from in &self.movements {
                    let transfer = self.local(Filter::Transfer(from));
                    sum.iter_mut().zip(transfer).for_each(|(sum, value)| *sum += value);
                }
                sum
            }
        }
    }

    /// The mean of the local values.
    pub fn average(&self, filter: Filter) -> f64 {
        mean(&self.local(filter))
    }

    /// The next states.
    fn next(&self) -> Part {
        let cells = &self.diagram.cells[self.history * self.diagram.area()..];
        Part { codes: cells.iter().map(|&cell| u64::from(cell)).collect(), below: self.diagram.base() }
    }

    /// The states of some neighbours one generation before.
    fn neighbours(&self, from: &[Movement]) -> Part {
        let (area, base) = (self.diagram.area(), self.diagram.base());
        let places: Vec<Vec<usize>> =
            from.iter().map(|&from| (0..area).map(|place| self.diagram.source(place, from)).collect()).collect();
        let frames = self.diagram.cells.chunks_exact(area).take(self.diagram.frames() - 1).skip(self.history - 1);
        let code = |frame: &[u8], place: usize| {
            places.iter().fold(0, |code, places| code * base + u64::from(frame[places[place]]))
        };
        let codes = frames.flat_map(|frame| (0..area).map(move |place| code(frame, place))).collect();
        Part { codes, below: base.pow(from.len() as u32) }
    }

    /// −log p(next | given).
    fn surprise(&self, given: &Part) -> Vec<f64> {
        let both = self.next().with(given);
        let (pairs, alone) = (both.count(), given.count());
        let rate = |i: usize| f64::from(alone.of(given.codes[i])) / f64::from(pairs.of(both.codes[i]));
        (0..self.past.len()).map(|i| rate(i).log2()).collect()
    }

    /// log p(next | source, given) / p(next | given).
    fn information(&self, source: &Part, given: &Part) -> Vec<f64> {
        conditional_information(&self.next(), source, given)
    }
}

/// The movements of a one-dimensional neighbourhood: from the farthest neighbour in the west to that in the east.
pub fn along(radius: usize) -> Vec<Movement> {
    let radius = radius as i32;
    (-radius..=radius).rev().filter(|&dx| dx != 0).map(|dx| (dx, 0)).collect()
}

/// The movements of the Moore neighbourhood.
pub fn around() -> Vec<Movement> {
    (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dx, dy))).filter(|&movement| movement != (0, 0)).collect()
}

/// The mean, 0 of nothing.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// One code a sample, each smaller than `below`.
#[derive(Clone, Debug)]
struct Part {
    codes: Vec<u64>,
    below: u64,
}

impl Part {
    /// The codes of pairs.
    fn with(&self, other: &Part) -> Part {
        let codes = self.codes.iter().zip(&other.codes).map(|(&own, &other)| other * self.below + own).collect();
        Part { codes, below: self.below * other.below }
    }

    fn count(&self) -> Counts {
        Counts::new(self.codes.iter().copied(), Some(self.below))
    }
}

/// The local mutual information between `next` and `source` given `given`, in bits, with the samples' own frequencies
/// as probabilities.
fn conditional_information(next: &Part, source: &Part, given: &Part) -> Vec<f64> {
    let (next_given, source_given) = (next.with(given), source.with(given));
    let all = next.with(&source_given);
    let [a, b, c, d] = [&all, given, &next_given, &source_given].map(Part::count);
    let value = |i: usize| {
        let number = |counts: &Counts, part: &Part| f64::from(counts.of(part.codes[i]));
        let together = number(&a, &all) * number(&b, given);
        (together / (number(&c, &next_given) * number(&d, &source_given))).log2()
    };
    (0..next.codes.len()).map(value).collect()
}

#[cfg(test)]
mod tests;
