//! (b) Single durable writes: manual payments over HTTP, beside a bare loop that commits the same rows
//! one transaction at a time.

use crate::asking::{Raw, connect};
use crate::books::Shape;
use crate::device::sync_seconds;
use crate::load::{Ask, Until, run};
use crate::place::Place;
use crate::report::{Figure, Report, median};
use crate::serving::{Passes, Up};
use crate::{Failure, Options};
use futures_util::future::try_join_all;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;
use tokio_postgres::Statement;

/// The names under which the books of a round are copied.
const OURS: &str = "writes";
const BARE: &str = "bare";

/// Runs and reports it.
pub(crate) async fn measure(options: &Options, place: &Place, report: &mut Report) -> Result<(), Failure> {
    let writes = if options.quick { 1_000 } else { 5_000 };
    report.section(&format!("(b) Single durable writes: {writes} manual payments"));
    let folder = options.data()?;
    // Several looks, for a device has its moments.
    let looks: Vec<f64> = (0..options.rounds()).map(|_| sync_seconds(&folder)).collect::<Result<_, _>>()?;
    let sync = median(&looks);
    report.note("one fdatasync of the device", sync * 1e3, "ms");
    let shape = Shape::new(1_000, 1);
    place.books(shape).await?;
    for (clients, goal) in [(1, 0.4), (64, if sync >= 1e-3 { 10.0 } else { 2.0 })] {
        let mut figure = Figure {
            name: format!("{clients} client{} over HTTP", if clients == 1 { "" } else { "s" }),
            unit: "payments/s",
            ours: Vec::new(),
            limit: Vec::new(),
            goal,
        };
        for _ in 0..options.rounds() {
            let ours = place.copy(shape, OURS).await?;
            figure.ours.push(over_http(&ours, writes, clients).await?);
            let (count, seconds) = match place.is_server() {
                true => {
                    let written = Sent::read(&ours).await?;
                    place.remove(OURS).await?;
                    (written.payments.len(), written.write(&place.copy(shape, BARE).await?).await?)
                }
                false => {
                    let written = Written::read(&ours)?;
                    place.remove(OURS).await?;
                    (written.payments.len(), written.write(&place.copy(shape, BARE).await?)?)
                }
            };
            place.remove(BARE).await?;
            figure.limit.push(count as f64 / seconds);
        }
        report.figure(&figure);
    }
    Ok(())
}

