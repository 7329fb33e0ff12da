//! `stance life …`

use clap::Subcommand;

use super::output::Output;

/// Sub-commands of `stance life`.
#[derive(Subcommand)]
pub enum LifeCommand {}

/// Runs the command.
///
/// # Errors
/// In one sentence, for a person.
pub fn run(command: LifeCommand, _output: &Output) -> anyhow::Result<()> {
    match command {}
}
