//! How a model's training went, and where in it the shown checkpoint stands.

use experiments::run_directory::Metric;

/// Training records of one model with its checkpoints.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Course {
    /// Optimiser steps and the mean loss since the record before, in nats a scored position.
    pub losses: Vec<(u64, f32)>,
    /// Steps of the checkpoints, rising.
    pub checkpoints: Vec<u64>,
    /// The step of the checkpoint that is shown.
    pub shown: u64,
    /// What else was recorded at the last record up to there, in words.
    pub words: String,
}

impl Course {
    /// The records of a model up to and beyond the checkpoint that is shown.
    pub fn of(metrics: &[Metric], model: &str, checkpoints: Vec<u64>, shown: u64) -> Self {
        let own: Vec<&Metric> = metrics.iter().filter(|metric| metric.model == model).collect();
        let last = own.iter().rev().find(|metric| metric.step <= shown);
        let words = last.map(|metric| {
            let Metric { loss, learning_rate, tokens, .. } = metric;
            format!("loss {loss:.4} · rate {learning_rate:.1e} · {} tokens", short(*tokens))
        });
        Self {
            losses: own.iter().map(|metric| (metric.step, metric.loss)).collect(),
            checkpoints,
            shown,
            words: words.unwrap_or_else(|| "untrained".into()),
        }
    }

    /// The last step that is known.
    pub fn end(&self) -> u64 {
        let last = self.losses.last().map(|(step, _)| *step);
        last.into_iter().chain(self.checkpoints.iter().copied()).max().unwrap_or(0).max(1)
    }

    /// Least and greatest loss.
    pub fn range(&self) -> (f32, f32) {
        let finite = || self.losses.iter().map(|(_, loss)| *loss).filter(|loss| loss.is_finite());
        let (low, high) = (finite().fold(f32::INFINITY, f32::min), finite().fold(f32::NEG_INFINITY, f32::max));
        match () {
            () if low < high => (low, high),
            () if low.is_finite() => (low - 0.5, low + 0.5),
            // Nothing is known.
            () => (0.0, 1.0),
        }
    }

    /// Where a step lies, from 0 to 1: by the logarithm, as checkpoints do.
    pub fn share(&self, step: u64) -> f32 {
        ((step as f32 + 1.0).ln() / (self.end() as f32 + 1.0).ln()).clamp(0.0, 1.0)
    }

    /// The checkpoint that lies nearest to a place from 0 to 1.
    pub fn nearest(&self, share: f32) -> Option<u64> {
        let away = |step: u64| (self.share(step) - share).abs();
        self.checkpoints.iter().copied().min_by(|&a, &b| away(a).total_cmp(&away(b)))
    }
}

/// A count in three figures.
fn short(count: u64) -> String {
    match count {
        0..1_000 => count.to_string(),
        1_000..1_000_000 => format!("{:.1}k", count as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1}M", count as f64 / 1e6),
        _ => format!("{:.1}G", count as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_course_of_one_model_is_read_off_all_records() {
        let record = |model: &str, step, loss| Metric {
            model: model.into(),
            step,
            loss,
            learning_rate: 1e-3,
            tokens: step * 1000,
        };
        let all = [record("a", 10, 2.0), record("b", 10, 9.0), record("a", 100, 1.0)];
        let course = Course::of(&all, "a", vec![0, 10, 100], 10);
        assert_eq!(course.losses, [(10, 2.0), (100, 1.0)]);
        assert_eq!((course.end(), course.range()), (100, (1.0, 2.0)));
        assert!(course.words.starts_with("loss 2.0000") && course.words.ends_with("10.0k tokens"), "{}", course.words);
        assert_eq!((course.share(0), course.share(100)), (0.0, 1.0));
        for step in [0, 10, 100] {
            assert_eq!(course.nearest(course.share(step)), Some(step));
        }
        let nothing = Course::of(&all, "c", vec![0], 0);
        assert_eq!((nothing.words.as_str(), nothing.range().0 < nothing.range().1), ("untrained", true));
    }
}
