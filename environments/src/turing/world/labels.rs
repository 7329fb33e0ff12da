//! What is true of a run at every position: labels for probes.

use super::{TuringEpisode, TuringWorld};
use crate::sequence::SequenceModel;
use crate::turing::{ClassBayes, Machine, Transition};
use crate::{Column, Labels, Scope};

/// The order in which a run meets states: `names[state]` is the place of a state among those met, if it is. An observer
/// of the head can know states by no other names.
pub(super) fn appearance(observed: &TuringEpisode) -> Vec<Option<u8>> {
    let mut names: Vec<Option<u8>> = vec![None; observed.machine.states()];
    let mut met = 0;
    let states = std::iter::once(0).chain(observed.steps.iter().map(|step| step.next));
    for state in states {
        names[usize::from(state)].get_or_insert_with(|| {
            met += 1;
            met - 1
        });
    }
    names
}

fn letter(state: usize) -> String {
    char::from(b'A' + state as u8).to_string()
}

/// The classes of an entry: everything it can be.
fn entry_classes(states: usize, symbols: usize) -> Vec<String> {
    let mut classes = Vec::new();
    for next in 0..states {
        for shift in ["L", "R"] {
            classes.extend((0..symbols).map(|write| format!("{write}{shift}{}", letter(next))));
        }
    }
    classes
}

fn class_of(transition: Transition, next: u8, symbols: usize) -> u32 {
    let right = usize::from(transition.shift == crate::turing::Move::Right);
    ((usize::from(next) * 2 + right) * symbols + usize::from(transition.write)) as u32
}

/// A machine's entry with states named by appearance; states that are not met keep no name.
fn renamed(machine: &Machine, names: &[Option<u8>], state: u8, symbol: u8) -> Option<u32> {
    let entry = machine.entry(state, symbol)?;
    Some(class_of(entry, names[usize::from(entry.next?)]?, machine.symbols()))
}

pub(super) fn labels(world: &TuringWorld, observed: &TuringEpisode) -> Labels {
    let (states, symbols, length) = (world.config.states, world.config.symbols, world.config.length);
    let names = appearance(observed);
    let pad = |mut values: Vec<Option<u32>>| {
        values.resize(length, None);
        values
    };
    let column = |concept: String, scope: Scope, classes: Vec<String>, values: Vec<Option<u32>>| Column {
        concept,
        scope,
        classes,
        values,
    };
    let by_name = |state: u8| names[usize::from(state)].map(u32::from);
    let entry_names: Vec<String> =
        (0..states).flat_map(|state| (0..symbols).map(move |symbol| format!("{}{symbol}", letter(state)))).collect();
    let entry =
        |step: &crate::turing::HeadStep| Some(by_name(step.state)? * symbols as u32 + u32::from(step.token.read));
    let mut columns = vec![
        // At position t, of the machine before step t, which the model is to predict.
        column(
            "state".into(),
            Scope::Token,
            (0..states).map(letter).collect(),
            pad(observed.steps.iter().map(|step| by_name(step.state)).collect()),
        ),
        column(
            "head".into(),
            Scope::Token,
            Vec::new(),
            pad(observed.steps.iter().map(|step| u32::try_from(step.position + length as i64).ok()).collect()),
        ),
        // Of the step that the position holds: none at position 0.
        column(
            "used".into(),
            Scope::Token,
            entry_names.clone(),
            pad(std::iter::once(None).chain(observed.steps.iter().map(entry)).take(length).collect()),
        ),
        column("first-use".into(), Scope::Token, vec!["no".into(), "yes".into()], {
            let mut used = std::collections::BTreeSet::new();
            let first = observed.steps.iter().map(|step| Some(u32::from(used.insert((step.state, step.token.read)))));
            pad(std::iter::once(None).chain(first).take(length).collect())
        }),
    ];
    let determined = determined(world, observed);
    let named: Vec<Option<u8>> = (0..states as u8)
        .map(|name| names.iter().position(|own| *own == Some(name)).map(|state| state as u8))
        .collect();
    for (place, name) in entry_names.iter().enumerate() {
        let (state, symbol) = (place / symbols, (place % symbols) as u8);
        let truth = named[state].and_then(|state| renamed(&observed.machine, &names, state, symbol));
        let classes = entry_classes(states, symbols);
        columns.push(column(format!("entry {name}"), Scope::Episode, classes, vec![truth]));
        let classes = vec!["no".into(), "yes".into()];
        let values = determined.iter().map(|known| Some(u32::from(known[place]))).collect();
        columns.push(column(format!("determined {name}"), Scope::Token, classes, pad(values)));
    }
    Labels { columns }
}

/// Of each position, which entries all machines of the class that agree with the steps so far share; entries of states
/// named by appearance.
fn determined(world: &TuringWorld, observed: &TuringEpisode) -> Vec<Vec<bool>> {
    let config = &world.config;
    let Some(mut bayes) = ClassBayes::new(config.states, config.symbols, config.initial.initial()) else {
        return Vec::new();
    };
    let mut all = Vec::with_capacity(observed.steps.len());
    for number in world.numbers(&observed.steps) {
        all.push(bayes.determined().iter().map(Option::is_some).collect());
        bayes.observe(number);
    }
    all
}
