//! The one way to write: all of some [`Changes`], or a conflict to decide again.
//!
//! What is deleted goes first, then comes what is new, then what changed, then movements of money; each
//! table by table in the order of references, so that one decision or five hundred cost one statement
//! look-up for each table. How a row is written follows from the declaration of its table; here stands
//! what more there is to some of them.

mod customers;
mod invoices;
mod rows;

pub use invoices::seal;

use crate::numbers::Numbers;
use crate::records::{Record, record};
use crate::value::Sets;
use crate::{BoxFuture, Error, Param, Scope, Tx, idempotency, received_payments};
use billing::changes::{Change, Changes, Row, Version};
use billing::environment::Environment;
use billing::id::{CustomerId, Id};
use billing::invoice::Invoice;
use billing::ledger::JournalEntry;
use billing::payment::Payment;
use invoices::Contents;
use rows::{delete, insert, records};
use std::sync::Arc;

/// What a commit filled in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Committed {
    /// The invoices that it issued, with their numbers, in the order of the changes.
    pub invoices: Vec<Invoice>,
}

/// Writes changes in a transaction of their own.
pub(crate) fn alone<'a>(tx: &'a mut Tx, changes: &Arc<Changes>) -> BoxFuture<'a, Result<Committed, Error>> {
    let changes = Arc::clone(changes);
    Box::pin(async move { apply(tx, &changes).await })
}

/// The tally that is the version of what an environment sells.
pub(crate) const OFFER: &str = "offer";

const RAISE_OFFER: &str = "insert into tallies (environment, kind, n) values ($1, $2, 1)
     on conflict (environment, kind) do update set n = tallies.n + 1 where tallies.n = $3";

const RAISE_VERSION: &str = "update customer_versions set version = version + 1
     where shard = $1 and customer_id = $2 and version = $3";

async fn apply(tx: &mut Tx, changes: &Changes) -> Result<Committed, Error> {
    let sets = changes.decided_on.iter().map(raising);
    if tx.execute_for(RAISE_VERSION, sets).await? != changes.decided_on.len() as u64 {
        return Err(Error::Conflict);
    }
    Ok(write_all(tx, &[changes]).await?.pop().unwrap_or_default())
}

/// How many rows changes have at most that go together with others.
const TOGETHER_ROWS_MAX: usize = 64;

/// The environment whose other commits these changes may go together with. Not those that are about
/// several customers or about what is sold: they could not stand or fall by themselves.
pub(crate) fn together_in(changes: &Changes) -> Option<i64> {
    let is_about_one = changes.decided_on.len() <= 1 && changes.catalog_version.is_none();
    if !is_about_one || changes.rows.len() > TOGETHER_ROWS_MAX || !changes.rows.iter().all(is_of_customer) {
        return None;
    }
    let request = changes.idempotency.iter().map(|request| request.environment);
    let mut environments = changes.rows.iter().filter_map(environment).chain(request);
    let first = environments.next()?;
    environments.all(|other| other == first).then_some(first)
}

/// Writes changes of [one environment](together_in) in one transaction. Nothing is written of those whose
/// customer has moved on since it was read: they come to [`Error::Conflict`] each; any other failure is
/// one of all.
pub(crate) async fn apply_each(
    tx: &mut Tx,
    all: &[Arc<Changes>],
) -> Result<Vec<Result<Committed, Error>>, Error> {
    // In an order of all who write, so that no two wait for each other.
    let mut decided: Vec<_> =
        all.iter().enumerate().flat_map(|(n, c)| c.decided_on.iter().map(move |d| (d, n))).collect();
    decided.sort_unstable();
    let raised = tx.execute_each(RAISE_VERSION, decided.iter().map(|(decided, _)| raising(decided))).await?;
    let mut outcomes: Vec<Result<Committed, Error>> = all.iter().map(|_| Ok(Committed::default())).collect();
    for ((_, n), _) in decided.iter().zip(raised).filter(|(_, raised)| *raised != 1) {
        outcomes[*n] = Err(Error::Conflict);
    }
    let standing: Vec<&Changes> = all
        .iter()
        .zip(&outcomes)
        .filter(|(_, outcome)| outcome.is_ok())
        .map(|(changes, _)| &**changes)
        .collect();
    if standing.is_empty() {
        return Err(Error::Conflict);
    }
    let written = write_all(tx, &standing).await?;
    for (outcome, committed) in outcomes.iter_mut().filter(|outcome| outcome.is_ok()).zip(written) {
        *outcome = Ok(committed);
    }
    Ok(outcomes)
}

