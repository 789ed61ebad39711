//! Ids and times as document 002 spells them.
//!
//! An id is a prefix, `_` and the raw id in 22 digits of base 62: reversible, so nothing is stored for
//! it, and in the order of creation.

use crate::base62;
use crate::json::ToJson;
use billing::id::Id;
use billing::timestamp::Timestamp;
use engine::{Kind, Name};

/// What an id is of: its prefix.
pub(super) trait Spelled: Id {
    /// The prefix with which it is written.
    const PREFIX: &'static str;
    /// A prefix with which it may be read too.
    const ALSO: &'static str = Self::PREFIX;
    /// What it is called in failures.
    const NAME: &'static str;
}

macro_rules! spelled {
    ($($id:ident: $prefix:literal, $name:literal;)+) => {$(
        impl Spelled for billing::id::$id {
            const PREFIX: &'static str = $prefix;
            const NAME: &'static str = $name;
        }
    )+};
}

spelled! {
    CatalogId: "catalog", "catalog";
    CredentialId: "cred", "credential";
    CustomerId: "cust", "customer";
    CustomerUserId: "user", "user";
    DiscountId: "discount", "discount";
    InvoiceId: "inv", "invoice";
    InvoiceLineId: "inv_li", "invoice line item";
    ItemId: "si", "subscription item";
    OrganizationId: "org", "organization";
    PaymentId: "pym", "payment";
    PaymentMethodId: "pm", "payment method";
    PeriodId: "billing_period", "billing period";
    ProductId: "prod", "product";
    PurchaseId: "prch", "purchase";
    RefundId: "refund", "refund";
    SubscriptionId: "sub", "subscription";
    TaxRateId: "tax_rate", "tax rate";
}

impl Spelled for billing::id::PriceId {
    const PREFIX: &'static str = "price";
    // The prefix of prices when document 002 was published.
    const ALSO: &'static str = "vrnt";
    const NAME: &'static str = "price";
}

/// Writes an id as a JSON string.
pub(super) struct Spell<T>(pub(super) T);

impl<T: Spelled> ToJson for Spell<T> {
    fn write(&self, out: &mut String) {
        out.push('"');
        out.push_str(T::PREFIX);
        out.push('_');
        base62::push(out, self.0.raw());
        out.push('"');
    }
}

/// An id as text, for cursors and messages.
pub(super) fn text<T: Spelled>(id: T) -> String {
    let mut out = String::with_capacity(T::PREFIX.len() + 1 + base62::LENGTH);
    out.push_str(T::PREFIX);
    out.push('_');
    base62::push(&mut out, id.raw());
    out
}

/// What was looked for, as it is written here.
pub(super) fn name(kind: Kind, name: Name) -> String {
    let raw = match name {
        Name::Id(raw) => raw,
        Name::Text(text) => return text,
    };
    match kind {
        Kind::Catalog => text(billing::id::CatalogId::from_raw(raw)),
        Kind::Credential => text(billing::id::CredentialId::from_raw(raw)),
        Kind::Customer => text(billing::id::CustomerId::from_raw(raw)),
        Kind::Discount => text(billing::id::DiscountId::from_raw(raw)),
        Kind::Invoice => text(billing::id::InvoiceId::from_raw(raw)),
        Kind::InvoiceLine => text(billing::id::InvoiceLineId::from_raw(raw)),
        Kind::Payment => text(billing::id::PaymentId::from_raw(raw)),
        Kind::PaymentMethod => text(billing::id::PaymentMethodId::from_raw(raw)),
        Kind::Period => text(billing::id::PeriodId::from_raw(raw)),
        Kind::Price => text(billing::id::PriceId::from_raw(raw)),
        Kind::Product => text(billing::id::ProductId::from_raw(raw)),
        Kind::Purchase => text(billing::id::PurchaseId::from_raw(raw)),
        Kind::Refund => text(billing::id::RefundId::from_raw(raw)),
        Kind::Subscription => text(billing::id::SubscriptionId::from_raw(raw)),
        Kind::TaxRate => text(billing::id::TaxRateId::from_raw(raw)),
        // Nothing here names these by an id.
        Kind::Environment | Kind::Staff => Name::Id(raw).to_string(),
    }
}

/// The id that a text spells; none if it does not spell one of this kind.
pub(super) fn parse<T: Spelled>(text: &str) -> Option<T> {
    let rest = text.strip_prefix(T::PREFIX).or_else(|| text.strip_prefix(T::ALSO))?;
    base62::parse(rest.strip_prefix('_')?).map(T::from_raw)
}

