//! The limit of a billing run: the rows and updates that a real run wrote, from memory, by prepared
//! statements on one connection, with the same batches, commits and durability, and nothing else.

use crate::failure::Failure;
use crate::place::Place;
use crate::report::Taken;
use billing::timestamp::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use std::collections::BTreeMap;
use std::path::Path;

/// As many as the engine decides on together.
const BATCH: usize = 500;

/// One statement and the parameters of all its executions.
struct Step {
    sql: String,
    sets: Vec<Vec<Value>>,
}

/// Statements that are committed together.
type Batch = Vec<Step>;

/// All that a run wrote, batch by batch.
pub(crate) struct Script {
    batches: Vec<Batch>,
    counts: BTreeMap<&'static str, i64>,
}

/// Tables whose number of rows must come out the same.
const COUNTED: &[&str] = &[
    "invoices",
    "invoice_lines",
    "periods",
    "payments",
    "journal_entries",
    "postings",
    "list_entries",
    "list_nodes",
    "tallies",
];

impl Script {
    /// Reads what a run at an instant wrote, by comparing the books after it with those before it.
    pub(crate) fn of(before: &Path, after: &Path, now: Timestamp) -> Result<Script, Failure> {
        let connection = Connection::open(after)?;
        connection.execute("attach ?1 as old", [before.to_str().ok_or("a path that is not UTF-8")?])?;
        // The copy is thrown away; these only make reading it quick.
        connection.execute_batch(
            "create index main.by_entry on journal_entries (invoice_id);
             create index main.by_list on list_entries (id);
             create index main.by_version on customer_versions (customer_id);
             create index main.by_line on invoice_lines (invoice_id);
             create index main.by_payment on payments (invoice_id);
             create index main.by_payer on payments (customer_id);
             create index main.by_buyer on invoices (customer_id);
             create index main.by_period on periods (customer_id);
             create index main.by_subscriber on subscriptions (customer_id);
             analyze main",
        )?;
        let reader = Reader { connection: &connection, now: now.micros() };
        let mut batches = Vec::new();
        let invoices = reader.rows("select * from invoices where created_at = ?1 order by ordinal")?;
        let renewals: i64 = invoices.rows.len() as i64;
        for first in (0..renewals).step_by(BATCH) {
            let (intents, outcomes) = reader.batch(first, first + BATCH as i64 >= renewals)?;
            batches.push(intents);
            batches.push(outcomes);
        }
        Ok(Script { batches, counts: counts(&connection)? })
    }

    /// How many rows are inserted or updated.
    pub(crate) fn rows(&self) -> usize {
        self.batches.iter().flatten().map(|step| step.sets.len()).sum()
    }

    /// Writes all of it; so many operations it was.
    pub(crate) fn play(&self, place: &Place, path: &Path, operations: usize) -> Result<Taken, Failure> {
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "pragma synchronous = full; pragma wal_autocheckpoint = 10000; pragma foreign_keys = on;
             pragma journal_size_limit = 268435456; pragma cache_size = -65536; pragma mmap_size = 1099511627776;
             pragma temp_store = memory",
        )?;
        connection.set_prepared_statement_cache_capacity(512);
        let meter = place.meter();
        for batch in &self.batches {
            connection.prepare_cached("begin immediate")?.execute([])?;
            for step in batch {
                let mut statement = connection.prepare_cached(&step.sql)?;
                for set in &step.sets {
                    statement.execute(params_from_iter(set))?;
                }
            }
            connection.prepare_cached("commit")?.execute([])?;
        }
        Ok(meter.taken(operations))
    }

    /// Holds what was written against what the run wrote.
    pub(crate) fn check(&self, path: &Path) -> Result<(), Failure> {
        let found = counts(&Connection::open(path)?)?;
        if found != self.counts {
            return Err(format!("the limit wrote {found:?}, the run {:?}", self.counts).into());
        }
        Ok(())
    }
}

