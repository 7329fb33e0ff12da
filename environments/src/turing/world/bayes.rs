//! The exact Bayes answer for a world's view, and for the machines that it draws.

use std::sync::Arc;

use super::TuringWorld;
use crate::sequence::SequenceModel;
use crate::turing::machine::Machine;
use crate::turing::outputs::Outputs;
use crate::turing::posterior::Posterior;
use crate::turing::prior::Prior;
use crate::turing::sight::{Sight, View};
use crate::turing::view::InitialTape;
use crate::turing::{ClassBayes, Tape};
use crate::{EnvironmentError, Split, Symbol};

/// Bayes over the machines of a world, to be asked about any number of its runs.
#[derive(Clone, Debug)]
pub struct TuringBayes {
    sight: Sight,
    initial: InitialTape,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    /// The `head` view of a whole class.
    Class(ClassBayes),
    Steps(Prior),
    Outputs(Arc<Outputs>),
}

impl TuringBayes {
    /// Bayes before the first step of a run that begins with a token ([`super::TuringEpisode::first`]).
    pub fn before(&self, first: Symbol) -> Box<dyn SequenceModel> {
        match &self.kind {
            Kind::Class(bayes) => Box::new(bayes.clone()),
            Kind::Steps(prior) => Box::new(Posterior::new(prior, self.sight, self.initial, Some(usize::from(first)))),
            Kind::Outputs(outputs) => Box::new(outputs.bayes()),
        }
    }
}

impl TuringWorld {
    /// What machines are drawn from, as an exact distribution: of everything the world draws from, or of the part that
    /// belongs to a split. A pool is not looked at. `None` where that takes a list of a class that is too large for one
    /// (more than 5,000,000 tables).
    pub fn prior(&self, split: Option<Split>) -> Option<Prior> {
        let fits = |machine: &Machine| split.is_none_or(|split| self.split_of(machine) == split) && self.meets(machine);
        let whole = split.is_none() && self.config.condition.is_none();
        let priors: Option<Vec<Prior>> =
            self.sources.iter().map(|source| source.prior(if whole { None } else { Some(&fits) })).collect();
        priors.map(Prior::mixed)
    }

    /// The exact Bayes answer for the view, with that prior: what nobody who does not know the machine can beat on average.
    ///
    /// # Errors
    /// In one sentence, if the class is too large.
    pub fn bayes(&self, split: Option<Split>) -> Result<TuringBayes, EnvironmentError> {
        let (sight, initial) = (self.config.sight(), self.config.initial.initial());
        let plain = !self.config.halting && self.config.sizes.is_empty() && self.config.condition.is_none();
        if plain
            && split.is_none()
            && sight.view == View::Head
            && self.config.sampling == super::Sampling::Uniform
            && let Some(bayes) = ClassBayes::new(self.config.states, self.config.symbols, initial)
        {
            return Ok(TuringBayes { sight, initial, kind: Kind::Class(bayes) });
        }
        let prior = self.prior(split).ok_or_else(|| {
            EnvironmentError(format!(
                "states = {}: exact Bayes over a part of a class needs a class of at most 5,000,000 tables; the nearest is fewer \
                 states, or no condition and sampling = 'uniform'",
                self.config.states
            ))
        })?;
        self.bayes_over(&prior).ok_or_else(|| {
            EnvironmentError(format!(
                "states = {}: machines of this class have too many ways to run for {} steps to gather their outputs; the \
                 nearest is fewer states or steps",
                self.config.states, self.config.steps
            ))
        })
    }

    /// The same with any prior over machines that fit this world; `None` if there are too many outputs to gather.
    pub fn bayes_over(&self, prior: &Prior) -> Option<TuringBayes> {
        let (sight, initial) = (self.config.sight(), self.config.initial.initial());
        let kind = match sight.view {
            View::Head | View::Tape => Kind::Steps(prior.clone()),
            View::Output => {
                debug_assert_eq!(self.config.initial, Tape::Blank);
                Kind::Outputs(Arc::new(Outputs::new(prior, sight.symbols, self.config.steps)?))
            }
        };
        Some(TuringBayes { sight, initial, kind })
    }
}
