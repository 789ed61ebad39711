//! A thread that reads: one job, one snapshot.

use super::{Session, Shared};
use crate::Error;
use crate::snapshot::{self, Snapshot};

pub(super) fn run(session: Session, shared: &Shared) {
    let mut snapshot = Snapshot::from(session);
    while let Some(mut job) = shared.reads.pop() {
        if job.abandoned() {
            continue;
        }
        let failed = match statement(&mut snapshot, "begin") {
            Ok(()) => {
                job.run(&mut snapshot);
                statement(&mut snapshot, "rollback").err()
            }
            Err(error) => Some(error),
        };
        if let Some(error) = &failed {
            tracing::error!(%error, "a snapshot failed");
        }
        job.answer(failed.as_ref());
    }
}

fn statement(snapshot: &mut Snapshot, sql: &'static str) -> Result<(), Error> {
    match &mut snapshot.session {
        snapshot::Session::Sqlite(session) => session.run(sql),
    }
}
