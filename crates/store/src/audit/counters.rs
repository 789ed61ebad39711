//! Counters beside the rows that they count, credentials and answered requests.

use crate::{Error, Param, Snapshot, credentials as standing};
use billing::{Bearer, Credential, Id};

macro_rules! counts {
    ($($kind:literal: $sql:literal;)+) => {
        /// The kinds of rows that are tallied.
        pub fn counted_kinds() -> impl Iterator<Item = &'static str> {
            [$($kind),+].into_iter()
        }

        /// How many rows of a kind an environment has: counted, not read from a counter.
        ///
        /// # Errors
        /// If the database fails or there is no such kind.
        pub async fn count(s: &mut Snapshot, environment: i64, kind: &str) -> Result<i64, Error> {
            let sql = match kind {
                $($kind => concat!("select count(*) from ", $sql),)+
                _ => return Err(Error::Misuse(format!("{kind} are not tallied"))),
            };
            Ok(s.row(sql, &[environment.into()], |row| row.int(0)).await?.unwrap_or(0))
        }
    };
}

counts! {
    "catalogs": "catalogs where environment = $1";
    "products": "products where environment = $1";
    "prices": "prices where environment = $1";
    "discounts": "discounts where environment = $1";
    "tax_rates": "tax_rates where environment = $1";
    "customers": "customers where environment = $1";
    "payment_methods": "payment_methods where environment = $1";
    "subscriptions": "subscriptions where environment = $1";
    "periods": "periods where environment = $1";
    "payments": "payments where environment = $1 and deleted_at is null";
    "refunds": "refunds where environment = $1";
    "purchases": "purchases where environment = $1";
    "invoices": "invoices where environment = $1";
    "invoice_lines": "invoice_lines where environment = $1";
}

/// The tallies of an environment, by kind.
///
/// # Errors
/// If the database fails.
pub async fn tallies(s: &mut Snapshot, environment: i64) -> Result<Vec<(String, i64)>, Error> {
    const SQL: &str = "select kind, n from tallies where environment = $1 order by kind";
    s.rows(SQL, &[environment.into()], |row| Ok((row.text(0)?.to_owned(), row.int(1)?))).await
}

/// How the places of an environment's rows of a kind are given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbered {
    /// Whose places they are.
    pub kind: &'static str,
    /// How many rows there are.
    pub count: i64,
    /// How many different places they have.
    pub different: i64,
    /// The last place.
    pub max: i64,
}

macro_rules! numbered {
    ($($kind:literal),+) => {
        /// The places of what is numbered from 1 in an environment.
        ///
        /// # Errors
        /// If the database fails.
        pub async fn numbered(s: &mut Snapshot, environment: i64) -> Result<Vec<Numbered>, Error> {
            let statements = [$(($kind, concat!(
                "select count(*), count(distinct number), coalesce(max(number), 0) from ", $kind,
                " where environment = $1 and number > 0"
            ))),+];
            let mut found = Vec::with_capacity(statements.len());
            for (kind, sql) in statements {
                let read = s
                    .row(sql, &[environment.into()], |row| {
                        Ok(Numbered { kind, count: row.int(0)?, different: row.int(1)?, max: row.int(2)? })
                    })
                    .await?;
                found.extend(read);
            }
            Ok(found)
        }
    };
}

numbered!("products", "prices", "subscriptions", "periods");

/// Invoice numbers that more than one invoice of an environment has; at most `limit` of them.
///
/// # Errors
/// If the database fails.
pub async fn repeated_numbers(
    s: &mut Snapshot,
    environment: i64,
    limit: i64,
) -> Result<Vec<(String, i64)>, Error> {
    const SQL: &str = "select number, count(*) from invoices where environment = $1
         group by number having count(*) > 1 order by number limit $2";
    s.rows(SQL, &[environment.into(), limit.into()], |row| Ok((row.text(0)?.to_owned(), row.int(1)?))).await
}

const STAFF: &str = "select 1 from staff where id = $1 and environment = $2";
const USER: &str = "select 1 from customer_users where shard = $1 and id = $2 and customer_id = $3
     and environment = $4";

/// The credentials of an environment, each with whether the one that it stands for exists.
///
/// # Errors
/// If the database fails or a row cannot be read.
pub async fn credentials(s: &mut Snapshot, environment: i64) -> Result<Vec<(Credential, bool)>, Error> {
    let mut found = Vec::new();
    for credential in standing::list(s, environment).await? {
        let there = match credential.bearer {
            Bearer::Key => true,
            Bearer::Staff(staff) => {
                s.row(STAFF, &[staff.raw().into(), environment.into()], |_| Ok(())).await?.is_some()
            }
            Bearer::CustomerUser(customer, user) => {
                let key =
                    [customer.shard().into(), user.raw().into(), customer.raw().into(), environment.into()];
                s.row(USER, &key, |_| Ok(())).await?.is_some()
            }
        };
        found.push((credential, there));
    }
    Ok(found)
}

/// A request that has had its effect, without its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The environment within which its key is unique.
    pub environment: i64,
    /// Its key.
    pub key: String,
    /// How many bytes its fingerprint has.
    pub fingerprint_bytes: usize,
    /// The raw id of what it made or changed.
    pub resource: u128,
    /// The status that was answered.
    pub status: Option<i64>,
    /// Whether the answer was kept.
    pub has_answer: bool,
}

const REQUESTS: &str = "select environment, key, fingerprint, resource, status,
     case when answer is null then 0 else 1 end from idempotency
     where (environment, key) > ($1, $2) order by environment, key limit $3";

/// The answered requests after a key.
///
/// # Errors
/// If the database fails or a row cannot be read.
pub async fn requests(s: &mut Snapshot, after: (i64, &str), limit: i64) -> Result<Vec<Request>, Error> {
    let params: [Param<'_>; 3] = [after.0.into(), after.1.into(), limit.into()];
    s.rows(REQUESTS, &params, |row| {
        Ok(Request {
            environment: row.int(0)?,
            key: row.text(1)?.to_owned(),
            fingerprint_bytes: row.bytes(2)?.len(),
            resource: row.id(3)?,
            status: row.opt_int(4)?,
            has_answer: row.bool(5)?,
        })
    })
    .await
}
