//! All that a customer has and owes, as one look at the books: document 002's answer.

use crate::offers::{self, Offer};
use crate::{Error, Snapshot, purchases};
use async_recursion::async_recursion as boxed;
use billing::catalog::Price;
use billing::customer::{Customer, PaymentMethod};
use billing::id::{CustomerId, Id, InvoiceId, PriceId};
use billing::invoice::{Invoice, InvoiceLine, InvoiceTax};
use billing::purchase::Purchase;
use billing::subscription::{Item, Subscription};

/// An invoice with all that is on it.
#[derive(Debug, Clone, PartialEq)]
pub struct FullInvoice {
    /// The invoice.
    pub invoice: Invoice,
    /// Its lines, in their order.
    pub lines: Vec<InvoiceLine>,
    /// Its taxes, in their order.
    pub taxes: Vec<InvoiceTax>,
}

const SUBSCRIPTIONS: &str = concat!(
    "select ",
    subscription_columns!("s"),
    " from subscriptions s where s.shard = $1 and s.customer_id = $2 order by s.id"
);
const ITEMS: &str = concat!(
    "select ",
    item_columns!("i"),
    " from subscriptions s join items i on i.shard = s.shard and i.subscription_id = s.id
     where s.shard = $1 and s.customer_id = $2 and (i.pending is null or i.pending <> 'add')
     order by s.id, i.id"
);
const INVOICES: &str = concat!(
    "select ",
    invoice_columns!("v"),
    " from invoices v where v.shard = $1 and v.customer_id = $2 order by v.customer_ordinal"
);
const LINES: &str = concat!(
    "select ",
    invoice_line_columns!("l"),
    " from invoices v join invoice_lines l on l.shard = v.shard and l.invoice_id = v.id
     where v.shard = $1 and v.customer_id = $2 order by v.customer_ordinal, l.position"
);
const TAXES: &str = concat!(
    "select ",
    invoice_tax_columns!("x"),
    " from invoices v join invoice_taxes x on x.shard = v.shard and x.invoice_id = v.id
     where v.shard = $1 and v.customer_id = $2 order by v.customer_ordinal, x.position"
);
/// Everything that is read of a customer by shard and id.
const OF_CUSTOMER: [&str; 7] =
    [SUBSCRIPTIONS, ITEMS, INVOICES, LINES, TAXES, crate::customers::PAYMENT_METHODS, purchases::OF_CUSTOMER];

/// A customer with everything that belongs to it, each list oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct BillingView {
    /// The customer.
    pub customer: Customer,
    /// Its subscriptions with their items, those that are yet to come left out.
    pub subscriptions: Vec<(Subscription, Vec<Item>)>,
    /// Its invoices.
    pub invoices: Vec<FullInvoice>,
    /// What it can be charged with.
    pub payment_methods: Vec<PaymentMethod>,
    /// What it bought once.
    pub purchases: Vec<Purchase>,
    /// What it can buy; none if the environment has no catalog.
    pub offer: Option<Offer>,
    /// The prices of items and purchases that are not in the offer, by id.
    pub other_prices: Vec<Price>,
}

impl BillingView {
    /// The price of an item or a purchase.
    pub fn price(&self, id: PriceId) -> Option<&Price> {
        let offered = self.offer.as_ref().and_then(|offer| offer.price(id));
        offered.or_else(|| self.other_prices.iter().find(|price| price.id == id))
    }

    /// Loads everything of the customer of an id; none if the environment has none of it.
    ///
    /// # Errors
    /// If the database fails.
    #[boxed]
    pub async fn of_id(
        snapshot: &mut Snapshot,
        environment: i64,
        id: CustomerId,
    ) -> Result<Option<Self>, Error> {
        let key = [id.shard().into(), id.raw().into(), environment.into()];
        snapshot.prefetch(crate::customers::BY_ID, &key);
        for sql in OF_CUSTOMER {
            snapshot.prefetch(sql, &key[..2]);
        }
        snapshot.prefetch(crate::catalog::DEFAULT_CATALOG, &key[2..]);
        match crate::customers::by_id(snapshot, environment, id).await? {
            Some((customer, _)) => Self::of(snapshot, customer).await.map(Some),
            None => Ok(None),
        }
    }

