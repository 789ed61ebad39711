//! `quittance audit`.

use super::books::BooksArgs;
use super::host::Host;
use clap::Args;
use engine::Engine;
use engine::audit::Report;
use indicatif::ProgressBar;

#[derive(Debug, Args)]
pub(super) struct Audit {
    /// Only the environment of this number.
    #[arg(long, value_name = "NUMBER")]
    environment: Option<i64>,
}

impl Audit {
    pub(super) async fn run(self, args: &BooksArgs, host: &Host) -> anyhow::Result<()> {
        let app = args.open_existing(host).await?;
        let report = audited(&app.engine, self.environment).await?;
        app.engine.store().close().await?;
        for checked in &report.checked {
            let verdict = match checked.disagreements {
                0 => "ok".to_owned(),
                n => format!("{n} DISAGREE"),
            };
            println!("{:>10}  {:<50} {verdict}", checked.things, checked.check.as_str());
        }
        agreeing(&report)?;
        println!("the books agree");
        Ok(())
    }
}

/// Audits books, with a word on a terminal of how far it is.
///
/// # Errors
/// If they cannot be read.
pub(super) async fn audited(engine: &Engine, environment: Option<i64>) -> Result<Report, engine::Error> {
    // It draws on a terminal only.
    let bar = ProgressBar::new_spinner();
    let teller = bar.clone();
    let tell = move |progress: engine::audit::Progress| {
        teller.set_message(format!("{} {}", progress.done, progress.stage));
        teller.tick();
    };
    let report = engine.audit(environment, Box::new(tell)).await;
    bar.finish_and_clear();
    report
}

/// Tells where books disagree.
///
/// # Errors
/// If they do.
pub(super) fn agreeing(report: &Report) -> anyhow::Result<()> {
    for found in &report.disagreements {
        println!("{found}");
    }
    let disagreements: u64 = report.checked.iter().map(|checked| checked.disagreements).sum();
    anyhow::ensure!(report.agrees(), "the books disagree with themselves in {disagreements} places");
    Ok(())
}
