//! Two programs beside each other: another bench and this one measure in turns, so that what the machine does
//! meanwhile happens to both.

use crate::failure::Failure;
use crate::options::Options;
use crate::place::PID_FILE;
use crate::report::{median, short};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// What of a row is compared: its name in JSON, and what it is called.
const FIGURES: [(&str, &str); 4] =
    [("ours", "rate"), ("p99_ms", "p99 ms"), ("cpu_us", "cpu µs"), ("database_us", "db µs")];

/// The values of a figure, round by round: the other program's and this one's.
type Rounds = BTreeMap<(String, &'static str), (Vec<f64>, Vec<f64>)>;

/// Runs both, each round with the same options, and prints the medians and what they are of each other.
pub(crate) fn measure(options: &Options, other: &Path) -> Result<(), Failure> {
    let data = options.data()?;
    let mut rounds = Rounds::new();
    for round in 0..options.rounds() {
        eprintln!("round {} of {}", round + 1, options.rounds());
        for (program, is_other) in [(other.to_owned(), true), (std::env::current_exe()?, false)] {
            for figure in one_round(options, &program, &data)? {
                let id = figure["id"].as_str().ok_or("a row without an id")?;
                for (name, _) in FIGURES {
                    let Some(value) = figure[name].as_f64() else { continue };
                    let both = rounds.entry((id.to_owned(), name)).or_default();
                    if is_other { both.0.push(value) } else { both.1.push(value) }
                }
            }
        }
    }
    println!("{:<34} {:<8} {:>12} {:>12} {:>8}", "", "", "other", "this", "ratio");
    let mut rows = Vec::new();
    for ((id, name), (old, new)) in &rounds {
        let ratios: Vec<f64> = old.iter().zip(new).map(|(old, new)| new / old).collect();
        let (other, this, ratio) = (median(old), median(new), median(&ratios));
        let title = FIGURES.iter().find(|(known, _)| known == name).map_or("", |(_, title)| title);
        let mark = if *name == "ours" && ratio < 0.95 { "  below 0.95" } else { "" };
        println!("{id:<34} {title:<8} {:>12} {:>12} {ratio:>8.3}{mark}", short(other), short(this));
        rows.push(json!({
            "id": id, "figure": name, "other": other, "this": this, "ratio": ratio,
            "rounds": { "other": old, "this": new, "ratio": ratios },
        }));
    }
    if let Some(path) = &options.json {
        std::fs::write(path, format!("{:#}\n", json!({ "rows": rows })))?;
    }
    Ok(())
}

/// The rows of one round of a program.
fn one_round(options: &Options, program: &Path, data: &Path) -> Result<Vec<Value>, Failure> {
    let figures: PathBuf = data.join("round.json");
    let mut command = Command::new(program);
    command.args(["--rounds", "1", "--connections", &options.connections.to_string()]);
    command.arg("--json").arg(&figures).arg("--data").arg(data).stdout(Stdio::null());
    if options.quick {
        command.arg("--quick");
    }
    if let Some(database) = &options.database {
        command.args(["--database", database]);
    }
    if !options.only.is_empty() {
        command.args(["--only", &options.only.join(",")]);
    }
    if !command.status()?.success() {
        eprintln!("{}: not everything could be measured", program.display());
    }
    // The server that it started ends a moment after it.
    while data.join("postgres/data").join(PID_FILE).exists() {
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut all: Value = serde_json::from_str(&std::fs::read_to_string(&figures)?)?;
    std::fs::remove_file(&figures)?;
    match all["figures"].take() {
        Value::Array(rows) => Ok(rows),
        _ => Err("a file without figures".into()),
    }
}
