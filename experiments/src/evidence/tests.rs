//! The toolkit on data with planted truth: a feature that is there is found, one that is not is not.
#![allow(clippy::unwrap_used)]

use environments::{Draw, Stream, stream};

use super::controls::{control_labels, shuffled_labels};
use super::numeric::normal;
use super::*;

const WIDTH: usize = 24;

/// How a label is planted in Gaussian features.
#[derive(Clone, Copy, PartialEq)]
enum Planted {
    /// Along a direction.
    Linearly,
    /// As the sign of a product: no linear probe sees it.
    AsProduct,
    /// Not at all.
    Not,
}

fn plant(planted: Planted, rows: usize, stream: &mut Stream) -> Dataset {
    let mut data = Dataset::new(WIDTH, 2);
    for row in 0..rows {
        let features: Vec<f32> = (0..WIDTH).map(|_| normal(stream) as f32).collect();
        let label = match planted {
            Planted::Linearly => features[2] + features[7] - features[9] > 0.0,
            Planted::AsProduct => features[2] * features[7] > 0.0,
            Planted::Not => stream.chance(0.5),
        };
        data.push(&features, usize::from(label), row / 4);
    }
    data
}

fn accuracy(probe: Probe, planted: Planted, shuffled: bool) -> f64 {
    let mut stream = stream(&["planted", &format!("{probe:?}"), &format!("{}", planted as u8)]);
    let mut sets = [1200, 400, 800].map(|rows| plant(planted, rows, &mut stream));
    if shuffled {
        // The test labels too: against the true ones, a random direction scores as it happens to lie to the planted.
        sets = sets.map(|data| shuffled_labels(&data, &mut stream));
    }
    let [train, validation, test] = sets;
    fit(probe, &train, &validation, &mut stream).unwrap().score(&test).balanced_accuracy.unwrap()
}

#[test]
fn a_planted_linear_feature_is_found_by_every_probe() {
    for probe in [Probe::Logistic, Probe::Ridge, Probe::Mlp(32)] {
        let score = accuracy(probe, Planted::Linearly, false);
        assert!(score > 0.93, "{probe:?}: {score}");
    }
}

#[test]
fn a_feature_that_is_only_there_as_a_product_takes_capacity() {
    for (probe, found) in [(Probe::Logistic, false), (Probe::Ridge, false), (Probe::Mlp(64), true)] {
        let score = accuracy(probe, Planted::AsProduct, false);
        assert_eq!(score > 0.8, found, "{probe:?}: {score}");
        assert!(found || (score - 0.5).abs() < 0.08, "{probe:?}: {score}");
    }
}

#[test]
fn an_absent_feature_and_shuffled_labels_give_chance() {
    for probe in [Probe::Logistic, Probe::Ridge, Probe::Mlp(32)] {
        for (planted, shuffled) in [(Planted::Not, false), (Planted::Linearly, true)] {
            let score = accuracy(probe, planted, shuffled);
            assert!((score - 0.5).abs() < 0.08, "{probe:?}: {score}");
        }
    }
}

#[test]
fn selectivity_tells_a_concept_from_a_table_of_types() {
    // Forty types, each a fixed point with a little noise; the concept is a half-space.
    let mut stream = stream(&["types"]);
    let points: Vec<Vec<f64>> = (0..40).map(|_| (0..WIDTH).map(|_| normal(&mut stream)).collect()).collect();
    let mut draw = |rows: usize| {
        let (mut data, mut types) = (Dataset::new(WIDTH, 2), Vec::new());
        for row in 0..rows {
            let kind = stream.below(40) as usize;
            let features: Vec<f32> = points[kind].iter().map(|x| (x + 0.3 * normal(&mut stream)) as f32).collect();
            data.push(&features, usize::from(points[kind][0] > 0.0), row);
            types.push(kind as u64);
        }
        let labels = control_labels(&types, &data.labels, 2, &["random"]);
        (data.clone(), data.relabelled(labels, 2))
    };
    let [train, validation, test] = [800, 300, 500].map(&mut draw);
    let score = |train: &Dataset, validation: &Dataset, test: &Dataset| {
        let fitted = fit(Probe::Logistic, train, validation, &mut environments::stream(&["fit"])).unwrap();
        fitted.score(test).balanced_accuracy.unwrap()
    };
    let concept = score(&train.0, &validation.0, &test.0);
    let control = score(&train.1, &validation.1, &test.1);
    assert!(concept > 0.95 && control < concept - 0.05, "{concept} {control}");
}

