//! Exact recognition: which objects a board consists of, and what each of them is.
//!
//! **What is one object.** Live cells that touch (8-connected) belong together. So do clusters for which the next
//! step together is not the union of their next steps apart: they influence each other now. Clusters that come to
//! influence each other only later, within [`LONGEST_PERIOD`] steps, belong together exactly if their union, alone,
//! returns to itself: the two halves of a beacon do, a glider and the block it is about to hit do not. And what a
//! cluster throws off and makes anew in every period belongs to it, as in a pentadecathlon. So a pulsar is one object, and two blocks that do not feel each other are two, however close they lie.
//!
//! **What it is.** The object is simulated alone on the torus until it returns to itself, perhaps elsewhere, for at
//! most [`LONGEST_PERIOD`] steps. Its period and displacement decide its [`Class`]; its exact cells decide its name,
//! looked up among all orientations and phases of the [catalogue](super::catalogue). Nothing is matched by likeness.

use super::board::Board;
use super::catalogue::{self, Class, Heading, Variant};
use super::doom::Collision;
use super::sparse::{Cell, Field};
use super::step::Stepper;

/// The longest period that is looked for, in steps.
pub const LONGEST_PERIOD: u32 = 32;

/// The name and class of an object: a catalogue pattern, or one of four kinds without a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(u16);

impl Kind {
    const UNNAMED: [(&'static str, Class); 4] = [
        ("still-life-other", Class::StillLife),
        ("oscillator-other", Class::Oscillator),
        ("spaceship-other", Class::Spaceship),
        ("other", Class::Other),
    ];

    /// Every kind: the catalogue's in its order, then `still-life-other`, `oscillator-other`, `spaceship-other`
    /// and `other`.
    pub fn all() -> impl Iterator<Item = Kind> {
        (0..catalogue::patterns().len() + Kind::UNNAMED.len()).map(|index| Kind(index as u16))
    }

    /// The kind of a name such as `block` or `oscillator-other`.
    pub fn named(name: &str) -> Option<Kind> {
        Kind::all().find(|kind| kind.name() == name)
    }

    /// Its place in [`Kind::all`].
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        let patterns = catalogue::patterns();
        match patterns.get(self.index()) {
            Some(pattern) => pattern.name,
            None => Kind::UNNAMED[self.index() - patterns.len()].0,
        }
    }

    /// What objects of this kind do.
    pub fn class(self) -> Class {
        let patterns = catalogue::patterns();
        match patterns.get(self.index()) {
            Some(pattern) => pattern.class,
            None => Kind::UNNAMED[self.index() - patterns.len()].1,
        }
    }

    /// Whether it is a glider.
    pub fn is_glider(self) -> bool {
        self.name() == "glider"
    }

    pub(super) fn unnamed(class: Class) -> Kind {
        let unnamed = match class {
            Class::StillLife => 0,
            Class::Oscillator => 1,
            Class::Spaceship => 2,
            Class::Other => 3,
        };
        Kind((catalogue::patterns().len() + unnamed) as u16)
    }
}

/// One thing on a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its number: its place in the list of the board's objects, which is ordered by first cell, row-major.
    pub id: u32,
    /// Its name and class.
    pub kind: Kind,
    /// Its live cells as (column, row), in row-major order.
    pub cells: Vec<(u32, u32)>,
    /// For gliders: 0 to 3, see [the pictures](crate::life#the-phases-of-a-glider).
    pub phase: Option<u32>,
    /// For gliders: where it goes.
    pub heading: Option<Heading>,
    /// Steps until it, alone, returns to itself; `None` if that takes more than [`LONGEST_PERIOD`].
    pub period: Option<u32>,
    /// (columns, rows) it, alone, has moved after a period.
    pub displacement: (i32, i32),
    /// The smallest box on the torus around its cells.
    pub bounds: Bounds,
    /// Steps until it is destroyed, 1 to 32; `None` if it is not within that time, or is of the kind `other`. See
    /// [`doom`](super::doom).
    pub doom: Option<u32>,
    /// What it then collides with.
    pub collision: Option<Collision>,
}

impl Object {
    /// Whether it is a glider.
    pub fn is_glider(&self) -> bool {
        self.heading.is_some()
    }
}

/// A box on the torus, which may reach across the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bounds {
    /// Westernmost column.
    pub column: u32,
    /// Northernmost row.
    pub row: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// The objects of a board under a rule, without their dooms (see [`doom`](super::doom)).
pub fn recognise(board: &Board, stepper: &Stepper) -> Vec<Object> {
    let mut field = Field::new(board, stepper);
    let mut clusters = clusters(&mut field, board);
    clusters.sort_unstable();
    let objects = clusters.into_iter().enumerate();
    objects.map(|(id, (cells, cycle))| describe(&field, id as u32, &cells, cycle)).collect()
}

/// Steps and displacement after which a set of cells, alone, is itself again.
type Cycle = Option<(u32, (i32, i32))>;

