//! Scores of predictions. Scores that are undefined (a class never met, no live cell) are `None`, never a made-up 0.

use super::numeric::logarithm;

/// Counts of (truth, prediction), `counts[truth * classes + predicted]`, in any number of classes.
#[derive(Clone, Debug, PartialEq)]
pub struct Confusion {
    /// Number of classes.
    pub classes: usize,
    /// classes × classes counts.
    pub counts: Vec<f64>,
}

impl Confusion {
    /// No counts yet.
    pub fn new(classes: usize) -> Self {
        Self { classes, counts: vec![0.0; classes * classes] }
    }

    /// From counts, as a resampled tally holds them.
    pub fn of(counts: &[f64]) -> Self {
        let classes = (counts.len() as f64).sqrt().round() as usize;
        debug_assert_eq!(classes * classes, counts.len());
        Self { classes, counts: counts.to_vec() }
    }

    /// Counts one case.
    pub fn add(&mut self, truth: usize, predicted: usize) {
        self.counts[truth * self.classes + predicted] += 1.0;
    }

    fn row(&self, truth: usize) -> f64 {
        self.counts[truth * self.classes..(truth + 1) * self.classes].iter().sum()
    }

    fn column(&self, predicted: usize) -> f64 {
        (0..self.classes).map(|truth| self.counts[truth * self.classes + predicted]).sum()
    }

    fn right(&self) -> f64 {
        (0..self.classes).map(|class| self.counts[class * self.classes + class]).sum()
    }

    /// All cases.
    pub fn total(&self) -> f64 {
        self.counts.iter().sum()
    }

    /// Share of right predictions.
    pub fn accuracy(&self) -> Option<f64> {
        let total = self.total();
        (total > 0.0).then(|| self.right() / total)
    }

    /// Mean over the classes that occur of the share recognised; chance is 1/classes. Undefined unless every class
    /// occurs.
    pub fn balanced_accuracy(&self) -> Option<f64> {
        let mut sum = 0.0;
        for class in 0..self.classes {
            let row = self.row(class);
            if row <= 0.0 {
                return None;
            }
            sum += self.counts[class * self.classes + class] / row;
        }
        (self.classes > 0).then(|| sum / self.classes as f64)
    }

    /// Matthews correlation; for more than two classes Gorodkin's R_K (Gorodkin 2004). Undefined where truth or
    /// prediction is constant.
    pub fn matthews(&self) -> Option<f64> {
        let (total, right) = (self.total(), self.right());
        let (mut together, mut rows, mut columns) = (0.0, 0.0, 0.0);
        for class in 0..self.classes {
            let (row, column) = (self.row(class), self.column(class));
            together += row * column;
            rows += row * row;
            columns += column * column;
        }
        let below = ((total * total - columns) * (total * total - rows)).sqrt();
        (below > 0.0).then(|| (right * total - together) / below)
    }
}

/// a / b where b is positive.
pub fn ratio(a: f64, b: f64) -> Option<f64> {
    (b > 0.0).then(|| a / b)
}

/// Cross-entropy of one event with predicted probability p, in nats; p is kept from 0 by 1e-12.
pub fn surprise(probability: f64) -> f64 {
    -logarithm(probability.max(1e-12))
}

/// Area under the receiver operating curve: the probability that a positive scores above a negative, ties counting
/// one half (Hanley & McNeil 1982).
pub fn auc(scores: &[f64], positive: &[bool]) -> Option<f64> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let (mut below, mut sum, mut positives) = (0.0, 0.0, 0.0);
    for tie in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let up = tie.iter().filter(|&&place| positive[place]).count() as f64;
        let down = tie.len() as f64 - up;
        sum += up * (below + down / 2.0);
        below += down;
        positives += up;
    }
    ratio(sum, below * positives)
}

/// Out-of-sample coefficient of determination: 1 − (squared error)/(squared distance from `reference`), over rows
/// of `width` outputs. The reference is the training data's mean, which is what a predictor that knows nothing says.
pub fn r_squared(predicted: &[f64], truth: &[f64], reference: &[f64]) -> Option<f64> {
    let (mut error, mut spread) = (0.0, 0.0);
    for (predicted, truth) in predicted.chunks_exact(reference.len()).zip(truth.chunks_exact(reference.len())) {
        for ((p, t), r) in predicted.iter().zip(truth).zip(reference) {
            error += (p - t) * (p - t);
            spread += (t - r) * (t - r);
        }
    }
    ratio(error, spread).map(|share| 1.0 - share)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn near(value: Option<f64>, expected: f64) {
        assert!((value.unwrap() - expected).abs() < 5e-4, "{value:?}, not {expected}");
    }

    #[test]
    fn two_classes_score_as_published() {
        // The cats and dogs of the usual example: 6 of 8 cats and 3 of 4 dogs recognised; Matthews .478.
        let cats = Confusion::of(&[6.0, 2.0, 1.0, 3.0]);
        near(cats.matthews(), 0.4781);
        near(cats.accuracy(), 0.75);
        near(cats.balanced_accuracy(), 0.75);
        // Skewed: accuracy flatters, balance and Matthews do not (Chicco & Jurman 2020, use case A1: TP 90, FN 1,
        // TN 0, FP 9: accuracy .90, Matthews −.03).
        let skewed = Confusion::of(&[90.0, 1.0, 9.0, 0.0]);
        near(skewed.accuracy(), 0.9);
        assert!((skewed.matthews().unwrap() + 0.03).abs() < 0.005);
        assert!(skewed.balanced_accuracy().unwrap() < 0.5);
    }

    #[test]
    fn more_classes_agree_with_two_and_with_the_extremes() {
        let perfect = Confusion::of(&[5.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 9.0]);
        near(perfect.matthews(), 1.0);
        near(perfect.balanced_accuracy(), 1.0);
        let independent = Confusion::of(&[1.0, 2.0, 3.0, 2.0, 4.0, 6.0, 3.0, 6.0, 9.0]);
        near(independent.matthews(), 0.0);
        assert_eq!(Confusion::of(&[3.0, 0.0, 2.0, 0.0]).matthews(), None, "always one answer");
        assert_eq!(Confusion::of(&[3.0, 1.0, 0.0, 0.0]).balanced_accuracy(), None, "a class never met");
    }

    #[test]
    fn the_area_is_hanley_and_mcneils() {
        // Hanley & McNeil 1982, table I: ratings of 58 normal and 51 abnormal images; the area is .893.
        let ratings = [(33, 3), (6, 2), (6, 2), (11, 11), (2, 33)];
        let (mut scores, mut positive) = (Vec::new(), Vec::new());
        for (rating, (normal, abnormal)) in ratings.into_iter().enumerate() {
            scores.extend(std::iter::repeat_n(rating as f64, normal + abnormal));
            positive.extend(std::iter::repeat_n(false, normal));
            positive.extend(std::iter::repeat_n(true, abnormal));
        }
        near(auc(&scores, &positive), 0.8932);
        assert_eq!(auc(&[1.0, 2.0], &[true, true]), None);
    }

    #[test]
    fn a_prediction_by_the_mean_explains_nothing() {
        let truth = [1.0, 2.0, 3.0, 6.0];
        near(r_squared(&[3.0; 4], &truth, &[3.0]), 0.0);
        near(r_squared(&truth, &truth, &[3.0]), 1.0);
        assert!(r_squared(&[9.0; 4], &truth, &[3.0]).unwrap() < 0.0);
        near(Some(surprise(0.5)), std::f64::consts::LN_2);
    }
}
