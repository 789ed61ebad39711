//! Where a database is: `postgres://user:password@host1,host2/name?…`.
//!
//! Beside the parameters of tokio-postgres (several hosts, `target_session_attrs`, `connect_timeout`,
//! …) it takes `sslmode`, with `verify-ca` and `verify-full`, `sslrootcert`, `connections`, the most that
//! one process has open, and `prepared_statements`.

use super::failure::Failure;
use super::tls::{Security, Tls, connector, refusal};
use crate::Error;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_postgres::config::{Host, LoadBalanceHosts, SslMode, TargetSessionAttrs};
use tokio_postgres::{Client, Config, NoTls};

/// How long a host may take to make a connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// How many connections a process has open at most, unless the address says.
const CONNECTIONS: usize = 16;

pub(super) struct Address {
    /// How to connect to each of the hosts.
    hosts: Vec<Config>,
    /// Which host is asked first: that which answered last, or each in its turn.
    first: AtomicUsize,
    takes_turns: bool,
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
            Security::Require | Security::VerifyCa | Security::VerifyFull => SslMode::Require,
        });
        let tls = match security {
            Security::Disable => None,
            Security::Prefer | Security::Require | Security::VerifyCa | Security::VerifyFull => {
                Some(connector(security, roots.as_deref())?)
            }
        };
        if config.get_hosts().len() > 1 && !query.contains("target_session_attrs=") {
            // Of several only one can be written to, and another one of them may be it tomorrow.
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let takes_turns = config.get_load_balance_hosts() == LoadBalanceHosts::Random;
        let hosts = each_host(&config)?;
        let first = AtomicUsize::new(0);
        Ok(Address { hosts, first, takes_turns, security, tls, connections, keeps_statements })
    }

    /// Connects to the first host that will do, beginning with the one that did last. Each host has its own
    /// time: one that is frozen and takes connections without a word must not keep the others from being asked.
    pub(super) async fn connect(&self) -> Result<(Client, Driver), Failure> {
        let count = self.hosts.len();
        let first = if self.takes_turns {
            self.first.fetch_add(1, Ordering::Relaxed)
        } else {
            self.first.load(Ordering::Relaxed)
        };
        let mut failures = Vec::new();
        for number in (0..count).map(|n| first.wrapping_add(n) % count) {
            let connecting = tokio::time::timeout(CONNECT_PATIENCE, self.connect_to(&self.hosts[number]));
            match connecting.await {
                Ok(Ok(connected)) => {
                    if !self.takes_turns {
                        self.first.store(number, Ordering::Relaxed);
                    }
                    return Ok(connected);
                }
                Ok(Err(failure)) => failures.push(failure),
                Err(_) => failures.push(Failure::lost("the server does not answer")),
            }
        }
        Err(of_all(failures))
    }

    async fn connect_to(&self, host: &Config) -> Result<(Client, Driver), Failure> {
        match &self.tls {
            None => {
                let (client, connection) = host.connect(NoTls).await?;
                Ok((client, Driver(tokio::spawn(drive(connection)))))
            }
            Some(tls) => {
                let connected = host.connect(tls.clone()).await;
                let (client, connection) =
                    connected.map_err(|error| match refusal(self.security, &error) {
                        Some(refusal) => Failure::lasting(refusal),
                        None => error.into(),
                    })?;
                Ok((client, Driver(tokio::spawn(drive(connection)))))
            }
        }
    }
}

/// What moves the bytes of a connection. It ends with this, also if the server never answers.
pub(super) struct Driver(JoinHandle<()>);

