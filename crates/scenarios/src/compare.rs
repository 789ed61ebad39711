//! What came out against what is expected.

use crate::driver::Document;
use crate::fields::{date, integer, list, optional_text, text};
use crate::verdict::Verdict;
use billing::calendar::{Date, Zone};
use serde_json::Value;
use std::collections::BTreeSet;

/// What a line of a case is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Days without charge.
    Trial,
    /// Something is to be paid.
    Charge,
    /// Something is given back.
    Credit,
    Tax,
}

/// Holds invoices against what a case expects, up to where it needs what is not built: `stop` is the day from
/// which on nothing was played, and why.
pub(crate) fn judge(
    case: &Value,
    documents: &[Document],
    stop: Option<(Date, String)>,
) -> Result<Verdict, Verdict> {
    let expected = list(case, "expected");
    if expected.is_empty() {
        return Err(Verdict::not_yet("a case that expects nothing"));
    }
    let mut matched = BTreeSet::new();
    for entry in expected {
        if let Some((day, what)) = &stop {
            let on = optional_text(entry.get("on"))?.map(date).transpose()?;
            if on.is_none_or(|on| on >= *day) {
                return Err(Verdict::NotYet(what.clone()));
            }
        }
        if let Some((expected, got)) = difference(entry, documents, &mut matched)? {
            return Ok(Verdict::Differs { expected, got });
        }
    }
    match stop {
        Some((_, what)) => Err(Verdict::NotYet(what)),
        None => Ok(Verdict::Agrees),
    }
}

/// What an entry expects and what there is instead, if they are not the same.
fn difference(
    entry: &Value,
    documents: &[Document],
    matched: &mut BTreeSet<usize>,
) -> Result<Option<(String, String)>, Verdict> {
    if let Some(day) = entry.get("billing_day") {
        let got = documents.first().and_then(|first| first.days).map(|(from, _)| i64::from(from.day()));
        let told = got.map_or_else(|| "none yet".to_owned(), |got| got.to_string());
        return Ok((got != Some(integer(day)?)).then(|| (format!("the billing day {day}"), told)));
    }
    if entry.get("no_invoice").is_some() || entry.get("no_more_invoices").is_some() {
        return no_invoice(entry, documents, matched);
    }
    match text(entry, "type") {
        "invoice" => {}
        "credit_note" => return Err(Verdict::not_yet("credit notes")),
        "usage" | "usage_to_date" => return Err(Verdict::not_yet("usage")),
        _ => {
            let keys = entry.as_object().into_iter().flat_map(|fields| fields.keys().cloned());
            let keys = keys.collect::<Vec<_>>().join(", ");
            return Err(Verdict::not_yet(format!("a case that expects {keys}")));
        }
    }
    let on = text(entry, "on");
    let mut on_day = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        if is_on(document, date(on)?) && !matched.contains(&index) {
            on_day.push((index, document));
        }
    }
    if is_trial(entry)? {
        let unwanted = on_day.iter().find(|(_, document)| document.total != 0);
        return Ok(unwanted.map(|(_, document)| (show_expected(entry), show(document))));
    }
    for (index, document) in &on_day {
        if same(entry, document)? {
            matched.insert(*index);
            return Ok(None);
        }
    }
    let got = on_day.first().map_or_else(|| format!("no other invoice on {on}"), |(_, first)| show(first));
    Ok(Some((show_expected(entry), got)))
}

/// A document is known by its day where the customer is or in UTC; both are in use.
fn is_on(document: &Document, on: Date) -> bool {
    document.on == on || Zone::utc().civil_date(document.at) == on
}

/// Whether an entry tells of days without charge, of which there is no invoice here.
fn is_trial(entry: &Value) -> Result<bool, Verdict> {
    for line in list(entry, "lines") {
        if kind(text(line, "kind"))? != Kind::Trial || line.get("amount").is_none_or(|amount| amount != 0) {
            return Ok(false);
        }
    }
    Ok(!list(entry, "lines").is_empty())
}

