//! What is true of a history at every position: labels for probes.

use super::bayes::{ClassBayes, cells_of};
use super::{ElementaryEpisode, ElementaryWorld};
use crate::automata::{Particles, WolframClass};
use crate::sequence::SequenceModel;
use crate::{Column, Labels, Scope};

/// The neighbourhoods of a radius as text, in the order of the table: `000`, `001`, …
pub(super) fn entry_names(radius: usize) -> Vec<String> {
    let cells = 2 * radius + 1;
    (0..1usize << cells).map(|entry| format!("{entry:0cells$b}")).collect()
}

fn names<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_string).to_vec()
}

pub(super) fn labels(world: &ElementaryWorld, observed: &ElementaryEpisode) -> Labels {
    let config = world.config();
    let (length, block) = (config.length(), config.block);
    let entries = entry_names(config.radius);
    let mut bayes = ClassBayes::new(config.radius, config.width, block);
    // Of the token that a position is to predict: entries, whether all are known, which are known; and whether a token,
    // once seen, was the first to use an entry.
    let (mut next, mut certain, mut known, mut first) = (Vec::new(), Vec::new(), Vec::new(), vec![None]);
    for number in world.numbers(observed) {
        let used = bayes.next_entries();
        let determined = bayes.determined().to_vec();
        let sure = used.as_ref().map(|used| used.iter().all(|&entry| determined[entry].is_some()));
        certain.push(sure.map(u32::from));
        first.push(sure.map(|sure| u32::from(!sure)));
        known.push(determined);
        next.push(used);
        bayes.observe(number);
    }
    first.truncate(length);
    let mut columns = Vec::new();
    let mut column = |concept: String, scope: Scope, classes: Vec<String>, values: Vec<Option<u32>>| {
        columns.push(Column { concept, scope, classes, values });
    };
    let at = |used: &Option<Vec<usize>>, cell: usize| used.as_ref().map(|used| used[cell] as u32);
    for cell in 0..block {
        let name = |what: &str| if block == 1 { what.to_string() } else { format!("{what} {cell}") };
        // Of the token that the position holds: none at position 0 and in the first row.
        let held = std::iter::once(None).chain(next.iter().map(|used| at(used, cell))).take(length).collect();
        column(name("used"), Scope::Token, entries.clone(), held);
        // Of the token that the position is to predict.
        column(name("next"), Scope::Token, entries.clone(), next.iter().map(|used| at(used, cell)).collect());
    }
    column("first-use".into(), Scope::Token, names(["no", "yes"]), first);
    column("next-determined".into(), Scope::Token, names(["no", "yes"]), certain);
    for (entry, name) in entries.iter().enumerate() {
        let truth = u32::from(observed.rule.next(entry));
        column(format!("entry {name}"), Scope::Episode, names(["0", "1"]), vec![Some(truth)]);
        let values = known.iter().map(|known| Some(u32::from(known[entry].is_some()))).collect();
        column(format!("determined {name}"), Scope::Token, names(["no", "yes"]), values);
    }
    let class = observed.rule.wolfram_class().map(|class| class as u32);
    column("class".into(), Scope::Episode, names(WolframClass::ALL.map(WolframClass::name)), vec![class]);
    // Domains and particles of the cells that a position holds, where the rule's domain is known.
    let particles = Particles::find(observed.rule, &observed.rows).ok();
    for cell in 0..block {
        let name = |what: &str| if block == 1 { what.to_string() } else { format!("{what} {cell}") };
        let held = |value: &dyn Fn(&Particles, usize) -> Option<u32>| {
            let at = |token: usize| particles.as_ref().and_then(|found| value(found, token * block + cell));
            std::iter::once(None).chain((0..length - 1).map(at)).collect::<Vec<_>>()
        };
        let track = |found: &Particles, place: usize| found.covers[place].map(|track| track as usize);
        let structure = held(&|found, place| {
            Some(track(found, place).map_or(0, |track| 1 + u32::from(found.tracks[track].motion.is_some())))
        });
        column(name("structure"), Scope::Token, names(["domain", "wall", "particle"]), structure);
        let phase = held(&|found, place| found.phases[place].map(u32::from));
        column(name("domain-phase"), Scope::Token, Vec::new(), phase);
        column(name("track"), Scope::Token, Vec::new(), held(&|found, place| found.covers[place]));
        let heading = held(&|found, place| {
            let motion = found.tracks[track(found, place)?].motion?;
            Some((1 + motion.displacement.signum()) as u32)
        });
        column(name("heading"), Scope::Token, names(["west", "none", "east"]), heading);
    }
    Labels { columns }
}

/// Cells of tokens, one after the other.
pub(super) fn cells(numbers: impl IntoIterator<Item = usize>, block: usize) -> Vec<u8> {
    numbers.into_iter().flat_map(|number| cells_of(number, block)).collect()
}
