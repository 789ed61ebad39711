//! What one customer has, and what of it has moved since an instant.

use crate::records::codecs::{Id, Int, OneColumn};
use crate::{Error, Param, Snapshot};
use async_recursion::async_recursion as boxed;
use billing::customer::PaymentMethod;
use billing::id::{CustomerId, Id as _, InvoiceId};
use billing::invoice::{Invoice, InvoiceLine, InvoiceTax};
use billing::payment::{Credit, Payment, Refund};
use billing::purchase::Purchase;
use billing::subscription::{BillingPeriod, Item, Subscription};
use billing::timestamp::Timestamp;

/// What a customer has. Subscriptions, methods and credits are all there; of the rest, what moved.
#[derive(Debug, Clone)]
pub struct Holdings {
    /// All its payment methods.
    pub methods: Vec<PaymentMethod>,
    /// All its subscriptions, with all their items.
    pub subscriptions: Vec<(Subscription, Vec<Item>)>,
    /// The periods that moved.
    pub periods: Vec<BillingPeriod>,
    /// The invoices that moved.
    pub invoices: Vec<(Invoice, Vec<InvoiceLine>, Vec<InvoiceTax>)>,
    /// The payments that moved, those that were taken back among them.
    pub payments: Vec<Payment>,
    /// The refunds that moved.
    pub refunds: Vec<Refund>,
    /// All its credits.
    pub credits: Vec<Credit>,
    /// The purchases that moved.
    pub purchases: Vec<Purchase>,
}

const METHODS: &str = concat!(
    "select ",
    payment_method_columns!("m"),
    " from payment_methods m where m.shard = $1 and m.customer_id = $2 order by m.id"
);
const PERIODS: &str = concat!(
    "select ",
    period_columns!("p"),
    " from subscriptions s join periods p on p.shard = s.shard and p.subscription_id = s.id
     where s.shard = $1 and s.customer_id = $2 and p.updated_at >= $3 order by p.subscription_id, p.period_start"
);
const INVOICES: &str = concat!(
    "select ",
    invoice_columns!("i"),
    " from invoices i where i.shard = $1 and i.customer_id = $2 and i.updated_at >= $3
     order by i.customer_ordinal"
);
const PAYMENTS: &str = concat!(
    "select ",
    payment_columns!("p"),
    " from payments p where p.shard = $1 and p.customer_id = $2 and p.updated_at >= $3 order by p.id"
);
const REFUNDS: &str = concat!(
    "select ",
    refund_columns!("r"),
    " from payments p join refunds r on r.shard = p.shard and r.payment_id = p.id
     where p.shard = $1 and p.customer_id = $2 and r.updated_at >= $3 order by r.id"
);
const CREDITS: &str = concat!(
    "select ",
    credit_columns!("c"),
    " from payments p join credits c on c.shard = p.shard and c.payment_id = p.id
     where p.shard = $1 and p.customer_id = $2 order by c.id"
);
const PURCHASES: &str = concat!(
    "select ",
    purchase_columns!("p"),
    " from purchases p where p.shard = $1 and p.customer_id = $2 and p.updated_at >= $3 order by p.id"
);

/// What a customer has, and what of it has moved since an instant.
///
/// # Errors
/// If the database fails or a row cannot be read.
#[boxed]
pub async fn holdings(s: &mut Snapshot, customer: CustomerId, since: Timestamp) -> Result<Holdings, Error> {
    let whose = [customer.shard().into(), Param::Id(customer.raw())];
    let moved = [customer.shard().into(), Param::Id(customer.raw()), since.micros().into()];
    let all = crate::subscriptions::of_customer(s, customer).await?;
    let ids: Vec<_> = all.iter().map(|subscription| subscription.id).collect();
    let items = crate::subscriptions::items(s, &ids).await?;
    let moved_invoices: Vec<Invoice> = s.rows(INVOICES, &moved, |row| row.record()).await?;
    let ids: Vec<InvoiceId> = moved_invoices.iter().map(|invoice| invoice.id).collect();
    let lines = crate::invoices::lines(s, &ids).await?;
    let taxes = crate::invoices::taxes(s, &ids).await?;
    let contents = lines.into_iter().zip(taxes);
    Ok(Holdings {
        methods: s.rows(METHODS, &whose, |row| row.record()).await?,
        subscriptions: all.into_iter().zip(items).collect(),
        periods: s.rows(PERIODS, &moved, |row| row.record()).await?,
        invoices: moved_invoices
            .into_iter()
            .zip(contents)
            .map(|(invoice, (lines, taxes))| (invoice, lines, taxes))
            .collect(),
        payments: s.rows(PAYMENTS, &moved, |row| row.record()).await?,
        refunds: s.rows(REFUNDS, &moved, |row| row.record()).await?,
        credits: s.rows(CREDITS, &whose, |row| row.record()).await?,
        purchases: s.rows(PURCHASES, &moved, |row| row.record()).await?,
    })
}

/// The versions of all customers of an environment, in the order of their ids.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn versions(s: &mut Snapshot, environment: i64) -> Result<Vec<(CustomerId, i64)>, Error> {
    const SQL: &str = "select c.id, v.version from customers c
         join customer_versions v on v.shard = c.shard and v.customer_id = c.id
         where c.environment = $1 order by c.id";
    s.rows(SQL, &[environment.into()], |row| Ok((Id::of(row, "id")?, Int::of(row, "version")?))).await
}
