//! Which requests have been answered, and how.

use crate::{Error, Snapshot, Store, Tx};
use async_recursion::async_recursion as boxed;
use billing::{Idempotency, Timestamp};

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

impl Store {
    /// Keeps what was answered to requests that have had their effect: environment, key, status, bytes.
    #[boxed]
    pub async fn keep_answers(&self, answers: Vec<(i64, String, u16, Vec<u8>)>) -> Result<(), Error> {
        const SQL: &str =
            "update idempotency set status = $3, answer = $4 where environment = $1 and key = $2";
        self.write(move |tx| {
            let answers = answers.clone();
            Box::pin(async move {
                let sets = answers.iter().map(|(environment, key, status, bytes)| {
                    [(*environment).into(), key.into(), (*status).into(), bytes.into()]
                });
                tx.execute_for(SQL, sets).await.map(|_| ())
            })
        })
        .await
    }

    /// Forgets requests that had their effect before an instant, at most `limit` of them; says how many.
    #[boxed]
    pub async fn forget_requests(&self, before: Timestamp, limit: i64) -> Result<u64, Error> {
        const SQL: &str = "delete from idempotency where (environment, key) in \
             (select environment, key from idempotency where created_at < $1 order by created_at limit $2)";
        self.write(move |tx| {
            Box::pin(async move { tx.execute(SQL, &[before.micros().into(), limit.into()]).await })
        })
        .await
    }
}
