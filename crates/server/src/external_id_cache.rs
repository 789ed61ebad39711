//! Which customer has which external id: a memory that may be wrong, for answers that are checked.
//!
//! Whoever renders an answer for a customer found here looks whether the customer still has the id. A
//! kept answer needs no look: the id cannot have gone to another customer without a commit that raised
//! the first one's version.

use billing::id::CustomerId;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{PoisonError, RwLock};

const SHARDS: usize = 16;
/// Beyond so many ids a shard is forgotten and filled again: a bound, not a policy.
const PER_SHARD: usize = 16_384;

type IdShard = HashMap<u64, (i64, String, CustomerId)>;

/// The memory of external ids.
#[derive(Default)]
pub struct ExternalIdCache {
    hasher: RandomState,
    shards: [RwLock<IdShard>; SHARDS],
}

impl ExternalIdCache {
    /// The customer that had an external id when it was last asked for.
    pub fn get(&self, environment: i64, external_id: &str) -> Option<CustomerId> {
        let key = self.hasher.hash_one((environment, external_id));
        let shard = self.shard(key).read().unwrap_or_else(PoisonError::into_inner);
        let (of, name, id) = shard.get(&key)?;
        (*of == environment && name == external_id).then_some(*id)
    }

    /// Keeps what the books said.
    pub fn keep(&self, environment: i64, external_id: &str, id: CustomerId) {
        let key = self.hasher.hash_one((environment, external_id));
        let mut shard = self.shard(key).write().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= PER_SHARD {
            shard.clear();
        }
        shard.insert(key, (environment, external_id.to_owned(), id));
    }

    /// Forgets what is no longer so.
    pub fn forget(&self, environment: i64, external_id: &str) {
        let key = self.hasher.hash_one((environment, external_id));
        self.shard(key).write().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }

    fn shard(&self, key: u64) -> &RwLock<IdShard> {
        &self.shards[(key >> 60) as usize % SHARDS]
    }
}
