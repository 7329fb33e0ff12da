//! What is found out about a model by reading many episodes: probes, and where a unit is most active.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{Session, neighbour};
use crate::scene::{EntryReading, Reads};
use crate::study::{Codebook, Concept, Found, Hit, Reader, Request, Study, Task, Unit, concepts};
use crate::subject::Asks;

/// Probes of a table's entries, each under the entry's name; or why there are none.
type Entries = Result<Vec<(String, Arc<Reader>)>, String>;

/// Probes that are remembered.
const KEPT: usize = 24;

/// The threads, started when they are first needed, and what they found last.
#[derive(Default)]
pub(super) struct Studies {
    probe: Option<Study>,
    entries: Option<Study>,
    dictionary: Option<Study>,
    top: Option<Study>,
    /// Probes that were fitted before, the latest last.
    readers: Vec<Arc<Reader>>,
    /// Dictionaries that were fitted before, the latest last.
    codebooks: Vec<Arc<Codebook>>,
    /// Why there is no dictionary.
    no_codebook: Option<String>,
    /// Why the chosen concept has no probe.
    no_probe: Option<String>,
    /// Probes of entries, with the checkpoint and the tap that they are of; or why there are none.
    table: Option<(PathBuf, String, Entries)>,
    /// Where the unit is most active.
    hits: Option<Result<Vec<Hit>, String>>,
    /// Which of these is shown.
    hit: usize,
    concepts: Vec<Concept>,
}

impl Studies {
    fn all(&mut self) -> [&mut Option<Study>; 4] {
        [&mut self.probe, &mut self.entries, &mut self.top, &mut self.dictionary]
    }
}

