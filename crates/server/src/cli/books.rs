//! Which books a command is about, and how they are opened.

use super::host::Host;
use crate::app::{App, AppParts, Limits};
use crate::secrets;
use anyhow::Context;
use billing::environment::Environment;
use billing::id::Ids;
use clap::{Args, ValueEnum};
use engine::Engine;
use gateway::Sandbox;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{ServerLock, Store};

/// What every command needs to know.
#[derive(Debug, Clone, Args)]
pub(super) struct BooksArgs {
    /// The file of the books; `init`, `demo` and `serve` make it if it does not exist [default: quittance.db, or
    /// quittance-demo.db of `demo`, which is made anew each time]
    #[arg(long, env = "QUITTANCE_DB", global = true, value_name = "FILE")]
    pub(super) db: Option<PathBuf>,
    /// The database of the books, instead of a file: postgres://user:password@host1,host2/name, with
    /// sslmode (up to verify-full, with sslrootcert=FILE), target_session_attrs=read-write for several
    /// hosts, connections=N, and prepared_statements=false behind a pooler such as PgBouncer. Several
    /// servers can serve one database.
    #[arg(long, env = "QUITTANCE_DATABASE", global = true, hide_env_values = true, value_name = "URL")]
    pub(super) database: Option<String>,
    /// Where secrets that are not given are made once and kept [default: FILE.secret beside the books,
    /// or quittance.secret; all servers of one database must have the same]
    #[arg(long, env = "QUITTANCE_SECRET_FILE", global = true, value_name = "FILE")]
    pub(super) secret_file: Option<PathBuf>,
    /// Signs tokens: at least 16 bytes. Made once and kept in FILE.secret if not given.
    #[arg(long, env = "QUITTANCE_JWT_KEY", global = true, hide_env_values = true, value_name = "SECRET")]
    pub(super) jwt_key: Option<String>,
    /// Goes into the hashes of API keys: at least 16 bytes. Made once and kept in FILE.secret if not given.
    #[arg(long, env = "QUITTANCE_PEPPER", global = true, hide_env_values = true, value_name = "SECRET")]
    pub(super) pepper: Option<String>,
    /// How much is logged: error, warn, info, debug, or filters like server=debug.
    #[arg(long, env = "QUITTANCE_LOG", default_value = "info", global = true, value_name = "FILTER")]
    pub(super) log: String,
    /// How log lines look; they go to the standard error.
    #[arg(long, env = "QUITTANCE_LOG_FORMAT", default_value = "text", global = true)]
    pub(super) log_format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl BooksArgs {
    /// Where the books are: the path of a file, or the URL of a database.
    ///
    /// # Errors
    /// If both are named, or a path is not valid UTF-8.
    pub(super) fn address(&self) -> anyhow::Result<&str> {
        match (&self.database, &self.db) {
            (Some(_), Some(_)) => anyhow::bail!("name the books by --db or by --database, not by both"),
            (Some(url), None) if store::is_url(url) => Ok(url),
            // What it says may hold a password.
            (Some(_), None) => anyhow::bail!("--database takes a URL: postgres://user:password@host/name"),
            (None, Some(file)) => {
                file.to_str().with_context(|| format!("{} is not valid UTF-8", file.display()))
            }
            (None, None) => Ok("quittance.db"),
        }
    }

    /// The file of the books; none if they are in a server's database.
    pub(super) fn file(&self) -> Option<&Path> {
        let address = self.address().ok()?;
        (!store::is_url(address)).then_some(Path::new(address))
    }

    /// Where the books are, as anybody may read it.
    pub(super) fn label(&self) -> String {
        self.address().map(store::address_label).unwrap_or_default()
    }

    /// How a person names these books to another command.
    pub(super) fn as_option(&self) -> String {
        let option = if self.file().is_some() { "--db" } else { "--database" };
        format!("{option} {}", self.label())
    }

    /// Keeps other servers off a file: they would not see what this one keeps in memory. Those of a
    /// database see what they need there.
    ///
    /// # Errors
    /// If another has it.
    pub(super) fn lock(&self) -> Result<Option<ServerLock>, store::Error> {
        self.file().map(ServerLock::acquire).transpose()
    }

    /// The secrets of these books.
    ///
    /// # Errors
    /// If they cannot be read or made.
    pub(super) fn secrets(&self, host: &Host) -> Result<secrets::Secrets, secrets::Error> {
        secrets::load(&self.kept_secrets(), self.jwt_key.as_deref(), self.pepper.as_deref(), &*host.entropy)
    }

    /// Where what is not given of them is kept.
    pub(super) fn kept_secrets(&self) -> PathBuf {
        match (&self.secret_file, self.file()) {
            (Some(file), _) => file.clone(),
            (None, Some(books)) => secrets::file_of(books),
            (None, None) => PathBuf::from("quittance.secret"),
        }
    }

    /// Whether the secrets are given or kept.
    pub(super) fn has_secrets(&self) -> bool {
        (self.jwt_key.is_some() && self.pepper.is_some()) || self.kept_secrets().exists()
    }

    /// Opens the books for somebody who makes and checks no API keys or tokens: without secrets, if there are
    /// none.
    ///
    /// # Errors
    /// If the books or the secrets cannot be read.
    pub(super) async fn open(&self, host: &Host, limits: Limits) -> anyhow::Result<App> {
        let store = self.open_store().await?;
        let secrets = if self.has_secrets() { self.secrets(host)? } else { secrets::passing(&*host.entropy) };
        Ok(self.app(store, host, limits, secrets))
    }

    /// Opens the books, whatever their secrets.
    ///
    /// # Errors
    /// If they cannot be read, or are half of a copy.
    pub(super) async fn open_store(&self) -> anyhow::Result<Store> {
        let store = Store::connect(self.address()?, store::Options::default())
            .await
            .with_context(|| format!("cannot open {}", self.label()))?;
        anyhow::ensure!(
            !store::copy::is_unfinished(&store).await?,
            "{} is a copy that was not finished: run the same `quittance copy` again",
            self.label()
        );
        Ok(store)
    }

    /// What serves books that are open.
    pub(super) fn app(&self, store: Store, host: &Host, limits: Limits, secrets: secrets::Secrets) -> App {
        let mut seed = [0; 8];
        (host.entropy)(&mut seed);
        let ids = Ids::seeded(u64::from_le_bytes(seed));
        App::new(AppParts {
            engine: Engine::new(store, Arc::new(Sandbox::default()), ids).several_shards_at_once(),
            clock: host.clock.clone(),
            entropy: host.entropy.clone(),
            jwt_key: secrets.jwt_key,
            pepper: secrets.pepper,
            limits,
        })
    }

    /// As [`BooksArgs::open`], of books that exist.
    ///
    /// # Errors
    /// Also if there are none.
    pub(super) async fn open_existing(&self, host: &Host) -> anyhow::Result<App> {
        self.must_exist().await?;
        self.open(host, Limits::default()).await
    }

    /// That there are books.
    ///
    /// # Errors
    /// If there are none.
    pub(super) async fn must_exist(&self) -> anyhow::Result<()> {
        let is_there = match self.file() {
            Some(file) => file.exists(),
            None => Store::is_there(self.address()?)
                .await
                .with_context(|| format!("cannot open {}", self.label()))?,
        };
        anyhow::ensure!(is_there, "there are no books at {}: make them with `quittance init`", self.label());
        Ok(())
    }
}

/// The environment of a number; without one the only environment that there is.
///
/// # Errors
/// If there is none, or several to choose from.
pub(super) async fn environment(app: &App, number: Option<i64>) -> anyhow::Result<Environment> {
    let all = app.engine.environments().await?;
    match number {
        Some(number) => {
            let found = all.into_iter().find(|environment| environment.number == number);
            found.with_context(|| format!("there is no environment {number}"))
        }
        None => {
            anyhow::ensure!(
                all.len() <= 1,
                "there are {} environments: say which with --environment",
                all.len()
            );
            all.into_iter().next().context("the books are empty: start with `quittance init`")
        }
    }
}
