//! Means, effect sizes, permutation tests, false-discovery control.

use environments::{Draw, Stream};

use super::numeric::logarithm;

/// The mean; 0 of nothing.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The variance with denominator n − 1; 0 of fewer than two values.
pub fn variance(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let mean = mean(values);
    values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (values.len() - 1) as f64
}

/// Quantile `q` of sorted values, linear between them (type 7 of Hyndman & Fan 1996).
///
/// # Panics
/// If there is no value.
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = q.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (place - below as f64) * (sorted[above] - sorted[below])
}

/// Cohen's d: the difference of two means over the pooled standard deviation (Cohen 1988). `None` where neither
/// sample varies.
pub fn cohens_d(first: &[f64], second: &[f64]) -> Option<f64> {
    let freedom = (first.len() + second.len()).checked_sub(2).filter(|&freedom| freedom > 0)?;
    let within =
        variance(first) * (first.len() - 1) as f64 + variance(second) * (second.len().saturating_sub(1)) as f64;
    let pooled = (within / freedom as f64).sqrt();
    (pooled > 0.0).then(|| (mean(first) - mean(second)) / pooled)
}

/// Hedges' g: Cohen's d without its bias in small samples, by the factor 1 − 3/(4·freedom − 1) (Hedges 1981), and its
/// standard error (Borenstein et al. 2009, *Introduction to Meta-Analysis*, formulas 4.20 to 4.24).
pub fn hedges_g(first: &[f64], second: &[f64]) -> Option<(f64, f64)> {
    let d = cohens_d(first, second)?;
    let (n1, n2) = (first.len() as f64, second.len() as f64);
    let correction = 1.0 - 3.0 / (4.0 * (n1 + n2 - 2.0) - 1.0);
    let variance = (n1 + n2) / (n1 * n2) + d * d / (2.0 * (n1 + n2));
    Some((correction * d, correction * variance.sqrt()))
}

/// The logarithm (nats) of the odds ratio of two rows of counts (events, others), and its standard error (Woolf 1955).
/// `None` where a count is 0.
pub fn log_odds_ratio([a, b]: [f64; 2], [c, d]: [f64; 2]) -> Option<(f64, f64)> {
    let there = [a, b, c, d].iter().all(|count| *count > 0.0);
    there.then(|| (logarithm(a * d / (b * c)), (1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d).sqrt()))
}

/// Cliff's delta: the probability that a value of the first sample is the larger, minus that it is the smaller
/// (Cliff 1993); 2·AUC − 1 of [`super::metrics::auc`].
pub fn cliffs_delta(first: &[f64], second: &[f64]) -> f64 {
    let mut sum = 0i64;
    for a in first {
        for b in second {
            sum += i64::from(a > b) - i64::from(a < b);
        }
    }
    sum as f64 / (first.len() * second.len()).max(1) as f64
}

/// Two-sided p-value of the hypothesis that paired differences are symmetric about 0, by flipping their signs
/// (Fisher 1935, §21). All sign patterns are enumerated for up to 16 differences; beyond, `draws` random ones, and
/// the observed pattern counts as one of them, so that p is never 0.
pub fn sign_flip_test(differences: &[f64], draws: usize, stream: &mut Stream) -> f64 {
    let observed: f64 = differences.iter().sum::<f64>().abs();
    // So that sums that are equal but for rounding count as equal.
    let threshold = observed - 1e-9 * differences.iter().map(|difference| difference.abs()).sum::<f64>();
    let extreme = |signs: &dyn Fn(usize) -> bool| {
        let sum: f64 =
            differences.iter().enumerate().map(|(place, value)| if signs(place) { -value } else { *value }).sum();
        sum.abs() >= threshold
    };
    if differences.len() <= 16 {
        let patterns = 1u32 << differences.len();
        let count = (0..patterns).filter(|pattern| extreme(&|place| pattern >> place & 1 == 1)).count();
        return count as f64 / f64::from(patterns);
    }
    let mut count = 1;
    for _ in 0..draws {
        let signs: Vec<bool> = differences.iter().map(|_| stream.chance(0.5)).collect();
        count += usize::from(extreme(&|place| signs[place]));
    }
    count as f64 / (draws + 1) as f64
}

