//! The one way to write: all of some [`Changes`], or a conflict to decide again.
//!
//! Rows are grouped by table in the order of their references, so that one decision or five hundred
//! cost one statement look-up for each table.

use crate::numbers::Numbers;
use crate::rows::{catalog, customers, environments, invoices, ledger, payments, subscriptions};
use crate::{BoxFuture, Error, Param, Scope, Store, Tx, idempotency, lists};
use billing::invoice::canonical_text;
use billing::{
    Change, Changes, Customer, CustomerId, Id, Invoice, InvoiceLine, InvoiceTax, Price, Product,
    Subscription, Timestamp, Version,
};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// What a commit filled in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Committed {
    /// The invoices that it issued, with their numbers, in the order of the changes.
    pub invoices: Vec<Invoice>,
}

impl Store {
    /// Writes all of the changes, durably, or nothing.
    ///
    /// # Errors
    /// [`Error::Conflict`] if a customer has moved on since it was read, or something unique is taken;
    /// [`Error::KeyTaken`] if the request has had its effect.
    pub async fn commit(&self, changes: Changes) -> Result<Committed, Error> {
        let changes = Arc::new(changes);
        match self {
            Store::Sqlite(database) => database.write(move |tx| alone(tx, &changes)).await,
            Store::Postgres(database) => database.commit(changes).await,
        }
    }
}

/// Writes changes in a transaction of their own.
pub(crate) fn alone<'a>(tx: &'a mut Tx, changes: &Arc<Changes>) -> BoxFuture<'a, Result<Committed, Error>> {
    let changes = Arc::clone(changes);
    Box::pin(async move { apply(tx, &changes).await })
}

/// The tally that is the version of what an environment sells.
pub(crate) const OFFER: &str = "offer";

const RAISE_OFFER: &str = "insert into tallies (environment, kind, n) values ($1, $2, 1)
     on conflict (environment, kind) do update set n = tallies.n + 1 where tallies.n = $3";

const RAISE_VERSION: &str = "update customer_versions set version = version + 1
     where shard = $1 and customer_id = $2 and version = $3";

async fn apply(tx: &mut Tx, changes: &Changes) -> Result<Committed, Error> {
    let sets = changes.decided_on.iter().map(raising);
    if tx.execute_for(RAISE_VERSION, sets).await? != changes.decided_on.len() as u64 {
        return Err(Error::Conflict);
    }
    Ok(write_all(tx, &[changes]).await?.pop().unwrap_or_default())
}

/// How many rows changes have at most that go together with others.
const TOGETHER_ROWS_MAX: usize = 64;

/// The environment whose other commits these changes may go together with. Not those that are about
/// several customers or about what is sold: they could not stand or fall by themselves.
pub(crate) fn together_in(changes: &Changes) -> Option<i64> {
    let is_about_one = changes.decided_on.len() <= 1 && changes.catalog_version.is_none();
    let is_offer = |change: &Change| rank(change) < FIRST_OF_CUSTOMERS;
    if !is_about_one || changes.rows.len() > TOGETHER_ROWS_MAX || changes.rows.iter().any(is_offer) {
        return None;
    }
    let request = changes.idempotency.iter().map(|request| request.environment);
    let mut environments = changes.rows.iter().filter_map(Change::environment).chain(request);
    let first = environments.next()?;
    environments.all(|other| other == first).then_some(first)
}

/// Writes changes of [one environment](together_in) in one transaction. Nothing is written of those whose
/// customer has moved on since it was read: they come to [`Error::Conflict`] each; any other failure is
/// one of all.
pub(crate) async fn apply_each(
    tx: &mut Tx,
    all: &[Arc<Changes>],
) -> Result<Vec<Result<Committed, Error>>, Error> {
    // In an order of all who write, so that no two wait for each other.
    let mut decided: Vec<_> =
        all.iter().enumerate().flat_map(|(n, c)| c.decided_on.iter().map(move |d| (d, n))).collect();
    decided.sort_unstable();
    let raised = tx.execute_each(RAISE_VERSION, decided.iter().map(|(decided, _)| raising(decided))).await?;
    let mut outcomes: Vec<Result<Committed, Error>> = all.iter().map(|_| Ok(Committed::default())).collect();
    for ((_, n), _) in decided.iter().zip(raised).filter(|(_, raised)| *raised != 1) {
        outcomes[*n] = Err(Error::Conflict);
    }
    let standing: Vec<&Changes> = all
        .iter()
        .zip(&outcomes)
        .filter(|(_, outcome)| outcome.is_ok())
        .map(|(changes, _)| &**changes)
        .collect();
    if standing.is_empty() {
        return Err(Error::Conflict);
    }
    let written = write_all(tx, &standing).await?;
    for (outcome, committed) in outcomes.iter_mut().filter(|outcome| outcome.is_ok()).zip(written) {
        *outcome = Ok(committed);
    }
    Ok(outcomes)
}

