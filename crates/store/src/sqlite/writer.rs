//! The thread that writes. Jobs that wait share one transaction, and so one wait for the disk; each
//! has its own savepoint, and is answered after the commit that holds it.

use super::job::Job;
use super::queue::Taken;
use super::session::Session;
use super::threads::Shared;
use crate::faults::{FaultPoint, Faults};
use crate::snapshot::{Snapshot, Tx};
use crate::{Error, Scope};
use std::sync::Arc;
use std::time::Duration;

/// How many jobs share a commit at most, so that none waits for too many others.
const BATCH_JOBS_MAX: usize = 128;

/// How often an idle writer looks whether another process wrote to the file.
const IDLE: Duration = Duration::from_millis(100);

type Writing = Job<Tx>;

pub(super) fn run(session: Session, shared: &Shared, faults: Option<Arc<dyn Faults>>) {
    let mut writer = Writer { tx: Tx::new(Snapshot::from(session)), shared, faults, data_version: None };
    let mut jobs = Vec::new();
    writer.notice_others();
    loop {
        match shared.writes.take(&mut jobs, BATCH_JOBS_MAX, IDLE) {
            Taken::Jobs => writer.commit(&mut jobs),
            Taken::Nothing => writer.notice_others(),
            Taken::Closed => break,
        }
    }
    if let Err(error) = writer.session().checkpoint() {
        tracing::warn!(%error, "the log stays beside the file");
    }
}

struct Writer<'s> {
    tx: Tx,
    shared: &'s Shared,
    faults: Option<Arc<dyn Faults>>,
    /// What `pragma data_version` said last.
    data_version: Option<i64>,
}

impl Writer<'_> {
    /// Runs all jobs in one transaction, commits, and answers them.
    fn commit(&mut self, jobs: &mut Vec<Writing>) {
        self.tx.touched.clear();
        let failed = self.run_and_commit(jobs).err();
        for job in jobs.drain(..) {
            job.answer(failed.as_ref());
        }
    }

    /// An error here is the error of every job that has none of its own.
    fn run_and_commit(&mut self, jobs: &mut [Writing]) -> Result<(), Error> {
        let done = self.run_all(jobs).and_then(|kept| if kept { self.finish() } else { Ok(()) });
        if self.session().in_transaction() {
            self.session().run("rollback")?;
        }
        done
    }

    /// Whether anything is left to commit.
    fn run_all(&mut self, jobs: &mut [Writing]) -> Result<bool, Error> {
        self.session().run("begin immediate")?;
        self.notice_others();
        let mut kept = false;
        for job in jobs {
            kept |= self.run_job(job, kept)?;
        }
        Ok(kept)
    }

    fn finish(&mut self) -> Result<(), Error> {
        if self.crashes(FaultPoint::BeforeCommit) {
            return Err(Error::Crashed);
        }
        if let Err(error) = self.session().run("commit") {
            tracing::error!(%error, "a commit failed");
            return Err(error);
        }
        for scope in self.tx.touched.drain(..) {
            self.shared.versions.raise(scope);
        }
        if self.crashes(FaultPoint::AfterCommit) { Err(Error::Crashed) } else { Ok(()) }
    }

    /// Runs one job; false if it failed and was undone. A job with nothing before it in the
    /// transaction needs no savepoint (which would copy every page that it changes).
    fn run_job(&mut self, job: &mut Writing, savepoint: bool) -> Result<bool, Error> {
        let touched = self.tx.touched.len();
        if savepoint {
            self.session().run("savepoint job")?;
        }
        let done = job.run(&mut self.tx);
        if !self.session().in_transaction() {
            return Err(Error::Database("the database undid the transaction".to_owned()));
        }
        if !done {
            self.tx.touched.truncate(touched);
        }
        match (done, savepoint) {
            (true, false) => {}
            (true, true) => self.session().run("release job")?,
            (false, true) => {
                self.session().run("rollback to job")?;
                self.session().run("release job")?;
            }
            (false, false) => {
                self.session().run("rollback")?;
                self.session().run("begin immediate")?;
            }
        }
        Ok(done)
    }

    /// Raises all versions if another process wrote to the file since the last look.
    fn notice_others(&mut self) {
        let seen = self.session().data_version().ok();
        if self.data_version.is_some() && seen != self.data_version {
            self.shared.versions.raise(Scope::Everything);
        }
        self.data_version = seen;
    }

    fn crashes(&self, point: FaultPoint) -> bool {
        self.faults.as_ref().is_some_and(|faults| faults.at(point))
    }

    fn session(&mut self) -> &mut Session {
        self.tx.sqlite()
    }
}
