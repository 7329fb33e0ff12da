//! What sequences cost: nats of every scored symbol, by a model and by sequence models.

use environments::sequence::SequenceModel;
use environments::{Sample, UNSCORED};
use models::{Parameters, Plan, predictor};
use rayon::prelude::*;

use crate::context::RunContext;
use crate::evidence::numeric::{log_softmax, logarithm};

/// Nats of every scored symbol, by sequence.
pub type Nats = Vec<Vec<f64>>;

/// Nats a symbol.
pub fn rate(nats: &Nats) -> f64 {
    nats.iter().flatten().sum::<f64>() / nats.iter().map(Vec::len).sum::<usize>().max(1) as f64
}

/// Nats of a model.
///
/// # Errors
/// Those of the model; when a stop was asked for.
pub fn of_model(parameters: &Parameters, samples: &[Sample], context: &RunContext<'_>) -> anyhow::Result<Nats> {
    const CHUNK: usize = 64;
    let model = predictor(parameters, context.device())?;
    let mut nats = Vec::with_capacity(samples.len());
    for chunk in samples.chunks(CHUNK) {
        context.check_stop()?;
        let tokens: Vec<_> = chunk.iter().flat_map(|sample| sample.tokens.iter().copied()).collect();
        let run = model.run(&tokens, &Plan::default())?;
        let each = run.logits.len() / chunk.len();
        let one = |(logits, sample): (&[f32], &Sample)| -> Vec<f64> {
            let rows = logits.chunks_exact(each / sample.targets.len()).zip(&sample.targets);
            let scored = rows.filter(|(_, target)| **target != UNSCORED);
            scored
                .map(|(row, &target)| {
                    let mut row: Vec<f64> = row.iter().map(|&logit| f64::from(logit)).collect();
                    log_softmax(&mut row);
                    -row[usize::from(target)]
                })
                .collect()
        };
        nats.extend(run.logits.par_chunks(each).zip(chunk).map(one).collect::<Vec<_>>());
    }
    Ok(nats)
}

/// Nats of a sequence model, made anew for every sequence from its place among them.
pub fn of_reference(sequences: &[Vec<usize>], fresh: impl Fn(usize) -> Box<dyn SequenceModel> + Sync) -> Nats {
    let two = logarithm(2.0);
    let one = |(place, sequence): (usize, &Vec<usize>)| {
        let mut model = fresh(place);
        sequence.iter().map(|&symbol| two * model.observe(symbol)).collect()
    };
    sequences.par_iter().enumerate().map(one).collect()
}

/// Places of a sequence in spans that double: 0, 1, 2 to 3, 4 to 7, …; the last ends with the sequence.
pub fn doubling(length: usize) -> Vec<std::ops::Range<usize>> {
    let mut spans = Vec::new();
    let mut start = 0;
    while start < length {
        let end = (start + start.max(1)).min(length);
        spans.push(start..end);
        start = end;
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_double_and_cover_every_place() {
        assert!(doubling(0).is_empty());
        assert_eq!(doubling(7), [0..1, 1..2, 2..4, 4..7]);
    }
}
