//! `quittance demo`.

use super::{House, World};
use crate::app::{App, Limits};
use crate::auth::Authenticator;
use crate::demo::{self, CUSTOMERS_MAX, MONTHS_MAX, Passes, Plan};
use crate::serve::{Options, Server, asked_to_stop};
use anyhow::Context;
use billing::Ids;
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
    pub(super) async fn run(self, house: &House, world: &World) -> anyhow::Result<()> {
        let plan = Plan::new(self.months, self.customers, self.seed).map_err(anyhow::Error::msg)?;
        // An address that is taken is better known before the building than after.
        drop(TcpListener::bind(self.addr).with_context(|| format!("cannot listen on {}", self.addr))?);
        let is_named = house.db.is_some() || house.database.is_some();
        let house = match is_named {
            true => house.clone(),
            false => House { db: Some(PathBuf::from(FILE)), ..house.clone() },
        };
        let _lock = house.lock()?;
        let (app, passes) = match house.file() {
            Some(path) if is_named && path.exists() => self.open_again(&house, world, plan).await?,
            Some(path) => {
                let passes = self.make(&house, world, plan, path).await?;
                (house.open_with_secrets(world, Limits::default()).await?, passes)
            }
            None => self.fill(&house, world, plan).await?,
        };
        let server = Server::bind(app, self.addr, Options::default())
            .await
            .with_context(|| format!("cannot listen on {}", self.addr))?;
        let stop = asked_to_stop();
        let (url, database, named) = (format!("http://{}", server.address()?), house.shown(), house.named());
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
    async fn open_again(&self, house: &House, world: &World, plan: Plan) -> anyhow::Result<(App, Passes)> {
        let app = house.open(world, Limits::default()).await?;
        anyhow::ensure!(
            demo::is_of(&app.engine, plan).await?,
            "{} exists and does not hold the demo of {plan}: name others, or remove these",
            house.shown()
        );
        tracing::info!(database = house.shown(), "the demo is there already");
        app.engine.store().close().await?;
        let app = house.open_with_secrets(world, Limits::default()).await?;
        let passes = issue(&app.engine, &app.authenticator, world, plan).await?;
        Ok((app, passes))
    }

    /// Builds the books beside the file and moves them there when they are whole.
    async fn make(&self, house: &House, world: &World, plan: Plan, path: &Path) -> anyhow::Result<Passes> {
        let draft = with_suffix(path, ".building");
        remove(&draft)?;
        // The disk is not waited for: what is not finished is built anew.
        let options = store::Options { synchronous: Synchronous::Off, ..store::Options::default() };
        let store =
            Store::open(&draft, options).with_context(|| format!("cannot make {}", draft.display()))?;
        let engine = Engine::new(store, Arc::new(Sandbox::default()), Ids::seeded(plan.seed()));
        build(house, &engine, plan).await?;
        let secrets = house.secrets(world)?;
        let authenticator = Authenticator::new(secrets.jwt_key, secrets.pepper);
        let passes = issue(&engine, &authenticator, world, plan).await?;
        engine.store().close().await?;
        File::open(&draft)?.sync_all()?;
        // Closing has moved the log into the file: what lies beside it is empty.
        remove_beside(&draft)?;
        remove(path)?;
        fs::rename(&draft, path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(passes)
    }

    /// Builds the books in an empty database of a server, or serves them if they are there.
    async fn fill(&self, house: &House, world: &World, plan: Plan) -> anyhow::Result<(App, Passes)> {
        let store = Store::connect(house.address()?, store::Options::default())
            .await
            .with_context(|| format!("cannot open {}", house.shown()))?;
        let engine = Engine::new(store, Arc::new(Sandbox::default()), Ids::seeded(plan.seed()));
        if !engine.environments().await?.is_empty() {
            engine.store().close().await?;
            return self.open_again(house, world, plan).await;
        }
        build(house, &engine, plan).await?;
        let secrets = house.secrets(world)?;
        let authenticator = Authenticator::new(secrets.jwt_key, secrets.pepper);
        let passes = issue(&engine, &authenticator, world, plan).await?;
        engine.store().close().await?;
        Ok((house.open_with_secrets(world, Limits::default()).await?, passes))
    }
}

async fn build(house: &House, engine: &Engine, plan: Plan) -> anyhow::Result<()> {
    tracing::info!(database = house.shown(), %plan, "building the demo");
    let bar = progress_bar();
    let tell = |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    };
    // Gateways that fall silent belong to the story; the log is for what happens from now on.
    let refused = demo::build(engine, plan, &tell).with_subscriber(NoSubscriber::default()).await?;
    bar.finish_and_clear();
    tracing::info!(refused, "the demo is built");
    Ok(())
}

async fn issue(
    engine: &Engine,
    authenticator: &Authenticator,
    world: &World,
    plan: Plan,
) -> anyhow::Result<Passes> {
    let shown = demo::shown(engine, plan).await?;
    let now = (world.clock.now)();
    Ok(demo::issue(engine, authenticator, &*world.entropy, now, plan, &shown).await?)
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
