//! What the threads of a database share.

use super::job::Job;
use super::queue::Queue;
use crate::snapshot::{Snapshot, Tx};
use crate::versions::Versions;
use billing::sharding::ShardKey;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// What the threads of a database and its clones share.
pub(super) struct Shared {
    pub(super) reads: Queue<Job<Snapshot>>,
    pub(super) writes: Queue<Job<Tx>>,
    pub(super) versions: Versions,
    pub(super) shards: i64,
    pub(super) spread_by: ShardKey,
    pub(super) threads: Mutex<Threads>,
}

/// The threads that read and the one that writes.
#[derive(Default)]
pub(super) struct Threads {
    pub(super) readers: Vec<JoinHandle<()>>,
    pub(super) writer: Option<JoinHandle<()>>,
}

impl Shared {
    /// Ends the threads after what is queued. The writer is told to end only when all readers have:
    /// the connection that closes last moves the log into the file, and a reader's may not.
    pub(super) fn close(&self) {
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        self.reads.close();
        threads.readers.into_iter().for_each(join);
        self.writes.close();
        threads.writer.into_iter().for_each(join);
    }
}

/// Waits for a thread. A job may own the last clone; its thread cannot wait for itself.
fn join(thread: JoinHandle<()>) {
    if thread.thread().id() != thread::current().id() && thread.join().is_err() {
        tracing::error!("a store thread panicked");
    }
}
