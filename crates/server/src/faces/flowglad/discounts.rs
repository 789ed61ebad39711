//! Discounts and tax rates.

use super::error::Error;
use super::fields::Fields;
use super::list::{self, envelope};
use super::merchant::{Merchant, WriteInput, id_of, ok, segment};
use super::spell::{Iso, Spell};
use crate::body::Body;
use crate::json::{Object, object};
use crate::query::Query;
use axum::extract::Request;
use axum::response::Response;
use billing::catalog::edit::{DiscountEdit, NewTaxRate};
use billing::catalog::{Category, Discount, DiscountAmount, DiscountDuration, TaxRate};
use billing::currency::Currency;
use billing::environment::Environment;
use billing::id::{DiscountId, Id, TaxRateId};
use billing::money::Money;
use billing::rate::Rate;
use http::Uri;
use serde_json::Value;

const DISCOUNTS: &str = "/api/v1/discounts/";

fn show(o: &mut Object<'_>, books: &Environment, discount: &Discount) {
    let (kind, amount, currency) = match discount.amount {
        DiscountAmount::Percent(percent) => ("percent", percent, None),
        DiscountAmount::Fixed(money) => ("fixed", money.minor(), Some(money.currency().code())),
    };
    let (duration, payments) = match discount.duration {
        DiscountDuration::Once => ("once", None),
        DiscountDuration::NumberOfPayments(payments) => ("number_of_payments", Some(payments)),
        DiscountDuration::Forever => ("forever", None),
    };
    o.put("id", Spell(discount.id)).put("createdAt", Iso(discount.created_at));
    o.put("updatedAt", Iso(discount.updated_at)).put("livemode", books.livemode);
    o.put("organizationId", Spell(books.organization_id)).put("name", &discount.name);
    o.put("code", &discount.code).put("amountType", kind).put("amount", amount).put("currency", currency);
    o.put("duration", duration).put("numberOfPayments", payments).put("active", discount.active);
}

/// What a body gives a discount.
#[derive(Clone)]
struct DiscountInput {
    /// All but what it takes off.
    edit: DiscountEdit,
    /// How much it takes off.
    amount: Option<i64>,
    is_percent: Option<bool>,
    currency: Option<Currency>,
}

impl DiscountInput {
    /// The edit of a discount that takes off something already: what is not said stays as it is.
    fn of(self, known: DiscountAmount, otherwise: Currency) -> DiscountEdit {
        let was = match known {
            DiscountAmount::Fixed(money) => Some(money.currency()),
            DiscountAmount::Percent(_) => None,
        };
        let currency = self.currency.or(was).unwrap_or(otherwise);
        let amount = self.amount.map(|amount| match self.is_percent.unwrap_or(was.is_none()) {
            true => DiscountAmount::Percent(amount),
            false => DiscountAmount::Fixed(Money::new(amount, currency)),
        });
        DiscountEdit { amount, ..self.edit }
    }
}

fn read(body: &Value, is_new: bool) -> Result<DiscountInput, Error> {
    let fields = Fields::of(body)?;
    let fields = fields.required("discount", "an object", |f, name| f.object(name))?;
    let amount = fields.edit("amount", "a whole number", Fields::int)?;
    let is_percent = fields.word("amountType", "percent, fixed", |word| match word {
        "percent" => Some(true),
        "fixed" => Some(false),
        _ => None,
    })?;
    let currency = fields.currency("currency")?;
    if amount.is_some() && is_percent.is_none() && is_new {
        return Err(fields.missing("amountType", "percent, fixed"));
    }
    if amount.is_none() && (is_percent.is_some() || currency.is_some()) {
        return Err(fields.missing("amount", "a whole number"));
    }
    let edit = DiscountEdit {
        name: fields.edit("name", "a text", Fields::short)?,
        code: fields.edit("code", "a text", Fields::short)?,
        amount: None,
        duration: duration(&fields)?,
        active: fields.edit("active", "true or false", Fields::flag)?,
    };
    Ok(DiscountInput { edit, amount, is_percent, currency })
}

fn duration(fields: &Fields<'_>) -> Result<Option<DiscountDuration>, Error> {
    let payments = fields.int("numberOfPayments")?;
    let wanted = "once, number_of_payments, forever";
    let lasting = fields.word("duration", wanted, |word| match word {
        "once" => Some(Lasting::Once),
        "number_of_payments" => Some(Lasting::Payments),
        "forever" => Some(Lasting::Forever),
        _ => None,
    })?;
    match (lasting, payments) {
        (Some(Lasting::Once), None) => Ok(Some(DiscountDuration::Once)),
        (Some(Lasting::Forever), None) => Ok(Some(DiscountDuration::Forever)),
        (Some(Lasting::Payments) | None, Some(payments)) => {
            Ok(Some(DiscountDuration::NumberOfPayments(payments)))
        }
        (Some(Lasting::Payments), None) => {
            Err(fields.missing("numberOfPayments", "a whole number of at least 1"))
        }
        (Some(Lasting::Once | Lasting::Forever), Some(_)) => {
            Err(fields.wrong("numberOfPayments", "left out, unless duration is number_of_payments"))
        }
        (None, None) => Ok(None),
    }
}

