//! What is due in a shard, and how much of it is done at a time.

use billing::timestamp::Timestamp;
use std::sync::Arc;

/// How many subscriptions or invoices are decided and committed together.
pub(crate) const BATCH: i64 = 500;

/// After how many seconds of silence the gateway is asked again.
pub(crate) const PATIENCE_SECONDS: i64 = 60;

/// Whether a shard is still this process's to bill.
pub type Holds = Arc<dyn Fn(i64) -> bool + Send + Sync>;

/// What is due in a shard of an environment by an instant, for as long as the shard is held.
#[derive(Clone)]
pub(crate) struct Work {
    pub(crate) environment: i64,
    pub(crate) shard: i64,
    pub(crate) now: Timestamp,
    pub(crate) holds: Holds,
}

impl Work {
    /// Whether to go on. Asked before each piece: a process that stood still meanwhile may have lost its
    /// shards to others, and would do again what they do.
    pub(crate) fn is_held(&self) -> bool {
        (self.holds)(self.shard)
    }
}
