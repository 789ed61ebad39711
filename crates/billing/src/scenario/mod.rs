//! Scenarios: a script of what a customer does goes in, the documents of the books come out.
//!
//! The engine is told the seller's terms and reconciles, at every moment at which something may be due, what
//! should be charged by then with what has been: the calendar, the proration, the prices and the money are
//! those of the product, and nothing else decides an amount.

mod bill;
mod books;
mod documents;
mod meter;
mod timeline;

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::calendar::{CalendarError, Date, Interval, Zone, days_between};
use crate::currency::Currency;
use crate::money::{Money, MoneyError, Rounding};
use crate::pricing::{Pricing, time_weighted};
use crate::proration::{DayCount, DayOwner, ProrationError, ProrationUnit};
use crate::rate::Rate;
use crate::timestamp::Timestamp;

pub use bill::{Bill, Coupon, CouponAmount, bill};
pub use books::run;
pub use documents::{Document, DocumentKind, Line, LineKind};

/// Who does what, and how it is billed.
#[derive(Clone, Debug)]
pub struct Script {
    /// What everything is paid in.
    pub currency: Currency,
    /// Whose calendar counts.
    pub zone: Zone,
    /// How the seller bills.
    pub terms: Terms,
    /// What can be subscribed to, by name.
    pub plans: BTreeMap<String, Plan>,
    /// Plans that are subscribed to from before the first step, their period begun on the last boundary.
    pub opening: Vec<String>,
    /// What happens, in order of time.
    pub steps: Vec<Step>,
    /// Until when the clock runs; until the last step if none.
    pub until: Option<Timestamp>,
}

/// How a seller bills: the settings, with the product's defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What shares of a period are counted in.
    pub unit: ProrationUnit,
    /// How long a month is where days are counted.
    pub day_count: DayCount,
    /// Who pays for the day of a change of plan.
    pub change_day: DayOwner,
    /// Who pays for the day on which a subscription ends.
    pub end_day: DayOwner,
    /// How a charge's share is rounded.
    pub rounding: Rounding,
    /// Where periods lie when the plan does not say.
    pub alignment: Align,
    /// What becomes of the unused part of what has been billed.
    pub corrections: Corrections,
    /// When lines are billed.
    pub runs: Runs,
    /// How many closed periods are looked through again for usage that came late.
    pub late_periods: i64,
    /// Tax on top of every line; zero if none.
    pub tax: Rate,
}

impl Default for Terms {
    fn default() -> Terms {
        Terms {
            unit: ProrationUnit::Day,
            day_count: DayCount::Actual,
            change_day: DayOwner::After,
            end_day: DayOwner::After,
            rounding: Rounding::HalfUp,
            alignment: Align::FirstPaidDate,
            corrections: Corrections::Lines,
            runs: Runs::WhenDue,
            late_periods: 0,
            tax: Rate::ZERO,
        }
    }
}

/// Where the periods of a plan lie.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Align {
    /// On a day of the month.
    BillingDay(u8),
    /// On the day of the month of the first day that is paid for.
    FirstPaidDay,
    /// On the calendar's weeks, months, quarters and years.
    Calendar,
    /// On the date on which the subscription began, a trial or not.
    Anniversary,
    /// On the first date that is paid for.
    FirstPaidDate,
}

/// What becomes of the unused part of what has been billed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Corrections {
    /// Negative lines on the next invoice; what it cannot bear goes to the customer's balance.
    Lines,
    /// Credit notes, which the next invoices consume.
    CreditNotes,
    /// The share of the difference of the whole price, on the next invoice of the subscription.
    Difference,
}

/// When lines are billed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Runs {
    /// As soon as they are due.
    WhenDue,
    /// When the script runs the billing; what has begun by then is billed.
    OnRequest,
}

/// What can be subscribed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What recurs.
    pub components: Vec<Component>,
    /// How long a period is.
    pub interval: Interval,
    /// Where its periods lie, if it says.
    pub alignment: Option<Align>,
    /// Whether a period is billed when it begins or when it is over.
    pub billed: Billed,
    /// Days without charge, counted from the subscription's first day.
    pub trial_days: i64,
    /// How long the subscription lasts; for ever if none.
    pub term: Option<Interval>,
    /// What use of it costs, if anything.
    pub usage: Option<Usage>,
    /// Levels that are charged by the day, when the period is over.
    pub levels: Vec<Level>,
}

