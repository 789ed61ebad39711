//! What customers can be charged with.

use super::customers::customer_of_body;
use super::error::Error;
use super::fields::{Fields, NAME_MAX};
use super::list::{self, envelope};
use super::merchant::{Merchant, WriteInput, id_of, ok, segment};
use super::spell::{Iso, Spell};
use crate::body::Body;
use crate::json::{Object, Raw, object};
use crate::query::Query;
use axum::extract::Request;
use axum::response::Response;
use billing::customer::edit::{NewPaymentMethod, looks_like_a_card};
use billing::customer::{PaymentMethod, PaymentMethodKind};
use billing::environment::Environment;
use billing::id::{Id, PaymentMethodId};
use http::Uri;
use serde_json::Value;

const ALL: &str = "/api/v1/payment-methods/";

/// The keys of document 002, in its order.
pub(super) fn show(o: &mut Object<'_>, books: &Environment, method: &PaymentMethod) {
    o.put("id", Spell(method.id)).put("createdAt", Iso(method.created_at));
    o.put("updatedAt", Iso(method.updated_at)).put("livemode", books.livemode);
    o.put("customerId", Spell(method.customer_id)).put("billingDetails", Raw(&method.billing_details));
    o.put("type", method.kind.as_str()).put("default", method.is_default);
    o.put("paymentMethodData", Raw(&method.data)).put("metadata", method.metadata.as_deref().map(Raw));
}

/// `POST /api/v1/payment-methods`: a token of the gateway becomes something to charge.
pub(super) async fn create(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    async fn act(merchant: Merchant, asked: WriteInput) -> Result<PaymentMethod, Error> {
        if holds_a_card(&asked.body) {
            return Err(Error::bad_request(
                "paymentMethod: never send a card number here; send a token of the payment gateway",
            ));
        }
        let fields = Fields::of(&asked.body)?;
        let fields = fields.required("paymentMethod", "an object", |f, name| f.object(name))?;
        let new = new(&fields)?;
        let customer = customer_of_body(&fields)?;
        Ok(merchant.engine().create_payment_method(merchant.at(asked.request), customer, new).await?)
    }
    merchant.write(request, act, find, render).await
}

/// Whether any text or number of a body could be a card's.
fn holds_a_card(value: &Value) -> bool {
    match value {
        Value::String(text) => looks_like_a_card(text) && super::spell::parse_any(text).is_none(),
        Value::Number(number) => looks_like_a_card(&number.to_string()),
        Value::Array(items) => items.iter().any(holds_a_card),
        Value::Object(map) => map
            .iter()
            .any(|(key, value)| key != "phone" && key != "customerExternalId" && holds_a_card(value)),
        Value::Null | Value::Bool(_) => false,
    }
}

fn new(fields: &Fields<'_>) -> Result<NewPaymentMethod, Error> {
    let words = PaymentMethodKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
    let token = fields.required("token", "a token of the payment gateway, such as tok_visa", |f, name| {
        f.text(name, NAME_MAX)
    })?;
    let kind = match fields.word("type", &words, PaymentMethodKind::parse)? {
        Some(kind) => kind,
        None if token == "tok_sepa" => PaymentMethodKind::SepaDebit,
        None => PaymentMethodKind::Card,
    };
    Ok(NewPaymentMethod {
        kind,
        is_default: fields.flag("default")?.unwrap_or(false),
        billing_details: details(fields)?,
        data: fields.metadata("paymentMethodData")?.unwrap_or_else(|| shown_of(&token).to_owned()),
        metadata: fields.metadata("metadata")?,
        token,
    })
}

/// What may be shown of the sandbox's test cards.
fn shown_of(token: &str) -> &'static str {
    match token {
        "tok_sepa" => r#"{"bank_code":"37040044","country":"DE","last4":"3000"}"#,
        "tok_mastercard" => r#"{"brand":"mastercard","last4":"4444"}"#,
        _ => r#"{"brand":"visa","last4":"4242"}"#,
    }
}

/// Name, e-mail and address in the form of document 002, with null where nothing was given. The
/// clients of later versions give the address flat.
fn details(fields: &Fields<'_>) -> Result<String, Error> {
    let given = fields.object("billingDetails")?;
    let outer = match &given {
        Some(given) => given.object("address")?,
        None => None,
    };
    let nested = match &outer {
        Some(outer) => outer.object("address")?,
        None => None,
    };
    let inner = nested.as_ref().or(outer.as_ref());
    let text = |from: Option<&Fields<'_>>, name| match from {
        Some(from) => from.short(name),
        None => Ok(None),
    };
    let (name, email) = (text(given.as_ref(), "name")?, text(given.as_ref(), "email")?);
    let full = text(outer.as_ref(), "name")?;
    let mut parts = Vec::with_capacity(PARTS.len());
    for part in PARTS {
        parts.push((part, text(inner, part)?));
    }
    Ok(object(|o| {
        o.put("name", name).put("email", email);
        o.object("address", |o| {
            o.put("name", full);
            o.object("address", |o| {
                for (key, value) in parts {
                    o.put(key, value);
                }
            });
        });
    }))
}

const PARTS: [&str; 6] = ["line1", "line2", "city", "state", "postal_code", "country"];

async fn find(merchant: Merchant, raw: u128) -> Result<PaymentMethod, Error> {
    Ok(merchant.engine().payment_method(merchant.environment(), PaymentMethodId::from_raw(raw)).await?)
}

fn render(books: &Environment, method: &PaymentMethod) -> String {
    object(|o| {
        o.object("paymentMethod", |o| show(o, books, method));
    })
}

/// `GET /api/v1/payment-methods/{id}`
pub(super) async fn retrieve(merchant: Merchant, uri: Uri) -> Result<Response<Body>, Error> {
    let id: PaymentMethodId = id_of(&segment(uri.path(), ALL, "")?)?;
    let method = merchant.engine().payment_method(merchant.environment(), id).await?;
    Ok(ok(render(&merchant.books, &method)))
}

/// `GET /api/v1/payment-methods`, of one customer with `customerId`.
pub(super) async fn list(merchant: Merchant, uri: Uri) -> Result<Response<Body>, Error> {
    let query = Query::parse(uri.query());
    let asked = list::ListQuery::of::<PaymentMethodId>(&query)?;
    let of = list::customer(&query)?;
    let page = merchant.engine().payment_methods(merchant.environment(), of, asked.window).await?;
    Ok(ok(envelope(&asked, &page, |row| row.id, |o, row| show(o, &merchant.books, row))))
}

/// `PUT /api/v1/payment-methods/{id}`: only `default: true`, for there is nothing else to change.
pub(super) async fn update(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    let id: PaymentMethodId = id_of(&segment(request.uri().path(), ALL, "")?)?;
    let act = async move |merchant: Merchant, asked: WriteInput| {
        let fields = Fields::of(&asked.body)?;
        let fields = fields.required("paymentMethod", "an object", |f, name| f.object(name))?;
        if fields.flag("default")? != Some(true) {
            let wanted = "true: another payment method becomes the default by being made it";
            return Err(fields.wrong("default", wanted));
        }
        Ok(merchant.engine().set_default_payment_method(merchant.at(asked.request), id).await?)
    };
    merchant.write(request, act, find, render).await
}
