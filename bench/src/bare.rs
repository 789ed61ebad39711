//! The limit of writes: the rows that manual payments wrote, without anything that decides or serves.

use crate::asking::{Raw, connect};
use crate::failure::Failure;
use crate::place::Place;
use crate::report::{Taken, median, p99};
use bytes::Bytes;
use futures_util::future::try_join_all;
use futures_util::{SinkExt, TryStreamExt};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::time::Instant;
use tokio_postgres::{SimpleQueryMessage, Statement};

/// Each table that a manual payment inserts into, with how its rows `t` are found from `b`, the payment.
const TABLES: &[(&str, &str)] = &[
    ("payments", "join payments t on t.shard = b.shard and t.id = b.id"),
    ("credits", "join credits t on t.shard = b.shard and t.payment_id = b.id"),
    ("journal_entries", "join journal_entries t on t.shard = b.shard and t.payment_id = b.id"),
    (
        "postings",
        "join journal_entries j on j.shard = b.shard and j.payment_id = b.id
         join postings t on t.shard = j.shard and t.entry_id = j.id",
    ),
    ("list_entries", "join list_entries t on t.shard = b.shard and t.id = b.id"),
];

/// The manual payments of some books, each with its customer, environment and shard.
const PAYMENTS: &str =
    "select id, customer_id, environment, shard from payments where kind = 'manual' order by id";

/// What is written once for each payment beside its rows.
const RAISE_VERSION: &str =
    "update customer_versions set version = version + 1 where shard = $1 and customer_id = $2";
const RAISE_TALLY: &str = "update tallies set n = n + $1 where environment = $2 and kind = 'payments'";

/// These only make reading what was written quick; the books are thrown away.
const INDEXES: &str = "create index by_payment on journal_entries (payment_id);
     create index by_lot on credits (payment_id);
     create index by_entry on list_entries (id)";

/// The rows of one payment in a table.
fn rows_of(join: &str) -> String {
    format!("select t.* from payments b {join} where b.id = $1 and b.shard = $2")
}

/// A table's rows by payment, and the statement that inserts them.
struct Table {
    insert: String,
    rows: Vec<Vec<Vec<Value>>>,
}

/// What manual payments wrote to a file.
pub(crate) struct Written {
    payments: Vec<Vec<Value>>,
    tables: Vec<Table>,
}

impl Written {
    /// Reads it.
    pub(crate) fn read(path: &str) -> Result<Self, Failure> {
        let books = Connection::open(path)?;
        books.execute_batch(INDEXES)?;
        let mut statement = books.prepare(PAYMENTS)?;
        let payments: Vec<Vec<Value>> = statement
            .query_map([], |row| (0..4).map(|at| row.get(at)).collect())?
            .collect::<Result<_, _>>()?;
        let mut tables = Vec::with_capacity(TABLES.len());
        for (table, join) in TABLES {
            let mut statement = books.prepare(&rows_of(join))?;
            let columns: Vec<String> = statement.column_names().map(String::from).collect();
            let marks: Vec<String> = (1..=columns.len()).map(|n| format!("?{n}")).collect();
            let insert =
                format!("insert into {table} ({}) values ({})", columns.join(", "), marks.join(", "));
            let width = columns.len();
            let mut rows = Vec::with_capacity(payments.len());
            for payment in &payments {
                let found = statement.query_map([&payment[0], &payment[3]], |row| {
                    (0..width).map(|at| row.get(at)).collect()
                })?;
                rows.push(found.collect::<Result<Vec<Vec<Value>>, _>>()?);
            }
            tables.push(Table { insert, rows });
        }
        Ok(Self { payments, tables })
    }

    /// Writes them again, so many in each transaction.
    pub(crate) fn write(&self, place: &Place, path: &str, together: usize) -> Result<Taken, Failure> {
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;
             pragma wal_autocheckpoint = 10000; pragma cache_size = -65536; pragma mmap_size = 2147418112",
        )?;
        connection.set_prepared_statement_cache_capacity(64);
        let mut latencies = Vec::with_capacity(self.payments.len());
        let meter = place.meter();
        for (n, group) in self.payments.chunks(together).enumerate() {
            let start = Instant::now();
            connection.prepare_cached("begin immediate")?.execute([])?;
            for (at, payment) in group.iter().enumerate() {
                connection.prepare_cached(RAISE_VERSION)?.execute([&payment[3], &payment[1]])?;
                for table in &self.tables {
                    let mut statement = connection.prepare_cached(&table.insert)?;
                    for row in &table.rows[n * together + at] {
                        statement.execute(params_from_iter(row))?;
                    }
                }
            }
            for part in group.chunk_by(|a, b| a[2] == b[2]) {
                let many = Value::Integer(i64::try_from(part.len())?);
                connection.prepare_cached(RAISE_TALLY)?.execute([&many, &part[0][2]])?;
            }
            connection.prepare_cached("commit")?.execute([])?;
            latencies.push(start.elapsed().as_secs_f64());
        }
        Ok(Taken {
            p50_ms: Some(median(&latencies) * 1e3),
            p99_ms: Some(p99(&latencies) * 1e3),
            ..meter.taken(self.payments.len())
        })
    }
}

/// What manual payments wrote to PostgreSQL, to be sent again one transaction each.
pub(crate) struct Sent {
    payments: Vec<SentPayment>,
    inserts: Vec<String>,
}

/// What one payment wrote.
struct SentPayment {
    customer: Raw,
    environment: Raw,
    shard: Raw,
    /// Rows, each with the number of its table.
    rows: Vec<(usize, Vec<Raw>)>,
}

