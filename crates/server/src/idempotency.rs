//! Writes that may be repeated: the same `Idempotency-Key` and the same request give the same answer.
//!
//! The key stands in the commit of the effect, so that no crash can part them. The answer is kept in
//! memory until a second, small write has it; should a crash lose it, it is rendered again from what
//! the request made. A request that was refused has no effect and keeps no key.

use crate::app::App;
use crate::respond::Body;
use billing::{Request, Timestamp};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use store::idempotency::Answered;

/// The header that names a request.
pub const HEADER: &str = "idempotency-key";
/// The header that tells a repeated answer from the first one.
pub const REPLAYED: &str = "idempotency-replayed";
/// The longest key, in bytes.
pub const KEY_LENGTH_MAX: usize = 255;
/// Beyond so many answers the longest waiting ones are not kept but rendered again.
const UNSAVED_MAX: usize = 4_096;

/// Why a request with a key was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The key is empty, too long, or not printable ASCII.
    #[error("Idempotency-Key must be 1 to 255 printable ASCII characters")]
    BadKey,
    /// Another request had the key.
    #[error("this Idempotency-Key was used for another request")]
    OtherRequest,
    /// The first request with the key is not done.
    #[error("a request with this Idempotency-Key is still being processed")]
    StillRunning,
    /// The body is longer than may be.
    #[error("the body is longer than {0} bytes")]
    TooLong(usize),
    /// The body broke off.
    #[error("the body broke off")]
    BrokenOff,
    /// The books could not be asked.
    #[error("the books could not be asked")]
    Store(#[from] store::Error),
}

/// What was answered to a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// JSON; empty for a status without content.
    pub body: Bytes,
    /// Whether it may be kept: one that holds a secret may not, it is made again.
    pub may_be_kept: bool,
}

impl Answer {
    /// JSON with a status.
    pub fn json(status: StatusCode, body: String) -> Self {
        Self { status, body: Bytes::from(body), may_be_kept: true }
    }

    /// Nothing but 204.
    pub fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: Bytes::new(), may_be_kept: true }
    }

    /// JSON that holds a secret.
    pub fn secret(status: StatusCode, body: String) -> Self {
        Self { may_be_kept: false, ..Self::json(status, body) }
    }
}

/// An answer, and whether it had been given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The answer.
    pub answer: Answer,
    /// Whether the request had had its effect before.
    pub is_replayed: bool,
}

/// A write request as far as repeating it goes.
#[derive(Debug, Clone)]
pub struct Call {
    environment: i64,
    key: Option<String>,
    fingerprint: Vec<u8>,
    received_at: Timestamp,
}

impl Call {
    /// Reads a request of an environment's principal to its end: the call and the body.
    ///
    /// # Errors
    /// If the key cannot be one, or the body is too long or breaks off.
    pub async fn receive(
        app: &App,
        environment: i64,
        request: http::Request<Body>,
    ) -> Result<(Self, Bytes), Problem> {
        let (parts, body) = request.into_parts();
        let body = read_body(body, app.limits.body_bytes).await?;
        let target = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let call = Self::new(environment, app.real_now(), &parts.method, target, &parts.headers, &body)?;
        Ok((call, body))
    }

    /// A request of an environment's principal. Method, path, query and body make its fingerprint.
    ///
    /// # Errors
    /// If the key cannot be one.
    pub fn new(
        environment: i64,
        received_at: Timestamp,
        method: &Method,
        target: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Self, Problem> {
        let key = read_key(headers)?;
        let fingerprint = match key {
            None => Vec::new(),
            Some(_) => {
                let mut hash = Sha256::new();
                for part in [method.as_str().as_bytes(), target.as_bytes(), body] {
                    hash.update((part.len() as u64).to_le_bytes());
                    hash.update(part);
                }
                hash.finalize().to_vec()
            }
        };
        Ok(Self { environment, key, fingerprint, received_at })
    }

    fn request(&self) -> Option<Request> {
        self.key.as_ref().map(|key| Request {
            environment: self.environment,
            key: key.clone(),
            fingerprint: self.fingerprint.clone(),
            received_at: self.received_at,
        })
    }
}

/// A body to its end.
///
/// # Errors
/// If it is longer than `limit` bytes or breaks off.
pub async fn read_body(body: Body, limit: usize) -> Result<Bytes, Problem> {
    match http_body_util::Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(Problem::TooLong(limit)),
        Err(_) => Err(Problem::BrokenOff),
    }
}

fn read_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let key = value.to_str().map_err(|_| Problem::BadKey)?;
    let is_printable = key.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if values.next().is_some() || key.trim().is_empty() || key.len() > KEY_LENGTH_MAX || !is_printable {
        return Err(Problem::BadKey);
    }
    Ok(Some(key.to_owned()))
}

/// What is known of requests without asking the books.
#[derive(Default)]
pub struct Requests(Arc<Mutex<HashMap<(i64, String), State>>>);

#[derive(Clone)]
enum State {
    Running(Vec<u8>),
    Done(Vec<u8>, Answer),
}

/// Takes a request off the list when it ends without an answer, however that comes.
struct Running {
    list: Arc<Mutex<HashMap<(i64, String), State>>>,
    key: (i64, String),
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(State::Running(_)) = list.get(&self.key) {
            list.remove(&self.key);
        }
    }
}

