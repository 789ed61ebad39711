//! Plays numeric billing cases: a program of its own, so that no other chore waits for the engine to be built.

use crate::run::{cargo, succeeds};
use std::path::Path;
use std::process::ExitCode;

/// Plays a file of cases; they are printed as they come out.
pub(crate) fn run(file: &Path) -> ExitCode {
    let file = match std::path::absolute(file) {
        Ok(file) => file,
        Err(error) => {
            eprintln!("{}: {error}", file.display());
            return ExitCode::FAILURE;
        }
    };
    let mut command = cargo(&["run", "--quiet", "--package", "scenarios", "--"]);
    if succeeds("scenarios", command.arg(file).status()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
