//! The engine's operations, fused and in their obvious form: `cargo bench -p models --bench kernels`.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use models::native::double::transpose_product;
use models::native::kernel::{Left, Packed, multiply};
use models::native::{Operation, math, run_plainly};

fn main() {
    divan::main();
}

fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|at| (at * 7919 % 1000) as f32 / 500.0 - 1.0).collect()
}

/// Floating-point operations of products: rows × inner by inner × columns.
#[divan::bench(args = [(65, 96, 384), (256, 128, 512), (65, 16, 65), (512, 512, 512)])]
fn product(bencher: Bencher, (rows, inner, columns): (usize, usize, usize)) {
    let (a, b) = (numbers(rows * inner), numbers(inner * columns));
    let mut packed = Packed::default();
    packed.pack(inner, columns, &b, columns, 1);
    let mut c = vec![0.0; rows * columns];
    bencher.counter(ItemsCount::new(2 * rows * inner * columns)).bench_local(|| {
        multiply(rows, Left { values: &a, rows: inner, columns: 1 }, &packed, black_box(&mut c), columns, false);
    });
}

/// Values rearranged for a product, as they lie and transposed.
#[divan::bench(args = [false, true])]
fn pack(bencher: Bencher, transposed: bool) {
    let values = numbers(256 * 384);
    let mut packed = Packed::default();
    bencher.counter(ItemsCount::new(256usize * 32)).bench_local(|| {
        let (rows, columns) = if transposed { (1, 384) } else { (384, 1) };
        let (k, n) = if transposed { (32, 256) } else { (256, 32) };
        packed.pack(k, n, black_box(&values), rows, columns);
    });
}

/// Values of a norm and its gradient.
#[divan::bench(args = [false, true])]
fn norm(bencher: Bencher, plain: bool) {
    run_plainly(if plain { &[Operation::Norm] } else { &[] });
    let (rows, width) = (65, 96);
    let (x, gain, bias) = (numbers(rows * width), numbers(width), numbers(width));
    let zeros = || vec![0.0; rows * width];
    let (mut y, mut normal, mut dx, mut scale) = (zeros(), zeros(), zeros(), vec![0.0; rows]);
    let (mut dgain, mut dbias) = (vec![0.0; width], vec![0.0; width]);
    bencher.counter(ItemsCount::new(rows * width)).bench_local(|| {
        math::normalise(black_box(&x), &gain, &bias, &mut y, &mut normal, &mut scale);
        math::normalise_backward(&y, &normal, &scale, &gain, &mut dx, &mut dgain, &mut dbias);
    });
}

/// Values of bias, activation function and slope.
#[divan::bench(args = [false, true])]
fn activation(bencher: Bencher, plain: bool) {
    run_plainly(if plain { &[Operation::Activation] } else { &[] });
    let (rows, width) = (65, 384);
    let (x, bias) = (numbers(rows * width), numbers(width));
    let (mut input, mut y, mut slope) = (x.clone(), x.clone(), x.clone());
    bencher.counter(ItemsCount::new(rows * width)).bench_local(|| {
        input.copy_from_slice(black_box(&x));
        math::gelu(&mut input, &bias, &mut y, &mut slope);
    });
}

/// Rows × features² multiplications of a Gram matrix in f64.
#[divan::bench(args = [64, 512])]
fn gram(bencher: Bencher, width: usize) {
    let rows: Vec<f64> = numbers(4096 * width).into_iter().map(f64::from).collect();
    let counter = ItemsCount::new(4096 * width * width);
    bencher.counter(counter).bench_local(|| transpose_product(black_box(&rows), width, &rows, width));
}
