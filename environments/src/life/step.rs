//! Stepping: 64 cells at a time, several narrow rows to a word.

use super::board::Board;
use super::diagram::{Diagram, WIDE, Words};
use crate::automata::{Rule, Torus};

/// A rule compiled for stepping boards. Make one and keep it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stepper {
    kernel: Kernel,
    table: Box<[bool; 512]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kernel {
    /// Life itself, B3/S23.
    Life,
    /// Bit n of `birth` and `survival`: what n live neighbours do.
    Totalistic { birth: u16, survival: u16 },
    /// Anything else.
    Table(Diagram),
}

impl Stepper {
    /// Compiles a two-state rule.
    pub fn new(rule: &Rule) -> Stepper {
        Stepper::from_table(rule.table())
    }

    /// Conway's Life, `B3/S23`.
    pub fn life() -> Stepper {
        Stepper::new(&Rule::life())
    }

    /// Compiles a table of 512 neighbourhoods: bit 0 of the index is NW, bit 1 N, … bit 4 the centre, … bit 8 SE.
    pub fn from_table(table: &[bool; 512]) -> Stepper {
        let kernel = match totalistic(table) {
            Some((0b1000, 0b1100)) => Kernel::Life,
            Some((birth, survival)) => Kernel::Totalistic { birth, survival },
            None => Kernel::Table(Diagram::new(table)),
        };
        Stepper { kernel, table: Box::new(*table) }
    }

    /// Compiles the table without looking for a faster form: what [`Stepper::from_table`] is tested against.
    #[doc(hidden)]
    pub fn from_table_generic(table: &[bool; 512]) -> Stepper {
        Stepper { kernel: Kernel::Table(Diagram::new(table)), table: Box::new(*table) }
    }

    /// The rule's 512 entries.
    pub fn table(&self) -> &[bool; 512] {
        &self.table
    }

    /// The board one step on.
    pub fn step(&self, board: &Board) -> Board {
        self.run(board, 1)
    }

    /// The board `steps` on.
    pub fn run(&self, board: &Board, steps: u32) -> Board {
        if steps == 0 {
            return board.clone();
        }
        if let Some(mut torus) = self.torus(board) {
            torus.advance(u64::from(steps));
            return read(&torus, board);
        }
        let mut run = Run::new(self, board);
        for _ in 0..steps {
            run.step();
        }
        run.board()
    }

    /// The boards after 0, 1, … `steps` steps.
    pub fn trajectory(&self, board: &Board, steps: u32) -> Vec<Board> {
        let mut boards = Vec::with_capacity(steps as usize + 1);
        boards.push(board.clone());
        if let Some(mut torus) = self.torus(board) {
            for _ in 0..steps {
                torus.advance(1);
                boards.push(read(&torus, board));
            }
            return boards;
        }
        let mut run = Run::new(self, board);
        for _ in 0..steps {
            run.step();
            boards.push(run.board());
        }
        boards
    }

    /// The dense engine with a board on it, where it pays: for rows of more than a word and rules that count.
    fn torus(&self, board: &Board) -> Option<Torus> {
        let (birth, survival) = match self.kernel {
            Kernel::Life => (0b1000, 0b1100),
            Kernel::Totalistic { birth, survival } => (birth, survival),
            Kernel::Table(_) => return None,
        };
        if board.stride() == 1 {
            return None;
        }
        let mut torus = Torus::counting(birth, survival, board.width() as usize, board.height() as usize)?;
        for (y, row) in board.words().chunks_exact(board.stride()).enumerate() {
            torus.set_row(y, row);
        }
        Some(torus)
    }
}

/// The cells of a torus as a board of the size of another.
fn read(torus: &Torus, like: &Board) -> Board {
    let mut board = Board::new(like.width(), like.height());
    let stride = board.stride();
    for (y, row) in board.words_mut().chunks_exact_mut(stride).enumerate() {
        row.iter_mut().zip(torus.row_words(y)).for_each(|(to, from)| *to = from);
    }
    board
}

/// The numbers of neighbours that give birth and survival, if the table depends on nothing else.
fn totalistic(table: &[bool; 512]) -> Option<(u16, u16)> {
    const CENTRE: usize = 1 << 4;
    let mut masks = [0u16; 2];
    for count in 0..9usize {
        let first = (0..512).find(|index| index & CENTRE == 0 && index.count_ones() as usize == count)?;
        for (centre, mask) in masks.iter_mut().enumerate() {
            *mask |= u16::from(table[first | (centre * CENTRE)]) << count;
        }
    }
    (0..512usize)
        .all(|index| {
            let count = (index & !CENTRE).count_ones();
            let mask = masks[usize::from(index & CENTRE != 0)];
            table[index] == (mask >> count & 1 == 1)
        })
        .then_some((masks[0], masks[1]))
}

