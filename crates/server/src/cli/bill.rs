//! `quittance bill`.

use super::books::BooksArgs;
use super::host::Host;
use crate::spelling::iso_micros;
use billing::timestamp::Timestamp;
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct Bill {
    /// Bill what is due by this instant: 2026-04-01, or 2026-04-01T12:00:00Z. Test books' clocks are
    /// moved there, step by step; live books are billed until now at the latest.
    #[arg(long, value_name = "TIME")]
    until: Timestamp,
    /// Bill live books ahead of time: what is not due yet is invoiced and charged now.
    #[arg(long)]
    ahead: bool,
    /// Only the environment of this number.
    #[arg(long, value_name = "NUMBER")]
    environment: Option<i64>,
}

impl Bill {
    pub(super) async fn run(self, args: &BooksArgs, host: &Host) -> anyhow::Result<()> {
        let app = args.open_existing(host).await?;
        let mut all = app.engine.environments().await?;
        if let Some(number) = self.environment {
            all.retain(|environment| environment.number == number);
            anyhow::ensure!(!all.is_empty(), "there is no environment {number}");
        }
        for environment in all {
            let number = environment.number;
            let done = match environment.clock {
                Some(clock) if clock > self.until => {
                    println!("environment {number}: its clock is past that, at {}", iso_micros(clock));
                    continue;
                }
                Some(_) => app.engine.advance_clock(number, self.until).await?,
                None => {
                    let now = app.real_now();
                    if self.until > now && !self.ahead {
                        println!(
                            "environment {number}: live books are billed until now, {}; say --ahead to invoice \
                             and charge what falls due later",
                            iso_micros(now)
                        );
                    }
                    let until = if self.ahead { self.until } else { self.until.min(now) };
                    app.engine.run_due(number, until).await?
                }
            };
            println!(
                "environment {number}: {} steps of subscriptions, {} payments tried again, {} finished after silence",
                done.subscription_steps, done.retries, done.recovered
            );
        }
        app.engine.store().close().await?;
        Ok(())
    }
}
