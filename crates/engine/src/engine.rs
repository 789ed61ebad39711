//! What the use cases work with: a store, a gateway, a maker of ids, and the turns of environments.

use crate::error::Error;
use billing::id::{Ctx, Ids};
use billing::timestamp::Timestamp;
use gateway::Gateway;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use store::{BoxFuture, Snapshot, Store};

/// What a use case comes to. It is boxed where it is made, so that it is compiled with this crate and not
/// again in each that calls it.
pub type Fut<'a, T, E = Error> = BoxFuture<'a, Result<T, E>>;

/// The turn of an environment: held by one at a time.
type Turn = Arc<tokio::sync::Mutex<()>>;

/// The turns of all environments.
#[derive(Clone, Default)]
pub(crate) struct Turns(Arc<Mutex<BTreeMap<i64, Turn>>>);

impl Turns {
    pub(crate) fn of(&self, environment: i64) -> Turn {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(environment).or_default())
    }
}

/// The use cases over one store and one gateway. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) store: Store,
    pub(crate) gateway: Arc<dyn Gateway>,
    ids: Arc<Mutex<Ids>>,
    /// One run of what is due at a time in this process, environment by environment.
    pub(crate) running: Turns,
    /// How many shards are worked on at a time.
    pub(crate) shards_at_once: usize,
    /// One decision that is made again at a time, environment by environment.
    pub(crate) retry_queue: Turns,
}

impl Engine {
    /// An engine that makes its ids from the given maker.
    pub fn new(store: Store, gateway: Arc<dyn Gateway>, ids: Ids) -> Self {
        Self {
            store,
            gateway,
            ids: Arc::new(Mutex::new(ids)),
            running: Turns::default(),
            retry_queue: Turns::default(),
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

    /// Reads on one snapshot.
    pub(crate) fn read<T, F>(&self, read: F) -> Fut<'_, T>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a mut Snapshot) -> Fut<'a, T> + Clone + Send + 'static,
    {
        Box::pin(self.store.read(read))
    }
}