fn raising((customer, version): &(CustomerId, Version)) -> [Param<'static>; 3] {
    [customer.shard().into(), Param::Id(customer.raw()), (*version).into()]
}

/// Writes all of the changes, whose customers' versions are raised, and says what came of each.
async fn write_all(tx: &mut Tx, all: &[&Changes]) -> Result<Vec<Committed>, Error> {
    for (customer, _) in all.iter().flat_map(|changes| &changes.decided_on) {
        tx.touch(Scope::Customer(customer.raw()));
    }
    idempotency::keep(tx, all.iter().filter_map(|changes| changes.idempotency.as_ref())).await?;
    for (environment, version) in all.iter().filter_map(|changes| changes.catalog_version) {
        let params = [environment.into(), OFFER.into(), version.into()];
        if tx.execute(RAISE_OFFER, &params).await? != 1 {
            return Err(Error::Conflict);
        }
    }
    let mut rows: Vec<&Change> = all.iter().flat_map(|changes| &changes.rows).collect();
    rows.sort_by_key(|change| rank(change));
    let mut numbers = Numbers::count(tx, &rows).await?;
    let mut invoices = Vec::new();
    for run in rows.chunk_by(|a, b| rank(a) == rank(b)) {
        write_run(tx, run, &mut numbers, &mut invoices).await?;
    }
    let mut touched: Vec<i64> = Vec::new();
    for environment in rows.iter().filter_map(|change| change.environment()) {
        if !touched.contains(&environment) {
            touched.push(environment);
            tx.touch(Scope::Environment(environment));
        }
    }
    let mut invoices = invoices.into_iter();
    let issued_by = |changes: &&Changes| {
        changes.rows.iter().filter(|row| matches!(row, Change::InsertInvoice(..))).count()
    };
    Ok(all
        .iter()
        .map(|changes| Committed { invoices: invoices.by_ref().take(issued_by(changes)).collect() })
        .collect())
}

/// The place from which on changes are about customers.
const FIRST_OF_CUSTOMERS: u8 = 13;

/// The place of a change in the order of references: what is referred to comes first.
fn rank(change: &Change) -> u8 {
    match change {
        Change::InsertOrganization(_) => 0,
        Change::InsertEnvironment(_) => 1,
        Change::UpdateEnvironment(_) | Change::SetClock(..) => 2,
        Change::InsertStaff(_) => 3,
        Change::InsertCatalog(_) => 4,
        Change::UpdateCatalog(_) => 5,
        Change::InsertProduct(_) => 6,
        Change::UpdateProduct(_) => 7,
        Change::InsertPrice(_) => 8,
        Change::UpdatePrice(_) => 9,
        Change::InsertDiscount(_) => 10,
        Change::UpdateDiscount(_) => 11,
        Change::InsertTaxRate(_) => 12,
        Change::InsertCustomer(_) => FIRST_OF_CUSTOMERS,
        Change::UpdateCustomer(_) => 14,
        Change::InsertCustomerUser(_) => 15,
        Change::InsertPaymentMethod(_) => 16,
        Change::UpdatePaymentMethod(_) => 17,
        Change::InsertPurchase(_) => 18,
        Change::InsertSubscription(_) => 19,
        Change::InsertItem(_) => 20,
        Change::UpdateItem(_) => 21,
        Change::DeleteItem(..) => 22,
        Change::InsertInvoice(..) => 23,
        Change::InsertPeriod(_) => 24,
        Change::EndPeriod(..) => 25,
        Change::RemindPeriod(..) => 26,
        Change::InsertPayment(_) => 27,
        Change::InsertRefund(_) => 28,
        Change::InsertCredit(_) => 29,
        Change::UpdateCredit(_) => 30,
        Change::DeleteAllocation(..) => 31,
        Change::InsertAllocation(_) => 32,
        Change::UpdateSubscription(_) => 33,
        Change::UpdatePurchase(_) => 34,
        Change::SettleInvoice(_) => 35,
        Change::UpdatePayment(..) => 36,
        Change::UpdateRefund(_) => 37,
        Change::Post(_) => 38,
    }
}

