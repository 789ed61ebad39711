//! The customers that every demo has, whatever its size: together they have something to show in
//! each of the five contracts.

use super::chance::Chance;
use super::goods::MAIN_PRODUCT;
use super::people::{BENGALURU, LOS_ANGELES, Person};
use super::script::{Act, Charged, DAY, HOUR, Pick, Span, StoryLine, StoryRole, When, Writer};
use billing::catalog::Category;
use billing::catalog::Category::{AddOn, AiTools, Credits, Sms};
use billing::currency::Currency;
use billing::payment::PaymentChannel;

/// The domain-like name of the organization that document 004 shows.
pub(super) const ORGANIZATION_HANDLE: &str = "lotus-labs.example";

/// The first customers: one that pays in US dollars, and one, an organization in India, in rupees.
/// If there is room for one only, it does what both do.
pub(super) fn leads(seed: u64, span: Span, count: i64) -> Vec<StoryRole> {
    let mut dollars = Writer::new(Chance::about(seed, 1), span, lead(seed, count == 1), HOUR);
    pay_in_dollars(&mut dollars, span);
    if count == 1 {
        pay_in_rupees(&mut dollars);
        return vec![dollars.role()];
    }
    let mut rupees = Writer::new(Chance::about(seed, 2), span, organization(seed), 2 * HOUR);
    rupees.after_seconds(60, Act::GiveCard("tok_visa", true));
    pay_in_rupees(&mut rupees);
    vec![dollars.role(), rupees.role()]
}

fn lead(seed: u64, is_alone: bool) -> Person {
    if is_alone {
        return organization(seed);
    }
    Person {
        external_id: Chance::about(seed, 11).hex(24),
        name: "Harbor Lane Studio".to_owned(),
        handle: Some("harbor-lane.example".to_owned()),
        contact: "Maya Alvarez".to_owned(),
        street: "418 Harbor Lane".to_owned(),
        place: LOS_ANGELES,
    }
}

fn organization(seed: u64) -> Person {
    Person {
        external_id: Chance::about(seed, 12).hex(24),
        name: "Lotus Labs".to_owned(),
        handle: Some(ORGANIZATION_HANDLE.to_owned()),
        contact: "Kavya Rao".to_owned(),
        street: "12 Residency Road".to_owned(),
        place: BENGALURU,
    }
}

const CUSTOM_WORK: &[StoryLine] = &[
    StoryLine { text: "Custom call flow", category: AiTools, quantity: 3, amount: 8_000, product: None },
    StoryLine { text: "Voice recording", category: AddOn, quantity: 1, amount: 4_550, product: None },
];
const SMS_CAMPAIGN: &[StoryLine] =
    &[StoryLine { text: "Text campaign", category: Sms, quantity: 1_200, amount: 2, product: None }];
const DUPLICATE: &[StoryLine] = &[StoryLine {
    text: "Custom call flow (duplicate)",
    category: AiTools,
    quantity: 1,
    amount: 8_000,
    product: None,
}];

