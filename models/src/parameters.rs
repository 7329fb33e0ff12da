//! All parameters of a model in one flat buffer with names.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use crate::ModelSpec;

/// One named parameter in the flat buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name, such as `blocks.0.attn.qkv.weight`.
    pub name: String,
    /// Shape; matrices are input × output, row-major.
    pub shape: Vec<usize>,
    /// First element in the flat buffer.
    pub offset: usize,
    /// Whether weight decay applies (matrices only: not norms, biases, embeddings or relative positions).
    pub decay: bool,
}

impl Entry {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its place in the flat buffer.
    pub fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.len()
    }
}

/// Names, shapes and offsets of all parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The parameters, in the order of the buffer.
    pub entries: Vec<Entry>,
    /// Elements in all.
    pub len: usize,
}

impl Layout {
    /// Appends a parameter.
    pub(crate) fn add(&mut self, name: &str, shape: &[usize], decay: bool) {
        let entry = Entry { name: name.into(), shape: shape.to_vec(), offset: self.len, decay };
        self.len += entry.len();
        self.entries.push(entry);
    }
}

/// A model's weights: its spec and one flat buffer laid out by [`ModelSpec::layout`].
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
    /// The model.
    pub spec: ModelSpec,
    /// Values, laid out by [`ModelSpec::layout`].
    pub values: Vec<f32>,
}

impl Parameters {
    /// Draws initial weights from a ChaCha stream: the same on every device and machine.
    ///
    /// Matrices are normal with standard deviation 1/√(fan-in), those that write to the residual stream divided
    /// by √(2·depth) more; embeddings are standard normal; relative positions standard normal, so
    /// that heads differ in where they look from the start; biases start at 0, gains at 1, and the biases of an
    /// LSTM's forget gates at 1 (Jozefowicz, Zaremba & Sutskever 2015).
    pub fn initialise(spec: &ModelSpec, stream: &mut ChaCha8Rng) -> Self {
        let layout = spec.layout();
        let mut values = vec![0.0; layout.len];
        let residual = 1.0 / ((2 * spec.model.depth()) as f64).sqrt();
        let mut spare = None;
        for entry in &layout.entries {
            let name = entry.name.as_str();
            let slot = &mut values[entry.range()];
            if name.ends_with(".gain") {
                slot.fill(1.0);
            } else if name.ends_with("gates.bias") {
                let width = slot.len() / 4;
                slot[width..2 * width].fill(1.0);
            } else if name.ends_with(".weight") || name.ends_with(".relative") {
                let fan_in = entry.shape[0] as f64;
                let deviation = match name {
                    "embed.weight" => 1.0,
                    _ if name.ends_with(".relative") => 1.0,
                    _ if name.ends_with("out.weight") || name.ends_with("down.weight") => residual / fan_in.sqrt(),
                    _ => 1.0 / fan_in.sqrt(),
                };
                for value in slot.iter_mut() {
                    *value = (normal(stream, &mut spare) * deviation) as f32;
                }
            }
        }
        Self { spec: spec.clone(), values }
    }

    /// The values of a named parameter.
    pub fn get(&self, name: &str) -> Option<&[f32]> {
        let layout = self.spec.layout();
        layout.entries.iter().find(|entry| entry.name == name).map(|entry| &self.values[entry.range()])
    }
}

/// A standard normal deviate by Marsaglia's polar method (Marsaglia & Bray 1964): only +, ×, ÷, √ and one ln, so
/// that the f32 that results is the same on every machine.
pub(crate) fn normal(stream: &mut ChaCha8Rng, spare: &mut Option<f64>) -> f64 {
    if let Some(value) = spare.take() {
        return value;
    }
    let mut uniform = || (stream.next_u64() >> 11) as f64 / (1u64 << 52) as f64 - 1.0;
    loop {
        let (x, y) = (uniform(), uniform());
        let square = x * x + y * y;
        if square > 0.0 && square < 1.0 {
            let scale = (-2.0 * natural_logarithm(square) / square).sqrt();
            *spare = Some(y * scale);
            return x * scale;
        }
    }
}

/// ln(x) for 0 < x < 1 from basic operations alone (the system's `ln` differs in its last bit between platforms).
/// Absolute error below 1e-14 on (1e-300, 1).
fn natural_logarithm(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = ((bits >> 52) & 0x7ff) as i64 - 1022;
    let mut mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3fe0_0000_0000_0000);
    if mantissa < std::f64::consts::FRAC_1_SQRT_2 {
        mantissa *= 2.0;
        exponent -= 1;
    }
    // ln m = 2 artanh((m − 1) / (m + 1)), whose series converges quickly for |z| < 0.172.
    let z = (mantissa - 1.0) / (mantissa + 1.0);
    let square = z * z;
    let mut sum = 0.0;
    for order in (0..12).rev() {
        sum = sum * square + 1.0 / (2 * order + 1) as f64;
    }
    2.0 * z * sum + exponent as f64 * std::f64::consts::LN_2
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rand_chacha::rand_core::SeedableRng;

    #[test]
    fn the_logarithm_agrees_with_the_library() {
        for x in [1e-300, 1e-9, 0.1, 0.25, 0.5, 0.7070, 0.7072, 0.9, 0.999_999] {
            assert!((natural_logarithm(x) - f64::ln(x)).abs() < 1e-12, "{x}");
        }
    }

    #[test]
    fn normal_deviates_have_the_right_moments() {
        let mut stream = ChaCha8Rng::seed_from_u64(1);
        let mut spare = None;
        let draws: Vec<f64> = (0..200_000).map(|_| normal(&mut stream, &mut spare)).collect();
        let n = draws.len() as f64;
        let mean = draws.iter().sum::<f64>() / n;
        let variance = draws.iter().map(|x| x * x).sum::<f64>() / n;
        let fourth = draws.iter().map(|x| x.powi(4)).sum::<f64>() / n;
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.02 && (fourth - 3.0).abs() < 0.1);
    }
}
