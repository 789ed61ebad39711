//! `quittance serve`.

use super::books::BooksArgs;
use super::host::Host;
use crate::app::Limits;
use crate::serve::{ServeOptions, Server, asked_to_stop};
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
    #[arg(long, env = "QUITTANCE_REQUEST_SECONDS", default_value_t = 30, value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..))]
    request_seconds: u64,
    /// Bytes that the body of a request may have.
    #[arg(long, env = "QUITTANCE_BODY_BYTES", default_value_t = 256 << 10, value_name = "BYTES",
        value_parser = clap::value_parser!(u32).range(1..))]
    body_bytes: u32,
    /// Bytes of answers that are kept in memory; 0 makes every answer from the books.
    #[arg(long, env = "QUITTANCE_CACHE_BYTES", default_value_t = 64 << 20, value_name = "BYTES")]
    cache_bytes: usize,
    /// What this process is called among those that share a database [default: its address and number]
    #[arg(long, env = "QUITTANCE_NODE", value_name = "NAME")]
    node: Option<String>,
    /// Connections at a time; further ones wait.
    #[arg(long, env = "QUITTANCE_CONNECTIONS", default_value_t = 10_000, value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,
}

impl Serve {
    pub(super) async fn run(self, args: &BooksArgs, host: &Host) -> anyhow::Result<()> {
        // Before anything is opened.
        let _lock = args.lock()?;
        let limits = Limits {
            body_bytes: self.body_bytes as usize,
            request_time: Duration::from_secs(self.request_seconds),
            cache_bytes: self.cache_bytes,
        };
        let had_secrets = args.has_secrets();
        let app = args.open_with_secrets(host, limits).await?;
        if app.engine.environments().await?.is_empty() {
            tracing::warn!("the books are empty: make some with `quittance init`");
        } else if !had_secrets {
            tracing::warn!(
                "the secrets beside the books were missing and are made anew: every API key and token that \
                 was given out before is refused until they are restored"
            );
        }
        let options = ServeOptions {
            tick: (self.tick_seconds > 0).then(|| Duration::from_secs(self.tick_seconds)),
            node: self.node,
            connections_max: self.connections as usize,
            ..ServeOptions::default()
        };
        let server = Server::bind(app, self.addr, options)
            .await
            .with_context(|| format!("cannot listen on {}", self.addr))?;
        let stop = asked_to_stop();
        println!("Quittance serves {} on http://{}", args.label(), server.address()?);
        server.run(stop).await?;
        Ok(())
    }
}
