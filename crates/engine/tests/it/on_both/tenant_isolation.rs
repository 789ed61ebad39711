//! The wall between environments: whatever is asked with another's ids finds nothing and changes nothing.

use crate::fixtures::World;
use billing::calendar::IntervalUnit;
use billing::catalog::edit::{CatalogEdit, DiscountEdit, PriceEdit, ProductEdit};
use billing::catalog::{Category, DiscountAmount, DiscountDuration, Price, PriceKind, TaxBehavior};
use billing::credential::{Bearer, Credential, KeyScope};
use billing::currency::Currency;
use billing::customer::CustomerEdit;
use billing::id::{
    CatalogId, CredentialId, CustomerId, DiscountId, Id, InvoiceId, InvoiceLineId, PaymentId,
    PaymentMethodId, PeriodId, PurchaseId, SubscriptionId,
};
use billing::money::Money;
use billing::payment::manual::ManualPaymentEdit;
use billing::subscription::cancel::CancelAt;
use billing::subscription::change::ChangeTiming;
use engine::views::{CustomerName, Filter};
use engine::{Adjust, At, Engine, Error, NewLine, Of, PaymentRef, Subscribe, SubscribeItem};
use std::fmt::Debug;
use store::pages::CursorPage;
use store::views::OffsetPage;

const FIRST_PAGE: OffsetPage = OffsetPage { page: 1, limit: 100 };
const WINDOW: CursorPage = CursorPage { after: None, limit: 100 };

/// What stands in one environment.
struct Things {
    customer: CustomerId,
    method: PaymentMethodId,
    catalog: CatalogId,
    plan: Price,
    once: Price,
    discount: DiscountId,
    subscription: SubscriptionId,
    period: PeriodId,
    /// An invoice that is open.
    invoice: InvoiceId,
    line: InvoiceLineId,
    charged: PaymentId,
    manual: PaymentId,
    purchase: PurchaseId,
    credential: CredentialId,
}

async fn furnish(world: &World, name: &str) -> Things {
    let (engine, number, now) = (&world.engine, world.environment, world.start);
    let customer = world.customer(name, Some("tok_visa")).await;
    let plan = world.price(1000, |_| {}).await;
    let once = world
        .price(2000, |price| {
            price.kind = PriceKind::SinglePayment;
            price.interval = None;
        })
        .await;
    let discount = DiscountEdit {
        name: Some(name.into()),
        code: Some(name.to_uppercase()),
        amount: Some(DiscountAmount::Percent(10)),
        duration: Some(DiscountDuration::Forever),
        ..DiscountEdit::default()
    };
    let discount = engine.create_discount(At::new(now, number), discount).await.unwrap();
    let subscription = world.subscribe(customer, plan.id, now).await;
    let manual = world.write_down(customer, 1, now).await;
    let invoice = world.bill(customer, 700, false, now).await;
    let full = engine.full_invoice(number, invoice.id).await.unwrap();
    let item = SubscribeItem { price: once.id, quantity: 1 };
    let purchase = engine.sell(At::new(now, number), customer, item, None, None, None).await.unwrap();
    let charged = world.payments(customer).await.into_iter().find(|payment| payment.id != manual.id).unwrap();
    let method = engine.payment_methods(number, Of::Customer(customer), WINDOW).await.unwrap().rows[0].id;
    let catalog = engine.offer(number, None).await.unwrap().catalog.id;
    let credential = Credential {
        id: engine.ctx(now).id(0),
        environment: number,
        bearer: Bearer::Key,
        name: name.into(),
        hint: "qk".into(),
        hash: Some([u8::try_from(number).unwrap(); 32]),
        scopes: vec![KeyScope::Merchant],
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
        created_at: now,
    };
    engine.issue_credential(credential.clone()).await.unwrap();
    Things {
        customer,
        method,
        catalog,
        plan,
        once,
        discount: discount.id,
        subscription: subscription.id,
        period: subscription.period_id,
        invoice: invoice.id,
        line: full.full.lines[0].id,
        charged: charged.id,
        manual: manual.id,
        purchase: purchase.0.id,
        credential: credential.id,
    }
}

fn denied<T: Debug>(what: &str, outcome: Result<T, Error>) {
    assert!(
        matches!(outcome, Err(Error::NotFound(..) | Error::Refused(_))),
        "{what} reaches over the wall: {outcome:?}"
    );
}

struct Wall {
    ours: World,
    us: Things,
    theirs: World,
    them: Things,
}

