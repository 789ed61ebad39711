//! A private PgBouncer in front of a server, from Debian's package. It gives each transaction another
//! connection of the server.

use crate::Missing;
use crate::server::{as_nobody, free_port};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use tempfile::TempDir;

const PROGRAM: &str = "/usr/sbin/pgbouncer";

/// A pooler. It ends when this is dropped or the process that started it ends, however that ends.
#[derive(Debug)]
pub struct Pooler {
    port: u16,
    // Its closing tells the keeper to end the pooler.
    leash: Option<ChildStdin>,
    keeper: Child,
    _folder: TempDir,
}

impl Pooler {
    /// Whether there is a program to start.
    ///
    /// # Errors
    /// If there is none.
    pub fn program() -> Result<&'static Path, Missing> {
        let program = Path::new(PROGRAM);
        if program.exists() { Ok(program) } else { Err(Missing("pgbouncer")) }
    }

    /// Starts one with a few connections to the server of an address, far fewer than come to it.
    ///
    /// # Errors
    /// If there is no program.
    pub fn start(server: &str) -> Result<Pooler, Missing> {
        let program = Pooler::program()?;
        let port_of_server = port_of(server);
        // A port that was free a moment ago may be taken by another: then the next one is tried.
        for _ in 0..20 {
            let port = free_port();
            let folder = tempfile::Builder::new().prefix("quittance-pooler-").tempdir().unwrap();
            let settings = format!(
                "[databases]\n* = host=127.0.0.1 port={port_of_server} user=postgres\n[pgbouncer]\n\
                 listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
                 pool_mode = transaction\ndefault_pool_size = 3\nmax_client_conn = 500\n"
            );
            let file = folder.path().join("pgbouncer.ini");
            std::fs::write(&file, settings).unwrap();
            let mut keeper = as_nobody(Path::new("/bin/sh"), folder.path());
            keeper.args(["-c", KEEPER, "keeper"]).arg(program).arg(&file);
            let mut keeper = keeper.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let leash = keeper.stdin.take();
            let mut said = BufReader::new(keeper.stderr.take().unwrap()).lines().map_while(Result::ok);
            let is_up = said.any(|line| line.contains("process up"));
            let pooler = Pooler { port, leash, keeper, _folder: folder };
            if is_up {
                // A pipe that nobody reads would hold it up in the end.
                std::thread::spawn(move || said.for_each(drop));
                return Ok(pooler);
            }
        }
        panic!("PgBouncer does not start");
    }

    /// An address of the server behind it, through it: what keeps nothing from one transaction to the
    /// next.
    pub fn through(&self, address: &str) -> String {
        let port = format!(":{}/", port_of(address));
        format!("{}&prepared_statements=false", address.replacen(&port, &format!(":{}/", self.port), 1))
    }
}

fn port_of(address: &str) -> &str {
    let place = address.split('?').next().unwrap();
    place.rsplit_once('/').unwrap().0.rsplit_once(':').unwrap().1
}

/// Runs the pooler until the standard input ends.
const KEEPER: &str = r#"
"$@" </dev/null &
exec 2>/dev/null
cat >/dev/null
kill -TERM $!
wait
"#;

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.leash.take());
        let _ = self.keeper.wait();
    }
}