async fn over_http(address: &str, writes: usize, clients: usize) -> Result<f64, Failure> {
    let up = Up::new(address, 0).await?;
    let passes = Passes::issue(&up, 1).await?;
    let staff = format!("Bearer {}", passes.staff);
    let asks: Vec<Ask> = workspaces(&up)
        .await?
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
async fn workspaces(up: &Up) -> Result<Vec<String>, Failure> {
    let ids = up.app.engine.store().read(|s| {
        Box::pin(async move { s.rows("select id from customers order by id", &[], |row| row.id(0)).await })
    });
    let ids: Result<Vec<u128>, store::Error> = ids.await;
    Ok(ids?.iter().map(|id| format!("{:024x}", id >> 32)).collect())
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
    ("payments", "select t.* from payments t where t.shard = 0 and t.id = $1"),
    ("credits", "select t.* from credits t where t.shard = 0 and t.payment_id = $1"),
    ("journal_entries", "select t.* from journal_entries t where t.payment_id = $1"),
    (
        "postings",
        "select t.* from journal_entries j join postings t on t.shard = j.shard and t.entry_id = j.id
         where j.payment_id = $1",
    ),
    ("list_entries", "select t.* from list_entries t where t.id = $1"),
];

/// The manual payments of some books, each with its customer.
const PAYMENTS: &str = "select id, customer_id from payments where kind = 'manual' order by id";

/// What is written once for each payment beside its rows.
const RAISE_VERSION: &str =
    "update customer_versions set version = version + 1 where shard = 0 and customer_id = $1";
const RAISE_TALLY: &str = "update tallies set n = n + 1 where environment = 1 and kind = 'payments'";

/// These only make reading what was written quick; the books are thrown away.
const INDEXES: &str = "create index by_payment on journal_entries (payment_id);
     create index by_entry on list_entries (id)";

impl Written {
    fn read(path: &str) -> Result<Self, Failure> {
        let books = Connection::open(path)?;
        books.execute_batch(INDEXES)?;
        let mut statement = books.prepare(PAYMENTS)?;
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
    fn write(&self, path: &str) -> Result<f64, Failure> {
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;
             pragma wal_autocheckpoint = 10000; pragma cache_size = -65536; pragma mmap_size = 2147418112",
        )?;
        connection.set_prepared_statement_cache_capacity(64);
        let start = Instant::now();
        for (n, payment) in self.payments.iter().enumerate() {
            connection.prepare_cached("begin immediate")?.execute([])?;
            connection.prepare_cached(RAISE_VERSION)?.execute([&payment[1]])?;
            connection.prepare_cached(RAISE_TALLY)?.execute([])?;
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

/// What manual payments wrote to PostgreSQL.
struct Sent {
    payments: Vec<SentPayment>,
    inserts: Vec<String>,
}

/// What one payment wrote.
struct SentPayment {
    customer: Raw,
    /// Rows, each with the number of its table.
    rows: Vec<(usize, Vec<Raw>)>,
}

impl Sent {
    async fn read(address: &str) -> Result<Self, Failure> {
        let client = connect(address).await?;
        client.batch_execute(INDEXES).await?;
        let mut payments = Vec::new();
        let mut queries = Vec::with_capacity(TABLES.len());
        let mut inserts = Vec::with_capacity(TABLES.len());
        for (table, query) in TABLES {
            let query = client.prepare(query).await?;
            let columns: Vec<&str> = query.columns().iter().map(tokio_postgres::Column::name).collect();
            let marks: Vec<String> = (1..=columns.len()).map(|n| format!("${n}")).collect();
            inserts.push(format!(
                "insert into {table} ({}) values ({})",
                columns.join(", "),
                marks.join(", ")
            ));
            queries.push(query);
        }
        for payment in client.query(PAYMENTS, &[]).await? {
            let (id, customer): (Raw, Raw) = (payment.get(0), payment.get(1));
            let mut rows = Vec::new();
            for (table, query) in queries.iter().enumerate() {
                let found = client.query(query, &[&id]).await?;
                rows.extend(found.iter().map(|row| (table, (0..row.len()).map(|at| row.get(at)).collect())));
            }
            payments.push(SentPayment { customer, rows });
        }
        Ok(Self { payments, inserts })
    }

    /// Writes them again, one transaction each, which is sent as a whole before its answer is awaited;
    /// answers how many seconds it took.
    async fn write(&self, address: &str) -> Result<f64, Failure> {
        let client = connect(address).await?;
        let version = client.prepare(RAISE_VERSION).await?;
        let tally = client.prepare(RAISE_TALLY).await?;
        let mut inserts: Vec<Statement> = Vec::with_capacity(self.inserts.len());
        for insert in &self.inserts {
            inserts.push(client.prepare(insert).await?);
        }
        let start = Instant::now();
        for SentPayment { customer, rows } in &self.payments {
            type Answer<'a> = Pin<Box<dyn Future<Output = Result<u64, tokio_postgres::Error>> + 'a>>;
            let mut sent: Vec<Answer<'_>> = Vec::with_capacity(rows.len() + 4);
            sent.push(Box::pin(async { client.batch_execute("begin").await.map(|()| 0) }));
            sent.push(Box::pin(client.execute_raw(&version, [customer])));
            sent.push(Box::pin(client.execute_raw(&tally, [] as [&Raw; 0])));
            for (table, row) in rows {
                sent.push(Box::pin(client.execute_raw(&inserts[*table], row)));
            }
            sent.push(Box::pin(async { client.batch_execute("commit").await.map(|()| 0) }));
            try_join_all(sent).await?;
        }
        Ok(start.elapsed().as_secs_f64())
    }
}
