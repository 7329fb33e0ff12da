//! Progress for a person, on standard error. Nothing here reaches a result.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

/// Time between two lines where standard error is not a terminal.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Bars on a terminal.
    Bars,
    /// A line now and then, for logs.
    Lines,
    /// Not at all.
    Silent,
}

impl Progress {
    /// Bars on a terminal, lines elsewhere, nothing under `--json`.
    pub fn choose(json: bool) -> Self {
        match (json, std::io::stderr().is_terminal()) {
            (true, _) => Progress::Silent,
            (false, true) => Progress::Bars,
            (false, false) => Progress::Lines,
        }
    }

    /// A line to a person.
    pub fn say(self, line: &str) {
        if self != Progress::Silent {
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }

    /// A bar for countable work.
    pub fn bar(self, what: &str, total: u64) -> Bar {
        self.start(what, 0, total, "{msg:<28} {bar:32} {percent:>3}%  {eta:>4} left")
    }

    /// A bar for a training that goes on from step `first`.
    pub fn training(self, what: &str, first: u64, total: u64) -> Bar {
        self.start(what, first, total, "{msg:<28} {bar:32} {percent:>3}%  {training}  {eta:>4} left")
    }

    fn start(self, what: &str, first: u64, total: u64, template: &str) -> Bar {
        let shown = (self == Progress::Bars).then(|| ProgressBar::new(total).with_message(what.to_string()));
        if let Some(bar) = &shown {
            bar.set_style(style(template, String::new()));
            bar.set_position(first);
            bar.reset_eta();
        }
        let now = Instant::now();
        let clock = Clock { line: now, tokens: None };
        Bar { progress: self, what: what.into(), template: template.into(), total, shown, clock: Mutex::new(clock) }
    }
}

/// A style whose `{training}` is a text.
fn style(template: &str, training: String) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸ ")
        .with_key("training", move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = out.write_str(&training);
        })
}

/// The progress of one piece of work. Ends when dropped.
pub struct Bar {
    progress: Progress,
    what: String,
    template: String,
    total: u64,
    shown: Option<ProgressBar>,
    clock: Mutex<Clock>,
}

struct Clock {
    line: Instant,
    tokens: Option<(Instant, u64)>,
}

impl Bar {
    /// So much more is done. Any thread may say so.
    pub fn add(&self, amount: u64) {
        if let Some(bar) = &self.shown {
            bar.inc(amount);
        }
    }

    /// A training is at a step, with its loss (nats a scored position) and the tokens seen so far.
    pub(crate) fn at(&self, step: u64, loss: f32, tokens: u64) {
        let Ok(mut clock) = self.clock.lock() else { return };
        let now = Instant::now();
        // Since the first report, so that a start-up does not weigh on the speed.
        let (start, before) = *clock.tokens.get_or_insert((now, tokens));
        let seconds = now.duration_since(start).as_secs_f64();
        let speed = if seconds > 0.0 { (tokens - before) as f64 / seconds } else { 0.0 };
        let text = format!("loss {loss:.4}  {} tokens/s", thousands(speed));
        match (&self.shown, self.progress) {
            (Some(bar), _) => {
                bar.set_style(style(&self.template, text));
                bar.set_position(step);
            }
            (None, Progress::Lines) if step >= self.total || clock.line.elapsed() >= LINE_EVERY => {
                clock.line = now;
                self.progress.say(&format!("{}: step {step} of {}, {text}", self.what, self.total));
            }
            _ => {}
        }
    }

    /// Ends the bar; its last state stays on the terminal.
    pub fn finish(self) {}
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.shown {
            bar.abandon();
        }
    }
}

/// 12345 as "12.3k".
fn thousands(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{:.1}M", value / 1e6),
        value if value >= 1e3 => format!("{:.1}k", value / 1e3),
        value => format!("{value:.0}"),
    }
}
