//! A customer's invoices, as it reads them itself.

use crate::engine::{Engine, Fut};
use crate::error::Error;
use crate::kind::Kind;
use billing::calendar::{Period, Schedule, Zone};
use billing::currency::Currency;
use billing::environment::Environment;
use billing::grace::{Expiry, expiry};
use billing::id::{CustomerId, ProductId};
use billing::refusal::Refusal;
use billing::timestamp::Timestamp;
use store::views::customer_invoices::{CustomerInvoiceRow, Subscribed};
use store::views::invoices::Issued;
use store::views::{self, OffsetPage};
use store::{Snapshot, customers};

/// A page of a customer's invoices in one currency, newest first.
#[derive(Debug, Clone)]
pub struct CustomerInvoices {
    /// The customer's zone, else the environment's.
    pub zone: Zone,
    /// How many invoices there are.
    pub total: i64,
    /// The page.
    pub rows: Vec<CustomerInvoice>,
    /// The next instant at which the time alone changes something on the page.
    pub changes_at: Option<Timestamp>,
}

/// An invoice with how its period stands.
#[derive(Debug, Clone)]
pub struct CustomerInvoice {
    /// The invoice with its subscription and plan.
    pub invoice: CustomerInvoiceRow,
    /// How the period that it charged stands, if it charged one.
    pub plan: Option<PlanState>,
}

/// How a period of a subscription stands.
#[derive(Debug, Clone, Copy)]
pub struct PlanState {
    /// Whether it is over, with and without grace.
    pub access: Expiry,
    /// When it was meant to end.
    pub expected_end: Timestamp,
    /// When it ended; none while it goes on.
    pub ended_at: Option<Timestamp>,
    /// Whether the subscription stops when it ends.
    pub cancels_at_end: bool,
}

/// How a request names a product: by the merchant's short name or by an id, in whatever spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductName {
    /// The text as it was given.
    pub slug: String,
    /// The ids that the text can be a spelling of: the first and the last one of a range.
    pub ids: Option<(u128, u128)>,
}

impl Engine {
    /// A customer's invoices in one currency.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub fn customer_invoices(
        &self,
        now: Timestamp,
        environment: &Environment,
        customer: CustomerId,
        currency: Currency,
        offset_page: OffsetPage,
    ) -> Fut<'_, CustomerInvoices> {
        let (number, grace_days) = (environment.number, environment.grace_days);
        let zone_of_books = environment.zone.clone();
        Box::pin(async move {
            let found = self
                .store
                .read(move |s| {
                    Box::pin(views::customer_invoices::page(s, number, customer, currency, offset_page))
                })
                .await?
                .ok_or_else(|| Error::not_found(customer))?;
            let zone = found.zone.as_deref().unwrap_or(&zone_of_books);
            let zone = Zone::parse(zone).map_err(Refusal::from)?;
            let mut rows = Vec::with_capacity(found.rows.len());
            for invoice in found.rows {
                let plan = match &invoice.subscribed {
                    Some(subscribed) => Some(plan_state(subscribed, grace_days, now)?),
                    None => None,
                };
                rows.push(CustomerInvoice { invoice, plan });
            }
            let changes_at = rows.iter().filter_map(|row| row.plan?.access.changes_at).min();
            Ok(CustomerInvoices { zone, total: found.total, rows, changes_at })
        })
    }

    /// The invoices of the customer of a handle, newest first, and how many there are; none if the
    /// customer is another one than who asks.
    ///
    /// # Errors
    /// If nobody has the handle.
    pub fn invoices_of_handle(
        &self,
        environment: &Environment,
        handle: String,
        member: CustomerId,
        product: Option<ProductName>,
        offset_page: OffsetPage,
    ) -> Fut<'_, Option<(i64, Vec<Issued>)>> {
        let (number, default) = (environment.number, environment.default_product.clone());
        self.read(move |s| {
            Box::pin(async move {
                customers::prefetch_named(s, number, "handle", &handle);
                if product.is_none() {
                    if let Some(default) = &default {
                        store::catalog::prefetch_product(s, number, default);
                    }
                    views::invoices::prefetch_issued(s, member, offset_page);
                }
                let found = customers::named(s, number, "handle", &handle).await?;
                let customer = found.ok_or_else(|| Error::none_named(Kind::Customer, &handle))?;
                if customer != member {
                    return Ok(None);
                }
                let invoices = match product_of(s, number, product, default).await? {
                    Choice::Every => views::invoices::issued(s, customer, None, offset_page).await?,
                    Choice::One(id) => views::invoices::issued(s, customer, Some(id), offset_page).await?,
                    Choice::Nothing => (0, Vec::new()),
                };
                Ok(Some(invoices))
            })
        })
    }
}

enum Choice {
    Every,
    One(ProductId),
    Nothing,
}

/// The product that is meant. Where none is named the environment's default one is, and that stands for
/// all products as long as none bears its name.
async fn product_of(
    s: &mut Snapshot,
    environment: i64,
    named: Option<ProductName>,
    default: Option<String>,
) -> Result<Choice, Error> {
    let is_default = named.as_ref().is_none_or(|name| Some(&name.slug) == default.as_ref());
    let Some(name) = named.or_else(|| default.map(|slug| ProductName { slug, ids: None })) else {
        return Ok(Choice::Every);
    };
    let found = store::catalog::product_named(s, environment, &name.slug, name.ids).await?;
    Ok(match found {
        Some(product) => Choice::One(product),
        None if is_default => Choice::Every,
        None => Choice::Nothing,
    })
}

fn plan_state(subscribed: &Subscribed, grace_days: i64, now: Timestamp) -> Result<PlanState, Refusal> {
    let period = subscribed.period;
    let access = expiry(period, grace_days, now)?;
    let has_ended = subscribed.status.is_terminal();
    Ok(PlanState {
        access,
        expected_end: if has_ended && subscribed.is_last_period {
            planned_end(subscribed, period)?
        } else {
            period.end
        },
        ended_at: access.is_period_over.then_some(period.end),
        cancels_at_end: subscribed.cancel_scheduled_at.is_some() && !has_ended,
    })
}

/// When the last period of a subscription that has ended would have ended by its calendar.
fn planned_end(subscribed: &Subscribed, period: Period) -> Result<Timestamp, Refusal> {
    let zone = Zone::parse(&subscribed.zone)?;
    let schedule = Schedule { anchor: subscribed.anchor, zone, interval: subscribed.interval };
    Ok(schedule.boundary(subscribed.period_index + 1)?.max(period.end))
}
