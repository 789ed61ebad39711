//! The bodies of writes. Every field that is wrong is named.

use super::error::Error;
use super::page::{TYPE_WANTED, WORKSPACE_WANTED, customer_name, date, payment_type};
use crate::json::object;
use billing::currency::Currency;
use billing::id::StaffId;
use billing::money::Money;
use billing::payment::PaymentChannel;
use billing::payment::manual::{ManualPaymentEdit, NewManualPayment};
use billing::timestamp::Timestamp;
use engine::views::CustomerName;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The ways in which money comes.
pub(super) const MEANS: [(&str, PaymentChannel); 4] = [
    ("cash", PaymentChannel::Cash),
    ("bank-transfer", PaymentChannel::BankTransfer),
    ("card", PaymentChannel::Card),
    ("other", PaymentChannel::Other),
];

/// The longest text, in characters.
const TEXT_MAX: usize = 5_000;
const MEANS_WANTED: &str =
    "paymentMethod must be one of the following values: cash, bank-transfer, card, other";
const AMOUNT_WANTED: &str = "amount must be a positive number of US dollars with at most 2 decimal places";
const DATE_WANTED: &str = "paymentDate must be a valid ISO 8601 date string";

/// The fields of a body, as they are spelled: an amount must not pass through a float.
struct BodyFields {
    given: BTreeMap<String, Box<RawValue>>,
    wrong: Vec<String>,
}

/// A body of `POST`: the workspace and the payment.
///
/// # Errors
/// If it is not a JSON object, or a field is missing or wrong.
pub(super) fn create(
    body: &[u8],
    staff: StaffId,
    now: Timestamp,
) -> Result<(CustomerName, NewManualPayment), Error> {
    let mut fields = BodyFields::read(body)?;
    let customer = fields.required("workspaceId", WORKSPACE_WANTED, |text| customer_name(&string(text)?));
    let category = fields.required("paymentType", TYPE_WANTED, |text| payment_type(&string(text)?));
    let amount = fields.required("amount", AMOUNT_WANTED, amount);
    let means = fields.required("paymentMethod", MEANS_WANTED, means);
    let paid_at = fields.optional("paymentDate", DATE_WANTED, paid_at).unwrap_or(now);
    let description = fields.text("description");
    let notes = fields.text("notes");
    let receipt_image = fields.receipt();
    let (Some(customer), Some(category), Some(amount), Some(means)) = (customer, category, amount, means)
    else {
        return Err(Error::Invalid(fields.wrong));
    };
    fields
        .finish(NewManualPayment {
            category,
            amount,
            means,
            paid_at,
            description: description.flatten(),
            notes: notes.flatten(),
            receipt_image: receipt_image.flatten(),
            created_by: staff,
        })
        .map(|new| (customer, new))
}

/// A body of `PATCH`: what is to be changed. Type and workspace cannot be.
///
/// # Errors
/// If it is not a JSON object, or a field is wrong.
pub(super) fn update(body: &[u8]) -> Result<ManualPaymentEdit, Error> {
    let mut fields = BodyFields::read(body)?;
    for fixed in ["workspaceId", "paymentType"] {
        if fields.given.contains_key(fixed) {
            fields.wrong.push(format!("{fixed} cannot be changed"));
        }
    }
    let edit = ManualPaymentEdit {
        amount: fields.optional("amount", AMOUNT_WANTED, amount),
        means: fields.optional("paymentMethod", MEANS_WANTED, means),
        paid_at: fields.optional("paymentDate", DATE_WANTED, paid_at),
        description: fields.text("description"),
        notes: fields.text("notes"),
        receipt_image: fields.receipt(),
    };
    fields.finish(edit)
}

impl BodyFields {
    fn read(body: &[u8]) -> Result<Self, Error> {
        match serde_json::from_slice(body) {
            Ok(given) => Ok(Self { given, wrong: Vec::new() }),
            Err(_) => Err(Error::invalid("the body must be a JSON object")),
        }
    }

    fn finish<T>(self, made: T) -> Result<T, Error> {
        if self.wrong.is_empty() { Ok(made) } else { Err(Error::Invalid(self.wrong)) }
    }

