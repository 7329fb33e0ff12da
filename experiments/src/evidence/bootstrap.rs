//! Percentile bootstrap over model seeds and over clusters (boards, trajectories, episodes), never over cells.
//!
//! A cluster is told by a *tally*: counts that add up over clusters (intersections and unions, the cells of a
//! confusion matrix). A statistic is a function of the sums, such as a ratio of two of them; it is computed afresh
//! in every resample, so that ratios need no linear approximation.

use environments::{Draw, stream};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::statistics::quantile;

/// Tallies of one group of models (trained, untrained, a baseline), seeds × clusters × counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    seeds: usize,
    clusters: usize,
    counts: usize,
    values: Vec<f64>,
}

impl Arm {
    /// An arm from tallies by seed and cluster. A thing without a seed, such as a window predictor, has one.
    ///
    /// # Panics
    /// If the seeds have different clusters or the tallies different lengths.
    pub fn new(tallies: &[Vec<Vec<f64>>]) -> Self {
        let clusters = tallies.first().map_or(0, Vec::len);
        let counts = tallies.first().and_then(|seed| seed.first()).map_or(0, Vec::len);
        assert!(tallies.iter().all(|seed| seed.len() == clusters), "seeds with different clusters");
        let values: Vec<f64> = tallies.iter().flatten().flatten().copied().collect();
        assert_eq!(values.len(), tallies.len() * clusters * counts, "tallies of different lengths");
        Self { seeds: tallies.len(), clusters, counts, values }
    }

    /// Several tallies of the same seeds and clusters as one, their counts one after the other.
    ///
    /// # Panics
    /// If seeds or clusters differ in number.
    pub fn joined(arms: &[&Arm]) -> Self {
        let (seeds, clusters) = arms.first().map_or((0, 0), |arm| (arm.seeds, arm.clusters));
        assert!(arms.iter().all(|arm| arm.seeds == seeds && arm.clusters == clusters), "arms of different shapes");
        let row = |place: usize| {
            arms.iter().flat_map(move |arm| arm.values[place * arm.counts..(place + 1) * arm.counts].iter().copied())
        };
        let values = (0..seeds * clusters).flat_map(row).collect();
        Self { seeds, clusters, counts: arms.iter().map(|arm| arm.counts).sum(), values }
    }

    /// Number of seeds.
    pub fn seeds(&self) -> usize {
        self.seeds
    }

    /// Sum of one seed's tallies, each cluster counted as often as its weight says.
    fn total(&self, seed: usize, weights: &[u32]) -> Vec<f64> {
        let mut total = vec![0.0; self.counts];
        let rows = &self.values[seed * self.clusters * self.counts..(seed + 1) * self.clusters * self.counts];
        for (row, &weight) in rows.chunks_exact(self.counts.max(1)).zip(weights) {
            if weight > 0 {
                let weight = f64::from(weight);
                for (total, value) in total.iter_mut().zip(row) {
                    *total += weight * value;
                }
            }
        }
        total
    }

    /// Sums of every seed's tallies.
    pub fn totals(&self) -> Vec<Vec<f64>> {
        let once = vec![1; self.clusters];
        (0..self.seeds).map(|seed| self.total(seed, &once)).collect()
    }
}

/// How clusters and seeds lie to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Design {
    /// All seeds were measured on the same clusters: a resample draws clusters once for all of them.
    Crossed,
    /// Each seed has clusters of its own: a resample draws clusters for every drawn seed.
    Nested,
}

/// An estimate and its interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The statistic of the data.
    pub value: f64,
    /// Low and high end.
    pub interval: (f64, f64),
    /// How it was made.
    pub method: String,
}

/// Sums of drawn seeds of each arm: `totals[arm][drawn seed][count]`.
pub type Totals = [Vec<Vec<f64>>];

/// The bootstrap's settings.
#[derive(Clone, Debug)]
pub struct Bootstrap<'a> {
    /// Address of the stream of chance.
    pub address: &'a [&'a str],
    /// Resamples.
    pub resamples: usize,
    /// Confidence, such as 0.95.
    pub confidence: f64,
    /// How clusters and seeds lie to each other.
    pub design: Design,
    /// What the clusters are, in words, such as "boards".
    pub clusters: &'a str,
}

