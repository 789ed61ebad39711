//! The tables of customers cut into partitions by their shard, as a distributed engine would spread them:
//! PostgreSQL itself then refuses keys that leave the shard out, and each partition is vacuumed by itself.

use super::failure::Failure;
use super::session::answered;
use std::sync::Arc;
use tokio_postgres::Client;

/// What begins a table whose rows belong to customers.
const SHARD: &str = "shard smallint not null,";
/// It says who bills which shard, and belongs to no customer.
const OF_NO_CUSTOMER: &str = "shards";

/// Into how many partitions the tables of customers are cut; none if they are whole.
pub(super) async fn count(client: &Arc<Client>) -> Result<Option<u32>, Failure> {
    let sql = "select count(*) from pg_catalog.pg_inherits where inhparent = to_regclass('customers')";
    let rows = answered(client.query_typed(sql, &[])).await?;
    let count: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
    Ok(u32::try_from(count).ok().filter(|count| *count > 0))
}

/// A migration that makes each new table of customers in partitions.
pub(super) fn cut(sql: &str, partitions: u32) -> String {
    let mut text = String::with_capacity(sql.len() * 2);
    let mut rest = sql;
    while let Some(start) = rest.find("create table ") {
        let (before, from) = rest.split_at(start);
        text.push_str(before);
        let end = from.find(";\n").map_or(from.len(), |end| end + 1);
        let (table, after) = from.split_at(end);
        text.push_str(&cut_table(table, partitions).unwrap_or_else(|| table.to_owned()));
        rest = after;
    }
    text.push_str(rest);
    text
}

/// A table in partitions; none if it belongs to no customer.
fn cut_table(table: &str, partitions: u32) -> Option<String> {
    let (name, columns) = table.strip_prefix("create table ")?.split_once(" (")?;
    if name == OF_NO_CUSTOMER || !columns.trim_start().starts_with(SHARD) {
        return None;
    }
    // What is said of how rows are stored belongs to the partitions, which store them.
    let (columns, storage) = columns.rsplit_once("\n)")?;
    let storage = storage.trim_end_matches(';');
    let mut text = format!("create table {name} ({columns}\n) partition by hash (shard);");
    for remainder in 0..partitions {
        text.push_str(&format!(
            "\ncreate table {name}_{remainder} partition of {name} for values with \
             (modulus {partitions}, remainder {remainder}){storage};"
        ));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_customers_are_cut_and_no_others() {
        let sql = "create table a (\n  id uuid not null\n) with (fillfactor = 70);\n\
                   create table b (\n  shard smallint not null,\n  n bigint check (n > 0)\n) with (fillfactor = 70);\n\
                   create index b_n on b (n);\n\
                   create table c (\n    shard smallint not null,\n    primary key (shard)\n);\n\
                   create table shards (\n  shard smallint not null,\n  n bigint\n);\n\
                   insert into shards values (0);\n";
        assert_eq!(
            cut(sql, 2),
            "create table a (\n  id uuid not null\n) with (fillfactor = 70);\n\
             create table b (\n  shard smallint not null,\n  n bigint check (n > 0)\n) partition by hash (shard);\n\
             create table b_0 partition of b for values with (modulus 2, remainder 0) with (fillfactor = 70);\n\
             create table b_1 partition of b for values with (modulus 2, remainder 1) with (fillfactor = 70);\n\
             create index b_n on b (n);\n\
             create table c (\n    shard smallint not null,\n    primary key (shard)\n) partition by hash (shard);\n\
             create table c_0 partition of c for values with (modulus 2, remainder 0);\n\
             create table c_1 partition of c for values with (modulus 2, remainder 1);\n\
             create table shards (\n  shard smallint not null,\n  n bigint\n);\n\
             insert into shards values (0);\n"
        );
    }

    #[test]
    fn every_table_of_the_books_with_a_shard_is_cut() {
        for migration in crate::migrate::POSTGRES {
            let with_shard =
                migration.sql.matches(SHARD).count() - migration.sql.matches("table shards").count();
            assert_eq!(
                cut(migration.sql, 3).matches("partition by").count(),
                with_shard,
                "{}",
                migration.name
            );
        }
    }
}