impl Sent {
    /// Reads it.
    pub(crate) async fn read(address: &str) -> Result<Self, Failure> {
        let client = connect(address).await?;
        client.batch_execute(INDEXES).await?;
        let mut payments = Vec::new();
        let mut queries = Vec::with_capacity(TABLES.len());
        let mut inserts = Vec::with_capacity(TABLES.len());
        for (table, join) in TABLES {
            let query = client.prepare(&rows_of(join)).await?;
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
            let (environment, shard): (Raw, Raw) = (payment.get(2), payment.get(3));
            let mut rows = Vec::new();
            for (table, query) in queries.iter().enumerate() {
                let found = client.query(query, &[&id, &shard]).await?;
                rows.extend(found.iter().map(|row| (table, (0..row.len()).map(|at| row.get(at)).collect())));
            }
            payments.push(SentPayment { customer, environment, shard, rows });
        }
        Ok(Self { payments, inserts })
    }

    /// Writes them again, one transaction each, which is sent as a whole before its answer is awaited.
    pub(crate) async fn write(&self, place: &Place, address: &str) -> Result<Taken, Failure> {
        let client = connect(address).await?;
        let version = client.prepare(RAISE_VERSION).await?;
        let tally = client.prepare(&RAISE_TALLY.replace("$1", "1").replace("$2", "$1")).await?;
        let mut inserts: Vec<Statement> = Vec::with_capacity(self.inserts.len());
        for insert in &self.inserts {
            inserts.push(client.prepare(insert).await?);
        }
        let mut latencies = Vec::with_capacity(self.payments.len());
        let meter = place.meter();
        for SentPayment { customer, environment, shard, rows } in &self.payments {
            type Answer<'a> = Pin<Box<dyn Future<Output = Result<u64, tokio_postgres::Error>> + 'a>>;
            let start = Instant::now();
            let mut sent: Vec<Answer<'_>> = Vec::with_capacity(rows.len() + 4);
            sent.push(Box::pin(async { client.batch_execute("begin").await.map(|()| 0) }));
            sent.push(Box::pin(client.execute_raw(&version, [shard, customer])));
            sent.push(Box::pin(client.execute_raw(&tally, [environment])));
            for (table, row) in rows {
                sent.push(Box::pin(client.execute_raw(&inserts[*table], row)));
            }
            sent.push(Box::pin(async { client.batch_execute("commit").await.map(|()| 0) }));
            try_join_all(sent).await?;
            latencies.push(start.elapsed().as_secs_f64());
        }
        Ok(Taken {
            p50_ms: Some(median(&latencies) * 1e3),
            p99_ms: Some(p99(&latencies) * 1e3),
            ..meter.taken(self.payments.len())
        })
    }
}

/// What manual payments wrote to PostgreSQL, to be sent again by `COPY`, many in each transaction.
pub(crate) struct Copies {
    groups: Vec<CopiedGroup>,
    payments: usize,
}

/// What some payments wrote.
struct CopiedGroup {
    /// Begins the transaction, and does what is not inserted.
    updates: String,
    /// Tables and their rows.
    copies: Vec<(String, Bytes)>,
}

impl Copies {
    /// Reads it, so many payments in each transaction.
    pub(crate) async fn read(address: &str, together: usize) -> Result<Self, Failure> {
        let client = connect(address).await?;
        client.batch_execute(INDEXES).await?;
        client
            .batch_execute(&format!(
                "create temp table written as select id, customer_id, environment, shard,
                   (row_number() over (order by id) - 1) / {together} as n
                 from payments where kind = 'manual';
                 analyze"
            ))
            .await?;
        let counted = "select max(n), count(*) from written";
        let counted = client.query_one(counted, &[]).await?;
        let (last, payments): (i64, i64) = (counted.get(0), counted.get(1));
        let mut groups = Vec::new();
        for n in 0..=last {
            let mut copies = Vec::with_capacity(TABLES.len());
            for (table, join) in TABLES {
                let sql = format!("copy (select t.* from written b {join} where b.n = {n}) to stdout");
                let chunks: Vec<Bytes> = client.copy_out(&sql).await?.try_collect().await?;
                copies.push((format!("copy {table} from stdin"), Bytes::from(chunks.concat())));
            }
            let of = format!("select shard, customer_id, environment from written where n = {n}");
            groups.push(CopiedGroup { updates: updates(&client.simple_query(&of).await?), copies });
        }
        Ok(Self { groups, payments: usize::try_from(payments)? })
    }

    /// Writes them again.
    pub(crate) async fn write(&self, place: &Place, address: &str) -> Result<Taken, Failure> {
        let client = connect(address).await?;
        let meter = place.meter();
        for CopiedGroup { updates, copies } in &self.groups {
            client.batch_execute(updates).await?;
            for (sql, rows) in copies {
                let mut sink = pin!(client.copy_in::<_, Bytes>(sql).await?);
                sink.send(rows.clone()).await?;
                sink.finish().await?;
            }
            client.batch_execute("commit").await?;
        }
        Ok(meter.taken(self.payments))
    }
}

/// Begins a transaction, and raises the versions and tallies of these payments.
fn updates(payments: &[SimpleQueryMessage]) -> String {
    let mut customers = Vec::new();
    let mut tallies: BTreeMap<&str, usize> = BTreeMap::new();
    for payment in payments {
        if let SimpleQueryMessage::Row(row) = payment {
            let word = |at| row.get(at).unwrap_or_default();
            customers.push(format!("({}, '{}'::uuid)", word(0), word(1)));
            *tallies.entry(word(2)).or_default() += 1;
        }
    }
    let customers = customers.join(", ");
    let mut sql = format!(
        "begin; update customer_versions set version = version + 1 where (shard, customer_id) in ({customers})"
    );
    for (environment, many) in tallies {
        let tally = RAISE_TALLY.replace("$1", &many.to_string()).replace("$2", environment);
        sql.push_str(&format!("; {tally}"));
    }
    sql
}