    /// Loads everything of a customer.
    ///
    /// # Errors
    /// If the database fails.
    #[boxed]
    pub async fn of(snapshot: &mut Snapshot, customer: Customer) -> Result<Self, Error> {
        let id = customer.id;
        let subscriptions = subscriptions_of(snapshot, id).await?;
        let invoices = invoices_of(snapshot, id).await?;
        let payment_methods = crate::customers::payment_methods(snapshot, id).await?;
        let purchases = purchases::of_customer(snapshot, id).await?;
        let offer = offers::for_customer(snapshot, &customer).await?;
        let mut view = Self {
            customer,
            subscriptions,
            invoices,
            payment_methods,
            purchases,
            offer,
            other_prices: Vec::new(),
        };
        let mut missing: Vec<PriceId> = view
            .subscriptions
            .iter()
            .flat_map(|(_, items)| items.iter().map(|item| item.price_id))
            .chain(view.purchases.iter().map(|purchase| purchase.price_id))
            .filter(|id| view.price(*id).is_none())
            .collect();
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            view.other_prices = crate::catalog::prices(snapshot, view.customer.environment, &missing).await?;
        }
        Ok(view)
    }
}

async fn subscriptions_of(
    snapshot: &mut Snapshot,
    customer: CustomerId,
) -> Result<Vec<(Subscription, Vec<Item>)>, Error> {
    let key = [customer.shard().into(), customer.raw().into()];
    let mut all = snapshot.rows(SUBSCRIPTIONS, &key, |row| Ok((row.record()?, Vec::new()))).await?;
    if all.is_empty() {
        return Ok(all);
    }
    let mut at = 0;
    snapshot
        .each(ITEMS, &key, |row| {
            let item: Item = row.record()?;
            // Both lists are in the order of the subscriptions.
            while all.get(at).is_some_and(|(subscription, _)| subscription.id != item.subscription_id) {
                at += 1;
            }
            if let Some((_, items)) = all.get_mut(at) {
                items.push(item);
            }
            Ok(())
        })
        .await?;
    Ok(all)
}

async fn invoices_of(snapshot: &mut Snapshot, customer: CustomerId) -> Result<Vec<FullInvoice>, Error> {
    let key = [customer.shard().into(), customer.raw().into()];
    let mut all = snapshot
        .rows(INVOICES, &key, |row| {
            Ok(FullInvoice { invoice: row.record()?, lines: Vec::new(), taxes: Vec::new() })
        })
        .await?;
    if all.is_empty() {
        return Ok(all);
    }
    // All three lists are in the order of the invoices.
    let mut at = 0;
    snapshot
        .each(LINES, &key, |row| {
            let line: InvoiceLine = row.record()?;
            if let Some(full) = seek(&mut all, &mut at, line.invoice_id) {
                full.lines.push(line);
            }
            Ok(())
        })
        .await?;
    at = 0;
    snapshot
        .each(TAXES, &key, |row| {
            let tax: InvoiceTax = row.record()?;
            if let Some(full) = seek(&mut all, &mut at, tax.invoice_id) {
                full.taxes.push(tax);
            }
            Ok(())
        })
        .await?;
    Ok(all)
}

fn seek<'a>(all: &'a mut [FullInvoice], at: &mut usize, id: InvoiceId) -> Option<&'a mut FullInvoice> {
    while all.get(*at).is_some_and(|full| full.invoice.id != id) {
        *at += 1;
    }
    all.get_mut(*at)
}

/// Invoices with their lines and taxes, in the order given.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn full_invoices(snapshot: &mut Snapshot, wanted: Vec<Invoice>) -> Result<Vec<FullInvoice>, Error> {
    let ids: Vec<InvoiceId> = wanted.iter().map(|invoice| invoice.id).collect();
    let lines = crate::invoices::lines(snapshot, &ids).await?;
    let taxes = crate::invoices::taxes(snapshot, &ids).await?;
    let all = wanted.into_iter().zip(lines).zip(taxes);
    Ok(all.map(|((invoice, lines), taxes)| FullInvoice { invoice, lines, taxes }).collect())
}
