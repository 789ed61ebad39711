//! Speed, measured beside the limit of the same machine in the same run.
//!
//! Every figure is the median of several rounds in which ours and the limit take turns. Nothing here
//! fails because something is slow: machines differ, and the reader judges by the ratios.

mod asking;
mod bare;
mod billing_run;
mod books;
mod compare;
mod copying;
mod device;
mod difference;
mod faces;
mod flatness;
mod limit;
mod load;
mod meter;
mod place;
mod processes;
mod questions;
mod report;
mod runs;
mod serving;
mod slow;
mod table;
mod writes;

use clap::Parser;
use place::Place;
use report::Report;
use std::path::PathBuf;
use std::process::ExitCode;

/// What anything here may fail with.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// All there is to measure, in this order, and what `--only` may name.
const GROUPS: [&str; 11] = [
    "run",
    "writes",
    "large",
    "declines",
    "gateway",
    "organizations",
    "heavy",
    "faces",
    "shards",
    "pages",
    "processes",
];

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
    /// Only some rows, as run, writes.64 or faces.made.001: a group, or what begins with it; one that nobody
    /// knows prints all groups
    #[arg(long, value_delimiter = ',', value_name = "ROWS")]
    only: Vec<String>,
    /// How often ours and the limit take turns
    #[arg(long)]
    rounds: Option<usize>,
    /// How many connections ask the faces at a time
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Where the books are made and kept for the next time; beside the program if not given
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Measures in turns with another bench program, a round each, and prints what this one is of it
    #[arg(long, value_name = "PROGRAM")]
    against: Option<PathBuf>,
    /// Prints the table of README.md from what runs have kept with `--json`: on files, and on PostgreSQL
    #[arg(long, value_delimiter = ',', value_name = "FILES")]
    table: Vec<PathBuf>,
    /// Bills the books at an address as one of several processes
    #[arg(long, value_name = "ADDRESS", hide = true)]
    bill: Option<String>,
    /// Asks a server as it is told on the standard input
    #[arg(long, hide = true)]
    load: bool,
}

impl Options {
    fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 3 } else { 5 }).max(1)
    }

    /// Whether a row, or anything of a group, is to be measured.
    fn wants(&self, id: &str) -> bool {
        let begins = |text: &str, start: &str| {
            text.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.only.is_empty() || self.only.iter().any(|only| begins(id, only) || begins(only, id))
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
    let is_known = |only: &String| GROUPS.iter().any(|group| only.split('.').next() == Some(group));
    if let Some(unknown) = options.only.iter().find(|only| !is_known(only)) {
        return Err(format!("{unknown} is none of {}", GROUPS.join(", ")).into());
    }
    if options.load {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        return runtime.block_on(load::obey());
    }
    if !options.table.is_empty() {
        return table::print(&options.table);
    }
    if let Some(other) = &options.against {
        return compare::measure(options, other);
    }
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
    for group in GROUPS {
        if options.wants(group) {
            let measured = measure_group(group, options, &place, &mut report).await;
            if let Err(error) = measured {
                report.failed(group, &format!("{error}{}", causes(&*error)).into());
            }
        }
    }
    if let Some(path) = &options.json {
        report.write_json(path)?;
    }
    match report.failures() {
        0 => Ok(()),
        failures => Err(format!("{failures} could not be measured").into()),
    }
}

async fn measure_group(
    group: &str,
    options: &Options,
    place: &Place,
    report: &mut Report,
) -> Result<(), Failure> {
    match group {
        "run" => billing_run::measure(options, place, report).await,
        "writes" => writes::measure(options, place, report).await,
        "large" => writes::large(options, place, report).await,
        "declines" => runs::declines(options, place, report).await,
        "gateway" => runs::slow_gateway(options, place, report).await,
        "organizations" => runs::organizations(options, place, report).await,
        "heavy" => faces::heavy(options, place, report).await,
        "faces" => faces::measure(options, place, report).await,
        "pages" => flatness::measure(options, place, report).await,
        _ if !place.is_server() => {
            report.skip(group, "a file has one shard and one process that writes");
            Ok(())
        }
        "shards" => faces::sharded(options, place, report).await,
        _ => processes::measure(options, place, report).await,
    }
}
