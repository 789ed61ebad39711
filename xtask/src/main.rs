//! Repository chores: `cargo xtask COMMAND`.

mod bench;
mod clients;
mod run;
mod runner;
mod scenarios;
mod statements;
mod test;
mod tidy;
mod tools;

use std::path::PathBuf;
use std::process::ExitCode;
use test::Worlds;

use clap::{Parser, Subcommand};

fn main() -> ExitCode {
    match Xtask::parse().command {
        Command::Test { quick: true, seeds, years } => {
            test::run_quick(Worlds { seeds: seeds.unwrap_or(4), years: years.unwrap_or(1) })
        }
        Command::Test { quick: false, seeds, years } => {
            test::run(Worlds { seeds: seeds.unwrap_or(200), years: years.unwrap_or(5) })
        }
        Command::Tidy => tidy::run(),
        Command::Bench { arguments } => bench::run(&arguments),
        Command::Scenarios { file } => scenarios::run(&file),
        Command::Clients => clients::run_alone(tools::postgres()),
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
    /// Run every test: of all crates, the numeric billing cases, and the simulator's fresh seeds
    Test {
        /// Only what needs no server: tests on SQLite, and a handful of simulated worlds
        #[arg(long)]
        quick: bool,
        /// How many fresh seeds the simulator plays [default: 200, quickly 4]
        #[arg(long)]
        seeds: Option<u32>,
        /// How many years it plays each of them [default: 5, quickly 1]
        #[arg(long)]
        years: Option<u32>,
    },
    /// Hold the sources to the rules of the house: layers, circles, words, sizes, documents
    Tidy,
    /// Measure, beside the limit of the same machine in the same run (--help for its options)
    #[command(disable_help_flag = true)]
    Bench {
        /// What the bench is told
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run the published clients of contract 002 against the demo, on a file and on PostgreSQL
    Clients,
    /// Play a file of numeric billing cases with the product's own verbs and say of each what came of it
    Scenarios {
        /// The cases, as JSON
        file: PathBuf,
    },
}
