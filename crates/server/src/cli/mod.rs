//! The command line: what there is to say, and one file for every command.

mod books;
mod init;
mod secrets;
mod serve;
mod token;

use crate::app::{Clock, Entropy};
use billing::Ids;
use clap::{Args, Parser, Subcommand};
use engine::Engine;
use gateway::Sandbox;
use std::path::PathBuf;
use std::sync::Arc;
use store::{Options, Store};

pub use secrets::Secrets;

/// What every command fails with: words for the person at the terminal.
pub type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// Subscription billing that you run yourself: one program, one file of books, five published API
/// contracts answered from them.
#[derive(Debug, Parser)]
#[command(name = "quittance", version, max_term_width = 100)]
pub struct Cli {
    /// How much to log, to standard error: error, warn, info, debug, or a filter such as
    /// `info,engine=debug`.
    #[arg(long, global = true, env = "QUITTANCE_LOG", default_value = "info")]
    log: String,
    /// Write the log as JSON, a line for each event.
    #[arg(long, global = true, env = "QUITTANCE_LOG_JSON")]
    log_json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the books of an organization, its first staff and its first API key (printed once).
    Init(init::Init),
    /// Serve the five contracts and do what falls due.
    Serve(serve::Serve),
    /// Do everything that is due, once, without a server.
    Bill(books::Bill),
    /// Derive every invoice, balance, period and counter again and compare; fails at a disagreement.
    Audit(books::Audit),
    /// Issue, list and revoke API keys and tokens.
    #[command(subcommand)]
    Token(token::Token),
}

/// Where the books are.
#[derive(Debug, Clone, Args)]
pub struct Database {
    /// The file of the books.
    #[arg(long, value_name = "FILE", env = "QUITTANCE_DB", default_value = "quittance.db")]
    pub db: PathBuf,
}

/// What only `main.rs` can read: the time and random bytes.
#[derive(Clone)]
pub struct World {
    /// The real clock.
    pub clock: Clock,
    /// Random bytes.
    pub entropy: Entropy,
}

impl World {
    /// A random number.
    pub fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        (self.entropy)(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// The use cases over a store.
    pub fn engine(&self, store: Store) -> Engine {
        Engine::new(store, Arc::new(Sandbox::default()), Ids::seeded(self.random()))
    }
}

impl Database {
    /// Opens books that must be there already.
    ///
    /// # Errors
    /// If the file is not there or cannot be opened.
    pub fn open(&self, world: &World) -> Result<Engine, Box<dyn std::error::Error + Send + Sync>> {
        if !self.db.exists() {
            let name = self.db.display();
            return Err(format!("{name} is not there: `quittance init --db {name}` makes it").into());
        }
        Ok(world.engine(Store::open(&self.db, Options::default())?))
    }
}

/// Does what the command line says.
///
/// # Errors
/// Whatever went wrong, in words.
pub async fn run(cli: Cli, world: World) -> Outcome {
    log_to_stderr(&cli)?;
    match cli.command {
        Command::Init(command) => command.run(&world).await,
        Command::Serve(command) => command.run(&world).await,
        Command::Bill(command) => command.run(&world).await,
        Command::Audit(command) => command.run(&world).await,
        Command::Token(command) => command.run(&world).await,
    }
}

fn log_to_stderr(cli: &Cli) -> Outcome {
    let filter = tracing_subscriber::EnvFilter::try_new(&cli.log)?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if cli.log_json { subscriber.json().try_init() } else { subscriber.try_init() }
}
