//! What an exact reasoner knows of a machine at every step of its run.

use environments::sequence::SequenceModel;
use environments::turing::{ClassBayes, InitialTape, ListBayes, Machine};

/// Hypotheses beyond which Bayes over the class is given up.
const MOST: usize = 50_000;

/// What Bayes over the class knows before a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The posterior of every entry, `[(state * symbols + symbol) * choices + choice]`, with the 2·symbols·states choices
    /// numbered `(2 * write + right) * states + next`.
    pub entries: Vec<f64>,
    /// The probability of every next token.
    pub next: Vec<f64>,
    /// Tables that agree with everything seen.
    pub tables: u128,
}

/// Exact references beside a run, before each of its steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Bayes over the class; or why it is not there.
    pub class: Result<Vec<Known>, String>,
    /// Bayes over the training machines: the probability of every next token, until none of them fits.
    pub memory: Option<Vec<Option<Vec<f64>>>>,
}

impl Evidence {
    /// Follows a run, given as token numbers. `pool` lists the training machines, where they are few enough to be.
    pub fn of(
        tokens: &[usize],
        (states, symbols): (usize, usize),
        initial: InitialTape,
        pool: Option<&[Machine]>,
    ) -> Self {
        let class = class(tokens, states, symbols, initial);
        let memory = pool.map(|pool| memory(tokens, symbols, initial, pool));
        Self { class, memory }
    }
}

/// [`ClassBayes::entry_posterior`] of all entries, a choice's write first.
fn entries(bayes: &ClassBayes, states: usize, symbols: usize) -> Vec<f64> {
    let of = |place: usize| {
        let posterior = bayes.entry_posterior(place / symbols, place % symbols);
        (0..posterior.len()).map(move |choice| {
            let (act, next) = (choice / states, choice % states);
            posterior[(next * 2 + act % 2) * symbols + act / 2]
        })
    };
    (0..states * symbols).flat_map(of).collect()
}

fn class(tokens: &[usize], states: usize, symbols: usize, initial: InitialTape) -> Result<Vec<Known>, String> {
    let too_many = || format!("machines of {states} states and {symbols} symbols are too many to reckon with");
    let mut bayes = ClassBayes::new(states, symbols, initial).ok_or_else(too_many)?;
    let mut all = Vec::with_capacity(tokens.len());
    for &token in tokens {
        if bayes.hypotheses() > MOST {
            return Err(too_many());
        }
        all.push(Known {
            entries: entries(&bayes, states, symbols),
            next: bayes.probabilities(),
            tables: bayes.consistent(),
        });
        bayes.observe(token);
    }
    Ok(all)
}

fn memory(tokens: &[usize], symbols: usize, initial: InitialTape, pool: &[Machine]) -> Vec<Option<Vec<f64>>> {
    let mut bayes = ListBayes::new(pool.iter().map(|machine| (machine, 1.0)), symbols, initial);
    let before = |token: &usize| {
        if bayes.consistent().is_empty() {
            return None;
        }
        let next = bayes.probabilities();
        bayes.observe(*token);
        Some(next)
    };
    tokens.iter().map(before).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn knowledge_grows_with_evidence_and_memory_is_lost_on_strangers() {
        // 0 is read, 1 written and right, four times: entry A0 fires, then that of A or of B.
        let pool: Vec<Machine> = vec!["1RA0LA_0LB0LB".parse().unwrap()];
        let evidence = Evidence::of(&[3, 3, 3, 2], (2, 2), InitialTape::Blank, Some(&pool));
        let known = evidence.class.unwrap();
        assert_eq!((known[0].tables, known.len()), (4096, 4));
        assert!(known.windows(2).all(|pair| pair[1].tables <= pair[0].tables));
        for known in &known {
            assert!((known.next.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            for entry in known.entries.chunks_exact(8) {
                assert!((entry.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            }
        }
        // What was written and where the head went is certain; the next state is not.
        let first = &known[1].entries[..8];
        assert!((first[6] - 0.5).abs() < 1e-12 && (first[7] - 0.5).abs() < 1e-12, "{first:?}");
        let memory = evidence.memory.unwrap();
        assert_eq!(memory[0].as_ref().unwrap()[3], 1.0);
        assert!(memory[3].is_some(), "the stranger's step is not expected, but asked for");
        let longer = Evidence::of(&[2, 3], (2, 2), InitialTape::Blank, Some(&pool));
        assert_eq!(longer.memory.unwrap()[1], None);
        let huge = Evidence::of(&[0], (8, 8), InitialTape::Blank, None);
        assert!(huge.class.unwrap_err().contains("too many"));
    }
}
