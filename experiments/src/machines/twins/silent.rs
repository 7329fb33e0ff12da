//! Twins that differ in an entry that never fires: they make one and the same run, and whatever prefers one of the two can be
//! right no more often than a coin.

use std::collections::{BTreeMap, BTreeSet};

use environments::turing::{HeadStep, HeadToken, Machine, TuringEpisode, TuringWorld};
use environments::{Draw, Split, stream};

use super::super::scores::Predictions;
use super::measure::log_odds;
use super::pairs::{BEFORE, twin_of};

/// A run that two machines make, and where it could have told them apart.
#[derive(Clone, Debug)]
pub struct Silent {
    /// The run.
    pub run: TuringEpisode,
    /// The entry in which they differ: state and symbol.
    pub entry: (u8, u8),
    /// The last step at which the machine is in that state on a cell that it has not met. Held the cell the symbol, the entry
    /// would fire; it holds another.
    pub asked: usize,
    /// What the one machine would do there, as a step's number.
    pub own_step: usize,
    /// What the other would.
    pub twin_step: usize,
}

/// Entries that never fire though they could have, with the last step at which they could.
fn candidates(steps: &[HeadStep], symbols: u8) -> Vec<((u8, u8), usize)> {
    let fired: BTreeSet<(u8, u8)> = steps.iter().map(|step| (step.state, step.token.read)).collect();
    let mut met = BTreeSet::new();
    let mut last = BTreeMap::new();
    for (place, step) in steps.iter().enumerate() {
        if met.insert(step.position) && place >= BEFORE {
            last.insert(step.state, place);
        }
    }
    let entries = last.iter().flat_map(|(&state, &place)| (0..symbols).map(move |symbol| ((state, symbol), place)));
    entries.filter(|(entry, _)| !fired.contains(entry)).collect()
}

/// Runs of a split with such twins, both machines of the split. Which of the two is called the own one is drawn.
pub fn silent(world: &TuringWorld, split: Split, wanted: usize, seed: u64) -> Vec<Silent> {
    let symbols = world.config().symbols;
    let mut chance = stream(&["evil-twin", &seed.to_string(), "silent", split.name()]);
    let mut all = Vec::new();
    // Such runs are about one in five hundred.
    for index in 0..2000 * wanted as u64 {
        if all.len() == wanted {
            break;
        }
        let run = world.observe(split, index);
        let found = candidates(&run.steps, symbols as u8);
        if found.is_empty() {
            continue;
        }
        let (entry, asked) = found[chance.below(found.len() as u64) as usize];
        let Some(twin) = twin_of(world, &run, entry, &mut chance) else { continue };
        if world.split_of(&twin.machine) != split {
            continue;
        }
        debug_assert_eq!(twin.steps, run.steps);
        let step = |machine: &Machine| {
            let does = machine.entry(entry.0, entry.1)?;
            Some(HeadToken { read: entry.1, write: does.write, shift: does.shift }.index(symbols))
        };
        let (Some(mut own_step), Some(mut twin_step)) = (step(&run.machine), step(&twin.machine)) else { continue };
        if chance.below(2) == 1 {
            std::mem::swap(&mut own_step, &mut twin_step);
        }
        all.push(Silent { run, entry, asked, own_step, twin_step });
    }
    all
}

/// Log odds of the own step against the twin's where the entry could have fired, given that its symbol is read. A run's
/// predictions are those of its place among the twins.
pub fn odds(all: &[Silent], predictions: &Predictions, symbols: usize) -> Vec<f64> {
    let one = |(place, twins): (usize, &Silent)| {
        let row = &predictions.rows[place][twins.asked * predictions.targets..(twins.asked + 1) * predictions.targets];
        log_odds(row, (twins.own_step, twins.twin_step), symbols)
    };
    all.iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use environments::Environment;
    use environments::turing::TuringConfig;

    use super::super::super::references;
    use super::super::super::scores::Runs;
    use super::*;

    #[test]
    fn silent_twins_make_one_run_and_bayes_cannot_choose() {
        let world = TuringWorld::new(TuringConfig { length: 32, ..TuringConfig::default() }).unwrap();
        let all = silent(&world, Split::Test, 100, 1);
        assert_eq!(all.len(), 100);
        for twins in &all {
            assert!(twins.run.steps.iter().all(|step| (step.state, step.token.read) != twins.entry));
            let asked = &twins.run.steps[twins.asked];
            assert_eq!(asked.state, twins.entry.0);
            assert!(twins.run.steps[..twins.asked].iter().all(|step| step.position != asked.position));
            assert_ne!(twins.own_step, twins.twin_step);
            let read = |step: usize| HeadToken::of_index(step, 2).read;
            assert_eq!((read(twins.own_step), read(twins.twin_step)), (twins.entry.1, twins.entry.1));
        }
        let runs = Runs::of(&world, all.iter().map(|twins| twins.run.clone()).collect());
        assert_eq!(runs.samples[0], world.sample(Split::Test, all[0].run.address.index));
        let initial = world.config().initial.initial();
        let bayes = odds(&all, &references::generaliser(&runs, 2, 2, initial), 2);
        // Where the state is known there is nothing to choose by.
        assert!(bayes.iter().filter(|odds| odds.abs() < 1e-9).count() > 30);
        let right = bayes.iter().filter(|odds| **odds > 1e-9).count() as f64;
        let wrong = bayes.iter().filter(|odds| **odds < -1e-9).count() as f64;
        assert!((right - wrong).abs() < 3.0 * (right + wrong).sqrt(), "{right} {wrong}");
        // Who is told the machine of the run is told nothing of who is called the own one.
        let oracle = odds(&all, &references::oracle(&runs, 2, initial), 2);
        assert!(oracle.iter().all(|odds| odds.abs() > 15.0));
        let own = oracle.iter().filter(|odds| **odds > 0.0).count();
        assert!((30..70).contains(&own), "{own}");
    }
}