/// Each `insert` and `update` of one table, for a run of changes of one kind.
macro_rules! each {
    ($tx:ident, $run:ident, $variant:ident, $sql:expr, $params:path) => {{
        let sets = $run.iter().filter_map(|change| match change {
            Change::$variant(row) => Some($params(row)),
            _ => None,
        });
        $tx.send_for($sql, sets).await?
    }};
}

async fn write_run(
    tx: &mut Tx,
    run: &[&Change],
    numbers: &mut Numbers,
    issued: &mut Vec<Invoice>,
) -> Result<(), Error> {
    match run[0] {
        Change::InsertOrganization(_)
        | Change::InsertEnvironment(_)
        | Change::UpdateEnvironment(_)
        | Change::SetClock(..)
        | Change::InsertStaff(_)
        | Change::InsertCatalog(_)
        | Change::UpdateCatalog(_)
        | Change::InsertProduct(_)
        | Change::UpdateProduct(_)
        | Change::InsertPrice(_)
        | Change::UpdatePrice(_)
        | Change::InsertDiscount(_)
        | Change::UpdateDiscount(_)
        | Change::InsertTaxRate(_) => write_offer(tx, run, numbers).await,
        Change::InsertCustomer(_) | Change::UpdateCustomer(_) => write_customers(tx, run, numbers).await,
        Change::InsertInvoice(..) => write_invoices(tx, run, numbers, issued).await,
        _ => write_rows(tx, run, numbers).await,
    }
}

