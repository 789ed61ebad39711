//! `quittance nodes`.

use super::{House, World};
use crate::serve::LEASE_SECONDS;
use billing::Timestamp;
use clap::Args;
use std::collections::BTreeSet;
use store::Holding;

#[derive(Debug, Args)]
pub(super) struct Nodes {}

impl Nodes {
    pub(super) async fn run(self, house: &House, world: &World) -> anyhow::Result<()> {
        let app = house.open_existing(world).await?;
        if house.file().is_some() {
            println!("{} is a file: one server has all of it", house.shown());
            return Ok(());
        }
        let now = app.real_now();
        let holdings = app.engine.store().holdings().await?;
        let spread = app.engine.store().spreading();
        println!(
            "{} has {} shards, by {}, and {} servers",
            house.shown(),
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
            println!("held by nobody, {}", listed(free));
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
    let shards = listed(holding.held(now).map(|(shard, _)| shard));
    format!("seen {silent} s ago, leased for {} s more, {shards}", left.unwrap_or(0))
}

fn listed(shards: impl IntoIterator<Item = i64>) -> String {
    let shards: Vec<String> = shards.into_iter().map(|shard| shard.to_string()).collect();
    format!("{} shards: {}", shards.len(), shards.join(" "))
}
