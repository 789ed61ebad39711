//! The command line: one file for every command.

mod audit;
mod backup;
mod bill;
mod copy;
mod demo;
mod held;
mod init;
mod migrate;
mod nodes;
mod restore;
mod serve;
mod token;

use crate::app::{App, Clock, Entropy, Limits, Parts};
use crate::secrets;
use anyhow::Context;
use billing::{Environment, Ids};
use clap::{Args, Parser, Subcommand, ValueEnum};
use engine::Engine;
use gateway::Sandbox;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{ServerLock, Store};

/// Subscription billing that a team runs itself: one program, one file of books.
///
/// Every option can also be set by the variable that stands beside it.
#[derive(Debug, Parser)]
#[command(name = "quittance", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    house: House,
    #[command(subcommand)]
    command: Command,
}

impl Cli {
    /// The database of the books, if they are not in a file.
    pub fn database(&self) -> Option<&str> {
        self.house.database.as_deref()
    }
}

/// What every command needs to know.
#[derive(Debug, Clone, Args)]
pub struct House {
    /// The file of the books; `init`, `demo` and `serve` make it if it does not exist [default: quittance.db, or
    /// quittance-demo.db of `demo`, which is made anew each time]
    #[arg(long, env = "QUITTANCE_DB", global = true, value_name = "FILE")]
    pub db: Option<PathBuf>,
    /// The database of the books, instead of a file: postgres://user:password@host1,host2/name, with
    /// sslmode (up to verify-full, with sslrootcert=FILE), target_session_attrs=read-write for several
    /// hosts, connections=N, and prepared_statements=false behind a pooler such as PgBouncer. Several
    /// servers can serve one database.
    #[arg(long, env = "QUITTANCE_DATABASE", global = true, hide_env_values = true, value_name = "URL")]
    pub database: Option<String>,
    /// Where secrets that are not given are made once and kept [default: FILE.secret beside the books,
    /// or quittance.secret; all servers of one database must have the same]
    #[arg(long, env = "QUITTANCE_SECRET_FILE", global = true, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// Signs tokens: at least 16 bytes. Made once and kept in FILE.secret if not given.
    #[arg(long, env = "QUITTANCE_JWT_KEY", global = true, hide_env_values = true, value_name = "SECRET")]
    pub jwt_key: Option<String>,
    /// Goes into the hashes of API keys: at least 16 bytes. Made once and kept in FILE.secret if not given.
    #[arg(long, env = "QUITTANCE_PEPPER", global = true, hide_env_values = true, value_name = "SECRET")]
    pub pepper: Option<String>,
    /// How much is logged: error, warn, info, debug, or filters like server=debug.
    #[arg(long, env = "QUITTANCE_LOG", default_value = "info", global = true, value_name = "FILTER")]
    pub log: String,
    /// How log lines look; they go to the standard error.
    #[arg(long, env = "QUITTANCE_LOG_FORMAT", default_value = "text", global = true)]
    pub log_format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// See it work: build an organization's trade by running through simulated time, and serve it.
    Demo(demo::Demo),
    /// Make the books of an organization, with its first staff and an API key that is shown once.
    Init(init::Init),
    /// Serve the five contracts and the merchant API, and bill what falls due.
    Serve(serve::Serve),
    /// Finish everything that is due, once, and say what was done.
    Bill(bill::Bill),
    /// Derive every invoice, balance, period and counter again, and fail where the books disagree.
    Audit(audit::Audit),
    /// Bring the schema of the books up to date, as every other command does when it opens them.
    Migrate(migrate::Migrate),
    /// Make a verified copy of a file of books, also while it is served.
    ///
    /// The backup is one file with all of the books as they stand at one instant. A server may go on serving
    /// them. Before the file gets its name it is read, held to its schema and audited.
    ///
    /// Not in it: the secrets. Keep FILE.secret (or the values of QUITTANCE_JWT_KEY and QUITTANCE_PEPPER)
    /// too, apart from the backups: without them the books are whole, but no API key and no token opens them.
    Backup(backup::Backup),
    /// Put a backup in the place of a file of books.
    ///
    /// The backup is copied beside its later place, read, held to its schema and audited there, and only then
    /// moved: a restore that fails or is interrupted leaves what was there before. No server may have the
    /// books.
    ///
    /// A backup does not hold the secrets: put FILE.secret back beside the books, or set QUITTANCE_JWT_KEY
    /// and QUITTANCE_PEPPER, so that API keys and tokens hold.
    Restore(restore::Restore),
    /// Move books between a file and a PostgreSQL database, either way.
    ///
    /// Every row is copied as it is, then read again on both sides and compared, and the copy is audited.
    /// Stop the servers of the source first; the copy fails if the source changes meanwhile.
    ///
    /// A copy that was interrupted is finished by the same command. Until then nothing serves or bills it.
    ///
    /// Not in the books: the secrets. Give the servers of the copy the same (FILE.secret, or
    /// QUITTANCE_JWT_KEY and QUITTANCE_PEPPER), so that API keys and tokens hold.
    Copy(copy::Copy),
    /// Say which servers share the books of a database, and which shards each of them bills.
    Nodes(nodes::Nodes),
    /// Give out, list and take back API keys and tokens.
    Token(token::Token),
}

/// What only `main` may touch: the clock and randomness.
#[derive(Clone)]
pub struct World {
    /// The real clock.
    pub clock: Clock,
    /// Random bytes.
    pub entropy: Entropy,
}

