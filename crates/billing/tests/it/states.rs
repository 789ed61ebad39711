//! Every state of a subscription, and what every verb does to it.

use billing::calendar::{Interval, IntervalUnit};
use billing::catalog::{Category, Price, PriceKind, Product, TaxBehavior};
use billing::changes::{Change, Changes, Row};
use billing::currency::Currency;
use billing::customer::{Customer, PaymentMethod, PaymentMethodKind};
use billing::customer_account::CustomerAccount;
use billing::environment::{DunningPolicy, Environment, Numbering};
use billing::id::{Ctx, Id, Ids};
use billing::invoice::OpenInvoice;
use billing::invoice::in_context::InvoiceInContext;
use billing::ledger::EntryKind;
use billing::money::Money;
use billing::payment::Payment;
use billing::payment::collect::{Outcome, conclude};
use billing::payment::void::void_invoice;
use billing::refusal::Refusal;
use billing::rules::Rules;
use billing::subscription::cancel::{CancelAt, cancel, uncancel};
use billing::subscription::change::{ChangeBasis, ChangeTiming, ItemChange, change, reschedule_renewal};
use billing::subscription::create::{NewSubscription, create};
use billing::subscription::items::NewItem;
use billing::subscription::step::{Due, step};
use billing::subscription::{Item, Status, Subscription};
use billing::timestamp::Timestamp;
use std::fmt::Write;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn id<T: Id>(n: u128) -> T {
    T::from_raw(n)
}

/// A subscription in a state, with all that a verb may need.
struct World {
    rules: Rules,
    payer: CustomerAccount,
    subscription: Subscription,
    items: Vec<Item>,
    open: OpenInvoice,
    payment: Payment,
    new: NewItem,
}

fn rules(now: Timestamp) -> Rules {
    let environment = Environment {
        number: 1,
        organization_id: id(1),
        livemode: false,
        clock: Some(now),
        zone: "UTC".into(),
        currency: Currency::USD,
        numbering: Numbering::Organization,
        invoice_prefix: "INV-".into(),
        due_days: 7,
        grace_days: 3,
        dunning: DunningPolicy::default(),
        remind_at_percent_remaining: 0,
        multiple_subscriptions: true,
        default_product: None,
        created_at: now,
    };
    Rules { environment, tax_rates: Vec::new() }
}

fn payer(now: Timestamp) -> CustomerAccount {
    let customer = Customer {
        external_id: "ada".into(),
        name: "Ada".into(),
        email: "ada@example.com".into(),
        invoice_number_base: "ADA".into(),
        ..Customer::new(id(2), 1, now)
    };
    let method = PaymentMethod {
        id: id(3),
        environment: 1,
        customer_id: customer.id,
        kind: PaymentMethodKind::Card,
        is_default: true,
        token: "card".into(),
        billing_details: "{}".into(),
        data: "{}".into(),
        metadata: None,
        created_at: now,
        updated_at: now,
    };
    CustomerAccount {
        customer,
        version: 1,
        methods: vec![method],
        credits: Vec::new(),
        invoice_count: 0,
        currency_invoice_counts: Vec::new(),
    }
}

fn item(now: Timestamp) -> NewItem {
    let product = Product {
        id: id(4),
        environment: 1,
        number: 1,
        catalog_id: id(5),
        name: "Plan".into(),
        slug: None,
        description: None,
        image_url: None,
        category: Category::Subscription,
        is_default: false,
        active: true,
        display_features: None,
        singular_quantity_label: None,
        plural_quantity_label: None,
        created_at: now,
        updated_at: now,
    };
    let price = Price {
        id: id(6),
        environment: 1,
        number: 1,
        product_id: product.id,
        kind: PriceKind::Subscription,
        name: None,
        slug: None,
        unit_price: Money::new(1000, Currency::USD),
        interval: Some(Interval::new(IntervalUnit::Month, 1)),
        trial_days: None,
        setup_fee: None,
        period_count: None,
        tax_behavior: TaxBehavior::Exclusive,
        is_default: true,
        active: true,
        created_at: now,
        updated_at: now,
    };
    NewItem { price, product, quantity: 1 }
}

/// A monthly subscription whose first invoice is being charged, put into a state.
fn world(status: Status) -> World {
    let now = at("2024-01-01T00:00:00Z");
    let (rules, mut payer, new) = (rules(now), payer(now), item(now));
    let mut ctx = Ctx::new(now, Ids::seeded(1));
    let mut changes = Changes::default();
    let what = NewSubscription {
        items: vec![new.clone()],
        name: None,
        start: now,
        trial_end: None,
        default_payment_method_id: None,
        backup_payment_method_id: None,
        discount: None,
        metadata: None,
        has_current: false,
    };
    let made = create(&mut ctx, &rules, &mut payer, what, &mut changes).unwrap();
    let mut subscription = made.subscription;
    subscription.status = status;
    if status.is_terminal() {
        subscription.ended_at = Some(at("2024-01-10T00:00:00Z"));
        subscription.due_at = None;
    }
    let mut items = Vec::new();
    let mut issued = None;
    for row in changes.rows {
        match row {
            Change::Insert(Row::Item(item)) => items.push(*item),
            Change::Post(entry) if entry.kind == EntryKind::Invoice => issued = Some(entry),
            _ => {}
        }
    }
    let open = OpenInvoice { invoice: made.invoice.unwrap(), issued: issued.unwrap() };
    World { rules, payer, subscription, items, open, payment: made.payment.unwrap(), new }
}

