//! Serving a listener until told to stop: connections, their limits, and the work between requests.

use crate::respond::Responder;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::time::Duration;
use tokio::net::TcpListener;

/// Bytes of a request's head, line and headers together.
const HEAD_BYTES_MAX: usize = 32 << 10;

/// How long a client may take to send a request's head.
const HEAD_TIME_MAX: Duration = Duration::from_secs(15);

/// How long requests under way may take to end after a stop.
const STOP_TIME_MAX: Duration = Duration::from_secs(20);

/// Serves until `stop` is done, then lets the requests under way end.
pub async fn serve(listener: TcpListener, responder: Responder, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME_MAX).max_buf_size(HEAD_BYTES_MAX);
    let mut stop = std::pin::pin!(stop);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file handles, most likely: wait for some to be given back.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no delay could not be set");
        }
        let responder = responder.clone();
        let service = service_fn(move |request| {
            let responder = responder.clone();
            async move { Ok::<_, Infallible>(responder.respond(request).await) }
        });
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(STOP_TIME_MAX, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time and were cut off");
    }
}

/// Does what falls due in all books that follow the real time, again and again, and keeps what was
/// only in memory. Ends when it is dropped.
pub async fn tick(responder: Responder, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = tick_once(&responder).await {
            tracing::error!(%error, "what is due could not be done; it is tried again");
        }
    }
}

/// One round of [`tick`].
///
/// # Errors
/// If the store fails; what was done until then stays done.
pub async fn tick_once(responder: &Responder) -> Result<(), engine::Error> {
    let app = responder.app();
    for environment in app.engine.environments().await?.iter().filter(|books| books.clock.is_none()) {
        let done = app.engine.run_due(environment.number, app.real_now()).await?;
        if !done.is_nothing() {
            tracing::info!(environment = environment.number, ?done, "did what was due");
        }
    }
    app.engine.note_credentials_used(app.authenticator.take_used()).await?;
    app.requests.save(&app.engine).await?;
    Ok(())
}
