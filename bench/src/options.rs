//! What can be measured and how, as it is said on the command line.

use crate::failure::Failure;
use clap::Parser;
use std::path::PathBuf;

/// Measures the billing run, durable writes, the faces, and how flat their cost is.
#[derive(Parser, Debug)]
#[command(name = "cargo xtask bench")]
pub(crate) struct Options {
    /// Smaller books and fewer rounds: all of it in a few minutes
    #[arg(long)]
    pub(crate) quick: bool,
    /// Keeps the figures in this file too, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Where the books are: `postgres` starts a server for them, a URL names one; files if not given
    #[arg(long, value_name = "postgres|URL")]
    pub(crate) database: Option<String>,
    /// Only some rows, as run, writes.64 or faces.made.001: a group, or what begins with it; one that nobody
    /// knows prints all groups
    #[arg(long, value_delimiter = ',', value_name = "ROWS")]
    pub(crate) only: Vec<String>,
    /// How often ours and the limit take turns
    #[arg(long)]
    pub(crate) rounds: Option<usize>,
    /// How many connections ask the faces at a time
    #[arg(long, default_value_t = 64)]
    pub(crate) connections: usize,
    /// Where the books are made and kept for the next time; beside the program if not given
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: Option<PathBuf>,
    /// Measures in turns with another bench program, a round each, and prints what this one is of it
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) against: Option<PathBuf>,
    /// Prints the table of README.md from what runs have kept with `--json`: on files, and on PostgreSQL
    #[arg(long, value_delimiter = ',', value_name = "FILES")]
    pub(crate) table: Vec<PathBuf>,
    /// Bills the books at an address as one of several processes
    #[arg(long, value_name = "ADDRESS", hide = true)]
    pub(crate) bill: Option<String>,
    /// Asks a server as it is told on the standard input
    #[arg(long, hide = true)]
    pub(crate) load: bool,
}

impl Options {
    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 3 } else { 5 }).max(1)
    }

    /// Whether a row, or anything of a group, is to be measured.
    pub(crate) fn wants(&self, id: &str) -> bool {
        let begins = |text: &str, start: &str| {
            text.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.only.is_empty() || self.only.iter().any(|only| begins(id, only) || begins(only, id))
    }

    pub(crate) fn data(&self) -> Result<PathBuf, Failure> {
        let folder = match &self.data {
            Some(folder) => folder.clone(),
            None => std::env::current_exe()?.with_file_name("bench-data"),
        };
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}
