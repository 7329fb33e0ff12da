//! Moments of runs at which probes read: what is true of the machine there, and what an exact reasoner can know of it.

use environments::sequence::SequenceModel;
use environments::turing::{ClassBayes, TuringWorld};
use environments::{Draw, Split, stream};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::super::scores::Runs;
use crate::moments::{Concept, Features, Moment, Moments, Stratum, Truth};

/// Steps that come before a moment at least.
const EARLIEST: usize = 6;

/// Steps of the window of raw input.
const WINDOW: usize = 8;

/// How states are told from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Frame {
    /// By their names: the start state is A.
    Absolute,
    /// Counted from the state that the machine is in.
    Relative,
}

impl Frame {
    /// Both.
    pub const ALL: [Frame; 2] = [Frame::Absolute, Frame::Relative];

    /// In words.
    pub fn name(self) -> &'static str {
        ["absolute", "relative"][self as usize]
    }

    /// The concept of the hidden state.
    pub fn state(self) -> usize {
        self as usize
    }
}

/// The concepts of a world: the state, whether the last step changed it, the entries by their states' names, the entries
/// by their states counted from the one that the machine is in. A state is always about the step to come; an entry is
/// idle while the machine is in another state.
pub fn concepts(world: &TuringWorld) -> Vec<Concept> {
    let (states, symbols) = (world.config().states, world.config().symbols);
    let classes = 2 * states * symbols;
    let letter = |state: usize| char::from(b'A' + state as u8);
    let entries = || (0..states).flat_map(|state| (0..symbols).map(move |symbol| (state, symbol)));
    let entry = |name: String| Concept { name, classes, scored: Stratum::Idle };
    let state = |name: &str, classes: usize| Concept { name: name.into(), classes, scored: Stratum::Current };
    let mut all = vec![state("state", states), state("state changed", 2)];
    all.extend(entries().map(|(state, symbol)| entry(format!("{}{symbol}", letter(state)))));
    all.extend(entries().map(|(offset, symbol)| entry(format!("+{offset} {symbol}"))));
    all
}

/// The numbers of the entries among the concepts, in a frame.
pub fn entries(concepts: usize, frame: Frame) -> std::ops::Range<usize> {
    let count = (concepts - 2) / 2;
    let first = 2 + frame as usize * count;
    first..first + count
}

/// The chance that the likeliest class is the true one, ties broken at random.
fn chance_of(posterior: &[f64], class: Option<usize>) -> f64 {
    let most = posterior.iter().fold(0.0f64, |most, &value| most.max(value));
    let tied = |value: &f64| *value >= most - 1e-12;
    let count = posterior.iter().filter(|value| tied(value)).count();
    class.filter(|&class| tied(&posterior[class])).map_or(0.0, |_| 1.0 / count as f64)
}

/// `each` moments of each of the first `count` different runs of a split from an index on.
pub fn draw(world: &TuringWorld, split: Split, (first, count): (u64, usize), each: usize, seed: u64) -> Moments {
    let runs = Runs::new(world, split, first, count);
    let of = |run: usize| {
        let mut chance = stream(&["rule-table", &seed.to_string(), "moments", split.name(), &run.to_string()]);
        let length = world.config().length as u64;
        let mut positions: Vec<usize> =
            (0..each).map(|_| EARLIEST + chance.below(length - EARLIEST as u64) as usize).collect();
        positions.sort_unstable();
        positions.dedup();
        moments(world, &runs, run, &positions)
    };
    let all = (0..runs.len()).into_par_iter().map(of).collect::<Vec<_>>().into_iter().flatten().collect();
    let clusters = (0..runs.len()).collect();
    Moments { samples: runs.samples, numbers: runs.numbers, targets: runs.targets, clusters, all }
}

/// What the context says without a model: how often each step, and each pair of steps in a row, has occurred so far.
pub fn counts(moments: &Moments) -> Features {
    let steps = moments.targets;
    moments.by_moment(|numbers| {
        let mut row = vec![0.0; steps + steps * steps];
        numbers.iter().for_each(|&step| row[step] += 1.0);
        numbers.windows(2).for_each(|pair| row[steps + pair[0] * steps + pair[1]] += 1.0);
        row
    })
}

/// The same as yes or no, with the steps held by the last positions.
pub fn seen(moments: &Moments) -> Features {
    let steps = moments.targets;
    moments.by_moment(|numbers| {
        let mut row = vec![0.0; steps + steps * steps + WINDOW * steps];
        numbers.iter().for_each(|&step| row[step] = 1.0);
        numbers.windows(2).for_each(|pair| row[steps + pair[0] * steps + pair[1]] = 1.0);
        let window = steps + steps * steps;
        for (back, &step) in numbers.iter().rev().take(WINDOW).enumerate() {
            row[window + back * steps + step] = 1.0;
        }
        row
    })
}

