//! What is printed, and kept as JSON.

use crate::failure::Failure;
use serde_json::{Value, json};
use std::path::Path;

/// What one round of work came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Taken {
    /// Operations per second.
    pub(crate) rate: f64,
    /// The median of what one operation took, in milliseconds; none where operations are not waited for one by one.
    pub(crate) p50_ms: Option<f64>,
    /// The 99th percentile of it.
    pub(crate) p99_ms: Option<f64>,
    /// Processor time of one operation, in microseconds: of this process, in which the server or the bare loop
    /// is, and not of the one that asks.
    pub(crate) cpu_us: Option<f64>,
    /// Processor time of one operation in all processes of PostgreSQL; none where there is none to look at.
    pub(crate) database_us: Option<f64>,
}

/// One comparison: ours beside the limit, over rounds in which they took turns.
#[derive(Debug)]
pub(crate) struct Row {
    /// What the row is called from version to version.
    pub(crate) id: String,
    /// What is measured.
    pub(crate) name: String,
    /// Of what: `renewals/s`.
    pub(crate) unit: &'static str,
    /// Ours, round by round.
    pub(crate) ours: Vec<Taken>,
    /// The limit's, round by round.
    pub(crate) limit: Vec<Taken>,
    /// The ratio that is aimed at, if one is.
    pub(crate) goal: Option<f64>,
}

impl Row {
    /// A row of which nothing has been measured yet.
    pub(crate) fn new(id: &str, name: &str, unit: &'static str, goal: Option<f64>) -> Row {
        Row { id: id.to_owned(), name: name.to_owned(), unit, ours: Vec::new(), limit: Vec::new(), goal }
    }

    fn median(taken: &[Taken], of: impl Fn(&Taken) -> Option<f64>) -> Option<f64> {
        let values: Vec<f64> = taken.iter().filter_map(of).collect();
        (!values.is_empty()).then(|| median(&values))
    }
}

/// All figures of a run.
pub(crate) struct Report {
    figures: Vec<Value>,
    notes: Vec<Value>,
    failed: Vec<Value>,
    quick: bool,
    machine: String,
}

impl Report {
    /// Prints the heading.
    pub(crate) fn begin(quick: bool) -> Self {
        if quick {
            println!("Quick: smaller books and fewer rounds than the figures in README.md.");
        }
        Self { figures: Vec::new(), notes: Vec::new(), failed: Vec::new(), quick, machine: String::new() }
    }

    /// Says on what it is measured.
    pub(crate) fn machine(&mut self, text: &str) {
        println!("{text}");
        self.machine = text.to_owned();
    }

    /// Begins a group of figures.
    pub(crate) fn section(&self, title: &str) {
        println!("\n{title}");
        print!("{:<24} {:>10} {:>10} {:>7} {:>5}", "", "ours", "limit", "ratio", "goal");
        println!(" {:>8} {:>8} {:>8} {:>8} {:>8}", "p50 ms", "p99 ms", "cpu µs", "db µs", "limit µs");
    }

    /// Prints and keeps a comparison. The ratio is the median of the rounds' ratios.
    pub(crate) fn row(&mut self, row: &Row) {
        let ratios: Vec<f64> =
            row.ours.iter().zip(&row.limit).map(|(ours, limit)| ours.rate / limit.rate).collect();
        let rates = |taken: &[Taken]| taken.iter().map(|taken| taken.rate).collect::<Vec<f64>>();
        let (our_rates, limit_rates) = (rates(&row.ours), rates(&row.limit));
        let (ours, limit, ratio) = (median(&our_rates), median(&limit_rates), median(&ratios));
        let of = |taken: &[Taken], value: fn(&Taken) -> Option<f64>| Row::median(taken, value);
        let (p50, p99) = (of(&row.ours, |t| t.p50_ms), of(&row.ours, |t| t.p99_ms));
        let (cpu, database) = (of(&row.ours, |t| t.cpu_us), of(&row.ours, |t| t.database_us));
        let (limit_cpu, limit_database) = (of(&row.limit, |t| t.cpu_us), of(&row.limit, |t| t.database_us));
        let limit_all = limit_cpu.map(|cpu| cpu + limit_database.unwrap_or(0.0));
        print!("{:<24} {:>10} {:>10} {ratio:>7.3}", row.id, short(ours), short(limit));
        print!(" {:>5}", row.goal.map_or("-".to_owned(), |goal| format!("{goal:.2}")));
        for value in [p50, p99, cpu, database, limit_all] {
            print!(" {:>8}", value.map_or("-".to_owned(), short));
        }
        let mark = if row.goal.is_some_and(|goal| ratio < goal) { ", below the goal" } else { "" };
        println!("  {} ({}){mark}", row.name, row.unit);
        self.figures.push(json!({
            "id": row.id, "name": row.name, "unit": row.unit, "ours": ours, "limit": limit, "ratio": ratio,
            "goal": row.goal, "p50_ms": p50, "p99_ms": p99, "cpu_us": cpu, "database_us": database,
            "limit_cpu_us": limit_cpu, "limit_database_us": limit_database,
            "rounds": { "ours": our_rates, "limit": limit_rates, "ratio": ratios },
        }));
    }

    /// Prints and keeps a single value.
    pub(crate) fn note(&mut self, name: &str, value: f64, unit: &str) {
        println!("{name}: {} {unit}", short(value));
        self.notes.push(json!({ "name": name, "value": value, "unit": unit }));
    }

    /// Says why something is not measured here.
    pub(crate) fn skip(&self, id: &str, why: &str) {
        println!("\n{id}: not measured here: {why}");
    }

    /// Says that a row, or what was left of a group, could not be measured; the others are.
    pub(crate) fn failed(&mut self, id: &str, error: &Failure) {
        println!("{id:<24} FAILED: {error}");
        self.failed.push(json!({ "id": id, "error": error.to_string() }));
    }

    /// How many could not be measured.
    pub(crate) fn failures(&self) -> usize {
        self.failed.len()
    }

    /// Keeps everything in a file.
    pub(crate) fn write_json(&self, path: &Path) -> Result<(), Failure> {
        let all = json!({
            "quick": self.quick, "machine": self.machine, "figures": self.figures, "notes": self.notes,
            "failed": self.failed,
        });
        std::fs::write(path, format!("{all:#}\n"))?;
        Ok(())
    }
}

/// The median; 0 of nothing.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

/// The 99th percentile; 0 of nothing.
pub(crate) fn p99(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() * 99 / 100).copied().unwrap_or(0.0)
}

/// A number with as many digits as matter.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 1.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}
