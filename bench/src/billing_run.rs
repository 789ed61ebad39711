//! (a) The billing run: everything that is due, charged and committed durably, beside the same rows
//! written by prepared statements, or by `COPY`, and nothing else.

use crate::books::{Shape, engine, month_end};
use crate::device::cpu_seconds;
use crate::place::Place;
use crate::report::{Figure, Report, median};
use crate::{Failure, Options, copying, limit};
use std::path::Path;
use std::time::Instant;
use store::Synchronous;

/// The names under which the books of a round are copied.
const RUN: &str = "run";
const LIMIT: &str = "bare-run";

/// Runs and reports it.
pub(crate) async fn measure(options: &Options, place: &Place, report: &mut Report) -> Result<(), Failure> {
    let customers = if options.quick { 10_000 } else { 50_000 };
    let spreads: &[i64] = if place.is_server() { &[1, 64] } else { &[1] };
    for shards in spreads {
        let shape = Shape { shards: *shards, ..Shape::new(customers, 1) };
        measure_shape(options, place, report, shape).await?;
    }
    Ok(())
}

async fn measure_shape(
    options: &Options,
    place: &Place,
    report: &mut Report,
    shape: Shape,
) -> Result<(), Failure> {
    let customers = shape.customers;
    let spread = if place.is_server() { format!(", {} shards", shape.shards) } else { String::new() };
    report.section(&format!("(a) Billing run: {customers} due monthly subscriptions{spread}"));
    let books = place.books(shape).await?;
    let before = place.bytes(&books).await?;
    let (name, goal) = match place.is_server() {
        true => (format!("billing run beside COPY{spread}"), 0.7),
        false => ("billing run".into(), 0.6),
    };
    let mut figure = Figure { name, unit: "renewals/s", ours: Vec::new(), limit: Vec::new(), goal };
    let mut bytes = 0;
    let (mut our_cpu, mut limit_cpu) = (Vec::new(), Vec::new());
    let mut script = None;
    for round in 0..options.rounds() {
        let address = place.copy(shape, RUN).await?;
        let cpu = cpu_seconds();
        let seconds = run(&address, customers, round as u64 + 2).await?;
        our_cpu.push((cpu_seconds() - cpu) / customers as f64 * 1e6);
        figure.ours.push(customers as f64 / seconds);
        bytes = place.bytes(&address).await? - before;
        // What the first run wrote is what the limit writes, every time.
        let script = match &mut script {
            Some(script) => script,
            None => script.insert(Script::of(place, &books, &address).await?),
        };
        place.remove(RUN).await?;
        let address = place.copy(shape, LIMIT).await?;
        let cpu = cpu_seconds();
        figure.limit.push(customers as f64 / script.play(&address).await?);
        limit_cpu.push((cpu_seconds() - cpu) / customers as f64 * 1e6);
        script.check(&address).await?;
        place.remove(LIMIT).await?;
    }
    report.figure(&figure);
    report.note("processor time per renewal, ours", median(&our_cpu), "µs");
    report.note("processor time per renewal, limit", median(&limit_cpu), "µs");
    report.note("bytes on disk per renewal", bytes as f64 / customers as f64, "bytes");
    if let Some(script) = &script {
        report.note("rows written per renewal, limit", script.rows() as f64 / customers as f64, "rows");
    }
    Ok(())
}

/// What a run wrote, to be written again as fast as the database can.
enum Script {
    Statements(limit::Script),
    Copies(copying::Script),
}

impl Script {
    async fn of(place: &Place, before: &str, after: &str) -> Result<Script, Failure> {
        let now = month_end(1)?;
        Ok(match place.is_server() {
            true => Script::Copies(copying::Script::of(after, now).await?),
            false => Script::Statements(limit::Script::of(Path::new(before), Path::new(after), now)?),
        })
    }

    async fn play(&self, address: &str) -> Result<f64, Failure> {
        match self {
            Script::Statements(script) => script.play(Path::new(address)),
            Script::Copies(script) => script.play(address).await,
        }
    }

    async fn check(&self, address: &str) -> Result<(), Failure> {
        match self {
            Script::Statements(script) => script.check(Path::new(address)),
            Script::Copies(script) => script.check(address).await,
        }
    }

    fn rows(&self) -> usize {
        match self {
            Script::Statements(script) => script.rows(),
            Script::Copies(script) => script.rows(),
        }
    }
}

/// Bills what is due; answers how many seconds it took.
async fn run(address: &str, customers: usize, seed: u64) -> Result<f64, Failure> {
    let engine = engine(address, Synchronous::Full, seed).await?;
    let start = Instant::now();
    let done = engine.run_due(1, month_end(1)?).await?;
    let seconds = start.elapsed().as_secs_f64();
    engine.store().close().await?;
    if done.subscription_steps != customers as u64 {
        return Err(format!("{customers} were due, {} were renewed", done.subscription_steps).into());
    }
    Ok(seconds)
}
