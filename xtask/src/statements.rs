//! Whether the tests have executed every statement of the store on both databases.

use crate::run::root;
use crate::tidy::Source;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What has statements of one database only, or moves whole tables.
const NOT_SHARED: &[&str] = &[
    "crates/store/src/sqlite",
    "crates/store/src/postgres",
    "crates/store/src/copy",
    "crates/store/src/backup",
    "crates/store/src/leases",
    "crates/store/src/migrate",
];

/// Compares what was noted in files, as `database`, tab, statement, with the sources; says what is
/// missing.
pub(crate) fn all_were_executed(files: &[PathBuf]) -> bool {
    let mut noted = String::new();
    for file in files {
        match std::fs::read_to_string(file) {
            Ok(more) => noted.push_str(&more),
            Err(error) => {
                eprintln!("{}: {error}", file.display());
                return false;
            }
        }
    }
    let wanted = match wanted() {
        Ok(wanted) => wanted,
        Err(error) => {
            eprintln!("the sources cannot be read: {error}");
            return false;
        }
    };
    let mut is_whole = wanted.len() > 100;
    for database in ["sqlite", "postgres"] {
        let executed: BTreeSet<String> = noted.lines().filter_map(|line| executed(line, database)).collect();
        let all = executed.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
        for (path, part) in wanted.iter().filter(|(_, part)| !all.contains(part.as_str())) {
            eprintln!("{path}: no test executes this on {database}: {part}");
            is_whole = false;
        }
        println!("{} statements were executed on {database}", executed.len());
    }
    is_whole
}

/// The statement of a line, as it was written, if it was executed on a database: alone or over arrays.
fn executed(line: &str, database: &str) -> Option<String> {
    let (on, sql) = line.split_once('\t')?;
    if on == database {
        return Some(sql.to_owned());
    }
    (database == "postgres" && testbed::OVER_ARRAYS.contains(&on)).then(|| testbed::as_written(sql))
}

/// The parts of statements that stand in the sources of the store, each with its file.
fn wanted() -> std::io::Result<Vec<(String, String)>> {
    let sources = Source::all(&root())?;
    let shared = sources.into_iter().filter(|source| {
        source.path.starts_with("crates/store/src/")
            && !source.is_test()
            && !NOT_SHARED.iter().any(|folder| source.path.starts_with(folder))
    });
    let mut wanted = Vec::new();
    for source in shared {
        let code = source.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let source = Source::new(source.path.clone(), code.to_owned());
        for literal in &source.strings {
            let text = literal.replace("\\\n", " ");
            let part = text.split_whitespace().collect::<Vec<_>>().join(" ");
            if is_statement(&part) {
                wanted.push((source.path.clone(), part));
            }
        }
    }
    Ok(wanted)
}

/// Whether a literal is a statement, or the end of one that a macro puts together.
fn is_statement(part: &str) -> bool {
    let begins = ["insert into ", "delete from ", "update "].iter().any(|word| part.starts_with(word));
    let asks = (part.starts_with("select ") || part.starts_with("from ") || part.starts_with(", "))
        && part.contains("from ");
    (begins && part.contains('$')) || asks
}
