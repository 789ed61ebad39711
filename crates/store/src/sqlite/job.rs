//! A closure that waits for its turn on a thread, with the caller who waits for its answer.

use crate::Error;
use crate::snapshot::{BoxFuture, Snapshot, Tx};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};
use tokio::sync::oneshot;

pub(super) trait Job<S>: Send {
    /// Runs the closure and keeps its outcome; false if it must be undone.
    fn run(&mut self, on: &mut S) -> bool;

    /// Tells the caller: what the closure returned, or `failed` if that came to nothing.
    fn answer(self: Box<Self>, failed: Option<&Error>);

    /// Whether nobody waits for the answer any more.
    fn abandoned(&self) -> bool;
}

pub(super) struct ReadJob<F, T, E> {
    f: Option<F>,
    outcome: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
}

pub(super) struct WriteJob<F, T, E> {
    f: F,
    outcome: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> ReadJob<F, T, E> {
    pub(super) fn new(f: F, answer: oneshot::Sender<Result<T, E>>) -> Self {
        ReadJob { f: Some(f), outcome: None, answer }
    }
}

impl<F, T, E> WriteJob<F, T, E> {
    pub(super) fn new(f: F, answer: oneshot::Sender<Result<T, E>>) -> Self {
        WriteJob { f, outcome: None, answer }
    }
}

impl<F, T, E> Job<Snapshot> for ReadJob<F, T, E>
where
    T: Send,
    E: From<Error> + Send,
    F: for<'a> FnOnce(&'a mut Snapshot) -> BoxFuture<'a, Result<T, E>> + Send,
{
    fn run(&mut self, snapshot: &mut Snapshot) -> bool {
        let Some(f) = self.f.take() else { return false };
        self.outcome.insert(complete(|| f(snapshot))).is_ok()
    }

    fn answer(self: Box<Self>, failed: Option<&Error>) {
        answer(self.answer, self.outcome, failed);
    }

    fn abandoned(&self) -> bool {
        self.answer.is_closed()
    }
}

impl<F, T, E> Job<Tx> for WriteJob<F, T, E>
where
    T: Send,
    E: From<Error> + Send,
    F: for<'a> FnMut(&'a mut Tx) -> BoxFuture<'a, Result<T, E>> + Send,
{
    fn run(&mut self, tx: &mut Tx) -> bool {
        self.outcome.insert(complete(|| (self.f)(tx))).is_ok()
    }

    fn answer(self: Box<Self>, failed: Option<&Error>) {
        answer(self.answer, self.outcome, failed);
    }

    fn abandoned(&self) -> bool {
        self.answer.is_closed()
    }
}

/// A caller who stopped waiting is no reason to fail. The closure's own error says more than that of
/// the commit, which could not have kept anything of it.
fn answer<T, E: From<Error>>(
    caller: oneshot::Sender<Result<T, E>>,
    outcome: Option<Result<T, E>>,
    failed: Option<&Error>,
) {
    let told = match (outcome, failed) {
        (Some(Err(error)), _) => Err(error),
        (_, Some(failed)) => Err(failed.clone().into()),
        (Some(Ok(value)), None) => Ok(value),
        (None, None) => Err(Error::Closed.into()),
    };
    let _ = caller.send(told);
}

/// Every statement completes inside of `poll`, so one poll runs the whole future.
fn complete<'a, T, E: From<Error>>(start: impl FnOnce() -> BoxFuture<'a, Result<T, E>>) -> Result<T, E> {
    let polled =
        catch_unwind(AssertUnwindSafe(|| start().as_mut().poll(&mut Context::from_waker(Waker::noop()))));
    match polled {
        Ok(Poll::Ready(outcome)) => outcome,
        Ok(Poll::Pending) => {
            Err(Error::Misuse("waited for something else inside a transaction".to_owned()).into())
        }
        Err(_) => Err(Error::Panicked.into()),
    }
}
