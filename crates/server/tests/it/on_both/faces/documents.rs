//! The examples of the four documents, loaded into the books as data: what comes out is what is
//! printed, key by key and digit by digit. (The totals of two of them count rows that they do not
//! print; those rows are loaded too and left out of the comparison.)

use crate::fixtures::harness::{TestApp, compact};
use crate::fixtures::seeds::{self, at, id};
use billing::calendar::{Interval, IntervalUnit, Period};
use billing::catalog::{Price, Product};
use billing::changes::Change;
use billing::credential::KeyScope;
use billing::currency::Currency;
use billing::customer::Customer;
use billing::environment::Environment;
use billing::id::Id;
use billing::invoice::{Invoice, InvoiceKind, InvoiceStatus};
use billing::money::Money;
use billing::payment::Payment;
use billing::subscription::{Status, Subscription};
use http::Method;

fn raw<T: Id>(text: &str) -> T {
    T::from_raw(u128::from_str_radix(&text.replace('-', ""), 16).unwrap())
}

/// A catalog with a product and a price, which the commit gives the given numbers.
async fn offer(test: &TestApp, books: &Environment, numbers: (i64, i64)) -> (Product, Price) {
    let catalogs = test.engine.catalogs(books.number, first()).await.unwrap();
    let product = seeds::product(books.number, 500, catalogs.rows[0].id);
    let price = seeds::price(&product, 501, 1_500, Currency::USD);
    test.set_tally(books.number, "products", numbers.0 - 1).await;
    test.set_tally(books.number, "prices", numbers.1 - 1).await;
    (product, price)
}

fn first() -> store::pages::CursorPage {
    store::pages::CursorPage { after: None, limit: 1 }
}

/// Splits the printed answer around its only row.
fn around<'d>(document: &'d str, row: &str) -> (&'d str, &'d str) {
    document.split_once(row).unwrap()
}

/// The text of the only row that a document prints.
fn only_row(document: &str) -> String {
    let start = document.find("[{").unwrap() + 1;
    let end = document.rfind("}]").unwrap() + 1;
    document[start..end].to_owned()
}

#[tokio::test]
async fn appexperts_invoice_9705() {
    let document = compact(include_str!("documents/appexperts.json"));
    let test = TestApp::new().await;
    let books = test.books("AppExperts", None).await;
    let (mut product, mut price) = offer(&test, &books, (3, 2)).await;
    product.name = "basic (watermark free)".into();
    price.name = Some("Weekly (basic test)".into());
    price.interval = Some(Interval::new(IntervalUnit::Week, 1));
    let customer = Customer { zone: Some("Africa/Cairo".into()), ..seeds::customer(books.number, id(1)) };
    let period = Period { start: at("2023-03-15T13:11:50+02:00"), end: at("2023-03-15T16:00:00+02:00") };
    let subscription = Subscription {
        id: raw("1014c5ec-fa05-4d63-8479-5412a87603f5"),
        status: Status::Canceled,
        canceled_at: Some(period.end),
        ended_at: Some(period.end),
        ..seeds::subscription(&customer, &price, 900, period)
    };
    test.set_tally(books.number, "subscriptions", 978).await;
    test.set_tally(books.number, "invoices", 9_704 - 6).await;
    let made = at("2023-03-15T15:11:59+02:00");
    let mut rows = vec![
        Change::insert(product),
        Change::insert(price),
        Change::insert(customer.clone()),
        Change::insert(subscription.clone()),
    ];
    for n in 1..=6 {
        let earlier = seeds::invoice(&customer, 2_000 + n as u128, n, 100, Currency::USD);
        rows.push(Change::insert(earlier));
    }
    let invoice = Invoice {
        kind: InvoiceKind::Subscription,
        subscription_id: Some(subscription.id),
        period_id: Some(subscription.period_id),
        period: Some(period),
        created_at: made,
        updated_at: made,
        ..seeds::invoice(&customer, 2_007, 7, 1_500, Currency::USD)
    };
    rows.push(Change::insert(seeds::period(&subscription, Some(&invoice))));
    rows.push(Change::insert(invoice));
    test.commit(rows).await;

    let token = test.customer_token(books.number, customer.id).await;
    let row = only_row(&document);
    let (before, after) = around(&document, &row);
    for method in [Method::POST, Method::GET] {
        let authorization = format!("bearer {token}");
        let headers = [("accept", "application/json"), ("authorization", &authorization)];
        let answer = test.send(method, "/api/v1/profile/payments", &headers, "").await;
        assert_eq!(answer.status, 200);
        let (head, tail) = around(&answer.body, &row);
        assert_eq!(head, before);
        let end = tail.rfind("],\"total_items\"").unwrap();
        assert_eq!(&tail[end..], after);
    }
}

