//! `scenarios FILE`: plays numeric cases of billing systems with the product's own verbs.
//!
//! A case says what is given, what happens and what comes out. The given becomes books of their own with
//! products, prices and a customer; the steps become use cases of the engine and a clock that is moved; the
//! invoices are read back and held against what is expected. What happens is read in [`setting`] and
//! [`play`], all calls to the engine stand in [`driver`], the figures are held in [`compare`] and [`periods`].
//! Nothing here knows a case by its name but the list of known differences ([`differences`]).
//!
//! A case that needs what is not built yet says so and counts as nothing. One that differs fails the run
//! unless it is on the list, and so does one on the list that does not differ.

mod compare;
mod differences;
mod driver;
mod fields;
mod periods;
mod play;
mod report;
mod setting;
#[cfg(test)]
mod tests;
mod verdict;

use clap::Parser;
use driver::Product;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use verdict::Verdict;

/// Plays numeric billing cases and says of each whether its figures come out.
#[derive(Debug, Parser)]
struct Arguments {
    /// The cases, as JSON.
    file: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let file = Arguments::parse().file;
    match run(&file).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{}: {error}", file.display());
            ExitCode::from(2)
        }
    }
}

/// Plays every case of a file and prints a line for each. False if one differs and is not on the list, or is
/// on the list and does not differ.
async fn run(file: &Path) -> Result<bool, String> {
    let cases = read(file)?;
    let known = differences::known()?;
    let product = Product::open().await;
    let mut report = report::Report::default();
    for case in &cases {
        let verdict = judge(&product, case).await;
        let id = fields::text(case, "id");
        println!("{}", report.line(id, fields::text(case, "title"), &verdict, known.get(id).copied()));
    }
    println!("{}", report.sum());
    Ok(report.is_good())
}

/// The cases of a file.
fn read(file: &Path) -> Result<Vec<Value>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    match serde_json::from_str(&text).map_err(|error| error.to_string())? {
        Value::Array(cases) => Ok(cases),
        _ => Err("not a list of cases".to_owned()),
    }
}

/// Plays one case.
async fn judge(product: &Product, case: &Value) -> Verdict {
    let judged = match fields::text(case, "kind") {
        "amounts" => play::judge(product, case).await,
        "proration_cycles" => periods::judge_count(product, case).await,
        "validation" => periods::judge_refusal(product, case).await,
        "dates" => periods::judge_dates(product, case).await,
        "quantities" => Err(Verdict::not_yet("usage")),
        kind => Err(Verdict::not_yet(format!("cases of the kind {kind:?}"))),
    };
    judged.unwrap_or_else(|verdict| verdict)
}