    fn required<T>(&mut self, name: &str, wanted: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let found = self.given.get(name).and_then(|value| read(value.get()));
        if found.is_none() {
            self.wrong.push(wanted.to_owned());
        }
        found
    }

    fn optional<T>(&mut self, name: &str, wanted: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.given.get(name)?;
        self.required(name, wanted, read)
    }

    /// A text that may be null; none if it is not given.
    fn text(&mut self, name: &str) -> Option<Option<String>> {
        let nullable = |text: &str| serde_json::from_str::<Option<String>>(text).ok();
        let found = self.optional(name, &format!("{name} must be a string"), nullable)?;
        if found.as_deref().is_some_and(|text| !is_text(text)) {
            self.wrong.push(format!("{name} must have at most {TEXT_MAX} characters and no NUL among them"));
        }
        Some(found)
    }

    /// A receipt that may be null, as the books keep it; none if it is not given.
    fn receipt(&mut self) -> Option<Option<String>> {
        let wanted = "receiptImage must be null or an object with url, path and contentType, and optionally \
                      width, height and sizeBytes";
        self.optional("receiptImage", wanted, |text| match serde_json::from_str(text).ok()? {
            Value::Null => Some(None),
            Value::Object(image) => {
                let text = |key| image.get(key)?.as_str().filter(|text| !text.is_empty() && is_text(text));
                let number = |key| match image.get(key) {
                    None | Some(Value::Null) => Some(None),
                    Some(value) => value.as_i64().filter(|number| *number >= 0).map(Some),
                };
                let (url, path, kind) = (text("url")?, text("path")?, text("contentType")?);
                if !["http://", "https://"].iter().any(|scheme| url.starts_with(scheme)) {
                    return None;
                }
                let (width, height, size) = (number("width")?, number("height")?, number("sizeBytes")?);
                Some(Some(object(|o| {
                    o.put("url", url).put("path", path).put("width", width).put("height", height);
                    o.put("sizeBytes", size).put("contentType", kind);
                })))
            }
            _ => None,
        })
    }
}

/// Whether every database can hold it, and people can read it.
fn is_text(text: &str) -> bool {
    text.chars().count() <= TEXT_MAX && !text.contains('\0')
}

fn string(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

fn means(json: &str) -> Option<PaymentChannel> {
    let text = string(json)?;
    MEANS.iter().find(|(name, _)| *name == text).map(|(_, means)| *means)
}

fn paid_at(json: &str) -> Option<Timestamp> {
    date(&string(json)?).map(|(from, _)| from).filter(|at| (EARLIEST..LATEST).contains(at))
}

/// 1900 and 3000: what lies outside is a slip.
const EARLIEST: Timestamp = Timestamp::from_seconds(-2_208_988_800);
const LATEST: Timestamp = Timestamp::from_seconds(32_503_680_000);

/// A JSON number above 0 with at most two decimals that count.
fn amount(json: &str) -> Option<Money> {
    // Only a number begins like one: a text in quotes is refused.
    let number = match json.find(['e', 'E']) {
        Some(_) => Decimal::from_scientific(json).ok()?,
        None => json.parse::<Decimal>().ok()?,
    };
    let minor = number.checked_mul(Decimal::ONE_HUNDRED)?.normalize();
    let minor = if minor.scale() == 0 { minor.to_i64()? } else { return None };
    (minor > 0).then(|| Money::new(minor, Currency::USD))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_digit_by_digit() {
        for (json, minor) in [
            ("100.00", Some(10_000)),
            ("100", Some(10_000)),
            ("0.1", Some(10)),
            ("1.10000", Some(110)),
            ("1e2", Some(10_000)),
            ("1.5E1", Some(1_500)),
            ("90071992547409.93", Some(9_007_199_254_740_993)),
            ("0", None),
            ("-1", None),
            ("1.001", None),
            ("1e-3", None),
            ("1e400", None),
            ("92233720368547758.08", None),
            ("123456789012345678901234567890", None),
            ("\"100\"", None),
            ("null", None),
            ("true", None),
            ("[1]", None),
        ] {
            assert_eq!(amount(json).map(Money::minor), minor, "{json}");
        }
    }
}
