//! Invoices and their lines.

use super::customers::customer_of_body;
use super::error::Error;
use super::fields::{Fields, TEXT_MAX};
use super::list::{self, envelope};
use super::merchant::{Merchant, WriteInput, id_of, ok, segment};
use super::spell::{Iso, Spell};
use crate::body::Body;
use crate::json::{Object, object};
use crate::query::Query;
use axum::extract::Request;
use axum::response::Response;
use billing::catalog::{Category, TaxBehavior};
use billing::currency::Currency;
use billing::environment::Environment;
use billing::id::{Id, InvoiceId, InvoiceLineId, SubscriptionId};
use billing::invoice::{InvoiceKind, InvoiceLine, InvoiceStatus, InvoiceTax};
use billing::money::Money;
use engine::{Cycle, InvoiceWithCycle, NewLine, Of};
use http::Uri;
use store::billing_view::FullInvoice;

const ALL: &str = "/api/v1/invoices/";
const ALL_LINES: &str = "/api/v1/invoice-line-items/";
/// How many lines an invoice may be given.
const LINES_MAX: usize = 250;

/// The keys of document 002, in its order.
pub(super) fn show(o: &mut Object<'_>, books: &Environment, full: &FullInvoice, cycle: Option<Cycle>) {
    let v = &full.invoice;
    o.put("id", Spell(v.id)).put("createdAt", Iso(v.created_at)).put("updatedAt", Iso(v.updated_at));
    o.put("livemode", books.livemode).put("purchaseId", v.purchase_id.map(Spell));
    o.put("invoiceNumber", &v.number).put("invoiceDate", Iso(v.invoice_date));
    o.put("billingPeriodId", v.period_id.map(Spell)).put("dueDate", Iso(v.due_date));
    o.put("customerId", Spell(v.customer_id)).put("organizationId", Spell(books.organization_id));
    o.put("status", v.status.as_str());
    o.put("billingInterval", cycle.map(|(interval, _)| interval.unit.as_str()));
    o.put("subscriptionId", v.subscription_id.map(Spell));
    o.put("billingPeriodStartDate", v.period.map(|period| Iso(period.start)));
    o.put("billingPeriodEndDate", v.period.map(|period| Iso(period.end)));
    o.put("billingIntervalCount", cycle.map(|(interval, _)| i64::from(interval.count)));
    o.put("billingAnchorDate", cycle.map(|(_, anchor)| Iso(anchor)));
    // Nobody of the seller owns an invoice, and the books hold no documents of it.
    o.put("ownerMembershipId", None::<&str>).put("pdfURL", None::<&str>);
    o.put("receiptPdfURL", None::<&str>).put("memo", &v.memo).put("bankPaymentOnly", false);
    o.put("type", kind_of(v.kind)).put("currency", v.currency.code());
    o.put("taxAmount", v.tax).put("subtotal", v.subtotal);
    // The contract has room for one tax: what all taxes of the invoice agree on is shown.
    o.put("taxType", agreed(&full.taxes, |tax| Some(tax.kind.as_str())));
    o.put("taxCountry", agreed(&full.taxes, |tax| Some(tax.country.as_str())));
    o.put("taxState", agreed(&full.taxes, |tax| tax.state.as_deref()));
    o.put("taxRatePercentage", agreed(&full.taxes, |tax| Some(tax.rate)).map(|rate| rate.to_string()));
    o.put("applicationFee", None::<i64>);
}

/// The contract's word for what an invoice is for; it has none of its own for a change.
fn kind_of(kind: InvoiceKind) -> &'static str {
    match kind {
        InvoiceKind::Change => InvoiceKind::Subscription.as_str(),
        kind => kind.as_str(),
    }
}

/// What all taxes have in common; none if they differ or there are none.
fn agreed<'t, T: PartialEq>(taxes: &'t [InvoiceTax], of: impl Fn(&'t InvoiceTax) -> Option<T>) -> Option<T> {
    let mut all = taxes.iter().map(of);
    let first = all.next().flatten()?;
    all.all(|other| other.as_ref() == Some(&first)).then_some(first)
}