/// What belongs to an environment and not to a customer.
async fn write_offer(tx: &mut Tx, run: &[&Change], numbers: &mut Numbers) -> Result<(), Error> {
    for change in run {
        match change {
            Change::InsertOrganization(row) => {
                let params = environments::insert_organization(row);
                tx.send(environments::INSERT_ORGANIZATION, params).await?;
            }
            Change::InsertEnvironment(row) => {
                let days = row.dunning.days_text();
                let params = environments::insert_environment(row, &days);
                tx.send(environments::INSERT_ENVIRONMENT, params).await?;
            }
            Change::UpdateEnvironment(row) => {
                let days = row.dunning.days_text();
                let params = environments::update_environment(row, &days);
                tx.send(environments::UPDATE_ENVIRONMENT, params).await?;
                tx.touch(Scope::Catalog(row.number));
            }
            Change::SetClock(environment, to) => {
                set_clock(tx, *environment, *to).await?;
            }
            Change::InsertStaff(row) => {
                tx.send(environments::INSERT_STAFF, environments::insert_staff(row)).await?;
                tx.touch(Scope::Credentials);
            }
            Change::InsertCatalog(row) => {
                tx.send(catalog::INSERT_CATALOG, catalog::insert_catalog(row)).await?;
                tx.touch(Scope::Catalog(row.environment));
            }
            Change::UpdateCatalog(row) => {
                tx.send(catalog::UPDATE_CATALOG, catalog::update_catalog(row)).await?;
                tx.touch(Scope::Catalog(row.environment));
            }
            Change::InsertProduct(row) => {
                let row = Product { number: numbers.next(row.environment, "products")?, ..row.clone() };
                tx.send(catalog::INSERT_PRODUCT, catalog::insert_product(&row)).await?;
                tx.touch(Scope::Catalog(row.environment));
            }
            Change::UpdateProduct(row) => {
                tx.send(catalog::UPDATE_PRODUCT, catalog::update_product(row)).await?;
                tx.touch(Scope::Catalog(row.environment));
            }
            Change::InsertPrice(row) => {
                let row = Price { number: numbers.next(row.environment, "prices")?, ..row.clone() };
                tx.send(catalog::INSERT_PRICE, catalog::insert_price(&row)).await?;
                tx.touch(Scope::Catalog(row.environment));
            }
            Change::UpdatePrice(row) => {
                tx.send(catalog::UPDATE_PRICE, catalog::update_price(row)).await?;
                tx.touch(Scope::Catalog(row.environment));
            }
            Change::InsertDiscount(row) => {
                tx.send(catalog::INSERT_DISCOUNT, catalog::insert_discount(row)).await?;
            }
            Change::UpdateDiscount(row) => {
                tx.send(catalog::UPDATE_DISCOUNT, catalog::update_discount(row)).await?;
            }
            Change::InsertTaxRate(row) => {
                let rate = row.rate.to_string();
                tx.send(catalog::INSERT_TAX_RATE, catalog::insert_tax_rate(row, &rate)).await?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Moves a clock forward, or leaves it where it is. One that others have moved past that is a conflict.
async fn set_clock(tx: &mut Tx, environment: i64, to: Timestamp) -> Result<(), Error> {
    let forward = "update environments set clock = $2
         where number = $1 and (clock is null or clock <= $2)";
    if tx.execute(forward, &[environment.into(), to.micros().into()]).await? != 1 {
        return Err(Error::Conflict);
    }
    tx.touch(Scope::Catalog(environment));
    Ok(())
}

const INSERT_NAME: &str =
    "insert into customer_names (environment, kind, name, customer_id) values ($1, $2, $3, $4)";
const DELETE_NAME: &str =
    "delete from customer_names where environment = $1 and kind = $2 and name = $3 and customer_id = $4";

async fn write_customers(tx: &mut Tx, run: &[&Change], numbers: &mut Numbers) -> Result<(), Error> {
    for change in run {
        match change {
            Change::InsertCustomer(row) => {
                let mut row = row.clone();
                let place = numbers.next(row.environment, "customers")?;
                if row.invoice_number_base.is_empty() {
                    row.invoice_number_base = crate::customers::invoice_number_base(place);
                }
                let row = &row;
                tx.send(customers::INSERT_CUSTOMER, customers::insert_customer(row)).await?;
                let first = [row.id.shard().into(), row.id.raw().into()];
                tx.send(
                    "insert into customer_versions (shard, customer_id, version) values ($1, $2, 1)",
                    first,
                )
                .await?;
                name(tx, row, "external_id", None, Some(&row.external_id)).await?;
                name(tx, row, "handle", None, row.handle.as_deref()).await?;
                tx.touch(Scope::Customer(row.id.raw()));
            }
            Change::UpdateCustomer(row) => {
                let before = tx
                    .row(
                        "select external_id, handle from customers where shard = $1 and id = $2",
                        &[row.id.shard().into(), row.id.raw().into()],
                        |row| Ok((row.text(0)?.to_owned(), row.opt_text(1)?.map(str::to_owned))),
                    )
                    .await?;
                let (external_id, handle) = before.ok_or(Error::Conflict)?;
                tx.send(customers::UPDATE_CUSTOMER, customers::update_customer(row)).await?;
                name(tx, row, "external_id", Some(&external_id), Some(&row.external_id)).await?;
                name(tx, row, "handle", handle.as_deref(), row.handle.as_deref()).await?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Moves a name of a customer. A name that another customer has is a conflict.
async fn name(
    tx: &mut Tx,
    customer: &Customer,
    kind: &str,
    before: Option<&str>,
    after: Option<&str>,
) -> Result<(), Error> {
    if before == after {
        return Ok(());
    }
    for (sql, name) in [(DELETE_NAME, before), (INSERT_NAME, after)] {
        if let Some(name) = name {
            let params =
                [customer.environment.into(), kind.into(), name.into(), Param::Id(customer.id.raw())];
            tx.send(sql, params).await?;
        }
    }
    Ok(())
}

/// Numbers, seals and writes invoices with their lines and taxes.
async fn write_invoices(
    tx: &mut Tx,
    run: &[&Change],
    numbers: &mut Numbers,
    issued: &mut Vec<Invoice>,
) -> Result<(), Error> {
    let first = issued.len();
    let mut lines: Vec<&InvoiceLine> = Vec::with_capacity(run.len());
    let mut taxes: Vec<&InvoiceTax> = Vec::new();
    for change in run {
        let Change::InsertInvoice(drawn, its_lines, its_taxes) = change else { continue };
        let mut invoice = Invoice::clone(drawn);
        invoice.ordinal = numbers.next(invoice.environment, "invoices")?;
        invoice.number = numbers.invoice_number(tx, &invoice).await?;
        invoice.content_hash = seal(&invoice, its_lines, its_taxes);
        issued.push(invoice);
        lines.extend(its_lines);
        taxes.extend(its_taxes);
    }
    let sets = issued[first..].iter().map(invoices::insert_invoice);
    tx.send_for(invoices::INSERT_INVOICE, sets).await?;
    let sets = lines.into_iter().map(invoices::insert_invoice_line);
    tx.send_for(invoices::INSERT_INVOICE_LINE, sets).await?;
    for tax in taxes {
        let rate = tax.rate.to_string();
        tx.send(invoices::INSERT_INVOICE_TAX, invoices::insert_invoice_tax(tax, &rate)).await?;
    }
    Ok(())
}

/// The seal of a finalized invoice: SHA-256 of its canonical text.
pub fn seal(invoice: &Invoice, lines: &[InvoiceLine], taxes: &[InvoiceTax]) -> Vec<u8> {
    Sha256::digest(canonical_text(invoice, lines, taxes).as_bytes()).to_vec()
}

async fn write_rows(tx: &mut Tx, run: &[&Change], numbers: &mut Numbers) -> Result<(), Error> {
    use payments as p;
    use subscriptions as s;
    match run[0] {
        Change::InsertCustomerUser(_) => {
            each!(
                tx,
                run,
                InsertCustomerUser,
                customers::INSERT_CUSTOMER_USER,
                customers::insert_customer_user
            );
        }
        Change::InsertPaymentMethod(_) => {
            let sql = customers::INSERT_PAYMENT_METHOD;
            each!(tx, run, InsertPaymentMethod, sql, customers::insert_payment_method);
        }
        Change::UpdatePaymentMethod(_) => {
            let sql = customers::UPDATE_PAYMENT_METHOD;
            each!(tx, run, UpdatePaymentMethod, sql, customers::update_payment_method);
        }
        Change::InsertPurchase(_) => {
            each!(tx, run, InsertPurchase, p::INSERT_PURCHASE, p::insert_purchase);
        }
        Change::UpdatePurchase(_) => {
            each!(tx, run, UpdatePurchase, p::UPDATE_PURCHASE, p::update_purchase);
        }
        Change::InsertItem(_) => {
            each!(tx, run, InsertItem, s::INSERT_ITEM, s::insert_item);
        }
        Change::UpdateItem(_) => {
            each!(tx, run, UpdateItem, s::UPDATE_ITEM, s::update_item);
        }
        Change::UpdateSubscription(_) => {
            each!(tx, run, UpdateSubscription, s::UPDATE_SUBSCRIPTION, s::update_subscription);
        }
        Change::SettleInvoice(_) => {
            each!(tx, run, SettleInvoice, invoices::UPDATE_INVOICE, invoices::update_invoice);
        }
        Change::InsertRefund(_) => {
            each!(tx, run, InsertRefund, p::INSERT_REFUND, p::insert_refund);
        }
        Change::UpdateRefund(_) => {
            each!(tx, run, UpdateRefund, p::UPDATE_REFUND, p::update_refund);
        }
        Change::InsertCredit(_) => {
            each!(tx, run, InsertCredit, p::INSERT_CREDIT, p::insert_credit);
        }
        Change::UpdateCredit(_) => {
            each!(tx, run, UpdateCredit, p::UPDATE_CREDIT, p::update_credit);
        }
        Change::InsertAllocation(_) => {
            each!(tx, run, InsertAllocation, p::INSERT_ALLOCATION, p::insert_allocation);
        }
        Change::InsertSubscription(_) | Change::InsertPeriod(_) => write_numbered(tx, run, numbers).await?,
        Change::InsertPayment(_) | Change::UpdatePayment(..) => write_payments(tx, run).await?,
        Change::Post(_) => write_journal(tx, run).await?,
        _ => write_small(tx, run).await?,
    }
    Ok(())
}

async fn write_numbered(tx: &mut Tx, run: &[&Change], numbers: &mut Numbers) -> Result<(), Error> {
    let mut new_subscriptions: Vec<Subscription> = Vec::new();
    let mut new_periods = Vec::new();
    for change in run {
        match change {
            Change::InsertSubscription(row) => {
                let number = numbers.next(row.environment, "subscriptions")?;
                new_subscriptions.push(Subscription { number, ..row.clone() });
            }
            Change::InsertPeriod(row) => {
                let number = numbers.next(row.environment, "periods")?;
                new_periods.push(billing::BillingPeriod { number, ..row.clone() });
            }
            _ => {}
        }
    }
    let sets = new_subscriptions.iter().map(subscriptions::insert_subscription);
    tx.send_for(subscriptions::INSERT_SUBSCRIPTION, sets).await?;
    let sets = new_periods.iter().map(subscriptions::insert_period);
    tx.send_for(subscriptions::INSERT_PERIOD, sets).await?;
    Ok(())
}

async fn write_payments(tx: &mut Tx, run: &[&Change]) -> Result<(), Error> {
    let inserts = run.iter().filter_map(|change| match change {
        Change::InsertPayment(row) => Some(payments::insert_payment(row)),
        _ => None,
    });
    tx.send_for(payments::INSERT_PAYMENT, inserts).await?;
    let updates = run.iter().filter_map(|change| match change {
        Change::UpdatePayment(_, after) => Some(payments::update_payment(after)),
        _ => None,
    });
    tx.send_for(payments::UPDATE_PAYMENT, updates).await?;
    let moves = run.iter().filter_map(|change| match change {
        Change::InsertPayment(row) => Some((None, row.as_ref())),
        Change::UpdatePayment(before, after) => Some((Some(before.as_ref()), after.as_ref())),
        _ => None,
    });
    lists::follow(tx, moves).await
}

async fn write_journal(tx: &mut Tx, run: &[&Change]) -> Result<(), Error> {
    let entries = || {
        run.iter().filter_map(|change| match change {
            Change::Post(entry) => Some(entry),
            _ => None,
        })
    };
    tx.send_for(ledger::INSERT_JOURNAL_ENTRY, entries().map(ledger::insert_journal_entry)).await?;
    let postings: Vec<_> = entries()
        .flat_map(|entry| (1i64..).zip(&entry.postings).map(move |(n, posting)| (entry.id, n, posting)))
        .map(|(id, position, posting)| (id, position, posting.account.name(), posting.amount))
        .collect();
    let sets = postings.iter().map(|(id, position, account, amount)| {
        let account: &str = account;
        [id.shard().into(), Param::Id(id.raw()), (*position).into(), account.into(), (*amount).into()]
    });
    tx.send_for(
        "insert into postings (shard, entry_id, position, account, amount) values ($1, $2, $3, $4, $5)",
        sets,
    )
    .await?;
    Ok(())
}

/// Changes that are no whole rows.
async fn write_small(tx: &mut Tx, run: &[&Change]) -> Result<(), Error> {
    for change in run {
        match change {
            Change::DeleteItem(subscription, id) => {
                let params =
                    [subscription.shard().into(), Param::Id(subscription.raw()), Param::Id(id.raw())];
                let sql = "delete from items where shard = $1 and subscription_id = $2 and id = $3";
                tx.send(sql, params).await?;
            }
            Change::DeleteAllocation(customer, id) => {
                let params = [customer.shard().into(), Param::Id(id.raw())];
                tx.send("delete from allocations where shard = $1 and id = $2", params).await?;
            }
            Change::EndPeriod(customer, id, end, now) => {
                let params =
                    [customer.shard().into(), Param::Id(id.raw()), end.micros().into(), now.micros().into()];
                let sql = "update periods set period_end = $3, updated_at = $4 where shard = $1 and id = $2";
                tx.send(sql, params).await?;
            }
            Change::RemindPeriod(customer, id, now) => {
                let params = [customer.shard().into(), Param::Id(id.raw()), now.micros().into()];
                let sql = "update periods set reminder_sent_at = $3, updated_at = $3
                     where shard = $1 and id = $2";
                tx.send(sql, params).await?;
            }
            _ => {}
        }
    }
    Ok(())
}
