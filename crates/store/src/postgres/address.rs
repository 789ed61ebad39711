//! Where a database is: `postgres://user:password@host1,host2/name?…`.
//!
//! Beside the parameters of tokio-postgres (several hosts, `target_session_attrs`, `connect_timeout`,
//! …) it takes `sslmode`, with `verify-ca` and `verify-full`, `sslrootcert`, `connections`, the most that
//! one process has open, and `prepared_statements`.

use super::failure::Failure;
use super::tls::{Security, Tls, connector, refusal};
use crate::Error;
use std::path::PathBuf;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls};

/// How many connections a process has open at most, unless the address says.
const CONNECTIONS: usize = 16;

#[derive(Clone)]
pub(super) struct Address {
    config: Config,
    security: Security,
    tls: Option<Tls>,
    pub(super) connections: usize,
    /// Whether a connection may keep prepared statements from one transaction to the next. A pooler that
    /// changes connections between them cannot.
    pub(super) keeps_statements: bool,
}

impl Address {
    /// Reads a URL. No message holds what it says, which may be a password.
    pub(super) fn parse(url: &str) -> Result<Address, Error> {
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let mut security = Security::Prefer;
        let mut roots: Option<PathBuf> = None;
        let mut connections = CONNECTIONS;
        let mut keeps_statements = true;
        let mut others = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=').unwrap_or((pair, "")) {
                ("sslmode", mode) => {
                    security = Security::parse(mode).ok_or_else(|| {
                        misuse("sslmode is one of disable, prefer, require, verify-ca and verify-full")
                    })?;
                }
                ("sslrootcert", file) => roots = Some(PathBuf::from(decoded(file))),
                ("connections", n) => {
                    connections = n
                        .parse()
                        .ok()
                        .filter(|n| (1..=1000).contains(n))
                        .ok_or_else(|| misuse("connections is a number from 1 to 1000"))?;
                }
                ("prepared_statements", word) => {
                    keeps_statements =
                        word.parse().map_err(|_| misuse("prepared_statements is true or false"))?;
                }
                _ => others.push(pair),
            }
        }
        let rest = if others.is_empty() { place.to_owned() } else { format!("{place}?{}", others.join("&")) };
        let mut config: Config = rest.parse().map_err(|error: tokio_postgres::Error| {
            let why = std::error::Error::source(&error).map(ToString::to_string);
            misuse(&format!("the address cannot be read: {}", why.unwrap_or_else(|| error.to_string())))
        })?;
        defaults(&mut config);
        config.ssl_mode(match security {
            Security::Disable => SslMode::Disable,
            Security::Prefer => SslMode::Prefer,
            _ => SslMode::Require,
        });
        let tls = match security {
            Security::Disable => None,
            security => Some(connector(security, roots.as_deref())?),
        };
        Ok(Address { config, security, tls, connections, keeps_statements })
    }

    /// Connects, and leaves what drives the connection to the runtime.
    pub(super) async fn connect(&self) -> Result<(Client, JoinHandle<()>), Failure> {
        match &self.tls {
            None => {
                let (client, connection) = self.config.connect(NoTls).await?;
                Ok((client, tokio::spawn(drive(connection))))
            }
            Some(tls) => {
                let connected = self.config.connect(tls.clone()).await;
                let (client, connection) =
                    connected.map_err(|error| match refusal(self.security, &error) {
                        Some(refusal) => Failure::lasting(refusal),
                        None => error.into(),
                    })?;
                Ok((client, tokio::spawn(drive(connection))))
            }
        }
    }
}

async fn drive(connection: impl Future<Output = Result<(), tokio_postgres::Error>>) {
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection ended");
    }
}

/// A peer that went away without a word is noticed in seconds.
fn defaults(config: &mut Config) {
    if config.get_application_name().is_none() {
        config.application_name("quittance");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(2));
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(Duration::from_secs(4));
    }
    config.keepalives_idle(Duration::from_secs(1));
    config.keepalives_interval(Duration::from_secs(1));
    config.keepalives_retries(3);
}

fn misuse(message: &str) -> Error {
    Error::Address(message.to_owned())
}

/// `%41` as `A`.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = (byte == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(value) => {
                out.push(value);
                at += 3;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_how_to_connect() {
        let address = Address::parse(
            "postgres://u:p@a:1,b:2/books?target_session_attrs=read-write&sslmode=disable&connections=3",
        )
        .unwrap();
        assert_eq!(address.connections, 3);
        assert!(address.keeps_statements);
        assert!(!Address::parse("postgres://h/b?prepared_statements=false").unwrap().keeps_statements);
        assert_eq!(address.config.get_hosts().len(), 2);
        assert_eq!(address.config.get_dbname(), Some("books"));
        assert_eq!(address.config.get_ssl_mode(), SslMode::Disable);
        assert!(address.tls.is_none());
    }

    #[test]
    fn what_cannot_be_meant_is_refused_without_the_password() {
        let queries = [
            "sslmode=verify",
            "connections=0",
            "nonsense=1",
            "sslmode=verify-full",
            "prepared_statements=off",
        ];
        for query in queries {
            let refused = Address::parse(&format!("postgres://u:geheim@h/b?{query}")).err().unwrap();
            assert!(!refused.to_string().contains("geheim"), "{refused}");
        }
    }

    #[test]
    fn percent_signs_are_decoded() {
        assert_eq!(decoded("/a%20b/%zz"), "/a b/%zz");
    }
}
