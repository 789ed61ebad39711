//! What came out against what is expected.

use std::collections::BTreeSet;

use billing::calendar::Zone;
use billing::scenario::{Document, DocumentKind, Line, LineKind, Outcome, Script, run};
use serde_json::Value;

use super::fields::{date, integer, list, optional_text};
use super::{Verdict, text};

/// Runs a script and holds its documents against what a case expects. Errors with what cannot be compared.
pub(super) fn judge(case: &Value, script: &Script) -> Result<Verdict, String> {
    let outcome = run(script).map_err(|error| error.to_string())?;
    let mut matched = BTreeSet::new();
    for entry in list(case, "expected") {
        if let Some((expected, got)) = difference(entry, &outcome, &mut matched)? {
            return Ok(match outcome.undescribed.first() {
                Some(plan) => Verdict::NotSupported(format!("the case does not say what {plan:?} costs")),
                None => Verdict::Differs { expected, got },
            });
        }
    }
    Ok(Verdict::Pass)
}

/// What an entry expects and what there is instead, if they are not the same.
fn difference(
    entry: &Value,
    outcome: &Outcome,
    matched: &mut BTreeSet<usize>,
) -> Result<Option<(String, String)>, String> {
    if let Some(day) = entry.get("billing_day") {
        let got = outcome.billing_day.map(i64::from);
        let same = got == Some(integer(day)?);
        return Ok((!same).then(|| (format!("billing day {day}"), format!("{got:?}"))));
    }
    let on = text(entry, "on");
    let kind = match text(entry, "type") {
        "invoice" => DocumentKind::Invoice,
        "credit_note" => DocumentKind::CreditNote,
        _ if entry.get("no_invoice").is_some() || entry.get("no_more_invoices").is_some() => {
            return no_invoice(entry, outcome, matched);
        }
        _ => {
            let keys = entry.as_object().into_iter().flat_map(|fields| fields.keys().cloned());
            return Err(format!("expecting {}", keys.collect::<Vec<_>>().join(", ")));
        }
    };
    let mut first = None;
    for (index, document) in outcome.documents.iter().enumerate() {
        if document.kind != kind || !is_on(document, on)? || matched.contains(&index) {
            continue;
        }
        if same(entry, document)? {
            matched.insert(index);
            return Ok(None);
        }
        first = first.or(Some(document));
    }
    let got = first.map_or_else(|| format!("no other {} on {on}", text(entry, "type")), show);
    Ok(Some((show_expected(entry), got)))
}

/// A document drawn by a step is known by its day where the customer is or in UTC; both are in use.
fn is_on(document: &Document, on: &str) -> Result<bool, String> {
    let on = date(on)?;
    Ok(document.on == on || document.at.is_some_and(|at| Zone::utc().civil_date(at) == on))
}

fn no_invoice(
    entry: &Value,
    outcome: &Outcome,
    matched: &BTreeSet<usize>,
) -> Result<Option<(String, String)>, String> {
    let on = date(text(entry, "on"))?;
    let last = matched.iter().filter_map(|index| outcome.documents.get(*index)).map(|it| it.on).max();
    let more = entry.get("no_more_invoices").is_some();
    let unwanted = outcome.documents.iter().enumerate().find(|(index, document)| {
        let asks = document.kind == DocumentKind::Invoice
            && document.lines.iter().any(|line| !line.amount.is_zero());
        let then = if more { document.on <= on && Some(document.on) >= last } else { document.on == on };
        asks && then && !matched.contains(index)
    });
    Ok(unwanted.map(|(_, document)| (format!("no invoice by {on}"), show(document))))
}

