//! `quittance migrate`.

use super::books::BooksArgs;
use anyhow::Context;
use clap::Args;
use store::{Options, Store};

#[derive(Debug, Args)]
pub(super) struct Migrate {
    /// List what would be done, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Make the schema of an empty PostgreSQL database with the tables of customers cut into so many hash
    /// partitions by their shard; `init` or `copy` fills it.
    #[arg(long, value_name = "N", conflicts_with = "dry_run", value_parser = clap::value_parser!(u32).range(2..=64))]
    partitions: Option<u32>,
}

impl Migrate {
    pub(super) async fn run(self, args: &BooksArgs) -> anyhow::Result<()> {
        let address = args.address()?;
        let cannot = || format!("cannot open {}", args.label());
        let pending = Store::pending(address).await.with_context(cannot)?;
        if pending.is_empty() && self.partitions.is_none() {
            println!("{}: the schema is up to date", args.label());
            return Ok(());
        }
        if let Some(partitions) = self.partitions {
            Store::make_partitioned(address, partitions).await.with_context(cannot)?;
            println!("{}: the tables of customers are cut into {partitions} partitions", args.label());
        } else if !self.dry_run {
            Store::connect(address, Options::default()).await.with_context(cannot)?.close().await?;
        }
        let done = if self.dry_run { "would apply" } else { "applied" };
        for migration in pending {
            println!("{}: {done} {:04} {}", args.label(), migration.number, migration.name);
        }
        Ok(())
    }
}
