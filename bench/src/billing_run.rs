//! (a) The billing run: everything that is due, charged and committed durably, beside the same rows
//! written by prepared statements and nothing else.

use crate::books::{Shape, engine, file, month_end, remove};
use crate::device::cpu_seconds;
use crate::limit::Script;
use crate::report::{Figure, Report, median};
use crate::{Failure, Options};
use std::path::{Path, PathBuf};
use std::time::Instant;
use store::Synchronous;

/// Runs and reports it.
pub(crate) async fn measure(options: &Options, report: &mut Report) -> Result<(), Failure> {
    let customers = if options.quick { 10_000 } else { 50_000 };
    report.section(&format!("(a) Billing run: {customers} due monthly subscriptions"));
    let folder = options.data()?;
    let books = file(&folder, Shape { customers, months: 1 }).await?;
    let mut figure = Figure {
        name: "billing run".into(),
        unit: "renewals/s",
        ours: Vec::new(),
        limit: Vec::new(),
        goal: 0.6,
    };
    let mut bytes = 0;
    let (mut our_cpu, mut limit_cpu) = (Vec::new(), Vec::new());
    let mut script = None;
    for round in 0..options.rounds() {
        let copy = copy(&books, &folder.join("run.db"))?;
        let cpu = cpu_seconds();
        let seconds = run(&copy, customers, round as u64 + 2).await?;
        our_cpu.push((cpu_seconds() - cpu) / customers as f64 * 1e6);
        figure.ours.push(customers as f64 / seconds);
        bytes = std::fs::metadata(&copy)?.len() - std::fs::metadata(&books)?.len();
        // What the first run wrote is what the limit writes, every time.
        let script = match &mut script {
            Some(script) => script,
            None => script.insert(Script::of(&books, &copy, month_end(1)?)?),
        };
        remove(&copy)?;
        let copy = self::copy(&books, &folder.join("limit.db"))?;
        let cpu = cpu_seconds();
        figure.limit.push(customers as f64 / script.play(&copy)?);
        limit_cpu.push((cpu_seconds() - cpu) / customers as f64 * 1e6);
        script.check(&copy)?;
        remove(&copy)?;
    }
    report.figure(&figure);
    report.note("processor time per renewal, ours", median(&our_cpu), "µs");
    report.note("processor time per renewal, limit", median(&limit_cpu), "µs");
    report.note("bytes on disk per renewal", bytes as f64 / customers as f64, "bytes");
    if let Some(script) = &script {
        report.note("rows written per renewal", script.rows() as f64 / customers as f64, "rows");
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<PathBuf, Failure> {
    remove(to)?;
    std::fs::copy(from, to)?;
    // Neither side pays for writing the copy itself.
    std::fs::File::open(to)?.sync_all()?;
    Ok(to.to_owned())
}

/// Bills what is due; answers how many seconds it took.
async fn run(path: &Path, customers: usize, seed: u64) -> Result<f64, Failure> {
    let engine = engine(path, Synchronous::Full, seed)?;
    let start = Instant::now();
    let done = engine.run_due(1, month_end(1)?).await?;
    let seconds = start.elapsed().as_secs_f64();
    engine.store().close().await?;
    if done.subscription_steps != customers as u64 {
        return Err(format!("{customers} were due, {} were renewed", done.subscription_steps).into());
    }
    Ok(seconds)
}