impl Bootstrap<'_> {
    /// Percentile interval of a statistic over arms that share their clusters. Seeds of different arms are drawn
    /// independently of each other; of n ≥ 2 seeds, n − 1 are drawn, which makes the variance that the few seeds
    /// contribute unbiased (Rao & Wu 1988), where drawing n would make it too small by 1/n. The interval reaches at
    /// least to the estimate itself.
    ///
    /// `None` if the statistic of the data is not a number, or not in a tenth of the resamples.
    ///
    /// # Panics
    /// If arms have different numbers of clusters.
    pub fn estimate(&self, arms: &[&Arm], statistic: &(dyn Fn(&Totals) -> Option<f64> + Sync)) -> Option<Estimate> {
        let clusters = arms.first()?.clusters;
        assert!(arms.iter().all(|arm| arm.clusters == clusters), "arms with different clusters");
        let all: Vec<Vec<Vec<f64>>> = arms.iter().map(|arm| arm.totals()).collect();
        let value = statistic(&all).filter(|value| value.is_finite())?;
        let resample = |number: usize| {
            let number = number.to_string();
            let mut address = self.address.to_vec();
            address.push(&number);
            let mut stream = stream(&address);
            let mut draw_clusters = || {
                let mut weights = vec![0u32; clusters];
                for _ in 0..clusters {
                    weights[stream.below(clusters as u64) as usize] += 1;
                }
                weights
            };
            let shared = (self.design == Design::Crossed).then(&mut draw_clusters);
            let drawn: Vec<Vec<Vec<u32>>> = arms
                .iter()
                .map(|arm| {
                    let number = if arm.seeds > 1 { arm.seeds - 1 } else { 1 };
                    (0..number).map(|_| shared.clone().unwrap_or_else(&mut draw_clusters)).collect()
                })
                .collect();
            let totals: Vec<Vec<Vec<f64>>> = arms
                .iter()
                .zip(&drawn)
                .map(|(arm, drawn)| {
                    drawn.iter().map(|weights| arm.total(stream.below(arm.seeds as u64) as usize, weights)).collect()
                })
                .collect();
            statistic(&totals).filter(|value| value.is_finite())
        };
        let mut values: Vec<f64> = (0..self.resamples).into_par_iter().filter_map(resample).collect();
        if values.is_empty() || values.len() * 10 < self.resamples * 9 {
            return None;
        }
        values.sort_by(f64::total_cmp);
        let tail = (1.0 - self.confidence) / 2.0;
        let interval = (quantile(&values, tail).min(value), quantile(&values, 1.0 - tail).max(value));
        let seeds: Vec<String> = arms.iter().map(|arm| arm.seeds.to_string()).collect();
        let method = format!(
            "percentile bootstrap over {} model seeds and {clusters} {}, {} resamples",
            seeds.join("/"),
            self.clusters,
            self.resamples
        );
        Some(Estimate { value, interval, method })
    }
}

/// Mean over drawn seeds of a statistic of one seed's sums; `None` if it is undefined for one.
pub fn over_seeds(totals: &[Vec<f64>], statistic: impl Fn(&[f64]) -> Option<f64>) -> Option<f64> {
    let mut sum = 0.0;
    for total in totals {
        sum += statistic(total)?;
    }
    (!totals.is_empty()).then(|| sum / totals.len() as f64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::numeric::normal;
    use super::*;

    fn mean_of(totals: &Totals) -> Option<f64> {
        over_seeds(&totals[0], |total| Some(total[0] / total[1]))
    }

    fn bootstrap(design: Design) -> Bootstrap<'static> {
        Bootstrap { address: &["test"], resamples: 400, confidence: 0.95, design, clusters: "boards" }
    }

    /// Values with a seed effect, a board effect common to all seeds if crossed, and noise; their mean is 0.
    fn simulate(number: usize, design: Design) -> Arm {
        let mut stream = stream(&["simulated", &number.to_string()]);
        let mut boards: Vec<f64> = (0..40).map(|_| normal(&mut stream)).collect();
        let tallies: Vec<Vec<Vec<f64>>> = (0..8)
            .map(|_| {
                let seed = 0.3 * normal(&mut stream);
                if design == Design::Nested {
                    boards = (0..40).map(|_| normal(&mut stream)).collect();
                }
                boards.iter().map(|board| vec![seed + board + 0.2 * normal(&mut stream), 1.0]).collect()
            })
            .collect();
        Arm::new(&tallies)
    }

    #[test]
    fn intervals_cover_the_truth_about_as_often_as_they_say() {
        for design in [Design::Crossed, Design::Nested] {
            let covered = (0..200).filter(|&number| {
                let (low, high) = bootstrap(design).estimate(&[&simulate(number, design)], &mean_of).unwrap().interval;
                low <= 0.0 && 0.0 <= high
            });
            // 200 trials of 0.95 have a standard deviation of 3.1; eight seeds cost a little coverage.
            let covered = covered.count();
            assert!((174..=199).contains(&covered), "{design:?}: {covered} of 200");
        }
    }

    #[test]
    fn an_interval_that_ignored_seeds_or_clusters_would_be_too_short() {
        let arm = simulate(1, Design::Crossed);
        let (low, high) = bootstrap(Design::Crossed).estimate(&[&arm], &mean_of).unwrap().interval;
        // Board effects of deviation 1 on 40 boards: at least ±1.96/√40.
        assert!(high - low > 2.0 * 1.5 / 40f64.sqrt(), "{low} {high}");
    }

    #[test]
    fn the_standard_error_of_the_mouse_data_is_the_published_one() {
        // Efron & Tibshirani 1993, table 2.2: the bootstrap standard error of the mean of the treated mice is 23.36
        // for infinitely many resamples, so the central 68% are about ±23.
        let mice = [94.0, 197.0, 16.0, 38.0, 99.0, 141.0, 23.0];
        let arm = Arm::new(&[mice.iter().map(|&days| vec![days, 1.0]).collect()]);
        let settings = Bootstrap { resamples: 4000, confidence: 0.6827, ..bootstrap(Design::Crossed) };
        let estimate = settings.estimate(&[&arm], &mean_of).unwrap();
        let half = (estimate.interval.1 - estimate.interval.0) / 2.0;
        assert!((estimate.value - 86.857).abs() < 0.001);
        assert!((half - 23.36).abs() < 1.2, "{half}");
    }

    #[test]
    fn undefined_statistics_give_no_estimate() {
        let arm = Arm::new(&[vec![vec![0.0, 0.0]; 5]]);
        let ratio = |totals: &Totals| over_seeds(&totals[0], |t| (t[1] > 0.0).then(|| t[0] / t[1]));
        assert!(bootstrap(Design::Crossed).estimate(&[&arm], &ratio).is_none());
    }
}
