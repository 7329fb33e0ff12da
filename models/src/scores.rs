//! What logits say of symbols, and symbols drawn from what they say: the same bits on any machine.

use environments::{Symbol, UNSCORED};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use crate::native::math;
use crate::{Generator, ModelError};

/// The log-probability (nats, at most 0 up to rounding) that logits (positions × outputs, row-major, as in
/// [`crate::Run::logits`]) give the target of each position; 0 where it is [`UNSCORED`], which adds nothing to a sum.
///
/// # Errors
/// If the logits are not as many rows as there are targets, or a target is not among the outputs.
pub fn log_probabilities(logits: &[f32], targets: &[Symbol]) -> Result<Vec<f32>, ModelError> {
    let (values, positions) = (logits.len(), targets.len());
    if positions == 0 && values == 0 {
        return Ok(Vec::new());
    }
    if positions == 0 || values == 0 || values % positions != 0 {
        return Err(ModelError::Shape(format!("{values} logits are not one row for each of {positions} targets")));
    }
    let outputs = values / positions;
    let score = |(row, &target): (&[f32], &Symbol)| match usize::from(target) {
        _ if target == UNSCORED => Ok(0.0),
        at if at < outputs => Ok(math::log_probability(row, at)),
        at => Err(ModelError::Shape(format!("target {at} is outside the {outputs} outputs"))),
    };
    logits.chunks_exact(outputs).zip(targets).map(score).collect()
}

/// Draws a symbol from the distribution that logits / temperature give; at temperature 0 the likeliest, and the
/// first of equals.
///
/// # Panics
/// If there are no logits.
pub fn draw(logits: &[f32], temperature: f32, stream: &mut ChaCha8Rng) -> Symbol {
    let best = logits.iter().enumerate().rev().max_by(|one, other| one.1.total_cmp(other.1));
    let (best, _) = best.expect("there is an output to draw");
    if temperature <= 0.0 {
        return best as Symbol;
    }
    let mut shares: Vec<f32> = logits.iter().map(|logit| logit / temperature).collect();
    math::softmax(&mut shares);
    let mut left = (stream.next_u32() >> 8) as f32 / (1 << 24) as f32;
    for (symbol, share) in shares.iter().enumerate() {
        left -= share;
        if left < 0.0 {
            return symbol as Symbol;
        }
    }
    // Rounding left a remainder of the order of 1e-7.
    best as Symbol
}

/// Feeds prompts (sequences × some positions, row-major) and goes on for `count` symbols, each drawn from what the
/// model predicts and fed to it in turn. Gives sequences × `count` symbols.
///
/// # Errors
/// If the prompts are empty or not of one length, or their end and `count` do not fit the model, or it predicts
/// symbols that it does not take.
pub fn generate(
    generator: &mut dyn Generator,
    sequences: usize,
    prompts: &[Symbol],
    count: usize,
    temperature: f32,
    stream: &mut ChaCha8Rng,
) -> Result<Vec<Symbol>, ModelError> {
    if prompts.is_empty() || sequences == 0 || !prompts.len().is_multiple_of(sequences) {
        let given = prompts.len();
        return Err(ModelError::Shape(format!(
            "{given} symbols are not prompts of one length for {sequences} sequences"
        )));
    }
    let length = prompts.len() / sequences;
    let mut logits = Vec::new();
    for position in 0..length {
        let column: Vec<Symbol> = prompts.iter().skip(position).step_by(length).copied().collect();
        logits = generator.feed(&column)?.to_vec();
    }
    let mut drawn = vec![0; sequences * count];
    for position in 0..count {
        let outputs = logits.len() / sequences;
        let column: Vec<Symbol> = logits.chunks_exact(outputs).map(|row| draw(row, temperature, stream)).collect();
        for (sequence, &symbol) in column.iter().enumerate() {
            drawn[sequence * count + position] = symbol;
        }
        if position + 1 < count {
            logits = generator.feed(&column)?.to_vec();
        }
    }
    Ok(drawn)
}
