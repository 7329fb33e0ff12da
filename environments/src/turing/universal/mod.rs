//! A small universal machine: programs of bytes on a ring of cells, with an output tape.
//!
//! The design is BrainPhoque's (Filan, Leike and Hutter, "Loss bounds and time complexity for speed priors", 2016;
//! Grau-Moya et al., "Learning universal predictors", arXiv:2401.14953): Brainfuck without input, so that a program alone
//! determines its output. Here every string of the seven instructions is a program: a bracket without a partner does
//! nothing. Memory is a ring of cells that count modulo the alphabet, so no instruction can fail.
//!
//! | instruction | what it does |
//! |---|---|
//! | `<` `>` | moves the head one cell to the left or right, round the ring |
//! | `+` `-` | adds 1 to or subtracts 1 from the cell, modulo the alphabet |
//! | `[` | if the cell is 0, goes on behind the matching `]` |
//! | `]` | if the cell is not 0, goes back behind the matching `[` |
//! | `.` | writes the cell to the output |
//!
//! Every instruction executed is a step. A program halts at its end.

mod config;
mod world;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::sequence::{Ppm, SequenceModel};
use crate::stream::{Draw, Stream};
pub use config::{Boundaries, Silent, UniversalConfig};
pub use world::{DrawnProgram, UniversalEpisode, UniversalWorld};

/// The instructions, by number.
pub const INSTRUCTIONS: &[u8; 7] = b"<>+-[].";

/// A program.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Program {
    text: Vec<u8>,
}

/// What is wrong with a program's text, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("program, character {at}: `{found}` is none of the instructions < > + - [ ] .")]
pub struct ProgramError {
    at: usize,
    found: char,
}

/// Bounds of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps.
    pub steps: u64,
    /// Cells of the ring.
    pub cells: usize,
    /// Symbols written after which the run stops.
    pub output: usize,
    /// Values of a cell, 2 to 256.
    pub alphabet: usize,
}

/// How a program's run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProgramOutcome {
    /// It halted.
    Halted,
    /// It wrote all that was wanted.
    Full,
    /// It was stopped at the step limit.
    Limit,
}

/// What a program did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramRun {
    /// How it ended.
    pub outcome: ProgramOutcome,
    /// Steps made.
    pub steps: u64,
    /// Symbols written.
    pub output: Vec<u8>,
}

impl FromStr for Program {
    type Err = ProgramError;

    fn from_str(text: &str) -> Result<Program, ProgramError> {
        let strange = text.chars().enumerate().find(|(_, c)| !c.is_ascii() || !INSTRUCTIONS.contains(&(*c as u8)));
        match strange {
            Some((at, found)) => Err(ProgramError { at: at + 1, found }),
            None => Ok(Program { text: text.bytes().collect() }),
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.iter().try_for_each(|&byte| write!(formatter, "{}", char::from(byte)))
    }
}

impl Program {
    /// Draws a program: each instruction is one of the seven, all equally likely, and after each the program ends with
    /// a probability of one in `mean_length`; so a program of length k has probability proportional to
    /// (7 / (1 − 1/mean_length))^−k. Programs of more than `longest` instructions are cut.
    pub fn sample(draws: &mut Stream, mean_length: u64, longest: usize) -> Program {
        let mut text = Vec::new();
        while text.len() < longest {
            text.push(INSTRUCTIONS[draws.below(7) as usize]);
            if draws.below(mean_length.max(1)) == 0 {
                break;
            }
        }
        Program { text }
    }

    /// Number of instructions.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether there is no instruction.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// For each bracket its partner's place.
    fn partners(&self) -> Vec<Option<usize>> {
        let mut partners = vec![None; self.text.len()];
        let mut open = Vec::new();
        for (at, &instruction) in self.text.iter().enumerate() {
            match instruction {
                b'[' => open.push(at),
                b']' => {
                    if let Some(partner) = open.pop() {
                        partners[at] = Some(partner);
                        partners[partner] = Some(at);
                    }
                }
                _ => {}
            }
        }
        partners
    }