/// The member `invoiceLineItems`.
pub(super) fn show_lines(o: &mut Object<'_>, books: &Environment, full: &FullInvoice) {
    o.array("invoiceLineItems", |list| {
        for line in &full.lines {
            list.object(|o| show_line(o, books, line));
        }
    });
}

fn show_line(o: &mut Object<'_>, books: &Environment, line: &InvoiceLine) {
    // The sum of price times quantity, and the tax, is what is to be paid.
    let (price, quantity) = line.price_and_quantity();
    o.put("id", Spell(line.id)).put("createdAt", Iso(line.created_at));
    o.put("updatedAt", Iso(line.created_at)).put("livemode", books.livemode);
    o.put("invoiceId", Spell(line.invoice_id)).put("quantity", quantity);
    o.put("priceId", line.price_id.map(Spell)).put("description", &line.description).put("price", price);
}

/// The same and what else there is.
fn show_more(o: &mut Object<'_>, books: &Environment, invoice: &InvoiceWithCycle) {
    let InvoiceWithCycle { full, cycle } = invoice;
    show(o, books, full, *cycle);
    let v = &full.invoice;
    o.put("total", v.total).put("amountPaid", v.settled).put("amountRefunded", v.refunded);
    o.put("amountDue", v.owed()).put("paidAt", v.paid_at.map(Iso)).put("attemptCount", v.attempt_count);
    o.put("nextPaymentAttempt", v.next_attempt_at.map(Iso)).put("lastFailureCode", &v.last_failure);
    o.array("taxes", |list| {
        for tax in &full.taxes {
            list.object(|o| {
                o.put("category", tax.category.as_str()).put("taxType", &tax.kind);
                o.put("taxCountry", &tax.country).put("taxState", &tax.state);
                o.put("taxRatePercentage", tax.rate.to_string()).put("taxableAmount", tax.taxable);
                o.put("taxAmount", tax.amount);
            });
        }
    });
}

async fn find(merchant: Merchant, raw: u128) -> Result<InvoiceWithCycle, Error> {
    Ok(merchant.engine().full_invoice(merchant.environment(), InvoiceId::from_raw(raw)).await?)
}

fn render(books: &Environment, invoice: &InvoiceWithCycle) -> String {
    object(|o| {
        o.object("invoice", |o| show_more(o, books, invoice));
        show_lines(o, books, &invoice.full);
    })
}

/// `GET /api/v1/invoices/{id}`
pub(super) async fn retrieve(merchant: Merchant, uri: Uri) -> Result<Response<Body>, Error> {
    let id: InvoiceId = id_of(&segment(uri.path(), ALL, "")?)?;
    let invoice = merchant.engine().full_invoice(merchant.environment(), id).await?;
    Ok(ok(render(&merchant.books, &invoice)))
}

/// `GET /api/v1/invoices`, of one customer with `customerId` or of one subscription with
/// `subscriptionId`, and then in one state with `status`.
pub(super) async fn list(merchant: Merchant, uri: Uri) -> Result<Response<Body>, Error> {
    const STATES: [&str; 8] = [
        "draft",
        "open",
        "paid",
        "uncollectible",
        "void",
        "refunded",
        "partially_refunded",
        "awaiting_payment_confirmation",
    ];
    let query = Query::parse(uri.query());
    let asked = list::ListQuery::of::<InvoiceId>(&query)?;
    let of = match list::id::<SubscriptionId>(&query, "subscriptionId")? {
        Some(id) => Of::Subscription(id),
        None => list::customer(&query)?,
    };
    let state = list::state(&query, &of, &STATES)?;
    let number = merchant.environment();
    let page = match state.map(InvoiceStatus::parse) {
        // Nothing is ever in a state that the books do not have.
        Some(None) => store::pages::Page::empty(),
        Some(status) => merchant.engine().invoices(number, of, status, asked.window).await?,
        None => merchant.engine().invoices(number, of, None, asked.window).await?,
    };
    let show = |o: &mut Object<'_>, row: &InvoiceWithCycle| show_more(o, &merchant.books, row);
    Ok(ok(envelope(&asked, &page, |row| row.full.invoice.id, show)))
}

