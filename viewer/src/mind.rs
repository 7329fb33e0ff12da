//! A model that is asked on a thread of its own, so that no frame waits for it.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use environments::Symbol;
use models::{Captured, Device, Plan, Predictor};

/// Models that are kept loaded, the latest used last.
const KEPT: usize = 4;

/// What a model is asked: the same about several horizons, in order of urgency.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The weights.
    pub checkpoint: PathBuf,
    /// Horizons in steps, each with the symbols that ask about it.
    pub asks: Vec<(u32, Vec<Symbol>)>,
    /// A tap that is read.
    pub tap: Option<String>,
}

/// What a model answers about one horizon.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The number of the question, as [`Mind::ask`] gave it.
    pub question: u64,
    /// The horizon in steps.
    pub horizon: u32,
    /// positions × targets logits, and the tap's activations.
    pub outcome: Result<(Vec<f32>, Option<Captured>), String>,
}

/// A model on a thread of its own. A new question takes the place of one that is still being worked on.
pub struct Mind {
    questions: Sender<(u64, Question)>,
    answers: Receiver<Answer>,
    asked: u64,
    outstanding: usize,
}

impl Mind {
    /// Starts the thread. The device (`auto`, `cpu`, …) is sought there, since that can take a while.
    pub fn start(device: String) -> Self {
        let (questions, inbox) = channel();
        let (outbox, answers) = channel();
        std::thread::spawn(move || work(&device, &inbox, &outbox));
        Self { questions, answers, asked: 0, outstanding: 0 }
    }

    /// Asks; answers to earlier questions are no longer given. Returns the question's number.
    pub fn ask(&mut self, question: Question) -> u64 {
        self.asked += 1;
        self.outstanding = question.asks.len();
        if self.questions.send((self.asked, question)).is_err() {
            self.outstanding = 0;
        }
        self.asked
    }

    /// Whether answers are awaited.
    pub fn is_busy(&self) -> bool {
        self.outstanding > 0
    }

    /// The next answer, if there is one by now.
    pub fn poll(&mut self) -> Option<Answer> {
        loop {
            let answer = self.answers.try_recv().ok()?;
            if let Some(answer) = self.accept(answer) {
                return Some(answer);
            }
        }
    }

    /// The next answer; waits for it. Nothing if none is awaited, or none comes in time.
    pub fn wait(&mut self, patience: Duration) -> Option<Answer> {
        while self.is_busy() {
            let answer = self.answers.recv_timeout(patience).ok()?;
            if let Some(answer) = self.accept(answer) {
                return Some(answer);
            }
        }
        None
    }

    fn accept(&mut self, answer: Answer) -> Option<Answer> {
        if answer.question != self.asked {
            return None;
        }
        // After an error there is nothing more to come.
        self.outstanding = if answer.outcome.is_err() { 0 } else { self.outstanding.saturating_sub(1) };
        Some(answer)
    }
}

fn work(device: &str, inbox: &Receiver<(u64, Question)>, outbox: &Sender<Answer>) {
    let device = Device::resolve(device).map_err(|error| error.to_string());
    let mut loaded: Vec<(PathBuf, Box<dyn Predictor>)> = Vec::new();
    let mut next = inbox.recv().ok();
    while let Some((mut number, mut question)) = next.take() {
        // Only the newest question matters.
        while let Ok((newer, newest)) = inbox.try_recv() {
            (number, question) = (newer, newest);
        }
        for (horizon, tokens) in &question.asks {
            let outcome = device.clone().and_then(|device| {
                let predictor = load(&mut loaded, &question.checkpoint, device)?;
                let plan = Plan::reading(&question.tap.as_deref().into_iter().collect::<Vec<_>>());
                let mut run = predictor.run(tokens, &plan).map_err(|error| error.to_string())?;
                Ok((run.logits, run.captured.pop()))
            });
            let failed = outcome.is_err();
            if outbox.send(Answer { question: number, horizon: *horizon, outcome }).is_err() {
                return;
            }
            next = inbox.try_recv().ok();
            if failed || next.is_some() {
                break;
            }
        }
        if next.is_none() {
            next = inbox.recv().ok();
        }
    }
}

fn load<'a>(
    loaded: &'a mut Vec<(PathBuf, Box<dyn Predictor>)>,
    path: &PathBuf,
    device: Device,
) -> Result<&'a dyn Predictor, String> {
    let entry = match loaded.iter().position(|(known, _)| known == path) {
        Some(place) => loaded.remove(place),
        None => {
            let parameters = models::load_parameters(path).map_err(|error| error.to_string())?;
            (path.clone(), models::predictor(&parameters, device).map_err(|error| error.to_string())?)
        }
    };
    if loaded.len() >= KEPT {
        loaded.remove(0);
    }
    loaded.push(entry);
    loaded.last().map(|(_, predictor)| predictor.as_ref()).ok_or_else(|| "the model could not be kept".into())
}
