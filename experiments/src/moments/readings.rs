//! What probes read at moments of runs: fitted on authors of the training split in runs that no training met, their free
//! choices made on authors of the validation split, their figures taken on authors of the test split.

use environments::{Draw, stream};
use serde::{Deserialize, Serialize};

use super::{Concept, Features, Moment, Moments, Stratum};
use crate::evidence::controls::control_labels;
use crate::evidence::metrics::ratio;
use crate::evidence::{Dataset, Probe, Ridge, Targets, fit};

/// The three sets of moments: for fitting, for choosing, for reporting.
pub struct Sets {
    /// Moments of each.
    pub parts: [Moments; 3],
    /// The concepts.
    pub concepts: Vec<Concept>,
    /// The experiment, from whose name the chance of control tasks comes.
    pub experiment: &'static str,
}

/// Features of the three sets' moments.
pub type Three = [Features; 3];

/// What a probe says of a concept at the moments for reporting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Read {
    /// Balanced accuracy on the moments for choosing, where the concept is scored; `None` if there are no such moments.
    pub choose: Option<f64>,
    /// The class that is read at every moment for reporting.
    pub classes: Vec<u8>,
}

/// What probes read from one source of features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The source: a tap, or what else was read.
    pub source: String,
    /// By concept.
    pub concepts: Vec<Read>,
    /// The linear image of Bayes's belief, in each frame.
    pub beliefs: Vec<Belief>,
}

impl Reading {
    /// Mean over some concepts of the score on the moments for choosing.
    pub fn mean(&self, concepts: std::ops::Range<usize>) -> f64 {
        let scores: Vec<f64> = self.concepts[concepts].iter().filter_map(|read| read.choose).collect();
        ratio(scores.iter().sum(), scores.len() as f64).unwrap_or(0.0)
    }
}

/// How well Bayes's belief is a linear image of features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Belief {
    /// Share of its variance explained at the moments for choosing.
    pub choose: f64,
    /// At every moment for reporting: squared error, and squared distance from the mean over the moments for fitting.
    pub squares: Vec<(f64, f64)>,
}

/// Where probes are fitted: wherever the evidence determines the concept and the token does not hold it.
pub const FITTED: [Stratum; 2] = [Stratum::Idle, Stratum::Current];

/// Mean recall over the classes that occur.
pub fn balanced(hits: &[f64], counts: &[f64]) -> Option<f64> {
    let recalls: Vec<f64> = hits.iter().zip(counts).filter_map(|(&hits, &count)| ratio(hits, count)).collect();
    ratio(recalls.iter().sum(), recalls.len() as f64)
}

impl Sets {
    /// Reads one concept with one probe; `control` gives every input type a label of its own at random instead.
    pub fn read(&self, probe: Probe, concept: usize, features: &Three, control: bool, address: &[&str]) -> Read {
        let classes = self.concepts[concept].classes;
        let rows = |part: usize, strata: &[Stratum]| {
            let (data, places) = self.parts[part].rows(&features[part], (concept, classes), strata);
            if !control {
                return (data, places);
            }
            let kinds: Vec<u64> = places.iter().map(|&place| self.parts[part].all[place].kind).collect();
            let labels = self.control(concept, &kinds);
            (data.relabelled(labels, classes), places)
        };
        let (train, _) = rows(0, &FITTED);
        let (validation, _) = rows(1, &FITTED);
        let mut chance = stream(address);
        let fitted = fit(probe, &train, &validation, &mut chance);
        let said = |part: usize| -> Vec<u8> {
            let all = self.everything(part, &features[part], classes);
            match &fitted {
                Some(fitted) => fitted.predict(&all).predicted().into_iter().map(|class| class as u8).collect(),
                // With one class in the rows for fitting there is nothing to fit.
                None => vec![train.labels.first().map_or(0, |&class| class as u8); all.rows()],
            }
        };
        let (chosen, places) = rows(1, &[self.concepts[concept].scored]);
        let predicted = said(1);
        let (mut hits, mut counts) = (vec![0.0; classes], vec![0.0; classes]);
        for (&label, &place) in chosen.labels.iter().zip(&places) {
            counts[label] += 1.0;
            hits[label] += f64::from(u8::from(usize::from(predicted[place]) == label));
        }
        Read { choose: balanced(&hits, &counts), classes: said(2) }
    }

    /// Labels of the control task for input types: drawn with the frequencies of the concept's classes.
    pub fn control(&self, concept: usize, kinds: &[u64]) -> Vec<usize> {
        let Concept { name, classes, .. } = &self.concepts[concept];
        let truths = self.parts[0].all.iter().map(|moment| &moment.truths[concept]);
        let labels: Vec<usize> =
            truths.filter(|truth| FITTED.contains(&truth.stratum)).filter_map(|truth| truth.class).collect();
        control_labels(kinds, &labels, *classes, &[self.experiment, "control", name])
    }

    fn everything(&self, part: usize, features: &Features, classes: usize) -> Dataset {
        let mut data = Dataset::new(features.width, classes);
        (0..self.parts[part].all.len()).for_each(|place| data.push(features.row(place), 0, place));
        data
    }

