//! `quittance migrate`.

use super::House;
use anyhow::Context;
use clap::Args;
use store::{Options, Store};

#[derive(Debug, Args)]
pub(super) struct Migrate {
    /// List what would be done, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Migrate {
    pub(super) async fn run(self, house: &House) -> anyhow::Result<()> {
        let address = house.address()?;
        let cannot = || format!("cannot open {}", house.shown());
        let pending = Store::pending(address).await.with_context(cannot)?;
        if pending.is_empty() {
            println!("{}: the schema is up to date", house.shown());
            return Ok(());
        }
        if !self.dry_run {
            Store::connect(address, Options::default()).await.with_context(cannot)?.close().await?;
        }
        let done = if self.dry_run { "would apply" } else { "applied" };
        for migration in pending {
            println!("{}: {done} {:04} {}", house.shown(), migration.number, migration.name);
        }
        Ok(())
    }
}
