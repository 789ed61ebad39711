//! Speed, measured beside the limit of the same machine in the same run.
//!
//! Every figure is the median of several rounds in which ours and the limit take turns. Nothing here
//! fails because something is slow: machines differ, and the reader judges by the ratios.

mod asking;
mod billing_run;
mod books;
mod copying;
mod device;
mod faces;
mod limit;
mod load;
mod place;
mod processes;
mod report;
mod serving;
mod writes;

use clap::Parser;
use place::Place;
use report::Report;
use std::path::PathBuf;
use std::process::ExitCode;

/// What anything here may fail with.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Measures the billing run, durable writes, the faces, and how flat their cost is.
#[derive(Parser, Debug)]
#[command(name = "cargo xtask bench")]
struct Options {
    /// Smaller books and fewer rounds: all of it in a few minutes
    #[arg(long)]
    quick: bool,
    /// Keeps the figures in this file too, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where the books are: `postgres` starts a server for them, a URL names one; files if not given
    #[arg(long, value_name = "postgres|URL")]
    database: Option<String>,
    /// Only some of them: a billing run, b durable writes, c faces, d flatness, e several processes
    #[arg(long, value_delimiter = ',', value_name = "LETTERS", default_value = "a,b,c,d,e")]
    only: Vec<char>,
    /// How often ours and the limit take turns
    #[arg(long)]
    rounds: Option<usize>,
    /// How many connections ask the faces at a time
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Where the books are made and kept for the next time; beside the program if not given
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Bills the books at an address as one of several processes
    #[arg(long, value_name = "ADDRESS", hide = true)]
    bill: Option<String>,
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
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the bench failed: {error}{}", causes(&*error));
            ExitCode::FAILURE
        }
    }
}

/// What led to an error, one after another.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.map(|cause| format!(": {cause}")).collect()
}

fn run(options: &Options) -> Result<(), Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    // As many as the server would have.
    if options.database.is_none() && options.bill.is_none() {
        builder.worker_threads(server::serve::worker_threads(None));
    }
    let runtime = builder.enable_all().build()?;
    match &options.bill {
        Some(address) => runtime.block_on(processes::bill(address)),
        None => runtime.block_on(measure(options)),
    }
}

async fn measure(options: &Options) -> Result<(), Failure> {
    let mut report = Report::begin(options.quick);
    let place = Place::new(options.data()?, options.database.as_deref())?;
    report.machine(&format!("{}; {}", device::describe(&options.data()?)?, place.describe().await?));
    let wanted = |letter: char| options.only.contains(&letter);
    if wanted('a') {
        billing_run::measure(options, &place, &mut report).await?;
    }
    if wanted('b') {
        writes::measure(options, &place, &mut report).await?;
    }
    if wanted('c') {
        faces::measure(options, &place, &mut report).await?;
    }
    if wanted('d') {
        faces::flatness(options, &place, &mut report).await?;
    }
    if wanted('e') && place.is_server() {
        processes::measure(options, &place, &mut report).await?;
    }
    if let Some(path) = &options.json {
        report.write_json(path)?;
    }
    Ok(())
}
