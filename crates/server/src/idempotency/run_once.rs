//! Carrying a write out once.

use super::answer::{Answer, Answered};
use super::error::RequestError;
use super::registry::Started;
use super::request::WriteRequest;
use crate::app::App;
use crate::body::Body;
use axum::response::IntoResponse;
use billing::id::Request;
use bytes::Bytes;
use http::{Response, StatusCode};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What is still to be done for an answer; what refuses it has become a response already.
type Work = Pin<Box<dyn Future<Output = Result<Answer, Response<Body>>> + Send>>;

/// Makes the answer again from the raw id of what the request made.
type Replay = Box<dyn FnOnce(u128) -> Work + Send>;

/// Carries a write out once.
///
/// `work` gets the request that the use case must be told and makes the answer; `replay` renders the answer to a
/// request that had its effect from the raw id of what it made. Both run to their end even when
/// nobody waits for the answer any more.
///
/// # Errors
/// If the key stands for another request or one that is running, or the books cannot be asked. What the
/// work fails with is a response.
pub async fn run_once<E, Working, Replaying>(
    app: &App,
    write: WriteRequest,
    work: impl FnOnce(Option<Request>) -> Working,
    replay: impl FnOnce(u128) -> Replaying + Send + 'static,
) -> Result<Response<Body>, E>
where
    E: From<RequestError> + IntoResponse + 'static,
    Working: Future<Output = Result<Answer, E>> + Send + 'static,
    Replaying: Future<Output = Result<Answer, E>> + Send + 'static,
{
    // Only what differs from face to face is compiled for each of them.
    let request = write.request();
    let work = erased(work(request.clone()));
    let replay = Box::new(move |raw| erased(replay(raw)));
    carry_out(app.clone(), request, work, replay).await.map_err(E::from)
}

fn erased<E: IntoResponse + 'static>(work: impl Future<Output = Result<Answer, E>> + Send + 'static) -> Work {
    Box::pin(async move { work.await.map_err(IntoResponse::into_response) })
}

async fn carry_out(
    app: App,
    request: Option<Request>,
    work: Work,
    replay: Replay,
) -> Result<Response<Body>, RequestError> {
    let Some(request) = request else {
        let answer = ToItsEnd(Some(work)).await;
        return Ok(respond(answer.map(|answer| Answered { answer, is_replayed: false })));
    };
    let running = match app.requests.start(&request)? {
        Started::Now(running) => running,
        Started::Before(answer) => return Ok(Answered { answer, is_replayed: true }.into_response()),
    };
    let outcome = ToItsEnd(Some(Box::pin(async move {
        // Held until the answer is known; dropped, it gives the key free again.
        let _running = running;
        run(&app, &request, work, replay).await
    })));
    outcome.await.map(respond)
}

fn respond(outcome: Result<Answered, Response<Body>>) -> Response<Body> {
    outcome.map_or_else(|refused| refused, Answered::into_response)
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

type Outcome = Result<Answered, Response<Body>>;

async fn run(app: &App, request: &Request, work: Work, replay: Replay) -> Result<Outcome, RequestError> {
    if let Some(kept) = find(app, request).await? {
        return render_again(request, kept, replay).await;
    }
    match work.await {
        Ok(answer) => {
            app.requests.done(request, &answer);
            Ok(Ok(Answered { answer, is_replayed: false }))
        }
        // It may have had its effect all the same: here before it failed, or in another process.
        Err(refused) => match find(app, request).await? {
            Some(kept) => render_again(request, kept, replay).await,
            None => Ok(Err(refused)),
        },
    }
}

async fn find(app: &App, request: &Request) -> Result<Option<store::idempotency::Answered>, RequestError> {
    Ok(app.engine.answered(request).await?)
}

async fn render_again(
    request: &Request,
    kept: store::idempotency::Answered,
    replay: Replay,
) -> Result<Outcome, RequestError> {
    if kept.fingerprint != request.fingerprint {
        return Err(RequestError::OtherRequest);
    }
    let whole = kept.answer.and_then(|(status, body)| Some((StatusCode::from_u16(status).ok()?, body)));
    let answer = match whole {
        Some((status, body)) => Ok(Answer { status, body: Bytes::from(body), may_be_kept: true }),
        None => replay(kept.resource).await,
    };
    Ok(answer.map(|answer| Answered { answer, is_replayed: true }))
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