impl Session {
    /// What is at work, in a word; nothing where nothing is.
    pub fn busy_with(&self) -> Option<&'static str> {
        let busy = |study: &Option<Study>| study.as_ref().is_some_and(Study::is_busy);
        match () {
            () if busy(&self.studies.probe) => Some("fitting a probe"),
            () if busy(&self.studies.entries) => Some("fitting probes"),
            () if busy(&self.studies.dictionary) => Some("fitting a dictionary"),
            () if busy(&self.studies.top) => Some("searching episodes"),
            () => self.is_asked().then_some("computing"),
        }
    }

    /// Concepts that a probe can be fitted to.
    pub fn concepts(&self) -> &[Concept] {
        &self.studies.concepts
    }

    /// Looks which concepts the world has.
    pub(super) fn find_concepts(&mut self) {
        let example = self.asked.as_ref().and_then(|_| self.subject.example(environments::Split::Train, 0));
        self.studies.concepts = example.map(|(_, labels)| concepts(&labels)).unwrap_or_default();
    }

    /// The chosen concept, where a probe of one is shown.
    pub fn concept(&self) -> Option<Concept> {
        self.view.probe.as_deref().and_then(Concept::parse)
    }

    /// The probe of the chosen concept at the chosen tap of the shown checkpoint; or why there is none, or none yet.
    pub fn reader(&self) -> Option<Result<&Arc<Reader>, &str>> {
        let concept = self.concept()?;
        let (checkpoint, tap) = self.studied()?;
        let same = |reader: &&Arc<Reader>| {
            reader.concept == concept.name
                && reader.classes.last() == Some(&concept.class)
                && (&reader.checkpoint, &reader.tap) == (&checkpoint, &tap)
        };
        let why = self.studies.no_probe.as_deref().unwrap_or("fitting the probe…");
        Some(self.studies.readers.iter().find(same).ok_or(why))
    }

    /// The checkpoint and the tap that are read.
    fn studied(&self) -> Option<(PathBuf, String)> {
        let chosen = self.source.checkpoint(self.view.model.as_deref(), self.view.checkpoint).ok()?;
        Some((chosen.path.clone(), self.tap()?.name.clone()))
    }

    /// What of the tap is looked at; or why it is not known yet.
    pub fn unit(&self) -> Result<Unit, &str> {
        match (self.reader(), self.codebook(), self.view.neuron) {
            (Some(reader), _, _) => reader.map(|reader| Unit::Probe(reader.clone())),
            (_, Some((codebook, unit)), _) => codebook.map(|codebook| Unit::Dictionary(codebook.clone(), unit)),
            (_, _, Some(neuron)) => Ok(Unit::Neuron(neuron)),
            (None, None, None) => Ok(Unit::Norm),
        }
    }

    /// The unit in words.
    pub fn unit_name(&self) -> String {
        match (self.concept(), self.view.dictionary, self.view.neuron) {
            (Some(concept), _, _) => format!("probe {}", concept.text()),
            (_, Some(unit), _) => format!("dictionary unit {unit}"),
            (_, _, Some(neuron)) => format!("neuron {neuron}"),
            (None, None, None) => "L2 norm".into(),
        }
    }

    /// The dictionary of the chosen tap, or why there is none, or none yet; with the unit that is shown.
    pub fn codebook(&self) -> Option<(Result<&Arc<Codebook>, &str>, usize)> {
        let unit = self.view.dictionary?;
        let (checkpoint, tap) = self.studied()?;
        let same = |codebook: &&Arc<Codebook>| (&codebook.checkpoint, &codebook.tap) == (&checkpoint, &tap);
        let why = self.studies.no_codebook.as_deref().unwrap_or("fitting the dictionary…");
        Some((self.studies.codebooks.iter().find(same).ok_or(why), unit))
    }

    /// Shows a unit of a dictionary of the chosen tap, or neurons again.
    pub fn choose_dictionary(&mut self, unit: Option<usize>) {
        let count = self.codebook().and_then(|(codebook, _)| Some(codebook.ok()?.order.len()));
        self.view.dictionary = unit.map(|unit| count.map_or(unit, |count| unit.min(count.saturating_sub(1))));
        if unit.is_some() {
            (self.view.neuron, self.view.probe) = (None, None);
        }
        self.unit_changed();
    }

    pub(super) fn next_dictionary_unit(&mut self, forwards: bool) {
        let next = match self.view.dictionary {
            None => 0,
            Some(unit) if forwards => unit + 1,
            Some(unit) => unit.saturating_sub(1),
        };
        self.choose_dictionary(Some(next));
    }

    /// Shows what a probe of a concept says, or neurons again.
    pub fn choose_probe(&mut self, concept: Option<&Concept>) {
        if let Some(concept) = concept.filter(|concept| !self.studies.concepts.contains(concept)) {
            let names = self.studies.concepts.iter().map(Concept::text).collect::<Vec<_>>();
            let nearest = experiments::config::nearest(&concept.text(), names.iter().map(String::as_str));
            self.say(format!("there is no concept `{}` here; the nearest is `{nearest}`", concept.text()));
            return;
        }
        self.view.probe = concept.map(Concept::text);
        if concept.is_some() {
            (self.view.neuron, self.view.dictionary) = (None, None);
        }
        self.unit_changed();
    }

    pub(super) fn next_concept(&mut self, forwards: bool) {
        if self.studies.concepts.is_empty() {
            self.say("this world has no labelled episodes to fit probes to");
            return;
        }
        let all: Vec<Option<Concept>> =
            std::iter::once(None).chain(self.studies.concepts.iter().cloned().map(Some)).collect();
        if let Some(next) = neighbour(&all, &self.concept(), forwards) {
            self.choose_probe(next.as_ref());
        }
    }

    /// Another unit, tap, checkpoint or world is looked at.
    pub(super) fn unit_changed(&mut self) {
        (self.studies.no_probe, self.studies.no_codebook) = (None, None);
        self.studies.hits = None;
        self.studies.top.iter_mut().for_each(Study::forget);
        self.rescale();
        self.study();
        self.revision += 1;
    }

    fn request(&self, task: Task) -> Option<Request> {
        let (checkpoint, tap) = self.studied()?;
        self.asked.as_ref()?;
        Some(Request { checkpoint, tap, subject: self.subject.clone(), task })
    }

    /// Asks for what is to be shown and is not known.
    pub(super) fn study(&mut self) {
        let device = self.device.clone();
        let start = || Study::start(device.clone());
        match (self.reader().map(|reader| reader.is_ok()), self.concept()) {
            (Some(false), Some(concept)) if self.studies.no_probe.is_none() => {
                if let Some(request) = self.request(Task::Probe(concept)) {
                    self.studies.probe.get_or_insert_with(start).ask(request);
                }
            }
            (Some(false), _) => {}
            _ => self.studies.probe.iter_mut().for_each(Study::forget),
        }
        match self.codebook().map(|(codebook, _)| codebook.is_ok()) {
            Some(false) if self.studies.no_codebook.is_none() => {
                if let Some(request) = self.request(Task::Dictionary) {
                    self.studies.dictionary.get_or_insert_with(start).ask(request);
                }
            }
            Some(false) => {}
            _ => self.studies.dictionary.iter_mut().for_each(Study::forget),
        }
        if self.shows(Reads::Entries)
            && let Some((checkpoint, tap)) = self.studied()
        {
            let known = self.studies.table.as_ref().is_some_and(|known| (&known.0, &known.1) == (&checkpoint, &tap));
            if !known && let Some(request) = self.request(Task::Entries) {
                self.studies.table = None;
                self.studies.entries.get_or_insert_with(start).ask(request);
            }
        }
    }

    /// Looks for the episodes of the shown split in which the unit is most active.
    pub fn find_top(&mut self) {
        let unit = match self.unit() {
            Ok(unit) => unit,
            Err(reason) => {
                let reason = reason.to_string();
                self.say(reason);
                return;
            }
        };
        let Some(request) = self.request(Task::Top(unit, self.view.split)) else {
            self.say(self.source.mindless);
            return;
        };
        let device = self.device.clone();
        (self.studies.hits, self.studies.hit) = (None, 0);
        self.studies.top.get_or_insert_with(|| Study::start(device)).ask(request);
        self.revision += 1;
    }

    /// The episodes that were found, the most active first; or why there are none.
    pub fn hits(&self) -> Option<&Result<Vec<Hit>, String>> {
        self.studies.hits.as_ref()
    }

    /// Shows one of them.
    pub fn choose_hit(&mut self, place: usize) {
        let Some(hit) = self.hits().and_then(|hits| hits.as_ref().ok()?.get(place)).cloned() else {
            self.say("look for the most active episodes first: Shift O");
            return;
        };
        self.studies.hit = place;
        let hits = self.studies.hits.take();
        self.choose_episode(hit.split, hit.index);
        self.studies.hits = hits;
        if let Some(step) = hit.step {
            self.go_to_step(step);
        }
        self.choose_cell(hit.cell);
    }

    pub(super) fn next_hit(&mut self, forwards: bool) {
        let count = self.hits().and_then(|hits| hits.as_ref().ok()).map_or(0, Vec::len);
        let places: Vec<usize> = (0..count).collect();
        let here = self.hits().and_then(|hits| hits.as_ref().ok()?.get(self.studies.hit).map(|hit| hit.index));
        let next = match here == Some(self.view.index) {
            true => neighbour(&places, &self.studies.hit, forwards),
            false => Some(0),
        };
        self.choose_hit(next.unwrap_or(0));
    }

    /// What probes say of every entry of the table before the shown step.
    pub(super) fn entry_readings(&self) -> Result<Vec<EntryReading>, String> {
        if self.asked.is_none() {
            return Err(self.source.mindless.into());
        }
        let probes = match &self.studies.table {
            Some((_, _, Ok(probes))) => probes,
            Some((_, _, Err(reason))) => return Err(reason.clone()),
            None => return Err("fitting a probe to every entry…".into()),
        };
        let Asks::Once(_) = self.observed.asks else { return Err("this world has no table".into()) };
        let step = self.timeline.step() as usize;
        let captured = self.about(self.timeline.step()).and_then(|belief| belief.activation.as_ref());
        let captured = captured.ok_or("computing…")?;
        if step >= captured.rows {
            return Err("there is no position for this step".into());
        }
        let one = models::Captured { rows: 1, values: captured.row(0, step).to_vec(), ..captured.clone() };
        let reading = |(entry, reader): &(String, Arc<Reader>)| EntryReading {
            entry: entry.clone(),
            chances: reader.classes.iter().cloned().zip(reader.chances(&one)).collect(),
            accuracy: reader.accuracy,
        };
        Ok(probes.iter().map(reading).collect())
    }

    /// Takes in what was found meanwhile; waits for it where a time is given.
    pub(super) fn take_in(&mut self, patience: Option<Duration>) -> Result<(), String> {
        for place in 0..4 {
            let Some(study) = self.studies.all()[place].as_mut().filter(|study| study.is_busy()) else { continue };
            let Some(found) = study.poll(patience) else {
                match patience {
                    Some(patience) => {
                        return Err(format!("nothing was found within {} seconds", patience.as_secs()));
                    }
                    None => continue,
                }
            };
            self.revision += 1;
            match (place, found) {
                (0, Ok(Found::Probe(reader))) => {
                    self.studies.readers.push(reader);
                    if self.studies.readers.len() > KEPT {
                        self.studies.readers.remove(0);
                    }
                }
                (0, Err(reason)) => {
                    self.say(reason.clone());
                    self.studies.no_probe = Some(reason);
                }
                (3, Ok(Found::Dictionary(codebook))) => {
                    self.studies.codebooks.push(codebook);
                    if self.studies.codebooks.len() > KEPT {
                        self.studies.codebooks.remove(0);
                    }
                    // Now it is known how many units there are, and how active they are.
                    let unit = self.view.dictionary;
                    self.choose_dictionary(unit);
                }
                (3, Err(reason)) => {
                    self.say(reason.clone());
                    self.studies.no_codebook = Some(reason);
                }
                (1, found) => {
                    let found = found.map(|found| if let Found::Entries(all) = found { all } else { Vec::new() });
                    self.studies.table = self.studied().map(|(checkpoint, tap)| (checkpoint, tap, found));
                }
                (_, found) => {
                    let found = found.map(|found| if let Found::Top(hits) = found { hits } else { Vec::new() });
                    self.studies.hits = Some(found);
                }
            }
        }
        Ok(())
    }

    /// Waits until everything was found that was asked for.
    pub(super) fn settle_studies(&mut self, patience: Duration) -> Result<(), String> {
        while self.studies.all().into_iter().flatten().any(|study| study.is_busy()) {
            self.take_in(Some(patience))?;
        }
        Ok(())
    }

    pub(super) fn is_studying(&self) -> bool {
        let all = [&self.studies.probe, &self.studies.entries, &self.studies.top, &self.studies.dictionary];
        all.into_iter().flatten().any(Study::is_busy)
    }
}
