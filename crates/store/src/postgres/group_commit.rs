//! Commits that go together.
//!
//! Commits of one environment take numbers from the same tallies, and the row of a tally is kept from
//! others until the commit stands: one that waits for the disk, or for a standby, keeps all others
//! waiting. So those that come while one is under way become one transaction after it, and wait for
//! the disk once. Each is answered by itself, after the commit that holds it.

use super::write::Writing;
use crate::{Committed, Error, commit};
use billing::changes::Changes;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, error::SendError, unbounded_channel};
use tokio::sync::oneshot;

/// How many go together at most, so that none waits for too many others.
const GROUP_MAX: usize = 64;

/// The commits that wait, by environment. Somebody works off each line that takes more.
#[derive(Default)]
pub(super) struct GroupCommit(Mutex<HashMap<i64, UnboundedSender<Waiting>>>);

struct Waiting {
    changes: Arc<Changes>,
    caller: oneshot::Sender<Result<Committed, Error>>,
}

impl GroupCommit {
    /// Writes the changes of an environment, alone or with others.
    pub(super) async fn commit(
        &self,
        writing: &Arc<Writing>,
        environment: i64,
        changes: Arc<Changes>,
    ) -> Result<Committed, Error> {
        let (caller, answered) = oneshot::channel();
        if let Some(line) = self.join(environment, Waiting { changes, caller }) {
            // A task of its own: others wait for it, and a caller may stop waiting.
            tokio::spawn(work_off(writing.clone(), line));
        }
        answered.await.unwrap_or(Err(Error::Closed))
    }

    /// Joins the line of an environment; answers it if it is a new one that nobody works off yet.
    fn join(&self, environment: i64, waiting: Waiting) -> Option<UnboundedReceiver<Waiting>> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = match lines.get(&environment) {
            Some(line) => match line.send(waiting) {
                Ok(()) => return None,
                Err(SendError(waiting)) => waiting,
            },
            None => waiting,
        };
        let (line, work) = unbounded_channel();
        line.send(waiting).ok()?;
        lines.insert(environment, line);
        Some(work)
    }
}

/// Commits what waits in a line until nothing does.
async fn work_off(writing: Arc<Writing>, mut line: UnboundedReceiver<Waiting>) {
    let mut group = Vec::new();
    loop {
        if line.is_empty() {
            line.close();
        }
        if line.recv_many(&mut group, GROUP_MAX).await == 0 {
            return;
        }
        // Nobody is told of what was given up before its turn, so it is not done.
        group.retain(|waiting| !waiting.caller.is_closed());
        commit_all(&writing, std::mem::take(&mut group)).await;
    }
}

/// Commits a group and answers everybody in it.
async fn commit_all(writing: &Arc<Writing>, group: Vec<Waiting>) {
    let all: Vec<Arc<Changes>> = group.iter().map(|waiting| waiting.changes.clone()).collect();
    if all.is_empty() {
        return;
    }
    let written = writing.run(move |tx| {
        let all = all.clone();
        Box::pin(async move { commit::apply_each(tx, &all).await })
    });
    let written: Result<Vec<_>, Error> = written.await;
    match written {
        Ok(outcomes) => {
            for (waiting, outcome) in group.into_iter().zip(outcomes) {
                answer(waiting.caller, outcome);
            }
        }
        Err(error) if group.len() > 1 && may_be_of_one(&error) => {
            tracing::debug!(%error, "commits that went together are done one by one");
            for Waiting { changes, caller } in group {
                answer(caller, writing.run(move |tx| commit::alone(tx, &changes)).await);
            }
        }
        Err(error) => {
            for waiting in group {
                answer(waiting.caller, Err(error.clone()));
            }
        }
    }
}

/// Whether what one of several wanted may be why none of them was done.
fn may_be_of_one(error: &Error) -> bool {
    use Error::{Conflict, Corrupt, Database, ForeignKey, KeyTaken, Misuse, Panicked, Rule};
    matches!(
        error,
        Conflict | KeyTaken | ForeignKey | Rule(_) | Corrupt(_) | Misuse(_) | Database(_) | Panicked
    )
}

/// A caller who stopped waiting is no reason to fail.
fn answer(caller: oneshot::Sender<Result<Committed, Error>>, outcome: Result<Committed, Error>) {
    let _ = caller.send(outcome);
}
