//! All of the books from one database into another, table by table in the order of their references, in
//! batches by key. What was interrupted goes on after the greatest key that is there.
//!
//! Rows are copied as they are, with counted lists and versions. Nobody may write to the source
//! meanwhile: the comparison at the end finds what changed.

mod catalog;
mod failure;
mod plan;
mod rows;

pub use failure::Failure;

use crate::value::OwnedParam;
use crate::{Error, Scope, Store};
use async_recursion::async_recursion as boxed;
use billing::sharding::ShardPlacement;
use plan::{BATCH, Table};
use rows::Batch;
use std::sync::Arc;

/// The table that stands in a target until its copy is finished, and says what is copied there.
const MAKE_MARK: &str = "create table unfinished_copy (source text not null primary key)";
const PUT_MARK: &str = "insert into unfinished_copy (source) values ($1)";
const READ_MARK: &str = "select source from unfinished_copy";
const DROP_MARK: &str = "drop table unfinished_copy";

/// Rises with every commit of a process of this program to a database.
const COMMITS: &str = "select cast(coalesce(sum(last_commit), 0) as bigint), count(*) from connections";

/// What tells books from others: the first of their organizations.
const NAME: &str = "select id from organizations order by id limit 1";

/// What a copy is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Rows are written.
    Copying,
    /// Rows of both sides are compared.
    Comparing,
}

/// How far a copy has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What it is doing.
    pub stage: Stage,
    /// The table that it is about.
    pub table: &'static str,
    /// Rows of all tables that are done in this stage.
    pub done: u64,
    /// Rows of all tables.
    pub all: u64,
}

/// A table on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Its name.
    pub table: &'static str,
    /// How many rows it has, in the source and in the target.
    pub rows: [u64; 2],
    /// The integer columns whose sums differ.
    pub sums: Vec<&'static str>,
    /// Whether each row is the same on both sides.
    pub is_same: bool,
}

impl Compared {
    /// Whether both sides are the same.
    pub fn agrees(&self) -> bool {
        self.is_same && self.rows[0] == self.rows[1] && self.sums.is_empty()
    }
}

/// Who is told how far a copy has come.
pub type Tell<'t> = &'t (dyn Fn(Progress) + Sync);

/// Copies all books of a source into a target that is empty, or goes on where that was interrupted, and
/// compares each row; if all are the same, nobody wrote to the source meanwhile. The target is marked as unfinished until [`finish`]; open it again before it is read
/// in any other way, because what it knows of the books is from before.
///
/// # Errors
/// If the target may not be written to, somebody writes to the source, or a database fails; then it can be
/// run again.
pub async fn run(source: &Store, target: &Store, tell: Tell<'_>) -> Result<Vec<Compared>, Failure> {
    let tables = plan::tables()?;
    if catalog::check(source, tables).await?.has_mark {
        return Err(Failure::UnfinishedSource);
    }
    let before = commits(source).await?;
    claim(source, target, tables).await?;
    // A file looks what it has when it is opened.
    if matches!(target, Store::Postgres(_)) && target.shards() < source.shards() {
        // By what they are spread is a setting, and is copied as one.
        target.spread(ShardPlacement { shards: source.shards(), ..target.spreading() }).await?;
    }
    let mut all = 0;
    for table in tables {
        all += rows::count(source, table).await?;
    }
    let mut copy = Copy { source, target, tell, stage: Stage::Copying, done: 0, all };
    for table in tables {
        copy.copy(table).await.map_err(|error| failed(table, error))?;
    }
    copy.stage = Stage::Comparing;
    copy.done = 0;
    let mut compared = Vec::with_capacity(tables.len());
    for table in tables {
        compared.push(copy.compare(table).await.map_err(|error| failed(table, error))?);
    }
    if compared.iter().all(Compared::agrees) && commits(source).await? != before {
        return Err(Failure::Changed);
    }
    Ok(compared)
}

/// What stands as long as nobody commits to the source.
async fn commits(source: &Store) -> Result<[i64; 2], Error> {
    match source {
        Store::Sqlite(_) => {
            // Before anything is written the file is looked at: whether another process wrote to it.
            source.write(|_| Box::pin(async { Ok::<_, Error>(()) })).await?;
            Ok([source.version(&[Scope::Everything]).await?.cast_signed(), 0])
        }
        Store::Postgres(_) => {
            let found =
                source.read(|s| Box::pin(s.row(COMMITS, &[], |row| Ok([row.int(0)?, row.int(1)?])))).await?;
            Ok(found.unwrap_or_default())
        }
    }
}

