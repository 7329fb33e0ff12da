//! Probes and dictionaries, fitted to what a tap holds in training episodes.

use std::sync::Arc;

use environments::{Labels, Scope, Split, stream};
use experiments::evidence::{Dataset, Dictionary, DictionaryConfig, Probe, Whitening, fit};

use super::{Codebook, Concept, EPISODES, Reader, Reading};

/// Rows of a class at most, in fitting.
const MOST_ROWS: usize = 3000;

/// Rows that a dictionary is fitted to, about.
const DICTIONARY_ROWS: usize = 4096;

/// What a dictionary is to be.
const DICTIONARY: DictionaryConfig = DictionaryConfig { units: 128, active: 8, epochs: 8, rate: 3e-3, frozen: false };

/// Rows of features with labels, from the two splits that a probe needs.
struct Rows {
    parts: [Dataset; 2],
}

/// Which rows of an episode count, with a class each: from its labels, (position, class).
type Choose<'a> = dyn Fn(&Labels) -> Vec<(usize, usize)> + 'a;

impl Reading<'_> {
    /// Rows for several probes at once: of each, which rows count and how many classes there are.
    fn rows(&self, choices: &[(usize, &Choose<'_>)]) -> Result<Vec<Rows>, String> {
        let mut all: Vec<Vec<Dataset>> = choices.iter().map(|_| Vec::new()).collect();
        for (split, count) in [Split::Train, Split::Validation].into_iter().zip(EPISODES) {
            let mut parts: Vec<Dataset> = Vec::new();
            let mut counts: Vec<Vec<usize>> = choices.iter().map(|(classes, _)| vec![0; *classes]).collect();
            self.read(split, count, |index, labels, captured| {
                if parts.is_empty() {
                    parts = choices.iter().map(|(classes, _)| Dataset::new(captured.width, *classes)).collect();
                }
                for (((_, choose), part), counts) in choices.iter().zip(&mut parts).zip(&mut counts) {
                    for (position, class) in choose(labels) {
                        if position < captured.rows && counts[class] < MOST_ROWS {
                            counts[class] += 1;
                            part.push(captured.row(0, position), class, index as usize);
                        }
                    }
                }
                Ok(())
            })?;
            all.iter_mut().zip(parts).for_each(|(all, part)| all.push(part));
        }
        let both =
            |parts: Vec<Dataset>| parts.try_into().map(|parts| Rows { parts }).map_err(|_| "no episode was read");
        all.into_iter().map(|parts| both(parts).map_err(String::from)).collect()
    }

    fn fit(&self, name: &str, classes: Vec<String>, rows: Rows) -> Option<Reader> {
        let [train, validation] = rows.parts;
        let fitted = fit(Probe::Logistic, &train, &validation, &mut stream(&["viewer probe", name]))?;
        let width = train.width;
        let last = classes.len() - 1;
        let labels: Vec<usize> = train.labels.iter().map(|&label| usize::from(label == last)).collect();
        let mut sums = [vec![0.0f64; width], vec![0.0f64; width]];
        let mut counts = [0.0f64; 2];
        for (row, &label) in train.features.chunks_exact(width).zip(&labels) {
            counts[label] += 1.0;
            sums[label].iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        let between = |place: usize| sums[1][place] / counts[1].max(1.0) - sums[0][place] / counts[0].max(1.0);
        let eraser = Whitening::fit(&train.features, width).erase(&train.features, &labels, 2);
        let single = |values: &[f64]| values.iter().map(|value| *value as f32).collect::<Vec<f32>>();
        let (mean, read, write) = eraser.parts();
        Some(Reader {
            concept: name.into(),
            classes,
            tap: self.request.tap.clone(),
            checkpoint: self.request.checkpoint.clone(),
            accuracy: fitted.score(&validation).balanced_accuracy,
            rows: train.rows(),
            direction: (0..width).map(|place| between(place) as f32).collect(),
            eraser: [single(mean), single(read), single(write)],
            fitted,
        })
    }

    pub(super) fn probe(&self, concept: &Concept) -> Result<Reader, String> {
        let choose = |labels: &Labels| -> Vec<(usize, usize)> {
            let Some(column) = labels.get(&concept.name) else { return Vec::new() };
            let class = |value: u32| usize::from(column.classes.get(value as usize) == Some(&concept.class));
            let values = column.values.iter().enumerate();
            values.filter_map(|(position, value)| Some((position, class((*value)?)))).collect()
        };
        let rows = self.rows(&[(2, &choose)])?.pop().ok_or("no rows were read")?;
        let classes = vec![format!("not {}", concept.class), concept.class.clone()];
        self.fit(&concept.name, classes, rows)
            .ok_or_else(|| format!("{} episodes show no two classes of {} to tell apart", EPISODES[0], concept.text()))
    }

    /// Fits a dictionary to rows of training episodes, and tells what it is worth on validation ones.
    pub(super) fn dictionary(&self) -> Result<Codebook, String> {
        let mut parts = [Vec::new(), Vec::new()];
        let mut width = 0;
        for ((split, count), rows) in [Split::Train, Split::Validation].into_iter().zip(EPISODES).zip(&mut parts) {
            self.read(split, count, |_, _, captured| {
                width = captured.width;
                // As many rows of each episode as come to the number that is wanted.
                let each = (DICTIONARY_ROWS as u64).div_ceil(count) as usize;
                let every = captured.rows.div_ceil(each).max(1);
                let some = captured.values.chunks_exact(captured.width).step_by(every);
                some.for_each(|row| rows.extend_from_slice(row));
                Ok(())
            })?;
        }
        let [train, validation] = parts;
        let stream = &mut stream(&["viewer dictionary", &self.request.tap]);
        let dictionary =
            Dictionary::fit(DICTIONARY, &train, width, stream).ok_or("there is nothing to fit a dictionary to")?;
        let mut counts = vec![0usize; dictionary.units()];
        for active in dictionary.encode(&validation) {
            active.iter().for_each(|(unit, _)| counts[*unit] += 1);
        }
        let mut order: Vec<usize> = (0..counts.len()).filter(|&unit| counts[unit] > 0).collect();
        order.sort_by_key(|&unit| std::cmp::Reverse(counts[unit]));
        Ok(Codebook {
            tap: self.request.tap.clone(),
            checkpoint: self.request.checkpoint.clone(),
            explained: dictionary.reconstruction(&validation).explained,
            order,
            dictionary,
        })
    }

    /// Where the evidence determines an entry, what it is.
    pub(super) fn entries(&self) -> Result<Vec<(String, Arc<Reader>)>, String> {
        let none = "this world has no table whose entries could be read";
        let (_, labels) = self.request.subject.example(Split::Train, 0).ok_or(none)?;
        let all = labels.columns.iter().filter(|column| column.scope == Scope::Episode);
        let named: Vec<(String, Vec<String>)> = all
            .filter_map(|column| Some((column.concept.strip_prefix("entry ")?.to_string(), column.classes.clone())))
            .collect();
        if named.is_empty() {
            return Err(none.into());
        }
        let choosers: Vec<Box<Choose<'_>>> = named
            .iter()
            .map(|(name, _)| -> Box<Choose<'_>> {
                Box::new(move |labels: &Labels| {
                    let of = |kind: &str| labels.get(&format!("{kind} {name}"));
                    let (Some(entry), Some(known)) = (of("entry"), of("determined")) else { return Vec::new() };
                    let Some(&Some(class)) = entry.values.first() else { return Vec::new() };
                    let known = known.values.iter().enumerate().filter(|(_, value)| **value == Some(1));
                    // Neighbouring positions say much the same.
                    known.step_by(3).map(|(position, _)| (position, class as usize)).collect()
                })
            })
            .collect();
        let choices: Vec<(usize, &Choose<'_>)> =
            named.iter().zip(&choosers).map(|((_, classes), choose)| (classes.len(), choose.as_ref())).collect();
        let rows = self.rows(&choices)?;
        let fits = named.iter().zip(rows).filter_map(|((name, classes), rows)| {
            let fit = || self.fit(&format!("entry {name}"), classes.clone(), rows);
            (self.go_on)().then(fit)?.map(|it| (name.clone(), Arc::new(it)))
        });
        let fits: Vec<_> = fits.collect();
        if fits.is_empty() {
            return Err(
                "all machines of training have the same table: there is nothing for a probe to tell apart".into()
            );
        }
        Ok(fits)
    }
}
