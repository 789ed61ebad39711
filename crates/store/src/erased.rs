//! Closures whose answers have any type, as closures of one type, so that what runs them is compiled once.

use crate::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

/// The future that a closure given to the store returns.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What is run on a snapshot or a transaction, possibly more than once; says whether it came out well.
pub(crate) type Work<S> = Box<dyn for<'a> FnMut(&'a mut S) -> BoxFuture<'a, bool> + Send>;

/// Where the answer of the last run lies.
pub(crate) struct Answer<T, E>(Arc<Mutex<Option<Result<T, E>>>>);

/// Sets the answer of a closure apart from its running.
pub(crate) fn erased<S, T, E, F>(mut f: F) -> (Work<S>, Answer<T, E>)
where
    S: 'static,
    T: Send + 'static,
    E: Send + 'static,
    F: for<'a> FnMut(&'a mut S) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
{
    let answer = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&answer);
    let run = work(move |on: &mut S| {
        // Of a run that ends without an answer, nothing is left of the one before.
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let (kept, running) = (Arc::clone(&kept), f(on));
        Box::pin(async move {
            let outcome = running.await;
            let is_good = outcome.is_ok();
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
            is_good
        })
    });
    (run, Answer(answer))
}

fn work<S>(f: impl for<'a> FnMut(&'a mut S) -> BoxFuture<'a, bool> + Send + 'static) -> Work<S> {
    Box::new(f)
}

impl<T, E: From<Error>> Answer<T, E> {
    /// What came of it all. The closure's own error says more than that of the database, which could not
    /// have kept anything of it.
    pub(crate) fn of(self, ended: Result<(), Error>) -> Result<T, E> {
        match (self.0.lock().unwrap_or_else(PoisonError::into_inner).take(), ended) {
            (Some(Err(error)), _) => Err(error),
            (_, Err(error)) => Err(error.into()),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(Error::Closed.into()),
        }
    }
}
