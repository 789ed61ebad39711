//! Which requests have been answered, and how.

use crate::{Error, Snapshot, Tx};
use async_recursion::async_recursion as boxed;
use billing::changes::Idempotency;

/// A request that has had its effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// SHA-256 of the request.
    pub fingerprint: Vec<u8>,
    /// The raw id of what it made or changed.
    pub resource: u128,
    /// The status and the bytes that were answered, unless they were lost or must not be kept.
    pub answer: Option<(u16, Vec<u8>)>,
}

/// The request of a key, if it has had its effect.
#[boxed]
pub async fn find(snapshot: &mut Snapshot, environment: i64, key: &str) -> Result<Option<Answered>, Error> {
    const SQL: &str = "select fingerprint, resource, status, answer from idempotency \
         where environment = $1 and key = $2";
    snapshot
        .row(SQL, &[environment.into(), key.into()], |row| {
            let status = row.opt_int(2)?.and_then(|status| u16::try_from(status).ok());
            let bytes = row.opt_bytes(3)?.map(<[u8]>::to_vec);
            Ok(Answered {
                fingerprint: row.bytes(0)?.to_vec(),
                resource: row.id(1)?,
                answer: status.zip(bytes),
            })
        })
        .await
}

/// Keeps the keys of requests with their effects; [`Error::KeyTaken`] if one of them has had one.
pub(crate) async fn keep<'r>(
    tx: &mut Tx,
    requests: impl Iterator<Item = &'r Idempotency> + Send,
) -> Result<(), Error> {
    const SQL: &str = "insert into idempotency (environment, key, fingerprint, resource, created_at) \
         values ($1, $2, $3, $4, $5)";
    let sets = requests.map(|request| {
        [
            request.environment.into(),
            (&request.key).into(),
            (&request.fingerprint).into(),
            request.resource.into(),
            request.created_at.micros().into(),
        ]
    });
    match tx.execute_for(SQL, sets).await {
        Ok(_) => Ok(()),
        Err(Error::Conflict) => Err(Error::KeyTaken),
        Err(error) => Err(error),
    }
}
