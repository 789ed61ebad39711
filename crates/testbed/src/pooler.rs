//! A private PgBouncer in front of a server, from Debian's package. It gives each transaction another
//! connection of the server.

use crate::Missing;
use crate::keeper::{Keeper, Parting};
use crate::server::free_port;
use std::path::Path;

const PROGRAM: &str = "/usr/sbin/pgbouncer";

/// A pooler. It ends when this is dropped or the process that started it ends, however that ends.
#[derive(Debug)]
pub struct Pooler {
    port: u16,
    // It ends with this.
    _keeper: Keeper,
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
            let folder = tempfile::Builder::new().prefix("quittance-pooler-").tempdir().unwrap().keep();
            let settings = format!(
                "[databases]\n* = host=127.0.0.1 port={port_of_server} user=postgres\n[pgbouncer]\n\
                 listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
                 pool_mode = transaction\ndefault_pool_size = 3\nmax_client_conn = 500\n"
            );
            std::fs::write(folder.join("pgbouncer.ini"), settings).unwrap();
            let words = [program.to_str().unwrap(), "pgbouncer.ini"].map(str::to_owned);
            // To other signals it is deaf, or waits for those who are connected.
            let parting = Parting { signal: "TERM", folder_stays: false };
            if let Some(keeper) = Keeper::of(&words, &folder, "process up", parting) {
                return Ok(Pooler { port, _keeper: keeper });
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
