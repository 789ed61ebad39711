//! Where the books to measure on lie: files in a folder, or databases of a PostgreSQL server.

use crate::books::{Shape, make};
use crate::failure::Failure;
use crate::meter::Meter;
use crate::{asking, device};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A place for books, which are made once and kept for the next time.
pub(crate) enum Place {
    /// Files of SQLite.
    Folder(PathBuf),
    /// A server.
    Server {
        /// Its address with the name of a database left out, as `{}`.
        pattern: String,
        /// Where its data is, if it is ours.
        data: Option<PathBuf>,
    },
}

/// What the private server runs with: as on a machine of its own, durable in every way. A quarter of the
/// memory goes to its buffers beside these, as PostgreSQL's manual has it.
const SETTINGS: &[&str] = &["max_wal_size=8GB", "checkpoint_timeout=30min", "random_page_cost=1.1"];

/// The file in which a server that runs keeps the number of its first process.
pub(crate) const PID_FILE: &str = "postmaster.pid";

/// Reads every table and index into the buffers, as far as they go.
const PREWARM: &str = "create extension if not exists pg_prewarm;
     select sum(pg_prewarm(oid)) from pg_class
     where relkind in ('r', 'i') and relnamespace = current_schema()::regnamespace";

impl Place {
    /// The place that `--database` names: files if it names none, a server of its own beside them for
    /// `postgres`, or somebody's server.
    pub(crate) fn new(folder: PathBuf, database: Option<&str>) -> Result<Place, Failure> {
        let data = folder.join("postgres/data");
        let (address, data) = match database {
            None => return Ok(Place::Folder(folder)),
            Some("postgres") => (private_server(&folder)?, Some(data)),
            Some(address) if testbed::is_url(address) => (address.to_owned(), None),
            Some(_) => return Err("--database is postgres, or the URL of a server".into()),
        };
        let (start, query) = address.split_once('?').unwrap_or((&address, ""));
        let (host, _) = start.rsplit_once('/').ok_or("a URL without a database")?;
        Ok(Place::Server { pattern: format!("{host}/{{}}?{query}"), data })
    }

    /// The number of the server's first process, if it is ours.
    pub(crate) fn postmaster(&self) -> Option<u32> {
        match self {
            Place::Folder(_) | Place::Server { data: None, .. } => None,
            Place::Server { data: Some(data), .. } => {
                std::fs::read_to_string(data.join(PID_FILE)).ok()?.lines().next()?.trim().parse().ok()
            }
        }
    }

    /// Begins to measure processor time.
    pub(crate) fn meter(&self) -> Meter {
        Meter::begin(self.postmaster())
    }

    /// Whether it is a server.
    pub(crate) fn is_server(&self) -> bool {
        matches!(self, Place::Server { .. })
    }

    /// What keeps the books.
    pub(crate) async fn describe(&self) -> Result<String, Failure> {
        match self {
            Place::Folder(_) => Ok(format!("SQLite {}", rusqlite::version())),
            Place::Server { .. } => {
                let client = asking::connect(&self.address("postgres")?).await?;
                let version: String = client.query_one("show server_version", &[]).await?.get(0);
                let commit: String = client.query_one("show synchronous_commit", &[]).await?.get(0);
                let sync: String = client.query_one("show fsync", &[]).await?.get(0);
                Ok(format!("PostgreSQL {version}, fsync {sync}, synchronous_commit {commit}"))
            }
        }
    }

    /// The address of books with this name.
    pub(crate) fn address(&self, name: &str) -> Result<String, Failure> {
        match self {
            Place::Folder(folder) => {
                let path = folder.join(format!("{name}.db"));
                Ok(path.to_str().ok_or("a path that is not UTF-8")?.to_owned())
            }
            Place::Server { pattern, .. } => Ok(pattern.replace("{}", &name.replace('-', "_"))),
        }
    }

    /// The address of books of a shape, made if they are not there yet.
    pub(crate) async fn books(&self, shape: Shape) -> Result<String, Failure> {
        let name = shape.name();
        let address = self.address(&name)?;
        if !self.is_there(&name).await? {
            let unfinished = format!("{name}-unfinished");
            self.remove(&unfinished).await?;
            if let Place::Server { .. } = self {
                self.manage(&format!("create database {}", database(&unfinished))).await?;
            }
            make(&self.hasty(&unfinished)?, shape).await?;
            self.rename(&unfinished, &name).await?;
        }
        Ok(address)
    }

