//! `stance-viewer RUN|CONFIG|PATTERN`: see the library for what it does.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match viewer::app::run(&viewer::arguments::Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let chain: Vec<String> = error.chain().map(|cause| cause.to_string().replace('\n', " ")).collect();
            let _ = writeln!(std::io::stderr(), "stance-viewer: {}", chain.join(": "));
            ExitCode::FAILURE
        }
    }
}