/// Two environments of one file, with the same things in each.
async fn wall() -> Wall {
    let ours = World::new("2024-01-01T00:00:00Z").await;
    let theirs =
        World::beside(ours.engine.clone(), ours.gateway.clone(), ours.books.clone(), "2024-01-01T00:00:00Z")
            .await;
    let (us, them) = (furnish(&ours, "us").await, furnish(&theirs, "them").await);
    Wall { ours, us, theirs, them }
}

impl Wall {
    fn engine(&self) -> (&Engine, i64) {
        (&self.ours.engine, self.ours.environment)
    }
}

#[tokio::test]
async fn nothing_is_found_over_the_wall() {
    let wall = wall().await;
    let (engine, here) = wall.engine();
    let them = &wall.them;
    denied("customer", engine.customer(here, "them").await);
    denied("customer_id", engine.customer_id(here, "them").await);
    denied("customer_by_id", engine.customer_by_id(here, them.customer).await);
    assert!(engine.billing_view(here, them.customer).await.unwrap().is_none());
    denied("payment_method", engine.payment_method(here, them.method).await);
    denied("offer", engine.offer(here, Some(them.catalog)).await.map(|_| ()));
    denied("product", engine.product(here, them.plan.product_id).await);
    denied("price", engine.price(here, them.plan.id).await);
    denied("discount", engine.discount(here, them.discount).await);
    denied("subscription", engine.subscription(here, them.subscription).await);
    denied("full_subscription", engine.full_subscription(here, them.subscription).await);
    denied("full_invoice", engine.full_invoice(here, them.invoice).await.map(|_| ()));
    denied("invoice_line", engine.invoice_line(here, them.line).await);
    denied("payment", engine.payment(here, them.charged).await);
    denied("full_payment", engine.full_payment(here, them.charged).await.map(|_| ()));
    denied("received_payment", engine.received_payment(here, them.manual).await.map(|_| ()));
    let first = them.manual.raw() >> 32;
    let spelled = PaymentRef::Received { first, currency: Currency::USD };
    denied("payment spelled", engine.delete_payment(At::new(wall.ours.start, here), spelled).await);
    denied("purchase", engine.purchase(here, them.purchase).await);
    denied("period", engine.period(here, them.period).await.map(|_| ()));
    let books = engine.environment(here).await.unwrap();
    let now = wall.ours.start;
    let offset_page = engine.customer_invoices(now, &books, them.customer, Currency::USD, FIRST_PAGE).await;
    denied("customer_invoices", offset_page.map(|_| ()));
    let handle = engine.invoices_of_handle(&books, "them".into(), them.customer, None, FIRST_PAGE).await;
    denied("invoices_of_handle", handle.map(|_| ()));
}

#[tokio::test]
async fn no_list_shows_what_is_over_the_wall() {
    let wall = wall().await;
    let (engine, here) = wall.engine();
    let them = &wall.them;
    let customer = Of::Customer(them.customer);
    assert!(engine.payment_methods(here, customer.clone(), WINDOW).await.unwrap().rows.is_empty());
    assert!(engine.purchases(here, customer.clone(), WINDOW).await.unwrap().rows.is_empty());
    assert!(engine.payments(here, customer.clone(), |_| true, WINDOW).await.unwrap().rows.is_empty());
    assert!(engine.subscriptions(here, customer.clone(), |_| true, WINDOW).await.unwrap().0.rows.is_empty());
    let subscription = Of::Subscription(them.subscription);
    for of in [customer, subscription] {
        assert!(engine.invoices(here, of, None, WINDOW).await.unwrap().rows.is_empty());
    }
    assert!(engine.invoice_lines(here, Some(them.invoice), WINDOW).await.unwrap().rows.is_empty());
    assert!(engine.prices(here, Some(them.plan.product_id), WINDOW).await.unwrap().rows.is_empty());
    let periods = engine.periods(here, Some(vec![them.period]), None, FIRST_PAGE).await.unwrap();
    assert_eq!(periods.0, 0);
    let periods = engine.periods(here, None, Some(vec![them.subscription]), FIRST_PAGE).await.unwrap();
    assert_eq!(periods.0, 0);
    let name = CustomerName { external_id: "them".into(), first: them.customer.raw() >> 32 };
    let filter = Filter {
        currency: Currency::USD,
        customer: Some(name),
        categories: None,
        kind: None,
        from: None,
        until: None,
    };
    let (count, rows) = engine.received(here, filter, FIRST_PAGE).await.unwrap();
    assert_eq!((count, rows.len()), (0, 0));

    // What is listed without a filter is ours alone.
    assert_eq!(engine.customers(here, WINDOW).await.unwrap().rows.len(), 1);
    let payments = engine.payments(here, Of::All, |_| true, WINDOW).await.unwrap();
    assert!(payments.rows.iter().all(|full| full.payment.environment == here) && payments.total == 3);
    let invoices = engine.invoices(here, Of::All, None, WINDOW).await.unwrap();
    assert!(invoices.rows.iter().all(|row| row.full.invoice.environment == here));
    let credentials = engine.credentials(here).await.unwrap();
    assert!(credentials.iter().all(|credential| credential.environment == here));
}

