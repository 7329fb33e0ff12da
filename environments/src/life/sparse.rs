//! Stepping sets of live cells, each as if alone on the torus, and finding where they influence each other.

use super::board::Board;
use super::step::Stepper;

/// A live cell as `row * width + column`.
pub(super) type Cell = u32;

const NONE: u32 = u32::MAX;

/// Scratch space for one board size and rule.
pub(super) struct Field<'a> {
    pub(super) width: u32,
    pub(super) height: u32,
    table: &'a [bool; 512],
    /// First entry of a cell that a group touches.
    first: Vec<u32>,
    touched: Vec<Cell>,
    entries: Vec<Entry>,
}

/// What one group shows to one cell: the group's part of its neighbourhood.
#[derive(Clone, Copy)]
struct Entry {
    group: u32,
    neighbourhood: u16,
    next: u32,
}

impl<'a> Field<'a> {
    pub(super) fn new(board: &Board, stepper: &'a Stepper) -> Field<'a> {
        Field {
            width: board.width(),
            height: board.height(),
            table: stepper.table(),
            first: vec![NONE; board.area()],
            touched: Vec::new(),
            entries: Vec::new(),
        }
    }

    pub(super) fn column_row(&self, cell: Cell) -> (u32, u32) {
        (cell % self.width, cell / self.width)
    }

    /// A cell moved by (columns, rows), wrapping.
    pub(super) fn moved(&self, cell: Cell, displacement: (i32, i32)) -> Cell {
        let (column, row) = self.column_row(cell);
        let column = (i64::from(column) + i64::from(displacement.0)).rem_euclid(i64::from(self.width)) as u32;
        let row = (i64::from(row) + i64::from(displacement.1)).rem_euclid(i64::from(self.height)) as u32;
        row * self.width + column
    }

    /// The cell and its eight neighbours with the bit under which each of them sees the cell.
    fn around(&self, cell: Cell) -> [(Cell, u16); 9] {
        let (column, row) = self.column_row(cell);
        let columns = [before(column, self.width), column, after(column, self.width)];
        let rows = [before(row, self.height), row, after(row, self.height)];
        std::array::from_fn(|index| {
            let (down, right) = (index / 3, index % 3);
            (rows[down] * self.width + columns[right], 1 << ((2 - down) * 3 + 2 - right))
        })
    }

    /// The cell and its eight neighbours.
    pub(super) fn moore(&self, cell: Cell) -> [Cell; 9] {
        self.around(cell).map(|(cell, _)| cell)
    }

    fn touch(&mut self, group: u32, cells: &[Cell]) {
        for &cell in cells {
            for (target, bit) in self.around(cell) {
                let mut entry = self.first[target as usize];
                if entry == NONE {
                    self.touched.push(target);
                }
                while entry != NONE && self.entries[entry as usize].group != group {
                    entry = self.entries[entry as usize].next;
                }
                if entry == NONE {
                    let next = self.first[target as usize];
                    self.first[target as usize] = self.entries.len() as u32;
                    self.entries.push(Entry { group, neighbourhood: bit, next });
                } else {
                    self.entries[entry as usize].neighbourhood |= bit;
                }
            }
        }
    }

    fn clear(&mut self) {
        for cell in self.touched.drain(..) {
            self.first[cell as usize] = NONE;
        }
        self.entries.clear();
    }

    fn entries_of(&self, cell: Cell) -> impl Iterator<Item = Entry> + '_ {
        let mut entry = self.first[cell as usize];
        std::iter::from_fn(move || {
            let found = *self.entries.get(entry as usize)?;
            entry = found.next;
            Some(found)
        })
    }

    /// The next step of a set that is alone, in ascending order.
    pub(super) fn step(&mut self, cells: &[Cell]) -> Vec<Cell> {
        self.touch(0, cells);
        let live = |cell: &Cell| {
            let entry = self.entries[self.first[*cell as usize] as usize];
            self.table[entry.neighbourhood as usize]
        };
        let mut next: Vec<Cell> = self.touched.iter().copied().filter(live).collect();
        next.sort_unstable();
        self.clear();
        next
    }