/// The raw id of a text that spells one of any kind; none if it spells none.
pub(super) fn parse_any(text: &str) -> Option<u128> {
    let (_, digits) = text.rsplit_once('_')?;
    base62::parse(digits)
}

/// Writes an instant as `2023-11-07T05:31:56.000Z`.
pub(super) struct Iso(pub(super) Timestamp);

impl ToJson for Iso {
    fn write(&self, out: &mut String) {
        let millis = self.0.millis();
        let (days, of_day) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
        let (year, month, day) = civil(days);
        if !(0..=9999).contains(&year) {
            // No instant of the books: the general spelling will do.
            crate::spelling::iso_millis(self.0).write(out);
            return;
        }
        let seconds = of_day / 1_000;
        let mut text = *b"\"0000-00-00T00:00:00.000Z\"";
        put(&mut text, 1, 4, year);
        put(&mut text, 6, 2, month);
        put(&mut text, 9, 2, day);
        put(&mut text, 12, 2, seconds / 3_600);
        put(&mut text, 15, 2, seconds / 60 % 60);
        put(&mut text, 18, 2, seconds % 60);
        put(&mut text, 21, 3, of_day % 1_000);
        out.push_str(std::str::from_utf8(&text).unwrap_or("null"));
    }
}

fn put(text: &mut [u8], at: usize, digits: usize, mut number: i64) {
    for place in (at..at + digits).rev() {
        text[place] = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// The date of a count of days since 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms").
const fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use billing::id::{CustomerId, InvoiceId, InvoiceLineId, PriceId};

    #[test]
    fn every_id_comes_back() {
        let chunk = 62_u128.pow(10);
        let raws = [0, 1, 61, 62, chunk - 1, chunk, chunk * chunk, chunk * chunk - 1, u128::MAX];
        let many =
            (0..500_u32).map(|n| (u128::from(n) << 96) ^ (u128::from(n).wrapping_mul(u128::MAX / 7919)));
        for raw in raws.into_iter().chain(many) {
            let id = CustomerId::from_raw(raw);
            let spelled = text(id);
            assert_eq!(spelled.len(), "cust_".len() + 22);
            assert_eq!(parse::<CustomerId>(&spelled), Some(id), "{spelled}");
        }
        assert_eq!(text(CustomerId::from_raw(u128::MAX)), "cust_7n42DGM5Tflk9n8mt7Fhc7");
    }

    #[test]
    fn ids_are_in_the_order_of_creation() {
        let (a, b) = (InvoiceId::from_raw(u128::MAX / 3), InvoiceId::from_raw(u128::MAX / 3 + 1));
        assert!(text(a) < text(b));
    }

    #[test]
    fn another_kind_or_a_damaged_id_is_none() {
        let line = text(InvoiceLineId::from_raw(5));
        assert!(line.starts_with("inv_li_0000"));
        assert_eq!(parse::<InvoiceId>(&line), None);
        let price = PriceId::from_raw(77);
        let old = text(price).replace("price_", "vrnt_");
        assert_eq!((parse::<PriceId>(&text(price)), parse::<PriceId>(&old)), (Some(price), Some(price)));
        for damaged in [
            "",
            "cust",
            "cust_",
            "cust_1",
            "cust_zzzzzzzzzzzzzzzzzzzzzz",
            "cust_000000000000000000000é",
            "CUST_0",
        ] {
            assert_eq!(parse::<CustomerId>(damaged), None, "{damaged}");
        }
    }

    #[test]
    fn times_are_spelled_as_the_slow_way_does() {
        let mut micros = -62_000_000_000_000_000_i64;
        while micros < 200_000_000_000_000_000 {
            let at = Timestamp::from_micros(micros);
            let mut fast = String::new();
            Iso(at).write(&mut fast);
            assert_eq!(fast, format!("\"{}\"", crate::spelling::iso_millis(at)));
            micros += 86_399_987_654_321 * 3;
        }
        for text in ["2024-02-29T23:59:59.999Z", "1970-01-01T00:00:00.000Z", "2000-03-01T00:00:00.001Z"] {
            let mut out = String::new();
            Iso(Timestamp::parse(text).unwrap()).write(&mut out);
            assert_eq!(out, format!("\"{text}\""));
        }
    }
}
