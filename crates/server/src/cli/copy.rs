//! `quittance copy`.

use super::audit::{agreeing, audited};
use super::host::Host;
use crate::serve::LEASE_SECONDS;
use anyhow::Context;
use billing::id::Ids;
use billing::timestamp::Timestamp;
use clap::Args;
use engine::Engine;
use gateway::Sandbox;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::Path;
use std::sync::Arc;
use store::copy::{Compared, Failure, Progress, Stage};
use store::{Options, ServerLock, Store};

#[derive(Debug, Args)]
pub(super) struct Copy {
    /// The books: a file, or postgres://… as of --database.
    #[arg(long, env = "QUITTANCE_COPY_FROM", hide_env_values = true, value_name = "URL")]
    from: String,
    /// Where they go: a file that is not there, or an empty database.
    #[arg(long, env = "QUITTANCE_COPY_TO", hide_env_values = true, value_name = "URL")]
    to: String,
}

impl Copy {
    pub(super) async fn run(self, host: &Host) -> anyhow::Result<()> {
        let (from, to) = (store::address_label(&self.from), store::address_label(&self.to));
        anyhow::ensure!(self.from != self.to, "{from} cannot be copied into itself");
        let is_there = match file(&self.from) {
            Some(file) => file.exists(),
            None => Store::is_there(&self.from).await.with_context(|| format!("cannot open {from}"))?,
        };
        anyhow::ensure!(is_there, "there are no books at {from}");
        // A server would bill what is half there, or change what is being copied.
        let _source = lock(&self.from)?;
        let _target = lock(&self.to)?;
        let source = opened(&self.from).await?;
        let target = opened(&self.to).await?;
        for (store, name) in [(&source, &from), (&target, &to)] {
            unserved(store, (host.clock.now)()).await.with_context(|| format!("{name} is in use"))?;
        }
        let copied = copied(&source, &target).await;
        source.close().await?;
        target.close().await?;
        let rows = copied.with_context(|| format!("cannot copy {from} to {to}"))?;
        let engine = Engine::new(opened(&self.to).await?, Arc::new(Sandbox::default()), Ids::seeded(0));
        agreeing(&audited(&engine, None).await?)?;
        store::copy::finish(engine.store()).await?;
        engine.store().close().await?;
        println!("{to} is a copy of {from}: {rows} rows, each the same, and the books agree");
        Ok(())
    }
}

/// Copies and compares; answers the number of rows.
async fn copied(source: &Store, target: &Store) -> anyhow::Result<u64> {
    let bar = progress_bar();
    let compared = store::copy::run(source, target, &|progress| show(&bar, progress)).await;
    bar.finish_and_clear();
    let compared = match compared {
        Err(Failure::Changed) => anyhow::bail!(
            "{}: by a server that was started since, or a command. Stop it, empty the target, and copy again",
            Failure::Changed
        ),
        compared => compared?,
    };
    let differing = compared.iter().filter(|table| !table.agrees());
    let differing: Vec<String> = differing.map(describe_difference).collect();
    for table in &differing {
        println!("{table}");
    }
    anyhow::ensure!(
        differing.is_empty(),
        "{} tables differ: the source has changed since the copy began, or the target was written to. \
         Stop both, empty the target, and copy again",
        differing.len()
    );
    Ok(compared.iter().map(|table| table.rows[1]).sum())
}

/// That no server answers from the books of a database, or bills them.
async fn unserved(store: &Store, now: Timestamp) -> anyhow::Result<()> {
    let holdings = store.holdings().await?;
    let serving = holdings.iter().filter(|holding| holding.is_there(now, LEASE_SECONDS));
    let names: Vec<&str> = serving.map(|holding| holding.node.name.as_str()).collect();
    anyhow::ensure!(
        names.is_empty(),
        "stop the servers first: {} (one that was killed is gone {LEASE_SECONDS} seconds later)",
        names.join(", ")
    );
    Ok(())
}

async fn opened(address: &str) -> anyhow::Result<Store> {
    let opened = Store::connect(address, Options::default()).await;
    opened.with_context(|| format!("cannot open {}", store::address_label(address)))
}

fn lock(address: &str) -> Result<Option<ServerLock>, store::Error> {
    file(address).map(ServerLock::acquire).transpose()
}

fn file(address: &str) -> Option<&Path> {
    (!store::is_url(address)).then_some(Path::new(address))
}

fn describe_difference(table: &Compared) -> String {
    let [ours, theirs] = table.rows;
    let sums = match table.sums.as_slice() {
        [] => "no sums differ".to_owned(),
        columns => format!("the sums of {} differ", columns.join(", ")),
    };
    format!("{}: {ours} rows in the source, {theirs} in the target, {sums}", table.table)
}

/// A bar on a terminal, nothing elsewhere.
fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} rows {msg}, {eta} to go");
    ProgressBar::new(1).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn show(bar: &ProgressBar, progress: Progress) {
    let verb = match progress.stage {
        Stage::Copying => "copied",
        Stage::Comparing => "compared",
    };
    bar.set_length(progress.all);
    bar.set_position(progress.done);
    bar.set_message(format!("{verb}: {}", progress.table));
}
