//! All that is asked of the product: its use cases, over one store, with the sandbox gateway and clocks that
//! are moved. Each case has books of its own.

use crate::verdict::Verdict;
use billing::calendar::{Date, Interval, Zone};
use billing::catalog::edit::{NewPrice, NewTaxRate, ProductEdit};
use billing::catalog::{PriceKind, TaxBehavior};
use billing::currency::Currency;
use billing::customer::{Address, CustomerEdit};
use billing::id::{CustomerId, Ids, PriceId, SubscriptionId};
use billing::money::Money;
use billing::rate::Rate;
use billing::subscription::cancel::CancelAt;
use billing::subscription::change::ChangeTiming;
use billing::timestamp::Timestamp;
use engine::{Adjust, At, Engine, Error, NewBooks, Of, Subscribe, SubscribeItem};
use gateway::Sandbox;
use std::sync::Arc;
use store::pages::CursorPage;

/// What the product refuses because it is not built, by what it says, and what is missing.
const NOT_BUILT: [(&str, &str); 2] = [
    ("the change would leave a credit", "changes that leave a credit"),
    ("all items share one interval", "changes to another interval"),
];

/// Why a use case did not happen.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What it needs is not built.
    NotBuilt(&'static str),
    /// A rule forbids it.
    Refused(String),
    /// Something broke.
    Broken(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let told = error.to_string();
        match (NOT_BUILT.iter().find(|(says, _)| told.contains(says)), error) {
            (Some((_, missing)), _) => Failure::NotBuilt(missing),
            (None, Error::Refused(_)) => Failure::Refused(told),
            (None, _) => Failure::Broken(told),
        }
    }
}

impl From<Failure> for Verdict {
    fn from(failure: Failure) -> Verdict {
        let differs = |got| Verdict::Differs { expected: "that the step is taken".to_owned(), got };
        match failure {
            Failure::NotBuilt(what) => Verdict::not_yet(what),
            Failure::Refused(why) => differs(format!("a refusal: {why}")),
            Failure::Broken(why) => differs(format!("a failure: {why}")),
        }
    }
}

/// The product: one engine over one store.
pub(crate) struct Product {
    engine: Engine,
    /// Where the books lie, as long as the product is used.
    _books: testbed::Books,
}

/// What the books of a case are opened with.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    pub(crate) currency: Currency,
    /// The customer's zone.
    pub(crate) zone: Zone,
    /// The tax on everything; none if there is none.
    pub(crate) tax: Option<Rate>,
    /// Where the clock stands.
    pub(crate) at: Timestamp,
}

/// What is sold for so much a period.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    pub(crate) name: String,
    pub(crate) unit_price: Money,
    pub(crate) interval: Interval,
    pub(crate) trial_days: Option<i64>,
    pub(crate) period_count: Option<i64>,
}

/// The books of one case: an organization with one customer, who has a card that always pays.
pub(crate) struct Books<'a> {
    engine: &'a Engine,
    environment: i64,
    customer: CustomerId,
    zone: Zone,
    now: Timestamp,
}

/// An invoice as the cases tell of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    /// When it was issued.
    pub(crate) at: Timestamp,
    /// Its day where the customer is.
    pub(crate) on: Date,
    /// The days that it covers, the last not among them.
    pub(crate) days: Option<(Date, Date)>,
    /// The lines, without tax.
    pub(crate) lines: Vec<i64>,
    /// The sum of its taxes.
    pub(crate) tax: i64,
    /// What it comes to.
    pub(crate) total: i64,
}

impl Product {
    /// A product with empty books in a file that goes with it.
    pub(crate) async fn open() -> Product {
        let books = testbed::Books::sqlite();
        let engine = Engine::new(books.open().await, Arc::new(Sandbox::default()), Ids::seeded(1));
        Product { engine, _books: books }
    }

