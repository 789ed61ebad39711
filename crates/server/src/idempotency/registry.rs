//! The requests that run or have run lately, and the answers that are not in the books yet.

use super::answer::Answer;
use super::error::RequestError;
use billing::id::Request;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Beyond so many answers the longest waiting ones are not kept but rendered again.
const UNSAVED_MAX: usize = 4_096;

/// What is known of requests without asking the books.
#[derive(Default)]
pub struct Requests(Arc<Mutex<HashMap<(i64, String), RequestState>>>);

#[derive(Clone)]
enum RequestState {
    Running(Vec<u8>),
    Done(Vec<u8>, Answer),
}

/// Takes a request off the list when it ends without an answer, however that comes.
pub(super) struct Running {
    list: Arc<Mutex<HashMap<(i64, String), RequestState>>>,
    key: (i64, String),
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(RequestState::Running(_)) = list.get(&self.key) {
            list.remove(&self.key);
        }
    }
}

/// Whether a request may run.
pub(super) enum Started {
    /// It may, until this is dropped.
    Now(Running),
    /// It has run before, with this answer.
    Before(Answer),
}

impl Requests {
    /// Notes that a request runs, unless one with its key does or did.
    pub(super) fn start(&self, request: &Request) -> Result<Started, RequestError> {
        let key = (request.environment, request.key.clone());
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match list.get(&key) {
            Some(RequestState::Running(print) | RequestState::Done(print, _))
                if *print != request.fingerprint =>
            {
                Err(RequestError::OtherRequest)
            }
            Some(RequestState::Running(_)) => Err(RequestError::StillRunning),
            Some(RequestState::Done(_, answer)) => Ok(Started::Before(answer.clone())),
            None => {
                list.insert(key.clone(), RequestState::Running(request.fingerprint.clone()));
                Ok(Started::Now(Running { list: self.0.clone(), key }))
            }
        }
    }

    /// Keeps the answer to a request.
    pub(super) fn done(&self, request: &Request, answer: &Answer) {
        if !answer.may_be_kept {
            return;
        }
        let key = (request.environment, request.key.clone());
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if list.len() < UNSAVED_MAX {
            list.insert(key, RequestState::Done(request.fingerprint.clone(), answer.clone()));
        }
    }

    /// Writes the answers that are not in the books yet, all in one commit; says how many.
    ///
    /// # Errors
    /// If they cannot be written; they stay in memory.
    pub async fn save(&self, engine: &engine::Engine) -> Result<usize, store::Error> {
        let unsaved: Vec<_> = {
            let list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let done = list.iter().filter_map(|(key, state)| match state {
                RequestState::Done(_, answer) => Some((key.clone(), answer.clone())),
                RequestState::Running(_) => None,
            });
            done.collect()
        };
        if unsaved.is_empty() {
            return Ok(0);
        }
        let rows = unsaved.iter().map(|((environment, key), answer)| {
            (*environment, key.clone(), answer.status.as_u16(), answer.body.to_vec())
        });
        engine.keep_answers(rows.collect()).await?;
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, _) in &unsaved {
            list.remove(key);
        }
        Ok(unsaved.len())
    }
}
