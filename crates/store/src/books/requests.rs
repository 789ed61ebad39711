//! What was answered to requests is kept for a while, beside all changes.

use super::Store;
use crate::Error;
use async_recursion::async_recursion as boxed;
use billing::timestamp::Timestamp;

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
