//! What a command says: text for a person or one JSON object.

use std::io::Write;

use anyhow::Context;

/// Where a command's result goes.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// One JSON object on standard output instead of text.
    pub json: bool,
}

impl Output {
    /// Prints a result: as JSON, or as the text that `text` makes of it.
    ///
    /// # Errors
    /// If standard output cannot be written (a closed pipe counts as done).
    pub fn print(&self, value: &serde_json::Value, text: impl FnOnce() -> String) -> anyhow::Result<()> {
        let mut line = if self.json { value.to_string() } else { text() };
        if !line.ends_with('\n') {
            line.push('\n');
        }
        let mut out = std::io::stdout().lock();
        match out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(error).context("standard output cannot be written")
            }
            _ => Ok(()),
        }
    }
}

/// One line on standard error: the whole chain of causes, never a backtrace.
pub fn complain(error: &anyhow::Error) {
    let chain: Vec<String> = error.chain().map(|cause| cause.to_string().replace('\n', " ")).collect();
    let _ = writeln!(std::io::stderr(), "stance: {}", chain.join(": "));
}
