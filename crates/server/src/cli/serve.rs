//! `quittance serve`: the server.

use super::{Database, Outcome, Secrets, World};
use crate::app::{App, Limits, Parts};
use crate::respond::Responder;
use crate::serve::{serve, tick};
use clap::Args;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use store::{Options, ServerLock, Store};
use tokio::net::TcpListener;

/// Serves the books.
#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    secrets: Secrets,
    #[command(flatten)]
    listen: Listen,
}

/// How to listen.
#[derive(Debug, Clone, Args)]
pub struct Listen {
    /// Where to listen; port 0 lets the kernel pick one.
    #[arg(long, value_name = "IP:PORT", env = "QUITTANCE_ADDR", default_value = "127.0.0.1:8080")]
    pub addr: SocketAddr,
    /// Seconds between looks for what is due.
    #[arg(long, value_name = "N", env = "QUITTANCE_TICK_SECONDS", default_value_t = 5,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub tick_seconds: u64,
    /// Seconds that a request may take.
    #[arg(long, value_name = "N", env = "QUITTANCE_REQUEST_SECONDS", default_value_t = 30,
          value_parser = clap::value_parser!(u64).range(1..=600))]
    pub request_seconds: u64,
    /// Bytes that a request's body may have.
    #[arg(long, value_name = "N", env = "QUITTANCE_BODY_BYTES", default_value_t = 256 << 10)]
    pub body_bytes: usize,
    /// Megabytes of answers that are kept in memory; 0 keeps none.
    #[arg(long, value_name = "N", env = "QUITTANCE_ANSWERS_MB", default_value_t = 64)]
    pub answers_mb: usize,
}

impl Serve {
    pub(super) async fn run(self, world: &World) -> Outcome {
        let db = &self.database.db;
        if !db.exists() {
            let name = db.display();
            return Err(format!("{name} is not there: `quittance init --db {name}` makes it").into());
        }
        let open = Opened::open(db, &self.secrets, &self.listen, world).await?;
        tracing::info!(url = open.url, database = %db.display(), "serving");
        eprintln!("quittance serves {} at {}", db.display(), open.url);
        open.until_stopped(&self.listen).await
    }
}

/// A server that is about to serve: it holds the books and the address.
pub struct Opened {
    responder: Responder,
    listener: TcpListener,
    _lock: ServerLock,
    /// Where it will answer.
    pub url: String,
}

impl Opened {
    /// Takes the books and the address.
    ///
    /// # Errors
    /// If another server holds the books, or the address is taken.
    pub async fn open(
        db: &Path,
        secrets: &Secrets,
        listen: &Listen,
        world: &World,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let lock = ServerLock::acquire(db)?;
        let keys = secrets.load(db, world)?;
        let engine = world.engine(Store::open(db, Options::default())?);
        let listener =
            TcpListener::bind(listen.addr).await.map_err(|error| format!("{}: {error}", listen.addr))?;
        let url = format!("http://{}", listener.local_addr()?);
        let app = App::new(Parts {
            engine,
            clock: world.clock.clone(),
            entropy: world.entropy.clone(),
            jwt_key: keys.jwt_key,
            pepper: keys.pepper,
            limits: Limits {
                body_bytes: listen.body_bytes,
                request_time: Duration::from_secs(listen.request_seconds),
                answer_bytes: listen.answers_mb << 20,
            },
        });
        Ok(Self { responder: Responder::new(app), listener, _lock: lock, url })
    }

    /// What it serves with.
    pub fn app(&self) -> &App {
        self.responder.app()
    }

    /// Serves until the process is told to stop, then closes the books.
    ///
    /// # Errors
    /// If the books cannot be closed.
    pub async fn until_stopped(self, listen: &Listen) -> Outcome {
        let ticking = tokio::spawn(tick(self.responder.clone(), Duration::from_secs(listen.tick_seconds)));
        serve(self.listener, self.responder.clone(), stop_signal()).await;
        ticking.abort();
        if let Err(error) = crate::serve::tick_once(&self.responder).await {
            tracing::error!(%error, "what was only in memory could not be kept");
        }
        self.responder.app().engine.store().close().await?;
        tracing::info!("stopped");
        Ok(())
    }
}

/// Done when the process is asked to stop.
async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminated) => {
                tokio::select! {
                    _ = tokio::signal::ctrl_c() => {}
                    _ = terminated.recv() => {}
                }
                return;
            }
            Err(error) => tracing::warn!(%error, "SIGTERM cannot be heard"),
        }
    }
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::warn!(%error, "interrupts cannot be heard");
        std::future::pending::<()>().await;
    }
}