fn counts(connection: &Connection) -> Result<BTreeMap<&'static str, i64>, Failure> {
    let mut counts = BTreeMap::new();
    for table in COUNTED {
        let sql = format!("select count(*) from main.{table}");
        counts.insert(*table, connection.query_row(&sql, [], |row| row.get(0))?);
    }
    let settled = "select sum(settled) from main.invoices";
    counts.insert("settled", connection.query_row(settled, [], |row| row.get(0))?);
    let due = "select cast(sum(due_at / 1000000) as integer) from main.subscriptions";
    counts.insert("due", connection.query_row(due, [], |row| row.get(0))?);
    let versions = "select sum(version) from main.customer_versions";
    counts.insert("versions", connection.query_row(versions, [], |row| row.get(0))?);
    Ok(counts)
}

/// Rows with the names of their columns.
struct Rows {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

impl Rows {
    fn at(&self, column: &str) -> Result<usize, Failure> {
        self.columns
            .iter()
            .position(|name| name == column)
            .ok_or_else(|| format!("no column {column}").into())
    }

    /// Columns of every row.
    fn columns(&self, names: &[&str]) -> Result<Vec<Vec<Value>>, Failure> {
        let places = names.iter().map(|name| self.at(name)).collect::<Result<Vec<_>, _>>()?;
        Ok(self.rows.iter().map(|row| places.iter().map(|at| row[*at].clone()).collect()).collect())
    }

    /// The insert of every row.
    fn insert(self, table: &str) -> Step {
        let marks: Vec<String> = (1..=self.columns.len()).map(|n| format!("?{n}")).collect();
        let sql = format!("insert into {table} ({}) values ({})", self.columns.join(", "), marks.join(", "));
        Step { sql, sets: self.rows }
    }

    /// The update of some columns of every row, by shard and id.
    fn update(&self, table: &str, set: &[&str]) -> Result<Step, Failure> {
        let sets: Vec<String> = (3..).zip(set).map(|(n, column)| format!("{column} = ?{n}")).collect();
        let sql = format!("update {table} set {} where shard = ?1 and id = ?2", sets.join(", "));
        let names: Vec<&str> = ["shard", "id"].iter().chain(set).copied().collect();
        Ok(Step { sql, sets: self.columns(&names)? })
    }

    /// Puts the same value into a column of every row.
    fn set(&mut self, column: &str, value: &Value) -> Result<(), Failure> {
        let at = self.at(column)?;
        for row in &mut self.rows {
            row[at] = value.clone();
        }
        Ok(())
    }
}

/// The books after a run, with those before it attached as `old`.
struct Reader<'c> {
    connection: &'c Connection,
    now: i64,
}