fn moments(world: &TuringWorld, runs: &Runs, run: usize, positions: &[usize]) -> Vec<Moment> {
    let config = world.config();
    let (states, symbols) = (config.states, config.symbols);
    let Some(mut bayes) = ClassBayes::new(states, symbols, config.initial.initial()) else {
        unreachable!("the class of a world is one that can be counted");
    };
    let episode = world.episode_of(&runs.episodes[run]);
    let at = |concept: &str, position: usize| {
        let values = episode.labels.get(concept).map(|column| &column.values);
        values.and_then(|values| *values.get(position)?).map(|value| value as usize)
    };
    let names = concepts(world);
    let numbers = &runs.numbers[run];
    let known = |posterior: &[f64]| posterior.iter().any(|&value| value > 1.0 - 1e-12);
    let mut read = 0;
    let mut all = Vec::with_capacity(positions.len());
    for &position in positions {
        while read + 1 < position {
            bayes.observe(numbers[read]);
            read += 1;
        }
        let knew_state = known(&bayes.state_posterior());
        while read < position {
            bayes.observe(numbers[read]);
            read += 1;
        }
        let in_state = bayes.state_posterior();
        let state = at("state", position);
        let stratum = |known: bool| if known { Stratum::Current } else { Stratum::Open };
        let truth = |class, posterior: &[f64], stratum| Truth { class, stratum, bayes: chance_of(posterior, class) };
        let changed = at("state", position - 1).zip(state).map(|(before, now)| usize::from(before != now));
        let sure = knew_state && known(&in_state);
        let mut truths = vec![
            truth(state, &in_state, stratum(known(&in_state))),
            Truth { class: changed, stratum: stratum(sure), bayes: if sure { 1.0 } else { 0.5 } },
        ];
        let mut beliefs = vec![in_state, Vec::new()];
        let used = at("used", position);
        for frame in Frame::ALL {
            for place in 0..states * symbols {
                let (of, symbol) = (place / symbols, place % symbols);
                let posterior = match frame {
                    Frame::Absolute => bayes.entry_posterior(of, symbol),
                    Frame::Relative => bayes.relative_posterior(of, symbol),
                };
                let named = match (frame, state) {
                    (Frame::Absolute, _) => Some(of),
                    (Frame::Relative, state) => state.map(|state| (state + of) % states),
                };
                let entry = named.map(|named| named * symbols + symbol);
                let class =
                    entry.and_then(|entry| at(&format!("entry {}", names[2 + entry].name), 0)).and_then(|class| {
                        match frame {
                            Frame::Absolute => Some(class),
                            Frame::Relative => Some(relative(class, state?, world)),
                        }
                    });
                let stratum = if used.is_some() && used == entry {
                    Stratum::Shown
                } else if !known(&posterior) {
                    Stratum::Open
                } else if named == state {
                    Stratum::Current
                } else {
                    Stratum::Idle
                };
                truths.push(truth(class, &posterior, stratum));
                beliefs[frame as usize].extend(posterior);
            }
        }
        let kind = (numbers[position - 1] * runs.targets + numbers[position - 2]) as u64;
        all.push(Moment { run, position, truths, beliefs, kind });
    }
    all
}

/// The class of a transition with its next state counted from a state.
pub fn relative(class: usize, from: usize, world: &TuringWorld) -> usize {
    let (states, acts) = (world.config().states, 2 * world.config().symbols);
    (class / acts + states - from) % states * acts + class % acts
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use environments::turing::TuringConfig;

    use super::*;

    #[test]
    fn what_is_determined_is_true_and_what_is_open_bayes_guesses() {
        let world = TuringWorld::new(TuringConfig { length: 32, ..TuringConfig::default() }).unwrap();
        let moments = draw(&world, Split::Test, (0, 150), 3, 1);
        let mut met = [0usize; 4];
        let (mut open, mut right) = (0.0, 0.0);
        for moment in &moments.all {
            assert_eq!(moment.truths.len(), 10);
            assert_eq!(moment.beliefs.iter().map(Vec::len).collect::<Vec<_>>(), [2 + 4 * 8, 4 * 8]);
            for truth in &moment.truths {
                met[truth.stratum as usize] += 1;
                match truth.stratum {
                    Stratum::Idle | Stratum::Current => assert_eq!(truth.bayes, 1.0),
                    Stratum::Open => (open, right) = (open + 1.0, right + truth.bayes),
                    Stratum::Shown => {}
                }
            }
            for frame in Frame::ALL {
                let truths = &moment.truths[entries(10, frame)];
                let shown = truths.iter().filter(|truth| truth.stratum == Stratum::Shown).count();
                assert_eq!(shown, 1, "a step is a use of one entry");
            }
            // Whatever the frame, the entries of the state that the machine is in do what they do.
            let state = moment.truths[0].class.unwrap();
            for symbol in 0..2 {
                let absolute = moment.truths[2 + 2 * state + symbol].class.unwrap();
                let here = moment.truths[6 + symbol].class.unwrap();
                assert_eq!((absolute % 4, (absolute / 4 + 2 - state) % 2), (here % 4, here / 4));
            }
        }
        assert!(met.iter().all(|&count| count > 20), "{met:?}");
        assert!(right / open < 0.6, "{right} of {open}");
        let counts = counts(&moments);
        let first = &moments.all[0];
        assert_eq!(counts.row(0)[..8].iter().sum::<f32>() as usize, first.position);
        assert_eq!(counts.row(0)[8..].iter().sum::<f32>() as usize, first.position - 1);
        assert_eq!(seen(&moments).width, 8 + 64 + 8 * WINDOW);
    }
}
