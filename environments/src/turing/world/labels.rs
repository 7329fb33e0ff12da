//! What is true of a run at every position: labels for probes.

use super::{Tape, TuringEpisode, TuringWorld};
use crate::sequence::SequenceModel;
use crate::turing::deciders::{Decision, Looped, Verdict, decide, loops, repetition};
use crate::turing::{ClassBayes, Machine, Posterior, Prior, Transition, View};
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
fn entry_classes(states: usize, symbols: usize, halting: bool) -> Vec<String> {
    let mut classes = Vec::new();
    for next in 0..states {
        for shift in ["L", "R"] {
            classes.extend((0..symbols).map(|write| format!("{write}{shift}{}", letter(next))));
        }
    }
    classes.extend(halting.then(|| "1RZ".to_string()));
    classes
}

fn class_of(transition: Transition, next: u8, symbols: usize) -> u32 {
    let right = usize::from(transition.shift == crate::turing::Move::Right);
    ((usize::from(next) * 2 + right) * symbols + usize::from(transition.write)) as u32
}

/// A machine's entry with states named by appearance; states that are not met keep no name. Of a world with so many
/// states and symbols, of which the machine may have fewer.
fn renamed(machine: &Machine, names: &[Option<u8>], (state, symbol): (u8, u8), sizes: (usize, usize)) -> Option<u32> {
    if usize::from(symbol) >= machine.symbols() {
        return None;
    }
    let (states, symbols) = sizes;
    let entry = machine.entry(state, symbol)?;
    match entry.next {
        None => Some((2 * states * symbols) as u32),
        Some(next) => Some(class_of(entry, names[usize::from(next)]?, symbols)),
    }
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
    // At position t, of the machine before step t, which the model is to predict; the step that halts is among them.
    let halt = observed.halt.filter(|_| observed.steps.len() < length);
    let state = observed.steps.iter().map(|step| step.state).chain(halt.map(|halt| halt.state));
    let position = observed.steps.iter().map(|step| step.position).chain(halt.map(|halt| halt.position));
    let letters = || (0..states).map(letter).collect();
    let mut columns = Vec::new();
    // The cells of an output are no moments of the run.
    if world.config.view != View::Output {
        columns.extend([
            column("state".into(), Scope::Token, letters(), pad(state.map(by_name).collect())),
            column(
                "head".into(),
                Scope::Token,
                Vec::new(),
                pad(position.map(|position| u32::try_from(position + length as i64).ok()).collect()),
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
                let first =
                    observed.steps.iter().map(|step| Some(u32::from(used.insert((step.state, step.token.read)))));
                pad(std::iter::once(None).chain(first).take(length).collect())
            }),
        ]);
    }
    let determined = determined(world, observed);
    let named: Vec<Option<u8>> = (0..states as u8)
        .map(|name| names.iter().position(|own| *own == Some(name)).map(|state| state as u8))
        .collect();
    for (place, name) in entry_names.iter().enumerate() {
        let (state, symbol) = (place / symbols, (place % symbols) as u8);
        let truth =
            named[state].and_then(|state| renamed(&observed.machine, &names, (state, symbol), (states, symbols)));
        let classes = entry_classes(states, symbols, world.config.halting);
        columns.push(column(format!("entry {name}"), Scope::Episode, classes, vec![truth]));
        if world.config.view != View::Output {
            let classes = vec!["no".into(), "yes".into()];
            let values = determined.iter().map(|known| Some(u32::from(known[place]))).collect();
            columns.push(column(format!("determined {name}"), Scope::Token, classes, pad(values)));
        }
    }
    columns.extend(end(world, observed));
    Labels { columns }
}

/// How the run ends, as far as that is proved. From a blank tape the deciders know; on a random tape a run that comes back
/// to where it was goes on for ever, and one that halts within the episode halts.
fn end(world: &TuringWorld, observed: &TuringEpisode) -> Vec<Column> {
    let blank = world.config.initial == Tape::Blank;
    let steps = observed.halt.map(|_| observed.steps.len() as u64 + 1);
    let entries: Vec<u8> =
        observed.steps.iter().map(|step| step.state * observed.machine.symbols() as u8 + step.token.read).collect();
    let mut positions: Vec<i64> = observed.steps.iter().map(|step| step.position).collect();
    positions.extend(observed.steps.last().map(|step| step.position + step.token.shift.offset()));
    let looped = match (steps, blank) {
        (Some(_), _) => None,
        (None, false) => repetition(&entries, &positions, false),
        (None, true) => match loops(&observed.machine, LOOP_STEPS) {
            Verdict::Loops(looped) => Some(looped),
            Verdict::Halts(_) | Verdict::Unknown => None,
        },
    };
    let decision = match (steps, looped) {
        (Some(steps), _) => Some(Some(steps)),
        (None, Some(_)) => Some(None),
        (None, None) if blank => match decide(&observed.machine) {
            Decision::Halts(steps) => Some(Some(steps)),
            Decision::Forever(_) => Some(None),
            Decision::Undecided => None,
        },
        (None, None) => None,
    };
    let length = world.config.length;
    let to_halt = |position: usize| Some(decision??.checked_sub(position as u64)? as u32);
    let moments = if world.config.view == View::Output { 1 } else { length };
    let episode = |concept: &str, classes: &[&str], value: Option<u32>| Column {
        concept: concept.into(),
        scope: Scope::Episode,
        classes: classes.iter().map(|&class| class.into()).collect(),
        values: vec![value],
    };
    let shift = |looped: Looped| looped.shift.unsigned_abs() as u32;
    vec![
        episode("halts", &["no", "yes"], decision.map(|steps| u32::from(steps.is_some()))),
        // At position t: steps from before step t to the halt, that step counted.
        Column {
            concept: "steps-to-halt".into(),
            scope: if moments == 1 { Scope::Episode } else { Scope::Token },
            classes: Vec::new(),
            values: (0..moments)
                .map(|position| to_halt(position).filter(|_| steps.is_none_or(|it| position < it as usize)))
                .collect(),
        },
        episode("period", &[], looped.map(|looped| looped.period as u32)),
        episode("translation", &[], looped.map(shift)),
    ]
}

/// Steps after which a run from a blank tape is looked at for loops.
const LOOP_STEPS: usize = 4096;

/// Of each position, which entries all machines of the class that agree with what was seen share; entries of states named
/// by appearance. What the world asks of a machine beyond its size is not taken for known.
fn determined(world: &TuringWorld, observed: &TuringEpisode) -> Vec<Vec<bool>> {
    let config = &world.config;
    let (states, symbols, initial) = (config.states, config.symbols, config.initial.initial());
    let mut all = Vec::with_capacity(observed.seen.len());
    if config.view == View::Head && !config.halting && config.sizes.is_empty() {
        let Some(mut bayes) = ClassBayes::new(states, symbols, initial) else { return all };
        for &number in &observed.seen {
            all.push(bayes.determined().iter().map(Option::is_some).collect());
            bayes.observe(number);
        }
        return all;
    }
    let classes = config.sizes().into_iter().map(|[states, symbols]| Prior::class(states, symbols, config.halting));
    let prior = Prior::mixed(classes.collect());
    if config.view == View::Output {
        return all;
    }
    let mut bayes = Posterior::new(&prior, config.sight(), initial, Some(usize::from(observed.first)));
    for &number in &observed.seen {
        let known = bayes.determined();
        let entries = (0..states).flat_map(|state| (0..symbols).map(move |symbol| (state as u8, symbol as u8)));
        all.push(entries.map(|entry| known.contains_key(&entry)).collect());
        bayes.observe(number);
    }
    all
}
