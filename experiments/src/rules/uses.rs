//! Where an entry of a rule's table is written over between its first two uses, and how that is scored: against what the
//! rule with that entry exchanged does.

use environments::elementary::{ElementaryEpisode, ElementaryWorld};
use environments::{Draw, Environment, Split, Symbol, stream};
use models::Run;

use super::moments::class_numbers;
use crate::machines::row;
use crate::moments::writes::{Change, Entry, Site, Writable};

/// An entry's first two uses in a history of a test rule.
#[derive(Clone, Debug)]
pub struct Use {
    /// The history.
    pub own: ElementaryEpisode,
    /// The entry.
    pub entry: usize,
    /// The position that predicts its first use; the next one holds it.
    pub fired: usize,
    /// The position that predicts its next use.
    pub next: usize,
    /// Positions from there on that predict uses of other entries, within a row.
    pub others: Vec<usize>,
    /// Number of the rule's equivalence class.
    pub cluster: usize,
}

/// Positions between the first use and the next at least, of those that hold neither.
const BETWEEN: usize = 2;

/// First uses in histories of the test split, one in each.
pub fn uses(world: &ElementaryWorld, wanted: usize, seed: u64) -> Vec<Use> {
    let mut chance = stream(&["rule-inference", &seed.to_string(), "uses"]);
    let mut all = Vec::new();
    for index in 0..50 * wanted as u64 {
        if all.len() == wanted {
            break;
        }
        let own = world.observe(Split::Test, index);
        let width = world.config().width;
        let entry_at = |position: usize| own.rule.neighbourhood(&own.rows[position / width - 1], position % width);
        let used: Vec<usize> = (width..world.config().length()).map(entry_at).collect();
        let two = |entry: usize| {
            let mut places = (0..used.len()).filter(|&place| used[place] == entry);
            let (first, next) = (places.next()?, places.next()?);
            (next > first + 1 + BETWEEN).then_some((entry, first, next))
        };
        let found: Vec<_> = (0..world.config().entries()).filter_map(two).collect();
        if found.is_empty() {
            continue;
        }
        let (entry, fired, next) = found[chance.below(found.len() as u64) as usize];
        let others = (next..(next + width).min(used.len())).filter(|&place| used[place] != entry);
        let others = others.map(|place| width + place).collect();
        all.push(Use { own, entry, fired: width + fired, next: width + next, others, cluster: 0 });
    }
    let clusters = class_numbers(all.iter().map(|one| one.own.rule));
    all.iter_mut().zip(clusters).for_each(|(one, cluster)| one.cluster = cluster);
    all
}

/// The uses of a world.
pub struct Uses<'a> {
    /// The world.
    pub world: &'a ElementaryWorld,
    /// The uses.
    pub uses: &'a [Use],
}

impl Writable for Uses<'_> {
    fn len(&self) -> usize {
        self.uses.len()
    }

    fn tokens(&self, number: usize) -> Vec<Symbol> {
        self.world.sample_of(&self.uses[number].own).tokens
    }

    fn site(&self, number: usize) -> Site {
        let Use { fired, next, .. } = self.uses[number];
        Site { shown: vec![fired + 1], carried: (fired + 2..next).collect(), wrong: fired }
    }

    fn entry(&self, number: usize, _: usize) -> Option<Entry> {
        let Use { own, entry, .. } = &self.uses[number];
        let value = usize::from(own.rule.next(*entry));
        Some((*entry, value, 1 - value))
    }

    fn change(&self, number: usize, place: usize, clean: &Run, edited: &Run) -> Change {
        let Use { own, entry, next, others, .. } = &self.uses[number];
        let (length, targets) = (self.world.config().length(), self.world.targets());
        let at = |run: &Run, position: usize, cell: usize| row(run, place, position, length, targets)[cell];
        let numbers = self.world.numbers(own);
        let value = usize::from(own.rule.next(*entry));
        let fall = |&position: &usize| at(clean, position, numbers[position]) - at(edited, position, numbers[position]);
        Change {
            gain: at(edited, *next, 1 - value) - at(clean, *next, 1 - value),
            loss: at(clean, *next, value) - at(edited, *next, value),
            damage: others.iter().map(fall).sum::<f64>() / others.len().max(1) as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use environments::Edit;
    use environments::elementary::ElementaryConfig;

    use super::*;

    #[test]
    fn an_entry_is_written_between_its_first_two_uses_and_nowhere_else() {
        let config = ElementaryConfig { width: 16, rows: 8, shares: [4, 2, 2], ..ElementaryConfig::default() };
        let world = ElementaryWorld::new(config).unwrap();
        let uses = uses(&world, 40, 1);
        assert_eq!(uses.len(), 40);
        let all = Uses { world: &world, uses: &uses };
        for (number, one) in uses.iter().enumerate() {
            let episode = world.episode_of(&one.own);
            let used = &episode.labels.get("next").unwrap().values;
            let places: Vec<usize> = (0..used.len()).filter(|&p| used[p] == Some(one.entry as u32)).collect();
            assert_eq!(places[..2], [one.fired, one.next]);
            let site = all.site(number);
            let held = &episode.labels.get("used").unwrap().values;
            assert!(site.shown.iter().all(|&p| held[p] == Some(one.entry as u32)));
            assert!(site.carried.len() >= BETWEEN && site.carried.iter().all(|&p| held[p] != Some(one.entry as u32)));
            assert!(site.carried.iter().chain(&site.shown).all(|p| (one.fired + 1..one.next).contains(p)));
            assert!(one.others.iter().all(|&p| p > one.next && used[p] != Some(one.entry as u32)));
            // The rule with the entry exchanged differs from the first use on.
            let (_, own, other) = all.entry(number, one.next).unwrap();
            let edit = Edit::Entry { entry: one.entry as u32, value: other as u8 };
            let twin = world.edit(&one.own, &[edit]).unwrap();
            let numbers = (world.numbers(&one.own), world.numbers(&twin));
            assert_eq!(numbers.0[..one.fired], numbers.1[..one.fired]);
            assert_eq!((numbers.0[one.fired], numbers.1[one.fired]), (own, other));
            assert_eq!(numbers.0[one.next], own);
        }
    }
}
