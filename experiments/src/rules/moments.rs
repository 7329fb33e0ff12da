//! Moments of histories: how each entry of the rule's table stands with the evidence, and what the context says of it
//! without a model.

use environments::elementary::ElementaryWorld;
use environments::sequence::SequenceModel;
use environments::{Draw, Split, stream};
use rayon::prelude::*;

use crate::moments::{Concept, Features, Moment, Moments, Stratum, Truth};

/// Cells of the raw window at most.
const WINDOW: usize = 256;

/// Cells of the longest n-gram that is counted.
const GRAM: usize = 4;

/// The entries, by their neighbourhoods.
pub fn concepts(world: &ElementaryWorld) -> Vec<Concept> {
    let cells = 2 * world.config().radius + 1;
    let one = |entry: usize| Concept { name: format!("{entry:0cells$b}"), classes: 2, scored: Stratum::Idle };
    (0..world.config().entries()).map(one).collect()
}

/// Numbers of the equivalence classes (reflection, complement) of rules, in the order of their first appearance.
pub fn class_numbers(rules: impl IntoIterator<Item = environments::automata::LineRule>) -> Vec<usize> {
    let mut met = Vec::new();
    let number = |rule: environments::automata::LineRule| {
        let class = rule.canonical();
        met.iter().position(|&known| known == class).unwrap_or_else(|| {
            met.push(class);
            met.len() - 1
        })
    };
    rules.into_iter().map(number).collect()
}

/// `each` moments of each of some histories of a split, from the third row on. Histories are resampled with all others
/// whose rules are equivalent: they tell of one rule.
pub fn draw(world: &ElementaryWorld, split: Split, (first, count): (u64, usize), each: usize, seed: u64) -> Moments {
    let observed: Vec<_> =
        (first..first + count as u64).into_par_iter().map(|index| world.observe(split, index)).collect();
    let earliest = 2 * world.config().width as u64;
    let of = |run: usize| {
        let mut chance = stream(&["rule-inference", &seed.to_string(), "moments", split.name(), &run.to_string()]);
        let length = world.config().length() as u64;
        let mut positions: Vec<usize> =
            (0..each).map(|_| (earliest + chance.below(length - earliest)) as usize).collect();
        positions.sort_unstable();
        positions.dedup();
        moments(world, &observed[run], run, &positions)
    };
    let all = (0..count).into_par_iter().map(of).collect::<Vec<_>>().into_iter().flatten().collect();
    Moments {
        samples: observed.iter().map(|episode| world.sample_of(episode)).collect(),
        numbers: observed.iter().map(|episode| world.numbers(episode)).collect(),
        targets: 2,
        clusters: class_numbers(observed.iter().map(|episode| episode.rule)),
        all,
    }
}

fn moments(
    world: &ElementaryWorld,
    observed: &environments::elementary::ElementaryEpisode,
    run: usize,
    positions: &[usize],
) -> Vec<Moment> {
    let numbers = world.numbers(observed);
    let mut bayes = world.class_bayes();
    let mut held = None;
    let mut read = 0;
    let mut all = Vec::with_capacity(positions.len());
    for &position in positions {
        while read < position {
            // A token is one cell, made by one entry.
            held = bayes.next_entries().map(|entries| entries[0]);
            bayes.observe(numbers[read]);
            read += 1;
        }
        let next = bayes.next_entries().map(|entries| entries[0]);
        let truth = |entry: usize| {
            let known = bayes.determined()[entry].is_some();
            let stratum = match known {
                _ if held == Some(entry) => Stratum::Shown,
                false => Stratum::Open,
                true if next == Some(entry) => Stratum::Current,
                true => Stratum::Idle,
            };
            let class = Some(usize::from(observed.rule.next(entry)));
            Truth { class, stratum, bayes: if known { 1.0 } else { 0.5 } }
        };
        let truths = (0..world.config().entries()).map(truth).collect();
        let belief = |known: &Option<bool>| known.map_or(0.5, |value| f64::from(u8::from(value)));
        let beliefs = vec![bayes.determined().iter().map(belief).collect()];
        all.push(Moment { run, position, truths, beliefs, kind: kind(world, &numbers[..position]) });
    }
    all
}

/// What stands above the held cell and the next one, with the last three cells.
fn kind(world: &ElementaryWorld, seen: &[usize]) -> u64 {
    let (width, radius) = (world.config().width, world.config().radius);
    let from = seen.len() - width - radius - 1;
    let above = &seen[from..from + 2 * radius + 2];
    let cells = above.iter().chain(&seen[seen.len() - 3..]);
    cells.fold(0, |kind, &cell| kind << 1 | cell as u64)
}

/// Where features come from that need no model.
pub struct Source<'a> {
    /// In words.
    pub name: &'static str,
    /// Whether models are to be better; else it is shown as what is to be had at best.
    pub baseline: bool,
    /// The features.
    pub features: Box<dyn Fn(&Moments) -> Features + Sync + 'a>,
}

/// The cells above a cell of row 1 or later, by offset from the left, and the cell itself.
fn uses<'a>(world: &ElementaryWorld, seen: &'a [usize]) -> impl Iterator<Item = (Vec<usize>, usize)> + use<'a> {
    let (width, radius) = (world.config().width, world.config().radius);
    (width..seen.len()).map(move |place| {
        let (row, column) = (place / width - 1, place % width);
        let above = (0..=2 * radius).map(|offset| seen[row * width + (column + width + offset - radius) % width]);
        (above.collect(), seen[place])
    })
}