    /// Steps all groups, joining those for which the next step together is not the union of their next steps apart.
    /// `groups[i]` becomes the next step of all groups joined to `i` if `joined[i] == i`, and empty if group i was
    /// joined to the lower-numbered `joined[i]`.
    pub(super) fn step_groups(&mut self, groups: &mut [Vec<Cell>]) -> Vec<usize> {
        for (number, cells) in groups.iter().enumerate() {
            self.touch(number as u32, cells);
        }
        let mut joined: Vec<usize> = (0..groups.len()).collect();
        let shared: Vec<Cell> =
            self.touched.iter().copied().filter(|&cell| self.entries_of(cell).nth(1).is_some()).collect();
        let mut shown: Vec<(usize, u16)> = Vec::new();
        loop {
            let mut settled = true;
            for &cell in &shared {
                self.gather(cell, &joined, &mut shown);
                if !self.influenced(&shown) {
                    continue;
                }
                // The fewest that explain it are joined: pairs if there is such a pair, else all.
                let pairs: Vec<(usize, usize)> = (0..shown.len())
                    .flat_map(|second| (0..second).map(move |first| (first, second)))
                    .filter(|&(first, second)| self.influenced(&[shown[first], shown[second]]))
                    .map(|(first, second)| (shown[first].0, shown[second].0))
                    .collect();
                match pairs.first() {
                    Some(&(first, second)) => join(&mut joined, first, second),
                    None => (1..shown.len()).for_each(|other| join(&mut joined, shown[0].0, shown[other].0)),
                }
                settled = false;
            }
            if settled {
                break;
            }
        }
        groups.iter_mut().for_each(Vec::clear);
        for &cell in &self.touched {
            self.gather(cell, &joined, &mut shown);
            for &(group, part) in &shown {
                if self.table[part as usize] {
                    groups[group].push(cell);
                }
            }
        }
        groups.iter_mut().for_each(|cells| cells.sort_unstable());
        self.clear();
        joined
    }

    /// Whether a cell's next state is other than it would be if each group were alone and the results laid over
    /// each other.
    fn influenced(&self, shown: &[(usize, u16)]) -> bool {
        let together = shown.iter().fold(0, |all, &(_, part)| all | part);
        let apart = shown.iter().any(|&(_, part)| self.table[part as usize]);
        self.table[together as usize] != apart
    }

    /// What each joined group shows to a cell.
    fn gather(&self, cell: Cell, joined: &[usize], shown: &mut Vec<(usize, u16)>) {
        shown.clear();
        for entry in self.entries_of(cell) {
            let group = joined[entry.group as usize];
            match shown.iter_mut().find(|(known, _)| *known == group) {
                Some((_, part)) => *part |= entry.neighbourhood,
                None => shown.push((group, entry.neighbourhood)),
            }
        }
    }

    /// The live cells' 8-connected components, each ascending, ordered by their first cell.
    pub(super) fn components(&self, board: &Board) -> Vec<Vec<Cell>> {
        let mut rest = vec![false; board.area()];
        let live: Vec<Cell> = board.live().map(|(column, row)| row * self.width + column).collect();
        for &cell in &live {
            rest[cell as usize] = true;
        }
        let mut components = Vec::new();
        for start in live {
            if !std::mem::take(&mut rest[start as usize]) {
                continue;
            }
            let mut component = vec![start];
            let mut reached = 0;
            while let Some(&cell) = component.get(reached) {
                reached += 1;
                component
                    .extend(self.moore(cell).into_iter().filter(|&other| std::mem::take(&mut rest[other as usize])));
            }
            component.sort_unstable();
            components.push(component);
        }
        components
    }
}

/// Puts everything joined to two groups under the lower of their numbers.
fn join(joined: &mut [usize], first: usize, second: usize) {
    let (first, second) = (joined[first], joined[second]);
    let lowest = first.min(second);
    for group in joined.iter_mut().filter(|group| **group == first || **group == second) {
        *group = lowest;
    }
}

fn before(value: u32, side: u32) -> u32 {
    if value == 0 { side - 1 } else { value - 1 }
}

fn after(value: u32, side: u32) -> u32 {
    if value + 1 == side { 0 } else { value + 1 }
}
