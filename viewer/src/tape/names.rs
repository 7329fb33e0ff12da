//! What states are called: in the order in which a run meets them, which is all that an observer of the head can know.

use environments::turing::{Machine, Move, Transition, TuringEpisode};

/// Names of states, and back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// `shown[state]`.
    shown: Vec<u8>,
}

impl Names {
    /// Those of a run. States that it does not meet come last, in the machine's own order.
    pub fn of(episode: &TuringEpisode) -> Self {
        let states = episode.machine.states();
        let mut order: Vec<u8> = Vec::with_capacity(states);
        let met = std::iter::once(0).chain(episode.steps.iter().map(|step| step.next));
        for state in met.chain(0..states as u8) {
            if !order.contains(&state) {
                order.push(state);
            }
        }
        let mut shown = vec![0; states];
        for (name, &state) in order.iter().enumerate() {
            shown[usize::from(state)] = name as u8;
        }
        Self { shown }
    }

    /// The name of a state of the machine, as a number.
    pub fn shown(&self, state: u8) -> u8 {
        self.shown.get(usize::from(state)).copied().unwrap_or(state)
    }

    /// The state of the machine that has a name.
    pub fn own(&self, name: u8) -> u8 {
        self.shown.iter().position(|&shown| shown == name).map_or(name, |state| state as u8)
    }

    /// The machine with its states so named: `table[name * symbols + symbol]`.
    pub fn table(&self, machine: &Machine) -> Vec<Option<Transition>> {
        let entries = (0..machine.states() as u8).flat_map(|name| (0..machine.symbols() as u8).map(move |s| (name, s)));
        let renamed =
            |transition: Transition| Transition { next: transition.next.map(|n| self.shown(n)), ..transition };
        entries.map(|(name, symbol)| machine.entry(self.own(name), symbol).map(renamed)).collect()
    }

    /// The machine's text with its states so named.
    pub fn text(&self, machine: &Machine) -> String {
        let table = self.table(machine);
        let row = |entries: &[Option<Transition>]| {
            entries.iter().map(|entry| entry.map_or("---".into(), written)).collect::<String>()
        };
        table.chunks(machine.symbols()).map(row).collect::<Vec<_>>().join("_")
    }
}

/// `A` for 0.
pub fn letter(state: u8) -> String {
    char::from(b'A' + state).to_string()
}

/// A transition's text, such as `1RB`.
pub fn written(transition: Transition) -> String {
    let shift = if transition.shift == Move::Right { 'R' } else { 'L' };
    format!("{}{shift}{}", transition.write, transition.next.map_or("Z".into(), letter))
}

/// The number of a transition among the choices of an entry, `(2 * write + right) * states + next`.
pub fn number(transition: Transition, states: usize) -> Option<usize> {
    let act = 2 * usize::from(transition.write) + usize::from(transition.shift == Move::Right);
    Some(act * states + usize::from(transition.next?))
}

/// The choice of a number.
pub fn choice(number: usize, states: usize) -> Transition {
    let (act, next) = (number / states, number % states);
    let shift = if act % 2 == 1 { Move::Right } else { Move::Left };
    Transition { write: (act / 2) as u8, shift, next: Some(next as u8) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use environments::Address;
    use environments::turing::head_run;

    use super::*;

    #[test]
    fn states_are_named_as_they_are_met() {
        let machine: Machine = "1RC0LA_0LB1RB_1LA1RB".parse().unwrap();
        let steps = head_run(&machine, None, 2);
        let address = Address { environment: String::new(), split: environments::Split::Train, index: 0 };
        let (edits, halt, seen) = (Vec::new(), None, Vec::new());
        let episode = TuringEpisode { address, edits, machine: machine.clone(), steps, halt, first: 0, seen };
        let names = Names::of(&episode);
        assert_eq!((names.shown(0), names.shown(2), names.shown(1)), (0, 1, 2));
        assert_eq!((names.own(1), names.own(2)), (2, 1));
        assert_eq!(names.text(&machine), "1RB0LA_1LA1RC_0LC1RC");
        for code in 0..12 {
            assert_eq!(number(choice(code, 3), 3), Some(code));
        }
        assert_eq!(written(choice(11, 3)), "1RC");
    }
}
