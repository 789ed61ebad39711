//! Speed, measured beside the limit of the same machine in the same run.
//!
//! Every figure is the median of several rounds in which ours and the limit take turns. Nothing here
//! fails because something is slow: machines differ, and the reader judges by the ratios.

mod billing_run;
mod books;
mod device;
mod faces;
mod limit;
mod load;
mod report;
mod serving;
mod writes;

use clap::Parser;
use report::Report;
use std::path::PathBuf;
use std::process::ExitCode;

/// What anything here may fail with.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Measures the billing run, durable writes, the faces, and how flat their cost is.
#[derive(Parser, Debug)]
#[command(name = "cargo xtask bench")]
struct Options {
    /// Smaller books and fewer rounds: all of it in about two minutes
    #[arg(long)]
    quick: bool,
    /// Keeps the figures in this file too, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Only some of them: a billing run, b durable writes, c faces, d flatness
    #[arg(long, value_delimiter = ',', value_name = "LETTERS", default_value = "a,b,c,d")]
    only: Vec<char>,
    /// How often ours and the limit take turns
    #[arg(long)]
    rounds: Option<usize>,
    /// Where the books are made and kept for the next time; beside the program if not given
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

impl Options {
    fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 3 } else { 5 }).max(1)
    }

    fn data(&self) -> Result<PathBuf, Failure> {
        let folder = match &self.data {
            Some(folder) => folder.clone(),
            None => std::env::current_exe()?.with_file_name("bench-data"),
        };
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    match measure(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the bench failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &Options) -> Result<(), Failure> {
    let mut report = Report::begin(options.quick);
    report.machine(&device::describe(&options.data()?)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(server::serve::worker_threads())
        .enable_all()
        .build()?;
    runtime.block_on(async {
        if options.only.contains(&'a') {
            billing_run::measure(options, &mut report).await?;
        }
        if options.only.contains(&'b') {
            writes::measure(options, &mut report).await?;
        }
        if options.only.contains(&'c') {
            faces::measure(options, &mut report).await?;
        }
        if options.only.contains(&'d') {
            faces::flatness(options, &mut report).await?;
        }
        Ok::<_, Failure>(())
    })?;
    if let Some(path) = &options.json {
        report.write_json(path)?;
    }
    Ok(())
}