/// `POST /api/v1/invoices`: lines that the merchant wrote.
pub(super) async fn create(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    async fn act(merchant: Merchant, asked: WriteInput) -> Result<InvoiceWithCycle, Error> {
        let fields = Fields::of(&asked.body)?;
        let charge = fields.flag("charge")?.unwrap_or(false);
        let invoice = fields.required("invoice", "an object", |f, name| f.object(name))?;
        invoice.word("type", "standalone", |word| (word == "standalone").then_some(()))?;
        let currency = invoice.currency("currency")?.unwrap_or(merchant.books.currency);
        let memo = invoice.text("memo", TEXT_MAX)?;
        let lines = fields
            .required("invoiceLineItems", "an array of lines", |f, name| f.objects(name, LINES_MAX))?
            .iter()
            .map(|line| new_line(line, currency))
            .collect::<Result<Vec<_>, _>>()?;
        let customer = customer_of_body(&invoice)?;
        let engine = merchant.engine();
        Ok(engine.issue_invoice(merchant.at(asked.request), customer, lines, memo, charge).await?)
    }
    merchant.write(request, act, find, render).await
}

fn new_line(line: &Fields<'_>, currency: Currency) -> Result<NewLine, Error> {
    const MOST: i64 = 1_000_000_000_000;
    let words = Category::ALL.iter().map(|category| category.as_str()).collect::<Vec<_>>().join(", ");
    let price =
        line.required("price", "what one unit costs, in minor units", |f, name| f.int_in(name, -MOST, MOST))?;
    Ok(NewLine {
        description: line.text("description", TEXT_MAX)?.unwrap_or_default(),
        price_id: line.id("priceId")?,
        product_id: None,
        category: line.word("category", &words, Category::parse)?.unwrap_or(Category::Subscription),
        quantity: line.int_in("quantity", 1, 1_000_000_000)?.unwrap_or(1),
        unit_price: Money::new(price, currency),
        tax_behavior: match line.flag("taxInclusive")? {
            Some(true) => TaxBehavior::Inclusive,
            Some(false) | None => TaxBehavior::Exclusive,
        },
    })
}

/// `POST /api/v1/invoices/{id}/void`
pub(super) async fn void(merchant: Merchant, request: Request) -> Result<Response<Body>, Error> {
    let id: InvoiceId = id_of(&segment(request.uri().path(), ALL, "/void")?)?;
    let act = async move |merchant: Merchant, asked: WriteInput| {
        Ok(merchant.engine().void_invoice(merchant.at(asked.request), id).await?)
    };
    merchant.write(request, act, find, render).await
}

/// `GET /api/v1/invoice-line-items`, of one invoice with `invoiceId`.
pub(super) async fn list_lines(merchant: Merchant, uri: Uri) -> Result<Response<Body>, Error> {
    let query = Query::parse(uri.query());
    let asked = list::ListQuery::of::<InvoiceLineId>(&query)?;
    let of = list::id::<InvoiceId>(&query, "invoiceId")?;
    let page = merchant.engine().invoice_lines(merchant.environment(), of, asked.window).await?;
    let show = |o: &mut Object<'_>, row: &InvoiceLine| show_line_and_type(o, &merchant.books, row);
    Ok(ok(envelope(&asked, &page, |row| row.id, show)))
}

/// `GET /api/v1/invoice-line-items/{id}`
pub(super) async fn retrieve_line(merchant: Merchant, uri: Uri) -> Result<Response<Body>, Error> {
    let id: InvoiceLineId = id_of(&segment(uri.path(), ALL_LINES, "")?)?;
    let line = merchant.engine().invoice_line(merchant.environment(), id).await?;
    Ok(ok(object(|o| show_line_and_type(o, &merchant.books, &line))))
}

fn show_line_and_type(o: &mut Object<'_>, books: &Environment, line: &InvoiceLine) {
    show_line(o, books, line);
    o.put("type", "static").put("category", line.category.as_str());
}
