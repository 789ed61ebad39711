//! A transaction that is run until it stands or cannot.

use super::failure::{Failure, Remedy};
use super::pool::{Connection, Pool};
use super::session::{RAISE, Session};
use super::tries::Tries;
use super::unpanicked::unpanicked;
use super::versions::Lookups;
use crate::erased::{BoxFuture, Work, erased};
use crate::faults::{FaultPoint, Faults};
use crate::snapshot::{Snapshot, Tx};
use crate::versions::Scope;
use crate::{Error, Param, Row};
use std::sync::Arc;

/// Commits that change the same scope raise one of so many counters each.
const SLOTS: u128 = 32;

/// Fails if the commit was given up meanwhile: the column takes no null.
const NOTE_COMMIT: &str = "insert into connections (id, last_commit) values ($1, $2)
     on conflict (id) do update set last_commit =
       case when connections.last_commit < excluded.last_commit then excluded.last_commit end";

/// Waits for a commit that may still be under way if it has come as far as its note, and gives it up if it
/// has not: then it cannot come later. Commits of a connection have even numbers; one that was given up
/// leaves the odd one after it.
const LAST_COMMIT: &str = "insert into connections (id, last_commit) values ($1, $2 + 1)
     on conflict (id) do update set last_commit =
       case when connections.last_commit < $2 then $2 + 1 else connections.last_commit end
     returning last_commit";

/// What transactions are written with.
pub(super) struct Writing {
    pub(super) pool: Arc<Pool>,
    pub(super) lookups: Lookups,
    pub(super) faults: Option<Arc<dyn Faults>>,
}

impl Writing {
    /// Runs `f` in a transaction until it stands or cannot.
    pub(super) async fn run<T, F>(self: &Arc<Self>, f: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'a> FnMut(&'a mut Tx) -> BoxFuture<'a, Result<T, Error>> + Send + 'static,
    {
        let (work, answer) = erased(f);
        answer.of(self.write(work).await)
    }

    /// Runs work in a transaction until it stands or cannot.
    pub(super) async fn write(self: &Arc<Self>, work: Work<Tx>) -> Result<(), Error> {
        let writing = self.clone();
        // A task of its own: a caller who stops waiting must not leave a commit half said.
        let written = tokio::spawn(async move { write(&writing, work).await }).await;
        written.unwrap_or(Err(Error::Panicked))
    }
}

/// What came of one run.
enum Run {
    Done(Result<(), Error>),
    Again(Failure),
    /// The connection was lost at the commit: whether it stands is to be looked up.
    Unknown((u128, i64)),
}

async fn write(writing: &Writing, mut work: Work<Tx>) -> Result<(), Error> {
    let mut tries = Tries::new();
    loop {
        let failure = match run(writing, &tries, &mut work).await {
            Run::Done(outcome) => return outcome,
            Run::Again(failure) => failure,
            Run::Unknown(commit) => {
                tracing::warn!("the connection was lost at a commit: looking whether it stands");
                match stands(writing, &mut tries, commit).await {
                    Ok(true) => {
                        writing.lookups.forget_credentials();
                        return Ok(());
                    }
                    Ok(false) => Failure::lost("the connection was lost at a commit"),
                    Err(error) => return Err(error),
                }
            }
        };
        if failure.remedy == Remedy::Reconnect {
            tracing::warn!(error = %failure.error, "a transaction lost its connection and is run again");
            writing.pool.forget_idle();
        }
        if !tries.again().await {
            return Err(failure.error);
        }
    }
}

async fn run(writing: &Writing, tries: &Tries, work: &mut Work<Tx>) -> Run {
    let connection = match writing.pool.take(tries.left()).await {
        Ok(connection) => connection,
        Err(failure) => return failed(failure),
    };
    let mut tx = Tx::new(Snapshot::from(Session::writing(writing.pool.clone(), connection)));
    let Some(is_good) = unpanicked(|| work(&mut tx)).await else {
        return Run::Done(Err(Error::Panicked));
    };
    let (snapshot, touched) = tx.into_parts();
    let is_of_credentials = touched.contains(&Scope::Credentials);
    let mut session = snapshot.session.into_postgres();
    if !is_good {
        // Why, is known to whoever gave the work.
        let failure = session.failure.clone().filter(Failure::passes);
        session.roll_back().await;
        return failure.map_or(Run::Done(Ok(())), Run::Again);
    }
    if !session.began() {
        session.give_back();
        return Run::Done(Ok(()));
    }
    if crashes(writing, FaultPoint::BeforeCommit) {
        session.roll_back().await;
        return Run::Done(Err(Error::Crashed));
    }
    let commit = match note(&mut session, touched).await {
        Ok(commit) => commit,
        Err(failure) => return undone(session, failure).await,
    };
    let committed = session.commit().await;
    if is_of_credentials {
        writing.lookups.forget_credentials();
    }
    match committed {
        Ok(()) => {
            session.give_back();
            if crashes(writing, FaultPoint::AfterCommit) {
                return Run::Done(Err(Error::Crashed));
            }
            Run::Done(Ok(()))
        }
        Err(failure) if failure.remedy == Remedy::Reconnect => Run::Unknown(commit),
        Err(failure) => undone(session, failure).await,
    }
}

async fn undone(session: Session, failure: Failure) -> Run {
    session.roll_back().await;
    failed(failure)
}

fn failed(failure: Failure) -> Run {
    if failure.passes() { Run::Again(failure) } else { Run::Done(Err(failure.error)) }
}

fn crashes(writing: &Writing, point: FaultPoint) -> bool {
    writing.faults.as_ref().is_some_and(|faults| faults.at(point))
}

/// Raises the versions of what was touched, and leaves the mark by which the commit can be known.
///
/// These rows are written last, so that others wait for them no longer than the commit takes.
async fn note(session: &mut Session, mut touched: Vec<Scope>) -> Result<(u128, i64), Failure> {
    let (id, number) = session.next_commit()?;
    touched.sort_unstable();
    touched.dedup();
    let slot = i64::try_from(id % SLOTS).unwrap_or(0);
    for (scope, environment) in touched.iter().filter_map(super::versions::counter) {
        session.send_one(RAISE, [scope.into(), environment.into(), slot.into()]).await?;
    }
    session.send_one(NOTE_COMMIT, [Param::Id(id), number.into()]).await?;
    Ok((id, number))
}

/// Whether a commit stands.
async fn stands(writing: &Writing, tries: &mut Tries, (id, number): (u128, i64)) -> Result<bool, Error> {
    loop {
        let asked = async {
            let connection: Connection = writing.pool.take(tries.left()).await?;
            let mut session = Session::writing(writing.pool.clone(), connection);
            let mut found = None;
            let mut see = |_, row: &Row<'_>| {
                found = Some(row.int(0)?);
                Ok(())
            };
            let asked = session.first(LAST_COMMIT, &[Param::Id(id), number.into()], &mut see).await;
            let last = asked.map(|()| found);
            let failure = session.failure.clone();
            match (last, failure) {
                (Ok(last), _) => {
                    session.commit().await?;
                    session.give_back();
                    Ok(last == Some(number))
                }
                (Err(error), failure) => Err(failure.unwrap_or_else(|| Failure::lasting(error))),
            }
        };
        match asked.await {
            Ok(stands) => return Ok(stands),
            Err(failure) if failure.passes() => {
                writing.pool.forget_idle();
                if !tries.again().await {
                    return Err(failure.error);
                }
            }
            Err(failure) => return Err(failure.error),
        }
    }
}