/// Whether a document has the lines that are expected, and the total if one is.
fn same(entry: &Value, document: &Document) -> Result<bool, String> {
    let mut left = comparable(entry, document)?;
    for line in list(entry, "lines") {
        let (kinds, amount) =
            (kinds(text(line, "kind"))?, line.get("amount").ok_or("a line without an amount")?);
        let amount = integer(amount)?;
        let (from, to) = (optional_text(line.get("from"))?, optional_text(line.get("to"))?);
        let place = left.iter().position(|ours| {
            let days = ours.days.map(|days| (days.0.to_string(), days.1.to_string()));
            let same_day = |expected: Option<&str>, ours: Option<&String>| {
                expected.is_none_or(|expected| ours.is_some_and(|day| day == expected))
            };
            kinds.contains(&ours.kind)
                && ours.amount.minor() == amount
                && same_day(from, days.as_ref().map(|days| &days.0))
                && same_day(to, days.as_ref().map(|days| &days.1))
        });
        let Some(place) = place else { return Ok(false) };
        left.remove(place);
    }
    // What was not asked for may be there only if it is not a charge or a credit.
    let aside = [LineKind::Tax, LineKind::Balance, LineKind::CreditApplied, LineKind::Trial];
    let expected: Vec<LineKind> = list(entry, "lines")
        .iter()
        .filter_map(|line| kinds(text(line, "kind")).ok())
        .flatten()
        .copied()
        .collect();
    let surplus = |line: &Line| {
        !line.amount.is_zero() && (!aside.contains(&line.kind) || expected.contains(&line.kind))
    };
    if left.iter().any(surplus) {
        return Ok(false);
    }
    let Some(total) = entry.get("total").map(integer).transpose()? else { return Ok(true) };
    let told = expected.iter().any(|kind| matches!(kind, LineKind::Balance | LineKind::CreditApplied));
    let before = document.total_before_balance().map_err(|error| error.to_string())?;
    Ok(document.total.minor() == total || (!told && before.minor() == total))
}

/// The document's lines, the credit with its tax in one if the case tells it so.
fn comparable(entry: &Value, document: &Document) -> Result<Vec<Line>, String> {
    if !list(entry, "lines").iter().any(|line| text(line, "kind") == "credit_incl_tax") {
        return Ok(document.lines.clone());
    }
    let Some(first) = document.lines.first() else { return Ok(Vec::new()) };
    Ok(vec![Line { kind: LineKind::Credit, amount: document.total, days: first.days }])
}

/// What a kind of line is called by those whose cases these are.
fn kinds(word: &str) -> Result<&'static [LineKind], String> {
    Ok(match word {
        "recurring" | "subscription" | "charge" => &[LineKind::Charge],
        "trial" => &[LineKind::Trial],
        "repair" | "credit" | "credit_incl_tax" => &[LineKind::Credit],
        "balance" => &[LineKind::Balance],
        "credit_note" => &[LineKind::CreditApplied],
        "tax" => &[LineKind::Tax],
        "usage" => &[LineKind::Usage],
        "minimum_true_up" => &[LineKind::TrueUp],
        "progressive_credit" => &[LineKind::BilledBefore],
        "proration" => &[LineKind::Difference],
        _ => return Err(format!("lines of the kind {word:?}")),
    })
}

fn show_expected(entry: &Value) -> String {
    let lines = list(entry, "lines")
        .iter()
        .map(|line| format!("{} {}", text(line, "kind"), line.get("amount").unwrap_or(&Value::Null)));
    let total = entry.get("total").map(|total| format!(" total {total}")).unwrap_or_default();
    format!(
        "{} of {}: {}{total}",
        text(entry, "type"),
        text(entry, "on"),
        lines.collect::<Vec<_>>().join(", ")
    )
}

fn show(document: &Document) -> String {
    let lines = document.lines.iter().map(|line| format!("{} {}", word(line.kind), line.amount.minor()));
    let kind = match document.kind {
        DocumentKind::Invoice => "invoice",
        DocumentKind::CreditNote => "credit_note",
    };
    let lines = lines.collect::<Vec<_>>().join(", ");
    format!("{kind} of {}: {lines} total {}", document.on, document.total.minor())
}

fn word(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Trial => "trial",
        LineKind::Charge => "charge",
        LineKind::Credit => "credit",
        LineKind::Difference => "proration",
        LineKind::Usage => "usage",
        LineKind::TrueUp => "minimum_true_up",
        LineKind::BilledBefore => "progressive_credit",
        LineKind::Tax => "tax",
        LineKind::CreditApplied => "credit_note",
        LineKind::Balance => "balance",
    }
}
