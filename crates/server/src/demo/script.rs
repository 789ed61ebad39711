//! What a customer does, and when.

use super::chance::Chance;
use super::people::Person;
use billing::catalog::Category;
use billing::currency::Currency;
use billing::payment::PaymentChannel;
use billing::timestamp::Timestamp;

pub(super) const HOUR: i64 = 3_600;
pub(super) const DAY: i64 = 24 * HOUR;

/// A price's short name and how many units.
pub(super) type Pick = (&'static str, i64);

/// One thing that a customer, or staff on its behalf, does.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// Becomes a customer; all else comes after it.
    Join,
    /// Gives something to charge: the gateway's token, and whether it is charged when nothing else is said.
    GiveCard(&'static str, bool),
    /// Subscribes; other acts know the subscription by its name.
    Subscribe {
        name: &'static str,
        items: &'static [Pick],
        /// The token of what is charged; the default one if none.
        card: Option<&'static str>,
        coupon: Option<&'static str>,
        /// How many days ago it began.
        days_ago: i64,
    },
    /// Changes what a subscription holds, now or when its period ends.
    Change { name: &'static str, items: &'static [Pick], now: bool },
    /// Cancels a subscription.
    Cancel { name: &'static str, when: When },
    /// Takes that back.
    KeepOn { name: &'static str },
    /// Has the end of the current period moved by days.
    MoveRenewal { name: &'static str, days: i64 },
    /// Buys once.
    Buy { what: Pick, coupon: Option<&'static str> },
    /// Gets an invoice with lines of its own.
    Bill { lines: &'static [StoryLine], currency: Currency, memo: Option<&'static str>, charge: bool },
    /// Has the last such invoice withdrawn.
    Withdraw,
    /// Pays by other means than a charge: an amount, or all that it owes in the currency.
    Pay { means: PaymentChannel, category: Category, currency: Currency, amount: Option<i64> },
    /// Has the last such payment corrected to an amount.
    CorrectPayment(i64),
    /// Has the last such payment taken back.
    TakeBackPayment,
    /// Asks for its oldest open invoice to be charged again.
    ChargeAgain,
    /// Gets so many percent of a charge back.
    Refund(Charged, i64),
    /// Is put away by the merchant.
    Archive,
}

/// When a subscription is to end.
#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    Now,
    PeriodEnd,
    InDays(i64),
}

/// What was charged.
#[derive(Debug, Clone, Copy)]
pub(super) enum Charged {
    /// The last period of a subscription.
    Subscription(&'static str),
    /// The last one-off sale.
    Purchase,
}

/// A line of an invoice that the merchant writes.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoryLine {
    pub text: &'static str,
    pub category: Category,
    pub quantity: i64,
    /// What one unit costs, in minor units.
    pub amount: i64,
    /// The product that it is for.
    pub product: Option<&'static str>,
}

/// A customer with all that it does.
pub(super) struct StoryRole {
    pub person: Person,
    /// Whether it buys from the second catalog.
    pub is_large: bool,
    pub scenes: Vec<(Timestamp, Act)>,
}

/// The span of time that the story fills.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub start: Timestamp,
    pub end: Timestamp,
}

impl Span {
    /// Its length in seconds.
    pub(super) fn seconds(self) -> i64 {
        self.end.seconds() - self.start.seconds()
    }
}

/// Writes a role: scenes by the day since the customer joined, or before the end of the story.
pub(super) struct Writer {
    pub chance: Chance,
    span: Span,
    joined: Timestamp,
    role: StoryRole,
}

impl Writer {
    /// A role that begins so many seconds after the story, by joining.
    pub(super) fn new(mut chance: Chance, span: Span, person: Person, joined_after: i64) -> Self {
        let micros = chance.between(0, 999_999);
        let joined = Timestamp::from_micros((span.start.seconds() + joined_after) * 1_000_000 + micros);
        let role = StoryRole { person, is_large: false, scenes: vec![(joined, Act::Join)] };
        Self { chance, span, joined, role }
    }

    /// Days from joining to the end of the story.
    pub(super) fn days_left(&self) -> i64 {
        (self.span.end.seconds() - self.joined.seconds()) / DAY
    }

    /// Lets the customer buy from the second catalog.
    pub(super) fn is_large(&mut self) {
        self.role.is_large = true;
    }

    /// An act some days after joining, at some time within that day.
    pub(super) fn on_day(&mut self, day: i64, act: Act) {
        let within = self.chance.between(HOUR, DAY - 2 * HOUR);
        self.at(self.joined.seconds() + day * DAY + within, act);
    }

    /// An act some seconds after joining.
    pub(super) fn after_seconds(&mut self, seconds: i64, act: Act) {
        self.at(self.joined.seconds() + seconds, act);
    }

    /// An act some seconds before the story ends, give or take a quarter of an hour.
    pub(super) fn before_end(&mut self, seconds: i64, act: Act) {
        let seconds = seconds - self.chance.between(-900, 900);
        self.at(self.span.end.seconds() - seconds, act);
    }

    fn at(&mut self, seconds: i64, act: Act) {
        let micros = self.chance.between(0, 999_999);
        let at = Timestamp::from_micros(seconds * 1_000_000 + micros);
        // What would come after the end is another story.
        if at > self.joined && at < self.span.end {
            self.role.scenes.push((at, act));
        }
    }

    /// The role, its scenes in their order.
    pub(super) fn role(mut self) -> StoryRole {
        self.role.scenes.sort_by_key(|(at, _)| *at);
        self.role
    }
}