/// One-sided p-value of the hypothesis that two samples come from one distribution, against the first having the
/// larger mean, by permuting who belongs to which (Pitman 1937; Efron & Tibshirani 1993, §15).
pub fn permutation_test(first: &[f64], second: &[f64], draws: usize, stream: &mut Stream) -> f64 {
    let mut pool: Vec<f64> = first.iter().chain(second).copied().collect();
    let total: f64 = pool.iter().sum();
    let difference = |pool: &[f64]| {
        let sum: f64 = pool[..first.len()].iter().sum();
        sum / first.len() as f64 - (total - sum) / second.len() as f64
    };
    let scale: f64 = pool.iter().map(|value| value.abs()).sum();
    let threshold = difference(&pool) - 1e-12 * scale;
    let mut count = 1;
    for _ in 0..draws {
        // Only the first sample's places need drawing.
        for place in 0..first.len() {
            let other = place + stream.below((pool.len() - place) as u64) as usize;
            pool.swap(place, other);
        }
        count += usize::from(difference(&pool) >= threshold);
    }
    count as f64 / (draws + 1) as f64
}

/// P-values of many hypotheses at once, each that the mean of its paired differences is not above 0, corrected so that
/// the probability of even one false rejection is the p-value: signs are flipped for all hypotheses together, and every
/// observed sum, in units of its own root of summed squares, is compared with the greatest of a flip (Westfall & Young
/// 1993; Nichols & Holmes 2002, §"Single threshold test"). `differences[hypothesis][unit]`; hypotheses that rise and
/// fall together, such as neighbouring layers, then cost less than a correction for their number.
pub fn sign_flip_grid(differences: &[Vec<f64>], draws: usize, stream: &mut Stream) -> Vec<f64> {
    let units = differences.first().map_or(0, Vec::len);
    let scales: Vec<f64> =
        differences.iter().map(|row| row.iter().map(|value| value * value).sum::<f64>().sqrt().max(1e-300)).collect();
    let sums = |flip: &dyn Fn(usize) -> bool| -> Vec<f64> {
        let sum = |(row, scale): (&Vec<f64>, &f64)| {
            row.iter().enumerate().map(|(unit, value)| if flip(unit) { -value } else { *value }).sum::<f64>() / scale
        };
        differences.iter().zip(&scales).map(sum).collect()
    };
    let observed = sums(&|_| false);
    // The observed signs are one of the flips.
    let mut counts = vec![1; observed.len()];
    for _ in 0..draws {
        let signs: Vec<bool> = (0..units).map(|_| stream.chance(0.5)).collect();
        let greatest = sums(&|unit| signs[unit]).into_iter().fold(f64::NEG_INFINITY, f64::max);
        counts.iter_mut().zip(&observed).for_each(|(count, sum)| *count += usize::from(greatest >= sum - 1e-9));
    }
    counts.into_iter().map(|count| count as f64 / (draws + 1) as f64).collect()
}

/// Which hypotheses are rejected at false-discovery rate `rate` (Benjamini & Hochberg 1995), in the order given.
pub fn benjamini_hochberg(p: &[f64], rate: f64) -> Vec<bool> {
    adjusted(p).into_iter().map(|p| p <= rate).collect()
}

/// As [`benjamini_hochberg`], but the rate holds however the tests depend on each other: it is divided by
/// 1 + 1/2 + … + 1/m (Benjamini & Yekutieli 2001, theorem 1.3).
pub fn benjamini_yekutieli(p: &[f64], rate: f64) -> Vec<bool> {
    let harmonic: f64 = (1..=p.len()).map(|rank| 1.0 / rank as f64).sum();
    benjamini_hochberg(p, rate / harmonic)
}

