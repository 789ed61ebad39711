//! The six filters and the page.

use super::error::Error;
use crate::query::Query;
use crate::spelling::parse_hex24;
use billing::catalog::Category;
use billing::currency::Currency;
use billing::payment::PaymentKind;
use billing::timestamp::Timestamp;
use engine::views::{CustomerName, Filter};
use store::views::OffsetPage;

const LIMIT: i64 = 10;
const LIMIT_MAX: i64 = 100;

/// The types of payment, each with what is listed as it: add-ons as subscriptions, and credits as the tools
/// that they are spent on. What is written down is for the first of them.
const TYPES: [(&str, &[Category]); 4] = [
    ("ai-tools", &[Category::AiTools, Category::Credits]),
    ("sms", &[Category::Sms]),
    ("storage", &[Category::Storage]),
    ("subscription", &[Category::Subscription, Category::AddOn]),
];

/// What a type must be.
pub(super) const TYPE_WANTED: &str =
    "paymentType must be one of the following values: ai-tools, sms, storage, subscription";

/// The filters of a query; every one that is wrong is named.
///
/// # Errors
/// If a parameter is wrong or repeated.
pub(super) fn filter(query: &Query<'_>) -> Result<Filter, Error> {
    let mut wrong = Vec::new();
    let filter = read_filter(query, &mut wrong);
    if wrong.is_empty() { Ok(filter) } else { Err(Error::Invalid(wrong)) }
}

/// The filters and the page of a query; every parameter that is wrong is named.
///
/// # Errors
/// If a parameter is wrong or repeated.
pub(super) fn list(query: &Query<'_>) -> Result<(Filter, OffsetPage), Error> {
    let mut wrong = Vec::new();
    let filter = read_filter(query, &mut wrong);
    let page = number(query, "page", i64::MAX, &mut wrong).unwrap_or(1);
    let limit = number(query, "limit", LIMIT_MAX, &mut wrong).unwrap_or(LIMIT);
    if wrong.is_empty() { Ok((filter, OffsetPage { page, limit })) } else { Err(Error::Invalid(wrong)) }
}

fn read_filter(query: &Query<'_>, wrong: &mut Vec<String>) -> Filter {
    let mut read = |name: &'static str, wanted: &str| match query.only(name) {
        Ok(value) => value,
        Err(_) => {
            wrong.push(wanted.to_owned());
            None
        }
    };
    let workspace = read("workspaceId", WORKSPACE_WANTED);
    let kind = read("isManual", MANUAL_WANTED);
    let category = read("paymentType", TYPE_WANTED);
    let (start, end) =
        (read("startDate", &date_wanted("startDate")), read("endDate", &date_wanted("endDate")));
    let mut parsed = |text: Option<&str>, wanted: String, is_right: bool| {
        if text.is_some() && !is_right {
            wrong.push(wanted);
        }
    };
    let customer = workspace.and_then(customer_name);
    parsed(workspace, WORKSPACE_WANTED.to_owned(), customer.is_some());
    let categories = category.and_then(listed_as);
    parsed(category, TYPE_WANTED.to_owned(), categories.is_some());
    let from = start.and_then(|text| date(text).map(|(from, _)| from));
    parsed(start, date_wanted("startDate"), from.is_some());
    let until = end.and_then(|text| date(text).map(|(_, until)| until));
    parsed(end, date_wanted("endDate"), until.is_some());
    let kind_read = match kind {
        Some("true") => Some(PaymentKind::Manual),
        Some("false") => Some(PaymentKind::Automatic),
        _ => None,
    };
    parsed(kind, MANUAL_WANTED.to_owned(), kind_read.is_some());
    Filter { currency: Currency::USD, customer, categories, kind: kind_read, from, until }
}

/// What a workspace's id must be.
pub(super) const WORKSPACE_WANTED: &str = "workspaceId must be a mongodb id";
const MANUAL_WANTED: &str = "isManual must be true or false";

fn date_wanted(name: &str) -> String {
    format!("{name} must be a valid ISO 8601 date string")
}

/// A workspace by its id: 24 hex digits, in lower case as they are printed.
pub(super) fn customer_name(text: &str) -> Option<CustomerName> {
    let first = parse_hex24(text)?;
    Some(CustomerName { external_id: text.to_ascii_lowercase(), first })
}

/// What is listed as a type of payment.
fn listed_as(text: &str) -> Option<&'static [Category]> {
    TYPES.iter().find(|(name, _)| *name == text).map(|(_, categories)| *categories)
}

/// The category of a payment of a type that is written down.
pub(super) fn payment_type(text: &str) -> Option<Category> {
    listed_as(text)?.first().copied()
}

/// The type as which a category is listed.
pub(super) fn type_of(category: Category) -> &'static str {
    let found = TYPES.iter().find(|(_, categories)| categories.contains(&category));
    found.map_or("subscription", |(name, _)| *name)
}

/// The first instant of an ISO 8601 date or time, and the first one after it: a bare date is the whole
/// day, a time its millisecond. What names no offset is in UTC.
pub(super) fn date(text: &str) -> Option<(Timestamp, Timestamp)> {
    // An unencoded `+` of an offset has become a space.
    let text = text.replace(' ', "+");
    // The usual open end lies a year after the last one that the calendar counts in: no matter which.
    let text = text.strip_prefix("9999-").map_or(text.clone(), |rest| format!("9998-{rest}"));
    let from = Timestamp::parse(&text).or_else(|_| Timestamp::parse(&format!("{text}Z"))).ok()?;
    let until = if text.len() == 10 {
        from.plus_days(1)
    } else {
        Timestamp::try_from_millis(from.millis()).and_then(|at| at.plus_micros(1_000))
    };
    Some((from, until.unwrap_or(from)))
}

fn number(query: &Query<'_>, name: &'static str, max: i64, wrong: &mut Vec<String>) -> Option<i64> {
    let text = match query.only(name) {
        Ok(None) => return None,
        Ok(Some(text)) => text,
        Err(_) => "",
    };
    match text.parse::<i64>() {
        Ok(number) if number < 1 => wrong.push(format!("{name} must not be less than 1")),
        Ok(number) if number > max => wrong.push(format!("{name} must not be greater than {max}")),
        Ok(number) => return Some(number),
        Err(_) => wrong.push(format!("{name} must be an integer number")),
    }
    None
}
