//! Names for what never repeats: linear growth, and the rest by how fast it grows (as apgsearch 5 names them).

use super::md5;
use crate::automata::pattern::Pattern;
use crate::automata::plane::{LEAP, Plane};
use crate::automata::rule::Rule;

/// The longest period of growth.
const LONGEST: usize = 4800;
/// The generations between the samples for the power of growth, and their number.
const STRIDE: u64 = 128;
const SAMPLES: usize = 8000;
/// Tiles' leaps beyond which growth is not followed; the class is then judged by what has been seen.
const MOST_WORK: u64 = 4_000_000;

/// `yl…` for linear growth, else `zz_…` or `PATHOLOGICAL`.
pub(super) fn name(pattern: &Pattern, rule: &Rule) -> String {
    linear(pattern, rule).unwrap_or_else(|| power(pattern, rule).to_string())
}

/// `yl` with the periods of the growth, of the debris, the growth in a period, and a hash of how it goes.
fn linear(pattern: &Pattern, rule: &Rule) -> Option<String> {
    let mut populations = vec![0i64; 3 * LONGEST];
    let mut plane = Plane::with_pattern(rule, pattern);
    let mut work = 0;
    for population in &mut populations {
        *population = plane.population() as i64;
        plane.advance(1);
        work += plane.tiles() as u64;
        if work > MOST_WORK {
            return None;
        }
    }
    let difference = |period: usize, i: usize| populations[i + period] - populations[i];
    let (period, debris) =
        (1..LONGEST).find(|&p| (0..LONGEST).all(|i| difference(p, i) == difference(p, i + p))).and_then(|p| {
            let q = (1..LONGEST).find(|&q| (0..LONGEST).all(|i| difference(p, i) == difference(p, i + q)))?;
            Some((p, q))
        })?;
    let changes: Vec<i64> = (0..period).map(|i| difference(debris, i)).collect();
    let [growth, squares, cubes] = moments(&changes);
    let hash = md5::hex(format!("{squares}#{cubes}").as_bytes());
    (growth != 0).then(|| format!("yl{period}_{debris}_{growth}_{hash}"))
}

/// The sums of changes, of their squares and of their cubes, in the 32 bits in which apgsearch counts: names have come to
/// depend on how large sums wrap around.
fn moments(changes: &[i64]) -> [i32; 3] {
    changes.iter().fold([0; 3], |sums: [i32; 3], &change| {
        let change = change as i32;
        let powers = [change, change.wrapping_mul(change), change.wrapping_mul(change).wrapping_mul(change)];
        [0, 1, 2].map(|power| sums[power].wrapping_add(powers[power]))
    })
}

/// The class by the power of time with which the sum of populations grows.
fn power(pattern: &Pattern, rule: &Rule) -> &'static str {
    let mut plane = Plane::with_pattern(rule, pattern);
    let (mut sum, mut work) = (1.0, 0);
    let (mut late, mut early) = (Vec::new(), Vec::new());
    for i in 0..SAMPLES {
        work += plane.queued() as u64 * (STRIDE / LEAP);
        plane.advance(STRIDE);
        sum += plane.population() as f64;
        late.push((((i as u64 * STRIDE + LONGEST as u64) as f64).ln(), sum.ln()));
        early.push((((i + 1) as f64).ln(), sum.ln()));
        if work > MOST_WORK && i > 1 {
            break;
        }
    }
    let (power, early) = (slope(&late), slope(&early));
    match power {
        _ if early < 1.15 => "PATHOLOGICAL",
        power if power < 1.65 => "zz_REPLICATOR",
        power if power < 2.1 => "zz_LINEAR",
        power if power < 2.9 => "zz_EXPLOSIVE",
        _ => "zz_QUADRATIC",
    }
}

/// The slope of the least-squares line.
fn slope(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let mean_x = points.iter().map(|p| p.0).sum::<f64>() / n;
    let mean_y = points.iter().map(|p| p.1).sum::<f64>() / n;
    let spread: f64 = points.iter().map(|p| (p.0 - mean_x) * (p.0 - mean_x)).sum();
    let common: f64 = points.iter().map(|p| (p.0 - mean_x) * (p.1 - mean_y)).sum();
    common / spread
}

#[cfg(test)]
mod tests {
    use super::moments;

    #[test]
    fn sums_wrap_in_32_bits() {
        assert_eq!(moments(&[3, -2]), [1, 13, 19]);
        // 2000³ = 8·10⁹ is 3,705,032,704 more than a multiple of 2³², and that is negative.
        assert_eq!(moments(&[2000]), [2000, 4_000_000, -589_934_592]);
        assert_eq!(moments(&[65_536]), [65_536, 0, 0]);
    }
}