    /// Runs the program one instruction at a time: what [`Program::run`] must do.
    pub fn run_reference(&self, limits: Limits) -> ProgramRun {
        let partners = self.partners();
        let mut cells = vec![0usize; limits.cells];
        let (mut head, mut at, mut steps, mut output) = (0, 0, 0, Vec::new());
        let outcome = loop {
            if output.len() == limits.output {
                break ProgramOutcome::Full;
            }
            if at == self.text.len() {
                break ProgramOutcome::Halted;
            }
            if steps == limits.steps {
                break ProgramOutcome::Limit;
            }
            steps += 1;
            match (self.text[at], partners[at]) {
                (b'<', _) => head = (head + limits.cells - 1) % limits.cells,
                (b'>', _) => head = (head + 1) % limits.cells,
                (b'+', _) => cells[head] = (cells[head] + 1) % limits.alphabet,
                (b'-', _) => cells[head] = (cells[head] + limits.alphabet - 1) % limits.alphabet,
                (b'[', Some(partner)) if cells[head] == 0 => at = partner,
                (b']', Some(partner)) if cells[head] != 0 => at = partner,
                (b'.', _) => output.push(cells[head] as u8),
                _ => {}
            }
            at += 1;
        };
        ProgramRun { outcome, steps, output }
    }

    /// Runs the program on blank memory, fast. The outcome is looked for in the order full, halted, limit.
    pub fn run(&self, limits: Limits) -> ProgramRun {
        let mut output = Vec::with_capacity(limits.output.min(1 << 16));
        let mut execution = Execution::new(self, limits);
        let outcome = execution.advance(limits.steps, |symbol| output.push(symbol)).unwrap_or(ProgramOutcome::Limit);
        ProgramRun { outcome, steps: execution.steps(), output }
    }
}

/// An instruction and what comes with it: moves and additions in a row are one, and a loop `[-]` or `[+]` is one.
#[derive(Clone, Copy, Debug)]
enum Operation {
    /// Adds to the cell, then moves the head: (to add, to move to the right, steps).
    Change(u16, u32, u32),
    /// If the cell is 0, goes on behind the operation at the place.
    Open(u32),
    /// If the cell is not 0, goes back behind the operation at the place.
    Close(u32),
    /// Counts the cell to 0, one by one, down or up; two steps each and one before.
    Clear(bool),
    Write,
    /// A bracket without a partner.
    Idle,
    Halt,
}

/// A program under way, some steps at a time.
#[derive(Clone, Debug)]
pub struct Execution {
    operations: Vec<Operation>,
    limits: Limits,
    cells: Vec<u8>,
    head: usize,
    at: usize,
    steps: u64,
    /// Steps that it has been given.
    budget: u64,
    written: usize,
    outcome: Option<ProgramOutcome>,
}

impl Execution {
    /// A program before its first step, on blank memory.
    pub fn new(program: &Program, limits: Limits) -> Execution {
        let partners = program.partners();
        let text = &program.text;
        let (alphabet, cells) = (limits.alphabet, limits.cells);
        let mut operations = Vec::with_capacity(text.len() + 1);
        let mut opened = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let from = at;
            at += 1;
            let operation = match text[from] {
                b'.' => Operation::Write,
                b'[' if partners[from].is_some() => {
                    if partners[from] == Some(from + 2) && matches!(text[from + 1], b'-' | b'+') {
                        at = from + 3;
                        Operation::Clear(text[from + 1] == b'+')
                    } else {
                        opened.push(operations.len());
                        Operation::Open(0)
                    }
                }
                b']' if partners[from].is_some() => {
                    let place = opened.pop().unwrap_or_default();
                    operations[place] = Operation::Open(operations.len() as u32);
                    Operation::Close(place as u32)
                }
                b'[' | b']' => Operation::Idle,
                _ => {
                    let mut end = from;
                    let (mut add, mut shift) = (0, 0);
                    while let Some(sign) = text.get(end).and_then(|&byte| sign(byte, b'+', b'-')) {
                        add = if sign { (add + 1) % alphabet } else { (add + alphabet - 1) % alphabet };
                        end += 1;
                    }
                    while let Some(sign) = text.get(end).and_then(|&byte| sign(byte, b'>', b'<')) {
                        shift = if sign { (shift + 1) % cells } else { (shift + cells - 1) % cells };
                        end += 1;
                    }
                    at = end;
                    Operation::Change(add as u16, shift as u32, (end - from) as u32)
                }
            };
            operations.push(operation);
        }
        operations.push(Operation::Halt);
        let cells = vec![0; limits.cells];
        Execution { operations, limits, cells, head: 0, at: 0, steps: 0, budget: 0, written: 0, outcome: None }
    }

    /// Steps made so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Gives the program so many steps more, and hands over what it writes in them. How it ended, once it has; the outcome
    /// is looked for in the order full, halted, limit.
    pub fn advance(&mut self, steps: u64, write: impl FnMut(u8)) -> Option<ProgramOutcome> {
        if self.outcome.is_none() {
            self.budget = self.budget.saturating_add(steps).min(self.limits.steps);
            self.outcome = self.go_on(write);
        }
        self.outcome
    }

