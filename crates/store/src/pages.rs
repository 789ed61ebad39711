//! Pages of an environment's rows, oldest first, and of one customer's.
//!
//! Pages are found by the id of the last row that was seen, and totals come from tallies: both cost
//! the same wherever the page is. Lists of one customer are bounded by what it has.

use crate::records::Read;
pub use crate::tallies::tally;
use crate::{Error, Snapshot};
use async_recursion::async_recursion as boxed;
use billing::catalog::{Catalog, Discount, Price, Product, TaxRate};
use billing::customer::{Customer, PaymentMethod};
use billing::id::{CustomerId, Id, InvoiceId, InvoiceLineId, SubscriptionId};
use billing::invoice::{Invoice, InvoiceLine};
use billing::payment::{Payment, Refund};
use billing::purchase::Purchase;
use billing::subscription::Subscription;

/// Which rows of a list are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CursorPage {
    /// The raw id of the last row that was seen; none for the first page.
    pub after: Option<u128>,
    /// How many rows, at least 1.
    pub limit: i64,
}

impl CursorPage {
    fn after(self) -> u128 {
        self.after.unwrap_or(0)
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The rows, oldest first.
    pub rows: Vec<T>,
    /// Whether more follow.
    pub has_more: bool,
    /// How many rows the whole list has.
    pub total: i64,
}

impl<T> Page<T> {
    /// A page from one row more than was wanted.
    fn of(mut rows: Vec<T>, window: CursorPage, total: i64) -> Self {
        let wanted = usize::try_from(window.limit).unwrap_or(0);
        let has_more = rows.len() > wanted;
        rows.truncate(wanted);
        Self { rows, has_more, total }
    }

    /// Nothing.
    pub const fn empty() -> Self {
        Self { rows: Vec::new(), has_more: false, total: 0 }
    }