fn raising((customer, version): &(CustomerId, Version)) -> [Param<'static>; 3] {
    [customer.shard().into(), Param::Id(customer.raw()), (*version).into()]
}

/// Writes all of the changes, whose customers' versions are raised, and says what came of each.
async fn write_all(tx: &mut Tx, all: &[&Changes]) -> Result<Vec<Committed>, Error> {
    for (customer, _) in all.iter().flat_map(|changes| &changes.decided_on) {
        tx.touch(Scope::Customer(customer.raw()));
    }
    idempotency::keep(tx, all.iter().filter_map(|changes| changes.idempotency.as_ref())).await?;
    for (environment, version) in all.iter().filter_map(|changes| changes.catalog_version) {
        let params = [environment.into(), OFFER.into(), version.into()];
        if tx.execute(RAISE_OFFER, &params).await? != 1 {
            return Err(Error::Conflict);
        }
    }
    let mut rows: Vec<&Change> = all.iter().flat_map(|changes| &changes.rows).collect();
    rows.sort_by_key(|change| rank(change));
    let mut numbers = Numbers::count(tx, &rows).await?;
    let contents = Contents::of(&rows);
    let mut invoices = Vec::new();
    for run in rows.chunk_by(|a, b| rank(a) == rank(b)) {
        write_run(tx, run, &mut numbers, &contents, &mut invoices).await?;
    }
    let mut touched: Vec<i64> = Vec::new();
    for environment in rows.iter().filter_map(|change| environment(change)) {
        if !touched.contains(&environment) {
            touched.push(environment);
            tx.touch(Scope::Environment(environment));
        }
    }
    let mut invoices = invoices.into_iter();
    let issued_by = |changes: &&Changes| {
        changes.rows.iter().filter(|row| matches!(row, Change::Insert(Row::Invoice(_)))).count()
    };
    Ok(all
        .iter()
        .map(|changes| Committed { invoices: invoices.by_ref().take(issued_by(changes)).collect() })
        .collect())
}

/// The place of a change in the order of a commit.
fn rank(change: &Change) -> (u8, u8) {
    match change {
        Change::Delete(row) => (0, row.place()),
        Change::Insert(row) => (1, row.place()),
        Change::Update { after, .. } => (2, after.place()),
        Change::Post(_) => (3, 0),
    }
}

/// The row that a change writes.
fn changed(change: &Change) -> &dyn Record {
    match change {
        Change::Insert(row) | Change::Update { after: row, .. } | Change::Delete(row) => record(row),
        Change::Post(entry) => entry,
    }
}

/// The environment whose lists a change moves; none where the row does not say.
fn environment(change: &Change) -> Option<i64> {
    changed(change).environment()
}

fn is_of_customer(change: &Change) -> bool {
    changed(change).table().is_of_customers
}

/// Writes changes of one kind to one table.
async fn write_run(
    tx: &mut Tx,
    run: &[&Change],
    numbers: &mut Numbers,
    contents: &Contents<'_>,
    issued: &mut Vec<Invoice>,
) -> Result<(), Error> {
    let (mut new, mut moved, mut gone, mut entries) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for change in run {
        match change {
            Change::Insert(row) => new.push(row),
            Change::Update { before, after } => moved.push((before, after)),
            Change::Delete(row) => gone.push(record(row)),
            Change::Post(entry) => entries.push(entry),
        }
    }
    delete(tx, &gone).await?;
    insert_run(tx, &new, numbers, contents, issued).await?;
    update_run(tx, &moved).await?;
    post(tx, &entries).await
}