/// Runs the command that the arguments name.
///
/// # Errors
/// If it fails; the message is for the person who typed it.
pub async fn run(cli: Cli, world: World) -> anyhow::Result<()> {
    start_log(&cli.house)?;
    match cli.command {
        Command::Demo(demo) => demo.run(&cli.house, &world).await,
        Command::Init(init) => init.run(&cli.house, &world).await,
        Command::Serve(serve) => serve.run(&cli.house, &world).await,
        Command::Bill(bill) => bill.run(&cli.house, &world).await,
        Command::Audit(audit) => audit.run(&cli.house, &world).await,
        Command::Migrate(migrate) => migrate.run(&cli.house).await,
        Command::Backup(backup) => backup.run(&cli.house).await,
        Command::Restore(restore) => restore.run(&cli.house).await,
        Command::Copy(copy) => copy.run(&world).await,
        Command::Nodes(nodes) => nodes.run(&cli.house, &world).await,
        Command::Token(token) => token.run(&cli.house, &world).await,
    }
}

fn start_log(house: &House) -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(&house.log)
        .with_context(|| format!("{:?} is not a log filter", house.log))?;
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(is_terminal);
    let started = match house.log_format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("the log cannot be started: {error}"))
}

impl House {
    /// Where the books are: the path of a file, or the URL of a database.
    ///
    /// # Errors
    /// If both are named, or a path is not valid UTF-8.
    pub fn address(&self) -> anyhow::Result<&str> {
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
    pub fn file(&self) -> Option<&Path> {
        let address = self.address().ok()?;
        (!store::is_url(address)).then_some(Path::new(address))
    }

    /// Where the books are, as anybody may read it.
    pub fn shown(&self) -> String {
        self.address().map(store::shown).unwrap_or_default()
    }

    /// How a person names these books to another command.
    pub fn named(&self) -> String {
        let option = if self.file().is_some() { "--db" } else { "--database" };
        format!("{option} {}", self.shown())
    }

    /// Keeps other servers off a file: they would not see what this one keeps in memory. Those of a
    /// database see what they need there.
    ///
    /// # Errors
    /// If another has it.
    pub fn lock(&self) -> Result<Option<ServerLock>, store::Error> {
        self.file().map(ServerLock::acquire).transpose()
    }

    /// The secrets of these books.
    ///
    /// # Errors
    /// If they cannot be read or made.
    pub fn secrets(&self, world: &World) -> Result<secrets::Secrets, secrets::Error> {
        secrets::load(&self.kept_secrets(), self.jwt_key.as_deref(), self.pepper.as_deref(), &*world.entropy)
    }

    /// Where what is not given of them is kept.
    fn kept_secrets(&self) -> PathBuf {
        match (&self.secret_file, self.file()) {
            (Some(file), _) => file.clone(),
            (None, Some(books)) => secrets::file_of(books),
            (None, None) => PathBuf::from("quittance.secret"),
        }
    }

    /// Whether the secrets are given or kept.
    pub fn has_secrets(&self) -> bool {
        (self.jwt_key.is_some() && self.pepper.is_some()) || self.kept_secrets().exists()
    }

    /// Opens the books for somebody who makes and checks no API keys or tokens: without secrets, if there are
    /// none.
    ///
    /// # Errors
    /// If the books or the secrets cannot be read.
    pub async fn open(&self, world: &World, limits: Limits) -> anyhow::Result<App> {
        let store = self.open_store().await?;
        let secrets =
            if self.has_secrets() { self.secrets(world)? } else { secrets::passing(&*world.entropy) };
        Ok(self.app(store, world, limits, secrets))
    }

    async fn open_store(&self) -> anyhow::Result<Store> {
        let store = Store::connect(self.address()?, store::Options::default())
            .await
            .with_context(|| format!("cannot open {}", self.shown()))?;
        anyhow::ensure!(
            !store::copy::is_unfinished(&store).await?,
            "{} is a copy that was not finished: run the same `quittance copy` again",
            self.shown()
        );
        Ok(store)
    }

    /// What serves books that are open.
    fn app(&self, store: Store, world: &World, limits: Limits, secrets: secrets::Secrets) -> App {
        let mut seed = [0; 8];
        (world.entropy)(&mut seed);
        let ids = Ids::seeded(u64::from_le_bytes(seed));
        App::new(Parts {
            engine: Engine::new(store, Arc::new(Sandbox::default()), ids).several_shards_at_once(),
            clock: world.clock.clone(),
            entropy: world.entropy.clone(),
            jwt_key: secrets.jwt_key,
            pepper: secrets.pepper,
            limits,
        })
    }

    /// As [`House::open`], of books that exist.
    ///
    /// # Errors
    /// Also if there are none.
    pub async fn open_existing(&self, world: &World) -> anyhow::Result<App> {
        self.must_exist().await?;
        self.open(world, Limits::default()).await
    }

    async fn must_exist(&self) -> anyhow::Result<()> {
        let is_there = match self.file() {
            Some(file) => file.exists(),
            None => Store::is_there(self.address()?)
                .await
                .with_context(|| format!("cannot open {}", self.shown()))?,
        };
        anyhow::ensure!(is_there, "there are no books at {}: make them with `quittance init`", self.shown());
        Ok(())
    }
}

/// The environment of a number; without one the only environment that there is.
///
/// # Errors
/// If there is none, or several to choose from.
pub async fn environment(app: &App, number: Option<i64>) -> anyhow::Result<Environment> {
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
