//! Boards of any rule as subjects: pattern files, and soups of a rule that is named.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use environments::automata::formats::{Format, PatternFile};
use environments::automata::grid::Grid;
use environments::automata::{Cell, Pattern, Rule, Topology, Torus};
use environments::life::{LifeConfig, LifeWorld, Mix, pattern_cells};
use environments::{Address, Draw, Edit, Outline, Scene, Split, stream};
use models::ModelSpec;

use crate::board::{BoardScene, Meaning};
use crate::life::named_patterns;
use crate::subject::{Asks, Fact, Observed, Subject};
use crate::view::Tool;

mod objects;

use objects::Known;

/// The longest side of a board that is opened, in cells.
const LARGEST: u32 = 2048;

/// Bytes that the frames of a board may take, a byte a cell.
const BUDGET: usize = 128 << 20;

/// Steps that are simulated: as many as the budget allows within these.
const STEPS: (usize, usize) = (16, 1000);

/// Columns and rows of soups.
const SOUP: (u32, u32) = (160, 120);

/// Objects are told on boards of at most so many cells; telling them follows every object alone.
const RECOGNISED: usize = 160 * 160;

/// Where boards begin.
#[derive(Clone, Debug)]
enum Start {
    /// A pattern, in the middle.
    Pattern(Vec<u8>),
    /// Cells that are live by chance; every episode is another.
    Soup,
}

/// A board of any rule.
pub struct AutomatonSubject {
    rule: Rule,
    size: (u32, u32),
    start: Start,
    /// What Life's own objects are called.
    life: Option<Arc<LifeWorld>>,
    known: Arc<Mutex<Known>>,
}

impl AutomatonSubject {
    /// A pattern in the middle of the surface that its rule names, or else of a torus that leaves it some room.
    ///
    /// # Errors
    /// If its rule cannot be read, it has states that the rule has not, or it is too large; in one sentence.
    pub fn from_pattern(file: &PatternFile) -> Result<Self, String> {
        let Some(bounds) = file.pattern.bounding_box() else { return Err("the pattern has no live cell".into()) };
        let rule = Rule::parse(file.rule.as_deref().unwrap_or("B3/S23")).map_err(|error| error.to_string())?;
        if file.pattern.highest_state() > rule.highest_state() {
            return Err(format!(
                "the pattern has {} states, and the rule {rule} has {}",
                u16::from(file.pattern.highest_state()) + 1,
                rule.states()
            ));
        }
        let side = |length: u32| (length + (length / 2).clamp(12, 64)).max(24).next_multiple_of(2);
        let room = (side(bounds.width), side(bounds.height));
        let size = if rule.topology().is_finite() { rule.topology().size() } else { room };
        if size.0.max(size.1) > LARGEST {
            return Err(format!(
                "the pattern covers {}×{} cells; at most {LARGEST}×{LARGEST} with room around it are drawn here",
                bounds.width, bounds.height
            ));
        }
        let mut cells = vec![0; size.0 as usize * size.1 as usize];
        let middle = |size: u32, length: u32| size.saturating_sub(length) / 2;
        let (west, north) = (middle(size.0, bounds.width), middle(size.1, bounds.height));
        for cell in file.pattern.cells() {
            let column = ((cell.x - bounds.x) as u32 + west) % size.0;
            let row = ((cell.y - bounds.y) as u32 + north) % size.1;
            cells[(row * size.0 + column) as usize] = cell.state;
        }
        Ok(Self::new(rule, size, Start::Pattern(cells)))
    }

    /// Soups of a rule, on the surface that it names or on a torus.
    ///
    /// # Errors
    /// If the surface is too large.
    pub fn soups(rule: Rule) -> Result<Self, String> {
        let size = if rule.topology().is_finite() { rule.topology().size() } else { SOUP };
        if size.0.max(size.1) > LARGEST {
            return Err(format!(
                "the surface of {rule} is too large; at most {LARGEST}×{LARGEST} cells are drawn here"
            ));
        }
        Ok(Self::new(rule, size, Start::Soup))
    }

    fn new(rule: Rule, size: (u32, u32), start: Start) -> Self {
        let rule = match rule.topology().is_finite() {
            true => rule,
            false => rule.with_topology(Topology::Torus { width: size.0, height: size.1, shift_x: 0, shift_y: 0 }),
        };
        let life = life(&rule, size);
        Self { rule, size, start, life, known: Arc::default() }
    }

    fn first(&self, split: Split, index: u64) -> Vec<u8> {
        match &self.start {
            Start::Pattern(cells) => cells.clone(),
            Start::Soup => {
                let mut stream = stream(&["viewer soup", &self.rule.to_string(), split.name(), &index.to_string()]);
                // Three cells in eight: near to what lives longest under Life, and little under none.
                let cell = |_| u8::from(stream.below(8) < 3);
                (0..self.size.0 as usize * self.size.1 as usize).map(cell).collect()
            }
        }
    }

