//! What one contract shows, the others show too: every invoice and payment of a whole demo, walked
//! through all five contracts to the last page, agrees to the cent and the second.

use crate::fixtures::demo_server::{DemoServer, Member};
use billing::currency::Currency;
use billing::money::Money;
use billing::timestamp::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use server::base62;
use server::spelling::{parse_hex24, parse_uuid};
use std::collections::{BTreeMap, BTreeSet};

/// An invoice as document 002 shows it, with what the merchant API adds.
struct Invoice {
    number: String,
    customer: String,
    currency: Currency,
    status: String,
    total: i64,
    tax: i64,
    refunded: i64,
    made: Timestamp,
    issued: Timestamp,
    due: Timestamp,
    paid: Option<Timestamp>,
    period: Option<(Timestamp, Timestamp)>,
    /// The period that it charges as a whole.
    charges: Option<u128>,
    subscription: Option<u128>,
}

/// A payment as the merchant API shows it.
struct Payment {
    customer: u128,
    invoice: Option<u128>,
    amount: i64,
    currency: String,
    paid: Timestamp,
    is_manual: bool,
    has_come: bool,
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn int(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is no whole number"))
}

fn at(value: &Value) -> Timestamp {
    Timestamp::parse(text(value)).unwrap()
}

fn maybe<T>(value: &Value, read: impl Fn(&Value) -> T) -> Option<T> {
    (!value.is_null()).then(|| read(value))
}

/// The raw id of document 002's spelling.
fn id(value: &Value) -> u128 {
    let (_, digits) = text(value).rsplit_once('_').unwrap();
    base62::parse(digits).unwrap()
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// All rows of one of the merchant's lists.
async fn rows(server: &DemoServer, list: &str) -> Vec<Value> {
    let mut rows: Vec<Value> = Vec::new();
    let mut cursor = String::new();
    loop {
        let mut page = server.merchant(&format!("/api/v1/{list}?limit=37{cursor}")).await;
        rows.append(page["data"].as_array_mut().unwrap());
        match page.get("nextCursor").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => {
                assert_eq!(int(&page["total"]), rows.len() as i64, "{list}");
                return rows;
            }
        }
    }
}

fn invoice(customer: &str, shown: &Value, more: &Value) -> Invoice {
    let (head, lines) = (&shown["invoice"], shown["invoiceLineItems"].as_array().unwrap());
    let net: i64 = lines.iter().map(|line| int(&line["price"]) * int(&line["quantity"])).sum();
    let tax = int(&head["taxAmount"]);
    assert_eq!(int(&head["subtotal"]), net, "{head}");
    assert_eq!(int(&more["total"]), net + tax, "{head}");
    Invoice {
        number: text(&head["invoiceNumber"]).to_owned(),
        customer: customer.to_owned(),
        currency: Currency::parse(text(&head["currency"])).unwrap(),
        status: text(&head["status"]).to_owned(),
        total: net + tax,
        tax,
        refunded: int(&more["amountRefunded"]),
        made: at(&head["createdAt"]),
        issued: at(&head["invoiceDate"]),
        due: at(&head["dueDate"]),
        paid: maybe(&more["paidAt"], at),
        period: maybe(&head["billingPeriodStartDate"], at)
            .map(|start| (start, at(&head["billingPeriodEndDate"]))),
        charges: maybe(&head["billingPeriodId"], id),
        subscription: maybe(&head["subscriptionId"], id),
    }
}

/// Document 002: every customer's invoices, by id. The merchant's list has the same ones.
async fn by_customer(server: &DemoServer, members: &[Member]) -> BTreeMap<u128, Invoice> {
    let listed: BTreeMap<u128, Value> =
        rows(server, "invoices").await.into_iter().map(|row| (id(&row["id"]), row)).collect();
    let mut all = BTreeMap::new();
    for member in members {
        let target = format!("/api/v1/customers/{}/billing", encoded(&member.external_id));
        let shown = server.merchant(&target).await;
        assert_eq!(text(&shown["customer"]["externalId"]), member.external_id);
        for one in shown["invoices"].as_array().unwrap() {
            let id = id(&one["invoice"]["id"]);
            let more = &listed[&id];
            assert_eq!(one["invoice"]["status"], more["status"]);
            let known = all.insert(id, invoice(&member.external_id, one, more));
            assert!(known.is_none(), "one invoice of two customers");
        }
    }
    assert_eq!(all.len(), listed.len());
    all
}

async fn all_payments(server: &DemoServer) -> BTreeMap<u128, Payment> {
    let read = |row: Value| {
        let payment = Payment {
            customer: id(&row["customerId"]),
            invoice: maybe(&row["invoiceId"], id),
            amount: int(&row["amount"]),
            currency: text(&row["currency"]).to_owned(),
            paid: at(&row["chargeDate"]),
            is_manual: row["manual"].as_bool().unwrap(),
            has_come: matches!(text(&row["status"]), "succeeded" | "refunded"),
        };
        (id(&row["id"]), payment)
    };
    rows(server, "payments").await.into_iter().map(read).collect()
}

/// Document 000 against 002: the invoices in US dollars of everybody.
async fn check_own_payments(server: &DemoServer, members: &[Member], invoices: &BTreeMap<u128, Invoice>) {
    let by_number: BTreeMap<&str, &Invoice> =
        invoices.values().map(|invoice| (invoice.number.as_str(), invoice)).collect();
    let mut seen = BTreeSet::new();
    for member in members {
        let authorization = format!("bearer {}", member.token);
        let mut page = 1;
        loop {
            let target = format!("/api/v1/profile/payments?page={page}&limit=7");
            let answer = server.get(&target, &[("authorization", &authorization)]).await;
            let data = &answer["data"];
            for item in data["items"].as_array().unwrap() {
                let invoice = by_number[format!("INV-{:05}", int(&item["id"])).as_str()];
                assert_eq!(invoice.customer, member.external_id);
                assert_eq!(invoice.currency, Currency::USD);
                check_own_payment(item, invoice);
                assert!(seen.insert(invoice.number.clone()), "{} is shown twice", invoice.number);
            }
            assert_eq!(int(&data["current_page"]), page);
            if data["has_next_page"] == false {
                break;
            }
            page += 1;
        }
    }
    let dollars = invoices.values().filter(|invoice| invoice.currency == Currency::USD).count();
    assert_eq!(seen.len(), dollars, "all invoices in US dollars, and only those");
}

fn check_own_payment(item: &Value, invoice: &Invoice) {
    let number = &invoice.number;
    assert_eq!(int(&item["total"]), invoice.total, "{number}");
    assert_eq!(int(&item["amount_due"]), invoice.total, "{number}");
    assert_eq!(cents(&item["amount_due_usd"]), invoice.total, "{number}");
    assert_eq!(cents(&item["amount_refunded_usd"]), invoice.refunded, "{number}");
    assert_eq!(at(&item["created_at"]).seconds(), invoice.made.seconds(), "{number}");
    let start = maybe(&item["period_start"], at).map(Timestamp::seconds);
    assert_eq!(start, invoice.period.map(|(start, _)| start.seconds()), "{number}");
    let status = match invoice.status.as_str() {
        "paid" | "refunded" | "partially_refunded" => "paid",
        "open" | "uncollectible" => "open",
        other => other,
    };
    assert_eq!(text(&item["status"]), status, "{number}");
}

/// Cents of a decimal number of dollars.
fn cents(value: &Value) -> i64 {
    Money::parse_major(&value.to_string(), Currency::USD).unwrap().minor()
}

/// Document 004 against 002: the invoices of every product of everybody who has a handle.
async fn check_organisations(server: &DemoServer, members: &[Member], invoices: &BTreeMap<u128, Invoice>) {
    let by_number: BTreeMap<&str, &Invoice> =
        invoices.values().map(|invoice| (invoice.number.as_str(), invoice)).collect();
    let products = rows(server, "products").await;
    let slugs: Vec<&str> = products.iter().map(|product| text(&product["slug"])).collect();
    let mut seen = 0;
    for member in members {
        let Some(handle) = &member.handle else { continue };
        let authorization = format!("jwt {}", member.token);
        for slug in &slugs {
            let headers =
                [("authorization", authorization.as_str()), ("org-handle", handle), ("product-id", slug)];
            let mut page = 1;
            let mut count = 0;
            loop {
                let target = format!("/api/v2/platform/organisation/billing/?page={page}&page_size=9");
                let answer = server.get(&target, &headers).await;
                let data = answer["data"].as_array().unwrap();
                count += data.len() as i64;
                for row in data {
                    let invoice = by_number[text(&row["invoice_number"])];
                    assert_eq!(invoice.customer, member.external_id);
                    check_organisation(row, invoice);
                }
                page += 1;
                if data.is_empty() {
                    assert_eq!(int(&answer["count"]), count, "{slug}");
                    break;
                }
            }
            seen += count;
        }
    }
    assert!(seen > 100, "{seen} invoices");
}

fn check_organisation(row: &Value, invoice: &Invoice) {
    let number = &invoice.number;
    // Two decimals at least, also of currencies that have none.
    let minor = |value| {
        let spelled = text(value);
        let plain =
            if invoice.currency.exponent() == 0 { spelled.strip_suffix(".00") } else { Some(spelled) };
        Money::parse_major(plain.unwrap(), invoice.currency).unwrap().minor()
    };
    assert_eq!(text(&row["currency"]), invoice.currency.code(), "{number}");
    assert_eq!(minor(&row["amount"]), invoice.total, "{number}");
    assert_eq!(minor(&row["tax_amount"]), invoice.tax, "{number}");
    // Document 002 cuts microseconds off.
    assert_eq!(at(&row["invoice_date"]).millis(), invoice.issued.millis(), "{number}");
    assert_eq!(at(&row["due_date"]).millis(), invoice.due.millis(), "{number}");
    let paid = maybe(&row["payment_at"], at).map(Timestamp::millis);
    assert_eq!(paid, invoice.paid.map(Timestamp::millis), "{number}");
    let status = match invoice.status.as_str() {
        "open" => "pending",
        "partially_refunded" => "paid",
        "void" => "cancelled",
        "uncollectible" => "failed",
        other => other,
    };
    assert_eq!(text(&row["status"]), status, "{number}");
}

/// Document 003 against 002: every period has its invoice, every invoice of a subscription its period.
async fn check_periods(server: &DemoServer, invoices: &BTreeMap<u128, Invoice>) {
    let authorization = format!("Bearer {}", server.pass("periodsToken"));
    let mut seen: BTreeMap<u128, u128> = BTreeMap::new();
    let mut page = 1;
    loop {
        let target = format!("/v1/periods?limit=41&page={page}");
        let answer = server.get(&target, &[("authorization", &authorization)]).await;
        let data = answer["data"].as_array().unwrap();
        if data.is_empty() {
            assert_eq!(int(&answer["pagination"]["count"]), seen.len() as i64);
            break;
        }
        for period in data {
            let uuid = |value: &Value| parse_uuid(text(value)).unwrap();
            let subscription = uuid(&period["subscription"]);
            assert!(seen.insert(uuid(&period["id"]), subscription).is_none(), "{period}");
            let Some(invoice) = maybe(&period["checkout"], uuid) else {
                assert_eq!(period["status"], "paid", "only a trial has no invoice: {period}");
                continue;
            };
            check_period(period, subscription, &invoices[&invoice]);
        }
        page += 1;
    }
    for invoice in invoices.values() {
        if let Some(period) = invoice.charges {
            assert_eq!(seen.get(&period).copied(), invoice.subscription, "{}", invoice.number);
        }
    }
}

fn check_period(period: &Value, subscription: u128, invoice: &Invoice) {
    let number = &invoice.number;
    assert_eq!(invoice.subscription, Some(subscription), "{number}");
    let (start, end) = invoice.period.unwrap();
    assert_eq!(int(&period["start_at"]), start.seconds(), "{number}");
    // A subscription that ends early ends its period, not its invoice; staff may move a renewal, and one
    // that was unpaid goes on from the day on which it is paid.
    let latest = invoice.paid.unwrap_or(end).max(end.plus_days(4).unwrap());
    assert!(int(&period["end_at"]) <= latest.seconds(), "{number}");
    assert_eq!(int(&period["created_at"]), invoice.made.seconds(), "{number}");
    let status = match (invoice.status.as_str(), text(&period["status"])) {
        ("paid" | "refunded" | "partially_refunded", status) => status == "paid",
        ("open" | "uncollectible", status) => matches!(status, "payment_failed" | "processing"),
        (other, status) => other == status,
    };
    assert!(status, "{number}: {} {period}", invoice.status);
}

/// Document 001 against the merchant API and 002: all money in US dollars that was received.
async fn check_received(
    server: &DemoServer,
    payments: &BTreeMap<u128, Payment>,
    invoices: &BTreeMap<u128, Invoice>,
) {
    let by_hex: BTreeMap<u128, &Payment> = payments.iter().map(|(id, payment)| (id >> 32, payment)).collect();
    let authorization = format!("Bearer {}", server.pass("readOnlyStaffToken"));
    let customers = rows(server, "customers").await;
    let external_ids: BTreeMap<u128, &str> =
        customers.iter().map(|row| (id(&row["id"]), text(&row["externalId"]))).collect();
    let mut seen = 0;
    let mut page = 1;
    loop {
        let target = format!("/api/v1/admin/payments?limit=43&page={page}");
        let answer = server.get(&target, &[("authorization", &authorization)]).await;
        let rows = answer["payments"].as_array().unwrap();
        if rows.is_empty() {
            assert_eq!(int(&answer["pagination"]["total"]), seen);
            break;
        }
        for row in rows {
            let payment = by_hex[&parse_hex24(text(&row["id"])).unwrap()];
            assert!(payment.has_come && payment.currency == "USD", "{row}");
            assert_eq!(cents(&row["amount"]), payment.amount, "{row}");
            assert_eq!(at(&row["paymentDate"]), payment.paid, "{row}");
            assert_eq!(row["isManual"], payment.is_manual, "{row}");
            let external_id = external_ids[&payment.customer];
            let workspace = text(&row["workspaceId"]);
            let is_own = workspace == external_id;
            assert!(is_own || parse_hex24(workspace) == Some(payment.customer >> 32), "{row}");
            if let Some(invoice) = payment.invoice.map(|id| &invoices[&id]) {
                assert_eq!(invoice.customer, external_id, "{row}");
                // What the charge settled last is when the invoice was paid.
                assert_eq!(invoice.paid, Some(payment.paid), "{row}");
                assert!(payment.amount <= invoice.total, "{row}");
            }
        }
        seen += rows.len() as i64;
        page += 1;
    }
    let received = payments.values().filter(|p| p.has_come && p.currency == "USD").count();
    assert_eq!(seen, received as i64, "all money in US dollars, and only that");
}

#[tokio::test]
async fn every_invoice_and_payment_is_the_same_in_all_five_contracts() {
    let server = DemoServer::new(5, 64, 4).await;
    let members = server.members().await;
    assert_eq!(members.len(), 64);
    let invoices = by_customer(&server, &members).await;
    assert!(invoices.len() > 300, "{} invoices", invoices.len());
    let payments = all_payments(&server).await;
    check_own_payments(&server, &members, &invoices).await;
    check_organisations(&server, &members, &invoices).await;
    check_periods(&server, &invoices).await;
    check_received(&server, &payments, &invoices).await;
}

/// Every page of every contract, in the order in which they are walked.
async fn pages(server: &DemoServer) -> Vec<String> {
    let mut pages = Vec::new();
    for member in server.members().await {
        let own = format!("bearer {}", member.token);
        pages.push(server.text("/api/v1/profile/payments?limit=100", &[("authorization", &own)]).await);
        let target = format!("/api/v1/customers/{}/billing", encoded(&member.external_id));
        pages.push(server.text(&target, &[("authorization", &server.pass("merchantApiKey"))]).await);
        if let Some(handle) = &member.handle {
            let headers = [("authorization", own.as_str()), ("org-handle", handle)];
            let target = "/api/v2/platform/organisation/billing?page_size=100";
            pages.push(server.text(target, &headers).await);
        }
    }
    let staff = format!("Bearer {}", server.pass("staffToken"));
    let periods = format!("Bearer {}", server.pass("periodsToken"));
    for page in 1..=3 {
        let target = format!("/api/v1/admin/payments?limit=100&page={page}");
        pages.push(server.text(&target, &[("authorization", &staff)]).await);
        let target = format!("/v1/periods?limit=100&page={page}");
        pages.push(server.text(&target, &[("authorization", &periods)]).await);
    }
    pages
}

#[tokio::test]
async fn the_same_plan_gives_the_same_answers() {
    let (one, again) = (DemoServer::new(2, 14, 9).await, DemoServer::new(2, 14, 9).await);
    let (one, again) = (pages(&one).await, pages(&again).await);
    assert!(one.len() > 30, "{} pages", one.len());
    for (first, second) in one.iter().zip(&again) {
        assert_eq!(first, second);
    }
    assert_eq!(one.len(), again.len());
}
