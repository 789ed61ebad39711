//! Which requests have had their effect, and what was answered to them.

use crate::engine::{Engine, Fut};
use billing::changes::{Changes, Idempotency};
use billing::id::Request;
use billing::timestamp::Timestamp;
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
    pub fn answered(&self, request: &Request) -> Fut<'_, Option<Answered>, store::Error> {
        let (environment, key) = (request.environment, request.key.clone());
        let found =
            self.store.read(move |s| Box::pin(async move { idempotency::find(s, environment, &key).await }));
        Box::pin(found)
    }

    /// Notes that a request has had its effect, where that lies in more than one commit, each of which
    /// may be made again.
    ///
    /// # Errors
    /// If the store fails, or the request's key is kept already.
    pub(crate) fn keep_request(&self, request: Request) -> Fut<'_, ()> {
        let Request { environment, key, fingerprint, received_at } = request;
        let kept = Idempotency { environment, key, fingerprint, resource: 0, created_at: received_at };
        let changes = Changes { idempotency: Some(kept), ..Changes::default() };
        Box::pin(async move {
            self.store.commit(changes).await?;
            Ok(())
        })
    }

    /// Keeps what was answered to requests: environment, key, status, bytes.
    ///
    /// # Errors
    /// If the store fails.
    pub fn keep_answers(&self, answers: Vec<(i64, String, u16, Vec<u8>)>) -> Fut<'_, (), store::Error> {
        Box::pin(self.store.keep_answers(answers))
    }

    /// Forgets the keys of requests that are a week old; says how many.
    ///
    /// # Errors
    /// If the store fails.
    pub fn forget_requests(&self, now: Timestamp) -> Fut<'_, u64, store::Error> {
        let before = now.plus_days(-KEY_DAYS).unwrap_or(Timestamp::EPOCH);
        Box::pin(self.store.forget_requests(before, FORGET_AT_ONCE))
    }
}
