//! `quittance serve`.

use super::{House, World};
use crate::app::Limits;
use crate::serve::{Options, Server, asked_to_stop};
use anyhow::Context;
use clap::Args;
use std::net::SocketAddr;
use std::time::Duration;

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Where to listen; port 0 lets the kernel pick one.
    #[arg(long, env = "QUITTANCE_ADDR", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    addr: SocketAddr,
    /// Seconds between looks for what is due in live books; 0 never looks.
    #[arg(long, env = "QUITTANCE_TICK_SECONDS", default_value_t = 5, value_name = "SECONDS")]
    tick_seconds: u64,
    /// Seconds that a request may take.
    #[arg(long, env = "QUITTANCE_REQUEST_SECONDS", default_value_t = 30, value_name = "SECONDS")]
    request_seconds: u64,
    /// Bytes that the body of a request may have.
    #[arg(long, env = "QUITTANCE_BODY_BYTES", default_value_t = 256 << 10, value_name = "BYTES")]
    body_bytes: usize,
    /// Bytes of answers that are kept in memory; 0 makes every answer from the books.
    #[arg(long, env = "QUITTANCE_CACHE_BYTES", default_value_t = 64 << 20, value_name = "BYTES")]
    cache_bytes: usize,
    /// What this process is called among those that share a database [default: its address and number]
    #[arg(long, env = "QUITTANCE_NODE", value_name = "NAME")]
    node: Option<String>,
    /// Connections at a time; further ones wait.
    #[arg(long, env = "QUITTANCE_CONNECTIONS", default_value_t = 10_000, value_name = "N")]
    connections: usize,
}

impl Serve {
    pub(super) async fn run(self, house: &House, world: &World) -> anyhow::Result<()> {
        // Before anything is opened.
        let _lock = house.lock()?;
        let limits = Limits {
            body_bytes: self.body_bytes,
            request_time: Duration::from_secs(self.request_seconds.max(1)),
            answer_bytes: self.cache_bytes,
        };
        let app = house.open(world, limits).await?;
        if app.engine.environments().await?.is_empty() {
            tracing::warn!("the books are empty: make some with `quittance init`");
        }
        let options = Options {
            tick: (self.tick_seconds > 0).then(|| Duration::from_secs(self.tick_seconds)),
            node: self.node,
            connections_max: self.connections.max(1),
            ..Options::default()
        };
        let server = Server::bind(app, self.addr, options)
            .await
            .with_context(|| format!("cannot listen on {}", self.addr))?;
        println!("Quittance serves {} on http://{}", house.shown(), server.address()?);
        server.run(asked_to_stop()).await?;
        Ok(())
    }
}