/// All of them, those that are no baselines last.
pub fn sources(world: &ElementaryWorld) -> Vec<Source<'_>> {
    let (width, length) = (world.config().width, world.config().length());
    let position = move |seen: &[usize]| {
        let mut row = vec![0.0; width + length / width];
        row[seen.len() % width] = 1.0;
        row[width + seen.len() / width] = 1.0;
        row
    };
    let window = move |seen: &[usize]| {
        let mut row = vec![0.0; WINDOW.min(length)];
        row.iter_mut().zip(seen.iter().rev()).for_each(|(slot, &cell)| *slot = 2.0 * cell as f32 - 1.0);
        row
    };
    let grams = |seen: &[usize]| {
        let counts = |size: usize| {
            let mut counts = vec![0.0; 1 << size];
            let number = |gram: &[usize]| gram.iter().fold(0, |number, cell| number << 1 | cell);
            seen.windows(size).for_each(|gram| counts[number(gram)] += 1.0);
            counts
        };
        (1..=GRAM).flat_map(counts).collect()
    };
    let neighbours = |seen: &[usize]| {
        let mut counts = vec![0.0f32; 4 * (2 * world.config().radius + 1)];
        for (above, cell) in uses(world, seen) {
            above.iter().enumerate().for_each(|(offset, above)| counts[4 * offset + 2 * above + cell] += 1.0);
        }
        // How often, and which share is live.
        let share = |pair: &[f32]| if pair[0] + pair[1] > 0.0 { pair[1] / (pair[0] + pair[1]) } else { 0.5 };
        let shares: Vec<f32> = counts.chunks_exact(2).map(share).collect();
        [counts, shares].concat()
    };
    let table = |seen: &[usize]| {
        let mut seen_as = vec![0.0; 2 * world.config().entries()];
        for (above, cell) in uses(world, seen) {
            let entry = above.iter().fold(0, |entry, above| entry << 1 | above);
            seen_as[2 * entry + cell] = 1.0;
        }
        seen_as
    };
    fn source<'a>(name: &'static str, baseline: bool, of: impl Fn(&[usize]) -> Vec<f32> + Sync + 'a) -> Source<'a> {
        Source { name, baseline, features: Box::new(move |moments| moments.by_moment(&of)) }
    }
    vec![
        source("row and column", true, position),
        source("the cells so far", true, window),
        source("counts of n-grams", true, grams),
        source("each neighbour with the cell, counted", true, neighbours),
        source("the table, filled in", false, table),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use environments::elementary::{ElementaryConfig, HELD_BACK};

    use super::*;

    fn world(radius: usize) -> ElementaryWorld {
        ElementaryWorld::new(ElementaryConfig { radius, width: 12, rows: 6, ..ElementaryConfig::default() }).unwrap()
    }

    #[test]
    fn an_entry_is_determined_where_the_history_has_used_it() {
        for radius in [1, 2] {
            let world = world(radius);
            let moments = draw(&world, Split::Train, (HELD_BACK, 80), 3, 1);
            let mut met = [0usize; 4];
            for moment in &moments.all {
                let observed = world.observe(Split::Train, HELD_BACK + moment.run as u64);
                let entry_of = |cell: usize| observed.rule.neighbourhood(&observed.rows[cell / 12 - 1], cell % 12);
                let used: Vec<usize> = (12..moment.position).map(entry_of).collect();
                for (entry, truth) in moment.truths.iter().enumerate() {
                    assert_eq!(truth.class, Some(usize::from(observed.rule.next(entry))));
                    let expected = if entry == entry_of(moment.position - 1) {
                        Stratum::Shown
                    } else if !used.contains(&entry) {
                        Stratum::Open
                    } else if entry == entry_of(moment.position) {
                        Stratum::Current
                    } else {
                        Stratum::Idle
                    };
                    assert_eq!(truth.stratum, expected);
                    met[expected as usize] += 1;
                    let belief = moment.beliefs[0][entry];
                    assert_eq!(belief, if used.contains(&entry) { truth.class.unwrap() as f64 } else { 0.5 });
                }
            }
            assert!(met.iter().all(|&count| count > 20), "{met:?}");
            let together = |one: usize, other: usize| moments.clusters[one] == moments.clusters[other];
            let rule = |run: usize| world.rule(Split::Train, HELD_BACK + run as u64);
            for (one, other) in (0..80).flat_map(|one| (0..one).map(move |other| (one, other))) {
                assert_eq!(together(one, other), rule(one).equivalents().contains(&rule(other)));
            }
        }
    }

    #[test]
    fn the_filled_table_is_what_bayes_knows_and_counts_count() {
        let world = world(1);
        let moments = draw(&world, Split::Test, (0, 60), 2, 1);
        let sources = sources(&world);
        let of = |name: &str| (sources.iter().find(|source| source.name == name).unwrap().features)(&moments);
        let (table, neighbours) = (of("the table, filled in"), of("each neighbour with the cell, counted"));
        let (window, grams) = (of("the cells so far"), of("counts of n-grams"));
        for (place, moment) in moments.all.iter().enumerate() {
            for (entry, belief) in moment.beliefs[0].iter().enumerate() {
                let seen = &table.row(place)[2 * entry..2 * entry + 2];
                assert_eq!(f64::from(seen[1] - seen[0]), 2.0 * belief - 1.0);
            }
            let cells = (moment.position - 12) as f32;
            assert!(neighbours.row(place)[..12].chunks(4).all(|offset| offset.iter().sum::<f32>() == cells));
            assert_eq!(grams.row(place)[..2].iter().sum::<f32>() as usize, moment.position);
            assert_eq!(window.row(place).iter().filter(|&&cell| cell != 0.0).count(), moment.position);
            assert_eq!(window.row(place)[0] > 0.0, moments.numbers[moment.run][moment.position - 1] == 1);
        }
    }
}
