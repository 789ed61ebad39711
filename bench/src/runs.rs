//! Runs of what is due that go less smoothly: cards that decline, many organizations, a gateway that takes its time.

use crate::books::{Shape, engine, engine_with, first_renewal, month_end};
use crate::difference::Difference;
use crate::failure::Failure;
use crate::options::Options;
use crate::place::Place;
use crate::report::{Report, Row, Taken};
use crate::slow::Slow;
use crate::writes;
use billing::timestamp::Timestamp;
use engine::{Done, Engine};
use std::sync::Arc;
use std::time::Duration;
use store::Synchronous;

/// The names under which the books of a round are copied.
const RUN: &str = "run";
const LIMIT: &str = "bare-run";
const MIDDLE: &str = "between";

/// How long the slow gateway takes for an answer.
const LATENCY: Duration = Duration::from_millis(100);

/// Finishes what is due in environments by an instant; answers what was done, and what it took.
async fn run(
    place: &Place,
    engine: Engine,
    environments: &[i64],
    now: Timestamp,
    operations: usize,
) -> Result<(Done, Taken), Failure> {
    let meter = place.meter();
    let mut all = Done::default();
    for environment in environments {
        let done = engine.run_due(*environment, now).await?;
        all.subscription_steps += done.subscription_steps;
        all.retries += done.retries;
        all.recovered += done.recovered;
    }
    let taken = meter.taken(operations);
    engine.store().close().await?;
    Ok((all, taken))
}

fn expect(what: &str, wanted: usize, done: u64) -> Result<(), Failure> {
    if done == wanted as u64 {
        Ok(())
    } else {
        Err(format!("{wanted} {what} were due, {done} were made").into())
    }
}

/// Two pieces of work, one after the other, as one.
fn both(first: &Taken, second: &Taken, sizes: (usize, usize)) -> Taken {
    let (one, other) = (sizes.0 as f64, sizes.1 as f64);
    let sum = |a: Option<f64>, b: Option<f64>| a.zip(b).map(|(a, b)| a + b * other / one);
    Taken {
        rate: one / (one / first.rate + other / second.rate),
        cpu_us: sum(first.cpu_us, second.cpu_us),
        database_us: sum(first.database_us, second.database_us),
        ..Taken::default()
    }
}

/// Runs and reports `declines`: 8 of 100 cards decline a renewal, and pay at the attempt after it.
pub(crate) async fn declines(options: &Options, place: &Place, report: &mut Report) -> Result<(), Failure> {
    let customers = if options.quick { 2_500 } else { 50_000 };
    let shape = Shape { declining: 2, ..Shape::new(customers, 1) };
    let retries = customers * 2 / 25;
    report.section(&format!("Billing run: {customers} due subscriptions, {retries} cards decline once"));
    let books = place.books(shape).await?;
    let mut whole = Row::new("declines.run", "renewals with their retries", "renewals/s", None);
    let mut alone = Row::new("declines.retries", "the retries alone", "retries/s", None);
    let (renewal, retry) = (first_renewal()?, first_renewal()?.plus_days(4)?);
    let mut limits = None;
    for round in 0..options.rounds() as u64 {
        let address = place.copy(shape, RUN).await?;
        let first = engine(&address, Synchronous::Full, 2 * round + 2).await?;
        let (done, renewed) = run(place, first, &[1], renewal, customers).await?;
        expect("renewals", customers, done.subscription_steps)?;
        if limits.is_none() {
            place.copy_of(RUN, MIDDLE).await?;
        }
        let second = engine(&address, Synchronous::Full, 2 * round + 3).await?;
        let (done, retried) = run(place, second, &[1], retry, retries).await?;
        expect("retries", retries, done.retries)?;
        expect("renewals more", 0, done.subscription_steps)?;
        whole.ours.push(both(&renewed, &retried, (customers, retries)));
        alone.ours.push(retried);
        // What the first run wrote is what the limit writes, every time.
        let (all, some) = match &mut limits {
            Some(limits) => limits,
            None => {
                let all = Difference::of(place, &books, &address).await?;
                let some = Difference::of(place, &place.address(MIDDLE)?, &address).await?;
                limits.insert((all, some))
            }
        };
        place.remove(RUN).await?;
        whole.limit.push(all.play(place, &place.copy(shape, LIMIT).await?, customers).await?);
        alone.limit.push(some.play(place, &place.copy_of(MIDDLE, LIMIT).await?, retries).await?);
        place.remove(LIMIT).await?;
    }
    place.remove(MIDDLE).await?;
    report.row(&whole);
    report.row(&alone);
    Ok(())
}

/// Runs and reports `organizations`: many of them in the same books, each with a catalog and tax rates of its own.
pub(crate) async fn organizations(
    options: &Options,
    place: &Place,
    report: &mut Report,
) -> Result<(), Failure> {
    let organizations = if options.quick { 100 } else { 1_000 };
    let shape = Shape { organizations, ..Shape::new(5, 1) };
    let due = organizations * shape.customers;
    report.section(&format!(
        "{organizations} organizations with 65 tax rates and {} customers each",
        shape.customers
    ));
    let books = place.books(shape).await?;
    if options.wants("organizations.run") {
        let mut row = Row::new("organizations.run", "what is due in all", "renewals/s", None);
        let mut limit = None;
        for round in 0..options.rounds() as u64 {
            let address = place.copy(shape, RUN).await?;
            let engine = engine(&address, Synchronous::Full, round + 2).await?;
            let environments = engine.environments().await?;
            let environments: Vec<i64> = environments.iter().map(|each| each.number).collect();
            let (done, taken) = run(place, engine, &environments, month_end(1)?, due).await?;
            expect("renewals", due, done.subscription_steps)?;
            row.ours.push(taken);
            let limit = match &mut limit {
                Some(limit) => limit,
                None => limit.insert(Difference::of(place, &books, &address).await?),
            };
            place.remove(RUN).await?;
            row.limit.push(limit.play(place, &place.copy(shape, LIMIT).await?, due).await?);
            place.remove(LIMIT).await?;
        }
        report.row(&row);
    }
    if options.wants("organizations.payments") {
        let size = (if options.quick { 500 } else { 2_000 }, 1);
        let row = Row::new("organizations.payments", "manual payments, 1 client", "payments/s", None);
        writes::row(options, place, report, shape, row, size).await?;
    }
    Ok(())
}

/// Runs and reports `gateway`: a billing run whose gateway takes 100 ms for each answer, beside the same run
/// with one that answers at once.
pub(crate) async fn slow_gateway(
    options: &Options,
    place: &Place,
    report: &mut Report,
) -> Result<(), Failure> {
    let customers = if options.quick { 25 } else { 200 };
    let shape = Shape::new(customers, 1);
    report.section(&format!(
        "Billing run: {customers} due subscriptions, a gateway of {} ms, beside one of 0 ms",
        LATENCY.as_millis()
    ));
    place.books(shape).await?;
    let mut row = Row::new("gateway.100ms", "billing run", "renewals/s", None);
    for round in 0..options.rounds() as u64 {
        for (latency, taken) in [(LATENCY, &mut row.ours), (Duration::ZERO, &mut row.limit)] {
            let address = place.copy(shape, RUN).await?;
            let gateway = Arc::new(Slow::new(latency));
            let engine = engine_with(&address, Synchronous::Full, round + 2, gateway).await?;
            let (done, run) = run(place, engine, &[1], month_end(1)?, customers).await?;
            expect("renewals", customers, done.subscription_steps)?;
            taken.push(run);
            place.remove(RUN).await?;
        }
    }
    report.row(&row);
    Ok(())
}
