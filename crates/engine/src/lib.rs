//! The use cases: load on a snapshot, decide in pure code, commit.
//!
//! Only this crate opens a transaction or asks a gateway. Time and ids are given to it.

pub mod audit;
mod billing_view;
mod catalog;
mod charging;
mod clock;
mod credentials;
mod customers;
mod discounts;
mod due;
mod error;
mod idempotency;
mod invoices;
mod lists;
mod payment_methods;
mod payments;
mod refunds;
mod setup;
mod staff;
mod stepping;
mod subscriptions;
mod tax_rates;
pub mod views;

pub use due::{Done, Holds};
pub use error::Error;
pub use invoices::NewLine;
pub use lists::{FullPayment, Of};
pub use payments::PaidBy;
pub use setup::NewBooks;
pub use subscriptions::{Adjust, Subscribe, SubscribeItem};

use billing::{Ctx, CustomerAccount, CustomerId, Ids, Rules, Timestamp};
use gateway::Gateway;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use store::{Snapshot, Store};

/// How often a decision is made again when others were faster, before it is given up.
const ATTEMPTS_MAX: usize = 20;

/// The turn of an environment: held by one at a time.
type Turn = Arc<tokio::sync::Mutex<()>>;

/// The turns of all environments.
#[derive(Clone, Default)]
struct Turns(Arc<Mutex<BTreeMap<i64, Turn>>>);

impl Turns {
    fn of(&self, environment: i64) -> Turn {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(environment).or_default())
    }
}

/// The use cases over one store and one gateway. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    store: Store,
    gateway: Arc<dyn Gateway>,
    ids: Arc<Mutex<Ids>>,
    /// One run of what is due at a time in this process, environment by environment.
    running: Turns,
    /// How many shards are worked on at a time.
    shards_at_once: usize,
    /// One decision that is made again at a time, environment by environment.
    beaten: Turns,
}

impl Engine {
    /// An engine that makes its ids from the given maker.
    pub fn new(store: Store, gateway: Arc<dyn Gateway>, ids: Ids) -> Self {
        Self {
            store,
            gateway,
            ids: Arc::new(Mutex::new(ids)),
            running: Turns::default(),
            beaten: Turns::default(),
            shards_at_once: 1,
        }
    }

    /// The same engine, which works on several shards at a time: while the commit of one is written,
    /// another is decided on. Which of them gets which ids and numbers then depends on timing, so what must
    /// come out the same again works on one after another, as engines do unless they are told.
    #[must_use]
    pub fn several_shards_at_once(self) -> Self {
        Self { shards_at_once: 4, ..self }
    }

    /// The books.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The gateway.
    pub fn gateway(&self) -> &dyn Gateway {
        self.gateway.as_ref()
    }

    /// Time and ids for a decision of this engine.
    pub fn ctx(&self, now: Timestamp) -> Ctx {
        let ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner).split();
        Ctx { placement: self.store.spreading(), ..Ctx::new(now, ids) }
    }
}

impl Engine {
    /// Makes a decision, again while others were faster. Those who were beaten once stand in line, so
    /// that many writes about one customer are made one after another instead of against each other; each
    /// environment has a line of its own, so that a busy one holds up nobody else.
    pub(crate) async fn deciding<T, F>(
        &self,
        environment: i64,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        match attempt().await {
            Err(error) if error.is_conflict() => {}
            outcome => return outcome,
        }
        let turn = self.beaten.of(environment);
        let _my_turn = turn.lock().await;
        for _ in 0..ATTEMPTS_MAX {
            match attempt().await {
                Err(error) if error.is_conflict() => {}
                outcome => return outcome,
            }
        }
        Err(Error::Busy)
    }
}

/// The rules of an environment and one of its customers, with what is needed to charge it.
pub(crate) async fn load(
    s: &mut Snapshot,
    environment: i64,
    customer: CustomerId,
) -> Result<(Rules, CustomerAccount), Error> {
    let rules = rules(s, environment).await?;
    let payer = store::payers::load_one(s, environment, customer)
        .await?
        .ok_or_else(|| Error::not_found("customer", ""))?;
    Ok((rules, payer))
}

/// The rules of an environment.
pub(crate) async fn rules(s: &mut Snapshot, environment: i64) -> Result<Rules, Error> {
    store::payers::rules(s, environment).await?.ok_or_else(|| Error::not_found("environment", environment))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::cell::Cell;
    use tokio::sync::Semaphore;

    /// Is beaten the first time, and then waits for a permit.
    async fn beaten(times: &Cell<u32>, permits: &Semaphore) -> Result<(), Error> {
        times.set(times.get() + 1);
        match times.get() {
            1 => Err(store::Error::Conflict.into()),
            _ => {
                permits.acquire().await.unwrap().forget();
                Ok(())
            }
        }
    }

    #[tokio::test]
    async fn those_who_are_beaten_wait_for_their_own_environment_only() {
        let store = testbed::Books::sqlite().open().await;
        let engine = Engine::new(store, Arc::new(gateway::Sandbox::default()), Ids::seeded(1));
        let (held, free) = (Semaphore::new(0), Semaphore::new(1));
        let tries: [Cell<u32>; 3] = Default::default();
        let first = engine.deciding(1, || beaten(&tries[0], &held));
        let second = engine.deciding(1, || beaten(&tries[1], &held));
        let other = async {
            let done = engine.deciding(2, || beaten(&tries[2], &free)).await;
            // The first still decides, and the second has not begun again.
            assert_eq!((tries[0].get(), tries[1].get(), tries[2].get()), (2, 1, 2));
            held.add_permits(2);
            done
        };
        let all = async { tokio::join!(biased; first, second, other) };
        let all = tokio::time::timeout(std::time::Duration::from_secs(60), all).await;
        assert_eq!(all, Ok((Ok(()), Ok(()), Ok(()))), "none waits for another's books");
    }
}