/// Benjamini–Hochberg adjusted p-values: the smallest rate at which each hypothesis would be rejected.
pub fn adjusted(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut result = vec![1.0; p.len()];
    let mut smallest: f64 = 1.0;
    for (rank, &place) in order.iter().enumerate().rev() {
        smallest = smallest.min(p[place] * p.len() as f64 / (rank + 1) as f64);
        result[place] = smallest;
    }
    result
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::numeric::normal;
    use super::*;
    use environments::stream;

    /// Heights of cross- minus self-fertilised maize, in eighths of an inch: Darwin's data, Fisher 1935, table 3.
    const MAIZE: [f64; 15] = [49.0, -67.0, 8.0, 16.0, 6.0, 23.0, 28.0, 41.0, 14.0, 29.0, 56.0, 24.0, 75.0, 60.0, -48.0];
    /// Survival of mice in days: Efron & Tibshirani 1993, table 2.1.
    const TREATED: [f64; 7] = [94.0, 197.0, 16.0, 38.0, 99.0, 141.0, 23.0];
    const UNTREATED: [f64; 9] = [52.0, 104.0, 146.0, 10.0, 51.0, 30.0, 40.0, 27.0, 46.0];

    #[test]
    fn fishers_maize_has_his_p_value() {
        // Fisher counts 863 of the 32768 sign patterns with a sum of 314 or more: 2.634% on one side.
        let p = sign_flip_test(&MAIZE, 0, &mut stream(&["maize"]));
        assert_eq!(p, 2.0 * 863.0 / 32768.0);
    }

    #[test]
    fn drawn_sign_flips_come_near_the_enumerated_ones() {
        let mut seventeen = MAIZE.to_vec();
        seventeen.extend([0.0, 0.0]);
        let p = sign_flip_test(&seventeen, 20_000, &mut stream(&["maize"]));
        assert!((p - 0.0527).abs() < 0.006, "{p}");
    }

    #[test]
    fn the_mouse_data_has_the_published_significance() {
        // Efron & Tibshirani 1993, §15.2: ASL 0.132 from 1000 permutations; .14 exactly.
        let p = permutation_test(&TREATED, &UNTREATED, 20_000, &mut stream(&["mice"]));
        assert!((p - 0.14).abs() < 0.01, "{p}");
        assert!((mean(&TREATED) - mean(&UNTREATED) - 30.63).abs() < 0.01);
    }

    #[test]
    fn benjamini_and_hochbergs_example_rejects_four() {
        // Benjamini & Hochberg 1995, §3.2: at a rate of .05 the four smallest are rejected.
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590, 1.0,
        ];
        let rejected = benjamini_hochberg(&p, 0.05);
        assert_eq!(rejected.iter().filter(|rejected| **rejected).count(), 4);
        assert!(rejected[..4].iter().all(|rejected| *rejected));
        // The order of the list does not matter.
        let mut backwards = p;
        backwards.reverse();
        assert!(benjamini_hochberg(&backwards, 0.05)[11..].iter().all(|rejected| *rejected));
    }

    #[test]
    fn whatever_the_dependence_three_of_the_example_are_rejected() {
        // The factor of 15 tests is 3.3182, so the thresholds are i · .05 / 49.77: .0010, .0020, .0030, .0040.
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590, 1.0,
        ];
        assert_eq!(benjamini_yekutieli(&p, 0.05).iter().filter(|rejected| **rejected).count(), 3);
        let one = [0.04];
        assert_eq!(benjamini_yekutieli(&one, 0.05), benjamini_hochberg(&one, 0.05));
    }

    #[test]
    fn false_discoveries_are_as_rare_as_stated_among_dependent_tests() {
        // 40 tests of 20 pairs each, 10 of them with an effect; noise shared between tests. The mean share of false
        // among all rejections is at most .1 · 30/40 by Benjamini and Hochberg; sums of 100 grids deviate by about .02.
        let mut stream = stream(&["false discoveries"]);
        let (mut shares, mut found, mut families) = (0.0, 0, 0);
        for _ in 0..100 {
            let shared: Vec<f64> = (0..20).map(|_| normal(&mut stream)).collect();
            let rows: Vec<Vec<f64>> = (0..40)
                .map(|test| {
                    let effect = if test < 10 { 1.2 } else { 0.0 };
                    shared.iter().map(|shared| effect + 0.5 * shared + 0.87 * normal(&mut stream)).collect()
                })
                .collect();
            let p: Vec<f64> = rows.iter().map(|row| sign_flip_test(row, 400, &mut stream)).collect();
            let rejected = benjamini_hochberg(&p, 0.1);
            let (all, wrong) = (rejected.iter().filter(|r| **r).count(), rejected[10..].iter().filter(|r| **r).count());
            shares += wrong as f64 / all.max(1) as f64 / 100.0;
            found += all - wrong;
            families += usize::from(sign_flip_grid(&rows, 200, &mut stream)[10..].iter().any(|p| *p <= 0.05));
        }
        assert!(shares < 0.075 + 0.06, "{shares}");
        assert!(found > 950, "{found} of 1000 found");
        // Binomial(100, .05): more than 13 come with a probability below .001.
        assert!(families <= 13, "{families} grids with a false rejection");
    }

    #[test]
    fn a_grid_of_one_is_the_single_test_and_copies_cost_nothing() {
        let rows = |copies: usize| vec![MAIZE.to_vec(); copies];
        let p = |copies: usize| sign_flip_grid(&rows(copies), 20_000, &mut stream(&["grid"]));
        // Fisher's one-sided 863 of 32768.
        assert!((p(1)[0] - 0.026_34).abs() < 0.004, "{:?}", p(1));
        assert_eq!(p(3), vec![p(1)[0]; 3]);
    }

    #[test]
    fn effect_sizes_are_those_of_the_textbook() {
        // Borenstein et al. 2009, chapter 4: means 103 and 100, deviations 5.5 and 4.5, 50 each: d = .5970, g = .5924
        // with standard error .2028. Samples of two values have these means and deviations.
        let sample = |mean: f64, deviation: f64| -> Vec<f64> {
            let away = deviation * (49.0f64 / 50.0).sqrt();
            (0..50).map(|place| if place % 2 == 0 { mean + away } else { mean - away }).collect()
        };
        let (first, second) = (sample(103.0, 5.5), sample(100.0, 4.5));
        assert!((cohens_d(&first, &second).unwrap() - 0.5970).abs() < 1e-4);
        let (g, error) = hedges_g(&first, &second).unwrap();
        assert!((g - 0.5924).abs() < 1e-4 && (error - 0.2028).abs() < 1e-4, "{g} {error}");
        // Chapter 5: 5 of 100 and 10 of 100 die: log odds ratio −.7472, variance .3216.
        let (odds, error) = log_odds_ratio([5.0, 95.0], [10.0, 90.0]).unwrap();
        assert!((odds + 0.7472).abs() < 1e-4 && (error * error - 0.3216).abs() < 1e-4, "{odds} {error}");
        assert_eq!(log_odds_ratio([0.0, 1.0], [1.0, 1.0]), None);
    }

    #[test]
    fn cliffs_delta_is_twice_the_area_less_one() {
        let scores: Vec<f64> = TREATED.iter().chain(&UNTREATED).copied().collect();
        let positive: Vec<bool> = (0..16).map(|place| place < 7).collect();
        let area = super::super::metrics::auc(&scores, &positive).unwrap();
        assert!((cliffs_delta(&TREATED, &UNTREATED) - (2.0 * area - 1.0)).abs() < 1e-12);
    }

    #[test]
    fn quantiles_and_effect_sizes_are_those_of_the_definitions() {
        let sorted = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(quantile(&sorted, 0.5), 2.5);
        assert_eq!(quantile(&sorted, 0.0), 1.0);
        assert_eq!(quantile(&sorted, 1.0), 4.0);
        assert_eq!(cliffs_delta(&[3.0, 4.0], &[1.0, 2.0]), 1.0);
        assert_eq!(cliffs_delta(&[1.0, 4.0], &[2.0, 3.0]), 0.0);
        // Means 4 and 2, both variances 2.5: d = 2 / √2.5.
        let d = cohens_d(&[2.0, 3.0, 4.0, 5.0, 6.0], &[0.0, 1.0, 2.0, 3.0, 4.0]);
        assert!((d.unwrap_or(0.0) - 2.0 / 2.5f64.sqrt()).abs() < 1e-12);
        assert_eq!(cohens_d(&[1.0, 1.0], &[1.0, 1.0]), None);
    }
}
