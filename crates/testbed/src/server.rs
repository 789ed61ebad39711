//! A private PostgreSQL on a port of this machine, from Debian's binaries.

use crate::keeper::{Keeper, Parting, as_nobody};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

/// A program is not on this machine: the one of this Debian package.
#[derive(Debug)]
pub struct Missing(pub &'static str);

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let package = self.0;
        write!(f, "there is no {package}: apt-get install --no-install-recommends {package}")
    }
}

/// What a server says when it takes connections.
const READY: &str = "ready to accept connections";

/// A server with a folder of its own. It ends, and the folder goes, when this is dropped or the process
/// that started it ends, however that ends.
#[derive(Debug)]
pub struct Server {
    port: u16,
    // It ends with this.
    _keeper: Keeper,
}

impl Server {
    /// Where Debian keeps the binaries; the newest version of several.
    ///
    /// # Errors
    /// If there are none.
    pub fn binaries() -> Result<PathBuf, Missing> {
        let versions = std::fs::read_dir("/usr/lib/postgresql").map_err(|_| Missing("postgresql"))?;
        let version = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
        let newest = versions
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|path| path.join("bin/initdb").exists())
            .max_by_key(version);
        Ok(newest.ok_or(Missing("postgresql"))?.join("bin"))
    }

    /// Starts a server that does not wait for the disk.
    ///
    /// # Errors
    /// If there are no binaries.
    pub fn start() -> Result<Server, Missing> {
        Server::start_with(&["fsync=off", "synchronous_commit=off", "full_page_writes=off"])
    }

    /// Starts a server with settings.
    ///
    /// # Errors
    /// If there are no binaries.
    pub fn start_with(settings: &[&str]) -> Result<Server, Missing> {
        let binaries = Server::binaries()?;
        let folder = tempfile::Builder::new().prefix("quittance-postgres-").tempdir().unwrap().keep();
        Ok(Server::run(&binaries, &folder, Parting { signal: "QUIT", folder_stays: false }, settings))
    }

    /// Starts a server whose folder stays, and is used again if it is there: its databases are made once.
    ///
    /// # Errors
    /// If there are no binaries.
    pub fn start_in(folder: &Path, settings: &[&str]) -> Result<Server, Missing> {
        let binaries = Server::binaries()?;
        std::fs::create_dir_all(folder).unwrap();
        Ok(Server::run(&binaries, folder, Parting { signal: "INT", folder_stays: true }, settings))
    }

    fn run(binaries: &Path, folder: &Path, parting: Parting, settings: &[&str]) -> Server {
        if !folder.join("data/PG_VERSION").exists() {
            let mut initdb = as_nobody(&binaries.join("initdb"), folder);
            initdb.args(["-D", "data", "-U", "postgres", "-A", "trust"]);
            let made = initdb.args(["-E", "UTF8", "--locale=C", "--no-sync"]).status().unwrap();
            assert!(made.success(), "initdb failed");
        }
        let program = binaries.join("postgres");
        // A port that was free a moment ago may be taken by another: then the next one is tried.
        for _ in 0..20 {
            let port = free_port();
            let place = format!("port={port}");
            let own =
                [&place, "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=500"];
            let settings = own.iter().chain(settings).flat_map(|setting| ["-c", setting]);
            let words = [program.to_str().unwrap(), "-D", "data"].into_iter().chain(settings);
            let words: Vec<String> = words.map(str::to_owned).collect();
            if let Some(keeper) = Keeper::of(&words, folder, READY, parting) {
                return Server { port, _keeper: keeper };
            }
        }
        panic!("PostgreSQL does not start: see {}", folder.join("log").display());
    }

    /// Its address, with the database that it always has.
    pub fn address(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}
