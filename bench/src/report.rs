//! What is printed, and kept as JSON.

use crate::Failure;
use serde_json::{Value, json};
use std::path::Path;

/// One comparison: ours beside the limit, over rounds in which they took turns.
pub(crate) struct Figure {
    /// What is measured.
    pub(crate) name: String,
    /// Of what: `renewals/s`.
    pub(crate) unit: &'static str,
    /// Ours, round by round.
    pub(crate) ours: Vec<f64>,
    /// The limit's, round by round.
    pub(crate) limit: Vec<f64>,
    /// The ratio that is aimed at.
    pub(crate) goal: f64,
}

/// All figures of a run.
pub(crate) struct Report {
    figures: Vec<Value>,
    notes: Vec<Value>,
    quick: bool,
    machine: String,
}

impl Report {
    /// Prints the heading.
    pub(crate) fn begin(quick: bool) -> Self {
        if quick {
            println!("Quick: smaller books and fewer rounds than the figures in README.md.");
        }
        Self { figures: Vec::new(), notes: Vec::new(), quick, machine: String::new() }
    }

    /// Says on what it is measured.
    pub(crate) fn machine(&mut self, text: &str) {
        println!("{text}");
        self.machine = text.to_owned();
    }

    /// Begins a group of figures.
    pub(crate) fn section(&self, title: &str) {
        println!("\n{title}");
        println!("{:<44} {:>12} {:>12} {:>7} {:>7}", "", "ours", "limit", "ratio", "goal");
    }

    /// Prints and keeps a comparison. The ratio is the median of the rounds' ratios.
    pub(crate) fn figure(&mut self, figure: &Figure) {
        let ratios: Vec<f64> =
            figure.ours.iter().zip(&figure.limit).map(|(ours, limit)| ours / limit).collect();
        let (ours, limit, ratio) = (median(&figure.ours), median(&figure.limit), median(&ratios));
        let mark = if ratio >= figure.goal { "" } else { "  below the goal" };
        println!(
            "{:<44} {:>12} {:>12} {:>7.3} {:>7.2}{mark}",
            format!("{} ({})", figure.name, figure.unit),
            short(ours),
            short(limit),
            ratio,
            figure.goal
        );
        self.figures.push(json!({
            "name": figure.name, "unit": figure.unit, "ours": ours, "limit": limit, "ratio": ratio,
            "goal": figure.goal, "rounds": { "ours": figure.ours, "limit": figure.limit, "ratio": ratios },
        }));
    }

    /// Prints and keeps a single value.
    pub(crate) fn note(&mut self, name: &str, value: f64, unit: &str) {
        println!("{:<44} {:>12}", format!("{name} ({unit})"), short(value));
        self.notes.push(json!({ "name": name, "value": value, "unit": unit }));
    }

    /// Keeps everything in a file.
    pub(crate) fn write_json(&self, path: &Path) -> Result<(), Failure> {
        let all = json!({
            "quick": self.quick, "machine": self.machine, "figures": self.figures, "notes": self.notes,
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

fn short(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 1.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}
