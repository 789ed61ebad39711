//! `sslmode` and `sslrootcert` against a server that speaks TLS, and one that does not.

use store::{Error, Options, Store};
use testbed::{Certificates, Server};

const HOST: &str = "books.example";
const SECRET: &str = "geheim";

/// A server with a certificate for a host, until a year.
struct Encrypted {
    certificates: Certificates,
    server: Server,
}

impl Encrypted {
    fn start(from: &str, until: &str) -> Encrypted {
        let certificates = Certificates::new(HOST, from, until);
        let settings = certificates.settings();
        let mut all: Vec<&str> = settings.iter().map(String::as_str).collect();
        all.extend(["fsync=off", "synchronous_commit=off"]);
        Encrypted { server: Server::start_with(&all).unwrap(), certificates }
    }

    fn address(&self, host: &str, mode: &str, roots: Option<&str>) -> String {
        let mut address = address(&self.server, host, mode);
        if let Some(name) = roots {
            address.push_str(&format!("&sslrootcert={}", self.certificates.path(name).display()));
        }
        address
    }

    /// Whether a connection by an address is encrypted.
    async fn encrypts(&self, host: &str, mode: &str, roots: Option<&str>) -> bool {
        let store = Store::connect(&self.address(host, mode, roots), Options::default()).await.unwrap();
        let question = "select s.ssl::text from pg_stat_ssl s join pg_stat_activity a using (pid)
             where a.application_name = 'quittance'";
        let rows = testbed::ask(&self.server.address(), question).await;
        let first = rows[0][0].clone();
        assert!(rows.iter().all(|row| row[0] == first), "{rows:?}");
        store.close().await.unwrap();
        first.as_deref() == Some("true")
    }

    async fn refused(&self, host: &str, mode: &str, roots: Option<&str>) -> String {
        refused(&self.address(host, mode, roots)).await
    }
}

/// The name of a host that is not in any directory, and where to find it.
fn address(server: &Server, host: &str, mode: &str) -> String {
    let place = format!("postgres://postgres:{SECRET}@{host}:{}/postgres", server.port());
    format!("{place}?hostaddr=127.0.0.1&sslmode={mode}")
}

async fn refused(address: &str) -> String {
    let refused = Store::connect(address, Options::default()).await.err().unwrap();
    assert!(matches!(refused, Error::Address(_)), "{refused:?}");
    let told = refused.to_string();
    assert!(!told.contains(SECRET), "{told}");
    told
}

#[tokio::test]
async fn a_server_is_trusted_as_far_as_the_address_says() {
    let server = Encrypted::start("20200101000000Z", "20990101000000Z");
    assert!(!server.encrypts(HOST, "disable", None).await);
    for (host, mode, roots) in [
        (HOST, "prefer", None),
        ("other.example", "require", None),
        ("other.example", "require", Some("ca.pem")),
        ("other.example", "verify-ca", Some("ca.pem")),
        (HOST, "verify-full", Some("ca.pem")),
    ] {
        assert!(server.encrypts(host, mode, roots).await, "{host} {mode} {roots:?}");
    }
    for mode in ["require", "verify-ca", "verify-full"] {
        assert_eq!(
            server.refused(HOST, mode, Some("other-ca.pem")).await,
            format!("sslmode={mode}, but the server's certificate comes from none of those in sslrootcert")
        );
    }
    assert_eq!(
        server.refused("other.example", "verify-full", Some("ca.pem")).await,
        "sslmode=verify-full, but the server's certificate was given to another host than the address names"
    );
    for mode in ["verify-ca", "verify-full"] {
        let told = server.refused(HOST, mode, None).await;
        assert!(told.contains("need sslrootcert=FILE"), "{told}");
    }
    let nowhere = server.refused(HOST, "verify-full", Some("absent.pem")).await;
    assert!(nowhere.starts_with("sslrootcert=") && nowhere.contains("absent.pem: "), "{nowhere}");
    let empty = server.refused(HOST, "verify-full", Some("server.key")).await;
    assert!(empty.starts_with("sslrootcert=") && empty.contains("server.key: "), "{empty}");
    let unknown = server.refused(HOST, "always", None).await;
    assert_eq!(unknown, "sslmode is one of disable, prefer, require, verify-ca and verify-full");
}

#[tokio::test]
async fn a_certificate_whose_time_is_over_is_refused_by_who_looks_at_it() {
    let server = Encrypted::start("20200101000000Z", "20210101000000Z");
    assert!(server.encrypts(HOST, "require", None).await);
    for mode in ["verify-ca", "verify-full"] {
        assert_eq!(
            server.refused(HOST, mode, Some("ca.pem")).await,
            format!("sslmode={mode}, but the server's certificate has expired")
        );
    }
}

#[tokio::test]
async fn a_server_without_tls_serves_only_who_does_not_ask_for_it() {
    let server = Server::start().unwrap();
    for mode in ["disable", "prefer"] {
        let store = Store::connect(&address(&server, HOST, mode), Options::default()).await.unwrap();
        store.close().await.unwrap();
    }
    let told = refused(&address(&server, HOST, "require")).await;
    assert_eq!(told, "sslmode=require, but the server does not speak TLS");
}
