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
mod failure;
mod flatness;
mod limit;
mod load;
mod meter;
mod options;
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
use failure::Failure;
use options::Options;
use place::Place;
use report::Report;
use std::process::ExitCode;

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
