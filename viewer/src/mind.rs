//! A model that is asked on a thread of its own, so that no frame waits for it.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use environments::Symbol;
use experiments::intervention::{Patch, patched};
use models::{Action, Captured, Device, Intervention, Plan, Predictor};

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
    /// An attention pattern that is read.
    pub attention: Option<String>,
    /// The last tap of the residual stream, if the model is also to say what it would predict were the chosen tap's
    /// values there already.
    pub lens: Option<String>,
    /// Taps of the residual stream at which the lens is read too, one for each layer.
    pub layers: Vec<String>,
    /// Changes to its activations; it is asked without and with them.
    pub patches: Vec<Patch>,
    /// What it would be asked without edits, by horizon, where a patch restores what was.
    pub unedited: Vec<(u32, Vec<Symbol>)>,
}

/// What a model says about one horizon.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// positions × targets logits.
    pub logits: Vec<f32>,
    /// The tap's activations.
    pub activation: Option<Captured>,
    /// The attention pattern: heads × positions rows, of a weight for each position.
    pub attention: Option<Captured>,
    /// Logits read off the tap by the model's own last layer norm and unembedding (the logit lens of nostalgebraist
    /// 2020, "interpreting GPT: the logit lens").
    pub lens: Option<Vec<f32>>,
    /// The same at each of the taps that stand for layers.
    pub layers: Vec<Vec<f32>>,
    /// Logits under the patches, where there are some.
    pub patched: Option<Vec<f32>>,
}

/// What a model answers about one horizon.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The number of the question, as [`Mind::ask`] gave it.
    pub question: u64,
    /// The horizon in steps.
    pub horizon: u32,
    /// What was said.
    pub outcome: Result<Told, String>,
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
                tell(predictor, *horizon, tokens, &question)
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

fn tell(predictor: &dyn Predictor, horizon: u32, tokens: &[Symbol], question: &Question) -> Result<Told, String> {
    let mut taps: Vec<&str> = [&question.tap, &question.attention].into_iter().flatten().map(String::as_str).collect();
    taps.dedup();
    let run = predictor.run(tokens, &Plan::reading(&taps)).map_err(|error| error.to_string())?;
    let read = |name: &Option<String>| name.as_ref().and_then(|name| run.tap(name).ok()).cloned();
    let (activation, attention) = (read(&question.tap), read(&question.attention));
    let through = |captured: &Captured, last: &String| {
        let action = Action::Replace { values: captured.values.clone() };
        let rows = (0..captured.rows).collect();
        let interventions = vec![Intervention { tap: last.clone(), sequence: None, rows, action }];
        let plan = Plan { capture: Vec::new(), interventions };
        predictor.run(tokens, &plan).map(|run| run.logits).map_err(|error| error.to_string())
    };
    let (mut lens, mut layers) = (None, Vec::new());
    if let (Some(captured), Some(last)) = (&activation, &question.lens) {
        lens = Some(through(captured, last)?);
        let taps: Vec<&str> = question.layers.iter().map(String::as_str).collect();
        let run = predictor.run(tokens, &Plan::reading(&taps)).map_err(|error| error.to_string())?;
        layers = run.captured.iter().map(|captured| through(captured, last)).collect::<Result<_, _>>()?;
    }
    let unedited = question.unedited.iter().find(|(own, _)| *own == horizon).map(|(_, tokens)| tokens.as_slice());
    let patched = match question.patches.as_slice() {
        [] => None,
        patches => Some(patched(predictor, tokens, unedited, patches)?),
    };
    Ok(Told { logits: run.logits, activation, attention, lens, layers, patched })
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
