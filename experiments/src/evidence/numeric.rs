//! Elementary functions from basic operations alone, so that a figure has the same bits on every machine (the
//! system's `exp` and `ln` differ in their last bit between platforms), and draws that are fixed here.

use environments::{Draw, Stream};

pub use models::native::double::exponential;

/// ln x of a positive normal number, with an absolute error below 1e-14; −∞ at 0.
pub fn logarithm(x: f64) -> f64 {
    if x <= 0.0 {
        return if x == 0.0 { f64::NEG_INFINITY } else { f64::NAN };
    }
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
        sum = sum * square + 1.0 / f64::from(2 * order + 1);
    }
    2.0 * z * sum + exponent as f64 * std::f64::consts::LN_2
}

/// Nats to bits.
pub fn bits(nats: f64) -> f64 {
    nats / std::f64::consts::LN_2
}

/// [`log_softmax`] of many rows, with the same bits.
pub fn log_softmax_rows(rows: &mut [f64], classes: usize) {
    let mut powers = rows.to_vec();
    let mut tops = Vec::with_capacity(rows.len() / classes);
    for row in powers.chunks_exact_mut(classes) {
        let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        row.iter_mut().for_each(|value| *value -= top);
        tops.push(top);
    }
    models::native::double::exponentials(&mut powers);
    for ((row, powers), top) in rows.chunks_exact_mut(classes).zip(powers.chunks_exact(classes)).zip(tops) {
        let total: f64 = powers.iter().sum();
        let shift = top + logarithm(total);
        row.iter_mut().for_each(|value| *value -= shift);
    }
}

/// Logits to log-probabilities (nats), in place.
pub fn log_softmax(row: &mut [f64]) {
    let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = row.iter().map(|value| exponential(value - top)).sum();
    let shift = top + logarithm(total);
    row.iter_mut().for_each(|value| *value -= shift);
}

/// The place of the largest value; of equals the first.
pub fn argmax(row: &[f64]) -> usize {
    (1..row.len()).fold(0, |best, place| if row[place] > row[best] { place } else { best })
}

/// A standard normal deviate by Marsaglia's polar method (Marsaglia & Bray 1964).
pub fn normal(stream: &mut Stream) -> f64 {
    loop {
        let (x, y) = (2.0 * stream.unit() - 1.0, 2.0 * stream.unit() - 1.0);
        let square = x * x + y * y;
        if square > 0.0 && square < 1.0 {
            return x * (-2.0 * logarithm(square) / square).sqrt();
        }
    }
}

/// Puts a list in random order, all orders equally likely (Fisher & Yates).
pub fn shuffle<T>(list: &mut [T], stream: &mut Stream) {
    for last in (1..list.len()).rev() {
        list.swap(last, stream.below(last as u64 + 1) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use environments::stream;

    #[test]
    fn exponential_and_logarithm_agree_with_the_library() {
        for step in -7000..7000 {
            let x = f64::from(step) * 0.1;
            assert!((exponential(x) / x.exp() - 1.0).abs() < 2e-15, "{x}");
            let y = x.exp();
            assert!((logarithm(y) - y.ln()).abs() < 1e-14 * x.abs().max(1.0), "{y}");
        }
        assert_eq!(logarithm(0.0), f64::NEG_INFINITY);
        assert_eq!(exponential(-800.0), 0.0);
    }

    #[test]
    fn many_rows_have_the_bits_of_single_ones() {
        let mut stream = stream(&["rows"]);
        let mut rows: Vec<f64> = (0..300 * 3).map(|_| 5.0 * normal(&mut stream)).collect();
        let mut singly = rows.clone();
        log_softmax_rows(&mut rows, 3);
        singly.chunks_exact_mut(3).for_each(log_softmax);
        assert!(rows.iter().zip(&singly).all(|(a, b)| a.to_bits() == b.to_bits()));
    }

    #[test]
    fn normal_deviates_have_mean_0_and_variance_1() {
        let mut stream = stream(&["normal"]);
        let draws: Vec<f64> = (0..20_000).map(|_| normal(&mut stream)).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|x| x * x).sum::<f64>() / draws.len() as f64;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }

    #[test]
    fn a_shuffled_list_is_a_permutation() {
        let mut list: Vec<usize> = (0..50).collect();
        shuffle(&mut list, &mut stream(&["shuffle"]));
        assert_ne!(list, (0..50).collect::<Vec<_>>());
        list.sort_unstable();
        assert_eq!(list, (0..50).collect::<Vec<_>>());
    }
}