/// The words of `duration`.
enum Lasting {
    Once,
    Payments,
    Forever,
}

/// `POST /api/v1/discounts`
pub(super) async fn create(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    async fn act(merchant: Merchant, asked: WriteInput) -> Result<Discount, Error> {
        let books = &merchant.books;
        let new = read(&asked.body, true)?;
        let new = new.of(DiscountAmount::Fixed(Money::new(0, books.currency)), books.currency);
        Ok(merchant.engine().create_discount(merchant.at(asked.request), new).await?)
    }
    merchant.write(request, act, find, render).await
}

async fn find(merchant: Merchant, raw: u128) -> Result<Discount, Error> {
    Ok(merchant.engine().discount(merchant.environment(), DiscountId::from_raw(raw)).await?)
}

fn render(books: &Environment, discount: &Discount) -> String {
    object(|o| {
        o.object("discount", |o| show(o, books, discount));
    })
}

/// `PUT /api/v1/discounts/{id}`
pub(super) async fn update(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    let id: DiscountId = id_of(&segment(request.uri().path(), DISCOUNTS, "")?)?;
    let act = async move |merchant: Merchant, asked: WriteInput| {
        let (given, otherwise) = (read(&asked.body, false)?, merchant.books.currency);
        let edit = move |known: &Discount| given.of(known.amount, otherwise);
        Ok(merchant.engine().update_discount(merchant.at(asked.request), id, edit).await?)
    };
    merchant.write(request, act, find, render).await
}

/// `GET /api/v1/discounts/{id}`
pub(super) async fn retrieve(merchant: Merchant, uri: Uri) -> Result<Response<Body>, Error> {
    let id: DiscountId = id_of(&segment(uri.path(), DISCOUNTS, "")?)?;
    let discount = merchant.engine().discount(merchant.environment(), id).await?;
    Ok(ok(render(&merchant.books, &discount)))
}

/// `GET /api/v1/discounts`
pub(super) async fn list(merchant: Merchant, uri: Uri) -> Result<Response<Body>, Error> {
    let asked = list::ListQuery::of::<DiscountId>(&Query::parse(uri.query()))?;
    let page = merchant.engine().discounts(merchant.environment(), asked.window).await?;
    Ok(ok(envelope(&asked, &page, |row| row.id, |o, row| show(o, &merchant.books, row))))
}

fn show_rate(o: &mut Object<'_>, books: &Environment, rate: &TaxRate) {
    o.put("id", Spell(rate.id)).put("createdAt", Iso(rate.created_at)).put("livemode", books.livemode);
    o.put("organizationId", Spell(books.organization_id)).put("taxType", &rate.kind);
    o.put("country", &rate.country).put("state", &rate.state);
    o.put("category", rate.category.map(Category::as_str)).put("percentage", rate.rate.to_string());
}

/// `POST /api/v1/tax-rates`
pub(super) async fn create_rate(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    async fn act(merchant: Merchant, asked: WriteInput) -> Result<TaxRate, Error> {
        const PERCENTAGE: &str = "a decimal percentage from 0 to 100 as a text, such as \"18\" or \"8.875\"";
        let words = Category::ALL.iter().map(|category| category.as_str()).collect::<Vec<_>>().join(", ");
        let fields = Fields::of(&asked.body)?;
        let fields = fields.required("taxRate", "an object", |f, name| f.object(name))?;
        let new = NewTaxRate {
            kind: fields.required("taxType", "a tax type, such as vat or gst", Fields::short)?,
            country: fields.required("country", "an ISO 3166 alpha-2 country code", Fields::short)?,
            state: fields.short("state")?,
            category: fields.word("category", &words, Category::parse)?,
            rate: fields.required("percentage", PERCENTAGE, |f, name| {
                // A whole number needs no text; a fraction does, because floats are not exact.
                let text = match f.int(name) {
                    Ok(whole) => whole.map(|whole| whole.to_string()),
                    Err(_) => f.short(name).map_err(|_| f.wrong(name, PERCENTAGE))?,
                };
                let read = |text: String| Rate::parse(&text).map_err(|_| f.wrong(name, PERCENTAGE));
                text.map(read).transpose()
            })?,
        };
        Ok(merchant.engine().create_tax_rate(merchant.at(asked.request), new).await?)
    }
    async fn find(merchant: Merchant, raw: u128) -> Result<TaxRate, Error> {
        Ok(merchant.engine().tax_rate(merchant.environment(), TaxRateId::from_raw(raw)).await?)
    }
    fn render(books: &Environment, rate: &TaxRate) -> String {
        object(|o| {
            o.object("taxRate", |o| show_rate(o, books, rate));
        })
    }
    merchant.write(request, act, find, render).await
}

/// `GET /api/v1/tax-rates`
pub(super) async fn list_rates(merchant: Merchant, uri: Uri) -> Result<Response<Body>, Error> {
    let asked = list::ListQuery::of::<TaxRateId>(&Query::parse(uri.query()))?;
    let page = merchant.engine().tax_rates(merchant.environment(), asked.window).await?;
    Ok(ok(envelope(&asked, &page, |row| row.id, |o, row| show_rate(o, &merchant.books, row))))
}
