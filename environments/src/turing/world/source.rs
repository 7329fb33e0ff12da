//! Where machines of a world are drawn from, and how likely each of them is.

use super::config::{FORM_STEPS, Sampling, TRACE, TuringConfig};
use crate::EnvironmentError;
use crate::stream::{Draw, Stream};
use crate::turing::machine::{Machine, Move, Transition};
use crate::turing::population::draw_machine;
use crate::turing::prior::{Prior, choices, transition};
use crate::turing::strata::Strata;
use crate::turing::view::head_run_to_halt;

/// Most leaves of a tree in normal form.
const MOST_FORMS: usize = 1 << 20;

/// A table that is filled in part.
type Partial = Vec<Option<Transition>>;

/// Machines of one size, to be drawn.
#[derive(Clone, Debug)]
pub(super) struct Source {
    states: usize,
    symbols: usize,
    halting: bool,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Uniform,
    Strata(Strata),
    Forms(Vec<Partial>),
}

impl Source {
    /// The source of one of a world's sizes.
    pub fn new(config: &TuringConfig, [states, symbols]: [usize; 2]) -> Result<Source, EnvironmentError> {
        let halting = config.halting;
        let kind = match config.sampling {
            Sampling::Uniform => Kind::Uniform,
            Sampling::Stratified => Strata::new(states, symbols, TRACE)
                .map(Kind::Strata)
                .map_err(|error| EnvironmentError(format!("sampling = 'stratified': {error}")))?,
            Sampling::Tnf => forms(states, symbols, halting).map(Kind::Forms).ok_or_else(|| {
                EnvironmentError(format!(
                    "sampling = 'tnf': the tree of {states} states and {symbols} symbols has more than {MOST_FORMS} leaves; \
                     take fewer states"
                ))
            })?,
        };
        Ok(Source { states, symbols, halting, kind })
    }

    pub fn draw(&self, chance: &mut Stream) -> Machine {
        match &self.kind {
            Kind::Uniform => draw_machine(self.states, self.symbols, self.halting, chance),
            Kind::Strata(strata) => strata.draw(chance.below(strata.traces().len() as u64) as usize, chance),
            Kind::Forms(forms) => {
                let form = &forms[chance.below(forms.len() as u64) as usize];
                let choices = choices(self.states, self.symbols, self.halting) as u64;
                let mut fill = || transition(chance.below(choices) as usize, self.states, self.symbols);
                let table = form.iter().map(|entry| Some(entry.unwrap_or_else(&mut fill))).collect();
                match Machine::new(self.states, self.symbols, table) {
                    Ok(machine) => machine,
                    Err(error) => unreachable!("a filled table is a machine: {error}"),
                }
            }
        }
    }

    /// The exact distribution of what `draw` gives, if `accept` takes all or the class can be listed. `accept` must not
    /// depend on the names of states.
    pub fn prior(&self, accept: Option<&(dyn Fn(&Machine) -> bool + Sync)>) -> Option<Prior> {
        let (states, symbols, halting) = (self.states, self.symbols, self.halting);
        match (&self.kind, accept) {
            (Kind::Uniform, None) => return Some(Prior::class(states, symbols, halting)),
            (Kind::Forms(forms), None) => return Some(Prior::partial(states, symbols, halting, forms)),
            _ => {}
        }
        let accepted = |machine: &Machine| accept.is_none_or(|accept| accept(machine));
        let likely = |machine: &Machine| match &self.kind {
            Kind::Uniform => 1.0,
            Kind::Strata(strata) => {
                let (steps, _) = head_run_to_halt(machine, |_| 0, TRACE);
                let trace: Vec<u8> = steps.iter().map(|step| step.token.write).collect();
                strata.place(&trace).map_or(0.0, |place| 1.0 / strata.machines(place) as f64)
            }
            Kind::Forms(_) => self.formed(machine),
        };
        Prior::weighted(states, symbols, halting, |machine| if accepted(machine) { likely(machine) } else { 0.0 })
    }

    /// How likely a machine is as the filling of a leaf, up to a factor: of all namings of its states only those in order
    /// of appearance can be drawn, and entries that the leaf leaves open are filled in one way of many.
    fn formed(&self, machine: &Machine) -> f64 {
        let (steps, halt) = head_run_to_halt(machine, |_| 0, FORM_STEPS);
        if steps.first().is_some_and(|step| step.token.shift == Move::Left) {
            return 0.0;
        }
        let mut used = std::collections::BTreeSet::new();
        let mut met = std::collections::BTreeSet::from([0]);
        for step in &steps {
            used.insert((step.state, step.token.read));
            met.insert(step.next);
        }
        used.extend(halt.map(|halt| (halt.state, halt.read)));
        let choices = choices(self.states, self.symbols, self.halting) as f64;
        // (n − met)! of the (n − 1)! namings.
        let in_order: f64 = (self.states - met.len() + 1..self.states).map(|count| 1.0 / count as f64).product();
        in_order * choices.powi(used.len() as i32)
    }
}

/// The leaves of the tree in normal form: tables with the entries that the first steps use. `None` if there are too many.
fn forms(states: usize, symbols: usize, halting: bool) -> Option<Vec<Partial>> {
    let mut leaves = Vec::new();
    let mut open: Vec<(Partial, usize)> = vec![(vec![None; states * symbols], 1)];
    while let Some((table, seen)) = open.pop() {
        let Ok(machine) = Machine::new(states, symbols, table.clone()) else {
            unreachable!("it is filled from its size")
        };
        let (steps, halt) = head_run_to_halt(&machine, |_| 0, FORM_STEPS);
        let Some(halt) = halt.filter(|halt| machine.entry(halt.state, halt.read).is_none()) else {
            leaves.push(table);
            if leaves.len() > MOST_FORMS {
                return None;
            }
            continue;
        };
        for number in (0..choices(states, symbols, halting)).rev() {
            let transition = transition(number, states, symbols);
            let next = transition.next.map_or(0, usize::from);
            // Where the first step halts there is no first move that could be to the left.
            if next > seen || (steps.is_empty() && transition.shift == Move::Left) {
                continue;
            }
            let mut filled = table.clone();
            filled[usize::from(halt.state) * symbols + usize::from(halt.read)] = Some(transition);
            open.push((filled, seen.max(next + 1)));
        }
    }
    Some(leaves)
}
