//! A closure that waits for its turn on a thread, with the caller who waits for it.

use crate::Error;
use crate::erased::{BoxFuture, Work};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};
use tokio::sync::oneshot;

pub(super) struct Job<S> {
    work: Work<S>,
    /// Whether it came out well; a failure of ours if it did not run as it must.
    outcome: Option<Result<bool, Error>>,
    caller: oneshot::Sender<Result<(), Error>>,
}

impl<S> Job<S> {
    pub(super) fn new(work: Work<S>, caller: oneshot::Sender<Result<(), Error>>) -> Self {
        Job { work, outcome: None, caller }
    }

    /// Runs the closure and keeps its outcome; false if it must be undone.
    pub(super) fn run(&mut self, on: &mut S) -> bool {
        *self.outcome.insert(complete(|| (self.work)(on))) == Ok(true)
    }

    /// Tells the caller that it is done, or that it `failed`. A caller who stopped waiting is no reason to
    /// fail.
    pub(super) fn answer(self, failed: Option<&Error>) {
        let ended = match (self.outcome, failed) {
            (Some(Err(error)), _) => Err(error),
            (_, Some(failed)) => Err(failed.clone()),
            (Some(Ok(_)), None) => Ok(()),
            (None, None) => Err(Error::Closed),
        };
        let _ = self.caller.send(ended);
    }

    /// Whether nobody waits for the answer any more.
    pub(super) fn abandoned(&self) -> bool {
        self.caller.is_closed()
    }
}

/// Every statement completes inside of `poll`, so one poll runs the whole future.
fn complete<'a>(start: impl FnOnce() -> BoxFuture<'a, bool>) -> Result<bool, Error> {
    let polled =
        catch_unwind(AssertUnwindSafe(|| start().as_mut().poll(&mut Context::from_waker(Waker::noop()))));
    match polled {
        Ok(Poll::Ready(outcome)) => Ok(outcome),
        Ok(Poll::Pending) => Err(Error::Misuse("waited for something else inside a transaction".to_owned())),
        Err(_) => Err(Error::Panicked),
    }
}
