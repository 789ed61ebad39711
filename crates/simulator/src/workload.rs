//! Inventing requests: sensible ones mostly, and some that must be refused.

use crate::acquirer::tokens;
use crate::ask::Ask;
use crate::auditor::Auditor;
use crate::auditor::totals::Place;
use crate::dice::Dice;
use crate::shop::ZONES;
use billing::calendar::Interval;
use billing::catalog::{Category, PriceKind, TaxBehavior};
use billing::currency::Currency;
use billing::customer::{Address, CustomerEdit};
use billing::id::{CustomerId, InvoiceId, PaymentId, PaymentMethodId, SubscriptionId};
use billing::invoice::InvoiceStatus;
use billing::money::Money;
use billing::payment::manual::{ManualPaymentEdit, NewManualPayment};
use billing::payment::{PaymentChannel, PaymentKind, PaymentStatus};
use billing::subscription::cancel::CancelAt;
use billing::subscription::change::ChangeTiming;
use billing::timestamp::Timestamp;
use engine::{Adjust, NewLine, Subscribe, SubscribeItem};

/// How many subscriptions of a customer run at once.
const RUNNING_MAX: usize = 2;

/// Where customers pay taxes.
pub const PLACES: &[Place] = &[
    Place { country: None, state: None },
    Place { country: Some("IN"), state: None },
    Place { country: Some("DE"), state: None },
    Place { country: Some("US"), state: Some("CA") },
    Place { country: Some("US"), state: Some("NY") },
];

/// A new customer, with what the auditor must know of it.
pub fn customer(dice: &mut Dice, n: usize) -> (CustomerEdit, Option<&'static str>, Place) {
    let zone = dice.percent(70).then(|| dice.pick(ZONES).copied().unwrap_or("UTC"));
    let place = dice.pick(PLACES).copied().unwrap_or(PLACES[0]);
    let address = place.country.map(|country| Address {
        text: "{}".to_owned(),
        country: Some(country.to_owned()),
        state: place.state.map(str::to_owned),
    });
    let edit = CustomerEdit {
        external_id: Some(format!("customer/{n}")),
        name: Some(format!("Customer {n}")),
        email: Some(format!("{n}@example.com")),
        billing_address: Some(address),
        zone: Some(zone.map(str::to_owned)),
        ..CustomerEdit::default()
    };
    (edit, zone, place)
}

/// What the workload knows beside the auditor.
#[derive(Debug, Default)]
pub struct Known {
    /// The customers.
    pub customers: Vec<CustomerId>,
    /// Their payment methods.
    pub methods: Vec<PaymentMethodId>,
}

/// Invents a request; none if nothing fits what was thrown.
pub fn invent(dice: &mut Dice, auditor: &Auditor, known: &Known, now: Timestamp) -> Option<Ask> {
    let customer = *dice.pick(&known.customers)?;
    match dice.below(100) {
        0..=24 => subscribe(dice, auditor, customer, now),
        25..=34 => adjust(dice, auditor),
        35..=42 => cancel(dice, auditor, now),
        43..=46 => Some(Ask::Uncancel(subscription(dice, auditor)?)),
        47..=50 => {
            let id = subscription(dice, auditor)?;
            Some(Ask::MoveRenewal(id, now.plus_seconds(dice.between(1, 40 * 86_400)).ok()?))
        }
        51..=56 => sell(dice, auditor, customer),
        57..=61 => Some(Ask::Bill(customer, lines(dice), dice.percent(50))),
        62..=65 => Some(Ask::Void(bill(dice, auditor, InvoiceStatus::Open)?)),
        66..=74 => Some(Ask::Record(customer, manual(dice, auditor, customer, now))),
        75..=79 => edit(dice, auditor, now),
        80..=82 => Some(Ask::Delete(written_down(dice, auditor)?)),
        83..=88 => refund(dice, auditor),
        89..=93 => Some(Ask::Retry(bill(dice, auditor, InvoiceStatus::Open)?)),
        94..=97 => {
            let all: Vec<_> = tokens().collect();
            Some(Ask::Method(customer, dice.pick(&all).copied()?, dice.percent(60)))
        }
        _ => Some(Ask::DefaultMethod(*dice.pick(&known.methods)?)),
    }
}