#[tokio::test]
async fn placio_payment_of_100() {
    let document = compact(include_str!("documents/placio.json"));
    let test = TestApp::new().await;
    let books = test.books("Placio", None).await;
    let (product, price) = offer(&test, &books, (1, 1)).await;
    let price = Price { id: raw("507f1f77bcf86cd79943901300000000"), ..price };
    let customer = seeds::customer(books.number, raw("507f1f77bcf86cd79943901200000000"));
    let paid_at = at("2025-01-15T10:30:00.000Z");
    let payment = Payment {
        id: raw("507f1f77bcf86cd79943901100000000"),
        description: Some("Monthly subscription renewal".into()),
        notes: Some("Payment processed successfully".into()),
        receipt_image: Some(
            "{\"url\":\"https://example.com/receipt.jpg\",\"path\":\"/uploads/receipts/receipt.jpg\",\
             \"width\":1000,\"height\":1000,\"sizeBytes\":50000,\"contentType\":\"image/jpeg\"}"
                .into(),
        ),
        price_id: Some(price.id),
        discount_percent: 10,
        ..seeds::payment(&customer, 1, 10_000, paid_at)
    };
    let mut rows = vec![
        Change::insert(product),
        Change::insert(price),
        Change::insert(customer.clone()),
        Change::insert(payment),
    ];
    let earlier = at("2024-06-01T00:00:00Z");
    rows.extend((0..149).map(|n| Change::insert(seeds::payment(&customer, 3_000 + n, 100, earlier))));
    test.commit(rows).await;

    let token = test.staff_token(books.number, "viewer").await;
    let answer = test.get("/api/v1/admin/payments", &token).await;
    assert_eq!(answer.status, 200);
    let row = only_row(&document);
    let (before, after) = around(&document, &row);
    let (head, tail) = around(&answer.body, &row);
    assert_eq!(head, before);
    assert_eq!(&tail[tail.rfind("],\"pagination\"").unwrap()..], after);
}

#[tokio::test]
async fn surecart_two_periods() {
    let document = compact(include_str!("documents/surecart.json"));
    let test = TestApp::new().await;
    let books = test.books("SureCart", None).await;
    let (product, price) = offer(&test, &books, (1, 1)).await;
    let price = Price { id: raw("f50c0116-ca7c-4c2c-a3e9-bff56876e82f"), ..price };
    let customer = seeds::customer(books.number, id(1));
    let period = |start, end| Period {
        start: billing::timestamp::Timestamp::from_seconds(start),
        end: billing::timestamp::Timestamp::from_seconds(end),
    };
    let older = period(1_767_909_731, 1_770_588_131);
    let newer = period(1_767_909_732, 1_770_588_132);
    let subscription = Subscription {
        id: raw("58947505-6474-4baa-8a6f-fcb895a8e57e"),
        ..seeds::subscription(&customer, &price, 900, newer)
    };
    let mut rows = vec![
        Change::insert(product),
        Change::insert(price),
        Change::insert(customer.clone()),
        Change::insert(subscription.clone()),
    ];
    let drawn = [
        (1, older, "7ca3a5dd-af9d-4a9e-a543-0672f600e2c6", "e0f3763c-da53-4fbe-83be-ceec0adf5629"),
        (2, newer, "92eebb39-b3bf-48d6-9a81-764b89ffa66a", "bf3c1b67-3be1-4d33-9b93-303e821b250e"),
    ];
    for (n, period, period_id, invoice_id) in drawn {
        let invoice = Invoice {
            id: raw(invoice_id),
            created_at: period.start,
            updated_at: period.start,
            ..seeds::invoice(&customer, 1, n, 1_500, Currency::USD)
        };
        let mut row = seeds::period(&subscription, Some(&invoice));
        (row.id, row.period) = (raw(period_id), period);
        (row.created_at, row.updated_at) = (period.start, period.start);
        rows.push(Change::insert(invoice));
        rows.push(Change::insert(row));
    }
    test.commit(rows).await;
    let key = test.key(books.number, &[KeyScope::Periods]).await;
    let answer = test.get("/v1/periods", &key).await;
    assert_eq!((answer.status.as_u16(), answer.body), (200, document));
}

#[tokio::test]
async fn unpod_invoice_118() {
    let document = compact(include_str!("documents/unpod.json"));
    let test = TestApp::new().await;
    let books = test.books("Unpod", None).await;
    let (product, _) = offer(&test, &books, (1, 1)).await;
    let product = Product { slug: Some("unpod.dev".into()), ..product };
    let price = Price {
        unit_price: Money::new(115_030, Currency::INR),
        ..seeds::price(&product, 501, 1, Currency::INR)
    };
    let customer = Customer { handle: Some("recalll.co".into()), ..seeds::customer(books.number, id(1)) };
    test.set_tally(books.number, "invoices", 117 - 16).await;
    let mut rows =
        vec![Change::insert(product.clone()), Change::insert(price), Change::insert(customer.clone())];
    for n in 1..=16 {
        let earlier = Invoice {
            product_id: Some(product.id),
            ..seeds::invoice(&customer, 2_000 + n as u128, n, 100, Currency::INR)
        };
        rows.push(Change::insert(earlier));
    }
    let issued = at("2026-01-04T00:00:15.045893Z");
    let invoice = Invoice {
        product_id: Some(product.id),
        subtotal: 115_030,
        tax: 20_705,
        total: 135_735,
        invoice_date: issued,
        due_date: issued.plus_days(7).unwrap(),
        status: InvoiceStatus::Open,
        settled: 0,
        paid_at: None,
        ..seeds::invoice(&customer, 2_017, 17, 135_735, Currency::INR)
    };
    rows.push(Change::insert(invoice));
    test.commit(rows).await;

    let token = test.customer_token(books.number, customer.id).await;
    let authorization = format!("jwt {token}");
    let headers =
        [("Org-Handle", "recalll.co"), ("Product-Id", "unpod.dev"), ("Authorization", &authorization)];
    let target = "/api/v2/platform/organisation/billing/?page=1&page_size=10";
    let answer = test.send(Method::GET, target, &headers, "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let row = only_row(&document);
    let (before, after) = around(&document, &row);
    let (head, tail) = around(&answer.body, &row);
    assert_eq!(head, before);
    assert_eq!(&tail[tail.rfind("]}").unwrap()..], after);
}
