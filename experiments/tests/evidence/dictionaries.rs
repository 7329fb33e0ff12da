//! Sparse dictionaries on planted sparse features and on the planted models.

use environments::{Draw, Stream, stream};
use experiments::evidence::linear::{add_scaled, dot};
use experiments::evidence::numeric::normal;
use experiments::evidence::{Dictionary, DictionaryConfig, recovered};
use models::{Action, Intervention, Parameters, Plan};

use crate::planted::{Facts, PARTS, Planted, TAP, WIDTH, plant, run, spec, tokens};
use crate::verdicts::nats;

const DIMENSIONS: usize = 20;
const FEATURES: usize = 40;

/// Directions on the sphere, more than there are dimensions.
fn planted() -> Vec<Vec<f64>> {
    let mut stream = stream(&["dictionary", "planted"]);
    let direction = |_| {
        let row: Vec<f64> = (0..DIMENSIONS).map(|_| normal(&mut stream)).collect();
        let norm = dot(&row, &row).sqrt();
        row.into_iter().map(|value| value / norm).collect()
    };
    (0..FEATURES).map(direction).collect()
}

/// Rows in each of which a feature is there with a probability of one in twenty; which are there.
fn rows(count: usize, stream: &mut Stream) -> (Vec<f32>, Vec<Vec<bool>>) {
    let directions = planted();
    let (mut features, mut there) = (Vec::new(), vec![Vec::new(); FEATURES]);
    for _ in 0..count {
        let mut row: Vec<f64> = (0..DIMENSIONS).map(|_| 0.03 * normal(stream)).collect();
        for (direction, there) in directions.iter().zip(&mut there) {
            let present = stream.chance(0.05);
            there.push(present);
            if present {
                add_scaled(&mut row, 1.0 + stream.unit(), direction);
            }
        }
        features.extend(row.iter().map(|value| *value as f32));
    }
    (features, there)
}

fn fitted(frozen: bool) -> Dictionary {
    let mut stream = stream(&["dictionary", "fit"]);
    let (features, _) = rows(8000, &mut stream);
    let config = DictionaryConfig { units: 80, active: 4, epochs: 40, frozen, ..DictionaryConfig::default() };
    Dictionary::fit(config, &features, DIMENSIONS, &mut stream).unwrap()
}

#[test]
fn a_dictionary_finds_planted_features_and_one_with_a_frozen_decoder_does_not() {
    let mut stream = stream(&["dictionary", "test"]);
    let (choose, report) = (rows(2000, &mut stream), rows(2000, &mut stream));
    let [learnt, frozen] = [false, true].map(|frozen| {
        let dictionary = fitted(frozen);
        let covered = |place: usize| {
            let covered = dictionary.coverage((&choose.0, &choose.1[place]), (&report.0, &report.1[place])).unwrap();
            2.0 * covered.1 - 1.0
        };
        let near =
            |direction: &Vec<f64>| (0..80).map(|unit| dot(dictionary.direction(unit), direction)).fold(0.0, f64::max);
        let coverage = (0..FEATURES).map(covered).sum::<f64>() / FEATURES as f64;
        let cosine = planted().iter().map(near).sum::<f64>() / FEATURES as f64;
        (dictionary.reconstruction(&report.0), coverage, cosine)
    });
    assert!(learnt.0.explained > 0.9 && learnt.1 > 0.9 && learnt.2 > 0.9, "{learnt:?}");
    assert!(learnt.0.explained > frozen.0.explained + 0.1, "{frozen:?}");
    assert!(learnt.1 > frozen.1 + 0.1 && learnt.2 > frozen.2 + 0.2, "{frozen:?}");
    assert!(learnt.0.active <= 4.0 && learnt.0.dead < 40, "{learnt:?}");
}

#[test]
fn a_dictionary_has_the_same_bits_at_any_number_of_threads() {
    let fit = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut stream = stream(&["dictionary", "threads"]);
            let (features, _) = rows(600, &mut stream);
            let config = DictionaryConfig { units: 32, active: 4, epochs: 4, ..DictionaryConfig::default() };
            Dictionary::fit(config, &features, DIMENSIONS, &mut stream).unwrap()
        })
    };
    assert_eq!(fit(1), fit(3));
}

#[test]
fn reconstructions_recover_the_loss_of_a_model_and_a_random_network_offers_no_concept() {
    let measure = |model: &Parameters| {
        let net = run(model);
        let rows = |part: usize| net.run(&tokens(part), &Plan::reading(&[TAP])).unwrap().captured.remove(0).values;
        let mut chance = stream(&["dictionary", "model"]);
        let config = DictionaryConfig { units: 48, active: 6, epochs: 60, ..DictionaryConfig::default() };
        let dictionary = Dictionary::fit(config, &rows(0), WIDTH, &mut chance).unwrap();
        let covered = |of: &dyn Fn(Facts) -> bool| {
            let there = |part: usize| PARTS[part].clone().map(|token| of(Facts::of(token))).collect::<Vec<_>>();
            dictionary.coverage((&rows(1), &there(1)), (&rows(2), &there(2))).unwrap().1
        };
        let (answer, concept) = (covered(&|facts| facts.answer() == 3), covered(&|facts| facts.concept));
        let loss = |values: Option<Vec<f32>>| {
            let mut plan = Plan::default();
            for (place, row) in values.iter().flat_map(|values| values.chunks_exact(WIDTH)).enumerate() {
                let action = Action::Replace { values: row.to_vec() };
                plan.interventions.push(Intervention { tap: TAP.into(), sequence: Some(place), rows: vec![0], action });
            }
            nats(&net.run(&tokens(2), &plan).unwrap().logits)
        };
        let test = rows(2);
        let mean: Vec<f32> = (0..WIDTH)
            .map(|column| test.chunks(WIDTH).map(|row| row[column]).sum::<f32>() / (test.len() / WIDTH) as f32)
            .collect();
        let in_place = mean.repeat(test.len() / WIDTH);
        let recovered = recovered(loss(None), loss(Some(dictionary.reconstruct(&test))), loss(Some(in_place)));
        (answer, concept, recovered)
    };
    let used = measure(&plant(Planted::Used, 0));
    let random = measure(&Parameters::initialise(&spec(), &mut stream(&["dictionary", "random"])));
    // Two bits that are always there are no sparse features: units stand for their four conjunctions, the answers, and of the
    // concept one of these tells three quarters.
    assert!(used.0 > 0.9 && used.1 > 0.7 && used.2.unwrap() > 0.9, "{used:?}");
    assert!((random.0 - 0.5).abs() < 0.1 && (random.1 - 0.5).abs() < 0.1, "{random:?}");
}
