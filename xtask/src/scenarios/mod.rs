//! `cargo xtask scenarios FILE`: runs numeric cases of billing systems through `billing::scenario`.
//!
//! A case states a rule, what is given, what happens and what comes out. The rule and the given become
//! settings and plans ([`rules`], [`script`]), the steps become verbs, the engine runs, and what it drew is
//! held against what is expected ([`compare`]). Nothing here knows a case by its name.

mod compare;
mod cycles;
mod fields;
mod rules;
mod script;
mod single;

use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All that it expects comes out.
    Pass,
    /// Something else comes out.
    Differs {
        /// What it expects.
        expected: String,
        /// What comes out.
        got: String,
    },
    /// It needs what is not built, or a rule that is not ours.
    NotSupported(String),
}

/// Runs every case of a file, prints a line for each, and fails when any differs.
pub(crate) fn run(file: &Path) -> ExitCode {
    let cases = match read(file) {
        Ok(cases) => cases,
        Err(error) => {
            eprintln!("{}: {error}", file.display());
            return ExitCode::from(2);
        }
    };
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for case in &cases {
        let id = text(case, "id");
        match judge(case) {
            Verdict::Pass => {
                passed += 1;
                println!("pass {id} {}", text(case, "title"));
            }
            Verdict::Differs { expected, got } => {
                failed += 1;
                println!("differs {id} expected {expected} got {got}");
            }
            Verdict::NotSupported(reason) => {
                skipped += 1;
                println!("not supported yet {id} {reason}");
            }
        }
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(file: &Path) -> Result<Vec<Value>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    match serde_json::from_str(&text).map_err(|error| error.to_string())? {
        Value::Array(cases) => Ok(cases),
        _ => Err("not a list of cases".to_owned()),
    }
}

/// Runs one case.
pub(crate) fn judge(case: &Value) -> Verdict {
    let expects = match case.get("expected") {
        Some(Value::Array(entries)) => !entries.is_empty(),
        Some(Value::Object(fields)) => !fields.is_empty(),
        _ => false,
    };
    if !expects {
        return Verdict::NotSupported("nothing is expected".to_owned());
    }
    let judged = match text(case, "kind") {
        "proration_cycles" => cycles::judge_cycles(case),
        "validation" => cycles::judge_validation(case),
        "dates" => cycles::judge_dates(case),
        "amounts" => judge_amounts(case),
        "quantities" => Err("use that is told in words, not as events".to_owned()),
        kind => Err(format!("cases of the kind {kind:?}")),
    };
    judged.unwrap_or_else(Verdict::NotSupported)
}

fn judge_amounts(case: &Value) -> Result<Verdict, String> {
    if let Some(judged) = single::judge(case) {
        return judged;
    }
    let read = script::read(case)?;
    let verdict = compare::judge(case, &read.script)?;
    let Verdict::Differs { expected, got } = &verdict else { return Ok(verdict) };
    let figures = format!("(expected {expected}, ours {got})");
    if let Some(rule) = &read.other_rule {
        return Ok(Verdict::NotSupported(format!("our rule differs: {rule} {figures}")));
    }
    if let Some((ours, theirs)) =
        rules::other_day(&read.script, |script| matches!(compare::judge(case, script), Ok(Verdict::Pass)))
    {
        return Ok(Verdict::NotSupported(format!(
            "our rule differs: {ours}, the figures are right if {theirs} {figures}"
        )));
    }
    if !read.unread.is_empty() {
        return Ok(Verdict::NotSupported(format!("{} is not read {figures}", read.unread.join(", "))));
    }
    Ok(verdict)
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests;
