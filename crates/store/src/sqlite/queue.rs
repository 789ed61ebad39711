//! A queue that threads wait on.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(super) struct Queue<J> {
    state: Mutex<State<J>>,
    arrived: Condvar,
}

struct State<J> {
    jobs: VecDeque<J>,
    closed: bool,
}

/// What came of waiting.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Jobs,
    Nothing,
    Closed,
}

impl<J> Queue<J> {
    pub(super) fn new() -> Queue<J> {
        Queue { state: Mutex::new(State { jobs: VecDeque::new(), closed: false }), arrived: Condvar::new() }
    }

    /// Gives the job back if the queue is closed.
    pub(super) fn push(&self, job: J) -> Result<(), J> {
        let mut state = self.lock();
        if state.closed {
            return Err(job);
        }
        state.jobs.push_back(job);
        drop(state);
        self.arrived.notify_one();
        Ok(())
    }

    /// The next job; none once the queue is closed and empty.
    pub(super) fn pop(&self) -> Option<J> {
        let waiting = |state: &mut State<J>| state.jobs.is_empty() && !state.closed;
        let state = self.arrived.wait_while(self.lock(), waiting);
        state.unwrap_or_else(PoisonError::into_inner).jobs.pop_front()
    }

    /// Moves up to `most` jobs into `into`, waiting for the first no longer than `patience`.
    pub(super) fn take(&self, into: &mut Vec<J>, most: usize, patience: Duration) -> Taken {
        let waiting = |state: &mut State<J>| state.jobs.is_empty() && !state.closed;
        let waited = self.arrived.wait_timeout_while(self.lock(), patience, waiting);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        if state.jobs.is_empty() {
            return if state.closed { Taken::Closed } else { Taken::Nothing };
        }
        let count = state.jobs.len().min(most);
        into.extend(state.jobs.drain(..count));
        Taken::Jobs
    }

    /// Refuses further jobs; those that wait are still handed out.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    /// How many jobs wait.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().jobs.len()
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
