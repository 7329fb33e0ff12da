//! The fifteen tasks of the Chomsky-hierarchy benchmark (Delétang et al., "Neural networks and the Chomsky hierarchy",
//! 2022, table 1 and appendix A): an input string, and what a machine of some level would answer.

use serde::{Deserialize, Serialize};

use crate::stream::{Draw, Stream};

/// Numbers of the arithmetic tasks, and letters of the sorting task.
const MODULUS: u16 = 5;

/// A task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Regular: whether the pairs ab and ba together are even in number.
    EvenPairs,
    /// Regular: a sum of products modulo 5.
    ModularArithmetic,
    /// Regular: whether b occurs an even number of times.
    ParityCheck,
    /// Regular: where one is after steps on a cycle of 5 (0 stay, 1 forwards, 2 backwards).
    CycleNavigation,
    /// Deterministic context-free: a stack from the bottom, then actions (2 pop, 3 push a, 4 push b); the stack from the
    /// top.
    StackManipulation,
    /// Deterministic context-free: the string backwards.
    ReverseString,
    /// Deterministic context-free: an expression with brackets modulo 5.
    ModularArithmeticBrackets,
    /// Deterministic context-free: the value of the unknown in an expression with brackets, modulo 5.
    SolveEquation,
    /// Context-sensitive: the string twice.
    DuplicateString,
    /// Context-sensitive: of a string written twice with one letter hidden, that letter.
    MissingDuplicate,
    /// Context-sensitive: the letters at odd places, then those at even ones.
    OddsFirst,
    /// Context-sensitive: the sum of two binary numbers, lowest digit first.
    BinaryAddition,
    /// Context-sensitive: their product.
    BinaryMultiplication,
    /// Context-sensitive: the whole part of the square root of a binary number, highest digit first.
    ComputeSqrt,
    /// Context-sensitive: the letters sorted.
    BucketSort,
}

/// Operators, brackets, unknown and equality of the arithmetic tasks, after the five numbers.
const PLUS: u16 = 5;
const MINUS: u16 = 6;
const TIMES: u16 = 7;
const OPEN: u16 = 8;
const CLOSE: u16 = 9;
const UNKNOWN: u16 = 10;
const EQUALS: u16 = 11;

impl Task {
    /// All tasks, by level.
    pub const ALL: [Task; 15] = [
        Task::EvenPairs,
        Task::ModularArithmetic,
        Task::ParityCheck,
        Task::CycleNavigation,
        Task::StackManipulation,
        Task::ReverseString,
        Task::ModularArithmeticBrackets,
        Task::SolveEquation,
        Task::DuplicateString,
        Task::MissingDuplicate,
        Task::OddsFirst,
        Task::BinaryAddition,
        Task::BinaryMultiplication,
        Task::ComputeSqrt,
        Task::BucketSort,
    ];

    /// Number of different symbols in inputs and answers.
    pub fn symbols(self) -> usize {
        match self {
            Task::EvenPairs | Task::ParityCheck | Task::ReverseString | Task::DuplicateString | Task::OddsFirst => 2,
            Task::ComputeSqrt => 2,
            Task::MissingDuplicate | Task::BinaryAddition | Task::BinaryMultiplication => 3,
            Task::CycleNavigation | Task::BucketSort | Task::StackManipulation => 5,
            Task::ModularArithmetic => 8,
            Task::ModularArithmeticBrackets => 10,
            Task::SolveEquation => 12,
        }
    }

    /// The shortest input.
    pub fn shortest(self) -> usize {
        match self {
            Task::MissingDuplicate => 2,
            Task::BinaryAddition | Task::BinaryMultiplication => 3,
            Task::SolveEquation => 3,
            _ => 1,
        }
    }

    /// Symbols of the longest answer to an input of a length.
    pub fn longest_answer(self, length: usize) -> usize {
        match self {
            Task::StackManipulation | Task::ReverseString | Task::OddsFirst | Task::BucketSort => length,
            Task::BinaryAddition | Task::BinaryMultiplication => length,
            Task::DuplicateString => 2 * length,
            Task::ComputeSqrt => length.div_ceil(2),
            _ => 1,
        }
    }

