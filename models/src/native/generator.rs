//! Generating with what the past left kept.

use environments::Symbol;

use super::lstm::Lstm;
use super::network::Network;
use super::transformer::Transformer;
use crate::{Generator, ModelConfig, ModelError, Parameters};

/// A trained model that is fed symbol by symbol.
pub fn generator(parameters: Parameters, sequences: usize) -> Box<dyn Generator> {
    match parameters.spec.model {
        ModelConfig::Transformer(_) => Box::new(NativeGenerator::<Transformer>::new(parameters, sequences)),
        ModelConfig::Lstm(_) => Box::new(NativeGenerator::<Lstm>::new(parameters, sequences)),
    }
}

struct NativeGenerator<N: Network> {
    parameters: Parameters,
    network: N,
    weights: N::Weights,
    memory: N::Memory,
    sequences: usize,
    position: usize,
}

impl<N: Network> NativeGenerator<N> {
    fn new(parameters: Parameters, sequences: usize) -> Self {
        let network = N::new(&parameters.spec);
        let mut weights = N::Weights::default();
        network.refresh(&mut weights, &parameters.values, false);
        Self { memory: network.memory(sequences), parameters, network, weights, sequences, position: 0 }
    }
}

impl<N: Network> Generator for NativeGenerator<N> {
    fn position(&self) -> usize {
        self.position
    }

    fn feed(&mut self, tokens: &[Symbol]) -> Result<&[f32], ModelError> {
        let Parameters { spec, values } = &self.parameters;
        let length = spec.geometry.len();
        if self.position == length {
            return Err(ModelError::Shape(format!("the model's sequences end after {length} positions")));
        }
        if tokens.len() != self.sequences {
            let (given, sequences) = (tokens.len(), self.sequences);
            return Err(ModelError::Shape(format!("{given} tokens were given for one each of {sequences} sequences")));
        }
        spec.check_symbols(tokens)?;
        self.position += 1;
        Ok(self.network.feed(values, &self.weights, tokens, self.position - 1, &mut self.memory))
    }
}
