//! Where features come from: the taps of a model and, in one place, everything that a probe of a tap must stand beside: the
//! same architecture at random initialisation, the embedding, windows of the input up to all of it, counts of symbols, the
//! position, the model's own output distribution. A baseline is one line of [`INPUTS`].

use environments::Symbol;
use models::{ModelError, Plan, Predictor};

use super::numeric::{exponential, log_softmax};

/// Sequences that go through a model together.
const CHUNK: usize = 64;

/// Sequences of tokens, and the places in them at which something is read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Places {
    /// Tokens, by sequence; all of one length.
    pub tokens: Vec<Vec<Symbol>>,
    /// (Sequence, position) of every row, ascending.
    pub at: Vec<(usize, usize)>,
}

/// Features of rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Features {
    /// Features of a row.
    pub width: usize,
    /// Rows × width, row-major.
    pub values: Vec<f32>,
}

impl Features {
    /// One row.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    /// Some of the rows, in the order given.
    pub fn select(&self, rows: &[usize]) -> Self {
        Self { width: self.width, values: rows.iter().flat_map(|&row| self.row(row)).copied().collect() }
    }
}

/// Something that is read from the input without a model.
pub struct Input {
    /// Its name.
    pub name: &'static str,
    /// Features of every place, given the number of input symbols.
    pub features: fn(&Places, usize) -> Features,
}

/// What is read from the input without a model, in the order in which it is told.
pub const INPUTS: &[Input] = &[
    Input { name: "the last symbol", features: |places, symbols| places.window(symbols, 1) },
    Input { name: "the last 3 symbols", features: |places, symbols| places.window(symbols, 3) },
    Input { name: "the whole input", features: |places, symbols| places.window(symbols, places.length()) },
    Input { name: "counts of symbols", features: Places::counts },
    Input { name: "position", features: |places, _| places.position() },
];

/// The name of the source that is a model's own output distribution.
pub const OUTPUT: &str = "own output distribution";

impl Places {
    /// Positions of a sequence.
    pub fn length(&self) -> usize {
        self.tokens.first().map_or(0, Vec::len)
    }

    fn rows(&self, width: usize, fill: impl Fn((usize, usize), &mut [f32])) -> Features {
        let mut values = vec![0.0; self.at.len() * width];
        for (row, &place) in values.chunks_exact_mut(width.max(1)).zip(&self.at) {
            fill(place, row);
        }
        Features { width, values }
    }

    /// The last `reach` tokens, one-hot each; nothing before the beginning.
    pub fn window(&self, symbols: usize, reach: usize) -> Features {
        self.rows(symbols * reach, |(sequence, position), row| {
            for back in 0..reach.min(position + 1) {
                row[back * symbols + usize::from(self.tokens[sequence][position - back])] = 1.0;
            }
        })
    }

    /// How often each token came so far.
    pub fn counts(&self, symbols: usize) -> Features {
        self.rows(symbols, |(sequence, position), row| {
            self.tokens[sequence][..=position].iter().for_each(|&token| row[usize::from(token)] += 1.0);
        })
    }

    /// The position, one-hot.
    pub fn position(&self) -> Features {
        self.rows(self.length(), |(_, position), row| row[position] = 1.0)
    }

    /// One pass of a model over all sequences: the features of every tap, last of its output distribution. `stop` is asked
    /// between batches.
    ///
    /// # Errors
    /// Those of the model; what `stop` says.
    pub fn of_model<E: From<ModelError>>(
        &self,
        model: &dyn Predictor,
        taps: &[String],
        stop: impl Fn() -> Result<(), E>,
    ) -> Result<Vec<Features>, E> {
        let mut all = vec![Features::default(); taps.len() + 1];
        let plan = Plan { capture: taps.to_vec(), interventions: Vec::new() };
        let (length, mut row) = (self.length(), 0);
        for (number, chunk) in self.tokens.chunks(CHUNK).enumerate() {
            stop()?;
            let run = model.run(&chunk.concat(), &plan)?;
            let targets = run.logits.len() / (chunk.len() * length).max(1);
            while let Some(&(sequence, position)) =
                self.at.get(row).filter(|place| place.0 < number * CHUNK + chunk.len())
            {
                let sequence = sequence - number * CHUNK;
                for (features, captured) in all.iter_mut().zip(&run.captured) {
                    features.width = captured.width;
                    features.values.extend(captured.row(sequence, position));
                }
                let start = (sequence * length + position) * targets;
                let mut logits: Vec<f64> = run.logits[start..start + targets].iter().map(|&l| f64::from(l)).collect();
                log_softmax(&mut logits);
                let output = &mut all[taps.len()];
                output.width = targets;
                output.values.extend(logits.into_iter().map(|value| exponential(value) as f32));
                row += 1;
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use environments::{Geometry, stream};
    use models::{Device, ModelSpec, Parameters, TransformerConfig, predictor};

    fn places() -> Places {
        let tokens = (0..70).map(|sequence| (0..4).map(|place| ((sequence * 3 + place) % 5) as Symbol).collect());
        Places { tokens: tokens.collect(), at: (0..70).flat_map(|s| [(s, 0), (s, 2)]).collect() }
    }

    #[test]
    fn inputs_are_what_their_names_say() {
        let places = places();
        // Sequence 1 is 3, 4, 0, 1; its second row is at position 2.
        assert_eq!(places.tokens[1], [3, 4, 0, 1]);
        let row = 3;
        let ones = |features: &Features| -> Vec<usize> {
            (0..features.width).filter(|&place| features.row(row)[place] == 1.0).collect()
        };
        let of = |name: &str| {
            let input = INPUTS.iter().find(|input| input.name == name).unwrap();
            (input.features)(&places, 5)
        };
        assert_eq!(ones(&of("the last symbol")), [0]);
        assert_eq!(ones(&of("the last 3 symbols")), [0, 5 + 4, 10 + 3]);
        assert_eq!(ones(&of("the whole input")), [0, 5 + 4, 10 + 3]);
        assert_eq!(of("the whole input").width, 20);
        assert_eq!(of("counts of symbols").row(row), [1.0, 0.0, 0.0, 1.0, 1.0]);
        assert_eq!(ones(&of("position")), [2]);
        assert_eq!(of("position").select(&[row]).values, [0.0, 0.0, 1.0, 0.0]);
    }

    #[test]
    fn one_pass_reads_every_tap_at_every_place() {
        let config = TransformerConfig { depth: 2, width: 8, heads: 2, expansion: 2, loops: 1 };
        let spec =
            ModelSpec { vocabulary: 5, targets: 3, geometry: Geometry::Line { length: 4 }, model: config.into() };
        let model = predictor(&Parameters::initialise(&spec, &mut stream(&["sources"])), Device::Cpu).unwrap();
        let taps = ["embed".to_string(), "blocks.1.mlp.hidden".into()];
        let places = places();
        let all = places.of_model(model.as_ref(), &taps, || Ok::<(), ModelError>(())).unwrap();
        assert_eq!(all.iter().map(|features| features.width).collect::<Vec<_>>(), [8, 16, 3]);
        for (row, &(sequence, position)) in places.at.iter().enumerate() {
            let run = model.run(&places.tokens[sequence], &Plan::reading(&["embed", "blocks.1.mlp.hidden"])).unwrap();
            assert_eq!(all[0].row(row), run.captured[0].row(0, position));
            assert_eq!(all[1].row(row), run.captured[1].row(0, position));
            assert!((all[2].row(row).iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
        let stopped = places.of_model(model.as_ref(), &taps, || Err(ModelError::Interrupted));
        assert!(matches!(stopped, Err(ModelError::Interrupted)));
    }
}
