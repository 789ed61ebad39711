//! The frame of every use case that writes: load on one snapshot, decide, keep the request's key, commit,
//! and all of it again if others were faster.

use crate::at::At;
use crate::engine::{Engine, Fut};
use crate::error::Error;
use crate::latest::Latest;
use billing::changes::{Changes, Idempotency};
use billing::id::{Ctx, Id, Request};
use billing::timestamp::Timestamp;
use std::any::Any;
use std::sync::Arc;
use store::Snapshot;

/// How often a decision is made again when others were faster, before it is given up.
const ATTEMPTS_MAX: usize = 20;

/// What a decision is made on.
pub(crate) trait Basis: Latest + Send + 'static {
    /// An empty decision on it: the commit is a conflict if it has moved on since.
    fn changes(&self) -> Changes;
}

impl Basis for () {
    fn changes(&self) -> Changes {
        Changes::default()
    }
}

/// A value whose type only the use case knows.
type Erased = Box<dyn Any + Send>;

/// A basis as the frame sees it.
struct Loaded {
    state: Erased,
    changes: Changes,
    latest: Option<Timestamp>,
}

type Load = Arc<dyn for<'a> Fn(&'a mut Snapshot) -> Fut<'a, Loaded> + Send + Sync>;

/// Decides at an instant; returns the answer, and the raw id of what was made or changed.
type Decision<'d> =
    Box<dyn FnMut(Timestamp, Erased, &mut Changes) -> Result<(Erased, u128), Error> + Send + 'd>;

impl Engine {
    /// Decides on what `load` reads. `decision` returns the answer and the id of what it made or changed: by
    /// that, a repeated request finds its answer. Where there is nothing to write, nothing is committed.
    pub(crate) fn decide<'e, S, T, R>(
        &'e self,
        at: At,
        load: impl for<'a> FnOnce(&'a mut Snapshot) -> Fut<'a, S> + Clone + Send + Sync + 'static,
        mut decision: impl FnMut(&mut Ctx, S, &mut Changes) -> Result<(T, R), Error> + Send + 'e,
    ) -> Fut<'e, T>
    where
        S: Basis,
        T: Send + 'static,
        R: Id,
    {
        self.decide_if_needed(at, load, move |now, state, changes| {
            decision(&mut self.ctx(now), state, changes)
        })
    }

    /// As [`Engine::decide`], where it may turn out that there is nothing to do: the decision is told the time
    /// only, and takes ids when it comes to that.
    pub(crate) fn decide_if_needed<'e, S, T, R>(
        &'e self,
        at: At,
        load: impl for<'a> FnOnce(&'a mut Snapshot) -> Fut<'a, S> + Clone + Send + Sync + 'static,
        mut decision: impl FnMut(Timestamp, S, &mut Changes) -> Result<(T, R), Error> + Send + 'e,
    ) -> Fut<'e, T>
    where
        S: Basis,
        T: Send + 'static,
        R: Id,
    {
        let load: Load = Arc::new(move |s| {
            let loading = load.clone()(s);
            Box::pin(async move {
                let state = loading.await?;
                Ok(Loaded { changes: state.changes(), latest: state.latest(), state: Box::new(state) })
            })
        });
        let decision: Decision<'e> = Box::new(move |now, state, changes| {
            let (answer, id) = decision(now, unerased(state), changes)?;
            Ok((Box::new(answer), id.raw()))
        });
        let decided = self.attempts(at, load, decision);
        Box::pin(async move { decided.await.map(unerased) })
    }

    /// Makes attempts until one is not a conflict. Those who were beaten once stand in line, so that many
    /// writes about one customer are made one after another instead of against each other; each environment
    /// has a line of its own, so that a busy one holds up nobody else.
    fn attempts<'e>(&'e self, at: At, load: Load, mut decision: Decision<'e>) -> Fut<'e, Erased> {
        Box::pin(async move {
            match self.attempt(&at, &load, &mut decision).await {
                Err(error) if error.is_conflict() => {}
                outcome => return outcome,
            }
            let turn = self.retry_queue.of(at.environment);
            let _my_turn = turn.lock().await;
            for _ in 0..ATTEMPTS_MAX {
                match self.attempt(&at, &load, &mut decision).await {
                    Err(error) if error.is_conflict() => {}
                    outcome => return outcome,
                }
            }
            Err(Error::Busy)
        })
    }

    async fn attempt(&self, at: &At, load: &Load, decision: &mut Decision<'_>) -> Result<Erased, Error> {
        let load = Arc::clone(load);
        let Loaded { state, mut changes, latest } = self.read(move |s| load(s)).await?;
        let now = latest.map_or(at.now, |latest| latest.max(at.now));
        let (answer, resource) = decision(now, state, &mut changes)?;
        changes.idempotency = at.request.clone().map(|request| kept(request, resource));
        if !changes.rows.is_empty() || changes.idempotency.is_some() {
            self.store.commit(changes).await?;
        }
        Ok(answer)
    }
}

/// What makes a request that is repeated find the effect of the first.
fn kept(request: Request, resource: u128) -> Idempotency {
    let Request { environment, key, fingerprint, received_at } = request;
    Idempotency { environment, key, fingerprint, resource, created_at: received_at }
}

/// The value again, in the type that it had.
fn unerased<T: 'static>(value: Erased) -> T {
    match value.downcast() {
        Ok(value) => *value,
        Err(_) => unreachable!("a decision is made on what its own load has read"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use billing::id::{CustomerId, Ids};
    use std::cell::Cell;

    fn nothing(_: &mut Snapshot) -> Fut<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    /// A decision of an environment that is beaten the first time.
    fn beaten<'e>(engine: &'e Engine, environment: i64, times: &'e Times) -> Fut<'e, ()> {
        engine.decide(At::new(Timestamp::EPOCH, environment), nothing, move |_, (), _| match times.count() {
            1 => Err(store::Error::Conflict.into()),
            _ => Ok(((), CustomerId::from_raw(0))),
        })
    }

    /// How often something was tried.
    #[derive(Default)]
    struct Times(std::sync::Mutex<u32>);

    impl Times {
        fn count(&self) -> u32 {
            let mut times = self.0.lock().unwrap();
            *times += 1;
            *times
        }

        fn get(&self) -> u32 {
            *self.0.lock().unwrap()
        }
    }

    async fn engine() -> Engine {
        let store = testbed::Books::sqlite().open().await;
        Engine::new(store, Arc::new(gateway::Sandbox::default()), Ids::seeded(1))
    }

    #[tokio::test]
    async fn those_who_are_beaten_wait_for_their_own_environment_only() {
        let engine = engine().await;
        let tries: [Times; 3] = Default::default();
        let turn = engine.retry_queue.of(1);
        let held = Cell::new(Some(turn.lock().await));
        let first = beaten(&engine, 1, &tries[0]);
        let second = beaten(&engine, 1, &tries[1]);
        let other = async {
            let done = beaten(&engine, 2, &tries[2]).await;
            // Somebody else of the first environment decides: these are beaten once and do not begin again.
            testbed::until("both were beaten", async || (tries[0].get(), tries[1].get()) == (1, 1)).await;
            assert_eq!(tries[2].get(), 2);
            drop(held.take());
            done
        };
        let all = async { tokio::join!(biased; first, second, other) };
        let all = tokio::time::timeout(std::time::Duration::from_secs(60), all).await;
        assert_eq!(all, Ok((Ok(()), Ok(()), Ok(()))), "none waits for another's books");
        assert_eq!((tries[0].get(), tries[1].get()), (2, 2));
    }
}
