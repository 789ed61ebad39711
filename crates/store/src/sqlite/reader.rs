//! A thread that reads: one job, one snapshot.

use super::session::Session;
use super::threads::Shared;
use crate::snapshot::Snapshot;

pub(super) fn run(session: Session, shared: &Shared) {
    let mut snapshot = Snapshot::from(session);
    while let Some(mut job) = shared.reads.pop() {
        if job.abandoned() {
            continue;
        }
        let failed = match snapshot.sqlite().run("begin") {
            Ok(()) => {
                job.run(&mut snapshot);
                snapshot.sqlite().run("rollback").err()
            }
            Err(error) => Some(error),
        };
        if let Some(error) = &failed {
            tracing::error!(%error, "a snapshot failed");
        }
        job.answer(failed.as_ref());
    }
}