    /// The same page of something made from its rows.
    pub fn map<U>(self, make: impl FnMut(T) -> U) -> Page<U> {
        Page { rows: self.rows.into_iter().map(make).collect(), has_more: self.has_more, total: self.total }
    }
}

macro_rules! pages {
    ($($(#[$doc:meta])* $name:ident: $row:ty;)+) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// If the database fails.
        #[boxed]
        pub async fn $name(
            snapshot: &mut Snapshot,
            environment: i64,
            window: CursorPage,
        ) -> Result<Page<$row>, Error> {
            page(snapshot, environment, window).await
        }
    )+};
}

pages! {
    /// Catalogs.
    catalogs: Catalog;
    /// Products.
    products: Product;
    /// Prices.
    prices: Price;
    /// Discounts.
    discounts: Discount;
    /// Tax rates.
    tax_rates: TaxRate;
    /// Customers.
    customers: Customer;
    /// Payment methods.
    payment_methods: PaymentMethod;
    /// Subscriptions.
    subscriptions: Subscription;
    /// Payments that were not taken back.
    payments: Payment;
    /// Refunds.
    refunds: Refund;
    /// Purchases.
    purchases: Purchase;
    /// Lines of invoices.
    invoice_lines: InvoiceLine;
}

/// A page of the rows that a table's tally counts.
async fn page<T: Read + Send>(
    snapshot: &mut Snapshot,
    environment: i64,
    window: CursorPage,
) -> Result<Page<T>, Error> {
    let table = T::TABLE;
    let Some(tallied) = &table.tallied else {
        return Err(Error::Misuse(format!("{} are not counted", table.name)));
    };
    let params = [environment.into(), window.after().into(), (window.limit + 1).into()];
    let rows = snapshot.rows(tallied.page, &params, |row| row.record()).await?;
    let total = tally(snapshot, environment, table.name).await?;
    Ok(Page::of(rows, window, total))
}

/// Invoices, in the order of their places.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn invoices(
    snapshot: &mut Snapshot,
    environment: i64,
    window: CursorPage,
) -> Result<Page<Invoice>, Error> {
    const PLACE: &str = "select ordinal from invoices where shard = $1 and id = $2 and environment = $3";
    const SQL: &str = concat!(
        "select ",
        invoice_columns!("t"),
        " from invoices t where t.environment = $1 and t.ordinal > $2 order by t.ordinal limit $3"
    );
    let place = match window.after.map(InvoiceId::from_raw) {
        None => 0,
        Some(id) => {
            let key = [id.shard().into(), id.raw().into(), environment.into()];
            snapshot.row(PLACE, &key, |row| row.int(0)).await?.unwrap_or(i64::MAX)
        }
    };
    let params = [environment.into(), place.into(), (window.limit + 1).into()];
    let rows = snapshot.rows(SQL, &params, |row| row.record()).await?;
    let total = tally(snapshot, environment, "invoices").await?;
    Ok(Page::of(rows, window, total))
}

/// Keeps of a customer's or a subscription's rows those with a status, and cuts the page out.
fn cut<T>(
    rows: Vec<T>,
    window: CursorPage,
    raw_id: impl Fn(&T) -> u128,
    is_wanted: impl Fn(&T) -> bool,
) -> Page<T> {
    let mut rows: Vec<T> = rows.into_iter().filter(is_wanted).collect();
    rows.sort_by_key(&raw_id);
    let total = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let after = window.after();
    rows.retain(|row| raw_id(row) > after);
    Page::of(rows, window, total)
}

macro_rules! pages_of_customer {
    ($($(#[$doc:meta])* $name:ident: $row:ty, $table:literal, $columns:ident, $condition:literal;)+) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// If the database fails.
        pub async fn $name(
            snapshot: &mut Snapshot,
            customer: CustomerId,
            window: CursorPage,
            is_wanted: impl Fn(&$row) -> bool,
        ) -> Result<Page<$row>, Error> {
            const SQL: &str = concat!(
                "select ", $columns!("t"), " from ", $table, " t
                 where t.shard = $1 and t.customer_id = $2", $condition
            );
            let params = [customer.shard().into(), customer.raw().into()];
            let rows = snapshot.rows(SQL, &params, |row| row.record()).await?;
            Ok(cut(rows, window, |row| row.id.raw(), is_wanted))
        }
    )+};
}

pages_of_customer! {
    /// A customer's subscriptions.
    subscriptions_of_customer: Subscription, "subscriptions", subscription_columns, "";
    /// A customer's invoices.
    invoices_of_customer: Invoice, "invoices", invoice_columns, "";
    /// A customer's payments that were not taken back.
    payments_of_customer: Payment, "payments", payment_columns, " and t.deleted_at is null";
    /// A customer's payment methods.
    payment_methods_of_customer: PaymentMethod, "payment_methods", payment_method_columns, "";
    /// A customer's purchases.
    purchases_of_customer: Purchase, "purchases", purchase_columns, "";
}

/// A subscription's invoices.
///
/// # Errors
/// If the database fails.
pub async fn invoices_of_subscription(
    snapshot: &mut Snapshot,
    subscription: SubscriptionId,
    window: CursorPage,
    is_wanted: impl Fn(&Invoice) -> bool,
) -> Result<Page<Invoice>, Error> {
    const SQL: &str = concat!(
        "select ",
        invoice_columns!("t"),
        " from invoices t where t.shard = $1 and t.subscription_id = $2"
    );
    let params = [subscription.shard().into(), subscription.raw().into()];
    let rows = snapshot.rows(SQL, &params, |row| row.record()).await?;
    Ok(cut(rows, window, |row| row.id.raw(), is_wanted))
}

/// The lines of an invoice, in their order.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn lines_of_invoice(
    snapshot: &mut Snapshot,
    invoice: InvoiceId,
    window: CursorPage,
) -> Result<Page<InvoiceLine>, Error> {
    const SQL: &str = concat!(
        "select ",
        invoice_line_columns!("t"),
        " from invoice_lines t where t.shard = $1 and t.invoice_id = $2"
    );
    let params = [invoice.shard().into(), invoice.raw().into()];
    let rows: Vec<InvoiceLine> = snapshot.rows(SQL, &params, |row| row.record()).await?;
    Ok(cut(rows, window, |row| row.id.raw(), |_| true))
}

/// A line of an invoice, found in its shard by the list of all lines.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn invoice_line(
    snapshot: &mut Snapshot,
    environment: i64,
    id: InvoiceLineId,
) -> Result<Option<InvoiceLine>, Error> {
    const SQL: &str = concat!(
        "select ",
        invoice_line_columns!("t"),
        " from invoice_lines t where t.shard = $1 and t.id = $2 and t.environment = $3"
    );
    let key = [id.shard().into(), id.raw().into(), environment.into()];
    snapshot.row(SQL, &key, |row| row.record()).await
}

/// The prices of a product.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn prices_of_product(
    snapshot: &mut Snapshot,
    product: billing::id::ProductId,
    window: CursorPage,
) -> Result<Page<Price>, Error> {
    let rows = crate::catalog::prices_of(snapshot, product).await?;
    Ok(cut(rows, window, |row| row.id.raw(), |_| true))
}
