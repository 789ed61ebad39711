//! Subscriptions: what they are, and one file for every verb.
//!
//! Owns subscriptions, items and periods as rows, and what their states mean. Money is of `invoice` and
//! `payment`. Periods of one subscription follow each other without overlap; those that are paid for are
//! counted from the anchor, in its zone. Times: start, anchor, current period, and `due_at`, after which
//! something happens by itself.

pub(crate) mod bill_period;
pub mod cancel;
pub mod change;
pub mod create;
pub mod due;
pub mod items;
pub(crate) mod reactivate;
pub mod step;

use crate::calendar::{Interval, Period, Schedule, Zone};
use crate::catalog::{Category, TaxBehavior};
use crate::currency::Currency;
use crate::id::{
    CustomerId, DiscountId, InvoiceId, ItemId, PaymentMethodId, PeriodId, PriceId, ProductId, SubscriptionId,
};
use crate::money::Money;
use crate::timestamp::Timestamp;

/// Where a subscription stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Made, its first payment not settled.
    Incomplete,
    /// Given up before its first payment.
    IncompleteExpired,
    /// In its days without charge.
    Trialing,
    /// Running and paid.
    Active,
    /// Running, its last invoice not paid.
    PastDue,
    /// Not renewed, because collecting was given up.
    Unpaid,
    /// Ended before its time.
    Canceled,
    /// Ended as planned.
    Completed,
}

crate::text_enum!(Status {
    Incomplete = "incomplete",
    IncompleteExpired = "incomplete_expired",
    Trialing = "trialing",
    Active = "active",
    PastDue = "past_due",
    Unpaid = "unpaid",
    Canceled = "canceled",
    Completed = "completed",
});

impl Status {
    /// Whether nothing can happen to it any more.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::IncompleteExpired | Self::Canceled | Self::Completed)
    }

    /// Whether the policy asks for what it owes: no longer once it was ended before its time.
    pub const fn is_collected(self) -> bool {
        !matches!(self, Self::Canceled | Self::IncompleteExpired)
    }

    /// Whether the customer has what it subscribed to: document 002's `current`.
    pub const fn is_current(self) -> bool {
        matches!(self, Self::Trialing | Self::Active | Self::PastDue | Self::Unpaid)
    }
}