    /// The rule and the board at t after edits.
    fn edited(&self, split: Split, index: u64, edits: &[Edit]) -> Result<(Rule, Vec<u8>), String> {
        let (mut rule, mut cells) = (self.rule.clone(), self.first(split, index));
        let (width, height) = self.size;
        for edit in edits {
            match edit {
                Edit::Paint { cells: painted, state } => {
                    if *state > rule.highest_state() {
                        return Err(format!("state {state} is none of {rule}; the last is {}", rule.highest_state()));
                    }
                    for &(column, row) in painted {
                        if column >= width || row >= height {
                            return Err(format!("cell ({column}, {row}) is off the board of {width}×{height} cells"));
                        }
                        cells[(row * width + column) as usize] = *state;
                    }
                }
                Edit::Place { pattern, column, row } => {
                    for (x, y) in pattern_cells(pattern).map_err(|error| error.to_string())? {
                        let at = (column + x as i32).rem_euclid(width as i32) as u32;
                        let down = (row + y as i32).rem_euclid(height as i32) as u32;
                        cells[(down * width + at) as usize] = 1;
                    }
                }
                Edit::Rule { rule: text } => {
                    let other = Rule::parse(text).map_err(|error| error.to_string())?;
                    rule = other.with_topology(self.rule.topology());
                    cells.iter_mut().for_each(|state| *state = (*state).min(rule.highest_state()));
                }
                _ => return Err("a board can be painted, patterns put down and its rule swapped".into()),
            }
        }
        Ok((rule, cells))
    }

    fn drawn(&self, rule: &Rule, cells: Vec<u8>) -> Result<Scene, String> {
        let (width, height) = self.size;
        let steps = (BUDGET / cells.len().max(1)).clamp(STEPS.0, STEPS.1);
        let frames = frames(rule, self.size, cells, steps)?;
        Ok(Scene::Board { width, height, states: rule.highest_state().saturating_add(1), frames, objects: Vec::new() })
    }
}

/// The world whose objects have names, where the rule is Life's own on a plain torus.
fn life(rule: &Rule, (width, height): (u32, u32)) -> Option<Arc<LifeWorld>> {
    let plain = matches!(rule.topology(), Topology::Torus { shift_x: 0, shift_y: 0, .. });
    let same = rule.clone().with_topology(Topology::Unbounded).to_string() == Rule::life().to_string();
    if !plain || !same || width as usize * height as usize > RECOGNISED {
        return None;
    }
    // The world lends its names; its own boards are never drawn.
    let mix = Mix { scenes: 0.0, ash: 0.0, soups: 1.0 };
    LifeWorld::new(LifeConfig { width, height, mix, ..LifeConfig::default() }).ok().map(Arc::new)
}

/// A pattern of a board's cells.
fn pattern(cells: &[u8], width: u32) -> Pattern {
    let live = cells.iter().enumerate().filter(|(_, state)| **state != 0);
    Pattern::from_cells(live.map(|(place, &state)| Cell {
        x: (place as u32 % width) as i32,
        y: (place as u32 / width) as i32,
        state,
    }))
}

/// A board and what becomes of it.
fn frames(rule: &Rule, (width, height): (u32, u32), cells: Vec<u8>, steps: usize) -> Result<Vec<Vec<u8>>, String> {
    let start = pattern(&cells, width);
    let mut frames = Vec::with_capacity(steps + 1);
    frames.push(cells);
    if let Some(mut torus) = Torus::with_pattern(rule, &start) {
        for _ in 0..steps {
            torus.advance(1);
            let mut frame = Vec::with_capacity(width as usize * height as usize);
            for row in 0..height as usize {
                let mut left = width as usize;
                for word in torus.row_words(row) {
                    let count = left.min(64);
                    frame.extend((0..count).map(|bit| (word >> bit & 1) as u8));
                    left -= count;
                }
            }
            frames.push(frame);
        }
        return Ok(frames);
    }
    let mut grid = Grid::new(rule, &start).map_err(|error| error.to_string())?;
    for _ in 0..steps {
        grid.step().map_err(|error| error.to_string())?;
        let mut frame = vec![0; width as usize * height as usize];
        for cell in grid.pattern().cells() {
            if let Some(slot) = frame.get_mut(cell.y as usize * width as usize + cell.x as usize) {
                *slot = cell.state;
            }
        }
        frames.push(frame);
    }
    Ok(frames)
}

/// What is said of the boards.
struct Spoken {
    rule: Rule,
    size: (u32, u32),
    life: Option<Arc<LifeWorld>>,
    known: Arc<Mutex<Known>>,
}

impl Meaning for Spoken {
    fn objects(&self, cells: &[u8]) -> Vec<Outline> {
        match &self.life {
            Some(world) => crate::life::outlines(world, self.size, cells),
            None if cells.len() > RECOGNISED => Vec::new(),
            None => objects::told(&self.rule, self.size, cells, &self.known),
        }
    }

    fn position_of(&self, (column, row): (u32, u32)) -> usize {
        (row * self.size.0 + column) as usize
    }

    fn patch(&self) -> u32 {
        1
    }
}

