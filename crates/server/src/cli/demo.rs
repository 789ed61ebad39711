//! `quittance demo`.

use super::books::BooksArgs;
use super::host::Host;
use crate::app::{App, Limits};
use crate::auth::authenticator::Authenticator;
use crate::demo::passes::{self, Passes};
use crate::demo::plan::{CUSTOMERS_MAX, DemoPlan, MONTHS_MAX};
use crate::demo::{story, subjects};
use crate::serve::{ServeOptions, Server, asked_to_stop};
use anyhow::Context;
use billing::id::Ids;
use clap::Args;
use engine::Engine;
use gateway::Sandbox;
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{Store, Synchronous};
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;

/// Where a demo's books lie if no file is named.
const FILE: &str = "quittance-demo.db";

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// How many months of trade.
    #[arg(long, default_value_t = 24, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MONTHS_MAX)))]
    months: u32,
    /// How many customers.
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(CUSTOMERS_MAX)))]
    customers: u32,
    /// The same seed makes the same books.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Where to listen; port 0 lets the kernel pick one.
    #[arg(long, env = "QUITTANCE_ADDR", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    addr: SocketAddr,
    /// Print one line of JSON once it is ready, and nothing else.
    #[arg(long)]
    json: bool,
}

impl Demo {
    pub(super) async fn run(self, args: &BooksArgs, host: &Host) -> anyhow::Result<()> {
        let plan = DemoPlan::new(self.months, self.customers, self.seed).map_err(anyhow::Error::msg)?;
        // An address that is taken is better known before the building than after.
        drop(TcpListener::bind(self.addr).with_context(|| format!("cannot listen on {}", self.addr))?);
        let is_named = args.db.is_some() || args.database.is_some();
        let args = match is_named {
            true => args.clone(),
            false => BooksArgs { db: Some(PathBuf::from(FILE)), ..args.clone() },
        };
        let _lock = args.lock()?;
        let (app, passes) = match args.file() {
            Some(path) if is_named && path.exists() => self.open_again(&args, host, plan).await?,
            Some(path) => {
                let passes = self.make(&args, host, plan, path).await?;
                (args.open_with_secrets(host, Limits::default()).await?, passes)
            }
            None => self.fill(&args, host, plan).await?,
        };
        let server = Server::bind(app, self.addr, ServeOptions::default())
            .await
            .with_context(|| format!("cannot listen on {}", self.addr))?;
        let stop = asked_to_stop();
        let (url, database, named) =
            (format!("http://{}", server.address()?), args.label(), args.as_option());
        if self.json {
            println!("{}", passes.json(&url, &database));
        } else {
            println!("{}", passes.commands(&url));
            println!("Quittance serves the demo ({plan}) from {database} on {url}.");
            println!("Its books have a clock of their own, which stands where the story ends.");
            println!("Stop it with Ctrl-C; `quittance serve {named}` goes on with the same");
            println!("books and credentials, and `quittance audit {named}` checks them.");
        }
        server.run(stop).await?;
        Ok(())
    }

    /// Serves books that were named and are there, if they hold the very demo that is asked for.
    async fn open_again(
        &self,
        args: &BooksArgs,
        host: &Host,
        plan: DemoPlan,
    ) -> anyhow::Result<(App, Passes)> {
        let app = args.open(host, Limits::default()).await?;
        anyhow::ensure!(
            passes::are_for(&app.engine, plan).await?,
            "{} exists and does not hold the demo of {plan}: name others, or remove these",
            args.label()
        );
        tracing::info!(database = args.label(), "the demo is there already");
        app.engine.store().close().await?;
        let app = args.open_with_secrets(host, Limits::default()).await?;
        let passes = issue(&app.engine, &app.authenticator, host, plan).await?;
        Ok((app, passes))
    }

    /// Builds the books beside the file and moves them there when they are whole.
    async fn make(
        &self,
        args: &BooksArgs,
        host: &Host,
        plan: DemoPlan,
        path: &Path,
    ) -> anyhow::Result<Passes> {
        let draft = with_suffix(path, ".building");
        remove(&draft)?;
        // The disk is not waited for: what is not finished is built anew.
        let options = store::Options { synchronous: Synchronous::Off, ..store::Options::default() };
        let store =
            Store::open(&draft, options).with_context(|| format!("cannot make {}", draft.display()))?;
        let engine = Engine::new(store, Arc::new(Sandbox::default()), Ids::seeded(plan.seed()));
        build(args, &engine, plan).await?;
        let secrets = args.secrets(host)?;
        let authenticator = Authenticator::new(secrets.jwt_key, secrets.pepper);
        let passes = issue(&engine, &authenticator, host, plan).await?;
        engine.store().close().await?;
        File::open(&draft)?.sync_all()?;
        // Closing has moved the log into the file: what lies beside it is empty.
        remove_beside(&draft)?;
        remove(path)?;
        fs::rename(&draft, path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(passes)
    }

    /// Builds the books in an empty database of a server, or serves them if they are there.
    async fn fill(&self, args: &BooksArgs, host: &Host, plan: DemoPlan) -> anyhow::Result<(App, Passes)> {
        let store = Store::connect(args.address()?, store::Options::default())
            .await
            .with_context(|| format!("cannot open {}", args.label()))?;
        let engine = Engine::new(store, Arc::new(Sandbox::default()), Ids::seeded(plan.seed()));
        if !engine.environments().await?.is_empty() {
            engine.store().close().await?;
            return self.open_again(args, host, plan).await;
        }
        build(args, &engine, plan).await?;
        let secrets = args.secrets(host)?;
        let authenticator = Authenticator::new(secrets.jwt_key, secrets.pepper);
        let passes = issue(&engine, &authenticator, host, plan).await?;
        engine.store().close().await?;
        Ok((args.open_with_secrets(host, Limits::default()).await?, passes))
    }
}

async fn build(args: &BooksArgs, engine: &Engine, plan: DemoPlan) -> anyhow::Result<()> {
    tracing::info!(database = args.label(), %plan, "building the demo");
    let bar = progress_bar();
    let tell = |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    };
    // Gateways that fall silent belong to the story; the log is for what happens from now on.
    let refused = story::build(engine, plan, &tell).with_subscriber(NoSubscriber::default()).await?;
    bar.finish_and_clear();
    tracing::info!(refused, "the demo is built");
    Ok(())
}

async fn issue(
    engine: &Engine,
    authenticator: &Authenticator,
    host: &Host,
    plan: DemoPlan,
) -> anyhow::Result<Passes> {
    let subjects = subjects::find(engine, plan).await?;
    let now = (host.clock.now)();
    Ok(passes::issue(engine, authenticator, &*host.entropy, now, plan, &subjects).await?)
}

/// A bar on a terminal, nothing elsewhere.
fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(1);
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} % of the trade, {eta} to go");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    PathBuf::from(path)
}

/// Removes a database file with what SQLite keeps beside it.
fn remove(path: &Path) -> anyhow::Result<()> {
    remove_file(path)?;
    remove_beside(path)
}

fn remove_beside(path: &Path) -> anyhow::Result<()> {
    remove_file(&with_suffix(path, "-wal"))?;
    remove_file(&with_suffix(path, "-shm"))
}

fn remove_file(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
