//! The billing run: everything that is due, charged and committed durably, beside the same rows
//! written by prepared statements, or by `COPY`, and nothing else.

use crate::books::{Shape, engine, month_end};
use crate::failure::Failure;
use crate::options::Options;
use crate::place::Place;
use crate::report::{Report, Row, Taken};
use crate::{copying, limit};
use std::path::Path;
use store::Synchronous;

/// The names under which the books of a round are copied.
const RUN: &str = "run";
const LIMIT: &str = "bare-run";

/// Runs and reports `run`.
pub(crate) async fn measure(options: &Options, place: &Place, report: &mut Report) -> Result<(), Failure> {
    let customers = if options.quick { 10_000 } else { 50_000 };
    let spreads: &[i64] = if place.is_server() { &[1, 64] } else { &[1] };
    for shards in spreads {
        let id = format!("run.{shards}");
        if !options.wants(&id) {
            continue;
        }
        let shape = Shape { shards: *shards, ..Shape::new(customers, 1) };
        measure_shape(options, place, report, shape, &id).await?;
    }
    Ok(())
}

async fn measure_shape(
    options: &Options,
    place: &Place,
    report: &mut Report,
    shape: Shape,
    id: &str,
) -> Result<(), Failure> {
    let customers = shape.customers;
    let spread = if place.is_server() { format!(", {} shards", shape.shards) } else { String::new() };
    report.section(&format!("Billing run: {customers} due monthly subscriptions{spread}"));
    let books = place.books(shape).await?;
    let before = place.bytes(&books).await?;
    let (name, goal) = match place.is_server() {
        true => ("billing run beside COPY", 0.7),
        false => ("billing run", 0.6),
    };
    let mut row = Row::new(id, name, "renewals/s", Some(goal));
    let mut bytes = 0;
    let mut script = None;
    for round in 0..options.rounds() {
        let address = place.copy(shape, RUN).await?;
        row.ours.push(run(place, &address, customers, round as u64 + 2).await?);
        bytes = place.bytes(&address).await? - before;
        // What the first run wrote is what the limit writes, every time.
        let script = match &mut script {
            Some(script) => script,
            None => script.insert(Script::of(place, &books, &address).await?),
        };
        place.remove(RUN).await?;
        let address = place.copy(shape, LIMIT).await?;
        row.limit.push(script.play(place, &address, customers).await?);
        script.check(&address).await?;
        place.remove(LIMIT).await?;
    }
    report.row(&row);
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

    async fn play(&self, place: &Place, address: &str, operations: usize) -> Result<Taken, Failure> {
        match self {
            Script::Statements(script) => script.play(place, Path::new(address), operations),
            Script::Copies(script) => script.play(place, address, operations).await,
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

/// Bills what is due; answers what it took.
async fn run(place: &Place, address: &str, customers: usize, seed: u64) -> Result<Taken, Failure> {
    let engine = engine(address, Synchronous::Full, seed).await?;
    let meter = place.meter();
    let done = engine.run_due(1, month_end(1)?).await?;
    let taken = meter.taken(customers);
    engine.store().close().await?;
    if done.subscription_steps != customers as u64 {
        return Err(format!("{customers} were due, {} were renewed", done.subscription_steps).into());
    }
    Ok(taken)
}