fn subscribe(dice: &mut Dice, auditor: &Auditor, customer: CustomerId, now: Timestamp) -> Option<Ask> {
    let running = auditor.plans.values().filter(|p| p.customer == customer && p.ended.is_none()).count();
    if running >= RUNNING_MAX {
        return None;
    }
    let recurring: Vec<_> =
        auditor.shop.offers.iter().filter(|o| o.price.kind == PriceKind::Subscription).collect();
    let first = dice.pick(&recurring)?;
    let (interval, currency) = (first.price.interval?, first.price.unit_price.currency());
    let mut items = vec![item(dice, first.price.id)];
    if dice.percent(30) {
        items.extend(some_items(dice, auditor, interval, currency));
    }
    let codes = codes(auditor, currency);
    let start = dice.percent(15).then(|| now.plus_seconds(-dice.between(1, 100 * 86_400)).unwrap_or(now));
    let trial_end = dice.percent(10).then(|| now.plus_seconds(dice.between(-86_400, 40 * 86_400)).ok());
    let new = Subscribe {
        items,
        start,
        trial_end: trial_end.flatten(),
        discount_code: if dice.percent(35) { dice.pick(&codes).cloned() } else { None },
        ..Subscribe::default()
    };
    Some(Ask::Subscribe(customer, new))
}

/// The codes of the discounts that take something off what is sold in a currency.
fn codes(auditor: &Auditor, currency: Currency) -> Vec<String> {
    let discounts = auditor.shop.discounts.iter();
    discounts.filter(|d| d.check_currency(currency).is_ok()).map(|d| d.code.clone()).collect()
}

fn item(dice: &mut Dice, price: billing::id::PriceId) -> SubscribeItem {
    SubscribeItem { price, quantity: dice.weighed((3, 1), &[(1, 2), (1, 7)]) }
}

fn some_items(
    dice: &mut Dice,
    auditor: &Auditor,
    interval: Interval,
    currency: Currency,
) -> Vec<SubscribeItem> {
    let like: Vec<_> = auditor
        .shop
        .offers
        .iter()
        .filter(|o| o.price.interval == Some(interval) && o.price.unit_price.currency() == currency)
        .map(|o| o.price.id)
        .collect();
    let mut items = Vec::new();
    for _ in 0..=dice.below(2) {
        if let Some(price) = dice.pick(&like).copied() {
            items.push(item(dice, price));
        }
    }
    items
}

fn subscription(dice: &mut Dice, auditor: &Auditor) -> Option<SubscriptionId> {
    let wants_running = dice.percent(92);
    let all: Vec<_> = auditor
        .plans
        .iter()
        .filter(|(_, plan)| plan.ended.is_none() == wants_running)
        .map(|(id, _)| *id)
        .collect();
    dice.pick(&all).copied()
}

fn adjust(dice: &mut Dice, auditor: &Auditor) -> Option<Ask> {
    let id = subscription(dice, auditor)?;
    let plan = auditor.plans.get(&id)?;
    let currency = plan.items.first()?.unit.currency();
    let items = some_items(dice, auditor, plan.interval, currency);
    let when = if dice.percent(50) { ChangeTiming::Now } else { ChangeTiming::PeriodEnd };
    Some(Ask::Adjust(id, Adjust { items, when }))
}

fn cancel(dice: &mut Dice, auditor: &Auditor, now: Timestamp) -> Option<Ask> {
    let id = subscription(dice, auditor)?;
    let at = match dice.below(3) {
        0 => CancelAt::Now,
        1 => CancelAt::PeriodEnd,
        _ => CancelAt::Date(now.plus_seconds(dice.between(1, 90 * 86_400)).ok()?),
    };
    Some(Ask::Cancel(id, at))
}

