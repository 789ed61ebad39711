//! How long work looks for a database that answers.

use std::time::Duration;
use tokio::time::Instant;

/// How long work looks for a database that answers, through a failover for instance.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// How long it waits before it tries again, at first and at most.
pub(super) const BACKOFF_MIN: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(1);

/// How often and until when something is tried again. Patience is counted from the first failure: what
/// takes long and fails late has as much of it as anything else.
#[derive(Debug)]
pub(super) struct Tries {
    until: Option<Instant>,
    pause: Duration,
}

impl Tries {
    pub(super) fn new() -> Tries {
        Tries { until: None, pause: BACKOFF_MIN }
    }

    /// The patience that is left.
    pub(super) fn left(&self) -> Duration {
        self.until.map_or(PATIENCE, |until| until.saturating_duration_since(Instant::now()))
    }

    /// Pauses after a failure; false if there was patience enough.
    pub(super) async fn again(&mut self) -> bool {
        self.until.get_or_insert_with(|| Instant::now() + PATIENCE);
        if self.left() < self.pause {
            return false;
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(BACKOFF_MAX);
        true
    }
}
