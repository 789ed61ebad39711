//! `quittance bill` and `quittance audit`: the books without a server.

use super::{Database, Outcome, World};
use billing::Timestamp;
use clap::Args;

/// Does what is due.
#[derive(Debug, Args)]
pub struct Bill {
    #[command(flatten)]
    database: Database,
    /// Up to when, as 2026-01-31 or 2026-01-31T12:00:00Z; now if not given. Test books are advanced
    /// to that time; live books are never billed before it has come.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only the books of this environment.
    #[arg(long, value_name = "NUMBER")]
    environment: Option<i64>,
}

impl Bill {
    pub(super) async fn run(self, world: &World) -> Outcome {
        let now = (world.clock.now)();
        let until = match &self.until {
            None => None,
            Some(text) => Some(Timestamp::parse(text).map_err(|error| format!("--until: {error}"))?),
        };
        let engine = self.database.open(world)?;
        let environments = engine.environments().await?;
        let wanted: Vec<_> = environments
            .into_iter()
            .filter(|books| self.environment.is_none_or(|number| number == books.number))
            .collect();
        if wanted.is_empty() {
            return Err("--environment: there are no such books".into());
        }
        for books in wanted {
            let number = books.number;
            let done = match (books.clock, until) {
                (Some(clock), until) => engine.advance_clock(number, until.unwrap_or(clock)).await?,
                (None, Some(until)) if until > now => {
                    let told = until.to_string();
                    return Err(format!(
                        "--until {told}: environment {number} is live, and that time has not come"
                    )
                    .into());
                }
                (None, until) => engine.run_due(number, until.unwrap_or(now)).await?,
            };
            println!(
                "environment {number}: {} subscription steps, {} retries, {} recovered",
                done.subscription_steps, done.retries, done.recovered
            );
        }
        engine.store().close().await?;
        Ok(())
    }
}

/// Derives the books again.
#[derive(Debug, Args)]
pub struct Audit {
    #[command(flatten)]
    database: Database,
}

impl Audit {
    pub(super) async fn run(self, world: &World) -> Outcome {
        let engine = self.database.open(world)?;
        engine.store().close().await?;
        Ok(())
    }
}