/// Paid, open, refunded and withdrawn invoices, a purchase, failed and retried periods, a trial, manual
/// payments: all within a month, and whatever comes after.
fn pay_in_dollars(w: &mut Writer, span: Span) {
    w.after_seconds(60, Act::GiveCard("tok_visa", true));
    w.after_seconds(70, Act::GiveCard("tok_decline_once", false));
    w.after_seconds(120, subscribe("main", &[("voice-monthly", 1), ("support", 1), ("assistant", 2)]));
    // The weekly plan fails each time at first; its last failure is so fresh that a retry is planned.
    let weeks = (span.seconds() - 3 * DAY) / (7 * DAY);
    w.before_end(weeks * 7 * DAY + 30 * HOUR, charging("weekly", &[("basic-weekly", 1)], "tok_decline_once"));
    w.on_day(3, subscribe("storage", &[("storage-yearly", 1)]));
    w.on_day(4, subscribe("sms", &[("sms", 1)]));
    w.on_day(5, Act::Cancel { name: "sms", when: When::PeriodEnd });
    w.on_day(6, Act::Buy { what: ("credits", 1), coupon: None });
    w.on_day(7, Act::Buy { what: ("sms-pack", 2), coupon: None });
    w.on_day(8, Act::Refund(Charged::Purchase, 100));
    w.on_day(9, Act::Buy { what: ("storage-export", 1), coupon: Some("LAUNCH") });
    w.on_day(10, Act::Refund(Charged::Purchase, 40));
    w.on_day(11, bill(CUSTOM_WORK, Currency::USD));
    w.on_day(12, pay(PaymentChannel::BankTransfer, AiTools));
    w.on_day(13, bill(DUPLICATE, Currency::USD));
    w.on_day(14, Act::Withdraw);
    w.on_day(
        15,
        Act::Change {
            name: "main",
            items: &[("voice-monthly", 1), ("support", 1), ("assistant", 3)],
            now: true,
        },
    );
    w.on_day(16, bill(SMS_CAMPAIGN, Currency::USD));
    w.on_day(17, pay(PaymentChannel::Cash, Sms));
    w.before_end(6 * DAY, subscribe("trial", &[("team-trial", 4)]));
    w.before_end(
        4 * DAY,
        Act::Bill {
            lines: CUSTOM_WORK,
            currency: Currency::USD,
            memo: Some("Payable by bank transfer within 7 days."),
            charge: false,
        },
    );
}

const ADD_ON: &[StoryLine] = &[StoryLine {
    text: "Two more lines",
    category: AddOn,
    quantity: 2,
    amount: 24_950,
    product: Some(MAIN_PRODUCT),
}];
const MINUTES: &[StoryLine] = &[StoryLine {
    text: "Extra minutes",
    category: Credits,
    quantity: 500,
    amount: 125,
    product: Some(MAIN_PRODUCT),
}];
const MISTAKE: &[StoryLine] = &[StoryLine {
    text: "One more line",
    category: AddOn,
    quantity: 1,
    amount: 24_950,
    product: Some(MAIN_PRODUCT),
}];

/// Every status that document 004 has, for the main product, with 18 % tax.
fn pay_in_rupees(w: &mut Writer) {
    w.after_seconds(160, Act::GiveCard("tok_insufficient_funds", false));
    w.after_seconds(180, subscribe("lines", &[("voice-inr", 1)]));
    // Given up a day and a half before the end, when giving up means to cancel.
    w.before_end(14 * DAY + 12 * HOUR, charging("branch", &[("voice-inr", 1)], "tok_insufficient_funds"));
    w.on_day(2, subscribe("answers", &[("support-inr", 1)]));
    w.on_day(3, subscribe("regretted", &[("voice-inr", 1)]));
    w.on_day(4, Act::Refund(Charged::Subscription("regretted"), 100));
    w.on_day(5, Act::Cancel { name: "regretted", when: When::PeriodEnd });
    w.on_day(6, Act::Buy { what: ("credits-inr", 1), coupon: None });
    // In US dollars, because two of the contracts show nothing else.
    w.on_day(8, subscribe("tools", &[("assistant", 1)]));
    w.on_day(18, Act::Bill { lines: ADD_ON, currency: Currency::INR, memo: None, charge: true });
    w.on_day(19, Act::Bill { lines: MINUTES, currency: Currency::INR, memo: None, charge: true });
    w.on_day(21, bill(MISTAKE, Currency::INR));
    w.on_day(22, Act::Withdraw);
    w.before_end(3 * DAY, bill(ADD_ON, Currency::INR));
}

/// Subscribes with the default payment method.
pub(super) fn subscribe(name: &'static str, items: &'static [Pick]) -> Act {
    Act::Subscribe { name, items, card: None, coupon: None, days_ago: 0 }
}

/// Subscribes with another payment method.
fn charging(name: &'static str, items: &'static [Pick], token: &'static str) -> Act {
    Act::Subscribe { name, items, card: Some(token), coupon: None, days_ago: 0 }
}

/// An invoice that is not charged.
pub(super) fn bill(lines: &'static [StoryLine], currency: Currency) -> Act {
    Act::Bill { lines, currency, memo: None, charge: false }
}

fn pay(means: PaymentChannel, category: Category) -> Act {
    Act::Pay { means, category, currency: Currency::USD, amount: None }
}
