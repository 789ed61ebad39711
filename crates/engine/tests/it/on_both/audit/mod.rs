//! The audit agrees with sound books, and names what is wrong with others.

mod world;

use engine::audit::{Check, Report};
use testbed::Books;

async fn audit(books: &Books, environment: Option<i64>) -> Report {
    let engine = world::open(books).await;
    let report = engine.audit(environment, Box::new(|_| {})).await.unwrap();
    engine.store().close().await.unwrap();
    report
}

fn told(report: &Report) -> String {
    report.disagreements.iter().map(|found| format!("{found}\n")).collect()
}

#[tokio::test]
async fn sound_books_agree_and_everything_is_looked_at() {
    let books = world::make().await;
    let report = audit(&books, None).await;
    assert!(report.agrees(), "{}", told(&report));
    for checked in &report.checked {
        assert!(checked.things > 0, "nothing was looked at for {:?}", checked.check);
    }
    let only = audit(&books, Some(2)).await;
    assert!(only.agrees(), "{}", told(&only));
    let invoices = |report: &Report| {
        report.checked.iter().find(|checked| checked.check == Check::InvoiceTotals).unwrap().things
    };
    assert!((1..invoices(&report)).contains(&invoices(&only)), "one environment has a part of all invoices");
}

#[tokio::test]
async fn an_environment_that_is_not_there_cannot_be_audited() {
    let books = Books::new().await;
    let engine = world::open(&books).await;
    assert!(engine.audit(Some(7), Box::new(|_| {})).await.is_err());
}

/// One forgery for each check; the rest of what it breaks does not matter here.
const FORGERIES: &[(Check, &str)] = &[
    (
        Check::Entries,
        "update postings set amount = amount + 1 where (entry_id, position) in
         (select entry_id, position from postings limit 1)",
    ),
    (Check::Entries, "update postings set account = 'petty cash' where account = 'refunds'"),
    (Check::Entries, "delete from postings where position = 1 and account = 'refunds'"),
    (Check::Receivable, "update postings set account = 'refunds' where account = 'receivable'"),
    (Check::CustomerBalance, "update postings set account = 'refunds' where account = 'customer_balance'"),
    (Check::Cash, "update postings set account = 'cash:manual' where account = 'cash:sandbox'"),
    (Check::Refunds, "update postings set account = 'bad_debt' where account = 'refunds'"),
    (Check::Revenue, "update postings set account = 'bad_debt' where account like 'revenue:%'"),
    (Check::Tax, "update postings set account = 'bad_debt' where account like 'tax_payable:%'"),
    (Check::BadDebt, "update postings set account = 'refunds' where account = 'bad_debt'"),
    (Check::InvoiceTotals, "update invoice_lines set amount = amount + 1"),
    (Check::InvoiceTotals, "update invoices set total = total + 1 where status = 'paid'"),
    (Check::InvoiceSeal, "update invoices set memo = 'forged'"),
    (Check::InvoiceEntry, "update journal_entries set invoice_id = null where kind = 'invoice'"),
    (
        Check::InvoiceEntry,
        "update postings set amount = 2 * amount where entry_id in
         (select id from journal_entries where kind = 'invoice')",
    ),
    (Check::InvoiceSettled, "update allocations set amount = amount - 1"),
    (Check::InvoiceSettled, "update invoices set settled = settled - 1 where status = 'paid'"),
    (Check::InvoiceRefunded, "update invoices set refunded = refunded + 1 where refunded > 0"),
    (Check::InvoiceStatus, "update invoices set status = 'paid' where status = 'open'"),
    (Check::InvoiceStatus, "update invoices set next_attempt_at = 1 where status = 'paid'"),
    (Check::Attempts, "update invoices set attempt_count = attempt_count + 1"),
    (Check::Attempts, "update payments set attempt = 9 where attempt = 2"),
    (Check::InvoiceNumbers, "update invoices set number = number || '0'"),
    (Check::InvoiceNumbers, "update invoices set number = 'INV-00001' where ordinal = 2"),
    (Check::InvoiceNumbers, "delete from invoices where ordinal = 2"),
    (Check::CustomerOrdinals, "update invoices set customer_ordinal = customer_ordinal + 100"),
    (Check::CustomerOrdinals, "update invoices set currency_ordinal = 1"),
    (Check::Purchases, "update purchases set status = 'paid'"),
    (Check::Purchases, "delete from purchases"),
    (Check::Periods, "update periods set period_start = period_start + 1"),
    (Check::Periods, "update subscriptions set period_end = period_end + 1"),
    (Check::PeriodInvoices, "update periods set invoice_id = null"),
    (Check::PeriodInvoices, "update invoices set period_id = null where period_id is not null"),
    (Check::Schedule, "update subscriptions set anchor = anchor + 1"),
    (Check::Schedule, "update subscriptions set period_index = period_index + 1"),
    (Check::SubscriptionStatus, "update subscriptions set status = 'active' where status = 'past_due'"),
    (Check::SubscriptionStatus, "update subscriptions set ended_at = 1 where status = 'active'"),
    (Check::SubscriptionDue, "update subscriptions set due_at = null where status = 'active'"),
    (Check::SubscriptionDue, "update subscriptions set due_at = 1 where status = 'canceled'"),
    (Check::PaymentRefunds, "update refunds set amount = amount + 1"),
    (Check::Credits, "update credits set remaining = remaining + 1 where remaining < amount"),
    (Check::Credits, "update credits set amount = amount + 1"),
    (Check::PaymentLists, "update payments set paid_at = paid_at + 1 where status = 'succeeded'"),
    (Check::PaymentLists, "update list_entries set amount = amount + 1"),
    (Check::Lists, "update list_nodes set count_1 = count_1 + 1"),
    (Check::Tallies, "update tallies set n = n + 1 where kind = 'customers'"),
    (Check::Tallies, "delete from invoice_lines where position = 1"),
    (Check::Numbers, "update subscriptions set number = number + 1"),
    (Check::Names, "delete from customer_names where kind = 'handle'"),
    (Check::Names, "update customer_names set name = name || 'x' where kind = 'external_id'"),
    (Check::Names, "delete from customer_versions"),
    (Check::Credentials, "delete from staff"),
    (Check::Credentials, "update credentials set hash = null"),
    (Check::Requests, "update idempotency set status = 200"),
    (Check::Requests, "update idempotency set fingerprint = substr(fingerprint, 1, 4)"),
];

#[tokio::test]
async fn every_forgery_is_named() {
    let sound = world::make().await;
    for (check, statement) in FORGERIES {
        let forged = sound.copy().await;
        assert!(forged.forge(statement).await > 0, "{statement} changes nothing");
        let report = audit(&forged, None).await;
        let named = report.disagreements.iter().any(|found| found.check == *check);
        assert!(named, "{check:?} is not named after {statement}, but:\n{}", told(&report));
    }
    for check in Check::ALL {
        assert!(FORGERIES.iter().any(|(forged, _)| forged == check), "no forgery tries {check:?}");
    }
}
