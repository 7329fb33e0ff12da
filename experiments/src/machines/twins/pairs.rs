//! Pairs of twins: two machines that differ in one entry of their tables, run on the same tape.

use environments::turing::{HeadStep, Move, TuringEpisode, TuringWorld};
use environments::{Draw, Edit, Split, Stream, stream};

/// A machine's run and its evil twin's.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The run of the machine.
    pub own: TuringEpisode,
    /// The run of its twin on the same tape.
    pub twin: TuringEpisode,
    /// The entry in which they differ: state and symbol.
    pub entry: (u8, u8),
    /// The step at which it first fires; the same in both runs, which are equal before it.
    pub fired: usize,
    /// Its later uses in the own run.
    pub uses: Vec<usize>,
    /// Later uses of other entries in the own run.
    pub others: Vec<usize>,
    /// A position whose step is a use of another entry, before the entry fires: a patch of the wrong concept.
    pub elsewhere: usize,
    /// The own step at the entry, as a number.
    pub own_step: usize,
    /// The twin's.
    pub twin_step: usize,
}

/// Steps that must come before the entry fires.
pub const BEFORE: usize = 4;

/// Whether a step is a use of an entry.
pub fn is(step: &HeadStep, entry: (u8, u8)) -> bool {
    (step.state, step.token.read) == entry
}

/// Entries that fire late enough and again later, with the step at which they first do.
fn candidates(steps: &[HeadStep]) -> Vec<((u8, u8), usize)> {
    let mut found: Vec<((u8, u8), usize)> = Vec::new();
    for (place, step) in steps.iter().enumerate() {
        let entry = (step.state, step.token.read);
        if !found.iter().any(|(known, _)| *known == entry) {
            found.push((entry, place));
        }
    }
    let later = |entry, first: usize| steps[first + 2..].iter().any(|step| is(step, entry));
    found.retain(|&(entry, first)| first >= BEFORE && first + 2 < steps.len() && later(entry, first));
    found
}

/// A run's counterfactual under a twin of its machine: any other write and move at the entry, and any next state.
pub fn twin_of(
    world: &TuringWorld,
    own: &TuringEpisode,
    entry: (u8, u8),
    chance: &mut Stream,
) -> Option<TuringEpisode> {
    let symbols = world.config().symbols;
    let before = own.machine.entry(entry.0, entry.1)?;
    let right = usize::from(before.shift == Move::Right);
    let act =
        (usize::from(before.write) * 2 + right + 1 + chance.below(2 * symbols as u64 - 1) as usize) % (2 * symbols);
    let next = char::from(b'A' + chance.below(world.config().states as u64) as u8);
    let transition = format!("{}{}{next}", act / 2, if act % 2 == 1 { 'R' } else { 'L' });
    world.edit(own, &[Edit::Rewrite { state: entry.0, symbol: entry.1, transition }]).ok()
}

/// Pairs of machines of a split; both belong to it, and in both runs the entry fires again. Which of the two is called
/// the own machine is drawn, so that nothing but what comes after the firing sets them apart.
pub fn pairs(world: &TuringWorld, split: Split, wanted: usize, seed: u64) -> Vec<Pair> {
    let symbols = world.config().symbols;
    let mut chance = stream(&["evil-twin", &seed.to_string(), "pairs", split.name()]);
    let mut pairs = Vec::new();
    for index in 0..200 * wanted as u64 {
        if pairs.len() == wanted {
            break;
        }
        let own = world.observe(split, index);
        let found = candidates(&own.steps);
        if found.is_empty() {
            continue;
        }
        let (entry, fired) = found[chance.below(found.len() as u64) as usize];
        let Some(twin) = twin_of(world, &own, entry, &mut chance) else { continue };
        let again = twin.steps[fired + 2..].iter().any(|step| is(step, entry));
        if world.split_of(&twin.machine) != split || !again {
            continue;
        }
        let (own, twin) = if chance.below(2) == 0 { (own, twin) } else { (twin, own) };
        let later = || (fired + 2..own.steps.len()).map(|place| (place, &own.steps[place]));
        let uses: Vec<usize> = later().filter(|(_, step)| is(step, entry)).map(|(place, _)| place).collect();
        let others: Vec<usize> = later().filter(|(_, step)| !is(step, entry)).map(|(place, _)| place).collect();
        pairs.push(Pair {
            own_step: own.steps[fired].token.index(symbols),
            twin_step: twin.steps[fired].token.index(symbols),
            // The step before the entry fires is one of another entry.
            elsewhere: fired,
            entry,
            fired,
            uses,
            others,
            own,
            twin,
        });
    }
    pairs
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use environments::turing::TuringConfig;

    use super::*;

    #[test]
    fn twins_run_alike_until_the_entry_fires_and_fork_there() {
        let world = TuringWorld::new(TuringConfig { length: 32, ..TuringConfig::default() }).unwrap();
        let pairs = pairs(&world, Split::Test, 30, 1);
        assert_eq!(pairs.len(), 30);
        for pair in &pairs {
            assert_eq!(pair.own.steps[..pair.fired], pair.twin.steps[..pair.fired]);
            assert!(pair.own.steps[..pair.fired].iter().all(|step| !is(step, pair.entry)));
            assert_ne!(pair.own.steps[pair.fired].token, pair.twin.steps[pair.fired].token);
            assert_eq!(pair.own.steps[pair.fired].token.index(2), pair.own_step);
            assert_eq!(pair.twin.steps[pair.fired].token.index(2), pair.twin_step);
            assert!(!pair.uses.is_empty());
            assert!(pair.uses.iter().all(|&place| is(&pair.own.steps[place], pair.entry) && place > pair.fired + 1));
            let differing = pair.own.machine.table().iter().zip(pair.twin.machine.table()).filter(|(a, b)| a != b);
            assert_eq!(differing.count(), 1);
        }
    }
}