    /// Reads the belief in a frame; `control` gives every input type the belief of some other moment.
    pub fn belief(&self, frame: usize, features: &Three, control: bool) -> Belief {
        let of = |moment: &Moment| moment.beliefs[frame].clone();
        let count = self.parts[0].all.first().map_or(0, |moment| of(moment).len());
        let outputs = |part: usize| -> Vec<f64> {
            let given = |moment: &Moment| match control {
                false => of(moment),
                true => {
                    let kind = moment.kind.to_string();
                    let all = &self.parts[0].all;
                    let place = stream(&[self.experiment, "control", "belief", &kind]).below(all.len() as u64);
                    of(&all[place as usize])
                }
            };
            self.parts[part].all.iter().flat_map(given).collect()
        };
        let (train, choose, report) = (outputs(0), outputs(1), outputs(2));
        let targets = |part: usize, outputs| Targets {
            features: &features[part].values,
            width: features[part].width,
            outputs,
            count,
        };
        let ridge = Ridge::fit(targets(0, &train), targets(1, &choose));
        let mut mean = vec![0.0; count];
        let rows = (train.len() / count.max(1)).max(1) as f64;
        train.chunks(count.max(1)).for_each(|row| mean.iter_mut().zip(row).for_each(|(mean, v)| *mean += v / rows));
        let squares = |part: usize, truth: &[f64]| -> Vec<(f64, f64)> {
            let said = match &ridge {
                Some(ridge) => ridge.predict(&features[part].values),
                None => truth.chunks(count.max(1)).flat_map(|_| mean.clone()).collect(),
            };
            let square = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
            truth
                .chunks(count.max(1))
                .zip(said.chunks(count.max(1)))
                .map(|(truth, said)| (square(truth, said), square(truth, &mean)))
                .collect()
        };
        let chosen = squares(1, &choose);
        let sum = |pick: fn(&(f64, f64)) -> f64| chosen.iter().map(pick).sum::<f64>();
        let explained = ratio(sum(|s| s.0), sum(|s| s.1)).map_or(0.0, |share| 1.0 - share);
        Belief { choose: explained, squares: squares(2, &report) }
    }

    /// Reads every concept and belief from one source.
    pub fn reading(&self, source: &str, features: &Three) -> Reading {
        let concepts = (0..self.concepts.len())
            .map(|concept| self.read(Probe::Logistic, concept, features, false, &[self.experiment, "unused"]))
            .collect();
        let frames = self.parts[0].all.first().map_or(0, |moment| moment.beliefs.len());
        Reading {
            source: source.into(),
            concepts,
            beliefs: (0..frames).map(|frame| self.belief(frame, features, false)).collect(),
        }
    }

    /// Tallies by cluster for reporting: of each class of each given concept the hits and the moments, where the concept
    /// stands in a way; classes one after the other.
    pub fn tally(&self, reads: &[(usize, &Read)], stratum: Stratum, control: bool) -> Vec<Vec<f64>> {
        let part = &self.parts[2];
        let width: usize = reads.iter().map(|&(concept, _)| 2 * self.concepts[concept].classes).sum();
        let mut all = vec![vec![0.0; width]; part.cluster_count()];
        let mut start = 0;
        for &(concept, read) in reads {
            let classes = self.concepts[concept].classes;
            let kinds: Vec<u64> = part.all.iter().map(|moment| moment.kind).collect();
            let labels = control.then(|| self.control(concept, &kinds));
            for (place, moment) in part.all.iter().enumerate() {
                let truth = &moment.truths[concept];
                let Some(mut class) = truth.class.filter(|_| truth.stratum == stratum) else { continue };
                if let Some(labels) = &labels {
                    class = labels[place];
                }
                let row = &mut all[part.clusters[moment.run]];
                row[start + classes + class] += 1.0;
                row[start + class] += f64::from(u8::from(usize::from(read.classes[place]) == class));
            }
            start += 2 * classes;
        }
        all
    }

    /// The statistic of such tallies: mean over the concepts that occur of their balanced accuracies. (Counted from the
    /// state that the machine is in, that state's own entries are never idle, and the others always.)
    pub fn accuracy(&self, concepts: &[usize], totals: &[f64]) -> Option<f64> {
        let mut start = 0;
        let one = |&concept: &usize| {
            let classes = self.concepts[concept].classes;
            let (hits, counts) = totals[start..start + 2 * classes].split_at(classes);
            start += 2 * classes;
            balanced(hits, counts)
        };
        let all: Vec<f64> = concepts.iter().filter_map(one).collect();
        ratio(all.iter().sum(), all.len() as f64)
    }

    /// Tallies by cluster of squared errors and distances.
    pub fn squares(&self, belief: &Belief) -> Vec<Vec<f64>> {
        let part = &self.parts[2];
        let mut all = vec![vec![0.0; 2]; part.cluster_count()];
        for (moment, &(error, distance)) in part.all.iter().zip(&belief.squares) {
            let row = &mut all[part.clusters[moment.run]];
            row[0] += error;
            row[1] += distance;
        }
        all
    }
}
