//! Customers, the people who act for them and what they can be charged with.

use crate::records::codecs::{Id, Int, OneColumn};
use crate::{Error, Snapshot};
use async_recursion::async_recursion as boxed;
use billing::changes::Version;
use billing::customer::{Customer, CustomerUser, PaymentMethod};
use billing::id::{CustomerId, Id as _, PaymentMethodId};

/// The customer of one of its names: kind `external_id` or `handle`.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn named(
    snapshot: &mut Snapshot,
    environment: i64,
    kind: &str,
    name: &str,
) -> Result<Option<CustomerId>, Error> {
    snapshot
        .row(NAMED, &[environment.into(), kind.into(), name.into()], |row| Id::of(row, "customer_id"))
        .await
}

const NAMED: &str =
    "select customer_id from customer_names where environment = $1 and kind = $2 and name = $3";

/// Says that [`named`] will be asked.
pub fn prefetch_named(snapshot: &mut Snapshot, environment: i64, kind: &str, name: &str) {
    snapshot.prefetch(NAMED, &[environment.into(), kind.into(), name.into()]);
}

/// The customer whose id begins with 96 bits; none if there is none or more than one.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn spelled(
    snapshot: &mut Snapshot,
    environment: i64,
    first: u128,
) -> Result<Option<CustomerId>, Error> {
    const SQL: &str =
        "select id from customers where shard = $1 and id between $2 and $3 and environment = $4 limit 2";
    let (low, high) = (first << 32, first << 32 | 0xffff_ffff);
    let key = [billing::id::shard_of(low).into(), low.into(), high.into(), environment.into()];
    let found = snapshot.rows(SQL, &key, |row| Id::of(row, "id")).await?;
    Ok(if let [only] = found[..] { Some(only) } else { None })
}

pub(crate) const BY_ID: &str = concat!(
    "select ",
    customer_columns!("t"),
    ", v.version from customers t
     join customer_versions v on v.shard = t.shard and v.customer_id = t.id
     where t.shard = $1 and t.id = $2 and t.environment = $3"
);

/// A customer with the version of its rows.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn by_id(
    snapshot: &mut Snapshot,
    environment: i64,
    id: CustomerId,
) -> Result<Option<(Customer, Version)>, Error> {
    let key = [id.shard().into(), id.raw().into(), environment.into()];
    snapshot.row(BY_ID, &key, |row| Ok((row.record()?, Int::of(row, "version")?))).await
}

/// The customer of the merchant's own id, with the version of its rows.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn by_external_id(
    snapshot: &mut Snapshot,
    environment: i64,
    external_id: &str,
) -> Result<Option<(Customer, Version)>, Error> {
    match named(snapshot, environment, "external_id", external_id).await? {
        Some(id) => by_id(snapshot, environment, id).await,
        None => Ok(None),
    }
}

/// A person of a customer, by e-mail address.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn user(
    snapshot: &mut Snapshot,
    customer: CustomerId,
    email: &str,
) -> Result<Option<CustomerUser>, Error> {
    const SQL: &str = concat!(
        "select ",
        customer_user_columns!("t"),
        " from customer_users t where t.shard = $1 and t.customer_id = $2 and t.email = $3"
    );
    let key = [customer.shard().into(), customer.raw().into(), email.into()];
    snapshot.row(SQL, &key, |row| row.record()).await
}

/// A payment method.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn payment_method(
    snapshot: &mut Snapshot,
    environment: i64,
    id: PaymentMethodId,
) -> Result<Option<PaymentMethod>, Error> {
    const SQL: &str = concat!(
        "select ",
        payment_method_columns!("t"),
        " from payment_methods t where t.shard = $1 and t.id = $2 and t.environment = $3"
    );
    let key = [id.shard().into(), id.raw().into(), environment.into()];
    snapshot.row(SQL, &key, |row| row.record()).await
}

pub(crate) const PAYMENT_METHODS: &str = concat!(
    "select ",
    payment_method_columns!("t"),
    " from payment_methods t where t.shard = $1 and t.customer_id = $2 order by t.id"
);

/// What a customer can be charged with, oldest first.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn payment_methods(
    snapshot: &mut Snapshot,
    customer: CustomerId,
) -> Result<Vec<PaymentMethod>, Error> {
    let key = [customer.shard().into(), customer.raw().into()];
    snapshot.rows(PAYMENT_METHODS, &key, |row| row.record()).await
}

/// The first part of the invoice numbers of the n-th customer: seven digits that do not tell n.
/// Multiplication by an odd number permutes what fits the digits, so no two customers share them.
pub(crate) fn invoice_number_base(n: i64) -> String {
    const SPREAD: i64 = 0x9e3_779b;
    format!("{:07X}", n.wrapping_mul(SPREAD) & 0xfff_ffff)
}

#[cfg(test)]
mod tests {
    use super::invoice_number_base;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_customers_share_the_first_part_of_their_invoice_numbers() {
        let bases: BTreeSet<String> = (1..=100_000).map(invoice_number_base).collect();
        assert_eq!(bases.len(), 100_000);
        assert!(bases.iter().all(|base| base.len() == 7));
    }
}
