//! What attention heads look at: how much of a head's attention goes to the previous token, to what followed the last
//! occurrence of the same token (induction), or to one and the same neighbour.

use environments::Symbol;
use models::{ModelError, Plan, Predictor, relative_positions};

/// Sequences that go through a model together.
const CHUNK: usize = 32;

/// How much a head attends to something.
#[derive(Clone, Debug, PartialEq)]
pub struct HeadScore {
    /// The block.
    pub block: usize,
    /// The head.
    pub head: usize,
    /// Mean share of its attention, over the queries that have something to attend to.
    pub score: f64,
}

/// Of every head of a transformer the mean share of attention that goes from queries to keys of a kind. `keys` gives the keys
/// for the tokens of a sequence and a query; queries without keys do not count.
///
/// # Errors
/// Those of the model; for one without attention.
pub fn attention_to(
    model: &dyn Predictor,
    sequences: &[Vec<Symbol>],
    keys: &dyn Fn(&[Symbol], usize) -> Vec<usize>,
) -> Result<Vec<HeadScore>, ModelError> {
    let spec = &model.parameters().spec;
    let (depth, length) = (spec.model.depth(), spec.geometry.len());
    let taps: Vec<String> = (0..depth).map(|block| format!("blocks.{block}.attn.pattern")).collect();
    let mut sums: Vec<Vec<f64>> = vec![Vec::new(); depth];
    let mut queries = 0.0f64;
    for chunk in sequences.chunks(CHUNK) {
        let run = model.run(&chunk.concat(), &Plan { capture: taps.clone(), interventions: Vec::new() })?;
        for (place, tokens) in chunk.iter().enumerate() {
            for query in 0..length {
                let keys = keys(tokens, query);
                if keys.is_empty() {
                    continue;
                }
                queries += 1.0;
                for (sums, captured) in sums.iter_mut().zip(&run.captured) {
                    sums.resize(captured.rows / length, 0.0);
                    for (head, sum) in sums.iter_mut().enumerate() {
                        let pattern = captured.row(place, head * length + query);
                        *sum += keys.iter().map(|&key| f64::from(pattern[key])).sum::<f64>();
                    }
                }
            }
        }
    }
    let scores = sums.into_iter().enumerate().flat_map(|(block, sums)| {
        sums.into_iter().enumerate().map(move |(head, sum)| HeadScore { block, head, score: sum / queries.max(1.0) })
    });
    Ok(scores.collect())
}

/// The key one position back: previous-token heads (Elhage et al. 2021).
pub fn previous_token(_tokens: &[Symbol], query: usize) -> Vec<usize> {
    query.checked_sub(1).into_iter().collect()
}

/// The keys after earlier occurrences of the query's token: induction heads (Olsson et al. 2022, arXiv:2209.11895).
pub fn induction(tokens: &[Symbol], query: usize) -> Vec<usize> {
    (1..=query).filter(|&key| tokens[key - 1] == tokens[query]).collect()
}

/// Of every head the relative position that takes most of its attention, by mean over all queries for which it exists: its
/// number as in [`relative_positions`] (on a line the distance, on a torus the offset row · columns + column to the south-east)
/// and the mean share. A head that reads the same neighbour everywhere scores 1.
///
/// # Errors
/// Those of the model; for one without attention.
pub fn same_neighbour(model: &dyn Predictor, sequences: &[Vec<Symbol>]) -> Result<Vec<(HeadScore, usize)>, ModelError> {
    let relative = relative_positions(model.parameters().spec.geometry);
    let length = model.parameters().spec.geometry.len();
    let mut best: Vec<(HeadScore, usize)> = Vec::new();
    for wanted in 0..relative.count {
        let keys = |_: &[Symbol], query: usize| -> Vec<usize> {
            let last = if relative.causal { query + 1 } else { length };
            let keys: Vec<usize> =
                (0..last).filter(|key| usize::from(relative.index[query * length + key]) == wanted).collect();
            // What stands for several keys at once, as all cells do for a prefix, is no neighbour.
            if keys.len() == 1 { keys } else { Vec::new() }
        };
        let scores = attention_to(model, sequences, &keys)?;
        if best.is_empty() {
            best = scores.iter().cloned().map(|score| (score, wanted)).collect();
        }
        for (best, score) in best.iter_mut().zip(scores) {
            if score.score > best.0.score {
                *best = (score, wanted);
            }
        }
    }
    Ok(best)
}
