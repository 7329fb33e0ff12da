//! Interchange along learnt subspaces, the logit lens and direct logit attribution on the planted models.

use environments::{Geometry, Symbol, stream};
use experiments::evidence::linear::{dot, orthonormal};
use experiments::evidence::numeric::normal;
use experiments::evidence::{Interchange, SearchConfig, Swap, Whitening, attribute_logits, logit_lens};
use models::{Device, LstmConfig, ModelConfig, ModelSpec, Parameters, Plan, TransformerConfig, predictor};

use crate::planted::{Facts, PARTS, Planted, TAP, WIDTH, plant, run, tokens};

/// What is to be the source's: the concept, or the whole answer.
#[derive(Clone, Copy, PartialEq)]
enum Variable {
    Concept,
    Answer,
}

/// Each of the first tokens of a part with another's variable put into it.
fn swaps(model: &Parameters, variable: Variable, part: usize, count: usize) -> Vec<Swap> {
    let captured = run(model).run(&tokens(part), &Plan::reading(&[TAP])).unwrap().captured.remove(0);
    let first = PARTS[part].start;
    let one = |place: usize| {
        let source = place + count;
        let other = Facts::of(first + source);
        let concept = Facts { concept: other.concept, ..Facts::of(first + place) };
        Swap {
            tokens: vec![(first + place) as Symbol],
            row: 0,
            source: captured.row(source, 0).to_vec(),
            answers: 0,
            answer: if variable == Variable::Concept { concept } else { other }.answer(),
        }
    };
    (0..count).map(one).collect()
}

/// Interchange accuracy on other swaps along a subspace that was searched, and along a random one; the subspace.
fn searched(planted: Planted, variable: Variable, rank: usize) -> (f64, f64, Vec<f64>) {
    let model = plant(planted, 0);
    let net = run(&model);
    let (learn, test) = (swaps(&model, variable, 0, 100), swaps(&model, variable, 2, 400));
    let at = |swaps| Interchange { model: net.as_ref(), tap: TAP, swaps };
    let mut chance = stream(&["interchange", &format!("{planted:?}"), &rank.to_string()]);
    let basis = at(&learn).search(SearchConfig { rank, ..SearchConfig::default() }, &mut chance).unwrap();
    let random: Vec<f64> = (0..rank * WIDTH).map(|_| normal(&mut chance)).collect();
    let test = at(&test);
    (test.accuracy(&basis).unwrap(), test.accuracy(&orthonormal(&random, WIDTH)).unwrap(), basis)
}

#[test]
fn a_search_finds_the_subspace_that_is_used_and_none_where_none_is() {
    let (used, random, basis) = searched(Planted::Used, Variable::Concept, 1);
    assert!(used > 0.95 && random < 0.7, "{used} {random}");
    // It is the direction in which the concept moves the activation.
    let model = plant(Planted::Used, 0);
    let rows = run(&model).run(&tokens(0), &Plan::reading(&[TAP])).unwrap().captured.remove(0).values;
    let labels: Vec<usize> = PARTS[0].clone().map(|token| usize::from(Facts::of(token).concept)).collect();
    let leace = Whitening::fit(&rows, WIDTH).erase(&rows, &labels, 2).basis();
    assert!(dot(&basis, &leace).abs() > 0.9, "{}", dot(&basis, &leace));
    // What is carried and not used cannot be interchanged.
    let (ignored, ..) = searched(Planted::Ignored, Variable::Concept, 1);
    assert!(ignored < 0.65, "{ignored}");
}

#[test]
fn what_is_not_linear_can_take_a_line_and_two_bits_take_a_plane() {
    // No probe reads the concept off a direction, but the block does: from how far the sum of two bits is from 0. The sum is a
    // line, and to exchange it is to exchange the concept.
    for planted in [Planted::NonLinear, Planted::OtherFrame] {
        let (line, random, _) = searched(planted, Variable::Concept, 1);
        assert!(line > 0.9 && random < 0.65, "{planted:?}: {line} {random}");
    }
    // The answer is made of two bits that are read along two directions.
    let (line, ..) = searched(Planted::Used, Variable::Answer, 1);
    let (plane, random, _) = searched(Planted::Used, Variable::Answer, 2);
    assert!(line < 0.8 && plane > 0.9 && random < 0.6, "{line} {plane} {random}");
}

fn small() -> Parameters {
    let spec = ModelSpec {
        vocabulary: 5,
        targets: 4,
        geometry: Geometry::Line { length: 6 },
        model: ModelConfig::Transformer(TransformerConfig { depth: 3, width: 16, heads: 2, expansion: 2, loops: 1 }),
    };
    let mut parameters = Parameters::initialise(&spec, &mut stream(&["attribution"]));
    // So that gains and biases count.
    let mut chance = stream(&["attribution", "shake"]);
    parameters.values.iter_mut().for_each(|value| *value += 0.1 * normal(&mut chance) as f32);
    parameters
}

#[test]
fn components_sum_to_the_logits_and_the_lens_at_the_last_block_is_the_output() {
    let model = predictor(&small(), Device::Cpu).unwrap();
    let tokens: Vec<Symbol> = (0..12).map(|place| (place * 7 % 5) as Symbol).collect();
    let logits = model.run(&tokens, &Plan::default()).unwrap().logits;
    let told = attribute_logits(model.as_ref(), &tokens).unwrap();
    assert_eq!(told.components.len(), 2 + 2 * 3);
    for position in 0..12 {
        for target in 0..4 {
            let sum: f64 = (0..told.components.len()).map(|component| told.of(position, component)[target]).sum();
            assert!((sum - f64::from(logits[4 * position + target])).abs() < 1e-4, "{sum}");
        }
    }
    assert_eq!(logit_lens(model.as_ref(), &tokens, "blocks.2.resid_post").unwrap(), logits);
    let early = logit_lens(model.as_ref(), &tokens, "blocks.0.resid_post").unwrap();
    assert_ne!(early, logits);
    assert!(logit_lens(model.as_ref(), &tokens, "blocks.0.resid").unwrap_err().to_string().contains("resid"));
    assert!(logit_lens(model.as_ref(), &tokens, "blocks.0.mlp.hidden").is_err(), "another width");
    let lstm = ModelSpec { model: ModelConfig::Lstm(LstmConfig { depth: 1, width: 8 }), ..small().spec };
    let lstm = predictor(&Parameters::initialise(&lstm, &mut stream(&["lstm"])), Device::Cpu).unwrap();
    assert!(attribute_logits(lstm.as_ref(), &tokens).is_err());
}

#[test]
fn logits_are_attributed_to_the_part_that_was_planted() {
    // Where the embedding holds the concept it speaks for it; where the block makes it of two bits, the block does.
    for (planted, speaker) in [(Planted::Used, 0), (Planted::NonLinear, 2), (Planted::OtherFrame, 2)] {
        let model = run(&plant(planted, 0));
        let told = attribute_logits(model.as_ref(), &tokens(2)).unwrap();
        let mut sums = [0.0; 4];
        for (position, token) in PARTS[2].clone().enumerate() {
            let facts = Facts::of(token);
            let other = Facts { concept: !facts.concept, ..facts };
            for (component, sum) in sums.iter_mut().enumerate() {
                let logits = told.of(position, component);
                *sum += (logits[facts.answer()] - logits[other.answer()]) / PARTS[2].len() as f64;
            }
        }
        let total: f64 = sums.iter().sum();
        assert!(sums[speaker] > 0.9 * total && total > 3.0, "{planted:?}: {sums:?}");
    }
}
