//! The document's own example: placeholders for every key, so what is compared is keys, their order
//! and the kind of each value.

use super::Merchant;
use crate::fixtures::seeds::{self, at, id};
use billing::calendar::{Interval, IntervalUnit, Period};
use billing::catalog::{Category, Price, Product, TaxBehavior};
use billing::changes::Change;
use billing::currency::Currency;
use billing::customer::{Customer, PaymentMethod, PaymentMethodKind};
use billing::environment::Environment;
use billing::invoice::{Invoice, InvoiceKind, InvoiceLine, InvoiceStatus, InvoiceTax};
use billing::money::Money;
use billing::purchase::{Purchase, PurchaseStatus};
use billing::rate::Rate;
use billing::subscription::{Item, Status, Subscription};
use serde_json::Value;

/// What the books may leave empty although the document prints a value of that kind.
const MAY_BE_NULL: &[&str] = &[
    "ownerMembershipId",
    "pdfURL",
    "receiptPdfURL",
    "applicationFee",
    "proposal",
    "endDate",
    "billingAddress",
    "totalPurchaseValue",
    "metadata",
];

/// Compares keys, order and kinds of values; `path` is where.
fn compare(path: &str, printed: &Value, given: &Value) {
    match (printed, given) {
        (Value::Object(printed), Value::Object(given)) => {
            let known = |key: &&String| !matches!(key.as_str(), "slug" | "pricingModel");
            let keys: Vec<_> = given.keys().filter(known).collect();
            assert_eq!(keys, printed.keys().collect::<Vec<_>>(), "{path}");
            for (key, value) in printed {
                compare(&format!("{path}.{key}"), value, &given[key]);
            }
        }
        (Value::Array(printed), Value::Array(given)) => {
            assert_eq!(given.len(), 1, "{path}");
            compare(&format!("{path}[]"), &printed[0], &given[0]);
        }
        // The document's way to say null.
        (Value::String(word), Value::Null) if word == "null" || word == "<any>" => {}
        (Value::String(_), Value::String(_)) | (Value::Bool(_), Value::Bool(_)) => {
            if is_time(printed) {
                assert!(is_time(given), "{path}: {given}");
            }
        }
        (Value::Number(_), Value::Number(number)) => assert!(number.is_i64(), "{path}: {number}"),
        (_, Value::Null) => {
            let key = path.rsplit('.').next().unwrap();
            assert!(MAY_BE_NULL.contains(&key), "{path} is null");
        }
        _ => panic!("{path}: {printed} is printed, {given} is given"),
    }
}

fn is_time(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() >= 20 && billing::timestamp::Timestamp::parse(text).is_ok())
}

struct Rows {
    customer: Customer,
    product: Product,
    price: Price,
    subscription: Subscription,
    item: Item,
    method: PaymentMethod,
    purchase: Purchase,
    invoice: Invoice,
    line: InvoiceLine,
    tax: InvoiceTax,
}

