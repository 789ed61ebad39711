//! `quittance nodes`.

use super::{House, World};
use clap::Args;

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
            holdings.len()
        );
        for holding in holdings {
            let seconds = |micros: i64| micros.max(0) / 1_000_000;
            let silent = seconds(now.micros() - holding.seen_at.micros());
            if !holding.bills {
                println!("{}: seen {silent} s ago, answers and does not bill", holding.node.name);
                continue;
            }
            let left = holding.shards.iter().map(|(_, until)| seconds(until.micros() - now.micros())).min();
            let shards: Vec<String> = holding.shards.iter().map(|(shard, _)| shard.to_string()).collect();
            println!(
                "{}: seen {silent} s ago, leased for {} s more, {} shards: {}",
                holding.node.name,
                left.unwrap_or(0),
                shards.len(),
                shards.join(" ")
            );
        }
        app.engine.store().close().await?;
        Ok(())
    }
}