impl Reader<'_> {
    fn rows(&self, sql: &str) -> Result<Rows, Failure> {
        self.rows_with(sql, &[Value::Integer(self.now)])
    }

    fn rows_with(&self, sql: &str, params: &[Value]) -> Result<Rows, Failure> {
        let mut statement = self.connection.prepare(sql)?;
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let width = columns.len();
        let rows = statement
            .query_map(params_from_iter(params), |row| (0..width).map(|at| row.get(at)).collect())?;
        Ok(Rows { rows: rows.collect::<Result<_, _>>()?, columns })
    }

    /// Both commits of one batch: the intents, and what came of them.
    fn batch(&self, first: i64, is_last: bool) -> Result<(Batch, Batch), Failure> {
        self.connection.execute_batch("drop table if exists temp.batch")?;
        self.connection.execute(
            "create temp table batch as select customer_id, id as invoice_id from invoices
             where created_at = ?1 order by ordinal limit ?2 offset ?3",
            rusqlite::params![self.now, BATCH as i64, first],
        )?;
        Ok((self.intents()?, self.outcomes(is_last)?))
    }

    /// The rows of the batch in a table of the customers.
    fn of_batch(&self, table: &str, time: &str) -> Result<Rows, Failure> {
        self.rows(&format!(
            "select t.* from temp.batch b cross join {table} t on t.customer_id = b.customer_id where t.{time} = ?1"
        ))
    }

    fn entries(&self, is_invoice: bool) -> Result<[Step; 2], Failure> {
        let kind = if is_invoice { "= 'invoice'" } else { "<> 'invoice'" };
        let entries = self.rows(&format!(
            "select j.* from temp.batch b join journal_entries j on j.invoice_id = b.invoice_id
             where j.at = ?1 and j.kind {kind} order by j.id"
        ))?;
        let postings = self.rows(&format!(
            "select p.* from temp.batch b join journal_entries j on j.invoice_id = b.invoice_id
             join postings p on p.shard = j.shard and p.entry_id = j.id
             where j.at = ?1 and j.kind {kind} order by p.entry_id, p.position"
        ))?;
        Ok([entries.insert("journal_entries"), postings.insert("postings")])
    }

    fn raise_versions(&self) -> Result<Step, Failure> {
        let rows = self.rows_with(
            "select v.shard, v.customer_id from temp.batch b join customer_versions v on v.customer_id = b.customer_id",
            &[],
        )?;
        Ok(Step {
            sql: "update customer_versions set version = version + 1 where shard = ?1 and customer_id = ?2"
                .into(),
            sets: rows.rows,
        })
    }

    fn intents(&self) -> Result<Batch, Failure> {
        let mut invoices = self.of_batch("invoices", "created_at")?;
        let n = Value::Integer(invoices.rows.len() as i64);
        for (column, value) in
            [("status", Value::Text("open".into())), ("settled", Value::Integer(0)), ("paid_at", Value::Null)]
        {
            invoices.set(column, &value)?;
        }
        let mut payments = self.of_batch("payments", "created_at")?;
        payments.set("status", &Value::Text("processing".into()))?;
        payments.set("gateway_reference", &Value::Null)?;
        let lines = self.rows(
            "select l.* from temp.batch b join invoice_lines l on l.invoice_id = b.invoice_id where l.created_at = ?1",
        )?;
        let subscriptions = self.of_batch("subscriptions", "updated_at")?;
        let tallies = ["invoices", "invoice_lines", "periods", "payments"];
        let counted = tallies.iter().map(|kind| vec![n.clone(), Value::Text((*kind).into())]).collect();
        let mut batch = vec![
            self.raise_versions()?,
            Step {
                sql: "update tallies set n = n + ?1 where environment = 1 and kind = ?2".into(),
                sets: counted,
            },
            invoices.insert("invoices"),
            lines.insert("invoice_lines"),
            self.of_batch("periods", "created_at")?.insert("periods"),
            payments.insert("payments"),
            subscriptions.update(
                "subscriptions",
                &["period_index", "period_id", "period_start", "period_end", "due_at", "updated_at"],
            )?,
        ];
        batch.extend(self.entries(true)?);
        Ok(batch)
    }

    fn outcomes(&self, is_last: bool) -> Result<Batch, Failure> {
        let invoices = self.of_batch("invoices", "created_at")?;
        let payments = self.of_batch("payments", "created_at")?;
        let listed = self.rows(
            "select e.* from temp.batch b join payments p on p.invoice_id = b.invoice_id
             join list_entries e on e.id = p.id where e.at = ?1 order by e.id",
        )?;
        let mut batch = vec![
            self.raise_versions()?,
            invoices.update("invoices", &["status", "settled", "paid_at", "updated_at"])?,
            payments.update("payments", &["status", "paid_at", "gateway_reference", "updated_at"])?,
            listed.insert("list_entries"),
        ];
        if is_last {
            let nodes = self.rows_with(
                "select n.* from list_nodes n where not exists (select 1 from old.list_nodes o
                 where o.environment = n.environment and o.ranking = n.ranking and o.level = n.level
                 and o.at = n.at and o.id = n.id)",
                &[],
            )?;
            batch.push(nodes.insert("list_nodes"));
        }
        batch.extend(self.entries(false)?);
        Ok(batch)
    }
}
