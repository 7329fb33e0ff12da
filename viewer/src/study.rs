//! What takes a model more than a moment, on a thread of its own: probes that are fitted to a tap, and the episodes in
//! which a unit is most active.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use environments::{Labels, Scope, Split, Symbol};
use experiments::evidence::{Dataset, Dictionary, Fitted};
use models::{Captured, Device, Plan, Predictor};

use crate::subject::Subject;

mod fitting;
mod hits;

pub use hits::Hit;

/// Training episodes that a probe is fitted to, and validation episodes that it is chosen and scored on.
const EPISODES: [u64; 2] = [384, 128];

/// Episodes that are read at once.
const BATCH: usize = 16;

/// A concept of the world's labels, and one of its classes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Concept {
    /// The name, as the labels have it.
    pub name: String,
    /// The class.
    pub class: String,
}

impl Concept {
    /// As views have it: `glider=glider`.
    pub fn text(&self) -> String {
        format!("{}={}", self.name, self.class)
    }

    /// Reads it.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, class) = text.split_once('=')?;
        Some(Self { name: name.into(), class: class.into() })
    }
}

/// A probe that is fitted to one tap of one checkpoint.
#[derive(Clone, Debug)]
pub struct Reader {
    /// The concept, without a class where all of them are told apart.
    pub concept: String,
    /// The class that is told from all others; all classes in order where there are more than two.
    pub classes: Vec<String>,
    /// The tap.
    pub tap: String,
    /// The weights.
    pub checkpoint: PathBuf,
    /// Mean recall of the classes on validation episodes; `None` where one of them does not occur there.
    pub accuracy: Option<f64>,
    /// Rows that it was fitted to.
    pub rows: usize,
    /// What the class has beyond the others: the difference of the two means.
    pub direction: Vec<f32>,
    /// Mean, read-outs and what is taken away along each (LEACE), of the class against the others.
    pub eraser: [Vec<f32>; 3],
    fitted: Fitted,
}

impl Reader {
    /// The probability of every class at every row of a tap: rows × classes.
    pub fn chances(&self, captured: &Captured) -> Vec<f32> {
        let rows = captured.values.len() / captured.width.max(1);
        let data = Dataset {
            width: captured.width,
            features: captured.values.clone(),
            labels: vec![0; rows],
            classes: self.classes.len(),
            groups: vec![0; rows],
        };
        let said = self.fitted.predict(&data);
        said.log_probabilities.iter().map(|chance| chance.exp() as f32).collect()
    }

    /// The probability of the one class that is asked about, at every row.
    pub fn score(&self, captured: &Captured) -> Vec<f32> {
        self.chances(captured).chunks_exact(self.classes.len()).map(|row| row[row.len() - 1]).collect()
    }
}

/// A sparse dictionary that is fitted to one tap of one checkpoint.
#[derive(Clone, Debug)]
pub struct Codebook {
    /// The tap.
    pub tap: String,
    /// The weights.
    pub checkpoint: PathBuf,
    /// Share of the variance of validation episodes' rows that it explains.
    pub explained: f64,
    /// Units that were ever active there, the one that is active most often first.
    pub order: Vec<usize>,
    dictionary: Dictionary,
}

impl Codebook {
    /// How active a unit, counted in [`Codebook::order`], is at every row.
    pub fn activity(&self, unit: usize, captured: &Captured) -> Vec<f32> {
        let wanted = self.order.get(unit).copied();
        let of = |active: Vec<(usize, f64)>| active.into_iter().find(|(own, _)| Some(*own) == wanted);
        let rows = self.dictionary.encode(&captured.values).into_iter();
        rows.map(|active| of(active).map_or(0.0, |(_, value)| value as f32)).collect()
    }

    /// The direction that a unit stands for.
    pub fn direction(&self, unit: usize) -> Vec<f32> {
        let own = self.order.get(unit).copied().unwrap_or(0);
        self.dictionary.direction(own).iter().map(|value| *value as f32).collect()
    }
}

/// What of a tap is looked at: one value a position.
#[derive(Clone, Debug)]
pub enum Unit {
    /// The norm over all neurons.
    Norm,
    /// One of them.
    Neuron(usize),
    /// What a probe says, from 0 to 1.
    Probe(Arc<Reader>),
    /// A unit of a dictionary.
    Dictionary(Arc<Codebook>, usize),
}

impl Unit {
    /// Its value at each row of one sequence.
    pub fn read(&self, captured: &Captured) -> Vec<f32> {
        let rows = captured.values.chunks_exact(captured.width.max(1));
        match self {
            Unit::Neuron(neuron) => rows.map(|row| row.get(*neuron).copied().unwrap_or(0.0)).collect(),
            Unit::Norm => rows.map(|row| row.iter().map(|value| value * value).sum::<f32>().sqrt()).collect(),
            Unit::Probe(reader) => reader.score(captured),
            Unit::Dictionary(codebook, unit) => codebook.activity(*unit, captured),
        }
    }
}

/// What is asked for.
#[derive(Clone)]
pub enum Task {
    /// A probe of one class against all others.
    Probe(Concept),
    /// Probes of every entry of a machine's or a rule's table.
    Entries,
    /// A sparse dictionary.
    Dictionary,
    /// The episodes of a split in which a unit is most active.
    Top(Unit, Split),
}

/// A task with the model that it is about.
#[derive(Clone)]
pub struct Request {
    /// The weights.
    pub checkpoint: PathBuf,
    /// The tap.
    pub tap: String,
    /// The world.
    pub subject: Arc<dyn Subject>,
    /// The task.
    pub task: Task,
}

