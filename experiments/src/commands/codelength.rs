//! `stance codelength`

use std::collections::BTreeSet;

use clap::Args;
use environments::sequence::{ContextTreeWeighting, KrichevskyTrofimov, Markov, Ppm, SequenceModel, code_lengths};
use serde_json::json;

use super::output::Output;

/// Arguments of `stance codelength`.
#[derive(Args)]
pub struct CodelengthArgs {
    /// The model: ctw (context-tree weighting, KT estimators, weights one half), kt (memoryless, no depth), ppm (escape
    /// method C with exclusion) or markov (order-k, KT).
    #[arg(long)]
    model: String,
    /// Symbols of context that the model looks back; kt looks at none.
    #[arg(long, value_name = "D", required_if_eq_any([("model", "ctw"), ("model", "ppm"), ("model", "markov")]))]
    depth: Option<usize>,
    /// Symbols before the first: they give contexts and no counts. For ctw and markov, missing ones are the first of
    /// the alphabet.
    #[arg(long, value_name = "TEXT", default_value = "", allow_hyphen_values = true)]
    past: String,
    /// The sequence, a symbol a character.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    sequence: String,
    /// Number of symbols, written 0 to 9 and then a to z. Without it: if there are only digits, as many as the greatest
    /// digit asks for and at least 2; otherwise the different characters of past and sequence, in order.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=36))]
    alphabet: Option<u32>,
}

/// Deepest context: far past what any sequence on a command line can use.
const MOST_DEPTH: usize = 4096;

const MODELS: [&str; 4] = ["ctw", "kt", "ppm", "markov"];

/// Runs the command.
///
/// # Errors
/// In one sentence, for a person.
pub fn run(args: CodelengthArgs, output: &Output) -> anyhow::Result<()> {
    if !MODELS.contains(&args.model.as_str()) {
        let near = |name: &&str| (strsim::normalized_levenshtein(name, &args.model) * 1000.0) as u32;
        let nearest = MODELS.into_iter().max_by_key(near).unwrap_or_default();
        anyhow::bail!("--model {}: there is no such model; the nearest is `{nearest}`", args.model);
    }
    let depth = args.depth.unwrap_or(0);
    if depth > MOST_DEPTH {
        anyhow::bail!("--depth {depth}: contexts have at most {MOST_DEPTH} symbols");
    }
    if args.sequence.is_empty() {
        anyhow::bail!("--sequence: there is no symbol in it");
    }
    let (alphabet, past, sequence) = read(&args)?;
    let mut model: Box<dyn SequenceModel> = match args.model.as_str() {
        "ctw" => Box::new(ContextTreeWeighting::new(alphabet, depth, &past)),
        "markov" => Box::new(Markov::new(alphabet, depth, &past)),
        "ppm" => Box::new(Ppm::new(alphabet, depth, &past)),
        _ => Box::new(KrichevskyTrofimov::new(alphabet)),
    };
    let bits: f64 = code_lengths(model.as_mut(), &sequence).iter().sum();
    let per_symbol = bits / sequence.len() as f64;
    let value = json!({ "bits": bits, "per_symbol": per_symbol, "symbols": sequence.len(), "alphabet": alphabet });
    output.print(&value, || {
        format!("{bits:.6} bits for {} symbols of {alphabet}, {per_symbol:.6} a symbol", sequence.len())
    })
}

/// Size of the alphabet, past and sequence by number.
fn read(args: &CodelengthArgs) -> anyhow::Result<(usize, Vec<usize>, Vec<usize>)> {
    let texts = [("--past", &args.past), ("--sequence", &args.sequence)];
    let characters: BTreeSet<char> = texts.iter().flat_map(|(_, text)| text.chars()).collect();
    let digits = characters.iter().all(char::is_ascii_digit);
    let greatest = characters.iter().filter_map(|character| character.to_digit(36)).max().unwrap_or(0);
    let size = match args.alphabet {
        Some(size) => Some(size),
        None => digits.then(|| (greatest + 1).max(2)),
    };
    let named: Vec<char> = characters.into_iter().collect();
    let number = |name: &str, at: usize, character: char| -> anyhow::Result<usize> {
        let Some(size) = size else {
            return Ok(named.binary_search(&character).unwrap_or(0));
        };
        let symbol = character.to_digit(36).filter(|&symbol| symbol < size);
        let last = char::from_digit(size - 1, 36).unwrap_or('z');
        symbol.map(|symbol| symbol as usize).ok_or_else(|| {
            anyhow::anyhow!(
                "{name}, character {} is `{character}`: symbols are 0 to {last} in an alphabet of {size}",
                at + 1
            )
        })
    };
    let read = |(name, text): (&str, &String)| -> anyhow::Result<Vec<usize>> {
        text.chars().enumerate().map(|(at, character)| number(name, at, character)).collect()
    };
    // One symbol alone would carry no information in any model.
    let alphabet = size.map_or(named.len(), |size| size as usize).max(2);
    Ok((alphabet, read(texts[0])?, read(texts[1])?))
}
