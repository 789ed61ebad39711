//! Around every request: an id, a time limit, a net for panics, counters and a line in the log. Plain
//! code around the router instead of layers: what is asked again and again must cost little.

use crate::app::App;
use crate::body::Body;
use crate::face::Face;
use axum::Router;
use http::{HeaderValue, Request, Response, StatusCode, header};
use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use tower::Service as _;

/// A server without a socket.
#[derive(Clone)]
pub struct Service {
    app: App,
    router: Router,
    failure: fn(Face, StatusCode) -> Response<Body>,
}

static REQUESTS: AtomicU64 = AtomicU64::new(1);

impl Service {
    /// What is around every request, around these routes. `failure` says in the words of a face what has
    /// no more to say than its status.
    pub fn new(app: App, router: Router, failure: fn(Face, StatusCode) -> Response<Body>) -> Self {
        Self { app, router, failure }
    }

    /// What it serves with.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Answers one request, whatever happens.
    pub async fn respond<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let started = (self.app.clock.since)();
        let number = REQUESTS.fetch_add(1, Ordering::Relaxed);
        let face = Face::of(request.uri().path());
        let method = request.method().clone();
        let path = tracing::enabled!(tracing::Level::DEBUG).then(|| request.uri().path().to_owned());
        let mut router = self.router.clone();
        let answer = caught(router.call(request));
        let mut response = match tokio::time::timeout(self.app.limits.request_time, answer).await {
            Ok(Ok(Ok(response))) => response,
            Ok(Ok(Err(never))) => match never {},
            Ok(Err(panic)) => {
                self.app.metrics.record_panic();
                tracing::error!(request = number, face = face.name(), "panic: {}", panic_message(&panic));
                (self.failure)(face, StatusCode::INTERNAL_SERVER_ERROR)
            }
            Err(_) => {
                tracing::error!(request = number, face = face.name(), "the request took too long");
                (self.failure)(face, StatusCode::SERVICE_UNAVAILABLE)
            }
        };
        let took = (self.app.clock.since)().saturating_sub(started);
        let status = response.status();
        self.app.metrics.record(face, status.as_u16(), took);
        // The query string is left out: it may hold what nobody else should read.
        if let Some(path) = path {
            tracing::debug!(request = number, %method, path, status = status.as_u16(), ?took, "answered");
        }
        let headers = response.headers_mut();
        if status == StatusCode::SERVICE_UNAVAILABLE && !headers.contains_key(header::RETRY_AFTER) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        headers.insert(header::HeaderName::from_static("x-request-id"), HeaderValue::from(number));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }
}

/// The outcome of a future, or what it panicked with.
async fn caught<T>(future: impl Future<Output = T>) -> Result<T, Box<dyn Any + Send>> {
    let mut future = pin!(future);
    poll_fn(move |cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

fn panic_message(panic: &Box<dyn Any + Send>) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no words)")
}