/// A customer's agreement to pay for something period by period.
#[derive(Debug, Clone, PartialEq)]
pub struct Subscription {
    /// Its id.
    pub id: SubscriptionId,
    /// The number of the environment that it belongs to.
    pub environment: i64,
    /// Its place among the environment's subscriptions, from 1; the commit fills it in.
    pub number: i64,
    /// Who pays.
    pub customer_id: CustomerId,
    /// The price of its first item.
    pub price_id: PriceId,
    /// The product of that price.
    pub product_id: ProductId,
    /// What its charges are for.
    pub category: Category,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub status: Status,
    /// The currency of all its items.
    pub currency: Currency,
    /// How long a period is.
    pub interval: Interval,
    /// The instant from which all paid periods are counted.
    pub anchor: Timestamp,
    /// The IANA zone in which they are counted.
    pub zone: String,
    /// The number of the current period, counted from the anchor; -1 in a trial.
    pub period_index: i64,
    /// The current period's id.
    pub period_id: PeriodId,
    /// The current period.
    pub period: Period,
    /// How many paid periods are left; none if it goes on until canceled.
    pub periods_left: Option<i64>,
    /// When its trial ends or ended.
    pub trial_end: Option<Timestamp>,
    /// What is charged; the customer's default if none.
    pub default_payment_method_id: Option<PaymentMethodId>,
    /// What is charged if that fails to exist.
    pub backup_payment_method_id: Option<PaymentMethodId>,
    /// What takes money off its invoices.
    pub discount_id: Option<DiscountId>,
    /// For how many more invoices; none if for all.
    pub discount_payments_left: Option<i64>,
    /// When it is to be canceled.
    pub cancel_scheduled_at: Option<Timestamp>,
    /// When it was canceled.
    pub canceled_at: Option<Timestamp>,
    /// When it ended, canceled or completed.
    pub ended_at: Option<Timestamp>,
    /// When the next renewal was announced.
    pub reminded_at: Option<Timestamp>,
    /// The instant at which something of it falls due; none if nothing ever will.
    pub due_at: Option<Timestamp>,
    /// The merchant's own data as JSON text.
    pub metadata: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Subscription {
    /// The schedule of its paid periods.
    ///
    /// # Errors
    /// If its zone is not one of the bundled IANA zones.
    pub fn schedule(&self) -> Result<Schedule, crate::timestamp::CalendarError> {
        Ok(Schedule { anchor: self.anchor, zone: Zone::parse(&self.zone)?, interval: self.interval })
    }

    /// Whether it runs now but is to end: document 002's `cancellation_scheduled`.
    pub fn is_cancellation_scheduled(&self) -> bool {
        self.cancel_scheduled_at.is_some() && matches!(self.status, Status::Active | Status::Trialing)
    }
}

/// A priced part of a subscription.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its id.
    pub id: ItemId,
    /// The number of the environment that it belongs to.
    pub environment: i64,
    /// The subscription that it is a part of.
    pub subscription_id: SubscriptionId,
    /// Who pays.
    pub customer_id: CustomerId,
    /// What it was priced by.
    pub price_id: PriceId,
    /// The product of that price.
    pub product_id: ProductId,
    /// What its charges are for.
    pub category: Category,
    /// Its name.
    pub name: String,
    /// What one unit costs for a period.
    pub unit_price: Money,
    /// Whether tax is inside that.
    pub tax_behavior: TaxBehavior,
    /// How many units, at least 1.
    pub quantity: i64,
    /// Whether it is yet to come or about to go when the period ends.
    pub pending: Option<PendingItem>,
    /// When it became a part of the subscription.
    pub added_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What happens to an item when the current period ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PendingItem {
    /// It is charged from then on.
    Add,
    /// It is no longer charged.
    Remove,
}

crate::text_enum!(PendingItem { Add = "add", Remove = "remove" });

/// A period of a subscription, as it was billed.
#[derive(Debug, Clone, PartialEq)]
pub struct BillingPeriod {
    /// Its id.
    pub id: PeriodId,
    /// The number of the environment that it belongs to.
    pub environment: i64,
    /// Its place among the environment's periods, from 1; the commit fills it in.
    pub number: i64,
    /// Who pays.
    pub customer_id: CustomerId,
    /// Whose period it is.
    pub subscription_id: SubscriptionId,
    /// From when to when; the end moves when the subscription ends early.
    pub period: Period,
    /// The price of the subscription's first item.
    pub price_id: PriceId,
    /// The quantity of the subscription's first item.
    pub quantity: i64,
    /// The invoice that charged it; none in a trial.
    pub invoice_id: Option<InvoiceId>,
    /// Whether it followed another by itself.
    pub renewal: bool,
    /// When the end of it was announced.
    pub reminder_sent_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// When a billing period ends: what changes of its row where an end is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeriodEnd {
    /// The period.
    pub id: PeriodId,
    /// The number of its environment.
    pub environment: i64,
    /// The instant after it.
    pub period_end: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl PeriodEnd {
    /// The end of the current period of a subscription.
    pub const fn of(subscription: &Subscription) -> Self {
        Self {
            id: subscription.period_id,
            environment: subscription.environment,
            period_end: subscription.period.end,
            updated_at: subscription.updated_at,
        }
    }
}

/// When the renewal after a billing period was announced: what changes of its row then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeriodReminder {
    /// The period.
    pub id: PeriodId,
    /// The number of its environment.
    pub environment: i64,
    /// When it was announced.
    pub reminder_sent_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl PeriodReminder {
    /// The announcement of the end of the current period of a subscription.
    pub const fn of(subscription: &Subscription) -> Self {
        Self {
            id: subscription.period_id,
            environment: subscription.environment,
            reminder_sent_at: subscription.reminded_at,
            updated_at: subscription.updated_at,
        }
    }
}