    /// Copies books to another name, and says where the copy is.
    pub(crate) async fn copy(&self, shape: Shape, name: &str) -> Result<String, Failure> {
        self.copy_of(&shape.name(), name).await
    }

    /// Copies books that nobody has open from one name to another, and says where the copy is.
    pub(crate) async fn copy_of(&self, from_name: &str, name: &str) -> Result<String, Failure> {
        self.remove(name).await?;
        let (from, to) = (self.address(from_name)?, self.address(name)?);
        match self {
            Place::Folder(_) => {
                std::fs::copy(&from, &to)?;
                // Neither side pays for writing the copy itself.
                std::fs::File::open(&to)?.sync_all()?;
            }
            Place::Server { .. } => {
                let (from, to) = (database(from_name), database(name));
                self.manage(&format!("create database {to} template {from} strategy file_copy")).await?;
                self.manage("checkpoint").await?;
            }
        }
        Ok(to)
    }

    /// Removes books.
    pub(crate) async fn remove(&self, name: &str) -> Result<(), Failure> {
        let address = self.address(name)?;
        if let Place::Server { .. } = self {
            return self.manage(&format!("drop database if exists {} with (force)", database(name))).await;
        }
        for suffix in ["", "-wal", "-shm"] {
            match std::fs::remove_file(format!("{address}{suffix}")) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Reads books to their end, so that what is measured next is not the disk's first touch of them.
    pub(crate) async fn warm(&self, address: &str) -> Result<(), Failure> {
        if let Place::Folder(_) = self {
            std::io::copy(&mut std::fs::File::open(address)?, &mut std::io::sink())?;
            return Ok(());
        }
        // Of what is new the server learns the statistics that it plans by.
        let client = asking::connect(address).await?;
        client.batch_execute("vacuum (analyze, freeze)").await?;
        let has_prewarm = "select 1 from pg_available_extensions where name = 'pg_prewarm'";
        if client.query_opt(has_prewarm, &[]).await?.is_some() {
            client.batch_execute(PREWARM).await?;
        }
        Ok(())
    }

    /// How many bytes books take on the disk.
    pub(crate) async fn bytes(&self, address: &str) -> Result<i64, Failure> {
        match self {
            Place::Folder(_) => Ok(i64::try_from(std::fs::metadata(address)?.len())?),
            Place::Server { .. } => {
                let client = asking::connect(address).await?;
                Ok(client.query_one("select pg_database_size(current_database())", &[]).await?.get(0))
            }
        }
    }

    async fn is_there(&self, name: &str) -> Result<bool, Failure> {
        match self {
            Place::Folder(_) => Ok(Path::new(&self.address(name)?).exists()),
            Place::Server { .. } => {
                let client = asking::connect(&self.address("postgres")?).await?;
                let found = "select 1 from pg_database where datname = $1";
                Ok(client.query_opt(found, &[&database(name)]).await?.is_some())
            }
        }
    }

    async fn rename(&self, from: &str, to: &str) -> Result<(), Failure> {
        match self {
            Place::Folder(_) => Ok(std::fs::rename(self.address(from)?, self.address(to)?)?),
            Place::Server { .. } => {
                self.manage(&format!("alter database {} rename to {}", database(from), database(to))).await
            }
        }
    }

    /// The address under which books are made: what is lost is made again, so nothing waits for the disk.
    fn hasty(&self, name: &str) -> Result<String, Failure> {
        let address = self.address(name)?;
        Ok(match self {
            Place::Folder(_) => address,
            Place::Server { .. } => format!("{address}&options=-c%20synchronous_commit%3Doff"),
        })
    }

    async fn manage(&self, sql: &str) -> Result<(), Failure> {
        Ok(asking::connect(&self.address("postgres")?).await?.batch_execute(sql).await?)
    }
}

fn database(name: &str) -> String {
    name.replace('-', "_")
}

/// A server whose databases are kept from run to run. It ends with this process.
fn private_server(folder: &Path) -> Result<String, Failure> {
    static SERVER: OnceLock<Result<testbed::Server, String>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let buffers =
            format!("shared_buffers={}MB", device::memory_megabytes().map_err(|e| e.to_string())? / 4);
        let settings = [SETTINGS, &[&buffers]].concat();
        let started = testbed::Server::start_in(&folder.join("postgres"), &settings);
        started.map_err(|missing| missing.to_string())
    });
    Ok(server.as_ref().map_err(Clone::clone)?.address())
}