/// Rows with a value in every column that the document prints.
fn rows(books: &Environment, catalog: billing::id::CatalogId) -> Rows {
    let made = at("2023-11-07T05:31:56Z");
    let address = r#"{"name":"A","firstName":"B","lastName":"C","address":{"line1":"1","line2":"2","city":"D","state":"E","postal_code":"3","country":"AF"},"phone":"4"}"#;
    let customer = Customer {
        logo_url: Some("https://example.com/logo.png".into()),
        icon_url: Some("https://example.com/icon.png".into()),
        domain: Some("example.com".into()),
        billing_address: Some(address.into()),
        user_id: Some("user".into()),
        catalog_id: Some(catalog),
        archived: true,
        ..seeds::customer(books.number, id(1))
    };
    let features = r#"[{"enabled":true,"label":"Fast","details":"very"}]"#;
    let product = Product {
        description: Some("Everything".into()),
        image_url: Some("https://example.com/p.png".into()),
        display_features: Some(features.into()),
        singular_quantity_label: Some("seat".into()),
        plural_quantity_label: Some("seats".into()),
        ..seeds::product(books.number, 2, catalog)
    };
    let price = Price {
        interval: Some(Interval::new(IntervalUnit::Day, 123)),
        trial_days: Some(123),
        setup_fee: Some(Money::new(123, Currency::USD)),
        ..seeds::price(&product, 3, 123, Currency::USD)
    };
    let period = Period { start: made, end: made.plus_days(123).unwrap() };
    let method = PaymentMethod {
        id: id(4),
        environment: books.number,
        customer_id: customer.id,
        kind: PaymentMethodKind::Card,
        is_default: true,
        token: "tok_visa".into(),
        billing_details: r#"{"name":"A","email":"a@example.com","address":{"name":"A","address":{"line1":"1","line2":"2","city":"D","state":"E","postal_code":"3","country":"AF"}}}"#.into(),
        data: "{}".into(),
        metadata: Some("{}".into()),
        created_at: made,
        updated_at: made,
    };
    let subscription = Subscription {
        status: Status::Trialing,
        default_payment_method_id: Some(method.id),
        backup_payment_method_id: Some(method.id),
        trial_end: Some(period.end),
        metadata: Some("{}".into()),
        canceled_at: Some(period.end),
        cancel_scheduled_at: Some(period.end),
        ..seeds::subscription(&customer, &price, 5, period)
    };
    let item = Item {
        id: id(7),
        environment: books.number,
        subscription_id: subscription.id,
        customer_id: customer.id,
        price_id: price.id,
        product_id: price.product_id,
        category: Category::Subscription,
        name: "Professional x 123".into(),
        unit_price: price.unit_price,
        tax_behavior: TaxBehavior::Exclusive,
        quantity: 123,
        pending: None,
        added_at: made,
        created_at: made,
        updated_at: made,
    };
    let purchase = Purchase {
        id: id(8),
        environment: books.number,
        customer_id: customer.id,
        price_id: price.id,
        name: "Professional".into(),
        status: PurchaseStatus::Open,
        quantity: 123,
        first_invoice_value: 123,
        price_per_cycle: Some(123),
        currency: Currency::USD,
        metadata: Some("{}".into()),
        purchased_at: Some(made),
        created_at: made,
        updated_at: made,
    };
    let invoice = Invoice {
        kind: InvoiceKind::Purchase,
        purchase_id: Some(purchase.id),
        price_id: Some(price.id),
        period: Some(period),
        memo: Some("Thanks".into()),
        subtotal: 123 * 123,
        tax: 1_000,
        total: 123 * 123 + 1_000,
        status: InvoiceStatus::Open,
        settled: 0,
        paid_at: None,
        ..seeds::invoice(&customer, 9, 1, 0, Currency::USD)
    };
    let line = InvoiceLine {
        id: id(10),
        environment: books.number,
        invoice_id: invoice.id,
        position: 1,
        description: "Professional x 123".into(),
        price_id: Some(price.id),
        category: Category::Subscription,
        quantity: 123,
        amount: 123 * 123,
        created_at: made,
    };
    let tax = InvoiceTax {
        invoice_id: invoice.id,
        position: 1,
        category: Category::Subscription,
        kind: "amusement_tax".into(),
        country: "AF".into(),
        state: Some("KAB".into()),
        rate: Rate::parse("6.6").unwrap(),
        taxable: 123 * 123,
        amount: 1_000,
    };
    Rows { customer, product, price, subscription, item, method, purchase, invoice, line, tax }
}

#[tokio::test]
async fn every_key_of_the_document_in_its_order_and_kind() {
    let printed: Value = serde_json::from_str(include_str!("../documents/flowglad.json")).unwrap();
    let m = Merchant::new().await;
    let page = store::pages::CursorPage { after: None, limit: 1 };
    let catalog = m.test.engine.catalogs(m.books.number, page).await.unwrap().rows[0].id;
    let rows = rows(&m.books, catalog);
    let external_id = rows.customer.external_id.clone();
    m.test
        .commit(vec![
            Change::insert(rows.product),
            Change::insert(rows.price),
            Change::insert(rows.customer),
            Change::insert(rows.method),
            Change::insert(rows.purchase),
            Change::insert(rows.subscription),
            Change::insert(rows.item),
            Change::insert(rows.invoice),
            Change::insert(rows.line),
            Change::insert(rows.tax),
        ])
        .await;
    let given = m.read(&format!("customers/{external_id}/billing")).await;
    compare("", &printed, &given);
    assert_eq!(given["pricingModel"], given["catalog"]);
    assert_eq!(given.as_object().unwrap().keys().next_back().unwrap(), "pricingModel");
    let invoice = &given["invoices"][0]["invoice"];
    assert_eq!(invoice["taxRatePercentage"], "6.6");
    assert_eq!((&invoice["taxType"], &invoice["type"]), (&Value::from("amusement_tax"), &"purchase".into()));
    assert_eq!(given["subscriptions"][0]["status"], "cancellation_scheduled");
}