/// A recurring charge of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// What it is called.
    pub name: String,
    /// What it costs for a whole period.
    pub pricing: Pricing,
    /// Whether its quantity is the subscription's; otherwise it is one.
    pub by_quantity: bool,
}

/// When a period is billed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Billed {
    /// When it begins.
    Advance,
    /// When it is over.
    Arrears,
}

/// What use costs; billed when the period is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// What the period's quantity costs.
    pub pricing: Pricing,
    /// What a whole period's use comes to at least.
    pub minimum: Option<Money>,
    /// At what amount an invoice is drawn before the period is over.
    pub threshold: Option<Money>,
}

/// A level, such as gigabytes kept, charged by the day. Only where shares are counted in days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// What one of it costs for a whole period, in minor units.
    pub price: Decimal,
    /// How much of it there is before the first change.
    pub initial: i64,
    /// From which date how much of it there is, in order of time.
    pub changes: Vec<(Date, i64)>,
}

impl Level {
    /// What a span of days comes to, when a whole period has so many. Errors on overflow.
    pub fn amount(
        &self,
        from: Date,
        to: Date,
        period_days: i64,
        currency: Currency,
    ) -> Result<Money, MoneyError> {
        let mut held = Vec::new();
        let (mut since, mut level) = (from, self.initial);
        for (date, next) in &self.changes {
            let until = (*date).clamp(since, to);
            held.push((level, days_between(since, until)));
            (since, level) = (until, *next);
        }
        held.push((level, days_between(since, to)));
        time_weighted(self.price, &held, period_days, currency)
    }
}

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// What.
    pub verb: Verb,
}

/// When a change takes effect.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// At once.
    Now,
    /// When what has been paid for is used up.
    PeriodEnd,
    /// On a day.
    On(Date),
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// A subscription begins.
    Subscribe {
        /// To what.
        plan: String,
        /// How many.
        quantity: i64,
    },
    /// The subscription changes its plan.
    ChangePlan {
        /// To what.
        to: String,
        /// How many; as before if none.
        quantity: Option<i64>,
        /// When.
        when: When,
    },
    /// The subscription changes its quantity.
    SetQuantity {
        /// How many.
        quantity: i64,
        /// When.
        when: When,
    },
    /// The billing day moves, from its next occurrence on.
    SetBillingDay(u8),
    /// A subscription ends.
    Cancel {
        /// The plan of the one that ends; the main one if none.
        item: Option<String>,
        /// When.
        when: When,
    },
    /// The subscription stops for a time, and with it what is charged.
    Pause,
    /// It goes on.
    Resume,
    /// Nothing is billed or credited until the opposite.
    InvoicingOff,
    /// What has come together since is billed.
    InvoicingOn,
    /// Something is used.
    Use {
        /// The plan that prices it; the one that can if none.
        item: Option<String>,
        /// How much.
        quantity: i64,
        /// The day on which it was, where that was before.
        on: Option<Date>,
    },
    /// Time passes.
    Wait,
    /// Billing is run.
    RunBilling,
}

/// What came of a script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The documents, in the order in which they were drawn.
    pub documents: Vec<Document>,
    /// The day of the month of the first day that is paid for.
    pub billing_day: Option<u8>,
    /// Plans that were to be charged and that the script does not describe.
    pub undescribed: BTreeSet<String>,
    /// What is left on the customer's balance, in minor units.
    pub balance_minor: i64,
}

/// Why a script could not be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// A step needs a subscription and there is none.
    #[error("nothing is subscribed to when a step needs it")]
    NothingSubscribed,
    /// A step records a use that nothing prices.
    #[error("no plan prices the use that is recorded")]
    NothingPriced,
    /// The calendar could not follow.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
    /// The periods could not be laid out.
    #[error(transparent)]
    Proration(#[from] ProrationError),
    /// An amount could not be computed.
    #[error(transparent)]
    Money(#[from] MoneyError),
}