/// The cells of each object at step 0, with its cycle.
fn clusters(field: &mut Field<'_>, board: &Board) -> Vec<(Vec<Cell>, Cycle)> {
    let mut apart = field.components(board);
    let mut now = apart.clone();
    let joined = field.step_groups(&mut now);
    // What influences each other now is one.
    for group in (0..joined.len()).rev() {
        if joined[group] != group {
            let cells = std::mem::take(&mut apart[group]);
            apart[joined[group]].extend(cells);
        }
    }
    let mut groups: Vec<Group> = Vec::new();
    let mut moved: Vec<Vec<Cell>> = Vec::new();
    for (mut cells, next) in apart.into_iter().zip(now) {
        if !cells.is_empty() {
            cells.sort_unstable();
            let cycle = cycle(field, &cells);
            groups.push(Group { start: cells.clone(), objects: vec![(cells, cycle)] });
            moved.push(next);
        }
    }
    for _ in 1..LONGEST_PERIOD {
        // One group has nothing to meet; and what is as it was at the start will go on as it did.
        if groups.len() == 1 || groups.iter().zip(&moved).all(|(group, now)| group.start == *now) {
            break;
        }
        let joined = field.step_groups(&mut moved);
        let mut met = vec![false; groups.len()];
        for group in (0..joined.len()).rev() {
            if joined[group] != group {
                let other = std::mem::take(&mut groups[group]);
                let first = &mut groups[joined[group]];
                first.start.extend(other.start);
                first.objects.extend(other.objects);
                met[joined[group]] = true;
            }
        }
        for (group, _) in groups.iter_mut().zip(&met).filter(|(_, met)| **met) {
            group.start.sort_unstable();
            if let Some(cycle) = cycle(field, &group.start) {
                group.objects = vec![(group.start.clone(), Some(cycle))];
            }
        }
        let kept: Vec<bool> = joined.iter().enumerate().map(|(group, &other)| group == other).collect();
        let mut keep = kept.iter();
        groups.retain(|_| *keep.next().unwrap_or(&true));
        let mut keep = kept.iter();
        moved.retain(|_| *keep.next().unwrap_or(&true));
    }
    gather_sparks(field, &mut groups);
    groups.into_iter().flat_map(|group| group.objects).collect()
}

/// A pentadecathlon throws off cells that die without having influenced it, and makes them anew in every period. So
/// a group that, alone, turns into itself and other groups that are there makes one object with them, if the whole
/// returns to itself.
fn gather_sparks(field: &mut Field<'_>, groups: &mut [Group]) {
    for number in 0..groups.len() {
        let group = &groups[number];
        if groups.len() == 1 || group.objects.iter().all(|(_, cycle)| cycle.is_some()) {
            continue;
        }
        let Some(whole) = with_sparks(field, number, groups) else { continue };
        let Some(cycle) = cycle(field, &whole) else { continue };
        for other in groups.iter_mut().filter(|other| whole.binary_search(&other.start[0]).is_ok()) {
            other.objects.clear();
        }
        groups[number].objects.push((whole, Some(cycle)));
    }
}

/// A group and those other groups, whole, with which together it is what it alone turns into.
fn with_sparks(field: &mut Field<'_>, number: usize, groups: &[Group]) -> Option<Vec<Cell>> {
    let start = &groups[number].start;
    let mut now = start.clone();
    for steps in 1..=LONGEST_PERIOD {
        now = field.step(&now);
        if now.len() <= start.len() {
            continue;
        }
        for way in ways(field, start, &now, steps) {
            if !start.iter().all(|&cell| now.binary_search(&field.moved(cell, way)).is_ok()) {
                continue;
            }
            let mut whole: Vec<Cell> = now.iter().map(|&cell| field.moved(cell, (-way.0, -way.1))).collect();
            whole.sort_unstable();
            let within = |group: &&Group| group.start.iter().all(|cell| whole.binary_search(cell).is_ok());
            let cells: usize = groups.iter().filter(within).map(|group| group.start.len()).sum();
            if cells == whole.len() {
                return Some(whole);
            }
        }
    }
    None
}

/// Clusters that influence each other within the time looked at.
#[derive(Default)]
struct Group {
    /// All cells at step 0.
    start: Vec<Cell>,
    /// The objects they are, so far as known.
    objects: Vec<(Vec<Cell>, Cycle)>,
}

/// The first return of a set of cells, alone, to itself.
fn cycle(field: &mut Field<'_>, cells: &[Cell]) -> Cycle {
    let mut now = cells.to_vec();
    for period in 1..=LONGEST_PERIOD {
        now = field.step(&now);
        if now.is_empty() {
            return None;
        }
        if let Some(displacement) = displacement(field, cells, &now, period) {
            return Some((period, displacement));
        }
    }
    None
}

