//! Counters beside the rows that they count, credentials and answered requests.

use crate::records::TABLES;
use crate::records::codecs::{Bool, Int, OneColumn, Opt, Text};
use crate::{Error, Param, Snapshot, credentials as standing};
use async_recursion::async_recursion as boxed;
use billing::credential::{Bearer, Credential};
use billing::id::Id;

/// The kinds of rows that are tallied: the names of their tables.
pub fn counted_kinds() -> impl Iterator<Item = &'static str> {
    TABLES.iter().filter(|table| table.tallied.is_some()).map(|table| table.name)
}

/// How many rows of a kind an environment has: counted, not read from a counter.
///
/// # Errors
/// If the database fails or there is no such kind.
#[boxed]
pub async fn count(s: &mut Snapshot, environment: i64, kind: &str) -> Result<i64, Error> {
    let table = TABLES.iter().find(|table| table.name == kind);
    let Some(tallied) = table.and_then(|table| table.tallied.as_ref()) else {
        return Err(Error::Misuse(format!("{kind} are not tallied")));
    };
    Ok(s.row(tallied.count, &[environment.into()], |row| row.int(0)).await?.unwrap_or(0))
}

/// The tallies of an environment, by kind.
///
/// # Errors
/// If the database fails.
#[boxed]
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

/// The places of what is numbered from 1 in an environment.
///
/// # Errors
/// If the database fails.
#[boxed]
pub async fn numbered(s: &mut Snapshot, environment: i64) -> Result<Vec<Numbered>, Error> {
    let mut found = Vec::new();
    for table in TABLES {
        let Some(sql) = table.tallied.as_ref().and_then(|tallied| tallied.numbers) else { continue };
        let read = s
            .row(sql, &[environment.into()], |row| {
                let (count, different) = (Int::of(row, "n")?, Int::of(row, "different")?);
                Ok(Numbered { kind: table.name, count, different, max: Int::of(row, "last")? })
            })
            .await?;
        found.extend(read);
    }
    Ok(found)
}

/// Invoice numbers that more than one invoice of an environment has; at most `limit` of them.
///
/// # Errors
/// If the database fails.
#[boxed]
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
#[boxed]
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
     case when answer is null then 0 else 1 end as has_answer from idempotency
     where (environment, key) > ($1, $2) order by environment, key limit $3";

/// The answered requests after a key.
///
/// # Errors
/// If the database fails or a row cannot be read.
#[boxed]
pub async fn requests(s: &mut Snapshot, after: (i64, &str), limit: i64) -> Result<Vec<Request>, Error> {
    let params: [Param<'_>; 3] = [after.0.into(), after.1.into(), limit.into()];
    s.rows(REQUESTS, &params, |row| {
        Ok(Request {
            environment: Int::of(row, "environment")?,
            key: Text::of(row, "key")?,
            fingerprint_bytes: row.bytes(row.take("fingerprint")?)?.len(),
            resource: row.id(row.take("resource")?)?,
            status: Opt::<Int>::of(row, "status")?,
            has_answer: Bool::of(row, "has_answer")?,
        })
    })
    .await
}
