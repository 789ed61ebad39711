//! Money that was received, as staff read it.

use crate::engine::{Engine, Fut};
use crate::error::Error;
use billing::calendar::Zone;
use billing::catalog::Category;
use billing::currency::Currency;
use billing::environment::Environment;
use billing::id::{CustomerId, PaymentId};
use billing::payment::PaymentKind;
use billing::refusal::Refusal;
use billing::reporting_windows::ReportingWindows;
use billing::timestamp::Timestamp;
use store::counted_list::{Between, Totals};
use store::views::OffsetPage;
use store::views::payments::{self, PaymentRow, Wanted};
use store::{Snapshot, customers};

/// How a request names a customer: by the merchant's own id, or by the first 96 bits of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerName {
    /// The text as it was given.
    pub external_id: String,
    /// The bits that it spells.
    pub first: u128,
}

/// Which payments are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The currency of the money.
    pub currency: Currency,
    /// Whose; everybody's if none.
    pub customer: Option<CustomerName>,
    /// What for; everything if none.
    pub categories: Option<&'static [Category]>,
    /// How it came; both if none.
    pub kind: Option<PaymentKind>,
    /// The first instant.
    pub from: Option<Timestamp>,
    /// The first instant after.
    pub until: Option<Timestamp>,
}

/// What came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentTotals {
    /// All that is wanted.
    pub all: Totals,
    /// What of it came this month.
    pub month: Totals,
    /// What of it came this week.
    pub week: Totals,
    /// What of it came today.
    pub day: Totals,
    /// The calendar by which these were counted.
    pub today: ReportingWindows,
}

impl Engine {
    /// A page of the wanted payments, those that came last first, and how many there are.
    ///
    /// # Errors
    /// If the store fails.
    pub fn received(
        &self,
        environment: i64,
        filter: Filter,
        offset_page: OffsetPage,
    ) -> Fut<'_, (i64, Vec<PaymentRow>)> {
        self.read(move |s| {
            Box::pin(async move {
                match wanted(s, environment, &filter).await? {
                    Some(wanted) => Ok(payments::page(s, wanted, offset_page).await?),
                    None => Ok((0, Vec::new())),
                }
            })
        })
    }

    /// What the wanted payments sum to: all of them, and those of this month, this week and today in the
    /// environment's zone.
    ///
    /// # Errors
    /// If the store fails.
    pub fn payment_totals(
        &self,
        now: Timestamp,
        environment: &Environment,
        filter: Filter,
    ) -> Fut<'_, PaymentTotals> {
        let (number, zone) = (environment.number, environment.zone.clone());
        self.read(move |s| {
            Box::pin(async move {
                let zone = Zone::parse(&zone).map_err(Refusal::from)?;
                let today = ReportingWindows::at(now, &zone).map_err(Refusal::from)?;
                let none = Totals::default();
                let mut payment_totals =
                    PaymentTotals { all: none, month: none, week: none, day: none, today };
                let Some(wanted) = wanted(s, number, &filter).await? else { return Ok(payment_totals) };
                payment_totals.all = payments::totals(s, wanted).await?;
                payment_totals.month =
                    payments::totals(s, within(wanted, today.month, today.tomorrow)).await?;
                payment_totals.week = payments::totals(s, within(wanted, today.week, today.tomorrow)).await?;
                payment_totals.day = payments::totals(s, within(wanted, today.day, today.tomorrow)).await?;
                Ok(payment_totals)
            })
        })
    }

    /// A payment that was received and not taken back.
    ///
    /// # Errors
    /// If there is none of this id in the environment.
    pub fn received_payment(&self, environment: i64, id: PaymentId) -> Fut<'_, PaymentRow> {
        self.read(move |s| {
            Box::pin(
                async move { payments::one(s, environment, id).await?.ok_or_else(|| Error::not_found(id)) },
            )
        })
    }
}

/// What is wanted in terms of the books; none if it names a customer that does not exist.
async fn wanted(s: &mut Snapshot, environment: i64, filter: &Filter) -> Result<Option<Wanted>, store::Error> {
    let customer = match &filter.customer {
        None => None,
        Some(name) => match find_customer(s, environment, name).await? {
            Some(customer) => Some(customer),
            None => return Ok(None),
        },
    };
    let between =
        Between { from: filter.from.map(Timestamp::micros), until: filter.until.map(Timestamp::micros) };
    let Filter { currency, categories, kind, .. } = *filter;
    Ok(Some(Wanted { environment, currency, customer, categories, kind, between }))
}

/// The merchant's own ids go before the spellings of ours.
pub(crate) async fn find_customer(
    s: &mut Snapshot,
    environment: i64,
    name: &CustomerName,
) -> Result<Option<CustomerId>, store::Error> {
    match customers::named(s, environment, "external_id", &name.external_id).await? {
        Some(customer) => Ok(Some(customer)),
        None => customers::spelled(s, environment, name.first).await,
    }
}

/// What of the wanted came in a range of time.
fn within(wanted: Wanted, from: Timestamp, until: Timestamp) -> Wanted {
    let between = Between {
        from: wanted.between.from.max(Some(from.micros())),
        until: Some(wanted.between.until.map_or(until.micros(), |at| at.min(until.micros()))),
    };
    Wanted { between, ..wanted }
}
