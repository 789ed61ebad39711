//! `quittance nodes`.

use super::books::BooksArgs;
use super::host::Host;
use crate::serve::LEASE_SECONDS;
use billing::timestamp::Timestamp;
use clap::Args;
use std::collections::BTreeSet;
use store::Holding;

#[derive(Debug, Args)]
pub(super) struct Nodes {}

impl Nodes {
    pub(super) async fn run(self, args: &BooksArgs, host: &Host) -> anyhow::Result<()> {
        let app = args.open_existing(host).await?;
        if args.file().is_some() {
            println!("{} is a file: one server has all of it", args.label());
            return Ok(());
        }
        let now = app.real_now();
        let holdings = app.engine.store().holdings().await?;
        let spread = app.engine.store().spreading();
        println!(
            "{} has {} shards, by {}, and {} servers",
            args.label(),
            spread.shards,
            spread.by.as_str(),
            holdings.iter().filter(|holding| holding.is_there(now, LEASE_SECONDS)).count()
        );
        let mut free: BTreeSet<i64> = (0..spread.shards).collect();
        for holding in holdings {
            println!("{}: {}", holding.node.name, state(&holding, now));
            for (shard, _) in holding.held(now) {
                free.remove(&shard);
            }
        }
        if !free.is_empty() {
            println!("held by nobody, {}", format_shards(free));
        }
        app.engine.store().close().await?;
        Ok(())
    }
}

fn state(holding: &Holding, now: Timestamp) -> String {
    let seconds = |micros: i64| micros.max(0) / 1_000_000;
    let silent = seconds(now.micros() - holding.seen_at.micros());
    if !holding.is_there(now, LEASE_SECONDS) {
        return format!("gone, was seen {silent} s ago");
    }
    if !holding.bills {
        return format!("seen {silent} s ago, answers and does not bill");
    }
    let left = holding.held(now).map(|(_, until)| seconds(until.micros() - now.micros())).min();
    let shards = format_shards(holding.held(now).map(|(shard, _)| shard));
    format!("seen {silent} s ago, leased for {} s more, {shards}", left.unwrap_or(0))
}

fn format_shards(shards: impl IntoIterator<Item = i64>) -> String {
    let shards: Vec<String> = shards.into_iter().map(|shard| shard.to_string()).collect();
    format!("{} shards: {}", shards.len(), shards.join(" "))
}
