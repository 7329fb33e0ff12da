//! `stance elementary …`

use clap::Subcommand;

use super::output::Output;

/// Sub-commands of `stance elementary`.
#[derive(Subcommand)]
pub enum ElementaryCommand {}

/// Runs the command.
///
/// # Errors
/// In one sentence, for a person.
pub fn run(command: ElementaryCommand, _output: &Output) -> anyhow::Result<()> {
    match command {}
}
