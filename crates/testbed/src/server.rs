//! A private PostgreSQL on a port of this machine, from Debian's binaries.

use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

/// A program is not on this machine: the one of this Debian package.
#[derive(Debug)]
pub struct Missing(pub &'static str);

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let package = self.0;
        write!(f, "there is no {package}: apt-get install --no-install-recommends {package}")
    }
}

/// The user nobody, as whom the server runs if the tests are run by root, which it refuses.
const NOBODY: u32 = 65534;

/// A server with a folder of its own. It ends, and the folder goes, when this is dropped or the process
/// that started it ends, however that ends.
#[derive(Debug)]
pub struct Server {
    port: u16,
    // Its closing tells the keeper to end the server.
    leash: Option<ChildStdin>,
    keeper: Child,
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
        Ok(Server::run(&binaries, &folder, KEEPER, settings))
    }

    /// Starts a server whose folder stays, and is used again if it is there: its databases are made once.
    ///
    /// # Errors
    /// If there are no binaries.
    pub fn start_in(folder: &Path, settings: &[&str]) -> Result<Server, Missing> {
        let binaries = Server::binaries()?;
        std::fs::create_dir_all(folder).unwrap();
        let ended = folder.join("ended");
        if ended.exists() {
            std::fs::remove_file(ended).unwrap();
        }
        Ok(Server::run(&binaries, folder, KEEPER_OF_A_FOLDER, settings))
    }

    fn run(binaries: &Path, folder: &Path, watch: &str, settings: &[&str]) -> Server {
        let command = |program: &Path| as_nobody(program, folder);
        if !folder.join("data/PG_VERSION").exists() {
            let mut initdb = command(&binaries.join("initdb"));
            initdb.args(["-D", "data", "-U", "postgres", "-A", "trust"]);
            let made = initdb.args(["-E", "UTF8", "--locale=C", "--no-sync"]).status().unwrap();
            assert!(made.success(), "initdb failed");
        }
        // A port that was free a moment ago may be taken by another: then the next one is tried.
        for _ in 0..20 {
            let port = free_port();
            let mut keeper = command(Path::new("/bin/sh"));
            keeper.args(["-c", watch, "keeper"]).arg(binaries.join("postgres")).arg(folder);
            keeper.args(["-D", "data", "-c", &format!("port={port}"), "-c", "listen_addresses=127.0.0.1"]);
            keeper.args(["-c", "unix_socket_directories=", "-c", "max_connections=500"]);
            keeper.args(settings.iter().flat_map(|setting| ["-c", setting]));
            let log = std::fs::File::create(folder.join("log")).unwrap();
            let mut keeper = keeper.stdin(Stdio::piped()).stderr(log).spawn().unwrap();
            let leash = keeper.stdin.take();
            let server = Server { port, leash, keeper };
            if Server::answers(folder, port) {
                return server;
            }
            // Its keeper would take the folder away; it ends with this process.
            std::mem::forget(server);
            std::fs::remove_file(folder.join("ended")).unwrap();
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

    /// Waits until it takes connections; false if it ended.
    fn answers(folder: &Path, port: u16) -> bool {
        for _ in 0..1200 {
            if folder.join("ended").exists() {
                return false;
            }
            if is_ready(folder, port) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        false
    }
}

/// Runs the server until the standard input ends, then takes it and its folder away.
const KEEPER: &str = r#"
program=$1; folder=$2; shift 2
( "$program" "$@" </dev/null; : >"$folder/ended" ) &
cat >/dev/null
kill -QUIT "$(head -n 1 "$folder/data/postmaster.pid")" 2>/dev/null
wait
cd /
rm -rf "$folder"
"#;

/// The same for a folder that stays: the server ends in good order.
const KEEPER_OF_A_FOLDER: &str = r#"
program=$1; folder=$2; shift 2
( "$program" "$@" </dev/null; : >"$folder/ended" ) &
cat >/dev/null
kill -INT "$(head -n 1 "$folder/data/postmaster.pid")" 2>/dev/null
wait
"#;

/// A program that works in a folder, as somebody who owns nothing but that if the tests are run by root.
pub(crate) fn as_nobody(program: &Path, folder: &Path) -> Command {
    let is_root =
        std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let mut command = Command::new(program);
    command.current_dir(folder).stdout(Stdio::null());
    if is_root {
        chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Whether a server takes connections at a port: it says so in its file, which one that died may have
/// left behind with another port.
fn is_ready(folder: &Path, port: u16) -> bool {
    let said = std::fs::read_to_string(folder.join("data/postmaster.pid")).unwrap_or_default();
    let said: Vec<&str> = said.lines().map(str::trim).collect();
    said.get(3) == Some(&port.to_string().as_str()) && said.get(7) == Some(&"ready")
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.leash.take());
        let _ = self.keeper.wait();
    }
}