/// A board in motion, in the layout that steps fastest. Up to `lanes` rows of at most 64 cells share a word; a
/// wider row has words of its own.
pub(super) struct Run<'a> {
    kernel: &'a Kernel,
    width: u32,
    height: u32,
    /// Words a row where a row has words of its own, else 1.
    stride: usize,
    /// Rows that share a word.
    lanes: u32,
    /// The bits of a row's last word that are cells.
    last: u64,
    now: Vec<u64>,
    west: Vec<u64>,
    east: Vec<u64>,
    next: Vec<u64>,
    scratch: Vec<Words>,
}

impl<'a> Run<'a> {
    pub(super) fn new(stepper: &'a Stepper, board: &Board) -> Run<'a> {
        let (width, height) = (board.width(), board.height());
        // A last word that is not full would need its own wrap-around, so only divisors of the height are used.
        let lanes = (1..=(64 / width).max(1)).rev().find(|lanes| height.is_multiple_of(*lanes)).unwrap_or(1);
        let stride = board.stride();
        let length = (height / lanes) as usize * stride;
        let used = if stride == 1 { lanes * width } else { width } % 64;
        let mut run = Run {
            last: if used == 0 { !0 } else { (1u64 << used) - 1 },
            kernel: &stepper.kernel,
            width,
            height,
            stride,
            lanes,
            now: vec![0; length],
            west: vec![0; length],
            east: vec![0; length],
            next: vec![0; length],
            scratch: Vec::new(),
        };
        run.load(board);
        run
    }

    fn load(&mut self, board: &Board) {
        if self.lanes == 1 {
            self.now.copy_from_slice(board.words());
            return;
        }
        for (word, rows) in self.now.iter_mut().zip(board.words().chunks_exact(self.lanes as usize)) {
            *word = rows.iter().rev().fold(0, |packed, row| packed << self.width | row);
        }
    }

    /// The packed cells; equal for equal boards.
    pub(super) fn words(&self) -> &[u64] {
        &self.now
    }

    /// Goes back to what [`Run::words`] was.
    pub(super) fn resume(&mut self, words: &[u64]) {
        self.now.copy_from_slice(words);
    }

    pub(super) fn board(&self) -> Board {
        let mut board = Board::new(self.width, self.height);
        if self.lanes == 1 {
            board.words_mut().copy_from_slice(&self.now);
            return board;
        }
        let mask = (1u64 << self.width) - 1;
        for (index, row) in board.words_mut().iter_mut().enumerate() {
            let (word, lane) = (index / self.lanes as usize, index as u32 % self.lanes);
            *row = self.now[word] >> (lane * self.width) & mask;
        }
        board
    }

    pub(super) fn step(&mut self) {
        if self.stride == 1 {
            self.shift_narrow()
        } else {
            self.shift_wide()
        }
        match self.kernel {
            Kernel::Life => self.evaluate(life),
            Kernel::Totalistic { birth, survival } => {
                self.evaluate(|cells| count_and_look_up(cells, *birth, *survival));
            }
            Kernel::Table(diagram) => self.evaluate_diagram(diagram),
        }
    }

    /// Fills `west` and `east` with each cell's western and eastern neighbour, where a row is within a word.
    fn shift_narrow(&mut self) {
        let (width, lanes) = (self.width, self.lanes);
        // The westernmost cell of every lane.
        let first = (0..lanes).fold(0u64, |mask, lane| mask | 1 << (lane * width));
        let used = if lanes * width == 64 { !0 } else { (1u64 << (lanes * width)) - 1 };
        let last = first << (width - 1);
        for ((&now, west), east) in self.now.iter().zip(&mut self.west).zip(&mut self.east) {
            *west = ((now & !last) << 1 | (now & last) >> (width - 1)) & used;
            *east = (now & !first) >> 1 | (now & first) << (width - 1);
        }
    }

    fn shift_wide(&mut self) {
        let (stride, last) = (self.stride, (self.width - 1) % 64);
        let rows = self.now.chunks_exact(stride);
        let shifted = self.west.chunks_exact_mut(stride).zip(self.east.chunks_exact_mut(stride));
        for (now, (west, east)) in rows.zip(shifted) {
            for index in 0..stride {
                let before = if index == 0 { now[stride - 1] >> last & 1 } else { now[index - 1] >> 63 };
                west[index] = now[index] << 1 | before;
                east[index] = now[index] >> 1 | if index + 1 < stride { now[index + 1] << 63 } else { 0 };
            }
            east[stride - 1] |= (now[0] & 1) << last;
        }
    }

    /// Steps each word by itself.
    fn evaluate(&mut self, next: impl Fn(&[u64; 9]) -> u64) {
        for index in 0..self.now.len() {
            self.next[index] = next(&self.neighbourhood(index)) & self.mask(index);
        }
        std::mem::swap(&mut self.now, &mut self.next);
    }

    /// Steps a few words together.
    fn evaluate_diagram(&mut self, diagram: &Diagram) {
        for start in (0..self.now.len()).step_by(WIDE) {
            let words = WIDE.min(self.now.len() - start);
            let mut cells = [[0; WIDE]; 9];
            for word in 0..words {
                for (cells, neighbour) in cells.iter_mut().zip(self.neighbourhood(start + word)) {
                    cells[word] = neighbour;
                }
            }
            let result = diagram.evaluate(&cells, &mut self.scratch);
            for (index, word) in (start..start + words).zip(result) {
                self.next[index] = word & self.mask(index);
            }
        }
        std::mem::swap(&mut self.now, &mut self.next);
    }

    /// The bits of a word that are cells: only words that end a row have bits to spare.
    fn mask(&self, index: usize) -> u64 {
        if index % self.stride == self.stride - 1 { self.last } else { !0 }
    }

    /// The nine cells NW, N, NE, W, … SE of each of a word's cells. Bits beyond the rows of the word mean nothing.
    fn neighbourhood(&self, index: usize) -> [u64; 9] {
        let (stride, length) = (self.stride, self.now.len());
        let north = if index < stride { index + length - stride } else { index - stride };
        let south = if index + stride >= length { index + stride - length } else { index + stride };
        // Rows above and below: whole words, or one lane on within the word and its neighbour word.
        let lane = (self.lanes - 1) * self.width;
        let above = |words: &[u64]| match self.lanes {
            1 => words[north],
            _ => words[index] << self.width | words[north] >> lane,
        };
        let below = |words: &[u64]| match self.lanes {
            1 => words[south],
            _ => words[index] >> self.width | words[south] << lane,
        };
        let (west, now, east) = (&self.west, &self.now, &self.east);
        [
            above(west),
            above(now),
            above(east),
            west[index],
            now[index],
            east[index],
            below(west),
            below(now),
            below(east),
        ]
    }
}

/// The neighbour count of 64 cells as four bit planes (ones, twos, fours, eights), by carry-save addition.
fn count(cells: &[u64; 9]) -> [u64; 4] {
    let full = |a: u64, b: u64, c: u64| (a ^ b ^ c, a & b | (a ^ b) & c);
    let (ones_north, twos_north) = full(cells[0], cells[1], cells[2]);
    let (ones_south, twos_south) = full(cells[6], cells[7], cells[8]);
    let (ones_side, twos_side) = (cells[3] ^ cells[5], cells[3] & cells[5]);
    let (ones, twos_carried) = full(ones_north, ones_south, ones_side);
    let (twos_sum, fours_one) = full(twos_north, twos_south, twos_side);
    let (twos, fours_two) = (twos_sum ^ twos_carried, twos_sum & twos_carried);
    [ones, twos, fours_one ^ fours_two, fours_one & fours_two]
}

fn life(cells: &[u64; 9]) -> u64 {
    // Two or three neighbours: 8 has no twos bit, so the eights plane need not be looked at.
    let [ones, twos, fours, _] = count(cells);
    twos & !fours & (ones | cells[4])
}

fn count_and_look_up(cells: &[u64; 9], birth: u16, survival: u16) -> u64 {
    let planes = count(cells);
    let live = cells[4];
    let mut next = 0;
    for number in 0..9u16 {
        let (born, survives) = (birth >> number & 1 == 1, survival >> number & 1 == 1);
        if !born && !survives {
            continue;
        }
        let exactly =
            (0..4).fold(!0, |mask, bit| mask & if number >> bit & 1 == 1 { planes[bit] } else { !planes[bit] });
        next |= exactly & (if born { !live } else { 0 } | if survives { live } else { 0 });
    }
    next
}