/// Writes new rows of one table.
async fn insert_run(
    tx: &mut Tx,
    rows: &[&Row],
    numbers: &mut Numbers,
    contents: &Contents<'_>,
    issued: &mut Vec<Invoice>,
) -> Result<(), Error> {
    if matches!(rows.first(), Some(Row::Customer(_))) {
        customers::insert(tx, rows, numbers).await?;
    } else if matches!(rows.first(), Some(Row::Invoice(_))) {
        invoices::insert(tx, rows, numbers, contents, issued).await?;
    } else {
        insert(tx, &records(rows), numbers).await?;
    }
    rows.iter().filter_map(|row| record(row).touched()).for_each(|scope| tx.touch(scope));
    let moves: Vec<_> = rows.iter().filter_map(|row| Some((None, payment(row)?))).collect();
    received_payments::follow(tx, moves).await
}

/// Writes what changed of rows of one table.
async fn update_run(tx: &mut Tx, rows: &[(&Row, &Row)]) -> Result<(), Error> {
    for (before, after) in rows {
        if let (Row::Environment(before), Row::Environment(after)) = (before, after) {
            move_clock(tx, before, after).await?;
        } else if let (Row::Customer(before), Row::Customer(after)) = (before, after) {
            customers::rename(tx, before, after).await?;
        }
        record(after).touched().into_iter().for_each(|scope| tx.touch(scope));
    }
    let Some((_, first)) = rows.first() else { return Ok(()) };
    let table = record(first).table();
    if table.update.is_empty() {
        return Err(Error::Misuse(format!("nothing of {} may change", table.name)));
    }
    let mut sets = Sets::new(table.update_width, rows.len());
    let written = rows.iter().filter(|(before, after)| !is_clock_only(before, after));
    written.for_each(|(_, after)| record(after).write_changes(sets.params()));
    tx.send_sets(table.update, sets).await?;
    let moves = rows.iter().filter_map(|(before, after)| Some((payment(before), payment(after)?)));
    let moves: Vec<_> = moves.collect();
    received_payments::follow(tx, moves).await
}

fn payment(row: &Row) -> Option<&Payment> {
    if let Row::Payment(payment) = row { Some(payment) } else { None }
}

const MOVE_CLOCK: &str = "update environments set clock = $2
     where number = $1 and (clock is null or clock <= $2)";

/// Moves a clock forward, or leaves it where it is. One that others have moved past that is a conflict.
async fn move_clock(tx: &mut Tx, before: &Environment, after: &Environment) -> Result<(), Error> {
    let is_moved = before.clock != after.clock || before == after;
    let Some(to) = after.clock.filter(|_| is_moved) else { return Ok(()) };
    match tx.execute(MOVE_CLOCK, &[after.number.into(), to.micros().into()]).await? {
        1 => Ok(()),
        _ => Err(Error::Conflict),
    }
}

/// Whether an update is about an environment's clock alone: policies that others change meanwhile stay.
fn is_clock_only(before: &Row, after: &Row) -> bool {
    let (Row::Environment(before), Row::Environment(after)) = (before, after) else { return false };
    Environment { clock: after.clock, ..Environment::clone(before) } == **after
}

const INSERT_POSTING: &str =
    "insert into postings (shard, entry_id, position, account, amount) values ($1, $2, $3, $4, $5)";

async fn post(tx: &mut Tx, entries: &[&JournalEntry]) -> Result<(), Error> {
    let Some(table) = entries.first().map(|first| first.table()) else { return Ok(()) };
    let mut sets = Sets::new(table.width, entries.len());
    entries.iter().for_each(|entry| entry.write(sets.params()));
    tx.send_sets(table.insert, sets).await?;
    let mut postings = Sets::new(5, 2 * entries.len());
    for entry in entries {
        for (position, posting) in (1i64..).zip(&entry.postings) {
            let (shard, id) = (entry.id.shard().into(), Param::Id(entry.id.raw()));
            let (account, amount) = (posting.account.name().into(), posting.amount.into());
            postings.params().extend([shard, id, position.into(), account, amount]);
        }
    }
    tx.send_sets(INSERT_POSTING, postings).await
}