/// The shortest displacement, at most a cell a step, that turns one sorted set of cells into another.
fn displacement(field: &Field<'_>, from: &[Cell], to: &[Cell], steps: u32) -> Option<(i32, i32)> {
    if from.len() != to.len() {
        return None;
    }
    if from == to {
        return Some((0, 0));
    }
    ways(field, from, to, steps)
        .into_iter()
        .find(|&way| from.iter().all(|&cell| to.binary_search(&field.moved(cell, way)).is_ok()))
}

/// The displacements, at most a cell a step, that take the first of some cells to one of others, shortest first.
fn ways(field: &Field<'_>, from: &[Cell], to: &[Cell], steps: u32) -> Vec<(i32, i32)> {
    let start = field.column_row(from[0]);
    let shortest = |from: u32, to: u32, side: u32| {
        let ahead = (to + side - from) % side;
        if ahead > side / 2 { ahead as i32 - side as i32 } else { ahead as i32 }
    };
    let ways = to.iter().map(|&cell| {
        let end = field.column_row(cell);
        (shortest(start.0, end.0, field.width), shortest(start.1, end.1, field.height))
    });
    let mut ways: Vec<(i32, i32)> =
        ways.filter(|way| way.0.unsigned_abs().max(way.1.unsigned_abs()) <= steps).collect();
    ways.sort_unstable_by_key(|way| (way.0.abs() + way.1.abs(), *way));
    ways
}

fn describe(field: &Field<'_>, id: u32, cells: &[Cell], cycle: Cycle) -> Object {
    let cells: Vec<(u32, u32)> = cells.iter().map(|&cell| field.column_row(cell)).collect();
    let boxes = boxes(&cells, field.width, field.height);
    let named = cycle.and_then(|cycle| {
        boxes.iter().find_map(|&bounds| variant(field, &cells, bounds, cycle).map(|variant| (bounds, variant)))
    });
    let (bounds, variant) = (named.map_or(boxes[0], |named| named.0), named.map(|named| named.1));
    let kind = match (variant, cycle) {
        (Some(variant), _) => Kind(variant.pattern as u16),
        (None, None) => Kind::unnamed(Class::Other),
        (None, Some((1, (0, 0)))) => Kind::unnamed(Class::StillLife),
        (None, Some((_, (0, 0)))) => Kind::unnamed(Class::Oscillator),
        (None, Some(_)) => Kind::unnamed(Class::Spaceship),
    };
    let glider = variant.filter(|_| kind.is_glider());
    Object {
        id,
        kind,
        cells,
        phase: glider.map(|glider| glider.phase),
        heading: glider.and_then(|glider| Heading::of(glider.displacement)),
        period: cycle.map(|(period, _)| period),
        displacement: cycle.map_or((0, 0), |(_, displacement)| displacement),
        bounds,
        doom: None,
        collision: None,
    }
}

/// The catalogue's variant with these cells, if it also behaves as the catalogue says under the rule at hand.
fn variant(
    field: &Field<'_>,
    cells: &[(u32, u32)],
    bounds: Bounds,
    (period, displacement): (u32, (i32, i32)),
) -> Option<&'static Variant> {
    let mut shape: Vec<(u32, u32)> = cells
        .iter()
        .map(|&(column, row)| {
            let east = (column + field.width - bounds.column) % field.width;
            (east, (row + field.height - bounds.row) % field.height)
        })
        .collect();
    shape.sort_unstable_by_key(|&(column, row)| (row, column));
    let variant = catalogue::variant_of(&shape)?;
    let pattern = &catalogue::patterns()[variant.pattern];
    (pattern.period == period && variant.displacement == displacement).then_some(variant)
}

/// The smallest boxes on the torus around some cells. There are several where an object has a gap within it that is
/// as wide as the one around it, as a pulsar has on 16 columns.
fn boxes(cells: &[(u32, u32)], width: u32, height: u32) -> Vec<Bounds> {
    let (columns, width) = arcs(cells.iter().map(|cell| cell.0), width);
    let (rows, height) = arcs(cells.iter().map(|cell| cell.1), height);
    let places = rows.iter().flat_map(|&row| columns.iter().map(move |&column| (column, row)));
    places.map(|(column, row)| Bounds { column, row, width, height }).collect()
}

/// The smallest box on the torus around some cells, of equals the first.
pub(super) fn bounds(cells: &[(u32, u32)], width: u32, height: u32) -> Bounds {
    boxes(cells, width, height)[0]
}

/// First places, ascending, and length of the shortest arcs of a circle that cover all places.
fn arcs(places: impl Iterator<Item = u32>, side: u32) -> (Vec<u32>, u32) {
    let mut places: Vec<u32> = places.collect();
    places.sort_unstable();
    places.dedup();
    let arc = |index: usize| {
        let last = places[(index + places.len() - 1) % places.len()];
        (last + side - places[index]) % side + 1
    };
    let length = (0..places.len()).map(arc).min().unwrap_or(side);
    // Where no place is free any place may come first; there is nothing to choose between them.
    if length == side {
        return (vec![0], side);
    }
    ((0..places.len()).filter(|&index| arc(index) == length).map(|index| places[index]).collect(), length)
}
