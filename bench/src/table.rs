//! The table of README.md, from what two runs have kept as JSON: one on files, one on PostgreSQL.

use crate::failure::Failure;
use crate::report::short;
use serde_json::Value;
use std::path::PathBuf;

/// Where a run has nothing to say.
const NOTHING: &str = "·";

/// Prints the table of one or two files.
pub(crate) fn print(files: &[PathBuf]) -> Result<(), Failure> {
    let mut runs: Vec<Vec<Value>> = Vec::new();
    let mut heads = Vec::new();
    for file in files {
        let mut all: Value = serde_json::from_str(&std::fs::read_to_string(file)?)?;
        let is_server = all["machine"].as_str().is_some_and(|machine| machine.contains("PostgreSQL"));
        heads.push(if is_server { "PostgreSQL" } else { "SQLite" });
        match all["figures"].take() {
            Value::Array(rows) => runs.push(rows),
            _ => return Err(format!("{}: no figures", file.display()).into()),
        }
    }
    let columns = ["per second", "of the limit", "p50, p99 ms", "CPU µs"];
    let heads: Vec<String> = heads.iter().map(|head| format!(" {head}: {} |", columns.join(" | "))).collect();
    println!("| |{}", heads.concat());
    println!("|---|{}", "---|".repeat(columns.len() * runs.len()));
    let mut done: Vec<String> = Vec::new();
    for row in runs.iter().flatten() {
        let id = row["id"].as_str().ok_or("a row without an id")?;
        // The pages are one row: what counts is how far apart they are.
        let id = if id.starts_with("pages.") { "pages" } else { id };
        if done.iter().any(|known| known == id) {
            continue;
        }
        done.push(id.to_owned());
        let cells: Vec<String> =
            runs.iter().map(|run| if id == "pages" { flat(run) } else { cells(run, id) }).collect();
        let (name, unit) =
            (row["name"].as_str().unwrap_or_default(), row["unit"].as_str().unwrap_or_default());
        println!("| `{id}` {name} ({unit}) | {} |", cells.join(" | "));
    }
    Ok(())
}

/// The cells of a row in a run.
fn cells(run: &[Value], id: &str) -> String {
    let Some(row) = run.iter().find(|row| row["id"].as_str() == Some(id)) else {
        return [NOTHING; 4].join(" | ");
    };
    let number = |name: &str| row[name].as_f64();
    let shown = |value: Option<f64>| value.map_or(NOTHING.to_owned(), grouped);
    let beside = |name: &str, database: &str| match (number(name), number(database)) {
        (Some(own), Some(database)) => format!("{} + {}", grouped(own), grouped(database)),
        (own, _) => shown(own),
    };
    let latency = match (number("p50_ms"), number("p99_ms")) {
        (Some(p50), Some(p99)) => format!("{}, {}", short(p50), short(p99)),
        _ => NOTHING.to_owned(),
    };
    let limit = number("ratio")
        .map_or(NOTHING.to_owned(), |ratio| format!("{} of {}", short(ratio), shown(number("limit"))));
    let (ours, of_limit) = (beside("cpu_us", "database_us"), beside("limit_cpu_us", "limit_database_us"));
    format!("{} | {limit} | {latency} | {ours} (limit: {of_limit})", shown(number("ours")))
}

/// The cells of all pages in a run, from the least to the most.
fn flat(run: &[Value]) -> String {
    let pages = || run.iter().filter(|row| row["id"].as_str().is_some_and(|id| id.starts_with("pages.")));
    let range = |name: &str, show: fn(f64) -> String| {
        let values: Vec<f64> = pages().filter_map(|row| row[name].as_f64()).collect();
        let least = values.iter().copied().min_by(f64::total_cmp);
        let most = values.iter().copied().max_by(f64::total_cmp);
        least.zip(most).map_or(NOTHING.to_owned(), |(a, b)| format!("{} to {}", show(a), show(b)))
    };
    let latency = format!("{}, {}", range("p50_ms", short), range("p99_ms", short));
    format!(
        "{} | {} of small books | {latency} | {}",
        range("ours", grouped),
        range("ratio", short),
        range("cpu_us", grouped)
    )
}

/// A number as people write it: `13,527`.
fn grouped(value: f64) -> String {
    let text = short(value);
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}
