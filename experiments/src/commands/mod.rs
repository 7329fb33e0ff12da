//! The command line: one file a command.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub mod codelength;
pub mod elementary;
pub mod life;
pub mod output;
pub mod turing;

use output::Output;

/// A research sandbox for emergence in sequence models trained on worlds whose ground truth is known exactly.
#[derive(Parser)]
#[command(name = "stance", version, propagate_version = true)]
struct Cli {
    /// Print one JSON object on standard output and nothing else there.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Cellular automata in two dimensions: evolve a pattern, take a census.
    #[command(subcommand)]
    Life(life::LifeCommand),
    /// Elementary (one-dimensional) cellular automata.
    #[command(subcommand)]
    Elementary(elementary::ElementaryCommand),
    /// Turing machines: run one, enumerate a class, count traces.
    #[command(subcommand)]
    Turing(turing::TuringCommand),
    /// Code length of a sequence under a statistical reference model, in bits.
    Codelength(codelength::CodelengthArgs),
}

/// Parses the command line and runs the command. Errors are one line on standard error.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output { json: cli.json };
    let result = match cli.command {
        Command::Life(command) => life::run(command, &output),
        Command::Elementary(command) => elementary::run(command, &output),
        Command::Turing(command) => turing::run(command, &output),
        Command::Codelength(args) => codelength::run(args, &output),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&error);
            ExitCode::FAILURE
        }
    }
}