impl Driver {
    /// Waits until the connection has ended.
    pub(super) async fn ended(&mut self) {
        // Nobody is left to be told how.
        let _ = (&mut self.0).await;
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What it means that none of the hosts will do. While one of them may come back, it passes.
fn of_all(mut failures: Vec<Failure>) -> Failure {
    if failures.len() < 2 || !failures.iter().any(Failure::passes) {
        return failures.pop().unwrap_or_else(|| Failure::lost("there is no host"));
    }
    let said: Vec<String> = failures.iter().map(|failure| failure.error.reason()).collect();
    Failure::lost(said.join("; "))
}

/// The settings for each host alone.
fn each_host(all: &Config) -> Result<Vec<Config>, Error> {
    let (names, addresses, ports) = (all.get_hosts(), all.get_hostaddrs(), all.get_ports());
    let count = names.len().max(addresses.len());
    let fits = |given: usize| given <= 1 || given == count;
    let pairs = names.is_empty() || addresses.is_empty() || names.len() == addresses.len();
    if count == 0 || !pairs || !fits(ports.len()) {
        return Err(misuse("the address names no host, or not as many hosts as ports"));
    }
    let one = |number: usize| {
        let mut one = alone(all);
        match names.get(number) {
            Some(Host::Tcp(name)) => drop(one.host(name)),
            #[cfg(unix)]
            Some(Host::Unix(path)) => drop(one.host_path(path)),
            None => {}
        }
        addresses.get(number).map(|address| one.hostaddr(*address));
        ports.get(number).or(ports.first()).map(|port| one.port(*port));
        one
    };
    Ok((0..count).map(one).collect())
}

/// The settings without any host.
fn alone(all: &Config) -> Config {
    let mut one = Config::new();
    all.get_user().map(|user| one.user(user));
    all.get_password().map(|password| one.password(password));
    all.get_dbname().map(|name| one.dbname(name));
    all.get_options().map(|options| one.options(options));
    all.get_application_name().map(|name| one.application_name(name));
    all.get_connect_timeout().map(|limit| one.connect_timeout(*limit));
    all.get_tcp_user_timeout().map(|limit| one.tcp_user_timeout(*limit));
    all.get_keepalives_interval().map(|pause| one.keepalives_interval(pause));
    all.get_keepalives_retries().map(|retries| one.keepalives_retries(retries));
    one.keepalives(all.get_keepalives()).keepalives_idle(all.get_keepalives_idle());
    one.ssl_mode(all.get_ssl_mode()).ssl_negotiation(all.get_ssl_negotiation());
    one.channel_binding(all.get_channel_binding());
    one.target_session_attrs(all.get_target_session_attrs());
    one.load_balance_hosts(all.get_load_balance_hosts());
    one
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
    fn of_several_hosts_the_one_that_can_be_written_to_is_wanted() {
        let wanted = |url: &str| Address::parse(url).unwrap().hosts[0].get_target_session_attrs();
        assert_eq!(wanted("postgres://u@a,b/books"), TargetSessionAttrs::ReadWrite);
        assert_eq!(wanted("postgres://u@a,b/books?target_session_attrs=any"), TargetSessionAttrs::Any);
        assert_eq!(wanted("postgres://u@a/books"), TargetSessionAttrs::Any);
    }

    #[test]
    fn an_address_says_how_to_connect() {
        let address = Address::parse(
            "postgres://u:p@a:1,b:2/books?target_session_attrs=read-write&sslmode=disable&connections=3",
        )
        .unwrap();
        assert_eq!(address.connections, 3);
        assert!(address.keeps_statements);
        assert!(!Address::parse("postgres://h/b?prepared_statements=false").unwrap().keeps_statements);
        let ports: Vec<&[u16]> = address.hosts.iter().map(Config::get_ports).collect();
        assert_eq!(ports, [[1], [2]]);
        for host in &address.hosts {
            assert_eq!((host.get_user(), host.get_password()), (Some("u"), Some(&b"p"[..])));
            assert_eq!((host.get_hosts().len(), host.get_dbname()), (1, Some("books")));
            assert_eq!(host.get_ssl_mode(), SslMode::Disable);
            assert_eq!(host.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
            // A peer that went away without a word is noticed in four seconds.
            assert_eq!(host.get_connect_timeout(), Some(&Duration::from_secs(2)));
            assert_eq!(host.get_tcp_user_timeout(), Some(&Duration::from_secs(4)));
            let (idle, interval) = (host.get_keepalives_idle(), host.get_keepalives_interval());
            assert_eq!((idle.as_secs(), interval.unwrap().as_secs()), (1, 1));
            assert_eq!(host.get_keepalives_retries(), Some(3));
        }
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
            "port=1,2",
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
