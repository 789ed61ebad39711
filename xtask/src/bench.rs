//! Starts the benches, built as users build the server.

use crate::run::{cargo, succeeds};
use std::process::ExitCode;

/// Builds and runs the benches with the given arguments.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let mut command = cargo(&["run", "--quiet", "--release", "--package", "bench", "--"]);
    if succeeds("bench", command.args(arguments).status()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