#[test]
fn fits_have_the_same_bits_at_any_number_of_threads() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut stream = stream(&["threads"]);
            let [train, validation, test] = [700, 200, 200].map(|rows| plant(Planted::Linearly, rows, &mut stream));
            [Probe::Logistic, Probe::Ridge, Probe::Mlp(16)].map(|probe| {
                let fitted = fit(probe, &train, &validation, &mut stream).unwrap();
                fitted.predict(&test).log_probabilities.iter().map(|value| value.to_bits()).collect::<Vec<_>>()
            })
        })
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn erasure_leaves_nothing_for_a_linear_probe_and_a_random_subspace_leaves_much() {
    let mut stream = stream(&["erasure"]);
    // Correlated features, so that projecting the class means out would not do.
    let mix: Vec<f64> = (0..WIDTH * WIDTH).map(|_| normal(&mut stream)).collect();
    let mut draw = |rows: usize| {
        let mut data = Dataset::new(WIDTH, 3);
        for row in 0..rows {
            let mut x: Vec<f64> = (0..WIDTH).map(|_| normal(&mut stream)).collect();
            let label = row % 3;
            x[label] += 2.5;
            let features: Vec<f32> = linear::product(&x, WIDTH, &mix, WIDTH).iter().map(|x| *x as f32).collect();
            data.push(&features, label, row);
        }
        data
    };
    let [train, validation, test] = [3000, 1500, 1500].map(&mut draw);
    let whitening = Whitening::fit(&train.features, WIDTH);
    let leace = whitening.erase(&train.features, &train.labels, 3);
    assert_eq!(leace.rank(), 2);
    let random = whitening.erase_random(2, &mut environments::stream(&["random"]));
    let score = |eraser: &Eraser| {
        let erased = |data: &Dataset| {
            let mut data = data.clone();
            eraser.apply(&mut data.features);
            data
        };
        let mut stream = environments::stream(&["fit"]);
        let fitted = fit(Probe::Logistic, &erased(&train), &erased(&validation), &mut stream).unwrap();
        (fitted.score(&erased(&test)).balanced_accuracy.unwrap(), erased(&train))
    };
    let (gone, erased) = score(&leace);
    let (left, _) = score(&random);
    assert!((gone - 1.0 / 3.0).abs() < 0.06, "{gone}");
    assert!(left > 0.7, "{left}");
    // What LEACE promises: class means are equal.
    let mean = |class: usize| {
        let rows = erased.filter(|row| erased.labels[row] == class);
        let sum: f64 = rows.features.chunks(WIDTH).map(|row| f64::from(row[5])).sum();
        sum / rows.rows() as f64
    };
    assert!((mean(0) - mean(1)).abs() < 1e-3 && (mean(0) - mean(2)).abs() < 1e-3);
}

#[test]
fn an_online_code_is_short_where_the_concept_is_easy_to_learn() {
    let mut stream = stream(&["code"]);
    let code = |planted: Planted, stream: &mut Stream| {
        let data = plant(planted, 1024, stream);
        online_code(Probe::Logistic, &data, 32, stream).unwrap()
    };
    let (easy, absent) = (code(Planted::Linearly, &mut stream), code(Planted::Not, &mut stream));
    assert_eq!(easy.uniform_bits, 1024.0);
    assert!(easy.bits < 420.0, "{}", easy.bits);
    assert!(absent.bits > 980.0, "{}", absent.bits);
    // More training rows, fewer bits a label.
    assert!(easy.blocks.last().unwrap().1 < 0.3 && easy.blocks.last().unwrap().1 < easy.blocks[1].1);
}
