//! One, two and four processes that share the due work of one database by leases.

use crate::books::{Shape, engine, month_end};
use crate::failure::Failure;
use crate::options::Options;
use crate::place::Place;
use crate::report::{Report, Row, Taken, median};
use billing::timestamp::Timestamp;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use store::{Node, Synchronous};

/// The name under which the books of a round are copied.
const SHARED: &str = "shared";

/// How long a lease holds: longer than a round takes.
const LEASE_SECONDS: i64 = 600;

/// What a process prints when its engine is open, and is told when all are.
const READY: &str = "ready";

/// Runs and reports `processes`.
pub(crate) async fn measure(options: &Options, place: &Place, report: &mut Report) -> Result<(), Failure> {
    let customers = if options.quick { 10_000 } else { 50_000 };
    let shape = Shape { shards: 64, ..Shape::new(customers, 1) };
    report.section(&format!("{customers} due subscriptions in 64 shards, billed by several processes"));
    place.books(shape).await?;
    let mut rates = [const { Vec::new() }; 3];
    for _ in 0..options.rounds() {
        for (rates, processes) in rates.iter_mut().zip([1, 2, 4]) {
            let address = place.copy(shape, SHARED).await?;
            rates.push(customers as f64 / billed_by(&address, processes)?);
            place.remove(SHARED).await?;
        }
    }
    let [one, two, four] = rates;
    report.note("1 process", median(&one), "renewals/s");
    let taken = |rates: &[f64]| rates.iter().map(|rate| Taken { rate: *rate, ..Taken::default() }).collect();
    for (id, rates) in [("processes.2", &two), ("processes.4", &four)] {
        let row = Row::new(id, "beside 1", "renewals/s", Some(1.0));
        report.row(&Row { ours: taken(rates), limit: taken(&one), ..row });
    }
    Ok(())
}

/// How many seconds so many processes take.
fn billed_by(address: &str, processes: usize) -> Result<f64, Failure> {
    let mut started = Vec::with_capacity(processes);
    for _ in 0..processes {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--bill", address]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut heard = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        expect_ready(&mut heard)?;
        started.push((child, heard));
    }
    // Now that all are there, each takes its fair part.
    let all: Result<Vec<Child>, Failure> = started
        .into_iter()
        .map(|(mut child, mut heard)| {
            tell(&mut child)?;
            expect_ready(&mut heard)?;
            Ok(child)
        })
        .collect();
    let mut all = all?;
    let start = Instant::now();
    all.iter_mut().try_for_each(tell)?;
    for child in &mut all {
        if !child.wait()?.success() {
            return Err("one of the processes failed".into());
        }
    }
    Ok(start.elapsed().as_secs_f64())
}

fn tell(child: &mut Child) -> Result<(), Failure> {
    let input = child.stdin.as_mut().ok_or("no standard input")?;
    Ok(writeln!(input, "{READY}")?)
}

fn expect_ready(heard: &mut impl BufRead) -> Result<(), Failure> {
    let mut line = String::new();
    heard.read_line(&mut line)?;
    if line.trim() == READY { Ok(()) } else { Err("one of the processes did not start".into()) }
}

/// One of the processes: leases its part when all are there, and bills until nothing of it is due.
pub(crate) async fn bill(address: &str) -> Result<(), Failure> {
    let number = u64::from(std::process::id());
    let engine = engine(address, Synchronous::Full, number).await?;
    let node = Node { id: u128::from(number), name: number.to_string() };
    // By the first claim everybody says that they are there; by the second they take their parts.
    for _ in 0..2 {
        claim(&engine, &node).await?;
        println!("{READY}");
        if std::io::stdin().lock().read_line(&mut String::new())? == 0 {
            return Err("the bench ended".into());
        }
    }
    loop {
        let shards = claim(&engine, &node).await?;
        if engine.run_due_in(1, month_end(1)?, shards, Arc::new(|_| true)).await?.is_nothing() {
            break;
        }
    }
    engine.store().close().await?;
    Ok(())
}

async fn claim(engine: &engine::Engine, node: &Node) -> Result<Vec<i64>, Failure> {
    let now =
        Timestamp::from_micros(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros())?);
    Ok(engine.store().claim_shards(node, LEASE_SECONDS, move || now).await?.0)
}