    fn go_on(&mut self, mut write: impl FnMut(u8)) -> Option<ProgramOutcome> {
        let Execution { operations, limits, cells, .. } = self;
        let (mut head, mut at, mut steps, mut written) = (self.head, self.at, self.steps, self.written);
        let outcome = loop {
            if written == limits.output {
                break Some(ProgramOutcome::Full);
            }
            let cell = cells[head];
            let cost = match operations[at] {
                Operation::Halt => break Some(ProgramOutcome::Halted),
                Operation::Change(_, _, steps) => u64::from(steps),
                Operation::Clear(up) => {
                    let count =
                        if up && cell != 0 { limits.alphabet as u64 - u64::from(cell) } else { u64::from(cell) };
                    1 + 2 * count
                }
                _ => 1,
            };
            if steps + cost > self.budget {
                // What is left of a compound operation writes nothing, and waits for steps enough to be made whole.
                if self.budget == limits.steps {
                    steps = limits.steps;
                    break Some(ProgramOutcome::Limit);
                }
                break None;
            }
            steps += cost;
            match operations[at] {
                Operation::Change(add, shift, _) => {
                    let sum = usize::from(cell) + usize::from(add);
                    cells[head] = if sum >= limits.alphabet { sum - limits.alphabet } else { sum } as u8;
                    head += shift as usize;
                    if head >= limits.cells {
                        head -= limits.cells;
                    }
                }
                Operation::Open(partner) if cell == 0 => at = partner as usize,
                Operation::Close(partner) if cell != 0 => at = partner as usize,
                Operation::Clear(_) => cells[head] = 0,
                Operation::Write => {
                    written += 1;
                    write(cell);
                }
                _ => {}
            }
            at += 1;
        };
        (self.head, self.at, self.steps, self.written) = (head, at, steps, written);
        outcome
    }
}

/// Whether a byte is the first (`true`) or the second of two, if either.
fn sign(byte: u8, up: u8, down: u8) -> Option<bool> {
    (byte == up || byte == down).then_some(byte == up)
}

/// Outputs shorter than this say little of how well they compress.
pub const COMPRESSIBLE: usize = 16;

/// What programs drawn from a prior do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survey {
    /// Programs drawn.
    pub programs: u64,
    /// Those that halted, those that were stopped at the step limit; the others filled their output.
    pub halted: u64,
    /// Stopped at the step limit.
    pub limited: u64,
    /// Those that wrote nothing.
    pub silent: u64,
    /// Programs by length.
    pub lengths: BTreeMap<usize, u64>,
    /// Programs by length of output.
    pub outputs: BTreeMap<usize, u64>,
    /// Of outputs of at least [`COMPRESSIBLE`] symbols: their code length by PPM of order 5, in bits, and their symbols.
    pub compressed: (f64, u64),
}

impl Survey {
    /// Draws and runs programs.
    pub fn take(draws: &mut Stream, programs: u64, mean_length: u64, longest: usize, limits: Limits) -> Survey {
        let mut survey = Survey { programs, ..Survey::default() };
        for _ in 0..programs {
            let program = Program::sample(draws, mean_length, longest);
            let run = program.run(limits);
            survey.halted += u64::from(run.outcome == ProgramOutcome::Halted);
            survey.limited += u64::from(run.outcome == ProgramOutcome::Limit);
            survey.silent += u64::from(run.output.is_empty());
            *survey.lengths.entry(program.len()).or_default() += 1;
            *survey.outputs.entry(run.output.len()).or_default() += 1;
            if run.output.len() >= COMPRESSIBLE {
                let mut ppm = Ppm::new(limits.alphabet, 5, &[]);
                survey.compressed.0 += run.output.iter().map(|&symbol| ppm.observe(usize::from(symbol))).sum::<f64>();
                survey.compressed.1 += run.output.len() as u64;
            }
        }
        survey
    }

    /// Both surveys as one.
    pub fn joined(mut self, other: Survey) -> Survey {
        self.programs += other.programs;
        self.halted += other.halted;
        self.limited += other.limited;
        self.silent += other.silent;
        other.lengths.into_iter().for_each(|(length, count)| *self.lengths.entry(length).or_default() += count);
        other.outputs.into_iter().for_each(|(length, count)| *self.outputs.entry(length).or_default() += count);
        self.compressed.0 += other.compressed.0;
        self.compressed.1 += other.compressed.1;
        self
    }
}
