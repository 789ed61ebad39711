//! The schema with the tables of customers cut into partitions by their shard, as a distributed engine
//! would spread them: PostgreSQL itself then refuses keys that leave the shard out.

use crate::PARTITIONS_VARIABLE;
use std::path::Path;
use tokio_postgres::Client;

/// Into how many partitions tables are to be cut.
pub(crate) fn wanted() -> Option<u32> {
    std::env::var(PARTITIONS_VARIABLE).ok()?.parse().ok()
}

/// Makes the whole schema in an empty database.
pub(crate) async fn make(client: &Client, partitions: u32) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/postgres");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    client
        .batch_execute("create table migrations (number bigint primary key, name text not null)")
        .await
        .unwrap();
    for file in files {
        let sql = cut(&std::fs::read_to_string(&file).unwrap(), partitions);
        client.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{}: {error:?}", file.display()));
        let (number, name) = file.file_stem().unwrap().to_str().unwrap().split_once('_').unwrap();
        let number: i64 = number.parse().unwrap();
        let insert = "insert into migrations (number, name) values ($1, $2)";
        client.execute(insert, &[&number, &name]).await.unwrap();
    }
}

/// Adds partitions to every table whose first column is the shard, but for that of the shards themselves.
fn cut(sql: &str, partitions: u32) -> String {
    let mut text = String::new();
    let mut table: Option<String> = None;
    for line in sql.lines() {
        if let Some(rest) = line.strip_prefix("create table ") {
            table = rest.split(' ').next().map(str::to_owned).filter(|name| name != "shards");
            text.push_str(line);
        } else if line.trim_start().starts_with("shard smallint") || table.is_none() || !line.starts_with(')')
        {
            let is_first = text.ends_with("(\n");
            if is_first && !line.trim_start().starts_with("shard ") {
                table = None;
            }
            text.push_str(line);
        } else if let Some(name) = table.take() {
            text.push_str(") partition by hash (shard);\n");
            for n in 0..partitions {
                text.push_str(&format!(
                    "create table {name}_{n} partition of {name}
                     for values with (modulus {partitions}, remainder {n});\n"
                ));
            }
        }
        text.push('\n');
    }
    text
}