impl World {
    fn bill(&self) -> InvoiceInContext {
        InvoiceInContext {
            invoice: self.open.invoice.clone(),
            subscription: Some(self.subscription.clone()),
            purchase: None,
            has_other_open_invoices: false,
        }
    }

    fn due(&self) -> Due {
        Due {
            subscription: self.subscription.clone(),
            items: self.items.clone(),
            discount: None,
            setup_fees: Vec::new(),
            open_invoices: vec![self.open.clone()],
        }
    }

    fn conclude(&mut self, ctx: &mut Ctx, outcome: &Outcome, changes: &mut Changes) -> Result<(), Refusal> {
        let (bill, payment) = (self.bill(), self.payment.clone());
        conclude(ctx, &self.rules, &mut self.payer, &payment, &bill, outcome, changes).map(drop)
    }
}

const VERBS: &[&str] = &[
    "cancel now",
    "cancel at period end",
    "cancel at a date",
    "uncancel",
    "change now",
    "change at period end",
    "move renewal",
    "step at period end",
    "payment succeeds",
    "payment is declined",
    "void invoice",
];

/// Does a verb to a subscription in a state.
fn perform(verb: &str, world: &mut World, changes: &mut Changes) -> Result<(), Refusal> {
    let half = at("2024-01-16T00:00:00Z");
    let now = if verb == "step at period end" { world.subscription.period.end } else { half };
    let mut ctx = Ctx::new(now, Ids::seeded(2));
    let open = [world.open.clone()];
    let canceling = match verb {
        "cancel now" => Some(CancelAt::Now),
        "cancel at period end" => Some(CancelAt::PeriodEnd),
        "cancel at a date" => Some(CancelAt::Date(at("2024-01-20T00:00:00Z"))),
        _ => None,
    };
    let World { rules, payer, subscription, items, .. } = world;
    if let Some(when) = canceling {
        return cancel(&mut ctx, rules, subscription, &open, when, changes).map(drop);
    }
    let when = if verb == "change now" { ChangeTiming::Now } else { ChangeTiming::PeriodEnd };
    match verb {
        "uncancel" => uncancel(&mut ctx, rules, subscription, changes).map(drop),
        "change now" | "change at period end" => {
            let mut bigger = world.new.clone();
            bigger.quantity = 2;
            let held = ChangeBasis { subscription, items, billed: &[], discount: None };
            let what = ItemChange { items: vec![bigger], when };
            change(&mut ctx, rules, payer, &held, &what, changes).map(drop)
        }
        "move renewal" => {
            let end = at("2024-02-10T00:00:00Z");
            reschedule_renewal(&mut ctx, rules, subscription, end, changes).map(drop)
        }
        "step at period end" => {
            let due = world.due();
            step(&mut ctx, &world.rules, &mut world.payer, due, changes).map(drop)
        }
        "payment succeeds" => {
            world.conclude(&mut ctx, &Outcome::Succeeded { reference: "ch".into() }, changes)
        }
        "payment is declined" => {
            let outcome = Outcome::Declined { code: "card_declined".into(), message: "No.".into() };
            world.conclude(&mut ctx, &outcome, changes)
        }
        "void invoice" => {
            let bill = world.bill();
            void_invoice(&mut ctx, &world.rules, &open[0], &bill, changes).map(drop)
        }
        _ => unreachable!("{verb} is not a verb"),
    }
}

/// What became of the subscription: its state, and what is planned.
fn told(before: &Subscription, changes: &Changes) -> String {
    let after = changes.rows.iter().rev().find_map(|row| match row {
        Change::Update { after: Row::Subscription(after), .. } => Some(after),
        _ => None,
    });
    let Some(after) = after else { return "stays".into() };
    let mut told = after.status.as_str().to_owned();
    if after.period.start != before.period.start {
        told.push_str(", next period");
    } else if after.period.end != before.period.end {
        let _ = write!(told, ", period until {}", after.period.end);
    }
    if let Some(end) = after.cancel_scheduled_at {
        let _ = write!(told, ", to be canceled {end}");
    }
    told
}

fn table() -> String {
    let mut table = String::new();
    for status in Status::ALL {
        let _ = writeln!(table, "{}", status.as_str());
        for verb in VERBS {
            let mut world = world(*status);
            let before = world.subscription.clone();
            let mut changes = Changes::default();
            let outcome = match perform(verb, &mut world, &mut changes) {
                Ok(()) => told(&before, &changes),
                Err(refusal) => format!("refused: {refusal}"),
            };
            let _ = writeln!(table, "  {verb}: {outcome}");
        }
    }
    table
}

#[test]
fn every_verb_does_to_every_state_what_is_written_down() {
    let (found, expected) = (table(), include_str!("states.txt"));
    assert!(found == expected, "states.txt should be:\n{found}");
}
