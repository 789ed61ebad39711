//! Certificates for a server of the tests, made by the openssl that comes with PostgreSQL's packages.

use crate::keeper::as_nobody;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;

/// A folder with an authority `ca.pem`, one that has signed nothing, `other-ca.pem`, and a server's key
/// and certificate.
#[derive(Debug)]
pub struct Certificates {
    folder: TempDir,
}

/// What the authority writes down, and under what.
const AUTHORITY: &str = "[ca]\ndefault_ca = own\n[own]\ndatabase = index\nserial = serial\nnew_certs_dir = .\n\
     default_md = sha256\npolicy = any\n[any]\ncommonName = supplied\n";

impl Certificates {
    /// A certificate for a host, from one time to another, both as `YYYYMMDDHHMMSSZ`.
    pub fn new(host: &str, from: &str, until: &str) -> Certificates {
        let folder = tempfile::Builder::new().prefix("quittance-certificates-").tempdir().unwrap();
        let made = Certificates { folder };
        let write = |name: &str, text: &str| std::fs::write(made.path(name), text).unwrap();
        write("authority.cnf", AUTHORITY);
        write("host.cnf", &format!("subjectAltName = DNS:{host}\n"));
        write("index", "");
        write("serial", "01\n");
        for authority in ["ca", "other-ca"] {
            let (key, pem) = (format!("{authority}.key"), format!("{authority}.pem"));
            let name = format!("/CN={authority}");
            let mut new = vec!["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
            new.extend(["-nodes", "-days", "3650", "-subj", &name, "-keyout", &key, "-out", &pem]);
            made.run(&new);
        }
        let mut ask = vec!["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        ask.extend(["-subj", "/CN=books", "-keyout", "server.key", "-out", "server.csr"]);
        made.run(&ask);
        let mut sign =
            vec!["ca", "-batch", "-config", "authority.cnf", "-cert", "ca.pem", "-keyfile", "ca.key"];
        sign.extend(["-in", "server.csr", "-out", "server.pem", "-notext", "-extfile", "host.cnf"]);
        sign.extend(["-startdate", from, "-enddate", until]);
        made.run(&sign);
        made
    }

    fn run(&self, arguments: &[&str]) {
        let mut command = as_nobody(Path::new("openssl"), self.folder.path());
        let done = command.args(arguments).env("RANDFILE", "random").stdin(Stdio::null()).output();
        let done = done.unwrap_or_else(|error| panic!("openssl, of the package of that name: {error}"));
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// The path of one of the files.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What tells a server to speak TLS with them.
    pub fn settings(&self) -> [String; 3] {
        let named = |setting: &str, name: &str| format!("{setting}={}", self.path(name).display());
        ["ssl=on".to_owned(), named("ssl_cert_file", "server.pem"), named("ssl_key_file", "server.key")]
    }
}