fn sell(dice: &mut Dice, auditor: &Auditor, customer: CustomerId) -> Option<Ask> {
    let single: Vec<_> = auditor
        .shop
        .offers
        .iter()
        .filter(|o| o.price.kind == PriceKind::SinglePayment)
        .map(|o| (o.price.id, o.price.unit_price.currency()))
        .collect();
    let (price, currency) = *dice.pick(&single)?;
    let code = if dice.percent(30) { dice.pick(&codes(auditor, currency)).cloned() } else { None };
    Some(Ask::Sell(customer, item(dice, price), code))
}

fn lines(dice: &mut Dice) -> Vec<NewLine> {
    let currency = dice.weighed((3, Currency::USD), &[(1, Currency::JPY), (1, Currency::EUR)]);
    (0..=dice.below(3))
        .map(|n| NewLine {
            description: format!("Line {n}"),
            price_id: None,
            product_id: None,
            category: dice.weighed((1, Category::AddOn), &[(1, Category::Sms), (1, Category::Storage)]),
            quantity: dice.between(1, 5),
            unit_price: Money::new(dice.between(0, 5_000), currency),
            tax_behavior: dice.weighed((1, TaxBehavior::Exclusive), &[(1, TaxBehavior::Inclusive)]),
        })
        .collect()
}

/// An invoice, mostly of a status.
fn bill(dice: &mut Dice, auditor: &Auditor, status: InvoiceStatus) -> Option<InvoiceId> {
    let any = dice.percent(10);
    let all: Vec<_> = auditor
        .bills
        .values()
        .filter(|bill| any || bill.invoice.status == status)
        .map(|bill| bill.invoice.id)
        .collect();
    dice.pick(&all).copied()
}

/// A manual payment: mostly of what an open invoice owes, or somewhat more or less.
fn manual(dice: &mut Dice, auditor: &Auditor, customer: CustomerId, now: Timestamp) -> NewManualPayment {
    let owed: Vec<_> = auditor
        .bills
        .values()
        .filter(|bill| bill.invoice.customer_id == customer && bill.invoice.status == InvoiceStatus::Open)
        .map(|bill| bill.invoice.owed_money())
        .collect();
    let wants_owed = dice.percent(80);
    let amount = match dice.pick(&owed).copied().filter(|_| wants_owed) {
        Some(owed) => {
            let minor = match dice.below(3) {
                0 => owed.minor(),
                1 => dice.between(1, owed.minor()),
                _ => owed.minor() + dice.between(1, 5_000),
            };
            Money::new(minor, owed.currency())
        }
        None => {
            let currency = dice.weighed((2, Currency::USD), &[(1, Currency::JPY), (1, Currency::KWD)]);
            Money::new(dice.between(1, 8_000), currency)
        }
    };
    NewManualPayment {
        category: Category::Subscription,
        amount,
        means: PaymentChannel::Cash,
        paid_at: now.plus_seconds(-dice.between(0, 86_400)).unwrap_or(now),
        description: None,
        notes: None,
        receipt_image: None,
        created_by: auditor.shop.staff,
    }
}

fn written_down(dice: &mut Dice, auditor: &Auditor) -> Option<PaymentId> {
    let all: Vec<_> = auditor.written_down.keys().copied().collect();
    dice.pick(&all).copied()
}

fn edit(dice: &mut Dice, auditor: &Auditor, now: Timestamp) -> Option<Ask> {
    let id = written_down(dice, auditor)?;
    let (_, currency, amount) = *auditor.written_down.get(&id)?;
    let amount = dice.percent(80).then(|| Money::new(dice.between(1, 2 * amount), currency));
    let paid_at = dice.percent(30).then_some(now);
    let notes = dice.percent(50).then(|| Some("seen".to_owned()));
    Some(Ask::Edit(id, ManualPaymentEdit { amount, paid_at, notes, ..ManualPaymentEdit::default() }))
}

fn refund(dice: &mut Dice, auditor: &Auditor) -> Option<Ask> {
    let all: Vec<_> = auditor
        .payments
        .values()
        .filter(|payment| payment.kind == PaymentKind::Automatic)
        .filter(|payment| payment.status == PaymentStatus::Succeeded)
        .map(|payment| (payment.id, payment.amount))
        .collect();
    let (id, amount) = *dice.pick(&all)?;
    Some(Ask::Refund(id, dice.percent(60).then(|| dice.between(1, amount))))
}