/// What was found.
#[derive(Clone)]
pub enum Found {
    /// A probe.
    Probe(Arc<Reader>),
    /// Probes of entries, each under the entry's name.
    Entries(Vec<(String, Arc<Reader>)>),
    /// A dictionary.
    Dictionary(Arc<Codebook>),
    /// Episodes, the most active first.
    Top(Vec<Hit>),
}

/// A thread that does one thing after another. A new request takes the place of one that is still being worked on.
pub struct Study {
    requests: Sender<(u64, Request)>,
    answers: Mutex<Receiver<(u64, Result<Found, String>)>>,
    newest: Arc<AtomicU64>,
    awaited: bool,
}

impl Study {
    /// Starts the thread; the device is sought there.
    pub fn start(device: String) -> Self {
        let (requests, inbox) = channel::<(u64, Request)>();
        let (outbox, answers) = channel();
        let newest = Arc::new(AtomicU64::new(0));
        let shared = newest.clone();
        std::thread::spawn(move || {
            let device = Device::resolve(&device).map_err(|error| error.to_string());
            while let Ok((number, request)) = inbox.recv() {
                let is_newest = || shared.load(Ordering::Relaxed) == number;
                if !is_newest() {
                    continue;
                }
                let found = device.clone().and_then(|device| work(&request, device, &is_newest));
                if is_newest() && outbox.send((number, found)).is_err() {
                    return;
                }
            }
        });
        Self { requests, answers: Mutex::new(answers), newest, awaited: false }
    }

    /// Asks; answers to earlier requests are no longer given.
    pub fn ask(&mut self, request: Request) {
        let number = self.newest.fetch_add(1, Ordering::Relaxed) + 1;
        self.awaited = self.requests.send((number, request)).is_ok();
    }

    /// Forgets what was asked.
    pub fn forget(&mut self) {
        self.newest.fetch_add(1, Ordering::Relaxed);
        self.awaited = false;
    }

    /// Whether an answer is awaited.
    pub fn is_busy(&self) -> bool {
        self.awaited
    }

    /// The answer, if it is there; waits for it where a time is given.
    pub fn poll(&mut self, patience: Option<Duration>) -> Option<Result<Found, String>> {
        while self.awaited {
            let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            let answer = match patience {
                Some(patience) => answers.recv_timeout(patience).ok(),
                None => answers.try_recv().ok(),
            };
            drop(answers);
            let (number, found) = answer?;
            if number == self.newest.load(Ordering::Relaxed) {
                self.awaited = false;
                return Some(found);
            }
        }
        None
    }
}

fn work(request: &Request, device: Device, go_on: &dyn Fn() -> bool) -> Result<Found, String> {
    let parameters = models::load_parameters(&request.checkpoint).map_err(|error| error.to_string())?;
    let predictor = models::predictor(&parameters, device).map_err(|error| error.to_string())?;
    let reading = Reading { predictor: predictor.as_ref(), request, go_on };
    match &request.task {
        Task::Probe(concept) => reading.probe(concept).map(|reader| Found::Probe(Arc::new(reader))),
        Task::Entries => reading.entries().map(Found::Entries),
        Task::Dictionary => reading.dictionary().map(|codebook| Found::Dictionary(Arc::new(codebook))),
        Task::Top(unit, split) => reading.top(unit, *split).map(Found::Top),
    }
}

/// A model while it is read.
struct Reading<'a> {
    predictor: &'a dyn Predictor,
    request: &'a Request,
    go_on: &'a dyn Fn() -> bool,
}

impl Reading<'_> {
    /// Reads the tap in episodes from an index on; `take` is told each episode's labels and one sequence's activations.
    fn read(
        &self,
        split: Split,
        count: u64,
        mut take: impl FnMut(u64, &Labels, &Captured) -> Result<(), String>,
    ) -> Result<(), String> {
        let plan = Plan::reading(&[&self.request.tap]);
        for first in (0..count).step_by(BATCH) {
            if !(self.go_on)() {
                return Err("no longer wanted".into());
            }
            let example = |index| {
                let example = self.request.subject.example(split, index);
                example.ok_or_else(|| "this world has no labelled episodes to fit probes to".to_string())
            };
            let episodes: Vec<(Vec<Symbol>, Labels)> =
                (first..(first + BATCH as u64).min(count)).map(example).collect::<Result<_, _>>()?;
            let tokens: Vec<Symbol> = episodes.iter().flat_map(|(tokens, _)| tokens.iter().copied()).collect();
            let run = self.predictor.run(&tokens, &plan).map_err(|error| error.to_string())?;
            let all = run.tap(&self.request.tap).map_err(|error| error.to_string())?;
            let size = all.rows * all.width;
            for (place, (_, labels)) in episodes.iter().enumerate() {
                let values = all.values[place * size..(place + 1) * size].to_vec();
                let one = Captured { tap: all.tap.clone(), rows: all.rows, width: all.width, values };
                take(first + place as u64, labels, &one)?;
            }
        }
        Ok(())
    }
}

/// The concepts of some labels that probes can be fitted to: those with classes at every position.
pub fn concepts(labels: &Labels) -> Vec<Concept> {
    let fits = |column: &&environments::Column| column.scope == Scope::Token && column.classes.len() > 1;
    let named = |column: &environments::Column| {
        // Of two classes the second says it all.
        let classes = if column.classes.len() == 2 { &column.classes[1..] } else { &column.classes[..] };
        let of = |class: &String| Concept { name: column.concept.clone(), class: class.clone() };
        classes.iter().map(of).collect::<Vec<_>>()
    };
    labels.columns.iter().filter(fits).flat_map(named).collect()
}