/// Carries a write out once.
///
/// `work` gets what the engine's `Ctx` must carry and makes the answer; `again` renders the answer to a
/// request that had its effect from the raw id of what it made. Both run to their end even when
/// nobody waits for the answer any more.
///
/// # Errors
/// If the key stands for another request or one that is running, or the work fails.
pub async fn once<E, Work, Again>(
    app: &App,
    call: Call,
    work: impl FnOnce(Option<Request>) -> Work,
    again: impl FnOnce(u128) -> Again + Send + 'static,
) -> Result<Given, E>
where
    E: From<Problem> + Send + 'static,
    Work: Future<Output = Result<Answer, E>> + Send + 'static,
    Again: Future<Output = Result<Answer, E>> + Send + 'static,
{
    let request = call.request();
    let work = work(request.clone());
    let Some(request) = request else {
        let answer = ToItsEnd(Some(Box::pin(work))).await?;
        return Ok(Given { answer, is_replayed: false });
    };
    let running = match app.requests.start(&request)? {
        Started::Now(running) => running,
        Started::Before(answer) => return Ok(Given { answer, is_replayed: true }),
    };
    let app = app.clone();
    ToItsEnd(Some(Box::pin(async move {
        // Held until the answer is known; dropped, it gives the key free again.
        let _running = running;
        run(&app, &request, work, again).await
    })))
    .await
}

/// Work that goes on without those who asked for it, as a task of its own, when they leave. While they
/// wait it runs where they do, which spares waking another thread.
struct ToItsEnd<T: Send + 'static>(Option<Pin<Box<dyn Future<Output = T> + Send>>>);

impl<T: Send + 'static> Future for ToItsEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // Taken out while it runs: what panicked must not be run again.
        let Some(mut work) = self.0.take() else { return Poll::Pending };
        let polled = work.as_mut().poll(context);
        if polled.is_pending() {
            self.0 = Some(work);
        }
        polled
    }
}

impl<T: Send + 'static> Drop for ToItsEnd<T> {
    fn drop(&mut self) {
        // A runtime that is gone has ended the store's callers too.
        if let Some(work) = self.0.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(work);
        }
    }
}

async fn run<E, Again>(
    app: &App,
    request: &Request,
    work: impl Future<Output = Result<Answer, E>>,
    again: impl FnOnce(u128) -> Again,
) -> Result<Given, E>
where
    E: From<Problem>,
    Again: Future<Output = Result<Answer, E>>,
{
    if let Some(answered) = find(app, request).await? {
        return replay(request, answered, again).await;
    }
    match work.await {
        Ok(answer) => {
            app.requests.done(request, &answer);
            Ok(Given { answer, is_replayed: false })
        }
        // It may have had its effect all the same: here before it failed, or in another process.
        Err(error) => match find(app, request).await? {
            Some(answered) => replay(request, answered, again).await,
            None => Err(error),
        },
    }
}

async fn find(app: &App, request: &Request) -> Result<Option<Answered>, Problem> {
    Ok(app.engine.answered(request).await?)
}

async fn replay<E, Again>(
    request: &Request,
    answered: Answered,
    again: impl FnOnce(u128) -> Again,
) -> Result<Given, E>
where
    E: From<Problem>,
    Again: Future<Output = Result<Answer, E>>,
{
    if answered.fingerprint != request.fingerprint {
        return Err(Problem::OtherRequest.into());
    }
    let kept = answered.answer.and_then(|(status, body)| Some((StatusCode::from_u16(status).ok()?, body)));
    let answer = match kept {
        Some((status, body)) => Answer { status, body: Bytes::from(body), may_be_kept: true },
        None => again(answered.resource).await?,
    };
    Ok(Given { answer, is_replayed: true })
}

enum Started {
    Now(Running),
    Before(Answer),
}

impl Requests {
    fn start(&self, request: &Request) -> Result<Started, Problem> {
        let key = (request.environment, request.key.clone());
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match list.get(&key) {
            Some(State::Running(print) | State::Done(print, _)) if *print != request.fingerprint => {
                Err(Problem::OtherRequest)
            }
            Some(State::Running(_)) => Err(Problem::StillRunning),
            Some(State::Done(_, answer)) => Ok(Started::Before(answer.clone())),
            None => {
                list.insert(key.clone(), State::Running(request.fingerprint.clone()));
                Ok(Started::Now(Running { list: self.0.clone(), key }))
            }
        }
    }

    fn done(&self, request: &Request, answer: &Answer) {
        if !answer.may_be_kept {
            return;
        }
        let key = (request.environment, request.key.clone());
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if list.len() < UNSAVED_MAX {
            list.insert(key, State::Done(request.fingerprint.clone(), answer.clone()));
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
                State::Done(_, answer) => Some((key.clone(), answer.clone())),
                State::Running(_) => None,
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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn work_goes_on_when_nobody_waits_for_it_any_more() {
        let (go, gone) = oneshot::channel::<()>();
        let (done, is_done) = oneshot::channel();
        let mut work = Box::pin(ToItsEnd(Some(Box::pin(async move {
            gone.await.unwrap();
            done.send("done").unwrap();
        }))));
        let polled = std::future::poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await;
        assert!(polled.is_pending());
        drop(work);
        go.send(()).unwrap();
        assert_eq!(is_done.await, Ok("done"));
    }
}