    /// Opens the books of a case.
    pub(crate) async fn books(&self, opening: Opening) -> Result<Books<'_>, Failure> {
        let Opening { currency, zone, tax, at } = opening;
        let engine = &self.engine;
        let new = NewBooks { currency, ..NewBooks::test("Seller", at) };
        let (_, environment, _) = engine.open_books(&mut engine.ctx(at), new).await?;
        let environment = environment.number;
        if let Some(rate) = tax {
            let new = NewTaxRate {
                kind: "vat".to_owned(),
                country: "FR".to_owned(),
                state: None,
                category: None,
                rate,
            };
            engine.create_tax_rate(At::new(at, environment), new).await?;
        }
        let address = Address { text: "{}".to_owned(), country: Some("FR".to_owned()), state: None };
        let edit = CustomerEdit {
            external_id: Some("buyer".to_owned()),
            name: Some("Buyer".to_owned()),
            email: Some("buyer@example.com".to_owned()),
            billing_address: Some(Some(address)),
            zone: Some(Some(zone.name().to_owned())),
            ..CustomerEdit::default()
        };
        let customer = engine.create_customer(At::new(at, environment), edit).await?.id;
        let card = testbed::card("tok_visa");
        engine.create_payment_method(At::new(at, environment), customer, card).await?;
        Ok(Books { engine, environment, customer, zone, now: at })
    }
}

impl Books<'_> {
    /// Where the clock stands.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Puts something up for sale, as a product of its own.
    pub(crate) async fn offer(&self, offer: Offer) -> Result<PriceId, Failure> {
        let product = ProductEdit { name: Some(offer.name), ..ProductEdit::default() };
        let price = NewPrice {
            kind: PriceKind::Subscription,
            name: None,
            slug: None,
            unit_price: offer.unit_price,
            interval: Some(offer.interval),
            trial_days: offer.trial_days,
            setup_fee: None,
            period_count: offer.period_count,
            tax_behavior: TaxBehavior::Exclusive,
            is_default: true,
            active: true,
        };
        let made = self
            .engine
            .create_product(At::new(self.now, self.environment), None, product, Some(price))
            .await?;
        let price =
            made.1.first().ok_or_else(|| Failure::Broken("a product without its price".to_owned()))?;
        Ok(price.id)
    }

    /// Subscribes the customer to prices, so many units of each.
    pub(crate) async fn subscribe(&self, items: &[(PriceId, i64)]) -> Result<SubscriptionId, Failure> {
        let new = Subscribe { items: these(items), ..Subscribe::default() };
        Ok(self
            .engine
            .subscribe(At::new(self.now, self.environment), self.customer, new)
            .await?
            .subscription
            .id)
    }

    /// Changes what a subscription holds.
    pub(crate) async fn change(
        &self,
        id: SubscriptionId,
        items: &[(PriceId, i64)],
        when: ChangeTiming,
    ) -> Result<(), Failure> {
        let adjust = Adjust { items: these(items), when };
        self.engine.adjust(At::new(self.now, self.environment), id, adjust).await?;
        Ok(())
    }

    /// Cancels a subscription.
    pub(crate) async fn cancel(&self, id: SubscriptionId, at: CancelAt) -> Result<(), Failure> {
        self.engine.cancel(At::new(self.now, self.environment), id, at).await?;
        Ok(())
    }

    /// The local date on which the current period of a subscription ends.
    pub(crate) async fn period_end(&self, id: SubscriptionId) -> Result<Date, Failure> {
        let subscription = self.engine.subscription(self.environment, id).await?;
        Ok(self.zone.civil_date(subscription.period.end))
    }

    /// Moves the clock, with all that falls due on the way.
    pub(crate) async fn advance(&mut self, to: Timestamp) -> Result<(), Failure> {
        self.engine.advance_clock(self.environment, to).await?;
        self.now = to;
        Ok(())
    }

    /// The customer's invoices, the oldest first.
    pub(crate) async fn documents(&self) -> Result<Vec<Document>, Failure> {
        let window = CursorPage { after: None, limit: 1_000 };
        let of = Of::Customer(self.customer);
        let page = self.engine.invoices(self.environment, of, None, window).await?;
        let mut invoices: Vec<_> = page.rows.into_iter().map(|row| row.full).collect();
        invoices.sort_by_key(|full| full.invoice.customer_ordinal);
        let documents = invoices.into_iter().map(|full| {
            let (invoice, day) = (full.invoice, |t| self.zone.civil_date(t));
            Document {
                at: invoice.invoice_date,
                on: day(invoice.invoice_date),
                days: invoice.period.map(|period| (day(period.start), day(period.end))),
                lines: full.lines.iter().map(|line| line.amount).collect(),
                tax: invoice.tax,
                total: invoice.total,
            }
        });
        Ok(documents.collect())
    }
}

fn these(items: &[(PriceId, i64)]) -> Vec<SubscribeItem> {
    items.iter().map(|(price, quantity)| SubscribeItem { price: *price, quantity: *quantity }).collect()
}