#[tokio::test]
async fn no_customer_can_be_changed_over_the_wall() {
    let wall = wall().await;
    let (engine, here) = wall.engine();
    let (us, them, now) = (&wall.us, &wall.them, wall.ours.start);
    let before = wall.ours.books.dump().await;
    let renamed = CustomerEdit { name: Some("Mallory".into()), ..CustomerEdit::default() };
    denied("update_customer", engine.update_customer(At::new(now, here), "them", renamed).await);
    let moved = CustomerEdit { catalog_id: Some(Some(them.catalog)), ..CustomerEdit::default() };
    denied("a foreign catalog", engine.update_customer(At::new(now, here), "us", moved.clone()).await);
    let new = CustomerEdit {
        external_id: Some("new".into()),
        name: Some("New".into()),
        email: Some("new@example.com".into()),
        ..moved
    };
    denied("create_customer", engine.create_customer(At::new(now, here), new).await);
    denied("customer_user", engine.customer_user(At::new(now, here), "them", None, None, None).await);
    let method = testbed::card("tok_mastercard");
    let made = engine.create_payment_method(At::new(now, here), them.customer, method).await;
    denied("create_payment_method", made);
    let made = engine.set_default_payment_method(At::new(now, here), them.method).await;
    denied("set_default_payment_method", made);
    denied("revoke_credential", engine.revoke_credential(At::new(now, here), them.credential).await);
    denied("staff_of_email", engine.staff_of_email(At::new(now, here), "nobody@example.com", None).await);
    assert_eq!(wall.ours.books.dump().await, before);
    assert_ne!(us.customer, them.customer);
    wall.theirs.audit().await;
}

#[tokio::test]
async fn no_catalog_can_be_changed_over_the_wall() {
    let wall = wall().await;
    let (engine, here) = wall.engine();
    let (them, now) = (&wall.them, wall.ours.start);
    let before = wall.ours.books.dump().await;
    let edit = CatalogEdit { name: Some("Mallory".into()), is_default: None };
    denied("update_catalog", engine.update_catalog(At::new(now, here), them.catalog, edit).await);
    let copy = engine.clone_catalog(At::new(now, here), them.catalog, "Copy".into()).await;
    denied("clone_catalog", copy.map(|_| ()));
    let edit = ProductEdit { name: Some("Mallory".into()), ..ProductEdit::default() };
    let made = engine.create_product(At::new(now, here), Some(them.catalog), edit.clone(), None).await;
    denied("create_product", made);
    denied("update_product", engine.update_product(At::new(now, here), them.plan.product_id, edit).await);
    let edit = PriceEdit { active: Some(false), ..PriceEdit::default() };
    denied("update_price", engine.update_price(At::new(now, here), them.plan.id, edit).await);
    let new = billing::catalog::edit::NewPrice {
        kind: PriceKind::SinglePayment,
        interval: None,
        ..testbed::price_each(IntervalUnit::Month, 1)
    };
    denied("create_price", engine.create_price(At::new(now, here), them.plan.product_id, new).await);
    let edit = DiscountEdit { active: Some(false), ..DiscountEdit::default() };
    denied("update_discount", engine.update_discount(At::new(now, here), them.discount, |_| edit).await);
    assert_eq!(wall.ours.books.dump().await, before);
}

