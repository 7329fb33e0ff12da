//! Controls that say how much of a probe's score is the probe's own doing.

use environments::{Draw, Stream, stream};

use super::dataset::Dataset;
use super::numeric::shuffle;

/// The rows with their labels dealt out anew at random: whatever is still "found" is overfitting.
pub fn shuffled_labels(data: &Dataset, stream: &mut Stream) -> Dataset {
    let mut labels = data.labels.clone();
    shuffle(&mut labels, stream);
    data.relabelled(labels, data.classes)
}

/// Labels of the control task of Hewitt & Liang (2019): each input type (word; here, what an object looks like) gets
/// one label at random for good, drawn with the frequencies of the true labels. A probe that does well on these
/// reads types off and makes up the rest itself. Selectivity is the score on the true labels minus the score here.
pub fn control_labels(types: &[u64], labels: &[usize], classes: usize, address: &[&str]) -> Vec<usize> {
    let mut ends = vec![0u64; classes];
    labels.iter().for_each(|&label| ends[label] += 1);
    for class in 1..classes {
        ends[class] += ends[class - 1];
    }
    let total = ends.last().copied().unwrap_or(0).max(1);
    let label = |kind: &u64| {
        let kind = kind.to_string();
        let mut address = address.to_vec();
        address.push(&kind);
        let place = stream(&address).below(total);
        ends.iter().position(|end| place < *end).unwrap_or(0)
    };
    types.iter().map(label).collect()
}

/// The commonest class of the training rows; of equals the first.
pub fn majority(train: &Dataset) -> usize {
    let counts = train.class_counts();
    (1..counts.len()).fold(0, |best, class| if counts[class] > counts[best] { class } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_keeps_its_control_label_and_frequencies_are_kept() {
        let types: Vec<u64> = (0..4000).map(|row| row % 2000).collect();
        let truth: Vec<usize> = (0..4000).map(|row| usize::from(row % 4 == 0)).collect();
        let labels = control_labels(&types, &truth, 2, &["control"]);
        assert_eq!(labels[..2000], labels[2000..]);
        let ones = labels.iter().sum::<usize>() as f64 / 4000.0;
        assert!((ones - 0.25).abs() < 0.04, "{ones}");
        assert_ne!(labels, control_labels(&types, &truth, 2, &["another"]));
    }

    #[test]
    fn shuffling_keeps_the_labels_and_loses_the_order() {
        let mut data = Dataset::new(1, 2);
        for row in 0..100 {
            data.push(&[row as f32], usize::from(row >= 60), row);
        }
        let shuffled = shuffled_labels(&data, &mut stream(&["labels"]));
        assert_eq!(shuffled.class_counts(), data.class_counts());
        assert_ne!(shuffled.labels, data.labels);
        assert_eq!(majority(&data), 0);
    }
}
