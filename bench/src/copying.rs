//! The limit of a billing run on PostgreSQL: every row that a real run inserted, as it stood in the end,
//! sent by `COPY` over one connection, a transaction for each batch, and nothing else: no row is read,
//! and none that was there before is changed.

use crate::asking::connect;
use crate::failure::Failure;
use crate::place::Place;
use crate::report::Taken;
use billing::timestamp::Timestamp;
use bytes::Bytes;
use futures_util::{SinkExt, TryStreamExt};
use std::pin::pin;
use tokio_postgres::Client;

/// As many as the engine decides on together.
const BATCH: i64 = 500;

/// The rows of one table in the order of their references, found from those of `batch`: the invoices of
/// the run by number of batch.
const TABLES: &[(&str, &str)] = &[
    ("invoices", "join invoices t on t.shard = b.shard and t.id = b.invoice_id"),
    ("invoice_lines", "join invoice_lines t on t.shard = b.shard and t.invoice_id = b.invoice_id"),
    (
        "periods",
        "join periods t on t.shard = b.shard and t.customer_id = b.customer_id and t.created_at = b.at",
    ),
    (
        "payments",
        "join payments t on t.shard = b.shard and t.customer_id = b.customer_id and t.created_at = b.at",
    ),
    ("journal_entries", "join journal_entries t on t.shard = b.shard and t.invoice_id = b.invoice_id"),
    (
        "postings",
        "join journal_entries j on j.shard = b.shard and j.invoice_id = b.invoice_id
         join postings t on t.shard = j.shard and t.entry_id = j.id",
    ),
    (
        "list_entries",
        "join payments p on p.shard = b.shard and p.customer_id = b.customer_id and p.created_at = b.at
         join list_entries t on t.id = p.id",
    ),
];

/// All that a run inserted, batch by batch: the table, and its rows in the format of `COPY`.
pub(crate) struct Script {
    batches: Vec<Vec<(String, Bytes)>>,
    counts: Vec<i64>,
    rows: usize,
}

impl Script {
    /// Reads what a run at an instant inserted.
    pub(crate) async fn of(address: &str, now: Timestamp) -> Result<Script, Failure> {
        let client = connect(address).await?;
        client
            .batch_execute(&format!(
                "create temp table batch as select shard, customer_id, id as invoice_id, created_at as at,
                   (row_number() over (order by ordinal) - 1) / {BATCH} as n
                 from invoices where created_at = {};
                 analyze",
                now.micros()
            ))
            .await?;
        for (table, join) in TABLES {
            client
                .batch_execute(&format!(
                    "create temp table of_{table} as select b.n, t as written from batch b {join};
                     create index on of_{table} (n)"
                ))
                .await?;
        }
        let last: i64 = client.query_one("select max(n) from batch", &[]).await?.get(0);
        let mut script = Script { batches: Vec::new(), counts: counts(&client).await?, rows: 0 };
        for n in 0..=last {
            let mut batch = Vec::with_capacity(TABLES.len());
            for (table, _) in TABLES {
                let sql = format!("copy (select (written).* from of_{table} where n = {n}) to stdout");
                let chunks: Vec<Bytes> = client.copy_out(&sql).await?.try_collect().await?;
                script.rows += chunks.len();
                batch.push((format!("copy {table} from stdin"), Bytes::from(chunks.concat())));
            }
            script.batches.push(batch);
        }
        Ok(script)
    }

    /// How many rows are inserted.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Writes all of it; so many operations it was.
    pub(crate) async fn play(
        &self,
        place: &Place,
        address: &str,
        operations: usize,
    ) -> Result<Taken, Failure> {
        let client = connect(address).await?;
        let meter = place.meter();
        for batch in &self.batches {
            client.batch_execute("begin").await?;
            for (sql, rows) in batch {
                let mut sink = pin!(client.copy_in::<_, Bytes>(sql).await?);
                sink.send(rows.clone()).await?;
                sink.finish().await?;
            }
            client.batch_execute("commit").await?;
        }
        Ok(meter.taken(operations))
    }

    /// Holds what was written against what the run wrote.
    pub(crate) async fn check(&self, address: &str) -> Result<(), Failure> {
        let found = counts(&connect(address).await?).await?;
        if found != self.counts {
            return Err(format!("the limit wrote {found:?}, the run {:?}", self.counts).into());
        }
        Ok(())
    }
}

/// The number of rows of each table.
async fn counts(client: &Client) -> Result<Vec<i64>, Failure> {
    let mut counts = Vec::with_capacity(TABLES.len());
    for (table, _) in TABLES {
        counts.push(client.query_one(&format!("select count(*) from {table}"), &[]).await?.get(0));
    }
    Ok(counts)
}
