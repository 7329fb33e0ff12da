//! `stance turing …`

use clap::Subcommand;

use super::output::Output;

/// Sub-commands of `stance turing`.
#[derive(Subcommand)]
pub enum TuringCommand {}

/// Runs the command.
///
/// # Errors
/// In one sentence, for a person.
pub fn run(command: TuringCommand, _output: &Output) -> anyhow::Result<()> {
    match command {}
}
