//! Macrocell (`.mc`): a quadtree with shared nodes, two-state (8×8 leaves) or many-state (2×2 leaves).

use std::collections::HashMap;
use std::fmt::Write;

use super::{FARTHEST, Format, FormatError, MOST_CELLS, PatternFile, moved, one_line, origin};
use crate::automata::pattern::{Cell, Pattern};

const FORMAT: Format = Format::Macrocell;

/// The deepest tree that is read; its side is 2^60 cells.
const DEEPEST: u32 = 60;

#[derive(Clone, PartialEq, Eq, Hash)]
enum Node {
    /// An 8×8 leaf, bit 8 y + x.
    Bits(u64),
    /// A 2×2 leaf of states: NW, NE, SW, SE.
    States([u8; 4]),
    /// Numbers of earlier nodes, 0 for an empty one: NW, NE, SW, SE.
    Inner([usize; 4]),
}

struct Tree {
    /// Node, level (side 2^level) and population of each; the first is the empty node, of any level.
    nodes: Vec<(Node, u32, u64)>,
}

pub(super) fn read(text: &str) -> Result<PatternFile, FormatError> {
    let mut file = PatternFile::default();
    let mut tree = Tree { nodes: vec![(Node::Bits(0), 0, 0)] };
    let mut last = 1;
    for (number, line) in text.lines().enumerate() {
        let (number, line) = (number + 1, line.trim());
        last = number;
        if number == 1 || line.is_empty() {
            if number == 1 && !line.starts_with("[M2]") {
                return Err(FormatError::new(FORMAT, number, "a macrocell file starts with [M2]"));
            }
        } else if let Some(remark) = line.strip_prefix('#') {
            match remark.chars().next() {
                Some('R') => file.rule = Some(remark[1..].trim().to_string()),
                Some('G') => file.generation = remark[1..].trim().parse().unwrap_or(0),
                _ => file.comments.push(remark.strip_prefix('C').unwrap_or(remark).trim().to_string()),
            }
        } else {
            tree.line(line).map_err(|message| FormatError::new(FORMAT, number, message))?;
        }
    }
    let root = tree.nodes.len() - 1;
    let (_, level, population) = tree.nodes[root];
    if population > MOST_CELLS as u64 {
        return Err(FormatError::too_many_cells(FORMAT, last));
    }
    let mut cells = Vec::new();
    let half = if root == 0 { 0 } else { 1i64 << (level - 1) };
    if !tree.emit(root, -half, -half, &mut cells) {
        return Err(FormatError::too_far(FORMAT, last));
    }
    let (left, top) = origin(file.rule.as_deref());
    file.pattern = moved(Pattern::from_cells(cells), -left, -top).ok_or_else(|| FormatError::too_far(FORMAT, last))?;
    Ok(file)
}

impl Tree {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let node = if line.starts_with(['.', '*', '$']) { leaf(line)? } else { self.inner(line)? };
        self.nodes.push(node);
        Ok(())
    }

    fn inner(&self, line: &str) -> Result<(Node, u32, u64), String> {
        let mut words = line.split_ascii_whitespace();
        let mut next = || words.next().and_then(|word| word.parse::<usize>().ok());
        let (Some(level), Some(a), Some(b), Some(c), Some(d)) = (next(), next(), next(), next(), next()) else {
            return Err("a node is a level and four numbers, or an 8×8 leaf of '.', '*' and '$'".to_string());
        };
        let children = [a, b, c, d];
        if level == 1 {
            let mut states = [0u8; 4];
            for (state, child) in states.iter_mut().zip(children) {
                *state = u8::try_from(child).map_err(|_| format!("state {child}: 255 is the highest"))?;
            }
            let population = states.iter().filter(|&&state| state != 0).count() as u64;
            return Ok((Node::States(states), 1, population));
        }
        if level < 2 || level > DEEPEST as usize {
            return Err(format!("level {level}: from 1 to {DEEPEST} is possible"));
        }
        let mut population = 0u64;
        for child in children {
            match self.nodes.get(child) {
                None => return Err(format!("node {child} comes later or not at all")),
                Some((_, found, _)) if child != 0 && *found as usize != level - 1 => {
                    return Err(format!("node {child} is of level {found}, not {}", level - 1));
                }
                Some((.., cells)) => population = population.saturating_add(*cells),
            }
        }
        Ok((Node::Inner(children), level as u32, population))
    }

    /// Collects the cells below a node with the given corner; false if one lies too far out.
    fn emit(&self, index: usize, x: i64, y: i64, cells: &mut Vec<Cell>) -> bool {
        let (node, level, population) = &self.nodes[index];
        if *population == 0 {
            return true;
        }
        let mut put = |x: i64, y: i64, state: u8| {
            let near = x.unsigned_abs().max(y.unsigned_abs()) <= FARTHEST as u64;
            if near && state != 0 {
                cells.push(Cell { x: x as i32, y: y as i32, state });
            }
            near || state == 0
        };
        match node {
            Node::Bits(bits) => (0..64).all(|bit| put(x + bit % 8, y + bit / 8, (bits >> bit & 1) as u8)),
            Node::States(states) => (0..4).all(|i| put(x + i % 2, y + i / 2, states[i as usize])),
            Node::Inner(children) => {
                let half = 1i64 << (level - 1);
                (0..4).all(|i| self.emit(children[i as usize], x + i % 2 * half, y + i / 2 * half, cells))
            }
        }
    }
}