impl Subject for AutomatonSubject {
    fn about(&self) -> String {
        let (width, height) = self.size;
        let surface = match self.rule.topology() {
            Topology::Torus { .. } => "torus",
            Topology::Plane { .. } => "plane",
            Topology::Klein { .. } => "Klein bottle",
            Topology::CrossSurface { .. } => "cross-surface",
            Topology::Sphere { .. } => "sphere",
            Topology::Unbounded => "board",
        };
        let rule = self.rule.clone().with_topology(Topology::Unbounded);
        format!("{rule}, {surface} of {width}×{height} cells")
    }

    fn has_episodes(&self) -> bool {
        matches!(self.start, Start::Soup)
    }

    fn accepts(&self, _spec: &ModelSpec) -> Result<(), String> {
        Err("a board of its own has no model".into())
    }

    fn horizons(&self) -> &[u32] {
        &[]
    }

    fn observe(&self, split: Split, index: u64, edits: &[Edit]) -> Result<Observed, String> {
        let (rule, cells) = self.edited(split, index, edits)?;
        let swapped = edits.iter().any(|edit| matches!(edit, Edit::Rule { .. }));
        let original = match edits {
            [] => None,
            _ => Some(self.drawn(&self.rule, self.first(split, index))?),
        };
        let origin = match (&self.start, swapped) {
            (_, true) => format!("under {}", rule.clone().with_topology(Topology::Unbounded)),
            (Start::Pattern(_), false) => "pattern file".into(),
            (Start::Soup, false) => "soup".into(),
        };
        let (life, known) = match swapped {
            true => (life(&rule, self.size), Arc::default()),
            false => (self.life.clone(), self.known.clone()),
        };
        let spoken = Spoken { rule: rule.clone(), size: self.size, life, known };
        let scene = BoardScene::new(self.drawn(&rule, cells)?, original, &origin, Box::new(spoken));
        let (asks, scene) = (Asks::Each(Vec::new()), Box::new(scene));
        Ok(Observed { split, index, edits: edits.to_vec(), scene, asks, begin: 0 })
    }

    fn answer(&self, _logits: &[f32]) -> Vec<f32> {
        Vec::new()
    }

    fn facts(&self, _observed: &Observed, _step: u32, _cell: (u32, u32)) -> Vec<Fact> {
        Vec::new()
    }

    fn tools(&self) -> &'static [(Tool, &'static str)] {
        &[
            (Tool::Look, "look"),
            (Tool::Draw, "draw"),
            (Tool::Erase, "erase"),
            (Tool::Drop, "drop"),
            (Tool::Move, "move"),
        ]
    }

    fn palette(&self, _observed: &Observed) -> Vec<String> {
        named_patterns()
    }

    /// Beside patterns, rules: what is put down then is another rule for the whole board.
    fn footprint(&self, name: &str) -> Result<Vec<(u32, u32)>, String> {
        match (pattern_cells(name), Rule::parse(name)) {
            (Ok(cells), _) => Ok(cells),
            (Err(_), Ok(_)) => Ok(Vec::new()),
            (Err(error), Err(_)) => Err(error.to_string()),
        }
    }

    fn place(&self, _observed: &Observed, name: &str, (column, row): (i32, i32)) -> Result<Edit, String> {
        Ok(match self.footprint(name)?.is_empty() {
            true => Edit::Rule { rule: name.into() },
            false => Edit::Place { pattern: name.into(), column, row },
        })
    }

    fn shift(&self, observed: &Observed, cell: (u32, u32), (columns, rows): (i32, i32)) -> Result<Vec<Edit>, String> {
        let object = observed.scene.outlines(0).iter().find(|object| object.cells.contains(&cell));
        let object = object.ok_or_else(|| format!("no object covers the cell ({}, {}) at t", cell.0, cell.1))?;
        let (_, cells) = self.edited(observed.split, observed.index, &observed.edits)?;
        let wrap = |place: u32, by: i32, length: u32| (place as i32 + by).rem_euclid(length as i32) as u32;
        let mut by_state: BTreeMap<u8, Vec<(u32, u32)>> = BTreeMap::new();
        for &(x, y) in &object.cells {
            let state = cells[(y * self.size.0 + x) as usize];
            let moved = (wrap(x, columns, self.size.0), wrap(y, rows, self.size.1));
            by_state.entry(state).or_default().push(moved);
        }
        let gone = Edit::Paint { cells: object.cells.clone(), state: 0 };
        let there = by_state.into_iter().filter(|(state, _)| *state != 0);
        Ok(std::iter::once(gone).chain(there.map(|(state, cells)| Edit::Paint { cells, state })).collect())
    }

    fn written(&self) -> &'static str {
        "name, apgcode, RLE, file or rule"
    }

    fn paste(&self, text: &str) -> Result<String, String> {
        crate::life::pasted(text)
    }

    fn address(&self, _observed: &Observed) -> Option<(Address, Vec<Edit>)> {
        None
    }
}

/// RLE text of a pattern file's two-state pattern, without its header.
pub fn rle_body(file: PatternFile) -> String {
    let written = PatternFile { pattern: file.pattern.normalized(), ..file }.write(Format::Rle);
    written.lines().filter(|line| !line.starts_with(['#', 'x'])).collect()
}

#[cfg(test)]
mod tests;
