//! Repository chores: `cargo xtask COMMAND`.

mod scenarios;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

fn main() -> ExitCode {
    match Xtask::parse().command {
        Command::Scenarios { file } => scenarios::run(&file),
    }
}

#[derive(Parser)]
#[command(about = "Chores of the Quittance repository")]
struct Xtask {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a file of numeric billing cases and say of each whether it comes out
    Scenarios {
        /// The cases, as JSON
        file: PathBuf,
    },
}