    /// An input of at most `length` symbols (of exactly so many where the task's form allows it) and its answer.
    ///
    /// # Panics
    /// If `length` is below [`Task::shortest`].
    pub fn draw(self, length: usize, chance: &mut Stream) -> (Vec<u16>, Vec<u16>) {
        assert!(length >= self.shortest(), "an input of {length} symbols");
        let mut string =
            |length: usize, letters: u64| -> Vec<u16> { (0..length).map(|_| chance.below(letters) as u16).collect() };
        match self {
            Task::EvenPairs | Task::ParityCheck | Task::ReverseString | Task::DuplicateString | Task::OddsFirst => {
                let input = string(length, 2);
                let answer = self.answer(&input);
                (input, answer)
            }
            Task::CycleNavigation => {
                let input = string(length, 3);
                let answer = self.answer(&input);
                (input, answer)
            }
            Task::BucketSort => {
                let input = string(length, u64::from(MODULUS));
                let answer = self.answer(&input);
                (input, answer)
            }
            Task::ComputeSqrt => {
                let mut input = string(length, 2);
                input[0] = 1;
                let answer = self.answer(&input);
                (input, answer)
            }
            Task::StackManipulation => {
                let bottom = 1 + chance.below(length as u64) as usize;
                let mut input: Vec<u16> = (0..bottom).map(|_| chance.below(2) as u16).collect();
                input.extend((bottom..length).map(|_| 2 + chance.below(3) as u16));
                let answer = self.answer(&input);
                (input, answer)
            }
            Task::MissingDuplicate => {
                let half = string(length / 2, 2);
                let mut input = [half.clone(), half].concat();
                let hidden = chance.below(input.len() as u64) as usize;
                input[hidden] = 2;
                let answer = self.answer(&input);
                (input, answer)
            }
            Task::BinaryAddition | Task::BinaryMultiplication => {
                let first = 1 + chance.below(length as u64 - 2) as usize;
                let mut input: Vec<u16> = (0..length).map(|_| chance.below(2) as u16).collect();
                input[first] = 2;
                let answer = self.answer(&input);
                (input, answer)
            }
            Task::ModularArithmetic => {
                // Numbers at even places, operators at odd ones.
                let length = length - usize::from(length.is_multiple_of(2));
                let symbol = |place: usize| match place % 2 {
                    0 => chance.below(u64::from(MODULUS)) as u16,
                    _ => PLUS + chance.below(3) as u16,
                };
                let input: Vec<u16> = (0..length).map(symbol).collect();
                let answer = self.answer(&input);
                (input, answer)
            }
            Task::ModularArithmeticBrackets => {
                let (input, _) = expression(length, chance);
                let answer = self.answer(&input);
                (input, answer)
            }
            Task::SolveEquation => {
                // An expression with the unknown in it, `=` and its value. Some expressions do not depend on the unknown
                // or repeat a value; those are drawn again.
                loop {
                    let (left, places) = expression(length - 2, chance);
                    let hidden = places[chance.below(places.len() as u64) as usize];
                    let truth = left[hidden];
                    let mut input = left.clone();
                    input[hidden] = UNKNOWN;
                    input.extend([EQUALS, value(&left)]);
                    if self.answer(&input) == [truth] {
                        return (input, vec![truth]);
                    }
                }
            }
        }
    }

    /// The answer to an input; empty where it has none or more than one.
    pub fn answer(self, input: &[u16]) -> Vec<u16> {
        let count = |letter: u16| input.iter().filter(|&&other| other == letter).count();
        match self {
            Task::EvenPairs => vec![u16::from(input.first() == input.last())],
            Task::ParityCheck => vec![u16::from(count(1).is_multiple_of(2))],
            Task::CycleNavigation => {
                let step = |place: u16, step: &u16| (place + [0, 1, MODULUS - 1][usize::from(*step)]) % MODULUS;
                vec![input.iter().fold(0, step)]
            }
            Task::ModularArithmetic | Task::ModularArithmeticBrackets => vec![value(input)],
            Task::SolveEquation => {
                let Some(equals) = input.iter().position(|&symbol| symbol == EQUALS) else { return Vec::new() };
                let fits = |number: &u16| {
                    let put = |symbol: &u16| if *symbol == UNKNOWN { *number } else { *symbol };
                    value(&input[..equals].iter().map(put).collect::<Vec<_>>()) == input[equals + 1]
                };
                let all: Vec<u16> = (0..MODULUS).filter(fits).collect();
                if all.len() == 1 { all } else { Vec::new() }
            }
            Task::StackManipulation => {
                let mut stack = Vec::new();
                for &symbol in input {
                    match symbol {
                        2 => drop(stack.pop()),
                        3 | 4 => stack.push(symbol - 3),
                        letter => stack.push(letter),
                    }
                }
                stack.reverse();
                stack
            }
            Task::ReverseString => input.iter().rev().copied().collect(),
            Task::DuplicateString => [input, input].concat(),
            Task::MissingDuplicate => {
                let half = input.len() / 2;
                let hidden = input.iter().position(|&symbol| symbol == 2);
                hidden.map(|hidden| input[(hidden + half) % input.len()]).into_iter().collect()
            }
            Task::OddsFirst => {
                let odd = input.iter().step_by(2);
                odd.chain(input.iter().skip(1).step_by(2)).copied().collect()
            }
            Task::BinaryAddition | Task::BinaryMultiplication => {
                let Some(middle) = input.iter().position(|&symbol| symbol == 2) else { return Vec::new() };
                let (first, second) = (&input[..middle], &input[middle + 1..]);
                let mut digits = vec![0u16; input.len()];
                if self == Task::BinaryAddition {
                    for number in [first, second] {
                        number.iter().zip(&mut digits).for_each(|(digit, sum)| *sum += digit);
                    }
                } else {
                    for (place, &digit) in first.iter().enumerate() {
                        second.iter().zip(&mut digits[place..]).for_each(|(other, sum)| *sum += digit * other);
                    }
                }
                carry(&mut digits);
                digits
            }
            Task::ComputeSqrt => square_root(input),
            Task::BucketSort => {
                let mut sorted = input.to_vec();
                sorted.sort_unstable();
                sorted
            }
        }
    }
}

