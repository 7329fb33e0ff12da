//! Pairs of rules that act on one first row, for transplants of what was seen of one into the context of the other.

use environments::automata::LineRule;
use environments::elementary::{ElementaryEpisode, ElementaryWorld};
use environments::{Draw, Split, stream};

/// A history of a rule, and those of other rules from which it is patched. Row 1 is what was seen of a rule before the
/// patch; predictions are scored in row 2, at the first uses there of entries that row 1 has used.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The history that is read.
    pub own: ElementaryEpisode,
    /// The other rule on the same first row.
    pub other: ElementaryEpisode,
    /// A rule that agrees with the own one on the entry asked for, but not elsewhere, on the same first row; its row 1
    /// differs about as much as the other rule's.
    pub wrong: ElementaryEpisode,
    /// The other rule on another first row, where row 1 has used the entry as well.
    pub elsewhere: ElementaryEpisode,
    /// The entry asked for: the two rules differ there.
    pub entry: usize,
    /// The position that predicts its first use in row 2.
    pub asked: usize,
    /// Positions that predict cells of row 2 at whose entries, used in row 1, the two rules agree.
    pub agreeing: Vec<usize>,
}

/// Rules among which the wrong one is chosen.
const CANDIDATES: usize = 16;

/// Positions that hold row 1: the evidence, and what is patched.
pub fn patched(width: usize) -> Vec<usize> {
    (width + 1..=2 * width).collect()
}

/// The entries that make a row, by column.
pub fn entries_of(episode: &ElementaryEpisode, row: usize) -> Vec<usize> {
    let before = &episode.rows[row - 1];
    (0..before.len()).map(|column| episode.rule.neighbourhood(before, column)).collect()
}

/// Pairs of rules of a split.
pub fn pairs(world: &ElementaryWorld, split: Split, wanted: usize, seed: u64) -> Vec<Pair> {
    let mut chance = stream(&["rule-inference", &seed.to_string(), "pairs", split.name()]);
    let mut pairs = Vec::new();
    for index in 0..50 * wanted as u64 {
        if pairs.len() == wanted {
            break;
        }
        pairs.extend(pair(world, split, index, &mut chance));
    }
    pairs
}

fn pair(world: &ElementaryWorld, split: Split, index: u64, chance: &mut environments::Stream) -> Option<Pair> {
    let width = world.config().width;
    // Rules and rows that no history of small index shows.
    let mut drawn = || world.observe(split, (1 << 32) + chance.below(1 << 32));
    let own = world.observe(split, index);
    let elsewhere = drawn();
    let other = world.under(&own, elsewhere.rule);
    let candidates: Vec<LineRule> = (0..CANDIDATES).map(|_| drawn().rule).collect();
    let (seen, asked) = (entries_of(&own, 1), entries_of(&own, 2));
    let differ = |entry: usize| own.rule.next(entry) != other.rule.next(entry);
    let first = |column: usize| !asked[..column].contains(&asked[column]);
    let seen_there = entries_of(&elsewhere, 1);
    let known = |entry: usize| seen.contains(&entry) && seen_there.contains(&entry);
    // The prediction of the row's first cell is made at a position that is patched.
    let found: Vec<usize> =
        (1..width).filter(|&column| first(column) && differ(asked[column]) && known(asked[column])).collect();
    if found.is_empty() {
        return None;
    }
    let column = found[chance.below(found.len() as u64) as usize];
    let entry = asked[column];
    let far = |rule: LineRule| {
        let row = rule.step(&own.rows[0]);
        row.iter().zip(&own.rows[1]).filter(|(a, b)| a != b).count()
    };
    let distance = far(other.rule);
    let wrong = candidates
        .into_iter()
        .filter(|rule| rule.next(entry) == own.rule.next(entry) && far(*rule) > 0)
        .min_by_key(|rule| far(*rule).abs_diff(distance))?;
    let agreeing = (1..width).filter(|&column| seen.contains(&asked[column]) && !differ(asked[column]));
    Some(Pair {
        agreeing: agreeing.map(|column| 2 * width + column).collect(),
        wrong: world.under(&own, wrong),
        asked: 2 * width + column,
        entry,
        own,
        other,
        elsewhere,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use environments::elementary::ElementaryConfig;
    use environments::{Edit, Environment};

    use super::*;

    #[test]
    fn what_is_asked_for_is_what_the_simulator_does_with_the_other_rule_on_the_same_row() {
        for radius in [1, 2] {
            let config = ElementaryConfig { radius, width: 16, rows: 4, shares: [4, 2, 2], ..Default::default() };
            let world = ElementaryWorld::new(config).unwrap();
            let pairs = pairs(&world, Split::Test, 30, 1);
            assert_eq!(pairs.len(), 30);
            for pair in &pairs {
                let cells = |row: &[u8], state: u8| {
                    let there = row.iter().enumerate().filter(|(_, cell)| **cell == state);
                    Edit::Paint { cells: there.map(|(column, _)| (column as u32, 0)).collect(), state }
                };
                // The own row 1 as a first row, under the other rule: its row 1 is what the other rule would do.
                let row = &pair.own.rows[1];
                let swap = Edit::Rule { rule: pair.other.rule.to_string() };
                let edits = [cells(row, 0), cells(row, 1), swap.clone()];
                let edited = world.counterfactual(&pair.own.address, &edits).unwrap();
                let made = |position: usize| edited.sample.targets[position - 16];
                let own = world.sample_of(&pair.own).targets;
                assert_eq!(made(pair.asked), 1 - own[pair.asked]);
                assert_eq!(usize::from(made(pair.asked)), usize::from(pair.other.rule.next(pair.entry)));
                assert!(pair.agreeing.iter().all(|&position| made(position) == own[position]));
                assert!(!pair.agreeing.contains(&pair.asked));
                // What is patched in is the counterfactual's run, and what is asked for lies outside.
                let other = world.counterfactual(&pair.own.address, &[swap]).unwrap();
                assert_eq!(other.sample, world.sample_of(&pair.other));
                assert!(!patched(16).contains(&pair.asked) && patched(16).len() == 16);
                assert_eq!(pair.own.rows[0], pair.wrong.rows[0]);
                assert_eq!(pair.wrong.rule.next(pair.entry), pair.own.rule.next(pair.entry));
                assert_ne!(pair.wrong.rows[1], pair.own.rows[1]);
                assert_eq!(pair.elsewhere.rule, pair.other.rule);
                for episode in [&pair.own, &pair.other, &pair.wrong, &pair.elsewhere] {
                    assert!(entries_of(episode, 1).contains(&pair.entry));
                    assert_eq!(world.split_of(episode.rule), Split::Test);
                }
            }
        }
    }
}
