//! `stance codelength`

use clap::Args;

use super::output::Output;

/// Arguments of `stance codelength`.
#[derive(Args)]
pub struct CodelengthArgs {}

/// Runs the command.
///
/// # Errors
/// In one sentence, for a person.
pub fn run(_args: CodelengthArgs, _output: &Output) -> anyhow::Result<()> {
    Ok(())
}
