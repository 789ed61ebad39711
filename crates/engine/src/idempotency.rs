//! Which requests have had their effect, and what was answered to them.

use crate::Engine;
use billing::{Changes, Idempotency, Request, Timestamp};
use store::idempotency::{self, Answered};

/// How long a request's key stands for it: a week, in days.
const KEY_DAYS: i64 = 7;
/// How many keys are forgotten in one commit.
const FORGET_AT_ONCE: i64 = 10_000;

impl Engine {
    /// The effect of a request, if it has had it.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn answered(&self, request: &Request) -> Result<Option<Answered>, store::Error> {
        let (environment, key) = (request.environment, request.key.clone());
        self.store.read(move |s| Box::pin(async move { idempotency::find(s, environment, &key).await })).await
    }

    /// Notes that a request has had its effect, where that lies in more than one commit, each of which
    /// may be made again.
    ///
    /// # Errors
    /// If the store fails, or the request's key is kept already.
    pub async fn keep_request(&self, request: Request) -> Result<(), crate::Error> {
        let Request { environment, key, fingerprint, received_at } = request;
        let kept = Idempotency { environment, key, fingerprint, resource: 0, created_at: received_at };
        self.store.commit(Changes { idempotency: Some(kept), ..Changes::default() }).await?;
        Ok(())
    }

    /// Keeps what was answered to requests: environment, key, status, bytes.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn keep_answers(&self, answers: Vec<(i64, String, u16, Vec<u8>)>) -> Result<(), store::Error> {
        self.store.keep_answers(answers).await
    }

    /// Forgets the keys of requests that are a week old; says how many.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn forget_requests(&self, now: Timestamp) -> Result<u64, store::Error> {
        let before = now.plus_days(-KEY_DAYS).unwrap_or(Timestamp::EPOCH);
        self.store.forget_requests(before, FORGET_AT_ONCE).await
    }
}
