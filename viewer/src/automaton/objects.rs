//! What stands, oscillates or flies by itself on a board of any rule.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use environments::Outline;
use environments::automata::apgcode::{Motion, encode_moving};
use environments::automata::grid::Grid;
use environments::automata::{Cell, Pattern, Rule, Topology};

/// The longest period that is looked for.
const LONGEST_PERIOD: u64 = 60;

/// Objects of more cells are not looked at.
const MOST_CELLS: usize = 200;

/// A name and where it heads in a period.
type Name = (String, Option<(i32, i32)>);

/// What is known of shapes: the name, or that it does not repeat by itself.
pub type Known = HashMap<Pattern, Option<Name>>;

/// The clusters of cells that repeat when left alone, with names: apgcodes for two states, else their period. Cells
/// belong together where a third cell could be a neighbour of both, which holds apart what does not touch.
pub fn told(rule: &Rule, size: (u32, u32), cells: &[u8], known: &Mutex<Known>) -> Vec<Outline> {
    let alone = rule.clone().with_topology(Topology::Unbounded);
    if rule.births_from_nothing() {
        return Vec::new();
    }
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    let mut all = Vec::new();
    for cluster in clusters(size, cells) {
        let Some(pattern) = unwrapped(&cluster, size, cells) else { continue };
        let shape = pattern.normalized();
        let name = known.entry(shape.clone()).or_insert_with(|| name(&alone, &shape)).clone();
        all.extend(name.map(|(name, heading)| Outline { name, cells: cluster, heading, doom: None }));
    }
    all
}

fn name(rule: &Rule, pattern: &Pattern) -> Option<Name> {
    let motion = motion(rule, pattern)?;
    let Motion { period, dx, dy } = motion;
    let heading = ((dx, dy) != (0, 0)).then_some((dx, dy));
    let text = match (rule.states() == 2 && rule.is_isotropic(), heading, period) {
        (true, _, _) => encode_moving(pattern, rule, motion),
        (false, Some(_), period) => format!("ship p{period}"),
        (false, None, 1) => "still".into(),
        (false, None, period) => format!("p{period}"),
    };
    Some((text, heading))
}

/// How a pattern repeats on the empty plane.
fn motion(rule: &Rule, pattern: &Pattern) -> Option<Motion> {
    let start = pattern.bounding_box()?;
    let mut grid = Grid::new(rule, pattern).ok()?;
    for period in 1..=LONGEST_PERIOD {
        grid.step().ok()?;
        let now = grid.pattern();
        let bounds = now.bounding_box()?;
        if now.population() > 4 * MOST_CELLS {
            return None;
        }
        if (bounds.width, bounds.height) == (start.width, start.height) && now.normalized() == pattern.normalized() {
            return Some(Motion { period, dx: bounds.x - start.x, dy: bounds.y - start.y });
        }
    }
    None
}

/// Cells that lie within two columns and rows of each other, round the torus.
fn clusters((width, height): (u32, u32), cells: &[u8]) -> Vec<Vec<(u32, u32)>> {
    let mut left: HashSet<(u32, u32)> = HashSet::new();
    let mut order = Vec::new();
    for (place, _) in cells.iter().enumerate().filter(|(_, state)| **state != 0) {
        let at = (place as u32 % width, place as u32 / width);
        left.insert(at);
        order.push(at);
    }
    let mut all = Vec::new();
    for first in order {
        if !left.remove(&first) {
            continue;
        }
        let mut cluster = vec![first];
        let mut next = 0;
        while let Some(&(x, y)) = cluster.get(next) {
            next += 1;
            for down in 0..5 {
                for across in 0..5 {
                    let near = ((x + width + across - 2) % width, (y + height + down - 2) % height);
                    if left.remove(&near) {
                        cluster.push(near);
                    }
                }
            }
        }
        if cluster.len() <= MOST_CELLS {
            all.push(cluster);
        }
    }
    all
}

/// The cluster as a pattern that no edge cuts; nothing of one that goes round the board.
fn unwrapped(cluster: &[(u32, u32)], (width, height): (u32, u32), cells: &[u8]) -> Option<Pattern> {
    let mut places: BTreeMap<(u32, u32), (i32, i32)> = BTreeMap::new();
    let first = *cluster.first()?;
    places.insert(first, (0, 0));
    let members: HashSet<(u32, u32)> = cluster.iter().copied().collect();
    let mut queue = vec![first];
    while let Some((x, y)) = queue.pop() {
        let at = places[&(x, y)];
        for down in -2i32..=2 {
            for across in -2i32..=2 {
                let near = (
                    (x as i32 + across).rem_euclid(width as i32) as u32,
                    (y as i32 + down).rem_euclid(height as i32) as u32,
                );
                if members.contains(&near) {
                    let there = (at.0 + across, at.1 + down);
                    match places.get(&near) {
                        Some(known) if *known != there => return None,
                        Some(_) => {}
                        None => {
                            places.insert(near, there);
                            queue.push(near);
                        }
                    }
                }
            }
        }
    }
    let state = |(x, y): (u32, u32)| cells[(y * width + x) as usize];
    Some(Pattern::from_cells(places.into_iter().map(|(cell, (x, y))| Cell { x, y, state: state(cell) })))
}
