//! The command line: one file a command.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand};

pub mod bench;
pub mod codelength;
pub mod elementary;
pub mod intervene;
pub mod life;
pub mod list;
pub mod output;
pub mod report;
pub mod reproduce;
pub mod run;
pub mod sample;
pub mod show;
pub mod turing;

use output::Output;

use crate::config::nearest;
use crate::context::{self, Stopped};
use crate::progress::Progress;

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
    /// Environments, models, probes, experiments and devices, each with a line.
    List(list::ListArgs),
    /// Run an experiment from its config to a verdict for each claim and a report.
    Run(run::RunArgs),
    /// What a run is and what it found.
    Show(show::ShowArgs),
    /// Draw a run's report again from what it saved.
    Report(report::ReportArgs),
    /// Recompute recorded results and compare them, figure by figure; or record a run.
    Reproduce(reproduce::ReproduceArgs),
    /// Make an intervention again that the viewer has saved: the prediction before and after, beside the simulator's.
    Intervene(intervene::InterveneArgs),
    /// One episode of a config's world: tokens, labels, and a drawing.
    Sample(sample::SampleArgs),
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
    /// What this machine does in a second: simulators, census, batches, training, each beside its limit.
    Bench(bench::BenchArgs),
}

/// Names of all commands.
pub fn names() -> Vec<String> {
    Cli::command().get_subcommands().map(|command| command.get_name().to_string()).collect()
}

/// Parses the command line and runs the command. Errors are one line on standard error.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(report_panic));
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let output = Output { json: cli.json };
    stop_on_interrupt();
    let result = match cli.command {
        Command::List(args) => list::run(args, &output),
        Command::Run(args) => run::run(args, &output),
        Command::Show(args) => show::run(args, &output),
        Command::Report(args) => report::run(args, &output),
        Command::Reproduce(args) => reproduce::run(args, &output),
        Command::Intervene(args) => intervene::run(args, &output),
        Command::Sample(args) => sample::run(args, &output),
        Command::Life(command) => life::run(command, &output),
        Command::Elementary(command) => elementary::run(command, &output),
        Command::Turing(command) => turing::run(command, &output),
        Command::Codelength(args) => codelength::run(args, &output),
        Command::Bench(args) => bench::run(args, &output),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&error);
            let stopped = error.downcast_ref::<Stopped>().is_some();
            if stopped { ExitCode::from(INTERRUPTED) } else { ExitCode::FAILURE }
        }
    }
}

/// Exit status of a run that was asked to stop: 128 and the number of SIGINT, as shells have it.
const INTERRUPTED: u8 = 130;

/// The first Ctrl-C asks a run to save and stop; the second ends the process. Commands that have nothing to save
/// end at once.
fn stop_on_interrupt() {
    let handler = || {
        if !context::running() || context::stop_asked() {
            std::process::exit(i32::from(INTERRUPTED));
        }
        context::ask_to_stop();
        Progress::Lines.say("stopping once the work at hand is saved; Ctrl-C again stops at once");
    };
    // Where no handler can be set, Ctrl-C kills the process, which loses no more than a second press.
    let _ = ctrlc::set_handler(handler);
}

/// Help and version as clap has them; anything else as one line.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return ExitCode::from(2);
    }
    let text = error.to_string();
    let lines =
        text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let mut line = lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    if let (ErrorKind::InvalidSubcommand, Some(ContextValue::String(given)), false) =
        (error.kind(), error.get(ContextKind::InvalidSubcommand), line.contains("tip:"))
    {
        let command = Cli::command();
        line +=
            &format!("; the nearest is '{}'", nearest(given, command.get_subcommands().map(clap::Command::get_name)));
    }
    output::complain(&anyhow::anyhow!("{}", line.trim_start_matches("error: ")));
    ExitCode::from(2)
}

/// A panic is a defect of this program: one line that says so, with a backtrace only for whom it can help.
fn report_panic(info: &std::panic::PanicHookInfo<'_>) {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_string());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default().replace('\n', " ");
    let place = info.location().map(|place| format!(" ({}:{})", place.file(), place.line())).unwrap_or_default();
    Progress::Lines.say(&format!("stance: this is a bug: {text}{place}; STANCE_BACKTRACE=1 shows where it came from"));
    if std::env::var_os("STANCE_BACKTRACE").is_some() {
        Progress::Lines.say(&std::backtrace::Backtrace::force_capture().to_string());
    }
}