/// Carries in base 2, lowest digit first, and drops zeros at the high end, all but one.
fn carry(digits: &mut Vec<u16>) {
    let mut carried = 0;
    for digit in digits.iter_mut() {
        let sum = *digit + carried;
        (*digit, carried) = (sum % 2, sum / 2);
    }
    while digits.len() > 1 && digits.last() == Some(&0) {
        digits.pop();
    }
}

/// The whole part of a square root, digit by digit, highest first; numbers of any length.
fn square_root(number: &[u16]) -> Vec<u16> {
    // remainder and root as digits, highest first; two digits of the number come down at a time.
    let mut padded = vec![0; number.len() % 2];
    padded.extend_from_slice(number);
    let (mut remainder, mut root): (Vec<u16>, Vec<u16>) = (Vec::new(), Vec::new());
    for pair in padded.chunks_exact(2) {
        remainder.extend_from_slice(pair);
        let trial: Vec<u16> = root.iter().copied().chain([0, 1]).collect();
        match subtract(&remainder, &trial) {
            Some(rest) => {
                remainder = rest;
                root.push(1);
            }
            None => root.push(0),
        }
    }
    let first = root.iter().position(|&digit| digit == 1).unwrap_or(root.len().saturating_sub(1));
    root.split_off(first)
}

/// a − b in base 2, highest digit first; `None` below zero.
fn subtract(a: &[u16], b: &[u16]) -> Option<Vec<u16>> {
    let width = a.len().max(b.len());
    let wide = |digits: &[u16]| [vec![0; width - digits.len()], digits.to_vec()].concat();
    let (mut a, b) = (wide(a), wide(b));
    let mut borrowed = 0;
    for place in (0..width).rev() {
        let take = b[place] + borrowed;
        borrowed = u16::from(a[place] < take);
        a[place] = a[place] + 2 * borrowed - take;
    }
    (borrowed == 0).then_some(a)
}

/// A random expression with brackets of `length` symbols, and the places of its numbers.
fn expression(length: usize, chance: &mut Stream) -> (Vec<u16>, Vec<usize>) {
    let mut text = Vec::with_capacity(length);
    write_expression(length, chance, &mut text);
    let places = (0..text.len()).filter(|&place| text[place] < MODULUS).collect();
    (text, places)
}

/// `-e`, `(e)` and `(e op e)`, as long as there is room.
fn write_expression(room: usize, chance: &mut Stream, text: &mut Vec<u16>) {
    match room {
        0 | 1 => text.push(chance.below(u64::from(MODULUS)) as u16),
        2 => {
            text.push(MINUS);
            write_expression(1, chance, text);
        }
        3 | 4 => {
            text.push(OPEN);
            write_expression(room - 2, chance, text);
            text.push(CLOSE);
        }
        _ => {
            // Two brackets and an operator; the rest is shared.
            let left = 1 + chance.below(room as u64 - 4) as usize;
            text.push(OPEN);
            write_expression(left, chance, text);
            text.push(PLUS + chance.below(3) as u16);
            write_expression(room - 3 - left, chance, text);
            text.push(CLOSE);
        }
    }
}

/// The value of an expression modulo 5; products before sums.
fn value(text: &[u16]) -> u16 {
    let mut place = 0;
    sum(text, &mut place)
}

fn sum(text: &[u16], place: &mut usize) -> u16 {
    let mut total = product(text, place);
    while let Some(&sign @ (PLUS | MINUS)) = text.get(*place) {
        *place += 1;
        let term = product(text, place);
        total = (total + if sign == PLUS { term } else { MODULUS - term }) % MODULUS;
    }
    total
}

fn product(text: &[u16], place: &mut usize) -> u16 {
    let mut total = factor(text, place);
    while text.get(*place) == Some(&TIMES) {
        *place += 1;
        total = total * factor(text, place) % MODULUS;
    }
    total
}

fn factor(text: &[u16], place: &mut usize) -> u16 {
    let symbol = text.get(*place).copied();
    *place += 1;
    match symbol {
        Some(MINUS) => (MODULUS - factor(text, place)) % MODULUS,
        Some(OPEN) => {
            let inside = sum(text, place);
            *place += 1;
            inside
        }
        Some(number) if number < MODULUS => number,
        // Nothing that is drawn gets here.
        _ => 0,
    }
}
