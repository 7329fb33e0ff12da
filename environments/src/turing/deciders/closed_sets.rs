//! N-gram closed position sets (N. Fenner's decider; with memory: mxdys).
//!
//! A context is a state, the cell under the head and n cells on either side. Beside the contexts, all windows of n
//! cells that can occur anywhere on the left and on the right are kept. Where a step brings an unknown cell into a
//! context, every window seen on that side that fits gives one. If the set closes without a halt, the machine never
//! halts. Cells may carry the entries last used on them, which changes nothing for the machine and tells more contexts
//! apart.

use std::collections::HashMap;
use std::hash::Hash;

use crate::turing::machine::{Machine, Move};

/// What is remembered of each cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Memory {
    /// Its symbol alone.
    None,
    /// The last entries used on it, so many.
    Last(usize),
    /// Every entry used on it, in the order of their latest use.
    Latest,
}

impl Memory {
    /// What is remembered after `entry` was used on a cell.
    fn after(self, remembered: &[u8], entry: u8) -> Vec<u8> {
        match self {
            Memory::None => Vec::new(),
            Memory::Last(most) => std::iter::once(entry).chain(remembered.iter().copied()).take(most).collect(),
            Memory::Latest => {
                let others = remembered.iter().copied().filter(|&other| other != entry);
                std::iter::once(entry).chain(others).collect()
            }
        }
    }
}

/// Things numbered in the order in which they are met.
struct Numbered<T> {
    numbers: HashMap<T, u32>,
    things: Vec<T>,
}

impl<T: Hash + Eq + Clone> Numbered<T> {
    fn new() -> Numbered<T> {
        Numbered { numbers: HashMap::new(), things: Vec::new() }
    }

    fn number(&mut self, thing: T) -> u32 {
        if let Some(&number) = self.numbers.get(&thing) {
            return number;
        }
        let number = self.things.len() as u32;
        self.things.push(thing.clone());
        self.numbers.insert(thing, number);
        number
    }
}

/// State, cell, window on the left and on the right (nearest cell first), all but the state by number.
type Context = (u8, u32, [u32; 2]);

/// One side of the tape.
#[derive(Default)]
struct Side {
    windows: Vec<bool>,
    /// By the first n − 1 cells of a window: the windows seen.
    seen: HashMap<Vec<u32>, Vec<u32>>,
    /// By the n − 1 cells that are known: contexts that wait for the last one.
    waiting: HashMap<Vec<u32>, Vec<Context>>,
}

struct Search {
    windows: Numbered<Vec<u32>>,
    sides: [Side; 2],
    contexts: Numbered<Context>,
}

impl Search {
    /// A window occurs on a side.
    fn add(&mut self, side: usize, window: u32) {
        let known = &mut self.sides[side].windows;
        if known.len() <= window as usize {
            known.resize(window as usize + 1, false);
        }
        if std::mem::replace(&mut known[window as usize], true) {
            return;
        }
        let cells = &self.windows.things[window as usize];
        let start = cells[..cells.len() - 1].to_vec();
        if let Some(contexts) = self.sides[side].waiting.get(&start) {
            for &(state, cell, mut windows) in contexts {
                windows[side] = window;
                self.contexts.number((state, cell, windows));
            }
        }
        self.sides[side].seen.entry(start).or_default().push(window);
    }

    /// A context occurs whose window on a side starts with `start`.
    fn expect(&mut self, side: usize, start: Vec<u32>, context: Context) {
        if let Some(windows) = self.sides[side].seen.get(&start) {
            for &window in windows {
                let mut context = context;
                context.2[side] = window;
                self.contexts.number(context);
            }
        }
        let waiting = self.sides[side].waiting.entry(start).or_default();
        if !waiting.contains(&context) {
            waiting.push(context);
        }
    }
}

/// Whether a closed set of at most `most` contexts proves that the machine never halts.
pub(super) fn closes(machine: &Machine, cells: usize, memory: Memory, most: usize) -> bool {
    let symbols = machine.symbols() as u8;
    // A cell: its symbol, then what is remembered of it.
    let mut kinds: Numbered<Vec<u8>> = Numbered::new();
    let blank = kinds.number(vec![0]);
    let mut search =
        Search { windows: Numbered::new(), sides: [Side::default(), Side::default()], contexts: Numbered::new() };
    let blanks = search.windows.number(vec![blank; cells]);
    search.add(0, blanks);
    search.add(1, blanks);
    search.contexts.number((0, blank, [blanks; 2]));
    let mut next = 0;
    while let Some(&(state, cell, windows)) = search.contexts.things.get(next) {
        next += 1;
        if search.contexts.things.len() > most {
            return false;
        }
        let kind = &kinds.things[cell as usize];
        let symbol = kind[0];
        let Some(transition) = machine.entry(state, symbol) else {
            return false;
        };
        let Some(next_state) = transition.next else {
            return false;
        };
        let mut left_behind = vec![transition.write];
        left_behind.extend(memory.after(&kind[1..], state * symbols + symbol));
        let left_behind = kinds.number(left_behind);
        // The side it moves to loses its nearest cell to the head; the other side gains what was left behind.
        let (to, from) = if transition.shift == Move::Left { (0, 1) } else { (1, 0) };
        let old = &search.windows.things[windows[from] as usize];
        let gained = std::iter::once(left_behind).chain(old[..cells - 1].iter().copied()).collect();
        let gained = search.windows.number(gained);
        search.add(from, gained);
        let entered = &search.windows.things[windows[to] as usize];
        let (head, start) = (entered[0], entered[1..].to_vec());
        // The window that is not known yet is left at 0, so that equal expectations are equal.
        let mut expected = [0; 2];
        expected[from] = gained;
        search.expect(to, start, (next_state, head, expected));
    }
    true
}