#[tokio::test]
async fn no_subscription_can_be_made_or_changed_over_the_wall() {
    let wall = wall().await;
    let (engine, here) = wall.engine();
    let (us, them, now) = (&wall.us, &wall.them, wall.ours.start);
    let before = wall.ours.books.dump().await;
    let item = |price: &Price| SubscribeItem { price: price.id, quantity: 1 };
    let new = Subscribe { items: vec![item(&us.plan)], ..Subscribe::default() };
    denied("subscribe", engine.subscribe(At::new(now, here), them.customer, new.clone()).await);
    let foreign = [
        Subscribe { items: vec![item(&them.plan)], ..new.clone() },
        Subscribe { items: vec![item(&us.plan), item(&them.plan)], ..new.clone() },
        Subscribe { default_payment_method: Some(them.method), ..new.clone() },
        Subscribe { backup_payment_method: Some(them.method), ..new.clone() },
        Subscribe { discount_code: Some("THEM".into()), ..new.clone() },
    ];
    for new in foreign {
        denied("subscribe", engine.subscribe(At::new(now, here), us.customer, new).await);
    }
    denied("cancel", engine.cancel(At::new(now, here), them.subscription, CancelAt::Now).await);
    denied("uncancel", engine.uncancel(At::new(now, here), them.subscription).await);
    let later = now.plus_days(3).unwrap();
    denied(
        "reschedule_renewal",
        engine.reschedule_renewal(At::new(now, here), them.subscription, later).await,
    );
    denied("move_period_end", engine.move_period_end(At::new(now, here), them.period, later).await);
    denied("retry_period", engine.retry_period(At::new(now, here), them.period).await.map(|_| ()));
    for when in [ChangeTiming::Now, ChangeTiming::PeriodEnd] {
        let to = |price: &Price| Adjust { items: vec![item(price)], when };
        denied("adjust", engine.adjust(At::new(now, here), them.subscription, to(&us.plan)).await);
        denied("adjust", engine.adjust(At::new(now, here), us.subscription, to(&them.plan)).await);
    }
    assert_eq!(wall.ours.books.dump().await, before);
}

#[tokio::test]
async fn no_money_can_be_moved_over_the_wall() {
    let wall = wall().await;
    let (engine, here) = wall.engine();
    let (us, them, now) = (&wall.us, &wall.them, wall.ours.start);
    let before = wall.ours.books.dump().await;
    let cash = wall.ours.cash(500, now);
    let name = CustomerName { external_id: "them".into(), first: them.customer.raw() >> 32 };
    denied("record_payment", engine.record_payment(At::new(now, here), name, cash.clone()).await);
    denied("record_payment", engine.record_payment(At::new(now, here), them.customer, cash).await);
    let edit = ManualPaymentEdit { notes: Some(Some("Mallory".into())), ..ManualPaymentEdit::default() };
    denied("edit_payment", engine.edit_payment(At::new(now, here), them.manual, edit).await);
    denied("delete_payment", engine.delete_payment(At::new(now, here), them.manual).await);
    denied("refund", engine.refund(At::new(now, here), them.charged, None, None).await);
    denied("retry_payment", engine.retry_payment(At::new(now, here), them.invoice).await);
    denied("void_invoice", engine.void_invoice(At::new(now, here), them.invoice).await);
    let item = |price: &Price| SubscribeItem { price: price.id, quantity: 1 };
    let sold = engine.sell(At::new(now, here), them.customer, item(&us.once), None, None, None).await;
    denied("sell", sold);
    let sold = engine.sell(At::new(now, here), us.customer, item(&them.once), None, None, None).await;
    denied("sell", sold);
    let code = Some("THEM".to_owned());
    let sold = engine.sell(At::new(now, here), us.customer, item(&us.once), None, None, code).await;
    denied("sell", sold);
    let line = NewLine {
        description: "Advice".into(),
        price_id: None,
        product_id: None,
        category: Category::AddOn,
        quantity: 1,
        unit_price: Money::new(1000, Currency::USD),
        tax_behavior: TaxBehavior::Exclusive,
    };
    let lines = [
        (them.customer, line.clone()),
        (us.customer, NewLine { price_id: Some(them.once.id), ..line.clone() }),
        (us.customer, NewLine { product_id: Some(them.once.product_id), ..line }),
    ];
    for (customer, line) in lines {
        let issued = engine.issue_invoice(At::new(now, here), customer, vec![line], None, true).await;
        denied("issue_invoice", issued);
    }
    engine.run_due(here, now.plus_days(20).unwrap()).await.unwrap();
    let theirs = engine.subscription(wall.theirs.environment, them.subscription).await.unwrap();
    assert_eq!(theirs.reminded_at, None, "what falls due there is not done here");
    assert_eq!(wall.ours.books.dump().await, before);
}

#[tokio::test]
async fn the_audit_knows_whom_credentials_stand_for() {
    let world = World::new("2024-01-01T00:00:00Z").await;
    let ada = world.customer("ada", None).await;
    let (engine, number, now) = (&world.engine, world.environment, world.start);
    let (_, user) = engine
        .customer_user(At::new(now, number), "ada", Some("ada@example.com".into()), None, None)
        .await
        .unwrap();
    assert_eq!(user.customer_id, ada);
    for bearer in [Bearer::Staff(world.staff.id), Bearer::CustomerUser(ada, user.id)] {
        let credential = Credential {
            id: engine.ctx(now).id(0),
            environment: number,
            bearer,
            name: "token".into(),
            hint: String::new(),
            hash: None,
            scopes: Vec::new(),
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
            created_at: now,
        };
        engine.issue_credential(credential).await.unwrap();
    }
    world.audit().await;
}
