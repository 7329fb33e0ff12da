//! Models whose truth is planted, to hold the toolkit against: weights of the `models` crate written by hand, five
//! networks that differ in one thing, how they carry and use one bit.
//!
//! **The world.** Every token has four fair bits: the *concept*, an *other* fact, whose *turn* it is, and a *hidden* one.
//! The answer to a token is its other fact and its concept, 2·other + concept. Tokens on which a probe is scored are
//! none of those that it is fitted to.

use environments::{Draw, Geometry, Stream, Symbol, stream};
use models::{Device, ModelConfig, ModelSpec, Parameters, Predictor, TransformerConfig, predictor};

use experiments::evidence::linear::{add_scaled, orthonormal};
use experiments::evidence::numeric::normal;

/// Tokens for fitting, for choosing and for reporting.
pub const PARTS: [std::ops::Range<usize>; 3] = [0..1200, 1200..1600, 1600..2400];
/// Width of the residual stream.
pub const WIDTH: usize = 24;
/// Where the planted feature is read and changed: before the only block.
pub const TAP: &str = "blocks.0.resid_pre";
/// Half the distance between the two values of a planted bit; the noise of every dimension has deviation [`NOISE`].
const SIZE: f64 = 2.0;
const NOISE: f64 = 0.4;

/// How a model carries the concept, and what it does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// Along a direction, from which the output reads it.
    Used,
    /// Along a direction that nothing reads.
    Ignored,
    /// Not at all.
    Absent,
    /// As the hidden bit and its exclusive or with the concept; the block takes them together.
    NonLinear,
    /// In another frame: as whose turn it is, and whether the concept is that one's; the block takes them together.
    OtherFrame,
}

impl Planted {
    pub const ALL: [Planted; 5] =
        [Planted::Used, Planted::Ignored, Planted::Absent, Planted::NonLinear, Planted::OtherFrame];
}

/// What is true of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    pub concept: bool,
    pub other: bool,
    pub turn: bool,
    pub hidden: bool,
}

impl Facts {
    pub fn of(token: usize) -> Self {
        let mut stream = stream(&["planted", "facts", &token.to_string()]);
        let mut bit = || stream.chance(0.5);
        Self { concept: bit(), other: bit(), turn: bit(), hidden: bit() }
    }

    /// The concept in the frame of the one whose turn it is.
    pub fn relative(self) -> bool {
        self.concept != self.turn
    }

    /// The simulator: what the answer is.
    pub fn answer(self) -> usize {
        2 * usize::from(self.other) + usize::from(self.concept)
    }
}

/// The architecture: one block, one position.
pub fn spec() -> ModelSpec {
    let config = TransformerConfig { depth: 1, width: WIDTH, heads: 1, expansion: 1, loops: 1 };
    ModelSpec {
        vocabulary: PARTS[2].end,
        targets: 4,
        geometry: Geometry::Line { length: 1 },
        model: ModelConfig::Transformer(config),
    }
}

/// A planted model; its directions and its noise are drawn anew for every seed.
pub fn plant(planted: Planted, seed: usize) -> Parameters {
    let mut chance = stream(&["planted", "weights", &format!("{planted:?}"), &seed.to_string()]);
    let directions = directions(&mut chance);
    let [other, concept, first, second] = [0, 1, 2, 3].map(|place| &directions[place * WIDTH..(place + 1) * WIDTH]);
    let spec = spec();
    let layout = spec.layout();
    let mut parameters = Parameters { values: vec![0.0; layout.len], spec };
    let mut write = |name: &str, value: &dyn Fn(usize) -> f64| {
        let entry = layout.entries.iter().find(|entry| entry.name == name).unwrap();
        parameters.values[entry.range()].iter_mut().enumerate().for_each(|(place, slot)| *slot = value(place) as f32);
    };
    let embedded: Vec<f64> = (0..PARTS[2].end)
        .flat_map(|token| {
            let facts = Facts::of(token);
            let bits: Vec<(bool, &[f64])> = match planted {
                Planted::Used | Planted::Ignored => vec![(facts.concept, concept)],
                Planted::Absent => Vec::new(),
                Planted::NonLinear => vec![(facts.hidden, first), (facts.hidden != facts.concept, second)],
                Planted::OtherFrame => vec![(facts.turn, first), (facts.relative(), second)],
            };
            let mut row: Vec<f64> = (0..WIDTH).map(|_| NOISE * normal(&mut chance)).collect();
            for (bit, direction) in bits.into_iter().chain([(facts.other, other)]) {
                add_scaled(&mut row, if bit { SIZE } else { -SIZE }, direction);
            }
            row
        })
        .collect();
    write("embed.weight", &|place| embedded[place]);
    for norm in ["blocks.0.attn.norm.gain", "blocks.0.mlp.norm.gain", "final.norm.gain"] {
        write(norm, &|_| 1.0);
    }
    if matches!(planted, Planted::NonLinear | Planted::OtherFrame) {
        // Two units say how far the sum of both bits is from 0, on either side: far where they agree. The concept is
        // that they do not. (Normalised, a bit is about ±2.4.)
        let sign = |unit: usize| if unit == 0 { 1.0 } else { -1.0 };
        write("blocks.0.mlp.up.weight", &|place| {
            let (row, unit) = (place / WIDTH, place % WIDTH);
            if unit < 2 { sign(unit) * (first[row] + second[row]) } else { 0.0 }
        });
        write("blocks.0.mlp.down.weight", &|place| if place / WIDTH < 2 { -concept[place % WIDTH] } else { 0.0 });
        write("blocks.0.mlp.down.bias", &|place| 2.4 * concept[place]);
    }
    let reads_concept = !matches!(planted, Planted::Ignored | Planted::Absent);
    write("unembed.weight", &|place| {
        let (row, answer) = (place / 4, place % 4);
        let sign = |bit: usize| if bit == 1 { 1.5 } else { -1.5 };
        sign(answer / 2) * other[row] + if reads_concept { sign(answer % 2) * concept[row] } else { 0.0 }
    });
    parameters
}

/// Orthonormal directions without a part along (1, …, 1), which normalisation takes away.
fn directions(chance: &mut Stream) -> Vec<f64> {
    let rows: Vec<f64> = std::iter::repeat_n(1.0, WIDTH).chain((0..4 * WIDTH).map(|_| normal(chance))).collect();
    orthonormal(&rows, WIDTH)[WIDTH..].to_vec()
}

/// The model on the CPU engine.
pub fn run(parameters: &Parameters) -> Box<dyn Predictor> {
    predictor(parameters, Device::Cpu).unwrap()
}

/// The tokens of a part as sequences of one.
pub fn tokens(part: usize) -> Vec<Symbol> {
    PARTS[part].clone().map(|token| token as Symbol).collect()
}
