//! Customers.

use super::error::Error;
use super::fields::{Fields, NAME_MAX};
use super::list;
use super::merchant::{Merchant, WriteInput, ok, segment};
use super::spell::{Iso, Spell};
use crate::body::Body;
use crate::json::{Object, Raw, object};
use crate::query::Query;
use axum::extract::Request;
use axum::response::Response;
use billing::customer::{Address, Customer, CustomerEdit};
use billing::environment::Environment;
use billing::id::{CustomerId, Id};
use engine::CustomerRef;
use http::Uri;
use serde_json::Value;

/// Where all customers are.
const ALL: &str = "/api/v1/customers/";

/// The keys of document 002, in its order.
pub(super) fn show(o: &mut Object<'_>, books: &Environment, customer: &Customer) {
    o.put("id", Spell(customer.id)).put("createdAt", Iso(customer.created_at));
    o.put("updatedAt", Iso(customer.updated_at)).put("livemode", books.livemode);
    o.put("organizationId", Spell(books.organization_id)).put("email", &customer.email);
    o.put("name", &customer.name).put("invoiceNumberBase", &customer.invoice_number_base);
    o.put("archived", customer.archived).put("logoURL", &customer.logo_url);
    o.put("iconURL", &customer.icon_url).put("domain", &customer.domain);
    o.put("billingAddress", customer.billing_address.as_deref().map(Raw));
    o.put("externalId", &customer.external_id).put("userId", &customer.user_id);
    o.put("catalogId", customer.catalog_id.map(Spell));
}

/// The same and what else there is.
fn show_more(o: &mut Object<'_>, books: &Environment, customer: &Customer) {
    show(o, books, customer);
    o.put("handle", &customer.handle).put("zone", &customer.zone);
}

fn envelope(books: &Environment, customer: &Customer) -> String {
    object(|o| {
        o.object("customer", |o| show_more(o, books, customer));
    })
}

/// What a body gives a customer.
fn edit(body: &Value) -> Result<CustomerEdit, Error> {
    let fields = Fields::of(body)?;
    let fields = fields.required("customer", "an object", |f, name| f.object(name))?;
    Ok(CustomerEdit {
        external_id: fields.edit("externalId", "a text", Fields::short)?,
        name: fields.edit("name", "a text", Fields::short)?,
        email: fields.edit("email", "an e-mail address", Fields::short)?,
        archived: fields.edit("archived", "true or false", Fields::flag)?,
        handle: fields.nullable("handle", Fields::short)?,
        logo_url: fields.nullable("logoURL", Fields::url)?,
        icon_url: fields.nullable("iconURL", Fields::url)?,
        domain: fields.nullable("domain", Fields::short)?,
        billing_address: fields.nullable("billingAddress", address)?,
        user_id: fields.nullable("userId", Fields::short)?,
        catalog_id: match fields.nullable("catalogId", Fields::id)? {
            None => fields.nullable("pricingModelId", Fields::id)?,
            given => given,
        },
        zone: fields.nullable("zone", Fields::short)?,
    })
}

/// An address in the form of document 002, with null where nothing was given.
fn address(fields: &Fields<'_>, name: &str) -> Result<Option<Address>, Error> {
    let Some(outer) = fields.object(name)? else { return Ok(None) };
    let inner = outer.object("address")?;
    let part = |name| match &inner {
        Some(inner) => inner.short(name),
        None => Ok(None),
    };
    let (country, state) = (part("country")?, part("state")?);
    let (line1, line2, city, code) = (part("line1")?, part("line2")?, part("city")?, part("postal_code")?);
    let (full, first, last) = (outer.short("name")?, outer.short("firstName")?, outer.short("lastName")?);
    let phone = outer.text("phone", 50)?;
    let text = object(|o| {
        o.put("name", full).put("firstName", first).put("lastName", last);
        o.object("address", |o| {
            o.put("line1", line1).put("line2", line2).put("city", city).put("state", &state);
            o.put("postal_code", code).put("country", &country);
        });
        o.put("phone", phone);
    });
    Ok(Some(Address { text, country, state }))
}

/// `POST /api/v1/customers`
pub(super) async fn create(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    async fn act(merchant: Merchant, asked: WriteInput) -> Result<Customer, Error> {
        let new = edit(&asked.body)?;
        Ok(merchant.engine().create_customer(merchant.at(asked.request), new).await?)
    }
    fn render(books: &Environment, customer: &Customer) -> String {
        object(|o| {
            o.object("data", |o| {
                o.object("customer", |o| show_more(o, books, customer));
            });
        })
    }
    merchant.write(request, act, find, render).await
}

async fn find(merchant: Merchant, raw: u128) -> Result<Customer, Error> {
    Ok(merchant.engine().customer_by_id(merchant.environment(), CustomerId::from_raw(raw)).await?)
}

/// `GET /api/v1/customers`
pub(super) async fn list(merchant: Merchant, uri: Uri) -> Result<Response<Body>, Error> {
    let asked = list::ListQuery::of::<CustomerId>(&Query::parse(uri.query()))?;
    let page = merchant.engine().customers(merchant.environment(), asked.window).await?;
    Ok(ok(list::envelope(&asked, &page, |row| row.id, |o, row| show_more(o, &merchant.books, row))))
}

/// `GET /api/v1/customers/{externalId}`
pub(super) async fn retrieve(merchant: Merchant, uri: Uri) -> Result<Response<Body>, Error> {
    let external_id = segment(uri.path(), ALL, "")?;
    let customer = merchant.engine().customer(merchant.environment(), &external_id).await?;
    Ok(ok(envelope(&merchant.books, &customer)))
}

/// `PUT /api/v1/customers/{externalId}`
pub(super) async fn update(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    let external_id = segment(request.uri().path(), ALL, "")?;
    let act = async move |merchant: Merchant, asked: WriteInput| {
        let edit = edit(&asked.body)?;
        Ok(merchant.engine().update_customer(merchant.at(asked.request), &external_id, edit).await?)
    };
    merchant.write(request, act, find, envelope).await
}

/// `POST /api/v1/customers/{externalId}/archive`
pub(super) async fn archive(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    let external_id = segment(request.uri().path(), ALL, "/archive")?;
    let act = async move |merchant: Merchant, asked: WriteInput| {
        let edit = CustomerEdit { archived: Some(true), ..CustomerEdit::default() };
        Ok(merchant.engine().update_customer(merchant.at(asked.request), &external_id, edit).await?)
    };
    merchant.write(request, act, find, envelope).await
}

/// The customer that a body names by `customerId` or `customerExternalId`.
///
/// # Errors
/// If it names none.
pub(super) fn customer_of_body(fields: &Fields<'_>) -> Result<CustomerRef, Error> {
    if let Some(external_id) = fields.text("customerExternalId", NAME_MAX)? {
        return Ok(CustomerRef::ExternalId(external_id));
    }
    fields.required("customerId", "the id of a customer: cust_…", |f, n| f.id(n)).map(CustomerRef::Id)
}