fn leaf(line: &str) -> Result<(Node, u32, u64), String> {
    let (mut bits, mut x, mut y) = (0u64, 0, 0);
    for character in line.chars() {
        match character {
            '$' => (x, y) = (0, y + 1),
            '.' | '*' if x < 8 && y < 8 => {
                bits |= u64::from(character == '*') << (8 * y + x);
                x += 1;
            }
            '.' | '*' => return Err("a leaf has 8 rows of 8 cells".to_string()),
            other => return Err(format!("'{other}' in a leaf")),
        }
    }
    Ok((Node::Bits(bits), 3, u64::from(bits.count_ones())))
}

pub(super) fn write(file: &PatternFile) -> String {
    let mut text = String::from("[M2] (stance)\n");
    if let Some(rule) = &file.rule {
        let _ = writeln!(text, "#R {}", one_line(rule));
    }
    if file.generation > 0 {
        let _ = writeln!(text, "#G {}", file.generation);
    }
    for comment in &file.comments {
        let _ = writeln!(text, "#C {}", one_line(comment));
    }
    let many = file.pattern.highest_state() > 1 || matches!(file.rule(), Ok(Some(rule)) if rule.states() > 2);
    let leaf_level = if many { 1 } else { 3 };
    let (left, top) = origin(file.rule.as_deref());
    let placed = moved(file.pattern.clone(), left, top).unwrap_or_else(|| file.pattern.clone());
    let cells: Vec<Cell> = placed.cells().to_vec();
    let reach = |cell: &Cell| i64::from(cell.x).max(i64::from(cell.y)).max(-1 - i64::from(cell.x).min(cell.y.into()));
    let farthest = cells.iter().map(reach).max().unwrap_or(0);
    let mut level = leaf_level + 1;
    while 1i64 << (level - 1) <= farthest {
        level += 1;
    }
    let mut writer = Writer { known: HashMap::new(), text, leaf_level };
    let half = 1i64 << (level - 1);
    let root = writer.node(cells, level, -half, -half);
    if root == 0 {
        // An empty tree still needs a root.
        writer.text.push_str(if many { "1 0 0 0 0\n" } else { "$\n" });
    }
    writer.text
}

struct Writer {
    known: HashMap<Node, usize>,
    text: String,
    leaf_level: u32,
}

impl Writer {
    /// Writes what is needed for these cells below a corner and returns the node's number.
    fn node(&mut self, cells: Vec<Cell>, level: u32, x: i64, y: i64) -> usize {
        if cells.is_empty() {
            return 0;
        }
        let offset = |cell: &Cell| ((i64::from(cell.x) - x) as usize, (i64::from(cell.y) - y) as usize);
        let node = if level == self.leaf_level && level == 3 {
            Node::Bits(cells.iter().map(offset).fold(0, |bits, (x, y)| bits | 1 << (8 * y + x)))
        } else if level == self.leaf_level {
            let mut states = [0; 4];
            for cell in &cells {
                let (x, y) = offset(cell);
                states[2 * y + x] = cell.state;
            }
            Node::States(states)
        } else {
            let half = 1i64 << (level - 1);
            let mut parts: [Vec<Cell>; 4] = Default::default();
            for cell in cells {
                let (dx, dy) = (i64::from(cell.x) - x >= half, i64::from(cell.y) - y >= half);
                parts[usize::from(dy) * 2 + usize::from(dx)].push(cell);
            }
            let mut children = [0; 4];
            for (i, part) in parts.into_iter().enumerate() {
                let (dx, dy) = ((i % 2) as i64, (i / 2) as i64);
                children[i] = self.node(part, level - 1, x + dx * half, y + dy * half);
            }
            Node::Inner(children)
        };
        if let Some(&number) = self.known.get(&node) {
            return number;
        }
        match &node {
            Node::Bits(bits) => self.text.push_str(&leaf_text(*bits)),
            Node::States([a, b, c, d]) => {
                let _ = write!(self.text, "1 {a} {b} {c} {d}");
            }
            Node::Inner([a, b, c, d]) => {
                let _ = write!(self.text, "{level} {a} {b} {c} {d}");
            }
        }
        self.text.push('\n');
        let number = self.known.len() + 1;
        self.known.insert(node, number);
        number
    }
}

fn leaf_text(bits: u64) -> String {
    let mut text = String::new();
    let rows = 8 - bits.leading_zeros() / 8;
    for y in 0..rows {
        let row = bits >> (8 * y) & 0xff;
        text.extend((0..64 - row.leading_zeros()).map(|x| if row >> x & 1 == 1 { '*' } else { '.' }));
        text.push('$');
    }
    text
}
