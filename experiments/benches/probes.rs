//! Fitting of probes: `cargo bench -p experiments`. The size at which it is held against scikit-learn is in
//! `stance bench probes`.

use divan::Bencher;
use divan::counter::ItemsCount;
use environments::{Draw, stream};
use experiments::evidence::{Dataset, Probe, Whitening, fit};

fn main() {
    divan::main();
}

/// Rows of 96 features, of which some tell the class.
fn data(rows: usize, name: &str) -> Dataset {
    let mut draws = stream(&["bench", "probe", name]);
    let mut data = Dataset::new(96, 3);
    for row in 0..rows {
        let features: Vec<f32> = (0..96).map(|_| draws.unit() as f32 - 0.5).collect();
        let sum = features[3] + features[50] - features[71];
        data.push(&features, if sum < -0.2 { 0 } else { usize::from(sum > 0.2) + 1 }, row);
    }
    data
}

/// Rows to which a probe is fitted, whatever is free in it chosen on others.
#[divan::bench(args = ["logistic", "ridge", "mlp"], sample_count = 5)]
fn probe(bencher: Bencher, kind: &str) {
    let (train, validation) = (data(2000, "train"), data(500, "validation"));
    let probe = match kind {
        "logistic" => Probe::Logistic,
        "ridge" => Probe::Ridge,
        _ => Probe::Mlp(32),
    };
    bencher.counter(ItemsCount::new(train.rows())).bench_local(|| {
        fit(probe, &train, &validation, &mut stream(&["bench", "fit"])).expect("classes to tell apart")
    });
}

/// Rows from which the eraser of a concept is learnt.
#[divan::bench(sample_count = 10)]
fn eraser(bencher: Bencher) {
    let train = data(2000, "train");
    bencher.counter(ItemsCount::new(train.rows())).bench_local(|| {
        Whitening::fit(&train.features, train.width).erase(&train.features, &train.labels, train.classes)
    });
}