fn no_invoice(
    entry: &Value,
    documents: &[Document],
    matched: &BTreeSet<usize>,
) -> Result<Option<(String, String)>, Verdict> {
    let on = date(text(entry, "on"))?;
    let last = matched.iter().filter_map(|index| documents.get(*index)).map(|it| it.on).max();
    let more = entry.get("no_more_invoices").is_some();
    let unwanted = documents.iter().enumerate().find(|(index, document)| {
        let then = if more { document.on <= on && Some(document.on) >= last } else { document.on == on };
        document.total != 0 && then && !matched.contains(index)
    });
    Ok(unwanted.map(|(_, document)| (format!("no invoice by {on}"), show(document))))
}

/// The lines of an invoice, its tax as one of them.
fn lines_of(document: &Document) -> Vec<(Kind, i64)> {
    let of_line = |amount: &i64| (if *amount < 0 { Kind::Credit } else { Kind::Charge }, *amount);
    let tax = Some((Kind::Tax, document.tax)).filter(|(_, tax)| *tax != 0);
    document.lines.iter().map(of_line).chain(tax).collect()
}

/// Whether an invoice has the lines that are expected, and the total if one is.
fn same(entry: &Value, document: &Document) -> Result<bool, Verdict> {
    let mut left = lines_of(document);
    let mut is_tax_told = false;
    let days = document.days.map(|(from, to)| (from.to_string(), to.to_string()));
    for line in list(entry, "lines") {
        let kind = kind(text(line, "kind"))?;
        is_tax_told |= kind == Kind::Tax;
        let amount = line.get("amount").ok_or_else(|| Verdict::not_yet("a line without an amount"))?;
        let wanted = (kind, integer(amount)?);
        let (from, to) = (optional_text(line.get("from"))?, optional_text(line.get("to"))?);
        let same_from = from.is_none_or(|from| days.as_ref().is_some_and(|days| days.0 == from));
        let same_to = to.is_none_or(|to| days.as_ref().is_some_and(|days| days.1 == to));
        let place = left.iter().position(|ours| *ours == wanted).filter(|_| same_from && same_to);
        let Some(place) = place else { return Ok(false) };
        left.remove(place);
    }
    // Tax that the case does not tell may be there; nothing else may that comes to something.
    if left.iter().any(|(kind, amount)| *amount != 0 && (*kind != Kind::Tax || is_tax_told)) {
        return Ok(false);
    }
    let total = entry.get("total").map(integer).transpose()?;
    Ok(total.is_none_or(|total| total == document.total))
}

/// What a kind of line is called by those whose cases these are.
fn kind(word: &str) -> Result<Kind, Verdict> {
    Ok(match word {
        "recurring" | "subscription" | "charge" => Kind::Charge,
        "trial" => Kind::Trial,
        "repair" | "credit" => Kind::Credit,
        "tax" => Kind::Tax,
        "balance" => return Err(Verdict::not_yet("credit on the balance of a customer")),
        "credit_note" | "credit_incl_tax" => return Err(Verdict::not_yet("credit notes")),
        "usage" | "progressive_credit" => return Err(Verdict::not_yet("usage")),
        "minimum_true_up" => return Err(Verdict::not_yet("minimum spends")),
        "proration" => return Err(Verdict::not_yet("changes that are billed with the next period")),
        other => return Err(Verdict::not_yet(format!("lines of the kind {other:?}"))),
    })
}

fn show_expected(entry: &Value) -> String {
    let lines = list(entry, "lines").iter().map(|line| {
        let days = match (text(line, "from"), text(line, "to")) {
            ("", "") => String::new(),
            (from, to) => format!(" {from}..{to}"),
        };
        format!("{}{days} {}", text(line, "kind"), line.get("amount").unwrap_or(&Value::Null))
    });
    let total = entry.get("total").map(|total| format!(", total {total}")).unwrap_or_default();
    format!("an invoice of {}: {}{total}", text(entry, "on"), lines.collect::<Vec<_>>().join(", "))
}

fn show(document: &Document) -> String {
    let lines = lines_of(document).into_iter().map(|(kind, amount)| {
        let word = match kind {
            Kind::Trial => "trial",
            Kind::Charge => "charge",
            Kind::Credit => "credit",
            Kind::Tax => "tax",
        };
        format!("{word} {amount}")
    });
    let lines = lines.collect::<Vec<_>>().join(", ");
    let days = document.days.map(|(from, to)| format!(" for {from}..{to}")).unwrap_or_default();
    format!("an invoice of {}{days}: {lines}, total {}", document.on, document.total)
}
