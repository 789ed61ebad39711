//! (b) Single durable writes: manual payments over HTTP, beside a bare loop that commits the same rows
//! one transaction at a time.

use crate::books::{Shape, file, remove};
use crate::device::sync_seconds;
use crate::load::{Ask, Until, run};
use crate::report::{Figure, Report, median};
use crate::serving::{Passes, Up};
use crate::{Failure, Options};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Runs and reports it.
pub(crate) async fn measure(options: &Options, report: &mut Report) -> Result<(), Failure> {
    let writes = if options.quick { 1_000 } else { 5_000 };
    report.section(&format!("(b) Single durable writes: {writes} manual payments"));
    let folder = options.data()?;
    // Several looks, for a device has its moments.
    let looks: Vec<f64> = (0..options.rounds()).map(|_| sync_seconds(&folder)).collect::<Result<_, _>>()?;
    let sync = median(&looks);
    report.note("one fdatasync of the device", sync * 1e3, "ms");
    let books = file(&folder, Shape { customers: 1_000, months: 1 }).await?;
    for (clients, goal) in [(1, 0.4), (64, if sync >= 1e-3 { 10.0 } else { 2.0 })] {
        let mut figure = Figure {
            name: format!("{clients} client{} over HTTP", if clients == 1 { "" } else { "s" }),
            unit: "payments/s",
            ours: Vec::new(),
            limit: Vec::new(),
            goal,
        };
        for _ in 0..options.rounds() {
            let ours = folder.join("writes.db");
            remove(&ours)?;
            std::fs::copy(&books, &ours)?;
            std::fs::File::open(&ours)?.sync_all()?;
            figure.ours.push(over_http(&ours, writes, clients).await?);
            let written = Written::read(&ours)?;
            remove(&ours)?;
            let bare = folder.join("bare.db");
            remove(&bare)?;
            std::fs::copy(&books, &bare)?;
            std::fs::File::open(&bare)?.sync_all()?;
            figure.limit.push(written.payments.len() as f64 / written.write(&bare)?);
            remove(&bare)?;
        }
        report.figure(&figure);
    }
    Ok(())
}

async fn over_http(path: &Path, writes: usize, clients: usize) -> Result<f64, Failure> {
    let up = Up::new(path, 0).await?;
    let passes = Passes::issue(&up, path, 1).await?;
    let staff = format!("Bearer {}", passes.staff);
    let asks: Vec<Ask> = workspaces(path)?
        .iter()
        .cycle()
        .take(writes)
        .map(|workspace| {
            let body = format!(
                r#"{{"workspaceId":"{workspace}","paymentType":"subscription","amount":12.50,"paymentMethod":"cash"}}"#
            );
            Ask::new("POST", "/api/v1/admin/payments", &[("authorization", &staff)], &body, 201)
        })
        .collect();
    let (address, asks) = (up.address, Arc::new(asks));
    let loaded = tokio::task::spawn_blocking(move || run(address, asks, clients, Until::Once)).await??;
    up.down().await?;
    Ok(loaded.rate)
}

/// The customers' ids as contract 001 spells them.
fn workspaces(path: &Path) -> Result<Vec<String>, Failure> {
    let books = Connection::open(path)?;
    let mut statement = books.prepare("select lower(substr(hex(id), 1, 24)) from customers order by id")?;
    Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// A table's rows of one payment, and the statement that inserts them.
struct Table {
    insert: String,
    /// Rows by payment.
    rows: Vec<Vec<Vec<Value>>>,
}

/// What manual payments wrote.
struct Written {
    payments: Vec<Vec<Value>>,
    tables: Vec<Table>,
}

/// Each table that a manual payment inserts into, with how its rows are found by the payment's id.
const TABLES: &[(&str, &str)] = &[
    ("payments", "select t.* from payments t where t.shard = 0 and t.id = ?1"),
    ("credits", "select t.* from credits t where t.shard = 0 and t.payment_id = ?1"),
    ("journal_entries", "select t.* from journal_entries t where t.payment_id = ?1"),
    (
        "postings",
        "select t.* from journal_entries j join postings t on t.shard = j.shard and t.entry_id = j.id
         where j.payment_id = ?1",
    ),
    ("list_entries", "select t.* from list_entries t where t.id = ?1"),
];

impl Written {
    fn read(path: &Path) -> Result<Self, Failure> {
        let books = Connection::open(path)?;
        // The copy is thrown away; these only make reading it quick.
        books.execute_batch(
            "create index by_payment on journal_entries (payment_id);
             create index by_entry on list_entries (id)",
        )?;
        let mut statement =
            books.prepare("select id, customer_id from payments where kind = 'manual' order by id")?;
        let payments: Vec<Vec<Value>> =
            statement.query_map([], |row| Ok(vec![row.get(0)?, row.get(1)?]))?.collect::<Result<_, _>>()?;
        let mut tables = Vec::with_capacity(TABLES.len());
        for (table, query) in TABLES {
            let mut statement = books.prepare(query)?;
            let columns: Vec<String> = statement.column_names().map(String::from).collect();
            let marks: Vec<String> = (1..=columns.len()).map(|n| format!("?{n}")).collect();
            let insert =
                format!("insert into {table} ({}) values ({})", columns.join(", "), marks.join(", "));
            let width = columns.len();
            let mut rows = Vec::with_capacity(payments.len());
            for payment in &payments {
                let found =
                    statement.query_map([&payment[0]], |row| (0..width).map(|at| row.get(at)).collect())?;
                rows.push(found.collect::<Result<Vec<Vec<Value>>, _>>()?);
            }
            tables.push(Table { insert, rows });
        }
        Ok(Self { payments, tables })
    }

    /// Writes them again, one transaction each; answers how many seconds it took.
    fn write(&self, path: &Path) -> Result<f64, Failure> {
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;
             pragma wal_autocheckpoint = 10000; pragma cache_size = -65536; pragma mmap_size = 2147418112",
        )?;
        connection.set_prepared_statement_cache_capacity(64);
        let version =
            "update customer_versions set version = version + 1 where shard = 0 and customer_id = ?1";
        let tally = "update tallies set n = n + 1 where environment = 1 and kind = 'payments'";
        let start = Instant::now();
        for (n, payment) in self.payments.iter().enumerate() {
            connection.prepare_cached("begin immediate")?.execute([])?;
            connection.prepare_cached(version)?.execute([&payment[1]])?;
            connection.prepare_cached(tally)?.execute([])?;
            for table in &self.tables {
                let mut statement = connection.prepare_cached(&table.insert)?;
                for row in &table.rows[n] {
                    statement.execute(params_from_iter(row))?;
                }
            }
            connection.prepare_cached("commit")?.execute([])?;
        }
        Ok(start.elapsed().as_secs_f64())
    }
}