/// Takes the mark of an unfinished copy away.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn finish(target: &Store) -> Result<(), Error> {
    target
        .write(|tx| {
            Box::pin(async move {
                tx.execute(DROP_MARK, &[]).await?;
                tx.touch(Scope::Everything);
                Ok(())
            })
        })
        .await
}

/// Whether the books are a copy that was not finished.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn is_unfinished(store: &Store) -> Result<bool, Error> {
    catalog::has_mark(store).await
}

/// Marks a target that is empty, or finds the mark of this source there.
async fn claim(source: &Store, target: &Store, tables: &'static [Table]) -> Result<(), Failure> {
    let name = source.read(|s| Box::pin(s.row(NAME, &[], |row| row.id(0)))).await?;
    let name = name.map(|id: u128| format!("{id:032x}")).ok_or(Failure::NoBooks)?;
    if catalog::check(target, tables).await?.has_mark {
        let marked: Option<String> =
            target.read(|s| Box::pin(s.row(READ_MARK, &[], |row| Ok(row.text(0)?.to_owned())))).await?;
        return if marked == Some(name) { Ok(()) } else { Err(Failure::OtherBooks) };
    }
    for table in tables {
        if rows::last(target, table).await?.is_some() {
            return Err(Failure::NotEmpty);
        }
    }
    let put = target.write(move |tx| {
        let name = name.clone();
        Box::pin(async move {
            tx.execute(MAKE_MARK, &[]).await?;
            tx.execute(PUT_MARK, &[name.as_str().into()]).await?;
            Ok::<(), Error>(())
        })
    });
    Ok(put.await?)
}

fn failed(table: &'static Table, error: Error) -> Failure {
    Failure::Table { table: &table.name, error }
}

/// A copy under way.
struct Copy<'c> {
    source: &'c Store,
    target: &'c Store,
    tell: Tell<'c>,
    stage: Stage,
    done: u64,
    all: u64,
}

impl Copy<'_> {
    /// Writes the rows of a table that the target lacks; the next batch is read while one is written.
    async fn copy(&mut self, table: &'static Table) -> Result<(), Error> {
        let last = rows::last(self.target, table).await?;
        if last.is_some() {
            self.did(table, rows::count(self.target, table).await?);
        }
        let mut batch = rows::read(self.source, table, last).await?;
        while let Some(last) = batch.last_key(table) {
            let (count, is_full) = (batch.count(table), batch.count(table) == BATCH);
            let next = async {
                if is_full { rows::read(self.source, table, Some(last)).await } else { Ok(Batch::default()) }
            };
            let (written, next) = tokio::join!(rows::write(self.target, table, Arc::new(batch)), next);
            written?;
            batch = next?;
            self.did(table, count as u64);
        }
        Ok(())
    }

    /// Reads a table on both sides to the end, row by row for as long as they are the same.
    async fn compare(&mut self, table: &'static Table) -> Result<Compared, Error> {
        let (mut here, mut there) = (Side::new(table), Side::new(table));
        let mut is_same = true;
        while here.goes_on || there.goes_on {
            let (ours, theirs) = tokio::join!(here.next(self.source), there.next(self.target));
            let (ours, theirs) = (ours?, theirs?);
            is_same &= ours == theirs;
            self.did(table, ours.count(table) as u64);
        }
        let sums = table.columns.iter().zip(here.sums.iter().zip(&there.sums));
        let sums = sums.filter(|(_, (ours, theirs))| ours != theirs).map(|(column, _)| column.as_str());
        Ok(Compared { table: &table.name, rows: [here.rows, there.rows], sums: sums.collect(), is_same })
    }

    fn did(&mut self, table: &'static Table, rows: u64) {
        self.done += rows;
        (self.tell)(Progress { stage: self.stage, table: &table.name, done: self.done, all: self.all });
    }
}

/// A table on one side, as it is read.
struct Side {
    table: &'static Table,
    after: Option<Vec<OwnedParam>>,
    goes_on: bool,
    rows: u64,
    /// Of each column; no sum of 64-bit integers in one table is too large for it.
    sums: Vec<i128>,
}

impl Side {
    fn new(table: &'static Table) -> Side {
        Side { table, after: None, goes_on: true, rows: 0, sums: vec![0; table.columns.len()] }
    }

    /// The next rows; none after the end.
    async fn next(&mut self, store: &Store) -> Result<Batch, Error> {
        if !self.goes_on {
            return Ok(Batch::default());
        }
        let batch = rows::read(store, self.table, self.after.take()).await?;
        self.after = batch.last_key(self.table);
        self.goes_on = batch.count(self.table) == BATCH;
        self.rows += batch.count(self.table) as u64;
        batch.add_to(&mut self.sums);
        Ok(batch)
    }
}
